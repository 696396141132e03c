//! A second printer for when the first cannot: together they are one printer to everybody else.
//!
//! A slip goes to the second only if no byte of it was sent by the first ([`JobOutcome::NothingPrinted`]); what may be on
//! paper is nobody's to print again. It is laid out before it is known who prints it, so the paper of both is what each of
//! them can do: the fewer columns, and the characters that both have.
//!
//! Together they are healthy if one of them is; how each of them is shows under its own name ([`Printer::singles`]).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tilld_domain::slip::{Paper, Slip};
use tokio::sync::watch;

use crate::printer::{JobOutcome, Printer, Probed, Single, Status};

/// Two printers that are one. Must be called inside a tokio runtime.
pub fn with_spare(first: Arc<dyn Printer>, second: Arc<dyn Printer>) -> Arc<dyn Printer> {
    let (one, other) = (first.paper(), second.paper());
    let paper = Paper {
        columns: one.columns.min(other.columns),
        prints: one.prints.both(&other.prints),
        bars: one.bars.min(other.bars),
    };
    let (tell, condition) = watch::channel(None);
    tokio::spawn(tell_together(first.condition(), second.condition(), tell));
    Arc::new(Pair { first, second, paper, condition })
}

struct Pair {
    first: Arc<dyn Printer>,
    second: Arc<dyn Printer>,
    paper: Paper,
    condition: watch::Receiver<Option<Status>>,
}

/// The first one's word, as long as it can print or the second cannot.
fn together(first: Option<Status>, second: Option<Status>) -> Option<Status> {
    let is_faulty = |status: Option<Status>| status.is_some_and(|status| status.fault.is_some());
    if is_faulty(first) && !is_faulty(second) { second } else { first }
}

/// Runs until nobody listens or one of the two has gone.
async fn tell_together(
    mut first: watch::Receiver<Option<Status>>,
    mut second: watch::Receiver<Option<Status>>,
    tell: watch::Sender<Option<Status>>,
) {
    loop {
        let now = together(*first.borrow_and_update(), *second.borrow_and_update());
        tell.send_if_modified(|told| {
            let changed = *told != now;
            *told = now;
            changed
        });
        let changed = tokio::select! {
            changed = first.changed() => changed,
            changed = second.changed() => changed,
            () = tell.closed() => return,
        };
        if changed.is_err() {
            return;
        }
    }
}

impl Printer for Pair {
    fn name(&self) -> &str {
        self.first.name()
    }

    fn paper(&self) -> Paper {
        self.paper.clone()
    }

    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome> {
        Box::pin(async {
            let first = self.first.print(slip).await;
            let JobOutcome::NothingPrinted(fault) = first else { return first };
            match self.second.print(slip).await {
                // Who is asked to mend something mends the first.
                JobOutcome::NothingPrinted(_) => first,
                second => {
                    tracing::info!(?fault, printer = self.second.name(), "the spare printer took a slip");
                    second
                }
            }
        })
    }

    fn status(&self) -> BoxFuture<'_, Option<Status>> {
        Box::pin(async {
            let (first, second) = tokio::join!(self.first.status(), self.second.status());
            together(first, second)
        })
    }

    fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.clone()
    }

    fn singles(&self) -> Vec<Single> {
        [self.first.singles(), self.second.singles()].concat()
    }

    fn alone(&self, name: &str) -> Option<Arc<dyn Printer>> {
        [&self.first, &self.second].into_iter().find(|printer| printer.name() == name).cloned()
    }

    /// The first one's: each is probed under its own name.
    fn probe(&self, thorough: bool) -> BoxFuture<'_, Probed> {
        self.first.probe(thorough)
    }
}
