//! The day's report on paper: X, a look at the day as it stands, and Z, its closing.
//!
//! From top to bottom: the mark of a reprint · the shop's header · X or Z with its number · which day, when and where, who closed it ·
//! the sums in all · the same by product, by payment, by provider, by cashier · what is still open · the mark again · the cut.
//!
//! What holds for each of them, whatever the facts are:
//!
//! - It is worth nothing: there is no code on it, not even the end of one.
//! - No row has more columns than the paper, and none holds a control character; no character of an amount, a number or a
//!   name is lost on narrow paper: see [`rows`](crate::rows).
//! - Each sum names how many it is of, so that paper can be counted against it.
//! - Amounts of different currencies are never added up.
//! - A second paper of a Z says so first and last, white on black.
//! - What is still open is told with its product and what it waits for: a receipt's number alone does not say what is to be done.
//! - Same facts, same slip.

use tilld_domain::day::Day;
use tilld_domain::slip::{Align, Paper, Part, Slip, Style};
use tilld_domain::turnover::{Figure, Goods, Paid, Sums, Turnover};
use tilld_domain::voucher::Worth;

use crate::locale::{day, moment, printed_amount};
use crate::rows::Layout;
use crate::slip::{Edge, ShopTexts, around, head};
use crate::states;
use crate::voucher::Counter;
use crate::wording::{Language, Phrase};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort<'a> {
    /// A look at the day as it stands.
    X,
    /// Its closing.
    Z {
        /// Its number.
        number: u32,
        /// Who closed it.
        by: &'a str,
        /// It was closed before this paper was asked for.
        is_copy: bool,
    },
}

/// Something that is not closed.
#[derive(Debug, Clone, Copy)]
pub struct OpenFacts<'a> {
    /// The till's receipt, or basket.
    pub receipt: &'a str,
    /// The value of the card, or what was asked for.
    pub worth: Worth,
    /// The product, or the sort of voucher.
    pub goods: &'a Goods,
    /// The name of the state that it is in, or was when the day was closed.
    pub state: &'a str,
}

/// What the paper says.
#[derive(Debug, Clone, Copy)]
pub struct ReportFacts<'a> {
    /// Where, and when the day was looked at or closed.
    pub counter: Counter<'a>,
    /// Which of the two.
    pub sort: Sort<'a>,
    /// Of which day.
    pub day: Day,
    /// What it adds up to.
    pub turnover: &'a Turnover,
    /// What is not closed, or was not when the day was closed, oldest first.
    pub open: &'a [OpenFacts<'a>],
}

/// Lays the report of a day out.
pub fn day_report(facts: &ReportFacts<'_>, texts: &ShopTexts, paper: Paper) -> Slip {
    let language = Language::of(facts.counter.locale);
    let is_copy = matches!(facts.sort, Sort::Z { is_copy: true, .. });
    let mut sheet = Sheet { layout: Layout::new(&paper), paper, language, counter: facts.counter };
    if is_copy {
        sheet.layout.mark(Phrase::SecondPaper.text(language));
        sheet.layout.part(Part::Feed(1));
    }
    head(&mut sheet.layout, texts);
    sheet.title(facts);
    let Turnover { all, by_goods, by_tender, by_provider, by_cashier } = facts.turnover;
    sheet.layout.rule();
    if all.is_empty() {
        sheet.layout.words(Phrase::NothingHappened.text(language), Style::PLAIN, Align::Centre);
    } else {
        sheet.sums(all, "");
    }
    sheet
        .section(Phrase::ByProduct, by_goods.iter().map(|(goods, sums)| (goods_name(goods, language), sums)));
    sheet.section(Phrase::ByPayment, by_tender.iter().map(|(paid, sums)| (paid_name(*paid, language), sums)));
    sheet.section(Phrase::ByProvider, by_provider.iter().map(|(name, sums)| (name.clone(), sums)));
    let unnamed = Phrase::Unnamed.text(language);
    let cashiers = by_cashier.iter();
    sheet.section(
        Phrase::ByCashier,
        cashiers.map(|(name, sums)| (if name.is_empty() { unnamed.to_owned() } else { name.clone() }, sums)),
    );
    sheet.open(facts.open);
    around(&mut sheet.layout, &texts.footer, Edge::Above);
    if is_copy {
        sheet.layout.part(Part::Feed(1));
        sheet.layout.mark(Phrase::SecondPaper.text(language));
    }
    sheet.layout.part(Part::Cut);
    sheet.layout.finish()
}

/// A report while it is being laid out.
struct Sheet<'a> {
    layout: Layout,
    paper: Paper,
    language: Language,
    counter: Counter<'a>,
}

impl Sheet<'_> {
    fn title(&mut self, facts: &ReportFacts<'_>) {
        let Counter { store, terminal, at_ms, zone, locale } = self.counter;
        let text = |phrase: Phrase| phrase.text(self.language);
        let (title, by) = match facts.sort {
            Sort::X => (text(Phrase::ReportX).to_owned(), None),
            Sort::Z { number, by, .. } => {
                (text(Phrase::ReportZ).replace("{n}", &number.to_string()), Some(by))
            }
        };
        let facts = [
            (Phrase::Day, Some(day(facts.day, locale))),
            (Phrase::Store, Some(store.as_str().to_owned())),
            (Phrase::Till, Some(terminal.as_str().to_owned())),
            (Phrase::ClosedBy, by.map(str::to_owned)),
            (Phrase::Date, Some(moment(at_ms, zone, locale))),
        ];
        self.layout.large(&title);
        self.layout.rule();
        for (label, value) in facts {
            if let Some(value) = value {
                self.layout.fact(label.text(self.language), &value);
            }
        }
    }

    fn sums(&mut self, sums: &Sums, indent: &str) {
        for sum in sums.iter() {
            let phrase = match sum.figure {
                Figure::Sold => Phrase::Sold,
                Figure::MoneyBack => Phrase::MoneyBack,
                Figure::Redeemed => Phrase::Redeemed,
                Figure::GivenBack => Phrase::ValueGivenBack,
            };
            let worth = self.worth(sum.worth);
            let label = format!("{indent}{} ({})", phrase.text(self.language), sum.count);
            self.layout.fact(&label, &worth);
        }
    }

    fn section<'s>(&mut self, title: Phrase, rows: impl Iterator<Item = (String, &'s Sums)>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        self.layout.rule();
        self.layout.words(title.text(self.language), Style::BOLD, Align::Left);
        for (name, sums) in rows {
            self.layout.words(&name, Style::PLAIN, Align::Left);
            self.sums(sums, "  ");
        }
    }

    fn open(&mut self, open: &[OpenFacts<'_>]) {
        if open.is_empty() {
            return;
        }
        self.layout.rule();
        let title = format!("{} ({})", Phrase::StillOpen.text(self.language), open.len());
        self.layout.words(&title, Style::BOLD, Align::Left);
        for one in open {
            let worth = self.worth(one.worth);
            self.layout.fact(one.receipt, &worth);
            let state = match one.goods {
                Goods::Card { .. } => states::of_card(one.state, self.language),
                Goods::Gift | Goods::Promotional => states::of_redemption(one.state, self.language),
            };
            let standing = format!("{}: {state}", goods_name(one.goods, self.language));
            self.layout.words(&standing, Style::PLAIN, Align::Left);
        }
    }

    fn worth(&self, worth: Worth) -> String {
        match worth {
            Worth::Money(money) => printed_amount(money, self.counter.locale, &self.paper.prints),
            Worth::Items(count) => format!("{count} x"),
        }
    }
}

fn goods_name(goods: &Goods, language: Language) -> String {
    match goods {
        Goods::Card { code, name } if name.trim().is_empty() => code.clone(),
        Goods::Card { name, .. } => name.clone(),
        Goods::Gift => Phrase::Voucher.text(language).to_owned(),
        Goods::Promotional => Phrase::Promotional.text(language).to_owned(),
    }
}

fn paid_name(paid: Paid, language: Language) -> String {
    let phrase = match paid {
        Paid::Cash => Phrase::Cash,
        Paid::Card => Phrase::PaymentCard,
        Paid::Mixed => Phrase::CashAndCard,
        Paid::Voucher => Phrase::Voucher,
        Paid::Discount => Phrase::Discount,
    };
    phrase.text(language).to_owned()
}
