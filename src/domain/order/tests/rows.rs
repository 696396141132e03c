//! The rows A1 to A20 of the design, live and after a restart at that point, with both sides of every boundary.

use std::time::Duration;

use super::script::{check, check_with};
use crate::order::Rules;
use crate::pauses::UndoTimes;
use crate::product::CardKind::{Por, Posa};

#[test]
fn a1_a_create_is_repeated_once_under_its_key_and_then_given_up() {
    check(
        Por,
        "
                                                  => creating; create
        created                                   => created; wake 900
        create refused                            => not_sold declined; forget
        create unsent                             => not_sold no_connection; forget
        +10 create unknown                        => creating again; create
        +10 create unknown, created               => created; wake 900
        +10 create unknown, +10 create unknown    => not_sold outcome_unknown; forget
        +10 create unknown, create unsent         => not_sold outcome_unknown; forget
        +10 create unknown, create refused        => not_sold declined; forget
        create later                              => creating; create 0.5
        +5.999 create later 4                     => creating; create 4
        +6 create later 4                         => creating; create 4
        +6.001 create later 4                     => not_sold no_connection; forget
        create later 99                           => not_sold no_connection; forget
        create later, create unknown              => creating again; create
        # after a restart
        +120 restart                              => creating again; create
        +120.001 restart                          => not_sold outcome_unknown; forget
        create unknown, restart                   => not_sold outcome_unknown; forget
        restart, restart                          => not_sold outcome_unknown; forget
        ",
    );
}

#[test]
fn a2_an_order_waits_for_its_money_while_it_is_fresh() {
    check(
        Por,
        "
        created, +899.999 paid                    => confirming; confirm
        created, +900 paid                        => misfit
        created, +899.999 time_up                 => too early
        created, +900 time_up                     => owed not_fresh; undo
        created, cancelled                        => owed cancelled; undo
        created, +3600 cancelled                  => owed cancelled; undo
        created, +60 restart                      => created; wake 840
        created, +899.999 restart                 => created; wake 0.001
        created, +900 restart                     => owed not_fresh; undo
        created, +60 restart, +839.999 paid       => confirming; confirm
        created, +900 time_up, paid               => misfit
        created, cancelled, paid                  => misfit
        ",
    );
}

#[test]
fn a4_money_in_and_no_confirm_taken_goes_on_for_ten_seconds_or_asks_after_a_restart() {
    check(
        Por,
        "
        created, paid, confirm unsent             => paid again 0.5 until 10; wake 0.5
        created, paid, confirm later              => paid again 0.5 until 10; wake 0.5
        created, paid, confirm later 4            => paid again 4 until 10; wake 4
        created, paid, confirm later 10           => owed not_confirmed; undo;; back
        created, paid, confirm later 99           => owed not_confirmed; undo;; back
        created, paid, confirm unsent, +0.499 time_up => too early
        created, paid, confirm unsent, +0.5 time_up => confirming until 9.5; confirm, wake 9.5
        created, paid, confirm unsent, +9.999 time_up => confirming until 0.001; confirm, wake 0.001
        created, paid, confirm unsent, +10 time_up => owed not_confirmed; undo;; back
        created, paid, confirm unsent, +3600 time_up => owed not_confirmed; undo;; back
        created, paid, confirm unsent, +0.5 time_up, +9 confirm unsent => owed not_confirmed; undo;; back
        created, paid, confirm unsent, +0.5 time_up, +8.9 confirm unsent => paid again 0.5 until 0.6; wake 0.5
        created, paid, confirm unsent, +0.5 time_up, confirm done lines => printing 1; print 1
        created, paid, confirm unsent, say finish => misfit
        # after a restart
        created, paid, confirm unsent, restart    => paid until 120; wake 120; finish_or_money_back: finish/money_back
        created, paid, confirm unsent, restart, +119.999 time_up => too early
        created, paid, confirm unsent, restart, +120 time_up => owed not_confirmed; undo;; back
        created, paid, confirm unsent, restart, +119.999 say finish => confirming; confirm
        created, paid, confirm unsent, restart, +120 say finish => misfit
        created, paid, confirm unsent, restart, say money_back => owed money_back; undo;; back
        created, paid, confirm unsent, restart, +60 say finish, confirm unsent => paid again 0.5 until 10; wake 0.5
        ",
    );
}

#[test]
fn a4_restarts_do_not_add_up_to_more_time_nor_to_an_old_order() {
    check(
        Por,
        "
        # a second restart leaves the two minutes of the first as they are
        created, paid, confirm unsent, restart, +100 restart => paid until 20; wake 20; finish_or_money_back: finish/money_back
        created, paid, confirm unsent, restart, +120 restart => owed not_confirmed; undo;; back
        # fact sheet U16: an order older than 15 min is not confirmed, also if a person wants it
        created, +60 paid, confirm unsent, +780 restart => paid until 60; wake 60; finish_or_money_back: finish/money_back
        created, +60 paid, confirm unsent, +780 restart, +60 say finish => misfit
        created, +60 paid, confirm unsent, +840 restart => owed not_confirmed; undo;; back
        ",
    );
}

#[test]
fn a5_an_uncertain_confirm_is_asked_about_for_ten_seconds_and_then_owed() {
    check(
        Por,
        "
        created, paid, confirm done lines         => printing 1; print 1
        # the machine slept in between: a success that comes when the customer has gone is none
        created, paid, +120 confirm done lines    => printing 1; print 1
        created, paid, +120.001 confirm done lines => owed too_late; undo;; back
        created, paid, confirm unknown            => asking no_answer until 10 may_repeat; ask
        created, paid, confirm unknown, lookup done lines => printing 1; print 1
        created, paid, confirm unknown, lookup unknown => asking no_answer until 10 may_repeat; ask 0.5
        created, paid, confirm unknown, +1 lookup unknown => asking no_answer until 9 may_repeat; ask 1
        created, paid, confirm unknown, +4 lookup unknown => asking no_answer until 6 may_repeat; ask 2
        created, paid, confirm unknown, +4 lookup later 5 => asking no_answer until 6 may_repeat; ask 5
        created, paid, confirm unknown, +4 lookup later 6 => owed uncertain; undo;; back
        created, paid, confirm unknown, +7.999 lookup unknown => asking no_answer until 2.001 may_repeat; ask 2
        created, paid, confirm unknown, +8 lookup unknown => owed uncertain; undo;; back
        # not even a clear no of the look-up closes it: the confirm may still be under way
        created, paid, confirm unknown, lookup refused => asking no_answer until 10 may_repeat; ask 0.5
        created, paid, confirm unknown, lookup failed => cleared order_failed; forget;; back
        created, paid, confirm unknown, lookup reversed => cleared already_invalidated; forget;; back
        created, paid, confirm failed             => cleared order_failed; forget;; back
        # this machine slept: no confirm is sent for a customer who has gone
        created, paid, +120.001 confirm unknown, lookup open => asking no_answer until 10 may_repeat; ask 0.5
        created, paid, +120.001 confirm unsent    => owed not_confirmed; undo;; back
        created, paid, +120.001 confirm later     => owed not_confirmed; undo;; back
        # still open: the confirm is repeated, once
        created, paid, confirm unknown, +1 lookup open => confirming again until 9; confirm, wake 9
        created, paid, confirm unknown, +1 lookup open, confirm done lines => printing 1; print 1
        created, paid, confirm unknown, +1 lookup open, confirm unknown => asking no_answer until 9; ask
        created, paid, confirm unknown, +1 lookup open, confirm refused => asking no_answer until 9; ask
        created, paid, confirm unknown, +1 lookup open, confirm unsent => asking no_answer until 9; ask
        created, paid, confirm unknown, +1 lookup open, confirm later => asking no_answer until 9; ask
        created, paid, confirm unknown, +1 lookup open, +8.999 time_up => too early
        created, paid, confirm unknown, +1 lookup open, +9 time_up => owed uncertain; undo;; back
        created, paid, confirm unknown, +1 lookup open, confirm unknown, lookup open => asking no_answer until 9; ask 1
        # processing: thirty seconds from the first doubt
        created, paid, confirm working            => asking processing until 30 may_repeat; ask 0.5
        created, paid, confirm working, +27.999 lookup working => asking processing until 2.001 may_repeat; ask 2
        created, paid, confirm working, +28 lookup working => owed uncertain; undo;; back
        created, paid, confirm working, +29 lookup done lines => printing 1; print 1
        created, paid, confirm unknown, +5 lookup working => asking no_answer until 25 may_repeat; ask 2
        created, paid, confirm unknown, +5 lookup open, +4 confirm unknown, lookup working => asking no_answer until 21; ask 2
        # a state that nobody knows is no success (U8), unless the confirm itself brought the lines (U12)
        created, paid, confirm odd                => asking no_answer until 10 may_repeat; ask 0.5
        created, paid, confirm odd lines          => printing 1; print 1
        created, paid, confirm open lines         => printing 1; print 1
        created, paid, confirm open               => asking no_answer until 10 may_repeat; ask 0.5
        # not confirmed is not confirmed, whatever lines a look-up carries (U9)
        created, paid, confirm unknown, lookup open lines => confirming again until 10; confirm, wake 10
        ",
    );
}

#[test]
fn a5_lines_that_did_not_come_are_asked_for_and_then_the_card_is_owed() {
    check(
        Por,
        "
        created, paid, confirm done               => asking no_lines until 10 may_repeat; ask
        created, paid, confirm done, lookup done lines => printing 1; print 1
        created, paid, confirm done, lookup done  => confirming again until 10; confirm, wake 10
        created, paid, confirm done, lookup done, confirm done lines => printing 1; print 1
        created, paid, confirm done, lookup done, confirm done => asking no_lines until 10; ask
        created, paid, confirm done, lookup done, confirm done, lookup done => owed no_lines; undo;; back
        created, paid, confirm done, lookup done, confirm refused, lookup done lines => printing 1; print 1
        ",
    );
    let once = Rules { confirm_repeatable: false, ..Rules::DESIGN };
    check_with(
        Por,
        &once,
        "
        created, paid, confirm unknown            => asking no_answer until 10; ask
        created, paid, confirm unknown, lookup open => asking no_answer until 10; ask 0.5
        created, paid, confirm unknown, +8 lookup open => owed uncertain; undo;; back
        created, paid, confirm done, lookup done  => owed no_lines; undo;; back
        created, paid, confirm unsent, +0.5 time_up => confirming until 9.5; confirm, wake 9.5
        ",
    );
}

#[test]
fn a6_after_a_restart_it_is_looked_up_and_never_confirmed_again() {
    check(
        Por,
        "
        created, paid, +120 restart               => asking restart until 10; ask
        created, paid, +120.001 restart           => owed too_late; undo;; back
        created, paid, restart, lookup done lines => printing 1; print 1
        created, paid, +119 restart, +1 lookup done lines => printing 1; print 1
        created, paid, +119 restart, +1.001 lookup done lines => owed too_late; undo;; back
        created, paid, restart, lookup done       => owed no_lines; undo;; back
        created, paid, restart, lookup open       => owed uncertain; undo;; back
        created, paid, restart, lookup open lines => owed uncertain; undo;; back
        created, paid, restart, lookup failed     => cleared order_failed; forget;; back
        created, paid, restart, lookup refused    => asking restart until 10; ask 0.5
        created, paid, restart, +8 lookup unknown => owed uncertain; undo;; back
        created, paid, restart, lookup working    => asking restart until 30; ask 0.5
        created, paid, confirm unknown, restart   => asking restart until 10; ask
        created, paid, confirm done, restart, lookup done => owed no_lines; undo;; back
        created, paid, confirm working, +9 restart, lookup working => asking restart until 30; ask 0.5
        created, paid, confirm unknown, lookup open, restart => asking restart until 10; ask
        created, paid, confirm unknown, lookup open, restart, lookup open => owed uncertain; undo;; back
        created, paid, confirm unsent, +110 restart, +110 say finish, +120 restart => asking restart until 10; ask
        created, paid, restart, +100 restart      => asking restart until 10; ask
        created, paid, restart, +121 restart      => owed too_late; undo;; back
        ",
    );
}

#[test]
fn a7_a_success_that_comes_after_the_debt_changes_nothing() {
    check(
        Por,
        "
        created, paid, confirm unknown, lookup open, +10 time_up, confirm done lines => owed uncertain late_success;;; back
        created, paid, confirm unknown, lookup open, +10 time_up, confirm done lines, confirm done lines => misfit
        created, paid, confirm unknown, lookup open, +10 time_up, confirm done lines, undo done => cleared invalidated; forget;; back
        created, paid, confirm unknown, lookup open, +10 time_up, confirm refused => misfit
        # a success of a confirm that was taken for not sent: it was sent
        created, paid, confirm unsent, +10 time_up, confirm done lines, undo not_found => owed not_confirmed not_found late_success; undo 300;; back
        # it is there: what was said before about not being there counts no more (law L6)
        created, paid, confirm unknown, +8 lookup unknown, undo not_found, confirm done lines, +300 undo not_found => owed uncertain not_found late_success; undo 300;; back
        created, paid, confirm unknown, +8 lookup unknown, lookup done lines => misfit
        created, paid, confirm unknown, +8 lookup unknown, undo done, confirm done lines => misfit
        ",
    );
}

#[test]
fn a8_a_refused_confirm_is_looked_up_before_it_counts_as_not_live() {
    check(
        Por,
        "
        created, paid, confirm refused            => asking refused until 10; ask
        created, paid, confirm refused, lookup open => cleared declined; forget;; back
        created, paid, confirm refused, lookup done lines => owed refused_but_live; undo;; back
        created, paid, confirm refused, lookup done => owed refused_but_live; undo;; back
        created, paid, confirm refused, lookup open lines => owed refused_but_live; undo;; back
        created, paid, confirm refused, lookup working => owed refused_but_live; undo;; back
        created, paid, confirm refused, lookup odd => owed refused_but_live; undo;; back
        created, paid, confirm refused, lookup failed => cleared order_failed; forget;; back
        created, paid, confirm refused, lookup unknown => asking refused until 10; ask 0.5
        created, paid, confirm refused, +8 lookup unknown => owed uncertain; undo;; back
        created, paid, confirm blocked, lookup open => cleared blocked; forget;; back
        # after a restart the look-up is what is left to do, however late
        created, paid, confirm refused, +3600 restart => asking refused until 10; ask
        created, paid, confirm refused, +3600 restart, lookup open => cleared declined; forget;; back
        created, paid, confirm refused, +3600 restart, lookup done lines => owed refused_but_live; undo;; back
        ",
    );
}

#[test]
fn a9_a_live_card_without_a_printed_byte_waits_for_the_printer_and_is_then_undone() {
    check(
        Por,
        "
        created, paid, confirm done lines, print nothing => active 1 until 600 paper_out; wake 600; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, say print => printing 1; print 1
        created, paid, confirm done lines, print nothing, say money_back => owed money_back; undo;; back
        created, paid, confirm done lines, print nothing, +599.999 time_up => too early
        created, paid, confirm done lines, print nothing, +600 time_up => owed not_printed; undo;; back
        created, paid, confirm done lines, print nothing, +600 say print => misfit
        created, paid, confirm done lines, print nothing, +60 restart => active 1 until 120 paper_out; wake 120; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +540 restart => active 1 until 60 paper_out; wake 60; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +600 restart => owed not_printed; undo;; back
        created, paid, confirm done lines, print nothing, +60 restart, +100 restart => active 1 until 20 paper_out; wake 20; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +60 restart, +119.999 say print => printing 1; print 1
        created, paid, confirm done lines, print nothing, say finish => misfit
        # the printer is ready again while the customer waits: by itself, and no byte of it had been printed
        created, paid, confirm done lines, print nothing, +599.999 ready => printing 1; print 1
        created, paid, confirm done lines, print nothing, +600 ready => misfit
        created, paid, confirm done lines, print nothing, +60 ready, +5 print done => sold printed
        created, paid, confirm done lines, print nothing, +60 ready, +5 print nothing => active 1 until 535 paper_out; wake 535; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +60 ready, +5 print nothing, +60 ready, +5 print nothing => active 1 until 470 paper_out; wake 470; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +60 ready, +5 print nothing, say print, +5 print nothing => active 1 until 600 paper_out; wake 600; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, ready, print silent, say money_back => misfit
        created, paid, confirm done lines, print nothing, ready, print stopped, say money_back => misfit
        created, paid, confirm done lines, print nothing, ready, print stopped, say print => misfit
        created, paid, confirm done lines, print nothing, +590 ready, +15 print nothing => active 1 until -5 paper_out; wake 0; print_or_money_back: print/money_back
        created, paid, confirm done lines, print nothing, +590 ready, +15 print nothing, ready => misfit
        created, paid, confirm done lines, print nothing, +590 ready, +15 print nothing, time_up => owed not_printed; undo;; back
        created, paid, confirm done lines, print nothing, +60 ready, +5 print stopped => print_stopped 1 paper_out;; print_again: print_again/complete/collected
        created, paid, confirm done lines, print nothing, +60 ready, restart => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, print nothing, +60 ready, ready => misfit
        created, paid, confirm done lines, print nothing, +60 restart, +119.999 ready => printing 1; print 1
        created, paid, confirm done lines, print nothing, +60 restart, +120 ready => misfit
        created, paid, confirm done lines, print nothing, say money_back, ready => misfit
        ",
    );
}

#[test]
fn a10_a_fault_of_the_printer_asks_for_the_next_attempt_and_after_three_for_the_paper() {
    check(
        Por,
        "
        created, paid, confirm done lines, print stopped => print_stopped 1 paper_out;; print_again: print_again/complete/collected
        created, paid, confirm done lines, print stopped, say print_again => printing 2; print 2
        created, paid, confirm done lines, print stopped, say complete => sold seen_complete
        created, paid, confirm done lines, print stopped, say collected => owed not_printed; undo;; back
        created, paid, confirm done lines, print stopped, +9999 restart => print_stopped 1 paper_out;; print_again: print_again/complete/collected
        created, paid, confirm done lines, print stopped, +9999 time_up => misfit
        # a byte may be on paper: a printer that is ready again changes nothing
        created, paid, confirm done lines, print stopped, ready => misfit
        created, paid, confirm done lines, print stopped, say print_again, print nothing, ready => misfit
        # no byte of the second attempt: the first piece is still there, so it stays a question about paper
        created, paid, confirm done lines, print stopped, say print_again, print nothing => print_stopped 1 paper_out;; print_again: print_again/complete/collected
        created, paid, confirm done lines, print stopped, say print_again, print stopped => print_stopped 2 paper_out;; print_again: print_again/complete/collected
        created, paid, confirm done lines, print stopped, say print_again, print stopped, say print_again, print stopped => print_stopped 3 paper_out;; collect_the_paper: collected/complete
        created, paid, confirm done lines, print stopped, say print_again, print stopped, say print_again, print stopped, say print_again => misfit
        created, paid, confirm done lines, print stopped, say print_again, print stopped, say print_again, print stopped, say collected => owed not_printed; undo;; back
        created, paid, confirm done lines, print stopped, say print_again, print stopped, say print_again, print done => sold printed
        ",
    );
}

#[test]
fn a11_silence_or_a_power_cut_asks_what_is_on_the_paper() {
    check(
        Por,
        "
        created, paid, confirm done lines, print silent => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, print silent, ready => misfit
        created, paid, confirm done lines, print absent => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, restart => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, +9999 restart, +9999 restart => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, restart, say complete => sold seen_complete
        created, paid, confirm done lines, restart, say unreadable => printing 2; print 2
        created, paid, confirm done lines, restart, say nothing => printing 2; print 2
        created, paid, confirm done lines, restart, say collected => owed not_printed; undo;; back
        created, paid, confirm done lines, restart, say print => misfit
        created, paid, confirm done lines, restart, print done => misfit
        created, paid, confirm done lines, restart, say nothing, restart, say nothing, restart => print_unclear 3;; collect_the_paper: collected/complete
        created, paid, confirm done lines, restart, say nothing, restart, say nothing, restart, say nothing => misfit
        created, paid, confirm done lines, restart, say nothing, restart, say nothing, restart, say complete => sold seen_complete
        ",
    );
}

#[test]
fn a12_a_sold_card_takes_numbered_copies_and_nothing_else() {
    check(
        Por,
        "
        created, paid, confirm done lines, print done => sold printed
        created, paid, confirm done lines, print done, print done => misfit
        created, paid, confirm done lines, print done, copy => sold printed copies 1; copy 1
        created, paid, confirm done lines, print done, copy, print nothing => sold printed copies 1
        created, paid, confirm done lines, print done, copy, print silent, copy => sold printed copies 2; copy 2
        created, paid, confirm done lines, print done, say money_back => misfit
        created, paid, confirm done lines, print done, settle => misfit
        created, paid, confirm done lines, print done, restart => misfit
        ",
    );
}

#[test]
fn a13_to_a15_a_debt_ends_only_by_the_providers_word_or_a_managers() {
    check(
        Por,
        "
        created, cancelled, undo done             => cleared invalidated; forget
        created, cancelled, undo already          => cleared already_invalidated; forget
        created, cancelled, undo failed           => cleared order_failed; forget
        created, cancelled, settle                => settled; forget
        created, paid, +121 restart, undo done    => cleared invalidated; forget;; back
        created, paid, +121 restart, settle       => settled; forget;; back
        # A14: a confirm that is still running is no failure
        created, paid, +121 restart, undo working => owed too_late; undo 1;; back
        created, paid, +121 restart, +40 undo working => owed too_late; undo 10;; back
        created, paid, +121 restart, +9999 undo working => owed too_late; undo 60;; back
        # A15: not found counts when it is said again after the quiet time
        created, paid, +121 restart, undo not_found => owed too_late not_found; undo 300;; back
        created, paid, +121 restart, undo not_found, +299.999 undo not_found => owed too_late not_found; undo 0.001;; back
        created, paid, +121 restart, undo not_found, +300 undo not_found => cleared not_found; forget;; back
        created, paid, +121 restart, undo not_found, +100 restart => owed too_late; undo;; back
        # after a restart it begins anew: the clock may have been set forward in between
        created, paid, +121 restart, undo not_found, +100 restart, undo not_found => owed too_late not_found; undo 300;; back
        created, paid, +121 restart, undo not_found, +9999 restart, undo not_found => owed too_late not_found; undo 300;; back
        created, paid, +121 restart, undo not_found, -9999 restart, undo not_found => owed too_late not_found; undo 300;; back
        # it was there in between: the quiet time begins anew
        created, paid, +121 restart, undo not_found, +299 undo working, +1 undo not_found => owed too_late not_found; undo 300;; back
        # never confirmed: nothing can be there
        created, cancelled, undo not_found        => cleared never_confirmed; forget
        created, cancelled, undo refused          => cleared never_confirmed; forget
        created, cancelled, undo over             => cleared never_confirmed; forget
        created, cancelled, undo unsupported      => cleared never_confirmed; forget
        created, cancelled, undo blocked          => owed cancelled failures 1; undo 1
        created, paid, confirm unsent, +10 time_up, undo not_found => cleared never_confirmed; forget;; back
        # answered with 'not now' is sent: what came back later may have gone through after all
        created, paid, confirm later, +10 time_up, undo not_found => owed not_confirmed not_found; undo 300;; back
        created, paid, confirm later, +1 time_up, confirm unsent, +9 time_up, undo not_found => owed not_confirmed not_found; undo 300;; back
        ",
    );
}

#[test]
fn a_debt_waits_as_long_as_the_sale_was_told_at_its_beginning() {
    let seconds = |seconds: u64| Duration::from_secs(seconds);
    let undo =
        UndoTimes { pauses: [3, 4, 9, 9, 9, 9, 10].map(seconds), stuck: seconds(600), ..UndoTimes::DESIGN };
    check_with(
        Por,
        &Rules { undo, ..Rules::DESIGN },
        "
        created, paid, +121 restart, undo unknown => owed too_late failures 1; undo 3;; back
        created, paid, +121 restart, undo unknown, undo unknown => owed too_late failures 2; undo 4;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo later 5 => owed too_late failures 3; undo 9;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo later 11 => owed too_late failures 3; undo 11;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown => owed too_late failures 7; undo 10;; back
        created, paid, +121 restart, undo over    => stuck window_over; undo 600;; back
        created, paid, +121 restart, undo over, +100 restart => stuck window_over; undo 500;; back
        created, paid, +121 restart, undo over, +599 restart => stuck window_over; undo 10;; back
        ",
    );
}

#[test]
fn a_debt_is_asked_again_for_ever_after_growing_pauses() {
    check(
        Por,
        "
        created, paid, +121 restart, undo unknown => owed too_late failures 1; undo 1;; back
        created, paid, +121 restart, undo unknown, undo unsent => owed too_late failures 2; undo 2;; back
        created, paid, +121 restart, undo unknown, undo unsent, undo later => owed too_late failures 3; undo 5;; back
        created, paid, +121 restart, undo unknown, undo unsent, undo later 400 => owed too_late failures 3; undo 400;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown => owed too_late failures 4; undo 15;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown => owed too_late failures 5; undo 30;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown => owed too_late failures 6; undo 60;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, +864000 undo unknown => owed too_late failures 7; undo 300;; back
        created, paid, +121 restart, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown, undo unknown => owed too_late failures 7; undo 300;; back
        created, paid, +121 restart, undo unknown, undo unknown, restart => owed too_late failures 2; undo;; back
        # a wrong key or clock says nothing about the order (A19)
        created, paid, +121 restart, undo blocked => owed too_late failures 1; undo 1;; back
        ",
    );
}

#[test]
fn a16_a_spent_card_is_a_managers_case_and_its_money_stays_held() {
    check(
        Por,
        "
        created, paid, +121 restart, undo spent   => spent
        created, paid, +121 restart, undo spent, restart => spent
        created, paid, +121 restart, undo spent, undo done => misfit
        created, paid, +121 restart, undo spent, settle => settled; forget
        created, paid, +121 restart, undo over, undo spent => spent
        ",
    );
}

#[test]
fn a17_an_undo_that_the_provider_will_not_do_is_still_asked_for_every_hour() {
    check(
        Por,
        "
        created, paid, +121 restart, undo over    => stuck window_over; undo 3600;; back
        created, paid, +121 restart, undo unsupported => stuck not_supported; undo 3600;; back
        created, paid, +121 restart, undo refused => stuck declined; undo 3600;; back
        created, paid, +121 restart, undo over, +3600 undo over => stuck window_over; undo 3600;; back
        created, paid, +121 restart, undo over, +3600 undo unknown => stuck window_over; undo 3600;; back
        created, paid, +121 restart, undo over, +3600 undo not_found => stuck window_over; undo 3600;; back
        created, paid, +121 restart, undo over, +3600 undo later 4000 => stuck window_over; undo 4000;; back
        created, paid, +121 restart, undo over, +3600 undo done => cleared invalidated; forget;; back
        created, paid, +121 restart, undo over, +3600 undo already => cleared already_invalidated; forget;; back
        created, paid, +121 restart, undo over, +3600 undo failed => cleared order_failed; forget;; back
        created, paid, +121 restart, undo over, +600 restart => stuck window_over; undo 3000;; back
        created, paid, +121 restart, undo over, +9999 restart => stuck window_over; undo 60;; back
        created, paid, +121 restart, undo over, settle => settled; forget;; back
        ",
    );
}

#[test]
fn a20_a_card_from_the_rack_has_no_ink_line_and_needs_no_slip() {
    check(
        Posa,
        "
        created, paid, confirm done               => sold none
        created, paid, confirm done lines         => printing 1; print 1
        created, paid, confirm done lines, print done => sold printed
        created, paid, confirm done lines, print nothing => sold missing
        created, paid, confirm done lines, print stopped => sold unclear
        created, paid, confirm done lines, restart => sold unclear
        created, paid, confirm done lines, print nothing, copy => sold missing copies 1; copy 1
        created, paid, confirm done, copy         => misfit
        created, paid, confirm unknown            => asking no_answer until 10 may_repeat; ask
        created, paid, confirm unknown, lookup done => sold none
        created, paid, confirm unknown, lookup open => confirming again until 10; confirm, wake 10
        created, paid, confirm unknown, +8 lookup unknown => owed uncertain; undo;; back
        created, paid, confirm refused, lookup done => owed refused_but_live; undo;; back
        created, paid, confirm unsent, restart    => paid until 120; wake 120; finish_or_money_back: finish/money_back
        created, paid, +120 restart, lookup done  => sold none
        created, paid, +120.001 restart           => owed too_late; undo;; back
        created, +900 restart                     => owed not_fresh; undo
        ",
    );
}

#[test]
fn a_clock_that_was_set_back_before_a_restart_makes_an_order_old_and_its_customer_gone() {
    check(
        Por,
        "
        # by less than the slack: nothing has happened
        -5 restart                                => creating again; create
        created, -5 restart                       => created; wake 905
        created, paid, -5 restart                 => asking restart until 10; ask
        # by more: nobody knows how long it was
        -5.001 restart                            => not_sold outcome_unknown; forget
        created, -5.001 restart                   => owed not_fresh; undo
        created, -7200 restart                    => owed not_fresh; undo
        created, paid, -5.001 restart             => owed too_late; undo;; back
        created, paid, confirm unknown, -7200 restart => owed too_late; undo;; back
        created, paid, confirm unsent, -7200 restart => owed not_confirmed; undo;; back
        # what only a person can know is still asked, and no longer than after any restart
        created, paid, confirm done lines, -7200 restart => print_unclear 1;; is_it_complete: complete/unreadable/nothing/collected
        created, paid, confirm done lines, print nothing, -7200 restart => active 1 until 120 paper_out; wake 120; print_or_money_back: print/money_back
        # an undo is asked for as often as ever
        created, paid, +121 restart, undo unknown, -7200 restart => owed too_late failures 1; undo;; back
        created, paid, +121 restart, -7200 restart, undo working => owed too_late; undo 60;; back
        created, paid, +121 restart, undo over, -7200 restart => stuck window_over; undo 60;; back
        ",
    );
}

#[test]
fn a_clock_that_was_set_forward_before_a_restart_makes_an_order_old_too() {
    check(
        Por,
        "
        created, +86400 restart                   => owed not_fresh; undo
        created, paid, +86400 restart             => owed too_late; undo;; back
        created, paid, confirm unsent, +86400 restart => owed not_confirmed; undo;; back
        ",
    );
}
