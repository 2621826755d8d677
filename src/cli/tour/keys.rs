//! The last steps of the tour: the life of keys. A key gets a new version, what older versions made moves to it, and a caller is erased.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Tour, promise, text};
use crate::cli::{Done, Failure, say};
use crate::note::{ErasureReceipt, Verifier};

/// What the others move to is made with this one.
const ROTATED: &str = "kek";
/// Nobody has called with it before.
const ERASED: &str = "17099990000";
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// At most ten minutes.
const LOOKS: u32 = 6_000;

pub(super) fn walk(tour: &Tour) -> Done {
    tour.rotated()?;
    tour.rewrapped()?;
    let (caller, no) = tour.another_call()?;
    let receipt = tour.erased(&caller, &no)?;
    tour.proved(&receipt)
}

impl Tour<'_> {
    /// What takes two persons: one asks, the auditor approves, and the first sends it again.
    fn by_two(&self, who: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let reason = [("approval-reason", "for%20the%20tour")];
        let token = self.token(who)?;
        let send = |headers: &[_]| self.client.call(token, "POST", path, headers, body);
        let asked = send(&reason)?;
        promise(asked.status == 202, "nobody does this alone")?;
        let id = text(&asked.json(), "/approval/id");
        let yes = json!({"reason": "for the tour"});
        let approved = self.post("auditor", &format!("/v1/approvals/{id}/approve"), &yes)?;
        promise(approved.status == 200, "a second person approves")?;
        let done = send(&[reason[0], ("approval", &*id)])?;
        promise(done.status == 200, "what two persons want is done")?;
        Ok(done.json())
    }

    fn rotated(&self) -> Done {
        let rotated = self.by_two("system-admin", "/v1/keys/rotate", Some(&json!({"role": ROTATED})))?;
        promise(
            rotated.pointer("/version") == Some(&json!(2)),
            "a key gets a new version",
        )?;
        say(format!(
            "9  {ROTATED} has version 2, made by two persons; nobody had to stop"
        ))?;
        Ok(())
    }

    fn rewrapped(&self) -> Done {
        self.post("system-admin", "/v1/keys/rewrap", &json!({"role": ROTATED}))?
            .good(&["/rewraps"])?;
        for _ in 0..LOOKS {
            let keys = self.client.get(self.token("system-admin")?, "/v1/keys")?.json();
            let first = |name: &str| {
                let lines = keys.get(name).and_then(Value::as_array)?;
                lines.iter().find(|line| line.get("role") == Some(&json!(ROTATED)))
            };
            let rewrap = first("rewraps").cloned().unwrap_or_default();
            if text(&rewrap, "/state") == "running" {
                sleep(BETWEEN_LOOKS);
                continue;
            }
            let moved = rewrap.get("moved").and_then(Value::as_u64).unwrap_or_default();
            promise(moved > 0, "record keys move to the new version")?;
            let left = first("keys").and_then(|version| version.get("left")).cloned();
            promise(left == Some(json!(0)), "nothing is left under the old version")?;
            say(format!(
                "   {moved} record keys moved to it; nothing is left under version 1"
            ))?;
            return Ok(());
        }
        promise(false, "a rewrap comes to its end")
    }

    /// A person who has never called before, and who takes the matter back.
    fn another_call(&self) -> Result<(String, String), Failure> {
        let body = json!({
            "call": {"channel": "phone", "received_at": "2026-11-01T10:00:00+08:00"},
            "caller": {"name": "纪无忧", "caller_number": ERASED, "callback_number": ERASED},
            "ticket": {"kind": "complaint", "category": "noise", "township": "110108", "text": "已自行协商解决。"},
        });
        let taken = self.post("agent", "/v1/intake", &body)?.json();
        let no = text(&taken, "/ticket/no");
        let why = json!({"reason": "诉求人撤诉"});
        let ended = self.post("agent", &format!("/v1/tickets/{no}/withdraw"), &why)?;
        promise(ended.status == 200, "a caller takes the matter back")?;
        Ok((text(&taken, "/caller/ref"), no))
    }

    /// The receipt.
    fn erased(&self, caller: &str, no: &str) -> Result<Value, Failure> {
        let erased = self.by_two("dpo", &format!("/v1/callers/{caller}/erase"), None)?;
        let read = self
            .client
            .get(self.token("dispatcher")?, &format!("/v1/tickets/{no}"))?;
        promise(
            read.status == 200 && read.json().pointer("/caller/ref").is_none_or(Value::is_null),
            "the ticket stays and is about nobody",
        )?;
        let gone = self.reveal("supervisor", caller, no, "clear")?;
        promise(gone.status != 200, "nobody reads an erased caller")?;
        say(format!(
            "10 caller erased by two persons: {} records, {} tickets; their ticket is about nobody",
            erased.get("records").cloned().unwrap_or_default(),
            erased.get("tickets").cloned().unwrap_or_default(),
        ))?;
        Ok(erased)
    }

    /// Checked as anybody would check it, without the vault.
    fn proved(&self, erased: &Value) -> Done {
        let keys = self.client.get(self.token("auditor")?, "/v1/audit/keys")?.text;
        let keys: Vec<Verifier> = keys.lines().filter_map(|key| key.parse().ok()).collect();
        let note = text(erased, "/receipt");
        let receipt = ErasureReceipt::open(&note, &keys).map_err(Failure::check_failed)?;
        promise(
            receipt.subject == text(erased, "/subject"),
            "the receipt says who was erased",
        )?;
        let forged = note.replacen("records ", "records 1", 1);
        promise(
            ErasureReceipt::open(&forged, &keys).is_err(),
            "a receipt that was changed does not verify",
        )?;
        say("11 its receipt, signed by the log's key:")?;
        for line in note.lines() {
            say(format!("      {line}"))?;
        }
        Ok(())
    }
}
