//! Tests of every decoder with what no provider would send: arbitrary bytes, and JSON made of the right words in
//! the wrong places. Nothing may panic, and nothing may look like success that is none.

use proptest::prelude::*;
use serde_json::{Map, Value};
use tilld_domain::ids::{CardCode, Country, ProviderOrderId};
use tilld_domain::outcome::{OrderStage, Outcome, UndoAnswer};
use tilld_domain::product::FaceValues;

use super::catalogue;
use super::refusals::{Asked, Rejection};
use super::wire::{self, OrderAnswer};
use crate::json::Node;
use crate::{CODE_MARK, StoredRequest};

const NAMES: &[&str] = &[
    "id",
    "state",
    "status",
    "receipt_printing",
    "lines",
    "text",
    "data",
    "order",
    "code",
    "error",
    "error_code",
    "class",
    "message",
    "fields",
    "products",
    "items",
    "next",
    "next_cursor",
    "links",
    "kind",
    "type",
    "currency",
    "amount",
    "min",
    "max",
    "amounts",
    "face_values",
    "country",
    "countries",
    "brand",
    "name",
    "available",
    "balances",
    "store_id",
];

/// Every word but those of a completed order.
const WORDS: &[&str] = &[
    "o1",
    "created",
    "processing",
    "failed",
    "invalidated",
    "not_completed",
    "incomplete",
    "por",
    "posa",
    "EUR",
    "JPY",
    "10.00",
    "-1",
    "1e9",
    "open",
    "DE",
    "entity_not_found",
    "order_invalidated",
    "order_failed",
    "order_redeemed",
    "path_not_found",
    "invalid_date_header",
    "/v1/products?page=2",
    "//evil.example",
    "\u{1b}p",
    "",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let name = prop_oneof![prop::sample::select(NAMES).prop_map(str::to_owned), "[a-z]{1,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn node(value: &Value) -> Node {
    Node::read(value.to_string().as_bytes()).unwrap()
}

fn home() -> Country {
    "DE".parse().unwrap()
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Some(root) = Node::read(&bytes) {
            prop_assert!(OrderAnswer::read(&root).is_none() || root.is_map());
            let _ = (catalogue::product(&root, &home()), catalogue::balances(&root), catalogue::next(&root));
        }
    }

    #[test]
    fn without_the_word_for_it_no_order_is_done(value in json()) {
        let order: ProviderOrderId = "o1".parse().unwrap();
        let root = node(&value);
        let looked_up = OrderAnswer::read(&root).and_then(|answer| answer.seen(&order, false));
        prop_assert!(looked_up.is_none_or(|seen| seen.stage != OrderStage::Done));
        let confirmed = OrderAnswer::read(&root).and_then(|answer| answer.seen(&order, true));
        prop_assert!(confirmed.is_none_or(|seen| seen.stage != OrderStage::Done || seen.lines.is_some()));
    }

    #[test]
    fn a_refusal_ends_an_undo_only_in_the_providers_own_words(value in json(), status in 400_u16..500) {
        let text = value.to_string();
        if let Some(rejection) = Rejection::from_node(status, &node(&value)) {
            let word = match rejection.undo() {
                Outcome::Done(UndoAnswer::Invalidated) => {
                    return Err(TestCaseError::fail("a refusal is no success"));
                }
                Outcome::Done(UndoAnswer::NotFound) => {
                    prop_assert_eq!(status, 404);
                    "entity_not_found"
                }
                Outcome::Done(UndoAnswer::AlreadyInvalidated) => "order_invalidated",
                Outcome::Done(UndoAnswer::OrderFailed) => "order_failed",
                Outcome::Done(UndoAnswer::AlreadyRedeemed) => "order_redeemed",
                _ => "",
            };
            prop_assert!(text.contains(word), "{} in {}", word, text);
            prop_assert!(!matches!(rejection.outcome::<()>(Asked::Order), Outcome::Done(()) | Outcome::NotSent(_)));
        }
    }

    #[test]
    fn whatever_is_read_as_a_product_can_be_sold_and_printed(value in json()) {
        let root = node(&value);
        let _ = (catalogue::balances(&root), catalogue::next(&root), catalogue::store(&root));
        for entry in catalogue::entries(&root, "products").unwrap_or_default() {
            let Some(product) = catalogue::product(entry, &home()) else { continue };
            let values = match &product.face_values {
                FaceValues::Fixed(values) => values.clone(),
                FaceValues::Open { least, most } => vec![*least, *most],
            };
            prop_assert!(!values.is_empty());
            prop_assert!(values.iter().all(|it| it.is_positive() && it.currency() == product.currency));
            prop_assert!(!product.name.is_empty() && !product.name.contains(char::is_control));
        }
    }

    #[test]
    fn a_code_put_into_a_request_is_read_back_from_it(code in "[A-Za-z0-9._~-]{1,64}") {
        prop_assume!(code.parse::<CardCode>().is_ok());
        let stored = StoredRequest(format!(r#"{{"a":"{CODE_MARK}","b":"ü"}}"#));
        let sent = wire::fill(&stored, Some(&code.parse().unwrap())).unwrap();
        let read: Value = serde_json::from_slice(&sent).unwrap();
        prop_assert_eq!(read["a"].as_str(), Some(code.as_str()));
    }
}

#[test]
fn every_answer_that_ends_early_is_unreadable() {
    let whole = r#"{"id":"o1","state":"completed","receipt_printing":{"lines":["a",{"text":"b"}]}}"#;
    for end in 0..whole.len() {
        assert!(Node::read(&whole.as_bytes()[..end]).is_none(), "{end}");
    }
}
