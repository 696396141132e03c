//! A thread that writes for a line, because the device that it writes to may hold its writer up for as long as it has no paper.
//!
//! It takes one piece after another. A piece that was taken counts as unsent until the device has it; one that failed is
//! told with the next piece, and by a flush. When the line is dropped, the thread ends with the piece that it is at and
//! writes no other one.
//!
//! What was offered to the kernel may be on paper, whatever came of it, so it is offered once: only `EAGAIN` says that
//! nothing of it was taken. A write that was interrupted is not repeated, unlike in the standard library: `usblp` leaves
//! such a transfer under way ([`super::usb`]), and a second one would print it twice.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::timeout;
use zeroize::Zeroizing;

/// The most that is handed over at once: of more than one transfer of `usblp` nobody could say how much was taken.
const PIECE: usize = 8 * 1024;

/// The line's side.
#[derive(Default)]
pub(super) struct Scribe(Arc<Shared>);

/// The thread's side.
pub(super) struct Desk(Arc<Shared>);

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
    /// The number of the error that ended it.
    failed: Option<i32>,
    /// The line was dropped.
    over: bool,
    waiting: Option<Waker>,
    /// Who listens, and is to hear of a failure.
    listening: Option<Waker>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scribe {
    /// Where the thread works. When this is dropped, it ends.
    pub fn desk(&self) -> Desk {
        Desk(Arc::clone(&self.0))
    }

    /// Bytes that were taken and not written yet.
    pub fn unsent(&self) -> usize {
        self.0.state().unwritten
    }

    /// Takes a piece, once the one before is written.
    pub fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.state();
        if let Some(failed) = state.failed {
            return Poll::Ready(Err(io::Error::from_raw_os_error(failed)));
        }
        if state.unwritten > 0 {
            state.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        state.unwritten = piece.len();
        state.piece = Some(Zeroizing::new(piece.to_vec()));
        self.0.more.notify_one();
        Poll::Ready(Ok(piece.len()))
    }

    /// Tells who listens of a write that failed: nothing more comes from such a line.
    pub fn poll_failed(&self, context: &mut Context<'_>) -> Poll<io::Error> {
        let mut state = self.0.state();
        if let Some(failed) = state.failed {
            return Poll::Ready(io::Error::from_raw_os_error(failed));
        }
        state.listening = Some(context.waker().clone());
        Poll::Pending
    }

    /// Tells of a write that failed; waits for none.
    pub fn flush(&self) -> io::Result<()> {
        self.0.state().failed.map_or(Ok(()), |failed| Err(io::Error::from_raw_os_error(failed)))
    }

    /// Waits for a while until all is written, or has failed.
    pub async fn written(&self, patience: Duration) {
        let done = std::future::poll_fn(|context| {
            let mut state = self.0.state();
            if state.unwritten == 0 || state.failed.is_some() {
                return Poll::Ready(());
            }
            state.waiting = Some(context.waker().clone());
            Poll::Pending
        });
        // What is left stays with the thread.
        let _ = timeout(patience, done).await;
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.more.notify_one();
    }
}

impl Desk {
    /// Writes until the line is dropped or a write fails. `write` offers bytes once and answers how many were taken; `ready`
    /// waits a moment until the device may take some again.
    pub fn work(self, mut write: impl FnMut(&[u8]) -> io::Result<usize>, ready: impl Fn()) {
        while let Some(piece) = self.next() {
            let done = self.write(&piece, &mut write, &ready);
            let mut state = self.0.state();
            match done {
                Ok(()) => state.unwritten = 0,
                Err(error) => {
                    state.failed = Some(error.raw_os_error().unwrap_or_default());
                    if let Some(waker) = state.listening.take() {
                        waker.wake();
                    }
                }
            }
            if let Some(waker) = state.waiting.take() {
                waker.wake();
            }
        }
    }

    /// Waits for the next piece; `None` when there will be none.
    fn next(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut state = self.0.state();
        loop {
            if state.over || state.failed.is_some() {
                return None;
            }
            if let Some(piece) = state.piece.take() {
                return Some(piece);
            }
            state = self.0.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(
        &self,
        piece: &[u8],
        write: &mut impl FnMut(&[u8]) -> io::Result<usize>,
        ready: &impl Fn(),
    ) -> io::Result<()> {
        let mut rest = piece;
        while !rest.is_empty() && !self.0.state().over {
            match write(rest) {
                Ok(0) => return Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready(),
                Err(error) => return Err(error),
            }
            self.0.state().unwritten = rest.len().max(1);
        }
        Ok(())
    }
}
