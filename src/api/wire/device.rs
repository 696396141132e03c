//! A device beside the till, as a screen sees it.

use serde::Serialize;
use tilld_counter::{Counter, DeviceNow, Presence, PrinterNow, ScannerNow};
use tilld_domain::device::{Condition, Device as Known};
use tilld_domain::moment::Moment;
use tilld_domain::printing;
use utoipa::ToSchema;

use super::{Fault, instant};

/// A device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    /// Its name in the configuration.
    #[schema(example = "printer")]
    name: String,
    /// What it is.
    kind: DeviceKind,
    /// Whether it is there, as far as is known: false if it cannot be reached, or not read.
    there: bool,
    /// Of a scanner: whether it can be read. No event tells when that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Connection>,
    /// What hinders it; null if nothing does, as far as is known.
    fault: Option<Fault>,
    /// The roll is near its end.
    paper_low: bool,
    /// What to do about it, in a sentence for whoever stands beside it; null if nothing has to be done.
    #[schema(example = "Paper out. Insert paper.")]
    text: Option<&'static str>,
    /// Since when it is so (RFC 3339, UTC): when that was written into the journal; null if nothing was ever written about
    /// it, or not yet.
    #[schema(format = "date-time")]
    since: Option<String>,
    /// The journal's number of that entry, also the `id:` of its event; null likewise.
    seq: Option<u64>,
    /// Whether it has been heard of since the start. A printer that cannot be asked is known by what it prints.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<bool>,
    /// The level of the drawer's sensor, where it is reported; which level means open depends on the drawer. It is shown as
    /// it is, and no event tells when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawer_pin_high: Option<bool>,
}

/// What a device is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeviceKind {
    /// It prints slips.
    Printer,
    /// It reads codes.
    Scanner,
}

/// Whether a scanner can be read.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Connection {
    /// Nobody has looked yet.
    Unknown,
    /// It is read.
    Connected,
    /// It is not plugged in.
    NotFound,
    /// Several devices have its address.
    Several,
    /// It looks like the cashier's keyboard, and is left alone.
    Keyboard,
    /// A key of it is down.
    KeyDown,
    /// The daemon may not open it.
    Forbidden,
    /// Another program has it.
    Taken,
    /// It cannot be opened.
    Broken,
}

impl Connection {
    fn of(presence: Presence) -> Self {
        match presence {
            Presence::Unknown => Self::Unknown,
            Presence::Ready => Self::Connected,
            Presence::Absent => Self::NotFound,
            Presence::Several(_) => Self::Several,
            Presence::Keyboard => Self::Keyboard,
            Presence::KeyDown => Self::KeyDown,
            Presence::Forbidden => Self::Forbidden,
            Presence::Taken => Self::Taken,
            Presence::Broken => Self::Broken,
        }
    }

    /// For whoever stands beside it. What only the machine's configuration can mend is the manager's.
    const fn what_to_do(self) -> Option<&'static str> {
        match self {
            Self::Unknown | Self::Connected => None,
            Self::NotFound => Some("The scanner is not plugged in. Plug it in."),
            Self::Several => {
                Some("Several devices could be this scanner. Plug the others out, or call the manager.")
            }
            Self::Keyboard => Some("The scanner looks like a keyboard and is not read. Call the manager."),
            Self::KeyDown => Some("A key of the scanner is down. Let it go."),
            Self::Forbidden => Some("The scanner may not be read. Call the manager."),
            Self::Taken => Some("Another program has the scanner. Close that."),
            Self::Broken => Some("The scanner cannot be read. Plug it out and in."),
        }
    }
}

/// All devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Devices {
    /// The printers, then the scanners.
    devices: Vec<Device>,
}

impl Devices {
    pub(crate) async fn of(counter: &Counter) -> Self {
        let printers = counter.printers().await.into_iter().map(Device::from);
        Self { devices: printers.chain(counter.scanners().into_iter().map(Device::from)).collect() }
    }

    pub(crate) fn into_inner(self) -> Vec<Device> {
        self.devices
    }
}

impl Device {
    fn of(known: &Known, noted: Option<(u64, Moment)>) -> Self {
        let Known { name, condition } = known;
        let Condition { fault, paper_low } = *condition;
        Self {
            name: name.to_string(),
            kind: DeviceKind::Printer,
            there: fault != Some(printing::Fault::Absent),
            connection: None,
            fault: fault.map(Fault::from),
            paper_low,
            text: condition.what_to_do(),
            since: noted.map(|(_, at)| instant(at)),
            seq: noted.map(|(seq, _)| seq),
            known: None,
            drawer_pin_high: None,
        }
    }
}

impl From<&DeviceNow> for Device {
    fn from(now: &DeviceNow) -> Self {
        Self::of(&now.device, Some((now.seq.number(), now.at)))
    }
}

impl From<PrinterNow> for Device {
    fn from(printer: PrinterNow) -> Self {
        Self {
            known: Some(printer.is_known),
            drawer_pin_high: printer.drawer_pin_high,
            ..Self::of(&printer.device, printer.noted.map(|(seq, at)| (seq.number(), at)))
        }
    }
}

impl From<ScannerNow> for Device {
    fn from(ScannerNow { name, presence }: ScannerNow) -> Self {
        let connection = Connection::of(presence);
        Self {
            name,
            kind: DeviceKind::Scanner,
            there: presence == Presence::Ready,
            connection: Some(connection),
            fault: None,
            paper_low: false,
            text: connection.what_to_do(),
            since: None,
            seq: None,
            known: Some(presence != Presence::Unknown),
            drawer_pin_high: None,
        }
    }
}
