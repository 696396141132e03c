//! `tilld devices`: what is plugged in, a test of one device, and what a device can do.
//!
//! A running daemon holds the devices. Then nothing is taken from it: `list` goes on, because it opens nothing; `test` and `probe`
//! say that it runs, and how it says the printer is.
//!
//! A scan may be the code of a voucher, so it is shown masked unless `--show` is given (law L11).

mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tilld_devices::PrinterPort;
use tilld_devices::plugged::{Input, Plugged, Seems, SerialPort, Usb, UsbAddress, UsbPrinter};
use tilld_devices::port::serial::SerialLine;
use tilld_devices::port::usb::identity_of;
use tilld_devices::printer::JobOutcome;
use tilld_devices::profile::Profile;
use tilld_devices::scanner::framing::Framing;
use tilld_devices::scanner::input::may_be_taken;
use tilld_devices::scanner::layout::Layout;
use tilld_devices::scanner::serial::{DataBits, Parity};
use tilld_devices::scanner::{Presence, Scanner};
use tilld_receipts::test_slip::test_slip;
use tokio::sync::mpsc;

use crate::beside::{Beside, look};
use crate::command::{ConfigFile, Failure, say};
use crate::config::{Config, PrinterConfig, ScannerConfig, ScannerPort};
use crate::daemon;
use crate::table::table;

use words::{ability, next, proof_text, reach, scan_text, status};
pub(crate) use words::{answers, presence_text, printer_next, trouble};

/// What can be asked about devices.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// Show what is plugged in, what to write into the configuration for it, and whether what is configured is there
    List(Listing),
    /// Print a test slip on a configured printer, or wait for what a configured scanner reads
    Test(Testing),
    /// Ask a printer that need not be configured what it can answer, or wait for what a scanner sends
    Probe(Probing),
}

/// `devices list`.
#[derive(Debug, Args)]
pub struct Listing {
    #[command(flatten)]
    config: ConfigFile,
    /// Answer as JSON, for machines
    #[arg(long)]
    json: bool,
}

/// `devices test`.
#[derive(Debug, Args)]
pub struct Testing {
    #[command(flatten)]
    config: ConfigFile,
    /// The device's name in the configuration: `slip` for the printer, or a scanner's
    name: String,
    /// Open the drawer too
    #[arg(long)]
    drawer: bool,
    #[command(flatten)]
    waiting: Waiting,
}

/// How a scanner is listened to.
#[derive(Debug, Clone, Copy, Args)]
struct Waiting {
    /// How long a scanner is listened to, in seconds
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Show what was scanned in full; without it the code of a voucher stays hidden
    #[arg(long)]
    show: bool,
}

/// `devices probe`.
#[derive(Debug, Args)]
pub struct Probing {
    #[command(flatten)]
    config: ConfigFile,
    /// What it hangs on: `192.168.1.50:9100`, `/dev/usb/lp0`, a serial port, or an input device by `usb:…`, `name:…` or its link
    path: String,
    /// It is a scanner on a serial port
    #[arg(long)]
    scanner: bool,
    /// Bits a second of a serial port
    #[arg(long, value_name = "BAUD", default_value_t = 9600)]
    baud: u32,
    /// The keyboard that a scanner that types was set to: us, de, fr
    #[arg(long, value_name = "NAME", default_value = "us")]
    layout: String,
    /// Also send a printer what very old ones print as text: who it is, and whether it answers process ids
    #[arg(long)]
    thorough: bool,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(command: DevicesCommand) -> Result<(), Failure> {
    match command {
        DevicesCommand::List(listing) => list(&listing),
        DevicesCommand::Test(testing) => test(&testing).await,
        DevicesCommand::Probe(probing) => probe(&probing).await,
    }
}

// --- list

fn list(listing: &Listing) -> Result<(), Failure> {
    let plugged = Plugged::here();
    let found = [
        plugged.usb_printers().iter().map(printer_row).collect::<Vec<_>>(),
        plugged.serial_ports().iter().map(serial_row).collect(),
        plugged.inputs().iter().filter(|input| input.seems != Seems::Neither).map(input_row).collect(),
    ]
    .concat();
    let config = listing.config.load();
    let configured = config.as_ref().map(|config| configured_rows(config, &plugged)).unwrap_or_default();
    if listing.json {
        let found: Vec<Value> = found
            .iter()
            .map(|[kind, device, address, says]| json!({ "kind": kind, "device": device, "address": address, "says": says }))
            .collect();
        let configured: Vec<Value> = configured
            .iter()
            .map(|[name, kind, address, now]| json!({ "name": name, "kind": kind, "address": address, "now": now }))
            .collect();
        return say(&json!({ "plugged_in": found, "configured": configured }).to_string());
    }
    if found.is_empty() {
        say("nothing is plugged in: no USB printer, no serial port, no keyboard or scanner")?;
    } else {
        say(&table(["plugged in", "device", "for the configuration", "says"], &found))?;
    }
    match &config {
        Ok(_) => say(&format!("\n{}", table(["configured", "kind", "address", "now"], &configured))),
        Err(_) => say(&format!(
            "\nnothing is configured: {} is not there or not right (`tilld doctor` says more)",
            listing.config.config.display()
        )),
    }
}

fn printer_row(printer: &UsbPrinter) -> [String; 4] {
    let path = printer.path.display().to_string();
    // As `printer.usb` is written: by what stays over a replug.
    let identity = identity_of(printer);
    let parts = [("model", &identity.model), ("serial", &identity.serial)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} = {value:?}")))
        .collect();
    let address = if parts.is_empty() { path.clone() } else { format!("usb = {{ {} }}", parts.join(", ")) };
    ["printer".to_owned(), path, address, printer_name(printer)]
}

/// What a USB printer calls itself.
pub(crate) fn printer_name(printer: &UsbPrinter) -> String {
    let words: Vec<&str> = [&["MFG", "MANUFACTURER"][..], &["MDL", "MODEL"]]
        .iter()
        .filter_map(|keys| printer.field(keys))
        .collect();
    match (words.is_empty(), &printer.usb) {
        (false, _) => words.join(" "),
        (true, Some(usb)) if !usb.name.is_empty() => usb.name.clone(),
        _ => printer.path.display().to_string(),
    }
}

fn serial_row(port: &SerialPort) -> [String; 4] {
    let own = |path: &PathBuf| path.display().to_string();
    let address = port.by_id.as_ref().map(own).or_else(|| port.usb.as_ref().map(usb_address));
    [
        "serial port".to_owned(),
        own(&port.path),
        address.unwrap_or_else(|| own(&port.path)),
        port.usb.as_ref().map(|usb| usb.name.clone()).unwrap_or_default(),
    ]
}

fn input_row(input: &Input) -> [String; 4] {
    let kind = if input.seems == Seems::Scanner { "scanner" } else { "keyboard" };
    let address = match (&input.by_id, input.ids, input.seems) {
        (_, (1.., _), Seems::Scanner) => {
            UsbAddress { vendor: input.ids.0, product: input.ids.1, serial: input.serial.clone() }.to_string()
        }
        (Some(link), ..) => link.display().to_string(),
        (None, ..) => format!("name:{}", input.name),
    };
    [kind.to_owned(), input.path.display().to_string(), address, input.name.clone()]
}

fn usb_address(usb: &Usb) -> String {
    UsbAddress { vendor: usb.vendor, product: usb.product, serial: usb.serial.clone() }.to_string()
}

fn configured_rows(config: &Config, plugged: &Plugged) -> Vec<[String; 4]> {
    let mut rows = vec![configured_printer(daemon::SLIP, &config.printer.port, plugged)];
    rows.extend(
        config.spare_printer.iter().map(|spare| configured_printer(daemon::SPARE, &spare.port, plugged)),
    );
    let scanners = config.scanners.iter().map(|scanner| {
        let now = match scanner_now(scanner, plugged) {
            Ok(path) => format!("there: {}", path.display()),
            Err(Presence::Absent) => "not there".to_owned(),
            Err(presence) => presence_text(presence),
        };
        [scanner.name.clone(), "scanner".to_owned(), self::address(scanner), now]
    });
    rows.extend(scanners);
    rows
}

fn configured_printer(name: &str, port: &PrinterPort, plugged: &Plugged) -> [String; 4] {
    let there = |there: bool| if there { "there" } else { "not there" }.to_owned();
    let (address, now) = match port {
        PrinterPort::Network(address) => (address.clone(), "`tilld doctor` asks it".to_owned()),
        PrinterPort::Serial(line) => (line.device.to_string(), there(plugged.serial(&line.device).is_ok())),
        PrinterPort::Usb(port) => (format!("USB {}", port.wanted), there(port.find_on(plugged).is_ok())),
        PrinterPort::File(path) => (path.display().to_string(), there(path.exists())),
    };
    [name.to_owned(), "printer".to_owned(), address, now]
}

/// By what a scanner is found.
pub(crate) fn address(scanner: &ScannerConfig) -> String {
    match &scanner.port {
        ScannerPort::Serial { address, .. } => address.to_string(),
        ScannerPort::Input { address, .. } => address.to_string(),
    }
}

/// The device file of a scanner now, or why it would not be read. Opens nothing.
pub(crate) fn scanner_now(scanner: &ScannerConfig, plugged: &Plugged) -> Result<PathBuf, Presence> {
    let path = match &scanner.port {
        ScannerPort::Serial { address, .. } => plugged.serial(address)?,
        ScannerPort::Input { address, .. } => {
            let input = plugged.input(address)?;
            if !may_be_taken(&input, address) {
                return Err(Presence::Keyboard);
            }
            input.path
        }
    };
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    rustix::fs::access(&path, access).map_err(|_| Presence::Forbidden)?;
    Ok(path)
}

// --- test and probe

async fn test(testing: &Testing) -> Result<(), Failure> {
    let config = testing.config.load()?;
    let scanner = config.scanners.iter().find(|scanner| scanner.name == testing.name);
    let spare = config.spare_printer.as_ref().filter(|_| testing.name == daemon::SPARE);
    let (name, settings) = match spare {
        Some(spare) => (daemon::SPARE, spare),
        None => (daemon::SLIP, &config.printer),
    };
    if scanner.is_none() && name != testing.name {
        let spare = config.spare_printer.as_ref().map(|_| daemon::SPARE);
        let scanners = config.scanners.iter().map(|scanner| scanner.name.as_str());
        let names: Vec<&str> = std::iter::once(daemon::SLIP).chain(spare).chain(scanners).collect();
        return Err(Failure::Usage(format!(
            "no device is called {}; there are: {}",
            testing.name,
            names.join(", ")
        )));
    }
    unless_the_daemon_runs(&config).await?;
    if let Some(scanner) = scanner {
        return listen(daemon::scanner(scanner), testing.waiting).await;
    }
    // Only now: its line is opened at once, and beside the daemon's jobs nothing may be sent.
    let printer = daemon::printer(name, settings, None);
    let drawer = testing.drawer.then_some(settings.profile.drawer);
    let slip = test_slip(printer.name(), Some(&settings.profile.name), printer.paper(), drawer);
    match printer.print(&slip).await {
        JobOutcome::Printed { proof, replaced } => {
            say(&format!("printed: {}", proof_text(proof)))?;
            if replaced > 0 {
                say(&format!("{replaced} characters are not in the printer's tables and were replaced"))?;
            }
            Ok(())
        }
        JobOutcome::NothingPrinted(fault) => {
            say("nothing printed")?;
            Err(Failure::Other(anyhow!(next(fault))))
        }
        JobOutcome::Unknown { fault, bytes_sent } => {
            say(&format!(
                "unknown: {bytes_sent} bytes were sent, and nothing proves that they are on paper. Look at \
                     the paper."
            ))?;
            Err(Failure::Other(anyhow!(next(fault))))
        }
    }
}

async fn probe(probing: &Probing) -> Result<(), Failure> {
    if let Ok(config) = probing.config.load() {
        unless_the_daemon_runs(&config).await?;
    }
    match probed_scanner(probing)? {
        Some(scanner) => listen(daemon::scanner(&scanner), probing.waiting).await,
        None => probe_printer(probing).await,
    }
}

/// The scanner that a command line means; none if it means a printer.
fn probed_scanner(probing: &Probing) -> Result<Option<ScannerConfig>, Failure> {
    let path = probing.path.as_str();
    let wrong = |why: &dyn std::fmt::Display| Failure::Usage(format!("{path}: {why}"));
    let port = if probing.scanner {
        // Somebody sits in front of it and names what is plugged in now, so a number will do.
        let address = if path.starts_with('/') {
            tilld_devices::plugged::SerialAddress::Path(PathBuf::from(path))
        } else {
            path.parse().map_err(|error| wrong(&error))?
        };
        ScannerPort::Serial { address, baud: probing.baud, parity: Parity::None, data_bits: DataBits::Eight }
    } else if path.starts_with("/dev/input/")
        || ["usb:", "name:", "phys:"].iter().any(|prefix| path.starts_with(prefix))
    {
        let layout = Layout::named(&probing.layout).ok_or_else(|| {
            Failure::Usage(format!("the keyboard {} is not known; known are: us, de, fr", probing.layout))
        })?;
        let address = if path.starts_with('/') {
            tilld_devices::plugged::InputAddress::Path(PathBuf::from(path))
        } else {
            path.parse().map_err(|error| wrong(&error))?
        };
        ScannerPort::Input { address, layout }
    } else {
        return Ok(None);
    };
    Ok(Some(ScannerConfig { name: "scanner".to_owned(), port, framing: Framing::default() }))
}

async fn probe_printer(probing: &Probing) -> Result<(), Failure> {
    let path = &probing.path;
    let port = if path.starts_with("/dev/tty") || path.starts_with("/dev/serial/") {
        // Somebody sits in front of it and names what is plugged in now, so a number will do.
        let device = tilld_devices::plugged::SerialAddress::Path(PathBuf::from(path));
        PrinterPort::Serial(SerialLine::new(device, probing.baud))
    } else if path.starts_with('/') {
        if !std::path::Path::new(path).exists() {
            return Err(Failure::Other(anyhow!(
                "{path} is not there; `tilld devices list` shows what is plugged in"
            )));
        }
        PrinterPort::File(PathBuf::from(path))
    } else if path
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    {
        PrinterPort::Network(path.clone())
    } else {
        return Err(Failure::Usage(format!(
            "{path}: wanted: host and port, a path below /dev, or usb:…, name:… or phys:… for a scanner \
                 that types"
        )));
    };
    let settings =
        PrinterConfig { port, profile: Profile::epson(), patience: tilld_devices::Patience::default() };
    let printer = daemon::printer("probed", &settings, None);
    let probed = printer.probe(probing.thorough).await;
    let rows = [
        ["line".to_owned(), reach(probed.reach).to_owned()],
        [
            "identity".to_owned(),
            probed.identity.as_ref().map_or_else(|| "not told".to_owned(), ToString::to_string),
        ],
        ["real-time status (DLE EOT)".to_owned(), ability(probed.real_time).to_owned()],
        ["queued status (GS r)".to_owned(), ability(probed.queued).to_owned()],
        ["process ids (GS ( H)".to_owned(), ability(probed.process_id).to_owned()],
        ["automatic status (GS a)".to_owned(), ability(probed.automatic).to_owned()],
        ["now".to_owned(), status(&probed)],
    ];
    say(&table(["what", "found"], &rows))?;
    match trouble(&probed) {
        Some(trouble) => Err(Failure::Other(anyhow!(trouble))),
        None => Ok(()),
    }
}

/// A command takes no device away from the daemon.
async fn unless_the_daemon_runs(config: &Config) -> Result<(), Failure> {
    let health = match look(config).await {
        Beside::Nobody => return Ok(()),
        Beside::Daemon(health) => health,
        Beside::Stranger(why) => {
            return Err(Failure::Other(anyhow!(
                "something runs on {}, and whether it holds the devices cannot be told: {why}. Stop the daemon first, or \
                 run this as its user: `systemctl stop tilld`",
                config.api.listen
            )));
        }
    };
    let printer = match health.pointer("/printer/fault") {
        Some(Value::String(fault)) => printer_next(fault),
        Some(_) => "Its printer has no fault.".to_owned(),
        None => "Its printer cannot be asked.".to_owned(),
    };
    Err(Failure::Other(anyhow!(
        "the daemon runs on {} and holds the devices. {printer} What its scanners read comes on GET \
             /v1/events. To try a device here, stop it first: `systemctl stop tilld`",
        config.api.listen
    )))
}

/// Waits for what a scanner reads.
async fn listen(scanner: Arc<dyn Scanner>, waiting: Waiting) -> Result<(), Failure> {
    let (sender, mut scans) = mpsc::channel(tilld_devices::scanner::HELD);
    let mut condition = scanner.condition();
    let reader = Arc::clone(&scanner);
    let reading = tokio::spawn(async move { reader.read(sender).await });
    say(&format!("{}: scan something now; waiting {} s", scanner.name(), waiting.seconds))?;
    let end = tokio::time::sleep(Duration::from_secs(waiting.seconds));
    tokio::pin!(end);
    let (mut read, mut dropped) = (0_u64, 0_u64);
    loop {
        tokio::select! {
            () = &mut end => break,
            Some(scan) = scans.recv() => {
                read = read.saturating_add(1);
                say(&scan_text(&scan, waiting.show))?;
            }
            Ok(()) = condition.changed() => {
                let now = *condition.borrow_and_update();
                if now.dropped.all() > dropped {
                    dropped = now.dropped.all();
                    say(&format!("dropped: {:?}", now.dropped))?;
                }
            }
            else => break,
        }
    }
    reading.abort();
    let now = *condition.borrow();
    if read > 0 {
        return Ok(());
    }
    Err(Failure::Other(anyhow!(match now.presence {
        Presence::Ready if dropped > 0 =>
            "it reads, but nothing that is a scan: see that suffix, prefix, baud or layout are as the \
                 scanner was set"
                .to_owned(),
        Presence::Ready => "nothing came. On a serial port: is it the right one, and the scanner set to \
             it?"
        .to_owned(),
        presence => presence_text(presence),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usb_printer_is_listed_as_it_is_written_into_the_configuration() {
        let printer = |identity: Option<&str>| UsbPrinter {
            path: PathBuf::from("/dev/usb/lp3"),
            identity: identity.map(str::to_owned),
            usb: None,
        };
        let row = printer_row(&printer(Some("MFG:EPSON;MDL:TM-T20III;SN:583357;")));
        let address = r#"usb = { model = "TM-T20III", serial = "583357" }"#;
        assert_eq!(row, ["printer", "/dev/usb/lp3", address, "EPSON TM-T20III"]);
        assert_eq!(printer_row(&printer(None))[2], "/dev/usb/lp3");
    }
}
