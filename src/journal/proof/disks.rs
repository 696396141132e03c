//! Disks that are full or may not be written: nothing is half there, and the next append may succeed.

use rusqlite::Connection;
use tilld_domain::moment::Moment;

use super::{Desk, Walk, samples, settings, whole_sale};
use crate::chain::genesis;
use crate::entry::Seq;
use crate::failure::{AppendError, OpenError, Verdict};
use crate::journal::Journal;
use crate::schema::{Paths, SCRIPTS};
use crate::{append::Writer, read, seal::SealKey, seal::Terminal};

/// A writer over a connection whose limits a test may set.
fn writer(desk: Desk, pragma: &str) -> (tempfile::TempDir, Writer, Terminal) {
    let directory = desk.stop();
    let database = Connection::open(Paths::new(directory.path()).database()).unwrap();
    let journal = read::journal_id(&database).unwrap();
    database.execute_batch(pragma).unwrap();
    (directory, Writer::new(database), Terminal::new(SealKey::new([7; 32]), journal))
}

#[test]
fn a_full_disk_is_named_and_leaves_no_half_of_a_commit() {
    let desk = Desk::new();
    desk.journal.append(&whole_sale(1, 1).1).unwrap();
    let (directory, mut writer, terminal) = writer(desk, "PRAGMA max_page_count = 1");
    let mut fitted = 0;
    let failed = loop {
        let (_, drafts) = whole_sale(fitted + 2, 1);
        match writer.append(&terminal, &drafts) {
            Ok(_) => fitted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(failed, AppendError::Full);
    assert_eq!(writer.append(&terminal, &whole_sale(fitted + 2, 1).1), Err(AppendError::Full));
    // Room again: the same connection goes on.
    writer.database().execute_batch("PRAGMA max_page_count = 1000000").unwrap();
    assert_eq!(writer.probe(), Ok(()));
    writer.append(&terminal, &whole_sale(fitted + 2, 1).1).unwrap();
    fitted += 1;
    drop(writer);
    let journal = Journal::open(&settings(directory.path())).unwrap();
    let entries = u64::try_from(8 * (fitted + 1)).unwrap();
    assert!(matches!(journal.verify(), Ok(Verdict::Whole { entries: found, .. }) if found == entries));
    assert_eq!(journal.probe_write(), Ok(()));
    let written = journal.append(&whole_sale(fitted + 2, 1).1).unwrap();
    assert_eq!(written.first(), Some(&Seq::new(entries + 1)));
}

#[test]
fn a_journal_that_may_not_be_written_says_so_and_heals() {
    let desk = Desk::new();
    let (_directory, mut writer, terminal) = writer(desk, "PRAGMA query_only = ON");
    let (_, opened) = Walk::open(samples::opening(1, 1), Moment::from_ms(0));
    assert_eq!(writer.append(&terminal, std::slice::from_ref(&opened)), Err(AppendError::ReadOnly));
    assert_eq!(writer.probe(), Err(AppendError::ReadOnly));
    writer.database().execute_batch("PRAGMA query_only = OFF").unwrap();
    assert_eq!(writer.probe(), Ok(()));
    assert_eq!(writer.append(&terminal, &[opened]), Ok(vec![Seq::new(1)]));
}

#[test]
fn only_the_owner_may_read_the_journals_files() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::TempDir::new().unwrap();
    let path = outer.path().join("a").join("journal");
    let journal = Journal::open(&settings(&path)).unwrap();
    journal.append(&whole_sale(1, 1).1).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let names: Vec<_> = ["journal.db", "journal.db-wal", "journal.db-shm", "journal.lock"].into();
    for name in names {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_second_daemon_is_kept_out_until_the_first_has_ended() {
    let desk = Desk::new();
    let second = Journal::open(&settings(desk.path())).unwrap_err();
    assert!(matches!(second, OpenError::InUse(_)));
    assert!(second.to_string().contains("stop that one first"));
    let directory = desk.stop();
    assert!(Journal::open(&settings(directory.path())).is_ok());
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = Paths::new(directory.path()).database();
    let other = |database: &Connection| database.execute_batch("CREATE TABLE recipe (text)").unwrap();
    other(&Connection::open(&file).unwrap());
    assert!(matches!(Journal::open(&settings(directory.path())), Err(OpenError::NotAJournal(_))));
    std::fs::write(&file, "a letter, long enough to be looked at as a database".repeat(40)).unwrap();
    assert!(matches!(Journal::open(&settings(directory.path())), Err(OpenError::NotAJournal(_))));
    assert!(std::fs::read(&file).unwrap().starts_with(b"a letter"));
}

#[test]
fn every_journal_begins_its_chain_elsewhere() {
    assert_ne!(genesis(&[1; 16]), genesis(&[2; 16]));
    assert_eq!(SCRIPTS.len(), 1);
}
