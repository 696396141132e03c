//! The form of the cached products. They are no entries: a cache that cannot be read is fetched anew.

use serde::{Deserialize, Serialize};
use tilld_domain::ids::{Country, ProductCode};
use tilld_domain::money::{Currency, Money};
use tilld_domain::product::{CardKind, FaceValues, Product};

use super::sale::CardKindForm;
use super::text::{currency, money, plain};
use super::why;
use crate::failure::DecodeError;

#[derive(Serialize)]
struct Lent<'a>(#[serde(with = "ProductForm")] &'a Product);

#[derive(Deserialize)]
struct Owned(#[serde(with = "ProductForm")] Product);

/// The products of a provider as JSON.
pub(crate) fn encode_products(products: &[Product]) -> Result<String, DecodeError> {
    let lent: Vec<_> = products.iter().map(Lent).collect();
    serde_json::to_string(&lent).map_err(|error| why(&error))
}

/// The products of such a text.
pub(crate) fn decode_products(body: &str) -> Result<Vec<Product>, DecodeError> {
    let owned: Vec<Owned> = serde_json::from_str(body).map_err(|error| why(&error))?;
    Ok(owned.into_iter().map(|Owned(product)| product).collect())
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Product", deny_unknown_fields)]
struct ProductForm {
    #[serde(with = "plain")]
    code: ProductCode,
    name: String,
    brand: String,
    #[serde(with = "CardKindForm")]
    kind: CardKind,
    #[serde(with = "currency")]
    currency: Currency,
    #[serde(with = "FaceValuesForm")]
    face_values: FaceValues,
    #[serde(with = "plain")]
    country: Country,
    sellable: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FaceValues", rename_all = "snake_case", deny_unknown_fields)]
enum FaceValuesForm {
    Fixed(#[serde(with = "amounts")] Vec<Money>),
    Open {
        #[serde(with = "money")]
        least: Money,
        #[serde(with = "money")]
        most: Money,
    },
}

mod amounts {
    use serde::{Deserialize, Deserializer, Serializer};
    use tilld_domain::money::Money;

    use crate::form::text::MoneyForm;

    pub(super) fn serialize<S: Serializer>(value: &[Money], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(value.iter().copied().map(MoneyForm::from))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Money>, D::Error> {
        Ok(Vec::<MoneyForm>::deserialize(from)?.into_iter().map(Money::from).collect())
    }
}
