//! What scanners read, on its way to who listens now.
//!
//! A scan is an event and no fact: it may be the code of a voucher, so it is never journaled, never logged, and nobody who comes
//! later gets it (law L11). With nobody listening it is gone at once; what a till wants written down it asks for
//! (`vouchers/check`, a sale), and that says what it was.
//!
//! Bounded: a listener that lags finds at most [`KEPT`] scans, and none that is older than [`FRESH`]: what the last customer's
//! voucher was must not be typed into the next one's sale. What it missed is lost, and the cashier scans again.

use std::sync::Arc;
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
pub(crate) struct Scans(broadcast::Sender<(Arc<Scan>, Duration)>);

impl Default for Scans {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

/// Every scan from now on, once.
pub struct ScanListener {
    scans: broadcast::Receiver<(Arc<Scan>, Duration)>,
    clock: Arc<dyn Clock>,
}

impl ScanListener {
    /// The next scan; none when the counter has gone. May be dropped and asked again, and loses nothing.
    pub async fn next(&mut self) -> Option<Arc<Scan>> {
        loop {
            match self.scans.recv().await {
                Ok((scan, at)) if self.clock.steady().saturating_sub(at) <= FRESH => return Some(scan),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Counter {
    /// Passes a scan on to who listens now.
    pub fn scanned(&self, scan: Scan) {
        // Nobody may be listening: then it is gone.
        let _ = self.scans.0.send((Arc::new(scan), self.clock.steady()));
    }

    /// Every scan of every scanner from now on.
    pub fn scans(&self) -> ScanListener {
        ScanListener { scans: self.scans.0.subscribe(), clock: Arc::clone(&self.clock) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::BoxFuture;
    use tilld_domain::moment::Moment;
    use tilld_domain::secret::Secret;
    use uuid::Uuid;

    use super::*;

    /// A clock that a test sets.
    struct Set(Mutex<Duration>);

    impl Clock for Set {
        fn now(&self) -> Moment {
            Moment::from_ms(0)
        }

        fn steady(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }

        fn new_id(&self) -> Uuid {
            Uuid::nil()
        }

        fn jitter(&self, _: Duration) -> Duration {
            Duration::ZERO
        }
    }

    #[tokio::test]
    async fn a_scan_that_has_got_old_on_its_way_is_given_to_nobody() {
        let (scans, clock) = (Scans::default(), Arc::new(Set(Mutex::default())));
        let mut listener = ScanListener { scans: scans.0.subscribe(), clock: clock.clone() };
        for (at, text) in [(0, "the last customer's"), (1, "late"), (4, "now")] {
            let scan = Scan { source: "counter".into(), text: Secret::new(text.to_owned()) };
            scans.0.send((Arc::new(scan), Duration::from_secs(at))).unwrap();
        }
        *clock.0.lock().unwrap() = Duration::from_secs(4);
        for expected in ["late", "now"] {
            assert_eq!(listener.next().await.unwrap().text.reveal(), expected);
        }
        drop(scans);
        assert!(listener.next().await.is_none());
    }
}
