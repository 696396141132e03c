//! What a till sends, and the counter's request that it becomes.

use std::borrow::Cow;

use serde::Deserialize;
use tilld_counter::desk;
use tilld_domain::ids::{CardCode, Locale, PersonName, ProductCode, ReceiptId};
use tilld_domain::order;
use tilld_domain::secret::Secret;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::parts::{CardKind, Checked, Money, Object, words};
use crate::asked::Digest;
use crate::guard::Caller;

/// A new sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaleRequest {
    /// The till's own number of the receipt: printable ASCII, no payment card number. It belongs to this sale for as long as
    /// that may take money or took it.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "R-20261121-0042")]
    receipt: Checked<ReceiptId>,
    /// Who sells: letters of any script, digits and the punctuation of names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    cashier: Option<Checked<PersonName>>,
    /// The slip's language and formats (BCP 47), if not the configured ones.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 16, example = "de-DE")]
    locale: Option<Checked<Locale>>,
    /// The cards in the order of the receipt, all of one currency.
    #[schema(value_type = Vec<CardRequest>, min_items = 1, max_items = 20)]
    cards: Vec<Object<CardRequest>>,
}

/// A card of a new sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardRequest {
    /// The product's code in the catalogue.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "4001232232332")]
    product: Checked<ProductCode>,
    /// Printed or activated: it must be the product's own kind.
    kind: CardKind,
    /// The value of the card, one that the product offers.
    face_value: Money,
    /// The code that was scanned from the card; for `posa`, and always. It is never shown again.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, write_only, example = "6006491234567890123")]
    code: Option<Checked<CardCode>>,
}

impl SaleRequest {
    pub(crate) fn digest(&self, digest: Digest, fingerprint: impl Fn(&Secret) -> [u8; 32]) -> Digest {
        let whole = digest
            .text(self.receipt.0.as_str())
            .optional(self.cashier.as_ref().map(|name| name.0.as_str()))
            .optional(self.locale.as_ref().map(|tag| tag.0.as_str()))
            .count(self.cards.len());
        self.cards.iter().fold(whole, |digest, Object(card)| {
            digest
                .text(card.product.0.as_str())
                .text(match card.kind {
                    CardKind::Por => "por",
                    CardKind::Posa => "posa",
                })
                .money(card.face_value.0)
                .secret(card.code.as_ref().map(|code| fingerprint(code.0.secret())))
        })
    }
}

impl From<SaleRequest> for desk::SaleRequest {
    fn from(request: SaleRequest) -> Self {
        Self {
            receipt: request.receipt.0,
            cashier: request.cashier.map(|name| name.0),
            locale: request.locale.map(|tag| tag.0),
            cards: request
                .cards
                .into_iter()
                .map(|Object(card)| desk::CardRequest {
                    product: card.product.0,
                    kind: card.kind.into(),
                    face_value: card.face_value.0,
                    code: card.code.map(|code| code.0),
                })
                .collect(),
        }
    }
}

/// How a sale was paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentRequest {
    /// What was collected for the cards of this sale: exactly what the sale shows as `due`.
    amount: Money,
    /// How.
    #[schema(value_type = ClosedTender)]
    tender: Object<TenderRequest>,
    /// The total of the whole receipt, if it holds other goods too; not less than `amount`, of the same currency.
    receipt_total: Option<Money>,
}

/// How the customer paid. No number of a payment card belongs here, and none is taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum TenderRequest {
    /// In notes and coins.
    Cash {
        /// What the customer gave: the amount or more.
        given: Money,
        /// The change, if the till worked it out: then it must be right.
        change: Option<Money>,
    },
    /// With a payment card, the exact amount.
    Card {},
    /// A part with a payment card, the rest in cash.
    Mixed {
        /// What the payment card paid: more than nothing and less than the amount.
        card: Money,
        /// What the customer gave in cash: the rest or more.
        given: Money,
        /// The change, if the till worked it out: then it must be right.
        change: Option<Money>,
    },
}

/// The description of a tender, which says as well that it has no other fields: the generator leaves that out for the
/// alternatives of an enum.
struct ClosedTender;

impl PartialSchema for ClosedTender {
    fn schema() -> RefOr<Schema> {
        let mut schema = TenderRequest::schema();
        if let RefOr::T(Schema::OneOf(tenders)) = &mut schema {
            for tender in &mut tenders.items {
                if let RefOr::T(Schema::Object(tender)) = tender {
                    tender.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
                }
            }
        }
        schema
    }
}

impl ToSchema for ClosedTender {
    fn name() -> Cow<'static, str> {
        TenderRequest::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TenderRequest::schemas(schemas);
    }
}

impl PaymentRequest {
    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        let digest = digest.money(self.amount.0).optional_money(self.receipt_total.map(|total| total.0));
        match &self.tender.0 {
            TenderRequest::Cash { given, change } => {
                digest.text("cash").money(given.0).optional_money(change.map(|change| change.0))
            }
            TenderRequest::Card {} => digest.text("card"),
            TenderRequest::Mixed { card, given, change } => digest
                .text("mixed")
                .money(card.0)
                .money(given.0)
                .optional_money(change.map(|change| change.0)),
        }
    }
}

impl From<PaymentRequest> for desk::PayRequest {
    fn from(request: PaymentRequest) -> Self {
        Self {
            amount: request.amount.0,
            tender: match request.tender.0 {
                TenderRequest::Cash { given, change } => {
                    desk::TenderGiven::Cash { given: given.0, change: change.map(|change| change.0) }
                }
                TenderRequest::Card {} => desk::TenderGiven::Card,
                TenderRequest::Mixed { card, given, change } => desk::TenderGiven::Mixed {
                    card: card.0,
                    given: given.0,
                    change: change.map(|change| change.0),
                },
            },
            receipt_total: request.receipt_total.map(|total| total.0),
        }
    }
}

/// A sale is cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    /// By whom.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    by: Option<Checked<PersonName>>,
}

impl CancelRequest {
    /// By whom it is, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self { by: caller.acting(self.by.map(|name| name.0)).map(Checked) }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.optional(self.by.as_ref().map(|name| name.0.as_str()))
    }

    pub(crate) fn by(self) -> Option<PersonName> {
        self.by.map(|name| name.0)
    }
}

/// A person answers the open question of a card.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRequest {
    /// One of the `choices` of the question.
    answer: Answer,
    /// Who answers; the sale's cashier if nobody is named.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    by: Option<Checked<PersonName>>,
}

impl AnswerRequest {
    /// By whom it is, if the caller says so better than it.
    pub(crate) fn signed(self, caller: &Caller) -> Self {
        Self { by: caller.acting(self.by.map(|name| name.0)).map(Checked), ..self }
    }

    pub(crate) fn digest(&self, digest: Digest) -> Digest {
        digest.text(self.answer.word()).optional(self.by.as_ref().map(|name| name.0.as_str()))
    }

    pub(crate) fn parts(self) -> (order::Answer, Option<PersonName>) {
        (self.answer.into(), self.by.map(|name| name.0))
    }
}

words! {
    /// An answer to an open question.
    enum Answer as "Answer" {
        /// Go on and finish the sale.
        Finish = "finish",
        /// Print now.
        Print = "print",
        /// Print again; the piece that came out has been torn up.
        PrintAgain = "print_again",
        /// The slip is complete on paper.
        Complete = "complete",
        /// There is paper, and it cannot be used; it has been torn up.
        Unreadable = "unreadable",
        /// Nothing came out.
        Nothing = "nothing",
        /// Every piece of paper has been collected; give the money back.
        Collected = "collected",
        /// Give the money back.
        MoneyBack = "money_back",
    }
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Print => "print",
            Self::PrintAgain => "print_again",
            Self::Complete => "complete",
            Self::Unreadable => "unreadable",
            Self::Nothing => "nothing",
            Self::Collected => "collected",
            Self::MoneyBack => "money_back",
        }
    }
}

impl From<Answer> for order::Answer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Finish => Self::Finish,
            Answer::Print => Self::Print,
            Answer::PrintAgain => Self::PrintAgain,
            Answer::Complete => Self::Complete,
            Answer::Unreadable => Self::Unreadable,
            Answer::Nothing => Self::Nothing,
            Answer::Collected => Self::Collected,
            Answer::MoneyBack => Self::MoneyBack,
        }
    }
}

impl From<order::Answer> for Answer {
    fn from(answer: order::Answer) -> Self {
        match answer {
            order::Answer::Finish => Self::Finish,
            order::Answer::Print => Self::Print,
            order::Answer::PrintAgain => Self::PrintAgain,
            order::Answer::Complete => Self::Complete,
            order::Answer::Unreadable => Self::Unreadable,
            order::Answer::Nothing => Self::Nothing,
            order::Answer::Collected => Self::Collected,
            order::Answer::MoneyBack => Self::MoneyBack,
        }
    }
}
