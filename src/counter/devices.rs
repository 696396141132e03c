//! What a screen asks about the devices beside the till.

use std::sync::Arc;

use tilld_devices::printer::Status;
use tilld_devices::scanner::{Presence, Scanner};
use tilld_domain::device::{Condition, Device};
use tilld_domain::ids::DeviceId;
use tilld_domain::moment::Moment;
use tilld_domain::printing::PrintEnd;
use tilld_domain::refusal::Refusal;
use tilld_journal::{Seq, Subject};
use tilld_receipts::test_slip::test_slip;

use crate::now::Now;
use crate::{Counter, DeviceNow};

/// A printer, as it is known to be at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterNow {
    /// Its name in the configuration, and what is known of it.
    pub device: Device,
    /// Whether that is its own word, or was found out by using it. If not, nothing is known to be wrong.
    pub is_known: bool,
    /// The level of its drawer's sensor, where it is reported.
    pub drawer_pin_high: Option<bool>,
    /// The entry that says the same, and its moment; none if nothing was ever written about it, or it changed just now.
    pub noted: Option<(Seq, Moment)>,
}

/// A scanner, as it is now. Nothing of it is ever written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannerNow {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it can be read.
    pub presence: Presence,
}

impl Counter {
    /// The printers, as they are known to be now: the one that prints slips, and its spare.
    pub async fn printers(&self) -> Vec<PrinterNow> {
        let journal = self.journal.clone();
        // How they are is known also while the journal cannot be read.
        let rows = self.read(move || journal.devices()).await.unwrap_or_default();
        let singles = self.printer.singles().into_iter();
        singles
            .filter_map(|single| {
                let said = *single.condition.borrow();
                let device = Device { name: single.name.parse().ok()?, condition: condition_of(said) };
                let row = rows.iter().find(|row| row.device == device);
                Some(PrinterNow {
                    is_known: said.is_some(),
                    drawer_pin_high: said.and_then(|status| status.drawer_pin_high),
                    noted: row.map(|row| (row.last, row.at)),
                    device,
                })
            })
            .collect()
    }

    /// The scanners, as they are now.
    pub fn scanners(&self) -> Vec<ScannerNow> {
        let now = |scanner: &Arc<dyn Scanner>| ScannerNow {
            name: scanner.name().to_owned(),
            presence: scanner.condition().borrow().presence,
        };
        self.scanners.iter().map(now).collect()
    }

    /// Prints a test slip on the printer of a name, and on no other: a spare does not take it over. It is worth nothing, and never
    /// opens the drawer.
    pub async fn print_test(&self, name: &str) -> Result<PrintEnd, Refusal> {
        let printer = match self.printer.alone(name) {
            Some(printer) => printer,
            None if self.printer.name() == name => Arc::clone(&self.printer),
            None => return Err(Refusal::DeviceUnknown),
        };
        let slip = test_slip(name, None, printer.paper(), None);
        self.paper_on(printer, slip).await
    }

    /// A device as its last entry left it. Fails if there is none, as if it could not be read: who asks has seen one.
    pub async fn device(&self, device: DeviceId) -> Result<DeviceNow, Refusal> {
        let now = self.latest(Subject::Device(device)).await?;
        now.and_then(Now::into_device).ok_or(Refusal::JournalDown)
    }

    /// What is known of the printer. It is asked if nothing is, or if something was wrong: that may be over.
    pub(crate) async fn printer_now(&self) -> Option<Status> {
        let said = *self.printer.condition().borrow();
        match said {
            Some(Status { fault: None, .. }) => said,
            Some(_) => self.printer.status().await.or(said),
            None => self.printer.status().await,
        }
    }
}

/// What is written down of a printer's word; none if nothing is known to be wrong with it.
pub(crate) fn condition_of(said: Option<Status>) -> Condition {
    said.map_or_else(Condition::default, |Status { fault, paper_low, .. }| Condition { fault, paper_low })
}
