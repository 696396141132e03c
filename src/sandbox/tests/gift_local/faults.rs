//! Each way to go wrong, as a client meets it, and what the books say happened.

use tilld_sandbox::gift_local::{CallKind, Sandbox};
use tilld_sandbox::{ErrorBody, Executed, Fault, FaultError, Loss, QueuedFault};

use crate::guest::{
    End, FIFTY, Request, adds_up, end, is_silent, left, next, open, redeem, redeemed, reverse, told,
    validate, word,
};

/// How a request ended for its client.
async fn ended(sandbox: &Sandbox, request: Request) -> String {
    match request.send(sandbox).await {
        End::Answer(answer) => word(&answer),
        lost => lost.word(),
    }
}

/// Every fault, how a client meets it on a redeem, and whether the redeem was carried out.
fn faults() -> Vec<(Fault, &'static str, bool)> {
    let server_error = |applied, body| Fault::ServerError { status: 500, applied, body };
    let refuse = |code: &str, status| Fault::Refuse {
        code: code.to_owned(),
        status,
        retry_after_s: None,
        applied: false,
    };
    vec![
        (refuse("not_redeemable", None), "422 not_redeemable", false),
        (refuse("moon_phase", Some(409)), "409 moon_phase", false),
        (Fault::Delay { ms: 5 }, "200 redeemable", true),
        (Fault::Late { ms: 5 }, "200 redeemable", true),
        (Fault::DropRequest { how: Loss::Reset }, "reset", false),
        (Fault::DropAnswer { how: Loss::Reset }, "reset", true),
        (server_error(true, ErrorBody::Json), "500 internal_error", true),
        (server_error(false, ErrorBody::Json), "500 internal_error", false),
        (server_error(true, ErrorBody::Text), "500 -", true),
        (server_error(false, ErrorBody::Empty), "500 -", false),
        (Fault::Truncate, "cut", true),
        (Fault::Html { status: 200, applied: true }, "200 -", true),
        (Fault::Html { status: 502, applied: false }, "502 -", false),
        (Fault::Oversize, "200 redeemable", true),
    ]
}

#[tokio::test]
async fn each_fault_of_a_redeem_ends_in_its_own_way_and_was_carried_out_or_not() {
    for (fault, expected, applied) in faults() {
        let sandbox = open().await;
        next(&sandbox, CallKind::Redeem, fault.clone());
        assert_eq!(ended(&sandbox, redeem(&sandbox, FIFTY, "10")).await, expected, "{fault:?}");
        assert_eq!(left(&sandbox, FIFTY), if applied { "40.00" } else { "50.00" }, "{fault:?}");
        let record = sandbox.calls().pop().unwrap();
        assert_eq!((record.fault, record.executed), (Some(fault.name()), applied), "{fault:?}");
        assert_eq!(record.detail.amount.as_deref(), Some("10"), "known also where it was dropped");
        assert_eq!(record.detail.redemption_id.is_some(), applied, "{fault:?}");
        assert_eq!(record.status.is_none(), expected == "reset", "{fault:?}");
        assert!(sandbox.faults().is_empty());
        assert_eq!(
            ended(&sandbox, redeem(&sandbox, FIFTY, "10")).await,
            "200 redeemable",
            "the fault is used up"
        );
        adds_up(&sandbox);
    }
}

#[tokio::test]
async fn each_fault_of_a_reversal_was_carried_out_or_not() {
    for (fault, expected, applied) in faults() {
        let sandbox = open().await;
        let id = redeemed(&sandbox, FIFTY, "10").await;
        next(&sandbox, CallKind::Reverse, fault.clone());
        assert_eq!(ended(&sandbox, reverse(&sandbox, &id)).await, expected, "{fault:?}");
        assert_eq!(left(&sandbox, FIFTY), if applied { "50.00" } else { "40.00" }, "{fault:?}");
        let again = if applied { "409 already_reversed" } else { "200 redeemable" };
        assert_eq!(ended(&sandbox, reverse(&sandbox, &id)).await, again, "{fault:?}");
        adds_up(&sandbox);
    }
}

#[tokio::test]
async fn each_fault_of_a_validate_leaves_the_books_alone() {
    for (fault, expected, _) in faults() {
        let sandbox = open().await;
        let before = sandbox.ledger();
        next(&sandbox, CallKind::Validate, fault);
        assert_eq!(ended(&sandbox, validate(&sandbox, FIFTY)).await, expected);
        assert_eq!(sandbox.ledger(), before);
    }
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves_or_the_sandbox_closes() {
    for (fault, rest) in [
        (Fault::DropRequest { how: Loss::Silence }, "50.00"),
        (Fault::DropAnswer { how: Loss::Silence }, "40.00"),
    ] {
        let sandbox = open().await;
        next(&sandbox, CallKind::Redeem, fault);
        let stream = redeem(&sandbox, FIFTY, "10").begin(&sandbox).await;
        sandbox.until(|sandbox| sandbox.calls().last().is_some_and(|call| call.fault.is_some())).await;
        sandbox.until(|sandbox| left(sandbox, FIFTY) == rest).await;
        assert_eq!(told(&sandbox, validate(&sandbox, FIFTY)).await, "200 redeemable");
        assert_eq!(left(&sandbox, FIFTY), rest);
        assert!(is_silent(&stream));
        sandbox.shutdown().await;
        assert_eq!(end(stream).await, End::Reset);
    }
}

#[tokio::test]
async fn a_redeem_is_applied_late_after_its_client_has_given_up_and_read_the_balance_twice() {
    let sandbox = open().await;
    next(&sandbox, CallKind::Redeem, Fault::Hold { executed: Executed::AfterRelease });
    let stream = redeem(&sandbox, FIFTY, "10").begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.held() == 1).await;
    drop(stream);
    for _ in 0..2 {
        let looked = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
        assert!(
            looked.text.contains(r#""voucherEligibleValue":50.00"#),
            "it looks as if nothing had happened"
        );
    }
    sandbox.release();
    sandbox.until(|sandbox| left(sandbox, FIFTY) == "40.00").await;
    let record = &sandbox.calls()[0];
    assert_eq!((record.executed, record.status), (true, None));
    assert!(record.detail.redemption_id.is_some(), "the books know the redemption that nobody was told");
    next(&sandbox, CallKind::Redeem, Fault::Delay { ms: 1 });
    drop(redeem(&sandbox, FIFTY, "10").begin(&sandbox).await);
    sandbox.until(|sandbox| left(sandbox, FIFTY) == "30.00").await;
    adds_up(&sandbox);
}

#[tokio::test]
async fn what_is_held_waits_for_its_release_and_is_carried_out_before_or_after() {
    for (executed, while_held) in [(Executed::BeforeRelease, "40.00"), (Executed::AfterRelease, "50.00")] {
        let sandbox = open().await;
        next(&sandbox, CallKind::Redeem, Fault::Hold { executed });
        let stream = redeem(&sandbox, FIFTY, "10").begin(&sandbox).await;
        sandbox.until(|sandbox| sandbox.held() == 1).await;
        sandbox.until(|sandbox| left(sandbox, FIFTY) == while_held).await;
        assert!(is_silent(&stream));
        sandbox.release();
        assert_eq!(word(&end(stream).await.answer()), "200 redeemable");
        assert_eq!((left(&sandbox, FIFTY).as_str(), sandbox.held()), ("40.00", 0));
    }
}

#[tokio::test]
async fn a_redeem_whose_answer_was_lost_debits_again_when_it_is_repeated() {
    let sandbox = open().await;
    next(&sandbox, CallKind::Redeem, Fault::DropAnswer { how: Loss::Reset });
    assert_eq!(ended(&sandbox, redeem(&sandbox, FIFTY, "10")).await, "reset");
    assert_eq!(ended(&sandbox, redeem(&sandbox, FIFTY, "10")).await, "200 redeemable");
    assert_eq!(left(&sandbox, FIFTY), "30.00");
    adds_up(&sandbox);
}

#[tokio::test]
async fn every_refusal_of_the_table_can_be_had_for_any_call() {
    let sandbox = open().await;
    for (code, status) in [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("gift_not_found", 404),
        ("amount_exceeds_balance", 422),
        ("already_reversed", 409),
        ("too_many_requests", 429),
        ("internal_error", 500),
    ] {
        let fault =
            Fault::Refuse { code: code.to_owned(), status: None, retry_after_s: Some(3), applied: false };
        next(&sandbox, CallKind::Redeem, fault);
        let answer = redeem(&sandbox, FIFTY, "10").send(&sandbox).await.answer();
        assert_eq!(word(&answer), format!("{status} {code}"));
        assert_eq!(answer.header("retry-after").as_deref(), Some("3"));
    }
    assert_eq!(left(&sandbox, FIFTY), "50.00");
}

#[tokio::test]
async fn an_oversize_answer_keeps_the_exact_text_of_its_numbers() {
    let sandbox = open().await;
    sandbox.switch(|switches| switches.unknown_fields = true);
    next(&sandbox, CallKind::Validate, Fault::Oversize);
    let answer = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
    assert!(answer.text.len() > 1024 * 1024);
    assert!(answer.text.contains(r#""voucherEligibleValue":50.00"#));
    assert!(answer.text.contains("12345678901234567890.12345678901234567890"));
}

#[tokio::test]
async fn a_fault_that_this_provider_cannot_have_is_refused_and_a_stranger_takes_none() {
    let sandbox = open().await;
    let unknown = Fault::UnknownState { word: "settling".to_owned() };
    let refused = sandbox.fault(QueuedFault::next(CallKind::Redeem, unknown));
    assert_eq!(refused, Err(FaultError::NotHere));
    next(&sandbox, CallKind::Validate, Fault::DropRequest { how: Loss::Reset });
    let stranger = Request { key: Some("guess".to_owned()), ..validate(&sandbox, FIFTY) };
    assert_eq!(ended(&sandbox, stranger).await, "401 unauthorized");
    assert_eq!(sandbox.faults().len(), 1);
    assert_eq!(ended(&sandbox, validate(&sandbox, FIFTY)).await, "reset");
}
