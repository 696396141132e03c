//! Facts in, slip out: which rows a slip has, and in what order.
//!
//! A gift card's slip, from top to bottom: the mark of a reprint · a word on an earlier paper · the shop's header · the
//! product, its value, which card of the receipt · that a POSA card is live · the provider's lines between two rules ·
//! a word to staff if a part of them could not be read · when and where · the shop's footer · the mark again, or the slip's
//! number · the cut.
//!
//! What holds for every slip, whatever the facts are:
//!
//! - No row has more columns than the paper, and none holds a control character: see [`rows`].
//! - The provider's lines are on it in their order, each with all its visible characters, and nothing of the shop's
//!   stands between them. They may hold the card's code, so they are never shortened to save paper.
//! - A reprint cannot pass for the first paper: the mark is the first and the last thing on it, white on black.
//! - A slip's number is the last ink of its paper, so a paper in one piece that shows it is all there. Only what a person may be asked about
//!   has one: the first paper of a POR card, whichever attempt it is. A copy has none: it says nothing about the first paper. It stands
//!   there as bars, with its digits below, so that a screen, which shows no bars, does not hand it out (row A11).
//! - Same facts, same slip.
//!
//! Laying out cannot fail: an unknown zone, language or currency has a form that can be read, and a paper that is too
//! narrow for any printer is taken as [`NARROWEST`](crate::rows::NARROWEST), and one that is too narrow for the bars of its
//! number gets its digits. The money's rules are absent on purpose:
//! whether a slip may be printed at all, and under which number, is decided before.

use tilld_domain::ids::{Locale, ReceiptId, StoreId, TerminalId};
use tilld_domain::money::Money;
use tilld_domain::outcome::ReceiptLines;
use tilld_domain::product::CardKind;
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Paper, Part, Picture, Slip, Style, Symbology};
use tilld_domain::slip_number::SlipNumber;

use crate::locale::{moment, printed_amount};
use crate::rows::{self, Layout, visible};
use crate::wording::{Language, Phrase};

/// What the shop prints around the provider's lines, from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShopTexts {
    /// Above all else of the shop's, in the middle.
    pub logo: Option<Picture>,
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
    /// The number of the order's paper of that attempt; none where the shop wants none.
    pub number: Option<SlipNumber>,
}

/// How many line ends inside the elements of `lines` are followed, in all. A provider that sends its slip as one text
/// gets its lines; one that sends nothing but line ends cannot feed out a roll of paper with them.
const MOST_BREAKS: usize = ReceiptLines::MOST;

/// Lays a gift card's slip out.
pub fn gift_card(facts: &CardFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let language = Language::of(facts.locale);
    let mut layout = Layout::new(&paper);
    let copy_mark = facts.copy.map(|number| Phrase::Copy.with(language, number, 0));
    if let Some(mark) = &copy_mark {
        layout.mark(mark);
        layout.part(Part::Feed(1));
    }
    if facts.attempt > 1 {
        layout.words(&Phrase::EarlierVoid.with(language, facts.attempt, 0), Style::BOLD, Align::Centre);
        layout.part(Part::Feed(1));
    }
    head(&mut layout, texts);

    let named = !visible(facts.product_name, &paper.prints).trim().is_empty();
    let product = if named { facts.product_name } else { Phrase::GiftCard.text(language) };
    layout.words(product, Style::BOLD, Align::Centre);
    layout.large(&printed_amount(facts.face_value, facts.locale, &paper.prints));
    if let (number, count @ 2..) = facts.card {
        layout.words(&Phrase::CardOf.with(language, number, count), Style::PLAIN, Align::Centre);
    }
    if facts.kind == CardKind::Posa {
        layout.words(Phrase::Activated.text(language), Style::BOLD, Align::Centre);
    }

    layout.rule();
    if !facts.lines.is_empty() {
        provider_lines(&mut layout, facts.lines);
        layout.rule();
    }
    if facts.lines.odd_elements() > 0 {
        layout.words(Phrase::CheckSlip.text(language), Style::BOLD, Align::Centre);
        layout.rule();
    }
    layout.fact(Phrase::Date.text(language), &moment(facts.at_ms, facts.zone, facts.locale));
    layout.fact(Phrase::Store.text(language), facts.store.as_str());
    layout.fact(Phrase::Till.text(language), facts.terminal.as_str());
    layout.fact(Phrase::Receipt.text(language), facts.receipt.as_str());

    around(&mut layout, &texts.footer, Edge::Above);
    if let Some(mark) = &copy_mark {
        layout.part(Part::Feed(1));
        layout.mark(mark);
    } else if let (CardKind::Por, Some(number)) = (facts.kind, facts.number) {
        layout.words(Phrase::SlipNumber.text(language), Style::PLAIN, Align::Centre);
        layout.part(Part::Barcode(Symbology::Code128, Secret::new(number.to_string())));
    }
    layout.part(Part::Cut);
    layout.finish()
}

/// The shop's logo and header.
pub(crate) fn head(layout: &mut Layout, texts: &ShopTexts) {
    if let Some(logo) = &texts.logo {
        layout.part(Part::Picture(logo.clone(), Align::Centre));
        layout.part(Part::Feed(1));
    }
    around(layout, &texts.header, Edge::Below);
}

/// On which side of the shop's texts the blank row is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Above,
    Below,
}

pub(crate) fn around(layout: &mut Layout, texts: &[String], blank: Edge) {
    if texts.is_empty() {
        return;
    }
    if blank == Edge::Above {
        layout.part(Part::Feed(1));
    }
    for text in texts {
        layout.centred(text);
    }
    if blank == Edge::Below {
        layout.part(Part::Feed(1));
    }
}

fn provider_lines(layout: &mut Layout, provided: &ReceiptLines) {
    let mut breaks_left = MOST_BREAKS;
    for element in provided.iter() {
        match breaks_left.checked_sub(rows::breaks(element.reveal())) {
            Some(left) => {
                breaks_left = left;
                for line in rows::lines(element.reveal()) {
                    layout.verbatim(line);
                }
            }
            // Its line ends become blanks: every character is still there.
            None => layout.verbatim(element.reveal()),
        }
    }
}
