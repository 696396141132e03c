//! Codes are cash (law L11): nowhere on the disk in clear, and gone for good once they are forgotten.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tilld_domain::moment::Moment;
use tilld_domain::order::{OrderEvent, State};
use tilld_domain::sale::SaleEvent;

use super::samples::{POR_CODE, POSA_CODE};
use super::{Desk, Walk, intrude, sale_of, samples, settings, whole_sale};
use crate::entry::{Event, Step, Subject};
use crate::failure::{DecodeError, OpenError, ReadError, Verdict};
use crate::journal::{Journal, Settings};
use crate::reader::Reader;
use crate::seal::SealKey;

/// Whether any file of the journal holds the bytes.
pub(super) fn on_disk(path: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(path).unwrap().any(|file| {
        let held = fs::read(file.unwrap().path()).unwrap();
        held.windows(bytes.len()).any(|window| window == bytes)
    })
}

pub(super) fn wrapped_keys(path: &Path) -> Vec<Vec<u8>> {
    let database = Connection::open(path.join("journal.db")).unwrap();
    let mut statement = database.prepare("SELECT wrapped FROM seal_key").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn checkpoint(path: &Path) {
    let database = Connection::open(path.join("journal.db")).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[test]
fn no_code_is_on_the_disk_in_clear_at_any_time() {
    let mut desk = Desk::new();
    for draft in whole_sale(1, 1_000).1 {
        desk.journal.append(&[draft]).unwrap();
        for code in [POR_CODE, POSA_CODE] {
            assert!(!on_disk(desk.path(), code.as_bytes()));
        }
    }
    assert!(on_disk(desk.path(), b"print_ended"), "the search finds what is there");
    checkpoint(desk.path());
    desk = desk.restart();
    for code in [POR_CODE, POSA_CODE, "YOUR CARD", "Support"] {
        assert!(!on_disk(desk.path(), code.as_bytes()));
    }
}

#[test]
fn what_is_forgotten_is_gone_even_for_the_terminal_key_and_the_entries_still_verify() {
    let desk = Desk::new();
    let (mut walk, drafts) = whole_sale(1, 1_000);
    let sale = walk.sale.opening.sale;
    desk.journal.append(&drafts).unwrap();
    // A copy needs the lines; without them, replaying it must still find that it was printed.
    let copy = walk.card(1, OrderEvent::CopyAsked { by: "Ann".parse().unwrap() });
    desk.journal.append(&[copy]).unwrap();
    let keys = wrapped_keys(desk.path());
    assert_eq!(keys.len(), 2);

    // Each card's code goes in its own time, whatever is still open beside it.
    let [printed, activated] = [&drafts[5], &drafts[7]].map(|draft| draft.at.plus(Settings::KEEP_CODES));
    let too_early = Moment::from_ms(printed.ms() - 1);
    assert_eq!(desk.journal.forget_expired(too_early), Ok(0));
    assert_eq!(sale_of(&desk.journal, sale).unwrap().unwrap().0, walk.sale);
    assert_eq!(desk.journal.forget_expired(printed), Ok(1));
    assert_eq!(desk.journal.forget_expired(activated), Ok(1));
    assert_eq!(desk.journal.forget_expired(activated), Ok(0));

    for key in keys {
        assert!(!on_disk(desk.path(), &key), "a wrapped key can still be found");
    }
    let desk = desk.restart();
    let entries = desk.journal.entries_of(Subject::Sale(sale)).unwrap();
    let Event::Sale(SaleEvent::Opened(opening)) = &entries[0].event else { panic!() };
    assert_eq!((opening.cards[1].code.as_ref(), opening.cards[1].code_tail.as_deref()), (None, Some("0123")));
    let folded = sale_of(&desk.journal, sale).unwrap().unwrap().0;
    let State::Sold { lines: Some(lines), copies: 1, .. } = &folded.orders[0].state else { panic!() };
    assert!(lines.is_gone() && lines.count() == 2);
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 9, .. })));
}

#[test]
fn an_open_card_keeps_its_code_and_an_order_may_be_forgotten_with_an_entry() {
    let desk = Desk::new();
    let (mut walk, opened) = Walk::open(samples::opening(1, 2), Moment::from_ms(0));
    let (sale, posa) = (walk.sale.opening.sale, walk.sale.orders[1].facts.id);
    desk.journal.append(&[opened]).unwrap();
    assert_eq!(desk.journal.forget_expired(Moment::from_ms(i64::MAX)), Ok(0));
    assert_eq!(sale_of(&desk.journal, sale).unwrap().unwrap().0, walk.sale);
    let key = wrapped_keys(desk.path()).pop().unwrap();
    let mut created = walk.create(2);
    let Step::Sale { forget, .. } = &mut created.step else { panic!() };
    forget.push(posa);
    desk.journal.append(&[created]).unwrap();
    assert_eq!(sale_of(&desk.journal, sale).unwrap().unwrap().0.orders[1].facts.code, None);
    desk.journal.forget_expired(Moment::from_ms(0)).unwrap();
    assert!(!on_disk(desk.path(), &key));
}

#[test]
fn another_terminal_key_is_refused_by_name() {
    let desk = Desk::new();
    let directory = desk.stop();
    let wrong = Settings { seal: SealKey::new([8; 32]), ..settings(directory.path()) };
    assert!(matches!(Journal::open(&wrong), Err(OpenError::WrongKey)));
    assert!(Journal::open(&settings(directory.path())).is_ok());
    assert_eq!(format!("{:?}", SealKey::new([8; 32])), "SealKey(…)");
}

#[test]
fn a_reader_without_the_key_sees_what_happened_and_no_code() {
    let desk = Desk::new();
    let (walk, drafts) = whole_sale(1, 1_000);
    desk.journal.append(&drafts).unwrap();
    let reader = Reader::open(desk.path()).unwrap();
    let entries = reader.entries_of(Subject::Sale(walk.sale.opening.sale)).unwrap();
    assert_eq!(entries.len(), 8);
    let shown = format!("{entries:?}");
    assert!(shown.contains("0123") && !shown.contains(POSA_CODE) && !shown.contains(POR_CODE));
}

#[test]
fn a_seal_that_was_moved_to_another_place_does_not_open() {
    for sql in [
        // To another entry; under another order's name; a key under another order's name.
        "UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE seq = 7) WHERE seq = 5",
        "UPDATE entry SET sealed = CAST(substr(sealed, 1, 60) || zeroblob(length(sealed) - 60) AS BLOB) WHERE seq = 5",
        "UPDATE entry SET sealed = x'00' WHERE seq = 5",
        "UPDATE seal_key SET wrapped = (SELECT wrapped FROM seal_key ORDER BY owner DESC LIMIT 1)",
    ] {
        let desk = Desk::new();
        let (walk, drafts) = whole_sale(1, 1_000);
        desk.journal.append(&drafts).unwrap();
        intrude(desk.path(), sql);
        let read = desk.journal.entries_of(Subject::Sale(walk.sale.opening.sale));
        assert!(matches!(read, Err(ReadError::Entry { why: DecodeError::Sealed, .. })), "{sql}: {read:?}");
    }
}
