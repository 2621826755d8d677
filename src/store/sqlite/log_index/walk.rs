//! Walking several lists of entries at once, from the newest down: the shortest list leads, the others jump to it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::super::writer::signed;
use super::unsigned;
use crate::store::Result;
use crate::store::log_index::{BLOCK, Hit, LEVELS, Walk, Walked};

/// Fewest and most entries of a list read at a time.
const SHORTEST: usize = 8;
const LONGEST: usize = 512;

pub(super) fn walk(connection: &Connection, walk: &Walk) -> Result<Walked> {
    let Some(mut lists) = lists(connection, walk)? else {
        return Ok(Walked::default());
    };
    let mut walked = Walked::default();
    let mut steps = walk.steps;
    for span in spans(connection, walk)? {
        let mut below = span.end;
        while below > span.first {
            if walked.hits.len() >= walk.limit {
                walked.next = Some(below);
                return Ok(walked);
            }
            match meet(&mut lists, below - 1, &mut steps)? {
                Met::Nothing => return Ok(walked),
                Met::Below(index) | Met::Tired(index) if index < span.first => break,
                Met::Tired(index) => {
                    walked.next = Some(index.saturating_add(1));
                    return Ok(walked);
                }
                Met::Below(index) => {
                    walked.hits.push(Hit {
                        index,
                        in_time: span.in_time,
                    });
                    below = index;
                }
            }
        }
    }
    Ok(walked)
}

enum Met {
    /// In every list.
    Below(u64),
    /// No more steps are left; nothing above this is in every list.
    Tired(u64),
    /// One of the lists has ended.
    Nothing,
}

/// The highest entry at or below a position that stands in every list.
fn meet(lists: &mut [List<'_>], at_most: u64, steps: &mut usize) -> Result<Met> {
    let mut candidate = at_most;
    let mut agreed = 0;
    while agreed < lists.len().max(1) {
        let Some(left) = steps.checked_sub(1) else {
            return Ok(Met::Tired(candidate));
        };
        *steps = left;
        if lists.is_empty() {
            break;
        }
        agreed = 0;
        for list in &mut *lists {
            match list.seek(candidate)? {
                None => return Ok(Met::Nothing),
                Some(index) if index == candidate => agreed += 1,
                Some(index) => {
                    // The lists before this one have not agreed to the new candidate.
                    candidate = index;
                    agreed = 1;
                }
            }
        }
    }
    Ok(Met::Below(candidate))
}

/// The entries of one term, read a piece at a time.
struct List<'c> {
    statement: CachedStatement<'c>,
    term: i64,
    /// Descending.
    piece: Vec<u64>,
    at: usize,
    wanted: usize,
    ended: bool,
}

impl List<'_> {
    /// The highest entry at or below a position. Positions must not go up from call to call.
    fn seek(&mut self, at_most: u64) -> Result<Option<u64>> {
        let rest = self.piece.get(self.at..).unwrap_or_default();
        self.at += rest.partition_point(|&index| index > at_most);
        if let Some(&index) = self.piece.get(self.at) {
            return Ok(Some(index));
        }
        if self.ended {
            return Ok(None);
        }
        self.read(at_most)?;
        Ok(self.piece.first().copied())
    }

    /// Long pieces where the list is walked, short ones where it is jumped along.
    fn read(&mut self, at_most: u64) -> Result<()> {
        let near = self
            .piece
            .last()
            .is_none_or(|&last| last <= at_most.saturating_add(BLOCK));
        self.wanted = if near { (self.wanted * 2).min(LONGEST) } else { SHORTEST };
        let limit = i64::try_from(self.wanted).unwrap_or(i64::MAX);
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let rows = self
            .statement
            .query_map(params![self.term, at_most, limit], |row| row.get(0).map(unsigned))?;
        self.piece = rows.collect::<std::result::Result<_, _>>()?;
        self.at = 0;
        self.ended = self.piece.len() < self.wanted;
        Ok(())
    }
}

/// The lists of all the terms, shortest first. None when one of them is empty.
fn lists<'c>(connection: &'c Connection, walk: &Walk) -> Result<Option<Vec<List<'c>>>> {
    let mut lists = Vec::new();
    for term in &walk.terms {
        let mut statement = connection.prepare_cached("SELECT id, entries FROM term WHERE kind = ?1 AND value = ?2")?;
        let found: Option<(i64, i64)> = statement
            .query_row(params![term.kind.as_str(), term.value], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((id, entries)) = found else { return Ok(None) };
        let sql = "SELECT idx FROM posting WHERE term = ?1 AND idx <= ?2 ORDER BY idx DESC LIMIT ?3";
        let list = List {
            statement: connection.prepare_cached(sql)?,
            term: id,
            piece: Vec::new(),
            at: 0,
            wanted: SHORTEST,
            ended: false,
        };
        lists.push((entries, list));
    }
    lists.sort_by_key(|(entries, _)| *entries);
    Ok(Some(lists.into_iter().map(|(_, list)| list).collect()))
}

/// Entries `first` to `end` (excluded) that lie in the span of time, or may.
struct Span {
    first: u64,
    end: u64,
    in_time: bool,
}

/// Where entries of the span of time may stand, newest first. The clock may have gone backwards, so there may be several.
fn spans(connection: &Connection, walk: &Walk) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    if walk.from.is_none() && walk.to.is_none() {
        spans.push(Span {
            first: 0,
            end: walk.before,
            in_time: true,
        });
        return Ok(spans);
    }
    descend(connection, walk, LEVELS - 1, (0, i64::MAX), &mut spans)?;
    Ok(spans)
}

/// Adds the spans of the blocks of one level with these numbers, looking into those that lie partly in the time.
fn descend(
    connection: &Connection,
    walk: &Walk,
    level: u8,
    (first, last): (i64, i64),
    spans: &mut Vec<Span>,
) -> Result<()> {
    let (from, to) = (walk.from.unwrap_or(i64::MIN), walk.to.unwrap_or(i64::MAX));
    let mut statement = connection.prepare(
        "SELECT n, t_min >= ?4 AND t_max < ?5 FROM block
         WHERE level = ?1 AND n BETWEEN ?2 AND ?3 AND t_max >= ?4 AND t_min < ?5 ORDER BY n DESC",
    )?;
    let rows = statement.query_map(params![level, first, last, from, to], |row| {
        Ok((row.get(0).map(unsigned)?, row.get(1)?))
    })?;
    for row in rows {
        let (number, inside): (u64, bool) = row?;
        if level > 0 && !inside {
            let children = number.saturating_mul(BLOCK);
            let children = (signed(children)?, signed(children.saturating_add(BLOCK - 1))?);
            descend(connection, walk, level - 1, children, spans)?;
        } else {
            let width = BLOCK.pow(u32::from(level) + 1);
            push(spans, number.saturating_mul(width), width, inside, walk.before);
        }
    }
    Ok(())
}

fn push(spans: &mut Vec<Span>, first: u64, width: u64, in_time: bool, before: u64) {
    let end = first.saturating_add(width).min(before);
    if first >= end {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.in_time == in_time && last.first == end => last.first = first,
        _ => spans.push(Span { first, end, in_time }),
    }
}
