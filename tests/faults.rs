//! The enumeration of faults in a short form, and the proof that it can fail: with a law switched off it must find what the
//! law is there for. `target/release/enumerate` runs the long form.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::large_types_passed_by_value)]

use std::time::Duration;

use tilld_tests::search::{SCENARIOS, Scenario, Search, Violation, enumerate};
use tilld_tests::world::fate::{Fate, Fault, Hit, Point};
use tilld_tests::world::power::SetUp;

fn of(name: &str) -> &'static Scenario {
    Scenario::named(name).expect("a known scenario")
}

/// The first violation, if there is one, with its story.
fn told(set_up: SetUp, violations: &[Violation]) -> String {
    let Some(first) = violations.first() else { return "none".to_owned() };
    let story = of(first.scenario).replay(set_up, &first.hits).story;
    format!("{}: {:?}\n{}", first.command(), first.wrong, story.join("\n"))
}

#[test]
fn the_books_agree_after_every_single_fault_in_every_kind_of_sale() {
    let mut run = 0;
    for scenario in &SCENARIOS {
        let figures = enumerate(scenario, Search::of(1));
        assert!(figures.violations.is_empty(), "{}", told(SetUp::default(), &figures.violations));
        assert!(figures.restarts > 0 && figures.ends.len() > 1, "{}: nothing went wrong", scenario.name);
        run += figures.run();
    }
    println!("{run} sequences");
}

#[test]
fn a_history_repeats_to_the_last_word() {
    let hits: Vec<Hit> = ["4:crash-after", "8:not-found"].iter().map(|hit| hit.parse().unwrap()).collect();
    let once = of("two-por").replay(SetUp::default(), &hits);
    assert!(!once.story.is_empty() && once.wrong.is_empty(), "{:?}", once.wrong);
    assert_eq!(once.story, of("two-por").replay(SetUp::default(), &hits).story);
}

/// What is cut off after a crash into a known state would have ended as something that was run.
#[test]
fn the_cut_hides_no_end() {
    let search = Search::of(2);
    let with = enumerate(of("por-cancelled"), search);
    let without = enumerate(of("por-cancelled"), Search { cut: false, ..search });
    assert!(with.joined > 0 && without.joined == 0 && with.run() < without.run());
    assert!(with.violations.is_empty(), "{}", told(search.set_up, &with.violations));
    assert!(without.violations.is_empty(), "{}", told(search.set_up, &without.violations));
    assert!(with.ends.keys().eq(without.ends.keys()), "{:?} {:?}", with.ends, without.ends);
}

/// Law L6: "not found" closes only after the quiet time.
#[test]
fn without_the_quiet_time_an_order_that_was_not_found_for_a_moment_is_lost() {
    let mut set_up = SetUp::default();
    set_up.settings.rules.quiet = Duration::ZERO;
    let figures = enumerate(of("por"), Search { set_up, enough: 1, ..Search::of(2) });
    let first = figures.violations.first().expect("a live card that nobody holds");
    assert!(first.wrong.iter().any(|wrong| wrong.contains("is live, and nobody holds it")), "{first:?}");
    assert!(first.hits.iter().any(|hit| hit.to_string().ends_with("not-found")), "{first:?}");
}

/// Law L7: past the ink line no program undoes by itself.
#[test]
fn with_a_program_that_answers_for_the_cashier_a_customer_holds_a_dead_card() {
    let set_up = SetUp { answers_by_itself: true, ..SetUp::default() };
    let figures = enumerate(of("por"), Search { set_up, enough: 1, ..Search::of(1) });
    let first = figures.violations.first().expect("a dead card in a customer's hand");
    assert!(first.wrong.iter().any(|wrong| wrong.contains("a customer holds")), "{first:?}");
}

/// Law L7: past the answer line no program takes back by itself.
#[test]
fn with_a_program_that_answers_for_the_cashier_goods_leave_for_a_voucher_that_got_its_value_back() {
    let set_up = SetUp { answers_by_itself: true, ..SetUp::default() };
    let figures = enumerate(of("redeem"), Search { set_up, enough: 1, ..Search::of(1) });
    let first = figures.violations.first().expect("goods for nothing");
    assert!(
        first.wrong.iter().any(|wrong| wrong.contains("1250 are counted for V1, and 0 are")),
        "{first:?}"
    );
}

/// Law L6 of an unchanged balance: it closes only after the longest time that a request can live.
#[test]
fn where_a_request_outlives_the_quiet_time_a_guest_pays_twice() {
    let set_up = SetUp { request_lives: Duration::from_mins(6), ..SetUp::default() };
    let figures = enumerate(of("redeem"), Search { set_up, enough: 1, ..Search::of(2) });
    let first = figures.violations.first().expect("a voucher that was used for nothing");
    assert!(first.wrong.iter().any(|wrong| wrong.contains("are taken from it")), "{first:?}");
    assert!(first.hits.iter().any(|hit| hit.to_string().ends_with("request-last")), "{first:?}");
}

/// There is no paper for the first slip.
#[derive(Default)]
struct NoPaper {
    slips: usize,
}

impl Fate for NoPaper {
    fn at(&mut self, _: u32, point: Point) -> Option<Fault> {
        self.slips += usize::from(point == Point::Print);
        (point == Point::Print && self.slips == 1).then_some(Fault::NoPaper)
    }
}

/// Row A9: the slip goes on when there is paper, before anybody has answered anything.
#[test]
fn a_slip_that_waits_for_paper_goes_on_by_itself_and_comes_out_once() {
    let outcome = of("por").told(SetUp::default(), NoPaper::default());
    let story = outcome.story.join("\n");
    assert!(outcome.hits == 1 && outcome.wrong.is_empty(), "{:?}\n{story}", outcome.wrong);
    assert!(story.contains("printer_ready") && !story.contains("answers"), "{story}");
    assert_eq!(story.matches("printer: the slip is out").count(), 1, "{story}");
}

/// Strikes the first reversal, and the second redeem.
#[derive(Default)]
struct Overtaken {
    reversals: usize,
    redeems: usize,
}

impl Fate for Overtaken {
    fn at(&mut self, _: u32, point: Point) -> Option<Fault> {
        self.reversals += usize::from(point == Point::Reverse);
        self.redeems += usize::from(point == Point::Redeem);
        match (point, self.reversals, self.redeems) {
            (Point::Reverse, 1, _) => Some(Fault::Unreachable),
            (Point::Redeem, _, 2) => Some(Fault::BrokenAfter),
            _ => None,
        }
    }
}

/// A look that was made while a reversal was on its way says nothing about what is on the voucher when it has ended: redeemed
/// on it, an answer that is lost would pass for nothing taken (row B3).
#[test]
fn a_voucher_is_looked_at_again_if_it_got_its_value_back_after_the_look() {
    let outcome = of("redeem-left").told(SetUp::default(), Overtaken::default());
    assert!(
        outcome.hits == 2 && outcome.wrong.is_empty(),
        "{:?}\n{}",
        outcome.wrong,
        outcome.story.join("\n")
    );
}
