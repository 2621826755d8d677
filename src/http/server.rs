//! Listening, with TLS or without, until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;

use super::limits::ConnectionLimits;
use super::listener::{Connections, Listener, Tls};
use super::{App, metrics_router, router};
use crate::secret_file::BadSecret;
use crate::vault::LogStopped;
use crate::vault::life::door::OpenVault;

/// How much longer than its grace the listener may take.
const LEEWAY: Duration = Duration::from_secs(2);
/// Connections at once for metrics. They have a limit of their own, so that a full server can still be looked at.
const FOR_METRICS: usize = 16;

/// Serving did not begin, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("{0}\n  choose another address")]
    Address(SocketAddr, #[source] io::Error),
    /// The certificate or its key.
    #[error("TLS certificate or key\n  name PEM files: the certificate with its chain, and its private key")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file of the certificate's key.
    #[error(transparent)]
    Key(#[from] BadSecret),
    /// The log's thread has ended.
    #[error(
        "the log has stopped\n  no failed request was answered as done; start the vault again: it proves the log first"
    )]
    LogStopped(#[source] LogStopped),
    /// Beyond loopback without TLS.
    #[error(
        "refusing to listen on other addresses than loopback without TLS\n  give --tls-cert and --tls-key, or --behind-proxy if a \
         proxy does TLS"
    )]
    Exposed,
}

/// Where a server listens, and who does TLS.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// The certificate, where this program does TLS.
    pub tls: Option<Arc<Tls>>,
    /// A proxy in front does TLS: without a certificate this one may listen beyond loopback.
    pub behind_proxy: bool,
}

impl Listen {
    /// Without TLS, so on loopback only.
    #[must_use]
    pub const fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            behind_proxy: false,
        }
    }

    /// Listens from now on. Whoever connects waits until it is served.
    ///
    /// # Errors
    /// [`ServeError::Exposed`], [`ServeError::Address`], [`ServeError::Tls`].
    pub async fn bind(&self) -> Result<Listener, ServeError> {
        if self.tls.is_none() && !self.behind_proxy && !self.address.ip().is_loopback() {
            return Err(ServeError::Exposed);
        }
        Listener::bind(self.address, self.tls.as_ref()).await
    }
}

/// Serves until `stop` resolves; then takes no new requests, lets those under way finish, and wipes the keys. `metrics` have a
/// listener of their own, or none. `bound` hears both addresses, which matters where a port was 0.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    app: Arc<App>,
    listen: Listen,
    metrics: Option<Listen>,
    bound: impl FnOnce(SocketAddr, Option<SocketAddr>) + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    match both(listen, metrics).await {
        Ok((listener, metrics)) => {
            bound(listener.address(), metrics.as_ref().map(Listener::address));
            serve_on(app, listener, metrics, stop).await
        }
        Err(error) => {
            app.door.wipe();
            Err(error)
        }
    }
}

async fn both(listen: Listen, metrics: Option<Listen>) -> Result<(Listener, Option<Listener>), ServeError> {
    let listener = listen.bind().await?;
    match metrics {
        Some(metrics) => Ok((listener, Some(metrics.bind().await?))),
        None => Ok((listener, None)),
    }
}

/// As [`serve`], on listeners that are there already.
///
/// # Errors
/// [`ServeError::LogStopped`].
pub async fn serve_on(
    app: Arc<App>,
    listener: Listener,
    metrics: Option<Listener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let result = serve_and_watch(&app, listener, metrics, stop).await;
    app.door.wipe();
    result
}

async fn serve_and_watch(
    app: &Arc<App>,
    listener: Listener,
    metrics: Option<Listener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let stopping = &app.stopping;
    stopping.at(stop);
    let (routes, connections) = (router(Arc::clone(app)), Arc::clone(&app.connections));
    let serving = listener.serve(routes, app.limits, connections, stopping.told());
    let _rewraps = super::keys::rewrapping(app);
    let _retention = super::retention::keeping(app);
    let both = async { tokio::join!(serving, serve_metrics(app, metrics, stopping.told())) };
    tokio::select! {
        _ = both => Ok(()),
        // The listeners end by themselves when their grace is over. Should they not, the keys do not wait for them.
        () = stopping.overdue(app.limits.grace + LEEWAY) => Ok(()),
        why = app.door.while_open(log_stopped) => Err(ServeError::LogStopped(why)),
        never = app.door.while_open(keep_indexed) => match never {},
    }
}

async fn log_stopped(vault: Arc<OpenVault>) -> LogStopped {
    vault.log_stopped().await
}

async fn keep_indexed(vault: Arc<OpenVault>) -> Infallible {
    vault.keep_indexed().await
}

async fn serve_metrics(app: &Arc<App>, listener: Option<Listener>, stop: impl Future<Output = ()>) {
    if let Some(listener) = listener {
        let connections = Connections::new(FOR_METRICS);
        let routes = metrics_router(Arc::clone(app));
        listener.serve(routes, app.limits, connections, stop).await;
    }
}

/// Serves any routes until `stop` resolves; then takes no new requests and lets those under way finish. `bound` hears
/// the address.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_routes(
    routes: Router,
    limits: ConnectionLimits,
    listen: Listen,
    bound: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let listener = listen.bind().await?;
    bound(listener.address());
    let connections = Connections::new(limits.connections);
    listener.serve(routes, limits, connections, stop).await;
    Ok(())
}

/// That the process was told to stop, for all who wait for it.
#[derive(Default)]
pub(super) struct Stopping(watch::Sender<bool>);

impl Stopping {
    /// Tells them once `stop` resolves.
    fn at(&self, stop: impl Future<Output = ()> + Send + 'static) {
        let tell = self.0.clone();
        tokio::spawn(async move {
            stop.await;
            tracing::info!("stopping: requests under way are answered");
            tell.send_replace(true);
        });
    }

    pub(super) async fn told(&self) {
        if self.0.subscribe().wait_for(|told| *told).await.is_err() {
            // Nobody can tell any more.
            std::future::pending::<()>().await;
        }
    }

    async fn overdue(&self, time: Duration) {
        self.told().await;
        tokio::time::sleep(time).await;
    }
}
