//! A serial line: `/dev/ttyS0`, or an adapter or printer that is one (`/dev/ttyUSB0`, `/dev/ttyACM0`; the names below
//! `/dev/serial/by-id` stay the same over a replug).
//!
//! Facts that shape it (fact sheet ESCPOS 1.2). DTR falls when the line is closed, and some printers take that for a reset: it
//! stays open for life. A write must never wait for the line, and `tcdrain` has no end while CTS is low: the line is not
//! blocking, is never flushed, and before it is closed what it still holds is thrown away, or closing would wait. An unplugged
//! adapter reads as an endless end of file, which is the end of the line here as everywhere. Flow control by XON/XOFF is IXON
//! alone: with IXOFF the kernel would put its own 0x11 and 0x13 between the bytes of a slip. Linux has no DTR/DSR flow
//! control; Epson printers drive RTS with DTR, so that a full null-modem cable and `rts_cts` work.
//!
//! What the kernel was given is not yet on the line, and what an adapter holds nobody can ask for. So the line also counts
//! for itself: a byte takes its bits by the baud rate, and no byte is believed to have left before its time.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::fs::OFlags;
use rustix::termios::{self, InputModes, OptionalActions};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialPortBuilderExt, SerialStream};

use super::{Aside, Closed, Habits, Opened, Port, Wire};
use crate::plugged::{Plugged, SerialAddress};
use crate::printer::Reach;

/// The bit that lets a printer find an error in a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Parity {
    /// None: the usual case.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// How a printer says that its buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flow {
    /// By the RTS/CTS lines.
    #[default]
    RtsCts,
    /// By XOFF and XON bytes: for cables of three wires.
    Xon,
    /// Not at all. What comes while its buffer is full is lost.
    None,
}

/// A serial line's settings. They must be the printer's own.
#[derive(Debug, Clone)]
pub struct SerialLine {
    /// The device, by what stays over a replug.
    pub device: SerialAddress,
    /// Where it is looked for.
    pub machine: Plugged,
    /// Bits a second.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// 7 or 8; with 7 a printer has ASCII alone.
    pub data_bits: u8,
    /// 1 or 2.
    pub stop_bits: u8,
    /// How the printer holds bytes up.
    pub flow: Flow,
}

impl SerialLine {
    /// What most printers are set to: 8 bits, no parity, RTS/CTS.
    pub fn new(device: SerialAddress, baud: u32) -> Self {
        let machine = Plugged::here();
        Self { device, machine, baud, parity: Parity::None, data_bits: 8, stop_bits: 1, flow: Flow::RtsCts }
    }

    /// How long a byte takes: a start bit, its own, and what is behind.
    fn byte_time(&self) -> Duration {
        let bits = 1_u64
            .saturating_add(u64::from(self.data_bits))
            .saturating_add(u64::from(self.parity != Parity::None))
            .saturating_add(u64::from(self.stop_bits));
        let nanoseconds = bits.saturating_mul(1_000_000_000).checked_div(u64::from(self.baud)).unwrap_or(0);
        Duration::from_nanos(nanoseconds)
    }

    fn connect(&self) -> Result<Serial, Closed> {
        let path = self.machine.serial(&self.device).map_err(|_| Closed::to(Reach::Absent))?;
        // Opened beforehand, while nobody is shut out yet: settings belong to the device, not to who opened it.
        let settings = for_settings(&path)?;
        let name = path.to_str().ok_or(Closed::to(Reach::Absent))?;
        let stream = tokio_serial::new(name, self.baud)
            .parity(match self.parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Even => tokio_serial::Parity::Even,
                Parity::Odd => tokio_serial::Parity::Odd,
            })
            .data_bits(if self.data_bits == 7 {
                tokio_serial::DataBits::Seven
            } else {
                tokio_serial::DataBits::Eight
            })
            .stop_bits(if self.stop_bits == 2 {
                tokio_serial::StopBits::Two
            } else {
                tokio_serial::StopBits::One
            })
            .flow_control(match self.flow {
                Flow::RtsCts => tokio_serial::FlowControl::Hardware,
                Flow::Xon | Flow::None => tokio_serial::FlowControl::None,
            })
            .open_native_async()
            .map_err(|error| why(&error, &path))?;
        let mut modes = termios::tcgetattr(&settings).map_err(|_| Closed::to(Reach::Absent))?;
        // A line that breaks down (the printer's power goes) would otherwise be read as NULs, which are what `GS r` is
        // answered by.
        modes.input_modes.insert(InputModes::IGNBRK | InputModes::IGNPAR);
        if self.flow == Flow::Xon {
            modes.input_modes.insert(InputModes::IXON);
        }
        termios::tcsetattr(&settings, OptionalActions::Now, &modes).map_err(|_| Closed::to(Reach::Absent))?;
        Ok(Serial {
            stream,
            byte_time: self.byte_time(),
            overruns: self.flow == Flow::None,
            busy_until: Instant::now(),
        })
    }
}

fn for_settings(path: &Path) -> Result<std::fs::File, Closed> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(|error| Closed::because(error.kind()))
}

/// The library says "no device" also of one that another program has.
fn why(error: &tokio_serial::Error, path: &Path) -> Closed {
    match error.kind() {
        tokio_serial::ErrorKind::Io(kind) => Closed::because(kind),
        _ if path.exists() => Closed::to(Reach::Taken),
        _ => Closed::to(Reach::Absent),
    }
}

/// A line with what opens it.
pub(crate) struct SerialPort {
    line: SerialLine,
    aside: Aside,
}

impl SerialPort {
    pub fn new(line: SerialLine) -> Self {
        Self { line, aside: Aside::new() }
    }
}

impl Port for SerialPort {
    fn habits(&self) -> Habits {
        Habits { mute: false, kept: true, reopened: false }
    }

    fn open(&self) -> BoxFuture<'_, Result<Opened, Closed>> {
        let line = self.line.clone();
        let connect = move || line.connect().map(|wire| Opened { wire: Box::new(wire), identity: None });
        Box::pin(self.aside.open(connect))
    }

    fn place(&self) -> String {
        format!("serial {}", self.line.device)
    }
}

struct Serial {
    stream: SerialStream,
    byte_time: Duration,
    overruns: bool,
    /// When the bytes that were given will have left at the earliest.
    busy_until: Instant,
}

impl Wire for Serial {
    fn unsent(&self) -> usize {
        let queued =
            self.stream.bytes_to_write().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let left = self.busy_until.saturating_duration_since(Instant::now());
        let flying = left.as_nanos().checked_div(self.byte_time.as_nanos()).unwrap_or(0);
        let flying = usize::try_from(flying).unwrap_or(usize::MAX);
        let last = usize::from(!left.is_zero());
        queued.max(flying.saturating_add(last))
    }

    fn byte_time(&self) -> Duration {
        self.byte_time
    }

    fn overruns(&self) -> bool {
        self.overruns
    }

    fn discard(&mut self) -> bool {
        self.busy_until = Instant::now();
        self.stream.clear(ClearBuffer::Output).is_ok()
    }

    fn close(self: Box<Self>, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // Closing waits for what the line still holds, half a minute and longer while CTS is low.
        let _ = self.stream.clear(ClearBuffer::All);
    }
}

impl AsyncRead for Serial {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Serial {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            let time = self.byte_time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
            self.busy_until = self.busy_until.max(Instant::now()) + time;
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_takes_all_of_its_bits() {
        let line = SerialLine::new(SerialAddress::Path("/dev/ttyS0".into()), 9600);
        let stiff = SerialLine { parity: Parity::Even, data_bits: 7, stop_bits: 2, ..line.clone() };
        for (line, microseconds) in
            [(line.clone(), 1041), (SerialLine { baud: 115_200, ..line }, 86), (stiff, 1145)]
        {
            assert_eq!(line.byte_time().as_micros(), microseconds, "{line:?}");
        }
    }
}
