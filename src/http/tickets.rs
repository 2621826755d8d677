//! `/v1/tickets`.

use axum::response::Response;
use serde::Deserialize;

use super::Answer;
use super::callers::{Shown, shown};
use super::problem::Problem;
use super::request::{Context, Json, MaybeJson, Path, Query, USUAL_PAGE, identifier, limit, reference, tagged};
use crate::model::deadlines::Card;
use crate::model::problems::{self, Thing, Words};
use crate::model::purposes::Purpose;
use crate::model::tickets::{TicketOrder, TicketState, Urgency};
use crate::model::transitions::Transition;
use crate::vault::Error;
use crate::vault::calls::callers::PurposeQuery;
use crate::vault::calls::reveal::RevealTicket;
use crate::vault::tickets::{After, Moved, TicketCounts, TicketList, TicketPage, TicketStep, Wanted};

/// A page of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketsQuery {
    /// The purpose; by default the usual one for your role.
    purpose: Option<Purpose>,
    /// The order. In the queue's, tickets that are over are listed only with their `state`; a ticket that moves on between two pages may
    /// come twice or not at all.
    order: Option<TicketOrder>,
    /// Only tickets in this state.
    state: Option<TicketState>,
    /// Only tickets of this category.
    category: Option<String>,
    /// Only tickets of this place.
    township: Option<String>,
    /// Only tickets of this urgency.
    urgency: Option<Urgency>,
    /// Only tickets whose `due` is before this day.
    #[param(value_type = Option<String>, format = Date)]
    due_before: Option<String>,
    /// Only tickets with this card.
    card: Option<Card>,
    /// Only tickets that are under supervision, or only those that are not.
    supervised: Option<bool>,
    /// `next` of the previous page, with the same order and filters.
    after: Option<String>,
    /// Items per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl TicketsQuery {
    fn wanted(&self) -> Result<Wanted, Problem> {
        const DAY: Words = Words {
            en: "expected a day such as 2026-12-31",
            zh: "应为日期，如 2026-12-31",
        };
        let day = self.due_before.as_deref().map(str::parse).transpose();
        let day = day.map_err(|_| {
            let bad = Problem::from(problems::BAD_QUERY);
            bad.with("at", "due_before").ruled(DAY.into())
        })?;
        Ok(Wanted {
            order: self.order,
            state: self.state,
            category: self.category.clone(),
            township: self.township.clone(),
            urgency: self.urgency,
            due_before: day,
            card: self.card,
            supervised: self.supervised,
        })
    }
}

/// Lists your department's tickets: those that are not over, the most urgent first, then by deadline, then by age.
#[utoipa::path(get, path = "/v1/tickets", tag = "tickets", params(TicketsQuery),
    responses((status = 200, body = TicketList)))]
pub(super) async fn list(context: Context, Query(list): Query<TicketsQuery>) -> Answer<TicketList> {
    let after = list.after.as_deref();
    let after: Option<After> = after.map(|after| identifier(after, Thing::Ticket)).transpose()?;
    let wanted = list.wanted()?;
    let purpose = context.purpose(list.purpose);
    let limit = limit(list.limit, USUAL_PAGE)?;
    let page = context
        .vault()
        .list_tickets(context.session(), purpose, &wanted, after, limit);
    Ok(axum::Json(page.await?))
}

/// Counts your department's tickets by state.
#[utoipa::path(get, path = "/v1/tickets/counts", tag = "tickets", params(PurposeQuery),
    responses((status = 200, body = TicketCounts)))]
pub(super) async fn counts(context: Context, Query(query): Query<PurposeQuery>) -> Answer<TicketCounts> {
    let purpose = context.purpose(query.purpose);
    Ok(axum::Json(
        context.vault().count_tickets(context.session(), purpose).await?,
    ))
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
