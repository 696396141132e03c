//! What is known of a printer beyond one connection: what it answers, what it still owes, and how it was when it last said so.
//!
//! An ability that the profile leaves open is found out by jobs and then kept, also over a restart: a small text
//! file holds it with the printer's identity. The file is believed only in that: another identity, an unknown word, too
//! many bytes, and it counts as lost; then the next job finds out again. It can make a printer be waited for in vain or be
//! trusted less, never be believed more than it answers.
//!
//! That a printer lacks an ability is only ever concluded from silence, and silence has other causes. One that once answered is
//! asked again with the next job; of one that never did, it takes [`ENOUGH`] silences, each on a line of its own, or a later
//! question that was answered in the place of that one. A thorough probe finds out everything anew.
//!
//! Who hangs on a line the port may tell (USB), or the printer itself (`GS I`) where it once did. Another one is found out
//! anew.

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

/// After how many silences a printer that never answered counts as one that cannot. Each costs a slip the wait for its proof.
const ENOUGH: u8 = 2;

/// A proof that a job can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proving {
    Queued,
    ProcessId,
}

/// What speaks for and against a proof.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    /// This device gave it once.
    answered: bool,
    /// How often it did not.
    silences: u8,
}

/// What is known of a device.
pub(crate) struct Known {
    pub can: Abilities,
    queued: Evidence,
    process_id: Evidence,
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
    /// Who the port says it is.
    identity: Option<Identity>,
    /// Who it said it is itself, in one line.
    pub called: Option<String>,
    /// It was asked that and did not answer.
    nameless: bool,
    /// The fault in what it last said by itself on the present line.
    pub unasked: Option<Fault>,
    condition: watch::Sender<Option<Status>>,
    memory: Option<Memory>,
}

/// The file, and whose abilities it holds.
struct Memory {
    path: PathBuf,
    of: String,
    holds: Option<(Abilities, Option<String>)>,
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
            queued: Evidence::default(),
            process_id: Evidence::default(),
            configured,
            // A run that was killed may have left a request unanswered. Where it is not even known whether such requests
            // are answered, waiting for it would hold up the first slip of most printers for nothing.
            owed: u32::from(configured.queued == Ability::Has),
            next_id: seed,
            unfinished: true,
            finishing: finishing(profile),
            recalled: false,
            identity: None,
            called: None,
            nameless: false,
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

    /// All that was learnt is of another device.
    fn forget(&mut self) {
        self.can = self.configured;
        (self.queued, self.process_id) = (Evidence::default(), Evidence::default());
        (self.called, self.nameless) = (None, false);
    }

    /// Everything that only silence spoke against is found out anew.
    pub fn doubt(&mut self) {
        let again =
            |can: &mut Ability, configured| *can = if *can == Ability::Lacks { configured } else { *can };
        again(&mut self.can.queued, self.configured.queued);
        again(&mut self.can.process_id, self.configured.process_id);
        again(&mut self.can.automatic, self.configured.automatic);
        (self.queued.silences, self.process_id.silences) = (0, 0);
    }

    fn proof(&mut self, which: Proving) -> (&mut Ability, Ability, &mut Evidence) {
        match which {
            Proving::Queued => (&mut self.can.queued, self.configured.queued, &mut self.queued),
            Proving::ProcessId => {
                (&mut self.can.process_id, self.configured.process_id, &mut self.process_id)
            }
        }
    }

    /// It gave this proof.
    pub fn answers(&mut self, which: Proving) {
        let (can, _, evidence) = self.proof(which);
        *can = Ability::Has;
        *evidence = Evidence { answered: true, silences: 0 };
    }

    /// It was asked for this proof and said nothing. It is not asked again on this line.
    pub fn is_silent(&mut self, which: Proving) {
        let (can, configured, evidence) = self.proof(which);
        if evidence.answered {
            *can = configured;
        } else {
            evidence.silences = evidence.silences.saturating_add(1);
            *can = Ability::Lacks;
        }
    }

    /// It went past the request for this proof and answered the next.
    pub fn lacks(&mut self, which: Proving) {
        let (can, configured, evidence) = self.proof(which);
        evidence.silences = ENOUGH;
        *can = if evidence.answered { configured } else { Ability::Lacks };
    }

    /// Who it is, in one line: by what the port says, else by what it says itself.
    pub fn identity(&self) -> Option<Identity> {
        let called =
            || self.called.clone().map(|model| Identity { model: Some(model), ..Identity::default() });
        self.identity.clone().or_else(called)
    }

    /// Whether it is to be asked who it is: where the port does not tell and it did once, or understands newer requests than
    /// that. Very old firmware prints the question (fact sheet ESCPOS 3.4).
    pub fn is_to_be_named(&self) -> bool {
        let understands = self.process_id.answered && !self.nameless;
        self.identity.is_none() && (self.called.is_some() || understands)
    }

    /// Whether it told who it is before.
    pub fn called_itself(&self) -> bool {
        self.called.is_some()
    }

    /// What it called itself: maker, model, serial number; nothing, if it did not answer. What was learnt of one with
    /// another name is forgotten.
    pub fn named(&mut self, [maker, model, serial]: [Option<String>; 3]) {
        let said = Identity { maker, model, serial };
        let said = (said != Identity::default()).then(|| said.to_string());
        if self.identity.is_none() && self.called.is_some() && self.called != said {
            tracing::info!("another printer answers in this place: what it can answer is found out anew");
            self.forget();
        }
        self.nameless = said.is_none();
        self.called = said;
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
                self.forget();
            }
            self.identity = Some(identity);
        }
        // A new line, a new try.
        for which in [Proving::Queued, Proving::ProcessId] {
            let (can, configured, evidence) = self.proof(which);
            if *can == Ability::Lacks && (1..ENOUGH).contains(&evidence.silences) {
                *can = configured;
            }
        }
        let Some(path) = path else { return };
        if self.memory.as_ref().is_some_and(|memory| memory.of == of) {
            return;
        }
        let recalled = recall(path, &of);
        let (holds, called) = recalled.unzip();
        if let Some(holds) = holds {
            self.called = called.flatten();
            (self.queued.answered, self.process_id.answered) =
                (holds.queued == Ability::Has, holds.process_id == Ability::Has);
            (self.queued.silences, self.process_id.silences) = (ENOUGH, ENOUGH);
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
        let called = self.called.clone();
        self.memory = Some(Memory { path: path.to_owned(), of, holds: holds.map(|holds| (holds, called)) });
    }

    /// Writes what was learnt, if that is new. A file that cannot be written costs some seconds at the next start.
    pub fn remember(&mut self) {
        let doubtful = |can, evidence: Evidence| match can {
            Ability::Lacks if (1..ENOUGH).contains(&evidence.silences) => Ability::Ask,
            can => can,
        };
        let sure = Abilities {
            queued: doubtful(self.can.queued, self.queued),
            process_id: doubtful(self.can.process_id, self.process_id),
            ..self.can
        };
        let new = Some((sure, self.called.clone()));
        let Some(memory) = self.memory.as_mut().filter(|memory| memory.holds != new) else {
            return;
        };
        memory.holds = new;
        if let Err(error) = write(&memory.path, &memory.of, sure, self.called.as_deref()) {
            tracing::warn!(%error, path = %memory.path.display(), "what the printer can answer is not kept");
        }
    }
}

const HEADING: &str = "what this printer answers; found out again when this file is gone";
/// More than any identity needs.
const LONGEST: u64 = 4096;

const WORDS: [(&str, Ability); 3] = [("has", Ability::Has), ("ask", Ability::Ask), ("lacks", Ability::Lacks)];

fn write(path: &Path, of: &str, can: Abilities, called: Option<&str>) -> io::Result<()> {
    let word = |ability| WORDS.iter().find(|(_, its)| *its == ability).map_or("ask", |(word, _)| word);
    let text = format!(
        "{HEADING}\nof {of}\nreal_time {}\nqueued {}\nprocess_id {}\nautomatic {}\ncalled {}\n",
        word(can.real_time),
        word(can.queued),
        word(can.process_id),
        word(can.automatic),
        called.unwrap_or_default(),
    );
    let fresh = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    // Torn by a power cut it counts as lost, which costs little: no sync.
    fs::rename(fresh, path)
}

/// What the file holds of this device; `None` for anything but exactly what is written.
fn recall(path: &Path, of: &str) -> Option<(Abilities, Option<String>)> {
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
    let called = lines.next()?.strip_prefix("called ")?;
    let called = (!called.is_empty()).then(|| called.to_owned());
    lines.next().is_none().then_some((Abilities { real_time, queued, process_id, automatic }, called))
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
        for called in [None, Some("EPSON TM-T20II 1")] {
            write(&path, "usb X", LEARNT, called).unwrap();
            assert_eq!(recall(&path, "usb X"), Some((LEARNT, called.map(str::to_owned))));
        }
        let whole = fs::read_to_string(&path).unwrap();
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

    /// What happens to the proof by process id.
    #[derive(Debug, Clone, Copy)]
    enum Happens {
        NewLine,
        Answers,
        Silent,
        PastIt,
        ThoroughProbe,
        Restart,
    }

    #[test]
    fn only_silence_that_is_sure_makes_a_printer_lack_a_proof() {
        use Happens::{Answers, NewLine, PastIt, Restart, Silent, ThoroughProbe};
        let (has, ask, lacks) = (Ability::Has, Ability::Ask, Ability::Lacks);
        for (happens, expected) in [
            (&[][..], ask),
            (&[Answers], has),
            (&[Silent], lacks),
            (&[Silent, NewLine], ask),
            (&[Silent, Restart], ask),
            (&[Silent, NewLine, Silent], lacks),
            (&[Silent, NewLine, Silent, NewLine, NewLine], lacks),
            (&[Silent, NewLine, Silent, Restart], lacks),
            (&[Silent, NewLine, Silent, Restart, ThoroughProbe], ask),
            (&[Silent, NewLine, Silent, ThoroughProbe, Answers], has),
            (&[Silent, NewLine, Silent, ThoroughProbe, Silent, NewLine], ask),
            (&[PastIt], lacks),
            (&[PastIt, NewLine], lacks),
            (&[PastIt, ThoroughProbe], ask),
            // One that once answered is never given up.
            (&[Answers, Silent], ask),
            (&[Answers, Silent, Silent, Silent], ask),
            (&[Answers, PastIt], ask),
            (&[Answers, Restart, Silent], ask),
        ] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("printer-slip");
            let start = || {
                let mut known = Known::new(&Profile::epson(), false, 0);
                known.meet(Some(&path), "network a", None);
                known
            };
            let mut known = start();
            for step in happens {
                match step {
                    NewLine => known.meet(Some(&path), "network a", None),
                    Answers => known.answers(Proving::ProcessId),
                    Silent => known.is_silent(Proving::ProcessId),
                    PastIt => known.lacks(Proving::ProcessId),
                    ThoroughProbe => known.doubt(),
                    Restart => {
                        known.remember();
                        known = start();
                    }
                }
            }
            assert_eq!(known.can.process_id, expected, "{happens:?}");
        }
    }

    #[test]
    fn one_that_calls_itself_otherwise_is_found_out_anew() {
        let name = |model: &str| [Some("EPSON".to_owned()), Some(model.to_owned()), None];
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("printer-slip");
        for (restart, names, expected) in [
            (false, name("TM-T20"), Ability::Has),
            (true, name("TM-T20"), Ability::Has),
            (false, name("TM-T88"), Ability::Ask),
            (true, name("TM-T88"), Ability::Ask),
            (true, [None, None, None], Ability::Ask),
        ] {
            let _ = fs::remove_file(&path);
            let start = || {
                let mut known = Known::new(&Profile::epson(), false, 0);
                known.meet(Some(&path), "network a", None);
                known
            };
            let mut known = start();
            assert!(!known.is_to_be_named());
            known.answers(Proving::ProcessId);
            assert!(known.is_to_be_named());
            known.named(name("TM-T20"));
            known.remember();
            if restart {
                known = start();
            }
            assert!(known.is_to_be_named());
            known.named(names.clone());
            assert_eq!(known.can.process_id, expected, "{names:?} after a restart: {restart}");
        }
    }
}
