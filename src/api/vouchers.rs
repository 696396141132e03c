//! Vouchers: look at one before anything is taken from it.
//!
//! A look takes nothing and is repeated freely, so it carries no key. What it shows is in no log: it names people.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::body::Body;
use crate::openapi::{CheckProblems, UnlockProblems};
use crate::problem::Problem;
use crate::wire::{CheckRequest, UnlockRequest, VoucherCheck};

pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(unlock))
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
    Body(request): Body<UnlockRequest>,
) -> Result<StatusCode, Problem> {
    match state.counter().unlock_tries(request.by.0).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => Err(Problem::of(refusal, state.counter()).await),
    }
}
