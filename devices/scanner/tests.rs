//! Scanners from the socket to the scan: serial ones on pseudo-terminals, ones that type on simulated inputs.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::sync::Mutex;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::sync::Notify;

use super::input::{Grabbed, InputScanner, Inputs, through};
use super::keys::Event;
use super::layout::Layout;
use super::serial::{DataBits, Parity, SerialScanner, serial};
use super::*;
use crate::plugged::{Input, InputAddress, Plugged, Seems};

/// How long a proof waits for what must come. It is only ever waited for when something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scanner that is read, and what comes of it.
struct Reading {
    scanner: Arc<dyn Scanner>,
    scans: mpsc::Receiver<Scan>,
    task: tokio::task::JoinHandle<()>,
}

impl Reading {
    fn of(scanner: Arc<dyn Scanner>) -> Self {
        let (sender, scans) = mpsc::channel(HELD);
        let reader = Arc::clone(&scanner);
        let task = tokio::spawn(async move { reader.read(sender).await });
        Self { scanner, scans, task }
    }

    async fn becomes(&self, presence: Presence) {
        self.is(|condition| condition.presence == presence).await;
    }

    async fn is(&self, wanted: impl Fn(&Condition) -> bool) {
        let mut condition = self.scanner.condition();
        let done = tokio::time::timeout(PATIENCE, condition.wait_for(|now| wanted(now))).await;
        assert!(done.is_ok(), "it is {:?}", self.scanner.condition().borrow());
    }

    async fn next(&mut self) -> String {
        let scan = tokio::time::timeout(PATIENCE, self.scans.recv()).await.unwrap().unwrap();
        assert_eq!(&*scan.source, self.scanner.name());
        scan.text.reveal().to_owned()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A pseudo-terminal: what is written to it comes out of the port. Dropped, it is a cable that was pulled.
struct Cable(OwnedFd);

impl Cable {
    fn new() -> Self {
        let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&own).unwrap();
        unlockpt(&own).unwrap();
        Self(own)
    }

    fn port(&self) -> PathBuf {
        PathBuf::from(ptsname(&self.0, Vec::new()).unwrap().into_string().unwrap())
    }

    fn send(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = rustix::io::write(&self.0, bytes).unwrap();
            bytes = &bytes[written..];
        }
    }
}

fn on(path: &Path, framing: Framing) -> Reading {
    Reading::of(serial(
        SerialScanner {
            name: "counter".to_owned(),
            address: path.to_str().unwrap().parse().unwrap(),
            baud: 9600,
            parity: Parity::None,
            data_bits: DataBits::Eight,
            framing,
        },
        Plugged::here(),
    ))
}

#[tokio::test]
async fn a_serial_scanner_is_read_and_found_again_when_it_was_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("usb-Scanner-if00");
    let mut reading = on(&link, Framing::default());
    reading.becomes(Presence::Absent).await;
    for round in 0..2 {
        let cable = Cable::new();
        symlink(cable.port(), &link).unwrap();
        reading.becomes(Presence::Ready).await;
        cable.send(format!("]C101{round}\u{1d}10AB\r\n40").as_bytes());
        assert_eq!(reading.next().await, format!("]C101{round}\u{1d}10AB"));
        // Pulled in the middle of a scan: its half never becomes the beginning of the next one.
        std::fs::remove_file(&link).unwrap();
        drop(cable);
        reading.becomes(Presence::Absent).await;
    }
    assert_eq!(reading.scanner.condition().borrow().scans, 2);
}

#[tokio::test]
async fn a_pause_ends_a_scan_where_nothing_else_does_and_spoils_it_where_something_should() {
    let gap = Duration::from_millis(20);
    let cable = Cable::new();
    let mut reading = on(&cable.port(), Framing { end: framing::End::Gap, gap, ..Framing::default() });
    reading.becomes(Presence::Ready).await;
    cable.send(b"4012");
    assert_eq!(reading.next().await, "4012");

    let cable = Cable::new();
    let mut reading = on(&cable.port(), Framing { gap, ..Framing::default() });
    reading.becomes(Presence::Ready).await;
    cable.send(b"4012");
    reading.is(|now| now.dropped.cut_short == 1).await;
    cable.send(b"4013\r");
    assert_eq!(reading.next().await, "4013");
}

#[tokio::test]
async fn noise_is_dropped_and_counted_and_the_next_scan_comes_through() {
    let cable = Cable::new();
    let mut reading = on(&cable.port(), Framing::default());
    reading.becomes(Presence::Ready).await;
    for noise in [&[0xff, 0xfe, b'\r'][..], &[0; 100], b"\r", &[b'7'; 3000], b"\r"] {
        cable.send(noise);
    }
    cable.send(b"4012\r");
    assert_eq!(reading.next().await, "4012");
    let dropped = reading.scanner.condition().borrow().dropped;
    assert_eq!(dropped, Dropped { unreadable: 2, too_long: 1, ..Dropped::default() });
}

#[tokio::test]
async fn a_port_is_read_by_one_program_alone() {
    let cable = Cable::new();
    let first = on(&cable.port(), Framing::default());
    first.becomes(Presence::Ready).await;
    let second = on(&cable.port(), Framing::default());
    second.becomes(Presence::Taken).await;
    assert_eq!(first.scanner.condition().borrow().presence, Presence::Ready);
}

#[tokio::test]
async fn scans_that_nobody_takes_are_dropped_and_hold_nothing_up() {
    let cable = Cable::new();
    let mut reading = on(&cable.port(), Framing::default());
    reading.becomes(Presence::Ready).await;
    for number in 0..HELD + 3 {
        cable.send(format!("{number}\r").as_bytes());
    }
    reading.is(|now| now.dropped.not_taken == 3).await;
    for number in 0..HELD {
        assert_eq!(reading.next().await, number.to_string());
    }
    cable.send(b"next\r");
    assert_eq!(reading.next().await, "next");
}

/// Inputs that are as a test says. What is grabbed and let go is written down.
#[derive(Default)]
struct Simulated {
    plugged: Mutex<Vec<Input>>,
    events: Arc<Mutex<VecDeque<Result<Event, i32>>>>,
    come: Arc<Notify>,
    held_down: Mutex<u32>,
    taken: Mutex<bool>,
    grabs: Mutex<Vec<PathBuf>>,
}

struct SimulatedDevice {
    events: Arc<Mutex<VecDeque<Result<Event, i32>>>>,
    come: Arc<Notify>,
}

impl Inputs for Simulated {
    fn find(&self, address: &InputAddress) -> Result<Input, NotFound> {
        let fits: Vec<Input> = self
            .plugged
            .lock()
            .unwrap()
            .iter()
            .filter(|input| match address {
                InputAddress::Name(name) => input.name == *name,
                InputAddress::Usb(usb) => (usb.vendor, usb.product) == input.ids,
                _ => false,
            })
            .cloned()
            .collect();
        match fits.as_slice() {
            [] => Err(NotFound::Absent),
            [one] => Ok(one.clone()),
            several => Err(NotFound::Several(several.len())),
        }
    }

    fn grab(&self, path: &Path) -> io::Result<Option<Box<dyn Grabbed>>> {
        if *self.taken.lock().unwrap() {
            // EBUSY: another program has grabbed it.
            return Err(io::Error::from_raw_os_error(16));
        }
        let mut held_down = self.held_down.lock().unwrap();
        if *held_down > 0 {
            *held_down -= 1;
            return Ok(None);
        }
        self.grabs.lock().unwrap().push(path.to_owned());
        Ok(Some(Box::new(SimulatedDevice { events: Arc::clone(&self.events), come: Arc::clone(&self.come) })))
    }
}

impl Grabbed for SimulatedDevice {
    fn caps_lit(&self) -> bool {
        false
    }

    fn next(&mut self) -> BoxFuture<'_, io::Result<Event>> {
        Box::pin(async move {
            loop {
                let come = self.come.notified();
                if let Some(event) = self.events.lock().unwrap().pop_front() {
                    return event.map_err(io::Error::from_raw_os_error);
                }
                come.await;
            }
        })
    }
}

impl Simulated {
    fn plug(&self, folder: &Path, file: &str, name: &str, seems: Seems) {
        let path = folder.join(file);
        std::fs::write(&path, "").unwrap();
        let input = Input {
            path,
            by_id: None,
            name: name.to_owned(),
            phys: String::new(),
            ids: (0x0c2e, 0x0b61),
            serial: None,
            seems,
        };
        self.plugged.lock().unwrap().push(input);
    }

    /// Keys pressed and released, one after another.
    fn types(&self, keys: &[u16]) {
        let events = keys.iter().flat_map(|key| [(1, *key, 1), (0, 0, 0), (1, *key, 0), (0, 0, 0)]);
        self.events.lock().unwrap().extend(events.map(|(kind, code, value)| Ok(Event { kind, code, value })));
        self.come.notify_one();
    }

    fn unplug(&self) {
        self.plugged.lock().unwrap().clear();
        // ENODEV.
        self.events.lock().unwrap().push_back(Err(19));
        self.come.notify_one();
    }
}

fn typing(inputs: &Arc<Simulated>, address: &str) -> Reading {
    let settings = InputScanner {
        name: "hand".to_owned(),
        address: address.parse().unwrap(),
        layout: Layout::US,
        framing: Framing::default(),
    };
    Reading::of(through(settings, Arc::clone(inputs) as Arc<dyn Inputs>))
}

const USB: &str = "usb:0c2e:0b61";

#[tokio::test]
async fn a_scanner_that_types_is_grabbed_read_and_found_again() {
    let (folder, inputs) = (tempfile::tempdir().unwrap(), Arc::<Simulated>::default());
    let mut reading = typing(&inputs, USB);
    reading.becomes(Presence::Absent).await;
    for file in ["event4", "event7"] {
        inputs.plug(folder.path(), file, "Honeywell 1470g", Seems::Scanner);
        reading.becomes(Presence::Ready).await;
        inputs.types(&[5, 11, 2, 3, 28]);
        assert_eq!(reading.next().await, "4012");
        inputs.types(&[5, 11]);
        inputs.unplug();
        reading.becomes(Presence::Absent).await;
    }
    assert_eq!(*inputs.grabs.lock().unwrap(), [folder.path().join("event4"), folder.path().join("event7")]);
}

#[tokio::test]
async fn a_scan_with_keys_that_cannot_be_told_is_dropped_whole() {
    let (folder, inputs) = (tempfile::tempdir().unwrap(), Arc::<Simulated>::default());
    inputs.plug(folder.path(), "event4", "Honeywell 1470g", Seems::Scanner);
    let mut reading = typing(&inputs, USB);
    reading.becomes(Presence::Ready).await;
    // F8 in the middle.
    inputs.types(&[5, 66, 2, 28]);
    inputs.types(&[5, 11, 28]);
    assert_eq!(reading.next().await, "40");
    assert_eq!(reading.scanner.condition().borrow().dropped, Dropped { unreadable: 1, ..Dropped::default() });
}

#[tokio::test]
async fn neither_one_of_several_nor_the_cashiers_keyboard_is_grabbed() {
    let (folder, inputs) = (tempfile::tempdir().unwrap(), Arc::<Simulated>::default());
    inputs.plug(folder.path(), "event1", "USB Keyboard", Seems::Keyboard);
    let by_number = typing(&inputs, USB);
    by_number.becomes(Presence::Keyboard).await;
    inputs.plug(folder.path(), "event2", "Honeywell 1470g", Seems::Scanner);
    by_number.becomes(Presence::Several(2)).await;
    assert!(inputs.grabs.lock().unwrap().is_empty());
    // Named to the letter it is what the operator wants, whatever it looks like.
    let by_name = typing(&inputs, "name:USB Keyboard");
    by_name.becomes(Presence::Ready).await;
    assert_eq!(*inputs.grabs.lock().unwrap(), [folder.path().join("event1")]);
}

#[tokio::test]
async fn a_device_with_a_key_down_or_in_other_hands_is_waited_for() {
    let (folder, inputs) = (tempfile::tempdir().unwrap(), Arc::<Simulated>::default());
    *inputs.held_down.lock().unwrap() = 1;
    *inputs.taken.lock().unwrap() = true;
    inputs.plug(folder.path(), "event4", "Honeywell 1470g", Seems::Scanner);
    let reading = typing(&inputs, USB);
    reading.becomes(Presence::Taken).await;
    *inputs.taken.lock().unwrap() = false;
    reading.becomes(Presence::KeyDown).await;
    reading.becomes(Presence::Ready).await;
}

#[test]
fn a_scan_shows_its_source_and_nothing_of_its_text() {
    let scan = Scan { source: "counter".into(), text: Secret::new("CODE-1234".to_owned()) };
    assert_eq!(format!("{scan:?}"), "Scan { source: \"counter\", text: Secret(…) }");
}
