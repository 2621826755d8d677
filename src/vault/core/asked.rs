//! The answer to an asker who needs a second person's approval.

use serde::Serialize;

use super::Audit;
use crate::model::problems::Words;

/// The request waits for another person's approval.
#[derive(Debug)]
pub struct Asked {
    /// The request for approval. After the approval, the asker sends the same request again with its id.
    pub approval: Pending,
    /// What to do now.
    pub detail: Words,
    /// The log entry of the request for approval.
    pub audit: Audit,
}

/// A new request for approval.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Pending {
    /// After the approval, send the same request with this id in the header `Approval`.
    pub id: String,
    /// When it expires.
    pub expires_at: String,
}
