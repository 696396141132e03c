//! The simulated printer: a network printer on loopback, or one on a serial [`mod@line`], that prints into memory and can
//! fail in every way that matters.
//!
//! It is a device of its own, not a stand-in behind the [`Printer`](crate::printer::Printer) trait: the daemon reaches
//! it through the same transport, bytes and time-outs as a real one. Like most real ones it serves one client at a time;
//! the next waits. What it does with the bytes is in `engine.rs`.
//!
//! **For simulations only.** It keeps papers in clear, in memory and, if told to, in a folder (created 0700, its files
//! 0600). A slip of a gift card is money: never point a till that sells real cards at it.

pub mod line;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::sockopt::set_socket_recv_buffer_size;
use tilld_domain::slip::Slip;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::Engine;
pub use crate::engine::{Answers, Automatic, SimulatedFault, SimulatedPaper};
use crate::profile::Profile;

/// How long a client may refuse to take answers before it is dropped: they are a few bytes, so it is gone.
const ANSWER: Duration = Duration::from_secs(2);

/// What a connection holds on this side of it, in bytes.
const WINDOW: usize = 4096;

/// How papers are drawn for people. Given from outside, because pictures are not this room's business.
#[derive(Debug, Clone, Copy)]
pub struct Drawing {
    /// As text for a terminal.
    pub text: fn(&Slip) -> String,
    /// As SVG.
    pub picture: fn(&Slip) -> String,
}

/// Where each paper is kept as a `.txt` and an `.svg` file. They hold codes in clear.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The folder; made, with mode 0700, if it is not there.
    pub folder: PathBuf,
    /// How the files are drawn.
    pub drawing: Drawing,
}

/// A simulated printer on the network that runs until this is dropped.
pub struct SimulatedPrinter {
    controls: Controls,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// What people do to a printer, whatever it hangs on.
pub struct Controls {
    shared: Arc<Shared>,
}

impl Deref for SimulatedPrinter {
    type Target = Controls;
    fn deref(&self) -> &Controls {
        &self.controls
    }
}

struct Shared {
    engine: Mutex<Engine>,
    changed: Notify,
    finished: watch::Sender<usize>,
    hang_up: AtomicBool,
    /// The cable is out.
    unplugged: AtomicBool,
    keep: Option<Keep>,
}

impl SimulatedPrinter {
    /// Starts one on a free port of 127.0.0.1. Must be called inside a tokio runtime.
    pub async fn start(profile: Profile, answers: Answers, keep: Option<Keep>) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), profile, answers, keep).await
    }

    /// Starts one at a certain address. Its papers are money in clear, so anything but loopback is refused.
    pub async fn start_at(
        address: SocketAddr,
        profile: Profile,
        answers: Answers,
        keep: Option<Keep>,
    ) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a simulated printer listens on loopback only",
            ));
        }
        if let Some(keep) = &keep {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keep.folder)?;
        }
        let listener = TcpListener::bind(address).await?;
        // A printer has no more room on its side than its own buffer.
        set_socket_recv_buffer_size(&listener, WINDOW)?;
        let address = listener.local_addr()?;
        let shared = Shared::new(Engine::new(profile, answers), keep);
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { controls: Controls { shared }, address, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Controls {
    /// The papers that left it, oldest first. The one that is being printed is not among them.
    pub fn papers(&self) -> Vec<SimulatedPaper> {
        self.shared.engine().papers().cloned().collect()
    }

    /// Takes the papers that left it away, oldest first.
    pub fn take_papers(&self) -> Vec<SimulatedPaper> {
        self.shared.engine().take_papers()
    }

    /// How many papers have left it since its start.
    pub fn finished(&self) -> usize {
        self.shared.engine().finished()
    }

    /// How many times the drawer's coil was driven.
    pub fn drawer_pulses(&self) -> u32 {
        self.shared.engine().pulses()
    }

    /// Makes something wrong with it, instead of what was wrong before.
    pub fn fault(&self, fault: SimulatedFault) {
        self.change(|engine| engine.set_fault(Some(fault)));
    }

    /// Repairs it: paper in, cover closed, on-line, power on. It goes on with what waits.
    pub fn clear(&self) {
        self.change(|engine| engine.set_fault(None));
    }

    /// Whether the roll is near its end.
    pub fn paper_low(&self, low: bool) {
        self.change(|engine| engine.set_paper_low(low));
    }

    /// The level of the drawer's sensor.
    pub fn drawer_pin_high(&self, high: bool) {
        self.change(|engine| engine.set_drawer_high(high));
    }

    /// Which questions it answers from now on.
    pub fn answers(&self, answers: Answers) {
        self.change(|engine| engine.set_answers(answers));
    }

    /// Off and on again: the connection breaks, what waited is lost, a begun paper is torn off. A fault stays.
    pub fn power_cycle(&self) {
        self.shared.hang_up.store(true, Ordering::Relaxed);
        self.change(Engine::power_cycle);
    }

    /// Its power is cut until it is repaired: what waited is lost, a begun paper is torn off.
    pub fn lose_power(&self) {
        self.shared.hang_up.store(true, Ordering::Relaxed);
        self.change(Engine::lose_power);
    }

    /// Closes the connection as a printer does with an idle client; nothing else happens.
    pub fn hang_up(&self) {
        self.shared.hang_up.store(true, Ordering::Relaxed);
        self.shared.changed.notify_one();
    }

    /// Takes the cable of a [`mod@line`] out: the device goes. (A cable of a network tells nobody; [`SimulatedFault::Deaf`]
    /// is like it.)
    pub fn unplug(&self) {
        self.shared.unplugged.store(true, Ordering::Relaxed);
        self.shared.changed.notify_one();
    }

    /// Puts its cable in again.
    pub fn plug(&self) {
        self.shared.unplugged.store(false, Ordering::Relaxed);
        self.shared.changed.notify_one();
    }

    /// Says something that nobody asked for and no manual has.
    pub fn say(&self, bytes: &[u8]) {
        self.change(|engine| engine.say(bytes));
    }

    /// Bytes that came while its buffer was full.
    pub fn lost_bytes(&self) -> usize {
        self.shared.engine().lost()
    }

    /// Tears a begun paper off.
    pub fn tear(&self) {
        self.change(Engine::tear);
    }

    /// Waits until so many papers have left it since its start, and answers all that are kept.
    pub async fn wait_for_papers(&self, count: usize) -> Vec<SimulatedPaper> {
        let mut finished = self.shared.finished.subscribe();
        // The sender lives as long as this handle does.
        let _ = finished.wait_for(|finished| *finished >= count).await;
        self.papers()
    }

    fn change(&self, act: impl FnOnce(&mut Engine)) {
        self.shared.with(act);
        self.shared.changed.notify_one();
    }
}

impl Drop for SimulatedPrinter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn new(engine: Engine, keep: Option<Keep>) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(engine),
            changed: Notify::new(),
            finished: watch::Sender::new(0),
            hang_up: AtomicBool::new(false),
            unplugged: AtomicBool::new(false),
            keep,
        })
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the engine; papers that leave it by that are kept, then announced.
    fn with<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> T {
        let mut engine = self.engine();
        let before = engine.finished();
        let result = act(&mut engine);
        let finished = engine.finished();
        let fresh = finished.saturating_sub(before);
        if fresh > 0 {
            if let Some(keep) = &self.keep {
                let skip = engine.papers().count().saturating_sub(fresh);
                for (paper, number) in engine.papers().skip(skip).zip(before.saturating_add(1)..) {
                    if let Err(error) = keep_paper(keep, number, &paper.slip) {
                        tracing::warn!(%error, number, "the simulated printer could not keep a paper");
                    }
                }
            }
            self.finished.send_replace(finished);
        }
        result
    }
}

fn keep_paper(keep: &Keep, number: usize, slip: &Slip) -> io::Result<()> {
    let write = |path: &Path, text: String| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
    };
    write(&keep.folder.join(format!("paper-{number:04}.txt")), (keep.drawing.text)(slip))?;
    write(&keep.folder.join(format!("paper-{number:04}.svg")), (keep.drawing.picture)(slip))
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of file descriptors: nothing to be done but to try again after a while.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        shared.hang_up.store(false, Ordering::Relaxed);
        if shared.engine().is_powerless() {
            reset(&client);
            continue;
        }
        // How a client goes away is no news.
        let _ = converse(client, &shared).await;
    }
}

/// A connection that is closed as by a power cut.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}

async fn converse(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut bytes = [0_u8; 1024];
    loop {
        let (answers, takes) = shared.with(|engine| (engine.take_answers(), engine.takes() > 0));
        if !answers.is_empty() {
            timeout(ANSWER, client.write_all(&answers)).await??;
        }
        tokio::select! {
            read = client.read(&mut bytes), if takes => {
                let count = read?;
                if count == 0 {
                    return Ok(());
                }
                let goes_on =
                    shared.with(|engine| bytes.iter().take(count).all(|byte| engine.take(*byte)));
                if !goes_on {
                    reset(&client);
                    return Ok(());
                }
            }
            () = shared.changed.notified() => {
                if shared.hang_up.swap(false, Ordering::Relaxed) {
                    return Ok(());
                }
            }
        }
    }
}
