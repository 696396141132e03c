//! What the door refuses before the counter hears of it: each with its own problem, none with a framework's plain text.

use std::future::pending;

use super::*;

fn sale_request() -> axum::http::request::Builder {
    let_in("POST", "/v1/sales").header("content-type", "application/json").header("idempotency-key", "k1")
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why_before_the_body_is_read() {
    let house = House::bare().await;
    // A body that never comes: whoever read it would never answer.
    let endless =
        || Body::from_stream(futures_util::stream::once(pending::<Result<Vec<u8>, std::io::Error>>()));
    let bearer = format!("Bearer {TOKEN}");
    for (headers, expected) in [
        (vec![("host", "127.0.0.1:7400")], (401, "unauthorised")),
        (vec![("host", "127.0.0.1:7400"), ("authorization", "Bearer x")], (401, "unauthorised")),
        (vec![("authorization", bearer.as_str())], (400, "host_missing")),
        (vec![("host", "evil.example"), ("authorization", bearer.as_str())], (421, "host_wrong")),
        (
            vec![
                ("host", "localhost:7400"),
                ("origin", "http://evil.example"),
                ("authorization", bearer.as_str()),
            ],
            (403, "origin_foreign"),
        ),
    ] {
        for path in ["/v1/sales", "/v1/sales/x/payment", "/v1/nothing", "/"] {
            let mut request = Request::builder().method("POST").uri(path);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let answer = house.send(request.body(endless()).unwrap()).await;
            assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{path}");
            assert_eq!(answer.headers.contains_key("www-authenticate"), expected.0 == 401);
            assert_eq!(answer.headers["connection"], "close", "{path}");
        }
    }
    assert_eq!(house.counter.health().await.open_sales, 0);
}

#[tokio::test]
async fn every_route_but_the_description_wants_the_token() {
    let house = House::bare().await;
    let without = |method: &str, path: &str| {
        Request::builder().method(method).uri(path).header("host", "[::1]:7400").body(Body::empty()).unwrap()
    };
    for (method, path) in [
        ("GET", "/v1/sales/x"),
        ("POST", "/v1/sales"),
        ("POST", "/v1/sales/x/payment"),
        ("POST", "/v1/sales/x/cancel"),
        ("POST", "/v1/sales/x/cards/1/answer"),
        ("POST", "/v1/vouchers/check"),
        ("POST", "/v1/vouchers/unlock"),
        ("POST", "/v1/redemptions"),
        ("GET", "/v1/redemptions/x"),
        ("POST", "/v1/redemptions/x/complete"),
        ("POST", "/v1/redemptions/x/reverse"),
        ("POST", "/v1/redemptions/x/answer"),
        ("POST", "/v1/redemptions/x/settle"),
        ("POST", "/v1/redemptions/x/scan"),
        ("POST", "/v1/redemptions/x/print"),
        ("POST", "/v1/vouchers/x/print"),
        ("GET", "/v1/baskets/x"),
        ("GET", "/v1/attention"),
        ("GET", "/v1/products"),
        ("POST", "/v1/products/refresh"),
        ("GET", "/v1/health"),
        ("GET", "/v1/events"),
        ("GET", "/v1/session"),
        ("POST", "/v1/session/manager"),
        ("DELETE", "/v1/session/manager"),
        ("POST", "/v1/pairing"),
    ] {
        assert_eq!(house.send(without(method, path)).await.problem().0, 401, "{method} {path}");
    }
    let description = house.send(without("GET", "/openapi.json")).await;
    assert_eq!(description.status, StatusCode::OK);
    assert_eq!(description.headers["content-type"], "application/json");
    assert!(description.json()["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_done_there_are_problems_too() {
    let house = House::bare().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/sales/",
        "/v1/sales/x/y",
        "/v2/sales",
        "/v1/sales/x/cards/1",
        "/%00",
        "/V1/health",
    ] {
        assert_eq!(house.get(path).await.problem(), (404, "route_unknown".to_owned()), "{path}");
    }
    for (method, path, allow) in [
        ("GET", "/v1/redemptions", "POST"),
        ("DELETE", "/v1/sales", "POST,GET,HEAD"),
        ("POST", "/v1/health", "GET,HEAD"),
        ("PUT", "/v1/sales/x", "GET,HEAD"),
        ("GET", "/v1/sales/x/payment", "POST"),
        ("OPTIONS", "/v1/sales", "POST,GET,HEAD"),
        ("POST", "/openapi.json", "GET,HEAD"),
    ] {
        let answer = house.send(let_in(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{method} {path}");
        assert_eq!(answer.headers["allow"], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn an_acting_request_without_a_proper_key_is_refused() {
    let house = House::bare().await;
    let long = "k".repeat(129);
    for (keys, expected) in [
        (vec![], "key_missing"),
        (vec![""], "key_wrong"),
        (vec![long.as_str()], "key_wrong"),
        (vec!["a", "b"], "key_wrong"),
        (vec!["k\tk"], "key_wrong"),
        (vec!["Schlüssel"], "key_wrong"),
        (vec!["4111111111111111"], "key_wrong"),
    ] {
        let redemption = "/v1/redemptions/019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";
        let acting =
            ["complete", "reverse", "answer", "settle", "scan"].map(|act| format!("{redemption}/{act}"));
        let sale = "/v1/sales/019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e/payment";
        let paths = ["/v1/sales", sale, "/v1/redemptions"].map(str::to_owned);
        for path in paths.iter().chain(&acting) {
            let mut request = let_in("POST", path).header("content-type", "application/json");
            for key in &keys {
                request = request.header("idempotency-key", key.as_bytes());
            }
            let answer = house.send(request.body(one_card("R1", POR).into()).unwrap()).await;
            assert_eq!(answer.problem(), (400, expected.to_owned()), "{keys:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_text_is_refused() {
    let house = House::bare().await;
    for (kind, expected) in [
        (Some("text/plain"), (415, "not_json_type")),
        (Some("application/x-www-form-urlencoded"), (415, "not_json_type")),
        (Some("application/jsonp"), (415, "not_json_type")),
        (None, (415, "not_json_type")),
        (Some("application/json"), (422, "field_missing")),
        (Some("Application/JSON; charset=utf-8"), (422, "field_missing")),
    ] {
        let mut request = let_in("POST", "/v1/sales").header("idempotency-key", "k1");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = house.send(request.body("{}".into()).unwrap()).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{kind:?}");
    }
    let cancel = let_in("POST", "/v1/sales/019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e/cancel")
        .header("idempotency-key", "k1");
    assert_eq!(house.send(cancel.body("by=me".into()).unwrap()).await.problem().0, 415);
}

#[tokio::test]
async fn a_body_is_bounded_whether_it_says_its_length_or_not() {
    let house = House::bare().await;
    let blanks = |count: usize| " ".repeat(count);
    let too_large = (413, "body_too_large".to_owned());
    let announced = sale_request().header("content-length", "10000000000").body(Body::empty()).unwrap();
    assert_eq!(house.send(announced).await.problem(), too_large);
    let endless =
        Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096])));
    assert_eq!(house.send(sale_request().body(endless).unwrap()).await.problem(), too_large);
    assert_eq!(house.send(sale_request().body(blanks(65_537).into()).unwrap()).await.problem(), too_large);
    let just = house.send(sale_request().body(blanks(65_536).into()).unwrap()).await;
    assert_eq!(just.problem(), (400, "body_not_json".to_owned()));
    let broken = Body::from_stream(futures_util::stream::once(async {
        Err::<Vec<u8>, _>(std::io::Error::other("gone"))
    }));
    assert_eq!(
        house.send(sale_request().body(broken).unwrap()).await.problem(),
        (408, "body_incomplete".to_owned())
    );
}

#[tokio::test]
async fn a_fault_of_the_program_is_a_problem_and_keeps_its_words_to_itself() {
    let house = House::new().await;
    let answer = house.send(sale_request().body(one_card("R1", PANICS).into()).unwrap()).await;
    assert_eq!(answer.problem(), (500, "internal".to_owned()));
    assert!(!answer.text().contains(SLIP_CODE));
    assert_eq!(house.get("/v1/health").await.status, StatusCode::OK);
}
