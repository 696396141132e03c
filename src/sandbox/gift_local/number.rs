//! Numbers as they cross the wire: JSON numbers whose text is exact, in and out.
//!
//! The vendor calls an amount a double (fact sheet 3). How its serializer writes one is not known: `25`, `25.0`, `25.00`
//! and `2.5e1` are the same number, and a service that counts in binary may write a little more than it means. Here
//! every number is made from, and read into, an exact decimal; no binary float is ever between.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The longest number that is read.
const LONGEST: usize = 32;
/// The greatest power of ten of a number that is read, either way.
const GREATEST_POWER: u32 = 20;
/// More than any voucher is worth, or holds items; keeps every sum far from the decimal type's end.
const MOST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// How an amount of money is written in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberForm {
    /// `25.00`
    #[default]
    TwoDecimals,
    /// `25`, `12.5`
    Shortest,
    /// `25.0`, `12.34`
    OneDecimal,
    /// `2.5e1`
    Exponent,
    /// `"25.00"`: not a number at all.
    Text,
    /// `25.000000000000004`: what a binary float does to it.
    TooFine,
}

impl NumberForm {
    /// The JSON text of an amount.
    pub fn write(self, amount: Decimal) -> String {
        let shortest = amount.normalize();
        match self {
            Self::TwoDecimals => money_text(amount),
            Self::Shortest => shortest.to_string(),
            Self::OneDecimal if shortest.scale() == 0 => format!("{shortest}.0"),
            Self::OneDecimal => shortest.to_string(),
            Self::Exponent => exponent(shortest),
            Self::Text => format!("\"{}\"", money_text(amount)),
            Self::TooFine => format!("{}0000000000004", money_text(amount)),
        }
    }
}

/// An amount of money with two decimals.
pub fn money_text(amount: Decimal) -> String {
    let mut amount = amount;
    amount.rescale(2);
    amount.to_string()
}

/// One digit, a point and the others, and the power of ten.
fn exponent(amount: Decimal) -> String {
    let digits = amount.mantissa().unsigned_abs().to_string();
    let sign = if amount.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
    let point = if rest.is_empty() { "" } else { "." };
    let trimmed = rest.trim_end_matches('0');
    let point = if trimmed.is_empty() { "" } else { point };
    let power = i64::try_from(rest.len()).unwrap_or(0).saturating_sub(i64::from(amount.scale()));
    format!("{sign}{first}{point}{trimmed}e{power}")
}

/// The exact value of a JSON number's text; nothing for any other JSON, and for numbers that no amount can be.
pub fn read(text: &str) -> Option<Decimal> {
    if text.len() > LONGEST || !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let value = match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok()?,
        Some((_, power)) => {
            let power: i32 = power.parse().ok()?;
            if power.unsigned_abs() > GREATEST_POWER {
                return None;
            }
            Decimal::from_scientific(text).ok()?
        }
    };
    (value.abs() <= MOST).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(cents: i64) -> Decimal {
        Decimal::new(cents, 2)
    }

    #[test]
    fn one_amount_has_many_texts() {
        for (minor, [two, shortest, one, power, fine]) in [
            (2500, ["25.00", "25", "25.0", "2.5e1", "25.000000000000004"]),
            (1234, ["12.34", "12.34", "12.34", "1.234e1", "12.340000000000004"]),
            (1250, ["12.50", "12.5", "12.5", "1.25e1", "12.500000000000004"]),
            (0, ["0.00", "0", "0.0", "0e0", "0.000000000000004"]),
            (5, ["0.05", "0.05", "0.05", "5e-2", "0.050000000000004"]),
            (100_000, ["1000.00", "1000", "1000.0", "1e3", "1000.000000000000004"]),
            (-500, ["-5.00", "-5", "-5.0", "-5e0", "-5.000000000000004"]),
        ] {
            let amount = cents(minor);
            assert_eq!(NumberForm::TwoDecimals.write(amount), two);
            assert_eq!(NumberForm::Shortest.write(amount), shortest);
            assert_eq!(NumberForm::OneDecimal.write(amount), one);
            assert_eq!(NumberForm::Exponent.write(amount), power);
            assert_eq!(NumberForm::TooFine.write(amount), fine);
            assert_eq!(NumberForm::Text.write(amount), format!("\"{two}\""));
        }
    }

    #[test]
    fn only_the_text_of_a_json_number_of_a_thinkable_size_is_read() {
        for (text, value) in [
            ("25", Some(cents(2500))),
            ("25.00", Some(cents(2500))),
            ("2.5e1", Some(cents(2500))),
            ("250E-1", Some(cents(2500))),
            ("-5", Some(cents(-500))),
            ("1e9", Some(MOST)),
            ("1e10", None),
            ("1e400", None),
            ("1e-400", None),
            ("1e99999999999", None),
            ("\"25\"", None),
            ("null", None),
            ("true", None),
            ("", None),
            ("0.00000000000000000000000000000001", None),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same_amount(minor in -10_000_000_i64..10_000_000) {
            let amount = cents(minor);
            for form in
                [NumberForm::TwoDecimals, NumberForm::Shortest, NumberForm::OneDecimal, NumberForm::Exponent]
            {
                prop_assert_eq!(read(&form.write(amount)), Some(amount), "{:?} {}", form, form.write(amount));
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[-+0-9eE.]{0,40}") {
            let _ = read(&text);
        }
    }
}
