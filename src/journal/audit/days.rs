//! The rows of closed days against their entries: each says what its one entry says.

use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use super::{Says, Walk, integer, says, text};
use crate::entry::{Event, day_id};
use crate::form;

const ROWS: &str =
    "SELECT first_seq, last_seq, id, day, number, person, after_seq, upto_seq, open, at FROM day
     WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY first_seq";

/// Compares every row of the days of which the entry is one of these.
pub(super) fn walk(
    database: &Connection,
    walk: &mut Walk<'_>,
    begun: &RangeInclusive<i64>,
) -> rusqlite::Result<()> {
    let mut entries =
        database.prepare_cached("SELECT at, kind, body, previous, subject FROM entry WHERE seq = ?1")?;
    let mut rows = database.prepare_cached(ROWS)?;
    let mut rows = rows.query(params![begun.start(), begun.end()])?;
    while let Some(row) = rows.next()? {
        let Some((first, last)) = walk.begin_row(row) else { return Ok(()) };
        let mut told = entries.query(params![first])?;
        let is_so = told.next()?.is_some_and(|entry| {
            let read = text(entry, 1)
                .zip(text(entry, 2))
                .and_then(|(kind, body)| form::decode(kind, None, body).ok());
            let (Some(Event::Day(closing)), Some(at)) = (read, integer(entry, 0)) else { return false };
            let id = day_id(closing.day).uuid();
            let is_its_own =
                entry.get_ref(4).is_ok_and(|found| found.as_blob() == Ok(id.as_bytes().as_slice()));
            let is_alone = entry.get_ref(3).is_ok_and(|found| found.as_i64_or_null() == Ok(None));
            let number = |number: u64| Says::Number(i64::try_from(number).unwrap_or(i64::MAX));
            let expected = [
                Says::Number(first),
                Says::Number(first),
                Says::Id(id),
                Says::Text(&closing.day.to_string()),
                Says::Number(i64::from(closing.number)),
                Says::Text(closing.by.as_str()),
                number(closing.after),
                number(closing.upto),
                Says::Number(i64::from(closing.open)),
                Says::Number(at),
            ];
            is_its_own && is_alone && says(row, 0, &expected)
        });
        if !is_so || first != last {
            walk.lie(first);
            return Ok(());
        }
    }
    Ok(())
}
