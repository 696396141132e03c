//! How far a command goes: the one thing that a reader of a byte stream must know of every command, also of those that it
//! makes nothing of. It is judged from what there is of a command so far, by the vendors' command descriptions (fact sheet
//! ESCPOS 3).

use super::LONGEST;

pub(super) const NUL: u8 = 0x00;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
pub(super) const HT: u8 = 0x09;
pub(super) const LF: u8 = 0x0a;
pub(super) const CR: u8 = 0x0d;
pub(super) const DLE: u8 = 0x10;
pub(super) const DC4: u8 = 0x14;
pub(super) const ESC: u8 = 0x1b;
pub(super) const FS: u8 = 0x1c;
pub(super) const GS: u8 = 0x1d;

/// How far a command goes, judged from what there is of it.
pub(super) enum Extent {
    /// Not to be said yet.
    More,
    /// So many bytes altogether.
    Bytes(usize),
    /// Its head is complete; so many bytes of graphics follow.
    Graphics(u64),
    /// Its head is complete; so many rows of so many bytes follow.
    Rows(usize, usize),
    /// Its head is complete; so many columns of so many bytes follow.
    Columns(usize, usize),
    /// It ends with the next byte of this value.
    Until(u8),
    /// No command that any printer knows.
    Unknown,
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}

pub(super) fn product(a: usize, b: usize) -> u64 {
    u64::try_from(a.saturating_mul(b)).unwrap_or(u64::MAX)
}

#[expect(
    clippy::match_same_arms,
    clippy::unnested_or_patterns,
    reason = "a table: one line a family of commands"
)]
pub(super) fn extent(command: &[u8]) -> Extent {
    use Extent::{Bytes, Columns, Graphics, More, Rows, Unknown, Until};
    match *command {
        [DLE | ESC | FS | GS]
        | [DLE, DC4]
        | [DLE, EOT]
        | [ESC, b'*']
        | [ESC, b'*', _]
        | [ESC, b'*', _, _]
        | [GS, b'k' | b'(' | b'8' | b'V' | b'*' | b'v']
        | [GS, b'8', b'L']
        | [GS, b'8', b'L', _]
        | [GS, b'8', b'L', _, _]
        | [GS, b'8', b'L', _, _, _]
        | [GS, b'(', _]
        | [GS, b'(', _, _]
        | [GS, b'*', _]
        | [GS, b'k', 65..=79] => More,
        [DLE, EOT, 1..=4] => Bytes(3),
        [DLE, EOT, 7 | 8 | 18, ..] => Bytes(4),
        [DLE, ENQ, ..] => Bytes(3),
        [DLE, DC4, 1 | 2, ..] => Bytes(5),
        [DLE, DC4, 8, ..] => Bytes(10),

        [ESC, b'@' | b'2' | b'i' | b'm' | b'<' | b'L' | b'S', ..] => Bytes(2),
        [
            ESC,
            b'!' | b'-' | b'E' | b'G' | b'M' | b'R' | b't' | b'a' | b'd' | b'J' | b'e' | b'K' | b'3' | b' '
            | b'V' | b'{' | b'=' | b'r' | b'%' | b'?' | b'U' | b'T',
            ..,
        ] => Bytes(3),
        [ESC, b'$' | b'\\' | b'c' | b'B', ..] => Bytes(4),
        [ESC, b'p', ..] => Bytes(5),
        [ESC, b'D', ..] => Until(NUL),
        [ESC, b'*', mode, low, high, ..] => {
            // Modes 32 and 33 have three bytes a column of dots.
            Columns(word(low, high), if mode >= 32 { 3 } else { 1 })
        }

        [FS, b'.' | b'&', ..] => Bytes(2),
        [FS, b'!' | b'-' | b'C' | b'W', ..] => Bytes(3),
        [FS, b'S' | b'p', ..] => Bytes(4),

        [
            GS,
            b'!' | b'B' | b'H' | b'h' | b'w' | b'f' | b'r' | b'a' | b'I' | b'b' | b'E' | b'/' | b'T',
            ..,
        ] => Bytes(3),
        [GS, b'L' | b'W' | b'P' | b'$' | b'\\', ..] => Bytes(4),
        [GS, b'^', ..] => Bytes(5),
        [GS, b':', ..] => Bytes(2),
        [GS, b'V', 0 | 1 | 48 | 49, ..] => Bytes(3),
        [GS, b'V', 65 | 66 | 97 | 98 | 103 | 104, ..] => Bytes(4),
        [GS, b'*', wide, high, ..] => {
            Graphics(product(usize::from(wide).saturating_mul(8), usize::from(high)))
        }
        [GS, b'k', 0..=6, ..] => Until(NUL),
        [GS, b'k', 65..=79, length, ..] => Bytes(usize::from(length).saturating_add(4)),
        [GS, b'(', kind, low, high, ..] => {
            let length = word(low, high);
            if matches!(kind, b'k' | b'H') && length <= LONGEST {
                Bytes(length.saturating_add(5))
            } else {
                Graphics(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
        [GS, b'8', b'L', a, b, c, d, ..] => Graphics(u64::from(u32::from_le_bytes([a, b, c, d]))),
        [GS, b'v', b'0', _, wide_low, wide_high, high_low, high_high, ..] => {
            Rows(word(high_low, high_high), word(wide_low, wide_high))
        }
        [GS, b'v', b'0', ..] => More,
        _ => Unknown,
    }
}
