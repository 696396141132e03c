//! What scanners read, on its way to who listens now.
//!
//! A scan is an event and no fact: it may be the code of a voucher, so it is never journaled, never logged, and nobody who
//! comes later gets it (law L11). With nobody listening it is gone at once; what a till wants written down it asks for
//! (`vouchers/check`, a sale), and that says what it was.
//!
//! Bounded: a listener that lags finds at most [`KEPT`] scans, and none that is older than [`FRESH`]: what the last
//! customer's voucher was must not be typed into the next one's sale. What it missed is lost, and the cashier scans again. A
//! listener that stands still keeps no scan alive: listeners are given only a hold on it that ends with its time, and then
//! its text is wiped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tilld_devices::scanner::Scan;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Counter;
use crate::clock::Clock;

/// How many scans wait for a slow listener.
const KEPT: usize = 8;
/// How old a scan may get on its way.
const FRESH: Duration = Duration::from_secs(3);

/// Where scans are passed on. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Scans {
    fresh: Arc<Mutex<Fresh>>,
    passed: broadcast::Sender<Weak<Scan>>,
}

/// The scans that may still be given to somebody, and until when; oldest first.
type Fresh = VecDeque<(Arc<Scan>, Duration)>;

impl Default for Scans {
    fn default() -> Self {
        Self { fresh: Arc::default(), passed: broadcast::Sender::new(KEPT) }
    }
}

impl Scans {
    /// Passes a scan on, and answers what ends its time.
    fn pass(&self, scan: Scan, clock: Arc<dyn Clock>) -> impl Future<Output = ()> + use<> {
        let scan = Arc::new(scan);
        let hold = Arc::downgrade(&scan);
        {
            let mut fresh = lock(&self.fresh);
            fresh.push_back((scan, clock.steady().saturating_add(FRESH)));
            let over = fresh.len().saturating_sub(KEPT);
            fresh.drain(..over);
        }
        // Nobody may be listening.
        let _ = self.passed.send(hold);
        let (fresh, over) = (Arc::clone(&self.fresh), clock.sleep(FRESH));
        async move {
            over.await;
            drop_old(&mut lock(&fresh), clock.as_ref());
        }
    }
}

fn lock(fresh: &Mutex<Fresh>) -> MutexGuard<'_, Fresh> {
    fresh.lock().unwrap_or_else(PoisonError::into_inner)
}

fn drop_old(fresh: &mut Fresh, clock: &dyn Clock) {
    let now = clock.steady();
    while fresh.front().is_some_and(|(_, until)| *until <= now) {
        fresh.pop_front();
    }
}

/// Every scan from now on, once.
pub struct ScanListener {
    passed: broadcast::Receiver<Weak<Scan>>,
    fresh: Arc<Mutex<Fresh>>,
    clock: Arc<dyn Clock>,
}

impl ScanListener {
    /// The next scan; none when the counter has gone. May be dropped and asked again, and loses nothing.
    pub async fn next(&mut self) -> Option<Arc<Scan>> {
        loop {
            match self.passed.recv().await {
                Ok(hold) => {
                    // The clock may have run on and nobody had the time to look.
                    drop_old(&mut lock(&self.fresh), self.clock.as_ref());
                    if let Some(scan) = hold.upgrade() {
                        return Some(scan);
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Counter {
    /// Passes a scan on to who listens now. To be called within a runtime.
    pub fn scanned(&self, scan: Scan) {
        tokio::spawn(self.scans.pass(scan, Arc::clone(&self.clock)));
    }

    /// Every scan of every scanner from now on.
    pub fn scans(&self) -> ScanListener {
        ScanListener {
            passed: self.scans.passed.subscribe(),
            fresh: Arc::clone(&self.scans.fresh),
            clock: Arc::clone(&self.clock),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use tilld_domain::moment::Moment;
    use tilld_domain::secret::Secret;
    use tokio::sync::watch;
    use uuid::Uuid;

    use super::*;

    /// A clock that a test sets. It sleeps until it was set far enough.
    #[derive(Default)]
    struct Set(watch::Sender<Duration>);

    impl Clock for Set {
        fn now(&self) -> Moment {
            Moment::from_ms(0)
        }

        fn steady(&self) -> Duration {
            *self.0.borrow()
        }

        fn sleep_until(&self, due: Duration) -> BoxFuture<'static, ()> {
            let mut clock = self.0.subscribe();
            Box::pin(async move {
                clock.wait_for(|now| *now >= due).await.unwrap();
            })
        }

        fn new_id(&self) -> Uuid {
            Uuid::nil()
        }

        fn jitter(&self, _: Duration) -> Duration {
            Duration::ZERO
        }
    }

    fn scan(text: &str) -> Scan {
        Scan { source: "counter".into(), text: Secret::new(text.to_owned()) }
    }

    fn listener(scans: &Scans, clock: &Arc<Set>) -> ScanListener {
        let clock = Arc::<Set>::clone(clock);
        ScanListener { passed: scans.passed.subscribe(), fresh: Arc::clone(&scans.fresh), clock }
    }

    #[tokio::test]
    async fn a_scan_that_has_got_old_on_its_way_is_given_to_nobody() {
        let (scans, clock) = (Scans::default(), Arc::<Set>::default());
        let mut listener = listener(&scans, &clock);
        for (at, text) in [(0, "the last customer's"), (2, "late"), (4, "now")] {
            clock.0.send_replace(Duration::from_secs(at));
            // Nobody comes to end its time.
            drop(scans.pass(scan(text), clock.clone()));
        }
        for expected in ["late", "now"] {
            assert_eq!(listener.next().await.unwrap().text.reveal(), expected);
        }
        drop(scans);
        assert!(listener.next().await.is_none());
    }

    #[tokio::test]
    async fn a_listener_that_stands_still_keeps_no_scan_in_memory() {
        let (scans, clock) = (Scans::default(), Arc::<Set>::default());
        let _stands_still = listener(&scans, &clock);
        let mut ends = Vec::new();
        for number in 0..20 {
            ends.push(tokio::spawn(scans.pass(scan(&number.to_string()), clock.clone())));
        }
        let holds: Vec<_> = lock(&scans.fresh).iter().map(|(scan, _)| Arc::downgrade(scan)).collect();
        assert_eq!(holds.iter().filter(|hold| hold.strong_count() > 0).count(), KEPT);
        clock.0.send_replace(FRESH);
        for end in ends {
            end.await.unwrap();
        }
        assert!(holds.iter().all(|hold| hold.upgrade().is_none()));
    }
}
