//! States out of the journal: at the start, for reading what is closed, and for the answer to a repeated request.

use std::sync::Arc;

use tilld_domain::ids::SaleId;
use tilld_domain::order::Misfit;
use tilld_domain::sale::{Sale, SaleEvent};
use tilld_journal::{Entry, Journal, ReadError, Seq};

use crate::{SaleNow, StartError, blocking};

/// Why entries do not make a sale. The chain may be whole and this happen all the same: then the program is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The first entry of a sale does not open it, or there is none.
    #[error("the sale {0} has no first entry")]
    NoOpening(SaleId),
    /// An entry does not fit the state that the entries before it make.
    #[error("entry {seq:?} of the sale {sale} does not fit: {why}")]
    Misfit {
        /// Which sale.
        sale: SaleId,
        /// Which entry.
        seq: Seq,
        /// Why.
        why: Misfit,
    },
}

/// The sale after each of its entries, in order.
pub struct Fold<Entries> {
    sale: SaleId,
    entries: Entries,
    now: Option<SaleNow>,
}

impl<Entries: Iterator<Item = Entry>> Fold<Entries> {
    /// A fold over the entries of one sale.
    pub fn new(sale: SaleId, entries: Entries) -> Self {
        Self { sale, entries, now: None }
    }

    fn step(&mut self, entry: Entry) -> Result<SaleNow, ReplayError> {
        let Entry { seq, at, event, .. } = entry;
        let sale = match (self.now.take(), event) {
            (None, SaleEvent::Opened(opening)) => Sale::open(*opening, at).0,
            (None, _) => return Err(ReplayError::NoOpening(self.sale)),
            (Some(now), event) => {
                let sale = Arc::unwrap_or_clone(now.sale);
                sale.step(at, event).map_err(|why| ReplayError::Misfit { sale: self.sale, seq, why })?.0
            }
        };
        let now = SaleNow { sale: Arc::new(sale), seq, at };
        self.now = Some(now.clone());
        Ok(now)
    }
}

impl<Entries: Iterator<Item = Entry>> Iterator for Fold<Entries> {
    type Item = Result<SaleNow, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some(self.step(entry))
    }
}

/// The sale as it was at its first rest at or after an entry; none if it has not come to rest since.
pub fn first_rest(journal: &Journal, sale: SaleId, from: Seq) -> Result<Option<SaleNow>, ReplayError> {
    let entries = journal.entries_of(sale)?;
    for now in Fold::new(sale, entries.into_iter()) {
        let now = now?;
        if now.seq >= from && now.sale.at_rest() {
            return Ok(Some(now));
        }
    }
    Ok(None)
}

/// The sale as it is after its last entry.
pub fn latest(journal: &Journal, sale: SaleId) -> Result<SaleNow, ReplayError> {
    let entries = journal.entries_of(sale)?;
    Fold::new(sale, entries.into_iter()).last().unwrap_or(Err(ReplayError::NoOpening(sale)))
}

/// Every sale for which something remains to be done or decided.
pub(crate) async fn open_sales(journal: Journal) -> Result<Vec<SaleNow>, StartError> {
    blocking(move || {
        let ids = journal.open_sales()?;
        ids.into_iter().map(|sale| latest(&journal, sale).map_err(StartError::from)).collect()
    })
    .await
    .map_err(|_| StartError::Stopping)?
}
