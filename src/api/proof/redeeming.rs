//! Redeeming through the door: each route, the refusal as well as the success, and no code, ticket or voucher id anywhere.

use serde_json::{Value, json};
use tilld_domain::voucher::Reversal;
use tilld_providers::vouchers::TargetType;

use super::voucher::{ITEMS, MONEY, PROMOTIONAL, Redeems, SPENT, UNKNOWN};
use super::*;

const PROGRAM: &str = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";
const NOT_THERE: &str = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";

impl House {
    async fn check(&self, body: impl Into<Body>) -> Answered {
        let request = let_in("POST", "/v1/vouchers/check").header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Looks at a voucher, and gives the name of the look.
    pub(super) async fn looked_at(&self, code: &str) -> String {
        let seen = self.check(format!(r#"{{"scan":"{code}"}}"#)).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
        seen.json()["check"].as_str().unwrap().to_owned()
    }

    async fn unlock(&self, body: &'static str) -> Answered {
        let request = let_in("POST", "/v1/vouchers/unlock").header("content-type", "application/json");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn redeem(&self, key: &str, code: &str, basket: &str, amount: &str) -> Answered {
        let check = self.looked_at(code).await;
        self.post("/v1/redemptions", key, redeem(&check, basket, amount)).await
    }

    /// Redeems, and gives the path of the redemption.
    pub(super) async fn redeemed(&self, key: &str, code: &str, basket: &str, amount: &str) -> String {
        let answer = self.redeem(key, code, basket, amount).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.headers["location"].to_str().unwrap().to_owned()
    }

    /// Reads a redemption until it stands in a state.
    pub(super) async fn until(&self, path: &str, state: &str) -> Value {
        loop {
            let read = self.get(path).await.json();
            if read["state"] == state {
                return read;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The only case that waits for a person.
    async fn case(&self) -> Value {
        let list = self.get("/v1/attention").await.json();
        assert_eq!(list["cases"].as_array().unwrap().len(), 1, "{list}");
        list["cases"][0].clone()
    }
}

fn redeem(check: &str, basket: &str, amount: &str) -> String {
    format!(r#"{{"check":"{check}","basket":"{basket}","amount":{amount}}}"#)
}

fn eur(amount: &str) -> String {
    format!(r#"{{"amount":"{amount}","currency":"EUR"}}"#)
}

#[tokio::test]
async fn a_look_shows_what_is_on_a_voucher_and_keeps_its_code_to_itself() {
    let house = House::bare().await;
    // A till's own number, which no binary float holds.
    let ticket = r#"{ "total": 0.10000000000000000555, "lines":[{"name":"Espresso"}] }"#;
    let body = format!(
        r#"{{"scan":"\u0002 0123-4567-8901\r\n","ticket":{ticket},"program":"{PROGRAM}","target":"promotional","cashier":"Łucja"}}"#
    );
    let answer = house.check(body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(!answer.text().contains(MONEY) && !answer.text().contains("v-"), "{}", answer.text());
    let mut seen = answer.json();
    assert!(seen["check"].take().as_str().unwrap().len() == 36);
    assert!(seen["until"].take().as_str().unwrap().ends_with('Z'));
    assert_eq!(
        seen,
        json!({
            "check": null, "until": null, "code": "••••8901", "text": "25.00 EUR left.", "redeemable": true,
            "eligible": {"amount": "25.00", "currency": "EUR"}, "kind": "gift", "booking": "payment",
            "sender": "Aunt Ada", "recipient": "José",
        })
    );
    let heard = house.vouchers.heard.lock().unwrap().clone();
    assert_eq!(heard, Some((Some(ticket.to_owned()), Some(PROGRAM.to_owned()), Some(TargetType::NotGift))));

    for (code, redeemable, eligible, booking, more) in [
        (ITEMS, true, json!({"items": 3}), "payment", ("item", "Espresso")),
        (
            PROMOTIONAL,
            true,
            json!({"amount": "10.00", "currency": "EUR"}),
            "discount",
            ("terms", "From 50 EUR on"),
        ),
        (SPENT, false, Value::Null, "payment", ("description", "Redeemed on 2026-05-01")),
    ] {
        let seen = house.check(format!(r#"{{"scan":"{code}","ticket":null}}"#)).await.json();
        assert_eq!((&seen["redeemable"], &seen["eligible"]), (&json!(redeemable), &eligible), "{seen}");
        assert_eq!((&seen["booking"], &seen[more.0]), (&json!(booking), &json!(more.1)), "{seen}");
    }
}

#[tokio::test]
async fn what_is_no_voucher_is_refused_with_a_sentence_that_says_what_it_is() {
    let house = House::bare().await;
    let long = "x".repeat(1025);
    let pan = "4111 1111 1111 1111";
    for (scan, expected) in [
        ("", (422, "scan_empty")),
        (r"\u0002\r\n", (422, "scan_empty")),
        ("01234567890", (422, "scan_too_short")),
        ("0123456789012345678901", (422, "scan_too_long")),
        (long.as_str(), (422, "scan_too_long")),
        ("4006381333931", (422, "scan_product_code")),
        (pan, (422, "scan_payment_card")),
        ("a b", (422, "scan_unreadable")),
        (r"0123\u00004567\u001b8901", (422, "scan_unreadable")),
        (UNKNOWN, (404, "voucher_not_found")),
    ] {
        let answer = house.check(format!(r#"{{"scan":"{scan}"}}"#)).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{scan:.30}: {}", answer.text());
        assert!(scan.is_empty() || !answer.text().contains(scan), "{}", answer.text());
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(16 * 1024));
    for (body, code, field) in [
        ("{}".to_owned(), "field_missing", "scan"),
        (r#"{"scan":null}"#.to_owned(), "field_wrong", "scan"),
        (r#"{"scan":12345678901}"#.to_owned(), "field_wrong", "scan"),
        (r#"{"scan":"x","scan":"y"}"#.to_owned(), "field_twice", "scan"),
        (r#"{"scan":"x","code":"y"}"#.to_owned(), "field_unknown", "code"),
        (r#"{"scan":"x","ticket":[]}"#.to_owned(), "field_wrong", "ticket"),
        (r#"{"scan":"x","ticket":"{}"}"#.to_owned(), "field_wrong", "ticket"),
        (r#"{"scan":"x","ticket":1.5}"#.to_owned(), "field_wrong", "ticket"),
        (format!(r#"{{"scan":"x","ticket":{large}}}"#), "field_wrong", "ticket"),
        (r#"{"scan":"x","program":"p"}"#.to_owned(), "field_wrong", "program"),
        (r#"{"scan":"x","target":"GIFT"}"#.to_owned(), "field_wrong", "target"),
        (format!(r#"{{"scan":"x","cashier":"{pan}"}}"#), "field_wrong", "cashier"),
    ] {
        let answer = house.check(body).await;
        assert_eq!(answer.problem().1, code, "{}", answer.text());
        assert_eq!(answer.json()["field"], field, "{}", answer.text());
        assert!(!answer.text().contains("4111"), "{}", answer.text());
    }
    *house.vouchers.is_down.lock().unwrap() = true;
    let down = house.check(format!(r#"{{"scan":"{MONEY}"}}"#)).await;
    assert_eq!(down.problem(), (503, "voucher_not_checked".to_owned()));
}

#[tokio::test]
async fn after_five_wrong_codes_a_manager_lets_the_terminal_try_again() {
    let house = House::bare().await;
    for _ in 0..5 {
        assert_eq!(house.check(format!(r#"{{"scan":"{UNKNOWN}"}}"#)).await.problem().0, 404);
    }
    let stopped = house.check(format!(r#"{{"scan":"{MONEY}"}}"#)).await;
    assert_eq!(stopped.problem(), (429, "too_many_tries".to_owned()));
    // The first of them counts for ten minutes.
    let pause: u32 = stopped.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((541..=600).contains(&pause), "{pause}");
    assert!(stopped.text().contains("or wait 10 min."), "{}", stopped.text());
    for body in ["", "{}", r#"{"by":null}"#, r#"{"by":""}"#, r#"{"by":"4111 1111 1111 1111"}"#] {
        assert!(house.unlock(body).await.status.is_client_error(), "{body}");
    }
    assert_eq!(house.check(format!(r#"{{"scan":"{MONEY}"}}"#)).await.problem().0, 429);
    let unlocked = house.unlock(r#"{"by":"Ada Berg"}"#).await;
    assert_eq!((unlocked.status, unlocked.bytes.len()), (StatusCode::NO_CONTENT, 0));
    house.looked_at(MONEY).await;
}

#[tokio::test]
async fn a_part_is_redeemed_completed_and_given_back_by_a_manager() {
    let house = House::bare().await;
    let check = house.looked_at(MONEY).await;
    let body = redeem(&check, "B1", &eur("12.5")).replacen('{', r#"{"cashier":"Łucja","locale":"fr-FR","#, 1);
    let answer = house.post("/v1/redemptions", "k1", body.clone()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let mut got = answer.json();
    let path = format!("/v1/redemptions/{}", got["id"].as_str().unwrap());
    assert_eq!(answer.headers["location"], path.as_str());
    for member in ["id", "opened_at", "updated_at", "seq"] {
        assert!(!got.as_object_mut().unwrap().remove(member).unwrap().is_null());
    }
    assert_eq!(
        got,
        json!({
            "basket": "B1", "provider": "played", "store": "DE-0815", "terminal": "till-3", "cashier": "Łucja",
            "code": "••••8901", "kind": "gift", "booking": "payment", "state": "answered",
            "screen": {"code": "redeemed_as_payment", "text": "Redeemed: 12.50 EUR. Book it as payment."},
            "amount": {"amount": "12.50", "currency": "EUR"}, "counts": "for",
            "counted": {"amount": "12.50", "currency": "EUR"},
            "taken": {"worth": {"amount": "12.50", "currency": "EUR"}, "left": {"amount": "12.50", "currency": "EUR"}, "by": "answer"},
            "provider_redemption": "rd-1", "other_payment": true,
        })
    );
    assert_eq!(house.get(&path).await.bytes, answer.bytes);
    let again = house.post("/v1/redemptions", "k1", format!(" {} ", body.replace("12.5", "12.50"))).await;
    assert_eq!((again.status, &again.bytes), (StatusCode::CREATED, &answer.bytes));
    for other in [
        body.replace("12.5", "12.51"),
        body.replace("B1", "B2"),
        body.replace("fr-FR", "de-DE"),
        body.replace("Łucja", "Kim"),
        body.replacen('{', r#"{"terms_confirmed":true,"#, 1),
        body.replace(&check, NOT_THERE),
    ] {
        let reused = house.post("/v1/redemptions", "k1", other.clone()).await;
        assert_eq!(reused.problem(), (409, "request_key_reused".to_owned()), "{other}");
    }

    let completed = house.post(&format!("{path}/complete"), "k2", r#"{"by":"Łucja"}"#).await;
    assert_eq!((completed.status, &completed.json()["state"]), (StatusCode::OK, &json!("completed")));
    // Its first answer, although it has gone on since.
    let repeated = house.post("/v1/redemptions", "k1", body.clone()).await;
    assert_eq!((repeated.status, repeated.text()), (StatusCode::CREATED, answer.text()));
    let twice = house.post(&format!("{path}/complete"), "k3", "").await;
    assert_eq!(twice.problem(), (409, "redemption_closed".to_owned()));

    let reverse = format!("{path}/reverse");
    for (body, expected) in [
        ("", (403, "manager_needed")),
        (r#"{"by":"Ada Berg"}"#, (403, "manager_needed")),
        (r#"{"manager":true}"#, (422, "field_missing")),
        (r#"{"manager":"true","by":"Ada Berg"}"#, (422, "field_wrong")),
        (r#"{"manager":true,"by":"4111111111111111"}"#, (422, "field_wrong")),
    ] {
        let refused = house.post(&reverse, "k4", body).await;
        assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{body}");
    }
    let manager = r#"{"manager":true,"by":"Ada Berg"}"#;
    let owed = house.post(&reverse, "k4", manager).await;
    assert_eq!(owed.status, StatusCode::OK, "{}", owed.text());
    let view = owed.json();
    assert_eq!(
        (&view["state"], &view["counts"], &view["counted"]),
        (&json!("owed"), &json!("nothing"), &Value::Null)
    );
    assert_eq!((&view["owed"]["why"], &view["owed"]["late_success"]), (&json!("taken_back"), &json!(false)));
    let cleared = house.until(&path, "cleared").await;
    assert_eq!(cleared["screen"]["code"], "given_back");

    let house = house.started_again().await;
    for (answered, path, body, key) in [
        (&answer, "/v1/redemptions".to_owned(), body.as_str(), "k1"),
        (&completed, format!("{path}/complete"), r#"{"by":"Łucja"}"#, "k2"),
        (&owed, reverse, manager, "k4"),
    ] {
        let repeated = house.post(&path, key, body.to_owned()).await;
        assert_eq!((repeated.status, repeated.text()), (answered.status, answered.text()), "{key}");
    }
}

#[tokio::test]
async fn an_amount_is_said_exactly_and_once() {
    let house = House::bare().await;
    let check = house.looked_at(MONEY).await;
    for (amount, expected, field) in [
        ("null", (422, "field_wrong"), json!("amount")),
        (r#""12.50""#, (422, "field_wrong"), json!("amount")),
        ("12.50", (422, "field_wrong"), json!("amount")),
        ("{}", (422, "field_missing"), json!("amount.amount")),
        (r#"{"amount":"12.50"}"#, (422, "field_missing"), json!("amount.currency")),
        (r#"{"currency":"EUR"}"#, (422, "field_missing"), json!("amount.amount")),
        (r#"{"amount":"12.50","currency":"EUR","items":2}"#, (422, "field_wrong"), json!("amount")),
        (r#"{"items":2,"currency":"EUR"}"#, (422, "field_wrong"), json!("amount")),
        (r#"{"amount":"1","amount":"2","currency":"EUR"}"#, (422, "field_twice"), json!("amount.amount")),
        (r#"{"items":1,"items":1}"#, (422, "field_twice"), json!("amount.items")),
        (r#"{"amount":12.50,"currency":"EUR"}"#, (422, "field_wrong"), json!("amount.amount")),
        (r#"{"amount":null,"currency":"EUR"}"#, (422, "field_wrong"), json!("amount.amount")),
        (r#"{"amount":"12.501","currency":"EUR"}"#, (422, "field_wrong"), json!("amount")),
        (r#"{"amount":"-1.00","currency":"EUR"}"#, (422, "field_wrong"), json!("amount")),
        (r#"{"amount":"12.50","currency":"XYZ"}"#, (422, "field_wrong"), json!("amount")),
        (r#"{"items":-1}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":2.0}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":1e0}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":4294967296}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":18446744073709551616}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":"2"}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"items":null}"#, (422, "field_wrong"), json!("amount.items")),
        (r#"{"all":true}"#, (422, "field_unknown"), json!("amount.all")),
        (r#"["12.50","EUR"]"#, (422, "field_wrong"), json!("amount")),
        (r#"{"items":0}"#, (422, "nothing_to_redeem"), Value::Null),
        (r#"{"items":2}"#, (422, "voucher_of_money"), Value::Null),
        (&eur("0.00"), (422, "nothing_to_redeem"), Value::Null),
        (&eur("25.01"), (409, "more_than_eligible"), Value::Null),
        (r#"{"amount":"12.50","currency":"CHF"}"#, (422, "voucher_currency"), Value::Null),
    ] {
        let answer = house.post("/v1/redemptions", "k1", redeem(&check, "B1", amount)).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{amount}: {}", answer.text());
        assert_eq!(answer.json()["field"], field, "{amount}: {}", answer.text());
    }
    let right = redeem(&check, "B1", &eur("25.00"));
    for (body, expected) in [
        (right.replace(&check, NOT_THERE), (409, "check_expired")),
        (right.replace(&check, "x"), (422, "field_wrong")),
        (right.replace("B1", "4111 1111 1111 1111"), (422, "field_wrong")),
        (right.replace("B1", r"B\n1"), (422, "field_wrong")),
        (right.replacen('{', r#"{"cashier":"4111111111111111","#, 1), (422, "field_wrong")),
        (right.replacen('{', r#"{"code":"1","#, 1), (422, "field_unknown")),
        (right.replace(r#","amount":{"amount":"25.00","currency":"EUR"}"#, ""), (422, "field_missing")),
    ] {
        let answer = house.post("/v1/redemptions", "k1", body.clone()).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{body}: {}", answer.text());
        assert!(!answer.text().contains("4111"));
    }
    // Nothing of all this left a trace: the key is free, and everything is still on the voucher.
    assert_eq!(house.post("/v1/redemptions", "k1", right).await.json()["state"], "answered");
}

#[tokio::test]
async fn items_are_counted_and_a_promotional_voucher_is_a_discount_once_its_terms_are_confirmed() {
    let house = House::bare().await;
    let items = house.redeem("k1", ITEMS, "B1", r#"{"items":2}"#).await.json();
    assert_eq!((&items["counted"], &items["item"]), (&json!({"items": 2}), &json!("Espresso")));
    assert_eq!(items["taken"]["left"], json!({"items": 1}));

    let check = house.looked_at(PROMOTIONAL).await;
    let body = redeem(&check, "B2", &eur("10.00"));
    for terms in ["", r#""terms_confirmed":false,"#, r#""terms_confirmed":null,"#] {
        let unread = house.post("/v1/redemptions", "k2", body.replacen('{', &format!("{{{terms}"), 1)).await;
        assert_eq!(unread.problem(), (422, "terms_not_confirmed".to_owned()), "{terms}");
    }
    let confirmed = body.replacen('{', r#"{"terms_confirmed":true,"#, 1);
    let promotional = house.post("/v1/redemptions", "k2", confirmed).await.json();
    assert_eq!((&promotional["kind"], &promotional["booking"]), (&json!("promotional"), &json!("discount")));
    assert_eq!(promotional["screen"]["code"], "redeemed_as_discount");
}

#[tokio::test]
async fn the_same_voucher_in_the_same_basket_is_the_same_redemption() {
    let house = House::bare().await;
    let first = house.redeem("k1", MONEY, "B1", &eur("5.00")).await;
    let body = redeem(&house.looked_at(MONEY).await, "B1", &eur("5.00"));
    let second = house.post("/v1/redemptions", "k2", body.clone()).await;
    // It is written down that it was asked for once more: that is all that is newer.
    let but_for_that = |answer: &Answered| {
        let mut view = answer.json();
        view["seq"].take();
        view["updated_at"].take();
        view
    };
    assert_eq!((second.status, but_for_that(&second)), (StatusCode::CREATED, but_for_that(&first)));
    assert_eq!((&first.json()["seq"], &second.json()["seq"]), (&json!(3), &json!(4)));
    let again = house.post("/v1/redemptions", "k2", body).await;
    assert_eq!((again.status, &again.bytes), (StatusCode::CREATED, &second.bytes));
    let another = house.redeem("k2", MONEY, "B1", &eur("5.00")).await;
    assert_eq!(another.problem(), (409, "request_key_reused".to_owned()));
    let other = house.redeem("k3", MONEY, "B1", &eur("6.00")).await;
    assert_eq!(other.problem(), (409, "voucher_twice".to_owned()));
    let basket = house.get("/v1/baskets/B1").await.json();
    assert_eq!(basket, json!({"basket": "B1", "redemptions": [second.json()], "other_payment": true}));
    let reversed =
        house.post(&format!("{}/reverse", first.headers["location"].to_str().unwrap()), "k4", "").await;
    assert_eq!(reversed.json()["screen"]["code"], "giving_back", "{}", reversed.text());
}

#[tokio::test]
async fn that_the_provider_refuses_a_redeem_is_an_answer_and_no_error() {
    let house = House::bare().await;
    *house.vouchers.redeems.lock().unwrap() = Redeems::Refuse;
    let refused = house.redeem("k1", MONEY, "B1", &eur("5.00")).await;
    assert_eq!(refused.status, StatusCode::CREATED, "{}", refused.text());
    let view = refused.json();
    assert_eq!(
        (&view["state"], &view["counts"], &view["other_payment"]),
        (&json!("not_redeemed"), &json!("nothing"), &json!(true))
    );
    assert_eq!(view["refusal"]["code"], "redeem_refused");
    assert_eq!(view["refusal"]["text"], view["screen"]["text"]);
}

#[tokio::test]
async fn less_than_asked_for_is_a_question_and_is_answered_by_one_of_its_choices() {
    for (answer, state, counts) in [("accept", "answered", "for"), ("take_back", "owed", "nothing")] {
        let house = House::bare().await;
        *house.vouchers.redeems.lock().unwrap() = Redeems::Less(500);
        let path = house.redeemed("k1", MONEY, "B1", &eur("12.50")).await;
        let view = house.get(&path).await.json();
        assert_eq!(
            (&view["state"], &view["counts"], &view["other_payment"]),
            (&json!("granted_less"), &json!("open"), &json!(false))
        );
        assert_eq!(view["taken"]["worth"], json!({"amount": "5.00", "currency": "EUR"}));
        let mut question = view["question"].clone();
        assert!(question.as_object_mut().unwrap().remove("until").unwrap().is_string());
        assert_eq!(
            question,
            json!({"asks": "accept_less", "who": "cashier", "choices": ["accept", "take_back"]})
        );
        let basket = house.get("/v1/baskets/B1").await.json();
        assert_eq!(
            (&basket["other_payment"], &basket["why"]["code"]),
            (&json!(false), &json!("open_question"))
        );
        let case = house.case().await;
        assert_eq!(
            (&case["case"], &case["urgent"], &case["who"]),
            (&json!("accept_less"), &json!(true), &json!("cashier"))
        );
        let other = house.redeem("k2", ITEMS, "B1", r#"{"items":1}"#).await;
        assert_eq!(other.problem(), (409, "open_question".to_owned()));
        assert_eq!(other.json()["questions"], json!([case]), "with what is asked");
        for (body, expected) in [
            (r#"{"answer":"used"}"#, (409, "not_asked")),
            (r#"{"answer":"print"}"#, (422, "field_wrong")),
            (r#"{"answer":"accept","by":"4111111111111111"}"#, (422, "field_wrong")),
            ("{}", (422, "field_missing")),
        ] {
            let refused = house.post(&format!("{path}/answer"), "k3", body).await;
            assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{body}");
        }
        for action in ["complete", "reverse"] {
            let early = house.post(&format!("{path}/{action}"), "k3", "").await;
            assert_eq!(early.problem(), (409, "open_question".to_owned()), "{action}");
            assert_eq!(early.json()["questions"], json!([case]), "{action}");
        }
        let body = format!(r#"{{"answer":"{answer}","by":"Łucja"}}"#);
        let answered = house.post(&format!("{path}/answer"), "k3", body).await;
        assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
        assert_eq!((&answered.json()["state"], &answered.json()["counts"]), (&json!(state), &json!(counts)));
    }
}

/// Redeems without an answer until it is being found out; gives the redeem's answer once a scan has told.
async fn scanned_again(house: &House, scan: &str) -> (Answered, Answered) {
    let scanning = async {
        let path = loop {
            let basket = house.get("/v1/baskets/B1").await.json();
            if basket["redemptions"][0]["state"] == "comparing" {
                assert_eq!(
                    (&basket["other_payment"], &basket["why"]["code"]),
                    (&json!(false), &json!("still_working"))
                );
                break format!("/v1/redemptions/{}", basket["redemptions"][0]["id"].as_str().unwrap());
            }
            tokio::task::yield_now().await;
        };
        let scans = format!("{path}/scan");
        for (body, expected) in [
            (format!(r#"{{"scan":"{ITEMS}"}}"#), (409, "another_voucher")),
            (format!(r#"{{"scan":"{UNKNOWN}"}}"#), (404, "voucher_not_found")),
            (r#"{"scan":"012"}"#.to_owned(), (422, "scan_too_short")),
            (r#"{"scan":"4111 1111 1111 1111"}"#.to_owned(), (422, "scan_payment_card")),
            ("{}".to_owned(), (422, "field_missing")),
        ] {
            let refused = house.post(&scans, "k2", body.clone()).await;
            assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{body}");
            assert!(!refused.text().contains(ITEMS) && !refused.text().contains("4111"));
        }
        for action in ["complete", "reverse"] {
            let early = house.post(&format!("{path}/{action}"), "k2", "").await;
            assert_eq!(early.problem(), (409, "still_working".to_owned()), "{action}");
        }
        let body = format!(r#"{{"scan":"{scan}"}}"#);
        let told = house.post(&scans, "k2", body.clone()).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text());
        assert_eq!(house.post(&scans, "k2", body).await.bytes, told.bytes);
        let other = house.post(&scans, "k2", format!(r#"{{"scan":"{ITEMS}"}}"#)).await;
        assert_eq!(other.problem(), (409, "request_key_reused".to_owned()));
        told
    };
    let amount = eur("12.50");
    tokio::join!(house.redeem("k1", MONEY, "B1", &amount), scanning)
}

#[tokio::test]
async fn a_redeem_without_an_answer_blocks_its_basket_until_another_scan_tells() {
    let house = House::bare().await;
    *house.vouchers.redeems.lock().unwrap() = Redeems::Silent(0);
    let (redeemed, told) = scanned_again(&house, MONEY).await;
    assert_eq!((redeemed.status, &redeemed.bytes), (StatusCode::CREATED, &told.bytes));
    let view = told.json();
    assert_eq!((&view["state"], &view["taken"]["by"]), (&json!("answered"), &json!("balance")));
    assert!(view.get("provider_redemption").is_none());
    // Without the provider's name for it a manager must know of it.
    let path = redeemed.headers["location"].to_str().unwrap().to_owned();
    house.post(&format!("{path}/complete"), "k3", "").await;
    let case = house.case().await;
    assert_eq!((&case["case"], &case["verdicts"]), (&json!("applied_without_id"), &json!(["used"])));
    let settled = house
        .post(&format!("{path}/settle"), "k4", r#"{"verdict":"used","by":"Ada Berg","reason":"seen"}"#)
        .await;
    assert_eq!((&settled.json()["state"], &settled.json()["counts"]), (&json!("settled"), &json!("for")));
}

#[tokio::test]
async fn what_nobody_can_tell_is_a_managers_case_and_closed_with_a_verdict_and_a_reason() {
    let house = House::bare().await;
    *house.vouchers.redeems.lock().unwrap() = Redeems::Silent(300);
    let (redeemed, told) = scanned_again(&house, MONEY).await;
    assert_eq!(redeemed.bytes, told.bytes);
    assert_eq!((&told.json()["state"], &told.json()["other_payment"]), (&json!("unclear"), &json!(false)));
    let path = redeemed.headers["location"].to_str().unwrap().to_owned();
    let mut case = house.case().await;
    let replacement = case["replacement"].take();
    assert!(replacement.as_str().unwrap().contains("••••8901"), "{replacement}");
    assert!(case.as_object_mut().unwrap().remove("since").unwrap().is_string());
    assert_eq!(
        case,
        json!({
            "redemption": told.json()["id"], "basket": "B1", "code": "••••8901",
            "amount": {"amount": "12.50", "currency": "EUR"}, "case": "voucher_unclear", "text": case["text"],
            "who": "manager", "choices": [], "verdicts": ["used", "not_used"], "replacement": null, "urgent": true,
        })
    );
    let settle = format!("{path}/settle");
    for (body, expected) in [
        (r#"{"verdict":"not_used","by":"Ada Berg"}"#, (422, "field_missing")),
        (r#"{"verdict":"not_used","reason":"x"}"#, (422, "field_missing")),
        (r#"{"verdict":"maybe","by":"Ada Berg","reason":"x"}"#, (422, "field_wrong")),
        (r#"{"verdict":"not_used","by":"Ada Berg","reason":" "}"#, (422, "reason_missing")),
        (r#"{"verdict":"not_used","by":"Ada Berg","reason":"4111111111111111"}"#, (422, "reason_missing")),
        (r#"{"verdict":"not_used","by":"Ada Berg","reason":"a\u0000b"}"#, (422, "reason_missing")),
        (r#"{"verdict":"not_used","by":"4111111111111111","reason":"x"}"#, (422, "field_wrong")),
    ] {
        let refused = house.post(&settle, "k3", body).await;
        assert_eq!(refused.problem(), (expected.0, expected.1.to_owned()), "{body}");
        assert!(!refused.text().contains("4111"));
    }
    let body = r#"{"verdict":"not_used","by":"Ada Berg","reason":"The support says so."}"#;
    let settled = house.post(&settle, "k3", body).await;
    assert_eq!((&settled.json()["state"], &settled.json()["counts"]), (&json!("settled"), &json!("nothing")));
    assert_eq!(house.post(&settle, "k3", body).await.bytes, settled.bytes);
    assert_eq!(house.get("/v1/baskets/B1").await.json()["other_payment"], true);
    assert_eq!(house.get("/v1/attention").await.json(), json!({"cases": []}));
    assert_eq!(house.post(&settle, "k4", body).await.problem(), (409, "redemption_closed".to_owned()));
}

#[tokio::test]
async fn a_reversal_that_the_provider_refuses_is_tried_again_only_by_a_manager() {
    let house = House::bare().await;
    let path = house.redeemed("k1", MONEY, "B1", &eur("12.50")).await;
    *house.vouchers.refuses_reversals.lock().unwrap() = true;
    house.post(&format!("{path}/reverse"), "k2", r#"{"by":"Łucja"}"#).await;
    let stuck = house.until(&path, "stuck").await;
    assert_eq!(
        (&stuck["refusal"]["code"], &stuck["owed"]["why"]),
        (&json!("reverse_refused"), &json!("taken_back"))
    );
    assert_eq!(stuck["question"], json!({"asks": "try_again", "who": "manager", "choices": ["try_again"]}));
    assert_eq!(stuck["other_payment"], true);
    let case = house.case().await;
    assert_eq!((&case["case"], &case["verdicts"]), (&json!("reversal_refused"), &json!(["not_used"])));
    assert!(case["replacement"].as_str().unwrap().contains("rd-1"), "{case}");
    let answer = format!("{path}/answer");
    let nobody = house.post(&answer, "k3", r#"{"answer":"try_again"}"#).await;
    assert_eq!(nobody.problem(), (403, "manager_needed".to_owned()));
    *house.vouchers.refuses_reversals.lock().unwrap() = false;
    let again = house.post(&answer, "k3", r#"{"answer":"try_again","by":"Ada Berg"}"#).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    house.until(&path, "cleared").await;
}

#[tokio::test]
async fn the_health_tells_of_vouchers_and_whether_a_reversal_is_confirmed() {
    let house = House::bare().await;
    let before = house.get("/v1/health").await.json();
    assert_eq!((&before["vouchers"], &before["open_redemptions"]), (&Value::Null, &json!(0)));
    assert_eq!(before["reversal_confirmed"], true);
    let path = house.redeemed("k1", MONEY, "B1", &eur("5.00")).await;
    let after = house.get("/v1/health").await.json();
    assert_eq!((&after["vouchers"]["up"], &after["open_redemptions"]), (&json!(true), &json!(1)));
    *house.vouchers.reversal.lock().unwrap() = Reversal::NotConfirmed;
    assert_eq!(house.get("/v1/health").await.json()["reversal_confirmed"], false);
    house.post(&format!("{path}/complete"), "k2", "").await;
    assert_eq!(house.get("/v1/health").await.json()["open_redemptions"], 0);
    *house.vouchers.is_down.lock().unwrap() = true;
    house.check(format!(r#"{{"scan":"{MONEY}"}}"#)).await;
    assert_eq!(house.get("/v1/health").await.json()["vouchers"]["up"], false);
}

#[tokio::test]
async fn where_vouchers_are_not_set_up_nothing_is_redeemed() {
    let house = House::without_vouchers().await;
    let not_set_up = (409, "vouchers_not_set_up".to_owned());
    assert_eq!(house.check(format!(r#"{{"scan":"{MONEY}"}}"#)).await.problem(), not_set_up);
    assert_eq!(house.unlock(r#"{"by":"Ada Berg"}"#).await.problem(), not_set_up);
    let body = redeem(NOT_THERE, "B1", &eur("5.00"));
    assert_eq!(house.post("/v1/redemptions", "k1", body).await.problem(), not_set_up);
    let health = house.get("/v1/health").await.json();
    assert_eq!((&health["vouchers"], health.get("reversal_confirmed")), (&Value::Null, None));
}

#[tokio::test]
async fn the_health_says_when_redemptions_are_open_and_nobody_is_asked_about_them_any_more() {
    let trouble = async |house: &House| house.get("/v1/health").await.json()["vouchers_trouble"].clone();
    let house = House::bare().await;
    let open = house.redeemed("k1", MONEY, "B1", &eur("5.00")).await;
    assert_eq!(trouble(&house).await, Value::Null, "its provider is set up");
    let house = house.started_without_vouchers().await;
    let said = trouble(&house).await;
    assert!(said.as_str().unwrap().contains("Set it up again"), "{said}");
    assert_eq!(house.post(&format!("{open}/complete"), "k2", "").await.status, StatusCode::OK);
    assert_eq!(trouble(&house).await, Value::Null, "nothing is open");
}

#[tokio::test]
async fn a_redemption_that_is_not_there_is_not_found_and_a_basket_without_one_is_free() {
    let house = House::bare().await;
    let unknown = (404, "redemption_unknown".to_owned());
    for id in [NOT_THERE, "x", "%00", "%ff"] {
        let path = format!("/v1/redemptions/{id}");
        assert_eq!(house.get(&path).await.problem(), unknown, "{id}");
        for (action, body) in [
            ("complete", ""),
            ("reverse", ""),
            ("answer", r#"{"answer":"used"}"#),
            ("settle", r#"{"verdict":"used","by":"Ada","reason":"x"}"#),
            ("scan", r#"{"scan":"012345678901"}"#),
        ] {
            let answer = house.post(&format!("{path}/{action}"), "k1", body).await;
            assert_eq!(answer.problem(), unknown, "{id} {action}");
            assert!(!answer.text().contains(MONEY));
        }
    }
    let free = house.get("/v1/baskets/till%203%2F17").await;
    assert_eq!(free.json(), json!({"basket": "till 3/17", "redemptions": [], "other_payment": true}));
    for name in ["%00", "%ff", "4111111111111111", "%20B1"] {
        let answer = house.get(&format!("/v1/baskets/{name}")).await;
        assert_eq!(answer.problem(), (422, "field_wrong".to_owned()), "{name}");
        assert!(!answer.text().contains("4111"));
    }
}
