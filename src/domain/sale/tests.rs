//! The proof of the sale, in lines like those of the order's tables: the cards, what happened to whom, and what a till
//! then sees.
//!
//! ```text
//! por 50, posa 20: 1 created, 2 created, paid   => finishing
//! ```
//!
//! An event with a number in front is one of that card; `paid`, `cancel` and `restart` are the sale's. At the right: the
//! phase, then what is due, what must be given back, the open questions by card, and the effects of the last event.

use std::time::Duration;

use proptest::prelude::*;

use super::{CardNo, MOST_CARDS, Opening, Payment, PaymentState, Phase, Sale, SaleEvent, Tender};
use crate::moment::Moment;
use crate::money::{Currency, Money};
use crate::order::tests::script::{self, EVENTS, START, event, facts, told_effect};
use crate::order::{Misfit, OrderEvent, Rules, State};
use crate::outcome::{Created, Outcome};
use crate::product::CardKind;
use crate::refusal::Refusal;

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap())
}

fn opening(cards: &[(CardKind, i64)]) -> Opening {
    Opening {
        sale: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        receipt: "R1".parse().unwrap(),
        provider: "finperks".to_owned(),
        store: "A1234".parse().unwrap(),
        terminal: "T01".parse().unwrap(),
        country: "DE".parse().unwrap(),
        cashier: None,
        locale: "de-DE".parse().unwrap(),
        columns: 40,
        currency: Currency::from_code("EUR").unwrap(),
        rules: Rules::DESIGN,
        cards: cards.iter().map(|(kind, minor)| facts(*kind, *minor)).collect(),
    }
}

pub(crate) fn paid(amount: Money) -> SaleEvent {
    let payment = Payment { amount, tender: Tender::Card, receipt_total: amount };
    SaleEvent::Paid { payment, confirm_request: "confirm".to_owned() }
}

type End = (Sale, Vec<super::CardEffect>, Moment);

/// Every card of a sale is an order of its own at the provider.
fn of_card(card: &str, event: OrderEvent) -> OrderEvent {
    match event {
        OrderEvent::CreateEnded(Outcome::Done(_)) => {
            let order = format!("O{card}").parse().unwrap();
            OrderEvent::CreateEnded(Outcome::Done(Created { order }))
        }
        event => event,
    }
}

/// A sale after a line.
pub(crate) fn play(line: &str) -> Result<End, Misfit> {
    let (cards, acts) = line.split_once(':').unwrap();
    let cards: Vec<(CardKind, i64)> = cards
        .split(',')
        .map(|card| {
            let (kind, euros) = card.trim().split_once(' ').unwrap();
            let kind = if kind == "por" { CardKind::Por } else { CardKind::Posa };
            (kind, euros.parse::<i64>().unwrap() * 100)
        })
        .collect();
    let mut at = START;
    let (mut sale, mut effects) = Sale::open(opening(&cards), at);
    let acts: Vec<&str> = acts.split(',').map(str::trim).filter(|act| !act.is_empty()).collect();
    for (place, act) in acts.iter().enumerate() {
        let (pause, word) = match act.strip_prefix('+') {
            Some(act) => act.split_once(' ').unwrap(),
            None => ("0", *act),
        };
        at = at.plus(Duration::from_secs(pause.parse().unwrap()));
        let event = match (word, word.split_once(' ')) {
            ("paid", _) => paid(sale.due().unwrap()),
            ("cancel", _) => SaleEvent::Cancelled { by: None },
            ("restart", _) => SaleEvent::Resumed,
            (_, Some((card, word))) => {
                SaleEvent::Card(CardNo::new(card.parse().unwrap()).unwrap(), of_card(card, event(word)))
            }
            _ => panic!("no such act: {word}"),
        };
        match sale.step(at, event) {
            Ok(next) => (sale, effects) = next,
            Err(misfit) if place + 1 == acts.len() => return Err(misfit),
            Err(misfit) => panic!("{act:?} of {line:?}: {misfit}"),
        }
    }
    Ok((sale, effects, at))
}

fn told(line: &str) -> String {
    let Ok((sale, effects, at)) = play(line) else { return "misfit".to_owned() };
    let mut told = vec![format!("{:?}", sale.phase()).to_lowercase()];
    let (due, back) = (sale.due().unwrap(), sale.money_back().unwrap());
    if due.is_positive() {
        told.push(format!("due {}", due.to_decimal_text()));
    }
    if back.is_positive() {
        told.push(format!("back {}", back.to_decimal_text()));
    }
    told.extend(sale.questions().map(|(card, question)| format!("{} {:?}", card.number(), question.asks)));
    if !effects.is_empty() {
        let effects =
            effects.iter().map(|(card, effect)| format!("{} {}", card.number(), told_effect(effect, at)));
        told.push(effects.collect::<Vec<_>>().join(", "));
    }
    told.join("; ")
}

fn check(table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (acts, expected) = line.split_once("=>").unwrap();
        let found = told(acts);
        if found != expected.trim() {
            wrong.push(format!("{acts}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "these lines end otherwise:\n{}", wrong.concat());
}

#[test]
fn a_sale_collects_for_the_cards_that_were_created_and_gives_back_what_did_not_come_to_be() {
    check(
        "
        por 50:                                   => creating; 1 create
        por 50: 1 created                         => collect; due 50.00; 1 wake 900
        por 50: 1 create refused                  => nothingsold; 1 forget
        por 50: 1 created, paid                   => finishing; 1 confirm
        por 50: 1 created, paid, 1 confirm done lines => finishing; 1 print 1
        por 50: 1 created, paid, 1 confirm done lines, 1 print done => done
        por 50: 1 created, paid, 1 confirm unknown, +9 1 lookup unknown => done; back 50.00; 1 undo
        por 50: 1 created, paid, 1 confirm done lines, 1 print silent => question; 1 IsItComplete
        # three cards
        por 50, posa 20, por 10:                  => creating; 1 create, 2 create, 3 create
        por 50, posa 20, por 10: 1 created, 3 created => creating; due 60.00; 3 wake 900
        por 50, posa 20, por 10: 1 created, 2 create refused, 3 created => collect; due 60.00; 3 wake 900
        por 50, posa 20, por 10: 1 created, 2 create refused, 3 created, paid => finishing; 1 confirm, 3 confirm
        por 50, posa 20, por 10: 1 created, 2 created, 3 created, paid, 1 confirm done lines, 2 confirm refused, 3 confirm done lines => finishing; 3 print 1
        por 50, posa 20, por 10: 1 created, 2 created, 3 created, paid, 1 confirm done lines, 2 confirm refused, 3 confirm done lines, 1 print done, 3 print done, 2 lookup open => done; back 20.00; 2 forget
        por 50, posa 20, por 10: 1 created, 2 created, 3 created, paid, 1 confirm failed, 2 confirm done, 3 confirm failed => done; back 60.00; 3 forget
        por 50, posa 20, por 10: 1 created, 2 created, 3 created, paid, 1 confirm failed, 2 confirm failed, 3 confirm failed => done; back 80.00; 3 forget
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm done lines, 2 confirm unknown, 1 print stopped => finishing; 1 PrintAgain
        # spent: the money is held, before and after the manager closes the case
        por 50, posa 20: 1 created, 2 created, paid, 2 confirm done, +121 restart, 1 undo spent => done
        por 50, posa 20: 1 created, 2 created, paid, 2 confirm done, +121 restart, 1 undo spent, 1 settle => done; 1 forget
        ",
    );
}

#[test]
fn a_sale_is_paid_once_while_everything_in_it_is_fresh_and_at_rest() {
    check(
        "
        por 50:                         paid      => misfit
        por 50, por 10: 1 created, paid           => misfit
        por 50: 1 created, paid, paid             => misfit
        por 50: 1 created, cancel, paid           => misfit
        por 50: 1 create refused, paid            => misfit
        por 50: 1 created, +899 paid              => finishing; 1 confirm
        por 50: 1 created, +900 paid              => misfit
        # one card got old while the other one was being created
        por 50, por 10: 1 created, +5 2 created, +895 paid => misfit
        por 50, por 10: 1 created, +5 2 created, +895 1 time_up => collect; due 10.00; 1 undo
        por 50, por 10: 1 created, +5 2 created, +895 1 time_up, paid => finishing; 2 confirm
        ",
    );
}

#[test]
fn a_sale_is_cancelled_before_it_is_paid_and_every_created_card_is_owed() {
    check(
        "
        por 50, posa 20: 1 created, 2 created, cancel => nothingsold; 1 undo, 2 undo
        por 50, posa 20: 1 created, 2 create refused, cancel => nothingsold; 1 undo
        por 50, posa 20: 1 created, cancel        => misfit
        por 50: 1 created, paid, cancel           => misfit
        por 50: 1 created, cancel, cancel         => misfit
        por 50: 1 create refused, cancel          => misfit
        por 50: 1 created, +9999 cancel           => nothingsold; 1 undo
        ",
    );
}

#[test]
fn a_restart_reaches_every_card_that_is_not_closed() {
    check(
        "
        por 50, posa 20: 1 created, restart       => creating; due 50.00; 1 wake 900, 2 create
        por 50, posa 20: 1 created, 2 created, restart => collect; due 70.00; 1 wake 900, 2 wake 900
        por 50, posa 20: 1 created, 2 created, paid, 2 confirm done, restart => finishing; 1 ask
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm done lines, 2 confirm done lines, restart => question; 1 IsItComplete
        por 50, posa 20: 1 created, 2 created, paid, +121 restart => done; back 70.00; 1 undo, 2 undo
        por 50, posa 20: 1 created, 2 created, paid, 1 confirm unsent, restart => finishing; 1 FinishOrMoneyBack; 1 wake 120, 2 ask
        por 50, posa 20: 1 created, 2 created, cancel, 1 undo done, restart => nothingsold; 2 undo
        por 50: 1 created, cancel, 1 undo done, restart => nothingsold
        ",
    );
}

#[test]
fn what_concerns_the_whole_sale_cannot_be_said_of_one_card() {
    check(
        "
        por 50, posa 20: 1 created, 2 created, 1 paid => misfit
        por 50, posa 20: 1 created, 2 created, 1 cancelled => misfit
        por 50, posa 20: 1 created, 2 created, 1 restart => misfit
        por 50: 2 created                         => misfit
        ",
    );
    let (sale, _, at) = play("por 50: 1 created").unwrap();
    let again = SaleEvent::Opened(Box::new(opening(&[])));
    assert_eq!(sale.clone().step(at, again).unwrap_err(), Misfit::Event);
    let second = CardNo::new(2).unwrap();
    assert_eq!(sale.step(at, SaleEvent::Card(second, event("created"))).unwrap_err(), Misfit::NoSuchCard);
}

#[test]
fn a_payment_of_another_amount_than_is_due_is_not_taken() {
    let (sale, _, at) = play("por 50, posa 20: 1 created, 2 created").unwrap();
    for (minor, taken) in
        [(7000, true), (6999, false), (7001, false), (5000, false), (0, false), (-7000, false)]
    {
        assert_eq!(sale.clone().step(at, paid(eur(minor))).is_ok(), taken, "{minor}");
    }
    let yen = Money::new(7000, Currency::from_code("JPY").unwrap());
    assert!(sale.step(at, paid(yen)).is_err());
}

#[test]
fn why_a_sale_cannot_be_paid_or_cancelled_now_has_a_name() {
    use Refusal::{AlreadyPaid, OpenQuestion, PaidTooLate, SaleClosed, StillWorking};
    for (line, pay, cancel) in [
        ("por 50:", Err(StillWorking), Err(StillWorking)),
        ("por 50: 1 created", Ok(eur(5000)), Ok(())),
        ("por 50, por 10: 1 created", Err(StillWorking), Err(StillWorking)),
        ("por 50, por 10: 1 created, 2 create refused", Ok(eur(5000)), Ok(())),
        ("por 50: 1 create refused", Err(PaidTooLate), Err(SaleClosed)),
        ("por 50: 1 created, cancel", Err(PaidTooLate), Err(SaleClosed)),
        ("por 50: 1 created, +900 1 time_up", Err(PaidTooLate), Err(SaleClosed)),
        ("por 50: 1 created, paid", Err(StillWorking), Err(StillWorking)),
        (
            "por 50: 1 created, paid, 1 confirm done lines, 1 print silent",
            Err(OpenQuestion),
            Err(OpenQuestion),
        ),
        ("por 50: 1 created, paid, 1 confirm done lines, 1 print done", Err(AlreadyPaid), Err(AlreadyPaid)),
        ("por 50: 1 created, paid, 1 confirm failed", Err(AlreadyPaid), Err(AlreadyPaid)),
    ] {
        let (sale, _, at) = play(line).unwrap();
        assert_eq!((sale.may_pay(at), sale.may_cancel()), (pay, cancel), "{line}");
    }
    let (sale, _, at) = play("por 50: 1 created").unwrap();
    assert_eq!(sale.may_pay(at.plus(Rules::DESIGN.fresh)), Err(StillWorking));
    let (sale, _, at) = play("por 92233720368547758, por 92233720368547758: 1 created, 2 created").unwrap();
    assert_eq!(sale.may_pay(at), Err(Refusal::AmountTooLarge));
}

#[test]
fn a_receipt_number_belongs_to_the_sale_that_took_money_or_still_may() {
    for (line, holds) in [
        ("por 50:", true),
        ("por 50: 1 created", true),
        ("por 50: 1 create refused", false),
        ("por 50, por 10: 1 create refused", true),
        ("por 50: 1 created, cancel", false),
        ("por 50: 1 created, +900 1 time_up", false),
        ("por 50: 1 created, paid", true),
        ("por 50: 1 created, paid, 1 confirm failed", true),
        ("por 50: 1 created, paid, 1 confirm done lines, 1 print done", true),
    ] {
        assert_eq!(play(line).unwrap().0.holds_its_receipt(), holds, "{line}");
    }
}

#[test]
fn a_sale_is_closed_when_nothing_of_any_card_is_left_to_do() {
    for (line, at_rest, closed) in [
        ("por 50:", false, false),
        ("por 50: 1 created", true, false),
        ("por 50: 1 create refused", true, true),
        ("por 50: 1 created, cancel", true, false),
        ("por 50: 1 created, cancel, 1 undo done", true, true),
        ("por 50, por 10: 1 created, 2 created, cancel, 1 undo done", true, false),
        ("por 50: 1 created, paid", false, false),
        ("por 50: 1 created, paid, 1 confirm unsent", false, false),
        ("por 50: 1 created, paid, 1 confirm unsent, restart", true, false),
        ("por 50: 1 created, paid, 1 confirm done lines, 1 print silent", true, false),
        ("por 50: 1 created, paid, 1 confirm done lines, 1 print done", true, true),
        ("por 50: 1 created, paid, 1 confirm unknown, +9 1 lookup unknown, 1 undo spent", true, false),
        ("por 50: 1 created, paid, 1 confirm unknown, +9 1 lookup unknown, 1 undo over", true, false),
        ("por 50: 1 created, paid, 1 confirm unknown, +9 1 lookup unknown, 1 settle", true, true),
    ] {
        let (sale, _, _) = play(line).unwrap();
        assert_eq!((sale.at_rest(), sale.is_closed()), (at_rest, closed), "{line}");
    }
}

#[test]
fn cash_and_mixed_payments_add_up_or_are_refused() {
    let no = Err(Refusal::TenderDoesNotAddUp);
    for (amount, given, change) in
        [(5000, 5000, Ok(0)), (5000, 10_000, Ok(5000)), (5000, 4999, no.clone()), (5000, -1, no.clone())]
    {
        let found = Tender::cash(eur(amount), eur(given));
        assert_eq!(
            found,
            change.map(|change| Tender::Cash { given: eur(given), change: eur(change) }),
            "{given}"
        );
    }
    for (amount, card, given, change) in [
        (5000, 2000, 3000, Ok(0)),
        (5000, 2000, 5000, Ok(2000)),
        (5000, 4999, 1, Ok(0)),
        (5000, 2000, 2999, no.clone()),
        (5000, 0, 5000, no.clone()),
        (5000, 5000, 0, no.clone()),
        (5000, 6000, 0, no.clone()),
        (5000, -1, 5001, no.clone()),
        (i64::MAX, 1, i64::MIN, no.clone()),
    ] {
        let found = Tender::mixed(eur(amount), eur(card), eur(given));
        let expected =
            change.map(|change| Tender::Mixed { card: eur(card), given: eur(given), change: eur(change) });
        assert_eq!(found, expected, "{card} {given}");
    }
    let yen = Money::new(5000, Currency::from_code("JPY").unwrap());
    assert_eq!(Tender::cash(eur(5000), yen), Err(Refusal::TenderDoesNotAddUp));
    assert_eq!(Tender::mixed(eur(5000), yen, eur(5000)), Err(Refusal::TenderDoesNotAddUp));
}

#[test]
fn cards_are_counted_from_one_to_twenty() {
    for (number, is_one) in [(0, false), (1, true), (20, true), (21, false), (u16::MAX, false)] {
        assert_eq!(CardNo::new(number).map(CardNo::number), is_one.then_some(number));
    }
    assert_eq!(MOST_CARDS, 20);
}

/// Law L9 for the whole receipt: every cent that was paid is sold, given back, or somebody is working on or deciding about it.
fn every_cent_is_accounted_for(sale: &Sale) {
    let PaymentState::Paid(payment) = &sale.payment else {
        assert!(sale.money_back().unwrap().minor() == 0);
        assert!(sale.orders.iter().all(|order| order.past.paid.is_none()));
        return;
    };
    let of = |test: &dyn Fn(&crate::order::Order) -> bool| -> i64 {
        sale.orders.iter().filter(|order| test(order)).map(|order| order.facts.face_value.minor()).sum()
    };
    let sold = of(&|order| matches!(order.state, State::Sold { .. }));
    let back = sale.money_back().unwrap().minor();
    let asked = of(&|order| order.question(&Rules::DESIGN).is_some());
    let spent = of(&|order| order.past.paid.is_some() && order.past.spent);
    let working = of(&|order| !order.at_rest());
    let told = || sale.orders.iter().map(|order| format!("{:?}", order.state)).collect::<Vec<_>>().join("\n");
    assert_eq!(payment.amount.minor(), sold + back + asked + spent + working, "{}", told());
    if sale.phase() == Phase::Done {
        assert_eq!((asked, working), (0, 0), "{}", told());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cent_of_a_sale_of_up_to_five_cards_is_accounted_for(
        cards in prop::collection::vec((any::<bool>(), 1..100_000_i64), 1..=5),
        acts in prop::collection::vec(
            (0..30_000_u64, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..40_u8), 10..120),
    ) {
        let cards: Vec<(CardKind, i64)> = cards
            .into_iter()
            .map(|(por, minor)| (if por { CardKind::Por } else { CardKind::Posa }, minor))
            .collect();
        let mut at = START;
        let (mut sale, _) = Sale::open(opening(&cards), at);
        for (pause, card, pick, other) in acts {
            at = at.plus(Duration::from_millis(pause));
            let due = sale.due().unwrap();
            let event = match other {
                0 => SaleEvent::Resumed,
                1 if pause < 2_000 => SaleEvent::Cancelled { by: None },
                2..10 => paid(due),
                _ => {
                    let place = card.index(sale.orders.len());
                    let order = &sale.orders[place];
                    let fits: Vec<&&str> = EVENTS
                        .iter()
                        .filter(|word| order.clone().step(&sale.opening.rules, at, event(word)).is_ok())
                        .collect();
                    if fits.is_empty() {
                        continue;
                    }
                    // Half of the creates succeed; otherwise little is ever paid.
                    let word = if matches!(order.state, State::Creating { .. }) && pause % 2 == 0 { &"created" } else { fits[pick.index(fits.len())] };
                    SaleEvent::Card(CardNo::at(place), of_card(&(place + 1).to_string(), event(word)))
                }
            };
            let resumes = matches!(event, SaleEvent::Resumed);
            match sale.clone().step(at, event) {
                Ok((next, _)) => sale = next,
                Err(_) => prop_assert!(!resumes, "a sale can always be resumed"),
            }
            every_cent_is_accounted_for(&sale);
            prop_assert!(!sale.is_closed() || sale.at_rest());
            let paid = matches!(sale.payment, PaymentState::Paid(_));
            prop_assert_eq!(sale.phase() == Phase::NothingSold, sale.at_rest() && !paid && !sale.due().unwrap().is_positive());
            prop_assert!(!paid || sale.holds_its_receipt());
            prop_assert!(sale.may_pay(at).is_err() || sale.may_cancel().is_ok());
        }
    }
}

#[test]
fn an_event_of_one_card_leaves_the_others_as_they_are() {
    let (sale, _, at) = play("por 50, posa 20, por 10: 1 created, 2 created, 3 created, paid").unwrap();
    for word in EVENTS {
        let Ok((next, effects)) = sale.clone().step(at, SaleEvent::Card(CardNo::at(1), script::event(word)))
        else {
            continue;
        };
        assert_eq!((&next.orders[0], &next.orders[2]), (&sale.orders[0], &sale.orders[2]), "{word}");
        assert!(effects.iter().all(|(card, _)| card.number() == 2), "{word}");
        assert!(!matches!(script::event(word), OrderEvent::Paid { .. }));
    }
}

#[test]
fn one_order_for_two_cards_is_one_card() {
    let (sale, _, at) = play("por 50, por 50: 1 created").unwrap();
    let order = sale.orders[0].past.provider_order.clone().unwrap();
    let again = OrderEvent::CreateEnded(Outcome::Done(Created { order }));
    let second = CardNo::new(2).unwrap();
    let (sale, _) = sale.step(at, SaleEvent::Card(second, again)).unwrap();
    assert_eq!(sale.orders[1].state, State::NotSold { why: Refusal::OrderTwice });
    assert_eq!(sale.may_pay(at), Ok(eur(5000)));
}

#[test]
fn a_card_is_found_by_its_number_on_the_receipt() {
    let cards = [(CardKind::Por, 5000), (CardKind::Posa, 2000)];
    let (sale, _) = Sale::open(opening(&cards), START);
    let value = |number: u16| sale.order(CardNo::new(number)?).map(|order| order.facts.face_value.minor());
    assert_eq!([value(0), value(1), value(2), value(3)], [None, Some(5000), Some(2000), None]);
    let listed: Vec<(u16, i64)> =
        sale.cards().map(|(card, order)| (card.number(), order.facts.face_value.minor())).collect();
    assert_eq!(listed, [(1, 5000), (2, 2000)]);
}
