//! Redemptions: take value from a voucher, complete or reverse it, answer its questions, read it.
//!
//! Every route but the reading ones acts, and carries the till's key. The answer is the redemption at its first rest after the
//! request's own entry, and a pure function of that. That the provider refuses the voucher is no error of the request: the
//! redemption says so.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tilld_counter::RedemptionNow;
use tilld_domain::ids::{BasketId, RedemptionId};
use tilld_domain::redemption::screen::Screen;
use tilld_domain::refusal::Refusal;

use crate::ApiState;
use crate::asked::{Digest, Key};
use crate::attention::Of;
use crate::body::{Body, MaybeBody};
use crate::guard::Caller;
use crate::openapi::{
    BasketProblems, CompleteProblems, PrintRedemptionProblems, ReadRedemptionProblems, RedeemProblems,
    RedemptionAnswerProblems, RedemptionSettleProblems, ReverseProblems, ScanProblems,
};
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::sales::of_path;
use crate::wire::{
    Basket, CompleteRequest, RedeemRequest, Redemption, RedemptionAnswerRequest, RedemptionPaper,
    RedemptionSettleRequest, ReverseRequest, ScanRequest,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(redeem))
        .routes(routes!(read))
        .routes(routes!(complete))
        .routes(routes!(reverse))
        .routes(routes!(answer))
        .routes(routes!(settle))
        .routes(routes!(scan))
        .routes(routes!(print))
        .routes(routes!(basket))
}

/// Redeem a voucher
///
/// Takes an amount or a number of items from the voucher of a look, for a basket. The answer comes when it is taken, refused,
/// or a question; `screen` says which, and `counts` whether it pays. While it is being found out (`other_payment` is false) no
/// other payment is taken for the basket. A basket's name is never used again: the same voucher and amount for the same basket is the same redemption, also under
/// another key: nothing is taken twice. It may take 30 s and more for an uncertain outcome.
#[utoipa::path(
    post,
    path = "/v1/redemptions",
    tag = "redemptions",
    operation_id = "redeem",
    params(
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "2f9f36f0-6d0b-4c3f-8a54-8f35d1f0a0e1",
            description = "The till's own key of this request: printable ASCII. The same key and body get the same answer, and nothing is done twice.")
    ),
    request_body(content = RedeemRequest, description = "How much of which look, for which basket"),
    responses(
        (status = 201, description = "The redemption, at rest", body = Redemption,
            headers(("Location" = String, description = "The path of the redemption"))),
        RedeemProblems
    )
)]
async fn redeem(
    State(state): State<ApiState>,
    key: Key,
    Body(request): Body<RedeemRequest>,
) -> Result<Response, Problem> {
    let asked = key.with(request.digest(Digest::of("redeem")));
    let request = tilld_counter::RedeemRequest::from(request);
    let basket = request.basket.clone();
    let now = match state.counter().redeem(asked, request).await {
        Ok(now) => now,
        Err(refusal) => return Err(Problem::about(refusal, state.counter(), Of::Basket(basket)).await),
    };
    let location = HeaderValue::try_from(format!("/v1/redemptions/{}", now.redemption.id()));
    let mut response = view(StatusCode::CREATED, &now);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Read a redemption
///
/// As it is now; open or closed.
#[utoipa::path(
    get,
    path = "/v1/redemptions/{redemption}",
    tag = "redemptions",
    operation_id = "read_redemption",
    params(("redemption" = String, Path, format = "uuid", description = "The redemption's id")),
    responses((status = 200, description = "The redemption", body = Redemption), ReadRedemptionProblems)
)]
async fn read(State(state): State<ApiState>, OfRedemption(id): OfRedemption) -> Result<Response, Problem> {
    Ok(view(StatusCode::OK, &state.counter().redemption(id).await?))
}

/// Complete a redemption
///
/// The basket is paid and its goods are the guest's. From here on only a manager reverses it. The body may be absent.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/complete",
    tag = "redemptions",
    operation_id = "complete_redemption",
    params(
        ("redemption" = String, Path, format = "uuid", description = "The redemption's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "30a047a1-7e1c-4d40-9b65-9a46e2a1b1f2",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = Option<CompleteRequest>, description = "Who completes; may be absent"),
    responses((status = 200, description = "The redemption, completed", body = Redemption), CompleteProblems)
)]
async fn complete(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
    key: Key,
    caller: Caller,
    MaybeBody(request): MaybeBody<CompleteRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let asked = key.with(request.digest(Digest::of("complete_redemption").text(&id.to_string())));
    acted(state.counter().complete(asked, id, request.by()).await, &state, id).await
}

/// Reverse a redemption
///
/// The voucher gets back all that was taken: in the open basket by the cashier, after it was completed by a manager. The answer
/// does not wait for the provider's word on that; another payment may be taken at once. Where the provider's call is not
/// confirmed (`reversal_confirmed` of the health) it becomes a manager's case. The body may be absent.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/reverse",
    tag = "redemptions",
    operation_id = "reverse_redemption",
    params(
        ("redemption" = String, Path, format = "uuid", description = "The redemption's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "41b158b2-8f2d-4e51-8c76-ab57f3b2c2a3",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = Option<ReverseRequest>, description = "Who reverses; may be absent"),
    responses((status = 200, description = "The redemption, its reversal owed", body = Redemption), ReverseProblems)
)]
async fn reverse(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
    key: Key,
    caller: Caller,
    MaybeBody(request): MaybeBody<ReverseRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let asked = key.with(request.digest(Digest::of("reverse_redemption").text(&id.to_string())));
    let (by, manager) = request.by()?;
    acted(state.counter().take_back(asked, id, by, manager).await, &state, id).await
}

/// The answer to what was asked of a redemption.
async fn acted(
    done: Result<RedemptionNow, Refusal>,
    state: &ApiState,
    id: RedemptionId,
) -> Result<Response, Problem> {
    match done {
        Ok(now) => Ok(view(StatusCode::OK, &now)),
        Err(Refusal::RedemptionClosed) => match state.counter().redemption(id).await {
            Ok(now) => Err(Problem::closed(&Screen::of(&now.redemption).sentence())),
            Err(_) => Err(Refusal::RedemptionClosed.into()),
        },
        Err(refusal) => Err(Problem::about(refusal, state.counter(), Of::Redemption(id)).await),
    }
}

/// Answer the open question of a redemption
///
/// `question` of the redemption names the question and the choices.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/answer",
    tag = "redemptions",
    operation_id = "answer_redemption",
    params(
        ("redemption" = String, Path, format = "uuid", description = "The redemption's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "52c269c3-903e-4f62-9d87-bc6804c3d3b4",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = RedemptionAnswerRequest, description = "The answer"),
    responses((status = 200, description = "The redemption, at rest", body = Redemption), RedemptionAnswerProblems)
)]
async fn answer(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
    key: Key,
    caller: Caller,
    Body(request): Body<RedemptionAnswerRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let asked = key.with(request.digest(Digest::of("answer_redemption").text(&id.to_string())));
    let (answer, by) = request.parts();
    // Till software that names somebody answers for what he is.
    let by_manager = caller.as_manager(by.is_some());
    acted(state.counter().tell(asked, id, answer, by, by_manager).await, &state, id).await
}

/// Close a manager's case of a redemption
///
/// Ends what nobody can find out, or a reversal that does not get through. Nothing is sent for the redemption any more.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/settle",
    tag = "attention",
    operation_id = "settle_redemption",
    params(
        ("redemption" = String, Path, format = "uuid", description = "The redemption's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "63d37ad4-a14f-4073-ae98-cd7915d4e4c5",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = RedemptionSettleRequest, description = "What is decided, by whom, and why"),
    responses((status = 200, description = "The redemption, the case closed", body = Redemption), RedemptionSettleProblems)
)]
async fn settle(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
    key: Key,
    caller: Caller,
    Body(request): Body<RedemptionSettleRequest>,
) -> Result<Response, Problem> {
    let request = request.signed(&caller);
    let asked = key.with(request.digest(Digest::of("settle_redemption").text(&id.to_string())));
    let (verdict, by, reason) = request.parts();
    Ok(view(StatusCode::OK, &state.counter().decide(asked, id, verdict, by, reason).await?))
}

/// Scan the voucher of a redemption again
///
/// Where a redemption asks for it (`scan_again`): what is left on the voucher tells what became of it.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/scan",
    tag = "redemptions",
    operation_id = "scan_again",
    params(
        ("redemption" = String, Path, format = "uuid", description = "The redemption's id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "74e48be5-b250-4184-bfa9-de8a26e5f5d6",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = ScanRequest, description = "What was scanned"),
    responses((status = 200, description = "The redemption, at rest", body = Redemption), ScanProblems)
)]
async fn scan(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
    key: Key,
    Body(request): Body<ScanRequest>,
) -> Result<Response, Problem> {
    let digest = Digest::of("scan_again").text(&id.to_string());
    let asked = key.with(request.digest(digest, |scan| state.counter().fingerprint(scan)));
    match state.counter().scan_again(asked, id, &request.scan.0).await {
        Ok(now) => Ok(view(StatusCode::OK, &now)),
        Err(refusal) => Err(Problem::of(refusal, state.counter()).await),
    }
}

/// Print what became of a redemption
///
/// That it was redeemed, or that its value was given back, with the end of the code alone. Nothing of it is worth anything, so
/// nothing is journaled: every request prints one more, and each after the first is marked as a copy, by its number (`copy`). One that
/// cannot be known to be the first, as after a restart, is marked as a copy without a number.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/print",
    tag = "redemptions",
    operation_id = "print_redemption",
    params(("redemption" = String, Path, format = "uuid", description = "The redemption's id")),
    responses((status = 200, description = "What came of it", body = RedemptionPaper), PrintRedemptionProblems)
)]
async fn print(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
) -> Result<axum::Json<RedemptionPaper>, Problem> {
    Ok(axum::Json(state.counter().print_redemption(id).await?.into()))
}

/// Read a basket
///
/// Every redemption for it, and whether another payment may be taken. A basket that nothing was redeemed for has none.
#[utoipa::path(
    get,
    path = "/v1/baskets/{basket}",
    tag = "redemptions",
    operation_id = "read_basket",
    params(("basket" = String, Path, min_length = 1, max_length = 64, description = "The till's own name of the basket")),
    responses((status = 200, description = "The basket", body = Basket), BasketProblems)
)]
async fn basket(State(state): State<ApiState>, OfBasket(id): OfBasket) -> Result<Response, Problem> {
    let name = id.to_string();
    let redemptions = state.counter().basket(id).await?;
    Ok(axum::Json(Basket::of(name, &redemptions)).into_response())
}

fn view(status: StatusCode, now: &RedemptionNow) -> Response {
    (status, axum::Json(Redemption::from(now))).into_response()
}

/// The redemption that a path names. A path that names none is answered as a redemption that is not there.
pub(crate) struct OfRedemption(pub(crate) RedemptionId);

impl<State: Send + Sync> FromRequestParts<State> for OfRedemption {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "redemption").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(|| Refusal::RedemptionUnknown.into())
    }
}

/// The basket that a path names.
struct OfBasket(BasketId);

impl<State: Send + Sync> FromRequestParts<State> for OfBasket {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let text = of_path(parts, state, "basket").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(|| {
            let why = "In the path: the basket is 1 to 64 characters of printable ASCII, and no payment card number.";
            Problem::in_body(Objection::FieldWrong, Some("basket".to_owned()), why.to_owned())
        })
    }
}
