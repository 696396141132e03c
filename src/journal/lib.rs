//! Being built.

mod entry;
mod failure;
mod journal;
mod reader;
mod seal;

pub use entry::{Asked, AskedBefore, CardRow, Draft, Entry, EntryHead, SaleRow, Seq};
pub use failure::{AppendError, Break, DecodeError, OpenError, ReadError, Verdict};
pub use journal::{Journal, Settings};
pub use reader::{Filter, Reader};
pub use seal::SealKey;
