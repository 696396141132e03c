//! The one place where everything that lives in a sandbox hangs together.
//!
//! [`World`] is all that a call can see or change; it stands behind one lock, which is never held over an await, so
//! every call is carried out whole and one after another. [`House`] is the world with its wake-ups and its tasks.
//! [`Provider`] is what one provider has of its own: its books, its checks, its answers. Everything else of this room
//! works with any of them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::calls::Calls;
use crate::faults::{Fault, Faults};
use crate::printer::Beside;

/// How far the clock may be set off, in seconds: ten years.
pub const MOST_OFFSET_S: i64 = 10 * 366 * 24 * 3600;

/// A request as it came in, before anything is checked.
pub struct Asked {
    /// Its number in the call log.
    pub n: u64,
    /// Upper case.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark; empty if there is none.
    pub query: String,
    /// As they came.
    pub headers: HeaderMap,
    /// Absent where it was too large.
    pub body: Option<Vec<u8>>,
}

/// What one provider has of its own. Outside this room it can be named, for a test that works with any of them, but not
/// implemented: what it works with has no name there.
pub trait Provider: Sized + Send + 'static {
    /// Its name in the log of the sandbox.
    const NAME: &'static str;
    /// The routes of its own control door, for people, separated by ` | `; empty or beginning with the separator.
    const ROUTES: &'static str;
    /// A body of `POST /faults`, for people.
    const FAULT: &'static str;
    /// The names by which its own control door knows what there is, for people.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
    /// Its endpoints.
    type Call: Copy + Eq + std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// How it behaves.
    type Switches: Clone + Serialize + DeserializeOwned + Send + 'static;
    /// How it starts.
    type Settings: Send + Sync + 'static;
    /// What its call log holds beside what every call log does.
    type Detail: Clone + Default + Serialize + Send + 'static;
    /// A request that has passed the checks of the door.
    type Job: Send + 'static;

    /// The books at the start, and after a reset.
    fn new(settings: &Self::Settings, address: SocketAddr) -> Self;
    /// The behaviour at the start, and after a reset.
    fn switches(settings: &Self::Settings) -> Self::Switches;
    /// Whether switches make sense together and in themselves; a sentence if not.
    fn check(switches: &Self::Switches) -> Result<(), String>;
    /// Whether this provider can fail in this way.
    fn knows(fault: &Fault) -> bool;
    /// Checks a request, or answers it with a refusal. What becomes known of it goes into the call log.
    fn admit(world: &mut World<Self>, asked: Asked) -> Result<(Self::Call, Self::Job), Answer>;
    /// Carries a job out, and answers.
    fn carry_out(world: &mut World<Self>, n: u64, job: &Self::Job) -> Answer;
    /// A refusal by its name in this provider's table, or an invented one.
    fn refuse(
        world: &World<Self>,
        n: u64,
        code: &str,
        status: Option<u16>,
        retry_after_s: Option<u32>,
    ) -> Answer;
    /// A failure of its own machine, with its own error body.
    fn broken(world: &World<Self>, n: u64, status: u16) -> Answer;
    /// What its control door can do beside what every one can.
    fn control() -> Router<Arc<House<Self>>>;
}

/// All that a call can see or change.
pub struct World<P: Provider> {
    pub switches: P::Switches,
    pub provider: P,
    pub faults: Faults<P::Call>,
    pub calls: Calls<P::Call, P::Detail>,
    pub clock_offset_s: i64,
}

impl<P: Provider> World<P> {
    fn new(settings: &P::Settings, address: SocketAddr) -> Self {
        Self {
            switches: P::switches(settings),
            provider: P::new(settings, address),
            faults: Faults::default(),
            calls: Calls::default(),
            clock_offset_s: 0,
        }
    }

    /// The sandbox's clock.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_secs(self.clock_offset_s)).unwrap_or(now)
    }
}

/// What a call waits for before it is carried out.
pub enum Pause {
    /// Time.
    For(Duration),
    /// The control door.
    UntilReleased(watch::Receiver<u64>),
}

impl Pause {
    pub async fn over(self) {
        match self {
            Self::For(time) => tokio::time::sleep(time).await,
            Self::UntilReleased(mut released) => {
                // An error means that the sandbox is closing, which ends the call by another way.
                let _ = released.changed().await.is_ok();
            }
        }
    }
}

/// The world with its wake-ups and its tasks.
pub struct House<P: Provider> {
    pub settings: P::Settings,
    /// Where the provider listens.
    pub address: SocketAddr,
    pub closing: watch::Receiver<bool>,
    world: Mutex<World<P>>,
    released: watch::Sender<u64>,
    changed: watch::Sender<u64>,
    tasks: Mutex<JoinSet<()>>,
    printer: OnceLock<Arc<Beside>>,
}

impl<P: Provider> House<P> {
    pub fn new(settings: P::Settings, address: SocketAddr, closing: watch::Receiver<bool>) -> Self {
        Self {
            world: Mutex::new(World::new(&settings, address)),
            settings,
            address,
            closing,
            released: watch::Sender::new(0),
            changed: watch::Sender::new(0),
            tasks: Mutex::new(JoinSet::new()),
            printer: OnceLock::new(),
        }
    }

    /// Shows a printer at the control door. The first one stays.
    pub fn show_printer(&self, printer: Arc<Beside>) {
        let _ = self.printer.set(printer).is_ok();
    }

    /// The printer beside it, if one runs.
    pub fn printer(&self) -> Option<&Beside> {
        self.printer.get().map(AsRef::as_ref)
    }

    /// The world. It is whole even if another holder panicked: every change in it is one call's.
    pub fn world(&self) -> MutexGuard<'_, World<P>> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits for the call log that it changed.
    pub fn announce(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Follows the announcements.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Follows the releases from now on.
    pub fn releases(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    /// Lets everything go on that is held.
    pub fn release(&self) {
        self.world().calls.release();
        self.released.send_modify(|count| *count = count.wrapping_add(1));
        self.announce();
    }

    /// Back to the start: what waits to be carried out never is. Only the numbers of the call log go on.
    pub fn reset(&self) {
        self.tasks().abort_all();
        {
            let mut world = self.world();
            let mut calls = std::mem::take(&mut world.calls);
            calls.clear();
            *world = World { calls, ..World::new(&self.settings, self.address) };
        }
        if let Some(printer) = self.printer() {
            printer.reset();
        }
        self.release();
    }

    /// Carries a job out.
    pub fn carry_out(&self, n: u64, job: &P::Job) -> Answer {
        let answer = P::carry_out(&mut self.world(), n, job);
        self.announce();
        answer
    }

    /// Carries a job out after a pause, whether anybody still waits for the answer or not; nothing if a reset came first.
    pub async fn carry_out_after(self: &Arc<Self>, pause: Pause, n: u64, job: P::Job) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        let house = Arc::clone(self);
        {
            let mut tasks = self.tasks();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                pause.over().await;
                // The client may be gone, which changes nothing about what was done.
                let _ = sender.send(house.carry_out(n, &job)).is_ok();
            });
        }
        answer.await.ok()
    }

    /// Ends every task and waits for its end.
    pub async fn end_tasks(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
