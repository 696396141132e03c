//! Virtual time: it stands still while anything can run, and then jumps to whoever is to be woken next.
//!
//! The whole world, daemon included, runs as tasks of one thread. When none of them can go on the thread is about to park,
//! and [`VirtualClock::advance`] is called there. So a second of waiting costs nothing, and the order of everything is
//! decided by the program alone.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tilld_domain::moment::Moment;

/// 2026-11-21T10:00Z: when every world begins.
const BEGIN_MS: i64 = 1_795_255_200_000;

#[derive(Default)]
struct Inner {
    /// Since the world began.
    passed: Duration,
    /// How far the machine's wall clock has been set away from true time, in ms.
    set_off_ms: i64,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    numbers: u64,
}

/// Time as all parts of a world share it; cheap to clone.
#[derive(Clone, Default)]
pub struct VirtualClock(Arc<Mutex<Inner>>);

impl VirtualClock {
    /// Since the world began, by a clock that nobody sets.
    pub fn passed(&self) -> Duration {
        self.0.lock().unwrap().passed
    }

    /// What the machine's wall clock shows.
    pub fn now(&self) -> Moment {
        let inner = self.0.lock().unwrap();
        let passed = i64::try_from(inner.passed.as_millis()).unwrap();
        Moment::from_ms(BEGIN_MS + passed + inner.set_off_ms)
    }

    /// How far the machine's wall clock is set away from true time, in ms.
    pub fn off_ms(&self) -> i64 {
        self.0.lock().unwrap().set_off_ms
    }

    /// Somebody sets the machine's wall clock; no sleeper notices.
    pub fn set_off(&self, by_ms: i64) {
        self.0.lock().unwrap().set_off_ms += by_ms;
    }

    /// Wakes the next sleeper, and lets the time until then have passed. Whether there was one.
    pub fn advance(&self) -> bool {
        let mut inner = self.0.lock().unwrap();
        let Some(((until, _), waker)) = inner.sleepers.pop_first() else { return false };
        inner.passed = inner.passed.max(until);
        drop(inner);
        waker.wake();
        true
    }

    /// Ends after `span`, which counts in whole ms.
    pub fn sleep(&self, span: Duration) -> Sleep {
        self.sleep_until(self.passed().saturating_add(span))
    }

    /// Ends when so much time has passed in all, in whole ms.
    pub fn sleep_until(&self, due: Duration) -> Sleep {
        let mut inner = self.0.lock().unwrap();
        let whole =
            Duration::from_millis(u64::try_from(due.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
        inner.numbers += 1;
        Sleep { clock: self.clone(), key: (whole, inner.numbers) }
    }
}

/// One who sleeps. Who goes to sleep first is woken first.
pub struct Sleep {
    clock: VirtualClock,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.clock.0.lock().unwrap();
        if inner.passed >= self.key.0 {
            return Poll::Ready(());
        }
        inner.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // The waker goes when the lock is free: it may be the last that holds its task.
        let waker = self.clock.0.lock().unwrap().sleepers.remove(&self.key);
        drop(waker);
    }
}
