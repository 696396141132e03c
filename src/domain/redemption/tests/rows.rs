//! The rows B3 to B13 of the design, live and after a restart at that point, with both sides of every boundary.

use super::script::{COMPARABLE, FINDABLE, REPEATABLE, START, Setup, check, opening, play, setup, usd};
use std::time::Duration;

use crate::outcome::Outcome;
use crate::pauses::UndoTimes;
use crate::redemption::basket::{Admission, admit, may_give_back};
use crate::redemption::{Counts, Opening, Redemption, RedemptionEvent, Rules};
use crate::refusal::Refusal;
use crate::voucher::{Balance, Recourse, Redeemed, Reversal, Worth};

/// The whole voucher is redeemed.
const ALL: Setup = Setup { before: Worth::Items(25), ..COMPARABLE };

#[test]
fn a_redeem_that_is_answered_is_redeemed_or_it_is_not() {
    for one in [COMPARABLE, FINDABLE, REPEATABLE] {
        check(
            one,
            "
                                                  => redeeming; redeem;; open
            redeem done                           => redeemed until 120 by answer; wake 120, forget;; open
            redeem done, offered                  => answered until 900 by answer; wake 900;; for 25.00 USD
            redeem done, offered, completed       => completed by answer;;; for 25.00 USD
            redeem done 25                        => redeemed until 120 by answer; wake 120, forget;; open
            redeem left 25                        => redeemed until 120 by answer; wake 120, forget;; open
            redeem noid, offered                  => answered until 900 by answer without_id; wake 900;; for 25.00 USD
            redeem noid, offered, completed       => completed by answer without_id;;; for 25.00 USD
            redeem noid, offered, completed, settle used => settled used;;; for 25.00 USD
            # law L2: a well-formed no is a no, and what was not sent took nothing
            redeem refused                        => not_redeemed redeem_refused; forget
            redeem blocked                        => not_redeemed blocked; forget
            redeem unsent                         => not_redeemed redeem_not_sent; forget
            redeem later                          => not_redeemed redeem_not_sent; forget
            redeem later 4                        => not_redeemed redeem_not_sent; forget
            # the machine slept in between: a success that comes when the guest has gone is none
            +120 redeem done                      => redeemed until 120 by answer; wake 120, forget;; open
            +120.001 redeem done                  => owed too_late; reverse, forget
            ",
        );
    }
}

#[test]
fn b3_comparable_the_balance_tells_after_a_settle_time_and_nothing_is_ever_sent_again() {
    check(
        COMPARABLE,
        "
        redeem unknown                            => comparing until 120; validate 20, wake 120;; open
        # unchanged: twice, a settle time apart
        redeem unknown, +20 read same             => comparing until 100 same; validate 20;; open
        redeem unknown, +20 read same, +20 read same => not_applied; validate 300
        redeem unknown, +19.999 read same         => comparing until 100.001; validate 0.001;; open
        redeem unknown, +20 read same, +19.999 read same => comparing until 80.001 same; validate 0.001;; open
        redeem unknown, +20 read same, +20 read unknown, +2 read same => not_applied; validate 300
        # lower by exactly the amount: it counts, and nobody can take it back
        redeem unknown, +20 read lower            => redeemed until 120 by balance without_id; wake 120, forget;; open
        redeem unknown, +20 read same, +20 read lower => redeemed until 120 by balance without_id; wake 120, forget;; open
        redeem unknown, +20 read lower, offered   => answered until 900 by balance without_id; wake 900;; for 25.00 USD
        redeem unknown, +20 read lower, offered, take_back => stuck taken_back without_id
        redeem unknown, +20 read lower, offered, completed => completed by balance without_id;;; for 25.00 USD
        # anything else stays unknown
        redeem unknown, +20 read left 10          => unclear odd;; was_it_taken; open
        redeem unknown, +20 read left 60          => unclear odd;; was_it_taken; open
        redeem unknown, +20 read spent            => unclear odd;; was_it_taken; open
        redeem unknown, +20 read dead             => unclear odd;; was_it_taken; open
        redeem unknown, +20 read gone             => unclear odd;; was_it_taken; open
        redeem unknown, +20 read other            => unclear odd;; was_it_taken; open
        redeem unknown, +20 read same, +20 read left 10 => unclear odd;; was_it_taken; open
        redeem unknown, +20 read left 10, settle used => settled used; forget;; for 25.00 USD
        redeem unknown, +20 read left 10, settle not_used => settled not_used; forget
        # it cannot be read
        redeem unknown, +20 read unknown          => comparing until 100 failures 1; validate 2;; open
        redeem unknown, +20 read unsent           => comparing until 100 failures 1; validate 2;; open
        redeem unknown, +20 read blocked          => comparing until 100 failures 1; validate 2;; open
        redeem unknown, +20 read later            => comparing until 100 failures 1; validate 2;; open
        redeem unknown, +20 read later 4          => comparing until 100 failures 1; validate 4;; open
        redeem unknown, +119.999 time_up          => too early
        redeem unknown, +120 time_up              => unclear not_read;; was_it_taken; open
        redeem unknown, +119.999 read unknown     => comparing until 0.001 failures 1; validate 2;; open
        redeem unknown, +120 read unknown         => unclear not_read failures 1; validate 2; was_it_taken; open
        redeem unknown, +120 read same            => unclear not_read same; validate 20; was_it_taken; open
        redeem unknown, +120 read later 400       => unclear not_read failures 1; validate 400; was_it_taken; open
        # … and still may tell
        redeem unknown, +120 time_up, +5 read unknown => unclear not_read failures 1; validate 2; was_it_taken; open
        redeem unknown, +120 time_up, read same   => unclear not_read same; validate 20; was_it_taken; open
        redeem unknown, +120 time_up, read same, +20 read same => not_applied; validate 300
        redeem unknown, +120 time_up, read left 10 => unclear odd;; was_it_taken; open
        redeem unknown, +120 time_up, moved       => unclear odd;; was_it_taken; open
        redeem unknown, +120 time_up, code_lost   => unclear not_read by_scan;; was_it_taken; open
        # taken, and the guest has gone: without an id nothing can go back, so nobody but a manager decides
        redeem unknown, +120 time_up, +5 read lower => unclear never_offered; forget; was_it_taken; open
        redeem unknown, +120 time_up, +5 read lower, settle used => settled used;;; for 25.00 USD
        redeem unknown, +120 time_up, +5 read lower, settle not_used => settled not_used
        # a late answer is the best evidence
        redeem unknown, redeem done               => redeemed until 120 by answer; wake 120, forget;; open
        redeem unknown, +20 read left 10, redeem done => redeemed until 120 by answer; wake 120, forget;; open
        redeem unknown, +20 read left 10, +120 redeem done => owed too_late; reverse, forget
        ",
    );
}

#[test]
fn b3_comparable_the_last_money_of_a_voucher_leaves_it_not_redeemable() {
    check(
        ALL,
        "
        redeem unknown, +20 read lower            => redeemed until 120 by balance without_id; wake 120, forget;; open
        redeem unknown, +20 read spent            => redeemed until 120 by balance without_id; wake 120, forget;; open
        redeem unknown, +20 read dead             => unclear odd;; was_it_taken; open
        redeem unknown, +20 read same, +20 read same => not_applied; validate 300
        ",
    );
}

#[test]
fn b3_comparable_items_are_compared_as_money_is() {
    let items = Setup { amount: Worth::Items(2), before: Worth::Items(3), ..COMPARABLE };
    let opening = |setup| {
        let mut opening = super::script::opening(setup);
        opening.amount = Worth::Items(2);
        opening.before = Balance { left: None, eligible: Some(Worth::Items(3)) };
        opening
    };
    for (read, expected) in
        [("read same", "comparing"), ("read lower", "redeemed"), ("read left 1", "unclear")]
    {
        let mut at = super::script::START;
        let (mut redemption, _) = Redemption::open(opening(items), at);
        for (after, word) in [(0, "redeem unknown"), (20, read)] {
            at = at.plus(Duration::from_secs(after));
            let event = super::script::event(&redemption.opening, word);
            redemption = redemption.step(at, event).unwrap().0;
        }
        assert_eq!(redemption.state_name(), expected, "{read}");
    }
}

/// What may be redeemed at once is limited: of 60 that are left, 50 here and now. 25 are redeemed.
#[test]
fn b3_comparable_a_number_is_compared_with_itself_alone_and_two_must_agree() {
    let (left, eligible) = (Some(usd(6_000)), Some(usd(5_000)));
    let both = Balance { left, eligible };
    for (before, read, expected) in [
        (both, "read 50 of 60", "comparing"),
        (both, "read 25 of 35", "redeemed"),
        // The limit hides what was taken.
        (both, "read 50 of 35", "unclear"),
        (both, "read 35 of 35", "unclear"),
        (both, "read 25 of 60", "unclear"),
        (both, "read left 50", "unclear"),
        (both, "read dead", "unclear"),
        // The till said something of its basket, and readings cannot: only what is left in all compares.
        (Balance { left, eligible: None }, "read 50 of 60", "comparing"),
        (Balance { left, eligible: None }, "read 60 of 60", "comparing"),
        (Balance { left, eligible: None }, "read 50 of 35", "redeemed"),
        (Balance { left, eligible: None }, "read 0 of 35", "redeemed"),
        (Balance { left, eligible: None }, "read left 50", "unclear"),
        (Balance { left: Some(usd(2_500)), eligible: None }, "read spent", "redeemed"),
        (Balance { left: Some(usd(2_500)), eligible: None }, "read 0 of 0", "redeemed"),
        // Nothing compares.
        (Balance::default(), "read 50 of 60", "unclear"),
        (Balance::default(), "read spent", "unclear"),
    ] {
        let opening = Opening { before, ..opening(COMPARABLE) };
        let state = state_after(opening, &[(0, "redeem unknown"), (20, read)]);
        assert_eq!(state.state_name(), expected, "{before:?} {read}");
    }
}

#[test]
fn b6_less_than_asked_shows_in_a_number_that_was_seen_before_and_in_no_other() {
    let money = |minor| Some(usd(minor));
    for (before, remaining, taken) in [
        (
            Balance { left: money(6_000), eligible: money(5_000) },
            Balance { left: money(3_500), eligible: money(3_500) },
            2_500,
        ),
        (
            Balance { left: money(6_000), eligible: money(5_000) },
            Balance { left: money(5_000), eligible: money(4_000) },
            1_000,
        ),
        // What is left in all is not what was eligible before: 15 less says nothing.
        (
            Balance { left: None, eligible: money(5_000) },
            Balance { left: money(3_500), eligible: None },
            2_500,
        ),
        (
            Balance { left: None, eligible: money(5_000) },
            Balance { left: money(3_500), eligible: money(4_000) },
            1_000,
        ),
        (
            Balance { left: money(6_000), eligible: None },
            Balance { left: None, eligible: money(5_000) },
            2_500,
        ),
        (Balance::default(), Balance { left: money(5_000), eligible: money(5_000) }, 2_500),
    ] {
        let (redemption, _) = Redemption::open(Opening { before, ..opening(COMPARABLE) }, START);
        let redeemed = Redeemed { redemption: Some("R1".parse().unwrap()), granted: None, remaining };
        let after = redemption.step(START, RedemptionEvent::RedeemEnded(Outcome::Done(redeemed))).unwrap().0;
        assert_eq!(after.past.taken.map(|taken| taken.worth), money(taken), "{before:?} {remaining:?}");
    }
}

fn state_after(opening: Opening, events: &[(u64, &str)]) -> Redemption {
    let mut at = START;
    let (mut redemption, _) = Redemption::open(opening, at);
    for (after, word) in events {
        at = at.plus(Duration::from_secs(*after));
        let event = super::script::event(&redemption.opening, word);
        redemption = redemption.step(at, event).unwrap().0;
    }
    redemption
}

#[test]
fn b3_comparable_what_was_not_applied_is_looked_at_once_more_after_the_quiet_time() {
    check(
        COMPARABLE,
        "
        redeem unknown, +20 read same, +20 read same, +300 read same => cleared unchanged; forget
        redeem unknown, +20 read same, +20 read same, +299.999 read same => not_applied; validate 0.001
        redeem unknown, +20 read same, +20 read same, +300 read unknown => not_applied failures 1; validate 1
        redeem unknown, +20 read same, +20 read same, +300 read later 4 => not_applied failures 1; validate 4
        # a late arrival: another payment has been taken, so it must go back, and cannot by a call
        redeem unknown, +20 read same, +20 read same, +300 read lower => stuck arrived_late without_id; forget
        redeem unknown, +20 read same, +20 read same, redeem done => owed arrived_late; reverse, forget
        redeem unknown, +20 read same, +20 read same, redeem noid => stuck arrived_late without_id; forget
        # what is left can tell nothing any more
        redeem unknown, +20 read same, +20 read same, moved => not_applied moved
        redeem unknown, +20 read same, +20 read same, +300 read left 10 => not_applied moved
        redeem unknown, +20 read same, +20 read same, code_lost => not_applied moved
        redeem unknown, +20 read same, +20 read same, moved, +300 read lower => misfit
        redeem unknown, +20 read same, +20 read same, moved, restart => not_applied moved
        redeem unknown, +20 read same, +20 read same, moved, settle not_used => settled not_used; forget
        redeem unknown, +20 read same, +20 read same, settle used => misfit
        # after a restart the quiet time begins anew: the clock may have been set forward in between (law L6)
        redeem unknown, +20 read same, +20 read same, +100 restart => not_applied; validate 300
        redeem unknown, +20 read same, +20 read same, +400 restart => not_applied; validate 300
        redeem unknown, +20 read same, +20 read same, +400 restart, +299.999 read same => not_applied; validate 0.001
        redeem unknown, +20 read same, +20 read same, +400 restart, +300 read same => cleared unchanged; forget
        redeem unknown, +20 read same, +20 read same, -7200 restart => not_applied; validate 300
        ",
    );
}

#[test]
fn b3_findable_it_is_looked_up_for_ten_seconds_and_then_owed() {
    check(
        FINDABLE,
        "
        redeem unknown                            => looking_up until 10; look_up;; open
        redeem unknown, lookup done               => redeemed until 120 by look_up; wake 120, forget;; open
        redeem unknown, lookup done 12.50         => granted_less until 120 by look_up; wake 120, forget; accept_less accept/take_back; open
        redeem unknown, lookup nothing            => not_redeemed redeem_refused; forget
        redeem unknown, lookup not_found          => looking_up until 10; look_up 0.5;; open
        redeem unknown, +1 lookup unknown         => looking_up until 9; look_up 1;; open
        redeem unknown, +4 lookup later 5         => looking_up until 6; look_up 5;; open
        redeem unknown, +4 lookup later 6         => owed uncertain without_id; look_up
        redeem unknown, +7.999 lookup not_found   => looking_up until 2.001; look_up 2;; open
        redeem unknown, +8 lookup not_found       => owed uncertain without_id; look_up
        redeem unknown, +9 lookup working         => looking_up until 21; look_up 2;; open
        redeem unknown, +28 lookup working        => owed uncertain without_id; look_up
        redeem unknown, redeem done               => redeemed until 120 by answer; wake 120, forget;; open
        # owed: first find it, then take it back
        redeem unknown, +8 lookup unknown, lookup done => owed uncertain; reverse, forget
        redeem unknown, +8 lookup unknown, lookup nothing => cleared never_applied; forget
        redeem unknown, +8 lookup unknown, lookup not_found => owed uncertain without_id not_found; look_up 300
        redeem unknown, +8 lookup unknown, lookup not_found, +300 lookup not_found => cleared not_found; forget
        redeem unknown, +8 lookup unknown, lookup not_found, +299.999 lookup not_found => owed uncertain without_id not_found; look_up 0.001
        redeem unknown, +8 lookup unknown, lookup not_found, lookup working => owed uncertain without_id; look_up 1
        redeem unknown, +8 lookup unknown, lookup blocked => owed uncertain without_id failures 1; look_up 1
        redeem unknown, +8 lookup unknown, lookup later 4 => owed uncertain without_id failures 1; look_up 4
        redeem unknown, +8 lookup unknown, lookup noid => stuck uncertain without_id; forget
        +121 restart, lookup noid                 => stuck too_late without_id; forget
        redeem noid, offered, take_back           => owed taken_back without_id; look_up
        ",
    );
}

#[test]
fn b3_repeatable_the_same_key_is_asked_again_for_ten_seconds_and_then_owed() {
    check(
        REPEATABLE,
        "
        redeem unknown                            => repeating until 10; redeem;; open
        redeem unknown, redeem done               => redeemed until 120 by answer; wake 120, forget;; open
        redeem unknown, redeem refused            => not_redeemed redeem_refused; forget
        redeem unknown, redeem blocked            => repeating until 10; redeem 0.5;; open
        redeem unknown, redeem key_used           => repeating until 10; redeem 0.5;; open
        redeem unknown, redeem unsent             => repeating until 10; redeem 0.5;; open
        redeem unknown, redeem later 4            => repeating until 10; redeem 4;; open
        redeem unknown, redeem later 10           => owed uncertain without_id; redeem
        redeem unknown, +8 redeem unknown         => owed uncertain without_id; redeem
        redeem unknown, +8 redeem unknown, redeem done => owed uncertain late_success; reverse, forget
        redeem unknown, +8 redeem unknown, redeem refused => cleared never_applied; forget
        redeem unknown, +8 redeem unknown, redeem key_used => owed uncertain without_id failures 1; redeem 1
        redeem unknown, +8 redeem unknown, redeem later 4 => owed uncertain without_id failures 1; redeem 4
        redeem unknown, +8 redeem unknown, redeem noid => stuck uncertain without_id; forget
        redeem noid, offered, take_back           => stuck taken_back without_id
        ",
    );
}

#[test]
fn b4_after_a_restart_it_is_found_out_as_before() {
    check(
        COMPARABLE,
        "
        restart                                   => comparing until 120; validate 20, wake 120;; open
        +3600 restart                             => comparing until 120; validate 20, wake 120;; open
        restart, +20 read lower                   => redeemed until 120 by balance without_id; wake 120, forget;; open
        +3600 restart, +20 read lower             => unclear never_offered; forget; was_it_taken; open
        restart, +20 read same, +20 read same     => not_applied; validate 300
        redeem unknown, +20 read same, restart    => comparing until 120; validate 20, wake 120;; open
        redeem unknown, +120 time_up, restart     => unclear not_read; validate 20; was_it_taken; open
        redeem unknown, +20 read left 10, restart => unclear odd;; was_it_taken; open
        # the sealed code cannot be opened: another scan is the evidence, of this voucher only
        restart, code_lost                        => comparing until 120 by_scan;; scan_again from 20; open
        restart, code_lost, +20 scan same         => comparing until 100 same by_scan;; scan_again from 20; open
        restart, code_lost, +20 scan same, +20 scan same => not_applied moved
        restart, code_lost, +5 scan same          => comparing until 115 by_scan;; scan_again from 15; open
        restart, code_lost, +5 scan lower         => redeemed until 120 by balance without_id; wake 120, forget;; open
        restart, code_lost, +20 scan left 10      => unclear odd;; was_it_taken; open
        restart, code_lost, +20 scan other        => another voucher
        restart, code_lost, +20 scan gone         => misfit
        restart, code_lost, +120 time_up          => unclear not_read by_scan;; was_it_taken; open
        restart, code_lost, +120 time_up, scan same => unclear not_read same by_scan;; was_it_taken; open
        restart, code_lost, restart               => comparing until 120; validate 20, wake 120;; open
        # a scan is as good as a reading, also when nobody asked for it
        redeem unknown, +5 scan lower             => redeemed until 120 by balance without_id; wake 120, forget;; open
        redeem unknown, +5 scan same              => comparing until 115;;; open
        redeem unknown, +25 scan same, +20 scan same => not_applied
        redeem unknown, +5 scan other             => another voucher
        ",
    );
    check(
        FINDABLE,
        "
        restart                                   => looking_up until 10; look_up;; open
        +120 restart                              => looking_up until 10; look_up;; open
        +120.001 restart                          => owed too_late without_id; look_up
        redeem unknown, +5 restart                => looking_up until 10; look_up;; open
        ",
    );
    check(
        REPEATABLE,
        "
        restart                                   => repeating until 10; redeem;; open
        +120.001 restart                          => owed too_late without_id; redeem
        redeem unknown, +5 restart                => repeating until 10; redeem;; open
        ",
    );
}

#[test]
fn b5_a_late_success_does_not_stop_the_reversal() {
    check(
        COMPARABLE,
        "
        redeem done, offered, take_back, redeem done => owed taken_back late_success
        redeem done, offered, take_back, redeem done, redeem done => misfit
        redeem done, offered, take_back, reverse not_found, redeem done, +300 reverse not_found => owed taken_back not_found late_success; reverse 300
        redeem done, offered, take_back, redeem done, reverse done => cleared reversed
        redeem done, offered, take_back, offered  => misfit
        redeem done, offered, take_back, completed => misfit
        ",
    );
    check(
        FINDABLE,
        "
        redeem unknown, +8 lookup unknown, redeem done => owed uncertain late_success; reverse, forget
        redeem unknown, +8 lookup unknown, redeem done, reverse done => cleared reversed
        ",
    );
}

#[test]
fn b6_less_than_asked_for_is_enough_if_a_person_says_so() {
    check(
        COMPARABLE,
        "
        redeem done 12.50                         => granted_less until 120 by answer; wake 120, forget; accept_less accept/take_back; open
        redeem left 37.50                         => granted_less until 120 by answer; wake 120, forget; accept_less accept/take_back; open
        redeem done 12.50, +119.999 say accept    => answered until 900 by answer; wake 900;; for 12.50 USD
        redeem done 12.50, +120 say accept        => misfit
        redeem done 12.50, say take_back          => owed too_little; reverse
        redeem done 12.50, +119.999 time_up       => too early
        redeem done 12.50, +120 time_up           => owed too_little; reverse
        redeem done 12.50, +60 restart            => granted_less until 60 by answer; wake 60; accept_less accept/take_back; open
        redeem done 12.50, +120 restart           => owed too_little; reverse
        redeem done 12.50, offered                => misfit
        redeem done 12.50, completed              => misfit
        redeem noid 12.50, say take_back          => stuck too_little without_id
        # something else than was asked for is never accepted
        redeem done 0                             => owed taken_otherwise; reverse, forget
        redeem done 30                            => owed taken_otherwise; reverse, forget
        redeem done 1x                            => owed taken_otherwise; reverse, forget
        ",
    );
}

#[test]
fn b7_an_answer_that_nobody_asks_for_is_taken_back() {
    check(
        COMPARABLE,
        "
        redeem done, +119.999 offered             => answered until 900 by answer; wake 900;; for 25.00 USD
        redeem done, +120 offered                 => misfit
        redeem done, +119.999 time_up             => too early
        redeem done, +120 time_up                 => owed never_offered; reverse
        redeem done, +60 restart                  => redeemed until 60 by answer; wake 60;; open
        redeem done, +120 restart                 => owed never_offered; reverse
        redeem done, take_back                    => misfit
        redeem noid, +120 time_up                 => unclear never_offered;; was_it_taken; open
        ",
    );
}

#[test]
fn b8_past_the_answer_line_only_the_till_or_a_person_decides() {
    check(
        COMPARABLE,
        "
        redeem done, offered, +899.999 time_up    => too early
        redeem done, offered, +900 time_up        => answered asked by answer;; was_it_used used/not_used; for 25.00 USD
        redeem done, offered, +900 time_up, say used => completed by answer;;; for 25.00 USD
        redeem done, offered, +900 time_up, say not_used => owed not_used; reverse
        redeem done, offered, +900 time_up, +9000 completed => completed by answer;;; for 25.00 USD
        redeem done, offered, +900 time_up, take_back => owed taken_back; reverse
        redeem done, offered, +900 time_up, +9000 time_up => misfit
        redeem done, offered, say used            => misfit
        redeem done, offered, restart             => answered asked by answer;; was_it_used used/not_used; for 25.00 USD
        redeem done, offered, restart, +86400 restart => answered asked by answer;; was_it_used used/not_used; for 25.00 USD
        redeem done, offered, restart, completed  => completed by answer;;; for 25.00 USD
        redeem done, offered, offered             => misfit
        ",
    );
}

#[test]
fn b9_what_was_completed_can_still_be_taken_back() {
    check(
        COMPARABLE,
        "
        redeem done, offered, take_back           => owed taken_back; reverse
        redeem done, offered, completed, +86400 take_back => owed taken_back; reverse
        redeem done, offered, completed, take_back, reverse done => cleared reversed
        redeem done, offered, completed, restart  => misfit
        redeem noid, offered, completed, take_back => stuck taken_back without_id
        redeem noid, offered, completed, restart  => completed by answer without_id;;; for 25.00 USD
        ",
    );
}

#[test]
fn b10_to_b12_a_reversal_is_asked_for_until_it_is_acknowledged_refused_or_settled() {
    check(
        COMPARABLE,
        "
        redeem done, offered, take_back, reverse done => cleared reversed
        redeem done, offered, take_back, reverse already => cleared already_reversed
        redeem done, offered, take_back, reverse working => owed taken_back; reverse 1
        redeem done, offered, take_back, +200 reverse working => owed taken_back; reverse 50
        redeem done, offered, take_back, +86400 reverse working => owed taken_back; reverse 60
        redeem done, offered, take_back, reverse unknown => owed taken_back failures 1; reverse 1
        redeem done, offered, take_back, reverse unsent => owed taken_back failures 1; reverse 1
        redeem done, offered, take_back, reverse blocked => owed taken_back failures 1; reverse 1
        redeem done, offered, take_back, reverse later 400 => owed taken_back failures 1; reverse 400
        redeem done, offered, take_back, reverse unknown, reverse unknown => owed taken_back failures 2; reverse 2
        redeem done, offered, take_back, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown => owed taken_back failures 6; reverse 60
        redeem done, offered, take_back, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown => owed taken_back failures 7; reverse 300
        redeem done, offered, take_back, +99999 restart => owed taken_back; reverse
        # law L6
        redeem done, offered, take_back, reverse not_found => owed taken_back not_found; reverse 300
        redeem done, offered, take_back, reverse not_found, +299.999 reverse not_found => owed taken_back not_found; reverse 0.001
        redeem done, offered, take_back, reverse not_found, +300 reverse not_found => cleared not_found
        redeem done, offered, take_back, reverse not_found, +300 reverse unknown => owed taken_back failures 1 not_found; reverse 1
        redeem done, offered, take_back, reverse not_found, reverse working, +300 reverse not_found => owed taken_back not_found; reverse 300
        # after a restart it begins anew: the clock may have been set forward in between
        redeem done, offered, take_back, reverse not_found, +300 restart => owed taken_back; reverse
        redeem done, offered, take_back, reverse not_found, +7200 restart, reverse not_found => owed taken_back not_found; reverse 300
        redeem done, offered, take_back, reverse not_found, +7200 restart, reverse not_found, +300 reverse not_found => cleared not_found
        # B12
        redeem done, offered, take_back, reverse refused => stuck taken_back reverse_refused;; try_again try_again
        redeem done, offered, take_back, reverse refused, restart => stuck taken_back reverse_refused;; try_again try_again
        redeem done, offered, take_back, reverse refused, say try_again => owed taken_back; reverse
        redeem done, offered, take_back, reverse refused, say try_again, reverse done => cleared reversed
        redeem done, offered, take_back, reverse not_found, reverse refused, say try_again, +300 reverse not_found => owed taken_back not_found; reverse 300
        redeem done, offered, take_back, reverse refused, settle not_used => settled not_used
        redeem done, offered, take_back, reverse refused, settle used => misfit
        redeem done, offered, take_back, settle not_used => settled not_used
        redeem done, offered, take_back, settle used => misfit
        ",
    );
}

#[test]
fn a_clock_that_was_set_back_before_a_restart_makes_a_guest_gone_and_delays_no_reversal() {
    check(
        COMPARABLE,
        "
        # what nobody has asked for since is taken back no later than after any restart
        redeem done, -7200 restart                => redeemed until 120 by answer; wake 120;; open
        redeem done 12.50, -7200 restart          => granted_less until 120 by answer; wake 120; accept_less accept/take_back; open
        # a reversal that is being carried out is asked about as often as ever
        redeem done, offered, take_back, -7200 restart, reverse working => owed taken_back; reverse 60
        # nobody knows how long a lost answer was on its way
        -7200 restart, +20 read lower             => unclear never_offered; forget; was_it_taken; open
        # by less than the slack nothing has happened
        redeem done, -5 restart                   => redeemed until 120 by answer; wake 120;; open
        -5 restart, +20 read lower                => redeemed until 120 by balance without_id; wake 120, forget;; open
        ",
    );
    check(
        FINDABLE,
        "
        -5 restart                                => looking_up until 10; look_up;; open
        -5.001 restart                            => owed too_late without_id; look_up
        ",
    );
}

#[test]
fn a_reversal_of_which_nobody_knows_what_a_second_one_does_is_asked_for_once() {
    check(
        setup(Recourse::Comparable, Reversal::Once),
        "
        redeem done, offered, take_back           => owed taken_back; reverse
        redeem done, offered, take_back, reverse done => cleared reversed
        redeem done, offered, take_back, reverse unknown => stuck taken_back unanswered;; try_again try_again
        redeem done, offered, take_back, restart  => stuck taken_back unanswered;; try_again try_again
        redeem done, offered, take_back, reverse unsent => owed taken_back failures 1; reverse 1
        redeem done, offered, take_back, reverse later => owed taken_back failures 1; reverse 1
        redeem done, offered, take_back, reverse unknown, say try_again => owed taken_back; reverse
        redeem done, offered, take_back, reverse unknown, say try_again, reverse unknown => stuck taken_back unanswered;; try_again try_again
        redeem done, offered, take_back, reverse unknown, say try_again, reverse already => cleared already_reversed
        ",
    );
}

#[test]
fn a_reversal_that_is_not_confirmed_with_the_provider_is_never_sent_by_itself() {
    check(
        setup(Recourse::Comparable, Reversal::NotConfirmed),
        "
        redeem done, offered, take_back           => stuck taken_back not_confirmed;; try_again try_again
        redeem done, +120 time_up                 => stuck never_offered not_confirmed;; try_again try_again
        redeem done 12.50, say take_back          => stuck too_little not_confirmed;; try_again try_again
        redeem done, offered, take_back, restart  => stuck taken_back not_confirmed;; try_again try_again
        # the set-up was mended since
        redeem done, offered, take_back, say try_again => owed taken_back; reverse
        redeem done, offered, take_back, say try_again, reverse unknown => stuck taken_back not_confirmed;; try_again try_again
        redeem done, offered, take_back, say try_again, restart => stuck taken_back not_confirmed;; try_again try_again
        ",
    );
    check(
        setup(Recourse::Findable, Reversal::NotConfirmed),
        "
        redeem unknown, +8 lookup unknown         => owed uncertain without_id; look_up
        redeem unknown, +8 lookup unknown, lookup done => stuck uncertain not_confirmed; forget; try_again try_again
        redeem unknown, +8 lookup unknown, lookup nothing => cleared never_applied; forget
        ",
    );
}

#[test]
fn b13_the_same_scan_twice_is_one_redemption_and_a_voucher_moves_once_at_a_time() {
    let another = |line: &str, basket: &str, voucher: &str, amount: i64| {
        let (redemption, _, _) = play(COMPARABLE, line).unwrap();
        let found = admit(
            [&redemption],
            &basket.parse().unwrap(),
            &voucher.parse().unwrap(),
            super::script::usd(amount),
            START,
        );
        match found {
            Ok(Admission::New) => "new",
            Ok(Admission::Same(id)) => {
                assert_eq!(id, redemption.id());
                "same"
            }
            Err(why) => why.code(),
        }
    };
    for (line, same, more, other_voucher, other_basket) in [
        ("", "same", "voucher_twice", "still_working", "voucher_in_use"),
        ("redeem unknown", "same", "voucher_twice", "still_working", "voucher_in_use"),
        ("restart, code_lost", "same", "voucher_twice", "open_question", "voucher_in_use"),
        ("redeem done", "same", "voucher_twice", "still_working", "voucher_in_use"),
        ("redeem done, offered", "same", "voucher_twice", "new", "new"),
        ("redeem done, offered, restart", "same", "voucher_twice", "open_question", "new"),
        ("redeem done, offered, completed", "same", "voucher_twice", "new", "new"),
        ("redeem done 12.50", "same", "voucher_twice", "open_question", "voucher_in_use"),
        ("redeem unknown, +20 read left 10", "same", "voucher_twice", "open_question", "new"),
        ("redeem unknown, +20 read left 10, settle used", "same", "voucher_twice", "new", "new"),
        // a person wants it again
        ("redeem refused", "new", "new", "new", "new"),
        ("redeem unknown, +20 read same, +20 read same", "new", "new", "new", "new"),
        ("redeem done, offered, take_back", "voucher_in_use", "voucher_in_use", "new", "voucher_in_use"),
        ("redeem done, offered, take_back, reverse refused", "new", "new", "new", "new"),
        ("redeem done, offered, take_back, reverse done", "new", "new", "new", "new"),
    ] {
        assert_eq!(another(line, "B1", "V1", 2500), same, "same scan: {line}");
        assert_eq!(another(line, "B1", "V1", 3000), more, "another amount: {line}");
        assert_eq!(another(line, "B1", "V2", 2500), other_voucher, "another voucher: {line}");
        assert_eq!(another(line, "B2", "V1", 2500), other_basket, "another basket: {line}");
        assert_eq!(another(line, "B2", "V2", 2500), "new", "{line}");
    }
}

#[test]
fn b13_the_first_of_two_redemptions_never_hides_the_second() {
    let refused = play(COMPARABLE, "redeem refused").unwrap().0;
    let done = play(COMPARABLE, "redeem done, offered").unwrap().0;
    let open = play(COMPARABLE, "redeem unknown").unwrap().0;
    let amount = super::script::usd(2500);
    let (basket, voucher) = ("B1".parse().unwrap(), "V1".parse().unwrap());
    for others in [vec![&refused, &done], vec![&done, &refused], vec![&refused, &open], vec![&open, &refused]]
    {
        assert!(matches!(admit(others, &basket, &voucher, amount, START), Ok(Admission::Same(_))));
    }
    assert_eq!(admit([], &basket, &voucher, amount, START), Ok(Admission::New));
}

/// A reversal that arrives late lifts what is left: a redeem that was not answered meanwhile would pass for not applied.
#[test]
fn b12_a_reversal_that_was_not_answered_keeps_its_voucher_for_as_long_as_it_may_still_work() {
    let once = setup(Recourse::Comparable, Reversal::Once);
    for line in
        ["redeem done, offered, take_back, reverse unknown", "redeem done, offered, take_back, restart"]
    {
        let (redemption, _, at) = play(once, line).unwrap();
        assert_eq!(redemption.state_name(), "stuck", "{line}");
        let (basket, voucher) = ("B2".parse().unwrap(), "V1".parse().unwrap());
        for (after, expected) in [(299_999, Err(Refusal::VoucherInUse)), (300_000, Ok(Admission::New))] {
            let at = at.plus(Duration::from_millis(after));
            assert_eq!(admit([&redemption], &basket, &voucher, usd(2_500), at), expected, "{line} {after}");
        }
    }
}

#[test]
fn nothing_is_given_back_to_a_voucher_while_what_is_left_on_it_must_tell_something() {
    let answered = play(COMPARABLE, "redeem done, offered").unwrap().0;
    for (line, voucher, expected) in [
        ("", "V1", Err(Refusal::VoucherInUse)),
        ("redeem unknown", "V1", Err(Refusal::VoucherInUse)),
        ("redeem unknown", "V2", Ok(())),
        ("redeem done, offered", "V1", Ok(())),
        ("redeem unknown, +20 read same, +20 read same", "V1", Ok(())),
    ] {
        let mut other = play(COMPARABLE, line).unwrap().0;
        other.opening.redemption = "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap();
        other.opening.voucher = voucher.parse().unwrap();
        assert_eq!(may_give_back(&answered, [&answered, &other], START), expected, "{line} {voucher}");
    }
    let open = play(COMPARABLE, "redeem unknown").unwrap().0;
    assert_eq!(may_give_back(&open, [&open], START), Ok(()), "a redemption is in its own way");
}

#[test]
fn a_slower_provider_gets_more_time_and_a_quick_one_not_less() {
    for (deadline_s, settle_s, compare_s, quiet_s) in
        [(10, 20, 120, 300), (1, 20, 120, 300), (30, 60, 360, 900)]
    {
        let rules = Rules::DESIGN.of_a_provider(COMPARABLE.offers, Duration::from_secs(deadline_s));
        let told = [rules.settle, rules.compare, rules.quiet].map(|span| span.as_secs());
        assert_eq!(told, [settle_s, compare_s, quiet_s], "{deadline_s}");
        assert_eq!(rules.offers, COMPARABLE.offers);
    }
}

#[test]
fn who_decided_and_why_stays_with_a_redemption_that_a_manager_closed() {
    let (redemption, _, _) = play(COMPARABLE, "redeem unknown, +20 read left 10, settle used").unwrap();
    assert_eq!(redemption.counts(), Counts::For(super::script::usd(2500)));
    let told = format!("{:?}", redemption.state);
    assert!(told.contains("Ada") && told.contains("The provider says so."), "{told}");
}

#[test]
fn a_reversal_waits_and_calls_as_the_redemption_was_told_at_its_beginning() {
    let undo = UndoTimes {
        pauses: [3, 4, 4, 4, 4, 4, 9].map(Duration::from_secs),
        call_after_failures: 2,
        call_after: Duration::from_secs(50),
        ..UndoTimes::DESIGN
    };
    let setup = Setup { undo, ..COMPARABLE };
    check(
        setup,
        "
        redeem done, offered, take_back, reverse unknown => owed taken_back failures 1; reverse 3
        redeem done, offered, take_back, reverse unknown, reverse unknown => owed taken_back failures 2; reverse 4
        ",
    );
    for (line, called) in [
        ("redeem done, offered, take_back, +49 reverse unknown", false),
        ("redeem done, offered, take_back, +50 reverse unknown", true),
        ("redeem done, offered, take_back, reverse unknown, reverse unknown", true),
    ] {
        let (redemption, _, at) = play(setup, line).unwrap();
        assert_eq!(redemption.attention(at).is_some(), called, "{line}");
    }
}
