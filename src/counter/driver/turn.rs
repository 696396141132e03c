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

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tilld_domain::ids::{ReceiptId, RedemptionId, RequestKey};
use tilld_domain::moment::Moment;
use tilld_domain::redemption::basket::{self, Admission};
use tilld_domain::redemption::{self, Redemption, RedemptionEvent};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::SaleEvent;
use tilld_journal::{AppendError, Asked, Draft, Event, RedemptionStep, Subject};
use tokio::sync::oneshot;

use super::{Act, Declined, Driver, Reply};
use crate::now::{Deed, Happening, Now, Standing, Whose};
use crate::{Ports, desk};

/// How often what was set aside is tried again: whoever was called may have mended it.
const ASIDE_AGAIN: Duration = Duration::from_mins(1);
/// The most redemptions of one basket that are looked through: more vouchers than any guest brings.
pub(crate) const MOST_OF_A_BASKET: usize = 100;

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
    pub(super) happening: Happening,
    pub(super) after: Standing,
    pub(super) deeds: Vec<Deed>,
    pub(super) cause: Cause,
}

/// What could not be written although other things could, and when it is tried again.
#[derive(Default)]
pub(super) struct Aside {
    pub(super) happenings: Vec<Happening>,
    again: Option<Moment>,
}

impl Aside {
    /// When it is tried again; none if nothing is there.
    pub(super) fn due(&self) -> Option<Moment> {
        self.again.filter(|_| !self.happenings.is_empty())
    }
}

/// The steps of one turn, each on top of those before it.
#[derive(Default)]
pub(super) struct Turn {
    steps: Vec<Staged>,
    standing: BTreeMap<Subject, Standing>,
    keys: HashSet<RequestKey>,
    receipts: HashSet<ReceiptId>,
    /// What left everything as it was, and what is to be done again because of it.
    repeats: Vec<(Happening, Vec<Deed>)>,
    declined: Vec<(Reply, Declined)>,
    /// What was closed, and is in memory for this turn.
    taken_up: Vec<Subject>,
    pub(super) await_rest: Vec<(Subject, oneshot::Sender<()>)>,
    /// One step, and nothing that would be written because of it.
    alone: bool,
}

impl Turn {
    /// A turn for one step of another one that could not be written as a whole.
    fn alone() -> Self {
        Self { alone: true, ..Self::default() }
    }
}

/// What is to be done about a till's wish.
enum Decided {
    /// Write this.
    Write(Event),
    /// It is what another request asked for: the same answer (row B13).
    Same(RedemptionId),
}

impl Driver {
    pub(super) fn ask(&mut self, turn: &mut Turn, asked: Asked, subject: Subject, act: Act, reply: Reply) {
        let decided = match self.may_ask(turn, &asked) {
            Ok(()) => self.decide(turn, subject, &act).map_err(Declined::Refused),
            Err(declined) => Err(declined),
        };
        match decided {
            Ok(Decided::Write(event)) => {
                turn.keys.insert(asked.key.clone());
                let watching = if turn.alone { Vec::new() } else { self.who_watch(turn, subject, &act) };
                if !watching.is_empty() && self.was_asked(&asked) {
                    // Nothing begins, so nothing moves.
                    turn.declined.push((reply, Declined::KeyTaken));
                    return;
                }
                let happening = Happening { subject, event };
                self.stage(turn, happening, Cause::Asked { asked, act, reply });
                for other in watching {
                    let moved = Happening::to_redemption(other, RedemptionEvent::VoucherMoved);
                    self.stage(turn, moved, Cause::Happened);
                }
            }
            // The same request once more, or another one for the same: its key is written too, but once.
            Ok(Decided::Same(_)) if self.was_asked(&asked) => turn.declined.push((reply, Declined::KeyTaken)),
            Ok(Decided::Same(redemption)) => {
                turn.keys.insert(asked.key.clone());
                self.take_up_closed(turn, Subject::Redemption(redemption));
                let again = Happening::to_redemption(redemption, RedemptionEvent::AskedAgain);
                self.stage(turn, again, Cause::Asked { asked, act, reply });
            }
            Err(declined) => {
                turn.declined.push((reply, declined));
                self.go_on_undoing(subject);
            }
        }
    }

    /// Whether the journal knows a request; also if that cannot be read.
    fn was_asked(&self, asked: &Asked) -> bool {
        self.ports.journal.asked(&asked.key).map_or(true, |before| before.is_some())
    }

    fn may_ask(&self, turn: &Turn, asked: &Asked) -> Result<(), Declined> {
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

    /// How something stands by the steps that the turn has reached.
    fn standing<'a>(&'a self, turn: &'a Turn, subject: Subject) -> Option<&'a Standing> {
        turn.standing.get(&subject).or_else(|| self.open.get(&subject).map(|now| &now.it))
    }

    /// The open redemptions by the steps that the turn has reached.
    fn redemptions<'a>(&'a self, turn: &'a Turn) -> impl Iterator<Item = &'a Redemption> {
        let untouched = self.open.iter().filter(|(subject, _)| !turn.standing.contains_key(subject));
        let all = turn.standing.values().chain(untouched.map(|(_, now)| &now.it));
        all.filter_map(|it| it.redemption().map(Arc::as_ref))
    }

    /// What to write about what a till asks for.
    fn decide(&mut self, turn: &mut Turn, subject: Subject, act: &Act) -> Result<Decided, Refusal> {
        let at = self.now();
        if matches!(act, Act::TakeBack { .. } | Act::Copy { .. }) {
            self.take_up_closed(turn, subject);
        }
        let current = self.standing(turn, subject).cloned();
        match (act, &current) {
            (Act::Open(opening), None) => {
                let Ports { provider, clock, .. } = &self.ports;
                if self.performer.line.offset.wrong(provider.clock_tolerance(), clock.as_ref()).is_some() {
                    return Err(Refusal::ClockWrong);
                }
                self.room_for_one_more(turn)?;
                if !turn.receipts.insert(opening.receipt.clone()) {
                    return Err(Refusal::ReceiptUsed);
                }
                Ok(Decided::Write(Event::Sale(SaleEvent::Opened(opening.clone()))))
            }
            (Act::Redeem(opening, looked), None) => {
                if let Admission::Same(redemption) = self.admit(turn, opening)? {
                    return Ok(Decided::Same(redemption));
                }
                // What was seen is no evidence any more; the same request looks again.
                if self.known.moves.since(*looked, &opening.voucher) {
                    return Err(Refusal::VoucherInUse);
                }
                self.room_for_one_more(turn)?;
                Ok(Decided::Write(Event::Redemption(RedemptionStep::Opened(opening.clone()))))
            }
            (Act::Open(_) | Act::Redeem(..), Some(_)) => Err(Refusal::Busy),
            (act, Some(Standing::Sale(sale))) => {
                let event = match act {
                    Act::Pay(request) => desk::pay(sale, at, request, self.ports.provider.as_ref())?,
                    Act::Cancel { by } => desk::cancel(sale, by.clone())?,
                    Act::Answer { card, answer, by } => desk::answer(sale, *card, *answer, by.clone())?,
                    Act::Proven { paper, by } => desk::proven(sale, *paper, by.clone())?,
                    Act::Settle { card, by, reason } => {
                        let settled = desk::settle(sale, at, *card, by.clone(), reason)?;
                        self.call_off(Whose::Card(sale.opening.sale, *card))?;
                        settled
                    }
                    Act::Copy { .. } if self.performer.copies.are_many() => return Err(Refusal::Busy),
                    Act::Copy { card, by } => desk::copy(sale, *card, by.clone())?,
                    _ => return Err(Refusal::SaleUnknown),
                };
                Ok(Decided::Write(Event::Sale(event)))
            }
            (act, Some(Standing::Redemption(redemption))) => {
                let event = match act {
                    Act::Complete { by } => desk::complete(redemption, by.clone())?,
                    Act::TakeBack { by, by_manager } => {
                        let taken_back = desk::take_back(redemption, by.clone(), *by_manager)?;
                        basket::may_give_back(redemption, self.redemptions(turn), at)?;
                        taken_back
                    }
                    Act::Tell { answer, by, by_manager } => {
                        let told = desk::tell(redemption, *answer, by.clone(), *by_manager)?;
                        if gives_back(act) {
                            basket::may_give_back(redemption, self.redemptions(turn), at)?;
                        }
                        told
                    }
                    Act::Decide { verdict, by, reason } => {
                        let settled = desk::decide(redemption, *verdict, by.clone(), reason)?;
                        self.call_off(Whose::Redemption(redemption.id()))?;
                        settled
                    }
                    Act::Scanned(seen) => desk::scanned(redemption, seen)?,
                    _ => return Err(Refusal::RedemptionUnknown),
                };
                Ok(Decided::Write(Event::Redemption(RedemptionStep::Happened(event))))
            }
            (_, None | Some(Standing::Device(_) | Standing::Day(_))) => Err(match subject {
                Subject::Sale(_) => Refusal::SaleUnknown,
                // Nobody asks anything of a device or a day.
                Subject::Redemption(_) | Subject::Device(_) | Subject::Day(_) => Refusal::RedemptionUnknown,
            }),
        }
    }

    /// What is closed is in the journal only. A completed redemption may still be given back (row B9), and a sold card's slip be
    /// copied (row A12).
    fn take_up_closed(&mut self, turn: &mut Turn, subject: Subject) {
        if self.standing(turn, subject).is_some() {
            return;
        }
        match self.ports.journal.now(subject) {
            Ok(Some(now)) => {
                turn.taken_up.push(subject);
                self.open.insert(subject, now);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, %subject, "what is closed cannot be read"),
        }
    }

    /// What may be closed is not undone any more.
    fn call_off(&mut self, whose: Whose) -> Result<(), Refusal> {
        if self.undoing.call_off(whose) { Ok(()) } else { Err(Refusal::StillWorking) }
    }

    fn room_for_one_more(&self, turn: &Turn) -> Result<(), Refusal> {
        let in_hand = self.open.values().filter(|now| now.it.is_in_hand()).count();
        let begun = turn.standing.keys().filter(|subject| !self.open.contains_key(subject)).count();
        if in_hand.saturating_add(begun) < self.settings.most_at_once { Ok(()) } else { Err(Refusal::Busy) }
    }

    /// Whether a redemption may begin beside those that there are: the open ones, and the closed ones of its basket, which
    /// only the journal knows.
    fn admit(&self, turn: &Turn, opening: &redemption::Opening) -> Result<Admission, Refusal> {
        let unreadable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the redemptions of a basket cannot be read");
            Refusal::JournalDown
        };
        let known = self
            .ports
            .journal
            .counting_redemptions_of(&opening.basket, MOST_OF_A_BASKET)
            .map_err(|error| unreadable(&error))?;
        if known.len() >= MOST_OF_A_BASKET {
            return Err(Refusal::Busy);
        }
        let mut closed = Vec::new();
        for redemption in known {
            let subject = Subject::Redemption(redemption);
            if self.standing(turn, subject).is_none() {
                let now = self.ports.journal.now(subject).map_err(|error| unreadable(&error))?;
                closed.extend(now.and_then(Now::into_redemption).map(|now| now.redemption));
            }
        }
        let others = self.redemptions(turn).chain(closed.iter().map(Arc::as_ref));
        basket::admit(others, &opening.basket, &opening.voucher, opening.amount, self.now())
    }

    /// The redemptions that are found out by what is left on a voucher of which something is now taken, or given back.
    fn who_watch(&self, turn: &Turn, subject: Subject, act: &Act) -> Vec<RedemptionId> {
        let voucher = match act {
            Act::Redeem(opening, _) => &opening.voucher,
            act if gives_back(act) => match self.standing(turn, subject).and_then(Standing::redemption) {
                Some(redemption) => &redemption.opening.voucher,
                None => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        self.redemptions(turn)
            .filter(|other| Subject::Redemption(other.id()) != subject)
            .filter(|other| other.opening.voucher == *voucher && other.watches_its_voucher())
            .map(Redemption::id)
            .collect()
    }

    /// Stages that a till is told of a success, if it has not been told.
    pub(super) fn offer(&mut self, turn: &mut Turn, redemption: RedemptionId) {
        let to_be_offered = self
            .standing(turn, Subject::Redemption(redemption))
            .and_then(Standing::redemption)
            .is_some_and(|redemption| redemption.is_to_be_offered());
        if to_be_offered {
            let offered = Happening::to_redemption(redemption, RedemptionEvent::Offered);
            self.stage(turn, offered, Cause::Happened);
        }
    }

    /// Steps a copy. What does not fit is dropped.
    pub(super) fn stage(&mut self, turn: &mut Turn, happening: Happening, cause: Cause) {
        let at = self.now();
        let current = self.standing(turn, happening.subject);
        let stepped = match current {
            Some(current) => current.step(at, &happening.event),
            None => match Standing::begin(&happening.event, at) {
                Some(begun) => Ok(begun),
                None => return self.undo_ended(&happening),
            },
        };
        match stepped {
            Ok((after, deeds))
                if matches!(cause, Cause::Happened)
                    && !turn.standing.contains_key(&happening.subject)
                    && current.is_some_and(|before| *before == after) =>
            {
                turn.repeats.push((happening, deeds));
            }
            Ok((after, deeds)) => {
                let told = match &after {
                    Standing::Redemption(redemption) if !turn.alone => {
                        let asks =
                            matches!(cause, Cause::Asked { .. }) || self.is_waited_for(happening.subject);
                        asks.then(|| redemption.id())
                    }
                    _ => None,
                };
                if let Some(redemption) = after.redemption()
                    && current.is_none_or(|before| *before != after)
                {
                    self.known.moves.note(&redemption.opening.voucher);
                }
                turn.standing.insert(happening.subject, after.clone());
                turn.steps.push(Staged { at, happening, after, deeds, cause });
                if let Some(redemption) = told {
                    // In the same commit, so that the answer line is never crossed unseen (law L7).
                    self.offer(turn, redemption);
                }
            }
            Err(why) => {
                tracing::debug!(subject = %happening.subject, why, "an event came too late or twice, and changes nothing");
                self.undo_ended(&happening);
                if let Cause::Asked { reply, .. } = cause {
                    turn.declined.push((reply, Declined::Refused(Refusal::StillWorking)));
                    self.go_on_undoing(happening.subject);
                }
            }
        }
    }

    /// Writes the turn down, acts on it, and tells who was declined.
    pub(super) fn commit(&mut self, turn: Turn) {
        let Turn { steps, repeats, declined, await_rest, taken_up, .. } = turn;
        self.write(steps);
        for (happening, deeds) in repeats {
            // Nothing new is begun while nothing can be written.
            if self.trouble.is_some() {
                self.hold(happening);
            } else {
                self.repeat(&happening, deeds);
            }
        }
        for subject in taken_up {
            if self.open.get(&subject).is_some_and(|now| now.it.is_closed()) {
                self.open.remove(&subject);
            }
        }
        for (reply, declined) in declined {
            let _ = reply.send(Err(declined));
        }
        let mut waited_for = BTreeSet::new();
        for (subject, reply) in await_rest {
            if self.open.get(&subject).is_some_and(|now| !now.it.at_rest()) {
                waited_for.insert(subject);
                self.resting.entry(subject).or_default().push(reply);
            }
        }
        // Its success may have come in this very turn, when nobody was known to wait for it.
        self.offer_what_is_waited_for(waited_for);
    }

    /// Tells tills that wait of successes that they were not told.
    pub(super) fn offer_what_is_waited_for(&mut self, subjects: impl IntoIterator<Item = Subject>) {
        for subject in subjects {
            if let Subject::Redemption(redemption) = subject
                && self.trouble.is_none()
                && self.is_waited_for(subject)
            {
                let mut turn = Turn::default();
                self.offer(&mut turn, redemption);
                self.write(turn.steps);
            }
        }
    }

    /// Writes steps down in one commit, and acts on each. What cannot be written is refused, held, or set aside.
    fn write(&mut self, mut steps: Vec<Staged>) {
        if steps.is_empty() {
            return;
        }
        let drafts: Option<Vec<Draft>> = steps.iter().map(draft).collect();
        // It blocks: this thread has nothing else to do until the entries are on disk.
        let written = match drafts {
            Some(drafts) => self.ports.journal.append(&drafts),
            None => Err(AppendError::Misfit { draft: 0, why: "it is of another kind" }),
        };
        match written {
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
    fn one_by_one(&mut self, steps: Vec<Staged>) {
        for step in steps {
            let Staged { happening, cause, .. } = step;
            let mut turn = Turn::alone();
            match cause {
                Cause::Asked { asked, act, reply } => {
                    // It may have been asked for as something new, and be what there was before.
                    let subject = match &act {
                        Act::Redeem(opening, _) => Subject::Redemption(opening.redemption),
                        _ => happening.subject,
                    };
                    self.ask(&mut turn, asked, subject, act, reply);
                }
                Cause::Happened if self.trouble.is_some() => self.hold(happening),
                Cause::Happened => self.stage(&mut turn, happening, Cause::Happened),
            }
            self.commit(turn);
        }
    }

    /// One entry cannot be written, and others can.
    fn reject(&mut self, step: Staged, error: &AppendError) {
        let Staged { happening, cause, .. } = step;
        match cause {
            Cause::Asked { reply, .. } => {
                let declined = match error {
                    AppendError::KeyTaken { .. } => Declined::KeyTaken,
                    AppendError::ReceiptTaken { .. } => Declined::Refused(Refusal::ReceiptUsed),
                    _ => Declined::Refused(Refusal::JournalDown),
                };
                let _ = reply.send(Err(declined));
                self.go_on_undoing(happening.subject);
            }
            Cause::Happened => {
                tracing::error!(subject = %happening.subject, %error, "what happened cannot be written: call the manufacturer");
                if !self.is_seen_again(&happening) && !self.asks_again(&happening) {
                    self.aside.again = Some(self.now().plus(ASIDE_AGAIN));
                    self.aside.happenings.push(happening.held());
                }
            }
        }
    }

    /// An undo was called off with a case that could not be closed then.
    pub(super) fn go_on_undoing(&mut self, subject: Subject) {
        let Some(now) = self.open.get(&subject).cloned() else { return };
        for whose in now.it.undoable() {
            self.undo(&now, whose, Duration::ZERO);
        }
    }

    /// Tries to write what was set aside, each by itself.
    pub(super) fn write_aside(&mut self) {
        for happening in std::mem::take(&mut self.aside.happenings) {
            let mut turn = Turn::default();
            self.stage(&mut turn, happening, Cause::Happened);
            self.commit(turn);
        }
    }
}

/// Whether value goes back to a voucher because a person says so.
fn gives_back(act: &Act) -> bool {
    matches!(
        act,
        Act::TakeBack { .. }
            | Act::Tell {
                answer: redemption::Answer::TakeBack
                    | redemption::Answer::NotUsed
                    | redemption::Answer::TryAgain,
                ..
            }
    )
}

/// The draft of a step; none of one that fits nothing, which staging rules out.
fn draft(step: &Staged) -> Option<Draft> {
    let asked = match &step.cause {
        Cause::Asked { asked, .. } => Some(asked.clone()),
        Cause::Happened => None,
    };
    let written = step.after.written(&step.happening.event, &step.deeds)?;
    Some(Draft { at: step.at, asked, step: written })
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
