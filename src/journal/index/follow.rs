//! Following the journal: what a batch of entries changes in the index.
//!
//! First the journal is read, in one short transaction: which sales and redemptions the entries are about, and how these stand now.
//! Then, with the journal left alone, the index is written, in one commit: postings sorted by where they stand, each read and
//! written once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use tilld_domain::ids::OrderId;
use tilld_domain::money::Money;
use tilld_domain::slip_number::SlipNumber;
use tilld_domain::voucher::Worth;
use uuid::Uuid;

use super::{
    BLOCK, CARDS_A_SALE, Kind, MOST_AT_ONCE, STRETCH, UpTo, discard, folded, move_long_log, said, term, words,
};
use crate::chain::Head;
use crate::entry::{CardRow, RedemptionRow, SaleRow, Seq, Subject};
use crate::failure::ReadError;
use crate::form;
use crate::index::rows::Rows;
use crate::reader::Reader;
use crate::tables;

/// How many attempts at a slip have numbers of their own.
const MOST_SLIPS: u16 = 9;

/// How far an index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// The last entry that it holds.
    pub upto: Seq,
    /// The journal's last entry at that moment.
    pub last: Seq,
}

impl Followed {
    /// Whether it held everything.
    pub fn is_whole(self) -> bool {
        self.upto == self.last
    }
}

/// Takes the next entries of the journal of a directory into its index, at most [`MOST_AT_ONCE`]; makes the index if there is none.
/// To be called by one thread at a time.
pub fn follow(directory: &Path) -> Result<Followed, ReadError> {
    let reader = Reader::open(directory).map_err(|error| ReadError::Database(error.to_string()))?;
    let opened = super::open(reader.paths(), reader.database(), reader.journal());
    let (index, up_to) = opened.inspect_err(|_| discard(directory))?;
    let batch = Batch::read(&reader, up_to)?;
    let followed = Followed { upto: Seq::of_column(batch.upto), last: batch.last };
    let log = reader.paths().index_log();
    drop(reader);
    if batch.upto > up_to.seq {
        Writing::write(index, &batch, &log).inspect_err(|_| discard(directory))?;
    }
    Ok(followed)
}

/// What the entries of a batch are about, and how that stands.
struct Batch {
    lines: Vec<Line>,
    /// The earliest and the latest moment of the entries of each stretch.
    stretches: BTreeMap<i64, (i64, i64)>,
    upto: i64,
    hash: Vec<u8>,
    last: Seq,
}

/// A row as it is to be found.
struct Line {
    place: i64,
    at: i64,
    state: String,
    open: bool,
    /// The provider's id.
    named: Option<String>,
    /// The order of a card that is printed, and how many attempts at its slip were begun by the entries of the batch.
    slips: Option<(OrderId, u16)>,
    /// What never changes.
    fixed: Fixed,
}

struct Fixed {
    what: &'static str,
    cashier: Option<String>,
    product: Option<(String, String)>,
    amount: Worth,
    names: Vec<String>,
}

impl Batch {
    fn read(reader: &Reader, up_to: UpTo) -> Result<Self, ReadError> {
        let database = reader.database();
        let moment = database.unchecked_transaction()?;
        let last = Head::read(&moment, reader.journal())?.seq;
        let mut batch =
            Self { lines: Vec::new(), stretches: BTreeMap::new(), upto: up_to.seq, hash: Vec::new(), last };
        let mut subjects = BTreeSet::new();
        let mut slips = BTreeMap::<(Uuid, u16), u16>::new();
        {
            let mut statement = moment.prepare_cached(
                "SELECT seq, at, subject, kind, hash, CASE WHEN state = 'printing' THEN card END
                 FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let most = i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![up_to.seq, most])?;
            while let Some(row) = rows.next()? {
                let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
                let id = Uuid::from_bytes(row.get(2)?);
                subjects.insert(form::subject(row.get_ref(3)?.as_str().unwrap_or_default(), id));
                let span = batch.stretches.entry(seq.div_euclid(STRETCH)).or_insert((at, at));
                *span = (span.0.min(at), span.1.max(at));
                batch.upto = seq;
                batch.hash = row.get(4)?;
                if let Some(card) = row.get(5)? {
                    let begun = slips.entry((id, card)).or_default();
                    *begun = begun.saturating_add(1);
                }
            }
        }
        for subject in subjects {
            match subject {
                Subject::Sale(sale) => {
                    if let Some(row) = reader.sale_row(sale)? {
                        let begun = |card: &CardRow| slips.get(&(sale.uuid(), card.card)).copied();
                        let line = |card| Line::of_card(&row, card, begun(card).unwrap_or_default());
                        batch.lines.extend(row.cards.iter().map(line));
                    }
                }
                Subject::Redemption(redemption) => {
                    batch.lines.extend(reader.redemption_row(redemption)?.as_ref().map(Line::of_redemption));
                }
                Subject::Device(_) | Subject::Day(_) => {}
            }
        }
        // In the order in which they began, which is the order of their rows.
        batch.lines.sort_by_key(|line| line.place);
        Ok(batch)
    }
}

impl Line {
    fn of_card(sale: &SaleRow, card: &CardRow, slips: u16) -> Self {
        let receipt = sale.receipt.as_str();
        let mut names = vec![folded(receipt), sale.sale.to_string(), card.order.to_string()];
        names.extend(said(receipt).map(folded));
        // It is kept behind dots.
        names.extend(card.code_tail.as_deref().map(|tail| folded(tail.trim_start_matches('•'))));
        Self {
            place: place(sale.first, i64::from(card.card)),
            at: sale.opened.ms(),
            open: !tables::is_closed_word(&card.state),
            state: card.state.clone(),
            named: card.provider_order.clone(),
            // A slip that is not the card has no number.
            slips: (card.kind == "por").then_some((card.order, slips)),
            fixed: Fixed {
                what: "sale",
                cashier: sale.cashier.clone(),
                product: Some((card.product.clone(), card.product_name.clone())),
                amount: Worth::Money(card.face_value),
                names,
            },
        }
    }

    fn of_redemption(row: &RedemptionRow) -> Self {
        let basket = row.basket.as_str();
        let mut names = vec![folded(basket), row.redemption.to_string(), folded(row.code_tail.as_str())];
        names.extend(said(basket).map(folded));
        Self {
            place: place(row.first, 0),
            at: row.opened.ms(),
            state: row.state.clone(),
            open: row.open,
            named: row.provider_redemption.clone(),
            slips: None,
            fixed: Fixed {
                what: "redemption",
                cashier: row.cashier.clone(),
                product: None,
                amount: row.amount,
                names,
            },
        }
    }
}

impl Line {
    /// How many numbers of slips lead to it after the batch, and the terms of those that are new.
    fn slips_after(&self, before: u16) -> (u16, Vec<i64>) {
        let Some((order, begun)) = self.slips else { return (before, Vec::new()) };
        let after = before.saturating_add(begun).min(MOST_SLIPS);
        let number = |attempt| term(Kind::Name, &SlipNumber::of(order, attempt).to_string());
        (after, (before.saturating_add(1)..=after).map(number).collect())
    }
}

/// The place of a card; of a redemption, as card 0.
pub(crate) fn place(first: Seq, card: i64) -> i64 {
    first.column().saturating_mul(CARDS_A_SALE).saturating_add(card)
}

/// The text of an amount's term.
pub(super) fn amount_text(amount: Worth) -> String {
    match amount {
        Worth::Money(money) => money_text(money),
        Worth::Items(count) => format!("items {count}"),
    }
}

/// The text of the term of money.
pub(crate) fn money_text(money: Money) -> String {
    format!("{} {}", money.currency().code(), money.minor())
}

/// A term that a row has got or lost. Sorted they stand as the postings stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    block: i64,
    term: i64,
    row: i64,
    there: bool,
}

/// An index that is being written.
struct Writing<'a> {
    index: &'a Connection,
    /// How many rows there are.
    count: i64,
    /// The place of the last of them.
    last_place: i64,
    changes: Vec<Change>,
    spans: BTreeMap<i64, (i64, i64)>,
    /// Words that this batch has written already.
    words: BTreeSet<(String, i64)>,
}

impl Writing<'_> {
    fn write(mut index: Connection, batch: &Batch, log: &Path) -> Result<(), ReadError> {
        let begun = index.transaction()?;
        let end: Option<(i64, i64)> = begun
            .query_row("SELECT row, place FROM row ORDER BY row DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (count, last_place) = end.map_or((0, -1), |(row, place)| (row.saturating_add(1), place));
        let mut writing = Writing {
            index: &begun,
            count,
            last_place,
            changes: Vec::new(),
            spans: BTreeMap::new(),
            words: BTreeSet::new(),
        };
        for line in &batch.lines {
            writing.line(line)?;
        }
        writing.postings()?;
        widen(&begun, "span", "block", &writing.spans)?;
        widen(&begun, "stretch", "stretch", &batch.stretches)?;
        begun.execute("UPDATE about SET seq = ?1, hash = ?2", params![batch.upto, batch.hash])?;
        begun.commit()?;
        Ok(move_long_log(&index, log)?)
    }

    fn line(&mut self, line: &Line) -> rusqlite::Result<()> {
        if line.place > self.last_place {
            return self.begin(line);
        }
        let Some(row) = find(self.index, line.place)? else { return Ok(()) };
        let (state, open, named, slips): (i64, bool, bool, u16) = self
            .index
            .prepare_cached("SELECT state, open, named, slips FROM row WHERE row = ?1")?
            .query_row(params![row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let now = self.state(&line.state)?;
        let name = line.named.as_deref().filter(|_| !named);
        let (slips, numbers) = line.slips_after(slips);
        if (state, open) == (now, line.open) && name.is_none() && numbers.is_empty() {
            return Ok(());
        }
        if state != now {
            self.change(row, state, false);
            self.change(row, now, true);
        }
        if open != line.open {
            self.change(row, term(Kind::Open, ""), line.open);
        }
        if let Some(name) = name {
            self.change(row, term(Kind::Name, &folded(name)), true);
        }
        for number in numbers {
            self.change(row, number, true);
        }
        self.index
            .prepare_cached("UPDATE row SET state = ?2, open = ?3, named = ?4, slips = ?5 WHERE row = ?1")?
            .execute(params![row, now, line.open, line.named.is_some(), slips])?;
        Ok(())
    }

    fn begin(&mut self, line: &Line) -> rusqlite::Result<()> {
        let row = self.count;
        let state = self.state(&line.state)?;
        let (slips, numbers) = line.slips_after(0);
        self.index
            .prepare_cached(
                "INSERT INTO row (row, place, at, state, open, named, slips) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![row, line.place, line.at, state, line.open, line.named.is_some(), slips])?;
        self.count = row.saturating_add(1);
        self.last_place = line.place;
        let span = self.spans.entry(row.div_euclid(BLOCK)).or_insert((line.at, line.at));
        *span = (span.0.min(line.at), span.1.max(line.at));
        let fixed = &line.fixed;
        let mut terms =
            vec![state, term(Kind::What, fixed.what), term(Kind::Amount, &amount_text(fixed.amount))];
        if line.open {
            terms.push(term(Kind::Open, ""));
        }
        if let Some(cashier) = &fixed.cashier {
            terms.push(term(Kind::Cashier, &folded(cashier)));
            terms.extend(self.words(cashier)?);
        }
        if let Some((code, name)) = &fixed.product {
            let product = term(Kind::Product, &folded(code));
            self.word(folded(code), product)?;
            terms.push(product);
            terms.extend(self.words(name)?);
        }
        if let Worth::Money(money) = fixed.amount {
            self.index
                .prepare_cached("INSERT OR IGNORE INTO currency (code) VALUES (?1)")?
                .execute(params![money.currency().code()])?;
        }
        terms.extend(fixed.names.iter().map(|name| term(Kind::Name, name)));
        terms.extend(line.named.as_deref().map(|name| term(Kind::Name, &folded(name))));
        terms.extend(numbers);
        for term in terms {
            self.change(row, term, true);
        }
        Ok(())
    }

    /// The term of a state, which is found by its beginning too.
    fn state(&mut self, state: &str) -> rusqlite::Result<i64> {
        let term = term(Kind::State, state);
        self.word(state.to_owned(), term)?;
        Ok(term)
    }

    fn words(&mut self, text: &str) -> rusqlite::Result<Vec<i64>> {
        let mut terms = Vec::new();
        for word in words(text) {
            let term = term(Kind::Word, &word);
            self.word(word, term)?;
            terms.push(term);
        }
        Ok(terms)
    }

    fn word(&mut self, word: String, term: i64) -> rusqlite::Result<()> {
        if !self.words.contains(&(word.clone(), term)) {
            self.index
                .prepare_cached("INSERT OR IGNORE INTO word (word, term) VALUES (?1, ?2)")?
                .execute(params![word, term])?;
            self.words.insert((word, term));
        }
        Ok(())
    }

    fn change(&mut self, row: i64, term: i64, there: bool) {
        let (block, row) = (row.div_euclid(BLOCK), row.rem_euclid(BLOCK));
        self.changes.push(Change { block, term, row, there });
    }

    fn postings(&mut self) -> Result<(), ReadError> {
        self.changes.sort_unstable();
        let mut read =
            self.index.prepare_cached("SELECT rows FROM posting WHERE block = ?1 AND term = ?2")?;
        let mut write = self
            .index
            .prepare_cached("INSERT OR REPLACE INTO posting (block, term, rows) VALUES (?1, ?2, ?3)")?;
        for changes in self.changes.chunk_by(|one, next| (one.block, one.term) == (next.block, next.term)) {
            let Some(Change { block, term, .. }) = changes.first() else { continue };
            let bytes: Option<Vec<u8>> = read.query_row(params![block, term], |row| row.get(0)).optional()?;
            let mut rows = match bytes {
                Some(bytes) => Rows::read(&bytes)
                    .ok_or_else(|| ReadError::Database("the index is damaged".to_owned()))?,
                None => Rows::NONE,
            };
            for change in changes {
                rows.put(usize::try_from(change.row).unwrap_or(usize::MAX), change.there);
            }
            write.execute(params![block, term, rows.to_bytes()])?;
        }
        Ok(())
    }
}

/// The row of a place. Places grow with their rows.
pub(crate) fn find(index: &Connection, place: i64) -> rusqlite::Result<Option<i64>> {
    let (row, found) = first_from(index, place)?;
    Ok(found.filter(|found| *found == place).map(|_| row))
}

/// The first row of which the place is `place` or a later one, with its place; how many rows there are, and none, if there is no
/// such one.
pub(crate) fn first_from(index: &Connection, place: i64) -> rusqlite::Result<(i64, Option<i64>)> {
    let count: i64 =
        index.prepare_cached("SELECT coalesce(max(row) + 1, 0) FROM row")?.query_row([], |row| row.get(0))?;
    let mut place_of = index.prepare_cached("SELECT place FROM row WHERE row = ?1")?;
    let (mut least, mut end, mut found) = (0, count, None);
    while least < end {
        let middle = least.midpoint(end);
        let at: i64 = place_of.query_row(params![middle], |row| row.get(0))?;
        if at < place {
            least = middle.saturating_add(1);
        } else {
            (end, found) = (middle, Some(at));
        }
    }
    Ok((least, found))
}

/// Widens the spans of a table to hold others.
fn widen(
    index: &Connection,
    table: &str,
    column: &str,
    spans: &BTreeMap<i64, (i64, i64)>,
) -> rusqlite::Result<()> {
    let mut statement = index.prepare_cached(&format!(
        "INSERT INTO {table} ({column}, least, most) VALUES (?1, ?2, ?3)
         ON CONFLICT ({column}) DO UPDATE SET least = min(least, ?2), most = max(most, ?3)"
    ))?;
    for (number, (least, most)) in spans {
        statement.execute(params![number, least, most])?;
    }
    Ok(())
}
