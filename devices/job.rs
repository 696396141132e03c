//! One job on one line: from the question "can you print?" to the proof that it did. Every transport that can be read
//! (network now; serial and USB the same way) runs its jobs through here, so that there is one place that decides
//! between *printed*, *nothing printed* and *unknown*.
//!
//! ```text
//!  ready ── fault, silence ─────────────────────────► nothing printed
//!    │ healthy, or cannot be asked
//!  bytes ── none was taken ─────────────────────────► nothing printed
//!    │  └── some were, then an error or no progress ► unknown
//!  proof ── process id ─────────────────────────────► printed (process id)
//!    │  ├── queued status, then healthy ────────────► printed (queued status)
//!    │  ├── neither is known to answer, healthy ────► printed (healthy afterwards)
//!    │  ├── nothing can be asked at all ────────────► printed (not verifiable)
//!    └── fault, line gone, or silence of what answers ► unknown
//! ```
//!
//! Invariants. *Nothing printed* is said only if no byte of the job was handed over. A proof belongs to this job: a
//! process id is never used twice in a run, and a `GS r` answer, which has no name, counts only when no earlier one is
//! owed (`settle_owed`). Its start is not eaten by a command that an earlier job left half-sent (`FINISHING`). Each wait has an end, and the job as a whole has one.
//!
//! Deliberately absent: sending anything twice; `DLE ENQ` and buffer clearing (they can repeat or drop lines, fact sheet
//! ESCPOS 3.3); status requests in the middle of the bytes (inside a command they would become its data).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::printer::{Fault, JobOutcome, Proof, Status};
use crate::profile::{Ability, Profile};
use crate::status::{self, Answer, AnswerParser};

/// How long things may take on a line, each with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To make a connection: a printer on the shop's own network answers in ms; more means that it is off.
    pub connect: Duration,
    /// For one real-time answer. Serial adapters collect bytes for 16 ms and busy clones need some 100 ms.
    pub status: Duration,
    /// Most bytes handed over at once: a quarter of the usual 4 KB buffer, so that progress shows early.
    pub chunk: usize,
    /// For the printer to take some bytes. A cut or a full buffer at 9600 baud holds it up for one or two seconds.
    pub progress: Duration,
    /// From the last byte to the proof: the longest slip takes some five seconds to print and cut.
    pub proof: Duration,
    /// How often the printer is asked for faults meanwhile.
    pub poll: Duration,
    /// How long a process id may come behind the queued status: the mechanism runs after the interpreter.
    pub process_id_after: Duration,
    /// Where only real-time status can be asked: how long the printer is left to print before its word counts.
    pub settle: Duration,
    /// For `GS r` answers that an earlier job is still owed; then no other comes, because they follow each other at once.
    pub owed: Duration,
    /// For the whole job once it is its turn.
    pub job: Duration,
    /// For the jobs before: a receipt has up to twenty slips, and a slow printer takes half a minute for each.
    pub turn: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            status: Duration::from_secs(1),
            chunk: 1024,
            progress: Duration::from_secs(5),
            proof: Duration::from_secs(15),
            poll: Duration::from_millis(500),
            process_id_after: Duration::from_secs(3),
            settle: Duration::from_secs(2),
            owed: Duration::from_millis(500),
            job: Duration::from_secs(45),
            turn: Duration::from_mins(10),
        }
    }
}

/// Ends whatever command a job that broke off left half-sent, and does nothing else: without it the printer would take
/// the next slip's first rows for the rest of a QR code, and then truthfully answer that all was printed. First NULs, so
/// that a length that was to come is zero; then `ESC t 0`, often enough for the longest data that a slip has (a QR code
/// of 1,000 bytes and its head); its NUL also ends a bar code. What of it is taken for text is cleared by the slip's own
/// `ESC @`.
pub(crate) const FINISHING: [u8; 1050] = {
    let mut bytes = [0; 1050];
    let mut rest: &mut [u8] = &mut bytes;
    if let [_, _, _, others @ ..] = rest {
        rest = others;
    }
    while let [first, second, _, others @ ..] = rest {
        *first = 0x1b;
        *second = b't';
        rest = others;
    }
    bytes
};

/// What is known of a device beyond one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    real_time: Ability,
    queued: Ability,
    process_id: Ability,
    /// What the profile says of the latter two, for when what was learnt turns out to be wrong.
    configured: (Ability, Ability),
    /// `GS r` requests that were sent and never answered.
    owed: u32,
    next_id: u32,
    /// The last job, perhaps of a run that was killed, may have left a command half-sent.
    unfinished: bool,
}

impl Known {
    /// `seed` makes the ids of this run differ from those of the run before.
    pub fn new(profile: &Profile, seed: u32) -> Self {
        Self {
            real_time: profile.real_time_status,
            queued: profile.queued_status,
            process_id: profile.process_id,
            configured: (profile.queued_status, profile.process_id),
            // A run that was killed may have left a request unanswered. Where it is not even known whether such requests
            // are answered, waiting for it would hold up the first slip of most printers for nothing.
            owed: u32::from(profile.queued_status == Ability::Has),
            next_id: seed,
            unfinished: true,
        }
    }

    pub fn can_be_asked(&self) -> bool {
        self.real_time != Ability::Lacks
    }

    /// What it can answer: real-time status, queued status, process ids.
    pub fn abilities(&self) -> [Ability; 3] {
        [self.real_time, self.queued, self.process_id]
    }

    /// Four characters from 0x20 to 0x7E, another with each job.
    fn fresh_id(&mut self) -> [u8; 4] {
        self.next_id = self.next_id.wrapping_add(1);
        let mut rest = self.next_id;
        std::array::from_fn(|_| {
            let digit = u8::try_from(rest % 95).unwrap_or(0);
            rest /= 95;
            digit.saturating_add(0x20)
        })
    }
}

/// Tells who listens, if anything has changed.
pub(crate) fn publish(condition: &watch::Sender<Option<Status>>, learnt: Option<Status>) {
    condition.send_if_modified(|known| {
        let changed = *known != learnt;
        *known = learnt;
        changed
    });
}

/// The other end is gone: end of stream, reset, unplugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A connection and what was read from it.
pub(crate) struct Line<S> {
    stream: S,
    parser: AnswerParser,
    heard: VecDeque<Answer>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, parser: AnswerParser::default(), heard: VecDeque::new() }
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// The next answer, or `None` when none came until then.
    async fn hear(&mut self, until: Instant) -> Result<Option<Answer>, Gone> {
        let mut bytes = [0_u8; 256];
        loop {
            if let Some(answer) = self.heard.pop_front() {
                return Ok(Some(answer));
            }
            let count = match timeout_at(until, self.stream.read(&mut bytes)).await {
                Err(_) => return Ok(None),
                // A serial line that was unplugged reads as an endless end of file (fact sheet ESCPOS 1.2).
                Ok(Ok(0) | Err(_)) => return Err(Gone),
                Ok(Ok(count)) => count,
            };
            self.heard.extend(bytes.iter().take(count).filter_map(|byte| self.parser.push(*byte)));
        }
    }

    /// Sends a question.
    async fn ask(&mut self, question: &[u8], until: Instant) -> Result<(), Gone> {
        match timeout_at(until, self.stream.write_all(question)).await {
            Ok(Ok(())) => Ok(()),
            // A question that is not even taken makes the line useless: nobody can say how much of it was.
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// Why a job may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// The printer says so.
    Fault(Fault),
    /// It can be asked and does not answer.
    Silent,
    /// The line is dead.
    Gone,
}

impl From<Gone> for NotReady {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// How bytes went.
enum Sent {
    All,
    /// Stopped after so many.
    Stopped(Fault, usize),
}

/// What the printer was heard to say about this job.
#[derive(Debug, Default)]
struct Heard {
    id: Option<[u8; 4]>,
    id_came_back: bool,
    queued: Option<u8>,
    automatic: Option<Fault>,
}

/// One job on a line.
pub(crate) struct Talk<'a, S> {
    line: &'a mut Line<S>,
    known: &'a mut Known,
    patience: &'a Patience,
    end: Instant,
    heard: Heard,
    trusts_queued: bool,
    /// Bytes of the job may have gone.
    begun: bool,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Talk<'a, S> {
    pub fn new(line: &'a mut Line<S>, known: &'a mut Known, patience: &'a Patience, end: Instant) -> Self {
        Self { line, known, patience, end, heard: Heard::default(), trusts_queued: true, begun: false }
    }

    fn until(&self, time: Duration) -> Instant {
        self.end.min(Instant::now() + time)
    }

    /// Notes an answer that is not one to a real-time request.
    fn note(&mut self, answer: Answer) {
        match answer {
            Answer::ProcessId(id) if self.heard.id == Some(id) => {
                self.heard.id_came_back = true;
                self.known.process_id = Ability::Has;
            }
            Answer::Queued(byte) if self.known.owed > 0 => {
                self.known.owed = self.known.owed.saturating_sub(1);
                self.known.queued = Ability::Has;
                if self.known.owed == 0 {
                    self.heard.queued = Some(byte);
                }
            }
            Answer::Automatic(group) => self.heard.automatic = status::from_automatic(group).fault,
            _ => {}
        }
    }

    /// Asks for the four real-time states, one after the other because their answers do not say what they answer.
    /// `None`: it did not answer.
    pub async fn status(&mut self) -> Result<Option<Status>, Gone> {
        // An answer that came too late for its question must not answer this one.
        while let Some(stale) = self.line.hear(Instant::now()).await? {
            self.note(stale);
        }
        if self.known.unfinished && !self.begun {
            // Inside a half-sent command the request itself would be taken for a length.
            self.line.ask(&[0; 3], self.until(self.patience.progress)).await?;
        }
        let mut states = [0_u8; 4];
        for (state, kind) in states.iter_mut().zip(1..=4) {
            let until = self.until(self.patience.status);
            self.line.ask(&status::real_time_status(kind), until).await?;
            loop {
                match self.line.hear(until).await? {
                    None => return Ok(None),
                    Some(Answer::RealTime(byte)) => {
                        *state = byte;
                        break;
                    }
                    Some(other) => self.note(other),
                }
            }
        }
        Ok(Some(status::from_real_time(states)))
    }

    /// Whether the job may begin. Sends no byte of it, and nothing that prints.
    pub async fn ready(&mut self) -> Result<(), NotReady> {
        if self.known.can_be_asked() {
            match self.status().await? {
                Some(status) => {
                    self.known.real_time = Ability::Has;
                    status.fault.map_or(Ok(()), |fault| Err(NotReady::Fault(fault)))?;
                }
                None if self.known.real_time == Ability::Has => return Err(NotReady::Silent),
                None => {}
            }
        }
        if self.known.unfinished {
            self.line.ask(&FINISHING, self.until(self.patience.progress)).await?;
        }
        self.settle_owed().await
    }

    /// Collects `GS r` answers that earlier jobs are owed. They have no name: one that comes late, even over a new
    /// connection, would prove this job. A further request is put behind them; all of them are answered right after
    /// each other, or were lost with the printer's power, so a pause behind an answer means that no other comes.
    async fn settle_owed(&mut self) -> Result<(), NotReady> {
        let asks = self.known.process_id != Ability::Has && self.known.queued != Ability::Lacks;
        if self.known.owed == 0 || !asks {
            return Ok(());
        }
        self.known.owed = self.known.owed.saturating_add(1);
        let before = self.known.owed;
        self.line.ask(&status::QUEUED_STATUS, self.until(self.patience.progress)).await?;
        // The first may wait for the rest of an earlier slip to be printed.
        let mut patience = self.patience.progress;
        while self.known.owed > 0 {
            match self.line.hear(self.until(patience)).await? {
                Some(answer) => self.note(answer),
                None if self.known.owed < before => self.known.owed = 0,
                None if self.known.queued == Ability::Has => return Err(NotReady::Silent),
                None => {
                    self.trusts_queued = false;
                    break;
                }
            }
            if self.known.owed < before {
                patience = self.patience.owed;
            }
        }
        self.heard.queued = None;
        Ok(())
    }

    /// Sends the job and waits for its proof.
    pub async fn run(mut self, bytes: &[u8], replaced: u32) -> JobOutcome {
        self.known.unfinished = true;
        self.begun = true;
        let mut requests = Vec::new();
        if self.known.process_id != Ability::Lacks {
            let id = self.known.fresh_id();
            self.heard.id = Some(id);
            requests.extend_from_slice(&status::process_id_request(id));
        }
        let asks_queued = self.known.process_id != Ability::Has && self.known.queued != Ability::Lacks;
        if asks_queued {
            // Owed from now on, even if this job ends before it is known whether the request went out.
            self.known.owed = self.known.owed.saturating_add(1);
            requests.extend_from_slice(&status::QUEUED_STATUS);
        }
        let mut sent = 0;
        for piece in [bytes, requests.as_slice()] {
            match self.send(piece).await {
                Sent::All => sent += piece.len(),
                Sent::Stopped(fault, more) => {
                    sent += more;
                    if sent == 0 {
                        self.known.owed = self.known.owed.saturating_sub(u32::from(asks_queued));
                        return JobOutcome::NothingPrinted(fault);
                    }
                    return JobOutcome::Unknown { fault, bytes_sent: sent };
                }
            }
        }
        match self.proof(asks_queued).await {
            Ok(proof) => {
                self.known.unfinished = false;
                JobOutcome::Printed { proof, replaced }
            }
            Err(fault) => JobOutcome::Unknown { fault, bytes_sent: sent },
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Sent {
        let mut sent = 0_usize;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.get(..self.patience.chunk.max(1)).unwrap_or(rest);
            match timeout_at(self.until(self.patience.progress), self.line.stream.write(chunk)).await {
                Ok(Ok(0) | Err(_)) => return Sent::Stopped(Fault::Absent, sent),
                Err(_) => return Sent::Stopped(Fault::Silent, sent),
                Ok(Ok(count)) => sent = sent.saturating_add(count),
            }
        }
        Sent::All
    }

    async fn proof(&mut self, asked_queued: bool) -> Result<Proof, Fault> {
        let asked_id = self.heard.id.is_some();
        if !asked_id && !asked_queued {
            return self.without_acknowledgement().await;
        }
        let mut deadline = self.until(self.patience.proof);
        let mut poll = self.until(self.patience.poll);
        let mut queued_before = false;
        loop {
            if self.heard.id_came_back {
                return Ok(Proof::ProcessId);
            }
            if self.heard.queued.is_some() && !queued_before {
                queued_before = true;
                let more = if asked_id { self.patience.process_id_after } else { Duration::ZERO };
                deadline = deadline.min(Instant::now() + more);
            }
            if let Some(fault) = self.heard.automatic {
                return Err(fault);
            }
            if Instant::now() >= deadline {
                break;
            }
            let until = if self.known.can_be_asked() { deadline.min(poll) } else { deadline };
            match self.line.hear(until).await.map_err(|Gone| Fault::Absent)? {
                Some(answer) => self.note(answer),
                None if until < deadline => {
                    self.healthy().await?;
                    poll = self.until(self.patience.poll);
                }
                None => {}
            }
        }
        self.judge(asked_queued).await
    }

    /// No process id came back in time: what can be said all the same.
    async fn judge(&mut self, asked_queued: bool) -> Result<Proof, Fault> {
        let healthy = self.healthy().await?;
        // The last question may have brought it.
        if self.heard.id_came_back {
            return Ok(Proof::ProcessId);
        }
        if let Some(paper) = self.heard.queued.filter(|_| self.trusts_queued) {
            // All was interpreted, and ids were not answered: this printer has none.
            self.known.process_id = Ability::Lacks;
            return if paper & 0x0c == 0 { Ok(Proof::QueuedStatus) } else { Err(Fault::PaperOut) };
        }
        let id_answers = self.heard.id.is_some() && self.known.process_id == Ability::Has;
        let queued_answers = asked_queued && self.known.queued == Ability::Has;
        if id_answers || queued_answers {
            // Perhaps another printer was plugged in since: it is found out anew with the next job.
            (self.known.queued, self.known.process_id) = self.known.configured;
            return Err(Fault::Silent);
        }
        // Never answered either: taken for a printer that cannot, and not waited for again.
        self.known.process_id = Ability::Lacks;
        self.known.queued = Ability::Lacks;
        self.known.owed = 0;
        Ok(if healthy { Proof::HealthyAfterwards } else { Proof::NotVerifiable })
    }

    async fn without_acknowledgement(&mut self) -> Result<Proof, Fault> {
        if self.known.real_time != Ability::Has {
            return Ok(Proof::NotVerifiable);
        }
        let until = self.until(self.patience.settle);
        while let Some(answer) = self.line.hear(until).await.map_err(|Gone| Fault::Absent)? {
            self.note(answer);
        }
        self.healthy().await?;
        Ok(Proof::HealthyAfterwards)
    }

    /// Whether the printer says that it is healthy; `false` if it cannot be asked.
    async fn healthy(&mut self) -> Result<bool, Fault> {
        if self.known.real_time != Ability::Has {
            return Ok(false);
        }
        let status = self.status().await.map_err(|Gone| Fault::Absent)?;
        // A proof that came in the meantime stands, whatever the printer is like by now.
        if self.heard.id_came_back {
            return Ok(true);
        }
        match status {
            Some(Status { fault: Some(fault), .. }) => Err(fault),
            Some(_) => Ok(true),
            None => Err(Fault::Silent),
        }
    }
}
