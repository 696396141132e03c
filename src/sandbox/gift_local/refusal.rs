//! Every way in which the provider says no.
//!
//! The vendor publishes neither codes nor error bodies (fact sheet 6). The statuses and names here are invented, and the
//! bodies come in the shapes that a service of its kind has, so a client has to get along with what it never saw.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::Answer;
use crate::rate::RetryAfterForm;

/// How an error body looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// RFC 9457, as ASP.NET writes it: `{"type", "title", "status", "detail", "traceId"}`.
    #[default]
    ProblemDetails,
    /// `{"message"}`
    Message,
    /// `{"errorCode", "errorMessage"}`
    ErrorMessage,
    /// `{"error"}`
    Error,
    /// Plain text.
    Text,
}

macro_rules! codes {
    ($($name:ident, $status:literal, $code:literal, $sentence:literal;)*) => {
        /// A code of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($name,)* }

        impl Code {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// Status, code, sentence.
            const fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$name => ($status, $code, $sentence),)* }
            }
        }
    };
}

codes! {
    PathNotFound, 404, "path_not_found", "There is nothing at this path.";
    MethodNotAllowed, 405, "method_not_allowed", "Only POST is allowed here.";
    ContentTooLarge, 413, "content_too_large", "The request body is too large.";
    NotJson, 415, "unsupported_media_type", "The content type must be application/json.";
    Unauthorized, 401, "unauthorized", "The API key is missing or unknown.";
    Forbidden, 403, "forbidden", "The API key may not be used for this.";
    RateLimit, 429, "too_many_requests", "Too many requests.";
    Internal, 500, "internal_error", "An unexpected error occurred.";
    InvalidBody, 400, "invalid_body", "The request body is not a JSON object.";
    InvalidField, 400, "invalid_field", "A field of the request is invalid.";
    VoucherMissing, 400, "voucher_missing", "A voucher code or a public token is required.";
    VoucherAmbiguous, 400, "voucher_ambiguous", "Only one of voucher code, voucher ID and public token may be given.";
    LocationMissing, 400, "location_missing", "The account has several locations; one must be given.";
    LocationAmbiguous, 400, "location_ambiguous", "Only one location may be given.";
    LocationForbidden, 403, "location_forbidden", "The API key is not attached to this location.";
    AmountMissing, 400, "amount_missing", "An amount is required.";
    AmountInvalid, 400, "amount_invalid", "The amount must be positive, with at most two decimals, or whole for items.";
    GiftNotFound, 404, "gift_not_found", "The gift was not found.";
    WrongLocation, 422, "wrong_location", "The gift cannot be used at this location.";
    NotRedeemable, 422, "not_redeemable", "The gift is not redeemable.";
    AmountExceeds, 422, "amount_exceeds_balance", "The amount exceeds what is left on the gift.";
    Duplicate, 409, "duplicate_redemption", "The same redemption was already made.";
    RedemptionNotFound, 404, "redemption_not_found", "The redemption was not found.";
    AlreadyReversed, 409, "already_reversed", "The redemption was already reversed.";
    WindowOver, 422, "reversal_window_over", "The redemption can no longer be reversed.";
}

/// One no. It may repeat a code in its sentence, so it has no `Debug`.
#[derive(Clone)]
pub struct Refusal {
    pub status: u16,
    pub code: Cow<'static, str>,
    pub sentence: Cow<'static, str>,
    /// Seconds.
    pub retry_after_s: Option<u32>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let (status, code, sentence) = code.row();
        Self { status, code: code.into(), sentence: sentence.into(), retry_after_s: None }
    }
}

impl Refusal {
    /// A code by its name: that of the table, or else an invented one with the given status.
    pub fn named(code: &str, status: Option<u16>) -> Self {
        let mut refusal = match Code::ALL.iter().find(|known| known.row().1 == code) {
            Some(known) => Self::from(*known),
            None => Self {
                status: 400,
                code: code.to_owned().into(),
                sentence: "Refused by a fault that was set in the sandbox.".into(),
                retry_after_s: None,
            },
        };
        refusal.status = status.unwrap_or(refusal.status);
        refusal
    }

    /// A field that is wrong.
    pub fn of_field(field: &str, why: &str) -> Self {
        Self { sentence: format!("{field} {why}.").into(), ..Code::InvalidField.into() }
    }

    /// Why a gift cannot be redeemed.
    pub fn not_redeemable(why: String) -> Self {
        Self { sentence: why.into(), ..Code::NotRedeemable.into() }
    }

    /// The answer.
    pub fn answer(&self, shape: ErrorShape, form: RetryAfterForm, now: Timestamp, n: u64) -> Answer {
        let Self { status, code, sentence, .. } = self;
        let json = |kind, body: serde_json::Value| Answer::of(*status, kind, body.to_string());
        let answer = match shape {
            ErrorShape::ProblemDetails => json(
                "application/problem+json; charset=utf-8",
                json!({
                    "type": "about:blank", "title": code, "status": status, "detail": sentence,
                    "traceId": format!("00-{n:032x}-{n:016x}-00"),
                }),
            ),
            ErrorShape::Message => json("application/json; charset=utf-8", json!({"message": sentence})),
            ErrorShape::ErrorMessage => {
                json("application/json; charset=utf-8", json!({"errorCode": code, "errorMessage": sentence}))
            }
            ErrorShape::Error => json("application/json; charset=utf-8", json!({"error": sentence})),
            ErrorShape::Text => Answer::of(*status, "text/plain; charset=utf-8", sentence.to_string()),
        };
        answer.refusing(code, self.retry_after_s.map(|seconds| form.text(seconds, now)), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_in_the_table_and_is_found_by_its_name() {
        for code in Code::ALL {
            let found = Refusal::named(code.row().1, None);
            assert_eq!((found.status, found.sentence.as_ref()), (code.row().0, code.row().2), "{code:?}");
            assert_eq!(Code::ALL.iter().filter(|other| other.row().1 == code.row().1).count(), 1);
        }
        let invented = Refusal::named("moon_phase", Some(409));
        assert_eq!((invented.status, invented.code.as_ref()), (409, "moon_phase"));
    }
}
