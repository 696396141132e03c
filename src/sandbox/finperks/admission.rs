//! Who is asking, and what for: every request to `/v1`, checked as strictly as the documents say; and pictures, for anybody.
//!
//! The order of the checks: host, size, date, signature, path, rate limit. Nothing is known of the order at the real
//! provider. The signature covers the body, so the body is read before anything is checked.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};

use super::Finperks;
use super::pictures;
use super::refusal::{Code, Refusal};
use super::request::CallKind;
use super::signature::{self, AuthorizationError, Signed, SigningProfile};
use crate::calls::bounded;
use crate::door::text;
use crate::house::{Asked, World};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request that passed all checks of the door.
pub struct Job {
    pub call: CallKind,
    pub method: String,
    pub path: String,
    pub query: String,
    pub order_id: Option<String>,
    pub key: Option<String>,
    pub is_json: bool,
    pub body: Vec<u8>,
}

/// Lets a request in, or says why not.
pub fn admit(world: &mut World<Finperks>, asked: Asked) -> Result<(CallKind, Job), Refusal> {
    let key = text(&asked.headers, &IDEMPOTENCY_KEY);
    world.calls.note(asked.n, |record| record.detail.idempotency_key = key.as_deref().map(bounded));
    let host = named_host(&world.provider.hosts, &asked.headers).ok_or(Code::InvalidHost)?;
    if asked.method == "GET" && asked.path.starts_with(pictures::PATH) {
        return admit_anybody(world, asked);
    }
    let body = asked.body.ok_or(Code::ContentTooLarge)?;
    let covered = Signed {
        host,
        method: &asked.method,
        path: &asked.path,
        query: &asked.query,
        date: "",
        idempotency_key: key.as_deref().unwrap_or_default(),
        body: &body,
    };
    verify(world, &asked.headers, &covered)?;
    let (call, order_id) = CallKind::of(&asked.method, &asked.path).ok_or(Code::PathNotFound)?;
    world.calls.note(asked.n, |record| {
        record.call = Some(call);
        record.detail.order_id.clone_from(&order_id);
    });
    let now = world.now();
    if let Some(limit) = world.switches.rate_limit
        && !world.provider.window.lets_through(limit, now)
    {
        return Err(Refusal { retry_after_s: Some(limit.retry_after_s), ..Code::RateLimit.into() });
    }
    let is_json = body.is_empty() || content_is_json(&asked.headers);
    let Asked { method, path, query, .. } = asked;
    Ok((call, Job { call, method, path, query, order_id, key, is_json, body }))
}

/// A picture is anybody's. Who shows there by what he is known here has told it to whoever keeps the pictures: a mistake that
/// must not go unseen.
fn admit_anybody(world: &mut World<Finperks>, asked: Asked) -> Result<(CallKind, Job), Refusal> {
    let own = [header::AUTHORIZATION, header::COOKIE, IDEMPOTENCY_KEY];
    if own.iter().any(|name| asked.headers.contains_key(name)) {
        return Err(Code::RequestBlocked.into());
    }
    let call = CallKind::Picture;
    world.calls.note(asked.n, |record| record.call = Some(call));
    let Asked { method, path, query, .. } = asked;
    let job = Job { call, method, path, query, order_id: None, key: None, is_json: true, body: Vec::new() };
    Ok((call, job))
}

/// The `host:port` that the `Host` header names; the port may be left out where it is the scheme's own.
fn named_host<'a>(hosts: &'a [String], headers: &HeaderMap) -> Option<&'a str> {
    let named = text(headers, &header::HOST)?;
    let fits = |host: &&String| {
        let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
        host.eq_ignore_ascii_case(&named) || bare.is_some_and(|bare| bare.eq_ignore_ascii_case(&named))
    };
    hosts.iter().find(fits).map(String::as_str)
}

/// Date and signature.
fn verify(world: &World<Finperks>, headers: &HeaderMap, covered: &Signed<'_>) -> Result<(), Refusal> {
    let date = text(headers, &header::DATE).ok_or(Code::InvalidDate)?;
    let said = signature::parse_date(&date).ok_or(Code::InvalidDate)?;
    let skew = Duration::from_secs(u64::from(world.switches.date_skew_s));
    if world.now().duration_since(said).unsigned_abs() > skew {
        return Err(Code::InvalidDate.into());
    }
    let authorization = text(headers, &header::AUTHORIZATION).ok_or(Code::InvalidSignature)?;
    let authorization = signature::parse_authorization(&authorization).map_err(|error| match error {
        AuthorizationError::Form => Code::InvalidSignature,
        AuthorizationError::NotHex => Code::InvalidSignatureFormat,
    })?;
    let host = covered.host;
    let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
    let credentials = &world.provider.credentials;
    let holds = |host: &str| {
        let covered = Signed { host, date: &date, ..*covered };
        signature::holds(&credentials.secret, &covered, &authorization.signature)
    };
    let signed = match world.switches.signing_profile {
        SigningProfile::WithPort => holds(host),
        SigningProfile::Bare => holds(bare),
        SigningProfile::Either => holds(host) | holds(bare),
    };
    // Both are always computed: the time of the answer must not tell a known key id from an unknown one.
    if signed & signature::same_key_id(&credentials.key_id, &authorization.key_id) {
        Ok(())
    } else {
        Err(Code::InvalidSignature.into())
    }
}

/// Whether a body says that it is JSON, or says nothing.
fn content_is_json(headers: &HeaderMap) -> bool {
    match headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase()) {
        None => true,
        Some(value) => value == b"application/json" || value.starts_with(b"application/json;"),
    }
}
