//! `callervault witness`: for an ombudsman, a court, another authority. It needs no vault and sees no record.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::init::write_secret;
use super::passphrase::secret_file;
use super::serve::{TlsFrom, stop};
use super::{Done, Failure, log_to_stderr, reload, runtime, say};
use crate::clock::System;
use crate::http;
use crate::note::{Cosigner, Verifier};
use crate::randomness::{self, Randomness};
use crate::witness::memory::Memory;
use crate::witness::server::{Server, router};

/// Run a witness (C2SP tlog-witness) that cosigns a log only if it continues what the witness saw before.
#[derive(Args)]
pub(super) struct Witness {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make the witness's key and its empty memory; print the public key.
    Init {
        #[command(flatten)]
        place: Place,
        /// Name of the witness: a URL without its scheme. It can never change.
        #[arg(long)]
        name: String,
    },
    /// Trust a log's key: cosign the checkpoints of the log that the key names. A running witness uses it at once.
    AddLog {
        #[command(flatten)]
        place: Place,
        /// The log's public key, `name+id+key`.
        #[arg(long, value_name = "VKEY")]
        key: Verifier,
    },
    /// Cosign checkpoints until SIGTERM or SIGINT.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:8441")]
        listen: SocketAddr,
        #[command(flatten)]
        tls: TlsFrom,
    },
}

/// Where the witness lies.
#[derive(Args)]
struct Place {
    /// Directory of the witness, with its key `witness.seed` and its memory `witness.db`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

impl Place {
    fn seed(&self) -> PathBuf {
        self.dir.join("witness.seed")
    }

    fn memory(&self) -> PathBuf {
        self.dir.join("witness.db")
    }
}

impl Witness {
    pub(super) fn run(self) -> Done {
        match self.what {
            What::Init { place, name } => init(&place, &name),
            What::AddLog { place, key } => add_log(&place, &key),
            What::Serve { place, listen, tls } => serve(&place, listen, tls),
        }
    }
}

fn init(place: &Place, name: &str) -> Done {
    let mut seed = Zeroizing::new([0; 32]);
    randomness::System.fill(&mut *seed).map_err(Failure::unavailable)?;
    let verifier = Cosigner::from_seed(name, &seed).map_err(Failure::usage)?.verifier();
    Memory::create(&place.memory(), &verifier)?;
    if let Err(failure) = write_secret(&place.seed(), &Zeroizing::new(BASE64.encode(&*seed))) {
        // Half a witness would only be in the way of the next try. The file was made here, a moment ago.
        let _ = std::fs::remove_file(place.memory());
        return Err(failure);
    }
    say(verifier)?;
    Ok(())
}

fn add_log(place: &Place, key: &Verifier) -> Done {
    Memory::open(&place.memory())?.trust(key)?;
    say(format!(
        "the witness now cosigns checkpoints of {} that this key signed",
        key.name()
    ))?;
    Ok(())
}

fn serve(place: &Place, listen: SocketAddr, tls: TlsFrom) -> Done {
    log_to_stderr();
    let memory = Memory::open(&place.memory())?;
    let verifier = memory.witness()?;
    let cosigner = Cosigner::from_seed(verifier.name(), &*read_seed(&place.seed())?).map_err(Failure::usage)?;
    let server = Server::new(cosigner, memory, Arc::new(System))?.ok_or_else(|| {
        Failure::usage("the key and the memory belong to different witnesses\n  use the files of one witness")
    })?;
    let listen = tls.listen(listen)?;
    runtime()?.block_on(async {
        let ready = move |address: SocketAddr| tracing::info!(%address, key = %verifier, "serving");
        let routes = router(Arc::clone(&server));
        let certificate = listen.tls.clone();
        reload::on_hangup(move || reload::certificate(certificate.clone()));
        tokio::select! {
            served = http::serve_routes(routes, http::ConnectionLimits::default(), listen, ready, stop()) => served?,
            () = server.failed() => return Err(Failure::unavailable(
                "the witness cannot write its memory\n  check the disk, then start the witness again",
            )),
        }
        tracing::info!("stopped");
        Ok(())
    })
}

fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let text = secret_file(path)?;
    // The decoder's words are dropped: they quote a byte of the seed.
    let bad = || Failure::usage(format!("{}: not a seed of 32 bytes in base64", path.display()));
    let mut seed = Zeroizing::new([0; 32]);
    let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).map_err(|_| bad())?);
    if bytes.len() != seed.len() {
        return Err(bad());
    }
    seed.copy_from_slice(&bytes);
    Ok(seed)
}
