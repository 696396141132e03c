//! What is said to people about devices: faults and what to do next, proofs, what a printer can answer, what a scanner read.

use tilld_devices::printer::{Fault, Probed, Proof, Reach};
use tilld_devices::profile::Ability;
use tilld_devices::scanner::{Presence, Scan};

/// A scan for a person: what tells whether the scanner is set right, and of the code no more than of any other.
pub(super) fn scan_text(scan: &Scan, show: bool) -> String {
    let text = scan.text.reveal();
    let separators = text.chars().filter(|letter| *letter == '\u{1d}').count();
    let groups = match separators {
        0 => String::new(),
        1 => ", 1 group separator".to_owned(),
        count => format!(", {count} group separators"),
    };
    let aim = text.get(..3).filter(|start| start.starts_with(']') && start.is_ascii());
    let aim = aim.map(|aim| format!(", AIM identifier {}", aim.escape_debug())).unwrap_or_default();
    let shown = if show {
        format!("\"{}\"", text.escape_debug())
    } else {
        scan.text.masked().escape_debug().to_string()
    };
    format!("read: {shown}, {} characters{aim}{groups}", text.chars().count())
}

pub(crate) fn presence_text(presence: Presence) -> String {
    match presence {
        Presence::Unknown | Presence::Ready => "nothing came".to_owned(),
        Presence::Absent => "it is not plugged in; `tilld devices list` shows what is".to_owned(),
        Presence::Several(count) => format!(
            "{count} devices have this address: name one by its serial \
             number or its link"
        ),
        Presence::Keyboard => {
            "it looks like the cashier's keyboard, which would go dead; if it is the scanner, name it by \
                 name:… or its link in /dev/input/by-id"
                .to_owned()
        }
        Presence::KeyDown => "a key of it is down; let it go".to_owned(),
        Presence::Forbidden => {
            "this user may not open it; run this as the daemon's user, and see that the udev rules of this \
                 package are installed"
                .to_owned()
        }
        Presence::Taken => "another program has it; `fuser -v` on its device file names it".to_owned(),
        Presence::Broken => "it cannot be opened; plug it out and in".to_owned(),
    }
}

/// What hinders a printer, and what to do next; none if nothing does.
pub(crate) fn trouble(probed: &Probed) -> Option<String> {
    match (probed.reach, probed.status.and_then(|status| status.fault)) {
        (Reach::Open, None) => None,
        (Reach::Open, Some(fault)) => Some(next(fault).to_owned()),
        (Reach::Absent, _) => Some(next(Fault::Absent).to_owned()),
        (Reach::Taken, _) => Some(
            "Another program has it. See what prints beside tilld (CUPS takes USB \
             printers for itself)."
                .to_owned(),
        ),
        (Reach::Forbidden, _) => Some(
            "This user may not open it. Add the daemon's user to its group (lp, dialout), or install \
                 this package's udev rules."
                .to_owned(),
        ),
    }
}

/// What a printer that can be reached can answer, in short.
pub(crate) fn answers(probed: &Probed) -> String {
    let has: Vec<&str> = [
        (probed.process_id, "process ids"),
        (probed.queued, "queued status"),
        (probed.real_time, "real-time status"),
        (probed.automatic, "automatic status"),
    ]
    .into_iter()
    .filter_map(|(ability, word)| (ability == Ability::Has).then_some(word))
    .collect();
    let identity = probed.identity.as_ref().map(|identity| format!("{identity}, ")).unwrap_or_default();
    if has.is_empty() {
        format!(
            "{identity}it can be written to and answers nothing: no slip can be proven, staff is asked \
                 instead"
        )
    } else {
        format!("{identity}answers {}", has.join(", "))
    }
}

/// What to do about a fault.
pub(super) fn next(fault: Fault) -> &'static str {
    match fault {
        Fault::PaperOut => "The paper is out. Put a new roll in.",
        Fault::CoverOpen => "The cover is open. Close it.",
        Fault::Cutter => "The knife is stuck. Free it, and switch the printer off and on.",
        Fault::Offline => "It is offline. Press its feed or online button, or switch it off and on.",
        Fault::Error => "It reports an error. Switch it off and on.",
        Fault::Absent => {
            "It is not there. Switch it on, see that its cable is in, and that its address is right."
        }
        Fault::Silent => "It does not answer. Switch it off and on.",
    }
}

/// The same for the word of the API.
pub(crate) fn printer_next(fault: &str) -> String {
    let known = [
        ("paper_out", Fault::PaperOut),
        ("cover_open", Fault::CoverOpen),
        ("cutter", Fault::Cutter),
        ("offline", Fault::Offline),
        ("error", Fault::Error),
        ("absent", Fault::Absent),
        ("silent", Fault::Silent),
    ];
    known
        .into_iter()
        .find(|(word, _)| *word == fault)
        .map_or_else(|| format!("The printer says {fault}."), |(_, fault)| next(fault).to_owned())
}

pub(super) const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Open => "open",
        Reach::Absent => "not there",
        Reach::Taken => "another program has it",
        Reach::Forbidden => "this user may not open it",
    }
}

pub(super) const fn ability(ability: Ability) -> &'static str {
    match ability {
        Ability::Has => "answers",
        Ability::Ask => "not found out",
        Ability::Lacks => "does not answer",
    }
}

pub(super) fn status(probed: &Probed) -> String {
    match probed.status {
        None => "not told".to_owned(),
        Some(status) => {
            let fault = status.fault.map_or("nothing hinders it", next);
            let low = if status.paper_low { "; the roll is near its end" } else { "" };
            format!("{fault}{low}")
        }
    }
}

pub(super) const fn proof_text(proof: Proof) -> &'static str {
    match proof {
        Proof::ProcessId => "the printer sent the slip's process id back when it had printed it",
        Proof::QueuedStatus => "the printer answered a status request that stood behind the last byte",
        Proof::HealthyAfterwards => "all bytes were sent, and the printer has no fault afterwards",
        Proof::NotVerifiable => "all bytes were sent; this printer answers nothing, so look at the paper",
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::secret::Secret;

    use super::*;

    #[test]
    fn a_scan_is_shown_masked_and_harmless_on_a_terminal() {
        let scan = |text: &str| Scan { source: "hand".into(), text: Secret::new(text.to_owned()) };
        for (text, show, expected) in [
            ("4012000000011", false, "read: ••••0011, 13 characters"),
            ("4012", false, "read: ••••, 4 characters"),
            (
                "]C1010\u{1d}10",
                false,
                "read: ••••0\\u{1d}10, 9 characters, AIM identifier ]C1, 1 group separator",
            ),
            ("4012\u{1b}[2J", true, "read: \"4012\\u{1b}[2J\", 8 characters"),
            ("äöü", true, "read: \"äöü\", 3 characters"),
        ] {
            assert_eq!(scan_text(&scan(text), show), expected);
        }
    }

    #[test]
    fn every_fault_of_the_api_has_what_to_do_next() {
        for fault in ["paper_out", "cover_open", "cutter", "offline", "error", "absent", "silent"] {
            assert!(!printer_next(fault).starts_with("The printer says"), "{fault}");
        }
        assert_eq!(printer_next("on_fire"), "The printer says on_fire.");
    }
}
