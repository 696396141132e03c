//! The double-byte codes that printers of East Asia hold: characters to two bytes and back.
//!
//! Shift-JIS is that of Japanese models: `FS C 1` chooses it, `FS &` and `FS .` switch it on and off (Epson, ESC/POS
//! command reference, "Kanji commands"). Only JIS X 0208 itself is used, the rows that every such printer has; the
//! makers' additions (circled digits, ㈱, IBM's kanji) differ and are written in other ways. The tables are those of
//! `encoding_rs`, and a test compares them with Python's `shift_jis` and `cp932`.
//!
//! Where the two name one shape differently (WAVE DASH and FULLWIDTH TILDE, and five more), both names are taken.

use std::sync::LazyLock;

use encoding_rs::SHIFT_JIS;
use serde::Deserialize;

/// A code of two bytes a character, each two cells wide. Bytes below 0x80 stay what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubleByte {
    /// Japanese.
    ShiftJis,
}

struct Table {
    /// Sorted by character.
    codes: Vec<(char, [u8; 2])>,
}

/// The other names of seven shapes, as Unicode's own table of Shift-JIS has them.
const ALSO: [(char, [u8; 2]); 7] = [
    ('—', [0x81, 0x5c]),
    ('\u{301c}', [0x81, 0x60]),
    ('‖', [0x81, 0x61]),
    ('\u{2212}', [0x81, 0x7c]),
    ('¢', [0x81, 0x91]),
    ('£', [0x81, 0x92]),
    ('¬', [0x81, 0xca]),
];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let leads = (0x81..=0x84).chain(0x88..=0x9f).chain(0xe0..=0xea);
    let both = leads.flat_map(|lead| (0x40..=0xfc).map(move |trail| [lead, trail]));
    let mut codes: Vec<(char, [u8; 2])> =
        both.filter_map(|code| Some((decoded(code)?, code))).chain(ALSO).collect();
    codes.sort_unstable();
    Table { codes }
});

fn decoded(code: [u8; 2]) -> Option<char> {
    let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&code)?;
    let mut letters = text.chars();
    // Two single bytes are two characters.
    letters.next().filter(|_| letters.next().is_none())
}

impl DoubleByte {
    /// The bytes of a character, if it is in the code.
    pub fn code(self, letter: char) -> Option<[u8; 2]> {
        if letter.is_ascii() {
            return None;
        }
        let codes = match self {
            Self::ShiftJis => &TABLE.codes,
        };
        let at = codes.binary_search_by_key(&letter, |entry| entry.0).ok()?;
        codes.get(at).map(|entry| entry.1)
    }

    /// Whether a byte begins a character of two.
    pub fn leads(self, byte: u8) -> bool {
        match self {
            Self::ShiftJis => matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
        }
    }

    /// The character of two bytes.
    pub fn character(self, code: [u8; 2]) -> Option<char> {
        match self {
            Self::ShiftJis => decoded(code),
        }
    }

    /// All its characters.
    pub fn letters(self) -> impl Iterator<Item = char> {
        match self {
            Self::ShiftJis => TABLE.codes.iter().map(|entry| entry.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by: `python3 -c 'for p in ("shift_jis", "cp932"):
    ///     for l in (*range(0x81, 0xa0), *range(0xe0, 0xeb)): print(p, "%02x" % l, *("%04x" % ord(bytes([l,
    ///         t]).decode(p, "replace")[0]) for t in range(0x40, 0xfd)))' > devices/tests/shift_jis.txt`
    const PYTHON: &str = include_str!("tests/shift_jis.txt");

    #[test]
    fn every_character_of_jis_x_0208_is_the_one_of_pythons_codecs() {
        let mut compared = 0;
        for line in PYTHON.lines() {
            let mut words = line.split(' ');
            let (codec, lead) =
                (words.next().unwrap(), u8::from_str_radix(words.next().unwrap(), 16).unwrap());
            for (word, trail) in words.zip(0x40..=0xfc) {
                let theirs = char::from_u32(u32::from_str_radix(word, 16).unwrap()).unwrap();
                // Undefined, or the makers' own row 13.
                if theirs == '\u{fffd}' || (codec, lead) == ("cp932", 0x87) {
                    continue;
                }
                let code = [lead, trail];
                assert_eq!(DoubleByte::ShiftJis.code(theirs), Some(code), "{codec} {code:x?} {theirs:?}");
                if codec == "cp932" {
                    assert_eq!(DoubleByte::ShiftJis.character(code), Some(theirs), "{code:x?}");
                }
                compared += 1;
            }
        }
        assert_eq!(compared, 2 * 6879);
    }

    #[test]
    fn what_is_no_jis_x_0208_has_no_code() {
        for letter in "a~\\é€①㈱髙ｱ한👍\u{1b}".chars() {
            assert_eq!(DoubleByte::ShiftJis.code(letter), None, "{letter}");
        }
        // A code of the list is two bytes that no printer takes for a command.
        for letter in DoubleByte::ShiftJis.letters() {
            let [lead, trail] = DoubleByte::ShiftJis.code(letter).unwrap();
            assert!(DoubleByte::ShiftJis.leads(lead) && trail >= 0x40 && trail != 0x7f, "{letter}");
        }
    }
}
