//! Who stands at a printer: one task that holds its line, prints its jobs one after another, and between them keeps an
//! ear on it.
//!
//! ```text
//!            ┌────────────────── back-off ◄──────────────┐
//!            ▼                                           │ does not open
//!   no line ─┴─► open ─► beat ─► listen ──► job ──► listen …
//!      ▲                  │         │        │
//!      └── line lost, or silent where only a new line tells ──┘
//! ```
//!
//! A *beat*: with nothing to do, the printer is asked how it is every [`Patience::beat`]; what it says unasked is heard at
//! once. Paper, cover, plug and power are so noticed within two seconds and told by [`Printer::condition`]. A printer that
//! cannot be asked is told by its port alone: gone, or (a file) not there. A network printer that hangs up on an idle client
//! is called again before it is said to be gone.
//!
//! Invariants. One job at a time; those that wait stand in the order in which they came, and no more than [`QUEUE`] do. A
//! beat is never broken off: half a question would leave an answer that fits the next one. A job whose caller has gone is
//! broken off, and its line with it. A line that was held and turns out to be dead *before* the first byte of a slip is
//! replaced and the job goes on, for printers drop idle clients and are switched off over night; once a byte of a slip has
//! gone, nothing is tried again, and the line is used for the next job only if what had not left it could be thrown away.
//!
//! Deliberately absent: any second attempt at a slip, and waiting for a fault to go away with a slip in hand: whoever sent
//! it is told, and [`Printer::condition`] says when to send it again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tilld_domain::slip::{Paper, Slip};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::encode::{Encoded, encode};
use crate::job::{NotReady, Patience, Talk};
use crate::known::Known;
use crate::line::{Line, Lost};
use crate::port::file::Device;
use crate::port::serial::{SerialLine, SerialPort};
use crate::port::tcp::Network;
use crate::port::usb::{Usb, UsbPort};
use crate::port::{Closed, Habits, Opened, Port};
use crate::printer::{Fault, JobOutcome, Printer, Probed, Proof, Reach, Status};
use crate::profile::{Ability, Profile};
use crate::redial::Redial;

/// A printer's settings.
#[derive(Debug, Clone)]
pub struct PrinterSettings {
    /// Its name in the configuration.
    pub name: String,
    /// What it hangs on.
    pub port: PrinterPort,
    /// What kind it is.
    pub profile: Profile,
    /// How long things may take.
    pub patience: Patience,
    /// The file that keeps what this printer was found to answer; without one it is found out after each start.
    pub memory: Option<PathBuf>,
}

/// What a printer hangs on.
#[derive(Debug, Clone)]
pub enum PrinterPort {
    /// Host and port on the network, for example `192.0.2.7:9100`.
    Network(String),
    /// A serial line.
    Serial(SerialLine),
    /// A USB printer of the kernel's `usblp`.
    Usb(UsbPort),
    /// A file or character device; bytes are appended, nothing is read.
    File(PathBuf),
}

/// A printer with its attendant. Must be called inside a tokio runtime; its line is opened at once, and closed when the last
/// handle is dropped.
pub fn attended(settings: PrinterSettings) -> Arc<dyn Printer> {
    let PrinterSettings { name, port, profile, patience, memory } = settings;
    let port: Box<dyn Port> = match port {
        PrinterPort::Network(address) => Box::new(Network { address, connect: patience.connect }),
        PrinterPort::Serial(line) => Box::new(SerialPort::new(line)),
        PrinterPort::Usb(printer) => Box::new(Usb::new(printer)),
        PrinterPort::File(path) => Box::new(Device::new(path, patience.progress)),
    };
    let habits = port.habits();
    let known = Known::new(&profile, habits.mute, seed());
    let condition = known.condition();
    let (requests, inbox) = mpsc::channel(1);
    let now = Instant::now();
    let attendant = Attendant {
        port,
        habits,
        known,
        patience,
        memory,
        line: None,
        due: Some(now),
        redial: Redial::new(),
    };
    tokio::spawn(attendant.stand(inbox));
    let places = Semaphore::new(QUEUE);
    Arc::new(Attended { name, profile, patience, requests, places, turn: Mutex::new(()), condition })
}

/// Something that differs from run to run; no secret.
fn seed() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}

/// The most jobs that wait: three receipts of twenty slips.
pub const QUEUE: usize = 64;

/// What a caller holds.
struct Attended {
    name: String,
    profile: Profile,
    patience: Patience,
    requests: mpsc::Sender<Request>,
    places: Semaphore,
    turn: Mutex<()>,
    condition: watch::Receiver<Option<Status>>,
}

enum Request {
    Print(Encoded, oneshot::Sender<JobOutcome>),
    Status(oneshot::Sender<Option<Status>>),
    Probe(bool, oneshot::Sender<Probed>),
}

impl Attended {
    async fn job(&self, slip: &Slip) -> JobOutcome {
        let encoded = encode(&self.profile, slip);
        let Ok(_place) = self.places.try_acquire() else {
            return JobOutcome::NothingPrinted(Fault::Silent);
        };
        let Ok(_turn) = timeout(self.patience.turn, self.turn.lock()).await else {
            return JobOutcome::NothingPrinted(Fault::Silent);
        };
        let (reply, outcome) = oneshot::channel();
        if self.requests.send(Request::Print(encoded, reply)).await.is_err() {
            return JobOutcome::NothingPrinted(Fault::Error);
        }
        // Without an answer the attendant ended in the middle of it.
        outcome.await.unwrap_or(JobOutcome::Unknown { fault: Fault::Error, bytes_sent: 0 })
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl Printer for Attended {
    fn name(&self) -> &str {
        &self.name
    }

    fn paper(&self) -> Paper {
        self.profile.paper()
    }

    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        Box::pin(self.job(slip))
    }

    /// While a job is printed, what that job was told.
    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(async {
            let Ok(_turn) = self.turn.try_lock() else { return *self.condition.borrow() };
            self.ask(Request::Status).await.flatten()
        })
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.clone()
    }

    fn probe(&self, thorough: bool) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let ask = Ability::Ask;
            let unknown = Probed {
                reach: Reach::Taken,
                identity: None,
                real_time: ask,
                queued: ask,
                process_id: ask,
                automatic: ask,
                status: None,
            };
            let Ok(_turn) = timeout(self.patience.turn, self.turn.lock()).await else { return unknown };
            self.ask(|reply| Request::Probe(thorough, reply)).await.unwrap_or(unknown)
        })
    }
}

/// The task itself.
struct Attendant {
    port: Box<dyn Port>,
    habits: Habits,
    known: Known,
    patience: Patience,
    memory: Option<PathBuf>,
    line: Option<Line>,
    /// When there is something to do by itself: a beat with a line, an attempt to open one without.
    due: Option<Instant>,
    redial: Redial,
}

/// What ends a time of listening.
enum Noticed {
    Request(Option<Request>),
    Due,
    Lost,
}

impl Attendant {
    async fn stand(mut self, mut inbox: mpsc::Receiver<Request>) {
        loop {
            match self.listen(&mut inbox).await {
                Noticed::Request(Some(request)) => self.serve(request).await,
                Noticed::Request(None) => break,
                Noticed::Due => self.look_after().await,
                Noticed::Lost => self.hung_up(),
            }
        }
        if let Some(line) = self.line.take() {
            line.close(self.patience.settle).await;
        }
    }

    /// Hears what comes in until there is something to do. Broken off at any moment it loses nothing.
    async fn listen(&mut self, inbox: &mut mpsc::Receiver<Request>) -> Noticed {
        let Self { known, patience, line, due, .. } = self;
        let due = due.unwrap_or_else(|| Instant::now() + patience.turn);
        let ear = async {
            let Some(line) = line else {
                sleep_until(due).await;
                return Noticed::Due;
            };
            loop {
                match line.hear(due).await {
                    Ok(Some(answer)) => {
                        line.was_owed(&answer);
                        Talk::new(line, known, patience).note(answer);
                    }
                    Ok(None) => return Noticed::Due,
                    Err(_) => return Noticed::Lost,
                }
            }
        };
        tokio::select! {
            biased;
            request = inbox.recv() => Noticed::Request(request),
            noticed = ear => noticed,
        }
    }

    /// A beat, or another attempt to open the line.
    async fn look_after(&mut self) {
        self.due = None;
        if let Some(look) = self.port.look() {
            self.known.publish(look.await.err().map(|closed| Status::faulty(closed.fault())));
            self.due = Some(Instant::now() + self.patience.beat);
            return;
        }
        if self.line.is_none() {
            match self.open().await {
                Ok(line) => self.line = Some(line),
                Err(closed) => {
                    self.known.publish(Some(Status::faulty(closed.fault())));
                    return self.later();
                }
            }
        }
        let status = self.beat().await;
        if status.is_some_and(|status| status.fault.is_none()) {
            self.get_acquainted().await;
        }
    }

    /// Asks a healthy printer who it is, if it can be expected to tell and nobody asked on this line. Now nobody waits.
    async fn get_acquainted(&mut self) {
        let Some(mut line) = self.line.take_if(|_| !self.known.unfinished) else { return };
        match Talk::new(&mut line, &mut self.known, &self.patience).meet().await {
            Ok(()) => self.line = Some(line),
            Err(Lost(fault)) => self.lose(fault),
        }
    }

    async fn open(&mut self) -> Result<Line, Closed> {
        let Opened { wire, identity } = self.port.open().await?;
        self.known.meet(self.memory.as_deref(), &self.port.place(), identity);
        self.redial.opened(Instant::now());
        Ok(Line::new(wire))
    }

    /// Asks how it is. Answers that, and leaves the line as it is to be until the next time.
    async fn beat(&mut self) -> Option<Status> {
        let mut line = self.line.take()?;
        if !self.known.can_be_asked() {
            self.known.publish(line.word().await);
            self.rest(line).await;
            return None;
        }
        match Talk::new(&mut line, &mut self.known, &self.patience).status().await {
            Ok(Some(status)) => {
                self.keep(line);
                Some(status)
            }
            Ok(None) if self.known.can.real_time == Ability::Has => {
                self.known.publish(Some(Status::faulty(Fault::Silent)));
                if self.habits.reopened {
                    self.later();
                } else {
                    self.keep(line);
                }
                None
            }
            // It may be a kind that answers nothing: it is asked again with the next job.
            Ok(None) => {
                self.known.publish(line.word().await);
                self.rest(line).await;
                None
            }
            Err(Lost(fault)) => {
                self.lose(fault);
                None
            }
        }
    }

    /// What becomes of a line to a printer that answers nothing.
    async fn rest(&mut self, line: Line) {
        if self.habits.kept {
            // The port may have a word of its own.
            self.keep(line);
        } else {
            // A file can be looked at without a line.
            self.due = self.port.look().map(|_| Instant::now() + self.patience.beat);
            line.close(self.patience.settle).await;
        }
    }

    /// The line ended while nothing was asked. Printers hang up on idle clients: that is told only if they do not take the next
    /// call.
    fn hung_up(&mut self) {
        let idle = self.line.take().is_some_and(|line| line.is_ended()) && self.habits.reopened;
        if !idle {
            self.known.publish(Some(Status::faulty(Fault::Absent)));
        }
        self.later();
    }

    fn lose(&mut self, fault: Fault) {
        self.line = None;
        self.known.publish(Some(Status::faulty(fault)));
        self.later();
    }

    fn later(&mut self) {
        self.due = Some(self.redial.lost(Instant::now()));
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Print(encoded, mut reply) => {
                // A caller that has gone takes its job along, and the line on which that was under way.
                // One that has gone before it began prints nothing.
                let done = tokio::select! {
                    biased;
                    () = reply.closed() => None,
                    done = self.print(&encoded) => Some(done),
                };
                match done {
                    Some((outcome, line)) => {
                        self.learn(outcome);
                        // To close a line may take seconds: first the answer.
                        let _ = reply.send(outcome);
                        if let Some(line) = line {
                            self.put_away(line, outcome).await;
                        }
                        self.known.remember();
                    }
                    None => self.due = Some(Instant::now()),
                }
            }
            Request::Status(reply) => {
                let _ = reply.send(self.status().await);
            }
            Request::Probe(thorough, reply) => {
                let _ = reply.send(self.probe(thorough).await);
                self.known.remember();
            }
        }
    }

    /// What became of it, and its line if a byte of it may have gone.
    async fn print(&mut self, encoded: &Encoded) -> (JobOutcome, Option<Line>) {
        let nothing = |fault| (JobOutcome::NothingPrinted(fault), None);
        // Out of its place as long as the job runs: a job that is dropped half-way leaves no half-used line.
        let mut candidate = self.line.take();
        loop {
            let was_held = candidate.is_some();
            let mut line = match candidate.take() {
                Some(line) => line,
                None => match self.open().await {
                    Ok(line) => line,
                    Err(closed) => {
                        self.lose(closed.fault());
                        return nothing(closed.fault());
                    }
                },
            };
            let mut talk = Talk::new(&mut line, &mut self.known, &self.patience);
            match talk.ready().await {
                Ok(()) => {}
                Err(NotReady::Fault(fault)) => {
                    self.keep(line);
                    return nothing(fault);
                }
                // The line was held and may be dead without having said so: once more on a new one.
                Err(NotReady::Lost(_)) if was_held => continue,
                Err(NotReady::Silent) if was_held && self.habits.reopened => continue,
                Err(NotReady::Lost(fault)) => {
                    self.lose(fault);
                    return nothing(fault);
                }
                Err(NotReady::Silent) => {
                    self.known.publish(Some(Status::faulty(Fault::Silent)));
                    if self.habits.kept {
                        self.keep(line);
                    } else {
                        self.later();
                    }
                    return nothing(Fault::Silent);
                }
            }
            let outcome = talk.run(&encoded.bytes, encoded.replaced).await;
            return (outcome, Some(line));
        }
    }

    /// What a job's end says about the printer.
    fn learn(&mut self, outcome: JobOutcome) {
        match outcome {
            JobOutcome::Printed { proof: Proof::NotVerifiable, .. } => {}
            JobOutcome::Printed { .. } => {
                // A proof that only came with the job is the only word of a printer that does not answer otherwise.
                if self.known.can.real_time != Ability::Has {
                    let well = Status { fault: None, paper_low: false, drawer_pin_high: None };
                    self.known.publish(Some(well));
                }
            }
            JobOutcome::NothingPrinted(fault) | JobOutcome::Unknown { fault, .. } => {
                let low = self.known.told().is_some_and(|told| told.paper_low);
                self.known.publish(Some(Status { paper_low: low, ..Status::faulty(fault) }));
            }
        }
    }

    /// What becomes of a job's line.
    async fn put_away(&mut self, mut line: Line, outcome: JobOutcome) {
        match outcome {
            JobOutcome::Printed { proof: Proof::NotVerifiable, .. } => {
                self.known.publish(line.word().await);
                self.rest(line).await;
            }
            JobOutcome::Printed { .. } => self.keep(line),
            JobOutcome::NothingPrinted(fault) | JobOutcome::Unknown { fault, .. } => {
                if fault != Fault::Absent && self.habits.kept && line.discard() {
                    self.keep(line);
                } else {
                    // What has not left it goes with it.
                    drop(line);
                    self.later();
                }
            }
        }
    }

    fn keep(&mut self, line: Line) {
        self.line = Some(line);
        self.due = Some(Instant::now() + self.patience.beat);
    }

    async fn status(&mut self) -> Option<Status> {
        if !self.known.can_be_asked() {
            return None;
        }
        let was_held = self.line.is_some();
        for _ in 0..=usize::from(was_held) {
            if self.line.is_none() {
                match self.open().await {
                    Ok(line) => self.line = Some(line),
                    Err(closed) => {
                        self.lose(closed.fault());
                        return None;
                    }
                }
            }
            let status = self.beat().await;
            // A held line may have been dead without having said so.
            if status.is_some() || self.line.is_some() {
                return status;
            }
        }
        None
    }

    async fn probe(&mut self, thorough: bool) -> Probed {
        let mut reach = Reach::Open;
        let mut status = None;
        if let Some(look) = self.port.look() {
            reach = look.await.err().map_or(Reach::Open, |closed| closed.reach);
        } else {
            if self.line.is_none() {
                match self.open().await {
                    Ok(line) => self.line = Some(line),
                    Err(closed) => {
                        reach = closed.reach;
                        self.lose(closed.fault());
                    }
                }
            }
            if self.line.is_some() {
                status = self.status().await;
            }
            if thorough {
                self.probe_all(status).await;
            }
        }
        let identity = self.known.identity();
        let can = self.known.can;
        let (real_time, queued, process_id, automatic) =
            (can.real_time, can.queued, can.process_id, can.automatic);
        Probed { reach, identity, real_time, queued, process_id, automatic, status }
    }

    /// Asks all the rest, if the printer is healthy: with a fault it would answer when nobody waits for it any more.
    async fn probe_all(&mut self, status: Option<Status>) {
        let healthy =
            status.map_or(self.known.can.real_time != Ability::Has, |status| status.fault.is_none());
        let Some(mut line) = self.line.take().filter(|_| healthy) else { return };
        let mut talk = Talk::new(&mut line, &mut self.known, &self.patience);
        match talk.find_out().await {
            Ok(()) => self.keep(line),
            Err(Lost(fault)) => self.lose(fault),
        }
    }
}
