//! `/v1/keys`: versions of the vault's keys, and locking. Answers here are not kept for a repeated request: an `Idempotency-Key` is
//! refused.

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::problem::AskedBody;
use super::request::{Context, Json, Once};
use crate::vault::Audit;
use crate::vault::keys::rotate::{KeyVersions, Rotate, Rotated};

/// Lists the versions of the vault's keys. No key is shown.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", responses((status = 200, body = KeyVersions)))]
pub(super) async fn list(context: Context) -> Answer<KeyVersions> {
    Ok(axum::Json(context.vault().list_keys(context.session()).await?))
}

/// Gives a key a new version, while everybody works. Everything new is made with it; older versions open what they made. Needs a second
/// person's approval.
#[utoipa::path(post, path = "/v1/keys/rotate", tag = "keys", request_body = Rotate,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Rotated), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn rotate(context: Once, body: Json<Rotate>) -> Answer<Rotated> {
    let exact = context.exact(&body.bytes)?;
    let rotated = context.vault().rotate_key(context.session(), &body.value, &exact);
    Ok(axum::Json(rotated.await?))
}

/// Locks the vault: wipes every key. To unlock it, start the vault again with the passphrase.
#[utoipa::path(post, path = "/v1/keys/lock", tag = "keys", responses((status = 200, body = Audit)))]
pub(super) async fn lock(context: Once) -> Answer<Audit> {
    Ok(axum::Json(context.vault().lock(context.session()).await?))
}
