//! How fast the journal is on this disk, beside what the disk can do at all:
//!
//! ```text
//! cargo run --release -p tilld-journal --example append_speed [DIRECTORY] [SALES]
//! ```
//!
//! Every figure is of one run on one machine: compare them with each other and not with those of another run.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tilld_domain::ids::{OrderId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{OrderEvent, OrderFacts, Rules};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::product::CardKind;
use tilld_domain::sale::{CardNo, Opening, Payment, Sale, SaleEvent, Tender};
use tilld_journal::{Draft, Journal, Reader, SealKey, Settings, Step, Verdict};
use uuid::Uuid;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let mut given = std::env::args().skip(1);
    let directory = tempfile::TempDir::new_in(given.next().unwrap_or_else(|| ".".to_owned()))?;
    let sales: u32 = given.next().map_or(Ok(1_000), |text| text.parse())?;
    let mut out = std::io::stdout().lock();

    let path = directory.path().join("journal");
    let settings =
        Settings { path: path.clone(), seal: SealKey::new([7; 32]), keep_codes: Settings::KEEP_CODES };
    let journal = Journal::open(&settings)?;
    // Turn by turn, so that whatever else the machine does meets all three alike.
    let mut bare = BareInserts::new(directory.path())?;
    let mut raw = RawAppends::new(directory.path())?;
    let (mut append_spans, mut bare_spans, mut raw_spans) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..sales {
        for draft in whole_sale(u128::from(number))? {
            append_spans.push(timed(|| Ok(journal.append(std::slice::from_ref(&draft)).map(|_| ())?))?);
            bare_spans.push(timed(|| bare.insert())?);
            raw_spans.push(timed(|| raw.append())?);
        }
    }
    writeln!(
        out,
        "{sales} sales of one card, 5 entries each; {SIZE} bytes for the bare insert and the raw append"
    )?;
    let append = show(&mut out, "append of one entry", &mut append_spans)?;
    let bare = show(&mut out, "bare SQLite insert, WAL and FULL", &mut bare_spans)?;
    let raw = show(&mut out, "raw append and fdatasync", &mut raw_spans)?;
    writeln!(
        out,
        "{:<44} {} % of a bare insert, {} % of a raw append",
        "append, median",
        percent(append, bare),
        percent(append, raw)
    )?;
    writeln!(out, "{:<44} {} of {} appends", "commits", journal.commits(), 5 * sales)?;
    writeln!(out, "{:<44} {} bytes", "mean size of an entry's columns", entry_size(&path)?)?;

    let mut shared = Vec::new();
    for number in 0..sales.min(200) {
        let drafts =
            (0..16).map(|sale| open(u128::from(1_000_000 + number * 16 + sale)).map(|(_, draft)| draft));
        let drafts = drafts.collect::<Done<Vec<_>>>()?;
        let begun = Instant::now();
        journal.append(&drafts)?;
        shared.push(begun.elapsed());
    }
    show(&mut out, "append of 16 entries in one commit", &mut shared)?;

    let begun = Instant::now();
    let Verdict::Whole { entries, .. } = Reader::open(&path)?.verify()? else {
        return Err("the journal does not verify".into());
    };
    let took = begun.elapsed();
    let rate = u128::from(entries) * 1_000_000 / took.as_micros().max(1);
    writeln!(out, "{:<44} {entries} entries in {took:?}: {rate} a second", "verify")?;
    Ok(())
}

fn show(out: &mut impl std::io::Write, what: &str, spans: &mut [Duration]) -> Done<Duration> {
    spans.sort();
    let at = |part: usize| {
        spans.get((spans.len() * part / 100).min(spans.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    writeln!(out, "{what:<44} median {:?}, p99 {:?}", at(50), at(99))?;
    Ok(at(50))
}

fn percent(part: Duration, whole: Duration) -> u128 {
    part.as_nanos() * 100 / whole.as_nanos().max(1)
}

/// The mean size of an entry's own columns.
fn entry_size(path: &Path) -> Done<usize> {
    let database = Connection::open(path.join("journal.db"))?;
    let size: i64 = database.query_row(
        "SELECT avg(length(body) + coalesce(length(sealed), 0) + length(kind) + length(state) + 80) FROM entry",
        [],
        |row| row.get::<_, f64>(0).map(|mean| format!("{mean:.0}").parse().unwrap_or(0)),
    )?;
    Ok(usize::try_from(size)?)
}

/// About the size of an entry, which is printed beside it.
const SIZE: usize = 600;

fn timed(act: impl FnOnce() -> Done<()>) -> Done<Duration> {
    let begun = Instant::now();
    act()?;
    Ok(begun.elapsed())
}

struct RawAppends {
    file: File,
    bytes: Vec<u8>,
}

impl RawAppends {
    fn new(directory: &Path) -> Done<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(directory.join("raw"))?;
        Ok(Self { file, bytes: vec![b'x'; SIZE] })
    }

    fn append(&mut self) -> Done<()> {
        self.file.write_all(&self.bytes)?;
        Ok(self.file.sync_data()?)
    }
}

struct BareInserts {
    database: Connection,
    body: String,
}

impl BareInserts {
    fn new(directory: &Path) -> Done<Self> {
        let database = Connection::open(directory.join("bare.db"))?;
        database.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT);",
        )?;
        Ok(Self { database, body: "x".repeat(SIZE) })
    }

    fn insert(&mut self) -> Done<()> {
        self.database.prepare_cached("INSERT INTO entry (body) VALUES (?1)")?.execute([&self.body])?;
        Ok(())
    }
}

fn open(number: u128) -> Done<(Sale, Draft)> {
    let currency = Currency::from_code("EUR")?;
    // Ids as they are in practice: the first bits are a clock, the others chance.
    let id = |part: u128| {
        Uuid::from_u128((number << 80) | (7 << 76) | ((number * 0x9E37_79B9_7F4A_7C15 + part) % (1 << 64)))
    };
    let opening = Opening {
        sale: SaleId::new(id(0)),
        receipt: format!("R-2026-{number:08}").parse()?,
        provider: "finperks".to_owned(),
        store: "store-0001".parse()?,
        terminal: "till-3".parse()?,
        country: "DE".parse()?,
        cashier: None,
        locale: "de-DE".parse()?,
        columns: 42,
        currency,
        rules: Rules::DESIGN,
        cards: vec![OrderFacts {
            id: OrderId::new(id(1)),
            product: "4001232232332".parse()?,
            product_name: "Fuel & Flowers 50".to_owned(),
            kind: CardKind::Por,
            face_value: Money::new(5000, currency),
            code: None,
            code_tail: None,
            key: id(2).to_string().parse()?,
            create_request: "{}".repeat(120),
            undo_window: None,
        }],
    };
    let at = Moment::from_ms(1_700_000_000_000);
    let sale = Sale::open(opening.clone(), at).0;
    let draft = draft(&sale, at, SaleEvent::Opened(Box::new(opening)));
    Ok((sale, draft))
}

/// The five entries of a sale of one POR card.
fn whole_sale(number: u128) -> Done<Vec<Draft>> {
    let (mut sale, opened) = open(number)?;
    let mut drafts = vec![opened];
    let lines = ReceiptLines::new(
        (0..20).map(|line| format!("line {line} of a slip, as wide as paper is")).collect(),
        0,
    );
    let amount = Money::new(5000, sale.opening.currency);
    let card = CardNo::new(1).ok_or("no first card")?;
    for event in [
        SaleEvent::Card(
            card,
            OrderEvent::CreateEnded(Outcome::Done(Created { order: format!("ro-{number}").parse()? })),
        ),
        SaleEvent::Paid {
            payment: Payment { amount, tender: Tender::Card, receipt_total: amount },
            confirm_request: "{}".repeat(80),
        },
        SaleEvent::Card(
            card,
            OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen { stage: OrderStage::Done, lines })),
        ),
        SaleEvent::Card(card, OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId))),
    ] {
        sale = sale.step(Moment::from_ms(1_700_000_000_500), event.clone())?.0;
        drafts.push(draft(&sale, Moment::from_ms(1_700_000_000_500), event));
    }
    Ok(drafts)
}

fn draft(after: &Sale, at: Moment, event: SaleEvent) -> Draft {
    Draft { at, asked: None, step: Step::Sale { event, after: Arc::new(after.clone()), forget: Vec::new() } }
}
