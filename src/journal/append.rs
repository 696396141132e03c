//! The one writer. What it is given becomes durable as a whole, in one commit with one sync, or not at all.
//!
//! A draft becomes an entry, its secrets sealed; the chain grows by a link; the rows of the sale and the keys that are
//! to be forgotten go into the same commit. Whatever fails on the way undoes all of it and leaves the
//! connection usable: the next append starts from what is on the disk, not from memory.
//!
//! One thing is beyond it: a commit whose sync failed may stand in the log all the same. The next commit that goes
//! through overwrites it, and one is tried at once; a power cut before that can bring the entry back. Recovery then
//! sees an intent whose act never was, and asks the provider, as law L1 has it.

use std::ops::Deref;

use rusqlite::{Connection, ErrorCode, params};
use tilld_domain::moment::Moment;
use tilld_domain::product::Product;
use tilld_domain::sale::{MOST_CARDS, SaleEvent};

use crate::chain::{self, Head, Linked};
use crate::entry::{Draft, Seq};
use crate::failure::AppendError;
use crate::form;
use crate::read::{self, KeyFailure};
use crate::seal::{self, OrderKey, Place, SealFailure, Terminal};
use crate::tables::{self, RowFailure};

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Io(error.to_string()),
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<SealFailure> for AppendError {
    fn from(SealFailure: SealFailure) -> Self {
        Self::Seal
    }
}

impl From<KeyFailure> for AppendError {
    fn from(failure: KeyFailure) -> Self {
        match failure {
            KeyFailure::Database(error) => error.into(),
            KeyFailure::Seal => Self::Seal,
        }
    }
}

/// The connection that writes.
pub(crate) struct Writer {
    database: Connection,
    /// Keys were removed, and pages that held them may still stand in the write-ahead log.
    keys_in_log: bool,
}

impl Writer {
    pub(crate) fn new(database: Connection) -> Self {
        // Whether the last run left such pages is not known.
        Self { database, keys_in_log: true }
    }

    #[cfg(test)]
    pub(crate) fn database(&self) -> &Connection {
        &self.database
    }

    fn begin(&mut self) -> Result<Begun<'_>, AppendError> {
        self.database.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Begun(&self.database))
    }

    /// Writes all drafts in their order, in one commit.
    pub(crate) fn append(&mut self, terminal: &Terminal, drafts: &[Draft]) -> Result<Vec<Seq>, AppendError> {
        let begun = self.begin()?;
        let mut head = Head::read(&begun, terminal.journal())?;
        let mut written = Vec::with_capacity(drafts.len());
        for (place, draft) in drafts.iter().enumerate() {
            head = write(&begun, terminal, head, (place, draft))?;
            written.push(head.seq);
        }
        if let Err(error) = begun.commit() {
            // What was refused may stand in the log already. A commit that goes through takes its place there.
            self.probe().ok();
            return Err(error.into());
        }
        self.keys_in_log |= drafts.iter().any(|draft| !draft.forget.is_empty());
        Ok(written)
    }

    /// Destroys the keys of every card that was closed at `closed_by` or before; how many.
    pub(crate) fn forget(&mut self, closed_by: Moment) -> Result<usize, AppendError> {
        let begun = self.begin()?;
        let forgotten = begun
            .prepare_cached(
                "DELETE FROM seal_key WHERE EXISTS (
                     SELECT 1 FROM card WHERE card.order_id = seal_key.order_id AND card.closed_at <= ?1)",
            )?
            .execute(params![closed_by.ms()])?;
        begun.commit()?;
        self.keys_in_log |= forgotten > 0;
        if self.keys_in_log {
            // The first column says whether a reader was in the way: then the log is emptied next time.
            let in_the_way: bool =
                self.database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            self.keys_in_log = in_the_way;
        }
        Ok(forgotten)
    }

    /// Replaces the cached products of a provider.
    pub(crate) fn replace_products(
        &mut self,
        provider: &str,
        products: &[Product],
        at: Moment,
    ) -> Result<(), AppendError> {
        let body = form::encode_products(products).map_err(|why| AppendError::Database(why.to_string()))?;
        let begun = self.begin()?;
        begun
            .prepare_cached("INSERT OR REPLACE INTO product_list (provider, at, body) VALUES (?1, ?2, ?3)")?
            .execute(params![provider, at.ms(), body])?;
        Ok(begun.commit()?)
    }

    /// Writes a row that nobody reads, as an entry would be written.
    pub(crate) fn probe(&mut self) -> Result<(), AppendError> {
        let begun = self.begin()?;
        begun
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', randomblob(8))")?
            .execute([])?;
        Ok(begun.commit()?)
    }
}

/// What was begun and is undone unless it is committed. Its words are prepared once, as every statement of an append is:
/// reading them anew for each commit takes as long as one of the other statements.
struct Begun<'a>(&'a Connection);

impl Begun<'_> {
    fn commit(self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }
}

impl Deref for Begun<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        // After a commit nothing is open any more. After a failure SQLite may have rolled back by itself.
        if !self.0.is_autocommit() {
            self.0.execute_batch("ROLLBACK").ok();
        }
    }
}

/// Writes one draft; the head after it.
fn write(
    database: &Connection,
    terminal: &Terminal,
    head: Head,
    (place, draft): (usize, &Draft),
) -> Result<Head, AppendError> {
    let misfit = |why| AppendError::Misfit { draft: place, why };
    let first = check(draft).map_err(misfit)?;
    let before = if first {
        None
    } else {
        Some(tables::row_of(database, draft.sale)?.ok_or_else(|| misfit("its sale has not begun"))?)
    };
    let seq = head.seq.next();
    let (kind, card) = (form::kind(&draft.event), form::card(&draft.event));
    let phase = tables::phase_word(draft.after.phase());
    let state = tables::state_words(card, &draft.after).ok_or_else(|| misfit("it has no such card"))?;
    let body = form::encode(&draft.event).map_err(|_| misfit("it cannot be written"))?;
    let sealed = seal_secrets(database, terminal, seq, draft)?;
    let asked = draft.asked.as_ref();
    let sale = draft.sale.uuid();
    let linked = Linked {
        seq: seq.column(),
        at: draft.at.ms(),
        sale: sale.as_bytes(),
        previous: before.as_ref().map(|row| row.last_seq),
        card: card.map(|card| i64::from(card.number())),
        kind: kind.as_bytes(),
        state: state.as_bytes(),
        phase: phase.as_bytes(),
        open: !draft.after.is_closed(),
        body: body.as_bytes(),
        sealed: sealed.as_deref(),
        request_key: asked.map(|asked| asked.key.as_str().as_bytes()),
        request_digest: asked.map(|asked| asked.digest.as_slice()),
    };
    let link = chain::link(&head.link, &linked);
    database
        .prepare_cached(
            "INSERT INTO entry (seq, hash, at, sale, previous, card, kind, state, phase, open, body, sealed, request_key,
                                request_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            linked.seq,
            link,
            linked.at,
            linked.sale,
            linked.previous,
            linked.card,
            kind,
            state,
            phase,
            linked.open,
            body,
            sealed,
            asked.map(|asked| asked.key.as_str()),
            linked.request_digest,
        ])
        .map_err(|error| match error {
            error if tables::is_taken(&error) => AppendError::KeyTaken { draft: place },
            error => error.into(),
        })?;
    let row_failure = |failure| match failure {
        RowFailure::Database(error) if tables::is_taken(&error) => {
            misfit("its sale or one of its orders is there already")
        }
        RowFailure::Database(error) => error.into(),
        RowFailure::ReceiptTaken => AppendError::ReceiptTaken { draft: place },
        RowFailure::Misfit(why) => misfit(why),
    };
    match &before {
        None => tables::insert(database, (seq, draft.at), &draft.after),
        Some(before) => tables::update(database, before, (seq, draft.at), card, &draft.after),
    }
    .map_err(row_failure)?;
    for order in &draft.forget {
        database
            .prepare_cached("DELETE FROM seal_key WHERE order_id = ?1")?
            .execute(params![order.uuid().as_bytes()])?;
    }
    Ok(Head { seq, link })
}

/// Whether a draft fits itself; whether it begins its sale.
fn check(draft: &Draft) -> Result<bool, &'static str> {
    if draft.after.opening.sale != draft.sale {
        return Err("it is of another sale");
    }
    match &draft.event {
        SaleEvent::Opened(opening) if opening.sale != draft.sale => Err("it opens another sale"),
        SaleEvent::Opened(opening) if opening.cards.is_empty() || opening.cards.len() > MOST_CARDS => {
            Err("a sale has 1 to 20 cards")
        }
        SaleEvent::Opened(_) => Ok(true),
        SaleEvent::Paid { .. } | SaleEvent::Cancelled { .. } | SaleEvent::Resumed | SaleEvent::Card(..) => {
            Ok(false)
        }
    }
}

/// Seals the secrets of a draft, each under the key of its order; a key is made when it is first needed.
fn seal_secrets(
    database: &Connection,
    terminal: &Terminal,
    seq: Seq,
    draft: &Draft,
) -> Result<Option<Vec<u8>>, AppendError> {
    let mut boxes = None;
    for (order, packed) in form::secrets::take(&draft.event, &draft.after) {
        let key = if let Some(key) = read::order_key(database, terminal, order)? {
            key
        } else {
            let key = OrderKey::random()?;
            database
                .prepare_cached("INSERT INTO seal_key (order_id, wrapped, made_at) VALUES (?1, ?2, ?3)")?
                .execute(params![order.uuid().as_bytes(), terminal.wrap(order, &key)?, draft.at.ms()])?;
            key
        };
        let place = Place { journal: terminal.journal(), order, seq, kind: form::kind(&draft.event) };
        seal::pack(boxes.get_or_insert_default(), order, &key.seal(&place, &packed)?)?;
    }
    Ok(boxes)
}
