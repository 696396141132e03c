//! What several tills ask for at once shares one commit, and one of them that cannot be written spoils nothing for the others.
//!
//! The modelled world runs on one thread: what is asked for before the driver goes on comes to it in one turn.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::large_types_passed_by_value)]

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tilld_counter::desk::{CardRequest, SaleRequest};
use tilld_counter::{CheckRequest, Counter, RedeemRequest, RedemptionNow, SaleNow, Settings};
use tilld_domain::ids::CheckId;
use tilld_domain::moment::Moment;
use tilld_domain::product::CardKind;
use tilld_domain::redemption::State;
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::{Offers, Recourse, Reversal};
use tilld_tests::world::World;
use tilld_tests::world::clock::VirtualClock;
use tilld_tests::world::fate::{Fate, Fault, Point};
use tilld_tests::world::network::{POR, catalogue, euros};
use tilld_tests::world::power::SetUp;
use tilld_tests::world::run::{open, runtime, scratch};
use tilld_tests::world::till::asked;
use tilld_tests::world::vouchers::{Sort, token};

const OFFERS: Offers = Offers { recourse: Recourse::Comparable, reversal: Reversal::Repeatable };

/// Every request to redeem from the second one on is lost, and so is every undo.
struct LaterRedeemsAreLost(usize);

impl Fate for LaterRedeemsAreLost {
    fn at(&mut self, _: u32, point: Point) -> Option<Fault> {
        match point {
            Point::Redeem => {
                self.0 += 1;
                (self.0 > 1).then_some(Fault::RequestLost)
            }
            Point::Undo => Some(Fault::RequestLost),
            _ => None,
        }
    }
}

/// A shop of the modelled world, and the folder of its journal.
struct Shop {
    world: Arc<World>,
    counter: Counter,
    folder: TempDir,
}

/// Opens the shop, and lets `trade` happen in it.
fn in_a_shop<F>(settings: Settings, trade: impl FnOnce(Shop) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    in_a_shop_of(SetUp { settings, ..SetUp::default() }, trade);
}

fn in_a_shop_of<F>(set_up: SetUp, trade: impl FnOnce(Shop) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let folder = scratch();
    let journal = open(folder.path());
    journal.replace_products("modelled", &catalogue(), Moment::from_ms(0)).unwrap();
    let clock = VirtualClock::default();
    let world = World::new(clock.clone(), journal, Box::new(LaterRedeemsAreLost(0)), false);
    world.inner().vouchers.offers = Some(OFFERS);
    world.inner().vouchers.issue("V1", Sort::Money, 10_000);
    let here = Arc::clone(&world);
    let runtime = runtime(clock);
    let traded = runtime.block_on(async move {
        tokio::spawn(async move {
            let daemon = tokio::spawn(Arc::clone(&here).live(set_up, |_| true));
            let (counter, _) = here.daemon.until(Option::is_some).await.unwrap();
            trade(Shop { world: here, counter, folder }).await;
            daemon.abort();
        })
        .await
    });
    // The daemon holds the world by its ports, and the world holds the daemon.
    world.daemon.tell(None);
    traded.unwrap();
}

impl Shop {
    async fn sell(&self, key: &str, receipt: &str) -> Result<SaleNow, Refusal> {
        let card = CardRequest {
            product: POR.0.parse().unwrap(),
            kind: CardKind::Por,
            face_value: euros(POR.1),
            code: None,
        };
        let request =
            SaleRequest { receipt: receipt.parse().unwrap(), cashier: None, locale: None, cards: vec![card] };
        self.counter.open(asked(key), request).await
    }

    async fn look(&self) -> CheckId {
        let scan = CheckRequest {
            scan: Secret::new(token("V1")),
            ticket: None,
            program: None,
            target: None,
            cashier: None,
        };
        self.counter.check(scan).await.unwrap().check
    }

    async fn redeem(
        &self,
        key: &str,
        check: CheckId,
        basket: &str,
        cents: i64,
    ) -> Result<RedemptionNow, Refusal> {
        let request = RedeemRequest {
            check,
            basket: basket.parse().unwrap(),
            amount: Sort::Money.worth(cents),
            terms_confirmed: true,
            cashier: None,
            locale: None,
        };
        self.counter.redeem(asked(key), request).await
    }

    /// Somebody changes the row of a basket's redemption behind the daemon's back.
    fn change_row(&self, basket: &str, id: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("journal.db")).unwrap();
        let changed = connection
            .execute(&format!("UPDATE redemption SET id = {id} WHERE basket = ?1"), [basket])
            .unwrap();
        assert_eq!(changed, 1, "there is one redemption of {basket}");
    }
}

#[test]
fn a_used_receipt_stands_in_the_way_of_no_till_that_asks_in_the_same_turn() {
    in_a_shop(Settings::DESIGN, |shop| async move {
        shop.sell("K1", "R1").await.unwrap();
        let first = shop.redeem("K2", shop.look().await, "B1", 1_250).await.unwrap();
        let check = shop.look().await;

        let (used, fresh, same) = tokio::join!(
            shop.sell("K3", "R1"),
            shop.sell("K4", "R2"),
            // The same redemption under another key (row B13).
            shop.redeem("K5", check, "B1", 1_250),
        );

        assert_eq!(used.unwrap_err(), Refusal::ReceiptUsed);
        assert_eq!(fresh.unwrap().sale.opening.receipt.to_string(), "R2");
        assert_eq!(same.unwrap().redemption.id(), first.redemption.id());
        assert_eq!(shop.world.inner().vouchers.left("V1"), 10_000 - 1_250);
    });
}

#[test]
fn two_tills_that_ask_at_once_do_not_both_get_the_last_place() {
    in_a_shop(Settings { most_at_once: 1, ..Settings::DESIGN }, |shop| async move {
        let (one, two) = tokio::join!(shop.sell("K1", "R1"), shop.sell("K2", "R2"));
        let sold = one.unwrap();
        assert_eq!(two.unwrap_err(), Refusal::Busy);

        // The place of one that has gone is free for one of two.
        shop.counter.cancel(asked("K3"), sold.sale.opening.sale, None).await.unwrap();
        let (one, two) = tokio::join!(shop.sell("K4", "R2"), shop.sell("K5", "R3"));
        one.unwrap();
        assert_eq!(two.unwrap_err(), Refusal::Busy);
    });
}

/// A redemption that is found out by what is left on its voucher is told when something is given back to that voucher, in the same
/// commit. That commit cannot be written, and is done over entry by entry.
#[test]
fn a_redemption_that_cannot_be_taken_back_in_the_journal_is_not_taken_back_and_the_shop_goes_on() {
    in_a_shop(Settings::DESIGN, |shop| async move {
        let first = shop.redeem("K1", shop.look().await, "B1", 1_250).await.unwrap();
        let id = first.redemption.id();
        let lost = shop.redeem("K2", shop.look().await, "B2", 2_000).await.unwrap();
        assert!(
            matches!(lost.redemption.state, State::NotApplied { moved: false, .. }),
            "{:?}",
            lost.redemption
        );

        shop.change_row("B1", "CAST(id || x'00' AS BLOB)");
        let (back, other) =
            tokio::join!(shop.counter.take_back(asked("K3"), id, None, false), shop.sell("K4", "R1"));
        assert_eq!(back.unwrap_err(), Refusal::JournalDown);
        other.unwrap();
        let moved = |it: &RedemptionNow| matches!(it.redemption.state, State::NotApplied { moved: true, .. });
        let lost_id = lost.redemption.id();

        shop.change_row("B1", "substr(id, 1, 16)");
        shop.counter.take_back(asked("K5"), id, None, false).await.unwrap();
        assert!(moved(&shop.counter.redemption(lost_id).await.unwrap()));
        shop.world.clock.sleep(Duration::from_mins(1)).await;
        assert_eq!(shop.world.inner().vouchers.left("V1"), 10_000);
    });
}

#[test]
fn of_what_is_open_the_sale_in_a_customers_hands_is_shown_first_and_then_the_newest() {
    in_a_shop(Settings::DESIGN, |shop| async move {
        let sold = |now: &SaleNow| now.sale.opening.sale;
        let mut sales = Vec::new();
        for receipt in ["R1", "R2", "R3", "R4"] {
            sales.push(sold(&shop.sell(&format!("K-{receipt}"), receipt).await.unwrap()));
            shop.world.clock.sleep(Duration::from_secs(10)).await;
        }
        for cancelled in [2, 3] {
            shop.counter.cancel(asked(&format!("C{cancelled}")), sales[cancelled], None).await.unwrap();
        }
        let expected = [1, 0, 3, 2].map(|place| sales[place]);
        for most in 0..=5 {
            let open: Vec<_> = shop.counter.open_sales(most).await.unwrap().iter().map(sold).collect();
            assert_eq!(open, expected[..most.min(4)], "at most {most}");
        }
    });
}

/// An undo is told of from its first pause on, also after a start; and its pauses are lengthened by a fifth at most.
#[test]
fn an_undo_that_sleeps_is_told_of_with_the_moment_of_its_next_attempt() {
    let set_up = SetUp { jitters: true, ..SetUp::default() };
    in_a_shop_of(set_up, |shop| async move {
        let sale = shop.sell("K1", "R1").await.unwrap().sale.opening.sale;
        shop.counter.cancel(asked("K2"), sale, None).await.unwrap();
        shop.world.clock.sleep(Duration::from_hours(1)).await;
        let waiting = shop.counter.attention().await.unwrap();
        let undo = waiting.undos.values().next().unwrap();
        let last = undo.last.as_ref().unwrap();
        assert_eq!(undo.next.unwrap().since(last.at), Duration::from_mins(6), "five minutes and a fifth");
        assert!(undo.may_be_sent() && undo.failures >= 6);

        shop.world.restart().await;
        shop.world.daemon.until(Option::is_none).await;
        let (counter, _) = shop.world.daemon.until(Option::is_some).await.unwrap();
        shop.world.clock.sleep(Duration::from_millis(1)).await;
        let waiting = counter.attention().await.unwrap();
        assert_eq!(waiting.undos.len(), 1, "also before an attempt of this run has ended");
    });
}

#[test]
fn whether_a_confirm_may_be_repeated_is_the_providers_word() {
    let mut settings = Settings::DESIGN;
    settings.rules.confirm_repeatable = false;
    in_a_shop(settings, |shop| async move {
        let sold = shop.sell("K1", "R1").await.unwrap();
        assert!(sold.sale.opening.rules.confirm_repeatable);
    });
}
