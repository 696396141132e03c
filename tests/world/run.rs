//! One history: from the first request of a till until nothing has happened for longer than anything can take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;
use tilld_domain::moment::Moment;
use tilld_domain::voucher::Offers;
use tilld_journal::{Journal, SealKey, Settings as JournalSettings};
use tokio::runtime::Runtime;

use super::clock::VirtualClock;
use super::fate::Fate;
use super::guest::{Guest, Visit};
use super::network::catalogue;
use super::power::SetUp;
use super::till::{Basket, Till};
use super::vouchers::Sort;
use super::{Step, World, books, manager, voucher_books};

/// A world in which nothing has happened for so long is at rest: longer than the quiet time, than an order is fresh, and
/// than a machine stays dark.
const REST: Duration = Duration::from_mins(25);
/// No history may take longer.
const LONGEST: Duration = Duration::from_hours(24);

/// A journal that stays open from one history to the next, and is wiped in between: to open one takes longer than most histories. Before
/// each it is empty but for the catalogue, as on the first day.
pub struct Slate {
    journal: Journal,
    wiper: Connection,
    folder: TempDir,
}

impl Default for Slate {
    fn default() -> Self {
        let folder = scratch();
        let journal = open(folder.path());
        journal.replace_products("modelled", &catalogue(), Moment::from_ms(0)).unwrap();
        let wiper = Connection::open(folder.path().join("journal.db")).unwrap();
        // An entry is never removed, by anybody who does not switch this off.
        wiper.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        wiper.execute("CREATE TEMP TABLE catalogue AS SELECT * FROM product_list", []).unwrap();
        Self { journal, wiper, folder }
    }
}

impl Slate {
    /// What a life of the daemon writes, of which nothing is left after a wipe.
    const WRITTEN: [&str; 9] =
        ["entry", "seal_key", "sale", "card", "redemption", "device", "day", "wrong_code", "product_list"];

    /// The journal, wiped.
    fn wiped(&mut self) -> Journal {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().file_name());
        let others: Vec<_> = files.filter(|name| name.to_string_lossy().contains("index")).collect();
        assert!(others.is_empty(), "{others:?} would outlive the entries that it is made from");
        let wiping = self.wiper.transaction().unwrap();
        for table in Self::WRITTEN {
            wiping.prepare_cached(&format!("DELETE FROM {table}")).unwrap().execute([]).unwrap();
        }
        wiping
            .prepare_cached("INSERT INTO product_list SELECT * FROM temp.catalogue")
            .unwrap()
            .execute([])
            .unwrap();
        wiping.commit().unwrap();
        self.journal.clone()
    }
}

/// A folder in memory, where the machine has one.
pub fn scratch() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub fn open(folder: &Path) -> Journal {
    let settings = JournalSettings {
        path: folder.to_owned(),
        seal: SealKey::new([9; 32]),
        keep_codes: JournalSettings::KEEP_CODES,
    };
    Journal::open(&settings).unwrap()
}

/// One thread for everybody, on which time passes when nobody can go on.
pub fn runtime(clock: VirtualClock) -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || {
            clock.advance();
        })
        .build()
        .unwrap()
}

/// What came of a history.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Where something could go wrong, in order.
    pub steps: Vec<Step>,
    /// How many faults struck.
    pub hits: usize,
    pub lives: usize,
    pub took: Duration,
    /// It came to a state from which the rest is known: the rest was not run.
    pub joined: bool,
    /// How receipts and baskets ended, by the books.
    pub ends: BTreeMap<String, String>,
    /// Every way in which it went wrong. Empty: all is well.
    pub wrong: Vec<String>,
    pub story: Vec<String>,
}

/// Whose vouchers are redeemed, and by whom.
#[derive(Clone)]
pub struct Redeeming {
    pub offers: Offers,
    pub issued: Vec<(String, Sort, i64)>,
    pub visits: Vec<Visit>,
}

/// A history to be run.
pub struct History<'a> {
    pub slate: &'a mut Slate,
    pub baskets: &'a [Basket],
    pub redeeming: Option<&'a Redeeming>,
    pub set_up: SetUp,
    /// Keep the story.
    pub telling: bool,
}

impl History<'_> {
    /// Runs it. `goes_on` is asked after each crash whether the rest is wanted.
    pub fn run(
        self,
        fate: impl Fate + 'static,
        goes_on: impl FnMut(&World) -> bool + Send + 'static,
    ) -> Outcome {
        let clock = VirtualClock::default();
        let world = World::new(clock.clone(), self.slate.wiped(), Box::new(fate), self.telling);
        let runtime = runtime(clock);
        let (baskets, set_up, here) = (self.baskets.to_vec(), self.set_up, Arc::clone(&world));
        let mut visits = Vec::new();
        if let Some(redeeming) = self.redeeming {
            let mut inner = world.inner();
            inner.vouchers.offers = Some(redeeming.offers);
            for (voucher, sort, count) in &redeeming.issued {
                inner.vouchers.issue(voucher, *sort, *count);
            }
            for visit in &redeeming.visits {
                inner.expect(visit);
            }
            visits.clone_from(&redeeming.visits);
        }
        // Not on the first task of the runtime: time would pass when only that one can go on.
        let told =
            runtime.block_on(async move { tokio::spawn(go(here, baskets, visits, set_up, goes_on)).await });
        // The daemon holds the world by its ports, and the world holds the daemon.
        world.daemon.tell(None);
        drop(runtime);
        let mut inner = world.inner();
        let mut outcome = Outcome {
            steps: std::mem::take(&mut inner.seen),
            hits: inner.hits,
            lives: inner.lives,
            took: world.clock.passed(),
            wrong: std::mem::take(&mut inner.trouble),
            story: std::mem::take(&mut inner.story),
            ..Outcome::default()
        };
        match told {
            Ok(rested) if !rested && outcome.wrong.is_empty() => outcome.joined = true,
            Ok(_) => {
                let (ends, wrong) = books::compare(&inner);
                let (baskets, wrong_too) = voucher_books::compare(&inner.visits, &inner.vouchers);
                outcome.ends = ends.into_iter().map(|(receipt, end)| (receipt, end.to_string())).collect();
                outcome.ends.extend(baskets);
                outcome.wrong.extend(wrong.into_iter().chain(wrong_too));
            }
            Err(error) => outcome.wrong.push(format!("something panicked: {error}")),
        }
        outcome
    }
}

/// Lets everybody begin, and waits for rest. Whether it came.
async fn go(
    world: Arc<World>,
    baskets: Vec<Basket>,
    visits: Vec<Visit>,
    set_up: SetUp,
    goes_on: impl FnMut(&World) -> bool + Send + 'static,
) -> bool {
    let daemon = tokio::spawn(Arc::clone(&world).live(set_up, goes_on));
    for basket in baskets {
        tokio::spawn(Till { world: Arc::clone(&world), basket }.sell());
    }
    for visit in visits {
        tokio::spawn(Guest { world: Arc::clone(&world), visit }.shop());
    }
    tokio::select! {
        biased;
        ended = daemon => {
            if let Err(error) = ended {
                world.inner().trouble.push(format!("the daemon panicked: {error}"));
            }
            false
        }
        () = rest(&world) => true,
    }
}

/// Waits until nothing happens any more. A manager then closes what only a manager can.
async fn rest(world: &World) {
    loop {
        let quiet = world.clock.passed().saturating_sub(world.last_act());
        let up = world.daemon.now();
        if world.clock.passed() > LONGEST {
            world.inner().trouble.push("it never comes to rest".to_owned());
            return;
        }
        if quiet < REST || up.is_none() {
            world.clock.sleep(REST.saturating_sub(quiet).max(Duration::from_secs(1))).await;
            continue;
        }
        let (counter, life) = up.unwrap();
        if manager::close(world, &counter).await == 0 && !life.is_over() {
            break;
        }
    }
    let mut inner = world.inner();
    let waiting: Vec<String> =
        inner.tills.iter().map(|(receipt, (what, _))| format!("{receipt} still {what}")).collect();
    inner.trouble.extend(waiting);
}
