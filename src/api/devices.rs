//! Devices: how the printer is, and what to do about it.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::openapi::AnyProblems;
use crate::wire::Devices;

pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(devices))
}

/// How the devices are
///
/// As they are known to be now; nothing is asked of them. `event: device` of the stream tells each change.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "devices",
    operation_id = "read_devices",
    responses((status = 200, description = "The devices", body = Devices), AnyProblems)
)]
async fn devices(State(state): State<ApiState>) -> Json<Devices> {
    Json(state.counter().printers().await.into())
}
