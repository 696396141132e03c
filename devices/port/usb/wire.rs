//! An open `usblp` device. Two threads make its calls: one writes ([`Scribe`]), the other one listens and asks for the port
//! status.
//!
//! Both end with the line, the writing one at the latest when the printer has taken what it was given or is unplugged; the
//! device is closed, and may be opened again, when both have ended. The listening thread waits for the device and for a
//! bell, which the line rings when it wants something; what it has heard waits until it is read, and then it goes on.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

use super::super::Wire;
use super::super::scribe::Scribe;
use super::Driver;
use crate::printer::{Fault, Status};

/// How long an empty packet is taken for "nothing to say": some printers send nothing else, as fast as they are read.
const EMPTY: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// For the printer to give its port status; the kernel waits up to five seconds for it.
const WORD: Duration = Duration::from_secs(1);
/// How much is read at once.
const READ: usize = 256;

/// Port status: all is well, and its one bit that is believed.
const WELL: u8 = 0x18;
const NO_PAPER: u8 = 0x20;

/// An open device, shared by all that call it.
#[derive(Clone)]
pub(super) struct Device(Arc<Held>);

/// Closed with its last user.
pub(super) struct Held {
    file: File,
    driver: Driver,
    /// The port has said once that all is well. Many printers answer a constant, which must not stop them for ever.
    trusted: AtomicBool,
}

impl Device {
    pub fn open(path: &Path, driver: &Driver) -> io::Result<Self> {
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap_or(0);
        let file = File::options().read(true).write(true).custom_flags(flags).open(path)?;
        Ok(Self(Arc::new(Held { file, driver: driver.clone(), trusted: AtomicBool::new(false) })))
    }

    /// For whoever must not keep it open.
    pub fn weak(&self) -> Weak<Held> {
        Arc::downgrade(&self.0)
    }

    /// It, if somebody still has it.
    pub fn held(weak: &Weak<Held>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    fn port_status(&self) -> io::Result<u8> {
        self.0.driver.0.port_status(self.0.file.as_fd())
    }

    /// What the port says of the printer. May wait.
    pub fn word(&self) -> Option<Status> {
        let word = self.port_status().ok()?;
        if word & (WELL | NO_PAPER) == WELL {
            self.0.trusted.store(true, Relaxed);
        }
        let fault = (word & NO_PAPER != 0).then_some(Fault::PaperOut);
        self.0.trusted.load(Relaxed).then_some(Status { fault, paper_low: false, drawer_pin_high: None })
    }

    fn is_gone(&self) -> bool {
        let error = self.port_status().err();
        error.is_some_and(|error| error.raw_os_error() == Some(Errno::NODEV.raw_os_error()))
    }

    /// Whether a call would do something at once, as far as the driver knows; after a while in any case.
    fn is_ready(&self, flags: PollFlags) -> bool {
        let mut device = [PollFd::new(&self.0.file, flags)];
        poll(&mut device, Some(&EMPTY)).is_ok_and(|ready| ready > 0)
    }

    /// Starts the threads. `turn` is theirs until both have ended.
    pub fn start(self, turn: OwnedSemaphorePermit) -> io::Result<Usb> {
        let turn = Arc::new(turn);
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // From here on dropped is told.
        let usb = Usb { scribe: Scribe::default(), ear: Arc::new(Ear { bell, heard: Mutex::default() }) };
        let (desk, its) = (usb.scribe.desk(), (self.clone(), Arc::clone(&turn)));
        std::thread::Builder::new().name("usb printer".to_owned()).spawn(move || {
            let (device, turn) = its;
            let write = |bytes: &[u8]| device.0.driver.0.write(device.0.file.as_fd(), bytes);
            desk.work(write, || {
                device.is_ready(PollFlags::OUT);
            });
            let_go(device, turn);
        })?;
        let ear = Arc::clone(&usb.ear);
        std::thread::Builder::new().name("usb printer".to_owned()).spawn(move || {
            ear.listen(&self);
            let_go(self, turn);
        })?;
        Ok(usb)
    }
}

/// First the device, then the turn of who opens it next.
fn let_go(device: Device, turn: Arc<OwnedSemaphorePermit>) {
    drop(device);
    drop(turn);
}

/// What the line and its listening thread share.
struct Ear {
    /// Wakes the thread.
    bell: OwnedFd,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    bytes: VecDeque<u8>,
    /// Nothing more comes: the number of the error, 0 for an end.
    ended: Option<i32>,
    /// Who waits for bytes.
    waiting: Option<Waker>,
    /// Who waits for the port status.
    word: Option<oneshot::Sender<Option<Status>>>,
    /// The line was dropped.
    over: bool,
}

impl Ear {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // A bell that cannot be rung any louder is heard anyway.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn listen(&self, device: &Device) {
        let mut pause = None;
        loop {
            let (word, hears) = {
                let mut heard = self.heard();
                if heard.over {
                    return;
                }
                (heard.word.take(), heard.ended.is_none() && heard.bytes.is_empty() && pause.is_none())
            };
            if let Some(word) = word {
                // Who asked may have stopped waiting.
                let _ = word.send(device.word());
                continue;
            }
            let mut either =
                [PollFd::new(&self.bell, PollFlags::IN), PollFd::new(&device.0.file, PollFlags::IN)];
            let waited =
                poll(either.get_mut(..if hears { 2 } else { 1 }).unwrap_or_default(), pause.as_ref());
            if matches!(waited, Ok(0)) {
                pause = None;
                continue;
            }
            let [bell, said] = either.map(|one| !one.revents().is_empty());
            if bell {
                let mut rung = [0; 8];
                // Rung often or once: it is the same.
                let _ = rustix::io::read(&self.bell, &mut rung);
            }
            if hears && said {
                pause = self.read(device);
            }
        }
    }

    /// Reads what there is. Answers a pause, if that was nothing.
    fn read(&self, device: &Device) -> Option<Timespec> {
        let mut bytes = [0; READ];
        let read = device.0.driver.0.read(device.0.file.as_fd(), &mut bytes);
        let ended = match read {
            Ok(0) if !device.is_gone() => return Some(EMPTY),
            Ok(0) => Some(0),
            Ok(_) => None,
            Err(ref error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => return Some(EMPTY),
                _ => Some(error.raw_os_error().unwrap_or_default()),
            },
        };
        let mut heard = self.heard();
        heard.ended = ended;
        heard.bytes.extend(bytes.iter().take(read.unwrap_or_default()));
        if let Some(waker) = heard.waiting.take() {
            waker.wake();
        }
        None
    }
}

/// The line.
pub(super) struct Usb {
    scribe: Scribe,
    ear: Arc<Ear>,
}

impl Drop for Usb {
    fn drop(&mut self) {
        self.ear.heard().over = true;
        self.ear.ring();
    }
}

impl Wire for Usb {
    fn unsent(&self) -> usize {
        self.scribe.unsent()
    }

    fn blame(&self, error: &io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::StorageFull => Fault::PaperOut,
            io::ErrorKind::Interrupted => Fault::Error,
            _ => Fault::Absent,
        }
    }

    fn word(&mut self) -> BoxFuture<'_, Option<Status>> {
        let (tell, told) = oneshot::channel();
        self.ear.heard().word = Some(tell);
        self.ear.ring();
        Box::pin(async { timeout(WORD, told).await.ok()?.ok()? })
    }

    fn close(self: Box<Self>, patience: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.scribe.written(patience).await })
    }
}

impl AsyncRead for Usb {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut heard = self.ear.heard();
        if heard.bytes.is_empty() {
            return match heard.ended {
                Some(0) => Poll::Ready(Ok(())),
                Some(error) => Poll::Ready(Err(io::Error::from_raw_os_error(error))),
                None => {
                    heard.waiting = Some(context.waker().clone());
                    self.scribe.poll_failed(context).map(Err)
                }
            };
        }
        let count = heard.bytes.len().min(buffer.remaining());
        for byte in heard.bytes.drain(..count) {
            buffer.put_slice(&[byte]);
        }
        drop(heard);
        self.ear.ring();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Usb {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.scribe.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.scribe.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
