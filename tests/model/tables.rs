//! The tables of actions and of transitions: documentation is made of them, and the rest is held to them.

use std::fmt::Write as _;

use callervault::model::actions::{Action, Judged, Needs, Silence};
use callervault::model::fields::FieldSet;
use callervault::model::problems::ProblemKind;
use callervault::model::transitions::Transition;
use serde_json::json;

use crate::support::{World, caller, intake};

/// The page as it should be; with `UPDATE=1` in the environment it is written.
fn is_documented(page: &str, text: &str) {
    let path = format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        there, text,
        "{page} is not as the table has it: run this test with UPDATE=1"
    );
}

#[test]
fn the_page_of_actions_is_as_the_table() {
    let mut text = "# Actions\n\nMade from the table in `src/model/actions.rs` by `tests/model/tables.rs`. Who may do what is in \
        `policies/need-to-know.cedar`.\n\n| act | OCSF activity | judged | ticket | two persons | witnesses' silence |\n\
        |---|---|---|---|---|---|\n"
        .to_owned();
    for action in Action::ALL {
        let kind = action.kind();
        let judged = match kind.judged {
            Judged::ByField => "field by field",
            Judged::Writing => "as a whole; may write fields",
            Judged::Whole => "as a whole",
        };
        let needs = match kind.needs {
            Needs::Nothing => "",
            Needs::Ticket => "of the department",
            Needs::OpenTicket => "open",
            Needs::OpenTicketAbout => "open, about the caller",
        };
        let persons = if kind.two_persons { "yes" } else { "" };
        let silence = match kind.silence {
            Silence::Passes => "",
            Silence::BarsBulk => "bars it when nothing leaves in bulk",
            Silence::BarsFields => "bars it when no field is shown",
        };
        let activity = format!("{:?}", kind.activity);
        writeln!(
            text,
            "| `{action}` | {activity} | {judged} | {needs} | {persons} | {silence} |"
        )
        .unwrap();
    }
    is_documented("actions.md", &text);
}

#[test]
fn the_page_of_transitions_is_as_the_table() {
    let mut text = "# Transitions\n\nMade from the table in `src/model/transitions.rs` by `tests/model/tables.rs`. A step is taken by \
        `POST /v1/tickets/{no}/{transition}`.\n\n| transition | act | from | to | holder afterwards | reason sealed as | \
        usual purpose |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for transition in Transition::ALL {
        let step = transition.step();
        let from: Vec<String> = step.from.iter().map(ToString::to_string).collect();
        let (action, from, to) = (step.action, from.join(", "), step.to);
        let holder = step.holder.words();
        let (reason, purpose) = (step.reason, step.purpose);
        writeln!(
            text,
            "| `{transition}` | `{action}` | {from} | {to} | {holder} | `{reason}` | {purpose} |"
        )
        .unwrap();
    }
    is_documented("transitions.md", &text);
}

#[test]
fn the_page_of_problems_is_as_the_catalogue() {
    let mut text = "# Problems\n\nMade from the catalogue in `src/model/problems/` by `tests/model/tables.rs`. Each is answered as \
        `application/problem+json` (RFC 9457) with `type` `urn:callervault:problem:<name>`. The words are in English or, by \
        `Accept-Language: zh`, in Chinese.\n\n| name | status | what happened | what to do | 发生了什么 | 怎么办 |\n\
        |---|---|---|---|---|---|\n"
        .to_owned();
    for kind in ProblemKind::all() {
        let (name, status, title, remedy) = (kind.name, kind.status, kind.title, kind.remedy);
        writeln!(
            text,
            "| `{name}` | {status} | {} | {} | {} | {} |",
            title.en, remedy.en, title.zh, remedy.zh
        )
        .unwrap();
    }
    is_documented("problems.md", &text);
}

/// Without a field for the reason a ticket could be taken and never closed.
#[tokio::test]
async fn a_vault_without_a_field_that_the_program_writes_does_not_start() {
    let (world, app) = World::new().await;
    drop(app);
    for name in [
        "text",
        "dispatch_reason",
        "return_reason",
        "close_reason",
        "correction_reason",
    ] {
        let declared = FieldSet::SHIPPED.replace(&format!("name = \"{name}\""), "name = \"something_else\"");
        assert_ne!(declared, FieldSet::SHIPPED, "{name} is declared");
        std::fs::write(world.places.policies.join("fields.toml"), declared).unwrap();
        let error = world.try_open().await.err().expect("refused").to_string();
        assert!(error.contains(name) && error.lines().count() == 2, "{error}");
    }
}

#[tokio::test]
async fn what_a_step_must_and_must_not_name() {
    let (world, app) = World::new().await;
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", "13900001111")))
        .await;
    let no = taken.at("/ticket/no");
    let step = async |who: &str, word: &str, body: serde_json::Value| {
        let answer = world.post(&app, who, &format!("/v1/tickets/{no}/{word}"), &body).await;
        (answer.status, answer.problem())
    };
    let reason = json!({"reason": "请核查"});
    let bad = |name: &str| (422, name.to_owned());
    assert_eq!(
        step("dispatcher", "dispatch", reason.clone()).await,
        bad("no-department")
    );
    let named = json!({"reason": "完成", "department": "C1", "purpose": "dispatch"});
    assert_eq!(step("dispatcher", "close", named).await, bad("no-department-here"));
    assert_eq!(step("dispatcher", "burn", reason).await, (404, "not-found".to_owned()));
}

/// A policy that forgets the state of a ticket does not bring a closed one back.
#[tokio::test]
async fn a_step_leads_from_the_states_of_the_table_alone() {
    let (world, app) = World::new().await;
    drop(app);
    let policy = callervault::policy::Policy::SHIPPED_POLICIES;
    let lax = format!(
        "{policy}\n@id(\"lax\")\npermit (principal == CallerVault::Role::\"dispatcher\", action in \
        [CallerVault::Action::\"ticket.dispatch\", CallerVault::Action::\"ticket.close\"], resource);\n"
    );
    std::fs::write(world.places.policies.join("need-to-know.cedar"), lax).unwrap();
    let app = world.open().await;
    let (no, _) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let close = json!({"reason": "完成", "purpose": "dispatch"});
    let path = |word: &str| format!("/v1/tickets/{no}/{word}");
    let closed = world.post(&app, "dispatcher", &path("close"), &close).await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    let again = json!({"reason": "再办", "department": "W2"});
    let answer = world.post(&app, "dispatcher", &path("dispatch"), &again).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (409, "wrong-state"),
        "{}",
        answer.text
    );
}
