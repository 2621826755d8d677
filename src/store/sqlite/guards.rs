//! What must still be so when the writer comes to a job.

use rusqlite::params_from_iter;

use super::columns::{SqliteColumns, parameters};
use super::counted::Counted;
use crate::model::code::Code;
use crate::store::rows::{Cell, Column, Columns, Table, next};
use crate::store::{Guard, Holds, IsCode, Result, StoreError};

/// Most guards that are looked at by one statement: a read has fewer, and each number of them makes a statement of its own.
const TOGETHER: usize = 8;

impl Guard {
    /// Its statement, and whether that is to show a row.
    fn asked(&self) -> (&str, bool) {
        match self.holds {
            Holds::Unchanged(table) => (table.unchanged(), true),
            Holds::None(statement) => (statement.sql(), false),
            Holds::Some(statement) => (statement.sql(), true),
        }
    }
}

/// Whether all of them hold. Those of a read are looked at by one statement. Where that does not show it, each is looked at by itself: a row may
/// have got a code under a newer key.
///
/// # Errors
/// For a guard with more or fewer values than its statement has parameters; whatever the database reports.
pub(super) fn hold(connection: &Counted, guards: &[Guard], codes: IsCode<'_>) -> Result<bool> {
    guards.iter().try_for_each(has_its_values)?;
    if (2..=TOGETHER).contains(&guards.len()) && hold_together(connection, guards)? {
        return Ok(true);
    }
    for guard in guards {
        if !holds(connection, guard, codes)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Within a longer statement a guard that lacks a value would take the first of the next guard's, and the database would see no fault.
fn has_its_values(guard: &Guard) -> Result<()> {
    let (given, needed) = (guard.cells.len(), parameters_of(guard.asked().0));
    if given != needed {
        return Err(rusqlite::Error::InvalidParameterCount(given, needed).into());
    }
    Ok(())
}

fn hold_together(connection: &Counted, guards: &[Guard]) -> Result<bool> {
    let mut sql = String::from("SELECT 1 WHERE ");
    let mut taken = 0;
    for guard in guards {
        let (statement, wanted) = guard.asked();
        let (and, not) = (if taken > 0 { " AND " } else { "" }, if wanted { "" } else { "NOT " });
        sql.push_str(&format!("{and}{not}EXISTS ({})", behind(statement, taken)));
        taken += guard.cells.len();
    }
    let cells = guards.iter().flat_map(|guard| &guard.cells);
    Ok(connection.prepare_cached(&sql)?.exists(params_from_iter(cells))?)
}

/// What follows each question mark of a statement: a parameter's number, and the rest. No statement has a question mark that begins no
/// parameter.
fn numbered(statement: &str) -> impl Iterator<Item = (usize, &str)> {
    statement.split('?').skip(1).map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        (number.parse().unwrap_or_default(), rest)
    })
}

/// How many parameters a statement has: they are numbered from 1 without a gap.
fn parameters_of(statement: &str) -> usize {
    numbered(statement).map(|(number, _)| number).max().unwrap_or_default()
}

/// A statement whose parameters follow so many others.
fn behind(statement: &str, taken: usize) -> String {
    let mut renumbered = statement.split('?').next().unwrap_or_default().to_owned();
    for (number, rest) in numbered(statement) {
        renumbered.push_str(&format!("?{}{rest}", number + taken));
    }
    renumbered
}

fn holds(connection: &Counted, guard: &Guard, codes: IsCode<'_>) -> Result<bool> {
    let (sql, wanted) = guard.asked();
    let holds = connection.prepare_cached(sql)?.exists(parameters(&guard.cells))? == wanted;
    match guard.holds {
        Holds::Unchanged(table) if !holds => is_only_recoded(connection, table, &guard.cells, codes),
        _ => Ok(holds),
    }
}

/// Whether the row carries a newer code, and the one that was checked is that of its columns as they stand: nothing was changed but
/// the key of the code.
fn is_only_recoded(connection: &Counted, table: &'static Table, guard: &[Cell], codes: IsCode<'_>) -> Result<bool> {
    let Some((checked, key)) = guard.split_last() else {
        return Ok(false);
    };
    let checked = Code::from_cell(checked.clone()).ok_or(StoreError::Corrupt(table.name))?;
    let mut statement = connection.prepare_cached(table.by_key())?;
    let mut rows = statement.query(parameters(key))?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let mut columns = SqliteColumns::new(row);
    let cells = table.columns.iter().map(|_| columns.take());
    let cells: Vec<Cell> = cells.collect::<Result<_>>()?;
    let carried: Code = next(&mut columns, table.name)?;
    Ok(carried.version() > checked.version() && codes(table, &cells, &checked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;
    use crate::store::rows::hold::IN_FORCE;
    use crate::store::sqlite::counted::Statements;

    /// What one guard lacks and the other has too many of makes the right number together.
    #[test]
    fn a_guard_takes_no_value_of_the_next() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE hold (id, subject, owner, review, reason, set_by, set_at, lifted_by, lift_reason, lifted_at, version, mac)";
        database.execute_batch(table).unwrap();
        let connection = Counted::new(database, Statements::default());
        let guard = |cells: &[Cell]| Guard::none(&IN_FORCE, cells);
        let (subject, most) = (|| "A-1".to_owned().cell(), || 1_u32.cell());
        let whole = || guard(&[subject(), most()]);
        let holds = |guards: &[Guard]| hold(&connection, guards, &|_, _, _| false);
        assert!(holds(&[whole(), whole()]).unwrap());
        let short = || guard(&[subject()]);
        let long = || guard(&cells![1_u32, "A-2".to_owned(), 1_u32]);
        for guards in [
            vec![short(), long()],
            vec![long(), short()],
            vec![short()],
            vec![whole(), long()],
        ] {
            let fault = holds(&guards).unwrap_err();
            assert!(fault.to_string().contains("parameters"), "{fault}");
        }
    }

    #[test]
    fn a_statement_has_as_many_parameters_as_its_highest_number() {
        for (statement, parameters) in [
            ("SELECT 1", 0),
            ("a = ?1 AND b = ?1", 1),
            ("a = ?2 AND b = ?1 LIMIT ?12", 12),
        ] {
            assert_eq!(parameters_of(statement), parameters);
        }
    }

    #[test]
    fn the_parameters_of_a_statement_follow_those_before_it() {
        let statement = "SELECT 1 FROM a WHERE b = ?1 AND c = ?12 LIMIT ?2";
        assert_eq!(behind(statement, 0), statement);
        assert_eq!(
            behind(statement, 3),
            "SELECT 1 FROM a WHERE b = ?4 AND c = ?15 LIMIT ?5"
        );
        assert_eq!(behind("SELECT 1", 3), "SELECT 1");
    }
}
