//! What only finperks' control door can do: its books, its cards, its balances.
//!
//! With `C=http://127.0.0.1:PORT`, beside the routes of `crate::control`:
//!
//! ```text
//! curl $C/ledger                                       accounts, orders, stores; codes masked
//! curl "$C/ledger?reveal=1"                            codes in clear
//! curl -X POST  $C/orders/ro_.../redeem                spends the card
//! curl -X POST  $C/orders/ro_.../finish                ends a confirm that is running
//! curl -X PUT   $C/balances/EUR -d '{"available":"5.0"}'
//! curl -X PATCH $C/switches -d '{"products":{"4001232232332":{"picture":"redirect"}}}'    or another `PictureShape`
//! ```

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use serde::Deserialize;

use super::Finperks;
use super::amount::{Currency, parse_amount};
use super::ledger::Rules;
use super::statement::Statement;
use crate::control::{Answered, Reveal, Wrong, read, shown};
use crate::house::{House, World};

type Here = State<Arc<House<Finperks>>>;

/// The routes.
pub fn routes() -> Router<Arc<House<Finperks>>> {
    Router::new()
        .route("/ledger", get(ledger))
        .route("/orders/{id}/redeem", post(redeem))
        .route("/orders/{id}/finish", post(finish))
        .route("/balances/{currency}", put(set_available))
}

async fn ledger(State(house): Here, Query(query): Query<Reveal>) -> Answered {
    let statement = Statement::of(&house.world().provider.ledger, query.reveal == 1);
    shown(&statement)
}

async fn redeem(State(house): Here, Path(id): Path<String>) -> Result<StatusCode, Wrong> {
    if spend(&house, &id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Wrong::absent("there is no completed order of this id"))
    }
}

/// Spends a card; false unless there is a completed order of this id.
pub fn spend(house: &House<Finperks>, id: &str) -> bool {
    let mut world = house.world();
    let now = world.now();
    let World { switches, provider, .. } = &mut *world;
    provider.ledger.redeem(id, Rules { switches, now })
}

async fn finish(State(house): Here, Path(id): Path<String>) -> Result<StatusCode, Wrong> {
    if end(&house, &id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Wrong::absent("there is no order of this id whose confirm is running"))
    }
}

/// Ends a confirm that is running; false unless there is one of this id.
pub fn end(house: &House<Finperks>, id: &str) -> bool {
    let mut world = house.world();
    let now = world.now();
    let World { switches, provider, .. } = &mut *world;
    provider.ledger.finish(id, Rules { switches, now })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Available {
    available: String,
}

async fn set_available(
    State(house): Here,
    Path(currency): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Wrong> {
    let currency =
        Currency::from_code(&currency).ok_or_else(|| Wrong::absent("there is no such currency"))?;
    let wanted: Available = read(&body)?;
    let amount = parse_amount(&wanted.available).ok_or_else(|| Wrong::request("not a decimal text"))?;
    house.world().provider.set_available(currency, amount);
    Ok(StatusCode::NO_CONTENT)
}
