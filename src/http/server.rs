//! Listening, with TLS or without, until told to stop.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use super::limits::{Capped, Limits};
use super::{App, router};

const GRACE: Duration = Duration::from_secs(10);

/// A certificate and its key, PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Serving did not begin, or ended badly.
#[derive(Debug)]
pub enum ServeError {
    /// The address or the certificate.
    Io(String),
    /// The log's thread died of a fault of a store: its words.
    LogDied(String),
    /// Beyond loopback without TLS.
    Exposed,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(words) => f.write_str(words),
            Self::LogDied(words) => write!(
                f,
                "the log has stopped: {words}\n  nothing was answered from what failed; the next start proves the log before it serves"
            ),
            Self::Exposed => f.write_str("refusing to listen beyond loopback without TLS\n  give --tls-cert and --tls-key, or --behind-proxy if a proxy in front does TLS"),
        }
    }
}

impl std::error::Error for ServeError {}

/// Serves until `stop` resolves; then takes no new requests, lets those under way finish, and wipes the keys.
/// `bound` hears the address, which matters where the port was 0.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    app: Arc<App>,
    listen: SocketAddr,
    tls: Option<Tls>,
    behind_proxy: bool,
    bound: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (routes, limits) = (router(Arc::clone(&app)), app.limits);
    let result = tokio::select! {
        result = serve_routes(routes, limits, listen, tls, behind_proxy, bound, stop) => result,
        why = app.vault().log_died() => Err(ServeError::LogDied(why)),
        never = app.vault().keep_indexed() => match never {},
    };
    app.vault().wipe();
    result
}

/// Serves any routes until `stop` resolves; then takes no new requests and lets those under way finish. `bound` hears
/// the address.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_routes(
    routes: Router,
    limits: Limits,
    listen: SocketAddr,
    tls: Option<Tls>,
    behind_proxy: bool,
    bound: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if tls.is_none() && !behind_proxy && !listen.ip().is_loopback() {
        return Err(ServeError::Exposed);
    }
    let handle = Handle::new();
    let service = Capped::new(routes.into_make_service(), limits.connections);
    let stopping = handle.clone();
    tokio::spawn(async move {
        stop.await;
        stopping.graceful_shutdown(Some(GRACE));
    });
    let listening = handle.clone();
    tokio::spawn(async move {
        if let Some(address) = listening.listening().await {
            bound(address);
        }
    });
    let io = |error: std::io::Error| ServeError::Io(format!("{listen}: {error}\n  choose another address"));
    match tls {
        None => {
            let server = limits.bind(axum_server::bind(listen)).handle(handle);
            server.serve(service).await.map_err(io)
        }
        Some(tls) => {
            let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await;
            let config = config.map_err(|error| ServeError::Io(format!("TLS certificate or key: {error}")))?;
            let server = limits.bind(axum_server::bind_rustls(listen, config)).handle(handle);
            server.serve(service).await.map_err(io)
        }
    }
}
