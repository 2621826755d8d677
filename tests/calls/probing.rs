//! What a single agent finds out, or gets to see, by joining, parting and correcting records: nothing that is not in the log, and no
//! stranger's file.

use serde_json::{Value, json};

use crate::calls::splitting::split;
use crate::support::approvals::{merge, unmerge};
use crate::support::{Actor, Case, NAME, NUMBER, Request, World, intake};

const OTHER: &str = "13900007777";
const INVENTED: &str = "孙一一";

/// A call, and what the log calls its caller.
async fn take(agent: Actor<'_>, auditor: Actor<'_>, caller: Value) -> (Case, Value) {
    let taken = agent.send(Request::post("/v1/intake", &intake(caller))).await.is(201);
    let subject = auditor.entry(&taken).await["subject"].clone();
    (taken.case(), subject)
}

/// The stranger whose number an agent tries is found in the log by their own name there, whichever of the two records it is.
#[tokio::test]
async fn a_merge_that_is_asked_for_is_about_both_records() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let (own, mine) = take(agent, auditor, json!({"caller_number": OTHER, "name": INVENTED})).await;
    let (stranger, theirs) = take(agent, auditor, json!({"caller_number": NUMBER, "name": NAME})).await;
    for (request, subject, other) in [
        (merge(&own, &stranger), &mine, &theirs),
        (merge(&stranger, &own), &theirs, &mine),
    ] {
        let refused = agent.send(request).await.fails(409, "nothing-in-common");
        let entry = auditor.entry(&refused).await;
        assert_eq!((&entry["subject"], &entry["link"]["subject"]), (subject, other));
    }
    let (third, same) = take(
        agent,
        auditor,
        json!({"caller_number": "13900006666", "callback_number": NUMBER}),
    )
    .await;
    let asked = agent.send(merge(&third, &stranger)).await.is(202);
    let entry = auditor.entry(&asked).await;
    assert_eq!((&entry["subject"], &entry["link"]["subject"]), (&same, &theirs));
}

/// Without a reason nothing is looked at, so that the answer does not tell what the records have.
#[tokio::test]
async fn nothing_is_told_of_records_without_a_reason() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let (one, _) = take(agent, auditor, json!({"caller_number": NUMBER, "name": NAME})).await;
    let (shares, _) = take(
        agent,
        auditor,
        json!({"caller_number": OTHER, "callback_number": NUMBER}),
    )
    .await;
    let (apart, _) = take(agent, auditor, json!({"caller_number": "13900006666"})).await;
    let by = |case: &Case| json!({"ref": case.reference, "ticket": case.no});
    let merging = |other: &Case| ("merge", json!({"kept": by(&one), "merged": by(other)}));
    let splitting = |field: &str| {
        let body = json!({"ref": one.reference, "tickets": [one.no], "fields": {field: "move"}});
        ("split", body)
    };
    let post = |(what, body): (&str, Value)| Request::post(format!("/v1/callers/{what}"), &body);
    for request in [
        merging(&shares),
        merging(&apart),
        merging(&one),
        ("unmerge", by(&one)),
        splitting("name"),
        splitting("email"),
    ] {
        agent.send(post(request)).await.fails(422, "reason-required");
    }
    // With one, what stands against it is in the log before it is told.
    for (request, status, problem) in [
        (merge(&one, &one), 409, "same-record"),
        (unmerge(&one), 409, "not-merged"),
        (
            post(splitting("email")).header("approval-reason", "two%20people"),
            422,
            "not-on-file",
        ),
    ] {
        let refused = agent.send(request).await.fails(status, problem);
        let entry = auditor.entry(&refused).await;
        assert_eq!(
            (&entry["out"], &entry["why"]),
            (&json!("denied"), &json!("not-as-asked"))
        );
    }
}

/// An agent who makes a record agree with what they will say was heard does not see by that what others have said.
#[tokio::test]
async fn a_correction_makes_no_strangers_call_ones_own() {
    let (world, app) = World::new().await;
    let [agent, other] = world.actors(&app, ["agent", "other-agent"]);
    let stranger = other
        .take(json!({"caller_number": NUMBER, "name": NAME, "home_address": "北京市海淀区中关村大街1号"}))
        .await;
    agent.correct(&stranger, 1, json!({"name": INVENTED})).await.is(200);
    let known = json!({"caller_number": NUMBER, "name": INVENTED});
    let read = async |agent: Actor<'_>| {
        let case = agent.take(known.clone()).await;
        let read = agent.reveal(&case).purpose("intake").fields(&["home_address"]);
        read.clear().await
    };
    read(agent).await.fails(403, "refused");
    // To somebody else the person has called again.
    read(other).await.is(200);
}

/// What was written down wrong in a call is put right in the same call, and it stays the agent's own.
#[tokio::test]
async fn a_correction_of_ones_own_call_leaves_it_ones_own() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let own = agent.take(json!({"caller_number": NUMBER, "name": INVENTED})).await;
    agent.correct(&own, 1, json!({"name": NAME})).await.is(200);
    agent
        .reveal(&own)
        .purpose("intake")
        .fields(&["name"])
        .clear()
        .await
        .is(200);
}

/// Nor does it help to have the record taken apart in between.
#[tokio::test]
async fn a_split_does_not_forget_who_has_corrected() {
    let (world, app) = World::new().await;
    let [agent, other, auditor] = world.actors(&app, ["agent", "other-agent", "auditor"]);
    let known = json!({"caller_number": NUMBER, "name": NAME, "home_address": "北京市海淀区中关村大街1号"});
    let stranger = other.take(known).await;
    agent.correct(&stranger, 1, json!({"name": INVENTED})).await.is(200);
    let all = json!({"caller_number": "move", "name": "move", "home_address": "move"});
    agent
        .with(auditor, &split(&stranger, &[&stranger.no], all))
        .await
        .is(200);
    let case = agent.take(json!({"caller_number": NUMBER, "name": INVENTED})).await;
    let read = agent.reveal(&case).purpose("intake").fields(&["home_address"]);
    read.clear().await.fails(403, "refused");
}

/// A part of it could be erased.
#[tokio::test]
async fn a_caller_under_a_legal_hold_does_not_come_apart() {
    for held_as_one in [false, true] {
        let (world, app) = World::new().await;
        let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
        let (kept, _) = take(agent, auditor, json!({"caller_number": NUMBER, "name": NAME})).await;
        let call = json!({"caller_number": OTHER, "callback_number": NUMBER});
        let (merged, subject) = take(agent, auditor, call).await;
        let hold = async || {
            let officers = world.officers_reference(&app, subject.as_str().unwrap()).await;
            let hold = json!({"reason": "court 7", "review": "2027-05-31"});
            dpo.post(format!("/v1/callers/{officers}/holds"), &hold).await.is(201);
        };
        if !held_as_one {
            hold().await;
        }
        agent.with(auditor, &merge(&kept, &merged)).await.is(200);
        if held_as_one {
            hold().await;
        }
        agent.send(unmerge(&merged)).await.fails(409, "under-hold");
        agent
            .send(split(&kept, &[&merged.no], json!({})))
            .await
            .fails(409, "under-hold");
    }
}
