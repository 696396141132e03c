//! One gift card at this provider.
//!
//! ```text
//! created ── confirm ──► processing ──► completed ── invalidate ──► invalidated
//!    │                       └────────► failed                          ▲
//!    └──────────────────────── invalidate ─────────────────────────────-┘
//! ```
//!
//! A synchronous confirm passes `processing` without being seen there. Creating an order gives nothing of value and
//! charges nothing; only `completed` has a card. The names of the states are those of the fact sheet's working model
//! (section 5) and no more certain than it.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::amount::Money;
use super::catalogue::Product;
use super::switches::ConfirmEnd;

/// What a print-on-receipt customer pays for. Its `Debug` says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// Nineteen digits.
    pub code: String,
    /// Four digits.
    pub pin: String,
}

impl fmt::Debug for Card {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Card(…)")
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Checked; nothing of value.
    Created,
    /// Confirmed, and not yet done.
    Processing {
        /// So many reads still see it so.
        polls: u32,
        /// Not done before this moment.
        until: Timestamp,
        /// What comes then.
        ends: ConfirmEnd,
    },
    /// The card is live and charged.
    Completed,
    /// Nothing was charged.
    Failed,
    /// Taken back.
    Invalidated,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Processing { .. } => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Invalidated => "invalidated",
        }
    }
}

/// How often each call reached the order's own rules, whatever they then said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub reads: u32,
    pub confirms: u32,
    pub invalidations: u32,
}

/// What a create asks for; the shape is already checked, the catalogue and the limits are not.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub product_code: String,
    pub store_id: String,
    pub terminal_id: String,
    pub receipt_id: String,
    pub country: String,
    pub face_value: Money,
    pub columns: u16,
    pub locale: String,
    /// Fields that no document names, such as the one that carries a POSA card's code (U19).
    pub extra: Map<String, Value>,
}

/// One order.
#[derive(Clone)]
pub(crate) struct Order {
    pub id: String,
    pub state: State,
    pub product: &'static Product,
    pub store_id: String,
    pub terminal_id: String,
    pub receipt_id: String,
    pub face_value: Money,
    pub columns: u16,
    pub locale: String,
    pub extra: Map<String, Value>,
    pub created: Timestamp,
    pub confirmed: Option<Timestamp>,
    pub payment_method: Option<String>,
    pub receipt_value: Option<Money>,
    /// Issued when it was completed, and kept after it was invalidated: a test must know it for ever.
    pub card: Option<Card>,
    /// Spent by its holder.
    pub redeemed: bool,
    /// Whether its face value is set aside.
    pub reserved: bool,
    pub counts: Counts,
}

impl Order {
    pub fn new(id: String, product: &'static Product, wanted: Wanted, now: Timestamp) -> Self {
        Self {
            id,
            state: State::Created,
            product,
            store_id: wanted.store_id,
            terminal_id: wanted.terminal_id,
            receipt_id: wanted.receipt_id,
            face_value: wanted.face_value,
            columns: wanted.columns,
            locale: wanted.locale,
            extra: wanted.extra,
            created: now,
            confirmed: None,
            payment_method: None,
            receipt_value: None,
            card: None,
            redeemed: false,
            reserved: false,
            counts: Counts::default(),
        }
    }

    /// The order as the provider shows it; `lines` only where they belong into the answer.
    pub fn json(&self, lines: Option<Value>) -> Value {
        let mut printing = json!({"characters_per_line": self.columns, "locale": self.locale});
        if let (Some(lines), Some(printing)) = (lines, printing.as_object_mut()) {
            printing.insert("lines".to_owned(), lines);
        }
        json!({
            "id": self.id,
            "state": self.state.word(),
            "product_code": self.product.code,
            "store_id": self.store_id,
            "terminal_id": self.terminal_id,
            "receipt_id": self.receipt_id,
            "country": self.product.country,
            "face_value": self.face_value.json(),
            "receipt_printing": printing,
            "created_at": self.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rust_decimal::Decimal;

    /// An order of fifty of the product's currency.
    pub(crate) fn order(product: &'static Product) -> Order {
        let wanted = Wanted {
            product_code: product.code.to_owned(),
            store_id: "A1234".to_owned(),
            terminal_id: "T01".to_owned(),
            receipt_id: "R1".to_owned(),
            country: product.country.to_owned(),
            face_value: Money { currency: product.currency, amount: Decimal::from(50) },
            columns: 40,
            locale: "de-DE".to_owned(),
            extra: Map::new(),
        };
        Order::new("ro_1".to_owned(), product, wanted, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_order_shows_lines_only_when_it_is_given_them() {
        let order = order(crate::finperks::catalogue::find("4001232232332").unwrap());
        assert!(order.json(None)["receipt_printing"].get("lines").is_none());
        assert_eq!(order.json(Some(json!(["x"])))["receipt_printing"]["lines"], json!(["x"]));
        assert_eq!(order.json(None)["face_value"], json!({"currency": "EUR", "amount": "50.0"}));
    }

    #[test]
    fn a_cards_code_is_not_in_its_debug_text() {
        let card = Card { code: "6034123456789012345".to_owned(), pin: "4711".to_owned() };
        assert_eq!(format!("{card:?}"), "Card(…)");
    }
}
