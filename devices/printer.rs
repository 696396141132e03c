//! What a printer is to the counter: something that takes a slip and says, in one of three ways, what became of it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
pub use tilld_domain::printing::{Fault, Proof};
use tilld_domain::slip::{Paper, Slip};
use tokio::sync::watch;

use crate::profile::Ability;

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

impl Status {
    /// What is said of a printer that has a fault and of which nothing else is known.
    pub const fn faulty(fault: Fault) -> Self {
        Self { fault: Some(fault), paper_low: false, drawer_pin_high: None }
    }
}

/// Who a printer says it is. Clones carry the names of others, so this names a device and proves nothing about it.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// The maker, `MFG` of its IEEE 1284 identity or the answer to `GS I 66`.
    pub maker: Option<String>,
    /// The model, `MDL` or `GS I 67`.
    pub model: Option<String>,
    /// The serial number, `SN` or `GS I 68`.
    pub serial: Option<String>,
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for word in [&self.maker, &self.model, &self.serial].into_iter().flatten() {
            write!(out, "{gap}{word}")?;
            gap = " ";
        }
        Ok(())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({self})")
    }
}

/// Whether a printer's line can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// It is open. That says nothing yet of who is at its other end.
    Open,
    /// Unplugged, switched off, no such device or address.
    Absent,
    /// Another program, or a write that never ended, has it.
    Taken,
    /// This program may not open it.
    Forbidden,
}

/// What a printer can answer, as it was found when it was asked for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Whether its line can be opened. If not, the rest is what was known before.
    pub reach: Reach,
    /// Who it says it is.
    pub identity: Option<Identity>,
    /// Real-time status (`DLE EOT`). Here and below, [`Ability::Ask`] means that it was not found out.
    pub real_time: Ability,
    /// Queued status (`GS r`).
    pub queued: Ability,
    /// Process ids (`GS ( H`).
    pub process_id: Ability,
    /// Status that it tells by itself (`GS a`, or a switch).
    pub automatic: Ability,
    /// How it is.
    pub status: Option<Status>,
}

/// One device by its own name, and what is known of it.
#[derive(Debug, Clone)]
pub struct Single {
    /// Its name in the configuration.
    pub name: String,
    /// As [`Printer::condition`].
    pub condition: watch::Receiver<Option<Status>>,
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

    /// What is known of it without asking now. `None`: nothing yet, or it cannot be asked and nothing is known to be wrong.
    /// A printer that is not there has [`Fault::Absent`], one that stopped answering [`Fault::Silent`]. Each change wakes
    /// the receiver, and a value that was not looked at is replaced by the next. A receiver whose sender has gone hears of
    /// nothing more.
    fn condition(&self) -> watch::Receiver<Option<Status>>;

    /// The devices that it is made of, each by itself: one, or a printer and its spare.
    fn singles(&self) -> Vec<Single> {
        vec![Single { name: self.name().to_owned(), condition: self.condition() }]
    }

    /// The printer of a name among those that it is made of, to be used without the others; none if it is made of no others, or
    /// none has that name.
    fn alone(&self, _name: &str) -> Option<Arc<dyn Printer>> {
        None
    }

    /// Asks what it can answer and who it is, in bounded time. It waits for the jobs before it.
    ///
    /// `thorough` also sends what only a person may ask for: `GS ( H` and `GS I`, which very old firmware prints as text
    /// (fact sheet ESCPOS 3.4). Otherwise nothing is sent that any printer prints, and these are as far as jobs found out.
    fn probe(&self, thorough: bool) -> BoxFuture<'_, Probed>;
}
