//! One connection, and the two ways to end it that HTTP has no word for.
//!
//! A connection can be *cut*: the next byte that would leave is not sent, and closing the socket then sends RST instead
//! of FIN (linger zero), so that a client sees a reset where it waited for an answer. And it ends when the sandbox is
//! shut down, whatever it was waiting for. The number of connections is bounded; more of them wait in the kernel's queue.
//!
//! A door can be *unplugged*: its connections are reset, and whoever dials it is refused by the kernel, as where a router has no
//! power. Its port stays its own meanwhile: a second socket that never listens holds it from the beginning.

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
use tokio::net::{TcpListener, TcpSocket, TcpStream};
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

/// Waits until a door is unplugged; for ever if nobody can do that any more.
async fn unplugged(mut plugged: watch::Receiver<bool>) {
    if plugged.wait_for(|plugged| !*plugged).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whoever plugs a door in and out.
pub struct Plug {
    wanted: watch::Sender<bool>,
    is: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl Plug {
    /// Returns when it is so; after an unplugging also every connection has been reset.
    pub async fn set(&self, plugged: bool) {
        self.wanted.send_replace(plugged);
        // An error means that the door is gone, which takes nobody in either.
        let _ = self.is.clone().wait_for(|is| *is == plugged).await.is_ok();
        if !plugged {
            let all = u32::try_from(MOST_CONNECTIONS).unwrap_or(u32::MAX);
            let _ = self.places.acquire_many(all).await.is_ok();
        }
    }
}

/// A listening socket.
pub struct Door {
    /// None while it is unplugged.
    tcp: Option<TcpListener>,
    /// Bound to the same port, never listening: nobody else gets it.
    held: TcpSocket,
    address: SocketAddr,
    places: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
    wanted: watch::Receiver<bool>,
    is: watch::Sender<bool>,
}

/// A socket that keeps its port from being given out as a free one. Whoever names the port, and does not listen yet, may share it.
fn holding(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Door {
    /// Listens at a loopback address; any other is refused.
    pub async fn open(address: SocketAddr, closing: watch::Receiver<bool>) -> io::Result<(Self, Plug)> {
        if !address.ip().is_loopback() {
            let why = format!("the sandbox listens at loopback addresses only, and {address} is none");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let held = holding(address)?;
        let address = held.local_addr()?;
        let tcp = Some(TcpListener::bind(address).await?);
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let (wanting, wanted) = watch::channel(true);
        let is = watch::Sender::new(true);
        let plug = Plug { wanted: wanting, is: is.subscribe(), places: Arc::clone(&places) };
        Ok((Self { tcp, held, address, places, closing, wanted, is }, plug))
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.held.local_addr()
    }

    /// The next connection; an error where none could be taken.
    async fn next(&mut self) -> io::Result<(Line, SocketAddr)> {
        if !*self.wanted.borrow() {
            self.tcp = None;
            self.is.send_replace(false);
            if self.wanted.wait_for(|wanted| *wanted).await.is_err() {
                return std::future::pending().await;
            }
        }
        let tcp = match self.tcp.take() {
            Some(tcp) => tcp,
            None => TcpListener::bind(self.address).await?,
        };
        let tcp = self.tcp.insert(tcp);
        self.is.send_replace(true);
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            // The semaphore is never closed.
            return std::future::pending().await;
        };
        let (stream, peer) = TcpListener::accept(tcp).await?;
        // Small answers must not wait for the client's acknowledgements. A peer that is gone already is found out by the
        // first read.
        let _ = stream.set_nodelay(true).is_ok();
        let (closing, wanted) = (self.closing.clone(), self.wanted.clone());
        let closed = async {
            tokio::select! { () = closed(closing) => {}, () = unplugged(wanted) => {} }
        };
        let end = LineEnd(Arc::new(AtomicBool::new(false)));
        Ok((Line { stream, end, closed: Some(Box::pin(closed)), _place: place }, peer))
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            let wanted = self.wanted.clone();
            let pulled = async {
                // Once it is unplugged there is nothing to interrupt.
                if *wanted.borrow() { unplugged(wanted).await } else { std::future::pending().await }
            };
            let next = tokio::select! {
                next = self.next() => next,
                () = pulled => continue,
            };
            match next {
                Ok(next) => return next,
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address()
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
