//! A text that is worth money, or may be: masked wherever it is shown, unless somebody asked for it in clear.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text that is worth money, or may be.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    text: String,
    revealed: bool,
}

impl Issued {
    pub(crate) fn new(text: &str, revealed: bool) -> Self {
        Self { text: text.to_owned(), revealed }
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Dots, and the last four characters of a text that is long enough.
    pub fn masked(&self) -> String {
        let count = self.text.chars().count();
        let shown = if count < 8 { 0 } else { 4 };
        let tail: String = self.text.chars().skip(count.saturating_sub(shown)).collect();
        format!("••••{tail}")
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Issued(…)")
    }
}

impl Serialize for Issued {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.revealed {
            serializer.serialize_str(&self.text)
        } else {
            serializer.collect_str(&self.masked())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issued_code_is_masked_in_every_text_form_unless_it_is_revealed() {
        let code = Issued::new("6034123456789012345", false);
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"••••2345\"");
        assert_eq!(format!("{code:?}"), "Issued(…)");
        assert_eq!(Issued::new("4711", false).masked(), "••••");
        assert_eq!(serde_json::to_string(&Issued::new("4711", true)).unwrap(), "\"4711\"");
        assert_eq!(code.reveal(), "6034123456789012345");
    }
}
