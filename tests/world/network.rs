//! The line to the modelled provider, as the daemon's port.
//!
//! How a call goes there and back is the [`wire`](super::wire)'s. An order is hidden for at most [`HIDDEN`]: shorter than the quiet
//! time that law L6 rests on. Without that assumption nobody could ever close a case.
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

use super::Inner;
use super::fate::{Fault, Point};
use super::provider::{Ledger, Wanted};
use super::wire::{Does, WAY, Wire};

/// For how long a hidden order is not found.
pub const HIDDEN: Duration = Duration::from_mins(2);

/// The products on the shelf.
pub const POR: (&str, i64) = ("4001232232332", 5_000);
pub const POSA: (&str, i64) = ("4001232100022", 2_500);

pub fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap())
}

/// The line in one life of the daemon.
pub struct Line {
    pub wire: Wire,
    /// The provider's clock minus this machine's in ms, by the last answer.
    pub told: Mutex<Option<i64>>,
}

/// A request: what it does to the ledger of orders.
type ToOrders<T> = fn(&mut Ledger, &What) -> Outcome<T>;

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
    /// Whether a date signed now is too far from the provider's.
    fn date_is_refused(&self) -> bool {
        self.wire.world.clock.off_ms().unsigned_abs()
            > u64::try_from(self.clock_tolerance().as_millis()).unwrap()
    }

    /// An answer tells the provider's time.
    fn hear<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        if matches!(outcome, Outcome::Done(_) | Outcome::Refused(_) | Outcome::Later { .. }) {
            *self.told.lock().unwrap() = Some(-self.wire.world.clock.off_ms());
        }
        outcome
    }

    /// A call that no order waits for.
    async fn ask<T>(&self, answer: T) -> Outcome<T> {
        if self.wire.life.is_over() {
            return pending().await;
        }
        let up = self.wire.world.inner().fate.line_is_up();
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
        does: ToOrders<T>,
        refused: Option<Refusal>,
    ) -> Outcome<T> {
        let does: ToOrders<T> =
            if self.date_is_refused() { |_, _| Outcome::Refused(Refusal::ClockRefused) } else { does };
        self.hear(self.attempt(point, what, does, refused).await)
    }

    async fn attempt<T: Send + 'static>(
        &self,
        point: Point,
        what: What,
        does: ToOrders<T>,
        refused: Option<Refusal>,
    ) -> Outcome<T> {
        if self.wire.life.is_over() {
            return pending().await;
        }
        let world = &self.wire.world;
        world.act(|| format!("daemon: {point:?} {}", what.name()));
        let order = what.order().cloned();
        let hidden_before =
            order.as_ref().is_some_and(|order| world.inner().ledger.was_hidden(order.as_str()));
        let (_, fault) = world.step(point, hidden_before);
        let name = format!("provider: {point:?} {}", what.name());
        let does: Does<T> = Arc::new(move |inner: &mut Inner| does(&mut inner.ledger, &what));
        match fault {
            Some(Fault::NotFound) => {
                if let Some(order) = order {
                    world.inner().ledger.hide(&order, true);
                    let name = format!("provider: finds {order} again");
                    world.later(HIDDEN, name, move |inner| inner.ledger.hide(&order, false));
                }
                self.wire.exchange(&name, &does).await
            }
            Some(Fault::Refused) => {
                if let Some(why) = refused {
                    world.clock.sleep(2 * WAY).await;
                    return Outcome::Refused(why);
                }
                if let Some(order) = order {
                    world.inner().ledger.refuse_undo(&order);
                }
                self.wire.exchange(&name, &does).await
            }
            Some(Fault::DateRefused) => {
                self.wire
                    .exchange(
                        &name,
                        &(Arc::new(|_: &mut Inner| Outcome::Refused(Refusal::ClockRefused)) as Does<T>),
                    )
                    .await
            }
            fault => self.wire.carry(&name, &does, fault, DEADLINES.confirm).await,
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
        let does: ToOrders<Created> = |ledger, what| match what {
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
        let does: ToOrders<OrderSeen> = |ledger, what| ledger.confirm(what.order().unwrap());
        Box::pin(self.call(Point::Confirm, What::Order(order.clone()), does, Some(Refusal::Declined)))
    }

    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        let does: ToOrders<OrderSeen> = |ledger, what| ledger.look_up(what.order().unwrap());
        Box::pin(self.call(Point::Lookup, What::Order(order.clone()), does, Some(Refusal::Declined)))
    }

    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        let does: ToOrders<UndoAnswer> = |ledger, what| ledger.invalidate(what.order().unwrap());
        Box::pin(self.call(Point::Undo, What::Order(order.clone()), does, None))
    }

    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        Box::pin(self.ask(Catalogue { products: catalogue(), unreadable: 0, pictures: Vec::new() }))
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
