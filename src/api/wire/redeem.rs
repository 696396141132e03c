//! What a till sends about a redemption, and the counter's request that it becomes.

use serde::Deserialize;
use tilld_counter::RedeemRequest as Redeem;
use tilld_domain::ids::{BasketId, CheckId, Locale, PersonName};
use tilld_domain::redemption;
use tilld_domain::secret::Secret;
use utoipa::ToSchema;

use super::parts::{Checked, Unshown, words};
use super::voucher::Worth;
use crate::asked::Digest;
use crate::guard::Caller;
use crate::problem::{Objection, Problem};

/// A new redemption.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeemRequest {
    /// The look that it rests on.
    #[schema(value_type = String, format = "uuid", example = "01a2006d-8d02-77c9-9460-2bcdce512c0b")]
    check: Checked<CheckId>,
    /// The till's own name of the basket: printable ASCII, no payment card number. It is the basket's for ever: under a name that is
    /// used again, the same voucher and amount would be the redemption of the earlier basket.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "B-20261121-0042")]
    basket: Checked<BasketId>,
    /// How much to take: always said, never null. There is no word for all of it.
    amount: Worth,
    /// Whether the cashier has compared the terms of a promotional voucher with the basket; absent: no.
    terms_confirmed: Option<bool>,
    /// Who redeems: letters of any script, digits and the punctuation of names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    cashier: Option<Checked<PersonName>>,
    /// The slip's language and formats (BCP 47), if not the configured ones.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 16, example = "de-DE")]
    locale: Option<Checked<Locale>>,
}

impl RedeemRequest {
    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest
            .text(&self.check.0.to_string())
            .text(self.basket.0.as_str())
            .worth(self.amount.into())
            .flag(self.terms_confirmed.unwrap_or_default())
            .optional(self.cashier.as_ref().map(|name| name.0.as_str()))
            .optional(self.locale.as_ref().map(|tag| tag.0.as_str()))
    }
}

impl From<RedeemRequest> for Redeem {
    fn from(request: RedeemRequest) -> Self {
        Self {
            check: request.check.0,
            basket: request.basket.0,
            amount: request.amount.into(),
            terms_confirmed: request.terms_confirmed.unwrap_or_default(),
            cashier: request.cashier.map(|name| name.0),
            locale: request.locale.map(|tag| tag.0),
        }
    }
}

/// The basket of a redemption is completed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteRequest {
    /// By whom.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    by: Option<Checked<PersonName>>,
}

impl CompleteRequest {
    /// By whom it is, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self { by: caller.acting(self.by.map(|name| name.0)).map(Checked) }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.optional(self.by.as_ref().map(|name| name.0.as_str()))
    }

    pub(crate) fn by(self) -> Option<PersonName> {
        self.by.map(|name| name.0)
    }
}

/// A voucher gets its value back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReverseRequest {
    /// By whom; a manager is always named.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Ada Berg")]
    by: Option<Checked<PersonName>>,
    /// Whether `by` is a manager: once the basket is completed, only a manager may. Absent: no.
    manager: Option<bool>,
}

impl ReverseRequest {
    /// By whom it is, and whether as a manager, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self {
            by: caller.acting(self.by.map(|name| name.0)).map(Checked),
            manager: Some(caller.as_manager(self.manager.unwrap_or_default())),
        }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.optional(self.by.as_ref().map(|name| name.0.as_str())).flag(self.manager.unwrap_or_default())
    }

    /// Who reverses, and whether as a manager.
    pub(crate) fn by(self) -> Result<(Option<PersonName>, bool), Problem> {
        let (by, manager) = (self.by.map(|name| name.0), self.manager.unwrap_or_default());
        if manager && by.is_none() {
            let why = "In the body: a manager is named, and the field by is missing.";
            return Err(Problem::in_body(Objection::FieldMissing, Some("by".to_owned()), why.to_owned()));
        }
        Ok((by, manager))
    }
}

/// A person answers the open question of a redemption.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedemptionAnswerRequest {
    /// One of the `choices` of the question.
    answer: RedemptionAnswer,
    /// Who answers; a manager is always named, and the redemption's cashier answers if nobody is.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    by: Option<Checked<PersonName>>,
}

impl RedemptionAnswerRequest {
    /// By whom it is, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self { by: caller.acting(self.by.map(|name| name.0)).map(Checked), ..self }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.text(self.answer.word()).optional(self.by.as_ref().map(|name| name.0.as_str()))
    }

    pub(crate) fn parts(self) -> (redemption::Answer, Option<PersonName>) {
        (self.answer.into(), self.by.map(|name| name.0))
    }
}

/// A manager's decision about a redemption.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedemptionSettleRequest {
    /// One of the `verdicts` of the case.
    verdict: Verdict,
    /// Who decides; it stays in the journal.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Ada Berg")]
    by: Checked<PersonName>,
    /// Why; it stays in the journal. No control characters, no payment card number.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "The provider's support confirmed it by telephone."
    )]
    reason: String,
}

impl RedemptionSettleRequest {
    /// By whom it is, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self { by: Checked(caller.deciding(self.by.0)), ..self }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.text(self.verdict.word()).text(self.by.0.as_str()).text(&self.reason)
    }

    pub(crate) fn parts(self) -> (redemption::Verdict, PersonName, String) {
        (self.verdict.into(), self.by.0, self.reason)
    }
}

/// The voucher of a redemption, scanned once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanRequest {
    /// What was scanned or typed, as it came. It is never shown again.
    #[schema(value_type = String, min_length = 1, max_length = 1024, write_only, example = "0123 4567 8901")]
    pub(crate) scan: Unshown,
}

impl ScanRequest {
    pub(crate) fn digest(&self, digest: Digest, fingerprint: impl Fn(&Secret) -> [u8; 32]) -> Digest {
        digest.secret(Some(fingerprint(&self.scan.0)))
    }
}

words! {
    /// An answer to the open question of a redemption.
    enum RedemptionAnswer as "RedemptionAnswer" {
        /// Less was taken than was asked for, and it is enough.
        Accept = "accept",
        /// It is not; the voucher gets it back.
        TakeBack = "take_back",
        /// The voucher was used for this basket.
        Used = "used",
        /// It was not; it gets its value back.
        NotUsed = "not_used",
        /// The provider is asked once more to give the value back.
        TryAgain = "try_again",
    }

    /// What a manager decides about a redemption.
    enum Verdict as "Verdict" {
        /// The voucher counts for its basket.
        Used = "used",
        /// It does not.
        NotUsed = "not_used",
    }
}

impl RedemptionAnswer {
    fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::TakeBack => "take_back",
            Self::Used => "used",
            Self::NotUsed => "not_used",
            Self::TryAgain => "try_again",
        }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::NotUsed => "not_used",
        }
    }
}

impl From<RedemptionAnswer> for redemption::Answer {
    fn from(answer: RedemptionAnswer) -> Self {
        match answer {
            RedemptionAnswer::Accept => Self::Accept,
            RedemptionAnswer::TakeBack => Self::TakeBack,
            RedemptionAnswer::Used => Self::Used,
            RedemptionAnswer::NotUsed => Self::NotUsed,
            RedemptionAnswer::TryAgain => Self::TryAgain,
        }
    }
}

impl From<redemption::Answer> for RedemptionAnswer {
    fn from(answer: redemption::Answer) -> Self {
        match answer {
            redemption::Answer::Accept => Self::Accept,
            redemption::Answer::TakeBack => Self::TakeBack,
            redemption::Answer::Used => Self::Used,
            redemption::Answer::NotUsed => Self::NotUsed,
            redemption::Answer::TryAgain => Self::TryAgain,
        }
    }
}

impl From<Verdict> for redemption::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Used => Self::Used,
            Verdict::NotUsed => Self::NotUsed,
        }
    }
}

impl From<redemption::Verdict> for Verdict {
    fn from(verdict: redemption::Verdict) -> Self {
        match verdict {
            redemption::Verdict::Used => Self::Used,
            redemption::Verdict::NotUsed => Self::NotUsed,
        }
    }
}
