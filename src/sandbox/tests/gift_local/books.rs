//! Whatever is asked, in whatever order and under whatever switches, the books add up.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::json;
use tilld_sandbox::gift_local::{
    CallKind, IdenticalRedeem, NullAmount, OverBalance, Rest, Sandbox, SecondReversal,
};
use tilld_sandbox::{ErrorBody, Fault, Loss, QueuedFault};

use crate::guest::{REDEEM, Request, contradictions, here, left, open, redeem, redeemed, reverse};

/// What a guest, a till or another site may do next. Numbers pick among what is there.
#[derive(Debug, Clone)]
enum Act {
    Redeem { gift: usize, cents: i64, fault: Option<Fault> },
    RedeemAll { gift: usize },
    Reverse { redemption: usize, fault: Option<Fault> },
    Spend { gift: usize, cents: i64 },
    GiveBack { redemption: usize },
    Rules { over: OverBalance, same: IdenticalRedeem, rest: Rest, second: SecondReversal, null: NullAmount },
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    let lost = prop_oneof![
        Just(Fault::DropRequest { how: Loss::Reset }),
        Just(Fault::DropAnswer { how: Loss::Reset }),
        Just(Fault::ServerError { status: 500, applied: true, body: ErrorBody::Json }),
        Just(Fault::ServerError { status: 503, applied: false, body: ErrorBody::Empty }),
        Just(Fault::Truncate),
        Just(Fault::Delay { ms: 1 }),
    ];
    prop_oneof![3 => Just(None), 1 => lost.prop_map(Some)]
}

fn act() -> impl Strategy<Value = Act> {
    let over = prop_oneof![Just(OverBalance::Refused), Just(OverBalance::GrantsRest)];
    let same = prop_oneof![
        Just(IdenticalRedeem::DebitsAgain),
        Just(IdenticalRedeem::SameAnswer),
        Just(IdenticalRedeem::Refused)
    ];
    let rest = prop_oneof![Just(Rest::Stays), Just(Rest::NewCode)];
    let second = prop_oneof![
        Just(SecondReversal::Refused),
        Just(SecondReversal::SameAnswer),
        Just(SecondReversal::RestoresAgain)
    ];
    let null = prop_oneof![Just(NullAmount::RedeemsAll), Just(NullAmount::Refused)];
    prop_oneof![
        6 => (0..30_usize, 1..3_000_i64, fault()).prop_map(|(gift, cents, fault)| Act::Redeem { gift, cents, fault }),
        1 => (0..30_usize).prop_map(|gift| Act::RedeemAll { gift }),
        4 => (0..30_usize, fault()).prop_map(|(redemption, fault)| Act::Reverse { redemption, fault }),
        1 => (0..30_usize, 1..3_000_i64).prop_map(|(gift, cents)| Act::Spend { gift, cents }),
        1 => (0..30_usize).prop_map(|redemption| Act::GiveBack { redemption }),
        1 => (over, same, rest, second, null)
            .prop_map(|(over, same, rest, second, null)| Act::Rules { over, same, rest, second, null }),
    ]
}

/// Cents as an amount of a gift: money, or as many items as there are tens of them.
fn amount(unit: &str, cents: i64) -> String {
    if unit == "items" {
        (cents / 1_000 + 1).to_string()
    } else {
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

async fn carry_out(sandbox: &Sandbox, act: Act) {
    let books = sandbox.ledger();
    let gift = |number: usize| &books.vouchers[number % books.vouchers.len()];
    let redemption = |number: usize| books.redemptions[number % books.redemptions.len()].id.clone();
    let inject = |call, fault: Option<Fault>| {
        if let Some(fault) = fault {
            sandbox.fault(QueuedFault::next(call, fault)).unwrap();
        }
    };
    match act {
        Act::Redeem { gift: number, cents, fault } => {
            inject(CallKind::Redeem, fault);
            let gift = gift(number);
            redeem(sandbox, &gift.name, &amount(&gift.unit, cents)).send(sandbox).await;
        }
        Act::RedeemAll { gift: number } => {
            let body = json!({"organizationID": here(sandbox), "voucherID": gift(number).id});
            Request::post(REDEEM, body).send(sandbox).await;
        }
        Act::Reverse { redemption: number, fault } => {
            inject(CallKind::Reverse, fault);
            reverse(sandbox, &redemption(number)).send(sandbox).await;
        }
        Act::Spend { gift: number, cents } => {
            let gift = gift(number);
            // More than is left is refused, which is one of the cases.
            let _ = sandbox.spend(&gift.name, &amount(&gift.unit, cents)).is_ok();
        }
        Act::GiveBack { redemption: number } => {
            sandbox.give_back(&redemption(number));
        }
        Act::Rules { over, same, rest, second, null } => sandbox.switch(|switches| {
            switches.over_balance = over;
            switches.identical_redeem = same;
            switches.rest = rest;
            switches.second_reversal = second;
            switches.null_amount = null;
        }),
    }
    sandbox.clear_faults();
}

#[test]
fn debits_minus_reversals_are_what_was_issued_minus_what_is_left_and_no_gift_is_below_zero() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (movements, acts_done) = (Cell::new(0_usize), Cell::new(0_usize));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&proptest::collection::vec(act(), 1..40), |acts| {
        runtime.block_on(async {
            let sandbox = open().await;
            let began = sandbox.ledger().entries.len();
            let count = acts.len();
            for act in acts {
                carry_out(&sandbox, act.clone()).await;
                let found = contradictions(&sandbox.ledger(), false);
                if let Some(first) = found.first() {
                    return Err(TestCaseError::fail(format!("after {act:?}: {first}")));
                }
            }
            movements.set(movements.get() + sandbox.ledger().entries.len() - began);
            acts_done.set(acts_done.get() + count);
            sandbox.shutdown().await;
            Ok(())
        })
    });
    let (movements, acts_done) = (movements.get(), acts_done.get());
    println!("{acts_done} acts, {movements} movements of value");
    if let Err(violation) = outcome {
        panic!("{violation}");
    }
    assert!(movements * 4 > acts_done, "too little happened to prove anything");
}

#[tokio::test]
async fn the_check_itself_finds_what_does_not_add_up() {
    let sandbox = open().await;
    let id = redeemed(&sandbox, "gift-50-eur", "10").await;
    let whole = sandbox.ledger();
    assert_eq!(contradictions(&whole, false), Vec::<String>::new());
    let spoilt = |spoil: &dyn Fn(&mut tilld_sandbox::gift_local::Statement)| {
        let mut books = whole.clone();
        spoil(&mut books);
        contradictions(&books, false).len()
    };
    assert!(spoilt(&|books| books.vouchers[0].left = "39.99".to_owned()) > 0);
    assert!(spoilt(&|books| books.entries.last_mut().unwrap().amount = "9.99".to_owned()) > 0);
    assert!(spoilt(&|books| drop(books.entries.pop())) > 0);
    assert!(spoilt(&|books| books.redemptions.last_mut().unwrap().reversals = 1) > 0);
    assert!(spoilt(&|books| books.totals.get_mut("EUR").unwrap().left = "0.00".to_owned()) > 0);
    assert_eq!(
        (whole.redemption(&id).unwrap().granted.as_str(), left(&sandbox, "gift-50-eur").as_str()),
        ("10.00", "40.00")
    );
}
