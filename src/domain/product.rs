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

/// What the bar code on a rack card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RackCode {
    /// Which product it is: every hanger of it carries the same.
    Product,
    /// Which card it is: no two carry the same.
    Card,
}

impl Product {
    /// The greatest face value that it comes in; none if it comes in none.
    pub fn dearest(&self) -> Option<Money> {
        match &self.face_values {
            FaceValues::Fixed(values) => values.iter().copied().max_by_key(|value| value.minor()),
            FaceValues::Open { most, .. } => Some(*most),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::from_decimal_text(text, Currency::from_code(code).unwrap()).unwrap()
    }

    fn product(face_values: FaceValues) -> Product {
        Product {
            code: "4001232232332".parse().unwrap(),
            name: "Gift card".to_owned(),
            brand: String::new(),
            kind: CardKind::Por,
            currency: Currency::from_code("EUR").unwrap(),
            face_values,
            country: "DE".parse().unwrap(),
            sellable: true,
        }
    }

    #[test]
    fn a_card_is_ordered_as_the_product_is_offered_or_refused_by_name() {
        let fixed = FaceValues::Fixed(vec![money("25", "EUR"), money("50", "EUR"), money("0", "EUR")]);
        let open = FaceValues::Open { least: money("10", "EUR"), most: money("150", "EUR") };
        let odd = FaceValues::Open { least: money("0", "EUR"), most: money("150", "EUR") };
        let upside_down = FaceValues::Open { least: money("150", "EUR"), most: money("10", "EUR") };
        let no = Err(Refusal::FaceValueNotOffered);
        for (face_values, asked, expected) in [
            (&fixed, money("25", "EUR"), Ok(())),
            (&fixed, money("50.00", "EUR"), Ok(())),
            (&fixed, money("25.01", "EUR"), no.clone()),
            (&fixed, money("0", "EUR"), no.clone()),
            (&fixed, money("25", "CHF"), Err(Refusal::WrongCurrency)),
            (&open, money("10", "EUR"), Ok(())),
            (&open, money("150", "EUR"), Ok(())),
            (&open, money("9.99", "EUR"), no.clone()),
            (&open, money("150.01", "EUR"), no.clone()),
            (&open, money("1000", "JPY"), Err(Refusal::WrongCurrency)),
            (&odd, money("0", "EUR"), no.clone()),
            (&odd, Money::new(-1, Currency::from_code("EUR").unwrap()), no.clone()),
            (&upside_down, money("50", "EUR"), no.clone()),
            (&FaceValues::Fixed(Vec::new()), money("50", "EUR"), no.clone()),
        ] {
            let found = product(face_values.clone()).check(CardKind::Por, asked);
            assert_eq!(found, expected, "{face_values:?} {asked}");
        }
    }

    #[test]
    fn the_dearest_card_of_a_product_is_its_greatest_face_value() {
        let fixed = FaceValues::Fixed(vec![money("25", "EUR"), money("50", "EUR"), money("10", "EUR")]);
        let open = FaceValues::Open { least: money("10", "EUR"), most: money("150", "EUR") };
        for (face_values, dearest) in [
            (fixed, Some(money("50", "EUR"))),
            (open, Some(money("150", "EUR"))),
            (FaceValues::Fixed(Vec::new()), None),
        ] {
            assert_eq!(product(face_values).dearest(), dearest);
        }
    }

    #[test]
    fn a_disabled_product_and_the_wrong_kind_of_card_are_refused_before_anything_else() {
        let fixed = FaceValues::Fixed(vec![money("25", "EUR")]);
        let por = product(fixed);
        assert_eq!(por.check(CardKind::Posa, money("25", "EUR")), Err(Refusal::WrongCardKind));
        let disabled = Product { sellable: false, ..por };
        assert_eq!(disabled.check(CardKind::Por, money("25", "EUR")), Err(Refusal::ProductNotAvailable));
        assert_eq!(disabled.check(CardKind::Posa, money("1", "CHF")), Err(Refusal::ProductNotAvailable));
    }
}
