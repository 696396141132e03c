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
//! A manager may have an undo sent now that sleeps in its pause. It is the same one, woken: there is never a second one, nothing is
//! written of it, and a pause that the provider itself has asked for is not cut short.
//!
//! So no state is invented: what the journal says of the card afterwards follows from what is written then, and "not found"
//! begins its quiet time (law L6) with the first one that is written.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tilld_domain::moment::Moment;
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::Outcome;
use tilld_domain::redemption::RedemptionEvent;
use tilld_domain::sale::SaleEvent;
use tilld_journal::{Event, RedemptionStep};
use tokio::sync::Notify;

use crate::now::{Deed, Standing, Whose};
use crate::told::Tried;

const ASLEEP: u8 = 0;
const SENT: u8 = 1;
const CALLED_OFF: u8 = 2;

/// An undo that was started, as the one who sends it and the one who may call it off both hold it.
#[derive(Clone, Default)]
pub(crate) struct Started(Arc<Sleep>);

#[derive(Default)]
struct Sleep {
    state: AtomicU8,
    woken: Notify,
}

impl Started {
    /// Returns when the pause is over, or when it is not to be waited for any more.
    pub(crate) async fn sleep(&self, pause: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = pause => {}
            () = self.0.woken.notified() => {}
        }
    }

    /// Its pause is over: whether it may be sent.
    pub(crate) fn may_be_sent(&self) -> bool {
        self.leave_sleep(SENT)
    }

    fn call_off(&self) -> bool {
        self.leave_sleep(CALLED_OFF)
    }

    fn leave_sleep(&self, to: u8) -> bool {
        self.0.state.compare_exchange(ASLEEP, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn is_asleep(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == ASLEEP
    }
}

/// An undo that is on its way, or has an answer that is not written yet.
#[derive(Default)]
struct UnderWay {
    started: Started,
    /// When its pause ends, by time that nobody sets.
    due: Duration,
    /// How it would stand, if anything has come back that was not written.
    copy: Option<Standing>,
}

/// What an undo is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It sleeps until then, by time that nobody sets.
    Asleep(Duration),
    /// It is on the wire, or its answer is not written yet.
    Sent,
}

/// What became of asking for an undo to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It goes.
    Now,
    /// It had gone.
    Sent,
    /// The provider has asked for a pause. It goes by itself then, by time that nobody sets.
    NotBefore(Duration),
}

/// The cards and redemptions whose undo is under way, and how the last attempt at each ended in this run.
#[derive(Default)]
pub(crate) struct Undoing {
    under_way: HashMap<Whose, UnderWay>,
    tried: HashMap<Whose, (Tried, Option<Duration>)>,
}

impl Undoing {
    /// An undo is to be sent; none if one is under way.
    pub(crate) fn begin(&mut self, whose: Whose) -> Option<Started> {
        match self.under_way.entry(whose) {
            Entry::Occupied(_) => None,
            Entry::Vacant(place) => Some(place.insert(UnderWay::default()).started.clone()),
        }
    }

    /// When the pause of one that has begun ends, by time that nobody sets.
    pub(crate) fn is_due(&mut self, whose: Whose, due: Duration) {
        if let Some(under_way) = self.under_way.get_mut(&whose) {
            under_way.due = due;
        }
    }

    /// How one ended is written, or needs not be.
    pub(crate) fn ended(&mut self, whose: Whose) {
        self.under_way.remove(&whose);
    }

    /// What is remembered of an attempt that has ended: how, and until when the provider asked not to be asked.
    pub(crate) fn remember(&mut self, whose: Whose, at: Moment, steady: Duration, event: &Event) {
        let not_before = pause_of(event).map(|pause| steady.saturating_add(pause));
        self.tried.insert(whose, (Tried { at, event: event.clone() }, not_before));
    }

    /// Nothing is remembered of what is not owed any more.
    pub(crate) fn forget(&mut self, whose: Whose) {
        self.tried.remove(&whose);
    }

    /// How the last attempt of this run ended.
    pub(crate) fn tried(&self, whose: Whose) -> Option<&Tried> {
        self.tried.get(&whose).map(|(tried, _)| tried)
    }

    /// Until when the provider asked not to be asked, by time that nobody sets; none if that is over.
    pub(crate) fn not_before(&self, whose: Whose, steady: Duration) -> Option<Duration> {
        self.tried.get(&whose).and_then(|(_, until)| *until).filter(|until| *until > steady)
    }

    /// What an undo is doing; none if there is none under way.
    pub(crate) fn doing(&self, whose: Whose) -> Option<Doing> {
        self.under_way.get(&whose).map(|under_way| {
            if under_way.started.is_asleep() { Doing::Asleep(under_way.due) } else { Doing::Sent }
        })
    }

    /// Wakes an undo that sleeps, unless the provider has asked for its pause; none if there is none under way.
    pub(crate) fn wake(&mut self, whose: Whose, steady: Duration) -> Option<Woken> {
        let not_before = self.not_before(whose, steady);
        let under_way = self.under_way.get_mut(&whose)?;
        Some(match not_before {
            _ if !under_way.started.is_asleep() => Woken::Sent,
            Some(_) => Woken::NotBefore(under_way.due),
            None => {
                under_way.due = steady;
                under_way.started.0.woken.notify_one();
                Woken::Now
            }
        })
    }

    /// No undo is to be sent any more; false if one has been sent and its answer is not written.
    pub(crate) fn call_off(&mut self, whose: Whose) -> bool {
        match self.under_way.entry(whose) {
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
        let under_way = self.under_way.entry(whose).or_default();
        let copy = under_way.copy.take().unwrap_or_else(|| on_disk.clone());
        let (after, deeds) = copy.step(at, event).ok()?;
        match deeds.as_slice() {
            [Deed::Undo(of, pause)] if *of == whose && after.owed().contains(&whose) => {
                *under_way = UnderWay { copy: Some(after), ..UnderWay::default() };
                Some((*pause, under_way.started.clone()))
            }
            _ => None,
        }
    }
}

/// The pause that a provider asks for in an answer to an undo.
fn pause_of(event: &Event) -> Option<Duration> {
    match event {
        Event::Sale(SaleEvent::Card(_, OrderEvent::UndoEnded(Outcome::Later { retry_after })))
        | Event::Redemption(RedemptionStep::Happened(RedemptionEvent::ReverseEnded(Outcome::Later {
            retry_after,
        }))) => *retry_after,
        _ => None,
    }
}
