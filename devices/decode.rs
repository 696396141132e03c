//! Bytes back to slips: what a printer would put on paper for any byte stream, ours or another program's.
//!
//! It is written from the command descriptions of the vendors' manuals (fact sheet ESCPOS 3), not from the encoder, so
//! that a mistake there shows here. It goes byte by byte and holds at most one row and one command, so it can sit
//! inside the simulated printer, and no input can make it grow: a command's data is kept up to [`LONGEST`] bytes, of a
//! picture at most [`TALLEST`] rows as wide as the paper, then they come out as one.
//!
//! What is on the paper that a [`Slip`] has no word for is shown as text rather than left out: a stray control byte as its
//! picture (␛), a byte that the page does not define as �, graphics of Epson's newer commands as `[image]`, an unknown bar
//! code with its text. Not shown, because a printer shows nothing either: CR, and commands that only set something a slip
//! does not have (line spacing, fonts, margins). A row whose style changes in the middle has the style of its first
//! character.

mod extent;

use std::sync::Arc;

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use zeroize::{Zeroize, Zeroizing};

use self::extent::{CR, DC4, DLE, ESC, Extent, FS, GS, HT, LF, NUL, extent, product};
use crate::codepage::CodePage;
use crate::double_byte::DoubleByte;
use crate::profile::Profile;

/// The most bytes of one command that are kept: a QR code holds 7,089 at most.
pub const LONGEST: usize = 8 * 1024;
/// The most rows of a picture that are kept before they come out.
pub const TALLEST: usize = 256;

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
mod tests;
