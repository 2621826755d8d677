//! Each role of the keyring gets a second version: nothing looks edited, and everything works as before.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use serde_json::json;

use crate::keys::secrets::{joined, origin, root};
use crate::support::{Answer, World, caller, intake};

/// Gives a role a second version, which is active from then on.
fn rotate(world: &World, role: &str) {
    let keys = world.keys();
    let origin = origin(&keys);
    let aad = joined(&[b"callervault/keyring/1", origin.as_bytes(), role.as_bytes(), &[2]]);
    let nonce = [9; 12];
    let cipher = Aes256Gcm::new_from_slice(&root(&keys, &origin).1).unwrap();
    let payload = Payload {
        msg: &[42; 32],
        aad: &aad,
    };
    let body = cipher.encrypt(&Nonce::from(nonce), payload).unwrap();
    let wrapped = [&[1, 2][..], &nonce, &body].concat();
    let first = keys.rows("keyring").of("role", role);
    let second = first.kept().with("version", 2).with("wrapped", &*wrapped);
    first.set("active", 0);
    keys.insert(&second);
}

/// What was there before a key was replaced.
struct Before {
    no: String,
    reference: String,
    taken: Answer,
    asked: String,
    subject: String,
}

const KEY: [(&str, &str); 1] = [("idempotency-key", "before")];

async fn before(world: &World) -> Before {
    let app = world.open().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let body = intake(caller("李四光", "13700002222")).to_string();
    let taken = world.call(&app, "agent", "POST", "/v1/intake", &KEY, &body).await;
    let found = world.get(&app, "auditor", "/v1/audit/events?act=ticket.dispatch").await;
    let subject = found.at("/entries/0/leaf/subject");
    let asked = world
        .post(&app, "dpo", "/v1/audit/resolve", &json!({"subject": subject}))
        .await;
    Before {
        no,
        reference,
        taken,
        asked: asked.at("/approval/id"),
        subject,
    }
}

/// Everything that rests on a key still does its work.
async fn works(world: &World, before: &Before, role: &str) {
    let app = world.open().await;
    let no = &before.no;
    let shown = world.reveal(&app, "handler-c1", &before.reference, no, "clear").await;
    assert_eq!(
        shown.at("/fields/callback_number"),
        "+8613900001111",
        "{role}: {}",
        shown.text
    );
    let verify = json!({"ticket": no, "purpose": "handle", "field": "callback_number", "value": "13900001111"});
    let path = format!("/v1/callers/{}/verify", before.reference);
    let verified = world.post(&app, "handler-c1", &path, &verify).await;
    assert_eq!(verified.json()["match"], true, "{role}: {}", verified.text);
    let lookup = json!({"field": "caller_number", "value": "13900001111", "purpose": "intake"});
    let found = world.post(&app, "agent", "/v1/callers/lookup", &lookup).await;
    assert_eq!(
        found.json()["callers"].as_array().map(Vec::len),
        Some(1),
        "{role}: {}",
        found.text
    );

    let body = intake(caller("李四光", "13700002222")).to_string();
    let again = world.call(&app, "agent", "POST", "/v1/intake", &KEY, &body).await;
    assert_eq!(again.text, before.taken.text, "{role}: the answer that was remembered");
    let known = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", "13900001111")))
        .await;
    assert_eq!(known.at("/caller/matched"), "certain", "{role}: {}", known.text);
    let sent = json!({"department": "W2", "reason": "请核查"});
    let path = format!("/v1/tickets/{}/dispatch", known.at("/ticket/no"));
    assert_eq!(world.post(&app, "dispatcher", &path, &sent).await.status, 200, "{role}");
    let page = world.get(&app, "handler-c1", &format!("/v1/tickets/{no}")).await;
    assert_eq!(page.status, 200, "{role}: {}", page.text);

    let path = format!("/v1/approvals/{}/approve", before.asked);
    let approved = world.call(&app, "auditor", "POST", &path, &[], "").await;
    assert_eq!(approved.status, 200, "{role}: {}", approved.text);
    let body = json!({"subject": before.subject}).to_string();
    let header = [("approval", before.asked.as_str())];
    let resolved = world
        .call(&app, "dpo", "POST", "/v1/audit/resolve", &header, &body)
        .await;
    assert_eq!(resolved.status, 200, "{role}: {}", resolved.text);
    let found = world
        .get(&app, "auditor", &format!("/v1/audit/events?subject={}", before.subject))
        .await;
    let acts = found.json()["entries"].as_array().map_or(0, Vec::len);
    assert!(acts >= 4, "{role}: one subject before and after: {}", found.text);
}

#[tokio::test]
async fn a_second_version_of_each_key() {
    for role in ["kek", "index", "row", "reference", "log"] {
        let (world, app) = World::new().await;
        drop(app);
        let there = before(&world).await;
        rotate(&world, role);
        assert_eq!(world.fsck().await, [], "{role}: nothing looks edited");
        works(&world, &there, role).await;
        assert_eq!(world.fsck().await, [], "{role}: afterwards");
    }
}
