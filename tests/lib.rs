//! The proof in the trade's language.
//!
//! [`script`] runs till scripts: one act a line, what must follow at the right. They run against the whole daemon as it is
//! shipped: its own configuration file, journal, driver, signed HTTP calls to a simulated finperks, a network printer on a
//! socket, and the local API, spoken to as a till does. Only the counter's clock is held in the hand ([`clock`]), so that
//! twelve seconds of silence take no time and no slow machine fails a test.
//!
//! [`guest`] runs the scripts of a redemption counter the same way, against a simulated Gift Local.
//!
//! [`books`] compares three books that know nothing of each other: the provider's ledger, the paper that came out, and the
//! money as the till was told.

// A proof stops at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
// A set-up goes to a task that outlives its caller.
#![allow(clippy::missing_panics_doc, clippy::large_types_passed_by_value)]

pub mod books;
pub mod clock;
pub mod guest;
pub mod leaks;
pub mod process;
pub mod script;
pub mod search;
pub mod shop;
pub mod trade;
pub mod world;
