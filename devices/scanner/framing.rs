//! Where a scan begins and ends in a stream of bytes, and what is dropped.
//!
//! Scanners add what they were set to: a prefix (STX, a letter), a suffix (mostly CR, on a keyboard Enter), or nothing but a
//! pause. A framer takes byte after byte, so it does not matter how a line splits them.
//!
//! | what comes | becomes |
//! |---|---|
//! | prefix, text, end | the text |
//! | nothing between two ends (CR LF) | nothing |
//! | silence in the middle, where an end is due | dropped: half a code before the next one would be another code |
//! | more than [`LONGEST`] bytes | dropped, up to the next end |
//! | bytes that are no UTF-8, control characters that no code carries | dropped |
//! | text without the prefix that is due | dropped |
//!
//! Group, record, file and unit separators (0x1C to 0x1F, GS1 and ISO/IEC 15434), EOT, STX, ETX, TAB, CR and LF are text,
//! unless they are what ends a scan. Invariants: at most [`LONGEST`] bytes and what frames them are held, in memory that is
//! wiped; nothing here knows a clock: who reads says when a gap has passed.

use std::time::Duration;

use tilld_domain::secret::Secret;
use zeroize::{Zeroize, Zeroizing};

/// The longest text of a scan in bytes: what the domain looks at.
pub const LONGEST: usize = tilld_domain::voucher::scan::LONGEST;
/// The longest prefix or suffix in bytes.
pub const LONGEST_MARK: usize = 16;

/// What ends a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// CR, LF, or both: what nearly every scanner is delivered with, and the Enter key.
    Enter,
    /// Exactly these bytes.
    Mark(Vec<u8>),
    /// A pause.
    Gap,
}

/// How a scanner frames what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// What stands before every scan, and is taken off. Empty: nothing.
    pub prefix: Vec<u8>,
    /// What ends it.
    pub end: End,
    /// The pause after which nothing more is coming.
    pub gap: Duration,
}

impl Default for Framing {
    /// A slow scanner that types leaves some 100 ms between two keys.
    fn default() -> Self {
        Self { prefix: Vec::new(), end: End::Enter, gap: Duration::from_millis(500) }
    }
}

/// Why a scan was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Longer than any code.
    TooLong,
    /// No text.
    Unreadable,
    /// It did not end.
    CutShort,
    /// It did not begin.
    WithoutPrefix,
}

/// Takes a stream of bytes apart.
pub struct Framer {
    framing: Framing,
    held: Zeroizing<Vec<u8>>,
    /// Why what is held can no longer become a scan.
    spoilt: Option<Lost>,
}

impl Framer {
    /// With nothing begun.
    pub fn new(framing: Framing) -> Self {
        let held = room(&framing);
        Self { framing, held, spoilt: None }
    }

    /// The pause after which [`Framer::silence`] is to be called while a scan has begun.
    pub fn gap(&self) -> Duration {
        self.framing.gap
    }

    /// Whether a scan has begun and not ended.
    pub fn has_begun(&self) -> bool {
        !self.held.is_empty() || self.spoilt.is_some()
    }

    /// Takes a byte. What it ends comes out.
    pub fn push(&mut self, byte: u8) -> Option<Result<Secret, Lost>> {
        if self.held.len() >= self.most() {
            self.spoilt.get_or_insert(Lost::TooLong);
            // The beginning of what ends it may already be there.
            let kept = self.mark().len().min(self.held.len());
            let from = self.held.len().saturating_sub(kept);
            self.held.copy_within(from.., 0);
            if let Some(rest) = self.held.get_mut(kept..) {
                rest.zeroize();
            }
            self.held.truncate(kept);
        }
        self.held.push(byte);
        let ended = match &self.framing.end {
            End::Enter => matches!(byte, b'\r' | b'\n'),
            End::Mark(mark) => !mark.is_empty() && self.held.ends_with(mark),
            End::Gap => false,
        };
        if ended { self.take(self.mark().len()) } else { None }
    }

    /// Nothing came for a gap.
    pub fn silence(&mut self) -> Option<Result<Secret, Lost>> {
        if self.framing.end != End::Gap && self.has_begun() {
            self.spoilt.get_or_insert(Lost::CutShort);
        }
        self.take(0)
    }

    /// What is being scanned cannot be told any more: it is dropped when it ends.
    pub fn spoil(&mut self) {
        self.spoilt.get_or_insert(Lost::Unreadable);
    }

    /// Forgets what has begun: the device has gone.
    pub fn forget(&mut self) {
        self.held.zeroize();
        self.held = room(&self.framing);
        self.spoilt = None;
    }

    fn mark(&self) -> &[u8] {
        match &self.framing.end {
            End::Enter => b"\n",
            End::Mark(mark) => mark,
            End::Gap => b"",
        }
    }

    fn most(&self) -> usize {
        most(&self.framing)
    }

    /// Ends what is held, without the mark at its end.
    fn take(&mut self, mark: usize) -> Option<Result<Secret, Lost>> {
        let mut held = std::mem::replace(&mut self.held, room(&self.framing));
        let spoilt = self.spoilt.take();
        let length = held.len().saturating_sub(mark);
        held.truncate(length);
        if let Some(lost) = spoilt {
            return Some(Err(lost));
        }
        if held.is_empty() {
            return None;
        }
        if !held.starts_with(&self.framing.prefix) {
            return Some(Err(Lost::WithoutPrefix));
        }
        held.drain(..self.framing.prefix.len());
        match String::from_utf8(std::mem::take(&mut *held)) {
            Ok(text) if text.is_empty() => None,
            Ok(text) => {
                let text = Secret::new(text);
                Some(if text.reveal().chars().all(belongs) { Ok(text) } else { Err(Lost::Unreadable) })
            }
            Err(error) => {
                error.into_bytes().zeroize();
                Some(Err(Lost::Unreadable))
            }
        }
    }
}

/// All the bytes that may be held, at once: memory that grows leaves copies behind.
fn room(framing: &Framing) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(most(framing).saturating_add(1)))
}

fn most(framing: &Framing) -> usize {
    let mark = match &framing.end {
        End::Enter => 1,
        End::Mark(mark) => mark.len(),
        End::Gap => 0,
    };
    LONGEST.saturating_add(framing.prefix.len()).saturating_add(mark)
}

/// Whether codes carry a character.
fn belongs(letter: char) -> bool {
    !letter.is_control() || matches!(letter, '\t' | '\n' | '\r' | '\u{2}'..='\u{4}' | '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(prefix: &[u8], end: End) -> Framing {
        Framing { prefix: prefix.to_vec(), end, ..Framing::default() }
    }

    /// Everything that comes out of some bytes, and of the silence after them where there is one.
    fn all(framing: Framing, bytes: &[u8], silence: bool) -> Vec<Result<String, Lost>> {
        let mut framer = Framer::new(framing);
        let mut out: Vec<_> = bytes.iter().filter_map(|byte| framer.push(*byte)).collect();
        if silence {
            out.extend(framer.silence());
            assert!(!framer.has_begun());
        }
        out.into_iter().map(|one| one.map(|text| text.reveal().to_owned())).collect()
    }

    #[test]
    fn a_scan_is_what_stands_between_its_frame() {
        let mark = |bytes: &[u8]| End::Mark(bytes.to_vec());
        let text = |text: &str| Ok(text.to_owned());
        for (prefix, end, bytes, expected) in [
            (&b""[..], End::Enter, &b"4012\r4013\n"[..], vec![text("4012"), text("4013")]),
            (b"", End::Enter, b"4012\r\n4013\r\n", vec![text("4012"), text("4013")]),
            (b"", End::Enter, b"\r\n\r\n", vec![]),
            (b"", mark(b"\r\n"), b"A\rB\r\n", vec![text("A\rB")]),
            (b"", mark(b"\t"), b"4012\t4013\t", vec![text("4012"), text("4013")]),
            (b"\x02", mark(b"\x03"), b"\x024012\x03", vec![text("4012")]),
            (b"\x02", mark(b"\x03"), b"4012\x03\x024013\x03", vec![Err(Lost::WithoutPrefix), text("4013")]),
            (b"\x02", mark(b"\x03"), b"\x02\x03", vec![]),
            // What a GS1 code carries between its fields, and the AIM identifier that says that it is one.
            (b"", End::Enter, b"]C10112345\x1d10AB\r", vec![text("]C10112345\u{1d}10AB")]),
            (
                b"",
                End::Enter,
                "[)>\u{1e}06\u{1d}1P\u{4}\r".as_bytes(),
                vec![text("[)>\u{1e}06\u{1d}1P\u{4}")],
            ),
            (b"", End::Enter, "Grüße €\r".as_bytes(), vec![text("Grüße €")]),
            (b"", End::Enter, b"40\xff12\r4013\r", vec![Err(Lost::Unreadable), text("4013")]),
            (b"", End::Enter, b"40\x0012\r4013\r", vec![Err(Lost::Unreadable), text("4013")]),
            (b"", End::Enter, b"40\x1b[2J\r", vec![Err(Lost::Unreadable)]),
            (b"", End::Enter, "40\u{85}12\r".as_bytes(), vec![Err(Lost::Unreadable)]),
            (b"", End::Enter, b"4012", vec![Err(Lost::CutShort)]),
            (b"", End::Gap, b"4012\r", vec![text("4012\r")]),
            (b"", End::Gap, b"", vec![]),
        ] {
            assert_eq!(
                all(framing(prefix, end.clone()), bytes, true),
                expected,
                "{prefix:?} {end:?} {bytes:?}"
            );
        }
    }

    #[test]
    fn half_a_code_never_becomes_the_beginning_of_the_next() {
        let mut framer = Framer::new(Framing::default());
        assert!(b"4012".iter().all(|byte| framer.push(*byte).is_none()));
        assert_eq!(framer.silence(), Some(Err(Lost::CutShort)));
        assert!(b"5013".iter().all(|byte| framer.push(*byte).is_none()));
        assert_eq!(framer.push(b'\r'), Some(Ok(Secret::new("5013".to_owned()))));
        framer.push(b'9');
        framer.forget();
        assert!(!framer.has_begun());
        framer.push(b'8');
        framer.spoil();
        assert_eq!(framer.push(b'\r'), Some(Err(Lost::Unreadable)));
        assert_eq!(framer.silence(), None);
    }

    #[test]
    fn the_longest_scan_is_taken_and_one_byte_more_is_dropped_once() {
        for (prefix, end, mark) in [
            (&b""[..], End::Enter, &b"\r"[..]),
            (b"\x02", End::Mark(b"##\r".to_vec()), b"##\r"),
            (b"", End::Mark(b"\x03".to_vec()), b"\x03"),
        ] {
            for (length, expected) in
                [(LONGEST, Ok(LONGEST)), (LONGEST + 1, Err(Lost::TooLong)), (LONGEST * 5, Err(Lost::TooLong))]
            {
                let bytes = [prefix, &vec![b'7'; length], mark, prefix, b"4012", mark].concat();
                let out = all(framing(prefix, end.clone()), &bytes, false);
                let out: Vec<_> = out.into_iter().map(|one| one.map(|text| text.len())).collect();
                assert_eq!(out, [expected, Ok(4)], "{end:?} {length}");
            }
        }
        let flood = vec![b'7'; LONGEST * 3];
        assert_eq!(all(framing(b"", End::Gap), &flood, true), [Err(Lost::TooLong)]);
    }

    fn any_framing() -> impl Strategy<Value = Framing> {
        let mark = || prop::collection::vec(any::<u8>(), 0..LONGEST_MARK);
        let end = prop_oneof![Just(End::Enter), mark().prop_map(End::Mark), Just(End::Gap)];
        (mark(), end).prop_map(|(prefix, end)| framing(&prefix, end))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_comes_is_held_within_bounds_and_ends_as_text_or_not_at_all(
            framing in any_framing(),
            bytes in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\r')], 0..4000),
            gaps in prop::collection::vec(0..4000_usize, 0..4),
        ) {
            let bound = most(&framing) + 1;
            let mut framer = Framer::new(framing);
            for (place, byte) in bytes.iter().enumerate() {
                let mut out = vec![framer.push(*byte)];
                prop_assert!(framer.held.len() <= bound && framer.held.capacity() <= bound);
                if gaps.contains(&place) {
                    out.push(framer.silence());
                    prop_assert!(!framer.has_begun());
                }
                for text in out.into_iter().flatten().flatten() {
                    prop_assert!(!text.reveal().is_empty() && text.reveal().len() <= LONGEST);
                    prop_assert!(text.reveal().chars().all(belongs));
                }
            }
        }

        #[test]
        fn any_text_in_its_frame_comes_out_as_it_is(text in "[ -~\u{1d}äß€]{1,200}") {
            for (prefix, end, mark) in [
                (&b""[..], End::Enter, &b"\r\n"[..]),
                (b"\x02", End::Mark(b"\x03".to_vec()), b"\x03"),
                (b"", End::Gap, b""),
            ] {
                let bytes = [prefix, text.as_bytes(), mark].concat();
                prop_assert_eq!(all(framing(prefix, end), &bytes, true), vec![Ok(text.clone())]);
            }
        }
    }
}
