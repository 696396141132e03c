//! States out of the journal: at the start, for reading what is closed, for the answer to a repeated request, and for what was so when.

use std::ops::ControlFlow;
use std::sync::Arc;

use tilld_domain::ids::RedemptionId;
use tilld_domain::redemption::Redemption;
use tilld_journal::{Journal, ReadError, Seq, Subject};

use crate::now::{Now, Standing};

/// How something was at its first rest at or after an entry; none if it has not come to rest since.
pub(crate) fn first_rest(journal: &Journal, subject: Subject, from: Seq) -> Result<Option<Now>, ReadError> {
    let mut found = None;
    let mut look = |it: Standing, seq, at| {
        if seq < from || !it.at_rest() {
            return ControlFlow::Continue(());
        }
        found = Some(Now { it, seq, at });
        ControlFlow::Break(())
    };
    match subject {
        Subject::Sale(sale) => {
            journal.replay(sale, |sale, seq, at| look(Standing::Sale(Arc::new(sale.clone())), seq, at))?;
        }
        Subject::Redemption(redemption) => {
            journal.replay_redemption(redemption, |redemption, seq, at| {
                look(Standing::Redemption(Arc::new(redemption.clone())), seq, at)
            })?;
        }
        // Nobody asks for the end of a device.
        Subject::Device(_) | Subject::Day(_) => {}
    }
    Ok(found)
}

/// The first entry after which a redemption is as `fits` says; none if it never was.
pub(crate) fn first_of(
    journal: &Journal,
    redemption: RedemptionId,
    fits: impl Fn(&Redemption) -> bool,
) -> Result<Option<Seq>, ReadError> {
    let mut found = None;
    journal.replay_redemption(redemption, |redemption, seq, _| {
        if fits(redemption) {
            found = Some(seq);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// How something is after its last entry; none if there is no such thing.
pub(crate) fn now(journal: &Journal, subject: Subject) -> Result<Option<Now>, ReadError> {
    Ok(match subject {
        Subject::Sale(sale) => {
            journal.latest(sale)?.map(|(sale, seq, at)| Now { it: Standing::Sale(Arc::new(sale)), seq, at })
        }
        Subject::Redemption(redemption) => journal
            .latest_redemption(redemption)?
            .map(|(redemption, seq, at)| Now { it: Standing::Redemption(Arc::new(redemption)), seq, at }),
        Subject::Device(device) => journal.device(device)?.map(Now::from),
        // What a closed day is, its readers ask for.
        Subject::Day(_) => None,
    })
}
