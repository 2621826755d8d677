//! `/v1/tickets`.

use axum::response::Response;
use serde::Deserialize;

use super::Answer;
use super::callers::{Shown, shown};
use super::problem::Problem;
use super::request::{Context, Json, MaybeJson, Path, Query, USUAL_PAGE, identifier, limit, reference, tagged};
use crate::model::problems::Thing;
use crate::model::purposes::Purpose;
use crate::model::transitions::Transition;
use crate::vault::Error;
use crate::vault::calls::callers::PurposeQuery;
use crate::vault::calls::reveal::RevealTicket;
use crate::vault::tickets::{Moved, TicketList, TicketPage, TicketStep};

/// A page of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketsQuery {
    /// The purpose; by default the usual one for your role.
    purpose: Option<Purpose>,
    /// `next` of the previous page.
    after: Option<String>,
    /// Items per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Lists your department's tickets, newest first.
#[utoipa::path(get, path = "/v1/tickets", tag = "tickets", params(TicketsQuery),
    responses((status = 200, body = TicketList)))]
pub(super) async fn list(context: Context, Query(list): Query<TicketsQuery>) -> Answer<TicketList> {
    let after = list.after.as_deref();
    let after = after.map(|after| identifier(after, Thing::Ticket)).transpose()?;
    let purpose = context.purpose(list.purpose);
    let limit = limit(list.limit, USUAL_PAGE)?;
    let page = context.vault().list_tickets(context.session(), purpose, after, limit);
    Ok(axum::Json(page.await?))
}

/// Reads a ticket without its sealed fields.
#[utoipa::path(get, path = "/v1/tickets/{ticket}", tag = "tickets", params(("ticket" = String, Path, description = "its number, or your department's reference to it"), PurposeQuery),
    responses((status = 200, body = TicketPage)))]
pub(super) async fn read(
    context: Context,
    Path(ticket): Path<String>,
    Query(query): Query<PurposeQuery>,
) -> Result<Response, Problem> {
    let ticket = reference(&ticket, Thing::Ticket)?;
    let purpose = context.purpose(query.purpose);
    let page = context.vault().read_ticket(context.session(), ticket, purpose).await?;
    Ok(tagged(page.version, axum::Json(page)))
}

/// Moves a ticket one step on. docs/transitions.md lists the steps, the states that they start from and the acts that they need.
///
/// The body may be left out where the step takes nothing. An empty text counts as none.
#[utoipa::path(post, path = "/v1/tickets/{ticket}/{transition}", tag = "tickets",
    params(("ticket" = String, Path, description = "its number, or your department's reference to it"), ("transition" = Transition, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<TicketStep>,
    responses((status = 200, body = Moved), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn step(
    context: Context,
    Path((ticket, transition)): Path<(String, String)>,
    body: MaybeJson<TicketStep>,
) -> Result<Response, Problem> {
    let ticket = reference(&ticket, Thing::Ticket)?;
    let transition = Transition::from_word(&transition).ok_or(Error::NotFound(Thing::Step))?;
    let replay = context.replay(&body.bytes)?;
    let seen = context.if_match()?;
    let moved = context
        .vault()
        .step(
            context.session(),
            ticket,
            transition,
            &body.value,
            seen,
            replay.as_ref(),
        )
        .await?;
    Ok(tagged(moved.answer.version, axum::Json(moved)))
}

/// Shows fields of the ticket itself.
#[utoipa::path(post, path = "/v1/tickets/{ticket}/reveal", tag = "tickets", params(("ticket" = String, Path, description = "its number, or your department's reference to it")),
    request_body = RevealTicket, responses((status = 200, body = Shown)))]
pub(super) async fn reveal(context: Context, Path(ticket): Path<String>, body: Json<RevealTicket>) -> Answer<Shown> {
    let ticket = reference(&ticket, Thing::Ticket)?;
    let ask = context.vault().ask_ticket(context.session(), ticket, &body.value)?;
    shown(context.vault(), context.vault().reveal(ask).await?)
}
