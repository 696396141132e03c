//! The rooms put together, and what runs them.
//!
//! Order of start: provider and printer (which only check what they are given), the journal with its keys (which takes the
//! instance lock), the address, the counter (which reads the open sales), the door, the scanners (what they read goes to who listens). What is set up wrong leaves no journal
//! behind, and a second daemon stops at the lock, before it can disturb the first.
//!
//! What is wrong with the configuration, a key file or the address ends the program with a sentence: only who set it up can
//! mend that. A journal that cannot be opened for any other reason does not: the door opens, sales are refused with the
//! reason, and selling goes on by itself when the reason has gone (`tilld_counter::book` has the table).
//!
//! A daemon ends in two ways: [`Daemon::stop`] finishes the sales that a cashier waits for; dropping it ends everything at
//! once, as a power cut would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tilld_api::{ApiState, InUse, Premises};
use tilld_counter::book::Book;
use tilld_counter::clock::{Clock, SystemClock};
use tilld_counter::{Counter, Ports, Running};
use tilld_devices::plugged::Plugged;
use tilld_devices::printer::Printer;
use tilld_devices::scanner::input::{InputScanner, input};
use tilld_devices::scanner::serial::{SerialScanner, serial};
use tilld_devices::scanner::{HELD, Scanner};
use tilld_devices::{PrinterSettings, attended, with_spare};
use tilld_domain::secret::Secret;
use tilld_journal::{Journal, OpenError, SealKey, Settings as JournalSettings};
use tilld_providers::GiftCards;
use tilld_providers::finperks::{Finperks, Settings as FinperksSettings};
use tilld_providers::gift_local::{GiftLocal, Settings as GiftLocalSettings};
use tilld_providers::vouchers::Vouchers;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::command::{Failure, told_to_stop};
use crate::config::{
    Config, FinperksConfig, GiftLocalConfig, PrinterConfig, ScannerConfig, ScannerPort, secrets,
};

/// How often, and after what pauses, a journal is tried at the start that another daemon holds.
const HANDOVER_TRIES: u32 = 20;
const HANDOVER_PAUSE: Duration = Duration::from_millis(50);

/// The printer of slips, by the name under which it is asked for.
pub(crate) const SLIP: &str = "slip";
/// The one that takes slips when that one cannot.
pub(crate) const SPARE: &str = "spare";

/// A running daemon.
pub struct Daemon {
    /// Where it serves tills.
    pub address: SocketAddr,
    /// Where the token is that tills show.
    pub token_file: PathBuf,
    /// The token.
    pub token: Secret,
    /// The counter itself.
    pub counter: Counter,
    /// Its printers, each by itself: the one that prints slips and, if there is one, its spare.
    pub printers: Vec<Arc<dyn Printer>>,
    driver: Running,
    door: JoinHandle<()>,
    check: JoinHandle<()>,
    /// What reads the scanners; dropped, it lets them go.
    scanning: JoinSet<()>,
    close: Option<oneshot::Sender<()>>,
}

impl Daemon {
    /// Puts the rooms together and starts them within the present runtime.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let provider = Arc::new(finperks(&config.finperks, &config.place.country)?);
        let checked = Arc::clone(&provider);
        let provider: Arc<dyn GiftCards> = provider;
        let vouchers = match &config.gift_local {
            Some(config) => {
                if let Some(warning) = config.warning() {
                    tracing::warn!("{warning}");
                }
                Some(Arc::new(gift_local(config)?) as Arc<dyn Vouchers>)
            }
            None => None,
        };
        let in_use = |provider: &str, sandbox| InUse { provider: provider.to_owned(), sandbox };
        let mut providers = vec![in_use(provider.name(), config.finperks.sandbox)];
        providers
            .extend(config.gift_local.iter().zip(&vouchers).map(|(of, at)| in_use(at.name(), of.sandbox)));
        let folder = &config.journal.folder;
        let mut printers = vec![printer(SLIP, &config.printer, Some(folder.join("printer-slip")))];
        if let Some(spare) = &config.spare_printer {
            printers.push(printer(SPARE, spare, Some(folder.join("printer-spare"))));
        }
        let printer = match printers.as_slice() {
            [first, second] => with_spare(Arc::clone(first), Arc::clone(second)),
            [only, ..] => Arc::clone(only),
            [] => anyhow::bail!("no printer"),
        };
        // A journal whose key is gone must not be given a new one: the right file belongs there.
        let key = if Journal::exists(&config.journal.folder) {
            secrets::read(config.journal.key_file.as_deref(), "journal_key")?
        } else {
            secrets::read_or_make(config.journal.key_file.as_deref(), "journal_key")?
        };
        let settings = JournalSettings {
            path: config.journal.folder.clone(),
            seal: SealKey::new(*secrets::key_bytes(&key)?),
            keep_codes: config.journal.keep_codes,
        };
        let journal = open(&settings)
            .await
            .with_context(|| format!("the journal in {} cannot be opened", settings.path.display()))?;
        let shut = journal.shut_because();
        if let Some(why) = &shut {
            tracing::error!(why, "the journal is shut: no gift cards until it can be opened");
        }
        let token = secrets::read_or_make(Some(&config.api.token_file), "api_token")?;
        let scanners: Vec<_> = config.scanners.iter().map(scanner).collect();
        let pictures = Some(folder.join("pictures"));
        let ports =
            Ports { journal, provider, vouchers, printer, pictures, scanners: scanners.clone(), clock };
        let listener = TcpListener::bind(config.api.listen).await.with_context(|| match &shut {
            Some(why) => format!("{why} And the address {} cannot be served", config.api.listen),
            None => format!("the address {} cannot be served", config.api.listen),
        })?;
        let address = listener.local_addr().context("the address cannot be read")?;
        let (counter, driver) =
            Counter::start(ports, config.place, config.counter).await.context("the counter cannot start")?;
        let (close, closed) = oneshot::channel::<()>();
        let shown = tilld_api::Token::new(token.clone())
            .with_context(|| format!("the token in {} cannot be used", config.api.token_file.display()))?;
        let premises = Premises {
            providers,
            currency: config.currency,
            managers: config.managers,
            low_balances: config.finperks.low_balances,
        };
        let app = tilld_pages::app(ApiState::new(counter.clone(), shown, address, premises));
        let door = tokio::spawn(async move {
            let until = async {
                // Dropped or told: either way the door closes.
                let _ = closed.await;
            };
            tilld_api::serve(listener, app, until).await;
        });
        // A wrong key, recipe or clock is said at once, not to the first customer (fact sheet U1). Nobody waits for it.
        let check = tokio::spawn(async move {
            checked.self_check().await;
        });
        let scanning = scan(scanners, &counter);
        Ok(Self {
            address,
            check,
            scanning,
            token_file: config.api.token_file,
            token,
            counter,
            printers,
            driver,
            door,
            close: Some(close),
        })
    }

    /// Where a browser on this machine finds the counter page.
    pub fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Finishes what a cashier waits for, and ends.
    pub async fn stop(mut self) {
        if let Some(close) = self.close.take() {
            // The door may have closed by itself.
            let _ = close.send(());
        }
        // Both at once: the counter finishes sales, the door brings their answers to who is waiting.
        let counter = self.counter.clone();
        let (_, ()) = tokio::join!(&mut self.door, counter.stop());
        self.driver.ended().await;
    }

    /// Ends everything at once, as a power cut would, and returns when nothing of it runs any more.
    pub async fn crash(self) {
        let Self { driver, door, check, counter, printers, mut scanning, .. } = self;
        check.abort();
        scanning.shutdown().await;
        door.abort();
        // It was aborted: that is its end.
        let _ = door.await;
        drop((counter, printers));
        driver.halt().await;
    }

    /// Returns when the counter has ended by itself, which it never should.
    async fn ended(&mut self) {
        self.driver.ended().await;
    }
}

/// Opens the journal. One that is in use is waited for a moment: a daemon that is being replaced may just be ending.
async fn open(settings: &JournalSettings) -> Result<Book, OpenError> {
    for _ in 0..HANDOVER_TRIES {
        let book = Book::open(settings.clone())?;
        if !book.is_in_use() {
            return Ok(book);
        }
        tokio::time::sleep(HANDOVER_PAUSE).await;
    }
    Book::open(settings.clone())
}

/// `tilld serve`.
pub(crate) async fn serve(config: Config) -> Result<(), Failure> {
    let mut daemon = Daemon::start(config, Arc::new(SystemClock::default())).await?;
    tracing::info!(address = %daemon.address, token_file = %daemon.token_file.display(), "ready");
    tracing::info!(page = %daemon.page(), "a browser asks for a code there: say `tilld pair`");
    tokio::select! {
        () = told_to_stop() => {
            tracing::info!("stopping: sales that are being finished are waited for");
            daemon.stop().await;
            Ok(())
        }
        () = daemon.ended() => Err(Failure::Other(anyhow!("the counter ended by itself"))),
    }
}

/// The client of finperks.
pub(crate) fn finperks(
    config: &FinperksConfig,
    country: &tilld_domain::ids::Country,
) -> anyhow::Result<Finperks> {
    let secret = secrets::read(config.secret_file.as_deref(), "finperks_secret")?;
    let settings = FinperksSettings {
        profile: config.signature,
        pace: config.pace,
        deadlines: config.deadlines,
        posa: config.posa.clone(),
        payment_words: config.payment_words.clone(),
        key_on_actions: config.key_on_actions,
        pictures: config.pictures.clone(),
        confirm_repeatable: config.confirm_repeatable,
        undo_windows: config.undo_windows.clone(),
        extra_roots: config.roots_file.clone(),
        ..FinperksSettings::new(config.url.clone(), config.key_id.clone(), secret, country.clone())
    };
    Finperks::new(settings).context("finperks is not set up right")
}

/// The client of Gift Local.
pub(crate) fn gift_local(config: &GiftLocalConfig) -> anyhow::Result<GiftLocal> {
    let api_key = secrets::read(config.key_file.as_deref(), "gift_local_key")?;
    let settings = GiftLocalSettings {
        deadlines: config.deadlines,
        pace: config.pace,
        reverse: config.reverse.clone(),
        scan: config.scan.clone(),
        extra_roots: config.roots_file.clone(),
        ..GiftLocalSettings::new(config.url.clone(), api_key, config.location.clone(), config.currency)
    };
    GiftLocal::new(settings).context("Gift Local is not set up right")
}

/// A scanner of a configuration.
pub(crate) fn scanner(config: &ScannerConfig) -> Arc<dyn Scanner> {
    let (name, framing) = (config.name.clone(), config.framing.clone());
    match config.port.clone() {
        ScannerPort::Serial { address, baud, parity, data_bits } => {
            serial(SerialScanner { name, address, baud, parity, data_bits, framing }, Plugged::here())
        }
        ScannerPort::Input { address, layout } => {
            input(InputScanner { name, address, layout, framing }, Plugged::here())
        }
    }
}

/// Reads the scanners, and passes on what they read.
fn scan(scanners: Vec<Arc<dyn Scanner>>, counter: &Counter) -> JoinSet<()> {
    let mut scanning = JoinSet::new();
    let (sender, mut scans) = mpsc::channel(HELD);
    for scanner in scanners {
        let sender = sender.clone();
        scanning.spawn(async move { scanner.read(sender).await });
    }
    let counter = counter.clone();
    drop(sender);
    // Without a scanner it ends at once.
    scanning.spawn(async move {
        while let Some(scan) = scans.recv().await {
            counter.scanned(scan);
        }
    });
    scanning
}

/// A printer of a configuration, and where it is kept what it was found to answer.
pub(crate) fn printer(name: &str, config: &PrinterConfig, memory: Option<PathBuf>) -> Arc<dyn Printer> {
    attended(PrinterSettings {
        name: name.to_owned(),
        port: config.port.clone(),
        profile: config.profile.clone(),
        patience: config.patience,
        memory,
    })
}
