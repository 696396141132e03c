//! The code of a voucher: the twelve digits, or the token of its QR code.
//!
//! Whoever has it can spend the voucher: there is no PIN (fact sheet gift-local 7c). So it is a [`Secret`], it is kept
//! sealed, and it is forgotten as soon as nothing can be found out by it any more. People see its last four characters.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// How many digits a voucher code has (fact sheet gift-local 2). Leading zeros count.
pub const DIGITS: usize = 12;
/// The shortest and the longest segment of a token (fact sheet gift-local 8).
const SEGMENT: std::ops::RangeInclusive<usize> = 8..=128;
/// The longest token with all its segments.
const LONGEST_TOKEN: usize = 256;

/// A voucher's code. It has no `Display`, and its `Debug` says only which form it has.
#[derive(Clone, PartialEq, Eq)]
pub enum VoucherCode {
    /// Exactly [`DIGITS`] ASCII digits.
    Number(Secret),
    /// A public token: segments of letters, digits, `_` and `-`, joined by `/`.
    Token(Secret),
}

impl VoucherCode {
    /// The code of exactly twelve ASCII digits.
    pub fn number(digits: &str) -> Option<Self> {
        let fits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self::Number(Secret::new(digits.to_owned())))
    }

    /// A token of one segment or more.
    pub fn token(text: &str) -> Option<Self> {
        let of_a_segment = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let fits = text.len() <= LONGEST_TOKEN
            && text.split('/').all(|part| SEGMENT.contains(&part.len()) && part.bytes().all(of_a_segment));
        fits.then(|| Self::Token(Secret::new(text.to_owned())))
    }

    /// The text itself: for the wire and the seal, and for nothing else.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Number(text) | Self::Token(text) => text,
        }
    }

    /// The last four characters, which slips, screens and the journal may show.
    pub fn tail(&self) -> CodeTail {
        let text = self.secret().reveal();
        CodeTail(text.get(text.len().saturating_sub(4)..).unwrap_or_default().to_owned())
    }
}

impl fmt::Debug for VoucherCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Number(_) => "Number(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// The last four characters of a code, for a person to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTail(String);

impl CodeTail {
    /// Takes back what [`CodeTail::as_str`] gave; none if it is more than a tail.
    pub fn new(text: &str) -> Option<Self> {
        let fits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The four characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The four characters behind dots.
    pub fn masked(&self) -> String {
        format!("••••{}", self.0)
    }
}

/// A working copy of text that may hold a code; wiped when it goes.
pub(super) fn wiped(capacity: usize) -> Zeroizing<String> {
    // The whole capacity at once: a text that grows leaves copies behind that nobody wipes.
    Zeroizing::new(String::with_capacity(capacity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_twelve_digits_or_a_token_and_nothing_else() {
        for (text, number, token) in [
            ("012345678901", true, true),
            ("000000000000", true, true),
            ("01234567890", false, true),
            ("0123456789012", false, true),
            ("٠١٢٣٤٥٦٧٨٩٠١", false, false),
            ("Ab3_-xYz", false, true),
            ("Ab3_-xY", false, false),
            ("vouchers/Ab3_-xYz", false, true),
            ("vouchers//Ab3_-xYz", false, false),
            ("/Ab3_-xYz1", false, false),
            ("Ab3_-xYz1/", false, false),
            ("Ab3.xYz12345", false, false),
            ("", false, false),
        ] {
            assert_eq!(VoucherCode::number(text).is_some(), number, "{text}");
            assert_eq!(VoucherCode::token(text).is_some(), token, "{text}");
        }
        assert!(VoucherCode::token(&"x".repeat(128)).is_some());
        assert!(VoucherCode::token(&"x".repeat(129)).is_none());
    }

    #[test]
    fn a_code_shows_its_last_four_characters_and_no_more() {
        let code = VoucherCode::number("012345678901").unwrap();
        assert_eq!((code.tail().as_str(), code.tail().masked().as_str()), ("8901", "••••8901"));
        assert_eq!(format!("{code:?}"), "Number(…)");
        assert_eq!(format!("{:?}", VoucherCode::token("Ab3_-xYz").unwrap()), "Token(…)");
        assert_eq!(CodeTail::new(code.tail().as_str()), Some(code.tail()));
        for text in ["", "901", "78901", "89 1", "ä01"] {
            assert_eq!(CodeTail::new(text), None, "{text}");
        }
    }
}
