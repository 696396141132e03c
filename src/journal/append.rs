//! The one writer. What it is given becomes durable as a whole, in one commit with one sync, or not at all.
//!
//! A draft becomes an entry, its secrets sealed; the chain grows by a link; the rows of the sale, the redemption or the device and the
//! keys that are to be forgotten go into the same commit. Whatever fails on the way undoes all of it and leaves the
//! connection usable: the next append starts from what is on the disk, not from memory.
//!
//! One thing is beyond it: a commit whose sync failed may stand in the log all the same. The next commit that goes
//! through overwrites it, and one is tried at once; a power cut before that can bring the entry back. Recovery then
//! sees an intent whose act never was, and asks the provider, as law L1 has it.

use std::ops::Deref;

use rusqlite::{Connection, ErrorCode, params};
use tilld_domain::day::Closing;
use tilld_domain::device::Device;
use tilld_domain::ids::OrderId;
use tilld_domain::moment::Moment;
use tilld_domain::product::Product;
use tilld_domain::redemption::Redemption;
use tilld_domain::sale::{CardNo, MOST_CARDS, Sale, SaleEvent};

use crate::chain::{self, Head, Linked};
use crate::entry::{Draft, RedemptionStep, Seq, Step, day_id, device_id};
use crate::failure::AppendError;
use crate::form::{self, secrets::Packed};
use crate::read::{self, KeyFailure};
use crate::seal::{self, OwnKey, Owner, Place, SealFailure, Terminal};
use crate::tables::{self, RowFailure};
use crate::tries::{self, Tried};

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

    /// For reading: what is written goes through an append.
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
        self.keys_in_log |= drafts.iter().any(Draft::forgets);
        Ok(written)
    }

    /// Destroys the keys of every card that was closed at `closed_by` or before, and of every redemption that is closed;
    /// how many.
    pub(crate) fn forget(&mut self, closed_by: Moment) -> Result<usize, AppendError> {
        let begun = self.begin()?;
        let forgotten = begun
            .prepare_cached(
                "DELETE FROM seal_key WHERE EXISTS (
                     SELECT 1 FROM card WHERE card.order_id = seal_key.owner AND card.closed_at <= ?1)
                 OR EXISTS (SELECT 1 FROM redemption WHERE redemption.id = seal_key.owner AND redemption.open = 0)",
            )?
            .execute(params![closed_by.ms()])?;
        begun.commit()?;
        self.keys_in_log |= forgotten > 0;
        self.wipe_log()?;
        Ok(forgotten)
    }

    /// Empties the log if a key that was destroyed may still stand in it. Whether none stands there now.
    pub(crate) fn wipe_log(&mut self) -> Result<bool, AppendError> {
        if self.keys_in_log {
            // The first column says whether a reader was in the way: then the log is emptied next time.
            let in_the_way: bool =
                self.database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            self.keys_in_log = in_the_way;
        }
        Ok(!self.keys_in_log)
    }

    /// Writes down that a wrong code was tried, or that a manager let the terminal try again.
    pub(crate) fn note_try(&mut self, tried: &Tried<'_>) -> Result<(), AppendError> {
        let begun = self.begin()?;
        tries::note(&begun, tried)?;
        Ok(begun.commit()?)
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
    let next = Next { database, terminal, head, place, draft };
    match &draft.step {
        Step::Sale { event, after, forget } => next.write_of_sale(event, after, forget),
        Step::Redemption { event, after, forget } => next.write_of_redemption(event, after, *forget),
        Step::Device(device) => next.write_of_device(device),
        Step::Day(closing) => next.write_of_day(closing),
    }
}

/// The columns of an entry that follow from what it is about.
struct Content<'a> {
    subject: &'a [u8],
    previous: Option<i64>,
    card: Option<CardNo>,
    kind: &'static str,
    state: &'a str,
    phase: Option<&'static str>,
    open: bool,
    body: String,
    sealed: Option<Vec<u8>>,
}

/// The entry that is being written.
struct Next<'a> {
    database: &'a Connection,
    terminal: &'a Terminal,
    /// The last one before it.
    head: Head,
    /// Which of the drafts it is, from 0.
    place: usize,
    draft: &'a Draft,
}

impl Next<'_> {
    fn seq(&self) -> Seq {
        self.head.seq.next()
    }

    fn misfit(&self, why: &'static str) -> AppendError {
        AppendError::Misfit { draft: self.place, why }
    }

    fn write_of_sale(
        &self,
        event: &SaleEvent,
        after: &Sale,
        forget: &[OrderId],
    ) -> Result<Head, AppendError> {
        let first = begins_sale(event, after).map_err(|why| self.misfit(why))?;
        let sale = after.opening.sale;
        let before = if first {
            None
        } else {
            Some(tables::row_of(self.database, sale)?.ok_or_else(|| self.misfit("its sale has not begun"))?)
        };
        let (kind, card) = (form::kind_of_sale(event), form::card_of_sale(event));
        let state = tables::state_words(card, after).ok_or_else(|| self.misfit("it has no such card"))?;
        let head = self.write_entry(Content {
            subject: sale.uuid().as_bytes(),
            previous: before.as_ref().map(|row| row.last_seq),
            card,
            kind,
            state: &state,
            phase: Some(tables::phase_word(after.phase())),
            open: !after.is_closed(),
            body: form::encode_of_sale(event).map_err(|_| self.misfit("it cannot be written"))?,
            sealed: self.seal(kind, form::secrets::take_of_sale(event, after))?,
        })?;
        let stamp = (head.seq, self.draft.at);
        match &before {
            None => tables::insert(self.database, stamp, after),
            Some(before) => tables::update(self.database, before, stamp, card, after),
        }
        .map_err(|failure| match failure {
            RowFailure::Database(error) if tables::is_taken(&error) => {
                self.misfit("its sale or one of its orders is there already")
            }
            RowFailure::Database(error) => error.into(),
            RowFailure::ReceiptTaken => AppendError::ReceiptTaken { draft: self.place },
            RowFailure::Misfit(why) => self.misfit(why),
        })?;
        for order in forget {
            self.forget((*order).into())?;
        }
        Ok(head)
    }

    fn write_of_redemption(
        &self,
        step: &RedemptionStep,
        after: &Redemption,
        forget: bool,
    ) -> Result<Head, AppendError> {
        let redemption = after.id();
        let before = match step {
            RedemptionStep::Opened(opening) if opening.redemption != redemption => {
                return Err(self.misfit("it opens another redemption"));
            }
            RedemptionStep::Opened(_) => None,
            RedemptionStep::Happened(_) => Some(
                tables::redemption::row_of(self.database, redemption)?
                    .ok_or_else(|| self.misfit("its redemption has not begun"))?,
            ),
        };
        let kind = form::kind_of_redemption(step);
        let head = self.write_entry(Content {
            subject: redemption.uuid().as_bytes(),
            previous: before.as_ref().map(|row| row.last_seq),
            card: None,
            kind,
            state: after.state_name(),
            phase: None,
            open: !after.is_closed(),
            body: form::encode_of_redemption(step).map_err(|_| self.misfit("it cannot be written"))?,
            sealed: self.seal(kind, form::secrets::take_of_redemption(step))?,
        })?;
        match &before {
            None => tables::redemption::insert(self.database, head.seq, after),
            Some(before) => {
                tables::redemption::update(self.database, before, (head.seq, self.draft.at), after)
            }
        }
        .map_err(|error| match error {
            error if tables::is_taken(&error) => self.misfit("its redemption is there already"),
            error => error.into(),
        })?;
        if forget {
            self.forget(redemption.into())?;
        }
        Ok(head)
    }

    fn write_of_device(&self, device: &Device) -> Result<Head, AppendError> {
        let id = device_id(&device.name);
        let before = tables::device::row_of(self.database, id)?;
        let head = self.write_entry(Content {
            subject: id.uuid().as_bytes(),
            previous: before.as_ref().map(|row| row.last_seq),
            card: None,
            kind: form::device::KIND,
            state: device.condition.state_name(),
            phase: None,
            open: false,
            body: form::encode_of_device(device).map_err(|_| self.misfit("it cannot be written"))?,
            sealed: None,
        })?;
        tables::device::write(self.database, before.as_ref(), (head.seq, self.draft.at), device)?;
        Ok(head)
    }

    fn write_of_day(&self, closing: &Closing) -> Result<Head, AppendError> {
        let head = self.write_entry(Content {
            subject: day_id(closing.day).uuid().as_bytes(),
            previous: None,
            card: None,
            kind: form::day::KIND,
            state: tables::day::CLOSED,
            phase: None,
            open: false,
            body: form::encode_of_day(closing).map_err(|_| self.misfit("it cannot be written"))?,
            sealed: None,
        })?;
        tables::day::insert(self.database, (head.seq, self.draft.at), closing).map_err(
            |error| match error {
                error if tables::is_taken(&error) => self.misfit("its day is closed, or its number is taken"),
                error => error.into(),
            },
        )?;
        Ok(head)
    }

    fn write_entry(&self, content: Content<'_>) -> Result<Head, AppendError> {
        let asked = self.draft.asked.as_ref();
        let linked = Linked {
            seq: self.seq().column(),
            at: self.draft.at.ms(),
            subject: content.subject,
            previous: content.previous,
            card: content.card.map(|card| i64::from(card.number())),
            kind: content.kind.as_bytes(),
            state: content.state.as_bytes(),
            phase: content.phase.map(str::as_bytes),
            open: content.open,
            body: content.body.as_bytes(),
            sealed: content.sealed.as_deref(),
            request_key: asked.map(|asked| asked.key.as_str().as_bytes()),
            request_digest: asked.map(|asked| asked.digest.as_slice()),
        };
        let link = chain::link(&self.head.link, &linked);
        self.database
            .prepare_cached(
                "INSERT INTO entry (seq, hash, at, subject, previous, card, kind, state, phase, open, body, sealed,
                                    request_key, request_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                linked.seq,
                link,
                linked.at,
                linked.subject,
                linked.previous,
                linked.card,
                content.kind,
                content.state,
                content.phase,
                linked.open,
                content.body,
                content.sealed,
                asked.map(|asked| asked.key.as_str()),
                linked.request_digest,
            ])
            .map_err(|error| match error {
                error if tables::is_taken(&error) => AppendError::KeyTaken { draft: self.place },
                error => error.into(),
            })?;
        Ok(Head { seq: self.seq(), link })
    }

    /// Seals secrets, each under the key of its owner; a key is made when it is first needed.
    fn seal(
        &self,
        kind: &str,
        secrets: impl IntoIterator<Item = (Owner, Packed)>,
    ) -> Result<Option<Vec<u8>>, AppendError> {
        let mut boxes = None;
        for (owner, packed) in secrets {
            let key = if let Some(key) = read::own_key(self.database, self.terminal, owner)? {
                key
            } else {
                let key = OwnKey::random()?;
                let wrapped = self.terminal.wrap(owner, &key)?;
                self.database
                    .prepare_cached("INSERT INTO seal_key (owner, wrapped, made_at) VALUES (?1, ?2, ?3)")?
                    .execute(params![owner.as_bytes(), wrapped, self.draft.at.ms()])?;
                key
            };
            let place = Place { journal: self.terminal.journal(), owner, seq: self.seq(), kind };
            seal::pack(boxes.get_or_insert_default(), owner, &key.seal(&place, &packed)?)?;
        }
        Ok(boxes)
    }

    fn forget(&self, owner: Owner) -> rusqlite::Result<()> {
        self.database
            .prepare_cached("DELETE FROM seal_key WHERE owner = ?1")?
            .execute(params![owner.as_bytes()])
            .map(|_| ())
    }
}

/// Whether an event begins its sale; an error if it cannot be of that sale.
fn begins_sale(event: &SaleEvent, after: &Sale) -> Result<bool, &'static str> {
    match event {
        SaleEvent::Opened(opening) if opening.sale != after.opening.sale => Err("it opens another sale"),
        SaleEvent::Opened(opening) if opening.cards.is_empty() || opening.cards.len() > MOST_CARDS => {
            Err("a sale has 1 to 20 cards")
        }
        SaleEvent::Opened(_) => Ok(true),
        SaleEvent::Paid { .. } | SaleEvent::Cancelled { .. } | SaleEvent::Resumed | SaleEvent::Card(..) => {
            Ok(false)
        }
    }
}
