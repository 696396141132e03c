//! QR codes and bar codes that a printer draws itself: whether one fits the paper, and the commands. What a printer would
//! leave out without a word (a wrong check digit, too wide) is none, and its text is printed instead.

use escpos::utils::{
    BarcodeFont, BarcodeHeight, BarcodeOption, BarcodePosition, BarcodeWidth, QRCodeCorrectionLevel,
    QRCodeModel, QRCodeOption,
};
use tilld_domain::bars;
use tilld_domain::slip::Symbology;
use zeroize::Zeroizing;

use super::GS;
use super::words::made;

/// Most dots a module of a QR code: larger ones waste paper and scan no better.
const QR_MODULE: u16 = 6;

/// The most bytes that a QR code at level M holds, and its modules a side (ISO/IEC 18004, versions 1 to 26). A slip's
/// code has at most 1,000 bytes.
const QR_SIDES: [(usize, u16); 26] = [
    (14, 21),
    (26, 25),
    (42, 29),
    (62, 33),
    (84, 37),
    (106, 41),
    (122, 45),
    (152, 49),
    (180, 53),
    (213, 57),
    (251, 61),
    (287, 65),
    (331, 69),
    (362, 73),
    (412, 77),
    (450, 81),
    (504, 85),
    (560, 89),
    (624, 93),
    (666, 97),
    (711, 101),
    (779, 105),
    (857, 109),
    (911, 113),
    (997, 117),
    (1059, 121),
];

/// A QR code that the printer draws.
pub(super) fn qr(text: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    let (_, modules) =
        QR_SIDES.iter().find(|(bytes, _)| text.len() <= *bytes).filter(|_| !text.is_empty())?;
    let dots = dots.checked_div(modules.saturating_add(8))?.min(QR_MODULE);
    let size = u8::try_from(dots).ok().filter(|size| *size > 0)?;
    let option = QRCodeOption::new(QRCodeModel::Model2, size, QRCodeCorrectionLevel::M);
    made(|printer| printer.qrcode_option(text, option).is_ok())
}

/// An EAN-13 with its digits below. `None` if it is none: a printer leaves one with a wrong check digit out silently.
pub(super) fn ean13(digits: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    let weighted = digits.bytes().take(12).zip([1_u32, 3].into_iter().cycle());
    let sum: u32 =
        weighted.map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')).saturating_mul(weight)).sum();
    let check = u32::from(b'0').saturating_add(sum.next_multiple_of(10).saturating_sub(sum));
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits.len() == 12
        || digits.len() == 13 && digits.as_bytes().last().copied().map(u32::from) == Some(check);
    // 95 modules of three dots and two quiet zones.
    if !all_digits || !fits || dots < 113 * 3 {
        return None;
    }
    let option =
        BarcodeOption::new(BarcodeWidth::M, BarcodeHeight::S, BarcodeFont::A, BarcodePosition::Below);
    made(|printer| printer.ean13_option(digits, option).is_ok())
}

/// A CODE128 in its set B, where every byte is a printable one. Set C would be shorter for digits, but its bytes 0 to 99
/// can spell a real-time command (`10 14 01 00 01` opens the drawer), which a printer obeys wherever it stands. `None`
/// if it holds more than ASCII or is wider than the paper.
pub(super) fn code128(text: &str, dots: u16) -> Option<Zeroizing<Vec<u8>>> {
    const DOTS_A_MODULE: u8 = 2;
    // Eleven modules a character; start, check and stop are 35, the quiet zones 20.
    let modules = text.len().checked_mul(11)?.checked_add(55)?;
    let fits = modules.checked_mul(usize::from(DOTS_A_MODULE))? <= usize::from(dots);
    if !fits || text.is_empty() || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return None;
    }
    let data = Zeroizing::new(text.replace('{', "{{"));
    let length = u8::try_from(data.len().checked_add(2)?).ok()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(data.len().saturating_add(20)));
    // Text below in font A, as for the other bars.
    let height = bars::height(Symbology::Code128);
    bytes.extend_from_slice(&[GS, b'w', DOTS_A_MODULE, GS, b'h', height, GS, b'f', 0, GS, b'H', 2]);
    bytes.extend_from_slice(&[GS, b'k', 73, length, b'{', b'B']);
    bytes.extend_from_slice(data.as_bytes());
    Some(bytes)
}
