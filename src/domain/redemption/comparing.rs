//! Rows B3 and B4 where only what is left on a voucher can be read again.
//!
//! A settle time after the doubt began the voucher is read by its sealed code, or by another scan:
//!
//! | it shows | it means |
//! |---|---|
//! | exactly the amount less than before | taken, without an id. One reading is enough: it was sent once, and a second reading could only keep the guest waiting |
//! | nothing left, where everything was asked for | the same: a voucher without value is not redeemable any more |
//! | what was there before, twice, a settle time apart | not taken, most probably. Read once more after the quiet time; a late arrival is a manager's case |
//! | anything else, or the voucher is not shown any more | unclear: a manager decides, nothing is guessed |
//! | nothing, because it could not be read | read again; after [`Rules::compare`](super::Rules::compare) a manager is called, and reading goes on |
//!
//! Two numbers may tell ([`Balance`]), and where both do they must agree. Where neither does, every reading is "anything else".
//!
//! All of this is evidence, because another store may spend from the same voucher: nothing is sent again by it, and nothing taken
//! back.

use std::time::Duration;

use super::{
    ClearedHow, Effect, Evidence, Misfit, NOW, Next, Opening, OwedWhy, Reading, RedemptionEvent, State, Step,
    UnclearWhy, Verdict, owed, taken,
};
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::pauses;
use crate::voucher::{Balance, Redeemed, VoucherSeen, Worth};

/// What a reading of the voucher says.
#[derive(PartialEq, Eq)]
enum Shows {
    /// What was there before.
    Unchanged,
    /// Exactly the amount less.
    Lower,
    /// Something else.
    Odd,
    /// It could not be read; the provider asked for a pause, perhaps.
    Nothing(Duration),
}

/// What follows from a reading.
enum Follows {
    /// Go on, and when to read next, if nobody else does.
    ReadOn(Reading, Duration),
    /// Unchanged twice.
    Unchanged,
    /// Lower by the amount.
    Lower,
    /// Neither.
    Odd,
}

/// Begins to read, a settle time from now.
pub(super) fn begin(step: &Step<'_>) -> (State, Vec<Effect>) {
    let (settle, until) = (step.rules().settle, step.at.plus(step.rules().compare));
    let state = State::Comparing { reading: Reading::from(step.at), until };
    (state, vec![Effect::Validate { after: settle }, Effect::Wake { at: until }])
}

/// B3, B4: a guest waits.
pub(super) fn comparing(step: Step<'_>, reading: Reading, until: Moment, event: RedemptionEvent) -> Next {
    match event {
        RedemptionEvent::ReadEnded { outcome, scanned } => match read(&step, reading, outcome, scanned)? {
            Follows::ReadOn(reading, after) if step.at >= until && !scanned => {
                let after = after.max(step.rules().undo.after(reading.failures));
                not_read(&step, reading, vec![Effect::Validate { after }])
            }
            Follows::ReadOn(reading, after) => {
                Ok((State::Comparing { reading, until }, read_next(scanned, after)))
            }
            Follows::Unchanged => Ok(unchanged(&step, reading.by_scan, scanned)),
            Follows::Lower => lower(step),
            Follows::Odd => odd(&step),
        },
        RedemptionEvent::CodeLost if !reading.by_scan => {
            let reading = Reading { by_scan: true, ..reading };
            Ok((State::Comparing { reading, until }, Vec::new()))
        }
        // The reading that is on its way goes on.
        RedemptionEvent::TimeUp if step.at >= until => not_read(&step, reading, Vec::new()),
        RedemptionEvent::TimeUp => Err(Misfit::TooEarly),
        RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)) => {
            taken::taken(step, redeemed, Evidence::Answer)
        }
        RedemptionEvent::Resumed => Ok(begin(&step)),
        _ => Err(Misfit::Event),
    }
}

/// B3: a manager decides, unless a reading still tells.
pub(super) fn unclear(mut step: Step<'_>, since: Moment, why: UnclearWhy, event: RedemptionEvent) -> Next {
    match (event, why) {
        (RedemptionEvent::ReadEnded { outcome, scanned }, UnclearWhy::NotRead(reading)) => {
            match read(&step, reading, outcome, scanned)? {
                Follows::ReadOn(reading, after) => {
                    let after = after.max(step.rules().undo.after(reading.failures));
                    let why = UnclearWhy::NotRead(reading);
                    Ok((State::Unclear { since, why }, read_next(scanned, after)))
                }
                Follows::Unchanged => Ok(unchanged(&step, reading.by_scan, scanned)),
                Follows::Lower => lower(step),
                Follows::Odd => odd(&step),
            }
        }
        // Only another scan can tell now, or the manager.
        (RedemptionEvent::CodeLost, UnclearWhy::NotRead(reading)) if !reading.by_scan => {
            let why = UnclearWhy::NotRead(Reading { by_scan: true, ..reading });
            Ok((State::Unclear { since, why }, Vec::new()))
        }
        (RedemptionEvent::VoucherMoved, UnclearWhy::NotRead(_)) => {
            Ok((State::Unclear { since, why: UnclearWhy::Odd }, Vec::new()))
        }
        (RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)), UnclearWhy::NotRead(_) | UnclearWhy::Odd) => {
            taken::taken(step, redeemed, Evidence::Answer)
        }
        (RedemptionEvent::Resumed, UnclearWhy::NotRead(_)) => {
            let reading = Reading::from(step.at);
            let effect = Effect::Validate { after: step.rules().settle };
            Ok((State::Unclear { since, why: UnclearWhy::NotRead(reading) }, vec![effect]))
        }
        (RedemptionEvent::Resumed, why) => Ok((State::Unclear { since, why }, Vec::new())),
        (RedemptionEvent::Settled { by, reason, verdict }, _) => {
            Ok(owed::settled(&mut step, by, reason, verdict))
        }
        _ => Err(Misfit::Event),
    }
}

/// B3: nothing was taken, most probably. A late arrival is looked for once the quiet time is over.
pub(super) fn not_applied(
    mut step: Step<'_>,
    since: Moment,
    failures: u32,
    moved: bool,
    event: RedemptionEvent,
) -> Next {
    let stay = |failures, moved| State::NotApplied { since, failures, moved };
    let quiet_until = since.plus(step.rules().quiet);
    match event {
        RedemptionEvent::ReadEnded { outcome, scanned } if !moved => {
            match shows(&step, outcome, scanned)? {
                Shows::Unchanged if step.at >= quiet_until => owed::cleared(&step, ClearedHow::Unchanged),
                Shows::Unchanged => {
                    let after = quiet_until.since(step.at);
                    Ok((stay(failures, false), read_next(scanned, after)))
                }
                Shows::Lower => {
                    let redeemed = by_balance(step.facts);
                    let forget = taken::learn(&mut step, redeemed, Evidence::Balance);
                    let (state, mut effects) = owed::owe(step, OwedWhy::ArrivedLate)?;
                    effects.extend(forget);
                    Ok((state, effects))
                }
                // Another store, or a reissued voucher: what is left tells nothing any more.
                Shows::Odd => Ok((stay(failures, true), Vec::new())),
                Shows::Nothing(at_least) => {
                    let failures = pauses::one_more(failures);
                    let after = step.rules().undo.after(failures).max(at_least);
                    Ok((stay(failures, false), read_next(scanned, after)))
                }
            }
        }
        RedemptionEvent::CodeLost | RedemptionEvent::VoucherMoved if !moved => {
            Ok((stay(failures, true), Vec::new()))
        }
        RedemptionEvent::RedeemEnded(Outcome::Done(redeemed)) => {
            let forget = taken::learn(&mut step, redeemed, Evidence::Answer);
            let (state, mut effects) = owed::owe(step, OwedWhy::ArrivedLate)?;
            effects.extend(forget);
            Ok((state, effects))
        }
        RedemptionEvent::Resumed if moved => Ok((stay(failures, true), Vec::new())),
        // The clock may have been set forward in between: the quiet time begins anew (law L6).
        RedemptionEvent::Resumed => {
            let effect = Effect::Validate { after: step.rules().quiet };
            Ok((State::NotApplied { since: step.at, failures, moved: false }, vec![effect]))
        }
        RedemptionEvent::Settled { by, reason, verdict: Verdict::NotUsed } => {
            Ok(owed::settled(&mut step, by, reason, Verdict::NotUsed))
        }
        _ => Err(Misfit::Event),
    }
}

/// What the voucher shows, against what was there before.
fn shows(step: &Step<'_>, outcome: Outcome<VoucherSeen>, scanned: bool) -> Result<Shows, Misfit> {
    let facts = step.facts;
    let seen = match outcome {
        Outcome::Done(seen) if seen.voucher == facts.voucher => seen,
        // Of a scan it is not known before which voucher it is: only this one tells anything.
        Outcome::Done(_) if scanned => return Err(Misfit::AnotherVoucher),
        _ if scanned => return Err(Misfit::Event),
        Outcome::Done(_) => return Ok(Shows::Odd),
        Outcome::Refused(why) if !why.is_about_the_shop() => return Ok(Shows::Odd),
        Outcome::Later { retry_after } => return Ok(Shows::Nothing(retry_after.unwrap_or_default())),
        Outcome::Refused(_) | Outcome::NotSent(_) | Outcome::Unknown(_) => return Ok(Shows::Nothing(NOW)),
    };
    let Balance { left, eligible } = facts.before;
    // A provider may leave zeros out, so a spent voucher can come without any number: that what was there is gone tells as much
    // as a number would. That it expired or was blocked in just these seconds, and not taken, is the coincidence that remains.
    let spent = [seen.eligible, seen.left].into_iter().flatten().all(|rest| !rest.is_positive());
    let told = |before: Worth, now: Option<Worth>| match now {
        Some(now) if now == before => Shows::Unchanged,
        Some(now) if Some(now) == before.less(facts.amount) => Shows::Lower,
        None if facts.amount == before && spent => Shows::Lower,
        _ => Shows::Odd,
    };
    let by_left = left.map(|before| told(before, seen.left));
    let by_eligible = eligible.map(|before| told(before, seen.worth()));
    Ok(match (by_left, by_eligible) {
        (Some(one), Some(other)) if one != other => Shows::Odd,
        (one, other) => one.or(other).unwrap_or(Shows::Odd),
    })
}

/// What follows from a reading while its outcome is open.
fn read(
    step: &Step<'_>,
    reading: Reading,
    outcome: Outcome<VoucherSeen>,
    scanned: bool,
) -> Result<Follows, Misfit> {
    let settle = step.rules().settle;
    let left_of = |from: Moment| settle.saturating_sub(step.at.since(from));
    Ok(match shows(step, outcome, scanned)? {
        Shows::Lower => Follows::Lower,
        Shows::Odd => Follows::Odd,
        // The request may still be on its way.
        Shows::Unchanged if !left_of(reading.since).is_zero() => {
            Follows::ReadOn(reading, left_of(reading.since))
        }
        Shows::Unchanged => match reading.unchanged {
            Some(first) if left_of(first).is_zero() => Follows::Unchanged,
            Some(first) => Follows::ReadOn(reading, left_of(first)),
            None => Follows::ReadOn(Reading { unchanged: Some(step.at), ..reading }, settle),
        },
        Shows::Nothing(at_least) => {
            let failures = pauses::one_more(reading.failures);
            let after = pauses::while_a_guest_waits(step.at.since(reading.since)).max(at_least);
            Follows::ReadOn(Reading { failures, ..reading }, after)
        }
    })
}

/// The next reading by the sealed code. After a scan the one that is on its way goes on.
fn read_next(scanned: bool, after: Duration) -> Vec<Effect> {
    if scanned { Vec::new() } else { vec![Effect::Validate { after }] }
}

fn unchanged(step: &Step<'_>, by_scan: bool, scanned: bool) -> (State, Vec<Effect>) {
    let state = State::NotApplied { since: step.at, failures: 0, moved: by_scan };
    (state, read_next(scanned || by_scan, step.rules().quiet))
}

fn lower(step: Step<'_>) -> Next {
    let redeemed = by_balance(step.facts);
    taken::taken(step, redeemed, Evidence::Balance)
}

fn odd(step: &Step<'_>) -> Next {
    Ok((State::Unclear { since: step.at, why: UnclearWhy::Odd }, Vec::new()))
}

fn not_read(step: &Step<'_>, reading: Reading, effects: Vec<Effect>) -> Next {
    Ok((State::Unclear { since: step.at, why: UnclearWhy::NotRead(reading) }, effects))
}

/// Exactly the amount was taken, and nothing is known of it but that.
fn by_balance(facts: &Opening) -> Redeemed {
    Redeemed { redemption: None, granted: None, remaining: facts.before.less(facts.amount) }
}
