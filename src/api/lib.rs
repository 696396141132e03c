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
//! | [`sales`], [`slips`], [`vouchers`], [`redemptions`], [`products`], [`health`], [`devices`], [`events`], [`attention`], [`journal`], [`days`], [`balances`] | one resource each: its routes and their documentation |
//! | [`wire`] | what is sent and read: types of this door's own |
//! | [`table`] | lines for spreadsheets |
//! | [`body`], [`asked`] | reading a body, a key and a digest out of a request |
//! | [`problem`], [`refusals`] | every way to say no, with its status |
//! | [`guard`], [`cookie`] | who may come in, by the token or by the cookie of a paired screen |
//! | [`roles`] | whom each route is for |
//! | [`mod@routes`] | a route at the path that its description names |
//! | [`pairing`], [`session`], [`managers`] | how a screen gets in, who stands before it, and which manager signs in there |
//! | [`mod@serve`] | connections, bounded in number and time |
//! | [`openapi`] | the description of all this, generated and checked in |
//!
//! Invariants:
//! - Nothing is decided here about sales, vouchers or money: a route reads, asks the counter, and writes down what it says.
//! - The answer to an acting request is a pure function of the sale or redemption that the counter gives: no clock, no counter
//!   of its own.
//! - No code of a card or voucher, slip line that may hold one, token, key or body is in a log line or an answer (law L11). What a scanner reads goes
//!   out to who listens, and nowhere else ([`events`]).
//! - Every request ends in bounded time, and every length, number and queue has its bound in a named constant.
//!
//! Deliberately absent: rules, provider types, what pages look like ([`app_with`] lets them in). A way for a client to learn whether an answer is a repeated
//! one is absent too: a till has no use for it that is not a mistake.

mod asked;
mod attention;
mod balances;
mod body;
mod cookie;
mod days;
mod devices;
mod events;
mod guard;
mod health;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
mod journal;
mod managers;
mod openapi;
mod pairing;
mod problem;
mod products;
#[cfg(test)]
mod proof;
mod redemptions;
mod refusals;
mod roles;
mod routes;
mod sales;
mod serve;
mod session;
mod slips;
mod table;
mod vouchers;
mod wire;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, SET_COOKIE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tilld_counter::Counter;
use tilld_counter::clock::{Clock, SystemClock};
use tilld_domain::money::{Currency, Money};
use tilld_domain::refusal::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::catch_panic::CatchPanicLayer;

pub use guard::{Token, TokenError};
pub use managers::{Manager, PinError, PinHash};
pub use openapi::openapi_json;
pub use serve::serve;

use crate::cookie::Screen;
use crate::guard::{Admitted, Caller, Guard, Head};
use crate::managers::Managers;
use crate::openapi::DescriptionProblems;
use crate::pairing::Pairing;
use crate::problem::{Objection, Problem};
use crate::roles::For;
use crate::routes::Routes;

/// How long a request may take in all. The counter answers by itself long before (twice its `answer_wait`, 120 s by
/// default, at the longest): this is for the case that it does not.
const ANSWER_WAIT: Duration = Duration::from_mins(5);

/// A provider in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// Its name, as the journal and the balances have it.
    pub provider: String,
    /// Whether it is play: what is sold or redeemed there is worth nothing.
    pub sandbox: bool,
}

/// What a page is told of the till beyond what the counter knows.
#[derive(Debug, Clone)]
pub struct Premises {
    /// The providers in use, and which of them are play.
    pub providers: Vec<InUse>,
    /// In what is mostly paid here, where that is known.
    pub currency: Option<Currency>,
    /// Who may sign in on a screen as manager.
    pub managers: Vec<Manager>,
    /// Below what a balance at the provider is low, for the currencies that the operator has named.
    pub low_balances: Vec<Money>,
}

/// What the door works with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    counter: Counter,
    guard: Guard,
    providers: Vec<InUse>,
    currency: Option<Currency>,
    managers: Managers,
    low_balances: Vec<Money>,
    pairing: Pairing,
    clock: Arc<dyn Clock>,
    listeners: Arc<Semaphore>,
}

impl ApiState {
    /// A door to `counter` at the address `local` (that of the listener, with its real port), for who holds `token`.
    pub fn new(counter: Counter, token: Token, local: SocketAddr, premises: Premises) -> Self {
        Self::at(Arc::new(SystemClock::default()), counter, token, local, premises)
    }

    /// As [`ApiState::new`], by another clock.
    pub(crate) fn at(
        clock: Arc<dyn Clock>,
        counter: Counter,
        token: Token,
        local: SocketAddr,
        premises: Premises,
    ) -> Self {
        Self(Arc::new(Shared {
            counter,
            guard: Guard::new(token, local),
            providers: premises.providers,
            currency: premises.currency,
            managers: Managers::new(premises.managers),
            low_balances: premises.low_balances,
            pairing: Pairing::default(),
            clock,
            listeners: Arc::new(Semaphore::new(events::MOST_STREAMS)),
        }))
    }

    /// Time that nobody sets: for what must not last longer because somebody set the clock.
    fn steady(&self) -> Duration {
        self.0.clock.steady()
    }

    /// The wall clock, in Unix seconds.
    fn wall(&self) -> i64 {
        self.0.clock.wall().ms().div_euclid(1000)
    }

    /// With the manager who is signed in on the screen that asks. What only he may ask for keeps him signed in (`acts`), and nothing
    /// else: a cashier who goes on selling there is not he, and a page asks for much by itself.
    fn known(&self, acts: bool, admitted: Admitted) -> Admitted {
        let Some(Caller::Screen(screen, _)) = admitted.caller else { return admitted };
        let manager = self.0.managers.at(screen.id, acts, self.steady());
        Admitted { caller: Some(Caller::Screen(screen, manager)), ..admitted }
    }

    /// The value of `Set-Cookie` that a screen is known by from now on.
    fn cookie(&self, screen: &Screen) -> Option<HeaderValue> {
        self.0.guard.cookies()?.write(screen, self.wall())
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
    app_with(state, Router::new())
}

/// The same with files at `/`, `/manager` and below `/pages/`. They are open to whoever reaches the door, stand behind the same
/// check of `Host` and `Origin`, and have no fallback of their own.
pub fn app_with(state: ApiState, pages: Router) -> Router {
    every_route()
        .into_router()
        .merge(pages.with_state(()))
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

/// Every route but those of the pages.
fn every_route() -> Routes {
    Routes::new()
        .merge(sales::routes())
        .merge(slips::routes())
        .merge(vouchers::routes())
        .merge(redemptions::routes())
        .merge(products::routes())
        .merge(health::routes())
        .merge(devices::routes())
        .merge(events::routes())
        .merge(attention::routes())
        .merge(journal::routes())
        .merge(session::routes())
        .merge(pairing::routes())
        .merge(days::routes())
        .merge(balances::routes())
        .routes(routes::routes!(description))
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
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = path.as_ref().map(MatchedPath::as_str);
    let (whom, acts) = (roles::wanted(route), roles::is_managers_act(route, &method));
    let head = Head { method: &method, uri: request.uri(), headers: request.headers() };
    let admitted = state.0.guard.admit(whom, head, state.wall()).map(|admitted| state.known(acts, admitted));
    let mut response = match admitted {
        Err(objection) => {
            // Who may not come in does not keep a seat either.
            ([(CONNECTION, HeaderValue::from_static("close"))], Problem::from(objection)).into_response()
        }
        Ok(Admitted { caller: Some(Caller::Screen(_, None)), .. }) if whom == For::Manager => {
            Problem::from(Refusal::ManagerNeeded).into_response()
        }
        Ok(Admitted { caller, renew }) => {
            let renewed = match (&caller, renew) {
                (Some(Caller::Screen(screen, _)), true) => state.cookie(screen),
                _ => None,
            };
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            let mut response = tokio::time::timeout(ANSWER_WAIT, next.run(request))
                .await
                .unwrap_or_else(|_| Problem::from(Objection::AnswerLate).into_response());
            if let Some(cookie) = renewed {
                response.headers_mut().entry(SET_COOKIE).or_insert(cookie);
            }
            response
        }
    };
    let headers = response.headers_mut();
    // What is open to anyone, or never changes, may say itself how long it is kept.
    let may_say = whom == For::Anyone || route == Some(roles::PICTURE);
    if !may_say || !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    tracing::debug!(
        %method,
        path = route.unwrap_or("-"),
        status = response.status().as_u16(),
        ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
