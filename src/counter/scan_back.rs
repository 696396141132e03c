//! Scan-back: the code on a slip, read off the paper, proves that the paper is there (row A11).
//!
//! It answers one question and no other: *is the card complete on paper*, where the printer fell silent. The answer is written as a
//! person's, for a person holds the paper. The code is compared with the sealed lines of the cards whose question is open, in memory,
//! and is kept nowhere; in the digest of the request its HMAC stands for it.
//!
//! A printer that reported a fault has stopped at a known place, and the rest of the slip is missing although the code may be there
//! (row A10): no scan answers that.

use tilld_domain::ids::PersonName;
use tilld_domain::order::{Answer, Asks, Order, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Sale};
use tilld_domain::secret::Secret;
use tilld_journal::Asked;
use tilld_receipts::codes;
use tokio::sync::oneshot;

use crate::driver::{Act, Message};
use crate::{Counter, SaleNow};

/// Which card of a sale has this code on a paper that nobody has seen yet.
pub(crate) fn card_of(sale: &Sale, code: &Secret) -> Option<CardNo> {
    let is_it = |order: &Order| {
        let asks = order.question(&sale.opening.rules).map(|question| question.asks);
        match &order.state {
            // After the last attempt the paper is collected and the money goes back: no scan answers that.
            State::PrintUnclear { lines, .. } if asks == Some(Asks::IsItComplete) => {
                codes::is_code_of(lines, code)
            }
            _ => false,
        }
    };
    sale.cards().find(|(_, order)| is_it(order)).map(|(card, _)| card)
}

impl Counter {
    /// The code on a slip was scanned: the question about that slip is answered, and the answer is its sale.
    pub async fn slip_scanned(
        &self,
        asked: Asked,
        code: Secret,
        by: Option<PersonName>,
    ) -> Result<SaleNow, Refusal> {
        if let Some(before) = self.answered_before(&asked).await? {
            return before.into_sale().ok_or(Refusal::RequestKeyReused);
        }
        let (reply, found) = oneshot::channel();
        self.send(Message::FindSlip { code, reply })?;
        let (sale, card) = found.await.map_err(|_| Refusal::Stopping)?.ok_or(Refusal::NoSuchSlip)?;
        self.act_on_sale(asked, sale, Act::Answer { card, answer: Answer::Complete, by }).await
    }
}
