//! The index: what a manager finds sales and redemptions by, derived from the journal and kept beside it.
//!
//! The journal's own tables answer what the counter asks; an index for every filter in them would cost each commit its
//! pages. So this one is a file of its own (`journal.index.db`) that follows the entries afterwards: no commit knows of it, and
//! nothing that it says decides anything. It is disposable: lost, damaged, of another version, of another journal or ahead of
//! a journal that was put back, it is made again from the first entry.
//!
//! ```text
//!  journal.db ── entries after `seq` ──► follow ──► rows, words, postings ──► journal.index.db
//!       ▲                                                                         │
//!       └────────── the lines of a page, by their numbers ◄── Reader::search ◄────┘
//! ```
//!
//! - A **row** is a card of a sale or a redemption. Rows are numbered in the order in which they began, without gaps, so the
//!   numbers are the same whenever the index is made. Its *place* is the number of its first entry times 64, plus the
//!   card's number (0: a redemption): it outlives every index, and is what a page goes on from.
//! - A **term** is one thing that a row can be found by: its state, cashier, product, amount, a word of its product's name, its
//!   receipt, its ids, the last four characters of a code, the number at the foot of a slip. A term is a number: the first eight bytes of the SHA-256 of what it is and its
//!   text. That two different ones have the same is a matter of one in 2^64, and would show a line too many.
//! - A **posting** is the set of rows of one *block* (4,096 rows) that have a term ([`rows`]): 2 bytes a row, or a bit.
//!
//! Any filter is a conjunction of such sets, block by block from the newest, until a page is full: a million rows are 245
//! blocks, so that the worst filter, one that fits nothing, costs 245 look-ups a term, and no combination is worse than its
//! parts. A posting is found by block first: building writes at the end of the file only, whatever the texts are. Moments are not
//! a term: a till's clock may be set back, so each block knows its earliest and latest beginning, and only blocks at an end of the
//! asked time are read row by row.
//!
//! What is changed by later entries (state, whether it is open, the provider's id) is read from the journal's tables, once a
//! batch: a sale of five entries that is over by then is written once. How often a card's slip was printed, or may have been, no table
//! says: each entry that brings a card to printing counts as an attempt. That is at times one more than there were (an attempt of which
//! nothing came out is made again under its number): a number that no paper bears leads to its card too.
//!
//! Invariants:
//! - No code is in it; of one its last four characters, where the journal's tables have them.
//! - The journal is read a few ms at a time ([`MOST_AT_ONCE`]): a reader that stays keeps the journal's log from being emptied.
//! - What it is up to is written in the same commit as what it holds. Its commits are not synced (WAL, NORMAL): a power cut
//!   takes the last of them, and they are followed again.
//! - Both connections are closed after each batch: between them it holds no memory.
//!
//! Ways to fail: the journal cannot be read (tried again later); the index cannot be written or makes no sense: it is removed, which
//! on a full disk makes room for the journal, and begun anew later.
//!
//! Absent: ranking, spelling, the middle of a word. A receipt is found by its whole name, by the number that it ends with, or by
//! what follows its last hyphen; words of products and names of people by their beginnings.

mod follow;
pub(crate) mod rows;

use std::fs;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::entry::Seq;
use crate::failure::{OpenError, ReadError};
use crate::schema::{self, Paths};

pub use follow::{Followed, follow};
pub(crate) use follow::{first_from, money_text, place};

/// What SQLite's `application_id` holds in an index: "tidx".
const APPLICATION: i64 = 0x7469_6478;
/// Of its tables and of the texts of its terms. Another one is made anew.
const VERSION: i64 = 2;
/// How many entries a batch takes.
pub const MOST_AT_ONCE: usize = 2_000;
/// Rows in a block.
pub(crate) const BLOCK: i64 = 4_096;
/// Entries in a stretch, of which the earliest and the latest moment are known.
pub(crate) const STRETCH: i64 = 1_024;
/// How many cards the place of a row has room for.
pub(crate) const CARDS_A_SALE: i64 = crate::tables::CARDS_A_SALE;
/// So many bytes of its log are left where they are: moving the log after each batch would sync the disk that sales wait for.
pub(crate) const LOG_LEFT: u64 = if cfg!(test) { 64 << 10 } else { 4 << 20 };
/// What SQLite may keep of it in memory, in KiB.
const CACHE_KIB: i64 = -1_024;

/// What a term is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A sale's card, or a redemption.
    What,
    /// Something remains to be done or decided.
    Open,
    State,
    Cashier,
    Product,
    /// Currency and minor units.
    Amount,
    /// A word of a product's name or of a cashier's.
    Word,
    /// Anything that is found by its whole name: receipts, baskets, ids, ends of codes, numbers of slips.
    Name,
}

/// The number of a term.
pub(crate) fn term(kind: Kind, text: &str) -> i64 {
    let kind: u8 = match kind {
        Kind::What => 1,
        Kind::Open => 2,
        Kind::State => 3,
        Kind::Cashier => 4,
        Kind::Product => 5,
        Kind::Amount => 6,
        Kind::Word => 7,
        Kind::Name => 8,
    };
    let digest: [u8; 32] = Sha256::new().chain_update([kind]).chain_update(text).finalize().into();
    digest.first_chunk::<8>().map_or(0, |first| i64::from_be_bytes(*first))
}

/// How a text is compared.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The words of a text: what stands between blanks, and what is left of that between other characters.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded = folded(text);
    let mut words: Vec<String> = folded.split_whitespace().map(str::to_owned).collect();
    words.extend(
        folded
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned),
    );
    words.sort();
    words.dedup();
    words
}

/// What people say of a receipt: the number that it ends with, and what follows its last hyphen; nothing that is all of it.
pub(crate) fn said(receipt: &str) -> impl Iterator<Item = &str> {
    let digits = receipt.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    let number = receipt.get(digits..).map(|number| number.trim_start_matches('0'));
    let end = receipt.rsplit_once('-').map(|(_, end)| end);
    [number, end].into_iter().flatten().filter(move |said| !said.is_empty() && *said != receipt)
}

/// How far an index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UpTo {
    pub(crate) seq: i64,
}

/// Opens the index of a journal for reading; none if there is none that fits it.
pub(crate) fn look(paths: &Paths, journal: &[u8; 16]) -> Result<Option<(Connection, UpTo)>, ReadError> {
    if !paths.index().is_file() {
        return Ok(None);
    }
    let Ok(index) = connect(paths, OpenFlags::SQLITE_OPEN_READ_ONLY) else { return Ok(None) };
    Ok(up_to(&index, journal)?.map(|up_to| (index, up_to)))
}

/// How far it has come, if it is of this version and of this journal.
fn up_to(index: &Connection, journal: &[u8; 16]) -> Result<Option<UpTo>, ReadError> {
    let number = |name: &str| index.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if (number("application_id")?, number("user_version")?) != (APPLICATION, VERSION) {
        return Ok(None);
    }
    let about: Option<([u8; 16], i64)> = index
        .query_row("SELECT journal, seq FROM about", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(about.filter(|(of, _)| of == journal).map(|(_, seq)| UpTo { seq }))
}

fn connect(paths: &Paths, how: OpenFlags) -> Result<Connection, OpenError> {
    let index = schema::connect(&paths.index(), how)?;
    index.pragma_update(None, "cache_size", CACHE_KIB).map_err(|error| schema::database_error(&error))?;
    Ok(index)
}

/// Removes the index of a journal, so that it is made again.
pub fn discard(directory: &Path) {
    let path = Paths::new(directory).index();
    for end in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // What cannot be removed is found wrong, or right, again.
        let _ = fs::remove_file(name);
    }
}

/// Opens it for writing, or makes it; what does not fit the journal is made anew.
fn open(paths: &Paths, of: &Connection, journal: &[u8; 16]) -> Result<(Connection, UpTo), ReadError> {
    let refused = |error: OpenError| ReadError::Database(error.to_string());
    if let Some((index, up_to)) = look(paths, journal)?
        && is_behind(&index, of)?
    {
        drop(index);
        return Ok((writable(paths).map_err(refused)?, up_to));
    }
    discard(paths.directory());
    paths.make_file(&paths.index()).map_err(refused)?;
    let mut index = writable(paths).map_err(refused)?;
    let made = index.transaction()?;
    made.pragma_update(None, "application_id", APPLICATION)?;
    made.pragma_update(None, "user_version", VERSION)?;
    made.execute_batch(include_str!("index/tables.sql"))?;
    made.execute("INSERT INTO about (journal, seq, hash) VALUES (?1, 0, x'')", params![journal])?;
    made.commit()?;
    Ok((index, UpTo { seq: Seq::NONE.column() }))
}

fn writable(paths: &Paths) -> Result<Connection, OpenError> {
    let index = connect(paths, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let set = || {
        // It is closed after every batch, and its log moved only when it is long. SQLite's own way does not fit connections of one commit:
        // whoever opens a log that nobody has open takes none of it as moved, moves all of it again, and never empties it.
        index.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        index.pragma_update(None, "wal_autocheckpoint", 0)?;
        index.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        index.pragma_update(None, "synchronous", "NORMAL")
    };
    set().map_err(|error: rusqlite::Error| schema::database_error(&error))?;
    Ok(index)
}

/// Moves the log into the index and empties it, if it is long. Where somebody reads it just then it is left to a later batch.
fn move_long_log(index: &Connection, log: &Path) -> rusqlite::Result<()> {
    if fs::metadata(log).is_ok_and(|log| log.len() > LOG_LEFT) {
        index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Whether the entry that an index is up to is the journal's own: one that was put back from a copy has another, or none.
fn is_behind(index: &Connection, journal: &Connection) -> Result<bool, ReadError> {
    let (seq, hash): (i64, Vec<u8>) =
        index.query_row("SELECT seq, hash FROM about", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if seq == 0 {
        return Ok(true);
    }
    let written: Option<Vec<u8>> = journal
        .query_row("SELECT hash FROM entry WHERE seq = ?1", params![seq], |row| row.get(0))
        .optional()?;
    Ok(written.is_some_and(|written| written == hash))
}
