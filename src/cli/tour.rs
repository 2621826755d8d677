//! The tour: what the vault promises, walked over HTTP and checked step by step.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::credentials::{Credentials, DEPARTMENTS};
use super::{Done, Failure, say};

/// Walks it. An error is the first step that is not as promised.
pub(super) fn walk(credentials: &Credentials) -> Done {
    let tour = Tour {
        client: Client::new(&credentials.base_url, None)?,
        credentials,
    };
    let before = tour.log_size()?;
    say(format!("0  the log holds {before} entries"))?;
    let taken = tour.intake()?;
    let no = text(&taken, "/ticket/no");
    tour.dispatch(&no)?;
    let caller = tour.own_reference(&no, &text(&taken, "/caller/ref"))?;
    tour.masked(&no, &caller)?;
    tour.clear(&no, &caller)?;
    tour.verify(&no, &caller)?;
    tour.wrong_department(&no, &caller)?;
    tour.closed(&no, &caller)?;
    let after = tour.log_size()?;
    promise(
        after == before + ENTRIES,
        "the log has one entry for every request, no more and no less",
    )?;
    say(format!(
        "8  the log holds {after} entries: every step above, the refusals too"
    ))?;
    Ok(())
}

struct Tour<'c> {
    client: Client,
    credentials: &'c Credentials,
}

/// Requests between the first look at the log and the last: call, dispatch, ticket, four by the handler (masked, clear,
/// two comparisons), the other department's, the close, one after it, and the last look itself.
const ENTRIES: u64 = 11;
const NUMBER: &str = "17382288236";

fn promise(kept: bool, what: &str) -> Done {
    if kept {
        Ok(())
    } else {
        Err(Failure::check_failed(format!(
            "the tour was promised otherwise: {what}"
        )))
    }
}

fn text(value: &Value, at: &str) -> String {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Tour<'_> {
    fn token(&self, name: &str) -> Result<&str, Failure> {
        self.credentials.token(name)
    }

    fn post(&self, who: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.client.post(self.token(who)?, path, body)
    }

    fn reveal(&self, who: &str, caller: &str, no: &str, form: &str) -> Result<Answer, Failure> {
        let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": form});
        self.post(who, &format!("/v1/callers/{caller}/reveal"), &body)
    }

    /// The second line of a checkpoint is the log's size.
    fn log_size(&self) -> Result<u64, Failure> {
        let checkpoint = self.client.get(self.token("auditor")?, "/v1/audit/checkpoint")?;
        let size = checkpoint.text.lines().nth(1).and_then(|line| line.parse().ok());
        size.ok_or_else(|| Failure::check_failed("the auditor got no checkpoint"))
    }

    fn intake(&self) -> Result<Value, Failure> {
        let body = json!({
            "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
            "caller": {"name": "周凤兰", "caller_number": NUMBER, "callback_number": NUMBER},
            "ticket": {"kind": "complaint", "category": "noise", "township": "110108", "text": "楼下餐吧夜里仍在扰民。"},
        });
        let answer = self.post("agent", "/v1/intake", &body)?;
        let taken = answer.json();
        promise(answer.status == 201, "a call is taken")?;
        promise(text(&taken, "/caller/matched") == "certain", "a repeat caller is known")?;
        let on_file = taken.pointer("/caller/on_file").cloned().unwrap_or_default();
        let held = on_file
            .as_array()
            .is_some_and(|names| names.contains(&json!("home_address")));
        promise(held, "what is on file is named")?;
        say(format!(
            "1  taken: ticket {}, caller known, on file: {on_file}",
            text(&taken, "/ticket/no")
        ))?;
        Ok(taken)
    }

    fn dispatch(&self, no: &str) -> Done {
        let [(code, _), ..] = DEPARTMENTS;
        let body = json!({"department": code, "reason": "噪声扰民，请核查"});
        let answer = self.post("dispatcher", &format!("/v1/tickets/{no}/dispatch"), &body)?;
        promise(
            answer.status == 200 && text(&answer.json(), "/holder") == code,
            "a ticket is dispatched",
        )?;
        say(format!("2  dispatched to {code}"))?;
        Ok(())
    }

    fn own_reference(&self, no: &str, centres: &str) -> Result<String, Failure> {
        let ticket = self
            .client
            .get(self.token("handler-c1")?, &format!("/v1/tickets/{no}"))?
            .json();
        let own = text(&ticket, "/caller/ref");
        promise(
            own.len() == 19 && own != centres,
            "each department has its own reference",
        )?;
        say(format!(
            "3  the centre calls the caller {centres}, the department {own}"
        ))?;
        Ok(own)
    }

    fn masked(&self, no: &str, caller: &str) -> Done {
        let shown = self.reveal("handler-c1", caller, no, "masked")?.json();
        promise(
            text(&shown, "/fields/callback_number") == "173****8236",
            "masked is masked",
        )?;
        say("4  masked: 173****8236")?;
        Ok(())
    }

    fn clear(&self, no: &str, caller: &str) -> Done {
        let shown = self.reveal("handler-c1", caller, no, "clear")?.json();
        let right = text(&shown, "/fields/callback_number") == format!("+86{NUMBER}");
        promise(right, "clear is clear")?;
        let index = shown.pointer("/audit/index").cloned().unwrap_or_default();
        say(format!("5  clear, after it stood in the log as entry {index}"))?;
        Ok(())
    }

    fn verify(&self, no: &str, caller: &str) -> Done {
        let compare = |value: &str| {
            let body = json!({"ticket": no, "purpose": "handle", "field": "callback_number", "value": value});
            let answer = self
                .post("handler-c1", &format!("/v1/callers/{caller}/verify"), &body)?
                .json();
            Ok::<_, Failure>(answer.get("match") == Some(&json!(true)))
        };
        promise(
            compare(NUMBER)? && !compare("13800000000")?,
            "verify tells equal from different",
        )?;
        say("6  verified without opening: right number yes, another no")?;
        Ok(())
    }

    fn wrong_department(&self, no: &str, caller: &str) -> Done {
        let refused = self.reveal("handler-w2", caller, no, "clear")?;
        let logged = refused.json().pointer("/audit/index").is_some();
        promise(
            refused.status == 403 && logged,
            "another department is refused, and that is logged",
        )?;
        say("7  another department with the same reference and ticket: refused, and in the log")?;
        Ok(())
    }

    fn closed(&self, no: &str, caller: &str) -> Done {
        let close = self.post(
            "handler-c1",
            &format!("/v1/tickets/{no}/close"),
            &json!({"reason": "已整改"}),
        )?;
        promise(close.status == 200, "a ticket is closed")?;
        let refused = self.reveal("handler-c1", caller, no, "clear")?;
        promise(refused.status == 403, "a closed ticket opens nothing")?;
        say("   closed; the same ask again: refused")?;
        Ok(())
    }
}
