//! Which vouchers this counter has moved lately, so that nothing is redeemed on what was seen of one before.
//!
//! What was on a voucher before a redeem is the evidence that decides row B3. A reversal that ends between the look and the
//! redeem makes it wrong: the redeem is carried out and its answer lost, what is left is what was seen, and what was taken
//! would pass for not taken. So a look takes a mark before it asks, and a redeem rests on it only if nothing has happened to a
//! redemption of that voucher since.
//!
//! It is kept in memory, as looks are. At most [`MOST`] vouchers are remembered; of one that was forgotten it is said that it has
//! moved, which costs another look.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tilld_domain::ids::VoucherId;

/// More vouchers than a till redeems in the two minutes that a look is kept.
const MOST: usize = 1024;

/// A moment between two moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

/// The moves of this run.
#[derive(Default)]
pub(crate) struct Moves(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    moves: u64,
    /// The last move of each voucher.
    last: HashMap<VoucherId, u64>,
    /// The last move of all that were forgotten.
    forgotten: u64,
}

impl Moves {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be taken before a voucher is looked at.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.counted().moves)
    }

    /// Something happens to a redemption of this voucher.
    pub(crate) fn note(&self, voucher: &VoucherId) {
        let mut counted = self.counted();
        counted.moves = counted.moves.saturating_add(1);
        let moves = counted.moves;
        counted.last.insert(voucher.clone(), moves);
        if counted.last.len() > MOST
            && let Some((oldest, at)) =
                counted.last.iter().min_by_key(|(_, at)| **at).map(|(id, at)| (id.clone(), *at))
        {
            counted.last.remove(&oldest);
            counted.forgotten = at;
        }
    }

    /// Whether it may have moved since.
    pub(crate) fn since(&self, mark: Mark, voucher: &VoucherId) -> bool {
        let counted = self.counted();
        *counted.last.get(voucher).unwrap_or(&counted.forgotten) > mark.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher(number: usize) -> VoucherId {
        format!("V{number}").parse().unwrap()
    }

    #[test]
    fn a_mark_tells_what_moved_after_it_and_nothing_else() {
        let moves = Moves::default();
        let before = moves.mark();
        moves.note(&voucher(1));
        let after = moves.mark();
        let told = [(before, 1), (before, 2), (after, 1)].map(|(mark, of)| moves.since(mark, &voucher(of)));
        assert_eq!(told, [true, false, false]);
    }

    #[test]
    fn what_was_forgotten_is_said_to_have_moved() {
        let moves = Moves::default();
        let before = moves.mark();
        for number in 0..=MOST {
            moves.note(&voucher(number));
        }
        assert!(moves.since(before, &voucher(0)) && moves.since(before, &voucher(MOST + 1)));
        assert!(!moves.since(moves.mark(), &voucher(0)));
        assert_eq!(moves.counted().last.len(), MOST);
    }
}
