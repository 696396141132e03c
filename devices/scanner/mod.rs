//! Scanners: what a device reads becomes one event with its source, [`Scan`], and reaches nothing but the counter.
//!
//! ```text
//!  serial port ──bytes──────────────────────┐
//!                                           ├─► framing ──► Scan { source, text }
//!  input device ──key events──► keys, layout ┘
//! ```
//!
//! | module | thinks about |
//! |---|---|
//! | [`framing`] | where a scan begins and ends, and what is none |
//! | [`layout`], [`keys`] | what the keys of a scanner that types mean |
//! | [`serial`] | a scanner on a serial port, also a virtual one |
//! | [`input`] | a scanner that types: found, grabbed, read |
//! | `kernel` | the kernel's side of it, behind a seam of two methods |
//!
//! A scanner is looked for once a second while it is not there ([`LOOK`]). Why not inotify on `/dev`: the device file
//! appears before udev has given it to this program's group, so a second look is needed anyway; the links by identity appear
//! later still; and a look costs a few reads in `/sys` while nothing is plugged in, and nothing at all while the scanner is
//! there. It is gone when its line says so. A device that is there and cannot be opened is tried again after 1, 2, 4 and
//! then every 8 looks, and at once when it was plugged in anew.
//!
//! Invariants: a text is handed over whole or not at all; nobody is waited for with one ([`HELD`] may lie ready, then it is
//! dropped and counted, and the cashier scans again); it is in no log, no error and no `Debug`, and its memory is wiped (law
//! L11). The AIM identifier that a scanner may send before it stays part of the text: the domain reads from it what kind of
//! code it was.
//!
//! Absent: what a text means (`tilld_domain::voucher::scan`), and sending anything to a scanner.

pub mod framing;
pub mod input;
mod kernel;
pub mod keys;
pub mod layout;
pub mod serial;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::secret::Secret;
use tokio::sync::{mpsc, watch};

use self::framing::{Framer, Framing, Lost};
use crate::aside::aside;
use crate::plugged::NotFound;

/// How often a scanner that is not there is looked for: it must be found within 2 s.
pub const LOOK: Duration = Duration::from_secs(1);
/// How many scans may lie ready.
pub const HELD: usize = 16;
/// After how many looks a device is tried again that could not be opened, by how often it could not.
const LOOKS_BETWEEN: [u32; 4] = [1, 2, 4, 8];

/// What a scanner read, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The scanner's name in the configuration.
    pub source: Arc<str>,
    /// What was read: at most [`framing::LONGEST`] bytes, of control characters only those that codes carry.
    pub text: Secret,
}

/// How a scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Whether it can be read.
    pub presence: Presence,
    /// How many scans it has given.
    pub scans: u64,
    /// How many were dropped, and for what.
    pub dropped: Dropped,
}

/// Whether a scanner can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nobody has looked yet.
    Unknown,
    /// Its line is open; one that types is grabbed. What hangs on a plain serial port cannot be told.
    Ready,
    /// It is not plugged in.
    Absent,
    /// So many devices have its address: none is taken.
    Several(usize),
    /// It looks like the cashier's keyboard, and was not named explicitly: it is left alone.
    Keyboard,
    /// A key of it is down: to grab it now would leave that key stuck for who else listens. It is tried again.
    KeyDown,
    /// This program may not open it.
    Forbidden,
    /// Another program has it.
    Taken,
    /// It cannot be opened for another reason.
    Broken,
}

/// How many scans were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Longer than any code.
    pub too_long: u64,
    /// No text, or with keys that have no character.
    pub unreadable: u64,
    /// Ended without what ends a scan.
    pub cut_short: u64,
    /// Began without what begins a scan.
    pub without_prefix: u64,
    /// Nobody took it in time.
    pub not_taken: u64,
}

impl Dropped {
    /// All of them.
    pub fn all(&self) -> u64 {
        [self.too_long, self.unreadable, self.cut_short, self.without_prefix, self.not_taken]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// A scanner, whatever it hangs on.
pub trait Scanner: Send + Sync + 'static {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// How it is; each change wakes the receiver.
    fn condition(&self) -> watch::Receiver<Condition>;

    /// Finds it, reads it, finds it again when it was gone; for as long as it is polled. Dropping it lets the device go.
    fn read(&self, scans: mpsc::Sender<Scan>) -> BoxFuture<'_, ()>;
}

/// A scanner's name and condition, whatever it hangs on.
struct Sign {
    name: Arc<str>,
    condition: watch::Sender<Condition>,
}

impl Sign {
    fn new(name: &str) -> Self {
        let unknown = Condition { presence: Presence::Unknown, scans: 0, dropped: Dropped::default() };
        Self { name: Arc::from(name), condition: watch::Sender::new(unknown) }
    }

    fn says(&self, presence: Presence) {
        let changed = self.condition.send_if_modified(|condition| {
            let changed = condition.presence != presence;
            condition.presence = presence;
            changed
        });
        if changed {
            tracing::info!(scanner = &*self.name, ?presence, "how a scanner is has changed");
        }
    }
}

/// What a scanner's bytes go through on their way out.
struct Outlet<'a> {
    sign: &'a Sign,
    framer: Framer,
    scans: mpsc::Sender<Scan>,
}

impl<'a> Outlet<'a> {
    fn new(sign: &'a Sign, framing: &Framing, scans: mpsc::Sender<Scan>) -> Self {
        Self { sign, framer: Framer::new(framing.clone()), scans }
    }

    /// After what silence [`Outlet::silence`] is to be called; none while nothing has begun.
    fn gap(&self) -> Option<Duration> {
        self.framer.has_begun().then(|| self.framer.gap())
    }

    fn byte(&mut self, byte: u8) {
        let ended = self.framer.push(byte);
        self.ended(ended);
    }

    fn letter(&mut self, letter: char) {
        let mut bytes = [0; 4];
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            self.byte(byte);
        }
        zeroize::Zeroize::zeroize(&mut bytes);
    }

    fn silence(&mut self) {
        let ended = self.framer.silence();
        self.ended(ended);
    }

    fn ended(&mut self, ended: Option<Result<Secret, Lost>>) {
        let lost = match ended {
            None => return,
            Some(Ok(text)) => {
                let scan = Scan { source: Arc::clone(&self.sign.name), text };
                match self.scans.try_send(scan) {
                    Ok(()) => {
                        self.sign
                            .condition
                            .send_modify(|condition| condition.scans = condition.scans.saturating_add(1));
                        return;
                    }
                    Err(_) => None,
                }
            }
            Some(Err(lost)) => Some(lost),
        };
        self.sign.condition.send_modify(|condition| {
            let dropped = &mut condition.dropped;
            let count = match lost {
                Some(Lost::TooLong) => &mut dropped.too_long,
                Some(Lost::Unreadable) => &mut dropped.unreadable,
                Some(Lost::CutShort) => &mut dropped.cut_short,
                Some(Lost::WithoutPrefix) => &mut dropped.without_prefix,
                None => &mut dropped.not_taken,
            };
            *count = count.saturating_add(1);
            // A line that carries noise must not fill the disk.
            let all = dropped.all();
            if all.is_power_of_two() {
                tracing::warn!(scanner = &*self.sign.name, ?lost, all, "a scan was dropped");
            }
        });
    }
}

/// What a scanner hangs on.
trait Line: Sync {
    /// What was found; another one after it was plugged in anew.
    type Found: PartialEq + Send;

    /// Looks for it.
    fn find(&self) -> impl Future<Output = Result<Self::Found, Presence>> + Send;

    /// Opens what was found, says so, and reads until it is gone. Returns why it cannot be read, and whether anything came.
    fn read(
        &self,
        found: &Self::Found,
        out: &mut Outlet<'_>,
    ) -> impl Future<Output = (Presence, bool)> + Send;
}

/// Finds, reads, and finds again.
async fn keep_reading<L: Line>(line: &L, mut out: Outlet<'_>) {
    let mut failed: Option<(L::Found, usize, u32)> = None;
    loop {
        match line.find().await {
            Err(presence) => {
                failed = None;
                out.sign.says(presence);
            }
            Ok(found) => match &mut failed {
                Some((before, _, looks)) if *before == found && *looks > 0 => {
                    *looks = looks.saturating_sub(1);
                }
                _ => {
                    let times = failed
                        .take()
                        .filter(|(before, ..)| *before == found)
                        .map_or(0, |(_, times, _)| times);
                    let (presence, anything) = line.read(&found, &mut out).await;
                    out.framer.forget();
                    out.sign.says(presence);
                    let times = if anything { 0 } else { times };
                    // The look that follows is one of them.
                    let looks = LOOKS_BETWEEN
                        .get(times)
                        .or(LOOKS_BETWEEN.last())
                        .map_or(0, |looks| looks.saturating_sub(1));
                    failed = Some((found, times.saturating_add(1), looks));
                }
            },
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One plugging of a device: the same path has another one when it was plugged in again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plugging {
    path: PathBuf,
    file: (u64, u64),
}

impl Plugging {
    fn of(path: &Path) -> Result<Self, Presence> {
        // A device file is made anew with each plugging.
        let file = fs::metadata(path).map_err(|error| refused(&error))?;
        Ok(Self { path: path.to_owned(), file: (file.dev(), file.ino()) })
    }
}

impl From<NotFound> for Presence {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Absent => Self::Absent,
            NotFound::Several(count) => Self::Several(count),
        }
    }
}

/// Looks through what the kernel lists: hundreds of small files where much is plugged in.
async fn look<T: Send + 'static>(
    find: impl FnOnce() -> Result<T, Presence> + Send + 'static,
) -> Result<T, Presence> {
    aside("scanner", find).await.unwrap_or(Err(Presence::Broken))
}

/// What an error on opening says of a device.
fn refused(error: &io::Error) -> Presence {
    match error.kind() {
        io::ErrorKind::NotFound => Presence::Absent,
        io::ErrorKind::PermissionDenied => Presence::Forbidden,
        io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock => Presence::Taken,
        // ENODEV, ENXIO: the file is still there, the device has gone.
        _ if matches!(error.raw_os_error(), Some(6 | 19)) => Presence::Absent,
        _ => Presence::Broken,
    }
}

#[cfg(test)]
mod tests;
