//! The control door: a port of its own, JSON, no key; for tests, for integrators, for a curious person.
//!
//! Every provider has one, with these routes and its own beside them (`finperks::control`).
//! With `C=http://127.0.0.1:PORT`, as for finperks:
//!
//! ```text
//! curl $C/                                             where the provider is, and all routes
//! curl $C/switches                                     every switch
//! curl -X PUT   $C/switches -d '{"second_confirm":"error"}'          the rest gets its default
//! curl -X PATCH $C/switches -d '{"limits":{"receipt_count":3}}'      the rest stays (RFC 7396)
//! curl $C/faults                                       what waits in the queue
//! curl -X POST  $C/faults -d '{"call":"confirm","fault":{"kind":"drop_answer","how":"silence"}}'
//! curl -X POST  $C/faults -d '{"call":"create","count":3,"fault":{"kind":"refuse","code":"processing_declined"}}'
//! curl -X POST  $C/faults -d '{"call":"confirm","after":1,"fault":{"kind":"server_error","status":503,"applied":true}}'
//! curl -X DELETE $C/faults                             none any more
//! curl "$C/calls?after=17&wait_ms=5000"                calls from number 18; waits for the first if there is none
//! curl -X POST  $C/release                             lets go on what a hold fault holds
//! curl $C/clock                                        {"offset_s":0,"now":"..."}
//! curl -X PUT   $C/clock -d '{"offset_s":-420}'        seven minutes slow
//! curl -X POST  $C/reset                               as at the start
//! curl -X PUT   $C/printer -d '{"state":"paper_out"}'   the simulated printer, where one runs (`printer.rs`)
//! ```
//!
//! Faults: `refuse {code, status?, retry_after_s?}`, `delay {ms}`, `late {ms}`, `drop_request {how?}`,
//! `drop_answer {how?}` (`how`: `reset` or `silence`), `hold {executed}` (`before_release` or `after_release`),
//! `server_error {status?, applied, body?}` (`body`: `json`, `text` or `empty`), `truncate`, `html {status?, applied}`,
//! `oversize`, `unknown_state {word}` (finperks).
//!
//! An error is `{"error": "a sentence"}`. The door does not answer a web page: it refuses any `Origin`, and any `Host`
//! that is not a loopback name, so that no page in a browser on the same machine can read codes out of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::{FaultError, QueuedFault};
use crate::house::{House, MOST_OFFSET_S, Provider};
use crate::printer::Beside;

/// The longest that a request for calls waits.
const LONGEST_WAIT_MS: u64 = 30_000;
/// The largest body.
const LARGEST_BODY: usize = 64 * 1024;

const ROUTES: &str = "GET / | GET PUT PATCH /switches | GET POST DELETE /faults | GET /calls?after=N&wait_ms=MS | \
    POST /release | GET PUT /clock | POST /reset | GET PUT /printer";

/// A refusal of the control door.
pub struct Wrong(StatusCode, String);

impl Wrong {
    pub fn request(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }

    pub fn absent(why: &str) -> Self {
        Self(StatusCode::NOT_FOUND, why.to_owned())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response<Body> {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// What the control door says.
pub type Answered = Result<Json<Value>, Wrong>;

/// The routes, those of the provider among them.
pub fn app<P: Provider>(house: Arc<House<P>>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/switches", get(switches).put(replace_switches).patch(merge_switches))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/calls", get(calls))
        .route("/release", post(release))
        .route("/clock", get(clock).put(set_clock))
        .route("/reset", post(reset))
        .route("/printer", get(printer).put(strike_printer))
        .merge(P::control())
        .fallback(|| async { Wrong::absent(&format!("{ROUTES}{}", P::ROUTES)) })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(no_web_pages))
        .with_state(house)
}

type Here<P> = State<Arc<House<P>>>;

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

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(Wrong::request)
}

/// Shows a value.
pub fn shown<T: serde::Serialize>(value: &T) -> Answered {
    serde_json::to_value(value).map(Json).map_err(Wrong::request)
}

async fn index<P: Provider>(State(house): Here<P>) -> Json<Value> {
    let routes: Vec<&str> = ROUTES.split(" | ").chain(P::ROUTES.split(" | ").skip(1)).collect();
    let mut shown = json!({
        "provider": P::NAME,
        "url": format!("http://{}", house.address),
        "routes": routes,
        "examples": { "POST /faults": serde_json::from_str::<Value>(P::FAULT).unwrap_or(Value::Null) },
    });
    let names = house.world().provider.names();
    if let (false, Some(fields)) = (names.is_empty(), shown.as_object_mut()) {
        fields.insert("vouchers".to_owned(), json!(names));
    }
    Json(shown)
}

async fn switches<P: Provider>(State(house): Here<P>) -> Answered {
    let switches = house.world().switches.clone();
    shown(&switches)
}

async fn replace_switches<P: Provider>(State(house): Here<P>, body: Bytes) -> Answered {
    let new = checked::<P>(read(&body)?)?;
    house.world().switches = new.clone();
    shown(&new)
}

async fn merge_switches<P: Provider>(State(house): Here<P>, body: Bytes) -> Answered {
    let patch: Value = read(&body)?;
    let mut world = house.world();
    let mut merged = serde_json::to_value(&world.switches).map_err(Wrong::request)?;
    merge(&mut merged, patch);
    let new = checked::<P>(merged)?;
    world.switches = new.clone();
    shown(&new)
}

/// Switches out of an object: the decoder would also take an array of them in their order, which nobody means.
fn checked<P: Provider>(value: Value) -> Result<P::Switches, Wrong> {
    if !value.is_object() {
        return Err(Wrong::request("the switches are an object"));
    }
    let switches = serde_json::from_value(value).map_err(Wrong::request)?;
    P::check(&switches).map_err(Wrong::request)?;
    Ok(switches)
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

async fn faults<P: Provider>(State(house): Here<P>) -> Answered {
    let waiting = house.world().faults.waiting();
    shown(&waiting)
}

async fn add_fault<P: Provider>(
    State(house): Here<P>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Wrong> {
    let fault: QueuedFault<P::Call> = read(&body)?;
    queue(&house, fault.clone()).map_err(Wrong::request)?;
    Ok((StatusCode::CREATED, shown(&fault)?))
}

/// Queues a fault that this provider knows.
pub fn queue<P: Provider>(house: &House<P>, fault: QueuedFault<P::Call>) -> Result<(), FaultError> {
    if !P::knows(&fault.fault) {
        return Err(FaultError::NotHere);
    }
    house.world().faults.push(fault)
}

async fn clear_faults<P: Provider>(State(house): Here<P>) -> StatusCode {
    house.world().faults.clear();
    StatusCode::NO_CONTENT
}

/// Whether codes are asked for in clear: `?reveal=1`.
#[derive(Deserialize)]
pub struct Reveal {
    #[serde(default)]
    pub reveal: u8,
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

async fn calls<P: Provider>(State(house): Here<P>, Query(since): Query<Since>) -> Answered {
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

async fn printer<P: Provider>(State(house): Here<P>) -> Answered {
    shown(&beside(&house)?.shown())
}

async fn strike_printer<P: Provider>(State(house): Here<P>, body: Bytes) -> Answered {
    let printer = beside(&house)?;
    printer.strike(read(&body)?).map_err(Wrong::request)?;
    shown(&printer.shown())
}

fn beside<P: Provider>(house: &House<P>) -> Result<&Beside, Wrong> {
    let absent = || Wrong::absent("no simulated printer runs here; start the sandbox with --printer ADDRESS");
    house.printer().ok_or_else(absent)
}

async fn release<P: Provider>(State(house): Here<P>) -> StatusCode {
    house.release();
    StatusCode::NO_CONTENT
}

async fn clock<P: Provider>(State(house): Here<P>) -> Json<Value> {
    let world = house.world();
    Json(json!({"offset_s": world.clock_offset_s, "now": world.now().to_string()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offset {
    offset_s: i64,
}

async fn set_clock<P: Provider>(State(house): Here<P>, body: Bytes) -> Result<Json<Value>, Wrong> {
    let Offset { offset_s } = read(&body)?;
    if !(-MOST_OFFSET_S..=MOST_OFFSET_S).contains(&offset_s) {
        return Err(Wrong::request("at most ten years"));
    }
    house.world().clock_offset_s = offset_s;
    Ok(clock(State(house)).await)
}

async fn reset<P: Provider>(State(house): Here<P>) -> StatusCode {
    house.reset();
    StatusCode::NO_CONTENT
}
