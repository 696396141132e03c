//! What a long history costs: the daemon's start and the journal's audit, stated with their parts.
//!
//! `cargo build --release --workspace && target/release/history [ENTRIES]` (1,000,000 by default; a minute and 800 MB of disk)
//!
//! Two journals are written through the room that writes them in the shop: a short one, and one of so many entries. Both
//! hold 1,000 cards that are owed an undo, each tried in vain for a day: 290 times, of which those are written that change
//! anything. All other sales are settled. The line to the provider stays down, so that nothing is worked off between two starts. By turns the
//! program is started on each until it says that it is ready; in between, the longer one is verified.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing, clippy::float_arithmetic, clippy::cast_precision_loss)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tilld_domain::ids::{OrderId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{OrderEvent, OrderFacts, Rules};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, Trouble};
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, Opening, Payment, Sale, SaleEvent, Tender};
use tilld_journal::{Draft, Journal, Reader, SealKey, Settings, Step, Verdict};
use tilld_tests::process::{self, program};
use uuid::Uuid;

/// Cards that are owed an undo.
const OPEN: u64 = 1_000;
/// Failed attempts of each: at once, then by and by every five minutes, for a day.
const ATTEMPTS: u64 = 290;
/// Entries of a sale of one card that went well.
const ENTRIES_A_SALE: u64 = 5;
/// Starts on each journal.
const STARTS: usize = 15;
/// Drafts in one commit.
const AT_ONCE: usize = 64;
/// The terminal key.
const KEY: [u8; 32] = [7; 32];

/// A journal in the making.
struct History {
    journal: Journal,
    waiting: Vec<Draft>,
    sales: u64,
    at: Moment,
}

impl History {
    fn begin(path: &Path) -> Self {
        let settings =
            Settings { path: path.to_owned(), seal: SealKey::new(KEY), keep_codes: Settings::KEEP_CODES };
        let journal = Journal::open(&settings).unwrap();
        Self { journal, waiting: Vec::new(), sales: 0, at: Moment::from_ms(1_790_000_000_000) }
    }

    fn open(&mut self) -> Sale {
        self.sales += 1;
        self.at = Moment::from_ms(self.at.ms() + 1_000);
        let id = |part: u128| {
            let time = u128::try_from(self.at.ms()).unwrap() << 80;
            let chance = u128::from(self.sales).wrapping_mul(0x9E37_79B9_7F4A_7C15) & ((1 << 62) - 1);
            Uuid::from_u128(time | (7 << 76) | (part << 64) | (2 << 62) | chance)
        };
        let currency = Currency::from_code("EUR").unwrap();
        let opening = Opening {
            sale: SaleId::new(id(0)),
            receipt: format!("R-2026-{:08}", self.sales).parse().unwrap(),
            provider: "finperks".to_owned(),
            store: "A1234".parse().unwrap(),
            terminal: "T01".parse().unwrap(),
            country: "DE".parse().unwrap(),
            cashier: None,
            locale: "de-DE".parse().unwrap(),
            columns: 42,
            currency,
            rules: Rules::DESIGN,
            cards: vec![OrderFacts {
                id: OrderId::new(id(1)),
                product: "4001232232332".parse().unwrap(),
                product_name: "Fuel & Flowers 50".to_owned(),
                kind: CardKind::Por,
                face_value: Money::new(5000, currency),
                code: None,
                code_tail: None,
                key: id(2).to_string().parse().unwrap(),
                create_request: "{}".repeat(120),
                undo_window: None,
            }],
        };
        let sale = Sale::open(opening.clone(), self.at).0;
        self.write(&sale, SaleEvent::Opened(Box::new(opening)));
        let order = format!("ro-{}", self.sales).parse().unwrap();
        self.card(sale, OrderEvent::CreateEnded(Outcome::Done(Created { order })))
    }

    fn step(&mut self, sale: Sale, event: SaleEvent) -> Sale {
        self.at = Moment::from_ms(self.at.ms() + 10);
        let after = sale.step(self.at, event.clone()).unwrap().0;
        self.write(&after, event);
        after
    }

    fn card(&mut self, sale: Sale, event: OrderEvent) -> Sale {
        self.step(sale, SaleEvent::Card(CardNo::new(1).unwrap(), event))
    }

    /// Five entries.
    fn sold(&mut self) {
        let sale = self.open();
        let amount = Money::new(5000, sale.opening.currency);
        let payment = Payment { amount, tender: Tender::Card, receipt_total: amount };
        let sale = self.step(sale, SaleEvent::Paid { payment, confirm_request: "{}".repeat(80) });
        let lines = (0..20).map(|line| format!("line {line} of a slip, as wide as paper is")).collect();
        let seen = OrderSeen { stage: OrderStage::Done, lines: ReceiptLines::new(lines, 0) };
        let sale = self.card(sale, OrderEvent::ConfirmEnded(Outcome::Done(seen)));
        self.card(sale, OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)));
    }

    /// Three entries, and one more for each attempt that changes anything.
    fn owed(&mut self) {
        let sale = self.open();
        let mut sale = self.step(sale, SaleEvent::Cancelled { by: None });
        for _ in 0..ATTEMPTS {
            let failed = SaleEvent::Card(
                CardNo::new(1).unwrap(),
                OrderEvent::UndoEnded(Outcome::NotSent(Trouble::Connect)),
            );
            let after = sale.clone().step(self.at, failed.clone()).unwrap().0;
            if after == sale {
                break;
            }
            sale = self.step(sale, failed);
        }
    }

    fn write(&mut self, after: &Sale, event: SaleEvent) {
        let step = Step::Sale { event, after: Arc::new(after.clone()), forget: Vec::new() };
        self.waiting.push(Draft { at: self.at, asked: None, step });
        if self.waiting.len() >= AT_ONCE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.journal.append(&self.waiting).unwrap();
        self.waiting.clear();
    }
}

/// A shop whose journal holds so many entries, the open sales spread among the others.
fn shop(folder: &Path, entries: u64) -> PathBuf {
    let mut history = History::begin(&folder.join("journal"));
    let settled = entries / ENTRIES_A_SALE;
    for number in 0..OPEN {
        history.owed();
        for _ in settled * number / OPEN..settled * (number + 1) / OPEN {
            history.sold();
        }
    }
    history.flush();
    assert_eq!(history.journal.open_sales().unwrap().len() as u64, OPEN);
    configure(folder)
}

fn configure(folder: &Path) -> PathBuf {
    let secret = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let key = format!("{KEY:02x?}").replace(['[', ']', ',', ' '], "");
    let text = format!(
        "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
         finperks = {{ url = \"http://127.0.0.1:9\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
         printer = {{ network = \"127.0.0.1:9\", columns = 42 }}\n\
         journal = {{ folder = \"{}\", key_file = \"{}\" }}\napi = {{ listen = \"127.0.0.1:0\" }}\n",
        secret("secret", "sandbox-secret-0123456789abcdef"),
        folder.join("journal").display(),
        secret("key", &key),
    );
    let path = folder.join("tilld.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn start(config: &Path) -> Duration {
    let begun = Instant::now();
    let (_running, address) = process::serve(Command::new(program()), config);
    address.expect("the daemon becomes ready");
    begun.elapsed()
}

fn entries_of(folder: &Path) -> u64 {
    let Verdict::Whole { entries, .. } = verify(folder) else { panic!("the journal does not verify") };
    entries
}

fn verify(folder: &Path) -> Verdict {
    Reader::open(&folder.join("journal")).unwrap().verify().unwrap()
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let given = std::env::args().nth(1);
    let entries: u64 = given.map_or(1_000_000, |text| text.parse().expect("a number of entries"));
    let place = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let (short, long) = (tempfile::tempdir_in(&place).unwrap(), tempfile::tempdir_in(&place).unwrap());
    let short_config = shop(short.path(), 0);
    let long_config = shop(long.path(), entries);
    // What the two are before anything is started on them, and the pages in the machine's cache.
    let (fewer, more) = (entries_of(short.path()), entries_of(long.path()));
    let (mut on_short, mut on_long, mut audits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        on_short.push(start(&short_config));
        on_long.push(start(&long_config));
        let begun = Instant::now();
        let count = entries_of(long.path());
        audits.push(begun.elapsed().div_f64(count as f64));
    }
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "a long history ({OPEN} cards owed an undo, each tried {ATTEMPTS} times in vain; {STARTS} starts on each journal by turns)"
    );
    for (count, times) in [(fewer, &mut on_short), (more, &mut on_long)] {
        let p50 = middle(times);
        println!(
            "  start to ready, {count:>9} entries  p50 {:.0} ms, slowest {:.0} ms; wanted p50 under 1000",
            ms(p50),
            ms(times[times.len() - 1])
        );
    }
    println!(
        "  with the longer history           {:.2} x the start with the shorter one",
        on_long[STARTS / 2].as_secs_f64() / on_short[STARTS / 2].as_secs_f64()
    );
    println!(
        "  verify, chain and tables          {:.0} entries a second (p50 of {STARTS}); wanted at least 300000",
        1.0 / middle(&mut audits).as_secs_f64()
    );
}
