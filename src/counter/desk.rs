//! What a till may ask: pure functions from a request and the sale as it is to the event that is to be written, or to the
//! refusal. No lock, no clock, no waiting.

mod redemption;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;

use tilld_domain::ids::{
    CardCode, Locale, OrderId, PersonName, ProductCode, ProviderKey, ReceiptId, SaleId,
    looks_like_payment_card,
};
use tilld_domain::moment::Moment;
use tilld_domain::money::Money;
use tilld_domain::order::{Answer, OrderEvent, OrderFacts, Rules, State};
use tilld_domain::product::{CardKind, Product};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, MOST_CARDS, Opening, Payment, Sale, SaleEvent, Tender};
use tilld_providers::{ConfirmFacts, CreateFacts, GiftCards, SingleTender};
use uuid::Uuid;

use crate::Place;
use crate::scan_back::{Proven, attempt_asked_about};

pub(crate) use redemption::{complete, decide, scanned, take_back, tell};

/// A sale as a till asks for it. Everything in it is checked by its type; what remains to be checked needs the catalogue.
#[derive(Debug, Clone)]
pub struct SaleRequest {
    /// The till's number of the receipt.
    pub receipt: ReceiptId,
    /// Who sells.
    pub cashier: Option<PersonName>,
    /// The slip's language, if not the configured one.
    pub locale: Option<Locale>,
    /// Which cards, in the order of the receipt.
    pub cards: Vec<CardRequest>,
}

/// One card as a till asks for it.
#[derive(Debug, Clone)]
pub struct CardRequest {
    /// Which product.
    pub product: ProductCode,
    /// Printed or activated.
    pub kind: CardKind,
    /// The value of the card.
    pub face_value: Money,
    /// The scanned code; for POSA only, and always.
    pub code: Option<CardCode>,
}

/// A payment as a till reports it.
#[derive(Debug, Clone)]
pub struct PayRequest {
    /// What was collected for the cards of this sale: it must be what was asked for.
    pub amount: Money,
    /// How.
    pub tender: TenderGiven,
    /// The total of the whole receipt; the amount if it holds nothing else.
    pub receipt_total: Option<Money>,
}

/// How the customer paid, as a till says it.
#[derive(Debug, Clone, Copy)]
pub enum TenderGiven {
    /// In notes and coins.
    Cash {
        /// What the customer gave.
        given: Money,
        /// The change that the till worked out, if it did; it must be right.
        change: Option<Money>,
    },
    /// With a payment card.
    Card,
    /// A part by card, the rest in cash.
    Mixed {
        /// What the card paid.
        card: Money,
        /// What the customer gave in cash.
        given: Money,
        /// The change that the till worked out, if it did.
        change: Option<Money>,
    },
}

/// The greatest length of a manager's reason in characters.
pub const LONGEST_REASON: usize = 200;

/// What a new sale is checked against.
pub struct Context<'a> {
    /// Where the till stands.
    pub place: &'a Place,
    /// Who is bought from.
    pub provider: &'a dyn GiftCards,
    /// What can be bought.
    pub shelf: &'a [Product],
    /// Columns of the slip.
    pub columns: u16,
    /// The times that the sale will live by.
    pub rules: Rules,
    /// Makes an id.
    pub new_id: &'a dyn Fn() -> Uuid,
}

/// Checks a sale as a whole, and makes its first entry's content.
pub fn open(request: SaleRequest, context: &Context<'_>) -> Result<Opening, Refusal> {
    let first = request.cards.first().ok_or(Refusal::NoCards)?;
    if request.cards.len() > MOST_CARDS {
        return Err(Refusal::TooManyCards);
    }
    if context.shelf.is_empty() {
        return Err(Refusal::NoCatalogue);
    }
    let currency = first.face_value.currency();
    let locale = request.locale.unwrap_or_else(|| context.place.locale.clone());
    let mut codes = HashSet::new();
    let mut cards = Vec::with_capacity(request.cards.len());
    for card in &request.cards {
        let product = context
            .shelf
            .iter()
            .find(|product| product.code == card.product)
            .ok_or(Refusal::ProductUnknown)?;
        if product.country != context.place.country {
            return Err(Refusal::WrongCountry);
        }
        product.check(card.kind, card.face_value)?;
        if card.face_value.currency() != currency {
            return Err(Refusal::MixedCurrencies);
        }
        match (card.kind, &card.code) {
            (CardKind::Posa, None) => return Err(Refusal::CardCodeMissing),
            (CardKind::Por, Some(_)) => return Err(Refusal::CardCodeNotWanted),
            (CardKind::Posa, Some(code)) => {
                if !codes.insert((card.product.as_str(), code.secret().reveal())) && is_serial(card) {
                    return Err(Refusal::CardCodeTwice);
                }
            }
            (CardKind::Por, None) => {}
        }
        let request_text = context.provider.prepare_create(&CreateFacts {
            product: &card.product,
            kind: card.kind,
            face_value: card.face_value,
            store: &context.place.store,
            terminal: &context.place.terminal,
            receipt: &request.receipt,
            country: &context.place.country,
            characters_per_line: context.columns,
            locale: &locale,
        })?;
        let key = (context.new_id)().to_string().parse::<ProviderKey>().map_err(|_| Refusal::Busy)?;
        cards.push(OrderFacts {
            id: OrderId::new((context.new_id)()),
            product: card.product.clone(),
            product_name: product.name.clone(),
            kind: card.kind,
            face_value: card.face_value,
            code: card.code.clone(),
            code_tail: card.code.as_ref().map(|code| code.secret().masked()),
            key,
            create_request: request_text.0,
            undo_window: context.provider.undo_window(&card.product),
        });
    }
    Money::sum(cards.iter().map(|card| card.face_value), currency).map_err(|_| Refusal::AmountTooLarge)?;
    Ok(Opening {
        sale: SaleId::new((context.new_id)()),
        receipt: request.receipt,
        provider: context.provider.name().to_owned(),
        store: context.place.store.clone(),
        terminal: context.place.terminal.clone(),
        country: context.place.country.clone(),
        cashier: request.cashier,
        locale,
        columns: context.columns,
        currency,
        rules: context.rules,
        cards,
    })
}

/// Whether a POSA code names one card. Programmes that print the product's own code on every hanger do not (fact sheet
/// U19): two such cards in a basket carry the same code.
fn is_serial(card: &CardRequest) -> bool {
    card.code.as_ref().is_some_and(|code| code.secret().reveal() != card.product.as_str())
}

/// Checks a payment against what is due, and makes the confirm that every card of the sale gets.
pub fn pay(
    sale: &Sale,
    at: Moment,
    request: &PayRequest,
    provider: &dyn GiftCards,
) -> Result<SaleEvent, Refusal> {
    let due = sale.may_pay(at)?;
    if request.amount != due {
        return Err(Refusal::AmountNotDue);
    }
    let (tender, claimed_change) = match request.tender {
        TenderGiven::Cash { given, change } => (Tender::cash(due, given)?, change),
        TenderGiven::Card => (Tender::Card, None),
        TenderGiven::Mixed { card, given, change } => (Tender::mixed(due, card, given)?, change),
    };
    let (single, change) = match tender {
        Tender::Cash { change, .. } => (Some(SingleTender::Cash), Some(change)),
        Tender::Card => (Some(SingleTender::Card), None),
        Tender::Mixed { change, .. } => (None, Some(change)),
    };
    if claimed_change.is_some() && claimed_change != change {
        return Err(Refusal::TenderDoesNotAddUp);
    }
    let receipt_total = request.receipt_total.unwrap_or(due);
    let rest = receipt_total.minus(due).map_err(|_| Refusal::WrongCurrency)?;
    if rest.minor() < 0 {
        return Err(Refusal::TenderDoesNotAddUp);
    }
    let confirm = provider.prepare_confirm(&ConfirmFacts { tender: single, receipt_total });
    Ok(SaleEvent::Paid {
        payment: Payment { amount: due, tender, receipt_total },
        confirm_request: confirm.0,
    })
}

/// Cancels a sale that may be cancelled.
pub fn cancel(sale: &Sale, by: Option<PersonName>) -> Result<SaleEvent, Refusal> {
    sale.may_cancel()?;
    Ok(SaleEvent::Cancelled { by })
}

/// Takes an answer that was asked for.
pub fn answer(
    sale: &Sale,
    card: CardNo,
    answer: Answer,
    by: Option<PersonName>,
) -> Result<SaleEvent, Refusal> {
    let order = sale.order(card).ok_or(Refusal::CardUnknown)?;
    if !order.at_rest() {
        return Err(Refusal::StillWorking);
    }
    let question = order.question(&sale.opening.rules).ok_or(Refusal::NotAsked)?;
    if !question.choices.contains(&answer) {
        return Err(Refusal::NotAsked);
    }
    // Who answers for it in the journal: if nobody says who, whoever sells it.
    let by = by.or_else(|| sale.opening.cashier.clone());
    Ok(SaleEvent::Card(card, OrderEvent::Answered { answer, by }))
}

/// Takes a paper that was scanned for the answer that it is complete, if it is still the one that is asked about.
pub(crate) fn proven(sale: &Sale, paper: Proven, by: Option<PersonName>) -> Result<SaleEvent, Refusal> {
    let order = sale.order(paper.card).ok_or(Refusal::CardUnknown)?;
    if !order.at_rest() {
        return Err(Refusal::StillWorking);
    }
    match attempt_asked_about(order, &sale.opening.rules) {
        Some(attempt) if attempt == paper.attempt => answer(sale, paper.card, Answer::Complete, by),
        Some(_) => Err(Refusal::EarlierSlip),
        None => Err(Refusal::NotAsked),
    }
}

/// Closes a manager's case with a reason of 1 to [`LONGEST_REASON`] characters.
pub fn settle(
    sale: &Sale,
    at: Moment,
    card: CardNo,
    by: PersonName,
    reason: &str,
) -> Result<SaleEvent, Refusal> {
    sale.order(card).ok_or(Refusal::CardUnknown)?;
    let case = sale.attention(at).into_iter().find(|case| case.card == card);
    if !case.ok_or(Refusal::NotAsked)?.may_be_settled() {
        return Err(Refusal::NotAsked);
    }
    Ok(SaleEvent::Card(card, OrderEvent::Settled { by, reason: checked(reason)? }))
}

/// Copies the slip of a sold card (row A12), as long as its lines are not forgotten. A copy answers no question about the first paper.
pub fn copy(sale: &Sale, card: CardNo, by: PersonName) -> Result<SaleEvent, Refusal> {
    let order = sale.order(card).ok_or(Refusal::CardUnknown)?;
    match &order.state {
        // Its answer waits for the whole sale, and would tell the number of a later copy.
        _ if !sale.at_rest() => Err(Refusal::StillWorking),
        // Nothing is printed for a sale of which something is asked (law L12).
        _ if sale.questions().next().is_some() => Err(Refusal::OpenQuestion),
        State::Sold { lines: Some(lines), .. } if lines.is_gone() => Err(Refusal::SlipForgotten),
        State::Sold { lines: Some(_), .. } => Ok(SaleEvent::Card(card, OrderEvent::CopyAsked { by })),
        _ => Err(Refusal::NoSlip),
    }
}

/// A manager's reason, fit for the journal.
fn checked(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    let plain = !reason.is_empty()
        && reason.chars().count() <= LONGEST_REASON
        && !reason.chars().any(char::is_control)
        && !looks_like_payment_card(reason);
    if plain { Ok(reason.to_owned()) } else { Err(Refusal::ReasonMissing) }
}
