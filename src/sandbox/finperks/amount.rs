//! Money as this provider writes it: `{"currency": "EUR", "amount": "100.0"}`, a decimal text with at least one decimal.
//!
//! Exact decimal arithmetic, nothing rounds, and nothing here is shared with the daemon's own money.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// More digits than any sum of money has; keeps every later sum far from the decimal type's end.
const LONGEST: usize = 16;

/// The currencies of the shipped catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Euro.
    Eur,
    /// Swiss franc.
    Chf,
    /// Pound sterling.
    Gbp,
    /// Yen: no decimals.
    Jpy,
}

impl Currency {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Eur, Self::Chf, Self::Gbp, Self::Jpy];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Chf => "CHF",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
        }
    }

    /// How many decimals its smallest coin has.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Jpy => 0,
            Self::Eur | Self::Chf | Self::Gbp => 2,
        }
    }

    /// The currency of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }
}

/// An amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money {
    pub currency: Currency,
    pub amount: Decimal,
}

impl Money {
    pub fn json(&self) -> Value {
        json!({"currency": self.currency.code(), "amount": amount_text(self.amount)})
    }

    /// Reads a money object; the error is the inner field's name (empty for the object itself) and what is wrong.
    pub fn read(value: &Value) -> Result<Self, (&'static str, &'static str)> {
        let object = value.as_object().ok_or(("", "must be an object"))?;
        let currency = object
            .get("currency")
            .and_then(Value::as_str)
            .and_then(Currency::from_code)
            .ok_or(("currency", "is not a supported currency"))?;
        let amount = object
            .get("amount")
            .and_then(Value::as_str)
            .and_then(parse_amount)
            .ok_or(("amount", "must be a decimal string"))?;
        if amount.normalize().scale() > currency.decimals() {
            return Err(("amount", "has more decimals than the currency"));
        }
        Ok(Self { currency, amount })
    }
}

/// Plain digits with at most one point between them: no sign, no exponent, no grouping.
pub(crate) fn parse_amount(text: &str) -> Option<Decimal> {
    let plain = text.len() <= LONGEST
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.bytes().filter(|byte| *byte == b'.').count() <= 1;
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}

/// At least one decimal, no more than needed.
pub(crate) fn amount_text(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() == 0 {
        amount.rescale(1);
    }
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_text_with_at_least_one_decimal() {
        for (given, written) in
            [("100", "100.0"), ("100.00", "100.0"), ("50.25", "50.25"), ("0.5", "0.5"), ("0", "0.0")]
        {
            assert_eq!(amount_text(parse_amount(given).unwrap()), written);
        }
        for wrong in ["", "-1", "+1", "1e3", "1,0", ".5", "5.", "1.2.3", "1 000", "12345678901234567"] {
            assert!(parse_amount(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn money_never_has_a_fraction_of_the_smallest_coin() {
        for (value, good) in [
            (json!({"currency": "EUR", "amount": "1.25"}), true),
            (json!({"currency": "EUR", "amount": "1.250"}), true),
            (json!({"currency": "EUR", "amount": "1.255"}), false),
            (json!({"currency": "JPY", "amount": "1000.0"}), true),
            (json!({"currency": "JPY", "amount": "1000.5"}), false),
            (json!({"currency": "XTS", "amount": "1.0"}), false),
            (json!({"currency": "EUR", "amount": 1.0}), false),
            (json!("1.0 EUR"), false),
        ] {
            assert_eq!(Money::read(&value).is_ok(), good, "{value}");
        }
    }
}
