//! What other programs read out of our bytes: `npos` and `iconv-lite` take a job apart (`judge.js` beside this), `zbar` reads
//! the pictures of codes as a scanner does.
//!
//! `tests/run` installs them: Debian's `nodejs`, `npm` and `zbar-tools`, and from the npm registry the two packages of
//! `judge.js`. Without them these tests fail and say so.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tilld_devices::codepage::CodePage;
use tilld_devices::encode::encode;
use tilld_devices::profile::{Codes, Language, Profile, Raster};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Picture, Row, Slip, Style, Symbology};

fn kind(name: &str) -> Profile {
    Profile::named(name).unwrap()
}

fn text(text: &str) -> Part {
    Part::Row(Row { text: Secret::new(text.to_owned()), style: Style::PLAIN, align: Align::Left })
}

/// What a program prints, or how to get it.
fn said_by(mut command: Command, install: &str) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().unwrap_or_else(|error| panic!("{program}: {error}; {install}"));
    assert!(out.status.success(), "{program}: {}; {install}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

struct Judged {
    lines: Vec<String>,
    folder: tempfile::TempDir,
}

impl Judged {
    fn picture(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("{number}.pbm"))
    }
}

/// A page as `iconv-lite` names it.
fn name(page: CodePage) -> String {
    match page {
        CodePage::Iso8859x15 => "iso8859-15".to_owned(),
        CodePage::Katakana => "shift_jis".to_owned(),
        page => format!("{page:?}").to_lowercase(),
    }
}

fn judged(profile: &Profile, parts: Vec<Part>) -> Judged {
    let install = "run tests/run once, which installs what is missing";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.bin");
    std::fs::write(&file, &*encode(profile, &Slip { columns: profile.columns, parts }).bytes).unwrap();
    let pages: Vec<String> =
        profile.pages.iter().map(|(page, number)| format!("\"{number}\":\"{}\"", name(*page))).collect();
    let mut root = Command::new("npm");
    root.args(["root", "--global"]);
    let modules = said_by(root, install);
    let mut judge = Command::new("node");
    judge
        .env("NODE_PATH", modules.trim())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge.js"))
        .args([&file, folder.path()])
        .arg(format!("{{{}}}", pages.join(",")));
    let lines = said_by(judge, install).lines().map(str::to_owned).collect();
    Judged { lines, folder }
}

/// What a scanner reads in a picture.
fn scanned(picture: &Path) -> String {
    let mut zbar = Command::new("zbarimg");
    zbar.args(["--quiet", "--raw", "--nodbus"]).arg(picture);
    said_by(zbar, "apt-get install zbar-tools").trim_end().to_owned()
}

#[test]
fn every_language_reads_as_it_was_written() {
    let printer = kind("epson-japan");
    for written in [
        "Größe für Dich: 50,00 €",
        "Zażółć gęślą jaźń",
        "Příliš žluťoučký kůň, 5 €",
        "Подарочная карта 50 €",
        "Подарок",
        "Δωροκάρτα",
        "Hediye çeki ğışĞİŞ",
        "Dovanų čekis ąčęėįšųūž",
        "Œuvre – 5 €",
        "São Paulo: vale-presente",
    ] {
        assert_eq!(judged(&printer, vec![text(written)]).lines, [format!("text {written}")]);
    }
    let japanese = judged(&printer, vec![text("ギフト券をありがとう")]).lines;
    assert_eq!(japanese, ["text ギフト券をありがとう"]);
}

#[test]
fn every_family_prints_its_text_in_a_page_of_its_own_number() {
    for profile in Profile::all().iter().filter(|profile| profile.language == Language::EscPos) {
        let lines = judged(profile, vec![text("Größe 12,50")]).lines;
        assert_eq!(lines, ["text Größe 12,50"], "{}", profile.name);
    }
}

#[test]
fn a_scanner_reads_the_codes_that_are_sent_as_pictures() {
    let link = "https://example.com/r/6006491234567890?x=äß";
    for name in ["pos-5890", "th230", "tm-t88ii", "mpt-ii"] {
        let printer = Profile { barcodes: Codes::Raster, ..kind(name) };
        let parts = vec![
            text("above"),
            Part::Qr(Secret::new(link.to_owned())),
            text("between"),
            Part::Barcode(Symbology::Ean13, Secret::new("4006381333931".to_owned())),
            Part::Barcode(Symbology::Code128, Secret::new("A1b2-{7}".to_owned())),
        ];
        let judged = judged(&printer, parts);
        assert_eq!(judged.lines.iter().filter(|line| line.starts_with("picture ")).count(), 3, "{name}");
        for (number, wanted) in [(0, link), (1, "4006381333931"), (2, "A1b2-{7}")] {
            assert_eq!(scanned(&judged.picture(number)), wanted, "{name} {number}");
        }
    }
}

/// The foot of a card's slip: on 32 columns and more its bars fit, with their quiet zones, whoever draws them.
#[test]
fn a_scanner_reads_the_number_at_the_foot_of_a_slip_on_narrow_and_on_wide_paper() {
    const NUMBER: &str = "90766354171";
    for columns in [48, 42, 32, 30] {
        let printer = Profile::epson().with_columns(columns);
        let foot = || {
            vec![
                text("Belegnummer"),
                Part::Barcode(Symbology::Code128, Secret::new(NUMBER.to_owned())),
                Part::Cut,
            ]
        };
        let drawn = judged(&printer, foot()).lines;
        assert_eq!(drawn[1], format!("bars \"\\r{{B{NUMBER}\""), "{columns}: {drawn:?}");
        let sent = judged(&Profile { barcodes: Codes::Raster, ..printer }, foot());
        assert_eq!(sent.lines[1..3], ["picture 312x64".to_owned(), format!("text {NUMBER}")], "{columns}");
        assert_eq!(scanned(&sent.picture(0)), NUMBER, "{columns}");
    }
}

#[test]
fn codes_that_the_printer_draws_hold_what_was_given() {
    let parts = vec![
        Part::Qr(Secret::new("https://example.com/1".to_owned())),
        Part::Barcode(Symbology::Ean13, Secret::new("4006381333931".to_owned())),
        Part::Barcode(Symbology::Code128, Secret::new("A{1".to_owned())),
        Part::Cut,
    ];
    assert_eq!(
        judged(&Profile::epson(), parts).lines,
        ["qr https://example.com/1", "bars \"4006381333931\\u0000\"", "bars \"\\u0006{BA{{1\"", "GS V 4100",]
    );
}

#[test]
fn a_picture_of_several_bands_is_one_on_paper() {
    let bits: Vec<u8> = (0..300_u16).flat_map(|row| [row.to_le_bytes()[0], 0x10, 0x04]).collect();
    let picture = Picture::new(24, 300, bits.into()).unwrap();
    assert_eq!(kind("epson").raster, Raster::GsV0);
    let judged = judged(&kind("epson"), vec![Part::Picture(picture, Align::Centre), text("below")]);
    assert_eq!(judged.lines, ["picture 24x300", "text below"]);
}
