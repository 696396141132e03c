//! The mechanism of the simulated printer, without any wire: bytes in, answers out, papers kept.
//!
//! It behaves as the manuals say real ones do (fact sheet ESCPOS 3.3): real-time requests are answered when they arrive,
//! even off-line; everything else waits in a buffer and is worked off in order, and while there is no paper, the cover
//! is open or the printer is off-line, nothing is worked off, so that a queued request stays unanswered. When paper runs
//! out, the piece that hangs out is torn off; with new paper the rest of the buffer is printed on the next piece, which
//! then is not complete either. A power cut loses the buffer.
//!
//! Counts of bytes and rows in a fault are counted from the moment it is set, over the bytes of jobs alone: real-time
//! requests do not count. What a client sends ahead of its first job to end an unfinished command counts.

use std::collections::VecDeque;

use tilld_domain::slip::{Part, Slip};
use zeroize::Zeroize;

use crate::decode::{Decoder, Event};
use crate::profile::Profile;

/// What can be wrong with a simulated printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulatedFault {
    /// No paper.
    PaperOut,
    /// The paper ends when so many bytes have been worked off.
    PaperOutAtByte(usize),
    /// The paper ends when so many rows have been printed.
    PaperOutAfterRows(u32),
    /// The cover is open.
    CoverOpen,
    /// The cover is opened when so many bytes have been worked off.
    CoverOpenAtByte(usize),
    /// Off-line for a reason that it does not give.
    Offline,
    /// It goes off-line when so many bytes have been worked off.
    OfflineAtByte(usize),
    /// The knife is stuck.
    Cutter,
    /// The knife gets stuck when so many bytes have been worked off.
    CutterAtByte(usize),
    /// The knife gets stuck at the next cut.
    CutterAtCut,
    /// It takes bytes and prints, but answers nothing.
    Mute,
    /// It goes mute when so many bytes have been worked off.
    MuteAtByte(usize),
    /// It stops taking bytes, works none off, and answers nothing.
    Deaf,
    /// It goes deaf when so many bytes have been worked off. Once the fault is cleared it goes on where it stopped, as a
    /// printer does whose line or whose head was stuck for a while.
    StallAtByte(usize),
    /// The power is cut when so many bytes have been taken: the connection is reset and none is served until the fault
    /// is cleared.
    VanishAtByte(usize),
    /// The network fails when so many bytes have been taken: the connection is reset, the printer knows nothing of it
    /// and waits for the rest. The next connection is served.
    CutOffAtByte(usize),
}

/// Which questions the printer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// `DLE EOT`.
    pub real_time: bool,
    /// `GS r`.
    pub queued: bool,
    /// `GS ( H`.
    pub process_id: bool,
    /// Automatic status.
    pub automatic: Automatic,
}

/// When a printer tells its state by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// Never.
    Never,
    /// Once `GS a` asked for it.
    WhenAsked,
    /// Always: a DIP switch turns it on (fact sheet ESCPOS 3.3, the trap).
    Always,
}

impl Answers {
    /// All that can be asked; nothing unasked.
    pub const ALL: Self =
        Self { real_time: true, queued: true, process_id: true, automatic: Automatic::WhenAsked };
    /// Nothing.
    pub const NONE: Self =
        Self { real_time: false, queued: false, process_id: false, automatic: Automatic::Never };
}

/// A piece of paper that left the simulated printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedPaper {
    /// What is on it.
    pub slip: Slip,
    /// Whether it is a whole one: from the start of a job to its cut, without a break.
    pub complete: bool,
}

/// The most bytes that wait to be worked off on a network; then no more are taken.
const BUFFER: usize = 64 * 1024;
/// The most papers that are kept; the oldest go first.
const MOST_PAPERS: usize = 10_000;
/// The most parts of one paper: a printer fed with line ends for ever must not fill the memory.
const MOST_PARTS: usize = 20_000;

/// The printer itself.
#[expect(clippy::struct_excessive_bools, reason = "switches of a device, each independent of the others")]
pub(crate) struct Engine {
    profile: Profile,
    answers: Answers,
    fault: Option<SimulatedFault>,
    powerless: bool,
    paper_low: bool,
    drawer_high: bool,
    automatic: bool,
    decoder: Decoder,
    /// A real-time request that has begun to arrive.
    prefix: Vec<u8>,
    /// What waits to be worked off, each byte with whether it counts as one of a job.
    buffer: VecDeque<(u8, bool)>,
    /// How many bytes fit into it. What comes while it is full is lost.
    room: usize,
    lost: usize,
    /// How many bytes it may work off for now; a mechanism that is as fast as the line needs no leave.
    leave: Option<usize>,
    /// Bytes taken, bytes worked off and rows printed since the fault was set.
    taken: usize,
    worked: usize,
    rows: u32,
    parts: Vec<Part>,
    /// Paper ended in the middle of this job.
    broken: bool,
    cut_since_reset: bool,
    cut_waits: bool,
    papers: VecDeque<SimulatedPaper>,
    finished: usize,
    pulses: u32,
    out: Vec<u8>,
}

impl Engine {
    pub fn new(profile: Profile, answers: Answers) -> Self {
        Self {
            answers,
            fault: None,
            powerless: false,
            paper_low: false,
            drawer_high: false,
            automatic: answers.automatic == Automatic::Always,
            decoder: Decoder::new(&profile),
            profile,
            prefix: Vec::new(),
            buffer: VecDeque::new(),
            room: BUFFER,
            lost: 0,
            leave: None,
            taken: 0,
            worked: 0,
            rows: 0,
            parts: Vec::new(),
            broken: false,
            cut_since_reset: false,
            cut_waits: false,
            papers: VecDeque::new(),
            finished: 0,
            pulses: 0,
            out: Vec::new(),
        }
    }

    pub fn set_answers(&mut self, answers: Answers) {
        self.answers = answers;
        self.automatic = answers.automatic == Automatic::Always;
    }

    pub fn set_fault(&mut self, fault: Option<SimulatedFault>) {
        self.fault = fault;
        self.powerless = false;
        self.taken = 0;
        self.worked = 0;
        self.rows = 0;
        if fault == Some(SimulatedFault::PaperOut) {
            self.paper_ends();
        }
        self.work();
        self.say_automatic_status();
    }

    pub fn set_paper_low(&mut self, low: bool) {
        self.paper_low = low;
        self.say_automatic_status();
    }

    pub fn set_drawer_high(&mut self, high: bool) {
        self.drawer_high = high;
        self.say_automatic_status();
    }

    /// Off and on again: what waited is lost, a begun paper is torn off.
    pub fn power_cycle(&mut self) {
        self.prefix.zeroize();
        self.buffer.iter_mut().for_each(|entry| entry.0.zeroize());
        self.buffer.clear();
        self.tear();
        self.broken = false;
        self.cut_waits = false;
        self.decoder = Decoder::new(&self.profile);
        self.automatic = self.answers.automatic == Automatic::Always;
        self.out.clear();
    }

    /// Off, until the fault is cleared.
    pub fn lose_power(&mut self) {
        self.power_cycle();
        self.powerless = true;
    }

    /// Takes the begun paper off, if anything is on it. A row whose end has not come is not on it.
    pub fn tear(&mut self) {
        if self.has_ink() {
            self.finish_paper(false);
        }
        self.parts.clear();
    }

    /// Gives it a buffer of another size, and a mechanism that works off no more than it is told to.
    pub fn limit(&mut self, room: usize, slow: bool) {
        self.room = room;
        self.leave = slow.then_some(0);
    }

    /// Lets a slow mechanism work off some bytes more.
    pub fn let_work(&mut self, bytes: usize) {
        if self.leave.is_some() {
            self.leave = Some(bytes);
            self.work();
        }
    }

    /// How many bytes it takes now before its buffer is full.
    pub fn takes(&self) -> usize {
        if self.fault == Some(SimulatedFault::Deaf) { 0 } else { self.room.saturating_sub(self.buffer.len()) }
    }

    /// Whether bytes wait for a slow mechanism.
    pub fn is_at_work(&self) -> bool {
        self.leave.is_some() && !self.buffer.is_empty()
    }

    /// Bytes that came while the buffer was full.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Whether its power was cut by [`SimulatedFault::VanishAtByte`].
    pub fn is_powerless(&self) -> bool {
        self.powerless
    }

    pub fn papers(&self) -> impl Iterator<Item = &SimulatedPaper> {
        self.papers.iter()
    }

    /// Takes the papers away.
    pub fn take_papers(&mut self) -> Vec<SimulatedPaper> {
        self.papers.drain(..).collect()
    }

    /// How many papers left it since it was made.
    pub fn finished(&self) -> usize {
        self.finished
    }

    pub fn pulses(&self) -> u32 {
        self.pulses
    }

    /// What it has to say.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Noise on its line, or firmware that says what no manual has.
    pub fn say(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Takes a byte off the wire. `false`: the connection ends at this byte.
    pub fn take(&mut self, byte: u8) -> bool {
        self.prefix.push(byte);
        match *self.prefix.as_slice() {
            [0x10] | [0x10, 0x04] => return true,
            [0x10, 0x04, n @ 1..=4] => {
                self.answer_real_time(n);
                // It goes the way of all bytes, too: inside a code's data it is data.
                self.wait(false);
                self.work();
                return true;
            }
            _ => {}
        }
        // What was no request after all may end with the start of one.
        let starts_again = byte == 0x10;
        if starts_again {
            self.prefix.pop();
        }
        if let Some(SimulatedFault::VanishAtByte(at) | SimulatedFault::CutOffAtByte(at)) = self.fault
            && self.taken.saturating_add(self.prefix.len()) > at
        {
            self.prefix.truncate(at.saturating_sub(self.taken));
            self.wait(true);
            self.work();
            if matches!(self.fault, Some(SimulatedFault::VanishAtByte(_))) {
                self.power_cycle();
                self.powerless = true;
            } else {
                self.fault = None;
            }
            return false;
        }
        self.taken = self.taken.saturating_add(self.prefix.len());
        self.wait(true);
        self.work();
        if starts_again {
            self.prefix.push(byte);
        }
        true
    }

    fn wait(&mut self, counts: bool) {
        let fit = self.room.saturating_sub(self.buffer.len()).min(self.prefix.len());
        self.lost = self.lost.saturating_add(self.prefix.len().saturating_sub(fit));
        self.buffer.extend(self.prefix.drain(..fit).map(|byte| (byte, counts)));
        self.prefix.zeroize();
    }

    fn is_blocked(&self) -> bool {
        matches!(
            self.fault,
            Some(
                SimulatedFault::PaperOut
                    | SimulatedFault::CoverOpen
                    | SimulatedFault::Offline
                    | SimulatedFault::Cutter
                    | SimulatedFault::Deaf
            )
        )
    }

    fn is_mute(&self) -> bool {
        matches!(self.fault, Some(SimulatedFault::Mute | SimulatedFault::Deaf))
    }

    /// Works off what waits, as far as it can.
    fn work(&mut self) {
        let mut events = Vec::new();
        loop {
            self.ripen();
            if self.is_blocked() {
                return;
            }
            if self.cut_waits {
                self.cut_waits = false;
                self.part(Part::Cut);
                continue;
            }
            if self.leave == Some(0) {
                return;
            }
            let Some((byte, counts)) = self.buffer.pop_front() else { return };
            self.leave = self.leave.map(|leave| leave.saturating_sub(1));
            self.worked = self.worked.saturating_add(usize::from(counts));
            self.decoder.push(byte, &mut events);
            for event in events.drain(..) {
                self.event(event);
            }
        }
    }

    /// Turns a fault that was to come into one that is there.
    fn ripen(&mut self) {
        match self.fault {
            Some(SimulatedFault::PaperOutAtByte(at)) if self.worked >= at => self.runs_out(),
            Some(SimulatedFault::PaperOutAfterRows(rows)) if self.rows >= rows => self.runs_out(),
            Some(SimulatedFault::CoverOpenAtByte(at)) if self.worked >= at => {
                self.becomes(SimulatedFault::CoverOpen);
            }
            Some(SimulatedFault::OfflineAtByte(at)) if self.worked >= at => {
                self.becomes(SimulatedFault::Offline);
            }
            Some(SimulatedFault::CutterAtByte(at)) if self.worked >= at => {
                self.becomes(SimulatedFault::Cutter);
            }
            Some(SimulatedFault::MuteAtByte(at)) if self.worked >= at => {
                self.fault = Some(SimulatedFault::Mute);
            }
            Some(SimulatedFault::StallAtByte(at)) if self.worked >= at => {
                self.fault = Some(SimulatedFault::Deaf);
            }
            _ => {}
        }
    }

    fn becomes(&mut self, fault: SimulatedFault) {
        self.fault = Some(fault);
        self.say_automatic_status();
    }

    fn runs_out(&mut self) {
        self.fault = Some(SimulatedFault::PaperOut);
        self.paper_ends();
        self.say_automatic_status();
    }

    fn paper_ends(&mut self) {
        if self.has_ink() {
            self.finish_paper(false);
            self.broken = true;
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Part(Part::Cut) if self.fault == Some(SimulatedFault::CutterAtCut) => {
                self.fault = Some(SimulatedFault::Cutter);
                self.cut_waits = true;
                self.say_automatic_status();
            }
            Event::Part(part) => self.part(part),
            Event::Reset => {
                self.broken = false;
                self.cut_since_reset = false;
                self.automatic = self.answers.automatic == Automatic::Always;
            }
            Event::QueuedStatus(kind) if self.answers.queued && !self.is_mute() => {
                let paper = if self.paper_low { 0x03 } else { 0 };
                let drawer = u8::from(self.drawer_high);
                self.out.push(if matches!(kind, 2 | b'2') { drawer } else { paper });
            }
            Event::ProcessId([a, b, c, d]) if self.answers.process_id && !self.is_mute() => {
                self.out.extend_from_slice(&[0x37, 0x22, a, b, c, d, 0]);
            }
            Event::AutomaticStatus(kinds) if self.answers.automatic != Automatic::Never => {
                self.automatic = kinds != 0;
                self.say_automatic_status();
            }
            // A printer that answers queued requests gives its names, too.
            Event::Identity(kind @ 66..=68) if self.answers.queued && !self.is_mute() => {
                let name: &[u8] = match kind {
                    66 => b"_SIMULATED\0",
                    67 => b"_PAPER\0",
                    _ => b"_0001\0",
                };
                self.out.extend_from_slice(name);
            }
            Event::QueuedStatus(_) | Event::ProcessId(_) | Event::AutomaticStatus(_) | Event::Identity(_) => {
            }
        }
    }

    fn part(&mut self, part: Part) {
        match part {
            Part::Cut => {
                self.parts.push(Part::Cut);
                self.finish_paper(!self.broken);
                self.cut_since_reset = true;
                return;
            }
            Part::Drawer(_) => {
                self.pulses = self.pulses.saturating_add(1);
                // Behind the cut it belongs to the slip that was cut.
                if self.cut_since_reset
                    && !self.has_ink()
                    && let Some(last) = self.papers.back_mut()
                {
                    last.slip.parts.push(part);
                    return;
                }
            }
            Part::Row(_) => self.rows = self.rows.saturating_add(1),
            Part::Feed(rows) => self.rows = self.rows.saturating_add(u32::from(rows)),
            Part::Qr(_) | Part::Barcode(..) | Part::Picture(..) => {}
        }
        self.parts.push(part);
        if self.parts.len() >= MOST_PARTS {
            self.paper_ends();
        }
    }

    fn has_ink(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Drawer(_)))
    }

    fn finish_paper(&mut self, complete: bool) {
        let slip = Slip { columns: self.profile.columns, parts: std::mem::take(&mut self.parts) };
        self.papers.push_back(SimulatedPaper { slip, complete });
        if self.papers.len() > MOST_PAPERS {
            self.papers.pop_front();
        }
        self.finished = self.finished.saturating_add(1);
    }

    fn answer_real_time(&mut self, kind: u8) {
        if !self.answers.real_time || self.is_mute() {
            return;
        }
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let cover = self.fault == Some(SimulatedFault::CoverOpen);
        let cutter = self.fault == Some(SimulatedFault::Cutter);
        let empty = self.fault == Some(SimulatedFault::PaperOut);
        self.out.push(
            0x12 | match kind {
                1 => bit(self.drawer_high, 0x04) | bit(self.is_blocked(), 0x08),
                2 => bit(cover, 0x04) | bit(empty, 0x20) | bit(cutter, 0x40),
                3 => bit(cutter, 0x08),
                _ => bit(self.paper_low, 0x0c) | bit(empty, 0x60),
            },
        );
    }

    fn say_automatic_status(&mut self) {
        if !self.automatic || self.is_mute() {
            return;
        }
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let general = bit(self.drawer_high, 0x04)
            | bit(self.is_blocked(), 0x08)
            | bit(self.fault == Some(SimulatedFault::CoverOpen), 0x20);
        let error = bit(self.fault == Some(SimulatedFault::Cutter), 0x08);
        let paper = bit(self.paper_low, 0x03) | bit(self.fault == Some(SimulatedFault::PaperOut), 0x0c);
        self.out.extend_from_slice(&[0x10 | general, error, paper, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(engine: &mut Engine, bytes: &[u8]) -> Vec<u8> {
        for byte in bytes {
            assert!(engine.take(*byte), "the power went");
        }
        engine.take_answers()
    }

    fn engine() -> Engine {
        Engine::new(Profile::epson(), Answers::ALL)
    }

    fn rows(paper: &SimulatedPaper) -> Vec<&str> {
        let rows = paper.slip.parts.iter();
        rows.filter_map(|part| if let Part::Row(row) = part { Some(row.text.reveal()) } else { None })
            .collect()
    }

    #[test]
    fn questions_are_answered_by_the_state_they_meet() {
        use SimulatedFault::{CoverOpen, Cutter, Mute, Offline, PaperOut};
        let ask = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04\x1dr1\x1d(H\x06\x0000abcd";
        for (fault, answer) in [
            (None, &b"\x12\x12\x12\x12\x00\x37\x22abcd\x00"[..]),
            (Some(PaperOut), b"\x1a\x32\x12\x72"),
            (Some(CoverOpen), b"\x1a\x16\x12\x12"),
            (Some(Offline), b"\x1a\x12\x12\x12"),
            (Some(Cutter), b"\x1a\x52\x1a\x12"),
            (Some(Mute), b""),
        ] {
            let mut engine = engine();
            engine.set_fault(fault);
            assert_eq!(fed(&mut engine, ask), answer, "{fault:?}");
            engine.set_fault(None);
            let queued: &[u8] = if answer.len() == 4 { b"\x00\x37\x22abcd\x00" } else { b"" };
            assert_eq!(engine.take_answers(), queued, "what waited is answered once it can: {fault:?}");
        }
    }

    #[test]
    fn a_request_is_seen_behind_any_false_start() {
        for start in [&b"\x10"[..], b"\x10\x04", b"\x10\x10\x04\x10"] {
            assert_eq!(fed(&mut engine(), &[start, b"\x10\x04\x01"].concat()), [0x12], "{start:02x?}");
        }
    }

    #[test]
    fn a_cut_ends_a_paper_and_a_lack_of_paper_breaks_it() {
        let mut engine = engine();
        fed(&mut engine, b"\x1b@one\n\x1dV\x00");
        engine.set_fault(Some(SimulatedFault::PaperOutAfterRows(1)));
        fed(&mut engine, b"\x1b@two\nthree\n\x1dV\x00");
        engine.set_fault(None);
        fed(&mut engine, b"\x1b@four\n");
        engine.tear();
        let papers: Vec<_> = engine.papers().map(|paper| (rows(paper), paper.complete)).collect();
        let expected =
            [(vec!["one"], true), (vec!["two"], false), (vec!["three"], false), (vec!["four"], false)];
        assert_eq!(papers, expected);
    }

    #[test]
    fn the_power_goes_at_the_byte_that_was_named() {
        for at in 0..4 {
            let mut engine = engine();
            engine.set_fault(Some(SimulatedFault::VanishAtByte(at)));
            fed(&mut engine, b"\x10\x04\x01");
            for byte in b"a\nb\n".iter().take(at) {
                assert!(engine.take(*byte));
            }
            assert!(!engine.take(b'x') && engine.is_powerless());
            let torn: Vec<_> = engine.papers().map(|paper| rows(paper).len()).collect();
            assert_eq!(torn, if at < 2 { vec![] } else { vec![1] }, "only rows that were ended, {at}");
        }
    }

    #[test]
    fn a_printer_that_stalls_goes_on_where_it_stopped() {
        for at in 0..6 {
            let mut engine = engine();
            engine.set_fault(Some(SimulatedFault::StallAtByte(at)));
            let answers = fed(&mut engine, b"\x1b@a\nb\x1dr1\x10\x04\x01");
            assert_eq!((answers, engine.takes()), (vec![], 0), "{at}");
            engine.set_fault(None);
            assert_eq!((engine.take_answers(), engine.takes() > 0), (vec![0], true), "{at}");
            fed(&mut engine, b"\n\x1dV\x00");
            let papers: Vec<_> = engine.papers().map(|paper| (rows(paper), paper.complete)).collect();
            assert_eq!(papers, [(vec!["a", "b"], true)], "{at}");
        }
    }

    #[test]
    fn a_stuck_knife_holds_the_paper_until_it_is_free() {
        let mut engine = engine();
        engine.set_fault(Some(SimulatedFault::CutterAtCut));
        assert_eq!(fed(&mut engine, b"\x1b@a\n\x1dV\x00\x1dr1\x10\x04\x03"), [0x1a]);
        assert_eq!(engine.finished(), 0);
        engine.set_fault(None);
        assert_eq!((engine.finished(), engine.take_answers()), (1, vec![0]));
    }

    #[test]
    fn pulses_are_counted_and_stand_on_their_paper() {
        let mut engine = engine();
        fed(&mut engine, b"\x1b@a\n\x1dV\x00\x1bp0\x19\xfa\x1b@\x1bp0\x19\xfab\n\x1dV\x00");
        let drawers: Vec<_> = engine
            .papers()
            .map(|paper| paper.slip.parts.iter().filter(|part| matches!(part, Part::Drawer(_))).count())
            .collect();
        assert_eq!((engine.pulses(), drawers), (2, vec![1, 1]));
    }

    #[test]
    fn automatic_status_speaks_when_asked_and_on_every_change() {
        let mut engine = engine();
        assert_eq!(fed(&mut engine, b"\x1da\xff"), [0x10, 0, 0, 0]);
        engine.set_fault(Some(SimulatedFault::CoverOpen));
        assert_eq!(engine.take_answers(), [0x38, 0, 0, 0]);
        engine.set_fault(None);
        assert_eq!(fed(&mut engine, b"\x1b@"), [0x10, 0, 0, 0]);
        engine.set_paper_low(true);
        assert_eq!(engine.take_answers(), []);
    }
}
