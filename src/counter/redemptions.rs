//! The counter's side of redeeming, as tills and managers ask for it.

use std::time::Duration;

use tilld_domain::ids::{BasketId, CheckId, PersonName, RedemptionId};
use tilld_domain::redemption::{Answer, Verdict};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_journal::{Asked, Subject};
use tilld_providers::vouchers::Vouchers;

use crate::driver::{Act, MOST_OF_A_BASKET};
use crate::now::Now;
use crate::vouchers::{CheckNow, CheckRequest, Looks, RedeemRequest};
use crate::{Counter, RedemptionNow};

impl Counter {
    /// The provider of vouchers; none where that is not set up.
    pub fn voucher_provider(&self) -> Option<&dyn Vouchers> {
        self.looks.as_ref().map(|looks| looks.provider())
    }

    fn looks(&self) -> Result<&Looks, Refusal> {
        self.looks.as_deref().ok_or(Refusal::VouchersNotSetUp)
    }

    /// Looks at a voucher; takes nothing.
    pub async fn check(&self, request: CheckRequest) -> Result<CheckNow, Refusal> {
        self.looks()?.look(request).await
    }

    /// A look that was made a moment ago.
    pub fn checked(&self, check: CheckId) -> Result<CheckNow, Refusal> {
        self.looks()?.kept_look(check)
    }

    /// For how long this terminal checks no vouchers because of wrong codes; none if it does.
    pub async fn locked_for(&self) -> Option<Duration> {
        self.looks().ok()?.locked_for().await
    }

    /// A manager lets the terminal try codes again.
    pub async fn unlock_tries(&self, by: PersonName) -> Result<(), Refusal> {
        self.looks()?.unlock(by).await
    }

    /// Takes value from a voucher, and answers when it is taken, refused, or a question.
    pub async fn redeem(&self, asked: Asked, request: RedeemRequest) -> Result<RedemptionNow, Refusal> {
        match self.looks()?.opening(request).await {
            Ok((opening, mark)) => {
                self.act_on_redemption(asked, opening.redemption, Act::Redeem(Box::new(opening), mark)).await
            }
            Err(why) => self.answered_before(&asked).await?.and_then(Now::into_redemption).ok_or(why),
        }
    }

    /// The till has completed the basket of a redemption.
    pub async fn complete(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        by: Option<PersonName>,
    ) -> Result<RedemptionNow, Refusal> {
        self.act_on_redemption(asked, redemption, Act::Complete { by }).await
    }

    /// Gives the value back to the voucher (row B9). The answer does not wait for the provider's word: the reversal is owed.
    pub async fn take_back(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        by: Option<PersonName>,
        by_manager: bool,
    ) -> Result<RedemptionNow, Refusal> {
        // A closed one is not in memory, and is taken up again for it.
        self.act_on_redemption(asked, redemption, Act::TakeBack { by, by_manager }).await
    }

    /// Answers the open question of a redemption; as a manager, who is named, where the question is one's.
    pub async fn tell(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        answer: Answer,
        by: Option<PersonName>,
        by_manager: bool,
    ) -> Result<RedemptionNow, Refusal> {
        self.act_on_redemption(asked, redemption, Act::Tell { answer, by, by_manager }).await
    }

    /// A manager closes the case of a redemption.
    pub async fn decide(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        verdict: Verdict,
        by: PersonName,
        reason: String,
    ) -> Result<RedemptionNow, Refusal> {
        self.act_on_redemption(asked, redemption, Act::Decide { verdict, by, reason }).await
    }

    /// The voucher of a redemption that is being found out was scanned again (row B4).
    pub async fn scan_again(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        scan: &Secret,
    ) -> Result<RedemptionNow, Refusal> {
        if let Some(before) = self.answered_before(&asked).await? {
            return before.into_redemption().ok_or(Refusal::RequestKeyReused);
        }
        let seen = self.looks()?.look_again(scan).await?;
        self.act_on_redemption(asked, redemption, Act::Scanned(seen)).await
    }

    /// A redemption as it is now.
    pub async fn redemption(&self, redemption: RedemptionId) -> Result<RedemptionNow, Refusal> {
        let now = self.now(Subject::Redemption(redemption)).await?;
        now.and_then(Now::into_redemption).ok_or(Refusal::RedemptionUnknown)
    }

    /// The redemptions of a basket, oldest first.
    pub async fn basket(&self, basket: BasketId) -> Result<Vec<RedemptionNow>, Refusal> {
        let journal = self.journal.clone();
        let known = self.read(move || journal.redemptions_of(&basket, MOST_OF_A_BASKET)).await?;
        let mut shown = Vec::with_capacity(known.len());
        for redemption in known {
            shown.push(self.redemption(redemption).await?);
        }
        Ok(shown)
    }

    async fn act_on_redemption(
        &self,
        asked: Asked,
        redemption: RedemptionId,
        act: Act,
    ) -> Result<RedemptionNow, Refusal> {
        let begins = matches!(act, Act::Redeem(..));
        // Row B13: it may be one that there was before.
        match self.act(asked, Subject::Redemption(redemption), act).await {
            Ok(now) => now.into_redemption().ok_or(Refusal::RedemptionUnknown),
            // Closed ones are not in memory.
            Err(Refusal::RedemptionUnknown) if !begins => {
                let known = self.latest(Subject::Redemption(redemption)).await?;
                Err(if known.is_some() { Refusal::RedemptionClosed } else { Refusal::RedemptionUnknown })
            }
            Err(why) => Err(why),
        }
    }
}
