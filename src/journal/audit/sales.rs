//! The rows of sales and of their cards against their entries.
//!
//! The entries of a sale are read from its last to its first: each names the one before it. Beside the sums only as many are
//! read as tell since when the sale and its cards are what they are; what one entry tells (the opening, what was paid, the
//! provider's names for orders) is then taken from the rows, and into the sums.

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;

use rusqlite::{Connection, Row, Statement, params};
use tilld_domain::ids::PersonName;
use tilld_domain::order::{OrderEvent, OrderFacts};
use tilld_domain::outcome::Outcome;
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, MOST_CARDS, Opening, SaleEvent};
use uuid::Uuid;

use super::recent::{Brief, Recent};
use super::{Walk, flag, integer, text};
use crate::chain::Linked;
use crate::entry::{Event, Seq};
use crate::failure::Break;
use crate::form;
use crate::tables::{self, CARDS_A_SALE};

const SALES: &str =
    "SELECT first_seq, last_seq, id, receipt, holds_receipt, open, phase, provider, store, terminal, cashier,
                            currency, total, paid, opened_at, closed_at
                     FROM sale WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY first_seq";

const CARDS: &str =
    "SELECT id, sale, card, order_id, provider_order, product, product_name, kind, code_tail, face_value,
                            state, owed, closed_at
                     FROM card WHERE id BETWEEN ?1 * 64 AND ?1 * 64 + 63 ORDER BY id";

const ENTRY: &str =
    "SELECT at, subject, previous, card, kind, state, phase, open, body FROM entry WHERE seq = ?1";

/// Compares every row of the sales that began with one of these entries, and of their cards.
pub(super) fn walk(
    database: &Connection,
    walk: &mut Walk<'_>,
    begun: &RangeInclusive<i64>,
) -> rusqlite::Result<()> {
    let mut entries = database.prepare_cached(ENTRY)?;
    let mut cards = database.prepare_cached(CARDS)?;
    let mut sales = database.prepare_cached(SALES)?;
    let mut sales = sales.query(params![begun.start(), begun.end()])?;
    let mut compared: i64 = 0;
    while let Some(row) = sales.next()? {
        let Some((first, last)) = walk.begin_row(row) else { return Ok(()) };
        let Some(said) = Said::read(row, &mut cards, first, walk)? else {
            walk.lie(first);
            return Ok(());
        };
        let told = Told::read(&mut entries, &walk.recent, (first, last), &said, walk.thorough)?;
        if !told.is_some_and(|told| told.is_said_by(&said, walk)) {
            walk.lie(first);
            return Ok(());
        }
        compared = compared.saturating_add(i64::try_from(said.cards.len()).unwrap_or(i64::MAX));
    }
    // Rows of cards that no sale has.
    let least = begun.start().saturating_mul(CARDS_A_SALE);
    let most = begun.end().saturating_mul(CARDS_A_SALE).saturating_add(CARDS_A_SALE - 1);
    let between = params![least, most];
    let there: i64 =
        database
            .query_row("SELECT count(*) FROM card WHERE id BETWEEN ?1 AND ?2", between, |row| row.get(0))?;
    if there != compared {
        let stray: Option<i64> = database.query_row(
            "SELECT min(sale) FROM card WHERE id BETWEEN ?1 AND ?2
               AND NOT EXISTS (SELECT 1 FROM sale WHERE first_seq = card.sale AND card.id / 64 = first_seq)",
            between,
            |row| row.get(0),
        )?;
        walk.found(stray.map_or(Seq::NONE, Seq::of_column), Break::Tables);
    }
    Ok(())
}

/// What one entry tells about a sale, and nothing that comes after it changes.
#[derive(Debug, Hash)]
pub(super) enum ToldByOne<'a> {
    /// The first: who sold what, where.
    Opened(&'a Opened<'a>),
    /// The first too: what was asked for by the card of this number.
    Card(i64, &'a Facts<'a>),
    /// What was paid.
    Paid(i64),
    /// The provider's name for the order of a card.
    Order(i64, &'a str),
}

/// What the first entry tells, as columns of the sale's row.
#[derive(Debug, Hash, PartialEq)]
pub(super) struct Opened<'a> {
    /// Its own number.
    first: i64,
    receipt: &'a str,
    provider: &'a str,
    store: &'a str,
    terminal: &'a str,
    cashier: Option<&'a str>,
    currency: &'a str,
    /// None if it is too large for a column, which no row says.
    total: Option<i64>,
    at: i64,
}

impl<'a> Opened<'a> {
    fn of_entry(opening: &'a Opening, first: i64, at: i64) -> Self {
        Self {
            first,
            receipt: opening.receipt.as_str(),
            provider: &opening.provider,
            store: opening.store.as_str(),
            terminal: opening.terminal.as_str(),
            cashier: opening.cashier.as_ref().map(PersonName::as_str),
            currency: opening.currency.code(),
            total: opening
                .cards
                .iter()
                .try_fold(0_i64, |sum, facts| sum.checked_add(facts.face_value.minor())),
            at,
        }
    }

    fn of_view(opening: &'a form::told::Opened<'_>, first: i64, at: i64) -> Self {
        Self {
            first,
            receipt: &opening.receipt,
            provider: &opening.provider,
            store: &opening.store,
            terminal: &opening.terminal,
            cashier: opening.cashier.as_deref(),
            currency: &opening.currency,
            total: opening.cards.iter().try_fold(0_i64, |sum, card| sum.checked_add(card.face_value.minor)),
            at,
        }
    }

    /// By the columns of [`SALES`]; none if one has a type that is never written.
    fn of_row(row: &'a Row<'_>) -> Option<Self> {
        Some(Self {
            first: integer(row, 0)?,
            receipt: text(row, 3)?,
            provider: text(row, 7)?,
            store: text(row, 8)?,
            terminal: text(row, 9)?,
            cashier: row.get_ref(10).ok()?.as_str_or_null().ok()?,
            currency: text(row, 11)?,
            total: Some(integer(row, 12)?),
            at: integer(row, 14)?,
        })
    }
}

/// What the first entry tells of a card, as columns of the card's row.
#[derive(Debug, Hash, PartialEq)]
pub(super) struct Facts<'a> {
    order: Uuid,
    product: &'a str,
    product_name: &'a str,
    kind: &'a str,
    code_tail: Option<&'a str>,
    face_value: i64,
}

impl<'a> Facts<'a> {
    fn of_entry(facts: &'a OrderFacts) -> Self {
        Self {
            order: facts.id.uuid(),
            product: facts.product.as_str(),
            product_name: &facts.product_name,
            kind: match facts.kind {
                CardKind::Por => "por",
                CardKind::Posa => "posa",
            },
            code_tail: facts.code_tail.as_deref(),
            face_value: facts.face_value.minor(),
        }
    }

    fn of_view(card: &'a form::told::Card<'_>) -> Self {
        Self {
            order: card.id,
            product: &card.product,
            product_name: &card.product_name,
            kind: &card.kind,
            code_tail: card.code_tail.as_deref(),
            face_value: card.face_value.minor,
        }
    }

    /// By the columns of [`CARDS`]; none if one has a type that is never written.
    fn of_row(row: &'a Row<'_>) -> Option<Self> {
        Some(Self {
            order: Uuid::from_slice(row.get_ref(3).ok()?.as_blob().ok()?).ok()?,
            product: text(row, 5)?,
            product_name: text(row, 6)?,
            kind: text(row, 7)?,
            code_tail: row.get_ref(8).ok()?.as_str_or_null().ok()?,
            face_value: integer(row, 9)?,
        })
    }
}

/// Tells the sums what an entry tells, if it is one of those.
pub(super) fn add_told(sums: &mut super::Sums, key: &RandomState, entry: &Linked<'_>) {
    each_told(entry, &mut |sale, told| sums.add_told(key, sale, &told));
}

/// Names the sale and all that an entry tells about it by itself. What cannot be read tells nothing, and is missed in the sums.
fn each_told(entry: &Linked<'_>, tell: &mut dyn FnMut(&[u8], ToldByOne<'_>)) {
    match (entry.kind, entry.state) {
        (b"opened", _) => {
            let Some(opening) = form::told::opened(entry.body) else { return };
            let sale = opening.sale.as_bytes();
            tell(sale, ToldByOne::Opened(&Opened::of_view(&opening, entry.seq, entry.at)));
            for (card, number) in opening.cards.iter().zip(1..) {
                tell(sale, ToldByOne::Card(number, &Facts::of_view(card)));
            }
        }
        (b"paid", _) => {
            let Some(paid) = form::told::paid(entry.body) else { return };
            tell(entry.subject, ToldByOne::Paid(paid));
        }
        (b"create_ended", b"created") => {
            let Some((card, order)) = form::told::order(entry.body) else { return };
            if entry.card == Some(card) {
                tell(entry.subject, ToldByOne::Order(card, &order));
            }
        }
        _ => {}
    }
}

/// What the rows of a sale and of its cards say.
struct Said<'a> {
    sale: &'a [u8],
    opened: Opened<'a>,
    holds_receipt: bool,
    open: bool,
    phase: &'a str,
    paid: Option<i64>,
    closed_at: Option<i64>,
    cards: Vec<SaidOfCard>,
}

/// What the row of a card says.
struct SaidOfCard {
    /// [`Facts`], under the key of the run.
    facts: u64,
    provider_order: Option<String>,
    state: String,
    owed: bool,
    closed_at: Option<i64>,
}

impl<'a> Said<'a> {
    /// Reads them, and tells the sums what one entry must have told; none if a row holds what is never written.
    fn read(
        row: &'a Row<'_>,
        cards: &mut Statement<'_>,
        first: i64,
        walk: &mut Walk<'_>,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(mut said) = Self::of_row(row) else { return Ok(None) };
        walk.sums.add_told(walk.key, said.sale, &ToldByOne::Opened(&said.opened));
        if let Some(paid) = said.paid {
            walk.sums.add_told(walk.key, said.sale, &ToldByOne::Paid(paid));
        }
        let mut rows = cards.query(params![first])?;
        let mut number: i64 = 0;
        while let Some(row) = rows.next()? {
            number = number.saturating_add(1);
            let Some(card) = SaidOfCard::read(row, (first, number), said.sale, walk) else {
                return Ok(None);
            };
            said.cards.push(card);
        }
        Ok(Some(said))
    }

    fn of_row(row: &'a Row<'_>) -> Option<Self> {
        Some(Self {
            sale: row.get_ref(2).ok()?.as_blob().ok()?,
            opened: Opened::of_row(row)?,
            holds_receipt: flag(row, 4)?,
            open: flag(row, 5)?,
            phase: text(row, 6)?,
            paid: row.get_ref(13).ok()?.as_i64_or_null().ok()?,
            closed_at: row.get_ref(15).ok()?.as_i64_or_null().ok()?,
            cards: Vec::new(),
        })
    }
}

impl SaidOfCard {
    fn read(row: &Row<'_>, (first, number): (i64, i64), sale: &[u8], walk: &mut Walk<'_>) -> Option<Self> {
        let its_own = [first.saturating_mul(CARDS_A_SALE).saturating_add(number), first, number];
        if its_own != [integer(row, 0)?, integer(row, 1)?, integer(row, 2)?] {
            return None;
        }
        let facts = Facts::of_row(row)?;
        walk.sums.add_told(walk.key, sale, &ToldByOne::Card(number, &facts));
        let provider_order = row.get_ref(4).ok()?.as_str_or_null().ok()?;
        if let Some(order) = provider_order {
            walk.sums.add_told(walk.key, sale, &ToldByOne::Order(number, order));
        }
        Some(Self {
            facts: walk.key.hash_one(&facts),
            provider_order: provider_order.map(str::to_owned),
            state: text(row, 10)?.to_owned(),
            owed: flag(row, 11)?,
            closed_at: row.get_ref(12).ok()?.as_i64_or_null().ok()?,
        })
    }
}

/// What the entries of a sale tell.
struct Told {
    /// With its moment; none if the sums tell it.
    opening: Option<(Box<Opening>, i64)>,
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

    fn is_said_by(&self, said: &SaidOfCard) -> bool {
        let closed = tables::is_closed_word(&said.state);
        self.state.as_ref() == Some(&said.state)
            && said.owed == tables::is_owed_word(&said.state)
            && said.closed_at == closed.then_some(self.since)
    }
}

impl Told {
    /// Reads them, from the last to the first; none if they are no entries of one sale, or cannot be read.
    fn read(
        entries: &mut Statement<'_>,
        recent: &Recent,
        (first, last): (i64, i64),
        said: &Said<'_>,
        thorough: bool,
    ) -> rusqlite::Result<Option<Self>> {
        let mut reading = Reading { thorough, ..Reading::default() };
        let mut next = last;
        loop {
            if reading.is_enough(said.cards.len()) {
                return Ok(reading.end());
            }
            // A body is read of the file alone.
            let kept = if thorough { None } else { recent.entry(next) };
            let taken = if let Some(entry) = kept {
                reading.take(said.sale, &entry, "").then_some(entry.previous)
            } else {
                let mut rows = entries.query(params![next])?;
                let Some(row) = rows.next()? else { return Ok(None) };
                brief(row)
                    .and_then(|(entry, body)| reading.take(said.sale, &entry, body).then_some(entry.previous))
            };
            let Some(previous) = taken else { return Ok(None) };
            match previous {
                // Only ever back: a damaged file must not lead round in a circle.
                Some(previous) if previous < next => next = previous,
                Some(_) => return Ok(None),
                None if next == first => return Ok(reading.end()),
                None => return Ok(None),
            }
        }
    }

    fn is_said_by(&self, said: &Said<'_>, walk: &Walk<'_>) -> bool {
        said.open == self.open
            && said.phase == self.phase
            && said.closed_at == self.closed_at
            && said.holds_receipt == tables::holds_receipt(&self.phase, said.paid.is_some())
            && said.cards.len() == self.cards.len()
            && said.cards.iter().zip(&self.cards).all(|(said, told)| told.is_said_by(said))
            && (!walk.thorough || self.one_by_one_is_said_by(said, walk))
    }

    /// What one entry tells, without the sums.
    fn one_by_one_is_said_by(&self, said: &Said<'_>, walk: &Walk<'_>) -> bool {
        let Some((opening, at)) = &self.opening else { return false };
        let facts = |(facts, said): (&OrderFacts, &SaidOfCard)| {
            said.facts == walk.key.hash_one(Facts::of_entry(facts))
        };
        said.sale == opening.sale.uuid().as_bytes()
            && said.opened == Opened::of_entry(opening, said.opened.first, *at)
            && said.paid == self.paid
            && said.cards.len() == opening.cards.len()
            && opening.cards.iter().zip(&said.cards).all(facts)
            && said
                .cards
                .iter()
                .zip(&self.cards)
                .all(|(said, told)| said.provider_order == told.provider_order)
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
    /// Takes the entry before those that were taken. Not if it is no entry of this sale, or cannot be read.
    fn take(&mut self, sale: &[u8], entry: &Brief<'_>, body: &str) -> bool {
        entry.subject == sale && self.take_its(entry, body).is_some()
    }

    fn take_its(&mut self, entry: &Brief<'_>, body: &str) -> Option<()> {
        let Brief { at, card, kind, state, phase, open, .. } = *entry;
        let phase = phase?;
        if self.last.is_none() {
            self.last = Some((open, phase.to_owned()));
        }
        self.open_before |= open;
        if !self.open_before {
            self.closed_at = Some(at);
        }
        let place = match card {
            Some(number) => Some(usize::try_from(number).ok()?.checked_sub(1)?),
            None => None,
        };
        match place {
            Some(place) => self.card(place)?.take(at, state),
            None => {
                for (place, state) in state.split(' ').enumerate() {
                    self.card(place)?.take(at, state);
                }
            }
        }
        match kind {
            "opened" if self.thorough && self.opening.is_none() => {
                let Event::Sale(SaleEvent::Opened(opening)) = decode(kind, card, body)? else { return None };
                self.opening = Some((opening, at));
            }
            "paid" if self.thorough => {
                let Event::Sale(SaleEvent::Paid { payment, .. }) = decode(kind, card, body)? else {
                    return None;
                };
                self.paid = Some(payment.amount.minor());
            }
            // Of an order that another card has already, nothing is kept, and its state is another.
            "create_ended" if self.thorough && state == "created" => {
                let Event::Sale(SaleEvent::Card(_, OrderEvent::CreateEnded(Outcome::Done(created)))) =
                    decode(kind, card, body)?
                else {
                    return None;
                };
                self.card(place?)?.provider_order = Some(created.order.as_str().to_owned());
            }
            _ => {}
        }
        Some(())
    }

    /// Whether the entries before those that were taken tell nothing more than the sums do.
    fn is_enough(&self, cards: usize) -> bool {
        !self.thorough
            && self.open_before
            && self.cards.len() == cards
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

    fn end(self) -> Option<Told> {
        let (open, phase) = self.last?;
        let Self { opening, closed_at, paid, cards, .. } = self;
        Some(Told { opening, open, phase, closed_at, paid, cards })
    }
}

/// By the columns of [`ENTRY`], and its body; none if one has a type that is never written.
fn brief<'a>(row: &'a Row<'_>) -> Option<(Brief<'a>, &'a str)> {
    let entry = Brief {
        at: integer(row, 0)?,
        subject: row.get_ref(1).ok()?.as_blob().ok()?,
        previous: row.get_ref(2).ok()?.as_i64_or_null().ok()?,
        card: row.get_ref(3).ok()?.as_i64_or_null().ok()?,
        kind: text(row, 4)?,
        state: text(row, 5)?,
        phase: row.get_ref(6).ok()?.as_str_or_null().ok()?,
        open: flag(row, 7)?,
    };
    Some((entry, text(row, 8)?))
}

fn decode(kind: &str, card: Option<i64>, body: &str) -> Option<Event> {
    let card = match card {
        Some(number) => Some(CardNo::new(u16::try_from(number).ok()?)?),
        None => None,
    };
    form::decode(kind, card, body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::samples;

    /// What a sale's event tells, by the event as it is read anew, as text.
    fn by_the_event(event: &SaleEvent, at: i64, subject: &[u8]) -> Vec<String> {
        let text = |sale: &[u8], told: ToldByOne<'_>| format!("{sale:?} {told:?}");
        match event {
            SaleEvent::Opened(opening) => {
                let sale = opening.sale.uuid();
                let opened = Opened::of_entry(opening, 1, at);
                let cards = opening.cards.iter().zip(1..);
                std::iter::once(text(sale.as_bytes(), ToldByOne::Opened(&opened)))
                    .chain(cards.map(|(facts, number)| {
                        text(sale.as_bytes(), ToldByOne::Card(number, &Facts::of_entry(facts)))
                    }))
                    .collect()
            }
            SaleEvent::Paid { payment, .. } => vec![text(subject, ToldByOne::Paid(payment.amount.minor()))],
            SaleEvent::Card(card, OrderEvent::CreateEnded(Outcome::Done(created))) => {
                vec![text(subject, ToldByOne::Order(i64::from(card.number()), created.order.as_str()))]
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_is_read_for_the_sums_is_what_the_events_say() {
        let mut told = [0; 3];
        for event in samples::events() {
            let Event::Sale(event) = event else { continue };
            let kind = form::kind_of_sale(&event);
            let body = form::encode_of_sale(&event).unwrap();
            let card = form::card_of_sale(&event).map(|card| i64::from(card.number()));
            let created = matches!(&event, SaleEvent::Card(_, OrderEvent::CreateEnded(Outcome::Done(_))));
            let entry = Linked {
                seq: 1,
                at: 7,
                subject: &[9; 16],
                previous: None,
                card,
                kind: kind.as_bytes(),
                state: if created { b"created" } else { b"other" },
                phase: Some(b"collect"),
                open: true,
                body: body.as_bytes(),
                sealed: None,
                request_key: None,
                request_digest: None,
            };
            let mut found = Vec::new();
            each_told(&entry, &mut |sale, told| found.push(format!("{sale:?} {told:?}")));
            let read = decode(kind, card, &body).unwrap();
            let Event::Sale(read) = read else { panic!("{kind} is of no sale") };
            assert_eq!(found, by_the_event(&read, 7, &[9; 16]), "{body}");
            match &event {
                SaleEvent::Opened(_) => told[0] += found.len(),
                SaleEvent::Paid { .. } => told[1] += found.len(),
                _ => told[2] += found.len(),
            }
        }
        assert!(told[0] > 2 && told[1] > 0 && told[2] > 0, "{told:?}");
    }

    #[test]
    fn what_is_of_another_version_or_another_card_or_no_such_event_tells_nothing() {
        let created =
            |body: &str| form::told::order(body.as_bytes()).map(|(card, order)| (card, order.to_owned()));
        assert_eq!(
            created(r#"{"v":1,"event":{"card":[2,{"create_ended":{"done":{"order":"a\u00e4"}}}]}}"#),
            Some((2, "a\u{e4}".to_owned()))
        );
        for body in [
            r#"{"v":2,"event":{"card":[2,{"create_ended":{"done":{"order":"a"}}}]}}"#,
            r#"{"v":1,"event":{"card":[2,{"create_ended":{"unknown":"reset"}}]}}"#,
            r#"{"v":1,"event":{"card":[2,{"confirm_ended":{"done":{"order":"a"}}}]}}"#,
            r#"{"v":1,"event":"resumed"}"#,
            "",
        ] {
            assert_eq!(created(body), None, "{body}");
            assert!(
                form::told::opened(body.as_bytes()).is_none() && form::told::paid(body.as_bytes()).is_none()
            );
        }
    }
}
