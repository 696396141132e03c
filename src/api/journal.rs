//! The journal for managers: searching it, one sale or redemption entry by entry, taking a selection out of it, and whether it
//! is whole. Nothing here changes anything.
//!
//! An export is a search without an end: page after page is read while the last one is being sent, so that its length costs no
//! memory, and a reader who does not read holds nothing but a connection until the door ends that. If the journal cannot be read in
//! the middle, the answer is broken off: half a file must not look whole.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tilld_counter::{LinePlace, Page, Search, Verification, What};
use tilld_domain::moment::Moment;
use utoipa::{IntoParams, ToSchema};

use crate::ApiState;
use crate::openapi::{JournalProblems, RedemptionHistoryProblems, SaleHistoryProblems, VerificationProblems};
use crate::problem::{Objection, Problem};
use crate::redemptions::OfRedemption;
use crate::routes::{Routes, routes};
use crate::sales::OfSale;
use crate::table::{Columns, csv, csv_head};
use crate::wire::{History, JournalLine, LinePage, instant};

/// How many lines a page has unless told otherwise.
const LINES: usize = 50;
/// How many it has at most.
const MOST_LINES: usize = 200;
/// How many lines an export reads at once.
const EXPORTED_AT_ONCE: usize = 500;
/// The longest text of a filter, in characters.
const LONGEST: usize = 128;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(search))
        .routes(routes!(sale))
        .routes(routes!(redemption))
        .routes(routes!(export))
        .routes(routes!(verify, verification))
}

/// What is looked for. Everything that is given must fit.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Words, all of which must fit: a receipt or basket, the number it ends with, or what follows its last hyphen; an id; the number
    /// at the foot of a printed card's slip; an amount as screens and papers show it (`75,50 €`, `CHF 1'234.50`), in any
    /// currency unless it names one; the last four characters of a scanned card's or a voucher's code; the beginnings of a cashier's or a
    /// product's name, of a product's code, of a state. The code of a printed card is not known, so nothing is found by it.
    #[param(max_length = 128, example = "gutschein 75,50 €")]
    search: Option<String>,
    /// Begun at this moment (RFC 3339) or on this day (`2026-11-22`, in the till's time zone), or later.
    #[param(example = "2026-11-22")]
    from: Option<String>,
    /// Begun before this moment, or on this day or earlier.
    #[param(example = "2026-11-22")]
    to: Option<String>,
    /// `sale` or `redemption`.
    #[param(example = "sale")]
    kind: Option<String>,
    /// In this state now.
    #[param(max_length = 128, example = "owed")]
    state: Option<String>,
    /// `true`: only what remains to be done or decided.
    #[param(example = "true")]
    open: Option<String>,
    /// By this cashier: the whole name.
    #[param(max_length = 128, example = "Kim")]
    cashier: Option<String>,
    /// Of this product: its code.
    #[param(max_length = 128, example = "4001232232332")]
    product: Option<String>,
    /// Of this value, written in any way; in any currency unless it names one.
    #[param(max_length = 24, example = "50.00")]
    amount: Option<String>,
    /// How many lines at most: 1 to 200, 50 if absent. Not of an export.
    #[param(example = "50")]
    limit: Option<String>,
    /// `next` of the page before. Not of an export.
    before: Option<String>,
    /// Of an export: `csv` or `jsonl`.
    #[param(example = "csv")]
    format: Option<String>,
}

impl<State: Send + Sync> FromRequestParts<State> for Filter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let read: Result<Query<Self>, QueryRejection> = Query::from_request_parts(parts, state).await;
        read.map(|Query(filter)| filter).map_err(|_| Objection::QueryWrong.into())
    }
}

/// A parameter that cannot be read, by its name.
fn wrong(name: &str, expected: &str) -> Problem {
    Problem::in_body(
        Objection::QueryWrong,
        Some(name.to_owned()),
        format!("In {name}: {expected} is expected."),
    )
}

fn text(name: &str, text: Option<&String>) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.chars().count() > LONGEST => Err(wrong(name, "a text of at most 128 characters")),
        Some(text) if text.is_empty() => Ok(None),
        other => Ok(other.cloned()),
    }
}

/// A moment, or a day in the till's zone: its beginning, or the beginning of the next one.
fn bound(name: &str, text: Option<&String>, zone: &str, ends: bool) -> Result<Option<Moment>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let day = |date: Date| {
        let date = if ends { date.tomorrow().ok()? } else { date };
        date.to_zoned(zone).ok().map(|begin| begin.timestamp())
    };
    let at = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => day(date),
        _ => text.parse::<Timestamp>().ok(),
    };
    at.map(|at| Some(Moment::from_ms(at.as_millisecond())))
        .ok_or_else(|| wrong(name, "a day such as 2026-11-22 or a moment of RFC 3339"))
}

impl Filter {
    fn search(&self, zone: &str) -> Result<Search, Problem> {
        let what = match self.kind.as_deref() {
            None | Some("") => None,
            Some("sale") => Some(What::Sale),
            Some("redemption") => Some(What::Redemption),
            Some(_) => return Err(wrong("kind", "sale or redemption")),
        };
        let open_only = match self.open.as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("open", "true or false")),
        };
        Ok(Search {
            text: text("search", self.search.as_ref())?,
            what,
            state: text("state", self.state.as_ref())?,
            open_only,
            cashier: text("cashier", self.cashier.as_ref())?,
            product: text("product", self.product.as_ref())?,
            amount: text("amount", self.amount.as_ref())?,
            from: bound("from", self.from.as_ref(), zone, false)?,
            until: bound("to", self.to.as_ref(), zone, true)?,
        })
    }

    fn limit(&self) -> Result<usize, Problem> {
        let Some(limit) = self.limit.as_deref().filter(|limit| !limit.is_empty()) else { return Ok(LINES) };
        let limit = limit.parse().ok().filter(|limit| (1..=MOST_LINES).contains(limit));
        limit.ok_or_else(|| wrong("limit", "a number from 1 to 200"))
    }

    fn before(&self) -> Result<Option<LinePlace>, Problem> {
        let before = self.before.as_deref().filter(|before| !before.is_empty());
        before.map(str::parse).transpose().map_err(|_| wrong("before", "the next of a page"))
    }
}

/// Search the journal
///
/// Cards of sales and redemptions, newest first. A search reads an index beside the journal, which follows it within milliseconds; only
/// while the index of a long journal is made for the first time is `searched` less than `last`. Codes of scanned cards and of vouchers are found by
/// their last four characters, and shown so; a printed card by the number at the foot of its slip.
#[utoipa::path(
    get,
    path = "/v1/journal",
    tag = "journal",
    operation_id = "search_journal",
    params(Filter),
    responses((status = 200, description = "A page", body = LinePage), JournalProblems)
)]
async fn search(State(state): State<ApiState>, filter: Filter) -> Result<Json<LinePage>, Problem> {
    let counter = state.counter();
    if filter.format.is_some() {
        return Err(Objection::QueryWrong.into());
    }
    let (search, before) = (filter.search(&counter.place().zone)?, filter.before()?);
    let page = counter.search(search, before, filter.limit()?).await?;
    Ok(Json(page.into()))
}

/// Read a sale entry by entry
///
/// What happened, what was sent and what was answered, with dots in place of secrets.
#[utoipa::path(
    get,
    path = "/v1/journal/sales/{sale}",
    tag = "journal",
    operation_id = "read_sale_history",
    params(("sale" = String, Path, format = "uuid", description = "The sale's id")),
    responses((status = 200, description = "Its entries", body = History), SaleHistoryProblems)
)]
async fn sale(State(state): State<ApiState>, OfSale(sale): OfSale) -> Result<Json<History>, Problem> {
    let (lines, steps) = state.counter().sale_history(sale).await?;
    Ok(Json(History::of(&lines, &steps)))
}

/// Read a redemption entry by entry
///
/// As of a sale.
#[utoipa::path(
    get,
    path = "/v1/journal/redemptions/{redemption}",
    tag = "journal",
    operation_id = "read_redemption_history",
    params(("redemption" = String, Path, format = "uuid", description = "The redemption's id")),
    responses((status = 200, description = "Its entries", body = History), RedemptionHistoryProblems)
)]
async fn redemption(
    State(state): State<ApiState>,
    OfRedemption(redemption): OfRedemption,
) -> Result<Json<History>, Problem> {
    let (lines, steps) = state.counter().redemption_history(redemption).await?;
    Ok(Json(History::of(&lines, &steps)))
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

impl Format {
    fn page(self, page: &Page) -> Vec<u8> {
        let lines = page.lines.iter().map(JournalLine::from);
        let mut text = String::new();
        for line in lines {
            match self {
                Self::Csv => csv(&mut text, &columns(&line)),
                Self::JsonLines => {
                    // Texts and numbers always become JSON.
                    text.push_str(&serde_json::to_string(&line).unwrap_or_default());
                    text.push('\n');
                }
            }
        }
        text.into_bytes()
    }
}

/// The names of the columns of [`columns`].
const HEAD: [&str; 20] = [
    "kind",
    "id",
    "card",
    "order",
    "receipt",
    "provider",
    "provider_id",
    "product",
    "product_name",
    "sort",
    "amount",
    "currency",
    "taken",
    "state",
    "word",
    "open",
    "cashier",
    "code",
    "opened_at",
    "updated_at",
];

fn columns(line: &JournalLine) -> Columns<20> {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let (amount, currency) = line.amount.columns();
    [
        line.kind.word().to_owned(),
        line.id.clone(),
        line.card.map(|card| card.to_string()).unwrap_or_default(),
        text(line.order.as_ref()),
        line.receipt.clone(),
        line.provider.clone(),
        text(line.provider_id.as_ref()),
        text(line.product.as_ref()),
        text(line.product_name.as_ref()),
        line.sort.clone(),
        amount,
        currency,
        line.taken.map(|taken| taken.columns().0).unwrap_or_default(),
        line.state.clone(),
        line.word.to_owned(),
        line.open.to_string(),
        text(line.cashier.as_ref()),
        text(line.code.as_ref()),
        line.opened_at.clone(),
        line.updated_at.clone(),
    ]
}

/// Take a selection out of the journal
///
/// Everything that fits, newest first: `csv` (RFC 4180, UTF-8 with a byte order mark; a cell that a spreadsheet would take for a
/// formula has an apostrophe before it) or `jsonl` (one `JournalLine` a line). It is sent while it is read; an answer that is broken off is not whole.
#[utoipa::path(
    get,
    path = "/v1/journal/export",
    tag = "journal",
    operation_id = "export_journal",
    params(Filter),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (String = "application/jsonl"))),
        JournalProblems
    )
)]
async fn export(State(state): State<ApiState>, filter: Filter) -> Result<Response, Problem> {
    let counter = state.counter().clone();
    let (format, media, name) = match filter.format.as_deref() {
        Some("csv") => (Format::Csv, "text/csv; charset=utf-8", "attachment; filename=\"journal.csv\""),
        Some("jsonl") => (Format::JsonLines, "application/jsonl", "attachment; filename=\"journal.jsonl\""),
        _ => return Err(wrong("format", "csv or jsonl")),
    };
    if filter.limit.is_some() || filter.before.is_some() {
        return Err(Objection::QueryWrong.into());
    }
    let search = filter.search(&counter.place().zone)?;
    // What cannot be read at all is a problem, not half a file.
    let first = counter.search(search.clone(), None, EXPORTED_AT_ONCE).await?;
    let mut head = String::new();
    if format == Format::Csv {
        csv_head(&mut head, &HEAD);
    }
    let begin = (head.into_bytes(), Some(first));
    let pages = stream::unfold(begin, move |(mut bytes, page)| {
        let (counter, search) = (counter.clone(), search.clone());
        async move {
            let page = page?;
            bytes.extend(format.page(&page));
            let next = match page.next {
                None => None,
                Some(place) => match counter.search(search, Some(place), EXPORTED_AT_ONCE).await {
                    Ok(next) => Some(next),
                    Err(_) => {
                        return Some((
                            Err(io::Error::other("the journal cannot be read")),
                            (Vec::new(), None),
                        ));
                    }
                },
            };
            Some((Ok(bytes), (Vec::new(), next)))
        }
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media)),
        (CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// Whether the journal is whole, as far as that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schema(as = Verification)]
enum Verified {
    /// It was not verified since the daemon started.
    Never,
    /// It is being verified.
    Running {
        /// Since when (RFC 3339, UTC).
        #[schema(format = "date-time")]
        since: String,
    },
    /// Every entry is what was written, in the order in which it was written, and the tables say what they say.
    Whole {
        /// When that was found (RFC 3339, UTC).
        #[schema(format = "date-time")]
        at: String,
        /// How many entries.
        entries: u64,
        /// The last link of the chain, in hexadecimal digits: note it elsewhere, and compare.
        head: String,
    },
    /// Not so. Keep a copy of the journal's folder, and call the manufacturer.
    Broken {
        /// When that was found (RFC 3339, UTC).
        #[schema(format = "date-time")]
        at: String,
        /// The first entry that does not fit.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It could not be read.
    Unread {
        /// When (RFC 3339, UTC).
        #[schema(format = "date-time")]
        at: String,
        /// Why not.
        why: String,
    },
}

impl From<Verification> for Verified {
    fn from(verification: Verification) -> Self {
        match verification {
            Verification::Never => Self::Never,
            Verification::Running { since } => Self::Running { since: instant(since) },
            Verification::Whole { at, entries, head } => {
                Self::Whole { at: instant(at), entries, head: hex::encode(head) }
            }
            Verification::Broken { at, seq, why } => Self::Broken { at: instant(at), seq: seq.number(), why },
            Verification::Unread { at, why } => Self::Unread { at: instant(at), why },
        }
    }
}

/// Begin to verify the journal
///
/// Walks the chain and the tables beside selling; a second request while it runs changes nothing. It wants no key.
#[utoipa::path(
    post,
    path = "/v1/journal/verification",
    tag = "journal",
    operation_id = "verify_journal",
    responses((status = 202, description = "How it stands", body = Verified), VerificationProblems)
)]
async fn verify(State(state): State<ApiState>) -> (StatusCode, Json<Verified>) {
    (StatusCode::ACCEPTED, Json(state.counter().verify().into()))
}

/// Whether the journal is whole
///
/// As it was found last, since the daemon started. To look keeps no manager signed in, so that a page may watch it.
#[utoipa::path(
    get,
    path = "/v1/journal/verification",
    tag = "journal",
    operation_id = "read_verification",
    responses((status = 200, description = "How it stands", body = Verified), VerificationProblems)
)]
async fn verification(State(state): State<ApiState>) -> Json<Verified> {
    Json(state.counter().verification().into())
}
