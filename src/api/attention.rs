//! Attention: what waits for a person, and closing what only a manager can close.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tilld_counter::SaleNow;
use tilld_domain::attention::{self, Case};
use tilld_domain::ids::PersonName;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::asked::{Digest, Key};
use crate::body::Body;
use crate::openapi::{AttentionProblems, SettleProblems};
use crate::problem::Problem;
use crate::sales::{OfCard, OfSale, view};
use crate::wire::{Answer, Checked, Money, Sale, instant};

pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(settle))
}

/// What waits for a person, oldest sale first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attention {
    /// Every case. The list never empties itself by time.
    cases: Vec<Waiting>,
}

/// One thing that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(crate) struct Waiting {
    /// The sale that it is in.
    #[schema(format = "uuid")]
    sale: String,
    /// The till's number of its receipt.
    receipt: String,
    /// Which card of it, from 1.
    #[schema(minimum = 1, maximum = 20)]
    card: u16,
    /// The product's name.
    product_name: String,
    /// The value of the card.
    face_value: Money,
    /// What it is, in one word: of a question, or `undo_late`, `spent`, `undo_window_over`, `undo_not_supported`, `undo_refused`.
    #[schema(example = "is_it_complete")]
    case: &'static str,
    /// One sentence that says what to do with card, paper and money.
    text: &'static str,
    /// Who may decide: `cashier` or `manager`.
    #[schema(example = "cashier")]
    who: &'static str,
    /// The answers that are taken, at `/v1/sales/{sale}/cards/{card}/answer`; none where only closing it is left.
    choices: Vec<Answer>,
    /// Whether a manager may close it with a reason, at `/v1/sales/{sale}/cards/{card}/settle`.
    may_be_settled: bool,
    /// Since when (RFC 3339, UTC); absent for a question of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Until when: when the counter decides a question by itself, or when the provider is expected to take the card back
    /// no longer (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    until: Option<String>,
    /// Whether somebody must look now: a customer waits, or half of the time has gone.
    urgent: bool,
}

impl Waiting {
    fn of(now: &SaleNow, case: &Case) -> Option<Self> {
        let order = now.sale.order(case.card)?;
        Some(Self {
            sale: now.sale.opening.sale.to_string(),
            receipt: now.sale.opening.receipt.to_string(),
            card: case.card.number(),
            product_name: order.facts.product_name.clone(),
            face_value: Money(order.facts.face_value),
            case: case.code(),
            text: case.sentence(),
            who: match case.who() {
                attention::Who::Cashier => "cashier",
                attention::Who::Manager => "manager",
            },
            choices: case.choices().iter().copied().map(Answer::from).collect(),
            may_be_settled: case.may_be_settled(),
            since: case.since.map(instant),
            until: case.until.map(instant),
            urgent: case.urgent,
        })
    }
}

/// List what waits for a person
///
/// Every open question of a sale, and every undo that does not get through, with what to do and who may decide.
#[utoipa::path(
    get,
    path = "/v1/attention",
    tag = "attention",
    operation_id = "list_attention",
    responses((status = 200, description = "Every case", body = Attention), AttentionProblems)
)]
async fn list(State(state): State<ApiState>) -> Result<Json<Attention>, Problem> {
    let waiting = state.counter().attention().await?;
    let cases =
        waiting.sales.iter().flat_map(|(now, cases)| cases.iter().filter_map(|case| Waiting::of(now, case)));
    Ok(Json(Attention { cases: cases.collect() }))
}

/// A manager's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleRequest {
    /// Who decides; it stays in the journal.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Ada Berg")]
    by: Checked<PersonName>,
    /// Why; it stays in the journal. No control characters, no payment card number.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "The provider credits it with the settlement of November."
    )]
    reason: String,
}

/// Close a manager's case
///
/// Ends an undo that does not get through, or that the provider will not do. Nothing is sent for the card any more.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cards/{card}/settle",
    tag = "attention",
    operation_id = "settle_card",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "bf4d8052-9e42-4e97-9e7d-9d4dd150ce55",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = SettleRequest, description = "Who decides, and why"),
    responses((status = 200, description = "The sale, the case closed", body = Sale), SettleProblems)
)]
async fn settle(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
    key: Key,
    Body(request): Body<SettleRequest>,
) -> Result<Response, Problem> {
    let digest = Digest::of("settle_card").text(&sale.to_string()).count(usize::from(card.number()));
    let asked = key.with(digest.text(request.by.0.as_str()).text(&request.reason));
    let now = state.counter().settle(asked, sale, card, request.by.0, request.reason).await?;
    Ok(view(StatusCode::OK, &now))
}
