//! What stands on the keys of a keyboard that a scanner was set to: a scanner that types sends numbers of keys, and both
//! sides must mean the same keyboard. The layout is configured, never guessed: a wrong one turns digits into letters (fact
//! sheet ESCPOS 2, 11).
//!
//! The numbers are those of linux/input-event-codes.h, which follow the places on a keyboard. The tables are those of the X
//! keyboard database (xkeyboard-config 2.35: `us`, `de`, `fr`, basic), which agree with what is printed on keys sold for
//! Windows; of the third level only what stands there too.

/// A keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Four rows of keys, from the top; each alone, with Shift, with `AltGr`. A blank: nothing.
    rows: &'static [[&'static str; 3]; 4],
    /// Keys that type nothing until the next one comes, and whether with Shift.
    dead: &'static [(u16, bool)],
    /// What stands on the keypad beside 0.
    decimal: char,
}

/// With which keys held a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// None.
    Plain,
    /// Shift.
    Shift,
    /// `AltGr`.
    Third,
}

/// The keys of the four rows, from the left. The one beside the left Shift is missing on keyboards for the USA.
const KEYS: [&[u16]; 4] = [
    &[41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    &[16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
    &[30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43],
    &[86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53],
];

impl Layout {
    /// For the USA: what scanners are delivered with.
    pub const US: Self = Self {
        name: "us",
        rows: &[
            ["`1234567890-=", "~!@#$%^&*()_+", ""],
            ["qwertyuiop[]", "QWERTYUIOP{}", ""],
            ["asdfghjkl;'\\", "ASDFGHJKL:\"|", ""],
            ["<zxcvbnm,./", ">ZXCVBNM<>?", ""],
        ],
        dead: &[],
        decimal: '.',
    };

    /// For Germany.
    pub const DE: Self = Self {
        name: "de",
        rows: &[
            ["^1234567890ß´", "°!\"§$%&/()=?`", "  ²³   {[]}\\ "],
            ["qwertzuiopü+", "QWERTZUIOPÜ*", "@ €        ~"],
            ["asdfghjklöä#", "ASDFGHJKLÖÄ'", ""],
            ["<yxcvbnm,.-", ">YXCVBNM;:_", "|      µ   "],
        ],
        dead: &[(41, false), (13, false), (13, true)],
        decimal: ',',
    };

    /// For France.
    pub const FR: Self = Self {
        name: "fr",
        rows: &[
            ["²&é\"'(-è_çà)=", " 1234567890°+", "  ~#{[|`\\^@]}"],
            ["azertyuiop^$", "AZERTYUIOP¨£", "  €        ¤"],
            ["qsdfghjklmù*", "QSDFGHJKLM%µ", ""],
            ["<wxcvbn,;:!", ">WXCVBN?./§", ""],
        ],
        dead: &[(26, false), (26, true)],
        decimal: '.',
    };

    /// Every keyboard that is known.
    pub const ALL: [Self; 3] = [Self::US, Self::DE, Self::FR];

    /// The keyboard of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name == name)
    }

    /// What a key types.
    pub fn letter(&self, key: u16, level: Level) -> Option<char> {
        let (row, place) = KEYS.iter().enumerate().find_map(|(row, keys)| {
            keys.iter().position(|number| *number == key).map(|place| (row, place))
        })?;
        let [plain, shift, third] = *self.rows.get(row)?;
        let row = match level {
            Level::Plain => plain,
            Level::Shift => shift,
            Level::Third => third,
        };
        row.chars().nth(place).filter(|letter| *letter != ' ')
    }

    /// Whether a key waits for the next one.
    pub fn is_dead(&self, key: u16, level: Level) -> bool {
        level != Level::Third && self.dead.contains(&(key, level == Level::Shift))
    }

    /// Whether the right Alt key is `AltGr`.
    pub fn has_third(&self) -> bool {
        self.rows.iter().any(|[_, _, third]| !third.is_empty())
    }

    /// What stands on the keypad beside 0.
    pub const fn decimal(&self) -> char {
        self.decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_letter_for_every_key() {
        for layout in Layout::ALL {
            assert_eq!(Layout::named(layout.name), Some(layout));
            for (keys, rows) in KEYS.iter().zip(*layout.rows) {
                for row in rows.into_iter().filter(|row| !row.is_empty()) {
                    assert_eq!(row.chars().count(), keys.len(), "{} {row}", layout.name);
                }
            }
        }
        assert_eq!(Layout::named("US"), None);
    }

    #[test]
    fn every_ascii_letter_can_be_typed_on_every_keyboard_in_one_way() {
        for layout in Layout::ALL {
            for letter in '!'..='~' {
                let ways = KEYS
                    .iter()
                    .copied()
                    .flatten()
                    .flat_map(|key| [Level::Plain, Level::Shift, Level::Third].map(|level| (*key, level)))
                    .filter(|(key, level)| layout.letter(*key, *level) == Some(letter))
                    .count();
                // Beside the left Shift the American one repeats two; the French one has ^ alive and dead.
                let expected = match (layout.name, letter) {
                    ("us", '<' | '>') | ("fr", '^') => 2,
                    _ => 1,
                };
                assert_eq!(ways, expected, "{} {letter}", layout.name);
            }
        }
    }

    #[test]
    fn the_same_key_is_another_letter_on_another_keyboard() {
        for (key, level, expected) in [
            // KEY_1, KEY_0, KEY_Q, KEY_Y, KEY_Z, KEY_M, KEY_MINUS, KEY_SLASH, KEY_2, KEY_8, KEY_E, KEY_102ND
            (2, Level::Plain, [Some('1'), Some('1'), Some('&')]),
            (2, Level::Shift, [Some('!'), Some('!'), Some('1')]),
            (11, Level::Shift, [Some(')'), Some('='), Some('0')]),
            (16, Level::Plain, [Some('q'), Some('q'), Some('a')]),
            (16, Level::Third, [None, Some('@'), None]),
            (21, Level::Plain, [Some('y'), Some('z'), Some('y')]),
            (44, Level::Shift, [Some('Z'), Some('Y'), Some('W')]),
            (50, Level::Plain, [Some('m'), Some('m'), Some(',')]),
            (12, Level::Plain, [Some('-'), Some('ß'), Some(')')]),
            (53, Level::Plain, [Some('/'), Some('-'), Some('!')]),
            (3, Level::Shift, [Some('@'), Some('"'), Some('2')]),
            (9, Level::Third, [None, Some('['), Some('\\')]),
            (18, Level::Third, [None, Some('€'), Some('€')]),
            (86, Level::Plain, [Some('<'), Some('<'), Some('<')]),
            (30, Level::Plain, [Some('a'), Some('a'), Some('q')]),
            (59, Level::Plain, [None, None, None]),
        ] {
            assert_eq!(Layout::ALL.map(|layout| layout.letter(key, level)), expected, "{key} {level:?}");
        }
    }
}
