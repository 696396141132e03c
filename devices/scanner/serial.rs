//! A scanner on a serial port: RS-232, a USB adapter, or the virtual port of a USB scanner (CDC-ACM). The best way to
//! connect one: it sends characters, not keys, and to nobody else.
//!
//! The port is found by what stays ([`SerialAddress`]) and opened for this program alone (`TIOCEXCL` and a lock). A read of
//! no bytes means that the device has gone (fact sheet ESCPOS 1.2). Nothing is ever written, so nothing can hang in a write.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
pub use tokio_serial::{DataBits, Parity};
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use zeroize::Zeroizing;

use super::framing::Framing;
use super::{Condition, Line, Outlet, Plugging, Presence, Scan, Scanner, Sign, keep_reading, look, refused};
use crate::aside::aside;
use crate::plugged::{Plugged, SerialAddress};

/// How many bytes are read at once.
const CHUNK: usize = 256;

/// A serial scanner's settings.
#[derive(Debug, Clone)]
pub struct SerialScanner {
    /// Its name in the configuration.
    pub name: String,
    /// By what its port is found.
    pub address: SerialAddress,
    /// Bits a second; a virtual port does not mind.
    pub baud: u32,
    /// Its parity.
    pub parity: Parity,
    /// Seven bits a character or eight.
    pub data_bits: DataBits,
    /// How it frames what it reads.
    pub framing: Framing,
}

/// A scanner on a serial port of a machine. Nothing is opened before it is read.
pub fn serial(settings: SerialScanner, plugged: Plugged) -> Arc<dyn Scanner> {
    Arc::new(Port { sign: Sign::new(&settings.name), settings, plugged })
}

struct Port {
    settings: SerialScanner,
    plugged: Plugged,
    sign: Sign,
}

impl Port {
    async fn open(&self, path: PathBuf) -> io::Result<SerialStream> {
        let SerialScanner { baud, parity, data_bits, .. } = self.settings;
        // The adapter is asked for its settings when it is opened: a sick one answers late.
        aside("scanner", move || {
            let builder = tokio_serial::new(path.to_string_lossy(), baud).parity(parity).data_bits(data_bits);
            builder.open_native_async().map_err(|error| match error.kind() {
                // That is what it says of a port that is locked.
                tokio_serial::ErrorKind::NoDevice => io::ErrorKind::ResourceBusy.into(),
                _ => error.into(),
            })
        })
        .await
        .flatten()
    }
}

impl Line for Port {
    type Found = Plugging;

    async fn find(&self) -> Result<Plugging, Presence> {
        let (plugged, address) = (self.plugged.clone(), self.settings.address.clone());
        look(move || Plugging::of(&plugged.serial(&address)?)).await
    }

    async fn read(&self, found: &Plugging, out: &mut Outlet<'_>) -> (Presence, bool) {
        match self.open(found.path.clone()).await {
            Ok(mut port) => {
                self.sign.says(Presence::Ready);
                (Presence::Absent, read(&mut port, out).await)
            }
            Err(error) => (refused(&error), false),
        }
    }
}

/// Reads until nothing more comes. Returns whether anything came.
async fn read(port: &mut (impl AsyncRead + Unpin), out: &mut Outlet<'_>) -> bool {
    let mut bytes = Zeroizing::new([0; CHUNK]);
    let mut anything = false;
    loop {
        let next = port.read(bytes.as_mut_slice());
        let next = match out.gap() {
            // What has come is read before the gap is looked at, so a program that was held up tears no scan apart.
            Some(gap) => timeout(gap, next).await,
            None => Ok(next.await),
        };
        match next {
            Err(_) => out.silence(),
            Ok(Ok(0) | Err(_)) => return anything,
            Ok(Ok(count)) => {
                anything = true;
                for byte in bytes.iter().take(count) {
                    out.byte(*byte);
                }
            }
        }
    }
}

impl Scanner for Port {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn condition(&self) -> watch::Receiver<Condition> {
        self.sign.condition.subscribe()
    }

    fn read(&self, scans: mpsc::Sender<Scan>) -> BoxFuture<'_, ()> {
        let out = Outlet::new(&self.sign, &self.settings.framing, scans);
        Box::pin(keep_reading(self, out))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// A GS1 code with its AIM identifier, in a frame of STX and CR LF.
    const BYTES: &[u8] = b"\x02]C10112345678901231\x1d10AB-\xc3\xa4\r\n\x024012\r\n";

    #[tokio::test]
    async fn it_does_not_matter_where_a_line_splits_the_bytes() {
        let framing = Framing { prefix: vec![2], ..Framing::default() };
        for split in 0..=BYTES.len() {
            let (first, second) = BYTES.split_at(split);
            let sign = Sign::new("counter");
            let (scans, mut read_scans) = mpsc::channel(4);
            let mut out = Outlet::new(&sign, &framing, scans);
            let (mut scanner, mut port) = tokio::io::duplex(BYTES.len());
            let sending = async move {
                scanner.write_all(first).await.unwrap();
                // The reader takes what there is, and waits again.
                tokio::task::yield_now().await;
                scanner.write_all(second).await.unwrap();
            };
            let (anything, ()) = tokio::join!(read(&mut port, &mut out), sending);
            assert!(anything);
            let mut texts = Vec::new();
            while let Ok(scan) = read_scans.try_recv() {
                texts.push(scan.text.reveal().to_owned());
            }
            assert_eq!(texts, ["]C10112345678901231\u{1d}10AB-ä", "4012"], "split at {split}");
            assert_eq!((sign.condition.borrow().scans, sign.condition.borrow().dropped.all()), (2, 0));
        }
    }
}
