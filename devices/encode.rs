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

use std::cell::RefCell;
use std::sync::LazyLock;

use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{
    BarcodeFont, BarcodeHeight, BarcodeOption, BarcodePosition, BarcodeWidth, CharacterSet, JustifyMode,
    Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption, UnderlineMode,
};
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use zeroize::Zeroizing;

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
                let drawn = native_qr(&plain, self.profile.dots);
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

/// Most dots a module of a QR code: larger ones waste paper and scan no better.
const QR_MODULE: u16 = 6;

/// The most bytes that a QR code at level M holds, and its modules a side (ISO/IEC 18004, versions 1 to 26). A slip's
/// code has at most 1,000 bytes.
const QR_SIDES: [(usize, u16); 26] = [
    (14, 21),
    (26, 25),
    (42, 29),
    (62, 33),
    (84, 37),
    (106, 41),
    (122, 45),
    (152, 49),
    (180, 53),
    (213, 57),
    (251, 61),
    (287, 65),
    (331, 69),
    (362, 73),
    (412, 77),
    (450, 81),
    (504, 85),
    (560, 89),
    (624, 93),
    (666, 97),
    (711, 101),
    (779, 105),
    (857, 109),
    (911, 113),
    (997, 117),
    (1059, 121),
];

/// A QR code that the printer draws.
fn native_qr(text: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    let (_, modules) =
        QR_SIDES.iter().find(|(bytes, _)| text.len() <= *bytes).filter(|_| !text.is_empty())?;
    let dots = dots.checked_div(modules.saturating_add(8))?.min(QR_MODULE);
    let size = u8::try_from(dots).ok().filter(|size| *size > 0)?;
    let option = QRCodeOption::new(QRCodeModel::Model2, size, QRCodeCorrectionLevel::M);
    made(|printer| printer.qrcode_option(text, option).is_ok())
}

/// An EAN-13 with its digits below. `None` if it is none: a printer leaves one with a wrong check digit out silently.
fn ean13(digits: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    let weighted = digits.bytes().take(12).zip([1_u32, 3].into_iter().cycle());
    let sum: u32 =
        weighted.map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')).saturating_mul(weight)).sum();
    let check = u32::from(b'0').saturating_add(sum.next_multiple_of(10).saturating_sub(sum));
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits.len() == 12
        || digits.len() == 13 && digits.as_bytes().last().copied().map(u32::from) == Some(check);
    // 95 modules of three dots and two quiet zones.
    if !all_digits || !fits || dots < 113 * 3 {
        return None;
    }
    let option =
        BarcodeOption::new(BarcodeWidth::M, BarcodeHeight::S, BarcodeFont::A, BarcodePosition::Below);
    made(|printer| printer.ean13_option(digits, option).is_ok())
}

/// A CODE128 in its set B, where every byte is a printable one. Set C would be shorter for digits, but its bytes 0 to 99
/// can spell a real-time command (`10 14 01 00 01` opens the drawer), which a printer obeys wherever it stands. `None`
/// if it holds more than ASCII or is wider than the paper.
fn code128(text: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    const DOTS_A_MODULE: u8 = 2;
    // Eleven modules a character; start, check and stop are 35, the quiet zones 20.
    let modules = text.len().checked_mul(11)?.checked_add(55)?;
    let fits = modules.checked_mul(usize::from(DOTS_A_MODULE))? <= usize::from(dots);
    if !fits || text.is_empty() || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return None;
    }
    let data = Zeroizing::new(text.replace('{', "{{"));
    let length = u8::try_from(data.len().checked_add(2)?).ok()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(data.len().saturating_add(20)));
    // Height 102 dots, text below in font A, as for the other bars.
    bytes.extend_from_slice(&[GS, b'w', DOTS_A_MODULE, GS, b'h', 102, GS, b'f', 0, GS, b'H', 2]);
    bytes.extend_from_slice(&[GS, b'k', 73, length, b'{', b'B']);
    bytes.extend_from_slice(data.as_bytes());
    Some(bytes)
}

/// The commands that never change, made by the crate once.
struct Words {
    start: Vec<u8>,
    /// Off, on.
    bold: [Vec<u8>; 2],
    underline: [Vec<u8>; 2],
    inverse: [Vec<u8>; 2],
    /// Left, centre, right.
    sides: [Vec<u8>; 3],
    /// By (width - 1) * 8 + height - 1.
    sizes: Vec<Vec<u8>>,
    /// By rows.
    feeds: Vec<Vec<u8>>,
    cut: Vec<u8>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    start: word(|printer| {
        printer
            .init()
            .and_then(|printer| printer.custom(&[FS, b'.']))
            .and_then(|printer| printer.character_set(CharacterSet::USA))
            .is_ok()
    }),
    bold: [false, true].map(|on| word(|printer| printer.bold(on).is_ok())),
    underline: [UnderlineMode::None, UnderlineMode::Single]
        .map(|mode| word(|printer| printer.underline(mode).is_ok())),
    inverse: [false, true].map(|on| word(|printer| printer.reverse(on).is_ok())),
    sides: [JustifyMode::LEFT, JustifyMode::CENTER, JustifyMode::RIGHT]
        .map(|side| word(|printer| printer.justify(side).is_ok())),
    sizes: (1..=8)
        .flat_map(|width| (1..=8).map(move |height| word(|printer| printer.size(width, height).is_ok())))
        .collect(),
    feeds: (0..=u8::MAX).map(|rows| word(|printer| printer.feeds(rows).is_ok())).collect(),
    cut: word(|printer| printer.cut().is_ok()),
});

fn word(instruct: impl FnOnce(&mut Printer<&Memory>) -> bool) -> Vec<u8> {
    made(instruct).map(|bytes| bytes.to_vec()).unwrap_or_default()
}

/// What the crate makes of one instruction. Its errors quote what they were given, so none is passed on.
fn made(instruct: impl FnOnce(&mut Printer<&Memory>) -> bool) -> Option<Zeroizing<Vec<u8>>> {
    let memory = Memory(RefCell::new(Zeroizing::new(Vec::with_capacity(1152))));
    let mut printer = Printer::new(&memory, Protocol::default(), None);
    let done = instruct(&mut printer) && printer.print().is_ok();
    drop(printer);
    done.then(|| memory.0.into_inner())
}

/// Where the crate writes to: no printer, only memory.
struct Memory(RefCell<Zeroizing<Vec<u8>>>);

impl Driver for &Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use escpos::printer_options::PrinterOptions;
    use escpos::utils::{CashDrawer, PageCode, RealTimeStatusRequest};
    use tilld_domain::secret::Secret;

    use super::*;

    const START: [u8; 10] = [ESC, b'@', FS, b'.', ESC, b'R', 0, ESC, b't', 19];

    fn kind(name: &str) -> Profile {
        Profile::named(name).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn row(text: &str, style: Style, align: Align) -> Part {
        Part::Row(Row { text: secret(text), style, align })
    }

    fn plain(text: &str) -> Part {
        row(text, Style::PLAIN, Align::Left)
    }

    fn slip(parts: Vec<Part>) -> Slip {
        Slip { columns: 48, parts }
    }

    /// The bytes behind the start of the job.
    fn body(profile: &Profile, parts: Vec<Part>) -> Vec<u8> {
        let encoded = encode(profile, &slip(parts));
        encoded.bytes[START.len()..].to_vec()
    }

    fn holds(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|window| window == what)
    }

    #[test]
    fn a_job_starts_from_nothing_it_did_not_set() {
        assert_eq!(encode(&Profile::epson(), &slip(vec![])).bytes.as_slice(), START);
    }

    #[test]
    fn every_part_is_the_command_of_the_manual() {
        let pulse = |pin, on_ms, off_ms| Part::Drawer(DrawerPulse { pin, on_ms, off_ms });
        let cases: Vec<(&str, Profile, Vec<Part>, Vec<u8>)> = vec![
            ("text", Profile::epson(), vec![plain("Für 5 €")], b"F\x81r 5 \xd5\n".to_vec()),
            ("empty row", Profile::epson(), vec![plain("")], b"\n".to_vec()),
            ("feed", Profile::epson(), vec![Part::Feed(3)], b"\x1bd\x03".to_vec()),
            ("no feed", Profile::epson(), vec![Part::Feed(0)], vec![]),
            ("cut", Profile::epson(), vec![Part::Cut], b"\x1dVA\x00".to_vec()),
            ("partial cut", kind("th230"), vec![Part::Cut], b"\x1dVB\x00".to_vec()),
            ("old cut", kind("plain"), vec![Part::Cut], b"\x1bd\x05\x1bi".to_vec()),
            ("no knife", kind("pos-5890"), vec![Part::Cut], b"\x1bd\x04".to_vec()),
            ("drawer", Profile::epson(), vec![pulse(DrawerPin::Two, 50, 500)], b"\x1bp\x00\x19\xfa".to_vec()),
            ("drawer 5", Profile::epson(), vec![pulse(DrawerPin::Five, 9999, 0)], b"\x1bp\x01\xff\x01".to_vec()),
            (
                "styles only where they change",
                Profile::epson(),
                vec![
                    row("A", Style::LARGE, Align::Centre),
                    row("B", Style::LARGE, Align::Centre),
                    row("C", Style { underline: true, inverse: true, ..Style::PLAIN }, Align::Right),
                ],
                b"\x1ba\x01\x1bE\x01\x1d!\x11A\nB\n\x1ba\x02\x1bE\x00\x1b-\x01\x1dB\x01\x1d!\x00C\n".to_vec(),
            ),
            (
                "QR",
                Profile::epson(),
                vec![Part::Qr(secret("HELLO"))],
                b"\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1\x1d(k\x08\x001P0HELLO\x1d(k\x03\x001Q0"
                    .to_vec(),
            ),
            (
                "QR where there is neither it nor a picture",
                kind("tm-u220"),
                vec![Part::Qr(secret("HELLO"))],
                b"\x1ba\x01HELLO\n".to_vec(),
            ),
            (
                "QR as a picture too wide for the paper",
                Profile { dots: 50, ..kind("pos-5890") },
                vec![Part::Qr(secret("HELLO"))],
                b"\x1ba\x01HELLO\n".to_vec(),
            ),
            (
                "picture",
                Profile::epson(),
                vec![Part::Picture(Picture::new(8, 2, vec![1, 2].into()).unwrap(), Align::Right)],
                b"\x1ba\x02\x1dv0\x00\x01\x00\x02\x00\x01\x02".to_vec(),
            ),
            (
                "picture where there is none",
                kind("tm-u220"),
                vec![Part::Picture(Picture::new(8, 2, vec![1, 2].into()).unwrap(), Align::Right)],
                vec![],
            ),
            (
                "a pulse that would begin a real-time command",
                Profile::epson(),
                vec![pulse(DrawerPin::Two, 32, 40)],
                b"\x1bp\x00\x10\x15".to_vec(),
            ),
            (
                "EAN-13",
                Profile::epson(),
                vec![Part::Barcode(Symbology::Ean13, secret("4006381333931"))],
                b"\x1ba\x01\x1dw\x03\x1dhf\x1df\x00\x1dH\x02\x1dk\x024006381333931\x00".to_vec(),
            ),
            (
                "EAN-13 with a wrong check digit",
                Profile::epson(),
                vec![Part::Barcode(Symbology::Ean13, secret("4006381333932"))],
                b"\x1ba\x014006381333932\n".to_vec(),
            ),
            (
                "CODE128",
                Profile::epson(),
                vec![Part::Barcode(Symbology::Code128, secret("A{1"))],
                b"\x1ba\x01\x1dw\x02\x1dhf\x1df\x00\x1dH\x02\x1dkI\x06{BA{{1".to_vec(),
            ),
            (
                "CODE128 wider than the paper",
                Profile::epson(),
                vec![Part::Barcode(Symbology::Code128, secret("1234567890123456789012"))],
                b"\x1ba\x011234567890123456789012\n".to_vec(),
            ),
        ];
        for (name, profile, parts, bytes) in cases {
            assert_eq!(body(&profile, parts), bytes, "{name}");
        }
    }

    #[test]
    fn a_page_is_named_by_the_printers_own_number() {
        for (profile, text, number) in [
            (Profile::epson(), "ł", 18),
            (kind("th230"), "ł", 2),
            (kind("th230"), "€", 6),
            (kind("tm-t88ii"), "€", 16),
            (kind("plain"), "€", 0),
        ] {
            let bytes = encode(&profile, &slip(vec![plain(text)])).bytes;
            assert!(holds(&bytes, &[ESC, b't', number]), "{} {text}", profile.name);
        }
    }

    #[test]
    fn a_code_is_sent_as_a_picture_where_the_printer_draws_none() {
        let printer = Profile { barcodes: Codes::Raster, ..kind("pos-5890") };
        let qr = body(&printer, vec![Part::Qr(secret("HELLO"))]);
        // 21 modules of four dots between two blank rows.
        assert!(qr.starts_with(b"\n\x1ba\x01\x1dv0\x00\x0b\x00\x54\x00") && qr.ends_with(b"\n"));
        assert_eq!(qr.len(), 3 + 8 + 11 * 84 + 2);
        let bars = body(&printer, vec![Part::Barcode(Symbology::Ean13, secret("4006381333931"))]);
        // 102 rows of 36 bytes, 27 in a band.
        assert!(bars.starts_with(b"\x1ba\x01\x1dv0\x00\x24\x00\x1b\x00"));
        assert_eq!(bars.len(), 3 + 4 * 8 + 36 * 102 + 14);
        assert!(bars.ends_with(b"4006381333931\n"));
        // What has no bars is there as text.
        let none = body(&printer, vec![Part::Barcode(Symbology::Ean13, secret("4006381333932"))]);
        assert_eq!(none, b"\x1ba\x014006381333932\n");
    }

    #[test]
    fn japanese_is_written_in_shift_jis_where_the_printer_has_it() {
        let underlined = Style { underline: true, ..Style::PLAIN };
        let parts = vec![row("ギフト 5 €", underlined, Align::Left)];
        let encoded = encode(&kind("epson-japan"), &slip(parts));
        let mut bytes = START.to_vec();
        bytes.extend_from_slice(b"\x1cC\x01\x1b-\x01\x1c-\x01\x1c&\x83\x4d\x83\x74\x83\x67\x1c. 5 \xd5\n");
        assert_eq!((encoded.bytes.as_slice(), encoded.replaced), (&bytes[..], 0));
    }

    #[test]
    fn rows_that_a_printer_cannot_express_are_drawn_and_the_others_are_not() {
        let font =
            Font::read(std::path::Path::new("/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf")).unwrap();
        let parts = || vec![plain("Für 5 €"), row("ギフト券", Style::PLAIN, Align::Centre), plain("Aé 👍")];
        let without = encode(&Profile::epson(), &slip(parts()));
        assert_eq!(without.replaced, 4 + 1);
        assert!(without.bytes.ends_with(b"F\x81r 5 \xd5\n\x1ba\x01????\n\x1ba\x00A\x82 ?\n"));
        let with = encode(&Profile::epson().with_font(font.clone()), &slip(parts()));
        // The thumb is in neither.
        assert_eq!(with.replaced, 1);
        let picture = b"F\x81r 5 \xd5\n\x1ba\x01\x1dv0\x00\x0c\x00\x1e\x00";
        assert!(with.bytes[START.len()..].starts_with(picture));
        assert!(with.bytes.ends_with(b"\x1ba\x00A\x82 ?\n"));
        let native = encode(&kind("epson-japan").with_font(font.clone()), &slip(parts()));
        assert!(!holds(&native.bytes, b"\x1dv0"), "drawn, though the printer has it");
        let coarse = encode(&kind("tm-u220").with_font(font), &slip(parts()));
        assert!(!holds(&coarse.bytes, b"\x1dv0") && coarse.replaced > 4);
    }

    #[test]
    fn no_text_can_carry_a_command() {
        let evil = "a\u{1b}p0\u{19}\u{fa}\u{10}\u{14}\u{1}\u{0}\u{1}\u{1d}VA\n\r\u{7f}b";
        for part in [plain(evil), Part::Qr(secret(evil)), Part::Barcode(Symbology::Code128, secret(evil))] {
            let harmless: String = evil.chars().filter(|letter| !letter.is_control()).collect();
            let cleaned = match &part {
                Part::Row(_) => plain(&harmless),
                Part::Qr(_) => Part::Qr(secret(&harmless)),
                _ => Part::Barcode(Symbology::Code128, secret(&harmless)),
            };
            assert_eq!(body(&Profile::epson(), vec![part.clone()]), body(&Profile::epson(), vec![cleaned]));
            assert!(encode(&Profile::epson(), &slip(vec![part])).replaced >= 9);
        }
    }

    #[test]
    fn a_row_that_grew_is_wrapped_and_loses_nothing() {
        let narrow = kind("plain").with_columns(10);
        for (text, style, lines) in [
            ("1234567890", Style::PLAIN, vec!["1234567890"]),
            ("12345678 €", Style::PLAIN, vec!["12345678 E", "UR"]),
            ("123456", Style::LARGE, vec!["12345", "6"]),
            ("12", Style { width: 8, ..Style::PLAIN }, vec!["1", "2"]),
        ] {
            let encoded = encode(&narrow, &slip(vec![row(text, style, Align::Left)]));
            let text = format!("{}\n", lines.join("\n"));
            assert!(encoded.bytes.ends_with(text.as_bytes()), "{text}");
        }
    }

    /// What the crate writes for an instruction.
    fn crates(instruct: impl FnOnce(&mut Printer<&Memory>) -> bool) -> Vec<u8> {
        word(instruct)
    }

    #[test]
    fn the_crate_still_sends_a_drawer_pulse_of_three_bytes() {
        assert_eq!(crates(|printer| printer.cash_drawer(CashDrawer::Pin2).is_ok()), [ESC, b'p', 0]);
    }

    #[test]
    fn the_crate_still_has_wrong_code_page_tables() {
        let memory = Memory(RefCell::new(Zeroizing::new(Vec::new())));
        let options = PrinterOptions::new(Some(PageCode::PC858), None, 48);
        let mut printer = Printer::new(&memory, Protocol::default(), Some(options));
        printer.write("-").unwrap().print().unwrap();
        assert_eq!(memory.0.borrow().as_slice(), [0xf0], "a soft hyphen for an ASCII one");
    }

    #[test]
    fn the_crate_still_sends_raw_utf8_for_what_a_page_lacks() {
        assert_eq!(crates(|printer| printer.write("漢").is_ok()), "漢".as_bytes());
    }

    #[test]
    fn the_crate_still_sends_a_fourth_byte_with_a_status_request() {
        let sent = crates(|printer| printer.real_time_status(RealTimeStatusRequest::Printer).is_ok());
        assert_eq!(sent, [0x10, 4, 1, 0]);
    }

    #[test]
    fn the_crate_still_sends_a_full_cut_for_a_partial_one() {
        assert_eq!(crates(|printer| printer.partial_cut().is_ok()), [GS, b'V', 65, 1]);
    }

    #[test]
    fn every_kept_word_was_made() {
        let lone = [&WORDS.start, &WORDS.cut];
        let switches = WORDS.bold.iter().chain(&WORDS.underline).chain(&WORDS.inverse).chain(&WORDS.sides);
        assert!(
            lone.into_iter()
                .chain(switches)
                .chain(&WORDS.sizes)
                .chain(&WORDS.feeds)
                .all(|word| word.len() > 2)
        );
        assert_eq!((WORDS.sizes.len(), WORDS.feeds.len()), (64, 256));
    }
}
