//! A client of the simulated finperks: it signs, and spoils one thing at a time.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tilld_sandbox::finperks::{Sandbox, Settings, Signed, sign, start};
use tokio::net::TcpStream;

pub use crate::wire::{End, control, end, is_silent, next, raw_control, written};

/// A request that is right in every way, until a test spoils it.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub host: Option<String>,
    pub signed_host: Option<String>,
    pub date: Option<String>,
    pub key: Option<String>,
    pub key_id: Option<String>,
    pub secret: Option<String>,
    pub authorization: Option<String>,
    pub content_type: &'static str,
    pub body: String,
}

impl Request {
    pub fn new(method: &'static str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            host: None,
            signed_host: None,
            date: None,
            key: None,
            key_id: None,
            secret: None,
            authorization: None,
            content_type: "application/json",
            body: String::new(),
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub fn post(path: &str, body: &Value) -> Self {
        Self { body: body.to_string(), ..Self::new("POST", path) }
    }

    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The bytes for a sandbox.
    fn bytes(&self, sandbox: &Sandbox) -> Vec<u8> {
        let address = sandbox.provider_address().to_string();
        let host = self.host.clone().unwrap_or_else(|| address.clone());
        let date = self.date.clone().unwrap_or_else(|| http_date(sandbox.clock_offset()));
        let credentials = sandbox.credentials();
        let signature = sign(
            self.secret.as_ref().unwrap_or(&credentials.secret),
            &Signed {
                host: self.signed_host.as_ref().unwrap_or(&address),
                method: self.method,
                path: &self.path,
                query: &self.query,
                date: &date,
                idempotency_key: self.key.as_deref().unwrap_or_default(),
                body: self.body.as_bytes(),
            },
        );
        let key_id = self.key_id.as_ref().unwrap_or(&credentials.key_id);
        let authorization = self
            .authorization
            .clone()
            .unwrap_or_else(|| format!("FP1-HMAC-SHA256 KeyId={key_id}, Signature={signature}"));
        let target =
            if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) };
        let mut head = format!("{} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method);
        for (name, value) in [("Date", &date), ("Authorization", &authorization)] {
            if !value.is_empty() {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
        }
        if let Some(key) = &self.key {
            write!(head, "Idempotency-Key: {key}\r\n").unwrap();
        }
        if !self.body.is_empty() {
            let (kind, length) = (self.content_type, self.body.len());
            write!(head, "Content-Type: {kind}\r\nContent-Length: {length}\r\n").unwrap();
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }

    /// Sends it to the provider and waits for the end.
    pub async fn send(&self, sandbox: &Sandbox) -> End {
        end(self.begin(sandbox).await).await
    }

    /// Sends it and keeps the connection, to leave it or to wait later.
    pub async fn begin(&self, sandbox: &Sandbox) -> TcpStream {
        written(sandbox.provider_address(), &self.bytes(sandbox)).await
    }
}

/// The present time, some seconds off, as a `Date`.
pub fn http_date(offset_s: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(offset_s);
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub async fn open() -> Sandbox {
    start(Settings::default()).await.unwrap()
}

/// The create of the documents, for any product.
pub fn create_body(product: &str, country: &str, currency: &str, amount: &str) -> Value {
    json!({
        "product_code": product, "store_id": "A1234", "terminal_id": "T01", "receipt_id": "R1",
        "country": country, "face_value": {"currency": currency, "amount": amount},
        "receipt_printing": {"characters_per_line": 40, "locale": "de-DE"},
    })
}

/// A create of fifty euros on paper.
pub fn create(key: &str) -> Request {
    Request::post("/v1/retail_orders", &create_body("4001232232332", "DE", "EUR", "50.0")).key(key)
}

pub fn get(id: &str) -> Request {
    Request::get(&format!("/v1/retail_orders/{id}"))
}

pub fn confirm(id: &str) -> Request {
    let body = json!({"payment_method": "cash", "receipt_value": {"currency": "EUR", "amount": "50.0"}});
    Request::post(&format!("/v1/retail_orders/{id}/actions/confirm"), &body)
}

pub fn invalidate(id: &str) -> Request {
    Request::new("POST", &format!("/v1/retail_orders/{id}/actions/invalidate"))
}

/// Creates an order and returns its id.
pub async fn created(sandbox: &Sandbox, key: &str) -> String {
    let answer = create(key).send(sandbox).await.answer();
    assert_eq!(answer.word(), "201 created", "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The euro account: available, reserved, charged, reversed; and money is conserved in every account.
pub fn euros(sandbox: &Sandbox) -> [String; 4] {
    let ledger = sandbox.ledger();
    let cents = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap();
        whole.parse::<i64>().unwrap() * 100 + format!("{part:0<2}").parse::<i64>().unwrap()
    };
    for account in ledger.accounts.values() {
        assert_eq!(
            cents(&account.opening) + cents(&account.reversed),
            cents(&account.available) + cents(&account.reserved) + cents(&account.charged),
        );
    }
    let account = &ledger.accounts["EUR"];
    [&account.available, &account.reserved, &account.charged, &account.reversed].map(Clone::clone)
}

/// The state of an order and how many confirms reached it.
pub fn standing(sandbox: &Sandbox, id: &str) -> (String, u32) {
    let ledger = sandbox.ledger();
    let order = ledger.order(id).unwrap();
    (order.state.clone(), order.confirms)
}
