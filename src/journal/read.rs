//! Entries back into events, and events back into sales, redemptions and devices.
//!
//! The state of a subject is the fold of its entries ([`Fold`]). Codes and lines that have been forgotten since are gone in
//! the events that are folded; the domain's machines do not look at that, so what was printed then replays as printed.

use std::ops::ControlFlow;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tilld_domain::day::Closing;
use tilld_domain::device::Device;
use tilld_domain::ids::RequestKey;
use tilld_domain::moment::Moment;
use tilld_domain::redemption::Redemption;
use tilld_domain::sale::{CardNo, Sale, SaleEvent};
use uuid::Uuid;

use crate::entry::{Asked, Entry, EntryHead, Event, RedemptionStep, Seq, Subject, day_id, device_id};
use crate::failure::{DecodeError, ReadError};
use crate::form;
use crate::seal::{self, OwnKey, Owner, Place, Terminal};
use crate::tables::{self, RowFailure};

const COLUMNS: &str = "seq, at, subject, card, kind, body, sealed, request_key, request_digest, hash";

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// An entry's head, out of the columns seq, at, subject, kind, card, state.
pub(crate) fn head(row: &Row<'_>) -> rusqlite::Result<EntryHead> {
    let kind: String = row.get(3)?;
    Ok(EntryHead {
        seq: Seq::of_column(row.get(0)?),
        at: Moment::from_ms(row.get(1)?),
        subject: form::subject(&kind, Uuid::from_bytes(row.get(2)?)),
        kind,
        card: row.get::<_, Option<u16>>(4)?.and_then(CardNo::new),
        state: row.get(5)?,
    })
}

/// The random id of the journal.
pub(crate) fn journal_id(database: &Connection) -> Result<[u8; 16], ReadError> {
    Ok(database.query_row("SELECT value FROM meta WHERE name = 'journal'", [], |row| row.get(0))?)
}

/// The entries of a subject, in their order, one after another. Secrets are opened if there is a terminal key.
pub(crate) fn each_entry(
    database: &Connection,
    subject: Subject,
    terminal: Option<&Terminal>,
    with: impl FnMut(Entry) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    each_entry_upto(database, subject, LAST, terminal, with)
}

/// After every entry that there can be.
const LAST: Seq = Seq::new(u64::MAX);

/// The same, without those after `upto`.
fn each_entry_upto(
    database: &Connection,
    subject: Subject,
    upto: Seq,
    terminal: Option<&Terminal>,
    mut with: impl FnMut(Entry) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut statement = database.prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE seq = ?1"))?;
    for seq in numbers(database, subject)?.into_iter().take_while(|seq| *seq <= upto) {
        let mut rows = statement.query(params![seq.column()])?;
        let row = rows.next()?.ok_or(ReadError::Misfit { subject, seq })?;
        with(entry(database, row, terminal)?)?;
    }
    Ok(())
}

/// The numbers of a subject's entries, in their order: its row names the last, and each entry the one before it.
pub(crate) fn numbers(database: &Connection, subject: Subject) -> Result<Vec<Seq>, ReadError> {
    let id = subject.uuid();
    let last = match subject {
        Subject::Sale(_) => "SELECT last_seq FROM sale WHERE id = ?1",
        Subject::Redemption(_) => "SELECT last_seq FROM redemption WHERE id = ?1",
        Subject::Device(_) => "SELECT last_seq FROM device WHERE id = ?1",
        Subject::Day(_) => "SELECT last_seq FROM day WHERE id = ?1",
    };
    let mut next: Option<i64> =
        database.prepare_cached(last)?.query_row(params![id.as_bytes()], |row| row.get(0)).optional()?;
    let mut statement =
        database.prepare_cached("SELECT previous FROM entry WHERE seq = ?1 AND subject = ?2")?;
    let mut numbers = Vec::new();
    while let Some(number) = next {
        let seq = Seq::of_column(number);
        let previous: Option<Option<i64>> =
            statement.query_row(params![number, id.as_bytes()], |row| row.get(0)).optional()?;
        next = previous.ok_or(ReadError::Misfit { subject, seq })?;
        // Only ever back: a damaged file must not lead round in a circle.
        if next.is_some_and(|previous| previous >= number) {
            return Err(ReadError::Entry { seq, why: DecodeError::Column("previous") });
        }
        numbers.push(seq);
    }
    numbers.reverse();
    Ok(numbers)
}

fn entry(database: &Connection, row: &Row<'_>, terminal: Option<&Terminal>) -> Result<Entry, ReadError> {
    let seq = Seq::of_column(row.get(0)?);
    let damaged = |why| ReadError::Entry { seq, why };
    let at = Moment::from_ms(column(row, 1, "at").map_err(damaged)?);
    let id = Uuid::from_bytes(column(row, 2, "subject").map_err(damaged)?);
    let card = match column::<Option<u16>>(row, 3, "card").map_err(damaged)? {
        Some(number) => Some(CardNo::new(number).ok_or_else(|| damaged(DecodeError::Column("card")))?),
        None => None,
    };
    let kind = row.get_ref(4)?.as_str().map_err(|_| damaged(DecodeError::Column("kind")))?;
    let body = row.get_ref(5)?.as_str().map_err(|_| damaged(DecodeError::Column("body")))?;
    let subject = form::subject(kind, id);
    let mut event = form::decode(kind, card, body).map_err(damaged)?;
    let sealed = row.get_ref(6)?.as_blob_or_null().map_err(|_| damaged(DecodeError::Column("sealed")))?;
    if let (Some(sealed), Some(terminal)) = (sealed, terminal) {
        for (owner, sealed) in seal::unpack(sealed).ok_or_else(|| damaged(DecodeError::Sealed))? {
            let Some(key) = own_key(database, terminal, owner).map_err(|error| match error {
                KeyFailure::Database(error) => error.into(),
                KeyFailure::Seal => damaged(DecodeError::Sealed),
            })?
            else {
                continue;
            };
            let place = Place { journal: terminal.journal(), owner, seq, kind };
            let packed = key.open(&place, sealed).map_err(|_| damaged(DecodeError::Sealed))?;
            form::secrets::put_back(&mut event, owner, &packed).map_err(damaged)?;
        }
    }
    let asked = match column::<Option<String>>(row, 7, "request_key").map_err(damaged)? {
        Some(key) => Some(Asked {
            key: key.parse::<RequestKey>().map_err(|_| damaged(DecodeError::Column("request_key")))?,
            digest: column(row, 8, "request_digest").map_err(damaged)?,
        }),
        None => None,
    };
    Ok(Entry { seq, at, subject, event, asked, hash: column(row, 9, "hash").map_err(damaged)? })
}

fn column<T: FromSql>(row: &Row<'_>, place: usize, name: &'static str) -> Result<T, DecodeError> {
    row.get(place).map_err(|_| DecodeError::Column(name))
}

/// Why a key is not to be had, although it is there.
pub(crate) enum KeyFailure {
    /// SQLite says no.
    Database(rusqlite::Error),
    /// It does not unwrap.
    Seal,
}

/// The key of an owner; none if it was forgotten or never made.
pub(crate) fn own_key(
    database: &Connection,
    terminal: &Terminal,
    owner: Owner,
) -> Result<Option<OwnKey>, KeyFailure> {
    let wrapped: Option<Vec<u8>> = database
        .prepare_cached("SELECT wrapped FROM seal_key WHERE owner = ?1")
        .and_then(|mut statement| statement.query_row(params![owner.as_bytes()], |row| row.get(0)).optional())
        .map_err(KeyFailure::Database)?;
    wrapped
        .map(|wrapped| terminal.unwrap(owner, &wrapped))
        .transpose()
        .map_err(|seal::SealFailure| KeyFailure::Seal)
}

/// What entries are folded into.
pub(crate) trait Machine: Sized {
    /// What the first entry makes; none if it is no first one, or another subject's.
    fn begin(subject: Subject, at: Moment, event: Event) -> Option<Self>;

    /// What a later one makes of it; none if it does not fit.
    fn step(self, at: Moment, event: Event) -> Option<Self>;
}

impl Machine for Sale {
    fn begin(subject: Subject, at: Moment, event: Event) -> Option<Self> {
        match event {
            Event::Sale(SaleEvent::Opened(opening)) if subject == Subject::Sale(opening.sale) => {
                Some(Self::open(*opening, at).0)
            }
            _ => None,
        }
    }

    fn step(self, at: Moment, event: Event) -> Option<Self> {
        let Event::Sale(event) = event else { return None };
        Self::step(self, at, event).ok().map(|(sale, _)| sale)
    }
}

impl Machine for Redemption {
    fn begin(subject: Subject, at: Moment, event: Event) -> Option<Self> {
        match event {
            Event::Redemption(RedemptionStep::Opened(opening))
                if subject == Subject::Redemption(opening.redemption) =>
            {
                Some(Self::open(*opening, at).0)
            }
            _ => None,
        }
    }

    fn step(self, at: Moment, event: Event) -> Option<Self> {
        let Event::Redemption(RedemptionStep::Happened(event)) = event else { return None };
        Self::step(self, at, event).ok().map(|(redemption, _)| redemption)
    }
}

/// A device is what was written last about it.
impl Machine for Device {
    fn begin(subject: Subject, _: Moment, event: Event) -> Option<Self> {
        match event {
            Event::Device(device) if subject == Subject::Device(device_id(&device.name)) => Some(device),
            _ => None,
        }
    }

    fn step(self, _: Moment, event: Event) -> Option<Self> {
        match event {
            Event::Device(device) if device.name == self.name => Some(device),
            _ => None,
        }
    }
}

/// A day is its one closing.
impl Machine for Closing {
    fn begin(subject: Subject, _: Moment, event: Event) -> Option<Self> {
        match event {
            Event::Day(closing) if subject == Subject::Day(day_id(closing.day)) => Some(closing),
            _ => None,
        }
    }

    fn step(self, _: Moment, _: Event) -> Option<Self> {
        None
    }
}

/// A subject in the making.
struct Fold<M>(Option<M>);

impl<M: Machine> Fold<M> {
    /// Takes the next entry; what it makes.
    fn add(&mut self, entry: Entry) -> Result<&M, ReadError> {
        let misfit = ReadError::Misfit { subject: entry.subject, seq: entry.seq };
        let made = match self.0.take() {
            None => M::begin(entry.subject, entry.at, entry.event),
            Some(so_far) => so_far.step(entry.at, entry.event),
        };
        Ok(self.0.insert(made.ok_or(misfit)?))
    }
}

/// Shows a subject after each of its entries, until `with` has seen enough.
pub(crate) fn replay<M: Machine>(
    database: &Connection,
    subject: Subject,
    terminal: Option<&Terminal>,
    mut with: impl FnMut(&M, Seq, Moment) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut fold = Fold(None);
    let mut flow = ControlFlow::Continue(());
    each_entry(database, subject, terminal, |entry| {
        if flow.is_continue() {
            let (seq, at) = (entry.seq, entry.at);
            flow = with(fold.add(entry)?, seq, at);
        }
        Ok(())
    })
}

/// A subject after its last entry, with the number and the moment of that; none if there is none of that id.
pub(crate) fn latest<M: Machine>(
    database: &Connection,
    subject: Subject,
    terminal: Option<&Terminal>,
) -> Result<Option<(M, Seq, Moment)>, ReadError> {
    latest_upto(database, subject, LAST, terminal)
}

/// A subject after the last of its entries up to one; none if it had not begun then.
pub(crate) fn latest_upto<M: Machine>(
    database: &Connection,
    subject: Subject,
    upto: Seq,
    terminal: Option<&Terminal>,
) -> Result<Option<(M, Seq, Moment)>, ReadError> {
    let mut fold = Fold(None);
    let mut last = None;
    each_entry_upto(database, subject, upto, terminal, |entry| {
        last = Some((entry.seq, entry.at));
        fold.add(entry).map(|_: &M| ())
    })?;
    Ok(fold.0.zip(last).map(|(made, (seq, at))| (made, seq, at)))
}

/// Makes the query tables again from the entries, a subject at a time. To be called inside of a transaction.
pub(crate) fn rebuild(database: &Connection) -> Result<(), ReadError> {
    tables::clear(database)?;
    // The rows that lead to a subject's entries are what is being made: an index takes their place meanwhile.
    database.execute_batch("CREATE INDEX entry_by_subject ON entry (subject, seq)")?;
    rebuild_each(database, "opened", |stamp, card, sale: &Sale| {
        match tables::row_of(database, sale.opening.sale)? {
            None => tables::insert(database, stamp, sale),
            Some(before) => tables::update(database, &before, stamp, card, sale),
        }
    })?;
    rebuild_each(database, "redemption_opened", |stamp, _, redemption: &Redemption| {
        match tables::redemption::row_of(database, redemption.id())? {
            None => tables::redemption::insert(database, stamp.0, redemption)?,
            Some(before) => tables::redemption::update(database, &before, stamp, redemption)?,
        }
        Ok(())
    })?;
    rebuild_each(database, form::device::KIND, |stamp, _, device: &Device| {
        let before = tables::device::row_of(database, device_id(&device.name))?;
        Ok(tables::device::write(database, before.as_ref(), stamp, device)?)
    })?;
    rebuild_each(database, form::day::KIND, |stamp, _, closing: &Closing| {
        Ok(tables::day::insert(database, stamp, closing)?)
    })?;
    Ok(database.execute_batch("DROP INDEX entry_by_subject")?)
}

/// Makes the rows of all subjects again that begin with an entry of one kind: `write` is shown each after each of its entries.
fn rebuild_each<M: Machine>(
    database: &Connection,
    opening: &str,
    write: impl Fn((Seq, Moment), Option<CardNo>, &M) -> Result<(), RowFailure>,
) -> Result<(), ReadError> {
    let mut opened =
        database.prepare("SELECT subject FROM entry WHERE kind = ?1 AND previous IS NULL ORDER BY seq")?;
    let mut of_subject =
        database.prepare(&format!("SELECT {COLUMNS} FROM entry WHERE subject = ?1 ORDER BY seq"))?;
    let mut subjects = opened.query(params![opening])?;
    while let Some(row) = subjects.next()? {
        let id: [u8; 16] = row.get(0)?;
        let mut fold = Fold(None);
        let mut entries = of_subject.query(params![id])?;
        while let Some(row) = entries.next()? {
            let entry = entry(database, row, None)?;
            let (subject, seq, at, card) = (entry.subject, entry.seq, entry.at, form::card(&entry.event));
            write((seq, at), card, fold.add(entry)?).map_err(|failure| match failure {
                RowFailure::Database(error) => error.into(),
                RowFailure::ReceiptTaken | RowFailure::Misfit(_) => ReadError::Misfit { subject, seq },
            })?;
        }
    }
    Ok(())
}
