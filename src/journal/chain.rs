//! The chain: every entry holds the digest of the one before it, so that a change, a gap and another order show.
//!
//! A link is SHA-256 over the link before it and every column of the entry, each with its length before it, so that
//! no two entries have the same encoding. It covers the bytes in the columns, not their meaning: verifying parses
//! nothing, and an entry whose secrets have been forgotten verifies like any other. The first link hangs on the
//! journal's random id, so that the start of one journal cannot be put before another's.
//!
//! What it cannot show: that somebody who may write the file has made a whole new chain, or has cut the last entries
//! off and mended the head. Comparing [`Verdict::Whole`]'s head with one that was noted elsewhere shows that.

use rusqlite::types::ValueRef;
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
    pub(crate) sale: &'a [u8],
    pub(crate) card: Option<i64>,
    pub(crate) kind: &'a [u8],
    pub(crate) state: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) sealed: Option<&'a [u8]>,
    pub(crate) request_key: Option<&'a [u8]>,
    pub(crate) request_digest: Option<&'a [u8]>,
}

const COLUMNS: &str = "seq, at, sale, card, kind, state, body, sealed, request_key, request_digest, hash";

/// What the first entry hangs on.
pub(crate) fn genesis(journal: &[u8; 16]) -> Link {
    Sha256::new()
        .chain_update(b"tilld journal, version 1 of its chain\n")
        .chain_update(journal)
        .finalize()
        .into()
}

/// The link of an entry.
pub(crate) fn link(previous: &Link, entry: &Linked<'_>) -> Link {
    let mut digest = Sha256::new();
    digest.update(previous);
    digest.update(entry.seq.to_le_bytes());
    digest.update(entry.at.to_le_bytes());
    part(&mut digest, Some(entry.sale));
    part(&mut digest, entry.card.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    part(&mut digest, Some(entry.kind));
    part(&mut digest, Some(entry.state));
    part(&mut digest, Some(entry.body));
    part(&mut digest, entry.sealed);
    part(&mut digest, entry.request_key);
    part(&mut digest, entry.request_digest);
    digest.finalize().into()
}

/// A column: whether it is there, its length, its bytes.
fn part(digest: &mut Sha256, column: Option<&[u8]>) {
    let mut before = [0_u8; 9];
    let length = column.map_or(0, <[u8]>::len);
    let (there, eight) = before.split_at_mut(1);
    there.fill(u8::from(column.is_some()));
    eight.copy_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
    digest.update(before);
    digest.update(column.unwrap_or_default());
}

/// The last entry and its link, as the head of the journal names them. It is written in the commit of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) link: Link,
}

impl Head {
    /// As it stands in the table `meta`.
    pub(crate) fn to_bytes(self) -> [u8; 40] {
        let mut bytes = [0_u8; 40];
        let (number, link) = bytes.split_at_mut(8);
        number.copy_from_slice(&self.seq.number().to_le_bytes());
        link.copy_from_slice(&self.link);
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, link) = bytes.split_first_chunk::<8>()?;
        Some(Self { seq: Seq::new(u64::from_le_bytes(*number)), link: link.try_into().ok()? })
    }

    /// The head as it is written; none if it is missing or damaged.
    pub(crate) fn read(database: &Connection) -> rusqlite::Result<Option<Self>> {
        let bytes: Option<Vec<u8>> = database
            .prepare_cached("SELECT value FROM meta WHERE name = 'head'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(bytes.as_deref().and_then(Self::of_bytes))
    }
}

/// Walks the whole chain, entry by entry, and compares its end with the head. To be called inside of one read
/// transaction, so that entries that are written meanwhile do not count.
pub(crate) fn verify(database: &Connection, journal: &[u8; 16]) -> rusqlite::Result<Verdict> {
    walk(database, Head { seq: Seq::NONE, link: genesis(journal) })
}

/// The same for the last `most` entries: the first of them is taken to hang on the right link.
pub(crate) fn verify_last(database: &Connection, journal: &[u8; 16], most: u64) -> rusqlite::Result<Verdict> {
    let last = Head::read(database)?.map_or(0, |head| head.seq.number());
    let before = Seq::new(last.saturating_sub(most));
    if before == Seq::NONE {
        return verify(database, journal);
    }
    let link: Option<Link> = database
        .query_row("SELECT hash FROM entry WHERE seq = ?1", params![before.column()], |row| row.get(0))
        .optional()?;
    match link {
        Some(link) => walk(database, Head { seq: before, link }),
        None => verify(database, journal),
    }
}

fn walk(database: &Connection, from: Head) -> rusqlite::Result<Verdict> {
    let mut last = from;
    let mut statement =
        database.prepare(&format!("SELECT {COLUMNS} FROM entry WHERE seq > ?1 ORDER BY seq"))?;
    let mut rows = statement.query(params![from.seq.column()])?;
    while let Some(row) = rows.next()? {
        let expected = last.seq.next();
        let Some((entry, hash)) = read(row) else {
            return Ok(Verdict::Broken { seq: expected, why: Break::Damaged });
        };
        if entry.seq != expected.column() {
            return Ok(Verdict::Broken { seq: expected, why: Break::Missing });
        }
        let right = link(&last.link, &entry);
        if hash != right {
            return Ok(Verdict::Broken { seq: expected, why: Break::Changed });
        }
        last = Head { seq: expected, link: right };
    }
    Ok(match Head::read(database)? {
        Some(head) if head == last => Verdict::Whole { entries: last.seq.number(), head: last.link },
        Some(head) if head.seq > last.seq => Verdict::Broken { seq: last.seq.next(), why: Break::Missing },
        _ => Verdict::Broken { seq: last.seq, why: Break::Head },
    })
}

/// The columns of a row, borrowed; none if one has a type that is never written.
fn read<'a>(row: &'a Row<'_>) -> Option<(Linked<'a>, &'a [u8])> {
    let column = |place| row.get_ref(place).ok();
    let entry = Linked {
        seq: column(0)?.as_i64().ok()?,
        at: column(1)?.as_i64().ok()?,
        sale: column(2)?.as_blob().ok()?,
        card: column(3)?.as_i64_or_null().ok()?,
        kind: text(column(4)?)?,
        state: text(column(5)?)?,
        body: text(column(6)?)?,
        sealed: column(7)?.as_blob_or_null().ok()?,
        request_key: if column(8)? == ValueRef::Null { None } else { Some(text(column(8)?)?) },
        request_digest: column(9)?.as_blob_or_null().ok()?,
    };
    Some((entry, column(10)?.as_blob().ok()?))
}

fn text(value: ValueRef<'_>) -> Option<&[u8]> {
    if let ValueRef::Text(bytes) = value { Some(bytes) } else { None }
}
