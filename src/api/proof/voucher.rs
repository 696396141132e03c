//! A provider of vouchers that keeps a ledger, and does with a redeem or a reversal as it is told.

use std::collections::HashMap;

use tilld_domain::ids::{ProviderRedemptionId, VoucherId};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherCode, VoucherKind,
    VoucherSeen, VoucherShown, Words, Worth,
};
use tilld_providers::vouchers::{RedeemFacts, TargetType, ValidateFacts, VoucherDeadlines, Vouchers};

use super::*;

/// 25.00 EUR that somebody paid for.
pub(super) const MONEY: &str = "012345678901";
/// Three coffees.
pub(super) const ITEMS: &str = "023456789012";
/// 10.00 EUR that the shop gave away.
pub(super) const PROMOTIONAL: &str = "034567890123";
/// Redeemed before.
pub(super) const SPENT: &str = "045678901234";
/// Nobody knows it.
pub(super) const UNKNOWN: &str = "056789012345";

/// What becomes of the next redeems.
#[derive(Debug, Clone, Copy)]
pub(super) enum Redeems {
    Grant,
    /// Only so much, in cents.
    Less(i64),
    Refuse,
    /// Done, and never answered; so much more is gone by then, in cents.
    Silent(i64),
}

/// The ticket, the programme and the target of a validation.
pub(super) type Heard = (Option<String>, Option<String>, Option<TargetType>);

pub(super) struct PlayedVouchers {
    scans: ScanRules,
    pub(super) redeems: Mutex<Redeems>,
    pub(super) reversal: Mutex<Reversal>,
    pub(super) refuses_reversals: Mutex<bool>,
    pub(super) is_down: Mutex<bool>,
    left: Mutex<HashMap<String, Worth>>,
    taken: Mutex<HashMap<ProviderRedemptionId, (String, Worth)>>,
    pub(super) heard: Mutex<Option<Heard>>,
}

pub(super) fn eur(cents: i64) -> Worth {
    Worth::Money(Money::new(cents, Currency::from_code("EUR").unwrap()))
}

impl Default for PlayedVouchers {
    fn default() -> Self {
        let left = [(MONEY, eur(2500)), (ITEMS, Worth::Items(3)), (PROMOTIONAL, eur(1000)), (SPENT, eur(0))];
        Self {
            scans: ScanRules::plain(),
            redeems: Mutex::new(Redeems::Grant),
            reversal: Mutex::new(Reversal::Repeatable),
            refuses_reversals: Mutex::new(false),
            is_down: Mutex::new(false),
            left: Mutex::new(left.map(|(code, worth)| (format!("v-{code}"), worth)).into()),
            taken: Mutex::default(),
            heard: Mutex::default(),
        }
    }
}

impl PlayedVouchers {
    fn take(&self, voucher: &str, worth: Worth) -> ProviderRedemptionId {
        let mut left = self.left.lock().unwrap();
        let rest = left[voucher].less(worth).unwrap();
        left.insert(voucher.to_owned(), rest);
        let mut taken = self.taken.lock().unwrap();
        let id: ProviderRedemptionId = format!("rd-{}", taken.len() + 1).parse().unwrap();
        taken.insert(id.clone(), (voucher.to_owned(), worth));
        id
    }

    fn validated(&self, code: &VoucherCode) -> Outcome<VoucherShown> {
        if *self.is_down.lock().unwrap() {
            return Outcome::NotSent(Trouble::Connect);
        }
        let text = code.secret().reveal().rsplit('/').next().unwrap().to_owned();
        let voucher = format!("v-{text}");
        let Some(left) = self.left.lock().unwrap().get(&voucher).copied() else {
            return Outcome::Refused(Refusal::VoucherNotFound);
        };
        let promotional = text == PROMOTIONAL;
        let words = |text: &str| Some(Words::new(text));
        Outcome::Done(VoucherShown {
            seen: VoucherSeen {
                voucher: voucher.parse::<VoucherId>().unwrap(),
                redeemable: left.is_positive(),
                eligible: left.is_positive().then_some(left),
                left: Some(left),
                kind: if promotional { VoucherKind::Promotional } else { VoucherKind::Gift },
            },
            description: Words::new(if left.is_positive() { "" } else { "Redeemed on 2026-05-01" }),
            item: (text == ITEMS).then(|| Words::new("Espresso")),
            terms: if promotional { words("From 50 EUR on") } else { None },
            sender: if text == MONEY { words("Aunt Ada") } else { None },
            recipient: if text == MONEY { words("José") } else { None },
        })
    }
}

impl Vouchers for PlayedVouchers {
    fn name(&self) -> &'static str {
        "played"
    }

    fn deadlines(&self) -> VoucherDeadlines {
        let long = Duration::from_mins(1);
        VoucherDeadlines { validate: long, redeem: long, lookup: long, reverse: long }
    }

    fn offers(&self) -> Offers {
        Offers { recourse: Recourse::Comparable, reversal: *self.reversal.lock().unwrap() }
    }

    fn scan_rules(&self) -> &ScanRules {
        &self.scans
    }

    fn validate<'a>(
        &'a self,
        code: &'a VoucherCode,
        facts: ValidateFacts<'a>,
    ) -> BoxFuture<'a, Outcome<VoucherShown>> {
        let ticket = facts.ticket.map(|ticket| ticket.reveal().to_owned());
        *self.heard.lock().unwrap() =
            Some((ticket, facts.program.map(|program| program.to_string()), facts.target));
        Box::pin(async move { self.validated(code) })
    }

    fn prepare_redeem(&self, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal> {
        let count = match facts.amount {
            Worth::Money(money) => format!("cents {}", money.minor()),
            Worth::Items(count) => format!("items {count}"),
        };
        Ok(StoredRequest(format!("{} {count}", facts.voucher.as_str())))
    }

    fn redeem<'a>(
        &'a self,
        _: &'a ProviderKey,
        request: &'a StoredRequest,
        _: Option<&'a VoucherCode>,
    ) -> BoxFuture<'a, Outcome<Redeemed>> {
        Box::pin(async move {
            let words: Vec<&str> = request.0.split(' ').collect();
            let asked = match words[1] {
                "cents" => eur(words[2].parse().unwrap()),
                _ => Worth::Items(words[2].parse().unwrap()),
            };
            let done = |worth| {
                let redemption = Some(self.take(words[0], worth));
                let left = Some(self.left.lock().unwrap()[words[0]]);
                let remaining = Balance { left, eligible: left };
                Outcome::Done(Redeemed { redemption, granted: Some(worth), remaining })
            };
            let redeems = *self.redeems.lock().unwrap();
            match redeems {
                Redeems::Grant => done(asked),
                Redeems::Less(cents) => done(eur(cents)),
                Redeems::Refuse => Outcome::Refused(Refusal::RedeemRefused),
                Redeems::Silent(more) => {
                    self.take(words[0], asked);
                    self.take(words[0], eur(more));
                    Outcome::Unknown(Trouble::Silent)
                }
            }
        })
    }

    fn lookup<'a>(&'a self, _: &'a ProviderKey) -> BoxFuture<'a, Outcome<RedemptionSeen>> {
        Box::pin(async { Outcome::NotSent(Trouble::Connect) })
    }

    fn reverse<'a>(&'a self, id: &'a ProviderRedemptionId) -> BoxFuture<'a, Outcome<ReverseAnswer>> {
        Box::pin(async move {
            if *self.refuses_reversals.lock().unwrap() {
                return Outcome::Done(ReverseAnswer::Refused(Refusal::ReverseRefused));
            }
            let Some((voucher, worth)) = self.taken.lock().unwrap().remove(id) else {
                return Outcome::Done(ReverseAnswer::AlreadyReversed);
            };
            let mut left = self.left.lock().unwrap();
            let more = match (left[&voucher], worth) {
                (Worth::Money(left), Worth::Money(back)) => eur(left.minor() + back.minor()),
                (Worth::Items(left), Worth::Items(back)) => Worth::Items(left + back),
                _ => panic!("of two sorts"),
            };
            left.insert(voucher, more);
            Outcome::Done(ReverseAnswer::Reversed)
        })
    }
}
