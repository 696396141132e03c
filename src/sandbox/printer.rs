//! The simulated printer at the control doors, so that a till can be tried with the faults that paper has.
//!
//! ```text
//! curl $C/printer                                            {"state":"well","after_bytes":null,"papers":3}
//! curl -X PUT $C/printer -d '{"state":"paper_out"}'          at once
//! curl -X PUT $C/printer -d '{"state":"gone","after_bytes":300}'      in the middle of the next slip
//! curl -X PUT $C/printer -d '{"state":"well"}'               paper in, cover closed, on-line, speaking, power on
//! ```
//!
//! States: `well`, `paper_out`, `cover_open`, `offline`, `silent` (it takes bytes and prints, and answers nothing), `gone`
//! (no power: what waited in it is lost, connections are reset). Each replaces the one before. `POST /reset` makes it well.
//!
//! This room knows nothing of printers. Whoever runs one beside it hands over what can be done to it ([`SimulatedPrinter`]);
//! where nobody does, the routes say so.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What can be wrong with the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrinterState {
    /// Nothing.
    #[default]
    Well,
    /// No paper.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// Off-line for a reason that it does not give.
    Offline,
    /// It takes bytes and prints, and answers nothing.
    Silent,
    /// It has no power.
    Gone,
}

/// A printer that somebody runs beside the sandbox.
pub trait SimulatedPrinter: Send + Sync {
    /// Makes it so, instead of what it was: at once, or when it has taken so many more bytes of slips.
    fn become_so(&self, state: PrinterState, after_bytes: Option<usize>);

    /// How many papers have left it.
    fn papers(&self) -> usize;
}

/// What was asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Struck {
    state: PrinterState,
    #[serde(default)]
    after_bytes: Option<usize>,
}

/// How it is shown.
#[derive(Serialize)]
pub struct Shown {
    #[serde(flatten)]
    struck: Struck,
    papers: usize,
}

/// The printer with what was done to it.
pub struct Beside {
    printer: Box<dyn SimulatedPrinter>,
    struck: Mutex<Struck>,
}

impl Beside {
    pub fn new(printer: Box<dyn SimulatedPrinter>) -> Self {
        Self { printer, struck: Mutex::default() }
    }

    /// Refused, with a sentence, where it makes no sense.
    pub fn strike(&self, struck: Struck) -> Result<(), &'static str> {
        if struck.state == PrinterState::Well && struck.after_bytes.is_some() {
            return Err("a printer is made well at once: leave after_bytes out");
        }
        let mut last = self.last();
        self.printer.become_so(struck.state, struck.after_bytes);
        *last = struck;
        Ok(())
    }

    pub fn shown(&self) -> Shown {
        Shown { struck: *self.last(), papers: self.printer.papers() }
    }

    pub fn reset(&self) {
        let mut last = self.last();
        self.printer.become_so(PrinterState::Well, None);
        *last = Struck::default();
    }

    fn last(&self) -> MutexGuard<'_, Struck> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
