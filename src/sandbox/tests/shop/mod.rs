//! A client of the sandbox on a bare socket: it signs, sends, and tells a reset from silence from half an answer, which
//! an HTTP library would hide.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tilld_sandbox::{CallKind, Fault, QueuedFault, Sandbox, Settings, Signed, sign, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a client waits for an answer that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a call ended for its client.
#[derive(Debug, PartialEq)]
pub enum End {
    Answer(Answer),
    /// RST, or an end without a byte.
    Reset,
    /// Fewer bytes than `Content-Length` says.
    Cut,
}

#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    /// Status and code of either error shape, or the order's state.
    pub fn word(&self) -> String {
        let body = self.json();
        let word =
            ["/error_code", "/error/code", "/state"].into_iter().find_map(|at| body.pointer(at)?.as_str());
        format!("{} {}", self.status, word.unwrap_or("-"))
    }
}

impl End {
    pub fn answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            lost => panic!("no answer: {lost:?}"),
        }
    }

    pub fn word(&self) -> String {
        match self {
            Self::Answer(answer) => answer.word(),
            Self::Reset => "reset".to_owned(),
            Self::Cut => "cut".to_owned(),
        }
    }
}

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

async fn written(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Reads until the connection ends.
pub async fn end(mut stream: TcpStream) -> End {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end in time");
    if let Err(error) = &read {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let Some(split) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        assert!(bytes.is_empty(), "half a head");
        return End::Reset;
    };
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let text = String::from_utf8_lossy(&bytes[split + 4..]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let answer = Answer { status, head, text };
    let length: Option<usize> = answer.header("content-length").map(|length| length.parse().unwrap());
    if length.is_some_and(|length| bytes.len() - split - 4 < length) { End::Cut } else { End::Answer(answer) }
}

/// Whether nothing has come to a client so far, not even an end.
pub fn is_silent(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// A call at the control door.
pub async fn control(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    let address = sandbox.control_address();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    end(written(address, format!("{head}{body}").as_bytes()).await).await.answer()
}

/// Any bytes at the control door.
pub async fn raw_control(sandbox: &Sandbox, head: &str) -> Answer {
    end(written(sandbox.control_address(), head.as_bytes()).await).await.answer()
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

/// Queues a fault for the next call of a kind.
pub fn next(sandbox: &Sandbox, call: CallKind, fault: Fault) {
    sandbox.fault(QueuedFault::next(call, fault)).unwrap();
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
