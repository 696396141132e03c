//! Rows that say something else than their entries: every column of every table that is made from them, with every lie that
//! a file can hold.

use rusqlite::Connection;
use rusqlite::types::Value;
use tilld_domain::moment::Moment;
use tilld_domain::order::OrderEvent;
use tilld_domain::printing::Fault;

use super::days;
use super::devices::{device, draft};
use super::redemptions::whole_redemption;
use super::{Desk, Walk, intrude, samples, whole_sale};
use crate::entry::Seq;
use crate::failure::{Break, Verdict};
use crate::reader::Reader;

/// The tables that are made from the entries, and which column leads to the first entry of a row's subject.
const TABLES: [(&str, &str); 5] = [
    ("sale", "first_seq"),
    ("card", "sale"),
    ("redemption", "first_seq"),
    ("device", "first_seq"),
    ("day", "first_seq"),
];

/// Sales that are sold, copied, refused and open; redemptions that are open, completed, taken back and refused; devices that
/// are well, and are not; two days that are closed.
fn all_sorts() -> Desk {
    let desk = Desk::new();
    let printer = |fault, low| draft(500, &device("printer", fault, low));
    desk.journal.append(&[printer(Some(Fault::PaperOut), false)]).unwrap();
    let (mut walk, drafts) = whole_sale(1, 1_000);
    desk.journal.append(&drafts).unwrap();
    desk.journal.append(&[walk.card(1, OrderEvent::CopyAsked { by: "Ann".parse().unwrap() })]).unwrap();
    let (mut second, opened) = Walk::open(samples::opening(2, 3), Moment::from_ms(2_000));
    desk.journal.append(&[opened, second.create(2)]).unwrap();
    let (mut third, opened) = Walk::open(samples::opening(3, 1), Moment::from_ms(3_000));
    let refused = tilld_domain::outcome::Outcome::Refused(tilld_domain::refusal::Refusal::Declined);
    desk.journal.append(&[opened, third.card(1, OrderEvent::CreateEnded(refused))]).unwrap();
    for (number, length) in [(1, 6), (2, 4), (3, 1), (4, 5), (5, 2)] {
        desk.journal.append(&whole_redemption(number, 4_000).1[..length]).unwrap();
    }
    let kitchen = draft(9_000, &device("Kitchen", Some(Fault::Absent), true));
    desk.journal.append(&[printer(None, false), printer(None, true), kitchen]).unwrap();
    let days = [1, 2].map(|number| days::draft(9_500, samples::closing(number)));
    desk.journal.append(&days).unwrap();
    desk
}

/// A column of a row, and what it holds.
struct Cell {
    table: &'static str,
    column: String,
    rowid: i64,
    /// The first entry of its subject.
    first: i64,
    value: Value,
}

fn cells(database: &Connection) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (table, first) in TABLES {
        let mut statement = database.prepare(&format!("SELECT rowid, {first}, * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().skip(2).map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (place, column) in columns.iter().enumerate() {
                cells.push(Cell {
                    table,
                    column: column.clone(),
                    rowid: row.get(0).unwrap(),
                    first: row.get(1).unwrap(),
                    value: row.get(place + 2).unwrap(),
                });
            }
        }
    }
    cells
}

/// Other values that an SQL word can make of one; those that a strict table does not take are left out by it.
fn lies(value: &Value) -> Vec<&'static str> {
    match value {
        Value::Null => vec!["1", "-1", "'x'", "x'00'", "CAST(x'ff' AS TEXT)"],
        Value::Integer(_) => {
            vec![
                "$ + 1",
                "$ - 1",
                "1 - $",
                "-$",
                "NULL",
                "$ + 65536",
                "9223372036854775807",
                "-9223372036854775808",
            ]
        }
        Value::Text(_) => vec!["$ || 'x'", "''", "NULL", "upper($) || lower($)", "CAST(x'ff' AS TEXT)"],
        Value::Blob(_) => vec!["zeroblob(length($))", "zeroblob(3)", "x''", "NULL"],
        Value::Real(_) => panic!("no column holds one"),
    }
}

#[test]
fn every_column_of_every_row_is_compared_with_the_entries() {
    let desk = all_sorts();
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { .. })));
    let directory = desk.stop();
    let database = Connection::open(directory.path().join("journal.db")).unwrap();
    let (mut told, mut untold) = (0, Vec::new());
    for cell in cells(&database) {
        let Cell { table, column, rowid, first, value } = &cell;
        for lie in lies(value) {
            let lie = lie.replace('$', column);
            database.execute_batch("SAVEPOINT lie").unwrap();
            let sql = format!(
                "UPDATE {table} SET {column} = {lie} WHERE rowid = {rowid} AND {column} IS NOT {lie}"
            );
            let changed = database.execute(&sql, []);
            if changed != Ok(1) {
                // The table does not take it, or it is no other value.
                database.execute_batch("ROLLBACK TO lie; RELEASE lie").unwrap();
                continue;
            }
            database.execute_batch("RELEASE lie").unwrap();
            told += 1;
            let reader = Reader::open(directory.path()).unwrap();
            match reader.verify() {
                Ok(Verdict::Broken { seq, why: Break::Tables | Break::Missing })
                    if seq == Seq::new(u64::try_from(*first).unwrap())
                        || matches!(column.as_str(), "first_seq" | "last_seq" | "sale" | "id" | "card") => {}
                found => untold.push(format!("{sql}: {found:?}")),
            }
            drop(reader);
            let key = if *column == "first_seq" || (*table == "card" && *column == "id") {
                format!("{column} = {lie}", lie = lie.replace(column.as_str(), &rowid.to_string()))
            } else {
                format!("rowid = {rowid}")
            };
            let back = format!("UPDATE {table} SET {column} = ?1 WHERE {key}");
            assert_eq!(database.execute(&back, [value]), Ok(1), "{sql}; {back}");
        }
    }
    assert!(untold.is_empty(), "{} of {told} lies are not told:\n{}", untold.len(), untold.join("\n"));
    assert!(matches!(Reader::open(directory.path()).unwrap().verify(), Ok(Verdict::Whole { .. })));
    assert!(told > 1_000, "{told}");
}

/// Two sales that stood at two counters at once: each begins before the other one ends.
#[test]
fn two_sales_do_not_exchange_their_beginnings_unseen() {
    let desk = Desk::new();
    let mut both = [1, 2].map(|number| Walk::open(samples::opening(number, 1), Moment::from_ms(1_000)));
    desk.journal.append(&both.each_ref().map(|(_, opened)| opened.clone())).unwrap();
    for step in [
        |walk: &mut Walk| walk.create(1),
        |walk: &mut Walk| walk.pay(),
        |walk: &mut Walk| walk.confirm(1, &["YOUR CARD"]),
        |walk: &mut Walk| walk.print(1),
    ] {
        desk.journal.append(&both.each_mut().map(|(walk, _)| step(walk))).unwrap();
    }
    let directory = desk.stop();
    let verdict = || Reader::open(directory.path()).unwrap().verify();
    assert!(matches!(verdict(), Ok(Verdict::Whole { entries: 10, .. })));
    let becomes = |from: i64, to: i64| {
        format!(
            "UPDATE sale SET first_seq = {to} WHERE first_seq = {from};
             UPDATE card SET id = {to} * 64 + card, sale = {to} WHERE sale = {from};"
        )
    };
    intrude(directory.path(), &[becomes(1, 900), becomes(2, 1), becomes(900, 2)].concat());
    assert!(matches!(verdict(), Ok(Verdict::Broken { why: Break::Tables, .. })), "{:?}", verdict());
}
