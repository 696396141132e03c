//! The papers of vouchers: printed when a till asks, as often as it asks.
//!
//! None of them is worth anything (their codes are masked), so no ink line is crossed and nothing of them is journaled. Which
//! is the first one is known as long as the daemon runs; every further one is marked as a copy.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

use crate::{Counter, RedemptionNow, perform};

/// Of how many redemptions it is remembered that they were printed.
const MOST_REMEMBERED: usize = 1024;

/// Which papers were printed by this run, and how often: of the redemption, or of its reversal (true).
#[derive(Default)]
pub(crate) struct Printed(Mutex<HashMap<(RedemptionId, bool), u16>>);

impl Printed {
    /// The number of the copy that the next paper is; none if it is the first.
    fn copy(&self, which: (RedemptionId, bool)) -> Option<u16> {
        self.lock().get(&which).copied()
    }

    /// One more is out.
    fn one_more(&self, which: (RedemptionId, bool)) {
        let mut printed = self.lock();
        if printed.len() >= MOST_REMEMBERED && !printed.contains_key(&which) {
            printed.clear();
        }
        let count = printed.entry(which).or_default();
        *count = count.saturating_add(1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(RedemptionId, bool), u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    /// Prints what became of a redemption: that it was redeemed, or that it was given back.
    pub async fn print_redemption(&self, redemption: RedemptionId) -> Result<PrintEnd, Refusal> {
        let now = self.redemption(redemption).await?;
        let which = (redemption, was_given_back(&now.redemption));
        let slip = self.slip_of(&now, self.printed.copy(which))?;
        let end = perform::print(self.printer.as_ref(), &slip).await;
        if !matches!(end, PrintEnd::Nothing(_)) {
            self.printed.one_more(which);
        }
        Ok(end)
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
        Ok(perform::print(self.printer.as_ref(), &slip).await)
    }

    fn slip_of(&self, now: &RedemptionNow, copy: Option<u16>) -> Result<Slip, Refusal> {
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
                counter: self.here(self.clock.wall(), &opening.locale),
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

    fn here<'a>(&'a self, at: Moment, locale: &'a Locale) -> Place<'a> {
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
