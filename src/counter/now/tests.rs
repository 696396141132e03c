//! How a sale or a redemption stands, as the driver asks it: what is owed, how often that failed, and whose time it counts.

use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::UndoAnswer;
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::redemption::{Opening, Rules};
use tilld_domain::voucher::{
    Balance, Offers, Recourse, Redeemed, Reversal, ReverseAnswer, VoucherCode, VoucherKind, Worth,
};

use super::*;
use crate::desk::tests::{created, happened, live, one, paid, sale};

const START: Moment = Moment::from_ms(1_795_266_300_000);

fn euros(amount: &str) -> Worth {
    Worth::Money(Money::from_decimal_text(amount, Currency::from_code("EUR").unwrap()).unwrap())
}

/// A redemption of 12.50 of 50.00 EUR after what has happened.
pub(crate) fn redemption(events: Vec<RedemptionEvent>) -> Standing {
    let code = VoucherCode::number("012345678901").unwrap();
    let opening = Opening {
        redemption: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        basket: "B1".parse().unwrap(),
        provider: "gift_local".to_owned(),
        store: "A1234".parse().unwrap(),
        terminal: "T01".parse().unwrap(),
        country: "DE".parse().unwrap(),
        cashier: None,
        locale: "de-DE".parse().unwrap(),
        rules: Rules {
            offers: Offers { recourse: Recourse::Comparable, reversal: Reversal::Repeatable },
            ..Rules::DESIGN
        },
        voucher: "V1".parse().unwrap(),
        kind: VoucherKind::Gift,
        item: None,
        code_tail: code.tail(),
        code: Some(code),
        amount: euros("12.50"),
        before: Balance { left: None, eligible: Some(euros("50.00")) },
        key: "K1".parse().unwrap(),
        request: "redeem".to_owned(),
    };
    let (begun, _) = Redemption::open(opening, START);
    let redemption = events.into_iter().fold(begun, |now, event| now.step(START, event).unwrap().0);
    Standing::Redemption(Arc::new(redemption))
}

fn redeemed() -> RedemptionEvent {
    RedemptionEvent::RedeemEnded(Outcome::Done(Redeemed {
        redemption: Some("r1".parse().unwrap()),
        granted: Some(euros("12.50")),
        remaining: Balance::default(),
    }))
}

/// To be given back, because the till said so.
pub(crate) fn taken_back() -> Vec<RedemptionEvent> {
    vec![redeemed(), RedemptionEvent::Offered, RedemptionEvent::TakenBack { by: None }]
}

/// A card whose undo is owed, after further ends of it.
pub(crate) fn owed(ends: Vec<Outcome<UndoAnswer>>) -> Standing {
    let cancelled = (0, SaleEvent::Cancelled { by: None });
    let ends = ends.into_iter().map(|end| happened(OrderEvent::UndoEnded(end)));
    let events: Vec<_> = [created(), cancelled].into_iter().chain(ends).collect();
    Standing::Sale(Arc::new(sale(&events).0))
}

pub(crate) fn whose(it: &Standing) -> Whose {
    it.whose().next().unwrap()
}

#[test]
fn an_undo_is_owed_of_what_must_be_taken_back_and_of_nothing_else() {
    let sold = vec![
        created(),
        paid(),
        live(),
        happened(OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId))),
    ];
    for (it, is_owed) in [
        (owed(vec![]), true),
        (Standing::Sale(Arc::new(sale(&sold).0)), false),
        (Standing::Sale(Arc::new(sale(&[created()]).0)), false),
        (redemption(taken_back()), true),
        (redemption(vec![]), false),
        (redemption(vec![redeemed(), RedemptionEvent::Offered]), false),
    ] {
        let expected = if is_owed { vec![whose(&it)] } else { Vec::new() };
        assert_eq!((it.owed(), it.wants_undo(whose(&it))), (expected, is_owed), "{it:?}");
    }
}

#[test]
fn how_often_an_undo_has_failed_is_told_of_a_card_and_of_a_redemption() {
    let late = || Outcome::Unknown(Trouble::Silent);
    let card = owed(vec![late(), late()]);
    assert_eq!(card.failures(whose(&card)), 2);
    let fails = || RedemptionEvent::ReverseEnded(Outcome::Unknown(Trouble::Silent));
    let voucher = redemption(taken_back().into_iter().chain([fails(), fails(), fails()]).collect());
    assert_eq!(voucher.failures(whose(&voucher)), 3);
    assert_eq!((card.failures(whose(&voucher)), voucher.failures(whose(&card))), (0, 0), "of another");
}

#[test]
fn the_clock_may_be_set_while_nobodys_deadline_runs() {
    let cancelled = || (0, SaleEvent::Cancelled { by: None });
    let refused = || {
        happened(OrderEvent::CreateEnded(Outcome::Refused(tilld_domain::refusal::Refusal::ProductUnknown)))
    };
    let on_paper = || happened(OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)));
    let ends = |end| happened(OrderEvent::UndoEnded(Outcome::Done(end)));
    for (events, may_be_set) in [
        (vec![], false),
        (vec![created()], false),
        (vec![refused()], true),
        (vec![created(), paid()], false),
        (vec![created(), paid(), live(), on_paper()], true),
        (vec![created(), cancelled()], true),
        (vec![created(), cancelled(), ends(UndoAnswer::Invalidated)], true),
    ] {
        let (sale, _) = sale(&events);
        let told = format!("{:?}", sale.order(one()).map(|order| &order.state));
        assert_eq!(Standing::Sale(Arc::new(sale)).counts_no_moments(), may_be_set, "{told}");
    }
    let reversed = |end| {
        let ended = RedemptionEvent::ReverseEnded(Outcome::Done(end));
        redemption(taken_back().into_iter().chain([ended]).collect())
    };
    let refused = || ReverseAnswer::Refused(tilld_domain::refusal::Refusal::ReverseRefused);
    for (it, may_be_set) in [
        (redemption(vec![]), false),
        (redemption(vec![redeemed(), RedemptionEvent::Offered]), false),
        (redemption(taken_back()), true),
        (reversed(ReverseAnswer::StillProcessing), true),
        // It must last.
        (reversed(ReverseAnswer::NotFound), false),
        (reversed(refused()), true),
    ] {
        assert_eq!(it.counts_no_moments(), may_be_set, "{it:?}");
    }
}

#[test]
fn a_guest_stands_at_the_counter_until_it_is_known_what_counts() {
    let printed = happened(OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)));
    let of = |events: &[_]| Standing::Sale(Arc::new(sale(events).0));
    for (it, in_hand) in [
        (of(&[]), true),
        (of(&[created(), paid(), live()]), true),
        (of(&[created(), paid(), live(), printed]), false),
        (owed(vec![]), false),
        (redemption(vec![]), true),
        (redemption(vec![redeemed(), RedemptionEvent::Offered]), false),
        (redemption(taken_back()), false),
    ] {
        assert_eq!(it.is_in_hand(), in_hand, "{it:?}");
    }
}

#[test]
fn that_something_was_found_open_needs_not_outlive_a_stop_and_everything_else_does() {
    for it in [owed(vec![]), redemption(vec![])] {
        assert!(Happening::resumed(it.subject()).is_resumed());
        assert!(!whose(&it).time_up().is_resumed());
    }
}
