//! One connection, from its acceptance to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Version};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::active::ActiveRequests;
use super::connections::{Connections, Entry};
use super::paced::Paced;
use crate::http::limits::ConnectionLimits;

/// Marks a request that came by TLS.
#[derive(Clone, Copy)]
pub(in crate::http) struct Encrypted;

/// What all connections of a listener share.
pub(super) struct Serving {
    routes: Router,
    limits: ConnectionLimits,
    protocols: Builder<TokioExecutor>,
    connections: Arc<Connections>,
    tls: Option<TlsAcceptor>,
    /// Becomes true when the listener was told to stop.
    stopped: watch::Receiver<bool>,
}

impl Serving {
    pub(super) fn new(
        routes: Router,
        limits: ConnectionLimits,
        connections: Arc<Connections>,
        tls: Option<TlsAcceptor>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            routes,
            limits,
            protocols: limits.protocols(),
            connections,
            tls,
            stopped,
        }
    }

    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Waits for its turn, then serves it. One that waits too long, or at the stop, is closed unheard.
    pub(super) async fn attend(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, entry: Entry) {
        let turn = tokio::select! {
            turn = timeout(self.limits.headers, self.connections.turn(entry)) => turn.ok().flatten(),
            () = self.stop() => None,
        };
        if turn.is_some() {
            self.shake_hands(stream, peer).await;
        }
    }

    async fn shake_hands(&self, stream: TcpStream, peer: SocketAddr) {
        // Answers are written whole: there is nothing to gather.
        let _ = stream.set_nodelay(true);
        let stream = Paced::new(stream, self.limits.write);
        let Some(tls) = &self.tls else {
            return self.serve(stream, peer).await;
        };
        let shaken = tokio::select! {
            shaken = timeout(self.limits.headers, tls.accept(stream)) => shaken,
            () = self.stop() => return,
        };
        if let Ok(Ok(stream)) = shaken {
            self.serve(stream, peer).await;
        }
    }

    /// Serves requests until the client goes, is idle, has had its time, or the listener stops. Then those under way are
    /// answered, and the client has some time left to take the answers.
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
        let active = ActiveRequests::none();
        let service = service_fn(|request| self.answer(request, peer, &active));
        let mut connection = pin!(self.protocols.serve_connection(TokioIo::new(stream), service));
        let left = tokio::select! {
            // What a client did wrong is told to the client, if at all.
            _ = connection.as_mut() => return,
            () = active.idle_for(self.limits.headers) => Duration::ZERO,
            () = self.life_is_over(&active) => self.limits.request,
            () = self.stop() => self.limits.request,
        };
        connection.as_mut().graceful_shutdown();
        let _ = timeout(left + self.limits.write, connection).await;
    }

    /// Returns when the connection has had its time and is to be closed. An HTTP/1 client could be sending a request at this very moment, which would
    /// be lost: the next answer tells it that the connection closes, and a client that sends none is idle.
    async fn life_is_over(&self, active: &ActiveRequests) {
        sleep(self.limits.life).await;
        if !active.are_multiplexed() {
            active.close_with_the_next_answer();
            std::future::pending::<()>().await;
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        active: &ActiveRequests,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + 'static {
        let under_way = active.begin();
        request.extensions_mut().insert(ConnectInfo(peer));
        if self.tls.is_some() {
            request.extensions_mut().insert(Encrypted);
        }
        let multiplexed = request.version() >= Version::HTTP_2;
        if multiplexed {
            active.set_multiplexed();
        }
        let active = active.clone();
        let answer = self.routes.clone().oneshot(request);
        async move {
            let mut answer = answer.await;
            if let Ok(answer) = &mut answer
                && !multiplexed
                && active.closes_with_this_answer()
            {
                answer
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(under_way);
            answer
        }
    }

    /// Returns when the listener was told to stop.
    async fn stop(&self) {
        let mut stopped = self.stopped.clone();
        // An error means that the listener itself is gone.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}
