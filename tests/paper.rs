//! Every byte of the ticket: the printer loses its power, or its paper, at byte N, for N all over the bytes of a slip.
//!
//! A cashier answers by what is on the paper, prints again, or gives the money back; then provider, paper and till must
//! agree. In the short form every 89th byte is tried; `TILLD_EVERY_BYTE=1 cargo test -p tilld-tests --release --test paper`
//! tries all of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tilld_tests::leaks;
use tilld_tests::script::{Line, Till};
use tilld_tests::shop::eventually;

/// What a connection begins with, and the longest slip of the sandbox at 42 columns, in bytes.
const BYTES: usize = 1_050 + 1_700;

fn step() -> usize {
    if std::env::var_os("TILLD_EVERY_BYTE").is_some() { 1 } else { 89 }
}

async fn act(till: &mut Till, act: &str) {
    till.line(&Line { number: 0, act: act.to_owned(), follows: vec![] }).await;
}

async fn at_every_byte(fault: &str) {
    let bytes: Vec<usize> = (0..BYTES).step_by(step()).collect();
    let mut stopped = 0;
    // A new shop now and then: its books are compared as a whole, and need not grow for ever.
    for some in bytes.chunks(40) {
        let mut till = Till::open("").await;
        for byte in some {
            stopped += usize::from(one_slip(&mut till, fault, *byte).await);
        }
        till.balance().await;
        till.close().await;
        leaks::forget();
    }
    // A fault that never struck proves nothing.
    assert!(stopped * 4 > bytes.len(), "only {stopped} of {} slips were stopped", bytes.len());
}

/// Sells a card while the printer fails at a byte; whether that stopped its slip.
async fn one_slip(till: &mut Till, fault: &str, byte: usize) -> bool {
    act(till, &format!("printer {fault} at {byte}")).await;
    act(till, &format!("sell por 4001232232332 50.00 EUR on R{byte}")).await;
    act(till, "paid card").await;
    till.rest().await;
    let asked = till.sale().await.unwrap()["phase"] == "question";
    act(till, "printer power-cycled").await;
    let done = eventually(async || {
        till.answer_by_the_paper().await;
        (till.sale().await?["phase"] == "done").then_some(())
    })
    .await;
    done.unwrap_or_else(|| panic!("{fault} at byte {byte}: no end"));
    asked
}

/// One after the other: each searches the whole process's log for its codes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printer_loses_its_power_or_its_paper_at_every_byte() {
    at_every_byte("vanishes").await;
    at_every_byte("paper out").await;
}
