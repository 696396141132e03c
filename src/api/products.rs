//! Products: what can be sold, from the counter's cache, and fetching it anew.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tilld_counter::ShelfState;
use tilld_domain::product::{self, FaceValues};
use utoipa::ToSchema;

use crate::ApiState;
use crate::openapi::{AnyProblems, RefreshProblems};
use crate::problem::Problem;
use crate::routes::{Routes, routes};
use crate::wire::{CardKind, Money, instant, words};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(refresh))
}

/// The catalogue as it was fetched last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Products {
    /// Every product, also those that cannot be sold now.
    products: Vec<Product>,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Product {
    /// Its code, for a card of a sale.
    #[schema(example = "4001232232332")]
    code: String,
    /// As the provider names it.
    name: String,
    /// Whose card it is; may be empty.
    brand: String,
    /// Printed or activated.
    kind: CardKind,
    /// Of every face value: ISO 4217.
    #[schema(example = "EUR")]
    currency: &'static str,
    /// Which face values there are.
    face_values: FaceValue,
    /// Where it may be sold: ISO 3166-1 alpha-2.
    #[schema(example = "DE")]
    country: String,
    /// Whether the provider lets this shop sell it now.
    sellable: bool,
    /// What the bar code on its rack cards says; absent of what is printed, and where that is not configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    rack_code: Option<RackCode>,
}

words! {
    /// What the bar code on a rack card says.
    enum RackCode as "RackCode" {
        /// Which product it is: it is `code`, the same on every hanger.
        Product = "product",
        /// Which card it is: no two are the same, and the product is chosen before.
        Card = "card",
    }
}

/// Which face values a product comes in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = FaceValues)]
pub(crate) enum FaceValue {
    /// One of these.
    Fixed {
        /// Each of them.
        values: Vec<Money>,
    },
    /// Anything from the first to the second, both included.
    Open {
        /// The smallest.
        least: Money,
        /// The greatest.
        most: Money,
    },
}

impl Product {
    fn of(product: &product::Product, rack_code: Option<product::RackCode>) -> Self {
        Self {
            rack_code: rack_code.map(|says| match says {
                product::RackCode::Product => RackCode::Product,
                product::RackCode::Card => RackCode::Card,
            }),
            code: product.code.to_string(),
            name: product.name.clone(),
            brand: product.brand.clone(),
            kind: product.kind.into(),
            currency: product.currency.code(),
            face_values: match &product.face_values {
                FaceValues::Fixed(values) => {
                    FaceValue::Fixed { values: values.iter().copied().map(Money).collect() }
                }
                FaceValues::Open { least, most } => {
                    FaceValue::Open { least: Money(*least), most: Money(*most) }
                }
            },
            country: product.country.to_string(),
            sellable: product.sellable,
        }
    }
}

/// What is known of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Catalogue)]
pub(crate) struct Shelf {
    /// How many products are known.
    count: usize,
    /// When they were fetched (RFC 3339, UTC); null if they never were.
    #[schema(format = "date-time")]
    fetched_at: Option<String>,
    /// How many entries of the provider's catalogue could not be read the last time.
    unreadable: usize,
}

impl From<ShelfState> for Shelf {
    fn from(state: ShelfState) -> Self {
        Self { count: state.products, fetched_at: state.fetched.map(instant), unreadable: state.unreadable }
    }
}

/// List the products
///
/// From the cache that sales are made from. It is fetched anew every day; empty before the first time.
#[utoipa::path(
    get,
    path = "/v1/products",
    tag = "products",
    operation_id = "list_products",
    responses((status = 200, description = "The catalogue", body = Products), AnyProblems)
)]
async fn list(State(state): State<ApiState>) -> Json<Products> {
    let counter = state.counter();
    let shown = |product: &product::Product| Product::of(product, counter.rack_code(product));
    Json(Products { products: counter.products().iter().map(shown).collect() })
}

/// Fetch the catalogue now
///
/// Safe to repeat: it wants no key. The answer comes when the new catalogue is in place.
#[utoipa::path(
    post,
    path = "/v1/products/refresh",
    tag = "products",
    operation_id = "refresh_products",
    responses((status = 200, description = "What is known now", body = Shelf), AnyProblems, RefreshProblems)
)]
async fn refresh(State(state): State<ApiState>) -> Result<Json<Shelf>, Problem> {
    Ok(Json(state.counter().refresh_products().await?.into()))
}
