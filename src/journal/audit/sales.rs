//! The rows of sales and of their cards against their entries.
//!
//! The entries of a sale are read from its last to its first: each names the one before it. Beside the sums only as many are
//! read as tell since when the sale and its cards are what they are, and the first; what was paid and the provider's names
//! for orders is then taken from the rows, and into the sums.

use std::hash::RandomState;

use rusqlite::{Connection, Row, Statement, params};
use tilld_domain::ids::PersonName;
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::Outcome;
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, MOST_CARDS, Opening, SaleEvent};

use super::{Says, Walk, integer, says, text};
use crate::chain::Linked;
use crate::entry::{Event, Seq};
use crate::failure::Break;
use crate::form;
use crate::tables::{self, CARDS_A_SALE};

const SALES: &str =
    "SELECT first_seq, last_seq, id, receipt, holds_receipt, open, phase, provider, store, terminal, cashier,
                            currency, total, paid, opened_at, closed_at
                     FROM sale WHERE first_seq >= ?1 ORDER BY first_seq";

const CARDS: &str =
    "SELECT id, sale, card, order_id, provider_order, product, product_name, kind, code_tail, face_value,
                            state, owed, closed_at
                     FROM card WHERE id BETWEEN ?1 * 64 AND ?1 * 64 + 63 ORDER BY id";

/// The place of `paid` in [`SALES`].
const PAID: usize = 13;

/// The place of `provider_order` in [`CARDS`].
const PROVIDER_ORDER: usize = 4;

const ENTRY: &str =
    "SELECT at, subject, previous, card, kind, state, phase, open, body FROM entry WHERE seq = ?1";

/// Compares every row of the sales that began with the entry `from` or later, and of their cards.
pub(super) fn walk(database: &Connection, walk: &mut Walk<'_>, from: i64) -> rusqlite::Result<()> {
    let mut entries = database.prepare(ENTRY)?;
    let mut cards = database.prepare(CARDS)?;
    let mut sales = database.prepare(SALES)?;
    let mut sales = sales.query(params![from])?;
    let mut compared: i64 = 0;
    while let Some(row) = sales.next()? {
        let Some((first, last)) = walk.begin_row(row) else { return Ok(()) };
        let count = match Told::read(&mut entries, (first, last), row, walk.thorough)? {
            Some(told) if told.is_said_by(row, first, last, walk) => {
                told.cards_are_said_by(&mut cards, first, walk)?
            }
            _ => None,
        };
        let Some(count) = count else {
            walk.lie(first);
            return Ok(());
        };
        compared = compared.saturating_add(count);
    }
    // Rows of cards that no sale has.
    let least = from.saturating_mul(CARDS_A_SALE);
    let there: i64 =
        database.query_row("SELECT count(*) FROM card WHERE id >= ?1", params![least], |row| row.get(0))?;
    if there != compared {
        let stray: Option<i64> = database.query_row(
            "SELECT min(sale) FROM card WHERE id >= ?1
               AND NOT EXISTS (SELECT 1 FROM sale WHERE first_seq = card.sale AND card.id / 64 = first_seq)",
            params![least],
            |row| row.get(0),
        )?;
        walk.found(stray.map_or(Seq::NONE, Seq::of_column), Break::Tables);
    }
    Ok(())
}

/// What one entry tells about a sale.
#[derive(Debug, Hash)]
pub(super) enum ToldByOne<'a> {
    /// What was paid.
    Paid(i64),
    /// The provider's name for the order of a card.
    Order(i64, &'a str),
}

/// Tells the sums what an entry tells, if it is one of those.
pub(super) fn add_told(sums: &mut super::Sums, key: &RandomState, entry: &Linked<'_>) {
    let event = || {
        let kind = std::str::from_utf8(entry.kind).ok()?;
        let card = match entry.card {
            Some(number) => Some(CardNo::new(u16::try_from(number).ok()?)?),
            None => None,
        };
        form::decode(kind, card, std::str::from_utf8(entry.body).ok()?).ok()
    };
    match (entry.kind, entry.state) {
        (b"paid", _) => {
            if let Some(Event::Sale(SaleEvent::Paid { payment, .. })) = event() {
                sums.add_told(key, entry.subject, &ToldByOne::Paid(payment.amount.minor()));
            }
        }
        (b"create_ended", b"created") => {
            if let Some(Event::Sale(SaleEvent::Card(card, OrderEvent::CreateEnded(Outcome::Done(created))))) =
                event()
            {
                let told = ToldByOne::Order(i64::from(card.number()), created.order.as_str());
                sums.add_told(key, entry.subject, &told);
            }
        }
        _ => {}
    }
}

/// What the entries of a sale tell.
struct Told {
    opening: Box<Opening>,
    opened_at: i64,
    open: bool,
    phase: String,
    /// The moment of the entry from which on it was closed.
    closed_at: Option<i64>,
    paid: Option<i64>,
    cards: Vec<ToldOfCard>,
}

/// What the entries of a sale tell of one of its cards.
#[derive(Default)]
struct ToldOfCard {
    /// The state after the last entry about it.
    state: Option<String>,
    /// The moment of the entry from which on it was in that state.
    since: i64,
    /// An earlier entry says another state.
    other_before: bool,
    provider_order: Option<String>,
}

impl ToldOfCard {
    /// Takes the entry before those that were taken.
    fn take(&mut self, at: i64, state: &str) {
        match &self.state {
            None => {
                self.state = Some(state.to_owned());
                self.since = at;
            }
            Some(last) if !self.other_before && last == state => self.since = at,
            Some(_) => self.other_before = true,
        }
    }
}

impl Told {
    /// Reads them, from the last to the first; none if they are no entries of one sale, or cannot be read.
    fn read(
        entries: &mut Statement<'_>,
        (first, last): (i64, i64),
        sale: &Row<'_>,
        thorough: bool,
    ) -> rusqlite::Result<Option<Self>> {
        let mut reading = Reading { thorough, ..Reading::default() };
        if !thorough {
            let mut rows = entries.query(params![first])?;
            let begun = rows.next()?.is_some_and(|row| reading.take_opening(row).is_some());
            if !begun {
                return Ok(None);
            }
        }
        let mut next = last;
        loop {
            if reading.is_enough() {
                return Ok(reading.end());
            }
            let mut rows = entries.query(params![next])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            if row.get_ref(1)? != sale.get_ref(2)? {
                return Ok(None);
            }
            if reading.take(row).is_none() {
                return Ok(None);
            }
            let Ok(previous) = row.get_ref(2)?.as_i64_or_null() else { return Ok(None) };
            match previous {
                // Only ever back: a damaged file must not lead round in a circle.
                Some(previous) if previous < next => next = previous,
                Some(_) => return Ok(None),
                None if next == first => return Ok(reading.end()),
                None => return Ok(None),
            }
        }
    }

    fn is_said_by(&self, row: &Row<'_>, first: i64, last: i64, walk: &mut Walk<'_>) -> bool {
        let opening = &self.opening;
        let paid = if walk.thorough { self.paid } else { integer(row, PAID) };
        if let Some(paid) = paid {
            walk.sums.add_told(walk.key, opening.sale.uuid().as_bytes(), &ToldByOne::Paid(paid));
        }
        let total =
            opening.cards.iter().try_fold(0_i64, |sum, facts| sum.checked_add(facts.face_value.minor()));
        let expected = [
            Says::Number(first),
            Says::Number(last),
            Says::Id(opening.sale.uuid()),
            Says::Text(opening.receipt.as_str()),
            Says::Flag(tables::holds_receipt(&self.phase, paid.is_some())),
            Says::Flag(self.open),
            Says::Text(&self.phase),
            Says::Text(&opening.provider),
            Says::Text(opening.store.as_str()),
            Says::Text(opening.terminal.as_str()),
            Says::MaybeText(opening.cashier.as_ref().map(PersonName::as_str)),
            Says::Text(opening.currency.code()),
            Says::MaybeNumber(total),
            Says::MaybeNumber(paid),
            Says::Number(self.opened_at),
            Says::MaybeNumber(self.closed_at),
        ];
        says(row, 0, &expected)
    }

    /// How many rows of cards there are, if they say what the entries tell.
    fn cards_are_said_by(
        &self,
        cards: &mut Statement<'_>,
        first: i64,
        walk: &mut Walk<'_>,
    ) -> rusqlite::Result<Option<i64>> {
        let mut rows = cards.query(params![first])?;
        let mut count: i64 = 0;
        for (facts, told) in self.opening.cards.iter().zip(&self.cards) {
            let (Some(row), Some(state)) = (rows.next()?, &told.state) else { return Ok(None) };
            count = count.saturating_add(1);
            let order =
                if walk.thorough { told.provider_order.as_deref() } else { text(row, PROVIDER_ORDER) };
            if let Some(order) = order {
                let told = ToldByOne::Order(count, order);
                walk.sums.add_told(walk.key, self.opening.sale.uuid().as_bytes(), &told);
            }
            let kind = match facts.kind {
                CardKind::Por => "por",
                CardKind::Posa => "posa",
            };
            let expected = [
                Says::Number(first.saturating_mul(CARDS_A_SALE).saturating_add(count)),
                Says::Number(first),
                Says::Number(count),
                Says::Id(facts.id.uuid()),
                Says::MaybeText(order),
                Says::Text(facts.product.as_str()),
                Says::Text(&facts.product_name),
                Says::Text(kind),
                Says::MaybeText(facts.code_tail.as_deref()),
                Says::Number(facts.face_value.minor()),
                Says::Text(state),
                Says::Flag(tables::is_owed_word(state)),
                Says::MaybeNumber(tables::is_closed_word(state).then_some(told.since)),
            ];
            if !says(row, 0, &expected) {
                return Ok(None);
            }
        }
        Ok(rows.next()?.is_none().then_some(count))
    }
}

/// The entries of a sale, as far as they are read.
#[derive(Default)]
struct Reading {
    thorough: bool,
    opening: Option<(Box<Opening>, i64)>,
    last: Option<(bool, String)>,
    closed_at: Option<i64>,
    /// An earlier entry says that it was open.
    open_before: bool,
    paid: Option<i64>,
    cards: Vec<ToldOfCard>,
}

impl Reading {
    /// Takes the entry before those that were taken; none if it cannot be read.
    fn take(&mut self, row: &Row<'_>) -> Option<()> {
        let at = integer(row, 0)?;
        let (kind, state, phase) = (text(row, 4)?, text(row, 5)?, text(row, 6)?);
        let open = integer(row, 7)? == 1;
        if self.last.is_none() {
            self.last = Some((open, phase.to_owned()));
        }
        self.open_before |= open;
        if !self.open_before {
            self.closed_at = Some(at);
        }
        let card = match integer(row, 3) {
            Some(number) => Some(usize::try_from(number).ok()?.checked_sub(1)?),
            None => None,
        };
        match card {
            Some(place) => self.card(place)?.take(at, state),
            None => {
                for (place, state) in state.split(' ').enumerate() {
                    self.card(place)?.take(at, state);
                }
            }
        }
        match kind {
            "opened" if self.opening.is_none() => self.take_opening(row)?,
            "paid" if self.thorough => {
                let Event::Sale(SaleEvent::Paid { payment, .. }) = decode(kind, row)? else { return None };
                self.paid = Some(payment.amount.minor());
            }
            // Of an order that another card has already, nothing is kept, and its state is another.
            "create_ended" if self.thorough && state == "created" => {
                let Event::Sale(SaleEvent::Card(_, OrderEvent::CreateEnded(Outcome::Done(created)))) =
                    decode(kind, row)?
                else {
                    return None;
                };
                self.card(card?)?.provider_order = Some(created.order.as_str().to_owned());
            }
            _ => {}
        }
        Some(())
    }

    /// Takes the first entry.
    fn take_opening(&mut self, row: &Row<'_>) -> Option<()> {
        let Event::Sale(SaleEvent::Opened(opening)) = decode(text(row, 4)?, row)? else { return None };
        self.opening = Some((opening, integer(row, 0)?));
        Some(())
    }

    /// Whether the entries before those that were taken tell nothing more than the sums do.
    fn is_enough(&self) -> bool {
        !self.thorough
            && self.open_before
            && self.opening.as_ref().is_some_and(|(opening, _)| opening.cards.len() == self.cards.len())
            && self.cards.iter().all(|card| card.other_before)
    }

    fn card(&mut self, place: usize) -> Option<&mut ToldOfCard> {
        if place >= MOST_CARDS {
            return None;
        }
        if place >= self.cards.len() {
            self.cards.resize_with(place.saturating_add(1), ToldOfCard::default);
        }
        self.cards.get_mut(place)
    }

    /// What they tell, now that the first was taken.
    fn end(self) -> Option<Told> {
        let (opening, opened_at) = self.opening?;
        let (open, phase) = self.last?;
        let Self { closed_at, paid, cards, .. } = self;
        let as_many = cards.len() == opening.cards.len();
        as_many.then_some(Told { opening, opened_at, open, phase, closed_at, paid, cards })
    }
}

fn decode(kind: &str, row: &Row<'_>) -> Option<Event> {
    let card = match integer(row, 3) {
        Some(number) => Some(CardNo::new(u16::try_from(number).ok()?)?),
        None => None,
    };
    form::decode(kind, card, text(row, 8)?).ok()
}
