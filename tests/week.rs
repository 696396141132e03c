//! A week of trade, and the proof that it can fail. `target/release/year` runs the year.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::large_types_passed_by_value)]

use std::time::Duration;

use tilld_tests::trade::{Report, Year};
use tilld_tests::world::power::SetUp;

fn week(seed: u64, set_up: SetUp) -> Report {
    Year { days: 7, seed, set_up }.run(|_, _| {})
}

/// The story of the first violation of some weeks that says so.
fn found(set_up: SetUp, what: &str) -> String {
    let mut others = Vec::new();
    for seed in 1..=10 {
        let Some(violation) = week(seed, set_up).violation else { continue };
        if violation.wrong.first().is_some_and(|wrong| wrong.contains(what)) {
            return violation.story.join("\n");
        }
        others.push(violation.wrong);
    }
    panic!("no week has {what}, only {others:?}");
}

#[test]
fn the_books_agree_after_a_week_and_it_repeats() {
    let once = week(1, SetUp::default());
    assert!(once.violation.is_none() && once.broken.is_none(), "{:?} {:?}", once.violation, once.broken);
    assert!(once.books.ends.orders > 1_400 && once.cuts() > 0 && once.entries > 8_000);
    let redeemed: usize = once.books.baskets.values().sum();
    assert!(redeemed > 100 && once.books.baskets.len() > 3, "{:?}", once.books.baskets);
    assert!((1..1_000).contains(&once.codes_kept), "{} codes are kept", once.codes_kept);
    let again = week(1, SetUp::default());
    assert_eq!((once.entries, once.counts.faults), (again.entries, again.counts.faults));
}

/// Law L6: "not found" closes only after the quiet time.
#[test]
fn without_the_quiet_time_a_week_loses_an_order() {
    let mut set_up = SetUp::default();
    set_up.settings.rules.quiet = Duration::ZERO;
    let story = found(set_up, "is live, and nobody holds it");
    assert!(story.contains("not-found"), "{story}");
}

/// Law L7: past the ink line no program undoes by itself.
#[test]
fn with_a_program_that_answers_for_the_cashier_a_week_leaves_a_customer_with_a_dead_card() {
    let story = found(SetUp { answers_by_itself: true, ..SetUp::default() }, "a customer holds");
    assert!(story.contains("daemon: Undo"), "{story}");
}

/// Law L7: past the answer line no program takes back by itself.
#[test]
fn with_a_program_that_answers_for_the_cashier_a_week_gives_goods_for_a_voucher_that_got_its_value_back() {
    let story = found(SetUp { answers_by_itself: true, ..SetUp::default() }, "are counted for");
    assert!(story.contains("vouchers: Reverse"), "{story}");
}
