//! Who is asking, what for, and how often.
//!
//! The order of the checks: path, method, size, key, rate limit. Nothing is known of the order at the real provider. The
//! key is the whole value of the `Authorization` header, without a scheme before it (fact sheet 1), and is compared
//! whole. What the body says is checked when the call is carried out, behind the faults; only a glance of it, without
//! its secrets, goes into the call log at once.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::GiftLocal;
use super::refusal::{Code, Refusal};
use super::request::{self, CallKind};
use super::switches::KeyStanding;
use crate::door::text;
use crate::house::{Asked, World};

/// A request that passed all checks of the door.
pub struct Job {
    pub call: CallKind,
    pub is_json: bool,
    pub body: Vec<u8>,
}

/// Lets a request in, or says why not.
pub fn admit(world: &mut World<GiftLocal>, asked: Asked) -> Result<(CallKind, Job), Refusal> {
    let call = CallKind::of(&asked.path, &world.switches.reverse_path).ok_or(Code::PathNotFound)?;
    if asked.method != "POST" {
        return Err(Code::MethodNotAllowed.into());
    }
    let glance = asked.body.as_deref().and_then(|body| request::fields(body).ok());
    let glance = glance.map(|fields| fields.glance(&world.switches.reverse_id_field));
    world.calls.note(asked.n, |record| {
        record.call = Some(call);
        if let Some(glance) = glance {
            record.detail.named_by = glance.named_by;
            record.detail.amount = (call == CallKind::Redeem).then_some(glance.amount);
            record.detail.organization_id = glance.organization_id;
            record.detail.voucher_id = glance.voucher_id;
            record.detail.redemption_id = glance.redemption_id;
        }
    });
    let body = asked.body.ok_or(Code::ContentTooLarge)?;
    let key = text(&asked.headers, &header::AUTHORIZATION).unwrap_or_default();
    let known: bool = key.as_bytes().ct_eq(world.provider.api_key.as_bytes()).into();
    match world.switches.key {
        KeyStanding::Good if known => {}
        KeyStanding::WrongLevel if known => return Err(Code::Forbidden.into()),
        _ => return Err(Code::Unauthorized.into()),
    }
    let now = world.now();
    if let Some(limit) = world.switches.rate_limit
        && !world.provider.window.lets_through(limit, now)
    {
        return Err(Refusal { retry_after_s: Some(limit.retry_after_s), ..Code::RateLimit.into() });
    }
    Ok((call, Job { call, is_json: content_is_json(&asked.headers), body }))
}

/// Whether the body says that it is JSON, in either of the two types.
fn content_is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = text(headers, &header::CONTENT_TYPE) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "text/json")
}
