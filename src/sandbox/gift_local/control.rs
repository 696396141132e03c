//! What only Gift Local's control door can do: its books, its gifts, and what others do to them.
//!
//! With `C=http://127.0.0.1:PORT`, beside the routes of `crate::control`:
//!
//! ```text
//! curl $C/ledger                                       totals, locations, gifts, redemptions, every movement; codes masked
//! curl "$C/ledger?reveal=1"                            codes and tokens in clear
//! curl -X POST  $C/vouchers -d '{"value":"25.00","currency":"EUR"}'               answers it, its code and token in clear
//! curl -X POST  $C/vouchers -d '{"quantity":2,"label":"Espresso","terms":"Mondays only.","until_s":3600}'
//! curl -X POST  $C/vouchers -d '{"name":"mine","code":"012345678905","value":"9.99","currency":"GBP","only_at":"L0001"}'
//! curl -X PATCH $C/vouchers/gift-50-eur -d '{"blocked":true}'
//! curl -X PATCH $C/vouchers/gift-50-eur -d '{"until_s":-1}'                       expired a second ago
//! curl -X POST  $C/vouchers/gift-50-eur/spend -d '{"amount":"10.00"}'             at another site
//! curl -X POST  $C/redemptions/019f.../give-back                                  as the vendor's support would
//! curl -X PATCH $C/switches -d '{"rest":"new_code","number_form":"exponent"}'
//! curl -X POST  $C/faults -d '{"call":"redeem","fault":{"kind":"hold","executed":"after_release"}}'   applied late
//! ```

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::GiftLocal;
use super::catalogue::{GIFTS, PROMOTIONS};
use super::ledger::{self, Rules};
use super::number;
use super::request::CODE_DIGITS;
use super::statement::{RedemptionStatement, Statement, VoucherStatement};
use super::voucher::{Voucher, Worth};
use crate::control::{Answered, Reveal, Wrong, read, shown};
use crate::house::{House, MOST_OFFSET_S, World};

/// The longest name, token or other text of a gift, in bytes.
const LONGEST_TEXT: usize = 2_000;

/// A gift that shall be issued: either `value` and `currency`, or `quantity` and `label`. It may hold a code, so it has no
/// `Debug`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewVoucher {
    /// For people and scripts; drawn if absent.
    pub name: Option<String>,
    /// Twelve digits; drawn if absent.
    pub code: Option<String>,
    /// What its QR code holds; drawn if absent.
    pub token: Option<String>,
    /// Money as decimal text.
    pub value: Option<String>,
    /// Its currency (ISO 4217).
    pub currency: Option<String>,
    /// A number of items.
    pub quantity: Option<u32>,
    /// What the items are.
    pub label: Option<String>,
    /// The article that they stand for; absent: any.
    pub sku: Option<String>,
    /// Makes it promotional.
    pub terms: Option<String>,
    /// The only location that takes it, by the POS system's id; absent: every one.
    pub only_at: Option<String>,
    /// Valid from so many seconds from now on.
    pub from_s: Option<i64>,
    /// No longer valid in so many seconds.
    pub until_s: Option<i64>,
    /// Out of use.
    pub blocked: bool,
}

impl NewVoucher {
    /// Money of a currency, as decimal text.
    pub fn money(value: &str, currency: &str) -> Self {
        Self { value: Some(value.to_owned()), currency: Some(currency.to_owned()), ..Self::default() }
    }

    /// So many items.
    pub fn items(quantity: u32, label: &str) -> Self {
        Self { quantity: Some(quantity), label: Some(label.to_owned()), ..Self::default() }
    }
}

/// What shall be different about a gift; what is absent stays.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoucherChange {
    /// Out of use, or back in it.
    pub blocked: Option<bool>,
    /// Valid from so many seconds from now on.
    pub from_s: Option<i64>,
    /// No longer valid in so many seconds.
    pub until_s: Option<i64>,
}

type Here = State<Arc<House<GiftLocal>>>;

/// The routes.
pub fn routes() -> Router<Arc<House<GiftLocal>>> {
    Router::new()
        .route("/ledger", get(ledger_of))
        .route("/vouchers", post(issue_one))
        .route("/vouchers/{voucher}", patch(change_one))
        .route("/vouchers/{voucher}/spend", post(spend_some))
        .route("/redemptions/{redemption}/give-back", post(give_one_back))
}

async fn ledger_of(State(house): Here, Query(query): Query<Reveal>) -> Answered {
    let statement = Statement::of(&house.world().provider.ledger, query.reveal == 1);
    shown(&statement)
}

async fn issue_one(State(house): Here, body: Bytes) -> Result<(StatusCode, Json<Value>), Wrong> {
    let issued = issue(&house, read(&body)?, true).map_err(Wrong::request)?;
    Ok((StatusCode::CREATED, shown(&issued)?))
}

async fn change_one(
    State(house): Here,
    Path(voucher): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Wrong> {
    change(&house, &voucher, read(&body)?).map_err(Wrong::request)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spent {
    amount: String,
}

async fn spend_some(
    State(house): Here,
    Path(voucher): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Wrong> {
    let Spent { amount } = read(&body)?;
    let spent = spend(&house, &voucher, &amount).map_err(Wrong::request)?;
    Ok((StatusCode::CREATED, shown(&spent)?))
}

async fn give_one_back(State(house): Here, Path(redemption): Path<String>) -> Result<StatusCode, Wrong> {
    if give_back(&house, &redemption) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Wrong::absent("there is no standing redemption of this id"))
    }
}

/// Issues a gift.
pub fn issue(house: &House<GiftLocal>, new: NewVoucher, revealed: bool) -> Result<VoucherStatement, String> {
    let mut world = house.world();
    let now = world.now();
    let ledger = &mut world.provider.ledger;
    let location = match &new.only_at {
        None => None,
        Some(at) => {
            let found = ledger.locations.iter().find(|location| location.point_of_sale_identifier == at);
            Some(found.ok_or("there is no such location")?.id)
        }
    };
    let voucher = Voucher { location, ..checked(new, now)? };
    let place = ledger.issue(voucher, now)?;
    VoucherStatement::at(ledger, place, revealed).ok_or_else(|| "there is no such voucher".to_owned())
}

fn checked(new: NewVoucher, now: Timestamp) -> Result<Voucher, String> {
    let (worth, issued) = match (new.value, new.currency, new.quantity, new.label) {
        (Some(value), Some(currency), None, None) => {
            let value = amount(&value)?;
            let known = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
            if !known || value.normalize().scale() > 2 {
                return Err("a value has at most two decimals, and a currency three capitals".to_owned());
            }
            (Worth::Money(currency), value)
        }
        (None, None, Some(quantity), Some(label)) if quantity > 0 => (
            Worth::Items { label: text(label)?, sku: new.sku.map(text).transpose()? },
            Decimal::from(quantity),
        ),
        _ => return Err("wanted: value and currency, or quantity and label".to_owned()),
    };
    let (code, token) = ledger::drawn().ok_or("no code can be drawn")?;
    let code = new.code.unwrap_or(code);
    if code.len() != CODE_DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a code has twelve digits".to_owned());
    }
    let id = Uuid::now_v7();
    Ok(Voucher {
        id,
        name: text(new.name.unwrap_or_else(|| format!("issued-{}", id.simple())))?,
        code,
        token: text(new.token.unwrap_or(token))?,
        program: if new.terms.is_some() { PROMOTIONS } else { GIFTS },
        worth,
        terms: new.terms.map(text).transpose()?,
        location: None,
        from: new.from_s.map(|seconds| moment(now, seconds)).transpose()?,
        until: new.until_s.map(|seconds| moment(now, seconds)).transpose()?,
        blocked: new.blocked,
        sender: "Mira Musterfrau".to_owned(),
        recipient: "Jörg Beispiel".to_owned(),
        issued,
        left: issued,
    })
}

fn amount(text: &str) -> Result<Decimal, String> {
    number::read(text)
        .filter(|amount| *amount > Decimal::ZERO)
        .ok_or_else(|| "not a positive decimal text".to_owned())
}

fn text(text: String) -> Result<String, String> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        Err("a text is too long or empty".to_owned())
    } else {
        Ok(text)
    }
}

fn moment(now: Timestamp, seconds: i64) -> Result<Timestamp, String> {
    let bounded = (-MOST_OFFSET_S..=MOST_OFFSET_S).contains(&seconds);
    let moment = now.checked_add(SignedDuration::from_secs(seconds)).ok().filter(|_| bounded);
    moment.ok_or_else(|| "at most ten years".to_owned())
}

/// Changes a gift.
pub fn change(house: &House<GiftLocal>, voucher: &str, change: VoucherChange) -> Result<(), String> {
    let mut world = house.world();
    let now = world.now();
    let from = change.from_s.map(|seconds| moment(now, seconds)).transpose()?;
    let until = change.until_s.map(|seconds| moment(now, seconds)).transpose()?;
    let ledger = &mut world.provider.ledger;
    let place = ledger.place_of(voucher).ok_or("there is no such voucher")?;
    let voucher = ledger.vouchers.get_mut(place).ok_or("there is no such voucher")?;
    voucher.blocked = change.blocked.unwrap_or(voucher.blocked);
    voucher.from = from.or(voucher.from);
    voucher.until = until.or(voucher.until);
    Ok(())
}

/// Spends some of a gift at another site.
pub fn spend(
    house: &House<GiftLocal>,
    voucher: &str,
    amount_text: &str,
) -> Result<RedemptionStatement, String> {
    let amount = amount(amount_text)?;
    let mut world = house.world();
    let now = world.now();
    let ledger = &mut world.provider.ledger;
    let place = ledger.place_of(voucher).ok_or("there is no such voucher")?;
    let redemption = ledger.spend(place, amount, now)?;
    let redemption = ledger.redemptions.get(redemption);
    let statement = redemption.and_then(|redemption| RedemptionStatement::of(ledger, redemption));
    statement.ok_or_else(|| "there is no such redemption".to_owned())
}

/// Gives a redemption back; false unless it stands.
pub fn give_back(house: &House<GiftLocal>, redemption: &str) -> bool {
    let Ok(id) = Uuid::parse_str(redemption) else { return false };
    let mut world = house.world();
    let now = world.now();
    let World { switches, provider, .. } = &mut *world;
    provider.ledger.give_back(id, Rules { switches, now, call: None })
}
