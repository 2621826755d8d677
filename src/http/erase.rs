//! `/v1/callers/{ref}/erase` and `/v1/erasures`.

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::problem::AskedBody;
use super::request::{Context, Once, Path, identifier, reference};
use crate::model::problems::Thing;
use crate::vault::calls::erase::Erasure;

/// Erases a caller: destroys the keys of the caller's records and of their tickets, and removes everything that leads to the caller.
/// It cannot be undone. Needs a second person's approval and a reason from both. Refused while a legal hold is in force or a ticket is
/// open. The answer holds a signed receipt.
#[utoipa::path(post, path = "/v1/callers/{ref}/erase", tag = "callers",
    params(("ref" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Erasure), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn erase(context: Once, Path(caller): Path<String>) -> Answer<Erasure> {
    let caller = reference(&caller, Thing::Reference)?;
    let exact = context.exact(&[])?;
    Ok(axum::Json(
        context.vault().erase_caller(context.session(), caller, &exact).await?,
    ))
}

/// Reads that a caller was erased, with the receipt, by what the log calls the caller.
#[utoipa::path(get, path = "/v1/erasures/{subject}", tag = "callers", params(("subject" = String, Path)),
    responses((status = 200, body = Erasure), (status = 404)))]
pub(super) async fn receipt(context: Context, Path(subject): Path<String>) -> Answer<Erasure> {
    let subject = identifier(&subject, Thing::Subject)?;
    Ok(axum::Json(
        context.vault().read_erasure(context.session(), subject).await?,
    ))
}
