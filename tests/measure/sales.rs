//! Sales of one printed card: one after another, and sixteen tills at once.
//!
//! The daemon's own time is the whole time of the till's two requests without the time in provider and printer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::disk::Disk;
use crate::figures::{quantile, us};
use crate::shop::{Providers, Shop};

/// Sales one after another.
const SALES: usize = 1_000;
/// After how many of them the disk is sampled.
const SAMPLE_EVERY: usize = 10;
/// Sales before anything is measured.
const WARM: usize = 300;
/// Tills at once, sales of each in a round, sales one after another in a round, and rounds.
const TILLS: usize = 16;
const SALES_A_TILL: usize = 20;
const SALES_ALONE: usize = 80;
const ROUNDS: usize = 3;

pub async fn one_after_another(providers: &Providers) {
    let shop = Shop::open(providers).await;
    // Until the journal's log has reached its size: from then on it is overwritten.
    for warm in 0..WARM {
        shop.sell(&format!("W{warm}")).await;
    }
    shop.outside.take();
    let mut disk = Disk::new(shop.logged().bytes_a_commit());
    let (mut own, mut whole, mut outside) = (Vec::with_capacity(SALES), Vec::new(), Vec::new());
    let (before, mut before_slip) = (shop.journal.commits(), 0);
    for number in 0..SALES {
        let begun = shop.journal.commits();
        let took = shop.sell(&format!("A{number}")).await;
        before_slip = before_slip.max(shop.printer.commits_at_slip.load(Ordering::Relaxed) - begun);
        let spent = shop.outside.take();
        own.push(took.saturating_sub(spent));
        whole.push(took);
        outside.push(spent);
        if number % SAMPLE_EVERY == 0 {
            disk.sample();
        }
    }
    let commits = (shop.journal.commits() - before) as f64 / SALES as f64;
    println!("one sale after another ({SALES} sales of one printed card)");
    println!(
        "  commits per sale            {commits:.2} (at most {before_slip} before the slip is at the printer)"
    );
    disk.tell(5);
    println!(
        "  whole sale                  p50 {:.0} us, of it provider and printer {:.0} us",
        us(quantile(&mut whole, 500)),
        us(quantile(&mut outside, 500))
    );
    let (paced, back_to_back) = disk.medians();
    for (name, per_mille, most) in [("p50", 500, 1.5), ("p99", 990, 3.0)] {
        let value = us(quantile(&mut own, per_mille));
        println!(
            "  own time {name}                {value:.0} us = {:.2} x (commits x median), {:.2} x with the disk back to back; wanted at most {most}",
            value / (us(paced) * commits),
            value / (us(back_to_back) * commits)
        );
    }
}

pub async fn at_once(providers: &Providers) {
    let shop = Arc::new(Shop::open(providers).await);
    for warm in 0..WARM {
        shop.sell(&format!("W{warm}")).await;
    }
    let (mut alone_took, mut together_took, mut commits) = (Duration::ZERO, Duration::ZERO, 0);
    for round in 0..ROUNDS {
        let begun = Instant::now();
        for number in 0..SALES_ALONE {
            shop.sell(&format!("B{round}-{number}")).await;
        }
        alone_took += begun.elapsed();
        let (begun, before) = (Instant::now(), shop.journal.commits());
        let tills = (0..TILLS).map(|till| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move {
                for number in 0..SALES_A_TILL {
                    shop.sell(&format!("C{round}-{till}-{number}")).await;
                }
            })
        });
        for till in join_all(tills).await {
            till.unwrap();
        }
        together_took += begun.elapsed();
        commits += shop.journal.commits() - before;
    }
    let count = ROUNDS * TILLS * SALES_A_TILL;
    let alone = (ROUNDS * SALES_ALONE) as f64 / alone_took.as_secs_f64();
    let together = count as f64 / together_took.as_secs_f64();
    let commits = commits as f64 / count as f64;
    println!("{TILLS} sales at once ({count} sales)");
    println!(
        "  sales per second            {together:.0} against {alone:.0} one after another = {:.2} x; wanted at least 3",
        together / alone
    );
    println!("  commits per sale            {commits:.2}; wanted at most 2");
}
