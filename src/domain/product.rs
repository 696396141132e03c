//! What can be sold, and for how much.

use crate::ids::{Country, ProductCode};
use crate::money::{Currency, Money};
use crate::refusal::Refusal;

/// How the customer comes to hold the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// Print on receipt: the slip carries the code, so the slip is money.
    Por,
    /// Activation at the till: the card hangs on the rack, the slip carries support information.
    Posa,
}

/// Which face values a product comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaceValues {
    /// One of these, each positive and of the product's currency.
    Fixed(Vec<Money>),
    /// Anything from the first to the second, both included.
    Open {
        /// The smallest face value.
        least: Money,
        /// The greatest face value.
        most: Money,
    },
}

/// One product of a provider's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The provider's code of it.
    pub code: ProductCode,
    /// As the provider writes it; control characters removed.
    pub name: String,
    /// Whose card it is; may be empty.
    pub brand: String,
    /// Print on receipt or activation.
    pub kind: CardKind,
    /// Of every face value.
    pub currency: Currency,
    /// Which face values there are.
    pub face_values: FaceValues,
    /// Where it may be sold.
    pub country: Country,
    /// Whether the provider lets this client sell it now.
    pub sellable: bool,
}

impl Product {
    /// Whether a card of `face_value` may be ordered as `kind`.
    pub fn check(&self, kind: CardKind, face_value: Money) -> Result<(), Refusal> {
        if !self.sellable {
            return Err(Refusal::ProductNotAvailable);
        }
        if self.kind != kind {
            return Err(Refusal::WrongCardKind);
        }
        if face_value.currency() != self.currency {
            return Err(Refusal::WrongCurrency);
        }
        let fits = match &self.face_values {
            FaceValues::Fixed(values) => values.contains(&face_value),
            FaceValues::Open { least, most } => (least.minor()..=most.minor()).contains(&face_value.minor()),
        };
        if fits && face_value.is_positive() { Ok(()) } else { Err(Refusal::FaceValueNotOffered) }
    }
}
