//! A look into the journal for people, while a daemon runs or not. It holds no lock that a daemon would wait for, and
//! writes nothing.

mod amounts;
mod days;
mod open;
mod redemptions;
mod search;

use std::fmt;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter};
use tilld_domain::ids::{OrderId, ReceiptId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::sale::Sale;
use tilld_domain::voucher::tries::{Limit, Tries};
use uuid::Uuid;

use crate::audit;
use crate::entry::{CardRow, DeviceRow, Entry, EntryShown, SaleRow, Seq, Subject, WrongCode};
use crate::failure::{DecodeError, OpenError, ReadError, Verdict};
use crate::form;
use crate::read;
use crate::schema::{self, Found, Paths, SCRIPTS, database_error};
use crate::tables;
use crate::tries;

pub use days::Part;
pub use redemptions::RedemptionFilter;
pub use search::{Line, Listed, Page, Place, Search, What};

/// Which sales a list shows. Everything that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Sales whose first entry is after this one. Without it the list holds the newest sales.
    pub after: Option<Seq>,
    /// Of this receipt.
    pub receipt: Option<ReceiptId>,
    /// With a card in this state, by its name.
    pub state: Option<String>,
    /// Not closed.
    pub open_only: bool,
    /// Begun at this moment or later.
    pub from: Option<Moment>,
    /// Begun before this moment.
    pub before: Option<Moment>,
}

/// A look into a journal that never writes, while a daemon runs or not. It needs no terminal key, so codes and lines
/// are gone in what it reads.
pub struct Reader {
    database: Connection,
    paths: Paths,
    journal: [u8; 16],
}

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reader")
    }
}

const SALE: &str =
    "SELECT first_seq, last_seq, id, receipt, open, phase, provider, cashier, currency, total, paid,
                           opened_at, closed_at FROM sale";

impl Reader {
    /// Opens the journal of a directory.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let paths = Paths::new(path);
        if !paths.database().is_file() {
            return Err(OpenError::NoJournal(path.to_owned()));
        }
        let database = schema::connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        database.pragma_update(None, "query_only", true).map_err(|error| database_error(&error))?;
        let known = schema::newest(SCRIPTS);
        match schema::look(&database, &paths)? {
            Found::Empty => return Err(OpenError::NoJournal(path.to_owned())),
            Found::Version(found) if found > known => return Err(OpenError::Newer { found, known }),
            Found::Version(found) if found < known => return Err(OpenError::Older { found, known }),
            Found::Version(_) => {}
        }
        let journal = read::journal_id(&database).map_err(|error| OpenError::Database(error.to_string()))?;
        Ok(Self { database, paths, journal })
    }

    /// The sales that a filter lets through, at most `most`, oldest first.
    pub fn list(&self, filter: &Filter, most: usize) -> Result<Vec<SaleRow>, ReadError> {
        let newest = if filter.after.is_none() { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT * FROM ({SALE}
             WHERE first_seq > ?1 AND (?2 IS NULL OR receipt = ?2) AND (?3 = 0 OR open = 1)
               AND (?4 IS NULL OR opened_at >= ?4) AND (?5 IS NULL OR opened_at < ?5)
               AND (?6 IS NULL OR EXISTS (SELECT 1 FROM card WHERE card.id BETWEEN sale.first_seq * 64 AND sale.first_seq * 64 + 63 AND card.state = ?6))
             ORDER BY first_seq {newest} LIMIT ?7) ORDER BY first_seq"
        );
        self.sales(
            &sql,
            params![
                filter.after.unwrap_or(Seq::NONE).column(),
                filter.receipt.as_ref().map(ReceiptId::as_str),
                filter.open_only,
                filter.from.map(Moment::ms),
                filter.before.map(Moment::ms),
                filter.state,
                i64::try_from(most).unwrap_or(i64::MAX),
            ],
        )
    }

    /// The sales that a name may mean: a sale's id, an order's id, a provider's order id or a receipt; oldest first.
    pub fn named(&self, name: &str) -> Result<Vec<SaleRow>, ReadError> {
        let id = Uuid::try_parse(name).map_or(Value::Null, |id| Value::Blob(id.as_bytes().to_vec()));
        let sql = format!(
            "{SALE} WHERE id = ?1 OR receipt = ?2
                 OR first_seq IN (SELECT sale FROM card WHERE order_id = ?1 OR provider_order = ?2) ORDER BY first_seq"
        );
        self.sales(&sql, params_from_iter([id, Value::Text(name.to_owned())]))
    }

    /// The entries of a subject in their order; none if there is no such subject.
    pub fn entries_of(&self, subject: Subject) -> Result<Vec<Entry>, ReadError> {
        let mut entries = Vec::new();
        read::each_entry(&self.database, subject, None, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// The entries of a subject as they stand on disk, for people and export: their heads and the part of them that
    /// holds no secret. The provider's name for a voucher, and the request that names it, are left out.
    pub fn shown(&self, subject: Subject) -> Result<Vec<EntryShown>, ReadError> {
        let mut statement = self
            .database
            .prepare_cached("SELECT seq, at, subject, kind, card, state, body FROM entry WHERE seq = ?1")?;
        let mut entries = Vec::new();
        for seq in read::numbers(&self.database, subject)? {
            entries.push(statement.query_row(params![seq.column()], |row| {
                let head = read::head(row)?;
                let body = form::shown(&head.kind, row.get(6)?);
                Ok(EntryShown { head, body })
            })?);
        }
        Ok(entries)
    }

    /// The sale as its entries make it, codes and lines gone; none if there is no such sale.
    pub fn sale_now(&self, sale: SaleId) -> Result<Option<Sale>, ReadError> {
        Ok(read::latest(&self.database, Subject::Sale(sale), None)?.map(|(sale, ..)| sale))
    }

    /// The newest `most` wrong codes that were tried, and the moments when a manager let the terminal try again; oldest first.
    pub fn wrong_codes(&self, most: usize) -> Result<Vec<WrongCode>, ReadError> {
        tries::shown(&self.database, most)
    }

    /// The wrong codes that still count, for whoever asks whether the terminal is locked.
    pub fn tries(&self, limit: Limit) -> Result<Tries, ReadError> {
        Ok(tries::counting(&self.database, limit)?)
    }

    /// The devices of which anything was ever written, as their last entries left them.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, ReadError> {
        tables::device::all(&self.database, None)
    }

    /// Walks the whole chain as it is at this moment, and every row beside it: the tables that lists and restarts are made
    /// from must say what the entries say.
    pub fn verify(&self) -> Result<Verdict, ReadError> {
        let beside =
            Self::open(self.paths.directory()).map_err(|error| ReadError::Database(error.to_string()))?;
        audit::whole(&self.database, beside.database, &self.journal)
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(crate) fn database(&self) -> &Connection {
        &self.database
    }

    /// The journal's random id.
    pub(crate) fn journal(&self) -> &[u8; 16] {
        &self.journal
    }

    /// A sale as a list shows it; none if there is no such sale.
    pub(crate) fn sale_row(&self, sale: SaleId) -> Result<Option<SaleRow>, ReadError> {
        Ok(self.sales(&format!("{SALE} WHERE id = ?1"), params![sale.uuid().as_bytes()])?.pop())
    }

    fn sales(&self, sql: &str, given: impl rusqlite::Params) -> Result<Vec<SaleRow>, ReadError> {
        let mut statement = self.database.prepare_cached(sql)?;
        let mut rows = statement.query(given)?;
        let mut sales = Vec::new();
        while let Some(row) = rows.next()? {
            sales.push(self.sale(row)?);
        }
        Ok(sales)
    }

    fn sale(&self, row: &Row<'_>) -> Result<SaleRow, ReadError> {
        let first = Seq::of_column(row.get(0)?);
        let damaged = |column| ReadError::Entry { seq: first, why: DecodeError::Column(column) };
        let id = Uuid::from_bytes(row.get(2)?);
        let currency = Currency::from_code(row.get_ref(8)?.as_str().unwrap_or_default())
            .map_err(|_| damaged("currency"))?;
        Ok(SaleRow {
            sale: SaleId::new(id),
            receipt: row.get::<_, String>(3)?.parse().map_err(|_| damaged("receipt"))?,
            provider: row.get(6)?,
            phase: row.get(5)?,
            open: row.get(4)?,
            opened: Moment::from_ms(row.get(11)?),
            closed: row.get::<_, Option<i64>>(12)?.map(Moment::from_ms),
            total: Money::new(row.get(9)?, currency),
            paid: row.get::<_, Option<i64>>(10)?.map(|minor| Money::new(minor, currency)),
            cashier: row.get(7)?,
            first,
            last: Seq::of_column(row.get(1)?),
            cards: self.cards(first, currency)?,
        })
    }

    fn cards(&self, first: Seq, currency: Currency) -> Result<Vec<CardRow>, ReadError> {
        let mut statement = self.database.prepare_cached(
            "SELECT card, order_id, provider_order, product, product_name, kind, code_tail, face_value, state, owed
             FROM card WHERE id BETWEEN ?1 * 64 AND ?1 * 64 + 63 ORDER BY id",
        )?;
        let cards = statement.query_map(params![first.column()], |row| {
            Ok(CardRow {
                card: row.get(0)?,
                order: OrderId::new(Uuid::from_bytes(row.get(1)?)),
                provider_order: row.get(2)?,
                product: row.get(3)?,
                product_name: row.get(4)?,
                kind: row.get(5)?,
                code_tail: row.get(6)?,
                face_value: Money::new(row.get(7)?, currency),
                state: row.get(8)?,
                owed: row.get(9)?,
            })
        })?;
        Ok(cards.collect::<Result<_, _>>()?)
    }
}
