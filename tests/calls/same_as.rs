//! The agent says which caller on file is calling.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, NAME, NUMBER, Request, World, intake, report};

const OTHER: &str = "13900007777";
const THIRD: &str = "13900006666";
const FOURTH: &str = "13900005555";
const ONE_ID: &str = "110108204107057338";

/// A call by this caller, of whom the agent says that it is the one with that reference.
async fn take_as(agent: Actor<'_>, caller: Value, reference: &str) -> Answer {
    let mut call = intake(caller);
    call["same_as"] = json!(reference);
    agent.post("/v1/intake", &call).await
}

fn denied_for(entry: &Value) -> &str {
    assert_eq!(entry["out"], "denied");
    entry["why"].as_str().unwrap()
}

#[tokio::test]
async fn a_caller_known_by_number_alone_stays_one() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let first = agent.take(json!({"caller_number": NUMBER})).await;
    // One request finds them, and the next takes the call.
    let found = agent.lookup(NUMBER).await.is(200);
    assert_eq!(found.json()["callers"], json!([first.reference]));
    for caller in [
        json!({"caller_number": NUMBER}),
        json!({"callback_number": NUMBER, "salutation": "周女士"}),
        json!({"caller_number": OTHER, "callback_number": NUMBER, "salutation": "周女士"}),
    ] {
        let taken = take_as(agent, caller, &first.reference).await.is(201);
        assert_eq!(taken.at("/caller/matched"), "confirmed");
        assert_eq!(taken.at("/caller/ref"), first.reference);
        let entry = auditor.entry(&taken).await;
        assert_eq!(entry["link"]["matched"], "confirmed");
    }
    assert_eq!(agent.lookup(NUMBER).await.json()["callers"], json!([first.reference]));
    // Without the agent's word a number alone makes another record.
    let another = agent.intake(json!({"caller_number": NUMBER})).await.is(201);
    assert_eq!(another.at("/caller/matched"), "tentative");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn one_of_several_candidates() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let known = json!({"caller_number": NUMBER, "name": NAME});
    let first = agent.take(known.clone()).await;
    let mut contradicting = known.clone();
    contradicting["id_no"] = json!(ONE_ID);
    agent.take(contradicting.clone()).await;
    contradicting["id_no"] = json!("11010519491231002X");
    agent.intake(contradicting).await.is(201);
    let unsure = agent.intake(known.clone()).await.is(201);
    assert_eq!(unsure.at("/caller/matched"), "tentative");
    let candidates = unsure.json()["caller"]["candidates"].clone();
    assert!(
        candidates.as_array().unwrap().contains(&json!(first.reference)),
        "{candidates}"
    );
    let taken = take_as(agent, known, &first.reference).await.is(201);
    assert_eq!(
        (taken.at("/caller/matched").as_str(), taken.at("/caller/ref")),
        ("confirmed", first.reference)
    );
}

#[tokio::test]
async fn behind_a_switchboard() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let first = agent
        .take(json!({"callback_number": "0571-85123456转801", "name": NAME}))
        .await;
    let calling = json!({"caller_number": "057185123456", "name": NAME});
    let taken = take_as(agent, calling.clone(), &first.reference).await.is(201);
    assert_eq!(taken.at("/caller/ref"), first.reference);
    let other = json!({"caller_number": "057185123456", "name": "孙一一"});
    take_as(agent, other, &first.reference)
        .await
        .fails(409, "not-that-caller");
}

#[tokio::test]
async fn a_number_alone_opens_no_record_with_a_name_or_an_address() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let named = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let nameless = agent
        .take(json!({"caller_number": OTHER, "home_address": "北京市海淀区中关村大街1号"}))
        .await;
    let titled = agent
        .take(json!({"caller_number": THIRD, "name": "王女士", "home_address": "北京市"}))
        .await;
    let documented = agent
        .take(json!({"caller_number": FOURTH, "id_document": "护照 E12345678"}))
        .await;
    for (caller, reference) in [
        (json!({"caller_number": NUMBER}), &named),
        (json!({"caller_number": NUMBER, "name": "孙一一"}), &named),
        (json!({"caller_number": NUMBER, "name": "王女士"}), &named),
        (json!({"caller_number": OTHER, "name": NAME}), &named),
        (json!({"name": NAME}), &named),
        (json!({}), &named),
        (json!({"caller_number": OTHER}), &nameless),
        // Whatever is stated for an address is not compared with the one on file.
        (
            json!({"caller_number": OTHER, "home_address": "北京市海淀区中关村大街1号"}),
            &nameless,
        ),
        (json!({"caller_number": THIRD}), &titled),
        (json!({"caller_number": THIRD, "name": "王女士"}), &titled),
        (json!({"caller_number": THIRD, "name": "王小明"}), &titled),
        (json!({"caller_number": FOURTH}), &documented),
        (json!({"id_document": "护照 E12345678"}), &documented),
        // It is certain that this is another caller.
        (json!({"caller_number": NUMBER, "name": NAME}), &nameless),
    ] {
        let refused = take_as(agent, caller, &reference.reference)
            .await
            .fails(409, "not-that-caller");
        let entry = auditor.entry(&refused).await;
        assert_eq!(denied_for(&entry), "not-that-caller");
        assert!(entry["subject"].is_string(), "{entry}");
    }
}

#[tokio::test]
async fn what_names_nobody_is_enough_where_nothing_else_is_on_file() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let titled = agent.take(json!({"caller_number": THIRD, "name": "王女士"})).await;
    let again = json!({"caller_number": THIRD, "name": "王女士", "salutation": "王女士"});
    let taken = take_as(agent, again, &titled.reference).await.is(201);
    assert_eq!(taken.at("/caller/ref"), titled.reference);
    let documented = json!({"caller_number": FOURTH, "id_document": "护照 E12345678"});
    let first = agent.take(documented.clone()).await;
    let taken = take_as(agent, documented, &first.reference).await.is(201);
    assert_eq!(taken.at("/caller/ref"), first.reference);
}

/// On the agent's word nothing that is on file is replaced; what is new is added.
#[tokio::test]
async fn a_value_on_file_stays() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let first = agent
        .take(json!({"caller_number": NUMBER, "salutation": "周女士"}))
        .await;
    let other = json!({
        "caller_number": OTHER, "callback_number": NUMBER, "salutation": "李先生", "email": "zhou@example.com",
    });
    let taken = take_as(agent, other, &first.reference).await.is(201);
    let left_out = taken.json()["left_out"].clone();
    let names: Vec<&str> = left_out
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["salutation", "caller_number"], "{left_out}");
    assert_eq!(left_out[0]["rule"], "on-file-stays");
    let shown = agent
        .reveal(&taken.case())
        .purpose("intake")
        .fields(&["caller_number", "email"])
        .clear()
        .await;
    assert_eq!(
        shown.at("/fields/caller_number"),
        format!("+86{NUMBER}"),
        "{}",
        shown.text
    );
    assert_eq!(shown.at("/fields/email"), "zhou@example.com");
}

#[tokio::test]
async fn another_departments_reference_is_nobodys() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let case = world.case(&app, "C1").await;
    let own = agent.take(json!({"caller_number": OTHER})).await;
    let caller = json!({"caller_number": NUMBER, "name": NAME});
    let refused = take_as(agent, caller.clone(), &case.reference).await;
    assert_eq!(
        denied_for(&auditor.entry(&refused.fails(403, "refused")).await),
        "foreign-reference"
    );
    // A confidential call is joined with nobody, and nobody with one.
    let mut confidential = report(json!({"caller_number": OTHER}));
    confidential["same_as"] = json!(own.reference);
    let both = agent.post("/v1/intake", &confidential).await;
    both.fails(422, "same-as-confidential");
    let reported = agent
        .send(Request::post("/v1/intake", &report(json!({"caller_number": OTHER}))))
        .await
        .is(201)
        .case();
    let joined = take_as(agent, json!({"caller_number": OTHER}), &reported.reference).await;
    joined.fails(409, "not-that-caller");
}
