//! The control door, and the life of a sandbox: its start, its reset, its end.

use std::sync::{Arc, Mutex};

use crate::shop::{Request, confirm, control, create, created, end, get, next, open, raw_control};
use serde_json::json;
use tilld_sandbox::finperks::{CallKind, Settings, Switches, start};
use tilld_sandbox::{Executed, Fault, PrinterDoor, PrinterState, SimulatedPrinter};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn switches_are_read_replaced_and_merged() {
    let sandbox = open().await;
    let answer = control(&sandbox, "GET", "/switches", "").await;
    assert_eq!(answer.json(), serde_json::to_value(Switches::default()).unwrap());
    let patch = r#"{"limits": {"receipt_count": 3}, "second_confirm": "error"}"#;
    assert_eq!(control(&sandbox, "PATCH", "/switches", patch).await.json()["limits"]["receipt_count"], 3);
    control(&sandbox, "PATCH", "/switches", r#"{"limits": {"store": 9}, "second_confirm": null}"#).await;
    let limits = sandbox.switches().limits;
    assert_eq!((limits.receipt_count, limits.store), (Some(3), Some(9)));
    assert_eq!(sandbox.switches().second_confirm, Switches::default().second_confirm);
    for confirm in [
        r#"{"confirm": {"mode": "async", "polls": 2, "ends": "failed"}}"#,
        r#"{"confirm": {"mode": "sync"}}"#,
    ] {
        assert_eq!(control(&sandbox, "PATCH", "/switches", confirm).await.status, 200, "{confirm}");
    }
    control(&sandbox, "PUT", "/switches", r#"{"get_shows_lines": false}"#).await;
    assert_eq!(sandbox.switches(), Switches { get_shows_lines: false, ..Switches::default() });
    for (method, body) in
        [("PUT", r#"{"colour": 1}"#), ("PATCH", r#"{"colour": 1}"#), ("PUT", "{"), ("PATCH", "[]")]
    {
        let answer = control(&sandbox, method, "/switches", body).await;
        assert_eq!(answer.status, 400, "{method} {body}");
        assert!(answer.json()["error"].is_string());
    }
}

/// Notes what is done to it.
#[derive(Clone, Default)]
struct Struck(Arc<Mutex<Vec<Blow>>>);

type Blow = (PrinterState, Option<usize>);

impl SimulatedPrinter for Struck {
    fn become_so(&self, state: PrinterState, after_bytes: Option<usize>) {
        self.0.lock().unwrap().push((state, after_bytes));
    }

    fn papers(&self) -> usize {
        7
    }
}

#[tokio::test]
async fn a_printer_that_runs_beside_it_is_struck_and_made_well_at_the_control_door() {
    use PrinterState::{CoverOpen, Gone, Offline, PaperOut, Silent, Well};
    let sandbox = open().await;
    let none = control(&sandbox, "GET", "/printer", "").await;
    assert!(none.status == 404 && none.text.contains("--printer"), "{none:?}");

    let printer = Struck::default();
    sandbox.show_printer(&PrinterDoor::new(printer.clone()));
    let mut shown = control(&sandbox, "GET", "/printer", "").await.json();
    assert_eq!(shown, json!({"state": "well", "after_bytes": null, "papers": 7}));
    for (body, struck) in [
        (r#"{"state": "paper_out"}"#, Some((PaperOut, None))),
        (r#"{"state": "cover_open"}"#, Some((CoverOpen, None))),
        (r#"{"state": "offline"}"#, Some((Offline, None))),
        (r#"{"state": "silent", "after_bytes": 300}"#, Some((Silent, Some(300)))),
        (r#"{"state": "gone", "after_bytes": 0}"#, Some((Gone, Some(0)))),
        (r#"{"state": "well"}"#, Some((Well, None))),
        (r#"{"state": "well", "after_bytes": 1}"#, None),
        (r#"{"state": "on fire"}"#, None),
        (r#"{"state": "silent", "after_bytes": -1}"#, None),
        (r#"{"state": "silent", "rows": 1}"#, None),
        ("{}", None),
    ] {
        let answer = control(&sandbox, "PUT", "/printer", body).await;
        assert_eq!(answer.status, if struck.is_some() { 200 } else { 400 }, "{body}");
        assert_eq!(printer.0.lock().unwrap().pop(), struck, "{body}");
        if struck.is_some() {
            shown = answer.json();
        }
        assert_eq!(control(&sandbox, "GET", "/printer", "").await.json(), shown, "{body}");
    }
    control(&sandbox, "PUT", "/printer", r#"{"state": "offline"}"#).await;
    control(&sandbox, "POST", "/reset", "").await;
    assert_eq!(printer.0.lock().unwrap().pop(), Some((Well, None)));
    assert_eq!(control(&sandbox, "GET", "/printer", "").await.json()["state"], "well");
}

#[tokio::test]
async fn faults_are_queued_shown_and_taken_back() {
    let sandbox = open().await;
    let fault = r#"{"call": "confirm", "count": 2, "fault": {"kind": "drop_answer", "how": "silence"}}"#;
    assert_eq!(control(&sandbox, "POST", "/faults", fault).await.status, 201);
    let waiting = control(&sandbox, "GET", "/faults", "").await.json();
    assert_eq!(
        waiting,
        json!([{"call": "confirm", "after": 0, "count": 2, "fault": {"kind": "drop_answer", "how": "silence"}}])
    );
    for wrong in [r#"{"fault": {"kind": "boom"}}"#, r#"{"count": 0, "fault": {"kind": "truncate"}}"#] {
        assert_eq!(control(&sandbox, "POST", "/faults", wrong).await.status, 400);
    }
    assert_eq!(control(&sandbox, "DELETE", "/faults", "").await.status, 204);
    assert!(sandbox.faults().is_empty());
}

#[tokio::test]
async fn the_ledger_shows_codes_only_when_it_is_asked_to() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    confirm(&id).send(&sandbox).await.answer();
    let ledger = sandbox.ledger();
    let code = ledger.order(&id).unwrap().code.as_ref().unwrap().reveal();
    let masked = control(&sandbox, "GET", "/ledger", "").await;
    assert!(!masked.text.contains(code));
    assert_eq!(masked.json()["orders"][0]["code"], format!("••••{}", &code[15..]));
    assert_eq!(masked.json()["accounts"]["EUR"]["charged"], "50.0");
    let revealed = control(&sandbox, "GET", "/ledger?reveal=1", "").await;
    assert_eq!(revealed.json()["orders"][0]["code"], code);
    assert!(!control(&sandbox, "GET", "/calls", "").await.text.contains(code));
}

#[tokio::test]
async fn calls_are_read_from_a_number_on_and_can_be_waited_for() {
    let sandbox = open().await;
    let waiting = control(&sandbox, "GET", "/calls?after=0&wait_ms=30000", "");
    let request = create("k");
    let (calls, _) = tokio::join!(waiting, request.send(&sandbox));
    assert_eq!(calls.json()[0]["n"], 1);
    get("ro_0").send(&sandbox).await;
    let calls = control(&sandbox, "GET", "/calls?after=1", "").await.json();
    assert_eq!((calls.as_array().unwrap().len(), &calls[0]["code"]), (1, &json!("entity_not_found")));
    assert_eq!(control(&sandbox, "GET", "/calls?after=2", "").await.json(), json!([]));
}

#[tokio::test]
async fn a_confirm_that_is_running_ends_when_it_is_told_to_and_as_it_was_to_end() {
    let sandbox = open().await;
    for (ends, word) in [("completed", "200 completed"), ("failed", "200 failed")] {
        let id = created(&sandbox, ends).await;
        let switch = format!(r#"{{"confirm": {{"mode": "async", "polls": 99, "ends": "{ends}"}}}}"#);
        assert_eq!(control(&sandbox, "PATCH", "/switches", &switch).await.status, 200);
        let finish = format!("/orders/{id}/finish");
        assert_eq!(control(&sandbox, "POST", &finish, "").await.status, 404, "nothing runs yet");
        assert_eq!(confirm(&id).send(&sandbox).await.word(), "200 processing");
        assert_eq!(control(&sandbox, "POST", &finish, "").await.status, 204);
        assert_eq!(get(&id).send(&sandbox).await.word(), word);
        assert_eq!(control(&sandbox, "POST", &finish, "").await.status, 404, "it is over");
    }
    assert_eq!(control(&sandbox, "POST", "/orders/ro_0/finish", "").await.status, 404);
}

#[tokio::test]
async fn cards_are_spent_balances_set_and_the_clock_moved() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    let redeem = format!("/orders/{id}/redeem");
    assert_eq!(control(&sandbox, "POST", &redeem, "").await.status, 404);
    confirm(&id).send(&sandbox).await.answer();
    assert_eq!(control(&sandbox, "POST", &redeem, "").await.status, 204);
    assert!(sandbox.ledger().order(&id).unwrap().redeemed);
    for (path, body, status) in [
        ("/balances/EUR", r#"{"available": "5.0"}"#, 204),
        ("/balances/EUR", r#"{"available": 5}"#, 400),
        ("/balances/EUR", r#"{"available": "-5"}"#, 400),
        ("/balances/XAU", r#"{"available": "5.0"}"#, 404),
        ("/clock", r#"{"offset_s": -420}"#, 200),
        ("/clock", r#"{"offset_s": 999999999999}"#, 400),
    ] {
        assert_eq!(control(&sandbox, "PUT", path, body).await.status, status, "{path} {body}");
    }
    assert_eq!(sandbox.ledger().accounts["EUR"].available, "5.0");
    assert_eq!(control(&sandbox, "GET", "/clock", "").await.json()["offset_s"], -420);
    let right = Request { date: Some(crate::shop::http_date(0)), ..Request::get("/v1/balances") };
    assert_eq!(right.send(&sandbox).await.word(), "400 invalid_date_header");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_settings_and_ends_what_waits() {
    let sandbox = open().await;
    let id = created(&sandbox, "k").await;
    next(&sandbox, CallKind::Confirm, Fault::Hold { executed: Executed::AfterRelease });
    let held = confirm(&id).begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.held() == 1).await;
    sandbox.switch(|switches| switches.get_shows_lines = false);
    sandbox.set_clock_offset(60);
    assert_eq!(control(&sandbox, "POST", "/reset", "").await.status, 204);
    assert_eq!(end(held).await.word(), "reset");
    assert_eq!((sandbox.held(), sandbox.clock_offset(), sandbox.calls().len()), (0, 0, 0));
    assert_eq!(sandbox.switches(), Switches::default());
    assert!(sandbox.ledger().orders.is_empty());
    assert_eq!(create("k").send(&sandbox).await.word(), "201 created");
    assert_eq!(sandbox.calls()[0].n, 3);
}

#[tokio::test]
async fn held_calls_are_released_over_the_control_door() {
    let sandbox = open().await;
    next(&sandbox, CallKind::Create, Fault::Hold { executed: Executed::BeforeRelease });
    let held = create("k").begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.held() == 1).await;
    assert_eq!(control(&sandbox, "GET", "/calls", "").await.json()[0]["held"], true);
    assert_eq!(control(&sandbox, "POST", "/release", "").await.status, 204);
    assert_eq!(end(held).await.word(), "201 created");
}

#[tokio::test]
async fn the_control_door_does_not_talk_to_web_pages() {
    let sandbox = open().await;
    for (head, status) in [
        ("GET /ledger?reveal=1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n\r\n", 200),
        ("GET /ledger?reveal=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        ("GET /ledger?reveal=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403),
        (
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n",
            403,
        ),
        ("GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 404),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 200),
    ] {
        assert_eq!(raw_control(&sandbox, head).await.status, status, "{head}");
    }
}

#[tokio::test]
async fn an_unplugged_provider_refuses_whoever_dials_it_and_is_back_at_its_address() {
    let sandbox = open().await;
    let address = sandbox.provider_address();
    let id = created(&sandbox, "k").await;
    next(&sandbox, CallKind::Confirm, Fault::Hold { executed: Executed::AfterRelease });
    let stream = confirm(&id).begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.held() == 1).await;
    for _ in 0..2 {
        sandbox.unplug().await;
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert_eq!(control(&sandbox, "GET", "/switches", "").await.status, 200);
        sandbox.plug().await;
        assert_eq!(get(&id).send(&sandbox).await.word(), "200 created");
    }
    assert_eq!(end(stream).await.word(), "reset");
    let settings = Settings { provider: address, ..Settings::default() };
    assert!(start(settings).await.is_err(), "a second sandbox does not share the port");
    sandbox.unplug().await;
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_listens_on_loopback_only() {
    for wrong in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let provider = Settings { provider: wrong.parse().unwrap(), ..Settings::default() };
        let control = Settings { control: wrong.parse().unwrap(), ..Settings::default() };
        for settings in [provider, control] {
            assert_eq!(
                start(settings).await.unwrap_err().kind(),
                std::io::ErrorKind::InvalidInput,
                "{wrong}"
            );
        }
    }
}

#[tokio::test]
async fn after_shutdown_no_door_is_open_and_no_connection_is_left() {
    let sandbox = open().await;
    let addresses = [sandbox.provider_address(), sandbox.control_address()];
    let mut half_a_head = TcpStream::connect(addresses[0]).await.unwrap();
    half_a_head.write_all(b"GET /v1/balances HTTP/1.1\r\nHo").await.unwrap();
    let idle = [half_a_head, TcpStream::connect(addresses[1]).await.unwrap()];
    next(&sandbox, CallKind::Create, Fault::Delay { ms: 600_000 });
    let delayed = create("k").begin(&sandbox).await;
    sandbox.until(|sandbox| sandbox.calls().iter().any(|call| call.fault.is_some())).await;
    sandbox.shutdown().await;
    for stream in idle.into_iter().chain([delayed]) {
        assert_eq!(end(stream).await.word(), "reset");
    }
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[test]
fn a_secret_is_not_in_the_debug_text_of_the_settings() {
    let settings = Settings::default();
    assert!(!format!("{settings:?}").contains(&settings.credentials.secret));
}
