//! A modelled world around the real counter: provider, network, printer, till, customer and power, in virtual time.
//!
//! What is real: the machines, the driver, the desk, replay, the slip's maker, and a journal on disk (wiped before a run; it stays open
//! across crashes, because what its files survive is the proof of power cuts). What is modelled: everything behind the
//! counter's ports, and everyone in front of it.
//!
//! | file | models |
//! |---|---|
//! | [`clock`] | time, which jumps when nothing can run |
//! | [`fate`] | what goes wrong, where, by whose decision |
//! | [`provider`] | the ledger of orders: the first book |
//! | [`network`] | the line to the provider, as the daemon's port |
//! | [`vouchers`], [`voucher_line`] | the same of the provider of vouchers |
//! | [`wire`] | the way of a call: late, lost and doubled requests and answers |
//! | [`printer`] | the printer and the paper that came out: the second book |
//! | [`till`] | till software, cashier, customer, and their money: the third book |
//! | [`guest`] | the same for who redeems vouchers, and what the till counts for them |
//! | [`manager`] | the manager, who closes what nobody else can |
//! | [`power`] | the daemon's lives, and how they end |
//! | [`books`] | the comparison of the three books at rest |
//! | [`voucher_books`] | the comparison of what was taken from vouchers and what counts |
//! | [`run`] | one history from the first request to rest |
//!
//! Everything runs on one thread and draws no random number that matters, so a history is a pure function of its baskets and
//! its faults. People are modelled as sensible: they do what the screen says, look at the paper before they say what is on
//! it, and tear up what is to be torn up.

pub mod books;
pub mod clock;
pub mod fate;
pub mod guest;
pub mod manager;
pub mod network;
pub mod power;
pub mod printer;
pub mod provider;
pub mod run;
pub mod till;
pub mod told;
pub mod voucher_books;
pub mod voucher_line;
pub mod vouchers;
pub mod wire;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tilld_counter::Counter;
use tilld_devices::printer::Status;
use tilld_journal::{Journal, Seq, Subject};
use tokio::sync::watch;

use clock::VirtualClock;
use fate::{Dark, Fate, Fault, Point};
use guest::{Bought, Visit};
use power::Life;
use printer::Piece;
use provider::Ledger;
use till::Money;
use told::Told;
use vouchers::Vouchers;

/// A step at which something could have gone wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub number: u32,
    pub point: Point,
    /// What it is about was not found before: a provider loses sight of an order or a redemption once.
    pub hidden_before: bool,
}

/// Everything that outlives the daemon but the journal.
pub struct Inner {
    pub ledger: Ledger,
    pub vouchers: Vouchers,
    /// The baskets that vouchers are redeemed for.
    pub visits: BTreeMap<String, Bought>,
    pub papers: Vec<Piece>,
    /// What the printer says of itself.
    pub printer_is: watch::Sender<Option<Status>>,
    /// By receipt.
    pub money: BTreeMap<String, Money>,
    /// The activated cards that customers took along, by order.
    pub taken: Vec<String>,
    /// What every till is doing, by receipt, and since when if a person takes their time for it. One that is done is not
    /// listed.
    pub tills: BTreeMap<String, (String, Option<Duration>)>,
    /// Requests on their way: when they arrive, and what they are.
    under_way: BTreeMap<u64, (Duration, String)>,
    fate: Box<dyn Fate>,
    steps: u32,
    /// Where something can go wrong, in order.
    pub seen: Vec<Step>,
    pub hits: usize,
    last_act: Duration,
    ids: u128,
    numbers: u64,
    dark: Option<Dark>,
    pub lives: usize,
    pub trouble: Vec<String>,
    pub story: Vec<String>,
}

impl Inner {
    /// A guest sets out.
    pub fn expect(&mut self, visit: &Visit) {
        let Visit { basket, voucher, wish, .. } = visit;
        let alike = self.visits.values().any(|other| other.voucher == *voucher && other.wish == *wish);
        assert!(!alike, "{basket}: what it redeems must tell it from others of {voucher}");
        let bought = Bought {
            voucher: voucher.clone(),
            wish: *wish,
            counted: 0,
            goods: false,
            by_manager: Vec::new(),
        };
        self.visits.insert(basket.clone(), bought);
    }

    /// How much somebody wants to redeem of a voucher.
    fn wish_of(&self, voucher: &str) -> i64 {
        self.visits.values().rfind(|bought| bought.voucher == voucher).map_or(0, |bought| bought.wish)
    }
}

/// The world.
pub struct World {
    pub clock: VirtualClock,
    pub journal: Journal,
    /// The daemon, while it runs.
    pub daemon: Told<Option<(Counter, Life)>>,
    pub printing: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
    telling: bool,
}

impl World {
    pub fn new(clock: VirtualClock, journal: Journal, fate: Box<dyn Fate>, telling: bool) -> Arc<Self> {
        let inner = Inner {
            ledger: Ledger::default(),
            vouchers: Vouchers::default(),
            visits: BTreeMap::new(),
            papers: Vec::new(),
            printer_is: watch::Sender::new(None),
            money: BTreeMap::new(),
            taken: Vec::new(),
            tills: BTreeMap::new(),
            under_way: BTreeMap::new(),
            fate,
            steps: 0,
            seen: Vec::new(),
            hits: 0,
            last_act: Duration::ZERO,
            ids: 0,
            numbers: 0,
            dark: None,
            lives: 0,
            trouble: Vec::new(),
            story: Vec::new(),
        };
        Arc::new(Self {
            clock,
            journal,
            daemon: Told::default(),
            printing: tokio::sync::Mutex::default(),
            inner: Mutex::new(inner),
            telling,
        })
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Something has happened: the world is not at rest. `what` is only worded for a reader.
    pub fn act(&self, what: impl FnOnce() -> String) {
        let passed = self.clock.passed();
        let mut inner = self.inner();
        inner.last_act = passed;
        if self.telling {
            let line = format!("{:>10.3} s  {}", passed.as_secs_f64(), what());
            inner.story.push(line);
        }
    }

    pub fn last_act(&self) -> Duration {
        self.inner().last_act
    }

    /// The next step, and what goes wrong at it. A turn of the driver is noted only if it writes ([`World::wrote`]).
    /// `hidden_before`: what it is about was not found before.
    fn step(&self, point: Point, hidden_before: bool) -> (u32, Option<Fault>) {
        let mut inner = self.inner();
        let number = inner.steps;
        inner.steps += 1;
        if point != Point::Turn {
            inner.seen.push(Step { number, point, hidden_before });
        }
        let fault = inner.fate.at(number, point);
        // Law L6 rests on this: a provider loses sight of something once.
        let fault = fault.filter(|fault| !(hidden_before && *fault == Fault::NotFound));
        if let Some(fault) = fault {
            inner.hits += 1;
            drop(inner);
            self.act(|| format!("** step {number}: {fault}"));
        }
        (number, fault)
    }

    /// A turn has written.
    fn wrote(&self, number: u32) {
        self.inner().seen.push(Step { number, point: Point::Turn, hidden_before: false });
        self.act(|| {
            let last = self.journal.last().unwrap().number();
            let heads = self.journal.entries_after(Seq::new(last.saturating_sub(1)), 1).unwrap();
            let head = heads.first().unwrap();
            let card = head.card.map(|card| format!(" of card {card:?}")).unwrap_or_default();
            format!("step {number}: written up to entry {last}: {}{card}, {}", head.kind, head.state)
        });
    }

    fn new_id(&self) -> u128 {
        let mut inner = self.inner();
        inner.ids += 1;
        inner.ids
    }

    /// Whether a request is on its way, or will arrive once more.
    pub fn something_is_under_way(&self) -> bool {
        !self.inner().under_way.is_empty()
    }

    /// Lets something happen later, whatever becomes of the daemon until then.
    fn later(self: &Arc<Self>, after: Duration, what: String, act: impl FnOnce(&mut Inner) + Send + 'static) {
        let number = {
            let mut inner = self.inner();
            inner.numbers += 1;
            let number = inner.numbers;
            inner.under_way.insert(number, (self.clock.passed() + after, what));
            number
        };
        let world = Arc::clone(self);
        let until = self.clock.sleep(after);
        tokio::spawn(async move {
            until.await;
            let mut inner = world.inner();
            let (_, what) = inner.under_way.remove(&number).unwrap();
            act(&mut inner);
            drop(inner);
            world.act(|| what);
        });
    }

    /// How many steps there were so far.
    pub fn steps(&self) -> usize {
        self.inner().seen.len()
    }

    /// All that decides about the future while the daemon is dead, for how long it will be, with time counted from now: the journal's history and the
    /// states that it makes, the provider's orders, what is on its way, paper, money, and what every till is about to do.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let now = self.clock.now().ms();
        let passed = self.clock.passed();
        let mut subjects = Vec::new();
        for head in self.journal.entries_after(Seq::NONE, 10_000).unwrap() {
            (&head.kind, format!("{:?}", head.card), &head.state).hash(&mut hasher);
            if !subjects.contains(&head.subject) {
                subjects.push(head.subject);
            }
        }
        for subject in subjects {
            let last = match subject {
                Subject::Sale(sale) => format!("{:?}", self.journal.latest(sale).unwrap()),
                Subject::Redemption(redemption) => {
                    format!("{:?}", self.journal.latest_redemption(redemption).unwrap())
                }
                Subject::Device(device) => format!("{:?}", self.journal.device(device).unwrap()),
                // No script of the modelled world closes one.
                Subject::Day(_) => String::new(),
            };
            counted_from(&last, now).hash(&mut hasher);
        }
        let inner = self.inner();
        format!("{:?}", inner.ledger.orders).hash(&mut hasher);
        format!("{:?} {:?}", inner.vouchers, inner.visits).hash(&mut hasher);
        let mut under_way: Vec<_> =
            inner.under_way.values().map(|(at, what)| (at.saturating_sub(passed), what)).collect();
        under_way.sort();
        under_way.hash(&mut hasher);
        inner.papers.hash(&mut hasher);
        inner.printer_is.borrow().hash(&mut hasher);
        format!("{:?}", inner.money).hash(&mut hasher);
        inner.taken.hash(&mut hasher);
        for (receipt, (what, since)) in &inner.tills {
            (receipt, what, since.map(|since| passed.saturating_sub(since))).hash(&mut hasher);
        }
        (inner.dark, inner.ids).hash(&mut hasher);
        hasher.finish()
    }
}

/// A text of states with every moment replaced by its distance from `now`.
fn counted_from(text: &str, now: i64) -> String {
    let mut counted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("Moment(") {
        let (ms, after) = after.split_once(')').unwrap();
        counted.push_str(before);
        counted.push_str(&(ms.parse::<i64>().unwrap() - now).to_string());
        rest = after;
    }
    counted.push_str(rest);
    counted
}
