//! A slip as it will look on paper: as text for a terminal, and as a picture.
//!
//! Both are drawn from the [`Slip`](tilld_domain::slip::Slip) alone, the same that a printer gets, so a slip decoded
//! from a printer's bytes can be drawn as well. Such a slip may hold anything: control characters are drawn as `�`,
//! and a row that is too wide sticks out of the paper, where it is seen.
//!
//! A preview shows what the paper shows: the preview of a POR card's slip is money, for the customer's eyes and never
//! for a log. The drawer's pulse leaves no trace on paper and is not drawn.

mod picture;
mod terminal;

pub use picture::svg;
pub use terminal::text;

use fast_qr::qr::{QRBuilder, QRCode};
use fast_qr::{ECL, Module};
use tilld_domain::secret::Secret;

use crate::rows::invisible;

/// The greatest length of a QR code's text in bytes, as [`Part::Qr`](tilld_domain::slip::Part::Qr) promises.
const LONGEST_QR: usize = 1000;

/// The QR code of a text, with the error correction M that the printers are told to use.
fn qr(text: &Secret) -> Option<QRCode> {
    let text = text.reveal();
    if text.is_empty() || text.len() > LONGEST_QR {
        return None;
    }
    QRBuilder::new(text).ecl(ECL::M).build().ok()
}

/// Whether the module in a row and column of a QR code is dark; light outside of it.
fn dark(code: &QRCode, row: usize, column: usize) -> bool {
    let inside = row < code.size && column < code.size;
    let place = row.saturating_mul(code.size).saturating_add(column);
    inside && code.data.get(place).copied().is_some_and(Module::value)
}

/// What a reader sees of a text: `�` for each character that should not be in a slip. A terminal would obey some of
/// them, and XML 1.0 cannot write most.
fn drawn(text: &str) -> String {
    let odd = |character: char| character.is_control() || invisible(character);
    text.chars().map(|character| if odd(character) { '\u{fffd}' } else { character }).collect()
}
