//! Real kills: the shipped program loses its process again and again, at random and at named points, while sales go on.
//!
//! `cargo build --release && cargo run --release -p tilld-tests --bin kills -- [KILLS] [SEED]`
//!
//! The daemon is a process of its own and dies by SIGKILL; till, simulated finperks and simulated printer live on in this
//! one. After a kill the daemon is started again on what it left behind, sometimes to be killed in its recovery, and the
//! till repeats what it got no answer to, as till software must. In the end a person answers what is asked by what is on
//! the paper, the undos get through, and three books are compared that know nothing of each other: the provider's ledger,
//! the paper, and the money as the till was told. A point is counted where the kill met it: a call that never came within its time
//! ends in a kill all the same, and is none of that point. In a run of 300 and more a point that was never met is a failure.
//! Vouchers are redeemed at a simulated Gift Local at the same time
//! (`baskets`), and two more books compared.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing)]

mod baskets;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedFault, SimulatedPrinter};
use tilld_journal::{Filter, Reader, Verdict};
use tilld_sandbox::finperks::{CallKind, Sandbox};
use tilld_sandbox::{Executed, Fault, Loss, QueuedFault, gift_local};
use tilld_tests::books::{self, Money, Pile};
use tilld_tests::process::{self, Process, program};
use tilld_tests::trade::chance::Chance;

use baskets::Baskets;

/// How long anything is waited for that must come.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    AnyMoment,
    CreateArrived,
    CreateDone,
    ConfirmArrived,
    ConfirmDone,
    /// The answer to a confirm was lost, and the provider is asked where the order stands.
    LookupArrived,
    UndoArrived,
    UndoDone,
    /// The slip is at the printer, which says nothing.
    SlipUnproven,
    Recovery,
    ValidateArrived,
    RedeemArrived,
    RedeemDone,
    ReverseArrived,
    ReverseDone,
    /// The provider has redeemed and answers, and the till is about to be told.
    AnswerDue,
}

const POINTS: [Point; 16] = [
    Point::AnyMoment,
    Point::CreateArrived,
    Point::CreateDone,
    Point::ConfirmArrived,
    Point::ConfirmDone,
    Point::LookupArrived,
    Point::UndoArrived,
    Point::UndoDone,
    Point::SlipUnproven,
    Point::Recovery,
    Point::ValidateArrived,
    Point::RedeemArrived,
    Point::RedeemDone,
    Point::ReverseArrived,
    Point::ReverseDone,
    Point::AnswerDue,
];

/// From how many kills on every point must have been met.
const ENOUGH: usize = 300;

impl Point {
    /// The call that is held there, and whether it is carried out before the kill.
    fn held(self) -> Option<(CallKind, Executed)> {
        match self {
            Self::CreateArrived => Some((CallKind::Create, Executed::AfterRelease)),
            Self::CreateDone => Some((CallKind::Create, Executed::BeforeRelease)),
            Self::ConfirmArrived => Some((CallKind::Confirm, Executed::AfterRelease)),
            Self::ConfirmDone => Some((CallKind::Confirm, Executed::BeforeRelease)),
            Self::LookupArrived => Some((CallKind::Get, Executed::AfterRelease)),
            Self::UndoArrived => Some((CallKind::Invalidate, Executed::AfterRelease)),
            Self::UndoDone => Some((CallKind::Invalidate, Executed::BeforeRelease)),
            _ => None,
        }
    }

    /// The same of the provider of vouchers.
    fn held_voucher(self) -> Option<(gift_local::CallKind, Executed)> {
        match self {
            Self::ValidateArrived => Some((gift_local::CallKind::Validate, Executed::AfterRelease)),
            Self::RedeemArrived => Some((gift_local::CallKind::Redeem, Executed::AfterRelease)),
            Self::RedeemDone | Self::AnswerDue => {
                Some((gift_local::CallKind::Redeem, Executed::BeforeRelease))
            }
            Self::ReverseArrived => Some((gift_local::CallKind::Reverse, Executed::AfterRelease)),
            Self::ReverseDone => Some((gift_local::CallKind::Reverse, Executed::BeforeRelease)),
            _ => None,
        }
    }
}

/// A request that a till has made, and must repeat until it is answered.
#[derive(Clone)]
struct Request {
    receipt: String,
    path: String,
    key: String,
    body: Value,
}

/// What the till has on its own disk.
#[derive(Default)]
struct Book {
    receipts: u64,
    /// Sales by receipt; their id once the till was told.
    sales: BTreeMap<String, Option<String>>,
    unanswered: Vec<Request>,
    /// What the till was told of money by sales that are over, by id.
    over: BTreeMap<String, Money>,
}

/// Till software: it speaks to whatever daemon runs, and writes down what it asked.
#[derive(Clone)]
struct Till {
    client: reqwest::Client,
    address: String,
    token: String,
    book: Arc<Mutex<Book>>,
}

fn euros(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

impl Till {
    async fn ask(&self, request: &Request) -> Option<Value> {
        let sent = self
            .client
            .post(format!("http://{}{}", self.address, request.path))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .header("idempotency-key", &request.key)
            .body(request.body.to_string());
        let answer = sent.send().await.ok()?;
        // "Ask again" is no answer.
        if answer.status().as_u16() == 503 {
            return None;
        }
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    async fn get(&self, path: &str) -> Option<Value> {
        self.try_get(path).await.ok()
    }

    async fn try_get(&self, path: &str) -> Result<Value, String> {
        let asked = self.client.get(format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        let answer = asked.send().await.map_err(|error| format!("{error:?}"))?;
        let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    /// Reads from a daemon that nobody kills. A connection may break all the same: a till reads again.
    async fn read(&self, path: &str) -> Value {
        let begun = Instant::now();
        loop {
            match self.try_get(path).await {
                Ok(read) => return read,
                Err(why) => assert!(begun.elapsed() < PATIENCE, "the daemon does not answer {path}: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn note_unanswered(&self, request: Request) {
        self.book.lock().unwrap().unanswered.push(request);
    }

    /// Sells; whatever gets no answer stays on the list.
    async fn sell(&self, dice: u64) {
        let receipt = {
            let mut book = self.book.lock().unwrap();
            book.receipts += 1;
            let receipt = format!("R{}", book.receipts);
            book.sales.insert(receipt.clone(), None);
            receipt
        };
        let por = json!({ "product": "4001232232332", "kind": "por", "face_value": euros("10.00") });
        let posa = json!({ "product": "4001232100022", "kind": "posa", "face_value": euros("25.00"),
            "code": format!("63999900{:0>11}", receipt.trim_start_matches('R')) });
        let cards = match dice % 4 {
            0 => vec![posa],
            1 => vec![por.clone(), posa],
            _ => vec![por],
        };
        let body = json!({ "receipt": receipt, "cards": cards });
        let open = Request { path: "/v1/sales".to_owned(), key: format!("{receipt}-open"), receipt, body };
        match self.ask(&open).await {
            None => self.note_unanswered(open),
            Some(opened) => self.go_on(&open.receipt, &opened, dice.is_multiple_of(6)).await,
        }
    }

    /// After the sale was opened: mostly it is paid, sometimes cancelled.
    async fn go_on(&self, receipt: &str, opened: &Value, cancel: bool) {
        let Some(sale) = opened["id"].as_str() else { return };
        self.book.lock().unwrap().sales.insert(receipt.to_owned(), Some(sale.to_owned()));
        if !opened["due"].is_object() {
            return;
        }
        let receipt = receipt.to_owned();
        let step = if cancel {
            Request {
                path: format!("/v1/sales/{sale}/cancel"),
                key: format!("{receipt}-cancel"),
                receipt,
                body: json!({}),
            }
        } else {
            let body = json!({ "amount": opened["due"], "tender": { "kind": "card" } });
            Request {
                path: format!("/v1/sales/{sale}/payment"),
                key: format!("{receipt}-pay"),
                receipt,
                body,
            }
        };
        if self.ask(&step).await.is_none() {
            self.note_unanswered(step);
        }
    }

    /// Repeats what got no answer, as till software must.
    async fn repeat(&self) {
        let unanswered = std::mem::take(&mut self.book.lock().unwrap().unanswered);
        for request in unanswered {
            match self.ask(&request).await {
                None => self.note_unanswered(request),
                Some(opened) if request.path == "/v1/sales" => {
                    self.go_on(&request.receipt, &opened, false).await;
                }
                Some(_) => {}
            }
        }
    }
}

struct Shop {
    folder: tempfile::TempDir,
    finperks: Sandbox,
    gift_local: Arc<gift_local::Sandbox>,
    baskets: Arc<Baskets>,
    printer: SimulatedPrinter,
    /// What left the printer, and was taken away from it: it keeps only so many.
    pile: Mutex<Pile>,
    client: reqwest::Client,
    book: Arc<Mutex<Book>>,
}

impl Shop {
    async fn open() -> Self {
        let mut settings = tilld_sandbox::finperks::Settings::default();
        for available in settings.opening.values_mut() {
            *available = 1_000_000_000;
        }
        let finperks = tilld_sandbox::finperks::start(settings).await.unwrap();
        let printer = SimulatedPrinter::start(Profile::epson(), Answers::ALL, None).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, &finperks.credentials().secret).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let gift_local = gift_local::start(gift_local::Settings::default()).await.unwrap();
        let key = folder.path().join("gift_local.key");
        std::fs::write(&key, gift_local.api_key()).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let switches = gift_local::Switches::default();
        let text = format!(
            "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
             printer = {{ network = \"{}\" }}\njournal = {{ folder = \"{}\" }}\n\
             api = {{ listen = \"127.0.0.1:0\", sales_at_once = 1000 }}\ntimes = {{ quiet_s = 1 }}\n\
             [finperks]\nurl = \"{}\"\nkey_id = \"sandbox-key\"\nsecret_file = \"{}\"\n\
             requests_per_second = 10000\nburst = 10000\nposa = {{ default = \"field:card_code\" }}\n\
             [gift_local]\nurl = \"{}\"\nkey_file = \"{}\"\ncurrency = \"EUR\"\nlocation = \"A1234\"\n\
             requests_per_second = 10000\nburst = 10000\n\
             reverse = {{ path = \"{}\", id_field = \"{}\", repeatable = true }}\n",
            printer.address(),
            folder.path().join("journal").display(),
            finperks.provider_url(),
            secret.display(),
            gift_local.provider_url(),
            key.display(),
            switches.reverse_path,
            switches.reverse_id_field,
        );
        std::fs::write(folder.path().join("tilld.toml"), text).unwrap();
        Self {
            folder,
            finperks,
            gift_local: Arc::new(gift_local),
            baskets: Arc::default(),
            printer,
            pile: Mutex::default(),
            client: tilld_tests::shop::client(),
            book: Arc::default(),
        }
    }

    fn start(&self) -> (Process, Till) {
        let (daemon, address) =
            process::serve(Command::new(program()), &self.folder.path().join("tilld.toml"));
        let token = std::fs::read_to_string(self.folder.path().join("journal/api.token")).unwrap();
        let till = Till {
            client: self.client.clone(),
            address: address.expect("the daemon starts"),
            token: token.trim().to_owned(),
            book: Arc::clone(&self.book),
        };
        (daemon, till)
    }

    /// Lets a till sell into a kill at a point; whether the kill met it.
    async fn kill_at(&self, point: Point, chance: &mut Chance) -> bool {
        let (daemon, till) = self.start();
        if point == Point::Recovery {
            tokio::time::sleep(Duration::from_micros(chance.below(8_000))).await;
            drop(daemon);
            return true;
        }
        if point == Point::LookupArrived {
            let lost = Fault::DropAnswer { how: Loss::Reset };
            self.finperks.fault(QueuedFault::next(CallKind::Confirm, lost)).unwrap();
        }
        if let Some((call, executed)) = point.held() {
            self.finperks.fault(QueuedFault::next(call, Fault::Hold { executed })).unwrap();
        }
        if let Some((call, executed)) = point.held_voucher() {
            let fault = gift_local::QueuedFault::next(call, Fault::Hold { executed });
            self.gift_local.fault(fault).unwrap();
        }
        if point == Point::SlipUnproven {
            self.printer.fault(SimulatedFault::MuteAtByte(usize::try_from(chance.below(3_000)).unwrap()));
        }
        let dice = match point {
            Point::UndoArrived | Point::UndoDone => 6,
            // The first of the sales is paid.
            Point::LookupArrived => 1,
            _ => chance.draw(),
        };
        let redeeming = tokio::spawn({
            let (till, gift_local) = (till.clone(), Arc::clone(&self.gift_local));
            let (baskets, guests) = (Arc::clone(&self.baskets), 1 + chance.below(3));
            async move {
                let repeating = baskets.repeat(&till, false);
                let coming = async {
                    for guest in 0..guests {
                        let takes_back = matches!(point, Point::ReverseArrived | Point::ReverseDone)
                            || dice.wrapping_add(guest).is_multiple_of(3);
                        baskets.redeem(&till, &gift_local, takes_back).await;
                    }
                };
                tokio::join!(repeating, coming);
            }
        });
        let selling = tokio::spawn(async move {
            till.repeat().await;
            // Enough to be in the middle of one at any moment.
            for more in 0..5_u64 {
                till.sell(dice.wrapping_add(more)).await;
            }
        });
        let moment = match point {
            Point::SlipUnproven => Duration::from_millis(20 + chance.below(40)),
            Point::AnyMoment => Duration::from_micros(chance.below(40_000)),
            // Only where the call does not come is it waited for so long.
            _ => Duration::from_secs(3),
        };
        let held = self.finperks.until(|finperks| point.held().is_some() && finperks.held() > 0);
        let held_voucher = self.gift_local.until(|local| point.held_voucher().is_some() && local.held() > 0);
        let either = async {
            tokio::select! { () = held => {}, () = held_voucher => {} }
        };
        let held = tokio::time::timeout(moment, either).await.is_ok();
        if point == Point::AnswerDue {
            self.gift_local.release();
            tokio::time::sleep(Duration::from_micros(chance.below(3_000))).await;
        }
        drop(daemon);
        let met = match point {
            Point::AnyMoment | Point::Recovery => true,
            Point::SlipUnproven => self.is_printing(),
            _ => held,
        };
        self.gift_local.clear_faults();
        self.gift_local.release();
        self.finperks.clear_faults();
        self.finperks.release();
        self.printer.power_cycle();
        self.printer.clear();
        drop(self.papers());
        selling.await.unwrap();
        redeeming.await.unwrap();
        met
    }

    /// Whether a slip is at the printer, by the journal that the dead daemon left.
    fn is_printing(&self) -> bool {
        let reader = Reader::open(&self.folder.path().join("journal")).unwrap();
        let printing = Filter { state: Some("printing".to_owned()), open_only: true, ..Filter::default() };
        !reader.list(&printing, 1).unwrap().is_empty()
    }

    /// The shop goes on without kills until nothing is open; what the books say then. `vouchers`: also until every redemption
    /// is found out, which takes a settle time or two.
    async fn settle(&self, vouchers: bool) -> Vec<String> {
        let (_daemon, till) = self.start();
        let repeating = vouchers.then(|| {
            let (till, baskets) = (till.clone(), Arc::clone(&self.baskets));
            tokio::spawn(async move {
                loop {
                    baskets.repeat(&till, true).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        });
        let found = self.settle_with(&till, vouchers).await;
        if let Some(repeating) = repeating {
            repeating.abort();
        }
        found
    }

    async fn settle_with(&self, till: &Till, vouchers: bool) -> Vec<String> {
        let begun = Instant::now();
        loop {
            till.repeat().await;
            let (sales, unanswered) = {
                let book = self.book.lock().unwrap();
                let known = book.sales.values().flatten();
                let open: Vec<String> =
                    known.filter(|sale| !book.over.contains_key(*sale)).cloned().collect();
                (open, book.unanswered.len())
            };
            let mut waiting = Vec::new();
            for sale in sales {
                let now = till.read(&format!("/v1/sales/{sale}")).await;
                self.answer(till, &now).await;
                let at_rest = matches!(now["phase"].as_str(), Some("done" | "nothing_sold"));
                let owed = now["cards"].as_array().unwrap().iter().any(|card| card["state"] == "owed");
                if at_rest && !owed {
                    self.book.lock().unwrap().over.insert(sale, books::money_of(&now));
                } else {
                    waiting.push(format!("{} {}", now["receipt"], now["phase"]));
                }
            }
            let baskets = self.baskets.settle(till, &self.gift_local).await + self.baskets.unanswered();
            let health = till.read("/v1/health").await;
            let open = ["open_sales", "owed", "questions"].map(|what| health[what].as_u64());
            // A redemption that is being found out may be a question.
            let counted = if vouchers { &open[..] } else { &open[..1] };
            let none_open = counted.iter().all(|count| *count == Some(0));
            if unanswered == 0 && waiting.is_empty() && none_open && (baskets == 0 || !vouchers) {
                let money: Vec<Money> = self.book.lock().unwrap().over.values().cloned().collect();
                let mut found = self.compare(&money);
                if vouchers {
                    found.extend(self.baskets.compare(&self.gift_local));
                }
                return found;
            }
            if begun.elapsed() > PATIENCE {
                return vec![format!(
                    "not at rest: {unanswered} unanswered, {baskets} baskets, {waiting:?}, {health}"
                )];
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A person answers by what is on the paper; a customer who has not paid leaves.
    async fn answer(&self, till: &Till, sale: &Value) {
        let id = sale["id"].as_str().unwrap();
        let receipt = sale["receipt"].as_str().unwrap().to_owned();
        if sale["phase"] == "collect" {
            let key = format!("{receipt}-leaves");
            till.ask(&Request { path: format!("/v1/sales/{id}/cancel"), key, receipt, body: json!({}) })
                .await;
            return;
        }
        for card in sale["cards"].as_array().unwrap() {
            let Some(asks) = card.pointer("/question/asks").and_then(Value::as_str) else { continue };
            let order = card["provider_order"].as_str().unwrap_or_default();
            let complete = books::is_on_paper(&self.finperks, &self.papers(), order);
            let answer = books::answer_to(asks, complete);
            let (number, seq) = (&card["number"], &sale["seq"]);
            let request = Request {
                path: format!("/v1/sales/{id}/cards/{number}/answer"),
                key: format!("{receipt}-{number}-{seq}"),
                receipt: receipt.clone(),
                body: json!({ "answer": answer, "by": "Kim" }),
            };
            till.ask(&request).await;
        }
    }

    /// All the paper there is.
    fn papers(&self) -> MutexGuard<'_, Pile> {
        let mut pile = self.pile.lock().unwrap();
        pile.add(self.printer.take_papers());
        pile
    }

    fn compare(&self, money: &[Money]) -> Vec<String> {
        let mut found = books::contradictions(&self.finperks, &self.papers(), money);
        match Reader::open(&self.folder.path().join("journal")).unwrap().verify().unwrap() {
            Verdict::Whole { .. } => {}
            Verdict::Broken { seq, why } => found.push(format!("the journal is broken at {seq}: {why}")),
        }
        found
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let kills: usize = arguments.next().map_or(300, |count| count.parse().expect("a number of kills"));
    let seed: u64 = arguments.next().map_or(1, |seed| seed.parse().expect("a seed"));
    let mut chance = Chance::of(seed, 0, 0);
    let shop = Shop::open().await;
    {
        let (_daemon, till) = shop.start();
        let refresh = Request {
            receipt: String::new(),
            path: "/v1/products/refresh".to_owned(),
            key: "refresh".to_owned(),
            body: json!({}),
        };
        till.ask(&refresh).await.expect("the catalogue comes");
    }
    let begun = Instant::now();
    let mut counts: BTreeMap<Point, usize> = POINTS.map(|point| (point, 0)).into();
    for kill in 0..kills {
        let point = chance.one_of(&POINTS);
        if shop.kill_at(point, &mut chance).await {
            *counts.entry(point).or_default() += 1;
        }
        // What is open must not only grow: now and then the shop has a quiet moment.
        if kill % 50 == 49 {
            let found = shop.settle(false).await;
            if !found.is_empty() {
                println!("after {} kills (seed {seed}): {found:?}", kill + 1);
                return ExitCode::FAILURE;
            }
        }
    }
    let found = shop.settle(true).await;
    let orders = shop.finperks.ledger().orders;
    let sold = orders.iter().filter(|order| order.state == "completed").count();
    let sales = shop.book.lock().unwrap().sales.len();
    println!(
        "{kills} kills (seed {seed}) in {} s, {} of them at their points: {counts:?}",
        begun.elapsed().as_secs(),
        counts.values().sum::<usize>()
    );
    let never: Vec<Point> =
        counts.iter().filter(|(_, count)| kills >= ENOUGH && **count == 0).map(|(point, _)| *point).collect();
    if !never.is_empty() {
        println!("never killed at {never:?}");
        return ExitCode::FAILURE;
    }
    println!(
        "{sales} sales, {} orders at the provider, {sold} sold and kept, violations: {}",
        orders.len(),
        found.len()
    );
    println!("{}", shop.baskets.figures(&shop.gift_local));
    if found.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{found:#?}");
    ExitCode::FAILURE
}
