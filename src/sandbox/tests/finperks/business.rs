//! What the provider does with orders, under each switch, and that its books always add up.

use crate::shop::{Request, confirm, create, create_body, created, euros, get, invalidate, open};
use serde_json::json;
use tilld_sandbox::finperks::{
    ConfirmEnd, ConfirmMode, Currency, LineShape, ListShape, PictureShape, RepeatedKey, Sandbox,
    SecondConfirm,
};

/// What a request got: its word, and whether there were lines.
async fn told(sandbox: &Sandbox, request: Request) -> String {
    let answer = request.send(sandbox).await.answer();
    let lines = answer.json().pointer("/receipt_printing/lines").is_some();
    answer.word() + if lines { " lines" } else { "" }
}

#[tokio::test]
async fn a_sale_ends_with_the_issued_code_on_the_lines_and_its_value_charged() {
    let sandbox = open().await;
    assert_eq!(euros(&sandbox), ["100000.0", "0.0", "0.0", "0.0"]);
    let id = created(&sandbox, "k").await;
    assert_eq!(euros(&sandbox), ["99950.0", "50.0", "0.0", "0.0"]);
    let answer = confirm(&id).send(&sandbox).await.answer();
    assert_eq!(answer.word(), "200 completed");
    assert_eq!(euros(&sandbox), ["99950.0", "0.0", "50.0", "0.0"]);
    let body = answer.json();
    let lines: Vec<&str> = body["receipt_printing"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 40));
    let paper: String = lines.concat().split_whitespace().collect();
    let ledger = sandbox.ledger();
    let order = ledger.order(&id).unwrap();
    let code = order.code.as_ref().unwrap().reveal();
    assert!(paper.contains(code) && paper.contains(order.pin.as_ref().unwrap().reveal()));
    assert!(!format!("{ledger:?}").contains(code));
    assert_eq!(order.payment_method.as_deref(), Some("cash"));
    assert_eq!(order.receipt_value.as_deref(), Some("50.0"));
    assert_eq!(invalidate(&id).send(&sandbox).await.answer().word(), "200 invalidated");
    assert_eq!(euros(&sandbox), ["100000.0", "0.0", "50.0", "50.0"]);
    let balances = Request::get("/v1/balances").send(&sandbox).await.answer().json();
    assert_eq!(
        balances[0],
        json!({"currency": "EUR", "available": {"currency": "EUR", "amount": "100000.0"}})
    );
}

#[tokio::test]
async fn an_activated_card_has_support_lines_and_no_code_and_its_scanned_code_is_recorded() {
    let sandbox = open().await;
    let mut body = create_body("4001232100022", "DE", "EUR", "25.0");
    body["card_number"] = json!("98765432109876543");
    let answer = Request::post("/v1/retail_orders", &body).key("k").send(&sandbox).await.answer();
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let answer = confirm(&id).send(&sandbox).await.answer();
    assert!(answer.text.contains("Rückseite") && !answer.text.contains("PIN"));
    let ledger = sandbox.ledger();
    let order = ledger.order(&id).unwrap();
    assert!(order.code.is_none());
    assert_eq!(order.extra["card_number"].reveal(), "98765432109876543");
    assert!(!serde_json::to_string(&ledger).unwrap().contains("98765432109876543"));
}

#[tokio::test]
async fn every_currency_can_be_sold() {
    let sandbox = open().await;
    for (product, country, currency, amount) in [
        ("4001232100015", "DE", "EUR", "15.0"),
        ("7601232200014", "CH", "CHF", "20.0"),
        ("7601232200021", "CH", "CHF", "10.05"),
        ("5001232300013", "GB", "GBP", "5.0"),
        ("5001232300020", "GB", "GBP", "10.0"),
        ("4901232400012", "JP", "JPY", "1000.0"),
        ("4901232400029", "JP", "JPY", "501.0"),
    ] {
        let body = create_body(product, country, currency, amount);
        let answer = Request::post("/v1/retail_orders", &body).key(product).send(&sandbox).await.answer();
        assert_eq!(answer.word(), "201 created", "{product}: {}", answer.text);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(told(&sandbox, confirm(&id)).await, "200 completed lines", "{product}");
        let ledger = sandbox.ledger();
        assert_eq!(ledger.order(&id).unwrap().amount, amount);
    }
    assert_eq!(sandbox.ledger().accounts["JPY"].charged, "1501.0");
    euros(&sandbox);
}

#[tokio::test]
async fn a_repeated_key_is_replayed_or_refused_and_with_another_body_always_refused() {
    let sandbox = open().await;
    let first = create("k").send(&sandbox).await.answer();
    assert_eq!(create("k").send(&sandbox).await.answer().text, first.text);
    assert_eq!(sandbox.ledger().orders.len(), 1);
    let other =
        Request::post("/v1/retail_orders", &create_body("4001232232332", "DE", "EUR", "51.0")).key("k");
    assert_eq!(told(&sandbox, other.clone()).await, "400 reused_idempotency_key");
    sandbox.switch(|switches| switches.repeated_key = RepeatedKey::Error);
    assert_eq!(told(&sandbox, create("k")).await, "400 reused_idempotency_key");
    assert_eq!(told(&sandbox, other).await, "400 reused_idempotency_key");
    assert_eq!(sandbox.ledger().orders.len(), 1);
}

#[tokio::test]
async fn a_key_whose_request_was_refused_may_be_used_again() {
    let sandbox = open().await;
    assert!(sandbox.set_available(Currency::Eur, "49.99"));
    assert_eq!(told(&sandbox, create("k")).await, "403 insufficient_available_balance");
    assert!(sandbox.set_available(Currency::Eur, "50.0"));
    assert_eq!(told(&sandbox, create("k")).await, "201 created");
    assert_eq!(euros(&sandbox)[0], "0.0");
}

#[tokio::test]
async fn keys_work_on_confirm_and_invalidate_too_but_are_not_needed_there() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    sandbox.switch(|switches| switches.second_confirm = SecondConfirm::Error);
    assert_eq!(told(&sandbox, confirm(&id).key("c")).await, "200 completed lines");
    assert_eq!(told(&sandbox, confirm(&id).key("c")).await, "200 completed lines");
    assert_eq!(told(&sandbox, confirm(&id)).await, "400 order_completed");
    assert_eq!(told(&sandbox, invalidate(&id).key("c")).await, "400 reused_idempotency_key");
    assert_eq!(told(&sandbox, invalidate(&id).key("i")).await, "200 invalidated");
    assert_eq!(told(&sandbox, invalidate(&id).key("i")).await, "200 invalidated");
    assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_invalidated");
    let ledger = sandbox.ledger();
    let order = ledger.order(&id).unwrap();
    assert_eq!((order.confirms, order.invalidations), (2, 2));
}

#[tokio::test]
async fn a_second_confirm_and_a_read_show_lines_or_not() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    confirm(&id).send(&sandbox).await.answer();
    for (second, shows, expected) in [
        (SecondConfirm::Replay, true, ["200 completed lines", "200 completed lines"]),
        (SecondConfirm::ReplayWithoutLines, false, ["200 completed", "200 completed"]),
        (SecondConfirm::Error, true, ["400 order_completed", "200 completed lines"]),
    ] {
        sandbox.switch(|switches| {
            switches.second_confirm = second;
            switches.get_shows_lines = shows;
        });
        assert_eq!([told(&sandbox, confirm(&id)).await, told(&sandbox, get(&id)).await], expected);
    }
    assert_eq!(euros(&sandbox)[2], "50.0");
}

#[tokio::test]
async fn an_asynchronous_confirm_is_seen_by_reading() {
    let sandbox = open().await;
    for (ends, last, charged) in
        [(ConfirmEnd::Failed, "200 failed", "0.0"), (ConfirmEnd::Completed, "200 completed lines", "50.0")]
    {
        sandbox.switch(|switches| switches.confirm = ConfirmMode::Async { polls: 1, ms: 0, ends });
        let id = created(&sandbox, last.split(' ').nth(1).unwrap()).await;
        assert_eq!(told(&sandbox, confirm(&id)).await, "200 processing");
        assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_processing");
        assert_eq!(told(&sandbox, get(&id)).await, "200 processing");
        assert_eq!(told(&sandbox, get(&id)).await, last);
        assert_eq!(euros(&sandbox)[2], charged);
        assert_eq!(sandbox.ledger().order(&id).unwrap().reads, 2);
    }
}

#[tokio::test]
async fn invalidation_is_refused_for_each_of_its_reasons() {
    let sandbox = open().await;
    sandbox.switch(|switches| switches.unconfirmed_can_be_invalidated = false);
    let id = created(&sandbox, "k").await;
    assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_not_completed");
    confirm(&id).send(&sandbox).await.answer();
    sandbox.switch(|switches| switches.invalidation_window_s = 0);
    assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_invalidation_period_expired");
    sandbox.switch(|switches| {
        let own = switches.products.entry("4001232232332".to_owned()).or_default();
        own.invalidation_window_s = Some(60);
        own.invalidation_supported = Some(false);
    });
    assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_invalidation_not_supported");
    sandbox.switch(|switches| {
        switches.products.entry("4001232232332".to_owned()).or_default().invalidation_supported = None;
    });
    assert!(sandbox.redeem(&id));
    assert_eq!(told(&sandbox, invalidate(&id)).await, "400 order_redeemed");
    assert_eq!(euros(&sandbox), ["99950.0", "0.0", "50.0", "0.0"]);
    assert_eq!(
        told(&sandbox, Request { body: "[]".to_owned(), ..invalidate(&id) }).await,
        "400 invalid_request_body"
    );
}

#[tokio::test]
async fn an_unconfirmed_order_gives_its_reservation_back() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    assert_eq!(told(&sandbox, invalidate(&id)).await, "200 invalidated");
    assert_eq!(told(&sandbox, confirm(&id)).await, "400 order_invalidated");
    assert_eq!(euros(&sandbox), ["100000.0", "0.0", "0.0", "0.0"]);
    sandbox.switch(|switches| switches.create_reserves = false);
    created(&sandbox, "l").await;
    assert_eq!(euros(&sandbox), ["100000.0", "0.0", "0.0", "0.0"]);
}

/// Sets one limit.
type Change = fn(&mut tilld_sandbox::finperks::Limits);

#[tokio::test]
async fn each_limit_has_its_own_code() {
    let sandbox = open().await;
    created(&sandbox, "k").await;
    let limits: [(Change, &str); 5] = [
        (|limits| limits.store = Some(99), "403 store_limit_exceeded"),
        (|limits| limits.terminal = Some(99), "403 terminal_limit_exceeded"),
        (|limits| limits.receipt_amount = Some(99), "403 receipt_limit_exceeded"),
        (|limits| limits.receipt_count = Some(1), "403 receipt_limit_exceeded"),
        (|limits| limits.product = Some(99), "403 product_limit_exceeded"),
    ];
    for (limit, expected) in limits {
        sandbox.switch(|switches| {
            switches.limits = tilld_sandbox::finperks::Limits::default();
            limit(&mut switches.limits);
        });
        assert_eq!(told(&sandbox, create("l")).await, expected);
    }
    sandbox.switch(|switches| {
        switches.limits = tilld_sandbox::finperks::Limits {
            store: Some(100),
            terminal: Some(100),
            receipt_amount: Some(100),
            receipt_count: Some(2),
            product: Some(100),
        };
    });
    assert_eq!(told(&sandbox, create("l")).await, "201 created");
}

#[tokio::test]
async fn lines_come_as_text_as_objects_or_as_a_mix() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    confirm(&id).send(&sandbox).await.answer();
    for (shape, kinds) in [
        (LineShape::Text, [true, false, false]),
        (LineShape::Object, [false, true, false]),
        (LineShape::Mixed, [true, true, true]),
    ] {
        sandbox.switch(|switches| switches.line_shape = shape);
        let body = get(&id).send(&sandbox).await.answer().json();
        let lines = body["receipt_printing"]["lines"].as_array().unwrap();
        let seen = [
            lines.iter().any(serde_json::Value::is_string),
            lines.iter().any(|line| line["text"].is_string()),
            lines.iter().any(|line| line.is_object() && line.get("text").is_none()),
        ];
        assert_eq!(seen, kinds, "{shape:?}");
    }
}

#[tokio::test]
async fn a_product_is_switched_off_and_on() {
    let sandbox = open().await;
    sandbox.switch(|switches| {
        switches.list_shape = ListShape::Array;
        switches.products.entry("4001232232332".to_owned()).or_default().enabled = Some(false);
    });
    assert_eq!(told(&sandbox, create("k")).await, "400 product_not_available");
    let products = Request::get("/v1/products").send(&sandbox).await.answer().json();
    assert_eq!(products[0]["state"], "disabled");
    sandbox.switch(|switches| switches.products.clear());
    assert_eq!(told(&sandbox, create("k")).await, "201 created");
}

#[tokio::test]
async fn a_picture_is_anybodys_and_who_shows_a_key_for_it_is_refused() {
    let sandbox = open().await;
    let products = Request::get("/v1/products").send(&sandbox).await.answer().json();
    let path = format!("/pictures/{}.png", products[0]["code"].as_str().unwrap());
    assert_eq!(products[0]["image_url"], format!("{}{path}", sandbox.provider_url()));
    let named =
        products.as_array().unwrap().iter().filter(|product| product["image_url"].is_string()).count();
    assert!((1..products.as_array().unwrap().len()).contains(&named), "{named}");
    let anybody = |path: &str| Request { authorization: Some(String::new()), ..Request::get(path) };
    let answer = anybody(&path).send(&sandbox).await.answer();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/png".to_owned())));
    assert_eq!(told(&sandbox, Request::get(&path)).await, "403 request_blocked");
    assert_eq!(anybody("/pictures/nothing.png").send(&sandbox).await.answer().status, 404);
    assert_eq!(told(&sandbox, anybody("/v1/products")).await, "401 invalid_signature");
}

#[tokio::test]
async fn a_product_names_whatever_picture_it_is_told_to() {
    use PictureShape::{Drawn, DrawnAnew, Elsewhere, Gone, Html, Redirect, Svg, TooLarge};
    let sandbox = open().await;
    let code = "4001232100046";
    let known = format!("{}/pictures/{code}.png", sandbox.provider_url());
    for (shape, status, address) in [
        (None, 404, None),
        (Some(PictureShape::None), 404, None),
        (Some(Drawn), 200, Some(known.clone())),
        (Some(DrawnAnew), 404, Some(known.replace(".png", "-anew.png"))),
        (Some(Elsewhere), 200, Some(known.replace("127.0.0.1", "localhost"))),
        (Some(Redirect), 302, Some(known.clone())),
        (Some(TooLarge), 200, Some(known.clone())),
        (Some(Html), 200, Some(known.clone())),
        (Some(Svg), 200, Some(known.clone())),
        (Some(Gone), 404, Some(known.clone())),
    ] {
        sandbox.switch(|switches| switches.products.entry(code.to_owned()).or_default().picture = shape);
        let products = Request::get("/v1/products").send(&sandbox).await.answer().json();
        let product = products.as_array().unwrap().iter().find(|product| product["code"] == code).unwrap();
        assert_eq!(product["image_url"].as_str(), address.as_deref(), "{shape:?}");
        let asked =
            Request { authorization: Some(String::new()), ..Request::get(&format!("/pictures/{code}.png")) };
        let answer = asked.send(&sandbox).await.answer();
        assert_eq!(answer.status, status, "{shape:?}");
        assert_eq!(answer.header("location").is_some(), status == 302, "{shape:?}");
        if shape == Some(TooLarge) {
            assert!(answer.header("content-length").unwrap().parse::<usize>().unwrap() > 1024 * 1024);
        }
    }
}
