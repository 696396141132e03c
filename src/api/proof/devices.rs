//! Devices at the door: what is wrong with the printer, the event that tells it, and slips that go on by themselves.

use serde_json::json;
use tilld_counter::{Seq, Subject};

use super::streams::Stream;
use super::*;

const WELL: Status = Status { fault: None, paper_low: false, drawer_pin_high: None };
const NO_PAPER: Status = Status { fault: Some(Fault::PaperOut), ..WELL };
const PRINTED: JobOutcome = JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 };

/// The printer has no paper, says so, and prints nothing.
async fn paper_runs_out(house: &House, stream: &mut Stream) -> Value {
    house.printer_will(JobOutcome::NothingPrinted(Fault::PaperOut));
    house.printer_is(NO_PAPER);
    let (name, id, device) = stream.next().await;
    assert_eq!((name.as_str(), &device["seq"]), ("device", &json!(id)));
    device
}

/// A sale that is paid, and waits for paper.
async fn waits_for_paper(house: &House, receipt: &str, stream: &mut Stream) -> String {
    let opened = house.post("/v1/sales", &format!("o-{receipt}"), one_card(receipt, POR)).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let paid = house.post(&format!("{path}/payment"), &format!("p-{receipt}"), by_card("50.00")).await;
    let card = &paid.json()["cards"][0];
    assert_eq!(card["state"], "active", "{}", paid.text());
    assert_eq!(card["screen"]["text"], WAITS);
    assert_eq!(card["question"]["choices"], json!(["print", "money_back"]));
    until(stream, receipt, "active").await;
    path
}

const WAITS: &str =
    "Paper out. Insert paper. Then it prints by itself; or give the money back. The card is active.";

/// Hears until a sale's card is in a state; whether a device was heard of on the way, as it was told.
async fn until(stream: &mut Stream, receipt: &str, state: &str) -> Vec<Value> {
    let mut devices = Vec::new();
    loop {
        let (name, _, data) = stream.next().await;
        if name == "device" {
            devices.push(data);
        } else if data["receipt"] == receipt && data["cards"][0]["state"] == state {
            return devices;
        }
    }
}

#[tokio::test]
async fn a_fault_and_its_end_are_told_once_each_and_shown_with_what_to_do() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    let unheard = json!({"devices": [{"name": "paperless", "kind": "printer", "there": true, "fault": null,
        "paper_low": false, "text": null, "since": null, "seq": null, "known": false}]});
    assert_eq!(house.get("/v1/devices").await.json(), unheard);
    house.printer_is(WELL);

    let mut told = paper_runs_out(&house, &mut stream).await;
    let since = told["since"].take();
    assert!(since.is_string(), "{since}");
    let expected = json!({"name": "paperless", "kind": "printer", "there": true, "fault": "paper_out",
        "paper_low": false, "text": "Paper out. Insert paper.", "since": null, "seq": 1});
    assert_eq!(told, expected);
    let mut shown = house.get("/v1/devices").await.json()["devices"][0].take();
    assert_eq!((shown["since"].take(), shown["known"].take()), (since, json!(true)));
    shown.as_object_mut().unwrap().remove("known");
    assert_eq!(shown, expected);

    // What can no longer be reached is not there.
    house.printer_is(Status { fault: Some(Fault::Absent), ..WELL });
    let (name, _, gone) = stream.next().await;
    assert_eq!((name.as_str(), &gone["there"], &gone["fault"]), ("device", &json!(false), &json!("absent")));
}

#[tokio::test]
async fn a_slip_that_waits_for_paper_goes_on_by_itself_when_there_is_some() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    paper_runs_out(&house, &mut stream).await;
    let first = waits_for_paper(&house, "R1", &mut stream).await;
    let second = waits_for_paper(&house, "R2", &mut stream).await;
    assert_eq!(house.jobs(), 2);

    house.printer_will(PRINTED);
    house.printer_is(WELL);
    let devices = until(&mut stream, "R1", "sold").await;
    for path in [&first, &second] {
        let sold = || async { house.get(path).await.json()["cards"][0]["state"] == "sold" };
        while !sold().await {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(house.jobs(), 4, "each once more, and no more");
    let told: Vec<_> = devices.iter().map(|device| (&device["fault"], &device["text"])).collect();
    assert_eq!(told, [(&Value::Null, &Value::Null)], "that it is well is told before the slips are printed");

    // Whoever comes back is told once, as it is by then.
    let mut back = Stream::open(&house, Some(0)).await;
    let names = [back.next().await, back.next().await, back.next().await].map(|(name, ..)| name);
    assert_eq!(names.iter().filter(|name| *name == "device").count(), 1, "{names:?}");
}

#[tokio::test]
async fn nothing_prints_by_itself_for_a_customer_who_has_the_money_back() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    paper_runs_out(&house, &mut stream).await;
    let path = waits_for_paper(&house, "R1", &mut stream).await;
    let back = house.post(&format!("{path}/cards/1/answer"), "k3", r#"{"answer":"money_back"}"#).await;
    assert_eq!(back.json()["money_back"]["amount"], "50.00");
    until(&mut stream, "R1", "cleared").await;
    house.printer_will(PRINTED);
    house.printer_is(WELL);
    let (name, _, device) = stream.next().await;
    assert_eq!((name.as_str(), &device["fault"]), ("device", &Value::Null));
    // The driver does one thing after the other: after an answer of its own nothing of that turn is outstanding.
    house.counter.health().await;
    assert_eq!(house.jobs(), 1);
    assert_eq!(house.get(&path).await.json()["cards"][0]["state"], "cleared");
}

/// Law L7.
#[tokio::test]
async fn nothing_that_may_be_on_paper_is_printed_again_by_itself() {
    for fault in [Fault::PaperOut, Fault::Silent] {
        let house = House::new().await;
        let mut stream = Stream::open(&house, None).await;
        paper_runs_out(&house, &mut stream).await;
        house.printer_will(JobOutcome::Unknown { fault, bytes_sent: 100 });
        let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
        let path = opened.headers["location"].to_str().unwrap().to_owned();
        let paid = house.post(&format!("{path}/payment"), "k2", by_card("50.00")).await.json();
        house.printer_will(PRINTED);
        house.printer_is(WELL);
        loop {
            let (name, _, data) = stream.next().await;
            if name == "device" {
                assert_eq!(data["fault"], Value::Null);
                break;
            }
        }
        house.counter.health().await;
        assert_eq!(house.jobs(), 1, "{fault:?}");
        assert_eq!(house.get(&path).await.json()["cards"][0]["state"], paid["cards"][0]["state"]);
    }
}

#[tokio::test]
async fn a_start_writes_nothing_that_is_written_already() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    let told = paper_runs_out(&house, &mut stream).await;
    drop(stream);
    let house = house.started_again().await;
    let mut stream = Stream::open(&house, None).await;
    house.printer_is(NO_PAPER);
    // A message behind it has been answered: it was heard.
    while house.get("/v1/devices").await.json()["devices"][0]["known"] != true {}
    house.counter.health().await;
    assert_eq!(house.get("/v1/devices").await.json()["devices"][0]["since"], told["since"]);
    house.printer_is(WELL);
    let (name, id, device) = stream.next().await;
    assert_eq!((name.as_str(), id, &device["fault"]), ("device", 2, &Value::Null));
    let heads = house.counter.entries_after(Seq::NONE, 9).await.unwrap();
    assert!(
        heads.iter().all(|head| matches!(head.subject, Subject::Device(_)) && head.kind == "device_changed")
    );
    assert_eq!(heads.len(), 2);
}

#[tokio::test]
async fn health_says_what_is_known_of_the_printer_and_asks_it_only_if_that_is_not_enough() {
    let house = House::new().await;
    let printer = async || house.get("/v1/health").await.json()["printer"]["fault"].take();
    assert_eq!(printer().await, "cover_open", "nothing is known: it was asked");
    house.printer_is(WELL);
    assert_eq!(printer().await, Value::Null, "not asked");
    house.printer_is(NO_PAPER);
    assert_eq!(printer().await, "cover_open", "asked: what was wrong may be over");
}
