//! The modelled provider: a ledger of orders, and what each call does to it.
//!
//! It is the simplest provider that the fact sheet allows: a create under the same key gives the same order, a confirm may be
//! repeated, an order that was invalidated can never be confirmed any more, and from then on every word about it is final.
//! Two things it may do are unkind: for a while it does not find an order that it has ([`Ledger::hide`]), and it may refuse
//! to undo one for good ([`Ledger::refuse_undo`]). Its ledger is one of the three books.

use std::collections::{BTreeMap, HashMap};

use tilld_domain::ids::{ProviderKey, ProviderOrderId};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, UndoAnswer};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::Refusal;

/// How the code of a card begins and ends.
pub const CODE: &str = "CODE";
pub const CODE_END: &str = "END";

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Open,
    Live,
    Invalidated,
}

/// An order as the provider has it.
#[derive(Debug, Clone, Hash)]
pub struct Order {
    pub key: String,
    /// On which receipt of the till.
    pub receipt: String,
    pub kind: CardKind,
    pub minor: i64,
    /// The card's code; on a POR slip it is the card.
    pub code: String,
    pub stage: Stage,
    /// The provider has refused to undo it, and always will.
    pub undo_refused: bool,
    /// It is not found at present.
    pub hidden: bool,
    /// It was not found before: that happens to an order once.
    pub was_hidden: bool,
}

/// All orders, by the provider's own names for them.
#[derive(Debug, Default)]
pub struct Ledger {
    pub orders: BTreeMap<String, Order>,
    by_key: HashMap<String, String>,
}

/// What a create asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub receipt: String,
    pub kind: CardKind,
    pub minor: i64,
}

impl Ledger {
    pub fn create(&mut self, key: &ProviderKey, wanted: &Wanted) -> Outcome<Created> {
        let id = self.by_key.get(key.as_str()).cloned().unwrap_or_else(|| {
            let number = self.orders.len() + 1;
            let id = format!("O{number}");
            let order = Order {
                key: key.to_string(),
                receipt: wanted.receipt.clone(),
                kind: wanted.kind,
                minor: wanted.minor,
                code: format!("{CODE}{number:05}{CODE_END}"),
                stage: Stage::Open,
                undo_refused: false,
                hidden: false,
                was_hidden: false,
            };
            self.orders.insert(id.clone(), order);
            self.by_key.insert(key.to_string(), id.clone());
            id
        });
        Outcome::Done(Created { order: id.parse().unwrap() })
    }

    fn find(&mut self, id: &ProviderOrderId) -> Option<&mut Order> {
        self.orders.get_mut(id.as_str()).filter(|order| !order.hidden)
    }

    pub fn confirm(&mut self, id: &ProviderOrderId) -> Outcome<OrderSeen> {
        // Where it is carried out it is always found: to be hidden is a matter of asking.
        let Some(order) = self.orders.get_mut(id.as_str()) else {
            return Outcome::Refused(Refusal::OrderNotFound);
        };
        if order.stage == Stage::Invalidated {
            return Outcome::Refused(Refusal::OrderState);
        }
        order.stage = Stage::Live;
        Outcome::Done(seen(order))
    }

    pub fn look_up(&mut self, id: &ProviderOrderId) -> Outcome<OrderSeen> {
        match self.find(id) {
            Some(order) => Outcome::Done(seen(order)),
            None => Outcome::Refused(Refusal::OrderNotFound),
        }
    }

    pub fn invalidate(&mut self, id: &ProviderOrderId) -> Outcome<UndoAnswer> {
        let Some(order) = self.find(id) else { return Outcome::Done(UndoAnswer::NotFound) };
        Outcome::Done(match order.stage {
            Stage::Invalidated => UndoAnswer::AlreadyInvalidated,
            Stage::Open | Stage::Live if order.undo_refused => UndoAnswer::WindowOver,
            Stage::Open | Stage::Live => {
                order.stage = Stage::Invalidated;
                UndoAnswer::Invalidated
            }
        })
    }

    /// From now on it refuses to undo an order that is not undone yet.
    pub fn refuse_undo(&mut self, id: &ProviderOrderId) {
        if let Some(order) = self.orders.get_mut(id.as_str()) {
            order.undo_refused = true;
        }
    }

    /// It does not find an order, or finds it again.
    pub fn hide(&mut self, id: &ProviderOrderId, hidden: bool) {
        if let Some(order) = self.orders.get_mut(id.as_str()) {
            order.hidden = hidden;
            order.was_hidden = true;
        }
    }

    pub fn was_hidden(&self, id: &str) -> bool {
        self.orders.get(id).is_some_and(|order| order.was_hidden)
    }

    /// The code of an order.
    pub fn code(&self, id: &ProviderOrderId) -> Option<&str> {
        self.orders.get(id.as_str()).map(|order| order.code.as_str())
    }
}

fn seen(order: &Order) -> OrderSeen {
    let (stage, lines) = match order.stage {
        Stage::Open => (OrderStage::Open, None),
        Stage::Live => (OrderStage::Done, Some(vec![format!("Code {}", order.code)])),
        Stage::Invalidated => (OrderStage::Reversed, None),
    };
    OrderSeen { stage, lines: lines.and_then(|lines| ReceiptLines::new(lines, 0)) }
}
