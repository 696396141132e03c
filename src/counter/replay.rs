//! States out of the journal: at the start, for reading what is closed, and for the answer to a repeated request.

use std::ops::ControlFlow;
use std::sync::Arc;

use tilld_domain::ids::SaleId;
use tilld_journal::{Journal, ReadError, Seq};

use crate::SaleNow;

/// The sale as it was at its first rest at or after an entry; none if it has not come to rest since.
pub(crate) fn first_rest(journal: &Journal, sale: SaleId, from: Seq) -> Result<Option<SaleNow>, ReadError> {
    let mut found = None;
    journal.replay(sale, |sale, seq, at| {
        if seq < from || !sale.at_rest() {
            return ControlFlow::Continue(());
        }
        found = Some(SaleNow { sale: Arc::new(sale.clone()), seq, at });
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// The sale as it is after its last entry; none if there is no such sale.
pub(crate) fn latest(journal: &Journal, sale: SaleId) -> Result<Option<SaleNow>, ReadError> {
    Ok(journal.latest(sale)?.map(|(sale, seq, at)| SaleNow { sale: Arc::new(sale), seq, at }))
}
