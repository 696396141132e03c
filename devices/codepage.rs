//! The single-byte code pages that receipt printers hold: characters to bytes and back.
//!
//! The tables are our own because those of the `escpos` crate are wrong (fact sheet ESCPOS 1.1: in PC850, PC858 and
//! WPC1250 an ASCII `-` becomes a soft hyphen, ® becomes ¿) and because it sends what a page lacks as raw UTF-8. A test
//! compares ours, byte for byte, with a file made by another program.
//!
//! Deliberately absent: which page a slip is printed in, and what stands for a character that it lacks ([`text`](
//! crate::text)); pages of scripts whose letters join or run from right to left, which a table of bytes cannot set.

use std::sync::LazyLock;

use serde::Deserialize;

mod tables;

/// A single-byte code page. Its lower half is ASCII, as long as `ESC R 0` holds. In the order in which they are taken
/// where several cover a slip alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodePage {
    /// The first PC's own: what every ESC/POS printer starts with.
    Cp437,
    /// Western Europe, without €.
    Cp850,
    /// Western Europe, with € at 0xD5.
    Cp858,
    /// Windows, Western Europe.
    Cp1252,
    /// Central Europe.
    Cp852,
    /// Windows, Central Europe.
    Cp1250,
    /// Latin-9.
    #[serde(rename = "iso8859-15")]
    Iso8859x15,
    /// Cyrillic.
    Cp866,
    /// Windows, Cyrillic.
    Cp1251,
    /// Greek.
    Cp737,
    /// Windows, Greek.
    Cp1253,
    /// Turkish.
    Cp857,
    /// Windows, Turkish.
    Cp1254,
    /// Baltic.
    Cp775,
    /// Windows, Baltic.
    Cp1257,
    /// Portuguese.
    Cp860,
    /// Canadian French.
    Cp863,
    /// Nordic.
    Cp865,
    /// Half-width katakana (JIS X 0201); what printers put around them differs and is left out.
    Katakana,
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

static TABLES: LazyLock<[Table; 19]> = LazyLock::new(|| {
    [
        tables::CP437,
        tables::CP850,
        tables::CP858,
        tables::CP1252,
        tables::CP852,
        tables::CP1250,
        tables::ISO8859_15,
        tables::CP866,
        tables::CP1251,
        tables::CP737,
        tables::CP1253,
        tables::CP857,
        tables::CP1254,
        tables::CP775,
        tables::CP1257,
        tables::CP860,
        tables::CP863,
        tables::CP865,
        tables::KATAKANA,
    ]
    .map(Table::new)
});

impl CodePage {
    /// Every page that there is a table for.
    pub const ALL: [Self; 19] = [
        Self::Cp437,
        Self::Cp850,
        Self::Cp858,
        Self::Cp1252,
        Self::Cp852,
        Self::Cp1250,
        Self::Iso8859x15,
        Self::Cp866,
        Self::Cp1251,
        Self::Cp737,
        Self::Cp1253,
        Self::Cp857,
        Self::Cp1254,
        Self::Cp775,
        Self::Cp1257,
        Self::Cp860,
        Self::Cp863,
        Self::Cp865,
        Self::Katakana,
    ];

    fn table(self) -> &'static Table {
        let [
            cp437,
            cp850,
            cp858,
            cp1252,
            cp852,
            cp1250,
            iso8859_15,
            cp866,
            cp1251,
            cp737,
            cp1253,
            cp857,
            cp1254,
            cp775,
            cp1257,
            cp860,
            cp863,
            cp865,
            katakana,
        ] = &*TABLES;
        match self {
            Self::Cp437 => cp437,
            Self::Cp850 => cp850,
            Self::Cp858 => cp858,
            Self::Cp1252 => cp1252,
            Self::Cp852 => cp852,
            Self::Cp1250 => cp1250,
            Self::Iso8859x15 => iso8859_15,
            Self::Cp866 => cp866,
            Self::Cp1251 => cp1251,
            Self::Cp737 => cp737,
            Self::Cp1253 => cp1253,
            Self::Cp857 => cp857,
            Self::Cp1254 => cp1254,
            Self::Cp775 => cp775,
            Self::Cp1257 => cp1257,
            Self::Cp860 => cp860,
            Self::Cp863 => cp863,
            Self::Cp865 => cp865,
            Self::Katakana => katakana,
        }
    }

    /// All characters of the page.
    pub fn letters(self) -> impl Iterator<Item = char> {
        (0x20..=0xff).filter_map(move |byte| self.character(byte))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by: `python3 -c 'for p in "cp437 cp850 cp858 cp1252 cp852 cp1250 iso8859-15 cp866 cp1251 cp737 cp1253 cp857
    /// cp1254 cp775 cp1257 cp860 cp863 cp865 shift_jis".split(): print(p, *("%04x" % ord(bytes([b]).decode(p,
    /// "replace")) for b in range(128, 256)))' > devices/tests/codepages.txt`
    const PYTHON: &str = include_str!("tests/codepages.txt");

    #[test]
    fn every_table_is_the_one_of_pythons_codecs() {
        let mut compared = 0;
        for (line, page) in PYTHON.lines().zip(CodePage::ALL) {
            let mut words = line.split(' ');
            let name = words.next().unwrap().replace('-', "x").replace("shift_jis", "katakana");
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
        assert_eq!(compared, 19 * 128);
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
}
