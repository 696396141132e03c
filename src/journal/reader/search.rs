//! Finding sales and redemptions through the index beside the journal: which rows fit a filter, newest first, and their lines as
//! the journal's tables have them.
//!
//! Everything that is asked must fit. A word of the text fits what has it whole as a receipt, a basket, an id, the number that a
//! receipt ends with, what follows its last hyphen, the number at the foot of a printed card's slip, an amount, or the last four
//! characters of a code; or where a word of the product's name or of the cashier's, the product's code, or the state begins with it.
//!
//! An amount and a slip's number may have blanks in them. Words that are one of these together fit by themselves or by that: the number of
//! such runs is bounded with the words, and what they lead to are terms like others.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension, params};
use tilld_domain::moment::Moment;
use tilld_domain::money::Currency;
use tilld_domain::slip_number::SlipNumber;

use super::redemptions::REDEMPTION;
use super::{Reader, SALE, amounts};
use crate::chain::Head;
use crate::entry::{CardRow, RedemptionRow, SaleRow, Seq, Subject};
use crate::failure::ReadError;
use crate::index::rows::Rows;
use crate::index::{self, BLOCK, CARDS_A_SALE, Kind, folded, term};
use crate::tables;

/// The most words of a text that are looked at: further ones could only find less.
const MOST_WORDS: usize = 8;
/// The longest text that anything is found by, in characters.
const LONGEST: usize = 128;
/// The most terms that begin with one word. A beginning that fits more finds some of what it fits.
const MOST_TERMS: i64 = 256;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A card of a sale.
    Sale,
    /// A redemption.
    Redemption,
}

/// What is looked for. Everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words: receipts, ids, numbers of slips, amounts, names, states, ends of codes.
    pub text: Option<String>,
    /// Only cards, or only redemptions.
    pub what: Option<What>,
    /// In this state now, by its name.
    pub state: Option<String>,
    /// Not closed.
    pub open_only: bool,
    /// By this cashier, by the whole name.
    pub cashier: Option<String>,
    /// Of this product, by its code.
    pub product: Option<String>,
    /// Of this value; in whatever currency, unless it names one.
    pub amount: Option<String>,
    /// Begun at this moment or later.
    pub from: Option<Moment>,
    /// Begun before this moment.
    pub until: Option<Moment>,
}

/// Where a line stands among all: the same for as long as the journal lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(i64);

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<u64>().map(|place| Self(i64::try_from(place).unwrap_or(i64::MAX)))
    }
}

/// A card of a sale, or a redemption, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A card.
    Card(Box<SaleRow>, Box<CardRow>),
    /// A redemption.
    Redemption(Box<RedemptionRow>),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// What it is about.
    pub listed: Listed,
    /// When its last entry was written.
    pub last_at: Moment,
}

impl Line {
    /// Whether something remains to be done or decided.
    pub fn is_open(&self) -> bool {
        match &self.listed {
            Listed::Card(_, card) => !tables::is_closed_word(&card.state),
            Listed::Redemption(row) => row.open,
        }
    }
}

/// A page of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The newest first.
    pub lines: Vec<Line>,
    /// There may be more before this place.
    pub next: Option<Place>,
    /// The last entry that was searched; none if there is no index yet.
    pub upto: Option<Seq>,
    /// The journal's last entry.
    pub last: Seq,
}

/// Terms of which a row has at least one.
type Clause = Vec<i64>;

impl Reader {
    /// What fits, newest first, at most `most` of it, and all of it before a place.
    pub fn search(&self, search: &Search, before: Option<Place>, most: usize) -> Result<Page, ReadError> {
        let moment = self.database().unchecked_transaction()?;
        let last = Head::read(&moment, self.journal())?.seq;
        let Some((index, searched)) = index::look(self.paths(), self.journal())? else {
            return Ok(Page { lines: Vec::new(), next: None, upto: None, last });
        };
        let upto = Some(Seq::of_column(searched.seq));
        let wanted = Wanted::of(&index, search, before)?;
        let places = wanted.places(&index, most.saturating_add(1))?;
        let more = places.len() > most;
        let mut lines = Vec::with_capacity(places.len().min(most));
        for place in places.iter().copied().take(most) {
            lines.extend(self.line(place)?);
        }
        let next = places.get(most.saturating_sub(1)).copied().map(Place).filter(|_| more);
        Ok(Page { lines, next, upto, last })
    }

    /// The lines of a sale's cards, or of a redemption; none if there is no such thing.
    pub fn lines_of(&self, subject: Subject) -> Result<Vec<Line>, ReadError> {
        let places: Vec<i64> = match subject {
            Subject::Sale(sale) => self.sale_row(sale)?.map_or_else(Vec::new, |row| {
                let place = |card: &CardRow| index::place(row.first, i64::from(card.card));
                row.cards.iter().map(place).collect()
            }),
            Subject::Redemption(redemption) => {
                self.redemption_row(redemption)?.map(|row| index::place(row.first, 0)).into_iter().collect()
            }
            Subject::Device(_) | Subject::Day(_) => Vec::new(),
        };
        Ok(places
            .into_iter()
            .map(|place| self.line(place))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// A line as the tables have it; none if they have none, which only an index of another journal would ask for.
    fn line(&self, place: i64) -> Result<Option<Line>, ReadError> {
        let (first, card) = (place.div_euclid(CARDS_A_SALE), place.rem_euclid(CARDS_A_SALE));
        let (listed, last) = if card == 0 {
            let sql = format!("{REDEMPTION} WHERE first_seq = ?1");
            let Some(row) = self.redemption_rows(&sql, params![first])?.pop() else { return Ok(None) };
            let last = row.last;
            (Listed::Redemption(Box::new(row)), last)
        } else {
            let sql = format!("{SALE} WHERE first_seq = ?1");
            let Some(mut row) = self.sales(&sql, params![first])?.pop() else { return Ok(None) };
            let mine = row.cards.iter().position(|of| i64::from(of.card) == card);
            let Some(card) = mine.map(|place| row.cards.swap_remove(place)) else { return Ok(None) };
            let last = row.last;
            (Listed::Card(Box::new(row), Box::new(card)), last)
        };
        let at = self
            .database()
            .prepare_cached("SELECT at FROM entry WHERE seq = ?1")?
            .query_row(params![last.column()], |row| row.get(0))
            .optional()?;
        Ok(Some(Line { place: Place(place), listed, last_at: Moment::from_ms(at.unwrap_or_default()) }))
    }
}

/// A search in terms of the index.
struct Wanted {
    clauses: Vec<Clause>,
    /// The first row that is not looked at.
    end: i64,
    from: i64,
    until: i64,
}

impl Wanted {
    fn of(index: &Connection, search: &Search, before: Option<Place>) -> rusqlite::Result<Self> {
        let mut clauses = Vec::new();
        if let Some(what) = search.what {
            let what = match what {
                What::Sale => "sale",
                What::Redemption => "redemption",
            };
            clauses.push(vec![term(Kind::What, what)]);
        }
        if search.open_only {
            clauses.push(vec![term(Kind::Open, "")]);
        }
        if let Some(state) = &search.state {
            clauses.push(vec![term(Kind::State, state)]);
        }
        if let Some(cashier) = &search.cashier {
            clauses.push(vec![term(Kind::Cashier, &folded(cashier))]);
        }
        if let Some(product) = &search.product {
            clauses.push(vec![term(Kind::Product, &folded(product))]);
        }
        if let Some(amount) = &search.amount {
            clauses.push(amounts_of(&folded(amount), &currencies(index)?));
        }
        let text = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = text {
            let text: String = folded(text).chars().take(LONGEST).collect();
            let words: Vec<&str> = text.split_whitespace().take(MOST_WORDS).collect();
            // A receipt may have blanks in it.
            let whole = term(Kind::Name, &text);
            let is_a_name = words.len() > 1 && is_known(index, whole)?;
            clauses.extend(if is_a_name { vec![vec![whole]] } else { of_words(index, &words)? });
        }
        // What few terms tell is looked up first.
        clauses.sort_by_key(Vec::len);
        let (end, _) = index::first_from(index, before.map_or(i64::MAX, |before| before.0))?;
        Ok(Self {
            clauses,
            end,
            from: search.from.map_or(i64::MIN, Moment::ms),
            until: search.until.map_or(i64::MAX, Moment::ms),
        })
    }

    /// The places of the rows that fit, newest first, at most `most`.
    fn places(&self, index: &Connection, most: usize) -> Result<Vec<i64>, ReadError> {
        let mut places = Vec::new();
        let mut posting = index.prepare_cached("SELECT rows FROM posting WHERE block = ?1 AND term = ?2")?;
        let mut spans = index.prepare_cached("SELECT least, most FROM span WHERE block = ?1")?;
        let mut row = index.prepare_cached("SELECT place, at FROM row WHERE row = ?1")?;
        let damaged = || ReadError::Database("the index is damaged".to_owned());
        for block in (0..self.end.saturating_add(BLOCK - 1).div_euclid(BLOCK)).rev() {
            let (least, latest): (i64, i64) =
                spans.query_row(params![block], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if latest < self.from || least >= self.until {
                continue;
            }
            let begin = block.saturating_mul(BLOCK);
            let upto = usize::try_from(self.end.saturating_sub(begin).min(BLOCK)).unwrap_or(0);
            let mut fitting = if i64::try_from(upto) == Ok(BLOCK) { Rows::ALL } else { Rows::before(upto) };
            for clause in &self.clauses {
                let mut any = Rows::NONE;
                for term in clause {
                    let mut found = posting.query(params![block, term])?;
                    if let Some(found) = found.next()? {
                        let bytes = found.get_ref(0)?.as_blob().map_err(|_| damaged())?;
                        any.or(&Rows::read(bytes).ok_or_else(damaged)?);
                    }
                }
                fitting.and(&any);
                if fitting.is_empty() {
                    break;
                }
            }
            for number in fitting.newest_first() {
                let number = begin.saturating_add(i64::try_from(number).unwrap_or(0));
                let (place, at): (i64, i64) =
                    row.query_row(params![number], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if (self.from..self.until).contains(&at) {
                    places.push(place);
                    if places.len() >= most {
                        return Ok(places);
                    }
                }
            }
        }
        Ok(places)
    }
}

/// Everything that words may mean, each by itself or with its neighbours.
fn of_words(index: &Connection, words: &[&str]) -> rusqlite::Result<Vec<Clause>> {
    let currencies = currencies(index)?;
    let mut clauses =
        words.iter().map(|word| of_word(index, word, &currencies)).collect::<Result<Vec<_>, _>>()?;
    for length in 2..=amounts::MOST_WORDS {
        for (place, run) in words.windows(length).enumerate() {
            let run = run.join(" ");
            let terms: Clause = amounts_of(&run, &currencies).into_iter().chain(slip_number(&run)).collect();
            for clause in clauses.iter_mut().skip(place).take(length) {
                clause.extend(&terms);
            }
        }
    }
    Ok(clauses)
}

/// Everything that one word may mean.
fn of_word(index: &Connection, word: &str, currencies: &[Currency]) -> rusqlite::Result<Clause> {
    let mut terms = vec![term(Kind::Name, word)];
    terms.extend(amounts_of(word, currencies));
    terms.extend(slip_number(word));
    let after = beyond(word);
    let mut beginning = index.prepare_cached(
        "SELECT DISTINCT term FROM word WHERE word >= ?1 AND (?2 IS NULL OR word < ?2) ORDER BY word LIMIT ?3",
    )?;
    let begun = beginning.query_map(params![word, after, MOST_TERMS], |row| row.get(0))?;
    terms.extend(begun.collect::<Result<Vec<i64>, _>>()?);
    terms.sort_unstable();
    terms.dedup();
    Ok(terms)
}

/// The term of a number that stands at the foot of a slip.
fn slip_number(text: &str) -> Option<i64> {
    SlipNumber::read(text).map(|number| term(Kind::Name, &number.to_string()))
}

/// The first text after all that begin with this one; none if there is none.
fn beyond(text: &str) -> Option<String> {
    let mut letters: Vec<char> = text.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last).saturating_add(1)..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// The currencies that there are amounts of.
fn currencies(index: &Connection) -> rusqlite::Result<Vec<Currency>> {
    let mut codes = index.prepare_cached("SELECT code FROM currency")?;
    let codes = codes.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(codes.iter().filter_map(|code| Currency::from_code(code).ok()).collect())
}

/// The terms of the amounts that a text may mean.
fn amounts_of(text: &str, currencies: &[Currency]) -> Clause {
    let meant = amounts::meant(text, currencies);
    meant.into_iter().map(|money| term(Kind::Amount, &index::money_text(money))).collect()
}

/// Whether any row has a term.
fn is_known(index: &Connection, term: i64) -> rusqlite::Result<bool> {
    let blocks: Option<i64> =
        index.prepare_cached("SELECT max(block) FROM span")?.query_row([], |row| row.get(0))?;
    let mut posting = index.prepare_cached("SELECT 1 FROM posting WHERE block = ?1 AND term = ?2")?;
    for block in (0..=blocks.unwrap_or(-1)).rev() {
        if posting.exists(params![block, term])? {
            return Ok(true);
        }
    }
    Ok(false)
}
