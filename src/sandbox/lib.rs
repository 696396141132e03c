//! A provider to practise against: finperks' retail side over real HTTP, with a ledger of its own.
//!
//! It is a faithful fake, not a mock. It verifies every signature, keeps its own accounts, issues codes, and can be told
//! to behave in each way that the real provider may, and to fail in each way that a network can. Tests, the
//! demonstration and integrators of till software drive it through the control door (`control.rs` has its routes and examples) or, in the
//! same process, through [`Sandbox`].
//!
//! It stands alone. No other room of this house is used here, not even its money: if the daemon signs, counts or decodes
//! wrongly, the mistake must meet somebody who does it otherwise. And the daemon decides nothing by this room.
//!
//! | file | holds |
//! |---|---|
//! | `provider` | the door that the daemon talks to: the checks, the faults, the answer |
//! | `control` | the door that a test talks to, with its routes and examples |
//! | `signature` | who is asking |
//! | `request`, `answer`, `refusal` | what comes in, what goes out, every way to say no |
//! | `switches`, `faults` | how it behaves, how it fails |
//! | `ledger`, `order`, `catalogue`, `lines`, `amount`, `keys` | the provider's business |
//! | `statement`, `calls` | what it tells about itself afterwards |
//! | `house`, `line` | what hangs it together; one connection |
//!
//! Invariants: for every currency `opening + reversed = available + reserved + charged`; nothing is carried out half;
//! codes are in no log and in no `Debug` text; every queue, body and pause is bounded; both doors are on loopback; after
//! [`Sandbox::shutdown`] no socket and no task is left.
//!
//! Deliberately absent: digital orders, client partners, settlements and webhooks, which no till needs; TLS, because
//! both doors are on loopback; a store on disk, because every run begins with the same books.

mod amount;
mod answer;
mod calls;
mod catalogue;
mod control;
mod faults;
mod house;
mod keys;
mod ledger;
mod line;
mod lines;
mod order;
mod provider;
mod refusal;
mod request;
mod signature;
mod statement;
mod switches;

use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use amount::Currency;
pub use calls::CallRecord;
pub use faults::{ErrorBody, Executed, Fault, FaultError, Loss, QueuedFault};
pub use refusal::{ErrorShape, RetryAfterForm};
pub use request::CallKind;
pub use signature::{SCHEME, Signed, SigningProfile, sign, string_to_sign};
pub use statement::{AccountStatement, Issued, OrderStatement, Statement};
pub use switches::{
    ConfirmEnd, ConfirmMode, Limits, LineShape, ListShape, ProductSwitches, RateLimit, RepeatedKey,
    SecondConfirm, Switches,
};

use house::House;
use line::{Door, LineEnd, closed};

/// What a client signs with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Sent with every request.
    pub key_id: String,
    /// Never sent.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials({}, …)", self.key_id)
    }
}

impl Default for Credentials {
    /// Made up and published: they open a sandbox and nothing else.
    fn default() -> Self {
        Self { key_id: "sandbox-key".to_owned(), secret: "sandbox-secret-0123456789abcdef".to_owned() }
    }
}

/// How a sandbox starts, and what a reset goes back to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the provider listens; a loopback address, port 0 for any free one.
    pub provider: SocketAddr,
    /// Where the control door listens; likewise.
    pub control: SocketAddr,
    /// The one client.
    pub credentials: Credentials,
    /// Further `host:port` texts that the `Host` header may name, beside the bound address and `localhost`. The port is
    /// written out also where it is the scheme's own.
    pub hosts: Vec<String>,
    /// The behaviour at first.
    pub switches: Switches,
    /// The balances at first, in whole units.
    pub opening: BTreeMap<Currency, u32>,
    /// Stores that are registered at first.
    pub stores: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            provider: anywhere,
            control: anywhere,
            credentials: Credentials::default(),
            hosts: Vec::new(),
            switches: Switches::default(),
            opening: BTreeMap::from([
                (Currency::Eur, 100_000),
                (Currency::Chf, 100_000),
                (Currency::Gbp, 100_000),
                (Currency::Jpy, 10_000_000),
            ]),
            stores: vec!["A1234".to_owned()],
        }
    }
}

/// A running sandbox. Dropping it closes it too, without waiting for the end.
pub struct Sandbox {
    house: Arc<House>,
    provider: SocketAddr,
    control: SocketAddr,
    closing: watch::Sender<bool>,
    doors: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sandbox(provider {}, control {})", self.provider, self.control)
    }
}

/// Starts a sandbox within the present Tokio runtime. Fails if an address is not on loopback or not free.
pub async fn start(settings: Settings) -> io::Result<Sandbox> {
    let (closing, closes) = watch::channel(false);
    let provider_door = Door::open(settings.provider, closes.clone()).await?;
    let control_door = Door::open(settings.control, closes.clone()).await?;
    let (provider, control) = (provider_door.address()?, control_door.address()?);
    let mut hosts = vec![provider.to_string(), format!("localhost:{}", provider.port())];
    hosts.extend(settings.hosts.iter().cloned());
    let house = Arc::new(House::new(settings, hosts, closes));
    let app = Router::new().fallback(provider::door).with_state(Arc::clone(&house));
    let doors = vec![
        serve(provider_door, app, &house),
        serve(control_door, control::app(Arc::clone(&house)), &house),
    ];
    tracing::info!(%provider, %control, "sandbox open");
    Ok(Sandbox { house, provider, control, closing, doors })
}

fn serve(door: Door, app: Router, house: &House) -> JoinHandle<()> {
    let service = app.into_make_service_with_connect_info::<LineEnd>();
    let serving = axum::serve(door, service).with_graceful_shutdown(closed(house.closing.clone()));
    let serving = serving.into_future();
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "a door of the sandbox closed");
        }
    })
}

impl Sandbox {
    /// The address of the provider.
    pub const fn provider_address(&self) -> SocketAddr {
        self.provider
    }

    /// The address of the control door.
    pub const fn control_address(&self) -> SocketAddr {
        self.control
    }

    /// `http://127.0.0.1:PORT`; the endpoints are at `/v1/…` below it.
    pub fn provider_url(&self) -> String {
        format!("http://{}", self.provider)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// What a client signs with.
    pub fn credentials(&self) -> &Credentials {
        &self.house.settings.credentials
    }

    /// The present behaviour.
    pub fn switches(&self) -> Switches {
        self.house.world().switches.clone()
    }

    /// Changes the behaviour, from the next call on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.house.world().switches);
    }

    /// Queues a fault.
    pub fn fault(&self, fault: QueuedFault) -> Result<(), FaultError> {
        self.house.world().faults.push(fault)
    }

    /// The faults that wait.
    pub fn faults(&self) -> Vec<QueuedFault> {
        self.house.world().faults.waiting()
    }

    /// Takes all faults out of the queue; what a fault already holds or delays stays so.
    pub fn clear_faults(&self) {
        self.house.world().faults.clear();
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
    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls_after(0)
    }

    /// The calls with a greater number than this one.
    pub fn calls_after(&self, n: u64) -> Vec<CallRecord> {
        self.house.world().calls.after(n)
    }

    /// The books. Codes are masked in its text forms and in its JSON; [`Issued::reveal`] gives them.
    pub fn ledger(&self) -> Statement {
        Statement::of(&self.house.world().ledger, false)
    }

    /// Spends the card of an order; false unless there is a completed order of this id.
    pub fn redeem(&self, order_id: &str) -> bool {
        control::spend(&self.house, order_id)
    }

    /// Sets what is available of a currency, as decimal text; false if it is none.
    pub fn set_available(&self, currency: Currency, amount: &str) -> bool {
        let Some(amount) = amount::parse_amount(amount) else { return false };
        self.house.world().set_available(currency, amount);
        true
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

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.close();
    }
}
