//! Calls to a caller without the number: `docs/relay.md`.

use axum::http::StatusCode;
use serde::Serialize;

use super::Answer;
use super::callers::{Shown, shown};
use super::problem::Problem;
use super::request::{Json, Once, Path, identifier, reference};
use crate::model::problems::Thing;
use crate::vault::calls::contact::{
    AskContact, AskContactOfTicket, ContactCode, ContactReported, ExchangeCode, ReportContact,
};

type Made = Result<(StatusCode, axum::Json<ContactCode>), Problem>;

/// A number for one call.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Exchanged {
    /// Id of the contact: report the call under it.
    contact: String,
    /// The number by its field's name, and the log entry of this read.
    #[serde(flatten)]
    shown: Shown,
}

/// Gives a code by which a relay puts one call through to a caller within 30 minutes. You do not see the number.
#[utoipa::path(post, path = "/v1/callers/{ref}/contact", tag = "callers", params(("ref" = String, Path)), request_body = AskContact,
    responses((status = 201, body = ContactCode), (status = 409), (status = 410)))]
pub(super) async fn ask(context: Once, Path(caller): Path<String>, body: Json<AskContact>) -> Made {
    let caller = reference(&caller, Thing::Reference)?;
    let code = context
        .vault()
        .ask_contact(context.session(), Some(caller), &body.value);
    Ok((StatusCode::CREATED, axum::Json(code.await?)))
}

/// As `/v1/callers/{ref}/contact`, for the caller of a ticket, also of a confidential one, whose caller has no reference in your department.
#[utoipa::path(post, path = "/v1/tickets/{ticket}/contact", tag = "tickets", params(("ticket" = String, Path)),
    request_body = AskContactOfTicket, responses((status = 201, body = ContactCode), (status = 409), (status = 410)))]
pub(super) async fn ask_of_ticket(context: Once, Path(ticket): Path<String>, body: Json<AskContactOfTicket>) -> Made {
    let ask = AskContact {
        ticket: reference(&ticket, Thing::Ticket)?,
        purpose: body.value.purpose,
    };
    let code = context.vault().ask_contact(context.session(), None, &ask);
    Ok((StatusCode::CREATED, axum::Json(code.await?)))
}

/// Gives a relay the number behind a contact code, once.
#[utoipa::path(post, path = "/v1/contacts/exchange", tag = "relay", request_body = ExchangeCode,
    responses((status = 200, body = Exchanged), (status = 404), (status = 410)))]
pub(super) async fn exchange(context: Once, body: Json<ExchangeCode>) -> Answer<Exchanged> {
    let (revealed, contact) = context.vault().exchange_contact(context.session(), &body.value).await?;
    let axum::Json(shown) = shown(context.vault(), (revealed, None))?;
    Ok(axum::Json(Exchanged {
        contact: contact.to_string(),
        shown,
    }))
}

/// Takes down what became of a call, from the relay that put it through.
#[utoipa::path(post, path = "/v1/contacts/{contact}/outcome", tag = "relay", params(("contact" = String, Path)),
    request_body = ReportContact, responses((status = 200, body = ContactReported), (status = 404), (status = 409)))]
pub(super) async fn report(
    context: Once,
    Path(id): Path<String>,
    body: Json<ReportContact>,
) -> Answer<ContactReported> {
    let id = identifier(&id, Thing::Contact)?;
    let reported = context.vault().report_contact(context.session(), id, &body.value);
    Ok(axum::Json(reported.await?))
}
