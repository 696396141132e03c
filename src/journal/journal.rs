//! Being built.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tilld_domain::ids::{ReceiptId, RequestKey, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::product::Product;
use tilld_domain::sale::Sale;

use crate::entry::{AskedBefore, Draft, Entry, EntryHead, Seq};
use crate::failure::{AppendError, OpenError, ReadError, Verdict};
use crate::seal::SealKey;

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
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<()>,
}

fn soon<T>() -> Result<T, ReadError> {
    Err(ReadError::Database("being built".to_owned()))
}

impl Journal {
    /// Opens it, or makes it.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        Err(OpenError::NoJournal(settings.path.clone()))
    }
    /// Writes all drafts in one commit, or none.
    pub fn append(&self, _drafts: &[Draft]) -> Result<Vec<Seq>, AppendError> {
        Err(AppendError::Full)
    }
    /// How many appends were committed since it was opened.
    pub fn commits(&self) -> u64 {
        u64::try_from(Arc::strong_count(&self.shared)).unwrap_or(0)
    }
    /// The entries of a sale.
    pub fn entries_of(&self, _sale: SaleId) -> Result<Vec<Entry>, ReadError> {
        soon()
    }
    /// The sale as its entries make it, and its last entry; none if there is no such sale.
    pub fn sale(&self, _sale: SaleId) -> Result<Option<(Sale, Seq)>, ReadError> {
        soon()
    }
    /// The sales that are not closed, oldest first.
    pub fn open_sales(&self) -> Result<Vec<SaleId>, ReadError> {
        soon()
    }
    /// What a till's key was used for.
    pub fn asked(&self, _key: &RequestKey) -> Result<Option<AskedBefore>, ReadError> {
        soon()
    }
    /// The sale that a receipt belongs to.
    pub fn receipt_holder(&self, _receipt: &ReceiptId) -> Result<Option<SaleId>, ReadError> {
        soon()
    }
    /// The entries after one, at most so many.
    pub fn entries_after(&self, _seq: Seq, _most: usize) -> Result<Vec<EntryHead>, ReadError> {
        soon()
    }
    /// The last entry.
    pub fn last(&self) -> Result<Seq, ReadError> {
        soon()
    }
    /// Destroys the keys of closed sales that are old enough; how many.
    pub fn forget_expired(&self, _now: Moment) -> Result<usize, AppendError> {
        Err(AppendError::Full)
    }
    /// Replaces the cached products of a provider.
    pub fn replace_products(
        &self,
        _provider: &str,
        _products: &[Product],
        _at: Moment,
    ) -> Result<(), AppendError> {
        Err(AppendError::Full)
    }
    /// The cached products of a provider and when they were fetched; none and nothing if never.
    pub fn products(&self, _provider: &str) -> Result<(Vec<Product>, Option<Moment>), ReadError> {
        soon()
    }
    /// Tries whether a commit would work.
    pub fn probe_write(&self) -> Result<(), AppendError> {
        Err(AppendError::Full)
    }
    /// Walks the whole chain.
    pub fn verify(&self) -> Result<Verdict, ReadError> {
        soon()
    }
}
