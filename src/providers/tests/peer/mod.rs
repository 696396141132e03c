//! The other end of the line: a TCP listener on loopback that does what a script says, one act a connection, and keeps
//! what it was sent. It knows nothing of the crate under test.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use tokio::sync::mpsc;

/// What the peer does with its next connection.
pub enum Act {
    /// Accepts and closes.
    Close,
    /// Reads the request and closes.
    ReadAndClose,
    /// Reads the request and answers these bytes, then closes.
    Answer(Vec<u8>),
    /// Reads the request and says nothing as long as the peer lives.
    Silence,
}

/// The peer; everything that it received comes out of `requests`.
pub struct Peer {
    pub base: String,
    pub requests: mpsc::UnboundedReceiver<String>,
}

impl Peer {
    /// Starts the script. After its last act the port is closed.
    pub fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (told, requests) = mpsc::unbounded_channel();
        thread::spawn(move || {
            let mut silent = Vec::new();
            for act in acts {
                let (mut stream, _) = listener.accept().unwrap();
                if matches!(act, Act::Close) {
                    continue;
                }
                if told.send(request(&mut stream)).is_err() {
                    return;
                }
                match act {
                    // The caller may have left already, which is its right.
                    Act::Answer(bytes) => {
                        let _sent = stream.write_all(&bytes);
                        let _closed = stream.shutdown(Shutdown::Write);
                        // Until the other side has closed, too: a reset would destroy what it has not read yet.
                        let _rest = stream.read_to_end(&mut Vec::new());
                    }
                    Act::Silence => silent.push(stream),
                    Act::Close | Act::ReadAndClose => {}
                }
            }
        });
        Self { base, requests }
    }

    /// One answer.
    pub fn answering(status: &str, body: &str) -> Self {
        Self::start(vec![answer(status, body)])
    }

    /// All requests so far; the script must be at its end.
    pub async fn all(mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(request) = self.requests.recv().await {
            all.push(request);
        }
        all
    }
}

/// A whole answer; `status` may bring header lines along, separated by CR LF.
pub fn answer(status: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes(),
    )
}

/// The value of a header of a request.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(head) = text.find("\r\n\r\n") {
            let length: usize = header(&text, "content-length").map_or(0, |value| value.parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return text.into_owned();
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "the request ends early");
        bytes.extend_from_slice(&chunk[..count]);
    }
}
