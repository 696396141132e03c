//! Slips: how they look on paper, a numbered copy of a card's, and its number or code as proof that it is there.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tilld_counter::Copied;
use tilld_domain::ids::PersonName;
use utoipa::ToSchema;

use crate::ApiState;
use crate::asked::{Digest, Key};
use crate::attention::Of;
use crate::body::Body;
use crate::guard::Caller;
use crate::openapi::{CopyProblems, RedemptionSlipProblems, ScannedProblems, SlipProblems};
use crate::problem::Problem;
use crate::redemptions::OfRedemption;
use crate::routes::{Routes, routes};
use crate::sales::{OfCard, OfSale, view};
use crate::wire::{Checked, PaperEnd, Sale, Slip, Unshown};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(copy))
        .routes(routes!(show))
        .routes(routes!(show_redemption))
        .routes(routes!(scanned))
}

/// A manager wants a copy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyRequest {
    /// Who wants it; it stays in the journal.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Ada Berg")]
    by: Checked<PersonName>,
}

/// A copy of a card's slip.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SlipCopy {
    /// Its number, as it stands on it, from 1.
    #[schema(minimum = 1)]
    copy: u16,
    /// What came of printing it; null where that is not known any more, as to a request that is repeated later. Nothing is printed for a repeated one.
    paper: Option<PaperEnd>,
}

impl From<Copied> for SlipCopy {
    fn from(copied: Copied) -> Self {
        Self { copy: copied.number, paper: copied.end.map(PaperEnd::from) }
    }
}

/// Print a copy of a card's slip
///
/// Of a card that is sold, while its code is not forgotten. It is numbered and journaled with the manager's name before it prints, and
/// marked as a copy at both ends. It answers no question about the first paper, and there is none while one is open. For another
/// one use another key.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cards/{card}/copy",
    tag = "sales",
    operation_id = "copy_slip",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "c05e9163-0f53-4fa8-8f8e-0ea5ee261fd7",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = CopyRequest, description = "Who wants it"),
    responses((status = 200, description = "The copy, and what came of it", body = SlipCopy), CopyProblems)
)]
async fn copy(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
    key: Key,
    caller: Caller,
    Body(request): Body<CopyRequest>,
) -> Result<Json<SlipCopy>, Problem> {
    let by = caller.deciding(request.by.0);
    let digest = Digest::of("copy_slip").text(&sale.to_string()).count(usize::from(card.number()));
    let asked = key.with(digest.text(by.as_str()));
    match state.counter().copy_slip(asked, sale, card, by).await {
        Ok(copied) => Ok(Json(copied.into())),
        Err(refusal) => Err(Problem::about(refusal, state.counter(), Of::Sale(sale)).await),
    }
}

/// See a card's slip
///
/// As it would be printed now, row by row, with dots in the place of whatever may be a code: of a long one that
/// stands in one piece the last four characters are left. It may be seen while the card is live and its code is not forgotten.
#[utoipa::path(
    get,
    path = "/v1/sales/{sale}/cards/{card}/slip",
    tag = "sales",
    operation_id = "show_slip",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1")
    ),
    responses((status = 200, description = "The slip", body = Slip), SlipProblems)
)]
async fn show(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
) -> Result<Json<Slip>, Problem> {
    Ok(Json((&state.counter().slip_of_card(sale, card).await?).into()))
}

/// See the paper of a redemption
///
/// That it was redeemed, or that its value was given back: what `print` would print.
#[utoipa::path(
    get,
    path = "/v1/redemptions/{redemption}/slip",
    tag = "redemptions",
    operation_id = "show_redemption_slip",
    params(("redemption" = String, Path, format = "uuid", description = "The redemption's id")),
    responses((status = 200, description = "The paper", body = Slip), RedemptionSlipProblems)
)]
async fn show_redemption(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
) -> Result<Json<Slip>, Problem> {
    Ok(Json((&state.counter().slip_of_redemption(id).await?).into()))
}

/// The number at the foot of a slip, or the code on it, was scanned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScannedRequest {
    /// What was scanned or typed: the slip's number, or the card's code; blanks and strokes in it do not matter. It is never shown again.
    #[schema(value_type = String, min_length = 1, write_only, example = "90766354171")]
    code: Unshown,
    /// Who holds the paper.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    by: Option<Checked<PersonName>>,
}

/// Answer by the number or the code on a slip
///
/// Where the printer fell silent (`is_it_complete`), the number that was read off the foot of the paper (CODE128, 11 digits) proves the
/// paper down to there, of that attempt: it answers `complete` for its card. So does the card's code, as long as the first attempt is
/// asked about: later papers carry the same one. No other question is answered so.
#[utoipa::path(
    post,
    path = "/v1/sales/scanned",
    tag = "sales",
    operation_id = "answer_by_slip",
    params(
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "d16fa274-1064-4fb9-9f9f-1fb6ff372fe8",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = ScannedRequest, description = "What was scanned"),
    responses((status = 200, description = "The sale of that card, at rest", body = Sale), ScannedProblems)
)]
async fn scanned(
    State(state): State<ApiState>,
    key: Key,
    caller: Caller,
    Body(request): Body<ScannedRequest>,
) -> Result<Response, Problem> {
    let (code, by) = (request.code.0, caller.acting(request.by.map(|name| name.0)));
    let digest = Digest::of("answer_by_slip").secret(Some(state.counter().fingerprint(&code)));
    let asked = key.with(digest.optional(by.as_ref().map(PersonName::as_str)));
    Ok(view(StatusCode::OK, &state.counter().slip_scanned(asked, code, by).await?))
}
