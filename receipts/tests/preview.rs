//! What a slip looks like before it is printed.

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use tilld_receipts::preview;

fn row(text: &str, style: Style, align: Align) -> Part {
    Part::Row(Row { text: Secret::new(text.to_owned()), style, align })
}

fn plain(text: &str) -> Part {
    row(text, Style::PLAIN, Align::Left)
}

fn slip(columns: u16, parts: Vec<Part>) -> Slip {
    Slip { columns, parts }
}

#[test]
fn rows_stand_where_they_will_stand_on_paper() {
    let wide = Style { width: 2, ..Style::PLAIN };
    let parts = vec![
        plain("left"),
        row("mid", Style::PLAIN, Align::Centre),
        row("right", Style::BOLD, Align::Right),
        row("wid\u{327}e", wide, Align::Left),
        row("BIG", Style::LARGE, Align::Centre),
        row(" no ", Style { inverse: true, ..Style::PLAIN }, Align::Centre),
        plain("漢字 ✓"),
        Part::Feed(2),
        Part::Drawer(DrawerPulse { pin: DrawerPin::Two, on_ms: 50, off_ms: 500 }),
        Part::Cut,
    ];
    assert_eq!(
        preview::text(&slip(11, parts)),
        "\
┌─────────────┐
│ left        │
│     mid     │
│       right │
│ w i d\u{327} e     │
│   B I G     │
│             │
│    ▐no▌     │
│ 漢字 ✓      │
│             │
│             │
│ - - - - - ✂ │
└─────────────┘
"
    );
}

#[test]
fn a_qr_code_is_drawn_in_half_blocks_or_named_where_it_does_not_fit() {
    let code = || Part::Qr(Secret::new("4711".to_owned()));
    let drawn = preview::text(&slip(32, vec![code()]));
    assert!(drawn.contains("█▀▀▀▀▀█"), "{drawn}");
    assert_eq!(drawn.lines().count(), 2 + 2 + 11);
    assert!(preview::text(&slip(20, vec![code()])).contains("[QR 21 x 21]"));
    for empty in [String::new(), "x".repeat(1001)] {
        assert!(preview::text(&slip(32, vec![Part::Qr(Secret::new(empty))])).contains("[QR]"));
    }
}

#[test]
fn bars_are_drawn_with_their_text_or_named_where_they_do_not_fit() {
    let code = |text: &str| Part::Barcode(Symbology::Ean13, Secret::new(text.to_owned()));
    let drawn = preview::text(&slip(48, vec![code("4006381333931")]));
    assert!(drawn.contains("4006381333931") && drawn.contains('▌'), "{drawn}");
    let narrow = preview::text(&slip(32, vec![code("4006381333931")]));
    assert!(narrow.contains("[Ean13]") && narrow.contains("4006381333931"), "{narrow}");
}

#[test]
fn a_picture_is_one_closed_document_that_refers_to_nothing() {
    let parts = vec![
        plain("<script>alert('1')</script> & \"x\""),
        plain("\u{1b}p\u{ffff}"),
        row("50,00 €", Style::LARGE, Align::Centre),
        row(" COPY ", Style { inverse: true, underline: true, ..Style::LARGE }, Align::Centre),
        Part::Qr(Secret::new("https://example.org/<&>".to_owned())),
        Part::Barcode(Symbology::Code128, Secret::new("<&'\">".to_owned())),
        Part::Cut,
    ];
    let picture = preview::svg(&slip(42, parts));
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    for absent in ["<script", "href", "url(", "<style", "<image", "\u{1b}", "\u{ffff}", "&&", "<&"] {
        assert!(!picture.contains(absent), "{absent}");
    }
    assert_eq!(picture.matches("http").count(), 1, "the name space alone");
    assert_eq!(picture.matches("<g ").count(), picture.matches("</g>").count());
    assert!(picture.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
}

#[test]
fn every_word_of_a_picture_stands_in_its_column() {
    let picture = preview::svg(&slip(32, vec![plain("ab  cd é€ 漢x")]));
    for (column, cells, text) in
        [(0, 2, "ab"), (4, 2, "cd"), (7, 1, "é"), (8, 1, "€"), (10, 2, "漢"), (12, 1, "x")]
    {
        let (x, length) = (column * 12, cells * 12);
        let expected = format!("<text x=\"{x}\" y=\"18\" textLength=\"{length}\"");
        let found = picture
            .lines()
            .any(|line| line.starts_with(&expected) && line.ends_with(&format!(">{text}</text>")));
        assert!(found, "{text} in {column}: {picture}");
    }
}

#[test]
fn odd_slips_are_drawn_too() {
    let obeyed = preview::text(&slip(16, vec![plain("\u{1b}[31m\u{202e}x")]));
    assert!(obeyed.contains("│ �[31m�x          │"), "{obeyed}");
    let parts = || {
        vec![
            plain("wider than the paper"),
            plain(""),
            plain("\u{301}"),
            Part::Feed(255),
            Part::Qr(Secret::new("x".to_owned())),
        ]
    };
    for columns in [0, 1, u16::MAX] {
        assert!(preview::svg(&slip(columns, parts())).ends_with("</svg>\n"));
        assert!(preview::text(&slip(columns, parts())).contains("wider than the paper"));
    }
}

#[test]
fn a_picture_is_drawn_dot_by_dot_and_named_in_a_terminal() {
    let picture = Picture::new(9, 2, vec![0b1100_0001, 0x80, 0x01, 0x00].into()).unwrap();
    let slip = slip(32, vec![Part::Picture(picture, Align::Right)]);
    assert!(preview::text(&slip).contains("[9 x 2] │"));
    let svg = preview::svg(&slip);
    assert!(svg.contains("translate(405 30)"), "{svg}");
    assert!(svg.contains("d=\"M0 0h2v1h-2zM7 0h2v1h-2zM7 1h1v1h-1z\""), "{svg}");
}
