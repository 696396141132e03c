//! Whether this machine's clock is right (row A19), judged by the provider's.
//!
//! A provider refuses what is signed with a date too far from its own, so every answer's date is noted as the distance
//! between its clock and one here that nobody sets ([`Clock::steady`]). From then on the wall clock's error is known at any
//! moment, also right after somebody set it, with no call to anybody: a clock that jumps is wrong at once and right at once.
//!
//! Nothing is sold while
//! - the error is greater than the provider accepts, or
//! - the provider refused a date and the clock has not been set since, or
//! - no answer has come yet, and the clock is behind the journal's last entry: either was wrong then, or is now, and only the
//!   provider knows which. Once it has answered, the entry's moment counts for nothing; sequence orders entries, not time.
//!
//! Meanwhile the provider is asked every [`ASK_EVERY`] for its time. What is owed goes on being asked for with its usual pauses,
//! and becomes a manager's case as it always does. The clock is never corrected here, not even for a signature.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tilld_domain::moment::{CLOCK_SLACK, Moment};
use tilld_domain::outcome::{Created, OrderSeen, Outcome, Trouble, UndoAnswer};
use tilld_domain::refusal::Refusal;
use tilld_providers::{Balance, Catalogue, GiftCards};

use crate::clock::Clock;
use crate::perform::Line;

/// How often the provider is asked for its time while the clock is wrong. No pause of an undo is as long, so that a script can
/// tell the two apart.
const ASK_EVERY: Duration = Duration::from_secs(20);

/// The error of this machine's clock, as far as it is known.
#[derive(Default)]
pub(crate) struct Offset(Mutex<Known>);

#[derive(Default, Clone, Copy)]
struct Known {
    /// What the last answer showed.
    seen: Option<Seen>,
    /// When the journal's last entry of an earlier run was written.
    written: Option<Moment>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// The provider's clock minus the wall clock, in ms; nothing where the provider tells no time and accepted ours.
    offset_ms: i64,
    /// The wall clock minus the steady one then, in ms: it changes when the clock is set.
    set_ms: i64,
    /// The date was refused.
    refused: bool,
}

/// What a provider can answer with "done".
pub(crate) trait Answered {
    /// Whether it says in fact that the date of the call was not accepted.
    fn refuses_the_date(&self) -> bool {
        false
    }
}

impl Answered for Created {}
impl Answered for OrderSeen {}
impl Answered for Catalogue {}
impl Answered for Vec<Balance> {}

impl Answered for UndoAnswer {
    fn refuses_the_date(&self) -> bool {
        *self == Self::Refused(Refusal::ClockRefused)
    }
}

impl Offset {
    /// The last entry that an earlier run wrote.
    pub(crate) fn written_before(&self, last: Option<Moment>) {
        self.lock().written = last;
    }

    /// A call ended: what it tells about the clock. `told_ms` is the provider's clock minus the wall clock; none where it tells
    /// no time.
    pub(crate) fn note<T: Answered>(&self, outcome: &Outcome<T>, told_ms: Option<i64>, clock: &dyn Clock) {
        let mut known = self.lock();
        let refused_before = || known.seen.is_some_and(|seen| seen.refused && seen.is_untouched(clock));
        let refused = match outcome {
            Outcome::Done(answer) => answer.refuses_the_date(),
            Outcome::Refused(Refusal::ClockRefused) => true,
            // Nothing may have been sent, or something else may have been looked at before the date.
            Outcome::Refused(_) => refused_before(),
            Outcome::Later { .. } | Outcome::NotSent(_) | Outcome::Unknown(_) => return,
        };
        // A provider that tells no time still says whether it takes ours.
        let told = refused || matches!(outcome, Outcome::Done(_));
        let Some(offset_ms) = told_ms.or(told.then_some(0)) else { return };
        known.seen = Some(Seen { offset_ms, set_ms: set(clock), refused });
    }

    /// The provider's clock minus this machine's wall clock in ms, now; none before the first answer.
    pub(crate) fn now_ms(&self, clock: &dyn Clock) -> Option<i64> {
        self.lock().seen.map(|seen| seen.now_ms(clock))
    }

    /// Why nothing may be signed with this clock, and what to do next; none while it may. `tolerance`: how far off a date the
    /// provider accepts.
    pub(crate) fn wrong(&self, tolerance: Duration, clock: &dyn Clock) -> Option<String> {
        let known = *self.lock();
        let Some(seen) = known.seen else {
            let written = known.written?;
            let behind = written.since(clock.wall());
            return (behind > CLOCK_SLACK).then(|| {
                format!(
                    "Clock may be {} wrong: it is behind the last entry of the journal. {SET} The provider's clock decides: see that the line to it works.",
                    span(behind)
                )
            });
        };
        let off_ms = seen.now_ms(clock);
        let off = Duration::from_millis(off_ms.unsigned_abs());
        if off > tolerance {
            let side = if off_ms > 0 { "behind" } else { "ahead of" };
            return Some(format!("Clock is {} wrong: it is {side} the provider's. {SET}", span(off)));
        }
        (seen.refused && seen.is_untouched(clock))
            .then(|| format!("The provider refuses this machine's clock, which is {} off. {SET}", span(off)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether nobody has set the clock since.
    fn is_untouched(self, clock: &dyn Clock) -> bool {
        set(clock).abs_diff(self.set_ms) <= ms(CLOCK_SLACK).unsigned_abs()
    }

    fn now_ms(&self, clock: &dyn Clock) -> i64 {
        let set = set(clock).saturating_sub(self.set_ms);
        // The answer's date was told in whole seconds; what two readings differ by is less.
        if set.unsigned_abs() < 1_000 { self.offset_ms } else { self.offset_ms.saturating_sub(set) }
    }
}

/// What to do next.
const SET: &str =
    "Set date and time right (`timedatectl set-ntp true`, or by hand); selling goes on by itself then.";

/// The wall clock minus the steady one, in ms.
fn set(clock: &dyn Clock) -> i64 {
    clock.wall().ms().saturating_sub(ms(clock.steady()))
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A span as people say it.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..90 => format!("{seconds} s"),
        90..7_200 => format!("{} min", seconds.saturating_add(30) / 60),
        7_200..172_800 => format!("{} h", seconds.saturating_add(1_800) / 3_600),
        _ => format!("{} days", seconds.saturating_add(43_200) / 86_400),
    }
}

/// Asks the provider for its time while the clock is wrong. Never ends.
pub(crate) async fn keep_asking(line: Arc<Line>, provider: Arc<dyn GiftCards>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(ASK_EVERY).await;
        if line.offset.wrong(provider.clock_tolerance(), clock.as_ref()).is_some() {
            let outcome = tokio::select! {
                outcome = provider.balances() => outcome,
                () = clock.sleep(provider.deadlines().other) => Outcome::Unknown(Trouble::Silent),
            };
            line.note(&outcome, provider.as_ref(), clock.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use futures_util::future::BoxFuture;
    use uuid::Uuid;

    use super::*;

    const TOLERANCE: Duration = Duration::from_mins(5);
    const START_MS: i64 = 1_795_266_300_000;

    /// A clock that stands still, and that somebody sets.
    #[derive(Default)]
    struct Stopped {
        set_ms: AtomicI64,
    }

    impl Stopped {
        fn set(&self, by_ms: i64) {
            self.set_ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }

    impl Clock for Stopped {
        fn now(&self) -> Moment {
            Moment::from_ms(START_MS)
        }

        fn wall(&self) -> Moment {
            Moment::from_ms(START_MS + self.set_ms.load(Ordering::Relaxed))
        }

        fn steady(&self) -> Duration {
            Duration::from_hours(1)
        }

        fn sleep_until(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }

        fn new_id(&self) -> Uuid {
            Uuid::nil()
        }

        fn jitter(&self, _: Duration) -> Duration {
            Duration::ZERO
        }
    }

    fn undo(answer: UndoAnswer) -> Outcome<UndoAnswer> {
        Outcome::Done(answer)
    }

    fn refused() -> Outcome<UndoAnswer> {
        Outcome::Refused(Refusal::ClockRefused)
    }

    fn wrong(offset: &Offset, clock: &Stopped) -> String {
        let why = offset.wrong(TOLERANCE, clock).unwrap_or_else(|| "right".to_owned());
        why.split(['.', ',']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_clock_is_wrong_beyond_what_the_provider_accepts_on_either_side_and_says_by_how_much() {
        for (told_ms, expected) in [
            (0, "right"),
            (300_000, "right"),
            (300_001, "Clock is 5 min wrong: it is behind the provider's"),
            (-300_000, "right"),
            (-300_001, "Clock is 5 min wrong: it is ahead of the provider's"),
            (7_199_000, "Clock is 120 min wrong: it is behind the provider's"),
            (7_200_000, "Clock is 2 h wrong: it is behind the provider's"),
            (172_799_000, "Clock is 48 h wrong: it is behind the provider's"),
            (172_800_000, "Clock is 2 days wrong: it is behind the provider's"),
            (i64::MIN, "Clock is 106751991167 days wrong: it is ahead of the provider's"),
        ] {
            let (offset, clock) = (Offset::default(), Stopped::default());
            offset.note(&undo(UndoAnswer::Invalidated), Some(told_ms), &clock);
            assert_eq!(wrong(&offset, &clock), expected, "{told_ms}");
        }
    }

    #[test]
    fn a_clock_that_is_set_is_wrong_and_right_at_once() {
        let (offset, clock) = (Offset::default(), Stopped::default());
        offset.note(&undo(UndoAnswer::Invalidated), Some(1_000), &clock);
        for (by_ms, off_ms, expected) in [
            // Two readings of a date in whole seconds differ by so much.
            (999, 1_000, "right"),
            (1, 0, "right"),
            (3_599_000, -3_599_000, "Clock is 60 min wrong: it is ahead of the provider's"),
            (-3_600_999, 1_000, "right"),
            (3_600_999 - 3_600_000, 1_000, "right"),
        ] {
            clock.set(by_ms);
            assert_eq!((offset.now_ms(&clock), wrong(&offset, &clock)), (Some(off_ms), expected.to_owned()));
        }
    }

    #[test]
    fn a_refused_date_is_wrong_until_the_clock_is_set_or_a_date_is_accepted() {
        const REFUSED: &str = "The provider refuses this machine's clock";
        let others = [
            Outcome::<UndoAnswer>::Later { retry_after: None },
            Outcome::NotSent(Trouble::Connect),
            Outcome::Unknown(Trouble::Silent),
            Outcome::Refused(Refusal::OrderNotFound),
        ];
        for (first, told_ms) in [
            (refused(), None),
            (refused(), Some(0)),
            // By the answer to an undo it is refused as well.
            (undo(UndoAnswer::Refused(Refusal::ClockRefused)), None),
            (undo(UndoAnswer::Refused(Refusal::ClockRefused)), Some(0)),
        ] {
            let (offset, clock) = (Offset::default(), Stopped::default());
            offset.note(&first, told_ms, &clock);
            assert_eq!(wrong(&offset, &clock), REFUSED);
            for other in &others {
                offset.note(other, told_ms, &clock);
                assert_eq!(wrong(&offset, &clock), REFUSED, "{other:?} says nothing about the date");
            }
            // That much a clock moves without anybody's setting it.
            clock.set(5_000);
            assert_eq!(wrong(&offset, &clock), REFUSED);
            clock.set(1);
            assert_eq!(wrong(&offset, &clock), "right");
            offset.note(&others[3], Some(0), &clock);
            assert_eq!(wrong(&offset, &clock), "right", "it was refused by another clock");

            offset.note(&first, told_ms, &clock);
            assert_eq!(wrong(&offset, &clock), REFUSED);
            offset.note(&undo(UndoAnswer::Refused(Refusal::OrderNotFound)), told_ms, &clock);
            assert_eq!(wrong(&offset, &clock), "right");
        }
    }

    #[test]
    fn what_is_not_about_the_date_tells_a_time_only_where_the_provider_does() {
        let (offset, clock) = (Offset::default(), Stopped::default());
        for outcome in [
            Outcome::<UndoAnswer>::Refused(Refusal::OrderNotFound),
            Outcome::Later { retry_after: None },
            Outcome::NotSent(Trouble::Connect),
            Outcome::Unknown(Trouble::Silent),
        ] {
            offset.note(&outcome, None, &clock);
            assert_eq!(offset.now_ms(&clock), None, "{outcome:?}");
        }
        offset.note::<UndoAnswer>(&Outcome::Unknown(Trouble::Silent), Some(7), &clock);
        assert_eq!(offset.now_ms(&clock), None);
        offset.note::<UndoAnswer>(&Outcome::Refused(Refusal::OrderNotFound), Some(7), &clock);
        assert_eq!(offset.now_ms(&clock), Some(7));
        offset.note(&undo(UndoAnswer::Invalidated), None, &clock);
        assert_eq!(offset.now_ms(&clock), Some(0), "it was accepted");
    }

    #[test]
    fn a_clock_behind_the_journal_is_doubted_until_the_provider_has_told_its_time() {
        let (offset, clock) = (Offset::default(), Stopped::default());
        let written = |ahead_ms| Some(Moment::from_ms(START_MS + ahead_ms));
        for (last, expected) in [
            (None, "right"),
            (written(-1), "right"),
            (written(5_000), "right"),
            (written(5_001), "Clock may be 5 s wrong: it is behind the last entry of the journal"),
            (written(89_999), "Clock may be 89 s wrong: it is behind the last entry of the journal"),
            (written(90_000), "Clock may be 2 min wrong: it is behind the last entry of the journal"),
        ] {
            offset.written_before(last);
            assert_eq!(wrong(&offset, &clock), expected, "{last:?}");
        }
        offset.note::<UndoAnswer>(&Outcome::Unknown(Trouble::Silent), None, &clock);
        assert_ne!(wrong(&offset, &clock), "right");
        offset.note(&undo(UndoAnswer::Invalidated), Some(0), &clock);
        assert_eq!(wrong(&offset, &clock), "right");
    }
}
