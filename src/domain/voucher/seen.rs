//! What a provider says about a voucher and a redemption: the answers of validate, redeem, look-up and reverse.
//!
//! The names here are the counter's; what stands on a wire is known to the provider's folder alone. What may be journaled
//! ([`VoucherSeen`]) and what is only shown ([`VoucherShown`]) are two types, so that a sender's name cannot slip into an
//! entry.

use std::fmt;

use crate::ids::{ProviderRedemptionId, VoucherId};
use crate::refusal::Refusal;
use crate::voucher::{Balance, VoucherKind, Worth};

/// A voucher as a validation shows it, without a word about people. A validation that succeeds says that the voucher
/// exists, not that it can be redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherSeen {
    /// The provider's name for it.
    pub voucher: VoucherId,
    /// Whether it may be redeemed here and now. False where the provider does not say.
    pub redeemable: bool,
    /// What may be redeemed of it now, more than nothing. None if nothing may: then the provider does not even tell
    /// whether it is for money or for items.
    pub eligible: Option<Worth>,
    /// What is on it in all, if the provider says so; also of a voucher of which nothing may be redeemed now.
    pub left: Option<Worth>,
    /// Who gave it.
    pub kind: VoucherKind,
}

impl VoucherSeen {
    /// What may be redeemed, if anything may.
    pub fn worth(&self) -> Option<Worth> {
        self.eligible.filter(|eligible| self.redeemable && eligible.is_positive())
    }
}

/// A voucher as a cashier may see it. The words live as long as the screen: none of them is ever journaled or logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherShown {
    /// What counts.
    pub seen: VoucherSeen,
    /// What it is worth, or why it cannot be redeemed, in the provider's words; may be empty.
    pub description: Words,
    /// What the items are; none for money.
    pub item: Option<Words>,
    /// Under which terms; the cashier confirms them for a promotional voucher.
    pub terms: Option<Words>,
    /// Who gave it to the guest.
    pub sender: Option<Words>,
    /// For whom it was meant.
    pub recipient: Option<Words>,
}

/// Text of a provider for people: without control characters, with single blanks, of bounded length, and with every
/// number that may be a code made unreadable. `Debug` shows only its length: it may be a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// The greatest length in characters.
    pub const MOST: usize = 500;
    /// From how many digits in a row on a number may be a code (fact sheet gift-local 6). A date has fewer.
    const LONG_RUN: usize = 8;
    /// The same for digits in groups: a voucher code as people write it.
    const LONG_GROUPS: usize = 12;

    /// Makes text fit to be shown.
    pub fn new(raw: &str) -> Self {
        let mut clean = String::new();
        let mut blank = false;
        let mut count = 0_usize;
        for character in raw.chars() {
            if character.is_whitespace() || character.is_control() || is_invisible(character) {
                blank = !clean.is_empty();
                continue;
            }
            let room = Self::MOST.saturating_sub(count);
            if room <= usize::from(blank) {
                break;
            }
            if std::mem::take(&mut blank) {
                clean.push(' ');
                count = count.saturating_add(1);
            }
            clean.push(character);
            count = count.saturating_add(1);
        }
        Self(without_codes(&clean))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text with dots for the digits of every number that may be a code.
fn without_codes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut number = String::new();
    for character in text.chars() {
        let joins = matches!(character, ' ' | '-' | '–') && number.ends_with(char::is_numeric);
        if character.is_numeric() || joins {
            number.push(character);
        } else {
            push_number(&mut kept, &std::mem::take(&mut number));
            kept.push(character);
        }
    }
    push_number(&mut kept, &number);
    kept
}

fn push_number(kept: &mut String, number: &str) {
    let digits = |text: &str| text.chars().filter(|character| character.is_numeric()).count();
    let all = digits(number) >= Words::LONG_GROUPS;
    for group in number.split_inclusive(|character: char| !character.is_numeric()) {
        let hide = all || digits(group) >= Words::LONG_RUN;
        kept.extend(
            group.chars().map(|character| if hide && character.is_numeric() { '•' } else { character }),
        );
    }
}

/// Characters that take no place and can reorder or hide others.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}

impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Words({} bytes)", self.0.len())
    }
}

/// A redeem that the provider has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// Its name there. None if the answer held none that is known: done, and not to be taken back by a call (fact sheet
    /// gift-local 8).
    pub redemption: Option<ProviderRedemptionId>,
    /// What was taken, if the provider said so.
    pub granted: Option<Worth>,
    /// What is left on the voucher, if the provider said so.
    pub remaining: Balance,
}

/// A redemption as a look-up by our reference shows it. One that the provider does not know is
/// [`Refusal::RedemptionNotFound`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionSeen {
    /// It stands.
    Done(Redeemed),
    /// It was taken back, or never took anything.
    Nothing,
    /// The provider works on it.
    InProgress,
}

/// How a provider answered a reversal. All of these are well-formed answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReverseAnswer {
    /// Taken back by this call.
    Reversed,
    /// It had been taken back before.
    AlreadyReversed,
    /// The redemption is still being worked on: not a failure, ask again.
    StillProcessing,
    /// The provider does not know the redemption.
    NotFound,
    /// It will not take it back.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_providers_words_are_made_fit_for_a_screen() {
        let long = "x".repeat(600);
        for (raw, shown) in [
            ("  $25.00 left \r\n of $50.00 ", "$25.00 left of $50.00"),
            ("\u{1b}p\u{0}Gone", "p Gone"),
            ("Code 012345678901 is spent", "Code •••••••••••• is spent"),
            ("Code 0123-4567-8901.", "Code ••••-••••-••••."),
            ("Code 0123 4567 8901", "Code •••• •••• ••••"),
            ("valid 2026-01-01 - 2026-12-24", "valid 2026-01-01 - 2026-12-24"),
            ("call 1-800-555-1234", "call 1-800-555-1234"),
            ("12/24/2026", "12/24/2026"),
            ("abc\u{202e}def", "abc def"),
            ("Für José 🎁", "Für José 🎁"),
            ("", ""),
            (&long, &"x".repeat(500)),
        ] {
            assert_eq!(Words::new(raw).as_str(), shown);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What was made fit stays as it is, so that words can be written down and read again.
        #[test]
        fn whatever_a_provider_writes_is_bounded_has_no_code_in_it_and_is_made_fit_once(
            raw in prop_oneof![any::<String>(), "([0-9]{1,14}[ –-]{0,2}|[a-z •]{0,5}){0,60}"],
        ) {
            let words = Words::new(&raw);
            prop_assert!(words.as_str().chars().count() <= Words::MOST);
            prop_assert!(!words.as_str().chars().any(char::is_control));
            let runs = words.as_str().split(|character: char| !character.is_numeric());
            prop_assert!(runs.into_iter().all(|run| run.chars().count() < Words::LONG_RUN), "{words:?}");
            prop_assert_eq!(Words::new(words.as_str()), words);
        }
    }

    #[test]
    fn words_may_be_a_name_so_nothing_but_their_length_is_told() {
        assert_eq!(format!("{:?}", Words::new("José")), "Words(5 bytes)");
    }

    #[test]
    fn a_voucher_is_worth_something_only_if_it_may_be_redeemed_now() {
        let seen = |redeemable, eligible| VoucherSeen {
            voucher: "V1".parse().unwrap(),
            redeemable,
            eligible,
            left: None,
            kind: VoucherKind::Gift,
        };
        for (redeemable, eligible, worth) in [
            (true, Some(Worth::Items(2)), Some(Worth::Items(2))),
            (false, Some(Worth::Items(2)), None),
            (true, Some(Worth::Items(0)), None),
            (true, None, None),
        ] {
            assert_eq!(seen(redeemable, eligible).worth(), worth);
        }
    }
}
