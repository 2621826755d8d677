//! The whole policy as a table, and what must hold in every cell of it.

mod golden;
mod rules;
mod tickets;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use self::golden::{Cells, matrix};
use self::rules::keeps_the_rules;
use super::Policy;
use super::engine::is_allowed;
use super::question::{FieldKind, Flags, Question, Situation, Subject};
use crate::model::ask::Action;
use crate::model::fields::{Field, FieldSet};
use crate::model::principals::{DepartmentKind, Role};
use crate::model::purposes::{Form, Purpose};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy.golden");

const NOTHING: Flags = Flags {
    ticket_known: false,
    open: false,
    answered: false,
    told: false,
    worked_on: false,
    held: false,
    returned: false,
    origin: false,
    about: false,
    own_call: false,
    confidential: false,
    caller_known: false,
    concerns: false,
    approved: false,
    by_code: false,
};

const HELD: Flags = Flags {
    ticket_known: true,
    open: true,
    worked_on: true,
    held: true,
    about: true,
    caller_known: true,
    concerns: true,
    ..NOTHING
};
const TAKEN: Flags = Flags {
    worked_on: false,
    held: false,
    origin: true,
    ..HELD
};

/// How things may stand. What is not named here is a mixture of these.
const CONDITIONS: [(&str, Flags); 16] = [
    ("nothing", NOTHING),
    (
        "approved",
        Flags {
            approved: true,
            ..NOTHING
        },
    ),
    (
        "own-call",
        Flags {
            held: true,
            own_call: true,
            ..TAKEN
        },
    ),
    (
        "own-call-confidential",
        Flags {
            held: true,
            own_call: true,
            confidential: true,
            ..TAKEN
        },
    ),
    ("origin", TAKEN),
    (
        "origin-approved",
        Flags {
            approved: true,
            ..TAKEN
        },
    ),
    (
        "origin-confidential",
        Flags {
            confidential: true,
            ..TAKEN
        },
    ),
    (
        "origin-answered",
        Flags {
            answered: true,
            told: true,
            ..TAKEN
        },
    ),
    (
        "origin-over",
        Flags {
            open: false,
            told: true,
            ..TAKEN
        },
    ),
    ("held", HELD),
    (
        "held-not-worked-on",
        Flags {
            worked_on: false,
            returned: true,
            ..HELD
        },
    ),
    (
        "held-confidential",
        Flags {
            confidential: true,
            ..HELD
        },
    ),
    ("held-closed", Flags { open: false, ..HELD }),
    ("held-other-caller", Flags { about: false, ..HELD }),
    (
        "elsewhere",
        Flags {
            held: false,
            concerns: false,
            ..HELD
        },
    ),
    (
        "origin-by-code",
        Flags {
            worked_on: true,
            by_code: true,
            ..TAKEN
        },
    ),
];

fn shipped() -> (Policy, FieldSet) {
    let fields = FieldSet::shipped().unwrap();
    (load(Policy::SHIPPED_POLICIES, &fields).unwrap(), fields)
}

fn load(policies: &str, fields: &FieldSet) -> Result<Policy, super::PolicyError> {
    Policy::load(policies, Policy::SHIPPED_SCHEMA, fields, &[FieldSet::SHIPPED])
}

/// One line of the table: who does what to which field in which form.
struct Line<'f> {
    role: Role,
    action: Action,
    field: Option<&'f Field>,
    form: Option<Form>,
    approves: Option<Action>,
}

fn lines(fields: &FieldSet) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for &role in Role::ALL {
        for &action in Action::ALL {
            if !action.is_about_fields() {
                let line = |approves| Line {
                    role,
                    action,
                    field: None,
                    form: None,
                    approves,
                };
                let approves = Action::two_persons().map(Some);
                lines.push(line(None));
                lines.extend(approves.filter(|_| action == Action::Approve).map(line));
                continue;
            }
            let forms = if action == Action::Reveal {
                vec![Some(Form::Clear), Some(Form::Masked), None]
            } else {
                vec![None]
            };
            for field in fields.iter() {
                lines.extend(forms.iter().map(|&form| Line {
                    role,
                    action,
                    field: Some(field),
                    form,
                    approves: None,
                }));
            }
        }
    }
    lines
}

impl Line<'_> {
    fn question(&self, kind: DepartmentKind, flags: Flags, purpose: Purpose) -> Question {
        let subject = self
            .field
            .map_or(Subject::Vault, |field| Subject::Field(FieldKind::of(field)));
        let situation = Situation {
            action: self.action,
            form: self.form,
            approves: self.approves,
            purpose,
            department_kind: kind,
            flags,
        };
        Question {
            role: self.role,
            subject,
            situation,
        }
    }

    /// Every cell that is permitted: kind of department, condition, purpose. What is absent is denied.
    fn permitted(&self, asked: &mut Asked<'_>) -> Vec<Cell> {
        let mut cells = Vec::new();
        for &kind in DepartmentKind::ALL {
            for (name, flags) in CONDITIONS {
                for &purpose in Purpose::ALL {
                    if asked.permits(self.question(kind, flags, purpose)) {
                        cells.push((kind, name, purpose));
                    }
                }
            }
        }
        cells
    }

    fn is(&self, role: Role, action: Action, field: &Field, form: Option<Form>) -> bool {
        let same = self.field.is_some_and(|own| own.name() == field.name());
        self.role == role && self.action == action && same && self.form == form
    }

    fn shows(&self) -> bool {
        matches!(
            self.action,
            Action::Reveal | Action::Verify | Action::Lookup | Action::Correct
        )
    }
}

/// A cell that is permitted: kind of department, condition, purpose.
type Cell = (DepartmentKind, &'static str, Purpose);

/// The policy, asked once about every question. Fields of one kind are one question.
struct Asked<'p> {
    policy: &'p Policy,
    answers: HashMap<Question, bool>,
    /// What had a say in any answer, and whether it ever decided alone.
    rules: BTreeMap<String, bool>,
}

impl Asked<'_> {
    fn permits(&mut self, question: Question) -> bool {
        if let Some(&known) = self.answers.get(&question) {
            return known;
        }
        let response = self.policy.engine.ask(question).unwrap();
        let reasons: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        let alone = reasons.len() == 1;
        for rule in reasons {
            *self.rules.entry(rule).or_default() |= alone;
        }
        let answer = is_allowed(&response);
        self.answers.insert(question, answer);
        answer
    }
}

/// The shipped policy, asked about every line.
struct Whole {
    policy: Policy,
    lines: Vec<(Line<'static>, Vec<Cell>)>,
    /// What had a say in any cell, and whether it ever decided alone.
    rules: BTreeMap<String, bool>,
}

static FIELDS: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::shipped().unwrap());
static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let (policy, _) = shipped();
    let mut asked = Asked {
        policy: &policy,
        answers: HashMap::new(),
        rules: BTreeMap::new(),
    };
    let lines = lines(&FIELDS).into_iter().map(|line| {
        let cells = line.permitted(&mut asked);
        (line, cells)
    });
    let lines = lines.collect();
    let rules = asked.rules;
    Whole { policy, lines, rules }
});

#[test]
fn the_table_is_as_agreed_and_keeps_the_rules_in_every_cell() {
    let Whole { policy, lines, rules } = &*WHOLE;
    let mut permitted: BTreeMap<(Role, Action, Purpose), Cells> = BTreeMap::new();
    for (line, cells) in lines {
        keeps_the_rules(line, cells);
        let approves = line.approves.map_or("-", Action::as_str);
        let name = line.field.map_or(approves, |field| field.name().as_str());
        for &(kind, condition, purpose) in cells {
            let block = permitted.entry((line.role, line.action, purpose)).or_default();
            block
                .entry((name.to_owned(), line.form))
                .or_default()
                .push((kind, condition));
        }
    }
    let table = matrix(&permitted);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &table).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (number, (now, agreed)) in table.lines().zip(golden.lines()).enumerate() {
        assert_eq!(
            now,
            agreed,
            "line {} of tests/policy.golden; if meant, run with UPDATE_GOLDEN=1",
            number + 1
        );
    }
    assert_eq!(
        table.lines().count(),
        golden.lines().count(),
        "the table has grown or shrunk"
    );
    for (rule, backstop) in policy.engine.rules() {
        let decided = rules.get(&rule).copied();
        assert!(
            decided.is_some_and(|alone| alone || backstop),
            "{rule} decides nothing that others do not: a dead rule, or one meant for something else"
        );
    }
}

#[test]
fn no_policy_permits_nothing() {
    let (_, fields) = shipped();
    let empty = load("", &fields).unwrap();
    assert!(lines(&fields).iter().all(|line| {
        CONDITIONS.iter().all(|(_, flags)| {
            Purpose::ALL.iter().all(|&purpose| {
                !empty
                    .engine
                    .permits(line.question(DepartmentKind::Centre, *flags, purpose))
            })
        })
    }));
}

#[test]
fn a_policy_with_a_mistake_is_refused() {
    let (_, fields) = shipped();
    let change = |from: &str, to: &str| {
        assert!(Policy::SHIPPED_POLICIES.contains(from));
        load(&Policy::SHIPPED_POLICIES.replace(from, to), &fields)
            .err()
            .expect("refused")
            .to_string()
    };
    change("context.open", "context.opne");
    change("\"handler\"", "\"handlre\"");
    change("permit", "permti");
}

#[test]
fn answers_are_remembered() {
    let (policy, fields) = shipped();
    let all = lines(&fields);
    let line = all
        .iter()
        .find(|line| line.role == Role::Handler && line.action == Action::Reveal)
        .unwrap();
    let question = line.question(DepartmentKind::Organ, HELD, Purpose::Handle);
    let first = policy.engine.permits(question);
    let remembered = policy.engine.remembered();
    assert_eq!(policy.engine.permits(question), first);
    assert_eq!(
        policy.engine.remembered(),
        remembered,
        "the second answer came from memory"
    );
}
