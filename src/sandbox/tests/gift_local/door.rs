//! The provider's door: who is let in, what is no request at all, and how often one may ask.

use serde_json::json;
use tilld_sandbox::gift_local::{KeyStanding, Settings};
use tilld_sandbox::{RateLimit, RetryAfterForm};

use crate::guest::{
    FIFTY, REDEEM, REVERSE, Request, VALIDATE, code, left, open, redeem, told, validate, word,
};

#[tokio::test]
async fn the_key_is_the_whole_header_and_nothing_else_is_let_in() {
    let sandbox = open().await;
    let key = sandbox.api_key().to_owned();
    for (sent, expected) in [
        (key.clone(), "200 redeemable"),
        (String::new(), "401 unauthorized"),
        (format!("Bearer {key}"), "401 unauthorized"),
        (format!("{key}x"), "401 unauthorized"),
        (key.to_uppercase(), "401 unauthorized"),
        (format!("{key}\r\nAuthorization: {key}"), "401 unauthorized"),
    ] {
        let request = Request { key: Some(sent.clone()), ..validate(&sandbox, FIFTY) };
        assert_eq!(told(&sandbox, request).await, expected, "{sent}");
    }
}

#[tokio::test]
async fn a_key_may_be_nobodys_or_of_the_wrong_level() {
    let sandbox = open().await;
    for (standing, expected) in [
        (KeyStanding::Good, "200 redeemable"),
        (KeyStanding::Unknown, "401 unauthorized"),
        (KeyStanding::WrongLevel, "403 forbidden"),
    ] {
        sandbox.switch(|switches| switches.key = standing);
        assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "1")).await, expected);
    }
    assert_eq!(left(&sandbox, FIFTY), "49.00");
}

#[tokio::test]
async fn each_spoilt_request_is_refused_with_its_own_code_and_does_nothing() {
    let sandbox = open().await;
    let good = redeem(&sandbox, FIFTY, "1");
    let text = |text: &str| text.to_owned();
    for (what, request, expected) in [
        (
            "another path",
            Request { path: text("/api/integration/redemption/list"), ..good.clone() },
            "404 path_not_found",
        ),
        ("a slash too many", Request { path: format!("{REDEEM}/"), ..good.clone() }, "404 path_not_found"),
        ("another method", Request { method: "PUT", ..good.clone() }, "405 method_not_allowed"),
        (
            "a form",
            Request { content_type: "application/x-www-form-urlencoded", ..good.clone() },
            "415 unsupported_media_type",
        ),
        ("no JSON", Request { body: text("{"), ..good.clone() }, "400 invalid_body"),
        ("a list", Request { body: text("[]"), ..good.clone() }, "400 invalid_body"),
        ("nothing", Request { body: String::new(), ..good.clone() }, "400 invalid_body"),
        (
            "too much",
            Request { body: format!("{{\"x\": \"{}\"}}", "x".repeat(70_000)), ..good.clone() },
            "413 content_too_large",
        ),
        (
            "a number with a leading zero",
            Request { body: text(r#"{"voucherCode": 0123}"#), ..good.clone() },
            "400 invalid_body",
        ),
    ] {
        assert_eq!(told(&sandbox, request).await, expected, "{what}");
    }
    assert_eq!(left(&sandbox, FIFTY), "50.00");
    let in_text_json = Request { content_type: "text/json; charset=utf-8", ..good };
    assert_eq!(told(&sandbox, in_text_json).await, "200 redeemable");
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again_in_either_form() {
    let sandbox = open().await;
    let limit = RateLimit { requests: 2, per_s: 3600, retry_after_s: 7 };
    sandbox.switch(|switches| switches.rate_limit = Some(limit));
    for expected in ["200 redeemable", "200 redeemable", "429 too_many_requests"] {
        let answer = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
        assert_eq!(word(&answer), expected);
        assert_eq!(answer.header("retry-after").as_deref(), (answer.status == 429).then_some("7"));
    }
    sandbox.switch(|switches| switches.retry_after = RetryAfterForm::HttpDate);
    let answer = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
    assert!(answer.header("retry-after").unwrap().ends_with(" GMT"));
    sandbox.set_clock_offset(3601);
    assert_eq!(told(&sandbox, validate(&sandbox, FIFTY)).await, "200 redeemable");
}

#[tokio::test]
async fn no_code_token_or_key_is_in_the_call_log_or_in_a_debug_text() {
    let sandbox = open().await;
    let gift = sandbox.ledger().voucher(FIFTY).unwrap().clone();
    let (digits, token) = (gift.code.reveal().to_owned(), gift.token.reveal().to_owned());
    for body in [
        json!({"voucherCode": code(&sandbox, FIFTY), "amount": digits}),
        json!({"voucherPublicToken": token, "amount": 1, "organizationID": token}),
        json!({"voucherID": digits, "redemptionID": token}),
    ] {
        for path in [VALIDATE, REDEEM, REVERSE] {
            told(&sandbox, Request::post(path, &body)).await;
        }
    }
    let calls = format!("{:?}{}", sandbox.calls(), serde_json::to_string(&sandbox.calls()).unwrap());
    let books = format!("{:?}{}", sandbox.ledger(), serde_json::to_string(&sandbox.ledger()).unwrap());
    let settings = format!("{:?}{sandbox:?}", Settings::default());
    for secret in [digits.as_str(), token.as_str(), sandbox.api_key()] {
        assert!(!calls.contains(secret) && !books.contains(secret) && !settings.contains(secret), "{secret}");
    }
}
