//! Being built.

use std::path::Path;

use tilld_domain::ids::{ReceiptId, SaleId};
use tilld_domain::moment::Moment;

use crate::entry::{Entry, SaleRow, Seq};
use crate::failure::{OpenError, ReadError, Verdict};

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

/// A look into a journal that never writes, while a daemon runs or not. It needs no terminal key, so codes and lines are
/// gone in what it reads.
#[derive(Debug)]
pub struct Reader(());

impl Reader {
    /// Opens the journal of a directory.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Err(OpenError::NoJournal(path.to_owned()))
    }
    /// The sales that a filter lets through, at most so many, oldest first.
    pub fn list(&self, _filter: &Filter, _most: usize) -> Result<Vec<SaleRow>, ReadError> {
        Ok(Vec::new())
    }
    /// The sales that a name may mean: a sale's id, an order's id, a provider's order id or a receipt; oldest first.
    pub fn named(&self, _name: &str) -> Result<Vec<SaleRow>, ReadError> {
        Ok(Vec::new())
    }
    /// The entries of a sale.
    pub fn entries_of(&self, _sale: SaleId) -> Result<Vec<Entry>, ReadError> {
        Ok(Vec::new())
    }
    /// Walks the whole chain.
    pub fn verify(&self) -> Result<Verdict, ReadError> {
        Err(ReadError::Database("being built".to_owned()))
    }
}
