//! What is there at the start: one merchant account with its locations, and a few gifts of every kind.
//!
//! Codes, tokens and ids are made up and published; they open this sandbox and nothing else. Periods count from the
//! start of the sandbox, so the clock of the control door can be moved into and out of them.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::voucher::{Voucher, Worth};

const DAY_S: i64 = 24 * 3600;

/// A place of the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The vendor's id of it: a Guid.
    pub organization_id: String,
    /// The POS system's own id of it.
    pub point_of_sale_identifier: &'static str,
    /// For people.
    pub name: &'static str,
    /// Whether the vendor has attached it to the key.
    pub attached: bool,
    #[serde(skip)]
    pub(crate) id: Uuid,
}

const PLACES: [(u128, &str, &str, bool); 5] = [
    (0x5a3d_0001_0000_4000_8000_0000_0000_0001, "A1234", "Musterstadt", true),
    (0x5a3d_0001_0000_4000_8000_0000_0000_0002, "A1235", "Nebenstadt", true),
    (0x5a3d_0001_0000_4000_8000_0000_0000_0003, "C0001", "Zürich", true),
    (0x5a3d_0001_0000_4000_8000_0000_0000_0004, "L0001", "London", true),
    (0x5a3d_0001_0000_4000_8000_0000_0000_0005, "X0001", "Fernstadt", false),
];

/// The program of the gift cards, and that of the promotional vouchers.
pub(crate) const GIFTS: Uuid = Uuid::from_u128(0x5a3d_0002_0000_4000_8000_0000_0000_0001);
pub(crate) const PROMOTIONS: Uuid = Uuid::from_u128(0x5a3d_0002_0000_4000_8000_0000_0000_0002);

/// All locations of the account.
pub(crate) fn locations() -> Vec<Location> {
    let location = |(id, point_of_sale_identifier, name, attached)| {
        let id = Uuid::from_u128(id);
        Location { organization_id: id.to_string(), point_of_sale_identifier, name, attached, id }
    };
    PLACES.into_iter().map(location).collect()
}

/// What is on a gift of the catalogue: cents of a currency, or a number of items with their article.
enum On {
    Money(i64, &'static str),
    Items(i64, &'static str, Option<&'static str>),
}

/// What is special about a gift of the catalogue.
#[derive(Default)]
struct Special {
    terms: Option<&'static str>,
    /// Days from the start.
    from: Option<i64>,
    until: Option<i64>,
    blocked: bool,
    used_up: bool,
    /// The place in the list of locations.
    only_at: Option<usize>,
}

const TEN_OFF: &str = "10 EUR off any purchase of 30 EUR or more. Not for gift cards. One per visit.";
const FREE_CAKE: &str = "One slice of cheesecake with any hot drink. Monday to Thursday only.";

/// Name, code, token, and what is on it.
type Row = (&'static str, &'static str, &'static str, On, Special);

fn rows() -> Vec<Row> {
    let plain = Special::default;
    vec![
        ("gift-50-eur", "401200000011", "gl-7hQ2mZr50EURa1", On::Money(5_000, "EUR"), plain()),
        ("gift-25-eur", "401200000029", "gl-9kT4nXs25EURb2", On::Money(2_500, "EUR"), plain()),
        ("odd-cents", "401200000037", "gl-2vB8pLq12EURc3", On::Money(1_234, "EUR"), plain()),
        ("leading-zeros", "000412345678", "gl-0aC6dRw30EURd4", On::Money(3_000, "EUR"), plain()),
        ("gift-100-chf", "401200000045", "gl-5eF1gYt99CHFe5", On::Money(10_000, "CHF"), plain()),
        ("gift-20-gbp", "401200000052", "gl-8hJ3kUi20GBPf6", On::Money(2_000, "GBP"), plain()),
        ("coffee", "401200000060", "gl-4lM7nOp03ITEMg7", On::Items(3, "Cappuccino", None), plain()),
        (
            "promo-10-eur",
            "401200000078",
            "gl-6qR9sAz10PROMh8",
            On::Money(1_000, "EUR"),
            Special { terms: Some(TEN_OFF), from: Some(-1), until: Some(30), ..plain() },
        ),
        (
            "promo-cake",
            "401200000086",
            "gl-1tU5vDx01PROMi9",
            On::Items(1, "Cheesecake", Some("4012345000016")),
            Special { terms: Some(FREE_CAKE), from: Some(-1), until: Some(30), ..plain() },
        ),
        (
            "used-up",
            "401200000094",
            "gl-3wX2yFc40USEDj1",
            On::Money(4_000, "EUR"),
            Special { used_up: true, ..plain() },
        ),
        (
            "expired",
            "401200000102",
            "gl-7zA4bGv15OVERk2",
            On::Money(1_500, "EUR"),
            Special { terms: Some(TEN_OFF), from: Some(-60), until: Some(-30), ..plain() },
        ),
        (
            "not-yet-valid",
            "401200000110",
            "gl-9cD6eHb15SOONl3",
            On::Money(1_500, "EUR"),
            Special { terms: Some(TEN_OFF), from: Some(30), until: Some(60), ..plain() },
        ),
        (
            "blocked",
            "401200000128",
            "gl-2fG8hJn20STOPm4",
            On::Money(2_000, "EUR"),
            Special { blocked: true, ..plain() },
        ),
        (
            "only-nebenstadt",
            "401200000136",
            "gl-5iJ1kKm20NEBEn5",
            On::Money(2_000, "EUR"),
            Special { only_at: Some(1), ..plain() },
        ),
        // Its code is a card number by its prefix, length and check digit, and its token is a well-known test number.
        ("pan-like", "501800000009", "4111111111111111", On::Money(2_000, "EUR"), plain()),
    ]
}

/// The gifts at the start.
pub(crate) fn vouchers(now: Timestamp) -> Vec<Voucher> {
    let locations = locations();
    let day =
        |days: i64| now.saturating_add(SignedDuration::from_secs(days.saturating_mul(DAY_S))).unwrap_or(now);
    let first = 0x5a3d_0003_0000_4000_8000_0000_0000_0001_u128;
    let voucher = |(number, (name, code, token, on, special)): (u128, Row)| {
        let (worth, issued) = match on {
            On::Money(cents, currency) => (Worth::Money(currency.to_owned()), Decimal::new(cents, 2)),
            On::Items(count, label, sku) => {
                (Worth::Items { label: label.to_owned(), sku: sku.map(str::to_owned) }, Decimal::from(count))
            }
        };
        Voucher {
            id: Uuid::from_u128(number),
            name: name.to_owned(),
            code: code.to_owned(),
            token: token.to_owned(),
            program: if special.terms.is_some() { PROMOTIONS } else { GIFTS },
            worth,
            terms: special.terms.map(str::to_owned),
            location: special.only_at.and_then(|place| locations.get(place)).map(|location| location.id),
            from: special.from.map(day),
            until: special.until.map(day),
            blocked: special.blocked,
            sender: "Mira Musterfrau".to_owned(),
            recipient: "Jörg Beispiel".to_owned(),
            issued,
            left: if special.used_up { Decimal::ZERO } else { issued },
        }
    };
    (first..).zip(rows()).map(voucher).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The check digit of card numbers (ISO/IEC 7812-1).
    fn checks(digits: &str) -> bool {
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| {
                let digit = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn every_gift_has_its_own_name_code_token_and_id() {
        let all = vouchers(Timestamp::UNIX_EPOCH);
        let mut seen = HashSet::new();
        for voucher in &all {
            assert!(voucher.code.len() == 12 && voucher.code.bytes().all(|byte| byte.is_ascii_digit()));
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            assert!((8..=128).contains(&voucher.token.len()) && voucher.token.bytes().all(fits));
            for text in [&voucher.name, &voucher.code, &voucher.token, &voucher.id.to_string()] {
                assert!(seen.insert(text.clone()), "{text}");
            }
        }
        assert_eq!(all.len(), 15);
    }

    #[test]
    fn only_the_pan_like_gift_looks_like_a_card_number() {
        for voucher in vouchers(Timestamp::UNIX_EPOCH) {
            let looks = checks(&voucher.code) && voucher.code.starts_with("5018");
            assert_eq!(looks, voucher.name == "pan-like", "{}", voucher.name);
        }
        assert!(checks("4111111111111111"));
    }

    #[test]
    fn every_currency_and_kind_is_there() {
        let all = vouchers(Timestamp::UNIX_EPOCH);
        for currency in ["EUR", "CHF", "GBP", "items"] {
            assert!(all.iter().any(|voucher| voucher.unit() == currency), "{currency}");
        }
        let promotional = all.iter().filter(|voucher| voucher.terms.is_some()).count();
        assert_eq!(promotional, 4);
        assert_eq!(locations().iter().filter(|location| location.attached).count(), 4);
    }
}
