//! What is known of a printer beyond one connection: what it answers, what it still owes, and how it was when it last said so.
//!
//! An ability that the profile leaves open is found out by the first job and then kept, also over a restart: a small text
//! file holds it with the printer's identity. The file is believed only in that: another identity, an unknown word, too
//! many bytes, and it counts as lost; then the next job finds out again. It can make a printer be waited for in vain or be
//! trusted less, never be believed more than it answers.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use crate::job::finishing;
use crate::printer::{Fault, Identity, Status};
use crate::profile::{Ability, Profile};

/// What a printer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub real_time: Ability,
    pub queued: Ability,
    pub process_id: Ability,
    pub automatic: Ability,
}

/// What is known of a device.
pub(crate) struct Known {
    pub can: Abilities,
    /// What the profile says of it, for when what was learnt turns out to be wrong.
    configured: Abilities,
    /// `GS r` requests that were sent and never answered.
    pub owed: u32,
    next_id: u32,
    /// The last job, perhaps of a run that was killed, may have left a command half-sent.
    pub unfinished: bool,
    /// What ends that command.
    pub finishing: Vec<u8>,
    /// That it answers `GS r` was read in the file, and not heard since.
    pub recalled: bool,
    pub identity: Option<Identity>,
    /// The fault in what it last said by itself on the present line.
    pub unasked: Option<Fault>,
    condition: watch::Sender<Option<Status>>,
    memory: Option<Memory>,
}

/// The file, and whose abilities it holds.
struct Memory {
    path: PathBuf,
    of: String,
    holds: Option<Abilities>,
}

impl Known {
    /// `seed` makes the ids of this run differ from those of the run before.
    pub fn new(profile: &Profile, mute: bool, seed: u32) -> Self {
        let lacks = Ability::Lacks;
        let configured = if mute {
            Abilities { real_time: lacks, queued: lacks, process_id: lacks, automatic: lacks }
        } else {
            Abilities {
                real_time: profile.real_time_status,
                queued: profile.queued_status,
                process_id: profile.process_id,
                automatic: Ability::Ask,
            }
        };
        Self {
            can: configured,
            configured,
            // A run that was killed may have left a request unanswered. Where it is not even known whether such requests
            // are answered, waiting for it would hold up the first slip of most printers for nothing.
            owed: u32::from(configured.queued == Ability::Has),
            next_id: seed,
            unfinished: true,
            finishing: finishing(profile),
            recalled: false,
            identity: None,
            unasked: None,
            condition: watch::Sender::new(None),
            memory: None,
        }
    }

    pub fn condition(&self) -> watch::Receiver<Option<Status>> {
        self.condition.subscribe()
    }

    /// Tells who listens, if anything has changed.
    pub fn publish(&self, learnt: Option<Status>) {
        self.condition.send_if_modified(|known| {
            let changed = *known != learnt;
            *known = learnt;
            changed
        });
    }

    /// What was told last.
    pub fn told(&self) -> Option<Status> {
        *self.condition.borrow()
    }

    pub fn can_be_asked(&self) -> bool {
        self.can.real_time != Ability::Lacks
    }

    /// What was learnt of queued status and process ids is wrong: perhaps another printer was plugged in since.
    pub fn forget_proofs(&mut self) {
        (self.can.queued, self.can.process_id) = (self.configured.queued, self.configured.process_id);
    }

    /// What it called itself: maker, model, serial number. What the port said of it goes before.
    pub fn named(&mut self, [maker, model, serial]: [Option<String>; 3]) {
        let said = Identity { maker, model, serial };
        if self.identity.is_none() && said != Identity::default() {
            self.identity = Some(said);
        }
    }

    /// Four characters from 0x20 to 0x7E, another with each job.
    pub fn fresh_id(&mut self) -> [u8; 4] {
        self.next_id = self.next_id.wrapping_add(1);
        let mut rest = self.next_id;
        std::array::from_fn(|_| {
            let digit = u8::try_from(rest % 95).unwrap_or(0);
            rest /= 95;
            digit.saturating_add(0x20)
        })
    }

    /// Who hangs on the line that was just opened. What the file knows of another device is forgotten.
    pub fn meet(&mut self, path: Option<&Path>, place: &str, identity: Option<Identity>) {
        self.unasked = None;
        let of = match &identity {
            Some(identity) => format!("{place} {identity}"),
            None => place.to_owned(),
        };
        if let Some(identity) = identity {
            if self.identity.as_ref().is_some_and(|before| *before != identity) {
                self.can = self.configured;
            }
            self.identity = Some(identity);
        }
        let Some(path) = path else { return };
        if self.memory.as_ref().is_some_and(|memory| memory.of == of) {
            return;
        }
        let holds = recall(path, &of);
        if let Some(holds) = holds {
            let learnt = |configured, holds| if configured == Ability::Ask { holds } else { configured };
            self.can.real_time = learnt(self.configured.real_time, holds.real_time);
            self.can.queued = learnt(self.configured.queued, holds.queued);
            self.can.process_id = learnt(self.configured.process_id, holds.process_id);
            self.can.automatic = learnt(self.configured.automatic, holds.automatic);
            if self.configured.queued == Ability::Ask && self.can.queued == Ability::Has {
                // The run before may have left a request unanswered: its answer must not prove a slip of this one.
                self.recalled = true;
                self.owed = self.owed.max(1);
            }
        }
        self.memory = Some(Memory { path: path.to_owned(), of, holds });
    }

    /// Writes what was learnt, if that is new. A file that cannot be written costs some seconds at the next start.
    pub fn remember(&mut self) {
        let Some(memory) = self.memory.as_mut().filter(|memory| memory.holds != Some(self.can)) else {
            return;
        };
        memory.holds = Some(self.can);
        if let Err(error) = write(&memory.path, &memory.of, self.can) {
            tracing::warn!(%error, path = %memory.path.display(), "what the printer can answer is not kept");
        }
    }
}

const HEADING: &str = "what this printer answers; found out again when this file is gone";
/// More than any identity needs.
const LONGEST: u64 = 4096;

const WORDS: [(&str, Ability); 3] = [("has", Ability::Has), ("ask", Ability::Ask), ("lacks", Ability::Lacks)];

fn write(path: &Path, of: &str, can: Abilities) -> io::Result<()> {
    let word = |ability| WORDS.iter().find(|(_, its)| *its == ability).map_or("ask", |(word, _)| word);
    let text = format!(
        "{HEADING}\nof {of}\nreal_time {}\nqueued {}\nprocess_id {}\nautomatic {}\n",
        word(can.real_time),
        word(can.queued),
        word(can.process_id),
        word(can.automatic),
    );
    let fresh = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    // Torn by a power cut it counts as lost, which costs little: no sync.
    fs::rename(fresh, path)
}

/// What the file holds of this device; `None` for anything but exactly what is written.
fn recall(path: &Path, of: &str) -> Option<Abilities> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    if lines.next()? != HEADING || lines.next()?.strip_prefix("of ")? != of {
        return None;
    }
    let mut ability = |name: &str| {
        let word = lines.next()?.strip_prefix(name)?.strip_prefix(' ')?;
        WORDS.iter().find(|(its, _)| *its == word).map(|(_, ability)| *ability)
    };
    let real_time = ability("real_time")?;
    let queued = ability("queued")?;
    let process_id = ability("process_id")?;
    let automatic = ability("automatic")?;
    lines.next().is_none().then_some(Abilities { real_time, queued, process_id, automatic })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEARNT: Abilities = Abilities {
        real_time: Ability::Has,
        queued: Ability::Has,
        process_id: Ability::Lacks,
        automatic: Ability::Ask,
    };

    #[test]
    fn what_was_learnt_is_kept_for_that_printer_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("printer-slip");
        let start = |at: &str| {
            let mut known = Known::new(&Profile::epson(), false, 0);
            known.meet(Some(&path), at, None);
            known
        };
        let mut known = start("network a");
        known.can = LEARNT;
        known.remember();
        assert_eq!(start("network a").can, LEARNT);
        assert_eq!(start("network b").can.process_id, Ability::Ask);
        // What the profile is sure of is not overruled.
        let mut sure = Known::new(&Profile { queued_status: Ability::Lacks, ..Profile::epson() }, false, 0);
        sure.meet(Some(&path), "network a", None);
        assert_eq!((sure.can.queued, sure.can.process_id), (Ability::Lacks, Ability::Lacks));
    }

    #[test]
    fn a_file_that_was_tampered_with_counts_as_lost() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("printer-slip");
        write(&path, "usb X", LEARNT).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(recall(&path, "usb X"), Some(LEARNT));
        for (what, text) in [
            ("empty", String::new()),
            ("cut short", whole.lines().take(4).collect::<Vec<_>>().join("\n")),
            ("an unknown word", whole.replace("lacks", "perhaps")),
            ("another order", whole.replace("queued", "automatic")),
            ("more behind", format!("{whole}x")),
            ("endless", format!("{whole}{}", "\n".repeat(1 << 20))),
            ("another heading", whole.replace("what", "that")),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(recall(&path, "usb X"), None, "{what}");
        }
        fs::write(&path, [0xff; 64]).unwrap();
        assert_eq!(recall(&path, "usb X"), None);
    }

    #[test]
    fn another_device_on_the_same_port_is_found_out_anew() {
        let mut known = Known::new(&Profile::epson(), false, 0);
        let one = |serial: &str| Some(Identity { serial: Some(serial.to_owned()), ..Identity::default() });
        known.meet(None, "usb", one("1"));
        known.can = LEARNT;
        known.meet(None, "usb", one("1"));
        assert_eq!(known.can, LEARNT);
        known.meet(None, "usb", one("2"));
        assert_eq!(known.can.process_id, Ability::Ask);
    }
}
