//! The tables of actions and of transitions: documentation is made of them, and the rest is held to them.

use std::fmt::Write as _;

use callervault::model::actions::{Action, Judged, Needs, Silence};
use callervault::model::fields::{FieldSet, ValueRule};
use callervault::model::problems::ProblemKind;
use callervault::model::tickets::TicketState;
use callervault::model::transitions::Transition;
use serde_json::{Value, json};

use crate::support::{NAME, NUMBER, World, caller};

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
    let mut text =
        "# Actions\n\nMade from the table in `src/model/actions.rs` by `tests/model/tables.rs`. Who may do what is in \
        `policies/need-to-know.cedar`.\n\n| act | meaning | 含义 | OCSF activity | judged | ticket | two persons | \
        witnesses' silence |\n|---|---|---|---|---|---|---|---|\n"
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
            Needs::TicketAbout => "about the caller",
            Needs::OpenTicketAbout => "open, about the caller",
        };
        let persons = if kind.two_persons { "yes" } else { "" };
        let silence = match kind.silence {
            Silence::Passes => "",
            Silence::BarsBulk => "bars it when nothing leaves in bulk",
            Silence::BarsFields => "bars it when no field is shown",
        };
        let (activity, label) = (format!("{:?}", kind.activity), action.label());
        writeln!(
            text,
            "| `{action}` | {} | {} | {activity} | {judged} | {needs} | {persons} | {silence} |",
            label.en, label.zh
        )
        .unwrap();
    }
    is_documented("actions.md", &text);
}

#[test]
fn the_page_of_transitions_is_as_the_table() {
    let mut text = "# Transitions\n\nMade from the table in `src/model/transitions.rs` by `tests/model/tables.rs`. A step is taken by \
        `POST /v1/tickets/{ticket}/{transition}`.\n\n| transition | meaning | 含义 | act | from | to | holder afterwards | reason sealed as | \
        reply sealed as | also needs | usual purpose |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for transition in Transition::ALL {
        let step = transition.step();
        let from: Vec<String> = step.from.iter().map(ToString::to_string).collect();
        let to = step.to.map_or("as before", TicketState::as_str);
        let (action, from) = (step.action, from.join(", "));
        let (label, holder) = (transition.label(), step.holder.label().en);
        let field = |name: Option<&str>| name.map_or_else(String::new, |name| format!(" `{name}`"));
        let (reason, reply, purpose) = (field(step.reason), field(step.reply), step.purpose);
        let needs = match transition {
            _ if transition.takes_working_days() => " `working_days`",
            _ if transition.takes_results() => " `results`",
            _ => "",
        };
        writeln!(
            text,
            "| `{transition}` | {} | {} | `{action}` | {from} | {to} | {holder} |{reason} |{reply} |{needs} | {purpose} |",
            label.en, label.zh
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
    text.push_str(
        "\n## Rules of values\n\nMade from `src/model/fields/value_rules.rs`. `invalid` of a problem and `left_out` of an intake name \
        the rule that a value breaks; `detail` has its words.\n\n| rule | what the value must be | 要求 |\n|---|---|---|\n",
    );
    for rule in ValueRule::all() {
        writeln!(text, "| `{}` | {} | {} |", rule.name, rule.words.en, rule.words.zh).unwrap();
    }
    is_documented("problems.md", &text);
}

/// Without a field for the reason a ticket could be taken and never closed.
#[tokio::test]
async fn a_vault_without_a_field_that_the_program_writes_does_not_start() {
    let world = World::closed().await;
    for name in [
        "text",
        "dispatch_reason",
        "return_reason",
        "extension_reason",
        "supervise_reason",
        "close_reason",
        "reply_internal",
        "reply_public",
        "correction_reason",
    ] {
        let declared = FieldSet::SHIPPED.replace(&format!("name = \"{name}\""), "name = \"something_else\"");
        assert_ne!(declared, FieldSet::SHIPPED, "{name} is declared");
        std::fs::write(world.places.policies.join("fields.toml"), declared).unwrap();
        let error = world.refusal().await;
        assert!(error.contains(name) && error.lines().count() == 2, "{error}");
    }
}

#[tokio::test]
async fn what_a_step_must_and_must_not_name() {
    let (world, app) = World::new().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let case = agent.take(caller(NAME, NUMBER)).await;
    let step = async |word: &str, body: &Value| dispatcher.post(format!("{}/{word}", case.ticket()), body).await;
    let reason = json!({"reason": "请核查"});
    step("dispatch", &reason).await.fails(422, "no-department");
    let named = json!({"reason": "撤诉", "department": "C1"});
    step("withdraw", &named).await.fails(422, "no-department-here");
    step("withdraw", &json!({})).await.fails(422, "no-text");
    step("answer", &json!({})).await.fails(422, "no-text");
    let both = json!({"reason": "不属本单位职责", "reply": "已答复"});
    step("withdraw", &both).await.fails(422, "no-text-here");
    step("answer", &both).await.fails(422, "no-text-here");
    step("burn", &reason).await.fails(404, "not-found");
}

/// A policy that forgets the state of a ticket does not bring a closed one back.
#[tokio::test]
async fn a_step_leads_from_the_states_of_the_table_alone() {
    let world = World::closed().await;
    let policy = callervault::policy::Policy::SHIPPED_POLICIES;
    let lax = format!(
        "{policy}\n@id(\"lax\")\npermit (principal == CallerVault::Role::\"dispatcher\", action in \
        [CallerVault::Action::\"ticket.dispatch\", CallerVault::Action::\"ticket.close\"], resource);\n"
    );
    std::fs::write(world.places.policies.join("need-to-know.cedar"), lax).unwrap();
    let app = world.open().await;
    let case = world.case(&app, "C1").await;
    let dispatcher = world.actor(&app, "dispatcher");
    world.ended(&app, &case.no).await;
    dispatcher.dispatch(&case.no, "W2").await.fails(409, "wrong-state");
}
