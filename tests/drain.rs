//! What a new sale notices of a thousand undos that are owed after an outage.
//!
//! `cargo build --release -p tilld -p tilld-tests && target/release/drain [UNDOS] [PER_SECOND] [BURST] [SALE_EVERY_MS]`,
//! by default 1000 undos, the daemon's own 5 calls a second with 10 at once, and a sale every second.
//!
//! The shipped program sells that many cards whose outcome it cannot find out, because the line fails in every confirm; all of
//! them are live, and none of their undos gets through. Then it is stopped, the line is mended, and it is started again: how
//! long that takes, how long the drain takes, and what one sale after another takes meanwhile, from the till's first request to
//! its last answer, with provider and printer. The same sales in the same daemon after the drain are the measure.
//!
//! It ends with a failure if an undo is missing or was carried out for a card that was sold; its times are only printed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing, clippy::float_arithmetic, clippy::cast_precision_loss)]

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_sandbox::finperks::{CallKind, Sandbox};
use tilld_sandbox::{ErrorBody, Fault, QueuedFault};
use tilld_tests::process::{self, Process, program};
use tokio::sync::Semaphore;

/// How many tills sell at once while the debts are made.
const TILLS: usize = 50;
/// How many sales are sold before any is timed.
const WARM: usize = 5;
/// How long a look at the health waits for the next.
const LOOK: Duration = Duration::from_millis(50);

struct Shop {
    folder: tempfile::TempDir,
    finperks: Sandbox,
    printer: SimulatedPrinter,
}

#[derive(Clone)]
struct Till {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Shop {
    async fn open() -> Self {
        let mut settings = tilld_sandbox::finperks::Settings::default();
        for available in settings.opening.values_mut() {
            *available = 1_000_000_000;
        }
        let finperks = tilld_sandbox::finperks::start(settings).await.unwrap();
        let printer = SimulatedPrinter::start(Profile::epson(), Answers::ALL, None).await.unwrap();
        // On the disk of the build: not in a file system in memory.
        let disk = std::env::current_exe().unwrap().parent().unwrap().join("drain.tmp");
        std::fs::create_dir_all(&disk).unwrap();
        let folder = tempfile::tempdir_in(disk).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, &finperks.credentials().secret).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { folder, finperks, printer }
    }

    /// Starts the daemon; how long until it serves.
    fn start(&self, per_second: u32, burst: u32, ask_s: u32) -> (Process, Till, Duration) {
        let text = format!(
            "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
             printer = {{ network = \"{}\" }}\njournal = {{ folder = \"{}\" }}\n\
             api = {{ listen = \"127.0.0.1:0\", sales_at_once = 1000 }}\ntimes = {{ ask_s = {ask_s} }}\n\
             [finperks]\nurl = \"{}\"\nkey_id = \"sandbox-key\"\nsecret_file = \"{}\"\n\
             requests_per_second = {per_second}\nburst = {burst}\n",
            self.printer.address(),
            self.folder.path().join("journal").display(),
            self.finperks.provider_url(),
            self.folder.path().join("secret").display(),
        );
        let config = self.folder.path().join("tilld.toml");
        std::fs::write(&config, text).unwrap();
        let begun = Instant::now();
        let (daemon, address) = process::serve(Command::new(program()), &config);
        let took = begun.elapsed();
        let token = std::fs::read_to_string(self.folder.path().join("journal/api.token")).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let till = Till {
            client: reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap(),
            base: format!("http://{}", address.expect("the daemon starts")),
            token: token.trim().to_owned(),
        };
        (daemon, till, took)
    }

    fn fails(&self, call: CallKind, count: usize, applied: bool) {
        let fault = Fault::ServerError { status: 503, applied, body: ErrorBody::Empty };
        let count = u32::try_from(count).unwrap();
        self.finperks.fault(QueuedFault { count, ..QueuedFault::next(call, fault) }).unwrap();
    }

    fn live(&self) -> usize {
        self.finperks.ledger().orders.iter().filter(|order| order.state == "completed").count()
    }
}

impl Till {
    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = request.header("idempotency-key", key).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Sells one printed card; how the sale ended, and how long the till's two requests took.
    async fn sell(&self, receipt: &str) -> (Value, Duration) {
        let euros = json!({ "amount": "10.00", "currency": "EUR" });
        let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros });
        let begun = Instant::now();
        let body = json!({ "receipt": receipt, "cards": [card] });
        let opened = self.post("/v1/sales", &format!("{receipt}-open"), body).await;
        let sale = opened["id"].as_str().unwrap_or_else(|| panic!("{opened}"));
        let paid = json!({ "amount": euros, "tender": { "kind": "card" } });
        let ended = self.post(&format!("/v1/sales/{sale}/payment"), &format!("{receipt}-pay"), paid).await;
        (ended, begun.elapsed())
    }

    async fn owed(&self) -> u64 {
        self.get("/v1/health").await["owed"].as_u64().unwrap()
    }

    /// Sells one card after another, at most so many or for as long as anything is owed; the times.
    async fn sell_on(&self, name: &str, every: Duration, most: Option<usize>) -> Vec<Duration> {
        let mut took = Vec::new();
        let mut tick = tokio::time::interval(every);
        loop {
            tick.tick().await;
            let enough = match most {
                Some(most) => took.len() >= most,
                None => self.owed().await == 0,
            };
            if enough {
                return took;
            }
            let (ended, time) = self.sell(&format!("{name}{}", took.len())).await;
            assert_eq!((&ended["phase"], &ended["money_back"]), (&json!("done"), &Value::Null), "{ended}");
            took.push(time);
        }
    }
}

/// The value that so many per thousand do not exceed, in ms.
fn quantile(values: &mut [Duration], per_mille: usize) -> f64 {
    values.sort();
    values[(values.len() * per_mille / 1000).min(values.len() - 1)].as_secs_f64() * 1000.0
}

fn argument(place: usize, otherwise: u32) -> u32 {
    std::env::args().nth(place).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let undos = usize::try_from(argument(1, 1_000)).unwrap();
    let (per_second, burst) = (argument(2, 5), argument(3, 10));
    let every = Duration::from_millis(u64::from(argument(4, 1_000)));
    let shop = Shop::open().await;

    // The outage: every confirm is carried out and not answered, and nothing else gets through.
    let (daemon, till, _) = shop.start(10_000, 10_000, 1);
    till.post("/v1/products/refresh", "refresh", json!({})).await;
    shop.fails(CallKind::Confirm, undos, true);
    shop.fails(CallKind::Get, 1_000_000, false);
    shop.fails(CallKind::Invalidate, 1_000_000, false);
    let seats = Arc::new(Semaphore::new(TILLS));
    let mut sales = tokio::task::JoinSet::new();
    for number in 0..undos {
        let (till, seat) = (till.clone(), Arc::clone(&seats).acquire_owned().await.unwrap());
        sales.spawn(async move {
            let _seat = seat;
            till.sell(&format!("O{number}")).await.0
        });
    }
    while let Some(ended) = sales.join_next().await {
        let ended = ended.unwrap();
        assert_eq!(ended["money_back"]["amount"], "10.00", "{ended}");
    }
    assert_eq!((till.owed().await, shop.live()), (u64::try_from(undos).unwrap(), undos));
    drop((till, daemon));
    shop.finperks.clear_faults();
    let calls_before = shop.finperks.calls().last().map_or(0, |call| call.n);

    println!(
        "{undos} undos owed after an outage; {per_second} calls a second, {burst} at once; a sale every {} ms",
        every.as_millis()
    );
    let (_daemon, till, ready) = shop.start(per_second, burst, 10);
    let begun = Instant::now();
    println!("  restart to ready            {:.0} ms", ready.as_secs_f64() * 1000.0);
    let left = till.owed().await;
    let mut draining = till.sell_on("D", every, None).await;
    let took = begun.elapsed();
    println!(
        "  drained in                  {:.0} s, {:.2} undos a second beside {} sales ({left} were left at the first look)",
        took.as_secs_f64(),
        undos as f64 / took.as_secs_f64(),
        draining.len()
    );
    tokio::time::sleep(LOOK).await;
    till.sell_on("W", every, Some(WARM)).await;
    let mut idle = till.sell_on("I", every, Some(draining.len())).await;
    for (name, times) in [("idle", &mut idle), ("draining", &mut draining)] {
        println!(
            "  whole sale, {name:<15} p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({} sales)",
            quantile(times, 500),
            quantile(times, 990),
            quantile(times, 1000),
            times.len()
        );
    }
    println!(
        "  draining to idle            p50 {:.2} x, p99 {:.2} x; wanted p99 at most 2 x",
        quantile(&mut draining, 500) / quantile(&mut idle, 500),
        quantile(&mut draining, 990) / quantile(&mut idle, 990)
    );

    let asked = shop.finperks.calls_after(calls_before);
    let invalidates = asked.iter().filter(|call| call.call == Some(CallKind::Invalidate)).count();
    let reversed = shop.finperks.ledger().orders.iter().filter(|order| order.state == "invalidated").count();
    let sold = draining.len() + WARM + idle.len();
    println!(
        "  provider                    {reversed} orders undone by {invalidates} of the calls that it remembers, {} live of {sold} sold",
        shop.live()
    );
    if reversed == undos && shop.live() == sold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
