use std::cell::RefCell;

use escpos::printer::Printer;
use escpos::printer_options::PrinterOptions;
use escpos::utils::{CashDrawer, PageCode, Protocol, RealTimeStatusRequest};
use tilld_domain::secret::Secret;
use tilld_domain::slip_number::BARS_DOTS;

use super::words::{Memory, word};
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
fn the_bars_of_a_slips_number_fit_from_the_width_that_is_said_of_them() {
    for (dots, fit) in [(BARS_DOTS, true), (BARS_DOTS - 1, false)] {
        let drawn = code128("90766354268", dots).is_some();
        let picture = codes::bars(Symbology::Code128, "90766354268", dots).is_some();
        assert_eq!((drawn, picture), (fit, fit), "{dots} dots");
    }
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
            b"\x1ba\x01\x1dw\x02\x1dh@\x1df\x00\x1dH\x02\x1dkI\x06{BA{{1".to_vec(),
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
    let font = Font::read(std::path::Path::new("/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf")).unwrap();
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
        lone.into_iter().chain(switches).chain(&WORDS.sizes).chain(&WORDS.feeds).all(|word| word.len() > 2)
    );
    assert_eq!((WORDS.sizes.len(), WORDS.feeds.len()), (64, 256));
}
