//! What the cashier reads in every row of the design, and after every restart: the sentence follows from the state alone.

use super::Screen;
use crate::order::tests::script;
use crate::printing::Fault;
use crate::sale::tests::{eur, play};

fn check(table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (acts, expected) = line.split_once("=>").unwrap();
        let (sale, _, _) = play(acts).unwrap();
        let found = Screen::of_sale(&sale).sentence();
        if found != expected.trim() {
            wrong.push(format!("{acts}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "the cashier reads something else:\n{}", wrong.concat());
}

#[test]
fn every_row_has_its_sentence() {
    check(
        "
        # A1
        por 50:                                   => Please wait.
        por 50: 1 create unknown                  => Please wait.
        por 50: 1 create refused                  => Not sold. Try again.
        # A2
        por 50: 1 created                         => Take 50.00 EUR.
        por 50: 1 created, cancel                 => Cancelled. No money was taken.
        por 50: 1 created, cancel, 1 undo done    => Cancelled. No money was taken.
        por 50: 1 created, cancel, 1 settle       => Cancelled. No money was taken.
        por 50: 1 created, +900 1 time_up         => Not paid in time: not sold. Hand out no card. If money was taken, give it back.
        por 50: 1 created, +900 restart, 1 undo done => Not paid in time: not sold. Hand out no card. If money was taken, give it back.
        por 50: 1 created, restart                => The till was interrupted. Was 50.00 EUR paid already? If not, take it now.
        por 50: 1 created, restart, cancel        => Cancelled. If money was taken, give it back.
        # A4
        por 50: 1 created, paid                   => Please wait.
        por 50: 1 created, paid, 1 confirm unsent => Please wait.
        por 50: 1 created, paid, 1 confirm unsent, restart => The money was taken. Finish the sale, or give the money back?
        # A5 to A8
        por 50: 1 created, paid, 1 confirm unknown => Please wait.
        por 50: 1 created, paid, 1 confirm unknown, +9 1 lookup unknown => NOT sold. Give the money back. Hand nothing out.
        por 50: 1 created, paid, +121 restart     => NOT sold. Give the money back. Hand nothing out.
        por 50: 1 created, paid, +121 restart, 1 confirm done lines => NOT sold. Give the money back. Hand nothing out.
        por 50: 1 created, paid, 1 confirm refused, 1 lookup open => NOT sold. Give the money back. Hand nothing out.
        # A9
        por 50: 1 created, paid, 1 confirm done lines, 1 print nothing => Paper out. Insert paper. Then it prints by itself; or give the money back. The card is active.
        # A10
        por 50: 1 created, paid, 1 confirm done lines => Please wait.
        por 50: 1 created, paid, 1 confirm done lines, 1 print stopped => Paper out. Insert paper. Tear up the first piece, then print again.
        por 50: 1 created, paid, 1 confirm done lines, 1 print stopped, 1 say print_again, 1 print stopped, 1 say print_again, 1 print stopped => Collect every piece of paper of this card, then give the money back.
        # A11
        por 50: 1 created, paid, 1 confirm done lines, 1 print silent => Is the card complete on paper? Switch a silent printer off before you look.
        por 50: 1 created, paid, 1 confirm done lines, restart => Is the card complete on paper? Switch a silent printer off before you look.
        # A12
        por 50: 1 created, paid, 1 confirm done lines, 1 print done => Done.
        # A13 to A15
        por 50: 1 created, paid, +121 restart, 1 undo working => NOT sold. Give the money back. Hand nothing out.
        por 50: 1 created, paid, +121 restart, 1 undo not_found => NOT sold. Give the money back. Hand nothing out.
        por 50: 1 created, paid, +121 restart, 1 undo done => NOT sold. Give the money back. Hand nothing out.
        # A16, A17
        por 50: 1 created, paid, +121 restart, 1 undo spent => Call the manager.
        por 50: 1 created, paid, +121 restart, 1 undo spent, 1 settle => Done.
        por 50: 1 created, paid, +121 restart, 1 undo over => Call the manager.
        por 50: 1 created, paid, +121 restart, 1 undo over, 1 settle => NOT sold. Give the money back. Hand nothing out.
        # A20
        posa 20: 1 created, paid, 1 confirm done  => Done.
        posa 20: 1 created, paid, 1 confirm done lines, 1 print nothing => Done. The card is active; its slip was not printed.
        posa 20: 1 created, paid, 1 confirm done lines, restart => Done. The card is active; its slip was not printed.
        posa 20: 1 created, paid, +121 restart    => NOT sold. Give the money back. Keep the card.
        posa 20: 1 created, cancel                => Cancelled. No money was taken.
        ",
    );
}

#[test]
fn a_sale_of_several_cards_says_what_is_most_urgent_and_never_gives_back_too_much() {
    check(
        "
        por 50, posa 20: 1 created                => Please wait.
        por 50, posa 20: 1 created, 2 create refused => Not every card can be sold. Keep those that cannot. Take 50.00 EUR for the others.
        por 50, posa 20: 1 created, 2 created, restart => The till was interrupted. Was 70.00 EUR paid already? If not, take it now.
        por 50, posa 20: 1 created, 2 create refused, restart => Interrupted. Keep the cards that cannot be sold. Was 50.00 EUR taken for the others? Give back anything beyond it.
        por 50, posa 20: 1 created, +60 2 created, +840 1 time_up => Not every card can be sold. Keep those that cannot. Take 20.00 EUR for the others.
        por 50, posa 20: 1 created, +60 2 created, +840 restart => Interrupted. Keep the cards that cannot be sold. Was 20.00 EUR taken for the others? Give back anything beyond it.
        por 50, posa 20: 1 created, +60 2 created, +840 1 time_up, paid, 2 confirm done => Done. Hand out only the cards that are sold; keep the others.
        por 50, posa 20: 1 created, restart, 2 created => Take 70.00 EUR.
        por 50, posa 20: 1 create refused, 2 create refused => Not sold. Try again.
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm done lines, 1 print silent => Please wait.
        por 50, por 20: 1 create refused, 2 created, +900 restart => Not paid in time: not sold. Hand out no card. If money was taken, give it back.
        por 50, por 20: 1 create refused, 2 created, cancel => Cancelled. No money was taken.
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm done lines, 1 print silent, 2 confirm done => Is the card complete on paper? Switch a silent printer off before you look.
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm failed, 2 confirm failed => NOT sold. Give the money back. Keep the card.
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm done lines, 1 print done, 2 confirm failed => Not everything was sold. Give 20.00 EUR back, and hand out only the cards that are sold.
        por 50, por 20: 1 created, 2 created, paid, 1 confirm failed, 2 confirm done lines, 2 print done => Not everything was sold. Give 50.00 EUR back, and hand out only the cards that are sold.
        por 50, posa 20: 1 created, 2 create refused, paid, 1 confirm done lines, 1 print done => Done. Hand out only the cards that are sold; keep the others.
        por 50, posa 20: 1 created, 2 created, paid, 2 confirm done lines, 2 print nothing, 1 confirm done lines, 1 print done => Done. The card is active; its slip was not printed.
        posa 20, por 50: 1 created, 2 created, paid, 1 confirm done lines, 1 print nothing, 2 confirm done lines, 2 print done => Done. The card is active; its slip was not printed.
        por 50, por 20: 1 created, 2 created, paid, 2 confirm failed, +121 restart, 1 undo spent => Call the manager.
        por 50, por 20: 1 created, 2 created, paid, 2 confirm failed, 1 confirm done lines, 1 print silent => Is the card complete on paper? Switch a silent printer off before you look.
        ",
    );
}

#[test]
fn one_card_of_several_says_what_is_to_be_done_with_it() {
    let (sale, _, _) =
        play("por 50, posa 20, por 10: 1 created, 2 created, 3 create refused, paid, 1 confirm done lines, 1 print done, 2 confirm failed")
            .unwrap();
    let codes: Vec<&str> = sale.orders.iter().map(|order| Screen::of_card(&sale, order).code()).collect();
    assert_eq!(codes, ["done", "not_sold_keep_the_card", "not_sold"]);
}

#[test]
fn a_card_that_was_not_paid_for_in_time_never_says_that_no_money_was_taken() {
    for acts in ["1 time_up, paid, 2 confirm done", "restart, paid, 2 confirm done", "1 time_up", "restart"] {
        let (sale, _, _) = play(&format!("por 50, posa 20: 1 created, +60 2 created, +840 {acts}")).unwrap();
        assert_eq!(Screen::of_card(&sale, &sale.orders[0]), Screen::NotPaidInTime, "{acts}");
    }
}

#[test]
fn every_screen_has_a_name_of_its_own_and_a_sentence_that_fits_a_customer_display() {
    let faults = [
        Fault::PaperOut,
        Fault::CoverOpen,
        Fault::Cutter,
        Fault::Offline,
        Fault::Error,
        Fault::Absent,
        Fault::Silent,
    ];
    let mut screens = vec![
        Screen::Wait,
        Screen::NotSold,
        Screen::Take(eur(5000)),
        Screen::WasItPaid(eur(5000)),
        Screen::WasItPaidForTheRest(eur(5000)),
        Screen::FinishOrMoneyBack,
        Screen::NotSoldMoneyBack,
        Screen::NotSoldKeepTheCard,
        Screen::PartlySold(eur(5000)),
        Screen::PaidAndActive(None),
        Screen::CollectThePaper,
        Screen::IsItComplete,
        Screen::Done,
        Screen::DoneWithoutSlip,
        Screen::Cancelled,
        Screen::NotPaidInTime,
        Screen::CancelledGiveBack,
        Screen::CallTheManager,
    ];
    screens.extend(faults.map(Screen::PrintAgain));
    let mut codes: Vec<&str> = screens.iter().map(Screen::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 19);
    screens.extend(faults.map(|fault| Screen::PaidAndActive(Some(fault))));
    let mut sentences: Vec<String> = screens.iter().map(Screen::sentence).collect();
    assert!(sentences.iter().all(|sentence| sentence.len() <= 130 && sentence.ends_with(['.', '?'])));
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), screens.len());
}

#[test]
fn a_card_that_is_printed_or_asked_about_never_tells_its_code() {
    let (sale, _, _) = play("por 50: 1 created, paid, 1 confirm done lines, 1 print silent").unwrap();
    let code = script::lines().iter().next().unwrap().reveal().to_owned();
    assert!(!format!("{sale:?} {}", Screen::of_sale(&sale).sentence()).contains(&code));
}
