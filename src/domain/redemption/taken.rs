//! Rows B6 to B9: the value is taken.
//!
//! The answer line (law L7) runs through this file: until the till is told ([`RedemptionEvent::Offered`]) the machine may
//! decide by itself that the value goes back; afterwards only a person or the till may.
//!
//! What was taken is what the provider says. Where it says only what is left, less than was asked for shows in that; more
//! does not, because another store may have spent the rest.

use std::cmp::Ordering;

use super::{
    Answer, Effect, Evidence, Misfit, Next, Opening, OwedWhy, RedemptionEvent, State, Step, Taken, Verdict,
    owed,
};
use crate::moment::Moment;
use crate::voucher::{Redeemed, Worth};

/// It was taken: enough, less, or something else than was asked for.
pub(super) fn taken(mut step: Step<'_>, redeemed: Redeemed, by: Evidence) -> Next {
    let forget = learn(&mut step, redeemed, by);
    let (asked, worth) = (step.facts.amount, step.past.taken.map_or(step.facts.amount, |taken| taken.worth));
    let (state, mut effects) = match worth.compare(asked) {
        _ if step.guest_gone() => owed::owe(step, OwedWhy::TooLate)?,
        Some(Ordering::Equal) => {
            let until = step.at.plus(step.rules().resume);
            (State::Redeemed { until }, vec![Effect::Wake { at: until }])
        }
        Some(Ordering::Less) if worth.is_positive() => {
            let until = step.at.plus(step.rules().accept);
            (State::GrantedLess { until }, vec![Effect::Wake { at: until }])
        }
        _ => owed::owe(step, OwedWhy::TakenOtherwise)?,
    };
    effects.extend(forget);
    Ok((state, effects))
}

/// Keeps what is known of it now. From here on the code can tell nothing more.
pub(super) fn learn(step: &mut Step<'_>, redeemed: Redeemed, by: Evidence) -> Vec<Effect> {
    let forget = step.forget();
    let worth = worth_of(step.facts, &redeemed);
    step.past.redemption = redeemed.redemption;
    step.past.taken = Some(Taken { worth, left: redeemed.remaining.rest(), by });
    forget
}

fn worth_of(facts: &Opening, redeemed: &Redeemed) -> Worth {
    let by_what_is_left = || {
        let worth = facts.before.taken_until(redeemed.remaining)?;
        let less = worth.is_positive() && worth.compare(facts.amount) == Some(Ordering::Less);
        less.then_some(worth)
    };
    redeemed.granted.or_else(by_what_is_left).unwrap_or(facts.amount)
}

/// B6. Less was taken: enough, if a person says so in time.
pub(super) fn granted_less(step: Step<'_>, until: Moment, event: RedemptionEvent) -> Next {
    match event {
        RedemptionEvent::Answered { answer: Answer::Accept, .. } if step.at < until => answer(step),
        RedemptionEvent::Answered { answer: Answer::TakeBack, .. } => owed::owe(step, OwedWhy::TooLittle),
        RedemptionEvent::TimeUp if step.at >= until => owed::owe(step, OwedWhy::TooLittle),
        RedemptionEvent::TimeUp => Err(Misfit::TooEarly),
        RedemptionEvent::Resumed => {
            let until = until.min(step.at.plus(step.rules().resume));
            if step.at >= until {
                return owed::owe(step, OwedWhy::TooLittle);
            }
            Ok((State::GrantedLess { until }, vec![Effect::Wake { at: until }]))
        }
        _ => Err(Misfit::Event),
    }
}

/// B7. The till asks again in time, or nobody ever knew.
pub(super) fn redeemed(step: Step<'_>, until: Moment, event: RedemptionEvent) -> Next {
    match event {
        RedemptionEvent::Offered if step.at < until => answer(step),
        RedemptionEvent::TimeUp | RedemptionEvent::Resumed if step.at >= until => {
            owed::owe(step, OwedWhy::NeverOffered)
        }
        RedemptionEvent::TimeUp => Err(Misfit::TooEarly),
        RedemptionEvent::Resumed => {
            let until = until.min(step.at.plus(step.rules().resume));
            Ok((State::Redeemed { until }, vec![Effect::Wake { at: until }]))
        }
        _ => Err(Misfit::Event),
    }
}

/// The till may know it from here on.
fn answer(step: Step<'_>) -> Next {
    step.past.offered = true;
    let until = step.at.plus(step.rules().complete);
    Ok((State::Answered { until, asked: false }, vec![Effect::Wake { at: until }]))
}

/// B8. The goods may be out: only the till or a person can tell.
pub(super) fn answered(step: Step<'_>, until: Moment, asked: bool, event: RedemptionEvent) -> Next {
    match event {
        RedemptionEvent::Completed { .. } => Ok((State::Completed, Vec::new())),
        RedemptionEvent::TakenBack { .. } => owed::owe(step, OwedWhy::TakenBack),
        RedemptionEvent::Answered { answer: Answer::Used, .. } if asked => Ok((State::Completed, Vec::new())),
        RedemptionEvent::Answered { answer: Answer::NotUsed, .. } if asked => {
            owed::owe(step, OwedWhy::NotUsed)
        }
        RedemptionEvent::TimeUp if asked => Err(Misfit::Event),
        RedemptionEvent::TimeUp if step.at < until => Err(Misfit::TooEarly),
        // A till that lost its power with the daemon may have lost the basket too.
        RedemptionEvent::TimeUp | RedemptionEvent::Resumed => {
            Ok((State::Answered { until: until.min(step.at), asked: true }, Vec::new()))
        }
        _ => Err(Misfit::Event),
    }
}

/// B9.
pub(super) fn completed(step: Step<'_>, event: RedemptionEvent) -> Next {
    let without_id = step.past.redemption.is_none();
    match event {
        RedemptionEvent::TakenBack { .. } => owed::owe(step, OwedWhy::TakenBack),
        RedemptionEvent::Settled { by, reason, verdict: Verdict::Used } if without_id => {
            Ok((State::Settled { by, reason, verdict: Verdict::Used }, Vec::new()))
        }
        RedemptionEvent::Resumed if without_id => Ok((State::Completed, Vec::new())),
        _ => Err(Misfit::Event),
    }
}
