//! The rows of redemptions.

use rusqlite::{Connection, OptionalExtension, params};
use tilld_domain::ids::{BasketId, PersonName, ProviderRedemptionId, RedemptionId};
use tilld_domain::moment::Moment;
use tilld_domain::redemption::Redemption;
use tilld_domain::voucher::{VoucherKind, Worth};
use uuid::Uuid;

use super::is_owed_word;
use crate::entry::Seq;

/// The word for a voucher's kind.
pub(crate) fn kind_word(kind: VoucherKind) -> &'static str {
    match kind {
        VoucherKind::Gift => "gift",
        VoucherKind::Promotional => "promotional",
    }
}

/// The kind of a word.
pub(crate) fn kind_of_word(word: &str) -> Option<VoucherKind> {
    match word {
        "gift" => Some(VoucherKind::Gift),
        "promotional" => Some(VoucherKind::Promotional),
        _ => None,
    }
}

/// A worth as two columns: how much, and the currency if that is money.
pub(crate) fn worth_columns(worth: Worth) -> (i64, Option<&'static str>) {
    match worth {
        Worth::Money(money) => (money.minor(), Some(money.currency().code())),
        Worth::Items(count) => (i64::from(count), None),
    }
}

/// Writes a redemption that has just begun.
pub(crate) fn insert(database: &Connection, seq: Seq, redemption: &Redemption) -> rusqlite::Result<()> {
    let opening = &redemption.opening;
    let (amount, currency) = worth_columns(opening.amount);
    database
        .prepare_cached(
            "INSERT INTO redemption (first_seq, last_seq, id, basket, open, state, owed, provider, store, terminal, cashier,
                                     kind, code_tail, amount, currency, opened_at)
             VALUES (?1, ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            seq.column(),
            opening.redemption.uuid().as_bytes(),
            opening.basket.as_str(),
            redemption.state_name(),
            is_owed_word(redemption.state_name()),
            opening.provider,
            opening.store.as_str(),
            opening.terminal.as_str(),
            opening.cashier.as_ref().map(PersonName::as_str),
            kind_word(opening.kind),
            opening.code_tail.as_str(),
            amount,
            currency,
            redemption.opened.ms(),
        ])
        .map(|_| ())
}

/// The newest `most` redemptions of a basket, oldest first.
pub(crate) fn of_basket(
    database: &Connection,
    basket: &BasketId,
    most: usize,
) -> rusqlite::Result<Vec<RedemptionId>> {
    let mut statement = database
        .prepare_cached("SELECT id FROM redemption WHERE basket = ?1 ORDER BY first_seq DESC LIMIT ?2")?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let newest = statement.query_map(params![basket.as_str(), most], |row| {
        Ok(RedemptionId::new(Uuid::from_bytes(row.get(0)?)))
    })?;
    let mut redemptions: Vec<RedemptionId> = newest.collect::<Result<_, _>>()?;
    redemptions.reverse();
    Ok(redemptions)
}

/// The redemptions of a basket that count for it, or may, oldest first; at most `most`.
pub(crate) fn counting_of_basket(
    database: &Connection,
    basket: &BasketId,
    most: usize,
) -> rusqlite::Result<Vec<RedemptionId>> {
    let mut statement = database.prepare_cached(
        "SELECT id FROM redemption
         WHERE basket = ?1 AND (open = 1 OR state IN ('completed', 'settled')) ORDER BY first_seq LIMIT ?2",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let counting = statement.query_map(params![basket.as_str(), most], |row| {
        Ok(RedemptionId::new(Uuid::from_bytes(row.get(0)?)))
    })?;
    counting.collect()
}

/// What must be known of a redemption's row before it is updated.
pub(crate) struct Row {
    first_seq: i64,
    /// The redemption's entry before the one that is being written.
    pub(crate) last_seq: i64,
    open: bool,
}

pub(crate) fn row_of(database: &Connection, redemption: RedemptionId) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached("SELECT first_seq, last_seq, open FROM redemption WHERE id = ?1")?
        .query_row(params![redemption.uuid().as_bytes()], |row| {
            Ok(Row { first_seq: row.get(0)?, last_seq: row.get(1)?, open: row.get(2)? })
        })
        .optional()
}

/// Writes what an entry changed.
pub(crate) fn update(
    database: &Connection,
    before: &Row,
    (seq, at): (Seq, Moment),
    redemption: &Redemption,
) -> rusqlite::Result<()> {
    let taken = redemption.past.taken.map(|taken| worth_columns(taken.worth));
    database
        .prepare_cached(
            "UPDATE redemption SET last_seq = ?2, state = ?3, owed = ?4, taken = ?5, taken_currency = ?6,
                                   provider_redemption = ?7
             WHERE first_seq = ?1",
        )?
        .execute(params![
            before.first_seq,
            seq.column(),
            redemption.state_name(),
            is_owed_word(redemption.state_name()),
            taken.map(|(amount, _)| amount),
            taken.and_then(|(_, currency)| currency),
            redemption.past.redemption.as_ref().map(ProviderRedemptionId::as_str),
        ])?;
    let open = !redemption.is_closed();
    if open != before.open {
        database
            .prepare_cached("UPDATE redemption SET open = ?2, closed_at = ?3 WHERE first_seq = ?1")?
            .execute(params![before.first_seq, open, (!open).then_some(at.ms())])?;
    }
    Ok(())
}
