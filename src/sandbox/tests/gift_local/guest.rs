//! A client of the simulated Gift Local: it asks rightly, and spoils one thing at a time. Its books are its own: it counts
//! in cents from the statement's texts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tilld_sandbox::gift_local::{Sandbox, Settings, Statement, VoucherStatement, start};
use tokio::net::TcpStream;

pub use crate::wire::{Answer, End, control, end, is_silent, next, raw_control, written};

pub const VALIDATE: &str = "/api/integration/redemption/validate-gift";
pub const REDEEM: &str = "/api/integration/redemption/redeem-gift";
pub const REVERSE: &str = "/api/integration/redemption/reverse-redemption";

/// Fifty euros, as every sandbox has them at the start.
pub const FIFTY: &str = "gift-50-eur";

pub async fn open() -> Sandbox {
    start(Settings::default()).await.unwrap()
}

/// A request that is right in every way, until a test spoils it.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub key: Option<String>,
    pub content_type: &'static str,
    pub body: String,
}

impl Request {
    pub fn post(path: &str, body: impl ToString) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            key: None,
            content_type: "application/json",
            body: body.to_string(),
        }
    }

    /// Sends it to the provider and waits for the end.
    pub async fn send(&self, sandbox: &Sandbox) -> End {
        end(self.begin(sandbox).await).await
    }

    /// Sends it and keeps the connection, to leave it or to wait later.
    pub async fn begin(&self, sandbox: &Sandbox) -> TcpStream {
        let address = sandbox.provider_address();
        let key = self.key.as_deref().unwrap_or(sandbox.api_key());
        let authorization = if key.is_empty() { String::new() } else { format!("Authorization: {key}\r\n") };
        let bytes = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{authorization}Content-Type: {}\r\n\
             Content-Length: {}\r\n\r\n{}",
            self.method,
            self.path,
            self.content_type,
            self.body.len(),
            self.body
        );
        written(address, bytes.as_bytes()).await
    }
}

/// The location's Guid, by the POS system's id.
pub fn place(sandbox: &Sandbox, point_of_sale: &str) -> String {
    let locations = sandbox.ledger().locations;
    let found = locations.iter().find(|location| location.point_of_sale_identifier == point_of_sale);
    found.unwrap().organization_id.clone()
}

/// The first location.
pub fn here(sandbox: &Sandbox) -> String {
    place(sandbox, "A1234")
}

pub fn voucher(sandbox: &Sandbox, name: &str) -> VoucherStatement {
    sandbox.ledger().voucher(name).unwrap_or_else(|| panic!("{name}")).clone()
}

/// What the guest's code is as the number that goes over the wire.
pub fn code(sandbox: &Sandbox, name: &str) -> u64 {
    voucher(sandbox, name).code.reveal().parse().unwrap()
}

pub fn left(sandbox: &Sandbox, name: &str) -> String {
    voucher(sandbox, name).left
}

/// A validate by code at the first location.
pub fn validate(sandbox: &Sandbox, name: &str) -> Request {
    let body = json!({"organizationID": here(sandbox), "voucherCode": code(sandbox, name)});
    Request::post(VALIDATE, body)
}

/// A redeem by id at the first location, of an amount as its exact text.
pub fn redeem(sandbox: &Sandbox, name: &str, amount: &str) -> Request {
    let (here, id) = (here(sandbox), voucher(sandbox, name).id);
    Request::post(
        REDEEM,
        format!(r#"{{"organizationID": "{here}", "voucherID": "{id}", "amount": {amount}}}"#),
    )
}

/// A reversal at the first location.
pub fn reverse(sandbox: &Sandbox, redemption: &str) -> Request {
    Request::post(REVERSE, json!({"organizationID": here(sandbox), "redemptionID": redemption}))
}

/// Redeems and returns the id of the redemption.
pub async fn redeemed(sandbox: &Sandbox, name: &str, amount: &str) -> String {
    let answer = redeem(sandbox, name, amount).send(sandbox).await.answer();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["redemption"]["redemptionID"].as_str().unwrap().to_owned()
}

/// Status, and the name of a refusal or whether the gift is redeemable.
pub fn word(answer: &Answer) -> String {
    let body = answer.json();
    match body.pointer("/voucher/isRedeemable").and_then(Value::as_bool) {
        Some(true) => format!("{} redeemable", answer.status),
        Some(false) => format!("{} not redeemable", answer.status),
        None => answer.word_at(&["/title"]),
    }
}

pub async fn told(sandbox: &Sandbox, request: Request) -> String {
    match request.send(sandbox).await {
        End::Answer(answer) => word(&answer),
        lost => lost.word(),
    }
}

/// Cents, or whole items, of the statement's text.
pub fn count(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.is_empty() || part.len() == 2, "{text}");
    format!("{whole}{part}").parse().unwrap()
}

/// Every way in which the books contradict themselves. Empty: they add up.
pub fn contradictions(books: &Statement, may_be_below_zero: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut of_voucher: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    let mut of_redemption: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    for (place, entry) in books.entries.iter().enumerate() {
        if entry.n != place + 1 || entry.at.is_empty() {
            found.push(format!("entry {} has a wrong number or no time", entry.n));
        }
        let amount = count(&entry.amount);
        *of_voucher.entry(&entry.voucher_id).or_default().entry(entry.movement).or_default() += amount;
        match (entry.movement, &entry.redemption_id) {
            ("debit", Some(id)) => of_redemption.entry(id).or_default()[0] += amount,
            ("reversal", Some(id)) => of_redemption.entry(id).or_default()[1] += amount,
            ("issued" | "moved_out" | "moved_in", None) => {}
            (movement, id) => found.push(format!("{movement} with redemption {id:?}")),
        }
    }
    let mut totals: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
    for voucher in &books.vouchers {
        let sum = |movement| {
            of_voucher.get(voucher.id.as_str()).and_then(|sums| sums.get(movement)).copied().unwrap_or(0)
        };
        let [issued, debited, reversed] = ["issued", "debit", "reversal"].map(sum);
        let should = issued + sum("moved_in") - sum("moved_out") - debited + reversed;
        let left = count(&voucher.left);
        if left != should {
            found.push(format!("{} has {left}, and its entries make {should}", voucher.name));
        }
        if left < 0 && !may_be_below_zero {
            found.push(format!("{} is below zero", voucher.name));
        }
        let said = [&voucher.issued, &voucher.debited, &voucher.reversed].map(|text| count(text));
        if said != [issued, debited, reversed] {
            found.push(format!(
                "{} says {said:?}, and its entries {:?}",
                voucher.name,
                [issued, debited, reversed]
            ));
        }
        let total = totals.entry(&voucher.unit).or_default();
        for (sum, more) in total.iter_mut().zip([issued, debited, reversed, left]) {
            *sum += more;
        }
    }
    for (unit, [issued, debited, reversed, left]) in totals {
        if debited - reversed != issued - left {
            found.push(format!("{unit}: {debited} − {reversed} is not {issued} − {left}"));
        }
        let total = &books.totals[unit];
        let said = [&total.issued, &total.debited, &total.reversed, &total.left].map(|text| count(text));
        if said != [issued, debited, reversed, left] {
            found.push(format!("{unit}: the total says {said:?}"));
        }
    }
    for redemption in &books.redemptions {
        let [debited, reversed] = of_redemption.get(redemption.id.as_str()).copied().unwrap_or_default();
        let granted = count(&redemption.granted);
        if debited != granted || reversed != granted * i64::from(redemption.reversals) {
            found.push(format!(
                "redemption {} of {granted}: {debited} debited, {reversed} reversed",
                redemption.id
            ));
        }
    }
    if of_redemption.len() != books.redemptions.len() {
        found.push("an entry names a redemption that is not there".to_owned());
    }
    found
}

/// Asserts that the books add up.
pub fn adds_up(sandbox: &Sandbox) {
    assert_eq!(contradictions(&sandbox.ledger(), false), Vec::<String>::new());
}
