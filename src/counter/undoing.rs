//! Which undos are under way: at most one of a card at any time.
//!
//! While the journal takes entries this only keeps an undo from being sent twice. While it does not (law L10), an undo that
//! is owed on disk goes on: its intent is written, so law L1 holds. What comes back is then judged here by the same machine,
//! on a copy that is never written:
//! - *Ask again* (no connection, no answer, "not now", still processing, not found): it is asked again after the pause that the
//!   machine names. The back-off is kept in memory, one task a card; nothing of it is written later.
//! - *Anything else* ends it: the answer is held, and written when the journal takes entries again. Until then the card is asked
//!   about no more.
//!
//! So no state is invented: what the journal says of the card afterwards follows from what is written then, and "not found"
//! begins its quiet time (law L6) with the first one that is written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use tilld_domain::ids::SaleId;
use tilld_domain::moment::Moment;
use tilld_domain::order::{Effect, Order, OrderEvent, State};
use tilld_domain::sale::{CardNo, Sale};

/// The cards whose undo is on its way, or has an answer that is not written yet. With each: how its order would stand, if
/// anything has come back that was not written.
#[derive(Default)]
pub(crate) struct Undoing(HashMap<(SaleId, CardNo), Option<Order>>);

impl Undoing {
    /// An undo is to be sent; false if one is under way.
    pub(crate) fn begin(&mut self, sale: SaleId, card: CardNo) -> bool {
        match self.0.entry((sale, card)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(None);
                true
            }
        }
    }

    /// How one ended is written, or needs not be.
    pub(crate) fn ended(&mut self, sale: SaleId, card: CardNo) {
        self.0.remove(&(sale, card));
    }

    /// An undo ended, and that cannot be written now: after which pause to ask again, if to ask again.
    pub(crate) fn again(
        &mut self,
        sale: &Sale,
        card: CardNo,
        at: Moment,
        event: &OrderEvent,
    ) -> Option<Duration> {
        let on_disk = sale.order(card).filter(|order| matches!(order.state, State::Owed(_)))?;
        let copy = self.0.entry((sale.opening.sale, card)).or_default();
        let order = copy.take().unwrap_or_else(|| on_disk.clone());
        let (order, effects) = order.step(&sale.opening.rules, at, event.clone()).ok()?;
        match (&order.state, effects.as_slice()) {
            (State::Owed(_), [Effect::Undo { after }]) => {
                *copy = Some(order);
                Some(*after)
            }
            _ => None,
        }
    }
}

/// The cards of a sale that are owed an undo on disk.
pub(crate) fn owed(sale: &Sale) -> impl Iterator<Item = CardNo> {
    sale.cards().filter(|(_, order)| matches!(order.state, State::Owed(_))).map(|(card, _)| card)
}
