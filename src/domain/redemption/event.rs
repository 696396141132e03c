//! What can happen to a redemption, what a person can be asked and answer, and what must be done then.

use std::time::Duration;

use super::state::Verdict;
use crate::attention::Who;
use crate::ids::PersonName;
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::voucher::{Redeemed, RedemptionSeen, ReverseAnswer, VoucherSeen};

/// A person's answer to an open question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// B6: less is enough.
    Accept,
    /// B6: it is not; the voucher gets its value back.
    TakeBack,
    /// B8: the voucher was used for this basket.
    Used,
    /// B8: it was not; it gets its value back.
    NotUsed,
    /// B12: ask the provider once more to take it back.
    TryAgain,
}

impl Answer {
    /// A stable name: lower case, words joined by `_`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::TakeBack => "take_back",
            Self::Used => "used",
            Self::NotUsed => "not_used",
            Self::TryAgain => "try_again",
        }
    }
}

/// What a person must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Which one.
    pub asks: Asks,
    /// Who may answer.
    pub who: Who,
    /// The answers that are taken; none where a scan is the answer, or a manager's verdict.
    pub choices: &'static [Answer],
    /// When the counter decides by itself, if it ever does.
    pub until: Option<Moment>,
    /// Where a scan is the answer: from when on one that finds nothing taken counts. One that finds the amount gone always does.
    pub from: Option<Moment>,
}

/// The questions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asks {
    /// B6.
    AcceptLess,
    /// B8.
    WasItUsed,
    /// B4: scan the voucher again.
    ScanAgain,
    /// B3: only a manager can find out whether it was taken, or used.
    WasItTaken,
    /// B12.
    TryAgain,
}

/// What happened to a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionEvent {
    /// The redeem ended.
    RedeemEnded(Outcome<Redeemed>),
    /// A look-up ended.
    LookupEnded(Outcome<RedemptionSeen>),
    /// The voucher was read again.
    ReadEnded {
        /// What it showed.
        outcome: Outcome<VoucherSeen>,
        /// Whether a person scanned it again; else it was read by its sealed code.
        scanned: bool,
    },
    /// The sealed code cannot be opened: only another scan can tell now (B4).
    CodeLost,
    /// Something else is being redeemed from the same voucher.
    VoucherMoved,
    /// A till has asked for it once more, under another key (B13). It changes nothing; its key is written with it, so that the
    /// same request gets the same answer for ever.
    AskedAgain,
    /// The till is being told of the success: written together with what it is told, so that the answer line is never
    /// crossed unseen (law L7).
    Offered,
    /// The till has completed the basket.
    Completed {
        /// By whom, if the till said so.
        by: Option<PersonName>,
    },
    /// It is to be taken back: by the cashier in the open basket, by a manager later (B9).
    TakenBack {
        /// By whom, if the till said so.
        by: Option<PersonName>,
    },
    /// A reversal ended.
    ReverseEnded(Outcome<ReverseAnswer>),
    /// A deadline of the present state has passed.
    TimeUp,
    /// The daemon has started again and found the redemption in this state.
    Resumed,
    /// A person answered the open question.
    Answered {
        /// What.
        answer: Answer,
        /// Who, if the till said so.
        by: Option<PersonName>,
    },
    /// A manager closed the case.
    Settled {
        /// Who.
        by: PersonName,
        /// Why; 1 to 200 characters.
        reason: String,
        /// With which result.
        verdict: Verdict,
    },
}

/// What must be done now that an event is on disk. Losing the process right after one is safe: what is still to be done
/// follows from the state again ([`RedemptionEvent::Resumed`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send the redeem after a pause, and wait for the answer until `until` at the longest.
    Redeem {
        /// The pause.
        after: Duration,
        /// The end of the budget; none where the call's own deadline ends it.
        until: Option<Moment>,
    },
    /// Look the redemption up after a pause, likewise.
    LookUp {
        /// The pause.
        after: Duration,
        /// The end of the budget.
        until: Option<Moment>,
    },
    /// Read the voucher by its sealed code after a pause, and say [`RedemptionEvent::ReadEnded`]; or
    /// [`RedemptionEvent::CodeLost`] if the code cannot be opened.
    Validate {
        /// The pause.
        after: Duration,
    },
    /// Take the redemption back after a pause (lengthened by jitter where many may wait).
    Reverse {
        /// The pause.
        after: Duration,
    },
    /// Say [`RedemptionEvent::TimeUp`] at this moment, if the redemption then still is in this state.
    Wake {
        /// The moment.
        at: Moment,
    },
    /// Destroy the key of the sealed code: nothing can be found out by it any more.
    Forget,
}

/// An event that does not fit the state. Nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It comes too late, twice, or out of order.
    #[error("the event does not fit the state of the redemption")]
    Event,
    /// The deadline has not come yet.
    #[error("the deadline has not come yet")]
    TooEarly,
    /// Another voucher was scanned than the one that is being redeemed.
    #[error("another voucher was scanned")]
    AnotherVoucher,
}
