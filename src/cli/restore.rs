//! `callervault restore`: puts the stores of backups back, once everything in them was checked.
//!
//! Everything happens in directories of their own beside the places to which the stores go, and a store's directory gets its name last. A
//! restore that was killed leaves nothing that `serve` would open. The next one deletes what it finds, and so does a start; what is of a key
//! store is overwritten before. So nothing lies in a file without a name, which nobody would find again.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use super::backup::archive::{Archive, Manifest, not_written};
use super::backup::verify::style;
use super::fsck::tell;
use super::opener::OpenerFrom;
use super::{Done, Failure, Where, aside, runtime, say};
use crate::atomic_file;
use crate::model::backups::Part;
use crate::note::Verifier;
use crate::vault::copies::restore::{self, Behind, Restored};
use crate::vault::life::open::Places;

/// Restore the data store, the key store or both from backups, and check everything before they are put in place. A store that is not
/// given must be there already: an older data store beside today's key store brings back everybody but the erased.
#[derive(Args)]
pub(super) struct Restore {
    /// One or two backups. Each says itself which store it holds.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// The log's public key, `name+id+key`, if you have it: a manifest that it has not signed is refused before anything is opened.
    /// Without it the manifest is verified with the keys of the vault itself. Repeat for earlier keys.
    #[arg(long = "key", value_name = "VKEY")]
    log_keys: Vec<Verifier>,
    /// File with the age identity that opens encrypted backups, mode 0600.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Put the stores in place whatever the check finds: when there is no better copy. The findings are printed all the same.
    #[arg(long)]
    accept_findings: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// A backup that is to be restored.
struct Chosen<'f> {
    archive: Archive<'f>,
    manifest: Manifest,
    staged: Staged,
}

impl Restore {
    pub(super) fn run(self) -> Done {
        let places = self.place.places();
        let chosen = self.chosen(&places)?;
        let opener = self.opener.read()?;
        let mut staged = places.clone();
        for (part, one) in &chosen {
            let file = one
                .staged
                .path
                .join(store(&places, *part).file_name().unwrap_or_default());
            one.unpack(&file)?;
            match part {
                Part::Data => staged.data = file,
                Part::Keys => staged.keys = file,
            }
        }
        let notes: Vec<String> = chosen.values().map(|one| one.manifest.note.clone()).collect();
        let bar = ProgressBar::new_spinner();
        let progress = |count| bar.set_position(count);
        let restored = runtime()?.block_on(restore::check(&staged, (&opener).into(), &notes, &progress));
        bar.finish_and_clear();
        let restored = restored?;
        let is_sound = restored.report.findings.is_empty() || self.accept_findings;
        if is_sound {
            // The data store last: without it nothing is served.
            for (_, one) in chosen.iter().rev() {
                one.staged.put()?;
            }
        }
        self.told(&chosen, &restored, is_sound)
    }

    /// What is restored to where. Nothing is unpacked before all of it fits.
    fn chosen(&self, places: &Places) -> Result<BTreeMap<Part, Chosen<'_>>, Failure> {
        let mut manifests = BTreeMap::new();
        for file in &self.files {
            let archive = Archive {
                file,
                identity: self.identity.as_deref(),
                keys: &self.log_keys,
            };
            let manifest = archive.manifest()?;
            if let Some((other, _)) = manifests.insert(manifest.told.part, (archive, manifest)) {
                let other: Archive<'_> = other;
                return Err(Failure::usage(format!(
                    "{} and {} hold the same store of a vault\n  give a backup of the data store and one of the key store",
                    other.file.display(),
                    file.display()
                )));
            }
        }
        if let (Some((one, data)), Some((other, keys))) = (manifests.get(&Part::Data), manifests.get(&Part::Keys))
            && data.told.vault != keys.told.vault
        {
            return Err(Failure::check_failed(format!(
                "{} is of the vault of {}, and {} of another, that of {}\n  give two backups of one vault",
                one.file.display(),
                data.told.log,
                other.file.display(),
                keys.told.log
            )));
        }
        for part in Part::ALL {
            let place = store(places, *part);
            if !manifests.contains_key(part) && !place.exists() {
                return Err(Failure::usage(format!(
                    "there is no {} at {}\n  give its backup as well, or name the directory of the one that is in use",
                    part.label().en.to_lowercase(),
                    place.display()
                )));
            }
        }
        let staged = manifests.into_iter().map(|(part, (archive, manifest))| {
            let staged = Staged::beside(&directory(store(places, part)), part)?;
            Ok((
                part,
                Chosen {
                    archive,
                    manifest,
                    staged,
                },
            ))
        });
        staged.collect()
    }

    fn told(&self, chosen: &BTreeMap<Part, Chosen<'_>>, restored: &Restored, is_put: bool) -> Done {
        let Restored { report, behind } = restored;
        if self.json {
            let parts: Vec<Part> = chosen.keys().copied().filter(|_| is_put).collect();
            say(json!({"restored": parts, "report": report, "behind": behind}))?;
        } else {
            tell(report)?;
        }
        if !is_put {
            return Err(Failure::check_failed(
                "nothing was restored: the check found something\n  restore another backup, or, if there is none, accept this one with \
                 --accept-findings",
            ));
        }
        for (part, one) in chosen.iter().filter(|_| !self.json) {
            let (told, place) = (&one.manifest.told, &one.staged.target);
            say(format!(
                "restored: the {} of {} with {} log entries, as of {}, at {}",
                part.label().en.to_lowercase(),
                told.log,
                told.size,
                told.made_at,
                place.display()
            ))?;
        }
        if let Some(behind) = behind {
            aside(in_words(behind));
        }
        aside("serve it only in place of the vault that it was copied from: two that serve sign two different logs");
        Ok(())
    }
}

impl Chosen<'_> {
    fn unpack(&self, path: &Path) -> Done {
        let mut file = atomic_file::new_with_its_name(path).map_err(|fault| not_written(&fault))?;
        let bar = ProgressBar::new(self.manifest.told.length).with_style(style()?);
        let manifest = self.archive.unpack(&mut file, &|moved| bar.set_position(moved));
        bar.finish_and_clear();
        if manifest?.note != self.manifest.note {
            return Err(Failure::check_failed(format!(
                "{} was changed while it was read\n  nothing was restored",
                self.archive.file.display()
            )));
        }
        file.sync_all().map_err(|fault| not_written(&fault))
    }
}

fn in_words(behind: &Behind) -> String {
    let Behind {
        log,
        size,
        fence_log,
        fence_size,
    } = behind;
    format!(
        "the data store is older than the key store: it has {size} entries of {log}; the key store saw {fence_size} of {fence_log}\n  it is \
         not served so: two people open the next log with `callervault audit restart`, which also removes who was erased since"
    )
}

const fn store(places: &Places, part: Part) -> &PathBuf {
    match part {
        Part::Data => &places.data,
        Part::Keys => &places.keys,
    }
}

fn directory(store: &Path) -> PathBuf {
    store.parent().unwrap_or(store).to_owned()
}

/// A directory beside the one that it is for, until it takes its place. It is deleted when this is dropped before.
struct Staged {
    part: Part,
    path: PathBuf,
    /// The directory that it is for.
    target: PathBuf,
    /// The directory, held against other restores to the same place.
    held: File,
}

impl Staged {
    /// For a directory that is not there yet, or is empty.
    fn beside(target: &Path, part: Part) -> Result<Self, Failure> {
        let unreadable = |fault: std::io::Error| Failure::unavailable(format!("{}: {fault}", target.display()));
        if target.exists() && target.read_dir().map_err(unreadable)?.next().is_some() {
            return Err(Failure::usage(format!(
                "{} is not empty\n  restore into an empty directory, or one that is not there; nothing was changed",
                target.display()
            )));
        }
        let path = restore::beside(target);
        let above = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        atomic_file::create_private_directory(&above).map_err(unreadable)?;
        atomic_file::create_private_directory(&path).map_err(unreadable)?;
        let held = restore::open_beside(&path)
            .map_err(Failure::unavailable)?
            .ok_or_else(|| {
                Failure::refused(format!(
                    "{} is not a directory of yours alone\n  delete it, or chmod 0700 it",
                    path.display()
                ))
            })?;
        if flock(&held, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Failure::refused(format!(
                "another restore to {} is under way\n  wait until it has ended",
                target.display()
            )));
        }
        restore::clear(&held, &path, part).map_err(Failure::unavailable)?;
        Ok(Self {
            part,
            path,
            target: target.to_owned(),
            held,
        })
    }

    fn put(&self) -> Done {
        let put = atomic_file::put_directory(&self.path, &self.target);
        put.map_err(|fault| {
            Failure::unavailable(format!(
                "{}: {fault}\n  delete what was restored beside it, then try again",
                self.target.display()
            ))
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It does not have this name any more when it was put in place.
        let is_it = |named: Metadata, held: Metadata| (named.dev(), named.ino()) == (held.dev(), held.ino());
        let named = self.path.symlink_metadata().ok().zip(self.held.metadata().ok());
        if !named.is_some_and(|(named, held)| is_it(named, held)) {
            return;
        }
        let gone = restore::clear(&self.held, &self.path, self.part).is_ok() && std::fs::remove_dir(&self.path).is_ok();
        if !gone {
            aside(format!(
                "{} is left: the next restore, or the next start, deletes what is in it",
                self.path.display()
            ));
        }
    }
}
