//! What a manager looks up in the journal. Nothing here writes to it, and nothing here is waited for by a sale.
//!
//! - *Searching* goes through the index beside the journal. The last entries are taken into it first, so that a sale is found
//!   as soon as it is in the journal. How far the index has come is part of the answer: the first one of a long journal takes a while.
//! - *One sale or redemption, entry by entry*: what is sealed stays sealed, the terminal key is not used.
//! - *Verification* walks all of the chain and the tables, on a thread of its own, one at a time; its result is kept until the
//!   next, or until the daemon ends.
//!
//! Bounded: [`MOST_AT_ONCE`] look-ups read at once, others wait for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tilld_domain::ids::{RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::refusal::Refusal;
use tilld_journal::{EntryHead, Event, Line, Page, Place, ReadError, Reader, Search, Seq, Subject, Verdict};
use tokio::sync::Semaphore;

use crate::Counter;
use crate::indexing::Index;

/// How many look-ups read at once: enough for a page that asks for several things, few enough to leave a core to selling.
const MOST_AT_ONCE: usize = 2;

/// An entry of a sale or a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, moment, kind and state.
    pub head: EntryHead,
    /// What happened. Codes and lines are gone in it.
    pub event: Event,
}

/// Whether the journal is whole, as far as that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It was not verified since the daemon started.
    Never,
    /// It is being verified.
    Running {
        /// Since when.
        since: Moment,
    },
    /// Every entry is what was written, and the tables say what the entries say.
    Whole {
        /// When that was found.
        at: Moment,
        /// How many entries.
        entries: u64,
        /// The last link.
        head: [u8; 32],
    },
    /// Not so.
    Broken {
        /// When that was found.
        at: Moment,
        /// The first entry that does not fit.
        seq: Seq,
        /// What is wrong with it.
        why: String,
    },
    /// It could not be read.
    Unread {
        /// When.
        at: Moment,
        /// Why not.
        why: String,
    },
}

/// What looking things up remembers.
pub(crate) struct Lookups {
    pub(crate) index: Index,
    /// Held by who closes a day.
    pub(crate) closing: tokio::sync::Mutex<()>,
    seats: Semaphore,
    verification: Mutex<Verification>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            index: Index::default(),
            closing: tokio::sync::Mutex::default(),
            seats: Semaphore::new(MOST_AT_ONCE),
            verification: Mutex::new(Verification::Never),
        }
    }
}

impl Lookups {
    fn verification(&self) -> MutexGuard<'_, Verification> {
        self.verification.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    /// The sales and redemptions that fit, newest first, at most `most` of them, and all before a place.
    pub async fn search(&self, search: Search, before: Option<Place>, most: usize) -> Result<Page, Refusal> {
        let (journal, lookups) = (self.journal.clone(), Arc::clone(&self.lookups));
        self.look_up(move || {
            if let Err(error) = lookups.index.catch_up(&journal) {
                tracing::warn!(%error, "the journal cannot be indexed now");
            }
            journal.reader()?.search(&search, before, most)
        })
        .await
    }

    /// A sale entry by entry, with the line of each of its cards; a refusal if there is no such sale.
    pub async fn sale_history(&self, sale: SaleId) -> Result<(Vec<Line>, Vec<Step>), Refusal> {
        let history = self.history(Subject::Sale(sale)).await?;
        history.ok_or(Refusal::SaleUnknown)
    }

    /// A redemption entry by entry, with its line; a refusal if there is no such redemption.
    pub async fn redemption_history(
        &self,
        redemption: RedemptionId,
    ) -> Result<(Vec<Line>, Vec<Step>), Refusal> {
        let history = self.history(Subject::Redemption(redemption)).await?;
        history.ok_or(Refusal::RedemptionUnknown)
    }

    async fn history(&self, subject: Subject) -> Result<Option<(Vec<Line>, Vec<Step>)>, Refusal> {
        let journal = self.journal.clone();
        self.look_up(move || {
            let reader = journal.reader()?;
            let lines = reader.lines_of(subject)?;
            let steps = steps(&reader, subject)?;
            Ok((!lines.is_empty()).then_some((lines, steps)))
        })
        .await
    }

    /// Begins to verify the journal, unless that is being done; how it stands.
    pub fn verify(&self) -> Verification {
        let mut verification = self.lookups.verification();
        if !matches!(*verification, Verification::Running { .. }) {
            let running = Verification::Running { since: self.clock.wall() };
            verification.clone_from(&running);
            let (journal, clock, lookups) =
                (self.journal.clone(), Arc::clone(&self.clock), Arc::clone(&self.lookups));
            let begun = std::thread::Builder::new().name("tilld-verify".to_owned()).spawn(move || {
                let verdict = journal.reader().and_then(|reader| reader.verify());
                let at = clock.wall();
                *lookups.verification() = match verdict {
                    Ok(Verdict::Whole { entries, head }) => Verification::Whole { at, entries, head },
                    Ok(Verdict::Broken { seq, why }) => {
                        tracing::error!(entry = %seq, %why, "the journal is broken");
                        Verification::Broken { at, seq, why: why.to_string() }
                    }
                    Err(error) => Verification::Unread { at, why: error.to_string() },
                };
            });
            if let Err(error) = begun {
                *verification = Verification::Unread { at: self.clock.wall(), why: error.to_string() };
            }
        }
        verification.clone()
    }

    /// How verifying stands.
    pub fn verification(&self) -> Verification {
        self.lookups.verification().clone()
    }

    /// Reads where waiting for the disk does no harm, when there is a seat.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _seat = self.lookups.seats.acquire().await.map_err(|_| Refusal::Stopping)?;
        self.read(work).await
    }
}

fn steps(reader: &Reader, subject: Subject) -> Result<Vec<Step>, ReadError> {
    let heads = reader.shown(subject)?.into_iter().map(|entry| entry.head);
    let events = reader.entries_of(subject)?.into_iter().map(|entry| entry.event);
    Ok(heads.zip(events).map(|(head, event)| Step { head, event }).collect())
}
