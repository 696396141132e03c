//! Facts in, slip out.
//!
//! This room turns what is known about a sale into [`Slip`](tilld_domain::slip::Slip)s: rows that fit the paper, in the
//! customer's language, with nothing in them that a printer could take for a command. It also draws a slip, as text
//! for a terminal and as a picture. It prints nothing, sends nothing, reads no file of its own and decides nothing
//! about money; a caller can lay the same slip out twice and gets the same slip.
//!
//! | module | holds |
//! |---|---|
//! | [`slip`] | which rows the slip of a gift card has, and in what order |
//! | [`voucher`] | the same for a redemption, its reversal, and a balance enquiry |
//! | [`report`] | the same for a day of business |
//! | [`mod@test_slip`] | what shows at a glance whether a printer is set right |
//! | [`codes`] | what in a provider's lines may be a code: dots in its place, and knowing it again |
//! | [`rows`] | text from outside made safe, and broken into rows of the paper's width |
//! | [`locale`] | amounts, dates and times as the customer's country writes them |
//! | [`wording`] | the words on slips in seven languages |
//! | [`preview`] | a slip as it will look on paper |
//!
//! A slip of a POR card is money. Texts that may hold a code live in
//! [`Secret`](tilld_domain::secret::Secret)s here; a preview is what stands on the paper, so it is as secret as the slip.

pub mod codes;
pub mod locale;
pub mod preview;
pub mod report;
pub mod rows;
pub mod slip;
mod states;
pub mod test_slip;
pub mod voucher;
pub mod wording;
