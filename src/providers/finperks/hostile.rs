//! What holds of every decoder, whatever bytes a provider sends: nothing panics, and nothing looks like success that is
//! none. Here it is tried with JSON made of the right words in the wrong places; the fuzz targets of `tests/fuzz` try the
//! same laws with bytes. Compiled for tests only (feature `hostile`); a broken law is a panic.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "it judges: a law that does not hold must stop whoever runs it"
)]

use std::borrow::Cow;

use tilld_domain::ids::{Country, ProviderOrderId};
use tilld_domain::outcome::{OrderStage, Outcome, ReceiptLines, UndoAnswer};
use tilld_domain::product::FaceValues;
use tilld_domain::refusal::ForeignCode;

use super::catalogue;
use super::refusals::{Asked, Rejection};
use super::wire::OrderAnswer;
use crate::json::Node;

/// The order that every answer is held to be about.
pub const ORDER: &str = "o1";

/// The words of fact sheet U8 for an order that is done; a copy, so that a slip of the table's pen shows.
const DONE: [&str; 6] = ["completed", "complete", "done", "activated", "active", "fulfilled"];

/// Every text and number of an answer, names excepted.
fn leaves(node: &Node) -> Vec<String> {
    match node {
        Node::Null | Node::Bool(_) => Vec::new(),
        Node::Number(_) | Node::Text(_) => node.word().map(Cow::into_owned).into_iter().collect(),
        Node::List(elements) => elements.iter().flat_map(leaves).collect(),
        Node::Map(entries) => entries.iter().flat_map(|(_, value)| leaves(value)).collect(),
    }
}

/// An order is done only by the word for it, or by the lines that a confirm was just asked for; an answer that does not
/// name the order says nothing about it; and what is shown of it holds no line (law L11).
pub fn order(bytes: &[u8]) {
    let order: ProviderOrderId = ORDER.parse().unwrap();
    let Some(root) = Node::read(bytes) else { return };
    let words = leaves(&root);
    for confirmed in [false, true] {
        let Some(seen) = OrderAnswer::read(&root).and_then(|answer| answer.seen(&order, confirmed)) else {
            continue;
        };
        let brought = confirmed && seen.lines.as_ref().is_some_and(|lines| !lines.is_empty());
        let says_done = words.iter().any(|word| DONE.contains(&word.trim().to_ascii_lowercase().as_str()));
        assert!(seen.stage != OrderStage::Done || says_done || brought, "done, and nobody said so");
        let named = words.iter().any(|word| word == ORDER);
        assert!(seen.stage == OrderStage::Unrecognised || named || brought, "said of no order");
        let shown = format!("{seen:?}");
        for line in seen.lines.iter().flat_map(ReceiptLines::iter) {
            assert!(line.reveal().len() <= ReceiptLines::LONGEST);
            // A shorter one may be a word of the type itself.
            assert!(line.reveal().len() < 16 || !shown.contains(line.reveal()), "a line is shown");
        }
        assert!(seen.lines.is_none_or(|lines| lines.count() <= ReceiptLines::MOST));
    }
}

/// The lines that an answer to a confirm brings.
pub fn lines(bytes: &[u8]) -> Option<ReceiptLines> {
    OrderAnswer::read(&Node::read(bytes)?)?.lines
}

/// A refusal is never success, and it ends an undo only in the provider's own words.
pub fn refusal(status: u16, bytes: &[u8]) {
    let Some(root) = Node::read(bytes) else { return };
    let Some(rejection) = Rejection::from_node(status, &root) else { return };
    let word = match rejection.undo() {
        Outcome::Done(UndoAnswer::Invalidated) => panic!("a refusal is no success"),
        Outcome::Done(UndoAnswer::NotFound) => {
            assert_eq!(status, 404);
            "order_not_found"
        }
        Outcome::Done(UndoAnswer::AlreadyInvalidated) => "order_invalidated",
        Outcome::Done(UndoAnswer::OrderFailed) => "order_failed",
        Outcome::Done(UndoAnswer::AlreadyRedeemed) => "_redeemed",
        Outcome::Done(UndoAnswer::WindowOver) => "order_invalidation_period_expired",
        Outcome::Done(UndoAnswer::NotSupported) => "order_invalidation_not_supported",
        _ => "",
    };
    let says = |leaf: &String| {
        let code = ForeignCode::new(leaf).as_str().to_owned();
        code.contains(word)
            || code.replace("already_", "").contains(word)
            || (word == "order_not_found" && code == "entity_not_found")
    };
    assert!(word.is_empty() || leaves(&root).iter().any(says), "{word}: nobody said so");
    for asked in [Asked::Create, Asked::Order, Asked::List] {
        let outcome = rejection.outcome::<()>(asked);
        assert!(!matches!(outcome, Outcome::Done(()) | Outcome::NotSent(_)), "{asked:?}: {outcome:?}");
    }
}

/// Whatever is read of a list can be sold, shown and printed.
pub fn lists(bytes: &[u8]) {
    let home: Country = "DE".parse().unwrap();
    let Some(root) = Node::read(bytes) else { return };
    let _ = (catalogue::balances(&root), catalogue::next(&root));
    if let Some(store) = catalogue::store(&root) {
        assert!(!store.name.contains(char::is_control));
    }
    let whole = std::slice::from_ref(&root);
    for entry in catalogue::entries(&root, "products").unwrap_or_default().iter().chain(whole) {
        let Some(product) = catalogue::product(entry, &home) else { continue };
        let values = match &product.face_values {
            FaceValues::Fixed(values) => values.clone(),
            FaceValues::Open { least, most } => vec![*least, *most],
        };
        assert!(!values.is_empty());
        assert!(values.iter().all(|it| it.is_positive() && it.currency() == product.currency));
        assert!(!product.name.is_empty() && !product.name.contains(char::is_control));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};
    use tilld_domain::ids::CardCode;

    use super::super::wire;
    use super::*;
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

    proptest! {
        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), status in 400_u16..500) {
            order(&bytes);
            refusal(status, &bytes);
            lists(&bytes);
        }

        #[test]
        fn without_the_word_for_it_no_order_is_done(value in json()) {
            let text = value.to_string();
            order(text.as_bytes());
            // Such JSON holds none of the words at all.
            let root = Node::read(text.as_bytes()).unwrap();
            let order: ProviderOrderId = ORDER.parse().unwrap();
            let looked_up = OrderAnswer::read(&root).and_then(|answer| answer.seen(&order, false));
            prop_assert!(looked_up.is_none_or(|seen| seen.stage != OrderStage::Done));
        }

        #[test]
        fn a_refusal_ends_an_undo_only_in_the_providers_own_words(value in json(), status in 400_u16..500) {
            refusal(status, value.to_string().as_bytes());
        }

        #[test]
        fn whatever_is_read_as_a_product_can_be_sold_and_printed(value in json()) {
            lists(value.to_string().as_bytes());
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
}
