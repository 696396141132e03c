//! The daemon's lives. A life ends when the power goes: everything in memory is dropped between two polls, the journal, the
//! provider, the paper and the people stay.
//!
//! The driver is polled by [`World::live`] alone, so the power can go right before a poll that writes (what it would have
//! written is lost) and right after it (what follows from it has not begun, and nobody was answered). A poll nearly always
//! writes once; where an alarm rings in the same poll both writes share a fate.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_counter::clock::Clock;
use tilld_counter::{Counter, Driving, Place, Ports, Settings};
use tilld_devices::profile::Profile;
use tilld_domain::moment::Moment;
use tilld_domain::order::{Answer, Asks};
use tilld_domain::redemption;
use tilld_receipts::slip::ShopTexts;
use uuid::Uuid;

use super::World;
use super::fate::{Dark, Fault, Point};
use super::network::Line;
use super::printer::PrinterPort;
use super::told::Told;
use super::voucher_line::VoucherLine;
use super::wire::{self, Wire};

/// One life of the daemon; cheap to clone.
#[derive(Clone, Default)]
pub struct Life(Arc<Told<bool>>);

impl Life {
    pub fn is_over(&self) -> bool {
        self.0.now()
    }

    /// Ends when the life does.
    pub async fn over(&self) {
        self.0.until(|over| *over).await;
    }

    /// The power goes, for so long.
    pub fn power_goes(&self, world: &World, dark: Dark) {
        world.act(|| format!("** the power goes for {} s", dark.span().as_secs()));
        world.inner().dark = Some(dark);
        self.0.tell(true);
    }
}

/// Time, chance and other threads of one life.
struct LifeClock {
    world: Arc<World>,
    life: Life,
    /// How far the wall clock was set away when the counter's own time took it over, in ms.
    begun_off_ms: AtomicI64,
    jitters: bool,
}

impl LifeClock {
    fn new(world: &Arc<World>, life: &Life, jitters: bool) -> Self {
        let begun_off_ms = AtomicI64::new(world.clock.off_ms());
        Self { world: Arc::clone(world), life: life.clone(), begun_off_ms, jitters }
    }
}

impl Clock for LifeClock {
    fn now(&self) -> Moment {
        let set_since = self.world.clock.off_ms() - self.begun_off_ms.load(Ordering::Relaxed);
        Moment::from_ms(self.world.clock.now().ms() - set_since)
    }

    fn wall(&self) -> Moment {
        self.world.clock.now()
    }

    fn steady(&self) -> Duration {
        self.world.clock.passed()
    }

    fn follow(&self) {
        self.begun_off_ms.store(self.world.clock.off_ms(), Ordering::Relaxed);
    }

    fn sleep_until(&self, due: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.world.clock.sleep_until(due))
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128((0x019a_0000_0000_7000_8000 << 48) + self.world.new_id())
    }

    fn jitter(&self, most: Duration) -> Duration {
        if self.jitters { most } else { Duration::ZERO }
    }

    fn aside(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let life = self.life.clone();
        Box::pin(async move {
            if life.is_over() {
                return std::future::pending().await;
            }
            work();
        })
    }
}

/// How the daemon is set up, and which law it breaks, for a test of the test.
#[derive(Clone, Copy)]
pub struct SetUp {
    pub settings: Settings,
    /// Somebody in the place of law L7: whatever may be on paper, the card is undone without a look at it, and a redemption
    /// is taken back without a look at the goods.
    pub answers_by_itself: bool,
    /// For how long a redeem can live on the line. Longer than the quiet time of law L6, nobody can ever close a case.
    pub request_lives: Duration,
    /// Every pause that may be lengthened by chance is, as far as it may be; else none is.
    pub jitters: bool,
}

impl Default for SetUp {
    fn default() -> Self {
        Self {
            settings: Settings::DESIGN,
            answers_by_itself: false,
            request_lives: wire::LAST,
            jitters: false,
        }
    }
}

fn place() -> Place {
    Place {
        store: "A1234".parse().unwrap(),
        terminal: "T01".parse().unwrap(),
        country: "DE".parse().unwrap(),
        locale: "de-DE".parse().unwrap(),
        zone: "Europe/Berlin".to_owned(),
        texts: ShopTexts::default(),
        columns: Some(42),
        slip_numbers: true,
    }
}

impl World {
    /// Runs the daemon, life after life, until `goes_on` says after a crash that nobody wants to know how it goes on.
    pub async fn live(self: Arc<Self>, set_up: SetUp, mut goes_on: impl FnMut(&Self) -> bool + Send) {
        loop {
            let life = Life::default();
            let wire = Wire { world: Arc::clone(&self), life: life.clone(), last: set_up.request_lives };
            let offers = self.inner().vouchers.offers;
            let ports = Ports {
                vouchers: offers.map(|offers| Arc::new(VoucherLine { wire: wire.clone(), offers }) as _),
                journal: self.journal.clone().into(),
                provider: Arc::new(Line { wire, told: Mutex::default() }),
                printer: Arc::new(PrinterPort {
                    world: Arc::clone(&self),
                    life: life.clone(),
                    profile: Profile::epson(),
                }),
                pictures: None,
                scanners: Vec::new(),
                clock: Arc::new(LifeClock::new(&self, &life, set_up.jitters)),
            };
            let (counter, driving) = Counter::prepare(ports, place(), set_up.settings).await.unwrap();
            self.inner().lives += 1;
            self.act(|| "daemon: starts".to_owned());
            if set_up.answers_by_itself {
                tokio::spawn(answer_by_itself(counter.clone(), life.clone()));
            }
            self.daemon.tell(Some((counter, life.clone())));
            self.drive(&life, driving).await;
            life.0.tell(true);
            self.daemon.tell(None);
            let dark = self.inner().dark;
            let Some(dark) = dark else {
                self.inner().trouble.push("the driver ended by itself".to_owned());
                return;
            };
            // For how long it stays dark decides about what follows: it is looked at with the rest.
            if !goes_on(&self) {
                return;
            }
            self.inner().dark = None;
            self.clock.sleep(dark.span()).await;
        }
    }

    /// The daemon is told to stop, as for an update, and starts again.
    pub async fn restart(&self) {
        let up = self.daemon.now();
        let Some((counter, _)) = up else { return };
        self.act(|| "daemon: is told to stop".to_owned());
        self.inner().dark.get_or_insert(Dark::Seconds);
        counter.stop().await;
    }

    /// Polls the driver until it ends, or the power goes.
    async fn drive(&self, life: &Life, driving: Driving) {
        let mut driving = pin!(driving.run(std::future::pending()));
        let mut over = pin!(life.over());
        poll_fn(|context| {
            if over.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let (number, fault) = self.step(Point::Turn, false);
            if let Some(Fault::CrashBefore(dark)) = fault {
                life.power_goes(self, dark);
                return Poll::Ready(());
            }
            let before = self.journal.commits();
            let polled = driving.as_mut().poll(context);
            if self.journal.commits() > before {
                self.wrote(number);
                if let Some(Fault::CrashAfter(dark)) = fault {
                    life.power_goes(self, dark);
                    return Poll::Ready(());
                }
            }
            polled
        })
        .await;
    }
}

/// Breaks law L7: wherever a slip stopped or may be complete, the money goes back and the card is undone, unasked; and
/// wherever a redemption was answered and its basket is not completed, it is taken back.
async fn answer_by_itself(counter: Counter, life: Life) {
    let mut changes = counter.changes();
    loop {
        let waiting = counter.attention().await.unwrap_or_default();
        for (now, cases) in waiting.sales {
            for case in cases {
                let tilld_domain::attention::About::Question(question) = &case.about else { continue };
                if matches!(question.asks, Asks::PrintAgain | Asks::IsItComplete) {
                    let asked = super::till::asked(&format!("by-itself-{}-{}", now.seq, case.card.number()));
                    let sale = now.sale.opening.sale;
                    // Somebody may have been faster.
                    let _ = counter.answer(asked, sale, case.card, Answer::Collected, None).await;
                }
            }
        }
        for (now, case) in waiting.redemptions {
            let redemption::attention::About::Question(question) = case.about else { continue };
            if question.asks == redemption::Asks::WasItUsed {
                let asked = super::till::asked(&format!("by-itself-{}", now.seq));
                let _ =
                    counter.tell(asked, now.redemption.id(), redemption::Answer::NotUsed, None, false).await;
            }
        }
        tokio::select! {
            biased;
            () = life.over() => return,
            news = changes.recv() => if news.is_err() { return },
        }
    }
}
