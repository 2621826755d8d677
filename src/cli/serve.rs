//! `callervault serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::passphrase::PassphraseFrom;
use super::{Done, Where, log_to_stderr, runtime};
use crate::clock::System;
use crate::http::{self, App, Tls};
use crate::vault::Vault;
use crate::vault::auditing::retention::Retention;

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
    /// Keep the bodies of log entries at least so many days.
    #[arg(long, value_name = "DAYS", default_value_t = Retention::USUAL_DAYS,
        value_parser = clap::value_parser!(u32).range(i64::from(Retention::LEAST_DAYS)..))]
    log_retention_days: u32,
}

impl Serve {
    pub(super) fn run(self) -> Done {
        log_to_stderr();
        let passphrase = self.passphrase.read()?;
        let tls = self
            .tls_cert
            .zip(self.tls_key)
            .map(|(certificate, key)| Tls { certificate, key });
        runtime()?.block_on(async {
            let vault = Vault::open(&self.place.places(), &passphrase, Arc::new(System), &self.node).await?;
            drop(passphrase);
            let retention = Retention::days(self.log_retention_days).unwrap_or_default();
            let app = App::new(vault.retaining(retention));
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
