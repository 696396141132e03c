//! How fast slips get to a printer: from the call to the first byte on the wire, and how busy a slow line is kept.
//!
//! `cargo run --release -p tilld-devices --example line_speed`. It prints what it measured; what is wanted stands beside it.
#![allow(clippy::print_stdout, clippy::indexing_slicing, clippy::cast_precision_loss)]
#![allow(clippy::float_arithmetic, clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tilld_devices::encode::encode;
use tilld_devices::plugged::SerialAddress;
use tilld_devices::port::serial::SerialLine;
use tilld_devices::printer::{Fault, JobOutcome, Printer};
use tilld_devices::profile::{Ability, Profile};
use tilld_devices::simulated::line::{LineSettings, SimulatedLine};
use tilld_devices::simulated::{Answers, SimulatedFault};
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Style};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// Why nothing could be measured.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const JOBS: usize = 1000;

fn slip(rows: usize) -> Slip {
    let row = |number: usize| {
        let text = Secret::new(format!("{number:042}"));
        Part::Row(Row { text, style: Style::PLAIN, align: Align::Left })
    };
    let mut parts: Vec<Part> = (0..rows).map(row).collect();
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

fn printer(port: PrinterPort, profile: Profile) -> Arc<dyn Printer> {
    let (name, patience) = ("till".to_owned(), Patience::default());
    attended(PrinterSettings { name, port, profile, patience, memory: None })
}

/// A printer that answers at once and notes when the first byte of each job came.
async fn network_printer(first: mpsc::UnboundedSender<Instant>) -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        // Who measures notices that no job comes any more.
        let _ = answer_jobs(&listener, &first).await;
    });
    Ok(address)
}

/// Ends when a line breaks.
async fn answer_jobs(
    listener: &tokio::net::TcpListener,
    first: &mpsc::UnboundedSender<Instant>,
) -> Result<(), Failure> {
    loop {
        let (mut client, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        let mut bytes = [0; 4096];
        let mut tail: Vec<u8> = Vec::new();
        let mut within = false;
        while let Ok(count @ 1..) = client.read(&mut bytes).await {
            let now = Instant::now();
            for byte in &bytes[..count] {
                tail.push(*byte);
                match *tail.as_slice() {
                    [.., 0x10, 0x04, 1..=4] => {
                        client.write_all(&[0x12]).await?;
                        tail.clear();
                    }
                    [.., 0x1d, b'(', b'H', 6, 0, 48, 48, a, b, c, d] => {
                        client.write_all(&[0x37, 0x22, a, b, c, d, 0]).await?;
                        tail.clear();
                        within = false;
                    }
                    [.., 0x1b, b'@'] if !within => {
                        within = true;
                        first.send(now)?;
                    }
                    _ => {}
                }
            }
        }
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

async fn first_bytes() -> Result<(), Failure> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = network_printer(tell).await?;
    let has = Profile { process_id: Ability::Has, ..Profile::epson() };
    let printer = printer(PrinterPort::Network(address), has);
    let slip = slip(40);
    let mut times = Vec::new();
    for job in 0..=JOBS {
        let begun = Instant::now();
        let outcome = printer.print(&slip).await;
        assert!(matches!(outcome, JobOutcome::Printed { .. }), "{outcome:?}");
        // The first has to end what a run before may have left.
        let first = told.recv().await.ok_or("the printer has gone")?;
        if job > 0 {
            times.push(first.duration_since(begun));
        }
        // As far apart as no beat is: it must not always find the printer in the middle of a question.
        tokio::time::sleep(Duration::from_micros(700 + job as u64 % 13 * 100)).await;
    }
    times.sort();
    println!(
        "network: call to first byte on the wire, {JOBS} jobs: p50 {:?}, p99 {:?}, most {:?} (wanted: p99 under 5 ms)",
        percentile(&times, 50),
        percentile(&times, 99),
        times[times.len() - 1]
    );
    Ok(())
}

async fn line(baud: u32) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("printer");
    let lacks = Ability::Lacks;
    let silent =
        Profile { real_time_status: lacks, queued_status: lacks, process_id: lacks, ..Profile::epson() };
    let simulated =
        SimulatedLine::start(path.clone(), LineSettings::at(baud), silent.clone(), Answers::NONE)?;
    let port = PrinterPort::Serial(SerialLine::new(SerialAddress::Path(path), baud));
    let slip = slip(45);
    let bytes = encode(&silent, &slip).bytes.len();
    let printer = printer(port, silent);
    printer.print(&slip).await;
    simulated.wait_for_papers(1).await;
    let due = Duration::from_secs(10) * u32::try_from(bytes)? / baud;
    let mut ratios = Vec::new();
    for job in 2..=6 {
        let begun = Instant::now();
        let (outcome, _) = tokio::join!(
            async {
                let outcome = printer.print(&slip).await;
                (outcome, begun.elapsed())
            },
            simulated.wait_for_papers(job)
        );
        let on_paper = begun.elapsed();
        assert!(matches!(outcome.0, JobOutcome::Printed { .. }), "{outcome:?}");
        ratios
            .push((outcome.1.as_secs_f64() / due.as_secs_f64(), on_paper.as_secs_f64() / due.as_secs_f64()));
    }
    let shown: Vec<String> = ratios.iter().map(|(said, paper)| format!("{said:.4}/{paper:.4}")).collect();
    println!(
        "serial, {baud} baud, status off: a slip of {bytes} bytes (due {due:?}), said/on paper × due: {} (wanted: at most 1.03)",
        shown.join(" ")
    );
    Ok(())
}

async fn notices() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("printer");
    let simulated =
        SimulatedLine::start(path.clone(), LineSettings::at(9600), Profile::epson(), Answers::ALL)?;
    let port = PrinterPort::Serial(SerialLine::new(SerialAddress::Path(path), 9600));
    let printer = printer(port, Profile::epson());
    let mut condition = printer.condition();
    let mut becomes = async |fault: Option<Fault>| {
        let begun = Instant::now();
        condition.wait_for(|told| told.is_some_and(|told| told.fault == fault)).await?;
        Ok::<_, Failure>(begun.elapsed())
    };
    becomes(None).await?;
    let mut shown = Vec::new();
    for (what, struck, fault) in [
        ("paper", Some(SimulatedFault::PaperOut), Fault::PaperOut),
        ("cover", Some(SimulatedFault::CoverOpen), Fault::CoverOpen),
        ("silent", Some(SimulatedFault::Mute), Fault::Silent),
        ("unplugged", None, Fault::Absent),
    ] {
        let mut worst = [Duration::ZERO; 2];
        for round in 0..5 {
            tokio::time::sleep(Duration::from_millis(170 * round)).await;
            match struck {
                Some(struck) => simulated.fault(struck),
                None => simulated.unplug(),
            }
            worst[0] = worst[0].max(becomes(Some(fault)).await?);
            simulated.clear();
            simulated.plug();
            worst[1] = worst[1].max(becomes(None).await?);
        }
        shown.push(format!("{what} {:?}, gone {:?}", worst[0], worst[1]));
    }
    println!("an idle printer at 9600 baud, the worst of 5 (wanted: within 2 s): {}", shown.join("; "));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    first_bytes().await?;
    for baud in [9600, 19200, 115_200] {
        line(baud).await?;
    }
    notices().await
}
