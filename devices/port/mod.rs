//! What a printer hangs on: the one seam between jobs, which know nothing of cables, and cables, which know nothing of jobs.
//!
//! A [`Port`] opens; what it opens is a [`Wire`]: bytes both ways, and the few things in which cables differ.
//!
//! | | kept open between jobs | opened anew when the printer falls silent | what stays behind in this machine |
//! |---|---|---|---|
//! | [`tcp`] | if the printer can be asked: a dead one would not be noticed otherwise | yes: only that tells a pulled cable | the kernel's, until the printer has it |
//! | [`serial`] | for life: closing drops DTR, which resets some printers | no | the kernel's and the line's, by its baud rate |
//! | [`usb`] | for life: one program at a time may have it | no | one transfer, in a thread |
//! | [`mod@file`] | no: an unplugged device is found again that way | no | one piece, in a thread |
//!
//! Absent on purpose: a flush that waits for the kernel (`tcdrain` has no end while the printer is busy); what is still in
//! this machine is asked for instead ([`Wire::unsent`]).

pub mod file;
mod scribe;
pub mod serial;
pub mod tcp;
pub mod usb;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::aside::aside;
use crate::printer::{Fault, Identity, Reach, Status};

/// How a kind of port is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// Nothing can be read from it, so the printer is asked nothing.
    pub mute: bool,
    /// It is kept open between jobs even if the printer answers nothing.
    pub kept: bool,
    /// Silence is reason to open it anew.
    pub reopened: bool,
}

/// Somewhere a printer hangs.
pub(crate) trait Port: Send + Sync + 'static {
    fn habits(&self) -> Habits;

    /// Opens it, in bounded time.
    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>>;

    /// Whether it could be opened, at no cost to anybody. Of most ports that is only known once they were.
    fn look(&self) -> Option<BoxFuture<'_, Result<(), Closed>>> {
        None
    }

    /// What tells this printer from others where the port itself does not know who hangs on it.
    fn place(&self) -> String;
}

/// An open line.
pub(crate) struct Opened {
    pub wire: Box<dyn Wire>,
    /// Who hangs on it, where the port tells.
    pub identity: Option<Identity>,
}

/// Why a port does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    pub reach: Reach,
    /// What the port says of the printer all the same.
    pub said: Option<Fault>,
}

impl Closed {
    pub const fn to(reach: Reach) -> Self {
        Self { reach, said: None }
    }

    /// What a job is told.
    pub fn fault(self) -> Fault {
        self.said.unwrap_or(match self.reach {
            Reach::Taken => Fault::Silent,
            Reach::Open | Reach::Absent | Reach::Forbidden => Fault::Absent,
        })
    }

    pub fn because(kind: io::ErrorKind) -> Self {
        Self::to(match kind {
            io::ErrorKind::PermissionDenied => Reach::Forbidden,
            io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock => Reach::Taken,
            _ => Reach::Absent,
        })
    }
}

/// For a device file to be found and opened: a sick adapter answers late, a dead one never.
const OPENING: Duration = Duration::from_secs(5);

/// Finds and opens a device file on a thread of its own: both may wait for the device. A device that never answers keeps the
/// one thread, and whatever comes next is told that it is taken.
struct Aside {
    turn: Arc<Semaphore>,
    patience: Duration,
}

impl Aside {
    fn new() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), patience: OPENING }
    }

    async fn open<T: Send + 'static>(
        &self,
        open: impl FnOnce() -> Result<T, Closed> + Send + 'static,
    ) -> Result<T, Closed> {
        let taken = Closed::to(Reach::Taken);
        let opened = async {
            let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| taken)?;
            let work = move || {
                let opened = open();
                drop(turn);
                opened
            };
            aside("printer", work).await.map_err(|_| taken)?
        };
        timeout(self.patience, opened).await.map_err(|_| taken)?
    }
}

/// The bytes both ways. A write that was answered was taken by this machine; how much of that is still here, `unsent` says.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Bytes that were taken and have not left this machine, as far as that can be known.
    fn unsent(&self) -> usize {
        0
    }

    /// How long a byte takes at least; nothing where the line is faster than any printer.
    fn byte_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Nobody holds it up when the printer's buffer is full.
    fn overruns(&self) -> bool {
        false
    }

    /// What an error of reading or writing says about the printer.
    fn blame(&self, _: &io::Error) -> Fault {
        Fault::Absent
    }

    /// What the port itself says of the printer, whatever language that speaks; in bounded time.
    fn word(&mut self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(std::future::ready(None))
    }

    /// Throws away what has not left, after a job that ended badly, or questions that nobody took. Whether the line may be used
    /// for the next job.
    fn discard(&mut self) -> bool {
        false
    }

    /// Ends the line in order, so that its last bytes reach the printer, from the moment of this call on. A line that is
    /// dropped instead takes with it what has not left.
    fn close(self: Box<Self>, patience: Duration) -> BoxFuture<'static, ()>;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_device_that_never_answers_keeps_one_thread_however_often_it_is_tried() {
        let aside = Aside { patience: Duration::from_millis(50), ..Aside::new() };
        let begun = Arc::new(AtomicUsize::new(0));
        let (answers, never) = mpsc::channel::<()>();
        let never = Arc::new(std::sync::Mutex::new(never));
        for _ in 0..5 {
            let (begun, never) = (Arc::clone(&begun), Arc::clone(&never));
            let opened = aside.open(move || {
                begun.fetch_add(1, Ordering::Relaxed);
                let _ = never.lock().unwrap().recv();
                Ok(())
            });
            assert_eq!(opened.await, Err(Closed::to(Reach::Taken)));
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        // It answers after all: it can be opened again.
        drop(answers);
        let again = Aside { patience: OPENING, turn: Arc::clone(&aside.turn) };
        assert_eq!(again.open(|| Ok(7)).await, Ok(7));
    }
}
