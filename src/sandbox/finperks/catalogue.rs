//! What is on sale: a small shipped catalogue of brands that do not exist.
//!
//! The real schema is not known (fact sheet 3.5). The fields here carry what a till needs: code, name, brand, kind,
//! country, currency, values, whether this client may sell it, and for some an address of a picture.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::amount::{Currency, Money};
use super::pictures;
use super::switches::Switches;

/// How the customer comes to hold the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Print on receipt.
    Por,
    /// Activation at the till.
    Posa,
}

impl Kind {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Por => "por",
            Self::Posa => "posa",
        }
    }
}

/// Face values in minor units: cents, rappen, pence, whole yen.
#[derive(Debug, Clone, Copy)]
enum Values {
    Fixed(&'static [i64]),
    /// Smallest, greatest, step.
    Open(i64, i64, i64),
}

/// One product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    pub code: &'static str,
    pub name: &'static str,
    pub brand: &'static str,
    pub kind: Kind,
    pub country: &'static str,
    pub currency: Currency,
    values: Values,
    enabled: bool,
    invalidation: bool,
}

const fn product(
    code: &'static str,
    [name, brand, country]: [&'static str; 3],
    kind: Kind,
    currency: Currency,
    values: Values,
) -> Product {
    Product { code, name, brand, kind, country, currency, values, enabled: true, invalidation: true }
}

static PRODUCTS: [Product; 12] = [
    product(
        "4001232232332",
        ["Wunschgeschenk-Gutschein", "Lindwerk", "DE"],
        Kind::Por,
        Currency::Eur,
        Values::Open(1_000, 50_000, 1),
    ),
    product(
        "4001232100015",
        ["Klangbude Musikkarte", "Klangbude", "DE"],
        Kind::Por,
        Currency::Eur,
        Values::Fixed(&[1_500, 2_500, 5_000, 10_000]),
    ),
    product(
        "4001232100022",
        ["Spielhügel Guthaben", "Spielhügel", "DE"],
        Kind::Posa,
        Currency::Eur,
        Values::Fixed(&[1_000, 2_500, 5_000]),
    ),
    product(
        "4001232100039",
        ["Blattglück Gartenkarte", "Blattglück", "DE"],
        Kind::Posa,
        Currency::Eur,
        Values::Open(500, 25_000, 100),
    ),
    Product {
        invalidation: false,
        ..product(
            "4001232100046",
            ["Sternfahrt Tageskarte", "Sternfahrt", "DE"],
            Kind::Por,
            Currency::Eur,
            Values::Fixed(&[2_000]),
        )
    },
    Product {
        enabled: false,
        ..product(
            "4001232100053",
            ["Abendrotkino Karte", "Abendrotkino", "DE"],
            Kind::Por,
            Currency::Eur,
            Values::Fixed(&[2_000, 4_000]),
        )
    },
    product(
        "7601232200014",
        ["Gipfelblick Geschenkkarte", "Gipfelblick", "CH"],
        Kind::Por,
        Currency::Chf,
        Values::Fixed(&[2_000, 5_000, 10_000]),
    ),
    product(
        "7601232200021",
        ["Seeufer Badekarte", "Seeufer", "CH"],
        Kind::Posa,
        Currency::Chf,
        Values::Open(1_000, 30_000, 5),
    ),
    product(
        "5001232300013",
        ["Fernhollow Gift Card", "Fernhollow", "GB"],
        Kind::Por,
        Currency::Gbp,
        Values::Open(500, 20_000, 1),
    ),
    product(
        "5001232300020",
        ["Tumblewick Books Card", "Tumblewick", "GB"],
        Kind::Posa,
        Currency::Gbp,
        Values::Fixed(&[1_000, 2_500, 5_000]),
    ),
    product(
        "4901232400012",
        ["Hoshimado Gift", "Hoshimado", "JP"],
        Kind::Por,
        Currency::Jpy,
        Values::Fixed(&[1_000, 3_000, 5_000, 10_000]),
    ),
    product(
        "4901232400029",
        ["Kazewatari Play Card", "Kazewatari", "JP"],
        Kind::Posa,
        Currency::Jpy,
        Values::Open(500, 50_000, 1),
    ),
];

/// All products in the catalogue's order.
pub(crate) fn all() -> &'static [Product] {
    &PRODUCTS
}

/// The product of a code.
pub(crate) fn find(code: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.code == code)
}

impl Product {
    fn money(&self, minor: i64) -> Money {
        Money { currency: self.currency, amount: Decimal::new(minor, self.currency.decimals()) }
    }

    /// Whether this client may sell it now.
    pub fn enabled(&self, switches: &Switches) -> bool {
        switches.products.get(self.code).and_then(|own| own.enabled).unwrap_or(self.enabled)
    }

    /// Whether its orders can be invalidated at all.
    pub fn invalidation_supported(&self, switches: &Switches) -> bool {
        switches
            .products
            .get(self.code)
            .and_then(|own| own.invalidation_supported)
            .unwrap_or(self.invalidation)
    }

    /// Whether a card of this amount exists; the currency is already known to be the product's.
    pub fn offers(&self, amount: Decimal) -> bool {
        match self.values {
            Values::Fixed(values) => values.iter().any(|value| self.money(*value).amount == amount),
            Values::Open(least, most, step) => {
                let [least, most, step] = [least, most, step].map(|minor| self.money(minor).amount);
                (least..=most).contains(&amount)
                    && amount.checked_rem(step).is_some_and(|rest| rest.is_zero())
            }
        }
    }

    /// The product as the provider shows it.
    pub fn json(&self, switches: &Switches, hosts: &[String]) -> Value {
        let mut shown = json!({
            "code": self.code,
            "name": self.name,
            "brand": self.brand,
            "type": self.kind.code(),
            "country": self.country,
            "currency": self.currency.code(),
            "state": if self.enabled(switches) { "enabled" } else { "disabled" },
            "invalidation_supported": self.invalidation_supported(switches),
        });
        let (name, values) = match self.values {
            Values::Fixed(values) => {
                ("face_values", values.iter().map(|value| self.money(*value).json()).collect())
            }
            Values::Open(least, most, step) => (
                "face_value_range",
                json!({
                    "min": self.money(least).json(),
                    "max": self.money(most).json(),
                    "step": self.money(step).json(),
                }),
            ),
        };
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(name.to_owned(), values);
            if let Some(address) = pictures::address(self.code, switches, hosts) {
                shown.insert("image_url".to_owned(), json!(address));
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finperks::amount::parse_amount;

    #[test]
    fn every_currency_comes_printed_and_from_the_rack_and_one_product_is_disabled() {
        for currency in Currency::ALL {
            for kind in [Kind::Por, Kind::Posa] {
                assert!(all().iter().any(|product| product.currency == currency && product.kind == kind));
            }
        }
        assert_eq!(all().iter().filter(|product| !product.enabled).count(), 1);
        let codes: std::collections::HashSet<_> = all().iter().map(|product| product.code).collect();
        assert_eq!(codes.len(), all().len());
    }

    #[test]
    fn a_card_is_one_of_the_face_values_or_within_the_range_and_on_its_step() {
        for (code, amount, offered) in [
            ("4001232232332", "10.00", true),
            ("4001232232332", "500.0", true),
            ("4001232232332", "37.45", true),
            ("4001232232332", "9.99", false),
            ("4001232232332", "500.01", false),
            ("4001232100015", "25", true),
            ("4001232100015", "26", false),
            ("4001232100039", "7.50", false),
            ("7601232200021", "10.05", true),
            ("7601232200021", "10.02", false),
            ("4901232400012", "3000.0", true),
        ] {
            assert_eq!(find(code).unwrap().offers(parse_amount(amount).unwrap()), offered, "{code} {amount}");
        }
    }
}
