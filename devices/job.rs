//! One job on one line: from the question "can you print?" to the proof that it did. Every transport that can be read
//! (network, serial, USB) runs its jobs through here, so that there is one place that decides
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
//! Invariants. *Nothing printed* is said only if no byte of the job was handed over. A proof belongs to this job: a process
//! id is never used twice in a run, and a `GS r` answer, which has no name, counts only when no earlier one is owed
//! (`settle_owed`) and no more of them come than there were requests. Its start is not eaten by a command that an earlier job left half-sent (`finishing`). Each wait has an
//! end, and the job as a whole has one.
//!
//! Deliberately absent: sending anything twice; `DLE ENQ` and buffer clearing (they can repeat or drop lines, fact sheet
//! ESCPOS 3.3); status requests in the middle of the bytes (inside a command they would become its data).
//!
//! Automatic status is heard from whoever sends it, and switched on (`GS a`) by a thorough probe alone. It would tell nothing
//! that a beat does not find out within a second, and it would cost proof: the end of the paper, which sends a group of it,
//! is the moment at which an answer to `GS r` must not be mixed up with anything. `ESC @` at the head of each slip switches
//! it off, so each slip would have to carry it; and a printer that does not know it prints its `a` (fact sheet ESCPOS 3.1, 3.3).

use std::time::Duration;

use tokio::time::Instant;

use crate::known::{Known, Proving};
use crate::line::{Line, Lost};
use crate::printer::{Fault, JobOutcome, Proof, Status};
use crate::profile::{Ability, Profile};
use crate::raster;
use crate::status::{self, Answer};

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
    /// For all that comes before a job's bytes, once it is its turn, and again for all that comes after them. The bytes
    /// themselves may take as long as they make progress, and at least as fast as the slowest line does ([`SLOWEST`]).
    pub job: Duration,
    /// For the jobs before: a receipt has up to twenty slips, and a slow printer takes half a minute for each.
    pub turn: Duration,
    /// How often a printer is asked how it is while it has nothing to do. What happens to it is noticed within this and the
    /// time for one answer, which together must stay below two seconds.
    pub beat: Duration,
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
            beat: Duration::from_millis(800),
        }
    }
}

/// What the slowest line takes for a byte: 1,200 baud, and pauses as long as that.
pub const SLOWEST: Duration = Duration::from_millis(17);

/// `ESC @`: what stands in an unfinished row is forgotten.
const CLEAR: [u8; 2] = [0x1b, b'@'];

/// What every printer's buffer holds (fact sheet ESCPOS 3.4). A line without flow control can lose any byte of a longer job.
const SMALLEST_BUFFER: usize = 4096;

/// Ends whatever command a job that broke off left half-sent, and does nothing else: without it the printer would take the
/// next slip's first rows for the rest of a QR code, and then truthfully answer that all was printed. First NULs, so that a
/// length that was to come is zero; then `ESC t 0`, often enough for the longest data that a slip has (a QR code of 1,000
/// bytes and its head, or a picture's band); its NUL also ends a bar code. What of it is taken for text is cleared by the
/// slip's own `ESC @`.
pub(crate) fn finishing(profile: &Profile) -> Vec<u8> {
    const QR_AND_HEADS: usize = 1_050;
    let longest = raster::longest_data(profile.raster, profile.dots).saturating_add(50).max(QR_AND_HEADS);
    let mut bytes = vec![0; 3];
    bytes.extend([0x1b, b't', 0].repeat(longest.div_ceil(3)));
    bytes
}

/// Why a job may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// The printer says so.
    Fault(Fault),
    /// It can be asked and does not answer.
    Silent,
    /// The line is dead.
    Lost(Fault),
}

impl From<Lost> for NotReady {
    fn from(Lost(fault): Lost) -> Self {
        Self::Lost(fault)
    }
}

/// What the printer was heard to say about this job.
#[derive(Debug, Default)]
struct Heard {
    id: Option<[u8; 4]>,
    id_came_back: bool,
    queued: Option<u8>,
    /// More answers to `GS r` than there were requests, so that they are none.
    surplus: bool,
    automatic: Option<Fault>,
    name: Option<String>,
}

/// One job on a line.
pub(crate) struct Talk<'a> {
    line: &'a mut Line,
    known: &'a mut Known,
    patience: &'a Patience,
    end: Instant,
    heard: Heard,
    trusts_queued: bool,
    /// Bytes of the job may have gone.
    begun: bool,
}

impl<'a> Talk<'a> {
    pub fn new(line: &'a mut Line, known: &'a mut Known, patience: &'a Patience) -> Self {
        let end = Instant::now() + patience.job;
        Self { line, known, patience, end, heard: Heard::default(), trusts_queued: true, begun: false }
    }

    fn until(&self, time: Duration) -> Instant {
        self.end.min(Instant::now() + time)
    }

    /// Notes an answer that is not one to a real-time request.
    pub fn note(&mut self, answer: Answer) {
        match answer {
            Answer::ProcessId(id) if self.heard.id == Some(id) => {
                self.heard.id_came_back = true;
                self.known.answers(Proving::ProcessId);
            }
            Answer::Queued(byte) if self.known.owed > 0 => {
                self.known.owed = self.known.owed.saturating_sub(1);
                self.known.answers(Proving::Queued);
                self.known.recalled = false;
                if self.known.owed == 0 {
                    self.heard.queued = Some(byte);
                }
            }
            Answer::Queued(_) if self.heard.queued.is_some() => self.heard.surplus = true,
            Answer::Automatic(group) => {
                let status = status::from_automatic(group);
                self.heard.automatic = status.fault;
                self.known.unasked = status.fault;
                self.known.can.automatic = Ability::Has;
                self.known.publish(Some(status));
            }
            Answer::Name(name) => self.heard.name = Some(name),
            _ => {}
        }
    }

    /// Asks for the four real-time states, one after the other because their answers do not say what they answer.
    /// `None`: it did not answer.
    pub async fn status(&mut self) -> Result<Option<Status>, Lost> {
        let mut stale = Vec::new();
        let settled = self.line.settle(|answer| stale.push(answer)).await;
        for answer in stale {
            self.note(answer);
        }
        settled?;
        if self.known.unfinished && !self.begun && !self.line.freed {
            // Inside a half-sent command the request itself would be taken for a length.
            self.line.ask(&[0; 3], self.until(self.patience.progress)).await?;
            self.line.freed = true;
        }
        let mut states = [0_u8; 4];
        for (state, kind) in states.iter_mut().zip(1..=4) {
            let until = self.until(self.patience.status);
            self.line.ask(&status::real_time_status(kind), until).await?;
            loop {
                match self.line.hear(until).await? {
                    None => {
                        if !self.begun {
                            // Questions that it did not even take would be answered all at once when it is switched on.
                            self.line.discard();
                        }
                        self.line.owes(self.patience.owed);
                        return Ok(None);
                    }
                    Some(Answer::RealTime(byte)) => {
                        *state = byte;
                        break;
                    }
                    Some(other) => self.note(other),
                }
            }
        }
        let said = status::from_real_time(states);
        self.known.can.real_time = Ability::Has;
        self.known.publish(Some(said));
        Ok(Some(said))
    }

    /// Whether the job may begin. Sends no byte of it, and nothing that prints.
    pub async fn ready(&mut self) -> Result<(), NotReady> {
        if self.known.can_be_asked() {
            match self.status().await? {
                Some(status) => status.fault.map_or(Ok(()), |fault| Err(NotReady::Fault(fault)))?,
                None if self.known.can.real_time == Ability::Has => return Err(NotReady::Silent),
                None => {}
            }
        }
        // Where the printer answers nothing, what it says by itself counts, and what its port says.
        if self.known.can.real_time != Ability::Has {
            let fault = match self.known.unasked {
                None => self.line.word().await.and_then(|status| status.fault),
                unasked => unasked,
            };
            fault.map_or(Ok(()), |fault| Err(NotReady::Fault(fault)))?;
        }
        if self.known.unfinished {
            self.line.ask(&self.known.finishing, self.until(self.patience.job)).await?;
            if !self.line.drain(self.patience.progress).await? {
                return Err(NotReady::Lost(Fault::Silent));
            }
        }
        // Only one that has told it before: of any other, a slip would wait for an answer that does not come.
        if self.known.called_itself() {
            self.meet().await?;
        }
        self.settle_owed().await
    }

    /// Asks who it is, once on a line, if it can be expected to tell. Not while a command may be half-sent, or while a fault
    /// keeps it from answering.
    pub async fn meet(&mut self) -> Result<(), Lost> {
        if self.known.is_to_be_named() && !self.line.named {
            self.name().await?;
        }
        Ok(())
    }

    /// Asks who it is. What a printer prints of that is cleared before it is a row.
    async fn name(&mut self) -> Result<(), Lost> {
        let mut names = [None, None, None];
        for (name, kind) in names.iter_mut().zip(66..=68) {
            self.line.ask(&status::name_request(kind), self.until(self.patience.progress)).await?;
            self.hear_until(self.patience.status, |talk| talk.heard.name.is_some()).await?;
            *name = self.heard.name.take();
            if name.is_none() {
                // Who does not give the first name gives none.
                break;
            }
        }
        self.line.named = true;
        self.known.named(names);
        Ok(())
    }

    /// Collects `GS r` answers that earlier jobs are owed. They have no name: one that comes late, even over a new
    /// connection, would prove this job. A further request is put behind them; all of them are answered right after
    /// each other, or were lost with the printer's power, so a pause behind an answer means that no other comes.
    async fn settle_owed(&mut self) -> Result<(), NotReady> {
        let asks = self.known.can.process_id != Ability::Has && self.known.can.queued != Ability::Lacks;
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
                // Only the file says so: perhaps another printer hangs there now.
                None if self.known.can.queued == Ability::Has && !self.known.recalled => {
                    return Err(NotReady::Silent);
                }
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
        self.heard.surplus = false;
        Ok(())
    }

    /// Sends the job and waits for its proof.
    pub async fn run(mut self, bytes: &[u8], replaced: u32) -> JobOutcome {
        self.known.unfinished = true;
        self.line.freed = false;
        self.begun = true;
        let mut requests = Vec::new();
        if self.known.can.process_id != Ability::Lacks {
            let id = self.known.fresh_id();
            self.heard.id = Some(id);
            requests.extend_from_slice(&status::process_id_request(id));
        }
        let asks_queued =
            self.known.can.process_id != Ability::Has && self.known.can.queued != Ability::Lacks;
        if asks_queued {
            // Owed from now on, even if this job ends before it is known whether the request went out.
            self.known.owed = self.known.owed.saturating_add(1);
            requests.extend_from_slice(&status::QUEUED_STATUS);
        }
        let size = bytes.len().saturating_add(requests.len());
        self.end += SLOWEST.saturating_mul(u32::try_from(size).unwrap_or(u32::MAX));
        let mut sent = 0_usize;
        for piece in [bytes, requests.as_slice()] {
            let (more, ended) = self.send(piece).await;
            sent = sent.saturating_add(more);
            if let Err(fault) = ended {
                return self.stopped(fault, sent, asks_queued);
            }
        }
        match self.line.drain(self.patience.progress).await {
            Ok(true) => {}
            Ok(false) => {
                let fault = self.why_stalled().await;
                return self.stopped(fault, sent, asks_queued);
            }
            Err(Lost(fault)) => return self.stopped(fault, sent, asks_queued),
        }
        self.end = Instant::now() + self.patience.job;
        match self.proof(asks_queued).await {
            Ok(proof) => {
                // Bytes from the middle of the slip may have been lost, whatever came behind them.
                let overran = size > SMALLEST_BUFFER && self.line.wire().overruns();
                self.known.unfinished = overran;
                let proof = if overran { Proof::NotVerifiable } else { proof };
                JobOutcome::Printed { proof, replaced }
            }
            Err(fault) => JobOutcome::Unknown { fault, bytes_sent: sent },
        }
    }

    fn stopped(&mut self, fault: Fault, bytes_sent: usize, asked_queued: bool) -> JobOutcome {
        if bytes_sent > 0 {
            return JobOutcome::Unknown { fault, bytes_sent };
        }
        self.known.owed = self.known.owed.saturating_sub(u32::from(asked_queued));
        JobOutcome::NothingPrinted(fault)
    }

    /// Hands the bytes over: how many were taken, and why not all.
    async fn send(&mut self, bytes: &[u8]) -> (usize, Result<(), Fault>) {
        let mut sent = 0_usize;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.get(..self.patience.chunk.max(1)).unwrap_or(rest);
            match self.line.give(chunk, self.until(self.patience.progress)).await {
                Ok(Some(count)) => sent = sent.saturating_add(count),
                Ok(None) => return (sent, Err(self.why_stalled().await)),
                Err(Lost(fault)) => return (sent, Err(fault)),
            }
        }
        (sent, Ok(()))
    }

    /// What the printer or its port has said unasked about taking no more bytes. To ask it would put the question into the
    /// middle of a command.
    async fn why_stalled(&mut self) -> Fault {
        loop {
            match self.line.hear(Instant::now()).await {
                Ok(Some(answer)) => self.note(answer),
                Ok(None) => break,
                Err(Lost(fault)) => return fault,
            }
        }
        match self.heard.automatic {
            Some(fault) => fault,
            None => self.line.word().await.and_then(|status| status.fault).unwrap_or(Fault::Silent),
        }
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
            match self.line.hear(until).await.map_err(|Lost(fault)| fault)? {
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
            if !healthy && self.is_surplus().await? {
                self.known.forget_proofs();
                return Err(Fault::Silent);
            }
            // All was interpreted, and ids were not answered: this printer has none.
            self.known.lacks(Proving::ProcessId);
            return if paper & 0x0c == 0 { Ok(Proof::QueuedStatus) } else { Err(Fault::PaperOut) };
        }
        let id_answers = self.heard.id.is_some() && self.known.can.process_id == Ability::Has;
        let queued_answers = asked_queued && self.known.can.queued == Ability::Has;
        if id_answers || queued_answers {
            // Perhaps another printer was plugged in since: it is found out anew with the next job.
            self.known.forget_proofs();
            return Err(Fault::Silent);
        }
        // Never answered either: taken for a printer that cannot, and not waited for again on this line.
        if self.heard.id.is_some() {
            self.known.is_silent(Proving::ProcessId);
        }
        if asked_queued {
            self.known.is_silent(Proving::Queued);
        }
        self.known.owed = 0;
        Ok(if healthy { Proof::HealthyAfterwards } else { Proof::NotVerifiable })
    }

    /// Whether what looked like an answer to `GS r` was the rest of a group of automatic status whose head got lost: of that,
    /// more comes. Where the printer can be asked how it is, that tells as much.
    async fn is_surplus(&mut self) -> Result<bool, Fault> {
        let until = self.until(self.patience.owed);
        while !self.heard.surplus {
            let Some(answer) = self.line.hear(until).await.map_err(|Lost(fault)| fault)? else { break };
            self.note(answer);
        }
        Ok(self.heard.surplus)
    }

    async fn without_acknowledgement(&mut self) -> Result<Proof, Fault> {
        if self.known.can.real_time != Ability::Has {
            // A line that broke before the last byte was out says so now or never.
            while let Some(answer) = self.line.hear(Instant::now()).await.map_err(|Lost(fault)| fault)? {
                self.note(answer);
            }
            return self.heard.automatic.map_or(Ok(Proof::NotVerifiable), Err);
        }
        let until = self.until(self.patience.settle);
        while let Some(answer) = self.line.hear(until).await.map_err(|Lost(fault)| fault)? {
            self.note(answer);
        }
        self.healthy().await?;
        Ok(Proof::HealthyAfterwards)
    }

    /// Whether the printer says that it is healthy; `false` if it cannot be asked.
    async fn healthy(&mut self) -> Result<bool, Fault> {
        if self.known.can.real_time != Ability::Has {
            return Ok(false);
        }
        let status = self.status().await.map_err(|Lost(fault)| fault)?;
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

    /// Asks all that only a person may ask for. What a printer prints of it is cleared before it is a row.
    pub async fn find_out(&mut self) -> Result<(), Lost> {
        if self.known.unfinished {
            self.line.ask(&self.known.finishing, self.until(self.patience.job)).await?;
            self.line.drain(self.patience.progress).await?;
            self.line.ask(&CLEAR, self.until(self.patience.progress)).await?;
        }
        // First who it is: what was learnt of another one is forgotten by that.
        self.name().await?;
        self.known.doubt();
        if self.known.can.queued != Ability::Lacks {
            self.known.owed = self.known.owed.saturating_add(1);
            self.line.ask(&status::QUEUED_STATUS, self.until(self.patience.progress)).await?;
            self.hear_until(self.patience.status, |talk| talk.known.owed == 0).await?;
            if self.known.owed > 0 {
                self.known.is_silent(Proving::Queued);
                if self.known.can.queued == Ability::Lacks {
                    self.known.owed = 0;
                }
            }
        }
        if self.known.can.process_id != Ability::Lacks {
            let id = self.known.fresh_id();
            self.heard.id = Some(id);
            self.line.ask(&status::process_id_request(id), self.until(self.patience.progress)).await?;
            self.hear_until(self.patience.process_id_after, |talk| talk.heard.id_came_back).await?;
            if !self.heard.id_came_back {
                self.known.is_silent(Proving::ProcessId);
            }
        }
        self.known.can.automatic = Ability::Ask;
        self.line.ask(&status::TELL_CHANGES, self.until(self.patience.progress)).await?;
        let tells = |talk: &Self| talk.known.can.automatic == Ability::Has;
        self.hear_until(self.patience.status, tells).await?;
        if !tells(self) {
            self.known.can.automatic = Ability::Lacks;
        }
        self.line.ask(&status::TELL_NOTHING, self.until(self.patience.progress)).await?;
        self.line.ask(&CLEAR, self.until(self.patience.progress)).await
    }

    async fn hear_until(&mut self, patience: Duration, enough: impl Fn(&Self) -> bool) -> Result<(), Lost> {
        let until = self.until(patience);
        while !enough(self) {
            let Some(answer) = self.line.hear(until).await? else { break };
            self.note(answer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
