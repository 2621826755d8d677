//! Rules that the policy keeps whatever the golden table says: a table approves what somebody has let pass.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, FIELDS, Line, NOTHING, WHOLE, lines, shipped};
use crate::model::ask::Action;
use crate::model::fields::Field;
use crate::model::ids::RecordKind;
use crate::model::principals::{DepartmentKind, Role, Roles};
use crate::model::purposes::{Form, Purpose};
use crate::policy::question::{Flags, Question, Situation, Subject};

/// Conditions in which a second person has approved the request.
const OF_TWO: [&str; 2] = ["approved", "origin-approved"];

/// All ways in which a confidential ticket may stand to an asker.
fn confidential() -> impl Iterator<Item = Flags> {
    (0..32_u8).map(|bits| {
        let bit = |n: u8| bits >> n & 1 == 1;
        Flags {
            ticket_known: true,
            open: bit(0),
            answered: true,
            told: true,
            worked_on: true,
            held: bit(1),
            returned: true,
            origin: bit(2),
            about: bit(3),
            own_call: bit(4),
            confidential: true,
            caller_known: true,
            concerns: true,
            approved: true,
            by_code: false,
        }
    })
}

/// A rule that no table overrules: on a confidential ticket nothing of the caller, in any form, by any act, outside the centre
/// that took it.
#[test]
fn a_confidential_ticket_tells_nothing_of_its_caller_outside_the_centre() {
    let (policy, fields) = shipped();
    let of_caller: BTreeSet<&str> = fields
        .of(RecordKind::Caller)
        .map(|field| field.group().as_str())
        .collect();
    assert!(
        of_caller.contains("correction") && !of_caller.contains("reason"),
        "{of_caller:?}"
    );
    let asks = |line: &Line<'_>| {
        let caller = line.field.is_some_and(|field| field.record() == RecordKind::Caller);
        caller && matches!(line.action, Action::Reveal | Action::Verify | Action::Correct)
    };
    // Fields of one kind are one question to the policy, and a role acts for its own purposes only.
    let mut asked = BTreeSet::new();
    let purposes = |role| {
        let list = move |purpose| Question {
            role,
            subject: Subject::Vault,
            situation: Situation {
                action: Action::ListTickets,
                form: None,
                approves: None,
                purpose,
                department_kind: DepartmentKind::Organ,
                flags: NOTHING,
            },
        };
        let of_role = Purpose::ALL.iter().copied();
        of_role
            .filter(|&purpose| policy.engine.permits(list(purpose)))
            .collect::<Vec<_>>()
    };
    for line in lines(&fields).iter().filter(|line| asks(line)) {
        let kind = line.field.map(|field| (field.group().as_str(), field.class().as_str()));
        if !asked.insert((line.role, line.action, line.form, kind)) {
            continue;
        }
        let purposes = purposes(line.role);
        for &kind in DepartmentKind::ALL {
            let inside = |flags: &Flags| kind == DepartmentKind::Centre && flags.origin;
            for flags in confidential().filter(|flags| !inside(flags)) {
                for &purpose in &purposes {
                    let question = line.question(kind, flags, purpose);
                    let name = line.field.map(|field| field.name().as_str());
                    assert!(
                        !policy.engine.permits(question),
                        "{} {} {name:?} {:?} in a {kind}",
                        line.role,
                        line.action,
                        line.form
                    );
                }
            }
        }
    }
}

pub(super) fn keeps_the_rules(line: &Line<'_>, cells: &[Cell]) {
    let what = format!("{} {} {:?}", line.role, line.action, line.field.map(Field::name));
    let barred = line.role.is_administrator() || matches!(line.role, Role::Analyst | Role::Dpo);
    assert!(
        !(barred && line.shows() && !cells.is_empty()),
        "{what}: reads no field (P9)"
    );
    if line.action.kind().two_persons {
        let alone = cells.iter().find(|(_, condition, _)| !OF_TWO.contains(condition));
        assert_eq!(alone, None, "{what}: without a second person");
        assert!(
            line.role != Role::Auditor || cells.is_empty() || line.action == Action::SubjectExposure,
            "{what}: approves, and asks for nothing else"
        );
    }
    if line.action == Action::Reveal {
        for (_, condition, _) in cells {
            assert!(
                !["nothing", "approved", "held-closed", "held-other-caller", "elsewhere"].contains(condition)
                    && (*condition != "origin-over"
                        || line.field.is_some_and(
                            |field| ["answer", "reason", "return", "extension"].contains(&field.group().as_str())
                        )),
                "{what}: {condition}"
            );
            let of_caller = line.field.is_some_and(|field| field.record() == RecordKind::Caller);
            let clear = of_caller && line.form == Some(Form::Clear);
            let hidden = clear && condition.ends_with("confidential") && *condition != "own-call-confidential";
            assert!(!hidden, "{what}: a confidential caller in clear");
        }
    }
}

/// No confidential call is joined with another, nor parted from one, by whoever asks and approves (decision 0018).
#[test]
fn a_confidential_ticket_is_joined_with_nothing() {
    let (policy, _) = shipped();
    let mut joined = 0;
    for action in Action::two_persons().filter(|action| action.moves_values()) {
        for &role in Role::ALL {
            for &kind in DepartmentKind::ALL {
                for flags in confidential() {
                    // A role acts for its own purposes only.
                    for &purpose in role.purposes() {
                        let question = |flags| Question {
                            role,
                            subject: Subject::Vault,
                            situation: Situation {
                                action,
                                form: None,
                                approves: None,
                                purpose,
                                department_kind: kind,
                                flags,
                            },
                        };
                        assert!(!policy.engine.permits(question(flags)), "{role} {action} in a {kind}");
                        let open = Flags {
                            confidential: false,
                            ..flags
                        };
                        joined += usize::from(policy.engine.permits(question(open)));
                    }
                }
            }
        }
    }
    assert!(joined > 0, "nobody joins records: the rule holds nothing");
}

/// A role that may see a field masked only may not find it out by comparing, unless the mask leaves enough hidden.
#[test]
fn what_is_shown_masked_only_is_not_found_by_comparing() {
    let mut compared = 0;
    for &role in Role::ALL {
        for field in FIELDS.iter().filter(|field| field.index().is_some()) {
            let may = |action, form| {
                let line = WHOLE.lines.iter().find(|(line, _)| line.is(role, action, field, form));
                line.unwrap().1.iter().collect::<BTreeSet<_>>()
            };
            let clear = may(Action::Reveal, Some(Form::Clear));
            let masked = may(Action::Reveal, Some(Form::Masked));
            let verify = may(Action::Verify, None);
            compared += verify.len();
            let found = verify
                .iter()
                .find(|cell| masked.contains(*cell) && !clear.contains(*cell));
            let allowed = field.may_be_compared_masked();
            assert!(
                found.is_none() || allowed,
                "{role} compares {} in {found:?}",
                field.name()
            );
        }
    }
    assert!(compared > 0, "nobody compares: the rule holds nothing");
}

/// What a role does in any situation whatever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Power {
    /// Makes accounts, gives roles, issues tokens. Who stops a recovery gives nobody anything.
    Grants,
    /// Is shown fields, or compares or corrects them.
    Reads,
    /// Reads the log.
    Audits,
}

fn power(action: Action) -> Option<Power> {
    let word = action.as_str();
    if action == Action::StopRecovery {
        None
    } else if word.starts_with("admin.") {
        Some(Power::Grants)
    } else if word.starts_with("log.") && !action.kind().two_persons {
        Some(Power::Audits)
    } else {
        matches!(
            action,
            Action::Reveal | Action::Verify | Action::Lookup | Action::Correct
        )
        .then_some(Power::Reads)
    }
}

/// Nobody grants, reads and audits, nor any two of these, whatever roles one person may hold together (P9).
#[test]
fn nobody_grants_reads_and_audits() {
    let mut powers: BTreeMap<Role, BTreeSet<Power>> = BTreeMap::new();
    for (line, cells) in &WHOLE.lines {
        if let Some(power) = power(line.action)
            && !cells.is_empty()
        {
            powers.entry(line.role).or_default().insert(power);
        }
    }
    let of = |role: &Role| powers.get(role).cloned().unwrap_or_default();
    let together = Role::ALL.iter().filter(|role| !role.stands_alone()).flat_map(of);
    let together: BTreeSet<Power> = together.collect();
    assert_eq!(
        together,
        BTreeSet::from([Power::Reads]),
        "roles that one person may hold together"
    );
    for role in Role::ALL.iter().filter(|role| role.stands_alone()) {
        assert!(of(role).len() <= 1, "{role}: {:?}", of(role));
    }
    assert_eq!(of(&Role::SecurityAdmin), BTreeSet::from([Power::Grants]));
    assert_eq!(of(&Role::Auditor), BTreeSet::from([Power::Audits]));
}

/// An administrator alone does nothing that takes two persons, in any situation.
#[test]
fn what_takes_two_persons_nobody_does_alone() {
    let mut tried = 0;
    let two = |(line, _): &&(Line<'_>, Vec<Cell>)| line.action.kind().two_persons;
    for (line, cells) in WHOLE.lines.iter().filter(two) {
        for (kind, condition, purpose) in cells {
            assert!(
                OF_TWO.contains(condition),
                "{} {} for {purpose} in a {kind}: {condition}",
                line.role,
                line.action
            );
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// A caller is erased by an officer, with another person; an officer answers callers about their data. Who sets a legal hold and who lifts one
/// watch over the vault, and read no field.
#[test]
fn only_those_who_watch_erase_and_hold() {
    let about = |action| {
        matches!(
            action,
            Action::Erase
                | Action::SetHold
                | Action::LiftHold
                | Action::Statement
                | Action::Restrict
                | Action::Unrestrict
                | Action::RefuseRequest
                | Action::EnforceRetention
                | Action::PreviewRetention
        )
    };
    let may = WHOLE
        .lines
        .iter()
        .filter(|(line, cells)| about(line.action) && !cells.is_empty());
    let may: BTreeSet<(Role, Action)> = may.map(|(line, _)| (line.role, line.action)).collect();
    let right = [
        (Role::Dpo, Action::Erase),
        (Role::Dpo, Action::SetHold),
        (Role::Dpo, Action::LiftHold),
        (Role::Auditor, Action::LiftHold),
        (Role::Dpo, Action::Statement),
        (Role::Dpo, Action::Restrict),
        (Role::Dpo, Action::Unrestrict),
        (Role::Dpo, Action::RefuseRequest),
        (Role::Dpo, Action::EnforceRetention),
        (Role::Dpo, Action::PreviewRetention),
        (Role::Auditor, Action::PreviewRetention),
    ];
    assert_eq!(may, BTreeSet::from(right));
}

/// Where an ask names no purpose, the role's own is taken: one that the policy lets it act for.
#[test]
fn a_role_acts_for_its_own_purposes_and_no_others() {
    for &role in Role::ALL {
        let acts = WHOLE.lines.iter().filter(|(line, _)| line.role == role);
        let purposes: BTreeSet<Purpose> = acts.flat_map(|(_, cells)| cells.iter().map(|cell| cell.2)).collect();
        assert_eq!(purposes, role.purposes().iter().copied().collect(), "{role}");
    }
}

/// Values are opened to be indexed or sealed anew in the name of a system administrator, each for its purpose, and for nothing else by that
/// purpose.
#[test]
fn only_system_administrators_have_values_indexed_or_sealed_anew() {
    for (action, own) in [(Action::Reindex, Purpose::Reindex), (Action::Reseal, Purpose::Reseal)] {
        let mut permitted = 0;
        for (line, cells) in &WHOLE.lines {
            for (_, _, purpose) in cells {
                let is_it = line.action == action;
                assert_eq!(is_it, *purpose == own, "{} {}", line.role, line.action);
                assert!(!is_it || line.role == Role::SystemAdmin, "{}", line.role);
                permitted += usize::from(is_it);
            }
        }
        assert!(permitted > 0);
    }
}

/// The names of fields that a department hears of are those that its roles see in some form on a ticket that it holds.
#[test]
fn what_a_role_may_ask_for_is_what_it_is_shown_in_some_form() {
    let mut heard_of = 0;
    for &role in Role::ALL {
        let roles = Roles::new([role]).unwrap();
        for field in FIELDS.iter() {
            let reveals = WHOLE.lines.iter().filter(|(line, _)| {
                let forms = [Form::Clear, Form::Masked];
                forms
                    .iter()
                    .any(|&form| line.is(role, Action::Reveal, field, Some(form)))
            });
            let shown: BTreeSet<DepartmentKind> = reveals
                .flat_map(|(_, cells)| cells.iter().filter(|(_, condition, _)| *condition == "held"))
                .map(|(kind, _, _)| *kind)
                .collect();
            for &kind in DepartmentKind::ALL {
                let may = WHOLE.policy.may_ask_for(roles, kind, field.name().as_str());
                assert_eq!(may, shown.contains(&kind), "{role} in a {kind}: {}", field.name());
                heard_of += usize::from(may);
            }
        }
        assert!(!WHOLE.policy.may_ask_for(roles, DepartmentKind::Centre, "no_such_field"));
    }
    assert!(heard_of > 0, "nobody hears of anything");
}
