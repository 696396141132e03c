//! A year of trade in all weathers, over the real counter and journal, in virtual time (`tilld_tests::trade`).
//!
//! `cargo build --release -p tilld-tests --bin year && target/release/year [DAYS] [SEED]`, 365 days and seed 1 if none are
//! named. The same seed gives the same year; fewer days give its beginning.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::process::ExitCode;

use tilld_tests::trade::weather::{Spells, span};
use tilld_tests::trade::{Report, Year};
use tilld_tests::world::power::SetUp;

/// How often it says how far it is.
const NIGHTS: u32 = 50;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let days = arguments.next().map_or(365, |days| days.parse().expect("a number of days"));
    let seed = arguments.next().map_or(1, |seed| seed.parse().expect("a seed"));
    println!("seed {seed}: {days} days");
    let report = Year { days, seed, set_up: SetUp::default() }.run(|day, books| {
        if (day + 1).is_multiple_of(NIGHTS) {
            println!("day {}: {} orders compared", day + 1, books.filed());
        }
    });
    tell(&report);
    let verdict = report.broken.as_ref().map(|why| format!("journal verify: {why}"));
    if let Some(violation) = &report.violation {
        println!("VIOLATION, found after day {}: {:?}", violation.day, violation.wrong);
        for line in &violation.story {
            println!("{line}");
        }
        println!("again: target/release/year {} {seed}", violation.day);
    }
    if let Some(broken) = &verdict {
        println!("VIOLATION: {broken}");
    }
    if report.violation.is_none() && verdict.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(report: &Report) {
    let Report { tally, almanac, counts, books, .. } = report;
    let ends = books.ends;
    println!(
        "{} days, {} sales asked for, {} orders at the provider ({} a day)",
        report.days,
        tally.sales,
        ends.orders,
        ends.orders / usize::try_from(report.days.max(1)).unwrap(),
    );
    println!(
        "orders by their end: {} sold and kept, {} undone, {} refused by the provider (a claim), {} left without value; at the provider {:?}",
        ends.sold, ends.undone, ends.claimed, ends.without_value, books.stages
    );
    println!("{} guests with vouchers; baskets by their end:", tally.guests);
    for (end, count) in &books.baskets {
        println!("{count:>10}  {end}");
    }
    println!("money: {} cents kept, {} cents given back", ends.kept_cents, ends.back_cents);
    println!("calls and slips: {:?}", counts.calls);
    let faults: Vec<String> = counts.faults.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
    println!("faults: {}", faults.join(", "));
    println!("the line: {}", Spells(&almanac.line));
    println!("the printer: {}", Spells(&almanac.printer));
    println!("the disk: {}; the daemon noticed {}", Spells(&almanac.disk), tally.disk_noticed);
    let jumps = almanac.clock.iter().map(|spell| spell.is.unsigned_abs());
    println!(
        "the clock: {} jumps of {} to {}, {} of them back; the daemon noticed {}",
        almanac.clock.len(),
        span(std::time::Duration::from_millis(jumps.clone().min().unwrap_or(0))),
        span(std::time::Duration::from_millis(jumps.max().unwrap_or(0))),
        almanac.clock.iter().filter(|spell| spell.is < 0).count(),
        tally.clock_noticed,
    );
    println!(
        "{} restarts for an update, {} power cuts; {} decisions of a manager",
        tally.restarts,
        report.cuts(),
        tally.decisions
    );
    println!(
        "books compared in {} nights, put off in {}, and as a whole at the end; journal: {} entries, {}; the codes of {} cards are not forgotten yet",
        tally.nights_compared,
        tally.nights_put_off,
        report.entries,
        if report.broken.is_none() { "verified" } else { "BROKEN" },
        report.codes_kept,
    );
    println!(
        "violations: {} ({:.1} s)",
        usize::from(report.violation.is_some()) + usize::from(report.broken.is_some()),
        report.took.as_secs_f64()
    );
}
