//! What one principal may do and cost: how often a minute and a day. [`bars`] is what withdraws a permit, in one list;
//! [`spending`] counts what `limits.toml` and `--reveal-limit` limit, in the data store; [`rates`] hold back those who send
//! too much before anything is decided.

mod bars;
mod rates;
mod spending;

use crate::audit::watch::hours::Hours;
pub(in crate::vault) use crate::vault::core::limits::rates::{RateLimiter, STRANGERS, UnderWay};
pub use crate::vault::core::limits::rates::{Rates, Stranger};
pub(in crate::vault) use crate::vault::core::limits::spending::Spending;

/// What counts as too much of what is shown in clear, and when people work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watching {
    /// Working hours; the count of a day begins at local midnight.
    pub hours: Hours,
    /// Clear reveals a principal may have in a day. None: as many as the policy permits.
    pub limit: Option<u64>,
}
