//! The door on a real socket: connections too many, closing, and bytes that are no HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::serve::MOST_CONNECTIONS;

struct Served {
    address: SocketAddr,
    close: oneshot::Sender<()>,
    door: JoinHandle<()>,
}

async fn serve(house: &House) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
    let app = app(ApiState::new(house.counter.clone(), token, address));
    let door = tokio::spawn(crate::serve(listener, app, async move {
        let _ = closed.await;
    }));
    Served { address, close, door }
}

impl Served {
    async fn say(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// What comes until the head of an answer is whole.
async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&some[..count]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_the_others_are_served() {
    let house = House::bare().await;
    let served = serve(&house).await;
    let mut kept = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        let mut stream = served.say("/v1/health").await;
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200"));
        kept.push(stream);
    }
    let mut one_more = served.say("/v1/health").await;
    let mut answer = String::new();
    one_more.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too_many_connections"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn a_closing_door_ends_streams_and_answers_who_is_on_the_way() {
    let house = House::new().await;
    let served = serve(&house).await;
    let mut listening = served.say("/v1/events").await;
    assert!(head(&mut listening).await.starts_with("HTTP/1.1 200"));
    house.hold_creates();
    let mut selling = TcpStream::connect(served.address).await.unwrap();
    let body = one_card("R1", POR);
    let request = format!(
        "POST /v1/sales HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nIdempotency-Key: k1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    );
    selling.write_all(request.as_bytes()).await.unwrap();
    while house.counter.health().await.open_sales == 0 {
        tokio::task::yield_now().await;
    }
    served.close.send(()).unwrap();
    let mut rest = String::new();
    listening.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    assert!(TcpStream::connect(served.address).await.is_err());
    house.let_creates_go();
    let mut answer = String::new();
    selling.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    served.door.await.unwrap();
}

#[tokio::test]
async fn what_is_no_http_is_answered_and_the_door_stays_open() {
    let house = House::bare().await;
    let served = serve(&house).await;
    let long = format!("GET /v1/health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for (bytes, status) in [
        ("\u{1b}p0\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 400"),
        (long.as_str(), "HTTP/1.1 431"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // The door may hang up before it has all of it.
        let _ = stream.write_all(bytes.as_bytes()).await;
        assert!(head(&mut stream).await.starts_with(status));
    }
    assert!(head(&mut served.say("/v1/health").await).await.starts_with("HTTP/1.1 200"));
}
