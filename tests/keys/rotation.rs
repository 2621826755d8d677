//! Each role of the keyring gets a second version: nothing looks edited, and everything works as before.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::keys::secrets::{joined, origin, root};
use crate::support::approvals::resolve;
use crate::support::{Answer, Case, NAME, NUMBER, Request, World, caller, intake};

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
    case: Case,
    taken: Answer,
    asked: String,
    subject: String,
}

/// A call by somebody else.
fn call() -> Request {
    let call = intake(caller("李四光", "13700002222"));
    Request::post("/v1/intake", &call).once("before")
}

async fn before(world: &World) -> Before {
    let app = world.open().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let taken = agent.send(call()).await;
    let found = auditor.get("/v1/audit/events?act=ticket.dispatch").await;
    let subject = found.at("/entries/0/leaf/subject");
    Before {
        case,
        taken,
        asked: dpo.ask(&resolve(&subject)).await,
        subject,
    }
}

/// Everything that rests on a key still does its work.
async fn works(world: &World, before: &Before) {
    let app = world.open().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let case = &before.case;
    let shown = handler.reveal(case).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
    let verified = handler.verify(case, "callback_number", NUMBER).await.is(200);
    assert_eq!(verified.json()["match"], true);
    let found = agent.lookup(NUMBER).await.is(200).json();
    assert_eq!(found["callers"].as_array().map(Vec::len), Some(1), "{found}");

    let again = agent.send(call()).await;
    assert_eq!(again.text, before.taken.text, "the answer that was remembered");
    let known = agent.intake(caller(NAME, NUMBER)).await.is(201);
    assert_eq!(known.at("/caller/matched"), "certain");
    dispatcher.dispatch(&known.case().no, "W2").await.is(200);
    handler.get(case.ticket()).await.is(200);

    let [auditor, dpo] = world.actors(&app, ["auditor", "dpo"]);
    auditor.approve(&before.asked).await.is(200);
    let resolve = resolve(&before.subject).approved(&before.asked);
    dpo.send(resolve).await.is(200);
    let search = format!("/v1/audit/events?subject={}", before.subject);
    let found = auditor.get(search).await.json();
    let acts = found["entries"].as_array().map_or(0, Vec::len);
    assert!(acts >= 4, "one subject before and after: {found}");
}

#[tokio::test]
async fn a_second_version_of_each_key() {
    for role in ["kek", "index", "row", "reference", "log"] {
        let world = World::closed().await;
        let there = before(&world).await;
        rotate(&world, role);
        assert_eq!(world.fsck().await, [], "{role}: nothing looks edited");
        works(&world, &there).await;
        assert_eq!(world.fsck().await, [], "{role}: afterwards");
    }
}
