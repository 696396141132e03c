//! A slip's text in a printer's own bytes: what is printed for each character, and where a row is full.
//!
//! One job uses one page. Changing pages in the middle of a slip would cover more characters on paper, but the pages
//! that clones really hold differ from what they claim, and a page that all of them have serves the shop better. So the
//! page is the one that replaces fewest characters of the job; CP858 (Western Europe with €) wins where several do.
//!
//! A character is printed as the first of these that there is: its byte in the page; its two bytes, where it is a wide
//! one and the printer has such a code; blanks for a blank of odd width, not counted because nobody can tell them apart
//! on paper; `EUR` for €; its letters without their marks; a small table of the usual typographic characters; its two
//! bytes after all, though it is narrow in Unicode; `?`. From `EUR` on it counts as replaced.
//!
//! Width is counted after that: a byte is one cell, two bytes are two. A row that has more cells than the paper is
//! continued on the next, and nothing of it is lost.
//!
//! No byte below 0x20 and no 0x7F comes from a text, so none can carry a command.

use tilld_domain::slip::Letters;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_width::UnicodeWidthChar;

use crate::codepage::CodePage;
use crate::double_byte::DoubleByte;
use crate::profile::Profile;

const LF: u8 = 0x0a;
const FS: u8 = 0x1c;

/// In which bytes the texts of one job are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// The job's page.
    pub page: CodePage,
    /// Its number for `ESC t`.
    pub number: u8,
    /// The code of wide characters, if the printer has one and the job needs it.
    pub double_byte: Option<DoubleByte>,
}

/// How a character came to paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As itself.
    Itself,
    /// As something that reads alike, or not at all because it has no shape.
    Replaced,
    /// As `?`.
    Lost,
}

/// What takes a character's bytes.
trait Sink {
    fn single(&mut self, byte: u8);
    fn double(&mut self, code: [u8; 2]);
}

/// Takes nothing: for asking beforehand.
impl Sink for () {
    fn single(&mut self, _: u8) {}
    fn double(&mut self, _: [u8; 2]) {}
}

impl Script {
    /// The one that replaces fewest characters of these texts.
    pub fn of<'t>(profile: &Profile, texts: &(impl Iterator<Item = &'t str> + Clone)) -> Self {
        let double_byte = profile.double_byte.filter(|code| {
            let mut letters = texts.clone().filter(|text| !text.is_ascii()).flat_map(composed);
            letters.any(|letter| code.code(letter).is_some())
        });
        let mut scripts =
            profile.pages.iter().map(|(page, number)| Self { page: *page, number: *number, double_byte });
        let preferred =
            scripts.clone().find(|script| script.page == CodePage::Cp858).or_else(|| scripts.next());
        let none = Self { page: CodePage::Cp437, number: 0, double_byte };
        let Some(mut best) = preferred else { return none };
        let mut fewest = best.lacking(texts.clone());
        for script in scripts {
            // Most slips need no second look.
            if fewest == 0 {
                break;
            }
            let count = script.lacking(texts.clone());
            if count < fewest {
                (best, fewest) = (script, count);
            }
        }
        best
    }

    /// How many characters of the texts it would replace.
    fn lacking<'t>(self, texts: impl Iterator<Item = &'t str>) -> usize {
        texts
            .filter(|text| !text.is_ascii())
            .flat_map(composed)
            .filter(|letter| !letter.is_ascii() && !is_blank(*letter) && self.own(*letter).is_none())
            .count()
    }

    /// Whether some character of a text would be printed as `?`.
    pub fn loses(self, text: &str) -> bool {
        !text.is_ascii() && composed(text).any(|letter| self.put(letter, &mut ()) == How::Lost)
    }

    /// Whether this character would be printed as `?`.
    pub fn loses_letter(self, letter: char) -> bool {
        self.put(letter, &mut ()) == How::Lost
    }

    /// Appends a text and its line end, and line ends where it has more than `limit` cells. Answers how many characters
    /// were replaced or, as control characters, left out.
    pub fn write(self, text: &str, limit: usize, out: &mut Vec<u8>) -> u32 {
        if text.len() <= limit && text.bytes().all(is_plain) {
            out.extend_from_slice(text.as_bytes());
            out.push(LF);
            return 0;
        }
        let mut replaced = 0_u32;
        let mut rows = Rows { out, limit, used: 0, is_double: false };
        for letter in composed(text) {
            if self.put(letter, &mut rows) != How::Itself {
                replaced = replaced.saturating_add(1);
            }
        }
        rows.end();
        replaced
    }

    /// The bytes that are a character's own, and take the cells that Unicode gives it.
    fn own(self, letter: char) -> Option<Own> {
        if let Some(byte) = self.page.byte(letter) {
            return Some(Own::Single(byte));
        }
        let code = self.double_byte.filter(|_| letter.width() == Some(2))?;
        code.code(letter).map(Own::Double)
    }

    fn put(self, letter: char, sink: &mut impl Sink) -> How {
        match self.own(letter) {
            Some(Own::Single(byte)) => sink.single(byte),
            Some(Own::Double(code)) => sink.double(code),
            None if is_blank(letter) => (0..letter.width().unwrap_or(1)).for_each(|_| sink.single(b' ')),
            None => return self.put_other(letter, sink),
        }
        How::Itself
    }

    /// What is printed instead of a character that the printer lacks.
    fn put_other(self, letter: char, sink: &mut impl Sink) -> How {
        if letter.is_control() || is_invisible(letter) || is_combining_mark(letter) {
            return How::Replaced;
        }
        if letter == '€' {
            b"EUR".iter().for_each(|byte| sink.single(*byte));
            return How::Replaced;
        }
        // Whether all its pieces can be printed is known only behind the last.
        let mut whole = true;
        let mut pieces = 0_usize;
        decompose_compatible(letter, |piece| {
            if !is_combining_mark(piece) {
                pieces = pieces.saturating_add(1);
                whole = whole && (self.own(piece).is_some() || usual(piece).is_some());
            }
        });
        if whole && pieces > 0 {
            decompose_compatible(letter, |piece| match (self.own(piece), usual(piece)) {
                _ if is_combining_mark(piece) => {}
                (Some(Own::Single(byte)), _) => sink.single(byte),
                (Some(Own::Double(code)), _) => sink.double(code),
                (None, text) => text.unwrap_or_default().bytes().for_each(|byte| sink.single(byte)),
            });
            return How::Replaced;
        }
        if let Some(code) = self.double_byte.and_then(|code| code.code(letter)) {
            sink.double(code);
            return How::Replaced;
        }
        sink.single(b'?');
        How::Lost
    }
}

enum Own {
    Single(u8),
    Double([u8; 2]),
}

/// Rows of text on their way out.
struct Rows<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    used: usize,
    /// Whether the printer was told to take bytes in twos.
    is_double: bool,
}

impl Rows<'_> {
    fn room(&mut self, cells: usize) {
        if self.used > 0 && self.used.saturating_add(cells) > self.limit {
            self.end();
        }
        self.used = self.used.saturating_add(cells);
    }

    fn switch(&mut self, to_double: bool) {
        if self.is_double != to_double {
            self.out.extend_from_slice(&[FS, if to_double { b'&' } else { b'.' }]);
            self.is_double = to_double;
        }
    }

    fn end(&mut self) {
        self.switch(false);
        self.out.push(LF);
        self.used = 0;
    }
}

impl Sink for Rows<'_> {
    fn single(&mut self, byte: u8) {
        self.room(1);
        self.switch(false);
        self.out.push(byte);
    }

    fn double(&mut self, code: [u8; 2]) {
        self.room(2);
        self.switch(true);
        self.out.extend_from_slice(&code);
    }
}

/// All that a printer with these pages and this code prints as itself.
pub fn letters(pages: &[(CodePage, u8)], double_byte: Option<DoubleByte>) -> Letters {
    let wide =
        double_byte.into_iter().flat_map(DoubleByte::letters).filter(|letter| letter.width() == Some(2));
    Letters::of(pages.iter().flat_map(|(page, _)| page.letters()).chain(wide))
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// NFC, so that a letter followed by its mark is the one character that pages have. Most text is in that form already.
pub(crate) fn composed(text: &str) -> impl Iterator<Item = char> {
    let is_composed = is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let (as_it_is, anew) = if is_composed { (text, "") } else { ("", text) };
    as_it_is.chars().chain(anew.nfc())
}

/// Blanks of every width (U+202F groups digits in French amounts, U+00A0 elsewhere).
pub(crate) fn is_blank(letter: char) -> bool {
    !letter.is_ascii() && letter.is_whitespace() && !letter.is_control()
}

/// Characters that join, direct or vary others and have no shape of their own.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// What stands, in ASCII, for a character that has no decomposition.
fn usual(letter: char) -> Option<&'static str> {
    Some(match letter {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => "\"",
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | 'ʼ' => "'",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' | '━' => "-",
        '═' => "=",
        '│' | '┃' => "|",
        '…' => "...",
        '•' | '·' | '∙' | '‣' | '●' | '▪' | '◦' | '★' | '☆' => "*",
        '✓' | '✔' | '☑' => "v",
        '✗' | '✘' | '×' | '☒' => "x",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "<>",
        '≈' => "~",
        '±' => "+-",
        '÷' | '⁄' | '∕' => "/",
        '→' => "->",
        '←' => "<-",
        '©' => "(c)",
        '®' => "(R)",
        'µ' | 'μ' => "u",
        '£' => "GBP",
        '¥' => "JPY",
        '¢' => "c",
        '¡' => "!",
        '¿' => "?",
        '§' => "S",
        'ß' => "ss",
        'ẞ' => "SS",
        'Æ' => "AE",
        'æ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'Ø' => "O",
        'ø' | '°' => "o",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Þ' => "Th",
        'þ' => "th",
        'Ł' => "L",
        'ł' => "l",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(page: CodePage) -> Script {
        Script { page, number: 0, double_byte: None }
    }

    fn of(pages: &[CodePage], double_byte: Option<DoubleByte>, text: &str) -> Script {
        let pages = pages.iter().zip(0..).map(|(page, number)| (*page, number)).collect();
        Script::of(&Profile { pages, double_byte, ..Profile::epson() }, &std::iter::once(text))
    }

    #[test]
    fn the_page_is_the_one_that_replaces_fewest_characters() {
        let without_euro = [CodePage::Cp437, CodePage::Cp850];
        for (pages, text, page) in [
            (&CodePage::ALL[..], "Gutschein 50.00", CodePage::Cp858),
            (&CodePage::ALL, "Für 50 €", CodePage::Cp858),
            (&CodePage::ALL, "Zażółć gęślą jaźń", CodePage::Cp852),
            (&CodePage::ALL, "Zażółć 50 €", CodePage::Cp1250),
            (&CodePage::ALL, "Подарок", CodePage::Cp866),
            (&CodePage::ALL, "Подарок 5 €", CodePage::Cp1251),
            (&CodePage::ALL, "Δωροκάρτα Ώ", CodePage::Cp737),
            (&CodePage::ALL, "Hediye çeki ğış", CodePage::Cp857),
            (&CodePage::ALL, "Dovanų čekis ąčęėįšųūž", CodePage::Cp775),
            (&CodePage::ALL, "α β Σ", CodePage::Cp737),
            (&CodePage::ALL, "“Œuvre” – 5 €", CodePage::Cp1252),
            (&CodePage::ALL, "ｷﾞﾌﾄ", CodePage::Katakana),
            (&without_euro, "Für 50 €", CodePage::Cp437),
            (&without_euro, "São Paulo", CodePage::Cp850),
        ] {
            assert_eq!(of(pages, None, text).page, page, "{text}");
        }
    }

    #[test]
    fn the_double_byte_code_is_chosen_only_where_a_text_needs_it() {
        let pages = [CodePage::Cp437, CodePage::Cp858];
        let code = Some(DoubleByte::ShiftJis);
        assert_eq!(of(&pages, code, "50 €").double_byte, None);
        let both = of(&pages, code, "ギフト 50 €");
        assert_eq!((both.page, both.double_byte), (CodePage::Cp858, code));
    }

    #[test]
    fn what_a_page_lacks_is_replaced_by_the_nearest_and_counted() {
        for (page, text, printed, replaced) in [
            (CodePage::Cp437, "50 €", "50 EUR", 1),
            (CodePage::Cp858, "50 €", "50 €", 0),
            (CodePage::Cp858, "Łódź", "Lódz", 2),
            (CodePage::Cp858, "e\u{301}te\u{301}", "été", 0),
            (CodePage::Cp858, "“so” – ‘so’ — …", "\"so\" - 'so' - ...", 7),
            (CodePage::Cp858, "• ✓ ≥ 5", "* v >= 5", 3),
            (CodePage::Cp866, "Größe", "Grosse", 2),
            (CodePage::Cp858, "1\u{202f}234\u{2009}5", "1 234 5", 0),
            (CodePage::Cp858, "a\u{3000}b", "a  b", 0),
            (CodePage::Cp858, "ﬁnal ½ ⅓", "final ½ 1/3", 2),
            (CodePage::Cp858, "card 🎁 礼", "card ? ?", 2),
            (CodePage::Cp858, "👍\u{fe0f}", "?", 2),
            (CodePage::Cp858, "ＡＢ", "AB", 2),
            (CodePage::Cp858, "a\u{1b}p\u{0}b\u{7f}\u{85}", "apb", 4),
        ] {
            let mut bytes = Vec::new();
            let count = script(page).write(text, 48, &mut bytes);
            assert_eq!(bytes.pop(), Some(LF));
            let back: String = bytes.iter().map(|byte| page.character(*byte).unwrap()).collect();
            assert_eq!((back.as_str(), count), (printed, replaced), "{text}");
            assert_eq!(script(page).loses(text), printed.contains('?'), "{text}");
        }
    }

    #[test]
    fn wide_characters_are_two_bytes_and_two_cells() {
        let japanese = Script { page: CodePage::Cp858, number: 19, double_byte: Some(DoubleByte::ShiftJis) };
        for (text, limit, bytes, replaced) in [
            ("ギフト", 48, &b"\x1c&\x83\x4d\x83\x74\x83\x67\x1c.\n"[..], 0),
            ("5,000 円 é", 48, b"5,000 \x1c&\x89\x7e\x1c. \x82\n", 0),
            ("漢字漢", 5, b"\x1c&\x8a\xbf\x8e\x9a\x1c.\n\x1c&\x8a\xbf\x1c.\n", 0),
            ("a漢字", 4, b"a\x1c&\x8a\xbf\x1c.\n\x1c&\x8e\x9a\x1c.\n", 0),
            ("㈱山", 48, b"(\x1c&\x8a\x94\x1c.)\x1c&\x8e\x52\x1c.\n", 1),
            ("Я", 48, b"\x1c&\x84\x60\x1c.\n", 1),
            ("ﾃｽﾄ", 48, b"\x1c&\x83\x65\x83\x58\x83\x67\x1c.\n", 3),
            ("한", 48, b"?\n", 1),
        ] {
            let mut out = Vec::new();
            assert_eq!(japanese.write(text, limit, &mut out), replaced, "{text}");
            assert_eq!(out, bytes, "{text}");
        }
    }

    #[test]
    fn what_a_printer_has_is_what_comes_out_as_itself() {
        let has = letters(&[(CodePage::Cp437, 0), (CodePage::Cp858, 19)], Some(DoubleByte::ShiftJis));
        for (letter, wanted) in
            [('a', true), ('€', true), ('α', true), ('漢', true), ('Я', false), ('한', false)]
        {
            assert_eq!(has.has(letter), wanted, "{letter}");
        }
        assert!(!has.has('\n'));
    }
}
