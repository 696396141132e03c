//! What can go wrong, where, and who decides it.
//!
//! Everything that matters in a run happens at a *step*: a turn of the driver, a call to the provider, a slip at the printer.
//! Steps are numbered as they come. At each the world asks its [`Fate`], which says nothing or names one [`Fault`]. A run is a
//! pure function of its sales and its faults, so a list of numbered faults is a whole history ([`Plan`]).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// The driver takes a turn, in which it may write.
    Turn,
    /// A call to the provider is about to leave.
    Create,
    Confirm,
    Lookup,
    Undo,
    /// A slip is about to go to the printer.
    Print,
    /// A call to the provider of vouchers is about to leave. Its look-up of a redemption is a [`Point::Lookup`] too.
    Validate,
    Redeem,
    Reverse,
}

/// For how long the machine stays dark after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dark {
    /// The customer still stands there.
    Seconds,
    /// The customer has gone, and what was created is no longer fresh.
    Minutes,
}

impl Dark {
    pub const fn span(self) -> Duration {
        match self {
            Self::Seconds => Duration::from_secs(5),
            Self::Minutes => Duration::from_mins(20),
        }
    }
}

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The power goes before the write, the send, the first byte.
    CrashBefore(Dark),
    /// The power goes when half of the slip is on paper.
    CrashWithin(Dark),
    /// The power goes right after the write (nothing that follows from it has begun), while the request is on its way (it
    /// will be carried out), or when the whole slip is on paper and the printer has not said so.
    CrashAfter(Dark),
    /// No connection: surely not sent.
    Unreachable,
    /// The request is lost; silence.
    RequestLost,
    /// Silence; the request is carried out when the caller has long given up.
    RequestLate,
    /// Silence; a redeem is carried out between two readings of what is left on the voucher.
    RequestBetween,
    /// Silence; a redeem is carried out when two readings have shown nothing, and before the quiet time is over.
    RequestLast,
    /// The line breaks, and the request was not carried out.
    BrokenBefore,
    /// The line breaks, and the request was carried out.
    BrokenAfter,
    /// Carried out, and the answer is lost; silence.
    AnswerLost,
    /// Carried out at once, and answered at the last moment that the caller waits for.
    AnswerLate,
    /// Carried out and answered, and delivered once more much later.
    Twice,
    /// A part of the provider does not see the order: "not found", to everyone, for a while.
    NotFound,
    /// A definite no.
    Refused,
    /// "Not now."
    NotNow,
    /// The provider's own clock is wrong: it refuses the date. A spell of weather, and in no list of [`Point::faults`].
    DateRefused,
    /// Redeemed, and the answer holds no id that is known.
    WithoutId,
    /// Half of what was asked for is redeemed.
    GrantsLess,
    /// Another store has just spent something from the same voucher.
    SpentElsewhere,
    /// Another store has just spent exactly as much from it as is redeemed here: balances cannot tell the two apart.
    SpentAlike,
    /// The printer has no paper, and takes not a byte.
    NoPaper,
    /// Its cover is open, and it takes not a byte. A spell of weather too.
    CoverOpen,
    /// The paper ends in the middle of the slip.
    PaperEnds,
    /// The whole slip is out, and the knife is stuck.
    KnifeStuck,
    /// The printer goes silent: nothing, half, or all of the slip is on paper.
    SilentBefore,
    SilentWithin,
    SilentAfter,
}

use Dark::{Minutes, Seconds};
use Fault::{
    AnswerLate, AnswerLost, BrokenAfter, BrokenBefore, CoverOpen, CrashAfter, CrashBefore, CrashWithin,
    DateRefused, GrantsLess, KnifeStuck, NoPaper, NotFound, NotNow, PaperEnds, Refused, RequestBetween,
    RequestLast, RequestLate, RequestLost, SilentAfter, SilentBefore, SilentWithin, SpentAlike,
    SpentElsewhere, Twice, Unreachable, WithoutId,
};

const NAMES: [(Fault, &str); 31] = [
    (CrashBefore(Seconds), "crash-before"),
    (CrashBefore(Minutes), "crash-before-for-long"),
    (CrashWithin(Seconds), "crash-within"),
    (CrashWithin(Minutes), "crash-within-for-long"),
    (CrashAfter(Seconds), "crash-after"),
    (CrashAfter(Minutes), "crash-after-for-long"),
    (Unreachable, "unreachable"),
    (RequestLost, "request-lost"),
    (RequestLate, "request-late"),
    (RequestBetween, "request-between"),
    (RequestLast, "request-last"),
    (BrokenBefore, "broken-before"),
    (BrokenAfter, "broken-after"),
    (AnswerLost, "answer-lost"),
    (AnswerLate, "answer-late"),
    (Twice, "twice"),
    (NotFound, "not-found"),
    (Refused, "refused"),
    (NotNow, "not-now"),
    (DateRefused, "date-refused"),
    (WithoutId, "without-id"),
    (GrantsLess, "grants-less"),
    (SpentElsewhere, "spent-elsewhere"),
    (SpentAlike, "spent-alike"),
    (NoPaper, "no-paper"),
    (CoverOpen, "cover-open"),
    (PaperEnds, "paper-ends"),
    (KnifeStuck, "knife-stuck"),
    (SilentBefore, "silent-before"),
    (SilentWithin, "silent-within"),
    (SilentAfter, "silent-after"),
];

impl Fault {
    /// Whether the power goes.
    pub const fn is_crash(self) -> bool {
        matches!(self, CrashBefore(_) | CrashWithin(_) | CrashAfter(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(fault, _)| fault == self).map(|(_, name)| *name);
        out.write_str(name.expect("every fault has a name"))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(_, name)| *name == text).map(|(fault, _)| *fault);
        found.ok_or_else(|| format!("no such fault: {text}"))
    }
}

impl Point {
    /// Everything that can go wrong there.
    pub const fn faults(self) -> &'static [Fault] {
        match self {
            Self::Turn => {
                &[CrashBefore(Seconds), CrashBefore(Minutes), CrashAfter(Seconds), CrashAfter(Minutes)]
            }
            Self::Create | Self::Confirm => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                RequestLate,
                BrokenBefore,
                BrokenAfter,
                AnswerLost,
                AnswerLate,
                Twice,
                Refused,
                NotNow,
            ],
            Self::Lookup => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                NotFound,
                NotNow,
            ],
            Self::Undo => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                RequestLate,
                BrokenBefore,
                BrokenAfter,
                AnswerLost,
                AnswerLate,
                Twice,
                NotFound,
                Refused,
                NotNow,
            ],
            Self::Validate => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                AnswerLate,
                NotNow,
                SpentElsewhere,
                SpentAlike,
            ],
            Self::Redeem => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                RequestLate,
                RequestBetween,
                RequestLast,
                BrokenBefore,
                BrokenAfter,
                AnswerLost,
                AnswerLate,
                Refused,
                NotNow,
                WithoutId,
                GrantsLess,
                SpentElsewhere,
                SpentAlike,
            ],
            // Not twice: nobody could be right at a provider that restores twice, and the others are asked twice anyway.
            Self::Reverse => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                Unreachable,
                RequestLost,
                RequestLate,
                BrokenBefore,
                BrokenAfter,
                AnswerLost,
                AnswerLate,
                NotFound,
                Refused,
                NotNow,
            ],
            Self::Print => &[
                CrashBefore(Seconds),
                CrashBefore(Minutes),
                CrashWithin(Seconds),
                CrashWithin(Minutes),
                CrashAfter(Seconds),
                CrashAfter(Minutes),
                NoPaper,
                PaperEnds,
                KnifeStuck,
                SilentBefore,
                SilentWithin,
                SilentAfter,
            ],
        }
    }
}

/// Decides what goes wrong.
pub trait Fate: Send {
    /// What goes wrong at this step, if anything does. Asked once a step, in the order of the steps.
    fn at(&mut self, step: u32, point: Point) -> Option<Fault>;

    /// Whether a call that no order waits for (the catalogue, the balances) is answered now.
    fn line_is_up(&self) -> bool {
        true
    }
}

/// A fault at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    pub step: u32,
    pub fault: Fault,
}

impl fmt::Display for Hit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.step, self.fault)
    }
}

impl FromStr for Hit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (step, fault) = text.split_once(':').ok_or_else(|| format!("not STEP:FAULT: {text}"))?;
        Ok(Self { step: step.parse().map_err(|_| format!("no step: {step}"))?, fault: fault.parse()? })
    }
}

/// A fixed list of faults, by rising steps.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    hits: Vec<Hit>,
    next: usize,
}

impl Plan {
    pub fn new(hits: &[Hit]) -> Self {
        Self { hits: hits.to_vec(), next: 0 }
    }
}

impl Fate for Plan {
    fn at(&mut self, step: u32, _: Point) -> Option<Fault> {
        let hit = self.hits.get(self.next).filter(|hit| hit.step == step)?;
        self.next += 1;
        Some(hit.fault)
    }
}
