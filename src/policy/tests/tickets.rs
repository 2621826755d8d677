//! Rules of a ticket's life, which the policy keeps whatever the golden table says (decision 0046).

use std::collections::BTreeSet;

use super::{NOTHING, WHOLE, lines, shipped};
use crate::model::ask::Action;
use crate::model::fields::{Field, Group};
use crate::model::ids::RecordKind;
use crate::model::principals::{DepartmentKind, Role};
use crate::model::transitions::Transition;
use crate::policy::question::Flags;

/// A department has a caller's fields opened, compared or corrected only while it works on the ticket (decision 0046).
#[test]
fn a_department_meets_the_caller_only_while_it_works_on_the_ticket() {
    let mut shown = 0;
    for (line, cells) in &WHOLE.lines {
        let of_caller = line.field.is_some_and(|field| field.record() == RecordKind::Caller);
        let meets = matches!(line.action, Action::Reveal | Action::Verify | Action::Correct);
        if !of_caller || !meets {
            continue;
        }
        for (kind, condition, _) in cells {
            let works = matches!(*condition, "held" | "held-confidential" | "origin-by-code");
            let took = condition.starts_with("own") || condition.starts_with("origin");
            let centre = *kind == DepartmentKind::Centre && took && line.role != Role::Handler;
            assert!(
                works || centre,
                "{} {:?} in a {kind}: {condition}",
                line.role,
                line.field.map(Field::name)
            );
            shown += usize::from(works);
        }
    }
    assert!(shown > 0, "no department sees a caller: the rule holds nothing");
}

/// When a ticket is over, the centre reads what was told and why it ended, and its handlers neither. What a confidential caller was told no agent
/// reads later.
#[test]
fn what_is_read_of_a_ticket_when_it_is_over() {
    let (policy, fields) = shipped();
    let over = |held, told, confidential| Flags {
        ticket_known: true,
        held,
        origin: true,
        about: true,
        told,
        confidential,
        ..NOTHING
    };
    let mut shown = BTreeSet::new();
    for line in lines(&fields).iter().filter(|line| line.action == Action::Reveal) {
        for flags in [false, true].into_iter().flat_map(|held| {
            let told = [false, true].into_iter();
            told.flat_map(move |told| [false, true].map(|confidential| over(held, told, confidential)))
        }) {
            for &purpose in line.role.purposes() {
                if policy
                    .engine
                    .permits(line.question(DepartmentKind::Centre, flags, purpose))
                {
                    let group = line.field.map(|field| field.group().as_str()).unwrap();
                    assert!(
                        ["reason", "return", "extension"].contains(&group) || flags.told,
                        "{}: {group}",
                        line.role
                    );
                    shown.insert((line.role, group, flags.confidential));
                }
            }
        }
    }
    let right = [
        (Role::Agent, "answer", false),
        (Role::Callback, "answer", false),
        (Role::Callback, "answer", true),
        (Role::Dispatcher, "answer", false),
        (Role::Dispatcher, "answer", true),
        (Role::Dispatcher, "reason", false),
        (Role::Dispatcher, "reason", true),
        (Role::Dispatcher, "extension", false),
        (Role::Dispatcher, "extension", true),
        (Role::Dispatcher, "return", false),
        (Role::Dispatcher, "return", true),
    ];
    assert_eq!(shown, BTreeSet::from(right));
}

/// What a department wrote to the centre to be rid of a ticket is for the centre, and for itself while it holds the ticket.
#[test]
fn no_department_reads_why_another_returned_a_ticket() {
    let (policy, fields) = shipped();
    let mut shown = BTreeSet::new();
    let of_return = |field: Option<&Field>| field.is_some_and(|field| field.group() == Group::Return);
    let all = lines(&fields);
    for line in all
        .iter()
        .filter(|line| of_return(line.field) && line.action == Action::Reveal)
    {
        for bits in 0..1_u8 << 6 {
            let is = |bit: u8| bits & 1 << bit != 0;
            let flags = Flags {
                ticket_known: true,
                open: true,
                about: true,
                held: is(0),
                returned: is(1),
                origin: is(2),
                worked_on: is(3),
                confidential: is(4),
                told: is(5),
                ..NOTHING
            };
            for (&kind, &purpose) in DepartmentKind::ALL
                .iter()
                .flat_map(|kind| line.role.purposes().iter().map(move |purpose| (kind, purpose)))
            {
                if !policy.engine.permits(line.question(kind, flags, purpose)) {
                    continue;
                }
                match line.role {
                    Role::Handler => assert!(flags.held && flags.returned, "{flags:?}"),
                    role => assert!(
                        role == Role::Dispatcher && flags.origin && kind == DepartmentKind::Centre,
                        "{role}"
                    ),
                }
                shown.insert(line.role);
            }
        }
    }
    assert_eq!(shown, BTreeSet::from([Role::Dispatcher, Role::Handler]));
}

/// No department closes a ticket that it worked on.
#[test]
fn only_the_centre_ends_a_ticket() {
    let mut ended = 0;
    let ends = |action| {
        Transition::ALL
            .iter()
            .map(|transition| transition.step())
            .any(|step| step.action == action && step.to.is_some_and(|to| !to.is_open()))
    };
    for (line, cells) in WHOLE.lines.iter().filter(|(line, _)| ends(line.action)) {
        for (kind, condition, _) in cells {
            assert_ne!(line.role, Role::Handler);
            assert_eq!(*kind, DepartmentKind::Centre, "{} {}", line.role, line.action);
            let taken = condition.starts_with("own") || condition.starts_with("origin");
            assert!(taken, "{} {}: {condition}", line.role, line.action);
            ended += 1;
        }
    }
    assert!(ended > 0, "nobody ends a ticket: the rule holds nothing");
}
