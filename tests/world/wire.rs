//! The way of a call to a modelled provider and back, and what goes wrong on it whoever the provider is.
//!
//! A request takes [`WAY`] to arrive and its answer as long to come back. It arrives even if the daemon dies in between.
//! Nothing lives longer on the line than [`LAST`], which is shorter than the quiet time that law L6 rests on.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tilld_domain::outcome::{Outcome, Trouble};
use tokio::sync::oneshot;

use super::fate::Fault;
use super::power::Life;
use super::{Inner, World};

/// How long a request, or an answer, is under way.
pub const WAY: Duration = Duration::from_millis(20);
/// When a late request arrives: after the daemon has asked, given up, and owed the undo (10 s and 10 s), and before it reads
/// for the first time what is left on a voucher (30 s).
pub const LATE: Duration = Duration::from_secs(25);
/// When a redeem arrives between the two readings that must agree (30 s and 50 s).
pub const BETWEEN: Duration = Duration::from_secs(40);
/// When it arrives after both of them: nothing lives longer.
pub const LAST: Duration = Duration::from_mins(2);
/// What "not now" asks for.
const NOT_NOW: Duration = Duration::from_secs(2);

/// What a request does where it arrives.
pub type Does<T> = Arc<dyn Fn(&mut Inner) -> Outcome<T> + Send + Sync>;

/// The line in one life of the daemon.
#[derive(Clone)]
pub struct Wire {
    pub world: Arc<World>,
    pub life: Life,
    /// For how long a request can live; [`LAST`], but for a test of the test.
    pub last: Duration,
}

impl Wire {
    /// Sends a request that arrives after `way`; its outcome, when it has been carried out.
    fn send<T: Send + 'static>(
        &self,
        name: &str,
        way: Duration,
        does: &Does<T>,
    ) -> oneshot::Receiver<Outcome<T>> {
        let (reply, answer) = oneshot::channel();
        let does = Arc::clone(does);
        self.world.later(way, name.to_owned(), move |inner| {
            // Who asked may be dead.
            let _ = reply.send(does(inner));
        });
        answer
    }

    /// A call as it should go.
    pub async fn exchange<T: Send + 'static>(&self, name: &str, does: &Does<T>) -> Outcome<T> {
        let outcome = self.send(name, WAY, does).await.unwrap();
        self.world.clock.sleep(WAY).await;
        outcome
    }

    /// A call on which the line does what it does. `deadline`: for how long the caller waits.
    pub async fn carry<T: Send + 'static>(
        &self,
        name: &str,
        does: &Does<T>,
        fault: Option<Fault>,
        deadline: Duration,
    ) -> Outcome<T> {
        let clock = &self.world.clock;
        let silent = async |way: Option<Duration>| {
            if let Some(way) = way {
                self.send(name, way, does);
            }
            pending().await
        };
        let Some(fault) = fault else { return self.exchange(name, does).await };
        match fault {
            Fault::CrashBefore(dark) | Fault::CrashWithin(dark) => {
                self.life.power_goes(&self.world, dark);
                silent(None).await
            }
            Fault::CrashAfter(dark) => {
                self.send(name, WAY, does);
                self.life.power_goes(&self.world, dark);
                silent(None).await
            }
            Fault::Unreachable => Outcome::NotSent(Trouble::Connect),
            Fault::RequestLost => silent(None).await,
            Fault::RequestLate => silent(Some(LATE)).await,
            Fault::RequestBetween => silent(Some(BETWEEN)).await,
            Fault::RequestLast => silent(Some(self.last)).await,
            Fault::AnswerLost => silent(Some(WAY)).await,
            Fault::BrokenBefore => {
                clock.sleep(WAY).await;
                Outcome::Unknown(Trouble::Broken)
            }
            Fault::BrokenAfter => {
                self.exchange(name, does).await;
                Outcome::Unknown(Trouble::Broken)
            }
            Fault::AnswerLate => {
                let outcome = self.exchange(name, does).await;
                clock.sleep(deadline.saturating_sub(4 * WAY)).await;
                outcome
            }
            Fault::Twice => {
                self.send(name, LATE, does);
                self.exchange(name, does).await
            }
            Fault::NotNow => {
                clock.sleep(2 * WAY).await;
                Outcome::Later { retry_after: Some(NOT_NOW) }
            }
            fault => panic!("{fault} on the line"),
        }
    }
}
