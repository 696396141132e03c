//! A USB printer through the kernel's `usblp`: `/dev/usb/lpN`.
//!
//! `N` changes with every replug, so a printer is found by what it says of itself: the IEEE 1284 identity and the serial
//! number that the kernel lists. Two that fit are as good as none: which of them is meant, only a person knows.
//!
//! Facts from the driver's source (`drivers/usb/class/usblp.c`; fact sheet ESCPOS 1.3). One program at a time may have the
//! device. A write hands over transfers of at most 8 KiB. Opened with `O_NONBLOCK` it answers before the printer has taken
//! them, and **what then becomes of one is told nowhere**: the next write forgets its result, so that a slip with a hole in
//! it would be proven by what comes behind. Therefore the device is opened to wait, and a thread waits ([`wire`]): the
//! answer is then the transfer's own. `LPABORT` stays off: with it a write is said to be done when the paper ends, although
//! it is not. A write that a signal interrupts leaves its transfer under way; so whatever a write answers but `EAGAIN`, its
//! bytes were offered and may be on paper. A read of nothing is an empty packet and not the end: that is told by the port
//! status, which fails once the device is gone. Every call, also a poll, may wait some seconds for a port status that the
//! printer does not give, so none is made on a thread of the runtime.
//!
//! What cannot be plugged in here sits behind two seams: [`Plugged`] is the machine's list of devices, [`Calls`] are the
//! calls to the driver.

mod calls;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::calls::Calls;
use self::wire::{Device, Held};
use super::{Aside, Closed, Habits, Opened, Port};
use crate::plugged::{Plugged, UsbPrinter};
use crate::printer::{Identity, Reach};

/// Which USB printer is meant: each part that is given must be the device's own, capitals aside.
#[derive(Debug, Clone)]
pub struct UsbPort {
    /// What it must say of itself.
    pub wanted: Identity,
    /// Where it is looked for.
    pub machine: Plugged,
    /// Who calls the driver.
    pub driver: Driver,
}

/// [`Calls`] that can be shared.
#[derive(Clone)]
pub struct Driver(pub Arc<dyn Calls>);

impl fmt::Debug for Driver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Driver")
    }
}

/// Who a plugged in printer says it is: by its IEEE 1284 identity, and the serial number of its USB side.
pub fn identity_of(printer: &UsbPrinter) -> Identity {
    let field = |keys: &[&str]| printer.field(keys).map(str::to_owned);
    let usb = printer.usb.as_ref().and_then(|usb| usb.serial.clone());
    Identity {
        maker: field(&["MFG", "MANUFACTURER"]),
        model: field(&["MDL", "MODEL"]),
        serial: usb.or_else(|| field(&["SN", "SERN", "SERIALNUMBER"])),
    }
}

fn fits(wanted: &Identity, found: &Identity) -> bool {
    let part = |wanted: &Option<String>, found: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| {
            found.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(wanted.trim()))
        })
    };
    part(&wanted.maker, &found.maker)
        && part(&wanted.model, &found.model)
        && part(&wanted.serial, &found.serial)
}

impl UsbPort {
    /// By what it must say of itself, among those that are plugged into this machine.
    pub fn new(wanted: Identity) -> Self {
        Self { wanted, machine: Plugged::here(), driver: Driver(Arc::new(calls::Usblp)) }
    }

    /// The device file and the identity of the one that is meant; as an error, how many fit instead of one.
    pub fn find_on(&self, machine: &Plugged) -> Result<(PathBuf, Identity), usize> {
        let found = machine.usb_printers().into_iter();
        let mut fitting: Vec<_> = found
            .map(|printer| (printer.path.clone(), identity_of(&printer)))
            .filter(|(_, identity)| fits(&self.wanted, identity))
            .collect();
        match (fitting.pop(), fitting.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(0),
            (Some(_), others) => Err(others.saturating_add(1)),
        }
    }
}

/// For the line before to let the device go. Only a write that the printer does not take lasts longer.
const TURN: Duration = Duration::from_secs(1);

/// The port with what it remembers from one line to the next.
pub(crate) struct Usb {
    port: UsbPort,
    /// Held by the threads of a line as long as they live.
    turn: Arc<Semaphore>,
    /// The last line's device: it may still be in a write.
    last: Mutex<Weak<Held>>,
    fitting: Arc<Fitting>,
    aside: Aside,
}

/// How many devices fitted when it was last looked.
#[derive(Default)]
struct Fitting(AtomicUsize);

impl Fitting {
    /// Whether it is to be said that so many fit: several do, and it was not said before.
    fn is_news(&self, count: usize) -> bool {
        self.0.swap(count, Relaxed) != count && count > 1
    }
}

impl Usb {
    pub fn new(port: UsbPort) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self { port, turn, last: Mutex::default(), fitting: Arc::default(), aside: Aside::new() }
    }

    async fn start(&self) -> Result<Opened, Closed> {
        let Ok(Ok(turn)) = timeout(TURN, Arc::clone(&self.turn).acquire_owned()).await else {
            return Err(self.stuck().await);
        };
        let (port, fitting) = (self.port.clone(), Arc::clone(&self.fitting));
        let open = move || {
            let found = port.find_on(&port.machine);
            let count = found.as_ref().map_or_else(|count| *count, |_| 1);
            if fitting.is_news(count) {
                let printer = &port.wanted;
                tracing::warn!(%printer, count, "more than one USB printer answers to this; name its serial number");
            }
            let (path, identity) = found.map_err(|_| Closed::to(Reach::Absent))?;
            let device = Device::open(&path, &port.driver).map_err(|error| Closed::because(error.kind()))?;
            Ok((device, identity))
        };
        let (device, identity) = self.aside.open(open).await?;
        *self.last() = device.weak();
        let wire = device.start(turn).map_err(|_| Closed::to(Reach::Taken))?;
        Ok(Opened { wire: Box::new(wire), identity: Some(identity) })
    }

    /// What is said while the line before is still in a write that the printer does not take.
    async fn stuck(&self) -> Closed {
        let last = Device::held(&self.last());
        let said = match last {
            Some(device) => self.aside.open(move || Ok(device.word())).await.ok().flatten(),
            None => None,
        };
        Closed { reach: Reach::Taken, said: said.and_then(|status| status.fault) }
    }

    fn last(&self) -> MutexGuard<'_, Weak<Held>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Port for Usb {
    fn habits(&self) -> Habits {
        Habits { mute: false, kept: true, reopened: false }
    }

    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>> {
        Box::pin(self.start())
    }

    fn place(&self) -> String {
        format!("usb {}", self.port.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_several_printers_fit_is_said_once_until_it_changes() {
        let fitting = Fitting::default();
        let said = [2, 2, 2, 0, 2, 3, 3, 1, 0, 2].map(|count| fitting.is_news(count));
        assert_eq!(said, [true, false, false, false, true, true, false, false, false, true]);
    }
}
