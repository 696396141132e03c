//! What goes back to a client, before and after a fault has spoilt it.
//!
//! An answer to a confirm holds a card's code, so answers have no `Debug`.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::refusal::{ErrorShape, Refusal, RetryAfterForm};
use crate::signature::{SCHEME, date_text};

/// More than any client should read of an answer to a sale.
const OVERSIZE: usize = 1024 * 1024 + 1;

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Wartung</title></head>\n\
    <body><h1>Wir sind gleich wieder da.</h1></body></html>\n";

const TEXT: &str = "upstream connect error or disconnect/reset before headers\n";

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: u16,
    /// The code of a refusal, for the call log.
    pub code: Option<String>,
    content_type: &'static str,
    retry_after: Option<String>,
    body: Vec<u8>,
    cut: bool,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            code: None,
            content_type: "application/json",
            retry_after: None,
            body: body.to_string().into_bytes(),
            cut: false,
        }
    }

    pub fn refusal(
        refusal: &Refusal,
        shape: ErrorShape,
        form: RetryAfterForm,
        now: Timestamp,
        n: u64,
    ) -> Self {
        Self {
            code: Some(refusal.code.clone().into_owned()),
            retry_after: refusal.retry_after(form, now),
            ..Self::json(refusal.status, &refusal.body(shape, &format!("req_{n:08}")))
        }
    }

    pub fn html(status: u16) -> Self {
        Self::page(status, "text/html; charset=utf-8", HTML)
    }

    pub fn text(status: u16) -> Self {
        Self::page(status, "text/plain", TEXT)
    }

    pub fn empty(status: u16) -> Self {
        Self::page(status, "text/plain", "")
    }

    fn page(status: u16, content_type: &'static str, body: &str) -> Self {
        Self {
            status,
            code: None,
            content_type,
            retry_after: None,
            body: body.as_bytes().to_vec(),
            cut: false,
        }
    }

    /// The same answer, its body ending in the middle.
    pub fn truncated(self) -> Self {
        Self { cut: true, ..self }
    }

    /// The same answer behind a field of more than 1 MiB.
    pub fn oversize(self) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| json!({}));
        if !body.is_object() {
            body = json!({"data": body});
        }
        if let Some(object) = body.as_object_mut() {
            object.insert("padding".to_owned(), json!("x".repeat(OVERSIZE)));
        }
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// The same answer with another `state`, where it has one.
    pub fn in_state(self, word: &str) -> Self {
        let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) else { return self };
        if let Some(state) = body.get_mut("state") {
            *state = json!(word);
        }
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// For the wire. `now` is the sandbox's clock, because a client may compare the `Date`.
    pub fn response(self, now: Timestamp) -> Response<Body> {
        let length = self.body.len();
        let whole = Bytes::from(self.body);
        let body = if self.cut { cut_short(whole.slice(..length / 2)) } else { Body::from(whole) };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        let texts = [
            (header::DATE, Some(date_text(now))),
            (header::RETRY_AFTER, self.retry_after),
            (header::WWW_AUTHENTICATE, (self.status == 401).then(|| SCHEME.to_owned())),
        ];
        for (name, text) in texts {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A body that breaks after its first part. One pause lies between the part and the break: the server writes out what
/// it has when a body is not ready, and would throw it away if the break came first.
fn cut_short(part: Bytes) -> Body {
    let mut part = Some(part);
    let mut paused = false;
    Body::from_stream(stream::poll_fn(move |context| {
        if let Some(part) = part.take() {
            return std::task::Poll::Ready(Some(Ok(part)));
        }
        if !paused {
            paused = true;
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(Some(Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))))
    }))
}
