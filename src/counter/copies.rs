//! Numbered copies of a card's slip (row A12): only of a card that is sold, and only while its lines are there.
//!
//! That a copy is asked for, and by which manager, is an entry before a byte of it leaves, so two copies never have one number. The
//! sale is done, whatever becomes of the paper: a copy proves nothing about the first one, and while a question about that is open
//! there is none. How the printing of a copy ends changes nothing and is not written down; it is remembered here for whoever waits for
//! it, of the last [`MOST_REMEMBERED`] copies and for as long as the daemon runs.
//!
//! A copy waits for its turn among the papers that are no card ([`paper`](crate::paper)), so that many of them keep no customer's card
//! waiting; while as many as are remembered are not out yet, no further one is taken.

use std::collections::VecDeque;

use tilld_domain::ids::{PersonName, SaleId};
use tilld_domain::order::State;
use tilld_domain::printing::PrintEnd;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::CardNo;
use tilld_journal::Asked;
use tokio::sync::watch;

use crate::Counter;
use crate::driver::Act;

/// Of how many copies it is remembered how they ended: of more than a shop prints at once.
const MOST_REMEMBERED: usize = 64;

/// A copy of a card's slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its number, from 1.
    pub number: u16,
    /// What became of it; none if nobody knows any more.
    pub end: Option<PrintEnd>,
}

/// Which copy of which card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyOf {
    pub(crate) sale: SaleId,
    pub(crate) card: CardNo,
    pub(crate) number: u16,
}

/// The copies of this run, oldest first; none while one is printed.
#[derive(Default)]
pub(crate) struct Copies(watch::Sender<VecDeque<(CopyOf, Option<PrintEnd>)>>);

impl Copies {
    /// One is about to be printed.
    pub(crate) fn begin(&self, which: CopyOf) {
        self.0.send_modify(|copies| {
            copies.push_back((which, None));
            let mut over = copies.len().saturating_sub(MOST_REMEMBERED);
            // Whoever waits for one that is not out yet is still to be told.
            copies.retain(|(_, end)| {
                let goes = over > 0 && end.is_some();
                over = over.saturating_sub(usize::from(goes));
                !goes
            });
        });
    }

    /// How its printing ended.
    pub(crate) fn ended(&self, which: CopyOf, end: PrintEnd) {
        self.0.send_modify(|copies| {
            for (_, ended) in copies.iter_mut().filter(|(of, _)| *of == which) {
                *ended = Some(end);
            }
        });
    }

    /// Whether one is being printed, or waits for its turn.
    pub(crate) fn is_printed(&self) -> bool {
        self.0.borrow().iter().any(|(_, end)| end.is_none())
    }

    /// Whether no more can be taken before some are out.
    pub(crate) fn are_many(&self) -> bool {
        self.0.borrow().iter().filter(|(_, end)| end.is_none()).count() >= MOST_REMEMBERED
    }

    /// How the printing of one ends; none if it is not remembered.
    async fn end_of(&self, which: CopyOf) -> Option<PrintEnd> {
        let find = |copies: &VecDeque<(CopyOf, Option<PrintEnd>)>| {
            copies.iter().find(|(of, _)| *of == which).map(|(_, end)| *end)
        };
        let mut copies = self.0.subscribe();
        let known = copies.wait_for(|copies| find(copies).is_none_or(|end| end.is_some())).await.ok()?;
        find(&known).flatten()
    }
}

impl Counter {
    /// Prints a copy of a card's slip, and answers when that has ended.
    pub async fn copy_slip(
        &self,
        asked: Asked,
        sale: SaleId,
        card: CardNo,
        by: PersonName,
    ) -> Result<Copied, Refusal> {
        if self.answered_before(&asked).await?.is_none() {
            self.slip_is_kept(sale, card).await?;
        }
        let now = self.act_on_sale(asked, sale, Act::Copy { card, by }).await?;
        let order = now.sale.order(card).ok_or(Refusal::CardUnknown)?;
        let State::Sold { copies: number, .. } = order.state else { return Err(Refusal::NoSlip) };
        let end = tokio::select! {
            biased;
            end = self.copies.end_of(CopyOf { sale, card, number }) => end,
            () = self.clock.sleep(self.settings.answer_wait) => return Err(Refusal::StillWorking),
        };
        Ok(Copied { number, end })
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::printing::Proof;
    use uuid::Uuid;

    use super::*;

    fn which(number: u16) -> CopyOf {
        let sale = SaleId::new(Uuid::from_u128(1));
        CopyOf { sale, card: CardNo::new(1).unwrap(), number }
    }

    #[tokio::test]
    async fn who_waits_for_a_copy_is_told_how_that_one_ended() {
        let copies = Copies::default();
        copies.begin(which(1));
        copies.begin(which(2));
        let end = PrintEnd::OnPaper(Proof::ProcessId);
        let (told, ()) = tokio::join!(copies.end_of(which(1)), async { copies.ended(which(1), end) });
        assert_eq!(told, Some(end));
        assert_eq!(copies.end_of(which(1)).await, Some(end), "also who comes later");
        assert_eq!(copies.end_of(which(3)).await, None, "of one that was never begun nothing is known");
    }

    #[tokio::test]
    async fn of_too_many_copies_the_oldest_are_forgotten() {
        let copies = Copies::default();
        let end = PrintEnd::OnPaper(Proof::ProcessId);
        let last = u16::try_from(MOST_REMEMBERED).unwrap() + 1;
        for number in 1..=last {
            copies.begin(which(number));
            copies.ended(which(number), end);
        }
        let known =
            [copies.end_of(which(1)).await, copies.end_of(which(2)).await, copies.end_of(which(last)).await];
        assert_eq!(known, [None, Some(end), Some(end)]);
    }

    #[tokio::test]
    async fn a_copy_that_is_not_out_yet_is_not_forgotten_and_of_many_no_more_is_taken() {
        let copies = Copies::default();
        let end = PrintEnd::OnPaper(Proof::ProcessId);
        let most = u16::try_from(MOST_REMEMBERED).unwrap();
        for number in 1..=most {
            assert!(!copies.are_many(), "before {number}");
            copies.begin(which(number));
        }
        assert!(copies.are_many());
        // One more was asked for in the same moment.
        copies.begin(which(most + 1));
        let (told, ()) = tokio::join!(copies.end_of(which(1)), async { copies.ended(which(1), end) });
        assert_eq!(told, Some(end));
        copies.begin(which(most + 2));
        assert_eq!(copies.end_of(which(1)).await, None, "that is out, and the oldest");
        for number in 2..=most + 2 {
            assert!(copies.is_printed());
            copies.ended(which(number), end);
        }
        assert!(!copies.is_printed() && !copies.are_many());
    }
}
