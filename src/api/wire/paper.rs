//! What came of a paper that is worth nothing.

use serde::Serialize;
use tilld_counter::{PaperMark, PaperOfRedemption};
use tilld_domain::printing::PrintEnd;
use utoipa::ToSchema;

use super::parts::words;
use super::sale::{Fault, PaperProof};

/// What came of printing a paper that is worth nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaperEnd {
    /// What is out.
    paper: PaperOut,
    /// How that is known; absent unless it was printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<PaperProof>,
    /// What hindered it; absent if it was printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// A paper of a redemption, and what came of printing it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedemptionPaper {
    /// Whether it is marked as a copy: every paper but the first is, and one that cannot be known to be the first, because there was
    /// something to print before the daemon's start, or before what it remembers.
    is_copy: bool,
    /// Which copy it is, as it stands on it, from 1; absent of the first paper, and of a copy that has no number because nobody knows
    /// how many there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    copy: Option<u16>,
    #[serde(flatten)]
    end: PaperEnd,
}

impl From<PaperOfRedemption> for RedemptionPaper {
    fn from(paper: PaperOfRedemption) -> Self {
        let (is_copy, copy) = match paper.mark {
            PaperMark::First => (false, None),
            PaperMark::Copy(number) => (true, Some(number)),
            PaperMark::CopyOfUnknown => (true, None),
        };
        Self { is_copy, copy, end: paper.end.into() }
    }
}

words! {
    /// What is out of the printer.
    enum PaperOut as "PaperOut" {
        /// The whole paper.
        Printed = "printed",
        /// Nothing of it.
        Nothing = "nothing",
        /// Nobody knows: look.
        Unclear = "unclear",
    }
}

impl From<PrintEnd> for PaperEnd {
    fn from(end: PrintEnd) -> Self {
        match end {
            PrintEnd::OnPaper(proof) => {
                Self { paper: PaperOut::Printed, proof: Some(proof.into()), fault: None }
            }
            PrintEnd::Nothing(fault) => {
                Self { paper: PaperOut::Nothing, proof: None, fault: Some(fault.into()) }
            }
            PrintEnd::Unclear(fault) => {
                Self { paper: PaperOut::Unclear, proof: None, fault: Some(fault.into()) }
            }
        }
    }
}
