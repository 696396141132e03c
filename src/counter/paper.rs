//! The papers of vouchers: printed when a till asks, as often as it asks; and the turn of every paper that is no card.
//!
//! None of them is worth anything (their codes are masked), so no ink line is crossed and nothing of them is journaled. Which
//! is the first one is known as long as the daemon runs; every further one is marked as a copy. A paper bears the time of what
//! it is about, not that of its printing.
//!
//! A paper that was begun is printed to its end, also when the till that asked for it has gone: half a slip would be left in
//! the printer, in front of the next card's. What came of it is in the log then. A till that goes before its turn prints
//! nothing, and [`MOST_AT_ONCE`] are at the printer at once, so that papers nobody waits for do not keep cards from being
//! printed. A manager's copies (`copies`) and test slips wait for their turn among them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tilld_devices::printer::Printer;
use tilld_domain::ids::{CheckId, Locale, RedemptionId};
use tilld_domain::moment::Moment;
use tilld_domain::printing::PrintEnd;
use tilld_domain::redemption::{ClearedHow, Counts, Redemption, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::slip::Slip;
use tilld_domain::voucher::Words;
use tilld_receipts::voucher::{
    self, BalanceFacts, Counter as Place, Numbers, RedemptionFacts, ReversalFacts, VoucherFacts,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Counter, RedemptionNow, perform};

/// Of how many redemptions it is remembered that they were printed.
const MOST_REMEMBERED: usize = 1024;

/// How many papers are printed, or wait at the printer, at once.
const MOST_AT_ONCE: usize = 4;

/// A paper of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperOfRedemption {
    /// Which copy it is marked as, from 1; none if it is the first paper.
    pub copy: Option<u16>,
    /// What became of it.
    pub end: PrintEnd,
}

/// Which papers were printed by this run, and how often: of the redemption, or of its reversal (true).
pub(crate) struct Printed {
    counts: Mutex<HashMap<(RedemptionId, bool), u16>>,
    places: Arc<Semaphore>,
}

impl Default for Printed {
    fn default() -> Self {
        Self { counts: Mutex::default(), places: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }
}

impl Printed {
    /// Waits for a place at the printer; it is held until the paper's end. None: never.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// One more goes out: which copy it is, or none if it is the first. Of two at once only one is.
    fn one_more(&self, which: (RedemptionId, bool)) -> Option<u16> {
        let mut printed = self.lock();
        if printed.len() >= MOST_REMEMBERED && !printed.contains_key(&which) {
            printed.clear();
        }
        let count = printed.entry(which).or_default();
        let before = *count;
        *count = before.saturating_add(1);
        (before > 0).then_some(before)
    }

    /// Nothing of it came out.
    fn one_less(&self, which: (RedemptionId, bool)) {
        if let Some(count) = self.lock().get_mut(&which) {
            *count = count.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(RedemptionId, bool), u16>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    /// Prints what became of a redemption: that it was redeemed, or that it was given back.
    pub async fn print_redemption(&self, redemption: RedemptionId) -> Result<PaperOfRedemption, Refusal> {
        let now = self.redemption(redemption).await?;
        let which = (redemption, was_given_back(&now.redemption));
        // What cannot be printed is no paper, and takes no number.
        self.slip_of(&now, None)?;
        let place = self.place_at_the_printer().await?;
        let copy = self.printed.one_more(which);
        let slip = self.slip_of(&now, copy)?;
        let end = self.to_its_end(place, Arc::clone(&self.printer), slip, Some(which)).await?;
        Ok(PaperOfRedemption { copy, end })
    }

    /// Prints what a look at a voucher showed.
    pub async fn print_check(&self, check: CheckId, locale: Option<&Locale>) -> Result<PrintEnd, Refusal> {
        let seen = self.checked(check)?;
        let facts = BalanceFacts {
            counter: self.here(self.clock.wall(), locale.unwrap_or(&self.place.locale)),
            voucher: VoucherFacts {
                code: &seen.code_tail,
                kind: seen.shown.seen.kind,
                item: seen.shown.item.as_ref().map(Words::as_str),
            },
            eligible: seen.shown.seen.worth(),
            description: seen.shown.description.as_str(),
            terms: seen.shown.terms.as_ref().map(Words::as_str),
        };
        let slip = voucher::balance(&facts, &self.place.texts, self.printer.paper());
        self.paper(slip).await
    }

    /// Prints a paper that is worth nothing, once it is its turn, to its end.
    pub(crate) async fn paper(&self, slip: Slip) -> Result<PrintEnd, Refusal> {
        self.paper_on(Arc::clone(&self.printer), slip).await
    }

    /// The same on a certain printer.
    pub(crate) async fn paper_on(&self, printer: Arc<dyn Printer>, slip: Slip) -> Result<PrintEnd, Refusal> {
        let place = self.place_at_the_printer().await?;
        self.to_its_end(place, printer, slip, None).await
    }

    async fn place_at_the_printer(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        // It is never closed.
        self.printed.place().await.ok_or(Refusal::Stopping)
    }

    /// Prints a paper, whoever still waits for it. `which`: of which redemption it is.
    async fn to_its_end(
        &self,
        place: OwnedSemaphorePermit,
        printer: Arc<dyn Printer>,
        slip: Slip,
        which: Option<(RedemptionId, bool)>,
    ) -> Result<PrintEnd, Refusal> {
        let counts = Arc::clone(&self.printed);
        let job = tokio::spawn(async move {
            let end = perform::print(printer.as_ref(), &slip).await;
            if let (PrintEnd::Nothing(_), Some(which)) = (end, which) {
                counts.one_less(which);
            }
            tracing::info!(?end, "a paper that is worth nothing");
            drop(place);
            end
        });
        // It is aborted only with the runtime.
        job.await.map_err(|_| Refusal::Stopping)
    }

    pub(crate) fn slip_of(&self, now: &RedemptionNow, copy: Option<u16>) -> Result<Slip, Refusal> {
        let it = now.redemption.as_ref();
        if !it.at_rest() {
            return Err(Refusal::StillWorking);
        }
        let opening = &it.opening;
        let voucher = VoucherFacts {
            code: &opening.code_tail,
            kind: opening.kind,
            item: opening.item.as_ref().map(Words::as_str),
        };
        let numbers =
            Numbers { basket: &opening.basket, redemption: it.id(), provider: it.past.redemption.as_ref() };
        let (texts, paper) = (&self.place.texts, self.printer.paper());
        if let Counts::For(taken) = it.counts() {
            let facts = RedemptionFacts {
                counter: self.here(it.opened, &opening.locale),
                voucher,
                numbers,
                taken,
                left: it.past.taken.and_then(|taken| taken.left),
                copy,
            };
            return Ok(voucher::redemption(&facts, texts, paper));
        }
        if !was_given_back(it) {
            return Err(Refusal::RedemptionClosed);
        }
        let facts = ReversalFacts {
            counter: self.here(now.at, &opening.locale),
            voucher,
            numbers,
            given_back: it.past.taken.map_or(opening.amount, |taken| taken.worth),
            copy,
        };
        Ok(voucher::reversal(&facts, texts, paper))
    }

    pub(crate) fn here<'a>(&'a self, at: Moment, locale: &'a Locale) -> Place<'a> {
        Place {
            store: &self.place.store,
            terminal: &self.place.terminal,
            at_ms: at.ms(),
            zone: &self.place.zone,
            locale,
        }
    }
}

/// Whether the provider has said that the value is back on the voucher.
fn was_given_back(it: &Redemption) -> bool {
    matches!(it.state, State::Cleared { how: ClearedHow::Reversed | ClearedHow::AlreadyReversed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_papers_that_go_out_at_once_only_one_is_the_first() {
        let (printed, redemption) = (Printed::default(), RedemptionId::new(uuid::Uuid::from_u128(1)));
        let (paper, reversal) = ((redemption, false), (redemption, true));
        assert_eq!([printed.one_more(paper), printed.one_more(paper)], [None, Some(1)]);
        assert_eq!(printed.one_more(reversal), None);
        // Nothing came out of one of them: another one may be the copy again, and none is the first.
        printed.one_less(paper);
        assert_eq!([printed.one_more(paper), printed.one_more(paper)], [Some(1), Some(2)]);
        printed.one_less(reversal);
        assert_eq!(printed.one_more(reversal), None);
    }

    #[test]
    fn papers_are_remembered_until_there_are_too_many_of_them() {
        let printed = Printed::default();
        let paper = |number: usize| (RedemptionId::new(uuid::Uuid::from_u128(number as u128)), false);
        for number in 0..MOST_REMEMBERED {
            assert_eq!(printed.one_more(paper(number)), None);
        }
        // Another copy needs no room.
        assert_eq!(printed.one_more(paper(0)), Some(1));
        assert_eq!(printed.one_more(paper(1)), Some(1));
        // One more paper does; then all are forgotten, and the number of them stays bounded.
        assert_eq!(printed.one_more(paper(MOST_REMEMBERED)), None);
        assert_eq!(printed.one_more(paper(MOST_REMEMBERED)), Some(1));
        assert_eq!(printed.lock().len(), 1);
    }
}
