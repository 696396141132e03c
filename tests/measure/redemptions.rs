//! Redemptions one after another: each looks at a voucher, takes a little of it, and completes its basket.
//!
//! The daemon's own time of a redeem is the whole time of the till's request without the provider's answer to the redeem. From
//! scan to wire is from just before the till writes the request to look at a voucher until the client of the provider is asked
//! to look: what the client still does before the first byte leaves is not in it. What the provider takes is not known to
//! anybody but it, so the whole look is printed beside as what it cannot exceed.

use std::time::Duration;

use serde_json::json;

use crate::disk::{Disk, Logged};
use crate::figures::{quantile, us};
use crate::shop::{Providers, Shop, euros};

/// How many redemptions are measured, and how many are done before.
const REDEMPTIONS: usize = 1_000;
const WARM: usize = 300;
/// How many of those before tell what a commit appends.
const WEIGHED: usize = 100;
/// After how many redemptions the disk is sampled.
const SAMPLE_EVERY: usize = 10;
/// What is on the voucher, and what each redemption takes.
const EUROS: &str = "100000.00";
const TAKEN: &str = "0.01";
const CENTS: usize = 10_000_000;

/// What one redemption took.
struct Took {
    to_wire: Duration,
    look: Duration,
    redeem: Duration,
    provider: Duration,
    /// How many commits were made before the redeem was answered.
    commits: u64,
    /// What they appended to the log; none if the log began anew, or was not looked at.
    logged: Option<Logged>,
}

/// The name of a basket, as tills count them: each is after the one before also in the order of text, and so in an index.
fn basket(number: usize) -> String {
    format!("B-20261122-{number:04}")
}

async fn redeem(shop: &Shop, code: &str, number: usize, weigh: bool) -> Took {
    let basket = basket(number);
    shop.vouchers.take_looks();
    let look = shop.tills.post("/v1/vouchers/check", &basket, &json!({ "scan": code })).await;
    let seen = look.json();
    let looks = shop.vouchers.take_looks();
    assert_eq!(looks.len(), 1, "{seen}");
    shop.outside.take();
    let (log, commits) = (weigh.then(|| shop.logged()), shop.journal.commits());
    let body = json!({ "check": seen["check"], "basket": basket, "amount": euros(TAKEN) });
    let redeem = shop.tills.post("/v1/redemptions", &format!("{basket}-redeem"), &body).await;
    let commits = shop.journal.commits() - commits;
    let logged = log.and_then(|before| shop.logged().since(&before));
    let provider = shop.outside.take();
    let taken = redeem.json();
    assert_eq!(taken["state"], "answered", "{taken}");
    let path = format!("/v1/redemptions/{}/complete", taken["id"].as_str().unwrap());
    let done = shop.tills.post(&path, &format!("{basket}-complete"), &json!({})).await.json();
    assert_eq!(done["state"], "completed", "{done}");
    let to_wire = looks[0].duration_since(look.asked);
    Took { to_wire, look: look.took, redeem: redeem.took, provider, commits, logged }
}

pub async fn one_after_another(providers: &Providers) {
    let shop = Shop::open(providers).await;
    let code = providers.issue(EUROS).await;
    // Until the journal's log has reached its size: from then on it is overwritten.
    let mut logged: Option<Logged> = None;
    for warm in 0..WARM {
        let took = redeem(&shop, &code, warm, warm >= WARM - WEIGHED).await;
        logged = match (logged, took.logged) {
            (Some(before), Some(more)) => Some(before.and(more)),
            (before, more) => before.or(more),
        };
    }
    let size = logged.expect("a log that did not begin anew at every redeem").bytes_a_commit();
    let mut disk = Disk::new(size);
    let (mut own, mut provider, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let (mut to_wire, mut looks) = (Vec::new(), Vec::new());
    let (mut commits, mut most) = (0, 0);
    for number in 0..REDEMPTIONS {
        let took = redeem(&shop, &code, WARM + number, false).await;
        own.push(took.redeem.saturating_sub(took.provider));
        provider.push(took.provider);
        whole.push(took.redeem);
        to_wire.push(took.to_wire);
        looks.push(took.look);
        commits += took.commits;
        most = most.max(took.commits);
        if number % SAMPLE_EVERY == 0 {
            disk.sample();
        }
    }
    let left = shop.tills.post("/v1/vouchers/check", "last", &json!({ "scan": code })).await.json();
    let cents = CENTS - WARM - REDEMPTIONS;
    let expected = format!("{}.{:02}", cents / 100, cents % 100);
    assert_eq!(left["eligible"]["amount"], expected, "each redemption was taken once: {left}");

    let commits = commits as f64 / REDEMPTIONS as f64;
    println!(
        "one redemption after another ({REDEMPTIONS} redemptions of one voucher, each of a basket of its own)"
    );
    println!("  commits before its answer   {commits:.2}, at most {most}; wanted at most 2");
    disk.tell(2);
    println!(
        "  whole redeem                p50 {:.0} us, of it the provider {:.0} us",
        us(quantile(&mut whole, 500)),
        us(quantile(&mut provider, 500))
    );
    let (paced, back_to_back) = disk.medians();
    for (name, per_mille, wanted) in [("p50", 500, "; wanted at most 1.5"), ("p99", 990, "")] {
        let value = us(quantile(&mut own, per_mille));
        println!(
            "  own time {name}                {value:.0} us = {:.2} x (commits x median), {:.2} x with the disk back to back{wanted}",
            value / (us(paced) * commits),
            value / (us(back_to_back) * commits)
        );
    }
    println!(
        "  from scan to wire           p50 {:.0} us, p99 {:.0} us; wanted p99 under 5000 (the whole look, its provider's time with it: p99 {:.0} us)",
        us(quantile(&mut to_wire, 500)),
        us(quantile(&mut to_wire, 990)),
        us(quantile(&mut looks, 990))
    );
}
