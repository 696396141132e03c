//! Amounts, dates and times as the customer's country writes them.
//!
//! The forms are CLDR 48's (Unicode Common Locale Data Repository, the source of every ICU), in a table of a dozen
//! lines. A library was tried first: `icu_decimal` 2.4 (26 crates, 21 of them here anyway) gives numbers, and *money* is
//! written otherwise than numbers where CLDR has separate signs for it. It writes `1 234 567,89` for Austria and
//! `1'234'567,89` for French-speaking Switzerland, whose amounts are `€ 1.234.567,89` and `1 234 567.89 CHF`; the
//! currency's place and sign would still be a table here. ICU4X's own currency formatter is experimental. So the table
//! is the smaller risk, and the tests hold it against 732 amounts and 300 dates that ICU itself wrote.
//!
//! A locale that is not in the table takes the first line of its language (`nl-BE` as `nl-NL`); a language that is not
//! there takes the neutral form `1234.50 EUR`, `2026-11-21 14:05`, which nobody can misread. No currency is guessed at:
//! a sign is written only where the locale's readers know it, else the ISO 4217 code. Nothing rounds; the decimals are
//! those of the currency.
//!
//! Times are shown to the minute in an IANA zone; zone data comes from the system and, where that has none, from the
//! program itself. An unknown zone must not stop a sale: the time is shown in UTC and says so.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tilld_domain::day::Day;
use tilld_domain::ids::Locale;
use tilld_domain::money::Money;
use tilld_domain::slip::Letters;

/// No line may end between a number and its currency.
const NO_BREAK: &str = "\u{a0}";
/// The narrow sibling that French groups digits with.
const NARROW: &str = "\u{202f}";

/// Where the sign of the currency and the minus stand; the blanks are no-break spaces.
#[derive(Clone, Copy)]
enum Place {
    /// `-1,00 €`
    Behind,
    /// `-€1.00`; a code keeps a blank: `-CHF 1.00`
    Touching,
    /// `-€ 1,00`
    Before,
    /// `€ -1,00`
    BeforeMinusInside,
    /// `CHF 1.00`, and `CHF-1.00`
    BeforeMinusJoins,
}

/// How a locale writes amounts and dates.
struct Form {
    tag: &'static str,
    decimal: &'static str,
    grouping: &'static str,
    /// How many digits there must be in front of the first grouping sign.
    least_in_front: usize,
    place: Place,
    /// Currencies that have a sign here; all others show their code.
    signs: &'static [(&'static str, &'static str)],
    /// Of `strftime`.
    date: &'static str,
}

const DOTS: &str = "%d.%m.%Y";
const SLASHES: &str = "%d/%m/%Y";
const DASHES: &str = "%d-%m-%Y";
const ISO: &str = "%Y-%m-%d";

const GERMAN: &[(&str, &str)] = &[("EUR", "€"), ("GBP", "£"), ("JPY", "¥"), ("USD", "$")];
const GERMAN_SWISS: &[(&str, &str)] = &[("GBP", "£"), ("JPY", "¥"), ("USD", "$")];
const ENGLISH: &[(&str, &str)] = &[("EUR", "€"), ("GBP", "£"), ("JPY", "JP¥"), ("USD", "US$")];
const FRENCH: &[(&str, &str)] = &[("EUR", "€"), ("GBP", "£GB"), ("USD", "$US")];
const ITALIAN: &[(&str, &str)] = &[("EUR", "€"), ("GBP", "£")];
const SPANISH: &[(&str, &str)] = &[("EUR", "€"), ("USD", "US$")];
const POLISH: &[(&str, &str)] = &[("EUR", "€"), ("PLN", "zł")];

const fn form(
    tag: &'static str,
    (decimal, grouping, least_in_front): (&'static str, &'static str, usize),
    place: Place,
    signs: &'static [(&'static str, &'static str)],
    date: &'static str,
) -> Form {
    Form { tag, decimal, grouping, least_in_front, place, signs, date }
}

/// The first line of a language is what its other countries get.
const FORMS: [Form; 12] = [
    form("de-DE", (",", ".", 1), Place::Behind, GERMAN, DOTS),
    form("de-AT", (",", ".", 1), Place::Before, GERMAN, DOTS),
    form("de-CH", (".", "'", 1), Place::BeforeMinusJoins, GERMAN_SWISS, DOTS),
    form("en-GB", (".", ",", 1), Place::Touching, ENGLISH, SLASHES),
    form("en-IE", (".", ",", 1), Place::Touching, ENGLISH, SLASHES),
    form("fr-FR", (",", NARROW, 1), Place::Behind, FRENCH, SLASHES),
    form("fr-CH", (".", NARROW, 1), Place::Behind, FRENCH, DOTS),
    form("it-IT", (",", ".", 2), Place::Behind, ITALIAN, SLASHES),
    form("it-CH", (".", "'", 2), Place::BeforeMinusJoins, ITALIAN, DOTS),
    form("es-ES", (",", ".", 2), Place::Behind, SPANISH, SLASHES),
    form("nl-NL", (",", ".", 1), Place::BeforeMinusInside, ENGLISH, DASHES),
    form("pl-PL", (",", NO_BREAK, 2), Place::Behind, POLISH, DOTS),
];

/// Whatever else: a plain decimal number and the code.
const NEUTRAL: Form = form("", (".", "", 1), Place::Behind, &[], ISO);

impl Form {
    fn of(locale: &Locale) -> &'static Self {
        let tag = locale.as_str();
        let language = tag.split('-').next().unwrap_or(tag);
        let of_language = |form: &&Self| {
            form.tag.split_once('-').is_some_and(|(own, _)| own.eq_ignore_ascii_case(language))
        };
        FORMS
            .iter()
            .find(|form| form.tag.eq_ignore_ascii_case(tag))
            .or_else(|| FORMS.iter().find(of_language))
            .unwrap_or(&NEUTRAL)
    }

    fn grouped(&self, whole: &str) -> String {
        if whole.len() < self.least_in_front.saturating_add(3) {
            return whole.to_owned();
        }
        let mut text = String::with_capacity(whole.len().saturating_mul(2));
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && whole.len().saturating_sub(place).is_multiple_of(3) {
                text.push_str(self.grouping);
            }
            text.push(digit);
        }
        text
    }
}

/// An amount with its currency as the locale writes it, for a screen: `1.234,50 €` with no-break spaces.
pub fn amount(money: Money, locale: &Locale) -> String {
    amount_for(money, locale, &Letters::EVERY)
}

/// An amount for a printer: where it lacks a character of the currency's sign the ISO 4217 code is written, and every
/// blank is the plain one.
pub fn printed_amount(money: Money, locale: &Locale, prints: &Letters) -> String {
    amount_for(money, locale, prints).replace([' ', '\u{a0}', '\u{202f}'], " ")
}

fn amount_for(money: Money, locale: &Locale, prints: &Letters) -> String {
    let form = Form::of(locale);
    let plain = money.to_decimal_text();
    let minus = if money.minor() < 0 { "-" } else { "" };
    let unsigned = plain.trim_start_matches('-');
    let number = match unsigned.split_once('.') {
        Some((whole, decimals)) => format!("{}{}{decimals}", form.grouped(whole), form.decimal),
        None => form.grouped(unsigned),
    };
    let code = money.currency().code();
    let sign = form
        .signs
        .iter()
        .find(|(of, sign)| *of == code && sign.chars().all(|letter| prints.has(letter)))
        .map_or(code, |(_, sign)| *sign);
    match form.place {
        Place::Behind => format!("{minus}{number}{NO_BREAK}{sign}"),
        Place::Touching if sign.ends_with(char::is_alphabetic) => format!("{minus}{sign}{NO_BREAK}{number}"),
        Place::Touching => format!("{minus}{sign}{number}"),
        Place::Before => format!("{minus}{sign}{NO_BREAK}{number}"),
        Place::BeforeMinusInside => format!("{sign}{NO_BREAK}{minus}{number}"),
        Place::BeforeMinusJoins if minus.is_empty() => format!("{sign}{NO_BREAK}{number}"),
        Place::BeforeMinusJoins => format!("{sign}{minus}{number}"),
    }
}

/// A day of business as the locale writes dates: `22.11.2026`.
pub fn day(day: Day, locale: &Locale) -> String {
    let (year, month, date) = day.parts();
    let small = |number: u8| i8::try_from(number).unwrap_or_default();
    let known = i16::try_from(year).ok().and_then(|year| Date::new(year, small(month), small(date)).ok());
    known.map_or_else(|| day.to_string(), |known| known.strftime(Form::of(locale).date).to_string())
}

/// The date and the time, to the minute, of a moment in ms since 1970-01-01T00:00Z, in an IANA zone: `21.11.2026
/// 14:05`. In UTC, with ` UTC` behind it, if the zone is unknown. A moment that no calendar has is shown as its number.
pub fn moment(at_ms: i64, zone: &str, locale: &Locale) -> String {
    let Ok(timestamp) = Timestamp::from_millisecond(at_ms) else {
        return format!("{at_ms} ms");
    };
    let (zone, suffix) = TimeZone::get(zone).map_or((TimeZone::UTC, " UTC"), |known| (known, ""));
    let form = Form::of(locale);
    timestamp.to_zoned(zone).strftime(&format!("{} %H:%M{suffix}", form.date)).to_string()
}

#[cfg(test)]
mod tests {
    use tilld_domain::money::Currency;

    use super::*;

    fn locale(tag: &str) -> Locale {
        tag.parse().unwrap()
    }

    fn money(text: &str, code: &str) -> Money {
        let currency = Currency::from_code(code).unwrap();
        let digits: String = text.chars().filter(|character| *character != '.').collect();
        Money::new(digits.parse().unwrap(), currency)
    }

    fn fixture(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
    }

    #[test]
    fn amounts_are_written_as_icu_writes_them() {
        let mut compared = 0;
        for row in fixture(include_str!("tests/amounts.tsv")) {
            let [tag, code, text, expected] = row[..] else { panic!("{row:?}") };
            assert_eq!(amount(money(text, code), &locale(tag)), expected, "{tag} {code} {text}");
            compared += 1;
        }
        assert_eq!(compared, 732);
    }

    #[test]
    fn dates_and_times_are_written_as_icu_writes_them() {
        for row in fixture(include_str!("tests/moments.tsv")) {
            let [tag, zone, at_ms, date, time] = row[..] else { panic!("{row:?}") };
            let expected = format!("{date} {time}");
            assert_eq!(moment(at_ms.parse().unwrap(), zone, &locale(tag)), expected, "{tag} {zone} {at_ms}");
        }
    }

    #[test]
    fn other_countries_take_their_language_and_other_languages_the_neutral_form() {
        for (tag, text, day) in [
            ("de", "1.234,50 €", "21.11.2026 14:05"),
            ("DE-de", "1.234,50 €", "21.11.2026 14:05"),
            ("nl-BE", "€ 1.234,50", "21-11-2026 14:05"),
            ("en-US", "€1,234.50", "21/11/2026 14:05"),
            ("cs-CZ", "1234.50 EUR", "2026-11-21 14:05"),
            ("x", "1234.50 EUR", "2026-11-21 14:05"),
            ("-", "1234.50 EUR", "2026-11-21 14:05"),
        ] {
            assert_eq!(printed_amount(money("1234.50", "EUR"), &locale(tag), &Letters::EVERY), text, "{tag}");
            assert_eq!(moment(1_795_266_300_000, "Europe/Berlin", &locale(tag)), day, "{tag}");
        }
    }

    #[test]
    fn a_printer_without_the_sign_gets_the_code_and_plain_blanks() {
        let ascii = Letters::ASCII;
        for (tag, code, text, expected) in [
            ("de-DE", "EUR", "50.00", "50,00 EUR"),
            ("de-AT", "EUR", "50.00", "EUR 50,00"),
            ("en-IE", "EUR", "50.00", "EUR 50.00"),
            ("en-GB", "GBP", "-50.00", "-GBP 50.00"),
            ("fr-FR", "EUR", "1234567.89", "1 234 567,89 EUR"),
            ("pl-PL", "PLN", "12345.00", "12 345,00 PLN"),
            ("de-CH", "CHF", "12345.00", "CHF 12'345.00"),
            ("de-DE", "JPY", "5000", "5.000 JPY"),
            ("nl-NL", "EUR", "-1.50", "EUR -1,50"),
        ] {
            assert_eq!(
                printed_amount(money(text, code), &locale(tag), &ascii),
                expected,
                "{tag} {code} {text}"
            );
        }
    }

    #[test]
    fn an_unknown_zone_is_shown_as_utc_and_named() {
        for zone in ["", "Mars/Olympus", "../../etc/passwd", "Europe/Berlin\u{1b}p"] {
            assert_eq!(moment(1_795_266_300_000, zone, &locale("de-DE")), "21.11.2026 13:05 UTC", "{zone:?}");
        }
    }

    #[test]
    fn a_moment_outside_the_calendar_is_its_number() {
        assert_eq!(moment(i64::MAX, "UTC", &locale("de-DE")), "9223372036854775807 ms");
        assert_eq!(moment(0, "UTC", &locale("en-GB")), "01/01/1970 00:00");
    }
}
