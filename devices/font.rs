//! A font of the shop, for rows that a printer's own characters cannot express: they are drawn and sent as pictures.
//!
//! None is built in: one that has the characters of East Asia is several MB. `fonts-ipafont-gothic` of Debian (Japanese) or
//! `fonts-noto-cjk` (all of them) are made for it. Without one such characters are printed as `?`, and counted.
//!
//! A cell is that of a printer's font A: 12 dots wide and 24 high, two cells for what Unicode calls wide. A letter of a
//! proportional font that is wider than its cell is drawn narrower, and what still sticks out is cut off.
//!
//! The file is the shop's, and read by `ab_glyph` within bounds: its length, and the dots of any one letter.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ab_glyph::{Font as _, FontVec, Glyph, GlyphId, OutlinedGlyph, PxScale, point};
use tilld_domain::slip::{Picture, Style};
use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

use crate::given;
use crate::raster::Canvas;
use crate::text::{composed, is_blank, is_invisible};

/// A cell in dots, and the gap below a row: those of a printer's font A at its default spacing.
const CELL: usize = 12;
const HEIGHT: usize = 24;
const GAP: usize = 6;
/// Where the baseline is, from the top of the cell.
const BASELINE: i32 = 19;
/// An em of 22 dots in points of 96 dots an inch, so that wide characters do not touch; 11 dots for narrow ones that are too
/// wide for their cell.
const EM: f32 = 16.5;
const NARROW_EM: f32 = 9.0;
/// How much of a dot must be covered: less than half, since thin strokes fade on thermal paper.
const COVER: f32 = 0.4;
/// The most dots a side of one letter: more is a broken font.
const MOST_DOTS: i32 = 96;
/// The largest file: all of East Asia in several weights is some 20 MB.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A font, shared by its clones.
#[derive(Clone)]
pub struct Font(Arc<FontVec>);

impl fmt::Debug for Font {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Font({} glyphs)", self.0.glyph_count())
    }
}

/// Rows that were drawn.
pub(crate) struct Drawn {
    /// One for each row of the paper.
    pub rows: Vec<Picture>,
    /// Characters that the font lacks too.
    pub replaced: u32,
}

impl Font {
    /// Reads a TrueType or OpenType file, or the first font of a collection. The error says what to do.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = given::bytes(path, LONGEST, "")?;
        let font = FontVec::try_from_vec_and_index(bytes, 0).map_err(|_| {
            "is no TrueType or OpenType font; Debian's fonts-ipafont-gothic has one".to_owned()
        })?;
        Ok(Self(Arc::new(font)))
    }

    /// Whether it has this character.
    pub fn has(&self, letter: char) -> bool {
        self.0.glyph_id(letter) != GlyphId(0)
    }

    /// A text in rows of at most `limit` cells of their own width.
    pub(crate) fn draw(&self, text: &str, limit: usize, style: Style) -> Drawn {
        let mut replaced = 0_u32;
        let mut rows: Vec<Zeroizing<Vec<(char, usize)>>> = vec![Zeroizing::new(Vec::new())];
        let mut used = 0_usize;
        for letter in composed(text) {
            let cells = letter.width().unwrap_or(0);
            let gone = letter.is_control() || is_invisible(letter) || cells == 0;
            let shown = match letter {
                _ if gone => None,
                _ if letter == ' ' || is_blank(letter) => Some(' '),
                _ if self.has(letter) => Some(letter),
                _ => Some('?'),
            };
            if shown != Some(letter) && !is_blank(letter) {
                replaced = replaced.saturating_add(1);
            }
            let Some(shown) = shown else { continue };
            if used > 0 && used.saturating_add(cells) > limit {
                rows.push(Zeroizing::new(Vec::new()));
                used = 0;
            }
            used = used.saturating_add(cells);
            if let Some(row) = rows.last_mut() {
                row.push((shown, cells));
            }
        }
        Drawn { rows: rows.iter().filter_map(|row| self.row(row, style)).collect(), replaced }
    }

    fn row(&self, row: &[(char, usize)], style: Style) -> Option<Picture> {
        let cells: usize = row.iter().map(|(_, cells)| *cells).sum();
        let (across, down) = (usize::from(style.width.max(1)), usize::from(style.height.max(1)));
        let width = cells.saturating_mul(CELL).saturating_mul(across);
        let height = HEIGHT.saturating_mul(down);
        let mut canvas = Canvas::new(width, height.saturating_add(GAP));
        let mut left = 0_usize;
        for (letter, cells) in row {
            let room = cells.saturating_mul(CELL);
            self.letter(*letter, *cells, |x, y| {
                let bolder = usize::from(style.bold);
                if x < room && y < HEIGHT {
                    let x = left.saturating_add(x).saturating_mul(across);
                    canvas.fill(x, y.saturating_mul(down), across.saturating_add(bolder), down);
                }
            });
            left = left.saturating_add(room);
        }
        if style.underline {
            canvas.fill(0, height.saturating_sub(2), width, 2);
        }
        if style.inverse {
            for y in 0..height {
                for x in 0..width {
                    canvas.turn(x, y);
                }
            }
        }
        canvas.finish()
    }

    /// The dots of one letter in its cell or two.
    fn letter(&self, letter: char, cells: usize, mut dot: impl FnMut(usize, usize)) {
        let id = self.0.glyph_id(letter);
        let room = i32::try_from(cells.saturating_mul(CELL)).unwrap_or(0);
        let full = self.outline(id, EM);
        let outline = match full {
            Some(outline) if cells == 1 && size(&outline).0 > room => self.outline(id, NARROW_EM),
            other => other,
        };
        let Some(outline) = outline else { return };
        let (width, height) = size(&outline);
        if width > MOST_DOTS || height > MOST_DOTS {
            return;
        }
        let bounds = outline.px_bounds();
        // Wide ones stand where their font puts them; narrow ones in the middle, whatever their own width is.
        let left = if cells == 1 {
            room.saturating_sub(width).div_euclid(2)
        } else {
            dots(bounds.min.x).saturating_add(1)
        };
        let top = BASELINE.saturating_add(dots(bounds.min.y));
        outline.draw(|x, y, cover| {
            let place = |offset: u32, start: i32| {
                usize::try_from(i32::try_from(offset).ok()?.saturating_add(start)).ok()
            };
            if cover > COVER
                && let (Some(x), Some(y)) = (place(x, left), place(y, top))
            {
                dot(x, y);
            }
        });
    }

    fn outline(&self, id: GlyphId, points: f32) -> Option<OutlinedGlyph> {
        let across = self.0.pt_to_px_scale(points)?;
        let down = self.0.pt_to_px_scale(EM)?;
        let scale = PxScale { x: across.x, y: down.y };
        self.0.outline_glyph(Glyph { id, scale, position: point(0.0, 0.0) })
    }
}

/// Width and height in dots.
fn size(outline: &OutlinedGlyph) -> (i32, i32) {
    let bounds = outline.px_bounds();
    let side = |least: f32, most: f32| dots(most).saturating_sub(dots(least));
    (side(bounds.min.x, bounds.max.x), side(bounds.min.y, bounds.max.y))
}

/// Bounds are whole numbers already; one beyond what fits is cut to it.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates, which is what is wanted here")]
fn dots(number: f32) -> i32 {
    number as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Debian's `fonts-ipafont-gothic`, which the test command installs.
    const IPA: &str = "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf";

    fn font() -> Font {
        Font::read(Path::new(IPA)).unwrap_or_else(|why| panic!("{IPA} {why}: install fonts-ipafont-gothic"))
    }

    fn shown(picture: &Picture) -> String {
        let row = |y| (0..picture.width().into()).map(move |x| if picture.is_dark(x, y) { '#' } else { '.' });
        (0..picture.height().into()).map(|y| row(y).chain(['\n']).collect::<String>()).collect()
    }

    #[test]
    fn letters_stand_in_their_cells() {
        let drawn = font().draw("山 i", 48, Style::PLAIN);
        let [row] = &drawn.rows[..] else { panic!("{} rows", drawn.rows.len()) };
        assert_eq!((row.width(), row.height(), drawn.replaced), (48, 30, 0));
        let ink = |left: usize, right: usize| {
            (0..24)
                .flat_map(|y| (left..right).map(move |x| (x, y)))
                .filter(|(x, y)| row.is_dark(*x, *y))
                .count()
        };
        assert!(ink(0, 24) > 60, "{}", shown(row));
        assert_eq!(ink(24, 36), 0, "{}", shown(row));
        assert!((8..80).contains(&ink(36, 48)), "{}", shown(row));
        assert!((24..30).all(|y| (0..48).all(|x| !row.is_dark(x, y))), "ink in the gap: {}", shown(row));
    }

    #[test]
    fn styles_are_drawn() {
        let font = font();
        let ink = |style| {
            let drawn = font.draw("山", 48, style);
            let row = drawn.rows.first().unwrap().clone();
            let (width, height) = (usize::from(row.width()), usize::from(row.height()));
            let dark = (0..height).map(|y| (0..width).filter(|x| row.is_dark(*x, y)).count()).sum::<usize>();
            (width, height, dark)
        };
        let (_, _, plain) = ink(Style::PLAIN);
        assert_eq!(ink(Style { width: 2, height: 3, ..Style::PLAIN }), (48, 78, plain * 6));
        assert_eq!(ink(Style { inverse: true, ..Style::PLAIN }), (24, 30, 24 * 24 - plain));
        assert!(ink(Style::BOLD).2 > plain + 10);
        assert!(ink(Style { underline: true, ..Style::PLAIN }).2 >= plain + 24);
    }

    #[test]
    fn a_long_text_is_continued_and_what_the_font_lacks_is_counted() {
        let font = font();
        for (text, limit, widths, replaced) in [
            ("漢字漢字", 6, vec![72, 24], 0),
            ("漢a字", 4, vec![36, 24], 0),
            ("漢👍\u{1b}\u{200b}", 48, vec![48], 3),
            ("漢\u{3000}\u{202f}字", 48, vec![84], 0),
            ("か\u{3099}", 48, vec![24], 0),
        ] {
            let drawn = font.draw(text, limit, Style::PLAIN);
            let found: Vec<u16> = drawn.rows.iter().map(Picture::width).collect();
            assert_eq!((found, drawn.replaced), (widths, replaced), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_font_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("font.ttf");
        assert!(Font::read(&path).unwrap_err().starts_with("cannot be read"));
        assert_eq!(Font::read(folder.path()).unwrap_err(), "is no regular file");
        std::fs::write(&path, b"OTTO\0\x01").unwrap();
        assert!(Font::read(&path).unwrap_err().contains("fonts-ipafont-gothic"));
        // A font cut short or changed anywhere is refused, or draws something; it never stops anybody.
        let whole = std::fs::read(IPA).unwrap();
        for part in [12, 300, 4000, 100_000, whole.len() / 2] {
            std::fs::write(&path, &whole[..part]).unwrap();
            if let Ok(font) = Font::read(&path) {
                font.draw("漢字 Aé", 48, Style::PLAIN);
            }
        }
    }
}
