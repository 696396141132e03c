//! Money as integer minor units of one ISO 4217 currency.
//!
//! Nothing here rounds: text that has more decimals than the currency is refused, and a sum that does not fit is an
//! error. Amounts cross every border as decimal text, never through a binary float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A currency that has minor units by ISO 4217 (also zero of them, as the yen). Gold, test codes and the like have
/// none and are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency of an ISO 4217 alphabetic code, upper case, three letters.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some_and(|exponent| exponent <= 4))
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }

    /// The ISO 4217 alphabetic code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the minor unit has: 2 for EUR, 0 for JPY.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// Why a text or a calculation is no money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not an ISO 4217 code of a currency with minor units.
    #[error("the currency is not an ISO 4217 code such as EUR")]
    UnknownCurrency,
    /// Not a plain decimal number such as `50.00`.
    #[error("the amount is not a plain decimal number such as 50.00")]
    NotANumber,
    /// A fraction of the smallest coin.
    #[error("the amount has more decimals than the currency has")]
    TooManyDecimals,
    /// Larger than 64 bits of minor units, or a sum that is.
    #[error("the amount is too large")]
    TooLarge,
    /// A sum over two currencies.
    #[error("the amounts are in different currencies")]
    MixedCurrencies,
}

/// An amount in minor units (cents, pence, whole yen) of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Reads decimal text with a point: `50`, `50.0`, `50.00` are the same fifty euros; `50.001` is refused, and so
    /// are signs, exponents, blanks, grouping, and anything longer than 24 characters.
    pub fn from_decimal_text(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let shape_is_plain = text.len() <= 24
            && text.starts_with(|first: char| first.is_ascii_digit())
            && text.ends_with(|last: char| last.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.bytes().filter(|byte| *byte == b'.').count() <= 1;
        if !shape_is_plain {
            return Err(MoneyError::NotANumber);
        }
        let decimal = Decimal::from_str(text).map_err(|_| MoneyError::TooLarge)?.normalize();
        let mut scaled = decimal;
        scaled.rescale(currency.exponent());
        if scaled != decimal {
            return Err(MoneyError::TooManyDecimals);
        }
        let minor = i64::try_from(scaled.mantissa()).map_err(|_| MoneyError::TooLarge)?;
        // A number too long for its scale keeps a smaller scale: it would not fit either.
        if scaled.scale() == currency.exponent() || decimal.is_zero() {
            Ok(Self::new(minor, currency))
        } else {
            Err(MoneyError::TooLarge)
        }
    }

    /// The amount as decimal text with exactly the decimals of its currency: `50.00`, `5000` for yen.
    pub fn to_decimal_text(self) -> String {
        Decimal::new(self.minor, self.currency.exponent()).to_string()
    }

    /// The sum, if both are of one currency and it fits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The difference, if both are of one currency and it fits. It may be negative.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The sum of any number of amounts of `currency`.
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::MixedCurrencies) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.to_decimal_text(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, code: &str) -> Result<i64, MoneyError> {
        Money::from_decimal_text(text, Currency::from_code(code)?).map(Money::minor)
    }

    #[test]
    fn decimal_text_becomes_minor_units_or_a_named_refusal() {
        use MoneyError::{NotANumber, TooLarge, TooManyDecimals, UnknownCurrency};
        for (text, code, expected) in [
            ("50.00", "EUR", Ok(5000)),
            ("50", "EUR", Ok(5000)),
            ("50.0", "EUR", Ok(5000)),
            ("100.0", "JPY", Ok(100)),
            ("0", "EUR", Ok(0)),
            ("0.000", "JPY", Ok(0)),
            ("0.01", "EUR", Ok(1)),
            ("1.2340", "KWD", Ok(1234)),
            ("10.50000", "EUR", Ok(1050)),
            ("92233720368547758.07", "EUR", Ok(i64::MAX)),
            ("92233720368547758.08", "EUR", Err(TooLarge)),
            ("999999999999999999999999", "EUR", Err(TooLarge)),
            ("0.001", "EUR", Err(TooManyDecimals)),
            ("100.5", "JPY", Err(TooManyDecimals)),
            ("50,00", "EUR", Err(NotANumber)),
            ("-1", "EUR", Err(NotANumber)),
            ("+1", "EUR", Err(NotANumber)),
            ("1e3", "EUR", Err(NotANumber)),
            (" 1", "EUR", Err(NotANumber)),
            (".5", "EUR", Err(NotANumber)),
            ("5.", "EUR", Err(NotANumber)),
            ("1.2.3", "EUR", Err(NotANumber)),
            ("", "EUR", Err(NotANumber)),
            ("NaN", "EUR", Err(NotANumber)),
            ("٥", "EUR", Err(NotANumber)),
            ("0000000000000000000000001", "EUR", Err(NotANumber)),
            ("1", "eur", Err(UnknownCurrency)),
            ("1", "XAU", Err(UnknownCurrency)),
            ("1", "", Err(UnknownCurrency)),
        ] {
            assert_eq!(read(text, code), expected, "{text:?} {code}");
        }
    }

    #[test]
    fn what_was_read_is_written_with_the_decimals_of_its_currency() {
        for (minor, code, text) in
            [(5000, "EUR", "50.00"), (1, "EUR", "0.01"), (5000, "JPY", "5000"), (-150, "EUR", "-1.50")]
        {
            let money = Money::new(minor, Currency::from_code(code).unwrap());
            assert_eq!(money.to_decimal_text(), text);
            // In an error or a log it stands as on a receipt.
            assert_eq!(
                (format!("{money}"), format!("{money:?}")),
                (format!("{text} {code}"), format!("{text} {code}"))
            );
            assert_eq!(format!("{:?}", money.currency()), code);
        }
    }

    #[test]
    fn sums_are_checked_and_never_mix_currencies() {
        let (eur, jpy) = (Currency::from_code("EUR").unwrap(), Currency::from_code("JPY").unwrap());
        assert_eq!(Money::new(1, eur).plus(Money::new(1, jpy)), Err(MoneyError::MixedCurrencies));
        assert_eq!(Money::new(i64::MAX, eur).plus(Money::new(1, eur)), Err(MoneyError::TooLarge));
        assert_eq!(Money::new(i64::MIN, eur).minus(Money::new(1, eur)), Err(MoneyError::TooLarge));
        assert_eq!(Money::sum([Money::new(2, eur), Money::new(3, eur)], eur), Ok(Money::new(5, eur)));
    }
}
