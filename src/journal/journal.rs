//! The journal's door: opening it, writing to it, asking it.
//!
//! One connection writes, behind a lock; another one reads beside it and is never in its way, because a write-ahead
//! log shows a reader the last commit. What the driver must know right before it writes is read by the one that
//! writes. A lock on a file of its own keeps a second daemon out; it goes with the process, however that ends.
//!
//! Opening checks what must hold before anything is sold (law L10): the SQLite version, the tables' version, that the
//! terminal key fits, the links of the last [`CHECKED`] entries, and what the tables say of them. `tilld journal
//! verify` walks them all.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, FileControl, MAIN_DB, OpenFlags, OptionalExtension, params};
use tilld_domain::ids::{BasketId, DeviceId, PersonName, ReceiptId, RedemptionId, RequestKey, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::product::Product;
use tilld_domain::redemption::Redemption;
use tilld_domain::sale::Sale;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use tilld_domain::voucher::tries::{Limit, Tries};
use uuid::Uuid;

use crate::append::Writer;
use crate::audit;
use crate::chain::Head;
use crate::entry::{AskedBefore, DeviceRow, Draft, Entry, EntryHead, Seq, Subject};
use crate::failure::{AppendError, OpenError, ReadError, Verdict};
use crate::form;
use crate::read;
use crate::reader::Reader;
use crate::schema::{self, Found, Paths, SCRIPTS, Script, database_error};
use crate::seal::{SealKey, Terminal};
use crate::tables;
use crate::tries::{self, Tried};

/// The first SQLite without the known errors of the write-ahead log (3.51.3).
const LEAST_SQLITE: i32 = 3_051_003;

/// How many of the last entries are verified at every start: a week of a busy till, in a few milliseconds.
const CHECKED: u64 = 1_000;

/// The size of a page in bytes. An entry touches about six of them, and each goes into the log as a whole: with pages
/// of 2 KiB an append takes a twentieth longer, with pages of 4 KiB a tenth.
const PAGE: i64 = 1_024;

/// After how many pages the write-ahead log is moved into the database: 8 MiB, some 250 sales. The commit that does it takes
/// several ms longer, so it should be rare; a longer log takes longer to read at the start.
const CHECKPOINT_PAGES: i64 = 8_192;

/// What is kept of the log's file for the next round, in bytes: overwriting is faster than growing.
const LOG_KEPT: i64 = 16 * 1024 * 1024;

/// Where the journal is and how it seals.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its directory; made with mode 0700 if it is not there.
    pub path: PathBuf,
    /// The terminal key.
    pub seal: SealKey,
    /// For how long the codes and lines of a closed sale are kept (default [`Settings::KEEP_CODES`]).
    pub keep_codes: Duration,
}

impl Settings {
    /// As long as a slip may have to be printed again (DESIGN chapter 6).
    pub const KEEP_CODES: Duration = Duration::from_hours(24);
}

/// The journal of a terminal. Every call blocks; clones share one journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    reader: Mutex<Connection>,
    /// Closed after the reader: the last connection empties the log.
    writer: Mutex<Writer>,
    terminal: Terminal,
    keep_codes: Duration,
    commits: AtomicU64,
    paths: Paths,
    /// Held for as long as the journal is open.
    _lock: Lock,
}

impl fmt::Debug for Journal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Journal({})", self.shared.paths.directory().display())
    }
}

impl Journal {
    /// Whether there is one in a directory, whole or not.
    pub fn exists(directory: &Path) -> bool {
        Paths::new(directory).database().exists()
    }

    /// Opens it, or makes it.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        Self::open_with(settings, SCRIPTS)
    }

    pub(crate) fn open_with(settings: &Settings, scripts: &[Script]) -> Result<Self, OpenError> {
        if rusqlite::version_number() < LEAST_SQLITE {
            return Err(OpenError::SqliteTooOld { found: rusqlite::version() });
        }
        let paths = Paths::new(&settings.path);
        paths.make_directory()?;
        let lock = take_lock(&paths)?;
        paths.discard_copy()?;
        paths.make_file(&paths.database())?;
        let mut writer = open_current(&paths, scripts)?;
        prepare(&writer).map_err(|error| database_error(&error))?;
        if schema::look(&writer, &paths)? == Found::Empty {
            make(&mut writer, &settings.seal, scripts)?;
        }
        schema::check_scripts(&writer, scripts)?;
        let terminal = check_key(&writer, &settings.seal)?;
        check_chain(&writer, terminal.journal())?;
        let reader = schema::connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Self {
            shared: Arc::new(Shared {
                writer: Mutex::new(Writer::new(writer)),
                reader: Mutex::new(reader),
                terminal,
                keep_codes: settings.keep_codes,
                commits: AtomicU64::new(0),
                paths,
                _lock: lock,
            }),
        })
    }

    /// Writes all drafts in their order, in one commit, or none of them. When it returns they are on the disk.
    pub fn append(&self, drafts: &[Draft]) -> Result<Vec<Seq>, AppendError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let written = self.writer().append(&self.shared.terminal, drafts)?;
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        Ok(written)
    }

    /// How many appends were committed since it was opened.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// The entries of a subject in their order, with the secrets whose key still exists; none if there is no such subject.
    pub fn entries_of(&self, subject: Subject) -> Result<Vec<Entry>, ReadError> {
        let mut entries = Vec::new();
        read::each_entry(&self.reader(), subject, Some(&self.shared.terminal), |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// Shows a sale after each of its entries, with the number and the moment of the entry, until `with` has seen enough.
    /// Entries are read one after another: an undo that was owed for months has thousands.
    pub fn replay(
        &self,
        sale: SaleId,
        with: impl FnMut(&Sale, Seq, Moment) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        read::replay(&self.reader(), Subject::Sale(sale), Some(&self.shared.terminal), with)
    }

    /// The same for a redemption.
    pub fn replay_redemption(
        &self,
        redemption: RedemptionId,
        with: impl FnMut(&Redemption, Seq, Moment) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        read::replay(&self.reader(), Subject::Redemption(redemption), Some(&self.shared.terminal), with)
    }

    /// A sale after its last entry, with the number and the moment of that; none if there is no such sale.
    pub fn latest(&self, sale: SaleId) -> Result<Option<(Sale, Seq, Moment)>, ReadError> {
        read::latest(&self.reader(), Subject::Sale(sale), Some(&self.shared.terminal))
    }

    /// The same for a redemption.
    pub fn latest_redemption(
        &self,
        redemption: RedemptionId,
    ) -> Result<Option<(Redemption, Seq, Moment)>, ReadError> {
        read::latest(&self.reader(), Subject::Redemption(redemption), Some(&self.shared.terminal))
    }

    /// The sales that are not closed, oldest first. It costs what they are, however many others there were.
    pub fn open_sales(&self) -> Result<Vec<SaleId>, ReadError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached("SELECT id FROM sale WHERE open = 1 ORDER BY first_seq")?;
        let sales = statement.query_map([], |row| Ok(SaleId::new(Uuid::from_bytes(row.get(0)?))))?;
        Ok(sales.collect::<Result<_, _>>()?)
    }

    /// The redemptions that are not closed, oldest first. It costs what they are, however many others there were.
    pub fn open_redemptions(&self) -> Result<Vec<RedemptionId>, ReadError> {
        let reader = self.reader();
        let mut statement =
            reader.prepare_cached("SELECT id FROM redemption WHERE open = 1 ORDER BY first_seq")?;
        let redemptions =
            statement.query_map([], |row| Ok(RedemptionId::new(Uuid::from_bytes(row.get(0)?))))?;
        Ok(redemptions.collect::<Result<_, _>>()?)
    }

    /// The newest `most` redemptions of a basket, oldest first.
    pub fn redemptions_of(&self, basket: &BasketId, most: usize) -> Result<Vec<RedemptionId>, ReadError> {
        Ok(tables::redemption::of_basket(&self.reader(), basket, most)?)
    }

    /// Those of a basket that count for it, or may, for whoever writes, oldest first. It is read by the writing connection, which has
    /// its pages at hand; the other one reads all that it needs anew after every commit. It waits for an append that is under way.
    pub fn counting_redemptions_of(
        &self,
        basket: &BasketId,
        most: usize,
    ) -> Result<Vec<RedemptionId>, ReadError> {
        Ok(tables::redemption::counting_of_basket(self.writer().database(), basket, most)?)
    }

    /// The devices of which anything was ever written, as their last entries left them.
    pub fn devices(&self) -> Result<Vec<DeviceRow>, ReadError> {
        tables::device::all(&self.reader(), None)
    }

    /// One of them; none if nothing was ever written about it.
    pub fn device(&self, device: DeviceId) -> Result<Option<DeviceRow>, ReadError> {
        Ok(tables::device::all(&self.reader(), Some(device))?.pop())
    }

    /// What a till's key was used for; none if it never was.
    pub fn asked(&self, key: &RequestKey) -> Result<Option<AskedBefore>, ReadError> {
        let reader = self.reader();
        let mut statement = reader
            .prepare_cached("SELECT request_digest, kind, subject, seq FROM entry WHERE request_key = ?1")?;
        let before = statement.query_row(params![key.as_str()], |row| {
            Ok(AskedBefore {
                digest: row.get(0)?,
                subject: form::subject(&row.get::<_, String>(1)?, Uuid::from_bytes(row.get(2)?)),
                seq: Seq::of_column(row.get(3)?),
            })
        });
        Ok(before.optional()?)
    }

    /// The sale that a receipt belongs to ([`Sale::holds_its_receipt`]).
    pub fn receipt_holder(&self, receipt: &ReceiptId) -> Result<Option<SaleId>, ReadError> {
        let reader = self.reader();
        let mut statement =
            reader.prepare_cached("SELECT id FROM sale WHERE receipt = ?1 AND holds_receipt = 1")?;
        let holder = statement
            .query_row(params![receipt.as_str()], |row| Ok(SaleId::new(Uuid::from_bytes(row.get(0)?))));
        Ok(holder.optional()?)
    }

    /// What happened after an entry, at most `most` of it, in its order.
    pub fn entries_after(&self, seq: Seq, most: usize) -> Result<Vec<EntryHead>, ReadError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(
            "SELECT seq, at, subject, kind, card, state FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let heads = statement.query_map(params![seq.column(), most], read::head)?;
        Ok(heads.collect::<Result<_, _>>()?)
    }

    /// The last entry; [`Seq::NONE`] in a new journal.
    pub fn last(&self) -> Result<Seq, ReadError> {
        Ok(Head::read(&self.reader(), self.shared.terminal.journal())?.seq)
    }

    /// Destroys the keys of cards that have been closed for longer than codes are kept, and of redemptions that are closed at
    /// all, and wipes their traces; how many. To be called now and then, also if nothing was sold: it empties the log of keys that were forgotten with
    /// an entry.
    pub fn forget_expired(&self, now: Moment) -> Result<usize, AppendError> {
        let kept_ms = i64::try_from(self.shared.keep_codes.as_millis()).unwrap_or(i64::MAX);
        self.writer().forget(Moment::from_ms(now.ms().saturating_sub(kept_ms)))
    }

    /// Empties the log if a key that was destroyed may still stand in it. Whether none stands there now: a reader may be in the way.
    pub fn wipe_log(&self) -> Result<bool, AppendError> {
        self.writer().wipe_log()
    }

    /// What stands for a secret in the digest of a request: its HMAC-SHA256 under a key that is derived from the terminal key, so
    /// that whoever has the file alone cannot try what it was.
    pub fn fingerprint(&self, secret: &Secret) -> Result<[u8; 32], AppendError> {
        Ok(tries::fingerprint(&self.shared.terminal, secret)?)
    }

    /// Notes that a wrong code was tried: a code that no provider knew. Of the code an HMAC is kept and nothing else; it is no
    /// part of the chain.
    pub fn note_wrong_code(
        &self,
        code: &VoucherCode,
        at: Moment,
        by: Option<&PersonName>,
    ) -> Result<(), AppendError> {
        let mac = tries::mac(&self.shared.terminal, code)?;
        self.writer().note_try(&Tried { at, by, mac: Some(mac) })
    }

    /// Notes that a manager lets the terminal try codes again.
    pub fn unlock_tries(&self, at: Moment, by: &PersonName) -> Result<(), AppendError> {
        self.writer().note_try(&Tried { at, by: Some(by), mac: None })
    }

    /// The wrong codes that may still count: those that were noted since a manager last let the terminal try again.
    pub fn tries(&self, limit: Limit) -> Result<Tries, ReadError> {
        Ok(tries::counting(&self.reader(), limit)?)
    }

    /// Replaces the cached products of a provider. They are a cache, and no part of the chain.
    pub fn replace_products(
        &self,
        provider: &str,
        products: &[Product],
        at: Moment,
    ) -> Result<(), AppendError> {
        self.writer().replace_products(provider, products, at)
    }

    /// The cached products of a provider and when they were fetched; none and nothing if they never were.
    pub fn products(&self, provider: &str) -> Result<(Vec<Product>, Option<Moment>), ReadError> {
        let reader = self.reader();
        let list = reader
            .prepare_cached("SELECT body, at FROM product_list WHERE provider = ?1")?
            .query_row(params![provider], |row| Ok((row.get::<_, String>(0)?, Moment::from_ms(row.get(1)?))))
            .optional()?;
        match list {
            Some((body, at)) => Ok((form::decode_products(&body).map_err(ReadError::Products)?, Some(at))),
            None => Ok((Vec::new(), None)),
        }
    }

    /// Tries whether a commit would work now, by one.
    pub fn probe_write(&self) -> Result<(), AppendError> {
        self.writer().probe()
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        self.shared.paths.directory()
    }

    /// Walks the whole chain, beside all that goes on.
    pub fn verify(&self) -> Result<Verdict, ReadError> {
        let reader = Reader::open(self.shared.paths.directory())
            .map_err(|error| ReadError::Database(error.to_string()))?;
        reader.verify()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A thread that panicked has rolled back: there is nothing half-done behind the lock.
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.shared.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lock that keeps a second daemon out. It is given up by word: a program that is being started at that moment holds a
/// copy of the open file until it runs, and closing ours alone would leave the lock with it.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // If it cannot be given up, closing the file does.
        self.0.unlock().ok();
    }
}

fn take_lock(paths: &Paths) -> Result<Lock, OpenError> {
    let path = paths.lock();
    let opened = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path);
    let lock = opened.map_err(|why| OpenError::Path { what: "lock", path: path.clone(), why })?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(paths.directory().to_owned())),
        Err(TryLockError::Error(why)) => Err(OpenError::Path { what: "lock", path, why }),
    }
}

/// A connection to a database that is empty or of the latest version; an older one is migrated first.
fn open_current(paths: &Paths, scripts: &[Script]) -> Result<Connection, OpenError> {
    let known = schema::newest(scripts);
    let database = schema::connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match schema::look(&database, paths)? {
        Found::Version(found) if found > known => Err(OpenError::Newer { found, known }),
        Found::Version(found) if found < known => {
            drop(database);
            schema::migrate(paths, scripts, found)?;
            schema::connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        Found::Version(_) | Found::Empty => Ok(database),
    }
}

/// How the writer writes: durable at every commit, nothing that was removed left readable.
fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.pragma_update(None, "page_size", PAGE)?;
    database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "secure_delete", true)?;
    database.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    database.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
    // A reader that may not write into the directory needs the log's files to be there.
    let mut keep = 1;
    database.file_control(Some(MAIN_DB), FileControl::PersistWal(&mut keep))
}

/// Makes a new journal.
fn make(database: &mut Connection, key: &SealKey, scripts: &[Script]) -> Result<(), OpenError> {
    let mut journal = [0_u8; 16];
    getrandom::fill(&mut journal)
        .map_err(|_| OpenError::Database("this machine gives no random numbers".to_owned()))?;
    let check = Terminal::new(key.clone(), journal).make_check().map_err(|_| OpenError::WrongKey)?;
    schema::create(database, scripts, |database| {
        let mut statement = database
            .prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")
            .map_err(|error| database_error(&error))?;
        for (name, value) in [("journal", journal.as_slice()), ("key_check", &check)] {
            statement.execute(params![name, value]).map_err(|error| database_error(&error))?;
        }
        Ok(())
    })
}

fn check_key(database: &Connection, key: &SealKey) -> Result<Terminal, OpenError> {
    let read = |name: &str| {
        database.query_row("SELECT value FROM meta WHERE name = ?1", params![name], |row| row.get(0))
    };
    let check: Vec<u8> = read("key_check").map_err(|error| database_error(&error))?;
    let journal = read::journal_id(database).map_err(|error| OpenError::Database(error.to_string()))?;
    let terminal = Terminal::new(key.clone(), journal);
    if terminal.fits(&check) { Ok(terminal) } else { Err(OpenError::WrongKey) }
}

fn check_chain(database: &Connection, journal: &[u8; 16]) -> Result<(), OpenError> {
    let verdict = audit::last(database, journal, CHECKED);
    match verdict.map_err(|error| OpenError::Database(error.to_string()))? {
        Verdict::Whole { .. } => Ok(()),
        Verdict::Broken { seq, why } => Err(OpenError::Broken { seq, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Paths, take_lock};

    #[test]
    fn the_lock_is_free_at_once_even_if_a_program_that_is_being_started_has_a_copy_of_it() {
        let directory = tempfile::TempDir::new().unwrap();
        let paths = Paths::new(directory.path());
        let lock = take_lock(&paths).unwrap();
        let copy = lock.0.try_clone().unwrap();
        assert!(take_lock(&paths).is_err());
        drop(lock);
        assert!(take_lock(&paths).is_ok());
        drop(copy);
    }
}
