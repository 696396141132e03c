//! Rows A13 to A17: an undo that must happen (laws L4, L5, L6).
//!
//! The ways out are the provider's word that nothing is left, its word that it will not (then a manager decides, and it is
//! still asked, by the hour), and a manager's decision. "Not found" closes by itself only after the quiet time, which is
//! measured within one run of the daemon: after a restart it begins anew, because no clock that outlives a run can be
//! trusted not to have been set forward. Failures only lengthen the pause ([`UndoTimes`]); a longer `Retry-After` is obeyed.
//!
//! [`UndoTimes`]: crate::pauses::UndoTimes

use std::time::Duration;

use super::creating::NEVER_CONFIRMED;
use super::{ClearedHow, Effect, Misfit, NOW, Next, OrderEvent, Owed, State, Step, StuckWhy};
use crate::outcome::{OrderStage, Outcome, UndoAnswer};
use crate::pauses;

/// A5, A7, A13 to A15.
pub(super) fn owed(step: Step<'_>, owed: Owed, event: OrderEvent) -> Next {
    let never_confirmed = !step.past.confirm_sent;
    let failed = |mut owed: Owed, at_least: Duration| {
        owed.failures = pauses::one_more(owed.failures);
        let after = step.rules.undo.after(owed.failures).max(at_least);
        Ok((State::Owed(owed), vec![Effect::Undo { after }]))
    };
    match event {
        OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::Refused(why)) | Outcome::Refused(why)) => match why {
            why if why.is_about_the_shop() => failed(owed, NOW),
            _ if never_confirmed => Ok((NEVER_CONFIRMED, vec![Effect::Forget])),
            why => Ok(stop(&step, owed, StuckWhy::Refused(why))),
        },
        OrderEvent::UndoEnded(Outcome::Done(answer)) => match answer {
            UndoAnswer::Invalidated => cleared(ClearedHow::Invalidated),
            UndoAnswer::AlreadyInvalidated => cleared(ClearedHow::AlreadyInvalidated),
            UndoAnswer::OrderFailed => cleared(ClearedHow::OrderFailed),
            // Its confirm is still running (A14): not a failure. The longer it runs, the rarer it is asked about.
            UndoAnswer::StillProcessing => {
                let after = (step.at.long_since(owed.since) / 4)
                    .clamp(Duration::from_secs(1), Duration::from_mins(1));
                // It is there: what was said before about not being there counts no more (law L6).
                Ok((State::Owed(Owed { not_found: None, ..owed }), vec![Effect::Undo { after }]))
            }
            UndoAnswer::NotFound if never_confirmed => Ok((NEVER_CONFIRMED, vec![Effect::Forget])),
            UndoAnswer::NotFound => not_found(&step, owed),
            UndoAnswer::AlreadyRedeemed => Ok(found_spent(step, owed)),
            UndoAnswer::WindowOver | UndoAnswer::NotSupported if never_confirmed => {
                Ok((NEVER_CONFIRMED, vec![Effect::Forget]))
            }
            UndoAnswer::WindowOver => Ok(stop(&step, owed, StuckWhy::WindowOver)),
            UndoAnswer::NotSupported => Ok(stop(&step, owed, StuckWhy::NotSupported)),
            UndoAnswer::Refused(_) => Err(Misfit::Event),
        },
        OrderEvent::UndoEnded(Outcome::Later { retry_after }) => {
            failed(owed, retry_after.unwrap_or_default())
        }
        OrderEvent::UndoEnded(Outcome::NotSent(_) | Outcome::Unknown(_)) => failed(owed, NOW),
        OrderEvent::Resumed => {
            Ok((State::Owed(Owed { not_found: None, ..owed }), vec![Effect::Undo { after: NOW }]))
        }
        // A7: a late success changes nothing but what a person reads about it. And it is there: what was said before about
        // not being there counts no more (law L6).
        OrderEvent::ConfirmEnded(Outcome::Done(seen))
            if seen.stage == OrderStage::Done && !owed.late_success =>
        {
            step.past.confirm_sent = true;
            Ok((State::Owed(Owed { late_success: true, not_found: None, ..owed }), Vec::new()))
        }
        OrderEvent::Settled { by, reason } => Ok((State::Settled { by, reason }, vec![Effect::Forget])),
        _ => Err(Misfit::Event),
    }
}

/// A15 and law L6: "not found" may mean "not there yet", so it counts only when it is said again after the quiet time.
fn not_found(step: &Step<'_>, owed: Owed) -> Next {
    let first = owed.not_found.unwrap_or(step.at);
    let quiet_for = step.at.since(first);
    if owed.not_found.is_some() && quiet_for >= step.rules.quiet {
        return cleared(ClearedHow::NotFound);
    }
    let after = step.rules.quiet.saturating_sub(quiet_for);
    Ok((State::Owed(Owed { not_found: Some(first), ..owed }), vec![Effect::Undo { after }]))
}

/// A16.
pub(super) fn spent(owed: Owed, event: OrderEvent) -> Next {
    match event {
        OrderEvent::Settled { by, reason } => Ok((State::Settled { by, reason }, vec![Effect::Forget])),
        OrderEvent::Resumed => Ok((State::Spent(owed), Vec::new())),
        _ => Err(Misfit::Event),
    }
}

/// A17.
pub(super) fn stuck(step: Step<'_>, owed: Owed, why: StuckWhy, event: OrderEvent) -> Next {
    match event {
        OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::Invalidated)) => cleared(ClearedHow::Invalidated),
        OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::AlreadyInvalidated)) => {
            cleared(ClearedHow::AlreadyInvalidated)
        }
        OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::OrderFailed)) => cleared(ClearedHow::OrderFailed),
        OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::AlreadyRedeemed)) => Ok(found_spent(step, owed)),
        OrderEvent::UndoEnded(Outcome::Later { retry_after }) => {
            let after = retry_after.unwrap_or_default().max(step.rules.undo.stuck);
            Ok((State::Stuck { owed, why }, vec![Effect::Undo { after }]))
        }
        OrderEvent::UndoEnded(_) => Ok(stop(&step, owed, why)),
        OrderEvent::Resumed => {
            let undo = &step.rules.undo;
            let after = undo.stuck.saturating_sub(step.at.long_since(owed.since)).max(undo.stuck / 60);
            Ok((State::Stuck { owed, why }, vec![Effect::Undo { after }]))
        }
        OrderEvent::Settled { by, reason } => Ok((State::Settled { by, reason }, vec![Effect::Forget])),
        _ => Err(Misfit::Event),
    }
}

/// From here on the money is held (A16).
fn found_spent(step: Step<'_>, owed: Owed) -> (State, Vec<Effect>) {
    step.past.spent = true;
    (State::Spent(owed), Vec::new())
}

fn stop(step: &Step<'_>, owed: Owed, why: StuckWhy) -> (State, Vec<Effect>) {
    (State::Stuck { owed, why }, vec![Effect::Undo { after: step.rules.undo.stuck }])
}

fn cleared(how: ClearedHow) -> Next {
    Ok((State::Cleared { how }, vec![Effect::Forget]))
}
