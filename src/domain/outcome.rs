//! How a call to a provider can end (law L2), and what the calls of a gift card order answer.
//!
//! The names here are the counter's. What a provider writes on the wire is known to its folder in `providers` alone.

use std::time::Duration;

use crate::ids::ProviderOrderId;
use crate::refusal::Refusal;
use crate::secret::Secret;

/// The end of one call. A caller that cannot tell *done* from *refused* must hold [`Outcome::Unknown`]; nothing else may
/// stand in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The provider did it, and said so readably.
    Done(T),
    /// The provider said no, in a well-formed answer. It did not do it by *this* call.
    Refused(Refusal),
    /// The provider said "not now" (408, 425, 429): not done by this call; ask again, not before the pause it named.
    Later {
        /// The pause that the provider asked for.
        retry_after: Option<Duration>,
    },
    /// Surely not sent: no byte of the request left this machine.
    NotSent(Trouble),
    /// Sent, and nobody here knows what became of it.
    Unknown(Trouble),
}

/// What went wrong with a call, for the journal and the log; never with a word of the answer's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No connection could be made: refused, unroutable, name not found, TLS not agreed.
    Connect,
    /// The line broke after the request was written: before the answer, or in the middle of it.
    Broken,
    /// No answer within the call's deadline.
    Silent,
    /// An answer of the 5xx class.
    ServerError(u16),
    /// An answer that cannot be read: not JSON, too long, or without what it must hold.
    Unreadable,
    /// A status that no table knows.
    OddStatus(u16),
}

/// What an order looks like at the provider, by the counter's names (fact sheet U8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStage {
    /// Created, never confirmed: no value.
    Open,
    /// Confirmed and being worked on.
    InProgress,
    /// Confirmed: the card is live.
    Done,
    /// It failed; nothing was charged.
    Failed,
    /// Invalidated.
    Reversed,
    /// A word that this program does not know: neither success nor failure.
    Unrecognised,
}

/// The lines that a provider sends to be printed, exactly as it sent them. For a POR card they hold the code, so every
/// line is a secret. Control characters are still in them: the slip's maker removes those.
///
/// Once the key that sealed them is destroyed the lines are *gone*: what happened to the order can still be replayed,
/// but nothing can be printed any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLines {
    lines: Option<Vec<Secret>>,
    count: usize,
    odd_elements: u16,
}

impl ReceiptLines {
    /// The greatest number of lines that is taken from a provider.
    pub const MOST: usize = 256;
    /// The greatest length of one line in bytes.
    pub const LONGEST: usize = 1024;

    /// Takes the lines over; `odd_elements` counts those that were neither text nor an object with a text in it
    /// (fact sheet U18). `None` if there are more or longer ones than any slip has.
    pub fn new(lines: Vec<String>, odd_elements: u16) -> Option<Self> {
        let fits = lines.len() <= Self::MOST && lines.iter().all(|line| line.len() <= Self::LONGEST);
        let count = lines.len();
        fits.then(|| Self { lines: Some(lines.into_iter().map(Secret::new).collect()), count, odd_elements })
    }

    /// Lines that have been forgotten, of which only the number is known.
    pub const fn gone(count: usize, odd_elements: u16) -> Self {
        Self { lines: None, count, odd_elements }
    }

    /// The lines in their order; none if they are gone.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.lines.iter().flatten()
    }

    /// How many lines there are, or were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether there never was anything to print.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the lines have been forgotten.
    pub fn is_gone(&self) -> bool {
        self.lines.is_none()
    }

    /// How many elements could not be read as text: the slip may lack something, so a person must look.
    pub fn odd_elements(&self) -> u16 {
        self.odd_elements
    }
}

/// A create that was accepted: an order without value yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The provider's name for it.
    pub order: ProviderOrderId,
}

/// An order as a confirm or a look-up shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSeen {
    /// Where it stands.
    pub stage: OrderStage,
    /// The lines to print, if the answer carried them.
    pub lines: Option<ReceiptLines>,
}

/// How a provider answered an undo (fact sheet U14). All of these are well-formed answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoAnswer {
    /// Invalidated by this call.
    Invalidated,
    /// It had been invalidated before (`order_invalidated`).
    AlreadyInvalidated,
    /// The order had failed: nothing was charged (`order_failed`).
    OrderFailed,
    /// Its confirm is still running (`order_processing`): not a failure, ask again.
    StillProcessing,
    /// The provider does not know the order (404).
    NotFound,
    /// The card has been spent.
    AlreadyRedeemed,
    /// Too late (`order_invalidation_period_expired`).
    WindowOver,
    /// It can never be invalidated (`order_invalidation_not_supported`).
    NotSupported,
    /// Any other refusal.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize, length: usize) -> Option<ReceiptLines> {
        ReceiptLines::new(vec!["x".repeat(length); count], 2)
    }

    #[test]
    fn lines_are_taken_up_to_what_a_slip_has_room_for() {
        for (count, length, taken) in [
            (0, 0, true),
            (ReceiptLines::MOST, ReceiptLines::LONGEST, true),
            (ReceiptLines::MOST + 1, 1, false),
            (1, ReceiptLines::LONGEST + 1, false),
        ] {
            assert_eq!(lines(count, length).is_some(), taken, "{count} lines of {length}");
        }
    }

    #[test]
    fn of_forgotten_lines_it_is_still_known_how_many_there_were() {
        let there = lines(3, 5).unwrap();
        let gone = ReceiptLines::gone(3, 2);
        for (lines, shown, is_gone) in [(&there, 3, false), (&gone, 0, true)] {
            assert_eq!(
                (
                    lines.iter().count(),
                    lines.is_gone(),
                    lines.count(),
                    lines.odd_elements(),
                    lines.is_empty()
                ),
                (shown, is_gone, 3, 2, false)
            );
        }
        assert!(lines(0, 0).unwrap().is_empty() && ReceiptLines::gone(0, 0).is_empty());
    }
}
