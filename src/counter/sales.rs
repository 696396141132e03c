//! The counter's side of selling, as tills and managers ask for it.

use tilld_domain::ids::{PersonName, SaleId};
use tilld_domain::order::{Answer, Rules};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, PaymentState};
use tilld_journal::{Asked, Subject};
use tokio::sync::oneshot;

use crate::desk::{self, PayRequest, SaleRequest};
use crate::driver::{Act, Message};
use crate::now::Now;
use crate::{Counter, SaleNow};

impl Counter {
    /// Begins a sale, and answers when every card of it is created or refused.
    pub async fn open(&self, asked: Asked, request: SaleRequest) -> Result<SaleNow, Refusal> {
        let opening = {
            let products = self.shelf.products();
            let context = desk::Context {
                place: &self.place,
                provider: self.provider.as_ref(),
                shelf: &products,
                columns: self.place.columns.unwrap_or(self.printer.paper().columns),
                rules: Rules {
                    confirm_repeatable: self.provider.confirm_is_repeatable(),
                    ..self.settings.rules
                },
                new_id: &|| self.clock.new_id(),
            };
            desk::open(request, &context)
        };
        match opening {
            Ok(opening) => self.act_on_sale(asked, opening.sale, Act::Open(Box::new(opening))).await,
            Err(why) => self.answered_before(&asked).await?.and_then(Now::into_sale).ok_or(why),
        }
    }

    /// Reports the payment, and answers when every card is sold, given back, or a question.
    pub async fn pay(&self, asked: Asked, sale: SaleId, request: PayRequest) -> Result<SaleNow, Refusal> {
        self.act_on_sale(asked, sale, Act::Pay(request)).await
    }

    /// Cancels a sale that is not paid. The answer does not wait for the provider's word: the undo is owed.
    pub async fn cancel(
        &self,
        asked: Asked,
        sale: SaleId,
        by: Option<PersonName>,
    ) -> Result<SaleNow, Refusal> {
        self.act_on_sale(asked, sale, Act::Cancel { by }).await
    }

    /// Answers the open question of a card.
    pub async fn answer(
        &self,
        asked: Asked,
        sale: SaleId,
        card: CardNo,
        answer: Answer,
        by: Option<PersonName>,
    ) -> Result<SaleNow, Refusal> {
        self.act_on_sale(asked, sale, Act::Answer { card, answer, by }).await
    }

    /// Closes a manager's case: the undo of a card that does not get through, or that the provider will not do.
    pub async fn settle(
        &self,
        asked: Asked,
        sale: SaleId,
        card: CardNo,
        by: PersonName,
        reason: String,
    ) -> Result<SaleNow, Refusal> {
        self.act_on_sale(asked, sale, Act::Settle { card, by, reason }).await
    }

    /// The sale as it is now.
    pub async fn sale(&self, sale: SaleId) -> Result<SaleNow, Refusal> {
        let now = self.now(Subject::Sale(sale)).await?;
        now.and_then(Now::into_sale).ok_or(Refusal::SaleUnknown)
    }

    /// Sales that are not closed, at most `most` of them: those in a customer's hands first, then the newest first.
    pub async fn open_sales(&self, most: usize) -> Result<Vec<SaleNow>, Refusal> {
        let (reply, sales) = oneshot::channel();
        self.send(Message::OpenSales { most, reply })?;
        sales.await.map_err(|_| Refusal::Stopping)
    }

    pub(crate) async fn act_on_sale(&self, asked: Asked, sale: SaleId, act: Act) -> Result<SaleNow, Refusal> {
        let pays = matches!(act, Act::Pay(_));
        match self.act(asked, Subject::Sale(sale), act).await {
            Ok(now) => now.into_sale().ok_or(Refusal::SaleUnknown),
            // Closed sales are not in memory. What has become of one is worth a better answer than that it is unknown.
            Err(Refusal::SaleUnknown) => {
                let latest = self.latest(Subject::Sale(sale)).await?.and_then(Now::into_sale);
                Err(match latest.ok_or(Refusal::SaleUnknown)?.sale.payment {
                    PaymentState::Paid(_) if pays => Refusal::AlreadyPaid,
                    PaymentState::Unpaid { .. } | PaymentState::Cancelled { .. } if pays => {
                        Refusal::PaidTooLate
                    }
                    _ => Refusal::SaleClosed,
                })
            }
            Err(why) => Err(why),
        }
    }
}
