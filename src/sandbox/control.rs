//! The control door: a port of its own, JSON, no signature; for tests, for integrators, for a curious person.
//!
//! With `C=http://127.0.0.1:PORT`:
//!
//! ```text
//! curl $C/                                             the addresses and this list
//! curl $C/switches                                     every switch
//! curl -X PUT   $C/switches -d '{"second_confirm":"error"}'          the rest gets its default
//! curl -X PATCH $C/switches -d '{"limits":{"receipt_count":3}}'      the rest stays (RFC 7396)
//! curl $C/faults                                       what waits in the queue
//! curl -X POST  $C/faults -d '{"call":"confirm","fault":{"kind":"drop_answer","how":"silence"}}'
//! curl -X POST  $C/faults -d '{"call":"create","count":3,"fault":{"kind":"refuse","code":"processing_declined"}}'
//! curl -X POST  $C/faults -d '{"call":"confirm","after":1,"fault":{"kind":"server_error","status":503,"applied":true}}'
//! curl -X DELETE $C/faults                             none any more
//! curl $C/ledger                                       accounts, orders, stores; codes masked
//! curl "$C/ledger?reveal=1"                            codes in clear
//! curl "$C/calls?after=17&wait_ms=5000"                calls from number 18; waits for the first if there is none
//! curl -X POST  $C/release                             lets go on what a hold fault holds
//! curl -X POST  $C/orders/ro_.../redeem                spends the card
//! curl -X PUT   $C/balances/EUR -d '{"available":"5.0"}'
//! curl $C/clock                                        {"offset_s":0,"now":"..."}
//! curl -X PUT   $C/clock -d '{"offset_s":-420}'        seven minutes slow
//! curl -X POST  $C/reset                               as at the start
//! ```
//!
//! Faults: `refuse {code, status?, retry_after_s?}`, `delay {ms}`, `late {ms}`, `drop_request {how?}`,
//! `drop_answer {how?}` (`how`: `reset` or `silence`), `hold {executed}` (`before_release` or `after_release`),
//! `server_error {status?, applied, body?}` (`body`: `json`, `text` or `empty`), `truncate`, `html {status?, applied}`,
//! `oversize`, `unknown_state {word}`.
//!
//! An error is `{"error": "a sentence"}`. The door does not answer a web page: it refuses any `Origin`, and any `Host`
//! that is not a loopback name, so that no page in a browser on the same machine can read codes out of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::amount::{Currency, parse_amount};
use crate::faults::QueuedFault;
use crate::house::{House, MOST_OFFSET_S};
use crate::ledger::Rules;
use crate::statement::Statement;
use crate::switches::Switches;

/// The longest that a request for calls waits.
const LONGEST_WAIT_MS: u64 = 30_000;
/// The largest body.
const LARGEST_BODY: usize = 64 * 1024;

const ROUTES: &str = "GET / | GET PUT PATCH /switches | GET POST DELETE /faults | GET /ledger?reveal=1 | \
    GET /calls?after=N&wait_ms=MS | POST /release | POST /orders/{id}/redeem | PUT /balances/{currency} | \
    GET PUT /clock | POST /reset";

/// A refusal of the control door.
struct Wrong(StatusCode, String);

impl Wrong {
    fn request(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }

    fn absent(why: &str) -> Self {
        Self(StatusCode::NOT_FOUND, why.to_owned())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response<Body> {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

type Answered = Result<Json<Value>, Wrong>;

/// The routes.
pub(crate) fn app(house: Arc<House>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/switches", get(switches).put(replace_switches).patch(merge_switches))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/ledger", get(ledger))
        .route("/calls", get(calls))
        .route("/release", post(release))
        .route("/orders/{id}/redeem", post(redeem))
        .route("/balances/{currency}", put(set_available))
        .route("/clock", get(clock).put(set_clock))
        .route("/reset", post(reset))
        .fallback(|| async { Wrong::absent(ROUTES) })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(no_web_pages))
        .with_state(house)
}

async fn no_web_pages(request: Request, next: Next) -> Response<Body> {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = matches!(name, "127.0.0.1" | "[::1]" | "localhost");
    if !loopback || headers.contains_key(header::ORIGIN) {
        return Wrong(StatusCode::FORBIDDEN, "this door is for programs on this machine".to_owned())
            .into_response();
    }
    next.run(request).await
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(Wrong::request)
}

fn shown<T: serde::Serialize>(value: &T) -> Answered {
    serde_json::to_value(value).map(Json).map_err(Wrong::request)
}

async fn index(State(house): State<Arc<House>>) -> Json<Value> {
    Json(json!({"provider_hosts": house.hosts, "routes": ROUTES.split(" | ").collect::<Vec<_>>()}))
}

async fn switches(State(house): State<Arc<House>>) -> Answered {
    let switches = house.world().switches.clone();
    shown(&switches)
}

async fn replace_switches(State(house): State<Arc<House>>, body: Bytes) -> Answered {
    let new = checked(read(&body)?)?;
    house.world().switches = new.clone();
    shown(&new)
}

async fn merge_switches(State(house): State<Arc<House>>, body: Bytes) -> Answered {
    let patch: Value = read(&body)?;
    let mut world = house.world();
    let mut merged = serde_json::to_value(&world.switches).map_err(Wrong::request)?;
    merge(&mut merged, patch);
    let new = checked(merged)?;
    world.switches = new.clone();
    shown(&new)
}

/// Switches out of an object: the decoder would also take an array of them in their order, which nobody means.
fn checked(value: Value) -> Result<Switches, Wrong> {
    if !value.is_object() {
        return Err(Wrong::request("the switches are an object"));
    }
    serde_json::from_value(value).map_err(Wrong::request)
}

/// JSON merge patch (RFC 7396). Its depth is that of a parsed body, which the parser bounds. A tagged object such as
/// `confirm` is replaced as a whole when its tag changes, because the fields of one tag mean nothing to another.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    let tag_changes = patch.get("mode").is_some_and(|mode| target.get("mode") != Some(mode));
    if tag_changes || !target.is_object() {
        *target = json!({});
    }
    let Some(object) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            object.remove(&name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

async fn faults(State(house): State<Arc<House>>) -> Answered {
    let waiting = house.world().faults.waiting();
    shown(&waiting)
}

async fn add_fault(State(house): State<Arc<House>>, body: Bytes) -> Result<(StatusCode, Json<Value>), Wrong> {
    let fault: QueuedFault = read(&body)?;
    house.world().faults.push(fault.clone()).map_err(Wrong::request)?;
    Ok((StatusCode::CREATED, shown(&fault)?))
}

async fn clear_faults(State(house): State<Arc<House>>) -> StatusCode {
    house.world().faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct Reveal {
    #[serde(default)]
    reveal: u8,
}

async fn ledger(State(house): State<Arc<House>>, Query(query): Query<Reveal>) -> Answered {
    let statement = Statement::of(&house.world().ledger, query.reveal == 1);
    shown(&statement)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

async fn calls(State(house): State<Arc<House>>, Query(since): Query<Since>) -> Answered {
    let mut changes = house.changes();
    let wait = async {
        while house.world().calls.after(since.after).is_empty() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    let most = Duration::from_millis(since.wait_ms.min(LONGEST_WAIT_MS));
    // Running out of time is no error: the answer is then an empty list.
    let _ = tokio::time::timeout(most, wait).await.is_ok();
    let calls = house.world().calls.after(since.after);
    shown(&calls)
}

async fn release(State(house): State<Arc<House>>) -> StatusCode {
    house.release();
    StatusCode::NO_CONTENT
}

async fn redeem(State(house): State<Arc<House>>, Path(id): Path<String>) -> Result<StatusCode, Wrong> {
    if spend(&house, &id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Wrong::absent("there is no completed order of this id"))
    }
}

/// Spends a card; false unless there is a completed order of this id.
pub(crate) fn spend(house: &House, id: &str) -> bool {
    let mut world = house.world();
    let (switches, now) = (world.switches.clone(), world.now());
    world.ledger.redeem(id, Rules { switches: &switches, now })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Available {
    available: String,
}

async fn set_available(
    State(house): State<Arc<House>>,
    Path(currency): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Wrong> {
    let currency =
        Currency::from_code(&currency).ok_or_else(|| Wrong::absent("there is no such currency"))?;
    let wanted: Available = read(&body)?;
    let amount = parse_amount(&wanted.available).ok_or_else(|| Wrong::request("not a decimal text"))?;
    house.world().set_available(currency, amount);
    Ok(StatusCode::NO_CONTENT)
}

async fn clock(State(house): State<Arc<House>>) -> Json<Value> {
    let world = house.world();
    Json(json!({"offset_s": world.clock_offset_s, "now": world.now().to_string()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offset {
    offset_s: i64,
}

async fn set_clock(State(house): State<Arc<House>>, body: Bytes) -> Result<Json<Value>, Wrong> {
    let Offset { offset_s } = read(&body)?;
    if !(-MOST_OFFSET_S..=MOST_OFFSET_S).contains(&offset_s) {
        return Err(Wrong::request("at most ten years"));
    }
    house.world().clock_offset_s = offset_s;
    Ok(clock(State(house)).await)
}

async fn reset(State(house): State<Arc<House>>) -> StatusCode {
    house.reset();
    StatusCode::NO_CONTENT
}
