//! The line to the modelled provider of vouchers, as the daemon's port.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::ids::{ProviderKey, ProviderRedemptionId};
use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{Offers, Redeemed, RedemptionSeen, ReverseAnswer, VoucherCode, VoucherShown};
use tilld_providers::StoredRequest;
use tilld_providers::vouchers::{RedeemFacts, ValidateFacts, VoucherDeadlines, Vouchers as Port};

use super::Inner;
use super::fate::{Fault, Point};
use super::network::HIDDEN;
use super::vouchers::{Vouchers, Wanted, count, of_token};
use super::wire::{Does, Wire};

/// The line in one life of the daemon.
pub struct VoucherLine {
    pub wire: Wire,
    pub offers: Offers,
}

const DEADLINES: VoucherDeadlines = VoucherDeadlines {
    validate: Duration::from_secs(5),
    redeem: Duration::from_secs(10),
    lookup: Duration::from_secs(3),
    reverse: Duration::from_secs(10),
};

static SCANS: ScanRules = ScanRules::plain();

/// What a request does to the ledger of vouchers.
fn to_vouchers<T: 'static>(act: impl Fn(&mut Vouchers) -> Outcome<T> + Send + Sync + 'static) -> Does<T> {
    Arc::new(move |inner: &mut Inner| act(&mut inner.vouchers))
}

impl VoucherLine {
    /// A call is about to leave: what goes wrong with it.
    async fn leave(&self, point: Point, name: &str) -> Option<Fault> {
        if self.wire.life.is_over() {
            return pending().await;
        }
        let world = &self.wire.world;
        world.act(|| format!("daemon: {point:?} {name}"));
        let hidden_before = world.inner().vouchers.was_not_found(name);
        world.step(point, hidden_before).1
    }

    /// Carries a call on which nothing goes wrong but what the line does.
    async fn carry<T: Send + 'static>(
        &self,
        point: Point,
        name: &str,
        does: &Does<T>,
        fault: Option<Fault>,
        deadline: Duration,
    ) -> Outcome<T> {
        self.wire.carry(&format!("vouchers: {point:?} {name}"), does, fault, deadline).await
    }

    /// For a while a redemption is not found.
    fn hide(&self, name: &str) {
        let world = &self.wire.world;
        world.inner().vouchers.hide(name, true);
        let (what, name) = (format!("vouchers: finds {name} again"), name.to_owned());
        world.later(HIDDEN, what, move |inner| inner.vouchers.hide(&name, false));
    }

    /// Another store spends from a voucher just before the call.
    fn spent_elsewhere(&self, voucher: &str, fault: Option<Fault>, alike: i64) -> Option<Fault> {
        let alike = match fault {
            Some(Fault::SpentElsewhere) => None,
            Some(Fault::SpentAlike) => Some(alike),
            fault => return fault,
        };
        self.wire.world.inner().vouchers.spend_elsewhere(voucher, alike);
        self.wire.world.act(|| format!("another store spends from {voucher}"));
        None
    }

    async fn validate(&self, voucher: String) -> Outcome<VoucherShown> {
        let fault = self.leave(Point::Validate, &voucher).await;
        let wish = self.wire.world.inner().wish_of(&voucher);
        let fault = self.spent_elsewhere(&voucher, fault, wish);
        let looked = voucher.clone();
        let does = to_vouchers(move |vouchers| vouchers.look(&looked));
        self.carry(Point::Validate, &voucher, &does, fault, DEADLINES.validate).await
    }

    async fn redeem(&self, mut wanted: Wanted) -> Outcome<Redeemed> {
        let fault = self.leave(Point::Redeem, &wanted.key).await;
        let mut does_it: fn(&mut Vouchers, &Wanted) -> Outcome<Redeemed> = Vouchers::redeem;
        // What will come of it is part of what is on its way: two that differ in it are not alike.
        let mut how = "";
        let fault = match self.spent_elsewhere(&wanted.voucher, fault, wanted.count) {
            Some(Fault::Refused) => {
                does_it = Vouchers::refuse;
                how = ", to be refused";
                None
            }
            Some(Fault::GrantsLess) => {
                wanted.less = true;
                how = ", for less";
                None
            }
            Some(Fault::WithoutId) => {
                wanted.without_id = true;
                how = ", without id";
                None
            }
            fault => fault,
        };
        let key = format!("{}{how}", wanted.key);
        let does = to_vouchers(move |vouchers| does_it(vouchers, &wanted));
        self.carry(Point::Redeem, &key, &does, fault, DEADLINES.redeem).await
    }

    async fn look_up(&self, key: String) -> Outcome<RedemptionSeen> {
        let mut fault = self.leave(Point::Lookup, &key).await;
        if fault == Some(Fault::NotFound) {
            self.hide(&key);
            fault = None;
        }
        let asked = key.clone();
        let does = to_vouchers(move |vouchers| vouchers.look_up(&asked));
        self.carry(Point::Lookup, &key, &does, fault, DEADLINES.lookup).await
    }

    async fn reverse(&self, id: String) -> Outcome<ReverseAnswer> {
        let mut fault = self.leave(Point::Reverse, &id).await;
        match fault {
            Some(Fault::NotFound) => {
                self.hide(&id);
                fault = None;
            }
            Some(Fault::Refused) => {
                self.wire.world.inner().vouchers.refuse_reversal(&id);
                fault = None;
            }
            _ => {}
        }
        let asked = id.clone();
        let does = to_vouchers(move |vouchers| vouchers.reverse(&asked));
        self.carry(Point::Reverse, &id, &does, fault, DEADLINES.reverse).await
    }
}

impl Port for VoucherLine {
    fn name(&self) -> &'static str {
        "modelled"
    }

    fn deadlines(&self) -> VoucherDeadlines {
        DEADLINES
    }

    fn offers(&self) -> Offers {
        self.offers
    }

    fn scan_rules(&self) -> &ScanRules {
        &SCANS
    }

    fn validate<'a>(
        &'a self,
        code: &'a VoucherCode,
        _: ValidateFacts<'a>,
    ) -> BoxFuture<'a, Outcome<VoucherShown>> {
        Box::pin(self.validate(of_token(code.secret().reveal()).to_owned()))
    }

    fn prepare_redeem(&self, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal> {
        Ok(StoredRequest(format!("{} {}", facts.voucher.as_str(), count(facts.amount))))
    }

    fn redeem<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        _: Option<&'a VoucherCode>,
    ) -> BoxFuture<'a, Outcome<Redeemed>> {
        let (voucher, count) = request.0.split_once(' ').unwrap();
        Box::pin(self.redeem(Wanted {
            key: key.to_string(),
            voucher: voucher.to_owned(),
            count: count.parse().unwrap(),
            less: false,
            without_id: false,
        }))
    }

    fn lookup<'a>(&'a self, key: &'a ProviderKey) -> BoxFuture<'a, Outcome<RedemptionSeen>> {
        Box::pin(self.look_up(key.to_string()))
    }

    fn reverse<'a>(&'a self, redemption: &'a ProviderRedemptionId) -> BoxFuture<'a, Outcome<ReverseAnswer>> {
        Box::pin(self.reverse(redemption.as_str().to_owned()))
    }
}
