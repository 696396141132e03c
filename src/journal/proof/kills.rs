//! A daemon that is killed: what it was told is on the disk is on the disk.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::{sale_of, settings, whole_sale};
use crate::failure::Verdict;
use crate::journal::Journal;
use crate::reader::Reader;

/// Set for the process that is to be killed: where its journal is.
const VICTIM: &str = "TILLD_JOURNAL_OF_A_VICTIM";

/// What the victim says when an append has returned.
const WRITTEN: &str = "written ";

#[test]
fn a_victim_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    let journal = Journal::open(&settings(path.as_ref())).unwrap();
    let mut out = std::io::stdout().lock();
    for number in 1.. {
        for draft in whole_sale(number, 1_000).1 {
            let seq = journal.append(&[draft]).unwrap()[0];
            writeln!(out, "\n{WRITTEN}{seq}").unwrap();
        }
    }
}

#[test]
fn every_entry_that_was_reported_as_written_survives_a_kill() {
    for lines in [1, 9, 100, 333] {
        let directory = tempfile::TempDir::new().unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proof::kills::a_victim_writes_until_it_is_killed", "--nocapture"])
            .env(VICTIM, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reported = BufReader::new(victim.stdout.take().unwrap()).lines().filter_map(|line| {
            line.unwrap().strip_prefix(WRITTEN).map(|number| number.parse::<u64>().unwrap())
        });
        let reported_last = reported.nth(lines - 1).unwrap();
        victim.kill().unwrap();
        victim.wait().unwrap();
        let seen = Reader::open(directory.path()).unwrap().verify().unwrap();
        let Verdict::Whole { entries, .. } = seen else { panic!("{seen:?}") };
        assert!(entries >= reported_last, "{entries} of at least {reported_last}");
        let journal = Journal::open(&settings(directory.path())).unwrap();
        assert_eq!(journal.last().unwrap().number(), entries);
        let open = journal.open_sales().unwrap();
        assert_eq!(open.len(), usize::from(!entries.is_multiple_of(8)));
        for sale in open {
            assert!(sale_of(&journal, sale).unwrap().is_some());
        }
    }
}
