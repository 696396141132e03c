//! The till's side of HTTP. As little as it takes: what a till's own HTTP library costs is not tilld's time.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The tills of one door.
pub struct Tills {
    address: SocketAddr,
    token: &'static str,
    /// Connections that wait for their next request.
    lines: Mutex<Vec<TcpStream>>,
}

/// An answer, and when it was asked for.
pub struct Answered {
    /// Just before the request was written, which is one write.
    pub asked: Instant,
    /// From then to the last byte of the answer.
    pub took: Duration,
    pub body: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

impl Tills {
    pub fn new(address: SocketAddr, token: &'static str) -> Self {
        Self { address, token, lines: Mutex::default() }
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answered {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let waiting = self.lines.lock().unwrap().pop();
        let mut line = match waiting {
            Some(line) => line,
            None => TcpStream::connect(self.address).await.unwrap(),
        };
        line.set_nodelay(true).unwrap();
        let asked = Instant::now();
        line.write_all(request.as_bytes()).await.unwrap();
        let body = answer(&mut line).await;
        let took = asked.elapsed();
        self.lines.lock().unwrap().push(line);
        Answered { asked, took, body }
    }
}

/// The body of the next answer on a line.
async fn answer(line: &mut TcpStream) -> String {
    let mut read = Vec::with_capacity(16 * 1024);
    loop {
        assert!(line.read_buf(&mut read).await.unwrap() > 0, "the line was closed");
        let text = std::str::from_utf8(&read).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return body.to_owned();
        }
    }
}
