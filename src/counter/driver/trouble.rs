//! The journal does not take entries (law L10).
//!
//! - *A commit fails*: a till is refused; what happened outside is held, nothing new is begun but the next attempt of an
//!   undo that is owed on disk (`undoing`), and every second the held events are tried again. They are stepped at the moment
//!   when they are written: a customer who has gone in the meantime gets nothing, and what was read of a voucher counts as not
//!   read. When they are written, sales go on.
//! - *The journal is shut* (`book`), or an open sale in it cannot be read: the same from the first moment on, with the open sales
//!   as far as they can be read. When it opens they are read anew and taken up as after any start.

use std::time::Duration;

use tilld_domain::moment::Moment;
use tilld_domain::refusal::Refusal;
use tilld_journal::AppendError;

use super::turn::{Cause, Staged, Turn};
use super::{Declined, Driver, MOST_AT_A_TURN};
use crate::book::{self, OPEN_AGAIN};
use crate::now::{Deed, Happening, Now};

/// How often writing is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The journal does not take entries.
pub(super) struct Trouble {
    /// And what to do next.
    pub(super) why: String,
    /// When it is tried again.
    pub(super) again: Moment,
}

impl Driver {
    /// Sends the undos that stand in a journal which cannot be written now: their intent is on disk. Which they are is what a
    /// start would make of it: a call that may have gone out before and must not be repeated is none of them.
    pub(super) fn undo_what_is_owed(&mut self) {
        let at = self.now();
        let owed: Vec<Now> = self.open.values().filter(|now| !now.it.owed().is_empty()).cloned().collect();
        for now in owed {
            let Ok((_, deeds)) = now.it.step(at, &Happening::resumed(now.subject()).event) else { continue };
            for deed in deeds {
                if let Deed::Undo(whose, _) = deed
                    && now.it.owed().contains(&whose)
                {
                    self.undo(&now, whose, Duration::ZERO);
                }
            }
        }
    }

    /// Something happened that cannot be written now.
    pub(super) fn hold(&mut self, happening: Happening) {
        // Whether a till is there to be told, or something else begins, is seen when it can be written.
        if !happening.is_staged_with_another()
            && !self.is_seen_again(&happening)
            && !self.asks_again(&happening)
        {
            self.held.push_back(happening.held());
        }
    }

    /// Of an undo that is to be asked for again nothing needs to be written: it is asked for again.
    pub(super) fn asks_again(&mut self, happening: &Happening) -> bool {
        let Some(whose) = happening.ends_undo() else { return false };
        let Some(now) = self.open.get(&happening.subject).cloned() else { return false };
        let at = self.now();
        let Some((after, started)) = self.undoing.again(&now.it, whose, at, &happening.event) else {
            return false;
        };
        self.remember_try(whose, &happening.event);
        let after = self.pause_of_undo(whose, after);
        if let Some(work) = self.performer.undo(&now, whose, after, started) {
            self.work.spawn(work);
        }
        true
    }

    pub(super) fn be_in_trouble(&mut self, why: String) {
        let again = if self.taken_up { TRY_AGAIN } else { OPEN_AGAIN };
        self.trouble = Some(Trouble { why, again: self.now().plus(again) });
    }

    /// The journal does not take entries. Nothing is lost but the wish of a till.
    pub(super) fn stumble(&mut self, steps: Vec<Staged>, error: &AppendError) {
        if !self.healing {
            tracing::error!(%error, "the journal cannot be written: no gift cards until it can");
        }
        self.be_in_trouble(book::why_not_written(error));
        for Staged { happening, cause, .. } in steps {
            match cause {
                Cause::Asked { reply, .. } => {
                    let _ = reply.send(Err(Declined::Refused(Refusal::JournalDown)));
                    self.go_on_undoing(happening.subject);
                }
                Cause::Happened => self.hold(happening),
            }
        }
    }

    /// Whether the journal can be written again, as far as that can be told before something is written; else why not.
    pub(super) fn mended(&mut self) -> Result<(), String> {
        self.ports.journal.open_now()?;
        if !self.taken_up {
            let open = self.ports.journal.left_open();
            self.take_up(open)?;
        }
        // Also if something is held: that may turn out to need no entry.
        self.ports.journal.probe().map_err(|error| book::why_not_written(&error))
    }

    /// Tries whether writing works again, and writes down what is held.
    pub(super) fn write_held(&mut self) {
        let was_in_trouble = self.trouble.take();
        if was_in_trouble.is_some()
            && let Err(why) = self.mended()
        {
            return self.be_in_trouble(why);
        }
        self.healing = was_in_trouble.is_some();
        let mut held = std::mem::take(&mut self.held);
        while !held.is_empty() && self.trouble.is_none() {
            let mut turn = Turn::default();
            let count = held.len().min(MOST_AT_A_TURN);
            for happening in held.drain(..count) {
                self.stage(&mut turn, happening, Cause::Happened);
            }
            self.commit(turn);
        }
        self.healing = false;
        // What failed again stands before what was not tried.
        self.held.extend(held);
        if was_in_trouble.is_some() && self.trouble.is_none() {
            tracing::info!("the journal can be written again");
            let waited_for: Vec<_> = self.waiting.keys().chain(self.resting.keys()).copied().collect();
            self.offer_what_is_waited_for(waited_for);
        }
    }
}
