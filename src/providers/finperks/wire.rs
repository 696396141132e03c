//! What finperks writes on the wire for an order: paths, field names, state names.
//!
//! `POST /retail_orders` is marked by the vendor as work in progress that may change, and the answers have no published
//! schema at all (fact sheet 3.1, U4): so every field name of a request is here and nowhere else, and every answer
//! is read with tolerance. Only the id of a created order must be there.
//!
//! A body is written once, journaled, and sent byte for byte; its fields stand in the order of the vendor's examples.

use std::collections::BTreeMap;

use serde::Serialize;
use tilld_domain::ids::{CardCode, ProviderOrderId};
use tilld_domain::money::Money;
use tilld_domain::outcome::{OrderSeen, OrderStage, ReceiptLines};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::Refusal;
use zeroize::Zeroizing;

use crate::finperks::settings::{PaymentWords, PosaRule, PosaRules};
use crate::json::Node;
use crate::{CODE_MARK, ConfirmFacts, CreateFacts, SingleTender, StoredRequest};

pub(super) const RETAIL_ORDERS: &str = "/v1/retail_orders";
pub(super) const PRODUCTS: &str = "/v1/products";
pub(super) const BALANCES: &str = "/v1/balances";
pub(super) const STORES: &str = "/v1/stores";

/// The fields of a create that are taken; an extra field for the scanned code needs another name.
pub(super) const CREATE_FIELDS: [&str; 7] =
    ["product_code", "store_id", "terminal_id", "receipt_id", "country", "face_value", "receipt_printing"];

/// Fields of all requests, for naming what a refusal complains about.
const SENT_FIELDS: [&str; 13] = [
    "product_code",
    "store_id",
    "terminal_id",
    "receipt_id",
    "country",
    "face_value",
    "currency",
    "amount",
    "receipt_printing",
    "characters_per_line",
    "locale",
    "payment_method",
    "receipt_value",
];

/// The path of an order; an order's id needs no escaping.
pub(super) fn order_path(order: &ProviderOrderId) -> String {
    format!("{RETAIL_ORDERS}/{order}")
}

/// The path of an action on an order.
pub(super) fn action_path(order: &ProviderOrderId, action: &str) -> String {
    format!("{RETAIL_ORDERS}/{order}/actions/{action}")
}

#[derive(Serialize)]
struct Amount {
    currency: &'static str,
    amount: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { currency: money.currency().code(), amount: money.to_decimal_text() }
    }
}

#[derive(Serialize)]
struct Create<'a> {
    product_code: &'a str,
    store_id: &'a str,
    terminal_id: &'a str,
    receipt_id: &'a str,
    country: &'a str,
    face_value: Amount,
    receipt_printing: Printing<'a>,
    #[serde(flatten)]
    extra: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Printing<'a> {
    characters_per_line: u16,
    locale: &'a str,
}

#[derive(Serialize)]
struct Confirm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<&'a str>,
    receipt_value: Amount,
}

/// The body of a create, with [`CODE_MARK`] where the scanned code belongs.
pub(super) fn create(facts: &CreateFacts<'_>, posa: &PosaRules) -> Result<StoredRequest, Refusal> {
    let mark = CODE_MARK.to_string();
    let mut body = Create {
        product_code: facts.product.as_str(),
        store_id: facts.store.as_str(),
        terminal_id: facts.terminal.as_str(),
        receipt_id: facts.receipt.as_str(),
        country: facts.country.as_str(),
        face_value: facts.face_value.into(),
        receipt_printing: Printing {
            characters_per_line: facts.characters_per_line,
            locale: facts.locale.as_str(),
        },
        extra: BTreeMap::new(),
    };
    if facts.kind == CardKind::Posa {
        match posa.of(facts.product).ok_or(Refusal::PosaNotSetUp)? {
            PosaRule::ScannedAsProductCode => body.product_code = &mark,
            PosaRule::ExtraField(name) => {
                body.extra.insert(name, &mark);
            }
        }
    }
    // Plain structures of text and numbers always have a JSON form.
    serde_json::to_string(&body).map(StoredRequest).map_err(|_| Refusal::RequestNotUnderstood)
}

/// The body of a confirm. Both fields are optional for the vendor, and recommended.
pub(super) fn confirm(facts: &ConfirmFacts, words: &PaymentWords) -> StoredRequest {
    let payment_method = match facts.tender {
        Some(SingleTender::Cash) => words.cash.as_deref(),
        Some(SingleTender::Card) => words.card.as_deref(),
        None => None,
    };
    let body = Confirm { payment_method, receipt_value: facts.receipt_total.into() };
    // As above; an empty object would be a lawful confirm.
    StoredRequest(serde_json::to_string(&body).unwrap_or_else(|_| "{}".to_owned()))
}

/// The bytes to be sent for a stored request. `None` if it wants a code and there is none.
pub(super) fn fill(request: &StoredRequest, code: Option<&CardCode>) -> Option<Zeroizing<Vec<u8>>> {
    let StoredRequest(text) = request;
    if !text.contains(CODE_MARK) {
        return Some(Zeroizing::new(text.as_bytes().to_vec()));
    }
    // A scanned code is of letters, digits and `-._~`: nothing in it needs escaping in JSON.
    let code = code?.secret().reveal();
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(text.len().saturating_add(code.len().saturating_mul(2))));
    for (place, piece) in text.split(CODE_MARK).enumerate() {
        if place > 0 {
            bytes.extend_from_slice(code.as_bytes());
        }
        bytes.extend_from_slice(piece.as_bytes());
    }
    Some(bytes)
}

/// What an answer about an order says.
pub(super) struct OrderAnswer {
    /// Its id, if a usable one is there.
    pub id: Option<ProviderOrderId>,
    /// Its state, if one is named.
    pub stage: Option<OrderStage>,
    /// Its lines, if there are any.
    pub lines: Option<ReceiptLines>,
}

const IDS: [&str; 4] = ["id", "order_id", "retail_order_id", "uuid"];
const STATES: [&str; 2] = ["state", "status"];
const PRINTINGS: [&str; 4] = ["receipt_printing", "receipt", "receipt_lines", "lines"];
const WRAPPERS: [&str; 4] = ["data", "retail_order", "order", "resource"];

impl OrderAnswer {
    /// Reads an answer, also one that is wrapped once. `None` if it is not an object, says nothing about an order, or
    /// holds lines that no slip has room for.
    pub fn read(root: &Node) -> Option<Self> {
        let says_something =
            |node: &Node| [&IDS[..], &STATES, &PRINTINGS].iter().any(|names| node.first(names).is_some());
        let order = if says_something(root) {
            root
        } else {
            root.first(&WRAPPERS).filter(|inner| says_something(inner))?
        };
        let id = match order.first(&IDS) {
            // An id that cannot stand in a path belongs to no order of ours.
            Some(node) => Some(node.word()?.parse().ok()?),
            None => None,
        };
        let lines = match order.first(&PRINTINGS) {
            Some(printing) => lines(printing.get("lines").unwrap_or(printing))?,
            None => None,
        };
        Some(Self { id, stage: order.first(&STATES).map(stage), lines })
    }

    /// The answer to a look-up of `order`, or to its confirm. `None` if it is about another order.
    ///
    /// A state counts only in an answer that is about this order: a bare `{"status":"active"}` may be what a gateway says of
    /// itself. An answer names its order by the id, and the answer to a confirm also by bringing lines: a confirm answers
    /// with the lines once the card is live (the vendor's guide), so lines without a state are success there. In a look-up
    /// they prove nothing.
    pub fn seen(self, order: &ProviderOrderId, confirmed: bool) -> Option<OrderSeen> {
        let mut named = false;
        if let Some(id) = self.id {
            if id != *order {
                return None;
            }
            named = true;
        }
        let brought = self.lines.as_ref().is_some_and(|lines| !lines.is_empty());
        let is_about_it = named || (confirmed && brought);
        if !is_about_it {
            return Some(OrderSeen { stage: OrderStage::Unrecognised, lines: None });
        }
        let stage = match self.stage {
            Some(stage) => stage,
            None if confirmed && brought => OrderStage::Done,
            None => OrderStage::Unrecognised,
        };
        Some(OrderSeen { stage, lines: self.lines })
    }
}

/// The stage of a state name (fact sheet 5, U8). A word that may mean two stages is not in the table: what is not known is
/// asked again, what is wrongly known is money lost.
fn stage(state: &Node) -> OrderStage {
    let Some(word) = state.text() else { return OrderStage::Unrecognised };
    let word = word.trim().to_ascii_lowercase();
    match word.as_str() {
        "created" | "open" | "new" | "unconfirmed" => OrderStage::Open,
        "processing" | "in_progress" | "pending" | "confirming" | "confirmed" => OrderStage::InProgress,
        "completed" | "complete" | "done" | "activated" | "active" | "fulfilled" => OrderStage::Done,
        "failed" | "declined" | "rejected" | "expired" => OrderStage::Failed,
        "invalidated" | "reversed" | "cancelled" | "canceled" | "voided" => OrderStage::Reversed,
        _ => OrderStage::Unrecognised,
    }
}

/// The lines of a slip: texts, or objects with a text in them (fact sheet U18). The outer `None` means that they cannot be
/// printed; the inner one that there are none.
#[expect(clippy::option_option, reason = "unprintable and absent are two things")]
fn lines(node: &Node) -> Option<Option<ReceiptLines>> {
    let mut texts = Vec::new();
    let mut odd = 0_u16;
    match node {
        Node::List(elements) if elements.len() <= ReceiptLines::MOST => {
            for element in elements {
                match element.text().or_else(|| element.first(&["text", "value", "content"])?.text()) {
                    Some(text) => texts.push(text.to_owned()),
                    None => odd = odd.saturating_add(1),
                }
            }
        }
        Node::List(_) => return None,
        // One text with line ends in it.
        Node::Text(text) => {
            texts.extend(text.lines().take(ReceiptLines::MOST.saturating_add(1)).map(str::to_owned));
        }
        _ => return Some(None),
    }
    if texts.is_empty() && odd == 0 {
        return Some(None);
    }
    ReceiptLines::new(texts, odd).map(Some)
}

/// Which of our own fields a complaint names, as an object, an array of names, or an array of objects with a name.
pub(super) fn named_fields(complaint: &Node) -> Vec<&'static str> {
    let named = |name: &str| match complaint {
        Node::Map(entries) => entries.iter().any(|(key, _)| key.split('.').any(|part| part == name)),
        Node::List(elements) => elements.iter().any(|element| {
            element
                .text()
                .or_else(|| element.first(&["name", "field", "path"])?.text())
                .is_some_and(|text| text.split('.').any(|part| part == name))
        }),
        _ => false,
    };
    SENT_FIELDS.into_iter().filter(|name| named(name)).collect()
}

#[cfg(test)]
mod tests {
    use tilld_domain::money::Currency;

    use super::*;

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::from_code("EUR").unwrap())
    }

    fn created(kind: CardKind, posa: &PosaRules) -> Result<String, Refusal> {
        create(
            &CreateFacts {
                product: &"4001232232332".parse().unwrap(),
                kind,
                face_value: euros(10_000),
                store: &"A1234".parse().unwrap(),
                terminal: &"T01".parse().unwrap(),
                receipt: &"R1234567890".parse().unwrap(),
                country: &"DE".parse().unwrap(),
                characters_per_line: 40,
                locale: &"de-DE".parse().unwrap(),
            },
            posa,
        )
        .map(|StoredRequest(text)| text)
    }

    fn read(json: &str) -> Option<OrderAnswer> {
        OrderAnswer::read(&Node::read(json.as_bytes())?)
    }

    #[test]
    fn a_create_is_written_field_by_field_as_in_the_vendors_example() {
        assert_eq!(
            created(CardKind::Por, &PosaRules::default()).unwrap(),
            r#"{"product_code":"4001232232332","store_id":"A1234","terminal_id":"T01","receipt_id":"R1234567890","country":"DE","face_value":{"currency":"EUR","amount":"100.00"},"receipt_printing":{"characters_per_line":40,"locale":"de-DE"}}"#
        );
    }

    #[test]
    fn a_posa_card_is_named_as_configured_or_not_sold() {
        let code = "SCAN-0042".parse().unwrap();
        let rules = |default| PosaRules { default, ..PosaRules::default() };
        assert_eq!(created(CardKind::Posa, &rules(None)), Err(Refusal::PosaNotSetUp));
        let mut own = rules(Some(PosaRule::ScannedAsProductCode));
        for (rules, start, end) in [
            (own.clone(), r#"{"product_code":"SCAN-0042","store_id""#, r#""locale":"de-DE"}}"#),
            (
                {
                    own.by_product.insert(
                        "4001232232332".parse().unwrap(),
                        PosaRule::ExtraField("card_number".to_owned()),
                    );
                    own
                },
                r#"{"product_code":"4001232232332","store_id""#,
                r#""locale":"de-DE"},"card_number":"SCAN-0042"}"#,
            ),
        ] {
            let stored = StoredRequest(created(CardKind::Posa, &rules).unwrap());
            assert!(!stored.0.contains("SCAN-0042"), "the journal never sees the code");
            assert!(fill(&stored, None).is_none());
            let sent = String::from_utf8(fill(&stored, Some(&code)).unwrap().to_vec()).unwrap();
            assert!(sent.starts_with(start) && sent.ends_with(end), "{sent}");
        }
    }

    #[test]
    fn a_confirm_names_the_tender_only_where_there_is_one_word_for_it() {
        let words = PaymentWords::default();
        for (tender, expected) in [
            (
                Some(SingleTender::Cash),
                r#"{"payment_method":"cash","receipt_value":{"currency":"EUR","amount":"100.00"}}"#,
            ),
            (Some(SingleTender::Card), r#"{"receipt_value":{"currency":"EUR","amount":"100.00"}}"#),
            (None, r#"{"receipt_value":{"currency":"EUR","amount":"100.00"}}"#),
        ] {
            assert_eq!(confirm(&ConfirmFacts { tender, receipt_total: euros(10_000) }, &words).0, expected);
        }
    }

    #[test]
    fn an_order_is_read_in_every_shape_that_it_may_come_in() {
        use OrderStage::{Done, InProgress, Open, Reversed, Unrecognised};
        let order: ProviderOrderId = "o1".parse().unwrap();
        // Body, whether it answers a confirm, what is seen (stage, lines, odd elements).
        for (json, confirmed, expected) in [
            (r#"{"id":"o1","state":"created"}"#, false, Some((Open, 0, 0))),
            (r#"{"id":"o1","status":"Completed","new":{}}"#, false, Some((Done, 0, 0))),
            (r#"{"data":{"id":"o1","state":"processing"}}"#, true, Some((InProgress, 0, 0))),
            (r#"{"retail_order":{"id":"o1","state":"invalidated"}}"#, false, Some((Reversed, 0, 0))),
            (r#"{"state":"completed","receipt_printing":{"lines":["a","b"]}}"#, true, Some((Done, 2, 0))),
            (r#"{"receipt_printing":{"lines":["a"]}}"#, true, Some((Done, 1, 0))),
            (r#"{"id":"o1","receipt_printing":{"lines":["a"]}}"#, false, Some((Unrecognised, 1, 0))),
            (r#"{"id":"o1","state":"pondering","lines":["a"]}"#, true, Some((Unrecognised, 1, 0))),
            (r#"{"id":"o1","state":7}"#, false, Some((Unrecognised, 0, 0))),
            (r#"{"id":"o1"}"#, true, Some((Unrecognised, 0, 0))),
            (r#"{"id":"o1","state":null,"receipt_printing":null}"#, true, Some((Unrecognised, 0, 0))),
            (
                r#"{"id":"o1","state":"done","receipt_printing":{"lines":["a",{"text":"b"},{"value":"c"},{"content":"d"},{"qr":"e"},7,""]}}"#,
                true,
                Some((Done, 5, 2)),
            ),
            (r#"{"id":"o1","state":"done","receipt_printing":{"lines":"a\nb"}}"#, true, Some((Done, 2, 0))),
            (r#"{"id":"o1","state":"done","receipt_printing":{"lines":[]}}"#, true, Some((Done, 0, 0))),
            (r#"{"id":"other","state":"done"}"#, true, None),
            (r#"{"id":"a/b","state":"done"}"#, true, None),
            (r#"{"ok":true}"#, true, None),
            ("{}", true, None),
            ("[]", true, None),
            (r#""done""#, true, None),
            ("<html>", true, None),
        ] {
            let seen = read(json).and_then(|answer| answer.seen(&order, confirmed)).map(|seen| {
                let lines = seen.lines.as_ref();
                (
                    seen.stage,
                    lines.map_or(0, |it| it.iter().count()),
                    lines.map_or(0, ReceiptLines::odd_elements),
                )
            });
            assert_eq!(seen, expected, "{json}");
        }
    }

    #[test]
    fn an_answer_that_names_neither_the_order_nor_lines_proves_nothing() {
        let order: ProviderOrderId = "o1".parse().unwrap();
        for word in ["active", "complete", "created", "processing", "failed", "invalidated", "pondering"] {
            // What a gateway says of itself reads the same way.
            for body in [
                format!(r#"{{"status":"{word}"}}"#),
                format!(r#"{{"data":{{"state":"{word}"}}}}"#),
                format!(r#"{{"id":null,"state":"{word}","receipt_printing":{{"lines":[]}}}}"#),
                format!(r#"{{"state":"{word}","lines":[7]}}"#),
            ] {
                for confirmed in [true, false] {
                    let seen = read(&body).unwrap().seen(&order, confirmed).unwrap();
                    assert_eq!(seen.stage, OrderStage::Unrecognised, "{body} {confirmed}");
                    assert_eq!(seen.lines, None, "{body} {confirmed}");
                }
            }
            // Lines say which order it is only where they were just asked for.
            let body = format!(r#"{{"state":"{word}","lines":["CODE 1"]}}"#);
            let seen = read(&body).unwrap().seen(&order, false).unwrap();
            assert_eq!((seen.stage, seen.lines), (OrderStage::Unrecognised, None), "{body}");
        }
    }

    #[test]
    fn lines_that_no_slip_has_room_for_make_the_answer_unreadable() {
        let many = vec!["\"x\""; ReceiptLines::MOST + 1].join(",");
        let long = "x".repeat(ReceiptLines::LONGEST + 1);
        for lines in [format!("[{many}]"), format!("[\"{long}\"]"), format!("\"{}\"", "a\\n".repeat(300))] {
            let json = format!(r#"{{"id":"o1","state":"completed","receipt_printing":{{"lines":{lines}}}}}"#);
            assert!(read(&json).is_none());
        }
    }

    #[test]
    fn a_state_with_two_meanings_is_never_taken_for_an_end() {
        for word in ["pending", "confirmed", "confirming"] {
            assert_eq!(stage(&Node::Text(Zeroizing::new(word.to_owned()))), OrderStage::InProgress, "{word}");
        }
        for word in ["error", "ok", "", "not_completed", "completed?", "unknown"] {
            assert_eq!(
                stage(&Node::Text(Zeroizing::new(word.to_owned()))),
                OrderStage::Unrecognised,
                "{word}"
            );
        }
    }
}
