//! What a client sent, checked: paths, headers and bodies become the closed things that the ledger works with.
//!
//! Unknown fields of a create are kept and recorded, not refused (U19); everything else that is wrong is named field
//! by field.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::amount::Money;
use super::order::Wanted;
use super::refusal::{Code, Refusal};

/// The longest text that a field may hold, in bytes.
const LONGEST_TEXT: usize = 255;

/// The fewest and the most columns of a receipt.
const COLUMNS: std::ops::RangeInclusive<u64> = 16..=120;

/// Which endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `GET /v1/products`
    Products,
    /// `GET /v1/balances`
    Balances,
    /// `GET /v1/stores`
    ListStores,
    /// `POST /v1/stores`
    RegisterStore,
    /// `POST /v1/retail_orders`
    Create,
    /// `GET /v1/retail_orders/{id}`
    Get,
    /// `POST /v1/retail_orders/{id}/actions/confirm`
    Confirm,
    /// `POST /v1/retail_orders/{id}/actions/invalidate`
    Invalidate,
    /// `GET /pictures/{name}`, which wants no signature
    Picture,
}

impl CallKind {
    /// The endpoint of a signed call by its method and path, and the order id in it.
    pub(crate) fn of(method: &str, path: &str) -> Option<(Self, Option<String>)> {
        let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        let (kind, id) = match (method, parts.as_slice()) {
            ("GET", ["products"]) => (Self::Products, None),
            ("GET", ["balances"]) => (Self::Balances, None),
            ("GET", ["stores"]) => (Self::ListStores, None),
            ("POST", ["stores"]) => (Self::RegisterStore, None),
            ("POST", ["retail_orders"]) => (Self::Create, None),
            ("GET", ["retail_orders", id]) => (Self::Get, Some(*id)),
            ("POST", ["retail_orders", id, "actions", "confirm"]) => (Self::Confirm, Some(*id)),
            ("POST", ["retail_orders", id, "actions", "invalidate"]) => (Self::Invalidate, Some(*id)),
            _ => return None,
        };
        let id_fits = id.is_none_or(|id| (1..=LONGEST_TEXT).contains(&id.len()));
        id_fits.then(|| (kind, id.map(str::to_owned)))
    }
}

/// Whether an `Idempotency-Key` can be one: 1 to 255 visible ASCII characters.
pub(crate) fn key_is_valid(key: &str) -> bool {
    (1..=LONGEST_TEXT).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The body as a JSON object; nothing at all is an empty one where `may_be_empty`.
pub(crate) fn object(body: &[u8], may_be_empty: bool) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() && may_be_empty {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Code::InvalidRequestBody.into()),
    }
}

/// Takes known fields out of a body and collects what is wrong with them.
struct Reader {
    body: Map<String, Value>,
    wrong: Vec<(&'static str, &'static str)>,
}

impl Reader {
    fn text(&mut self, field: &'static str) -> String {
        match self.body.remove(field) {
            Some(Value::String(text)) if (1..=LONGEST_TEXT).contains(&text.len()) && plain(&text) => text,
            Some(_) => self.fault(field, "must be a string of 1 to 255 characters"),
            None => self.fault(field, "is missing"),
        }
    }

    fn fault<T: Default>(&mut self, field: &'static str, why: &'static str) -> T {
        self.wrong.push((field, why));
        T::default()
    }

    fn money(&mut self, field: &'static str, inner: [&'static str; 2]) -> Option<Money> {
        let Some(value) = self.body.remove(field) else { return self.fault(field, "is missing") };
        match Money::read(&value) {
            Ok(money) if money.amount > Decimal::ZERO => Some(money),
            Ok(_) => self.fault(inner[1], "must be positive"),
            Err(("currency", why)) => self.fault(inner[0], why),
            Err(("amount", why)) => self.fault(inner[1], why),
            Err((_, why)) => self.fault(field, why),
        }
    }
}

fn plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Reads the body of a create.
pub(crate) fn wanted(body: &[u8]) -> Result<Wanted, Refusal> {
    let mut reader = Reader { body: object(body, false)?, wrong: Vec::new() };
    let product_code = reader.text("product_code");
    let store_id = reader.text("store_id");
    let terminal_id = reader.text("terminal_id");
    let receipt_id = reader.text("receipt_id");
    let country = reader.text("country");
    let face_value = reader.money("face_value", ["face_value.currency", "face_value.amount"]);
    let printing = reader.body.remove("receipt_printing");
    let columns = printing
        .as_ref()
        .and_then(|printing| printing.get("characters_per_line"))
        .and_then(Value::as_u64)
        .filter(|columns| COLUMNS.contains(columns))
        .and_then(|columns| u16::try_from(columns).ok());
    let locale = printing
        .as_ref()
        .and_then(|printing| printing.get("locale"))
        .and_then(Value::as_str)
        .filter(|locale| (2..=35).contains(&locale.len()) && locale.bytes().all(tag_byte));
    if columns.is_none() {
        reader.wrong.push(("receipt_printing.characters_per_line", "must be an integer from 16 to 120"));
    }
    if locale.is_none() {
        reader.wrong.push(("receipt_printing.locale", "must be a BCP 47 tag"));
    }
    match (face_value, columns, locale) {
        (Some(face_value), Some(columns), Some(locale)) if reader.wrong.is_empty() => Ok(Wanted {
            product_code,
            store_id,
            terminal_id,
            receipt_id,
            country,
            face_value,
            columns,
            locale: locale.to_owned(),
            extra: reader.body,
        }),
        _ => Err(Refusal::of_fields(reader.wrong)),
    }
}

fn tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// What a confirm says about the payment; both are optional (fact sheet 3.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Payment {
    pub method: Option<String>,
    pub receipt_value: Option<Money>,
}

/// Reads the body of a confirm.
pub(crate) fn payment(body: &[u8]) -> Result<Payment, Refusal> {
    let mut reader = Reader { body: object(body, true)?, wrong: Vec::new() };
    let method = reader.body.contains_key("payment_method").then(|| reader.text("payment_method"));
    let receipt_value = if reader.body.contains_key("receipt_value") {
        reader.money("receipt_value", ["receipt_value.currency", "receipt_value.amount"])
    } else {
        None
    };
    if reader.wrong.is_empty() {
        Ok(Payment { method, receipt_value })
    } else {
        Err(Refusal::of_fields(reader.wrong))
    }
}

/// Reads the body of a store's registration: its id, by either of two names, and all the rest as it is.
pub(crate) fn store(body: &[u8]) -> Result<(String, Map<String, Value>), Refusal> {
    let object = object(body, false)?;
    let id = object.get("id").or_else(|| object.get("store_id")).and_then(Value::as_str);
    match id {
        Some(id) if (1..=LONGEST_TEXT).contains(&id.len()) && plain(id) => Ok((id.to_owned(), object)),
        Some(_) => Err(Refusal::of_fields(vec![("id", "must be a string of 1 to 255 characters")])),
        None => Err(Refusal::of_fields(vec![("id", "is missing")])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn create() -> Value {
        json!({
            "product_code": "4001232232332", "store_id": "A1234", "terminal_id": "T01",
            "receipt_id": "R1234567890", "country": "DE",
            "face_value": {"currency": "EUR", "amount": "100.0"},
            "receipt_printing": {"characters_per_line": 40, "locale": "de-DE"},
        })
    }

    #[test]
    fn the_documents_example_is_a_create_and_unknown_fields_are_kept() {
        let mut body = create();
        body["card_number"] = json!("9876");
        let wanted = wanted(body.to_string().as_bytes()).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        assert_eq!(wanted.columns, 40);
        assert_eq!(wanted.extra, *json!({"card_number": "9876"}).as_object().unwrap());
    }

    #[test]
    fn each_wrong_field_of_a_create_is_named() {
        for (pointer, value, field) in [
            ("/product_code", Value::Null, "product_code"),
            ("/store_id", json!(""), "store_id"),
            ("/terminal_id", json!("T\u{1b}1"), "terminal_id"),
            ("/receipt_id", json!("x".repeat(256)), "receipt_id"),
            ("/country", json!(49), "country"),
            ("/face_value", json!("100"), "face_value"),
            ("/face_value/currency", json!("XAU"), "face_value.currency"),
            ("/face_value/amount", json!(100.0), "face_value.amount"),
            ("/face_value/amount", json!("-1.0"), "face_value.amount"),
            ("/face_value/amount", json!("0.0"), "face_value.amount"),
            ("/receipt_printing", json!(null), "receipt_printing.locale"),
            ("/receipt_printing/characters_per_line", json!(8), "receipt_printing.characters_per_line"),
            ("/receipt_printing/characters_per_line", json!("40"), "receipt_printing.characters_per_line"),
            ("/receipt_printing/locale", json!("de DE"), "receipt_printing.locale"),
        ] {
            let mut body = create();
            *body.pointer_mut(pointer).unwrap() = value;
            let Err(refusal) = wanted(body.to_string().as_bytes()) else { panic!("{pointer}") };
            assert!(refusal.fields.iter().any(|(name, _)| *name == field), "{pointer}: {:?}", refusal.fields);
        }
        for body in ["", "[]", "{", "null", "\"x\""] {
            assert_eq!(wanted(body.as_bytes()).err().unwrap().code, "invalid_request_body", "{body}");
        }
    }

    #[test]
    fn a_confirm_may_be_empty_but_not_wrong() {
        assert_eq!(payment(b"").unwrap(), Payment::default());
        assert_eq!(payment(b"{}").unwrap(), Payment::default());
        assert!(payment(br#"{"payment_method": 5}"#).is_err());
        assert!(payment(br#"{"receipt_value": {"currency": "EUR", "amount": 5}}"#).is_err());
        assert!(payment(br#"{"receipt_value": {"currency": "EUR", "amount": "5.0"}}"#).is_ok());
    }

    #[test]
    fn only_the_documented_paths_lead_somewhere() {
        for (method, path, kind) in [
            ("GET", "/v1/products", Some(CallKind::Products)),
            ("POST", "/v1/retail_orders", Some(CallKind::Create)),
            ("GET", "/v1/retail_orders/ro_1", Some(CallKind::Get)),
            ("POST", "/v1/retail_orders/ro_1/actions/confirm", Some(CallKind::Confirm)),
            ("POST", "/v1/retail_orders/ro_1/actions/invalidate", Some(CallKind::Invalidate)),
            ("DELETE", "/v1/retail_orders/ro_1", None),
            ("GET", "/v1/retail_orders/", None),
            ("GET", "/v1/retail_orders", None),
            ("GET", "/v1/products/", None),
            ("GET", "/products", None),
        ] {
            assert_eq!(CallKind::of(method, path).map(|(kind, _)| kind), kind, "{method} {path}");
        }
    }
}
