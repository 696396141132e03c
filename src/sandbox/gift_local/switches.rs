//! How this provider behaves where the real one's behaviour is not known, or may be either way.
//!
//! Each switch names the section of the fact sheet that it stands for. A missing field has its default; an unknown field
//! is refused, so that a misspelt switch never lets a test pass. Where the vendor shows no name for a field, the name is
//! a switch too.

use serde::{Deserialize, Serialize};

use super::number::NumberForm;
use super::refusal::ErrorShape;
use crate::rate::{RateLimit, RetryAfterForm};

/// The longest name of a field, and the longest path.
const LONGEST_NAME: usize = 64;
const LONGEST_PATH: usize = 200;

/// Whether an answer says what is left in all, and not only what is eligible (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalShown {
    /// It does.
    #[default]
    Shown,
    /// It does not.
    Hidden,
}

/// How the client's key stands (section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStanding {
    /// An account integrator's.
    #[default]
    Good,
    /// Nobody's: 401.
    Unknown,
    /// A system integrator's, which may not redeem: 403.
    WrongLevel,
}

/// Which locations the key covers (section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyCovers {
    /// All of the account; a request must name one.
    #[default]
    Several,
    /// Only the first; a request may name none.
    One,
}

/// What becomes of a gift at a location where it cannot be used (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongLocation {
    /// Validate is refused.
    #[default]
    Refused,
    /// Validate succeeds, and says that it is not redeemable.
    NotRedeemable,
}

/// What a redeem without an amount does (section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullAmount {
    /// Takes all that is left.
    #[default]
    RedeemsAll,
    /// Refused.
    Refused,
}

/// What a redeem of more than is left does (section 3; DESIGN B6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverBalance {
    /// Refused.
    #[default]
    Refused,
    /// Takes what is left, and says how much that was.
    GrantsRest,
    /// Takes it all the same. Only with this switch a voucher is ever below zero.
    GoesBelowZero,
}

/// What the same redeem a second time does (section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdenticalRedeem {
    /// Takes the amount again.
    #[default]
    DebitsAgain,
    /// The first redemption again.
    SameAnswer,
    /// Refused as a duplicate.
    Refused,
}

/// Where the rest of a voucher is after a part of it was redeemed (section 6, D10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Where it was.
    #[default]
    Stays,
    /// On a new voucher with a new code; the old one is empty.
    NewCode,
}

/// What the second reversal of a redemption does (section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondReversal {
    /// Refused.
    #[default]
    Refused,
    /// The reversed redemption again.
    SameAnswer,
    /// Gives the value back a second time.
    RestoresAgain,
}

/// How the eligible number that does not apply looks (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyNumber {
    /// `0`
    #[default]
    Zero,
    /// `null`
    Null,
    /// Not there.
    Absent,
}

/// Where the eligible numbers and the description stand (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EligiblePlace {
    /// In the voucher.
    #[default]
    Inside,
    /// Beside it.
    Beside,
}

/// What is around an answer (section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// `{"voucher": {…}}`
    #[default]
    Voucher,
    /// `{"data": {"voucher": {…}}}`
    Data,
    /// `{"result": {"voucher": {…}}}`
    Result,
    /// The voucher's fields themselves.
    Root,
}

/// Whether an answer names the currency, which no document does (section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrencyShown {
    /// No.
    #[default]
    Hidden,
    /// As `currencyCode`.
    Shown,
    /// As `currencyCode`, and it is another one than the voucher's.
    Wrong,
}

/// The content type of an answer (section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    /// `application/json; charset=utf-8`
    #[default]
    Application,
    /// `text/json; charset=utf-8`
    Text,
}

/// What is in the texts that a person shall read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texts {
    /// Words.
    #[default]
    Plain,
    /// Words, and among them a printer's commands, control characters, text that runs from right to left, and much of it.
    Hostile,
}

/// One thing about a voucher in an answer that does not fit the rest (section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// Nothing.
    #[default]
    None,
    /// `isRedeemable` is not there.
    NoIsRedeemable,
    /// `isRedeemable` is `"true"` or `"false"`.
    IsRedeemableAsText,
    /// Value and quantity are both above zero.
    BothEligible,
    /// `isRedeemable` is false, and the eligible number says otherwise.
    EligibleButNotRedeemable,
    /// `isRedeemable` is true, and nothing is eligible.
    RedeemableButNothingEligible,
    /// The voucher has no id.
    NoVoucherId,
    /// There is no voucher at all.
    NoVoucher,
}

/// Every switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Section 1.
    pub key: KeyStanding,
    /// Section 1.
    pub key_covers: KeyCovers,
    /// Section 2: whether the vendor has configured the POS system's own location ids.
    pub pos_identifiers: bool,
    /// Section 2.
    pub wrong_location: WrongLocation,
    /// Section 3.
    pub null_amount: NullAmount,
    /// Section 3.
    pub over_balance: OverBalance,
    /// Section 3.
    pub identical_redeem: IdenticalRedeem,
    /// Section 6.
    pub rest: Rest,
    /// Section 4: where the reverse call is.
    pub reverse_path: String,
    /// Section 4: the field of the reverse call that carries the redemption's id.
    pub reverse_id_field: String,
    /// Section 4: seconds in which a redemption can be reversed; absent: for ever.
    pub reversal_window_s: Option<u32>,
    /// Section 4.
    pub second_reversal: SecondReversal,
    /// Section 6.
    pub number_form: NumberForm,
    /// Section 2: how many currency units or items of a gift are eligible for a ticket that names articles; absent: all.
    pub eligible_with_ticket: Option<u32>,
    /// Section 2.
    pub total: TotalShown,
    /// Section 2.
    pub empty_number: EmptyNumber,
    /// Section 2.
    pub eligible_place: EligiblePlace,
    /// Section 8.
    pub envelope: Envelope,
    /// Section 8: what an answer calls the voucher's id.
    pub voucher_id_field: String,
    /// Section 8: what an answer calls the redemption; empty: there is none in it.
    pub redemption_object: String,
    /// Section 8: what an answer calls the redemption's id; empty: there is none in it.
    pub redemption_id_field: String,
    /// Section 6.
    pub currency: CurrencyShown,
    /// Section 1.
    pub json_type: JsonType,
    /// Section 6.
    pub error_shape: ErrorShape,
    /// Whether a refusal's sentence repeats the code or token that was sent (section 6: scrub it).
    pub errors_echo_codes: bool,
    /// Hostile texts are no wish of the vendor, but they come over its wire.
    pub texts: Texts,
    /// Whether every object of an answer has fields that nobody told the client about.
    pub unknown_fields: bool,
    /// Section 8.
    pub oddity: Oddity,
    /// Section 1: none is documented; absent: none.
    pub rate_limit: Option<RateLimit>,
    /// How `Retry-After` is written.
    pub retry_after: RetryAfterForm,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            key: KeyStanding::default(),
            key_covers: KeyCovers::default(),
            pos_identifiers: true,
            wrong_location: WrongLocation::default(),
            null_amount: NullAmount::default(),
            over_balance: OverBalance::default(),
            identical_redeem: IdenticalRedeem::default(),
            rest: Rest::default(),
            reverse_path: "/api/integration/redemption/reverse-redemption".to_owned(),
            reverse_id_field: "redemptionID".to_owned(),
            reversal_window_s: None,
            second_reversal: SecondReversal::default(),
            number_form: NumberForm::default(),
            eligible_with_ticket: None,
            total: TotalShown::default(),
            empty_number: EmptyNumber::default(),
            eligible_place: EligiblePlace::default(),
            envelope: Envelope::default(),
            voucher_id_field: "voucherID".to_owned(),
            redemption_object: "redemption".to_owned(),
            redemption_id_field: "redemptionID".to_owned(),
            currency: CurrencyShown::default(),
            json_type: JsonType::default(),
            error_shape: ErrorShape::default(),
            errors_echo_codes: false,
            texts: Texts::default(),
            unknown_fields: false,
            oddity: Oddity::default(),
            rate_limit: None,
            retry_after: RetryAfterForm::default(),
        }
    }
}

impl Switches {
    /// Whether the names and the path can be names and a path.
    pub(crate) fn check(&self) -> Result<(), String> {
        let name = |text: &str| {
            text.len() <= LONGEST_NAME
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let path = |text: &str| {
            text.starts_with('/')
                && text.len() <= LONGEST_PATH
                && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#')
        };
        for (switch, good) in [
            ("reverse_path", path(&self.reverse_path)),
            ("reverse_id_field", name(&self.reverse_id_field) && !self.reverse_id_field.is_empty()),
            ("voucher_id_field", name(&self.voucher_id_field) && !self.voucher_id_field.is_empty()),
            ("redemption_object", name(&self.redemption_object)),
            ("redemption_id_field", name(&self.redemption_id_field)),
        ] {
            if !good {
                return Err(format!("{switch} cannot be that"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_switch_is_refused_and_a_missing_one_has_its_default() {
        assert_eq!(serde_json::from_str::<Switches>("{}").unwrap(), Switches::default());
        for text in [
            r#"{"over_ballance": "refused"}"#,
            r#"{"over_balance": "maybe"}"#,
            r#"{"rate_limit": {"per": 1}}"#,
        ] {
            assert!(serde_json::from_str::<Switches>(text).is_err(), "{text}");
        }
        let text = serde_json::to_string(&Switches::default()).unwrap();
        assert_eq!(serde_json::from_str::<Switches>(&text).unwrap(), Switches::default());
    }

    #[test]
    fn a_path_is_a_path_and_a_name_is_a_name() {
        for (change, good) in [
            (
                Switches {
                    reverse_path: "/api/integration/redemption/reverse".to_owned(),
                    ..Switches::default()
                },
                true,
            ),
            (Switches { redemption_id_field: String::new(), ..Switches::default() }, true),
            (Switches { redemption_object: String::new(), ..Switches::default() }, true),
            (Switches { reverse_path: "reverse".to_owned(), ..Switches::default() }, false),
            (Switches { reverse_path: "/a?b".to_owned(), ..Switches::default() }, false),
            (Switches { reverse_path: "/a b".to_owned(), ..Switches::default() }, false),
            (Switches { reverse_id_field: String::new(), ..Switches::default() }, false),
            (Switches { voucher_id_field: "a b".to_owned(), ..Switches::default() }, false),
            (Switches { voucher_id_field: "x".repeat(65), ..Switches::default() }, false),
        ] {
            assert_eq!(change.check().is_ok(), good, "{change:?}");
        }
    }
}
