//! The raw port of a network printer (9100).
//!
//! One connection is held, because such printers serve one client at a time and refuse the next for minutes after one that
//! went without a word (fact sheet ESCPOS 2). A printer that cannot be asked gets a connection for each job: a dead one would
//! not be noticed. It is closed in order (no more bytes, then wait for the printer to close), because a reset can cost the
//! end of the slip. One that is given up in the middle of a job is reset for that very reason: what the kernel still holds
//! for it would come out later, when the printer goes on, above or behind another slip.
//!
//! How much the kernel still holds is not asked for (`SIOCOUTQ`, `SIOCOUTQNSD`). It could be evidence for *nothing printed* only
//! if not a byte of a slip had left this machine. But a slip follows a connection that was just made, or an answer that just
//! came, so the printer's window is open and the first bytes leave at once; from then on, what is not acknowledged may have
//! been received all the same. What never left counts as handed over; the proof behind it says whether it came.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Closed, Habits, Opened, Port, Wire};
use crate::printer::Reach;

/// How long the kernel lets bytes or probes stay unacknowledged before it gives the connection up: a pulled cable says
/// nothing else. Longer than a printer on Wi-Fi sleeps.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

pub(crate) struct Network {
    pub address: String,
    /// For a connection to be made.
    pub connect: Duration,
}

struct Connection {
    stream: TcpStream,
    /// It is being closed in order.
    closing: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.closing {
            // One that is dead already is as good as reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl Network {
    async fn connect(&self) -> Result<Opened, Closed> {
        let absent = Closed::to(Reach::Absent);
        let stream = timeout(self.connect, TcpStream::connect(&self.address))
            .await
            .map_err(|_| absent)?
            .map_err(|error| Closed::because(error.kind()))?;
        // Questions of three bytes must not wait for company.
        stream.set_nodelay(true).map_err(|_| absent)?;
        // Where the system knows none of these, a dead connection is noticed by its silence instead.
        let _ = sockopt::set_socket_keepalive(&stream, true);
        let _ = sockopt::set_tcp_keepidle(&stream, UNACKNOWLEDGED);
        let _ = sockopt::set_tcp_keepintvl(&stream, UNACKNOWLEDGED / 4);
        let milliseconds = u32::try_from(UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
        let _ = sockopt::set_tcp_user_timeout(&stream, milliseconds);
        Ok(Opened { wire: Box::new(Connection { stream, closing: false }), identity: None })
    }
}

impl Port for Network {
    fn habits(&self) -> Habits {
        Habits { mute: false, kept: false, reopened: true }
    }

    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>> {
        Box::pin(self.connect())
    }

    fn place(&self) -> String {
        format!("network {}", self.address)
    }
}

impl Wire for Connection {
    /// Says that no more bytes come and waits, for a while, until the printer has closed too.
    fn close(mut self: Box<Self>, patience: Duration) -> BoxFuture<'static, ()> {
        self.closing = true;
        Box::pin(async move {
            let mut rest = [0_u8; 64];
            let _ = timeout(patience, async {
                self.stream.shutdown().await?;
                while self.stream.read(&mut rest).await? > 0 {}
                io::Result::Ok(())
            })
            .await;
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
