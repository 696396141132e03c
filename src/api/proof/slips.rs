//! Slips through the door: how they look, and copies of cards'.

use serde_json::{Value, json};
use tilld_devices::printer::{Fault, JobOutcome};
use tilld_domain::moment::Moment;

use super::screens::{HOST, ORIGIN, browsed, paired};
use super::*;

const BY: &str = r#"{"by":"Ada Berg"}"#;

impl House {
    /// The path of a sale of one printed card that is paid.
    async fn sold_on(&self, receipt: &str) -> String {
        let opened = self.post("/v1/sales", receipt, one_card(receipt, POR)).await;
        let path = opened.headers["location"].to_str().unwrap().to_owned();
        let paid = self.post(&format!("{path}/payment"), &format!("{receipt} paid"), by_card("50.00")).await;
        assert_eq!(paid.status, StatusCode::OK, "{}", paid.text());
        path
    }

    async fn copy(&self, sale: &str, key: &str) -> Answered {
        self.post(&format!("{sale}/cards/1/copy"), key, BY).await
    }
}

#[tokio::test]
async fn a_copy_is_numbered_written_down_with_its_manager_and_printed_once_a_key() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    assert_eq!(house.get(&sale).await.json()["cards"][0]["copies"], Value::Null);
    let printed = json!({"paper": "printed", "proof": "process_id"});
    let first = house.copy(&sale, "c1").await;
    assert_eq!(first.json(), json!({"copy": 1, "paper": printed}), "{}", first.text());
    let paper = house.last_slip();
    assert!(paper.contains("K O P I E   1") && paper.contains(SLIP_CODE), "{paper}");
    house.printer_will(JobOutcome::NothingPrinted(Fault::PaperOut));
    let second = house.copy(&sale, "c2").await;
    assert_eq!(second.json(), json!({"copy": 2, "paper": {"paper": "nothing", "fault": "paper_out"}}));
    assert_eq!(house.jobs(), 3);
    assert_eq!(house.copy(&sale, "c1").await.json(), first.json());
    assert_eq!(house.jobs(), 3, "nothing is printed twice for one request");
    let now = house.get(&sale).await.json();
    assert_eq!((&now["phase"], &now["cards"][0]["copies"]), (&json!("done"), &json!(2)));
    assert_eq!(now["cards"][0]["paper"], json!({"state": "printed", "proof": "process_id"}));
    let history = house.get(&sale.replace("/v1/", "/v1/journal/")).await.json();
    let entries = history["entries"].as_array().unwrap();
    let copies: Vec<_> = entries.iter().filter(|entry| entry["what"] == "copy_asked").collect();
    assert_eq!(copies.len(), 2);
    assert!(copies.iter().all(|entry| entry["by"] == "Ada Berg" && entry["state"] == "sold"), "{copies:?}");
    for answer in [first, second] {
        assert!(!answer.text().contains(SLIP_CODE));
    }
}

#[tokio::test]
async fn copies_go_on_after_a_start_and_a_repeated_request_still_prints_nothing() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    house.copy(&sale, "c1").await;
    let house = house.started_again().await;
    assert_eq!(house.copy(&sale, "c1").await.json(), json!({"copy": 1, "paper": null}));
    assert_eq!(house.jobs(), 0);
    assert_eq!(house.copy(&sale, "c2").await.json()["copy"], 2);
    let paper = house.last_slip();
    assert!(paper.contains("K O P I E   2") && paper.contains(SLIP_CODE), "{paper}");
    let other = house.post(&format!("{sale}/cards/1/copy"), "c2", r#"{"by":"Somebody"}"#).await;
    assert_eq!(other.problem(), (409, "request_key_reused".to_owned()));
}

#[tokio::test]
async fn a_slip_whose_code_is_forgotten_is_not_copied() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    let house = house.started_after(|journal| {
        assert_eq!(journal.forget_expired(Moment::from_ms(i64::MAX)), Ok(1));
    });
    let house = house.await;
    assert_eq!(house.copy(&sale, "c1").await.problem(), (409, "slip_forgotten".to_owned()));
    assert_eq!(house.jobs(), 0);
    assert_eq!(house.get(&sale).await.json()["cards"][0]["copies"], Value::Null, "nothing is written of it");
}

#[tokio::test]
async fn only_the_slip_of_a_sold_card_is_copied_and_no_question_is_answered_by_it() {
    let house = House::new().await;
    let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let sale = opened.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(house.copy(&sale, "c1").await.problem(), (409, "no_slip".to_owned()));
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    house.post(&format!("{sale}/payment"), "k2", by_card("50.00")).await;
    let refused = house.copy(&sale, "c2").await;
    assert_eq!(refused.problem(), (409, "open_question".to_owned()));
    assert_eq!(
        refused.json()["questions"],
        house.get("/v1/attention").await.json()["cases"],
        "with what is asked"
    );
    assert_eq!(refused.json()["questions"][0]["case"], "is_it_complete");
    for action in ["payment", "cancel"] {
        let refused = house
            .post(
                &format!("{sale}/{action}"),
                "c4",
                if action == "payment" { by_card("50.00") } else { String::new() },
            )
            .await;
        assert_eq!(refused.problem(), (409, "open_question".to_owned()), "{action}");
        assert_eq!(refused.json()["questions"][0]["choices"][0], "complete", "{action}");
    }
    assert_eq!(house.jobs(), 1);
    assert_eq!(house.get(&sale).await.json()["cards"][0]["state"], "print_unclear");
    for (path, problem) in [
        (format!("{sale}/cards/2/copy"), "card_unknown"),
        (format!("{sale}/cards/x/copy"), "card_unknown"),
        ("/v1/sales/019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e/cards/1/copy".to_owned(), "sale_unknown"),
    ] {
        assert_eq!(house.post(&path, "c3", BY).await.problem(), (404, problem.to_owned()), "{path}");
    }
    let path = format!("{sale}/cards/1/copy");
    assert_eq!(house.post(&path, "c3", "{}").await.problem(), (422, "field_missing".to_owned()));
}

#[tokio::test]
async fn a_copy_is_a_managers() {
    let house = House::new().await;
    let path = format!("{}/cards/1/copy", house.sold_on("R1").await);
    let cookie = paired(&house).await;
    let acting = [HOST, ORIGIN, ("cookie", cookie.as_str()), ("idempotency-key", "c1")];
    let refused = house.send(browsed("POST", &path, &acting, BY)).await;
    assert_eq!(refused.problem(), (403, "manager_needed".to_owned()));
    assert_eq!(house.jobs(), 1);
}

#[tokio::test]
async fn a_slip_is_seen_as_it_is_printed_but_for_its_code() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    let seen = house.get(&format!("{sale}/cards/1/slip")).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
    let slip = seen.json();
    assert_eq!(slip["columns"], 42);
    let parts = slip["parts"].as_array().unwrap();
    let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
    assert!(texts.contains(&"Code: ••••-••••-••••-••••"), "{texts:?}");
    assert!(!["XKCD", "7777", "-CODE"].iter().any(|piece| seen.text().contains(piece)));
    // Row by row what was printed, but for the dots.
    let printed = house.last_slip();
    for text in texts.iter().filter(|text| !text.contains('•') && !text.contains("EUR")) {
        assert!(printed.contains(text), "{text}: {printed}");
    }
    let value = parts.iter().find(|part| part["text"] == "50,00 EUR").unwrap();
    assert_eq!(
        (&value["width"], &value["align"], &value["bold"]),
        (&json!(2), &json!("centre"), &json!(true))
    );
    assert_eq!(parts.last().unwrap(), &json!({"kind": "cut"}));
    // A cashier may see it.
    let cookie = paired(&house).await;
    let path = format!("{sale}/cards/1/slip");
    let seen_by_cashier = house.send(browsed("GET", &path, &[HOST, ("cookie", &cookie)], "")).await;
    assert_eq!(seen_by_cashier.status, StatusCode::OK);
    let house = house.started_after(|journal| {
        assert_eq!(journal.forget_expired(Moment::from_ms(i64::MAX)), Ok(1));
    });
    assert_eq!(house.await.get(&path).await.problem(), (409, "slip_forgotten".to_owned()));
}

#[tokio::test]
async fn what_is_not_live_has_no_slip_to_see() {
    let house = House::new().await;
    let opened = house.post("/v1/sales", "k1", one_card("R1", POR)).await;
    let sale = opened.headers["location"].to_str().unwrap().to_owned();
    for (path, problem) in [
        (format!("{sale}/cards/1/slip"), (409, "no_slip")),
        (format!("{sale}/cards/2/slip"), (404, "card_unknown")),
        ("/v1/sales/x/cards/1/slip".to_owned(), (404, "sale_unknown")),
        ("/v1/redemptions/x/slip".to_owned(), (404, "redemption_unknown")),
    ] {
        assert_eq!(house.get(&path).await.problem(), (problem.0, problem.1.to_owned()), "{path}");
    }
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    house.post(&format!("{sale}/payment"), "k2", by_card("50.00")).await;
    assert_eq!(
        house.get(&format!("{sale}/cards/1/slip")).await.status,
        StatusCode::OK,
        "its question is open"
    );
}

#[tokio::test]
async fn the_code_on_a_slip_answers_whether_it_is_complete_and_nothing_else() {
    let house = House::new().await;
    let scan = async |key: &str, code: &str| {
        house.post("/v1/sales/scanned", key, json!({"code": code, "by": "Kim"}).to_string()).await
    };
    let unknown = (404, "no_such_slip".to_owned());
    // A10: the printer says where it stopped.
    house.printer_will(JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent: 100 });
    let stopped = house.sold_on("R1").await;
    assert_eq!(scan("s1", SLIP_CODE).await.problem(), unknown);
    house.post(&format!("{stopped}/cards/1/answer"), "a1", r#"{"answer":"complete"}"#).await;
    // A11.
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    let sale = house.sold_on("R2").await;
    assert_eq!(house.get(&sale).await.json()["cards"][0]["question"]["asks"], "is_it_complete");
    for wrong in ["XKCD-7777-SLIP-CODF", "7777", "Code", "", RACK_CODE] {
        assert_eq!(scan("s2", wrong).await.problem(), unknown, "{wrong}");
    }
    let answered = scan("s3", "xkcd 7777 slip code").await;
    let now = answered.json();
    assert_eq!(answered.status, StatusCode::OK, "{now}");
    assert_eq!((&now["receipt"], &now["phase"]), (&json!("R2"), &json!("done")));
    assert_eq!(now["cards"][0]["paper"], json!({"state": "seen_complete"}));
    assert_eq!(
        scan("s3", "xkcd 7777 slip code").await.bytes,
        answered.bytes,
        "the same key, the same answer"
    );
    assert_eq!(scan("s3", SLIP_CODE).await.problem(), (409, "request_key_reused".to_owned()));
    assert_eq!(scan("s4", SLIP_CODE).await.problem(), unknown, "it is answered");
    let history = house.get(&sale.replace("/v1/", "/v1/journal/")).await.json();
    let last = history["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], &last["by"]), (&json!("answered"), &json!("Kim")));
}

/// The number at the foot of a slip, as the printer was given it.
fn foot(slip: &str) -> String {
    let last = slip.lines().rev().find_map(|row| {
        let row = row.trim_matches(|letter: char| !letter.is_alphanumeric());
        (!row.is_empty()).then_some(row)
    });
    let number = last.unwrap_or_default().to_owned();
    assert!(number.len() == 11 && number.bytes().all(|byte| byte.is_ascii_digit()), "{slip}");
    number
}

impl House {
    /// What comes of scanning a slip.
    async fn scan(&self, key: &str, code: &str) -> Answered {
        self.post("/v1/sales/scanned", key, json!({"code": code, "by": "Kim"}).to_string()).await
    }
}

#[tokio::test]
async fn the_number_at_the_foot_answers_for_the_attempt_that_is_asked_about_and_no_other() {
    let house = House::new().await;
    let unknown = (404, "no_such_slip".to_owned());
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    let sale = house.sold_on("R1").await;
    let first = foot(&house.last_slip());
    house.post(&format!("{sale}/cards/1/answer"), "a1", r#"{"answer":"unreadable"}"#).await;
    assert_eq!(house.get(&sale).await.json()["cards"][0]["question"]["asks"], "is_it_complete");
    let second = foot(&house.last_slip());
    assert_ne!(first, second);
    assert_eq!(house.scan("s1", &first).await.problem(), (409, "earlier_slip".to_owned()));
    assert_eq!(house.scan("s2", SLIP_CODE).await.problem(), (409, "code_on_earlier_slip".to_owned()));
    let not_one = format!("{}{}", &second[..10], (second.as_bytes()[10] - b'0' + 1) % 10);
    for wrong in [&second[..10], &second[1..], &not_one, &format!("{second}0")] {
        assert_eq!(house.scan("s3", wrong).await.problem(), unknown, "{wrong}");
    }
    assert_eq!(house.get(&sale).await.json()["cards"][0]["state"], "print_unclear");
    // As a scanner sends it that says what it read.
    let answered = house.scan("s4", &format!("]C0{second}")).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    assert_eq!(answered.json()["cards"][0]["paper"], json!({"state": "seen_complete"}));
    assert_eq!(house.scan("s4", &format!("]C0{second}")).await.bytes, answered.bytes);
    for number in [first, second] {
        assert_eq!(house.scan("s5", &number).await.problem(), unknown);
    }
    let history = house.get(&sale.replace("/v1/", "/v1/journal/")).await.json();
    let last = history["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], &last["by"]), (&json!("answered"), &json!("Kim")));
}

#[tokio::test]
async fn no_number_answers_where_the_printer_said_what_is_wrong_or_the_paper_is_collected() {
    let house = House::new().await;
    let unknown = (404, "no_such_slip".to_owned());
    house.printer_will(JobOutcome::Unknown { fault: Fault::Cutter, bytes_sent: 100 });
    house.sold_on("R1").await;
    assert_eq!(house.scan("s1", &foot(&house.last_slip())).await.problem(), unknown);
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    let sale = house.sold_on("R2").await;
    for key in ["a1", "a2"] {
        house.post(&format!("{sale}/cards/1/answer"), key, r#"{"answer":"unreadable"}"#).await;
    }
    assert_eq!(house.get(&sale).await.json()["cards"][0]["question"]["asks"], "collect_the_paper");
    assert_eq!(house.scan("s2", &foot(&house.last_slip())).await.problem(), unknown);
}

#[tokio::test]
async fn a_number_is_on_the_paper_and_on_no_screen_and_on_no_copy() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    let number = foot(&house.last_slip());
    let seen = house.get(&format!("{sale}/cards/1/slip")).await;
    let parts = seen.json()["parts"].as_array().unwrap().clone();
    assert_eq!(parts[parts.len() - 2], json!({"kind": "barcode"}));
    assert!(!seen.text().contains(&number), "read off the glass it would prove a paper that is not there");
    assert!(!house.get(&sale).await.text().contains(&number));
    house.copy(&sale, "c1").await;
    assert!(!house.last_slip().contains(&number) && !house.last_slip().contains("Belegnummer"));
}

#[tokio::test]
async fn copies_wait_for_their_turn_like_all_paper_that_is_no_card() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    house.hold_slips();
    let sold = house.jobs();
    let wanted: Vec<_> = (0..7).map(|key| format!("c{key}")).collect();
    let copies = async {
        tokio::join!(
            house.copy(&sale, &wanted[0]),
            house.copy(&sale, &wanted[1]),
            house.copy(&sale, &wanted[2]),
            house.copy(&sale, &wanted[3]),
            house.copy(&sale, &wanted[4]),
            house.copy(&sale, &wanted[5]),
            house.copy(&sale, &wanted[6]),
        )
    };
    let at_the_printer = async {
        while house.get(&sale).await.json()["cards"][0]["copies"] != 7 || house.jobs() < sold + 4 {
            tokio::task::yield_now().await;
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let held = house.jobs() - sold;
        house.let_slips_go();
        held
    };
    let (_, held) = tokio::join!(copies, at_the_printer);
    assert_eq!((held, house.jobs() - sold), (4, 7));
}

#[tokio::test]
async fn a_slip_is_known_by_its_code_also_after_a_start() {
    let house = House::new().await;
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    house.sold_on("R1").await;
    let house = house.started_again().await;
    let scanned = json!({"code": SLIP_CODE}).to_string();
    assert_eq!(house.post("/v1/sales/scanned", "s1", scanned).await.json()["phase"], "done");
}

#[tokio::test]
async fn a_scan_of_paper_that_is_to_be_collected_sells_nothing() {
    let house = House::new().await;
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    let sale = house.sold_on("R1").await;
    for key in ["a1", "a2"] {
        house.post(&format!("{sale}/cards/1/answer"), key, r#"{"answer":"unreadable"}"#).await;
    }
    let question = house.get(&sale).await.json()["cards"][0]["question"]["asks"].clone();
    assert_eq!((house.jobs(), question), (3, json!("collect_the_paper")));
    let scanned = house.post("/v1/sales/scanned", "s1", json!({"code": SLIP_CODE}).to_string()).await;
    assert_eq!(scanned.problem(), (404, "no_such_slip".to_owned()));
}

#[tokio::test]
async fn a_code_that_is_forgotten_is_not_printed_from_memory_while_another_card_is_open() {
    let house = House::new().await;
    house.printer_will(JobOutcome::Unknown { fault: Fault::Silent, bytes_sent: 100 });
    let cards = [card(POR, "por", "50.00", None), card(POR, "por", "50.00", None)];
    let opened = house.post("/v1/sales", "k1", super::sale("R1", &cards)).await;
    let sale = opened.headers["location"].to_str().unwrap().to_owned();
    house.post(&format!("{sale}/payment"), "k2", by_card("100.00")).await;
    house.post(&format!("{sale}/cards/1/answer"), "k3", r#"{"answer":"complete"}"#).await;
    assert_eq!(house.get(&format!("{sale}/cards/1/slip")).await.status, StatusCode::OK);
    let file = rusqlite::Connection::open(house.disk.path().join("journal/journal.db")).unwrap();
    let forgotten = "DELETE FROM seal_key WHERE owner = (SELECT order_id FROM card WHERE card = 1)";
    assert_eq!(file.execute(forgotten, []), Ok(1));
    let gone = (409, "slip_forgotten".to_owned());
    assert_eq!(house.get(&format!("{sale}/cards/1/slip")).await.problem(), gone);
    assert_eq!(house.copy(&sale, "c1").await.problem(), gone);
    assert_eq!(house.jobs(), 2);
    assert_eq!(
        house.get(&format!("{sale}/cards/2/slip")).await.status,
        StatusCode::OK,
        "the other one is kept"
    );
}

#[tokio::test]
async fn a_stop_waits_for_the_end_of_a_copy() {
    let house = House::new().await;
    let sale = house.sold_on("R1").await;
    house.hold_slips();
    let stop_in_the_middle = async {
        while house.jobs() < 2 {
            tokio::task::yield_now().await;
        }
        let mut stop = std::pin::pin!(house.counter.stop());
        for _ in 0..1000 {
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = tokio::task::yield_now() => {}
            }
        }
        house.let_slips_go();
        stop.await;
    };
    let (copied, ()) = tokio::join!(house.copy(&sale, "c1"), stop_in_the_middle);
    let printed = json!({"paper": "printed", "proof": "process_id"});
    assert_eq!(copied.json(), json!({"copy": 1, "paper": printed}), "{}", copied.text());
}
