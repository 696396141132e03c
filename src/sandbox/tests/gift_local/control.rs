//! The control door, as an integrator in any language drives it.

use serde_json::{Value, json};
use tilld_sandbox::gift_local::{OverBalance, Switches};

use crate::guest::{
    FIFTY, adds_up, control, left, open, raw_control, redeem, redeemed, told, validate, voucher,
};

#[tokio::test]
async fn switches_are_read_replaced_and_merged_and_a_misspelt_one_is_refused() {
    let sandbox = open().await;
    let answer = control(&sandbox, "GET", "/switches", "").await;
    assert_eq!(answer.json(), serde_json::to_value(Switches::default()).unwrap());
    let patch =
        r#"{"over_balance": "grants_rest", "rate_limit": {"requests": 5, "per_s": 60, "retry_after_s": 1}}"#;
    assert_eq!(control(&sandbox, "PATCH", "/switches", patch).await.json()["over_balance"], "grants_rest");
    control(&sandbox, "PATCH", "/switches", r#"{"rate_limit": null, "number_form": "exponent"}"#).await;
    let switches = sandbox.switches();
    assert_eq!((switches.over_balance, switches.rate_limit), (OverBalance::GrantsRest, None));
    control(&sandbox, "PUT", "/switches", r#"{"envelope": "data"}"#).await;
    assert_eq!(sandbox.switches().over_balance, OverBalance::default());
    for (method, body) in [
        ("PUT", r#"{"colour": 1}"#),
        ("PATCH", r#"{"over_balance": "maybe"}"#),
        ("PATCH", r#"{"reverse_path": "no slash"}"#),
        ("PATCH", r#"{"reverse_id_field": ""}"#),
        ("PUT", "{"),
        ("PATCH", "[]"),
    ] {
        let answer = control(&sandbox, method, "/switches", body).await;
        assert_eq!(answer.status, 400, "{method} {body}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(control(&sandbox, "GET", "/switches", "").await.json()["envelope"], "data");
}

#[tokio::test]
async fn faults_are_queued_by_this_providers_calls() {
    let sandbox = open().await;
    let fault = r#"{"call": "redeem", "fault": {"kind": "server_error", "applied": true}}"#;
    assert_eq!(control(&sandbox, "POST", "/faults", fault).await.status, 201);
    assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "10")).await, "500 internal_error");
    assert_eq!(left(&sandbox, FIFTY), "40.00");
    for wrong in [
        r#"{"call": "confirm", "fault": {"kind": "truncate"}}"#,
        r#"{"call": "redeem", "fault": {"kind": "unknown_state", "word": "x"}}"#,
        r#"{"call": "redeem", "fault": {"kind": "boom"}}"#,
    ] {
        assert_eq!(control(&sandbox, "POST", "/faults", wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_ledger_tells_every_movement_with_its_redemption_and_time_and_codes_only_when_asked() {
    let sandbox = open().await;
    let id = redeemed(&sandbox, FIFTY, "12.34").await;
    let gift = voucher(&sandbox, FIFTY);
    let masked = control(&sandbox, "GET", "/ledger", "").await;
    assert!(!masked.text.contains(gift.code.reveal()) && !masked.text.contains(gift.token.reveal()));
    let books = masked.json();
    let entry = books["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(entry["movement"], "debit");
    assert_eq!((&entry["redemption_id"], &entry["voucher_id"]), (&json!(id), &json!(gift.id)));
    assert_eq!(
        (&entry["amount"], &entry["unit"], &entry["call"]),
        (&json!("12.34"), &json!("EUR"), &json!(1))
    );
    assert!(entry["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(books["redemptions"].as_array().unwrap().last().unwrap()["asked"], "12.34");
    assert_eq!(books["totals"]["EUR"]["debited"], "52.34", "forty of the gift that is used up");
    let revealed = control(&sandbox, "GET", "/ledger?reveal=1", "").await.json();
    assert_eq!(revealed["vouchers"][0]["code"], gift.code.reveal());
    assert_eq!(revealed["vouchers"][0]["token"], gift.token.reveal());
}

#[tokio::test]
async fn gifts_are_issued_blocked_expired_spent_elsewhere_and_given_back() {
    let sandbox = open().await;
    let new = r#"{"name": "mine", "code": "012345678905", "value": "9.99", "currency": "GBP"}"#;
    let issued = control(&sandbox, "POST", "/vouchers", new).await;
    assert_eq!((issued.status, &issued.json()["code"]), (201, &json!("012345678905")), "{}", issued.text);
    for (method, path, body, status, then) in [
        ("POST", "/vouchers/mine/spend", r#"{"amount": "4.99"}"#, 201, "200 redeemable"),
        ("POST", "/vouchers/mine/spend", r#"{"amount": "5.01"}"#, 400, "200 redeemable"),
        ("POST", "/vouchers/mine/spend", r#"{"amount": "0"}"#, 400, "200 redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"blocked": true}"#, 204, "200 not redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"blocked": false}"#, 204, "200 redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"until_s": -1}"#, 204, "200 not redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"until_s": 60}"#, 204, "200 redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"from_s": 30}"#, 204, "200 not redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"from_s": -1}"#, 204, "200 redeemable"),
        ("PATCH", "/vouchers/mine", r#"{"left": "5"}"#, 400, "200 redeemable"),
        ("PATCH", "/vouchers/nobodys", r#"{"blocked": true}"#, 400, "200 redeemable"),
        ("POST", "/vouchers/mine/spend", r#"{"amount": "5.00"}"#, 201, "200 not redeemable"),
    ] {
        let answer = control(&sandbox, method, path, body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
        assert_eq!(told(&sandbox, validate(&sandbox, "mine")).await, then, "{path} {body}");
    }
    let spent = sandbox.ledger().redemptions.last().unwrap().clone();
    assert_eq!((spent.organization_id, spent.call), (None, None), "not this client's");
    let back = format!("/redemptions/{}/give-back", spent.id);
    assert_eq!(control(&sandbox, "POST", &back, "").await.status, 204);
    assert_eq!(control(&sandbox, "POST", &back, "").await.status, 404);
    assert_eq!(left(&sandbox, "mine"), "5.00");
    for wrong in [
        "{}",
        r#"{"value": "5"}"#,
        r#"{"value": "0", "currency": "EUR"}"#,
        r#"{"value": "5.001", "currency": "EUR"}"#,
        r#"{"value": 5, "currency": "EUR"}"#,
        r#"{"value": "5", "currency": "euro"}"#,
        r#"{"quantity": 0, "label": "x"}"#,
        r#"{"value": "5", "currency": "EUR", "quantity": 1, "label": "x"}"#,
        r#"{"value": "5", "currency": "EUR", "code": "123"}"#,
        r#"{"value": "5", "currency": "EUR", "only_at": "Z9"}"#,
        r#"{"value": "5", "currency": "EUR", "name": "mine"}"#,
        r#"{"value": "5", "currency": "EUR", "colour": "red"}"#,
    ] {
        assert_eq!(control(&sandbox, "POST", "/vouchers", wrong).await.status, 400, "{wrong}");
    }
    adds_up(&sandbox);
}

#[tokio::test]
async fn calls_say_what_was_sent_and_what_became_of_it() {
    let sandbox = open().await;
    let id = redeemed(&sandbox, FIFTY, "12.50").await;
    let calls = control(&sandbox, "GET", "/calls?after=0&wait_ms=1", "").await.json();
    let call = &calls[0];
    let expected = json!({"call": "redeem", "status": 200, "executed": true, "named_by": "id", "amount": "12.50", "redemption_id": id});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&call[field], value, "{field}");
    }
    assert!(call["at"].is_string() && call["organization_id"].is_string());
}

#[tokio::test]
async fn a_reset_goes_back_to_the_first_books() {
    let sandbox = open().await;
    let first = sandbox.ledger();
    redeemed(&sandbox, FIFTY, "10").await;
    sandbox.switch(|switches| switches.over_balance = OverBalance::GrantsRest);
    assert_eq!(control(&sandbox, "POST", "/reset", "").await.status, 204);
    let again = sandbox.ledger();
    assert_eq!((again.totals, again.redemptions.len()), (first.totals, first.redemptions.len()));
    assert_eq!((sandbox.switches(), sandbox.calls().len()), (Switches::default(), 0));
    assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "50")).await, "200 not redeemable");
}

#[tokio::test]
async fn the_index_names_the_provider_and_all_routes() {
    let sandbox = open().await;
    let index = control(&sandbox, "GET", "/", "").await.json();
    assert_eq!((&index["provider"], &index["url"]), (&json!("gift-local"), &json!(sandbox.provider_url())));
    let routes: Vec<&str> = index["routes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for route in ["GET PUT PATCH /switches", "POST /vouchers", "GET /ledger?reveal=1"] {
        assert!(routes.contains(&route), "{routes:?}");
    }
    let page = "GET /ledger?reveal=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(raw_control(&sandbox, page).await.status, 403);
}
