//! A device beside the till as its journal knows it: its name, and what was last known to be wrong with it.
//!
//! What is written down is what changes what people do: a fault, its end, a roll that is near its end. The drawer's level is
//! not: it moves with every cash sale, and would double a till's entries. A device of which nothing was ever written has
//! nothing wrong with it, as far as is known.

use crate::ids::DeviceName;
use crate::printing::Fault;
use crate::screen::what_to_do;

/// What is known of a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Condition {
    /// What hinders printing; [`Fault::Absent`]: it is not there. None: nothing, as far as is known.
    pub fault: Option<Fault>,
    /// The roll is near its end.
    pub paper_low: bool,
}

impl Condition {
    /// In one word, as the journal shows it.
    pub const fn state_name(self) -> &'static str {
        match (self.fault, self.paper_low) {
            (Some(fault), _) => fault.name(),
            (None, true) => "paper_low",
            (None, false) => "ready",
        }
    }

    /// What to do about it, as a sentence for whoever stands beside it; none if nothing has to be done.
    pub const fn what_to_do(self) -> Option<&'static str> {
        match (self.fault, self.paper_low) {
            (Some(fault), _) => Some(what_to_do(fault)),
            (None, true) => Some("The paper is running out. Have a new roll ready."),
            (None, false) => None,
        }
    }
}

/// A device, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name in the configuration.
    pub name: DeviceName,
    /// What is known of it.
    pub condition: Condition,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_one_word_and_one_sentence() {
        for (fault, paper_low, word, sentence) in [
            (None, false, "ready", None),
            (None, true, "paper_low", Some("The paper is running out. Have a new roll ready.")),
            (Some(Fault::PaperOut), true, "paper_out", Some("Paper out. Insert paper.")),
            (Some(Fault::CoverOpen), false, "cover_open", Some("The printer is open. Close its cover.")),
            (Some(Fault::Cutter), false, "cutter", Some("The printer's knife is stuck. Free it.")),
            (Some(Fault::Offline), false, "offline", Some("The printer is offline. Press its button.")),
            (Some(Fault::Error), false, "error", Some("The printer reports an error. Switch it off and on.")),
            (
                Some(Fault::Absent),
                false,
                "absent",
                Some("The printer cannot be reached. Check its cable and switch."),
            ),
            (
                Some(Fault::Silent),
                false,
                "silent",
                Some("The printer does not answer. Switch it off and on."),
            ),
        ] {
            let condition = Condition { fault, paper_low };
            assert_eq!((condition.state_name(), condition.what_to_do()), (word, sentence));
            assert_eq!(fault.and_then(|fault| Fault::of_name(fault.name())), fault);
        }
        assert_eq!(Fault::of_name("ready"), None);
    }
}
