//! The language of the tables: a line is what happened to one order, `=>`, and what then must be.
//!
//! ```text
//! created, +1 paid, +1 confirm unknown      => asking no_answer until 10 may_repeat; ask
//! ```
//!
//! Every order begins at the moment 0 with its create on the way. `+1` is a pause in seconds before an event, `-1` a clock
//! that was set back; the pauses add up. At the right stand the state, the effects of the last event, the question with its choices, and `back` if the
//! customer gets the money back; what is missing at the end of a line is none. Times at the right count from the last
//! event.

use std::time::Duration;

use crate::ids::PersonName;
use crate::moment::Moment;
use crate::money::{Currency, Money};
use crate::order::{
    Answer, ClearedHow, Doubt, Effect, Misfit, Order, OrderEvent, OrderFacts, PaperState, Rules, State,
    StuckWhy,
};
use crate::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, Trouble, UndoAnswer};
use crate::printing::{Fault, PrintEnd, Proof};
use crate::product::CardKind;
use crate::refusal::Refusal;

/// A moment that is nobody's birthday: 2026-01-01T00:00Z.
pub(crate) const START: Moment = Moment::from_ms(1_767_225_600_000);

pub(crate) fn facts(kind: CardKind, minor: i64) -> OrderFacts {
    OrderFacts {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        product: "4001232232332".parse().unwrap(),
        product_name: "Gift card".to_owned(),
        kind,
        face_value: Money::new(minor, Currency::from_code("EUR").unwrap()),
        code: (kind == CardKind::Posa).then(|| "6006491234567890123".parse().unwrap()),
        code_tail: None,
        key: "K1".parse().unwrap(),
        create_request: "create".to_owned(),
        undo_window: None,
    }
}

pub(crate) fn person() -> PersonName {
    "Ada".parse().unwrap()
}

/// Every event that there is, by its word: with each outcome, answer, stage and fault that a machine can tell apart.
pub(crate) const EVENTS: &[&str] = &[
    "created",
    "create refused",
    "create blocked",
    "create unknown",
    "create unsent",
    "create later",
    "create later 4",
    "paid",
    "cancelled",
    "confirm done lines",
    "confirm done",
    "confirm open",
    "confirm open lines",
    "confirm working",
    "confirm odd",
    "confirm odd lines",
    "confirm failed",
    "confirm reversed",
    "confirm refused",
    "confirm blocked",
    "confirm unknown",
    "confirm unsent",
    "confirm later",
    "confirm later 4",
    "lookup done lines",
    "lookup done",
    "lookup open",
    "lookup open lines",
    "lookup working",
    "lookup odd",
    "lookup odd lines",
    "lookup failed",
    "lookup reversed",
    "lookup refused",
    "lookup blocked",
    "lookup unknown",
    "lookup unsent",
    "lookup later",
    "lookup later 4",
    "undo done",
    "undo already",
    "undo failed",
    "undo working",
    "undo not_found",
    "undo spent",
    "undo over",
    "undo unsupported",
    "undo refused",
    "undo blocked",
    "undo unknown",
    "undo unsent",
    "undo later",
    "undo later 400",
    "print done",
    "print nothing",
    "print stopped",
    "print silent",
    "ready",
    "time_up",
    "restart",
    "say finish",
    "say print",
    "say print_again",
    "say complete",
    "say unreadable",
    "say nothing",
    "say collected",
    "say money_back",
    "copy",
    "settle",
];

fn outcome<T>(word: &str, pause: Option<&str>) -> Outcome<T> {
    match word {
        "refused" => Outcome::Refused(Refusal::Declined),
        "blocked" => Outcome::Refused(Refusal::Blocked),
        "unknown" => Outcome::Unknown(Trouble::Silent),
        "unsent" => Outcome::NotSent(Trouble::Connect),
        "later" => {
            Outcome::Later { retry_after: pause.map(|pause| Duration::from_secs(pause.parse().unwrap())) }
        }
        _ => panic!("no such outcome: {word}"),
    }
}

pub(crate) fn lines() -> ReceiptLines {
    ReceiptLines::new(vec!["Code ABCD-EFGH".to_owned()], 0).unwrap()
}

fn seen(words: &[&str]) -> Outcome<OrderSeen> {
    let stage = match words[0] {
        "done" => OrderStage::Done,
        "open" => OrderStage::Open,
        "working" => OrderStage::InProgress,
        "odd" => OrderStage::Unrecognised,
        "failed" => OrderStage::Failed,
        "reversed" => OrderStage::Reversed,
        word => return outcome(word, words.get(1).copied()),
    };
    Outcome::Done(OrderSeen { stage, lines: words.get(1).map(|_| lines()) })
}

fn undo(words: &[&str]) -> Outcome<UndoAnswer> {
    Outcome::Done(match words[0] {
        "done" => UndoAnswer::Invalidated,
        "already" => UndoAnswer::AlreadyInvalidated,
        "failed" => UndoAnswer::OrderFailed,
        "working" => UndoAnswer::StillProcessing,
        "not_found" => UndoAnswer::NotFound,
        "spent" => UndoAnswer::AlreadyRedeemed,
        "over" => UndoAnswer::WindowOver,
        "unsupported" => UndoAnswer::NotSupported,
        "refused" => UndoAnswer::Refused(Refusal::Declined),
        word => return outcome(word, words.get(1).copied()),
    })
}

/// The event of a word.
pub(crate) fn event(word: &str) -> OrderEvent {
    let words: Vec<&str> = word.split(' ').collect();
    match words.as_slice() {
        ["created"] => OrderEvent::CreateEnded(Outcome::Done(Created { order: "O1".parse().unwrap() })),
        ["create", rest @ ..] => OrderEvent::CreateEnded(outcome(rest[0], rest.get(1).copied())),
        ["paid"] => OrderEvent::Paid { confirm_request: "confirm".to_owned() },
        ["cancelled"] => OrderEvent::Cancelled,
        ["confirm", rest @ ..] => OrderEvent::ConfirmEnded(seen(rest)),
        ["lookup", rest @ ..] => OrderEvent::LookupEnded(seen(rest)),
        ["undo", rest @ ..] => OrderEvent::UndoEnded(undo(rest)),
        ["print", "done"] => OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)),
        ["print", "nothing"] => OrderEvent::PrintEnded(PrintEnd::Nothing(Fault::PaperOut)),
        ["print", "stopped"] => OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::PaperOut)),
        ["print", "absent"] => OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Absent)),
        ["print", "silent"] => OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent)),
        ["ready"] => OrderEvent::PrinterReady,
        ["time_up"] => OrderEvent::TimeUp,
        ["restart"] => OrderEvent::Resumed,
        ["say", answer] => OrderEvent::Answered {
            answer: match *answer {
                "finish" => Answer::Finish,
                "print" => Answer::Print,
                "print_again" => Answer::PrintAgain,
                "complete" => Answer::Complete,
                "unreadable" => Answer::Unreadable,
                "nothing" => Answer::Nothing,
                "collected" => Answer::Collected,
                "money_back" => Answer::MoneyBack,
                _ => panic!("no such answer: {answer}"),
            },
            by: None,
        },
        ["copy"] => OrderEvent::CopyAsked { by: person() },
        ["settle"] => OrderEvent::Settled { by: person(), reason: "The customer came back.".to_owned() },
        _ => panic!("no such event: {word}"),
    }
}

/// An order after a line of events, the effects of the last one, and its moment.
pub(crate) fn play(
    kind: CardKind,
    rules: &Rules,
    line: &str,
) -> Result<(Order, Vec<Effect>, Moment), Misfit> {
    let mut at = START;
    let (mut order, mut effects) = Order::open(facts(kind, 5000), at);
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
        match order.step(rules, at, event(word)) {
            Ok(next) => (order, effects) = next,
            Err(misfit) if place + 1 == acts.len() => return Err(misfit),
            Err(misfit) => panic!("{act:?} of {line:?}: {misfit}"),
        }
    }
    Ok((order, effects, at))
}

/// A span in seconds, as short as it can be written.
fn seconds(span: Duration) -> String {
    let (whole, ms) = (span.as_secs(), span.subsec_millis());
    let text = format!("{whole}.{ms:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn snake(debug: &impl std::fmt::Debug) -> String {
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
pub(crate) fn told(state: &State, at: Moment) -> String {
    let until = |until: Moment| {
        if until < at { format!("-{}", seconds(at.since(until))) } else { seconds(until.since(at)) }
    };
    match state {
        State::Creating { repeated, .. } if *repeated => "creating again".to_owned(),
        State::Creating { .. } => "creating".to_owned(),
        State::NotSold { why } => format!("not_sold {}", why.code()),
        State::Created { .. } => "created".to_owned(),
        State::Paid { until: end, again: Some(again) } => {
            format!("paid again {} until {}", until(*again), until(*end))
        }
        State::Paid { until: end, again: None } => format!("paid until {}", until(*end)),
        State::Confirming { sent_before, until: end, .. } => format!(
            "confirming{}{}",
            if *sent_before { " again" } else { "" },
            end.map(|end| format!(" until {}", until(end))).unwrap_or_default()
        ),
        State::Asking { until: end, doubt, may_repeat, .. } => {
            let doubt = match doubt {
                Doubt::Refused(_) => "refused".to_owned(),
                doubt => snake(doubt),
            };
            format!("asking {doubt} until {}{}", until(*end), if *may_repeat { " may_repeat" } else { "" })
        }
        State::Active { attempt, fault, until: end, .. } => format!(
            "active {attempt} until {}{}",
            until(*end),
            fault.map(|fault| format!(" {}", snake(&fault))).unwrap_or_default()
        ),
        State::Printing { attempt, .. } => format!("printing {attempt}"),
        State::PrintStopped { attempt, fault, .. } => format!("print_stopped {attempt} {}", snake(fault)),
        State::PrintUnclear { attempt, .. } => format!("print_unclear {attempt}"),
        State::Sold { paper, copies, .. } => {
            let paper = match paper {
                PaperState::Printed(_) => "printed".to_owned(),
                PaperState::Missing(_) => "missing".to_owned(),
                paper => snake(paper),
            };
            let copies = if *copies > 0 { format!(" copies {copies}") } else { String::new() };
            format!("sold {paper}{copies}")
        }
        State::Owed(owed) => format!(
            "owed {}{}{}{}",
            snake(&owed.why),
            if owed.failures > 0 { format!(" failures {}", owed.failures) } else { String::new() },
            if owed.not_found.is_some() { " not_found" } else { "" },
            if owed.late_success { " late_success" } else { "" },
        ),
        State::Spent(_) => "spent".to_owned(),
        State::Stuck { why: StuckWhy::Refused(why), .. } => format!("stuck {}", why.code()),
        State::Stuck { why, .. } => format!("stuck {}", snake(why)),
        State::Cleared { how: ClearedHow::ConfirmRefused(why) } => format!("cleared {}", why.code()),
        State::Cleared { how } => format!("cleared {}", snake(how)),
        State::Settled { .. } => "settled".to_owned(),
    }
}

pub(crate) fn told_effect(effect: &Effect, at: Moment) -> String {
    let pause = |after: &Duration| {
        if after.is_zero() { String::new() } else { format!(" {}", seconds(*after)) }
    };
    match effect {
        Effect::Create { after } => format!("create{}", pause(after)),
        Effect::Confirm => "confirm".to_owned(),
        Effect::Ask { after, .. } => format!("ask{}", pause(after)),
        Effect::Undo { after } => format!("undo{}", pause(after)),
        Effect::Print { attempt } => format!("print {attempt}"),
        Effect::PrintCopy { copy } => format!("copy {copy}"),
        Effect::Wake { at: moment } => format!("wake {}", seconds(moment.since(at))),
        Effect::Forget => "forget".to_owned(),
    }
}

/// What follows from a line of events, in the words of the right side.
pub(crate) fn outcome_of(kind: CardKind, rules: &Rules, line: &str) -> String {
    let (order, effects, at) = match play(kind, rules, line) {
        Ok(end) => end,
        Err(Misfit::TooEarly) => return "too early".to_owned(),
        Err(_) => return "misfit".to_owned(),
    };
    let effects: Vec<String> = effects.iter().map(|effect| told_effect(effect, at)).collect();
    let question = order.question(rules).map_or_else(String::new, |question| {
        let choices: Vec<String> = question.choices.iter().map(snake).collect();
        format!("{}: {}", snake(&question.asks), choices.join("/"))
    });
    let money = if order.money_back() { "back" } else { "" };
    let told = [told(&order.state, at), effects.join(", "), question, money.to_owned()].join("; ");
    told.trim_end_matches([' ', ';']).replace("; ;", ";;").replace("; ;", ";;")
}

/// Checks a table; a table with wrong lines is shown as it would have to be.
pub(crate) fn check_with(kind: CardKind, rules: &Rules, table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (events, expected) = line.split_once("=>").unwrap_or((line, ""));
        let found = outcome_of(kind, rules, events);
        if found != expected.trim() {
            wrong.push(format!("{}=> {found}\n        not: {}\n", events, expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{kind:?}: these lines end otherwise:\n{}", wrong.concat());
}

/// Checks a table under the times of the design.
pub(crate) fn check(kind: CardKind, table: &str) {
    check_with(kind, &Rules::DESIGN, table);
}
