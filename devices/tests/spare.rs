//! Two printers as one: what the second may take, and what it never gets.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bench;

use std::sync::Arc;

use bench::{Bench, Cable, slip};
use tilld_devices::printer::{Fault, JobOutcome, Printer, Proof};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedFault};
use tilld_devices::{Patience, with_spare};

async fn two() -> (Bench, Bench, Arc<dyn Printer>) {
    let one = Bench::new(Cable::Network, Answers::ALL, Profile::epson(), Patience::default()).await;
    let narrow = Profile::named("plain").unwrap().with_columns(32);
    let narrow = Profile { columns: 32, pages: narrow.pages, prints: narrow.prints, ..Profile::epson() };
    let other = Bench::new(Cable::Usb, Answers::ALL, narrow, Patience::default()).await;
    let pair = with_spare(Arc::clone(&one.printer), Arc::clone(&other.printer));
    (one, other, pair)
}

fn count(bench: &Bench) -> usize {
    bench.simulated().papers().len()
}

const PRINTED: JobOutcome = JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 };

#[tokio::test]
async fn the_spare_takes_a_slip_of_which_nothing_was_sent() {
    let (one, other, pair) = two().await;
    assert_eq!(pair.print(&slip("first")).await, PRINTED);
    assert_eq!((count(&one), count(&other)), (1, 0));
    for (fault, papers) in [(SimulatedFault::PaperOut, 1), (SimulatedFault::CoverOpen, 2)] {
        one.simulated().fault(fault);
        assert_eq!(pair.print(&slip("other")).await, PRINTED, "{fault:?}");
        assert_eq!((count(&one), count(&other)), (1, papers), "{fault:?}");
    }
    one.simulated().clear();
    assert_eq!(pair.print(&slip("again")).await, PRINTED);
    assert_eq!((count(&one), count(&other)), (2, 2));
}

#[tokio::test]
async fn each_of_the_two_prints_alone_what_is_meant_for_it() {
    let (one, other, pair) = two().await;
    let alone = |bench: &Bench| pair.alone(bench.printer.name()).unwrap();
    one.simulated().fault(SimulatedFault::PaperOut);
    assert_eq!(alone(&one).print(&slip("first")).await, JobOutcome::NothingPrinted(Fault::PaperOut));
    assert_eq!((count(&one), count(&other)), (0, 0));
    assert_eq!(alone(&other).print(&slip("other")).await, PRINTED);
    assert_eq!((count(&one), count(&other)), (0, 1));
    assert!(pair.alone("another").is_none() && one.printer.alone(one.printer.name()).is_none());
}

#[tokio::test]
async fn a_slip_that_may_be_on_paper_is_not_given_to_the_spare() {
    let (one, other, pair) = two().await;
    assert_eq!(pair.print(&slip("first")).await, PRINTED);
    one.simulated().fault(SimulatedFault::PaperOutAtByte(40));
    let outcome = pair.print(&slip("struck")).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::PaperOut, .. }), "{outcome:?}");
    assert_eq!(count(&other), 0);
}

#[tokio::test]
async fn when_neither_can_print_the_first_says_why() {
    let (one, other, pair) = two().await;
    one.simulated().fault(SimulatedFault::PaperOut);
    other.simulated().fault(SimulatedFault::CoverOpen);
    assert_eq!(pair.print(&slip("none")).await, JobOutcome::NothingPrinted(Fault::PaperOut));
    assert_eq!(pair.status().await.and_then(|status| status.fault), Some(Fault::PaperOut));
    other.simulated().clear();
    assert_eq!(pair.status().await.and_then(|status| status.fault), None);
    let mut condition = pair.condition();
    condition.wait_for(|told| told.is_some_and(|told| told.fault.is_none())).await.unwrap();
}

#[tokio::test]
async fn a_slip_is_laid_out_for_what_both_can_do() {
    let (one, other, pair) = two().await;
    assert_eq!(
        (one.printer.paper().columns, other.printer.paper().columns, pair.paper().columns),
        (48, 32, 32)
    );
    for (letter, has) in [('a', true), ('ß', true), ('€', false)] {
        assert_eq!(pair.paper().prints.has(letter), has, "{letter}");
    }
    assert_eq!(pair.name(), "till");
}

#[tokio::test]
async fn each_of_the_two_is_known_by_its_own_name() {
    let (one, other, pair) = two().await;
    one.healthy().await;
    other.simulated().fault(SimulatedFault::PaperOut);
    other.becomes(Some(Fault::PaperOut)).await;
    let singles = pair.singles();
    assert_eq!(singles.len(), 2);
    for (single, fault) in singles.iter().zip([None, Some(Fault::PaperOut)]) {
        assert_eq!(single.condition.borrow().unwrap().fault, fault, "{}", single.name);
    }
    // Together they can print.
    assert_eq!(pair.status().await.and_then(|status| status.fault), None);
}
