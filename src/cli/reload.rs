//! What a running program reads again on SIGHUP.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::causes::with_causes;
use crate::http::Tls;

/// Does this on each SIGHUP, one after the other, for as long as the program runs.
pub(super) fn on_hangup<F: Future<Output = ()> + Send>(mut again: impl FnMut() -> F + Send + 'static) {
    // Where it cannot be caught, the signal ends the program, as everywhere.
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
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
