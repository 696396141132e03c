//! How the printing of a slip can end, in the counter's words.

/// How a printer proved (or could not prove) that a slip is on paper, strongest first (DESIGN chapter 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// It sent back the process id that stood behind the last byte (`GS ( H`, Epson: sent when printing is complete).
    ProcessId,
    /// It answered a queued status request behind the last byte (`GS r`): all was interpreted.
    QueuedStatus,
    /// It answered real-time status after the job and is healthy: sent, and no fault.
    HealthyAfterwards,
    /// It answers nothing; all bytes left this machine.
    NotVerifiable,
}

/// What is wrong with a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No paper.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The knife is stuck.
    Cutter,
    /// It says that it is offline for another reason.
    Offline,
    /// Any other error that it reports.
    Error,
    /// It cannot be reached: unplugged, switched off, no such device or address.
    Absent,
    /// It stopped taking bytes or answering.
    Silent,
}

/// How the printing of one slip ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrintEnd {
    /// On paper, as far as the proof goes.
    OnPaper(Proof),
    /// No byte left this machine: the ink line is not crossed.
    Nothing(Fault),
    /// Bytes left; part of it, all of it or nothing may be on paper (law L7).
    Unclear(Fault),
}
