//! Bytes back to slips: what a printer would put on paper for any byte stream, ours or another program's.
//!
//! It is written from the command descriptions of the vendors' manuals (fact sheet ESCPOS 3), not from the encoder, so
//! that a mistake there shows here. It goes byte by byte and holds at most one row and one command, so it can sit
//! inside the simulated printer, and no input can make it grow: a command's data is kept up to [`LONGEST`] bytes, of a
//! picture at most [`TALLEST`] rows as wide as the paper, then they come out as one.
//!
//! What is on the paper that a [`Slip`] has no word for is shown as text rather than left out: a stray control byte as
//! its picture (␛), a byte that the page does not define as �, graphics of Epson's newer commands as `[image]`, an unknown
//! bar code with its text. Not shown, because a printer shows nothing either: CR, and commands that only set something a slip does not
//! have (line spacing, fonts, margins). A row whose style changes in the middle has the style of its first character.

use std::sync::Arc;

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use zeroize::{Zeroize, Zeroizing};

use crate::codepage::CodePage;
use crate::double_byte::DoubleByte;
use crate::profile::Profile;

/// The most bytes of one command that are kept: a QR code holds 7,089 at most.
pub const LONGEST: usize = 8 * 1024;
/// The most rows of a picture that are kept before they come out.
pub const TALLEST: usize = 256;

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
    /// Bytes of graphics that are still to be passed over.
    skip: u64,
    /// Dots in a row of the paper.
    dots: usize,
    incoming: Option<Incoming>,
    /// A picture of `ESC *` stands in the row, which the next line end ends.
    in_picture: bool,
    double_byte: Option<DoubleByte>,
    is_double: bool,
    /// The first byte of two.
    lead: Option<u8>,
    qr: Zeroizing<Vec<u8>>,
}

/// A picture that is arriving.
struct Incoming {
    shape: Shape,
    /// Bytes that are still to come.
    left: u64,
    /// Where the next byte stands in its row or column.
    at: usize,
    /// Columns begun.
    column: usize,
    bits: Zeroizing<Vec<u8>>,
}

/// How a picture's bytes stand.
#[derive(Clone, Copy)]
enum Shape {
    /// Row by row, so many bytes each, of which the first `kept` are on the paper.
    Rows { bytes: usize, kept: usize },
    /// Column by column, so many bytes each, in rows of `kept` bytes.
    Columns { bytes: usize, kept: usize },
}

/// How far a command goes, judged from what there is of it.
enum Extent {
    /// Not to be said yet.
    More,
    /// So many bytes altogether.
    Bytes(usize),
    /// Its head is complete; so many bytes of graphics follow.
    Graphics(u64),
    /// Its head is complete; so many rows of so many bytes follow.
    Rows(usize, usize),
    /// Its head is complete; so many columns of so many bytes follow.
    Columns(usize, usize),
    /// It ends with the next byte of this value.
    Until(u8),
    /// No command that any printer knows.
    Unknown,
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}

fn product(a: usize, b: usize) -> u64 {
    u64::try_from(a.saturating_mul(b)).unwrap_or(u64::MAX)
}

#[expect(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "a table: one line a family of commands"
)]
fn extent(command: &[u8]) -> Extent {
    use Extent::{Bytes, Columns, Graphics, More, Rows, Unknown, Until};
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
            Columns(word(low, high), if mode >= 32 { 3 } else { 1 })
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
        [GS, b'*', wide, high, ..] => {
            Graphics(product(usize::from(wide).saturating_mul(8), usize::from(high)))
        }
        [GS, b'k', 0..=6, ..] => Until(NUL),
        [GS, b'k', 65..=79, length, ..] => Bytes(usize::from(length).saturating_add(4)),
        [GS, b'(', kind, low, high, ..] => {
            let length = word(low, high);
            if matches!(kind, b'k' | b'H') && length <= LONGEST {
                Bytes(length.saturating_add(5))
            } else {
                Graphics(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
        [GS, b'8', b'L', a, b, c, d, ..] => Graphics(u64::from(u32::from_le_bytes([a, b, c, d]))),
        [GS, b'v', b'0', _, wide_low, wide_high, high_low, high_high, ..] => {
            Rows(word(high_low, high_high), word(wide_low, wide_high))
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
            dots: usize::from(profile.dots),
            incoming: None,
            in_picture: false,
            double_byte: profile.double_byte,
            is_double: false,
            lead: None,
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
        if self.incoming.is_some() {
            return self.dots(byte, events);
        }
        if let Some(lead) = self.lead.take() {
            let whole = self.double_byte.filter(|_| byte >= 0x20);
            self.put(whole.and_then(|code| code.character([lead, byte])).unwrap_or('\u{fffd}'), 2, events);
            if whole.is_some() {
                return;
            }
        }
        if self.command.is_empty() {
            match byte {
                DLE | ESC | FS | GS => self.command.push(byte),
                LF if self.in_picture && self.line.is_empty() => self.in_picture = false,
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
            Extent::Rows(high, bytes) => {
                let kept = bytes.min(self.dots.div_ceil(8));
                self.begin_picture(Shape::Rows { bytes, kept }, product(high, bytes), events);
            }
            Extent::Columns(wide, bytes) => {
                let kept = wide.min(self.dots).div_ceil(8);
                self.begin_picture(Shape::Columns { bytes, kept }, product(wide, bytes), events);
            }
            Extent::Graphics(length) => {
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

    fn begin_picture(&mut self, shape: Shape, left: u64, events: &mut Vec<Event>) {
        self.command.zeroize();
        self.end_begun_line(events);
        let bits = match shape {
            Shape::Rows { .. } => Vec::new(),
            Shape::Columns { bytes, kept } => vec![0; bytes.saturating_mul(8).saturating_mul(kept)],
        };
        if left > 0 {
            self.incoming = Some(Incoming { shape, left, at: 0, column: 0, bits: Zeroizing::new(bits) });
        }
    }

    /// One byte of a picture.
    fn dots(&mut self, byte: u8, events: &mut Vec<Event>) {
        let Some(incoming) = &mut self.incoming else { return };
        incoming.left = incoming.left.saturating_sub(1);
        let at = incoming.at;
        let bytes = match incoming.shape {
            Shape::Rows { bytes, kept } => {
                if at < kept {
                    incoming.bits.push(byte);
                }
                bytes
            }
            Shape::Columns { bytes, kept } => {
                let bit = 0x80 >> (incoming.column % 8);
                for row in (0..8_usize).filter(|row| byte & (0x80 >> row) != 0) {
                    let row = at.saturating_mul(8).saturating_add(row);
                    let place = row.saturating_mul(kept).saturating_add(incoming.column / 8);
                    if incoming.column / 8 < kept
                        && let Some(dots) = incoming.bits.get_mut(place)
                    {
                        *dots |= bit;
                    }
                }
                bytes
            }
        };
        incoming.at = at.saturating_add(1);
        if incoming.at >= bytes {
            incoming.at = 0;
            incoming.column = incoming.column.saturating_add(1);
        }
        let is_tall = matches!(incoming.shape, Shape::Rows { kept, .. }
            if incoming.at == 0 && incoming.bits.len() >= kept.saturating_mul(TALLEST));
        let is_done = incoming.left == 0;
        if is_tall || is_done {
            self.show_picture(events);
        }
        if is_done {
            self.in_picture =
                matches!(self.incoming.take(), Some(Incoming { shape: Shape::Columns { .. }, .. }));
        }
    }

    /// What there is of a picture comes out, as far as its rows are whole.
    fn show_picture(&mut self, events: &mut Vec<Event>) {
        let Some(incoming) = &mut self.incoming else { return };
        let mut bits = std::mem::take(&mut incoming.bits);
        let (Shape::Rows { kept, .. } | Shape::Columns { kept, .. }) = incoming.shape;
        let rows = bits.len().checked_div(kept).unwrap_or(0);
        bits.truncate(rows.saturating_mul(kept));
        let side = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        if let Some(picture) = Picture::new(side(kept.saturating_mul(8)), side(rows), bits) {
            events.push(Event::Part(Part::Picture(picture, self.align)));
        }
    }

    /// Whether a `GS (` or `GS 8` command carries graphics (`L`) and not a setting.
    fn is_picture(&self) -> bool {
        self.command.get(2) == Some(&b'L')
    }

    /// The stream ends here: what is in the row and what there is of a command come out.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        self.show_picture(events);
        self.incoming = None;
        if self.lead.take().is_some() {
            self.put('\u{fffd}', 2, events);
        }
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
        self.is_double = false;
        self.in_picture = false;
        self.qr.zeroize();
    }

    fn letter(&mut self, byte: u8, events: &mut Vec<Event>) {
        if self.is_double && self.double_byte.is_some_and(|code| code.leads(byte)) {
            self.lead = Some(byte);
            return;
        }
        let shown = match byte {
            0x00..=0x1f => char::from_u32(u32::from(byte).saturating_add(0x2400)),
            0x7f => Some('\u{2421}'),
            _ => self
                .page
                .and_then(|page| page.character(byte))
                .or_else(|| (byte < 0x7f).then_some(char::from(byte))),
        };
        self.put(shown.unwrap_or('\u{fffd}'), 1, events);
    }

    fn put(&mut self, letter: char, cells: u16, events: &mut Vec<Event>) {
        let width = u16::from(self.style.width).saturating_mul(cells);
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
            self.put(letter, 1, events);
        }
        self.end_line(events);
    }

    /// To the next of the stops that a printer has unless told otherwise: every eight characters.
    fn tab(&mut self, events: &mut Vec<Event>) {
        let width = u16::from(self.style.width).max(1);
        let at = self.cells.checked_div(width).unwrap_or(0);
        for _ in at..at.saturating_add(1).next_multiple_of(8) {
            self.put(' ', 1, events);
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
            [FS, b'&'] => self.is_double = self.double_byte.is_some(),
            [FS, b'.'] => self.is_double = false,
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
            Part::Picture(picture, _) => {
                let rows = (0..usize::from(picture.height())).map(|y| picture.row(y));
                let rows: Vec<String> = rows
                    .map(|row| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
                    .collect();
                format!("picture{}:{}", picture.width(), rows.join("/"))
            }
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
            (b"\x1dv0\x00\x02\x00\x02\x00\x10\x04\x01\x41after\n", "picture16:1004/0141 'after'"),
            (b"x\x1dv0\x00\x01\x00\x02\x00\x10", "'x' picture8:10"),
            (b"\x1dv0\x00\x00\x00\x02\x00after\n", "'after'"),
            (b"\x1dv0\x00\x02\x00\x02\x00\x10", ""),
            (b"\x1b*\x00\x02\x00\x80\x01\nx\n", "picture8:80/00/00/00/00/00/00/40 'x'"),
            (b"\x1b*\x01\x01\x00\xffx\n", "picture8:80/80/80/80/80/80/80/80 'x'"),
            (b"\x1b*\x21\x00\x00x\n", "'x'"),
            (b"\x1d(L\x02\x00\x10\x04after\n", "'[image]' 'after'"),
            (b"\x1c&\x8a\xbf\n", "'\u{e8}\u{2510}'"),
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
    fn two_bytes_are_one_wide_character_while_the_printer_was_told_so() {
        let japanese = Profile::named("epson-japan").unwrap();
        for (bytes, rows) in [
            (&b"\x1c&\x8a\xbfa\x8e\x9a\x1c.\n"[..], vec!["漢a字"]),
            (b"\x8a\xbf\n", vec!["è┐"]),
            (b"\x1c&\x8a\xbf\x1b@\x8a\n", vec!["è"]),
            (b"\x1c&\x8a\nx\n", vec!["\u{fffd}", "x"]),
            (b"\x1c&\x81\xff\n", vec!["\u{fffd}"]),
            (b"\x1c&\x8a", vec!["\u{fffd}"]),
        ] {
            let slips = decode(&japanese, bytes);
            let found: Vec<&str> = slips
                .iter()
                .flat_map(|slip| &slip.parts)
                .filter_map(|part| match part {
                    Part::Row(row) => Some(row.text.reveal()),
                    _ => None,
                })
                .collect();
            assert_eq!(found, rows, "{bytes:x?}");
        }
        // Each is two cells wide.
        let wide = decode(&japanese, &[b"\x1c&".to_vec(), b"\x8a\xbf".repeat(25)].concat());
        assert_eq!(wide[0].parts.len(), 2);
    }

    #[test]
    fn of_a_picture_only_what_is_on_the_paper_is_kept() {
        let printer = Profile::epson();
        let mut decoder = Decoder::new(&printer);
        let mut events = Vec::new();
        // 800 dots wide, 600 rows.
        for byte in b"\x1dv0\x00\x64\x00\x58\x02".iter().chain(&vec![0xff; 100 * 600]) {
            decoder.push(*byte, &mut events);
            assert!(decoder.incoming.as_ref().is_none_or(|it| it.bits.len() <= 72 * TALLEST));
        }
        let sizes: Vec<(u16, u16)> = events
            .iter()
            .filter_map(|event| match event {
                Event::Part(Part::Picture(picture, _)) => Some((picture.width(), picture.height())),
                _ => None,
            })
            .collect();
        assert_eq!(sizes, [(576, 256), (576, 256), (576, 88)]);
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
