//! What a server answers, as text for people: lists as tables, one thing as lines.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::Value;

/// A column of a table, or a line of one thing: its title, and where its value stands in the answer (RFC 6901).
pub(super) type Column = (&'static str, &'static str);

/// What stands for a value that is not there.
const NONE: &str = "-";

/// Blanks behind a column.
const BETWEEN: u16 = 2;

/// A list, a line each item.
pub(super) fn table(columns: &[Column], items: &[Value]) -> String {
    let mut table = Table::new();
    table.set_header(columns.iter().map(|(title, _)| title.to_uppercase()));
    table.add_rows(items.iter().map(|item| {
        let cells = columns.iter().map(|(_, pointer)| text(item.pointer(pointer)));
        cells.collect::<Vec<_>>()
    }));
    aligned(table)
}

/// One thing, a line each value that it has.
pub(super) fn details(columns: &[Column], item: &Value) -> String {
    let mut table = Table::new();
    for (title, pointer) in columns {
        if let Some(value) = item.pointer(pointer).filter(|value| !value.is_null()) {
            table.add_row([(*title).to_owned(), text(Some(value))]);
        }
    }
    aligned(table)
}

/// Columns as wide as what stands in them: the same on a terminal and in a file.
fn aligned(mut table: Table) -> String {
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    for column in table.column_iter_mut() {
        column.set_padding((0, BETWEEN));
    }
    table.trim_fmt()
}

/// A value on one line. What other people wrote (names, reasons) moves nothing on the terminal.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => NONE.to_owned(),
        Some(Value::String(words)) => quiet(words),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(", "),
        Some(Value::Object(items)) => {
            let items = items.iter().map(|(name, item)| format!("{name} {}", text(Some(item))));
            items.collect::<Vec<_>>().join(", ")
        }
        Some(Value::Number(number)) => number.to_string(),
    }
}

/// Words on one line that move nothing on the terminal.
pub(super) fn quiet(words: &str) -> String {
    words
        .chars()
        .map(|c| if is_quiet(c) { c } else { '\u{fffd}' })
        .collect()
}

/// As [`quiet`], for words that may have several lines.
pub(super) fn quiet_lines(words: &str) -> String {
    words.split('\n').map(quiet).collect::<Vec<_>>().join("\n")
}

/// Neither a control character, nor the end of a line, nor one that turns the direction of what follows (Unicode UAX #9).
fn is_quiet(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{details, table};

    #[test]
    fn what_other_people_wrote_stays_in_its_cell() {
        let items = [
            json!({"why": "agreed\u{1b}[2J\nstate  approved\u{202e}x", "who": "a-1"}),
            json!({"who": "王"}),
        ];
        assert_eq!(
            table(&[("why", "/why"), ("who", "/who")], &items),
            "WHY                           WHO\n\
             agreed\u{fffd}[2J\u{fffd}state  approved\u{fffd}x  a-1\n\
             -                             王"
        );
    }

    #[test]
    fn one_thing_has_a_line_for_each_value_that_it_has() {
        let item = json!({"roles": ["agent", "callback"], "active": true, "about": {"index": "7", "roles": null}, "none": null});
        let columns = [
            ("roles", "/roles"),
            ("active", "/active"),
            ("about", "/about"),
            ("x", "/none"),
            ("y", "/y"),
        ];
        assert_eq!(
            details(&columns, &item),
            "roles   agent, callback\nactive  yes\nabout   index 7, roles -"
        );
    }
}
