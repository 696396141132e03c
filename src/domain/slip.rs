//! A piece of paper before any printer's language: what `receipts` makes, what `devices` turns into bytes, and what the
//! simulated printer reads back out of bytes.
//!
//! A slip of a POR card is money, so `Debug` never shows what stands on it.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Which characters a printer has. A clone shares the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Letters(Which);

#[derive(Clone, PartialEq, Eq)]
enum Which {
    Every,
    Ascii,
    /// Runs from the first to the last character, both included, in their order and apart from each other.
    Runs(Arc<[(char, char)]>),
}

impl Letters {
    /// All that there are.
    pub const EVERY: Self = Self(Which::Every);
    /// ASCII alone.
    pub const ASCII: Self = Self(Which::Ascii);

    /// These, in any order and any number of times.
    pub fn of(letters: impl IntoIterator<Item = char>) -> Self {
        let mut sorted: Vec<char> = letters.into_iter().collect();
        sorted.sort_unstable();
        let mut runs: Vec<(char, char)> = Vec::new();
        for letter in sorted {
            match runs.last_mut() {
                Some((_, last)) if u32::from(letter) <= u32::from(*last).saturating_add(1) => *last = letter,
                _ => runs.push((letter, letter)),
            }
        }
        Self(Which::Runs(runs.into()))
    }

    /// Those that are among these and among the others.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Which::Every, _) => other.clone(),
            (_, Which::Every) | (Which::Ascii, Which::Ascii) => self.clone(),
            (Which::Ascii, Which::Runs(_)) => other.both(self),
            (Which::Runs(runs), _) => Self::of(
                runs.iter().flat_map(|(first, last)| *first..=*last).filter(|letter| other.has(*letter)),
            ),
        }
    }

    /// Whether this one is among them.
    pub fn has(&self, letter: char) -> bool {
        match &self.0 {
            Which::Every => true,
            Which::Ascii => letter.is_ascii(),
            Which::Runs(runs) => {
                let at = runs.partition_point(|(_, last)| *last < letter);
                runs.get(at).is_some_and(|(first, _)| *first <= letter)
            }
        }
    }
}

impl fmt::Debug for Letters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Which::Every => out.write_str("Letters(every)"),
            Which::Ascii => out.write_str("Letters(ASCII)"),
            Which::Runs(runs) => write!(out, "Letters({} runs)", runs.len()),
        }
    }
}

/// What a printer's paper can take.
#[derive(Clone)]
pub struct Paper {
    /// Characters of normal width in a row.
    pub columns: u16,
    /// What the printer has (so that a maker of slips can write EUR for €).
    pub prints: Letters,
    /// How wide a bar code may be, in dots; a wider one is printed as its text. 0: every one is.
    pub bars: u16,
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

/// Dots, black or white. It may be the picture of a code that is worth money, so `Debug` shows its measures alone and its
/// memory is wiped when its last clone goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    bits: Arc<Zeroizing<Vec<u8>>>,
}

impl Picture {
    /// From rows of whole bytes, the left dot of eight the highest bit, 1 for black. `None` if it has no dots, or if
    /// there are not just as many bytes.
    pub fn new(width: u16, height: u16, bits: Zeroizing<Vec<u8>>) -> Option<Self> {
        let bytes = usize::from(width.div_ceil(8)).saturating_mul(usize::from(height));
        (bytes > 0 && bits.len() == bytes).then(|| Self { width, height, bits: Arc::new(bits) })
    }

    /// In dots.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// In dots.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// The bytes of a row, from 0; none below the last.
    pub fn row(&self, y: usize) -> &[u8] {
        let stride = usize::from(self.width.div_ceil(8));
        let start = y.saturating_mul(stride);
        self.bits.get(start..start.saturating_add(stride)).unwrap_or_default()
    }

    /// Whether a dot is black; outside all is white.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        let byte = self.row(y).get(x / 8).copied().unwrap_or(0);
        x < usize::from(self.width) && byte & (0x80 >> (x % 8)) != 0
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Picture({} x {})", self.width, self.height)
    }
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
    /// A picture at one of the edges or in the middle.
    Picture(Picture, Align),
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
            Self::Picture(picture, _) => fmt::Debug::fmt(picture, out),
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
            (format!("{:?}", Paper { columns: 48, prints: Letters::EVERY, bars: 576 }), "Paper(48 columns)"),
        ] {
            assert_eq!(shown, wanted);
        }
    }

    #[test]
    fn letters_are_those_that_were_given() {
        let some = Letters::of("zbca€é漢c".chars());
        for (letter, has) in [
            ('a', true),
            ('b', true),
            ('c', true),
            ('d', false),
            ('z', true),
            ('€', true),
            ('漢', true),
            ('字', false),
        ] {
            assert_eq!(some.has(letter), has, "{letter}");
        }
        assert!(!Letters::of([]).has('a'));
        for (other, common) in [
            (Letters::EVERY, "abcz€é漢"),
            (Letters::ASCII, "abcz"),
            (Letters::of("bcdé字".chars()), "bcé"),
            (Letters::of([]), ""),
        ] {
            let common = Letters::of(common.chars());
            assert!(some.both(&other) == common && other.both(&some) == common, "{other:?}");
        }
        assert!(Letters::EVERY.has('漢') && Letters::ASCII.has('~') && !Letters::ASCII.has('é'));
        assert_eq!(format!("{some:?}"), "Letters(5 runs)");
    }

    #[test]
    fn a_picture_has_just_the_bytes_of_its_dots() {
        let bits = |count| Zeroizing::new(vec![0x81; count]);
        for (width, height, count, fits) in [
            (8, 2, 2, true),
            (9, 2, 4, true),
            (9, 2, 3, false),
            (8, 2, 3, false),
            (0, 9, 0, false),
            (9, 0, 0, false),
        ] {
            assert_eq!(Picture::new(width, height, bits(count)).is_some(), fits, "{width} {height} {count}");
        }
        let picture = Picture::new(9, 2, bits(4)).unwrap();
        let dark: Vec<usize> = (0..20).filter(|x| picture.is_dark(*x, 1)).collect();
        assert_eq!(dark, [0, 7, 8]);
        assert!(!picture.is_dark(0, 2));
        assert_eq!(format!("{:?}", Part::Picture(picture, Align::Left)), "Picture(9 x 2)");
    }

    #[test]
    fn styles_are_what_their_names_say() {
        let styles = [Style::PLAIN, Style::BOLD, Style::LARGE];
        assert_eq!(styles.map(|style| style.bold), [false, true, true]);
        assert_eq!(styles.map(|style| (style.width, style.height)), [(1, 1), (1, 1), (2, 2)]);
    }
}
