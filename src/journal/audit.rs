//! The audit: the chain, and the tables against what the chain holds.
//!
//! Lists and restarts are made from the tables, so a row that says something else than its entries is as bad as a
//! changed entry. Each entry holds, under its link, what its card and its sale, or its redemption, were after it; a row must
//! say what the *last* entry of its sale and of its card says, and what the *first* says of receipt, cards and values;
//! likewise for a redemption. Nothing is stepped anew: that the machines make these states of these events shows at a start and at every reading.
//!
//! That no row is missing, or stops before the last entry of its subject, shows in two sums over the numbers of first and of
//! last entries: once as the entries have them (the last ones are those that no entry names as its previous), once as
//! the rows do. So the audit needs the same little memory for any length of a journal. What is summed are hashes under a
//! key that is random in each run; that two different sets have the same sum is a matter of one in 2^64.
//!
//! Chain and rows are walked beside each other, on a connection each, both in the same moment of the journal.

mod redemptions;

use std::hash::{BuildHasher, RandomState};

use rusqlite::{Connection, OptionalExtension, Row, Rows, Statement, params};
use tilld_domain::sale::{Opening, SaleEvent};

use crate::chain;
use crate::entry::{Event, Seq};
use crate::failure::{Break, ReadError, Verdict};
use crate::form;
use crate::tables;

/// How often two connections are begun until they see the same moment: a commit may fall between the two beginnings.
const BEGINNINGS: usize = 1_000;

/// The numbers of the first and of the last entries of all sales and redemptions, as sums.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
}

impl Ends {
    fn add_entry(&mut self, key: &RandomState, seq: i64, previous: Option<i64>) {
        let hash = key.hash_one(seq);
        self.last = self.last.wrapping_add(hash);
        match previous {
            Some(previous) => self.last = self.last.wrapping_sub(key.hash_one(previous)),
            None => self.first = self.first.wrapping_add(hash),
        }
    }

    fn add(&mut self, other: Self) {
        self.first = self.first.wrapping_add(other.first);
        self.last = self.last.wrapping_add(other.last);
    }

    fn add_row(&mut self, key: &RandomState, first: i64, last: i64) {
        self.first = self.first.wrapping_add(key.hash_one(first));
        self.last = self.last.wrapping_add(key.hash_one(last));
    }
}

/// What walking the rows found.
struct Walked {
    ends: Ends,
    /// The first row that is not what its entries say, by the entry that begins its subject.
    lie: Option<(Seq, Break)>,
}

/// Walks all of a journal. `beside`: another connection to the same one.
pub(crate) fn whole(
    database: &Connection,
    beside: Connection,
    journal: &[u8; 16],
) -> Result<Verdict, ReadError> {
    let snapshot = same_moment(database, &beside)?;
    let key = RandomState::new();
    let mut ends = Ends::default();
    let (verdict, walked) = std::thread::scope(|scope| {
        let key = &key;
        // It takes its connection with it: what it began ends when that is closed.
        let rows = scope.spawn(move || walk_rows(&beside, key, 0));
        let verdict =
            chain::verify(&snapshot, journal, |entry| ends.add_entry(key, entry.seq, entry.previous));
        (verdict, rows.join())
    });
    let verdict = verdict?;
    let walked = walked.map_err(|_| ReadError::Database("its rows could not be walked".to_owned()))??;
    if !matches!(verdict, Verdict::Whole { .. }) {
        return Ok(verdict);
    }
    let lie = match walked.lie {
        Some(lie) => Some(lie),
        None if walked.ends != ends => Some((odd_end(&snapshot)?, Break::Tables)),
        None => None,
    };
    Ok(lie.map_or(verdict, |(seq, why)| Verdict::Broken { seq, why }))
}

/// The last `most` entries, the rows of the sales and redemptions that began in them, and whether an open one ends beyond
/// the last entry.
pub(crate) fn last(database: &Connection, journal: &[u8; 16], most: u64) -> rusqlite::Result<Verdict> {
    let verdict = chain::verify_last(database, journal, most)?;
    let Verdict::Whole { entries, .. } = verdict else { return Ok(verdict) };
    let open: i64 = database.query_row(
        "SELECT max(coalesce((SELECT max(last_seq) FROM sale WHERE open = 1), 0),
                    coalesce((SELECT max(last_seq) FROM redemption WHERE open = 1), 0))",
        [],
        |row| row.get(0),
    )?;
    if Seq::of_column(open).number() > entries {
        return Ok(Verdict::Broken { seq: Seq::new(entries).next(), why: Break::Missing });
    }
    let after = Seq::new(entries.saturating_sub(most)).column();
    let lie = walk_rows(database, &RandomState::new(), after)?.lie;
    Ok(lie.map_or(verdict, |(seq, why)| Verdict::Broken { seq, why }))
}

/// Begins a reading on both connections so that they see the same entries.
fn same_moment<'a>(
    database: &'a Connection,
    beside: &Connection,
) -> Result<rusqlite::Transaction<'a>, ReadError> {
    let last = |connection: &Connection| {
        connection.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get::<_, i64>(0))
    };
    for _ in 0..BEGINNINGS {
        let snapshot = database.unchecked_transaction()?;
        beside.execute_batch("BEGIN")?;
        if last(&snapshot)? == last(beside)? {
            return Ok(snapshot);
        }
        beside.execute_batch("ROLLBACK")?;
    }
    Err(ReadError::Database("it is written too fast to be verified now".to_owned()))
}

const ROWS: &str =
    "SELECT sale.first_seq, sale.last_seq, sale.id, sale.receipt, sale.open, sale.phase, sale.total,
            opens.subject, opens.body, ends.subject, ends.open, ends.phase, (SELECT coalesce(max(seq), 0) FROM entry)
     FROM sale LEFT JOIN entry AS opens ON opens.seq = sale.first_seq AND opens.kind = 'opened'
               LEFT JOIN entry AS ends ON ends.seq = sale.last_seq
     WHERE sale.first_seq > ?1 ORDER BY sale.first_seq";

const CARDS: &str =
    "SELECT sale, card, order_id, face_value, state, owed FROM card WHERE sale > ?1 ORDER BY id";

/// Compares every row of the sales and redemptions that began after an entry with the entries.
fn walk_rows(database: &Connection, key: &RandomState, after: i64) -> rusqlite::Result<Walked> {
    let mut sales = walk_sales(database, key, after)?;
    let redemptions = redemptions::walk(database, key, after)?;
    sales.ends.add(redemptions.ends);
    let first = [sales.lie, redemptions.lie].into_iter().flatten().min_by_key(|(seq, _)| *seq);
    Ok(Walked { lie: first, ..sales })
}

fn walk_sales(database: &Connection, key: &RandomState, after: i64) -> rusqlite::Result<Walked> {
    let mut states = database.prepare("SELECT card, state, previous FROM entry WHERE seq = ?1")?;
    let mut cards = database.prepare(CARDS)?;
    let mut cards = Cards::begin(&mut cards, after)?;
    let mut sales = database.prepare(ROWS)?;
    let mut sales = sales.query(params![after])?;
    let mut ends = Ends::default();
    while let Some(row) = sales.next()? {
        let (first, last, newest): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(12)?);
        ends.add_row(key, first, last);
        let of_sale = cards.of(first)?;
        let lie = if last > newest {
            Some((Seq::of_column(newest).next(), Break::Missing))
        } else if says_what_its_entries_say(row, &of_sale) && agree(&mut states, last, &of_sale)? {
            None
        } else {
            Some((Seq::of_column(first), Break::Tables))
        };
        if lie.is_some() {
            return Ok(Walked { ends, lie });
        }
    }
    // A card of no sale comes before the next sale's, or after all.
    Ok(Walked { ends, lie: cards.stray().map(|sale| (Seq::of_column(sale), Break::Tables)) })
}

/// A row of the table `card`, as far as the entries say it too.
struct Card {
    sale: i64,
    number: u16,
    order: [u8; 16],
    face_value: i64,
    state: String,
    owed: bool,
}

/// The rows of the table `card` in their order, handed out sale by sale.
struct Cards<'a> {
    rows: Rows<'a>,
    next: Option<Card>,
    /// The first that was handed out for no sale.
    stray: Option<i64>,
}

impl<'a> Cards<'a> {
    fn begin(statement: &'a mut Statement<'_>, after: i64) -> rusqlite::Result<Self> {
        let mut cards = Self { rows: statement.query(params![after])?, next: None, stray: None };
        cards.step()?;
        Ok(cards)
    }

    fn step(&mut self) -> rusqlite::Result<Option<Card>> {
        let next = match self.rows.next()? {
            Some(row) => Some(Card {
                sale: row.get(0)?,
                number: row.get(1)?,
                order: row.get(2)?,
                face_value: row.get(3)?,
                state: row.get(4)?,
                owed: row.get(5)?,
            }),
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn of(&mut self, sale: i64) -> rusqlite::Result<Vec<Card>> {
        let mut cards = Vec::with_capacity(1);
        while self.next.as_ref().is_some_and(|card| card.sale <= sale) {
            match self.step()? {
                Some(card) if card.sale == sale => cards.push(card),
                card => self.stray = self.stray.or(card.map(|card| card.sale)),
            }
        }
        Ok(cards)
    }

    fn stray(&self) -> Option<i64> {
        self.stray.or(self.next.as_ref().map(|card| card.sale))
    }
}

/// Whether a row of [`ROWS`] and the rows of its cards say what the first and the last entry of the sale say.
fn says_what_its_entries_say(row: &Row<'_>, cards: &[Card]) -> bool {
    opened(row, cards).is_some_and(|agrees| agrees)
        && same(row, 2, 7)
        && same(row, 2, 9)
        && same(row, 4, 10)
        && same(row, 5, 11)
}

/// Whether two columns hold the same, and not nothing.
fn same(row: &Row<'_>, one: usize, other: usize) -> bool {
    matches!((row.get_ref(one), row.get_ref(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether receipt, total and cards are those of the opening; none if there is none that can be read.
fn opened(row: &Row<'_>, cards: &[Card]) -> Option<bool> {
    let body = row.get_ref(8).ok()?.as_str().ok()?;
    let Event::Sale(SaleEvent::Opened(opening)) = form::decode("opened", None, body).ok()? else {
        return None;
    };
    let Opening { sale, receipt, cards: facts, .. } = *opening;
    let total = facts.iter().try_fold(0_i64, |sum, facts| sum.checked_add(facts.face_value.minor()))?;
    let agree = facts.len() == cards.len()
        && facts.iter().zip(1..).zip(cards).all(|((facts, number), card)| {
            card.number == number
                && card.order == *facts.id.uuid().as_bytes()
                && card.face_value == facts.face_value.minor()
        });
    Some(
        agree
            && row.get_ref(2).ok()?.as_blob().ok()? == sale.uuid().as_bytes()
            && row.get_ref(3).ok()?.as_str().ok()? == receipt.as_str()
            && row.get_ref(6).ok()?.as_i64().ok()? == total,
    )
}

/// Whether each card's row says what the last entry about that card says. It goes back from the sale's last entry, and
/// stops when every card is found: for most sales at the first.
fn agree(states: &mut Statement<'_>, last: i64, cards: &[Card]) -> rusqlite::Result<bool> {
    let mut open: Vec<&Card> = cards.iter().collect();
    let mut next = Some(last);
    while let Some(seq) = next.filter(|_| !open.is_empty()) {
        let mut rows = states.query(params![seq])?;
        let Some(row) = rows.next()? else { return Ok(false) };
        let words = row.get_ref(1)?.as_str().unwrap_or_default();
        let says = |card: &Card, word: Option<&str>| {
            word == Some(card.state.as_str()) && card.owed == tables::is_owed_word(&card.state)
        };
        let about: Option<u16> = row.get(0)?;
        let lies = match about {
            Some(number) => open.iter().any(|card| card.number == number && !says(card, Some(words))),
            None => open.iter().any(|card| {
                let place = usize::from(card.number).saturating_sub(1);
                !says(card, words.split(' ').nth(place))
            }),
        };
        if lies {
            return Ok(false);
        }
        open.retain(|card| about.is_some_and(|number| card.number != number));
        let previous: Option<i64> = row.get(2)?;
        // Only ever back: a damaged file must not lead round in a circle.
        next = previous.filter(|previous| *previous < seq);
    }
    Ok(open.is_empty())
}

/// The subject that has no row, or whose row stops before its last entry, by the entry that begins it.
fn odd_end(database: &Connection) -> rusqlite::Result<Seq> {
    let first = |sql: &str| database.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional();
    let without_row = first(
        "SELECT min(seq) FROM entry
         WHERE (kind = 'opened' AND NOT EXISTS (SELECT 1 FROM sale WHERE first_seq = entry.seq))
            OR (kind = 'redemption_opened' AND NOT EXISTS (SELECT 1 FROM redemption WHERE first_seq = entry.seq))",
    )?;
    let stops_before = first(
        "SELECT min(made.first_seq) FROM entry JOIN (
             SELECT id, first_seq, last_seq FROM sale UNION ALL SELECT id, first_seq, last_seq FROM redemption
         ) AS made ON made.id = entry.subject WHERE entry.seq > made.last_seq",
    )?;
    Ok([without_row, stops_before].into_iter().flatten().flatten().min().map_or(Seq::NONE, Seq::of_column))
}
