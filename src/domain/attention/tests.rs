//! What waits for a person in every row of the design: who may decide, what may be answered, until when.

use std::time::Duration;

use super::{Case, Who};
use crate::moment::Moment;
use crate::sale::Sale;
use crate::sale::tests::play;

fn words(case: &Case, sale: &Sale) -> String {
    let who = match case.who() {
        Who::Cashier => "cashier",
        Who::Manager => "manager",
    };
    let choices: Vec<String> =
        case.choices().iter().map(|choice| format!("{choice:?}").to_lowercase()).collect();
    let until =
        case.until.map(|until| format!(" until {}", until.since(sale.opened).as_secs())).unwrap_or_default();
    let urgent = if case.urgent { " urgent" } else { "" };
    let settle = if case.may_be_settled() { " settle" } else { "" };
    format!("{who} {} [{}]{settle}{until}{urgent}", case.code(), choices.join(" "))
}

fn check(table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (acts, expected) = line.split_once("=>").unwrap();
        let (sale, _, at): (Sale, _, Moment) = play(acts).unwrap();
        let found: Vec<String> = sale.attention(at).iter().map(|case| words(case, &sale)).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join("; ") };
        if found != expected.trim() {
            wrong.push(format!("{acts}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "something else waits for a person:\n{}", wrong.concat());
}

#[test]
fn every_row_asks_for_whom_it_needs_and_for_nobody_else() {
    check(
        "
        # A1, A2, A5, A12, A13: nobody
        por 50:                                   => nothing
        por 50: 1 created                         => nothing
        por 50: 1 created, paid                   => nothing
        por 50: 1 created, paid, 1 confirm unknown => nothing
        por 50: 1 created, paid, 1 confirm done lines, 1 print done => nothing
        por 50: 1 created, cancel, 1 undo done    => nothing
        # A4
        por 50: 1 created, paid, 1 confirm unsent, restart => cashier finish_or_money_back [finish moneyback] until 120 urgent
        # A9
        por 50: 1 created, paid, 1 confirm done lines, 1 print nothing => cashier print_or_money_back [print moneyback] until 600 urgent
        # A10, A11: no deadline, because past the ink line nobody decides but a person
        por 50: 1 created, paid, 1 confirm done lines, 1 print stopped => cashier print_again [printagain complete collected] urgent
        por 50: 1 created, paid, 1 confirm done lines, 1 print silent => cashier is_it_complete [complete unreadable nothing collected] urgent
        # A14, A15: an undo that gets through is nobody's business, one that does not is the manager's
        por 50: 1 created, paid, +121 restart     => nothing
        por 50: 1 created, paid, +121 restart, +328 1 undo unknown => nothing
        por 50: 1 created, paid, +121 restart, +329 1 undo unknown => manager undo_late [] settle until 900 urgent
        # also one that fails nothing: the provider is at it, or has asked for a long pause
        por 50: 1 created, paid, +121 restart, +329 1 undo working => manager undo_late [] settle until 900 urgent
        por 50: 1 created, paid, +121 restart, +900 1 undo unknown => manager undo_late [] settle until 900 urgent
        por 50: 1 created, paid, +121 restart, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown => nothing
        por 50: 1 created, paid, +121 restart, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown => manager undo_late [] settle until 900
        por 50: 1 created, paid, +121 restart, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown, 1 undo unknown, +330 1 undo unknown => manager undo_late [] settle until 900 urgent
        # what was never confirmed holds no value, and no window ends
        por 50: 1 created, cancel, +899 1 undo unknown => nothing
        por 50: 1 created, cancel, +900 1 undo unknown => manager undo_late [] settle
        # A16, A17
        por 50: 1 created, paid, +121 restart, 1 undo spent => manager spent [] settle
        por 50: 1 created, paid, +121 restart, 1 undo over => manager undo_window_over [] settle
        por 50: 1 created, paid, +121 restart, 1 undo unsupported => manager undo_not_supported [] settle
        por 50: 1 created, paid, +121 restart, 1 undo over, 1 settle => nothing
        # the list never empties itself by time
        por 50: 1 created, paid, +121 restart, 1 undo over, +8640000 1 undo over => manager undo_window_over [] settle
        # one case a card
        por 50, por 10: 1 created, 2 created, paid, 1 confirm done lines, 2 confirm done lines, 1 print silent, 2 print stopped => cashier is_it_complete [complete unreadable nothing collected] urgent; cashier print_again [printagain complete collected] urgent
        ",
    );
}

#[test]
fn a_product_with_a_window_of_its_own_is_called_for_at_half_of_that() {
    let (mut sale, _, _) =
        play("por 50, por 50: 1 created, 2 created, paid, +121 restart, 1 undo unknown, 2 undo unknown")
            .unwrap();
    sale.orders.first_mut().unwrap().facts.undo_window = Some(Duration::from_mins(5));
    let said = |s: u64| -> Vec<String> {
        let at = sale.opened.plus(Duration::from_secs(s));
        sale.attention(at)
            .iter()
            .map(|case| format!("{} {}", case.card.number(), words(case, &sale)))
            .collect()
    };
    assert_eq!(said(149), Vec::<String>::new());
    assert_eq!(said(150), ["1 manager undo_late [] settle until 300 urgent"]);
    assert_eq!(said(449), ["1 manager undo_late [] settle until 300 urgent"]);
    assert_eq!(
        said(450),
        ["1 manager undo_late [] settle until 300 urgent", "2 manager undo_late [] settle until 900 urgent"]
    );
}

#[test]
fn every_case_has_a_sentence_that_says_what_to_do_and_fits_a_screen() {
    for acts in [
        "por 50: 1 created, paid, 1 confirm unsent, restart",
        "por 50: 1 created, paid, 1 confirm done lines, 1 print nothing",
        "por 50: 1 created, paid, 1 confirm done lines, 1 print stopped",
        "por 50: 1 created, paid, 1 confirm done lines, 1 print silent",
        "por 50: 1 created, paid, +121 restart, +900 1 undo unknown",
        "posa 50: 1 created, paid, +121 restart, +900 1 undo unknown",
        "por 50: 1 created, paid, +121 restart, 1 undo spent",
        "por 50: 1 created, paid, +121 restart, 1 undo over",
        "por 50: 1 created, paid, +121 restart, 1 undo unsupported",
    ] {
        let (sale, _, at) = play(acts).unwrap();
        let cases = sale.attention(at);
        let [case] = cases.as_slice() else { panic!("{acts}: {cases:?}") };
        assert!(case.sentence().ends_with('.') && case.sentence().len() <= 140, "{}", case.sentence());
    }
}

#[test]
fn what_only_the_provider_can_take_back_has_a_text_for_its_people_that_spends_nothing() {
    for (acts, begins) in [
        (
            "posa 50: 1 created, paid, +121 restart, 1 undo over",
            Some("Please take this card back: the customer"),
        ),
        (
            "posa 50: 1 created, paid, +121 restart, 1 undo unsupported",
            Some("Please take this card back: the customer"),
        ),
        (
            "posa 50: 1 created, paid, +121 restart, +900 1 undo unknown",
            Some("Please take this card back. We are"),
        ),
        (
            "por 50: 1 created, paid, +121 restart, 1 undo over",
            Some("Please take this card back: the customer"),
        ),
        // It has the value, and somebody has used it: there is nothing to take back.
        ("posa 50: 1 created, paid, +121 restart, 1 undo spent", None),
        ("posa 50: 1 created, paid, 1 confirm done", None),
        ("posa 50: 1 created, paid, +121 restart, 1 undo over, 1 settle", None),
    ] {
        let (sale, _, _) = play(acts).unwrap();
        let (card, order) = sale.cards().next().unwrap();
        let text = sale.replacement_text(card);
        assert_eq!(text.is_some(), begins.is_some(), "{acts}: {text:?}");
        let Some((text, begins)) = text.zip(begins) else { continue };
        assert!(text.starts_with(begins), "{acts}: {text}");
        for part in [
            order.past.provider_order.as_ref().unwrap().as_str(),
            &order.facts.id.to_string(),
            order.facts.product.as_str(),
            &order.facts.face_value.to_string(),
            sale.opening.receipt.as_str(),
        ] {
            assert!(text.contains(part), "{acts}: {part} in {text}");
        }
        if let Some(code) = &order.facts.code {
            assert!(!text.contains(code.secret().reveal()), "{acts}: {text}");
        }
    }
}
