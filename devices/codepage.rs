//! Characters to bytes and back: the single-byte code pages that receipt printers hold, and what is printed for a
//! character that a page lacks.
//!
//! The tables are our own because those of the `escpos` crate are wrong (fact sheet ESCPOS 1.1: in PC850, PC858 and
//! WPC1250 an ASCII `-` becomes a soft hyphen, ® becomes ¿) and because it sends what a page lacks as raw UTF-8. A test
//! compares ours, byte for byte, with a file made by another program.
//!
//! One job uses one page. Changing pages in the middle of a slip would cover more characters on paper, but the pages
//! that clones really hold differ from what they claim, and a page that all of them have serves the shop better. So the
//! page is the one that replaces fewest characters of the job; CP858 (Western Europe with €) wins where several do.
//!
//! What a page lacks becomes, in this order: `EUR` for €; its letters without their marks; a small table of the usual
//! typographic characters; `?`. Every replaced character is counted. Blanks of odd widths become a plain blank, which
//! is not counted because nobody can tell them apart on paper.
//!
//! Deliberately absent: double-byte pages. Width is counted after encoding, and here one byte is one cell.

use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A single-byte code page. Its lower half is ASCII, as long as `ESC R 0` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodePage {
    /// The first PC's own: what every ESC/POS printer starts with.
    Cp437,
    /// Western Europe, without €.
    Cp850,
    /// Central Europe.
    Cp852,
    /// Western Europe, with € at 0xD5.
    Cp858,
    /// Cyrillic.
    Cp866,
    /// Windows, Central Europe.
    Cp1250,
    /// Windows, Western Europe.
    Cp1252,
    /// Latin-9.
    Iso8859x15,
}

/// Stands for a byte that a page does not define.
const UNDEFINED: char = '\u{fffd}';

struct Table {
    upper: Vec<char>,
    /// The upper half by character, sorted.
    bytes: Vec<(char, u8)>,
}

impl Table {
    fn new(upper: &str) -> Self {
        let upper: Vec<char> = upper.chars().collect();
        let mut bytes: Vec<(char, u8)> = upper
            .iter()
            .zip(0x80..=0xff)
            .filter(|(letter, _)| **letter != UNDEFINED)
            .map(|(letter, byte)| (*letter, byte))
            .collect();
        bytes.sort_unstable();
        Self { upper, bytes }
    }
}

static TABLES: LazyLock<[Table; 8]> =
    LazyLock::new(|| [CP437, CP850, CP852, CP858, CP866, CP1250, CP1252, ISO8859_15].map(Table::new));

impl CodePage {
    /// Every page that there is a table for.
    pub const ALL: [Self; 8] = [
        Self::Cp437,
        Self::Cp850,
        Self::Cp852,
        Self::Cp858,
        Self::Cp866,
        Self::Cp1250,
        Self::Cp1252,
        Self::Iso8859x15,
    ];

    fn table(self) -> &'static Table {
        let [cp437, cp850, cp852, cp858, cp866, cp1250, cp1252, iso8859_15] = &*TABLES;
        match self {
            Self::Cp437 => cp437,
            Self::Cp850 => cp850,
            Self::Cp852 => cp852,
            Self::Cp858 => cp858,
            Self::Cp866 => cp866,
            Self::Cp1250 => cp1250,
            Self::Cp1252 => cp1252,
            Self::Iso8859x15 => iso8859_15,
        }
    }

    /// The byte of a character. `None` for control characters and for what the page lacks.
    pub fn byte(self, letter: char) -> Option<u8> {
        if letter.is_ascii() {
            return u8::try_from(letter).ok().filter(|byte| (0x20..0x7f).contains(byte));
        }
        let bytes = &self.table().bytes;
        bytes
            .binary_search_by_key(&letter, |entry| entry.0)
            .ok()
            .and_then(|at| bytes.get(at))
            .map(|entry| entry.1)
    }

    /// The character of a byte. `None` for control characters and for what the page does not define.
    pub fn character(self, byte: u8) -> Option<char> {
        match byte {
            0x20..=0x7e => Some(char::from(byte)),
            0x80.. => {
                let at = usize::from(byte.saturating_sub(0x80));
                self.table().upper.get(at).copied().filter(|letter| *letter != UNDEFINED)
            }
            _ => None,
        }
    }
}

/// The page among `pages` that replaces fewest characters of these texts: CP858 where it is one of several, else the
/// first of them.
pub fn page_for<'t>(pages: &[(CodePage, u8)], texts: &(impl Iterator<Item = &'t str> + Clone)) -> CodePage {
    let mut candidates = pages.iter().map(|(page, _)| *page);
    let preferred = candidates.clone().find(|page| *page == CodePage::Cp858).or_else(|| candidates.next());
    let Some(mut best) = preferred else { return CodePage::Cp437 };
    let mut fewest = lacking(best, texts.clone());
    for page in candidates {
        // Most slips need no second look.
        if fewest == 0 {
            break;
        }
        let count = lacking(page, texts.clone());
        if count < fewest {
            (best, fewest) = (page, count);
        }
    }
    best
}

/// How many characters of the texts a page would replace.
fn lacking<'t>(page: CodePage, texts: impl Iterator<Item = &'t str>) -> usize {
    texts
        .filter(|text| !text.is_ascii())
        .flat_map(composed)
        .filter(|letter| !letter.is_ascii() && !is_blank(*letter) && page.byte(*letter).is_none())
        .count()
}

/// Appends a text in this page. Answers how many characters were replaced or, as control characters, left out. No byte
/// below 0x20 and no 0x7F is ever appended, so no text can carry a command.
pub fn encode(page: CodePage, text: &str, out: &mut Vec<u8>) -> u32 {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return 0;
    }
    let mut replaced = 0_u32;
    for letter in composed(text) {
        if let Some(byte) = page.byte(letter) {
            out.push(byte);
        } else if is_blank(letter) {
            out.push(b' ');
        } else {
            replaced = replaced.saturating_add(1);
            substitute(page, letter, out);
        }
    }
    replaced
}

/// NFC, so that a letter followed by its mark is the one character that pages have. Most text is in that form already.
fn composed(text: &str) -> impl Iterator<Item = char> {
    let is_composed = is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let (as_it_is, anew) = if is_composed { (text, "") } else { ("", text) };
    as_it_is.chars().chain(anew.nfc())
}

/// Blanks of every width (U+202F groups digits in French amounts, U+00A0 elsewhere).
fn is_blank(letter: char) -> bool {
    !letter.is_ascii() && letter.is_whitespace() && !letter.is_control()
}

/// Appends what is printed instead of a character that the page lacks.
fn substitute(page: CodePage, letter: char, out: &mut Vec<u8>) {
    if letter.is_control() || is_invisible(letter) || is_combining_mark(letter) {
        return;
    }
    if letter == '€' {
        out.extend_from_slice(b"EUR");
        return;
    }
    let before = out.len();
    let mut whole = true;
    decompose_compatible(letter, |piece| {
        if is_combining_mark(piece) {
            return;
        }
        match page.byte(piece) {
            Some(byte) => out.push(byte),
            None => match usual(piece) {
                Some(text) => out.extend_from_slice(text.as_bytes()),
                None => whole = false,
            },
        }
    });
    if !whole || out.len() == before {
        out.truncate(before);
        out.push(b'?');
    }
}

/// Characters that join, direct or vary others and have no shape of their own.
fn is_invisible(letter: char) -> bool {
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

const CP437: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅ",
    "ÉæÆôöòûùÿÖÜ¢£¥₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«»",
    "░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧",
    "╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩",
    "≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP850: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅ",
    "ÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»",
    "░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤",
    "ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´",
    "\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
);
const CP852: &str = concat!(
    "ÇüéâäůćçłëŐőîŹÄĆ",
    "ÉĹĺôöĽľŚśÖÜŤťŁ×č",
    "áíóúĄąŽžĘę¬źČş«»",
    "░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐",
    "└┴┬├─┼Ăă╚╔╩╦╠═╬¤",
    "đĐĎËďŇÍÎě┘┌█▄ŢŮ▀",
    "ÓßÔŃńňŠšŔÚŕŰýÝţ´",
    "\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
);
const CP858: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅ",
    "ÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»",
    "░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤",
    "ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´",
    "\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
);
const CP866: &str = concat!(
    "АБВГДЕЖЗИЙКЛМНОП",
    "РСТУФХЦЧШЩЪЫЬЭЮЯ",
    "абвгдежзийклмноп",
    "░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧",
    "╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "рстуфхцчшщъыьэюя",
    "ЁёЄєЇїЎў°∙·√№¤■\u{a0}",
);
const CP1250: &str = concat!(
    "€\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰Š‹ŚŤŽŹ",
    "\u{fffd}‘’“”•–—\u{fffd}™š›śťžź",
    "\u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż",
    "°±˛ł´µ¶·¸ąş»Ľ˝ľż",
    "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎ",
    "ĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß",
    "ŕáâăäĺćçčéęëěíîď",
    "đńňóôőö÷řůúűüýţ˙",
);
const CP1252: &str = concat!(
    "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}",
    "\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ",
    "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯",
    "°±²³´µ¶·¸¹º»¼½¾¿",
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ",
    "ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
    "àáâãäåæçèéêëìíîï",
    "ðñòóôõö÷øùúûüýþÿ",
);
const ISO8859_15: &str = concat!(
    "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
    "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
    "\u{a0}¡¢£€¥Š§š©ª«¬\u{ad}®¯",
    "°±²³Žµ¶·ž¹º»ŒœŸ¿",
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ",
    "ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
    "àáâãäåæçèéêëìíîï",
    "ðñòóôõö÷øùúûüýþÿ",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by: `python3 -c 'for p in "cp437 cp850 cp852 cp858 cp866 cp1250 cp1252 iso8859-15".split(): print(p,
    /// *("%04x" % ord(bytes([b]).decode(p, "replace")) for b in range(128, 256)))' > devices/tests/codepages.txt`
    const PYTHON: &str = include_str!("tests/codepages.txt");

    #[test]
    fn every_table_is_the_one_of_pythons_codecs() {
        let mut compared = 0;
        for (line, page) in PYTHON.lines().zip(CodePage::ALL) {
            let mut words = line.split(' ');
            let name = words.next().unwrap().replace(['-', ' '], "x");
            assert_eq!(name.to_lowercase(), format!("{page:?}").to_lowercase());
            for (word, byte) in words.zip(0x80..=0xff_u8) {
                let theirs = char::from_u32(u32::from_str_radix(word, 16).unwrap()).unwrap();
                let defined = theirs != UNDEFINED && !theirs.is_control();
                assert_eq!(page.character(byte), defined.then_some(theirs), "{page:?} {byte:#x}");
                if defined {
                    assert_eq!(page.byte(theirs), Some(byte), "{page:?} {theirs:?}");
                }
                compared += 1;
            }
        }
        assert_eq!(compared, 8 * 128);
    }

    #[test]
    fn ascii_is_itself_in_every_page_and_controls_are_in_none() {
        for page in CodePage::ALL {
            for byte in 0..0x80_u8 {
                let printable = (0x20..0x7f).contains(&byte);
                assert_eq!(page.byte(char::from(byte)), printable.then_some(byte));
                assert_eq!(page.character(byte), printable.then_some(char::from(byte)));
            }
        }
    }

    #[test]
    fn the_page_is_the_one_that_replaces_fewest_characters() {
        let all = CodePage::ALL.map(|page| (page, 0));
        let without_euro = [(CodePage::Cp437, 0), (CodePage::Cp850, 2)];
        for (pages, text, page) in [
            (&all[..], "Gutschein 50.00", CodePage::Cp858),
            (&all[..], "Für 50 €", CodePage::Cp858),
            (&all[..], "Zażółć gęślą jaźń", CodePage::Cp852),
            (&all[..], "Zażółć 50 €", CodePage::Cp1250),
            (&all[..], "Подарок", CodePage::Cp866),
            (&all[..], "α β Σ", CodePage::Cp437),
            (&all[..], "“Œuvre” – 5 €", CodePage::Cp1252),
            (&without_euro[..], "Für 50 €", CodePage::Cp437),
            (&without_euro[..], "São Paulo", CodePage::Cp850),
        ] {
            assert_eq!(page_for(pages, &std::iter::once(text)), page, "{text}");
        }
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
            (CodePage::Cp858, "ﬁnal ½ ⅓", "final ½ 1/3", 2),
            (CodePage::Cp858, "card 🎁 礼", "card ? ?", 2),
            (CodePage::Cp858, "👍\u{fe0f}", "?", 2),
            (CodePage::Cp858, "a\u{1b}p\u{0}b\u{7f}\u{85}", "apb", 4),
        ] {
            let mut bytes = Vec::new();
            let count = encode(page, text, &mut bytes);
            let back: String = bytes.iter().map(|byte| page.character(*byte).unwrap()).collect();
            assert_eq!((back.as_str(), count), (printed, replaced), "{text}");
        }
    }
}
