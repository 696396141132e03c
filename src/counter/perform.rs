//! Carries effects out. It only dispatches: what an answer means is the machine's business, and whether it may be sent was
//! decided before the entry was written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_devices::printer::{JobOutcome, Printer};
use tilld_domain::ids::{ProviderOrderId, RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::{Effect, Order, OrderEvent, State};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::printing::{Fault, PrintEnd};
use tilld_domain::redemption::RedemptionEvent;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Sale, SaleEvent};
use tilld_domain::slip::Slip;
use tilld_journal::{Event, Subject};
use tilld_providers::{GiftCards, StoredRequest};
use tokio::sync::{Semaphore, mpsc};

use crate::clock::Clock;
use crate::copies::{Copies, CopyOf};
use crate::driver::Message;
use crate::now::{Deed, Happening, Now, Standing, Whose};
use crate::offset::{Answered, Offset};
use crate::paper::Printed;
use crate::redeeming::Redeeming;
use crate::undoing::Started;
use crate::{Place, ProviderLine, slips};

/// For how long an undo is fresh: its customer may still stand at the counter, and its first attempts fall into this time.
const FRESH: Duration = Duration::from_mins(1);

/// How the last call to a provider went.
#[derive(Default)]
pub(crate) struct LastCall(Mutex<Option<ProviderLine>>);

impl LastCall {
    pub(crate) fn get(&self) -> Option<ProviderLine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note<T>(&self, outcome: &Outcome<T>, clock: &dyn Clock) {
        let refused = match outcome {
            // What is not understood may be this one request.
            Outcome::Refused(why) if *why != Refusal::RequestNotUnderstood => {
                why.is_about_the_shop().then(|| why.clone())
            }
            _ => None,
        };
        let answered = matches!(outcome, Outcome::Done(_) | Outcome::Refused(_) | Outcome::Later { .. });
        let last = ProviderLine { up: answered && refused.is_none(), refused, at: clock.now() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

/// How the last call to the provider of gift cards went, and what its calls tell about this machine's clock.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) last: LastCall,
    pub(crate) offset: Offset,
}

impl Line {
    pub(crate) fn note<T: Answered>(
        &self,
        outcome: &Outcome<T>,
        provider: &dyn GiftCards,
        clock: &dyn Clock,
    ) {
        self.last.note(outcome, clock);
        self.offset.note(outcome, provider.clock_offset_ms(), clock);
    }
}

/// What effects are carried out with.
#[derive(Clone)]
pub(crate) struct Performer {
    pub(crate) inbox: mpsc::Sender<Message>,
    pub(crate) provider: Arc<dyn GiftCards>,
    pub(crate) printer: Arc<dyn Printer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) place: Arc<Place>,
    pub(crate) line: Arc<Line>,
    pub(crate) undo_slots: Arc<Semaphore>,
    pub(crate) copies: Arc<Copies>,
    /// Where a copy waits for its turn at the printer.
    pub(crate) papers: Arc<Printed>,
    /// None where vouchers are not set up.
    pub(crate) redeeming: Option<Redeeming>,
}

impl Performer {
    /// The work of a deed; it ends by telling the driver what happened. None for deeds that the driver does itself, and
    /// where what the deed needs is lacking, which the machine rules out.
    pub(crate) fn perform(&self, now: &Now, deed: Deed) -> Option<BoxFuture<'static, ()>> {
        match (deed, &now.it) {
            (Deed::Card(card, effect), Standing::Sale(sale)) => self.perform_card(sale, card, effect),
            (Deed::Redemption(effect), Standing::Redemption(redemption)) => {
                let work = self.redeeming.as_ref()?.perform(redemption, effect)?;
                Some(self.tell_redemption(redemption.id(), work))
            }
            _ => None,
        }
    }

    fn perform_card(&self, sale: &Arc<Sale>, card: CardNo, effect: Effect) -> Option<BoxFuture<'static, ()>> {
        let order = sale.order(card)?.clone();
        let (this, id) = (self.clone(), sale.opening.sale);
        let sale = Arc::clone(sale);
        let provider_order = order.past.provider_order.clone();
        let work: BoxFuture<'static, OrderEvent> = match effect {
            Effect::Create { after } => Box::pin(async move { this.create(&order, after).await }),
            Effect::Confirm => {
                let (id, request) = (provider_order?, StoredRequest(order.past.confirm_request?));
                Box::pin(async move { this.confirm(&id, &request).await })
            }
            Effect::Ask { after, until } => {
                let id = provider_order?;
                Box::pin(async move { this.look_up(&id, after, until).await })
            }
            Effect::Print { attempt } => {
                let slip = self.slip(&sale, card, &order, slips::Which { attempt, copy: None });
                Box::pin(async move { OrderEvent::PrintEnded(this.print_slip(slip).await) })
            }
            Effect::PrintCopy { copy } => {
                let slip = self.slip(&sale, card, &order, slips::Which { attempt: 1, copy: Some(copy) });
                let which = CopyOf { sale: id, card, number: copy };
                self.copies.begin(which);
                Box::pin(async move {
                    let _place = this.papers.place().await;
                    let end = this.print_slip(slip).await;
                    this.copies.ended(which, end);
                    OrderEvent::PrintEnded(end)
                })
            }
            Effect::Undo { .. } | Effect::Wake { .. } | Effect::Forget => return None,
        };
        Some(self.tell_card(id, card, Box::pin(async move { Some(work.await) })))
    }

    /// The work of an undo after a pause. It ends without a word if it is called off before.
    pub(crate) fn undo(
        &self,
        now: &Now,
        whose: Whose,
        after: Duration,
        started: Started,
    ) -> Option<BoxFuture<'static, ()>> {
        match (whose, &now.it) {
            (Whose::Card(id, card), Standing::Sale(sale)) => {
                let order = sale.order(card)?;
                let provider_order = order.past.provider_order.clone()?;
                let since = match &order.state {
                    State::Owed(owed) => Some(owed.since),
                    _ => None,
                };
                let this = self.clone();
                let work = async move { this.undo_after(&provider_order, after, since, started).await };
                Some(self.tell_card(id, card, Box::pin(work)))
            }
            (Whose::Redemption(id), Standing::Redemption(redemption)) => {
                let work = self.redeeming.as_ref()?.reverse(redemption, after, started)?;
                Some(self.tell_redemption(id, work))
            }
            _ => None,
        }
    }

    /// Some work on a card, and telling the driver how it ended.
    fn tell_card(
        &self,
        sale: SaleId,
        card: CardNo,
        work: BoxFuture<'static, Option<OrderEvent>>,
    ) -> BoxFuture<'static, ()> {
        let happening = move |event| Happening {
            subject: Subject::Sale(sale),
            event: Event::Sale(SaleEvent::Card(card, event)),
        };
        self.tell(Box::pin(async move { work.await.map(happening) }))
    }

    fn tell_redemption(
        &self,
        redemption: RedemptionId,
        work: BoxFuture<'static, Option<RedemptionEvent>>,
    ) -> BoxFuture<'static, ()> {
        let happening = move |event| Happening::to_redemption(redemption, event);
        self.tell(Box::pin(async move { work.await.map(happening) }))
    }

    fn tell(&self, work: BoxFuture<'static, Option<Happening>>) -> BoxFuture<'static, ()> {
        let inbox = self.inbox.clone();
        Box::pin(async move {
            if let Some(happening) = work.await {
                // A driver that has gone needs nothing any more: the next start asks again.
                let _ = inbox.send(Message::Happened(happening)).await;
            }
        })
    }

    async fn create(&self, order: &Order, after: Duration) -> OrderEvent {
        self.pause(after).await;
        let request = StoredRequest(order.facts.create_request.clone());
        let call = self.provider.create(&order.facts.key, &request, order.facts.code.as_ref());
        OrderEvent::CreateEnded(self.within(self.provider.deadlines().create, call).await)
    }

    async fn confirm(&self, order: &ProviderOrderId, request: &StoredRequest) -> OrderEvent {
        let call = self.provider.confirm(order, request);
        OrderEvent::ConfirmEnded(self.within(self.provider.deadlines().confirm, call).await)
    }

    async fn look_up(&self, order: &ProviderOrderId, after: Duration, until: Moment) -> OrderEvent {
        self.pause(after).await;
        let left = until.since(self.clock.now());
        if left.is_zero() {
            // The budget is spent: a question whose answer nobody waits for is not asked.
            return OrderEvent::LookupEnded(Outcome::NotSent(Trouble::Silent));
        }
        let call = self.provider.lookup(order);
        OrderEvent::LookupEnded(self.within(self.provider.deadlines().lookup.min(left), call).await)
    }

    /// A debt that is fresh does not stand behind a thousand old ones, which may all hang at a provider that answers nothing;
    /// there are never more such than cards in customers' hands. `since`: of a debt.
    async fn undo_after(
        &self,
        order: &ProviderOrderId,
        after: Duration,
        since: Option<Moment>,
        started: Started,
    ) -> Option<OrderEvent> {
        started.sleep(self.pause(after)).await;
        let is_fresh = || since.is_some_and(|since| self.clock.now().long_since(since) < FRESH);
        let _slot = if is_fresh() { None } else { Some(self.undo_slots.acquire().await.ok()?) };
        if !started.may_be_sent() {
            return None;
        }
        let call = self.provider.invalidate(order);
        Some(OrderEvent::UndoEnded(self.within(self.provider.deadlines().invalidate, call).await))
    }

    /// Prints a slip. One whose lines are gone cannot be made, so not a byte of it is sent.
    async fn print_slip(&self, slip: Option<Slip>) -> PrintEnd {
        let Some(slip) = slip else { return PrintEnd::Nothing(Fault::Error) };
        print(self.printer.as_ref(), &slip).await
    }

    /// The slip of a card. None if its lines are gone.
    fn slip(&self, sale: &Sale, card: CardNo, order: &Order, which: slips::Which) -> Option<Slip> {
        let lines = slips::lines_of(order).filter(|lines| !lines.is_gone())?;
        slips::of_card(&self.place, self.printer.paper(), self.clock.wall(), (sale, card), lines, which)
    }

    async fn pause(&self, span: Duration) {
        if !span.is_zero() {
            self.clock.sleep(span).await;
        }
    }

    /// A call that ends by its deadline; what is still open then is unknown (law L2), never "not sent".
    async fn within<T: Answered>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let outcome = tokio::select! {
            biased;
            outcome = call => outcome,
            () = self.clock.sleep(deadline) => Outcome::Unknown(Trouble::Silent),
        };
        self.line.note(&outcome, self.provider.as_ref(), self.clock.as_ref());
        if let Outcome::NotSent(trouble) | Outcome::Unknown(trouble) = &outcome {
            tracing::warn!(
                provider = self.provider.name(),
                ?trouble,
                "the provider was not reached, or did not answer readably"
            );
        }
        outcome
    }
}

/// Prints a slip, and says how that ended.
pub(crate) async fn print(printer: &dyn Printer, slip: &Slip) -> PrintEnd {
    match printer.print(slip).await {
        JobOutcome::Printed { proof, replaced } => {
            if replaced > 0 {
                tracing::warn!(replaced, "the printer lacks characters of this slip");
            }
            PrintEnd::OnPaper(proof)
        }
        JobOutcome::NothingPrinted(fault) => {
            tracing::warn!(printer = printer.name(), ?fault, "nothing was printed");
            PrintEnd::Nothing(fault)
        }
        JobOutcome::Unknown { fault, bytes_sent } => {
            tracing::warn!(printer = printer.name(), ?fault, bytes_sent, "a slip stopped on its way");
            PrintEnd::Unclear(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::outcome::Trouble;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_line_is_up_when_it_answers_and_down_for_what_the_shop_must_mend() {
        let clock = SystemClock::default();
        for (outcome, up, refused) in [
            (Outcome::Done(()), true, None),
            (Outcome::Later { retry_after: None }, true, None),
            (Outcome::Unknown(Trouble::Silent), false, None),
            (Outcome::Refused(Refusal::ProductUnknown), true, None),
            // It may be this one request.
            (Outcome::Refused(Refusal::RequestNotUnderstood), true, None),
            (Outcome::Refused(Refusal::ClockRefused), false, Some(Refusal::ClockRefused)),
        ] {
            let last = LastCall::default();
            last.note(&outcome, &clock);
            let line = last.get().unwrap();
            assert_eq!((line.up, line.refused), (up, refused), "{outcome:?}");
        }
    }
}
