//! How long a manager waits for a page of the journal, how long its index takes to make, and how large it is:
//!
//! ```text
//! cargo run --release -p tilld-journal --example search_speed [DIRECTORY] [ENTRIES]
//! ```
//!
//! A journal of so many entries (5,000,000 by default) is written once, through the room that writes it in the shop: sales of one
//! card, five entries each, in three years of days, of 200 products, 40 cashiers, 300 values; one in 50 is refused, one in 1,000 waits for its payment. Then the
//! index is made, and each filter is asked for its first page, every time on a new connection, as the daemon does it. The arguments of a filter
//! are drawn anew each time. A journal that is already in the directory is used as it is.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tilld_domain::ids::{OrderId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{OrderEvent, OrderFacts, Rules};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Opening, Payment, Sale, SaleEvent, Tender};
use tilld_journal::{Draft, Journal, Place, Reader, SealKey, Search, Settings, Step, What, index};
use uuid::Uuid;

type Done<T> = Result<T, Box<dyn Error>>;

/// Drafts in one commit.
const AT_ONCE: usize = 1_000;
/// Questions of each filter.
const ASKED: u64 = 200;
/// Lines of a page.
const LINES: usize = 50;
/// When the first sale was, and how far apart they are in ms.
const BEGUN: i64 = 1_700_000_000_000;
const APART: i64 = 95_000;

fn main() -> Done<()> {
    let mut given = std::env::args().skip(1);
    let directory = given.next().unwrap_or_else(|| "search-speed".to_owned());
    let path = Path::new(&directory);
    let entries: u64 = given.next().map_or(Ok(5_000_000), |text| text.parse())?;
    let mut out = std::io::stdout().lock();
    let settings =
        Settings { path: path.to_owned(), seal: SealKey::new([7; 32]), keep_codes: Settings::KEEP_CODES };
    if !Journal::exists(path) {
        let begun = Instant::now();
        write(&Journal::open(&settings)?, entries)?;
        writeln!(out, "{:<44} {:?}", "written in", begun.elapsed())?;
    }
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    let last = loop {
        let batch = Instant::now();
        let followed = index::follow(path)?;
        longest = longest.max(batch.elapsed());
        if followed.is_whole() {
            break followed.last;
        }
    };
    writeln!(out, "{:<44} {last} entries in {:?}, longest batch {longest:?}", "index made", begun.elapsed())?;
    for file in ["journal.db", "journal.index.db"] {
        writeln!(out, "{:<44} {} MiB", file, std::fs::metadata(path.join(file))?.len() / (1 << 20))?;
    }
    writeln!(out, "{:<44} {} KiB", "most memory so far", most_memory()?)?;

    let sales = last.number() / 5;
    let mut worst = Duration::ZERO;
    for (name, make) in filters() {
        let mut spans = Vec::new();
        let mut found = 0;
        for turn in 0..ASKED {
            let (search, before) = make(drawn(turn), sales);
            let begun = Instant::now();
            let page = Reader::open(path)?.search(&search, before, LINES)?;
            spans.push(begun.elapsed());
            found += page.lines.len();
        }
        spans.sort();
        let at = |part: usize| {
            spans.get((spans.len() * part / 100).min(spans.len() - 1)).copied().unwrap_or_default()
        };
        worst = worst.max(at(95));
        writeln!(
            out,
            "{name:<44} p50 {:>10?}, p95 {:>10?}, max {:>10?}, {:>5} lines a page",
            at(50),
            at(95),
            at(100),
            found as u64 / ASKED
        )?;
    }
    writeln!(out, "{:<44} {worst:?}", "greatest p95")?;
    writeln!(out, "{:<44} {} KiB", "most memory", most_memory()?)?;
    Ok(())
}

/// Makes a filter out of a number drawn at random and of how many sales there are.
type Make = fn(u64, u64) -> (Search, Option<Place>);

fn filters() -> Vec<(&'static str, Make)> {
    fn text(text: String) -> (Search, Option<Place>) {
        (Search { text: Some(text), ..Search::default() }, None)
    }
    fn day(number: u64) -> Moment {
        Moment::from_ms(BEGUN + i64::try_from(number).unwrap_or(0) * 86_400_000)
    }
    vec![
        ("no filter", |_, _| (Search::default(), None)),
        ("a page far back", |drawn, sales| {
            (Search::default(), format!("{}", drawn % sales * 5 * 64).parse().ok())
        }),
        ("redemptions (there are none)", |_, _| {
            (Search { what: Some(What::Redemption), ..Search::default() }, None)
        }),
        ("a state that most have", |_, _| {
            (Search { state: Some("sold".to_owned()), ..Search::default() }, None)
        }),
        ("a state that few have", |_, _| {
            (Search { state: Some("created".to_owned()), ..Search::default() }, None)
        }),
        ("a state that none has", |_, _| {
            (Search { state: Some("stuck".to_owned()), ..Search::default() }, None)
        }),
        ("what is open", |_, _| (Search { open_only: true, ..Search::default() }, None)),
        ("a cashier", |drawn, _| {
            (Search { cashier: Some(format!("Cashier {}", drawn % 40)), ..Search::default() }, None)
        }),
        ("a product", |drawn, _| (Search { product: Some(product(drawn)), ..Search::default() }, None)),
        ("an amount", |drawn, _| {
            (Search { amount: Some(format!("{}.00", drawn % 300 + 1)), ..Search::default() }, None)
        }),
        ("a day", |drawn, _| {
            let begin = drawn % 1_000;
            (Search { from: Some(day(begin)), until: Some(day(begin + 1)), ..Search::default() }, None)
        }),
        ("a day, a state and a cashier", |drawn, _| {
            let begin = drawn % 1_000;
            let search = Search {
                from: Some(day(begin)),
                until: Some(day(begin + 1)),
                state: Some("not_sold".to_owned()),
                cashier: Some(format!("Cashier {}", drawn % 40)),
                ..Search::default()
            };
            (search, None)
        }),
        ("a product and a cashier that never met", |drawn, _| {
            // A product's number and a cashier's are of the same remainder.
            let search = Search {
                product: Some(product(drawn % 5 * 40)),
                cashier: Some(format!("Cashier {}", drawn % 5 * 8 + 1)),
                ..Search::default()
            };
            (search, None)
        }),
        ("everything at once", |drawn, _| {
            let search = Search {
                what: Some(What::Sale),
                state: Some("sold".to_owned()),
                product: Some(product(drawn)),
                amount: Some(format!("{}.00", drawn % 300 + 1)),
                from: Some(day(0)),
                until: Some(day(2_000)),
                text: Some("cashier gutschein".to_owned()),
                ..Search::default()
            };
            (search, None)
        }),
        ("a receipt", |drawn, sales| text(format!("R-{:08}", drawn % sales))),
        ("the number of a receipt", |drawn, sales| text((drawn % sales).to_string())),
        ("an order's id", |drawn, sales| text(id(drawn % sales, 1).to_string())),
        ("the provider's id of an order", |drawn, sales| text(format!("ro-{}", drawn % sales))),
        ("the last four characters of a code", |drawn, _| text(format!("{:04}", drawn % 10_000))),
        ("a word of a product's name", |drawn, _| text(format!("marke{}", drawn % 200))),
        ("a word that begins most names", |_, _| text("gut".to_owned())),
        ("one letter", |_, _| text("m".to_owned())),
        ("one letter, of nothing that is open", |_, _| {
            (
                Search { text: Some("m".to_owned()), state: Some("stuck".to_owned()), ..Search::default() },
                None,
            )
        }),
        ("a text that nothing has", |drawn, _| text(format!("nothing {drawn}"))),
    ]
}

/// Numbers that look random and are the same in every run.
fn drawn(turn: u64) -> u64 {
    let mut x = turn.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 11
}

fn product(number: u64) -> String {
    format!("4001{:09}", number % 200)
}

fn id(sale: u64, part: u128) -> Uuid {
    let time = u128::try_from(BEGUN).unwrap_or(0).saturating_add(u128::from(sale) * 95_000) << 80;
    Uuid::from_u128(time | (7 << 76) | (part << 64) | (2 << 62) | u128::from(drawn(sale) & ((1 << 50) - 1)))
}

fn write(journal: &Journal, entries: u64) -> Done<()> {
    let mut drafts = Vec::with_capacity(AT_ONCE + 5);
    let (mut written, mut number) = (0, 0);
    while written < entries {
        number += 1;
        drafts.extend(sale(number)?);
        if drafts.len() >= AT_ONCE {
            written += drafts.len() as u64;
            journal.append(&drafts)?;
            drafts.clear();
        }
    }
    Ok(())
}

/// The drafts of a sale: most are sold.
fn sale(number: u64) -> Done<Vec<Draft>> {
    let at = Moment::from_ms(BEGUN + i64::try_from(number)? * APART);
    let currency = Currency::from_code("EUR")?;
    let card = OrderFacts {
        id: OrderId::new(id(number, 1)),
        product: product(number).parse()?,
        product_name: format!("Marke{} Gutschein", number % 200),
        kind: CardKind::Posa,
        face_value: Money::new(i64::try_from(drawn(number) % 300)? * 100 + 100, currency),
        code: None,
        code_tail: Some(format!("••••{:04}", drawn(number) % 10_000)),
        key: id(number, 2).to_string().parse()?,
        create_request: "{}".repeat(60),
        undo_window: None,
    };
    let opening = Opening {
        sale: SaleId::new(id(number, 0)),
        receipt: format!("R-{number:08}").parse()?,
        provider: "finperks".to_owned(),
        store: "A1234".parse()?,
        terminal: "T01".parse()?,
        country: "DE".parse()?,
        cashier: Some(format!("Cashier {}", number % 40).parse()?),
        locale: "de-DE".parse()?,
        columns: 42,
        currency,
        rules: Rules::DESIGN,
        cards: vec![card],
    };
    let mut now = Sale::open(opening.clone(), at).0;
    let amount = now.orders.first().map_or(Money::zero(currency), |order| order.facts.face_value);
    let mut drafts = vec![draft(at, SaleEvent::Opened(Box::new(opening)), &now)];
    let card = |event| CardNo::new(1).map(|card| SaleEvent::Card(card, event));
    let order = format!("ro-{number}").parse()?;
    let created = match number % 50 {
        0 => Outcome::Refused(Refusal::Declined),
        _ => Outcome::Done(Created { order }),
    };
    let mut events = vec![card(OrderEvent::CreateEnded(created))];
    if !number.is_multiple_of(50) && number % 1_000 != 1 {
        let payment = Payment { amount, tender: Tender::Card, receipt_total: amount };
        let lines = ReceiptLines::new(vec!["The card is active.".to_owned()], 0);
        events.push(Some(SaleEvent::Paid { payment, confirm_request: "{}".repeat(40) }));
        events.push(card(OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen {
            stage: OrderStage::Done,
            lines,
        }))));
        events.push(card(OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId))));
    }
    for event in events.into_iter().flatten() {
        now = now.step(at, event.clone())?.0;
        drafts.push(draft(at, event, &now));
    }
    Ok(drafts)
}

fn draft(at: Moment, event: SaleEvent, after: &Sale) -> Draft {
    let step = Step::Sale { event, after: Arc::new(after.clone()), forget: Vec::new() };
    Draft { at, asked: None, step }
}

/// The most memory that was resident, in KiB.
fn most_memory() -> Done<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
