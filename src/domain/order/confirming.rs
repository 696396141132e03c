//! Rows A4 to A8: from the payment to the certainty that the card is live, or to the debt of an undo.
//!
//! A confirm gives value, so its outcome is found out (law L3) and then no longer hoped for. Two budgets limit the
//! finding out: [`Rules::ask`](super::Rules::ask) from the first doubt, and the longer
//! [`Rules::ask_processing`](super::Rules::ask_processing) while the provider says that it works on it.
//!
//! Every confirm that is sent stands behind an entry of its own (law L1): also the one that follows a pause, and the
//! one repetition.

use std::time::Duration;

use super::{Answer, ClearedHow, Doubt, Effect, Misfit, NOW, Next, OrderEvent, OwedWhy, State, Step, paper};
use crate::moment::Moment;
use crate::outcome::{OrderSeen, OrderStage, Outcome};
use crate::pauses;

/// The shortest pause before a confirm that was not taken is sent again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// A4. Live, the confirm is sent again within the budget; after a restart a person must want it.
pub(super) fn paid(step: Step<'_>, until: Moment, again: Option<Moment>, event: OrderEvent) -> Next {
    match (event, again) {
        // A machine that slept must not confirm for a customer who has gone.
        (OrderEvent::TimeUp, Some(again)) if step.at >= again && step.at < until => {
            Ok(send(step, State::Confirming { sent_before: false, since: None, until: Some(until) }))
        }
        (OrderEvent::TimeUp, _) if step.at >= until => step.owe(OwedWhy::NotConfirmed),
        (OrderEvent::TimeUp, _) => Err(Misfit::TooEarly),
        (OrderEvent::Answered { answer: Answer::Finish, .. }, None) if step.at < until => {
            step.past.wanted = Some(step.at);
            Ok(send(step, State::Confirming { sent_before: false, since: None, until: None }))
        }
        (OrderEvent::Answered { answer: Answer::MoneyBack, .. }, None) => step.owe(OwedWhy::MoneyBack),
        (OrderEvent::Resumed, again) => {
            // Neither a second restart nor a person's wish makes an old order fresh (fact sheet U16).
            let age = step.past.created.map_or(Duration::MAX, |created| step.at.long_since(created));
            let stale = step.at.plus(step.rules.fresh.saturating_sub(age));
            let patience = step.at.plus(step.rules.resume);
            let until = patience.min(stale).min(if again.is_none() { until } else { patience });
            if step.at >= until {
                return step.owe(OwedWhy::NotConfirmed);
            }
            Ok((State::Paid { until, again: None }, vec![Effect::Wake { at: until }]))
        }
        _ => Err(Misfit::Event),
    }
}

/// A5. The confirm is on its way.
pub(super) fn confirming(
    step: Step<'_>,
    sent_before: bool,
    since: Option<Moment>,
    until: Option<Moment>,
    event: OrderEvent,
) -> Next {
    let at = step.at;
    let doubt_until = until.unwrap_or(at.plus(step.rules.ask));
    let may_repeat = step.rules.confirm_repeatable && !sent_before;
    let find = |doubt| Finding { since: since.unwrap_or(at), until: doubt_until, doubt, may_repeat };
    match event {
        OrderEvent::ConfirmEnded(Outcome::Done(seen)) => judge(step, find(Doubt::NoAnswer), seen, true),
        OrderEvent::ConfirmEnded(Outcome::Refused(why)) => {
            // A provider may refuse a second confirm because the first one came through.
            let doubt = if sent_before { Doubt::NoAnswer } else { Doubt::Refused(why) };
            Ok(Finding { may_repeat: false, ..find(doubt) }.ask(NOW))
        }
        OrderEvent::ConfirmEnded(Outcome::Unknown(_)) => Ok(find(Doubt::NoAnswer).ask(NOW)),
        OrderEvent::ConfirmEnded(Outcome::NotSent(_) | Outcome::Later { .. }) if sent_before => {
            Ok(find(Doubt::NoAnswer).ask(NOW))
        }
        OrderEvent::ConfirmEnded(Outcome::NotSent(_)) => {
            step.past.confirm_sent = step.past.confirm_put_off;
            put_off(step, until, SHORTEST_PAUSE)
        }
        OrderEvent::ConfirmEnded(Outcome::Later { retry_after }) => {
            step.past.confirm_put_off = true;
            put_off(step, until, retry_after.unwrap_or_default().max(SHORTEST_PAUSE))
        }
        OrderEvent::TimeUp if until.is_some_and(|until| step.at >= until) => step.owe(OwedWhy::Uncertain),
        OrderEvent::TimeUp => Err(Misfit::TooEarly),
        OrderEvent::Resumed => after_restart(step, Doubt::Restart),
        _ => Err(Misfit::Event),
    }
}

/// What is being found out, and for how long.
pub(super) struct Finding {
    pub(super) since: Moment,
    pub(super) until: Moment,
    pub(super) doubt: Doubt,
    pub(super) may_repeat: bool,
}

impl Finding {
    /// Goes on asking.
    fn ask(self, after: Duration) -> (State, Vec<Effect>) {
        let Self { since, until, doubt, may_repeat } = self;
        (State::Asking { since, until, doubt, may_repeat }, vec![Effect::Ask { after, until }])
    }
}

/// A5, A6, A8. The provider is asked where the order stands.
pub(super) fn asking(step: Step<'_>, finding: Finding, event: OrderEvent) -> Next {
    match event {
        OrderEvent::LookupEnded(Outcome::Done(seen)) => judge(step, finding, seen, false),
        OrderEvent::LookupEnded(Outcome::Later { retry_after }) => {
            ask_again(&step, finding, retry_after.unwrap_or_default())
        }
        // Not even "not found" closes it here: the confirm may still be under way (law L6).
        OrderEvent::LookupEnded(_) => ask_again(&step, finding, NOW),
        OrderEvent::Resumed => match finding.doubt {
            Doubt::Refused(why) => after_restart(step, Doubt::Refused(why)),
            _ => after_restart(step, Doubt::Restart),
        },
        _ => Err(Misfit::Event),
    }
}

/// What an order's appearance at the provider means. `just_confirmed`: it is the confirm's own answer.
fn judge(step: Step<'_>, finding: Finding, seen: OrderSeen, just_confirmed: bool) -> Next {
    let refused = matches!(finding.doubt, Doubt::Refused(_));
    // After a sleep of this machine the budgets look young, and the customer has gone all the same.
    let may_repeat = finding.may_repeat && !step.customer_gone();
    let lines = seen.lines.filter(|lines| !lines.is_empty());
    let live = match seen.stage {
        OrderStage::Done => true,
        // Lines are given for a card that is live, whatever the word for its state is (fact sheet U12) …
        OrderStage::Unrecognised | OrderStage::InProgress => lines.is_some(),
        // … but an order that a look-up shows as not confirmed is not confirmed (U9): its lines prove nothing to a
        // customer. To a refusal they are doubt enough.
        OrderStage::Open => lines.is_some() && (just_confirmed || refused),
        OrderStage::Failed | OrderStage::Reversed => false,
    };
    match seen.stage {
        OrderStage::Failed => cleared(ClearedHow::OrderFailed),
        OrderStage::Reversed => cleared(ClearedHow::AlreadyInvalidated),
        _ if live && refused => step.owe(OwedWhy::RefusedButLive),
        _ if live && step.customer_gone() => step.owe(OwedWhy::TooLate),
        _ if live => match lines {
            Some(lines) => Ok(paper::first(lines)),
            None if !step.is_por() => Ok(paper::without()),
            None if just_confirmed => Ok(Finding { doubt: Doubt::NoLines, ..finding }.ask(NOW)),
            None if may_repeat => Ok(repeat(step, &finding)),
            None => step.owe(OwedWhy::NoLines),
        },
        OrderStage::InProgress | OrderStage::Unrecognised if refused => step.owe(OwedWhy::RefusedButLive),
        OrderStage::InProgress => {
            let until = finding.until.max(finding.since.plus(step.rules.ask_processing));
            let doubt = if just_confirmed { Doubt::Processing } else { finding.doubt };
            ask_again(&step, Finding { until, doubt, ..finding }, NOW)
        }
        OrderStage::Open if just_confirmed => ask_again(&step, finding, NOW),
        OrderStage::Open => match finding.doubt {
            Doubt::Refused(why) => cleared(ClearedHow::ConfirmRefused(why)),
            // The confirm may still be under way, and after a restart no second one is sent.
            Doubt::Restart => step.owe(OwedWhy::Uncertain),
            _ if may_repeat => Ok(repeat(step, &finding)),
            _ => ask_again(&step, finding, NOW),
        },
        OrderStage::Done | OrderStage::Unrecognised => ask_again(&step, finding, NOW),
    }
}

/// The next look-up after a pause that grows with the time already spent, or the end of asking.
fn ask_again(step: &Step<'_>, finding: Finding, at_least: Duration) -> Next {
    let spent = step.at.since(finding.since);
    let pause = pauses::while_a_guest_waits(spent).max(at_least);
    if step.at.plus(pause) >= finding.until { step.owe(OwedWhy::Uncertain) } else { Ok(finding.ask(pause)) }
}

/// A6. Nobody waits for long after a restart, and no confirm is sent again.
fn after_restart(step: Step<'_>, doubt: Doubt) -> Next {
    if step.customer_gone() && !matches!(doubt, Doubt::Refused(_)) {
        return step.owe(OwedWhy::TooLate);
    }
    let until = step.at.plus(step.rules.ask);
    Ok(Finding { since: step.at, until, doubt, may_repeat: false }.ask(NOW))
}

/// Puts the confirm off, if it may still be sent in time for the customer.
fn put_off(step: Step<'_>, until: Option<Moment>, pause: Duration) -> Next {
    let until = until.unwrap_or(step.at.plus(step.rules.ask));
    let again = step.at.plus(pause);
    if again >= until || step.customer_gone() {
        return step.owe(OwedWhy::NotConfirmed);
    }
    Ok((State::Paid { until, again: Some(again) }, vec![Effect::Wake { at: again }]))
}

/// The one repetition of a confirm in the course of finding out.
fn repeat(step: Step<'_>, finding: &Finding) -> (State, Vec<Effect>) {
    send(
        step,
        State::Confirming { sent_before: true, since: Some(finding.since), until: Some(finding.until) },
    )
}

/// A confirm goes out; one with a limit is watched.
fn send(step: Step<'_>, state: State) -> (State, Vec<Effect>) {
    step.past.confirm_sent = true;
    let mut effects = vec![Effect::Confirm];
    if let State::Confirming { until: Some(until), .. } = &state {
        effects.push(Effect::Wake { at: *until });
    }
    (state, effects)
}

fn cleared(how: ClearedHow) -> Next {
    Ok((State::Cleared { how }, vec![Effect::Forget]))
}
