//! A daemon that is killed: what it was told is on the disk is on the disk.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::redemptions::whole_redemption;
use super::{sale_of, settings, whole_sale};
use crate::entry::{Draft, Seq};
use crate::failure::Verdict;
use crate::journal::Journal;
use crate::reader::Reader;

/// Set for the process that is to be killed: where its journal is.
const VICTIM: &str = "TILLD_JOURNAL_OF_A_VICTIM";

/// A sale of eight entries, and a redemption of six.
const A_ROUND: u64 = 8 + 6;

/// What the victim says when an append has returned.
const WRITTEN: &str = "written ";

#[test]
fn a_victim_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    let journal = Journal::open(&settings(path.as_ref())).unwrap();
    let mut out = std::io::stdout().lock();
    for number in 1.. {
        let mut commits: Vec<Vec<Draft>> = Vec::new();
        commits.extend(whole_sale(number, 1_000).1.into_iter().map(|draft| vec![draft]));
        let mut of_redemption = whole_redemption(number, 1_000).1.into_iter();
        commits.push(of_redemption.by_ref().take(1).collect());
        // What came of the redeem, and that the till is told of it.
        commits.push(of_redemption.by_ref().take(2).collect());
        commits.extend(of_redemption.map(|draft| vec![draft]));
        for drafts in commits {
            let seq = journal.append(&drafts).unwrap().pop().unwrap();
            writeln!(out, "\n{WRITTEN}{seq}").unwrap();
        }
    }
}

#[test]
fn every_entry_that_was_reported_as_written_survives_a_kill() {
    for lines in [1, 9, 10, 11, 100, 333] {
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
        let last = journal.entries_after(Seq::new(entries - 1), 1).unwrap().pop().unwrap();
        assert_ne!(last.kind, "redeem_ended", "half of a commit");
        let (sales, redemptions) = (journal.open_sales().unwrap(), journal.open_redemptions().unwrap());
        let of_round = entries % A_ROUND;
        assert_eq!(sales.len(), usize::from((1..8).contains(&of_round)));
        // It is closed by the till, and open again from being taken back to the provider's word.
        assert_eq!(redemptions.len(), usize::from(matches!(of_round, 9..=11 | 13)), "{of_round}");
        for sale in sales {
            assert!(sale_of(&journal, sale).unwrap().is_some());
        }
        for redemption in redemptions {
            assert!(journal.latest_redemption(redemption).unwrap().is_some());
        }
    }
}
