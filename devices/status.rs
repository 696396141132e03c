//! What a printer says about itself: the requests, and one parser for everything that comes back.
//!
//! A printer's answers arrive in one stream of bytes, some of them unasked (flow control, automatic status that a DIP
//! switch turned on). Their bit patterns tell them apart without knowing what was asked (Epson's "transmission
//! identification", fact sheet ESCPOS 3.3):
//!
//! | bits | what |
//! |---|---|
//! | `0x11`, `0x13` | XON, XOFF |
//! | `0xx1xx10` | answer to `DLE EOT` |
//! | `0xx1xx00`, then three of `0xx0xxxx` | automatic status |
//! | `0xx0xxxx` | answer to `GS r` |
//! | `0x35 0x37 0x3B 0x3D 0x5F` … `0x00` | a block, such as a process id |
//!
//! Groups between answers take nothing away and add nothing. The one ambiguity is a `GS r` answer inside a group, which the
//! manuals exclude ("four consecutive bytes"). It is still one group and one answer, with bytes that may be exchanged: that
//! everything before was worked off is true all the same, and how the printer is, is asked again before it counts. What is
//! left of a group whose head was lost looks like several answers; `job` believes no more of them than there were requests.

use crate::printer::{Fault, Status};

/// `GS r 1`: the paper sensor's status, answered when the printer has worked off all bytes before.
pub const QUEUED_STATUS: [u8; 3] = [0x1d, b'r', 1];

/// `DLE EOT n`, n from 1 to 4: answered at once, also off-line.
pub const fn real_time_status(n: u8) -> [u8; 3] {
    [0x10, 0x04, n]
}

/// `GS ( H` function 48: the id, four bytes of 0x20 to 0x7E, is sent back when all before it is printed.
pub const fn process_id_request(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1d, b'(', b'H', 6, 0, 48, 48, a, b, c, d]
}

/// `GS I n`: the maker's name (66), the model (67), the serial number (68), sent back as a block of text.
pub const fn name_request(n: u8) -> [u8; 3] {
    [0x1d, b'I', n]
}

/// `GS a`: tell every change by yourself; the answer is the present state.
pub const TELL_CHANGES: [u8; 3] = [0x1d, b'a', 0xff];

/// `GS a 0`: tell no more.
pub const TELL_NOTHING: [u8; 3] = [0x1d, b'a', 0];

/// The longest block that is kept; names of printers are shorter.
const LONGEST_BLOCK: usize = 96;

/// One thing that a printer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// XON: it takes bytes again.
    FlowOn,
    /// XOFF: it takes none for now.
    FlowOff,
    /// To `DLE EOT`.
    RealTime(u8),
    /// To `GS r`.
    Queued(u8),
    /// Unasked, or since `GS a`.
    Automatic([u8; 4]),
    /// The id that stood behind what is now printed.
    ProcessId([u8; 4]),
    /// To `GS I`: what of it is printable ASCII.
    Name(String),
    /// A block of another meaning.
    OtherBlock,
    /// A byte that fits no pattern.
    Odd(u8),
}

/// Takes a printer's bytes one by one. Holds at most one block and one group.
#[derive(Debug, Default)]
pub struct AnswerParser {
    block: Vec<u8>,
    group: Vec<u8>,
}

impl AnswerParser {
    /// Takes a byte; answers what it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        // Flow control may cut in anywhere.
        match byte {
            0x11 => return Some(Answer::FlowOn),
            0x13 => return Some(Answer::FlowOff),
            _ => {}
        }
        if !self.block.is_empty() {
            return self.block_byte(byte);
        }
        match byte {
            0x35 | 0x37 | 0x3b | 0x3d | 0x5f => {
                self.block.push(byte);
                None
            }
            _ if byte & 0x93 == 0x12 => Some(Answer::RealTime(byte)),
            _ if byte & 0x93 == 0x10 => {
                self.group.clear();
                self.group.push(byte);
                None
            }
            _ if byte & 0x90 == 0 && !self.group.is_empty() => self.group_byte(byte),
            _ if byte & 0x90 == 0 => Some(Answer::Queued(byte)),
            _ => Some(Answer::Odd(byte)),
        }
    }

    /// Whether a block or a group has begun and not ended.
    pub fn is_within(&self) -> bool {
        !self.block.is_empty() || !self.group.is_empty()
    }

    /// What has begun is not going to be ended.
    pub fn forget(&mut self) {
        self.block.clear();
        self.group.clear();
    }

    fn group_byte(&mut self, byte: u8) -> Option<Answer> {
        self.group.push(byte);
        let group = <[u8; 4]>::try_from(self.group.as_slice()).ok()?;
        self.group.clear();
        Some(Answer::Automatic(group))
    }

    fn block_byte(&mut self, byte: u8) -> Option<Answer> {
        if byte != 0 {
            // Too long to be kept, but it still runs to its end.
            if self.block.len() < LONGEST_BLOCK {
                self.block.push(byte);
            }
            return None;
        }
        let answer = match *self.block.as_slice() {
            [0x37, 0x22, a, b, c, d] => Answer::ProcessId([a, b, c, d]),
            [0x5f, ref name @ ..] => Answer::Name(
                name.iter()
                    .filter(|byte| (b' '..=b'~').contains(*byte))
                    .map(|byte| char::from(*byte))
                    .collect(),
            ),
            _ => Answer::OtherBlock,
        };
        self.block.clear();
        Some(answer)
    }
}

/// The printer's state from its four real-time answers, in their order. The worst fault first: a cover that is open also
/// makes it off-line and may hide the paper.
pub fn from_real_time([general, offline, error, paper]: [u8; 4]) -> Status {
    let has = |byte: u8, bits: u8| byte & bits != 0;
    let fault = if has(offline, 0x04) {
        Some(Fault::CoverOpen)
    } else if has(offline, 0x20) || has(paper, 0x60) {
        Some(Fault::PaperOut)
    } else if has(error, 0x08) {
        Some(Fault::Cutter)
    } else if has(offline, 0x40) || has(error, 0x64) {
        Some(Fault::Error)
    } else if has(general, 0x08) {
        Some(Fault::Offline)
    } else {
        None
    };
    Status { fault, paper_low: has(paper, 0x0c), drawer_pin_high: Some(has(general, 0x04)) }
}

/// The same from a group of automatic status.
pub fn from_automatic([general, error, paper, _]: [u8; 4]) -> Status {
    let has = |byte: u8, bits: u8| byte & bits != 0;
    let fault = if has(general, 0x20) {
        Some(Fault::CoverOpen)
    } else if has(paper, 0x0c) {
        Some(Fault::PaperOut)
    } else if has(error, 0x08) {
        Some(Fault::Cutter)
    } else if has(error, 0x64) {
        Some(Fault::Error)
    } else if has(general, 0x08) {
        Some(Fault::Offline)
    } else {
        None
    };
    Status { fault, paper_low: has(paper, 0x03), drawer_pin_high: Some(has(general, 0x04)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn parsed(bytes: &[u8]) -> Vec<Answer> {
        let mut parser = AnswerParser::default();
        bytes.iter().filter_map(|byte| parser.push(*byte)).collect()
    }

    #[test]
    fn answers_are_told_apart_by_their_bits() {
        use Answer::{Automatic, FlowOff, FlowOn, Name, Odd, OtherBlock, ProcessId, Queued, RealTime};
        for (bytes, answers) in [
            (
                &[0x12, 0x16, 0x1a, 0x72][..],
                vec![RealTime(0x12), RealTime(0x16), RealTime(0x1a), RealTime(0x72)],
            ),
            (&[0x00, 0x0f, 0x03], vec![Queued(0), Queued(0x0f), Queued(3)]),
            (&[0x11, 0x13], vec![FlowOn, FlowOff]),
            (&[0x10, 0x00, 0x0c, 0x0f], vec![Automatic([0x10, 0, 0x0c, 0x0f])]),
            (
                &[0x10, 0x13, 0x00, 0x12, 0x00, 0x00, 0x00],
                vec![FlowOff, RealTime(0x12), Automatic([0x10, 0, 0, 0]), Queued(0)],
            ),
            (b"\x37\x22abcd\x00", vec![ProcessId(*b"abcd")]),
            (b"\x37\x22a\x13b\x11cd\x00", vec![FlowOff, FlowOn, ProcessId(*b"abcd")]),
            (
                b"\x37\x22abcde\x00\x5fEPS\x1b\xffON\x00\x37\x23\x40\x00",
                vec![OtherBlock, Name("EPSON".to_owned()), OtherBlock],
            ),
            (&[0x80, 0x9f, 0xff], vec![Odd(0x80), Odd(0x9f), Odd(0xff)]),
        ] {
            assert_eq!(parsed(bytes), answers, "{bytes:02x?}");
        }
    }

    #[test]
    fn an_endless_block_takes_no_more_than_its_room() {
        let mut parser = AnswerParser::default();
        assert_eq!(parser.push(0x5f), None);
        for _ in 0..10_000 {
            assert_eq!(parser.push(b'x'), None);
        }
        assert!(parser.block.len() <= LONGEST_BLOCK);
        assert_eq!(parser.push(0), Some(Answer::Name("x".repeat(LONGEST_BLOCK - 1))));
    }

    /// One whole thing that a printer says, and its bytes.
    fn sayings() -> impl Strategy<Value = (Vec<u8>, Answer)> {
        let real_time = (0_u8..0x80).prop_map(|bits| bits & !0x93 | 0x12);
        let plain = (0_u8..0x80).prop_map(|bits| bits & !0x90);
        let head = (0_u8..0x80).prop_map(|bits| bits & !0x93 | 0x10);
        let group = (head, [plain.clone(), plain.clone(), plain.clone()]);
        let id = [(); 4].map(|()| 0x20_u8..0x7f);
        prop_oneof![
            real_time.prop_map(|byte| (vec![byte], Answer::RealTime(byte))),
            // XON, XOFF and the marks of blocks have other bits.
            plain.prop_map(|byte| (vec![byte], Answer::Queued(byte))),
            group.prop_map(|(head, [a, b, c])| (vec![head, a, b, c], Answer::Automatic([head, a, b, c]))),
            id.prop_map(|[a, b, c, d]| {
                (vec![0x37, 0x22, a, b, c, d, 0], Answer::ProcessId([a, b, c, d]))
            }),
            "[ -~]{0,20}".prop_map(|name| ([b"\x5f", name.as_bytes(), &[0]].concat(), Answer::Name(name))),
        ]
    }

    proptest! {
        /// Automatic status at any moment between answers, and flow control at any moment at all.
        #[test]
        fn every_answer_is_heard_whatever_is_said_unasked_around_it(
            said in prop::collection::vec(sayings(), 0..40),
            flow in prop::collection::vec((any::<prop::sample::Index>(), select(&[0x11_u8, 0x13][..])), 0..10),
        ) {
            let (bytes, expected): (Vec<Vec<u8>>, Vec<Answer>) = said.into_iter().unzip();
            let mut bytes = bytes.concat();
            for (at, byte) in flow {
                let at = at.index(bytes.len() + 1);
                bytes.insert(at, byte);
            }
            let mut heard = parsed(&bytes);
            heard.retain(|answer| !matches!(answer, Answer::FlowOn | Answer::FlowOff));
            prop_assert_eq!(heard, expected);
        }

        /// What no manual allows and nobody can tell apart.
        #[test]
        fn an_answer_inside_a_group_is_neither_lost_nor_doubled(
            head in (0_u8..0x80).prop_map(|bits| bits & !0x93 | 0x10),
            rest in [0_u8..16, 0_u8..16, 0_u8..16],
            answer in 0_u8..4,
            at in 1_usize..4,
        ) {
            let mut bytes = vec![head, rest[0], rest[1], rest[2]];
            bytes.insert(at, answer);
            let heard = parsed(&bytes);
            prop_assert!(
                matches!(*heard, [Answer::Automatic([its, ..]), Answer::Queued(_)] if its == head),
                "{:?}", heard
            );
        }
    }

    proptest! {
        /// However a stream is cut into pieces, and whatever it holds.
        #[test]
        fn any_bytes_are_answers_of_bounded_size_and_no_more_than_there_are_bytes(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), select(MARKS)], 0..400),
        ) {
            let mut parser = AnswerParser::default();
            let mut answers = Vec::new();
            for byte in &bytes {
                answers.extend(parser.push(*byte));
                prop_assert!(parser.block.len() <= LONGEST_BLOCK && parser.group.len() < 4);
            }
            prop_assert!(answers.len() <= bytes.len());
            // No process id is made up: its seven bytes are there, with nothing but flow control between them.
            let quiet: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, 0x11 | 0x13)).collect();
            for answer in answers {
                if let Answer::ProcessId([a, b, c, d]) = answer {
                    let said = [0x37, 0x22, a, b, c, d, 0];
                    prop_assert!(quiet.windows(7).any(|seven| seven == said));
                }
            }
        }
    }

    /// The bytes that mean something.
    const MARKS: &[u8] = &[0x00, 0x10, 0x11, 0x12, 0x13, 0x22, 0x35, 0x37, 0x3b, 0x3d, 0x5f];

    #[test]
    fn a_state_names_its_worst_fault() {
        for (bytes, fault, paper_low) in [
            ([0x12, 0x12, 0x12, 0x12], None, false),
            ([0x16, 0x12, 0x12, 0x1e], None, true),
            ([0x1a, 0x12, 0x12, 0x12], Some(Fault::Offline), false),
            ([0x1a, 0x16, 0x12, 0x72], Some(Fault::CoverOpen), false),
            ([0x1a, 0x32, 0x12, 0x12], Some(Fault::PaperOut), false),
            ([0x12, 0x12, 0x12, 0x72], Some(Fault::PaperOut), false),
            ([0x1a, 0x52, 0x1a, 0x12], Some(Fault::Cutter), false),
            ([0x1a, 0x52, 0x12, 0x12], Some(Fault::Error), false),
            ([0x1a, 0x12, 0x32, 0x12], Some(Fault::Error), false),
        ] {
            let status = from_real_time(bytes);
            assert_eq!((status.fault, status.paper_low), (fault, paper_low), "{bytes:02x?}");
        }
        for (bytes, fault) in [
            ([0x10, 0, 0, 0], None),
            ([0x14, 0, 3, 0], None),
            ([0x18, 0, 0, 0], Some(Fault::Offline)),
            ([0x38, 0, 0x0c, 0], Some(Fault::CoverOpen)),
            ([0x18, 0, 0x0c, 0], Some(Fault::PaperOut)),
            ([0x18, 0x08, 0, 0], Some(Fault::Cutter)),
            ([0x18, 0x20, 0, 0], Some(Fault::Error)),
        ] {
            assert_eq!(from_automatic(bytes).fault, fault, "{bytes:02x?}");
        }
    }
}
