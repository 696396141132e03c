//! The rows of days that are closed. A day is closed once, so each has one entry.

use rusqlite::{Connection, params};
use tilld_domain::day::Closing;
use tilld_domain::moment::Moment;

use crate::entry::{ClosingRow, Seq, day_id};
use crate::failure::{DecodeError, ReadError};

/// The word for a day that is closed.
pub(crate) const CLOSED: &str = "closed";

/// Writes the closing of a day.
pub(crate) fn insert(
    database: &Connection,
    (seq, at): (Seq, Moment),
    closing: &Closing,
) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "INSERT INTO day (first_seq, last_seq, id, day, number, person, after_seq, upto_seq, open, at)
             VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            seq.column(),
            day_id(closing.day).uuid().as_bytes(),
            closing.day.to_string(),
            closing.number,
            closing.by.as_str(),
            Seq::new(closing.after).column(),
            Seq::new(closing.upto).column(),
            closing.open,
            at.ms(),
        ])
        .map(|_| ())
}

/// Every closing, oldest first.
pub(crate) fn all(database: &Connection) -> Result<Vec<ClosingRow>, ReadError> {
    let mut statement = database.prepare_cached(
        "SELECT first_seq, day, number, person, after_seq, upto_seq, open, at FROM day ORDER BY first_seq",
    )?;
    let mut rows = statement.query([])?;
    let mut closings = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = Seq::of_column(row.get(0)?);
        let damaged = |column| ReadError::Entry { seq, why: DecodeError::Column(column) };
        closings.push(ClosingRow {
            closing: Closing {
                day: row.get::<_, String>(1)?.parse().map_err(|_| damaged("day"))?,
                number: row.get(2)?,
                by: row.get::<_, String>(3)?.parse().map_err(|_| damaged("person"))?,
                after: Seq::of_column(row.get(4)?).number(),
                upto: Seq::of_column(row.get(5)?).number(),
                open: row.get(6)?,
            },
            at: Moment::from_ms(row.get(7)?),
            seq,
        });
    }
    Ok(closings)
}
