//! Every way in which finperks says no (fact sheet 4), and what that is to the counter.
//!
//! A well-formed refusal is a JSON object with a code, a class or a message under one of the names of fact sheet U5.
//! Anything else of the 4xx class was written by somebody in between, and nobody knows what became of the request.
//!
//! The code decides; the message is for people and never read. Codes about an order are compared without the words in
//! front of them, so that `retail_order_invalidated` and `order_already_invalidated` are `order_invalidated`. A code that
//! no table knows is kept as [`Refusal::Foreign`], because the documentation asks clients to tolerate new ones.
//!
//! A refusal without a code falls back to its status, but never to "not found": that closes an owed undo (law L6), so it
//! takes the provider's own word for it.

use tilld_domain::outcome::{Outcome, Trouble, UndoAnswer};
use tilld_domain::refusal::{ForeignCode, Refusal};

use crate::http::Body;
use crate::json::Node;

/// What was asked; the same code means different things at different doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// `POST /retail_orders`.
    Create,
    /// An action on an order, or its look-up.
    Order,
    /// Everything else.
    List,
}

/// A well-formed refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    status: u16,
    code: Option<String>,
    class: Option<String>,
    /// Which of the fields that this program sends are complained about; safe to log because they are its own names.
    fields: Vec<&'static str>,
}

/// What a code about an order says, whatever stands in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderWord {
    Processing,
    Invalidated,
    Failed,
    Redeemed,
    WindowOver,
    NotSupported,
}

impl Rejection {
    /// Reads the body of a 4xx; `None` if it is not of the provider's shape.
    pub fn read(status: u16, body: &Body) -> Option<Self> {
        Self::from_node(status, &body.json()?)
    }

    pub(super) fn from_node(status: u16, root: &Node) -> Option<Self> {
        if !root.is_map() {
            return None;
        }
        let listed = root.get("errors").and_then(Node::list).and_then(<[Node]>::first);
        let inner = root.get("error").filter(|inner| inner.is_map()).or(listed);
        let find = |flat: &[&str], nested: &[&str]| {
            root.first(flat)
                .and_then(Node::word)
                .or_else(|| inner.and_then(|inner| inner.first(nested)).and_then(Node::word))
                .map(|word| ForeignCode::new(&word).as_str().to_owned())
        };
        let code = find(&["code", "error_code"], &["code", "error_code"]).or_else(|| {
            root.get("error").and_then(Node::text).map(|word| ForeignCode::new(word).as_str().to_owned())
        });
        let class = find(&["class", "error_class"], &["class", "error_class"]);
        let message = find(&["message", "description"], &["message", "description"]);
        if code.is_none() && class.is_none() && message.is_none() {
            return None;
        }
        let fields = root
            .get("fields")
            .or_else(|| inner.and_then(|inner| inner.get("fields")))
            .map(super::wire::named_fields)
            .unwrap_or_default();
        Some(Self { status, code, class, fields })
    }

    /// Whether the provider finds the `Date` wrong (fact sheet U3).
    pub fn is_about_the_date(&self) -> bool {
        self.code.as_deref() == Some("invalid_date_header")
    }

    /// Writes what an operator needs to the log.
    pub fn log(&self, path: &str) {
        tracing::info!(
            provider = "finperks",
            path,
            status = self.status,
            code = self.code.as_deref().unwrap_or("none"),
            fields = ?self.fields,
            "the provider refused"
        );
    }

    /// The outcome of anything but an undo.
    pub fn outcome<T>(&self, asked: Asked) -> Outcome<T> {
        let Some(code) = self.code.as_deref() else { return self.without_code() };
        match code {
            "rate_limit_exceeded" => return Outcome::Later { retry_after: None },
            // A contradiction in itself: neither a refusal nor a 5xx.
            "internal_server_error" => return Outcome::Unknown(Trouble::OddStatus(self.status)),
            _ => {}
        }
        Outcome::Refused(refusal_of(code).unwrap_or_else(|| self.refusal_of_order(code, asked)))
    }

    /// The outcome of an undo (fact sheet U14).
    pub fn undo(&self) -> Outcome<UndoAnswer> {
        let answer = match self.code.as_deref().and_then(order_word) {
            Some(OrderWord::Invalidated) => UndoAnswer::AlreadyInvalidated,
            Some(OrderWord::Failed) => UndoAnswer::OrderFailed,
            Some(OrderWord::Processing) => UndoAnswer::StillProcessing,
            Some(OrderWord::Redeemed) => UndoAnswer::AlreadyRedeemed,
            Some(OrderWord::WindowOver) => UndoAnswer::WindowOver,
            Some(OrderWord::NotSupported) => UndoAnswer::NotSupported,
            None => match self.outcome::<UndoAnswer>(Asked::Order) {
                Outcome::Refused(Refusal::OrderNotFound) => UndoAnswer::NotFound,
                Outcome::Refused(refusal) => UndoAnswer::Refused(refusal),
                other => return other,
            },
        };
        Outcome::Done(answer)
    }

    fn refusal_of_order(&self, code: &str, asked: Asked) -> Refusal {
        if asked == Asked::Order {
            if self.status == 404 && names_an_unknown_order(code) {
                return Refusal::OrderNotFound;
            }
            if order_word(code).is_some() || self.class.as_deref() == Some("invalid_state") {
                return Refusal::OrderState;
            }
        }
        Refusal::Foreign(ForeignCode::new(code))
    }

    fn without_code<T>(&self) -> Outcome<T> {
        match self.status {
            401 => Outcome::Refused(Refusal::NotAuthenticated),
            404 => Outcome::Unknown(Trouble::OddStatus(404)),
            status => Outcome::Refused(Refusal::Foreign(ForeignCode::new(&format!("http_{status}")))),
        }
    }
}

/// The codes that mean the same at every door.
fn refusal_of(code: &str) -> Option<Refusal> {
    Some(match code {
        "invalid_request_body"
        | "invalid_body_parameters"
        | "path_not_found"
        | "invalid_host_header"
        | "content_too_large"
        | "invalid_idempotency_key_header" => Refusal::RequestNotUnderstood,
        "invalid_signature" | "invalid_signature_format" => Refusal::NotAuthenticated,
        "invalid_date_header" => Refusal::ClockRefused,
        "live_mode_disabled" => Refusal::LiveModeDisabled,
        "api_key_missing_required_scope" => Refusal::ScopeMissing,
        "request_blocked" => Refusal::Blocked,
        "product_not_available" | "order_not_allowed_for_product" => Refusal::ProductNotAvailable,
        "reused_idempotency_key" => Refusal::ProviderKeyReused,
        "insufficient_available_balance" => Refusal::BalanceTooLow,
        "customer_amount_limit_exceeded" => Refusal::CustomerLimit,
        "store_limit_exceeded" => Refusal::StoreLimit,
        "terminal_limit_exceeded" => Refusal::TerminalLimit,
        "receipt_limit_exceeded" => Refusal::ReceiptLimit,
        "product_limit_exceeded" => Refusal::ProductLimit,
        "processing_declined" => Refusal::Declined,
        "fraudulent_processing_declined" => Refusal::DeclinedAsFraud,
        _ => return None,
    })
}

/// What a code about an order says, without the words in front; a bare `failed` is not about an order.
fn order_word(code: &str) -> Option<OrderWord> {
    // Whatever was redeemed, `gift_card_redeemed`: but never a "not".
    if code.ends_with("_redeemed") && !code.contains("not_") {
        return Some(OrderWord::Redeemed);
    }
    let rest = code.strip_prefix("retail_").unwrap_or(code).strip_prefix("order_")?;
    Some(match rest.strip_prefix("already_").unwrap_or(rest) {
        "processing" => OrderWord::Processing,
        "invalidated" => OrderWord::Invalidated,
        "failed" => OrderWord::Failed,
        "invalidation_period_expired" => OrderWord::WindowOver,
        "invalidation_not_supported" => OrderWord::NotSupported,
        _ => return None,
    })
}

fn names_an_unknown_order(code: &str) -> bool {
    matches!(code, "entity_not_found" | "order_not_found" | "retail_order_not_found")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(status: u16, json: &str) -> Option<Rejection> {
        Rejection::from_node(status, &Node::read(json.as_bytes())?)
    }

    fn coded(status: u16, class: &str, code: &str) -> Rejection {
        rejection(status, &format!(r#"{{"error_class":"{class}","error_code":"{code}","message":"m"}}"#))
            .unwrap()
    }

    fn create(status: u16, class: &str, code: &str) -> Outcome<()> {
        coded(status, class, code).outcome(Asked::Create)
    }

    #[test]
    fn every_code_of_the_fact_sheet_is_what_it_says() {
        use Refusal as R;
        let refused = Outcome::Refused;
        for (status, class, code, expected) in [
            (400, "invalid_format", "invalid_request_body", refused(R::RequestNotUnderstood)),
            (401, "auth", "invalid_signature_format", refused(R::NotAuthenticated)),
            (401, "auth", "invalid_signature", refused(R::NotAuthenticated)),
            (403, "forbidden", "live_mode_disabled", refused(R::LiveModeDisabled)),
            (403, "forbidden", "api_key_missing_required_scope", refused(R::ScopeMissing)),
            (403, "forbidden", "request_blocked", refused(R::Blocked)),
            (404, "not_found", "path_not_found", refused(R::RequestNotUnderstood)),
            (400, "transport", "invalid_date_header", refused(R::ClockRefused)),
            (400, "transport", "invalid_host_header", refused(R::RequestNotUnderstood)),
            (413, "transport", "content_too_large", refused(R::RequestNotUnderstood)),
            (400, "rate_limit", "rate_limit_exceeded", Outcome::Later { retry_after: None }),
            (400, "internal", "internal_server_error", Outcome::Unknown(Trouble::OddStatus(400))),
            (400, "invalid_request", "invalid_body_parameters", refused(R::RequestNotUnderstood)),
            (400, "invalid_state", "product_not_available", refused(R::ProductNotAvailable)),
            (400, "invalid_state", "order_not_allowed_for_product", refused(R::ProductNotAvailable)),
            (400, "idempotency", "invalid_idempotency_key_header", refused(R::RequestNotUnderstood)),
            (400, "idempotency", "reused_idempotency_key", refused(R::ProviderKeyReused)),
            (403, "forbidden", "insufficient_available_balance", refused(R::BalanceTooLow)),
            (403, "forbidden", "customer_amount_limit_exceeded", refused(R::CustomerLimit)),
            (403, "forbidden", "store_limit_exceeded", refused(R::StoreLimit)),
            (403, "forbidden", "terminal_limit_exceeded", refused(R::TerminalLimit)),
            (403, "forbidden", "receipt_limit_exceeded", refused(R::ReceiptLimit)),
            (403, "forbidden", "product_limit_exceeded", refused(R::ProductLimit)),
            (403, "forbidden", "processing_declined", refused(R::Declined)),
            (403, "forbidden", "fraudulent_processing_declined", refused(R::DeclinedAsFraud)),
            (400, "moon", "moon_phase", refused(R::Foreign(ForeignCode::new("moon_phase")))),
            (404, "not_found", "entity_not_found", refused(R::Foreign(ForeignCode::new("entity_not_found")))),
        ] {
            assert_eq!(create(status, class, code), expected, "{code}");
        }
    }

    #[test]
    fn an_order_that_is_not_in_the_right_state_or_not_there_is_told_apart() {
        for (status, class, code, expected) in [
            (404, "not_found", "entity_not_found", Refusal::OrderNotFound),
            (404, "not_found", "retail_order_not_found", Refusal::OrderNotFound),
            (404, "not_found", "order_not_found", Refusal::OrderNotFound),
            (404, "not_found", "path_not_found", Refusal::RequestNotUnderstood),
            (404, "not_found", "store_not_found", Refusal::Foreign(ForeignCode::new("store_not_found"))),
            (400, "not_found", "entity_not_found", Refusal::Foreign(ForeignCode::new("entity_not_found"))),
            (400, "invalid_state", "order_processing", Refusal::OrderState),
            (400, "invalid_state", "order_invalidated", Refusal::OrderState),
            (400, "invalid_state", "order_failed", Refusal::OrderState),
            (400, "invalid_state", "order_completed", Refusal::OrderState),
            (403, "forbidden", "order_redeemed", Refusal::OrderState),
            (403, "forbidden", "processing_declined", Refusal::Declined),
            (400, "invalid_state", "product_not_available", Refusal::ProductNotAvailable),
        ] {
            let outcome: Outcome<()> = coded(status, class, code).outcome(Asked::Order);
            assert_eq!(outcome, Outcome::Refused(expected), "{code}");
        }
    }

    #[test]
    fn an_undo_is_answered_by_the_end_of_the_code_whatever_stands_in_front() {
        use UndoAnswer as U;
        let foreign = |code| U::Refused(Refusal::Foreign(ForeignCode::new(code)));
        for (status, class, code, expected) in [
            (400, "invalid_state", "order_processing", U::StillProcessing),
            (400, "invalid_state", "order_invalidated", U::AlreadyInvalidated),
            (400, "invalid_state", "order_failed", U::OrderFailed),
            (400, "invalid_state", "order_invalidation_period_expired", U::WindowOver),
            (400, "invalid_state", "order_invalidation_not_supported", U::NotSupported),
            (400, "invalid_state", "retail_order_processing", U::StillProcessing),
            (400, "invalid_state", "retail_order_invalidated", U::AlreadyInvalidated),
            (400, "invalid_state", "retail_order_already_invalidated", U::AlreadyInvalidated),
            (400, "invalid_state", "retail_order_failed", U::OrderFailed),
            (400, "invalid_state", "retail_order_invalidation_period_expired", U::WindowOver),
            (400, "invalid_state", "retail_order_invalidation_not_supported", U::NotSupported),
            (400, "invalid_state", "order_redeemed", U::AlreadyRedeemed),
            (400, "invalid_state", "gift_card_redeemed", U::AlreadyRedeemed),
            (404, "not_found", "entity_not_found", U::NotFound),
            (404, "not_found", "path_not_found", U::Refused(Refusal::RequestNotUnderstood)),
            (400, "not_found", "entity_not_found", foreign("entity_not_found")),
            (400, "invalid_state", "order_not_completed", U::Refused(Refusal::OrderState)),
            (400, "invalid_state", "order_not_redeemed", U::Refused(Refusal::OrderState)),
            (400, "x", "failed", foreign("failed")),
            (400, "x", "order_invalidation_failed", foreign("order_invalidation_failed")),
            (403, "forbidden", "processing_declined", U::Refused(Refusal::Declined)),
            (401, "auth", "invalid_signature", U::Refused(Refusal::NotAuthenticated)),
            (403, "forbidden", "request_blocked", U::Refused(Refusal::Blocked)),
        ] {
            assert_eq!(coded(status, class, code).undo(), Outcome::Done(expected), "{status} {code}");
        }
    }

    #[test]
    fn the_code_is_found_in_every_shape_of_an_error() {
        for json in [
            r#"{"code":"store_limit_exceeded"}"#,
            r#"{"error_class":"forbidden","error_code":"store_limit_exceeded","message":"m","request_id":"r"}"#,
            r#"{"error":{"class":"forbidden","code":"store_limit_exceeded","description":"d"},"request_id":"r"}"#,
            r#"{"error":"store_limit_exceeded"}"#,
            r#"{"errors":[{"code":"store_limit_exceeded"}]}"#,
            r#"{"code":"STORE_LIMIT_EXCEEDED","fields":7,"new":[{}]}"#,
        ] {
            let outcome: Outcome<()> = rejection(403, json).unwrap().outcome(Asked::Create);
            assert_eq!(outcome, Outcome::Refused(Refusal::StoreLimit), "{json}");
        }
    }

    #[test]
    fn without_a_code_the_status_speaks_but_never_says_not_found() {
        for (status, expected) in [
            (401, Outcome::Refused(Refusal::NotAuthenticated)),
            (403, Outcome::Refused(Refusal::Foreign(ForeignCode::new("http_403")))),
            (404, Outcome::Unknown(Trouble::OddStatus(404))),
        ] {
            let rejection = rejection(status, r#"{"message":"no Route matched"}"#).unwrap();
            assert_eq!(rejection.outcome::<()>(Asked::Order), expected);
        }
        for strange in ["[]", "7", "null", "\"x\"", "{}", r#"{"status":"ok"}"#] {
            assert_eq!(rejection(404, strange), None, "{strange}");
        }
    }

    #[test]
    fn only_the_names_of_fields_that_we_send_are_kept_of_a_complaint() {
        for json in [
            r#"{"code":"invalid_body_parameters","fields":{"store_id":["S3cret"],"x":1}}"#,
            r#"{"code":"invalid_body_parameters","fields":[{"name":"store_id","value":"S3cret"}]}"#,
            r#"{"error":{"code":"invalid_body_parameters","fields":["store_id","S3cret"]}}"#,
        ] {
            let rejection = rejection(400, json).unwrap();
            assert_eq!(rejection.fields, ["store_id"], "{json}");
            assert!(!format!("{rejection:?}").contains("S3cret"));
        }
    }
}
