//! A file: a character device such as `/dev/usb/lp0`, a named pipe, or a plain file that another program takes away. It is
//! written and never read, so a slip on it is *not verifiable*.
//!
//! Such a device blocks its writer for as long as it has no paper, so a thread of its own writes ([`super::scribe`]). When
//! the line is dropped, the thread ends with the piece that it is at; until then it holds the device, and the next job is
//! told that the printer is silent.
//!
//! The file is opened for each job, so that an unplugged device is found again. A new plain file is made with mode 0600, for
//! slips are money.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::scribe::{Desk, Scribe};
use super::{Aside, Closed, Habits, Opened, Port, Wire};
use crate::printer::{Fault, Reach};

pub(crate) struct Device {
    path: PathBuf,
    /// For the thread before to end, and for the file to open.
    patience: Duration,
    /// Held by the writing thread as long as it lives.
    thread: Arc<Semaphore>,
    aside: Aside,
}

impl Device {
    pub fn new(path: PathBuf, patience: Duration) -> Self {
        Self { path, patience, thread: Arc::new(Semaphore::new(1)), aside: Aside::new() }
    }

    async fn start(&self) -> Result<Opened, Closed> {
        let taken = Closed::to(Reach::Taken);
        let turn = timeout(self.patience, Arc::clone(&self.thread).acquire_owned())
            .await
            .map_err(|_| taken)?
            .map_err(|_| taken)?;
        // From here on dropped is told, so that a thread that comes too late writes nothing.
        let wire = Writer(Scribe::default());
        let desk = wire.0.desk();
        let (tell, told) = oneshot::channel();
        let path = self.path.clone();
        std::thread::Builder::new()
            .name("file printer".to_owned())
            .spawn(move || write(&path, desk, tell, turn))
            .map_err(|_| taken)?;
        match timeout(self.patience, told).await {
            Ok(Ok(Ok(()))) => Ok(Opened { wire: Box::new(wire), identity: None }),
            Ok(Ok(Err(kind))) => Err(Closed::because(kind)),
            Ok(Err(_)) | Err(_) => Err(taken),
        }
    }
}

impl Port for Device {
    fn habits(&self) -> Habits {
        Habits { mute: true, kept: false, reopened: false }
    }

    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>> {
        Box::pin(self.start())
    }

    fn look(&self) -> Option<BoxFuture<'_, Result<(), Closed>>> {
        // A plain file is made when it is needed, in the daemon's own folder if it has no other.
        let folder = || self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let looked = if is_device(&self.path) { &self.path } else { folder().unwrap_or(Path::new(".")) };
        let looked = looked.to_owned();
        let look = move || fs::metadata(looked).map(drop).map_err(|error| Closed::because(error.kind()));
        Some(Box::pin(self.aside.open(look)))
    }

    fn place(&self) -> String {
        format!("file {}", self.path.display())
    }
}

/// An unplugged device must not become a plain file that takes slips for ever.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev")
}

fn write(
    path: &Path,
    desk: Desk,
    tell: oneshot::Sender<Result<(), io::ErrorKind>>,
    _turn: OwnedSemaphorePermit,
) {
    let mut options = fs::OpenOptions::new();
    let opened = options.append(true).create(!is_device(path)).mode(0o600).open(path);
    // Who asked may have gone; then the line is over, too.
    let file = match opened {
        Ok(file) => {
            let _ = tell.send(Ok(()));
            file
        }
        Err(error) => {
            let _ = tell.send(Err(error.kind()));
            return;
        }
    };
    // It was opened to wait, so it never has to be asked when it takes bytes again.
    desk.work(|bytes| Ok(rustix::io::write(&file, bytes)?), std::thread::yield_now);
}

struct Writer(Scribe);

impl Wire for Writer {
    fn unsent(&self) -> usize {
        self.0.unsent()
    }

    fn blame(&self, error: &io::Error) -> Fault {
        let gone = [Errno::NODEV, Errno::NXIO, Errno::IO].map(|gone| Some(gone.raw_os_error()));
        if gone.contains(&error.raw_os_error()) { Fault::Absent } else { Fault::Error }
    }

    fn close(self: Box<Self>, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncRead for Writer {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Nothing ever comes but the end.
        self.0.poll_failed(context).map(Err)
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
