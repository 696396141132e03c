//! Time, chance and other threads, so that a test can hold them: with all three in its hand a run of the counter is a pure
//! function of what it meets.
//!
//! There are three readings of time:
//! - [`Clock::steady`], which nobody sets, and which goes on while the machine sleeps;
//! - [`Clock::wall`], which an operator or time synchronisation may set at any moment, back or forward;
//! - [`Clock::now`], the counter's own, by which it writes entries and keeps deadlines: the wall clock as it was when the run
//!   began, carried on by the steady one. Setting the wall clock neither lengthens nor shortens any deadline of a run.
//!
//! The counter's own takes the wall clock over ([`Clock::follow`]) when no sale is open, so that no deadline is there to be
//! moved: a till that starts with a wrong clock does not write wrong times for weeks. While something is open the times of
//! entries may be off by what the clock was set; their order is by number. What a restart makes of moments that an earlier
//! run wrote is the machine's business (`tilld_domain::order`), and whether the wall clock is right is `offset`'s.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tilld_domain::moment::Moment;
use uuid::Uuid;

/// What the counter takes from the machine that it runs on.
pub trait Clock: Send + Sync + 'static {
    /// The counter's own time.
    fn now(&self) -> Moment;

    /// The wall clock: for what people read on paper, and to see whether it is right.
    fn wall(&self) -> Moment {
        self.now()
    }

    /// How long since some moment that stays the same, by a clock that nobody sets; also while the machine slept.
    fn steady(&self) -> Duration;

    /// Makes the counter's own time the wall clock's. To be called only while nothing waits for a moment.
    fn follow(&self) {}

    /// Ends when the steady clock reads `due`. For whoever reckoned from a reading of his own: however long he then took, he
    /// oversleeps nothing.
    fn sleep_until(&self, due: Duration) -> BoxFuture<'static, ()>;

    /// Ends after `span`, counted from now.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.steady().saturating_add(span))
    }

    /// A new id: UUIDv7 (RFC 9562).
    fn new_id(&self) -> Uuid;

    /// Anything from nothing to `most`, so that many who wait do not come at once.
    fn jitter(&self, most: Duration) -> Duration;

    /// Does what waits for the disk where waiting does no harm: on another thread. Ends when it is done, or will never be
    /// because the program is stopping.
    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Whoever wants a result notices that none came.
            let _ = tokio::task::spawn_blocking(work).await;
        })
    }
}

/// The runtime's timers stand still while the machine sleeps: it is looked so often whether a pause is over.
const LOOK: Duration = Duration::from_secs(30);

/// The machine's own clocks and random numbers.
#[derive(Debug)]
pub struct SystemClock {
    /// The counter's own time minus the steady clock, in ms.
    begun: AtomicI64,
}

impl Default for SystemClock {
    fn default() -> Self {
        let clock = Self { begun: AtomicI64::new(0) };
        clock.follow();
        clock
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::from_ms(self.begun.load(Ordering::Relaxed)).plus(self.steady())
    }

    fn wall(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Duration {
        since_boot()
    }

    fn follow(&self) {
        let steady = i64::try_from(self.steady().as_millis()).unwrap_or(i64::MAX);
        self.begun.store(self.wall().ms().saturating_sub(steady), Ordering::Relaxed);
    }

    fn sleep_until(&self, due: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = due.saturating_sub(since_boot());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LOOK)).await;
            }
        })
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn jitter(&self, most: Duration) -> Duration {
        // Without random numbers there is no jitter: that is a slower drain, not an error.
        let chance = getrandom::u32().unwrap_or(0);
        let nanos = most.as_nanos().saturating_mul(u128::from(chance)) >> u32::BITS;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// How long the machine has been up, asleep or not.
fn since_boot() -> Duration {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(since.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(since.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_is_the_wall_clock() {
        let since =
            |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let before = since(SystemTime::now());
        let now = SystemClock::default().wall().ms();
        assert!((before..=since(SystemTime::now())).contains(&now));
    }

    #[test]
    fn the_counters_own_time_is_the_wall_clock_carried_on_by_one_that_nobody_sets() {
        let clock = SystemClock::default();
        let begun = clock.now().ms() - i64::try_from(clock.steady().as_millis()).unwrap();
        // Somebody sets the wall clock back by two hours: seen from here the run began two hours ahead of it.
        clock.begun.fetch_add(7_200_000, Ordering::Relaxed);
        assert!((7_199_000..7_300_000).contains(&(clock.now().ms() - clock.wall().ms())));
        assert!(clock.now().ms() - i64::try_from(clock.steady().as_millis()).unwrap() - begun >= 7_199_000);
        clock.follow();
        assert!((clock.now().ms() - clock.wall().ms()).abs() < 1_000);
    }

    #[test]
    fn ids_are_of_version_7_and_never_the_same() {
        let clock = SystemClock::default();
        let ids: std::collections::HashSet<Uuid> = (0..1_000).map(|_| clock.new_id()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn jitter_is_anything_up_to_its_most() {
        let clock = SystemClock::default();
        let most = Duration::from_mins(1);
        let drawn: Vec<Duration> = (0..1_000).map(|_| clock.jitter(most)).collect();
        assert!(drawn.iter().all(|span| *span <= most));
        // Of a thousand fair draws some fall into either half.
        assert!(drawn.iter().any(|span| *span > most / 2) && drawn.iter().any(|span| *span < most / 2));
        assert_eq!(clock.jitter(Duration::ZERO), Duration::ZERO);
    }
}
