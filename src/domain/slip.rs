//! A piece of paper before any printer's language: what `receipts` makes, what `devices` turns into bytes, and what the
//! simulated printer reads back out of bytes.
//!
//! A slip of a POR card is money, so `Debug` never shows what stands on it.

use std::fmt;

use crate::secret::Secret;

/// What a printer's paper can take.
#[derive(Clone, Copy)]
pub struct Paper {
    /// Characters of normal width in a row.
    pub columns: u16,
    /// Whether the printer's character tables have this character (so that a maker of slips can write EUR for €).
    pub prints: fn(char) -> bool,
}

impl fmt::Debug for Paper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Paper({} columns)", self.columns)
    }
}

/// Where a row stands between the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// How a row looks. Widths and heights are multiples (1 to 8) of the normal character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Heavier strokes.
    pub bold: bool,
    /// A line under it.
    pub underline: bool,
    /// White on black.
    pub inverse: bool,
    /// Width as a multiple of the normal one.
    pub width: u8,
    /// Height as a multiple of the normal one.
    pub height: u8,
}

impl Style {
    /// Nothing special.
    pub const PLAIN: Self = Self { bold: false, underline: false, inverse: false, width: 1, height: 1 };
    /// Heavier.
    pub const BOLD: Self = Self { bold: true, ..Self::PLAIN };
    /// Twice as wide and high, and heavier.
    pub const LARGE: Self = Self { bold: true, width: 2, height: 2, ..Self::PLAIN };
}

impl Default for Style {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// One printed row. Its text has no control characters and, at its style's width, never more columns than the paper.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The text, without line ends.
    pub text: Secret,
    /// How it looks.
    pub style: Style,
    /// Where it stands.
    pub align: Align,
}

/// Which bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// Any ASCII text.
    Code128,
    /// Twelve or thirteen digits.
    Ean13,
}

/// How long the drawer's coil is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DrawerPulse {
    /// Pin 2 of the connector, or pin 5.
    pub pin: DrawerPin,
    /// On time in ms, rounded up to 2 ms by the printer; at most 510.
    pub on_ms: u16,
    /// Off time in ms, likewise.
    pub off_ms: u16,
}

/// Which pin of the drawer connector is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DrawerPin {
    /// The usual one.
    Two,
    /// For a second drawer.
    Five,
}

/// A part of a slip, from top to bottom.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// A row of text.
    Row(Row),
    /// Blank rows.
    Feed(u8),
    /// A QR code in the middle of the paper; the text is at most 1,000 bytes.
    Qr(Secret),
    /// A bar code in the middle of the paper.
    Barcode(Symbology, Secret),
    /// Feed to the knife and cut.
    Cut,
    /// Open the drawer.
    Drawer(DrawerPulse),
}

/// One piece of paper.
#[derive(Clone, PartialEq, Eq)]
pub struct Slip {
    /// For how many columns it was laid out.
    pub columns: u16,
    /// Its parts from top to bottom.
    pub parts: Vec<Part>,
}

impl fmt::Debug for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Row({} bytes)", self.text.reveal().len())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => fmt::Debug::fmt(row, out),
            Self::Feed(rows) => write!(out, "Feed({rows})"),
            Self::Qr(_) => out.write_str("Qr(…)"),
            Self::Barcode(symbology, _) => write!(out, "Barcode({symbology:?}, …)"),
            Self::Cut => out.write_str("Cut"),
            Self::Drawer(pulse) => write!(out, "Drawer({pulse:?})"),
        }
    }
}

impl fmt::Debug for Slip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Slip({} columns, {} parts)", self.columns, self.parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_slip_shows_its_measures_and_nothing_of_its_text() {
        let row = Row { text: Secret::new("CODE-1234".to_owned()), style: Style::PLAIN, align: Align::Left };
        let slip = Slip { columns: 42, parts: vec![Part::Row(row.clone()), Part::Cut] };
        for (shown, wanted) in [
            (format!("{row:?}"), "Row(9 bytes)"),
            (format!("{:?}", slip.parts[0]), "Row(9 bytes)"),
            (format!("{:?}", Part::Feed(2)), "Feed(2)"),
            (format!("{:?}", Part::Qr(Secret::new("CODE-1234".to_owned()))), "Qr(…)"),
            (format!("{slip:?}"), "Slip(42 columns, 2 parts)"),
            (format!("{:?}", Paper { columns: 48, prints: |_| true }), "Paper(48 columns)"),
        ] {
            assert_eq!(shown, wanted);
        }
    }

    #[test]
    fn styles_are_what_their_names_say() {
        let styles = [Style::PLAIN, Style::BOLD, Style::LARGE];
        assert_eq!(styles.map(|style| style.bold), [false, true, true]);
        assert_eq!(styles.map(|style| (style.width, style.height)), [(1, 1), (1, 1), (2, 2)]);
    }
}
