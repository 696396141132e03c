//! A scanner that types: it says that it is a keyboard, so everything it reads would be typed into whatever window is open.
//!
//! Therefore exactly one device is taken, and grabbed (`EVIOCGRAB`): from then on its keys reach this program alone. Not
//! taken are
//!
//! - any of several devices that fit ([`Presence::Several`]);
//! - one that looks like the cashier's keyboard, unless it was named by its name, its link or its serial number
//!   ([`Presence::Keyboard`], [`InputAddress::is_explicit`]): a keyboard that is grabbed is dead for everybody else;
//! - one with a key held down, for a moment: its release would never reach who saw it pressed.
//!
//! Between plugging in and the grab, and while the daemon does not run, a desktop would still read it: the udev rules beside
//! the unit tell desktops to leave scanners alone.
//!
//! Prefer a scanner's serial mode where it has one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::framing::Framing;
use super::keys::{Event, Keys, Typed};
use super::layout::Layout;
use super::{Condition, Line, Outlet, Plugging, Presence, Scan, Scanner, Sign, keep_reading, look, refused};
use crate::aside::aside;
use crate::plugged::{Input, InputAddress, NotFound, Plugged, Seems};

/// The settings of a scanner that types.
#[derive(Debug, Clone)]
pub struct InputScanner {
    /// Its name in the configuration.
    pub name: String,
    /// By what it is found.
    pub address: InputAddress,
    /// The keyboard that it was set to.
    pub layout: Layout,
    /// How it frames what it reads.
    pub framing: Framing,
}

/// Whether a device may be grabbed that was found by an address: not what looks like the cashier's keyboard, unless the
/// address means this one device.
pub fn may_be_taken(found: &Input, address: &InputAddress) -> bool {
    found.seems == Seems::Scanner || address.is_explicit()
}

/// What the kernel does: the seam behind which nothing can be tried here.
pub trait Inputs: Send + Sync + 'static {
    /// The one device of an address that can type.
    fn find(&self, address: &InputAddress) -> Result<Input, NotFound>;

    /// Opens a device and takes it away from everybody else. None: a key of it is down now.
    fn grab(&self, path: &Path) -> io::Result<Option<Box<dyn Grabbed>>>;
}

/// A device that nobody else reads, until it is dropped.
pub trait Grabbed: Send {
    /// Whether its lamp of Caps Lock is lit.
    fn caps_lit(&self) -> bool;

    /// Its next event; an error when it has gone. May be dropped and asked again, and loses nothing.
    fn next(&mut self) -> BoxFuture<'_, io::Result<Event>>;
}

/// A scanner that types on a machine. Nothing is opened before it is read.
pub fn input(settings: InputScanner, plugged: Plugged) -> Arc<dyn Scanner> {
    through(settings, Arc::new(plugged))
}

/// The same on other inputs than a machine's.
pub fn through(settings: InputScanner, inputs: Arc<dyn Inputs>) -> Arc<dyn Scanner> {
    Arc::new(Typist { sign: Sign::new(&settings.name), settings, inputs })
}

struct Typist {
    settings: InputScanner,
    inputs: Arc<dyn Inputs>,
    sign: Sign,
}

impl Line for Typist {
    type Found = Plugging;

    async fn find(&self) -> Result<Plugging, Presence> {
        let (inputs, address) = (Arc::clone(&self.inputs), self.settings.address.clone());
        look(move || {
            let found = inputs.find(&address)?;
            if !may_be_taken(&found, &address) {
                return Err(Presence::Keyboard);
            }
            Plugging::of(&found.path)
        })
        .await
    }

    async fn read(&self, found: &Plugging, out: &mut Outlet<'_>) -> (Presence, bool) {
        let (inputs, path) = (Arc::clone(&self.inputs), found.path.clone());
        // The kernel waits some 50 ms when it opens a USB input device.
        let mut device = match aside("scanner", move || inputs.grab(&path)).await.flatten() {
            Ok(Some(device)) => device,
            Ok(None) => return (Presence::KeyDown, true),
            Err(error) => return (refused(&error), false),
        };
        self.sign.says(Presence::Ready);
        let mut keys = Keys::new(self.settings.layout, device.caps_lit());
        let mut anything = false;
        loop {
            let next = match out.gap() {
                Some(gap) => timeout(gap, device.next()).await,
                None => Ok(device.next().await),
            };
            let event = match next {
                Err(_) => {
                    out.silence();
                    continue;
                }
                Ok(Err(error)) => {
                    tracing::debug!(scanner = &*self.sign.name, %error, "a scanner's device has ended");
                    return (Presence::Absent, anything);
                }
                Ok(Ok(event)) => event,
            };
            anything = true;
            match keys.event(&event) {
                Typed::Nothing => {}
                Typed::One(letter) => out.letter(letter),
                Typed::Two(first, second) => {
                    out.letter(first);
                    out.letter(second);
                }
                Typed::Spoilt => out.framer.spoil(),
            }
        }
    }
}

impl Scanner for Typist {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn condition(&self) -> watch::Receiver<Condition> {
        self.sign.condition.subscribe()
    }

    fn read(&self, scans: mpsc::Sender<Scan>) -> BoxFuture<'_, ()> {
        let out = Outlet::new(&self.sign, &self.settings.framing, scans);
        Box::pin(keep_reading(self, out))
    }
}
