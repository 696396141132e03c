//! Each way to go wrong, as a client meets it, and what the ledger says happened.

use crate::shop::{End, Request, confirm, create, created, end, euros, get, is_silent, next, open, standing};
use serde_json::Value;
use tilld_sandbox::finperks::CallKind;
use tilld_sandbox::{ErrorBody, Executed, Fault, Loss, QueuedFault};

const DECLINED: &str = "processing_declined";

#[tokio::test]
async fn each_fault_of_a_confirm_ends_in_its_own_way_and_was_carried_out_or_not() {
    let server_error = |applied, body| Fault::ServerError { status: 503, applied, body };
    let refuse = |code: &str, status| Fault::Refuse {
        code: code.to_owned(),
        status,
        retry_after_s: None,
        applied: false,
    };
    let lie = Fault::Refuse { code: DECLINED.to_owned(), status: None, retry_after_s: None, applied: true };
    for (fault, expected, confirms) in [
        (refuse(DECLINED, None), "403 processing_declined", 0),
        (refuse("moon_phase", Some(409)), "409 moon_phase", 0),
        (lie, "403 processing_declined", 1),
        (Fault::Delay { ms: 5 }, "200 completed", 1),
        (Fault::Late { ms: 5 }, "200 completed", 1),
        (Fault::DropRequest { how: Loss::Reset }, "reset", 0),
        (Fault::DropAnswer { how: Loss::Reset }, "reset", 1),
        (server_error(true, ErrorBody::Json), "503 internal_server_error", 1),
        (server_error(false, ErrorBody::Json), "503 internal_server_error", 0),
        (server_error(true, ErrorBody::Text), "503 -", 1),
        (server_error(false, ErrorBody::Empty), "503 -", 0),
        (Fault::Truncate, "cut", 1),
        (Fault::Html { status: 200, applied: true }, "200 -", 1),
        (Fault::Html { status: 502, applied: false }, "502 -", 0),
        (Fault::Oversize, "200 completed", 1),
        (Fault::UnknownState { word: "settling".to_owned() }, "200 settling", 1),
    ] {
        let sandbox = open().await;
        let id = created(&sandbox, "k").await;
        next(&sandbox, CallKind::Confirm, fault.clone());
        assert_eq!(confirm(&id).send(&sandbox).await.word(), expected, "{fault:?}");
        let state = if confirms == 1 { "completed" } else { "created" };
        assert_eq!(standing(&sandbox, &id), (state.to_owned(), confirms), "{fault:?}");
        let record = sandbox.calls().pop().unwrap();
        assert_eq!((record.fault, record.executed), (Some(fault.name()), confirms == 1));
        assert_eq!(record.status.is_none(), expected == "reset", "{fault:?}");
        assert_eq!(euros(&sandbox)[2], if confirms == 1 { "50.0" } else { "0.0" });
        assert!(sandbox.faults().is_empty());
        assert_eq!(confirm(&id).send(&sandbox).await.word(), "200 completed", "the fault is used up");
    }
}

#[tokio::test]
async fn every_documented_code_can_be_had_for_any_call() {
    let sandbox = open().await;
    for (code, status) in [
        ("live_mode_disabled", 403),
        ("api_key_missing_required_scope", 403),
        ("request_blocked", 403),
        ("rate_limit_exceeded", 429),
        ("internal_server_error", 500),
        ("processing_declined", 403),
        ("fraudulent_processing_declined", 403),
        ("insufficient_available_balance", 403),
    ] {
        let fault =
            Fault::Refuse { code: code.to_owned(), status: None, retry_after_s: Some(3), applied: false };
        next(&sandbox, CallKind::Create, fault);
        let answer = create("k").send(&sandbox).await.answer();
        assert_eq!(answer.word(), format!("{status} {code}"));
        assert_eq!(answer.header("retry-after").as_deref(), Some("3"));
    }
    assert_eq!(create("k").send(&sandbox).await.word(), "201 created");
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves_or_the_sandbox_closes() {
    for (fault, confirms) in
        [(Fault::DropRequest { how: Loss::Silence }, 0), (Fault::DropAnswer { how: Loss::Silence }, 1)]
    {
        let sandbox = open().await;
        let id = created(&sandbox, "k").await;
        next(&sandbox, CallKind::Confirm, fault);
        let stream = confirm(&id).begin(&sandbox).await;
        sandbox.until(|sandbox| sandbox.calls().last().unwrap().fault.is_some()).await;
        sandbox.until(|sandbox| standing(sandbox, &id).1 == confirms).await;
        assert_eq!(get(&id).send(&sandbox).await.answer().status, 200);
        assert_eq!(standing(&sandbox, &id).1, confirms);
        assert!(is_silent(&stream));
        sandbox.shutdown().await;
        assert_eq!(end(stream).await, End::Reset);
    }
}

#[tokio::test]
async fn what_is_held_waits_for_its_release_and_is_carried_out_before_or_after() {
    for (executed, while_held) in [(Executed::BeforeRelease, 1), (Executed::AfterRelease, 0)] {
        let sandbox = open().await;
        let id = created(&sandbox, "k").await;
        next(&sandbox, CallKind::Confirm, Fault::Hold { executed });
        let stream = confirm(&id).begin(&sandbox).await;
        sandbox.until(|sandbox| sandbox.held() == 1).await;
        sandbox.until(|sandbox| standing(sandbox, &id).1 == while_held).await;
        assert!(is_silent(&stream));
        sandbox.release();
        assert_eq!(end(stream).await.word(), "200 completed");
        assert_eq!((standing(&sandbox, &id).1, sandbox.held()), (1, 0));
    }
}

#[tokio::test]
async fn a_delayed_call_is_carried_out_although_its_client_has_gone() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    next(&sandbox, CallKind::Confirm, Fault::Hold { executed: Executed::AfterRelease });
    let stream = confirm(&id).begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.held() == 1).await;
    drop(stream);
    // A second connection's answer shows that the sandbox goes on without the first.
    assert_eq!(get(&id).send(&sandbox).await.word(), "200 created");
    sandbox.release();
    sandbox.until(|sandbox| standing(sandbox, &id).1 == 1).await;
    let record = sandbox.calls().into_iter().find(|call| call.call == Some(CallKind::Confirm)).unwrap();
    assert_eq!((record.executed, record.status), (true, None));
    next(&sandbox, CallKind::Invalidate, Fault::Delay { ms: 1 });
    drop(crate::shop::invalidate(&id).begin(&sandbox).await);
    sandbox.until(|sandbox| sandbox.ledger().order(&id).unwrap().state == "invalidated").await;
    assert_eq!(euros(&sandbox), ["100000.0", "0.0", "50.0", "50.0"]);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_replayed_under_its_key() {
    for fault in [
        Fault::DropAnswer { how: Loss::Reset },
        Fault::ServerError { status: 500, applied: true, body: ErrorBody::Json },
        Fault::Truncate,
    ] {
        let sandbox = open().await;
        next(&sandbox, CallKind::Create, fault);
        assert_ne!(create("k").send(&sandbox).await.word(), "201 created");
        assert_eq!(create("k").send(&sandbox).await.word(), "201 created");
        assert_eq!(sandbox.ledger().orders.len(), 1);
        let ran: Vec<bool> = sandbox.calls().iter().map(|call| call.executed).collect();
        assert_eq!(ran, [true, false]);
    }
}

#[tokio::test]
async fn an_oversize_answer_is_more_than_a_mebibyte_of_valid_json() {
    let sandbox = open().await;
    for (call, request) in
        [(CallKind::Products, Request::get("/v1/products")), (CallKind::Create, create("k"))]
    {
        next(&sandbox, call, Fault::Oversize);
        let answer = request.send(&sandbox).await.answer();
        assert!(answer.text.len() > 1024 * 1024);
        assert_ne!(answer.json(), Value::Null);
    }
}

#[tokio::test]
async fn a_fault_waits_for_its_kind_of_call_and_its_turn() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    let fault = Fault::Html { status: 502, applied: false };
    sandbox.fault(QueuedFault { call: Some(CallKind::Get), after: 1, count: 2, fault }).unwrap();
    assert_eq!(confirm(&id).send(&sandbox).await.word(), "200 completed");
    for expected in ["200 completed", "502 -", "502 -", "200 completed"] {
        assert_eq!(get(&id).send(&sandbox).await.word(), expected);
    }
}

#[tokio::test]
async fn an_unsigned_request_takes_no_fault() {
    let sandbox = open().await;
    next(&sandbox, CallKind::Balances, Fault::DropRequest { how: Loss::Reset });
    let unsigned = Request { authorization: Some(String::new()), ..Request::get("/v1/balances") };
    assert_eq!(unsigned.send(&sandbox).await.word(), "401 invalid_signature");
    assert_eq!(sandbox.faults().len(), 1);
    assert_eq!(Request::get("/v1/balances").send(&sandbox).await.word(), "reset");
}
