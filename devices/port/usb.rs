//! A USB printer through the kernel's `usblp`: `/dev/usb/lpN`.
//!
//! `N` changes with every replug, so a printer is found by what it says of itself: the IEEE 1284 identity and the serial number that
//! the kernel lists. Two that fit are as good as none: which of them is meant, only a person knows.
//!
//! Facts from the driver's source (fact sheet ESCPOS 1.3). One program at a time may have the device. A write hands over one transfer
//! of at most 8 KiB and, not blocking, answers before the printer has taken it; only when that transfer is done is the device ready for
//! writing again, and closing it earlier kills what is under way. A read of nothing is an empty packet and not the end: that is told by
//! the port status, which fails once the device is gone. Out of paper a blocking write never returns; one that does not block
//! is simply not ready, so `LPABORT`, which mends the former, is not needed.
//!
//! What cannot be plugged in here sits behind two seams: [`Plugged`] is the machine's list of devices, [`PortWord`] asks one
//! for its port status.

mod lp;

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Sleep, sleep, timeout};

use super::{Closed, Habits, Opened, Port, Wire};
use crate::plugged::{Plugged, UsbPrinter};
use crate::printer::{Fault, Identity, Reach, Status};

/// Which USB printer is meant: each part that is given must be the device's own, capitals aside.
#[derive(Debug, Clone)]
pub struct UsbPort {
    /// What it must say of itself.
    pub wanted: Identity,
    /// Where it is looked for.
    pub machine: Plugged,
    /// Who asks for the port status.
    pub word: AskWord,
}

/// A [`PortWord`] that can be shared.
#[derive(Clone)]
pub struct AskWord(pub Arc<dyn PortWord>);

impl fmt::Debug for AskWord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AskWord")
    }
}

/// Asks a device for its port status, the byte of the old parallel port: 0x20 no paper, 0x10 selected, 0x08 no error.
pub trait PortWord: Send + Sync + 'static {
    /// `ENODEV` once the device is gone.
    fn ask(&self, device: BorrowedFd<'_>) -> io::Result<u8>;
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
        Self { wanted, machine: Plugged::here(), word: AskWord(Arc::new(lp::Usblp)) }
    }

    /// The device file and the identity of the one that is meant, if exactly one is.
    pub fn find_on(&self, machine: &Plugged) -> Option<(PathBuf, Identity)> {
        let found = machine.usb_printers().into_iter();
        let mut fitting = found
            .map(|printer| (identity_of(&printer), printer.path))
            .filter(|(identity, _)| fits(&self.wanted, identity));
        let (identity, path) = fitting.next()?;
        if fitting.next().is_some() {
            tracing::warn!(printer = %self.wanted, "more than one USB printer answers to this; name its serial number");
            return None;
        }
        Some((path, identity))
    }

    fn connect(&self) -> Result<Opened, Closed> {
        let (path, identity) = self.find_on(&self.machine).ok_or(Closed(Reach::Absent))?;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
            .open(path)
            .map_err(|error| Closed::because(error.kind()))?;
        let lost = |_| Closed(Reach::Absent);
        let second = file.try_clone().map_err(lost)?;
        let wire = Usb {
            from: Receiver::from_file_unchecked(second).map_err(lost)?,
            to: Sender::from_file_unchecked(file).map_err(lost)?,
            word: self.word.clone(),
            trusted: false.into(),
            pause: None,
        };
        Ok(Opened { wire: Box::new(wire), identity: Some(identity) })
    }
}

impl Port for UsbPort {
    fn habits(&self) -> Habits {
        Habits { mute: false, kept: true, reopened: false }
    }

    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>> {
        Box::pin(std::future::ready(self.connect()))
    }

    fn place(&self) -> String {
        format!("usb {}", self.wanted)
    }
}

/// How long an empty packet is taken for "nothing to say": some printers send nothing else, as fast as they are read.
const EMPTY: Duration = Duration::from_millis(50);

/// Port status: all is well, and its one bit that is believed.
const WELL: u8 = 0x18;
const NO_PAPER: u8 = 0x20;

struct Usb {
    /// The same open device twice. No pipe: what tokio calls so is any file that can be waited for.
    from: Receiver,
    to: Sender,
    word: AskWord,
    /// The port has said once that all is well. Many printers answer a constant, which must not stop them for ever.
    trusted: std::sync::atomic::AtomicBool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Usb {
    fn is_ready_for_more(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut device = [PollFd::new(&self.to, PollFlags::OUT)];
        // One that is gone has nothing under way.
        poll(&mut device, Some(&now)).is_err() || device.iter().any(|device| !device.revents().is_empty())
    }

    fn is_gone(&self) -> bool {
        let error = self.word.0.ask(self.to.as_fd()).err();
        error.is_some_and(|error| error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()))
    }
}

impl Wire for Usb {
    fn unsent(&self) -> usize {
        usize::from(!self.is_ready_for_more())
    }

    fn blame(&self, error: &io::Error) -> Fault {
        if error.kind() == io::ErrorKind::StorageFull { Fault::PaperOut } else { Fault::Absent }
    }

    fn word(&self) -> Option<Status> {
        use std::sync::atomic::Ordering::Relaxed;
        let word = self.word.0.ask(self.to.as_fd()).ok()?;
        if word & (WELL | NO_PAPER) == WELL {
            self.trusted.store(true, Relaxed);
        }
        let fault = (word & NO_PAPER != 0).then_some(Fault::PaperOut);
        self.trusted.load(Relaxed).then_some(Status { fault, paper_low: false, drawer_pin_high: None })
    }

    fn close(self: Box<Self>, patience: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let _ = timeout(patience, self.to.writable()).await;
        })
    }
}

impl AsyncRead for Usb {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.from).poll_read(context, buffer))?;
            if buffer.filled().len() > before || self.is_gone() {
                return Poll::Ready(Ok(()));
            }
            self.pause = Some(Box::pin(sleep(EMPTY)));
        }
    }
}

impl AsyncWrite for Usb {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.to).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
