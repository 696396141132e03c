//! One gift card at a provider: the rows A1 to A20 of the design as one pure machine.
//!
//! ```text
//!            refused, unknown twice                 cancelled, not fresh
//!  Creating ───────────────────────► NotSold   ┌───────────────────────────────┐
//!     │ created                                │                               ▼
//!     └────────► Created ──────────────────────┘    time up, doubt         ┌─ Owed ◄─┐ ask again, for ever
//!                   │ paid                   ┌──────────────────────────►  │   └─────┘
//!                   ▼          unknown       │                             │
//!       Paid ◄─► Confirming ───────────► Asking                            ├─► Cleared   acknowledged
//!   (not sent)      │                        │ found done                  ├─► Stuck     window over, not supported
//!                   └──────┬─────────────────┘                             ├─► Spent     already redeemed
//!                          ▼        no byte printed                        └─► Settled   by a manager, with a reason
//!                      Printing ──────────────────► Active ──► Owed
//!            on paper │   │ fault, silence
//!                     │   └─► PrintStopped, PrintUnclear ──► Printing (next attempt), or Owed with the paper collected
//!                     ▼
//!                   Sold ──► Sold (numbered copies)
//! ```
//!
//! Invariants that the code cannot show, because they say what is absent:
//! - From [`State::Owed`] no event leads back to a card that is sold (law L4).
//! - From the first [`Effect::Print`] of a POR card on, only a person's answer leads to [`State::Owed`] (law L7), unless
//!   that print ended without a byte having left ([`PrintEnd::Nothing`](crate::printing::PrintEnd::Nothing)): then the ink line was not reached.
//! - A slip is printed without a person's word only as the first attempt, before a byte of it has left: at once, or when the
//!   printer that could not take it is ready again while the customer waits ([`OrderEvent::PrinterReady`]).
//! - A confirm is never sent after a restart unless the machine knows that it had not been sent (row A6).
//! - An undo leaves [`State::Owed`] only by the provider's word or a manager's; no number of failures, no deadline (L5).
//! - The outcome of an event depends on the state, the event, its moment and the [`Rules`] that the sale was opened
//!   under, and on nothing else: replaying the journal gives the same states under any later configuration.
//!
//! - After a restart a moment that was written before it may lie ahead, or seem long ago, because the clock was set in
//!   between. Nobody then knows how old an order is or whether its customer still stands there: it is taken to be old, and
//!   the customer to have gone. The quiet time of law L6 begins anew at every restart, whatever the clock says.
//!
//! Ways to fail: an event that does not fit the state is a [`Misfit`]; nothing changes. Answers that come late, twice or
//! out of order end there.

mod confirming;
mod creating;
mod event;
mod owed;
mod paper;
mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use crate::moment::Moment;
use crate::product::CardKind;

pub use event::{Answer, Asks, Effect, Misfit, OrderEvent, Question};
pub use state::{ClearedHow, Doubt, OrderFacts, Owed, OwedWhy, PaperState, Past, Rules, State, StuckWhy};

/// One gift card at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What it is about.
    pub facts: OrderFacts,
    /// What is known to have happened.
    pub past: Past,
    /// Where it stands.
    pub state: State,
}

/// What a step leads to.
type Next = Result<(State, Vec<Effect>), Misfit>;

/// At once.
const NOW: Duration = Duration::ZERO;

impl Order {
    /// An order that is about to be created, and its first effect.
    pub fn open(facts: OrderFacts, at: Moment) -> (Self, Vec<Effect>) {
        let state = State::Creating { sent: at, repeated: false };
        (Self { facts, past: Past::default(), state }, vec![Effect::Create { after: NOW }])
    }

    /// What follows from an event.
    pub fn step(
        mut self,
        rules: &Rules,
        at: Moment,
        event: OrderEvent,
    ) -> Result<(Self, Vec<Effect>), Misfit> {
        let step = Step { facts: &self.facts, past: &mut self.past, rules, at };
        let (state, effects) = match self.state {
            State::Creating { sent, repeated } => creating::creating(step, sent, repeated, event),
            State::Created { at: created } => creating::created(step, created, event),
            State::Paid { until, again } => confirming::paid(step, until, again, event),
            State::Confirming { sent_before, since, until } => {
                confirming::confirming(step, sent_before, since, until, event)
            }
            State::Asking { since, until, doubt, may_repeat } => {
                confirming::asking(step, confirming::Finding { since, until, doubt, may_repeat }, event)
            }
            State::Active { lines, attempt, fault, until } => {
                paper::active(step, lines, attempt, fault, until, event)
            }
            State::Printing { lines, attempt, until } => paper::printing(step, lines, attempt, until, event),
            State::PrintStopped { lines, attempt, fault } => {
                paper::in_doubt(step, lines, attempt, Some(fault), event)
            }
            State::PrintUnclear { lines, attempt } => paper::in_doubt(step, lines, attempt, None, event),
            State::Sold { paper, lines, copies } => paper::sold(paper, lines, copies, event),
            State::Owed(owed) => owed::owed(step, owed, event),
            State::Spent(owed) => owed::spent(owed, event),
            State::Stuck { owed, why } => owed::stuck(step, owed, why, event),
            State::NotSold { .. } | State::Cleared { .. } | State::Settled { .. } => Err(Misfit::Event),
        }?;
        self.state = state;
        Ok((self, effects))
    }

    /// Whether nothing is going on by itself that a waiting cashier would see the end of. An undo does not count: it may
    /// last for days, and the customer has been told.
    pub fn at_rest(&self) -> bool {
        match &self.state {
            State::Creating { .. }
            | State::Confirming { .. }
            | State::Asking { .. }
            | State::Printing { .. } => false,
            State::Paid { again, .. } => again.is_none(),
            State::NotSold { .. }
            | State::Created { .. }
            | State::Active { .. }
            | State::PrintStopped { .. }
            | State::PrintUnclear { .. }
            | State::Sold { .. }
            | State::Owed(_)
            | State::Spent(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => true,
        }
    }

    /// Whether nothing remains to be done or decided.
    pub fn is_closed(&self) -> bool {
        matches!(
            self.state,
            State::NotSold { .. } | State::Sold { .. } | State::Cleared { .. } | State::Settled { .. }
        )
    }

    /// Whether the customer's money for this card must be given back (law L9). Not for a card that was spent: that money
    /// is held for the manager's decision (A16).
    pub fn money_back(&self) -> bool {
        self.past.paid.is_some()
            && !self.past.spent
            && matches!(
                self.state,
                State::Owed(_) | State::Stuck { .. } | State::Cleared { .. } | State::Settled { .. }
            )
    }

    /// What a person must answer, if anything.
    pub fn question(&self, rules: &Rules) -> Option<Question> {
        let ask = |asks, choices, until| Some(Question { asks, choices, until });
        match &self.state {
            State::Paid { until, again: None } => {
                ask(Asks::FinishOrMoneyBack, &[Answer::Finish, Answer::MoneyBack], Some(*until))
            }
            State::Active { until, .. } => {
                ask(Asks::PrintOrMoneyBack, &[Answer::Print, Answer::MoneyBack], Some(*until))
            }
            State::PrintStopped { attempt, .. } | State::PrintUnclear { attempt, .. }
                if *attempt >= rules.print_attempts =>
            {
                ask(Asks::CollectThePaper, &[Answer::Collected, Answer::Complete], None)
            }
            State::PrintStopped { .. } => {
                ask(Asks::PrintAgain, &[Answer::PrintAgain, Answer::Complete, Answer::Collected], None)
            }
            State::PrintUnclear { .. } => ask(
                Asks::IsItComplete,
                &[Answer::Complete, Answer::Unreadable, Answer::Nothing, Answer::Collected],
                None,
            ),
            _ => None,
        }
    }

    /// The names of all states, as a journal is searched by.
    pub const STATE_NAMES: [&'static str; 16] = [
        "creating",
        "not_sold",
        "created",
        "paid",
        "confirming",
        "asking",
        "active",
        "printing",
        "print_stopped",
        "print_unclear",
        "sold",
        "owed",
        "spent",
        "stuck",
        "cleared",
        "settled",
    ];

    /// The name of the state, as journal and API show it.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            State::Creating { .. } => "creating",
            State::NotSold { .. } => "not_sold",
            State::Created { .. } => "created",
            State::Paid { .. } => "paid",
            State::Confirming { .. } => "confirming",
            State::Asking { .. } => "asking",
            State::Active { .. } => "active",
            State::Printing { .. } => "printing",
            State::PrintStopped { .. } => "print_stopped",
            State::PrintUnclear { .. } => "print_unclear",
            State::Sold { .. } => "sold",
            State::Owed(_) => "owed",
            State::Spent(_) => "spent",
            State::Stuck { .. } => "stuck",
            State::Cleared { .. } => "cleared",
            State::Settled { .. } => "settled",
        }
    }
}

/// What every transition may look at: the order's facts and past, the rules, and the moment of the event.
struct Step<'a> {
    facts: &'a OrderFacts,
    past: &'a mut Past,
    rules: &'a Rules,
    at: Moment,
}

impl Step<'_> {
    /// The one way into [`State::Owed`].
    fn owe(&self, why: OwedWhy) -> Next {
        let owed = Owed { since: self.at, why, failures: 0, not_found: None, late_success: false };
        Ok((State::Owed(owed), vec![Effect::Undo { after: NOW }]))
    }

    /// Whether so much time has passed that no customer is taken to wait for the card any more.
    fn customer_gone(&self) -> bool {
        self.past.wanted.is_none_or(|wanted| self.at.long_since(wanted) > self.rules.resume)
    }

    fn is_por(&self) -> bool {
        self.facts.kind == CardKind::Por
    }
}
