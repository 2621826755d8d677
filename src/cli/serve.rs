//! `callervault serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::passphrase::PassphraseFrom;
use super::{Done, Where, log_to_stderr, runtime};
use crate::audit::watch::hours::{FromUtc, Hours, Span};
use crate::clock::System;
use crate::http::{self, App, Tls};
use crate::vault::Vault;
use crate::vault::budgets::Watching;

/// Unlock a vault and serve its API until SIGTERM or SIGINT.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
    /// Address and port.
    #[arg(long, default_value = "127.0.0.1:8440")]
    listen: SocketAddr,
    /// TLS certificate chain, PEM.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS private key, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy in front does TLS: listen beyond loopback without it.
    #[arg(long)]
    behind_proxy: bool,
    /// Names this node in the log.
    #[arg(long, default_value = "1")]
    node: String,
    /// Fields may be shown in clear to one principal so many times a day; no limit unless given.
    #[arg(long, value_name = "N")]
    reveal_limit: Option<u64>,
    /// Working hours, for the report on readers.
    #[arg(long, default_value = "08:00-20:00")]
    working_hours: Span,
    /// Local time: ahead of UTC by this. A day of the report and of the limit begins at local midnight.
    #[arg(long, default_value = "+08:00", allow_hyphen_values = true)]
    utc_offset: FromUtc,
}

impl Serve {
    pub(super) fn run(self) -> Done {
        log_to_stderr();
        let passphrase = self.passphrase.read()?;
        let tls = self
            .tls_cert
            .zip(self.tls_key)
            .map(|(certificate, key)| Tls { certificate, key });
        let rules = Watching {
            hours: Hours {
                opens: self.working_hours.opens,
                closes: self.working_hours.closes,
                offset: self.utc_offset.0,
            },
            limit: self.reveal_limit,
        };
        runtime()?.block_on(async {
            let vault = Vault::open(&self.place.places(), &passphrase, Arc::new(System), &self.node).await?;
            let vault = vault.watching(rules).await?;
            drop(passphrase);
            let app = App::new(vault);
            let ready = |address: SocketAddr| tracing::info!(%address, "serving");
            http::serve(app, self.listen, tls, self.behind_proxy, ready, stop()).await?;
            tracing::info!("stopped; keys wiped");
            Ok(())
        })
    }
}

/// Resolves on SIGINT or SIGTERM.
pub(super) async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
