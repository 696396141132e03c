//! The simulated finperks: its retail side, as far as a till meets it.
//!
//! It verifies every signature, keeps its own accounts, issues codes, and can be told to behave in each way that the
//! real provider may.
//!
//! | file | holds |
//! |---|---|
//! | `admission`, `signature` | who is asking, and whether that is the one |
//! | `request`, `refusal` | what comes in; every way to say no |
//! | `switches` | how it behaves |
//! | `ledger`, `order`, `catalogue`, `lines`, `amount`, `keys` | its business |
//! | `pictures` | the pictures of its brands, and what may lie there instead |
//! | `statement` | what it tells about itself afterwards |
//! | `control` | what its control door can do that others cannot |
//!
//! Invariant: for every currency `opening + reversed = available + reserved + charged`.
//!
//! Deliberately absent: digital orders, client partners, settlements and webhooks, which no till needs.

mod admission;
mod amount;
mod catalogue;
mod control;
mod keys;
mod ledger;
mod lines;
mod order;
mod pictures;
mod refusal;
mod request;
mod signature;
mod statement;
mod switches;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use amount::Currency;
pub use refusal::ErrorShape;
pub use request::CallKind;
pub use signature::{SCHEME, Signed, SigningProfile, sign, string_to_sign};
pub use statement::{AccountStatement, OrderStatement, Statement};
pub use switches::{
    ConfirmEnd, ConfirmMode, Limits, LineShape, ListShape, PictureShape, ProductSwitches, RepeatedKey,
    SecondConfirm, Switches,
};

use crate::answer::Answer;
use crate::faults::Fault;
use crate::house::{Asked, House, Provider, World};
use crate::rate::Window;
use admission::Job;
use amount::Money;
use keys::{Fingerprint, Keys, Known};
use ledger::{Account, Ledger, Rules};
use refusal::{Code, Refusal};

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

/// What the call log says of a call to finperks beside the common.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CallDetail {
    /// The header's text.
    pub idempotency_key: Option<String>,
    /// The order in the path, or the one that was created.
    pub order_id: Option<String>,
}

/// A call, as the log keeps it.
pub type CallRecord = crate::CallRecord<CallKind, CallDetail>;

/// A fault for finperks' calls.
pub type QueuedFault = crate::QueuedFault<CallKind>;

/// The simulated finperks.
pub type Sandbox = crate::Sandbox<Finperks>;

/// Starts a sandbox within the present Tokio runtime. Fails if an address is not on loopback or not free.
pub async fn start(settings: Settings) -> io::Result<Sandbox> {
    let (provider, control) = (settings.provider, settings.control);
    crate::open(settings, provider, control).await
}

impl Sandbox {
    /// What a client signs with.
    pub fn credentials(&self) -> &Credentials {
        &self.settings().credentials
    }

    /// The books. Codes are masked in its text forms and in its JSON; [`crate::Issued::reveal`] gives them.
    pub fn ledger(&self) -> Statement {
        Statement::of(&self.house.world().provider.ledger, false)
    }

    /// Spends the card of an order; false unless there is a completed order of this id.
    pub fn redeem(&self, order_id: &str) -> bool {
        control::spend(&self.house, order_id)
    }

    /// Ends a confirm that is running, as it was to end; false unless there is one of this id.
    pub fn finish(&self, order_id: &str) -> bool {
        control::end(&self.house, order_id)
    }

    /// Sets what is available of a currency, as decimal text; false if it is none.
    pub fn set_available(&self, currency: Currency, amount: &str) -> bool {
        let Some(amount) = amount::parse_amount(amount) else { return false };
        self.house.world().provider.set_available(currency, amount);
        true
    }
}

/// finperks' own books.
pub struct Finperks {
    credentials: Credentials,
    /// `host:port` texts that the `Host` header may name.
    hosts: Vec<String>,
    ledger: Ledger,
    keys: Keys,
    window: Window,
}

impl fmt::Debug for Finperks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Finperks(…)")
    }
}

impl Provider for Finperks {
    const NAME: &'static str = "finperks";
    const ROUTES: &'static str = " | GET /ledger?reveal=1 | POST /orders/{id}/redeem | POST /orders/{id}/finish | PUT /balances/{currency}";
    const FAULT: &'static str = r#"{"call":"confirm","fault":{"kind":"drop_answer","how":"silence"}}"#;
    type Call = CallKind;
    type Switches = Switches;
    type Settings = Settings;
    type Detail = CallDetail;
    type Job = Job;

    fn new(settings: &Settings, address: SocketAddr) -> Self {
        let mut ledger = Ledger::default();
        for (currency, opening) in &settings.opening {
            let account = Account { opening: Decimal::from(*opening), ..Account::default() };
            ledger.accounts.insert(*currency, account);
        }
        for id in &settings.stores {
            let mut data = Map::new();
            data.insert("id".to_owned(), json!(id));
            ledger.stores.insert(id.clone(), data);
        }
        let mut hosts = vec![address.to_string(), format!("localhost:{}", address.port())];
        hosts.extend(settings.hosts.iter().cloned());
        Self {
            credentials: settings.credentials.clone(),
            hosts,
            ledger,
            keys: Keys::default(),
            window: Window::default(),
        }
    }

    fn switches(settings: &Settings) -> Switches {
        settings.switches.clone()
    }

    fn check(_: &Switches) -> Result<(), String> {
        Ok(())
    }

    fn knows(_: &Fault) -> bool {
        true
    }

    fn admit(world: &mut World<Self>, asked: Asked) -> Result<(CallKind, Job), Answer> {
        let n = asked.n;
        admission::admit(world, asked).map_err(|refusal| refused(world, &refusal, n))
    }

    fn carry_out(world: &mut World<Self>, n: u64, job: &Job) -> Answer {
        if job.call == CallKind::Picture {
            world.calls.note(n, |record| record.executed = true);
            return pictures::answer(&job.path, &world.switches, &world.provider.hosts);
        }
        keyed(world, n, job).unwrap_or_else(|refusal| refused(world, &refusal, n))
    }

    fn refuse(
        world: &World<Self>,
        n: u64,
        code: &str,
        status: Option<u16>,
        retry_after_s: Option<u32>,
    ) -> Answer {
        let named = Refusal::named(code, status);
        refused(world, &Refusal { retry_after_s, ..named }, n)
    }

    fn broken(world: &World<Self>, n: u64, status: u16) -> Answer {
        refused(world, &Refusal { status, ..Code::Internal.into() }, n)
    }

    fn control() -> Router<Arc<House<Self>>> {
        control::routes()
    }
}

/// A refusal as it goes out.
fn refused(world: &World<Finperks>, refusal: &Refusal, n: u64) -> Answer {
    refusal.answer(world.switches.error_shape, world.switches.retry_after, world.now(), n)
}

/// Carries a call out, or answers it from the memory of keys.
fn keyed(world: &mut World<Finperks>, n: u64, job: &Job) -> Result<Answer, Refusal> {
    if !job.is_json {
        return Err(Code::InvalidRequestBody.into());
    }
    let keyed = match job.key.as_deref() {
        _ if job.method != "POST" => None,
        None if job.call == CallKind::Create => return Err(Code::InvalidIdempotencyKey.into()),
        None => None,
        Some(key) if !request::key_is_valid(key) => return Err(Code::InvalidIdempotencyKey.into()),
        Some(key) => Some((key, Fingerprint::of(&job.method, &job.path, &job.body))),
    };
    if let Some((key, fingerprint)) = keyed {
        match (world.provider.keys.look(key, fingerprint), world.switches.repeated_key) {
            (Known::New, _) => {}
            (Known::Same(answer), RepeatedKey::Replay) => return Ok(answer.clone()),
            (Known::Same(_), RepeatedKey::Error) | (Known::Other, _) => {
                return Err(Code::ReusedIdempotencyKey.into());
            }
        }
    }
    world.calls.note(n, |record| record.executed = true);
    let (status, body) = perform(world, n, job)?;
    let answer = Answer::json(status, &body);
    if let Some((key, fingerprint)) = keyed {
        world.provider.keys.remember(key.to_owned(), fingerprint, answer.clone());
    }
    Ok(answer)
}

fn perform(world: &mut World<Finperks>, n: u64, job: &Job) -> Result<(u16, Value), Refusal> {
    let now = world.now();
    let World { switches, provider, calls, .. } = world;
    let rules = Rules { switches, now };
    let Finperks { ledger, hosts, .. } = provider;
    let id = job.order_id.as_deref().unwrap_or_default();
    match job.call {
        CallKind::Products => {
            let all = catalogue::all().iter().map(|product| product.json(switches, hosts)).collect();
            Ok((200, switches.list("products", all, &job.query)))
        }
        CallKind::Balances => {
            let all = ledger.accounts.iter().map(|(currency, account)| {
                json!({
                    "currency": currency.code(),
                    "available": Money { currency: *currency, amount: account.available() }.json(),
                })
            });
            Ok((200, switches.list("balances", all.collect(), &job.query)))
        }
        CallKind::ListStores => {
            let all = ledger.stores.iter().map(|(id, data)| {
                let mut shown = data.clone();
                shown.insert("id".to_owned(), json!(id));
                Value::Object(shown)
            });
            Ok((200, switches.list("stores", all.collect(), &job.query)))
        }
        CallKind::RegisterStore => {
            let (id, data) = request::store(&job.body)?;
            let mut shown = data.clone();
            shown.insert("id".to_owned(), json!(id));
            ledger.register(id, data)?;
            Ok((201, Value::Object(shown)))
        }
        CallKind::Create => {
            let shown = ledger.create(request::wanted(&job.body)?, rules)?;
            let id = shown.get("id").and_then(Value::as_str).map(str::to_owned);
            calls.note(n, |record| record.detail.order_id = id);
            Ok((201, shown))
        }
        CallKind::Get => Ok((200, ledger.get(id, rules)?)),
        CallKind::Confirm => Ok((200, ledger.confirm(id, request::payment(&job.body)?, rules)?)),
        CallKind::Invalidate => {
            request::object(&job.body, true)?;
            Ok((200, ledger.invalidate(id, rules)?))
        }
        // Answered before.
        CallKind::Picture => Err(Code::PathNotFound.into()),
    }
}

impl Finperks {
    /// Sets what is available of a currency, by changing what was paid in.
    fn set_available(&mut self, currency: Currency, available: Decimal) {
        let account = self.ledger.accounts.entry(currency).or_default();
        account.opening = account.opening.saturating_add(available).saturating_sub(account.available());
    }
}
