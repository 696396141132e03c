//! The papers of vouchers: printed when a till asks, as often as it asks; and the turn of every paper that is no card.
//!
//! None of them is worth anything (their codes are masked), so no ink line is crossed and nothing of them is journaled. A paper
//! bears the time of what it is about, not that of its printing.
//!
//! Every paper of a redemption but the first is marked as a copy. Which is the first is remembered, and only as long as the daemon runs and
//! of the last [`MOST_REMEMBERED`] redemptions. So each is marked that cannot be *known* to be the first: what could be printed before this
//! run, or before what was forgotten, may have been. That side is the safe one. Somebody may book a paper without a mark, and two of
//! them count a voucher twice; a mark too many costs a question. Such a copy has no number: how many went before it nobody
//! knows, and a *1* would claim that.
//!
//! What tells the two apart is the number of the entry since which there is something to print, not a clock: it is compared with the
//! journal's last entry at the start. A journal that was shut at the start may have been written by another daemon until it was opened, so
//! that every paper of such a run is marked.
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
use tilld_journal::Seq;
use tilld_receipts::voucher::{
    self, BalanceFacts, Counter as Place, Mark, Numbers, RedemptionFacts, ReversalFacts, VoucherFacts,
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
    /// How it is marked.
    pub mark: Mark,
    /// What became of it.
    pub end: PrintEnd,
}

/// Which paper of which redemption: of itself, or of its reversal (true).
type Which = (RedemptionId, bool);

/// Which papers were printed by this run, and how often.
pub(crate) struct Printed {
    remembered: Mutex<Remembered>,
    places: Arc<Semaphore>,
}

struct Remembered {
    papers: HashMap<Which, Counted>,
    /// Of what there was to print after this entry or an earlier one, nobody knows whether it was.
    since: Seq,
}

struct Counted {
    /// The entry since which it may be printed.
    first: Seq,
    count: u16,
}

impl Printed {
    /// Nothing yet by this run. `since`: the journal's last entry at its start; none if that is not known.
    pub(crate) fn since(since: Option<Seq>) -> Self {
        let since = since.unwrap_or(Seq::new(u64::MAX));
        let remembered = Mutex::new(Remembered { papers: HashMap::new(), since });
        Self { remembered, places: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }

    /// Waits for a place at the printer; it is held until the paper's end. None: never.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// One more goes out of what may be printed since an entry (none: that is not known): how it is marked. Of two at once only one
    /// is the first.
    fn one_more(&self, which: Which, first: Option<Seq>) -> Mark {
        let mut remembered = self.lock();
        let Some(first) = first.filter(|first| *first > remembered.since) else { return Mark::CopyOfUnknown };
        let paper = remembered.papers.entry(which).or_insert(Counted { first, count: 0 });
        let before = paper.count;
        paper.count = before.saturating_add(1);
        remembered.forget_too_many();
        if before == 0 { Mark::First } else { Mark::Copy(before) }
    }

    /// Nothing of it came out.
    fn one_less(&self, which: Which) {
        if let Some(paper) = self.lock().papers.get_mut(&which) {
            paper.count = paper.count.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// What may be printed for longest is forgotten first, so that all that is newer is known.
    fn forget_too_many(&mut self) {
        while self.papers.len() > MOST_REMEMBERED {
            let oldest = self.papers.iter().min_by_key(|(_, paper)| paper.first);
            let Some((which, first)) = oldest.map(|(which, paper)| (*which, paper.first)) else { return };
            self.papers.remove(&which);
            self.since = self.since.max(first);
        }
    }
}

impl Counter {
    /// Prints what became of a redemption: that it was redeemed, or that it was given back.
    pub async fn print_redemption(&self, redemption: RedemptionId) -> Result<PaperOfRedemption, Refusal> {
        let now = self.redemption(redemption).await?;
        let which = (redemption, was_given_back(&now.redemption));
        // What cannot be printed is no paper, and takes no number.
        self.slip_of(&now, Mark::First)?;
        let place = self.place_at_the_printer().await?;
        let mark = self.printed.one_more(which, self.printable_since(which).await);
        let slip = self.slip_of(&now, mark)?;
        let end = self.to_its_end(place, Arc::clone(&self.printer), slip, Some(which)).await?;
        Ok(PaperOfRedemption { mark, end })
    }

    /// The entry since which there is such a paper; none if the journal does not tell.
    async fn printable_since(&self, (redemption, of_reversal): Which) -> Option<Seq> {
        let journal = self.journal.clone();
        let since = self.read(move || {
            journal.first_of(redemption, |it| {
                let is_reversal = was_given_back(it);
                let is_paper = is_reversal || it.at_rest() && matches!(it.counts(), Counts::For(_));
                is_paper && is_reversal == of_reversal
            })
        });
        since.await.ok().flatten()
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
        which: Option<Which>,
    ) -> Result<PrintEnd, Refusal> {
        let papers = Arc::clone(&self.printed);
        let job = tokio::spawn(async move {
            let end = perform::print(printer.as_ref(), &slip).await;
            if let (PrintEnd::Nothing(_), Some(which)) = (end, which) {
                papers.one_less(which);
            }
            tracing::info!(?end, "a paper that is worth nothing");
            drop(place);
            end
        });
        // It is aborted only with the runtime.
        job.await.map_err(|_| Refusal::Stopping)
    }

    pub(crate) fn slip_of(&self, now: &RedemptionNow, mark: Mark) -> Result<Slip, Refusal> {
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
                mark,
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
            mark,
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

    fn paper(number: u64) -> (Which, Option<Seq>) {
        ((RedemptionId::new(uuid::Uuid::from_u128(u128::from(number))), false), Some(Seq::new(number)))
    }

    #[test]
    fn of_papers_that_go_out_at_once_only_one_is_the_first() {
        let printed = Printed::since(Some(Seq::NONE));
        let (which, first) = paper(1);
        let (reversal, later) = ((which.0, true), Some(Seq::new(2)));
        let two = [printed.one_more(which, first), printed.one_more(which, first)];
        assert_eq!(two, [Mark::First, Mark::Copy(1)]);
        assert_eq!(printed.one_more(reversal, later), Mark::First);
        // Nothing came out of one of them: another one may be the copy again, and none is the first.
        printed.one_less(which);
        let two = [printed.one_more(which, first), printed.one_more(which, first)];
        assert_eq!(two, [Mark::Copy(1), Mark::Copy(2)]);
        printed.one_less(reversal);
        assert_eq!(printed.one_more(reversal, later), Mark::First);
    }

    #[test]
    fn what_may_have_been_printed_before_is_a_copy_of_an_unknown_number() {
        let printed = Printed::since(Some(Seq::new(10)));
        for (number, marks) in [
            (9, [Mark::CopyOfUnknown, Mark::CopyOfUnknown]),
            (10, [Mark::CopyOfUnknown, Mark::CopyOfUnknown]),
            (11, [Mark::First, Mark::Copy(1)]),
        ] {
            let (which, first) = paper(number);
            assert_eq!([printed.one_more(which, first), printed.one_more(which, first)], marks, "{number}");
        }
        assert_eq!(printed.one_more(paper(12).0, None), Mark::CopyOfUnknown);
        assert_eq!(Printed::since(None).one_more(paper(12).0, paper(12).1), Mark::CopyOfUnknown);
    }

    #[test]
    fn too_many_papers_are_forgotten_from_the_oldest_on_and_what_is_forgotten_is_a_copy() {
        let printed = Printed::since(Some(Seq::NONE));
        let print = |number| printed.one_more(paper(number).0, paper(number).1);
        let most = MOST_REMEMBERED as u64;
        for number in 2..most + 2 {
            assert_eq!(print(number), Mark::First);
        }
        // Another copy needs no room.
        assert_eq!([print(2), print(3)], [Mark::Copy(1), Mark::Copy(1)]);
        // One more paper does.
        assert_eq!(print(most + 2), Mark::First);
        assert_eq!(
            [print(2), print(3), print(most + 2)],
            [Mark::CopyOfUnknown, Mark::Copy(2), Mark::Copy(1)]
        );
        // What was never printed is not known to be so either, if it is older than what was forgotten.
        assert_eq!(print(1), Mark::CopyOfUnknown);
        assert_eq!(printed.lock().papers.len(), MOST_REMEMBERED);
    }
}
