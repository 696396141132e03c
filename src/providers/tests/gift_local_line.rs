//! How calls to Gift Local end, on a real line with a peer that misbehaves by script (law L2), and what exactly is sent.

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
use tilld_domain::ids::{ProviderKey, ProviderRedemptionId};
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherCode, VoucherShown,
    Worth,
};
use tilld_providers::StoredRequest;
use tilld_providers::gift_local::{GiftLocal, Location, ReverseCall, Settings};
use tilld_providers::vouchers::{RedeemFacts, ValidateFacts, Vouchers};
use tokio::net::TcpSocket;

const KEY: &str = "test-key-0123456789abcdef";
const CODE: &str = "012345678901";
const SHOWN: &str = r#"{"voucher":{"voucherID":"v1","isRedeemable":true,"voucherEligibleValue":50.00}}"#;
const TAKEN: &str = r#"{"voucher":{"voucherID":"v1","isRedeemable":true,"voucherEligibleValue":30.00},"redemption":{"redemptionID":"r1","amount":20.00}}"#;
const GIVEN: &str = r#"{"redemption":{"redemptionID":"r1","isReversed":true}}"#;

fn settings(base: &str) -> Settings {
    let key = Secret::new(KEY.to_owned());
    let mut settings = Settings::new(base.to_owned(), key, Location::OfTheKey, euros());
    settings.reverse = Some(ReverseCall {
        path: "/api/take-back".to_owned(),
        id_field: "theID".to_owned(),
        repeatable: false,
    });
    settings
}

fn euros() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn money(minor: i64) -> Worth {
    Worth::Money(Money::new(minor, euros()))
}

fn gift_local(base: &str) -> GiftLocal {
    GiftLocal::new(settings(base)).unwrap()
}

fn code() -> VoucherCode {
    VoucherCode::number(CODE).unwrap()
}

fn key() -> ProviderKey {
    "0199d8a0-7c5b-7c1e-a1b2-6f1f6f0c0001".parse().unwrap()
}

fn redemption() -> ProviderRedemptionId {
    "r1".parse().unwrap()
}

fn twenty(gift_local: &GiftLocal) -> StoredRequest {
    let (voucher, store, terminal) =
        ("v1".parse().unwrap(), "A1234".parse().unwrap(), "T01".parse().unwrap());
    let facts = RedeemFacts {
        voucher: &voucher,
        amount: money(2000),
        store: &store,
        terminal: &terminal,
        target: None,
    };
    gift_local.prepare_redeem(&facts).unwrap()
}

async fn validate_at(base: &str) -> Outcome<VoucherShown> {
    gift_local(base).validate(&code(), ValidateFacts::default()).await
}

async fn redeem_at(base: &str) -> Outcome<Redeemed> {
    let gift_local = gift_local(base);
    gift_local.redeem(&key(), &twenty(&gift_local), Some(&code())).await
}

async fn reverse_at(base: &str) -> Outcome<ReverseAnswer> {
    gift_local(base).reverse(&redemption()).await
}

fn taken() -> Outcome<Redeemed> {
    Outcome::Done(Redeemed {
        redemption: Some(redemption()),
        granted: Some(money(2000)),
        remaining: Balance { left: None, eligible: Some(money(3000)) },
    })
}

#[tokio::test]
async fn only_a_line_that_never_was_means_not_sent() {
    // Nobody listens there, and nobody else is given the port as long as it is held.
    let held = TcpSocket::new_v4().unwrap();
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let base = format!("http://{}", held.local_addr().unwrap());
    assert_eq!(redeem_at(&base).await, Outcome::NotSent(Trouble::Connect));
    assert_eq!(reverse_at(&base).await, Outcome::NotSent(Trouble::Connect));
    assert_eq!(validate_at(&base).await, Outcome::NotSent(Trouble::Connect));
    for act in [Act::Close, Act::ReadAndClose] {
        let peer = Peer::start(vec![act]);
        assert_eq!(redeem_at(&peer.base).await, Outcome::Unknown(Trouble::Broken));
    }
}

#[tokio::test]
async fn whatever_cannot_be_read_as_an_answer_is_unknown_at_every_door() {
    let huge = TAKEN.replace("r1", &"r".repeat(1024 * 1024));
    let deep = format!("{}{}", "{\"voucher\":".repeat(5000), "}".repeat(5000));
    let html = "<html><body>Welcome to the shop's WLAN</body></html>";
    let error = r#"{"message":"The gift was not found."}"#;
    let unreadable = Trouble::Unreadable;
    for (status, body, trouble) in [
        ("200 OK", html, unreadable),
        ("200 OK", "", unreadable),
        ("204 No Content", "", unreadable),
        ("202 Accepted", "null", unreadable),
        ("200 OK", "true", unreadable),
        ("200 OK", "[]", unreadable),
        ("200 OK", "{}", unreadable),
        ("200 OK", r#"{"voucher":"v1","redemption":"r1"}"#, unreadable),
        (
            "200 OK",
            r#"{"voucher":{"voucherID":7},"redemption":{"redemptionID":"r2","isReversed":false}}"#,
            unreadable,
        ),
        ("200 OK", error, unreadable),
        ("200 OK", &huge, unreadable),
        ("200 OK", &deep, unreadable),
        ("422 Unprocessable Entity", &huge, unreadable),
        ("500 Internal Server Error", error, Trouble::ServerError(500)),
        ("502 Bad Gateway", html, Trouble::ServerError(502)),
        ("404 Not Found", html, Trouble::OddStatus(404)),
        ("404 Not Found", "", Trouble::OddStatus(404)),
        ("404 Not Found", "{}", Trouble::OddStatus(404)),
        ("401 Unauthorized", html, Trouble::OddStatus(401)),
        ("403 Forbidden", html, Trouble::OddStatus(403)),
        ("422 Unprocessable Entity", "{\"message\":\"The gi", Trouble::OddStatus(422)),
        ("304 Not Modified", "", Trouble::OddStatus(304)),
    ] {
        let looked = validate_at(&Peer::answering(status, body).base).await;
        assert_eq!(looked, Outcome::Unknown(trouble), "validate {status} {body:.40}");
        let taken = redeem_at(&Peer::answering(status, body).base).await;
        assert_eq!(taken, Outcome::Unknown(trouble), "redeem {status} {body:.40}");
        let given = reverse_at(&Peer::answering(status, body).base).await;
        assert_eq!(given, Outcome::Unknown(trouble), "reverse {status} {body:.40}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_unknown_wherever_it_ends() {
    for end in [0, 1, TAKEN.len() / 2, TAKEN.len() - 1, TAKEN.len()] {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", TAKEN.len() + 1, &TAKEN[..end]);
        let peer = Peer::start(vec![Act::Answer(text.into_bytes())]);
        assert_eq!(redeem_at(&peer.base).await, Outcome::Unknown(Trouble::Broken), "{end}");
    }
    let head = Peer::start(vec![Act::Answer(b"HTTP/1.1 200 O".to_vec())]);
    assert_eq!(redeem_at(&head.base).await, Outcome::Unknown(Trouble::Broken));
}

#[tokio::test]
async fn a_readable_answer_is_done_a_well_formed_no_is_refused_and_not_now_is_later() {
    assert_eq!(redeem_at(&Peer::answering("200 OK", TAKEN).base).await, taken());
    assert_eq!(redeem_at(&Peer::answering("201 Created", TAKEN).base).await, taken());
    let given = reverse_at(&Peer::answering("200 OK", GIVEN).base).await;
    assert_eq!(given, Outcome::Done(ReverseAnswer::Reversed));
    let Outcome::Done(shown) = validate_at(&Peer::answering("200 OK", SHOWN).base).await else {
        panic!("not shown")
    };
    assert_eq!(shown.seen.worth(), Some(money(5000)));

    let unknown_gift = r#"{"title":"gift_not_found","status":404}"#;
    let validated = validate_at(&Peer::answering("404 Not Found", unknown_gift).base).await;
    assert_eq!(validated, Outcome::Refused(Refusal::VoucherNotFound));
    let validated = validate_at(&Peer::answering("404 Not Found", "404 page not found").base).await;
    assert!(matches!(validated, Outcome::Refused(Refusal::Foreign(_))), "{validated:?}");
    let redeemed = redeem_at(&Peer::answering("401 Unauthorized", "").base).await;
    assert_eq!(redeemed, Outcome::Refused(Refusal::NotAuthenticated));
    let redeemed = redeem_at(&Peer::answering("409 Conflict", "Already redeemed.").base).await;
    assert_eq!(redeemed, Outcome::Refused(Refusal::RedeemRefused));
    let reversed = reverse_at(&Peer::answering("409 Conflict", "already reversed").base).await;
    assert_eq!(reversed, Outcome::Done(ReverseAnswer::AlreadyReversed));

    for (status, seconds) in [("429 Too Many Requests\r\nRetry-After: 17", Some(17)), ("425 Too Early", None)]
    {
        let retry_after = seconds.map(Duration::from_secs);
        assert_eq!(redeem_at(&Peer::answering(status, "<html>").base).await, Outcome::Later { retry_after });
    }
}

/// Somebody in between may have passed it on before it gave up (law L2: "ask again" is for what may be asked twice).
#[tokio::test]
async fn a_408_leaves_open_what_became_of_a_call_that_moves_value() {
    let timed_out = Trouble::OddStatus(408);
    let gave_up = || Peer::answering("408 Request Timeout\r\nRetry-After: 1", "");
    assert_eq!(redeem_at(&gave_up().base).await, Outcome::Unknown(timed_out));
    assert_eq!(reverse_at(&gave_up().base).await, Outcome::Unknown(timed_out));
    let retry_after = Some(Duration::from_secs(1));
    assert_eq!(validate_at(&gave_up().base).await, Outcome::Later { retry_after });
}

#[tokio::test]
async fn a_redirect_is_never_followed_with_a_redeem() {
    let mut elsewhere = Peer::start(vec![answer("200 OK", TAKEN)]);
    for status in [301, 302, 307, 308] {
        let peer = Peer::answering(&format!("{status} Moved\r\nLocation: {}/x", elsewhere.base), "");
        assert_eq!(redeem_at(&peer.base).await, Outcome::Unknown(Trouble::OddStatus(status)));
        assert_eq!(peer.all().await.len(), 1);
    }
    assert!(elsewhere.requests.try_recv().is_err());
}

#[tokio::test]
async fn every_call_is_sent_once_with_the_whole_key_and_the_exact_body() {
    let peer = Peer::start(vec![answer("200 OK", SHOWN), answer("200 OK", TAKEN), answer("200 OK", GIVEN)]);
    let gift_local = gift_local(&peer.base);
    gift_local.validate(&code(), ValidateFacts::default()).await;
    let stored = twenty(&gift_local);
    gift_local.redeem(&key(), &stored, Some(&code())).await;
    gift_local.reverse(&redemption()).await;
    let requests = peer.all().await;
    assert_eq!(requests.len(), 3);
    for (request, path, body) in [
        (&requests[0], "/api/integration/redemption/validate-gift", r#"{"voucherCode":12345678901}"#),
        (&requests[1], "/api/integration/redemption/redeem-gift", r#"{"amount":20.00,"voucherID":"v1"}"#),
        (&requests[2], "/api/take-back", r#"{"theID":"r1"}"#),
    ] {
        assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
        assert_eq!(request.split_once("\r\n\r\n").unwrap().1, body);
        assert_eq!(header(request, "authorization"), Some(KEY));
        assert_eq!(header(request, "content-type"), Some("application/json"));
        assert_eq!(header(request, "idempotency-key"), None);
    }
    assert_eq!(stored.0, r#"{"amount":20.00,"voucherID":"v1"}"#);
}

#[tokio::test]
async fn a_body_that_could_take_everything_never_leaves() {
    let mut peer = Peer::start(vec![answer("200 OK", TAKEN)]);
    let gift_local = gift_local(&peer.base);
    for body in [
        r#"{"voucherID":"v1"}"#,
        r#"{"amount":null,"voucherID":"v1"}"#,
        r#"{"Amount":20.00,"voucherID":"v1"}"#,
        "{}",
        "",
    ] {
        let outcome = gift_local.redeem(&key(), &StoredRequest(body.to_owned()), None).await;
        assert_eq!(outcome, Outcome::Refused(Refusal::RequestNotUnderstood), "{body}");
    }
    assert!(peer.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_reversal_that_nobody_has_confirmed_is_never_sent_and_there_is_no_look_up() {
    let mut peer = Peer::start(vec![answer("200 OK", GIVEN)]);
    let mut settings = settings(&peer.base);
    settings.reverse = None;
    let gift_local = GiftLocal::new(settings).unwrap();
    let offers = Offers { recourse: Recourse::Comparable, reversal: Reversal::NotConfirmed };
    assert_eq!(gift_local.offers(), offers);
    let refused = Outcome::Done(ReverseAnswer::Refused(Refusal::ReversalNotSetUp));
    assert_eq!(gift_local.reverse(&redemption()).await, refused);
    let nowhere: Outcome<RedemptionSeen> = Outcome::NotSent(Trouble::Connect);
    assert_eq!(gift_local.lookup(&key()).await, nowhere);
    assert!(peer.requests.try_recv().is_err());
}

#[tokio::test]
async fn inside_the_pause_of_a_429_nothing_is_sent() {
    let peer = Peer::start(vec![answer("429 Too Many Requests\r\nRetry-After: 600", "")]);
    let gift_local = gift_local(&peer.base);
    assert!(matches!(gift_local.reverse(&redemption()).await, Outcome::Later { .. }));
    let body = twenty(&gift_local);
    let Outcome::Later { retry_after: Some(pause) } = gift_local.redeem(&key(), &body, None).await else {
        panic!("the pause was forgotten")
    };
    assert!(pause > Duration::from_secs(500));
    assert_eq!(peer.all().await.len(), 1);
}

#[tokio::test]
async fn a_call_may_be_dropped_at_any_time_and_the_next_one_goes() {
    let mut peer = Peer::start(vec![Act::Silence, answer("200 OK", TAKEN)]);
    let gift_local = gift_local(&peer.base);
    let (key, body) = (key(), twenty(&gift_local));
    tokio::select! {
        outcome = gift_local.redeem(&key, &body, None) => panic!("{outcome:?}"),
        request = peer.requests.recv() => assert!(request.is_some()),
    }
    assert_eq!(gift_local.redeem(&key, &body, None).await, taken());
}

#[tokio::test]
async fn a_kept_connection_that_the_peer_has_closed_never_sends_twice_nor_passes_for_not_sent() {
    let length = TAKEN.len();
    let kept =
        || Act::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{TAKEN}").into_bytes());
    let mut peer = Peer::start(vec![kept(), kept()]);
    let gift_local = gift_local(&peer.base);
    let body = twenty(&gift_local);
    assert_eq!(gift_local.redeem(&key(), &body, None).await, taken());
    let second = gift_local.redeem(&key(), &body, None).await;
    assert!(second == taken() || second == Outcome::Unknown(Trouble::Broken), "{second:?}");
    assert!(peer.requests.recv().await.is_some());
    assert_eq!(peer.requests.try_recv().is_ok(), second == taken());
}

#[tokio::test]
async fn the_providers_clock_is_told_as_far_as_it_tells_one() {
    let peer = Peer::answering("200 OK\r\nDate: Wed, 09 Jul 2025 16:17:31 GMT", SHOWN);
    let gift_local = gift_local(&peer.base);
    assert_eq!(gift_local.clock_offset_ms(), None);
    gift_local.validate(&code(), ValidateFacts::default()).await;
    assert!(gift_local.clock_offset_ms().is_some_and(|offset| offset < 0));
}
