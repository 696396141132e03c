//! What serial and USB lines do that a network does not: they lose bytes, change their names, are opened by others, and say
//! something of their own.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bench;

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bench::{Bench, Cable, ID, NO_PAPER, Recorded, WELL, machine, slip};
use rustix::termios::{InputModes, tcgetattr};
use tilld_devices::plugged::SerialAddress;
use tilld_devices::port::serial::{Flow, SerialLine};
use tilld_devices::port::usb::{Driver, UsbPort};
use tilld_devices::printer::{Fault, Identity, JobOutcome, Printer, Proof, Reach};
use tilld_devices::profile::{Ability, Profile};
use tilld_devices::simulated::line::{LineSettings, SimulatedLine};
use tilld_devices::simulated::{Answers, Automatic, SimulatedFault};
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Style};

/// For what never comes. What does come has the time that a machine may take which stands still for a second.
const BRIEF: Duration = Duration::from_millis(400);
const AMPLE: Duration = Duration::from_secs(3);

fn patience() -> Patience {
    Patience { status: AMPLE, process_id_after: AMPLE, settle: BRIEF, ..Patience::default() }
}

fn silent() -> Profile {
    let lacks = Ability::Lacks;
    Profile { real_time_status: lacks, queued_status: lacks, process_id: lacks, ..Profile::epson() }
}

fn at(port: PrinterPort, profile: Profile) -> Arc<dyn Printer> {
    let (name, patience) = ("till".to_owned(), patience());
    attended(PrinterSettings { name, port, profile, patience, memory: None })
}

/// So many bytes, more or less.
fn long(bytes: usize) -> Slip {
    let row = |number: usize| {
        let text = Secret::new(format!("{number:040}"));
        Part::Row(Row { text, style: Style::PLAIN, align: Align::Left })
    };
    let mut parts: Vec<Part> = (0..bytes / 41).map(row).collect();
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

#[tokio::test]
async fn a_printer_with_flow_control_gets_every_byte_however_slow_it_is() {
    let line = LineSettings { speed: Some(20_000), buffer: 1024, ..LineSettings::at(921_600) };
    let bench = Bench::on(Cable::Serial, line, Answers::ALL, Profile::epson(), patience()).await;
    let outcome = bench.printer.print(&long(12_000)).await;
    assert!(matches!(outcome, JobOutcome::Printed { proof: Proof::ProcessId, .. }), "{outcome:?}");
    let papers = bench.simulated().papers();
    assert!(papers.iter().any(|paper| paper.complete && paper.slip == long(12_000)));
    assert_eq!(bench.simulated().lost_bytes(), 0);
}

#[tokio::test]
async fn bytes_that_a_printer_without_flow_control_lost_are_never_proven() {
    let place = tempfile::tempdir().unwrap();
    let settings = LineSettings { flow: false, speed: Some(10_000), ..LineSettings::at(921_600) };
    let path = place.path().join("printer");
    let line = SimulatedLine::start(path.clone(), settings, Profile::epson(), Answers::ALL).unwrap();
    let port = SerialLine { flow: Flow::None, ..SerialLine::new(SerialAddress::Path(path), settings.baud) };
    let printer = at(PrinterPort::Serial(port), Profile::epson());
    // What fits is proven.
    let outcome = printer.print(&slip("short")).await;
    assert!(matches!(outcome, JobOutcome::Printed { proof: Proof::ProcessId, .. }), "{outcome:?}");
    let outcome = printer.print(&long(20_000)).await;
    assert!(line.lost_bytes() > 0, "the buffer never overran");
    let proven = matches!(outcome, JobOutcome::Printed { proof, .. } if proof != Proof::NotVerifiable);
    assert!(!proven, "{outcome:?}");
}

#[tokio::test]
async fn a_line_with_xon_holds_bytes_up_and_puts_none_between_them() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("printer");
    let _line = SimulatedLine::start(path.clone(), LineSettings::at(115_200), Profile::epson(), Answers::ALL)
        .unwrap();
    for (flow, ixon) in [(Flow::Xon, true), (Flow::None, false), (Flow::RtsCts, false)] {
        let port = SerialLine { flow, ..SerialLine::new(SerialAddress::Path(path.clone()), 115_200) };
        let printer = at(PrinterPort::Serial(port), Profile::epson());
        assert!(matches!(printer.print(&slip("one")).await, JobOutcome::Printed { .. }), "{flow:?}");
        let modes = tcgetattr(std::fs::File::open(&path).unwrap()).unwrap().input_modes;
        let set = (modes.contains(InputModes::IXON), modes.contains(InputModes::IXOFF));
        assert_eq!(set, (ixon, false), "{flow:?}");
        // The next one needs the line.
        let condition = printer.condition();
        drop(printer);
        while condition.has_changed().is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn what_a_printer_answers_is_found_out_once_also_over_a_restart() {
    let answers = Answers { process_id: false, automatic: Automatic::Never, ..Answers::ALL };
    let mut bench = Bench::new(Cable::Serial, answers, Profile::epson(), patience()).await;
    let before = bench.printer.probe(false).await;
    assert_eq!((before.queued, before.process_id), (Ability::Ask, Ability::Ask));
    assert!(matches!(bench.printer.print(&slip("one")).await, JobOutcome::Printed { .. }));
    bench.restart().await;
    let after = bench.printer.probe(false).await;
    assert_eq!((after.reach, after.real_time), (Reach::Open, Ability::Has));
    assert_eq!((after.queued, after.process_id), (Ability::Has, Ability::Lacks));
}

#[tokio::test]
async fn a_thorough_probe_finds_out_everything_and_prints_nothing() {
    for (answers, found) in [
        (Answers::ALL, [Ability::Has; 4]),
        (
            Answers { real_time: true, ..Answers::NONE },
            [Ability::Has, Ability::Lacks, Ability::Lacks, Ability::Lacks],
        ),
    ] {
        let bench = Bench::new(Cable::Serial, answers, Profile::epson(), patience()).await;
        let probed = bench.printer.probe(true).await;
        let all = [probed.real_time, probed.queued, probed.process_id, probed.automatic];
        assert_eq!((probed.reach, all), (Reach::Open, found));
        let name = probed.identity.map(|identity| identity.to_string());
        assert_eq!(name.as_deref(), answers.queued.then_some("SIMULATED PAPER 0001"));
        assert!(probed.status.is_some_and(|status| status.fault.is_none()));
        bench.simulated().tear();
        assert_eq!(bench.simulated().papers(), []);
    }
}

#[tokio::test]
async fn one_silence_takes_no_proof_from_a_printer_for_good() {
    let mute = Answers { real_time: true, ..Answers::NONE };
    let patience = Patience { proof: AMPLE, ..patience() };
    let proof = async |bench: &Bench| match bench.printer.print(&slip("row")).await {
        JobOutcome::Printed { proof, .. } => proof,
        outcome => panic!("{outcome:?}"),
    };
    let bench = Bench::new(Cable::Network, mute, Profile::epson(), patience).await;
    assert_eq!(proof(&bench).await, Proof::HealthyAfterwards);
    // It answers now; on this line nobody asks.
    bench.simulated().answers(Answers { automatic: Automatic::Never, ..Answers::ALL });
    assert_eq!(proof(&bench).await, Proof::HealthyAfterwards);
    bench.simulated().hang_up();
    assert_eq!(proof(&bench).await, Proof::ProcessId);

    // And a thorough probe finds out anew what even two silences spoke against.
    let bench = Bench::new(Cable::Network, mute, Profile::epson(), patience).await;
    for _ in 0..3 {
        assert_eq!(proof(&bench).await, Proof::HealthyAfterwards);
        bench.simulated().hang_up();
    }
    bench.simulated().answers(Answers { automatic: Automatic::Never, ..Answers::ALL });
    assert_eq!(proof(&bench).await, Proof::HealthyAfterwards);
    let probed = bench.printer.probe(true).await;
    assert_eq!((probed.queued, probed.process_id), (Ability::Has, Ability::Has));
    assert_eq!(proof(&bench).await, Proof::ProcessId);
}

#[tokio::test]
async fn a_usb_printer_is_who_it_says_it_is_and_two_of_a_kind_are_nobody() {
    let place = tempfile::tempdir().unwrap();
    let (machine, device) = machine(&place, ID, "J5KF");
    let _line = SimulatedLine::start(device, LineSettings::USB, Profile::epson(), Answers::ALL).unwrap();
    let driver = || Driver(Arc::new(Recorded(AtomicU16::new(WELL))));
    let wanted = |model: Option<&str>, serial: Option<&str>| Identity {
        maker: None,
        model: model.map(str::to_owned),
        serial: serial.map(str::to_owned),
    };
    let reach = async |wanted: Identity| {
        let port = UsbPort { wanted, machine: machine.clone(), driver: driver() };
        let probed = at(PrinterPort::Usb(port), Profile::epson()).probe(false).await;
        (probed.reach, probed.identity.map(|identity| identity.to_string()))
    };
    let it = Some("EPSON TM-T20II J5KF".to_owned());
    assert_eq!(reach(wanted(Some("TM-T20II"), None)).await, (Reach::Open, it));
    assert_eq!(reach(wanted(Some("TM-T20II"), Some("other"))).await, (Reach::Absent, None));
    assert_eq!(reach(wanted(Some("TM-T88"), None)).await, (Reach::Absent, None));
    // Another of the same kind, under the next number.
    let class = place.path().join("sys/class/usbmisc");
    std::fs::create_dir_all(class.join("lp1")).unwrap();
    symlink(place.path().join("sys/devices/usb1/1-1/1-1:1.0"), class.join("lp1/device")).unwrap();
    assert_eq!(reach(wanted(Some("TM-T20II"), None)).await, (Reach::Absent, None));
}

#[tokio::test]
async fn the_port_of_a_usb_printer_speaks_for_one_that_answers_nothing() {
    let bench = Bench::new(Cable::Usb, Answers::NONE, silent(), patience()).await;
    // A port that has never said that all is well may say anything.
    bench.word.0.store(NO_PAPER, Ordering::Relaxed);
    let printed = JobOutcome::Printed { proof: Proof::NotVerifiable, replaced: 0 };
    assert_eq!(bench.printer.print(&slip("one")).await, printed);
    bench.word.0.store(WELL, Ordering::Relaxed);
    assert_eq!(bench.printer.print(&slip("two")).await, printed);
    bench.word.0.store(NO_PAPER, Ordering::Relaxed);
    assert_eq!(bench.printer.print(&slip("three")).await, JobOutcome::NothingPrinted(Fault::PaperOut));
    bench.becomes(Some(Fault::PaperOut)).await;
    bench.word.0.store(WELL, Ordering::Relaxed);
    bench.healthy().await;
    assert_eq!(bench.printer.print(&slip("four")).await, printed);
    assert_eq!(bench.simulated().wait_for_papers(3).await.len(), 3);
}

#[tokio::test]
async fn what_a_stalled_job_left_in_the_line_is_thrown_away() {
    let profile = silent();
    let patience = Patience { progress: AMPLE, ..patience() };
    let line = LineSettings { buffer: 1024, ..LineSettings::at(921_600) };
    let bench = Bench::on(Cable::Serial, line, Answers::NONE, profile, patience).await;
    assert!(matches!(bench.printer.print(&slip("first")).await, JobOutcome::Printed { .. }));
    bench.simulated().fault(SimulatedFault::StallAtByte(200));
    let outcome = bench.printer.print(&long(30_000)).await;
    let JobOutcome::Unknown { fault: Fault::Silent, bytes_sent } = outcome else { panic!("{outcome:?}") };
    bench.simulated().clear();
    let outcome = bench.printer.print(&slip("next")).await;
    assert!(matches!(outcome, JobOutcome::Printed { .. }), "{outcome:?}");
    bench.simulated().wait_for_papers(2).await;
    let papers = bench.simulated().papers();
    let last = &papers[papers.len() - 1].slip.parts;
    assert!(last.ends_with(&slip("next").parts), "the next slip is not whole");
    // What the far end of the pseudo-terminal had taken comes out, as from a printer's own buffer; no more.
    let came = (last.len() - slip("next").parts.len()) * 41;
    assert!(came + 2048 < bytes_sent, "{came} of {bytes_sent} bytes came out all the same");
}

#[tokio::test]
async fn noise_that_looks_like_the_start_of_something_makes_no_printer_silent_for_long() {
    // Blocks run to a NUL, groups have four bytes: the rest of these never comes. The line is not opened anew, as a network's is.
    for noise in [&[0x5f][..], &[0x37, 0x22], &[0x37, 0x22, b'a', b'b'], &[0x10], &[0x10, 0, 0]] {
        let answers = Answers { process_id: false, ..Answers::ALL };
        let bench = Bench::new(Cable::Serial, answers, Profile::epson(), patience()).await;
        bench.healthy().await;
        bench.simulated().say(noise);
        let well =
            async { while bench.printer.status().await.is_none_or(|status| status.fault.is_some()) {} };
        let well = tokio::time::timeout(Duration::from_secs(30), well).await;
        assert!(well.is_ok(), "it is silent for ever behind {noise:02x?}");
        // Nor is the proof of a slip swallowed.
        let outcome = bench.printer.print(&slip("row")).await;
        assert_eq!(outcome, JobOutcome::Printed { proof: Proof::QueuedStatus, replaced: 0 }, "{noise:02x?}");
    }
}
