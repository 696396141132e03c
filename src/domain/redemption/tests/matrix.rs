//! Every state against every event. A line names a state by the events that lead to it, and all that it accepts; `reverse *`
//! stands for every end of a reversal. What a line does not name is a misfit, at once and an hour later.

use std::time::Duration;

use super::script::{COMPARABLE, EVENTS, FINDABLE, REPEATABLE, Setup, event, play, setup};
use crate::redemption::{Effect, Misfit, Redemption, RedemptionEvent};
use crate::refusal::Refusal;
use crate::voucher::{Recourse, Reversal};

/// The words of the events that a state accepts, whole groups under one name.
fn accepted(setup: Setup, line: &str, later_s: u64) -> String {
    let (redemption, _, at) = play(setup, line).unwrap();
    let at = at.plus(Duration::from_secs(later_s));
    let takes = |word: &str| redemption.clone().step(at, event(&redemption.opening, word)).is_ok();
    let mut words: Vec<String> = Vec::new();
    for word in EVENTS.iter().filter(|word| takes(word)) {
        // Of a redeem, what is done and what is not are taken in different states.
        let group = |word: &str| {
            let (first, rest) = word.split_once(' ').unwrap_or((word, ""));
            let done = ["done", "left", "noid"].contains(&rest.split(' ').next().unwrap());
            format!("{first}{}", if first == "redeem" && done { " done" } else { "" })
        };
        let mine = group(word);
        let members = || EVENTS.iter().filter(|word| group(word) == mine);
        let whole = members().count() > 1 && members().all(|word| takes(word));
        let name = if whole { format!("{mine} *") } else { (*word).to_owned() };
        if words.last() != Some(&name) {
            words.push(name);
        }
    }
    words.join(", ")
}

fn check(setup: Setup, later_s: u64, table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (start, expected) = line.split_once("=>").unwrap();
        let found = accepted(setup, start, later_s);
        if found != expected.trim() {
            wrong.push(format!("    {start}=> {found}\n    not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "after {later_s} s: these states accept something else:\n{}", wrong.concat());
}

/// One line a state, and one for each shade of it that decides differently.
const TABLE: &str = "
                                                  => redeem done *, redeem *, asked_again, restart
    redeem refused                                =>
    redeem unknown                                => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, code_lost, asked_again, restart
    redeem unknown, code_lost                     => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, asked_again, restart
    redeem unknown, +20 read same                 => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, code_lost, asked_again, restart
    redeem unknown, +20 read same, +20 read same  => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, code_lost, moved, restart, settle not_used
    redeem unknown, +20 read same, +20 read same, moved => redeem done *, restart, settle not_used
    redeem unknown, +20 read same, +20 read same, +300 read same =>
    redeem unknown, +120 time_up                  => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, code_lost, moved, asked_again, restart, settle *
    redeem unknown, +120 time_up, code_lost       => redeem done *, read *, scan same, scan lower, scan left 10, scan spent, moved, asked_again, restart, settle *
    redeem unknown, +20 read left 10              => redeem done *, asked_again, restart, settle *
    redeem unknown, +120 time_up, +5 read lower   => asked_again, restart, settle *
    redeem done                                   => asked_again, offered, restart
    redeem done 12.50                             => asked_again, restart, say accept, say take_back
    redeem done, offered                          => asked_again, completed, take_back, restart
    redeem done, offered, restart                 => asked_again, completed, take_back, restart, say used, say not_used
    redeem done, offered, completed               => asked_again, take_back
    redeem noid, offered, completed               => asked_again, take_back, restart, settle used
    redeem done, offered, take_back               => redeem done *, reverse *, restart, settle not_used
    redeem done, offered, take_back, redeem done  => reverse *, restart, settle not_used
    redeem done, offered, take_back, reverse not_found => redeem done *, reverse *, restart, settle not_used
    redeem done, offered, take_back, reverse refused => restart, say try_again, settle not_used
    redeem noid, offered, take_back               => redeem done, redeem done 12.50, redeem done 0, redeem done 30, redeem done 1x, redeem left 37.50, redeem left 25, restart, settle not_used
    redeem done, offered, take_back, reverse done =>
    redeem done, offered, take_back, settle not_used =>
";

#[test]
fn every_state_takes_the_events_of_this_table_and_no_other() {
    check(COMPARABLE, 0, TABLE);
    check(
        FINDABLE,
        0,
        "
        redeem unknown                            => redeem done *, lookup *, asked_again, restart
        redeem unknown, +8 lookup unknown         => redeem done *, redeem *, lookup *, restart, settle not_used
        ",
    );
    check(
        REPEATABLE,
        0,
        "
        redeem unknown                            => redeem done *, redeem *, asked_again, restart
        redeem unknown, +8 redeem unknown         => redeem done *, redeem *, lookup *, restart, settle not_used
        ",
    );
}

/// An hour later only the deadlines have moved: a wake-up is taken where something was due, and what came too late is not.
#[test]
fn an_hour_later_only_deadlines_have_moved() {
    let moved = [
        ("redeem done", "asked_again, time_up, restart"),
        ("redeem done 12.50", "asked_again, time_up, restart, say take_back"),
        ("redeem done, offered", "asked_again, completed, take_back, time_up, restart"),
    ];
    let mut table: Vec<String> = Vec::new();
    let mut found = 0;
    for line in TABLE.lines().filter(|line| line.contains("=>")) {
        let (start, expected) = line.split_once("=>").unwrap();
        let late = moved.iter().find(|(state, _)| *state == start.trim());
        found += usize::from(late.is_some());
        let watched = ["redeem unknown", "redeem unknown, code_lost", "redeem unknown, +20 read same"];
        let expected = match late {
            Some((_, expected)) => (*expected).to_owned(),
            None if watched.contains(&start.trim()) => expected.replace("restart", "time_up, restart"),
            None => expected.to_owned(),
        };
        table.push(format!("{start}=> {expected}\n"));
    }
    assert_eq!(found, moved.len());
    check(COMPARABLE, 3600, &table.concat());
}

#[test]
fn the_table_of_states_has_every_state_in_it() {
    let mut names: Vec<&str> = vec![play(FINDABLE, "redeem unknown").unwrap().0.state_name()];
    for line in TABLE.lines().filter_map(|line| line.split_once("=>")) {
        names.push(play(COMPARABLE, line.0).unwrap().0.state_name());
    }
    for name in Redemption::STATE_NAMES {
        assert!(names.contains(&name), "{name}");
    }
    for name in names {
        assert!(Redemption::STATE_NAMES.contains(&name), "{name} cannot be searched by");
    }
}

#[test]
fn every_answer_and_verdict_that_is_offered_is_taken_and_no_other_one() {
    let setups = [COMPARABLE, setup(Recourse::Comparable, Reversal::NotConfirmed)];
    for (setup, line) in setups.iter().flat_map(|setup| {
        TABLE.lines().filter_map(|line| line.split_once("=>")).map(|(line, _)| (*setup, line))
    }) {
        // Not every line leads somewhere where nothing can be taken back.
        if setup.offers.reversal == Reversal::NotConfirmed && line.contains("reverse") {
            continue;
        }
        let Ok((redemption, _, at)) = play(setup, line) else { continue };
        let choices = redemption.question().map_or(&[][..], |question| question.choices);
        for word in EVENTS.iter().filter(|word| word.starts_with("say ") || word.starts_with("settle ")) {
            let event = event(&redemption.opening, word);
            let offered = match &event {
                RedemptionEvent::Answered { answer, .. } => choices.contains(answer),
                RedemptionEvent::Settled { verdict, .. } => redemption.verdicts().contains(verdict),
                _ => continue,
            };
            let taken = redemption.clone().step(at, event).is_ok();
            assert_eq!(taken, offered, "{word} in {:?} of {line}", redemption.state);
        }
    }
}

#[test]
fn what_a_till_may_do_is_what_the_machine_takes() {
    for line in TABLE.lines().filter_map(|line| line.split_once("=>")).map(|(line, _)| line) {
        let (redemption, _, at) = play(COMPARABLE, line).unwrap();
        let takes = |word| redemption.clone().step(at, event(&redemption.opening, word)).is_ok();
        assert_eq!(redemption.may_complete().is_ok(), takes("completed"), "{line}");
        assert_eq!(redemption.may_take_back(true).is_ok(), takes("take_back"), "{line}");
        assert_eq!(redemption.is_to_be_offered(), takes("offered"), "{line}");
        assert_eq!(redemption.watches_its_voucher(), takes("moved"), "{line}");
    }
}

#[test]
fn only_a_manager_takes_back_what_is_completed() {
    let completed = play(COMPARABLE, "redeem done, offered, completed").unwrap().0;
    assert_eq!(completed.may_take_back(false), Err(Refusal::ManagerNeeded));
    assert_eq!(completed.may_take_back(true), Ok(()));
    let answered = play(COMPARABLE, "redeem done, offered").unwrap().0;
    assert_eq!(answered.may_take_back(false), Ok(()));
}

/// What was found out while the code was there must replay, to the last word.
#[test]
fn a_redemption_whose_code_is_forgotten_replays_as_it_was() {
    for line in TABLE.lines().filter_map(|line| line.split_once("=>")).map(|(line, _)| line) {
        let (redemption, _, at) = play(COMPARABLE, line).unwrap();
        let mut gone = redemption.clone();
        gone.opening.code = None;
        for word in EVENTS {
            let event = event(&redemption.opening, word);
            let then = redemption.clone().step(at, event.clone());
            let now = gone.clone().step(at, event);
            let told = |step: Result<(Redemption, Vec<Effect>), Misfit>| {
                step.map(|(redemption, effects)| (redemption.state, redemption.past, effects))
            };
            assert_eq!(told(then), told(now), "{word} {line}");
        }
    }
}
