//! Balances: what the shop may still spend at its provider.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tilld_counter::{BalanceNow, Balances};
use utoipa::ToSchema;

use crate::ApiState;
use crate::openapi::{AnyProblems, BalanceProblems};
use crate::problem::Problem;
use crate::routes::{Routes, routes};
use crate::wire::Money;

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(read))
}

/// What may be spent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balances)]
struct Spendable {
    /// By provider.
    balances: Vec<OfProvider>,
}

/// What may be spent at a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
struct OfProvider {
    /// The provider, by its configured name.
    provider: String,
    /// In each currency.
    available: Vec<Money>,
    /// Whether less is left of one of them than `low_below` says.
    low: bool,
    /// Below what each is low: as configured (`finperks.low_balance`), else the dearest card that is sold in that currency.
    low_below: Vec<Money>,
}

impl From<Balances> for Spendable {
    fn from(balances: Balances) -> Self {
        let of_provider = OfProvider {
            provider: balances.provider,
            available: balances.available.iter().map(|balance| Money(balance.available)).collect(),
            low: balances.available.iter().any(BalanceNow::is_low),
            low_below: balances.available.iter().filter_map(|balance| balance.low_below).map(Money).collect(),
        };
        Self { balances: vec![of_provider] }
    }
}

/// Read the balances
///
/// The provider is asked each time; nothing is kept of it.
#[utoipa::path(
    get,
    path = "/v1/balances",
    tag = "balances",
    operation_id = "read_balances",
    responses((status = 200, description = "What may be spent", body = Spendable), AnyProblems, BalanceProblems)
)]
async fn read(State(state): State<ApiState>) -> Result<Json<Spendable>, Problem> {
    Ok(Json(state.counter().balances(&state.0.low_balances).await?.into()))
}
