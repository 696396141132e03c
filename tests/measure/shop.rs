//! A daemon made of the real rooms with the timed clients and printer in it, and the simulated providers in a process of their
//! own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::{Value, json};
use tilld_counter::clock::SystemClock;
use tilld_counter::{Counter, Ports, Running, Settings};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_devices::{PrinterPort, PrinterSettings, attended};
use tilld_domain::money::Currency;
use tilld_domain::secret::Secret;
use tilld_journal::{Journal, SealKey};
use tilld_providers::finperks::{Finperks, PosaRule, PosaRules};
use tilld_providers::gift_local::{GiftLocal, Location};
use tilld_providers::pace::Limits;
use tilld_providers::{finperks, gift_local};
use tilld_receipts::slip::ShopTexts;
use tilld_tests::process::{Process, program};

use crate::disk::{self, Logged};
use crate::till::Tills;
use crate::timed::{Outside, TimedPrinter, TimedProvider, TimedVouchers};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// No pause of ours is measured.
const UNPACED: Limits = Limits { per_second: 1_000_000, burst: 1_000_000 };

/// The simulated providers.
pub struct Providers {
    _running: Process,
    pub finperks: String,
    gift_local: String,
    gift_local_key: String,
    gift_local_control: SocketAddr,
}

impl Providers {
    pub fn start() -> Self {
        let any = "127.0.0.1:0";
        let mut command = Command::new(program());
        command.args(["sandbox", "--finperks", any, "--control", any]).env("TILLD_LOG", "error");
        command.args(["--gift-local", any, "--gift-local-control", any]);
        let mut running = Process(command.stdout(Stdio::piped()).spawn().unwrap());
        let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        // "finperks URL (…)", "control URL", "gift-local URL (key …)", "control URL".
        let told: Vec<Vec<String>> =
            lines.take(4).map(|line| line.unwrap().split_whitespace().map(str::to_owned).collect()).collect();
        Self {
            _running: running,
            finperks: told[0][1].clone(),
            gift_local: told[2][1].clone(),
            gift_local_key: told[2].last().unwrap().trim_end_matches(')').to_owned(),
            gift_local_control: told[3][1].trim_start_matches("http://").parse().unwrap(),
        }
    }

    /// Issues a voucher of so many euros; its code.
    pub async fn issue(&self, euros: &str) -> String {
        let body = json!({ "value": euros, "currency": "EUR" });
        let issued = Tills::new(self.gift_local_control, "").post("/vouchers", "", &body).await.json();
        issued["code"].as_str().unwrap_or_else(|| panic!("{issued}")).to_owned()
    }
}

pub struct Shop {
    pub journal: Journal,
    pub outside: Arc<Outside>,
    pub printer: Arc<TimedPrinter>,
    pub vouchers: Arc<TimedVouchers>,
    pub tills: Tills,
    _driver: Running,
    _paper: SimulatedPrinter,
    folder: tempfile::TempDir,
}

impl Shop {
    pub async fn open(providers: &Providers) -> Self {
        let folder = tempfile::tempdir_in(disk::folder()).unwrap();
        let paper = SimulatedPrinter::start(Profile::epson(), Answers::ALL, None).await.unwrap();
        let outside = Arc::new(Outside::default());
        let seal = SealKey::new([7; 32]);
        let journal = Journal::open(&tilld_journal::Settings {
            path: folder.path().join("journal"),
            seal,
            keep_codes: Duration::from_hours(24),
        })
        .unwrap();
        let slips = attended(PrinterSettings {
            name: "slip".to_owned(),
            port: PrinterPort::Network(paper.address().to_string()),
            profile: Profile::epson(),
            patience: tilld_devices::job::Patience::default(),
            memory: None,
        });
        let printer = Arc::new(TimedPrinter {
            printer: slips,
            outside: Arc::clone(&outside),
            journal: journal.clone(),
            commits_at_slip: AtomicU64::new(0),
        });
        let vouchers = Arc::new(TimedVouchers {
            gift_local: local(providers),
            outside: Arc::clone(&outside),
            looks: std::sync::Mutex::default(),
        });
        let ports = Ports {
            vouchers: Some(Arc::<TimedVouchers>::clone(&vouchers)),
            journal: journal.clone().into(),
            provider: Arc::new(TimedProvider(cards(providers), Arc::clone(&outside))),
            printer: Arc::<TimedPrinter>::clone(&printer),
            pictures: None,
            scanners: Vec::new(),
            clock: Arc::new(SystemClock::default()),
        };
        let place = tilld_counter::Place {
            store: "A1234".parse().unwrap(),
            terminal: "T01".parse().unwrap(),
            country: "DE".parse().unwrap(),
            locale: "de-DE".parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
            texts: ShopTexts { header: vec!["Buchhandlung am Markt".to_owned()], ..ShopTexts::default() },
            columns: None,
            slip_numbers: true,
        };
        let (counter, driver) = Counter::start(ports, place, Settings::DESIGN).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let token = tilld_api::Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        let premises = tilld_api::Premises {
            providers: Vec::new(),
            currency: None,
            managers: Vec::new(),
            low_balances: Vec::new(),
        };
        let app = tilld_api::app(tilld_api::ApiState::new(counter, token, address, premises));
        tokio::spawn(tilld_api::serve(listener, app, std::future::pending()));
        let tills = Tills::new(address, TOKEN);
        let shop =
            Self { journal, outside, printer, vouchers, tills, _driver: driver, _paper: paper, folder };
        shop.tills.post("/v1/products/refresh", "refresh", &json!({})).await;
        shop
    }

    /// What stands in the journal's log on the disk.
    pub fn logged(&self) -> Logged {
        Logged::of(&std::fs::read(self.folder.path().join("journal").join("journal.db-wal")).unwrap())
    }

    /// Sells one card; the time of the till's two requests.
    pub async fn sell(&self, receipt: &str) -> Duration {
        let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros("10.00") });
        let body = json!({ "receipt": receipt, "cards": [card] });
        let opened = self.tills.post("/v1/sales", &format!("{receipt}-open"), &body).await;
        let sale = opened.json();
        let path = format!("/v1/sales/{}/payment", sale["id"].as_str().unwrap_or_else(|| panic!("{sale}")));
        let paid = json!({ "amount": euros("10.00"), "tender": { "kind": "cash", "given": euros("10.00") } });
        let done = self.tills.post(&path, &format!("{receipt}-pay"), &paid).await;
        let sale = done.json();
        assert_eq!(sale["phase"], "done", "{sale}");
        opened.took + done.took
    }
}

pub fn euros(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

fn cards(providers: &Providers) -> Finperks {
    let secret = Secret::new("sandbox-secret-0123456789abcdef".to_owned());
    Finperks::new(finperks::Settings {
        pace: UNPACED,
        posa: PosaRules { default: Some(PosaRule::ScannedAsProductCode), ..PosaRules::default() },
        ..finperks::Settings::new(
            providers.finperks.clone(),
            "sandbox-key".to_owned(),
            secret,
            "DE".parse().unwrap(),
        )
    })
    .unwrap()
}

fn local(providers: &Providers) -> GiftLocal {
    let key = Secret::new(providers.gift_local_key.clone());
    let location = Location::PointOfSale("A1234".to_owned());
    let currency = Currency::from_code("EUR").unwrap();
    GiftLocal::new(gift_local::Settings {
        pace: UNPACED,
        ..gift_local::Settings::new(providers.gift_local.clone(), key, location, currency)
    })
    .unwrap()
}
