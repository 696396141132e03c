//! What a till may ask about a redemption.

use tilld_domain::attention::Who;
use tilld_domain::ids::PersonName;
use tilld_domain::outcome::Outcome;
use tilld_domain::redemption::{Answer, Redemption, RedemptionEvent, State, UnclearWhy, Verdict};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::VoucherSeen;

use super::checked;

/// Completes a redemption with its basket.
pub(crate) fn complete(redemption: &Redemption, by: Option<PersonName>) -> Result<RedemptionEvent, Refusal> {
    redemption.may_complete()?;
    Ok(RedemptionEvent::Completed { by })
}

/// Gives the value back (row B9): in the open basket, or later by a manager, who is named.
pub(crate) fn take_back(
    redemption: &Redemption,
    by: Option<PersonName>,
    by_manager: bool,
) -> Result<RedemptionEvent, Refusal> {
    redemption.may_take_back(by_manager)?;
    Ok(RedemptionEvent::TakenBack { by })
}

/// Takes an answer that was asked for; a manager, who is named, where only he may give it.
pub(crate) fn tell(
    redemption: &Redemption,
    answer: Answer,
    by: Option<PersonName>,
    by_manager: bool,
) -> Result<RedemptionEvent, Refusal> {
    let question = redemption.question().ok_or(Refusal::NotAsked)?;
    if !question.choices.contains(&answer) {
        return Err(Refusal::NotAsked);
    }
    if question.who == Who::Manager && !(by_manager && by.is_some()) {
        return Err(Refusal::ManagerNeeded);
    }
    // Who answers for it in the journal: if nobody says who, whoever redeems it.
    let by = by.or_else(|| redemption.opening.cashier.clone());
    Ok(RedemptionEvent::Answered { answer, by })
}

/// Closes a manager's case with a reason.
pub(crate) fn decide(
    redemption: &Redemption,
    verdict: Verdict,
    by: PersonName,
    reason: &str,
) -> Result<RedemptionEvent, Refusal> {
    if !redemption.verdicts().contains(&verdict) {
        return Err(Refusal::NotAsked);
    }
    Ok(RedemptionEvent::Settled { by, reason: checked(reason)?, verdict })
}

/// Takes what was seen when the voucher was scanned again (row B4), where that still tells anything.
pub(crate) fn scanned(redemption: &Redemption, seen: &VoucherSeen) -> Result<RedemptionEvent, Refusal> {
    let tells = matches!(
        redemption.state,
        State::Comparing { .. }
            | State::NotApplied { moved: false, .. }
            | State::Unclear { why: UnclearWhy::NotRead(_), .. }
    );
    if !tells {
        return Err(Refusal::NotAsked);
    }
    if seen.voucher != redemption.opening.voucher {
        return Err(Refusal::AnotherVoucher);
    }
    Ok(RedemptionEvent::ReadEnded { outcome: Outcome::Done(seen.clone()), scanned: true })
}
