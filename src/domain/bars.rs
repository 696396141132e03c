//! The bars of the one-dimensional codes: for previews, and for printers that draw none themselves.
//!
//! CODE128 is ISO/IEC 15417: each symbol is eleven modules, three bars and three spaces whose widths the table gives,
//! between a start and a stop symbol, with a check symbol modulo 103. Even numbers of digits are written in subset C
//! (two digits a symbol), all else in subset B. EAN-13 is the GS1 General Specifications, 5.2: 95 modules. A text that
//! has no such code (control characters, a wrong check digit, too long for any paper) has no bars.

use crate::slip::Symbology;

/// How high the bars are, in dots of 203 dpi. An EAN is laid before scanners of every kind; a CODE128 is the number of a slip, read by
/// hand: 8 mm, where ISO/IEC 15417 asks for 5 mm and 15 % of the width.
pub const fn height(symbology: Symbology) -> u8 {
    match symbology {
        Symbology::Code128 => 64,
        Symbology::Ean13 => 102,
    }
}

/// No receipt paper can take more symbols than this.
const MOST_SYMBOLS: usize = 64;

/// The widths of bar, space, bar, space, bar, space of every CODE128 symbol from 0 to 105.
const CODE128: [&str; 106] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232",
];
const START_B: usize = 104;
const START_C: usize = 105;
const STOP: &str = "2331112";

/// The widths of space, bar, space, bar of the digits 0 to 9 in EAN's odd set (A); set C is the same with bars and
/// spaces swapped, set B is C backwards.
const EAN: [&str; 10] = ["3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"];
/// By the first digit: which of the next six are of set B.
const EAN_FIRST: [&str; 10] =
    ["AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"];

/// The modules of a code from left to right, `true` for a bar, without the quiet zones.
pub fn modules(symbology: Symbology, text: &str) -> Option<Vec<bool>> {
    match symbology {
        Symbology::Code128 => code128(text),
        Symbology::Ean13 => ean13(text),
    }
}

fn code128(text: &str) -> Option<Vec<bool>> {
    if text.is_empty() || text.len() > MOST_SYMBOLS {
        return None;
    }
    let digits_alone = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut symbols = vec![if digits_alone { START_C } else { START_B }];
    if digits_alone {
        for pair in text.as_bytes().chunks(2) {
            symbols.push(std::str::from_utf8(pair).ok()?.parse().ok()?);
        }
    } else {
        for byte in text.bytes() {
            symbols.push(usize::from(byte.checked_sub(b' ').filter(|value| *value < 95)?));
        }
    }
    let check =
        symbols.iter().enumerate().map(|(place, symbol)| place.max(1).saturating_mul(*symbol)).sum::<usize>();
    symbols.push(check % 103);
    let mut drawn = Vec::new();
    for symbol in symbols {
        draw(&mut drawn, CODE128.get(symbol)?, true);
    }
    draw(&mut drawn, STOP, true);
    Some(drawn)
}

fn ean13(text: &str) -> Option<Vec<bool>> {
    let mut digits: Vec<usize> = text
        .chars()
        .map(|digit| digit.to_digit(10).and_then(|digit| digit.try_into().ok()))
        .collect::<Option<_>>()?;
    let weighted = digits.iter().take(12).enumerate();
    let sum: usize =
        weighted.map(|(place, digit)| if place % 2 == 0 { *digit } else { digit.saturating_mul(3) }).sum();
    let check = 10_usize.saturating_sub(sum % 10) % 10;
    match digits.len() {
        12 => digits.push(check),
        13 if digits.last() == Some(&check) => {}
        _ => return None,
    }
    let (first, rest) = digits.split_first()?;
    let (left, right) = rest.split_at_checked(6)?;
    let mut drawn = Vec::new();
    draw(&mut drawn, "111", true);
    for (digit, set) in left.iter().zip(EAN_FIRST.get(*first)?.chars()) {
        let widths = EAN.get(*digit)?;
        let backwards: String = widths.chars().rev().collect();
        draw(&mut drawn, if set == 'A' { widths } else { &backwards }, false);
    }
    draw(&mut drawn, "11111", false);
    for digit in right {
        draw(&mut drawn, EAN.get(*digit)?, true);
    }
    draw(&mut drawn, "111", true);
    Some(drawn)
}

fn draw(modules: &mut Vec<bool>, widths: &str, bar_first: bool) {
    let mut bar = bar_first;
    for width in widths.bytes() {
        modules.extend(std::iter::repeat_n(bar, usize::from(width.saturating_sub(b'0'))));
        bar = !bar;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(symbology: Symbology, text: &str) -> Option<String> {
        let modules = modules(symbology, text)?;
        Some(modules.into_iter().map(|bar| if bar { '1' } else { '0' }).collect())
    }

    #[test]
    fn every_code128_symbol_is_another_one_of_eleven_modules_with_an_even_number_of_dark_ones() {
        let mut seen = std::collections::HashSet::new();
        for widths in CODE128 {
            let widths: Vec<u32> = widths.chars().map(|width| width.to_digit(10).unwrap()).collect();
            assert_eq!(widths.iter().sum::<u32>(), 11, "{widths:?}");
            assert_eq!(widths.iter().step_by(2).sum::<u32>() % 2, 0, "{widths:?}");
            assert!(seen.insert(widths));
        }
    }

    #[test]
    fn known_codes_have_their_known_bars() {
        // Read back from the preview's picture with zbar 0.23.
        for (symbology, text, bars) in [
            (
                Symbology::Ean13,
                "4006381333931",
                "10100011010100111010111101111010001001011001101010100001010000101000010111010010000101100110101",
            ),
            (
                Symbology::Code128,
                "12345678",
                "1101001110010110011100100010110001110001011011000010100100011101101100011101011",
            ),
            (
                Symbology::Code128,
                "ABC-1234x~",
                "1101001000010100011000100010110001000100011010011011100100111001101100111001011001011100110010011101111001001010001011110100010011001100011101011",
            ),
        ] {
            assert_eq!(picture(symbology, text).as_deref(), Some(bars), "{text}");
        }
        assert_eq!(picture(Symbology::Ean13, "400638133393"), picture(Symbology::Ean13, "4006381333931"));
    }

    #[test]
    fn what_cannot_be_written_in_bars_has_none() {
        for (symbology, text) in [
            (Symbology::Ean13, "4001232232332"), // the check digit is wrong
            (Symbology::Ean13, "40012322323"),
            (Symbology::Ean13, "40063813339ab"),
            (Symbology::Ean13, ""),
            (Symbology::Code128, ""),
            (Symbology::Code128, "a\u{1b}p"),
            (Symbology::Code128, "ä"),
        ] {
            assert_eq!(picture(symbology, text), None, "{text:?}");
        }
        assert_eq!(picture(Symbology::Code128, &"x".repeat(65)), None);
    }
}
