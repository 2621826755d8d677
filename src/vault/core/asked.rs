//! What an asker hears who needs a second person.

use serde::Serialize;

use super::Audit;
use crate::model::problems::Words;

/// The request waits for another person.
#[derive(Debug)]
pub struct Asked {
    /// To be approved by somebody else, and then named with the same request.
    pub approval: Pending,
    /// What to do now.
    pub detail: Words,
    /// Where asking stands in the log.
    pub audit: Audit,
}

/// A request for approval just made.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Pending {
    /// Send it as `Approval` with the same request once it is approved.
    pub id: String,
    /// From when on it is worth nothing.
    pub expires_at: String,
}
