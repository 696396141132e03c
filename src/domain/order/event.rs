//! What can happen to an order, what a person can be asked and answer, and what must be done then.

use std::time::Duration;

use crate::ids::PersonName;
use crate::moment::Moment;
use crate::outcome::{Created, OrderSeen, Outcome, UndoAnswer};
use crate::printing::PrintEnd;

/// A person's answer to an open question. Where paper may be out, the words differ from those where none can be: a request that
/// answered the one and comes late, after a slip went on by itself, must not answer the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A4: go on and confirm.
    Finish,
    /// A9: print now.
    Print,
    /// A10: print again; the piece that came out has been torn up.
    PrintAgain,
    /// A10, A11: the slip is complete on paper.
    Complete,
    /// A11: there is paper, and it cannot be used; it has been torn up.
    Unreadable,
    /// A11: nothing came out.
    Nothing,
    /// A10, A11: every piece of paper has been collected; give the money back.
    Collected,
    /// A4, A9: give the money back.
    MoneyBack,
}

impl Answer {
    /// A stable name: lower case, words joined by `_`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Print => "print",
            Self::PrintAgain => "print_again",
            Self::Complete => "complete",
            Self::Unreadable => "unreadable",
            Self::Nothing => "nothing",
            Self::Collected => "collected",
            Self::MoneyBack => "money_back",
        }
    }
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
    /// The printer can print again, by its own word: what kept it from the slip is gone (A9).
    PrinterReady,
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
