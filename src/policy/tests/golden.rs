//! The golden table as text: a matrix for each role, act and purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::CONDITIONS;
use crate::model::ask::Action;
use crate::model::principals::{DepartmentKind, Role};
use crate::model::purposes::{Form, Purpose};

/// What stands at the head of the table.
const HEAD: &str = "\
# Who may do what: a block for each role, act and purpose that is permitted anywhere; what has no block is denied.
#
# Rows are fields, or `-` for an act that is about none. Columns are how things stand, each with four marks for the
# asker's department: centre, organ, enterprise, grass roots.
#   C shown in clear and masked   m masked only   + permitted (an act without a form)   . denied
#   none     no ticket, no caller           none2     the same, and a second person has approved
#   own      the agent's own call           own!      the same, confidential
#   took     the asker's centre took it     took!     the same, confidential
#   took2    the same, and a second person has approved
#   told     the same as took, and the centre has answered the caller itself
#   over     the same as took, and it was told and is over
#   held     the asker's department has it  held!     the same, confidential
#   new      the same as held, and it has not signed for it; it has asked to return it
#   done     held and over                  else      held, about another caller      away  held by others
#   code     the same as took, a department works on it, and a relay presents its contact code
# Made by the policy's own test; UPDATE_GOLDEN=1 writes it anew.
";
const COLUMNS: [&str; 16] = [
    "none", "none2", "own", "own!", "took", "took2", "took!", "told", "over", "held", "new", "held!", "done", "else",
    "away", "code",
];

/// As wide as its name, and at least as four marks.
fn width(column: &str) -> usize {
    column.len().max(DepartmentKind::ALL.len())
}

/// Permitted cells of one role, act and purpose: by row and form.
pub(super) type Cells = BTreeMap<(String, Option<Form>), Vec<(DepartmentKind, &'static str)>>;

/// One row: a mark for each condition and kind of department.
fn row(name: &str, cells: &Cells) -> String {
    let has = |form, kind, condition| {
        let row = cells.get(&(name.to_owned(), form));
        row.is_some_and(|row| row.contains(&(kind, condition)))
    };
    let mark = |kind, condition| {
        let (clear, masked) = (
            has(Some(Form::Clear), kind, condition),
            has(Some(Form::Masked), kind, condition),
        );
        assert!(masked || !clear, "{name}: in clear and not masked");
        match (has(None, kind, condition), clear, masked) {
            (true, _, _) => '+',
            (_, true, _) => 'C',
            (_, _, true) => 'm',
            _ => '.',
        }
    };
    let mut text = format!("{name:<20}");
    for ((condition, _), width) in CONDITIONS.iter().zip(COLUMNS.map(width)) {
        let marks: String = DepartmentKind::ALL.iter().map(|&kind| mark(kind, condition)).collect();
        write!(text, "  {marks:<width$}").unwrap();
    }
    text.trim_end().to_owned()
}

pub(super) fn matrix(permitted: &BTreeMap<(Role, Action, Purpose), Cells>) -> String {
    let mut text = HEAD.to_owned();
    for ((role, action, purpose), cells) in permitted {
        write!(text, "\n{role} {action} for {purpose}\n{:<20}", "").unwrap();
        for column in COLUMNS {
            write!(text, "  {column:<0$}", width(column)).unwrap();
        }
        text.push('\n');
        let names: BTreeSet<&String> = cells.keys().map(|(name, _)| name).collect();
        for name in names {
            writeln!(text, "{}", row(name, cells)).unwrap();
        }
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 120),
        "a line is wider than a person reads"
    );
    text
}
