//! QR codes and bars as pictures, for printers that draw none themselves.
//!
//! A module is a whole number of dots, at least two, so that every edge falls between dots; a code that does not fit the
//! paper at that size has no picture, and its text is printed instead. Level M, as the printers that draw them are told.

use fast_qr::qr::QRBuilder;
use fast_qr::{ECL, Module};
use tilld_domain::bars;
use tilld_domain::slip::{Picture, Symbology};

use crate::raster::Canvas;

/// Least dots a module: below, one faint dot spoils it.
const LEAST: usize = 2;
/// Most dots a module of a QR code: half a millimetre, which every reader takes; each dot more is bytes on a slow line.
const QR_MODULE: usize = 4;
/// The light frame that a reader needs, in modules: of a QR code (ISO/IEC 18004), and at the sides of bars.
const QR_QUIET: usize = 4;
const BARS_QUIET: usize = 10;

/// A text's QR code. Its quiet zone is not in it: at the sides it is the paper, above and below a blank row, which costs a
/// byte on the line instead of some hundreds.
pub fn qr(text: &str, dots: u16) -> Option<Picture> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok().filter(|_| !text.is_empty())?;
    let with_quiet = code.size.saturating_add(QR_QUIET.saturating_mul(2));
    let module = usize::from(dots).checked_div(with_quiet)?.min(QR_MODULE);
    if module < LEAST {
        return None;
    }
    let side = code.size.saturating_mul(module);
    let mut canvas = Canvas::new(side, side);
    for (place, _) in code
        .data
        .iter()
        .take(code.size.saturating_mul(code.size))
        .enumerate()
        .filter(|(_, dark)| Module::value(**dark))
    {
        let (row, column) = (place.checked_div(code.size)?, place.checked_rem(code.size)?);
        let (left, top) = (column.saturating_mul(module), row.saturating_mul(module));
        canvas.fill(left, top, module, module);
    }
    canvas.finish()
}

/// The bars of a text, without the text below.
pub fn bars(symbology: Symbology, text: &str, dots: u16) -> Option<Picture> {
    let modules = bars::modules(symbology, text)?;
    let widest = match symbology {
        Symbology::Ean13 => 3,
        Symbology::Code128 => 2,
    };
    let with_quiet = modules.len().saturating_add(BARS_QUIET.saturating_mul(2));
    let module = usize::from(dots).checked_div(with_quiet)?.min(widest);
    if module < LEAST {
        return None;
    }
    let height = usize::from(bars::height(symbology));
    let mut canvas = Canvas::new(modules.len().saturating_mul(module), height);
    for (place, _) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
        canvas.fill(place.saturating_mul(module), 0, module, height);
    }
    canvas.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_as_large_as_the_paper_allows() {
        for (text, dots, size) in [
            ("HELLO", 384, Some((84, 84))),
            ("HELLO", 90, Some((63, 63))),
            ("HELLO", 60, Some((42, 42))),
            ("HELLO", 57, None),
            ("", 384, None),
        ] {
            let picture = qr(text, dots);
            assert_eq!(picture.map(|it| (it.width(), it.height())), size, "{text} {dots}");
        }
        assert!(qr(&"x".repeat(1000), 576).is_some() && qr(&"x".repeat(1000), 200).is_none());
        for (symbology, text, dots, width) in [
            (Symbology::Ean13, "4006381333931", 384, Some(285)),
            (Symbology::Ean13, "4006381333931", 300, Some(190)),
            (Symbology::Ean13, "4006381333931", 200, None),
            (Symbology::Ean13, "4006381333932", 384, None),
            (Symbology::Code128, "A{1", 384, Some(136)),
            (Symbology::Code128, "A\u{1b}", 384, None),
        ] {
            assert_eq!(bars(symbology, text, dots).map(|it| it.width()), width, "{text} {dots}");
        }
    }

    #[test]
    fn no_module_is_a_lone_dot() {
        // A lone dot could spell the start of a real-time command, and would be thickened.
        let picture = qr("https://example.com/r/6006491234567890", 100).unwrap();
        for y in 0..usize::from(picture.height()) {
            for x in 0..usize::from(picture.width()) {
                let alone = picture.is_dark(x, y)
                    && !picture.is_dark(x + 1, y)
                    && !x.checked_sub(1).is_some_and(|left| picture.is_dark(left, y));
                assert!(!alone, "{x} {y}");
            }
        }
    }
}
