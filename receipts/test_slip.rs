//! The test slip of a printer: what shows at a glance whether columns, code page, codes and knife are set right.
//!
//! - A ruler over the columns: if it wraps, or ends before the edge, `printer.columns` is not the printer's.
//! - Letters of Europe: one that is wrong on paper means a wrong `printer.profile`.
//! - A QR code and a bar code of this text: a scanner reads them back.
//!
//! The drawer is opened only when asked for: a drawer that opens is noticed by the wrong people.

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPulse, Paper, Part, Row, Slip, Style, Symbology};

/// What both codes hold.
pub const CODE: &str = "TILLD-TEST-1";
/// Letters that tell code pages apart, in groups of a language. What the printer lacks is left out of the slip and named on it.
const LETTERS: [&str; 6] = ["ÄÖÜäöüß §", "€ £ ¥", "éèêëàâçîïôûùœ", "ñ¿¡áíóú", "ąćęłńóśźżŁ", "čďěňřšťůž"];

/// The test slip for a printer of a name, of a profile if that is known; with the pulse that opens the drawer, if it is to be
/// opened.
pub fn test_slip(name: &str, profile: Option<&str>, paper: Paper, drawer: Option<DrawerPulse>) -> Slip {
    let columns = paper.columns;
    let row =
        |text: String, style: Style, align: Align| Part::Row(Row { text: Secret::new(text), style, align });
    let plain = |text: String| row(text, Style::PLAIN, Align::Left);
    let mut parts = vec![
        row("tilld".to_owned(), Style::LARGE, Align::Centre),
        row(name.to_owned(), Style::BOLD, Align::Centre),
        Part::Feed(1),
    ];
    let fitting = |text: String| text.chars().take(usize::from(columns)).collect::<String>();
    let profile = profile.map(|profile| format!(", {profile}")).unwrap_or_default();
    parts.push(plain(fitting(format!("{columns} columns{profile}"))));
    parts.push(plain((1..=columns).map(tens).collect()));
    parts.push(plain((1..=columns).map(units).collect()));
    parts.push(Part::Feed(1));
    for letters in LETTERS {
        parts.push(plain(fitting(
            letters.chars().filter(|letter| *letter == ' ' || paper.prints.has(*letter)).collect(),
        )));
    }
    let missing: String =
        LETTERS.concat().chars().filter(|letter| *letter != ' ' && !paper.prints.has(*letter)).collect();
    if !missing.is_empty() {
        // Here they stand as what is printed instead of them.
        parts.push(plain(fitting(format!("not in its tables: {missing}"))));
    }
    parts.push(Part::Feed(1));
    parts.push(Part::Qr(Secret::new(CODE.to_owned())));
    parts.push(Part::Feed(1));
    parts.push(Part::Barcode(Symbology::Code128, Secret::new(CODE.to_owned())));
    parts.push(row(CODE.to_owned(), Style::PLAIN, Align::Centre));
    parts.push(Part::Feed(1));
    parts.push(Part::Cut);
    parts.extend(drawer.map(Part::Drawer));
    Slip { columns, parts }
}

/// The tens of a column where a new one begins.
fn tens(column: u16) -> char {
    if column.is_multiple_of(10) { units(column / 10) } else { ' ' }
}

fn units(column: u16) -> char {
    char::from_digit(u32::from(column % 10), 10).unwrap_or('?')
}
