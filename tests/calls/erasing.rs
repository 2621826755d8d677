//! A caller is erased: by two persons, whole, and nobody else is.

use std::sync::Arc;

use serde_json::json;

use crate::support::approvals::{erase, merge, resolve};
use crate::support::{Case, NAME, NUMBER, Request, World, caller, intake, report};

const OTHER: &str = "13900007777";

#[tokio::test]
async fn an_erased_caller_is_gone_and_everybody_else_stays() {
    let (world, app) = World::new().await;
    let [agent, auditor, dpo, handler] = world.actors(&app, ["agent", "auditor", "dpo", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "C1", caller("李四光", OTHER)).await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    let done = world.erased(&app, &reference).await;
    assert_eq!(
        (done.at("/subject"), &done.json()["tickets"]),
        (subject.clone(), &json!(1))
    );
    let leaf = auditor.entry(&done).await;
    assert_eq!(
        (&leaf["act"], &leaf["subject"]),
        (&json!("caller.erase"), &json!(subject))
    );
    assert_eq!(leaf["approver"], world.id("auditor"));

    // The department that had the ticket is told, and what holds no person is still there.
    let ticket = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(
        (&ticket["caller_erased"], &ticket["caller"]),
        (&json!(true), &json!(null))
    );
    assert_eq!((&ticket["on_file"], &ticket["kind"]), (&json!([]), &json!("complaint")));
    assert_eq!(ticket["custody"].as_array().map(Vec::len), Some(4), "{ticket}");
    handler.reveal(&case).clear().await.fails(410, "erased");
    handler
        .verify(&case, "callback_number", NUMBER)
        .await
        .fails(410, "erased");
    assert_ne!(handler.reveal_of_ticket(&case.no).clear().await.status, 200);
    // Whoever has nothing to do with the ticket is told what a stranger is told.
    let stranger = world.actor(&app, "handler-w2").reveal(&case).clear().await;
    stranger.fails(403, "refused");
    handler.get(case.caller()).await.fails(403, "refused");
    dpo.send(erase(&reference)).await.fails(403, "refused");
    dpo.with(auditor, &resolve(&subject)).await.fails(410, "erased");

    let again = agent.intake(caller(NAME, NUMBER)).await.is(201);
    assert_eq!(again.at("/caller/matched"), "new");
    let found = auditor.get(format!("/v1/audit/events?subject={subject}")).await.json();
    assert!(
        found["entries"].as_array().unwrap().len() > 4,
        "what was read of them can be asked for: {found}"
    );

    let receipt = dpo.get(format!("/v1/erasures/{subject}")).await.is(200);
    assert_eq!(receipt.at("/receipt"), done.at("/receipt"));
    auditor.get(format!("/v1/erasures/{subject}")).await.is(200);
    let of_other = world.subject(&app, &other).await;
    dpo.get(format!("/v1/erasures/{of_other}"))
        .await
        .fails(404, "not-found");
    agent.get(format!("/v1/erasures/{subject}")).await.is(403);
    drop(app);
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    world.actor(&app, "handler-c1").reveal(&other).clear().await.is(200);
}

#[tokio::test]
async fn it_takes_an_officer_and_another_person() {
    let (world, app) = World::new().await;
    let [auditor, dpo] = world.actors(&app, ["auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    dpo.send(Request::bare("POST", format!("/v1/callers/{reference}/erase")))
        .await
        .fails(422, "reason-required");
    let id = dpo.ask(&erase(&reference)).await;
    dpo.send(erase(&reference).approved(&id))
        .await
        .fails(403, "not-approved");
    let own = dpo.approve(&id).await;
    auditor.finds_refused(&own, "own-request", "your own").await;
    for name in ["agent", "system-admin", "security-admin", "handler-c1"] {
        assert_eq!(world.actor(&app, name).approve(&id).await.status, 403, "{name}");
    }
    for name in ["agent", "auditor", "system-admin", "security-admin"] {
        let asked = world.actor(&app, name).send(erase(&reference)).await;
        assert_eq!(asked.status, 403, "{name}: {}", asked.text);
    }
    auditor.approve(&id).await.is(200);
    dpo.send(erase(&reference).approved(&id)).await.is(200);
    // It is used up, and the caller is nobody now.
    dpo.send(erase(&reference).approved(&id)).await.is(403);
}

/// What was approved is the caller as they were: another call, and it is asked again.
#[tokio::test]
async fn an_approval_is_for_the_caller_as_they_were() {
    let (world, app) = World::new().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    let id = dpo.approved_by(auditor, &erase(&reference)).await;
    let more = agent.take(caller(NAME, NUMBER)).await;
    let late = dpo.send(erase(&reference).approved(&id)).await;
    auditor.finds_refused(&late, "approval-stale", "changed").await;
    let open = dpo.send(erase(&reference)).await;
    auditor.finds_refused(&open, "tickets-open", &more.no).await;
    world.ended(&app, &more.no).await;
    let two = [
        dpo.approved_by(auditor, &erase(&reference)).await,
        dpo.approved_by(auditor, &erase(&reference)).await,
    ];
    let done = dpo.send(erase(&reference).approved(&two[0])).await.is(200);
    assert_eq!(done.json()["tickets"], 2);
    // The other request is about somebody who is no more, and lists show that.
    assert_eq!(auditor.state(&two[1]).await, "stale");
    dpo.send(erase(&reference).approved(&two[1])).await.is(403);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_legal_hold_keeps_a_caller() {
    let (world, app) = World::new().await;
    let [auditor, dpo] = world.actors(&app, ["auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    let before = dpo.approved_by(auditor, &erase(&reference)).await;
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    let path = format!("/v1/callers/{reference}/holds");
    world.actor(&app, "agent").post(&path, &hold).await.is(403);
    let held = dpo.post(&path, &hold).await.is(201);
    let id = held.at("/id");
    assert_eq!(auditor.entry(&held).await["link"]["hold"], json!(id));
    let late = dpo.send(erase(&reference).approved(&before)).await;
    auditor.finds_refused(&late, "approval-stale", "changed").await;
    let refused = dpo.send(erase(&reference)).await;
    auditor.finds_refused(&refused, "under-hold", &id).await;
    assert_eq!(auditor.entry(&refused).await["why"], "held");

    let listed = auditor.get("/v1/holds").await.is(200).json();
    let line = &listed["items"][0];
    assert_eq!((&line["id"], &line["reason"]), (&json!(id), &json!("court 7")));
    assert_eq!(
        (&line["owner_name"], &line["subject"]),
        (&json!("dpo"), &json!(subject))
    );
    let lift = format!("/v1/holds/{id}/lift");
    let why = json!({"reason": "the case is over"});
    let own = dpo.post(&lift, &why).await;
    auditor.finds_refused(&own, "own-hold", "you set").await;
    let lifted = auditor.post(&lift, &why).await.is(200);
    assert_eq!(lifted.json()["in_force"], false);
    auditor.post(&lift, &why).await.fails(409, "lifted");
    assert_eq!(dpo.get("/v1/holds").await.json()["items"], json!([]));
    world.erased(&app, &reference).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The row of a hold that was lifted before the erasure, as it was when the hold was in force.
#[tokio::test]
async fn a_hold_in_force_on_who_was_erased_is_found() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let case = world.case(&app, "C1").await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    let held = dpo.post(format!("/v1/callers/{reference}/holds"), &hold).await.is(201);
    let in_force = world.data().rows("hold").kept();
    let lift = format!("/v1/holds/{}/lift", held.at("/id"));
    auditor.post(lift, &json!({"reason": "over"})).await.is(200);
    world.erased(&app, &reference).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
    world.data().put_back(&in_force);
    let place = format!("legal hold on {subject}");
    world.is_found(&place, "is in force, and the caller was erased").await;
}

/// Whoever removes the row of a hold does not get the caller erased, and it is noticed.
#[tokio::test]
async fn a_hold_whose_row_was_removed_still_holds() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    let path = format!("/v1/callers/{reference}/holds");
    world.actor(&app, "dpo").post(path, &hold).await.is(201);
    drop(app);
    world.data().rows("hold").delete();
    world
        .is_found("caller ", "counts other legal holds than are in force")
        .await;
    let app = world.open().await;
    world
        .actor(&app, "dpo")
        .send(erase(&reference))
        .await
        .fails(409, "under-hold");
}

#[tokio::test]
async fn records_that_were_merged_go_together() {
    let (world, app) = World::new().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let home = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let taken = agent
        .intake(json!({"caller_number": OTHER, "callback_number": NUMBER}))
        .await;
    let office = taken.case();
    agent.with(auditor, &merge(&home, &office)).await.is(200);
    let leaf = auditor.entry(&taken).await;
    let part = leaf["subject"].as_str().unwrap();
    // By the record that was merged the officer is led to the one in force.
    let reference = world.officers_reference(&app, part).await;
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    let held = dpo.post(format!("/v1/callers/{reference}/holds"), &hold).await.is(201);
    world.ended(&app, &home.no).await;
    world.ended(&app, &office.no).await;
    dpo.send(erase(&reference)).await.fails(409, "under-hold");
    let lift = format!("/v1/holds/{}/lift", held.at("/id"));
    auditor.post(lift, &json!({"reason": "over"})).await.is(200);
    let done = world.erased(&app, &reference).await;
    assert_eq!(
        (&done.json()["records"], &done.json()["tickets"]),
        (&json!(2), &json!(2))
    );
    for number in [NUMBER, OTHER] {
        assert_eq!(agent.lookup(number).await.json()["callers"], json!([]));
    }
    agent.send(merge(&home, &office)).await.fails(410, "erased");
    drop(app);
    for table in ["caller", "blind_index", "sealed_field"] {
        assert_eq!(world.data().rows(table).count(), 0, "{table}");
    }
    assert_eq!(world.fsck().await, []);
}

/// Whoever edits the row of a record that was merged does not keep that record from being erased with the others unnoticed.
#[tokio::test]
async fn a_part_that_hides_is_not_left_behind() {
    let (world, app) = World::new().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let home = agent.take(caller(NAME, NUMBER)).await;
    let office = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER}))
        .await;
    agent.with(auditor, &merge(&home, &office)).await.is(200);
    world.ended(&app, &home.no).await;
    world.ended(&app, &office.no).await;
    let subject: String = world.data().rows("caller").of("merged", 1).first("subject");
    let reference = world.officers_reference(&app, &subject).await;
    world
        .data()
        .rows("caller")
        .from("merged_into", [0; 16])
        .set("merged_into", [7; 16]);
    dpo.send(erase(&reference)).await.fails(500, "integrity");
    // Nor does anything else go on without it.
    agent.get(home.caller()).await.fails(500, "integrity");
    drop(app);
    world.is_found("caller ", "its code does not fit").await;
}

/// A confidential call's record is its own, and the department that had the ticket learns nothing of whether it was erased.
#[tokio::test]
async fn a_confidential_caller_is_erased() {
    let (world, app) = World::new().await;
    let [agent, auditor, dispatcher, handler] = world.actors(&app, ["agent", "auditor", "dispatcher", "handler-c1"]);
    let taken = agent.post("/v1/intake", &report(caller(NAME, NUMBER))).await.is(201);
    let case = taken.case();
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    world.signed(&app, &case.no, "C1").await;
    world.ended(&app, &case.no).await;
    let subject = auditor.entry(&taken).await["subject"].as_str().unwrap().to_owned();
    let reference = world.officers_reference(&app, &subject).await;
    let known = world.case_of(&app, "C1", caller("李四光", OTHER)).await;
    let asked = Case {
        no: case.no.clone(),
        reference: known.reference.clone(),
    };
    let before = handler.reveal(&asked).clear().await;
    world.erased(&app, &reference).await;
    let after = handler.reveal(&asked).clear().await;
    assert_eq!(
        (before.status, before.at("/detail").len()),
        (after.status, after.at("/detail").len())
    );
    assert_eq!(before.problem(), after.problem());
    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(page["caller_erased"], json!(null), "{page}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A call in the middle of an erasure is the erased caller's, and then the approval is for another state, or a new person's.
#[tokio::test]
async fn a_call_and_an_erasure_at_once() {
    let (world, app) = World::unlimited().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    let approval = dpo.approved_by(auditor, &erase(&reference)).await;
    let call = intake(json!({"caller_number": NUMBER, "name": NAME, "salutation": "周女士"}));
    let erasing = dpo.send(erase(&reference).approved(&approval));
    let (erased, taken) = tokio::join!(erasing, agent.post("/v1/intake", &call));
    let taken = taken.is(201);
    if erased.status == 200 {
        assert_eq!(taken.at("/caller/matched"), "new", "{}", taken.text);
    } else {
        erased.fails(409, "approval-stale");
        assert_eq!(taken.at("/caller/matched"), "certain", "{}", taken.text);
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A reference that somebody is given while an erasure is under way goes with it, also when whoever asked for the erasure has hung up.
#[tokio::test]
async fn a_reference_that_was_given_meanwhile_goes_too() {
    let (world, app) = World::unlimited().await;
    let world = Arc::new(world);
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let approval = dpo.approved_by(auditor, &erase(&reference)).await;
    let of_department = || {
        world
            .data()
            .rows("reference")
            .of("department", "C1")
            .of("kind", "caller")
            .count()
    };
    world
        .data()
        .rows("reference")
        .of("department", "C1")
        .of("kind", "caller")
        .delete();
    let held = world.data();
    held.hold();
    let (as_handler, path) = (Arc::clone(&world), case.ticket());
    let app_of_handler = Arc::clone(&app);
    let given = tokio::spawn(async move {
        let handler = as_handler.actor(&app_of_handler, "handler-c1");
        handler.get(path).await.status
    });
    waits().await;
    let (as_officer, app_of_officer) = (Arc::clone(&world), Arc::clone(&app));
    let request = erase(&reference).approved(&approval);
    let erasing = tokio::spawn(async move { as_officer.actor(&app_of_officer, "dpo").send(request).await.status });
    waits().await;
    erasing.abort();
    assert!(erasing.await.is_err());
    held.let_go();
    assert_eq!(given.await.unwrap(), 200);
    // The log takes one group after the other: what comes now comes after it.
    world.actor(&app, "agent").lookup(NUMBER).await.is(200);
    assert_eq!(world.data().rows("erased").count(), 1, "it has happened");
    assert_eq!(of_department(), 0);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Long enough for a request to come as far as the log: everything before it is done on this thread.
async fn waits() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
