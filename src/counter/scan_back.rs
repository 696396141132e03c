//! Scan-back: what was read off a paper proves that the paper is there (row A11).
//!
//! It answers one question and no other: *is the card complete on paper*, where the printer fell silent. The answer is written as a
//! person's, for a person holds the paper. Two things on a slip are looked for:
//!
//! | scanned or typed | proves | answers |
//! |---|---|---|
//! | the number at the foot ([`SlipNumber`]) | that the paper of that attempt came out down to its last row; not that it is in one piece, which the question asks to be looked at | the question about that attempt |
//! | the card's code, which stands in the middle | that the code is on *a* paper of the card | the question about the first attempt |
//!
//! The code is the weaker proof: what comes after it (a PIN, the terms) may be missing, and every attempt carries the same one, so
//! that the torn first piece would answer for the second paper. It stays for the first attempt, where it can only be on the paper
//! that is asked about, because a shop may print no numbers, and a person who has compared code and screen has looked. From the second
//! attempt on it is refused, and so is the number of an earlier one, each by a sentence of its own; nothing is answered by either.
//!
//! A number is taken also where the shop prints none any more: the paper may be older than the configuration. Which attempt is asked about
//! is looked at twice, when the slip is found and when the answer is written: another screen may have had it printed again in
//! between.
//!
//! The code is compared with the sealed lines of the cards whose question is open, in memory, and is kept nowhere; in the digest of the
//! request its HMAC stands for it.
//!
//! No scan answers where the printer reported a fault (row A10): it stopped at a known place, mostly with the rest of the slip missing
//! although the code may be there, and whoever mends it has the paper in hand. Nor after the last attempt: then the paper is collected
//! and the money goes back.

use tilld_domain::ids::{PersonName, SaleId};
use tilld_domain::order::{Asks, Order, Rules, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Sale};
use tilld_domain::secret::Secret;
use tilld_domain::slip_number::SlipNumber;
use tilld_journal::Asked;
use tilld_receipts::codes;
use tokio::sync::oneshot;

use crate::driver::{Act, Message};
use crate::{Counter, SaleNow};

/// A paper that was found by what was scanned from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) sale: SaleId,
    pub(crate) card: CardNo,
    /// Of which attempt at the card's slip it is.
    pub(crate) attempt: u16,
}

/// Which paper that somebody is asked about this was read from; else why it answers nothing.
pub(crate) fn paper_of<'a>(
    sales: impl Iterator<Item = &'a Sale>,
    scanned: &Secret,
) -> Result<Proven, Refusal> {
    let number = SlipNumber::read(scanned.reveal());
    let (mut proven, mut why) = (None, Refusal::NoSuchSlip);
    for sale in sales {
        for (card, order) in sale.cards() {
            let Some(attempt) = attempt_asked_about(order, &sale.opening.rules) else { continue };
            match answers(order, attempt, scanned, number) {
                // Two cards whose numbers are alike, or whose provider prints one code on both: it says nothing of either.
                Some(Ok(())) if proven.is_some() => return Err(Refusal::NoSuchSlip),
                Some(Ok(())) => proven = Some(Proven { sale: sale.opening.sale, card, attempt }),
                Some(Err(earlier)) => why = earlier,
                None => {}
            }
        }
    }
    proven.ok_or(why)
}

/// The attempt about whose paper it is asked whether it is complete.
pub(crate) fn attempt_asked_about(order: &Order, rules: &Rules) -> Option<u16> {
    let asks = order.question(rules).map(|question| question.asks);
    match order.state {
        State::PrintUnclear { attempt, .. } if asks == Some(Asks::IsItComplete) => Some(attempt),
        _ => None,
    }
}

/// Whether the paper of an attempt shows what was scanned. None: nothing of it is on any paper of this card.
fn answers(
    order: &Order,
    attempt: u16,
    scanned: &Secret,
    number: Option<SlipNumber>,
) -> Option<Result<(), Refusal>> {
    if let Some(number) = number {
        let is_of = |attempt| number == SlipNumber::of(order.facts.id, attempt);
        if is_of(attempt) {
            return Some(Ok(()));
        }
        if (1..attempt).any(is_of) {
            return Some(Err(Refusal::EarlierSlip));
        }
    }
    let State::PrintUnclear { lines, .. } = &order.state else { return None };
    let is_first = if attempt == 1 { Ok(()) } else { Err(Refusal::CodeOnEarlierSlip) };
    codes::is_code_of(lines, scanned).then_some(is_first)
}

impl Counter {
    /// The number or the code on a slip was scanned: the question about that slip is answered, and the answer is its sale.
    pub async fn slip_scanned(
        &self,
        asked: Asked,
        scanned: Secret,
        by: Option<PersonName>,
    ) -> Result<SaleNow, Refusal> {
        if let Some(before) = self.answered_before(&asked).await? {
            return before.into_sale().ok_or(Refusal::RequestKeyReused);
        }
        let (reply, found) = oneshot::channel();
        self.send(Message::FindSlip { scanned, reply })?;
        let proven = found.await.map_err(|_| Refusal::Stopping)??;
        self.act_on_sale(asked, proven.sale, Act::Proven { paper: proven, by }).await
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::order::OrderEvent;
    use tilld_domain::outcome::{OrderSeen, OrderStage, Outcome, ReceiptLines};
    use tilld_domain::printing::{Fault, PrintEnd};

    use super::*;
    use crate::desk::tests::{created, happened, one, paid, sale};

    fn asked_about(code: &str) -> Sale {
        let lines = ReceiptLines::new(vec![format!("Code: {code}")], 0);
        let live = Outcome::Done(OrderSeen { stage: OrderStage::Done, lines });
        let silent = PrintEnd::Unclear(Fault::Silent);
        sale(&[
            created(),
            paid(),
            happened(OrderEvent::ConfirmEnded(live)),
            happened(OrderEvent::PrintEnded(silent)),
        ])
        .0
    }

    #[test]
    fn a_code_that_stands_on_the_papers_of_two_cards_proves_neither() {
        let [code, other] = ["X7K2-99QM-41TR-ABCD", "X7K2-99QM-41TR-ABCE"];
        let proven = |sales: &[Sale], scanned: &str| {
            paper_of(sales.iter(), &Secret::new(scanned.to_owned())).map(|paper| (paper.card, paper.attempt))
        };
        let two = || [asked_about(code), asked_about(code)];
        assert_eq!(proven(&[asked_about(other), asked_about(code)], code), Ok((one(), 1)));
        assert_eq!(proven(&two(), code), Err(Refusal::NoSuchSlip));
        assert_eq!(proven(&two(), other), Err(Refusal::NoSuchSlip));
        let [first, second] = two();
        assert_eq!(proven(&[first, asked_about(other), second], code), Err(Refusal::NoSuchSlip));
    }
}
