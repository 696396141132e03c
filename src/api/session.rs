//! Session: who asks, what a page needs to know at its start, and how a manager signs in on a screen and out again.
//!
//! What is told here is the same to everybody who was let in, but for who he is: the page decides nothing by it, the guard
//! does ([`crate::roles`]).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use tilld_domain::money::Currency;

use crate::ApiState;
use crate::body::Body;
use crate::cookie::{Screen, ScreenId};
use crate::guard::Caller;
use crate::managers::Turned;
use crate::openapi::{AnyProblems, SignInProblems, SignOutProblems};
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::wire::{ProviderInUse, Role, Session, SignInRequest, SignedIn, TenderKind};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(read)).routes(routes!(sign_in, sign_out))
}

/// Who asks, and where
///
/// What a page needs at its start. Without a token or a cookie of a pairing it is 401: then the page asks for a pairing code.
#[utoipa::path(
    get,
    path = "/v1/session",
    tag = "session",
    operation_id = "read_session",
    responses((status = 200, description = "The session", body = Session), AnyProblems)
)]
async fn read(State(state): State<ApiState>, caller: Caller) -> Json<Session> {
    let place = state.counter().place();
    let (role, screen, manager) = match caller {
        Caller::Till => (Role::Till, None, None),
        Caller::Screen(screen, None) => (Role::Cashier, Some(screen), None),
        Caller::Screen(screen, Some(who)) => (Role::Manager, Some(screen), Some(who)),
    };
    Json(Session {
        role,
        name: screen.map(|screen| screen.name.to_string()),
        manager: manager.map(|who| SignedIn {
            name: who.name.to_string(),
            ends_in_s: who.until.saturating_sub(state.steady()).as_secs(),
        }),
        store: place.store.to_string(),
        terminal: place.terminal.to_string(),
        country: place.country.to_string(),
        sandbox: state.0.providers.iter().any(|one| one.sandbox),
        providers: state.0.providers.iter().map(ProviderInUse::from).collect(),
        locale: place.locale.to_string(),
        zone: place.zone.clone(),
        currency: state.0.currency.map(Currency::code),
        tenders: vec![TenderKind::Cash, TenderKind::Card, TenderKind::Mixed],
        slip_numbers: state.counter().shows_slip_numbers(),
        managers: state.0.managers.names().map(ToString::to_string).collect(),
        vouchers: state.counter().voucher_provider().is_some(),
    })
}

/// Sign a manager in on this screen
///
/// With a name of `managers` and the PIN. It ends by itself when nothing has been asked for 10 min that only a manager may, whatever
/// else the screen does (to read how a verification goes on does not count), and when the daemon ends. The answer sets another cookie. After 5 wrong PINs of all screens together none is taken for a minute, and each
/// further one doubles that, up to an hour: 429 with `Retry-After`. What is done on the screen then is done by that name,
/// whatever `by` says. Only for a screen: till software may do all with its token. It wants no key.
#[utoipa::path(
    post,
    path = "/v1/session/manager",
    tag = "session",
    operation_id = "sign_in",
    request_body(content = SignInRequest, description = "Who, and the PIN"),
    responses(
        (status = 204, description = "Signed in", headers(("Set-Cookie" = String, description = "The session"))),
        SignInProblems
    )
)]
async fn sign_in(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<SignInRequest>,
) -> Result<Response, Problem> {
    let Caller::Screen(Screen { id: before, name }, _) = caller else {
        return Err(Objection::NoScreen.into());
    };
    let (manager, pin) = request.parts();
    if let Err(turned) = state.0.managers.try_pin(&manager, pin, || state.steady()).await {
        tracing::warn!("a manager was not let in");
        return Err(match turned {
            Turned::Nobody => Objection::NoManagers.into(),
            Turned::Wrong => Objection::PinWrong.into(),
            Turned::Paused(left) => Problem::later(Objection::PinPaused, left),
        });
    }
    // Another id: whoever may have known the one before is not raised with it.
    let screen = ScreenId::new().map(|id| Screen { id, name }).ok_or(Objection::Internal)?;
    let cookie = state.cookie(&screen).ok_or(Objection::Internal)?;
    state.0.managers.sign_out(before);
    state.0.managers.sign_in(screen.id, manager, state.steady());
    tracing::info!("a manager has signed in");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Sign the manager out
///
/// Whoever is signed in on this screen. Safe to repeat.
#[utoipa::path(
    delete,
    path = "/v1/session/manager",
    tag = "session",
    operation_id = "sign_out",
    responses((status = 204, description = "Nobody is signed in on this screen"), SignOutProblems)
)]
async fn sign_out(State(state): State<ApiState>, caller: Caller) -> Result<StatusCode, Problem> {
    let Caller::Screen(screen, _) = caller else { return Err(Objection::NoScreen.into()) };
    state.0.managers.sign_out(screen.id);
    Ok(StatusCode::NO_CONTENT)
}
