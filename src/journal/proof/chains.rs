//! Somebody who may write the file changes it, and is found out.

use super::{Desk, intrude, settings, whole_sale};
use crate::entry::{Seq, Subject};
use crate::failure::{Break, OpenError, ReadError, Verdict};
use crate::journal::Journal;
use crate::reader::Reader;

fn two_sales() -> Desk {
    sales(2)
}

/// Of eight entries each.
fn sales(count: u128) -> Desk {
    let desk = Desk::new();
    for number in 1..=count {
        for draft in whole_sale(number, 1_000).1 {
            desk.journal.append(&[draft]).unwrap();
        }
    }
    desk
}

#[test]
fn an_untouched_journal_verifies_to_its_head() {
    let desk = two_sales();
    let Verdict::Whole { entries: 16, head } = desk.journal.verify().unwrap() else { panic!() };
    let last =
        desk.journal.entries_of(Subject::Sale(whole_sale(2, 0).0.sale.opening.sale)).unwrap().pop().unwrap();
    assert_eq!(last.hash, head);
    let empty = Desk::new();
    assert!(matches!(empty.journal.verify(), Ok(Verdict::Whole { entries: 0, .. })));
}

#[test]
fn the_first_entry_that_is_not_what_was_written_is_named() {
    use Break::{Changed, Missing};
    for (sql, seq, why) in [
        ("UPDATE entry SET at = at + 1 WHERE seq = 3", 3, Changed),
        ("UPDATE entry SET subject = zeroblob(16) WHERE seq = 3", 3, Changed),
        ("UPDATE entry SET card = 2 WHERE seq = 2", 2, Changed),
        ("UPDATE entry SET card = NULL WHERE seq = 2", 2, Changed),
        ("UPDATE entry SET previous = NULL WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET previous = 5 WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET phase = 'done' WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET phase = NULL WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET open = 0 WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET kind = 'x' WHERE seq = 1", 1, Changed),
        ("UPDATE entry SET state = 'sold' WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET body = replace(body, '10000', '100') WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET sealed = NULL WHERE seq = 5", 5, Changed),
        ("UPDATE entry SET sealed = x'00' WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET sealed = x'' WHERE seq = 4", 4, Changed),
        ("UPDATE entry SET request_key = 'K' WHERE seq = 6", 6, Changed),
        ("UPDATE entry SET request_digest = x'00' WHERE seq = 6", 6, Changed),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 7", 7, Changed),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 16", 16, Changed),
        // At the edges of the pieces in which the chain is walked (four entries each).
        ("UPDATE entry SET at = at + 1 WHERE seq = 8", 8, Changed),
        ("UPDATE entry SET at = at + 1 WHERE seq = 9", 9, Changed),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 8", 8, Changed),
        ("UPDATE entry SET hash = zeroblob(31) WHERE seq = 8", 8, Changed),
        ("UPDATE entry SET hash = (SELECT hash FROM entry WHERE seq = 7) WHERE seq = 8", 8, Changed),
        ("UPDATE entry SET at = 0 WHERE seq IN (6, 9, 13)", 6, Changed),
        ("DELETE FROM entry WHERE seq = 9", 9, Missing),
        ("DELETE FROM entry WHERE seq BETWEEN 5 AND 8", 5, Missing),
        ("DELETE FROM entry WHERE seq BETWEEN 8 AND 13", 8, Missing),
        ("DELETE FROM entry WHERE seq > 8", 9, Missing),
        ("UPDATE entry SET seq = -1 WHERE seq = 8; UPDATE entry SET seq = 8 WHERE seq = 9; UPDATE entry SET seq = 9 WHERE seq = -1",
         8, Changed),
        ("DELETE FROM entry WHERE seq = 1", 1, Missing),
        ("DELETE FROM entry WHERE seq = 8", 8, Missing),
        ("DELETE FROM entry WHERE seq > 12", 13, Missing),
        ("DELETE FROM entry", 1, Missing),
        ("UPDATE entry SET seq = -1 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 6; UPDATE entry SET seq = 6 WHERE seq = -1",
         5, Changed),
        ("INSERT INTO entry SELECT 17, hash, at, subject, previous, card, kind, state, phase, open, body, sealed, request_key,
                                   request_digest FROM entry WHERE seq = 16", 17, Changed),
        ("INSERT INTO entry SELECT 0, hash, at, subject, previous, card, kind, state, phase, open, body, sealed, request_key,
                                   request_digest FROM entry WHERE seq = 16", 1, Changed),
        ("UPDATE meta SET value = zeroblob(16) WHERE name = 'journal'", 1, Changed),
    ] {
        let desk = two_sales();
        intrude(desk.path(), sql);
        let verdict = Reader::open(desk.path()).unwrap().verify().unwrap();
        assert_eq!(verdict, Verdict::Broken { seq: Seq::new(seq), why }, "{sql}");
    }
}

/// The tables take no value of another type than theirs, until somebody has told them otherwise.
#[test]
fn an_entry_of_a_type_that_is_never_written_is_named() {
    for (sql, seq) in [
        ("UPDATE entry SET hash = 'x' WHERE seq = 8", 8),
        ("UPDATE entry SET hash = NULL WHERE seq = 9", 9),
        ("UPDATE entry SET state = x'00' WHERE seq = 12", 12),
        ("UPDATE entry SET state = NULL WHERE seq = 13", 13),
        ("UPDATE entry SET open = 2 WHERE seq = 4", 4),
        ("UPDATE entry SET hash = 'x' WHERE seq IN (7, 8, 16)", 7),
    ] {
        let desk = two_sales();
        intrude(
            desk.path(),
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'STRICT', ''), 'NOT NULL', ''), 'CHECK', '-- ')
             WHERE name = 'entry';
             PRAGMA writable_schema = RESET",
        );
        intrude(desk.path(), sql);
        let verdict = Reader::open(desk.path()).unwrap().verify().unwrap();
        assert_eq!(verdict, Verdict::Broken { seq: Seq::new(seq), why: Break::Damaged }, "{sql}");
    }
}

/// A page of the file that no disk gives back any more.
#[test]
fn a_change_does_not_hide_behind_a_page_that_cannot_be_read() {
    for (changed, unreadable) in [(3, 24), (40, 24)] {
        let desk = sales(6);
        intrude(desk.path(), &format!("UPDATE entry SET at = 0 WHERE seq = {changed}"));
        let directory = desk.stop();
        let file = directory.path().join("journal.db");
        let database = rusqlite::Connection::open(&file).unwrap();
        let hash: Vec<u8> = database
            .query_row("SELECT hash FROM entry WHERE seq = ?1", [unreadable], |row| row.get(0))
            .unwrap();
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(database);
        let mut bytes = std::fs::read(&file).unwrap();
        let at = bytes.windows(hash.len()).position(|found| found == hash).unwrap();
        let page = at / 1_024 * 1_024;
        bytes[page..page + 1_024].fill(0xff);
        std::fs::write(&file, bytes).unwrap();
        let found = Reader::open(directory.path()).unwrap().verify();
        match changed {
            3 => assert_eq!(found, Ok(Verdict::Broken { seq: Seq::new(3), why: Break::Changed })),
            _ => assert!(matches!(found, Err(ReadError::Database(_))), "{found:?}"),
        }
    }
}

/// The tables are no part of the chain, and lists and restarts are made from them.
#[test]
fn tables_that_do_not_say_what_the_entries_say_are_named_by_their_sale() {
    for (sql, seq) in [
        ("UPDATE sale SET open = 1 - open WHERE first_seq = 1", 1),
        ("UPDATE sale SET phase = 'nothing_sold' WHERE first_seq = 9", 9),
        ("UPDATE sale SET receipt = 'R99' WHERE first_seq = 9", 9),
        ("UPDATE sale SET total = 1 WHERE first_seq = 1", 1),
        ("UPDATE card SET state = 'cleared'", 1),
        ("UPDATE card SET owed = 1 WHERE sale = 9", 9),
        ("UPDATE card SET face_value = 1 WHERE sale = 9", 9),
        ("DELETE FROM card WHERE sale = 9", 9),
        ("DELETE FROM sale WHERE first_seq = 9", 9),
        ("DELETE FROM sale", 1),
        ("UPDATE sale SET last_seq = 15 WHERE first_seq = 9", 9),
        ("UPDATE sale SET last_seq = 15, phase = (SELECT phase FROM entry WHERE seq = 15),
                         open = (SELECT open FROM entry WHERE seq = 15) WHERE first_seq = 9;
          UPDATE card SET state = (SELECT state FROM entry WHERE seq = 15) WHERE sale = 9 AND card = 2", 9),
        ("INSERT INTO card SELECT 320 + card, 5, card, randomblob(16), provider_order, product, product_name, kind, code_tail,
                                  face_value, state, owed, closed_at FROM card WHERE sale = 1", 5),
        ("UPDATE sale SET id = zeroblob(16) WHERE first_seq = 1", 1),
        ("UPDATE sale SET id = zeroblob(3) WHERE first_seq = 1", 1),
        ("UPDATE card SET order_id = zeroblob(16) WHERE id = 65", 1),
    ] {
        let desk = two_sales();
        intrude(desk.path(), sql);
        let verdict = Reader::open(desk.path()).unwrap().verify().unwrap();
        assert_eq!(verdict, Verdict::Broken { seq: Seq::new(seq), why: Break::Tables }, "{sql}");
    }
}

#[test]
fn an_entry_is_neither_changed_nor_removed_even_by_mistake() {
    let desk = two_sales();
    let database = rusqlite::Connection::open(desk.path().join("journal.db")).unwrap();
    for (sql, why) in [
        ("UPDATE entry SET at = 0", "an entry is never changed"),
        ("DELETE FROM entry WHERE seq = 16", "an entry is never removed"),
    ] {
        assert!(database.execute_batch(sql).unwrap_err().to_string().contains(why));
    }
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 16, .. })));
}

#[test]
fn a_journal_whose_chain_is_broken_is_not_opened_for_sales() {
    for (sql, seq, why) in [
        ("UPDATE entry SET at = 0 WHERE seq = 16", 16, Break::Changed),
        ("DELETE FROM entry WHERE seq = 16", 16, Break::Missing),
        ("UPDATE card SET state = 'owed' WHERE sale = 9", 9, Break::Tables),
    ] {
        let desk = two_sales();
        intrude(desk.path(), sql);
        let directory = desk.stop();
        match Journal::open(&settings(directory.path())) {
            Err(OpenError::Broken { seq: found, why: found_why }) => {
                assert_eq!((found, found_why), (Seq::new(seq), why), "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_long_journal_is_checked_at_its_end_when_it_is_opened_and_as_a_whole_on_request() {
    let desk = Desk::new();
    for hundred in 0..130 {
        desk.journal.append(&whole_sale(hundred + 1, 1).1).unwrap();
    }
    intrude(desk.path(), "UPDATE entry SET at = 0 WHERE seq = 9");
    let desk = desk.restart();
    assert_eq!(desk.journal.verify(), Ok(Verdict::Broken { seq: Seq::new(9), why: Break::Changed }));
    intrude(desk.path(), "UPDATE entry SET at = 0 WHERE seq = 1000");
    let directory = desk.stop();
    let opened = Journal::open(&settings(directory.path()));
    assert!(matches!(opened, Err(OpenError::Broken { seq, .. }) if seq == Seq::new(1000)));
}
