//! Room on the disk, taken from the real journal by the kernel: a limit on how far this process may write into any file.
//!
//! A write beyond the limit is cut off there, and fails where nothing of it fits, as on a full disk; `SQLite` reports it as an
//! error of the disk. Nothing in the journal knows of it. The limit is the process's own, so only one year runs in it at a time,
//! and nobody else may write a file meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// What the kernel sends to a process that writes beyond its limit: it kills unless somebody listens.
const FILE_TOO_LARGE: i32 = 25;

static ALONE: Mutex<()> = Mutex::new(());

/// All of the room that this process has.
pub struct Room {
    before: Rlimit,
    /// How much it will be as soon as something is about to be written.
    soon: Mutex<Option<u64>>,
}

impl Room {
    /// To be held for as long as the room is limited now and then.
    pub fn alone() -> MutexGuard<'static, ()> {
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take() -> Self {
        let listening = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        // Once somebody has listened it no longer kills, for as long as the process lives.
        listening.block_on(async { drop(signal(SignalKind::from_raw(FILE_TOO_LARGE)).unwrap()) });
        Self { before: getrlimit(Resource::Fsize), soon: Mutex::default() }
    }

    /// No file can be written beyond so many bytes, from the next call or slip on: what comes of it cannot be written.
    pub fn limit_soon(&self, bytes: u64) {
        *self.soon.lock().unwrap() = Some(bytes);
    }

    /// A call or a slip begins.
    pub fn strike(&self) {
        let soon = self.soon.lock().unwrap().take();
        if soon.is_some() {
            self.limit(soon);
        }
    }

    /// From now on no file can be written beyond so many bytes; none: as before.
    pub fn limit(&self, bytes: Option<u64>) {
        self.soon.lock().unwrap().take();
        let limit = Rlimit { current: bytes.or(self.before.current), maximum: self.before.maximum };
        setrlimit(Resource::Fsize, limit).unwrap();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.limit(None);
    }
}
