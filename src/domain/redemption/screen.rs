//! What the cashier reads about a redemption: one sentence that says what to do with the voucher and with other payment.
//!
//! It follows from the state alone, so that the first screen after a power cut is the screen before it. The sentences here are
//! English; other languages are keyed by [`Screen::code`].

use super::{Asks, ClearedHow, Counts, Redemption, State, Verdict};
use crate::refusal::Refusal;
use crate::voucher::{Booking, Worth};

/// What a screen says about a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// The redeem is on its way.
    Wait,
    /// B3, B4.
    Checking,
    /// B4, where the sealed code cannot be opened.
    ScanAgain,
    /// Nothing was taken.
    NotRedeemed(Refusal),
    /// B3, unchanged twice.
    NotApplied,
    /// B6.
    OnlySoMuch(Worth),
    /// B7.
    Interrupted,
    /// B8, and what the till was told.
    Redeemed(Worth, Booking),
    /// B8.
    WasItUsed,
    /// B5, B7, B11: the till was never told of a success.
    NotUsedGivingBack,
    /// B10 of such a one.
    NotUsedGivenBack,
    /// B12 of such a one.
    NotUsedCallTheManager,
    /// B9, B11: somebody decided that what was redeemed goes back.
    GivingBack,
    /// B10.
    GivenBack,
    /// B12.
    NotGivenBack,
    /// B3: undecided, and so no other payment is taken.
    CallTheManager,
    /// A manager has decided that it does not count.
    NotUsed,
}

impl Screen {
    /// What the cashier reads.
    pub fn of(redemption: &Redemption) -> Self {
        match (&redemption.state, redemption.question().map(|question| question.asks)) {
            (_, Some(Asks::WasItUsed)) => Self::WasItUsed,
            (_, Some(Asks::ScanAgain)) => Self::ScanAgain,
            (State::Redeeming { finding: None }, _) => Self::Wait,
            (
                State::Redeeming { finding: Some(_) } | State::LookingUp { .. } | State::Comparing { .. },
                _,
            ) => Self::Checking,
            (State::NotRedeemed { why }, _) => Self::NotRedeemed(why.clone()),
            (State::NotApplied { .. }, _) => Self::NotApplied,
            (State::Cleared { how: ClearedHow::Unchanged | ClearedHow::NeverApplied }, _) => Self::NotApplied,
            (State::GrantedLess { .. }, _) => {
                Self::OnlySoMuch(redemption.past.taken.map_or(redemption.opening.amount, |taken| taken.worth))
            }
            (State::Redeemed { .. }, _) => Self::Interrupted,
            (
                State::Answered { .. } | State::Completed | State::Settled { verdict: Verdict::Used, .. },
                _,
            ) => match redemption.counts() {
                Counts::For(worth) => Self::Redeemed(worth, redemption.booking()),
                Counts::Open | Counts::Nothing => Self::CallTheManager,
            },
            (State::Unclear { .. }, _) => Self::CallTheManager,
            (State::Owed(_), _) if redemption.past.offered => Self::GivingBack,
            (State::Owed(_), _) => Self::NotUsedGivingBack,
            (State::Stuck { .. }, _) if redemption.past.offered => Self::NotGivenBack,
            (State::Stuck { .. }, _) => Self::NotUsedCallTheManager,
            (State::Cleared { .. }, _) if redemption.past.offered => Self::GivenBack,
            (State::Cleared { .. }, _) => Self::NotUsedGivenBack,
            (State::Settled { .. }, _) => Self::NotUsed,
        }
    }

    /// A stable name: lower case, words joined by `_`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Checking => "checking",
            Self::ScanAgain => "scan_again",
            Self::NotRedeemed(_) => "not_redeemed",
            Self::NotApplied => "not_applied",
            Self::OnlySoMuch(_) => "only_so_much",
            Self::Interrupted => "interrupted",
            Self::Redeemed(_, Booking::Tender) => "redeemed_as_payment",
            Self::Redeemed(_, Booking::Discount) => "redeemed_as_discount",
            Self::WasItUsed => "was_it_used",
            Self::NotUsedGivingBack => "not_used_giving_back",
            Self::NotUsedGivenBack => "not_used_given_back",
            Self::NotUsedCallTheManager => "not_used_call_the_manager",
            Self::GivingBack => "giving_back",
            Self::GivenBack => "given_back",
            Self::NotGivenBack => "not_given_back",
            Self::CallTheManager => "call_the_manager",
            Self::NotUsed => "not_used",
        }
    }

    /// The sentence, in English.
    pub fn sentence(&self) -> String {
        match self {
            Self::Wait => "Please wait.".to_owned(),
            Self::Checking => "Checking. Do not take other payment yet.".to_owned(),
            Self::ScanAgain => "Scan the voucher once more. Do not take other payment yet.".to_owned(),
            Self::NotRedeemed(why) => why.sentence().to_owned(),
            Self::NotApplied => {
                "Nothing was taken from the voucher. Take other payment, or redeem it again.".to_owned()
            }
            Self::OnlySoMuch(worth) => format!("Only {worth} on it. Accept?"),
            Self::Interrupted => "Interrupted. Redeem the voucher again for the same basket.".to_owned(),
            Self::Redeemed(worth, Booking::Tender) => format!("Redeemed: {worth}. Book it as payment."),
            Self::Redeemed(worth, Booking::Discount) => format!("Redeemed: {worth}. Book it as a discount."),
            Self::WasItUsed => "Was the voucher used for this sale?".to_owned(),
            Self::NotUsedGivingBack => {
                "NOT used. Take other payment. The voucher gets its value back.".to_owned()
            }
            Self::NotUsedGivenBack => {
                "NOT used. Take other payment. The voucher has its value back.".to_owned()
            }
            Self::NotUsedCallTheManager => {
                "NOT used. Take other payment. Call the manager for the voucher.".to_owned()
            }
            Self::GivingBack => "The voucher gets its value back.".to_owned(),
            Self::GivenBack => "The voucher has its value back.".to_owned(),
            Self::NotGivenBack => {
                "The voucher did not get its value back. Call the manager for it.".to_owned()
            }
            Self::CallTheManager => "Call the manager. Do not take other payment yet.".to_owned(),
            Self::NotUsed => "NOT used. Take other payment.".to_owned(),
        }
    }
}
