//! Every state against every event. A line names a state by the events that lead to it, and all that it accepts; `confirm *`
//! stands for every end of a confirm. What a line does not name is a misfit, at once and an hour later.

use super::script::{EVENTS, event, play};
use crate::ids::PersonName;
use crate::order::{Misfit, Order, OrderEvent, Rules, State};
use crate::outcome::ReceiptLines;
use crate::product::CardKind::{self, Por, Posa};

/// The words of the events that `order` accepts at a moment, whole groups under one name.
fn accepted(kind: CardKind, line: &str, later_s: u64) -> String {
    let rules = Rules::DESIGN;
    let (order, _, at) = play(kind, &rules, line).unwrap();
    let at = at.plus(std::time::Duration::from_secs(later_s));
    let takes = |word: &str| order.clone().step(&rules, at, event(word)).is_ok();
    let mut words: Vec<String> = Vec::new();
    for word in EVENTS.iter().filter(|word| takes(word)) {
        let group = if *word == "created" { "create" } else { word.split(' ').next().unwrap() };
        let members = || {
            EVENTS.iter().filter(|word| word.starts_with(group) || (group == "create" && **word == "created"))
        };
        let whole = members().count() > 1 && members().all(|word| takes(word));
        let name = if whole { format!("{group} *") } else { (*word).to_owned() };
        if words.last() != Some(&name) {
            words.push(name);
        }
    }
    words.join(", ")
}

fn check(kind: CardKind, later_s: u64, table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (start, expected) = line.split_once("=>").unwrap();
        let found = accepted(kind, start, later_s);
        if found != expected.trim() {
            wrong.push(format!("{start}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{kind:?} after {later_s} s: these states accept something else:\n{}",
        wrong.concat()
    );
}

/// One line a state, and one for each shade of it that decides differently.
const POR: &str = "
                                              => create *, restart
    create unknown                            => create *, restart
    create refused                            =>
    created                                   => paid, cancelled, restart
    created, paid                             => confirm *, restart
    created, paid, confirm unsent             => restart
    created, paid, confirm unsent, restart    => restart, say finish, say money_back
    created, paid, confirm unsent, +1 time_up => confirm *, restart
    created, paid, confirm unknown, lookup open => confirm *, restart
    created, paid, confirm unknown            => lookup *, restart
    created, paid, confirm done               => lookup *, restart
    created, paid, confirm working            => lookup *, restart
    created, paid, confirm refused            => lookup *, restart
    created, paid, restart                    => lookup *, restart
    created, paid, confirm done lines         => print *, restart
    created, paid, confirm done lines, print nothing => ready, restart, say print, say money_back
    created, paid, confirm done lines, print stopped => restart, say print_again, say complete, say collected
    created, paid, confirm done lines, print silent => restart, say complete, say unreadable, say nothing, say collected
    created, paid, confirm done lines, print silent, say nothing, print silent, say nothing, print silent => restart, say complete, say collected
    created, paid, confirm done lines, print silent, say nothing, print silent, say nothing, print stopped => restart, say complete, say collected
    created, paid, confirm done lines, print done => copy
    created, paid, confirm done lines, print done, copy => print *, copy
    created, cancelled                        => confirm done lines, confirm done, undo *, restart, settle
    created, paid, confirm unknown, +9 lookup unknown => confirm done lines, confirm done, undo *, restart, settle
    created, paid, confirm unknown, +9 lookup unknown, confirm done => undo *, restart, settle
    created, paid, confirm unknown, +9 lookup unknown, undo not_found => confirm done lines, confirm done, undo *, restart, settle
    created, paid, confirm unknown, +9 lookup unknown, undo spent => restart, settle
    created, paid, confirm unknown, +9 lookup unknown, undo over => undo *, restart, settle
    created, paid, confirm unknown, +9 lookup unknown, undo refused => undo *, restart, settle
    created, paid, confirm refused, lookup open =>
    created, paid, confirm unknown, +9 lookup unknown, undo done =>
    created, paid, confirm unknown, +9 lookup unknown, settle =>
";

#[test]
fn every_state_takes_the_events_of_this_table_and_no_other() {
    check(Por, 0, POR);
    check(
        Posa,
        0,
        "
        created, paid, confirm done lines         => print *, restart
        created, paid, confirm done lines, print nothing => copy
        created, paid, confirm done lines, restart => copy
        created, paid, confirm done               =>
        ",
    );
}

/// An hour later only the deadlines have moved: a wake-up is taken where something was due, and a late payment or a
/// late wish to go on is not.
#[test]
fn an_hour_later_only_deadlines_have_moved() {
    let moved = [
        ("created", "cancelled, time_up, restart"),
        ("created, paid, confirm unsent", "time_up, restart"),
        ("created, paid, confirm unsent, restart", "time_up, restart, say money_back"),
        ("created, paid, confirm unsent, +1 time_up", "confirm *, time_up, restart"),
        ("created, paid, confirm unknown, lookup open", "confirm *, time_up, restart"),
        ("created, paid, confirm done lines, print nothing", "time_up, restart, say money_back"),
    ];
    let mut table: Vec<String> = Vec::new();
    let mut found = 0;
    for line in POR.lines().filter(|line| line.contains("=>")) {
        let (start, expected) = line.split_once("=>").unwrap();
        let late = moved.iter().find(|(state, _)| *state == start.trim());
        found += usize::from(late.is_some());
        table.push(format!("{start}=> {}\n", late.map_or(expected, |(_, expected)| expected)));
    }
    assert_eq!(found, moved.len());
    check(Por, 3600, &table.concat());
}

#[test]
fn the_table_of_states_has_every_state_in_it() {
    let mut names: Vec<&str> = Vec::new();
    for line in POR.lines().filter_map(|line| line.split_once("=>")) {
        names.push(play(Por, &Rules::DESIGN, line.0).unwrap().0.state_name());
    }
    for name in Order::STATE_NAMES {
        assert!(names.contains(&name), "{name}");
    }
    for name in names {
        assert!(Order::STATE_NAMES.contains(&name), "{name} cannot be searched by");
    }
}

#[test]
fn a_wake_up_before_its_time_says_so() {
    for (line, misfit) in [
        ("created, time_up", Misfit::TooEarly),
        ("created, paid, time_up", Misfit::TooEarly),
        ("created, paid, confirm unsent, time_up", Misfit::TooEarly),
        ("created, paid, confirm unknown, time_up", Misfit::Event),
        ("created, paid, confirm done lines, print nothing, time_up", Misfit::TooEarly),
    ] {
        assert_eq!(play(Por, &Rules::DESIGN, line).unwrap_err(), misfit, "{line}");
    }
}

/// The same order, its lines forgotten.
fn without_lines(mut order: Order) -> Order {
    let gone = ReceiptLines::gone(1, 0);
    match &mut order.state {
        State::Active { lines, .. }
        | State::Printing { lines, .. }
        | State::PrintStopped { lines, .. }
        | State::PrintUnclear { lines, .. }
        | State::Sold { lines: Some(lines), .. } => *lines = gone,
        _ => {}
    }
    order
}

#[test]
fn every_answer_that_is_offered_is_taken_and_no_other_one() {
    let rules = Rules::DESIGN;
    let answers =
        ["finish", "print", "print_again", "complete", "unreadable", "nothing", "collected", "money_back"];
    for line in POR.lines().filter_map(|line| line.split_once("=>")) {
        let (order, _, at) = play(Por, &rules, line.0).unwrap();
        let offered = order.question(&rules).map_or(&[][..], |question| question.choices);
        for answer in answers {
            let answer = event(&format!("say {answer}"));
            let OrderEvent::Answered { answer: which, .. } = &answer else { continue };
            let (which, taken) = (*which, order.clone().step(&rules, at, answer).is_ok());
            assert_eq!(taken, offered.contains(&which), "{which:?} in {:?} of {}", order.state, line.0);
        }
    }
}

/// What was asked and printed while the lines were there must replay, to the last word.
#[test]
fn a_card_whose_lines_are_forgotten_replays_as_it_was() {
    let rules = Rules::DESIGN;
    for line in POR.lines().filter_map(|line| line.split_once("=>")) {
        let (order, _, at) = play(Por, &rules, line.0).unwrap();
        let gone = without_lines(order.clone());
        assert_eq!(gone.question(&rules), order.question(&rules), "{}", line.0);
        for word in ["say print_again", "say nothing", "say unreadable", "copy"] {
            let (then, now) =
                (order.clone().step(&rules, at, event(word)), gone.clone().step(&rules, at, event(word)));
            let state =
                |step: Result<(Order, _), Misfit>| step.map(|(order, _): (Order, Vec<_>)| order.state_name());
            assert_eq!(state(then), state(now), "{word} {}", line.0);
        }
    }
}

#[test]
fn who_closed_a_case_and_why_stays_with_it() {
    let (order, _, _) = play(Por, &Rules::DESIGN, "created, cancelled, settle").unwrap();
    let ada: PersonName = "Ada".parse().unwrap();
    assert_eq!(order.state, State::Settled { by: ada, reason: "The customer came back.".to_owned() });
}
