//! The rows of redemptions against their entries.

use std::ops::{ControlFlow, RangeInclusive};

use rusqlite::{Connection, OptionalExtension, Row, params};
use tilld_domain::ids::{PersonName, ProviderRedemptionId, RedemptionId};
use tilld_domain::redemption::Redemption;
use uuid::Uuid;

use super::{Says, Walk, flag, says, text};
use crate::entry::Subject;
use crate::failure::ReadError;
use crate::read;
use crate::tables::is_owed_word;
use crate::tables::redemption::{kind_word, worth_columns};

const ROWS: &str =
    "SELECT first_seq, last_seq, id, basket, open, state, owed, provider, store, terminal, cashier, kind, code_tail, amount,
            currency, taken, taken_currency, provider_redemption, opened_at, closed_at
     FROM redemption WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY first_seq";

/// Compares every row of the redemptions that began with one of these entries.
pub(super) fn walk(
    database: &Connection,
    walk: &mut Walk<'_>,
    begun: &RangeInclusive<i64>,
) -> Result<(), ReadError> {
    let mut ends = database.prepare_cached("SELECT open, state FROM entry WHERE seq = ?1")?;
    let mut rows = database.prepare_cached(ROWS)?;
    let mut rows = rows.query(params![begun.start(), begun.end()])?;
    while let Some(row) = rows.next()? {
        let Some((first, last)) = walk.begin_row(row) else { return Ok(()) };
        let end = ends
            .query_row(params![last], |end| Ok(flag(end, 0).zip(text(end, 1).map(str::to_owned))))
            .optional()?
            .flatten();
        let (Some(told), Some((open, state))) = (Told::read(database, row)?, end) else {
            walk.lie(first);
            return Ok(());
        };
        if !told.is_said_by(row, (first, last), open, &state) {
            walk.lie(first);
            return Ok(());
        }
    }
    Ok(())
}

/// What the entries of a redemption make.
struct Told {
    first: i64,
    last: i64,
    redemption: Redemption,
    /// The moment of the entry from which on it was closed.
    closed_at: Option<i64>,
}

impl Told {
    /// Folds them; none if they do not make a redemption.
    fn read(database: &Connection, row: &Row<'_>) -> Result<Option<Self>, ReadError> {
        let Some(id) = row.get_ref(2)?.as_blob().ok().and_then(|id| Uuid::from_slice(id).ok()) else {
            return Ok(None);
        };
        let mut told: Option<Self> = None;
        let subject = Subject::Redemption(RedemptionId::new(id));
        let folded = read::replay(database, subject, None, |redemption: &Redemption, seq, at| {
            let before = told.take();
            let closed_before = before.as_ref().and_then(|before| before.closed_at);
            told = Some(Self {
                first: before.map_or(seq.column(), |before| before.first),
                last: seq.column(),
                redemption: redemption.clone(),
                closed_at: redemption.is_closed().then(|| closed_before.unwrap_or_else(|| at.ms())),
            });
            ControlFlow::Continue(())
        });
        match folded {
            Ok(()) => Ok(told),
            Err(ReadError::Entry { .. } | ReadError::Misfit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `open`, `state`: what the last entry says under its link.
    fn is_said_by(&self, row: &Row<'_>, (first, last): (i64, i64), open: bool, state: &str) -> bool {
        let Self { redemption, .. } = self;
        let opening = &redemption.opening;
        let (amount, currency) = worth_columns(opening.amount);
        let taken = redemption.past.taken.map(|taken| worth_columns(taken.worth));
        let expected = [
            Says::Number(self.first),
            Says::Number(self.last),
            Says::Id(opening.redemption.uuid()),
            Says::Text(opening.basket.as_str()),
            Says::Flag(open),
            Says::Text(state),
            Says::Flag(is_owed_word(state)),
            Says::Text(&opening.provider),
            Says::Text(opening.store.as_str()),
            Says::Text(opening.terminal.as_str()),
            Says::MaybeText(opening.cashier.as_ref().map(PersonName::as_str)),
            Says::Text(kind_word(opening.kind)),
            Says::Text(opening.code_tail.as_str()),
            Says::Number(amount),
            Says::MaybeText(currency),
            Says::MaybeNumber(taken.map(|(amount, _)| amount)),
            Says::MaybeText(taken.and_then(|(_, currency)| currency)),
            Says::MaybeText(redemption.past.redemption.as_ref().map(ProviderRedemptionId::as_str)),
            Says::Number(redemption.opened.ms()),
            Says::MaybeNumber(self.closed_at),
        ];
        (self.first, self.last) == (first, last) && says(row, 0, &expected)
    }
}
