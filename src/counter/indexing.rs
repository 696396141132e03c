//! The thread that keeps the journal's index up, so that no commit has to.
//!
//! Every [`PAUSE`] it takes in what was written since, if anything was. An index that must be made (of a journal that was there before
//! it, or because it was lost) is made in small batches, each followed by a pause as long as itself, on a thread of the lowest
//! priority: selling goes before. While the journal is shut nothing is done: who holds it indexes it.
//!
//! It is not awaited by anybody: who searches takes in the last entries himself, if they are few ([`Index::catch_up`]).

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tilld_journal::index::{self, Followed};
use tilld_journal::{ReadError, Seq};

use crate::StartError;
use crate::book::Book;
use crate::lookups::Lookups;

/// How often it is looked whether something was written.
const PAUSE: Duration = Duration::from_secs(2);
/// How long nothing is tried after a failure. A full disk must not be filled again at once by what was removed from it.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_mins(10);
/// The lowest priority there is (nice).
const LOWEST: i32 = 19;

/// The thread as it runs. Dropped, it ends, and is waited for: it holds the journal's files open.
pub(crate) struct Indexing {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Indexing {
    pub(crate) fn start(book: Book, lookups: Arc<Lookups>) -> Result<Self, StartError> {
        let (stop, stopped) = mpsc::channel();
        let thread = Builder::new()
            .name("tilld-index".to_owned())
            .spawn(move || run(&book, &lookups, &stopped))
            .map_err(|error| StartError::Thread(error.to_string()))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Indexing {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It panicked: then it holds nothing either.
            let _ = thread.join();
        }
    }
}

fn run(book: &Book, lookups: &Lookups, stopped: &mpsc::Receiver<()>) {
    // On Linux the priority is the thread's own. Without it the thread is as polite as its pauses.
    let _ = rustix::process::setpriority_process(None, LOWEST);
    let mut pause = PAUSE;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let begun = Instant::now();
        pause = match lookups.index.next(book) {
            Ok(Some(followed)) if !followed.is_whole() => begun.elapsed(),
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be indexed now: managers find less until it can");
                PAUSE_AFTER_FAILURE
            }
        };
    }
}

/// How far the index is known to have come. Whoever takes entries in holds it.
#[derive(Debug, Default)]
pub(crate) struct Index(Mutex<Option<Seq>>);

impl Index {
    /// Takes the next entries in; none if there are none, or if the journal is shut.
    fn next(&self, book: &Book) -> Result<Option<Followed>, ReadError> {
        self.follow(book, u64::MAX)
    }

    /// Takes the last entries in, if they are few enough for somebody to wait for.
    pub(crate) fn catch_up(&self, book: &Book) -> Result<(), ReadError> {
        self.follow(book, index::MOST_AT_ONCE as u64).map(|_| ())
    }

    fn follow(&self, book: &Book, most: u64) -> Result<Option<Followed>, ReadError> {
        let (true, Some(folder)) = (book.is_open(), book.folder()) else { return Ok(None) };
        let last = book.last()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = last.number().saturating_sub(known.unwrap_or(Seq::NONE).number());
        if *known == Some(last) || behind > most {
            return Ok(None);
        }
        // Whatever fails: how far it has come is not known then.
        *known = None;
        let followed = index::follow(folder)?;
        *known = Some(followed.upto);
        Ok(Some(followed))
    }
}
