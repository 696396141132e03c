//! The slips of cards and redemptions: laid out for the printer, and shown on a screen as they would look on paper.
//!
//! What is shown is laid out by the same rules as what is printed, out of the same facts; but a card's code never leaves for a screen
//! (law L11): in the provider's lines dots stand for whatever may be one. Nobody hands a code over by hand here: what cannot be
//! printed is given back (rows A9 to A11). Nor does a screen show a slip's number: read off the glass it would prove a paper that
//! is not there.

use tilld_domain::ids::{RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::{Order, State};
use tilld_domain::outcome::ReceiptLines;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Sale};
use tilld_domain::slip::{Paper, Slip};
use tilld_domain::slip_number::SlipNumber;
use tilld_journal::Subject;
use tilld_receipts::codes;
use tilld_receipts::slip::{CardFacts, gift_card};
use tilld_receipts::voucher::Mark;

use crate::now::Now;
use crate::{Counter, Place};

/// Which paper of a card.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    /// Which attempt at the first paper, from 1.
    pub(crate) attempt: u16,
    /// The number of a copy.
    pub(crate) copy: Option<u16>,
}

/// The lines of a card's slip, as long as they may be printed; also those that are gone.
pub(crate) fn lines_of(order: &Order) -> Option<&ReceiptLines> {
    match &order.state {
        State::Active { lines, .. }
        | State::Printing { lines, .. }
        | State::PrintStopped { lines, .. }
        | State::PrintUnclear { lines, .. }
        | State::Sold { lines: Some(lines), .. } => Some(lines),
        State::Creating { .. }
        | State::NotSold { .. }
        | State::Created { .. }
        | State::Paid { .. }
        | State::Confirming { .. }
        | State::Asking { .. }
        | State::Sold { lines: None, .. }
        | State::Owed(_)
        | State::Spent(_)
        | State::Stuck { .. }
        | State::Cleared { .. }
        | State::Settled { .. } => None,
    }
}

/// The slip of a card with these lines, at a moment of the clock on the wall: the customer compares it.
pub(crate) fn of_card(
    place: &Place,
    mut paper: Paper,
    at: Moment,
    (sale, card): (&Sale, CardNo),
    lines: &ReceiptLines,
    which: Which,
) -> Option<Slip> {
    let order = sale.order(card)?;
    let facts = CardFacts {
        product_name: &order.facts.product_name,
        kind: order.facts.kind,
        face_value: order.facts.face_value,
        store: &sale.opening.store,
        terminal: &sale.opening.terminal,
        receipt: &sale.opening.receipt,
        card: (card.number(), u16::try_from(sale.orders.len()).unwrap_or(u16::MAX)),
        at_ms: at.ms(),
        zone: &place.zone,
        locale: &sale.opening.locale,
        lines,
        copy: which.copy,
        attempt: which.attempt,
        number: place.slip_numbers.then(|| SlipNumber::of(order.facts.id, which.attempt)),
    };
    paper.columns = paper.columns.min(sale.opening.columns);
    Some(gift_card(&facts, &place.texts, paper))
}

impl Counter {
    /// The slip of a card as it looks on paper, with dots for whatever may be its code.
    pub async fn slip_of_card(&self, sale: SaleId, card: CardNo) -> Result<Slip, Refusal> {
        let now = self.sale(sale).await?;
        let order = now.sale.order(card).ok_or(Refusal::CardUnknown)?;
        let lines = match lines_of(order) {
            Some(lines) if lines.is_gone() => return Err(Refusal::SlipForgotten),
            Some(lines) => codes::masked(lines),
            None if !order.at_rest() => return Err(Refusal::StillWorking),
            None => return Err(Refusal::NoSlip),
        };
        self.slip_is_kept(sale, card).await?;
        let attempt = match order.state {
            State::Printing { attempt, .. }
            | State::PrintStopped { attempt, .. }
            | State::PrintUnclear { attempt, .. } => attempt,
            _ => 1,
        };
        let which = Which { attempt, copy: None };
        let (paper, at) = (self.printer.paper(), self.clock.wall());
        of_card(&self.place, paper, at, (&now.sale, card), &lines, which).ok_or(Refusal::CardUnknown)
    }

    /// Whether the code of a sold card is not forgotten. A sale of which another card is open stays in memory for days, with the lines of
    /// all; the journal knows whose key is destroyed.
    pub(crate) async fn slip_is_kept(&self, sale: SaleId, card: CardNo) -> Result<(), Refusal> {
        let journal = self.journal.clone();
        let now = self.read(move || journal.now(Subject::Sale(sale))).await?;
        let written = now.and_then(Now::into_sale);
        match written.as_ref().and_then(|now| now.sale.order(card)).map(|order| &order.state) {
            Some(State::Sold { lines: Some(lines), .. }) if lines.is_gone() => Err(Refusal::SlipForgotten),
            _ => Ok(()),
        }
    }

    /// The paper of a redemption, or of its reversal, as it looks.
    pub async fn slip_of_redemption(&self, redemption: RedemptionId) -> Result<Slip, Refusal> {
        self.slip_of(&self.redemption(redemption).await?, Mark::First)
    }
}
