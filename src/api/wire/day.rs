//! A day of business: what it adds up to, its closing, what is still open.

use serde::{Deserialize, Serialize};
use tilld_counter::{DayReport, Reported};
use tilld_domain::ids::PersonName;
use tilld_domain::turnover::{Figure, Goods, Paid, Sums};
use utoipa::ToSchema;

use super::line::JournalLine;
use super::paper::PaperEnd;
use super::parts::{Checked, instant, words};
use super::voucher::Worth;

words! {
    /// What is counted.
    enum FigureWord as "DayFigure" {
        /// Cards that were sold.
        Sold = "sold",
        /// Paid cards that did not come to be, or had to be undone: their money was given back.
        MoneyBack = "money_back",
        /// Vouchers that paid.
        Redeemed = "redeemed",
        /// Redemptions that were given back.
        GivenBack = "given_back",
    }

    /// How something was paid.
    enum PaidWord as "DayTender" {
        /// In notes and coins.
        Cash = "cash",
        /// With a payment card.
        Card = "card",
        /// A part each.
        Mixed = "mixed",
        /// By a voucher, as a payment.
        Voucher = "voucher",
        /// By a voucher that lowers the price.
        Discount = "discount",
    }

    /// Which report.
    enum ReportKind as "ReportKind" {
        /// A look at the day as it stands.
        X = "x",
        /// Its closing.
        Z = "z",
    }
}

/// A sum. Those of different currencies are apart, and so are items.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DaySum)]
pub(crate) struct DaySum {
    /// Of what.
    figure: FigureWord,
    /// How many.
    count: u64,
    /// How much.
    amount: Worth,
}

fn sums(sums: &Sums) -> Vec<DaySum> {
    let sum = |sum: tilld_domain::turnover::Sum| DaySum {
        figure: match sum.figure {
            Figure::Sold => FigureWord::Sold,
            Figure::MoneyBack => FigureWord::MoneyBack,
            Figure::Redeemed => FigureWord::Redeemed,
            Figure::GivenBack => FigureWord::GivenBack,
        },
        count: sum.count,
        amount: sum.worth.into(),
    };
    sums.iter().map(sum).collect()
}

/// The sums of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayProduct)]
pub(crate) struct OfProduct {
    /// Its code; null for vouchers.
    product: Option<String>,
    /// Its name when it was sold; for vouchers `gift` or `promotional`.
    name: String,
    /// The sums.
    sums: Vec<DaySum>,
}

/// The sums of one way to pay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayOfTender)]
pub(crate) struct OfTender {
    /// How.
    tender: PaidWord,
    /// The sums.
    sums: Vec<DaySum>,
}

/// The sums of a provider or a cashier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayOfName)]
pub(crate) struct OfName {
    /// Its configured name, or the cashier's; null where the till named nobody.
    name: Option<String>,
    /// The sums.
    sums: Vec<DaySum>,
}

/// The closing of a day: its Z.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayClosing)]
pub(crate) struct Closing {
    /// Its number: from 1, without gaps.
    number: u32,
    /// Who closed it.
    by: String,
    /// When (RFC 3339, UTC).
    #[schema(format = "date-time")]
    at: String,
    /// The entry of the journal that says so.
    seq: u64,
    /// How many cards and redemptions were not closed when that was asked for; 500 stands for 500 or more.
    open: u32,
}

/// A day of business.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Day)]
pub(crate) struct BusinessDay {
    /// Its date, in the till's time zone.
    #[schema(format = "date", example = "2026-11-22")]
    day: String,
    /// Its closing; null if it is not closed.
    closing: Option<Closing>,
    /// When this was read (RFC 3339, UTC).
    #[schema(format = "date-time")]
    read_at: String,
    /// The journal's entries after this one,
    after: u64,
    /// up to this one, are in it.
    upto: u64,
    /// What it adds up to.
    sums: Vec<DaySum>,
    /// The same by product.
    by_product: Vec<OfProduct>,
    /// By how it was paid.
    by_tender: Vec<OfTender>,
    /// By provider.
    by_provider: Vec<OfName>,
    /// By cashier.
    by_cashier: Vec<OfName>,
    /// What is not closed, oldest first; at most 500. Of a day that is closed, as it was then, whatever became of it since; of one that
    /// was left out when a later one was closed, as it was at its end; else as it is now.
    open: Vec<JournalLine>,
}

impl From<&DayReport> for BusinessDay {
    fn from(report: &DayReport) -> Self {
        let turnover = &report.turnover;
        let product = |(goods, of): (&Goods, &Sums)| {
            let (product, name) = match goods {
                Goods::Card { code, name } => (Some(code.clone()), name.clone()),
                Goods::Gift => (None, "gift".to_owned()),
                Goods::Promotional => (None, "promotional".to_owned()),
            };
            OfProduct { product, name, sums: sums(of) }
        };
        let tender = |(paid, of): (&Paid, &Sums)| OfTender {
            tender: match paid {
                Paid::Cash => PaidWord::Cash,
                Paid::Card => PaidWord::Card,
                Paid::Mixed => PaidWord::Mixed,
                Paid::Voucher => PaidWord::Voucher,
                Paid::Discount => PaidWord::Discount,
            },
            sums: sums(of),
        };
        let name = |(name, of): (&String, &Sums)| OfName {
            name: (!name.is_empty()).then(|| name.clone()),
            sums: sums(of),
        };
        Self {
            day: report.day.to_string(),
            closing: report.closing.as_ref().map(|row| Closing {
                number: row.closing.number,
                by: row.closing.by.to_string(),
                at: instant(row.at),
                seq: row.seq.number(),
                open: row.closing.open,
            }),
            read_at: instant(report.at),
            after: report.after.number(),
            upto: report.upto.number(),
            sums: sums(&turnover.all),
            by_product: turnover.by_goods.iter().map(product).collect(),
            by_tender: turnover.by_tender.iter().map(tender).collect(),
            by_provider: turnover.by_provider.iter().map(name).collect(),
            by_cashier: turnover.by_cashier.iter().map(name).collect(),
            open: report.open.iter().map(JournalLine::from).collect(),
        }
    }
}

/// Which report of a day, and whether on paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    /// Which.
    pub(crate) kind: ReportKind,
    /// Whether it is printed too; not if absent.
    #[serde(default)]
    pub(crate) print: bool,
    /// Who closes the day; it stays in the journal. Needed for a Z, but for a manager who is signed in: it is his name then, whatever stands here.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Ada Berg")]
    pub(crate) by: Option<Checked<PersonName>>,
}

/// A report of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    /// The day.
    #[serde(flatten)]
    day: BusinessDay,
    /// What became of the paper; null if none was asked for.
    paper: Option<PaperEnd>,
}

impl From<&Reported> for Report {
    fn from(reported: &Reported) -> Self {
        Self { day: (&reported.report).into(), paper: reported.paper.map(PaperEnd::from) }
    }
}
