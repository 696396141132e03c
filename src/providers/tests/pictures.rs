//! Pictures of products on a real line: what is asked for, what goes along, and what is made of every answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

mod peer;

use std::net::TcpListener;

use peer::{Act, Peer, answer, header};
use tilld_domain::outcome::Outcome;
use tilld_domain::secret::Secret;
use tilld_providers::finperks::{Finperks, Pictures, Settings};
use tilld_providers::http::SetUpError;
use tilld_providers::picture::{LARGEST, NoPicture, Picture, PictureAddress, PictureKind};
use tilld_providers::{Catalogue, GiftCards};

fn settings(base: &str, pictures: Option<Pictures>) -> Settings {
    let secret = Secret::new("test-secret-0123456789abcdef".to_owned());
    let plain = Settings::new(base.to_owned(), "client-1".to_owned(), secret, "DE".parse().unwrap());
    Settings { pictures, ..plain }
}

fn finperks(base: &str) -> Finperks {
    let pictures = Pictures { field: "image_url".to_owned(), hosts: vec!["cdn.example.test".to_owned()] };
    Finperks::new(settings(base, Some(pictures))).unwrap()
}

/// A catalogue of one product that names a picture.
fn catalogue(address: &str) -> Act {
    let product = r#""code":"p1","kind":"por","currency":"EUR","face_values":["5"]"#;
    answer("200 OK", &format!(r#"[{{{product},"image_url":"{address}"}}]"#))
}

fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([0, 0, 0, 160, 0, 0, 0, 100, 8, 2, 0, 0, 0, 1, 2, 3, 4]);
    bytes
}

fn of_bytes(status: &str, body: &[u8], length: usize) -> Act {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    Act::Answer([head.as_bytes(), body].concat())
}

async fn named(finperks: &Finperks) -> Vec<PictureAddress> {
    let Outcome::Done(Catalogue { products, pictures, .. }) = finperks.products().await else {
        panic!("no catalogue")
    };
    assert_eq!(products.len(), 1);
    pictures.into_iter().map(|(_, address)| address).collect()
}

/// What is made of an answer to the one picture that is named; and what was asked.
async fn fetched(act: Act) -> (Result<Picture, NoPicture>, Vec<String>) {
    let peer = Peer::start(vec![catalogue("/pictures/p1.png?size=2"), act]);
    let finperks = finperks(&peer.base);
    let addresses = named(&finperks).await;
    let picture = finperks.picture(&addresses[0]).await;
    (picture, peer.all().await)
}

#[tokio::test]
async fn a_picture_is_asked_for_as_by_anybody() {
    let (picture, requests) =
        fetched(of_bytes("200 OK\r\nContent-Type: text/html", &png(), png().len())).await;
    let picture = picture.unwrap();
    assert_eq!((picture.kind(), picture.bytes()), (PictureKind::Png, png().as_slice()));
    assert!(requests[1].starts_with("GET /pictures/p1.png?size=2 HTTP/1.1\r\n"), "{}", requests[1]);
    for name in ["authorization", "date", "cookie", "idempotency-key", "referer"] {
        assert_eq!(header(&requests[1], name), None, "{name}");
    }
    assert!(header(&requests[0], "authorization").is_some(), "a call is signed all the same");
}

#[tokio::test]
async fn every_other_answer_is_no_picture() {
    let large = [png(), vec![0; LARGEST]].concat();
    let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let mut wide = png();
    wide[16..20].copy_from_slice(&65_000_u32.to_be_bytes());
    for (status, body, length, expected) in [
        ("404 Not Found", svg, svg.len(), NoPicture::Answered(404)),
        ("403 Forbidden", &png(), png().len(), NoPicture::Answered(403)),
        ("206 Partial Content", &png(), png().len(), NoPicture::Answered(206)),
        ("304 Not Modified", b"", 0, NoPicture::Answered(304)),
        ("200 OK\r\nContent-Type: image/svg+xml", svg, svg.len(), NoPicture::NotOne),
        ("200 OK\r\nContent-Type: image/png", b"<html><script>1</script></html>", 31, NoPicture::NotOne),
        ("200 OK", b"", 0, NoPicture::NotOne),
        ("200 OK", &large, large.len(), NoPicture::TooLarge),
        // The line broke in the middle of it.
        ("200 OK", &png(), 100, NoPicture::NotNow),
        ("200 OK", &wide, wide.len(), NoPicture::TooWide),
        ("500 Internal Server Error", &png(), png().len(), NoPicture::NotNow),
        ("503 Service Unavailable", b"", 0, NoPicture::NotNow),
        ("429 Too Many Requests", b"", 0, NoPicture::NotNow),
    ] {
        let (picture, _) = fetched(of_bytes(status, body, length)).await;
        assert_eq!(picture, Err(expected), "{status}");
        assert_eq!(expected.may_pass(), expected == NoPicture::NotNow);
    }
    for act in [Act::Close, Act::ReadAndClose] {
        assert_eq!(fetched(act).await.0, Err(NoPicture::NotNow));
    }
}

#[tokio::test]
async fn one_that_does_not_come_may_be_given_up_and_the_next_one_goes() {
    let whole = of_bytes("200 OK", &png(), png().len());
    let mut peer = Peer::start(vec![catalogue("/p.png"), Act::Silence, whole]);
    let finperks = finperks(&peer.base);
    let addresses = named(&finperks).await;
    assert!(peer.requests.recv().await.is_some());
    tokio::select! {
        picture = finperks.picture(&addresses[0]) => panic!("{picture:?}"),
        request = peer.requests.recv() => assert!(request.is_some()),
    }
    assert!(finperks.picture(&addresses[0]).await.is_ok());
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{status} Found\r\nLocation: http://{}/x.png", elsewhere.local_addr().unwrap());
        let (picture, requests) = fetched(of_bytes(&to, b"", 0)).await;
        assert_eq!((picture, requests.len()), (Err(NoPicture::Answered(status)), 2));
    }
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn only_what_lies_where_it_may_is_named_at_all() {
    for (address, taken) in [
        ("/p.png", true),
        ("https://cdn.example.test/p.png", true),
        ("https://evil.example/p.png", false),
        ("http://cdn.example.test/p.png", false),
        ("http://127.0.0.1:1/p.png", false),
        ("file:///etc/passwd", false),
        ("", false),
    ] {
        let peer = Peer::start(vec![catalogue(address)]);
        assert_eq!(named(&finperks(&peer.base)).await.len(), usize::from(taken), "{address}");
    }
    // Nor is anything without the setting, and of what is not sold here.
    let peer = Peer::start(vec![catalogue("/p.png")]);
    let without = Finperks::new(settings(&peer.base, None)).unwrap();
    assert!(!without.has_pictures());
    assert_eq!(named(&without).await, []);
    let foreign = r#"[{"code":"p1","kind":"por","currency":"CHF","country":"CH","face_values":["5"],"image_url":"/p.png"}]"#;
    let peer = Peer::answering("200 OK", foreign);
    assert_eq!(named(&finperks(&peer.base)).await, []);
}

#[tokio::test]
async fn after_a_429_no_picture_is_asked_for_until_the_pause_is_over() {
    let peer =
        Peer::start(vec![catalogue("/p.png"), answer("429 Too Many Requests\r\nRetry-After: 600", "")]);
    let finperks = finperks(&peer.base);
    let addresses = named(&finperks).await;
    for _ in 0..3 {
        assert_eq!(finperks.picture(&addresses[0]).await, Err(NoPicture::NotNow));
    }
    assert_eq!(peer.all().await.len(), 2);
}

#[tokio::test]
async fn a_429_for_a_picture_holds_up_nothing_that_is_sold() {
    let peer = Peer::start(vec![
        catalogue("/p.png"),
        answer("429 Too Many Requests\r\nRetry-After: 600", ""),
        catalogue("/p.png"),
    ]);
    let finperks = finperks(&peer.base);
    let addresses = named(&finperks).await;
    assert_eq!(finperks.picture(&addresses[0]).await, Err(NoPicture::NotNow));
    assert_eq!(named(&finperks).await, addresses, "the next call goes out");
}

#[test]
fn hosts_that_can_be_none_are_refused_before_anything_is_sent() {
    let pictures =
        Pictures { field: "image_url".to_owned(), hosts: vec!["https://cdn.example.test".to_owned()] };
    let refused = Finperks::new(settings("https://api.example.test", Some(pictures)));
    assert_eq!(refused.err(), Some(SetUpError::PictureHosts));
}
