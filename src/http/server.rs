//! Listening, with TLS or without, until told to stop.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;

use super::limits::Limits;
use super::listener::{Connections, Listener};
use super::{App, router};

/// How much longer than its grace the listener may take.
const LEEWAY: Duration = Duration::from_secs(2);

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

/// Serves until `stop` resolves; then takes no new requests, lets those under way finish, and wipes the keys. `bound` hears
/// the address, which matters where the port was 0.
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
    let result = serve_and_watch(&app, listen, tls, behind_proxy, bound, stop).await;
    app.vault().wipe();
    result
}

async fn serve_and_watch(
    app: &Arc<App>,
    listen: SocketAddr,
    tls: Option<Tls>,
    behind_proxy: bool,
    bound: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let listener = listener(listen, tls, behind_proxy).await?;
    bound(listener.address()?);
    let stopping = Stopping::at(stop);
    let (routes, connections) = (router(Arc::clone(app)), Arc::clone(&app.connections));
    tokio::select! {
        () = listener.serve(routes, app.limits, connections, stopping.told()) => Ok(()),
        // The listener ends by itself when its grace is over. Should it not, the keys do not wait for it.
        () = stopping.overdue(app.limits.grace + LEEWAY) => Ok(()),
        why = app.vault().log_died() => Err(ServeError::LogDied(why)),
        never = app.vault().keep_indexed() => match never {},
    }
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
    let listener = listener(listen, tls, behind_proxy).await?;
    bound(listener.address()?);
    let connections = Connections::new(limits.connections);
    listener.serve(routes, limits, connections, stop).await;
    Ok(())
}

async fn listener(listen: SocketAddr, tls: Option<Tls>, behind_proxy: bool) -> Result<Listener, ServeError> {
    if tls.is_none() && !behind_proxy && !listen.ip().is_loopback() {
        return Err(ServeError::Exposed);
    }
    Listener::bind(listen, tls.as_ref()).await
}

/// That the process was told to stop, for all who wait for it.
struct Stopping(watch::Receiver<bool>);

impl Stopping {
    fn at(stop: impl Future<Output = ()> + Send + 'static) -> Self {
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            stop.await;
            tell.send_replace(true);
        });
        Self(told)
    }

    async fn told(&self) {
        let mut told = self.0.clone();
        if told.wait_for(|told| *told).await.is_err() {
            // The runtime is being shut down.
            std::future::pending::<()>().await;
        }
    }

    async fn overdue(&self, time: Duration) {
        self.told().await;
        tokio::time::sleep(time).await;
    }
}
