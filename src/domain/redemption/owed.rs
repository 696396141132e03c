//! Rows B5 and B10 to B12: a redemption that must be taken back (laws L4, L5, L6).
//!
//! It is taken back by the provider's name for it. Where that is not known, it is found out first: looked up, or asked for
//! under the same key; where only balances can be read, it is not to be had, and a manager decides. Failures only lengthen
//! the pause; a longer `Retry-After` is obeyed.
//!
//! What asking twice does is the provider's to say ([`Reversal`]). Where nobody has said it, a call that was not answered is
//! not repeated: value given back twice is the shop's loss, and a manager can see at the provider what happened.

use std::time::Duration;

use super::{
    Answer, ClearedHow, Effect, Evidence, Misfit, NOW, Next, Owed, OwedWhy, RedemptionEvent, State, Step,
    StuckWhy, UnclearWhy, Verdict, taken,
};
use crate::outcome::Outcome;
use crate::pauses;
use crate::refusal::Refusal;
use crate::voucher::{Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer};

impl Step<'_> {
    /// Forgets the code, if that has not happened yet: it has where it is known what was taken.
    pub(super) fn forget(&self) -> Vec<Effect> {
        if self.past.taken.is_none() { vec![Effect::Forget] } else { Vec::new() }
    }
}

/// The one way into [`State::Owed`].
pub(super) fn owe(step: Step<'_>, why: OwedWhy) -> Next {
    let owed = Owed { since: step.at, why, failures: 0, not_found: None, late_success: false };
    match go_on(&step, owed, NOW)? {
        // Nobody has decided yet that it was not used, nobody was told so, and it cannot go back: a manager decides.
        (State::Stuck { why: StuckWhy::WithoutId, .. }, effects)
            if matches!(why, OwedWhy::TooLate | OwedWhy::NeverOffered) =>
        {
            Ok((State::Unclear { since: step.at, why: UnclearWhy::NeverOffered }, effects))
        }
        next => Ok(next),
    }
}

/// The next thing to do for a debt.
fn go_on(step: &Step<'_>, owed: Owed, after: Duration) -> Next {
    let offers = step.rules().offers;
    if step.past.redemption.is_some() {
        return Ok(match offers.reversal {
            Reversal::NotConfirmed => stop(owed, StuckWhy::NotConfirmed),
            Reversal::Repeatable | Reversal::Once => (State::Owed(owed), vec![Effect::Reverse { after }]),
        });
    }
    Ok(match offers.recourse {
        Recourse::Findable => (State::Owed(owed), vec![Effect::LookUp { after, until: None }]),
        Recourse::Repeatable if step.past.taken.is_none() => {
            (State::Owed(owed), vec![Effect::Redeem { after, until: None }])
        }
        Recourse::Repeatable | Recourse::Comparable => stop(owed, StuckWhy::WithoutId),
    })
}

fn failed(step: &Step<'_>, mut owed: Owed, at_least: Duration) -> Next {
    owed.failures = pauses::one_more(owed.failures);
    let after = step.rules().undo.after(owed.failures).max(at_least);
    go_on(step, owed, after)
}

/// B5, B10, B11.
pub(super) fn owed(mut step: Step<'_>, owed: Owed, event: RedemptionEvent) -> Next {
    let known = step.past.redemption.is_some();
    match event {
        RedemptionEvent::ReverseEnded(outcome) if known => reversed(&step, owed, outcome),
        RedemptionEvent::LookupEnded(outcome) if !known => looked_up(step, owed, outcome),
        // B5: a late success changes nothing but what a person reads about it, and what it is taken back by.
        RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)) if !known => {
            found(step, Owed { late_success: true, ..owed }, redeemed, Evidence::Answer)
        }
        // It is there: what was said before about not being there counts no more (law L6).
        RedemptionEvent::RedeemEnded(Outcome::Done(_)) if !owed.late_success => {
            Ok((State::Owed(Owed { late_success: true, not_found: None, ..owed }), Vec::new()))
        }
        RedemptionEvent::RedeemEnded(outcome) if !known => match outcome {
            Outcome::Refused(why) if !why.is_about_the_shop() && why != Refusal::ProviderKeyReused => {
                cleared(&step, ClearedHow::NeverApplied)
            }
            Outcome::Later { retry_after } => failed(&step, owed, retry_after.unwrap_or_default()),
            _ => failed(&step, owed, NOW),
        },
        // Before the restart the call may have gone out.
        RedemptionEvent::Resumed if known && step.rules().offers.reversal == Reversal::Once => {
            Ok(stop(owed, unanswered(&step)))
        }
        // The clock may have been set forward in between: the quiet time begins anew (law L6).
        RedemptionEvent::Resumed => go_on(&step, Owed { not_found: None, ..owed }, NOW),
        RedemptionEvent::Settled { by, reason, verdict: Verdict::NotUsed } => {
            Ok(settled(&mut step, by, reason, Verdict::NotUsed))
        }
        _ => Err(Misfit::Event),
    }
}

/// B10, B11, B12: how a reversal ended.
fn reversed(step: &Step<'_>, owed: Owed, outcome: Outcome<ReverseAnswer>) -> Next {
    match outcome {
        Outcome::Done(ReverseAnswer::Reversed) => cleared(step, ClearedHow::Reversed),
        Outcome::Done(ReverseAnswer::AlreadyReversed) => cleared(step, ClearedHow::AlreadyReversed),
        // The longer it runs, the rarer it is asked about.
        Outcome::Done(ReverseAnswer::StillProcessing) => {
            let after =
                (step.at.long_since(owed.since) / 4).clamp(Duration::from_secs(1), Duration::from_mins(1));
            // It is there: what was said before about not being there counts no more (law L6).
            go_on(step, Owed { not_found: None, ..owed }, after)
        }
        Outcome::Done(ReverseAnswer::NotFound) | Outcome::Refused(Refusal::RedemptionNotFound) => {
            not_found(step, owed)
        }
        Outcome::Done(ReverseAnswer::Refused(why)) | Outcome::Refused(why) => {
            if why.is_about_the_shop() {
                failed(step, owed, NOW)
            } else {
                Ok(stop(owed, StuckWhy::Refused(why)))
            }
        }
        Outcome::Later { retry_after } => failed(step, owed, retry_after.unwrap_or_default()),
        Outcome::NotSent(_) => failed(step, owed, NOW),
        Outcome::Unknown(_) if step.rules().offers.reversal == Reversal::Once => {
            Ok(stop(owed, unanswered(step)))
        }
        Outcome::Unknown(_) => failed(step, owed, NOW),
    }
}

/// What a look-up says of a redemption that must be taken back and is not known by name.
fn looked_up(step: Step<'_>, owed: Owed, outcome: Outcome<RedemptionSeen>) -> Next {
    match outcome {
        Outcome::Done(RedemptionSeen::Done(redeemed)) => found(step, owed, redeemed, Evidence::LookUp),
        Outcome::Done(RedemptionSeen::Nothing) => cleared(&step, ClearedHow::NeverApplied),
        Outcome::Done(RedemptionSeen::InProgress) => {
            let after =
                (step.at.long_since(owed.since) / 4).clamp(Duration::from_secs(1), Duration::from_mins(1));
            go_on(&step, Owed { not_found: None, ..owed }, after)
        }
        Outcome::Refused(Refusal::RedemptionNotFound) => not_found(&step, owed),
        Outcome::Later { retry_after } => failed(&step, owed, retry_after.unwrap_or_default()),
        Outcome::Refused(_) | Outcome::NotSent(_) | Outcome::Unknown(_) => failed(&step, owed, NOW),
    }
}

/// It was taken, and now it is known by which name; unless the answer holds none.
fn found(mut step: Step<'_>, owed: Owed, redeemed: Redeemed, by: Evidence) -> Next {
    let forget = taken::learn(&mut step, redeemed, by);
    let (state, mut effects) = if step.past.redemption.is_some() {
        go_on(&step, Owed { not_found: None, ..owed }, NOW)?
    } else {
        stop(owed, StuckWhy::WithoutId)
    };
    effects.extend(forget);
    Ok((state, effects))
}

/// B11 and law L6: "not found" may mean "not there yet", so it counts only when it is said again after the quiet time.
fn not_found(step: &Step<'_>, owed: Owed) -> Next {
    let first = owed.not_found.unwrap_or(step.at);
    let quiet_for = step.at.since(first);
    if owed.not_found.is_some() && quiet_for >= step.rules().quiet {
        return cleared(step, ClearedHow::NotFound);
    }
    let after = step.rules().quiet.saturating_sub(quiet_for);
    go_on(step, Owed { not_found: Some(first), ..owed }, after)
}

/// B12.
pub(super) fn stuck(mut step: Step<'_>, owed: Owed, why: StuckWhy, event: RedemptionEvent) -> Next {
    let known = step.past.redemption.is_some();
    match event {
        // A manager has looked at the provider, or the set-up was mended: it is asked for again, also where the rules of
        // this redemption would not.
        RedemptionEvent::Answered { answer: Answer::TryAgain, by: Some(_) } if known => {
            let owed = Owed { failures: 0, not_found: None, ..owed };
            Ok((State::Owed(owed), vec![Effect::Reverse { after: NOW }]))
        }
        RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)) if !known && redeemed.redemption.is_some() => {
            found(step, Owed { late_success: true, ..owed }, redeemed, Evidence::Answer)
        }
        RedemptionEvent::Resumed => Ok((State::Stuck { owed, why }, Vec::new())),
        RedemptionEvent::Settled { by, reason, verdict: Verdict::NotUsed } => {
            Ok(settled(&mut step, by, reason, Verdict::NotUsed))
        }
        _ => Err(Misfit::Event),
    }
}

fn unanswered(step: &Step<'_>) -> StuckWhy {
    StuckWhy::Unanswered { until: step.at.plus(step.rules().quiet) }
}

fn stop(owed: Owed, why: StuckWhy) -> (State, Vec<Effect>) {
    (State::Stuck { owed, why }, Vec::new())
}

pub(super) fn cleared(step: &Step<'_>, how: ClearedHow) -> Next {
    Ok((State::Cleared { how }, step.forget()))
}

pub(super) fn settled(
    step: &mut Step<'_>,
    by: crate::ids::PersonName,
    reason: String,
    verdict: Verdict,
) -> (State, Vec<Effect>) {
    (State::Settled { by, reason, verdict }, step.forget())
}
