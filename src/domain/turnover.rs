//! What a day adds up to: what was sold, undone, redeemed and given back, by product, tender, provider and cashier.
//!
//! Something counts in the step that brings it about: a card when it is sold, and when its money must be given back; a voucher when
//! it pays for its basket, and when it no longer does. So a card that is sold today and a redemption of yesterday that is given back today
//! both belong to today, and no later step changes what an earlier day added up to. A card that was cancelled before it was paid counts for
//! nothing: no money moved.
//!
//! Sums are kept apart by currency, and items by themselves. A sum that no 64 bits hold stays at its end.

use std::collections::BTreeMap;

use crate::money::{Currency, Money};
use crate::order::{Order, State};
use crate::redemption::{Counts, Redemption};
use crate::sale::{PaymentState, Sale, Tender};
use crate::voucher::{Booking, VoucherKind, Worth};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Cards that were sold.
    Sold,
    /// Paid cards that did not come to be, or had to be undone: their money was given back.
    MoneyBack,
    /// Vouchers that paid.
    Redeemed,
    /// Redemptions that were given back.
    GivenBack,
}

/// How something was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Paid {
    /// In notes and coins.
    Cash,
    /// With a payment card.
    Card,
    /// A part each.
    Mixed,
    /// By a voucher, as a payment.
    Voucher,
    /// By a voucher that lowers the price.
    Discount,
}

/// A product, or what stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Goods {
    /// A card of a product.
    Card {
        /// The provider's code of it.
        code: String,
        /// Its name when it was sold.
        name: String,
    },
    /// A voucher that somebody paid for.
    Gift,
    /// A voucher that the shop gave away.
    Promotional,
}

/// Sums by figure and currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums(BTreeMap<(Figure, &'static str), (u64, i64)>);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Of what.
    pub figure: Figure,
    /// How many.
    pub count: u64,
    /// How much in all.
    pub worth: Worth,
}

impl Sums {
    fn add(&mut self, figure: Figure, worth: Worth) {
        let (unit, amount) = match worth {
            Worth::Money(money) => (money.currency().code(), money.minor()),
            Worth::Items(count) => ("", i64::from(count)),
        };
        let (count, sum) = self.0.entry((figure, unit)).or_default();
        (*count, *sum) = (count.saturating_add(1), sum.saturating_add(amount));
    }

    /// Each of them, in the order of the figures.
    pub fn iter(&self) -> impl Iterator<Item = Sum> {
        self.0.iter().map(|((figure, unit), (count, sum))| Sum {
            figure: *figure,
            count: *count,
            worth: match Currency::from_code(unit) {
                Ok(currency) => Worth::Money(Money::new(*sum, currency)),
                Err(_) => Worth::Items(u32::try_from(*sum).unwrap_or(u32::MAX)),
            },
        })
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a day, or any other part of the journal, adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turnover {
    /// In all.
    pub all: Sums,
    /// By product.
    pub by_goods: BTreeMap<Goods, Sums>,
    /// By how it was paid.
    pub by_tender: BTreeMap<Paid, Sums>,
    /// By provider, by its configured name.
    pub by_provider: BTreeMap<String, Sums>,
    /// By cashier; empty where the till named none.
    pub by_cashier: BTreeMap<String, Sums>,
}

impl Turnover {
    /// Counts a step of a sale. `before`: none if it began with it.
    pub fn count_sale(&mut self, before: Option<&Sale>, after: &Sale) {
        let paid = match &after.payment {
            PaymentState::Paid(payment) => match payment.tender {
                Tender::Cash { .. } => Paid::Cash,
                Tender::Card => Paid::Card,
                Tender::Mixed { .. } => Paid::Mixed,
            },
            // No money moves before it is paid.
            PaymentState::Unpaid { .. } | PaymentState::Cancelled { .. } => return,
        };
        let is_sold = |order: &Order| matches!(order.state, State::Sold { .. });
        for (card, order) in after.cards() {
            let before = before.and_then(|sale| sale.order(card));
            let figures = [
                (Figure::Sold, is_sold(order) && !before.is_some_and(is_sold)),
                (Figure::MoneyBack, order.money_back() && !before.is_some_and(Order::money_back)),
            ];
            for (figure, _) in figures.into_iter().filter(|(_, counts)| *counts) {
                let facts = &order.facts;
                let goods = Goods::Card { code: facts.product.to_string(), name: facts.product_name.clone() };
                let cashier = after.opening.cashier.as_ref().map(ToString::to_string);
                let keys = (goods, paid, after.opening.provider.clone(), cashier);
                self.count(figure, Worth::Money(facts.face_value), keys);
            }
        }
    }

    /// Counts a step of a redemption. `before`: none if it began with it.
    pub fn count_redemption(&mut self, before: Option<&Redemption>, after: &Redemption) {
        let counted = |redemption: &Redemption| match redemption.counts() {
            Counts::For(worth) => Some(worth),
            Counts::Nothing | Counts::Open => None,
        };
        let (figure, worth) = match (before.and_then(counted), counted(after)) {
            (None, Some(worth)) => (Figure::Redeemed, worth),
            (Some(worth), None) => (Figure::GivenBack, worth),
            (None, None) | (Some(_), Some(_)) => return,
        };
        let goods = match after.opening.kind {
            VoucherKind::Gift => Goods::Gift,
            VoucherKind::Promotional => Goods::Promotional,
        };
        let paid = match after.booking() {
            Booking::Tender => Paid::Voucher,
            Booking::Discount => Paid::Discount,
        };
        let cashier = after.opening.cashier.as_ref().map(ToString::to_string);
        self.count(figure, worth, (goods, paid, after.opening.provider.clone(), cashier));
    }

    fn count(
        &mut self,
        figure: Figure,
        worth: Worth,
        (goods, paid, provider, cashier): (Goods, Paid, String, Option<String>),
    ) {
        let sums = [
            &mut self.all,
            self.by_goods.entry(goods).or_default(),
            self.by_tender.entry(paid).or_default(),
            self.by_provider.entry(provider).or_default(),
            self.by_cashier.entry(cashier.unwrap_or_default()).or_default(),
        ];
        for sums in sums {
            sums.add(figure, worth);
        }
    }
}
