//! The simulated printer on a serial line: a pseudo-terminal whose far end takes bytes at a baud rate and no faster.
//!
//! ```text
//!  daemon ──► pseudo-terminal ──► line: 10 bits a byte ──► buffer (4 KiB) ──► mechanism ──► paper
//! ```
//!
//! What a real line does and a pipe does not: each byte takes its time; a printer whose buffer is full holds the line up if
//! it has flow control, and loses what comes if it has none; a mechanism that is slower than the line fills the buffer.
//! Unplugged, the device goes away and its link with it; plugged in again, it is another device behind the same link, as
//! behind `/dev/serial/by-id`.
//!
//! Not simulated: noise, parity, a wrong baud rate, and what an adapter does to bytes.

use std::fs;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{ANSWER, Answers, Controls, Shared};
use crate::engine::Engine;
use crate::profile::Profile;

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits a second, ten of them a byte. A USB cable is a very fast line.
    pub baud: u32,
    /// The printer holds the line up when its buffer is full, by RTS/CTS or by not taking a transfer.
    pub flow: bool,
    /// Bytes that fit into its buffer.
    pub buffer: usize,
    /// Bytes a second that its mechanism works off; none: as fast as they come.
    pub speed: Option<u32>,
}

impl LineSettings {
    /// The classic buffer and RTS/CTS at a speed.
    pub const fn at(baud: u32) -> Self {
        Self { baud, flow: true, buffer: 4096, speed: None }
    }

    /// As fast as USB, as far as slips are concerned.
    pub const USB: Self = Self { baud: 100_000_000, flow: true, buffer: 64 * 1024, speed: None };

    fn byte_time(self) -> Duration {
        Duration::from_nanos(10_000_000_000_u64.checked_div(u64::from(self.baud)).unwrap_or(0))
    }
}

/// A simulated printer on a line that runs until this is dropped.
pub struct SimulatedLine {
    controls: Controls,
    link: PathBuf,
    server: JoinHandle<()>,
}

impl Deref for SimulatedLine {
    type Target = Controls;
    fn deref(&self) -> &Controls {
        &self.controls
    }
}

impl SimulatedLine {
    /// Plugs one in. Its device is found by the link, which is made, and goes and comes with the device.
    pub fn start(
        link: PathBuf,
        settings: LineSettings,
        profile: Profile,
        answers: Answers,
    ) -> io::Result<Self> {
        let mut engine = Engine::new(profile, answers);
        engine.limit(settings.buffer, settings.speed.is_some());
        let shared = Shared::new(engine, None);
        let device = Device::plug(&link)?;
        let server = tokio::spawn(serve(device, link.clone(), settings, Arc::clone(&shared)));
        Ok(Self { controls: Controls { shared }, link, server })
    }

    /// Where its device is found.
    pub fn path(&self) -> &Path {
        &self.link
    }
}

impl Drop for SimulatedLine {
    fn drop(&mut self) {
        self.server.abort();
        // Perhaps it was unplugged.
        let _ = fs::remove_file(&self.link);
    }
}

/// A plugged in pseudo-terminal. No pipe: what tokio calls so is any file that can be waited for.
struct Device {
    from: Receiver,
    to: Sender,
    /// Its other end, held open so that it keeps its settings while nobody uses it.
    _near: fs::File,
    link: PathBuf,
}

impl Device {
    fn plug(link: &Path) -> io::Result<Self> {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&far)?;
        unlockpt(&far)?;
        let name = ptsname(&far, Vec::new())?;
        let name = name.into_string().map_err(|_| io::ErrorKind::InvalidData)?;
        let near = fs::OpenOptions::new().read(true).write(true).open(&name)?;
        let mut modes = tcgetattr(&near)?;
        modes.make_raw();
        tcsetattr(&near, OptionalActions::Now, &modes)?;
        fcntl_setfl(&far, fcntl_getfl(&far)? | OFlags::NONBLOCK)?;
        let far = fs::File::from(far);
        let from = Receiver::from_file_unchecked(far.try_clone()?)?;
        let to = Sender::from_file_unchecked(far)?;
        // One of before may have been left behind.
        let _ = fs::remove_file(link);
        symlink(&name, link)?;
        Ok(Self { from, to, _near: near, link: link.to_owned() })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.link);
    }
}

async fn serve(first: Device, link: PathBuf, settings: LineSettings, shared: Arc<Shared>) {
    let mut plugged = Some(first);
    loop {
        let is_out = shared.unplugged.load(Ordering::Relaxed) || shared.engine().is_powerless();
        if is_out {
            plugged = None;
            shared.changed.notified().await;
            continue;
        }
        let device = match plugged.take() {
            Some(device) => device,
            None => match Device::plug(&link) {
                Ok(device) => device,
                Err(error) => {
                    tracing::warn!(%error, "the simulated line cannot be plugged in");
                    return;
                }
            },
        };
        shared.hang_up.store(false, Ordering::Relaxed);
        // How a device goes is no news.
        let _ = converse(device, settings, &shared).await;
    }
}

/// Runs until the device goes.
async fn converse(mut device: Device, settings: LineSettings, shared: &Shared) -> io::Result<()> {
    let byte_time = settings.byte_time();
    // What comes within two ms is taken at once: no timer is finer.
    let batch = 2_000_000_u128.checked_div(byte_time.as_nanos()).unwrap_or(1);
    let batch = usize::try_from(batch).unwrap_or(1).clamp(1, 256);
    let mut bytes = [0_u8; 256];
    // When the line to the printer has brought what it was given.
    let mut free = Instant::now();
    let mut worked = Instant::now();
    loop {
        let now = Instant::now();
        let (answers, takes, at_work) = shared.with(|engine| {
            if let Some(speed) = settings.speed {
                let due = now.duration_since(worked).as_millis().saturating_mul(u128::from(speed)) / 1000;
                if due > 0 {
                    worked = now;
                    engine.let_work(usize::try_from(due).unwrap_or(usize::MAX));
                }
            }
            (engine.take_answers(), engine.takes(), engine.is_at_work())
        });
        if !answers.is_empty() {
            sleep(byte_time.saturating_mul(u32::try_from(answers.len()).unwrap_or(u32::MAX))).await;
            timeout(ANSWER, device.to.write_all(&answers)).await??;
        }
        let room = if settings.flow { takes.min(batch) } else { batch };
        let waiting = match device.from.try_read(bytes.get_mut(..room).unwrap_or_default()) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        let count = if waiting > 0 {
            waiting
        } else {
            tokio::select! {
                read = device.from.read(bytes.get_mut(..room).unwrap_or_default()), if room > 0 => {
                    // It was idle, so the first byte starts now.
                    free = Instant::now();
                    read?
                }
                () = shared.changed.notified() => 0,
                () = sleep(Duration::from_millis(5)), if at_work => 0,
            }
        };
        free += byte_time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        sleep_until(free).await;
        let goes_on = shared.with(|engine| bytes.iter().take(count).all(|byte| engine.take(*byte)));
        let gone = shared.unplugged.load(Ordering::Relaxed) || shared.hang_up.swap(false, Ordering::Relaxed);
        if !goes_on || gone {
            return Ok(());
        }
    }
}
