//! The kernel's side of input devices: `/sys`, `EVIOCGRAB`, events. Thin, because nothing of it can be tried without a
//! device: all that is decided lies on the other side of [`Inputs`] and [`Grabbed`], and is tested with simulated ones.
//!
//! The crate `evdev` holds up to 32 key numbers in memory that it does not wipe; the next keys overwrite them.

use std::io;
use std::path::Path;

use evdev::LedCode;
use evdev::raw_stream::{EventStream, RawDevice};
use futures_util::future::BoxFuture;

use super::input::{Grabbed, Inputs};
use super::keys::Event;
use crate::plugged::{Input, InputAddress, NotFound, Plugged};

impl Inputs for Plugged {
    fn find(&self, address: &InputAddress) -> Result<Input, NotFound> {
        self.input(address)
    }

    fn grab(&self, path: &Path) -> io::Result<Option<Box<dyn Grabbed>>> {
        // Raw: the crate's other kind makes events up after a loss, and a code with keys that were never pressed is another
        // code.
        let mut device = RawDevice::open(path)?;
        if device.get_key_state()?.iter().next().is_some() {
            return Ok(None);
        }
        device.grab()?;
        let caps = device.get_led_state().is_ok_and(|lit| lit.contains(LedCode::LED_CAPSL));
        Ok(Some(Box::new(Device { events: device.into_event_stream()?, caps })))
    }
}

/// A grabbed device. It is let go when this is dropped, with its file.
struct Device {
    events: EventStream,
    caps: bool,
}

impl Grabbed for Device {
    fn caps_lit(&self) -> bool {
        self.caps
    }

    fn next(&mut self) -> BoxFuture<'_, io::Result<Event>> {
        Box::pin(async move {
            let event = self.events.next_event().await?;
            Ok(Event { kind: event.event_type().0, code: event.code(), value: event.value() })
        })
    }
}
