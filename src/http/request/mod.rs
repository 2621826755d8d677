//! What handlers take from a request. Nothing that came in is ever quoted in an error.

mod account;
mod client;
mod context;
mod headers;
mod json;
mod named;
mod path;
mod query;
mod stranger;
mod unlocking;

pub use self::client::{ForwardedIn, Proxies};
pub(super) use self::context::{Context, Once};
pub(super) use self::headers::{bad_reason, is_known, tagged};
pub(super) use self::json::{Json, MaybeJson};
pub(super) use self::named::{Named, REQUEST_ID};
pub(super) use self::path::{Path, identifier, reference};
pub(super) use self::query::{ListQuery, Query, USUAL_PAGE, limit};
pub(super) use self::stranger::{ShortJson, Unknown};
pub(super) use self::unlocking::{Unlock, Unlocking};
