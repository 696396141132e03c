//! Codes are cash (law L11): nothing that ever left the daemon's memory may hold one in clear.
//!
//! Everything that is logged while tests run is kept, of every crate and at every level, and is searched for the codes,
//! pins, secrets and tokens of the shop that a script has just closed; so are all files that its daemon wrote.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use aho_corasick::AhoCorasick;

use crate::shop::Shop;

/// Everything that was logged in this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENING: OnceLock<()> = OnceLock::new();

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep what is logged; how much there is already.
pub fn listen() -> usize {
    LISTENING.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Keeper)
            .init();
    });
    logged()
}

/// Forgets what was logged so far: it has been searched.
pub fn forget() {
    LOG.lock().unwrap().clear();
}

/// How much was logged, so that a test can see that the search had something to search.
pub fn logged() -> usize {
    LOG.lock().unwrap().len()
}

/// Where any of a shop's secrets stands in clear that must stand nowhere. `scanned`: the codes of its POSA cards. `told`: what the
/// API answered. `since`: how much was logged when it was opened.
pub fn found(shop: &Shop, token: &str, scanned: &[String], told: &[String], since: usize) -> Vec<String> {
    let mut secrets = vec![("token".to_owned(), token.to_owned())];
    secrets.push(("finperks secret".to_owned(), shop.finperks.credentials().secret.clone()));
    secrets.extend(scanned.iter().map(|code| ("scanned code".to_owned(), code.clone())));
    for order in shop.finperks.ledger().orders {
        let grouped = |code: &str| {
            let characters: Vec<char> = code.chars().collect();
            characters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
        };
        if let Some(code) = &order.code {
            secrets.push((format!("code of {}", order.id), code.reveal().to_owned()));
            secrets.push((format!("grouped code of {}", order.id), grouped(code.reveal())));
        }
        // A pin is too short to be searched for in binary files; it stands on one line with words of its own.
        if let Some(pin) = &order.pin {
            secrets.push((format!("pin of {}", order.id), format!("PIN {}", pin.reveal())));
        }
    }
    if let Some(gift_local) = &shop.gift_local {
        secrets.push(("Gift Local's key".to_owned(), gift_local.api_key().to_owned()));
        for voucher in gift_local.ledger().vouchers {
            let (code, token) = (voucher.code.reveal(), voucher.token.reveal());
            let parts: Vec<&str> =
                [0..4, 4..8, 8..12].into_iter().filter_map(|part| code.get(part)).collect();
            for (form, secret) in [
                ("code", code.to_owned()),
                ("spaced code", parts.join(" ")),
                ("dashed code", parts.join("-")),
            ] {
                secrets.push((format!("{form} of {}", voucher.name), secret));
            }
            secrets.push((format!("token of {}", voucher.name), token.to_owned()));
        }
    }
    let log = LOG.lock().unwrap().clone();
    // What was forgotten meanwhile was searched then.
    let log = log.get(since..).unwrap_or(&log).to_vec();
    let mut places: Vec<(String, Vec<u8>)> = vec![("the log".to_owned(), log)];
    places.push(("an answer".to_owned(), told.concat().into_bytes()));
    let papers = shop.printer.papers();
    if shop.gift_local.is_some() {
        // Nothing that a redemption counter prints may spend a voucher.
        let text = papers.iter().map(|paper| crate::books::text_of(&paper.slip)).collect::<String>();
        places.push(("a paper".to_owned(), text.into_bytes()));
    }
    files(&shop.journal_folder(), &mut places);
    // All at once: there are dozens of secrets and megabytes of log.
    secrets.retain(|(_, secret)| !secret.is_empty());
    let search = AhoCorasick::new(secrets.iter().map(|(_, secret)| secret)).unwrap();
    let mut found = BTreeSet::new();
    for (place, bytes) in &places {
        for hit in search.find_overlapping_iter(bytes) {
            let what = &secrets[hit.pattern().as_usize()].0;
            if !(what == "token" && place.ends_with("api.token")) {
                found.insert(format!("{what} in {place}"));
            }
        }
    }
    found.into_iter().collect()
}

fn files(folder: &Path, places: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, places);
        } else {
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}
