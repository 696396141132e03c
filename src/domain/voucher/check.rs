//! One look at a voucher: the rows B1, B2 and B14.
//!
//! ```text
//!            refused, no connection, no answer for 10 s
//!  Asking ──────────────────────────────────────────────► Ended
//!     ▲ │ seen                                               ▲
//!     │ ▼                                                    │
//!   Seen ────────────────────────────────────────────────────┘ (of the next look)
//!     └─ a redeem is asked for, and what was seen is not of this moment: look again
//! ```
//!
//! A look takes nothing, so it is repeated freely, it is not journaled, and it dies with the process: the cashier scans again.
//! What it shows gets old twice. After [`Rules::shown`] nothing may be redeemed on it: the cashier has another guest. And
//! after [`Rules::fresh`] it may be redeemed only after another look, because what is on the voucher *before* the redeem is
//! the evidence that decides row B3, and another store may spend from the same voucher.
//!
//! That a look succeeds does not say that the voucher can be redeemed (fact sheet gift-local 2): [`Check::ready`] decides.

use std::cmp::Ordering;
use std::time::Duration;

use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::voucher::{VoucherKind, VoucherSeen, VoucherShown, Worth};

/// The pause before a look that was not answered is repeated.
const PAUSE: Duration = Duration::from_millis(500);

/// The times of a look. They are not journaled, because no look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// For how long an answer is waited for (law L3: a guest stands there).
    pub ask: Duration,
    /// For how long what was seen may be acted on: longer than typing an amount takes, shorter than the next guest.
    pub shown: Duration,
    /// How young it must be to be the evidence of a redeem: as long as a cashier needs who types nothing.
    pub fresh: Duration,
}

impl Rules {
    /// The times of the design.
    pub const DESIGN: Self =
        Self { ask: Duration::from_secs(10), shown: Duration::from_mins(2), fresh: Duration::from_secs(5) };
}

/// Where a look stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// B1: the provider is asked.
    Asking {
        /// Since when.
        since: Moment,
        /// What was seen before, if this is another look.
        before: Option<Box<VoucherShown>>,
    },
    /// B2: it was seen.
    Seen {
        /// When.
        at: Moment,
        /// What; also of a voucher that cannot be redeemed.
        shown: Box<VoucherShown>,
    },
    /// Nothing was seen. Final.
    Ended {
        /// Why.
        why: Refusal,
        /// When.
        at: Moment,
    },
}

/// What happens to a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The provider's answer.
    ValidateEnded(Outcome<VoucherShown>),
    /// A redeem was asked for, and what was seen is not of this moment.
    LookAgain,
}

/// What must be done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ask the provider after a pause, and wait until `until` at the longest.
    Validate {
        /// The pause.
        after: Duration,
        /// The end of the budget.
        until: Moment,
    },
}

/// An event that does not fit the state; nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event does not fit the state of the check")]
pub struct Misfit;

/// What a cashier wants to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How much. There is no word for "all of it": a provider takes a missing amount as that (fact sheet gift-local 3).
    pub amount: Worth,
    /// Whether the cashier has compared the terms with the basket.
    pub terms_confirmed: bool,
}

/// What a look allows to be redeemed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// This voucher, on this evidence.
    Redeem(VoucherSeen),
    /// The same, once it was looked at again ([`Event::LookAgain`]).
    LookAgain,
}

/// One look at a voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The times that it lives by.
    pub rules: Rules,
    /// Where it stands.
    pub state: State,
}

type Next = Result<(State, Vec<Effect>), Misfit>;

impl Check {
    /// Begins a look.
    pub fn open(rules: Rules, at: Moment) -> (Self, Vec<Effect>) {
        let state = State::Asking { since: at, before: None };
        (Self { rules, state }, vec![Effect::Validate { after: Duration::ZERO, until: at.plus(rules.ask) }])
    }

    /// What follows from an event.
    pub fn step(self, at: Moment, event: Event) -> Result<(Self, Vec<Effect>), Misfit> {
        let rules = self.rules;
        let (state, effects) = match (self.state, event) {
            (State::Asking { since, before }, Event::ValidateEnded(outcome)) => {
                asked(rules, since, before, at, outcome)
            }
            (State::Seen { at: seen, shown }, Event::LookAgain) if at.since(seen) < rules.shown => {
                let until = at.plus(rules.ask);
                let state = State::Asking { since: at, before: Some(shown) };
                Ok((state, vec![Effect::Validate { after: Duration::ZERO, until }]))
            }
            _ => Err(Misfit),
        }?;
        Ok((Self { rules, state }, effects))
    }

    /// When nothing can come of it any more, so that it may be dropped.
    pub fn expires(&self) -> Moment {
        match &self.state {
            State::Asking { since, .. } => since.plus(self.rules.ask.saturating_add(self.rules.shown)),
            State::Seen { at, .. } | State::Ended { at, .. } => at.plus(self.rules.shown),
        }
    }

    /// Whether it was a wrong code, of which a terminal may not try many ([`super::tries`]).
    pub fn was_a_wrong_code(&self) -> bool {
        matches!(&self.state, State::Ended { why: Refusal::VoucherNotFound, .. })
    }

    /// B2: whether `wish` may be redeemed on what was seen, and on which evidence.
    pub fn ready(&self, at: Moment, wish: Wish) -> Result<Ready, Refusal> {
        let (seen_at, shown) = match &self.state {
            State::Asking { .. } => return Err(Refusal::StillWorking),
            State::Ended { why, .. } => return Err(why.clone()),
            State::Seen { at, shown } => (*at, shown),
        };
        if at.since(seen_at) >= self.rules.shown {
            return Err(Refusal::CheckExpired);
        }
        let seen = &shown.seen;
        let eligible = seen.worth().ok_or(Refusal::VoucherNotRedeemable)?;
        if !wish.amount.is_positive() {
            return Err(Refusal::NothingToRedeem);
        }
        match (wish.amount.compare(eligible), wish.amount, eligible) {
            (Some(Ordering::Less | Ordering::Equal), ..) => {}
            (Some(Ordering::Greater), ..) => return Err(Refusal::MoreThanEligible),
            (None, Worth::Money(_), Worth::Money(_)) => return Err(Refusal::VoucherCurrency),
            (None, Worth::Money(_), Worth::Items(_)) => return Err(Refusal::VoucherOfItems),
            (None, Worth::Items(_), _) => return Err(Refusal::VoucherOfMoney),
        }
        if seen.kind == VoucherKind::Promotional && !wish.terms_confirmed {
            return Err(Refusal::TermsNotConfirmed);
        }
        if at.since(seen_at) <= self.rules.fresh {
            Ok(Ready::Redeem(seen.clone()))
        } else {
            Ok(Ready::LookAgain)
        }
    }

    /// What the cashier reads: what to do, or what is on the voucher. The provider's own words stand beside it.
    pub fn sentence(&self) -> String {
        match &self.state {
            State::Asking { .. } => "Please wait.".to_owned(),
            State::Ended { why, .. } => why.sentence().to_owned(),
            State::Seen { shown, .. } => match shown.seen.worth() {
                Some(worth) => format!("{worth} left."),
                None => match shown.description.as_str().trim_end_matches(['.', ' ']) {
                    "" => Refusal::VoucherNotRedeemable.sentence().to_owned(),
                    why => format!("This voucher cannot be redeemed now: {why}. Nothing was taken from it."),
                },
            },
        }
    }
}

fn asked(
    rules: Rules,
    since: Moment,
    before: Option<Box<VoucherShown>>,
    at: Moment,
    outcome: Outcome<VoucherShown>,
) -> Next {
    let ended = |why| Ok((State::Ended { why, at }, Vec::new()));
    let until = since.plus(rules.ask);
    let pause = match outcome {
        // Under the same code stands another voucher now: the cashier must see it.
        Outcome::Done(shown)
            if before.as_ref().is_some_and(|before| before.seen.voucher != shown.seen.voucher) =>
        {
            return ended(Refusal::CheckExpired);
        }
        Outcome::Done(shown) => return Ok((State::Seen { at, shown: Box::new(shown) }, Vec::new())),
        Outcome::Refused(why) => return ended(why),
        Outcome::NotSent(_) => return ended(Refusal::VoucherNotChecked),
        Outcome::Later { retry_after } => retry_after.unwrap_or_default().max(PAUSE),
        Outcome::Unknown(_) => PAUSE,
    };
    if at.plus(pause) >= until {
        return ended(Refusal::VoucherNotChecked);
    }
    Ok((State::Asking { since, before }, vec![Effect::Validate { after: pause, until }]))
}

#[cfg(test)]
mod tests;
