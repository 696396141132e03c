//! What goes wrong on purpose: a queue of faults, each for a kind of call, with a count.
//!
//! A call takes the first fault in the queue that fits its kind and whose `after` calls have passed; the fault is gone
//! when its count is used up. Faults stand behind the check of who is asking: a request that nobody is known to have
//! sent takes none.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Faults that wait at once.
const MOST_QUEUED: usize = 1_000;
/// The longest pause, in milliseconds: ten minutes.
const LONGEST_PAUSE_MS: u32 = 600_000;
/// The longest invented code or state word.
const LONGEST_WORD: usize = 64;

/// How something is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The connection is reset (RST).
    #[default]
    Reset,
    /// Nothing ever comes; the connection stays open until the client leaves.
    Silence,
}

/// When a held call is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executed {
    /// At once; only the answer waits.
    BeforeRelease,
    /// When it is released, whether the client is still there or not.
    AfterRelease,
}

/// What a server error carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// The provider's own error body.
    #[default]
    Json,
    /// Plain text, as from a proxy in front.
    Text,
    /// Nothing.
    Empty,
}

/// One way to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Refused with any code of the table, or an invented one.
    Refuse {
        /// The code; an unknown one gets status 400 and class `invalid_state`.
        code: String,
        /// Another status than the table's.
        #[serde(default)]
        status: Option<u16>,
        /// A `Retry-After` of so many seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// Whether it was carried out all the same.
        #[serde(default)]
        applied: bool,
    },
    /// Carried out and answered only after a pause; carried out even if the client has left by then.
    Delay {
        /// Milliseconds.
        ms: u32,
    },
    /// Carried out at once and answered after a pause.
    Late {
        /// Milliseconds.
        ms: u32,
    },
    /// Never carried out, never answered.
    DropRequest {
        /// How.
        #[serde(default)]
        how: Loss,
    },
    /// Carried out, never answered.
    DropAnswer {
        /// How.
        #[serde(default)]
        how: Loss,
    },
    /// Silence until it is released by the control door.
    Hold {
        /// Whether it is carried out before.
        executed: Executed,
    },
    /// A 5xx.
    ServerError {
        /// 500 to 599.
        #[serde(default = "internal")]
        status: u16,
        /// Whether it was carried out all the same.
        applied: bool,
        /// What it carries.
        #[serde(default)]
        body: ErrorBody,
    },
    /// Carried out; the answer's body ends in the middle, before its `Content-Length`.
    Truncate,
    /// A page of HTML, as from a proxy or a captive portal.
    Html {
        /// 200 to 599.
        #[serde(default = "ok")]
        status: u16,
        /// Whether it was carried out all the same.
        applied: bool,
    },
    /// Carried out; the answer is valid JSON of more than 1 MiB.
    Oversize,
    /// Carried out; the answer's `state` is a word that nobody knows.
    UnknownState {
        /// The word.
        word: String,
    },
}

const fn internal() -> u16 {
    500
}

const fn ok() -> u16 {
    200
}

impl Fault {
    /// The name that the call log gives it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "refuse",
            Self::Delay { .. } => "delay",
            Self::Late { .. } => "late",
            Self::DropRequest { .. } => "drop_request",
            Self::DropAnswer { .. } => "drop_answer",
            Self::Hold { .. } => "hold",
            Self::ServerError { .. } => "server_error",
            Self::Truncate => "truncate",
            Self::Html { .. } => "html",
            Self::Oversize => "oversize",
            Self::UnknownState { .. } => "unknown_state",
        }
    }

    fn check(&self) -> Result<(), FaultError> {
        let good = match self {
            Self::Refuse { code, status, .. } => {
                (1..=LONGEST_WORD).contains(&code.len())
                    && status.is_none_or(|status| (400..=599).contains(&status))
            }
            Self::Delay { ms } | Self::Late { ms } => *ms <= LONGEST_PAUSE_MS,
            Self::ServerError { status, .. } => (500..=599).contains(status),
            Self::Html { status, .. } => (200..=599).contains(status),
            Self::UnknownState { word } => (1..=LONGEST_WORD).contains(&word.len()),
            Self::DropRequest { .. } | Self::DropAnswer { .. } | Self::Hold { .. } => true,
            Self::Truncate | Self::Oversize => true,
        };
        if good { Ok(()) } else { Err(FaultError::OutOfRange) }
    }
}

/// A fault with its place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedFault<C> {
    /// Which calls, by the provider's own kinds; absent: any.
    #[serde(default = "any")]
    pub call: Option<C>,
    /// So many fitting calls pass unharmed first.
    #[serde(default)]
    pub after: u32,
    /// So many calls take it.
    #[serde(default = "once")]
    pub count: u32,
    /// What goes wrong.
    pub fault: Fault,
}

const fn once() -> u32 {
    1
}

const fn any<C>() -> Option<C> {
    None
}

impl<C> QueuedFault<C> {
    /// The next call of this kind takes the fault, once.
    pub const fn next(call: C, fault: Fault) -> Self {
        Self { call: Some(call), after: 0, count: 1, fault }
    }
}

/// Why a fault was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultError {
    /// A status, pause, word or count that makes no sense.
    OutOfRange,
    /// This provider cannot fail in this way.
    NotHere,
    /// Too many wait already.
    QueueFull,
}

impl std::fmt::Display for FaultError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::OutOfRange => "a status, a pause, a word or the count is out of its range",
            Self::NotHere => "this provider cannot fail in this way",
            Self::QueueFull => "too many faults are queued already",
        })
    }
}

impl std::error::Error for FaultError {}

/// The queue.
#[derive(Debug)]
pub struct Faults<C>(VecDeque<QueuedFault<C>>);

impl<C> Default for Faults<C> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<C: Copy + Eq> Faults<C> {
    pub fn push(&mut self, fault: QueuedFault<C>) -> Result<(), FaultError> {
        fault.fault.check()?;
        if fault.count == 0 {
            return Err(FaultError::OutOfRange);
        }
        if self.0.len() >= MOST_QUEUED {
            return Err(FaultError::QueueFull);
        }
        self.0.push_back(fault);
        Ok(())
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn waiting(&self) -> Vec<QueuedFault<C>> {
        self.0.iter().cloned().collect()
    }

    /// The fault that a call takes. A fault that lets it pass has one fewer to let pass.
    pub fn take(&mut self, call: C) -> Option<Fault> {
        let mut taken = None;
        for queued in &mut self.0 {
            if queued.call.is_some_and(|kind| kind != call) {
                continue;
            }
            if queued.after > 0 {
                queued.after = queued.after.saturating_sub(1);
                continue;
            }
            queued.count = queued.count.saturating_sub(1);
            taken = Some(queued.fault.clone());
            break;
        }
        self.0.retain(|queued| queued.count > 0);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finperks::CallKind;

    #[test]
    fn a_call_takes_the_first_fault_that_fits_until_its_count_is_used_up() {
        let mut faults = Faults::default();
        let late = Fault::Late { ms: 1 };
        faults
            .push(QueuedFault { call: Some(CallKind::Confirm), after: 1, count: 2, fault: Fault::Truncate })
            .unwrap();
        faults.push(QueuedFault { call: None, after: 0, count: 1, fault: late.clone() }).unwrap();
        let taken: Vec<_> =
            [CallKind::Confirm, CallKind::Get, CallKind::Confirm, CallKind::Confirm, CallKind::Confirm]
                .into_iter()
                .map(|call| faults.take(call))
                .collect();
        assert_eq!(taken, [Some(late), None, Some(Fault::Truncate), Some(Fault::Truncate), None]);
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn faults_that_make_no_sense_are_refused() {
        for (fault, count) in [
            (Fault::Truncate, 0),
            (Fault::Delay { ms: 600_001 }, 1),
            (Fault::ServerError { status: 200, applied: true, body: ErrorBody::Json }, 1),
            (Fault::Html { status: 100, applied: true }, 1),
            (Fault::UnknownState { word: String::new() }, 1),
            (Fault::Refuse { code: "x".repeat(65), status: None, retry_after_s: None, applied: false }, 1),
            (
                Fault::Refuse {
                    code: "x".to_owned(),
                    status: Some(200),
                    retry_after_s: None,
                    applied: false,
                },
                1,
            ),
        ] {
            let queued = QueuedFault::<CallKind> { call: None, after: 0, count, fault };
            assert_eq!(Faults::default().push(queued), Err(FaultError::OutOfRange));
        }
        let mut faults = Faults::default();
        let queued = QueuedFault::next(CallKind::Get, Fault::Truncate);
        for _ in 0..MOST_QUEUED {
            faults.push(queued.clone()).unwrap();
        }
        assert_eq!(faults.push(queued), Err(FaultError::QueueFull));
    }

    #[test]
    fn a_fault_is_plain_json() {
        for text in [
            r#"{"fault": {"kind": "refuse", "code": "processing_declined"}}"#,
            r#"{"call": "confirm", "count": 2, "fault": {"kind": "drop_answer", "how": "silence"}}"#,
            r#"{"call": "get", "after": 1, "fault": {"kind": "server_error", "applied": true}}"#,
            r#"{"fault": {"kind": "truncate"}}"#,
            r#"{"fault": {"kind": "hold", "executed": "after_release"}}"#,
        ] {
            assert!(serde_json::from_str::<QueuedFault<CallKind>>(text).is_ok(), "{text}");
        }
        for text in [
            r#"{"fault": {"kind": "explode"}}"#,
            r#"{"call": "buy", "fault": {"kind": "truncate"}}"#,
            r#"{"fault": {"kind": "delay", "seconds": 1}}"#,
        ] {
            assert!(serde_json::from_str::<QueuedFault<CallKind>>(text).is_err(), "{text}");
        }
    }
}
