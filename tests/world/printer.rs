//! The modelled printer, and the paper that came out of it: the second book.
//!
//! It says by itself what is wrong with it, and that it is well again, which somebody sees to before the cashier answers
//! anything. Of its cover it says nothing: there a person must say "print".

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_devices::printer::{JobOutcome, Printer, Probed, Reach, Status};
use tilld_devices::profile::{Ability, Profile};
use tilld_domain::printing::{Fault as PrinterFault, Proof};
use tilld_domain::slip::{Paper, Slip};
use tokio::sync::watch;

use super::World;
use super::fate::{Fault, Point};
use super::power::Life;
use crate::books::text_of;

/// How long half a slip takes.
const HALF: Duration = Duration::from_millis(100);
/// How long a silent printer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a slip, more or less.
const BYTES: usize = 1_000;

/// After what time somebody has put paper in, freed its knife, or switched it off and on.
const MENDED: Duration = Duration::from_secs(3);

const HEALTHY: Status = Status { fault: None, paper_low: false, drawer_pin_high: None };

/// A piece of paper.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Piece {
    /// What the whole slip says, without blanks.
    pub text: String,
    /// All of it came out.
    pub complete: bool,
    /// The cashier has taken it back and torn it up.
    pub torn: bool,
}

/// The printer in one life of the daemon.
pub struct PrinterPort {
    pub world: Arc<World>,
    pub life: Life,
    pub profile: Profile,
}

impl PrinterPort {
    /// Half of the slip comes out; which piece it is.
    async fn first_half(&self, slip: &Slip) -> usize {
        let piece = Piece { text: text_of(slip), complete: false, torn: false };
        let place = {
            let mut inner = self.world.inner();
            inner.papers.push(piece);
            inner.papers.len() - 1
        };
        self.world.act(|| "printer: half of the slip is out".to_owned());
        self.world.clock.sleep(HALF).await;
        place
    }

    async fn whole(&self, slip: &Slip) {
        let place = self.first_half(slip).await;
        self.world.inner().papers[place].complete = true;
        self.world.act(|| "printer: the slip is out".to_owned());
        self.world.clock.sleep(HALF).await;
    }

    /// It says what is wrong with it, and after a while that it is well.
    fn says(&self, fault: PrinterFault) {
        self.world.inner().printer_is.send_replace(Some(Status::faulty(fault)));
        self.world.later(MENDED, "the printer is mended".to_owned(), |inner| {
            inner.printer_is.send_replace(Some(HEALTHY));
        });
    }

    async fn print(&self, slip: &Slip) -> JobOutcome {
        if self.life.is_over() {
            return pending().await;
        }
        let _turn = self.world.printing.lock().await;
        let fault = self.world.inner().printer_is.borrow().and_then(|status| status.fault);
        if let Some(fault) = fault {
            return JobOutcome::NothingPrinted(fault);
        }
        let (_, fault) = self.world.step(Point::Print, false);
        let unknown = |fault| {
            self.says(fault);
            JobOutcome::Unknown { fault, bytes_sent: BYTES }
        };
        let silent = async || {
            self.world.clock.sleep(PATIENCE).await;
            unknown(PrinterFault::Silent)
        };
        let Some(fault) = fault else {
            self.whole(slip).await;
            return JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 };
        };
        match fault {
            Fault::CrashBefore(dark) => {
                self.life.power_goes(&self.world, dark);
                pending().await
            }
            Fault::CrashWithin(dark) => {
                self.first_half(slip).await;
                self.life.power_goes(&self.world, dark);
                pending().await
            }
            Fault::CrashAfter(dark) => {
                self.whole(slip).await;
                self.life.power_goes(&self.world, dark);
                pending().await
            }
            Fault::NoPaper => {
                self.says(PrinterFault::PaperOut);
                JobOutcome::NothingPrinted(PrinterFault::PaperOut)
            }
            Fault::CoverOpen => JobOutcome::NothingPrinted(PrinterFault::CoverOpen),
            Fault::PaperEnds => {
                self.first_half(slip).await;
                unknown(PrinterFault::PaperOut)
            }
            Fault::KnifeStuck => {
                self.whole(slip).await;
                unknown(PrinterFault::Cutter)
            }
            Fault::SilentBefore => silent().await,
            Fault::SilentWithin => {
                self.first_half(slip).await;
                silent().await
            }
            Fault::SilentAfter => {
                self.whole(slip).await;
                silent().await
            }
            fault => panic!("{fault} at the printer"),
        }
    }
}

impl Printer for PrinterPort {
    fn name(&self) -> &'static str {
        "modelled"
    }

    fn paper(&self) -> Paper {
        self.profile.paper()
    }

    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        Box::pin(self.print(slip))
    }

    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(async { Some(HEALTHY) })
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.world.inner().printer_is.subscribe()
    }

    fn probe(&self, _: bool) -> BoxFuture<'_, Probed> {
        Box::pin(async {
            Probed {
                reach: Reach::Open,
                identity: None,
                real_time: Ability::Has,
                queued: Ability::Has,
                process_id: Ability::Has,
                automatic: Ability::Lacks,
                status: Some(HEALTHY),
            }
        })
    }
}
