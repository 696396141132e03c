//! Amounts in a search, as people write them and as screens and papers show them.
//!
//! Before or behind the number may stand its currency, as sign or code, with a blank of any sort between them or none. The number may be
//! grouped by thousands and has its decimals behind a point or a comma: `75,50 €`, `€75.50`, `CHF 1'234.50`, `1.234,50`. What
//! can be read two ways is looked for in both (`1.234` is a thousand and more, or a bit more than one where a currency has three
//! decimals). Nothing is rounded: a number with more decimals than a currency has is none of its amounts. A sign that several
//! currencies share means each of them.
//!
//! The text is folded to lower case, as everything is that is searched.

use tilld_domain::money::{Currency, Money};

/// How many words an amount is at most: `CHF 1 234 567.50`.
pub(super) const MOST_WORDS: usize = 5;

/// What stands for which currencies; those that hold another one go before it.
const SIGNS: [(&str, &[&str]); 16] = [
    ("€", &["EUR"]),
    ("us$", &["USD"]),
    ("$us", &["USD"]),
    ("$", &["USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD"]),
    ("£gb", &["GBP"]),
    ("£", &["GBP"]),
    ("jp¥", &["JPY"]),
    ("¥", &["JPY", "CNY"]),
    ("fr.", &["CHF"]),
    ("zł", &["PLN"]),
    ("kč", &["CZK"]),
    ("kr.", &["DKK"]),
    ("kr", &["DKK", "ISK", "NOK", "SEK"]),
    ("ft", &["HUF"]),
    ("lei", &["RON"]),
    ("₺", &["TRY"]),
];

/// The amounts of these currencies that a text may mean; none if it is no amount.
pub(super) fn meant(text: &str, currencies: &[Currency]) -> Vec<Money> {
    let (codes, number) = currency_of(text.trim());
    let readings = readings(number);
    let named = |currency: &&Currency| {
        codes.as_ref().is_none_or(|codes| codes.iter().any(|code| code == currency.code()))
    };
    let of_currency = |currency: &Currency| {
        let exponent = usize::try_from(currency.exponent()).unwrap_or(0);
        // Also where they are zeros: `1.000 €` is a thousand.
        let has_too_many =
            |text: &str| text.split_once('.').is_some_and(|(_, behind)| behind.len() > exponent);
        let read =
            |text: &String| Money::from_decimal_text(text, *currency).ok().filter(|_| !has_too_many(text));
        readings.iter().filter_map(read).collect::<Vec<_>>()
    };
    currencies.iter().filter(named).flat_map(of_currency).collect()
}

/// The codes of the currencies that a text names, if it names any, and the rest of it.
fn currency_of(text: &str) -> (Option<Vec<String>>, &str) {
    for (sign, codes) in SIGNS {
        let rest = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign));
        if let Some(rest) = rest {
            return (Some(codes.iter().map(|code| (*code).to_owned()).collect()), rest.trim());
        }
    }
    let code = |part: Option<&str>| {
        let code = part?.to_ascii_uppercase();
        Currency::from_code(&code).is_ok().then_some(code)
    };
    let (behind, before) = (text.len().saturating_sub(3), 3);
    if let (Some(code), Some(rest)) = (code(text.get(..before)), text.get(before..)) {
        return (Some(vec![code]), rest.trim());
    }
    if let (Some(code), Some(rest)) = (code(text.get(behind..)), text.get(..behind)) {
        return (Some(vec![code]), rest.trim());
    }
    (None, text)
}

/// A number as plain decimal text, in each way in which it can be read.
fn readings(number: &str) -> Vec<String> {
    let groups: Vec<&str> = number.split(|sign: char| !sign.is_ascii_digit()).collect();
    let signs: Vec<char> = number.chars().filter(|sign| !sign.is_ascii_digit()).collect();
    if groups.iter().any(|group| group.is_empty()) {
        return Vec::new();
    }
    let mut readings = Vec::new();
    if are_thousands(&groups, &signs) {
        readings.push(groups.concat());
    }
    if let (Some((decimals, whole)), Some(('.' | ',', between))) = (groups.split_last(), signs.split_last())
        && are_thousands(whole, between)
        && signs.last() != between.last()
    {
        readings.push(format!("{}.{decimals}", whole.concat()));
    }
    readings
}

/// Whether these are the digits of a whole number, with these signs between its thousands, if any.
fn are_thousands(groups: &[&str], signs: &[char]) -> bool {
    let Some((first, others)) = groups.split_first() else { return false };
    let same = signs.windows(2).all(|pair| pair.first() == pair.last());
    let groups_them = |sign: &char| matches!(sign, '.' | ',' | '\'' | '’') || sign.is_whitespace();
    let is_short = others.is_empty() || first.len() <= 3;
    same && is_short && signs.iter().all(groups_them) && others.iter().all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_is_written_anywhere_and_nothing_else_is_one() {
        let currencies = ["EUR", "CHF", "JPY", "KWD"].map(|code| Currency::from_code(code).unwrap());
        for (text, expected) in [
            ("75,50", "EUR 75.50, CHF 75.50, KWD 75.500"),
            ("75.5", "EUR 75.50, CHF 75.50, KWD 75.500"),
            ("75,50 €", "EUR 75.50"),
            ("75,50\u{a0}€", "EUR 75.50"),
            ("€75.50", "EUR 75.50"),
            ("€ 75.50", "EUR 75.50"),
            ("eur 75.50", "EUR 75.50"),
            ("75.50eur", "EUR 75.50"),
            ("chf\u{a0}75.50", "CHF 75.50"),
            ("fr. 75.50", "CHF 75.50"),
            ("50", "EUR 50.00, CHF 50.00, JPY 50, KWD 50.000"),
            ("1.234,50 €", "EUR 1234.50"),
            ("€1,234.50", "EUR 1234.50"),
            ("chf 1'234.50", "CHF 1234.50"),
            ("chf 1’234.50", "CHF 1234.50"),
            ("1\u{202f}234,50\u{a0}€", "EUR 1234.50"),
            ("1 234,50 €", "EUR 1234.50"),
            ("1.234.567,89 €", "EUR 1234567.89"),
            ("1.234 €", "EUR 1234.00"),
            ("1.000 €", "EUR 1000.00"),
            ("1.234", "EUR 1234.00, CHF 1234.00, JPY 1234, KWD 1234.000, KWD 1.234"),
            ("¥5,000", "JPY 5000"),
            ("5.000 jpy", "JPY 5000"),
            ("$5", ""),
            ("75,505 €", "EUR 75505.00"),
            ("75,5055 €", ""),
            ("12,34,56", ""),
            ("1.23,456.00", ""),
            ("1234.567,00", ""),
            ("1.234.50", ""),
            ("1,234,567", "EUR 1234567.00, CHF 1234567.00, JPY 1234567, KWD 1234567.000"),
            (",50", ""),
            ("50,", ""),
            ("-50", ""),
            ("5-0", ""),
            ("€", ""),
            ("eur", ""),
            ("eureur", ""),
            ("r1", ""),
            ("", ""),
        ] {
            let read: Vec<String> = meant(text, &currencies)
                .into_iter()
                .map(|money| format!("{} {}", money.currency(), money.to_decimal_text()))
                .collect();
            assert_eq!(read.join(", "), expected, "{text:?}");
        }
    }
}
