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
//!   that print ended without a byte having left ([`PrintEnd::Nothing`]): then the ink line was not reached.
//! - A confirm is never sent after a restart unless the machine knows that it had not been sent (row A6).
//! - An undo leaves [`State::Owed`] only by the provider's word or a manager's; no number of failures, no deadline (L5).
//! - The outcome of an event depends on the state, the event, its moment and the [`Rules`] that the sale was opened
//!   under, and on nothing else: replaying the journal gives the same states under any later configuration.
//!
//! Ways to fail: an event that does not fit the state is a [`Misfit`]; nothing changes. Answers that come late, twice or
//! out of order end there.

mod confirming;
mod creating;
mod owed;
mod paper;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use crate::ids::{CardCode, OrderId, PersonName, ProductCode, ProviderKey, ProviderOrderId};
use crate::moment::Moment;
use crate::money::Money;
use crate::outcome::{Created, OrderSeen, Outcome, ReceiptLines, UndoAnswer};
use crate::printing::{Fault, PrintEnd, Proof};
use crate::product::CardKind;
use crate::refusal::Refusal;

/// The times and counts that an order lives by. They are written into the sale's first entry, so that a sale ends under
/// the rules that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// For how long a created order may wait for its payment (A2). An order of unknown expiry gets old (fact sheet U16).
    pub fresh: Duration,
    /// How old a create may be to be sent once more under its key after a restart (fact sheet U7: keys do not live for ever).
    pub create_again: Duration,
    /// For how long an uncertain confirm is asked about while a customer waits (law L3).
    pub ask: Duration,
    /// The same while the provider says that it is still processing (law L3).
    pub ask_processing: Duration,
    /// How long after a restart a customer is taken to be still there (A4, A6, A9).
    pub resume: Duration,
    /// For how long a paid and active card waits for a printer that has not taken a byte (A9).
    pub print_wait: Duration,
    /// How many times a slip may be started (A10): then the paper is collected and the card undone.
    pub print_attempts: u16,
    /// How long a provider must go on saying "not found" until an undo is closed by it (law L6): longer than any request
    /// can live.
    pub quiet: Duration,
    /// For how long after the payment the provider is expected to take a card back (fact sheet U15; no number is known). It
    /// ends no attempt; it tells people how long they have.
    pub undo_window: Duration,
    /// Whether the provider takes a second confirm of the same order (fact sheet U9).
    pub confirm_repeatable: bool,
}

impl Rules {
    /// The times of the design.
    pub const DESIGN: Self = Self {
        fresh: Duration::from_mins(15),
        create_again: Duration::from_mins(2),
        ask: Duration::from_secs(10),
        ask_processing: Duration::from_secs(30),
        resume: Duration::from_mins(2),
        print_wait: Duration::from_mins(10),
        print_attempts: 3,
        quiet: Duration::from_mins(5),
        undo_window: Duration::from_mins(15),
        confirm_repeatable: true,
    };
}

/// What an order is about. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// The daemon's own name for it.
    pub id: OrderId,
    /// Which product.
    pub product: ProductCode,
    /// Its name when it was sold.
    pub product_name: String,
    /// Printed or activated.
    pub kind: CardKind,
    /// The value of the card.
    pub face_value: Money,
    /// The scanned code of a POSA card; none for POR, and none once it has been forgotten.
    pub code: Option<CardCode>,
    /// The last four characters of that code, which outlive it.
    pub code_tail: Option<String>,
    /// The key under which the create is sent.
    pub key: ProviderKey,
    /// The exact create as the provider's room wrote it; nobody else reads it.
    pub create_request: String,
}

/// What is known to have happened to an order. It only ever grows, but for a confirm that turned out not to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// The provider's name for it, since it was created.
    pub provider_order: Option<ProviderOrderId>,
    /// When it was created.
    pub created: Option<Moment>,
    /// When its payment was reported.
    pub paid: Option<Moment>,
    /// When a customer last stood there and wanted it: at the payment, or when a person said "finish" (A4).
    pub wanted: Option<Moment>,
    /// The exact confirm, since it was paid.
    pub confirm_request: Option<String>,
    /// Whether a confirm may have reached the provider (law L6).
    pub confirm_sent: bool,
    /// Whether the provider has answered a confirm with "not now": then it was sent, whatever becomes of the next one.
    pub confirm_put_off: bool,
    /// Whether it turned out to be spent (A16): its money is held, also when the case is closed.
    pub spent: bool,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A1: the create is on its way.
    Creating {
        /// When it was first sent.
        sent: Moment,
        /// Whether this is the one repetition.
        repeated: bool,
    },
    /// It never came to be: no value, no money. Final.
    NotSold {
        /// Why.
        why: Refusal,
    },
    /// A2, A3: an order without value that waits for its payment.
    Created {
        /// When it was created.
        at: Moment,
    },
    /// A4: the money is in, and no confirm was taken: it could not be sent, or the provider said "not now".
    Paid {
        /// When it is given up.
        until: Moment,
        /// When it is sent again; none after a restart: then a person must want it.
        again: Option<Moment>,
    },
    /// A5: the confirm is on its way.
    Confirming {
        /// Whether a confirm may have been sent even before this one.
        sent_before: bool,
        /// Since when its outcome is being found out, if this is the repetition in the course of it.
        since: Option<Moment>,
        /// When this attempt must have ended, unless it is the first one.
        until: Option<Moment>,
    },
    /// A5, A6, A8: the confirm's outcome is uncertain and is being looked up (law L3).
    Asking {
        /// Since when.
        since: Moment,
        /// When it ends, and the undo is owed.
        until: Moment,
        /// What is uncertain about it.
        doubt: Doubt,
        /// Whether the confirm may still be repeated, once: it may bring an answer, or the lines.
        may_repeat: bool,
    },
    /// A9: the card is live, its lines are at hand, and no byte of them has been printed.
    Active {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt is next, from 1.
        attempt: u16,
        /// What keeps the printer from it; none after a restart.
        fault: Option<Fault>,
        /// When it is undone if nobody decides.
        until: Moment,
    },
    /// The slip is at the printer.
    Printing {
        /// What is printed.
        lines: ReceiptLines,
        /// Which attempt this is, from 1.
        attempt: u16,
    },
    /// A10: the printer reported a fault after bytes had left.
    PrintStopped {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt stopped.
        attempt: u16,
        /// The fault.
        fault: Fault,
    },
    /// A11: anything may be on the paper.
    PrintUnclear {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt it was.
        attempt: u16,
    },
    /// A12: done.
    Sold {
        /// What became of the paper.
        paper: PaperState,
        /// What a copy would show; none if the provider sent nothing to print.
        lines: Option<ReceiptLines>,
        /// How many numbered copies were asked for.
        copies: u16,
    },
    /// A5, A7, A13 to A15: it must be undone, and is asked to be until the provider says so.
    Owed(Owed),
    /// A16: it was spent before it could be undone. A manager decides.
    Spent(Owed),
    /// A17: the provider will not undo it: live and billed. A manager decides; it is still asked every hour.
    Stuck {
        /// The debt.
        owed: Owed,
        /// Why not.
        why: StuckWhy,
    },
    /// A13: nothing of it is left at the provider. Final.
    Cleared {
        /// How that is known.
        how: ClearedHow,
    },
    /// Closed by a manager. Final.
    Settled {
        /// Who decided.
        by: PersonName,
        /// Why; 1 to 200 characters.
        reason: String,
    },
}

/// What is uncertain about a confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No readable answer.
    NoAnswer,
    /// Done, but without the lines of a POR card (fact sheet U9).
    NoLines,
    /// The provider works on it (fact sheet U12).
    Processing,
    /// The daemon died while it was on its way (A6).
    Restart,
    /// It was refused; is it really not live? (A8)
    Refused(Refusal),
}

/// An undo that must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Since when.
    pub since: Moment,
    /// Why.
    pub why: OwedWhy,
    /// How many attempts have failed.
    pub failures: u32,
    /// When the provider first said that it does not know the order (law L6).
    pub not_found: Option<Moment>,
    /// The confirm turned out to have succeeded after the undo was owed (A7). It changes nothing.
    pub late_success: bool,
}

/// Why an undo is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwedWhy {
    /// The sale was cancelled before it was paid.
    Cancelled,
    /// Nobody paid for it in time.
    NotFresh,
    /// Paid, but the confirm could not be sent, or nobody came back after a restart.
    NotConfirmed,
    /// The outcome of the confirm could not be found out.
    Uncertain,
    /// It is live at the provider although its confirm was refused.
    RefusedButLive,
    /// It was found done too late for the customer.
    TooLate,
    /// It is live, and its lines were not to be had.
    NoLines,
    /// It could not be printed.
    NotPrinted,
    /// A person decided to give the money back.
    MoneyBack,
}

/// Why the provider will not undo an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StuckWhy {
    /// Too late.
    WindowOver,
    /// Never possible for this product.
    NotSupported,
    /// Another refusal.
    Refused(Refusal),
}

/// How it is known that nothing is left of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClearedHow {
    /// The provider invalidated it.
    Invalidated,
    /// The provider says that it had been invalidated before.
    AlreadyInvalidated,
    /// The provider says that it had failed.
    OrderFailed,
    /// The provider does not know it, and said so again after the quiet time (law L6).
    NotFound,
    /// The provider does not undo it, but no confirm was ever sent and now none ever will be (fact sheet U13).
    NeverConfirmed,
    /// Its confirm was refused, and a look-up showed that it is not live (A8).
    ConfirmRefused(Refusal),
}

/// What became of the paper of a card that is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperState {
    /// Printed, by the printer's word.
    Printed(Proof),
    /// Printed, by a person's word.
    SeenComplete,
    /// There was nothing to print.
    None,
    /// A POSA card's slip is not there, and is not needed: the card is in the customer's hand.
    Missing(Fault),
    /// A POSA card's slip may be there.
    Unclear,
}

/// A person's answer to an open question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A4: go on and confirm.
    Finish,
    /// A9, A10: print now; the first piece, if there is one, has been torn up.
    Print,
    /// A10, A11: the slip is complete on paper.
    Complete,
    /// A11: there is paper, and it cannot be used; it has been torn up.
    Unreadable,
    /// A11: nothing came out.
    Nothing,
    /// Give the money back; paper, if there is any, has been collected.
    MoneyBack,
}

/// What a person must answer before the sale can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Which one.
    pub asks: Asks,
    /// The answers that are taken.
    pub choices: &'static [Answer],
    /// When the counter decides by itself (for money back), if it ever does.
    pub until: Option<Moment>,
}

/// The questions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asks {
    /// A4.
    FinishOrMoneyBack,
    /// A9.
    PrintOrMoneyBack,
    /// A10.
    PrintAgain,
    /// A11.
    IsItComplete,
    /// A10, after the last attempt.
    CollectThePaper,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// The create ended.
    CreateEnded(Outcome<Created>),
    /// The payment of the sale was reported; this is the confirm to send.
    Paid {
        /// The exact confirm.
        confirm_request: String,
    },
    /// The sale was cancelled before it was paid.
    Cancelled,
    /// The confirm ended.
    ConfirmEnded(Outcome<OrderSeen>),
    /// A look-up ended.
    LookupEnded(Outcome<OrderSeen>),
    /// An undo ended.
    UndoEnded(Outcome<UndoAnswer>),
    /// Printing ended, of the first paper or of a copy.
    PrintEnded(PrintEnd),
    /// A deadline of the present state has passed.
    TimeUp,
    /// The daemon has started again and found the order in this state.
    Resumed,
    /// A person answered the open question.
    Answered {
        /// What.
        answer: Answer,
        /// Who, if the till said so.
        by: Option<PersonName>,
    },
    /// A manager asked for a copy of the slip (A12).
    CopyAsked {
        /// Who.
        by: PersonName,
    },
    /// A manager closed the case.
    Settled {
        /// Who.
        by: PersonName,
        /// Why; 1 to 200 characters.
        reason: String,
    },
}

/// What must be done now that an event is on disk. Losing the process right after one is safe: what is still to be done
/// follows from the state again ([`OrderEvent::Resumed`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send the create, not before `after`.
    Create {
        /// The pause.
        after: Duration,
    },
    /// Send the confirm.
    Confirm,
    /// Look the order up after a pause, and wait for the answer until `until` at the longest.
    Ask {
        /// The pause.
        after: Duration,
        /// The end of the budget.
        until: Moment,
    },
    /// Invalidate the order after a pause (lengthened by jitter where many may wait).
    Undo {
        /// The pause.
        after: Duration,
    },
    /// Print the slip.
    Print {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// Print a copy.
    PrintCopy {
        /// Which, from 1.
        copy: u16,
    },
    /// Say [`OrderEvent::TimeUp`] at this moment, if the order then still is in this state.
    Wake {
        /// The moment.
        at: Moment,
    },
    /// Destroy the keys of what was sealed for this order: it is never needed again.
    Forget,
}

/// An event that does not fit the state. Nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It comes too late, twice, or out of order.
    #[error("the event does not fit the state of the order")]
    Event,
    /// The deadline has not come yet.
    #[error("the deadline has not come yet")]
    TooEarly,
    /// No such card in the sale.
    #[error("the sale has no such card")]
    NoSuchCard,
}

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
            State::Printing { lines, attempt } => paper::printing(step, lines, attempt, event),
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
                ask(Asks::CollectThePaper, &[Answer::MoneyBack, Answer::Complete], None)
            }
            State::PrintStopped { .. } => {
                ask(Asks::PrintAgain, &[Answer::Print, Answer::Complete, Answer::MoneyBack], None)
            }
            State::PrintUnclear { .. } => ask(
                Asks::IsItComplete,
                &[Answer::Complete, Answer::Unreadable, Answer::Nothing, Answer::MoneyBack],
                None,
            ),
            _ => None,
        }
    }

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
        self.past.wanted.is_none_or(|wanted| self.at.since(wanted) > self.rules.resume)
    }

    fn is_por(&self) -> bool {
        self.facts.kind == CardKind::Por
    }
}
