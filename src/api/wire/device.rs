//! A device beside the till, as a screen sees it.

use serde::Serialize;
use tilld_counter::{DeviceNow, PrinterNow};
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
    /// Whether it is there, as far as is known: false if it cannot be reached.
    there: bool,
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
}

/// All devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Devices {
    /// The printers.
    devices: Vec<Device>,
}

impl Device {
    fn of(known: &Known, noted: Option<(u64, Moment)>) -> Self {
        let Known { name, condition } = known;
        let Condition { fault, paper_low } = *condition;
        Self {
            name: name.to_string(),
            kind: DeviceKind::Printer,
            there: fault != Some(printing::Fault::Absent),
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

impl From<Vec<PrinterNow>> for Devices {
    fn from(printers: Vec<PrinterNow>) -> Self {
        let device = |printer: PrinterNow| Device {
            known: Some(printer.is_known),
            drawer_pin_high: printer.drawer_pin_high,
            ..Device::of(&printer.device, printer.noted.map(|(seq, at)| (seq.number(), at)))
        };
        Self { devices: printers.into_iter().map(device).collect() }
    }
}
