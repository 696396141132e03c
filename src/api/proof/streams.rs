//! Listening: every entry once and in order, what was missed after coming back, and bounds.

use futures_util::StreamExt;
use tilld_counter::Seq;

use super::*;

/// A stream of events, read one after another.
pub(super) struct Stream {
    body: axum::body::BodyDataStream,
    read: String,
}

impl Stream {
    pub(super) async fn open(house: &House, last: Option<u64>) -> Self {
        let mut request = let_in("GET", "/v1/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = house.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body().into_data_stream(), read: String::new() }
    }

    /// The text of what comes first.
    pub(super) async fn first(mut self) -> String {
        while !self.read.contains("\n\n") {
            let bytes = self.body.next().await.expect("the stream goes on").unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        self.read.split_once("\n\n").unwrap().0.to_owned()
    }

    /// The name, the id and the data of the next event.
    pub(super) async fn next(&mut self) -> (String, u64, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let id = field("id:").and_then(|id| id.parse().ok()).unwrap_or_default();
                let found = field("data:").map(|data| {
                    (field("event:").unwrap_or_default().to_owned(), id, serde_json::from_str(data).unwrap())
                });
                self.read = rest.to_owned();
                match found {
                    Some(found) => return found,
                    None => continue,
                }
            }
            let bytes = self.body.next().await.expect("the stream goes on").unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The ids, the phases and the receipts until an entry of a number.
    async fn until(&mut self, last: u64) -> Vec<(u64, String, String)> {
        let mut all = Vec::new();
        loop {
            let (name, id, sale) = self.next().await;
            assert_eq!(name, "sale");
            let word = |member: &str| sale[member].as_str().unwrap().to_owned();
            all.push((id, word("phase"), word("receipt")));
            if id >= last {
                return all;
            }
        }
    }
}

pub(super) async fn sell(house: &House, receipt: &str) -> u64 {
    let opened = house.post("/v1/sales", &format!("o-{receipt}"), one_card(receipt, POR)).await;
    let path = opened.headers["location"].to_str().unwrap().to_owned();
    let paid = house.post(&format!("{path}/payment"), &format!("p-{receipt}"), by_card("50.00")).await;
    assert_eq!(paid.status, StatusCode::OK, "{}", paid.text());
    paid.json()["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn a_listener_gets_every_entry_of_a_sale_in_order() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    let last = sell(&house, "R1").await;
    let heard = stream.until(last).await;
    assert_eq!(heard.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    assert_eq!(heard.first().unwrap().1, "creating");
    assert_eq!(heard.last().unwrap().1, "done");
}

#[tokio::test]
async fn a_first_listener_is_told_at_once_from_where_it_can_go_on() {
    let house = House::new().await;
    assert_eq!(Stream::open(&house, None).await.first().await, "id: 0");
    let last = sell(&house, "R1").await;
    assert_eq!(Stream::open(&house, None).await.first().await, format!("id: {last}"));
    // It went before anything happened, and has missed nothing.
    let next = sell(&house, "R2").await;
    let mut back = Stream::open(&house, Some(last)).await;
    assert_eq!(back.until(next).await, [(next, "done".to_owned(), "R2".to_owned())]);
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_then_what_is_new() {
    let house = House::new().await;
    let first = sell(&house, "R1").await;
    let second = sell(&house, "R2").await;
    let mut stream = Stream::open(&house, Some(1)).await;
    let third = sell(&house, "R3").await;
    let heard = stream.until(third).await;
    let missed = [(first, "done".to_owned(), "R1".to_owned()), (second, "done".to_owned(), "R2".to_owned())];
    assert_eq!(heard[..2], missed);
    assert_eq!(
        heard[2..].iter().map(|(id, ..)| *id).collect::<Vec<_>>(),
        (second + 1..=third).collect::<Vec<_>>()
    );
    assert!(heard[2..].iter().all(|(.., receipt)| receipt == "R3"));

    // Whoever has everything gets only what is new, and a number that no entry has yet takes nothing away.
    for last in [third, third + 1000] {
        let mut stream = Stream::open(&house, Some(last)).await;
        let next = sell(&house, &format!("R-{last}")).await;
        assert_eq!(stream.until(next).await.last().unwrap().0, next);
    }
}

#[tokio::test]
async fn a_listener_hears_of_redemptions_beside_sales_and_of_a_missed_one_once() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    let seen = let_in("POST", "/v1/vouchers/check").header("content-type", "application/json");
    let scan = format!(r#"{{"scan":"{}"}}"#, voucher::MONEY);
    let check = house.send(seen.body(scan.into()).unwrap()).await.json()["check"].take();
    let body = format!(r#"{{"check":{check},"basket":"B1","amount":{{"amount":"5.00","currency":"EUR"}}}}"#);
    let redeemed = house.post("/v1/redemptions", "k1", body).await;
    assert_eq!(redeemed.status, StatusCode::CREATED, "{}", redeemed.text());
    let sold = sell(&house, "R1").await;

    let mut heard = Vec::new();
    loop {
        let (name, id, data) = stream.next().await;
        assert!(!data.to_string().contains(voucher::MONEY));
        heard.push((name, id, data));
        if id >= sold {
            break;
        }
    }
    assert_eq!(heard.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), (1..=sold).collect::<Vec<_>>());
    let last = redeemed.json()["seq"].as_u64().unwrap();
    let mut of_redemption = heard.iter().filter(|(name, ..)| name == "redemption");
    assert_eq!(of_redemption.next_back(), Some(&("redemption".to_owned(), last, redeemed.json())));
    assert!(heard.iter().skip_while(|(_, id, _)| *id <= last).all(|(name, ..)| name == "sale"));

    let mut back = Stream::open(&house, Some(0)).await;
    assert_eq!(back.next().await, ("redemption".to_owned(), last, redeemed.json()));
    let (name, id, _) = back.next().await;
    assert_eq!((name.as_str(), id), ("sale", sold));
}

#[tokio::test]
async fn a_listener_that_lags_is_told_to_read_anew_and_goes_on() {
    let house = House::new().await;
    let mut stream = Stream::open(&house, None).await;
    let mut last = 0;
    let mut sold = 0;
    // The counter keeps 1024 changes for a slow listener.
    while last <= 1100 {
        sold += 1;
        last = sell(&house, &format!("R{sold}")).await;
    }
    let (name, _, data) = stream.next().await;
    assert_eq!((name.as_str(), &data["why"]), ("reread", &Value::from("too_slow")));
    assert_eq!(stream.until(last).await.last().unwrap().0, last);

    let mut away = Stream::open(&house, Some(0)).await;
    let (name, id, data) = away.next().await;
    assert_eq!((name.as_str(), &data["why"]), ("reread", &Value::from("missed_too_much")));
    assert_eq!(id, last, "whoever reads anew now can go on from here");
    let next = sell(&house, "R-next").await;
    assert_eq!(away.until(next).await.first().unwrap().0, last + 1);
    assert!(house.counter.entries_after(Seq::NONE, 2).await.unwrap().len() == 2);
}

#[tokio::test]
async fn streams_are_bounded_and_a_seat_is_free_again_when_one_goes() {
    let house = House::bare().await;
    let mut streams = Vec::new();
    for _ in 0..crate::events::MOST_STREAMS {
        streams.push(Stream::open(&house, None).await);
    }
    let turned_away = house.get("/v1/events").await;
    assert_eq!(turned_away.problem(), (503, "too_many_listeners".to_owned()));
    assert_eq!(turned_away.headers["retry-after"], "5");
    streams.pop();
    Stream::open(&house, None).await;
    let wrong = let_in("GET", "/v1/events").header("last-event-id", "yesterday").body(Body::empty()).unwrap();
    assert_eq!(house.send(wrong).await.problem().1, "last_event_id_wrong");
}
