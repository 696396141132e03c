//! Bytes back to slips: what a printer would put on paper for any byte stream, ours or another program's.
//!
//! It is written from the command descriptions of the vendors' manuals (fact sheet ESCPOS 3), not from the encoder, so
//! that a mistake there shows here. It goes byte by byte and holds at most one row and one command, so it can sit
//! inside the simulated printer, and no input can make it grow: a command's data is kept up to [`LONGEST`] bytes,
//! pictures are counted past.
//!
//! What is on the paper that a [`Slip`] has no word for is shown as text rather than left out: a stray control byte as
//! its picture (␛), a byte that the page does not define as �, a bitmap as `[image]`, an unknown bar code with its
//! text. Not shown, because a printer shows nothing either: CR, and commands that only set something a slip does not
//! have (line spacing, fonts, margins). A row whose style changes in the middle has the style of its first character.

use std::sync::Arc;

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Row, Slip, Style, Symbology};
use zeroize::{Zeroize, Zeroizing};

use crate::codepage::CodePage;
use crate::profile::Profile;

/// The most bytes of one command that are kept: a QR code holds 7,089 at most.
pub const LONGEST: usize = 8 * 1024;

const NUL: u8 = 0x00;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const HT: u8 = 0x09;
const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const DLE: u8 = 0x10;
const DC4: u8 = 0x14;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// What a byte stream means, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something on paper, or a pulse for the drawer.
    Part(Part),
    /// `ESC @`: everything as at power-on.
    Reset,
    /// `GS r n`: a status is asked for, to be answered when this point is reached.
    QueuedStatus(u8),
    /// `GS ( H` function 48: this id is to be answered when all before it is printed.
    ProcessId([u8; 4]),
    /// `GS a n`: automatic status is switched.
    AutomaticStatus(u8),
    /// `GS I n`: the printer's name or version is asked for.
    Identity(u8),
}

/// Reads a byte stream as a printer of a certain kind does.
pub struct Decoder {
    pages: Arc<[(CodePage, u8)]>,
    columns: u16,
    page: Option<CodePage>,
    style: Style,
    align: Align,
    line: Zeroizing<String>,
    line_style: Style,
    cells: u16,
    command: Zeroizing<Vec<u8>>,
    /// Bytes of a picture that are still to be passed over.
    skip: u64,
    qr: Zeroizing<Vec<u8>>,
}

/// How far a command goes, judged from what there is of it.
enum Extent {
    /// Not to be said yet.
    More,
    /// So many bytes altogether.
    Bytes(usize),
    /// Its head is complete; so many bytes of a picture follow.
    Picture(u64),
    /// It ends with the next byte of this value.
    Until(u8),
    /// No command that any printer knows.
    Unknown,
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}

/// `a` by `b` bytes of a picture.
fn area(a: usize, b: usize) -> Extent {
    Extent::Picture(u64::try_from(a.saturating_mul(b)).unwrap_or(u64::MAX))
}

#[expect(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "a table: one line a family of commands"
)]
fn extent(command: &[u8]) -> Extent {
    use Extent::{Bytes, More, Picture, Unknown, Until};
    match *command {
        [DLE | ESC | FS | GS]
        | [DLE, DC4]
        | [DLE, EOT]
        | [ESC, b'*']
        | [ESC, b'*', _]
        | [ESC, b'*', _, _]
        | [GS, b'k' | b'(' | b'8' | b'V' | b'*' | b'v']
        | [GS, b'8', b'L']
        | [GS, b'8', b'L', _]
        | [GS, b'8', b'L', _, _]
        | [GS, b'8', b'L', _, _, _]
        | [GS, b'(', _]
        | [GS, b'(', _, _]
        | [GS, b'*', _]
        | [GS, b'k', 65..=79] => More,
        [DLE, EOT, 1..=4] => Bytes(3),
        [DLE, EOT, 7 | 8 | 18, ..] => Bytes(4),
        [DLE, ENQ, ..] => Bytes(3),
        [DLE, DC4, 1 | 2, ..] => Bytes(5),
        [DLE, DC4, 8, ..] => Bytes(10),

        [ESC, b'@' | b'2' | b'i' | b'm' | b'<' | b'L' | b'S', ..] => Bytes(2),
        [
            ESC,
            b'!' | b'-' | b'E' | b'G' | b'M' | b'R' | b't' | b'a' | b'd' | b'J' | b'e' | b'K' | b'3' | b' '
            | b'V' | b'{' | b'=' | b'r' | b'%' | b'?' | b'U' | b'T',
            ..,
        ] => Bytes(3),
        [ESC, b'$' | b'\\' | b'c' | b'B', ..] => Bytes(4),
        [ESC, b'p', ..] => Bytes(5),
        [ESC, b'D', ..] => Until(NUL),
        [ESC, b'*', mode, low, high, ..] => {
            // Modes 32 and 33 have three bytes a column of dots.
            area(word(low, high), if mode >= 32 { 3 } else { 1 })
        }

        [FS, b'.' | b'&', ..] => Bytes(2),
        [FS, b'!' | b'-' | b'C' | b'W', ..] => Bytes(3),
        [FS, b'S' | b'p', ..] => Bytes(4),

        [
            GS,
            b'!' | b'B' | b'H' | b'h' | b'w' | b'f' | b'r' | b'a' | b'I' | b'b' | b'E' | b'/' | b'T',
            ..,
        ] => Bytes(3),
        [GS, b'L' | b'W' | b'P' | b'$' | b'\\', ..] => Bytes(4),
        [GS, b'^', ..] => Bytes(5),
        [GS, b':', ..] => Bytes(2),
        [GS, b'V', 0 | 1 | 48 | 49, ..] => Bytes(3),
        [GS, b'V', 65 | 66 | 97 | 98 | 103 | 104, ..] => Bytes(4),
        [GS, b'*', wide, high, ..] => area(usize::from(wide).saturating_mul(8), usize::from(high)),
        [GS, b'k', 0..=6, ..] => Until(NUL),
        [GS, b'k', 65..=79, length, ..] => Bytes(usize::from(length).saturating_add(4)),
        [GS, b'(', kind, low, high, ..] => {
            let length = word(low, high);
            if matches!(kind, b'k' | b'H') && length <= LONGEST {
                Bytes(length.saturating_add(5))
            } else {
                Picture(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
        [GS, b'8', b'L', a, b, c, d, ..] => Picture(u64::from(u32::from_le_bytes([a, b, c, d]))),
        [GS, b'v', b'0', _, wide_low, wide_high, high_low, high_high, ..] => {
            area(word(wide_low, wide_high), word(high_low, high_high))
        }
        [GS, b'v', b'0', ..] => More,
        _ => Unknown,
    }
}

impl Decoder {
    /// A printer of this kind, just switched on.
    pub fn new(profile: &Profile) -> Self {
        let mut decoder = Self {
            pages: Arc::clone(&profile.pages),
            columns: profile.columns.max(1),
            page: None,
            style: Style::PLAIN,
            align: Align::Left,
            line: Zeroizing::new(String::new()),
            line_style: Style::PLAIN,
            cells: 0,
            command: Zeroizing::new(Vec::new()),
            skip: 0,
            qr: Zeroizing::new(Vec::new()),
        };
        decoder.reset();
        decoder
    }

    /// Takes one byte and adds what it completes to `events`.
    pub fn push(&mut self, byte: u8, events: &mut Vec<Event>) {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
            return;
        }
        if self.command.is_empty() {
            match byte {
                DLE | ESC | FS | GS => self.command.push(byte),
                LF => self.end_line(events),
                CR => {}
                HT => self.tab(events),
                _ => self.letter(byte, events),
            }
            return;
        }
        self.command.push(byte);
        match extent(&self.command) {
            Extent::Bytes(length) if self.command.len() >= length => self.obey(events),
            Extent::Picture(length) => {
                let asks = matches!(self.command.get(1), Some(b'(' | b'8')) && !self.is_picture();
                self.command.zeroize();
                self.skip = length;
                if !asks {
                    self.words("[image]", events);
                }
            }
            Extent::Until(last) if byte == last && self.command.len() > 3 || self.command.len() > LONGEST => {
                self.obey(events);
            }
            Extent::More | Extent::Bytes(_) | Extent::Until(_) => {}
            Extent::Unknown => self.show_command(events),
        }
    }

    /// Whether a `GS (` or `GS 8` command carries graphics (`L`) and not a setting.
    fn is_picture(&self) -> bool {
        self.command.get(2) == Some(&b'L')
    }

    /// The stream ends here: what is in the row and what there is of a command come out.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        if !self.command.is_empty() {
            let unfinished = std::mem::take(&mut self.command);
            for byte in unfinished.iter() {
                self.letter(*byte, events);
            }
        }
        if !self.line.is_empty() {
            self.end_line(events);
        }
        self.skip = 0;
    }

    /// Shows a sequence that is no command: its first byte as a picture, the others as what they are by themselves.
    fn show_command(&mut self, events: &mut Vec<Event>) {
        let unknown = std::mem::take(&mut self.command);
        let mut bytes = unknown.iter();
        if let Some(first) = bytes.next() {
            self.letter(*first, events);
        }
        for byte in bytes {
            self.push(*byte, events);
        }
    }

    fn reset(&mut self) {
        self.page = self.pages.iter().find(|(_, number)| *number == 0).map(|(page, _)| *page);
        self.style = Style::PLAIN;
        self.align = Align::Left;
        self.qr.zeroize();
    }

    fn letter(&mut self, byte: u8, events: &mut Vec<Event>) {
        let shown = match byte {
            0x00..=0x1f => char::from_u32(u32::from(byte).saturating_add(0x2400)),
            0x7f => Some('\u{2421}'),
            _ => self
                .page
                .and_then(|page| page.character(byte))
                .or_else(|| (byte < 0x7f).then_some(char::from(byte))),
        };
        self.put(shown.unwrap_or('\u{fffd}'), events);
    }

    fn put(&mut self, letter: char, events: &mut Vec<Event>) {
        let width = u16::from(self.style.width);
        if self.cells > 0 && self.cells.saturating_add(width) > self.columns {
            self.end_line(events);
        }
        if self.line.is_empty() {
            self.line_style = self.style;
        }
        self.line.push(letter);
        self.cells = self.cells.saturating_add(width);
    }

    fn words(&mut self, text: &str, events: &mut Vec<Event>) {
        for letter in text.chars() {
            self.put(letter, events);
        }
        self.end_line(events);
    }

    /// To the next of the stops that a printer has unless told otherwise: every eight characters.
    fn tab(&mut self, events: &mut Vec<Event>) {
        let width = u16::from(self.style.width).max(1);
        let at = self.cells.checked_div(width).unwrap_or(0);
        for _ in at..at.saturating_add(1).next_multiple_of(8) {
            self.put(' ', events);
        }
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let style = if self.line.is_empty() { self.style } else { self.line_style };
        let text = Secret::new(std::mem::take(&mut *self.line));
        self.cells = 0;
        events.push(Event::Part(Part::Row(Row { text, style, align: self.align })));
    }

    /// What stands in the row is printed before something else is.
    fn end_begun_line(&mut self, events: &mut Vec<Event>) -> bool {
        let begun = !self.line.is_empty();
        if begun {
            self.end_line(events);
        }
        begun
    }

    fn obey(&mut self, events: &mut Vec<Event>) {
        let command = std::mem::take(&mut self.command);
        match *command.as_slice() {
            [ESC, b'@'] => {
                // It clears the print buffer: a row that was not ended is never printed.
                self.line.zeroize();
                self.cells = 0;
                self.reset();
                events.push(Event::Reset);
            }
            [ESC, b'!', n] => {
                let times = |bit: u8| if n & bit == 0 { 1 } else { 2 };
                self.style.bold = n & 0x08 != 0;
                self.style.height = times(0x10);
                self.style.width = times(0x20);
                self.style.underline = n & 0x80 != 0;
            }
            [ESC, b'-', n] => self.style.underline = matches!(n, 1 | 2 | b'1' | b'2'),
            [ESC, b'E', n] => self.style.bold = n & 1 != 0,
            [GS, b'B', n] => self.style.inverse = n & 1 != 0,
            [GS, b'!', n] => {
                self.style.width = ((n >> 4) & 7).saturating_add(1);
                self.style.height = (n & 7).saturating_add(1);
            }
            // Obeyed only at the start of a row.
            [ESC, b'a', n] if self.line.is_empty() => {
                self.align = match n {
                    1 | b'1' => Align::Centre,
                    2 | b'2' => Align::Right,
                    _ => Align::Left,
                }
            }
            [ESC, b't', n] => {
                self.page = self.pages.iter().find(|(_, number)| *number == n).map(|(page, _)| *page);
            }
            [ESC, b'd', n] => {
                // It prints the row and moves n rows on, the first of which is the printed one's own.
                let begun = self.end_begun_line(events);
                let rows = n.saturating_sub(u8::from(begun));
                if rows > 0 {
                    events.push(Event::Part(Part::Feed(rows)));
                }
            }
            [ESC, b'J', _] => {
                self.end_begun_line(events);
            }
            [ESC, b'p', pin, on, off] => events.push(Event::Part(Part::Drawer(pulse(pin & 1, on, off)))),
            [DLE, DC4, 1, pin, time] => {
                // Units of 100 ms, on and off.
                let ms = u16::from(time).saturating_mul(100);
                let pin = if pin & 1 == 0 { DrawerPin::Two } else { DrawerPin::Five };
                events.push(Event::Part(Part::Drawer(DrawerPulse { pin, on_ms: ms, off_ms: ms })));
            }
            [ESC, b'i' | b'm'] | [GS, b'V', ..] => {
                self.end_begun_line(events);
                events.push(Event::Part(Part::Cut));
            }
            [GS, b'r', n] => events.push(Event::QueuedStatus(n)),
            [GS, b'a', n] => events.push(Event::AutomaticStatus(n)),
            [GS, b'I', n] => events.push(Event::Identity(n)),
            [GS, b'(', b'H', 6, 0, 48, 48, a, b, c, d] => {
                self.end_begun_line(events);
                events.push(Event::ProcessId([a, b, c, d]));
            }
            [GS, b'(', b'k', _, _, 49, 80, 48, ref data @ ..] => {
                self.qr.zeroize();
                self.qr.extend_from_slice(data);
            }
            [GS, b'(', b'k', _, _, 49, 81, 48] => {
                self.end_begun_line(events);
                let text = Secret::new(String::from_utf8_lossy(&self.qr).into_owned());
                events.push(Event::Part(Part::Qr(text)));
            }
            [GS, b'k', kind @ 0..=6, ref data @ .., NUL] | [GS, b'k', kind @ 65..=79, _, ref data @ ..] => {
                self.bars(kind, data, events);
            }
            _ => {}
        }
    }

    fn bars(&mut self, kind: u8, data: &[u8], events: &mut Vec<Event>) {
        self.end_begun_line(events);
        let part = match kind {
            2 | 67 => {
                Part::Barcode(Symbology::Ean13, Secret::new(String::from_utf8_lossy(data).into_owned()))
            }
            73 => Part::Barcode(Symbology::Code128, code128(data)),
            _ => {
                self.words("[bar code]", events);
                for byte in data {
                    self.letter(*byte, events);
                }
                self.end_line(events);
                return;
            }
        };
        events.push(Event::Part(part));
    }
}

fn pulse(pin: u8, on: u8, off: u8) -> DrawerPulse {
    let pin = if pin == 0 { DrawerPin::Two } else { DrawerPin::Five };
    DrawerPulse { pin, on_ms: u16::from(on).saturating_mul(2), off_ms: u16::from(off).saturating_mul(2) }
}

/// The text of a CODE128's data: `{A`, `{B` and `{C` choose a set, `{{` is a brace, a byte of set C is two digits.
fn code128(data: &[u8]) -> Secret {
    let mut text = String::new();
    let mut set = b'B';
    let mut bytes = data.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'{' {
            match bytes.next() {
                Some(b'{') => text.push('{'),
                Some(named @ (b'A' | b'B' | b'C')) => set = named,
                // Function codes and shift have no character.
                _ => {}
            }
        } else if set == b'C' && byte < 100 {
            text.push(char::from(byte.div_euclid(10).saturating_add(b'0')));
            text.push(char::from(byte.rem_euclid(10).saturating_add(b'0')));
        } else if byte < 0x20 {
            text.push(char::from_u32(u32::from(byte).saturating_add(0x2400)).unwrap_or('\u{fffd}'));
        } else {
            text.push(char::from(byte));
        }
    }
    Secret::new(text)
}

/// The slips in a byte stream, one for each piece of paper: a cut ends one, the end of the stream the last. Pulses for
/// the drawer behind the last cut belong to the piece before.
pub fn decode(profile: &Profile, bytes: &[u8]) -> Vec<Slip> {
    let mut decoder = Decoder::new(profile);
    let mut events = Vec::new();
    for byte in bytes {
        decoder.push(*byte, &mut events);
    }
    decoder.finish(&mut events);

    let mut slips: Vec<Slip> = Vec::new();
    let mut parts = Vec::new();
    for event in events {
        let Event::Part(part) = event else { continue };
        let is_cut = part == Part::Cut;
        parts.push(part);
        if is_cut {
            slips.push(Slip { columns: profile.columns, parts: std::mem::take(&mut parts) });
        }
    }
    let has_paper = parts.iter().any(|part| !matches!(part, Part::Drawer(_)));
    match slips.last_mut() {
        Some(last) if !has_paper => last.parts.append(&mut parts),
        _ if parts.is_empty() => {}
        _ => slips.push(Slip { columns: profile.columns, parts }),
    }
    slips
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short notation for what is on paper.
    fn shown(bytes: &[u8]) -> String {
        decode(&Profile::epson(), bytes)
            .iter()
            .flat_map(|slip| &slip.parts)
            .map(show)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn show(part: &Part) -> String {
        match part {
            Part::Row(row) => {
                let Style { bold, underline, inverse, width, height } = row.style;
                let mut marks = String::new();
                for (set, mark) in [(bold, "b"), (underline, "u"), (inverse, "i")] {
                    marks.push_str(if set { mark } else { "" });
                }
                if (width, height) != (1, 1) {
                    marks = format!("{marks}{width}x{height}");
                }
                let side = match row.align {
                    Align::Left => "",
                    Align::Centre => "^",
                    Align::Right => ">",
                };
                format!("{marks}{side}'{}'", row.text.reveal())
            }
            Part::Feed(rows) => format!("feed{rows}"),
            Part::Qr(text) => format!("qr'{}'", text.reveal()),
            Part::Barcode(symbology, text) => format!("{symbology:?}'{}'", text.reveal()),
            Part::Cut => "cut".to_owned(),
            Part::Drawer(pulse) => format!("{:?}:{}/{}", pulse.pin, pulse.on_ms, pulse.off_ms),
        }
    }

    #[test]
    fn any_stream_is_shown_as_the_paper_would_be() {
        for (bytes, paper) in [
            (&b"hello\n"[..], "'hello'"),
            (b"no end", "'no end'"),
            (b"\n\n", "'' ''"),
            (b"a\r\nb\r\n", "'a' 'b'"),
            (b"ab\tc\n", "'ab      c'"),
            (b"\x1b!\x38x\n", "b2x2'x'"),
            (b"\x1b!\x80x\n\x1b@y\n", "u'x' 'y'"),
            (b"not ended\x1b@y\n", "'y'"),
            (b"\x1bE1x\x1bE0y\n", "b'xy'"),
            (b"a\x1ba1b\n", "'ab'"),
            (b"\x1ba1\x1d!\x70W\n", "8x1^'W'"),
            (b"\x1bt\x13\xd5\n\x1bt\x10\x80\n\x1bt\x63\x80\n", "'€' '€' '\u{fffd}'"),
            (b"row\x1bd\x03\x1bd\x02", "'row' feed2 feed2"),
            (b"x\x1dV\x00y\x1dVB\x10z\x1bi", "'x' cut 'y' cut 'z' cut"),
            (b"\x1bp0\x19\xfa", "Two:50/500"),
            (b"\x10\x14\x01\x01\x02", "Five:200/200"),
            (b"\x1b\x70\x00\x1dVA\x00", "Two:58/172 'A\u{2400}'"),
            (b"\x1d(k\x04\x001P0Z\x1d(k\x03\x001Q0\x1d(k\x03\x001Q0", "qr'Z' qr'Z'"),
            (b"\x1dk\x024006381333931\x00", "Ean13'4006381333931'"),
            (b"\x1dkC\x0c400638133393", "Ean13'400638133393'"),
            (b"\x1dkI\x09{BA{{{C\x0c\x22", "Code128'A{1234'"),
            (b"\x1dk\x04ABC\x00", "'[bar code]' 'ABC'"),
            (b"\x1dv0\x00\x02\x00\x02\x00\x10\x04\x01\x41after\n", "'[image]' 'after'"),
            (b"\x1b*\x21\x01\x00abcx\n", "'[image]' 'x'"),
            (b"\x07\x00\x1b\x01x\n", "'\u{2407}\u{2400}\u{241b}\u{2401}x'"),
            (b"\x1d", "'\u{241d}'"),
            (b"\x1d(k\xff\x00ab", "'\u{241d}(k\u{a0}\u{2400}ab'"),
            (b"\x10\x04\x01\x1dr1\x1da\xffok\n", "'ok'"),
            (b"\x1d(H\x06\x0000abcdok\n", "'ok'"),
            (b"\x1d(A\x02\x00\x00\x02ok\n", "'ok'"),
        ] {
            assert_eq!(shown(bytes), paper, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_row_wraps_at_the_papers_edge_and_not_twice() {
        let row = "x".repeat(48);
        assert_eq!(shown(format!("{row}\ny\n").as_bytes()), format!("'{row}' 'y'"));
        assert_eq!(shown(format!("{row}yz\n").as_bytes()), format!("'{row}' 'yz'"));
    }

    #[test]
    fn a_pulse_behind_the_cut_belongs_to_the_paper_before() {
        let slips = decode(&Profile::epson(), b"a\n\x1dV\x00\x1bp0\x19\xfa");
        assert_eq!(slips.len(), 1);
        assert_eq!(slips[0].parts.len(), 3);
    }
}
