//! Older journals, newer journals, and machines that stop in the middle: with versions that were never released.

use std::fs;

use super::redemptions::whole_redemption;
use super::{Desk, sale_of, settings, whole_sale};
use crate::failure::{OpenError, Verdict};
use crate::journal::Journal;
use crate::reader::Reader;
use crate::schema::{self, Paths, SCRIPTS, Script};

const SECOND: Script = Script {
    version: 2,
    text: "ALTER TABLE sale ADD COLUMN note TEXT; CREATE INDEX sale_by_phase ON sale (phase);",
};
const FAILING: Script =
    Script { version: 3, text: "ALTER TABLE sale ADD COLUMN more TEXT; DROP TABLE nothing;" };

fn with(more: &[Script]) -> Vec<Script> {
    SCRIPTS.iter().chain(more).copied().collect()
}

/// What a power cut leaves of a journal of version 1: all its entries stand in the write-ahead log.
fn old_journal() -> tempfile::TempDir {
    let desk = Desk::new();
    desk.journal.append(&whole_sale(1, 1).1).unwrap();
    desk.journal.append(&whole_redemption(1, 1).1).unwrap();
    let directory = tempfile::TempDir::new().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        assert!(fs::copy(desk.path().join(name), directory.path().join(name)).unwrap() > 0);
    }
    directory
}

/// Whether all of the old journal is there, and verifies.
fn whole(journal: &Journal, directory: &tempfile::TempDir) -> bool {
    let database = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
    let id = crate::read::journal_id(&database).unwrap();
    let verdict = crate::chain::verify(&database, &id, |_| {}).unwrap();
    let expected = whole_sale(1, 1).0.sale;
    let redemption = whole_redemption(1, 1).0.redemption;
    let (redeemed, ..) = journal.latest_redemption(redemption.id()).unwrap().unwrap();
    matches!(verdict, Verdict::Whole { entries: 14, .. })
        && sale_of(journal, expected.opening.sale).unwrap().unwrap().0 == expected
        && redeemed.state == redemption.state
}

#[test]
fn an_older_journal_is_brought_up_and_loses_nothing() {
    let directory = old_journal();
    let journal = Journal::open_with(&settings(directory.path()), &with(&[SECOND])).unwrap();
    assert!(whole(&journal, &directory));
    journal.append(&whole_sale(2, 1).1).unwrap();
    drop(journal);
    let again = Journal::open_with(&settings(directory.path()), &with(&[SECOND])).unwrap();
    assert_eq!(again.last().unwrap().number(), 22);
    let database = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
    let versions: i64 = database.query_row("SELECT count(*) FROM migration", [], |row| row.get(0)).unwrap();
    assert_eq!(versions, 2);
    let names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("next")), "{names:?}");
}

#[test]
fn a_migration_that_fails_leaves_the_journal_as_it_was() {
    let directory = old_journal();
    match Journal::open_with(&settings(directory.path()), &with(&[SECOND, FAILING])) {
        Err(OpenError::Migration { version: 3, why }) => assert!(why.contains("nothing"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(whole(&Journal::open(&settings(directory.path())).unwrap(), &directory));
}

#[test]
fn a_broken_chain_is_not_migrated() {
    let directory = old_journal();
    super::intrude(directory.path(), "UPDATE entry SET at = 0 WHERE seq = 2");
    let opened = Journal::open_with(&settings(directory.path()), &with(&[SECOND]));
    assert!(matches!(opened, Err(OpenError::Broken { .. })), "{opened:?}");
    assert!(Reader::open(directory.path()).is_ok());
}

#[test]
fn a_machine_that_stops_at_any_point_finds_the_old_journal_or_the_new_one() {
    for steps in 0..=4 {
        let directory = old_journal();
        let paths = Paths::new(directory.path());
        schema::migrate_until(&paths, &with(&[SECOND]), 1, steps).unwrap();
        let found = Reader::open(directory.path());
        assert_eq!(
            matches!(found, Err(OpenError::Newer { found: 2, known: 1 })),
            steps == 4,
            "{steps}: {found:?}"
        );
        drop(found);
        let journal = Journal::open_with(&settings(directory.path()), &with(&[SECOND])).unwrap();
        assert!(whole(&journal, &directory), "{steps}");
    }
}

#[test]
fn a_journal_that_is_being_read_is_migrated_when_the_reader_has_gone() {
    let directory = old_journal();
    let reader = Reader::open(directory.path()).unwrap();
    let opened = Journal::open_with(&settings(directory.path()), &with(&[SECOND]));
    assert!(matches!(opened, Err(OpenError::BeingRead)), "{opened:?}");
    drop(reader);
    assert!(whole(&Journal::open_with(&settings(directory.path()), &with(&[SECOND])).unwrap(), &directory));
}

#[test]
fn a_newer_journal_is_refused_with_a_sentence_and_left_alone() {
    let directory = old_journal();
    drop(Journal::open_with(&settings(directory.path()), &with(&[SECOND])).unwrap());
    let before = fs::read(directory.path().join("journal.db")).unwrap();
    let refused = Journal::open(&settings(directory.path())).unwrap_err();
    assert!(refused.to_string().contains("newer tilld"), "{refused}");
    assert!(matches!(Reader::open(directory.path()), Err(OpenError::Newer { found: 2, known: 1 })));
    assert_eq!(fs::read(directory.path().join("journal.db")).unwrap(), before);
}

#[test]
fn a_script_that_was_changed_after_its_release_is_found_out() {
    let directory = old_journal();
    let changed = [Script { version: 1, text: "CREATE TABLE other (x)" }];
    let opened = Journal::open_with(&settings(directory.path()), &changed);
    assert!(matches!(opened, Err(OpenError::OtherMigration { version: 1 })));
}
