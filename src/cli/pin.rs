//! `tilld pin`: a manager's PIN as the hash that goes into the configuration.
//!
//! The PIN is typed twice and not shown. Where the input is no terminal it is read from there once, so that a script can set a
//! till up; it is never an argument, which every user of the machine could read.

use std::io::{IsTerminal, Read, Write, stdin};

use anyhow::{Context, anyhow};
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tilld_api::PinHash;
use tilld_domain::ids::PersonName;
use tilld_domain::secret::Secret;

use crate::command::{Failure, say};

/// The most bytes that are read as a PIN; more is none.
const LONGEST: u64 = 64;

/// Whose PIN.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// The manager's name, as the journal will have it
    #[arg(value_name = "NAME")]
    name: PersonName,
}

pub(crate) fn run(arguments: &PinArguments) -> Result<(), Failure> {
    let pin = if stdin().is_terminal() {
        let first = typed("PIN (6 to 12 digits): ")?;
        if typed("once more: ")? != first {
            return Err(Failure::Usage("the two are not the same; nothing was made".to_owned()));
        }
        first
    } else {
        line()?
    };
    let hash = PinHash::of(&pin).map_err(|error| Failure::Usage(error.to_string()))?;
    // A name has no character that TOML would want escaped but the apostrophe, which stands in a basic string as it is.
    say(&format!("[[managers]]\nname     = \"{}\"\npin_hash = \"{hash}\"", arguments.name))
}

/// Asks at the terminal, which does not show what is typed.
fn typed(question: &str) -> Result<Secret, Failure> {
    let mut out = std::io::stderr();
    // Before the question: who types at once is not shown either.
    let silent = Silent::new()?;
    // Without an error stream nobody is asked, and what is typed counts all the same.
    let _ = out.write_all(question.as_bytes()).and_then(|()| out.flush());
    let typed = line();
    drop(silent);
    let _ = out.write_all(b"\n");
    typed
}

/// Reads a line and no more; the line end is no part of it.
fn line() -> Result<Secret, Failure> {
    let mut text = Vec::with_capacity(usize::try_from(LONGEST).unwrap_or_default());
    for byte in stdin().lock().take(LONGEST).bytes() {
        match byte.context("the PIN cannot be read")? {
            b'\n' => break,
            byte => text.push(byte),
        }
    }
    let text = String::from_utf8(text).map_err(|_| anyhow!("the PIN is not text"))?;
    Ok(Secret::new(text.trim_end_matches('\r').to_owned()))
}

/// A terminal that does not show what is typed, until this goes.
struct Silent(Termios);

impl Silent {
    fn new() -> Result<Self, Failure> {
        let before = tcgetattr(stdin()).context("the terminal cannot be asked")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &quiet).context("the terminal cannot be silenced")?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // If it cannot be set back, the shell does it.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
