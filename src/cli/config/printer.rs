//! The part of a configuration that names a printer, and a second one for when the first is out of paper:
//!
//! ```toml
//! printer       = { network = "192.168.1.50:9100", columns = 42 }
//! printer       = { serial = { path = "/dev/ttyS0", baud = 38400, flow = "rts_cts" }, profile = "tm-t88ii" }
//! printer       = { usb = { model = "TM-T20II" } }
//! spare_printer = { file = "/dev/usb/lp0", profile = "plain" }
//! ```
//!
//! A device is named by what stays over a replug. Speed, parity and flow control have to be the printer's own, so the speed has no
//! default: a wrong one prints garbage.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tilld_devices::font::Font;
use tilld_devices::plugged::SerialAddress;
use tilld_devices::port::serial::{Flow, Parity, SerialLine};
use tilld_devices::port::usb::UsbPort;
use tilld_devices::printer::Identity;
use tilld_devices::profile::Profile;
use tilld_devices::{Patience, PrinterPort};

use super::sheet::Sheet;
use super::shown;

/// A printer.
#[derive(Debug, Clone)]
pub struct PrinterConfig {
    /// What it hangs on.
    pub port: PrinterPort,
    /// Its kind, with the shop's own columns and font.
    pub profile: Profile,
    /// How long it may take.
    pub patience: Patience,
}

const ADDRESS: &str = "host and port, for example 192.168.1.50:9100";
const BAUD: &str = "the printer's own speed in bits a second, from 1200 to 4000000";

/// What a printer can hang on, in the order in which it is shown.
const PORTS: [&str; 4] = ["network", "serial", "usb", "file"];

/// Reads the printer that there must be.
pub(super) fn read(sheet: &mut Sheet) -> Option<PrinterConfig> {
    at(sheet, "printer")
}

/// Reads the one that takes slips when the other cannot; none if there is none.
pub(super) fn read_spare(sheet: &mut Sheet) -> Option<PrinterConfig> {
    if sheet.names_below("spare_printer").is_empty() {
        return None;
    }
    at(sheet, "spare_printer")
}

fn at(sheet: &mut Sheet, printer: &str) -> Option<PrinterConfig> {
    let port = port(sheet, printer);
    let profile = profile(sheet, printer);
    let patience = patience(sheet, printer);
    Some(PrinterConfig { port: port?, profile, patience })
}

/// The printer's kind: a family's, or one of the shop's own, with the shop's columns and font.
fn profile(sheet: &mut Sheet, printer: &str) -> Profile {
    let field = |name: &str| format!("{printer}.{name}");
    let family: Option<String> = sheet.optional(&field("profile"), "a printer family");
    let file: Option<PathBuf> = sheet.optional(&field("profile_file"), "the path of a profile of your own");
    let kind = match (family, &file) {
        (Some(_), Some(_)) => {
            sheet.note(
                &field("profile_file"),
                &format!("either {printer}.profile or {printer}.profile_file, not both"),
            );
            None
        }
        (None, Some(path)) => Profile::from_file(path)
            .map_err(|wrong| sheet.note(&field("profile_file"), &format!("{}: {wrong}", shown(path))))
            .ok(),
        (family, None) => Profile::named(family.as_deref().unwrap_or("epson"))
            .map_err(|unfit| sheet.note(&field("profile"), &unfit.to_string()))
            .ok(),
    };
    let kind = kind.unwrap_or_default();
    let kind = match sheet.columns(&field("columns")) {
        Some(columns) => kind.with_columns(columns),
        None => kind,
    };
    let font: Option<PathBuf> = sheet.optional(&field("font"), "the path of a TrueType or OpenType font");
    match font.map(|path| (Font::read(&path), path)) {
        Some((Ok(font), _)) => kind.with_font(font),
        Some((Err(why), path)) => {
            sheet.note(&field("font"), &format!("{} {why}", shown(&path)));
            kind
        }
        None => kind,
    }
}

fn port(sheet: &mut Sheet, printer: &str) -> Option<PrinterPort> {
    let network = network(sheet, printer);
    let serial = serial(sheet, printer);
    let usb = usb(sheet, printer);
    let file: Option<PathBuf> =
        sheet.optional(&format!("{printer}.file"), "a path, for example /dev/usb/lp0");
    let is_given = |sheet: &Sheet, port: &str| {
        let field = format!("{printer}.{port}");
        sheet.has(&field) || !sheet.names_below(&field).is_empty()
    };
    let given: Vec<&str> = PORTS.into_iter().filter(|port| is_given(sheet, port)).collect();
    match *given.as_slice() {
        [] => sheet.note(
            &format!("{printer}.network"),
            &format!(
                "host and port of a network printer; or {printer}.serial with path and baud, {printer}.usb with model or serial, or \
                 {printer}.file with a path"
            ),
        ),
        [_] => {}
        [first, other, ..] => {
            sheet.note(&format!("{printer}.{other}"), &format!("either {printer}.{first} or {printer}.{other}, not both"));
        }
    }
    network.or(serial).or(usb).or(file.map(PrinterPort::File)).filter(|_| given.len() == 1)
}

fn network(sheet: &mut Sheet, printer: &str) -> Option<PrinterPort> {
    let field = format!("{printer}.network");
    let address: String = sheet.optional(&field, ADDRESS)?;
    let port = address
        .rsplit_once(':')
        .and_then(|(host, port)| port.parse::<u16>().ok().filter(|port| *port > 0 && !host.is_empty()));
    if port.is_none() {
        sheet.note(&field, &format!("wanted: {ADDRESS}"));
    }
    Some(PrinterPort::Network(address))
}

fn serial(sheet: &mut Sheet, printer: &str) -> Option<PrinterPort> {
    let field = |name: &str| format!("{printer}.serial.{name}");
    if sheet.names_below(&format!("{printer}.serial")).is_empty() {
        return None;
    }
    let device: Option<SerialAddress> = sheet.required(
        &field("path"),
        "a device that stays the same over a replug, such as /dev/ttyS0, /dev/serial/by-id/…, or usb:0403:6001",
    );
    let baud: Option<u32> = sheet.required(&field("baud"), BAUD);
    if baud.is_some_and(|baud| !(1200..=4_000_000).contains(&baud)) {
        sheet.note(&field("baud"), &format!("wanted: {BAUD}"));
    }
    let parity = sheet.optional::<ParityWord>(&field("parity"), "none, even or odd").unwrap_or_default().0;
    let flow = sheet.optional::<FlowWord>(&field("flow"), "rts_cts, xon or none").unwrap_or_default().0;
    let data_bits = sheet.number(&field("data_bits"), 7, 8, 8);
    let stop_bits = sheet.number(&field("stop_bits"), 1, 2, 1);
    Some(PrinterPort::Serial(SerialLine {
        parity,
        flow,
        data_bits: u8::try_from(data_bits).unwrap_or(8),
        stop_bits: u8::try_from(stop_bits).unwrap_or(1),
        ..SerialLine::new(device?, baud?)
    }))
}

fn usb(sheet: &mut Sheet, printer: &str) -> Option<PrinterPort> {
    let mut part = |name: &str| {
        sheet.optional::<String>(
            &format!("{printer}.usb.{name}"),
            "what the printer says of itself; `tilld devices list` shows it",
        )
    };
    let wanted = Identity { maker: part("maker"), model: part("model"), serial: part("serial") };
    (wanted != Identity::default()).then(|| PrinterPort::Usb(UsbPort::new(wanted)))
}

/// `none`, `even` or `odd`.
#[derive(Default)]
struct ParityWord(Parity);

/// `rts_cts`, `xon` or `none`.
#[derive(Default)]
struct FlowWord(Flow);

struct NoSuchWord;

impl fmt::Display for NoSuchWord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("there is no such kind")
    }
}

impl FromStr for ParityWord {
    type Err = NoSuchWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(Parity::None)),
            "even" => Ok(Self(Parity::Even)),
            "odd" => Ok(Self(Parity::Odd)),
            _ => Err(NoSuchWord),
        }
    }
}

impl FromStr for FlowWord {
    type Err = NoSuchWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rts_cts" => Ok(Self(Flow::RtsCts)),
            "xon" => Ok(Self(Flow::Xon)),
            "none" => Ok(Self(Flow::None)),
            _ => Err(NoSuchWord),
        }
    }
}

/// Within what time the shop is promised to see what happens to a printer.
const NOTICED: Duration = Duration::from_secs(2);

/// How long a printer may take. What each time is for stands at [`Patience`]; the least is what a printer on the shop's own
/// network can keep to, the most is what a cashier can be asked to wait.
fn patience(sheet: &mut Sheet, printer: &str) -> Patience {
    let usual = Patience::default();
    let mut ms = |name: &str, least: u64, most: u64, usual: Duration| {
        let usual = u64::try_from(usual.as_millis()).unwrap_or(most);
        Duration::from_millis(sheet.number(&format!("{printer}.patience.{name}_ms"), least, most, usual))
    };
    let patience = Patience {
        // A printer on Wi-Fi that slept needs seconds; a name that must be looked up as well.
        connect: ms("connect", 50, 30_000, usual.connect),
        // Slow serial servers collect bytes before they send them on. Longer, and a change would be noticed too late.
        status: ms("status", 20, 1_950, usual.status),
        // A slip with a large picture behind a full buffer at 9600 baud.
        progress: ms("progress", 100, 60_000, usual.progress),
        // Shorter than a slip takes to print, every sale would end in a question; longer than two minutes, nobody stays.
        proof: ms("proof", 100, 120_000, usual.proof),
        poll: ms("poll", 20, 10_000, usual.poll),
        process_id_after: ms("process_id_after", 20, 30_000, usual.process_id_after),
        settle: ms("settle", 20, 30_000, usual.settle),
        owed: ms("owed", 10, 10_000, usual.owed),
        job: ms("job", 500, 300_000, usual.job),
        turn: ms("turn", 1_000, 3_600_000, usual.turn),
        // Slower, and a change would be noticed later than the shop is promised.
        beat: ms("beat", 50, 1_000, usual.beat),
        ..usual
    };
    if patience.beat.saturating_add(patience.status) > NOTICED {
        let noticed = NOTICED.as_millis();
        sheet.note(
            &format!("{printer}.patience.status_ms"),
            &format!(
                "wanted: with {printer}.patience.beat_ms at most {noticed} ms, in which what happens to a printer is to be noticed"
            ),
        );
    }
    if patience.job < patience.proof {
        sheet.note(
            &format!("{printer}.patience.job_ms"),
            &format!("wanted: at least {printer}.patience.proof_ms, which it would cut short"),
        );
    }
    patience
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::Config;
    use super::super::tests::{WHOLE, wrong};
    use super::*;

    fn with(printer: &str) -> String {
        WHOLE.replace("network = \"192.168.1.50:9100\", columns = 42", printer)
    }

    fn read(text: &str) -> Config {
        Config::parse(text, &HashMap::new()).unwrap_or_else(|wrong| panic!("{wrong:?}"))
    }

    #[test]
    fn a_printer_hangs_on_what_is_written() {
        let PrinterPort::Serial(line) =
            read(&with(r#"serial = { path = "/dev/ttyS0", baud = 38400, parity = "even", flow = "xon" }"#))
                .printer
                .port
        else {
            panic!("no serial line")
        };
        assert_eq!((line.baud, line.parity, line.flow), (38_400, Parity::Even, Flow::Xon));
        assert_eq!(
            (line.data_bits, line.stop_bits, line.device.to_string()),
            (8, 1, "/dev/ttyS0".to_owned())
        );
        let PrinterPort::Usb(usb) =
            read(&with(r#"usb = { model = "TM-T20II", serial = "J5KF" }"#)).printer.port
        else {
            panic!("no USB printer")
        };
        assert_eq!(usb.wanted.to_string(), "TM-T20II J5KF");
        let config =
            read(&format!("{WHOLE}spare_printer = {{ file = \"/dev/usb/lp0\", profile = \"plain\" }}\n"));
        let spare = config.spare_printer.unwrap();
        assert!(matches!(spare.port, PrinterPort::File(path) if path.as_os_str() == "/dev/usb/lp0"));
        assert_eq!((&*spare.profile.name, read(WHOLE).spare_printer.is_none()), ("plain", true));
    }

    #[test]
    fn what_is_wrong_with_a_port_is_said_with_its_line() {
        for (printer, why) in [
            (r#"serial = { path = "/dev/ttyS0" }"#, "missing: printer.serial.baud: the printer's own speed"),
            ("serial = { baud = 9600 }", "missing: printer.serial.path: a device that stays the same"),
            (
                r#"serial = { path = "/dev/ttyUSB0", baud = 9600 }"#,
                "line 4: printer.serial.path: \"/dev/ttyUSB0\" is not right: this number changes",
            ),
            (
                r#"serial = { path = "/dev/ttyS0", baud = 96 }"#,
                "line 4: printer.serial.baud: wanted: the printer's own",
            ),
            (
                r#"serial = { path = "/dev/ttyS0", baud = 9600, flow = "dtr" }"#,
                "line 4: printer.serial.flow: \"dtr\" is not right",
            ),
            (
                r#"serial = { path = "/dev/ttyS0", baud = 9600, bits = 8 }"#,
                "line 4: printer.serial.bits: there is no such field",
            ),
            (r#"usb = { name = "x" }"#, "line 4: printer.usb.name: there is no such field"),
            (
                r#"network = "a:1", usb = { model = "x" }"#,
                "line 4: printer.usb: either printer.network or printer.usb",
            ),
            (r#"network = "nowhere""#, "line 4: printer.network: wanted: host and port"),
            (
                "columns = 42",
                "missing: printer.network: host and port of a network printer; or printer.serial",
            ),
        ] {
            let lines = wrong(&with(printer));
            assert!(lines.iter().any(|found| found.starts_with(why)), "{printer}: {lines:?}");
        }
    }

    #[test]
    fn a_printer_is_waited_for_as_long_as_is_written() {
        let printer = |patience: &str| WHOLE.replace("columns = 42", &format!("patience = {{ {patience} }}"));
        let patience =
            |written: &str| Config::parse(&printer(written), &HashMap::new()).unwrap().printer.patience;
        assert_eq!(patience(""), Patience::default());
        assert_eq!(
            patience("status_ms = 1950, beat_ms = 50"),
            Patience {
                status: Duration::from_millis(1_950),
                beat: Duration::from_millis(50),
                ..Patience::default()
            }
        );
        assert_eq!(
            patience("proof_ms = 200, job_ms = 500"),
            Patience {
                proof: Duration::from_millis(200),
                job: Duration::from_millis(500),
                ..Patience::default()
            }
        );
        for (written, why) in [
            ("proof_ms = 99", "proof_ms: 99 is not right; wanted: a whole number from 100 to 120000"),
            ("beat_ms = 1001", "beat_ms: 1001 is not right; wanted: a whole number from 50 to 1000"),
            ("status_ms = 2001", "status_ms: 2001 is not right; wanted: a whole number from 20 to 1950"),
            ("status_ms = 1201", "status_ms: wanted: with printer.patience.beat_ms at most 2000 ms"),
            (
                "status_ms = 1001, beat_ms = 1000",
                "status_ms: wanted: with printer.patience.beat_ms at most 2000 ms",
            ),
            ("proof_ms = 20000, job_ms = 19999", "job_ms: wanted: at least printer.patience.proof_ms"),
        ] {
            let lines = wrong(&printer(written));
            let expected = format!("line 4: printer.patience.{why}");
            assert!(lines.iter().any(|found| found.starts_with(&expected)), "{lines:?}");
        }
    }
}
