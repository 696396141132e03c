//! Devices: how the printers and scanners are, what to do about it, and trying a printer.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use tilld_domain::refusal::Refusal;

use crate::ApiState;
use crate::openapi::{AnyProblems, DeviceTestProblems};
use crate::problem::Problem;
use crate::routes::{Routes, routes};
use crate::sales::of_path;
use crate::wire::{Devices, PaperEnd};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(devices)).routes(routes!(try_out))
}

/// How the devices are
///
/// As they are known to be now; nothing is asked of them. `event: device` of the stream tells each change of a printer.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "devices",
    operation_id = "read_devices",
    responses((status = 200, description = "The devices", body = Devices), AnyProblems)
)]
async fn devices(State(state): State<ApiState>) -> Json<Devices> {
    Json(Devices::of(state.counter()).await)
}

/// Print a test slip
///
/// A ruler over its columns, letters, a QR and a bar code. It is worth nothing, is written nowhere, and the drawer stays shut. It wants
/// no key: every request prints one.
#[utoipa::path(
    post,
    path = "/v1/devices/{name}/test",
    tag = "devices",
    operation_id = "test_device",
    params(("name" = String, Path, description = "The printer's name, `slip` or `spare`", example = "slip")),
    responses((status = 200, description = "What came of it", body = PaperEnd), DeviceTestProblems)
)]
async fn try_out(State(state): State<ApiState>, OfDevice(name): OfDevice) -> Result<Json<PaperEnd>, Problem> {
    Ok(Json(state.counter().print_test(&name).await?.into()))
}

/// The device that a path names. A path that names none is answered as a device that is not there.
struct OfDevice(String);

impl<State: Send + Sync> FromRequestParts<State> for OfDevice {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        of_path(parts, state, "name").await.map(Self).ok_or_else(|| Refusal::DeviceUnknown.into())
    }
}
