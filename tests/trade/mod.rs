//! A year of trade, in virtual time: the shop of [`crate::world`] with its real counter and journal, open from eight to eight,
//! in all weathers. Everything is drawn from a seed, so a year can be run again to the day.
//!
//! | file | models |
//! |---|---|
//! | [`chance`] | what is drawn from the seed |
//! | [`weather`] | line, provider, printer, disk, clock and power, hour by hour, and the faults that follow |
//! | [`customers`] | who comes, when, for what, and how they and their cashier are |
//! | [`room`] | the full disk |
//! | [`books`] | the three books, compared every quiet night and at the end |
//!
//! Whoever keeps the shop: the manager closes what the provider will not undo, three times a day and in the night; somebody
//! sets the clock right, makes room on the disk, and restarts the daemon for an update.
//!
//! Every night that is quiet (nothing was wrong for an hour) everything must have come to rest: the books must agree, no till
//! and no sale may be open. What was compared is filed, and compared once more with all the rest at the end, when the journal is
//! verified too. A violation ends the year at that night.
//!
//! The journal stays open across power cuts; what its files survive is the proof of power cuts.

pub mod books;
pub mod chance;
pub mod customers;
pub mod room;
pub mod weather;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tilld_counter::Counter;
use tilld_domain::moment::Moment;
use tilld_domain::order::Order;
use tilld_domain::voucher::{Offers, Recourse, Reversal};
use tilld_journal::{Settings as JournalSettings, Verdict};

use crate::world::World;
use crate::world::clock::VirtualClock;
use crate::world::guest::Guest;
use crate::world::manager;
use crate::world::power::SetUp;
use crate::world::run::{open, runtime, scratch};
use crate::world::till::Till;
use crate::world::vouchers::Sort;

use books::{Books, Violation};
use chance::Chance;
use room::Room;
use weather::{Almanac, Counts, DiskIs, Weather, quiet_hour};

/// After the last day the books may have to wait for a quiet night so often.
const MOST_NIGHTS: u32 = 5;
/// The manager looks at what is left in the quiet hour so long before the books are compared.
const MANAGER_BEFORE: Duration = Duration::from_mins(20);

/// As Gift Local is, once its reversal is confirmed.
const OFFERS: Offers = Offers { recourse: Recourse::Comparable, reversal: Reversal::Repeatable };
/// How long it takes until a waiting guest knows what was decided.
const AFTER_A_DECISION: Duration = Duration::from_mins(2);

/// A year, or a part of it from its beginning.
pub struct Year {
    pub days: u32,
    pub seed: u64,
    pub set_up: SetUp,
}

/// What was counted.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub sales: u64,
    /// Guests who came with a voucher.
    pub guests: u64,
    pub restarts: u64,
    /// Spells in which the daemon said that it cannot write, and that its clock is wrong.
    pub disk_noticed: u64,
    pub clock_noticed: u64,
    pub decisions: u64,
    pub nights_compared: u32,
    pub nights_put_off: u32,
}

/// What came of a year.
pub struct Report {
    pub days: u32,
    pub tally: Tally,
    pub almanac: Arc<Almanac>,
    pub counts: Counts,
    pub books: Books,
    pub lives: usize,
    pub entries: u64,
    /// How many cards still have the keys of their codes.
    pub codes_kept: i64,
    /// What `journal verify` says, if that is not that it is whole.
    pub broken: Option<String>,
    pub violation: Option<Violation>,
    pub took: Duration,
}

impl Report {
    /// How often the power was cut.
    pub fn cuts(&self) -> u64 {
        self.counts.faults.iter().filter(|(fault, _)| fault.is_crash()).map(|(_, count)| count).sum()
    }
}

/// A year while it runs.
struct Running {
    world: Arc<World>,
    almanac: Arc<Almanac>,
    room: Arc<Room>,
    days: u32,
    seed: u64,
    tally: Mutex<Tally>,
    books: Mutex<Books>,
    violation: Mutex<Option<Violation>>,
}

impl Year {
    /// Runs it. `night` is told after each night how far it is.
    pub fn run(&self, night: impl Fn(u32, &Books) + Send + Sync + 'static) -> Report {
        let begun = Instant::now();
        let _alone = Room::alone();
        let room = Arc::new(Room::take());
        let clock = VirtualClock::default();
        let almanac = Arc::new(Almanac::of(self.days, self.seed));
        let (weather, counts) =
            Weather::new(clock.clone(), Arc::clone(&almanac), self.seed, Arc::clone(&room));
        let folder = scratch();
        let world = World::new(clock.clone(), open(folder.path()), Box::new(weather), true);
        world.inner().vouchers.offers = Some(OFFERS);
        let running = Arc::new(Running {
            world: Arc::clone(&world),
            almanac: Arc::clone(&almanac),
            room,
            days: self.days,
            seed: self.seed,
            tally: Mutex::default(),
            books: Mutex::default(),
            violation: Mutex::default(),
        });
        let runtime = runtime(clock);
        let (here, set_up) = (Arc::clone(&running), self.set_up);
        // Not on the first task of the runtime: time would pass when only that one can go on.
        let told = runtime.block_on(async move { tokio::spawn(here.go(set_up, night)).await });
        running.room.limit(None);
        world.daemon.tell(None);
        drop(runtime);
        if let Err(error) = told {
            running.stop(vec![format!("something panicked: {error}")]);
        }
        let mut books = std::mem::take(&mut *running.books.lock().unwrap());
        let mut violation = running.violation.lock().unwrap().take();
        if violation.is_none() {
            let wrong = books.close(&mut world.inner());
            violation = Violation::of(self.days, &world, wrong);
        }
        let (entries, broken) = match world.journal.verify() {
            Ok(Verdict::Whole { entries, .. }) => (entries, None),
            other => (0, Some(format!("{other:?}"))),
        };
        let codes = codes_kept(folder.path(), world.clock.now());
        if codes.overdue > 0 && violation.is_none() {
            violation =
                Violation::of(self.days, &world, vec![format!("{} codes are overdue", codes.overdue)]);
        }
        let counts = counts.lock().unwrap().clone();
        let lives = world.inner().lives;
        let tally = running.tally.lock().unwrap().clone();
        Report {
            days: self.days,
            tally,
            almanac,
            counts,
            books,
            lives,
            entries,
            codes_kept: codes.all,
            broken,
            violation,
            took: begun.elapsed(),
        }
    }
}

impl Running {
    async fn go(self: Arc<Self>, set_up: SetUp, night: impl Fn(u32, &Books) + Send + Sync + 'static) {
        let daemon = tokio::spawn(Arc::clone(&self.world).live(set_up, |_| true));
        tokio::spawn(Arc::clone(&self).set_clocks());
        tokio::spawn(Arc::clone(&self).fill_disks());
        tokio::spawn(Arc::clone(&self).restart());
        tokio::select! {
            biased;
            ended = daemon => self.stop(vec![format!("the daemon ended: {ended:?}")]),
            () = self.trade(night) => {}
        }
    }

    /// Day after day; after the last until everything has come to rest.
    async fn trade(&self, night: impl Fn(u32, &Books)) {
        for day in 0..self.days + MOST_NIGHTS {
            if day < self.days {
                self.sell(day).await;
            }
            let (_, end) = quiet_hour(day);
            for visit in [weather::at(day, Duration::from_hours(12)), weather::opening_hours(day).1] {
                self.until(visit).await;
                self.settle().await;
            }
            self.until(end.saturating_sub(MANAGER_BEFORE)).await;
            self.settle().await;
            self.until(end).await;
            if !self.almanac.is_calm(quiet_hour(day)) {
                self.tally.lock().unwrap().nights_put_off += 1;
                continue;
            }
            let wrong = self.compare();
            if !wrong.is_empty() {
                return self.stop_at(day, wrong);
            }
            self.tally.lock().unwrap().nights_compared += 1;
            night(day, &self.books.lock().unwrap());
            if day + 1 >= self.days {
                return;
            }
        }
        self.stop(vec!["it never comes to rest".to_owned()]);
    }

    /// The customers of a day set out.
    async fn sell(&self, day: u32) {
        let customers = customers::of(day, self.seed);
        self.tally.lock().unwrap().sales += customers.len() as u64;
        self.until(weather::opening_hours(day).0.saturating_sub(Duration::from_mins(1))).await;
        let guests = customers::with_vouchers(day, self.seed);
        self.tally.lock().unwrap().guests += guests.len() as u64;
        for (arrival, cents, visit) in guests {
            {
                let mut inner = self.world.inner();
                if let Some(cents) = cents {
                    inner.vouchers.issue(&visit.voucher, Sort::Money, cents);
                }
                inner.expect(&visit);
            }
            let arrives = self.world.clock.sleep(arrival.saturating_sub(self.world.clock.passed()));
            let guest = Guest { world: Arc::clone(&self.world), visit };
            tokio::spawn(async move {
                arrives.await;
                guest.shop().await;
            });
        }
        for (arrival, basket) in customers {
            let arrives = self.world.clock.sleep(arrival.saturating_sub(self.world.clock.passed()));
            let till = Till { world: Arc::clone(&self.world), basket };
            tokio::spawn(async move {
                arrives.await;
                till.sell().await;
            });
        }
    }

    /// Compares the books of everything since they were last compared.
    fn compare(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.counter().is_none() {
            wrong.push("the daemon is down".to_owned());
        }
        if self.world.something_is_under_way() {
            wrong.push("something is still on its way to the provider".to_owned());
        }
        let journal = &self.world.journal;
        for sale in journal.open_sales().unwrap() {
            let (sale, ..) = journal.latest(sale).unwrap().unwrap();
            let states: Vec<_> = sale.orders.iter().map(Order::state_name).collect();
            wrong.push(format!("{}: still open in the journal: {states:?}", sale.opening.receipt));
        }
        for redemption in journal.open_redemptions().unwrap() {
            let (redemption, ..) = journal.latest_redemption(redemption).unwrap().unwrap();
            let state = redemption.state_name();
            wrong.push(format!("{}: still open in the journal: {state}", redemption.opening.basket));
        }
        self.books.lock().unwrap().compare(&mut self.world.inner(), wrong)
    }

    /// The manager closes what the provider will not undo.
    async fn settle(&self) {
        let up = self.world.daemon.now();
        let Some((counter, life)) = up else { return };
        let settling = async {
            loop {
                let closed = manager::close(&self.world, &counter).await;
                self.tally.lock().unwrap().decisions += closed;
                if closed == 0 {
                    break;
                }
                // Of each basket one case was closed, and its guest told.
                self.world.clock.sleep(AFTER_A_DECISION).await;
            }
        };
        tokio::select! {
            biased;
            () = life.over() => {}
            () = settling => {}
        }
    }

    async fn set_clocks(self: Arc<Self>) {
        for spell in &self.almanac.clock {
            self.until(spell.from).await;
            self.world.clock.set_off(spell.is);
            self.world.act(|| format!("** the clock jumps by {} s", spell.is / 1_000));
            self.until(spell.to).await;
            if let Some(counter) = self.counter()
                && counter.health().await.clock_trouble.is_some()
            {
                self.tally.lock().unwrap().clock_noticed += 1;
            }
            self.world.clock.set_off(-spell.is);
            self.world.act(|| "the clock is set right".to_owned());
        }
    }

    async fn fill_disks(self: Arc<Self>) {
        let mut chance = Chance::of(self.seed, u32::MAX, 4);
        for spell in &self.almanac.disk {
            self.until(spell.from).await;
            let bytes = match spell.is {
                // The log is emptied every ten minutes: a few sales fit, or none.
                DiskIs::Full => 1_024 << chance.below(9),
                DiskIs::Unwritable => 0,
            };
            self.room.limit_soon(bytes);
            self.world.act(|| format!("** the disk takes nothing beyond byte {bytes} of a file"));
            self.until(spell.to).await;
            if let Some(counter) = self.counter()
                && !counter.health().await.journal_writes
            {
                self.tally.lock().unwrap().disk_noticed += 1;
            }
            self.room.limit(None);
            self.world.act(|| "there is room on the disk".to_owned());
        }
    }

    async fn restart(self: Arc<Self>) {
        for at in &self.almanac.restarts {
            self.until(*at).await;
            if self.world.daemon.now().is_some() {
                self.tally.lock().unwrap().restarts += 1;
                self.world.restart().await;
            }
        }
    }

    fn counter(&self) -> Option<Counter> {
        self.world.daemon.now().map(|(counter, _)| counter)
    }

    async fn until(&self, at: Duration) {
        self.world.clock.sleep(at.saturating_sub(self.world.clock.passed())).await;
    }

    fn stop(&self, wrong: Vec<String>) {
        self.stop_at(self.days.saturating_sub(1), wrong);
    }

    fn stop_at(&self, day: u32, wrong: Vec<String>) {
        *self.violation.lock().unwrap() = Violation::of(day + 1, &self.world, wrong);
    }
}

/// The keys of codes that are left.
struct CodesKept {
    all: i64,
    /// Of cards that were closed more than a day ago.
    overdue: i64,
}

fn codes_kept(folder: &Path, now: Moment) -> CodesKept {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(folder.join("journal.db"), flags).unwrap();
    let count = |closed_by: Moment| {
        let counted = "SELECT count(*) FROM seal_key JOIN card ON order_id = owner WHERE closed_at <= ?1";
        database.query_row(counted, [closed_by.ms()], |row| row.get(0)).unwrap()
    };
    // They are looked at every ten minutes, while the clock is right.
    let due = i64::try_from((JournalSettings::KEEP_CODES + Duration::from_mins(30)).as_millis()).unwrap();
    CodesKept { all: count(Moment::from_ms(i64::MAX)), overdue: count(Moment::from_ms(now.ms() - due)) }
}
