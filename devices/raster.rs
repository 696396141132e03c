//! Pictures: dots into the bytes of a printer's picture commands.
//!
//! A picture goes out in bands of at most [`BAND`] rows and [`MOST_DATA`] bytes, so that a printer with a small buffer
//! begins to print before it has all of it, so that a question can be answered in between, and so that little is enough to
//! end a band that was broken off.
//!
//! A printer obeys real-time commands wherever they stand, also inside a picture (fact sheet ESCPOS 3.3): `10 04 n` makes it
//! answer, `10 05 n` drops what it holds, `10 14 1 …` opens the drawer. So no picture holds such a pair: in [`harmless`]
//! the lone dot of its first byte, 0x10, gets a neighbour. That is one dot in a picture that anybody may have made; the
//! modules of QR codes and bars are at least two dots wide, and have no lone dots.
//!
//! Absent: `GS ( L`, which few clones know; what is grey.

use tilld_domain::slip::Picture;
use zeroize::Zeroizing;

use crate::profile::Raster;

/// The most rows of one `GS v 0`: clones lose their place in longer ones (fact sheet ESCPOS 3.2).
pub const BAND: usize = 128;

/// The most data of one `GS v 0`, in bytes: as much as a QR code has that the printer draws.
const MOST_DATA: usize = 1_000;

const LF: u8 = 0x0a;
const DLE: u8 = 0x10;
const ESC: u8 = 0x1b;
const GS: u8 = 0x1d;

/// Rows of one `ESC * 33`.
const STRIPE: usize = 24;

/// Appends a picture. What is wider than `dots` is cut off at the right, as the printer would, or worse.
pub fn write(raster: Raster, picture: &Picture, dots: u16, out: &mut Vec<u8>) {
    let width = usize::from(picture.width().min(dots));
    match raster {
        Raster::GsV0 => rows(picture, width, out),
        Raster::EscStar24 => columns(picture, width, out),
        Raster::None => {}
    }
}

/// The longest data that one picture command of a paper so wide has, in bytes.
pub fn longest_data(raster: Raster, dots: u16) -> usize {
    match raster {
        Raster::GsV0 => MOST_DATA.max(usize::from(dots).div_ceil(8)),
        Raster::EscStar24 => usize::from(dots).saturating_mul(3),
        Raster::None => 0,
    }
}

/// How many rows of so many bytes one `GS v 0` has.
fn rows_a_band(bytes: usize) -> usize {
    MOST_DATA.checked_div(bytes).unwrap_or(BAND).clamp(1, BAND)
}

/// About how many bytes a picture becomes.
pub fn room(picture: &Picture) -> usize {
    let bytes = usize::from(picture.width()).div_ceil(8);
    let bands = usize::from(picture.height()).div_ceil(rows_a_band(bytes).min(STRIPE));
    bytes
        .saturating_mul(usize::from(picture.height()))
        .saturating_add(bands.saturating_add(1).saturating_mul(16))
}

/// `GS v 0 0 xL xH yL yH`, then row by row, the left dot of eight the highest bit.
fn rows(picture: &Picture, width: usize, out: &mut Vec<u8>) {
    let bytes = width.div_ceil(8);
    let height = usize::from(picture.height());
    // The dots of the last byte that are beyond the edge.
    let last = 0xff_u8 << bytes.saturating_mul(8).saturating_sub(width);
    let most = rows_a_band(bytes);
    for top in (0..height).step_by(most) {
        let band = height.saturating_sub(top).min(most);
        out.extend_from_slice(&[GS, b'v', b'0', 0]);
        out.extend_from_slice(&two(bytes));
        out.extend_from_slice(&two(band));
        let start = out.len();
        for row in (top..).take(band) {
            out.extend(picture.row(row).iter().take(bytes));
            if let Some(byte) = out.last_mut() {
                *byte &= last;
            }
        }
        harmless(out, start);
    }
}

/// `ESC 3 16`: a line no higher than its picture. Then for every 24 rows `ESC * 33 nL nH`, column by column, the upper dot
/// of eight the highest bit; then `ESC 2`, the usual line again.
fn columns(picture: &Picture, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&[ESC, b'3', 16]);
    for top in (0..usize::from(picture.height())).step_by(STRIPE) {
        out.extend_from_slice(&[ESC, b'*', 33]);
        out.extend_from_slice(&two(width));
        let start = out.len();
        for x in 0..width {
            for upper in (top..).step_by(8).take(3) {
                let dots = (upper..).take(8).map(|y| u8::from(picture.is_dark(x, y)));
                out.push(dots.fold(0, |byte, dot| byte << 1 | dot));
            }
        }
        harmless(out, start);
        out.push(LF);
    }
    out.extend_from_slice(&[ESC, b'2']);
}

/// Low byte, high byte.
fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

/// Leaves no start of a real-time command behind `start`. Its last byte needs no look: what follows a picture is never
/// the second byte of one.
fn harmless(out: &mut [u8], start: usize) {
    let Some(data) = out.get_mut(start..) else { return };
    let mut bytes = data.iter_mut().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == DLE && matches!(bytes.peek(), Some(0x04 | 0x05 | 0x14)) {
            *byte = 0x18;
        }
    }
}

/// White paper on which dots are set.
pub struct Canvas {
    width: usize,
    height: usize,
    stride: usize,
    bits: Zeroizing<Vec<u8>>,
}

impl Canvas {
    /// So many dots wide and high.
    pub fn new(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(8);
        Self { width, height, stride, bits: Zeroizing::new(vec![0; stride.saturating_mul(height)]) }
    }

    /// Makes a dot black; outside there are none.
    pub fn dot(&mut self, x: usize, y: usize) {
        if x < self.width
            && let Some(byte) = self.bits.get_mut(y.saturating_mul(self.stride).saturating_add(x / 8))
        {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// Turns a dot into its opposite; outside there are none.
    pub fn turn(&mut self, x: usize, y: usize) {
        if x < self.width
            && let Some(byte) = self.bits.get_mut(y.saturating_mul(self.stride).saturating_add(x / 8))
        {
            *byte ^= 0x80 >> (x % 8);
        }
    }

    /// Makes a rectangle black.
    pub fn fill(&mut self, left: usize, top: usize, width: usize, height: usize) {
        for y in (top..).take(height) {
            for x in (left..).take(width) {
                self.dot(x, y);
            }
        }
    }

    /// What was drawn. `None` if it has no dots, or more than 65,535 a side.
    pub fn finish(self) -> Option<Picture> {
        let (width, height) = (u16::try_from(self.width).ok()?, u16::try_from(self.height).ok()?);
        Picture::new(width, height, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(width: u16, height: u16, bits: &[u8]) -> Picture {
        Picture::new(width, height, Zeroizing::new(bits.to_vec())).unwrap()
    }

    fn written(raster: Raster, picture: &Picture, dots: u16) -> Vec<u8> {
        let mut out = Vec::new();
        write(raster, picture, dots, &mut out);
        out
    }

    #[test]
    fn a_picture_is_the_command_of_the_manual() {
        let cross = picture(10, 3, &[0x80, 0x40, 0x0c, 0x00, 0xff, 0xff]);
        for (raster, dots, bytes) in [
            (Raster::GsV0, 576, &b"\x1dv0\x00\x02\x00\x03\x00\x80\x40\x0c\x00\xff\xc0"[..]),
            (Raster::GsV0, 9, b"\x1dv0\x00\x02\x00\x03\x00\x80\x00\x0c\x00\xff\x80"),
            (Raster::GsV0, 8, b"\x1dv0\x00\x01\x00\x03\x00\x80\x0c\xff"),
            (Raster::EscStar24, 3, b"\x1b3\x10\x1b*\x21\x03\x00\xa0\x00\x00\x20\x00\x00\x20\x00\x00\n\x1b2"),
            (Raster::None, 576, b""),
        ] {
            assert_eq!(written(raster, &cross, dots), bytes, "{raster:?} {dots}");
        }
    }

    #[test]
    fn a_high_picture_goes_out_in_bands() {
        let high = picture(8, 300, &[0xaa; 300]);
        let bytes = written(Raster::GsV0, &high, 576);
        let heads: Vec<&[u8]> = bytes.split(|byte| *byte == 0xaa).filter(|piece| !piece.is_empty()).collect();
        assert_eq!(
            heads,
            [
                &b"\x1dv0\x00\x01\x00\x80\x00"[..],
                b"\x1dv0\x00\x01\x00\x80\x00",
                b"\x1dv0\x00\x01\x00\x2c\x00"
            ]
        );
        assert_eq!(bytes.len(), 300 + 3 * 8);
        assert!(bytes.len() <= room(&high));
    }

    #[test]
    fn no_picture_can_carry_a_real_time_command() {
        for second in [0x04, 0x05, 0x14] {
            let evil = picture(16, 2, &[0x10, second, 0x01, 0x10]);
            assert_eq!(written(Raster::GsV0, &evil, 576)[8..], [0x18, second, 0x01, 0x10]);
            // Over the end of a row.
            let evil = picture(16, 2, &[0x00, 0x10, second, 0x10]);
            assert_eq!(written(Raster::GsV0, &evil, 576)[8..], [0x00, 0x18, second, 0x10]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_picture_begin_a_real_time_command(
            width in 1_u16..80,
            bits in prop::collection::vec(prop::sample::select(vec![0x10, 0x04, 0x05, 0x14, 0x00, 0x18, 0xff]), 1..3000),
            raster in prop::sample::select(vec![Raster::GsV0, Raster::EscStar24]),
        ) {
            let stride = usize::from(width.div_ceil(8));
            let height = u16::try_from(bits.len() / stride).unwrap();
            prop_assume!(height > 0);
            let mut bits = bits;
            bits.truncate(stride * usize::from(height));
            let bytes = written(raster, &picture(width, height, &bits), 576);
            let begins = |pair: &[u8]| matches!(pair, [0x10, 0x04 | 0x05 | 0x14]);
            prop_assert!(!bytes.windows(2).any(begins));
        }
    }
}
