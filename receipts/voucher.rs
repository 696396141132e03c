//! The papers of a voucher: that something was redeemed, that it was given back, and what is on it.
//!
//! From top to bottom: the mark of a reprint · the shop's header · what happened, and how much · whether it is booked as a
//! payment or as a discount, the end of the code, what is left · when and where, in which basket, under which number · the
//! shop's footer · the mark again · the cut.
//!
//! What holds for each of them, whatever the facts are:
//!
//! - None is worth anything: of the code its last four characters are on it, and the provider's id of the voucher, which spends
//!   it together with the shop's key, cannot be given to a paper at all.
//! - No row has more columns than the paper, and none holds a control character, whatever the provider wrote: see
//!   [`rows`](crate::rows).
//! - No character of an amount, a name or a number is lost on narrow paper.
//! - What is not known is left out: a paper never says "0.00 left" because nobody said what is left.
//! - Who gave the voucher, and for whom it was meant, is on none of them.
//! - A reprint of a redemption or a reversal says so first and last, white on black.
//! - Same facts, same slip.
//!
//! Whether a paper may be printed, and as which copy, is decided before.

use tilld_domain::ids::{BasketId, Locale, ProviderRedemptionId, RedemptionId, StoreId, TerminalId};
use tilld_domain::slip::{Align, Paper, Part, Slip, Style};
use tilld_domain::voucher::{Booking, CodeTail, VoucherKind, Worth};

use crate::locale::{moment, printed_amount};
use crate::rows::{Layout, visible};
use crate::slip::{Edge, ShopTexts, around, head};
use crate::wording::{Language, Phrase};

/// Where and when, and how it is written.
#[derive(Debug, Clone, Copy)]
pub struct Counter<'a> {
    /// Where.
    pub store: &'a StoreId,
    /// On which till.
    pub terminal: &'a TerminalId,
    /// When, in ms since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// In which IANA zone the time is shown, for example `Europe/Berlin`.
    pub zone: &'a str,
    /// In which language and format.
    pub locale: &'a Locale,
}

/// Which voucher.
#[derive(Debug, Clone, Copy)]
pub struct VoucherFacts<'a> {
    /// The end of its code.
    pub code: &'a CodeTail,
    /// Whether it pays or lowers the price.
    pub kind: VoucherKind,
    /// What the items are, in the provider's words, if they are known.
    pub item: Option<&'a str>,
}

/// Under which names a redemption is found again.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    /// The till's basket.
    pub basket: &'a BasketId,
    /// The daemon's number.
    pub redemption: RedemptionId,
    /// The provider's, if its answer had one.
    pub provider: Option<&'a ProviderRedemptionId>,
}

/// How a paper is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Not at all: it is the first.
    First,
    /// As a copy, by its number, from 1.
    Copy(u16),
    /// As a copy: it cannot be known to be the first, nor how many there were.
    CopyOfUnknown,
}

/// What the paper of a redemption says.
#[derive(Debug, Clone, Copy)]
pub struct RedemptionFacts<'a> {
    /// Where and when.
    pub counter: Counter<'a>,
    /// Which voucher.
    pub voucher: VoucherFacts<'a>,
    /// Under which numbers.
    pub numbers: Numbers<'a>,
    /// What was taken.
    pub taken: Worth,
    /// What is left, if the provider said so.
    pub left: Option<Worth>,
    /// How it is marked.
    pub mark: Mark,
}

/// What the paper of a reversal says.
#[derive(Debug, Clone, Copy)]
pub struct ReversalFacts<'a> {
    /// Where and when it was given back.
    pub counter: Counter<'a>,
    /// Which voucher.
    pub voucher: VoucherFacts<'a>,
    /// Under which numbers.
    pub numbers: Numbers<'a>,
    /// What was given back.
    pub given_back: Worth,
    /// How it is marked.
    pub mark: Mark,
}

/// What the paper of a balance enquiry says. It is printed as often as somebody looks, so there are no copies of it.
#[derive(Debug, Clone, Copy)]
pub struct BalanceFacts<'a> {
    /// Where and when.
    pub counter: Counter<'a>,
    /// Which voucher.
    pub voucher: VoucherFacts<'a>,
    /// What may be redeemed of it now; none if nothing may.
    pub eligible: Option<Worth>,
    /// What the provider says of it; may be empty.
    pub description: &'a str,
    /// Its terms, if it has any.
    pub terms: Option<&'a str>,
}

/// Lays the paper of a redemption out.
pub fn redemption(facts: &RedemptionFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let mut sheet = Sheet::begin(facts.counter, facts.mark, texts, paper);
    sheet.title(Phrase::VoucherRedeemed);
    sheet.worth(facts.taken, facts.voucher.item);
    sheet.layout.rule();
    sheet.booking(facts.voucher.kind);
    sheet.code(facts.voucher.code);
    if let Some(left) = facts.left {
        let text = sheet.short(left);
        sheet.fact(Phrase::Left, &text);
    }
    sheet.layout.rule();
    sheet.place(Some(facts.numbers));
    sheet.end(texts)
}

/// Lays the paper of a reversal out.
pub fn reversal(facts: &ReversalFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let mut sheet = Sheet::begin(facts.counter, facts.mark, texts, paper);
    sheet.title(Phrase::RedemptionReversed);
    sheet.worth(facts.given_back, facts.voucher.item);
    sheet.line(Phrase::GivenBack);
    sheet.layout.rule();
    sheet.booking(facts.voucher.kind);
    sheet.code(facts.voucher.code);
    sheet.layout.rule();
    sheet.place(Some(facts.numbers));
    sheet.end(texts)
}

/// Lays the paper of a balance enquiry out.
pub fn balance(facts: &BalanceFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let mut sheet = Sheet::begin(facts.counter, Mark::First, texts, paper);
    sheet.title(Phrase::VoucherBalance);
    match facts.eligible.filter(|worth| worth.is_positive()) {
        Some(worth) => sheet.worth(worth, facts.voucher.item),
        None => sheet.title(Phrase::NotRedeemable),
    }
    sheet.line(Phrase::NothingRedeemed);
    sheet.layout.rule();
    for text in [Some(facts.description), facts.terms].into_iter().flatten() {
        sheet.provided(text);
    }
    sheet.booking(facts.voucher.kind);
    sheet.code(facts.voucher.code);
    sheet.layout.rule();
    sheet.place(None);
    sheet.end(texts)
}

/// A paper while it is being laid out.
struct Sheet<'a> {
    layout: Layout,
    paper: Paper,
    language: Language,
    counter: Counter<'a>,
    copy_mark: Option<String>,
}

impl<'a> Sheet<'a> {
    fn begin(counter: Counter<'a>, mark: Mark, texts: &ShopTexts, paper: Paper) -> Self {
        let language = Language::of(counter.locale);
        let mut layout = Layout::new(&paper);
        let copy_mark = match mark {
            Mark::First => None,
            Mark::Copy(number) => Some(Phrase::Copy.with(language, number, 0)),
            Mark::CopyOfUnknown => Some(Phrase::SecondPaper.text(language).to_owned()),
        };
        if let Some(mark) = &copy_mark {
            layout.mark(mark);
            layout.part(Part::Feed(1));
        }
        head(&mut layout, texts);
        Self { layout, paper, language, counter, copy_mark }
    }

    fn end(mut self, texts: &ShopTexts) -> Slip {
        around(&mut self.layout, &texts.footer, Edge::Above);
        if let Some(mark) = &self.copy_mark {
            self.layout.part(Part::Feed(1));
            self.layout.mark(mark);
        }
        self.layout.part(Part::Cut);
        self.layout.finish()
    }

    fn title(&mut self, phrase: Phrase) {
        self.layout.words(phrase.text(self.language), Style::BOLD, Align::Centre);
    }

    fn line(&mut self, phrase: Phrase) {
        self.layout.words(phrase.text(self.language), Style::PLAIN, Align::Centre);
    }

    fn fact(&mut self, label: Phrase, value: &str) {
        self.layout.fact(label.text(self.language), value);
    }

    /// What the provider wrote, as running text.
    fn provided(&mut self, text: &str) {
        if !self.is_blank(text) {
            self.layout.words(text, Style::PLAIN, Align::Left);
            self.layout.rule();
        }
    }

    /// An amount as the locale writes it; a number of items as `3 x`, which needs no plural.
    fn short(&self, worth: Worth) -> String {
        match worth {
            Worth::Money(money) => printed_amount(money, self.counter.locale, &self.paper.prints),
            Worth::Items(count) => format!("{count} x"),
        }
    }

    /// The same, large, and what the items are.
    fn worth(&mut self, worth: Worth, item: Option<&str>) {
        let text = self.short(worth);
        self.layout.large(&text);
        if let Worth::Items(_) = worth {
            let named = item.filter(|item| !self.is_blank(item));
            let item = named.unwrap_or(Phrase::Item.text(self.language));
            self.layout.words(item, Style::BOLD, Align::Centre);
        }
    }

    fn booking(&mut self, kind: VoucherKind) {
        let (label, value) = match kind.booking() {
            Booking::Tender => (Phrase::Tender, Phrase::Voucher),
            Booking::Discount => (Phrase::Discount, Phrase::Promotional),
        };
        self.fact(label, value.text(self.language));
    }

    fn code(&mut self, code: &CodeTail) {
        // A printer that lacks the dot would put a question mark there, as if somebody did not know.
        let masked = code.masked().replace('•', if self.paper.prints.has('•') { "•" } else { "*" });
        self.fact(Phrase::VoucherCode, &masked);
    }

    fn place(&mut self, numbers: Option<Numbers<'_>>) {
        let Counter { store, terminal, at_ms, zone, locale } = self.counter;
        self.fact(Phrase::Date, &moment(at_ms, zone, locale));
        self.fact(Phrase::Store, store.as_str());
        self.fact(Phrase::Till, terminal.as_str());
        if let Some(Numbers { basket, redemption, provider }) = numbers {
            self.fact(Phrase::Receipt, basket.as_str());
            self.fact(Phrase::Redemption, &redemption.to_string());
            if let Some(provider) = provider {
                self.fact(Phrase::ProviderNumber, provider.as_str());
            }
        }
    }

    fn is_blank(&self, text: &str) -> bool {
        visible(text, &self.paper.prints).trim().is_empty()
    }
}
