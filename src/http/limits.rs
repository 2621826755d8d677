//! What one client may cost the others: time for its headers and its request, and a share of the connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::Server;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Bounds on what one client may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until the headers of a request must be whole, from the opening of the connection or the last answer on. After
    /// that the connection is closed, idle ones too.
    pub headers: Duration,
    /// Until a request must be answered, its body included.
    pub request: Duration,
    /// Connections at once. More wait in the system's queue until one is closed.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            request: Duration::from_secs(30),
            connections: 1024,
        }
    }
}

/// Requests under way at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Bytes that the headers of one HTTP/2 request may have.
const LARGEST_HEADERS: u32 = 16 * 1024;

impl Limits {
    /// Puts these bounds on a server. It brings its own timers.
    pub(super) fn bind<A: axum_server::Address, Acceptor>(self, server: Server<A, Acceptor>) -> Server<A, Acceptor> {
        let mut server = server.first_request_timeout(self.headers);
        let builder = server.http_builder();
        builder.http1().header_read_timeout(self.headers);
        builder
            .http2()
            .keep_alive_interval(self.headers)
            .keep_alive_timeout(self.headers)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(LARGEST_HEADERS);
        server
    }
}

/// Makes services for connections, no more at once than there are permits.
#[derive(Clone)]
pub(super) struct Capped<M> {
    make: M,
    free: Arc<Semaphore>,
}

impl<M> Capped<M> {
    pub(super) fn new(make: M, connections: usize) -> Self {
        Self {
            make,
            free: Arc::new(Semaphore::new(connections)),
        }
    }
}

impl<M, T> Service<T> for Capped<M>
where
    M: Service<T>,
    M::Future: Send + 'static,
{
    type Response = Counted<M::Response>;
    type Error = M::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.make.poll_ready(context)
    }

    /// The listener waits for this before it takes another connection.
    fn call(&mut self, target: T) -> Self::Future {
        let (making, free) = (self.make.call(target), Arc::clone(&self.free));
        Box::pin(async move {
            // Nobody closes the semaphore; if it were closed, nothing would be counted and all served.
            let permit = free.acquire_owned().await.ok().map(Arc::new);
            Ok(Counted {
                service: making.await?,
                _permit: permit,
            })
        })
    }
}

/// A connection's service. Its permit is free again when the connection and its last request are gone.
#[derive(Clone)]
pub(super) struct Counted<S> {
    service: S,
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl<S: Service<R>, R> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.service.call(request)
    }
}
