//! The journal as the counter has it: open, or shut and tried again (law L10).
//!
//! What a shop is served best by when its journal cannot be opened at the start:
//!
//! | why | the daemon |
//! |---|---|
//! | a second daemon holds it | comes up, sells nothing and undoes nothing (the first one does), takes over when that one ends |
//! | read-only, I/O error, no room to open or to migrate it | comes up, sells nothing, reads and undoes what can be read |
//! | its chain is broken, an entry cannot be understood | the same: an undo that stands in entries that fit each other is owed, whatever stands elsewhere |
//! | a newer release wrote it | comes up and sells nothing; this release can read none of it |
//! | the wrong key, a file that is no journal, tables of a build that was never released | ends with a sentence: it is set up wrong, and no time mends that |
//!
//! A till that finds its counter up reads there what is wrong; one that finds nobody knows nothing. Whatever the reason,
//! opening is tried again every [`OPEN_AGAIN`], and selling goes on by itself.
//!
//! What is read while it is shut is read as `tilld journal` does: without the terminal key, so codes and lines are gone in it.
//!
//! A connection that was opened for a file that may not be written stays so when the file may be written again. So a journal
//! that is read-only at the start counts as shut, and is opened anew.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tilld_domain::ids::{BasketId, PersonName, RedemptionId, RequestKey};
use tilld_domain::moment::Moment;
use tilld_domain::product::Product;
use tilld_domain::redemption::Redemption;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use tilld_domain::voucher::tries::{Limit, Tries};
use tilld_journal::{
    AppendError, AskedBefore, DeviceRow, Draft, EntryHead, Filter, Journal, OpenError, ReadError, Reader,
    RedemptionFilter, Seq, Settings, Subject,
};

use crate::now::{Now, Standing};
use crate::replay;

/// How often a journal that is shut is tried. Opening checks its last entries, or copies all of it to migrate it.
pub(crate) const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// How many open sales of a shut journal are looked at: far more than a till ever has.
const MOST_OPEN: usize = 100_000;

/// The journal, open or shut. Cheap to clone.
#[derive(Clone)]
pub struct Book(Arc<Shared>);

struct Shared {
    journal: OnceLock<Journal>,
    /// How to open it, and why it is not; none if it was open from the start.
    shut: Option<(Settings, Mutex<Shut>)>,
}

/// Why it is not open.
#[derive(Debug, Clone)]
struct Shut {
    why: String,
    /// Somebody else works with it: what stands in it is theirs to do.
    in_use: bool,
}

/// What is open in a journal, oldest first.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) standing: Vec<Now>,
    /// The devices of which anything was ever written.
    pub(crate) devices: Vec<DeviceRow>,
    /// Why some of it cannot be read, if so.
    pub(crate) unread: Option<String>,
}

impl From<Journal> for Book {
    fn from(journal: Journal) -> Self {
        Self(Arc::new(Shared { journal: OnceLock::from(journal), shut: None }))
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Book({:?})", self.0.journal.get())
    }
}

impl Book {
    /// Opens the journal, or keeps it shut until what hinders has gone. Fails only where it is set up wrong.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        match open(&settings) {
            Ok(journal) => Ok(journal.into()),
            Err(Hindered::Open(error)) if is_set_up_wrong(&error) => Err(error),
            Err(hindered) => {
                let shut = Mutex::new(hindered.shut());
                Ok(Self(Arc::new(Shared { journal: OnceLock::new(), shut: Some((settings, shut)) })))
            }
        }
    }

    /// Why it is shut, and what to do next; none if it is open.
    pub fn shut_because(&self) -> Option<String> {
        if self.is_open() { None } else { self.shut().map(|shut| shut.why) }
    }

    /// Whether another daemon holds it.
    pub fn is_in_use(&self) -> bool {
        !self.is_open() && self.shut().is_some_and(|shut| shut.in_use)
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        let shut = self.0.shut.as_ref().map(|(settings, _)| settings.path.as_path());
        self.0.journal.get().map(Journal::directory).or(shut)
    }

    /// A look into it that writes nothing, open or shut.
    pub(crate) fn reader(&self) -> Result<Reader, ReadError> {
        let folder = self.folder().ok_or_else(|| ReadError::Database(NOT_OPEN.to_owned()))?;
        Reader::open(folder).map_err(|error| ReadError::Database(error.to_string()))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.journal.get().is_some()
    }

    fn shut(&self) -> Option<Shut> {
        let (_, shut) = self.0.shut.as_ref()?;
        Some(shut.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Opens it, unless it is open; else why not.
    pub(crate) fn open_now(&self) -> Result<(), String> {
        if self.is_open() {
            return Ok(());
        }
        let Some((settings, shut)) = &self.0.shut else { return Ok(()) };
        match open(settings) {
            // Nobody else opens it: the driver alone asks.
            Ok(journal) => {
                let _ = self.0.journal.set(journal);
                Ok(())
            }
            Err(hindered) => {
                let now = hindered.shut();
                let why = now.why.clone();
                *shut.lock().unwrap_or_else(PoisonError::into_inner) = now;
                Err(why)
            }
        }
    }

    /// Writes all drafts in one commit, or none.
    pub(crate) fn append(&self, drafts: &[Draft]) -> Result<Vec<Seq>, AppendError> {
        self.writing()?.append(drafts)
    }

    /// Tries whether a commit would work now.
    pub(crate) fn probe(&self) -> Result<(), AppendError> {
        self.writing()?.probe_write()
    }

    pub(crate) fn forget_expired(&self, now: Moment) -> Result<usize, AppendError> {
        self.writing()?.forget_expired(now)
    }

    /// Whether no key that was destroyed stands in the journal's log any more.
    pub(crate) fn wipe_log(&self) -> Result<bool, AppendError> {
        self.writing()?.wipe_log()
    }

    /// What stands for a secret where the secret itself must not; none while the journal is shut.
    pub(crate) fn fingerprint(&self, secret: &Secret) -> Option<[u8; 32]> {
        self.0.journal.get()?.fingerprint(secret).ok()
    }

    pub(crate) fn replace_products(
        &self,
        provider: &str,
        products: &[Product],
        at: Moment,
    ) -> Result<(), AppendError> {
        self.writing()?.replace_products(provider, products, at)
    }

    pub(crate) fn products(&self, provider: &str) -> Result<(Vec<Product>, Option<Moment>), ReadError> {
        self.reading()?.products(provider)
    }

    pub(crate) fn asked(&self, key: &RequestKey) -> Result<Option<AskedBefore>, ReadError> {
        self.reading()?.asked(key)
    }

    pub(crate) fn entries_after(&self, seq: Seq, most: usize) -> Result<Vec<EntryHead>, ReadError> {
        self.reading()?.entries_after(seq, most)
    }

    pub(crate) fn last(&self) -> Result<Seq, ReadError> {
        self.reading()?.last()
    }

    /// When the last entry was written; none if there is none.
    pub(crate) fn last_written(&self) -> Result<Option<Moment>, ReadError> {
        let before = Seq::new(self.last()?.number().saturating_sub(1));
        Ok(self.entries_after(before, 1)?.last().map(|entry| entry.at))
    }

    /// The redemptions of a basket, at most the newest `most`.
    pub(crate) fn redemptions_of(
        &self,
        basket: &BasketId,
        most: usize,
    ) -> Result<Vec<RedemptionId>, ReadError> {
        self.reading()?.redemptions_of(basket, most)
    }

    /// Those that count for it, or may, for the driver, which writes them.
    pub(crate) fn counting_redemptions_of(
        &self,
        basket: &BasketId,
        most: usize,
    ) -> Result<Vec<RedemptionId>, ReadError> {
        self.reading()?.counting_redemptions_of(basket, most)
    }

    pub(crate) fn note_wrong_code(
        &self,
        code: &VoucherCode,
        at: Moment,
        by: Option<&PersonName>,
    ) -> Result<(), AppendError> {
        self.writing()?.note_wrong_code(code, at, by)
    }

    pub(crate) fn unlock_tries(&self, at: Moment, by: &PersonName) -> Result<(), AppendError> {
        self.writing()?.unlock_tries(at, by)
    }

    pub(crate) fn tries(&self, limit: Limit) -> Result<Tries, ReadError> {
        self.reading()?.tries(limit)
    }

    pub(crate) fn first_rest(&self, subject: Subject, from: Seq) -> Result<Option<Now>, ReadError> {
        replay::first_rest(self.reading()?, subject, from)
    }

    pub(crate) fn first_of(
        &self,
        redemption: RedemptionId,
        fits: impl Fn(&Redemption) -> bool,
    ) -> Result<Option<Seq>, ReadError> {
        replay::first_of(self.reading()?, redemption, fits)
    }

    /// How something is after its last entry, also while the journal is shut; none if there is no such thing.
    pub(crate) fn now(&self, subject: Subject) -> Result<Option<Now>, ReadError> {
        match self.0.journal.get() {
            Some(journal) => replay::now(journal, subject),
            None => now_of(&self.reader()?, subject),
        }
    }

    /// Everything for which something remains to be done or decided, as far as it can be read.
    pub(crate) fn left_open(&self) -> Open {
        let mut open = Open::default();
        if self.is_in_use() {
            return open;
        }
        if let Err(error) = self.collect(&mut open) {
            open.unread = Some(format!("{error}. {CALL}"));
        }
        open
    }

    /// The devices of which anything was ever written, also while the journal is shut.
    pub(crate) fn devices(&self) -> Result<Vec<DeviceRow>, ReadError> {
        match self.0.journal.get() {
            Some(journal) => journal.devices(),
            None => self.reader()?.devices(),
        }
    }

    fn collect(&self, open: &mut Open) -> Result<(), ReadError> {
        let mut take = |now: Result<Option<Now>, ReadError>| match now {
            Ok(now) => open.standing.extend(now),
            Err(error) => {
                tracing::error!(%error, "something open cannot be read");
                open.unread.get_or_insert_with(|| format!("{error}. {CALL}"));
            }
        };
        if let Some(journal) = self.0.journal.get() {
            open.devices = or_none(journal.devices());
            for sale in journal.open_sales()? {
                take(replay::now(journal, Subject::Sale(sale)));
            }
            for redemption in journal.open_redemptions()? {
                take(replay::now(journal, Subject::Redemption(redemption)));
            }
        } else {
            let reader = self.reader()?;
            open.devices = or_none(reader.devices());
            let sales = reader.list(&Filter { open_only: true, ..Filter::default() }, MOST_OPEN)?;
            for row in sales {
                take(now_of(&reader, Subject::Sale(row.sale)));
            }
            let filter = RedemptionFilter { open_only: true, ..RedemptionFilter::default() };
            for row in reader.redemptions(&filter, MOST_OPEN)? {
                take(now_of(&reader, Subject::Redemption(row.redemption)));
            }
        }
        Ok(())
    }

    fn writing(&self) -> Result<&Journal, AppendError> {
        self.0.journal.get().ok_or_else(|| AppendError::Io(NOT_OPEN.to_owned()))
    }

    fn reading(&self) -> Result<&Journal, ReadError> {
        self.0.journal.get().ok_or_else(|| ReadError::Database(NOT_OPEN.to_owned()))
    }
}

const NOT_OPEN: &str = "it is not open";

/// What to do where nobody in the shop can mend it.
const CALL: &str = "Run `tilld journal verify`, keep a copy of the folder, and call the manufacturer";

/// Why opening did not lead to a journal that can be written.
enum Hindered {
    Open(OpenError),
    ReadOnly,
}

impl Hindered {
    fn shut(&self) -> Shut {
        match self {
            Self::Open(error) => {
                Shut { why: why_not_opened(error), in_use: matches!(error, OpenError::InUse(_)) }
            }
            Self::ReadOnly => Shut { why: why_not_written(&AppendError::ReadOnly), in_use: false },
        }
    }
}

fn open(settings: &Settings) -> Result<Journal, Hindered> {
    let journal = Journal::open(settings).map_err(Hindered::Open)?;
    match journal.probe_write() {
        Err(AppendError::ReadOnly) => Err(Hindered::ReadOnly),
        // What else hinders writing may go while it is open.
        Ok(()) | Err(_) => Ok(journal),
    }
}

/// Whether only who set it up can mend it.
fn is_set_up_wrong(error: &OpenError) -> bool {
    match error {
        OpenError::WrongKey
        | OpenError::NotAJournal(_)
        | OpenError::SqliteTooOld { .. }
        | OpenError::OtherMigration { .. }
        | OpenError::NoJournal(_)
        | OpenError::Older { .. } => true,
        OpenError::InUse(_)
        | OpenError::Path { .. }
        | OpenError::Newer { .. }
        | OpenError::Migration { .. }
        | OpenError::BeingRead
        | OpenError::Broken { .. }
        | OpenError::Database(_) => false,
    }
}

/// Why the journal is not open, and what to do next.
fn why_not_opened(error: &OpenError) -> String {
    let next = match error {
        // They say it themselves.
        OpenError::InUse(_) | OpenError::Newer { .. } | OpenError::BeingRead => return format!("{error}."),
        OpenError::Path { .. } => "Make it usable (is the disk there, not full, and writable?)",
        OpenError::Database(_) | OpenError::Migration { .. } => {
            "See that its disk is there, not full, and writable; if it is, keep a copy of the folder and call the manufacturer"
        }
        OpenError::Broken { .. } => CALL,
        _ => "Set it up anew",
    };
    format!("{error}. {next}; selling goes on by itself then.")
}

/// Why the journal takes no entry, and what to do next.
pub(crate) fn why_not_written(error: &AppendError) -> String {
    let next = match error {
        AppendError::Full => "Make room on its disk",
        AppendError::ReadOnly => "Make its file and file system writable",
        AppendError::Io(_) => "Have the disk and its cable looked at",
        AppendError::Database(_) => "Stop what else uses its file; if nothing does, call the manufacturer",
        AppendError::KeyTaken { .. }
        | AppendError::ReceiptTaken { .. }
        | AppendError::Misfit { .. }
        | AppendError::Seal => "Call the manufacturer",
    };
    format!("{error}. {next}; selling goes on by itself then.")
}

/// What was written about devices; nothing if it cannot be read: sales do not wait for that.
fn or_none(devices: Result<Vec<DeviceRow>, ReadError>) -> Vec<DeviceRow> {
    devices.unwrap_or_else(|error| {
        tracing::error!(%error, "what was written about the devices cannot be read");
        Vec::new()
    })
}

fn now_of(reader: &Reader, subject: Subject) -> Result<Option<Now>, ReadError> {
    let it = match subject {
        Subject::Sale(sale) => reader.sale_now(sale)?.map(|sale| Standing::Sale(Arc::new(sale))),
        Subject::Redemption(redemption) => {
            reader.redemption_now(redemption)?.map(|redemption| Standing::Redemption(Arc::new(redemption)))
        }
        Subject::Day(_) => return Ok(None),
        Subject::Device(device) => {
            return Ok(reader.devices()?.into_iter().find(|row| row.id == device).map(Now::from));
        }
    };
    let last = reader.shown(subject)?.pop().map(|entry| entry.head);
    Ok(it.zip(last).map(|(it, head)| Now { it, seq: head.seq, at: head.at }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tilld_journal::SealKey;

    use super::*;

    fn settings(path: &Path, key: u8) -> Settings {
        Settings { path: path.to_owned(), seal: SealKey::new([key; 32]), keep_codes: Settings::KEEP_CODES }
    }

    #[test]
    fn what_only_its_owner_can_mend_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        drop(Book::open(settings(folder.path(), 1)).unwrap());
        assert!(matches!(Book::open(settings(folder.path(), 2)), Err(OpenError::WrongKey)));
        assert!(Book::open(settings(folder.path(), 1)).unwrap().is_open());
    }

    #[test]
    fn a_journal_that_another_holds_is_shut_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let holder = Book::open(settings(folder.path(), 1)).unwrap();
        assert_eq!((holder.is_open(), holder.is_in_use(), holder.shut_because()), (true, false, None));
        assert_eq!(holder.open_now(), Ok(()));

        let book = Book::open(settings(folder.path(), 1)).unwrap();
        let why = book.shut_because().unwrap();
        assert!(why.contains("is in use by another tilld; stop that one first"), "{why}");
        assert_eq!((book.is_open(), book.is_in_use()), (false, true));
        assert_eq!(book.open_now(), Err(why));
        assert!(book.append(&[]).is_err() && book.probe().is_err() && book.wipe_log().is_err());

        drop(holder);
        assert_eq!(book.open_now(), Ok(()));
        assert_eq!((book.is_open(), book.is_in_use(), book.shut_because()), (true, false, None));
        assert_eq!((book.append(&[]), book.probe(), book.wipe_log()), (Ok(Vec::new()), Ok(()), Ok(true)));
    }

    #[test]
    fn every_hindrance_says_what_to_do_next() {
        let path = std::path::PathBuf::from("journal");
        let io = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        for (error, next) in [
            (OpenError::InUse(path.clone()), "stop that one first, or give this one a directory of its own."),
            (OpenError::Newer { found: 9, known: 1 }, "install that release again."),
            (OpenError::BeingRead, "stop that one first."),
            (
                OpenError::Path { what: "directory", path, why: io },
                "Make it usable (is the disk there, not full, and writable?); selling goes on by itself then.",
            ),
            (
                OpenError::Database("disk I/O error".to_owned()),
                "keep a copy of the folder and call the manufacturer; selling goes on by itself then.",
            ),
            (
                OpenError::Migration { version: 2, why: "no room".to_owned() },
                "keep a copy of the folder and call the manufacturer; selling goes on by itself then.",
            ),
        ] {
            let why = why_not_opened(&error);
            assert!(why.starts_with(&error.to_string()) && why.ends_with(next), "{why}");
        }
        for (error, next) in [
            (AppendError::Full, "Make room on its disk"),
            (AppendError::ReadOnly, "Make its file and file system writable"),
            (AppendError::Io("EIO".to_owned()), "Have the disk and its cable looked at"),
            (
                AppendError::Database("locked".to_owned()),
                "Stop what else uses its file; if nothing does, call the manufacturer",
            ),
            (AppendError::Seal, "Call the manufacturer"),
        ] {
            assert_eq!(why_not_written(&error), format!("{error}. {next}; selling goes on by itself then."));
        }
    }
}
