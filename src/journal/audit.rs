//! The audit: the chain, and the tables against what the chain holds.
//!
//! Lists and restarts are made from the tables, so a row that says something else than its entries is as bad as a changed
//! entry. Every column of every row that is made from entries is compared, value and type:
//!
//! | what a row says | is said by |
//! |---|---|
//! | receipt, cards, values, who and where | the opening, in its body |
//! | state, phase, whether it is open | the last entry of the sale, of the card, of the redemption, under the link |
//! | when it was closed | the entry from which on it was closed |
//! | what was paid, the provider's name for an order | the one entry that tells it, in its body |
//! | what is known of a device | its last entry, in its body |
//! | that a day is closed, and what that takes in | its one entry, in its body |
//! | what was taken, the provider's name for a redemption | the fold of its entries: no one entry tells it |
//!
//! That a body can be read in full is not shown: of those that are compared only what is compared is read, and nothing of the others.
//! A sale is not stepped anew: that the machines make these states of these events shows at a start and at every reading.
//! Redemptions are, because what was taken follows from what was there before; they have few entries.
//!
//! That no row is missing, or stops before the last entry of its subject, shows in two sums over the numbers of first and of
//! last entries: once as the entries have them (the last ones are those that no entry names as its previous), once as
//! the rows do. In a third sum stands what one entry tells about a sale: its opening, what was paid, and the provider's names
//! for orders.
//! So the audit needs the same little memory for any length of a journal, and reads each entry once and few of them twice.
//! What is summed are hashes under a key that is random in each run; that two different sets have the same sum is a matter
//! of one in 2^64. If sums differ, all rows are walked once more, thoroughly, to name the first that lies.
//!
//! Two threads walk chain and rows in pieces, on a connection each, both in the same moment of the journal: a link hangs on the
//! one that stands before it, so pieces of the chain can be walked beside each other. What a hostile file holds, also of a type
//! that is never written, is a verdict and no error. An error is that the file cannot be read, and only where nothing that
//! comes before is broken.

mod days;
mod devices;
mod recent;
mod redemptions;
mod sales;

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::chain::{self, Linked};
use crate::entry::Seq;
use crate::failure::{Break, ReadError, Verdict};

/// How often two connections are begun until they see the same moment: a commit may fall between the two beginnings.
const BEGINNINGS: usize = 1_000;

/// How many entries are a piece: a connection's cache holds their pages until their rows have been walked too.
/// The proofs' journals are short, and have edges of pieces all the same.
const PIECE: i64 = if cfg!(test) { 4 } else { 1_024 };

/// Sums over all sales, redemptions and devices, once by their entries and once by their rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sums {
    /// Of the numbers of their first entries.
    first: u64,
    /// Of the numbers of their last entries.
    last: u64,
    /// Of what one entry tells.
    told: u64,
}

impl Sums {
    fn add_entry(&mut self, key: &RandomState, entry: &Linked<'_>) {
        let hash = key.hash_one(entry.seq);
        self.last = self.last.wrapping_add(hash);
        match entry.previous {
            Some(previous) => self.last = self.last.wrapping_sub(key.hash_one(previous)),
            None => self.first = self.first.wrapping_add(hash),
        }
        sales::add_told(self, key, entry);
    }

    fn add_told(&mut self, key: &RandomState, sale: &[u8], told: &sales::ToldByOne<'_>) {
        self.told = self.told.wrapping_add(key.hash_one((sale, told)));
    }

    fn add_row(&mut self, key: &RandomState, first: i64, last: i64) {
        self.first = self.first.wrapping_add(key.hash_one(first));
        self.last = self.last.wrapping_add(key.hash_one(last));
    }

    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.wrapping_add(other.first),
            last: self.last.wrapping_add(other.last),
            told: self.told.wrapping_add(other.told),
        }
    }
}

/// All entries, and all rows by the entries that begin their subjects, in pieces. Each is taken once, by whoever comes first.
struct Pieces {
    /// The number of the last one.
    last: i64,
    taken: AtomicI64,
}

impl Pieces {
    fn new(newest: i64) -> Self {
        Self { last: newest.max(0).saturating_div(PIECE), taken: AtomicI64::new(0) }
    }

    /// The next piece. The first begins, and the last ends, where no entry is, and a row may be all the same.
    fn take(&self) -> Option<RangeInclusive<i64>> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let before = number.saturating_mul(PIECE);
        let from = if number == 0 { i64::MIN } else { before.saturating_add(1) };
        let upto = if number == self.last { i64::MAX } else { before.saturating_add(PIECE) };
        (number <= self.last).then_some(from..=upto)
    }

    /// Nobody needs those that were not taken.
    fn stop(&self) {
        self.taken.store(self.last.saturating_add(1), Ordering::Relaxed);
    }
}

/// What was found so far of the rows.
struct Walk<'a> {
    key: &'a RandomState,
    /// The journal's last entry.
    newest: i64,
    /// All entries of a sale are read, not as few as are needed beside the sums.
    thorough: bool,
    /// The entries of the piece whose rows are walked, as far as they are kept.
    recent: recent::Recent,
    sums: Sums,
    /// The first row that is not what its entries say, by the entry that begins its subject.
    lie: Option<(Seq, Break)>,
}

impl<'a> Walk<'a> {
    fn new(database: &Connection, key: &'a RandomState, thorough: bool) -> rusqlite::Result<Self> {
        Ok(Self {
            key,
            newest: newest(database)?,
            thorough,
            recent: recent::Recent::default(),
            sums: Sums::default(),
            lie: None,
        })
    }

    /// Compares every row of the sales, redemptions, devices and days that began with one of these entries.
    fn rows(&mut self, database: &Connection, begun: &RangeInclusive<i64>) -> Result<(), ReadError> {
        sales::walk(database, self, begun)?;
        redemptions::walk(database, self, begun)?;
        devices::walk(database, self, begun)?;
        days::walk(database, self, begun)?;
        Ok(())
    }

    /// Begins a row. None if it is a lie by itself: its subject begins or ends where no entry is.
    fn begin_row(&mut self, row: &Row<'_>) -> Option<(i64, i64)> {
        let ends = integer(row, 0).zip(integer(row, 1));
        let Some((first, last)) = ends.filter(|(first, last)| *first >= 1 && first <= last) else {
            self.lie(integer(row, 0).unwrap_or_default());
            return None;
        };
        if last > self.newest {
            self.found(Seq::of_column(self.newest).next(), Break::Missing);
            return None;
        }
        self.sums.add_row(self.key, first, last);
        Some((first, last))
    }

    fn lie(&mut self, first: i64) {
        self.found(Seq::of_column(first), Break::Tables);
    }

    fn found(&mut self, seq: Seq, why: Break) {
        if self.lie.is_none_or(|(found, _)| seq < found) {
            self.lie = Some((seq, why));
        }
    }
}

/// Walks all of a journal. `beside`: another connection to the same one.
pub(crate) fn whole(
    database: &Connection,
    beside: Connection,
    journal: &[u8; 16],
) -> Result<Verdict, ReadError> {
    let snapshot = same_moment(database, &beside)?;
    let key = RandomState::new();
    let pieces = Pieces::new(newest(&snapshot)?);
    let walk = |database: &Connection| walk_pieces(database, journal, &key, &pieces);
    let walked = std::thread::scope(|scope| {
        let walk = &walk;
        // It takes its connection with it: what it began ends when that is closed.
        let beside = std::thread::Builder::new()
            .spawn_scoped(scope, move || walk(&beside))
            .map_err(|why| ReadError::Database(format!("it could not be walked: {why}")))?;
        let here = walk(&snapshot);
        let beside = beside.join().map_err(|_| ReadError::Database("it could not be walked".to_owned()))?;
        Ok::<_, ReadError>([here, beside])
    })?;
    let (mut chain, mut of_entries) = (None, Sums::default());
    let (mut lie, mut of_rows) = (None, Sums::default());
    let (mut unread, mut of_all_rows) = (None, Ok(()));
    for walked in walked {
        let walked = walked?;
        unread = [unread, walked.unread].into_iter().flatten().min_by_key(|(from, _)| *from);
        chain = [chain, walked.chain].into_iter().flatten().reduce(sooner);
        of_entries = of_entries.and(walked.entries);
        of_rows = of_rows.and(walked.rows.sums);
        lie = [lie, walked.rows.lie].into_iter().flatten().min_by_key(|(seq, _)| *seq);
        of_all_rows = of_all_rows.and(walked.all_rows);
    }
    if let Some((from, why)) = unread {
        // Whoever may write the file cannot hide a change behind a page that cannot be read.
        return match (chain, lie) {
            (Some(Verdict::Broken { seq, why }), _) | (_, Some((seq, why))) if seq.column() < from => {
                Ok(Verdict::Broken { seq, why })
            }
            _ => Err(why.into()),
        };
    }
    let Some(verdict) = chain else {
        return Err(ReadError::Database("its chain could not be walked".to_owned()));
    };
    if !matches!(verdict, Verdict::Whole { .. }) {
        // That the rows could not be walked then may follow from it.
        return Ok(verdict);
    }
    if lie.is_none() {
        of_all_rows?;
    }
    if lie.is_none() && of_rows != of_entries {
        let mut thorough = Walk::new(&snapshot, &key, true)?;
        thorough.rows(&snapshot, &(i64::MIN..=i64::MAX))?;
        lie = match thorough.lie {
            Some(lie) => Some(lie),
            None => Some((odd_end(&snapshot)?, Break::Tables)),
        };
    }
    Ok(lie.map_or(verdict, |(seq, why)| Verdict::Broken { seq, why }))
}

/// What one of the two found.
struct Walked<'a> {
    /// A break, or the head if the last piece was among those that were walked.
    chain: Option<Verdict>,
    /// The piece whose entries could not be read, by its first number.
    unread: Option<(i64, rusqlite::Error)>,
    entries: Sums,
    rows: Walk<'a>,
    /// Whether all rows could be walked that should have been.
    all_rows: Result<(), ReadError>,
}

/// Walks pieces as long as there are any: the chain of each, and the rows that began in it. After a break, or a piece that
/// cannot be read, nobody needs what comes after it.
fn walk_pieces<'a>(
    database: &Connection,
    journal: &[u8; 16],
    key: &'a RandomState,
    pieces: &Pieces,
) -> Result<Walked<'a>, ReadError> {
    let rows = Walk::new(database, key, false)?;
    let mut walked = Walked { chain: None, unread: None, entries: Sums::default(), rows, all_rows: Ok(()) };
    while let Some(piece) = pieces.take() {
        let (entries, recent) = (&mut walked.entries, &mut walked.rows.recent);
        recent.clear();
        let verdict = chain::verify_piece(database, journal, &piece, |entry| {
            entries.add_entry(key, entry);
            recent.keep(entry);
        });
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(why) => {
                walked.unread = Some((*piece.start(), why));
                pieces.stop();
                break;
            }
        };
        let whole = matches!(verdict, Verdict::Whole { .. });
        if !whole || *piece.end() == i64::MAX {
            walked.chain = [walked.chain, Some(verdict)].into_iter().flatten().reduce(sooner);
        }
        if !whole {
            pieces.stop();
        } else if walked.all_rows.is_ok() {
            walked.all_rows = walked.rows.rows(database, &piece);
        }
    }
    Ok(walked)
}

/// Of two verdicts over pieces of one chain that over the whole: the first break, if there is one.
fn sooner(one: Verdict, other: Verdict) -> Verdict {
    match (&one, &other) {
        (Verdict::Broken { seq: first, .. }, Verdict::Broken { seq: second, .. }) if second < first => other,
        (Verdict::Whole { .. }, Verdict::Broken { .. }) => other,
        _ => one,
    }
}

/// The last `most` entries, the rows of the sales, redemptions and devices that began in them, and whether an open one or a
/// device ends beyond the last entry.
pub(crate) fn last(database: &Connection, journal: &[u8; 16], most: u64) -> Result<Verdict, ReadError> {
    let verdict = chain::verify_last(database, journal, most)?;
    let Verdict::Whole { entries, .. } = verdict else { return Ok(verdict) };
    let open: i64 = database.query_row(
        "SELECT max(coalesce((SELECT max(last_seq) FROM sale WHERE open = 1), 0),
                    coalesce((SELECT max(last_seq) FROM redemption WHERE open = 1), 0),
                    coalesce((SELECT max(last_seq) FROM device), 0))",
        [],
        |row| row.get(0),
    )?;
    if Seq::of_column(open).number() > entries {
        return Ok(Verdict::Broken { seq: Seq::new(entries).next(), why: Break::Missing });
    }
    let from = Seq::new(entries.saturating_sub(most)).next().column();
    let key = RandomState::new();
    let mut walk = Walk::new(database, &key, true)?;
    walk.rows(database, &(from..=i64::MAX))?;
    Ok(walk.lie.map_or(verdict, |(seq, why)| Verdict::Broken { seq, why }))
}

/// Begins a reading on both connections so that they see the same entries.
fn same_moment<'a>(
    database: &'a Connection,
    beside: &Connection,
) -> Result<rusqlite::Transaction<'a>, ReadError> {
    for _ in 0..BEGINNINGS {
        let snapshot = database.unchecked_transaction()?;
        beside.execute_batch("BEGIN")?;
        if newest(&snapshot)? == newest(beside)? {
            return Ok(snapshot);
        }
        beside.execute_batch("ROLLBACK")?;
    }
    Err(ReadError::Database("it is written too fast to be verified now".to_owned()))
}

fn newest(database: &Connection) -> rusqlite::Result<i64> {
    database.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))
}

/// An integer column; none if it holds something else.
fn integer(row: &Row<'_>, place: usize) -> Option<i64> {
    if let Ok(ValueRef::Integer(number)) = row.get_ref(place) { Some(number) } else { None }
}

/// A column that says yes or no; none if it holds something else.
fn flag(row: &Row<'_>, place: usize) -> Option<bool> {
    match integer(row, place)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// A text column; none if it holds something else.
fn text<'a>(row: &'a Row<'_>, place: usize) -> Option<&'a str> {
    row.get_ref(place).ok()?.as_str().ok()
}

/// Whether a row says, from a column on, exactly this.
fn says(row: &Row<'_>, from: usize, expected: &[Says<'_>]) -> bool {
    expected.iter().zip(from..).all(|(says, place)| {
        row.get_ref(place).is_ok_and(|found| match says {
            Says::Number(number) => found == ValueRef::Integer(*number),
            Says::Flag(flag) => found == ValueRef::Integer(i64::from(*flag)),
            Says::Text(text) => found == ValueRef::Text(text.as_bytes()),
            Says::Id(id) => found == ValueRef::Blob(id.as_bytes()),
            Says::MaybeNumber(number) => found == number.map_or(ValueRef::Null, ValueRef::Integer),
            Says::MaybeText(text) => {
                found == text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
            }
        })
    })
}

/// What a column must say.
enum Says<'a> {
    Number(i64),
    Flag(bool),
    Text(&'a str),
    Id(uuid::Uuid),
    MaybeNumber(Option<i64>),
    MaybeText(Option<&'a str>),
}

/// The subject that has no row, or whose row stops before its last entry, by the entry that begins it.
fn odd_end(database: &Connection) -> rusqlite::Result<Seq> {
    let first = |sql: &str| database.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional();
    let without_row = first(
        "SELECT min(seq) FROM entry
         WHERE (kind = 'opened' AND NOT EXISTS (SELECT 1 FROM sale WHERE first_seq = entry.seq))
            OR (kind = 'redemption_opened' AND NOT EXISTS (SELECT 1 FROM redemption WHERE first_seq = entry.seq))
            OR (kind = 'device_changed' AND previous IS NULL
                AND NOT EXISTS (SELECT 1 FROM device WHERE first_seq = entry.seq))
            OR (kind = 'day_closed' AND NOT EXISTS (SELECT 1 FROM day WHERE first_seq = entry.seq))",
    )?;
    let stops_before = first(
        "SELECT min(made.first_seq) FROM entry JOIN (
             SELECT id, first_seq, last_seq FROM sale UNION ALL SELECT id, first_seq, last_seq FROM redemption
             UNION ALL SELECT id, first_seq, last_seq FROM device UNION ALL SELECT id, first_seq, last_seq FROM day
         ) AS made ON made.id = entry.subject WHERE entry.seq > made.last_seq",
    )?;
    Ok([without_row, stops_before].into_iter().flatten().flatten().min().map_or(Seq::NONE, Seq::of_column))
}
