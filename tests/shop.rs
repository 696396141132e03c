//! A shop on one machine: a simulated finperks, a simulated network printer, a folder, and a daemon that can lose its power
//! and be started again on what it left behind.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tilld::config::Config;
use tilld::daemon::Daemon;
use tilld_counter::clock::Clock;
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_domain::secret::Secret;
use tilld_journal::{Filter, Reader, RedemptionFilter, RedemptionRow, Subject, Verdict};
use tilld_sandbox::finperks::{Sandbox, Switches};
use tilld_sandbox::gift_local;
use tokio::task::JoinHandle;

use crate::clock::HandClock;

/// How long a proof waits for what must come. It is only ever waited for when something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How a line of the configuration begins that belongs into the section of finperks.
const OF_FINPERKS: &str = "finperks.";

pub struct Shop {
    pub folder: TempDir,
    pub finperks: Sandbox,
    /// Whose vouchers are redeemed; none in a shop that only sells.
    pub gift_local: Option<gift_local::Sandbox>,
    pub printer: SimulatedPrinter,
    pub clock: Arc<HandClock>,
    pub daemon: Option<Daemon>,
    client: reqwest::Client,
    settings: String,
    /// Further fields of the section of finperks.
    of_finperks: String,
}

/// What the local API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
}

impl Shop {
    /// Opens a shop. `settings`: further lines of its configuration; those of finperks go into its section.
    pub async fn open(settings: &str) -> Self {
        Self::with(settings, None, Switches::default(), "").await
    }

    /// Opens one that shows pictures of products, as far as `switches` let there be some.
    pub async fn open_with_pictures(switches: Switches) -> Self {
        Self::with("", None, switches, r#", pictures = { field = "image_url" }"#).await
    }

    /// Opens one that redeems too. `settings` names how a redemption is taken back, or does not.
    pub async fn open_for_guests(settings: &str) -> Self {
        let gift_local = gift_local::start(gift_local::Settings::default()).await.unwrap();
        Self::with(settings, Some(gift_local), Switches::default(), "").await
    }

    async fn with(
        settings: &str,
        gift_local: Option<gift_local::Sandbox>,
        switches: Switches,
        of_finperks: &'static str,
    ) -> Self {
        let simulated =
            tilld_sandbox::finperks::Settings { switches, ..tilld_sandbox::finperks::Settings::default() };
        let finperks = tilld_sandbox::finperks::start(simulated).await.unwrap();
        let printer =
            SimulatedPrinter::start(Profile::epson().with_columns(42), Answers::ALL, None).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("finperks.secret");
        std::fs::write(&secret, &finperks.credentials().secret).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some(gift_local) = &gift_local {
            let key = folder.path().join("gift_local.key");
            std::fs::write(&key, gift_local.api_key()).unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let (of_section, settings): (Vec<&str>, Vec<&str>) =
            settings.lines().partition(|line| line.starts_with(OF_FINPERKS));
        let of_section = of_section.iter().map(|line| line.replacen(OF_FINPERKS, ", ", 1));
        let mut shop = Self {
            folder,
            finperks,
            gift_local,
            printer,
            clock: Arc::new(HandClock::default()),
            daemon: None,
            client: client(),
            settings: settings.join("\n"),
            of_finperks: of_finperks.to_owned() + &of_section.collect::<String>(),
        };
        shop.start().await;
        let refreshed = shop.post("/v1/products/refresh", None, json!({})).await.unwrap();
        assert_eq!(refreshed.status, 200, "{}", refreshed.text);
        shop
    }

    /// Sets further fields of the section of finperks, from the next start on.
    pub fn of_finperks(&mut self, fields: &'static str) {
        fields.clone_into(&mut self.of_finperks);
    }

    pub fn journal_folder(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// The configuration as an operator would write it.
    pub fn config(&self) -> String {
        format!(
            r#"till     = {{ store = "A1234", terminal = "T01", country = "DE", zone = "Europe/Berlin" }}
finperks = {{ url = "{}", key_id = "{}", secret_file = "{}", requests_per_second = 10000, burst = 10000, posa = {{ default = "field:card_code" }}, undo_windows_s = {{ "4001232100015" = 60 }}{} }}
printer.network = "{}"
printer.columns = 42
journal  = {{ folder = "{}" }}
api.listen = "127.0.0.1:0"
slip.header = ["Buchhandlung am Markt"]
slip.footer = ["Vielen Dank!"]
{}
{}
"#,
            self.finperks.provider_url(),
            self.finperks.credentials().key_id,
            self.folder.path().join("finperks.secret").display(),
            self.of_finperks,
            self.printer.address(),
            self.journal_folder().display(),
            self.gift_local.as_ref().map(|sandbox| self.vouchers(sandbox)).unwrap_or_default(),
            self.settings,
        )
    }

    fn vouchers(&self, sandbox: &gift_local::Sandbox) -> String {
        format!(
            r#"gift_local.url = "{}"
gift_local.key_file = "{}"
gift_local.currency = "EUR"
gift_local.location = "A1234"
# Not the clock's own 20 s: a script must be able to tell the two apart.
gift_local.deadlines.redeem_s = 11
gift_local.requests_per_second = 10000
gift_local.burst = 10000"#,
            sandbox.provider_url(),
            self.folder.path().join("gift_local.key").display(),
        )
    }

    /// Starts the daemon, by the wall clock as it is then.
    pub async fn start(&mut self) {
        self.clock.follow();
        let config = Config::parse(&self.config(), &HashMap::new()).unwrap();
        let clock = Arc::clone(&self.clock);
        let daemon = eventually(async || Daemon::start(config.clone(), clock.clone()).await.ok()).await;
        self.daemon = Some(daemon.expect("the daemon starts"));
    }

    /// The power goes.
    pub async fn crash(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.crash().await;
        }
    }

    pub async fn close(mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
        self.finperks.shutdown().await;
        if let Some(gift_local) = self.gift_local {
            gift_local.shutdown().await;
        }
    }

    fn url(&self, path: &str) -> Option<(String, Secret)> {
        let daemon = self.daemon.as_ref()?;
        Some((format!("http://{}{path}", daemon.address), daemon.token.clone()))
    }

    /// Posts in the background, as a till does that must not hang.
    pub fn post(&self, path: &str, key: Option<&str>, body: Value) -> JoinHandle<Answer> {
        let (url, token) = self.url(path).expect("the daemon runs");
        let mut request = self
            .client
            .post(url)
            .bearer_auth(token.reveal())
            .header("content-type", "application/json")
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        tokio::spawn(async move { answer(request).await })
    }

    pub async fn get(&self, path: &str) -> Option<Answer> {
        let (url, token) = self.url(path)?;
        Some(answer(self.client.get(url).bearer_auth(token.reveal())).await)
    }

    /// Everything that the daemon tells about what its journal holds: sales and redemptions, their stories, their slips as a screen shows
    /// them, lists and exports.
    pub async fn all_told(&self) -> Vec<String> {
        let mut paths: Vec<String> = [
            "/v1/attention",
            "/v1/health",
            "/v1/session",
            "/v1/sales?open=true",
            "/v1/journal?limit=200",
            "/v1/journal/export?format=csv",
            "/v1/journal/export?format=jsonl",
        ]
        .map(str::to_owned)
        .into();
        let reader = Reader::open(&self.journal_folder()).unwrap();
        for row in reader.list(&Filter::default(), 1000).unwrap() {
            let sale = row.sale;
            paths.extend([format!("/v1/sales/{sale}"), format!("/v1/journal/sales/{sale}")]);
            paths.extend((1..=row.cards.len()).map(|card| format!("/v1/sales/{sale}/cards/{card}/slip")));
        }
        for row in self.redemptions() {
            let redemption = format!("/v1/redemptions/{}", row.redemption);
            paths.extend([
                format!("{redemption}/slip"),
                format!("/v1/journal/redemptions/{}", row.redemption),
            ]);
            paths.push(redemption);
        }
        let mut told = Vec::new();
        for path in paths {
            let answer = self.get(&path).await.expect("the daemon runs");
            // What is not there any more is refused.
            assert!([200, 404, 409].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            told.push(answer.text);
        }
        told
    }

    /// The newest sale of a receipt, out of the journal: a till whose request hangs does not know its id yet.
    pub fn sale_of(&self, receipt: &str) -> Option<String> {
        let reader = Reader::open(&self.journal_folder()).ok()?;
        let sales = reader.list(&Filter { receipt: receipt.parse().ok(), ..Filter::default() }, 100).ok()?;
        Some(sales.last()?.sale.to_string())
    }

    /// The redemptions of the journal, oldest first.
    pub fn redemptions(&self) -> Vec<RedemptionRow> {
        let reader = Reader::open(&self.journal_folder()).ok();
        let all = reader.and_then(|reader| reader.redemptions(&RedemptionFilter::default(), 1000).ok());
        all.unwrap_or_default()
    }

    /// Of how many orders and redemptions the journal has a key for what was sealed.
    pub fn codes_kept(&self) -> i64 {
        let database = self.journal_folder().join("journal.db");
        let database = rusqlite::Connection::open(database).unwrap();
        database.query_row("SELECT count(*) FROM seal_key", [], |row| row.get(0)).unwrap()
    }

    /// Takes every key for what was sealed out of the journal.
    pub fn lose_codes(&self) {
        let database = rusqlite::Connection::open(self.journal_folder().join("journal.db")).unwrap();
        assert!(database.execute("DELETE FROM seal_key", []).unwrap() > 0, "there was none");
    }

    /// What was written about the printer, one word an entry.
    pub fn device(&self) -> String {
        let shown = || {
            let reader = Reader::open(&self.journal_folder()).ok()?;
            let printer = reader.devices().ok()?.pop()?;
            reader.shown(Subject::Device(printer.id)).ok()
        };
        let states: Vec<String> = shown().into_iter().flatten().map(|entry| entry.head.state).collect();
        states.join(" ")
    }

    /// How many entries the journal has.
    pub fn entries(&self) -> Option<u64> {
        match Reader::open(&self.journal_folder()).ok()?.verify().ok()? {
            Verdict::Whole { entries, .. } => Some(entries),
            Verdict::Broken { .. } => None,
        }
    }
}

/// A till's HTTP client.
pub fn client() -> reqwest::Client {
    // The first client of the process brings the cryptography along; it is there already if a daemon was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
        }
        Err(error) => Answer { status: 0, body: Value::Null, text: error.to_string() },
    }
}

/// Asks again and again until there is an answer, or patience ends.
pub async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if tokio::time::Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
