//! One connection, and the two ways to end it that HTTP has no word for.
//!
//! A connection can be *cut*: the next byte that would leave is not sent, and closing the socket then sends RST instead
//! of FIN (linger zero), so that a client sees a reset where it waited for an answer. And it ends when the sandbox is
//! shut down, whatever it was waiting for. The number of connections is bounded; more of them wait in the kernel's queue.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Connections at once at one door.
const MOST_CONNECTIONS: usize = 256;

/// The pause after a failed accept (too many open files): the only cure is that others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Waits until the sandbox closes, also by being dropped.
pub async fn closed(mut closing: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the other way to close.
    let _ = closing.wait_for(|closing| *closing).await.is_ok();
}

/// A listening socket.
pub struct Door {
    tcp: TcpListener,
    places: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

impl Door {
    /// Listens at a loopback address; any other is refused.
    pub async fn open(address: SocketAddr, closing: watch::Receiver<bool>) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let why = format!("the sandbox listens at loopback addresses only, and {address} is none");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let tcp = TcpListener::bind(address).await?;
        Ok(Self { tcp, places: Arc::new(Semaphore::new(MOST_CONNECTIONS)), closing })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // The semaphore is never closed.
                return std::future::pending().await;
            };
            match self.tcp.accept().await {
                Ok((stream, peer)) => {
                    // Small answers must not wait for the client's acknowledgements. A peer that is gone already is
                    // found out by the first read.
                    let _ = stream.set_nodelay(true).is_ok();
                    let line = Line {
                        stream,
                        end: LineEnd(Arc::new(AtomicBool::new(false))),
                        closed: Some(Box::pin(closed(self.closing.clone()))),
                        _place: place,
                    };
                    return (line, peer);
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// What a handler holds of its connection.
#[derive(Clone)]
pub struct LineEnd(Arc<AtomicBool>);

impl LineEnd {
    /// Whatever is answered now is not sent; the client sees a reset.
    pub fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Door>> for LineEnd {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().end.clone()
    }
}

/// A connection.
pub struct Line {
    stream: TcpStream,
    end: LineEnd,
    /// Gone once it has been ready.
    closed: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _place: OwnedSemaphorePermit,
}

impl Line {
    fn reset(&self) -> io::Error {
        // If the option cannot be set the client sees FIN instead of RST: also no answer.
        let _ = self.stream.set_zero_linger().is_ok();
        io::ErrorKind::ConnectionReset.into()
    }

    /// Registers for the close of the sandbox as well.
    fn over(&mut self, context: &mut Context<'_>) -> Option<io::Error> {
        match &mut self.closed {
            Some(closed) => match closed.as_mut().poll(context) {
                Poll::Pending => None,
                Poll::Ready(()) => {
                    self.closed = None;
                    Some(self.reset())
                }
            },
            None => Some(self.reset()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.over(context) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end.0.load(Ordering::Acquire) {
            return Poll::Ready(Err(self.reset()));
        }
        if let Some(error) = self.over(context) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.0.load(Ordering::Acquire) {
            return Poll::Ready(Err(self.reset()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
