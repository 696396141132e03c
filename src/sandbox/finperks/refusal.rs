//! Every way in which the provider says no: fact sheet 4.2, as far as its endpoints are played here.
//!
//! The codes in the lower group are in no document. A real provider must have something at those places, so the
//! sandbox says something of the same shape there, and a client has to get along with a code that it never saw.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::signature::SCHEME;
use crate::answer::Answer;
use crate::rate::RetryAfterForm;

/// How an error body looks (U5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"error_class", "error_code", "message", "request_id", "fields"}`.
    #[default]
    Flat,
    /// `{"error": {"class", "code", "description", "fields"}, "request_id"}`.
    Nested,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $status:literal, $class:literal, $code:literal, $message:literal;)*) => {
        /// A code of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// Status, class, code, sentence.
            const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
                match self { $(Self::$name => ($status, $class, $code, $message),)* }
            }
        }
    };
}

codes! {
    InvalidRequestBody, 400, "invalid_format", "invalid_request_body", "The request body could not be parsed.";
    InvalidSignatureFormat, 401, "auth", "invalid_signature_format", "The signature is not hexadecimal.";
    InvalidSignature, 401, "auth", "invalid_signature", "The signature is invalid.";
    LiveModeDisabled, 403, "forbidden", "live_mode_disabled", "The client is not enabled for live mode.";
    MissingScope, 403, "forbidden", "api_key_missing_required_scope", "The API key lacks the required scope.";
    RequestBlocked, 403, "forbidden", "request_blocked", "The request was blocked by security rules.";
    PathNotFound, 404, "not_found", "path_not_found", "There is nothing at this path.";
    InvalidDate, 400, "transport", "invalid_date_header", "The Date header is missing, invalid or too far off.";
    InvalidHost, 400, "transport", "invalid_host_header", "The Host header is wrong.";
    ContentTooLarge, 413, "transport", "content_too_large", "The request body is too large.";
    RateLimit, 429, "rate_limit", "rate_limit_exceeded", "Too many requests.";
    Internal, 500, "internal", "internal_server_error", "Something went wrong. Try again later.";
    InvalidParameters, 400, "invalid_request", "invalid_body_parameters", "Some parameters are invalid.";
    ProductNotAvailable, 400, "invalid_state", "product_not_available", "The product is unknown or disabled.";
    InvalidIdempotencyKey, 400, "idempotency", "invalid_idempotency_key_header",
        "The Idempotency-Key header is missing or invalid.";
    ReusedIdempotencyKey, 400, "idempotency", "reused_idempotency_key",
        "The Idempotency-Key was used for a previous request.";
    InsufficientBalance, 403, "forbidden", "insufficient_available_balance", "The available balance is too low.";
    StoreLimit, 403, "forbidden", "store_limit_exceeded", "The store's limit is exceeded.";
    TerminalLimit, 403, "forbidden", "terminal_limit_exceeded", "The terminal's limit is exceeded.";
    ReceiptLimit, 403, "forbidden", "receipt_limit_exceeded", "The receipt's limit is exceeded.";
    ProductLimit, 403, "forbidden", "product_limit_exceeded", "The product's limit is exceeded.";
    Declined, 403, "forbidden", "processing_declined", "The processing was declined.";
    DeclinedAsFraud, 403, "forbidden", "fraudulent_processing_declined", "The processing was declined as fraudulent.";
    EntityNotFound, 404, "not_found", "entity_not_found", "There is no such entity.";
    OrderProcessing, 400, "invalid_state", "order_processing", "The order is still being processed.";
    OrderInvalidated, 400, "invalid_state", "order_invalidated", "The order is already invalidated.";
    OrderFailed, 400, "invalid_state", "order_failed", "The order has failed.";
    WindowOver, 400, "invalid_state", "order_invalidation_period_expired", "The order can no longer be invalidated.";
    NotInvalidatable, 400, "invalid_state", "order_invalidation_not_supported", "The order can never be invalidated.";

    /// Not documented: a second confirm where it is refused (U9).
    OrderCompleted, 400, "invalid_state", "order_completed", "The order is already completed.";
    /// Not documented: invalidate before confirm where it is refused (U13).
    OrderNotCompleted, 400, "invalid_state", "order_not_completed", "The order is not completed.";
    /// Not documented: the card is spent (row A16).
    OrderRedeemed, 400, "invalid_state", "order_redeemed", "The gift card was already redeemed.";
}

/// One no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub class: Cow<'static, str>,
    pub code: Cow<'static, str>,
    pub message: &'static str,
    /// What is wrong with which field of the body.
    pub fields: Vec<(&'static str, &'static str)>,
    /// Seconds.
    pub retry_after_s: Option<u32>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let (status, class, code, message) = code.row();
        Self {
            status,
            class: class.into(),
            code: code.into(),
            message,
            fields: Vec::new(),
            retry_after_s: None,
        }
    }
}

impl Refusal {
    /// A code by its name: that of the table, or else an invented one with the given status.
    pub fn named(code: &str, status: Option<u16>) -> Self {
        let mut refusal = match Code::ALL.iter().find(|known| known.row().2 == code) {
            Some(known) => Self::from(*known),
            None => Self {
                status: 400,
                class: "invalid_state".into(),
                code: code.to_owned().into(),
                message: "Refused by a fault that was set in the sandbox.",
                fields: Vec::new(),
                retry_after_s: None,
            },
        };
        refusal.status = status.unwrap_or(refusal.status);
        refusal
    }

    /// `invalid_body_parameters` with its details.
    pub fn of_fields(fields: Vec<(&'static str, &'static str)>) -> Self {
        Self { fields, ..Code::InvalidParameters.into() }
    }

    /// The body.
    pub fn body(&self, shape: ErrorShape, request_id: &str) -> Value {
        let fields: Map<String, Value> =
            self.fields.iter().map(|(field, why)| ((*field).to_owned(), json!([why]))).collect();
        let mut body = match shape {
            ErrorShape::Flat => json!({
                "error_class": self.class, "error_code": self.code, "message": self.message,
                "request_id": request_id,
            }),
            ErrorShape::Nested => json!({
                "error": {"class": self.class, "code": self.code, "description": self.message},
                "request_id": request_id,
            }),
        };
        let holder = match shape {
            ErrorShape::Flat => Some(&mut body),
            ErrorShape::Nested => body.get_mut("error"),
        };
        if let Some(holder) = holder.and_then(Value::as_object_mut).filter(|_| !fields.is_empty()) {
            holder.insert("fields".to_owned(), Value::Object(fields));
        }
        body
    }

    /// The answer.
    pub fn answer(&self, shape: ErrorShape, form: RetryAfterForm, now: Timestamp, n: u64) -> Answer {
        let retry_after = self.retry_after_s.map(|seconds| form.text(seconds, now));
        Answer::json(self.status, &self.body(shape, &format!("req_{n:08}"))).refusing(
            &self.code,
            retry_after,
            Some(SCHEME),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_in_the_table_and_is_found_by_its_name() {
        for code in Code::ALL {
            let refusal = Refusal::named(code.row().2, None);
            assert_eq!(refusal, Refusal::from(*code), "{code:?}");
        }
        let invented = Refusal::named("moon_phase", Some(409));
        assert_eq!((invented.status, invented.code.as_ref()), (409, "moon_phase"));
    }

    #[test]
    fn details_of_fields_stand_where_the_shape_says() {
        let refusal = Refusal::of_fields(vec![("store_id", "is unknown")]);
        let flat = refusal.body(ErrorShape::Flat, "r1");
        assert_eq!(flat["fields"]["store_id"], json!(["is unknown"]));
        assert_eq!(flat["error_code"], "invalid_body_parameters");
        let nested = refusal.body(ErrorShape::Nested, "r1");
        assert_eq!(nested["error"]["fields"]["store_id"], json!(["is unknown"]));
        assert!(nested.get("error_code").is_none());
    }
}
