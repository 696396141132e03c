//! Every fault on every kind of cable at every moment: paper, cover, off-line, knife, silence, gone; network, serial, USB;
//! before the job, in its middle, behind its last byte.
//!
//! In each cell a printer that has just printed well is given a slip and struck; what is said of the slip is held against
//! the paper. *Printed* without the whole slip on paper, and *nothing printed* with a mark on it, would be lies: there are
//! none. Then the cause goes, and the same printer prints the next slip without being started again.
//!
//! `cargo test -p tilld-devices --test faults -- --nocapture` prints the table. The README shows it, and is held against it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod bench;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bench::{Bench, Cable, slip};
use tilld_devices::Patience;
use tilld_devices::encode::encode;
use tilld_devices::printer::{Fault, JobOutcome, Proof};
use tilld_devices::profile::{Ability, Profile};
use tilld_devices::simulated::{Answers, Automatic, SimulatedFault};

/// Everything that is waited for in vain lasts several seconds, so that what does come comes in time also on a machine that
/// stands still for one or two.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    status: Duration::from_secs(4),
    chunk: 256,
    progress: Duration::from_secs(5),
    proof: Duration::from_secs(6),
    poll: Duration::from_millis(50),
    process_id_after: Duration::from_secs(4),
    settle: Duration::from_secs(1),
    owed: Duration::from_secs(2),
    job: Duration::from_mins(1),
    turn: Duration::from_mins(2),
    beat: Duration::from_millis(50),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Before,
    During,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Struck {
    PaperOut,
    Cover,
    Offline,
    Cutter,
    Silent,
    Vanish,
}

impl Struck {
    /// How the printer is struck when it has worked off so many bytes of the slip.
    fn at(self, byte: usize) -> SimulatedFault {
        match self {
            Self::PaperOut => SimulatedFault::PaperOutAtByte(byte),
            Self::Cover => SimulatedFault::CoverOpenAtByte(byte),
            Self::Offline => SimulatedFault::OfflineAtByte(byte),
            Self::Cutter => SimulatedFault::CutterAtByte(byte),
            Self::Silent => SimulatedFault::MuteAtByte(byte),
            Self::Vanish => SimulatedFault::VanishAtByte(byte),
        }
    }

    /// How the README calls it.
    fn called(self) -> &'static str {
        match self {
            Self::PaperOut => "no paper",
            Self::Cover => "cover open",
            Self::Offline => "offline",
            Self::Cutter => "knife stuck",
            Self::Silent => "silent",
            Self::Vanish => "unplugged, or no power",
        }
    }

    fn said(self) -> Fault {
        match self {
            Self::PaperOut => Fault::PaperOut,
            Self::Cover => Fault::CoverOpen,
            Self::Offline => Fault::Offline,
            Self::Cutter => Fault::Cutter,
            Self::Silent => Fault::Silent,
            Self::Vanish => Fault::Absent,
        }
    }
}

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::During, Moment::After];
const FAULTS: [Struck; 6] =
    [Struck::PaperOut, Struck::Cover, Struck::Offline, Struck::Cutter, Struck::Silent, Struck::Vanish];

/// What is said of a slip, without how many bytes of it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Printed,
    Nothing(Fault),
    Unknown(Fault),
}

impl Said {
    fn of(outcome: JobOutcome) -> Self {
        match outcome {
            JobOutcome::Printed { .. } => Self::Printed,
            JobOutcome::NothingPrinted(fault) => Self::Nothing(fault),
            JobOutcome::Unknown { fault, .. } => Self::Unknown(fault),
        }
    }
}

/// Where the README shows what is said of a slip.
const HEADING: &str = "| struck by | network: before | during | after | serial: before | during | after | USB: before | during | after |";

/// What the README says of a cell, in its words.
fn in_readme(cable: Cable, struck: Struck, moment: Moment) -> &'static str {
    let table = include_str!("../../README.md")
        .split(HEADING)
        .nth(1)
        .expect("the README has lost its table of faults");
    let cells = |row: &'static str| row.split('|').map(str::trim).skip(1);
    let row = table.lines().take_while(|line| line.is_empty() || line.starts_with('|'));
    let row = row.filter(|row| cells(row).next() == Some(struck.called())).last();
    let row = row.unwrap_or_else(|| panic!("the README does not know {struck:?}"));
    cells(row).nth(1 + 3 * cable as usize + moment as usize).unwrap_or_default()
}

impl Said {
    fn in_words(self) -> String {
        let (what, fault) = match self {
            Self::Printed => return "printed".to_owned(),
            Self::Nothing(fault) => ("nothing", fault),
            Self::Unknown(fault) => ("unknown", fault),
        };
        let fault = match fault {
            Fault::PaperOut => "paper out",
            Fault::CoverOpen => "cover open",
            Fault::Offline => "offline",
            Fault::Cutter => "cutter",
            Fault::Error => "error",
            Fault::Absent => "absent",
            Fault::Silent => "silent",
        };
        format!("{what}: {fault}")
    }
}

/// What was said in a cell, and whether that was a lie.
struct Cell {
    said: Said,
    lie: bool,
}

/// A printer as it is struck: on what cable, what it answers, and what that proves.
#[derive(Clone)]
struct Kind {
    cable: Cable,
    answers: Answers,
    profile: Profile,
    proof: Proof,
}

async fn cell(kind: &Kind, struck: Struck, moment: Moment) -> Cell {
    let Kind { cable, answers, profile, proof } = kind;
    let (cable, answers, proven) = (*cable, *answers, JobOutcome::Printed { proof: *proof, replaced: 0 });
    let what = format!("{struck:?} {moment:?} on {cable:?}, proof by {proof:?}");
    let mut bench = Bench::new(cable, answers, profile.clone(), PATIENCE).await;
    let first = bench.printer.print(&slip("first")).await;
    assert_eq!(first, proven, "{what}");
    bench.simulated().take_papers();

    let length = encode(profile, &slip("struck")).bytes.len();
    match (struck, moment) {
        (Struck::Vanish, Moment::Before) => bench.unplug().await,
        (Struck::Vanish, Moment::After) if profile.queued_status == Ability::Lacks => {}
        (_, Moment::Before) => bench.simulated().fault(struck.at(0)),
        (_, Moment::During) => bench.simulated().fault(struck.at(length / 2)),
        (_, Moment::After) => bench.simulated().fault(struck.at(length)),
    }
    // Without a request behind the slip there is no byte at which it could be struck: it is when the paper is out.
    let asked = profile.queued_status != Ability::Lacks || profile.process_id != Ability::Lacks;
    let said = if (struck, moment, asked) == (Struck::Vanish, Moment::After, false) {
        let printer = Arc::clone(&bench.printer);
        let job = tokio::spawn(async move { printer.print(&slip("struck")).await });
        bench.simulated().wait_for_papers(2).await;
        bench.unplug().await;
        Said::of(job.await.unwrap())
    } else {
        Said::of(bench.printer.print(&slip("struck")).await)
    };
    bench.repair();
    let papers = bench.simulated().take_papers();
    let whole = papers.iter().any(|paper| paper.complete && paper.slip == slip("struck"));
    let lie = match said {
        Said::Printed => !whole,
        Said::Nothing(_) => !papers.is_empty(),
        Said::Unknown(_) => false,
    };

    bench.healthy().await;
    let next = bench.printer.print(&slip("next")).await;
    assert_eq!(next, proven, "after {what}");
    let papers = bench.simulated().take_papers();
    assert!(papers.iter().any(|paper| paper.complete && paper.slip == slip("next")), "after {what}");
    Cell { said, lie }
}

/// The cells of one kind of printer.
async fn cells(kind: Kind) -> BTreeMap<(Struck, Moment), Cell> {
    let all = FAULTS.into_iter().flat_map(|struck| MOMENTS.map(|moment| (struck, moment)));
    let running: Vec<_> = all
        .map(|(struck, moment)| {
            let kind = kind.clone();
            ((struck, moment), tokio::spawn(async move { cell(&kind, struck, moment).await }))
        })
        .collect();
    let mut done = BTreeMap::new();
    for (which, cell) in running {
        done.insert(which, cell.await.unwrap());
    }
    done
}

async fn table(cable: Cable) {
    let only =
        |queued, process_id| Answers { real_time: true, queued, process_id, automatic: Automatic::Never };
    let always = Answers { automatic: Automatic::Always, ..Answers::ALL };
    let lacks = Ability::Lacks;
    let mut lies = 0;
    for (name, proof, answers, profile) in [
        ("process id", Proof::ProcessId, Answers::ALL, Profile::epson()),
        ("process id, status unasked", Proof::ProcessId, always, Profile::epson()),
        ("GS r", Proof::QueuedStatus, only(true, false), Profile { process_id: lacks, ..Profile::epson() }),
        (
            "DLE EOT alone",
            Proof::HealthyAfterwards,
            only(false, false),
            Profile { queued_status: lacks, process_id: lacks, ..Profile::epson() },
        ),
    ] {
        println!("{cable:?}, proof by {name}:");
        let cells = cells(Kind { cable, answers, profile, proof }).await;
        for struck in FAULTS {
            let row: Vec<String> =
                MOMENTS.iter().map(|moment| format!("{:?}", cells[&(struck, *moment)].said)).collect();
            println!("  {:<10} {}", format!("{struck:?}"), row.join(" | "));
        }
        for ((struck, moment), cell) in cells {
            let fault = struck.said();
            let expected = match moment {
                Moment::Before => Said::Nothing(fault),
                Moment::During | Moment::After => Said::Unknown(fault),
            };
            assert_eq!(cell.said, expected, "{struck:?} {moment:?} on {cable:?}, proof by {name}");
            let shown = in_readme(cable, struck, moment);
            assert_eq!(shown, cell.said.in_words(), "the README: {struck:?} {moment:?} on {cable:?}");
            lies += usize::from(cell.lie);
        }
    }
    println!("  false: {lies}");
    assert_eq!(lies, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_network_each_fault_is_told_for_what_it_is() {
    table(Cable::Network).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_serial_line_each_fault_is_told_for_what_it_is() {
    table(Cable::Serial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_usb_each_fault_is_told_for_what_it_is() {
    table(Cable::Usb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_an_idle_printer_is_noticed_without_being_asked() {
    for cable in [Cable::Network, Cable::Serial, Cable::Usb] {
        for struck in FAULTS {
            let mut bench = Bench::new(cable, Answers::ALL, Profile::epson(), PATIENCE).await;
            bench.healthy().await;
            match struck {
                Struck::Vanish => bench.unplug().await,
                _ => bench.simulated().fault(struck.at(0)),
            }
            bench.becomes(Some(struck.said())).await;
            bench.repair();
            bench.healthy().await;
        }
    }
}
