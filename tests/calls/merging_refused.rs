//! What a merge must not be: a way to a stranger's record.

use serde_json::{Value, json};

use crate::support::approvals::{merge, unmerge};
use crate::support::{Case, NAME, NUMBER, Request, World, report};

const OTHER: &str = "13900007777";
const INVENTED: &str = "孙一一";

/// An agent's own call shows in clear what was heard in it, and not what another record said that was joined with its caller's since,
/// whichever of the two was kept.
#[tokio::test]
async fn a_merge_opens_no_strangers_record_to_ones_own_call() {
    for stranger_is_kept in [false, true] {
        let (world, app) = World::new().await;
        let [agent, other, auditor] = world.actors(&app, ["agent", "other-agent", "auditor"]);
        let stranger = json!({"caller_number": NUMBER, "name": NAME, "home_address": "北京市海淀区中关村大街1号"});
        let stranger = other.take(stranger).await;
        let own = agent
            .take(json!({"caller_number": OTHER, "callback_number": NUMBER, "name": INVENTED}))
            .await;
        let stranger = Case {
            reference: agent.get(stranger.ticket()).await.at("/caller/ref"),
            no: stranger.no,
        };
        let read = async |fields: &[&str]| agent.reveal(&own).purpose("intake").fields(fields).clear().await;
        read(&["callback_number"]).await.is(200);
        let (kept, merged) = if stranger_is_kept {
            (&stranger, &own)
        } else {
            (&own, &stranger)
        };
        agent.with(auditor, &merge(kept, merged)).await.is(200);
        read(&["home_address"]).await.fails(403, "refused");
        read(&["callback_number"]).await.fails(403, "refused");
        let verify = json!({"ticket": own.no, "purpose": "intake", "field": "caller_number", "value": NUMBER});
        agent
            .post(format!("{}/verify", own.caller()), &verify)
            .await
            .fails(403, "refused");
        // Undone, the call is what it was.
        agent.with(auditor, &unmerge(merged)).await.is(200);
    }
}

#[tokio::test]
async fn nobody_merges_alone() {
    let (world, app) = World::new().await;
    let [agent, other, auditor, dpo] = world.actors(&app, ["agent", "other-agent", "auditor", "dpo"]);
    let one = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let two = agent.take(json!({"caller_number": NUMBER})).await;
    let request = merge(&one, &two);
    for name in [
        "auditor",
        "dpo",
        "security-admin",
        "system-admin",
        "dispatcher",
        "handler-c1",
    ] {
        let refused = world
            .actor(&app, name)
            .send(request.clone())
            .await
            .fails(403, "refused");
        assert_eq!(auditor.entry(&refused).await["out"], "denied");
    }
    let id = agent.ask(&request).await;
    for who in [agent, other, dpo] {
        assert_eq!(who.approve(&id).await.status, 403);
    }
    agent
        .send(request.clone().approved(&id))
        .await
        .fails(403, "not-approved");
    auditor.approve(&id).await.is(200);
    // It is for this request, by this agent.
    agent
        .send(merge(&two, &one).approved(&id))
        .await
        .fails(403, "not-approved");
    other
        .send(request.clone().approved(&id))
        .await
        .fails(403, "not-approved");
    assert_eq!(
        agent.lookup(NUMBER).await.json()["callers"].as_array().unwrap().len(),
        2
    );
    agent.send(request.clone().approved(&id)).await.is(200);
    agent.send(request.approved(&id)).await.fails(409, "same-record");
    let bare = Request::post("/v1/callers/unmerge", &json!({"ref": two.reference, "ticket": two.no}));
    agent.send(bare).await.fails(422, "reason-required");
}

#[tokio::test]
async fn the_second_person_hears_in_what_the_records_agree_and_the_asker_does_not() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let two = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER, "name": INVENTED}))
        .await;
    let id = agent.ask(&merge(&one, &two)).await;
    let told = auditor.get(format!("/v1/approvals/{id}")).await.is(200).json();
    assert_eq!(told["about"]["agree"], "callback_number");
    assert_eq!(told["about"]["differ"], "caller_number,name");
    assert_eq!(
        (&told["about"]["kept_ticket"], &told["about"]["merged_ticket"]),
        (&json!(one.no), &json!(two.no))
    );
    assert_eq!(told["asker_reason"], "the same");
    for path in [format!("/v1/approvals/{id}"), "/v1/approvals/mine".to_owned()] {
        let own = agent.get(path).await.is(200);
        assert!(
            !own.text.contains("agree") && !own.text.contains("differ"),
            "{}",
            own.text
        );
        assert!(own.text.contains("kept_ticket"), "{}", own.text);
    }
}

#[tokio::test]
async fn a_confidential_call_is_merged_with_nothing() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let known = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let call = report(json!({"caller_number": NUMBER, "name": NAME}));
    let reported = agent.send(Request::post("/v1/intake", &call)).await.is(201).case();
    for request in [merge(&known, &reported), merge(&reported, &known), unmerge(&reported)] {
        let refused = agent.send(request).await.fails(403, "refused");
        assert_eq!(auditor.entry(&refused).await["why"], "confidential");
    }
    // Nor with another ticket than its own.
    let crossed = Case {
        reference: reported.reference.clone(),
        no: known.no.clone(),
    };
    let refused = agent.send(merge(&crossed, &known)).await.fails(403, "refused");
    assert_eq!(auditor.entry(&refused).await["why"], "not-about-caller");
}

#[tokio::test]
async fn records_that_contradict_or_share_nothing_stay_two() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let take = async |caller: Value| agent.take(caller).await;
    let one = take(json!({"caller_number": NUMBER, "name": NAME, "id_no": "110108204107057338"})).await;
    let two = take(json!({"caller_number": NUMBER, "name": NAME, "id_no": "11010519491231002X"})).await;
    let refused = agent.send(merge(&one, &two)).await.fails(409, "identities-differ");
    let entry = auditor.entry(&refused).await;
    assert_eq!(
        (&entry["out"], &entry["why"]),
        (&json!("denied"), &json!("identities-differ"))
    );
    assert!(entry["subject"].is_string(), "{entry}");
    // A name alone connects nobody.
    let apart = take(json!({"caller_number": OTHER, "name": NAME})).await;
    let refused = agent.send(merge(&one, &apart)).await.fails(409, "nothing-in-common");
    assert_eq!(auditor.entry(&refused).await["why"], "nothing-in-common");
    agent.send(merge(&one, &one)).await.fails(409, "same-record");
    let foreign = Case {
        reference: world.case(&app, "C1").await.reference,
        no: one.no.clone(),
    };
    agent.send(merge(&one, &foreign)).await.fails(403, "refused");
}

/// Whether two records share a number is told as often as any guess.
#[tokio::test]
async fn asking_is_a_guess() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let one = agent.take(json!({"caller_number": NUMBER})).await;
    let two = agent.take(json!({"caller_number": OTHER})).await;
    let mut last = 409;
    for _ in 0..=30 {
        last = agent.send(merge(&one, &two)).await.status;
    }
    assert_eq!(last, 429);
}

/// What the second person saw is what is merged.
#[tokio::test]
async fn a_record_that_changed_since_is_not_merged() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let two = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER}))
        .await;
    let request = merge(&one, &two);
    let id = agent.approved_by(auditor, &request).await;
    agent
        .correct(&two, 1, json!({"caller_number": "13900006666"}))
        .await
        .is(200);
    let refused = agent
        .send(request.clone().approved(&id))
        .await
        .fails(409, "approval-stale");
    assert_eq!(auditor.entry(&refused).await["why"], "target-changed");
    agent.with(auditor, &request).await.is(200);
}
