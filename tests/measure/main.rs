//! What the counter costs, measured in one run and stated as ratios with their parts.
//!
//! `cargo build --release --workspace && target/release/measure`
//!
//! | part | module |
//! |---|---|
//! | one sale after another: its own time against what the disk alone takes for its commits; then sixteen tills at once | `sales` |
//! | one redemption after another: the same; and how long a scan takes to the wire | `redemptions` |
//! | the program: start to ready, memory, size | `program` |
//!
//! Tills speak to the local API (`till`) of a daemon that is made of the real rooms (`shop`), with the clients and the printer
//! timed from outside (`timed`); the simulated providers are `tilld sandbox` in a process of its own. What the disk alone
//! takes is sampled in the same run (`disk`).
//!
//! `measure sales`, `measure redemptions` and `measure program` do one part alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing, clippy::float_arithmetic, clippy::cast_precision_loss)]

mod disk;
mod figures;
mod program;
mod redemptions;
mod sales;
mod shop;
mod till;
mod timed;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let part = std::env::args().nth(1);
    let parts = ["sales", "redemptions", "program"];
    assert!(part.as_deref().is_none_or(|part| parts.contains(&part)), "there are the parts {parts:?}");
    let wanted = |name| part.as_deref().is_none_or(|part| part == name);
    let providers = shop::Providers::start();
    if wanted("sales") {
        sales::one_after_another(&providers).await;
        sales::at_once(&providers).await;
    }
    if wanted("redemptions") {
        redemptions::one_after_another(&providers).await;
    }
    if wanted("program") {
        program::starts(&providers.finperks);
    }
    let _ = std::fs::remove_dir_all(disk::folder());
}
