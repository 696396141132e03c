//! What the shop may still spend at its provider, by the provider's own word now. Nothing is kept of it: a balance that is not of this
//! moment would mislead.
//!
//! A balance is low when there is less than the operator wants to be told of; where he has said nothing, when it no longer covers the
//! dearest card that is sold in its currency.

use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::product::Product;
use tilld_domain::refusal::Refusal;

use crate::Counter;

/// A provider, by its configured name, and what may be spent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    /// The provider.
    pub provider: String,
    /// What may be spent, in each currency.
    pub available: Vec<BalanceNow>,
}

/// What may be spent in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceNow {
    /// How much.
    pub available: Money,
    /// Below what it is low; none if nothing is sold in this currency.
    pub low_below: Option<Money>,
}

impl BalanceNow {
    /// Whether it is low.
    pub fn is_low(&self) -> bool {
        self.low_below.is_some_and(|least| self.available.minor() < least.minor())
    }
}

impl Counter {
    /// Asks the provider. `wanted`: below what a balance is low, for the currencies that the operator has named.
    pub async fn balances(&self, wanted: &[Money]) -> Result<Balances, Refusal> {
        let deadline = self.provider.deadlines().other;
        let outcome = tokio::select! {
            biased;
            outcome = self.provider.balances() => outcome,
            () = self.clock.sleep(deadline) => Outcome::Unknown(Trouble::Silent),
        };
        self.line.note(&outcome, self.provider.as_ref(), self.clock.as_ref());
        match outcome {
            Outcome::Done(balances) => {
                let now = |available: Money| BalanceNow {
                    available,
                    low_below: self.low_below(available.currency(), wanted),
                };
                Ok(Balances {
                    provider: self.provider.name().to_owned(),
                    available: balances.into_iter().map(|balance| now(balance.available)).collect(),
                })
            }
            Outcome::Refused(why) => Err(why),
            Outcome::Later { .. } | Outcome::NotSent(_) | Outcome::Unknown(_) => Err(Refusal::NoConnection),
        }
    }

    fn low_below(&self, currency: Currency, wanted: &[Money]) -> Option<Money> {
        let of_this = |money: &Money| money.currency() == currency;
        let dearest = || {
            let products = self.shelf.products();
            let sold = products.iter().filter(|product| product.sellable && product.currency == currency);
            sold.filter_map(Product::dearest).max_by_key(|value| value.minor())
        };
        wanted.iter().copied().find(of_this).or_else(dearest)
    }
}
