//! The rules of a ticket's life, told once more and apart from the program, and whatever several people try at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use callervault::http::App;
use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::life::{body, busy};
use crate::support::{Answer, Case, NAME, NUMBER, World, caller};

/// The rules: a step, from where to where (`*`: anywhere, and where it is), who has the ticket then, and who may take it.
const RULES: &[(&str, &str, &str, Then, &str)] = &[
    ("answer", "accepted", "answered", Then::Same, "agent dispatcher"),
    ("refuse", "accepted", "refused", Then::Same, "agent dispatcher"),
    (
        "transfer-out",
        "accepted",
        "transferred_out",
        Then::Same,
        "agent dispatcher",
    ),
    (
        "dispatch",
        "accepted dispatched return_asked signed in_progress extension_asked review callback",
        "dispatched",
        Then::Named,
        "dispatcher",
    ),
    ("sign", "dispatched", "signed", Then::Same, "handler"),
    ("return", "dispatched", "return_asked", Then::Same, "handler"),
    ("accept-return", "return_asked", "accepted", Then::Centre, "dispatcher"),
    ("deny-return", "return_asked", "signed", Then::Same, "dispatcher"),
    ("start", "signed", "in_progress", Then::Same, "handler"),
    ("extend", "signed in_progress", "extension_asked", Then::Same, "handler"),
    (
        "grant-extension",
        "extension_asked",
        "in_progress",
        Then::Same,
        "dispatcher",
    ),
    (
        "refuse-extension",
        "extension_asked",
        "in_progress",
        Then::Same,
        "dispatcher",
    ),
    (
        "feedback",
        "signed in_progress extension_asked",
        "feedback",
        Then::Centre,
        "handler",
    ),
    ("review", "feedback", "review", Then::Same, "dispatcher"),
    ("pass", "review", "callback", Then::Same, "dispatcher"),
    ("callback", "callback", "*", Then::Same, "callback"),
    ("supervise", "*", "*", Then::Same, "supervisor"),
    ("unsupervise", "*", "*", Then::Same, "supervisor"),
    (
        "redo",
        "review callback",
        "in_progress",
        Then::Worker,
        "dispatcher callback supervisor",
    ),
    ("close", "callback", "closed", Then::Same, "dispatcher callback"),
    ("close", "answered", "closed", Then::Same, "agent dispatcher callback"),
    ("withdraw", "accepted", "withdrawn", Then::Same, "agent"),
    ("withdraw", "*", "withdrawn", Then::Same, "dispatcher"),
    ("terminate", "*", "terminated", Then::Same, "dispatcher supervisor"),
];
/// States in which a department works on the ticket.
const WORKED_ON: &str = "signed in_progress extension_asked";
const OVER: &str = "closed refused transferred_out withdrawn terminated";
const DEPARTMENTS: [&str; 3] = ["C1", "W2", "E4"];
const STAFF: [&str; 7] = [
    "agent",
    "dispatcher",
    "callback",
    "supervisor",
    "handler-c1",
    "handler-w2",
    "handler-e4",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Same,
    Named,
    Centre,
    Worker,
}

/// A ticket as the rules have it.
#[derive(Clone)]
struct Model {
    state: &'static str,
    holder: String,
    worker: String,
    /// Extensions since it was sent to a department, or back to one.
    extensions: usize,
    supervised: bool,
    /// Each state it came to, and who had it then.
    custody: Vec<(String, String)>,
}

fn is_in(word: &str, words: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// Whether the rules name the role for the step, whatever the ticket.
fn names(step: &str, who: &str) -> bool {
    let role = who.split('-').next().unwrap();
    RULES.iter().any(|rule| rule.0 == step && is_in(role, rule.4))
}

impl Model {
    fn new() -> Self {
        Self {
            state: "accepted",
            holder: "H0".into(),
            worker: String::new(),
            extensions: 0,
            supervised: false,
            custody: vec![("accepted".into(), "H0".into())],
        }
    }

    fn is_open(&self) -> bool {
        !is_in(self.state, OVER)
    }

    fn department(who: &str) -> String {
        who.strip_prefix("handler-")
            .map_or_else(|| "H0".into(), str::to_uppercase)
    }

    /// Whether somebody may take the step as far as role and custody go.
    fn permits(&self, step: &str, who: &str) -> bool {
        let role = who.split('-').next().unwrap();
        let by_agent = |of: &str| role == "agent" && step == of;
        self.is_open()
            && names(step, who)
            && (role != "handler" || self.holder == Self::department(who))
            && (!by_agent("close") || self.state == "answered")
            && (!by_agent("withdraw") || self.custody.len() == 1)
            && (role != "callback" || is_in(self.state, "answered callback"))
    }

    /// The rule by which the step leads on from here.
    fn leads(&self, step: &str, named: &str) -> Option<(&'static str, String)> {
        let from_here = |from: &str| from == "*" || is_in(self.state, from);
        let (_, _, to, then, _) = RULES.iter().find(|rule| rule.0 == step && from_here(rule.1))?;
        let lies_there = is_in(self.state, "dispatched return_asked") || is_in(self.state, WORKED_ON);
        let not_now = match step {
            "dispatch" => lies_there && named == self.holder,
            "extend" => self.extensions > 0,
            "supervise" => self.supervised,
            "unsupervise" => !self.supervised,
            _ => false,
        };
        let to = if *to == "*" { self.state } else { to };
        let holder = match then {
            Then::Same => self.holder.clone(),
            Then::Named => named.to_owned(),
            Then::Centre => "H0".into(),
            Then::Worker => self.worker.clone(),
        };
        (!not_now && self.is_open()).then_some((to, holder))
    }

    fn step(&mut self, step: &str, named: &str) {
        let (state, holder) = self.leads(step, named).expect("a step that the rules do not have");
        if is_in(state, WORKED_ON) {
            self.worker.clone_from(&holder);
        }
        match step {
            "dispatch" | "redo" => self.extensions = 0,
            "grant-extension" => self.extensions += 1,
            "supervise" | "unsupervise" => self.supervised = !self.supervised,
            _ => {}
        }
        self.custody.push((state.to_owned(), holder.clone()));
        (self.state, self.holder) = (state, holder);
    }

    fn shows_to(&self, department: &str) -> bool {
        is_in(self.state, WORKED_ON) && self.holder == department
    }
}

/// What somebody tries with a ticket.
#[derive(Clone, Debug)]
struct Try {
    ticket: usize,
    who: &'static str,
    /// A step, or nothing to be shown the caller.
    step: Option<&'static str>,
    named: &'static str,
}

/// Numbers from which a try is made: a ticket, a person, a step, a department, and whether it follows the rules.
type Numbers = (usize, usize, usize, usize, u8);

impl Try {
    /// Most tries are what the rules allow; the rest are anything.
    fn of((ticket, who, step, named, luck): Numbers, models: &[Model]) -> Self {
        let named = DEPARTMENTS[named % DEPARTMENTS.len()];
        let model = &models[ticket % models.len()];
        let mut chosen: Vec<(&str, Option<&str>)> = Vec::new();
        for who in STAFF {
            chosen.extend(RULES.iter().map(|rule| (who, Some(rule.0))));
            chosen.push((who, None));
        }
        if luck < 180 {
            // Endings are rare, so that most tickets live long.
            let lives = |step: &str| luck == 0 || !is_in(step, "answer refuse transfer-out withdraw terminate");
            chosen.retain(|(who, step)| match step {
                Some(step) => model.permits(step, who) && model.leads(step, named).is_some() && lives(step),
                None => model.shows_to(&Model::department(who)),
            });
        }
        let (who, step) = if chosen.is_empty() {
            ("dispatcher", Some("dispatch"))
        } else {
            chosen[who.wrapping_mul(31).wrapping_add(step) % chosen.len()]
        };
        Self {
            ticket: ticket % models.len(),
            who,
            step,
            named,
        }
    }

    fn is_allowed(&self, model: &Model) -> bool {
        match self.step {
            Some(step) => model.permits(step, self.who) && model.leads(step, self.named).is_some(),
            None => model.shows_to(&Model::department(self.who)),
        }
    }

    async fn send(&self, world: &World, app: &Arc<App>, no: &str) -> Answer {
        let actor = world.actor(app, self.who);
        let Some(step) = self.step else {
            let page = actor.get(format!("/v1/tickets/{no}")).await;
            if page.status != 200 {
                return page;
            }
            let case = Case {
                no: no.to_owned(),
                reference: page.at("/caller/ref"),
            };
            return actor.reveal(&case).fields(&["salutation"]).masked().await;
        };
        let mut body = body(step);
        if step == "dispatch" {
            body["department"] = json!(self.named);
        }
        actor.step(no, step, body).await
    }
}

/// What was granted or refused, by its place in the log.
type Told = BTreeMap<u64, (Try, Answer)>;

/// Goes through the log's order, and finds each answer as the rules have it. What is granted is so where it stands in the log. A refusal
/// is decided on the ticket as it was at some moment since it was asked for.
fn judge(told: Told, models: &mut [Model]) -> usize {
    let mut granted = 0;
    let mut seen: Vec<Vec<Model>> = models.iter().map(|model| vec![model.clone()]).collect();
    for (one, answer) in told.into_values() {
        let model = &mut models[one.ticket];
        let department = Model::department(one.who);
        let seen = &mut seen[one.ticket];
        match (answer.status, one.step) {
            (200, Some(step)) => {
                assert!(model.permits(step, one.who), "{one:?} from {}", model.state);
                model.step(step, one.named);
                let expected = (model.state.into(), model.holder.clone());
                assert_eq!((answer.at("/state"), answer.at("/holder")), expected);
                let steps = json!(model.custody.len());
                assert_eq!(answer.json()["version"], steps, "one step after the other");
                seen.push(model.clone());
                granted += 1;
            }
            (200, None) => {
                assert!(model.shows_to(&department), "{one:?} while it is {}", model.state);
                granted += 1;
            }
            (403, step) => {
                let permits = |model: &Model| match step {
                    Some(step) => model.permits(step, one.who),
                    None => model.shows_to(&department),
                };
                assert!(!seen.iter().all(permits), "{one:?} from {}", model.state);
            }
            (status, _) => unreachable!("{one:?}: {status} {}", answer.text),
        }
    }
    granted
}

async fn live(numbers: Vec<Numbers>) -> usize {
    let (world, app) = busy().await;
    let agent = world.actor(&app, "agent");
    let mut models = Vec::new();
    let mut tickets = Vec::new();
    for _ in 0..6 {
        tickets.push(agent.take(caller(NAME, NUMBER)).await.no);
        models.push(Model::new());
    }
    let mut granted = 0;
    for together in numbers.chunks(6) {
        let tries: Vec<Try> = together.iter().map(|numbers| Try::of(*numbers, &models)).collect();
        let answers = join_all(tries.iter().map(|one| one.send(&world, &app, &tickets[one.ticket]))).await;
        let logged = tries.into_iter().zip(answers).filter(|(one, answer)| {
            // What the rules do not lead on from, or what somebody else was faster with, has no entry. Their role may take it.
            let may = one.step.is_some_and(|step| names(step, one.who));
            let known = matches!(answer.status, 200 | 403 | 412) || (may && matches!(answer.status, 409 | 422));
            assert!(known, "{one:?}: {}", answer.text);
            matches!(answer.status, 200 | 403)
        });
        let told = logged.map(|(one, answer)| (answer.index(), (one, answer))).collect();
        granted += judge(told, &mut models);
        // With nobody beside it, what the rules allow is done.
        let (ticket, who, step, named, _) = together[0];
        let alone = Try::of((ticket, who, step, named, 100), &models);
        if alone.is_allowed(&models[alone.ticket]) {
            let answer = alone.send(&world, &app, &tickets[alone.ticket]).await.is(200);
            granted += judge(BTreeMap::from([(answer.index(), (alone, answer))]), &mut models);
        }
    }
    let dispatcher = world.actor(&app, "dispatcher");
    for (no, model) in tickets.iter().zip(&models) {
        let page = dispatcher
            .get(format!("/v1/tickets/{no}?purpose=dispatch"))
            .await
            .is(200)
            .json();
        let steps = page["custody"].as_array().unwrap().iter();
        let word = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        let custody: Vec<_> = steps.map(|step| (word(step, "state"), word(step, "holder"))).collect();
        assert_eq!(custody, model.custody, "replayed");
        assert_eq!(
            (&page["state"], &page["holder"]),
            (&json!(model.state), &json!(model.holder))
        );
        let beside = (&page["supervised"], &page["extensions"], page["due"].is_string());
        let lies_there = is_in(model.state, "dispatched return_asked") || is_in(model.state, WORKED_ON);
        let extensions = json!(model.extensions);
        assert_eq!(beside, (&json!(model.supervised), &extensions, lies_there));
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
    granted
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 24, ..ProptestConfig::default() })]

    /// Several departments, several hands at once: there is one holder at any time, nothing is shown but to the department that works on the
    /// ticket, and the ledger of custody says how it came to where it is.
    #[test]
    fn whatever_is_tried_each_ticket_keeps_to_the_rules(numbers in prop::collection::vec(any::<Numbers>(), 240)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let tried = numbers.len();
        let granted = runtime.block_on(live(numbers));
        prop_assert!(granted > tried / 6, "{granted} of {tried}: too few to tell anything");
    }
}
