//! `/v1/keys`: versions of the vault's keys, and locking. Answers here are not kept for a repeated request: an `Idempotency-Key` is
//! refused.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::task::JoinSet;

use super::approvals::{APPROVAL, REASON};
use super::problem::{AskedBody, Problem};
use super::request::{Context, Json, Once, Unlock, Unlocking};
use super::{Answer, App};
use crate::keyring::unlock::Progress as SharesIn;
use crate::vault::Audit;
use crate::vault::keys::destroy::{Destroy, Destroyed};
use crate::vault::keys::list::{KeyVersions, Progress};
use crate::vault::keys::rewrap::{Rewrap, Rewrapping};
use crate::vault::keys::rotate::{Rotate, Rotated};
use crate::vault::life::door::{OpenVault, Unlocked};

/// Lists the versions of the vault's keys, the suite of each, what is left under each, and how far rewraps have come. No key is shown.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", responses((status = 200, body = KeyVersions)))]
pub(super) async fn list(context: Context) -> Answer<KeyVersions> {
    Ok(axum::Json(context.vault().list_keys(context.session()).await?))
}

/// Lists how far rewraps have come, without counting what is left under each version. Ask this again and again, not `GET /v1/keys`.
#[utoipa::path(get, path = "/v1/keys/rewraps", tag = "keys", responses((status = 200, body = Progress)))]
pub(super) async fn rewraps(context: Context) -> Answer<Progress> {
    Ok(axum::Json(context.vault().list_rewraps(context.session()).await?))
}

/// Gives a key a new version, while everybody works. Everything new is made with it; older versions open what they made. The new version may be
/// of another suite of algorithms than the one before. Needs a second person's approval.
#[utoipa::path(post, path = "/v1/keys/rotate", tag = "keys", request_body = Rotate,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Rotated), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn rotate(context: Once, body: Json<Rotate>) -> Answer<Rotated> {
    let exact = context.exact(&body.bytes)?;
    let rotated = context.vault().rotate_key(context.session(), &body.value, &exact);
    Ok(axum::Json(rotated.await?))
}

/// Moves what older versions of keys made to the newest, in the background and while everybody works. Fields are opened for blind
/// indexes, and to be sealed anew after a change of suite; none is shown. One that is under way goes on at this rate.
#[utoipa::path(post, path = "/v1/keys/rewrap", tag = "keys", request_body = Rewrap,
    responses((status = 200, body = Rewrapping)))]
pub(super) async fn rewrap(context: Once, body: Json<Rewrap>) -> Answer<Rewrapping> {
    let rewrapping = context.vault().start_rewrap(context.session(), &body.value);
    Ok(axum::Json(rewrapping.await?))
}

/// Destroys an older version of a key, if nothing is under it any more. No copy of what was made with it can be opened afterwards. Needs a
/// second person's approval.
#[utoipa::path(post, path = "/v1/keys/destroy", tag = "keys", request_body = Destroy,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Destroyed), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn destroy(context: Once, body: Json<Destroy>) -> Answer<Destroyed> {
    let exact = context.exact(&body.bytes)?;
    let destroyed = context.vault().destroy_key(context.session(), &body.value, &exact);
    Ok(axum::Json(destroyed.await?))
}

async fn keep_rewrapping(vault: Arc<OpenVault>) {
    vault.keep_rewrapping().await;
}

/// Goes on with rewraps on a task of its own, until this is dropped.
pub(super) fn rewrapping(app: &Arc<App>) -> JoinSet<()> {
    let (mut task, app) = (JoinSet::new(), Arc::clone(app));
    task.spawn(async move { app.door.while_open(keep_rewrapping).await });
    task
}

/// Locks the vault: wipes every key and closes the stores. Requests under way end without a value. `POST /v1/keys/unlock` unlocks it.
#[utoipa::path(post, path = "/v1/keys/lock", tag = "keys", responses((status = 200, body = Audit)))]
pub(super) async fn lock(context: Once) -> Answer<Audit> {
    Ok(axum::Json(context.app().door.lock(context.session()).await?))
}

/// Unlocks the vault, by the passphrase or by one share after the other. It takes no token: nobody can be known before. Both are taken
/// over TLS, or from the machine that the server runs on.
///
/// A share is answered 202 and how many are in, until there are enough. Whether one is right is not said; where enough of them do not
/// open the vault, all are wiped. So they are when no further one comes for a time. Each node gathers shares for itself.
///
/// One passphrase, or set of shares, is tried at a time. After a wrong one none is looked at for a time that doubles up to 30 s, each time
/// for the machine and for the network apart. Those who are told to come again take turns: an account of the machine, or an address of the
/// network, comes before another that asked later, however often that one asks. The next unlock writes into the log how many there were.
#[utoipa::path(post, path = "/v1/keys/unlock", tag = "keys", security(()), request_body = Unlock,
    responses((status = 200, body = Audit), (status = 202, body = SharesIn), (status = 409)))]
pub(super) async fn unlock(State(app): State<Arc<App>>, unlocking: Unlocking) -> Result<Response, Problem> {
    let Unlocking { brought, from, asker } = unlocking;
    Ok(match app.door.unlock(brought, from, asker).await? {
        Unlocked::Open(audit) => axum::Json(audit).into_response(),
        Unlocked::Waiting(progress) => (StatusCode::ACCEPTED, axum::Json(progress)).into_response(),
    })
}
