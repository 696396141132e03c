//! The chain: every entry holds the digest of the one before it, so that a change, a gap and another order show.
//!
//! A link is SHA-256 over the link before it and every column of the entry, each with its length before it, so that
//! no two entries have the same encoding. It covers the bytes in the columns, not their meaning: verifying parses
//! nothing, and an entry whose secrets have been forgotten verifies like any other. The first link hangs on the
//! journal's random id, so that the start of one journal cannot be put before another's.
//!
//! The head is the last entry. That the last entries were cut off shows in the tables, which name them (see `audit`).
//!
//! What it cannot show: that somebody who may write the file has made a whole new chain, or has cut the last entries
//! off and mended the tables. Comparing [`Verdict::Whole`]'s head with one that was noted elsewhere shows that.

use std::ops::RangeInclusive;

use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::entry::Seq;
use crate::failure::{Break, Verdict};

/// A digest.
pub(crate) type Link = [u8; 32];

/// The columns that a link covers, in the order of [`COLUMNS`].
pub(crate) struct Linked<'a> {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) subject: &'a [u8],
    pub(crate) previous: Option<i64>,
    pub(crate) card: Option<i64>,
    pub(crate) kind: &'a [u8],
    pub(crate) state: &'a [u8],
    pub(crate) phase: Option<&'a [u8]>,
    pub(crate) open: bool,
    pub(crate) body: &'a [u8],
    pub(crate) sealed: Option<&'a [u8]>,
    pub(crate) request_key: Option<&'a [u8]>,
    pub(crate) request_digest: Option<&'a [u8]>,
}

const COLUMNS: &str = "seq, at, subject, previous, card, kind, state, phase, open, body, sealed, request_key, request_digest, hash";

/// What the first entry hangs on.
pub(crate) fn genesis(journal: &[u8; 16]) -> Link {
    Sha256::new()
        .chain_update(b"tilld journal, version 1 of its chain\n")
        .chain_update(journal)
        .finalize()
        .into()
}

/// How many bytes a link usually covers beside the body.
const USUAL_REST: usize = 512;

/// From how many bytes of its long columns on an entry is hashed where it stands: a hostile file may hold a gigabyte.
const LONG: usize = 64 * 1024;

/// The link of an entry.
pub(crate) fn link(previous: &Link, entry: &Linked<'_>) -> Link {
    let texts = [Some(entry.subject), Some(entry.kind), Some(entry.state), entry.phase, Some(entry.body)];
    let others = [entry.sealed, entry.request_key, entry.request_digest];
    let lengths = texts.iter().chain(&others).flatten();
    let length = lengths.fold(USUAL_REST, |sum, column| sum.saturating_add(column.len()));
    if length > LONG {
        let mut hash = Sha256::new();
        covered(previous, entry, &mut |piece| hash.update(piece));
        return hash.finalize().into();
    }
    // Put together before it is hashed: two dozen short pieces cost more to hash one by one.
    let mut bytes = Vec::with_capacity(length);
    covered(previous, entry, &mut |piece| bytes.extend_from_slice(piece));
    Sha256::digest(&bytes).into()
}

/// All that a link covers, piece by piece.
fn covered(previous: &Link, entry: &Linked<'_>, with: &mut impl FnMut(&[u8])) {
    with(previous);
    with(&entry.seq.to_le_bytes());
    with(&entry.at.to_le_bytes());
    part(with, Some(entry.subject));
    number(with, entry.previous);
    number(with, entry.card);
    part(with, Some(entry.kind));
    part(with, Some(entry.state));
    part(with, entry.phase);
    with(&[u8::from(entry.open)]);
    part(with, Some(entry.body));
    part(with, entry.sealed);
    part(with, entry.request_key);
    part(with, entry.request_digest);
}

fn number(with: &mut impl FnMut(&[u8]), column: Option<i64>) {
    part(with, column.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
}

/// A column: whether it is there, its length, its bytes.
fn part(with: &mut impl FnMut(&[u8]), column: Option<&[u8]>) {
    let length = column.map_or(0, <[u8]>::len);
    with(&[u8::from(column.is_some())]);
    with(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
    with(column.unwrap_or_default());
}

/// The last entry and its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) link: Link,
}

impl Head {
    /// Before the first entry of a journal.
    pub(crate) fn before_all(journal: &[u8; 16]) -> Self {
        Self { seq: Seq::NONE, link: genesis(journal) }
    }

    /// The last entry as it is on the disk.
    pub(crate) fn read(database: &Connection, journal: &[u8; 16]) -> rusqlite::Result<Self> {
        let last = database
            .prepare_cached("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok(Self { seq: Seq::of_column(row.get(0)?), link: row.get(1)? }))
            .optional()?;
        Ok(last.unwrap_or_else(|| Self::before_all(journal)))
    }
}

/// Walks the whole chain, entry by entry, and shows each sound one to `with`. To be called inside of one read transaction,
/// so that entries that are written meanwhile do not count.
pub(crate) fn verify(
    database: &Connection,
    journal: &[u8; 16],
    with: impl FnMut(&Linked<'_>),
) -> rusqlite::Result<Verdict> {
    verify_piece(database, journal, &(i64::MIN..=i64::MAX), with)
}

/// The same for the entries of these numbers. A piece hangs on the link that stands in the entry before it, and that link is a
/// matter of the piece before: all pieces are whole if, and only if, the chain is. The first piece begins with the least number
/// there is, and only the last may go beyond the last entry.
pub(crate) fn verify_piece(
    database: &Connection,
    journal: &[u8; 16],
    piece: &RangeInclusive<i64>,
    with: impl FnMut(&Linked<'_>),
) -> rusqlite::Result<Verdict> {
    // An entry of a number below the first is none of the chain, and is found because the walk begins there.
    let mut from = Head::before_all(journal);
    if *piece.start() > from.seq.next().column() {
        let before = piece.start().saturating_sub(1);
        let mut link = database.prepare_cached("SELECT hash FROM entry WHERE seq = ?1")?;
        let mut link = link.query(params![before])?;
        let seq = Seq::of_column(before);
        let Some(row) = link.next()? else { return Ok(Verdict::Broken { seq, why: Break::Missing }) };
        let Ok(link) = row.get_ref(0)?.as_blob() else {
            return Ok(Verdict::Broken { seq, why: Break::Damaged });
        };
        let Ok(link) = link.try_into() else {
            return Ok(Verdict::Broken { seq, why: Break::Changed });
        };
        from = Head { seq, link };
    }
    let verdict = walk(database, from, piece, with)?;
    match verdict {
        Verdict::Whole { entries, .. }
            if *piece.end() < i64::MAX && Seq::new(entries).column() < *piece.end() =>
        {
            Ok(Verdict::Broken { seq: Seq::new(entries).next(), why: Break::Missing })
        }
        verdict => Ok(verdict),
    }
}

/// The same for the last `most` entries: the first of them is taken to hang on the right link.
pub(crate) fn verify_last(database: &Connection, journal: &[u8; 16], most: u64) -> rusqlite::Result<Verdict> {
    let last = database.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))?;
    let before = Seq::new(Seq::of_column(last).number().saturating_sub(most));
    let link: Option<Link> = database
        .query_row("SELECT hash FROM entry WHERE seq = ?1", params![before.column()], |row| row.get(0))
        .optional()?;
    let from = link.map_or(Head::before_all(journal), |link| Head { seq: before, link });
    walk(database, from, &(from.seq.next().column()..=i64::MAX), |_| {})
}

/// `from`: the last entry before those that are walked.
fn walk(
    database: &Connection,
    from: Head,
    piece: &RangeInclusive<i64>,
    mut with: impl FnMut(&Linked<'_>),
) -> rusqlite::Result<Verdict> {
    let mut last = from;
    let mut statement = database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"))?;
    let mut rows = statement.query(params![piece.start(), piece.end()])?;
    while let Some(row) = rows.next()? {
        let expected = last.seq.next();
        let Some((entry, hash)) = read(row) else {
            return Ok(Verdict::Broken { seq: expected, why: Break::Damaged });
        };
        if entry.seq < expected.column() {
            return Ok(Verdict::Broken { seq: expected, why: Break::Changed });
        }
        if entry.seq != expected.column() {
            return Ok(Verdict::Broken { seq: expected, why: Break::Missing });
        }
        let right = link(&last.link, &entry);
        if hash != right {
            return Ok(Verdict::Broken { seq: expected, why: Break::Changed });
        }
        with(&entry);
        last = Head { seq: expected, link: right };
    }
    Ok(Verdict::Whole { entries: last.seq.number(), head: last.link })
}

/// The columns of a row, borrowed; none if one has a type that is never written.
fn read<'a>(row: &'a Row<'_>) -> Option<(Linked<'a>, &'a [u8])> {
    let column = |place| row.get_ref(place).ok();
    let entry = Linked {
        seq: column(0)?.as_i64().ok()?,
        at: column(1)?.as_i64().ok()?,
        subject: column(2)?.as_blob().ok()?,
        previous: column(3)?.as_i64_or_null().ok()?,
        card: column(4)?.as_i64_or_null().ok()?,
        kind: text(column(5)?)?,
        state: text(column(6)?)?,
        phase: text_or_null(column(7)?).ok()?,
        open: match column(8)?.as_i64().ok()? {
            0 => false,
            1 => true,
            _ => return None,
        },
        body: text(column(9)?)?,
        sealed: column(10)?.as_blob_or_null().ok()?,
        request_key: text_or_null(column(11)?).ok()?,
        request_digest: column(12)?.as_blob_or_null().ok()?,
    };
    Some((entry, column(13)?.as_blob().ok()?))
}

fn text_or_null(value: ValueRef<'_>) -> Result<Option<&[u8]>, FromSqlError> {
    if value == ValueRef::Null { Ok(None) } else { text(value).map(Some).ok_or(FromSqlError::InvalidType) }
}

fn text(value: ValueRef<'_>) -> Option<&[u8]> {
    if let ValueRef::Text(bytes) = value { Some(bytes) } else { None }
}
