//! Counts of requests by route and status, and of the log's commits; and what the process costs.

mod burst;
mod process;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::burst::Burst;
use super::App;
use super::listener::Connections;
use super::request::Named;
use crate::vault::Vault;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    /// The route as declared, never the address that was asked for.
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Level {
    level: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Store {
    store: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rewrapped {
    role: &'static str,
    rows: &'static str,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Upper bounds of the buckets of answer times, in seconds: from a constant answer to the longest that is waited for.
const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// Counters of one process.
pub struct Metrics {
    requests: Family<Labels, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    export_cursor: Gauge,
    export_lag: Gauge,
    unauthenticated: Burst,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            export_cursor: Gauge::default(),
            export_lag: Gauge::default(),
            unauthenticated: Burst::default(),
        }
    }

    /// A follower of the log has come this far, and so many entries are still to come.
    pub(super) fn followed(&self, cursor: u64, lag: u64) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.export_cursor.set(number(cursor));
        self.export_lag.set(number(lag));
    }

    /// Without a vault where it is locked.
    pub(super) fn text(&self, vault: Option<&Vault>, connections: &Connections) -> String {
        let mut registry = Registry::default();
        process::register(&mut registry);
        let of_ours = registry.sub_registry_with_prefix("callervault");
        self.register(of_ours, connections);
        let locked: Gauge = Gauge::default();
        locked.set(i64::from(vault.is_none()));
        of_ours.register("locked", "1 while the vault is locked", locked);
        if let Some(vault) = vault {
            register_vault(of_ours, vault);
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    fn register(&self, registry: &mut Registry, connections: &Connections) {
        registry.register("http_requests", "Requests by route and status", self.requests.clone());
        registry.register(
            "http_request_seconds",
            "Time from a request's headers to its answer's, by route",
            self.seconds.clone(),
        );
        registry.register("build", "The program that runs", Info::new(Build { version: VERSION }));
        registry.register(
            "log_export_cursor",
            "Where the last follower of the log goes on",
            self.export_cursor.clone(),
        );
        registry.register(
            "log_export_lag",
            "Entries that were still to come for it",
            self.export_lag.clone(),
        );
        register_connections(registry, connections);
    }
}

/// What an open vault counts. An unlock begins anew, as a start does.
fn register_vault(registry: &mut Registry, vault: &Vault) {
    let log = vault.log_stats();
    let entries: Counter = Counter::default();
    entries.inc_by(log.entries());
    registry.register("log_entries", "Entries committed since the unlock", entries);
    let commits: Counter = Counter::default();
    commits.inc_by(log.commits());
    registry.register(
        "log_commits",
        "Commits since the unlock; entries over commits is the size of a group",
        commits,
    );
    let refusals = Family::<Refused, Counter>::default();
    for (why, count) in log.refusals() {
        refusals.get_or_create(&Refused { why }).inc_by(count);
    }
    registry.register(
        "refusals",
        "Refusals in the log since the unlock, by reason; foreign-reference and unknown-reference tell of references that are tried",
        refusals,
    );
    register_statements(registry, vault);
    register_witnesses(registry, vault);
    register_recovery(registry, vault);
    register_rewraps(registry, vault);
    let levels = Family::<Level, Counter>::default();
    for (level, count) in vault.reveal_alarms() {
        levels.get_or_create(&Level { level }).inc_by(count);
    }
    registry.register(
        "reveal_alarms",
        "How often a principal has reached so many clear reveals in a day since the unlock",
        levels,
    );
    let requests_held: Counter = Counter::default();
    requests_held.inc_by(vault.requests_held());
    registry.register(
        "requests_held",
        "Requests since the unlock whose sender had sent, or been refused, too many",
        requests_held,
    );
}

fn register_statements(registry: &mut Registry, vault: &Vault) {
    let statements = Family::<Store, Counter>::default();
    for (store, count) in vault.statements() {
        statements.get_or_create(&Store { store }).inc_by(count);
    }
    registry.register(
        "store_statements",
        "Statements that each store has run since it was opened",
        statements,
    );
}

fn register_connections(registry: &mut Registry, connections: &Connections) {
    let stages = Family::<Stage, Gauge>::default();
    for (stage, count) in [("served", connections.served()), ("waiting", connections.waiting())] {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        stages.get_or_create(&Stage { stage }).set(count);
    }
    registry.register(
        "connections",
        "Connections that are served, and those that wait for one of them to close",
        stages,
    );
}

fn register_witnesses(registry: &mut Registry, vault: &Vault) {
    let staleness: Gauge = Gauge::default();
    staleness.set(vault.freshness().map_or(3, |freshness| freshness as i64));
    registry.register(
        "witness_staleness",
        "0 fresh, 1 stale, 2 no bulk export, 3 nothing is shown",
        staleness,
    );
    let contradictions: Gauge = Gauge::default();
    contradictions.set(i64::try_from(vault.contradictions()).unwrap_or(i64::MAX));
    registry.register(
        "witness_contradictions",
        "Witnesses that say that the log was cut or rewritten; if there is one, nothing is shown",
        contradictions,
    );
}

fn register_recovery(registry: &mut Registry, vault: &Vault) {
    let pending: Gauge = Gauge::default();
    pending.set(i64::from(vault.recovery_ready_at().is_some()));
    registry.register(
        "recovery_pending",
        "1 while the recovery of an administrator's account can be stopped; /readyz says more",
        pending,
    );
}

fn register_rewraps(registry: &mut Registry, vault: &Vault) {
    let rows = Family::<Rewrapped, Gauge>::default();
    for (role, seen, total) in vault.rewrap_progress() {
        for (rows_that, count) in [("seen", seen), ("total", total)] {
            let labels = Rewrapped {
                role: role.as_str(),
                rows: rows_that,
            };
            rows.get_or_create(&labels)
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    registry.register(
        "rewrap_rows",
        "Rows that this process has looked at in the newest rewrap of each key, and rows there were when it began",
        rows,
    );
}

/// Counts each request and writes one line of program log: name, route, status, time.
pub(super) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let named = request.extensions().get::<Named>().cloned();
    let start = Instant::now();
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        app.metrics.unauthenticated.one();
    }
    let status = response.status().as_u16();
    let took = start.elapsed();
    let request_id = named.as_ref().map(|named| named.id().as_str());
    let method = known(&method);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(method, route, status, micros, request_id, "request");
    let seconds = app.metrics.seconds.get_or_create(&Route { route: route.clone() });
    seconds.observe(took.as_secs_f64());
    drop(seconds);
    app.metrics.requests.get_or_create(&Labels { route, status }).inc();
    response
}

/// A method that RFC 9110 §9 or RFC 5789 names; any other is what came in.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, known};

    #[test]
    fn a_method_that_came_in_from_outside_is_not_told() {
        assert_eq!(known(&Method::from_bytes(b"13912345678").unwrap()), "other");
        assert_eq!(known(&Method::PATCH), "PATCH");
    }
}
