//! Facts in, slip out.

use tilld_domain::ids::{Locale, ReceiptId, StoreId, TerminalId};
use tilld_domain::money::Money;
use tilld_domain::outcome::ReceiptLines;
use tilld_domain::product::CardKind;
use tilld_domain::slip::{Paper, Slip};

/// What the shop prints around the provider's lines, from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShopTexts {
    /// Above, each wrapped and centred.
    pub header: Vec<String>,
    /// Below, each wrapped and centred.
    pub footer: Vec<String>,
}

/// What a gift card's slip says.
#[derive(Debug, Clone, Copy)]
pub struct CardFacts<'a> {
    /// As the catalogue names it.
    pub product_name: &'a str,
    /// Print on receipt or activation.
    pub kind: CardKind,
    /// The value of the card.
    pub face_value: Money,
    /// Where it was sold.
    pub store: &'a StoreId,
    /// On which till.
    pub terminal: &'a TerminalId,
    /// On which receipt.
    pub receipt: &'a ReceiptId,
    /// Which card of the receipt, from 1, and of how many.
    pub card: (u16, u16),
    /// When, in ms since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// In which IANA zone the time is shown, for example `Europe/Berlin`.
    pub zone: &'a str,
    /// In which language and format.
    pub locale: &'a Locale,
    /// The provider's lines.
    pub lines: &'a ReceiptLines,
    /// `None` for the first paper; the number of the copy for a reprint, from 1.
    pub copy: Option<u16>,
    /// Which attempt at the first paper this is, from 1; from 2 on the slip says so.
    pub attempt: u16,
}

/// Lays a gift card's slip out.
pub fn gift_card(facts: &CardFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let _ = (facts, texts);
    Slip { columns: paper.columns, parts: Vec::new() }
}
