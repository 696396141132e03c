//! A voucher before anything is taken from it: what was scanned, what it is worth, and what its provider offers.
//!
//! | module | holds |
//! |---|---|
//! | `code` | the secret: twelve digits or a token |
//! | [`scan`] | what a scanner or a person sends, read into a code or refused by a sentence |
//! | `worth` | money or whole items; tender or discount |
//! | `seen` | the answers of validate, redeem, look-up and reverse |
//! | `offers` | what can be done at this provider when an outcome is unknown |
//! | [`check`] | one look at a voucher: the rows B1, B2 and B14 |
//! | [`tries`] | how many wrong codes a terminal may try |
//!
//! What is taken, and what becomes of it, is [`crate::redemption`].

pub mod check;
mod code;
mod offers;
pub mod scan;
mod seen;
pub mod tries;
mod worth;

pub use code::{CodeTail, DIGITS, VoucherCode};
pub use offers::{Offers, Recourse, Reversal};
pub use seen::{Redeemed, RedemptionSeen, ReverseAnswer, VoucherSeen, VoucherShown, Words};
pub use worth::{Balance, Booking, VoucherKind, Worth};
