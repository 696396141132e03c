//! Text that is worth money (law L11): a POSA card's code, the lines of a print-on-receipt card.
//!
//! It has no `Display`, its `Debug` says only that something is there, comparing it is explicit, and its memory is
//! wiped when it goes. Whoever needs the text calls [`Secret::reveal`], which is easy to search for.

use std::fmt;

use zeroize::Zeroizing;

/// A text that must never reach a log, an error, a metric or a disk in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: for the wire, the printer and the seal, and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters behind dots, for a person to compare; shorter texts show dots alone.
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        if count < 8 {
            return "••••".to_owned();
        }
        let tail: String = self.0.chars().skip(count.saturating_sub(4)).collect();
        format!("••••{tail}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_at_most_its_last_four_characters() {
        let code = Secret::new("6006491234567890".to_owned());
        assert_eq!(format!("{code:?}"), "Secret(…)");
        assert_eq!(code.masked(), "••••7890");
        assert_eq!(Secret::new("1234567".to_owned()).masked(), "••••");
        assert_eq!(Secret::new("12345678".to_owned()).masked(), "••••5678");
    }
}
