//! What can go wrong with the journal, as sentences that say what to do. No text here holds a code, a line or a key.

use std::path::PathBuf;

use crate::entry::{Seq, Subject};

/// Why the journal cannot be opened. Without a journal nothing is sold (law L10).
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon holds it.
    #[error("the journal in {} is in use by another tilld; stop that one first, or give this one a directory of its own", .0.display())]
    InUse(PathBuf),
    /// Its directory or file cannot be used.
    #[error("the journal's {what} {} cannot be used: {why}", path.display())]
    Path {
        /// Directory, file or lock.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// There is none, and a reader makes none.
    #[error("there is no journal in {}", .0.display())]
    NoJournal(PathBuf),
    /// The file is something else.
    #[error("{} is no journal of tilld", .0.display())]
    NotAJournal(PathBuf),
    /// An SQLite with known errors in its write-ahead log.
    #[error("this program was built with SQLite {found}; 3.51.3 or later is needed")]
    SqliteTooOld {
        /// Its version.
        found: &'static str,
    },
    /// Written by a later release.
    #[error(
        "the journal was written by a newer tilld (version {found} of its tables, this one knows {known}); install that release again"
    )]
    Newer {
        /// The version found.
        found: u32,
        /// The latest that is known here.
        known: u32,
    },
    /// Written by an earlier release, and a reader migrates nothing.
    #[error(
        "the journal was written by an older tilld (version {found} of its tables, this one reads {known}); start the daemon once"
    )]
    Older {
        /// The version found.
        found: u32,
        /// The one that is read here.
        known: u32,
    },
    /// A migration that was applied differs from the one that this program knows.
    #[error(
        "migration {version} of the journal is not the one that this tilld knows; it was written by a build that was never released"
    )]
    OtherMigration {
        /// Which.
        version: u32,
    },
    /// A migration failed; the journal is as it was before.
    #[error("the journal could not be brought to version {version}, and is as it was: {why}")]
    Migration {
        /// To which version.
        version: u32,
        /// Why.
        why: String,
    },
    /// A reader keeps an older journal from being migrated.
    #[error(
        "the journal must be brought to a new version, and another program is reading it; stop that one first"
    )]
    BeingRead,
    /// The terminal key is another one than the journal was made with.
    #[error("the terminal key does not fit this journal; give the key that it was made with")]
    WrongKey,
    /// Its chain is broken.
    #[error(
        "the journal's chain is broken at entry {seq}: {why}; nothing is sold until a manager has looked at it"
    )]
    Broken {
        /// The first entry that does not fit.
        seq: Seq,
        /// What is wrong with it.
        why: Break,
    },
    /// SQLite says no.
    #[error("the journal cannot be opened: {0}")]
    Database(String),
}

/// Why nothing was written. Whatever the reason: no part of the drafts is in the journal, and the next append may
/// succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No room on the disk.
    #[error("the journal cannot grow: the disk is full")]
    Full,
    /// The file or its file system may not be written.
    #[error("the journal may not be written: it is read-only")]
    ReadOnly,
    /// The disk failed.
    #[error("the journal could not be written: {0}")]
    Io(String),
    /// The till's key of this draft belongs to another entry.
    #[error("the key of the request was used before")]
    KeyTaken {
        /// Which of the drafts, from 0.
        draft: usize,
    },
    /// The receipt of this draft's sale belongs to another sale.
    #[error("the receipt belongs to another sale")]
    ReceiptTaken {
        /// Which of the drafts, from 0.
        draft: usize,
    },
    /// The draft contradicts itself or the journal: the opening of another subject, a card that is not there, an event
    /// before the first.
    #[error("the entry does not fit what it is about: {why}")]
    Misfit {
        /// Which of the drafts, from 0.
        draft: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A code or lines could not be sealed.
    #[error("the codes of an entry could not be sealed")]
    Seal,
    /// The database is damaged, or anything else that SQLite says.
    #[error("the journal could not be written: {0}")]
    Database(String),
}

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// An entry that this program cannot understand.
    #[error("entry {seq} of the journal cannot be read: {why}")]
    Entry {
        /// Which.
        seq: Seq,
        /// Why.
        why: DecodeError,
    },
    /// The entries of a sale or a redemption do not fit each other.
    #[error("entry {seq} does not fit the {subject}")]
    Misfit {
        /// Of which.
        subject: Subject,
        /// The first that does not fit.
        seq: Seq,
    },
    /// The cached catalogue cannot be understood.
    #[error("the cached products cannot be read: {0}")]
    Products(DecodeError),
    /// SQLite says no.
    #[error("the journal cannot be read: {0}")]
    Database(String),
}

/// What is wrong with something that was written. The text is cut and made safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a release that this one does not know.
    #[error("its version {0} is not known")]
    Version(u64),
    /// A column that holds what it never holds.
    #[error("its column {0} is damaged")]
    Column(&'static str),
    /// A field or a word that is not known, or one that is missing.
    #[error("{0}")]
    Body(String),
    /// The sealed part does not fit what the public part says.
    #[error("its sealed part does not fit it")]
    Sealed,
}

/// How a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A number is left out, or the last entries are gone.
    #[error("it is missing")]
    Missing,
    /// It or one before it was changed, or it stands in another's place.
    #[error("it is not what was written")]
    Changed,
    /// A column of a type that is never written.
    #[error("it is damaged")]
    Damaged,
    /// The tables that questions are answered from say something else of its sale or redemption than the entries do.
    #[error("the tables of its sale or redemption do not say what its entries say")]
    Tables,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry is what was written, in the order in which it was written.
    Whole {
        /// How many.
        entries: u64,
        /// The last link; compare it with one that was noted elsewhere.
        head: [u8; 32],
    },
    /// Not so.
    Broken {
        /// The first entry that does not fit.
        seq: Seq,
        /// What is wrong with it.
        why: Break,
    },
}
