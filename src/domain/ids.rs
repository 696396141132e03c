//! Every name that a thing can have, each a type of its own, bounded, and safe to put on a line of text.
//!
//! Ids that the daemon makes are UUIDv7 (RFC 9562), made outside. Names that come from a till or a provider are
//! opaque: their length and their characters are checked, their meaning is not, and no check digit ever is
//! (finperks' own example product code has a wrong one, fact sheet 3.1).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::secret::Secret;

/// Why a text cannot be the name that it was given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Longer than the type allows.
    #[error("it is longer than {0} characters")]
    TooLong(usize),
    /// A character that may not stand there: a control character, or one beyond ASCII where only ASCII may stand.
    #[error("it holds a character that is not allowed there")]
    Character,
    /// It looks like the number of a payment card, which is never accepted (law L11).
    #[error("it looks like the number of a payment card, which is never accepted here")]
    PaymentCard,
    /// Not a UUID.
    #[error("it is not a UUID")]
    NotAUuid,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an id over that was made outside.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The id itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotAUuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }
    };
}

uuid_id!(
    /// One till receipt: its cards and its payment.
    SaleId
);
uuid_id!(
    /// One gift card at a provider, by the daemon's own name for it.
    OrderId
);
uuid_id!(
    /// One redemption of a voucher, by the daemon's own name for it.
    RedemptionId
);
uuid_id!(
    /// One device beside the till. It is made of the device's name in the configuration, so that it stays the same from run
    /// to run.
    DeviceId
);
uuid_id!(
    /// One day of business. It is made of its date, so that a day is closed once.
    DayId
);
uuid_id!(
    /// One look at a voucher. It lives in memory only.
    CheckId
);
uuid_id!(
    /// The programme that a till expects a voucher to be of; the provider's id (fact sheet gift-local 2).
    ProgramId
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $most:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The greatest length in characters.
            pub const MOST: usize = $most;

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text, Self::MOST, $allowed)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

/// ASCII that shows on paper, and inner blanks.
fn printable(character: char) -> bool {
    character.is_ascii_graphic() || character == ' '
}

/// What may stand in a path segment of an URL without being escaped (RFC 3986, "unreserved").
fn unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~".contains(character)
}

/// Letters of any script, digits, blanks and the punctuation of names.
fn of_a_name(character: char) -> bool {
    character.is_alphanumeric() || " .,'’-_#@()/&".contains(character)
}

text_id!(
    /// The till's own number of the receipt.
    ReceiptId, 64, printable
);
text_id!(
    /// The till, as the provider knows it; free text there, with a limit of its own.
    TerminalId, 32, printable
);
text_id!(
    /// The store by the retailer's own id, registered at the provider before its first order.
    StoreId, 64, printable
);
text_id!(
    /// Which product: opaque text, mostly 13 digits or a UUID.
    ProductCode, 64, unreserved
);
text_id!(
    /// The provider's name for an order; it becomes a part of a path.
    ProviderOrderId, 128, unreserved
);
text_id!(
    /// The till's own name of the basket that a voucher is redeemed for.
    BasketId, 64, printable
);
text_id!(
    /// The provider's name for a redemption; by it alone a redemption can be reversed.
    ProviderRedemptionId, 128, unreserved
);
text_id!(
    /// The key under which a till asked for something (`Idempotency-Key` at the local door).
    RequestKey, 128, printable
);
text_id!(
    /// The key under which the daemon asks a provider (`Idempotency-Key` at theirs); a UUID in practice.
    ProviderKey, 64, unreserved
);
text_id!(
    /// A device's name in the configuration.
    DeviceName, 64, of_a_name
);
text_id!(
    /// Who works at the till, or who decided.
    PersonName, 64, of_a_name
);
text_id!(
    /// A BCP 47 tag, such as `de-DE`.
    Locale, 16, |character: char| character.is_ascii_alphanumeric() || character == '-'
);
text_id!(
    /// An ISO 3166-1 alpha-2 code, such as `DE`.
    Country, 2, |character: char| character.is_ascii_uppercase()
);

fn check(text: &str, most: usize, allowed: impl Fn(char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    // Bytes first: the answer to ten kilobytes must not cost a walk over them.
    if text.len() > most.saturating_mul(4) || text.chars().count() > most {
        return Err(IdError::TooLong(most));
    }
    if text.starts_with(' ') || text.ends_with(' ') || !text.chars().all(allowed) {
        return Err(IdError::Character);
    }
    if matches!(text, "." | "..") {
        return Err(IdError::Character);
    }
    if looks_like_payment_card(text) {
        return Err(IdError::PaymentCard);
    }
    Ok(())
}

/// The code that was scanned from the hanger of a POSA card. Opaque; kept apart from the product code because some
/// programmes print the product's code there and some a serial number (fact sheet U19).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardCode(Secret);

impl CardCode {
    /// The greatest length in characters.
    pub const MOST: usize = 64;

    /// The code for the wire and the seal.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl FromStr for CardCode {
    type Err = IdError;
    /// Accepts what a scanner sends for a one-dimensional code: letters, digits and `-._~`.
    fn from_str(text: &str) -> Result<Self, IdError> {
        check(text, Self::MOST, unreserved)?;
        Ok(Self(Secret::new(text.to_owned())))
    }
}

/// The provider's name for a voucher. Not the voucher's code, but together with the shop's key it spends the voucher all
/// the same (fact sheet gift-local 7c): it is journaled, and never shown, logged or printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VoucherId(String);

impl VoucherId {
    /// The greatest length in characters.
    pub const MOST: usize = 64;

    /// The text itself: for the wire, the journal and comparing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VoucherId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        check(text, Self::MOST, unreserved)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for VoucherId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("VoucherId(…)")
    }
}

/// Whether a text is shaped like the number of a payment card: 15 or 16 digits, perhaps in groups, from a range that
/// the large card schemes issue, with a right Luhn digit. Thirteen digits are not looked at: a Visa number of the
/// last century and a German EAN (400 to 440) cannot be told apart.
pub fn looks_like_payment_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
    let only_groups =
        text.chars().all(|character| character.is_ascii_digit() || matches!(character, ' ' | '-'));
    if !only_groups || !matches!(digits.len(), 15 | 16) {
        return false;
    }
    let head =
        digits.iter().take(4).fold(0_u32, |number, digit| number.saturating_mul(10).saturating_add(*digit));
    let issued = match digits.len() {
        15 => matches!(head, 3400..=3499 | 3700..=3799),
        _ => matches!(head, 4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6500..=6599 | 3528..=3589),
    };
    issued && luhn(&digits)
}

/// Whether the last digit is the check digit of ISO/IEC 7812-1 (Luhn) to the others.
pub(crate) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit.saturating_mul(2)) {
            (0, _) => *digit,
            (_, doubled) => (doubled / 10).saturating_add(doubled % 10),
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_are_bounded_and_printable() {
        let long = "x".repeat(10_240);
        for (text, expected) in [
            ("R1234567890", Ok(())),
            ("till 3 / 17", Ok(())),
            ("", Err(IdError::Empty)),
            (" R1", Err(IdError::Character)),
            ("R1 ", Err(IdError::Character)),
            ("R\u{1b}p", Err(IdError::Character)),
            ("R\n1", Err(IdError::Character)),
            ("R🎁", Err(IdError::Character)),
            (long.as_str(), Err(IdError::TooLong(64))),
            ("4111 1111 1111 1111", Err(IdError::PaymentCard)),
        ] {
            assert_eq!(text.parse::<ReceiptId>().map(|_| ()), expected, "{text:.20}");
        }
    }

    #[test]
    fn a_providers_order_id_can_never_change_the_path_it_stands_in() {
        for text in ["..", ".", "a/b", "a?b", "a#b", "a%2f", "a b", "ä"] {
            assert!(text.parse::<ProviderOrderId>().is_err(), "{text}");
        }
        assert!("ro_0193-AB.c~1".parse::<ProviderOrderId>().is_ok());
    }

    #[test]
    fn codes_are_opaque_but_payment_cards_are_never_taken() {
        for (text, taken) in [
            ("4001232232332", true), // a product code whose check digit is wrong
            ("6006491234567890123", true),
            ("4111111111111111", false), // Visa's test number
            ("378282246310005", false),  // American Express's
            ("4111111111111112", true),  // no Luhn digit: not a card
            ("R4111111111111111", true), // a number of the shop's own
        ] {
            assert_eq!(text.parse::<CardCode>().is_ok(), taken, "{text}");
        }
    }

    #[test]
    fn people_have_names_in_any_script_without_control_characters() {
        assert!("Jürgen Łukasz O’Neill".parse::<PersonName>().is_ok());
        assert!("x\u{7}".parse::<PersonName>().is_err());
        assert!("🎁".parse::<PersonName>().is_err());
    }

    #[test]
    fn a_length_is_counted_in_characters_of_any_script() {
        for letter in ["x", "ł", "名", "𐐀"] {
            assert!(letter.repeat(64).parse::<PersonName>().is_ok(), "{letter}");
            assert_eq!(letter.repeat(65).parse::<PersonName>(), Err(IdError::TooLong(64)), "{letter}");
        }
    }
}
