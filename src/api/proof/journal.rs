//! The journal through the door: searched, read entry by entry, taken out, verified.

use serde_json::json;

use super::voucher::MONEY;
use super::*;

impl House {
    /// A sale that is sold, a sale that was refused, and a redemption.
    async fn busy() -> (Self, String, String) {
        let house = Self::new().await;
        let cards = [card(POR, "por", "50.00", None), card(POSA, "posa", "25.00", Some(RACK_CODE))];
        let body = sale("R-0042", &cards).replace("{\"receipt\"", "{\"cashier\":\"Kim Weber\",\"receipt\"");
        let opened = house.post("/v1/sales", "k1", body).await.json();
        let id = opened["id"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
        house.post(&format!("/v1/sales/{id}/payment"), "k2", by_card("75.00")).await;
        house.post("/v1/sales", "k3", one_card("=R-0043, \\\"x\\\"", REFUSED)).await;
        let redemption = house.redeemed("k4", MONEY, "B1", r#"{"amount":"5.00","currency":"EUR"}"#).await;
        (house, id, redemption.rsplit('/').next().unwrap().to_owned())
    }

    async fn found(&self, query: &str) -> Value {
        self.get(&format!("/v1/journal{query}")).await.json()
    }
}

fn receipts(page: &Value) -> Vec<String> {
    let lines = page["lines"].as_array().unwrap().iter();
    lines.map(|line| format!("{}/{}", line["receipt"].as_str().unwrap(), line["card"])).collect()
}

#[tokio::test]
async fn what_was_just_sold_is_found_by_what_people_know_of_it() {
    let (house, id, redemption) = House::busy().await;
    for (query, expected) in [
        ("", vec!["B1/null", "=R-0043, \"x\"/1", "R-0042/2", "R-0042/1"]),
        ("?search=r-0042", vec!["R-0042/2", "R-0042/1"]),
        ("?search=42", vec!["R-0042/2", "R-0042/1"]),
        ("?search=0123", vec!["R-0042/2"]),
        ("?search=25.00", vec!["R-0042/2"]),
        ("?search=card+4001+sold", vec!["R-0042/1"]),
        ("?kind=redemption", vec!["B1/null"]),
        ("?state=not_sold", vec!["=R-0043, \"x\"/1"]),
        ("?product=4002&amount=25", vec!["R-0042/2"]),
        ("?cashier=kim+weber", vec!["R-0042/2", "R-0042/1"]),
        ("?open=true", vec!["B1/null"]),
        ("?to=2020-01-01", vec![]),
        ("?from=2020-01-01&to=2199-12-31T00:00:00Z&state=sold", vec!["R-0042/2", "R-0042/1"]),
    ] {
        let page = house.found(query).await;
        assert_eq!(receipts(&page), expected, "{query}");
        assert_eq!((&page["next"], &page["searched"]), (&Value::Null, &page["last"]), "{query}");
    }
    let page = house.found("?limit=3").await;
    let next = page["next"].as_str().unwrap().to_owned();
    assert_eq!(receipts(&page).len(), 3);
    assert_eq!(receipts(&house.found(&format!("?limit=3&before={next}")).await), ["R-0042/1"]);

    let line = &house.found(&format!("?search={id}&search_")).await;
    assert_eq!(line["code"], "query_wrong");
    let line = &house.found("?search=0123").await["lines"][0];
    for (field, expected) in [
        ("kind", json!("sale")),
        ("id", json!(id)),
        ("sort", json!("posa")),
        ("amount", json!({"amount": "25.00", "currency": "EUR"})),
        ("state", json!("sold")),
        ("word", json!("Sold")),
        ("open", json!(false)),
        ("code", json!("••••0123")),
    ] {
        assert_eq!(line[field], expected, "{field}");
    }
    let line = &house.found(&format!("?search={redemption}")).await["lines"][0];
    assert_eq!((&line["state"], &line["word"]), (&json!("answered"), &json!("Redeemed, basket open")));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_by_the_name_of_its_parameter() {
    let house = House::bare().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("before=-1", "before"),
        ("kind=card", "kind"),
        ("open=yes", "open"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("nothing=1", ""),
        ("limit=1&limit=2", ""),
        ("format=csv", ""),
    ] {
        let answered = house.get(&format!("/v1/journal?{query}")).await;
        assert_eq!(answered.problem(), (400, "query_wrong".to_owned()), "{query}");
        assert_eq!(answered.json()["field"].as_str().unwrap_or_default(), field, "{query}");
    }
    let long = format!("/v1/journal?search={}", "x".repeat(129));
    assert_eq!(house.get(&long).await.problem(), (400, "query_wrong".to_owned()));
    for query in ["", "?format=xls", "?format=csv&limit=5", "?format=csv&before=9"] {
        let answered = house.get(&format!("/v1/journal/export{query}")).await;
        assert_eq!(answered.problem(), (400, "query_wrong".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_sale_and_a_redemption_are_told_entry_by_entry_without_a_secret() {
    let (house, id, redemption) = House::busy().await;
    let answered = house.get(&format!("/v1/journal/sales/{id}")).await;
    let history = answered.json();
    let entries = history["entries"].as_array().unwrap();
    let told = |entry: &Value| {
        format!("{} {} {}", entry["what"].as_str().unwrap(), entry["card"], entry["answered"]["outcome"])
    };
    assert_eq!(
        entries.iter().map(told).collect::<Vec<_>>()[..4],
        ["opened null null", "create_ended 1 \"done\"", "create_ended 2 \"done\"", "paid null null"]
    );
    assert_eq!(history["lines"].as_array().unwrap().len(), 2);
    assert_eq!(entries[0]["by"], "Kim Weber");
    assert_eq!(entries[0]["facts"]["cards"][1]["code"], "••••0123");
    assert_eq!(entries[0]["sent"][1], json!({"call": "create", "card": 2, "body": POSA}));
    assert_eq!(entries[3]["facts"]["tender"], json!({"kind": "card"}));
    assert_eq!(entries[3]["sent"][0]["body"], "confirm");
    let printed = entries.iter().find(|entry| entry["what"] == "print_ended").unwrap();
    assert_eq!(printed["facts"]["paper"], json!({"paper": "printed", "proof": "process_id"}));
    for secret in [SLIP_CODE, RACK_CODE] {
        assert!(!answered.text().contains(secret));
    }

    let answered = house.get(&format!("/v1/journal/redemptions/{redemption}")).await;
    let history = answered.json();
    assert_eq!(history["entries"][0]["sent"][0]["call"], "redeem");
    assert_eq!(history["entries"][0]["facts"]["code"], history["lines"][0]["code"]);
    assert_eq!(history["entries"][1]["answered"]["outcome"], "done");
    assert!(!answered.text().contains(MONEY));
    let now = house.counter.redemption(redemption.parse().unwrap()).await.unwrap();
    assert!(!answered.text().contains(now.redemption.opening.voucher.as_str()));

    let none = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";
    for (path, code) in [("sales", "sale_unknown"), ("redemptions", "redemption_unknown")] {
        for id in [none, "x"] {
            let answered = house.get(&format!("/v1/journal/{path}/{id}")).await;
            assert_eq!(answered.problem(), (404, code.to_owned()), "{path} {id}");
        }
    }
}

#[tokio::test]
async fn a_selection_is_taken_out_as_csv_and_as_json_lines() {
    let (house, id, _) = House::busy().await;
    let csv = house.get("/v1/journal/export?format=csv&kind=sale&state=sold").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"journal.csv\"");
    let text = csv.text();
    let rows: Vec<&str> = text.trim_start_matches('\u{feff}').split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("kind,id,card,order,receipt,"));
    assert!(rows[1].starts_with(&format!("sale,{id},2,")), "{}", rows[1]);
    // A receipt is no formula, and stays in its cell.
    let refused = house.get("/v1/journal/export?format=csv&state=not_sold").await.text();
    assert!(refused.contains(",\"'=R-0043, \"\"x\"\"\","), "{refused}");

    let lines = house.get("/v1/journal/export?format=jsonl").await;
    let read: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(read), house.found("").await["lines"]);
    assert_eq!(house.get("/v1/journal/export?format=jsonl&to=2020-01-01").await.text(), "");
}

#[tokio::test]
async fn the_chain_is_verified_beside_selling_and_what_was_found_is_kept() {
    let (house, ..) = House::busy().await;
    assert_eq!(house.found("/verification").await, json!({"state": "never"}));
    let begun = house.send(let_in("POST", "/v1/journal/verification").body(Body::empty()).unwrap()).await;
    assert_eq!((begun.status.as_u16(), &begun.json()["state"]), (202, &json!("running")));
    let verified = house.verified().await;
    assert_eq!(verified["state"], "whole");
    assert_eq!(verified["entries"], house.found("").await["last"]);

    let file = rusqlite::Connection::open(house.disk.path().join("journal/journal.db")).unwrap();
    file.execute_batch("DROP TRIGGER entry_is_not_changed; UPDATE entry SET at = at + 1 WHERE seq = 3")
        .unwrap();
    house.counter.verify();
    let verified = house.verified().await;
    assert_eq!((&verified["state"], &verified["seq"]), (&json!("broken"), &json!(3)));
    assert_eq!(verified["why"], "it is not what was written");
}

impl House {
    pub(super) async fn verified(&self) -> Value {
        loop {
            let verified = self.found("/verification").await;
            if verified["state"] != "running" {
                return verified;
            }
            tokio::task::yield_now().await;
        }
    }
}
