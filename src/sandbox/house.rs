//! The one place where everything that lives in a sandbox hangs together.
//!
//! [`World`] is all that a call can see or change; it stands behind one lock, which is never held over an await, so
//! every call is carried out whole and one after another. [`House`] is the world with its wake-ups and its tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::Settings;
use crate::amount::{Currency, Money};
use crate::answer::Answer;
use crate::calls::Calls;
use crate::catalogue;
use crate::faults::Faults;
use crate::keys::{Fingerprint, Keys, Known};
use crate::ledger::{Account, Ledger, Rules};
use crate::refusal::{Code, Refusal};
use crate::request::{self, CallKind};
use crate::switches::{ListShape, RepeatedKey, Switches};

/// How far the clock may be set off, in seconds: ten years.
pub(crate) const MOST_OFFSET_S: i64 = 10 * 366 * 24 * 3600;

/// A request that passed all checks of the door.
pub(crate) struct Job {
    /// Its number in the call log.
    pub n: u64,
    pub call: CallKind,
    pub method: String,
    pub path: String,
    pub query: String,
    pub order_id: Option<String>,
    pub key: Option<String>,
    pub body: Vec<u8>,
}

/// All that a call can see or change.
pub(crate) struct World {
    pub switches: Switches,
    pub ledger: Ledger,
    pub faults: Faults,
    pub calls: Calls,
    pub clock_offset_s: i64,
    keys: Keys,
    /// Where the present window of the rate limit began, and what it has let through.
    window: (Timestamp, u32),
}

impl World {
    fn new(settings: &Settings) -> Self {
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
        Self {
            switches: settings.switches.clone(),
            ledger,
            faults: Faults::default(),
            calls: Calls::default(),
            clock_offset_s: 0,
            keys: Keys::default(),
            window: (Timestamp::UNIX_EPOCH, 0),
        }
    }

    /// As at the start; only the numbers of the call log go on.
    pub fn reset(&mut self, settings: &Settings) {
        let mut calls = std::mem::take(&mut self.calls);
        calls.clear();
        *self = Self { calls, ..Self::new(settings) };
    }

    /// The sandbox's clock.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_secs(self.clock_offset_s)).unwrap_or(now)
    }

    /// Lets a request through the rate limit, or not.
    pub fn let_through(&mut self) -> Result<(), Refusal> {
        let Some(limit) = self.switches.rate_limit else { return Ok(()) };
        let now = self.now();
        let (began, count) = self.window;
        let age = now.duration_since(began);
        let open = !age.is_negative() && age < SignedDuration::from_secs(i64::from(limit.per_s));
        let count = if open { count } else { 0 };
        if count >= limit.requests {
            return Err(Refusal {
                retry_after_s: Some(u64::from(limit.retry_after_s)),
                ..Code::RateLimit.into()
            });
        }
        self.window = (if open { began } else { now }, count.saturating_add(1));
        Ok(())
    }

    /// A refusal as it goes out.
    pub fn refused(&self, refusal: &Refusal, n: u64) -> Answer {
        Answer::refusal(refusal, self.switches.error_shape, self.switches.retry_after, self.now(), n)
    }

    /// Carries a call out, or answers it from the memory of keys.
    pub fn carry_out(&mut self, job: &Job) -> Answer {
        self.keyed(job).unwrap_or_else(|refusal| self.refused(&refusal, job.n))
    }

    fn keyed(&mut self, job: &Job) -> Result<Answer, Refusal> {
        let keyed = match job.key.as_deref() {
            _ if job.method != "POST" => None,
            None if job.call == CallKind::Create => return Err(Code::InvalidIdempotencyKey.into()),
            None => None,
            Some(key) if !request::key_is_valid(key) => return Err(Code::InvalidIdempotencyKey.into()),
            Some(key) => Some((key, Fingerprint::of(&job.method, &job.path, &job.body))),
        };
        if let Some((key, fingerprint)) = keyed {
            match (self.keys.look(key, fingerprint), self.switches.repeated_key) {
                (Known::New, _) => {}
                (Known::Same(answer), RepeatedKey::Replay) => return Ok(answer.clone()),
                (Known::Same(_), RepeatedKey::Error) | (Known::Other, _) => {
                    return Err(Code::ReusedIdempotencyKey.into());
                }
            }
        }
        self.calls.note(job.n, |record| record.executed = true);
        let (status, body) = self.perform(job)?;
        let answer = Answer::json(status, &body);
        if let Some((key, fingerprint)) = keyed {
            self.keys.remember(key.to_owned(), fingerprint, answer.clone());
        }
        Ok(answer)
    }

    fn perform(&mut self, job: &Job) -> Result<(u16, Value), Refusal> {
        let rules = Rules { switches: &self.switches, now: self.now() };
        let id = job.order_id.as_deref().unwrap_or_default();
        match job.call {
            CallKind::Products => {
                let all = catalogue::all().iter().map(|product| product.json(&self.switches)).collect();
                Ok((200, self.list("products", all, &job.query)))
            }
            CallKind::Balances => {
                let all = self.ledger.accounts.iter().map(|(currency, account)| {
                    json!({
                        "currency": currency.code(),
                        "available": Money { currency: *currency, amount: account.available() }.json(),
                    })
                });
                let all = all.collect();
                Ok((200, self.list("balances", all, &job.query)))
            }
            CallKind::ListStores => {
                let all = self.ledger.stores.iter().map(|(id, data)| {
                    let mut shown = data.clone();
                    shown.insert("id".to_owned(), json!(id));
                    Value::Object(shown)
                });
                let all = all.collect();
                Ok((200, self.list("stores", all, &job.query)))
            }
            CallKind::RegisterStore => {
                let (id, data) = request::store(&job.body)?;
                let mut shown = data.clone();
                shown.insert("id".to_owned(), json!(id));
                self.ledger.register(id, data)?;
                Ok((201, Value::Object(shown)))
            }
            CallKind::Create => {
                let shown = self.ledger.create(request::wanted(&job.body)?, rules)?;
                let id = shown.get("id").and_then(Value::as_str).map(str::to_owned);
                self.calls.note(job.n, |record| record.order_id = id);
                Ok((201, shown))
            }
            CallKind::Get => Ok((200, self.ledger.get(id, rules)?)),
            CallKind::Confirm => Ok((200, self.ledger.confirm(id, request::payment(&job.body)?, rules)?)),
            CallKind::Invalidate => {
                request::object(&job.body, true)?;
                Ok((200, self.ledger.invalidate(id, rules)?))
            }
        }
    }

    /// Wraps a list as the switch says. A cursor is the place of the page's first entry.
    fn list(&self, name: &str, all: Vec<Value>, query: &str) -> Value {
        match self.switches.list_shape {
            ListShape::Array => Value::Array(all),
            ListShape::Data => json!({"data": all}),
            ListShape::Paged => {
                let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="));
                let first: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
                let size = usize::try_from(self.switches.page_size.max(1)).unwrap_or(usize::MAX);
                let next = first.saturating_add(size);
                let more = next < all.len();
                let page: Vec<Value> = all.into_iter().skip(first).take(size).collect();
                let mut body = Map::new();
                body.insert(name.to_owned(), Value::Array(page));
                body.insert(
                    "next_cursor".to_owned(),
                    if more { json!(next.to_string()) } else { Value::Null },
                );
                Value::Object(body)
            }
        }
    }

    /// Sets what is available of a currency, by changing what was paid in.
    pub fn set_available(&mut self, currency: Currency, available: Decimal) {
        let account = self.ledger.accounts.entry(currency).or_default();
        account.opening = account.opening.saturating_add(available).saturating_sub(account.available());
    }
}

/// What a call waits for before it is carried out.
pub(crate) enum Pause {
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
pub(crate) struct House {
    pub settings: Settings,
    /// `host:port` texts that the `Host` header may name.
    pub hosts: Vec<String>,
    pub closing: watch::Receiver<bool>,
    world: Mutex<World>,
    released: watch::Sender<u64>,
    changed: watch::Sender<u64>,
    tasks: Mutex<JoinSet<()>>,
}

impl House {
    pub fn new(settings: Settings, hosts: Vec<String>, closing: watch::Receiver<bool>) -> Self {
        Self {
            world: Mutex::new(World::new(&settings)),
            settings,
            hosts,
            closing,
            released: watch::Sender::new(0),
            changed: watch::Sender::new(0),
            tasks: Mutex::new(JoinSet::new()),
        }
    }

    /// The world. It is whole even if another holder panicked: every change in it is one call's.
    pub fn world(&self) -> MutexGuard<'_, World> {
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

    /// Back to the start: what waits to be carried out never is.
    pub fn reset(&self) {
        self.tasks().abort_all();
        self.world().reset(&self.settings);
        self.release();
    }

    /// Carries a job out.
    pub fn carry_out(&self, job: &Job) -> Answer {
        let answer = self.world().carry_out(job);
        self.announce();
        answer
    }

    /// Carries a job out after a pause, whether anybody still waits for the answer or not; nothing if a reset came first.
    pub async fn carry_out_after(self: &Arc<Self>, pause: Pause, job: Job) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        let house = Arc::clone(self);
        {
            let mut tasks = self.tasks();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                pause.over().await;
                // The client may be gone, which changes nothing about what was done.
                let _ = sender.send(house.carry_out(&job)).is_ok();
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
