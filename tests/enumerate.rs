//! Enumeration over the real code: every sequence of up to N faults, in every scenario.
//!
//! `cargo build --release -p tilld-tests && target/release/enumerate [FAULTS] [SCENARIO …]`, 3 faults if none are named. A history
//! is one thread; scenarios run beside each other, one for each core.
//! `target/release/enumerate whole FAULTS [SCENARIO …]` makes no cut: every sequence is run to its end, and each that comes to the
//! same state as another one must go on as that one did.
//! `target/release/enumerate replay SCENARIO STEP:FAULT …` runs one sequence and tells its story.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use tilld_tests::search::{Figures, SCENARIOS, Scenario, Search, enumerate};
use tilld_tests::world::fate::Hit;
use tilld_tests::world::power::SetUp;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "replay" => replay(rest),
        Some((first, rest)) if first == "whole" => {
            let (faults, names) = rest.split_first().expect("a number of faults");
            all(faults, names, false)
        }
        Some((faults, names)) => all(faults, names, true),
        None => all("3", &[], true),
    }
}

fn replay(arguments: &[String]) -> ExitCode {
    let (name, hits) = arguments.split_first().expect("a scenario");
    let scenario = Scenario::named(name).expect("a known scenario");
    let hits: Vec<Hit> = hits.iter().map(|hit| hit.parse().expect("STEP:FAULT")).collect();
    let outcome = scenario.replay(SetUp::default(), &hits);
    for line in &outcome.story {
        println!("{line}");
    }
    for (receipt, end) in &outcome.ends {
        println!("{receipt}: {end}");
    }
    for wrong in &outcome.wrong {
        println!("WRONG: {wrong}");
    }
    if outcome.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(faults: &str, names: &[String], cut: bool) -> ExitCode {
    let faults: usize = faults.parse().expect("a number of faults");
    let mut total = Figures::default();
    let begun = Instant::now();
    let wanted: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| names.is_empty() || names.iter().any(|name| name == scenario.name))
        .collect();
    let (next, (tell, told)) = (AtomicUsize::new(0), mpsc::channel());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (next, wanted, tell) = (&next, &wanted, tell.clone());
            scope.spawn(move || {
                while let Some(scenario) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let its = Instant::now();
                    let faults = faults.saturating_sub(scenario.faults_less).max(faults.min(1));
                    let figures = enumerate(scenario, Search { cut, ..Search::of(faults) });
                    tell.send((scenario.name, faults, figures, its.elapsed())).unwrap();
                }
            });
        }
        drop(tell);
        for (name, faults, figures, took) in told {
            println!(
                "{name:<17} up to {faults} faults: {:>8} sequences, {:>8} joined, {:>8} crashes, {:>8} restarts, violations: {} ({:.1} s)",
                figures.run(),
                figures.joined,
                figures.crashes,
                figures.restarts,
                figures.violations.len(),
                took.as_secs_f64(),
            );
            total.add(figures);
        }
    });
    println!("at rest, by the books of provider, paper and money:");
    for (end, count) in &total.ends {
        println!("{count:>10}  {end}");
    }
    println!(
        "{} sequences of faults by their number {:?}, faults tried at {} steps; {} were cut after a crash into a known state; {} crashes, {} restarts; violations: {} ({:.1} s)",
        total.run(),
        total.sequences,
        total.steps,
        total.joined,
        total.crashes,
        total.restarts,
        total.violations.len(),
        begun.elapsed().as_secs_f64(),
    );
    let Some(first) = total.violations.first() else { return ExitCode::SUCCESS };
    for violation in total.violations.iter().take(20) {
        println!("{}  {:?}", violation.command(), violation.wrong);
    }
    println!("the first of them:");
    let scenario = Scenario::named(first.scenario).expect("a scenario");
    for line in &scenario.replay(SetUp::default(), &first.hits).story {
        println!("{line}");
    }
    ExitCode::FAILURE
}
