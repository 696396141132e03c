//! The real clients and the real printer, timed from outside: what they take is not the daemon's own time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tilld_devices::printer::{JobOutcome, Printer, Probed, Status};
use tilld_domain::ids::{CardCode, ProductCode, ProviderKey, ProviderOrderId, ProviderRedemptionId};
use tilld_domain::outcome::{Created, OrderSeen, Outcome, UndoAnswer};
use tilld_domain::refusal::Refusal;
use tilld_domain::slip::{Paper, Slip};
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{Offers, Redeemed, RedemptionSeen, ReverseAnswer, VoucherCode, VoucherShown};
use tilld_journal::Journal;
use tilld_providers::finperks::Finperks;
use tilld_providers::gift_local::GiftLocal;
use tilld_providers::vouchers::{RedeemFacts, ValidateFacts, VoucherDeadlines, Vouchers};
use tilld_providers::{
    Balance, Catalogue, ConfirmFacts, CreateFacts, Deadlines, GiftCards, Store, StoredRequest,
};
use tokio::sync::watch;

/// Time that was spent outside the daemon, in ns.
#[derive(Default)]
pub struct Outside(AtomicU64);

impl Outside {
    pub async fn time<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.0.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap(), Ordering::Relaxed);
        done
    }

    pub fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }
}

/// The real client of finperks, timed from outside.
pub struct TimedProvider(pub Finperks, pub Arc<Outside>);

impl GiftCards for TimedProvider {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn deadlines(&self) -> Deadlines {
        self.0.deadlines()
    }
    fn confirm_is_repeatable(&self) -> bool {
        self.0.confirm_is_repeatable()
    }
    fn undo_window(&self, product: &ProductCode) -> Option<Duration> {
        self.0.undo_window(product)
    }
    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal> {
        self.0.prepare_create(facts)
    }
    fn prepare_confirm(&self, facts: &ConfirmFacts) -> StoredRequest {
        self.0.prepare_confirm(facts)
    }
    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>> {
        Box::pin(self.1.time(self.0.create(key, request, code)))
    }
    fn confirm<'a>(
        &'a self,
        order: &'a ProviderOrderId,
        request: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>> {
        Box::pin(self.1.time(self.0.confirm(order, request)))
    }
    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        Box::pin(self.1.time(self.0.lookup(order)))
    }
    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        Box::pin(self.1.time(self.0.invalidate(order)))
    }
    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        self.0.products()
    }
    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>> {
        self.0.balances()
    }
    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>> {
        self.0.stores()
    }
    fn register_store<'a>(&'a self, template: &'a str) -> BoxFuture<'a, Outcome<Store>> {
        self.0.register_store(template)
    }
}

/// The real client of Gift Local, timed from outside; it also notes when it was asked to look at a voucher.
pub struct TimedVouchers {
    pub gift_local: GiftLocal,
    pub outside: Arc<Outside>,
    /// When each look was about to be sent, since they were taken last.
    pub looks: Mutex<Vec<Instant>>,
}

impl TimedVouchers {
    pub fn take_looks(&self) -> Vec<Instant> {
        std::mem::take(&mut self.looks.lock().unwrap())
    }
}

impl Vouchers for TimedVouchers {
    fn name(&self) -> &str {
        self.gift_local.name()
    }
    fn deadlines(&self) -> VoucherDeadlines {
        self.gift_local.deadlines()
    }
    fn offers(&self) -> Offers {
        self.gift_local.offers()
    }
    fn scan_rules(&self) -> &ScanRules {
        self.gift_local.scan_rules()
    }
    fn clock_offset_ms(&self) -> Option<i64> {
        self.gift_local.clock_offset_ms()
    }
    fn validate<'a>(
        &'a self,
        code: &'a VoucherCode,
        facts: ValidateFacts<'a>,
    ) -> BoxFuture<'a, Outcome<VoucherShown>> {
        Box::pin(async move {
            self.looks.lock().unwrap().push(Instant::now());
            self.outside.time(self.gift_local.validate(code, facts)).await
        })
    }
    fn prepare_redeem(&self, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal> {
        self.gift_local.prepare_redeem(facts)
    }
    fn redeem<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a VoucherCode>,
    ) -> BoxFuture<'a, Outcome<Redeemed>> {
        Box::pin(self.outside.time(self.gift_local.redeem(key, request, code)))
    }
    fn lookup<'a>(&'a self, key: &'a ProviderKey) -> BoxFuture<'a, Outcome<RedemptionSeen>> {
        Box::pin(self.outside.time(self.gift_local.lookup(key)))
    }
    fn reverse<'a>(&'a self, redemption: &'a ProviderRedemptionId) -> BoxFuture<'a, Outcome<ReverseAnswer>> {
        Box::pin(self.outside.time(self.gift_local.reverse(redemption)))
    }
}

/// The real network printer, timed from outside; it also notes how many commits had been made when a slip came.
pub struct TimedPrinter {
    pub printer: Arc<dyn Printer>,
    pub outside: Arc<Outside>,
    pub journal: Journal,
    pub commits_at_slip: AtomicU64,
}

impl Printer for TimedPrinter {
    fn name(&self) -> &str {
        self.printer.name()
    }
    fn paper(&self) -> Paper {
        self.printer.paper()
    }
    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        self.commits_at_slip.store(self.journal.commits(), Ordering::Relaxed);
        Box::pin(self.outside.time(self.printer.print(slip)))
    }
    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        self.printer.status()
    }
    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.printer.condition()
    }
    fn probe(&self, thorough: bool) -> BoxFuture<'_, Probed> {
        self.printer.probe(thorough)
    }
}
