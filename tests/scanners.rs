//! A scanner of the shop, from its cable to the till that listens, and what is left of a scan afterwards: nothing (law L11).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use tilld_tests::leaks;
use tilld_tests::shop::{PATIENCE, Shop, client};

/// What only a scanner could have read.
const SCANNED: &str = "]C1SCANNED-7731\u{1d}9902";

/// The event stream as a till reads it.
struct Listening {
    answer: reqwest::Response,
    read: String,
}

impl Listening {
    async fn to(shop: &Shop, last: Option<u64>) -> Self {
        let daemon = shop.daemon.as_ref().unwrap();
        let mut request =
            client().get(format!("http://{}/v1/events", daemon.address)).bearer_auth(daemon.token.reveal());
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        Self { answer: request.send().await.unwrap(), read: String::new() }
    }

    /// The next event that has data: its name, its id and its data.
    async fn next(&mut self) -> (String, Option<u64>, Value) {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let found = field("data:").map(|data| {
                    let id = field("id:").map(|id| id.parse().unwrap());
                    (field("event:").unwrap().to_owned(), id, serde_json::from_str(data).unwrap())
                });
                let rest = rest.to_owned();
                self.read = rest;
                if let Some(found) = found {
                    return found;
                }
            }
            let more = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("nothing comes");
            self.read.push_str(std::str::from_utf8(&more.unwrap().expect("the stream goes on")).unwrap());
        }
    }
}

fn cable() -> (OwnedFd, PathBuf) {
    let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&own).unwrap();
    unlockpt(&own).unwrap();
    let path = ptsname(&own, Vec::new()).unwrap().into_string().unwrap();
    (own, PathBuf::from(path))
}

#[tokio::test]
async fn a_scan_reaches_the_till_that_listens_and_is_left_nowhere() {
    let since = leaks::listen();
    let (cable, port) = cable();
    let mut shop = Shop::open(&format!("scanners.counter.serial = \"{}\"", port.display())).await;
    let token = shop.daemon.as_ref().unwrap().token.reveal().to_owned();
    let mut till = Listening::to(&shop, None).await;
    // What comes before the daemon has opened the port waits in the terminal.
    rustix::io::write(&cable, format!("{SCANNED}\r\n").as_bytes()).unwrap();
    let expected = json!({ "source": "counter", "text": SCANNED });
    assert_eq!(till.next().await, ("scan".to_owned(), None, expected));
    let shown = json!({ "name": "counter", "kind": "scanner", "there": true, "connection": "connected", "fault": null,
        "paper_low": false, "text": null, "since": null, "seq": null, "known": true });
    for path in ["/v1/devices", "/v1/health"] {
        let devices = shop.get(path).await.unwrap().body["devices"].clone();
        assert_eq!(
            devices.as_array().unwrap().iter().find(|one| one["name"] == "counter"),
            Some(&shown),
            "{path}"
        );
    }

    // One that is sold afterwards is what a till that comes back finds.
    let body = json!({ "receipt": "R1", "cards": [{ "product": "4001232232332", "kind": "por",
        "face_value": { "amount": "50.00", "currency": "EUR" } }] });
    let sale = shop.post("/v1/sales", Some("k1"), body).await.unwrap();
    assert_eq!(sale.status, 201, "{}", sale.text);
    let mut back = Listening::to(&shop, Some(0)).await;
    let (name, id, _) = back.next().await;
    assert_eq!((name.as_str(), id.is_some()), ("sale", true));

    // And after a restart.
    shop.crash().await;
    shop.start().await;
    let mut back = Listening::to(&shop, Some(0)).await;
    assert_eq!(back.next().await.0, "sale");
    rustix::io::write(&cable, b"4012\r").unwrap();
    loop {
        let (name, _, data) = back.next().await;
        if name == "scan" {
            assert_eq!(data["text"], "4012");
            break;
        }
        assert!(!data.to_string().contains("7731"));
    }

    assert!(leaks::logged() > since, "there was nothing to search");
    let scanned = ["SCANNED-7731".to_owned()];
    assert_eq!(leaks::found(&shop, &token, &scanned, &[sale.text], since), Vec::<String>::new());
    shop.close().await;
}
