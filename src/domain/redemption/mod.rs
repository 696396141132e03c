//! What is taken from one voucher for one basket: the rows B3 to B13 of the design as one pure machine.
//!
//! ```text
//!                    refused, not sent
//!  Redeeming ─────────────────────────────► NotRedeemed
//!   │     │ unknown: repeated (repeatable), LookingUp (findable), Comparing (comparable)
//!   │     ▼
//!   │  Comparing ──► NotApplied ─► Cleared      unchanged twice; and again after the quiet time
//!   │     │     └──► Unclear                    anything else: a manager decides
//!   │     │ lower by exactly the amount: taken, without an id
//!   ▼     ▼
//!  GrantedLess ─┐  accepted
//!  Redeemed ────┴──► Answered ──► Completed
//!    │ nobody asks      │ not used     │ taken back
//!    └──────────────────┴──────────────┴───► Owed ◄─┐ ask again, for ever
//!                                              │└───┘
//!                                              ├─► Cleared   taken back, not found twice
//!                                              ├─► Stuck     refused, no id, not confirmed
//!                                              └─► Settled   by a manager, with a reason
//! ```
//!
//! It begins with a redeem that is about to be sent: what was seen of the voucher before ([`crate::voucher::check`]) is not
//! journaled. So a redemption stands on disk twice before it answers: [`Opening`], and its outcome together with
//! [`RedemptionEvent::Offered`].
//!
//! | row | states |
//! |---|---|
//! | B3, B4 | [`State::Redeeming`], [`State::LookingUp`], [`State::Comparing`], [`State::NotApplied`], [`State::Unclear`] |
//! | B5, B10 to B12 | [`State::Owed`], [`State::Stuck`], [`State::Cleared`] |
//! | B6 | [`State::GrantedLess`] |
//! | B7 | [`State::Redeemed`] |
//! | B8 | [`State::Answered`] |
//! | B9 | [`State::Completed`] |
//! | B13 | [`basket::admit`] |
//!
//! Invariants that the code cannot show, because they say what is absent:
//! - Where the provider is comparable, one redemption sends one redeem, ever. A new attempt is a new redemption, begun by a
//!   person.
//! - From [`State::Owed`] no event leads back to a voucher that counts (law L4).
//! - From [`RedemptionEvent::Offered`] on, only a person or the till leads to [`State::Owed`] (law L7).
//! - A balance is evidence, not proof: by it alone nothing is ever taken back, and nothing is sent again.
//! - A reversal leaves [`State::Owed`] only by the provider's word or a manager's (law L5).
//! - The outcome of an event depends on the state, the event, its moment and the [`Rules`] of the opening, and on nothing else.
//!   In particular not on whether the code has been forgotten.
//!
//! Deliberately absent: what a redemption is worth in the basket's other currency, and anything that a second till of the
//! store does with the same voucher, which shows only in what is left on it.
//!
//! Ways to fail: an event that does not fit the state is a [`Misfit`]; nothing changes.

pub mod attention;
pub mod basket;
mod comparing;
mod event;
mod owed;
mod redeeming;
pub mod screen;
mod state;
mod taken;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use crate::attention::Who;
use crate::ids::RedemptionId;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::voucher::{Booking, Worth};

pub use event::{Answer, Asks, Effect, Misfit, Question, RedemptionEvent};
pub use state::{
    ClearedHow, Evidence, Finding, Opening, Owed, OwedWhy, Past, Reading, Rules, State, StuckWhy, Taken,
    UnclearWhy, Verdict,
};

/// What is taken from one voucher for one basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// What it is about.
    pub opening: Opening,
    /// When it began.
    pub opened: Moment,
    /// What is known to have happened.
    pub past: Past,
    /// Where it stands.
    pub state: State,
}

/// What a step leads to.
type Next = Result<(State, Vec<Effect>), Misfit>;

/// At once.
const NOW: Duration = Duration::ZERO;

/// What a voucher counts for its basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Nothing: another payment is taken.
    Nothing,
    /// Nobody knows yet: no other payment is taken for it (law L12).
    Open,
    /// So much.
    For(Worth),
}

impl Redemption {
    /// A redemption whose redeem is about to be sent, and its first effect.
    pub fn open(opening: Opening, at: Moment) -> (Self, Vec<Effect>) {
        let past = Past { wanted: at, redemption: None, taken: None, offered: false };
        let state = State::Redeeming { finding: None };
        (Self { opening, opened: at, past, state }, vec![Effect::Redeem { after: NOW, until: None }])
    }

    /// What follows from an event.
    pub fn step(mut self, at: Moment, event: RedemptionEvent) -> Result<(Self, Vec<Effect>), Misfit> {
        if matches!(event, RedemptionEvent::AskedAgain) {
            return if self.counts() == Counts::Nothing {
                Err(Misfit::Event)
            } else {
                Ok((self, Vec::new()))
            };
        }
        let step = Step { facts: &self.opening, past: &mut self.past, at };
        let (state, effects) = match self.state {
            State::Redeeming { finding } => redeeming::redeeming(step, finding, event),
            State::LookingUp { finding } => redeeming::looking_up(step, finding, event),
            State::Comparing { reading, until } => comparing::comparing(step, reading, until, event),
            State::NotApplied { since, failures, moved } => {
                comparing::not_applied(step, since, failures, moved, event)
            }
            State::Unclear { since, why } => comparing::unclear(step, since, why, event),
            State::GrantedLess { until } => taken::granted_less(step, until, event),
            State::Redeemed { until } => taken::redeemed(step, until, event),
            State::Answered { until, asked } => taken::answered(step, until, asked, event),
            State::Completed => taken::completed(step, event),
            State::Owed(owed) => owed::owed(step, owed, event),
            State::Stuck { owed, why } => owed::stuck(step, owed, why, event),
            State::NotRedeemed { .. } | State::Cleared { .. } | State::Settled { .. } => Err(Misfit::Event),
        }?;
        self.state = state;
        Ok((self, effects))
    }

    /// The daemon's own name for it.
    pub fn id(&self) -> RedemptionId {
        self.opening.redemption
    }

    /// How the till books it.
    pub fn booking(&self) -> Booking {
        self.opening.kind.booking()
    }

    /// Whether nothing is going on by itself that a waiting cashier would see the end of. A reversal does not count: it
    /// may last for days, and another payment is taken meanwhile.
    pub fn at_rest(&self) -> bool {
        match &self.state {
            State::Redeeming { .. } | State::LookingUp { .. } => false,
            State::Comparing { reading, .. } => reading.by_scan,
            State::NotRedeemed { .. }
            | State::NotApplied { .. }
            | State::GrantedLess { .. }
            | State::Redeemed { .. }
            | State::Answered { .. }
            | State::Completed
            | State::Unclear { .. }
            | State::Owed(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => true,
        }
    }

    /// Whether nothing remains to be done or decided.
    pub fn is_closed(&self) -> bool {
        match &self.state {
            State::NotRedeemed { .. } | State::Cleared { .. } | State::Settled { .. } => true,
            // Without an id a manager must know of it: should it ever have to be taken back, only he can.
            State::Completed => self.past.redemption.is_some(),
            _ => false,
        }
    }

    /// Whether a till must be told of its success now, and [`RedemptionEvent::Offered`] be written with it.
    pub fn is_to_be_offered(&self) -> bool {
        matches!(self.state, State::Redeemed { .. })
    }

    /// What it counts for its basket.
    pub fn counts(&self) -> Counts {
        let taken = self.past.taken.map_or(self.opening.amount, |taken| taken.worth);
        match &self.state {
            State::Redeeming { .. }
            | State::LookingUp { .. }
            | State::Comparing { .. }
            | State::GrantedLess { .. }
            | State::Redeemed { .. }
            | State::Unclear { .. } => Counts::Open,
            State::Answered { .. } | State::Completed => Counts::For(taken),
            State::Settled { verdict: Verdict::Used, .. } => Counts::For(taken),
            State::NotRedeemed { .. }
            | State::NotApplied { .. }
            | State::Owed(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => Counts::Nothing,
        }
    }

    /// Whether the till may take it back now. `by_manager`: once the basket is completed, only he may.
    pub fn may_take_back(&self, by_manager: bool) -> Result<(), Refusal> {
        match &self.state {
            State::Answered { .. } => Ok(()),
            State::Completed if by_manager => Ok(()),
            State::Completed => Err(Refusal::ManagerNeeded),
            State::GrantedLess { .. } => Err(Refusal::OpenQuestion),
            State::Redeeming { .. }
            | State::LookingUp { .. }
            | State::Comparing { .. }
            | State::Redeemed { .. } => Err(Refusal::StillWorking),
            State::Unclear { .. } => Err(Refusal::OpenQuestion),
            State::NotRedeemed { .. }
            | State::NotApplied { .. }
            | State::Owed(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => Err(Refusal::RedemptionClosed),
        }
    }

    /// Whether the till may complete it now.
    pub fn may_complete(&self) -> Result<(), Refusal> {
        match &self.state {
            State::Answered { .. } => Ok(()),
            State::Redeeming { .. }
            | State::LookingUp { .. }
            | State::Comparing { .. }
            | State::Redeemed { .. } => Err(Refusal::StillWorking),
            State::GrantedLess { .. } | State::Unclear { .. } => Err(Refusal::OpenQuestion),
            State::Completed
            | State::NotRedeemed { .. }
            | State::NotApplied { .. }
            | State::Owed(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => Err(Refusal::RedemptionClosed),
        }
    }

    /// What a manager may decide, if the case is his to close.
    pub fn verdicts(&self) -> &'static [Verdict] {
        match &self.state {
            State::Unclear { .. } => &[Verdict::Used, Verdict::NotUsed],
            State::Completed if self.past.redemption.is_none() => &[Verdict::Used],
            State::NotApplied { .. } | State::Owed(_) | State::Stuck { .. } => &[Verdict::NotUsed],
            _ => &[],
        }
    }

    /// What a person must answer, if anything.
    pub fn question(&self) -> Option<Question> {
        let (asks, who, choices, until): (_, _, &'static [Answer], _) = match &self.state {
            State::GrantedLess { until } => {
                (Asks::AcceptLess, Who::Cashier, &[Answer::Accept, Answer::TakeBack], Some(*until))
            }
            State::Answered { asked: true, .. } => {
                (Asks::WasItUsed, Who::Cashier, &[Answer::Used, Answer::NotUsed], None)
            }
            State::Comparing { reading, until } if reading.by_scan => {
                (Asks::ScanAgain, Who::Cashier, &[], Some(*until))
            }
            State::Unclear { .. } => (Asks::WasItTaken, Who::Manager, &[], None),
            State::Stuck { .. } if self.past.redemption.is_some() => {
                (Asks::TryAgain, Who::Manager, &[Answer::TryAgain], None)
            }
            _ => return None,
        };
        let from = match &self.state {
            State::Comparing { reading, .. } => Some(reading.counts_from(self.opening.rules.settle)),
            _ => None,
        };
        Some(Question { asks, who, choices, until, from })
    }

    /// The names of all states, as a journal is searched by.
    pub const STATE_NAMES: [&'static str; 14] = [
        "redeeming",
        "looking_up",
        "comparing",
        "not_redeemed",
        "not_applied",
        "granted_less",
        "redeemed",
        "answered",
        "completed",
        "unclear",
        "owed",
        "stuck",
        "cleared",
        "settled",
    ];

    /// The name of the state, as journal and API show it.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            State::Redeeming { .. } => "redeeming",
            State::LookingUp { .. } => "looking_up",
            State::Comparing { .. } => "comparing",
            State::NotRedeemed { .. } => "not_redeemed",
            State::NotApplied { .. } => "not_applied",
            State::GrantedLess { .. } => "granted_less",
            State::Redeemed { .. } => "redeemed",
            State::Answered { .. } => "answered",
            State::Completed => "completed",
            State::Unclear { .. } => "unclear",
            State::Owed(_) => "owed",
            State::Stuck { .. } => "stuck",
            State::Cleared { .. } => "cleared",
            State::Settled { .. } => "settled",
        }
    }
}

/// What every transition may look at: the facts and the past, and the moment of the event.
struct Step<'a> {
    facts: &'a Opening,
    past: &'a mut Past,
    at: Moment,
}

impl Step<'_> {
    fn rules(&self) -> &Rules {
        &self.facts.rules
    }

    /// Whether so much time has passed that no guest is taken to wait any more.
    fn guest_gone(&self) -> bool {
        self.at.long_since(self.past.wanted) > self.rules().resume
    }
}
