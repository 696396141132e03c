//! TLS: a certificate that nobody vouches for ends before the first byte of a request.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::secret::Secret;
use tilld_providers::GiftCards;
use tilld_providers::finperks::{Finperks, Pictures, Settings};
use tilld_providers::http::SetUpError;

struct Server {
    base: String,
    /// Its own certificate in PEM form.
    pem: String,
}

/// Serves one connection with a self-signed certificate for `name`, and ends.
fn server(name: &str) -> Server {
    serving(name, |_| b"[]".to_vec())
}

/// The same, with the body of the answer by the request.
fn serving(name: &str, body: impl FnOnce(&str) -> Vec<u8> + Send + 'static) -> Server {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), tcp);
        let mut request = [0; 4096];
        // A client that does not like the certificate ends the handshake here.
        if let Ok(count @ 1..) = stream.read(&mut request) {
            let body = body(&String::from_utf8_lossy(&request[..count]));
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            stream.conn.send_close_notify();
            let _flushed = stream.flush();
        }
    });
    Server { base, pem: made.cert.pem() }
}

fn settings(base: &str) -> Settings {
    Settings::new(
        base.to_owned(),
        "client-1".to_owned(),
        Secret::new("test-secret-0123456789abcdef".to_owned()),
        "DE".parse().unwrap(),
    )
}

/// What a call to `server` ends with when `trusted` is the additional root.
async fn call(server: &Server, trusted: &str) -> Outcome<Vec<tilld_providers::Balance>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trusted).unwrap();
    let settings = Settings { extra_roots: Some(file.path().to_owned()), ..settings(&server.base) };
    Finperks::new(settings).unwrap().balances().await
}

#[tokio::test]
async fn a_certificate_that_is_vouched_for_is_taken() {
    let server = server("localhost");
    assert_eq!(call(&server, &server.pem).await, Outcome::Done(Vec::new()));
}

#[tokio::test]
async fn a_picture_of_a_named_host_comes_over_tls_of_its_own_without_the_providers_headers() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x09\0\0\0\x09".to_vec();
    let (told, asked) = std::sync::mpsc::channel();
    let bytes = png.clone();
    let other = serving("localhost", move |request| {
        told.send(request.to_ascii_lowercase()).unwrap();
        bytes
    });
    let host = other.base.trim_start_matches("https://").to_owned();
    let address = format!("{}/p.png", other.base);
    let own = serving("localhost", move |_| {
        let product = r#""code":"p1","kind":"por","currency":"EUR","face_values":["5"]"#;
        format!(r#"[{{{product},"image_url":"{address}"}}]"#).into_bytes()
    });
    let roots = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(roots.path(), format!("{}{}", own.pem, other.pem)).unwrap();
    let pictures = Pictures { field: "image_url".to_owned(), hosts: vec![host.clone()] };
    let settings = Settings {
        extra_roots: Some(roots.path().to_owned()),
        pictures: Some(pictures),
        ..settings(&own.base)
    };
    let finperks = Finperks::new(settings).unwrap();
    let Outcome::Done(catalogue) = finperks.products().await else { panic!("no catalogue") };
    let picture = finperks.picture(&catalogue.pictures[0].1).await.unwrap();
    assert_eq!(picture.bytes(), png);
    let request = asked.recv().unwrap();
    assert!(request.contains(&format!("host: {host}\r\n")), "{request}");
    for name in ["authorization:", "date:", "cookie:"] {
        assert!(!request.contains(name), "{request}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_maker_or_another_host_means_not_sent() {
    let (stranger, other) = (server("localhost"), server("localhost"));
    assert_eq!(call(&stranger, &other.pem).await, Outcome::NotSent(Trouble::Connect));
    let misnamed = server("api.example.test");
    assert_eq!(call(&misnamed, &misnamed.pem).await, Outcome::NotSent(Trouble::Connect));
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    for (base, expected) in [
        ("http://api.example.test", SetUpError::NotHttps),
        ("http://192.168.1.10:8080", SetUpError::NotHttps),
        ("https://192.168.1.10", SetUpError::IpAddress),
    ] {
        assert_eq!(Finperks::new(settings(base)).unwrap_err(), expected, "{base}");
    }
}

#[test]
fn a_file_of_roots_that_is_none_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for content in ["", "not a certificate"] {
        std::fs::write(file.path(), content).unwrap();
        let base = "https://api.example.test";
        let settings = Settings { extra_roots: Some(file.path().to_owned()), ..settings(base) };
        assert_eq!(Finperks::new(settings).unwrap_err(), SetUpError::Roots, "{content}");
    }
    let missing =
        Settings { extra_roots: Some("/nowhere.pem".into()), ..settings("https://api.example.test") };
    assert_eq!(Finperks::new(missing).unwrap_err(), SetUpError::Roots);
}
