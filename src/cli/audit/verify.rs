//! `callervault audit verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::receipt;
use super::remote::Remote;
use crate::audit::verify::{
    Demands, Directory, Older, Source, Unverified, Verified, Witnessed, Witnesses, verify, verify_proof,
};
use crate::cli::server::Reach;
use crate::cli::{Done, Failure, say};
use crate::merkle::{TILE_WIDTH, TileKind, TilePath, decode_bundle, leaf_hash};
use crate::note::{CosignatureVerifier, TlogProof, Verifier};

/// Verify a log from its tiles alone: every leaf hash, tile, root and checkpoint, and witnesses' cosignatures. Exit 1 if the
/// log was tampered with or too few witnesses have cosigned.
#[derive(Args)]
pub(super) struct Verify {
    /// A directory with `checkpoint` and `tile/`, as `audit export` makes it [default: the log of the server at --url].
    directory: Option<PathBuf>,
    /// The log's public key, `name+id+key` as `GET /v1/audit/keys` gives it. Do not take it from where you took the log. Repeat for
    /// keys that the log had before it got this one.
    #[arg(long = "key", value_name = "VKEY", required = true)]
    keys: Vec<Verifier>,
    /// A checkpoint or a `.tlog-proof` that you kept. Nothing up to it may have been removed or changed.
    #[arg(long, value_name = "FILE")]
    not_older_than: Option<PathBuf>,
    /// Check that a `.tlog-proof` proves an entry of this log.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Check the receipt of an erasure: that the log's key has signed it and, where DIRECTORY is given, that the log has its entry.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// File with the entry's bytes [default: read them from the log].
    #[arg(long, value_name = "FILE", requires = "proof")]
    entry: Option<PathBuf>,
    /// Entries below this index were archived and their bodies dropped: check only their hashes.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    pruned_below: u64,
    /// The key of a witness, `name+id+key` as `witness init` prints it. Repeat for more. Its cosignatures on the log's
    /// checkpoints and on the files given here are verified. A bad one is tampering. Those of other witnesses are ignored.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// Number of witnesses that must have cosigned the same checkpoint, with `--proof` one that covers the entry
    /// [default: all]. 0 only verifies the cosignatures that exist.
    #[arg(long, value_name = "N", requires = "witnesses")]
    quorum: Option<usize>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self, reach: &Reach) -> Done {
        self.check_keys()?;
        let receipt = self.receipt.as_deref().map(|file| receipt::open(file, &self.keys));
        let receipt = receipt.transpose()?;
        if let (Some(receipt), None) = (&receipt, &self.directory) {
            return receipt::tell(receipt, self.json, false);
        }
        let source = self.source(reach)?;
        let demands = Demands {
            older: self.older()?,
            witnesses: self.known()?,
            pruned_below: self.pruned_below,
        };
        let bar = ProgressBar::new(0).with_style(style()?);
        let progress = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let verified = verify(&*source, &self.keys, &demands, &progress);
        bar.finish_and_clear();
        let verified = verified.map_err(failed)?;
        let proved = self
            .proof
            .as_deref()
            .map(|file| self.prove(file, &*source, verified.checkpoint.size))
            .transpose()?;
        if let Some(index) = proved
            && demands.witnesses.quorum() > 0
        {
            covered(index, verified.witnessed.as_ref())?;
        }
        if let Some(receipt) = &receipt {
            let entry = entry_of(&*source, verified.checkpoint.size, receipt.index)?;
            receipt::is_of(receipt, &entry)?;
            receipt::tell(receipt, self.json, true)?;
        }
        self.report(&verified, proved)
    }

    /// All of one log.
    fn check_keys(&self) -> Result<(), Failure> {
        let mut names = self.keys.iter().map(Verifier::name);
        let first = names.next();
        match names.find(|name| Some(*name) != first) {
            Some(other) => Err(Failure::usage(format!(
                "the keys are of different logs: {} and {other}\n  give the keys of one log",
                first.unwrap_or_default()
            ))),
            None => Ok(()),
        }
    }

    fn source(&self, reach: &Reach) -> Result<Box<dyn Source>, Failure> {
        match &self.directory {
            None => Ok(Box::new(Remote::new(reach)?.admitted()?)),
            Some(directory) if directory.is_dir() => Ok(Box::new(Directory::new(directory.clone()))),
            Some(other) => Err(Failure::usage(format!(
                "{} is not a directory\n  `callervault audit export` makes one; to verify the log of a server, give --url",
                other.display()
            ))),
        }
    }

    /// What the log must continue: what was kept, and the checkpoint in the proof.
    fn older(&self) -> Result<Vec<Older>, Failure> {
        let files = [&self.not_older_than, &self.proof].into_iter().flatten();
        let parse = |file: &PathBuf| Older::parse(&read(file)?, &self.keys).map_err(|tampered| failed(tampered.into()));
        files.map(parse).collect()
    }

    fn known(&self) -> Result<Witnesses, Failure> {
        let parse = |vkey: &String| {
            let key = vkey.parse();
            key.map_err(|error| Failure::usage(format!("the key of a witness: {error}")))
        };
        let keys: Vec<CosignatureVerifier> = self.witnesses.iter().map(parse).collect::<Result<_, Failure>>()?;
        let quorum = self.quorum.unwrap_or(keys.len());
        Witnesses::new(keys, quorum).ok_or_else(|| {
            Failure::usage(
                "--quorum is larger than the number of witnesses, or two of them have the same key\n  name each witness once",
            )
        })
    }

    /// The index that a proof proves.
    fn prove(&self, file: &Path, source: &dyn Source, size: u64) -> Result<u64, Failure> {
        let proof = TlogProof::parse(&read(file)?).map_err(Failure::check_failed)?;
        let leaf = match &self.entry {
            Some(entry) => leaf_hash(&std::fs::read(entry).map_err(|error| unreadable(entry, &error))?),
            None => leaf_hash(&entry_of(source, size, proof.index)?),
        };
        verify_proof(&proof, &leaf, &self.keys).map_err(|tampered| failed(tampered.into()))?;
        Ok(proof.index)
    }

    fn report(&self, verified: &Verified, proved: Option<u64>) -> Done {
        let checkpoint = &verified.checkpoint;
        let held = self.not_older_than.is_some();
        if self.json {
            say(json!({
                "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.to_string(),
                "bodies": verified.bodies, "held_against_older": held, "proved": proved,
                "witnessed": verified.witnessed.as_ref().map(as_json),
            }))?;
            return Ok(());
        }
        if let Some(witnessed) = &verified.witnessed {
            say(in_words(witnessed, checkpoint.size))?;
        }
        if let Some(index) = proved {
            say(format!("proved: entry {index} is in the log"))?;
        }
        if !held {
            say("note: without a kept checkpoint or proof, a cut log looks like a shorter one")?;
            say("      keep this log's checkpoint and give it as --not-older-than next time")?;
        }
        say(format!(
            "verified: {} entries, root {}",
            checkpoint.size, checkpoint.root
        ))?;
        Ok(())
    }
}

/// A quorum must have cosigned the entry that is proved.
fn covered(index: u64, witnessed: Option<&Witnessed>) -> Done {
    let size = witnessed.map_or(0, |witnessed| witnessed.size);
    if index < size {
        return Ok(());
    }
    Err(Failure::check_failed(format!(
        "UNWITNESSED: the witnesses have cosigned the first {size} entries, and not entry {index}\n  copy the log and fetch the \
         proof again after the next submission to them"
    )))
}

fn in_words(witnessed: &Witnessed, size: u64) -> String {
    let by = witnessed
        .by
        .iter()
        .map(|(name, time)| format!("{name} at {}", when(*time)));
    let by: Vec<String> = by.collect();
    format!(
        "witnessed: the first {} of {size} entries, by {}",
        witnessed.size,
        by.join(", ")
    )
}

fn as_json(witnessed: &Witnessed) -> Value {
    let by = witnessed.by.iter();
    let by: Vec<Value> = by
        .map(|(name, time)| json!({"witness": name, "time": when(*time)}))
        .collect();
    json!({"size": witnessed.size, "by": by})
}

/// A cosignature's time; the seconds themselves where the calendar does not reach.
fn when(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

fn style() -> Result<ProgressStyle, Failure> {
    ProgressStyle::with_template("{bar:40} {pos}/{len} entries, {eta} left").map_err(Failure::unavailable)
}

/// An entry, from the bundle that holds it in a log of that size.
fn entry_of(source: &dyn Source, size: u64, index: u64) -> Result<Vec<u8>, Failure> {
    let absent = || {
        Failure::check_failed(format!(
            "entry {index} is not in this copy of the log\n  give its bytes as --entry"
        ))
    };
    let read = |path: TilePath| {
        let read = source.read(&path.to_string());
        read.map_err(|fault| Failure::unavailable(fault.0))
    };
    let width = TILE_WIDTH as u64;
    let path = TilePath::within(size, TileKind::Entries, index / width).ok_or_else(absent)?;
    let full = TilePath::new(TileKind::Entries, index / width, TILE_WIDTH).map_err(Failure::usage)?;
    let bundle = match read(path)? {
        Some(bundle) => bundle,
        None => read(full)?.ok_or_else(absent)?,
    };
    let entries = decode_bundle(&bundle).map_err(Failure::check_failed)?;
    let at = usize::try_from(index % width).unwrap_or_default();
    entries.get(at).map(|entry| entry.to_vec()).ok_or_else(absent)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", file.display()))
}

fn failed(why: Unverified) -> Failure {
    match why {
        Unverified::Tampered(tampered) => Failure::check_failed(format!(
            "TAMPERED: {tampered}\n  keep this copy as evidence and compare it with another"
        )),
        Unverified::Unwitnessed { quorum, most } => Failure::check_failed(format!(
            "UNWITNESSED: {quorum} of the named witnesses must have cosigned the same checkpoint of this log, at most {most} have\n  \
             copy the log again after the next submission to them, or ask them what they have seen"
        )),
        Unverified::Unread(words) => Failure::unavailable(words),
    }
}
