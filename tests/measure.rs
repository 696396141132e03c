//! What the counter costs, measured in one run and stated as ratios with their parts.
//!
//! `cargo build --release && cargo run --release -p tilld-tests --bin measure`
//!
//! 1. One sale after another over the local API, against `tilld sandbox` in a process of its own. The daemon's own time is
//!    the whole time of the till's two requests without the time in provider and printer; it is compared with what the disk
//!    alone takes: the commits of a sale times the median of one append and `fdatasync` of the same size on the same disk. The
//!    size is what a commit appends to SQLite's log in the mean, counted in the log itself.
//!    The disk is sampled every few sales, so that a machine that gets slower or faster does so for both, and at the pace
//!    of a sale: a commit comes after a wait for the till, the provider or the printer, when disk and processor have
//!    gone idle. The same back to back is faster; it is printed beside.
//! 2. Sixteen tills at once against one after another, by turns: sales per second, and commits per sale.
//! 3. The program: start to ready, resident memory when idle, size.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing, clippy::float_arithmetic, clippy::cast_precision_loss)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use tilld_counter::clock::SystemClock;
use tilld_counter::{Counter, Ports, Running, Settings};
use tilld_devices::printer::{JobOutcome, Printer, Status};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_devices::tcp::{NetworkPrinter, network};
use tilld_domain::ids::{CardCode, ProviderKey, ProviderOrderId};
use tilld_domain::outcome::{Created, OrderSeen, Outcome, UndoAnswer};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Paper, Slip};
use tilld_journal::{Journal, SealKey};
use tilld_providers::finperks::{Finperks, PosaRule, PosaRules};
use tilld_providers::pace::Limits;
use tilld_providers::{
    Balance, Catalogue, ConfirmFacts, CreateFacts, Deadlines, GiftCards, Store, StoredRequest,
};
use tilld_receipts::slip::ShopTexts;
use tilld_tests::process::{self, Process, program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sales of the first part.
const SALES: usize = 1_000;
/// After how many of them the disk is sampled, and by how many appends.
const SAMPLE_EVERY: usize = 10;
const SAMPLES: usize = 8;
/// The pause before an append at the pace of a sale: between two commits of a sale lie about as much.
const PACE: Duration = Duration::from_micros(400);
/// Sales before anything is measured.
const WARM: usize = 300;
/// Tills of the second part, sales of each in a round, sales one after another in a round, and rounds.
const TILLS: usize = 16;
const SALES_A_TILL: usize = 20;
const SALES_ALONE: usize = 80;
const ROUNDS: usize = 3;
/// Starts of the third part.
const STARTS: usize = 40;
/// The header of SQLite's log, and of each page in it, in bytes (SQLite's "WAL-mode File Format").
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Time that was spent outside the daemon, in ns.
#[derive(Default)]
struct Outside(AtomicU64);

impl Outside {
    async fn time<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.0.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap(), Ordering::Relaxed);
        done
    }

    fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }
}

/// The real client of finperks, timed from outside.
struct TimedProvider(Finperks, Arc<Outside>);

impl GiftCards for TimedProvider {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn deadlines(&self) -> Deadlines {
        self.0.deadlines()
    }
    fn confirm_is_repeatable(&self) -> bool {
        self.0.confirm_is_repeatable()
    }
    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal> {
        self.0.prepare_create(facts)
    }
    fn prepare_confirm(&self, facts: &ConfirmFacts) -> StoredRequest {
        self.0.prepare_confirm(facts)
    }
    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>> {
        Box::pin(self.1.time(self.0.create(key, request, code)))
    }
    fn confirm<'a>(
        &'a self,
        order: &'a ProviderOrderId,
        request: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>> {
        Box::pin(self.1.time(self.0.confirm(order, request)))
    }
    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        Box::pin(self.1.time(self.0.lookup(order)))
    }
    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        Box::pin(self.1.time(self.0.invalidate(order)))
    }
    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        self.0.products()
    }
    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>> {
        self.0.balances()
    }
    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>> {
        self.0.stores()
    }
    fn register_store<'a>(&'a self, template: &'a str) -> BoxFuture<'a, Outcome<Store>> {
        self.0.register_store(template)
    }
}

/// The real network printer, timed from outside; it also notes how many commits had been made when a slip came.
struct TimedPrinter {
    printer: Arc<dyn Printer>,
    outside: Arc<Outside>,
    journal: Journal,
    commits_at_slip: AtomicU64,
}

impl Printer for TimedPrinter {
    fn name(&self) -> &str {
        self.printer.name()
    }
    fn paper(&self) -> Paper {
        self.printer.paper()
    }
    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        self.commits_at_slip.store(self.journal.commits(), Ordering::Relaxed);
        Box::pin(self.outside.time(self.printer.print(slip)))
    }
    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        self.printer.status()
    }
}

/// A daemon made of the real rooms, with the two timed ones in it.
struct Shop {
    journal: Journal,
    outside: Arc<Outside>,
    printer: Arc<TimedPrinter>,
    address: std::net::SocketAddr,
    /// Connections of tills that wait for their next request.
    lines: std::sync::Mutex<Vec<TcpStream>>,
    _driver: Running,
    _paper: SimulatedPrinter,
    folder: tempfile::TempDir,
}

impl Shop {
    async fn open(finperks: &str) -> Self {
        let folder = tempfile::tempdir_in(disk()).unwrap();
        let paper = SimulatedPrinter::start(Profile::EPSON, Answers::ALL, None).await.unwrap();
        let outside = Arc::new(Outside::default());
        let seal = SealKey::new([7; 32]);
        let journal = Journal::open(&tilld_journal::Settings {
            path: folder.path().join("journal"),
            seal,
            keep_codes: Duration::from_hours(24),
        })
        .unwrap();
        let secret = Secret::new("sandbox-secret-0123456789abcdef".to_owned());
        let provider = Finperks::new(tilld_providers::finperks::Settings {
            pace: Limits { per_second: 1_000_000, burst: 1_000_000 },
            posa: PosaRules { default: Some(PosaRule::ScannedAsProductCode), ..PosaRules::default() },
            ..tilld_providers::finperks::Settings::new(
                finperks.to_owned(),
                "sandbox-key".to_owned(),
                secret,
                "DE".parse().unwrap(),
            )
        })
        .unwrap();
        let slips = network(NetworkPrinter {
            name: "slip".to_owned(),
            address: paper.address().to_string(),
            profile: Profile::EPSON,
            patience: tilld_devices::job::Patience::default(),
        });
        let printer = Arc::new(TimedPrinter {
            printer: slips,
            outside: Arc::clone(&outside),
            journal: journal.clone(),
            commits_at_slip: AtomicU64::new(0),
        });
        let ports = Ports {
            vouchers: None,
            journal: journal.clone().into(),
            provider: Arc::new(TimedProvider(provider, Arc::clone(&outside))),
            printer: Arc::<TimedPrinter>::clone(&printer),
            clock: Arc::new(SystemClock::default()),
        };
        let place = tilld_counter::Place {
            store: "A1234".parse().unwrap(),
            terminal: "T01".parse().unwrap(),
            country: "DE".parse().unwrap(),
            locale: "de-DE".parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
            texts: ShopTexts { header: vec!["Buchhandlung am Markt".to_owned()], footer: Vec::new() },
            columns: None,
        };
        let (counter, driver) = Counter::start(ports, place, Settings::DESIGN).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let token = tilld_api::Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        let app = tilld_api::app(tilld_api::ApiState::new(counter, token, address));
        tokio::spawn(tilld_api::serve(listener, app, std::future::pending()));
        let shop = Self {
            journal,
            outside,
            printer,
            address,
            lines: std::sync::Mutex::default(),
            _driver: driver,
            _paper: paper,
            folder,
        };
        shop.post("/v1/products/refresh", "refresh", json!({})).await;
        shop
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let waiting = self.lines.lock().unwrap().pop();
        let mut line = match waiting {
            Some(line) => line,
            None => TcpStream::connect(self.address).await.unwrap(),
        };
        line.set_nodelay(true).unwrap();
        line.write_all(request.as_bytes()).await.unwrap();
        let answer = answer(&mut line).await;
        self.lines.lock().unwrap().push(line);
        serde_json::from_str(&answer).unwrap()
    }

    /// The journal's log as it stands on the disk.
    fn log(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("journal").join("journal.db-wal")).unwrap()
    }

    /// Sells one card; the time of the till's two requests.
    async fn sell(&self, receipt: &str) -> Duration {
        let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros() });
        let begun = Instant::now();
        let opened = self
            .post("/v1/sales", &format!("{receipt}-open"), json!({ "receipt": receipt, "cards": [card] }))
            .await;
        let path =
            format!("/v1/sales/{}/payment", opened["id"].as_str().unwrap_or_else(|| panic!("{opened}")));
        let paid = json!({ "amount": euros(), "tender": { "kind": "cash", "given": euros() } });
        let done = self.post(&path, &format!("{receipt}-pay"), paid).await;
        let took = begun.elapsed();
        assert_eq!(done["phase"], "done", "{done}");
        took
    }
}

/// The body of the next answer on a line. As little as it takes: what a till's own HTTP library costs is not tilld's time.
async fn answer(line: &mut TcpStream) -> String {
    let mut read = Vec::with_capacity(16 * 1024);
    loop {
        assert!(line.read_buf(&mut read).await.unwrap() > 0, "the line was closed");
        let text = std::str::from_utf8(&read).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return body.to_owned();
        }
    }
}

fn euros() -> Value {
    json!({ "amount": "10.00", "currency": "EUR" })
}

/// A folder on the disk that is measured: the build's own, not a memory file system.
fn disk() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("measure.tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file beside the journal, to which is appended as the journal is: a write and a sync.
struct Appended {
    file: tempfile::NamedTempFile,
    bytes: Vec<u8>,
}

impl Appended {
    fn new(size: usize) -> Self {
        let file = tempfile::Builder::new().append(true).tempfile_in(disk()).unwrap();
        Self { file, bytes: vec![0x5a; size] }
    }

    /// How long each of so many appends takes, after a pause before each.
    fn sample(&mut self, pause: Duration, samples: usize) -> Vec<Duration> {
        let append = |_| {
            std::thread::sleep(pause);
            let begun = Instant::now();
            self.file.write_all(&self.bytes).unwrap();
            self.file.as_file().sync_data().unwrap();
            begun.elapsed()
        };
        (0..samples).map(append).collect()
    }
}

/// How many bytes a commit appends to a log in the mean: a page belongs to the log's present round if it bears the round's
/// salts, and the last page of a commit holds the size of the database.
fn bytes_a_commit(log: &[u8]) -> usize {
    let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
    let frames = log[LOG_HEADER..].chunks_exact(FRAME_HEADER + page);
    let present: Vec<_> = frames.take_while(|frame| frame[8..16] == log[16..24]).collect();
    let commits = present.iter().filter(|frame| frame[4..8] != [0; 4]).count();
    present.len() * (FRAME_HEADER + page) / commits
}

/// The value that so many per thousand do not exceed.
fn quantile(values: &mut [Duration], per_mille: usize) -> Duration {
    values.sort();
    values[(values.len() * per_mille / 1000).min(values.len() - 1)]
}

fn us(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1000.0
}

fn sandbox() -> (Process, String) {
    let any = "127.0.0.1:0";
    let mut command = Command::new(program());
    command.args(["sandbox", "--finperks", any, "--control", any]).env("TILLD_LOG", "error");
    command.args(["--gift-local", any, "--gift-local-control", any]);
    let mut running = Process(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    (running, first.split_whitespace().nth(1).unwrap().to_owned())
}

/// Raises the sandbox's limits out of the way: its balance is not what is measured.
async fn one_after_another(finperks: &str) {
    let shop = Shop::open(finperks).await;
    // Until the journal's log has reached its size: from then on it is overwritten.
    for warm in 0..WARM {
        shop.sell(&format!("W{warm}")).await;
    }
    shop.outside.take();
    let size = bytes_a_commit(&shop.log());
    let mut appended = Appended::new(size);
    let (mut paced, mut back_to_back) = (Vec::new(), Vec::new());
    let (mut own, mut whole, mut outside) = (Vec::with_capacity(SALES), Vec::new(), Vec::new());
    let (before, mut before_slip) = (shop.journal.commits(), 0);
    for number in 0..SALES {
        let begun = shop.journal.commits();
        let took = shop.sell(&format!("A{number}")).await;
        before_slip = before_slip.max(shop.printer.commits_at_slip.load(Ordering::Relaxed) - begun);
        let spent = shop.outside.take();
        own.push(took.saturating_sub(spent));
        whole.push(took);
        outside.push(spent);
        if number % SAMPLE_EVERY == 0 {
            paced.extend(appended.sample(PACE, SAMPLES));
            back_to_back.extend(appended.sample(Duration::ZERO, SAMPLES));
        }
    }
    let commits = (shop.journal.commits() - before) as f64 / SALES as f64;
    // A sale meets the disk five times, so what is rare for one append is not rare for a sale.
    let mut by_five: Vec<Duration> = paced.chunks_exact(5).map(|five| five.iter().sum()).collect();
    let median = quantile(&mut paced, 500);
    let floor = us(median) * commits;
    let strict = us(quantile(&mut back_to_back, 500)) * commits;
    println!("one sale after another ({SALES} sales of one printed card)");
    println!(
        "  commits per sale            {commits:.2} (at most {before_slip} before the slip is at the printer)"
    );
    println!(
        "  append + fdatasync, {size} B  median {:.0} us, p99 {:.0} us (back to back {:.0} us)",
        us(median),
        us(quantile(&mut paced, 990)),
        us(quantile(&mut back_to_back, 500))
    );
    println!(
        "  five appends of the disk    p50 {:.2} x, p99 {:.2} x (5 x median), with no tilld at all",
        us(quantile(&mut by_five, 500)) / (5.0 * us(median)),
        us(quantile(&mut by_five, 990)) / (5.0 * us(median))
    );
    println!(
        "  whole sale                  p50 {:.0} us, of it provider and printer {:.0} us",
        us(quantile(&mut whole, 500)),
        us(quantile(&mut outside, 500))
    );
    for (name, per_mille, most) in [("p50", 500, 1.5), ("p99", 990, 3.0)] {
        let value = us(quantile(&mut own, per_mille));
        println!(
            "  own time {name}                {value:.0} us = {:.2} x (commits x median), {:.2} x with the disk back to back; wanted at most {most}",
            value / floor,
            value / strict
        );
    }
}

async fn at_once(finperks: &str) {
    let shop = Arc::new(Shop::open(finperks).await);
    for warm in 0..WARM {
        shop.sell(&format!("W{warm}")).await;
    }
    let (mut alone_took, mut together_took, mut commits) = (Duration::ZERO, Duration::ZERO, 0);
    for round in 0..ROUNDS {
        let begun = Instant::now();
        for number in 0..SALES_ALONE {
            shop.sell(&format!("B{round}-{number}")).await;
        }
        alone_took += begun.elapsed();
        let (begun, before) = (Instant::now(), shop.journal.commits());
        let tills = (0..TILLS).map(|till| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move {
                for number in 0..SALES_A_TILL {
                    shop.sell(&format!("C{round}-{till}-{number}")).await;
                }
            })
        });
        for till in join_all(tills).await {
            till.unwrap();
        }
        together_took += begun.elapsed();
        commits += shop.journal.commits() - before;
    }
    let count = ROUNDS * TILLS * SALES_A_TILL;
    let alone = (ROUNDS * SALES_ALONE) as f64 / alone_took.as_secs_f64();
    let together = count as f64 / together_took.as_secs_f64();
    let commits = commits as f64 / count as f64;
    println!("{TILLS} sales at once ({count} sales)");
    println!(
        "  sales per second            {together:.0} against {alone:.0} one after another = {:.2} x; wanted at least 3",
        together / alone
    );
    println!("  commits per sale            {commits:.2}; wanted at most 2");
}

fn starts(finperks: &str) {
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..STARTS {
        let folder = tempfile::tempdir_in(disk()).unwrap();
        let config = configure(folder.path(), finperks);
        let begun = Instant::now();
        let (running, address) = process::serve(Command::new(program()), &config);
        address.expect("the daemon becomes ready");
        times.push(begun.elapsed());
        if times.len() == STARTS {
            std::thread::sleep(Duration::from_secs(2));
            resident = resident_kib(running.0.id());
        }
    }
    let size = std::fs::metadata(program()).unwrap().len();
    println!("the program");
    println!(
        "  start to ready              p50 {:.1} ms, p99 {:.1} ms ({STARTS} starts, empty journal); wanted p50 under 50",
        us(quantile(&mut times, 500)) / 1000.0,
        us(quantile(&mut times, 990)) / 1000.0
    );
    println!("  idle resident memory        {:.1} MiB; wanted under 20", resident as f64 / 1024.0);
    println!("  release binary              {:.1} MB; wanted under 20", size as f64 / 1e6);
}

fn configure(folder: &Path, finperks: &str) -> PathBuf {
    let secret = folder.join("secret");
    std::fs::write(&secret, "sandbox-secret-0123456789abcdef").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = folder.join("tilld.toml");
    let text = format!(
        "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
         finperks = {{ url = \"{finperks}\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
         printer = {{ network = \"127.0.0.1:9\", columns = 42 }}\n\
         journal = {{ folder = \"{}\" }}\napi = {{ listen = \"127.0.0.1:0\" }}\n",
        secret.display(),
        folder.join("journal").display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (_sandbox, finperks) = sandbox();
    one_after_another(&finperks).await;
    at_once(&finperks).await;
    starts(&finperks);
    let _ = std::fs::remove_dir_all(disk());
}
