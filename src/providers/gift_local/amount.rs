//! Amounts and quantities, exact in both directions.
//!
//! The vendor calls an amount a double (fact sheet 3). What is sent is a JSON number whose text is the exact decimal; what
//! comes is read from its text, whether that is a number, a number with an exponent, or a text. No binary float is between.
//! An amount with more decimals than its currency has is not rounded: it is not read, and neither is a negative one.

use std::borrow::Cow;

use serde_json::value::RawValue;
use tilld_domain::money::{Currency, Money};
use tilld_domain::voucher::Worth;

use crate::json::Node;

/// The longest number that is looked at, in characters.
const LONGEST: usize = 40;
/// The greatest power of ten that is looked at, either way.
const GREATEST_POWER: usize = 20;

/// The JSON number of what shall be redeemed. Money has a point in it and items have none, so a journaled body tells by
/// itself what it takes; a currency without minor units is written `5000.0`.
pub(super) fn number(worth: Worth) -> Option<Box<RawValue>> {
    let text = match worth {
        Worth::Items(count) => count.to_string(),
        Worth::Money(money) if money.currency().exponent() == 0 => format!("{}.0", money.to_decimal_text()),
        Worth::Money(money) => money.to_decimal_text(),
    };
    RawValue::from_string(text).ok()
}

/// An amount of an answer; none if it is not exactly one, or less than nothing.
pub(super) fn money(node: &Node, currency: Currency) -> Option<Money> {
    Money::from_decimal_text(&plain(&node.word()?)?, currency).ok()
}

/// A quantity of an answer; `3.0` is three, and `2.5` is none.
pub(super) fn items(node: &Node) -> Option<u32> {
    let word = node.word()?;
    let text = plain(&word)?;
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let fits = whole.bytes().all(|byte| byte.is_ascii_digit()) && part.bytes().all(|byte| byte == b'0');
    if fits { whole.parse().ok() } else { None }
}

/// The same number without an exponent: the point is moved, no digit changes.
fn plain(text: &str) -> Option<Cow<'_, str>> {
    if text.len() > LONGEST {
        return None;
    }
    let Some((base, power)) = text.split_once(['e', 'E']) else { return Some(Cow::Borrowed(text)) };
    let (whole, part) = base.split_once('.').unwrap_or((base, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (down, places) = match power.strip_prefix('-') {
        Some(places) => (true, places),
        None => (false, power.strip_prefix('+').unwrap_or(power)),
    };
    let places = Some(places).filter(|places| digits(places))?.parse().ok()?;
    if places > GREATEST_POWER || whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let zeros = "0".repeat(places);
    let moved = if down {
        let padded = format!("{zeros}{whole}");
        let (whole, first) = padded.split_at_checked(padded.len().saturating_sub(places))?;
        format!("{}.{first}{part}", if whole.is_empty() { "0" } else { whole })
    } else {
        let padded = format!("{part}{zeros}");
        let (first, part) = padded.split_at_checked(places)?;
        format!("{whole}{first}.{part}")
    };
    let moved = if moved.contains('.') { moved.trim_end_matches('0').trim_end_matches('.') } else { &moved };
    let moved = moved.trim_start_matches('0');
    Some(Cow::Owned(if moved.is_empty() || moved.starts_with('.') {
        format!("0{moved}")
    } else {
        moved.to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    fn node(json: &str) -> Node {
        Node::read_exactly(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_sent_is_the_exact_decimal_and_tells_money_from_items() {
        for (worth, text) in [
            (Worth::Money(Money::new(2500, currency("EUR"))), "25.00"),
            (Worth::Money(Money::new(1, currency("USD"))), "0.01"),
            (Worth::Money(Money::new(i64::MAX, currency("EUR"))), "92233720368547758.07"),
            (Worth::Money(Money::new(5000, currency("JPY"))), "5000.0"),
            (Worth::Money(Money::new(1234, currency("KWD"))), "1.234"),
            (Worth::Items(3), "3"),
        ] {
            assert_eq!(number(worth).unwrap().get(), text);
        }
    }

    #[test]
    fn an_amount_is_read_exactly_from_its_text_or_not_at_all() {
        for (json, code, minor) in [
            ("50.00", "EUR", Some(5000)),
            ("50", "EUR", Some(5000)),
            ("50.0", "EUR", Some(5000)),
            ("5e1", "EUR", Some(5000)),
            ("5E+1", "EUR", Some(5000)),
            ("1.234e1", "EUR", Some(1234)),
            ("5e-2", "EUR", Some(5)),
            ("1234e-2", "EUR", Some(1234)),
            ("12340e-3", "EUR", Some(1234)),
            ("12345e-3", "EUR", None),
            ("0e0", "EUR", Some(0)),
            ("0", "EUR", Some(0)),
            ("0.005e1", "EUR", Some(5)),
            ("\"50.00\"", "EUR", Some(5000)),
            ("\"5e1\"", "EUR", Some(5000)),
            ("1.0e2", "JPY", Some(100)),
            ("50.000000000000004", "EUR", None),
            // As a binary float these two are one hundred.
            ("100.000000000000004", "EUR", None),
            ("99.99999999999999999", "EUR", None),
            ("50.001", "EUR", None),
            ("100.5", "JPY", None),
            ("-50.00", "EUR", None),
            ("-0.0", "EUR", None),
            ("1e20", "EUR", None),
            ("1e21", "EUR", None),
            ("1e999999999999", "EUR", None),
            ("1e-21", "EUR", None),
            ("\"\"", "EUR", None),
            ("\"e1\"", "EUR", None),
            ("\".5e1\"", "EUR", None),
            ("\"5e\"", "EUR", None),
            ("\"5e--1\"", "EUR", None),
            ("\"1,50\"", "EUR", None),
            ("\" 50\"", "EUR", None),
            ("\"NaN\"", "EUR", None),
            ("\"\u{665}\"", "EUR", None),
            ("true", "EUR", None),
            ("{}", "EUR", None),
            ("[50]", "EUR", None),
        ] {
            assert_eq!(money(&node(json), currency(code)).map(Money::minor), minor, "{json} {code}");
        }
        assert_eq!(money(&node(&"9".repeat(5000)), currency("EUR")), None);
    }

    #[test]
    fn a_quantity_is_whole() {
        for (json, count) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("3e0", Some(3)),
            ("\"3\"", Some(3)),
            ("30e-1", Some(3)),
            ("0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("2.5", None),
            ("-1", None),
            ("\"+1\"", None),
            ("\"\"", None),
            ("\".0\"", None),
            ("true", None),
        ] {
            assert_eq!(items(&node(json)), count, "{json}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_number_is_the_same_wherever_its_point_is_moved(minor in 0_i64..1_000_000_000_000, power in -15_i32..15) {
            let euros = currency("EUR");
            // minor cents = minor × 10^-2 = (minor × 10^-(2 + power)) × 10^power
            let shift = 2 + power;
            let base = if shift >= 0 {
                let digits = format!("{minor:0>width$}", width = usize::try_from(shift).unwrap() + 1);
                let (whole, part) = digits.split_at(digits.len() - usize::try_from(shift).unwrap());
                if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
            } else {
                format!("{minor}{}", "0".repeat(usize::try_from(-shift).unwrap()))
            };
            let text = format!("\"{base}e{power}\"");
            if text.len() <= LONGEST {
                prop_assert_eq!(money(&node(&text), euros).map(Money::minor), Some(minor), "{}", text);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[-+0-9eE.]{0,48}") {
            let node = Node::read_exactly(format!("\"{text}\"").as_bytes()).unwrap();
            let _ = (money(&node, currency("EUR")), items(&node));
        }
    }
}
