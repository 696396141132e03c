//! The door with a real counter and a real journal behind it; only the providers and the printer are played.

mod days;
mod devices;
mod doors;
mod journal;
mod papers;
mod redeeming;
mod scans;
mod screens;
mod selling;
mod serving;
mod slips;
mod streams;
mod voucher;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tempfile::TempDir;
use tilld_counter::clock::{Clock, SystemClock};
use tilld_counter::{Counter, Place, Ports, Running, Settings};
use tilld_devices::printer::{Fault, JobOutcome, Printer, Probed, Proof, Reach, Status};
use tilld_devices::profile::Ability;
use tilld_domain::ids::{CardCode, ProductCode, ProviderKey, ProviderOrderId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, Trouble, UndoAnswer};
use tilld_domain::product::{CardKind, FaceValues, Product, RackCode};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Letters, Paper, Slip};
use tilld_journal::{Journal, OpenError, Reader, SealKey};
use tilld_providers::vouchers::Vouchers;
use tilld_providers::{
    Balance, Catalogue, ConfirmFacts, CreateFacts, Deadlines, GiftCards, Store, StoredRequest,
};
use tilld_receipts::slip::ShopTexts;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::{ApiState, InUse, Manager, PinHash, Premises, Token, app};

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7400);
pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Stands in every slip; nothing of it may come out of the door.
pub(super) const SLIP_CODE: &str = "XKCD-7777-SLIP-CODE";
/// A scanned code.
pub(super) const RACK_CODE: &str = "6006491234567890123";

pub(super) const POR: &str = "4001";
pub(super) const POSA: &str = "4002";
pub(super) const REFUSED: &str = "4003";
pub(super) const DISABLED: &str = "4004";
pub(super) const PANICS: &str = "4005";
pub(super) const YEN: &str = "4006";

/// A provider that does as the product says.
pub(super) struct Played {
    /// Whether the line is down.
    down: Mutex<bool>,
    /// Every create takes one: without any it waits.
    creates: Semaphore,
}

impl GiftCards for Played {
    fn name(&self) -> &'static str {
        "played"
    }

    fn deadlines(&self) -> Deadlines {
        let long = Duration::from_mins(1);
        Deadlines { create: long, confirm: long, lookup: long, invalidate: long, other: long }
    }

    fn confirm_is_repeatable(&self) -> bool {
        true
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        Some(-42_000)
    }

    fn rack_code(&self, product: &ProductCode) -> Option<RackCode> {
        Some(if product.as_str() == POSA { RackCode::Card } else { RackCode::Product })
    }

    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal> {
        assert_ne!(facts.product.as_str(), PANICS, "{SLIP_CODE}");
        Ok(StoredRequest(facts.product.to_string()))
    }

    fn prepare_confirm(&self, _: &ConfirmFacts) -> StoredRequest {
        StoredRequest("confirm".to_owned())
    }

    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        _: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>> {
        Box::pin(async move {
            self.creates.acquire().await.unwrap().forget();
            match request.0.as_str() {
                REFUSED => Outcome::Refused(Refusal::BalanceTooLow),
                _ => Outcome::Done(Created { order: format!("ro_{key}").parse().unwrap() }),
            }
        })
    }

    fn confirm<'a>(
        &'a self,
        _: &'a ProviderOrderId,
        _: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>> {
        let lines = ReceiptLines::new(vec![format!("Code: {SLIP_CODE}")], 0);
        Box::pin(async move { Outcome::Done(OrderSeen { stage: OrderStage::Done, lines }) })
    }

    fn lookup<'a>(&'a self, _: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        Box::pin(async { Outcome::NotSent(Trouble::Connect) })
    }

    fn invalidate<'a>(&'a self, _: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        Box::pin(async { Outcome::Done(UndoAnswer::Invalidated) })
    }

    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        let answer = if *self.down.lock().unwrap() {
            Outcome::NotSent(Trouble::Connect)
        } else {
            Outcome::Done(Catalogue { products: catalogue(), unreadable: 1, pictures: Vec::new() })
        };
        Box::pin(async move { answer })
    }

    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>> {
        let answer = if *self.down.lock().unwrap() {
            Outcome::NotSent(Trouble::Connect)
        } else {
            let available = Money::new(123_450, Currency::from_code("EUR").unwrap());
            Outcome::Done(vec![Balance { available }])
        };
        Box::pin(async move { answer })
    }

    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>> {
        Box::pin(async { Outcome::NotSent(Trouble::Connect) })
    }

    fn register_store<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Outcome<Store>> {
        Box::pin(async { Outcome::NotSent(Trouble::Connect) })
    }
}

/// The machine's clocks, some time later.
struct Later(SystemClock, Duration);

impl Clock for Later {
    fn now(&self) -> Moment {
        self.0.now().plus(self.1)
    }

    fn wall(&self) -> Moment {
        self.0.wall().plus(self.1)
    }

    fn steady(&self) -> Duration {
        self.0.steady() + self.1
    }

    fn sleep_until(&self, due: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep_until(due.saturating_sub(self.1))
    }

    fn new_id(&self) -> uuid::Uuid {
        self.0.new_id()
    }

    fn jitter(&self, most: Duration) -> Duration {
        self.0.jitter(most)
    }
}

/// The one manager, and the PIN.
pub(super) const MANAGER: &str = "Ada Berg";
pub(super) const PIN: &str = "135790";

fn managers() -> Vec<Manager> {
    let pin = PinHash::of(&Secret::new(PIN.to_owned())).unwrap();
    vec![Manager { name: MANAGER.parse().unwrap(), pin }]
}

pub(super) fn premises() -> Premises {
    Premises {
        providers: [("finperks", false), ("giftlocal", true)]
            .map(|(provider, sandbox)| InUse { provider: provider.to_owned(), sandbox })
            .into(),
        currency: Currency::from_code("EUR").ok(),
        managers: managers(),
        low_balances: Vec::new(),
    }
}

fn catalogue() -> Vec<Product> {
    let money = |minor, code| Money::new(minor, Currency::from_code(code).unwrap());
    let product = |code: &str, kind, face_values, currency, sellable| Product {
        code: code.parse().unwrap(),
        name: format!("Card {code}"),
        brand: "Brand".to_owned(),
        kind,
        currency: Currency::from_code(currency).unwrap(),
        face_values,
        country: "DE".parse().unwrap(),
        sellable,
    };
    let open = || FaceValues::Open { least: money(500, "EUR"), most: money(15_000, "EUR") };
    vec![
        product(POR, CardKind::Por, open(), "EUR", true),
        product(
            POSA,
            CardKind::Posa,
            FaceValues::Fixed(vec![money(2500, "EUR"), money(5000, "EUR")]),
            "EUR",
            true,
        ),
        product(REFUSED, CardKind::Por, open(), "EUR", true),
        product(DISABLED, CardKind::Por, FaceValues::Fixed(vec![money(20_000, "EUR")]), "EUR", false),
        product(PANICS, CardKind::Por, open(), "EUR", true),
        product(YEN, CardKind::Por, FaceValues::Fixed(vec![money(5000, "JPY")]), "JPY", true),
    ]
}

const COVER_OPEN: Status = Status { fault: Some(Fault::CoverOpen), paper_low: true, drawer_pin_high: None };

/// A printer that ends every job as it is told.
pub(super) struct Paperless {
    outcome: Mutex<JobOutcome>,
    condition: watch::Sender<Option<Status>>,
    /// What stood on the last slip.
    last: Mutex<String>,
    /// How many slips it was given, and how many of those came to their end.
    jobs: AtomicUsize,
    ended: watch::Sender<usize>,
    /// Each slip takes one: none, and it stays in the middle of it.
    goes_on: Semaphore,
}

impl Printer for Paperless {
    fn name(&self) -> &'static str {
        "paperless"
    }

    fn paper(&self) -> Paper {
        Paper { columns: 42, prints: Letters::ASCII, bars: 576 }
    }

    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        *self.last.lock().unwrap() = tilld_receipts::preview::text(slip);
        self.jobs.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            self.goes_on.acquire().await.unwrap().forget();
            self.ended.send_modify(|ended| *ended += 1);
            *self.outcome.lock().unwrap()
        })
    }

    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(async { Some(COVER_OPEN) })
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.subscribe()
    }

    fn probe(&self, _: bool) -> BoxFuture<'_, Probed> {
        Box::pin(async {
            Probed {
                reach: Reach::Open,
                identity: None,
                real_time: Ability::Has,
                queued: Ability::Lacks,
                process_id: Ability::Lacks,
                automatic: Ability::Lacks,
                status: Some(COVER_OPEN),
            }
        })
    }
}

/// A door with everything behind it, until it is dropped.
pub(super) struct House {
    pub(super) app: Router,
    pub(super) counter: Counter,
    provider: Arc<Played>,
    vouchers: Arc<voucher::PlayedVouchers>,
    printer: Arc<Paperless>,
    driver: Running,
    disk: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Answered {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    /// The code of a problem that is whole, after its status.
    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text());
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        let json = self.json();
        let code = json["code"].as_str().unwrap().to_owned();
        assert_eq!(json["type"], format!("urn:tilld:{code}"));
        assert_eq!(json["status"], self.status.as_u16());
        for member in ["title", "cashier", "developer"] {
            assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {json}");
        }
        (self.status.as_u16(), code)
    }
}

impl House {
    /// A house with its catalogue fetched.
    pub(super) async fn new() -> Self {
        let house = Self::bare().await;
        house.counter.refresh_products().await.unwrap();
        house
    }

    /// A house whose provider cannot be reached yet.
    pub(super) async fn bare() -> Self {
        Self::on(tempfile::tempdir().unwrap(), Some(Arc::default())).await
    }

    /// A house whose configuration names no provider of vouchers.
    pub(super) async fn without_vouchers() -> Self {
        Self::on(tempfile::tempdir().unwrap(), None).await
    }

    /// The same house after its daemon was stopped and started again.
    pub(super) async fn started_again(self) -> Self {
        self.started_after(|_| ()).await
    }

    /// The same, after something was done to the journal in between.
    pub(super) async fn started_after(self, deed: impl FnOnce(&Journal)) -> Self {
        let vouchers = self.vouchers.clone();
        let disk = self.stopped().await;
        deed(&open(&disk).await);
        Self::on(disk, Some(vouchers)).await
    }

    /// The same, with a configuration that names no provider of vouchers any more.
    pub(super) async fn started_without_vouchers(self) -> Self {
        Self::on(self.stopped().await, None).await
    }

    async fn stopped(self) -> TempDir {
        let Self { app, counter, mut driver, disk, .. } = self;
        counter.stop().await;
        driver.ended().await;
        drop((app, counter));
        disk
    }

    async fn on(disk: TempDir, vouchers: Option<Arc<voucher::PlayedVouchers>>) -> Self {
        let journal = open(&disk).await;
        // What was fetched before the first request is the test's to say.
        let provider = Arc::new(Played { down: Mutex::new(true), creates: Semaphore::new(1000) });
        let printer = Arc::new(Paperless {
            outcome: Mutex::new(JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 }),
            condition: watch::Sender::new(None),
            last: Mutex::default(),
            jobs: AtomicUsize::new(0),
            ended: watch::Sender::new(0),
            goes_on: Semaphore::new(1000),
        });
        let ports = Ports {
            vouchers: vouchers.clone().map(|vouchers| vouchers as Arc<dyn Vouchers>),
            journal: journal.into(),
            provider: provider.clone(),
            printer: printer.clone(),
            pictures: None,
            scanners: Vec::new(),
            clock: Arc::new(SystemClock::default()),
        };
        let place = Place {
            store: "DE-0815".parse().unwrap(),
            terminal: "till-3".parse().unwrap(),
            country: "DE".parse().unwrap(),
            locale: "de-DE".parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
            texts: ShopTexts::default(),
            columns: None,
            slip_numbers: true,
        };
        let (counter, driver) = Counter::start(ports, place, Settings::DESIGN).await.unwrap();
        *provider.down.lock().unwrap() = false;
        let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        let app = app(ApiState::new(counter.clone(), token, ADDRESS, premises()));
        Self { app, counter, provider, vouchers: vouchers.unwrap_or_default(), printer, driver, disk }
    }

    /// What is in the journal.
    pub(super) fn journal(&self) -> Reader {
        Reader::open(&self.disk.path().join("journal")).unwrap()
    }

    pub(super) fn provider_is_down(&self) {
        *self.provider.down.lock().unwrap() = true;
    }

    pub(super) fn printer_will(&self, outcome: JobOutcome) {
        *self.printer.outcome.lock().unwrap() = outcome;
    }

    /// The printer says how it is, unasked.
    pub(super) fn printer_is(&self, status: Status) {
        self.printer.condition.send_replace(Some(status));
    }

    /// How many slips the printer was given.
    pub(super) fn jobs(&self) -> usize {
        self.printer.jobs.load(Ordering::Relaxed)
    }

    /// What stood on the last slip that the printer was given.
    pub(super) fn last_slip(&self) -> String {
        self.printer.last.lock().unwrap().clone()
    }

    /// The printer stops in the middle of the next slip.
    pub(super) fn hold_slips(&self) {
        self.printer.goes_on.forget_permits(usize::MAX);
    }

    pub(super) fn let_slips_go(&self) {
        self.printer.goes_on.add_permits(1000);
    }

    /// Returns when so many slips came to their end.
    pub(super) async fn slips_ended(&self, count: usize) {
        self.printer.ended.subscribe().wait_for(|ended| *ended >= count).await.unwrap();
    }

    /// Lets no create come back until [`House::let_creates_go`].
    pub(super) fn hold_creates(&self) {
        self.provider.creates.forget_permits(usize::MAX);
    }

    pub(super) fn let_creates_go(&self) {
        self.provider.creates.add_permits(1000);
    }

    /// Another door to the same counter: after some time, for who holds another token.
    pub(super) fn door(&self, later: Duration, token: &str) -> Router {
        let token = Token::new(Secret::new(token.to_owned())).unwrap();
        let clock = Arc::new(Later(SystemClock::default(), later));
        app(ApiState::at(clock, self.counter.clone(), token, ADDRESS, premises()))
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Answered {
        self.send_to(&self.app, request).await
    }

    /// Sends a request to a door.
    pub(super) async fn send_to(&self, door: &Router, request: Request<Body>) -> Answered {
        let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
        let response = door.clone().oneshot(request).await.unwrap();
        assert!(is_described(&method, &path, response.status()), "{method} {path}: {}", response.status());
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered { status: parts.status, headers: parts.headers, bytes }
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.send(let_in("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Posts JSON under a key.
    pub(super) async fn post(&self, path: &str, key: &str, body: impl Into<Body>) -> Answered {
        let request = let_in("POST", path).header("idempotency-key", key);
        self.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
    }
}

/// Whether a row of a paper is the mark of a copy, which is drawn wide.
pub(super) fn is_mark(row: &str) -> bool {
    row.replace(' ', "").contains("KOPIE")
}

/// Opens a house's journal.
async fn open(disk: &TempDir) -> Journal {
    let settings = tilld_journal::Settings {
        path: disk.path().join("journal"),
        seal: SealKey::new([7; 32]),
        keep_codes: tilld_journal::Settings::KEEP_CODES,
    };
    // A thread that has just read something for the daemon before lets go of it a moment after it has answered.
    loop {
        match Journal::open(&settings) {
            Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    }
}

/// Whether the description knows that a route may answer so. What is no route is none of its business.
fn is_described(method: &str, path: &str, status: StatusCode) -> bool {
    let document: Value = serde_json::from_str(crate::openapi_json()).unwrap();
    let fits = |template: &str| {
        template.split('/').count() == path.split('/').count()
            && template
                .split('/')
                .zip(path.split('/'))
                .all(|(part, given)| part == given || part.starts_with('{') && !given.is_empty())
    };
    let paths = document["paths"].as_object().unwrap();
    let found = paths.iter().find(|(template, _)| fits(template)).and_then(|(_, path)| path.get(method));
    found.is_none_or(|operation| operation["responses"].get(status.as_str()).is_some())
}

/// A request that the guard lets in.
pub(super) fn let_in(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:7400")
        .header("authorization", format!("Bearer {TOKEN}"))
}

/// The body of a sale of one printed card.
pub(super) fn one_card(receipt: &str, product: &str) -> String {
    sale(receipt, &[card(product, "por", "50.00", None)])
}

pub(super) fn sale(receipt: &str, cards: &[String]) -> String {
    format!(r#"{{"receipt":"{receipt}","cards":[{}]}}"#, cards.join(","))
}

pub(super) fn card(product: &str, kind: &str, amount: &str, code: Option<&str>) -> String {
    let currency = if product == YEN { "JPY" } else { "EUR" };
    let code = code.map(|code| format!(r#","code":"{code}""#)).unwrap_or_default();
    format!(
        r#"{{"product":"{product}","kind":"{kind}","face_value":{{"amount":"{amount}","currency":"{currency}"}}{code}}}"#
    )
}

/// A payment by card.
pub(super) fn by_card(amount: &str) -> String {
    format!(r#"{{"amount":{{"amount":"{amount}","currency":"EUR"}},"tender":{{"kind":"card"}}}}"#)
}
