//! Redemptions as people list and look them up.

use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};
use tilld_domain::ids::{BasketId, RedemptionId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::redemption::Redemption;
use tilld_domain::voucher::{CodeTail, Worth};
use uuid::Uuid;

use super::Reader;
use crate::entry::{RedemptionRow, Seq, Subject};
use crate::failure::{DecodeError, ReadError};
use crate::read;
use crate::tables::redemption::kind_of_word;

/// Which redemptions a list shows. Everything that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct RedemptionFilter {
    /// Redemptions whose first entry is after this one. Without it the list holds the newest.
    pub after: Option<Seq>,
    /// For this basket.
    pub basket: Option<BasketId>,
    /// In this state, by its name.
    pub state: Option<String>,
    /// Not closed.
    pub open_only: bool,
    /// Begun at this moment or later.
    pub from: Option<Moment>,
    /// Begun before this moment.
    pub before: Option<Moment>,
}

pub(super) const REDEMPTION: &str =
    "SELECT first_seq, last_seq, id, basket, open, state, owed, provider, cashier, kind, code_tail, amount, currency,
            taken, taken_currency, provider_redemption, opened_at, closed_at FROM redemption";

impl Reader {
    /// The redemptions that a filter lets through, at most `most`, oldest first.
    pub fn redemptions(
        &self,
        filter: &RedemptionFilter,
        most: usize,
    ) -> Result<Vec<RedemptionRow>, ReadError> {
        let newest = if filter.after.is_none() { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT * FROM ({REDEMPTION}
             WHERE first_seq > ?1 AND (?2 IS NULL OR basket = ?2) AND (?3 = 0 OR open = 1)
               AND (?4 IS NULL OR opened_at >= ?4) AND (?5 IS NULL OR opened_at < ?5)
               AND (?6 IS NULL OR state = ?6)
             ORDER BY first_seq {newest} LIMIT ?7) ORDER BY first_seq"
        );
        self.redemption_rows(
            &sql,
            params![
                filter.after.unwrap_or(Seq::NONE).column(),
                filter.basket.as_ref().map(BasketId::as_str),
                filter.open_only,
                filter.from.map(Moment::ms),
                filter.before.map(Moment::ms),
                filter.state,
                i64::try_from(most).unwrap_or(i64::MAX),
            ],
        )
    }

    /// The redemptions that a name may mean: a redemption's id, a basket, or the provider's name for a redemption; oldest
    /// first.
    pub fn redemptions_named(&self, name: &str) -> Result<Vec<RedemptionRow>, ReadError> {
        let id = Uuid::try_parse(name).map_or(Value::Null, |id| Value::Blob(id.as_bytes().to_vec()));
        let sql = format!(
            "{REDEMPTION} WHERE id = ?1 OR basket = ?2 OR provider_redemption = ?2 ORDER BY first_seq"
        );
        self.redemption_rows(&sql, params_from_iter([id, Value::Text(name.to_owned())]))
    }

    /// The redemption as its entries make it, its code gone; none if there is no such redemption.
    pub fn redemption_now(&self, redemption: RedemptionId) -> Result<Option<Redemption>, ReadError> {
        let latest = read::latest(&self.database, Subject::Redemption(redemption), None)?;
        Ok(latest.map(|(redemption, ..)| redemption))
    }

    /// A redemption as a list shows it; none if there is no such redemption.
    pub(crate) fn redemption_row(
        &self,
        redemption: RedemptionId,
    ) -> Result<Option<RedemptionRow>, ReadError> {
        let sql = format!("{REDEMPTION} WHERE id = ?1");
        Ok(self.redemption_rows(&sql, params![redemption.uuid().as_bytes()])?.pop())
    }

    pub(super) fn redemption_rows(
        &self,
        sql: &str,
        given: impl rusqlite::Params,
    ) -> Result<Vec<RedemptionRow>, ReadError> {
        let mut statement = self.database.prepare_cached(sql)?;
        let mut rows = statement.query(given)?;
        let mut redemptions = Vec::new();
        while let Some(row) = rows.next()? {
            redemptions.push(redemption_row(row)?);
        }
        Ok(redemptions)
    }
}

fn redemption_row(row: &Row<'_>) -> Result<RedemptionRow, ReadError> {
    let first = Seq::of_column(row.get(0)?);
    let damaged = |column| ReadError::Entry { seq: first, why: DecodeError::Column(column) };
    let text = |place: usize| row.get_ref(place).map(|value| value.as_str().unwrap_or_default());
    let amount = worth(row.get(11)?, row.get(12)?).ok_or_else(|| damaged("amount"))?;
    let taken = match row.get::<_, Option<i64>>(13)? {
        Some(taken) => Some(worth(taken, row.get(14)?).ok_or_else(|| damaged("taken"))?),
        None => None,
    };
    Ok(RedemptionRow {
        redemption: RedemptionId::new(Uuid::from_bytes(row.get(2)?)),
        basket: text(3)?.parse().map_err(|_| damaged("basket"))?,
        provider: row.get(7)?,
        kind: kind_of_word(text(9)?).ok_or_else(|| damaged("kind"))?,
        state: row.get(5)?,
        open: row.get(4)?,
        owed: row.get(6)?,
        opened: Moment::from_ms(row.get(16)?),
        closed: row.get::<_, Option<i64>>(17)?.map(Moment::from_ms),
        amount,
        taken,
        code_tail: CodeTail::new(text(10)?).ok_or_else(|| damaged("code_tail"))?,
        provider_redemption: row.get(15)?,
        cashier: row.get(8)?,
        first,
        last: Seq::of_column(row.get(1)?),
    })
}

/// A worth of two columns.
fn worth(amount: i64, currency: Option<String>) -> Option<Worth> {
    match currency {
        Some(code) => Some(Worth::Money(Money::new(amount, Currency::from_code(&code).ok()?))),
        None => u32::try_from(amount).ok().map(Worth::Items),
    }
}
