//! What `usblp` answers to a write, and what is said of the slip then. The driver's calls are simulated; the bytes go to a
//! simulated printer, or not.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bench;

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bench::{ID, machine, slip};
use rustix::io::Errno;
use tilld_devices::port::usb::{Calls, Driver, UsbPort};
use tilld_devices::printer::{Fault, Identity, JobOutcome, Printer, Reach};
use tilld_devices::profile::{Ability, Profile};
use tilld_devices::simulated::Answers;
use tilld_devices::simulated::line::{LineSettings, SimulatedLine};
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};

/// What becomes of a write of the slip.
#[derive(Debug, Clone, Copy)]
enum Write {
    /// The driver's own way.
    Well,
    /// The transfer ends, and its end is this error.
    Ended(Errno),
    /// The driver answers this error, and the printer has not got a byte.
    Lost(Errno),
    /// It takes only so many bytes.
    Part(usize),
    /// It says that it took none.
    Zero,
    /// It does not return before it is let go.
    Held,
}

/// The driver by a script, once there is one. Questions are short and go through.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Write>>,
    status: Mutex<u8>,
    held: Mutex<bool>,
    let_go: Condvar,
}

impl Scripted {
    fn write_by(&self, script: &[Write]) {
        *self.script.lock().unwrap() = script.iter().copied().collect();
    }

    fn let_go(&self) {
        *self.held.lock().unwrap() = false;
        self.let_go.notify_all();
    }
}

const QUESTION: usize = 16;

impl Calls for Scripted {
    fn write(&self, device: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        let next = if bytes.len() > QUESTION { self.script.lock().unwrap().pop_front() } else { None };
        let go_on = || Ok(rustix::io::write(device, bytes)?);
        match next.unwrap_or(Write::Well) {
            Write::Well => go_on(),
            Write::Ended(error) => go_on().and(Err(error.into())),
            Write::Lost(error) => Err(error.into()),
            Write::Part(count) => Ok(rustix::io::write(device, &bytes[..count])?),
            Write::Zero => Ok(0),
            Write::Held => {
                let mut held = self.held.lock().unwrap();
                *held = true;
                self.let_go.notify_all();
                let held = self.let_go.wait_while(held, |held| *held).unwrap();
                drop(held);
                go_on()
            }
        }
    }

    fn port_status(&self, _: BorrowedFd<'_>) -> io::Result<u8> {
        Ok(*self.status.lock().unwrap())
    }
}

struct Bench {
    printer: Arc<dyn Printer>,
    calls: Arc<Scripted>,
    line: SimulatedLine,
    _place: tempfile::TempDir,
}

const WELL: u8 = 0x18;
const NO_PAPER: u8 = 0x38;

/// A slip of about 400 bytes in chunks of 128.
fn bench(patience: Patience) -> Bench {
    let place = tempfile::tempdir().unwrap();
    let (machine, device) = machine(&place, ID, "J5KF");
    let line = SimulatedLine::start(device, LineSettings::USB, Profile::epson(), Answers::ALL).unwrap();
    let calls = Arc::new(Scripted::default());
    *calls.status.lock().unwrap() = WELL;
    let wanted = Identity { model: Some("TM-T20II".to_owned()), ..Identity::default() };
    let port = PrinterPort::Usb(UsbPort { wanted, machine, driver: Driver(Arc::<Scripted>::clone(&calls)) });
    let profile = Profile { process_id: Ability::Has, ..Profile::epson() };
    let patience = Patience { chunk: 128, ..patience };
    let printer =
        attended(PrinterSettings { name: "till".to_owned(), port, profile, patience, memory: None });
    Bench { printer, calls, line, _place: place }
}

/// On how many papers all of a slip is. What an earlier one left behind may stand above it.
fn whole(bench: &Bench, text: &str) -> usize {
    bench.line.papers().iter().filter(|paper| paper.slip.parts.ends_with(&slip(text).parts)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_was_offered_may_be_on_paper_whatever_the_driver_says() {
    use Write::{Ended, Lost, Part, Well, Zero};
    // What is said; what of the slip is on paper is unknown but never twice.
    for (script, fault) in [
        (&[Lost(Errno::IO)][..], Some(Fault::Absent)),
        (&[Ended(Errno::IO)], Some(Fault::Absent)),
        (&[Well, Lost(Errno::IO)], Some(Fault::Absent)),
        (&[Well, Ended(Errno::IO)], Some(Fault::Absent)),
        (&[Lost(Errno::INTR)], Some(Fault::Error)),
        (&[Ended(Errno::INTR)], Some(Fault::Error)),
        (&[Well, Ended(Errno::INTR)], Some(Fault::Error)),
        (&[Lost(Errno::NODEV)], Some(Fault::Absent)),
        (&[Well, Well, Lost(Errno::NODEV)], Some(Fault::Absent)),
        (&[Lost(Errno::NOSPC)], Some(Fault::PaperOut)),
        (&[Well, Ended(Errno::NOSPC)], Some(Fault::PaperOut)),
        (&[Lost(Errno::NOMEM)], Some(Fault::Absent)),
        (&[Zero], Some(Fault::Absent)),
        (&[Well, Zero], Some(Fault::Absent)),
        // The clear "nothing was taken", and what was taken in part: the rest follows.
        (&[Lost(Errno::AGAIN)], None),
        (&[Well, Lost(Errno::AGAIN), Lost(Errno::AGAIN), Part(7), Part(1)], None),
    ] {
        let bench = bench(Patience::default());
        let first = bench.printer.print(&slip("first")).await;
        assert!(matches!(first, JobOutcome::Printed { .. }), "{first:?}");
        bench.calls.write_by(script);
        let outcome = bench.printer.print(&slip("struck")).await;
        match (outcome, fault) {
            (JobOutcome::Printed { .. }, None) => assert_eq!(whole(&bench, "struck"), 1, "{script:?}"),
            (JobOutcome::Unknown { fault: said, bytes_sent }, Some(fault)) => {
                assert_eq!(said, fault, "{script:?}");
                assert!(bytes_sent > 0, "{script:?}");
            }
            (outcome, _) => panic!("{script:?}: {outcome:?}"),
        }
        // The printer is found again, and nothing of the struck slip comes out once more.
        bench.calls.write_by(&[]);
        let mut next = bench.printer.print(&slip("next")).await;
        while matches!(next, JobOutcome::NothingPrinted(_)) {
            next = bench.printer.print(&slip("next")).await;
        }
        assert!(matches!(next, JobOutcome::Printed { .. }), "after {script:?}: {next:?}");
        assert_eq!(whole(&bench, "next"), 1, "after {script:?}");
        assert!(whole(&bench, "struck") <= 1, "{script:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_the_printer_does_not_take_holds_up_nobody_and_its_port_says_why() {
    let bench = bench(Patience { progress: Duration::from_secs(3), ..Patience::default() });
    let first = bench.printer.print(&slip("first")).await;
    assert!(matches!(first, JobOutcome::Printed { .. }), "{first:?}");
    // The port is believed once it has said that all is well.
    assert_eq!(bench.printer.probe(false).await.reach, Reach::Open);
    bench.calls.write_by(&[Write::Held]);
    let outcome = bench.printer.print(&slip("struck")).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 128 }), "{outcome:?}");
    // The device is still in that write, so nobody else gets it; its port can be asked all the same.
    let mut condition = bench.printer.condition();
    for (status, fault) in [(WELL, Fault::Silent), (NO_PAPER, Fault::PaperOut)] {
        *bench.calls.status.lock().unwrap() = status;
        condition.wait_for(|told| told.is_some_and(|told| told.fault == Some(fault))).await.unwrap();
        assert_eq!(bench.printer.print(&slip("none")).await, JobOutcome::NothingPrinted(fault));
    }
    *bench.calls.status.lock().unwrap() = WELL;
    bench.calls.let_go();
    condition.wait_for(|told| told.is_some_and(|told| told.fault.is_none())).await.unwrap();
    let next = bench.printer.print(&slip("next")).await;
    assert!(matches!(next, JobOutcome::Printed { .. }), "{next:?}");
    assert_eq!((whole(&bench, "next"), whole(&bench, "struck"), whole(&bench, "none")), (1, 0, 0));
}
