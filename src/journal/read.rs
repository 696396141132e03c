//! Entries back into events, and events back into sales.
//!
//! The state of a sale is the fold of its entries ([`Fold`]). Lines that have been forgotten since are gone in the
//! events that are folded; the domain's machines do not look at that, so what was printed then replays as printed.

use std::ops::ControlFlow;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tilld_domain::ids::{OrderId, RequestKey, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::sale::{CardNo, Sale, SaleEvent};
use uuid::Uuid;

use crate::entry::{Asked, Entry, EntryHead, Seq};
use crate::failure::{DecodeError, ReadError};
use crate::form;
use crate::seal::{self, Place, Terminal};
use crate::tables::{self, RowFailure};

const COLUMNS: &str = "seq, at, sale, card, kind, body, sealed, request_key, request_digest, hash";

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// An entry's head, out of the columns seq, at, sale, kind, card, state.
pub(crate) fn head(row: &Row<'_>) -> rusqlite::Result<EntryHead> {
    Ok(EntryHead {
        seq: Seq::of_column(row.get(0)?),
        at: Moment::from_ms(row.get(1)?),
        sale: SaleId::new(Uuid::from_bytes(row.get(2)?)),
        kind: row.get(3)?,
        card: row.get::<_, Option<u16>>(4)?.and_then(CardNo::new),
        state: row.get(5)?,
    })
}

/// The random id of the journal.
pub(crate) fn journal_id(database: &Connection) -> Result<[u8; 16], ReadError> {
    Ok(database.query_row("SELECT value FROM meta WHERE name = 'journal'", [], |row| row.get(0))?)
}

/// The entries of a sale, in their order, one after another. Secrets are opened if there is a terminal key.
pub(crate) fn each_entry(
    database: &Connection,
    sale: SaleId,
    terminal: Option<&Terminal>,
    mut with: impl FnMut(Entry) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut statement = database.prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE seq = ?1"))?;
    for seq in numbers(database, sale)? {
        let mut rows = statement.query(params![seq.column()])?;
        let row = rows.next()?.ok_or(ReadError::Misfit { sale, seq })?;
        with(entry(database, row, terminal)?)?;
    }
    Ok(())
}

/// The numbers of a sale's entries, in their order: its row names the last, and each entry the one before it.
pub(crate) fn numbers(database: &Connection, sale: SaleId) -> Result<Vec<Seq>, ReadError> {
    let id = sale.uuid();
    let mut next: Option<i64> = database
        .prepare_cached("SELECT last_seq FROM sale WHERE id = ?1")?
        .query_row(params![id.as_bytes()], |row| row.get(0))
        .optional()?;
    let mut statement = database.prepare_cached("SELECT previous FROM entry WHERE seq = ?1 AND sale = ?2")?;
    let mut numbers = Vec::new();
    while let Some(number) = next {
        let seq = Seq::of_column(number);
        let previous: Option<Option<i64>> =
            statement.query_row(params![number, id.as_bytes()], |row| row.get(0)).optional()?;
        next = previous.ok_or(ReadError::Misfit { sale, seq })?;
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
    let sale = SaleId::new(Uuid::from_bytes(column(row, 2, "sale").map_err(damaged)?));
    let card = match column::<Option<u16>>(row, 3, "card").map_err(damaged)? {
        Some(number) => Some(CardNo::new(number).ok_or_else(|| damaged(DecodeError::Column("card")))?),
        None => None,
    };
    let kind = row.get_ref(4)?.as_str().map_err(|_| damaged(DecodeError::Column("kind")))?;
    let body = row.get_ref(5)?.as_str().map_err(|_| damaged(DecodeError::Column("body")))?;
    let mut event = form::decode(kind, card, body).map_err(damaged)?;
    let sealed = row.get_ref(6)?.as_blob_or_null().map_err(|_| damaged(DecodeError::Column("sealed")))?;
    if let (Some(sealed), Some(terminal)) = (sealed, terminal) {
        for (order, sealed) in seal::unpack(sealed).ok_or_else(|| damaged(DecodeError::Sealed))? {
            let Some(key) = order_key(database, terminal, order).map_err(|error| match error {
                KeyFailure::Database(error) => error.into(),
                KeyFailure::Seal => damaged(DecodeError::Sealed),
            })?
            else {
                continue;
            };
            let place = Place { journal: terminal.journal(), order, seq, kind };
            let packed = key.open(&place, sealed).map_err(|_| damaged(DecodeError::Sealed))?;
            form::secrets::put_back(&mut event, order, &packed).map_err(damaged)?;
        }
    }
    let asked = match column::<Option<String>>(row, 7, "request_key").map_err(damaged)? {
        Some(key) => Some(Asked {
            key: key.parse::<RequestKey>().map_err(|_| damaged(DecodeError::Column("request_key")))?,
            digest: column(row, 8, "request_digest").map_err(damaged)?,
        }),
        None => None,
    };
    Ok(Entry { seq, at, sale, event, asked, hash: column(row, 9, "hash").map_err(damaged)? })
}

fn column<T: FromSql>(row: &Row<'_>, place: usize, name: &'static str) -> Result<T, DecodeError> {
    row.get(place).map_err(|_| DecodeError::Column(name))
}

/// Why the key of an order is not to be had, although it is there.
pub(crate) enum KeyFailure {
    /// SQLite says no.
    Database(rusqlite::Error),
    /// It does not unwrap.
    Seal,
}

/// The key of an order; none if it was forgotten or never made.
pub(crate) fn order_key(
    database: &Connection,
    terminal: &Terminal,
    order: OrderId,
) -> Result<Option<seal::OrderKey>, KeyFailure> {
    let wrapped: Option<Vec<u8>> = database
        .prepare_cached("SELECT wrapped FROM seal_key WHERE order_id = ?1")
        .and_then(|mut statement| {
            statement.query_row(params![order.uuid().as_bytes()], |row| row.get(0)).optional()
        })
        .map_err(KeyFailure::Database)?;
    wrapped
        .map(|wrapped| terminal.unwrap(order, &wrapped))
        .transpose()
        .map_err(|seal::SealFailure| KeyFailure::Seal)
}

/// A sale in the making.
#[derive(Default)]
pub(crate) struct Fold(Option<(Sale, Seq)>);

impl Fold {
    /// Takes the next entry of the sale.
    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), ReadError> {
        let misfit = ReadError::Misfit { sale: entry.sale, seq: entry.seq };
        let sale = match (self.0.take(), entry.event) {
            (None, SaleEvent::Opened(opening)) if opening.sale == entry.sale => {
                Sale::open(*opening, entry.at).0
            }
            (Some((sale, _)), event) => sale.step(entry.at, event).map_err(|_| misfit)?.0,
            (None, _) => return Err(misfit),
        };
        self.0 = Some((sale, entry.seq));
        Ok(())
    }

    /// The sale up to here.
    fn so_far(&self) -> Option<&Sale> {
        self.0.as_ref().map(|(sale, _)| sale)
    }
}

/// Shows a sale after each of its entries, until `with` has seen enough.
pub(crate) fn replay(
    database: &Connection,
    sale: SaleId,
    terminal: Option<&Terminal>,
    mut with: impl FnMut(&Sale, Seq, Moment) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut fold = Fold::default();
    let mut flow = ControlFlow::Continue(());
    each_entry(database, sale, terminal, |entry| {
        if flow.is_continue() {
            let (seq, at) = (entry.seq, entry.at);
            fold.add(entry)?;
            flow = fold.so_far().map_or(flow, |sale| with(sale, seq, at));
        }
        Ok(())
    })
}

/// A sale after its last entry, with the number and the moment of that; none if there is no such sale.
pub(crate) fn latest(
    database: &Connection,
    sale: SaleId,
    terminal: Option<&Terminal>,
) -> Result<Option<(Sale, Seq, Moment)>, ReadError> {
    let mut fold = Fold::default();
    let mut moment = None;
    each_entry(database, sale, terminal, |entry| {
        moment = Some(entry.at);
        fold.add(entry)
    })?;
    Ok(fold.0.zip(moment).map(|((sale, seq), at)| (sale, seq, at)))
}

/// Makes the query tables again from the entries, a sale at a time. To be called inside of a transaction.
pub(crate) fn rebuild(database: &Connection) -> Result<(), ReadError> {
    tables::clear(database)?;
    // The rows that lead to a sale's entries are what is being made: an index takes their place meanwhile.
    database.execute_batch("CREATE INDEX entry_by_sale ON entry (sale, seq)")?;
    rebuild_each(database)?;
    Ok(database.execute_batch("DROP INDEX entry_by_sale")?)
}

fn rebuild_each(database: &Connection) -> Result<(), ReadError> {
    let mut opened = database.prepare("SELECT sale FROM entry WHERE kind = 'opened' ORDER BY seq")?;
    let mut of_sale =
        database.prepare(&format!("SELECT {COLUMNS} FROM entry WHERE sale = ?1 ORDER BY seq"))?;
    let mut sales = opened.query([])?;
    while let Some(row) = sales.next()? {
        let sale = SaleId::new(Uuid::from_bytes(row.get(0)?));
        let mut fold = Fold::default();
        let mut entries = of_sale.query(params![sale.uuid().as_bytes()])?;
        while let Some(row) = entries.next()? {
            let entry = entry(database, row, None)?;
            let (seq, at, card) = (entry.seq, entry.at, form::card(&entry.event));
            fold.add(entry)?;
            let Some(after) = fold.so_far() else { continue };
            let written = match tables::row_of(database, sale)? {
                None => tables::insert(database, (seq, at), after),
                Some(before) => tables::update(database, &before, (seq, at), card, after),
            };
            written.map_err(|failure| match failure {
                RowFailure::Database(error) => error.into(),
                RowFailure::ReceiptTaken | RowFailure::Misfit(_) => ReadError::Misfit { sale, seq },
            })?;
        }
    }
    Ok(())
}
