//! Money, names, moments and sentences: what every object on the wire is put together from.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tilld_domain as domain;
use tilld_domain::ids::IdError;
use tilld_domain::moment::Moment;
use tilld_domain::money::Currency;
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Stands before every sentence that this room itself gives to the JSON reader as an error. All other sentences come from
/// the reader, may repeat what a till sent, and are not passed on.
pub(crate) const OURS: &str = "tilld: ";

/// Makes a closed list of words: the type, how it is written, and a description that tells what each word means.
macro_rules! words {
    ($($(#[doc = $about:literal])+ enum $name:ident as $schema:literal {
        $($(#[doc = $means:literal])+ $variant:ident = $word:literal,)+
    })+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            pub(crate) enum $name {
                $($(#[doc = $means])+ #[serde(rename = $word)] $variant,)+
            }

            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    utoipa::openapi::schema::ObjectBuilder::new()
                        .schema_type(utoipa::openapi::schema::Type::String)
                        .enum_values(Some([$($word),+]))
                        .description(Some(concat!($($about,)+ "\n" $(, "\n- `", $word, "`:" $(, $means)+)+).trim()))
                        .into()
                }
            }

            impl utoipa::ToSchema for $name {
                fn name() -> std::borrow::Cow<'static, str> {
                    $schema.into()
                }
            }
        )+
    };
}
pub(crate) use words;

/// What is read from a JSON object and from nothing else. By itself the reader also takes an array, field by field, in an
/// order that no document promises.
#[derive(Debug, Default)]
pub(crate) struct Object<Fields>(pub(crate) Fields);

impl<'de, Fields: Deserialize<'de>> Deserialize<'de> for Object<Fields> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader<Fields>(PhantomData<Fields>);

        impl<'de, Fields: Deserialize<'de>> Visitor<'de> for Reader<Fields> {
            type Value = Object<Fields>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        reader.deserialize_map(Reader(PhantomData))
    }
}

/// An amount with its currency, read and written exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "DecimalMoney", try_from = "Object<DecimalMoney>")]
pub(crate) struct Money(pub(crate) domain::money::Money);

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        DecimalMoney::schema()
    }
}

impl ToSchema for Money {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
}

/// An amount of money, exact.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecimalMoney {
    /// Decimal text with a point, in units of the currency; written with exactly the currency's decimals (`50.00` EUR,
    /// `5000` JPY). Text, because a JSON number is no exact decimal everywhere. Sent amounts have no sign, no grouping, no
    /// exponent and no fraction of the smallest coin.
    #[schema(example = "50.00", max_length = 24, pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// ISO 4217 alphabetic code.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
}

impl From<Money> for DecimalMoney {
    fn from(Money(money): Money) -> Self {
        Self { amount: money.to_decimal_text(), currency: money.currency().code().to_owned() }
    }
}

impl TryFrom<Object<DecimalMoney>> for Money {
    type Error = String;

    fn try_from(Object(text): Object<DecimalMoney>) -> Result<Self, String> {
        Self::read(&text.amount, &text.currency)
    }
}

impl Money {
    /// An amount and its currency as they were sent; else why they are none.
    pub(super) fn read(amount: &str, currency: &str) -> Result<Self, String> {
        Currency::from_code(currency)
            .and_then(|currency| domain::money::Money::from_decimal_text(amount, currency))
            .map(Self)
            .map_err(|error| format!("{OURS}{error}"))
    }
}

/// A text that the domain checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked<Name>(pub(crate) Name);

impl<'de, Name: FromStr<Err = IdError>> Deserialize<'de> for Checked<Name> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader<Name>(PhantomData<Name>);

        impl<Name: FromStr<Err = IdError>> Visitor<'_> for Reader<Name> {
            type Value = Checked<Name>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(Checked).map_err(|error| E::custom(format_args!("{OURS}{error}")))
            }
        }

        reader.deserialize_str(Reader(PhantomData))
    }
}

/// What was scanned or typed, as it is, and is never shown again. How long it may be is for whoever takes it to say.
#[derive(Debug)]
pub(crate) struct Unshown(pub(crate) Secret);

impl<'de> Deserialize<'de> for Unshown {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Unshown;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Unshown, E> {
                Ok(Unshown(Secret::new(text.to_owned())))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Unshown, E> {
                Ok(Unshown(Secret::new(text)))
            }
        }

        reader.deserialize_string(Reader)
    }
}

words! {
    /// How a card comes to the customer.
    enum CardKind as "CardKind" {
        /// Print on receipt: the slip carries the code, so the slip is money.
        Por = "por",
        /// Activation at the till: the card hangs on the rack, and its code is scanned.
        Posa = "posa",
    }
}

impl From<domain::product::CardKind> for CardKind {
    fn from(kind: domain::product::CardKind) -> Self {
        match kind {
            domain::product::CardKind::Por => Self::Por,
            domain::product::CardKind::Posa => Self::Posa,
        }
    }
}

impl From<CardKind> for domain::product::CardKind {
    fn from(kind: CardKind) -> Self {
        match kind {
            CardKind::Por => Self::Por,
            CardKind::Posa => Self::Posa,
        }
    }
}

/// What the cashier reads.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Screen {
    /// A stable name, for wording in other languages.
    #[schema(example = "take")]
    code: &'static str,
    /// The sentence in English.
    #[schema(example = "Take 50.00 EUR.")]
    text: String,
}

impl From<domain::screen::Screen> for Screen {
    fn from(screen: domain::screen::Screen) -> Self {
        Self { code: screen.code(), text: screen.sentence() }
    }
}

impl From<domain::redemption::screen::Screen> for Screen {
    fn from(screen: domain::redemption::screen::Screen) -> Self {
        Self { code: screen.code(), text: screen.sentence() }
    }
}

/// Why something was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub(crate) struct Said {
    /// A stable code: lower case, words joined by `_`.
    #[schema(example = "balance_too_low")]
    code: &'static str,
    /// The sentence for the cashier in English.
    #[schema(example = "The shop's balance at the provider is used up. Call the manager.")]
    text: &'static str,
    /// The provider's own code, where this program has no name for it (`code` is then `provider_refused`).
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
}

impl From<&Refusal> for Said {
    fn from(refusal: &Refusal) -> Self {
        let provider_code = match refusal {
            Refusal::Foreign(code) => Some(code.as_str().to_owned()),
            _ => None,
        };
        Self { code: refusal.code(), text: refusal.sentence(), provider_code }
    }
}

/// A moment in RFC 3339, UTC, milliseconds. Moments that no calendar holds become its ends.
pub(crate) fn instant(at: Moment) -> String {
    let end = if at.ms() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    format!("{:.3}", jiff::Timestamp::from_millisecond(at.ms()).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_its_milliseconds_always() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_298_215_120, "2026-11-21T21:56:55.120Z"),
            (i64::MAX, "9999-12-30T22:00:00.999Z"),
        ] {
            assert_eq!(instant(Moment::from_ms(ms)), text);
        }
    }

    #[test]
    fn money_goes_both_ways_exactly() {
        for (text, expected) in [
            (r#"{"amount":"50","currency":"EUR"}"#, r#"{"amount":"50.00","currency":"EUR"}"#),
            (r#"{"currency":"JPY","amount":"5000"}"#, r#"{"amount":"5000","currency":"JPY"}"#),
            (r#"{"amount":"0.01","currency":"GBP"}"#, r#"{"amount":"0.01","currency":"GBP"}"#),
        ] {
            let money: Money = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&money).unwrap(), expected);
        }
    }
}
