//! Days: closed once, numbered, in the chain, and found by when things happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use tilld_domain::day::Closing;
use tilld_domain::moment::Moment;

use super::redemptions::whole_redemption;
use super::{Desk, Walk, samples, whole_sale};
use crate::entry::{Draft, Event, Seq, Step, Subject, day_id};
use crate::failure::{AppendError, Verdict};
use crate::index::{discard, follow};
use crate::read;
use crate::reader::{Line, Part, Reader};

pub(super) fn draft(at: i64, closing: Closing) -> Draft {
    Draft { at: Moment::from_ms(at), asked: None, step: Step::Day(Arc::new(closing)) }
}

#[test]
fn a_day_is_closed_once_and_no_number_is_given_twice() {
    let desk = Desk::new();
    let first = samples::closing(1);
    assert_eq!(desk.journal.append(&[draft(10, first.clone())]), Ok(vec![Seq::new(1)]));
    let taken = Err(AppendError::Misfit { draft: 0, why: "its day is closed, or its number is taken" });
    for again in
        [first.clone(), Closing { number: 2, ..first.clone() }, Closing { number: 1, ..samples::closing(2) }]
    {
        assert_eq!(desk.journal.append(&[draft(20, again)]), taken);
    }
    desk.journal.append(&[draft(30, samples::closing(2))]).unwrap();
    let desk = desk.restart();
    let rows = Reader::open(desk.path()).unwrap().closings().unwrap();
    let short: Vec<_> = rows.iter().map(|row| (row.closing.clone(), row.at.ms(), row.seq.number())).collect();
    assert_eq!(short, [(first.clone(), 10, 1), (samples::closing(2), 30, 2)]);
    let entries = desk.journal.entries_of(Subject::Day(day_id(first.day))).unwrap();
    assert_eq!(entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [Event::Day(first)]);
    assert!(matches!(desk.journal.verify(), Ok(Verdict::Whole { entries: 2, .. })));

    let database = rusqlite::Connection::open(desk.path().join("journal.db")).unwrap();
    read::rebuild(&database).unwrap();
    assert_eq!(Reader::open(desk.path()).unwrap().closings().unwrap(), rows);
}

#[test]
fn what_happened_in_a_part_is_found_with_an_index_and_without() {
    let desk = Desk::new();
    let (first, drafts) = whole_sale(1, 1_000);
    desk.journal.append(&drafts).unwrap();
    let (second, drafts) = whole_sale(2, 10_000);
    desk.journal.append(&drafts).unwrap();
    // The clock was set back.
    let (third, drafts) = whole_redemption(3, 5_000);
    desk.journal.append(&drafts).unwrap();
    let [first, second] = [first, second].map(|walk| Subject::Sale(walk.sale.opening.sale));
    let third = Subject::Redemption(third.redemption.id());
    let part = |after, upto, from, until| Part {
        after: Seq::new(after),
        upto: Seq::new(upto),
        from: Moment::from_ms(from),
        until: Moment::from_ms(until),
    };
    let reader = Reader::open(desk.path()).unwrap();
    for indexed in [false, true, false] {
        discard(desk.path());
        if indexed {
            follow(desk.path()).unwrap();
        }
        assert_eq!(reader.first_of(&part(0, 100, 4_000, 100_000)), Ok(Some(Seq::new(9))));
        assert_eq!(reader.first_of(&part(9, 100, 4_000, 9_000)), Ok(Some(Seq::new(17))));
        for (part, expected) in [
            (part(0, 100, 0, 100_000), vec![first, second, third]),
            (part(0, 100, 4_000, 9_000), vec![third]),
            (part(0, 16, 4_000, 9_000), vec![]),
            (part(8, 16, 0, 100_000), vec![second]),
            (part(7, 9, 0, 100_000), vec![first, second]),
            (part(0, 100, 1_000, 1_001), vec![first]),
            (part(0, 100, 0, 1_000), vec![]),
        ] {
            let expected: BTreeSet<Subject> = expected.into_iter().collect();
            assert_eq!(reader.subjects_of(&part).unwrap(), expected, "{part:?}");
            assert_eq!(reader.first_of(&part).unwrap().is_some(), !expected.is_empty(), "{part:?}");
        }
    }
}

#[test]
fn what_was_open_after_an_entry_is_told_for_ever_as_it_was_told_then() {
    let desk = Desk::new();
    // Three sales and a redemption that overlap, and one sale that stays open.
    let mut walks: Vec<Vec<Draft>> =
        vec![whole_sale(1, 1_000).1, whole_sale(2, 2_000).1, whole_redemption(3, 3_000).1];
    let (mut left, opened) = Walk::open(samples::opening(4, 1), Moment::from_ms(4_000));
    walks.push(vec![opened, left.create(1)]);
    let longest = walks.iter().map(Vec::len).max().unwrap();
    let mut told: Vec<(Seq, Vec<Line>)> = vec![(Seq::NONE, Vec::new())];
    for turn in 0..longest {
        for (place, walk) in walks.iter().enumerate() {
            let Some(next) = walk.get(turn) else { continue };
            desk.journal.append(std::slice::from_ref(next)).unwrap();
            if (turn + place) % 3 == 0 {
                let closing = samples::closing(u32::try_from(told.len()).unwrap());
                desk.journal.append(&[draft(9_000, closing)]).unwrap();
            }
            let reader = Reader::open(desk.path()).unwrap();
            let now = reader.open_after(None, 100).unwrap();
            told.push((reader.last().unwrap(), now));
        }
    }
    let reader = Reader::open(desk.path()).unwrap();
    for (seq, lines) in &told {
        // By the entries that are later, and by the rows.
        for few in [u64::MAX, 0] {
            assert_eq!(&reader.open_after_by(Some(*seq), 100, few).unwrap(), lines, "{seq} {few}");
            let first: Vec<_> = lines.iter().take(2).cloned().collect();
            assert_eq!(reader.open_after_by(Some(*seq), 2, few).unwrap(), first, "{seq} {few}");
        }
    }
    let counts: BTreeSet<usize> = told.iter().map(|(_, lines)| lines.len()).collect();
    assert!(counts.contains(&6) && told.last().unwrap().1.len() == 1, "{counts:?}");
    // What is not written yet changes nothing.
    assert_eq!(reader.open_after(Some(Seq::new(10_000)), 100).unwrap(), told.last().unwrap().1);
}
