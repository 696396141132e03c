//! The counter: the one place where a sale is decided, written down, and carried out.
//!
//! ```text
//!  till ──► Counter ──► inbox ──► driver: stage ─► commit ─► publish, answer, perform ──► provider, printer
//!                                    ▲                                                          │
//!                                    └────────────────── what happened ◄────────────────────────┘
//! ```
//!
//! One thread, the driver, owns the machines of all open sales and redemptions and is the only writer of their entries. It takes what has
//! queued up, steps the machines on copies, commits all their entries at once (group commit), and only then shows the new
//! states, answers the tills and starts the effects (law L1: write, then act). A commit that fails changes nothing: what a
//! till asked is refused (law L10), what came back from a provider or a printer is kept and written when writing works again.
//!
//! | module | thinks about |
//! |---|---|
//! | [`desk`] | what a till may ask, as pure functions from request and sale to event or refusal |
//! | `driver` | the order of things: staging, group commit, waiting tills, alarms |
//! | `now` | what it turns: a sale or a redemption; and devices, which it writes down |
//! | `devices` | what a screen asks about devices |
//! | `perform`, `redeeming` | carrying effects out; they only dispatch |
//! | `sales`, `redemptions` | what tills and managers ask for |
//! | `paper` | the papers of vouchers |
//! | `scan_back` | the code on a slip as proof of the paper |
//! | `slips`, `copies` | cards' slips, for the printer and for a screen; their copies |
//! | `vouchers` | looking at a voucher before anything is taken from it |
//! | `moves` | whether what was seen of a voucher is still true |
//! | `undoing` | which undos are under way, and how they go on while nothing can be written |
//! | [`book`] | the journal, open, or shut and tried again |
//! | `offset` | whether this machine's clock is right |
//! | `lookups` | what a manager looks up in the journal: searching it, one sale or redemption entry by entry, whether it is whole |
//! | `balances` | what may still be spent at the provider |
//! | `days` | days of business: X and Z |
//! | `indexing` | the thread that keeps the journal's index up |
//! | `forgetting` | codes that nobody can need any more |
//! | `told` | what it tells others: sales, redemptions, changes, attention, health |
//! | `replay` | states out of the journal: at the start, for reading, and for repeated requests |
//! | `scans` | what scanners read, on its way to who listens now |
//! | `shelf` | the catalogue that the counter sells from |
//! | `pictures` | the pictures of products, beside everything else |
//! | [`clock`] | time, chance and other threads, so that a test can hold them |
//!
//! Invariants:
//! - An effect starts only after the entry that it follows from is on disk, and nothing but effects talks to the outside.
//! - The answer to a request is the sale as it was at its first rest after the request's own entry. So a repeated
//!   request gets the same answer for as long as the journal keeps the sale: it is computed from the same entries.
//! - What is in memory can be lost at any point between two instructions.
//!
//! Deliberately absent: routes, SQL text, byte tables, provider names on a wire.

mod balances;
pub mod book;
pub mod clock;
mod copies;
mod days;
pub mod desk;
mod devices;
mod driver;
mod forgetting;
mod indexing;
mod lookups;
mod moves;
mod now;
mod offset;
mod paper;
mod perform;
mod pictures;
mod redeeming;
mod redemptions;
mod replay;
mod sales;
mod scan_back;
mod scans;
mod shelf;
mod slips;
mod told;
mod undoing;
mod vouchers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_devices::printer::Printer;
use tilld_devices::scanner::Scanner;
use tilld_domain::ids::{Country, Locale, ProductCode, StoreId, TerminalId};
use tilld_domain::order::Rules;
use tilld_domain::product::{CardKind, Product, RackCode};
use tilld_domain::redemption;
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::slip_number::BARS_DOTS;
use tilld_journal::ReadError;
use tilld_providers::GiftCards;
use tilld_providers::vouchers::Vouchers;
use tilld_receipts::slip::ShopTexts;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

pub use tilld_devices::scanner::{Presence, Scan};
pub use tilld_journal::{
    Asked, CardRow, ClosingRow, EntryHead, Event, Line, Listed, Page, Place as LinePlace, RedemptionRow,
    RedemptionStep, SaleRow, Search, Seq, Subject, What,
};
pub use tilld_providers::vouchers::TargetType;

pub use crate::balances::{BalanceNow, Balances};
use crate::book::{Book, Open};
use crate::clock::Clock;
pub use crate::copies::Copied;
pub use crate::days::{DayReport, Reported};
pub use crate::devices::{PrinterNow, ScannerNow};
use crate::driver::{Act, Declined, Message};
use crate::indexing::Indexing;
pub use crate::lookups::{Step, Verification};
use crate::now::Now;
pub use crate::now::Whose;
pub use crate::paper::PaperOfRedemption;
pub use crate::pictures::ProductPicture;
use crate::redeeming::Redeeming;
pub use crate::scans::ScanListener;
pub use crate::shelf::ShelfState;
pub use crate::told::{
    Attention, Change, DeviceNow, Health, ProviderLine, RedemptionNow, SaleNow, Sending, Tried, UndoNow,
};
use crate::vouchers::Looks;
pub use crate::vouchers::{CheckNow, CheckRequest, RedeemRequest};
pub use tilld_receipts::voucher::Mark as PaperMark;

/// How many messages may wait for the driver. A till that finds it full is told to come again.
const INBOX: usize = 1024;
/// What becomes of redemptions that an earlier run has left.
const NO_VOUCHERS: &str = "Redemptions are not closed, and their provider is not set up any more: nothing is found out about them and nothing is given back. Set it up again, and start again.";
/// How many changes a slow listener may lag behind before it must read the sale anew.
const CHANGES_KEPT: usize = 1024;

/// The till that this daemon stands beside, and how it prints.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store, by the retailer's own id.
    pub store: StoreId,
    /// The till.
    pub terminal: TerminalId,
    /// Where it stands.
    pub country: Country,
    /// The language and formats of a slip where the till names none.
    pub locale: Locale,
    /// The IANA time zone of the slip's time.
    pub zone: String,
    /// What the shop prints around the provider's lines.
    pub texts: ShopTexts,
    /// Characters per line that the provider lays out for; the printer's own columns if none is configured.
    pub columns: Option<u16>,
    /// Whether a printed card's slip ends with its number.
    pub slip_numbers: bool,
}

/// What the counter works with.
#[derive(Clone)]
pub struct Ports {
    /// Where everything is written down first; made of a journal that is open, or by [`Book::open`].
    pub journal: Book,
    /// Where cards are bought.
    pub provider: Arc<dyn GiftCards>,
    /// Where vouchers are redeemed; none where that is not set up.
    pub vouchers: Option<Arc<dyn Vouchers>>,
    /// Where slips are printed.
    pub printer: Arc<dyn Printer>,
    /// The folder of products' pictures, which is the counter's alone and may be lost; none where none are kept.
    pub pictures: Option<PathBuf>,
    /// The scanners, to tell how they are; what they read comes by [`Counter::scanned`].
    pub scanners: Vec<Arc<dyn Scanner>>,
    /// Time, chance and other threads.
    pub clock: Arc<dyn Clock>,
}

/// How the counter behaves; every field has its default in [`Settings::DESIGN`].
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The times of a sale, written into its first entry.
    pub rules: Rules,
    /// The times of a redemption, written into its first entry; what its provider offers is the provider's to say.
    pub redeeming: redemption::Rules,
    /// How many sales may be in a customer's hands at once.
    pub most_at_once: usize,
    /// How many undos run at once: enough to drain, few enough to leave the line to a sale.
    pub undos_at_once: usize,
    /// How old the catalogue may get before it is fetched anew.
    pub catalogue_age: Duration,
    /// How long a till waits for the rest of a sale before it is told to ask again.
    pub answer_wait: Duration,
}

impl Settings {
    /// The values of the design.
    pub const DESIGN: Self = Self {
        rules: Rules::DESIGN,
        redeeming: redemption::Rules::DESIGN,
        most_at_once: 64,
        undos_at_once: 4,
        catalogue_age: Duration::from_hours(24),
        answer_wait: Duration::from_mins(2),
    };
}

/// The handle that everyone holds: cheap to clone.
#[derive(Clone)]
pub struct Counter {
    inbox: mpsc::Sender<Message>,
    changes: broadcast::Sender<Change>,
    scans: scans::Scans,
    journal: Book,
    provider: Arc<dyn GiftCards>,
    printer: Arc<dyn Printer>,
    scanners: Arc<[Arc<dyn Scanner>]>,
    clock: Arc<dyn Clock>,
    shelf: Arc<shelf::Shelf>,
    line: Arc<perform::Line>,
    looks: Option<Arc<Looks>>,
    printed: Arc<paper::Printed>,
    copies: Arc<copies::Copies>,
    lookups: Arc<lookups::Lookups>,
    place: Arc<Place>,
    settings: Settings,
}

/// Why the counter could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread is to be had for the driver.
    #[error("the counter's thread cannot be started: {0}")]
    Thread(String),
    /// The runtime is going down.
    #[error("the program is stopping")]
    Stopping,
}

/// The driver as it runs. It ends when the counter is stopped, or at once when this is dropped, like a power cut: between two
/// commits, with nothing said to anybody.
#[derive(Debug)]
pub struct Running {
    /// Dropped to make an end.
    halt: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<()>,
}

/// The driver before it runs.
pub struct Driving {
    driver: driver::Driver,
    open: Open,
    beside: Vec<BoxFuture<'static, ()>>,
}

impl Driving {
    /// Takes the open sales up and drives until the counter is stopped or `halted` ends; then nothing of it runs any more.
    /// To be polled within a runtime, on a thread that may wait for the disk. Dropping it ends everything at once too.
    pub async fn run(self, halted: impl Future<Output = ()>) {
        let Self { mut driver, open, beside } = self;
        for work in beside {
            driver.beside(work);
        }
        tokio::select! {
            biased;
            () = halted => {}
            () = driver.run(open) => {}
        }
        driver.end().await;
    }
}

impl Running {
    /// Returns when the driver has ended and holds nothing any more.
    pub async fn ended(&mut self) {
        // The driver drops its side when it ends: that is all it says.
        let _ = (&mut self.ended).await;
    }

    /// Ends the driver at once, and returns when it holds nothing any more.
    pub async fn halt(mut self) {
        self.halt = None;
        self.ended().await;
    }
}

impl Counter {
    /// Reads the open sales, and starts the driver on what follows from them.
    ///
    /// The driver has a thread of its own, because it writes: a commit costs no hand-over to another thread and back, and a slow
    /// disk holds up nothing but the counter. What it starts (calls, slips) runs on the present runtime.
    pub async fn start(
        ports: Ports,
        place: Place,
        settings: Settings,
    ) -> Result<(Self, Running), StartError> {
        let (counter, driving) = Self::prepare(ports, place, settings).await?;
        let indexing = Indexing::start(counter.journal.clone(), Arc::clone(&counter.lookups))?;
        let (halt, halted) = oneshot::channel::<()>();
        let (over, ended) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            runtime.block_on(driving.run(async {
                // Dropped, never sent: either way it is to end.
                let _ = halted.await;
            }));
            // Whoever waits for the end may open the journal next.
            drop(indexing);
            drop(over);
        };
        let thread = std::thread::Builder::new().name("tilld-counter".to_owned());
        thread.spawn(work).map_err(|error| StartError::Thread(error.to_string()))?;
        Ok((counter, Running { halt: Some(halt), ended }))
    }

    /// Reads the open sales. The driver stands still until the second half of what this returns is run.
    pub async fn prepare(
        ports: Ports,
        place: Place,
        settings: Settings,
    ) -> Result<(Self, Driving), StartError> {
        let (inbox, messages) = mpsc::channel(INBOX);
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let place = Arc::new(place);
        let shelf = Arc::new(shelf::Shelf::read(&ports).await?);
        let line = Arc::new(perform::Line::default());
        let journal = ports.journal.clone();
        let (before, open) =
            blocking(ports.clock.as_ref(), move || (journal.last().ok(), journal.left_open()))
                .await
                .map_err(|_| StartError::Stopping)?;
        let redeeming = ports.vouchers.as_ref().map(|vouchers| Redeeming {
            vouchers: Arc::clone(vouchers),
            clock: Arc::clone(&ports.clock),
            last: Arc::default(),
            reversal_slots: Arc::new(tokio::sync::Semaphore::new(settings.undos_at_once)),
        });
        let moves = Arc::<moves::Moves>::default();
        let looks = redeeming.as_ref().map(|redeeming| {
            let (journal, place) = (ports.journal.clone(), Arc::clone(&place));
            Arc::new(Looks::new(redeeming.clone(), journal, place, Arc::clone(&moves), &settings.redeeming))
        });
        let copies = Arc::<copies::Copies>::default();
        let printed = Arc::new(paper::Printed::since(before));
        let performer = perform::Performer {
            inbox: inbox.clone(),
            provider: Arc::clone(&ports.provider),
            printer: Arc::clone(&ports.printer),
            clock: Arc::clone(&ports.clock),
            place: Arc::clone(&place),
            line: Arc::clone(&line),
            undo_slots: Arc::new(tokio::sync::Semaphore::new(settings.undos_at_once)),
            copies: Arc::clone(&copies),
            papers: Arc::clone(&printed),
            redeeming,
        };
        let counter = Self {
            inbox,
            changes: changes.clone(),
            scans: scans::Scans::default(),
            journal: ports.journal.clone(),
            provider: Arc::clone(&ports.provider),
            printer: Arc::clone(&ports.printer),
            scanners: ports.scanners.clone().into(),
            clock: Arc::clone(&ports.clock),
            shelf: Arc::clone(&shelf),
            line: Arc::clone(&line),
            looks,
            printed,
            copies,
            lookups: Arc::default(),
            place,
            settings,
        };
        let forgotten = Arc::<Notify>::default();
        let known = driver::Known { moves, forgotten: Arc::clone(&forgotten) };
        let driver = driver::Driver::new(ports.clone(), &settings, performer, known, changes, messages);
        let forget = forgetting::forget_in_time(ports.clone(), Arc::clone(&line));
        let keep_asking =
            offset::keep_asking(Arc::clone(&line), Arc::clone(&ports.provider), Arc::clone(&ports.clock));
        let beside_pictures =
            pictures::Beside { ports: ports.clone(), line: Arc::clone(&line), inbox: counter.inbox.clone() };
        let keep_pictures = Arc::clone(&shelf.pictures).keep(beside_pictures);
        let keep_fresh = shelf.keep_fresh(ports, line, settings.catalogue_age);
        let wipe = forgetting::wipe_in_time(counter.journal.clone(), Arc::clone(&counter.clock), forgotten);
        let mut beside: Vec<BoxFuture<'static, ()>> =
            vec![Box::pin(forget), Box::pin(wipe), Box::pin(keep_asking), Box::pin(keep_fresh)];
        if let Some(keep_pictures) = keep_pictures {
            beside.push(keep_pictures);
        }
        for single in counter.printer.singles() {
            beside.push(Box::pin(driver::follow(single, counter.inbox.clone())));
        }
        if let Some(looks) = &counter.looks {
            beside.push(Box::pin(Arc::clone(looks).drop_in_time()));
        }
        Ok((counter, Driving { driver, open, beside }))
    }

    /// Everything that waits for a person.
    pub async fn attention(&self) -> Result<Attention, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Attention { reply })?;
        answer.await.map_err(|_| Refusal::Stopping)
    }

    /// Has an undo sent now that waits for its next attempt. Nothing is written of that, and nothing is sent twice.
    pub async fn send_undo(&self, whose: Whose) -> Result<Sending, Refusal> {
        match whose {
            Whose::Card(sale, card) => {
                self.sale(sale).await?.sale.order(card).ok_or(Refusal::CardUnknown)?;
            }
            Whose::Redemption(redemption) => {
                self.redemption(redemption).await?;
            }
        }
        let (reply, answer) = oneshot::channel();
        self.send(Message::Send { whose, reply })?;
        answer.await.map_err(|_| Refusal::NothingToSend)
    }

    /// Something as it is now; none if there is no such thing.
    async fn now(&self, subject: Subject) -> Result<Option<Now>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Read { subject, reply })?;
        if let Ok(now) = answer.await {
            return Ok(Some(now));
        }
        self.latest(subject).await
    }

    /// Something as the journal has it.
    async fn latest(&self, subject: Subject) -> Result<Option<Now>, Refusal> {
        let journal = self.journal.clone();
        self.read(move || journal.now(subject)).await
    }

    /// Every change of every sale and redemption from now on. A listener that lags is told so and reads anew.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// The heads of at most `most` entries after `seq`, for a listener that comes back.
    pub async fn entries_after(&self, seq: Seq, most: usize) -> Result<Vec<EntryHead>, Refusal> {
        let journal = self.journal.clone();
        self.read(move || journal.entries_after(seq, most)).await
    }

    /// The number of the last entry, for a listener that comes for the first time.
    pub async fn last_entry(&self) -> Result<Seq, Refusal> {
        let journal = self.journal.clone();
        self.read(move || journal.last()).await
    }

    /// The till that it stands beside.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the slips of printed cards end with bars that a scanner reads: so set up, and within the printer's means.
    pub fn shows_slip_numbers(&self) -> bool {
        self.place.slip_numbers && self.printer.paper().bars >= BARS_DOTS
    }

    /// What can be sold, from the cache.
    pub fn products(&self) -> Arc<Vec<Product>> {
        self.shelf.products()
    }

    /// The name of a product's picture, if there is one: another picture has another name.
    pub fn picture_of(&self, product: &ProductCode) -> Option<String> {
        self.shelf.pictures.of(product)
    }

    /// A picture by its name; none if it is not there any more.
    pub async fn picture(&self, name: &str) -> Option<ProductPicture> {
        self.shelf.pictures.show(self.clock.as_ref(), name).await
    }

    /// What the bar code on the rack cards of a product says, where that is known.
    pub fn rack_code(&self, product: &Product) -> Option<RackCode> {
        self.provider.rack_code(&product.code).filter(|_| product.kind == CardKind::Posa)
    }

    /// Fetches the catalogue now.
    pub async fn refresh_products(&self) -> Result<ShelfState, Refusal> {
        self.shelf.refresh(&self.journal, self.provider.as_ref(), self.clock.as_ref(), &self.line).await
    }

    /// How everything is.
    pub async fn health(&self) -> Health {
        let (reply, answer) = oneshot::channel();
        let printer = self.printer_now().await;
        let counts = match self.send(Message::Count { reply }) {
            Ok(()) => answer.await.unwrap_or_default(),
            Err(_) => driver::Counts::default(),
        };
        let clock_trouble = self.clock_trouble();
        let catalogue = self.shelf.state();
        let hindrance =
            counts.journal_trouble.clone().or(clock_trouble.clone()).or_else(|| catalogue.trouble());
        Health {
            hindrance,
            journal_writes: counts.journal_trouble.is_none() && counts.running,
            journal_trouble: counts.journal_trouble,
            set_aside: counts.set_aside,
            provider: self.line.last.get(),
            clock_offset_ms: self.line.offset.now_ms(self.clock.as_ref()),
            clock_trouble,
            printer,
            shelf: catalogue,
            vouchers_trouble: (self.looks.is_none() && counts.open_redemptions > 0)
                .then(|| NO_VOUCHERS.to_owned()),
            vouchers: self.looks.as_ref().and_then(|looks| looks.last_call().get()),
            open_sales: counts.open_sales,
            open_redemptions: counts.open_redemptions,
            owed: counts.owed,
            questions: counts.questions,
        }
    }

    /// Why no sale would be begun now, and what to do next.
    pub async fn hindrance(&self) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Count { reply }).ok()?;
        let trouble = answer.await.ok()?.journal_trouble.or_else(|| self.clock_trouble());
        trouble.or_else(|| self.shelf.state().trouble())
    }

    /// Why the catalogue could not be fetched the last time; none if it could, or was not tried yet.
    pub fn catalogue_failure(&self) -> Option<Refusal> {
        self.shelf.state().failed
    }

    fn clock_trouble(&self) -> Option<String> {
        self.line.offset.wrong(self.provider.clock_tolerance(), self.clock.as_ref())
    }

    /// What stands for a secret in the digest of a request: the same for the same secret for as long as the journal lives. While it
    /// is shut nothing stands for it, and nothing that is asked is done.
    pub fn fingerprint(&self, secret: &Secret) -> [u8; 32] {
        self.journal.fingerprint(secret).unwrap_or_default()
    }

    /// Takes nothing new, writes down what is on its way, and ends the driver. What is still uncertain is found out after
    /// the next start.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.inbox.send(Message::Stop { reply }).await.is_ok() {
            // The driver drops the reply when it has ended: either way it is over.
            let _ = done.await;
        }
    }

    /// Asks the driver, and waits for what was asked about to come to rest. Only when the driver declines is the journal asked
    /// whether the same was asked before: a first request, which is nearly every one, then costs no look at the disk, and that
    /// a key or a receipt is taken is told by the commit itself.
    ///
    /// After a long time the till is told to ask again: under the same key nothing is done twice.
    async fn act(&self, asked: Asked, subject: Subject, act: Act) -> Result<Now, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask { asked: asked.clone(), subject, act, reply })?;
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| Refusal::Stopping)?,
            () = self.clock.sleep(self.settings.answer_wait) => return Err(Refusal::StillWorking),
        };
        let declined = match answer {
            Ok(now) => return Ok(now),
            Err(declined) => declined,
        };
        if let Some(answer) = self.answered_before(&asked).await? {
            return Ok(answer);
        }
        Err(match declined {
            Declined::Refused(why) => why,
            // Another request under this key was staged with this one, and could not be written.
            Declined::KeyTaken => Refusal::JournalDown,
        })
    }

    /// The answer that was given, or is about to be given, to the same request before.
    async fn answered_before(&self, asked: &Asked) -> Result<Option<Now>, Refusal> {
        let (journal, key) = (self.journal.clone(), asked.key.clone());
        let Some(before) = self.read(move || journal.asked(&key)).await? else {
            return Ok(None);
        };
        if before.digest != asked.digest {
            return Err(Refusal::RequestKeyReused);
        }
        // First queue up for what is live, then read: a rest that comes in between is in the journal by then.
        let (reply, rested) = oneshot::channel();
        self.send(Message::AwaitRest { subject: before.subject, reply })?;
        if let Some(answer) = self.first_rest(before.subject, before.seq).await? {
            return Ok(Some(answer));
        }
        tokio::select! {
            biased;
            _ = rested => {}
            () = self.clock.sleep(self.settings.answer_wait) => return Err(Refusal::StillWorking),
        }
        self.first_rest(before.subject, before.seq).await?.ok_or(Refusal::StillWorking).map(Some)
    }

    async fn first_rest(&self, subject: Subject, from: Seq) -> Result<Option<Now>, Refusal> {
        let journal = self.journal.clone();
        self.read(move || journal.first_rest(subject, from)).await
    }

    /// Reads the journal where waiting for the disk does no harm.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Refusal> {
        blocking(self.clock.as_ref(), work).await?.map_err(|error| {
            tracing::error!(%error, "the journal cannot be read");
            Refusal::JournalDown
        })
    }

    fn send(&self, message: Message) -> Result<(), Refusal> {
        self.inbox.try_send(message).map_err(|full| match full {
            mpsc::error::TrySendError::Full(_) => Refusal::Busy,
            mpsc::error::TrySendError::Closed(_) => Refusal::Stopping,
        })
    }
}

/// Runs what waits for the disk where waiting does no harm.
pub(crate) async fn blocking<T: Send + 'static>(
    clock: &dyn Clock,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let (done, result) = oneshot::channel();
    let work = move || {
        // Who asked may have gone.
        let _ = done.send(work());
    };
    clock.aside(Box::new(work)).await;
    result.await.map_err(|_| Refusal::Stopping)
}
