//! A slip as text: a box as wide as the paper, a line of text a row.
//!
//! A character of the box is a cell of the paper. Large rows have their characters set apart and blank lines below;
//! white on black shows as `▐ … ▌` in place of the blanks at its ends; bold and underline are not shown. QR codes are
//! drawn with half blocks, dark on light as on paper, bar codes with two modules a cell. A code that is wider than the
//! paper in this grid is named instead of drawn, and so is every picture.

use tilld_domain::bars;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Symbology};

use super::{dark, drawn, qr};
use crate::rows::{cells, width};

/// How many lines of a terminal the bars are high.
const BAR_LINES: usize = 2;

/// The slip as it would look on paper, each line ended by a line feed.
pub fn text(slip: &Slip) -> String {
    let columns = usize::from(slip.columns);
    let edge = "─".repeat(columns.saturating_add(2));
    let mut sheet = Sheet { columns, text: format!("┌{edge}┐\n") };
    for part in &slip.parts {
        match part {
            Part::Row(row) => sheet.row(row),
            Part::Feed(rows) => (0..*rows).for_each(|_| sheet.line("", Align::Left)),
            Part::Qr(text) => sheet.qr(text),
            Part::Barcode(symbology, text) => sheet.bars(*symbology, text),
            Part::Picture(picture, align) => {
                sheet.line(&format!("[{} x {}]", picture.width(), picture.height()), *align);
            }
            Part::Cut => {
                let dashes = "- ".repeat(columns.saturating_sub(1) / 2);
                sheet.line(&format!("{dashes}✂"), Align::Left);
            }
            Part::Drawer(_) => {}
        }
    }
    [sheet.text, format!("└{edge}┘\n")].concat()
}

struct Sheet {
    columns: usize,
    text: String,
}

impl Sheet {
    fn line(&mut self, line: &str, align: Align) {
        let free = self.columns.saturating_sub(width(line));
        let left = match align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        };
        let right = free.saturating_sub(left);
        self.text.push_str("│ ");
        self.text.push_str(&" ".repeat(left));
        self.text.push_str(line);
        self.text.push_str(&" ".repeat(right));
        self.text.push_str(" │\n");
    }

    fn row(&mut self, row: &Row) {
        let mut line = String::new();
        let mut apart = 0;
        for character in drawn(row.text.reveal()).chars() {
            // A mark stays with its letter, so the blanks come before the next letter.
            if cells(character) > 0 {
                line.push_str(&" ".repeat(apart));
                apart =
                    cells(character).saturating_mul(usize::from(row.style.width.max(1)).saturating_sub(1));
            }
            line.push(character);
        }
        line.push_str(&" ".repeat(apart));
        if row.style.inverse {
            line = in_blocks(&line);
        }
        self.line(&line, row.align);
        for _ in 1..row.style.height {
            self.line("", Align::Left);
        }
    }

    fn qr(&mut self, text: &Secret) {
        let Some(code) = qr(text) else { return self.line("[QR]", Align::Centre) };
        if code.size > self.columns {
            return self.line(&format!("[QR {0} x {0}]", code.size), Align::Centre);
        }
        self.line("", Align::Left);
        for row in (0..code.size).step_by(2) {
            let line: String = (0..code.size)
                .map(|column| match (dark(&code, row, column), dark(&code, row.saturating_add(1), column)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                })
                .collect();
            self.line(&line, Align::Centre);
        }
        self.line("", Align::Left);
    }

    fn bars(&mut self, symbology: Symbology, text: &Secret) {
        let line: String = bars::modules(symbology, text.reveal())
            .unwrap_or_default()
            .chunks(2)
            .map(|pair| match pair {
                [true, true] => '█',
                [true, ..] => '▌',
                [false, true] => '▐',
                _ => ' ',
            })
            .collect();
        if line.is_empty() || width(&line) > self.columns {
            self.line(&format!("[{symbology:?}]"), Align::Centre);
        } else {
            (0..BAR_LINES).for_each(|_| self.line(&line, Align::Centre));
        }
        self.line(&drawn(text.reveal()), Align::Centre);
    }
}

/// Puts the block's edges in place of the blanks at either end, if there are any.
fn in_blocks(line: &str) -> String {
    match line.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')) {
        Some(inner) => format!("▐{inner}▌"),
        None => line.to_owned(),
    }
}
