//! The tour: what the vault promises, walked over HTTP and checked step by step.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::credentials::{Credentials, DEPARTMENTS};
use super::{Done, Failure, say};

mod keys;

/// Walks it. An error is the first step that is not as promised.
pub(super) fn walk(credentials: &Credentials) -> Done {
    let tour = Tour {
        client: Client::new(&credentials.base_url, None)?,
        credentials,
    };
    let before = tour.log_size()?;
    say(format!("0  the log has {before} entries"))?;
    let taken = tour.intake()?;
    let no = text(&taken, "/ticket/no");
    tour.dispatch(&no)?;
    let caller = tour.own_reference(&no, &text(&taken, "/caller/ref"))?;
    tour.masked(&no, &caller)?;
    tour.clear(&no, &caller)?;
    tour.verify(&no, &caller)?;
    tour.wrong_department(&no, &caller)?;
    tour.reported(&no, &caller)?;
    let after = tour.log_size()?;
    promise(
        after == before + ENTRIES,
        "the log has exactly one entry for every request",
    )?;
    say(format!(
        "8  the log has {after} entries: one for every request above, also for the refusals"
    ))?;
    keys::walk(&tour)
}

struct Tour<'c> {
    client: Client,
    credentials: &'c Credentials,
}

/// Requests between the first look at the log and the last: call, dispatch, signature, ticket, four by the handler (masked, clear,
/// two comparisons), the other department's, the report, one after it, and the last look itself.
const ENTRIES: u64 = 12;
const NUMBER: &str = "17382288236";

fn promise(kept: bool, what: &str) -> Done {
    if kept {
        Ok(())
    } else {
        Err(Failure::check_failed(format!("the tour failed: not true that {what}")))
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
        promise(held, "the fields on file are named")?;
        say(format!(
            "1  call taken: ticket {}; the caller is known; on file: {on_file}",
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
        let signed = self.post("handler-c1", &format!("/v1/tickets/{no}/sign"), &json!({}))?;
        promise(signed.status == 200, "the department signs for it")?;
        say(format!("2  dispatched to {code}, which signs for it"))?;
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
            "3  the caller's reference is {centres} in the centre, {own} in the department"
        ))?;
        Ok(own)
    }

    fn masked(&self, no: &str, caller: &str) -> Done {
        let shown = self.reveal("handler-c1", caller, no, "masked")?.json();
        promise(
            text(&shown, "/fields/callback_number") == "173****8236",
            "the masked form hides the middle of the number",
        )?;
        say("4  masked: 173****8236")?;
        Ok(())
    }

    fn clear(&self, no: &str, caller: &str) -> Done {
        let shown = self.reveal("handler-c1", caller, no, "clear")?.json();
        let right = text(&shown, "/fields/callback_number") == format!("+86{NUMBER}");
        promise(right, "the clear form shows the whole number")?;
        let index = shown.pointer("/audit/index").cloned().unwrap_or_default();
        say(format!("5  clear, shown after the read was logged as entry {index}"))?;
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
            "only the right number matches",
        )?;
        say("6  compared without decrypting: the right number matches, another does not")?;
        Ok(())
    }

    fn wrong_department(&self, no: &str, caller: &str) -> Done {
        let refused = self.reveal("handler-w2", caller, no, "clear")?;
        let logged = refused.json().pointer("/audit/index").is_some();
        promise(
            refused.status == 403 && logged,
            "another department is refused and the refusal is logged",
        )?;
        say("7  another department with the same reference and ticket: refused and logged")?;
        Ok(())
    }

    fn reported(&self, no: &str, caller: &str) -> Done {
        let body = json!({"reason": "商家配合", "reply": "已责令商家夜间关闭音响"});
        let report = self.post("handler-c1", &format!("/v1/tickets/{no}/feedback"), &body)?;
        promise(report.status == 200, "the department reports what it did")?;
        let refused = self.reveal("handler-c1", caller, no, "clear")?;
        promise(refused.status == 403, "after its report a department sees nothing")?;
        say("   the department reports what it did; the same request again: refused")?;
        Ok(())
    }
}
