//! A printer on the network, at its raw port (9100).
//!
//! One connection is held, because such printers serve one client at a time and refuse the next for minutes after one
//! that went without a word (fact sheet ESCPOS 2). It is made on first use, and made again when the held one turns out
//! to be dead *before* the first byte of a slip: printers drop idle clients, and are switched off over night. Once a
//! byte of a slip has gone, nothing is tried again. A connection on which a job ended badly is not used for the next.
//!
//! A printer that cannot be asked gets a connection for each job: a dead one would not be noticed. It is closed in
//! order (no more bytes, then wait for the printer to close), because a reset can cost the end of the slip.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tilld_domain::slip::{Paper, Slip};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use crate::encode::encode;
use crate::job::{Known, Line, NotReady, Patience, Talk, publish};
use crate::printer::{Fault, JobOutcome, Printer, Probed, Proof, Reach, Status};
use crate::profile::{Ability, Profile};

/// A network printer's settings.
#[derive(Debug, Clone)]
pub struct NetworkPrinter {
    /// Its name in the configuration.
    pub name: String,
    /// Host and port, for example `192.0.2.7:9100`.
    pub address: String,
    /// What kind it is.
    pub profile: Profile,
    /// How long things may take.
    pub patience: Patience,
}

/// A printer on the network. Nothing is connected before it is used.
pub fn network(settings: NetworkPrinter) -> Arc<dyn Printer> {
    let known = Known::new(&settings.profile, seed());
    let state = Mutex::new(State { known, held: None });
    Arc::new(Network { settings, state, condition: watch::Sender::new(None) })
}

/// Something that differs from run to run; no secret.
pub(crate) fn seed() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}

struct Network {
    settings: NetworkPrinter,
    /// Also the queue: whoever holds it prints.
    state: Mutex<State>,
    condition: watch::Sender<Option<Status>>,
}

struct State {
    known: Known,
    held: Option<Line<TcpStream>>,
}

impl Network {
    async fn connect(&self) -> Result<Line<TcpStream>, Fault> {
        let stream = timeout(self.settings.patience.connect, TcpStream::connect(&self.settings.address))
            .await
            .map_err(|_| Fault::Absent)?
            .map_err(|_| Fault::Absent)?;
        // Questions of three bytes must not wait for company.
        stream.set_nodelay(true).map_err(|_| Fault::Absent)?;
        Ok(Line::new(stream))
    }

    async fn job(&self, slip: &Slip) -> JobOutcome {
        let patience = &self.settings.patience;
        let encoded = encode(&self.settings.profile, slip);
        let Ok(mut state) = timeout(patience.turn, self.state.lock()).await else {
            return JobOutcome::NothingPrinted(Fault::Silent);
        };
        let State { known, held } = &mut *state;
        let end = Instant::now() + patience.job;
        // Out of its place as long as the job runs: a job that is dropped half-way leaves no half-used line.
        let mut candidate = held.take();
        loop {
            let was_held = candidate.is_some();
            let mut line = match candidate.take() {
                Some(line) => line,
                None => match self.connect().await {
                    Ok(line) => line,
                    Err(fault) => return JobOutcome::NothingPrinted(fault),
                },
            };
            let mut talk = Talk::new(&mut line, known, patience, end);
            match talk.ready().await {
                Ok(()) => {}
                Err(NotReady::Fault(fault)) => {
                    *held = Some(line);
                    return JobOutcome::NothingPrinted(fault);
                }
                // The line was held and may be dead without having said so: once more on a new one.
                Err(NotReady::Gone | NotReady::Silent) if was_held => continue,
                Err(NotReady::Gone) => return JobOutcome::NothingPrinted(Fault::Absent),
                Err(NotReady::Silent) => return JobOutcome::NothingPrinted(Fault::Silent),
            }
            let outcome = talk.run(&encoded.bytes, encoded.replaced).await;
            match outcome {
                JobOutcome::Printed { proof: Proof::NotVerifiable, .. } => close(line, patience.settle).await,
                JobOutcome::Printed { .. } => *held = Some(line),
                JobOutcome::NothingPrinted(_) | JobOutcome::Unknown { .. } => {}
            }
            return outcome;
        }
    }

    async fn ask(&self) -> Option<Status> {
        let patience = &self.settings.patience;
        let mut state = timeout(patience.status, self.state.lock()).await.ok()?;
        let State { known, held } = &mut *state;
        if !known.can_be_asked() {
            return None;
        }
        let end = Instant::now() + patience.job;
        let mut candidate = held.take();
        loop {
            let was_held = candidate.is_some();
            let mut line = match candidate.take() {
                Some(line) => line,
                None => self.connect().await.ok()?,
            };
            match Talk::new(&mut line, known, patience, end).status().await {
                Ok(Some(status)) => {
                    *held = Some(line);
                    return Some(status);
                }
                Ok(None) | Err(_) if was_held => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

/// Says that no more bytes come and waits, for a while, until the printer has closed too.
async fn close(line: Line<TcpStream>, patience: Duration) {
    let mut stream = line.into_stream();
    let mut rest = [0_u8; 64];
    let _ = timeout(patience, async {
        stream.shutdown().await?;
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

impl Printer for Network {
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
                JobOutcome::Printed { proof: Proof::NotVerifiable, .. } => None,
                JobOutcome::Printed { .. } => {
                    Some(Status { fault: None, paper_low: false, drawer_pin_high: None })
                }
                JobOutcome::NothingPrinted(fault) | JobOutcome::Unknown { fault, .. } => {
                    Some(Status::faulty(fault))
                }
            };
            publish(&self.condition, learnt);
            outcome
        })
    }

    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(async {
            let status = self.ask().await;
            if status.is_some() {
                publish(&self.condition, status);
            }
            status
        })
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.subscribe()
    }

    fn probe(&self, _: bool) -> BoxFuture<'_, Probed> {
        Box::pin(async {
            let status = self.status().await;
            let [real_time, queued, process_id] = self.state.lock().await.known.abilities();
            let reach =
                if status.is_some() || self.connect().await.is_ok() { Reach::Open } else { Reach::Absent };
            Probed { reach, identity: None, real_time, queued, process_id, automatic: Ability::Ask, status }
        })
    }
}
