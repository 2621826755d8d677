//! What a running program does on a signal: reads again on SIGHUP, and more.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::causes::with_causes;
use crate::http::Tls;

/// Does this on each SIGHUP, one after the other, for as long as the program runs.
pub(super) fn on_hangup<F: Future<Output = ()> + Send>(again: impl FnMut() -> F + Send + 'static) {
    on_each(SignalKind::hangup(), again);
}

/// As `on_hangup`, on any signal.
pub(super) fn on_each<F: Future<Output = ()> + Send>(kind: SignalKind, mut again: impl FnMut() -> F + Send + 'static) {
    // Where it cannot be caught, the signal ends the program, as everywhere.
    let Ok(mut signals) = signal(kind) else {
        return;
    };
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            again().await;
        }
    });
}

/// Reads a certificate again, if there is one. A bad one is named in the program log, and the old one goes on.
pub(super) async fn certificate(tls: Option<Arc<Tls>>) {
    let Some(tls) = tls else { return };
    match tls.reread() {
        Ok(()) => tracing::info!("the certificate was read again"),
        Err(error) => tracing::error!(
            error = with_causes(&error),
            "the certificate is bad: the old one goes on"
        ),
    }
}
