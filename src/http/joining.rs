//! `/v1/callers/merge`, `/v1/callers/unmerge` and `/v1/callers/split`.

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::problem::AskedBody;
use super::request::{Json, Once};
use crate::vault::calls::joining::{ByTicket, Joined, MergeCallers, Split, SplitCaller, Unmerged};

/// Makes one of two records of the same caller. References to both stand for the kept record from then on. Needs a second person's
/// approval and a reason from both.
#[utoipa::path(post, path = "/v1/callers/merge", tag = "callers", request_body = MergeCallers,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Joined), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn merge(context: Once, body: Json<MergeCallers>) -> Answer<Joined> {
    let exact = context.exact(&body.bytes)?;
    let joined = context.vault().merge_callers(context.session(), &body.value, &exact);
    Ok(axum::Json(joined.await?))
}

/// Undoes the merge of the record for which a ticket was taken. Needs a second person's approval and a reason from both.
#[utoipa::path(post, path = "/v1/callers/unmerge", tag = "callers", request_body = ByTicket,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Unmerged), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn unmerge(context: Once, body: Json<ByTicket>) -> Answer<Unmerged> {
    let exact = context.exact(&body.bytes)?;
    let undone = context.vault().unmerge_caller(context.session(), &body.value, &exact);
    Ok(axum::Json(undone.await?))
}

/// Takes calls that were matched with the wrong caller out of the record, into a new one. Needs a second person's approval and a reason
/// from both.
#[utoipa::path(post, path = "/v1/callers/split", tag = "callers", request_body = SplitCaller,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Split), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn split(context: Once, body: Json<SplitCaller>) -> Answer<Split> {
    let exact = context.exact(&body.bytes)?;
    let split = context.vault().split_caller(context.session(), &body.value, &exact);
    Ok(axum::Json(split.await?))
}
