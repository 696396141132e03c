//! What goes back to a client, before and after a fault has spoilt it.
//!
//! An answer may hold a code, so answers have no `Debug`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::rate::date_text;

/// More than any client should read of an answer to a sale.
const OVERSIZE: usize = 1024 * 1024 + 1;

/// Between two bytes of a body that drips.
const DRIP: Duration = Duration::from_millis(50);

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Wartung</title></head>\n\
    <body><h1>Wir sind gleich wieder da.</h1></body></html>\n";

const TEXT: &str = "upstream connect error or disconnect/reset before headers\n";

/// One answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// The code of a refusal, for the call log.
    pub code: Option<String>,
    content_type: &'static str,
    retry_after: Option<String>,
    challenge: Option<&'static str>,
    location: Option<Box<str>>,
    body: Box<[u8]>,
    flow: Flow,
}

/// How a body goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// As it is.
    Whole,
    /// It ends in the middle.
    Cut,
    /// A byte at a time, and never the last.
    Dripping,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body.to_string())
    }

    pub fn html(status: u16) -> Self {
        Self::of(status, "text/html; charset=utf-8", HTML)
    }

    pub fn text(status: u16) -> Self {
        Self::of(status, "text/plain", TEXT)
    }

    pub fn empty(status: u16) -> Self {
        Self::of(status, "text/plain", Vec::new())
    }

    pub fn of(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            code: None,
            content_type,
            retry_after: None,
            challenge: None,
            location: None,
            body: body.into().into_boxed_slice(),
            flow: Flow::Whole,
        }
    }

    /// The same answer as a refusal: its code, the `Retry-After` header, and the `WWW-Authenticate` header of a 401.
    pub fn refusing(self, code: &str, retry_after: Option<String>, challenge: Option<&'static str>) -> Self {
        Self { code: Some(code.to_owned()), retry_after, challenge, ..self }
    }

    /// The same answer, its body ending in the middle.
    pub fn truncated(self) -> Self {
        Self { flow: Flow::Cut, ..self }
    }

    /// The same answer, its body a byte at a time, the last of which never comes.
    pub fn dripping(self) -> Self {
        Self { flow: Flow::Dripping, ..self }
    }

    /// A redirect.
    pub fn leading_to(status: u16, location: String) -> Self {
        Self { location: Some(location.into()), ..Self::empty(status) }
    }

    /// The same answer behind a field of more than 1 MiB. Every other field keeps its exact text.
    pub fn oversize(self) -> Self {
        let Ok(padding) = serde_json::value::to_raw_value(&"x".repeat(OVERSIZE)) else { return self };
        let mut fields: BTreeMap<String, Box<RawValue>> = match serde_json::from_slice(&self.body) {
            Ok(fields) => fields,
            Err(_) => serde_json::from_slice(&self.body)
                .map(|whole: Box<RawValue>| BTreeMap::from([("data".to_owned(), whole)]))
                .unwrap_or_default(),
        };
        fields.insert("padding".to_owned(), padding);
        let Ok(body) = serde_json::to_vec(&fields) else { return self };
        Self { body: body.into(), ..self }
    }

    /// The same answer with another `state`, where it has one.
    pub fn in_state(self, word: &str) -> Self {
        let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) else { return self };
        if let Some(state) = body.get_mut("state") {
            *state = json!(word);
        }
        Self { body: body.to_string().into_bytes().into(), ..self }
    }

    /// For the wire. `now` is the sandbox's clock, because a client may compare the `Date`.
    pub fn response(self, now: Timestamp) -> Response<Body> {
        let length = self.body.len();
        let whole = Bytes::from(self.body);
        let body = match self.flow {
            Flow::Whole => Body::from(whole),
            Flow::Cut => cut_short(whole.slice(..length / 2)),
            Flow::Dripping => drip(whole),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        let challenge = self.challenge.filter(|_| self.status == 401);
        let texts = [
            (header::DATE, Some(date_text(now))),
            (header::RETRY_AFTER, self.retry_after),
            (header::WWW_AUTHENTICATE, challenge.map(str::to_owned)),
            (header::LOCATION, self.location.map(String::from)),
        ];
        for (name, text) in texts {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A body of which a byte comes every so often, all but the last.
fn drip(whole: Bytes) -> Body {
    let drops = whole.slice(..whole.len().saturating_sub(1));
    let each = stream::unfold(drops, |mut rest| async move {
        tokio::time::sleep(DRIP).await;
        if rest.is_empty() {
            return std::future::pending().await;
        }
        let drop = rest.split_to(1);
        Some((Ok::<_, std::io::Error>(drop), rest))
    });
    Body::from_stream(each)
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
