//! What a test or an integrator is told about the ledger.
//!
//! Codes are masked in every text form; [`Issued::reveal`], or `?reveal=1` at the control door, gives them, because a
//! test must be able to compare paper with ledger.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::amount::amount_text;
use super::ledger::Ledger;
use super::order::Order;
use crate::issued::Issued;

/// The sums of a currency, as decimal text. `opening + reversed = available + reserved + charged`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountStatement {
    /// What was there at the start.
    pub opening: String,
    /// What can still be ordered for.
    pub available: String,
    /// Set aside for orders that are neither done nor undone.
    pub reserved: String,
    /// Ever charged for cards.
    pub charged: String,
    /// Ever given back by invalidations.
    pub reversed: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderStatement {
    /// The provider's id of it.
    pub id: String,
    /// `created`, `processing`, `completed`, `failed` or `invalidated`.
    pub state: String,
    /// The product.
    pub product_code: String,
    /// `por` or `posa`.
    pub kind: String,
    /// By the till.
    pub store_id: String,
    /// By the till.
    pub terminal_id: String,
    /// By the till.
    pub receipt_id: String,
    /// ISO 4217.
    pub currency: String,
    /// Decimal text.
    pub amount: String,
    /// What the confirm said, if it did.
    pub payment_method: Option<String>,
    /// What the confirm said, as decimal text.
    pub receipt_value: Option<String>,
    /// The printed card's code; also after it was invalidated.
    pub code: Option<Issued>,
    /// The printed card's PIN.
    pub pin: Option<Issued>,
    /// Fields of the create that no document names, such as a scanned card's code.
    pub extra: BTreeMap<String, Issued>,
    /// Whether the card was spent.
    pub redeemed: bool,
    /// How often it was read.
    pub reads: u32,
    /// How often a confirm reached its rules.
    pub confirms: u32,
    /// How often an invalidate reached its rules.
    pub invalidations: u32,
}

/// The whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// By ISO 4217 code.
    pub accounts: BTreeMap<String, AccountStatement>,
    /// From the first to the last.
    pub orders: Vec<OrderStatement>,
    /// By the partner's own store id, as registered.
    pub stores: BTreeMap<String, Map<String, Value>>,
}

impl Statement {
    pub(crate) fn of(ledger: &Ledger, revealed: bool) -> Self {
        let accounts = ledger.accounts.iter().map(|(currency, account)| {
            let statement = AccountStatement {
                opening: amount_text(account.opening),
                available: amount_text(account.available()),
                reserved: amount_text(account.reserved),
                charged: amount_text(account.charged),
                reversed: amount_text(account.reversed),
            };
            (currency.code().to_owned(), statement)
        });
        Self {
            accounts: accounts.collect(),
            orders: ledger.orders().map(|order| OrderStatement::of(order, revealed)).collect(),
            stores: ledger.stores.clone(),
        }
    }

    /// The order of an id.
    pub fn order(&self, id: &str) -> Option<&OrderStatement> {
        self.orders.iter().find(|order| order.id == id)
    }
}

impl OrderStatement {
    fn of(order: &Order, revealed: bool) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self {
            id: order.id.clone(),
            state: order.state.word().to_owned(),
            product_code: order.product.code.to_owned(),
            kind: order.product.kind.code().to_owned(),
            store_id: order.store_id.clone(),
            terminal_id: order.terminal_id.clone(),
            receipt_id: order.receipt_id.clone(),
            currency: order.face_value.currency.code().to_owned(),
            amount: amount_text(order.face_value.amount),
            payment_method: order.payment_method.clone(),
            receipt_value: order.receipt_value.map(|value| amount_text(value.amount)),
            code: order.card.as_ref().map(|card| Issued::new(&card.code, revealed)),
            pin: order.card.as_ref().map(|card| Issued::new(&card.pin, revealed)),
            extra: order
                .extra
                .iter()
                .map(|(field, value)| (field.clone(), Issued::new(&text(value), revealed)))
                .collect(),
            redeemed: order.redeemed,
            reads: order.counts.reads,
            confirms: order.counts.confirms,
            invalidations: order.counts.invalidations,
        }
    }
}
