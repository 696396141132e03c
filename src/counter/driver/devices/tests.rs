use tilld_domain::ids::{DeviceName, SaleId};
use tilld_domain::printing::Fault;
use tilld_domain::sale::CardNo;

use super::*;

fn name() -> DeviceName {
    "printer".parse().unwrap()
}

fn said(fault: Option<Fault>, paper_low: bool) -> Option<Status> {
    Some(Status { fault, paper_low, drawer_pin_high: None })
}

const OUT: Option<Status> = Some(Status::faulty(Fault::PaperOut));

fn well() -> Option<Status> {
    said(None, false)
}

fn whose(card: u16) -> Whose {
    let sale: SaleId = "00000000-0000-7000-8000-00000000000a".parse().unwrap();
    Whose::Card(sale, CardNo::new(card).unwrap())
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is written at a moment, as if that always worked.
fn written(devices: &mut Devices, now: Duration) -> Vec<&'static str> {
    let changed = devices.take_changes(now, false);
    for device in &changed {
        devices.written(device, now);
    }
    changed.iter().map(|device| device.condition.state_name()).collect()
}

fn journaled(fault: Option<Fault>) -> Devices {
    let mut devices = Devices::default();
    let device = Device { name: name(), condition: Condition { fault, paper_low: false } };
    devices.written(&device, Duration::ZERO);
    devices.watched.values_mut().for_each(|watched| watched.quiet_until = Duration::ZERO);
    devices
}

#[test]
fn the_first_word_after_a_start_is_written_only_if_the_journal_says_another() {
    for (before, first, expected) in [
        (None, None, &[][..]),
        (None, well(), &[]),
        (None, OUT, &["paper_out"]),
        (None, said(None, true), &["paper_low"]),
        (Some(Fault::PaperOut), None, &[]),
        (Some(Fault::PaperOut), OUT, &[]),
        (Some(Fault::PaperOut), well(), &["ready"]),
        (Some(Fault::Absent), OUT, &["paper_out"]),
    ] {
        let mut devices = journaled(before);
        devices.observe(name(), first, s(1));
        assert_eq!(written(&mut devices, s(1)), expected, "{before:?} {first:?}");
        assert_eq!(written(&mut devices, s(9)), [""; 0], "once");
    }
}

#[test]
fn a_printer_that_cannot_be_asked_is_well_once_nothing_is_known_to_be_wrong_any_more() {
    let mut devices = Devices::default();
    devices.observe(name(), None, s(1));
    assert!(!devices.is_ready(), "nothing is known");
    devices.observe(name(), Some(Status::faulty(Fault::Absent)), s(1));
    assert_eq!(written(&mut devices, s(1)), ["absent"]);
    devices.observe(name(), None, s(5));
    assert!(devices.is_ready());
    assert_eq!(written(&mut devices, s(5)), ["ready"]);
}

#[test]
fn a_printer_that_flaps_is_written_about_ever_less_often_and_its_last_state_in_the_end() {
    let mut devices = Devices::default();
    let mut entries = Vec::new();
    let end = s(3600);
    for ms in (0..3_600_000).step_by(100) {
        let now = Duration::from_millis(ms);
        devices.observe(name(), if ms % 200 == 0 { OUT } else { well() }, now);
        let changed = written(&mut devices, now);
        entries.extend(changed.into_iter().map(|state| (now, state)));
    }
    let (moments, states): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    // At the end of a pause it may just be as it was written last: until the next change, then.
    let gaps: Vec<u64> = moments.windows(2).map(|two| two[1].saturating_sub(two[0]).as_secs()).collect();
    assert_eq!(gaps, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600]);
    assert_eq!(states.first(), Some(&"paper_out"));
    // It ends well, and that is written in the end.
    if *states.last().unwrap() != "ready" {
        let due = devices.due().unwrap();
        assert!(due <= end + LONGEST_PACE);
        assert_eq!(written(&mut devices, due), ["ready"]);
    }
    assert!(!devices.watched.values().any(Watched::is_changed));
    // And once it has been steady, the next fault is written at once, and its end is.
    let later = s(7200);
    devices.observe(name(), OUT, later);
    assert_eq!(written(&mut devices, later), ["paper_out"]);
    devices.observe(name(), well(), later + PACE);
    assert_eq!(written(&mut devices, later + PACE), ["ready"]);
}

#[test]
fn what_a_person_mends_within_a_minute_is_written_when_it_happens() {
    let mut devices = Devices::default();
    for (second, said, state) in [
        (0, OUT, "paper_out"),
        (15, Some(Status::faulty(Fault::CoverOpen)), "cover_open"),
        (25, well(), "ready"),
        (50, OUT, "paper_out"),
        (70, well(), "ready"),
        (300, OUT, "paper_out"),
        (302, well(), "ready"),
    ] {
        devices.observe(name(), said, s(second));
        assert_eq!(written(&mut devices, s(second)), [state], "at {second} s");
    }
}

#[test]
fn what_was_taken_back_before_it_could_be_written_leaves_no_trace() {
    let mut devices = Devices::default();
    devices.observe(name(), OUT, s(1));
    devices.observe(name(), well(), s(1));
    assert_eq!(written(&mut devices, s(1)), [""; 0]);
}

#[test]
fn what_could_not_be_written_is_tried_again_after_a_pause() {
    let mut devices = Devices::default();
    devices.observe(name(), OUT, s(1));
    assert_eq!(devices.take_changes(s(1), false).len(), 1);
    assert_eq!((devices.take_changes(s(2), false).len(), devices.due()), (0, Some(s(3))));
    assert_eq!(devices.take_changes(s(3), false).len(), 1);
}

#[test]
fn a_card_is_told_at_once_when_its_printer_is_ready_and_then_after_growing_pauses() {
    let mut devices = Devices::default();
    devices.observe(name(), OUT, s(0));
    devices.somebody_waits(s(0));
    assert_eq!(devices.look, None, "the printer is not ready");
    assert_eq!(devices.take_waiting(&[whose(1)], s(0)), []);
    devices.observe(name(), well(), s(10));
    assert_eq!(devices.due(), Some(s(10)));
    assert_eq!(devices.take_waiting(&[whose(1), whose(2)], s(10)), [whose(1), whose(2)]);
    let mut told = Vec::new();
    for second in 11..=600 {
        // It says that it is ready all the time, and every slip ends with "nothing printed".
        devices.somebody_waits(s(second));
        if devices.look.is_some_and(|look| look <= s(second))
            && !devices.take_waiting(&[whose(1)], s(second)).is_empty()
        {
            told.push(second);
        }
    }
    assert_eq!(told[..6], [13, 17, 25, 41, 73, 133]);
    assert!(told.len() < 16, "{told:?}");
    devices.forget(|_| false);
    assert_eq!(devices.take_waiting(&[whose(1)], s(601)), [whose(1)], "another customer's card begins anew");
}

/// How a slip ended and how its printer is travel beside each other.
#[test]
fn a_card_that_waits_while_its_printer_is_said_to_be_ready_is_looked_at_a_little_later() {
    let mut devices = Devices::default();
    devices.observe(name(), well(), s(1));
    assert_eq!(devices.take_waiting(&[], s(1)), []);
    devices.somebody_waits(s(1));
    assert_eq!(devices.due(), Some(s(3)));
    // The word about the fault was only late.
    devices.observe(name(), OUT, s(1));
    assert_eq!(devices.look, None);
    devices.observe(name(), well(), s(2));
    assert_eq!(devices.take_waiting(&[whose(1)], s(2)), [whose(1)]);
}

#[test]
fn a_change_that_a_card_waits_for_is_written_with_it_however_fast_it_came() {
    let mut devices = Devices::default();
    devices.observe(name(), OUT, s(1));
    assert_eq!(written(&mut devices, s(1)), ["paper_out"]);
    devices.observe(name(), well(), s(1));
    assert_eq!(devices.take_changes(s(1), false), []);
    assert_eq!(devices.take_changes(s(1), true).len(), 1);
}
