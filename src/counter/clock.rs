//! Time, chance and other threads, so that a test can hold them: with all three in its hand a run of the counter is a pure
//! function of what it meets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tilld_domain::moment::Moment;
use uuid::Uuid;

/// What the counter takes from the machine that it runs on.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Moment;

    /// Ends after `span`, by a clock that nobody sets.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()>;

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

/// The machine's own clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
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
