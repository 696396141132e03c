//! A slip as a picture: SVG 1.1 that stands alone, without script, style sheet, font or any other reference.
//!
//! The unit is a dot of a 203 dpi printer, and the grid is its font A: a cell is 12 dots wide and 24 high, a row 30.
//! Whatever font the viewer has, every character stands in its column: a word of ASCII is stretched to its cells
//! (`textLength`), every other character is placed alone. All text is escaped; its content is the slip's own.

use std::fmt::Write as _;

use tilld_domain::bars;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Picture, Row, Slip, Style, Symbology};

use super::{dark, drawn, qr};
use crate::rows::{cells, width};

/// A cell's width in dots.
const CELL: usize = 12;
/// A cell's height in dots.
const HEIGHT: usize = 24;
/// What a row has below its cells: 30 dots from row to row, a printer's default.
const GAP: usize = 6;
/// Of the letters above the lower edge of their cell.
const BASELINE: usize = 18;
/// White paper around the columns, in dots.
const MARGIN: usize = 30;
/// The darker ground that the paper lies on, in dots.
const GROUND: usize = 12;
/// The widest module of a QR code, of an EAN and of a CODE128, in dots.
const QR_MODULE: usize = 6;
const EAN_MODULE: usize = 3;
const CODE128_MODULE: usize = 2;
/// The light frame that a reader needs around a QR code (ISO/IEC 18004: four), and beside bars (ten), in modules.
const QR_QUIET: usize = 4;
const BAR_QUIET: usize = 10;

/// The slip as an SVG document.
pub fn svg(slip: &Slip) -> String {
    let mut sheet = Sheet { columns: usize::from(slip.columns), y: MARGIN, ink: String::new() };
    for part in &slip.parts {
        match part {
            Part::Row(row) => sheet.row(row),
            Part::Feed(rows) => sheet.feed(usize::from(*rows).saturating_mul(HEIGHT.saturating_add(GAP))),
            Part::Qr(text) => sheet.qr(text),
            Part::Barcode(symbology, text) => sheet.bars(*symbology, text),
            Part::Picture(picture, align) => sheet.dots(picture, *align),
            Part::Cut => sheet.cut(),
            Part::Drawer(_) => {}
        }
    }
    sheet.finish()
}

struct Sheet {
    columns: usize,
    /// The upper edge of what comes next.
    y: usize,
    ink: String,
}

impl Sheet {
    /// The width of the columns in dots.
    fn width(&self) -> usize {
        self.columns.saturating_mul(CELL)
    }

    fn feed(&mut self, dots: usize) {
        self.y = self.y.saturating_add(dots);
    }

    fn draw(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.ink.write_fmt(element);
        self.ink.push('\n');
    }

    fn finish(self) -> String {
        let paper_width = self.width().saturating_add(MARGIN.saturating_mul(2));
        let paper_height = self.y.saturating_add(MARGIN);
        let all = |dots: usize| dots.saturating_add(GROUND.saturating_mul(2));
        let (width, height) = (all(paper_width), all(paper_height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"-{GROUND} -{GROUND} {width} {height}\" role=\"img\">\n\
             <rect x=\"-{GROUND}\" y=\"-{GROUND}\" width=\"{width}\" height=\"{height}\" fill=\"#d9d9d6\"/>\n\
             <rect width=\"{paper_width}\" height=\"{paper_height}\" fill=\"#fff\" stroke=\"#b0b0ac\"/>\n\
             <g font-family=\"'DejaVu Sans Mono','Liberation Mono','Courier New',monospace\" font-size=\"20\" \
             fill=\"#111\" xml:space=\"preserve\">\n{}</g>\n</svg>\n",
            self.ink
        )
    }

    fn row(&mut self, row: &Row) {
        let text = drawn(row.text.reveal());
        let Style { bold, underline, inverse, width: across, height: down } = row.style;
        let (across, down) = (usize::from(across.max(1)), usize::from(down.max(1)));
        let own = width(&text).saturating_mul(CELL);
        let free = self.width().saturating_sub(own.saturating_mul(across));
        let x = MARGIN.saturating_add(match row.align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        });
        let y = self.y;
        let scale = if (across, down) == (1, 1) { String::new() } else { format!(" scale({across} {down})") };
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        let fill = if inverse { " fill=\"#fff\"" } else { "" };
        if own > 0 {
            self.draw(format_args!("<g transform=\"translate({x} {y}){scale}\"{weight}{fill}>"));
            if inverse {
                self.draw(format_args!("<rect width=\"{own}\" height=\"{HEIGHT}\" fill=\"#111\"/>"));
            }
            for run in runs(&text) {
                let (x, length) = (run.column.saturating_mul(CELL), run.cells.saturating_mul(CELL));
                self.draw(format_args!(
                    "<text x=\"{x}\" y=\"{BASELINE}\" textLength=\"{length}\" \
                     lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    escaped(&run.text)
                ));
            }
            if underline {
                let top = HEIGHT.saturating_sub(2);
                self.draw(format_args!("<rect y=\"{top}\" width=\"{own}\" height=\"2\"/>"));
            }
            self.draw(format_args!("</g>"));
        }
        self.feed(HEIGHT.saturating_mul(down).saturating_add(GAP));
    }

    fn qr(&mut self, text: &Secret) {
        let Some(code) = qr(text) else { return self.note("[QR]") };
        let modules = code.size.saturating_add(QR_QUIET.saturating_mul(2));
        let module = (self.width() / modules.max(1)).min(QR_MODULE);
        if module == 0 {
            return self.note("[QR]");
        }
        let mut path = String::new();
        for row in 0..code.size {
            for column in (0..code.size).filter(|column| dark(&code, row, *column)) {
                let _ = write!(path, "M{column} {row}h1v1h-1z");
            }
        }
        let size = code.size.saturating_mul(module);
        let x = MARGIN.saturating_add(self.width().saturating_sub(size) / 2);
        let quiet = QR_QUIET.saturating_mul(module);
        let y = self.y.saturating_add(quiet);
        self.draw(format_args!(
            "<path transform=\"translate({x} {y}) scale({module})\" shape-rendering=\"crispEdges\" d=\"{path}\"/>"
        ));
        self.feed(size.saturating_add(quiet.saturating_mul(2)));
    }

    fn bars(&mut self, symbology: Symbology, text: &Secret) {
        let modules = bars::modules(symbology, text.reveal()).unwrap_or_default();
        let with_quiet = modules.len().saturating_add(BAR_QUIET.saturating_mul(2));
        let widest = match symbology {
            Symbology::Ean13 => EAN_MODULE,
            Symbology::Code128 => CODE128_MODULE,
        };
        let module = (self.width() / with_quiet).min(widest);
        if modules.is_empty() || module == 0 {
            self.note(&format!("[{symbology:?}]"));
        } else {
            let mut path = String::new();
            let height = usize::from(bars::height(symbology));
            for (place, _) in modules.iter().enumerate().filter(|(_, bar)| **bar) {
                let _ = write!(path, "M{place} 0h1v{height}h-1z");
            }
            let x =
                MARGIN.saturating_add(self.width().saturating_sub(modules.len().saturating_mul(module)) / 2);
            let y = self.y;
            self.draw(format_args!(
                "<path transform=\"translate({x} {y}) scale({module} 1)\" shape-rendering=\"crispEdges\" \
                 d=\"{path}\"/>"
            ));
            self.feed(height.saturating_add(GAP));
        }
        self.note(text.reveal());
    }

    /// A picture dot by dot, each run of black dots in a row as one piece.
    fn dots(&mut self, picture: &Picture, align: Align) {
        let mut path = String::new();
        for y in 0..usize::from(picture.height()) {
            let mut x = 0_usize;
            while x < usize::from(picture.width()) {
                let length = (x..usize::from(picture.width())).take_while(|x| picture.is_dark(*x, y)).count();
                if length > 0 {
                    let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
                }
                x = x.saturating_add(length.max(1));
            }
        }
        let free = self.width().saturating_sub(picture.width().into());
        let x = MARGIN.saturating_add(match align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        });
        let y = self.y;
        self.draw(format_args!(
            "<path transform=\"translate({x} {y})\" shape-rendering=\"crispEdges\" d=\"{path}\"/>"
        ));
        self.feed(picture.height().into());
    }

    fn note(&mut self, text: &str) {
        let text = Secret::new(text.to_owned());
        self.row(&Row { text, style: Style::PLAIN, align: Align::Centre });
    }

    fn cut(&mut self) {
        let y = self.y.saturating_add(HEIGHT);
        let end = self.width().saturating_add(MARGIN.saturating_mul(2));
        self.draw(format_args!(
            "<path d=\"M0 {y}H{end}\" stroke=\"#888\" stroke-width=\"2\" stroke-dasharray=\"10 8\" fill=\"none\"/>"
        ));
        self.feed(HEIGHT.saturating_mul(2));
    }
}

/// Characters that are drawn together.
struct Run {
    column: usize,
    cells: usize,
    text: String,
}

/// A word of ASCII is one run, since fonts agree on the widths of its letters among each other; every other character
/// is a run of its own together with the marks that stand on it; blanks are left out.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0_usize;
    let mut joins = false;
    for character in text.chars() {
        let (wide, plain) = (cells(character), character.is_ascii_graphic());
        match runs.last_mut() {
            Some(run) if (joins && plain) || wide == 0 => {
                run.cells = run.cells.saturating_add(wide);
                run.text.push(character);
            }
            _ if character == ' ' => {}
            _ => runs.push(Run { column, cells: wide.max(1), text: character.into() }),
        }
        joins = plain || (joins && wide == 0);
        column = column.saturating_add(wide);
    }
    runs
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
