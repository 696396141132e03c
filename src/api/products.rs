//! Products: what can be sold, from the counter's cache, and fetching it anew; and the pictures of their brands.
//!
//! A picture comes from a stranger. It goes out under the media type that its bytes have, which nobody may guess anew
//! (`nosniff`), with a policy under which it can run and load nothing should a browser be sent there, and to nobody but a page of
//! this door. Its name is made from its content, so that a browser keeps it for ever.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tilld_counter::{Counter, ShelfState};
use tilld_domain::product::{self, FaceValues};
use utoipa::ToSchema;

use crate::ApiState;
use crate::openapi::{AnyProblems, PictureProblems, RefreshProblems};
use crate::problem::{Objection, Problem};
use crate::roles::PICTURE;
use crate::routes::{Routes, routes};
use crate::wire::{CardKind, Money, instant, words};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(refresh)).routes(routes!(picture))
}

/// What goes with every picture. Its content has this name for ever; a shared cache has no business with it.
const OF_A_PICTURE: [(HeaderName, &str); 3] = [
    (CACHE_CONTROL, "private, max-age=31536000, immutable"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

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
    /// Where its picture is at this door; null if there is none. Another picture has another path.
    #[schema(example = "/v1/products/pictures/8c36cdbb7a2e4ab2a3f2ea6de1eb5a0c")]
    picture: Option<String>,
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
    fn of(product: &product::Product, counter: &Counter) -> Self {
        let rack_code = counter.rack_code(product);
        Self {
            picture: counter.picture_of(&product.code).map(|name| PICTURE.replace("{picture}", &name)),
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
    /// How many products have a picture now. It grows while they are being fetched.
    pictures: usize,
}

impl From<ShelfState> for Shelf {
    fn from(state: ShelfState) -> Self {
        Self {
            count: state.products,
            fetched_at: state.fetched.map(instant),
            unreadable: state.unreadable,
            pictures: state.pictures,
        }
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
    let shown = |product: &product::Product| Product::of(product, counter);
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

/// A product's picture
///
/// As `picture` of a product names it: at most 256 KiB and 2,048 dots each way. It never changes, and may be kept.
#[utoipa::path(
    get,
    path = "/v1/products/pictures/{picture}",
    tag = "products",
    operation_id = "show_picture",
    params(("picture" = String, Path, description = "The picture's name")),
    responses(
        (status = 200, description = "The picture", content(
            (String = "image/png"), (String = "image/jpeg"), (String = "image/webp"),
        )),
        PictureProblems
    )
)]
async fn picture(
    State(state): State<ApiState>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| Objection::RouteUnknown)?;
    let picture = state.counter().picture(&name).await.ok_or(Objection::RouteUnknown)?;
    Ok((OF_A_PICTURE, [(CONTENT_TYPE, picture.media_type)], picture.bytes).into_response())
}
