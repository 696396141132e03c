//! A slip as ESC/POS bytes.
//!
//! Every job starts from nothing it did not set itself: `ESC @` (defaults), `FS .` (out of the double-byte mode in which
//! some clones start), `ESC R 0` (ASCII stays ASCII), `ESC t n` (the job's code page).
//!
//! The `escpos` crate makes the commands that it gets right: styles, sizes, sides, feeds, the full cut, QR codes,
//! EAN-13. It is slow a call (locks, allocations), so the constant ones are made once and kept. What comes from our own
//! code, and the defect of the crate that is the reason, each shown by a test below so that it can go when it is mended:
//!
//! - text: wrong tables, and raw UTF-8 for what a table lacks;
//! - the drawer's pulse: three bytes instead of five, so that the printer eats the next two;
//! - real-time status: a fourth byte that the protocol does not have;
//! - the partial cut: sent as a full one that feeds a dot further;
//! - CODE128, `GS r`, `GS ( H`, the number of a code page that a printer counts differently: not there.
//!
//! A row with a character that neither the job's page nor a double-byte code has, and that cannot be written in others, is
//! drawn with the shop's font, where there is one, and sent as a picture; so are codes, where the profile says so.
//!
//! Invariants: no byte below 0x20 comes from a slip's text, bar code or QR code, so none of them can carry a command (a
//! printer obeys real-time commands even inside a QR code's data), and no job holds the first two bytes of a real-time
//! command anywhere; no row has more cells than the paper, a row that is too long is continued on the next; what cannot
//! be drawn as a code is printed as text rather than left out.

mod drawn;
mod words;

use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use zeroize::Zeroizing;

use self::drawn::{code128, ean13};
use self::words::WORDS;
use crate::codes;
use crate::double_byte::DoubleByte;
use crate::font::Font;
use crate::profile::{Codes, Cut, Profile, Raster};
use crate::raster;
use crate::text::{Script, composed};

const LF: u8 = 0x0a;
const ESC: u8 = 0x1b;
const GS: u8 = 0x1d;
const FS: u8 = 0x1c;

/// A slip's bytes. They hold what the slip says, so they are wiped when they go and have no `Debug`.
pub struct Encoded {
    /// From `ESC @` to the last part; no request for an acknowledgement yet.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Characters that the printer's page lacks and that were replaced, and control characters that were left out.
    pub replaced: u32,
}

/// Makes the bytes of slips for one kind of printer.
pub fn encode(profile: &Profile, slip: &Slip) -> Encoded {
    let script = Script::of(profile, &texts(slip));
    let size = slip.parts.iter().map(room_for).fold(64, usize::saturating_add);
    let mut job = Job {
        profile,
        script,
        columns: usize::from(profile.columns.min(slip.columns).max(1)),
        style: Style::PLAIN,
        align: Align::Left,
        bytes: Zeroizing::new(Vec::with_capacity(size)),
        replaced: 0,
    };
    job.bytes.extend_from_slice(&WORDS.start);
    job.bytes.extend_from_slice(&[ESC, b't', script.number]);
    if script.double_byte == Some(DoubleByte::ShiftJis) {
        job.bytes.extend_from_slice(&[FS, b'C', 1]);
    }
    for part in &slip.parts {
        job.part(part);
    }
    Encoded { bytes: job.bytes, replaced: job.replaced }
}

fn texts(slip: &Slip) -> impl Iterator<Item = &str> + Clone {
    slip.parts.iter().filter_map(|part| match part {
        Part::Row(row) => Some(row.text.reveal()),
        _ => None,
    })
}

/// Enough for a part in all but odd cases, so that the buffer seldom moves and leaves no copy behind.
fn room_for(part: &Part) -> usize {
    match part {
        Part::Row(row) => row.text.reveal().len().saturating_add(24),
        Part::Qr(text) | Part::Barcode(_, text) => text.reveal().len().saturating_add(64),
        Part::Picture(picture, _) => raster::room(picture),
        Part::Feed(_) | Part::Cut | Part::Drawer(_) => 8,
    }
}

/// A slip on its way into bytes, with what the printer was last told.
struct Job<'a> {
    profile: &'a Profile,
    script: Script,
    columns: usize,
    style: Style,
    align: Align,
    bytes: Zeroizing<Vec<u8>>,
    replaced: u32,
}

impl Job<'_> {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Row(row) => self.row(row),
            Part::Feed(0) => {}
            Part::Feed(rows) => self.feed(*rows),
            Part::Qr(text) => self.qr(text.reveal()),
            Part::Barcode(symbology, text) => self.barcode(*symbology, text.reveal()),
            Part::Picture(picture, align) => self.picture(picture, *align),
            Part::Cut => self.cut(),
            Part::Drawer(pulse) => self.bytes.extend_from_slice(&drawer(*pulse)),
        }
    }

    fn row(&mut self, row: &Row) {
        let style =
            Style { width: row.style.width.clamp(1, 8), height: row.style.height.clamp(1, 8), ..row.style };
        let text = row.text.reveal();
        if let Some(font) = self.font_for(text) {
            let drawn = font.draw(text, self.limit(style.width), style);
            self.replaced = self.replaced.saturating_add(drawn.replaced);
            for picture in &drawn.rows {
                self.picture(picture, row.align);
            }
            return;
        }
        self.side(row.align);
        self.look(style);
        self.text(text, style.width);
    }

    /// The font to draw a text with: where the printer would lose a character that the font has.
    fn font_for(&self, text: &str) -> Option<Font> {
        let font = self.profile.font.as_ref().filter(|_| self.profile.raster != Raster::None)?;
        let saves = |letter: char| font.has(letter) && self.script.loses_letter(letter);
        (self.script.loses(text) && composed(text).any(saves)).then(|| font.clone())
    }

    fn picture(&mut self, picture: &Picture, align: Align) {
        if self.profile.raster != Raster::None {
            self.side(align);
            raster::write(self.profile.raster, picture, self.profile.dots, &mut self.bytes);
        }
    }

    /// How many characters of this width a row has.
    fn limit(&self, width: u8) -> usize {
        self.columns.checked_div(usize::from(width)).unwrap_or(1).max(1)
    }

    /// A text and its line end, wrapped where it has more cells than the paper.
    fn text(&mut self, text: &str, width: u8) {
        let replaced = self.script.write(text, self.limit(width), &mut self.bytes);
        self.replaced = self.replaced.saturating_add(replaced);
    }

    fn side(&mut self, align: Align) {
        if align == self.align {
            return;
        }
        self.align = align;
        let [left, centre, right] = &WORDS.sides;
        self.bytes.extend_from_slice(match align {
            Align::Left => left,
            Align::Centre => centre,
            Align::Right => right,
        });
    }

    fn look(&mut self, style: Style) {
        let before = std::mem::replace(&mut self.style, style);
        if style == before {
            return;
        }
        let switches = [
            (style.bold, before.bold, &WORDS.bold),
            (style.underline, before.underline, &WORDS.underline),
            (style.inverse, before.inverse, &WORDS.inverse),
        ];
        for (now, was, [off, on]) in switches {
            if now != was {
                self.bytes.extend_from_slice(if now { on } else { off });
            }
        }
        if style.underline != before.underline && self.script.double_byte.is_some() {
            // `ESC -` underlines single-byte characters alone.
            self.bytes.extend_from_slice(&[FS, b'-', u8::from(style.underline)]);
        }
        if (style.width, style.height) != (before.width, before.height) {
            let at = usize::from(style.width.saturating_sub(1)).saturating_mul(8);
            let at = at.saturating_add(usize::from(style.height.saturating_sub(1)));
            self.bytes.extend_from_slice(WORDS.sizes.get(at).map_or(&[], Vec::as_slice));
        }
    }

    fn feed(&mut self, rows: u8) {
        self.bytes.extend_from_slice(WORDS.feeds.get(usize::from(rows)).map_or(&[], Vec::as_slice));
    }

    fn cut(&mut self) {
        match self.profile.cut {
            Cut::Full => self.bytes.extend_from_slice(&WORDS.cut),
            Cut::Partial => self.bytes.extend_from_slice(&[GS, b'V', 66, 0]),
            Cut::Legacy => {
                self.feed(5);
                self.bytes.extend_from_slice(&[ESC, b'i']);
            }
            Cut::TearOff => self.feed(4),
        }
    }

    fn qr(&mut self, text: &str) {
        let plain = self.without_controls(text);
        match self.profile.qr {
            Codes::Native => {
                let drawn = drawn::qr(&plain, self.profile.dots);
                self.drawn_or_written(drawn, &plain);
            }
            Codes::Raster => match codes::qr(&plain, self.profile.dots) {
                Some(picture) => {
                    // Its quiet zone: a plain row is 30 dots high, more than four modules of it.
                    self.look(Style::PLAIN);
                    self.bytes.push(LF);
                    self.picture(&picture, Align::Centre);
                    self.bytes.push(LF);
                }
                None => self.drawn_or_written(None, &plain),
            },
            Codes::Text => self.drawn_or_written(None, &plain),
        }
    }

    fn barcode(&mut self, symbology: Symbology, text: &str) {
        let plain = self.without_controls(text);
        let drawn = match (self.profile.barcodes, symbology) {
            (Codes::Native, Symbology::Ean13) => ean13(&plain, self.profile.dots),
            (Codes::Native, Symbology::Code128) => code128(&plain, self.profile.dots),
            (Codes::Raster | Codes::Text, _) => None,
        };
        let picture = Some(symbology).filter(|_| self.profile.barcodes == Codes::Raster);
        if let Some(picture) = picture.and_then(|it| codes::bars(it, &plain, self.profile.dots)) {
            self.picture(&picture, Align::Centre);
        }
        // A printer writes the text below bars that it draws; below a picture it is a row of its own.
        self.drawn_or_written(drawn, &plain);
    }

    /// A code in the middle of the paper, or its text there.
    fn drawn_or_written(&mut self, drawn: Option<Zeroizing<Vec<u8>>>, text: &str) {
        self.side(Align::Centre);
        if let Some(bytes) = drawn {
            self.bytes.extend_from_slice(&bytes);
        } else {
            self.look(Style::PLAIN);
            self.text(text, 1);
        }
    }

    fn without_controls(&mut self, text: &str) -> Zeroizing<String> {
        let plain: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|letter| !letter.is_control()).collect());
        let dropped = text.chars().filter(|letter| letter.is_control()).count();
        self.replaced = self.replaced.saturating_add(u32::try_from(dropped).unwrap_or(u32::MAX));
        plain
    }
}

/// `ESC p m t1 t2`, times in units of 2 ms (fact sheet ESCPOS 3.2). Never zero: some printers take that for no pulse.
/// Never the start of a real-time command: then the pause is 2 ms longer.
fn drawer(pulse: DrawerPulse) -> [u8; 5] {
    let unit = |ms: u16| u8::try_from(ms.div_ceil(2)).unwrap_or(u8::MAX).max(1);
    let pin = match pulse.pin {
        DrawerPin::Two => 0,
        DrawerPin::Five => 1,
    };
    let (on, off) = match (unit(pulse.on_ms), unit(pulse.off_ms)) {
        (on @ 0x10, 0x04 | 0x05) => (on, 0x06),
        (on @ 0x10, 0x14) => (on, 0x15),
        both => both,
    };
    [ESC, b'p', pin, on, off]
}

#[cfg(test)]
mod tests;
