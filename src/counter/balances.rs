//! What the shop may still spend at its provider, by the provider's own word now. Nothing is kept of it: a balance that is not of this
//! moment would mislead.

use tilld_domain::money::Money;
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::refusal::Refusal;

use crate::Counter;

/// A provider, by its configured name, and what may be spent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    /// The provider.
    pub provider: String,
    /// What may be spent, in each currency.
    pub available: Vec<Money>,
}

impl Counter {
    /// Asks the provider.
    pub async fn balances(&self) -> Result<Balances, Refusal> {
        let deadline = self.provider.deadlines().other;
        let outcome = tokio::select! {
            biased;
            outcome = self.provider.balances() => outcome,
            () = self.clock.sleep(deadline) => Outcome::Unknown(Trouble::Silent),
        };
        self.line.note(&outcome, self.provider.as_ref(), self.clock.as_ref());
        match outcome {
            Outcome::Done(balances) => Ok(Balances {
                provider: self.provider.name().to_owned(),
                available: balances.into_iter().map(|balance| balance.available).collect(),
            }),
            Outcome::Refused(why) => Err(why),
            Outcome::Later { .. } | Outcome::NotSent(_) | Outcome::Unknown(_) => Err(Refusal::NoConnection),
        }
    }
}
