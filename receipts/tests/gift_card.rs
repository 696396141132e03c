//! Whole slips of gift cards, as they look on paper.

#![allow(
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise, also in the functions that they share"
)]

use proptest::prelude::*;
use tilld_domain::ids::Locale;
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::ReceiptLines;
use tilld_domain::product::CardKind;
use tilld_domain::slip::{Align, Letters, Paper, Part, Picture, Slip, Symbology};
use tilld_domain::slip_number::SlipNumber;
use tilld_receipts::preview;
use tilld_receipts::rows::{NARROWEST, visible, width};
use tilld_receipts::slip::{CardFacts, ShopTexts, gift_card};

/// 2026-11-21, 14:05 in Berlin.
const AFTERNOON: i64 = 1_795_266_300_000;

fn paper(columns: u16) -> Paper {
    Paper { columns, prints: Letters::EVERY, bars: 576 }
}

fn shop() -> ShopTexts {
    ShopTexts {
        logo: None,
        header: vec!["Buchhandlung Möwe & Söhne".into(), "Hafenstraße 7, 20457 Hamburg".into()],
        footer: vec!["Vielen Dank für Ihren Einkauf!".into()],
    }
}

/// A card as it was sold, to lay out with other facts changed.
struct Sold {
    product_name: String,
    kind: CardKind,
    face_value: Money,
    zone: &'static str,
    locale: Locale,
    lines: ReceiptLines,
    card: (u16, u16),
    copy: Option<u16>,
    attempt: u16,
    numbered: bool,
    receipt: String,
}

/// The number of the card's slip at an attempt.
fn number(attempt: u16) -> SlipNumber {
    SlipNumber::of("019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e".parse().unwrap(), attempt)
}

impl Sold {
    fn new(locale: &str, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Self {
            product_name: "Seaside Bücher & Café".into(),
            kind: CardKind::Por,
            face_value: Money::new(5000, Currency::from_code("EUR").unwrap()),
            zone: "Europe/Berlin",
            locale: locale.parse().unwrap(),
            lines: ReceiptLines::new(lines, 0).unwrap(),
            card: (1, 1),
            copy: None,
            attempt: 1,
            numbered: true,
            receipt: "R-20261121-0042".into(),
        }
    }

    fn slip(&self, texts: &ShopTexts, paper: Paper) -> Slip {
        let facts = CardFacts {
            product_name: &self.product_name,
            kind: self.kind,
            face_value: self.face_value,
            store: &"HH-07".parse().unwrap(),
            terminal: &"till-3".parse().unwrap(),
            receipt: &self.receipt.parse().unwrap(),
            card: self.card,
            at_ms: AFTERNOON,
            zone: self.zone,
            locale: &self.locale,
            lines: &self.lines,
            copy: self.copy,
            attempt: self.attempt,
            number: self.numbered.then(|| number(self.attempt)),
        };
        gift_card(&facts, texts, paper)
    }
}

fn rows(slip: &Slip) -> Vec<String> {
    let text = |part: &Part| match part {
        Part::Row(row) => Some(row.text.reveal().to_owned()),
        _ => None,
    };
    slip.parts.iter().filter_map(text).collect()
}

/// What holds for every slip.
fn check(slip: &Slip) {
    for part in &slip.parts {
        let Part::Row(row) = part else { continue };
        let text = row.text.reveal();
        assert!(!text.chars().any(char::is_control), "a control character");
        assert!(
            width(text) * usize::from(row.style.width) <= slip.columns.into(),
            "a row wider than the paper"
        );
    }
    assert!(slip.parts.last() == Some(&Part::Cut));
}

const POR_LINES: [&str; 7] = [
    "================================",
    "  Code:      SEAS-1234-5678-90AB",
    "  PIN:       4711",
    "",
    "Einlösbar auf www.seaside.example",
    "und in jeder Filiale.",
    "================================",
];

#[test]
fn a_printed_card_on_narrow_paper() {
    let slip = Sold::new("de-DE", &POR_LINES).slip(&shop(), paper(32));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌──────────────────────────────────┐
│    Buchhandlung Möwe & Söhne     │
│   Hafenstraße 7, 20457 Hamburg   │
│                                  │
│      Seaside Bücher & Café       │
│          5 0 , 0 0   €           │
│                                  │
│ -------------------------------- │
│ ================================ │
│   Code:      SEAS-1234-5678-90AB │
│   PIN:       4711                │
│                                  │
│ Einlösbar auf www.seaside.exampl │
│ e                                │
│ und in jeder Filiale.            │
│ ================================ │
│ -------------------------------- │
│ Datum           21.11.2026 14:05 │
│ Filiale                    HH-07 │
│ Kasse                     till-3 │
│ Bon              R-20261121-0042 │
│                                  │
│  Vielen Dank für Ihren Einkauf!  │
│ Belegnummer, kein Gutscheincode  │
│            [Code128]             │
│           90766354171            │
│ - - - - - - - - - - - - - - - ✂  │
└──────────────────────────────────┘
"
    );
}

#[test]
fn an_activated_card_printed_for_the_second_time_and_copied() {
    let mut card = Sold::new("en-GB", &["Questions? Call 0800 123 456"]);
    card.kind = CardKind::Posa;
    card.face_value = Money::new(2500, Currency::from_code("GBP").unwrap());
    card.zone = "Europe/London";
    (card.card, card.copy, card.attempt) = ((2, 3), Some(1), 2);
    card.lines = ReceiptLines::new(vec!["Questions? Call 0800 123 456".into()], 1).unwrap();
    let slip = card.slip(&ShopTexts::default(), paper(42));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌────────────────────────────────────────────┐
│              ▐ C O P Y   1  ▌              │
│                                            │
│                                            │
│    Attempt 2: an earlier paper is void     │
│                                            │
│           Seaside Bücher & Café            │
│                £ 2 5 . 0 0                 │
│                                            │
│                Card 2 of 3                 │
│        The card has been activated.        │
│ ------------------------------------------ │
│ Questions? Call 0800 123 456               │
│ ------------------------------------------ │
│ Staff: check this slip, a part of it could │
│                not be read                 │
│ ------------------------------------------ │
│ Date                      21/11/2026 13:05 │
│ Store                                HH-07 │
│ Till                                till-3 │
│ Receipt                    R-20261121-0042 │
│                                            │
│              ▐ C O P Y   1  ▌              │
│                                            │
│ - - - - - - - - - - - - - - - - - - - - ✂  │
└────────────────────────────────────────────┘
"
    );
}

#[test]
fn a_polish_slip_on_a_printer_without_the_sign_of_the_zloty() {
    let mut card = Sold::new("pl-PL", &["50 € za książki"]);
    card.face_value = Money::new(1_234_500, Currency::from_code("PLN").unwrap());
    card.zone = "Nowhere/Land";
    let slip = card.slip(&ShopTexts::default(), Paper { columns: 32, prints: Letters::ASCII, bars: 576 });
    check(&slip);
    let rows = rows(&slip);
    for expected in ["12 345,00 PLN", "50 EUR za książki", "Data        21.11.2026 13:05 UTC"] {
        assert!(rows.iter().any(|row| row == expected), "{expected}: {rows:#?}");
    }
}

#[test]
fn a_copy_says_so_first_and_last_in_white_on_black() {
    let mut card = Sold::new("fr-FR", &POR_LINES);
    card.copy = Some(2);
    let slip = card.slip(&shop(), paper(48));
    let mark = |part: Option<&Part>| match part {
        Some(Part::Row(row)) => row.style.inverse && row.style.width == 2 && row.text.reveal() == " COPIE 2 ",
        _ => false,
    };
    assert!(mark(slip.parts.first()));
    assert!(mark(slip.parts.iter().rev().nth(1)));
    let plain = Sold::new("fr-FR", &POR_LINES).slip(&shop(), paper(48));
    assert!(!rows(&plain).iter().any(|row| row.contains("COPIE")));
}

#[test]
fn the_first_attempt_is_not_numbered_and_later_ones_void_the_earlier_paper() {
    for (attempt, expected) in [(1, 0), (2, 1), (3, 1)] {
        let mut card = Sold::new("en-IE", &POR_LINES);
        card.attempt = attempt;
        let wanted = format!("Attempt {attempt}: an earlier paper is void");
        let found = rows(&card.slip(&shop(), paper(48))).iter().filter(|row| **row == wanted).count();
        assert_eq!(found, expected, "attempt {attempt}");
    }
}

#[test]
fn the_first_paper_of_a_printed_card_ends_with_its_number_and_no_other_paper_does() {
    for (kind, copy, attempt, numbered, foot) in [
        (CardKind::Por, None, 1, true, Some("90766354171")),
        (CardKind::Por, None, 2, true, Some("90766354268")),
        (CardKind::Por, None, 1, false, None),
        (CardKind::Por, Some(1), 1, true, None),
        (CardKind::Posa, None, 1, true, None),
    ] {
        let mut card = Sold::new("de-DE", &POR_LINES);
        (card.kind, card.copy, card.attempt, card.numbered) = (kind, copy, attempt, numbered);
        for columns in [16, 32, 42, 48] {
            let slip = card.slip(&shop(), paper(columns));
            check(&slip);
            let bars = |part: &Part| match part {
                Part::Barcode(symbology, text) => Some((*symbology, text.reveal().to_owned())),
                _ => None,
            };
            let wanted = foot.map(|number| (Symbology::Code128, number.to_owned()));
            let case = format!("{kind:?} {copy:?} {attempt} {numbered} {columns}");
            // It is the last ink, so whoever scans it holds everything above it.
            assert_eq!(slip.parts.iter().rev().nth(1).and_then(bars), wanted, "{case}");
            assert_eq!(slip.parts.iter().filter_map(bars).count(), usize::from(foot.is_some()), "{case}");
            // As text it would stand on a screen.
            let told = rows(&slip);
            assert!(foot.is_none_or(|number| !told.concat().contains(number)), "{case}");
            let word = told.concat().contains("Belegnummer");
            assert_eq!(word, foot.is_some(), "{case}");
        }
    }
}

#[test]
fn staff_are_told_when_a_part_of_the_lines_could_not_be_read() {
    for (odd, expected) in [(0, false), (1, true), (u16::MAX, true)] {
        let mut card = Sold::new("en-GB", &[]);
        card.lines = ReceiptLines::new(vec!["a".into()], odd).unwrap();
        let told =
            rows(&card.slip(&shop(), paper(64))).iter().any(|row| row.starts_with("Staff: check this slip"));
        assert_eq!(told, expected, "{odd}");
    }
}

#[test]
fn no_line_can_carry_a_command_to_the_printer() {
    let slip = Sold::new("de-DE", &["\u{1b}p\u{0}\u{19}\u{19}\u{1d}V\u{0}", "a\u{9b}b\u{202e}c"]).slip(
        &ShopTexts {
            header: vec!["\u{1b}@Shop\u{7}".into()],
            footer: vec!["\u{10}\u{14}\u{1}".into()],
            logo: None,
        },
        paper(32),
    );
    check(&slip);
    let rows = rows(&slip);
    for expected in ["pV", "abc", "@Shop"] {
        assert!(rows.iter().any(|row| row == expected), "{expected}: {rows:#?}");
    }
}

#[test]
fn a_slip_that_came_as_one_text_gets_its_lines_and_line_ends_alone_cannot_empty_the_roll() {
    let one = Sold::new("de-DE", &["Code:\r\n  1234\r\n\r\nEnde\r\n"]).slip(&ShopTexts::default(), paper(32));
    let shown = rows(&one);
    let start = shown.iter().position(|row| row == "Code:").unwrap();
    assert_eq!(shown[start..start + 4], ["Code:", "  1234", "", "Ende"]);

    let breaks = "x\n".repeat(500);
    let many = Sold::new("de-DE", &[breaks.as_str(); 200]).slip(&ShopTexts::default(), paper(32));
    check(&many);
    let shown = rows(&many);
    assert!(shown.len() < 200 * 33, "{}", shown.len());
    assert_eq!(shown.concat().matches('x').count(), 200 * 500);
}

#[test]
fn texts_of_ten_kilobytes_and_papers_of_any_width_are_laid_out() {
    let texts =
        ShopTexts { header: vec!["word ".repeat(2048)], footer: vec!["漢".repeat(3400)], logo: None };
    for columns in [0, 1, 15, 16, 31, 32, 35, 42, 48, 64, 255, u16::MAX] {
        let mut card = Sold::new("es-ES", &POR_LINES);
        card.product_name = "Ж".repeat(5000);
        card.face_value = Money::new(i64::MIN, Currency::from_code("EUR").unwrap());
        card.receipt = "R".repeat(64);
        (card.copy, card.attempt, card.card) = (Some(u16::MAX), u16::MAX, (u16::MAX, u16::MAX));
        let slip = card.slip(&texts, paper(columns));
        check(&slip);
        assert_eq!(slip.columns, columns.max(NARROWEST));
        assert_eq!(rows(&slip).concat().matches("word").count(), 2048);
        assert_eq!(rows(&slip).concat().matches('漢').count(), 3400);
    }
}

#[test]
fn a_product_without_a_name_is_a_gift_card() {
    let mut card = Sold::new("nl-NL", &POR_LINES);
    card.product_name = " \u{200b}\u{7}".into();
    assert!(rows(&card.slip(&ShopTexts::default(), paper(48))).contains(&"Cadeaukaart".to_owned()));
}

#[test]
fn a_slip_shows_nothing_in_debug_output() {
    let slip = Sold::new("de-DE", &POR_LINES).slip(&shop(), paper(48));
    let shown = format!("{slip:?} {:?}", slip.parts);
    assert!(!shown.contains("SEAS") && !shown.contains("4711"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_provider_and_a_shop_write_fits_and_is_all_there(
        lines in proptest::collection::vec("[ -~]{0,80}|.{0,60}|\u{1b}p[a-z漢\u{301}\t]{0,90}", 0..20),
        header in proptest::collection::vec(".{0,80}", 0..4),
        columns in 16_u16..80,
    ) {
        let texts = ShopTexts { header, ..ShopTexts::default() };
        let given: Vec<&str> = lines.iter().map(String::as_str).collect();
        let slip = Sold::new("de-DE", &given).slip(&texts, paper(columns));
        check(&slip);
        let rule = "-".repeat(columns.into());
        let all = rows(&slip);
        let first = all.iter().rposition(|row| row.starts_with("Datum")).unwrap();
        let before_last_rule: String = all[..first - 1].concat();
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let expected: String = lines.iter().map(|line| squeezed(&visible(line, &Letters::EVERY))).collect();
        prop_assert!(squeezed(&before_last_rule).ends_with(&expected));
        prop_assert_eq!(&all[first - 1], &rule);
    }
}

#[test]
fn the_logo_stands_above_the_header_and_below_the_mark_of_a_copy() {
    let logo = Picture::new(8, 1, vec![0xff].into()).unwrap();
    let texts = ShopTexts { logo: Some(logo.clone()), ..shop() };
    let part = Part::Picture(logo, Align::Centre);
    for (copy, place) in [(None, 0), (Some(1), 2)] {
        let mut card = Sold::new("de-DE", &["Code: 1234"]);
        card.copy = copy;
        let slip = card.slip(&texts, paper(42));
        assert_eq!(slip.parts.iter().position(|it| *it == part), Some(place), "{copy:?}");
    }
}
