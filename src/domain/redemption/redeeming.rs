//! Rows B3 and B4 where the provider is repeatable or findable, and the end of every redeem that was answered.
//!
//! A redeem takes value, so its outcome is found out (law L3) and then no longer hoped for. Where the provider is comparable
//! `comparing` finds out, and nothing is ever sent again: two identical redeems debit twice.

use std::time::Duration;

use super::{
    Effect, Evidence, Finding, Misfit, NOW, Next, OwedWhy, RedemptionEvent, State, Step, comparing, owed,
    taken,
};
use crate::outcome::Outcome;
use crate::pauses;
use crate::refusal::Refusal;
use crate::voucher::{Recourse, Redeemed, RedemptionSeen};

/// The redeem is on its way. `finding`: it is a repetition under the same key.
pub(super) fn redeeming(step: Step<'_>, finding: Option<Finding>, event: RedemptionEvent) -> Next {
    match (event, finding) {
        (RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)), _) => {
            taken::taken(step, redeemed, Evidence::Answer)
        }
        (RedemptionEvent::RedeemEnded(outcome), None) => match outcome {
            Outcome::Refused(why) => not_redeemed(&step, why),
            // Neither has taken anything, and a person who still wants it begins anew.
            Outcome::NotSent(_) | Outcome::Later { .. } => not_redeemed(&step, Refusal::RedeemNotSent),
            Outcome::Unknown(_) | Outcome::Done(_) => in_doubt(step),
        },
        (RedemptionEvent::RedeemEnded(outcome), Some(finding)) => repeated(step, finding, outcome),
        (RedemptionEvent::Resumed, _) => after_restart(step),
        _ => Err(Misfit::Event),
    }
}

/// A repetition under the same key gets the answer of the first one. "Not sent" of it says nothing about the first.
fn repeated(step: Step<'_>, finding: Finding, outcome: Outcome<Redeemed>) -> Next {
    match outcome {
        Outcome::Refused(why) if !why.is_about_the_shop() && why != Refusal::ProviderKeyReused => {
            not_redeemed(&step, why)
        }
        Outcome::Later { retry_after } => repeat_again(step, finding, retry_after.unwrap_or_default()),
        _ => repeat_again(step, finding, NOW),
    }
}

fn repeat_again(step: Step<'_>, finding: Finding, at_least: Duration) -> Next {
    let Some(after) = next_pause(&step, finding, at_least) else {
        return owed::owe(step, OwedWhy::Uncertain);
    };
    let effect = Effect::Redeem { after, until: Some(finding.until) };
    Ok((State::Redeeming { finding: Some(finding) }, vec![effect]))
}

/// B3, B4, findable.
pub(super) fn looking_up(step: Step<'_>, finding: Finding, event: RedemptionEvent) -> Next {
    match event {
        RedemptionEvent::LookupEnded(Outcome::Done(seen)) => match seen {
            RedemptionSeen::Done(redeemed) => taken::taken(step, redeemed, Evidence::LookUp),
            RedemptionSeen::Nothing => not_redeemed(&step, Refusal::RedeemRefused),
            RedemptionSeen::InProgress => {
                let until = finding.until.max(finding.since.plus(step.rules().ask_processing));
                look_up_again(step, Finding { until, ..finding }, NOW)
            }
        },
        RedemptionEvent::LookupEnded(Outcome::Later { retry_after }) => {
            look_up_again(step, finding, retry_after.unwrap_or_default())
        }
        // Not even "not found" closes it here: the redeem may still be under way (law L6).
        RedemptionEvent::LookupEnded(_) => look_up_again(step, finding, NOW),
        RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)) => {
            taken::taken(step, redeemed, Evidence::Answer)
        }
        RedemptionEvent::Resumed => after_restart(step),
        _ => Err(Misfit::Event),
    }
}

fn look_up_again(step: Step<'_>, finding: Finding, at_least: Duration) -> Next {
    let Some(after) = next_pause(&step, finding, at_least) else {
        return owed::owe(step, OwedWhy::Uncertain);
    };
    Ok((State::LookingUp { finding }, vec![Effect::LookUp { after, until: Some(finding.until) }]))
}

/// The pause before the next question, or none if it would come too late.
fn next_pause(step: &Step<'_>, finding: Finding, at_least: Duration) -> Option<Duration> {
    let pause = pauses::while_a_guest_waits(step.at.since(finding.since)).max(at_least);
    (step.at.plus(pause) < finding.until).then_some(pause)
}

/// Begins to find out, by what the provider offers.
fn in_doubt(step: Step<'_>) -> Next {
    let until = step.at.plus(step.rules().ask);
    let finding = Finding { since: step.at, until };
    match step.rules().offers.recourse {
        Recourse::Repeatable => {
            let effect = Effect::Redeem { after: NOW, until: Some(until) };
            Ok((State::Redeeming { finding: Some(finding) }, vec![effect]))
        }
        Recourse::Findable => {
            Ok((State::LookingUp { finding }, vec![Effect::LookUp { after: NOW, until: Some(until) }]))
        }
        Recourse::Comparable => Ok(comparing::begin(&step)),
    }
}

/// B4. Nobody waits for long after a restart. Only where nothing but balances can be read it is found out all the same:
/// what cannot be taken back is not owed.
fn after_restart(step: Step<'_>) -> Next {
    if step.guest_gone() && step.rules().offers.recourse != Recourse::Comparable {
        return owed::owe(step, OwedWhy::TooLate);
    }
    in_doubt(step)
}

fn not_redeemed(step: &Step<'_>, why: Refusal) -> Next {
    Ok((State::NotRedeemed { why }, step.forget()))
}
