//! How long is waited before a provider is asked again, and before somebody is called (DESIGN chapter 2).

use std::time::Duration;

use crate::moment::Moment;

/// How many failures of an undo are told apart: every pause after the last of them is the same. An undo that fails once more
/// leaves its order as it was, so that an outage of a day does not fill the journal.
pub const FAILURES_TOLD_APART: u32 = 7;

/// The pauses of an undo that does not get through, and when a manager is called to it. None of them ends it (law L5). They
/// are written into the first entry of a sale or redemption with its other times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoTimes {
    /// The pause after the first, second, … failure; after every further one the last of them. The first try is at once. A voucher
    /// whose balance could not be read to settle a redemption is read again after the same pauses.
    pub pauses: [Duration; FAILURES_TOLD_APART as usize],
    /// The pause before a provider is asked again that has said that it will not undo an order (A17): contracts and minds
    /// change.
    pub stuck: Duration,
    /// After how many failures it is a manager's case, from 1 to [`FAILURES_TOLD_APART`].
    pub call_after_failures: u32,
    /// After what time it is one, whatever its failures; sooner if half of the time in which a card can be undone has gone.
    pub call_after: Duration,
}

impl UndoTimes {
    /// The times of the design.
    pub const DESIGN: Self = Self {
        pauses: [
            Duration::from_secs(1),
            Duration::from_secs(2),
            Duration::from_secs(5),
            Duration::from_secs(15),
            Duration::from_secs(30),
            Duration::from_mins(1),
            Duration::from_mins(5),
        ],
        stuck: Duration::from_hours(1),
        call_after_failures: 6,
        call_after: Duration::from_mins(15),
    };

    /// The pause before an undo is tried again that has failed so often.
    pub(crate) fn after(&self, failures: u32) -> Duration {
        let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let [.., last] = self.pauses;
        self.pauses.get(place).copied().unwrap_or(last)
    }

    /// Whether a manager is called to an undo that is owed `since` then and has failed so often.
    pub(crate) fn is_late(&self, failures: u32, since: Moment, at: Moment) -> bool {
        failures >= self.call_after_failures || at.long_since(since) >= self.call_after
    }
}

/// The failures of an undo that has failed once more.
pub(crate) fn one_more(failures: u32) -> u32 {
    failures.saturating_add(1).min(FAILURES_TOLD_APART)
}

/// The pause before the next question while a guest waits, by the time already spent on asking (law L3).
pub(crate) fn while_a_guest_waits(spent: Duration) -> Duration {
    match spent.as_millis() {
        0..1_000 => Duration::from_millis(500),
        1_000..4_000 => Duration::from_secs(1),
        _ => Duration::from_secs(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_called_after_so_many_failures_or_so_long() {
        let start = Moment::from_ms(1_767_225_600_000);
        let times =
            UndoTimes { call_after_failures: 2, call_after: Duration::from_secs(40), ..UndoTimes::DESIGN };
        for (failures, seconds, design, told) in [
            (0, 0, false, false),
            (1, 39, false, false),
            (2, 0, false, true),
            (0, 40, false, true),
            (5, 899, false, true),
            (6, 0, true, true),
            (0, 900, true, true),
        ] {
            let at = start.plus(Duration::from_secs(seconds));
            assert_eq!(UndoTimes::DESIGN.is_late(failures, start, at), design, "{failures} {seconds}");
            assert_eq!(times.is_late(failures, start, at), told, "{failures} {seconds}");
        }
    }
}
