//! What scanners read: to everybody who listens then, once, and to nobody afterwards.

use tilld_counter::Scan;

use super::streams::{Stream, sell};
use super::*;

const CODE: &str = "]C10104012\u{1d}10VOUCHER-4012-0000-0011";

fn scan(text: &str) -> Scan {
    Scan { source: "counter".into(), text: Secret::new(text.to_owned()) }
}

#[tokio::test]
async fn a_scan_reaches_every_listener_once_with_its_source_and_leaves_their_place_alone() {
    let house = House::new().await;
    let mut listeners = [Stream::open(&house, None).await, Stream::open(&house, Some(0)).await];
    house.counter.scanned(scan(CODE));
    for listener in &mut listeners {
        // Without an id: whoever comes back comes back to the last entry.
        let expected = serde_json::json!({ "source": "counter", "text": CODE });
        assert_eq!(listener.next().await, ("scan".to_owned(), 0, expected));
    }
    let last = sell(&house, "R1").await;
    for listener in &mut listeners {
        loop {
            let (name, id, _) = listener.next().await;
            assert_eq!(name, "sale", "a scan comes once");
            if id == last {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_scan_is_kept_for_nobody() {
    let house = House::new().await;
    // Nobody listens.
    house.counter.scanned(scan(CODE));
    let before = sell(&house, "R1").await;
    let listener = Stream::open(&house, None).await;
    house.counter.scanned(scan(CODE));
    drop(listener);
    for last in [None, Some(0), Some(before), Some(before + 1)] {
        let mut back = Stream::open(&house, last).await;
        // What comes before a scan of now is all that was kept.
        house.counter.scanned(scan("now"));
        loop {
            let (name, _, data) = back.next().await;
            assert!(!data.to_string().contains("VOUCHER"), "{last:?}");
            if name == "scan" {
                assert_eq!(data["text"], "now");
                break;
            }
        }
    }
    house.counter.stop().await;
    for file in std::fs::read_dir(house.disk.path().join("journal")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"VOUCHER"));
    }
}

#[tokio::test]
async fn a_scan_goes_to_nobody_who_shows_no_token() {
    let house = House::bare().await;
    let request = Request::builder().method("GET").uri("/v1/events").header("host", "127.0.0.1:7400");
    let refused = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.problem().0, 401);
}

#[tokio::test]
async fn a_listener_that_lags_gets_the_last_scans_and_goes_on() {
    let house = House::bare().await;
    let mut listener = Stream::open(&house, None).await;
    for number in 0..100 {
        house.counter.scanned(scan(&number.to_string()));
    }
    for number in 92..100 {
        assert_eq!(listener.next().await.2["text"], number.to_string());
    }
    house.counter.scanned(scan("next"));
    assert_eq!(listener.next().await.2["text"], "next");
}
