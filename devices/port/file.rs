//! A file: a character device such as `/dev/usb/lp0`, a named pipe, or a plain file that another program takes away. It is
//! written and never read, so a slip on it is *not verifiable*.
//!
//! Such a device blocks its writer for as long as it has no paper, so writing goes on in a thread of its own and none of the
//! runtime's: one that the device blocks must not hold up the daemon's end. A piece that was taken counts as unsent until the
//! thread has written it. When the line is dropped, the thread ends with the piece that it is at and writes no other
//! one; until then it holds the device, and the next job is told that the printer is silent.
//!
//! The file is opened for each job, so that an unplugged device is found again. A new plain file is made with mode 0600, for
//! slips are money.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Closed, Habits, Opened, Port, Wire};
use crate::printer::{Fault, Reach};

pub(crate) struct Device {
    path: PathBuf,
    /// For the thread before to end, and for the file to open.
    patience: Duration,
    /// Held by the writing thread as long as it lives.
    thread: Arc<Semaphore>,
}

impl Device {
    pub fn new(path: PathBuf, patience: Duration) -> Self {
        Self { path, patience, thread: Arc::new(Semaphore::new(1)) }
    }

    async fn start(&self) -> Result<Opened, Closed> {
        let taken = Closed(Reach::Taken);
        let turn = timeout(self.patience, Arc::clone(&self.thread).acquire_owned())
            .await
            .map_err(|_| taken)?
            .map_err(|_| taken)?;
        let shared = Arc::new(Shared::default());
        // From here on dropped is told, so that a thread that comes too late writes nothing.
        let wire = Writer(Arc::clone(&shared));
        let (tell, told) = oneshot::channel();
        let path = self.path.clone();
        std::thread::Builder::new()
            .name("file printer".to_owned())
            .spawn(move || write(&path, &shared, tell, turn))
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

    fn look(&self) -> Option<Result<(), Closed>> {
        // A plain file is made when it is needed.
        let looked = if is_device(&self.path) { &self.path } else { self.path.parent()? };
        Some(fs::metadata(looked).map(drop).map_err(|error| Closed::because(error.kind())))
    }

    fn place(&self) -> String {
        format!("file {}", self.path.display())
    }
}

/// An unplugged device must not become a plain file that takes slips for ever.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev")
}

/// What a line and its thread share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    /// To be written; taken by the thread.
    piece: Option<Zeroizing<Vec<u8>>>,
    /// Bytes of it, until they are written.
    unwritten: usize,
    failed: Option<i32>,
    /// The line was dropped.
    over: bool,
    waiting: Option<Waker>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next piece; `None` when there will be none.
    fn next(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut state = self.state();
        loop {
            if state.over {
                return None;
            }
            if let Some(piece) = state.piece.take() {
                return Some(piece);
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn write(
    path: &Path,
    shared: &Shared,
    tell: oneshot::Sender<Result<(), io::ErrorKind>>,
    _turn: OwnedSemaphorePermit,
) {
    let mut options = fs::OpenOptions::new();
    let opened = options.append(true).create(!is_device(path)).mode(0o600).open(path);
    // Who asked may have gone; then the line is over, too.
    let mut file = match opened {
        Ok(file) => {
            let _ = tell.send(Ok(()));
            file
        }
        Err(error) => {
            let _ = tell.send(Err(error.kind()));
            return;
        }
    };
    while let Some(piece) = shared.next() {
        let written = file.write_all(&piece);
        let mut state = shared.state();
        match written {
            Ok(()) => state.unwritten = 0,
            Err(error) => state.failed = Some(error.raw_os_error().unwrap_or_default()),
        }
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }
}

struct Writer(Arc<Shared>);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.more.notify_one();
    }
}

impl Wire for Writer {
    fn unsent(&self) -> usize {
        self.0.state().unwritten
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
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever reads a file that is only written waits until its own patience ends.
        Poll::Pending
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.state();
        if let Some(failed) = state.failed {
            return Poll::Ready(Err(io::Error::from_raw_os_error(failed)));
        }
        if state.unwritten > 0 {
            state.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.unwritten = bytes.len();
        state.piece = Some(Zeroizing::new(bytes.to_vec()));
        self.0.more.notify_one();
        Poll::Ready(Ok(bytes.len()))
    }

    /// Tells of a write that failed; waits for none.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.0.state().failed {
            Some(failed) => Err(io::Error::from_raw_os_error(failed)),
            None => Ok(()),
        })
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
