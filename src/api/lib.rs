//! The local HTTP door of a terminal: the counter, as till software and screens see it.
//!
//! ```text
//!  till ──► serve ──► guard ──► route ──► wire type ──► Counter ──► wire type ──► till
//!             │         │         │           │            │
//!        connections  host,    unknown     problem of   refusal ──► problem
//!         bounded    origin,    route       the body
//!                     token
//! ```
//!
//! | module | thinks about |
//! |---|---|
//! | [`sales`], [`vouchers`], [`redemptions`], [`products`], [`health`], [`devices`], [`events`], [`attention`], [`journal`] | one resource each: its routes and their documentation |
//! | [`wire`] | what is sent and read: types of this door's own |
//! | [`table`] | lines for spreadsheets |
//! | [`body`], [`asked`] | reading a body, a key and a digest out of a request |
//! | [`problem`], [`refusals`] | every way to say no, with its status |
//! | [`guard`] | who may come in |
//! | [`mod@serve`] | connections, bounded in number and time |
//! | [`openapi`] | the description of all this, generated and checked in |
//!
//! Invariants:
//! - Nothing is decided here about sales, vouchers or money: a route reads, asks the counter, and writes down what it says.
//! - The answer to an acting request is a pure function of the sale or redemption that the counter gives: no clock, no counter
//!   of its own.
//! - No code of a card or voucher, slip line, token, key or body is in a log line or an answer (law L11). What a scanner reads goes
//!   out to who listens, and nowhere else ([`events`]).
//! - Every request ends in bounded time, and every length, number and queue has its bound in a named constant.
//!
//! Deliberately absent: rules, provider types, pages, roles. A way for a client to learn whether an answer is a repeated
//! one is absent too: a till has no use for it that is not a mistake.

mod asked;
mod attention;
mod body;
mod devices;
mod events;
mod guard;
mod health;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
mod journal;
mod openapi;
mod problem;
mod products;
#[cfg(test)]
mod proof;
mod redemptions;
mod refusals;
mod sales;
mod serve;
mod table;
mod vouchers;
mod wire;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tilld_counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use guard::{Token, TokenError};
pub use openapi::openapi_json;
pub use serve::serve;

use crate::guard::Guard;
use crate::openapi::DescriptionProblems;
use crate::problem::{Objection, Problem};

/// How long a request may take in all. The counter answers by itself long before (twice its `answer_wait`, 120 s by
/// default, at the longest): this is for the case that it does not.
const ANSWER_WAIT: Duration = Duration::from_mins(5);

/// What the door works with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    counter: Counter,
    guard: Guard,
    listeners: Arc<Semaphore>,
}

impl ApiState {
    /// A door to `counter` at the address `local` (that of the listener, with its real port), for who holds `token`.
    pub fn new(counter: Counter, token: Token, local: SocketAddr) -> Self {
        Self(Arc::new(Shared {
            counter,
            guard: Guard::new(token, local),
            listeners: Arc::new(Semaphore::new(events::MOST_STREAMS)),
        }))
    }

    fn counter(&self) -> &Counter {
        &self.0.counter
    }

    fn seat_for_listener(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.listeners).try_acquire_owned().ok()
    }
}

/// The door as one service: every route, behind the guard.
pub fn app(state: ApiState) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(|| async { Problem::from(Objection::RouteUnknown) })
        .method_not_allowed_fallback(|| async { Problem::from(Objection::MethodNotAllowed) })
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            // What a panic says may hold what it stumbled over.
            tracing::error!("a request ended in a panic");
            Problem::from(Objection::Internal).into_response()
        }))
        .layer(DefaultBodyLimit::max(body::MOST_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), admitted))
        .with_state(state)
}

/// Every documented route.
fn routes() -> OpenApiRouter<ApiState> {
    let mut about = openapi::Description::openapi();
    // Taken from the package's own, of which there is none.
    about.info.license = None;
    OpenApiRouter::with_openapi(about)
        .merge(sales::routes())
        .merge(vouchers::routes())
        .merge(redemptions::routes())
        .merge(products::routes())
        .merge(health::routes())
        .merge(devices::routes())
        .merge(events::routes())
        .merge(attention::routes())
        .merge(journal::routes())
        .routes(utoipa_axum::routes!(description))
}

/// This description
///
/// The OpenAPI 3.1 document of the door. It wants no token.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "description",
    operation_id = "read_description",
    security(()),
    responses((status = 200, description = "The document", body = Object), DescriptionProblems)
)]
async fn description() -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

/// The guard, the time limit, what every answer carries, and the request's line in the log.
async fn admitted(
    State(state): State<ApiState>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let mut response = match state.0.guard.admit(request.uri(), request.headers()) {
        Err(objection) => {
            // Who may not come in does not keep a seat either.
            ([(CONNECTION, HeaderValue::from_static("close"))], Problem::from(objection)).into_response()
        }
        Ok(()) => tokio::time::timeout(ANSWER_WAIT, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::from(Objection::AnswerLate).into_response()),
    };
    let always: [(HeaderName, &'static str); 2] =
        [(CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in always {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    tracing::debug!(
        %method,
        path = path.as_ref().map_or("-", MatchedPath::as_str),
        status = response.status().as_u16(),
        ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
