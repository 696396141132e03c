//! How long is waited before a provider is asked again (DESIGN chapter 2).

use std::time::Duration;

/// The pause after the first, second, … failure of an undo, in seconds.
const AFTER_FAILURE_S: [u64; 6] = [1, 2, 5, 15, 30, 60];
/// The pause after every further failure.
const AFTER_MANY: Duration = Duration::from_mins(5);

/// How many failures of an undo are told apart: every pause after the last of them is the same. An undo that fails once more
/// leaves its order as it was, so that an outage of a day does not fill the journal.
const COUNTED: u32 = 7;

/// The failures of an undo that has failed once more.
pub(crate) fn one_more(failures: u32) -> u32 {
    failures.saturating_add(1).min(COUNTED)
}

/// The pause before an undo is tried again that has failed so often: 1, 2, 5, 15, 30, 60 s, then five minutes. It never
/// ends (law L5).
pub(crate) fn after_failure(failures: u32) -> Duration {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    AFTER_FAILURE_S.get(place).copied().map_or(AFTER_MANY, Duration::from_secs)
}

/// The pause before the next question while a guest waits, by the time already spent on asking (law L3).
pub(crate) fn while_a_guest_waits(spent: Duration) -> Duration {
    match spent.as_millis() {
        0..1_000 => Duration::from_millis(500),
        1_000..4_000 => Duration::from_secs(1),
        _ => Duration::from_secs(2),
    }
}
