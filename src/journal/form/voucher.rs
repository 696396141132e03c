//! The form of what a provider says about a voucher and a redemption.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tilld_domain::ids::{ProviderRedemptionId, VoucherId};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::{
    Balance, CodeTail, Redeemed, RedemptionSeen, ReverseAnswer, VoucherKind, VoucherSeen, Words, Worth,
};

use super::text::{MoneyForm, maybe, opaque, refusal};

#[derive(Serialize, Deserialize)]
#[serde(remote = "VoucherSeen", deny_unknown_fields)]
pub(super) struct VoucherSeenForm {
    #[serde(with = "opaque")]
    voucher: VoucherId,
    redeemable: bool,
    #[serde(with = "maybe_worth")]
    eligible: Option<Worth>,
    #[serde(with = "maybe_worth")]
    left: Option<Worth>,
    #[serde(with = "VoucherKindForm")]
    kind: VoucherKind,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "VoucherKind", rename_all = "snake_case")]
pub(super) enum VoucherKindForm {
    Gift,
    Promotional,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Redeemed", deny_unknown_fields)]
pub(super) struct RedeemedForm {
    #[serde(with = "maybe")]
    redemption: Option<ProviderRedemptionId>,
    #[serde(with = "maybe_worth")]
    granted: Option<Worth>,
    #[serde(with = "BalanceForm")]
    remaining: Balance,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Balance", deny_unknown_fields)]
pub(super) struct BalanceForm {
    #[serde(with = "maybe_worth")]
    left: Option<Worth>,
    #[serde(with = "maybe_worth")]
    eligible: Option<Worth>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RedemptionSeen", rename_all = "snake_case")]
pub(super) enum RedemptionSeenForm {
    Done(#[serde(with = "RedeemedForm")] Redeemed),
    Nothing,
    InProgress,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ReverseAnswer", rename_all = "snake_case")]
pub(super) enum ReverseAnswerForm {
    Reversed,
    AlreadyReversed,
    StillProcessing,
    NotFound,
    Refused(#[serde(with = "refusal")] Refusal),
}

/// An amount of money, or a number of items.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WorthForm {
    Money(MoneyForm),
    Items(u32),
}

impl From<Worth> for WorthForm {
    fn from(worth: Worth) -> Self {
        match worth {
            Worth::Money(money) => Self::Money(money.into()),
            Worth::Items(count) => Self::Items(count),
        }
    }
}

impl From<WorthForm> for Worth {
    fn from(form: WorthForm) -> Self {
        match form {
            WorthForm::Money(money) => Self::Money(money.into()),
            WorthForm::Items(count) => Self::Items(count),
        }
    }
}

/// What something is worth.
pub(super) mod worth {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Worth, WorthForm};

    pub(in super::super) fn serialize<S: Serializer>(value: &Worth, out: S) -> Result<S::Ok, S::Error> {
        WorthForm::from(*value).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Worth, D::Error> {
        WorthForm::deserialize(from).map(Worth::from)
    }
}

/// The same, where it may not be known.
mod maybe_worth {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Worth, WorthForm};

    pub(super) fn serialize<S: Serializer>(value: &Option<Worth>, out: S) -> Result<S::Ok, S::Error> {
        value.map(WorthForm::from).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Worth>, D::Error> {
        Ok(Option::<WorthForm>::deserialize(from)?.map(Worth::from))
    }
}

/// A provider's words, which are made fit before they are written: others are not theirs.
pub(super) mod maybe_words {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Words};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Option<Words>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Words::as_str).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Words>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let words = Words::new(&text);
        if words.as_str() == text {
            Ok(Some(words))
        } else {
            Err(D::Error::custom("words that nobody made fit"))
        }
    }
}

/// The last four characters of a code.
pub(super) mod code_tail {
    use super::{CodeTail, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(value: &CodeTail, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(value.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CodeTail, D::Error> {
        CodeTail::new(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("no tail of a code"))
    }
}
