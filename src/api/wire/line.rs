//! Lines of the journal: a card of a sale or a redemption, as a list shows it.

use serde::Serialize;
use tilld_counter::{Line, Listed, Page};
use tilld_domain::voucher::VoucherKind;
use utoipa::ToSchema;

use super::parts::{Money, instant, words};
use super::voucher::Worth;

/// A page of lines, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalPage)]
pub(crate) struct LinePage {
    /// The lines, by when they began.
    lines: Vec<JournalLine>,
    /// `before` of the next page; null if there is none.
    next: Option<String>,
    /// The journal's last entry that was searched. Less than `last` only while the index of a long journal is made for the first
    /// time, or anew; null before that has begun.
    searched: Option<u64>,
    /// The journal's last entry.
    last: u64,
}

impl From<Page> for LinePage {
    fn from(page: Page) -> Self {
        Self {
            lines: page.lines.iter().map(JournalLine::from).collect(),
            next: page.next.map(|place| place.to_string()),
            searched: page.upto.map(tilld_counter::Seq::number),
            last: page.last.number(),
        }
    }
}

words! {
    /// What a line is about.
    enum LineKind as "JournalLineKind" {
        /// A card of a sale.
        Sale = "sale",
        /// A redemption.
        Redemption = "redemption",
    }
}

impl LineKind {
    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Redemption => "redemption",
        }
    }
}

/// A card of a sale, or a redemption.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalLine {
    /// What it is about.
    pub(crate) kind: LineKind,
    /// The id of the sale, or of the redemption.
    #[schema(format = "uuid")]
    pub(crate) id: String,
    /// Which card of the sale, from 1; null for a redemption.
    pub(crate) card: Option<u16>,
    /// The daemon's own id of the order; null for a redemption.
    #[schema(format = "uuid")]
    pub(crate) order: Option<String>,
    /// The till's number of the receipt; of a redemption its basket.
    pub(crate) receipt: String,
    /// The provider, by its configured name.
    pub(crate) provider: String,
    /// The provider's name for the order or the redemption, since that is known.
    pub(crate) provider_id: Option<String>,
    /// The product's code; null for a redemption.
    pub(crate) product: Option<String>,
    /// The product's name when it was sold; null for a redemption.
    pub(crate) product_name: Option<String>,
    /// `por` or `posa`; of a redemption, `gift` or `promotional`.
    pub(crate) sort: String,
    /// The value of the card, or how much was asked for.
    pub(crate) amount: Worth,
    /// How much was taken from the voucher, since that is known; null for a card.
    pub(crate) taken: Option<Worth>,
    /// Where it stands, in one word.
    #[schema(example = "sold")]
    pub(crate) state: String,
    /// The same for people, in English. Wording in other languages is keyed by `kind` and `state`.
    #[schema(example = "Sold")]
    pub(crate) word: &'static str,
    /// Whether something remains to be done or decided.
    pub(crate) open: bool,
    /// Who sold or redeemed, if the till said so.
    pub(crate) cashier: Option<String>,
    /// The last four characters of a code behind dots, where it is known.
    #[schema(example = "••••0123")]
    pub(crate) code: Option<String>,
    /// When it began (RFC 3339, UTC).
    #[schema(format = "date-time")]
    pub(crate) opened_at: String,
    /// When its sale's, or its, last entry was written (RFC 3339, UTC).
    #[schema(format = "date-time")]
    pub(crate) updated_at: String,
}

impl From<&Line> for JournalLine {
    fn from(line: &Line) -> Self {
        let updated_at = instant(line.last_at);
        match &line.listed {
            Listed::Card(sale, card) => Self {
                kind: LineKind::Sale,
                id: sale.sale.to_string(),
                card: Some(card.card),
                order: Some(card.order.to_string()),
                receipt: sale.receipt.to_string(),
                provider: sale.provider.clone(),
                provider_id: card.provider_order.clone(),
                product: Some(card.product.clone()),
                product_name: Some(card.product_name.clone()),
                sort: card.kind.clone(),
                amount: Worth::Money(Money(card.face_value)),
                taken: None,
                word: word(&CARDS, &card.state),
                open: line.is_open(),
                state: card.state.clone(),
                cashier: sale.cashier.clone(),
                code: card.code_tail.as_deref().map(dotted),
                opened_at: instant(sale.opened),
                updated_at,
            },
            Listed::Redemption(row) => Self {
                kind: LineKind::Redemption,
                id: row.redemption.to_string(),
                card: None,
                order: None,
                receipt: row.basket.to_string(),
                provider: row.provider.clone(),
                provider_id: row.provider_redemption.clone(),
                product: None,
                product_name: None,
                sort: match row.kind {
                    VoucherKind::Gift => "gift",
                    VoucherKind::Promotional => "promotional",
                }
                .to_owned(),
                amount: row.amount.into(),
                taken: row.taken.map(Worth::from),
                word: word(&REDEMPTIONS, &row.state),
                open: row.open,
                state: row.state.clone(),
                cashier: row.cashier.clone(),
                code: Some(row.code_tail.masked()),
                opened_at: instant(row.opened),
                updated_at,
            },
        }
    }
}

/// The end of a code behind dots, which may stand there already.
pub(crate) fn dotted(tail: &str) -> String {
    format!("••••{}", tail.trim_start_matches('•'))
}

/// The states of cards, and what people call them.
const CARDS: [(&str, &str); 16] = [
    ("creating", "Being ordered"),
    ("not_sold", "Not sold"),
    ("created", "Waiting for payment"),
    ("paid", "Paid, not active"),
    ("confirming", "Being activated"),
    ("asking", "Being found out"),
    ("active", "Active, not printed"),
    ("printing", "Being printed"),
    ("print_stopped", "Printing stopped"),
    ("print_unclear", "Paper unclear"),
    ("sold", "Sold"),
    ("owed", "Being undone"),
    ("spent", "Spent before it was undone"),
    ("stuck", "Cannot be undone"),
    ("cleared", "Undone"),
    ("settled", "Closed by a manager"),
];

/// The same of redemptions.
const REDEMPTIONS: [(&str, &str); 14] = [
    ("redeeming", "Being redeemed"),
    ("looking_up", "Being found out"),
    ("comparing", "Being found out"),
    ("not_redeemed", "Not redeemed"),
    ("not_applied", "Probably not redeemed"),
    ("granted_less", "Less granted"),
    ("redeemed", "Redeemed, not told"),
    ("answered", "Redeemed, basket open"),
    ("completed", "Redeemed"),
    ("unclear", "Unclear"),
    ("owed", "Being given back"),
    ("stuck", "Cannot be given back"),
    ("cleared", "Given back"),
    ("settled", "Closed by a manager"),
];

fn word(words: &[(&str, &'static str)], state: &str) -> &'static str {
    words.iter().find(|(name, _)| *name == state).map_or("Unknown", |(_, word)| word)
}
