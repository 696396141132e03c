//! The door itself: connections, bounded in number and in time.
//!
//! - [`MOST_CONNECTIONS`] at once. One more is told so and closed; of those that are being told there are bounded many too.
//! - A request's head must arrive within [`HEAD_WAIT`], also after an earlier request: an idle connection ends by it.
//! - Whoever does not take the next piece of an answer within [`Waits::write`] loses the connection, a listener of events
//!   its seat: nobody can hold one by not reading. Time in which there is nothing to write does not count.
//! - `TCP_NODELAY` is on: answers are small and somebody waits for each.
//! - When the door closes it takes nobody new, ends the event streams, lets requests that are on their way be answered, and
//!   after [`Waits::drain`] cuts off what is left.
//!
//! Deliberately absent: TLS, Unix sockets, HTTP/2. The listener is made by the caller, who alone knows the address.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::problem::{Objection, Problem};

/// How many connections may be open at once.
pub(crate) const MOST_CONNECTIONS: usize = 64;
/// How many connections too many are told so at once; others are closed without a word.
const MOST_TURNED_AWAY: usize = 16;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// The most bytes of a request's head.
const MOST_HEAD_BYTES: usize = 32 * 1024;
/// How long one that is turned away may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the door waits for others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// How long an answer may wait for its reader to take the next piece of it.
    pub(crate) write: Duration,
    /// How long requests may go on after the door has closed: longer than the counter's own last orders.
    pub(crate) drain: Duration,
}

impl Waits {
    /// What is right for tills that are inside this machine.
    pub(crate) const DESIGN: Self = Self { write: Duration::from_secs(10), drain: Duration::from_secs(20) };
}

/// How long to wait when no connection can be taken at all, as when there are no file descriptors left.
const BREATH: Duration = Duration::from_millis(100);

/// Whether the door is closing. Every request of a served app carries it.
#[derive(Debug, Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Ends when the door closes.
    pub(crate) async fn wait(&mut self) {
        // A door that is gone without a word has closed too.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

/// Serves `app` to whoever comes to `listener`, until `shutdown` ends; then closes the door, and returns when the last
/// request has been answered or has had its time. The counter should be stopped after that, not before: it is what gives
/// the last answers.
pub async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()> + Send) {
    serve_within(Waits::DESIGN, listener, app, shutdown).await;
}

/// As [`serve`], with other waits.
pub(crate) async fn serve_within(
    waits: Waits,
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let seats = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let benches = Arc::new(Semaphore::new(MOST_TURNED_AWAY));
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
                        connections.spawn(connection(stream, waits, app.clone(), Closing(closing.clone()), seat));
                    } else if let Ok(bench) = Arc::clone(&benches).try_acquire_owned() {
                        connections.spawn(turn_away(stream, bench));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    // Nobody may be listening for it: then there is nothing to end.
    let _ = close.send(true);
    let drained =
        tokio::time::timeout(waits.drain, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off: the door closes");
    }
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    waits: Waits,
    app: Router,
    closing: Closing,
    _seat: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection without TCP_NODELAY");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(waits.write));
    let stream = TokioIo::new(Box::pin(stream));
    let mut door = closing.clone();
    let service = app.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(closing.clone());
        request
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT).max_buf_size(MOST_HEAD_BYTES);
    let mut served = pin!(builder.serve_connection(stream, TowerToHyperService::new(service)));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = door.wait() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Tells one connection too many that it is one too many.
async fn turn_away(stream: TcpStream, _bench: OwnedSemaphorePermit) {
    let goodbye = async {
        let service = tower::service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Problem::from(Objection::TooManyConnections).into_response())
        });
        let mut builder = http1::Builder::new();
        builder.keep_alive(false).max_buf_size(MOST_HEAD_BYTES);
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
    };
    // Whether it heard is its own affair.
    let _: Result<Result<(), hyper::Error>, _> = tokio::time::timeout(FAREWELL, goodbye).await;
}
