//! A client on a bare socket: it sends bytes and tells a reset from silence from half an answer, which an HTTP library
//! would hide.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tilld_sandbox::{Fault, Provider, QueuedFault, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a client waits for an answer that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a call ended for its client.
#[derive(Debug, PartialEq)]
pub enum End {
    Answer(Answer),
    /// RST, or an end without a byte.
    Reset,
    /// Fewer bytes than `Content-Length` says.
    Cut,
}

#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    /// Status, and the code of either of finperks' error shapes or the state of an order.
    pub fn word(&self) -> String {
        self.word_at(&["/error_code", "/error/code", "/state"])
    }

    /// Status, and the first text that stands at one of these places.
    pub fn word_at(&self, places: &[&str]) -> String {
        let body = self.json();
        let word = places.iter().find_map(|at| body.pointer(at)?.as_str());
        format!("{} {}", self.status, word.unwrap_or("-"))
    }
}

impl End {
    pub fn answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            lost => panic!("no answer: {lost:?}"),
        }
    }

    pub fn word(&self) -> String {
        match self {
            Self::Answer(answer) => answer.word(),
            Self::Reset => "reset".to_owned(),
            Self::Cut => "cut".to_owned(),
        }
    }
}

pub async fn written(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Reads until the connection ends.
pub async fn end(mut stream: TcpStream) -> End {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end in time");
    if let Err(error) = &read {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let Some(split) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        assert!(bytes.is_empty(), "half a head");
        return End::Reset;
    };
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let text = String::from_utf8_lossy(&bytes[split + 4..]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let answer = Answer { status, head, text };
    let length: Option<usize> = answer.header("content-length").map(|length| length.parse().unwrap());
    if length.is_some_and(|length| bytes.len() - split - 4 < length) { End::Cut } else { End::Answer(answer) }
}

/// Whether nothing has come to a client so far, not even an end.
pub fn is_silent(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// A call at the control door.
pub async fn control(sandbox: &Sandbox<impl Provider>, method: &str, path: &str, body: &str) -> Answer {
    let address = sandbox.control_address();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    end(written(address, format!("{head}{body}").as_bytes()).await).await.answer()
}

/// Any bytes at the control door.
pub async fn raw_control(sandbox: &Sandbox<impl Provider>, head: &str) -> Answer {
    end(written(sandbox.control_address(), head.as_bytes()).await).await.answer()
}

/// Queues a fault for the next call of a kind.
pub fn next<P: Provider>(sandbox: &Sandbox<P>, call: P::Call, fault: Fault) {
    sandbox.fault(QueuedFault::next(call, fault)).unwrap();
}
