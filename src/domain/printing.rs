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

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::PaperOut,
        Self::CoverOpen,
        Self::Cutter,
        Self::Offline,
        Self::Error,
        Self::Absent,
        Self::Silent,
    ];

    /// In one word, as the journal shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaperOut => "paper_out",
            Self::CoverOpen => "cover_open",
            Self::Cutter => "cutter",
            Self::Offline => "offline",
            Self::Error => "error",
            Self::Absent => "absent",
            Self::Silent => "silent",
        }
    }

    /// The fault of such a word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
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
