//! Selling through the door: the same answer for the same request, refusals with their status, and no secret anywhere.

use serde_json::{Value, json};
use tilld_devices::printer::{Fault, JobOutcome};

use super::*;

#[tokio::test]
async fn a_printed_card_and_a_rack_card_are_sold_for_cash() {
    let house = House::new().await;
    let cards = [card(POR, "por", "50.00", None), card(POSA, "posa", "25.00", Some(RACK_CODE))];
    let body = sale("R1", &cards).replacen('{', r#"{"cashier":"Łucja","#, 1);
    let opened = house.post("/v1/sales", "k1", body).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text());
    let sale = opened.json();
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(path, format!("/v1/sales/{}", sale["id"].as_str().unwrap()));
    assert_eq!(sale["phase"], "collect");
    assert_eq!(sale["due"], json!({"amount": "75.00", "currency": "EUR"}));
    assert_eq!(sale["screen"], json!({"code": "take", "text": "Take 75.00 EUR."}));
    assert_eq!((&sale["payment"], &sale["money_back"]), (&Value::Null, &Value::Null));

    let payment = r#"{"amount":{"amount":"75.00","currency":"EUR"},"receipt_total":{"amount":"80.00","currency":"EUR"},
        "tender":{"kind":"cash","given":{"amount":"100","currency":"EUR"},"change":{"amount":"25.00","currency":"EUR"}}}"#;
    let paid = house.post(&format!("{path}/payment"), "k2", payment).await;
    assert_eq!(paid.status, StatusCode::OK, "{}", paid.text());
    let id = sale["id"].clone();
    let mut got = paid.json();
    let seq = got["seq"].as_u64().unwrap();
    for member in ["opened_at", "updated_at"] {
        assert!(got[member].as_str().unwrap().ends_with('Z'), "{got}");
        got.as_object_mut().unwrap().remove(member);
    }
    for card in got["cards"].as_array_mut().unwrap() {
        for member in ["order", "provider_order"] {
            assert!(card.as_object_mut().unwrap().remove(member).unwrap().is_string());
        }
    }
    assert_eq!(
        got,
        json!({
            "id": id, "receipt": "R1", "store": "DE-0815", "terminal": "till-3", "cashier": "Łucja", "seq": seq,
            "phase": "done", "screen": {"code": "done", "text": "Done."}, "due": null, "money_back": null,
            "payment": {
                "amount": {"amount": "75.00", "currency": "EUR"},
                "tender": {"kind": "cash", "given": {"amount": "100.00", "currency": "EUR"}, "change": {"amount": "25.00", "currency": "EUR"}},
                "receipt_total": {"amount": "80.00", "currency": "EUR"},
            },
            "cards": [
                {"number": 1, "product": "4001", "name": "Card 4001", "kind": "por", "face_value": {"amount": "50.00", "currency": "EUR"},
                 "state": "sold", "screen": {"code": "done", "text": "Done."}, "paper": {"state": "printed", "proof": "process_id"}},
                {"number": 2, "product": "4002", "name": "Card 4002", "kind": "posa", "face_value": {"amount": "25.00", "currency": "EUR"},
                 "code_tail": "••••0123", "state": "sold", "screen": {"code": "done", "text": "Done."}, "paper": {"state": "printed", "proof": "process_id"}},
            ],
        })
    );
    let read = house.get(&path).await;
    assert_eq!((read.status, &read.bytes), (StatusCode::OK, &paid.bytes));
    for answer in [opened, paid, read] {
        assert!(!answer.text().contains(SLIP_CODE) && !answer.text().contains(RACK_CODE));
    }
}

#[tokio::test]
async fn the_same_key_and_body_get_the_same_bytes_and_another_body_is_refused() {
    let house = House::new().await;
    let body = one_card("R1", POR);
    let opened = house.post("/v1/sales", "k1", body.clone()).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let payment = format!("{path}/payment");
    let paid = house.post(&payment, "k2", by_card("50.00")).await;
    assert_eq!(paid.json()["phase"], "done");

    for written in [body.clone(), body.replace("50.00", "50"), format!("  {}\n", body.replace(',', " , "))] {
        let again = house.post("/v1/sales", "k1", written).await;
        assert_eq!((again.status, &again.bytes), (StatusCode::CREATED, &opened.bytes));
        assert_eq!(again.headers["location"], path.as_str());
    }
    let again = house.post(&payment, "k2", by_card("50")).await;
    assert_eq!((again.status, &again.bytes), (StatusCode::OK, &paid.bytes));

    let reused = (409, "request_key_reused".to_owned());
    assert_eq!(house.post("/v1/sales", "k1", one_card("R2", POR)).await.problem(), reused);
    assert_eq!(house.post("/v1/sales", "k2", one_card("R2", POR)).await.problem(), reused);
    assert_eq!(house.post(&payment, "k2", by_card("50.01")).await.problem(), reused);
    assert_eq!(house.post(&payment, "k1", by_card("50.00")).await.problem(), reused);
    assert_eq!(house.post(&format!("{path}/cancel"), "k2", "").await.problem(), reused);
}

#[tokio::test]
async fn the_same_request_gets_the_same_bytes_after_the_sale_has_gone_on_and_the_daemon_has_started_again() {
    let house = House::new().await;
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let (pay, answer) = (format!("{path}/payment"), format!("{path}/cards/1/answer"));
    let paid = house.post(&pay, "k2", by_card("50.00")).await;
    let again = house.post(&answer, "k3", r#"{"answer":"print_again"}"#).await;
    let seen = house.post(&answer, "k4", r#"{"answer":"complete"}"#).await;
    assert_eq!(seen.json()["cards"][0]["paper"], json!({"state": "seen_complete"}));
    let latest = house.get(&path).await;
    let house = house.started_again().await;
    for (answered, path, key, body) in [
        (&opened, "/v1/sales", "k1", one_card("R1", POR)),
        (&paid, pay.as_str(), "k2", by_card("50.00")),
        (&again, answer.as_str(), "k3", r#"{"answer":"print_again"}"#.to_owned()),
        (&seen, answer.as_str(), "k4", r#"{"answer":"complete"}"#.to_owned()),
    ] {
        let repeated = house.post(path, key, body).await;
        assert_eq!((repeated.status, repeated.text()), (answered.status, answered.text()), "{key}");
    }
    assert_eq!(house.get(&path).await.bytes, latest.bytes);
}

#[tokio::test]
async fn two_requests_under_one_key_at_once_are_one_sale() {
    let house = House::new().await;
    house.hold_creates();
    let asked = async {
        tokio::join!(
            house.post("/v1/sales", "k1", one_card("R1", POR)),
            house.post("/v1/sales", "k1", one_card("R1", POR)),
        )
    };
    let release = async {
        while house.counter.health().await.open_sales == 0 {
            tokio::task::yield_now().await;
        }
        house.let_creates_go();
    };
    let ((first, second), ()) = tokio::join!(asked, release);
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(house.counter.health().await.open_sales, 1);
}

#[tokio::test]
async fn a_card_that_the_provider_refuses_is_an_answer_and_no_error() {
    let house = House::new().await;
    let refusal = json!({
        "code": "balance_too_low",
        "text": "The shop's balance at the provider is used up. Call the manager.",
    });
    let none = house.post("/v1/sales", "k1", one_card("R1", REFUSED)).await;
    assert_eq!(none.status, StatusCode::CREATED);
    let none = none.json();
    assert_eq!((&none["phase"], &none["due"]), (&json!("nothing_sold"), &Value::Null));
    assert_eq!((&none["cards"][0]["state"], &none["cards"][0]["refusal"]), (&json!("not_sold"), &refusal));

    let cards = [card(POR, "por", "50.00", None), card(REFUSED, "por", "20.00", None)];
    let one = house.post("/v1/sales", "k2", sale("R2", &cards)).await;
    assert_eq!(one.status, StatusCode::CREATED);
    let one = one.json();
    assert_eq!(one["due"], json!({"amount": "50.00", "currency": "EUR"}));
    assert_eq!((&one["cards"][1]["state"], &one["cards"][1]["refusal"]), (&json!("not_sold"), &refusal));
}

#[tokio::test]
async fn a_sale_that_cannot_be_is_refused_with_its_reason() {
    let house = House::new().await;
    let por = |amount: &str| card(POR, "por", amount, None);
    let posa = |code| card(POSA, "posa", "25.00", code);
    for (cards, expected) in [
        (vec![], (422, "no_cards")),
        (vec![por("50.00"); 21], (422, "too_many_cards")),
        (vec![card("9999", "por", "50.00", None)], (422, "product_unknown")),
        (vec![card(DISABLED, "por", "50.00", None)], (409, "product_not_available")),
        (vec![card(POR, "posa", "50.00", Some(RACK_CODE))], (422, "wrong_card_kind")),
        (vec![por("4.99")], (422, "face_value_not_offered")),
        (vec![por("150.01")], (422, "face_value_not_offered")),
        (vec![por("0")], (422, "face_value_not_offered")),
        (vec![por("50.00").replace("EUR", "CHF")], (422, "wrong_currency")),
        (vec![por("50.00"), card(YEN, "por", "5000", None)], (422, "mixed_currencies")),
        (vec![posa(None)], (422, "card_code_missing")),
        (vec![card(POR, "por", "50.00", Some(RACK_CODE))], (422, "card_code_not_wanted")),
        (vec![posa(Some(RACK_CODE)), posa(Some(RACK_CODE))], (422, "card_code_twice")),
        (vec![por("50.00").replace("EUR", "XYZ")], (422, "field_wrong")),
    ] {
        let answer = house.post("/v1/sales", "k1", sale("R1", &cards)).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{}", answer.text());
        assert!(!answer.text().contains(RACK_CODE));
    }
    // None of them left a trace: the key and the receipt are free.
    assert_eq!(house.post("/v1/sales", "k1", one_card("R1", POR)).await.status, StatusCode::CREATED);
    let second = house.post("/v1/sales", "k2", one_card("R1", POR)).await;
    assert_eq!(second.problem(), (409, "receipt_used".to_owned()));
}

#[tokio::test]
async fn a_payment_that_does_not_fit_is_refused_and_changes_nothing() {
    let house = House::new().await;
    let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let payment = format!("{path}/payment");
    let eur = |amount: &str| format!(r#"{{"amount":"{amount}","currency":"EUR"}}"#);
    let cash = |given: &str, change: &str| {
        format!(
            r#"{{"amount":{},"tender":{{"kind":"cash","given":{},"change":{}}}}}"#,
            eur("50"),
            eur(given),
            eur(change)
        )
    };
    let mixed = |part: &str, given: &str| {
        format!(
            r#"{{"amount":{},"tender":{{"kind":"mixed","card":{},"given":{}}}}}"#,
            eur("50"),
            eur(part),
            eur(given)
        )
    };
    for (body, expected) in [
        (by_card("49.99"), (409, "amount_not_due")),
        (by_card("0"), (409, "amount_not_due")),
        (by_card("50.00").replace("EUR", "USD"), (409, "amount_not_due")),
        (cash("40.00", "0"), (422, "tender_does_not_add_up")),
        (cash("60.00", "9.99"), (422, "tender_does_not_add_up")),
        (mixed("50.00", "0"), (422, "tender_does_not_add_up")),
        (mixed("20.00", "29.99"), (422, "tender_does_not_add_up")),
        (by_card("-50.00"), (422, "field_wrong")),
        (by_card("50.001"), (422, "field_wrong")),
        (by_card("50.00").replace("\"50.00\"", "50.00"), (422, "field_wrong")),
    ] {
        let answer = house.post(&payment, "k2", body.clone()).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{body}: {}", answer.text());
    }
    assert_eq!(house.get(&path).await.bytes, opened.bytes);
    assert_eq!(
        house.post(&payment, "k2", mixed("20.00", "40.00")).await.json()["payment"]["tender"]["change"]["amount"],
        "10.00"
    );
    assert_eq!(
        house.post(&payment, "k3", by_card("50.00")).await.problem(),
        (409, "already_paid".to_owned())
    );
    assert_eq!(house.post(&format!("{path}/cancel"), "k4", "").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_cancelled_sale_takes_no_payment() {
    let house = House::new().await;
    for (number, body) in ["", "{}", "null", r#"{"by":"Łucja"}"#, r#"{"by":null}"#].into_iter().enumerate() {
        let opened =
            house.post("/v1/sales", &format!("o{number}"), one_card(&format!("R{number}"), POR)).await;
        let path = opened.headers["location"].to_str().unwrap().to_owned();
        let cancelled = house.post(&format!("{path}/cancel"), &format!("c{number}"), body).await;
        assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.text());
        assert_eq!(cancelled.json()["screen"]["code"], "cancelled");
        assert_eq!(cancelled.json()["due"], Value::Null);
        let again = house.post(&format!("{path}/cancel"), &format!("c{number}"), body).await;
        assert_eq!(again.bytes, cancelled.bytes);
        let late = house.post(&format!("{path}/payment"), &format!("p{number}"), by_card("50.00")).await;
        assert_eq!(late.problem(), (409, "paid_too_late".to_owned()));
    }
}

#[tokio::test]
async fn a_question_is_shown_with_its_choices_and_answered_by_one_of_them() {
    let house = House::new().await;
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let asked = house.post(&format!("{path}/payment"), "k2", by_card("50.00")).await.json();
    assert_eq!(asked["phase"], "question");
    assert_eq!(asked["cards"][0]["state"], "print_stopped");
    assert_eq!(asked["cards"][0]["paper"], json!({"state": "stopped", "fault": "paper_out", "attempt": 1}));
    assert_eq!(
        asked["cards"][0]["question"],
        json!({"asks": "print_again", "choices": ["print_again", "complete", "collected"]})
    );
    let answer = |card: &str| format!("{path}/cards/{card}/answer");
    for (card, body, expected) in [
        ("1", r#"{"answer":"finish"}"#, (409, "not_asked")),
        // Words of the question that is asked before a byte has left: they come too late.
        ("1", r#"{"answer":"print"}"#, (409, "not_asked")),
        ("1", r#"{"answer":"money_back"}"#, (409, "not_asked")),
        ("2", r#"{"answer":"print"}"#, (404, "card_unknown")),
        ("0", r#"{"answer":"print"}"#, (404, "card_unknown")),
        ("21", r#"{"answer":"print"}"#, (404, "card_unknown")),
        ("99999999", r#"{"answer":"print"}"#, (404, "card_unknown")),
        ("one", r#"{"answer":"print"}"#, (404, "card_unknown")),
        ("1", r#"{"answer":"maybe"}"#, (422, "field_wrong")),
        ("1", r"{}", (422, "field_missing")),
        ("1", "", (400, "body_not_json")),
    ] {
        let refused = house.post(&answer(card), "k3", body).await;
        assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{card} {body}");
    }
    let back = house.post(&answer("1"), "k3", r#"{"answer":"collected","by":"Łucja"}"#).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.text());
    let back = back.json();
    assert_eq!(back["money_back"], json!({"amount": "50.00", "currency": "EUR"}));
    assert_eq!(back["cards"][0]["owed"]["why"], "not_printed");
    assert_eq!(back["cards"][0]["screen"]["code"], "not_sold_money_back");
}

#[tokio::test]
async fn a_sale_that_is_not_there_is_not_found() {
    let house = House::new().await;
    let unknown = (404, "sale_unknown".to_owned());
    for id in [
        "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e",
        "x",
        "%00",
        "%ff",
        "..",
        "🎁".escape_unicode().to_string().as_str(),
    ] {
        let path = format!("/v1/sales/{}", id.replace(['\\', '{', '}'], "_"));
        assert_eq!(house.get(&path).await.problem(), unknown, "{path}");
        assert_eq!(house.post(&format!("{path}/cancel"), "k", "").await.problem(), unknown, "{path}");
        assert_eq!(
            house.post(&format!("{path}/payment"), "k", by_card("1")).await.problem(),
            unknown,
            "{path}"
        );
    }
}

#[tokio::test]
async fn without_a_catalogue_nothing_is_sold_and_the_till_is_told_when_to_come_again() {
    let house = House::bare().await;
    house.provider_is_down();
    let answer = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    assert_eq!(answer.problem(), (503, "no_catalogue".to_owned()));
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
    let refresh = || house.send(let_in("POST", "/v1/products/refresh").body(Body::empty()).unwrap());
    assert_eq!(refresh().await.problem(), (503, "no_connection".to_owned()));
    assert_eq!(house.get("/v1/products").await.json(), json!({"products": []}));
    assert_eq!(house.get("/v1/health").await.json()["sells"], false);
}

#[tokio::test]
async fn the_catalogue_and_the_health_are_shown() {
    let house = House::new().await;
    let refreshed = house.send(let_in("POST", "/v1/products/refresh").body(Body::empty()).unwrap()).await;
    assert_eq!((&refreshed.json()["count"], &refreshed.json()["unreadable"]), (&json!(6), &json!(1)));
    let products = house.get("/v1/products").await.json();
    assert_eq!(
        products["products"][1],
        json!({
            "code": "4002", "name": "Card 4002", "brand": "Brand", "kind": "posa", "currency": "EUR", "country": "DE", "rack_code": "card", "sellable": true, "picture": null,
            "face_values": {"kind": "fixed", "values": [{"amount": "25.00", "currency": "EUR"}, {"amount": "50.00", "currency": "EUR"}]},
        })
    );
    assert_eq!(
        products["products"][0]["face_values"]["most"],
        json!({"amount": "150.00", "currency": "EUR"})
    );
    house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let health = house.get("/v1/health").await.json();
    assert_eq!((&health["sells"], &health["open_sales"]), (&json!(true), &json!(1)));
    assert_eq!(health["printer"], json!({"fault": "cover_open", "paper_low": true}));
    assert_eq!((&health["provider"]["up"], &health["journal"]["writes"]), (&json!(true), &json!(true)));
    assert_eq!(health["clock"]["offset_ms"], -42_000);
    assert_eq!(health["journal"]["set_aside"], 0);
}

#[tokio::test]
async fn a_page_that_is_opened_anew_finds_the_sales_that_are_not_closed() {
    let house = House::new().await;
    assert_eq!(house.get("/v1/sales?open=true").await.json(), json!({"sales": [], "more": false}));
    // Closed; in a customer's hands; open because of a question.
    let closed = house.post("/v1/sales", "k1", one_card("R1", POR)).await.json()["id"].clone();
    house.post(&format!("/v1/sales/{}/payment", closed.as_str().unwrap()), "k2", by_card("50.00")).await;
    let collects = house.post("/v1/sales", "k3", one_card("R2", POR)).await.json();
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    let cards = [card(POR, "por", "50.00", None), card(POSA, "posa", "25.00", Some(RACK_CODE))];
    let asks = house.post("/v1/sales", "k4", sale("R3", &cards)).await.json()["id"].clone();
    house.post(&format!("/v1/sales/{}/payment", asks.as_str().unwrap()), "k5", by_card("75.00")).await;
    let listed = house.get("/v1/sales?open=true").await;
    let list = listed.json();
    let of = |place: usize, name: &str| list["sales"][place][name].clone();
    assert_eq!((list["sales"].as_array().unwrap().len(), &list["more"]), (2, &json!(false)));
    assert_eq!([of(0, "receipt"), of(1, "receipt")], [json!("R3"), json!("R2")], "the newest first");
    assert_eq!((of(0, "phase"), of(0, "due")), (json!("question"), Value::Null));
    assert_eq!(of(0, "total"), json!({"amount": "75.00", "currency": "EUR"}));
    for name in ["id", "receipt", "phase", "screen", "due", "seq", "opened_at"] {
        assert_eq!(of(1, name), collects[name], "{name}");
    }
    assert_eq!(
        of(1, "cards"),
        json!([{"number": 1, "name": "Card 4001", "face_value": {"amount": "50.00", "currency": "EUR"}, "state": "created"}])
    );
    assert!(!listed.text().contains(RACK_CODE) && !listed.text().contains(SLIP_CODE));
    for query in ["", "?open=false", "?open=", "?open=true&x=1", "?open=true&open=true"] {
        let refused = house.get(&format!("/v1/sales{query}")).await;
        assert_eq!(refused.problem(), (400, "query_wrong".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_product_says_what_the_bar_code_on_its_rack_cards_means() {
    let house = House::new().await;
    let products = house.get("/v1/products").await.json();
    for product in products["products"].as_array().unwrap() {
        let expected = if product["code"] == POSA { json!("card") } else { Value::Null };
        assert_eq!(product["rack_code"], expected, "{product}");
    }
}
