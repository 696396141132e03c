//! Carries the effects of a redemption out. Like `perform` it only dispatches.
//!
//! A redeem is sent once a call and never by itself again: two identical ones debit twice (fact sheet gift-local 3). A voucher is
//! read by its sealed code; where that is gone the machine is told so, and a person scans again (row B4).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::moment::Moment;
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::redemption::{Effect, Redemption, RedemptionEvent};
use tilld_domain::voucher::{VoucherCode, VoucherSeen, VoucherShown};
use tilld_providers::StoredRequest;
use tilld_providers::vouchers::{ValidateFacts, Vouchers};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::perform::LastCall;
use crate::undoing::Started;

/// What the effects of a redemption are carried out with.
#[derive(Clone)]
pub(crate) struct Redeeming {
    pub(crate) vouchers: Arc<dyn Vouchers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) last: Arc<LastCall>,
    /// Apart from those of gift cards: a provider that hangs does not hold up another one's undos.
    pub(crate) reversal_slots: Arc<Semaphore>,
}

type Work = BoxFuture<'static, Option<RedemptionEvent>>;

impl Redeeming {
    /// The work of an effect; none for effects that the driver does itself.
    pub(crate) fn perform(&self, redemption: &Arc<Redemption>, effect: Effect) -> Option<Work> {
        let (this, it) = (self.clone(), Arc::clone(redemption));
        Some(match effect {
            Effect::Redeem { after, until } => {
                Box::pin(async move { Some(this.redeem(&it, after, until).await) })
            }
            Effect::LookUp { after, until } => {
                Box::pin(async move { Some(this.look_up(&it, after, until).await) })
            }
            Effect::Validate { after } => Box::pin(async move { Some(this.read_again(&it, after).await) }),
            Effect::Reverse { .. } | Effect::Wake { .. } | Effect::Forget => return None,
        })
    }

    /// The work of a reversal after a pause. It ends without a word if it is called off before.
    pub(crate) fn reverse(&self, redemption: &Redemption, after: Duration, started: Started) -> Option<Work> {
        let id = redemption.past.redemption.clone()?;
        let this = self.clone();
        Some(Box::pin(async move {
            started.sleep(this.pause(after)).await;
            let _slot = this.reversal_slots.acquire().await.ok()?;
            if !started.may_be_sent() {
                return None;
            }
            let outcome = this.within(this.vouchers.deadlines().reverse, this.vouchers.reverse(&id)).await;
            Some(RedemptionEvent::ReverseEnded(outcome))
        }))
    }

    async fn redeem(&self, it: &Redemption, after: Duration, until: Option<Moment>) -> RedemptionEvent {
        self.pause(after).await;
        let Some(deadline) = self.left(self.vouchers.deadlines().redeem, until) else {
            return RedemptionEvent::RedeemEnded(Outcome::NotSent(Trouble::Silent));
        };
        let request = StoredRequest(it.opening.request.clone());
        let call = self.vouchers.redeem(&it.opening.key, &request, it.opening.code.as_ref());
        RedemptionEvent::RedeemEnded(self.within(deadline, call).await)
    }

    async fn look_up(&self, it: &Redemption, after: Duration, until: Option<Moment>) -> RedemptionEvent {
        self.pause(after).await;
        let Some(deadline) = self.left(self.vouchers.deadlines().lookup, until) else {
            return RedemptionEvent::LookupEnded(Outcome::NotSent(Trouble::Silent));
        };
        RedemptionEvent::LookupEnded(self.within(deadline, self.vouchers.lookup(&it.opening.key)).await)
    }

    async fn read_again(&self, it: &Redemption, after: Duration) -> RedemptionEvent {
        let Some(code) = &it.opening.code else { return RedemptionEvent::CodeLost };
        self.pause(after).await;
        let outcome = self.validate(code, ValidateFacts::default(), self.vouchers.deadlines().validate).await;
        RedemptionEvent::ReadEnded { outcome: seen(outcome), scanned: false }
    }

    /// Looks at a voucher, for as long as its deadline or `most` allows.
    pub(crate) async fn validate(
        &self,
        code: &VoucherCode,
        facts: ValidateFacts<'_>,
        most: Duration,
    ) -> Outcome<VoucherShown> {
        let deadline = self.vouchers.deadlines().validate.min(most);
        self.within(deadline, self.vouchers.validate(code, facts)).await
    }

    /// How long a call may take within a budget; none if the budget is spent: what nobody waits for is not asked.
    fn left(&self, deadline: Duration, until: Option<Moment>) -> Option<Duration> {
        let left = until.map_or(deadline, |until| until.since(self.clock.now()).min(deadline));
        (!left.is_zero()).then_some(left)
    }

    async fn pause(&self, span: Duration) {
        if !span.is_zero() {
            self.clock.sleep(span).await;
        }
    }

    /// A call that ends by its deadline; what is still open then is unknown (law L2), never "not sent".
    async fn within<T>(&self, deadline: Duration, call: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let outcome = tokio::select! {
            biased;
            outcome = call => outcome,
            () = self.clock.sleep(deadline) => Outcome::Unknown(Trouble::Silent),
        };
        self.last.note(&outcome, self.clock.as_ref());
        if let Outcome::NotSent(trouble) | Outcome::Unknown(trouble) = &outcome {
            tracing::warn!(
                provider = self.vouchers.name(),
                ?trouble,
                "the provider of vouchers was not reached, or did not answer readably"
            );
        }
        outcome
    }
}

/// What of a look may be journaled.
fn seen(outcome: Outcome<VoucherShown>) -> Outcome<VoucherSeen> {
    match outcome {
        Outcome::Done(shown) => Outcome::Done(shown.seen),
        Outcome::Refused(why) => Outcome::Refused(why),
        Outcome::NotSent(trouble) => Outcome::NotSent(trouble),
        Outcome::Later { retry_after } => Outcome::Later { retry_after },
        Outcome::Unknown(trouble) => Outcome::Unknown(trouble),
    }
}
