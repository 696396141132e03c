//! Key events of a scanner that types, read back into text.
//!
//! | events | become |
//! |---|---|
//! | a key, with Shift, `AltGr` (or Ctrl and Alt), Caps Lock on letters | what stands on it |
//! | Ctrl and a key | the control character of the letter: Ctrl `]` is GS (0x1D), as scanners type it |
//! | Enter, Tab, also on the keypad | CR, TAB |
//! | digits on the keypad | digits, whatever Num Lock says: nobody's cursor is moved here |
//! | Alt and digits on the keypad | the character of code page 437; with a 0 before it of Windows-1252; above 255 of Unicode |
//! | a dead key, then a letter | the letter with its accent; then a blank: the accent |
//! | a key that has no character | the scan is spoilt: a code with one character missing is another code |
//! | `SYN_DROPPED`: the kernel's buffer ran over | the scan is spoilt, and every key counts as released |
//!
//! Repetition while a key is held is no second press. Caps Lock begins as the scanner's own lamp shows it, because scanners
//! that mind the lamp turn their letters round by it.
//!
//! The events here are those of Linux's documented `struct input_event` (linux/input.h,
//! Documentation/input/event-codes.rst). All sequences in the tests were made from it: no scanner was at hand.

use std::fmt;

use unicode_normalization::char::compose;

use super::layout::{Layout, Level};
use crate::codepage::CodePage;

/// `EV_SYN`.
const SYN: u16 = 0;
/// `SYN_DROPPED`.
const DROPPED: u16 = 3;
/// `EV_KEY`.
const KEY: u16 = 1;
/// The most digits of a character's number: Unicode ends at 1,114,111.
const MOST_DIGITS: u8 = 7;

/// One event of the kernel: `struct input_event` without its time. It is a piece of a code, so `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What kind: keys, synchronisation, others.
    pub kind: u16,
    /// Which key.
    pub code: u16,
    /// 0 released, 1 pressed, 2 repeated.
    pub value: i32,
}

impl fmt::Debug for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Event(…)")
    }
}

/// What an event comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// No character.
    Nothing,
    /// One.
    One(char),
    /// An accent that does not go with the letter after it, and this letter.
    Two(char, char),
    /// The scan cannot be told any more.
    Spoilt,
}

/// The state of a scanner's keys.
pub struct Keys {
    layout: Layout,
    shift: Pair,
    ctrl: Pair,
    left_alt: bool,
    right_alt: bool,
    caps: bool,
    /// A character's number on the keypad: how many digits, whether the first is 0, and its value.
    number: Option<(u8, bool, u32)>,
    dead: Option<char>,
}

/// A key that is there twice.
#[derive(Default, Clone, Copy)]
struct Pair {
    left: bool,
    right: bool,
}

impl Pair {
    fn held(self) -> bool {
        self.left || self.right
    }
}

impl Keys {
    /// No key pressed; Caps Lock as its lamp is.
    pub fn new(layout: Layout, caps: bool) -> Self {
        Self {
            layout,
            caps,
            shift: Pair::default(),
            ctrl: Pair::default(),
            left_alt: false,
            right_alt: false,
            number: None,
            dead: None,
        }
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event) -> Typed {
        match (event.kind, event.code, event.value) {
            (SYN, DROPPED, _) => {
                *self = Self::new(self.layout, self.caps);
                Typed::Spoilt
            }
            (KEY, code, value @ (0 | 1)) => self.key(code, value == 1),
            _ => Typed::Nothing,
        }
    }

    fn key(&mut self, code: u16, pressed: bool) -> Typed {
        match code {
            29 => self.ctrl.left = pressed,
            97 => self.ctrl.right = pressed,
            42 => self.shift.left = pressed,
            54 => self.shift.right = pressed,
            56 => return self.alt(pressed),
            100 if self.layout.has_third() => self.right_alt = pressed,
            100 => return self.alt(pressed),
            58 if pressed => self.caps = !self.caps,
            // Num Lock moves no digit here, Scroll Lock nothing, and a release types nothing.
            69 | 70 => {}
            _ if !pressed => {}
            _ => return self.pressed(code),
        }
        Typed::Nothing
    }

    fn alt(&mut self, pressed: bool) -> Typed {
        self.left_alt = pressed;
        match self.number.take().filter(|_| !pressed) {
            None => Typed::Nothing,
            Some((digits, windows, number)) => {
                numbered(digits, windows, number).map_or(Typed::Spoilt, |letter| self.typed(letter))
            }
        }
    }

    fn pressed(&mut self, code: u16) -> Typed {
        let third = self.layout.has_third() && (self.right_alt || (self.left_alt && self.ctrl.held()));
        if self.left_alt && !third {
            let Some(digit) = keypad(code).and_then(|letter| letter.to_digit(10)) else {
                return Typed::Spoilt;
            };
            let (digits, windows, number) = self.number.unwrap_or((0, digit == 0, 0));
            let number = number.saturating_mul(10).saturating_add(digit);
            self.number = Some((digits.saturating_add(1), windows, number));
            return Typed::Nothing;
        }
        if self.ctrl.held() && !third {
            return self.control(code).map_or(Typed::Spoilt, |letter| self.typed(letter));
        }
        let level = match (third, self.shift.held() != (self.caps && self.turns(code))) {
            (true, _) => Level::Third,
            (false, true) => Level::Shift,
            (false, false) => Level::Plain,
        };
        let letter = match code {
            28 | 96 => Some('\r'),
            15 => Some('\t'),
            57 => Some(' '),
            83 => Some(self.layout.decimal()),
            _ => keypad(code).or_else(|| self.layout.letter(code, level)),
        };
        match letter {
            None => Typed::Spoilt,
            Some(letter) if self.layout.is_dead(code, level) => match self.dead.replace(letter) {
                None => Typed::Nothing,
                Some(before) => Typed::One(before),
            },
            Some(letter) => self.typed(letter),
        }
    }

    /// A letter after what may wait for it.
    fn typed(&mut self, letter: char) -> Typed {
        let Some(dead) = self.dead.take() else { return Typed::One(letter) };
        let accent = match dead {
            '^' => '\u{302}',
            '´' => '\u{301}',
            '`' => '\u{300}',
            _ => '\u{308}',
        };
        match compose(letter, accent) {
            Some(both) => Typed::One(both),
            None if letter == ' ' => Typed::One(dead),
            None => Typed::Two(dead, letter),
        }
    }

    /// Whether Caps Lock turns a key: only where Shift makes the great letter of the small one.
    fn turns(&self, code: u16) -> bool {
        let small = self.layout.letter(code, Level::Plain);
        let great = self.layout.letter(code, Level::Shift);
        small.zip(great).is_some_and(|(small, great)| small != great && small.to_uppercase().eq([great]))
    }

    /// The control character of a key: by the letter on it, or by the place that it has on the American keyboard.
    fn control(&self, code: u16) -> Option<char> {
        let level = if self.shift.held() { Level::Shift } else { Level::Plain };
        [self.layout.letter(code, level), Layout::US.letter(code, level)].into_iter().flatten().find_map(
            |letter| {
                let upper = u32::from(letter.to_ascii_uppercase());
                // '@' to '_' (ECMA-48, chapter 5.2).
                (0x40..=0x5f).contains(&upper).then(|| char::from_u32(upper & 0x1f))?
            },
        )
    }
}

/// The character of a number that was typed with Alt.
fn numbered(digits: u8, windows: bool, number: u32) -> Option<char> {
    if digits > MOST_DIGITS {
        return None;
    }
    match u8::try_from(number) {
        Err(_) => char::from_u32(number),
        Ok(byte @ 0..=0x7f) => Some(char::from(byte)),
        Ok(byte) if windows => CodePage::Cp1252.character(byte),
        Ok(byte) => CodePage::Cp437.character(byte),
    }
}

/// What stands on a key of the keypad; its decimal key differs by layout.
fn keypad(code: u16) -> Option<char> {
    Some(match code {
        71..=73 => char::from_digit(u32::from(code.saturating_sub(71)).saturating_add(7), 10)?,
        75..=77 => char::from_digit(u32::from(code.saturating_sub(75)).saturating_add(4), 10)?,
        79..=81 => char::from_digit(u32::from(code.saturating_sub(79)).saturating_add(1), 10)?,
        82 => '0',
        55 => '*',
        74 => '-',
        78 => '+',
        98 => '/',
        117 => '=',
        121 => ',',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFT: u16 = 42;
    const CTRL: u16 = 29;
    const ALT: u16 = 56;
    const ALT_GR: u16 = 100;
    const CAPS: u16 = 58;
    /// The keypad from 0 to 9.
    const KEYPAD: [u16; 10] = [82, 79, 80, 81, 75, 76, 77, 71, 72, 73];

    /// A press or a release as the kernel tells it of a USB keyboard: `MSC_SCAN`, the key, `SYN_REPORT`.
    fn packet(code: u16, value: i32) -> [Event; 3] {
        [
            Event { kind: 4, code: 4, value: 0x7001e },
            Event { kind: KEY, code, value },
            Event { kind: SYN, code: 0, value: 0 },
        ]
    }

    fn tap(code: u16) -> Vec<Event> {
        [packet(code, 1), packet(code, 0)].concat()
    }

    /// Keys pressed while another one is held.
    fn with(held: u16, keys: &[u16]) -> Vec<Event> {
        let taps = keys.iter().flat_map(|key| tap(*key));
        packet(held, 1).into_iter().chain(taps).chain(packet(held, 0)).collect()
    }

    fn taps(keys: &[u16]) -> Vec<Event> {
        keys.iter().flat_map(|key| tap(*key)).collect()
    }

    fn alt(digits: &str) -> Vec<Event> {
        let keys: Vec<u16> =
            digits.chars().map(|digit| KEYPAD[digit.to_digit(10).unwrap() as usize]).collect();
        with(ALT, &keys)
    }

    fn read(layout: Layout, caps: bool, events: &[Event]) -> Option<String> {
        let mut keys = Keys::new(layout, caps);
        let mut text = String::new();
        for event in events {
            match keys.event(event) {
                Typed::Nothing => {}
                Typed::One(letter) => text.push(letter),
                Typed::Two(first, second) => text.extend([first, second]),
                Typed::Spoilt => return None,
            }
        }
        Some(text)
    }

    #[test]
    fn what_a_scanner_types_is_read_by_its_layout() {
        use Layout as L;
        let gs1 = || [with(CTRL, &[27]), taps(&[2])].concat();
        for (layout, events, expected) in [
            (L::US, taps(&[2, 3, 11, 28]), "120\r"),
            (L::DE, taps(&[2, 3, 11, 96]), "120\r"),
            (L::FR, with(SHIFT, &[2, 3, 11]), "120"),
            (L::FR, taps(&[2, 3, 11]), "&éà"),
            (L::US, [with(SHIFT, &[30]), taps(&[30, 15])].concat(), "Aa\t"),
            (L::US, [with(54, &[21]), taps(&[44])].concat(), "Yz"),
            (L::DE, [with(54, &[21]), taps(&[44])].concat(), "Zy"),
            // https://x in German.
            (
                L::DE,
                [taps(&[35, 20, 20, 25, 31]), with(SHIFT, &[52, 8, 8]), taps(&[45])].concat(),
                "https://x",
            ),
            (L::DE, with(ALT_GR, &[16, 8, 9, 10, 11, 12, 86, 18]), "@{[]}\\|€"),
            // Scanners that imitate Windows press Ctrl and Alt for AltGr.
            (L::DE, [packet(CTRL, 1).to_vec(), with(ALT, &[16]), packet(CTRL, 0).to_vec()].concat(), "@"),
            (L::FR, with(ALT_GR, &[11, 4]), "@#"),
            // Keypad digits, whatever Num Lock says.
            (L::FR, [tap(69), taps(&[79, 80, 82, 83])].concat(), "120."),
            (L::DE, taps(&[79, 83, 82, 121]), "1,0,"),
            // GS as Ctrl and ], by its place also where another letter stands there.
            (L::US, gs1(), "\u{1d}1"),
            (L::DE, gs1(), "\u{1d}1"),
            (L::FR, gs1(), "\u{1d}&"),
            // Dead keys.
            (L::DE, taps(&[41, 57, 41, 30, 13, 18, 41, 16]), "^âé^q"),
            (L::FR, [taps(&[26, 18]), with(SHIFT, &[26]), taps(&[57])].concat(), "ê¨"),
            (L::DE, taps(&[41, 41, 57]), "^^"),
            // A key that is held is typed once.
            (L::US, [packet(2, 1), packet(2, 2), packet(2, 2), packet(2, 0)].concat(), "1"),
        ] {
            assert_eq!(read(layout, false, &events).as_deref(), Some(expected), "{}", layout.name);
        }
    }

    #[test]
    fn alt_and_digits_type_any_character() {
        for (digits, expected) in [
            ("65", Some("A")),
            ("065", Some("A")),
            ("029", Some("\u{1d}")),
            ("29", Some("\u{1d}")),
            ("129", Some("ü")),
            ("0252", Some("ü")),
            ("0128", Some("€")),
            ("8364", Some("€")),
            ("1114112", None),
            ("55296", None),
            ("00000065", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(Layout::DE, false, &alt(digits)).as_deref(), expected, "{digits}");
        }
        assert_eq!(read(Layout::US, false, &with(ALT_GR, &[77, 76])).as_deref(), Some("A"));
        assert_eq!(read(Layout::US, false, &[alt("65"), alt(""), tap(2)].concat()).as_deref(), Some("A1"));
    }

    #[test]
    fn caps_lock_turns_letters_alone() {
        for (layout, caps, events, expected) in [
            (Layout::US, true, [taps(&[30, 2]), with(SHIFT, &[30, 2])].concat(), "A1a!"),
            (Layout::US, false, [tap(CAPS), taps(&[30]), tap(CAPS), taps(&[30])].concat(), "Aa"),
            (Layout::DE, true, taps(&[26, 12, 27]), "Üß+"),
            (Layout::FR, true, taps(&[2, 3, 16]), "&éA"),
        ] {
            assert_eq!(read(layout, caps, &events).as_deref(), Some(expected), "{}", layout.name);
        }
    }

    #[test]
    fn a_scan_with_a_key_that_cannot_be_told_is_spoilt() {
        let dropped = Event { kind: SYN, code: DROPPED, value: 0 };
        for (what, events) in [
            ("F8", taps(&[2, 66, 3])),
            ("Backspace", taps(&[2, 14])),
            ("the third level of nothing", with(ALT_GR, &[30])),
            ("Alt and a letter", with(ALT, &[30])),
            ("Ctrl and F8", with(CTRL, &[66])),
            ("a number above all", tap(0x2ff)),
            ("a buffer that ran over", [taps(&[2]), vec![dropped], taps(&[3])].concat()),
        ] {
            assert_eq!(read(Layout::DE, false, &events), None, "{what}");
        }
    }

    #[test]
    fn no_key_hangs_after_events_were_lost() {
        let mut keys = Keys::new(Layout::US, false);
        for event in packet(SHIFT, 1) {
            keys.event(&event);
        }
        assert!(keys.event(&Event { kind: SYN, code: DROPPED, value: 0 }) == Typed::Spoilt);
        let typed: Vec<Typed> = packet(2, 1).iter().map(|event| keys.event(event)).collect();
        assert!(typed.contains(&Typed::One('1')));
    }

    #[test]
    fn an_event_shows_nothing_of_its_key() {
        assert_eq!(format!("{:?}", Event { kind: KEY, code: 30, value: 1 }), "Event(…)");
    }
}
