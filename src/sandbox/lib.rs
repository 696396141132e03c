//! Providers to practise against, over real HTTP, each with a ledger of its own: [`finperks`] and [`gift_local`].
//!
//! They are faithful fakes, not mocks. Each checks who is asking as strictly as the real one, keeps its own accounts,
//! and can be told to behave in each way that the real provider may, and to fail in each way that a network can. Tests,
//! the demonstration and integrators of till software drive it through its control door (`control.rs` has the routes
//! and examples) or, in the same process, through [`Sandbox`].
//!
//! The room stands alone. No other room of this house is used here, not even its money: if the daemon signs, counts or
//! decodes wrongly, the mistake must meet somebody who does it otherwise. And the daemon decides nothing by this room.
//!
//! | file | holds |
//! |---|---|
//! | `finperks`, `gift_local` | the checks, books and answers of each |
//! | `house` | what a provider is to the rest; all that a call can change, behind one lock |
//! | `door` | the door that the daemon talks to: the checks, the faults, the answer |
//! | `control` | the door that a test talks to, with its routes and examples |
//! | `faults`, `rate` | how it fails; how often it may be asked |
//! | `answer`, `calls`, `issued`, `draw` | what goes out; what was asked; what is masked; what is drawn by lot |
//! | `line` | one connection |
//! | `printer` | the printer that somebody runs beside it, at the control door |
//!
//! Invariants: nothing is carried out half; codes are in no log and in no `Debug` text; every queue, body and pause is
//! bounded; all doors are on loopback; after [`Sandbox::shutdown`] no socket and no task is left.
//!
//! Deliberately absent: TLS, because all doors are on loopback; a store on disk, because every run begins with the same
//! books.

mod answer;
mod calls;
mod control;
mod door;
mod draw;
mod faults;
pub mod finperks;
pub mod gift_local;
mod house;
mod issued;
mod line;
mod printer;
mod rate;

use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use calls::CallRecord;
pub use faults::{ErrorBody, Executed, Fault, FaultError, Loss, QueuedFault};
pub use house::Provider;
pub use issued::Issued;
pub use printer::{PrinterState, SimulatedPrinter};
pub use rate::{RateLimit, RetryAfterForm};

use house::House;
use line::{Door, LineEnd, Plug, closed};

/// A running sandbox of one provider. Dropping it closes it too, without waiting for the end.
pub struct Sandbox<P: Provider> {
    house: Arc<House<P>>,
    control: SocketAddr,
    closing: watch::Sender<bool>,
    plug: Plug,
    doors: Vec<JoinHandle<()>>,
}

impl<P: Provider> fmt::Debug for Sandbox<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sandbox({}, control {})", self.house.address, self.control)
    }
}

/// A printer that can be shown at the control doors of several providers.
pub struct PrinterDoor(Arc<printer::Beside>);

impl PrinterDoor {
    /// For this printer.
    pub fn new(printer: impl SimulatedPrinter + 'static) -> Self {
        Self(Arc::new(printer::Beside::new(Box::new(printer))))
    }
}

/// Opens both doors. Fails if an address is not on loopback or not free.
async fn open<P: Provider>(
    settings: P::Settings,
    provider: SocketAddr,
    control: SocketAddr,
) -> io::Result<Sandbox<P>> {
    let (closing, closes) = watch::channel(false);
    let (provider_door, plug) = Door::open(provider, closes.clone()).await?;
    // The control door is a thing of the test, and stays where it is.
    let (control_door, _) = Door::open(control, closes.clone()).await?;
    let (address, control) = (provider_door.address()?, control_door.address()?);
    let house = Arc::new(House::new(settings, address, closes));
    let app = Router::new().fallback(door::door::<P>).with_state(Arc::clone(&house));
    let doors = vec![
        serve(provider_door, app, &house),
        serve(control_door, control::app(Arc::clone(&house)), &house),
    ];
    tracing::info!(provider = P::NAME, %address, %control, "sandbox open");
    Ok(Sandbox { house, control, closing, plug, doors })
}

fn serve<P: Provider>(door: Door, app: Router, house: &House<P>) -> JoinHandle<()> {
    let service = app.into_make_service_with_connect_info::<LineEnd>();
    let serving = axum::serve(door, service).with_graceful_shutdown(closed(house.closing.clone()));
    let serving = serving.into_future();
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "a door of the sandbox closed");
        }
    })
}

impl<P: Provider> Sandbox<P> {
    /// The address of the provider.
    pub fn provider_address(&self) -> SocketAddr {
        self.house.address
    }

    /// The address of the control door.
    pub const fn control_address(&self) -> SocketAddr {
        self.control
    }

    /// `http://127.0.0.1:PORT`; the endpoints are below it.
    pub fn provider_url(&self) -> String {
        format!("http://{}", self.house.address)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// What it was started with.
    pub fn settings(&self) -> &P::Settings {
        &self.house.settings
    }

    /// The present behaviour.
    pub fn switches(&self) -> P::Switches {
        self.house.world().switches.clone()
    }

    /// Changes the behaviour, from the next call on.
    pub fn switch(&self, change: impl FnOnce(&mut P::Switches)) {
        change(&mut self.house.world().switches);
    }

    /// Queues a fault.
    pub fn fault(&self, fault: QueuedFault<P::Call>) -> Result<(), FaultError> {
        control::queue(&self.house, fault)
    }

    /// The faults that wait.
    pub fn faults(&self) -> Vec<QueuedFault<P::Call>> {
        self.house.world().faults.waiting()
    }

    /// Takes all faults out of the queue; what a fault already holds or delays stays so.
    pub fn clear_faults(&self) {
        self.house.world().faults.clear();
    }

    /// Nobody reaches the provider any more: its connections are reset, and new ones are refused. Returns when it is so.
    pub async fn unplug(&self) {
        self.plug.set(false).await;
    }

    /// It can be reached again. Returns when it is so.
    pub async fn plug(&self) {
        self.plug.set(true).await;
    }

    /// Lets everything go on that a hold fault holds.
    pub fn release(&self) {
        self.house.release();
    }

    /// How many calls wait to be released.
    pub fn held(&self) -> usize {
        self.house.world().calls.held()
    }

    /// The calls that are remembered, from the first to the last.
    pub fn calls(&self) -> Vec<CallRecord<P::Call, P::Detail>> {
        self.calls_after(0)
    }

    /// The calls with a greater number than this one.
    pub fn calls_after(&self, n: u64) -> Vec<CallRecord<P::Call, P::Detail>> {
        self.house.world().calls.after(n)
    }

    /// Shows a printer that runs beside it at its control door. The first one stays.
    pub fn show_printer(&self, printer: &PrinterDoor) {
        self.house.show_printer(Arc::clone(&printer.0));
    }

    /// How far the sandbox's clock is ahead of the machine's, in seconds.
    pub fn clock_offset(&self) -> i64 {
        self.house.world().clock_offset_s
    }

    /// Sets the sandbox's clock ahead (or, negative, behind) of the machine's, in seconds, at most ten years.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.house.world().clock_offset_s = seconds.clamp(-house::MOST_OFFSET_S, house::MOST_OFFSET_S);
    }

    /// Back to the settings. What waits to be carried out never is.
    pub fn reset(&self) {
        self.house.reset();
    }

    /// Waits until a condition holds, looking again whenever a call arrives, is carried out or is answered.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let mut changes = self.house.changes();
        while !condition(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Closes both doors, resets every connection, ends every task, and returns when all of that is done.
    pub async fn shutdown(mut self) {
        self.close();
        for door in self.doors.drain(..) {
            if let Err(error) = door.await {
                tracing::error!(%error, "a door of the sandbox ended badly");
            }
        }
        self.house.end_tasks().await;
    }

    fn close(&self) {
        self.closing.send_replace(true);
    }
}

impl<P: Provider> Drop for Sandbox<P> {
    fn drop(&mut self) {
        self.close();
    }
}
