//! Sales: begin one, pay it, cancel it, answer its questions, read it.
//!
//! Every route but the reading one acts, and carries the till's key. The answer is the sale at its first rest after the
//! request's own entry, and a pure function of that: the same key and body get the same bytes for as long as the journal
//! keeps the sale. That cards were refused by the provider is no error of the request: the sale says so of each card.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, RawPathParams, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tilld_counter::SaleNow;
use tilld_domain::ids::SaleId;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::CardNo;
use utoipa::IntoParams;

use crate::ApiState;
use crate::asked::{Digest, Key};
use crate::attention::Of;
use crate::body::{Body, MaybeBody};
use crate::guard::Caller;
use crate::openapi::{
    AnswerProblems, CancelProblems, OpenProblems, OpenSalesProblems, PayProblems, ReadProblems,
};
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::wire::{AnswerRequest, CancelRequest, OpenSales, PaymentRequest, Sale, SaleRequest};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(open, list))
        .routes(routes!(read))
        .routes(routes!(pay))
        .routes(routes!(cancel))
        .routes(routes!(answer))
}

/// Begin a sale
///
/// Creates an order at the provider for every card, and answers when each is created or refused; `due` is what to collect
/// then. Nothing of value has been bought yet. Cards that the provider refused are in the answer with the state `not_sold`
/// and their refusal; if all are, the sale's phase is `nothing_sold`.
#[utoipa::path(
    post,
    path = "/v1/sales",
    tag = "sales",
    operation_id = "open_sale",
    params(
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "7b0f4c1e-5a0e-4a53-9a39-5f0f9d1c8a11",
            description = "The till's own key of this request: printable ASCII. The same key and body get the same answer, and nothing is done twice.")
    ),
    request_body(content = SaleRequest, description = "The receipt and its cards"),
    responses(
        (status = 201, description = "The sale, at rest: `due` is to be collected", body = Sale,
            headers(("Location" = String, description = "The path of the sale"))),
        OpenProblems
    )
)]
async fn open(
    State(state): State<ApiState>,
    key: Key,
    Body(request): Body<SaleRequest>,
) -> Result<Response, Problem> {
    let asked = key.with(request.digest(Digest::of("open_sale"), |code| state.counter().fingerprint(code)));
    let now = match state.counter().open(asked, request.into()).await {
        Ok(now) => now,
        Err(refusal) => return Err(Problem::of(refusal, state.counter()).await),
    };
    let location = HeaderValue::try_from(format!("/v1/sales/{}", now.sale.opening.sale));
    let mut response = view(StatusCode::CREATED, &now);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// How many open sales are listed: more than a till ever has in its hands.
const MOST_LISTED: usize = 100;

/// Which sales.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// `true`: those that are not closed. All others are found at `/v1/journal`.
    #[param(example = "true")]
    open: String,
}

/// List the open sales
///
/// So that a page that is opened anew finds the sale it was in the middle of: those in a customer's hands first, then those that only wait
/// for their undo or for a manager.
#[utoipa::path(
    get,
    path = "/v1/sales",
    tag = "sales",
    operation_id = "list_open_sales",
    params(Which),
    responses((status = 200, description = "At most 100 sales", body = OpenSales), OpenSalesProblems)
)]
async fn list(
    State(state): State<ApiState>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<axum::Json<OpenSales>, Problem> {
    let asks_for_open = which.is_ok_and(|Query(which)| which.open == "true");
    if !asks_for_open {
        let why = "In open: true is expected.".to_owned();
        return Err(Problem::in_body(Objection::QueryWrong, Some("open".to_owned()), why));
    }
    let sales = state.counter().open_sales(MOST_LISTED.saturating_add(1)).await?;
    Ok(axum::Json(OpenSales::of(&sales, MOST_LISTED)))
}

/// Read a sale
///
/// As it is now; open or closed.
#[utoipa::path(
    get,
    path = "/v1/sales/{sale}",
    tag = "sales",
    operation_id = "read_sale",
    params(("sale" = String, Path, format = "uuid", description = "The sale's id")),
    responses((status = 200, description = "The sale", body = Sale), ReadProblems)
)]
async fn read(State(state): State<ApiState>, OfSale(sale): OfSale) -> Result<Response, Problem> {
    Ok(view(StatusCode::OK, &state.counter().sale(sale).await?))
}

/// Report the payment
///
/// Says how the customer paid what is `due`. Every card is then confirmed at the provider and printed; the answer comes when
/// each is sold, given back (`money_back` is the sum), or a question to a person. It may take as long as the provider and the
/// printer need: 30 s and more for an uncertain outcome.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/payment",
    tag = "sales",
    operation_id = "pay_sale",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "8c1a5d2f-6b1f-4b64-8b4a-6a1aae2d9b22",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = PaymentRequest, description = "What was collected, and how"),
    responses((status = 200, description = "The sale, at rest", body = Sale), PayProblems)
)]
async fn pay(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    key: Key,
    Body(request): Body<PaymentRequest>,
) -> Result<Response, Problem> {
    let asked = key.with(request.digest(Digest::of("pay_sale").text(&sale.to_string())));
    match state.counter().pay(asked, sale, request.into()).await {
        Ok(now) => Ok(view(StatusCode::OK, &now)),
        Err(refusal) => Err(Problem::about(refusal, state.counter(), Of::Sale(sale)).await),
    }
}

/// Cancel a sale that is not paid
///
/// Every order that was created is undone. The answer does not wait for the provider's word on that. The body may be absent.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cancel",
    tag = "sales",
    operation_id = "cancel_sale",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "9d2b6e30-7c20-4c75-9c5b-7b2bbf3eac33",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = Option<CancelRequest>, description = "Who cancels; may be absent"),
    responses((status = 200, description = "The sale, cancelled", body = Sale), CancelProblems)
)]
async fn cancel(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    key: Key,
    caller: Caller,
    MaybeBody(request): MaybeBody<CancelRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let asked = key.with(request.digest(Digest::of("cancel_sale").text(&sale.to_string())));
    match state.counter().cancel(asked, sale, request.by()).await {
        Ok(now) => Ok(view(StatusCode::OK, &now)),
        Err(refusal) => Err(Problem::about(refusal, state.counter(), Of::Sale(sale)).await),
    }
}

/// Answer the open question of a card
///
/// `question` of the card names the question and the choices. The answer comes when the sale is at rest again.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cards/{card}/answer",
    tag = "sales",
    operation_id = "answer_card",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "ae3c7f41-8d31-4d86-8d6c-8c3cc04fbd44",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = AnswerRequest, description = "The answer"),
    responses((status = 200, description = "The sale, at rest", body = Sale), AnswerProblems)
)]
async fn answer(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
    key: Key,
    caller: Caller,
    Body(request): Body<AnswerRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let digest = Digest::of("answer_card").text(&sale.to_string()).count(usize::from(card.number()));
    let asked = key.with(request.digest(digest));
    let (answer, by) = request.parts();
    Ok(view(StatusCode::OK, &state.counter().answer(asked, sale, card, answer, by).await?))
}

pub(crate) fn view(status: StatusCode, now: &SaleNow) -> Response {
    (status, axum::Json(Sale::from(now))).into_response()
}

/// The sale that a path names. A path that names none is answered as a sale that is not there.
pub(crate) struct OfSale(pub(crate) SaleId);

impl<State: Send + Sync> FromRequestParts<State> for OfSale {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "sale").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(|| Refusal::SaleUnknown.into())
    }
}

/// The card that a path names.
pub(crate) struct OfCard(pub(crate) CardNo);

impl<State: Send + Sync> FromRequestParts<State> for OfCard {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "card").await;
        let number = text.and_then(|text| text.parse().ok()).and_then(CardNo::new);
        number.map(Self).ok_or_else(|| Refusal::CardUnknown.into())
    }
}

/// What stands in a path in the place of a name.
pub(crate) async fn of_path<State: Send + Sync>(
    parts: &mut Parts,
    state: &State,
    name: &str,
) -> Option<String> {
    let values = RawPathParams::from_request_parts(parts, state).await.ok()?;
    values.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}
