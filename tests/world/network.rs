//! The line to the modelled provider, as the daemon's port.
//!
//! A request takes [`WAY`] to arrive and its answer as long to come back. It arrives even if the daemon dies in between.
//! Nothing lives longer on the line than [`LATE`], and an order is hidden for at most [`HIDDEN`]: both are shorter than the
//! quiet time that law L6 rests on. Without that assumption nobody could ever close a case.
//!
//! The provider has the true time. It refuses what is dated by a clock too far from it, and every answer tells its own.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::ids::{CardCode, ProviderKey, ProviderOrderId};
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Created, OrderSeen, Outcome, Trouble, UndoAnswer};
use tilld_domain::product::{CardKind, FaceValues, Product};
use tilld_domain::refusal::Refusal;
use tilld_providers::{
    Balance, Catalogue, ConfirmFacts, CreateFacts, Deadlines, GiftCards, Store, StoredRequest,
};
use tokio::sync::oneshot;

use super::World;
use super::fate::{Fault, Point};
use super::power::Life;
use super::provider::{Ledger, Wanted};

/// How long a request, or an answer, is under way.
pub const WAY: Duration = Duration::from_millis(20);
/// When a late request arrives: after the daemon has asked, given up, and owed the undo (10 s and 10 s).
pub const LATE: Duration = Duration::from_secs(25);
/// For how long a hidden order is not found.
pub const HIDDEN: Duration = Duration::from_mins(2);
/// What "not now" asks for.
const NOT_NOW: Duration = Duration::from_secs(2);

/// The products on the shelf.
pub const POR: (&str, i64) = ("4001232232332", 5_000);
pub const POSA: (&str, i64) = ("4001232100022", 2_500);

pub fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap())
}

/// The line in one life of the daemon.
pub struct Line {
    pub world: Arc<World>,
    pub life: Life,
    /// The provider's clock minus this machine's in ms, by the last answer.
    pub told: Mutex<Option<i64>>,
}

/// A request: what it does to the ledger.
type Does<T> = fn(&mut Ledger, &What) -> Outcome<T>;

/// What a request is about.
#[derive(Clone)]
enum What {
    Create(ProviderKey, Wanted),
    Order(ProviderOrderId),
}

impl What {
    fn order(&self) -> Option<&ProviderOrderId> {
        match self {
            Self::Create(..) => None,
            Self::Order(order) => Some(order),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Create(key, _) => key.as_str(),
            Self::Order(order) => order.as_str(),
        }
    }
}

impl Line {
    /// Sends a request that arrives after `way`; its outcome, when it has been carried out.
    fn send<T: Send + 'static>(
        &self,
        point: Point,
        what: &What,
        way: Duration,
        does: Does<T>,
    ) -> oneshot::Receiver<Outcome<T>> {
        let (reply, answer) = oneshot::channel();
        let (what, name) = (what.clone(), format!("provider: {point:?} {}", what.name()));
        self.world.later(way, name, move |inner| {
            // Who asked may be dead.
            let _ = reply.send(does(&mut inner.ledger, &what));
        });
        answer
    }

    async fn exchange<T: Send + 'static>(&self, point: Point, what: &What, does: Does<T>) -> Outcome<T> {
        let outcome = self.send(point, what, WAY, does).await.unwrap();
        self.world.clock.sleep(WAY).await;
        outcome
    }

    /// Whether a date signed now is too far from the provider's.
    fn date_is_refused(&self) -> bool {
        self.world.clock.off_ms().unsigned_abs() > u64::try_from(self.clock_tolerance().as_millis()).unwrap()
    }

    /// An answer tells the provider's time.
    fn hear<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        if matches!(outcome, Outcome::Done(_) | Outcome::Refused(_) | Outcome::Later { .. }) {
            *self.told.lock().unwrap() = Some(-self.world.clock.off_ms());
        }
        outcome
    }

    /// A call that no order waits for.
    async fn ask<T>(&self, answer: T) -> Outcome<T> {
        if self.life.is_over() {
            return pending().await;
        }
        let up = self.world.inner().fate.line_is_up();
        self.hear(match (up, self.date_is_refused()) {
            (false, _) => Outcome::NotSent(Trouble::Connect),
            (true, true) => Outcome::Refused(Refusal::ClockRefused),
            (true, false) => Outcome::Done(answer),
        })
    }

    async fn call<T: Send + 'static>(
        &self,
        point: Point,
        what: What,
        does: Does<T>,
        refused: Option<Refusal>,
    ) -> Outcome<T> {
        let does: Does<T> =
            if self.date_is_refused() { |_, _| Outcome::Refused(Refusal::ClockRefused) } else { does };
        self.hear(self.attempt(point, what, does, refused).await)
    }

    async fn attempt<T: Send + 'static>(
        &self,
        point: Point,
        what: What,
        does: Does<T>,
        refused: Option<Refusal>,
    ) -> Outcome<T> {
        if self.life.is_over() {
            return pending().await;
        }
        let world = &self.world;
        world.act(|| format!("daemon: {point:?} {}", what.name()));
        let (_, fault) = world.step(point, what.order().map(ProviderOrderId::as_str));
        let Some(fault) = fault else { return self.exchange(point, &what, does).await };
        match fault {
            Fault::CrashBefore(dark) | Fault::CrashWithin(dark) => {
                self.life.power_goes(world, dark);
                pending().await
            }
            Fault::CrashAfter(dark) => {
                self.send(point, &what, WAY, does);
                self.life.power_goes(world, dark);
                pending().await
            }
            Fault::Unreachable => Outcome::NotSent(Trouble::Connect),
            Fault::RequestLost => pending().await,
            Fault::RequestLate => {
                self.send(point, &what, LATE, does);
                pending().await
            }
            Fault::BrokenBefore => {
                world.clock.sleep(WAY).await;
                Outcome::Unknown(Trouble::Broken)
            }
            Fault::BrokenAfter => {
                self.exchange(point, &what, does).await;
                Outcome::Unknown(Trouble::Broken)
            }
            Fault::AnswerLost => {
                self.send(point, &what, WAY, does);
                pending().await
            }
            Fault::AnswerLate => {
                let outcome = self.exchange(point, &what, does).await;
                world.clock.sleep(DEADLINES.confirm.saturating_sub(4 * WAY)).await;
                outcome
            }
            Fault::Twice => {
                self.send(point, &what, LATE, does);
                self.exchange(point, &what, does).await
            }
            Fault::NotFound => {
                if let Some(order) = what.order().cloned() {
                    world.inner().ledger.hide(&order, true);
                    let name = format!("provider: finds {order} again");
                    world.later(HIDDEN, name, move |inner| inner.ledger.hide(&order, false));
                }
                self.exchange(point, &what, does).await
            }
            Fault::Refused => {
                if let Some(why) = refused {
                    world.clock.sleep(2 * WAY).await;
                    return Outcome::Refused(why);
                }
                if let Some(order) = what.order() {
                    world.inner().ledger.refuse_undo(order);
                }
                self.exchange(point, &what, does).await
            }
            Fault::DateRefused => {
                self.exchange(point, &what, |_, _| Outcome::Refused(Refusal::ClockRefused)).await
            }
            Fault::NotNow => {
                world.clock.sleep(2 * WAY).await;
                Outcome::Later { retry_after: Some(NOT_NOW) }
            }
            Fault::NoPaper
            | Fault::CoverOpen
            | Fault::PaperEnds
            | Fault::KnifeStuck
            | Fault::SilentBefore
            | Fault::SilentWithin
            | Fault::SilentAfter => panic!("{fault} at a call"),
        }
    }
}

const DEADLINES: Deadlines = Deadlines {
    create: Duration::from_secs(10),
    confirm: Duration::from_secs(10),
    lookup: Duration::from_secs(3),
    invalidate: Duration::from_secs(10),
    other: Duration::from_secs(20),
};

impl GiftCards for Line {
    fn name(&self) -> &'static str {
        "modelled"
    }

    fn deadlines(&self) -> Deadlines {
        DEADLINES
    }

    fn confirm_is_repeatable(&self) -> bool {
        true
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        *self.told.lock().unwrap()
    }

    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal> {
        let kind = if facts.kind == CardKind::Por { "por" } else { "posa" };
        Ok(StoredRequest(format!("{kind} {} {}", facts.face_value.minor(), facts.receipt)))
    }

    fn prepare_confirm(&self, facts: &ConfirmFacts) -> StoredRequest {
        StoredRequest(format!("paid {}", facts.receipt_total.minor()))
    }

    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        _: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>> {
        let words: Vec<&str> = request.0.splitn(3, ' ').collect();
        let wanted = Wanted {
            receipt: words[2].to_owned(),
            kind: if words[0] == "por" { CardKind::Por } else { CardKind::Posa },
            minor: words[1].parse().unwrap(),
        };
        let does: Does<Created> = |ledger, what| match what {
            What::Create(key, wanted) => ledger.create(key, wanted),
            What::Order(_) => panic!("a create names no order"),
        };
        Box::pin(self.call(Point::Create, What::Create(key.clone(), wanted), does, Some(Refusal::Declined)))
    }

    fn confirm<'a>(
        &'a self,
        order: &'a ProviderOrderId,
        _: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>> {
        let does: Does<OrderSeen> = |ledger, what| ledger.confirm(what.order().unwrap());
        Box::pin(self.call(Point::Confirm, What::Order(order.clone()), does, Some(Refusal::Declined)))
    }

    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        let does: Does<OrderSeen> = |ledger, what| ledger.look_up(what.order().unwrap());
        Box::pin(self.call(Point::Lookup, What::Order(order.clone()), does, Some(Refusal::Declined)))
    }

    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        let does: Does<UndoAnswer> = |ledger, what| ledger.invalidate(what.order().unwrap());
        Box::pin(self.call(Point::Undo, What::Order(order.clone()), does, None))
    }

    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        Box::pin(self.ask(Catalogue { products: catalogue(), unreadable: 0 }))
    }

    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>> {
        Box::pin(self.ask(Vec::new()))
    }

    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>> {
        Box::pin(async { Outcome::Done(Vec::new()) })
    }

    fn register_store<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Outcome<Store>> {
        Box::pin(async { Outcome::Refused(Refusal::RequestNotUnderstood) })
    }
}

/// What the modelled provider sells.
pub fn catalogue() -> Vec<Product> {
    [(POR, CardKind::Por), (POSA, CardKind::Posa)]
        .into_iter()
        .map(|((code, minor), kind)| Product {
            code: code.parse().unwrap(),
            name: "Gift card".to_owned(),
            brand: String::new(),
            kind,
            currency: euros(0).currency(),
            face_values: FaceValues::Fixed(vec![euros(minor)]),
            country: "DE".parse().unwrap(),
            sellable: true,
        })
        .collect()
}
