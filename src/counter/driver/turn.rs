//! What a turn stages and writes: each step on a copy, on top of those before it, all of them in one commit.
//!
//! What happened and left its sale as it was is not written: an undo that failed for the hundredth time, a start that finds
//! nothing new. What follows from it repeats an intent that is on disk.
//!
//! What is declined is told after the commit too: it may rest on a step that was only staged.
//!
//! Ways to fail:
//! - *The commit fails*: the copies are dropped, and the driver is in trouble (`trouble`).
//! - *One entry cannot be written*, the others can: its key or its receipt was taken by what was committed just before, or it
//!   cannot be sealed. The turn is done over, one step at a time; a till is declined. An event is set aside with an alarm and
//!   tried again every [`ASIDE_AGAIN`]; it does not stand in the way of other sales.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tilld_domain::ids::{OrderId, ReceiptId, RequestKey, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::Effect;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardEffect, Opening, Sale, SaleEvent};
use tilld_journal::{AppendError, Asked, Draft, Step};
use tokio::sync::oneshot;

use super::{Act, Declined, Driver, Reply, is_in_hand};
use crate::{Ports, desk, undoing};

/// How often what was set aside is tried again: whoever was called may have mended it.
const ASIDE_AGAIN: Duration = Duration::from_mins(1);

/// Something that happened to a sale and must be written.
pub(super) struct Event {
    pub(super) sale: SaleId,
    pub(super) what: SaleEvent,
}

/// Why a step is taken.
pub(super) enum Cause {
    /// A till asked, and waits.
    Asked { asked: Asked, act: Act, reply: Reply },
    /// It happened; nobody can take it back.
    Happened,
}

/// A step on a copy, to be committed.
pub(super) struct Staged {
    pub(super) at: Moment,
    pub(super) event: Event,
    pub(super) after: Arc<Sale>,
    pub(super) effects: Vec<CardEffect>,
    pub(super) cause: Cause,
}

/// What could not be written although other things could, and when it is tried again.
#[derive(Default)]
pub(super) struct Aside {
    pub(super) events: Vec<Event>,
    again: Option<Moment>,
}

impl Aside {
    /// When it is tried again; none if nothing is there.
    pub(super) fn due(&self) -> Option<Moment> {
        self.again.filter(|_| !self.events.is_empty())
    }
}

/// The steps of one turn, each on top of those before it.
#[derive(Default)]
pub(super) struct Turn {
    steps: Vec<Staged>,
    sales: HashMap<SaleId, Arc<Sale>>,
    keys: HashSet<RequestKey>,
    receipts: HashSet<ReceiptId>,
    /// What left its sale as it was, and what is to be done again because of it.
    repeats: Vec<(Event, Vec<CardEffect>)>,
    declined: Vec<(Reply, Declined)>,
    pub(super) await_rest: Vec<(SaleId, oneshot::Sender<()>)>,
}

impl Driver {
    pub(super) fn ask(&mut self, turn: &mut Turn, asked: Asked, sale: SaleId, act: Act, reply: Reply) {
        let staged = match self.may_ask(turn, &asked) {
            Ok(()) => self.decide(turn, sale, &act).map_err(Declined::Refused),
            Err(declined) => Err(declined),
        };
        match staged {
            Ok(event) => {
                turn.keys.insert(asked.key.clone());
                self.stage(turn, event, Cause::Asked { asked, act, reply });
            }
            Err(declined) => turn.declined.push((reply, declined)),
        }
    }

    pub(super) fn may_ask(&self, turn: &Turn, asked: &Asked) -> Result<(), Declined> {
        if self.stopping.is_some() {
            Err(Declined::Refused(Refusal::Stopping))
        } else if self.trouble.is_some() {
            Err(Declined::Refused(Refusal::JournalDown))
        } else if turn.keys.contains(&asked.key) {
            Err(Declined::KeyTaken)
        } else {
            Ok(())
        }
    }

    /// The event of what a till asks for, by the state that the turn has reached.
    pub(super) fn decide(&mut self, turn: &mut Turn, sale: SaleId, act: &Act) -> Result<Event, Refusal> {
        let at = self.now();
        let current = turn.sales.get(&sale).or(self.sales.get(&sale).map(|now| &now.sale));
        let what = match (act, current) {
            (Act::Open(opening), None) => {
                let Ports { provider, clock, .. } = &self.ports;
                if self.performer.line.offset.wrong(provider.as_ref(), clock.as_ref()).is_some() {
                    return Err(Refusal::ClockWrong);
                }
                self.room_for_one_more(turn)?;
                if !turn.receipts.insert(opening.receipt.clone()) {
                    return Err(Refusal::ReceiptUsed);
                }
                SaleEvent::Opened(opening.clone())
            }
            (Act::Open(_), Some(_)) => return Err(Refusal::Busy),
            (_, None) => return Err(Refusal::SaleUnknown),
            (Act::Pay(request), Some(sale)) => desk::pay(sale, at, request, self.ports.provider.as_ref())?,
            (Act::Cancel { by }, Some(sale)) => desk::cancel(sale, by.clone())?,
            (Act::Answer { card, answer, by }, Some(sale)) => desk::answer(sale, *card, *answer, by.clone())?,
            (Act::Settle { card, by, reason }, Some(now)) => {
                let settled = desk::settle(now, at, *card, by.clone(), reason)?;
                if !self.undoing.call_off(sale, *card) {
                    return Err(Refusal::StillWorking);
                }
                settled
            }
        };
        Ok(Event { sale, what })
    }

    pub(super) fn room_for_one_more(&self, turn: &Turn) -> Result<(), Refusal> {
        let in_hand = self.sales.values().filter(|now| is_in_hand(&now.sale)).count();
        if in_hand.saturating_add(turn.receipts.len()) < self.settings.most_at_once {
            Ok(())
        } else {
            Err(Refusal::Busy)
        }
    }

    /// Steps the sale on a copy. What does not fit is dropped.
    pub(super) fn stage(&mut self, turn: &mut Turn, event: Event, cause: Cause) {
        let at = self.now();
        let current = turn.sales.get(&event.sale).or(self.sales.get(&event.sale).map(|now| &now.sale));
        let stepped = match (&event.what, current) {
            (SaleEvent::Opened(opening), None) => Ok(Sale::open(Opening::clone(opening), at)),
            (_, Some(sale)) => Sale::clone(sale).step(at, event.what.clone()),
            (_, None) => return self.undo_ended(&event),
        };
        match stepped {
            Ok((after, effects))
                if matches!(cause, Cause::Happened)
                    && !turn.sales.contains_key(&event.sale)
                    && current.is_some_and(|before| **before == after) =>
            {
                turn.repeats.push((event, effects));
            }
            Ok((after, effects)) => {
                let after = Arc::new(after);
                turn.sales.insert(event.sale, Arc::clone(&after));
                turn.steps.push(Staged { at, event, after, effects, cause });
            }
            Err(why) => {
                tracing::debug!(sale = %event.sale, %why, "an event came too late or twice, and changes nothing");
                self.undo_ended(&event);
                if let Cause::Asked { reply, .. } = cause {
                    turn.declined.push((reply, Declined::Refused(Refusal::StillWorking)));
                }
            }
        }
    }

    /// Writes the turn down, acts on it, and tells who was declined.
    pub(super) fn commit(&mut self, turn: Turn) {
        let Turn { steps, repeats, declined, await_rest, .. } = turn;
        self.write(steps);
        for (event, effects) in repeats {
            // Nothing new is begun while nothing can be written.
            if self.trouble.is_some() {
                self.hold(event);
            } else {
                self.repeat(&event, effects);
            }
        }
        for (reply, declined) in declined {
            let _ = reply.send(Err(declined));
        }
        for (sale, reply) in await_rest {
            if self.sales.get(&sale).is_some_and(|now| !now.sale.at_rest()) {
                self.resting.entry(sale).or_default().push(reply);
            }
        }
    }

    /// Writes steps down in one commit, and acts on each. What cannot be written is refused, held, or set aside.
    pub(super) fn write(&mut self, mut steps: Vec<Staged>) {
        if steps.is_empty() {
            return;
        }
        let drafts: Vec<Draft> = steps.iter().map(draft).collect();
        // It blocks: this thread has nothing else to do until the entries are on disk.
        match self.ports.journal.append(&drafts) {
            Ok(seqs) => {
                for (step, seq) in steps.into_iter().zip(seqs) {
                    self.settle(step, seq);
                }
            }
            Err(error) if !is_about_one_entry(&error) => self.stumble(steps, &error),
            Err(error) => match steps.pop() {
                Some(step) if steps.is_empty() => self.reject(step, &error),
                last => {
                    steps.extend(last);
                    self.one_by_one(steps);
                }
            },
        }
    }

    /// Does the steps of a turn over, each on what is then committed.
    pub(super) fn one_by_one(&mut self, steps: Vec<Staged>) {
        for step in steps {
            let Staged { event, cause, .. } = step;
            let mut turn = Turn::default();
            match cause {
                Cause::Asked { asked, act, reply } => self.ask(&mut turn, asked, event.sale, act, reply),
                Cause::Happened if self.trouble.is_some() => self.hold(event),
                Cause::Happened => self.stage(&mut turn, event, Cause::Happened),
            }
            self.commit(turn);
        }
    }

    /// One entry cannot be written, and others can.
    pub(super) fn reject(&mut self, step: Staged, error: &AppendError) {
        match step.cause {
            Cause::Asked { reply, .. } => {
                let declined = match error {
                    AppendError::KeyTaken { .. } => Declined::KeyTaken,
                    AppendError::ReceiptTaken { .. } => Declined::Refused(Refusal::ReceiptUsed),
                    _ => Declined::Refused(Refusal::JournalDown),
                };
                let _ = reply.send(Err(declined));
                self.go_on_undoing(step.event.sale);
            }
            Cause::Happened => {
                tracing::error!(sale = %step.event.sale, %error, "what happened to a sale cannot be written: call the manufacturer");
                if !self.asks_again(&step.event) {
                    self.aside.again = Some(self.now().plus(ASIDE_AGAIN));
                    self.aside.events.push(step.event);
                }
            }
        }
    }

    /// An undo was called off with a case that could not be closed then.
    fn go_on_undoing(&mut self, sale: SaleId) {
        let Some(now) = self.sales.get(&sale).cloned() else { return };
        for (card, order) in now.sale.cards() {
            if undoing::is_wanted(order) {
                self.undo(&now, card, Duration::ZERO);
            }
        }
    }

    /// Tries to write what was set aside, each by itself.
    pub(super) fn write_aside(&mut self) {
        for event in std::mem::take(&mut self.aside.events) {
            let mut turn = Turn::default();
            self.stage(&mut turn, event, Cause::Happened);
            self.commit(turn);
        }
    }
}

fn draft(step: &Staged) -> Draft {
    let forget: Vec<OrderId> = step
        .effects
        .iter()
        .filter(|(_, effect)| matches!(effect, Effect::Forget))
        .filter_map(|(card, _)| Some(step.after.order(*card)?.facts.id))
        .collect();
    let asked = match &step.cause {
        Cause::Asked { asked, .. } => Some(asked.clone()),
        Cause::Happened => None,
    };
    let (event, after) = (step.event.what.clone(), Arc::clone(&step.after));
    Draft { at: step.at, asked, step: Step::Sale { event, after, forget } }
}

/// Whether an error is about one of the entries, so that the others can be written without it.
fn is_about_one_entry(error: &AppendError) -> bool {
    match error {
        AppendError::KeyTaken { .. }
        | AppendError::ReceiptTaken { .. }
        | AppendError::Misfit { .. }
        | AppendError::Seal => true,
        AppendError::Full | AppendError::ReadOnly | AppendError::Io(_) | AppendError::Database(_) => false,
    }
}
