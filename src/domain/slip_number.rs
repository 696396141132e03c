//! The number at the foot of a printed card's slip: whoever reads it off the paper holds the last row of the slip of one attempt (rows
//! A10, A11).
//!
//! It cannot tell that the paper is in one piece: a printer whose paper ended in the middle prints the rest on the next roll. Where it
//! reports that, no scan answers; where power went before it could, only a person sees the tear, and the question says so.
//!
//! It is made of the order's id and the attempt's number and of nothing else, so it is secret to nobody, need not be stored, and is the
//! same after every restart and update: [`SlipNumber::of`] must never change, because a slip may be asked about that an earlier release
//! has printed.
//!
//! ```text
//!  90 766354 2 68
//!  │  │      │ └─ check digits, ISO 7064 MOD 97-10: the whole number leaves 1
//!  │  │      └─── the attempt's last digit: no attempt after the ninth is asked about
//!  │  └────────── the order's: the first 64 bits of the SHA-256 of its id, modulo a million
//!  └───────────── the mark of a slip number
//! ```
//!
//! Why this shape: a scanner that types, set to another country's keyboard than the till, spoils letters and signs; digits it types with
//! keys whose place is the same everywhere. Eleven of them are what nothing else has that is scanned at a counter: not a voucher (12),
//! not an EAN, a UPC or a GTIN (8, 12, 13, 14; a UPC-A is eleven where a scanner drops its check digit), not an ISBN that a scanner has shortened (10), not a payment card (13 to 19), and an odd
//! number is no Interleaved 2 of 5 that was read in part. Of all other texts of eleven digits, mark and check digits leave one in
//! 9,700.
//!
//! Two cards have the same digits with a chance of one to a million. Where both are asked about at once, the number answers for neither.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ids::OrderId;
use crate::voucher::scan::{ends_cleaned, only_digits, without_aim};

/// How wide its bars are, in dots: 176 modules of CODE128, quiet zones included, of two dots each. Where they do not fit its digits
/// stand alone.
pub const BARS_DOTS: u16 = 352;

/// What stands before the order's digits.
const MARK: u64 = 90;
/// How many digits it has in all.
const DIGITS: usize = 11;
/// How many orders have digits of their own.
const ORDERS: u64 = 1_000_000;
/// What the whole number leaves modulo 97 (ISO 7064 MOD 97-10).
const LEAVES: u64 = 1;
/// The longest text that is looked at: digits with what people and scanners put around and between them.
const LONGEST: usize = 64;

/// Which paper of which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlipNumber(u64);

impl SlipNumber {
    /// The number of an attempt (from 1) at an order's slip.
    pub fn of(order: OrderId, attempt: u16) -> Self {
        let digest = Sha256::digest(order.uuid().as_bytes());
        let own = u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default()) % ORDERS;
        let named = MARK.saturating_mul(ORDERS).saturating_add(own).saturating_mul(10);
        let unchecked = named.saturating_add(u64::from(attempt % 10)).saturating_mul(100);
        Self(unchecked.saturating_add(97_u64.saturating_add(LEAVES).saturating_sub(unchecked % 97)))
    }

    /// The slip number in a text that was scanned or typed; none if it is another text.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let digits =
            only_digits(without_aim(ends_cleaned(text)).0).filter(|digits| digits.len() == DIGITS)?;
        let number: u64 = digits.parse().ok()?;
        (number / ORDERS.saturating_mul(1000) == MARK && number % 97 == LEAVES).then_some(Self(number))
    }
}

impl fmt::Display for SlipNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn order(id: u128) -> OrderId {
        OrderId::new(Uuid::from_u128(id))
    }

    #[test]
    fn numbers_of_earlier_releases_stay_what_they_are() {
        for (id, attempt, number) in [
            ("019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e", 1, "90766354171"),
            ("019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e", 2, "90766354268"),
            ("00000000-0000-0000-0000-000000000001", 1, "90521211115"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", 9, "90264777938"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", 10, "90264777065"),
        ] {
            assert_eq!(SlipNumber::of(id.parse().unwrap(), attempt).to_string(), number, "{id} {attempt}");
        }
    }

    #[test]
    fn it_is_read_as_scanners_and_people_write_it_and_no_other_text_is_one() {
        let number = SlipNumber::of(order(1), 1);
        let plain = number.to_string();
        let (head, tail) = plain.split_at(5);
        for text in [
            plain.clone(),
            format!("]C0{plain}"),
            format!("\u{2}{plain}\r\n"),
            format!(" {head} {tail} "),
            format!("{head}-{tail}"),
        ] {
            assert_eq!(SlipNumber::read(&text), Some(number), "{text:?}");
        }
        let other_mark = format!("8{}", &plain[1..]);
        let swapped: String = [&plain[..3], &plain[4..5], &plain[3..4], &plain[5..]].concat();
        for text in [
            String::new(),
            plain[..10].to_owned(),
            format!("{plain}0"),
            format!("0{plain}"),
            other_mark,
            swapped,
            format!("{plain}x"),
            format!("S{plain}"),
            plain.replace('0', "O"),
            "401200000011".to_owned(),
            "4006381333931".to_owned(),
            "2209626298229763235".to_owned(),
            " ".repeat(60) + &plain,
        ] {
            assert_eq!(SlipNumber::read(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_attempt_at_every_order_has_one_that_is_read_back(id in any::<u128>(), attempt in 1..=9_u16) {
            let number = SlipNumber::of(order(id), attempt);
            prop_assert_eq!(number.to_string().len(), DIGITS);
            prop_assert_eq!(SlipNumber::read(&number.to_string()), Some(number));
            for earlier in 1..attempt {
                prop_assert_ne!(SlipNumber::of(order(id), earlier), number);
            }
        }

        #[test]
        fn a_digit_that_is_misread_or_swapped_with_another_is_noticed(id in any::<u128>(), place in 0..11_usize, by in 1..10_u8, other in 0..11_usize) {
            let plain = SlipNumber::of(order(id), 1).to_string().into_bytes();
            let mut misread = plain.clone();
            misread[place] = b'0' + (misread[place] - b'0' + by) % 10;
            prop_assert_eq!(SlipNumber::read(std::str::from_utf8(&misread).unwrap()), None);
            let mut swapped = plain.clone();
            swapped.swap(place, other);
            if swapped != plain {
                prop_assert_eq!(SlipNumber::read(std::str::from_utf8(&swapped).unwrap()), None);
            }
        }
    }
}
