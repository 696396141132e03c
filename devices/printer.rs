//! What a printer is to the counter: something that takes a slip and says, in one of three ways, what became of it.

use futures_util::future::BoxFuture;
pub use tilld_domain::printing::{Fault, Proof};
use tilld_domain::slip::{Paper, Slip};

/// What became of a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobOutcome {
    /// It is on paper, as far as the proof goes.
    Printed {
        /// How far that is.
        proof: Proof,
        /// Characters that the printer does not have and that were replaced.
        replaced: u32,
    },
    /// No byte of it left this machine.
    NothingPrinted(Fault),
    /// Some or all bytes left, then something went wrong: it may be on paper, in part, or not at all.
    Unknown {
        /// What was noticed; [`Fault::Silent`] where nothing was.
        fault: Fault,
        /// How many of its bytes were handed over.
        bytes_sent: usize,
    },
}

/// A printer's own word on how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// What hinders printing now, if anything does.
    pub fault: Option<Fault>,
    /// The roll is near its end.
    pub paper_low: bool,
    /// The level of the drawer's sensor, where it is reported; which level means open depends on the drawer.
    pub drawer_pin_high: Option<bool>,
}

/// A printer, whatever it hangs on. Jobs are printed one after another; a second caller waits for its turn.
pub trait Printer: Send + Sync + 'static {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What its paper can take.
    fn paper(&self) -> Paper;

    /// Prints one slip. Never repeats anything that may be on paper. Ends in bounded time.
    fn print<'a>(&'a self, slip: &'a Slip) -> BoxFuture<'a, JobOutcome>;

    /// Asks how it is. `None`: it cannot be asked, or did not answer.
    fn status(&self) -> BoxFuture<'_, Option<Status>>;
}
