//! Which undos are under way: at most one of a card or a redemption at any time.
//!
//! ```text
//!  begin ──► asleep ──► sent ──► ended (its answer is written, or needs not be)
//!              └──► called off: the case was closed; it is never sent
//! ```
//!
//! A case that is closed while its undo is on the wire could end "settled as lost" and "given back" at once. So an undo that
//! sleeps in its pause is called off with the case, and one that was sent is waited for: until its call has ended the case
//! cannot be closed.
//!
//! While the journal takes entries this only keeps an undo from being sent twice. While it does not (law L10), an undo that
//! is owed on disk goes on: its intent is written, so law L1 holds. What comes back is then judged here by the same machine,
//! on a copy that is never written:
//! - *Ask again* (no connection, no answer, "not now", still processing, not found): it is asked again after the pause that the
//!   machine names. The back-off is kept in memory, one task a card; nothing of it is written later.
//! - *Anything else* ends it: the answer is held, and written when the journal takes entries again. Until then the card is asked
//!   about no more.
//!
//! So no state is invented: what the journal says of the card afterwards follows from what is written then, and "not found"
//! begins its quiet time (law L6) with the first one that is written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tilld_domain::moment::Moment;
use tilld_journal::Event;

use crate::now::{Deed, Standing, Whose};

const ASLEEP: u8 = 0;
const SENT: u8 = 1;
const CALLED_OFF: u8 = 2;

/// An undo that was started, as the one who sends it and the one who may call it off both hold it.
#[derive(Clone, Default)]
pub(crate) struct Started(Arc<AtomicU8>);

impl Started {
    /// Its pause is over: whether it may be sent.
    pub(crate) fn may_be_sent(&self) -> bool {
        self.leave_sleep(SENT)
    }

    fn call_off(&self) -> bool {
        self.leave_sleep(CALLED_OFF)
    }

    fn leave_sleep(&self, to: u8) -> bool {
        self.0.compare_exchange(ASLEEP, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// An undo that is on its way, or has an answer that is not written yet.
#[derive(Default)]
struct UnderWay {
    started: Started,
    /// How it would stand, if anything has come back that was not written.
    copy: Option<Standing>,
}

/// The cards and redemptions whose undo is under way.
#[derive(Default)]
pub(crate) struct Undoing(HashMap<Whose, UnderWay>);

impl Undoing {
    /// An undo is to be sent; none if one is under way.
    pub(crate) fn begin(&mut self, whose: Whose) -> Option<Started> {
        match self.0.entry(whose) {
            Entry::Occupied(_) => None,
            Entry::Vacant(place) => Some(place.insert(UnderWay::default()).started.clone()),
        }
    }

    /// How one ended is written, or needs not be.
    pub(crate) fn ended(&mut self, whose: Whose) {
        self.0.remove(&whose);
    }

    /// No undo is to be sent any more; false if one has been sent and its answer is not written.
    pub(crate) fn call_off(&mut self, whose: Whose) -> bool {
        match self.0.entry(whose) {
            Entry::Vacant(_) => true,
            Entry::Occupied(place) if place.get().started.call_off() => {
                place.remove();
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// An undo ended, and that cannot be written now: after which pause to ask again, if to ask again. `on_disk`: how it
    /// stands in the journal.
    pub(crate) fn again(
        &mut self,
        on_disk: &Standing,
        whose: Whose,
        at: Moment,
        event: &Event,
    ) -> Option<(Duration, Started)> {
        if !on_disk.owed().contains(&whose) {
            return None;
        }
        let under_way = self.0.entry(whose).or_default();
        let copy = under_way.copy.take().unwrap_or_else(|| on_disk.clone());
        let (after, deeds) = copy.step(at, event).ok()?;
        match deeds.as_slice() {
            [Deed::Undo(of, pause)] if *of == whose && after.owed().contains(&whose) => {
                *under_way = UnderWay { started: Started::default(), copy: Some(after) };
                Some((*pause, under_way.started.clone()))
            }
            _ => None,
        }
    }
}
