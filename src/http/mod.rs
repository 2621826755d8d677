//! The HTTP API, v1. Handlers translate between HTTP and one use case of the vault; they decide nothing.

mod admin;
mod approvals;
mod audit;
mod backups;
mod callers;
mod contacts;
mod departments;
mod erase;
mod health;
mod holds;
mod joining;
mod keys;
mod limits;
mod listener;
mod lists;
mod me;
mod metrics;
mod openapi;
mod page;
mod problem;
mod reference;
mod references;
mod request;
mod retention;
mod rights;
mod search;
mod server;
mod tickets;
mod tokens;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

pub use self::limits::ConnectionLimits;
use self::listener::Connections;
pub use self::listener::{Listener, Tls};
pub use self::metrics::Metrics;
use self::problem::Problem;
pub use self::request::{ForwardedIn, Proxies};
use self::server::Stopping;
pub use self::server::{Listen, ServeError, serve, serve_on, serve_routes};
use crate::vault::life::door::{Door, OpenVault};
use crate::vault::{Error, Vault};

/// What most handlers answer.
type Answer<T> = Result<axum::Json<T>, Problem>;

/// Longest request body, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// What handlers share.
pub struct App {
    door: Arc<Door>,
    metrics: Metrics,
    limits: ConnectionLimits,
    /// The proxies that are believed where they name a client. Set at the start.
    proxies: Proxies,
    connections: Arc<Connections>,
    stopping: Stopping,
}

impl App {
    /// An application on an open vault, with the usual limits.
    #[must_use]
    pub fn new(vault: Vault) -> Arc<Self> {
        Self::with_limits(vault, ConnectionLimits::default(), Proxies::default())
    }

    /// An application with limits of its own, behind proxies or none.
    #[must_use]
    pub fn with_limits(vault: Vault, limits: ConnectionLimits, proxies: Proxies) -> Arc<Self> {
        Self::behind(Door::of(vault), limits, proxies)
    }

    /// An application on a vault that is open or locked.
    #[must_use]
    pub fn behind(door: Arc<Door>, limits: ConnectionLimits, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self {
            door,
            metrics: Metrics::new(),
            limits,
            proxies,
            connections: Connections::new(limits.connections),
            stopping: Stopping::default(),
        })
    }

    /// The vault behind it.
    ///
    /// # Errors
    /// When it is locked.
    pub fn vault(&self) -> Result<Arc<OpenVault>, Error> {
        self.door.vault()
    }

    /// The door to it.
    #[must_use]
    pub const fn door(&self) -> &Arc<Door> {
        &self.door
    }
}

fn described() -> OpenApiRouter<Arc<App>> {
    let described = OpenApiRouter::with_openapi(openapi::document());
    let described = of_the_stores(of_callers_rights(of_the_log(described)))
        .routes(routes!(me::me))
        .routes(routes!(callers::intake))
        .routes(routes!(callers::lookup))
        .routes(routes!(callers::read, callers::correct))
        .routes(routes!(callers::reveal))
        .routes(routes!(callers::compare))
        .routes(routes!(joining::merge))
        .routes(routes!(joining::unmerge))
        .routes(routes!(joining::split))
        .routes(routes!(erase::erase))
        .routes(routes!(erase::receipt))
        .routes(routes!(holds::set))
        .routes(routes!(holds::list))
        .routes(routes!(holds::lift))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::counts))
        .routes(routes!(tickets::read))
        .routes(routes!(tickets::step))
        .routes(routes!(tickets::reveal))
        .routes(routes!(contacts::ask))
        .routes(routes!(contacts::ask_of_ticket))
        .routes(routes!(contacts::exchange))
        .routes(routes!(contacts::report))
        .routes(routes!(references::translate))
        .routes(routes!(references::accept))
        .routes(routes!(reference::reference))
        .routes(routes!(lists::lists))
        .routes(routes!(lists::reload))
        .routes(routes!(departments::find))
        .routes(routes!(departments::make, departments::list))
        .routes(routes!(departments::set))
        .routes(routes!(departments::close))
        .routes(routes!(departments::rotate_references))
        .routes(routes!(admin::make_principal, admin::list_principals))
        .routes(routes!(admin::find_principals))
        .routes(routes!(admin::set_principal))
        .routes(routes!(admin::switch_off))
        .routes(routes!(admin::move_principal))
        .routes(routes!(admin::issue_token, admin::list_tokens))
        .routes(routes!(admin::issue_code, admin::end_code))
        .routes(routes!(admin::revoke_token))
        .routes(routes!(tokens::claim))
        .routes(routes!(admin::stop_recovery))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::mine))
        .routes(routes!(approvals::read))
        .routes(routes!(approvals::approve))
        .routes(routes!(approvals::refuse))
        .routes(routes!(approvals::resolve))
        .routes(routes!(approvals::shown))
        .routes(routes!(approvals::retain))
        .routes(routes!(health::live))
        .routes(routes!(health::ready));
    let mut described = with_slashes(described, routes!(audit::tile), "/v1/audit/tile/{*path}");
    openapi::complete(described.get_openapi_mut());
    described
}

/// What system administrators ask.
fn of_the_stores(described: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    described
        .routes(routes!(keys::list))
        .routes(routes!(keys::rewraps))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::rewrap))
        .routes(routes!(keys::destroy))
        .routes(routes!(keys::lock))
        .routes(routes!(keys::unlock))
        .routes(routes!(backups::back_up))
        .routes(routes!(backups::read, backups::forget))
        .routes(routes!(backups::piece))
        .routes(routes!(backups::check, backups::last_check))
}

/// What officers do for callers about their data.
fn of_callers_rights(described: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    described
        .routes(routes!(rights::statement))
        .routes(routes!(rights::restrict))
        .routes(routes!(rights::unrestrict))
        .routes(routes!(rights::refuse))
        .routes(routes!(retention::preview))
        .routes(routes!(retention::enforce))
}

/// What auditors ask.
fn of_the_log(described: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    described
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::cosigned))
        .routes(routes!(audit::keys))
        .routes(routes!(audit::entry))
        .routes(routes!(audit::proof))
        .routes(routes!(audit::consistency))
        .routes(routes!(audit::follow))
        .routes(routes!(search::search))
        .routes(routes!(search::exposure))
        .routes(routes!(search::trace))
        .routes(routes!(search::roles))
        .routes(routes!(search::report))
}

/// A route whose last part may hold slashes: OpenAPI writes `{path}` where axum wants `{*path}`.
fn with_slashes(
    mut described: OpenApiRouter<Arc<App>>,
    (_, paths, handler): UtoipaMethodRouter<Arc<App>>,
    route: &str,
) -> OpenApiRouter<Arc<App>> {
    described.get_openapi_mut().paths.paths.extend(paths.paths);
    described.route(route, handler)
}

/// The OpenAPI 3.1 document of all routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().split_for_parts().1
}

/// `/metrics` and nothing else. It shows how many calls come in and that somebody is looked into, so that it has a listener
/// of its own.
pub fn metrics_router(app: Arc<App>) -> Router {
    let no_store = HeaderValue::from_static("no-store");
    Router::new()
        .route("/metrics", get(health::metrics))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(from_fn_with_state(Arc::clone(&app), problem::told))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, no_store))
        .with_state(app)
}

/// All routes but `/metrics`, and the page of the documentation. Made once: the document is large.
static ROUTES: LazyLock<Router<Arc<App>>> = LazyLock::new(|| {
    let (routes, document) = described().split_for_parts();
    routes.merge(SwaggerUi::new("/docs").url("/openapi.json", document))
});

/// All routes but `/metrics`, with limits, security headers and metrics. From the inside out: what panics or takes too long becomes a
/// problem; it is counted; then the request's name and the problem's words are put on the answer.
pub fn router(app: Arc<App>) -> Router {
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    ROUTES
        .clone()
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(Arc::clone(&app), problem::in_time))
        .layer(from_fn_with_state(Arc::clone(&app), metrics::observe))
        .layer(from_fn_with_state(Arc::clone(&app), problem::told))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .layer(header(header::CACHE_CONTROL, "no-store"))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
        .with_state(app)
}
