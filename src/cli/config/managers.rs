//! The section `managers`: who may sign in on a screen as manager, and with what PIN. It may be left out: then nobody can, and
//! what is a manager's is done by till software or on the command line.
//!
//! ```toml
//! [[managers]]
//! name     = "M. Weber"
//! pin_hash = "$argon2id$v=19$m=19456,t=2,p=1$…"     # as `tilld pin` prints it
//! ```
//!
//! A PIN is short: whoever has its hash finds it in hours. So a file with managers that every user of the machine may read is
//! refused, as a secret's is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tilld_api::{Manager, PinHash};
use tilld_domain::ids::PersonName;

use super::sheet::{Place, Sheet, Wrong};

/// How many managers a till may have.
const MOST: usize = 32;

pub(super) fn read(sheet: &mut Sheet) -> Vec<Manager> {
    let numbers = sheet.numbers_below("managers");
    if numbers.is_empty() && sheet.has("managers") {
        sheet.note("managers", "wanted: [[managers]] with name and pin_hash, as `tilld pin` prints it");
    }
    if let Some(number) = numbers.get(MOST) {
        sheet.note(&format!("managers.{number}"), &format!("at most {MOST} managers"));
    }
    let mut managers: Vec<Manager> = Vec::new();
    for number in numbers {
        let field = |of: &str| format!("managers.{number}.{of}");
        let name: Option<PersonName> =
            sheet.required(&field("name"), "the manager's name, as the journal will have it");
        // Read as a text: what stands there by mistake may be the PIN itself, and is not to be shown.
        let written: Option<String> = sheet.required(&field("pin_hash"), "what `tilld pin` prints");
        let pin = match written.as_deref().map(str::parse::<PinHash>) {
            Some(Err(error)) => {
                sheet.note(&field("pin_hash"), &error.to_string());
                None
            }
            Some(Ok(pin)) => Some(pin),
            None => None,
        };
        let (Some(name), Some(pin)) = (name, pin) else { continue };
        if managers.iter().any(|manager| manager.name == name) {
            sheet.note(&field("name"), "there is another manager of this name");
        }
        managers.push(Manager { name, pin });
    }
    managers
}

/// What is wrong with a file of managers that everybody may read.
pub(super) fn exposed(managers: &[Manager], text: &str, path: &Path) -> Option<Wrong> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let of_others = mode & 0o007;
    if managers.is_empty() || of_others == 0 {
        return None;
    }
    let line =
        text.lines().position(|line| line.contains("managers")).map_or(1, |lines| lines.saturating_add(1));
    Some(Wrong {
        field: "managers".to_owned(),
        place: Place::Line(line),
        why: format!(
            "every user of this machine may read the file (mode {mode:o}), and could find the PINs; say: chmod o= {}",
            path.display()
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm8";

    fn managers(text: &str) -> (Vec<String>, Vec<String>) {
        let mut sheet = Sheet::read(text, &HashMap::new()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let names = read(&mut sheet).iter().map(|manager| manager.name.to_string()).collect();
        (names, sheet.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn managers_are_read_in_the_order_of_the_file() {
        let names: Vec<String> = (1..=12).rev().map(|number| format!("M{number}")).collect();
        let tables =
            names.iter().map(|name| format!("[[managers]]\nname = \"{name}\"\npin_hash = \"{HASH}\"\n"));
        let text: String = tables.collect();
        assert_eq!(managers(&text), (names, Vec::new()));
        assert_eq!(managers(""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_file_with_managers_is_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tilld.toml");
        let text =
            format!("{}\n[[managers]]\nname = \"Ada\"\npin_hash = \"{HASH}\"\n", super::super::tests::WHOLE);
        let load = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            crate::config::Config::load(&path, &HashMap::new()).map_err(|error| error.to_string())
        };
        for mode in [0o600, 0o640, 0o660] {
            assert!(load(&text, mode).is_ok(), "{mode:o}");
        }
        for mode in [0o644, 0o604, 0o602, 0o777] {
            let refused = load(&text, mode).unwrap_err();
            assert!(
                refused.contains("line 6: managers: every user") && refused.contains("chmod o= "),
                "{refused}"
            );
        }
        assert!(load(super::super::tests::WHOLE, 0o644).is_ok(), "there is nothing to find");
    }

    #[test]
    fn what_is_wrong_with_a_manager_is_named_with_its_line_and_no_pin_is_shown() {
        let good = format!("[[managers]]\nname = \"Ada\"\npin_hash = \"{HASH}\"\n");
        for (text, expected) in [
            (
                "[[managers]]\nname = \"Ada\"\npin_hash = \"123456\"\n".to_owned(),
                "line 3: managers.1.pin_hash: that is no Argon2id hash; `tilld pin` makes one",
            ),
            (
                format!("[[managers]]\nname = \"Ada\"\npin_hash = \"{}\"\n", HASH.replace("m=19456", "m=8")),
                "line 3: managers.1.pin_hash: its costs are too low or too high; `tilld pin` makes a right one",
            ),
            (
                "[[managers]]\nname = \"Ada\"\n".to_owned(),
                "missing: managers.1.pin_hash: what `tilld pin` prints",
            ),
            (
                format!("[[managers]]\npin_hash = \"{HASH}\"\n"),
                "missing: managers.1.name: the manager's name, as the journal will have it",
            ),
            (format!("{good}{good}"), "line 5: managers.2.name: there is another manager of this name"),
            (
                format!("{good}pin = \"123456\"\n"),
                "line 4: managers.1.pin: there is no such field; is it misspelled?",
            ),
            (
                "managers = []\n".to_owned(),
                "line 1: managers: wanted: [[managers]] with name and pin_hash, as `tilld pin` prints it",
            ),
            (
                "managers = \"Ada\"\n".to_owned(),
                "line 1: managers: wanted: [[managers]] with name and pin_hash, as `tilld pin` prints it",
            ),
            (good.repeat(33).replacen("Ada", "Ida", 1), "managers.33: at most 32 managers"),
        ] {
            let (_, wrong) = managers(&text);
            assert!(wrong.iter().any(|wrong| wrong.contains(expected)), "{text}: {wrong:?}");
            assert!(!wrong.iter().any(|wrong| wrong.contains("123456")), "{wrong:?}");
        }
    }
}
