//! The door on a real socket: connections too many, closing, and bytes that are no HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::events::MOST_STREAMS;
use crate::serve::{MOST_CONNECTIONS, Waits, serve_within};

struct Served {
    address: SocketAddr,
    close: oneshot::Sender<()>,
    door: JoinHandle<()>,
}

/// A door that loses patience at once, and would wait for ever for who is left when it closes.
const HASTY: Waits = Waits { write: Duration::from_millis(50), drain: Duration::MAX };

fn serve(house: &House) -> Served {
    serve_with(house, Waits::DESIGN)
}

fn serve_with(house: &House, waits: Waits) -> Served {
    let socket = TcpSocket::new_v4().unwrap();
    // Its connections inherit it: an answer that nobody reads soon stands still.
    socket.set_send_buffer_size(8 * 1024).unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1024).unwrap();
    let address = listener.local_addr().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
    let app = app(ApiState::new(house.counter.clone(), token, address, premises()));
    let shutdown = async move {
        let _ = closed.await;
    };
    let door = tokio::spawn(async move { serve_within(waits, listener, app, shutdown).await });
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

    /// One that asks `times` times for something and never reads an answer.
    async fn stare(&self, head: &str, times: usize) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        // As little as possible goes into its own buffer.
        socket.set_recv_buffer_size(1024).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        let request = format!("GET {head}\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.repeat(times).as_bytes()).await.unwrap();
        stream
    }

    /// Asks until it is let in.
    async fn is_served(&self, path: &str) -> TcpStream {
        loop {
            let mut stream = self.say(path).await;
            let head = head(&mut stream).await;
            if head.starts_with("HTTP/1.1 200") {
                return stream;
            }
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        }
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
    let served = serve(&house);
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
async fn who_never_reads_loses_every_seat_again() {
    let house = House::bare().await;
    let served = serve_with(&house, HASTY);
    let mut staring = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        // The one path that wants no token has the longest answer.
        staring.push(served.stare("/openapi.json HTTP/1.1", 60).await);
    }
    let mut kept = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        kept.push(served.is_served("/v1/health").await);
    }
}

#[tokio::test]
async fn a_listener_that_never_reads_loses_its_seat() {
    let house = House::new().await;
    let served = serve_with(&house, HASTY);
    let mut staring = Vec::new();
    for _ in 0..MOST_STREAMS {
        let head = format!("/v1/events HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
        staring.push(served.stare(&head, 1).await);
    }
    for number in 0.. {
        streams::sell(&house, &format!("R{number}")).await;
        let head = head(&mut served.say("/v1/events").await).await;
        if number > 0 && head.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(head.contains("503 Service Unavailable"), "{head}");
    }
}

#[tokio::test]
async fn a_closing_door_does_not_wait_for_who_never_reads() {
    let house = House::bare().await;
    let served = serve_with(&house, HASTY);
    let _staring = served.stare("/openapi.json HTTP/1.1", 60).await;
    // While others are served its answers are written, until no more of them fits anywhere.
    for _ in 0..100 {
        served.is_served("/v1/health").await;
    }
    served.close.send(()).unwrap();
    served.door.await.unwrap();
}

#[tokio::test]
async fn who_may_not_come_in_is_not_kept() {
    let house = House::bare().await;
    let served = serve(&house);
    let own = served.address.to_string();
    for (host, more, status) in [
        (own.as_str(), String::new(), "401"),
        (own.as_str(), format!("Authorization: Bearer {TOKEN}\r\nOrigin: http://evil.example\r\n"), "403"),
        ("evil.example", format!("Authorization: Bearer {TOKEN}\r\n"), "421"),
        ("", format!("Authorization: Bearer {TOKEN}\r\nHost: twice\r\n"), "400"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET /v1/health HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
        // What is left is the problem, and then nothing comes any more.
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn a_closing_door_ends_streams_and_answers_who_is_on_the_way() {
    let house = House::new().await;
    let served = serve(&house);
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
    let served = serve(&house);
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
