//! A workbench: a simulated printer on one of three cables, and the real printer's side of it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses some of it, and may stop at the first surprise"
)]

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tilld_devices::plugged::{Plugged, SerialAddress};
use tilld_devices::port::serial::SerialLine;
use tilld_devices::port::usb::{Calls, Driver, UsbPort};
use tilld_devices::printer::{Fault, Identity, Printer};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::line::{LineSettings, SimulatedLine};
use tilld_devices::simulated::{Answers, Controls, SimulatedPrinter};
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    Network,
    Serial,
    Usb,
}

/// A slip of a few rows that end in a cut.
pub fn slip(text: &str) -> Slip {
    let row =
        |text: String| Part::Row(Row { text: Secret::new(text), style: Style::PLAIN, align: Align::Left });
    let mut parts: Vec<Part> =
        (0..12).map(|number| row(format!("{text} {number} {}", "x".repeat(20)))).collect();
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

/// The port status as it would be read from `usblp`: a recorded byte, or that the device is gone.
pub struct Recorded(pub AtomicU16);

pub const WELL: u16 = 0x18;
pub const NO_PAPER: u16 = 0x38;
pub const GONE: u16 = 0x100;

impl Calls for Recorded {
    fn port_status(&self, _: BorrowedFd<'_>) -> std::io::Result<u8> {
        let word = self.0.load(Ordering::Relaxed);
        u8::try_from(word).map_err(|_| std::io::Error::from_raw_os_error(19))
    }
}

/// A folder that shows one USB printer as the kernel does, whose device is the simulated line.
pub fn machine(place: &TempDir, id: &str, serial: &str) -> (Plugged, PathBuf) {
    let root = place.path();
    let usb = root.join("sys/devices/usb1/1-1");
    let interface = usb.join("1-1:1.0");
    std::fs::create_dir_all(&interface).unwrap();
    std::fs::create_dir_all(root.join("dev/usb")).unwrap();
    std::fs::create_dir_all(root.join("sys/class/usbmisc/lp0")).unwrap();
    std::fs::write(interface.join("ieee1284_id"), format!("{id}\n")).unwrap();
    for (name, text) in [("serial", serial), ("idVendor", "04b8"), ("idProduct", "0202")] {
        std::fs::write(usb.join(name), format!("{text}\n")).unwrap();
    }
    std::os::unix::fs::symlink(&interface, root.join("sys/class/usbmisc/lp0/device")).unwrap();
    (Plugged::below(root.to_owned()), root.join("dev/usb/lp0"))
}

pub const ID: &str = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;";

enum Far {
    Network(Option<SimulatedPrinter>),
    Line(SimulatedLine),
}

pub struct Bench {
    pub printer: Arc<dyn Printer>,
    pub word: Arc<Recorded>,
    far: Far,
    settings: PrinterSettings,
    place: TempDir,
}

impl Bench {
    pub async fn new(cable: Cable, answers: Answers, profile: Profile, patience: Patience) -> Self {
        let line = match cable {
            Cable::Usb => LineSettings::USB,
            Cable::Network | Cable::Serial => LineSettings::at(115_200),
        };
        Self::on(cable, line, answers, profile, patience).await
    }

    pub async fn on(
        cable: Cable,
        settings: LineSettings,
        answers: Answers,
        profile: Profile,
        patience: Patience,
    ) -> Self {
        let place = tempfile::tempdir().unwrap();
        let word = Arc::new(Recorded(AtomicU16::new(WELL)));
        // Two that stand side by side have names of their own.
        let name = if matches!(cable, Cable::Usb) { "till-usb" } else { "till" };
        let (far, port) = match cable {
            Cable::Network => {
                let simulated = SimulatedPrinter::start(profile.clone(), answers, None).await.unwrap();
                let address = simulated.address().to_string();
                (Far::Network(Some(simulated)), PrinterPort::Network(address))
            }
            Cable::Serial => {
                let path = place.path().join("printer");
                let line = SimulatedLine::start(path.clone(), settings, profile.clone(), answers).unwrap();
                (
                    Far::Line(line),
                    PrinterPort::Serial(SerialLine::new(SerialAddress::Path(path), settings.baud)),
                )
            }
            Cable::Usb => {
                let (machine, device) = machine(&place, ID, "J5KF");
                let line = SimulatedLine::start(device, settings, profile.clone(), answers).unwrap();
                let wanted = Identity { model: Some("tm-t20ii".to_owned()), ..Identity::default() };
                let driver = Driver(Arc::<Recorded>::clone(&word));
                (Far::Line(line), PrinterPort::Usb(UsbPort { wanted, machine, driver }))
            }
        };
        let memory = Some(place.path().join("printer-till"));
        let settings = PrinterSettings { name: name.to_owned(), port, profile, patience, memory };
        Self { printer: attended(settings.clone()), word, far, settings, place }
    }

    /// The daemon ends and starts again.
    pub async fn restart(&mut self) {
        let mut condition = self.printer.condition();
        // Who else holds it would keep the line.
        let place = self.place.path().join("nothing");
        let port = PrinterPort::File(place);
        self.printer = attended(PrinterSettings { port, memory: None, ..self.settings.clone() });
        while condition.changed().await.is_ok() {}
        self.printer = attended(self.settings.clone());
    }

    /// The far side of the printer.
    pub fn simulated(&self) -> &Controls {
        match &self.far {
            Far::Network(simulated) => simulated.as_ref().unwrap(),
            Far::Line(line) => line,
        }
    }

    /// The device goes. A network printer loses its power.
    pub async fn unplug(&mut self) {
        self.word.0.store(GONE, Ordering::Relaxed);
        match &mut self.far {
            Far::Network(simulated) => simulated.as_ref().unwrap().lose_power(),
            Far::Line(line) => line.unplug(),
        }
        self.becomes(Some(Fault::Absent)).await;
    }

    /// All is well again.
    pub fn repair(&mut self) {
        self.word.0.store(WELL, Ordering::Relaxed);
        match &mut self.far {
            Far::Network(simulated) => simulated.as_ref().unwrap().clear(),
            Far::Line(line) => {
                line.clear();
                line.plug();
            }
        }
    }

    pub async fn healthy(&self) {
        self.becomes(None).await;
    }

    /// Waits until the printer is known to have this fault, or to have none.
    pub async fn becomes(&self, fault: Option<Fault>) {
        let mut condition = self.printer.condition();
        let told = condition.wait_for(|told| told.is_some_and(|told| told.fault == fault));
        let told = tokio::time::timeout(Duration::from_secs(30), told).await.map(|told| told.is_ok());
        assert!(told == Ok(true), "it never was {fault:?}, but {:?}", *self.printer.condition().borrow());
    }
}
