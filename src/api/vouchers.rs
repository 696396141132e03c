//! Vouchers: look at one before anything is taken from it.
//!
//! A look takes nothing and is repeated freely, so it carries no key. What it shows is in no log: it names people.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use tilld_domain::ids::CheckId;
use tilld_domain::refusal::Refusal;

use crate::ApiState;
use crate::body::Body;
use crate::guard::Caller;
use crate::openapi::{CheckProblems, PrintCheckProblems, UnlockProblems};
use crate::problem::Problem;
use crate::routes::{Routes, routes};
use crate::sales::of_path;
use crate::wire::{CheckRequest, PaperEnd, UnlockRequest, VoucherCheck};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(check)).routes(routes!(unlock)).routes(routes!(print))
}

/// Look at a voucher
///
/// Asks the provider what is on the voucher that was scanned, and takes nothing. An answer does not say that it can be
/// redeemed: read `redeemable`. It may take up to 10 s. Wrong codes are counted: after 5 within 10 min a manager must unlock
/// the terminal, or time does.
#[utoipa::path(
    post,
    path = "/v1/vouchers/check",
    tag = "vouchers",
    operation_id = "check_voucher",
    request_body(content = CheckRequest, description = "What was scanned"),
    responses((status = 200, description = "What is on it", body = VoucherCheck), CheckProblems)
)]
async fn check(
    State(state): State<ApiState>,
    Body(request): Body<CheckRequest>,
) -> Result<Json<VoucherCheck>, Problem> {
    match state.counter().check(request.into()).await {
        Ok(seen) => Ok(Json(seen.into())),
        Err(refusal) => Err(Problem::of(refusal, state.counter()).await),
    }
}

/// Let the terminal try codes again
///
/// A manager has looked at why so many codes were wrong. Safe to repeat: it wants no key.
#[utoipa::path(
    post,
    path = "/v1/vouchers/unlock",
    tag = "vouchers",
    operation_id = "unlock_vouchers",
    request_body(content = UnlockRequest, description = "Which manager says so"),
    responses((status = 204, description = "Wrong codes are counted anew"), UnlockProblems)
)]
async fn unlock(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<UnlockRequest>,
) -> Result<StatusCode, Problem> {
    match state.counter().unlock_tries(caller.deciding(request.by.0)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => Err(Problem::of(refusal, state.counter()).await),
    }
}

/// Print what a look showed
///
/// What is on the voucher, with the end of its code alone. It can be printed for as long as the look may be acted on.
#[utoipa::path(
    post,
    path = "/v1/vouchers/{check}/print",
    tag = "vouchers",
    operation_id = "print_check",
    params(("check" = String, Path, format = "uuid", description = "The look's name")),
    responses((status = 200, description = "What came of it", body = PaperEnd), PrintCheckProblems)
)]
async fn print(State(state): State<ApiState>, OfCheck(check): OfCheck) -> Result<Json<PaperEnd>, Problem> {
    Ok(Json(state.counter().print_check(check, None).await?.into()))
}

/// The look that a path names. A path that names none is answered as a look that is over.
struct OfCheck(CheckId);

impl<State: Send + Sync> FromRequestParts<State> for OfCheck {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "check").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(|| Refusal::CheckExpired.into())
    }
}
