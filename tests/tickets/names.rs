//! A department has a reference of its own to each ticket: the number is the centre's and the caller's.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, Case, World};
use crate::tickets::life::busy;

/// What these tickets are called towards somebody.
pub(super) async fn called(actor: Actor<'_>, tickets: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for no in tickets {
        names.push(actor.get(format!("/v1/tickets/{no}")).await.is(200).at("/ticket"));
    }
    names
}

/// Everything a handler is answered in the course of a ticket.
async fn course(handler: Actor<'_>, ticket: &str) -> Vec<Value> {
    let at = format!("/v1/tickets/{ticket}");
    let mut answers = vec![
        handler.get(at.clone()).await.is(200).json(),
        handler.get("/v1/tickets").await.is(200).json(),
        handler.step(ticket, "sign", json!({})).await.is(200).json(),
        handler.step(ticket, "start", json!({})).await.is(200).json(),
        handler.get(at).await.is(200).json(),
    ];
    let caller = answers[4]["caller"]["ref"].as_str().unwrap().to_owned();
    answers.push(handler.get(format!("/v1/callers/{caller}")).await.is(200).json());
    let case = Case {
        no: ticket.to_owned(),
        reference: caller,
    };
    answers.push(handler.reveal(&case).masked().await.is(200).json());
    let text = handler.reveal_of_ticket(ticket).fields(&["text"]).masked().await;
    answers.push(text.is(200).json());
    answers.push(
        handler
            .verify(&case, "callback_number", "13900001111")
            .await
            .is(200)
            .json(),
    );
    let report = json!({"reason": "已查", "reply": "已整改"});
    answers.push(handler.step(ticket, "feedback", report).await.is(200).json());
    answers
}

/// The department's own name of its newest ticket.
async fn newest(handler: Actor<'_>) -> String {
    handler.get("/v1/tickets").await.is(200).at("/tickets/0/ticket")
}

#[tokio::test]
async fn no_answer_outside_the_centre_has_the_number_and_each_department_has_a_name_of_its_own() {
    let (world, app) = busy().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let taken = agent
        .take(crate::support::caller(crate::support::NAME, crate::support::NUMBER))
        .await;
    let mut names = Vec::new();
    for department in ["C1", "W2"] {
        dispatcher.dispatch(&taken.no, department).await.is(200);
        let handler = world.handler(&app, department);
        let name = newest(handler).await;
        assert_eq!(name.get(..2), Some(department));
        for answer in course(handler, &name).await {
            assert!(!answer.to_string().contains(&taken.no), "{answer}");
        }
        for step in ["review"] {
            dispatcher.step(&taken.no, step, json!({})).await.is(200);
        }
        names.push(name);
    }
    assert_ne!(names[0][3..], names[1][3..]);
    let page = dispatcher.get(taken.ticket()).await.is(200).json();
    assert_eq!(page["ticket"], json!(taken.no));
    assert_eq!(
        page["custody"].as_array().unwrap().len(),
        11,
        "the centre sees every step: {page}"
    );
}

#[tokio::test]
async fn outside_the_centre_a_ticket_has_days_and_the_department_s_own_steps() {
    let (world, app) = busy().await;
    let case = world.case(&app, "C1").await;
    world.actor(&app, "dispatcher").dispatch(&case.no, "W2").await.is(200);
    let page = world.actor(&app, "handler-w2").get(case.ticket()).await.is(200).json();
    let steps = page["custody"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    for step in steps {
        assert_eq!(step["holder"], "W2");
        assert!(step["at"].as_str().unwrap().ends_with("T00:00:00.000Z"), "{step}");
    }
    assert!(
        page["received_at"].as_str().unwrap().ends_with("T00:00:00.000Z"),
        "{page}"
    );
    let centre = world.actor(&app, "dispatcher").get(case.ticket()).await.is(200).json();
    assert_eq!(centre["custody"].as_array().unwrap().len(), 4);
}

/// The caller reads the number out, and the department that has the ticket may use it; the log says so.
#[tokio::test]
async fn who_names_a_ticket_by_its_number_outside_the_centre_is_in_the_log() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let auditor = world.actor(&app, "auditor");
    let named = async |index: u64| {
        let entry = auditor.get(format!("/v1/audit/events/{index}")).await.json();
        let leaf = &entry["leaf"];
        (leaf["ticket"].clone(), leaf["link"]["named_by"].clone())
    };
    let by_number = handler.get(case.ticket()).await.is(200);
    assert_eq!(named(by_number.index()).await, (json!(case.no), json!("number")));
    let own = by_number.at("/ticket");
    let by_own = handler.get(format!("/v1/tickets/{own}")).await.is(200);
    assert_eq!(named(by_own.index()).await, (json!(case.no), Value::Null));
    let centre = world.actor(&app, "dispatcher").get(case.ticket()).await.is(200);
    assert_eq!(named(centre.index()).await, (json!(case.no), Value::Null));
}

#[tokio::test]
async fn another_department_s_name_of_a_ticket_opens_nothing() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let own = newest(world.actor(&app, "handler-c1")).await;
    let auditor = world.actor(&app, "auditor");
    for (name, why) in [("handler-w2", "foreign-reference"), ("dispatcher", "foreign-reference")] {
        let other = world.actor(&app, name);
        let refused = other.get(format!("/v1/tickets/{own}")).await.fails(403, "refused");
        let entry = auditor.get(format!("/v1/audit/events/{}", refused.index())).await;
        assert_eq!(entry.at("/leaf/why"), why);
        assert_eq!(entry.at("/leaf/ticket"), "", "what it stands for was not looked up");
    }
    // Once the department has lost the ticket, its name leads to no more than the number does.
    world.actor(&app, "dispatcher").dispatch(&case.no, "W2").await.is(200);
    let handler = world.actor(&app, "handler-c1");
    let [by_own, by_number] = [
        handler.get(format!("/v1/tickets/{own}")).await.fails(403, "refused"),
        handler.get(case.ticket()).await.fails(403, "refused"),
    ];
    let told = |answer: &Answer| answer.at("/detail").split(" The refusal").next().map(str::to_owned);
    assert_eq!(told(&by_own), told(&by_number));
}

/// A name stays as long as the ticket is there, whatever becomes of the department's references to callers.
#[tokio::test]
async fn a_ticket_s_name_does_not_change() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let before = newest(handler).await;
    let admin = world.actor(&app, "security-admin");
    let rotate = crate::support::Request::post("/v1/admin/departments/C1/references/rotate", &json!({"grace_days": 0}));
    admin.send(rotate.version(1)).await.is(200);
    assert_eq!(newest(handler).await, before);
    handler.get(format!("/v1/tickets/{before}")).await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The list goes on from a department's own name, page after page.
#[tokio::test]
async fn a_department_s_list_is_paged_by_its_own_names() {
    let (world, app) = World::new().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(world.case(&app, "C1").await.no);
    }
    let handler = world.actor(&app, "handler-c1");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = handler.get(format!("/v1/tickets?limit=2{after}")).await.is(200).json();
        for line in page["tickets"].as_array().unwrap() {
            seen.push(line["ticket"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
    assert!(seen.iter().all(|name| name.starts_with("C1") && !all.contains(name)));
    // Behind a number the list tells nothing, whether the department has that ticket or not.
    for order in ["queue", "newest"] {
        let by_number = handler
            .get(format!("/v1/tickets?order={order}&after={}.0", all[2]))
            .await;
        let unknown = handler
            .get(format!("/v1/tickets?order={order}&after=00000000000195.0"))
            .await;
        let told = |answer: &Answer| answer.json()["tickets"].clone();
        assert_eq!(told(&by_number), told(&unknown), "{order}");
    }
}
