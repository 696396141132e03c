//! The section `scanners`: what is scanned with, a line for each scanner, by a name of the operator's. It may be left out.
//!
//! ```toml
//! scanners.counter = { serial = "usb:0c2e:0caa" }                      # or "/dev/serial/by-id/…", "/dev/ttyS0"
//! scanners.hand    = { input = "usb:05e0:1200", layout = "de" }        # one that types: grabbed, so that it types nowhere else
//! scanners.old     = { serial = "/dev/ttyS1", baud = 9600, parity = "even", data_bits = 7, prefix = "stx", suffix = "etx" }
//! ```
//!
//! `tilld devices list` shows what to write for what is plugged in.

use std::str::FromStr;
use std::time::Duration;

use tilld_devices::plugged::{InputAddress, SerialAddress};
use tilld_devices::scanner::framing::{End, Framing, LONGEST_MARK};
use tilld_devices::scanner::layout::Layout;
use tilld_devices::scanner::serial::{DataBits, Parity};

use super::sheet::Sheet;

/// How many scanners a till may have.
const MOST: usize = 8;
/// The pause that ends a scan of a scanner that sends nothing at its end.
const PAUSE: u64 = 100;

/// A scanner.
#[derive(Debug, Clone)]
pub struct ScannerConfig {
    /// Its name, as the events of its scans carry it.
    pub name: String,
    /// What it hangs on.
    pub port: ScannerPort,
    /// How it frames what it reads.
    pub framing: Framing,
}

/// What a scanner hangs on.
#[derive(Debug, Clone)]
pub enum ScannerPort {
    /// A serial port, also a virtual one.
    Serial {
        /// By what it is found.
        address: SerialAddress,
        /// Bits a second.
        baud: u32,
        /// Its parity.
        parity: Parity,
        /// Seven bits or eight.
        data_bits: DataBits,
    },
    /// It types.
    Input {
        /// By what it is found.
        address: InputAddress,
        /// The keyboard that it was set to.
        layout: Layout,
    },
}

pub(super) fn read(sheet: &mut Sheet) -> Vec<ScannerConfig> {
    let names = sheet.names_below("scanners");
    if let Some(name) = names.get(MOST) {
        sheet.note(&format!("scanners.{name}"), &format!("at most {MOST} scanners"));
    }
    names.into_iter().filter_map(|name| scanner(sheet, name)).collect()
}

fn scanner(sheet: &mut Sheet, name: String) -> Option<ScannerConfig> {
    let field = |of: &str| format!("scanners.{name}.{of}");
    let is_name = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !is_name(&name) {
        sheet.note(&format!("scanners.{name}"), "a scanner's name has 1 to 32 letters, digits, - and _");
        return None;
    }
    let framing = framing(sheet, &field);
    let wanted = "\"usb:0c2e:0caa\" (vendor and product), \"/dev/serial/by-id/…\" or \"/dev/ttyS0\"";
    let serial: Option<SerialAddress> = sheet.optional(&field("serial"), wanted);
    let wanted = "\"usb:0c2e:0b61\" (vendor and product), \"name:…\", \"phys:…\" or \"/dev/input/by-id/…\"";
    let input: Option<InputAddress> = sheet.optional(&field("input"), wanted);
    let port = match (sheet.has(&field("serial")), sheet.has(&field("input"))) {
        (true, true) => {
            sheet.note(&field("input"), "either serial or input, not both");
            return None;
        }
        (false, false) => {
            let wanted = "what it hangs on: serial = \"usb:0c2e:0caa\", or input = \"usb:0c2e:0b61\" if it \
                 types; `tilld devices list` shows what is plugged in";
            sheet.note(&field("serial"), wanted);
            return None;
        }
        (true, false) => {
            let baud = sheet.number(&field("baud"), 300, 921_600, 9600);
            let parity = sheet.optional::<ParityWord>(&field("parity"), "none, even or odd");
            let seven = sheet.number(&field("data_bits"), 7, 8, 8) == 7;
            ScannerPort::Serial {
                address: serial?,
                baud: u32::try_from(baud).unwrap_or(9600),
                parity: parity.map_or(Parity::None, |word| word.0),
                data_bits: if seven { DataBits::Seven } else { DataBits::Eight },
            }
        }
        (false, true) => {
            let names: Vec<&str> = Layout::ALL.iter().map(|layout| layout.name).collect();
            let wanted = format!(
                "the keyboard that the scanner was set to: {} (as delivered mostly us)",
                names.join(", ")
            );
            let layout = sheet.required::<LayoutWord>(&field("layout"), &wanted);
            ScannerPort::Input { address: input?, layout: layout?.0 }
        }
    };
    Some(ScannerConfig { name, port, framing: framing? })
}

fn framing(sheet: &mut Sheet, field: &impl Fn(&str) -> String) -> Option<Framing> {
    let usual = Framing::default();
    let marks = format!("cr, lf, crlf, tab, stx, etx, or up to {LONGEST_MARK} characters");
    let (suffix, prefix) = (field("suffix"), field("prefix"));
    let end = sheet.optional::<EndWord>(
        &suffix,
        &format!("enter (CR, LF or both), none (a pause ends a scan), {marks}"),
    );
    let mark = sheet.optional::<Mark>(&prefix, &format!("what stands before every scan: {marks}"));
    if (sheet.has(&suffix) && end.is_none()) || (sheet.has(&prefix) && mark.is_none()) {
        return None;
    }
    let end = end.map_or(usual.end, |word| word.0);
    let pause = if end == End::Gap { PAUSE } else { u64::try_from(usual.gap.as_millis()).unwrap_or(PAUSE) };
    let gap = Duration::from_millis(sheet.number(&field("gap_ms"), 10, 5000, pause));
    Some(Framing { prefix: mark.map_or(usual.prefix, |mark| mark.0), end, gap })
}

/// `none`, `even` or `odd`.
struct ParityWord(Parity);

impl FromStr for ParityWord {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(Parity::None)),
            "even" => Ok(Self(Parity::Even)),
            "odd" => Ok(Self(Parity::Odd)),
            _ => Err("there is no such parity"),
        }
    }
}

/// A keyboard's name.
struct LayoutWord(Layout);

impl FromStr for LayoutWord {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Layout::named(text).map(Self).ok_or("this keyboard is not known")
    }
}

/// What a scanner adds to every scan.
struct Mark(Vec<u8>);

impl FromStr for Mark {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: &[u8] = match text {
            "cr" => b"\r",
            "lf" => b"\n",
            "crlf" => b"\r\n",
            "tab" => b"\t",
            "stx" => b"\x02",
            "etx" => b"\x03",
            _ => text.as_bytes(),
        };
        // Of digits alone it could be the end or the beginning of a code.
        if bytes.is_empty() || bytes.len() > LONGEST_MARK || bytes.iter().all(u8::is_ascii_digit) {
            return Err("that is nothing that a scanner adds");
        }
        Ok(Self(bytes.to_vec()))
    }
}

/// What ends a scan.
struct EndWord(End);

impl FromStr for EndWord {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "enter" => Ok(Self(End::Enter)),
            "none" => Ok(Self(End::Gap)),
            _ => text.parse().map(|Mark(mark)| Self(End::Mark(mark))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn sheet(text: &str) -> Sheet {
        Sheet::read(text, &HashMap::new()).unwrap_or_else(|wrong| panic!("{wrong:?}"))
    }

    #[test]
    fn a_line_is_a_scanner() {
        let mut sheet = sheet(
            "[scanners]\n\
             counter = { serial = \"usb:0c2e:0caa\" }\n\
             hand    = { input = \"name:USB Scanner\", layout = \"fr\", gap_ms = 1000 }\n\
             old     = { serial = \"/dev/ttyS1\", baud = 1200, parity = \"even\", data_bits = 7, prefix = \"stx\", suffix = \"etx\" }\n\
             plain   = { serial = \"/dev/serial/by-id/x\", suffix = \"none\" }\n",
        );
        let scanners = read(&mut sheet);
        assert!(sheet.finish().is_empty());
        let names: Vec<&str> = scanners.iter().map(|scanner| scanner.name.as_str()).collect();
        assert_eq!(names, ["counter", "hand", "old", "plain"]);
        assert_eq!(scanners[0].framing, Framing::default());
        assert!(matches!(
            scanners[0].port,
            ScannerPort::Serial { baud: 9600, parity: Parity::None, data_bits: DataBits::Eight, .. }
        ));
        assert!(matches!(scanners[1].port, ScannerPort::Input { layout: Layout::FR, .. }));
        assert_eq!(scanners[1].framing.gap, Duration::from_secs(1));
        assert!(matches!(
            scanners[2].port,
            ScannerPort::Serial { baud: 1200, parity: Parity::Even, data_bits: DataBits::Seven, .. }
        ));
        assert_eq!(
            (scanners[2].framing.prefix.as_slice(), &scanners[2].framing.end),
            (&[2][..], &End::Mark(vec![3]))
        );
        assert_eq!(
            (&scanners[3].framing.end, scanners[3].framing.gap),
            (&End::Gap, Duration::from_millis(100))
        );
    }

    #[test]
    fn what_is_wrong_with_a_scanner_is_named_with_its_line() {
        for (line, expected) in [
            (
                "x = { serial = \"/dev/ttyUSB0\" }",
                "line 2: scanners.x.serial: \"/dev/ttyUSB0\" is not right: this number changes with the \
                     order of plugging",
            ),
            (
                "x = { input = \"/dev/input/event3\", layout = \"us\" }",
                "line 2: scanners.x.input: \"/dev/input/event3\" is not right: this number changes",
            ),
            (
                "x = { serial = \"COM1\" }",
                "line 2: scanners.x.serial: \"COM1\" is not right: it names no device; wanted: \"usb:",
            ),
            (
                "x = { input = \"usb:0c2e:0b61\" }",
                "missing: scanners.x.layout: the keyboard that the scanner was set to: us, de, fr",
            ),
            (
                "x = { input = \"usb:0c2e:0b61\", layout = \"it\" }",
                "line 2: scanners.x.layout: \"it\" is not right: this keyboard is not known",
            ),
            (
                "x = { serial = \"/dev/ttyS0\", input = \"name:x\" }",
                "line 2: scanners.x.input: either serial or input, not both",
            ),
            ("x = { suffix = \"cr\" }", "missing: scanners.x.serial: what it hangs on"),
            (
                "x = { serial = \"/dev/ttyS0\", suffix = \"12\" }",
                "line 2: scanners.x.suffix: \"12\" is not right",
            ),
            (
                "x = { serial = \"/dev/ttyS0\", prefix = \"\" }",
                "line 2: scanners.x.prefix: \"\" is not right",
            ),
            ("x = { serial = \"/dev/ttyS0\", gap_ms = 5 }", "line 2: scanners.x.gap_ms: 5 is not right"),
            (
                "x = { serial = \"/dev/ttyS0\", layout = \"de\" }",
                "line 2: scanners.x.layout: there is no such field",
            ),
            ("\"x y\" = { serial = \"/dev/ttyS0\" }", "line 2: scanners.x y: a scanner's name has"),
        ] {
            let mut sheet = sheet(&format!("[scanners]\n{line}\n"));
            read(&mut sheet);
            let wrong: Vec<String> = sheet.finish().iter().map(ToString::to_string).collect();
            assert!(wrong.iter().any(|wrong| wrong.starts_with(expected)), "{line}: {wrong:?}");
        }
        let lines: Vec<String> =
            (0..9).map(|number| format!("s{number} = {{ serial = \"/dev/ttyS0\" }}\n")).collect();
        let many = lines.concat();
        let mut sheet = sheet(&format!("[scanners]\n{many}"));
        read(&mut sheet);
        assert_eq!(sheet.finish()[0].to_string(), "line 10: scanners.s8: at most 8 scanners");
    }
}
