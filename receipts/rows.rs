//! Rows: text from outside made safe, and broken so that it fits the paper.
//!
//! Text of a provider, a catalogue or a configuration is hostile until it has been through [`visible`]: afterwards it
//! holds no control character (so no `ESC p` can open a drawer), nothing that reorders or hides other characters, and
//! no blank but the plain one, because printers' tables have no other that can be trusted. All else stays as it came.
//!
//! There are two ways to break. [`hard`] is for lines that somebody laid out already: it changes nothing in a line
//! that fits, keeps leading and trailing blanks, and loses no character of one that does not fit. [`at_words`] is for
//! running text, where a row ends at a blank and only a word longer than a row is cut.
//!
//! Width is counted in cells of the paper, a character at a time: 2 for East Asian wide characters and most emoji,
//! 0 for combining marks that have no composed form (they stay in the row of their base), else 1. Characters that the
//! printer does not have are left for the printer's own tables to replace and to count, with one exception: € becomes
//! EUR where it cannot be printed, since `?` in front of an amount would be read as anything.

use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Letters, Paper, Part, Row, Style};
use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;

/// Nobody sells a receipt printer with fewer columns than this; a smaller number in a configuration is treated as
/// this one, so that every character (of up to two cells, eight times as wide) fits into a row.
pub const NARROWEST: u16 = 16;

/// How many cells of the paper a character takes.
pub fn cells(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// How many cells of the paper a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// One line of text as it may go to paper: composed (NFC), every blank, tab and line end a plain blank, without
/// control and invisible characters, and € as EUR where `prints` says that the printer lacks it.
pub fn visible(text: &str, prints: &Letters) -> String {
    // Composing never makes more than three times the bytes (UAX 15), and a text that grows would leave copies of
    // a card's code behind in memory.
    let mut kept = String::with_capacity(text.len().saturating_mul(3));
    let shown = text.chars().filter_map(|character| match character {
        // Wide, and in the tables of the printers that need it.
        '\u{3000}' => Some(character),
        _ if character.is_whitespace() => Some(' '),
        _ if character.is_control() || invisible(character) => None,
        _ => Some(character),
    });
    for character in shown.nfc() {
        if character == '€' && !prints.has('€') {
            kept.push_str("EUR");
        } else {
            kept.push(character);
        }
    }
    kept
}

/// `Default_Ignorable_Code_Point` of Unicode's `DerivedCoreProperties` (soft hyphen, joiners, bidi overrides and
/// isolates, variation selectors, fillers, tags), the interlinear annotations, and the noncharacters.
pub(crate) fn invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(character) & 0xfffe == 0xfffe
}

/// The lines of a text that came as one piece: broken at LF, CR LF, VT, FF, NEL and Unicode's two separators. A break
/// at the very end opens no line.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ended = text.strip_suffix(is_break).unwrap_or(text);
    ended.split(is_break).map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// How many line breaks a text holds, one at its very end not counted.
pub fn breaks(text: &str) -> usize {
    lines(text).count().saturating_sub(1)
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Breaks a line wherever a row of `columns` cells is full. One row, perhaps empty, for a line that fits. Put
/// together again the rows are the line.
pub fn hard(line: &str, columns: usize) -> Vec<&str> {
    let mut rows = Vec::new();
    let (mut start, mut used) = (0_usize, 0_usize);
    for (at, character) in line.char_indices() {
        let more = cells(character);
        if used > 0 && used.saturating_add(more) > columns {
            rows.push(line.get(start..at).unwrap_or_default());
            (start, used) = (at, 0);
        }
        used = used.saturating_add(more);
    }
    rows.push(line.get(start..).unwrap_or_default());
    rows
}

/// Breaks running text at blanks, so that no row has more than `columns` cells; a longer word is broken hard. No row
/// for blank text.
pub fn at_words(text: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split_whitespace() {
        if !row.is_empty() && width(&row).saturating_add(1).saturating_add(width(word)) <= columns {
            row.push(' ');
            row.push_str(word);
            continue;
        }
        if !row.is_empty() {
            rows.push(std::mem::take(&mut row));
        }
        let mut pieces = hard(word, columns);
        pieces.pop().unwrap_or_default().clone_into(&mut row);
        rows.extend(pieces.into_iter().map(str::to_owned));
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

/// The parts of a slip while it is being laid out. Every text that goes in is made visible and broken here.
pub(crate) struct Layout {
    columns: u16,
    prints: Letters,
    parts: Vec<Part>,
}

impl Layout {
    pub(crate) fn new(paper: &Paper) -> Self {
        Self { columns: paper.columns.max(NARROWEST), prints: paper.prints.clone(), parts: Vec::new() }
    }

    pub(crate) fn finish(self) -> tilld_domain::slip::Slip {
        tilld_domain::slip::Slip { columns: self.columns, parts: self.parts }
    }

    /// Blank rows, a cut.
    pub(crate) fn part(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// A line that its sender laid out, at the left edge.
    pub(crate) fn verbatim(&mut self, line: &str) {
        let line = Secret::new(visible(line, &self.prints));
        for row in hard(line.reveal(), self.columns.into()) {
            self.row(row.to_owned(), Style::PLAIN, Align::Left);
        }
    }

    /// Running text.
    pub(crate) fn words(&mut self, text: &str, style: Style, align: Align) {
        let columns = usize::from(self.columns / u16::from(style.width.max(1)));
        for row in at_words(&visible(text, &self.prints), columns) {
            self.row(row, style, align);
        }
    }

    /// A text of the shop: each of its lines wrapped and centred; an empty one is a blank row.
    pub(crate) fn centred(&mut self, text: &str) {
        for line in lines(text) {
            if visible(line, &self.prints).trim().is_empty() {
                self.part(Part::Feed(1));
            }
            self.words(line, Style::PLAIN, Align::Centre);
        }
    }

    /// A short text twice as large, or bold if there is no room for that.
    pub(crate) fn large(&mut self, text: &str) {
        let room = usize::from(self.columns / u16::from(Style::LARGE.width));
        let style = if width(text) <= room { Style::LARGE } else { Style::BOLD };
        self.words(text, style, Align::Centre);
    }

    /// White on black in the middle, with a blank at either end.
    pub(crate) fn mark(&mut self, text: &str) {
        let text = format!(" {} ", visible(text, &self.prints).trim());
        let room = usize::from(self.columns / u16::from(Style::LARGE.width));
        let style = if width(&text) <= room { Style::LARGE } else { Style::BOLD };
        for row in hard(&text, self.columns.into()) {
            self.row(row.to_owned(), Style { inverse: true, ..style }, Align::Centre);
        }
    }

    /// A label at the left edge and its value at the right; below each other if one row is too short.
    pub(crate) fn fact(&mut self, label: &str, value: &str) {
        let (label, value) = (visible(label, &self.prints), visible(value, &self.prints));
        let taken = width(&label).saturating_add(width(&value));
        let columns = usize::from(self.columns);
        if let Some(gap) = columns.checked_sub(taken).filter(|gap| *gap > 0) {
            self.row(format!("{label}{}{value}", " ".repeat(gap)), Style::PLAIN, Align::Left);
            return;
        }
        self.words(&label, Style::PLAIN, Align::Left);
        for row in hard(&value, columns) {
            self.row(row.to_owned(), Style::PLAIN, Align::Right);
        }
    }

    /// A line across the paper.
    pub(crate) fn rule(&mut self) {
        self.row("-".repeat(self.columns.into()), Style::PLAIN, Align::Left);
    }

    fn row(&mut self, text: String, style: Style, align: Align) {
        self.parts.push(Part::Row(Row { text: Secret::new(text), style, align }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_ink_is_taken_out_and_all_else_is_kept() {
        for (text, shown) in [
            ("Code: 1234", "Code: 1234"),
            ("\u{1b}p\u{0}\u{19}\u{fa}open", "púopen"),
            ("a\tb", "a b"),
            ("a\u{9b}b\u{7f}c\u{0}", "abc"),
            ("  indented  ", "  indented  "),
            ("50,00\u{a0}€", "50,00 €"),
            ("1\u{202f}234", "1 234"),
            ("e\u{301}", "é"),
            ("\u{202e}4321\u{202c}", "4321"),
            ("12\u{200b}34\u{feff}\u{ad}", "1234"),
            ("\u{2066}a\u{2069}\u{e0041}\u{fe0f}", "a"),
            ("\u{fdd0}\u{ffff}\u{1fffe}x", "x"),
            ("漢字\u{3000}カナ", "漢字\u{3000}カナ"),
            ("", ""),
        ] {
            assert_eq!(visible(text, &Letters::EVERY), shown, "{text:?}");
        }
    }

    #[test]
    fn a_printer_without_a_euro_sign_gets_the_code() {
        assert_eq!(visible("50€, £5", &Letters::ASCII), "50EUR, £5");
    }

    #[test]
    fn a_text_in_one_piece_is_broken_at_its_line_ends() {
        for (text, expected) in [
            ("a", vec!["a"]),
            ("a\nb", vec!["a", "b"]),
            ("a\r\nb\r\n", vec!["a", "b"]),
            ("a\n\nb", vec!["a", "", "b"]),
            ("a\u{2028}b\u{85}c", vec!["a", "b", "c"]),
            ("", vec![""]),
        ] {
            assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_that_were_laid_out_are_broken_only_where_the_row_is_full() {
        for (line, columns, rows) in [
            ("", 4, vec![""]),
            ("abcd", 4, vec!["abcd"]),
            ("abcde", 4, vec!["abcd", "e"]),
            ("  ab cd", 4, vec!["  ab", " cd"]),
            ("漢字漢", 4, vec!["漢字", "漢"]),
            ("a漢字", 4, vec!["a漢", "字"]),
            ("abcd\u{327}e", 4, vec!["abcd\u{327}", "e"]),
        ] {
            assert_eq!(hard(line, columns), rows, "{line:?}");
        }
    }

    #[test]
    fn running_text_is_broken_at_blanks_and_long_words_are_cut() {
        for (text, columns, rows) in [
            ("", 8, vec![]),
            ("   ", 8, vec![]),
            ("one two", 8, vec!["one two"]),
            ("one  two three", 8, vec!["one two", "three"]),
            ("abcdefghijk l", 8, vec!["abcdefgh", "ijk l"]),
            ("ab cdefghijkl", 8, vec!["ab", "cdefghij", "kl"]),
        ] {
            assert_eq!(at_words(text, columns), rows, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn breaking_a_laid_out_line_loses_nothing_and_stays_on_the_paper(line in "\\PC{0,200}|.{0,200}", columns in 2_usize..80) {
            let shown = visible(&line, &Letters::EVERY);
            let rows = hard(&shown, columns);
            prop_assert_eq!(rows.concat(), shown.as_str());
            for row in rows {
                prop_assert!(width(row) <= columns, "{:?}", row);
            }
        }

        #[test]
        fn breaking_running_text_loses_blanks_alone(text in "[a-z漢é \u{300}]{0,200}|.{0,200}", columns in 2_usize..80) {
            let shown = visible(&text, &Letters::EVERY);
            let rows = at_words(&shown, columns);
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&shown));
            for row in rows {
                prop_assert!(width(&row) <= columns, "{:?}", row);
            }
        }

        #[test]
        fn what_is_visible_stays_as_it_is(text in ".{0,200}") {
            let shown = visible(&text, &Letters::EVERY);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(visible(&shown, &Letters::EVERY), shown.clone());
        }
    }
}
