//! How the domain's small values stand in JSON: names as text, money as minor units with their currency, refusals by
//! their stable code.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tilld_domain::money::{Currency, Money};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::CardNo;

/// Anything that is read out of its own text, which is borrowed where it stands: a walk over a journal reads millions.
struct OfText<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for OfText<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for TextVisitor<T> {
    type Value = OfText<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OfText<T>, E> {
        text.parse().map(OfText).map_err(E::custom)
    }
}

/// Anything that is written and read as its own text.
pub(super) mod plain {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::{Deserialize, Deserializer, OfText, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        OfText::deserialize(from).map(|OfText(value)| value)
    }
}

/// The same, where there may be none.
pub(super) mod maybe {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::{Deserialize, Deserializer, OfText, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => out.serialize_some(&format_args!("{value}")),
            None => out.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        Ok(Option::<OfText<T>>::deserialize(from)?.map(|OfText(value)| value))
    }
}

/// The provider's name for a voucher, which has no other way out than by its own word.
pub(super) mod opaque {
    use tilld_domain::ids::VoucherId;

    use super::{Deserialize, Deserializer, OfText, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(value: &VoucherId, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(value.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<VoucherId, D::Error> {
        OfText::deserialize(from).map(|OfText(value)| value)
    }
}

/// A currency by its ISO 4217 code.
pub(super) mod currency {
    use super::{Currency, Deserialize, Deserializer, Serializer, de_error};

    pub(in super::super) fn serialize<S: Serializer>(value: &Currency, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(value.code())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Currency, D::Error> {
        Currency::from_code(&String::deserialize(from)?).map_err(de_error)
    }
}

/// Money as JSON shows it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoneyForm {
    minor: i64,
    #[serde(with = "currency")]
    currency: Currency,
}

impl From<Money> for MoneyForm {
    fn from(money: Money) -> Self {
        Self { minor: money.minor(), currency: money.currency() }
    }
}

impl From<MoneyForm> for Money {
    fn from(form: MoneyForm) -> Self {
        Self::new(form.minor, form.currency)
    }
}

/// An amount.
pub(super) mod money {
    use super::{Deserialize, Deserializer, Money, MoneyForm, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(value: &Money, out: S) -> Result<S::Ok, S::Error> {
        MoneyForm::from(*value).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        MoneyForm::deserialize(from).map(Money::from)
    }
}

/// Which card of a sale, by its number from 1.
pub(super) mod card_no {
    use super::{CardNo, Deserialize, Deserializer, Serializer, de_error};

    pub(in super::super) fn serialize<S: Serializer>(value: &CardNo, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u16(value.number())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CardNo, D::Error> {
        CardNo::new(u16::deserialize(from)?).ok_or_else(|| de_error("no sale has a card of that number"))
    }
}

/// A refusal by its stable code; the provider's own code beside it where it has no name here.
pub(super) mod refusal {
    use super::{Deserialize, Deserializer, Refusal, Serialize, Serializer, de_error};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RefusalForm {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        foreign: Option<String>,
    }

    pub(in super::super) fn serialize<S: Serializer>(value: &Refusal, out: S) -> Result<S::Ok, S::Error> {
        let foreign = match value {
            Refusal::Foreign(code) => Some(code.as_str().to_owned()),
            _ => None,
        };
        RefusalForm { code: value.code().to_owned(), foreign }.serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Refusal, D::Error> {
        let form = RefusalForm::deserialize(from)?;
        let refusal = Refusal::from_code(&form.code, form.foreign.as_deref())
            .ok_or_else(|| de_error(format_args!("unknown refusal `{}`", form.code)))?;
        if matches!(refusal, Refusal::Foreign(_)) == form.foreign.is_some() {
            Ok(refusal)
        } else {
            Err(de_error("a foreign code where none belongs, or none where one does"))
        }
    }
}

fn de_error<E: serde::de::Error>(why: impl std::fmt::Display) -> E {
    E::custom(why)
}
