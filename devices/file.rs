//! A printer that is a file: a character device such as `/dev/usb/lp0`, a named pipe, or a plain file that another
//! program takes away. It is written and never read, so a slip on it is *not verifiable*.
//!
//! Such a device blocks its writer for as long as it has no paper, so writing goes on in a thread of its own, chunk by
//! chunk. When the printer makes no progress in time, the job is unknown; the thread ends with the chunk that it is at
//! and writes no other one. Until then it holds the device, and the next job is told that the printer is silent.
//!
//! The file is opened for each job, so that an unplugged device is found again. A new plain file is made with mode
//! 0600, for slips are money.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use tilld_domain::slip::{Paper, Slip};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::encode::encode;
use crate::job::{FINISHING, Patience};
use crate::printer::{Fault, JobOutcome, Printer, Probed, Proof, Reach, Status};
use crate::profile::{Ability, Profile};

/// A file printer's settings.
#[derive(Debug, Clone)]
pub struct FilePrinter {
    /// Its name in the configuration.
    pub name: String,
    /// The file or device; bytes are appended.
    pub path: PathBuf,
    /// What kind it is.
    pub profile: Profile,
    /// How long things may take.
    pub patience: Patience,
}

/// A printer that is a file. Nothing is opened before it is used.
pub fn file(settings: FilePrinter) -> Arc<dyn Printer> {
    let turn = Arc::new(Mutex::new(Turn { unfinished: true }));
    Arc::new(Device { settings, turn, condition: watch::Sender::new(None) })
}

struct Device {
    settings: FilePrinter,
    /// Held by the writing thread as long as it lives.
    turn: Arc<Mutex<Turn>>,
    condition: watch::Sender<Option<Status>>,
}

/// What the writing thread knows of the device.
struct Turn {
    /// The last job, perhaps of a run that was killed, may have left a command half-sent.
    unfinished: bool,
}

/// What the waiting job and its thread share.
#[derive(Default)]
struct Progress {
    /// Bytes that the device was offered: those of the chunk that it is at may have gone.
    offered: AtomicUsize,
    given_up: AtomicBool,
}

/// Sets a flag when the job that waits is dropped or done, so that its thread writes no further chunk.
struct GivesUp(Arc<Progress>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.given_up.store(true, Ordering::SeqCst);
    }
}

impl Device {
    async fn job(&self, slip: &Slip) -> JobOutcome {
        let patience = self.settings.patience;
        let encoded = encode(&self.settings.profile, slip);
        let Ok(mut turn) = timeout(patience.turn, Arc::clone(&self.turn).lock_owned()).await else {
            return JobOutcome::NothingPrinted(Fault::Silent);
        };
        let progress = Arc::new(Progress::default());
        let waiting = GivesUp(Arc::clone(&progress));
        let (tell, mut told) = mpsc::unbounded_channel();
        let path = self.settings.path.clone();
        let shared = Arc::clone(&progress);
        let replaced = encoded.replaced;
        // A thread of its own and none of the runtime's: one that the device blocks must not hold up the daemon's end.
        // The turn goes with it.
        let thread = std::thread::Builder::new().name("file printer".to_owned()).spawn(move || {
            let unfinished = std::mem::replace(&mut turn.unfinished, true);
            let end = write(&path, unfinished, &encoded.bytes, patience.chunk.max(1), &shared, || {
                // Nobody listens any more when the job was given up.
                let _ = tell.send(None);
            });
            turn.unfinished = end.is_err();
            let _ = tell.send(Some(end));
        });
        if thread.is_err() {
            return JobOutcome::NothingPrinted(Fault::Error);
        }

        let end = Instant::now() + patience.job;
        let fault = loop {
            match timeout_at(end.min(Instant::now() + patience.progress), told.recv()).await {
                Ok(Some(None)) => {}
                Ok(Some(Some(Ok(())))) => {
                    return JobOutcome::Printed { proof: Proof::NotVerifiable, replaced };
                }
                Ok(Some(Some(Err(fault)))) => break fault,
                Ok(None) => break Fault::Error,
                Err(_) => break Fault::Silent,
            }
        };
        // First no further chunk, then the count: what is offered after the flag is seen by nobody.
        drop(waiting);
        match progress.offered.load(Ordering::SeqCst) {
            0 => JobOutcome::NothingPrinted(fault),
            bytes_sent => JobOutcome::Unknown { fault, bytes_sent },
        }
    }
}

fn write(
    path: &Path,
    unfinished: bool,
    bytes: &[u8],
    chunk: usize,
    progress: &Progress,
    advanced: impl Fn(),
) -> Result<(), Fault> {
    let mut options = std::fs::OpenOptions::new();
    // An unplugged device must not become a plain file that takes slips for ever.
    let creates = !path.starts_with("/dev");
    let mut file = options.append(true).create(creates).mode(0o600).open(path).map_err(|_| Fault::Absent)?;
    if progress.given_up.load(Ordering::SeqCst) {
        return Err(Fault::Silent);
    }
    if unfinished {
        file.write_all(&FINISHING).map_err(|_| Fault::Error)?;
    }
    for chunk in bytes.chunks(chunk) {
        // Offered first and asked second: whoever gives up sees either the bytes or a thread that stops.
        progress.offered.fetch_add(chunk.len(), Ordering::SeqCst);
        if progress.given_up.load(Ordering::SeqCst) {
            return Err(Fault::Silent);
        }
        file.write_all(chunk).map_err(|_| Fault::Error)?;
        advanced();
    }
    Ok(())
}

impl Printer for Device {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn paper(&self) -> Paper {
        self.settings.profile.paper()
    }

    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        Box::pin(async {
            let outcome = self.job(slip).await;
            let learnt = match outcome {
                JobOutcome::Printed { .. } => None,
                JobOutcome::NothingPrinted(fault) | JobOutcome::Unknown { fault, .. } => {
                    Some(Status::faulty(fault))
                }
            };
            crate::job::publish(&self.condition, learnt);
            outcome
        })
    }

    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(std::future::ready(None))
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.subscribe()
    }

    fn probe(&self, _: bool) -> BoxFuture<'_, Probed> {
        let reach = match std::fs::metadata(&self.settings.path) {
            Ok(_) => Reach::Open,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Reach::Forbidden,
            Err(_) => Reach::Absent,
        };
        let lacks = Ability::Lacks;
        let (real_time, queued, process_id, automatic) = (lacks, lacks, lacks, lacks);
        let probed = Probed { reach, identity: None, real_time, queued, process_id, automatic, status: None };
        Box::pin(std::future::ready(probed))
    }
}
