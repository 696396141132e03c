//! The rows of redemptions against their entries.

use std::hash::RandomState;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use tilld_domain::ids::PersonName;

use super::{Ends, Walked, same};
use crate::entry::{Event, RedemptionStep, Seq};
use crate::failure::Break;
use crate::form;
use crate::tables::is_owed_word;
use crate::tables::redemption::{kind_word, worth_columns};

const ROWS: &str =
    "SELECT made.first_seq, made.last_seq, made.id, made.open, made.state, made.owed,
            opens.subject, opens.body, opens.at, ends.subject, ends.open, ends.state,
            made.basket, made.provider, made.store, made.terminal, made.cashier, made.kind, made.code_tail, made.amount,
            made.currency, made.opened_at, (SELECT coalesce(max(seq), 0) FROM entry)
     FROM redemption AS made
          LEFT JOIN entry AS opens ON opens.seq = made.first_seq AND opens.kind = 'redemption_opened'
          LEFT JOIN entry AS ends ON ends.seq = made.last_seq
     WHERE made.first_seq > ?1 ORDER BY made.first_seq";

/// Compares every row of the redemptions that began after an entry with the entries.
pub(super) fn walk(database: &Connection, key: &RandomState, after: i64) -> rusqlite::Result<Walked> {
    let mut statement = database.prepare(ROWS)?;
    let mut rows = statement.query(params![after])?;
    let mut ends = Ends::default();
    while let Some(row) = rows.next()? {
        let (first, last, newest): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(22)?);
        ends.add_row(key, first, last);
        let lie = if last > newest {
            Some((Seq::of_column(newest).next(), Break::Missing))
        } else if opened(row).is_some_and(|agrees| agrees) && ended(row) {
            None
        } else {
            Some((Seq::of_column(first), Break::Tables))
        };
        if lie.is_some() {
            return Ok(Walked { ends, lie });
        }
    }
    Ok(Walked { ends, lie: None })
}

/// Whether a row says what the last entry says.
fn ended(row: &Row<'_>) -> bool {
    let owed = row.get_ref(4).is_ok_and(|state| state.as_str().is_ok_and(is_owed_word));
    let says_owed = row.get_ref(5).is_ok_and(|says| says == ValueRef::Integer(i64::from(owed)));
    says_owed && same(row, 2, 6) && same(row, 2, 9) && same(row, 3, 10) && same(row, 4, 11)
}

/// Whether a row says what the opening says; none if there is none that can be read.
fn opened(row: &Row<'_>) -> Option<bool> {
    let body = row.get_ref(7).ok()?.as_str().ok()?;
    let Event::Redemption(RedemptionStep::Opened(opening)) =
        form::decode("redemption_opened", None, body).ok()?
    else {
        return None;
    };
    let (amount, currency) = worth_columns(opening.amount);
    let text = |place: usize, says: &str| {
        row.get_ref(place).is_ok_and(|column| column == ValueRef::Text(says.as_bytes()))
    };
    let maybe = |place: usize, says: Option<&str>| match says {
        Some(says) => text(place, says),
        None => row.get_ref(place).is_ok_and(|column| column == ValueRef::Null),
    };
    Some(
        row.get_ref(2).ok()?.as_blob().ok()? == opening.redemption.uuid().as_bytes()
            && text(12, opening.basket.as_str())
            && text(13, &opening.provider)
            && text(14, opening.store.as_str())
            && text(15, opening.terminal.as_str())
            && maybe(16, opening.cashier.as_ref().map(PersonName::as_str))
            && text(17, kind_word(opening.kind))
            && text(18, opening.code_tail.as_str())
            && row.get_ref(19).is_ok_and(|column| column == ValueRef::Integer(amount))
            && maybe(20, currency)
            && same(row, 21, 8),
    )
}
