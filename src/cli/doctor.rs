//! `tilld doctor`: everything that must be right before the first customer, a line each, with what to do next.
//!
//! It changes nothing, prints nothing on paper and takes no money. While the daemon runs it holds journal and devices: then its own
//! health is shown. Without a configuration it still says what is plugged in and what is missing.
//!
//! | mark | means |
//! |---|---|
//! | `ok` | it is right |
//! | `wrong` | no gift card can be sold, or not printed, or not scanned, until it is put right; the program then ends with 1 |
//! | `-` | nothing wrong, and worth knowing |

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use tilld_devices::plugged::{Plugged, Seems};
use tilld_devices::scanner::Presence;
use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_journal::{OpenError, Reader};
use tilld_providers::GiftCards;

use crate::beside::{Beside, look};
use crate::command::{ConfigFile, Failure, say};
use crate::config::PrinterConfig;
use crate::config::{Config, ConfigError, THREE_LINES, secrets};
use crate::daemon::{SLIP, SPARE, finperks, gift_local, printer};
use crate::devices::{self, printer_next};
use crate::provider;

/// The least free space in bytes: some ten thousand sales.
const LEAST_FREE: u64 = 200 * 1024 * 1024;
/// How long a printer may take to say what it can answer.
const PRINTER_PATIENCE: Duration = Duration::from_secs(30);

/// What is examined.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Answer as JSON, for machines
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Wrong,
    Note,
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Note => "-",
        }
    }
}

/// All findings, in the order in which they were made.
#[derive(Default)]
struct Findings(Vec<(Mark, &'static str, String)>);

impl Findings {
    fn ok(&mut self, what: &'static str, text: impl Into<String>) {
        self.0.push((Mark::Ok, what, text.into()));
    }

    fn wrong(&mut self, what: &'static str, text: impl Into<String>) {
        self.0.push((Mark::Wrong, what, text.into()));
    }

    fn note(&mut self, what: &'static str, text: impl Into<String>) {
        self.0.push((Mark::Note, what, text.into()));
    }

    fn wrongs(&self) -> usize {
        self.0.iter().filter(|(mark, ..)| *mark == Mark::Wrong).count()
    }

    fn lines(&self) -> String {
        let lines = self.0.iter().map(|(mark, what, text)| format!("{:5}  {what:13}  {text}", mark.word()));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Value {
        let findings = self.0.iter().map(|(mark, what, text)| {
            json!({ "mark": if *mark == Mark::Note { "note" } else { mark.word() }, "what": what, "text": text })
        });
        json!({ "findings": findings.collect::<Vec<_>>(), "wrong": self.wrongs() })
    }
}

pub(crate) async fn run(arguments: DoctorArguments) -> Result<(), Failure> {
    let mut findings = Findings::default();
    let mut three_lines = false;
    match arguments.config.load() {
        Ok(config) => {
            findings.ok("configuration", arguments.config.config.display().to_string());
            examine(&config, &mut findings).await;
        }
        Err(error) => {
            three_lines = error.wants_the_three_lines();
            misconfigured(&error, &mut findings);
            if error.lacks_a_printer() {
                unconfigured(&Plugged::here(), &mut findings);
            }
        }
    }
    if arguments.json {
        say(&findings.json().to_string())?;
    } else {
        say(&findings.lines())?;
        if three_lines {
            say(&format!("\nA configuration needs three lines:\n\n{THREE_LINES}"))?;
        }
    }
    match findings.wrongs() {
        0 => Ok(()),
        1 => Err(Failure::Other(anyhow!("one thing must be put right"))),
        several => Err(Failure::Other(anyhow!("{several} things must be put right"))),
    }
}

fn misconfigured(error: &ConfigError, findings: &mut Findings) {
    match error {
        ConfigError::Unreadable { path, why } => {
            findings.wrong(
                "configuration",
                format!("{} cannot be read: {why}. Write it, or name another with --config.", path.display()),
            );
        }
        ConfigError::Wrong { path, fields } => {
            for field in fields {
                findings.wrong("configuration", format!("{}, {field}", path.display()));
            }
        }
    }
}

/// What can be said of a machine for which nothing is configured.
fn unconfigured(plugged: &Plugged, findings: &mut Findings) {
    let printers = plugged.usb_printers();
    match printers.as_slice() {
        [] => findings.wrong(
            "printer",
            "no USB printer is plugged in. Plug it in and switch it on, or name a network or serial printer \
                 in the configuration.",
        ),
        found => {
            for printer in found {
                findings.note(
                    "printer",
                    format!(
                        "{} is plugged in. Name it in the configuration; `tilld \
                     devices list` shows how.",
                        devices::printer_name(printer)
                    ),
                );
            }
        }
    }
    let typing = plugged.inputs().into_iter().filter(|input| input.seems == Seems::Scanner).count();
    let serial = plugged.serial_ports().len();
    if typing == 0 && serial == 0 {
        findings.note(
            "scanner",
            "no scanner and no serial port is plugged in. Codes can be typed; to scan \
             them plug one in and name it in the configuration.",
        );
    } else {
        let count = |number: usize, what: &str| match number {
            0 => format!("no {what}"),
            1 => format!("1 {what}"),
            _ => format!("{number} {what}s"),
        };
        findings.note(
            "scanner",
            format!(
                "plugged in: {}, {}. `tilld devices list` shows how to name them.",
                count(typing, "typing scanner"),
                count(serial, "serial port")
            ),
        );
    }
}

async fn examine(config: &Config, findings: &mut Findings) {
    keys(config, findings);
    disk(&config.journal.folder, findings);
    match look(config).await {
        Beside::Daemon(health) => {
            findings.ok(
                "daemon",
                format!(
                    "it runs on {} and holds journal and devices; what follows is its own word",
                    config.api.listen
                ),
            );
            from_health(&health, findings);
            // What the daemon has not asked yet, or what was mended since, nobody holds.
            if health.pointer("/vouchers/up").and_then(Value::as_bool) != Some(true) {
                gift_local_line(config, findings).await;
            }
            if config.scanners.is_empty() {
                no_scanner(findings);
            }
        }
        beside => {
            match beside {
                Beside::Stranger(why) => findings.wrong(
                    "daemon",
                    format!(
                        "something else, or another daemon, serves {}: {why}. Stop it, or set \
                         api.listen to another port.",
                        config.api.listen
                    ),
                ),
                _ => findings.note(
                    "daemon",
                    "it does not run; start it with `tilld serve`, or `systemctl \
                     start tilld`",
                ),
            }
            journal(&config.journal.folder, findings);
            provider_and_clock(config, findings).await;
            gift_local_line(config, findings).await;
            the_printer(SLIP, &config.printer, findings).await;
            if let Some(spare) = &config.spare_printer {
                the_printer(SPARE, spare, findings).await;
            }
            scanners(config, findings);
        }
    }
}

/// The secrets, each of which only this program may read.
fn keys(config: &Config, findings: &mut Findings) {
    let mut right = 0_usize;
    let folder = &config.journal.folder;
    let finperks = secrets::read(config.finperks.secret_file.as_deref(), "finperks_secret").map(drop);
    let gift_local = config
        .gift_local
        .as_ref()
        .map(|gift_local| secrets::read(gift_local.key_file.as_deref(), "gift_local_key").map(drop));
    // What the daemon makes at its first start need not be there yet.
    let made = |file: Option<&Path>, name: &str| match file {
        Some(file) if !file.exists() && !tilld_journal::Journal::exists(folder) => None,
        file => Some(secrets::read(file, name).map(drop)),
    };
    let journal = made(config.journal.key_file.as_deref(), "journal_key");
    let token = made(Some(&config.api.token_file), "api_token");
    for secret in [Some(finperks), gift_local, journal, token].into_iter().flatten() {
        match secret {
            Ok(()) => right = right.saturating_add(1),
            Err(error) => findings.wrong("keys", format!("{error:#}")),
        }
    }
    if right > 0 {
        findings.ok("keys", format!("{right}, each for this program alone to read"));
    }
}

/// Free space where the journal is, or will be.
fn disk(folder: &Path, findings: &mut Findings) {
    let Some(there) = folder.ancestors().find(|folder| folder.is_dir()) else { return };
    if rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_err() {
        findings.wrong(
            "disk",
            format!(
                "{} cannot be written by this user. Run this as the daemon's user, or give the folder to it.",
                there.display()
            ),
        );
    }
    match rustix::fs::statvfs(there) {
        Err(error) => findings.wrong("disk", format!("{} cannot be looked at: {error}", there.display())),
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let megabytes = free / (1024 * 1024);
            if free < LEAST_FREE {
                findings.wrong(
                    "disk",
                    format!(
                        "only {megabytes} MB are free in {}. Make room: without it no gift card is sold.",
                        there.display()
                    ),
                );
            } else {
                findings.ok("disk", format!("{megabytes} MB free in {}", there.display()));
            }
        }
    }
}

/// The journal, read only.
fn journal(folder: &Path, findings: &mut Findings) {
    match Reader::open(folder) {
        Ok(_) => findings.ok(
            "journal",
            format!("{} can be read; `tilld journal verify` checks every entry", folder.display()),
        ),
        Err(OpenError::NoJournal(_)) => {
            findings.note(
                "journal",
                format!("there is none in {} yet; the daemon makes it at its first start", folder.display()),
            );
        }
        Err(error) => {
            findings
                .wrong("journal", format!("{error}. Call the manufacturer, and keep the folder as it is."));
        }
    }
}

/// The line to the provider, and this machine's clock by what the provider says.
async fn provider_and_clock(config: &Config, findings: &mut Findings) {
    let client = match finperks(&config.finperks, &config.place.country) {
        Ok(client) => client,
        // A missing secret was said already.
        Err(error) => return findings.wrong("provider", format!("{error:#}")),
    };
    let asked = tokio::time::timeout(config.finperks.deadlines.other, client.self_check()).await;
    let url = &config.finperks.url;
    match asked.map_err(|_| "it does not answer".to_owned()).and_then(|outcome| match outcome {
        Outcome::Done(_) => Ok(()),
        outcome => Err(provider::why_not(&outcome, "finperks.url")),
    }) {
        Ok(()) => findings.ok("provider", format!("{url} answers, and takes our key")),
        Err(why) => findings.wrong("provider", format!("{url}: {why} (without it no gift card is sold)")),
    }
    let set = "Set date and time right (`timedatectl set-ntp true`, or by hand)";
    match client.clock_offset_ms() {
        Some(off) if Duration::from_millis(off.unsigned_abs()) > client.clock_tolerance() => {
            let side = if off > 0 { "behind" } else { "ahead of" };
            findings.wrong("clock", format!("{} s {side} the provider's. {set}.", off.unsigned_abs() / 1000));
        }
        Some(off) => findings
            .ok("clock", format!("within {} s of the provider's", off.unsigned_abs().div_ceil(1000).max(1))),
        None => findings.note("clock", "the provider tells the right time, and has not answered"),
    }
}

/// The line to Gift Local: it is asked for a voucher that nobody has, because it has no call that asks less.
async fn gift_local_line(config: &Config, findings: &mut Findings) {
    let Some(config) = &config.gift_local else { return };
    let client = match gift_local(config) {
        Ok(client) => client,
        // A missing key was said already.
        Err(error) => return findings.wrong("vouchers", format!("{error:#}")),
    };
    let url = &config.url;
    match tokio::time::timeout(config.deadlines.validate, client.self_check()).await {
        Err(_) => findings
            .wrong("vouchers", format!("{url}: it does not answer (without it no voucher is redeemed)")),
        Ok(Outcome::Done(())) => {
            findings
                .ok("vouchers", format!("{url} answers, takes our key, and may be asked for vouchers here"));
        }
        Ok(Outcome::Refused(Refusal::Foreign(_))) => findings.wrong(
            "vouchers",
            format!("{url} has no such call. Compare gift_local.url with what the provider gave out."),
        ),
        Ok(outcome) => findings.wrong(
            "vouchers",
            format!(
                "{url}: {} (without it no voucher is redeemed)",
                provider::why_not(&outcome, "gift_local.url")
            ),
        ),
    }
    if let Some(warning) = config.warning() {
        findings.note("vouchers", warning);
    }
}

async fn the_printer(name: &str, config: &PrinterConfig, findings: &mut Findings) {
    let printer = printer(name, config, None);
    match tokio::time::timeout(PRINTER_PATIENCE, printer.probe(false)).await {
        Err(_) => {
            findings.wrong("printer", format!("{} does not answer. Switch it off and on.", printer.name()));
        }
        Ok(probed) => match devices::trouble(&probed) {
            Some(trouble) => findings.wrong("printer", format!("{}: {trouble}", printer.name())),
            None => findings.ok("printer", format!("{}: {}", printer.name(), devices::answers(&probed))),
        },
    }
}

fn scanners(config: &Config, findings: &mut Findings) {
    let plugged = Plugged::here();
    for scanner in &config.scanners {
        let name = &scanner.name;
        match devices::scanner_now(scanner, &plugged) {
            Ok(path) => findings.ok("scanner", format!("{name}: {}", path.display())),
            Err(Presence::Absent) => findings.wrong(
                "scanner",
                format!(
                    "{name}: {} is not plugged in. Plug it in; it is found within 2 s.",
                    devices::address(scanner)
                ),
            ),
            Err(presence) => findings.wrong(
                "scanner",
                format!("{name}, {}: {}", devices::address(scanner), devices::presence_text(presence)),
            ),
        }
    }
    if config.scanners.is_empty() {
        no_scanner(findings);
    }
}

fn no_scanner(findings: &mut Findings) {
    findings.note("scanner", "none is configured: codes are typed, or come from the till's own scanner");
}

/// The daemon's word on everything that it holds.
fn from_health(health: &Value, findings: &mut Findings) {
    let text = |pointer: &str| health.pointer(pointer).and_then(Value::as_str);
    let truth = |pointer: &str| health.pointer(pointer).and_then(Value::as_bool);
    match text("/journal/trouble") {
        Some(trouble) => findings.wrong("journal", trouble),
        None => findings.ok("journal", "it takes entries"),
    }
    match text("/clock/trouble") {
        Some(trouble) => findings.wrong("clock", trouble),
        None => findings.ok("clock", "right, as far as the provider tells"),
    }
    match (truth("/provider/up"), text("/provider/trouble")) {
        (Some(true), _) => findings.ok("provider", "the last call was answered"),
        (Some(false), Some(trouble)) => {
            findings.wrong("provider", format!("the daemon's last call was refused: {trouble}"));
        }
        (Some(false), None) => findings.wrong(
            "provider",
            "the last call was not answered. See that the line to it works; it is asked again by itself.",
        ),
        (None, _) => findings.note("provider", "it has not been asked yet"),
    }
    match (truth("/vouchers/up"), text("/vouchers/trouble")) {
        (Some(true), _) => findings.ok("vouchers", "the last call was answered"),
        (Some(false), Some(trouble)) => {
            findings.wrong("vouchers", format!("the daemon's last call was refused: {trouble}"));
        }
        (Some(false), None) => findings.wrong(
            "vouchers",
            "the last call to their provider was not answered. See that the line to it works.",
        ),
        (None, _) => {}
    }
    if let Some(trouble) = text("/vouchers_trouble") {
        findings.wrong("vouchers", trouble);
    }
    for device in health.get("devices").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| device.get(field).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let known = device.get("known").and_then(Value::as_bool) == Some(true);
        let (fault, trouble) = (text("fault").map(printer_next), text("text"));
        match (text("kind"), trouble) {
            (Some("scanner"), Some(trouble)) => findings.wrong("scanner", format!("{name}: {trouble}")),
            (Some("scanner"), None) if known => findings.ok("scanner", format!("{name}: it is read")),
            (Some("scanner"), None) => findings.note("scanner", format!("{name}: it is being looked for")),
            (_, Some(warning)) => match fault {
                Some(fault) => findings.wrong("printer", format!("{name}: {fault}")),
                None => findings.note("printer", format!("{name}: {warning}")),
            },
            (_, None) if known => findings.ok("printer", format!("{name}: nothing hinders it")),
            (_, None) => findings.note(
                "printer",
                format!(
                    "{name}: it cannot be asked, or does not answer; `tilld devices test` prints on it while \
                     the daemon is stopped"
                ),
            ),
        }
    }
    // What the lines above do not say: there is no catalogue.
    let said = text("/journal/trouble").is_some() || text("/clock/trouble").is_some();
    if truth("/sells") != Some(true) && !said {
        findings.wrong("sales", text("/hindrance").unwrap_or("it does not sell, and does not say why"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_any_device_is_told_what_is_missing_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut findings = Findings::default();
        unconfigured(&Plugged::below(folder.path().to_owned()), &mut findings);
        let [(mark, "printer", printer), (Mark::Note, "scanner", scanner)] = findings.0.as_slice() else {
            panic!("{}", findings.lines())
        };
        assert!(
            *mark == Mark::Wrong && printer.starts_with("no USB printer is plugged in. Plug it in"),
            "{printer}"
        );
        assert!(scanner.starts_with("no scanner and no serial port is plugged in."), "{scanner}");
    }

    #[test]
    fn the_daemons_word_is_turned_into_lines() {
        let well = json!({ "sells": true, "journal": {}, "clock": {}, "provider": { "up": true },
            "devices": [{ "name": "slip", "kind": "printer", "fault": null, "text": null, "known": true }] });
        let mut findings = Findings::default();
        from_health(&well, &mut findings);
        assert_eq!(findings.wrongs(), 0, "{}", findings.lines());
        for (pointer, value, expected) in [
            ("/journal", json!({ "trouble": "Disk full." }), "wrong  journal        Disk full."),
            ("/clock", json!({ "trouble": "Clock is wrong." }), "wrong  clock          Clock is wrong."),
            ("/provider", json!({ "up": false }), "wrong  provider       the last call was not answered."),
            ("/vouchers", json!({ "up": false }), "wrong  vouchers       the last call"),
            (
                "/devices",
                json!([{ "name": "spare", "kind": "printer", "fault": "paper_out", "text": "x", "known": true }]),
                "wrong  printer        spare: The paper is out. Put a new roll in.",
            ),
            (
                "/devices",
                json!([{ "name": "slip", "kind": "printer", "fault": null, "known": false }]),
                "-      printer        slip: it cannot be asked",
            ),
            (
                "/devices",
                json!([{ "name": "slip", "kind": "printer", "text": "The paper is running out.", "known": true }]),
                "-      printer        slip: The paper is running out.",
            ),
            (
                "/devices",
                json!([{ "name": "hand", "kind": "scanner", "text": "Another program has it.", "known": true }]),
                "wrong  scanner        hand: Another program has it.",
            ),
            (
                "/devices",
                json!([{ "name": "hand", "kind": "scanner", "text": null, "known": true }]),
                "ok     scanner        hand: it is read",
            ),
            ("/sells", json!(false), "wrong  sales          it does not sell"),
        ] {
            let mut ill = well.clone();
            ill[pointer.trim_start_matches('/')] = value;
            let mut findings = Findings::default();
            from_health(&ill, &mut findings);
            assert!(findings.lines().lines().any(|line| line.starts_with(expected)), "{}", findings.lines());
        }
    }
}
