//! Rows A9 to A12 and A20: the slip.
//!
//! For a POR card the slip is the card, so the ink line (law L7) runs through this file: before a byte has left, the
//! machine may decide by itself that the card is undone; afterwards only a person may. For a POSA card the slip is
//! support information: the card is sold once it is confirmed, whatever the printer does (A20).
//!
//! Whether lines have been forgotten is not looked at here: what was asked and printed while they were there must replay.
//! They are forgotten only when a card is closed. Of a closed card only a copy can be asked for, and whoever asks looks whether its
//! lines are there.

use super::{Answer, Effect, Misfit, Next, OrderEvent, OwedWhy, PaperState, State, Step};
use crate::moment::Moment;
use crate::outcome::ReceiptLines;
use crate::printing::{Fault, PrintEnd};

/// The first paper of a card that has just become live.
pub(super) fn first(lines: ReceiptLines) -> (State, Vec<Effect>) {
    begin(lines, 1)
}

/// A card that is live and has nothing to print.
pub(super) fn without() -> (State, Vec<Effect>) {
    (State::Sold { paper: PaperState::None, lines: None, copies: 0 }, Vec::new())
}

fn begin(lines: ReceiptLines, attempt: u16) -> (State, Vec<Effect>) {
    (State::Printing { lines, attempt, until: None }, vec![Effect::Print { attempt }])
}

fn sold_with(paper: PaperState, lines: ReceiptLines) -> Next {
    Ok((State::Sold { paper, lines: Some(lines), copies: 0 }, Vec::new()))
}

/// A9. Live, and not a byte printed: printed as soon as the printer can or a person says so, else undone.
pub(super) fn active(
    step: Step<'_>,
    lines: ReceiptLines,
    attempt: u16,
    fault: Option<Fault>,
    until: Moment,
    event: OrderEvent,
) -> Next {
    match event {
        OrderEvent::Answered { answer: Answer::Print, .. } if step.at < until => Ok(begin(lines, attempt)),
        // Where no fault is known, the printer is not what it waits for.
        OrderEvent::PrinterReady if step.at < until && fault.is_some() => {
            Ok((State::Printing { lines, attempt, until: Some(until) }, vec![Effect::Print { attempt }]))
        }
        OrderEvent::Answered { answer: Answer::MoneyBack, .. } => step.owe(OwedWhy::MoneyBack),
        OrderEvent::TimeUp if step.at >= until => step.owe(OwedWhy::NotPrinted),
        OrderEvent::TimeUp => Err(Misfit::TooEarly),
        OrderEvent::Resumed => {
            let until = until.min(step.at.plus(step.rules.resume));
            if step.at >= until {
                return step.owe(OwedWhy::NotPrinted);
            }
            Ok((State::Active { lines, attempt, fault, until }, vec![Effect::Wake { at: until }]))
        }
        _ => Err(Misfit::Event),
    }
}

/// The slip is at the printer.
pub(super) fn printing(
    step: Step<'_>,
    lines: ReceiptLines,
    attempt: u16,
    until: Option<Moment>,
    event: OrderEvent,
) -> Next {
    match event {
        OrderEvent::PrintEnded(PrintEnd::OnPaper(proof)) => sold_with(PaperState::Printed(proof), lines),
        OrderEvent::PrintEnded(PrintEnd::Nothing(fault)) if !step.is_por() => {
            sold_with(PaperState::Missing(fault), lines)
        }
        OrderEvent::PrintEnded(PrintEnd::Unclear(_)) | OrderEvent::Resumed if !step.is_por() => {
            sold_with(PaperState::Unclear, lines)
        }
        OrderEvent::PrintEnded(PrintEnd::Nothing(fault)) if attempt == 1 => {
            let until = until.unwrap_or_else(|| step.at.plus(step.rules.print_wait));
            let state = State::Active { lines, attempt, fault: Some(fault), until };
            Ok((state, vec![Effect::Wake { at: until }]))
        }
        // An earlier attempt may have left paper behind: the ink line stays crossed.
        OrderEvent::PrintEnded(PrintEnd::Nothing(fault)) => {
            let attempt = attempt.saturating_sub(1);
            Ok((State::PrintStopped { lines, attempt, fault }, Vec::new()))
        }
        OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent | Fault::Absent)) | OrderEvent::Resumed => {
            Ok((State::PrintUnclear { lines, attempt }, Vec::new()))
        }
        OrderEvent::PrintEnded(PrintEnd::Unclear(fault)) => {
            Ok((State::PrintStopped { lines, attempt, fault }, Vec::new()))
        }
        _ => Err(Misfit::Event),
    }
}

/// A10, A11. Only a person knows what is on the paper. `fault`: what the printer reported (A10), if it did.
pub(super) fn in_doubt(
    step: Step<'_>,
    lines: ReceiptLines,
    attempt: u16,
    fault: Option<Fault>,
    event: OrderEvent,
) -> Next {
    let may_print = attempt < step.rules.print_attempts;
    match event {
        OrderEvent::Answered { answer: Answer::Complete, .. } => sold_with(PaperState::SeenComplete, lines),
        OrderEvent::Answered { answer: Answer::Collected, .. } => step.owe(OwedWhy::NotPrinted),
        OrderEvent::Answered { answer: Answer::PrintAgain, .. } if may_print && fault.is_some() => {
            Ok(begin(lines, attempt.saturating_add(1)))
        }
        OrderEvent::Answered { answer: Answer::Unreadable | Answer::Nothing, .. }
            if may_print && fault.is_none() =>
        {
            Ok(begin(lines, attempt.saturating_add(1)))
        }
        // The question stays what it is, so nothing is written.
        OrderEvent::Resumed => Ok(match fault {
            Some(fault) => (State::PrintStopped { lines, attempt, fault }, Vec::new()),
            None => (State::PrintUnclear { lines, attempt }, Vec::new()),
        }),
        _ => Err(Misfit::Event),
    }
}

/// A12. Copies are numbered, and how their printing ends changes nothing: the sale is done.
pub(super) fn sold(paper: PaperState, lines: Option<ReceiptLines>, copies: u16, event: OrderEvent) -> Next {
    match event {
        OrderEvent::CopyAsked { .. } if lines.is_some() => {
            let copy = copies.saturating_add(1);
            Ok((State::Sold { paper, lines, copies: copy }, vec![Effect::PrintCopy { copy }]))
        }
        OrderEvent::PrintEnded(_) if copies > 0 => Ok((State::Sold { paper, lines, copies }, Vec::new())),
        _ => Err(Misfit::Event),
    }
}
