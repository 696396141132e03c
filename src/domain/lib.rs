//! The rules of the counter, and nothing else.
//!
//! What a sale is, what may happen to it, what must then be done, and what a person is asked. Every rule is a pure
//! function: the clock, the ids and all that came from outside arrive as arguments. There is no clock, no random
//! number, no file, no socket, no `async`, and no knowledge of how a disk or a wire looks: that is `journal`'s and
//! `api`'s own. So a test can put any moment of a sale on the table and look at it.
//!
//! | module | holds |
//! |---|---|
//! | [`money`] | integer minor units with their currency, checked |
//! | [`ids`] | every name a thing can have, bounded and safe to print |
//! | [`secret`] | text that is worth money: never shown, wiped after use |
//! | [`product`] | what can be sold, and for how much |
//! | [`refusal`] | the closed list of reasons why not |
//! | [`outcome`] | the three ways in which a call to a provider can end |
//! | [`moment`] | points in time, given from outside |
//! | [`printing`] | how the printing of a slip can end |
//! | [`slip`] | a piece of paper before any printer's language |
//! | [`slip_number`] | the number at the foot of a printed card's slip |
//! | [`bars`] | the bars of its one-dimensional codes |
//! | [`order`] | one gift card at a provider: the rows A1 to A20 |
//! | [`sale`] | one till receipt: cards, one payment, one machine a card |
//! | [`voucher`] | what a guest redeems, before anything is taken from it |
//! | [`redemption`] | what is taken from one voucher: the rows B3 to B13 |
//! | `pauses` | how long is waited before a provider is asked again |
//! | [`day`] | a day of business, and its closing |
//! | [`turnover`] | what a day adds up to |
//! | [`device`] | what is known of a device beside the till |
//! | [`attention`] | what waits for a person |
//! | [`screen`] | what the cashier reads about it |

pub mod attention;
pub mod bars;
pub mod day;
pub mod device;
pub mod ids;
pub mod moment;
pub mod money;
pub mod order;
pub mod outcome;
pub mod pauses;
pub mod printing;
pub mod product;
pub mod redemption;
pub mod refusal;
pub mod sale;
pub mod screen;
pub mod secret;
pub mod slip;
pub mod slip_number;
pub mod turnover;
pub mod voucher;
