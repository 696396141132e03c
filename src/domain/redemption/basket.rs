//! Row B13 and law L12: whether another redemption may begin, beside those that there are.
//!
//! | the basket has | and the voucher | then |
//! |---|---|---|
//! | a redemption of this voucher that counts, or may | – | the same answer; with another amount: refused |
//! | one of this voucher that is undone, refused, or not applied | – | a new one: a person wants it again |
//! | anything whose outcome is open | – | refused: one open question blocks the basket |
//! | – | is being redeemed, or given its value back, elsewhere | refused: it would upset what is left on it, the only evidence there is |
//!
//! It knows the redemptions of this terminal. That a voucher is redeemed at another one at the same time shows only in what is
//! left on it (fact sheet gift-local 7a).

use super::{Counts, Redemption, State, StuckWhy};
use crate::ids::{BasketId, RedemptionId, VoucherId};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::voucher::Worth;

/// What is to be done about a redeem that a till asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Begin it.
    New,
    /// It is this one: nothing is sent twice.
    Same(RedemptionId),
}

/// Decides about a redeem that is asked for `at` a moment. `others`: all that are open at this terminal, and the closed ones of this basket.
pub fn admit<'a>(
    others: impl IntoIterator<Item = &'a Redemption>,
    basket: &BasketId,
    voucher: &VoucherId,
    amount: Worth,
    at: Moment,
) -> Result<Admission, Refusal> {
    let mut found = Ok(Admission::New);
    for other in others {
        let (same_basket, same_voucher) =
            (other.opening.basket == *basket, other.opening.voucher == *voucher);
        if same_basket && same_voucher && other.counts() != Counts::Nothing {
            return if other.opening.amount == amount {
                Ok(Admission::Same(other.id()))
            } else {
                Err(Refusal::VoucherTwice)
            };
        }
        if same_voucher && other.moves_its_voucher(at) {
            found = Err(Refusal::VoucherInUse);
        } else if same_basket && let Some(why) = other.blocks_its_basket() {
            found = found.and(Err(why));
        }
    }
    found
}

/// Whether a person may have the value of `this` given back now: not while another redemption of its voucher is found out
/// by what is left on it. `others`: all that are open at this terminal.
pub fn may_give_back<'a>(
    this: &Redemption,
    others: impl IntoIterator<Item = &'a Redemption>,
    at: Moment,
) -> Result<(), Refusal> {
    let in_the_way = |other: &Redemption| {
        other.id() != this.id()
            && other.opening.voucher == this.opening.voucher
            && other.moves_its_voucher(at)
    };
    if others.into_iter().any(in_the_way) { Err(Refusal::VoucherInUse) } else { Ok(()) }
}

impl Redemption {
    /// Whether something else of its voucher must wait, because what is left on the voucher is changing or may change by
    /// itself. Not while a manager decides, which may take days, but for as long as a reversal that was not answered may still work.
    pub fn moves_its_voucher(&self, at: Moment) -> bool {
        match &self.state {
            State::Redeeming { .. }
            | State::LookingUp { .. }
            | State::Comparing { .. }
            | State::GrantedLess { .. }
            | State::Redeemed { .. }
            | State::Owed(_) => true,
            State::Stuck { why: StuckWhy::Unanswered { until }, .. } => at < *until,
            State::NotRedeemed { .. }
            | State::NotApplied { .. }
            | State::Answered { .. }
            | State::Completed
            | State::Unclear { .. }
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => false,
        }
    }

    /// Whether [`RedemptionEvent::VoucherMoved`](super::RedemptionEvent::VoucherMoved) must be written for it when another
    /// redemption of its voucher begins: what is left will tell nothing any more.
    pub fn watches_its_voucher(&self) -> bool {
        match &self.state {
            State::NotApplied { moved, .. } => !moved,
            State::Unclear { why: super::UnclearWhy::NotRead(_), .. } => true,
            _ => false,
        }
    }

    /// Why no other payment of any kind is taken for its basket now, if so (law L12).
    pub fn blocks_its_basket(&self) -> Option<Refusal> {
        if !self.at_rest() {
            return Some(Refusal::StillWorking);
        }
        let asked = self.question().is_some_and(|question| question.asks != super::Asks::TryAgain);
        match self.counts() {
            _ if asked => Some(Refusal::OpenQuestion),
            Counts::Open => Some(Refusal::StillWorking),
            Counts::Nothing | Counts::For(_) => None,
        }
    }
}
