//! The form of what happens to a sale.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tilld_domain::ids::{
    CardCode, Country, Locale, OrderId, PersonName, ProductCode, ProviderKey, ReceiptId, SaleId, StoreId,
    TerminalId,
};
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{OrderEvent, OrderFacts, Rules};
use tilld_domain::pauses::UndoTimes;
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, MOST_CARDS, Opening, Payment, SaleEvent, Tender};

use super::order::OrderEventForm;
use super::text::{card_no, currency, maybe, money, plain};
use super::undo::{self, UndoTimesForm};

#[derive(Serialize, Deserialize)]
#[serde(remote = "SaleEvent", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SaleEventForm {
    Opened(#[serde(with = "opening")] Box<Opening>),
    Paid {
        #[serde(with = "PaymentForm")]
        payment: Payment,
        confirm_request: String,
    },
    Cancelled {
        #[serde(with = "maybe")]
        by: Option<PersonName>,
    },
    Resumed,
    Card(#[serde(with = "card_no")] CardNo, #[serde(with = "OrderEventForm")] OrderEvent),
}

mod opening {
    use super::{Deserializer, Opening, OpeningForm, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Opening, out: S) -> Result<S::Ok, S::Error> {
        OpeningForm::serialize(value, out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<Opening>, D::Error> {
        OpeningForm::deserialize(from).map(Box::new)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Opening", deny_unknown_fields)]
struct OpeningForm {
    #[serde(with = "plain")]
    sale: SaleId,
    #[serde(with = "plain")]
    receipt: ReceiptId,
    provider: String,
    #[serde(with = "plain")]
    store: StoreId,
    #[serde(with = "plain")]
    terminal: TerminalId,
    #[serde(with = "plain")]
    country: Country,
    #[serde(with = "maybe")]
    cashier: Option<PersonName>,
    #[serde(with = "plain")]
    locale: Locale,
    columns: u16,
    #[serde(with = "currency")]
    currency: Currency,
    #[serde(with = "RulesForm")]
    rules: Rules,
    #[serde(with = "cards")]
    cards: Vec<OrderFacts>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Rules", deny_unknown_fields)]
struct RulesForm {
    fresh: Duration,
    create_again: Duration,
    ask: Duration,
    ask_processing: Duration,
    resume: Duration,
    print_wait: Duration,
    print_attempts: u16,
    quiet: Duration,
    undo_window: Duration,
    #[serde(default = "undo::unwritten", skip_serializing_if = "undo::is_unwritten", with = "UndoTimesForm")]
    undo: UndoTimes,
    confirm_repeatable: bool,
}

mod cards {
    use super::{Deserialize, Deserializer, MOST_CARDS, OrderFacts, OrderFactsForm, Serialize, Serializer};
    use serde::de::Error as _;

    #[derive(Serialize)]
    struct Lent<'a>(#[serde(with = "OrderFactsForm")] &'a OrderFacts);

    #[derive(Deserialize)]
    struct Owned(#[serde(with = "OrderFactsForm")] OrderFacts);

    pub(super) fn serialize<S: Serializer>(value: &[OrderFacts], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(value.iter().map(Lent))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<OrderFacts>, D::Error> {
        let cards = Vec::<Owned>::deserialize(from)?;
        if cards.is_empty() || cards.len() > MOST_CARDS {
            return Err(D::Error::custom("a sale has 1 to 20 cards"));
        }
        Ok(cards.into_iter().map(|Owned(facts)| facts).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OrderFacts", deny_unknown_fields)]
struct OrderFactsForm {
    #[serde(with = "plain")]
    id: OrderId,
    #[serde(with = "plain")]
    product: ProductCode,
    product_name: String,
    #[serde(with = "CardKindForm")]
    kind: CardKind,
    #[serde(with = "money")]
    face_value: Money,
    /// Sealed, never public.
    #[serde(skip)]
    code: Option<CardCode>,
    code_tail: Option<String>,
    #[serde(with = "plain")]
    key: ProviderKey,
    create_request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo_window: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CardKind", rename_all = "snake_case")]
pub(super) enum CardKindForm {
    Por,
    Posa,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Payment", deny_unknown_fields)]
struct PaymentForm {
    #[serde(with = "money")]
    amount: Money,
    #[serde(with = "TenderForm")]
    tender: Tender,
    #[serde(with = "money")]
    receipt_total: Money,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Tender", rename_all = "snake_case", deny_unknown_fields)]
enum TenderForm {
    Cash {
        #[serde(with = "money")]
        given: Money,
        #[serde(with = "money")]
        change: Money,
    },
    Card,
    Mixed {
        #[serde(with = "money")]
        card: Money,
        #[serde(with = "money")]
        given: Money,
        #[serde(with = "money")]
        change: Money,
    },
}
