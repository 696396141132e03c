//! Undos as the driver starts them, wakes them and tells of them; which are under way is `undoing`'s to know.

use std::time::Duration;

use tilld_domain::moment::Moment;
use tilld_journal::Event;

use super::Driver;
use crate::now::{Happening, Now, Standing, Whose};
use crate::undoing::{Doing, Woken};
use crate::{Sending, UndoNow};

/// A pause before an undo is lengthened by up to a fifth, so that many do not come at once.
const JITTER_DIVISOR: u32 = 5;

impl Driver {
    /// Starts an undo, if it is still wanted (what was repeated may have been settled in the same turn) and none of its card is
    /// under way.
    pub(super) fn undo(&mut self, now: &Now, whose: Whose, after: Duration) {
        if now.it.wants_undo(whose)
            && let Some(started) = self.undoing.begin(whose)
        {
            let after = self.pause_of_undo(whose, after);
            if let Some(work) = self.performer.undo(now, whose, after, started) {
                self.work.spawn(work);
            } else {
                tracing::error!(subject = %now.subject(), "an undo is owed to a provider that is not set up");
                self.undoing.ended(whose);
            }
        }
    }

    /// How long an undo that has begun sleeps before it is sent.
    pub(super) fn pause_of_undo(&mut self, whose: Whose, after: Duration) -> Duration {
        let clock = self.ports.clock.as_ref();
        let pause = after.saturating_add(clock.jitter(after / JITTER_DIVISOR));
        self.undoing.is_due(whose, clock.steady().saturating_add(pause));
        pause
    }

    /// Sends an undo that sleeps; none if there is none to be sent.
    pub(super) fn send(&mut self, whose: Whose) -> Option<Sending> {
        self.open.get(&whose.subject()).filter(|now| now.it.wants_undo(whose))?;
        Some(match self.undoing.wake(whose, self.ports.clock.steady())? {
            Woken::Now => Sending::Now,
            Woken::Sent => Sending::UnderWay,
            Woken::NotBefore(due) => Sending::NotBefore(self.at(due)),
        })
    }

    /// The moment of a time that nobody sets.
    fn at(&self, steady: Duration) -> Moment {
        self.now().plus(steady.saturating_sub(self.ports.clock.steady()))
    }

    /// An undo as it goes on; none if nothing is owed.
    pub(super) fn undo_now(&self, it: &Standing, whose: Whose) -> Option<UndoNow> {
        let doing = self.undoing.doing(whose);
        // Of a redemption without a name nothing can be sent: it is looked for.
        let is_sent = doing.is_some() || self.undoing.tried(whose).is_some();
        (it.wants_undo(whose) && is_sent).then(|| UndoNow {
            failures: it.failures(whose),
            last: self.undoing.tried(whose).cloned(),
            is_under_way: doing == Some(Doing::Sent),
            next: match doing {
                Some(Doing::Asleep(due)) => Some(self.at(due)),
                Some(Doing::Sent) | None => None,
            },
            not_before: self.undoing.not_before(whose, self.ports.clock.steady()).map(|until| self.at(until)),
        })
    }

    /// How an undo ended is known to the state, or no longer concerns it.
    pub(super) fn undo_ended(&mut self, happening: &Happening) {
        if let Some(whose) = happening.ends_undo() {
            self.undoing.ended(whose);
            self.remember_try(whose, &happening.event);
        }
    }

    pub(super) fn remember_try(&mut self, whose: Whose, event: &Event) {
        if self.open.get(&whose.subject()).is_some_and(|now| now.it.wants_undo(whose)) {
            self.undoing.remember(whose, self.now(), self.ports.clock.steady(), event);
        }
    }
}
