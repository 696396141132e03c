//! What a scanner or a person sends, read into a voucher's code, or refused by a sentence that says what it was instead.
//!
//! The whole of it is one total function, [`ScanRules::read`]: the ends are cleaned of what scanners add (control
//! characters such as STX, ETX, CR, LF and TAB, the AIM symbology identifier of ISO/IEC 15424, and what the shop's
//! scanners are set to send), and then the text is one of these, in this order:
//!
//! | it is | it becomes |
//! |---|---|
//! | from an EAN or UPC bar code, by its AIM identifier | a product |
//! | something that begins as the till's receipts do | a receipt |
//! | digits with blanks and dashes: 12 | the code, leading zeros kept |
//! | digits: 8, 13 or 14 with the check digit of a GTIN | a product |
//! | digits: 13 to 19 with the check digit of Luhn, alone or inside other text | the number of a payment card |
//! | digits: fewer, more | too short, too long |
//! | an `http` or `https` link | the token in its path, where host and path fit the rules; else no voucher |
//! | letters, digits, `_` and `-`, 8 to 128 of them | a bare token |
//! | anything else | unreadable |
//!
//! A UPC-A product has twelve digits too, and every tenth voucher code has its check digit: where the scanner sends no
//! AIM identifier, the provider must tell the two apart. A link is never fetched. It is not read by a library, because those
//! copy it into memory that nobody wipes, and normalise what should rather be refused.
//!
//! What was refused is kept nowhere, and no refusal holds a character of it.

use zeroize::Zeroizing;

use super::code::wiped;
use super::{DIGITS, VoucherCode};
use crate::ids::luhn;
use crate::refusal::Refusal;

/// The longest scan that is looked at, in bytes: a QR code that a counter's scanner reads at once holds less.
pub const LONGEST: usize = 1024;
/// The longest configured text, in characters.
const LONGEST_RULE: usize = 128;
/// How many digits the numbers of payment cards have (ISO/IEC 7812-1).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Where a provider's QR codes lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRule {
    /// The host, in lower case; no port.
    pub host: String,
    /// What stands in the path before the token: `/`, or something that begins and ends with it.
    pub path: String,
}

/// What this shop's scanners add, where its provider's links lead, and how its receipts begin. Made once from the
/// configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRules {
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    links: Vec<LinkRule>,
    receipts: Vec<String>,
}

/// Why rules cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanRulesError {
    /// A prefix or suffix of nothing, or of more than anyone sets a scanner to.
    #[error("what a scanner adds has 1 to {LONGEST_RULE} characters")]
    Length,
    /// A prefix or suffix that may be the beginning or the end of a code.
    #[error("what a scanner adds cannot be digits alone: a code may begin or end so")]
    Digits,
    /// Not a host's name.
    #[error("a link's host is a name such as vouchers.example, in lower case, without a port")]
    Host,
    /// Not a path.
    #[error("a link's path begins and ends with / and holds letters, digits, -, ., _ and / only")]
    Path,
}

impl ScanRules {
    /// Rules out of the configuration. Without `links` a token is taken from a link to any host: it is only ever sent to
    /// the provider itself.
    pub fn new(
        mut prefixes: Vec<String>,
        mut suffixes: Vec<String>,
        links: Vec<LinkRule>,
        receipts: Vec<String>,
    ) -> Result<Self, ScanRulesError> {
        let lengths = prefixes.iter().chain(&suffixes).chain(&receipts);
        if lengths.into_iter().any(|text| text.is_empty() || text.chars().count() > LONGEST_RULE) {
            return Err(ScanRulesError::Length);
        }
        if prefixes.iter().chain(&suffixes).any(|text| text.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(ScanRulesError::Digits);
        }
        for LinkRule { host, path } in &links {
            if !is_host(host)
                || host.len() > LONGEST_RULE
                || host.bytes().any(|byte| byte.is_ascii_uppercase())
            {
                return Err(ScanRulesError::Host);
            }
            let of_a_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
            if !(path.starts_with('/') && path.ends_with('/') && path.bytes().all(of_a_path))
                || path.len() > LONGEST_RULE
            {
                return Err(ScanRulesError::Path);
            }
        }
        // Of two that fit, the longer one is meant.
        prefixes.sort_by_key(|text| std::cmp::Reverse(text.len()));
        suffixes.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Ok(Self { prefixes, suffixes, links, receipts })
    }

    /// Scanners that add nothing of their own, and links to anywhere.
    pub const fn plain() -> Self {
        Self { prefixes: Vec::new(), suffixes: Vec::new(), links: Vec::new(), receipts: Vec::new() }
    }

    /// Reads a scan. Total: whatever comes, it is a code or a refusal.
    pub fn read(&self, raw: &str) -> Result<VoucherCode, Refusal> {
        if raw.len() > LONGEST {
            return Err(Refusal::ScanTooLong);
        }
        let (text, of_a_product) = self.without_what_scanners_add(raw);
        if text.is_empty() {
            return Err(Refusal::ScanEmpty);
        }
        if of_a_product {
            return Err(Refusal::ScanProductCode);
        }
        let digits = only_digits(text);
        let is_code = digits.as_ref().is_some_and(|digits| digits.len() == DIGITS);
        let of_a_receipt = |prefix: &String| {
            let numeric = prefix.bytes().all(|byte| byte.is_ascii_digit());
            text.starts_with(prefix.as_str()) && !(numeric && is_code)
        };
        if self.receipts.iter().any(of_a_receipt) {
            return Err(Refusal::ScanReceipt);
        }
        if let Some(digits) = digits {
            return code_of_digits(&digits);
        }
        if holds_card_number(text) {
            return Err(Refusal::ScanPaymentCard);
        }
        match link(text) {
            Some((host, path)) => self.token_of_link(host, path),
            None => bare_token(text).ok_or(Refusal::ScanUnreadable),
        }
    }

    /// The text itself, and whether the scanner said that it was read from an EAN or UPC bar code.
    fn without_what_scanners_add<'a>(&self, raw: &'a str) -> (&'a str, bool) {
        let (text, first) = without_aim(ends_cleaned(raw));
        let prefix = self.prefixes.iter().find_map(|prefix| text.strip_prefix(prefix.as_str()));
        let (text, second) = match prefix {
            Some(text) => without_aim(text),
            None => (text, None),
        };
        let suffix = self.suffixes.iter().find_map(|suffix| text.strip_suffix(suffix.as_str()));
        (ends_cleaned(suffix.unwrap_or(text)), first.or(second) == Some('E'))
    }

    fn token_of_link(&self, host: &str, path: &str) -> Result<VoucherCode, Refusal> {
        let fits = |rule: &LinkRule| {
            host.eq_ignore_ascii_case(&rule.host).then(|| path.strip_prefix(rule.path.as_str())).flatten()
        };
        let token =
            if self.links.is_empty() { path.strip_prefix('/') } else { self.links.iter().find_map(fits) };
        token
            .map(|token| token.strip_suffix('/').unwrap_or(token))
            .and_then(VoucherCode::token)
            .ok_or(Refusal::ScanForeignLink)
    }
}

/// A text without the blanks and control characters at its ends.
pub(crate) fn ends_cleaned(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_control() || character.is_whitespace() || character == '\u{feff}'
    })
}

/// The text behind an AIM symbology identifier (`]`, a letter for the symbology, one more character), and that letter.
pub(crate) fn without_aim(text: &str) -> (&str, Option<char>) {
    let mut characters = text.chars();
    let (Some(']'), Some(letter), Some(modifier)) = (characters.next(), characters.next(), characters.next())
    else {
        return (text, None);
    };
    if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() {
        (characters.as_str(), Some(letter))
    } else {
        (text, None)
    }
}

/// The digits of a text that holds nothing else but what people put between them.
pub(crate) fn only_digits(text: &str) -> Option<Zeroizing<String>> {
    let between = |character: char| {
        matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}'..='\u{2013}' | '\u{2212}')
    };
    let ends = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    if !ends(text.chars().next())
        || !ends(text.chars().next_back())
        || !text.chars().all(|character| character.is_ascii_digit() || between(character))
    {
        return None;
    }
    let mut digits = wiped(text.len());
    digits.extend(text.chars().filter(char::is_ascii_digit));
    Some(digits)
}

fn code_of_digits(digits: &str) -> Result<VoucherCode, Refusal> {
    let count = digits.len();
    if let Some(code) = VoucherCode::number(digits) {
        return Ok(code);
    }
    // Of thirteen digits the product comes first: no card of today has so few.
    if matches!(count, 8 | 13) && is_gtin(digits) {
        return Err(Refusal::ScanProductCode);
    }
    if is_card_number(digits) {
        return Err(Refusal::ScanPaymentCard);
    }
    if count == 14 && is_gtin(digits) {
        return Err(Refusal::ScanProductCode);
    }
    Err(if count < DIGITS { Refusal::ScanTooShort } else { Refusal::ScanTooLong })
}

/// Whether the last digit is the check digit of a GTIN (GS1 General Specifications 7.9: from the right, weights 1 and 3).
fn is_gtin(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            u32::from(byte.saturating_sub(b'0')).saturating_mul(if place % 2 == 0 { 1 } else { 3 })
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_card_number(digits: &str) -> bool {
    let values: Zeroizing<Vec<u32>> =
        Zeroizing::new(digits.bytes().map(|byte| u32::from(byte.saturating_sub(b'0'))).collect());
    CARD_DIGITS.contains(&digits.len()) && luhn(&values)
}

/// Whether a card's number stands anywhere in the text: a magnetic stripe's track, a link.
fn holds_card_number(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_digit()).any(is_card_number)
}

/// A token that stands alone: one segment, with a letter in it. Digits with a stroke too many are a slip of a finger.
fn bare_token(text: &str) -> Option<VoucherCode> {
    let is_one = !text.contains('/') && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_one.then(|| VoucherCode::token(text)).flatten()
}

/// Host and path of a link, without what follows them. None if it is no link.
fn link(text: &str) -> Option<(&str, &str)> {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let rest = text.get(scheme.len()..)?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => "",
        None => authority,
    };
    // A link that cannot be taken apart plainly leads nowhere: no rule knows it.
    Some(if is_host(host) { (host, path) } else { ("", "") })
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests;
