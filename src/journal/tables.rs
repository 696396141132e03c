//! The tables that questions are answered from. They are made from the entries, and can be made again at any time.
//!
//! A step writes its sale's row and the row of the card that it was about, or its redemption's or its device's row. Columns that stand in
//! an index are written only if they change, because every page that is touched is a page more to write before a cashier
//! reads an answer.

pub(crate) mod day;
pub(crate) mod device;
pub(crate) mod redemption;

use rusqlite::{Connection, OptionalExtension, params};
use tilld_domain::ids::{PersonName, ProviderOrderId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::Order;
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, PaymentState, Phase, Sale};

use crate::entry::Seq;

/// How many numbers the rows of cards have for each number of an entry.
pub(crate) const CARDS_A_SALE: i64 = 64;

/// Why a row cannot be written.
pub(crate) enum RowFailure {
    /// SQLite says no.
    Database(rusqlite::Error),
    /// Its receipt belongs to another sale.
    ReceiptTaken,
    /// It does not fit.
    Misfit(&'static str),
}

impl From<rusqlite::Error> for RowFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// The word for a phase.
pub(crate) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Creating => "creating",
        Phase::Collect => "collect",
        Phase::Finishing => "finishing",
        Phase::Question => "question",
        Phase::NothingSold => "nothing_sold",
        Phase::Done => "done",
    }
}

/// The state of the card that an entry is about, or of all cards.
pub(crate) fn state_words(card: Option<CardNo>, after: &Sale) -> Option<String> {
    match card {
        Some(card) => Some(after.order(card)?.state_name().to_owned()),
        None => Some(after.orders.iter().map(Order::state_name).collect::<Vec<_>>().join(" ")),
    }
}

/// Writes a sale that has just begun, all of it: nothing has to be updated after it.
pub(crate) fn insert(database: &Connection, (seq, at): (Seq, Moment), sale: &Sale) -> Result<(), RowFailure> {
    let total = sale
        .orders
        .iter()
        .try_fold(0_i64, |sum, order| sum.checked_add(order.facts.face_value.minor()))
        .ok_or(RowFailure::Misfit("the sum of its cards is too large"))?;
    let opening = &sale.opening;
    let (open, closed_at) = end(sale, at);
    database
        .prepare_cached(
            "INSERT INTO sale (first_seq, last_seq, id, receipt, holds_receipt, open, phase, provider, store, terminal,
                               cashier, currency, total, paid, opened_at, closed_at)
             VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            seq.column(),
            opening.sale.uuid().as_bytes(),
            opening.receipt.as_str(),
            sale.holds_its_receipt(),
            open,
            phase_word(sale.phase()),
            opening.provider,
            opening.store.as_str(),
            opening.terminal.as_str(),
            opening.cashier.as_ref().map(PersonName::as_str),
            opening.currency.code(),
            total,
            paid(sale),
            sale.opened.ms(),
            closed_at,
        ])
        .map_err(|error| match (is_taken(&error), row_of(database, opening.sale)) {
            (true, Ok(None)) => RowFailure::ReceiptTaken,
            _ => RowFailure::Database(error),
        })?;
    let mut statement = database.prepare_cached(
        "INSERT INTO card (id, sale, card, order_id, provider_order, product, product_name, kind, code_tail, face_value,
                           state, owed)
         VALUES (?1 * 64 + ?2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (card, order) in sale.cards() {
        let kind = match order.facts.kind {
            CardKind::Por => "por",
            CardKind::Posa => "posa",
        };
        statement.execute(params![
            seq.column(),
            card.number(),
            order.facts.id.uuid().as_bytes(),
            order.past.provider_order.as_ref().map(ProviderOrderId::as_str),
            order.facts.product.as_str(),
            order.facts.product_name,
            kind,
            order.facts.code_tail,
            order.facts.face_value.minor(),
            order.state_name(),
            is_owed_word(order.state_name()),
        ])?;
    }
    Ok(())
}

/// What must be known of a sale's row before it is updated.
pub(crate) struct Row {
    first_seq: i64,
    /// The sale's entry before the one that is being written.
    pub(crate) last_seq: i64,
    open: bool,
    holds_receipt: bool,
}

pub(crate) fn row_of(database: &Connection, sale: SaleId) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached("SELECT first_seq, last_seq, open, holds_receipt FROM sale WHERE id = ?1")?
        .query_row(params![sale.uuid().as_bytes()], |row| {
            Ok(Row {
                first_seq: row.get(0)?,
                last_seq: row.get(1)?,
                open: row.get(2)?,
                holds_receipt: row.get(3)?,
            })
        })
        .optional()
}

/// Writes what an entry changed. `card`: the one that it was about; all of them if none.
pub(crate) fn update(
    database: &Connection,
    before: &Row,
    (seq, at): (Seq, Moment),
    card: Option<CardNo>,
    sale: &Sale,
) -> Result<(), RowFailure> {
    let (open, closed_at) = end(sale, at);
    database
        .prepare_cached("UPDATE sale SET last_seq = ?2, phase = ?3, paid = ?4 WHERE first_seq = ?1")?
        .execute(params![before.first_seq, seq.column(), phase_word(sale.phase()), paid(sale)])?;
    if open != before.open {
        database
            .prepare_cached("UPDATE sale SET open = ?2, closed_at = ?3 WHERE first_seq = ?1")?
            .execute(params![before.first_seq, open, closed_at])?;
    }
    if sale.holds_its_receipt() != before.holds_receipt {
        database
            .prepare_cached("UPDATE sale SET holds_receipt = ?2 WHERE first_seq = ?1")?
            .execute(params![before.first_seq, sale.holds_its_receipt()])
            .map_err(|error| match error {
                error if is_taken(&error) => RowFailure::ReceiptTaken,
                error => RowFailure::Database(error),
            })?;
    }
    let mut statement = database.prepare_cached(
        "UPDATE card SET provider_order = ?3, state = ?4, owed = ?5, closed_at = ?6
         WHERE id = ?1 * 64 + ?2 AND (state <> ?4 OR provider_order IS NOT ?3 OR owed <> ?5)",
    )?;
    for (number, order) in sale.cards().filter(|(number, _)| card.is_none_or(|card| card == *number)) {
        statement.execute(params![
            before.first_seq,
            number.number(),
            order.past.provider_order.as_ref().map(ProviderOrderId::as_str),
            order.state_name(),
            is_owed_word(order.state_name()),
            order.is_closed().then_some(at.ms()),
        ])?;
    }
    Ok(())
}

/// Whether a sale is open, and when it was closed.
fn end(sale: &Sale, at: Moment) -> (bool, Option<i64>) {
    if sale.is_closed() { (false, Some(at.ms())) } else { (true, None) }
}

/// What was paid for a sale, in minor units.
pub(crate) fn paid(sale: &Sale) -> Option<i64> {
    match &sale.payment {
        PaymentState::Paid(payment) => Some(payment.amount.minor()),
        PaymentState::Unpaid { .. } | PaymentState::Cancelled { .. } => None,
    }
}

/// Removes all rows, so that they can be made again.
pub(crate) fn clear(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "DELETE FROM card; DELETE FROM sale; DELETE FROM redemption; DELETE FROM device; DELETE FROM day;",
    )
}

/// Whether SQLite refused a value because another row has it.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// Whether a sale in a phase holds its receipt ([`Sale::holds_its_receipt`]): it has an order that is being made, or waits
/// for its payment, or is not at rest; or it was paid.
pub(crate) fn holds_receipt(phase: &str, paid: bool) -> bool {
    paid || [Phase::Creating, Phase::Collect, Phase::Finishing].map(phase_word).contains(&phase)
}

/// The names of the states in which nothing remains to be done or decided for a card ([`Order::is_closed`]).
const CLOSED: [&str; 4] = ["not_sold", "sold", "cleared", "settled"];

/// Whether a card in a state of this name is closed.
pub(crate) fn is_closed_word(state: &str) -> bool {
    CLOSED.contains(&state)
}

/// The names of the states in which an undo is owed.
const OWED: [&str; 2] = ["owed", "stuck"];

/// Whether in a state of this name an undo is owed.
pub(crate) fn is_owed_word(state: &str) -> bool {
    OWED.contains(&state)
}
