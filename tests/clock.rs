//! The counter's clocks, held in the hand: they stand still until a script lets time pass. The wall clock can be set.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tilld_counter::clock::Clock;
use tilld_domain::moment::Moment;
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Clone)]
pub struct HandClock {
    start: Moment,
    passed: watch::Sender<Duration>,
    sleepers: Arc<Mutex<HashMap<u64, Duration>>>,
    count: Arc<AtomicU64>,
    /// How far the wall clock was set since the beginning, in ms, and how much of it the counter's own time took over.
    set_ms: Arc<AtomicI64>,
    followed_ms: Arc<AtomicI64>,
}

impl Default for HandClock {
    fn default() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            start: Moment::from_ms(i64::try_from(since.as_millis()).unwrap()),
            passed: watch::Sender::new(Duration::ZERO),
            sleepers: Arc::default(),
            count: Arc::default(),
            set_ms: Arc::default(),
            followed_ms: Arc::default(),
        }
    }
}

impl HandClock {
    pub fn pass(&self, span: Duration) {
        self.passed.send_modify(|passed| *passed += span);
    }

    /// Somebody sets the wall clock: by so many ms, back if negative.
    pub fn set(&self, by_ms: i64) {
        self.set_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    fn ahead(&self, ms: &AtomicI64) -> Moment {
        Moment::from_ms(self.start.plus(*self.passed.borrow()).ms() + ms.load(Ordering::Relaxed))
    }

    /// For how long those still sleep who wait for the clock, shortest first.
    pub fn sleeping(&self) -> Vec<Duration> {
        let passed = *self.passed.borrow();
        let mut spans: Vec<Duration> =
            self.sleepers.lock().unwrap().values().map(|until| until.saturating_sub(passed)).collect();
        spans.sort();
        spans
    }
}

/// One who waits for the clock; it is known to wait until it is woken or goes away.
struct Sleeper {
    number: u64,
    sleepers: Arc<Mutex<HashMap<u64, Duration>>>,
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.sleepers.lock().unwrap().remove(&self.number);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        self.ahead(&self.followed_ms)
    }

    fn wall(&self) -> Moment {
        self.ahead(&self.set_ms)
    }

    fn steady(&self) -> Duration {
        *self.passed.borrow()
    }

    fn follow(&self) {
        self.followed_ms.store(self.set_ms.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn sleep_until(&self, until: Duration) -> BoxFuture<'static, ()> {
        let mut passed = self.passed.subscribe();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.sleepers.lock().unwrap().insert(number, until);
        let sleeper = Sleeper { number, sleepers: Arc::clone(&self.sleepers) };
        Box::pin(async move {
            let _here = sleeper;
            // The clock outlives every daemon that it is lent to; without it nobody waits.
            let _ = passed.wait_for(|passed| *passed >= until).await;
        })
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn jitter(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}
