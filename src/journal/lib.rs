//! The journal: what happened at this till, in the order in which it happened, so that no power cut and no crash
//! makes it unsure.
//!
//! One entry is one event of one sale or of one redemption, or a change of one device. Entries are only ever appended, each tied to the one before
//! it by a digest; the state of a sale and of a redemption is the fold of its entries by the domain's own machines, and
//! every table that answers questions about them is made from them. What an [`append`](Journal::append) has returned is on the disk; what it has refused is not there at all.
//!
//! | module | holds |
//! |---|---|
//! | `entry` | what goes in and comes out |
//! | `journal` | the door: open, append, ask |
//! | `append` | the one writer |
//! | `read` | entries back into events, events into sales and redemptions |
//! | `reader` | a look from outside that never writes |
//! | [`index`] | a file beside the journal that finds sales and redemptions, made from it and thrown away at will |
//! | `tries` | wrong codes: how many, and nothing of what they were |
//! | `form` | how an event looks on disk |
//! | `seal` | codes and lines: sealed, and forgotten by destroying their keys |
//! | `chain` | the digests, and verifying them |
//! | `audit` | chain and tables, each against the other |
//! | `tables` | what questions are answered from |
//! | `schema` | the versions of the tables, and migrations |
//! | `failure` | what can go wrong, as sentences |
//!
//! Absent by design: rules (they are the domain's), clocks in anything but a migration's date, retries (they are the
//! counter's), and any way to change or remove an entry.

mod append;
mod audit;
mod chain;
mod entry;
mod failure;
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde gives `with` modules references"
)]
mod form;
pub mod index;
mod journal;
mod read;
mod reader;
mod schema;
mod seal;
mod tables;
mod tries;

pub use entry::{
    Asked, AskedBefore, CardRow, ClosingRow, DeviceRow, Draft, Entry, EntryHead, EntryShown, Event,
    RedemptionRow, RedemptionStep, SaleRow, Seq, Step, Subject, WrongCode, day_id, device_id,
};
pub use failure::{AppendError, Break, DecodeError, OpenError, ReadError, Verdict};
pub use journal::{Journal, Settings};
pub use reader::{Filter, Line, Listed, Page, Part, Place, Reader, RedemptionFilter, Search, What};
pub use seal::SealKey;

#[cfg(test)]
mod proof;
