//! One undo at a time, by what the driver asks and is told.

use tilld_domain::outcome::{Trouble, UndoAnswer};

use super::*;
use crate::now::tests::{owed, redemption, taken_back, whose};

const AT: Moment = Moment::from_ms(1_795_266_300_000);

fn ended(it: &Standing, end: Outcome<UndoAnswer>) -> Event {
    let Whose::Card(_, card) = whose(it) else { panic!("of a card") };
    Event::Sale(SaleEvent::Card(card, OrderEvent::UndoEnded(end)))
}

#[test]
fn a_pause_that_the_provider_asked_for_is_kept_to_its_end_and_forgotten_with_the_undo() {
    let card = owed(vec![]);
    let (mut undoing, of) = (Undoing::default(), whose(&card));
    let later = Outcome::Later { retry_after: Some(Duration::from_secs(30)) };
    let (begun, end) = (Duration::from_secs(100), Duration::from_secs(130));
    undoing.begin(of).unwrap();
    undoing.remember(of, AT, begun, &ended(&card, later));
    assert_eq!(undoing.tried(of).map(|tried| tried.at), Some(AT));
    assert_eq!(undoing.wake(of, begun), Some(Woken::NotBefore(Duration::ZERO)));
    for (now, until) in
        [(begun, Some(end)), (end.saturating_sub(Duration::from_millis(1)), Some(end)), (end, None)]
    {
        assert_eq!(undoing.not_before(of, now), until, "{now:?}");
    }
    assert_eq!(undoing.wake(of, end), Some(Woken::Now));
    undoing.forget(of);
    assert!(undoing.tried(of).is_none() && undoing.not_before(of, begun).is_none());
}

#[test]
fn an_undo_goes_to_the_wire_once_and_is_called_off_only_before() {
    let of = whose(&owed(vec![]));
    let mut undoing = Undoing::default();
    let started = undoing.begin(of).unwrap();
    assert!(undoing.begin(of).is_none(), "one at a time");
    assert_eq!(undoing.doing(of), Some(Doing::Asleep(Duration::ZERO)));
    assert!(started.may_be_sent() && !started.may_be_sent());
    assert_eq!((undoing.doing(of), undoing.wake(of, Duration::ZERO)), (Some(Doing::Sent), Some(Woken::Sent)));
    assert!(!undoing.call_off(of), "its answer is waited for");
    undoing.ended(of);
    assert!(undoing.call_off(of) && undoing.doing(of).is_none());
    let asleep = undoing.begin(of).unwrap();
    assert!(undoing.call_off(of) && !asleep.may_be_sent() && undoing.doing(of).is_none());
}

#[test]
fn while_nothing_can_be_written_an_undo_is_asked_for_again_until_it_has_an_answer_that_ends_it() {
    let card = owed(vec![]);
    let of = whose(&card);
    let silent = || Outcome::Unknown(Trouble::Silent);
    let mut undoing = Undoing::default();
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let (pause, started) = undoing.again(&card, of, AT, &ended(&card, silent())).unwrap();
        assert!(started.may_be_sent());
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses, [1, 2, 5], "each failure counts, although none is on disk");
    for end in [UndoAnswer::Invalidated, UndoAnswer::NotSupported, UndoAnswer::AlreadyRedeemed] {
        assert!(undoing.again(&card, of, AT, &ended(&card, Outcome::Done(end.clone()))).is_none(), "{end:?}");
    }
    // What is not owed on disk is nobody's to send.
    let voucher = redemption(taken_back());
    assert!(undoing.again(&voucher, of, AT, &ended(&card, silent())).is_none());
}
