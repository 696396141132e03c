//! What holds of every decoder, whatever bytes the provider sends: nothing panics, and nothing looks like value that was taken
//! or given back unless the answer says so. Compiled for tests only (feature `hostile`); a broken law is a panic.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "it judges: a law that does not hold must stop whoever runs it"
)]

use tilld_domain::money::Currency;
use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::{ReverseAnswer, Worth};

use super::answers;
use super::refusals::{Call, Rejection};
use super::wire::{Asked, Sort};
use crate::json::Node;

/// The voucher that every redeem was of.
pub const VOUCHER: &str = "v1";
/// The redemption that every reversal was of.
pub const REDEMPTION: &str = "r1";

/// Every text and number of an answer.
fn leaves(node: &Node, into: &mut Vec<String>) {
    match node {
        Node::Null | Node::Bool(_) => {}
        Node::Number(_) | Node::Text(_) => into.extend(node.word().map(std::borrow::Cow::into_owned)),
        Node::List(elements) => elements.iter().for_each(|element| leaves(element, into)),
        Node::Map(entries) => entries.iter().for_each(|(_, value)| leaves(value, into)),
    }
}

/// Every name of an answer.
fn names<'a>(node: &'a Node, into: &mut Vec<&'a str>) {
    match node {
        Node::List(elements) => elements.iter().for_each(|element| names(element, into)),
        Node::Map(entries) => {
            for (name, value) in entries {
                into.push(name);
                names(value, into);
            }
        }
        _ => {}
    }
}

/// A worth stands in the answer: some number of it is that, by its digits alone.
fn stands_in(worth: Worth, leaves: &[String]) -> bool {
    let digits = |text: &str| {
        let base = text.split(['e', 'E']).next().unwrap_or_default();
        let kept: String = base.chars().filter(char::is_ascii_digit).collect();
        kept.trim_matches('0').to_owned()
    };
    let wanted = match worth {
        Worth::Money(money) => digits(&money.to_decimal_text()),
        Worth::Items(count) => digits(&count.to_string()),
    };
    leaves.iter().any(|leaf| digits(leaf) == wanted)
}

/// The laws of the answers of the 2xx class.
pub fn accepted(bytes: &[u8]) {
    let euros = Currency::from_code("EUR").unwrap();
    let Some(root) = Node::read_exactly(bytes) else { return };
    let (mut words, mut named) = (Vec::new(), Vec::new());
    leaves(&root, &mut words);
    names(&root, &mut named);
    if let Some(shown) = answers::validated(&root, euros, None) {
        assert!(!shown.seen.redeemable || named.contains(&"isRedeemable"), "redeemable, and nobody said so");
        assert!(
            shown.seen.eligible.is_none_or(Worth::is_positive),
            "nothing is eligible, and that is said twice"
        );
        for worth in [shown.seen.eligible, shown.seen.left].into_iter().flatten() {
            assert!(stands_in(worth, &words), "{worth} is nowhere in the answer");
        }
        assert!(words.iter().any(|word| word == shown.seen.voucher.as_str()), "an id of its own making");
        for text in
            [Some(&shown.description), shown.item.as_ref(), shown.terms.as_ref(), shown.sender.as_ref()]
                .into_iter()
                .flatten()
        {
            assert!(!text.as_str().contains(char::is_control), "a control character is shown");
        }
    }
    for sort in [Sort::Money, Sort::Items] {
        let asked = Asked { voucher: VOUCHER.parse().unwrap(), sort };
        let Some(redeemed) = answers::redeemed(&root, &asked, euros) else { continue };
        let says = |name: &&str| {
            name.contains("edemption") || name.contains("ransaction") || name.contains("oucher")
        };
        assert!(
            named.iter().any(|name| says(name) || *name == "isRedeemable"),
            "done, and nobody spoke of a voucher or a redemption"
        );
        for worth in
            [redeemed.granted, redeemed.remaining.left, redeemed.remaining.eligible].into_iter().flatten()
        {
            assert!(stands_in(worth, &words), "{worth} is nowhere in the answer");
        }
    }
    if answers::reversed(&root, &REDEMPTION.parse().unwrap()).is_some() {
        let by_name = words.iter().any(|word| word.eq_ignore_ascii_case(REDEMPTION));
        assert!(by_name || named.iter().any(|name| name.contains("eversed")), "reversed, and nobody said so");
    }
}

/// A refusal is never success, and it ends a reversal only in the provider's own words.
pub fn refused(status: u16, bytes: &[u8]) {
    let Some(root) = Node::read_exactly(bytes) else { return };
    let Some(rejection) = Rejection::from_node(status, &root) else { return };
    let mut words = Vec::new();
    leaves(&root, &mut words);
    let words: String =
        words.concat().chars().filter(char::is_ascii_alphabetic).map(|it| it.to_ascii_lowercase()).collect();
    for call in [Call::Validate, Call::Redeem] {
        match rejection.outcome::<()>(call) {
            Outcome::Refused(Refusal::VoucherNotFound) => {
                assert!(
                    words.contains("gift") || words.contains("voucher"),
                    "not found, and no voucher named"
                );
            }
            Outcome::Refused(_) => {}
            other => panic!("{call:?}: {other:?}"),
        }
    }
    match rejection.reversal() {
        ReverseAnswer::Reversed => panic!("a refusal is no success"),
        ReverseAnswer::AlreadyReversed => assert!(words.contains("revers")),
        ReverseAnswer::NotFound => assert!(words.contains("redemption") || words.contains("transaction")),
        ReverseAnswer::StillProcessing | ReverseAnswer::Refused(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    const NAMES: &[&str] = &[
        "voucher",
        "data",
        "result",
        "voucherID",
        "id",
        "isRedeemable",
        "voucherEligibleValue",
        "voucherEligibleItemQuantity",
        "voucherRemainingValue",
        "voucherPresentValueDescription",
        "redemption",
        "transaction",
        "redemptionID",
        "transactionID",
        "amount",
        "isReversed",
        "reversedAt",
        "currencyCode",
        "itemLabel",
        "termsDescription",
        "isPromotional",
        "message",
        "title",
        "detail",
        "error",
    ];

    const WORDS: &[&str] = &[
        "v1",
        "r1",
        "v2",
        "EUR",
        "USD",
        "50.00",
        "5e1",
        "-1",
        "3",
        "true",
        "The gift was not found.",
        "gift_not_found",
        "The redemption was already reversed.",
        "redemption not found",
        "in progress",
        "wrong location",
        "\u{1b}p",
        "",
    ];

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            (0_u32..200).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(WORDS).prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            let name =
                prop_oneof![9 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => "[a-z]{1,4}"];
            prop_oneof![
                1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                4 => prop::collection::vec((name, inner), 0..8)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), status in 400_u16..500) {
            accepted(&bytes);
            refused(status, &bytes);
        }

        #[test]
        fn nothing_is_taken_or_given_back_that_the_answer_does_not_say(value in json()) {
            accepted(value.to_string().as_bytes());
        }

        #[test]
        fn a_refusal_is_never_success(value in json(), status in 400_u16..500) {
            refused(status, value.to_string().as_bytes());
        }
    }

    #[test]
    fn every_answer_that_ends_early_is_unreadable() {
        let whole = r#"{"voucher":{"voucherID":"v1","isRedeemable":true,"voucherEligibleValue":30.00},"redemption":{"redemptionID":"r1","amount":20.00}}"#;
        for end in 0..whole.len() {
            assert!(Node::read_exactly(&whole.as_bytes()[..end]).is_none(), "{end}");
        }
        assert!(Node::read_exactly(whole.as_bytes()).is_some());
    }
}
