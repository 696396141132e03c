//! Devices in the journal: a change is an entry of the same chain, and a row that says what the last one says.

use std::sync::Arc;

use tilld_domain::device::{Condition, Device};
use tilld_domain::moment::Moment;
use tilld_domain::printing::Fault;

use super::{Desk, Walk, intrude, samples, settings};
use crate::entry::{DeviceRow, Draft, Event, Seq, Step, Subject, device_id};
use crate::failure::{Break, DecodeError, ReadError, Verdict};
use crate::form;
use crate::journal::Journal;
use crate::reader::Reader;

pub(super) fn device(name: &str, fault: Option<Fault>, paper_low: bool) -> Device {
    Device { name: name.parse().unwrap(), condition: Condition { fault, paper_low } }
}

pub(super) fn draft(at: i64, device: &Device) -> Draft {
    Draft { at: Moment::from_ms(at), asked: None, step: Step::Device(Arc::new(device.clone())) }
}

#[test]
fn what_was_written_last_about_a_device_is_what_is_known_of_it_after_a_restart() {
    let mut desk = Desk::new();
    assert_eq!(desk.journal.devices(), Ok(Vec::new()));
    let opened = Walk::open(samples::opening(1, 1), Moment::from_ms(1)).1;
    let history = [
        device("printer", Some(Fault::PaperOut), true),
        device("Kitchen", Some(Fault::Absent), false),
        device("printer", None, true),
        device("printer", None, false),
    ];
    let mut drafts: Vec<Draft> = (2..).zip(&history).map(|(at, device)| draft(at, device)).collect();
    drafts.insert(1, opened);
    desk.journal.append(&drafts).unwrap();
    for _ in 0..2 {
        let row = |device: &Device, at, first, last| DeviceRow {
            id: device_id(&device.name),
            device: device.clone(),
            at: Moment::from_ms(at),
            first: Seq::new(first),
            last: Seq::new(last),
        };
        let rows = vec![row(&history[3], 5, 1, 5), row(&history[1], 3, 3, 3)];
        assert_eq!(desk.journal.devices().unwrap(), rows);
        let reader = Reader::open(desk.path()).unwrap();
        assert_eq!(reader.devices().unwrap(), rows);
        let printer = device_id(&history[0].name);
        assert_eq!(desk.journal.device(printer).unwrap().as_ref(), Some(&rows[0]));
        let entries = desk.journal.entries_of(Subject::Device(printer)).unwrap();
        let events: Vec<Event> = entries.into_iter().map(|entry| entry.event).collect();
        let [first, _, third, fourth] = history.clone();
        assert_eq!(events, [first, third, fourth].map(Event::Device));
        let shown = reader.shown(Subject::Device(printer)).unwrap();
        let states: Vec<&str> = shown.iter().map(|entry| entry.head.state.as_str()).collect();
        assert_eq!(states, ["paper_out", "paper_low", "ready"]);
        assert!(shown.iter().all(|entry| entry.head.kind == "device_changed"));
        assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 5, .. })));
        desk = desk.restart();
    }
    assert_eq!(desk.journal.device(device_id(&"scanner".parse().unwrap())), Ok(None));
    assert_eq!(desk.journal.open_sales().unwrap().len(), 1);
}

/// What stands on the disks of tills must be read for ever.
#[test]
fn a_device_is_written_as_it_always_was() {
    let printer = device("printer", Some(Fault::PaperOut), false);
    let body = r#"{"v":1,"event":{"name":"printer","condition":{"fault":"paper_out","paper_low":false}}}"#;
    assert_eq!(form::encode_of_device(&printer).unwrap(), body);
    assert_eq!(form::decode("device_changed", None, body), Ok(Event::Device(printer.clone())));
    assert_eq!(device_id(&printer.name).to_string(), ID_OF_PRINTER);
    for (from, to, why) in [
        ("paper_out\"", "eaten\"", "unknown variant `eaten`"),
        (r#""name":"printer""#, r#""name":"""#, "it is empty"),
        ("\"printer\"", "\"p\\u001br\"", "it holds a character"),
        ("\"paper_low\":false", "\"paper_low\":1", "invalid type"),
        ("\"paper_low\":false", "\"paper_low\":false,\"more\":1", "unknown field `more`"),
        (r#","paper_low":false"#, "", "missing field `paper_low`"),
    ] {
        let refused = form::decode("device_changed", None, &body.replacen(from, to, 1));
        assert!(
            matches!(&refused, Err(DecodeError::Body(text)) if text.starts_with(why)),
            "{to}: {refused:?}"
        );
    }
}

const ID_OF_PRINTER: &str = "39177e96-7238-8a6c-876c-af2b06d0a756";

#[test]
fn an_entry_of_another_device_under_a_devices_id_is_no_part_of_it() {
    let desk = Desk::new();
    let printer = device("printer", Some(Fault::PaperOut), false);
    desk.journal.append(&[draft(1, &printer), draft(2, &device("printer", None, false))]).unwrap();
    let id = device_id(&printer.name);
    intrude(desk.path(), "UPDATE entry SET body = replace(body, 'printer', 'printed') WHERE seq = 1");
    assert_eq!(
        desk.journal.verify(),
        Ok(Verdict::Broken { seq: Seq::new(1), why: Break::Changed }),
        "the chain tells it first"
    );
    assert_eq!(desk.journal.device(id).unwrap().unwrap().device.condition, Condition::default());
    let mut fold = None;
    let replayed = crate::read::replay(
        &rusqlite::Connection::open(desk.path().join("journal.db")).unwrap(),
        Subject::Device(id),
        None,
        |device: &Device, seq, _| {
            fold = Some((device.clone(), seq));
            std::ops::ControlFlow::Continue(())
        },
    );
    assert_eq!(
        (replayed, fold),
        (Err(ReadError::Misfit { subject: Subject::Device(id), seq: Seq::new(1) }), None)
    );
}

#[test]
fn a_devices_row_that_was_removed_or_set_back_is_told_by_the_audit() {
    for (sql, seq, why) in [
        ("DELETE FROM device WHERE name = 'printer'", 1, Break::Tables),
        (
            "UPDATE device SET last_seq = 1, fault = 'paper_out', at = 1 WHERE name = 'printer'",
            1,
            Break::Tables,
        ),
        ("UPDATE device SET last_seq = 9 WHERE name = 'printer'", 4, Break::Missing),
        ("INSERT INTO device VALUES (3, 3, zeroblob(16), 'ghost', NULL, 0, 3)", 3, Break::Tables),
    ] {
        let desk = Desk::new();
        let drafts = [
            draft(1, &device("printer", Some(Fault::PaperOut), false)),
            draft(2, &device("printer", None, false)),
            Walk::open(samples::opening(1, 1), Moment::from_ms(3)).1,
        ];
        desk.journal.append(&drafts).unwrap();
        intrude(desk.path(), sql);
        let expected = Ok(Verdict::Broken { seq: Seq::new(seq), why });
        assert_eq!(Reader::open(desk.path()).unwrap().verify(), expected, "{sql}");
        let directory = desk.stop();
        let opened = Journal::open(&settings(directory.path())).map(|_| ());
        // A start does not add up what is missing; the rest it sees.
        let seen = matches!(opened, Err(crate::OpenError::Broken { .. }));
        assert_eq!(seen, sql.contains("= 9") || sql.contains("ghost"), "{sql}: {opened:?}");
    }
}

#[test]
fn the_rows_of_devices_can_be_made_again_from_the_entries() {
    let desk = Desk::new();
    let drafts = [
        draft(1, &device("printer", Some(Fault::PaperOut), false)),
        draft(2, &device("Kitchen", Some(Fault::Absent), true)),
        draft(3, &device("printer", None, true)),
    ];
    desk.journal.append(&drafts).unwrap();
    let rows = desk.journal.devices().unwrap();
    let directory = desk.stop();
    let database = rusqlite::Connection::open(directory.path().join("journal.db")).unwrap();
    database.execute_batch("DELETE FROM device").unwrap();
    crate::read::rebuild(&database).unwrap();
    assert_eq!(crate::tables::device::all(&database, None).unwrap(), rows);
}
