//! Days through the door: looked at, closed once, printed; and what else a manager asks the shop's things.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::voucher::MONEY;
use super::*;

/// Today where the house stands.
fn today() -> String {
    Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date().to_string()
}

fn tomorrow() -> String {
    Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date().tomorrow().unwrap().to_string()
}

impl House {
    /// Sells a card of 50.00 for a cashier.
    async fn sold(&self, receipt: &str, cashier: &str) {
        let body = one_card(receipt, POR)
            .replace("{\"receipt\"", &format!("{{\"cashier\":\"{cashier}\",\"receipt\""));
        let id = self.post("/v1/sales", receipt, body).await.json()["id"].as_str().unwrap().to_owned();
        let paid =
            self.post(&format!("/v1/sales/{id}/payment"), &format!("{receipt}p"), by_card("50.00")).await;
        assert_eq!(paid.json()["phase"], "done", "{}", paid.text());
    }

    async fn report(&self, day: &str, body: Value) -> Answered {
        let request =
            let_in("POST", &format!("/v1/days/{day}/report")).header("content-type", "application/json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }
}

fn eur(figure: &str, count: u64, amount: &str) -> Value {
    json!({"figure": figure, "count": count, "amount": {"amount": amount, "currency": "EUR"}})
}

#[tokio::test]
async fn a_day_adds_up_by_product_tender_provider_and_cashier() {
    let house = House::new().await;
    house.sold("R1", "Kim").await;
    house.sold("R2", "Kim").await;
    house.sold("R3", "Ada").await;
    let redemption = house.redeemed("k1", MONEY, "B1", r#"{"amount":"5.00","currency":"EUR"}"#).await;
    let read = house.get(&format!("/v1/days/{}", today())).await.json();
    assert_eq!(read["sums"], json!([eur("sold", 3, "150.00"), eur("redeemed", 1, "5.00")]));
    assert_eq!(
        read["by_product"],
        json!([
            {"product": POR, "name": "Card 4001", "sums": [eur("sold", 3, "150.00")]},
            {"product": null, "name": "gift", "sums": [eur("redeemed", 1, "5.00")]},
        ])
    );
    assert_eq!(
        read["by_tender"],
        json!([
            {"tender": "card", "sums": [eur("sold", 3, "150.00")]},
            {"tender": "voucher", "sums": [eur("redeemed", 1, "5.00")]},
        ])
    );
    assert_eq!(
        read["by_cashier"],
        json!([
            {"name": null, "sums": [eur("redeemed", 1, "5.00")]},
            {"name": "Ada", "sums": [eur("sold", 1, "50.00")]},
            {"name": "Kim", "sums": [eur("sold", 2, "100.00")]},
        ])
    );
    let played = json!([{"name": "played", "sums": [eur("sold", 3, "150.00"), eur("redeemed", 1, "5.00")]}]);
    assert_eq!(read["by_provider"], played);
    assert_eq!((&read["closing"], read["open"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_eq!(read["open"][0]["receipt"], "B1");

    house.post(&format!("{redemption}/reverse"), "k2", "").await;
    house.until(&redemption, "cleared").await;
    let read = house.get(&format!("/v1/days/{}", today())).await.json();
    let back = json!([eur("sold", 3, "150.00"), eur("redeemed", 1, "5.00"), eur("given_back", 1, "5.00")]);
    assert_eq!((&read["sums"], &read["open"]), (&back, &json!([])));
    let empty = house.get("/v1/days/2020-02-29").await.json();
    assert_eq!((&empty["sums"], &empty["by_cashier"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_day_is_closed_once_and_what_is_sold_later_belongs_to_the_next() {
    let house = House::new().await;
    house.sold("R1", "Kim").await;
    let x = house.report(&today(), json!({"kind": "x", "print": true})).await.json();
    assert_eq!(
        (&x["closing"], &x["paper"]),
        (&Value::Null, &json!({"paper": "printed", "proof": "process_id"}))
    );
    assert_eq!(house.report(&today(), json!({"kind": "x"})).await.json()["paper"], Value::Null);
    assert_eq!(house.jobs(), 2);

    let z = house.report(&today(), json!({"kind": "z", "by": "Ada Berg", "print": true})).await;
    assert_eq!(z.status, StatusCode::OK, "{}", z.text());
    let z = z.json();
    assert_eq!((&z["closing"]["number"], &z["closing"]["by"]), (&json!(1), &json!("Ada Berg")));
    assert_eq!(z["sums"], json!([eur("sold", 1, "50.00")]));
    assert_eq!(z["closing"]["seq"].as_u64().unwrap(), z["upto"].as_u64().unwrap() + 1);

    // Selling goes on, and the closed day stays as it is.
    house.sold("R2", "Kim").await;
    let again =
        house.report(&today(), json!({"kind": "z", "by": "Somebody Else", "print": true})).await.json();
    assert_eq!((&again["closing"], &again["sums"]), (&z["closing"], &z["sums"]));
    let read = house.get(&format!("/v1/days/{}", today())).await.json();
    assert_eq!((&read["closing"], &read["sums"]), (&z["closing"], &z["sums"]));
    // What came after it is what the next day begins with.
    let next = house.get(&format!("/v1/days/{}", tomorrow())).await.json();
    assert_eq!((&next["after"], &next["sums"]), (&z["upto"], &json!([eur("sold", 1, "50.00")])));

    let house = house.started_again().await;
    assert_eq!(house.get(&format!("/v1/days/{}", today())).await.json()["closing"], z["closing"]);
    house.counter.verify();
    assert_eq!(house.verified().await["state"], "whole");
}

#[tokio::test]
async fn what_was_open_at_a_closing_stays_on_its_papers_and_in_its_day_whatever_is_closed_later() {
    let house = House::new().await;
    house.sold("R1", "Kim").await;
    let five = r#"{"amount":"5.00","currency":"EUR"}"#;
    let first = house.redeemed("k1", MONEY, "B1", five).await;
    let z = json!({"kind": "z", "by": "Ada Berg", "print": true});
    let closed = house.report(&today(), z.clone()).await.json();
    let paper = house.last_slip();
    assert!(paper.contains("B1") && paper.contains("Gutschein: Eingelöst, Korb offen"), "{paper}");

    // By the next morning it is given back, and other things are open.
    house.post(&format!("{first}/reverse"), "k2", "").await;
    house.until(&first, "cleared").await;
    house.redeemed("k3", MONEY, "B2", five).await;
    let house = house.started_again().await;
    let again = house.report(&today(), z).await.json();
    let unmarked = |paper: &str| {
        let kept = |row: &&str| !is_mark(row) && row.chars().any(|sign| !"│ ".contains(sign));
        paper.lines().filter(kept).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(house.last_slip().lines().filter(|row| is_mark(row)).count(), 2);
    assert_eq!(unmarked(&house.last_slip()), unmarked(&paper));
    let read = house.get(&format!("/v1/days/{}", today())).await.json();
    assert_eq!((&again["open"], &read["open"]), (&closed["open"], &closed["open"]));
    let [line] = closed["open"].as_array().unwrap().as_slice() else { panic!("{closed}") };
    assert_eq!((&line["receipt"], &line["state"]), (&json!("B1"), &json!("answered")));

    // The day that is open tells how it stands now.
    let next = house.get(&format!("/v1/days/{}", tomorrow())).await.json();
    let [line] = next["open"].as_array().unwrap().as_slice() else { panic!("{next}") };
    assert_eq!((&line["receipt"], line["open"].as_bool()), (&json!("B2"), Some(true)));
}

#[tokio::test]
async fn what_cannot_be_closed_is_refused_and_changes_nothing() {
    let house = House::new().await;
    house.sold("R1", "Kim").await;
    let z = json!({"kind": "z", "by": "Ada Berg"});
    for (day, body, problem) in [
        (tomorrow(), z.clone(), (409, "day_not_closable")),
        (today(), json!({"kind": "z"}), (422, "field_missing")),
        (today(), json!({"kind": "z", "by": ""}), (422, "field_wrong")),
        (today(), json!({"kind": "y"}), (422, "field_wrong")),
        (today(), json!({"kind": "x", "copies": 2}), (422, "field_unknown")),
        ("2026-02-30".to_owned(), z.clone(), (404, "route_unknown")),
        ("today".to_owned(), z.clone(), (404, "route_unknown")),
    ] {
        let answered = house.report(&day, body).await;
        assert_eq!(answered.problem(), (problem.0, problem.1.to_owned()), "{day}");
    }
    assert_eq!(house.report(&today(), z.clone()).await.json()["closing"]["number"], 1);
    // Days are closed in their order.
    let before = house.report("2020-01-01", z).await;
    assert_eq!(before.problem(), (409, "day_not_closable".to_owned()));
    assert_eq!(house.get("/v1/days/x").await.problem(), (404, "route_unknown".to_owned()));
}

#[tokio::test]
async fn two_who_close_a_day_at_once_get_the_same_closing() {
    let house = House::new().await;
    house.sold("R1", "Kim").await;
    let z = || house.counter.z_report(today().parse().unwrap(), "Ada".parse().unwrap(), false);
    let (one, other) = tokio::join!(z(), z());
    assert_eq!(one.unwrap().report.closing, other.unwrap().report.closing);
}

#[tokio::test]
async fn a_printer_is_tried_by_its_name_and_the_balances_are_asked_for() {
    let house = House::new().await;
    let test = |name: &str| let_in("POST", &format!("/v1/devices/{name}/test")).body(Body::empty()).unwrap();
    let printed = house.send(test("paperless")).await;
    assert_eq!(printed.json(), json!({"paper": "printed", "proof": "process_id"}));
    house.printer_will(JobOutcome::NothingPrinted(Fault::PaperOut));
    assert_eq!(house.send(test("paperless")).await.json(), json!({"paper": "nothing", "fault": "paper_out"}));
    for name in ["slip", "%00", "%ff"] {
        assert_eq!(house.send(test(name)).await.problem(), (404, "device_unknown".to_owned()), "{name}");
    }
    assert_eq!(house.jobs(), 2);

    let read = house.get("/v1/balances").await.json();
    assert_eq!(
        read,
        json!({"balances": [{
            "provider": "played", "available": [{"amount": "1234.50", "currency": "EUR"}],
            "low": false, "low_below": [{"amount": "150.00", "currency": "EUR"}],
        }]})
    );
    house.provider_is_down();
    assert_eq!(house.get("/v1/balances").await.problem(), (503, "no_connection".to_owned()));
}

#[tokio::test]
async fn a_balance_is_low_below_what_the_operator_has_named_else_below_the_dearest_card() {
    let house = House::new().await;
    let balance = house.get("/v1/balances").await.json()["balances"][0].clone();
    let dearest = json!([{"amount": "150.00", "currency": "EUR"}]);
    assert_eq!((&balance["low"], &balance["low_below"]), (&json!(false), &dearest));
    let euros = |text: &str| Money::from_decimal_text(text, Currency::from_code("EUR").unwrap()).unwrap();
    for (least, low) in [("1234.50", false), ("1234.51", true)] {
        let premises = Premises { low_balances: vec![euros(least)], ..premises() };
        let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        let door = app(ApiState::new(house.counter.clone(), token, ADDRESS, premises));
        let asking = let_in("GET", "/v1/balances").body(Body::empty()).unwrap();
        let balance = house.send_to(&door, asking).await.json()["balances"][0].clone();
        assert_eq!(balance["low"], low, "{least}");
        assert_eq!(balance["low_below"], json!([{"amount": least, "currency": "EUR"}]));
    }
}
