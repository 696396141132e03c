//! By what a configuration names a device, so that it is found again on another socket or after a power cut.
//!
//! | written | finds |
//! |---|---|
//! | `/dev/serial/by-id/…`, `/dev/input/by-id/…`, `/dev/ttyS0` | what this path is now |
//! | `usb:0c2e:0caa` | the device with this USB vendor and product |
//! | `usb:0c2e:0caa:12345` | the same with this serial number |
//! | `name:Honeywell 1470g` | the input device that calls itself exactly so |
//! | `phys:usb-0000:00:14.0-2/input0` | the input device on this socket |
//!
//! Refused: numbers that change with the order of plugging (`/dev/ttyUSB0`, `/dev/ttyACM0`, `/dev/input/event3`). What fits
//! more than one device finds none: the wrong keyboard would go dead.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Input, Usb, numbered};

/// The longest address, in bytes.
const LONGEST: usize = 256;

/// A USB device by its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbAddress {
    /// The vendor.
    pub vendor: u16,
    /// The product.
    pub product: u16,
    /// The serial number, where two of a kind are plugged in.
    pub serial: Option<String>,
}

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialAddress {
    /// By a path that stays.
    Path(PathBuf),
    /// By the numbers of its adapter.
    Usb(UsbAddress),
}

/// An input device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputAddress {
    /// By a path that stays.
    Path(PathBuf),
    /// By its USB numbers.
    Usb(UsbAddress),
    /// By what it calls itself, to the letter.
    Name(String),
    /// By where it is plugged in.
    Place(String),
}

/// Why nothing is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// Nothing with this address is plugged in.
    Absent,
    /// So many are.
    Several(usize),
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAddress {
    /// A number that changes.
    Number,
    /// Nothing that is known.
    Unknown,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Number => {
                "this number changes with the order of plugging; `tilld devices list` shows what stays"
            }
            Self::Unknown => "it names no device",
        })
    }
}

impl std::error::Error for NoAddress {}

impl UsbAddress {
    /// Whether a device has this address.
    pub fn is(&self, usb: &Usb) -> bool {
        self.fits(usb.vendor, usb.product, usb.serial.as_deref())
    }

    pub(super) fn is_input(&self, input: &Input) -> bool {
        self.fits(input.ids.0, input.ids.1, input.serial.as_deref())
    }

    fn fits(&self, vendor: u16, product: u16, serial: Option<&str>) -> bool {
        let serial_fits = self.serial.as_deref().is_none_or(|wanted| serial == Some(wanted));
        (self.vendor, self.product) == (vendor, product) && serial_fits
    }

    /// What stands behind `usb:`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let mut number = || {
            let digits = parts.next().filter(|digits| digits.len() == 4)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u16::from_str_radix(digits, 16).ok())?
        };
        let (vendor, product) = (number()?, number()?);
        let serial = parts.next().map(str::to_owned);
        serial.as_ref().is_none_or(|serial| !serial.is_empty()).then_some(Self { vendor, product, serial })
    }
}

impl FromStr for UsbAddress {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        bounded(text)?.strip_prefix("usb:").and_then(Self::parse).ok_or(NoAddress::Unknown)
    }
}

impl FromStr for SerialAddress {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('/') {
            return path(bounded(text)?, &["ttyUSB", "ttyACM"]).map(Self::Path);
        }
        text.parse().map(Self::Usb)
    }
}

impl FromStr for InputAddress {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match bounded(text)?.split_once(':') {
            _ if text.starts_with('/') => path(text, &["event"]).map(Self::Path),
            Some(("name", name)) if !name.is_empty() => Ok(Self::Name(name.to_owned())),
            Some(("phys", place)) if !place.is_empty() => Ok(Self::Place(place.to_owned())),
            _ => text.parse().map(Self::Usb),
        }
    }
}

impl InputAddress {
    /// Whether it means one device and no other of its kind: then it may also be something that looks like a keyboard.
    pub fn is_explicit(&self) -> bool {
        match self {
            Self::Path(_) | Self::Name(_) => true,
            Self::Usb(usb) => usb.serial.is_some(),
            Self::Place(_) => false,
        }
    }
}

impl fmt::Display for UsbAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "usb:{:04x}:{:04x}", self.vendor, self.product)?;
        self.serial.iter().try_for_each(|serial| write!(out, ":{serial}"))
    }
}

impl fmt::Display for SerialAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(out),
            Self::Usb(usb) => usb.fmt(out),
        }
    }
}

impl fmt::Display for InputAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(out),
            Self::Usb(usb) => usb.fmt(out),
            Self::Name(name) => write!(out, "name:{name}"),
            Self::Place(place) => write!(out, "phys:{place}"),
        }
    }
}

fn bounded(text: &str) -> Result<&str, NoAddress> {
    let fits = text.len() <= LONGEST && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or(NoAddress::Unknown)
}

fn path(text: &str, changing: &[&str]) -> Result<PathBuf, NoAddress> {
    let path = Path::new(text);
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(NoAddress::Unknown)?;
    if changing.iter().any(|prefix| numbered(name, prefix)) {
        return Err(NoAddress::Number);
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_shown_and_a_number_of_the_day_is_refused() {
        for (text, serial, input) in [
            ("/dev/serial/by-id/usb-Honeywell_1900_S1-if00", Ok(()), Ok(())),
            ("/dev/ttyS0", Ok(()), Ok(())),
            ("/dev/ttyUSB0", Err(NoAddress::Number), Ok(())),
            ("/dev/ttyACM12", Err(NoAddress::Number), Ok(())),
            ("/dev/input/event3", Ok(()), Err(NoAddress::Number)),
            ("/dev/input/by-id/usb-Honeywell_1470g-event-kbd", Ok(()), Ok(())),
            ("usb:0c2e:0caa", Ok(()), Ok(())),
            ("usb:0c2e:0caa:S/N:1", Ok(()), Ok(())),
            ("usb:0c2e:0caa:", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("usb:c2e:0caa", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("usb:+c2e:0caa", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("usb:0c2e", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("name:SM-2D: PRODUCT", Err(NoAddress::Unknown), Ok(())),
            ("name:", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("phys:usb-0000:00:14.0-2/input0", Err(NoAddress::Unknown), Ok(())),
            ("event3", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
            ("name:\u{1b}[2J", Err(NoAddress::Unknown), Err(NoAddress::Unknown)),
        ] {
            let as_serial =
                text.parse::<SerialAddress>().map(|address| assert_eq!(address.to_string(), text));
            let as_input = text.parse::<InputAddress>().map(|address| assert_eq!(address.to_string(), text));
            assert_eq!((as_serial, as_input), (serial, input), "{text}");
        }
        assert!(format!("name:{}", "x".repeat(LONGEST)).parse::<InputAddress>().is_err());
    }
}
