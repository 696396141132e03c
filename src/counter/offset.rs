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

    /// A call ended: what it tells about the clock.
    pub(crate) fn note<T: Answered>(
        &self,
        outcome: &Outcome<T>,
        provider: &dyn GiftCards,
        clock: &dyn Clock,
    ) {
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
        let Some(offset_ms) = provider.clock_offset_ms().or(told.then_some(0)) else { return };
        known.seen = Some(Seen { offset_ms, set_ms: set(clock), refused });
    }

    /// The provider's clock minus this machine's wall clock in ms, now; none before the first answer.
    pub(crate) fn now_ms(&self, clock: &dyn Clock) -> Option<i64> {
        self.lock().seen.map(|seen| seen.now_ms(clock))
    }

    /// Why nothing may be signed with this clock, and what to do next; none while it may.
    pub(crate) fn wrong(&self, provider: &dyn GiftCards, clock: &dyn Clock) -> Option<String> {
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
        if off > provider.clock_tolerance() {
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
        if line.offset.wrong(provider.as_ref(), clock.as_ref()).is_some() {
            let outcome = tokio::select! {
                outcome = provider.balances() => outcome,
                () = clock.sleep(provider.deadlines().other) => Outcome::Unknown(Trouble::Silent),
            };
            line.note(&outcome, provider.as_ref(), clock.as_ref());
        }
    }
}
