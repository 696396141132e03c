//! What the counter and the manager ask, answered from tables that are made from the entries.

use rusqlite::Connection;
use rusqlite::types::Value;
use tilld_domain::ids::SaleId;
use tilld_domain::moment::Moment;
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::CardNo;
use uuid::Uuid;

use super::redemptions::whole_redemption;
use super::{Desk, Walk, asked, intrude, sale_of, samples, whole_sale};
use crate::entry::{AskedBefore, Draft, Seq, Subject};
use crate::failure::{OpenError, ReadError};
use crate::read;
use crate::reader::{Filter, Reader};

fn sale(number: u128) -> SaleId {
    SaleId::new(Uuid::from_u128(number))
}

/// Three sales: 1 is sold, 2 waits for its payment, 3 was refused.
fn three_sales() -> Desk {
    let desk = Desk::new();
    desk.journal.append(&whole_sale(1, 1_000).1).unwrap();
    let (mut second, opened) = Walk::open(samples::opening(2, 1), Moment::from_ms(2_000));
    desk.journal.append(&[Draft { asked: asked("K2"), ..opened }, second.create(1)]).unwrap();
    let (mut third, opened) = Walk::open(samples::opening(3, 1), Moment::from_ms(3_000));
    let refused = third.card(1, OrderEvent::CreateEnded(Outcome::Refused(Refusal::Declined)));
    desk.journal.append(&[opened, refused]).unwrap();
    desk
}

#[test]
fn the_counter_finds_open_sales_used_keys_and_the_holders_of_receipts() {
    let desk = three_sales();
    let journal = &desk.journal;
    assert_eq!(journal.open_sales().unwrap(), [sale(2)]);
    let before = AskedBefore { digest: [9; 32], subject: Subject::Sale(sale(2)), seq: Seq::new(9) };
    assert_eq!(journal.asked(&"K2".parse().unwrap()).unwrap(), Some(before));
    assert_eq!(journal.asked(&"K3".parse().unwrap()).unwrap(), None);
    for (receipt, holder) in [("R1", Some(sale(1))), ("R2", Some(sale(2))), ("R3", None), ("R4", None)] {
        assert_eq!(journal.receipt_holder(&receipt.parse().unwrap()).unwrap(), holder, "{receipt}");
    }
    assert_eq!(sale_of(journal, sale(4)).unwrap(), None);
    assert_eq!(journal.entries_of(Subject::Sale(sale(4))).unwrap(), []);
}

#[test]
fn a_receipt_is_free_again_once_nothing_was_sold_under_it() {
    let desk = three_sales();
    let mut opening = samples::opening(4, 1);
    opening.receipt = "R3".parse().unwrap();
    desk.journal.append(&[Walk::open(opening, Moment::from_ms(4_000)).1]).unwrap();
    assert_eq!(desk.journal.receipt_holder(&"R3".parse().unwrap()).unwrap(), Some(sale(4)));
}

#[test]
fn a_screen_that_was_away_is_told_what_it_missed() {
    let desk = three_sales();
    let heads = desk.journal.entries_after(Seq::new(8), 3).unwrap();
    let short: Vec<_> = heads
        .iter()
        .map(|head| {
            (head.seq.number(), head.kind.as_str(), head.card.map(CardNo::number), head.state.as_str())
        })
        .collect();
    assert_eq!(
        short,
        [
            (9, "opened", None, "creating"),
            (10, "create_ended", Some(1), "created"),
            (11, "opened", None, "creating")
        ]
    );
    assert_eq!(desk.journal.entries_after(Seq::NONE, 1).unwrap()[0].state, "creating creating");
    assert_eq!(desk.journal.entries_after(Seq::new(12), 9).unwrap(), []);
}

#[test]
fn a_manager_lists_sales_by_what_is_known_of_them() {
    let desk = three_sales();
    let reader = Reader::open(desk.path()).unwrap();
    let none = Filter::default;
    for (filter, most, expected) in [
        (none(), 50, vec![1, 2, 3]),
        (none(), 2, vec![2, 3]),
        (Filter { after: Some(Seq::NONE), ..none() }, 2, vec![1, 2]),
        (Filter { after: Some(Seq::new(1)), ..none() }, 50, vec![2, 3]),
        (Filter { receipt: Some("R2".parse().unwrap()), ..none() }, 50, vec![2]),
        (Filter { state: Some("sold".to_owned()), ..none() }, 50, vec![1]),
        (Filter { state: Some("eaten".to_owned()), ..none() }, 50, vec![]),
        (Filter { open_only: true, ..none() }, 50, vec![2]),
        (Filter { from: Some(Moment::from_ms(2_000)), ..none() }, 50, vec![2, 3]),
        (Filter { before: Some(Moment::from_ms(2_000)), ..none() }, 50, vec![1]),
    ] {
        let found: Vec<_> =
            reader.list(&filter, most).unwrap().iter().map(|row| row.sale.uuid().as_u128()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let order = samples::opening(2, 1).cards[0].id.to_string();
    for (name, expected) in [
        (sale(1).to_string(), vec![1]),
        (order, vec![2]),
        (format!("ro-{}-1", sale(2)), vec![2]),
        ("R3".to_owned(), vec![3]),
        ("nothing".to_owned(), vec![]),
    ] {
        let found: Vec<_> =
            reader.named(&name).unwrap().iter().map(|row| row.sale.uuid().as_u128()).collect();
        assert_eq!(found, expected, "{name}");
    }
    let shown = reader.shown(Subject::Sale(sale(2))).unwrap();
    assert_eq!(
        shown.iter().map(|entry| entry.head.kind.as_str()).collect::<Vec<_>>(),
        ["opened", "create_ended"]
    );
    assert!(shown.iter().all(|entry| entry.body.starts_with(r#"{"v":1,"#)));
    let row = &reader.named("R1").unwrap()[0];
    assert_eq!(
        (row.phase.as_str(), row.open, row.total, row.paid),
        ("done", false, samples::eur(10_000), Some(samples::eur(10_000)))
    );
    assert_eq!((row.opened, row.closed), (Moment::from_ms(1_000), Some(Moment::from_ms(1_700))));
    assert_eq!((row.first, row.last), (Seq::new(1), Seq::new(8)));
    let cards: Vec<_> = row
        .cards
        .iter()
        .map(|card| (card.card, card.kind.as_str(), card.state.as_str(), card.owed))
        .collect();
    assert_eq!(cards, [(1, "por", "sold", false), (2, "posa", "sold", false)]);
}

#[test]
fn a_reader_changes_nothing_whether_a_daemon_runs_or_not() {
    let held = |desk: &tempfile::TempDir| {
        let mut files: Vec<_> = std::fs::read_dir(desk.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| !path.to_string_lossy().ends_with("-shm"))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let desk = three_sales();
    let before = held(&desk.directory);
    assert_eq!(Reader::open(desk.path()).unwrap().list(&Filter::default(), 9).unwrap().len(), 3);
    assert_eq!(held(&desk.directory), before);
    desk.journal.append(&whole_sale(5, 5_000).1).unwrap();
    let directory = desk.stop();
    let before = held(&directory);
    assert_eq!(Reader::open(directory.path()).unwrap().list(&Filter::default(), 9).unwrap().len(), 4);
    assert_eq!(held(&directory), before);
    assert!(matches!(Reader::open(&directory.path().join("elsewhere")), Err(OpenError::NoJournal(_))));
}

fn tables(database: &Connection) -> Vec<Vec<Value>> {
    let all = [
        "SELECT * FROM sale ORDER BY first_seq",
        "SELECT * FROM card ORDER BY sale, card",
        "SELECT * FROM redemption ORDER BY first_seq",
    ];
    all.iter()
        .flat_map(|sql| {
            let mut statement = database.prepare(sql).unwrap();
            let columns = statement.column_count();
            let row =
                |row: &rusqlite::Row<'_>| (0..columns).map(|place| row.get::<_, Value>(place)).collect();
            statement.query_map([], row).unwrap().collect::<Result<Vec<Vec<Value>>, _>>().unwrap()
        })
        .collect()
}

#[test]
fn the_tables_made_again_are_the_tables_that_were_kept() {
    let desk = three_sales();
    let (mut walk, drafts) = whole_sale(4, 4_000);
    desk.journal.append(&drafts).unwrap();
    desk.journal.append(&[walk.card(1, OrderEvent::CopyAsked { by: "Ann".parse().unwrap() })]).unwrap();
    for number in [1, 2] {
        let drafts = whole_redemption(number, 5_000).1;
        // The first is completed, the second taken back.
        let length = if number == 1 { 4 } else { drafts.len() };
        desk.journal.append(&drafts[..length]).unwrap();
    }
    desk.journal.forget_expired(Moment::from_ms(i64::MAX)).unwrap();
    let mut database = Connection::open(desk.path().join("journal.db")).unwrap();
    let kept = tables(&database);
    let begun = database.transaction().unwrap();
    begun
        .execute_batch("UPDATE sale SET phase = 'x', open = 1, total = 0; DELETE FROM card WHERE card = 1;
                       DELETE FROM redemption WHERE open = 0 AND state = 'cleared'; UPDATE redemption SET taken = 1")
        .unwrap();
    read::rebuild(&begun).unwrap();
    assert_eq!(tables(&begun), kept);
    assert_eq!(kept.len(), 4 + 6 + 2);
}

#[test]
fn open_sales_are_found_without_looking_at_the_closed_ones() {
    let desk = Desk::new();
    let database = Connection::open(desk.path().join("journal.db")).unwrap();
    let plan: String = database
        .query_row("EXPLAIN QUERY PLAN SELECT id FROM sale WHERE open = 1 ORDER BY first_seq", [], |row| {
            row.get(3)
        })
        .unwrap();
    assert!(plan.contains("sale_that_is_open"), "{plan}");
}

#[test]
fn products_are_kept_per_provider_with_the_moment_they_came() {
    let desk = Desk::new();
    assert_eq!(desk.journal.products("finperks").unwrap(), (Vec::new(), None));
    for at in [1, 2] {
        desk.journal.replace_products("finperks", &[], Moment::from_ms(at)).unwrap();
        assert_eq!(desk.journal.products("finperks").unwrap(), (Vec::new(), Some(Moment::from_ms(at))));
    }
    intrude(desk.path(), "UPDATE product_list SET body = '[1]'");
    assert!(matches!(desk.journal.products("finperks"), Err(ReadError::Products(_))));
}

#[test]
fn an_entry_that_cannot_be_understood_is_named_and_the_others_are_not_lost() {
    let desk = three_sales();
    intrude(desk.path(), r#"UPDATE entry SET body = '{"v":9}' WHERE seq = 10"#);
    let why = crate::DecodeError::Version(9);
    assert_eq!(
        desk.journal.entries_of(Subject::Sale(sale(2))),
        Err(ReadError::Entry { seq: Seq::new(10), why })
    );
    assert_eq!(desk.journal.entries_of(Subject::Sale(sale(1))).unwrap().len(), 8);
    let desk = three_sales();
    intrude(desk.path(), "DELETE FROM entry WHERE seq = 9");
    let misfit = ReadError::Misfit { subject: Subject::Sale(sale(2)), seq: Seq::new(9) };
    assert_eq!(sale_of(&desk.journal, sale(2)), Err(misfit));
}
