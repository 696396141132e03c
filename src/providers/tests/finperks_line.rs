//! How calls to finperks end, on a real line with a peer that misbehaves by script (law L2), and what exactly is sent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

mod peer;

use std::net::SocketAddr;
use std::time::Duration;

use peer::{Act, Peer, answer, header};
use tilld_domain::ids::{CardCode, ProviderKey, ProviderOrderId};
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, Trouble, UndoAnswer};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::{ForeignCode, Refusal};
use tilld_domain::secret::Secret;
use tilld_providers::finperks::{Finperks, Parts, PosaRule, Settings, SigProfile, sign};
use tilld_providers::{CODE_MARK, ConfirmFacts, CreateFacts, GiftCards, SingleTender, StoredRequest};
use tokio::net::TcpSocket;

const SECRET: &str = "test-secret-0123456789abcdef";

fn settings(base: &str) -> Settings {
    Settings::new(
        base.to_owned(),
        "client-1".to_owned(),
        Secret::new(SECRET.to_owned()),
        "DE".parse().unwrap(),
    )
}

fn finperks(base: &str) -> Finperks {
    Finperks::new(settings(base)).unwrap()
}

fn key() -> ProviderKey {
    "0199d8a0-7c5b-7c1e-a1b2-6f1f6f0c0001".parse().unwrap()
}

fn order() -> ProviderOrderId {
    "o1".parse().unwrap()
}

fn body() -> StoredRequest {
    StoredRequest(r#"{"product_code":"4001232232332"}"#.to_owned())
}

async fn create_at(base: &str) -> Outcome<Created> {
    finperks(base).create(&key(), &body(), None).await
}

async fn lookup(status: &str, body: &str) -> Outcome<OrderSeen> {
    finperks(&Peer::answering(status, body).base).lookup(&order()).await
}

async fn invalidate(status: &str, body: &str) -> Outcome<UndoAnswer> {
    finperks(&Peer::answering(status, body).base).invalidate(&order()).await
}

fn coded(code: &str) -> String {
    format!(r#"{{"error_class":"x","error_code":"{code}","message":"m"}}"#)
}

#[tokio::test]
async fn only_a_line_that_never_was_means_not_sent() {
    // Nobody listens there, and nobody else is given the port as long as it is held.
    let held = TcpSocket::new_v4().unwrap();
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let base = format!("http://{}", held.local_addr().unwrap());
    assert_eq!(create_at(&base).await, Outcome::NotSent(Trouble::Connect));
    for act in [Act::Close, Act::ReadAndClose] {
        let peer = Peer::start(vec![act]);
        assert_eq!(create_at(&peer.base).await, Outcome::Unknown(Trouble::Broken));
    }
}

#[tokio::test]
async fn whatever_cannot_be_read_as_an_answer_is_unknown() {
    let megabyte = format!(r#"{{"id":"o1","x":"{}"}}"#, "x".repeat(1024 * 1024));
    let html = "<html><body>Welcome to the shop's WLAN</body></html>";
    let unknown = Outcome::Unknown;
    for (status, body, expected) in [
        ("201 Created", html, unknown(Trouble::Unreadable)),
        ("201 Created", "", unknown(Trouble::Unreadable)),
        ("201 Created", r#"{"state":"created"}"#, unknown(Trouble::Unreadable)),
        ("201 Created", r#"{"id":"../o1"}"#, unknown(Trouble::Unreadable)),
        ("201 Created", megabyte.as_str(), unknown(Trouble::Unreadable)),
        ("400 Bad Request", megabyte.as_str(), unknown(Trouble::Unreadable)),
        ("500 Internal Server Error", &coded("internal_server_error"), unknown(Trouble::ServerError(500))),
        ("502 Bad Gateway", html, unknown(Trouble::ServerError(502))),
        ("503 Service Unavailable\r\nRetry-After: 5", "", unknown(Trouble::ServerError(503))),
        ("404 Not Found", html, unknown(Trouble::OddStatus(404))),
        ("403 Forbidden", html, unknown(Trouble::OddStatus(403))),
        ("400 Bad Request", "{}", unknown(Trouble::OddStatus(400))),
        ("304 Not Modified", "", unknown(Trouble::OddStatus(304))),
        ("201 Created", r#"{"id":"o1"}"#, Outcome::Done(Created { order: order() })),
    ] {
        let peer = Peer::answering(status, body);
        assert_eq!(create_at(&peer.base).await, expected, "{status} {body:.40}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_unknown_also_where_it_is_whole_json() {
    for (claimed, sent) in [(40, r#"{"id":"o1""#), (40, r#"{"id":"o1"}"#)] {
        let text = format!("HTTP/1.1 201 Created\r\nContent-Length: {claimed}\r\n\r\n{sent}");
        let peer = Peer::start(vec![Act::Answer(text.into_bytes())]);
        assert_eq!(create_at(&peer.base).await, Outcome::Unknown(Trouble::Broken), "{sent}");
    }
    let head = Peer::start(vec![Act::Answer(b"HTTP/1.1 201 Cre".to_vec())]);
    assert_eq!(create_at(&head.base).await, Outcome::Unknown(Trouble::Broken));
    let noise = Peer::start(vec![Act::Answer(b"SSH-2.0-OpenSSH\r\n".to_vec())]);
    assert_eq!(create_at(&noise.base).await, Outcome::Unknown(Trouble::Broken));
}

#[tokio::test]
async fn a_redirect_is_odd_and_never_followed() {
    let mut elsewhere = Peer::start(vec![answer("201 Created", r#"{"id":"o1"}"#)]);
    for status in [302, 307, 308] {
        let peer = Peer::answering(&format!("{status} Moved\r\nLocation: {}/v1/x", elsewhere.base), "");
        assert_eq!(create_at(&peer.base).await, Outcome::Unknown(Trouble::OddStatus(status)));
        assert_eq!(peer.all().await.len(), 1);
    }
    assert!(elsewhere.requests.try_recv().is_err());
}

#[tokio::test]
async fn not_now_is_later_by_the_pause_that_it_names() {
    let date = "Date: Wed, 09 Jul 2025 16:17:31 GMT\r\nRetry-After: Wed, 09 Jul 2025 16:17:48 GMT";
    for (status, expected) in [
        ("429 Too Many Requests\r\nRetry-After: 17".to_owned(), Some(17)),
        (format!("429 Too Many Requests\r\n{date}"), Some(17)),
        ("429 Too Many Requests\r\nRetry-After: 999999".to_owned(), Some(3600)),
        ("429 Too Many Requests".to_owned(), None),
        ("408 Request Timeout".to_owned(), None),
        ("425 Too Early\r\nRetry-After: 1".to_owned(), Some(1)),
    ] {
        let peer = Peer::answering(&status, "<html>");
        let retry_after = expected.map(Duration::from_secs);
        assert_eq!(create_at(&peer.base).await, Outcome::Later { retry_after }, "{status}");
    }
}

#[tokio::test]
async fn inside_the_pause_of_a_429_nothing_is_sent() {
    let peer = Peer::start(vec![answer("429 Too Many Requests\r\nRetry-After: 600", "")]);
    let finperks = finperks(&peer.base);
    assert!(matches!(finperks.invalidate(&order()).await, Outcome::Later { .. }));
    let Outcome::Later { retry_after: Some(pause) } = finperks.invalidate(&order()).await else {
        panic!("the pause was forgotten")
    };
    assert!(pause > Duration::from_secs(500));
    assert_eq!(peer.all().await.len(), 1);
}

#[tokio::test]
async fn a_call_may_be_dropped_at_any_time_and_the_next_one_goes() {
    let mut peer = Peer::start(vec![Act::Silence, answer("201 Created", r#"{"id":"o1"}"#)]);
    let finperks = finperks(&peer.base);
    let (key, body) = (key(), body());
    tokio::select! {
        outcome = finperks.create(&key, &body, None) => panic!("{outcome:?}"),
        request = peer.requests.recv() => assert!(request.is_some()),
    }
    assert_eq!(finperks.create(&key, &body, None).await, Outcome::Done(Created { order: order() }));
}

#[tokio::test]
async fn a_kept_connection_that_the_peer_has_closed_never_sends_twice_nor_passes_for_not_sent() {
    // Not told to be closed, and closed all the same: the classic race of kept-alive connections.
    let kept = || Act::Answer(b"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"id\":\"o1\"}".to_vec());
    let mut peer = Peer::start(vec![kept(), kept()]);
    let finperks = finperks(&peer.base);
    let done = Outcome::Done(Created { order: order() });
    assert_eq!(finperks.create(&key(), &body(), None).await, done);
    let second = finperks.create(&key(), &body(), None).await;
    assert!(second == done || second == Outcome::Unknown(Trouble::Broken), "{second:?}");
    assert!(peer.requests.recv().await.is_some());
    assert_eq!(peer.requests.try_recv().is_ok(), second == done);
}

#[tokio::test]
async fn every_shape_of_an_error_is_a_refusal() {
    for body in [
        coded("insufficient_available_balance"),
        r#"{"code":"insufficient_available_balance"}"#.to_owned(),
        r#"{"error":{"code":"insufficient_available_balance"}}"#.to_owned(),
    ] {
        let peer = Peer::answering("403 Forbidden", &body);
        assert_eq!(create_at(&peer.base).await, Outcome::Refused(Refusal::BalanceTooLow), "{body}");
    }
}

#[tokio::test]
async fn a_create_that_comes_back_failed_is_refused_before_anybody_pays() {
    let peer = Peer::answering("201 Created", r#"{"id":"o1","state":"failed"}"#);
    assert_eq!(create_at(&peer.base).await, Outcome::Refused(Refusal::Declined));
}

#[tokio::test]
async fn a_missing_order_is_told_from_a_missing_path() {
    for (code, refusal, undo) in [
        ("entity_not_found", Refusal::OrderNotFound, UndoAnswer::NotFound),
        ("retail_order_not_found", Refusal::OrderNotFound, UndoAnswer::NotFound),
        ("path_not_found", Refusal::RequestNotUnderstood, UndoAnswer::Refused(Refusal::RequestNotUnderstood)),
        (
            "store_not_found",
            Refusal::Foreign(ForeignCode::new("store_not_found")),
            UndoAnswer::Refused(Refusal::Foreign(ForeignCode::new("store_not_found"))),
        ),
    ] {
        assert_eq!(lookup("404 Not Found", &coded(code)).await, Outcome::Refused(refusal), "{code}");
        assert_eq!(invalidate("404 Not Found", &coded(code)).await, Outcome::Done(undo), "{code}");
    }
    for body in ["<html>", r#"{"message":"no Route matched with those values"}"#, ""] {
        assert_eq!(lookup("404 Not Found", body).await, Outcome::Unknown(Trouble::OddStatus(404)));
        assert_eq!(invalidate("404 Not Found", body).await, Outcome::Unknown(Trouble::OddStatus(404)));
    }
}

#[tokio::test]
async fn an_undo_is_done_only_when_the_answer_says_so_of_this_order() {
    let unreadable = Outcome::Unknown(Trouble::Unreadable);
    for (status, body, expected) in [
        ("200 OK", r#"{"id":"o1","state":"invalidated"}"#, Outcome::Done(UndoAnswer::Invalidated)),
        ("200 OK", r#"{"data":{"id":"o1","state":"invalidated"}}"#, Outcome::Done(UndoAnswer::Invalidated)),
        ("200 OK", r#"{"state":"invalidated"}"#, unreadable.clone()),
        ("200 OK", r#"{"id":"o1"}"#, Outcome::Done(UndoAnswer::Invalidated)),
        ("204 No Content", "", Outcome::Done(UndoAnswer::Invalidated)),
        ("200 OK", r#"{"id":"o1","state":"failed"}"#, Outcome::Done(UndoAnswer::OrderFailed)),
        ("200 OK", r#"{"id":"o1","state":"processing"}"#, Outcome::Done(UndoAnswer::StillProcessing)),
        ("200 OK", r#"{"id":"o1","state":"completed"}"#, unreadable.clone()),
        ("200 OK", r#"{"id":"o1","state":"pondering"}"#, unreadable.clone()),
        ("200 OK", r#"{"id":"o2","state":"invalidated"}"#, unreadable.clone()),
        ("200 OK", "{}", unreadable.clone()),
        ("200 OK", "", unreadable.clone()),
        ("200 OK", "<html>", unreadable.clone()),
        (
            "400 Bad Request",
            &coded("retail_order_invalidated"),
            Outcome::Done(UndoAnswer::AlreadyInvalidated),
        ),
        ("400 Bad Request", &coded("order_redeemed"), Outcome::Done(UndoAnswer::AlreadyRedeemed)),
        ("503 Service Unavailable", "", Outcome::Unknown(Trouble::ServerError(503))),
    ] {
        assert_eq!(invalidate(status, body).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_confirm_brings_the_lines_and_a_lookup_tells_the_state() {
    let json =
        r#"{"id":"o1","state":"completed","receipt_printing":{"lines":["CODE 1234",{"text":"PIN 9"}]}}"#;
    let peer = Peer::start(vec![answer("200 OK", json), answer("200 OK", json)]);
    let finperks = finperks(&peer.base);
    for outcome in
        [finperks.confirm(&order(), &StoredRequest("{}".to_owned())).await, finperks.lookup(&order()).await]
    {
        let Outcome::Done(OrderSeen { stage: OrderStage::Done, lines: Some(lines) }) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(lines.iter().map(Secret::reveal).collect::<Vec<_>>(), ["CODE 1234", "PIN 9"]);
    }
    assert_eq!(
        lookup("200 OK", r#"{"id":"o2","state":"completed"}"#).await,
        Outcome::Unknown(Trouble::Unreadable)
    );
}

#[tokio::test]
async fn a_confirm_whose_answer_names_no_order_is_not_taken_for_a_sale() {
    let nothing = Outcome::Done(OrderSeen { stage: OrderStage::Unrecognised, lines: None });
    for json in [r#"{"status":"active"}"#, r#"{"status":"complete"}"#, r#"{"data":{"state":"failed"}}"#] {
        let peer = Peer::start(vec![answer("200 OK", json), answer("200 OK", json)]);
        let finperks = finperks(&peer.base);
        let confirmed = finperks.confirm(&order(), &StoredRequest("{}".to_owned())).await;
        assert_eq!(confirmed, nothing, "{json}");
        assert_eq!(finperks.lookup(&order()).await, nothing, "{json}");
    }
    let other = r#"{"id":"o2","status":"active"}"#;
    let peer = Peer::answering("200 OK", other);
    let confirmed = finperks(&peer.base).confirm(&order(), &StoredRequest("{}".to_owned())).await;
    assert_eq!(confirmed, Outcome::Unknown(Trouble::Unreadable));
}

/// Checks a request's signature from what was received alone.
fn assert_signed(base: &str, request: &str, profile: SigProfile) {
    let (host, port) = base.strip_prefix("http://").unwrap().split_once(':').unwrap();
    assert_eq!(header(request, "host"), Some(format!("{host}:{port}").as_str()));
    let mut first = request.lines().next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts = Parts {
        host,
        port: port.parse().unwrap(),
        method,
        path,
        query,
        date: header(request, "date").unwrap(),
        idempotency_key: header(request, "idempotency-key").unwrap_or_default(),
        body: request.split_once("\r\n\r\n").unwrap().1.as_bytes(),
    };
    let signature = sign(&Secret::new(SECRET.to_owned()), &parts, profile);
    let expected = format!("FP1-HMAC-SHA256 KeyId=client-1, Signature={signature}");
    assert_eq!(header(request, "authorization"), Some(expected.as_str()), "{request}");
}

#[tokio::test]
async fn what_is_sent_is_what_was_stored_with_the_code_put_in_and_signed() {
    for profile in [SigProfile::WithPort, SigProfile::Bare] {
        let peer = Peer::start(vec![
            answer("201 Created", r#"{"id":"o1"}"#),
            answer("200 OK", r#"{"id":"o1","state":"processing"}"#),
            answer("200 OK", r#"{"id":"o1","state":"created"}"#),
            answer("200 OK", r#"{"id":"o1","state":"invalidated"}"#),
        ]);
        let base = peer.base.clone();
        let mut settings = settings(&base);
        settings.profile = profile;
        settings.posa.default = Some(PosaRule::ExtraField("card_number".to_owned()));
        let finperks = Finperks::new(settings).unwrap();
        let euros = Money::new(5000, Currency::from_code("EUR").unwrap());
        let code: CardCode = "SCAN-0042".parse().unwrap();
        let created = finperks
            .prepare_create(&CreateFacts {
                product: &"4001232232332".parse().unwrap(),
                kind: CardKind::Posa,
                face_value: euros,
                store: &"A1234".parse().unwrap(),
                terminal: &"T01".parse().unwrap(),
                receipt: &"R1".parse().unwrap(),
                country: &"DE".parse().unwrap(),
                characters_per_line: 40,
                locale: &"de-DE".parse().unwrap(),
            })
            .unwrap();
        let confirmed = finperks
            .prepare_confirm(&ConfirmFacts { tender: Some(SingleTender::Cash), receipt_total: euros });
        assert_eq!(
            finperks.create(&key(), &created, None).await,
            Outcome::Refused(Refusal::CardCodeMissing),
            "nothing is sent without the code"
        );
        assert!(matches!(finperks.create(&key(), &created, Some(&code)).await, Outcome::Done(_)));
        assert!(matches!(finperks.confirm(&order(), &confirmed).await, Outcome::Done(_)));
        assert!(matches!(finperks.lookup(&order()).await, Outcome::Done(_)));
        assert!(matches!(finperks.invalidate(&order()).await, Outcome::Done(_)));
        let requests = peer.all().await;
        for request in &requests {
            assert_signed(&base, request, profile);
        }
        let sent: Vec<_> = requests
            .iter()
            .map(|request| {
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                (head.lines().next().unwrap(), header(request, "idempotency-key"), body)
            })
            .collect();
        let filled = created.0.replace(CODE_MARK, "SCAN-0042");
        assert_eq!(
            sent,
            [
                ("POST /v1/retail_orders HTTP/1.1", Some(key().as_str()), filled.as_str()),
                ("POST /v1/retail_orders/o1/actions/confirm HTTP/1.1", None, confirmed.0.as_str()),
                ("GET /v1/retail_orders/o1 HTTP/1.1", None, ""),
                ("POST /v1/retail_orders/o1/actions/invalidate HTTP/1.1", None, ""),
            ]
        );
    }
}

#[tokio::test]
async fn actions_carry_a_stable_key_where_that_is_switched_on() {
    let peer = Peer::start(vec![
        answer("200 OK", r#"{"id":"o1","state":"completed"}"#),
        answer("200 OK", r#"{"id":"o1","state":"invalidated"}"#),
    ]);
    let base = peer.base.clone();
    let finperks = Finperks::new(Settings { key_on_actions: true, ..settings(&base) }).unwrap();
    finperks.confirm(&order(), &StoredRequest("{}".to_owned())).await;
    finperks.invalidate(&order()).await;
    let requests = peer.all().await;
    for (request, key) in requests.iter().zip(["confirm-o1", "invalidate-o1"]) {
        assert_eq!(header(request, "idempotency-key"), Some(key));
        assert_signed(&base, request, SigProfile::WithPort);
    }
}

#[tokio::test]
async fn a_refused_date_is_sent_anew_once_and_the_offset_is_kept() {
    let wrong = || {
        let status = "400 Bad Request\r\nDate: Wed, 09 Jul 2025 16:17:31 GMT";
        answer(status, &coded("invalid_date_header"))
    };
    let peer = Peer::start(vec![wrong(), answer("201 Created", r#"{"id":"o1"}"#)]);
    let (base, first) = (peer.base.clone(), finperks(&peer.base));
    assert_eq!(first.clock_offset_ms(), None);
    assert!(matches!(first.create(&key(), &body(), None).await, Outcome::Done(_)));
    let requests = peer.all().await;
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_signed(&base, request, SigProfile::WithPort);
        assert_eq!(header(request, "idempotency-key"), Some(key().as_str()));
    }

    let peer = Peer::start(vec![wrong(), wrong()]);
    let finperks = finperks(&peer.base);
    assert_eq!(finperks.create(&key(), &body(), None).await, Outcome::Refused(Refusal::ClockRefused));
    assert!(finperks.clock_offset_ms().unwrap() < 0, "their clock stands in 2025");
    assert_eq!(peer.all().await.len(), 2);
}

fn product(code: &str) -> String {
    format!(r#"{{"code":"{code}","kind":"por","currency":"EUR","face_values":["10.0"]}}"#)
}

#[tokio::test]
async fn a_catalogue_is_read_page_by_page_and_its_holes_are_counted() {
    let (one, two, three) = (product("p1"), product("p2"), product("p3"));
    let peer = Peer::start(vec![
        answer("200 OK", &format!(r#"{{"products":[{one},{{"code":"broken"}}],"next_cursor":"a b&c"}}"#)),
        answer("200 OK", &format!(r#"{{"data":[{two},{one}],"links":{{"next":"/v1/products?page=3"}}}}"#)),
        answer("200 OK", &format!("[{three},7]")),
    ]);
    let base = peer.base.clone();
    let Outcome::Done(catalogue) = finperks(&base).products().await else { panic!() };
    let codes: Vec<_> = catalogue.products.iter().map(|product| product.code.as_str()).collect();
    assert_eq!((codes, catalogue.unreadable), (vec!["p1", "p2", "p3"], 3));
    let requests = peer.all().await;
    let targets: Vec<_> = requests.iter().map(|request| request.split(' ').nth(1).unwrap()).collect();
    assert_eq!(targets, ["/v1/products", "/v1/products?cursor=a+b%26c", "/v1/products?page=3"]);
    for request in &requests {
        assert_signed(&base, request, SigProfile::WithPort);
    }
}

#[tokio::test]
async fn a_catalogue_never_leads_to_another_host_nor_round_in_circles() {
    let one = product("p1");
    let away = Peer::answering("200 OK", &format!(r#"{{"data":[{one}],"next":"https://evil.example/v1"}}"#));
    assert_eq!(finperks(&away.base).products().await, Outcome::Unknown(Trouble::Unreadable));
    let circle = format!(r#"{{"data":[{one}],"next":"/v1/products?page=2"}}"#);
    let peer = Peer::start(vec![answer("200 OK", &circle), answer("200 OK", &circle)]);
    let Outcome::Done(catalogue) = finperks(&peer.base).products().await else { panic!() };
    assert_eq!((catalogue.products.len(), catalogue.unreadable), (1, 1));
}

#[tokio::test]
async fn a_catalogue_may_be_larger_than_an_answer_about_an_order() {
    let filler = "x".repeat(1024 * 1024);
    let one = product("p1");
    let peer = Peer::answering("200 OK", &format!(r#"{{"data":[{one}],"terms":"{filler}"}}"#));
    assert!(matches!(finperks(&peer.base).products().await, Outcome::Done(_)));
}

#[tokio::test]
async fn a_store_is_registered_with_the_operators_own_object_and_nothing_else() {
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(64 * 1024));
    let peer = Peer::start(vec![answer("201 Created", r#"{"id":"9f"}"#)]);
    let finperks = finperks(&peer.base);
    for template in ["", "[]", "\"x\"", "{} {}", "{", large.as_str()] {
        assert_eq!(
            finperks.register_store(template).await,
            Outcome::Refused(Refusal::RequestNotUnderstood),
            "{template:.10}"
        );
    }
    let template = "{ \"store_id\": \"A1234\",\n \"name\": \"Mitte\" }";
    assert!(matches!(finperks.register_store(template).await, Outcome::Done(_)));
    let requests = peer.all().await;
    assert_eq!(requests.len(), 1);
    assert!(requests[0].ends_with(template));
}

#[tokio::test]
async fn the_self_check_asks_for_the_balance_and_names_a_refused_key() {
    let peer = Peer::start(vec![
        answer("200 OK", r#"{"balances":[{"currency":"EUR","available":"100.0"}]}"#),
        answer("401 Unauthorized\r\nWWW-Authenticate: FP1-HMAC-SHA256", &coded("invalid_signature")),
    ]);
    let finperks = finperks(&peer.base);
    let Outcome::Done(balances) = finperks.self_check().await else { panic!() };
    assert_eq!(balances[0].available.to_string(), "100.00 EUR");
    assert_eq!(finperks.self_check().await, Outcome::Refused(Refusal::NotAuthenticated));
}
