//! A caller's data are stored and nothing else; a request is refused with a reason.

use serde_json::json;

use crate::calls::rights::{entries, officers, restrict, statement, unrestrict};
use crate::support::approvals::{merge, resolve};
use crate::support::{Case, NAME, NUMBER, Request, World, caller, intake};

#[tokio::test]
async fn restricted_data_are_stored_and_nothing_else() {
    let (world, app) = World::new().await;
    let [agent, handler, dpo, auditor] = world.actors(&app, ["agent", "handler-c1", "dpo", "auditor"]);
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "C1", caller("李四光", "13900007777")).await;
    let (subject, reference) = officers(&world, &app, &case).await;
    let done = dpo.send(restrict(&reference)).await.is(200).json();
    assert_eq!((&done["restricted"], &done["subject"]), (&json!(true), &json!(subject)));
    dpo.send(restrict(&reference)).await.fails(409, "restricted-already");

    let refused = handler.reveal(&case).clear().await;
    assert_eq!(auditor.entry(&refused).await["why"], "restricted");
    refused.fails(409, "restricted");
    handler.reveal(&case).masked().await.fails(409, "restricted");
    handler
        .reveal_of_ticket(&case.no)
        .clear()
        .await
        .fails(409, "restricted");
    handler
        .verify(&case, "callback_number", NUMBER)
        .await
        .fails(409, "restricted");
    handler.reveal(&other).clear().await.is(200);
    // Who may not read at all is not told.
    world
        .actor(&app, "handler-w2")
        .reveal(&case)
        .clear()
        .await
        .fails(403, "refused");
    // The caller calls again: a wrong value is put right, and nothing is shown. Who calls, one agent alone has said.
    let own = agent.take(caller(NAME, NUMBER)).await;
    for form in ["clear", "masked"] {
        let shown = agent.reveal(&own).purpose("intake").form(form).await;
        shown.fails(409, "restricted");
    }
    let version = agent.get(own.caller()).await.is(200).json()["version"]
        .as_u64()
        .unwrap();
    agent
        .correct(&own, version, json!({"salutation": "先生"}))
        .await
        .is(200);
    // Not on a call that somebody has worked on since: it is no longer what the caller says now.
    let earlier = Case {
        no: case.no.clone(),
        ..own
    };
    agent
        .correct(&earlier, version + 1, json!({"salutation": "女士"}))
        .await
        .fails(409, "restricted");
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    assert_eq!(told["held"]["restricted"], json!(true));
    drop(app);
    assert_eq!(world.fsck().await, []);

    is_lifted_by_two(&world, &case, &reference).await;
}

/// Through a restart; and it takes two to lift it.
async fn is_lifted_by_two(world: &World, case: &Case, reference: &str) {
    let app = world.open().await;
    let [handler, dpo, auditor] = world.actors(&app, ["handler-c1", "dpo", "auditor"]);
    handler.reveal(case).clear().await.fails(409, "restricted");
    let bare = Request::bare("POST", format!("/v1/callers/{reference}/unrestrict"));
    dpo.send(bare).await.fails(422, "reason-required");
    let id = dpo.ask(&unrestrict(reference)).await;
    dpo.approve(&id).await.fails(403, "own-request");
    handler.reveal(case).clear().await.fails(409, "restricted");
    auditor.approve(&id).await.is(200);
    let lifted = dpo.send(unrestrict(reference).approved(&id)).await.is(200);
    assert_eq!(auditor.entry(&lifted).await["approver"], world.id("auditor"));
    handler.reveal(case).clear().await.is(200);
    dpo.send(unrestrict(reference)).await.fails(409, "not-restricted");
    dpo.send(restrict(reference)).await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Whoever edits the database does not lift it, by either of its two rows.
#[tokio::test]
async fn a_restriction_whose_row_is_gone_still_holds() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (subject, reference) = officers(&world, &app, &case).await;
    world.actor(&app, "dpo").send(restrict(&reference)).await.is(200);
    drop(app);
    let kept = world.data().rows("restriction").kept();
    world.data().rows("restriction").delete();
    world
        .is_found(&format!("caller {subject}"), "is restricted to storage in its own row")
        .await;
    let app = world.open().await;
    world
        .actor(&app, "handler-c1")
        .reveal(&case)
        .clear()
        .await
        .fails(409, "restricted");
    drop(app);
    world.data().insert(&kept);
    world
        .data()
        .rows("caller")
        .of("subject", &*subject)
        .set("restricted", 0);
    let app = world.open().await;
    let edited = world.actor(&app, "handler-c1").reveal(&case).clear().await;
    assert_eq!(edited.status, 500, "{}", edited.text);
}

#[tokio::test]
async fn restricted_records_are_not_merged() {
    let (world, app) = World::new().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let kept = agent.take(caller(NAME, NUMBER)).await;
    let merged = agent.take(json!({"caller_number": NUMBER})).await;
    let found = auditor.get("/v1/audit/events?act=intake").await.is(200).json();
    let subject = found["entries"][0]["leaf"]["subject"].as_str().unwrap().to_owned();
    let reference = dpo.with(auditor, &resolve(&subject)).await.is(200).at("/caller/ref");
    dpo.send(restrict(&reference)).await.is(200);
    for pair in [(&kept, &merged), (&merged, &kept)] {
        agent.send(merge(pair.0, pair.1)).await.fails(409, "restricted");
    }
}

#[tokio::test]
async fn a_refusal_has_its_reason_and_what_the_caller_can_do() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let case = world.case(&app, "C1").await;
    let (subject, reference) = officers(&world, &app, &case).await;
    let path = format!("/v1/callers/{reference}/refusals");
    let refused = dpo
        .post(&path, &json!({"request": "erase", "ground": "must-be-kept"}))
        .await
        .is(201);
    assert_eq!(refused.at("/request_words/zh"), "删除个人信息");
    assert!(refused.at("/ground_words/zh").contains("保存期限未届满"));
    assert!(refused.at("/remedy/zh").contains("人民法院") && refused.at("/remedy/en").contains("people's court"));
    let leaf = auditor.entry(&refused).await;
    assert_eq!(
        (&leaf["act"], &leaf["subject"]),
        (&json!("caller.refuse"), &json!(subject))
    );
    assert_eq!(leaf["link"], json!({"ground": "must-be-kept", "request": "erase"}));
    dpo.post(&path, &json!({"request": "erase", "ground": "because"}))
        .await
        .fails(400, "bad-json");
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    assert_eq!(entries(&told)[0]["act"], "caller.refuse");
    // A call that is taken goes on as ever.
    world
        .actor(&app, "agent")
        .post("/v1/intake", &intake(caller(NAME, NUMBER)))
        .await
        .is(201);
}
