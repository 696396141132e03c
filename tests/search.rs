//! The enumeration of all faults: every sequence of up to N of them, each a history of its own.
//!
//! A history without faults shows the steps at which something can go wrong; each step and each fault that fits it make a
//! sequence of one fault. Its history shows the steps after that fault, each of which makes sequences of two, and so on. So
//! every sequence of at most N faults is run from the first request to rest, and no other.
//!
//! One cut is made. After a crash nothing is left in memory: what follows is decided by the journal, the provider, what is on
//! its way, paper, money, and what the people are about to do ([`World::fingerprint`]). If a sequence ends in a crash, and
//! another one with no more faults has come to the same state, the rest of both is the same, and only one is run and carried
//! on. Sequences that were cut so are counted (*joined*). That the rest is the same is itself tried: a search without the cut
//! runs every rest, and one that differs from what followed the same state before is a violation.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tilld_domain::product::CardKind;
use tilld_domain::voucher::{Offers, Recourse, Reversal};

use crate::world::fate::{Fate, Fault, Hit, Plan, Point};
use crate::world::guest::{Then, Visit};
use crate::world::power::SetUp;
use crate::world::run::{History, Outcome, Redeeming, Slate};
use crate::world::till::{Basket, Customer, Manner};
use crate::world::vouchers::Sort;
use crate::world::{Step, World};

/// What is traded, with whom.
#[derive(Debug, Clone, Copy)]
enum Trade {
    /// Cards are sold to a customer.
    Cards(&'static [CardKind], Customer),
    /// Vouchers are redeemed at a provider that offers this, by a guest each.
    Vouchers(Offers, Sort, &'static [(i64, Then)]),
}

/// A way of trade, all of whose faults are tried.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    trade: Trade,
    /// Two cards, or two guests, have so many sequences that they get one fault less; so does what differs from another one in
    /// little. `enumerate 4` tries three there too.
    pub faults_less: usize,
}

/// All of them.
pub const SCENARIOS: [Scenario; 19] = [
    one("por", &[CardKind::Por], Customer::Waits),
    one("por-money-back", &[CardKind::Por], Customer::WantsMoney),
    one("por-cancelled", &[CardKind::Por], Customer::Cancels),
    one("por-left", &[CardKind::Por], Customer::WalksAway),
    one("posa", &[CardKind::Posa], Customer::Waits),
    Scenario { faults_less: 1, ..one("posa-money-back", &[CardKind::Posa], Customer::WantsMoney) },
    two("por-and-posa", &[CardKind::Por, CardKind::Posa]),
    two("two-por", &[CardKind::Por, CardKind::Por]),
    guest("redeem", COMPARABLE, Sort::Money, &[(1_250, Then::Completes)]),
    less("redeem-items", COMPARABLE, Sort::Items, &[(4, Then::Completes)]),
    less("redeem-all", COMPARABLE, Sort::Money, &[(2_500, Then::Completes)]),
    less("redeem-cancelled", COMPARABLE, Sort::Money, &[(1_250, Then::Cancels)]),
    less("redeem-returned", COMPARABLE, Sort::Money, &[(1_250, Then::Returns)]),
    less("redeem-left", COMPARABLE, Sort::Money, &[(1_250, Then::Leaves)]),
    less("redeem-once", offers(Recourse::Comparable, Reversal::Once), Sort::Money, &[(1_250, Then::Cancels)]),
    less(
        "redeem-manual",
        offers(Recourse::Comparable, Reversal::NotConfirmed),
        Sort::Money,
        &[(1_250, Then::Cancels)],
    ),
    less(
        "redeem-findable",
        offers(Recourse::Findable, Reversal::Repeatable),
        Sort::Money,
        &[(1_250, Then::Cancels)],
    ),
    less(
        "redeem-repeatable",
        offers(Recourse::Repeatable, Reversal::Repeatable),
        Sort::Money,
        &[(1_250, Then::Cancels)],
    ),
    Scenario {
        faults_less: 1,
        ..guest("two-redeem", COMPARABLE, Sort::Money, &[(1_250, Then::Completes), (1_000, Then::Cancels)])
    },
];

/// As the simulated Gift Local is, once its reversal is confirmed.
const COMPARABLE: Offers = offers(Recourse::Comparable, Reversal::Repeatable);
/// What is on a voucher at first: enough for everybody who wants some of it.
const CENTS: i64 = 2_500;
const ITEMS: i64 = 11;

const fn offers(recourse: Recourse, reversal: Reversal) -> Offers {
    Offers { recourse, reversal }
}

const fn one(name: &'static str, cards: &'static [CardKind], customer: Customer) -> Scenario {
    Scenario { name, trade: Trade::Cards(cards, customer), faults_less: 0 }
}

const fn two(name: &'static str, cards: &'static [CardKind]) -> Scenario {
    Scenario { name, trade: Trade::Cards(cards, Customer::Waits), faults_less: 1 }
}

const fn guest(name: &'static str, offers: Offers, sort: Sort, guests: &'static [(i64, Then)]) -> Scenario {
    Scenario { name, trade: Trade::Vouchers(offers, sort, guests), faults_less: 0 }
}

/// One that is tried with a fault less: it differs from another one in little, and has many steps.
const fn less(name: &'static str, offers: Offers, sort: Sort, guests: &'static [(i64, Then)]) -> Scenario {
    Scenario { faults_less: 1, ..guest(name, offers, sort, guests) }
}

impl Scenario {
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    fn baskets(&self) -> Vec<Basket> {
        let Trade::Cards(cards, customer) = self.trade else { return Vec::new() };
        let manner = Manner::default();
        vec![Basket { receipt: "R1".to_owned(), cards: cards.to_vec(), customer, manner }]
    }

    fn redeeming(&self) -> Option<Redeeming> {
        let Trade::Vouchers(offers, sort, guests) = self.trade else { return None };
        let visit = |(place, (wish, then)): (usize, &(i64, Then))| Visit {
            basket: format!("B{}", place + 1),
            voucher: "V1".to_owned(),
            wish: *wish,
            then: *then,
            takes_less: *then != Then::Returns,
            manner: Manner::default(),
        };
        let issued = if sort == Sort::Money { CENTS } else { ITEMS };
        Some(Redeeming {
            offers,
            issued: vec![("V1".to_owned(), sort, issued)],
            visits: guests.iter().enumerate().map(visit).collect(),
        })
    }

    /// Runs one sequence and keeps its story.
    pub fn replay(&self, set_up: SetUp, hits: &[Hit]) -> Outcome {
        self.told(set_up, Plan::new(hits))
    }

    /// Runs it in the hands of any fate, and keeps its story.
    pub fn told(&self, set_up: SetUp, fate: impl Fate + 'static) -> Outcome {
        let (mut paper, baskets, redeeming) = (Slate::default(), self.baskets(), self.redeeming());
        let history = History {
            slate: &mut paper,
            baskets: &baskets,
            redeeming: redeeming.as_ref(),
            set_up,
            telling: true,
        };
        history.run(fate, |_| true)
    }
}

/// A sequence whose books do not agree.
#[derive(Debug, Clone)]
pub struct Violation {
    pub scenario: &'static str,
    pub hits: Vec<Hit>,
    pub wrong: Vec<String>,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Sequences by the number of their faults.
    pub sequences: BTreeMap<usize, usize>,
    /// Of these, cut after their last crash because the rest was known.
    pub joined: usize,
    /// Steps at which faults were tried.
    pub steps: usize,
    pub crashes: usize,
    pub restarts: usize,
    /// How sales ended, by the books.
    pub ends: BTreeMap<String, usize>,
    pub violations: Vec<Violation>,
}

impl Figures {
    pub fn add(&mut self, other: Self) {
        for (faults, count) in other.sequences {
            *self.sequences.entry(faults).or_default() += count;
        }
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.joined += other.joined;
        self.steps += other.steps;
        self.crashes += other.crashes;
        self.restarts += other.restarts;
        self.violations.extend(other.violations);
    }

    pub fn run(&self) -> usize {
        self.sequences.values().sum()
    }

    fn note(&mut self, scenario: &Scenario, hits: &[Hit], outcome: &Outcome) {
        *self.sequences.entry(hits.len()).or_default() += 1;
        self.joined += usize::from(outcome.joined);
        self.crashes += hits.iter().filter(|hit| hit.fault.is_crash()).count();
        self.restarts += outcome.lives - 1;
        for end in outcome.ends.values() {
            *self.ends.entry(end.clone()).or_default() += 1;
        }
        let mut wrong = outcome.wrong.clone();
        if outcome.hits != hits.len() {
            wrong.push(format!(
                "only {} of {} faults struck: the history does not repeat",
                outcome.hits,
                hits.len()
            ));
        }
        if !wrong.is_empty() {
            self.violations.push(Violation { scenario: scenario.name, hits: hits.to_vec(), wrong });
        }
    }
}

impl Violation {
    /// The command that shows it.
    pub fn command(&self) -> String {
        let mut command = format!("target/release/enumerate replay {}", self.scenario);
        for hit in &self.hits {
            let _ = write!(command, " {hit}");
        }
        command
    }
}

/// Which faults are tried at a step.
fn faults_at(step: Step) -> impl Iterator<Item = Fault> + use<> {
    // Law L6 rests on this: a provider loses sight of something once, and for less than the quiet time.
    let hidden_before = step.hidden_before;
    step.point.faults().iter().copied().filter(move |fault| !(hidden_before && *fault == Fault::NotFound))
}

/// How far to search.
#[derive(Clone, Copy)]
pub struct Search {
    pub set_up: SetUp,
    /// The most faults in a sequence.
    pub faults: usize,
    /// It stops early when it has found so many violations.
    pub enough: usize,
    /// Make the cut; without it every sequence is run to its end, and compared with those that came to the same state.
    pub cut: bool,
}

impl Search {
    /// Every sequence of at most so many faults, of the product as it is.
    pub fn of(faults: usize) -> Self {
        Self { set_up: SetUp::default(), faults, enough: 1_000, cut: true }
    }
}

/// What followed a state: where something could go wrong, and how it ended.
#[derive(PartialEq)]
struct Followed {
    steps: Vec<(Point, bool)>,
    ends: BTreeMap<String, String>,
}

impl Followed {
    /// After so many steps.
    fn of(outcome: &Outcome, steps: usize) -> Self {
        let rest = outcome.steps.iter().skip(steps);
        let steps = rest.map(|step| (step.point, step.hidden_before)).collect();
        Self { steps, ends: outcome.ends.clone() }
    }
}

/// The first sequence that came to a state, once it is known what followed.
type Rest = Option<(Vec<Hit>, Followed)>;

/// Runs every sequence of faults.
pub fn enumerate(scenario: &Scenario, search: Search) -> Figures {
    let Search { set_up, faults, enough, cut } = search;
    let (baskets, redeeming) = (scenario.baskets(), scenario.redeeming());
    let known: Arc<Mutex<HashMap<u64, Rest>>> = Arc::default();
    let mut total = Figures::default();
    let mut level: Vec<Vec<Hit>> = vec![Vec::new()];
    for depth in 0..=faults {
        let next = AtomicUsize::new(0);
        let found = AtomicUsize::new(total.violations.len());
        let work = || {
            let mut figures = Figures::default();
            let mut children = Vec::new();
            let mut paper = Slate::default();
            while let Some(hits) = level.get(next.fetch_add(1, Ordering::Relaxed))
                && found.load(Ordering::Relaxed) < enough
            {
                let history = History {
                    slate: &mut paper,
                    baskets: &baskets,
                    redeeming: redeeming.as_ref(),
                    set_up,
                    telling: false,
                };
                let crash_ends_it = hits.last().is_some_and(|hit| hit.fault.is_crash());
                let crashes = hits.iter().filter(|hit| hit.fault.is_crash()).count();
                let mut crash = 0;
                let at_crash: Arc<Mutex<Option<(u64, usize)>>> = Arc::default();
                let (states, reached) = (Arc::clone(&known), Arc::clone(&at_crash));
                let goes_on = move |world: &World| {
                    crash += 1;
                    // Every earlier crash was looked at when it was the last one.
                    if !crash_ends_it || crash != crashes {
                        return true;
                    }
                    let state = world.fingerprint();
                    *reached.lock().unwrap() = Some((state, world.steps()));
                    match states.lock().unwrap().entry(state) {
                        Entry::Vacant(new) => {
                            new.insert(Rest::default());
                            true
                        }
                        Entry::Occupied(_) => !cut,
                    }
                };
                let mut outcome = history.run(Plan::new(hits), goes_on);
                let state = *at_crash.lock().unwrap();
                if let Some((state, steps)) = state.filter(|_| !cut) {
                    let followed = Followed::of(&outcome, steps);
                    let mut states = known.lock().unwrap();
                    match states.entry(state).or_default() {
                        Some((other, first)) if *first != followed => outcome.wrong.push(format!(
                            "it goes on in another way than {other:?}, which came to the same state"
                        )),
                        Some(_) => {}
                        unheard => *unheard = Some((hits.clone(), followed)),
                    }
                }
                let before = figures.violations.len();
                figures.note(scenario, hits, &outcome);
                found.fetch_add(figures.violations.len() - before, Ordering::Relaxed);
                let after = hits.last().map_or(0, |hit| hit.step + 1);
                let steps = outcome.steps.iter().filter(|step| step.number >= after && !outcome.joined);
                for step in steps.filter(|_| depth < faults) {
                    figures.steps += 1;
                    for fault in faults_at(*step) {
                        let mut child = hits.clone();
                        child.push(Hit { step: step.number, fault });
                        children.push(child);
                    }
                }
            }
            (figures, children)
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut following = Vec::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let (figures, children) = worker.join().unwrap();
                total.add(figures);
                following.extend(children);
            }
        });
        level = following;
    }
    total.violations.sort_by(|one, other| (one.hits.len(), &one.hits).cmp(&(other.hits.len(), &other.hits)));
    total
}
