//! The language of the tables: a line is what happened to one redemption, `=>`, and what then must be.
//!
//! ```text
//! redeem unknown, +20 read same    => comparing until 100 same; validate 20; open
//! ```
//!
//! Every redemption begins at the moment 0 with its redeem on the way: 25.00 of 50.00 USD, if the table says nothing else. `+1`
//! is a pause in seconds before an event, `-1` a clock that was set back; the pauses add up. At the right stand the state, the effects of the last event, the
//! question with its choices, and what it counts for the basket; what is missing at the end of a line is nothing. Times at
//! the right count from the last event.

use std::time::Duration;

use crate::ids::PersonName;
use crate::moment::Moment;
use crate::money::{Currency, Money};
use crate::outcome::{Outcome, Trouble};
use crate::pauses::UndoTimes;
use crate::redemption::{
    Answer, Counts, Effect, Misfit, Opening, Redemption, RedemptionEvent, Rules, State, StuckWhy, UnclearWhy,
    Verdict,
};
use crate::refusal::Refusal;
use crate::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherCode, VoucherKind,
    VoucherSeen, Worth,
};

/// A moment that is nobody's birthday: 2026-01-01T00:00Z.
pub(crate) const START: Moment = Moment::from_ms(1_767_225_600_000);

/// What the tables of one provider begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) offers: Offers,
    pub(crate) amount: Worth,
    pub(crate) before: Worth,
    pub(crate) undo: UndoTimes,
}

pub(crate) const COMPARABLE: Setup = setup(Recourse::Comparable, Reversal::Repeatable);
pub(crate) const FINDABLE: Setup = setup(Recourse::Findable, Reversal::Repeatable);
pub(crate) const REPEATABLE: Setup = setup(Recourse::Repeatable, Reversal::Repeatable);

pub(crate) const fn setup(recourse: Recourse, reversal: Reversal) -> Setup {
    let offers = Offers { recourse, reversal };
    Setup { offers, amount: Worth::Items(25), before: Worth::Items(50), undo: UndoTimes::DESIGN }
}

/// The worths of a setup in money, which the tables speak of; `Worth::Items` stands for whole dollars in a constant.
pub(crate) fn usd(minor: i64) -> Worth {
    Worth::Money(Money::new(minor, Currency::from_code("USD").unwrap()))
}

fn in_money(worth: Worth) -> Worth {
    match worth {
        Worth::Items(count) => usd(i64::from(count) * 100),
        Worth::Money(_) => worth,
    }
}

pub(crate) fn opening(setup: Setup) -> Opening {
    Opening {
        redemption: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        basket: "B1".parse().unwrap(),
        provider: "giftlocal".to_owned(),
        store: "S1".parse().unwrap(),
        terminal: "T01".parse().unwrap(),
        country: "US".parse().unwrap(),
        cashier: None,
        locale: "en-US".parse().unwrap(),
        rules: Rules { offers: setup.offers, undo: setup.undo, ..Rules::DESIGN },
        voucher: "V1".parse().unwrap(),
        kind: VoucherKind::Gift,
        item: None,
        code: VoucherCode::number("012345678901"),
        code_tail: VoucherCode::number("012345678901").unwrap().tail(),
        amount: in_money(setup.amount),
        before: Balance { left: None, eligible: Some(in_money(setup.before)) },
        key: "K1".parse().unwrap(),
        request: "redeem".to_owned(),
    }
}

pub(crate) fn person() -> PersonName {
    "Ada".parse().unwrap()
}

/// Every event that there is, by its word: with each outcome, answer and reading that a machine can tell apart.
pub(crate) const EVENTS: &[&str] = &[
    "redeem done",
    "redeem done 12.50",
    "redeem done 0",
    "redeem done 30",
    "redeem done 1x",
    "redeem left 37.50",
    "redeem left 25",
    "redeem noid",
    "redeem noid 12.50",
    "redeem refused",
    "redeem blocked",
    "redeem key_used",
    "redeem unknown",
    "redeem unsent",
    "redeem later",
    "redeem later 4",
    "lookup done",
    "lookup done 12.50",
    "lookup noid",
    "lookup nothing",
    "lookup working",
    "lookup not_found",
    "lookup blocked",
    "lookup unknown",
    "lookup unsent",
    "lookup later",
    "lookup later 4",
    "read same",
    "read lower",
    "read left 10",
    "read spent",
    "read dead",
    "read gone",
    "read other",
    "read blocked",
    "read unknown",
    "read unsent",
    "read later",
    "read later 4",
    "scan same",
    "scan lower",
    "scan left 10",
    "scan spent",
    "scan other",
    "scan gone",
    "scan unknown",
    "code_lost",
    "moved",
    "asked_again",
    "offered",
    "completed",
    "take_back",
    "reverse done",
    "reverse already",
    "reverse working",
    "reverse not_found",
    "reverse refused",
    "reverse blocked",
    "reverse unknown",
    "reverse unsent",
    "reverse later",
    "reverse later 400",
    "time_up",
    "restart",
    "say accept",
    "say take_back",
    "say used",
    "say not_used",
    "say try_again",
    "settle used",
    "settle not_used",
];

fn outcome<T>(word: &str, pause: Option<&str>) -> Outcome<T> {
    match word {
        "refused" => Outcome::Refused(Refusal::RedeemRefused),
        "gone" => Outcome::Refused(Refusal::VoucherNotFound),
        "not_found" => Outcome::Refused(Refusal::RedemptionNotFound),
        "blocked" => Outcome::Refused(Refusal::Blocked),
        "key_used" => Outcome::Refused(Refusal::ProviderKeyReused),
        "unknown" => Outcome::Unknown(Trouble::Silent),
        "unsent" => Outcome::NotSent(Trouble::Connect),
        "later" => {
            Outcome::Later { retry_after: pause.map(|pause| Duration::from_secs(pause.parse().unwrap())) }
        }
        _ => panic!("no such outcome: {word}"),
    }
}

fn worth(text: &str) -> Worth {
    match text.strip_suffix('x') {
        Some(count) => Worth::Items(count.parse().unwrap()),
        None => Worth::Money(Money::from_decimal_text(text, Currency::from_code("USD").unwrap()).unwrap()),
    }
}

pub(crate) fn redeemed(words: &[&str]) -> Option<Redeemed> {
    let id = || Some("R1".parse().unwrap());
    let remaining = Balance::default();
    Some(match words {
        ["done"] => Redeemed { redemption: id(), granted: None, remaining },
        ["done", granted] => Redeemed { redemption: id(), granted: Some(worth(granted)), remaining },
        ["left", left] => {
            let remaining = Balance { left: None, eligible: Some(worth(left)) };
            Redeemed { redemption: id(), granted: None, remaining }
        }
        ["noid"] => Redeemed { redemption: None, granted: None, remaining },
        ["noid", granted] => Redeemed { redemption: None, granted: Some(worth(granted)), remaining },
        _ => return None,
    })
}

fn seen(facts: &Opening, words: &[&str]) -> Outcome<VoucherSeen> {
    let before = facts.before.rest();
    let lower = facts.before.less(facts.amount).rest().filter(|rest| rest.is_positive());
    let (voucher, eligible, left) = match words {
        ["same"] => ("V1", before, None),
        ["lower"] => ("V1", lower, None),
        ["left", left] => ("V1", Some(worth(left)), None),
        // not redeemable, and nothing left of it
        ["spent"] => ("V1", None, None),
        // not redeemable, although something is left
        ["dead"] => ("V1", None, before),
        ["other"] => ("V2", lower, None),
        // so much may be redeemed, of so much that is left
        [eligible, "of", left] => {
            ("V1", Some(worth(eligible)).filter(|it| it.is_positive()), Some(worth(left)))
        }
        words => return outcome(words[0], words.get(1).copied()),
    };
    let (voucher, redeemable) = (voucher.parse().unwrap(), eligible.is_some());
    Outcome::Done(VoucherSeen { voucher, redeemable, eligible, left, kind: VoucherKind::Gift })
}

/// The event of a word.
pub(crate) fn event(facts: &Opening, word: &str) -> RedemptionEvent {
    let words: Vec<&str> = word.split(' ').collect();
    match words.as_slice() {
        ["redeem", rest @ ..] => RedemptionEvent::RedeemEnded(match redeemed(rest) {
            Some(redeemed) => Outcome::Done(redeemed),
            None => outcome(rest[0], rest.get(1).copied()),
        }),
        ["lookup", rest @ ..] => RedemptionEvent::LookupEnded(match (redeemed(rest), rest[0]) {
            (Some(redeemed), _) => Outcome::Done(RedemptionSeen::Done(redeemed)),
            (None, "nothing") => Outcome::Done(RedemptionSeen::Nothing),
            (None, "working") => Outcome::Done(RedemptionSeen::InProgress),
            _ => outcome(rest[0], rest.get(1).copied()),
        }),
        ["read", rest @ ..] => RedemptionEvent::ReadEnded { outcome: seen(facts, rest), scanned: false },
        ["scan", rest @ ..] => RedemptionEvent::ReadEnded { outcome: seen(facts, rest), scanned: true },
        ["code_lost"] => RedemptionEvent::CodeLost,
        ["moved"] => RedemptionEvent::VoucherMoved,
        ["asked_again"] => RedemptionEvent::AskedAgain,
        ["offered"] => RedemptionEvent::Offered,
        ["completed"] => RedemptionEvent::Completed { by: None },
        ["take_back"] => RedemptionEvent::TakenBack { by: None },
        ["reverse", rest @ ..] => RedemptionEvent::ReverseEnded(match rest[0] {
            "done" => Outcome::Done(ReverseAnswer::Reversed),
            "already" => Outcome::Done(ReverseAnswer::AlreadyReversed),
            "working" => Outcome::Done(ReverseAnswer::StillProcessing),
            "not_found" => Outcome::Done(ReverseAnswer::NotFound),
            "refused" => Outcome::Done(ReverseAnswer::Refused(Refusal::ReverseRefused)),
            word => outcome(word, rest.get(1).copied()),
        }),
        ["time_up"] => RedemptionEvent::TimeUp,
        ["restart"] => RedemptionEvent::Resumed,
        ["say", answer] => RedemptionEvent::Answered {
            answer: match *answer {
                "accept" => Answer::Accept,
                "take_back" => Answer::TakeBack,
                "used" => Answer::Used,
                "not_used" => Answer::NotUsed,
                "try_again" => Answer::TryAgain,
                _ => panic!("no such answer: {answer}"),
            },
            by: Some(person()),
        },
        ["settle", verdict] => RedemptionEvent::Settled {
            by: person(),
            reason: "The provider says so.".to_owned(),
            verdict: if *verdict == "used" { Verdict::Used } else { Verdict::NotUsed },
        },
        _ => panic!("no such event: {word}"),
    }
}

/// A redemption after a line of events, the effects of the last one, and its moment.
pub(crate) fn play(setup: Setup, line: &str) -> Result<(Redemption, Vec<Effect>, Moment), Misfit> {
    let mut at = START;
    let (mut redemption, mut effects) = Redemption::open(opening(setup), at);
    let acts: Vec<&str> = line.split(',').map(str::trim).filter(|act| !act.is_empty()).collect();
    for (place, act) in acts.iter().enumerate() {
        let back = act.starts_with('-');
        let (pause, word) = match act.strip_prefix(['+', '-']) {
            Some(act) => act.split_once(' ').unwrap(),
            None => ("0", *act),
        };
        let (whole, part) = pause.split_once('.').unwrap_or((pause, ""));
        let ms = whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}").parse::<u64>().unwrap();
        at = if back {
            Moment::from_ms(at.ms() - i64::try_from(ms).unwrap())
        } else {
            at.plus(Duration::from_millis(ms))
        };
        let event = event(&redemption.opening, word);
        match redemption.step(at, event) {
            Ok(next) => (redemption, effects) = next,
            Err(misfit) if place + 1 == acts.len() => return Err(misfit),
            Err(misfit) => panic!("{act:?} of {line:?}: {misfit}"),
        }
    }
    Ok((redemption, effects, at))
}

/// A span in seconds, as short as it can be written.
fn seconds(span: Duration) -> String {
    let text = format!("{}.{:03}", span.as_secs(), span.subsec_millis());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(crate) fn snake(debug: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for character in format!("{debug:?}").chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// The state in the words of the tables; moments count from `at`.
pub(crate) fn told(redemption: &Redemption, at: Moment) -> String {
    let until = |until: Moment| {
        if until < at { format!("-{}", seconds(at.since(until))) } else { seconds(until.since(at)) }
    };
    let taken = || {
        let by = redemption.past.taken.map(|taken| snake(&taken.by)).unwrap_or_default();
        let id = if redemption.past.redemption.is_some() { "" } else { " without_id" };
        format!(" by {by}{id}")
    };
    let reading = |reading: &crate::redemption::Reading| {
        format!(
            "{}{}{}",
            if reading.unchanged.is_some() { " same" } else { "" },
            if reading.failures > 0 { format!(" failures {}", reading.failures) } else { String::new() },
            if reading.by_scan { " by_scan" } else { "" },
        )
    };
    match &redemption.state {
        State::Redeeming { finding: None } => "redeeming".to_owned(),
        State::Redeeming { finding: Some(finding) } => format!("repeating until {}", until(finding.until)),
        State::LookingUp { finding } => format!("looking_up until {}", until(finding.until)),
        State::Comparing { reading: so_far, until: end } => {
            format!("comparing until {}{}", until(*end), reading(so_far))
        }
        State::NotRedeemed { why } => format!("not_redeemed {}", why.code()),
        State::NotApplied { failures, moved, .. } => format!(
            "not_applied{}{}",
            if *failures > 0 { format!(" failures {failures}") } else { String::new() },
            if *moved { " moved" } else { "" }
        ),
        State::GrantedLess { until: end } => format!("granted_less until {}{}", until(*end), taken()),
        State::Redeemed { until: end } => format!("redeemed until {}{}", until(*end), taken()),
        State::Answered { asked: true, .. } => format!("answered asked{}", taken()),
        State::Answered { until: end, .. } => format!("answered until {}{}", until(*end), taken()),
        State::Completed => format!("completed{}", taken()),
        State::Unclear { why: UnclearWhy::NotRead(so_far), .. } => {
            format!("unclear not_read{}", reading(so_far))
        }
        State::Unclear { why, .. } => format!("unclear {}", snake(why)),
        State::Owed(owed) => format!(
            "owed {}{}{}{}{}",
            snake(&owed.why),
            if redemption.past.redemption.is_some() { "" } else { " without_id" },
            if owed.failures > 0 { format!(" failures {}", owed.failures) } else { String::new() },
            if owed.not_found.is_some() { " not_found" } else { "" },
            if owed.late_success { " late_success" } else { "" },
        ),
        State::Stuck { owed, why: StuckWhy::Refused(why) } => {
            format!("stuck {} {}", snake(&owed.why), why.code())
        }
        State::Stuck { owed, why: StuckWhy::Unanswered { .. } } => {
            format!("stuck {} unanswered", snake(&owed.why))
        }
        State::Stuck { owed, why } => format!("stuck {} {}", snake(&owed.why), snake(why)),
        State::Cleared { how } => format!("cleared {}", snake(how)),
        State::Settled { verdict, .. } => format!("settled {}", snake(verdict)),
    }
}

pub(crate) fn told_effect(effect: &Effect, at: Moment) -> String {
    let pause = |after: &Duration| {
        if after.is_zero() { String::new() } else { format!(" {}", seconds(*after)) }
    };
    match effect {
        Effect::Redeem { after, .. } => format!("redeem{}", pause(after)),
        Effect::LookUp { after, .. } => format!("look_up{}", pause(after)),
        Effect::Validate { after } => format!("validate{}", pause(after)),
        Effect::Reverse { after } => format!("reverse{}", pause(after)),
        Effect::Wake { at: moment } => format!("wake {}", seconds(moment.since(at))),
        Effect::Forget => "forget".to_owned(),
    }
}

/// What follows from a line of events, in the words of the right side.
pub(crate) fn outcome_of(setup: Setup, line: &str) -> String {
    let (redemption, effects, at) = match play(setup, line) {
        Ok(end) => end,
        Err(Misfit::TooEarly) => return "too early".to_owned(),
        Err(Misfit::AnotherVoucher) => return "another voucher".to_owned(),
        Err(Misfit::Event) => return "misfit".to_owned(),
    };
    let effects: Vec<String> = effects.iter().map(|effect| told_effect(effect, at)).collect();
    let question = redemption.question().map_or_else(String::new, |question| {
        let choices: Vec<String> = question.choices.iter().map(snake).collect();
        let from = question.from.map_or_else(String::new, |from| format!("from {}", seconds(from.since(at))));
        format!("{} {}{from}", snake(&question.asks), choices.join("/")).trim().to_owned()
    });
    let counts = match redemption.counts() {
        Counts::Nothing => String::new(),
        Counts::Open => "open".to_owned(),
        Counts::For(worth) => format!("for {worth}"),
    };
    let told = [told(&redemption, at), effects.join(", "), question, counts].join("; ");
    told.trim_end_matches([' ', ';']).replace("; ;", ";;").replace("; ;", ";;")
}

/// Checks a table; a table with wrong lines is shown as it would have to be.
pub(crate) fn check(setup: Setup, table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (events, expected) = line.split_once("=>").unwrap_or((line, ""));
        let found = outcome_of(setup, events);
        if found != expected.trim() {
            wrong.push(format!("        {}=> {found}\n        not: {}\n", events, expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{:?}: these lines end otherwise:\n{}", setup.offers, wrong.concat());
}
