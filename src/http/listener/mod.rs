//! Accepts connections until told to stop. Each has a task of its own, in which it waits for its turn, shakes hands and is
//! served: none of that keeps the listener from accepting or from stopping.

mod active;
mod connection;
mod connections;
mod paced;
mod tls;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(super) use self::connection::Encrypted;
use self::connection::Serving;
pub(super) use self::connections::Connections;
pub use self::tls::Tls;
use super::limits::ConnectionLimits;
use super::server::ServeError;

/// Until it is tried again to accept, where the system could not: it has no descriptors left, say.
const AGAIN: Duration = Duration::from_millis(200);

/// A socket that listens.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Listens, with TLS if there is a certificate.
    ///
    /// # Errors
    /// [`ServeError::Tls`], [`ServeError::Address`].
    pub(super) async fn bind(address: SocketAddr, tls: Option<&Arc<Tls>>) -> Result<Self, ServeError> {
        let tls = tls.map(tls::acceptor).transpose()?;
        let socket = TcpListener::bind(address).await;
        let at = |error| ServeError::Address(address, error);
        let socket = socket.map_err(at)?;
        let address = socket.local_addr().map_err(at)?;
        Ok(Self { socket, address, tls })
    }

    /// Where it listens, which matters where the port was 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves; then accepts no more, and ends when the requests under way are answered or the grace is
    /// over.
    pub(super) async fn serve(
        self,
        routes: Router,
        limits: ConnectionLimits,
        connections: Arc<Connections>,
        stop: impl Future<Output = ()>,
    ) {
        let (stopping, stopped) = watch::channel(false);
        let serving = Arc::new(Serving::new(routes, limits, connections, self.tls.clone(), stopped));
        let mut tasks = JoinSet::new();
        tokio::select! {
            () = stop => {}
            never = self.accept(&serving, &mut tasks) => match never {},
        }
        drop(self);
        stopping.send_replace(true);
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.grace, ended).await.is_err() {
            tracing::warn!(connections = tasks.len(), "closed before their clients had taken all");
        }
        // Dropping the set ends those that are left.
    }

    async fn accept(&self, serving: &Arc<Serving>, tasks: &mut JoinSet<()>) -> std::convert::Infallible {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => begin(stream, peer, serving, tasks),
                Err(error) if of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(AGAIN).await;
                }
            }
            // Those that have ended.
            while tasks.try_join_next().is_some() {}
        }
    }
}

fn begin(stream: TcpStream, peer: SocketAddr, serving: &Arc<Serving>, tasks: &mut JoinSet<()>) {
    // Dropped, and so closed, where as many wait as may.
    if let Some(entry) = serving.connections().enter() {
        tasks.spawn(Arc::clone(serving).attend(stream, peer, entry));
    }
}

/// The peer went before it was accepted.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused
    )
}
