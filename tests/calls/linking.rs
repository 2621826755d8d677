//! Who holds the data store, or asks about what is others', learns nothing that joins; and a caller is matched on what
//! the vault wrote, however many share a value.

use callervault::model::reference::Reference;
use callervault::model::ticket_no::TicketNo;
use serde_json::{Value, json};

use crate::store::attacks::scene;
use crate::support::rows::{Edit, Rows, Store};
use crate::support::{NAME, NUMBER, PEOPLE, Request, World, caller, intake};

/// Everything the data store has on disk.
fn on_disk(world: &World) -> Vec<u8> {
    let beside = |suffix: &str| {
        let mut path = world.places.data.clone().into_os_string();
        path.push(suffix);
        std::fs::read(path).unwrap_or_default()
    };
    [beside(""), beside("-wal")].concat()
}

/// Whoever holds the database at two moments sees which rows came between them, and so which belong to one caller. They see
/// no reference, so that nothing they have been given, on paper or in an export, is one of those rows.
#[tokio::test]
async fn no_departments_reference_stands_in_the_database() {
    let (world, app) = World::new().await;
    let mut references = Vec::new();
    for n in 0..12 {
        let who = || caller(NAME, &format!("139{n:08}"));
        references.push(world.case_of(&app, "C1", who()).await.reference);
        references.push(world.case_of(&app, "W2", who()).await.reference);
    }
    let bytes = on_disk(&world);
    let there = |what: &[u8]| memchr::memmem::find(&bytes, what).is_some();
    let found = world.actor(&app, "auditor").get("/v1/audit/events?act=intake").await;
    let subject = found.at("/entries/0/leaf/subject");
    assert!(there(subject.as_bytes()), "the search finds what is there");
    for text in &references {
        let reference: Reference = text.parse().unwrap();
        let number = reference.body().to_be_bytes();
        // SQLite keeps an integer of 55 bits in 8 bytes, or in 6 where they suffice.
        for form in [&number[..], &number[1..], &number[2..]] {
            assert!(!there(form), "the body of {text} as a number");
        }
        let characters = text.replace('-', "");
        for form in [text.as_str(), &characters, &characters[3..14]] {
            assert!(!there(form.as_bytes()), "{form}");
        }
    }
    let data = world.data();
    for table in ["reference", "sealed_field", "blind_index", "caller", "replay"] {
        let ordered = data.keeps_order(table);
        assert!(!ordered, "{table} has its rows in the order of their making");
    }
}

#[tokio::test]
async fn a_foreign_ticket_number_pages_like_an_unknown_one() {
    let (world, app) = World::new().await;
    let handler = world.actor(&app, "handler-w2");
    world.case_of(&app, "W2", caller("李四光", "13700002222")).await;
    let foreign = world.case(&app, "C1").await.no;
    world.case_of(&app, "W2", caller("赵六", "13700003333")).await;
    let unknown = TicketNo::new(123_456_789_012).unwrap().to_string();
    let mut pages = Vec::new();
    for after in [foreign, unknown] {
        let page = handler.get(format!("/v1/tickets?after={after}.2000000000000000")).await;
        pages.push((page.status, page.json().pointer("/tickets").cloned()));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_remembered_answer_is_sealed_and_belongs_to_its_leaf() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let call = Request::post("/v1/intake", &intake(caller(NAME, NUMBER))).once("once");
    let first = agent.send(call.clone()).await.is(201);
    agent.take(caller("李四光", "13700002222")).await;
    let answer: Vec<u8> = world.data().rows("replay").first("answer");
    for clear in [first.at("/ticket/no"), first.at("/caller/ref")] {
        assert!(memchr::memmem::find(&answer, clear.as_bytes()).is_none(), "{clear}");
    }
    let again = agent.send(call.clone()).await;
    assert_eq!(again.json(), first.json());
    world.data().rows("replay").add("leaf_index", 1);
    agent.send(call).await.fails(500, "integrity");
}

/// The third person has the name and the number of the first, and another ID number.
#[tokio::test]
async fn a_removed_id_number_does_not_merge_two_people() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let who = |id: &str| json!({"name": NAME, "caller_number": NUMBER, "id_no": id});
    let first = agent.intake(who("110108204107057338")).await;
    assert_eq!(first.at("/caller/matched"), "new");
    for table in ["sealed_field", "blind_index"] {
        assert_eq!(world.data().rows(table).of("field", "id_no").delete(), 1);
    }
    let other = agent.intake(who("110108204107057346")).await;
    assert_eq!(other.at("/caller/matched"), "tentative", "{}", other.text);
}

/// The entries of callers' numbers in the blind index.
fn number(data: &Store) -> Rows<'_> {
    data.rows("blind_index").of("field", "callback_number")
}

#[tokio::test]
async fn an_edited_or_deleted_index_entry_is_not_a_value_that_differs() {
    let edits: [(&str, Edit); 3] = [
        ("another value", |data| _ = number(data).set("value", [0; 17])),
        ("another code", |data| _ = data.rows("blind_index").set("mac", [0; 17])),
        ("gone", |data| _ = number(data).delete()),
    ];
    for (what, edit) in edits {
        let scene = scene().await;
        let app = scene.world.open().await;
        let handler = scene.world.actor(&app, "handler-c1");
        let verify = async || handler.verify(&scene.case, "callback_number", NUMBER).await;
        assert_eq!(verify().await.json()["match"], true);
        let data = scene.data();
        data.rows("blind_index").except("caller", &*scene.caller()).delete();
        edit(&data);
        let answer = verify().await;
        assert_eq!((answer.status, answer.problem().as_str()), (500, "integrity"), "{what}");
    }
}

#[tokio::test]
async fn a_department_edited_by_hand_gets_no_ticket_and_nobody() {
    let scene = scene().await;
    scene.data().rows("department").of("code", "E4").set("kind", "organ");
    let app = scene.world.open().await;
    let [agent, dispatcher, admin] = scene.world.actors(&app, ["agent", "dispatcher", "security-admin"]);
    let taken = agent.take(caller("赵六", "13800003333")).await;
    dispatcher.dispatch(&taken.no, "E4").await.fails(500, "integrity");
    let person = json!({"name": "nobody", "department": "E4", "roles": ["handler"], "kind": "person"});
    admin.post(PEOPLE, &person).await.fails(500, "integrity");
}

#[tokio::test]
async fn a_number_that_many_share_cuts_nothing_off_unsaid() {
    const SHARING: usize = 60;
    let (world, app) = World::unlimited().await;
    let name = |n: usize| format!("王{}", char::from_u32(0x4e00 + u32::try_from(n).unwrap()).unwrap());
    let agent = world.actor(&app, "agent");
    let take = async |n: usize| agent.intake(json!({"name": name(n), "caller_number": NUMBER})).await;
    let mut references = Vec::new();
    for n in 0..SHARING {
        references.push(take(n).await.at("/caller/ref"));
    }
    for n in [0, SHARING / 2, SHARING - 1] {
        let again = take(n).await;
        assert_eq!(again.at("/caller/matched"), "certain", "{}", again.text);
        assert_eq!(again.at("/caller/ref"), references[n]);
    }
    let stranger = take(SHARING).await.json();
    assert_eq!(stranger["caller"]["matched"], "tentative");
    assert_eq!(stranger["caller"]["candidates"], Value::Null, "nobody of that name");
    assert_eq!(stranger["caller"]["more_candidates"], true);
    let found = agent.lookup(NUMBER).await.json();
    assert_eq!(found["callers"].as_array().unwrap().len(), 50);
    assert_eq!(found["more"], true);
}
