//! Rows A1 to A3: from the first byte of the create to the payment. Nothing here has value yet, so everything that goes
//! wrong ends with "Not sold. Try again.", or with an undo that tells the provider not to wait.

use std::time::Duration;

use super::{ClearedHow, Effect, Misfit, NOW, Next, OrderEvent, OwedWhy, State, Step};
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::refusal::Refusal;

/// The shortest pause before a create that was answered with "not now" is sent again: asking faster only prolongs it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// A1. A create is repeated once under its key; then it is abandoned for good, because it buys nothing.
pub(super) fn creating(step: Step<'_>, sent: Moment, repeated: bool, event: OrderEvent) -> Next {
    let not_sold = |why| Ok((State::NotSold { why }, vec![Effect::Forget]));
    match event {
        OrderEvent::CreateEnded(Outcome::Done(created)) => {
            step.past.provider_order = Some(created.order);
            step.past.created = Some(step.at);
            let wake = Effect::Wake { at: step.at.plus(step.rules.fresh) };
            Ok((State::Created { at: step.at }, vec![wake]))
        }
        OrderEvent::CreateEnded(Outcome::Refused(why)) => not_sold(why),
        // "Not sent" of the repetition says nothing about the first one.
        OrderEvent::CreateEnded(Outcome::NotSent(_)) if repeated => not_sold(Refusal::OutcomeUnknown),
        OrderEvent::CreateEnded(Outcome::NotSent(_)) => not_sold(Refusal::NoConnection),
        OrderEvent::CreateEnded(Outcome::Later { retry_after }) => {
            let pause = retry_after.unwrap_or_default().max(SHORTEST_PAUSE);
            if step.at.since(sent).saturating_add(pause) <= step.rules.ask {
                Ok((State::Creating { sent, repeated }, vec![Effect::Create { after: pause }]))
            } else {
                not_sold(Refusal::NoConnection)
            }
        }
        OrderEvent::CreateEnded(Outcome::Unknown(_)) if !repeated => {
            Ok((State::Creating { sent, repeated: true }, vec![Effect::Create { after: NOW }]))
        }
        OrderEvent::CreateEnded(Outcome::Unknown(_)) => not_sold(Refusal::OutcomeUnknown),
        OrderEvent::Resumed if !repeated && step.at.long_since(sent) <= step.rules.create_again => {
            Ok((State::Creating { sent, repeated: true }, vec![Effect::Create { after: NOW }]))
        }
        OrderEvent::Resumed => not_sold(Refusal::OutcomeUnknown),
        _ => Err(Misfit::Event),
    }
}

/// A2, A3. The till is asked for the money; the order waits while it is fresh.
pub(super) fn created(step: Step<'_>, created: Moment, event: OrderEvent) -> Next {
    let fresh_until = created.plus(step.rules.fresh);
    match event {
        OrderEvent::Paid { confirm_request } if step.at < fresh_until => {
            step.past.paid = Some(step.at);
            step.past.wanted = Some(step.at);
            step.past.confirm_request = Some(confirm_request);
            step.past.confirm_sent = true;
            let state = State::Confirming { sent_before: false, since: None, until: None };
            Ok((state, vec![Effect::Confirm]))
        }
        OrderEvent::Cancelled => step.owe(OwedWhy::Cancelled),
        OrderEvent::TimeUp | OrderEvent::Resumed if step.at >= fresh_until => step.owe(OwedWhy::NotFresh),
        OrderEvent::Resumed if step.at.long_since(created) >= step.rules.fresh => step.owe(OwedWhy::NotFresh),
        OrderEvent::Resumed => Ok((State::Created { at: created }, vec![Effect::Wake { at: fresh_until }])),
        OrderEvent::TimeUp => Err(Misfit::TooEarly),
        _ => Err(Misfit::Event),
    }
}

/// How a refusal of the undo closes an order that was never confirmed: nothing of value can be there (law L6).
pub(super) const NEVER_CONFIRMED: State = State::Cleared { how: ClearedHow::NeverConfirmed };
