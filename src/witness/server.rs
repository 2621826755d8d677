//! The witness's HTTP interface (tlog-witness, "HTTP Interface").

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Notify, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::decide::{self, Objection};
use super::memory::{Memory, MemoryError, NotCosigned};
use super::request::AddCheckpoint;
use crate::clock::Clock;
use crate::note::Cosigner;

/// Longest request body, in bytes. The longest proof and a hundred signatures need a fifth of it.
const LARGEST_BODY: usize = 64 * 1024;
const SLOWEST: Duration = Duration::from_secs(10);
/// Requests at work at once. They take turns at the disk; more threads would only wait.
const AT_ONCE: usize = 16;

/// A witness: its key, what it remembers, and what time it is.
pub struct Server {
    cosigner: Cosigner,
    memory: Memory,
    clock: Arc<dyn Clock>,
    turns: Arc<Semaphore>,
    failed: Notify,
}

impl Server {
    /// The witness with this key and this memory, or nothing if they do not belong together.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn new(cosigner: Cosigner, memory: Memory, clock: Arc<dyn Clock>) -> Result<Option<Arc<Self>>, MemoryError> {
        let belongs = memory.witness()? == cosigner.verifier();
        Ok(belongs.then(|| {
            Arc::new(Self {
                cosigner,
                memory,
                clock,
                turns: Arc::new(Semaphore::new(AT_ONCE)),
                failed: Notify::new(),
            })
        }))
    }

    /// Answers a request's body with a cosignature line. What is cosigned is durable in the memory before.
    ///
    /// # Errors
    /// [`NotCosigned`].
    pub fn cosign(&self, body: &str) -> Result<String, NotCosigned> {
        let request: AddCheckpoint = body.parse().map_err(Objection::Malformed)?;
        let keys = self.memory.keys(&request.claimed().origin)?;
        let signed = decide::signed(&keys, &request)?;
        let kept = self.memory.keep(signed, &*self.clock);
        let kept = kept.inspect_err(|error| self.report(error, &request))?;
        Ok(self.cosigner.cosign(&kept.text(), kept.time()))
    }

    /// A checkpoint that its log has signed and that does not continue what the log signed before is evidence against
    /// the log. Both notes go to the program log.
    fn report(&self, error: &NotCosigned, request: &AddCheckpoint) {
        if let NotCosigned::Objected(objection @ (Objection::Fork | Objection::Proof)) = error {
            let before = self.memory.newest(&request.claimed().origin).ok().flatten();
            tracing::warn!(
                before = before.unwrap_or_default(),
                refused = request.note(),
                "{objection}"
            );
        }
    }

    /// Resolves when the memory cannot be relied on any more: after a failed write nobody knows what is durable. Then
    /// the process must end; the next start reads what is there.
    pub async fn failed(&self) {
        self.failed.notified().await;
    }
}

/// All routes, with limits.
pub fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/livez", get(live))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, SLOWEST))
        .layer(CatchPanicLayer::new())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(server)
}

async fn live() -> &'static str {
    "ok\n"
}

async fn add_checkpoint(State(server): State<Arc<Server>>, body: String) -> Response {
    let turn = Arc::clone(&server.turns).acquire_owned().await;
    // It waits for the disk. A request that gives up waiting may still be remembered; its log hears so by a 409.
    let cosigning = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || {
            let answer = server.cosign(&body);
            drop(turn);
            answer
        }
    });
    match cosigning.await {
        Ok(Ok(line)) => line.into_response(),
        Ok(Err(error)) => not_cosigned(&server, &error),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn not_cosigned(server: &Server, error: &NotCosigned) -> Response {
    match error {
        NotCosigned::Objected(Objection::OtherSize(size)) => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response()
        }
        NotCosigned::Objected(objection) => {
            let status = StatusCode::from_u16(objection.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, format!("{objection}\n")).into_response()
        }
        NotCosigned::NoClock(error) => {
            tracing::error!("{error}");
            (StatusCode::SERVICE_UNAVAILABLE, "this witness has no clock\n").into_response()
        }
        NotCosigned::Memory(fault) => {
            tracing::error!("{fault}");
            if !fault.is_full() {
                server.failed.notify_one();
            }
            (StatusCode::SERVICE_UNAVAILABLE, "this witness cannot remember\n").into_response()
        }
    }
}
