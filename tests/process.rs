//! The shipped program as a process, for proofs that kill it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A process that is killed by SIGKILL when it goes out of hand, however that happens.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How the program says that it is up without a journal.
const SHUT: &str = "the journal is shut";

/// The `tilld` that is tried: the one that `TILLD` names, or the one beside the program that runs.
pub fn program() -> PathBuf {
    let beside = || std::env::current_exe().unwrap().parent().unwrap().join("tilld");
    let path = std::env::var_os("TILLD").map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "no program at {}; first: cargo build --release --workspace", path.display());
    path
}

/// Runs `tilld serve` with a configuration, as `command` starts the program; the address once it is ready with a journal that
/// is open, or all that it said instead.
pub fn serve(mut command: Command, config: &Path) -> (Process, Result<String, String>) {
    command.arg("serve").arg("--config").arg(config).stdin(Stdio::null()).stderr(Stdio::piped());
    command.env("TILLD_LOG", "info").env("TILLD_LOG__FORMAT", "json");
    let mut process = Process(command.spawn().unwrap());
    let mut said = String::new();
    let mut lines = BufReader::new(process.0.stderr.take().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        let parsed: Value = serde_json::from_str(&line).unwrap_or_default();
        if parsed
            .pointer("/fields/message")
            .and_then(Value::as_str)
            .is_some_and(|text| text.starts_with(SHUT))
        {
            return (process, Err(line));
        }
        if let Some(address) = parsed.pointer("/fields/address").and_then(Value::as_str) {
            // Whatever else it says must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return (process, Ok(address.to_owned()));
        }
        said.push_str(&line);
    }
    (process, Err(said))
}
