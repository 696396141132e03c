//! Days of business: what each adds up to, and its reports X and Z.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use tilld_domain::day::Day;

use crate::ApiState;
use crate::body::Body;
use crate::guard::Caller;
use crate::openapi::{DayProblems, ReportProblems};
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::sales::of_path;
use crate::wire::{BusinessDay, Report, ReportKind, ReportRequest};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(day)).routes(routes!(report))
}

/// The day that a path names. A path that names none is no route.
struct OfDay(Day);

impl<State: Send + Sync> FromRequestParts<State> for OfDay {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "day").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(|| Objection::RouteUnknown.into())
    }
}

/// Read a day
///
/// What was sold, undone, redeemed and given back. A day that is closed holds what its Z took in, and lists what was open then; one
/// after it, everything since, and what is open now; another one, what was written on its date, and what was open at its end.
#[utoipa::path(
    get,
    path = "/v1/days/{day}",
    tag = "days",
    operation_id = "read_day",
    params(("day" = String, Path, format = "date", example = "2026-11-22", description = "Its date in the till's time zone")),
    responses((status = 200, description = "The day as it stands", body = BusinessDay), DayProblems)
)]
async fn day(State(state): State<ApiState>, OfDay(day): OfDay) -> Result<Json<BusinessDay>, Problem> {
    Ok(Json((&state.counter().day(day).await?).into()))
}

/// Report a day
///
/// `x` looks at it, at any time. `z` closes it: numbered, written into the journal, once. It takes in everything that no Z has
/// taken in before; what is sold later belongs to the next. It blocks nothing and wants no key: asked for again it is the same Z, and its
/// paper is marked as a copy.
#[utoipa::path(
    post,
    path = "/v1/days/{day}/report",
    tag = "days",
    operation_id = "report_day",
    params(("day" = String, Path, format = "date", example = "2026-11-22", description = "Its date in the till's time zone")),
    request_body(content = ReportRequest, description = "Which report, and whether on paper"),
    responses((status = 200, description = "The report", body = Report), ReportProblems)
)]
async fn report(
    State(state): State<ApiState>,
    OfDay(day): OfDay,
    caller: Caller,
    Body(request): Body<ReportRequest>,
) -> Result<Json<Report>, Problem> {
    let counter = state.counter();
    let reported = match (request.kind, caller.acting(request.by.map(|by| by.0))) {
        (ReportKind::X, _) => counter.x_report(day, request.print).await?,
        (ReportKind::Z, Some(by)) => match counter.z_report(day, by, request.print).await {
            Ok(reported) => reported,
            Err(refusal) => return Err(Problem::of(refusal, counter).await),
        },
        (ReportKind::Z, None) => {
            let why = "In by: who closes the day is needed for a Z.".to_owned();
            return Err(Problem::in_body(Objection::FieldMissing, Some("by".to_owned()), why));
        }
    };
    Ok(Json((&reported).into()))
}
