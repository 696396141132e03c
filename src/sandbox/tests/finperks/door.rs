//! The provider's door: who is let in, and every code of the table for the endpoints that are played here.

use crate::shop::{Request, confirm, create, create_body, created, get, http_date, invalidate, open};
use serde_json::json;
use tilld_sandbox::finperks::{ErrorShape, ListShape, SigningProfile};
use tilld_sandbox::{RateLimit, RetryAfterForm};

#[tokio::test]
async fn a_right_request_is_let_in_and_each_spoilt_one_is_refused_with_its_own_code() {
    let sandbox = open().await;
    let port = sandbox.provider_address().port();
    let good = Request::get("/v1/balances");
    let text = |text: &str| Some(text.to_owned());
    let hex = "ab".repeat(32);
    let big = "x".repeat(70_000);
    for (what, request, expected) in [
        ("nothing spoilt", good.clone(), "200 -"),
        ("a query that is signed", Request::get("/v1/products?cursor=1"), "200 -"),
        (
            "localhost",
            Request {
                host: Some(format!("localhost:{port}")),
                signed_host: Some(format!("localhost:{port}")),
                ..good.clone()
            },
            "200 -",
        ),
        (
            "another host",
            Request { host: text("api.example.test"), ..good.clone() },
            "400 invalid_host_header",
        ),
        ("no port", Request { host: text("127.0.0.1"), ..good.clone() }, "400 invalid_host_header"),
        ("no date", Request { date: text(""), ..good.clone() }, "400 invalid_date_header"),
        ("no date at all", Request { date: text("yesterday"), ..good.clone() }, "400 invalid_date_header"),
        (
            "six minutes slow",
            Request { date: Some(http_date(-360)), ..good.clone() },
            "400 invalid_date_header",
        ),
        (
            "six minutes fast",
            Request { date: Some(http_date(360)), ..good.clone() },
            "400 invalid_date_header",
        ),
        ("four minutes slow", Request { date: Some(http_date(-240)), ..good.clone() }, "200 -"),
        ("no authorization", Request { authorization: text(""), ..good.clone() }, "401 invalid_signature"),
        (
            "another scheme",
            Request {
                authorization: Some(format!("BZ1-HMAC-SHA256 KeyId=sandbox-key, Signature={hex}")),
                ..good.clone()
            },
            "401 invalid_signature",
        ),
        (
            "no hex",
            Request {
                authorization: text("FP1-HMAC-SHA256 KeyId=sandbox-key, Signature=zz"),
                ..good.clone()
            },
            "401 invalid_signature_format",
        ),
        (
            "a wrong signature",
            Request {
                authorization: Some(format!("FP1-HMAC-SHA256 KeyId=sandbox-key, Signature={hex}")),
                ..good.clone()
            },
            "401 invalid_signature",
        ),
        ("a wrong secret", Request { secret: text("guess"), ..good.clone() }, "401 invalid_signature"),
        ("a wrong key id", Request { key_id: text("somebody"), ..good.clone() }, "401 invalid_signature"),
        (
            "the bare host signed",
            Request { signed_host: text("127.0.0.1"), ..good.clone() },
            "401 invalid_signature",
        ),
        ("no such path", Request::get("/v1/settlements"), "404 path_not_found"),
        ("no such method", Request::new("DELETE", "/v1/stores"), "404 path_not_found"),
        ("too much", Request { body: big, ..create("k") }, "413 content_too_large"),
        ("a form", Request { content_type: "text/plain", ..create("k") }, "400 invalid_request_body"),
        ("no JSON", Request { body: "{".to_owned(), ..create("k") }, "400 invalid_request_body"),
        ("no key", Request { key: None, ..create("k") }, "400 invalid_idempotency_key_header"),
        ("a key with a blank", create("a key"), "400 invalid_idempotency_key_header"),
        ("a long key", create(&"k".repeat(256)), "400 invalid_idempotency_key_header"),
        ("an order that is not there", get("ro_0"), "404 entity_not_found"),
        ("confirm of none", confirm("ro_0"), "404 entity_not_found"),
        ("invalidate of none", invalidate("ro_0"), "404 entity_not_found"),
    ] {
        let answer = request.send(&sandbox).await.answer();
        assert_eq!(answer.word(), expected, "{what}");
        let asks = answer.header("www-authenticate");
        assert_eq!(asks.as_deref(), (answer.status == 401).then_some("FP1-HMAC-SHA256"), "{what}");
    }
    assert!(sandbox.ledger().orders.is_empty());
}

#[tokio::test]
async fn the_signed_host_form_is_a_switch() {
    let sandbox = open().await;
    let with_port = Request::get("/v1/balances");
    let bare = Request { signed_host: Some("127.0.0.1".to_owned()), ..with_port.clone() };
    for (profile, expected) in [
        (SigningProfile::WithPort, [200, 401]),
        (SigningProfile::Bare, [401, 200]),
        (SigningProfile::Either, [200, 200]),
    ] {
        sandbox.switch(|switches| switches.signing_profile = profile);
        let seen =
            [with_port.send(&sandbox).await.answer().status, bare.send(&sandbox).await.answer().status];
        assert_eq!(seen, expected, "{profile:?}");
    }
}

#[tokio::test]
async fn further_host_names_may_leave_the_schemes_own_port_out_but_sign_it() {
    let settings = tilld_sandbox::finperks::Settings {
        hosts: vec!["api.example.test:443".to_owned()],
        ..tilld_sandbox::finperks::Settings::default()
    };
    let sandbox = tilld_sandbox::finperks::start(settings).await.unwrap();
    let request = Request {
        host: Some("api.example.test".to_owned()),
        signed_host: Some("api.example.test:443".to_owned()),
        ..Request::get("/v1/balances")
    };
    assert_eq!(request.send(&sandbox).await.answer().status, 200);
}

#[tokio::test]
async fn a_clock_that_is_off_is_refused_and_the_answers_date_tells_by_how_much() {
    let sandbox = open().await;
    sandbox.set_clock_offset(420);
    let late = Request { date: Some(http_date(0)), ..Request::get("/v1/balances") };
    let answer = late.send(&sandbox).await.answer();
    assert_eq!(answer.word(), "400 invalid_date_header");
    let said =
        jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", answer.header("date").unwrap()).unwrap();
    let said = said.to_datetime().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    assert!(said > jiff::Timestamp::now() + jiff::SignedDuration::from_secs(360));
    sandbox.switch(|switches| switches.date_skew_s = 3600);
    assert_eq!(late.send(&sandbox).await.answer().status, 200);
}

#[tokio::test]
async fn a_create_is_refused_with_the_field_that_is_wrong() {
    let sandbox = open().await;
    let with = |pointer: &str, value: serde_json::Value| {
        let mut body = create_body("4001232232332", "DE", "EUR", "50.0");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, expected, field) in [
        (with("/store_id", json!("Z9")), "400 invalid_body_parameters", Some("store_id")),
        (with("/country", json!("AT")), "400 invalid_body_parameters", Some("country")),
        (
            with("/face_value/currency", json!("CHF")),
            "400 invalid_body_parameters",
            Some("face_value.currency"),
        ),
        (with("/face_value/amount", json!("9.99")), "400 invalid_body_parameters", Some("face_value.amount")),
        (
            with("/face_value/amount", json!("500.01")),
            "400 invalid_body_parameters",
            Some("face_value.amount"),
        ),
        (
            with("/face_value/amount", json!("50.001")),
            "400 invalid_body_parameters",
            Some("face_value.amount"),
        ),
        (with("/product_code", json!("4000000000000")), "400 product_not_available", None),
        (with("/product_code", json!("4001232100053")), "400 product_not_available", None),
        (with("/face_value/amount", json!("37.45")), "201 created", None),
    ] {
        let key = body.to_string().len().to_string() + expected + &body["face_value"]["amount"].to_string();
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let answer = Request::post("/v1/retail_orders", &body).key(&key).send(&sandbox).await.answer();
        assert_eq!(answer.word(), expected, "{body}");
        assert_eq!(
            answer.json()["fields"].as_object().and_then(|fields| fields.keys().next().cloned()).as_deref(),
            field
        );
    }
}

#[tokio::test]
async fn errors_come_in_the_shape_that_is_switched() {
    let sandbox = open().await;
    let flat = get("ro_0").send(&sandbox).await.answer().json();
    assert_eq!(
        (&flat["error_class"], &flat["error_code"]),
        (&json!("not_found"), &json!("entity_not_found"))
    );
    assert!(flat["message"].is_string() && flat["request_id"].is_string());
    sandbox.switch(|switches| switches.error_shape = ErrorShape::Nested);
    let nested = get("ro_0").send(&sandbox).await.answer().json();
    assert_eq!(nested["error"]["class"], "not_found");
    assert_eq!(nested["error"]["code"], "entity_not_found");
    assert!(nested.get("error_code").is_none());
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again_in_either_form() {
    let sandbox = open().await;
    let limit = RateLimit { requests: 2, per_s: 3600, retry_after_s: 7 };
    sandbox.switch(|switches| switches.rate_limit = Some(limit));
    for expected in ["200 -", "200 -", "429 rate_limit_exceeded"] {
        let answer = Request::get("/v1/balances").send(&sandbox).await.answer();
        assert_eq!(answer.word(), expected);
        assert_eq!(answer.header("retry-after").as_deref(), (answer.status == 429).then_some("7"));
    }
    sandbox.switch(|switches| switches.retry_after = RetryAfterForm::HttpDate);
    let answer = Request::get("/v1/balances").send(&sandbox).await.answer();
    assert!(answer.header("retry-after").unwrap().ends_with(" GMT"));
    sandbox.set_clock_offset(3601);
    assert_eq!(Request::get("/v1/balances").send(&sandbox).await.answer().status, 200);
}

#[tokio::test]
async fn lists_come_bare_or_wrapped_or_in_pages() {
    let sandbox = open().await;
    let products = Request::get("/v1/products").send(&sandbox).await.answer().json();
    let all = products.as_array().unwrap().clone();
    assert_eq!(all.len(), 12);
    sandbox.switch(|switches| switches.list_shape = ListShape::Data);
    let wrapped = Request::get("/v1/products").send(&sandbox).await.answer().json();
    assert_eq!(wrapped["data"].as_array().unwrap(), &all);
    sandbox.switch(|switches| switches.list_shape = ListShape::Paged);
    let mut seen = Vec::new();
    let mut path = "/v1/products".to_owned();
    loop {
        let page = Request::get(&path).send(&sandbox).await.answer().json();
        seen.extend(page["products"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/products?cursor={next}");
    }
    assert_eq!(seen, all);
    for (path, name) in [("/v1/balances", "balances"), ("/v1/stores", "stores")] {
        assert!(Request::get(path).send(&sandbox).await.answer().json()[name].is_array(), "{path}");
    }
}

#[tokio::test]
async fn a_store_is_registered_once_and_then_takes_orders() {
    let sandbox = open().await;
    let store = Request::post("/v1/stores", &json!({"id": "B7", "name": "Laden am Markt", "city": "Köln"}));
    assert_eq!(store.send(&sandbox).await.answer().status, 201);
    assert_eq!(store.send(&sandbox).await.answer().word(), "400 invalid_body_parameters");
    let nameless = Request::post("/v1/stores", &json!({"name": "Laden"}));
    assert_eq!(nameless.send(&sandbox).await.answer().word(), "400 invalid_body_parameters");
    let stores = Request::get("/v1/stores").send(&sandbox).await.answer().json();
    let ids: Vec<_> = stores.as_array().unwrap().iter().map(|store| store["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["A1234", "B7"]);
    let mut body = create_body("4001232232332", "DE", "EUR", "50.0");
    body["store_id"] = json!("B7");
    let order = Request::post("/v1/retail_orders", &body).key("k").send(&sandbox).await.answer();
    assert_eq!(order.word(), "201 created");
}

#[tokio::test]
async fn every_call_is_logged_in_its_order_with_what_was_answered() {
    let sandbox = open().await;
    let id = created(&sandbox, "first-key").await;
    confirm(&id).send(&sandbox).await.answer();
    get("ro_0").send(&sandbox).await.answer();
    Request { secret: Some("guess".to_owned()), ..Request::get("/v1/balances") }
        .send(&sandbox)
        .await
        .answer();
    let calls = sandbox.calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.n, call.method.as_str(), call.status.unwrap(), call.code.as_deref(), call.executed))
        .collect();
    assert_eq!(
        told,
        [
            (1, "POST", 201, None, true),
            (2, "POST", 200, None, true),
            (3, "GET", 404, Some("entity_not_found"), true),
            (4, "GET", 401, Some("invalid_signature"), false),
        ]
    );
    assert_eq!(calls[0].detail.idempotency_key.as_deref(), Some("first-key"));
    assert_eq!(calls[0].detail.order_id.as_deref(), Some(id.as_str()));
    assert_eq!(calls[1].detail.order_id.as_deref(), Some(id.as_str()));
    assert_eq!(sandbox.calls_after(3).len(), 1);
}
