//! What one client may cost the others: time at each step of a connection, and a share of the connections.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

/// Bounds on what one client may hold.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// For a TLS handshake, and until the headers of a request must be whole, from the opening of the connection or the
    /// last answer on. After that the connection is closed, idle ones too. An HTTP/2 client must answer a ping in this time.
    /// A connection beyond the limit waits so long for its turn.
    pub headers: Duration,
    /// Until a request must be answered, its body included.
    pub request: Duration,
    /// For the client to take something of what is written to it, and to take the rest once the connection is to be closed.
    pub write: Duration,
    /// Of a connection. Requests that run at its end are answered.
    pub life: Duration,
    /// For something new in the log, which a follower waits for, before it is told that there is nothing.
    pub follow: Duration,
    /// For requests under way when the server was told to stop.
    pub grace: Duration,
    /// Connections served at once. As many more wait for one of them to close; beyond that they are closed unheard.
    pub connections: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            request: Duration::from_secs(30),
            write: Duration::from_secs(30),
            life: Duration::from_secs(15 * 60),
            follow: Duration::from_secs(20),
            grace: Duration::from_secs(10),
            connections: 1024,
        }
    }
}

/// Requests under way at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Bytes that the headers of one HTTP/2 request may have.
const LARGEST_HEADERS: u32 = 16 * 1024;
/// Bytes that are read ahead on one HTTP/1 connection, all headers of a request among them.
const LARGEST_BUFFER: usize = 64 * 1024;
/// Requests that an HTTP/2 client may send and take back before they are begun. With more the connection is closed.
const MOST_TAKEN_BACK: usize = 20;

impl ConnectionLimits {
    /// Connections of HTTP/1 and HTTP/2 within these bounds.
    pub(super) fn protocols(self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.headers)
            .max_buf_size(LARGEST_BUFFER);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.headers)
            .keep_alive_timeout(self.headers)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(LARGEST_HEADERS)
            .max_pending_accept_reset_streams(MOST_TAKEN_BACK);
        builder
    }
}
