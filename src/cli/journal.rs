//! `tilld journal`: the journal, read while the daemon runs or not. It never writes, and needs no key: codes and the lines
//! of slips stay sealed.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tilld_domain::ids::BasketId;
use tilld_domain::moment::Moment;
use tilld_domain::money::Money;
use tilld_domain::order::Order;
use tilld_domain::redemption::Redemption;
use tilld_domain::voucher::{VoucherKind, Worth};
use tilld_journal::{
    DeviceRow, Filter, Reader, RedemptionFilter, RedemptionRow, SaleRow, Subject, Verdict, WrongCode,
};

use crate::command::{ConfigFile, Failure, say};
use crate::table::table;

/// How many sales a list shows unless told otherwise.
const LISTED: usize = 50;
/// How many it shows at most.
const MOST_LISTED: usize = 10_000;

/// What can be asked of the journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// The sales, newest last
    List {
        #[command(flatten)]
        which: Which,
        /// Only sales for which something remains to be done or decided
        #[arg(long)]
        open: bool,
        /// Only sales with a card in this state
        #[arg(long, value_name = "STATE", value_parser = Order::STATE_NAMES)]
        state: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        most: usize,
    },
    /// The redemptions of vouchers, newest last
    Redemptions {
        #[command(flatten)]
        which: Which,
        /// Only redemptions for which something remains to be done or decided
        #[arg(long)]
        open: bool,
        /// Only redemptions in this state
        #[arg(long, value_name = "STATE", value_parser = Redemption::STATE_NAMES)]
        state: Option<String>,
        /// Only those of this basket
        #[arg(long, value_name = "BASKET")]
        basket: Option<BasketId>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        most: usize,
    },
    /// One sale, redemption or device, entry by entry
    Show {
        #[command(flatten)]
        which: Which,
        /// The id of a sale, an order or a redemption, the provider's id of an order or a redemption, a receipt, a basket, or
        /// the name of a device
        id: String,
    },
    /// The wrong voucher codes that were tried, by their marks, and when a manager let the terminal try again
    Tries {
        #[command(flatten)]
        which: Which,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        most: usize,
    },
    /// Check every entry of the chain
    Verify {
        #[command(flatten)]
        which: Which,
    },
}

/// Which journal, and for whom the answer is.
#[derive(Debug, Args)]
pub struct Which {
    #[command(flatten)]
    config: ConfigFile,
    /// The journal's folder, instead of the one in the configuration
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Answer as JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

impl Which {
    pub(crate) fn open(&self) -> Result<Reader, Failure> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => self.config.load()?.journal.folder,
        };
        let reader = Reader::open(&folder)
            .with_context(|| format!("the journal in {} cannot be opened", folder.display()))?;
        Ok(reader)
    }
}

pub(crate) fn run(command: JournalCommand) -> Result<(), Failure> {
    match command {
        JournalCommand::List { which, open, state, most } => {
            let filter = Filter { open_only: open, state, ..Filter::default() };
            let sales =
                which.open()?.list(&filter, most.min(MOST_LISTED)).context("the journal cannot be read")?;
            say(&if which.json { list_json(&sales) } else { list_text(&sales) })
        }
        JournalCommand::Redemptions { which, open, state, basket, most } => {
            let filter = RedemptionFilter { open_only: open, state, basket, ..RedemptionFilter::default() };
            let rows = which
                .open()?
                .redemptions(&filter, most.min(MOST_LISTED))
                .context("the journal cannot be read")?;
            say(&if which.json { redemptions_json(&rows) } else { redemptions_text(&rows) })
        }
        JournalCommand::Show { which, id } => show(&which, &id),
        JournalCommand::Tries { which, most } => {
            let tries =
                which.open()?.wrong_codes(most.min(MOST_LISTED)).context("the journal cannot be read")?;
            say(&if which.json { tries_json(&tries) } else { tries_text(&tries) })
        }
        JournalCommand::Verify { which } => {
            let verdict = which.open()?.verify().context("the journal cannot be read")?;
            verify(&verdict, which.json)
        }
    }
}

/// Says whether the chain is whole; that it is not is a failure of the command.
fn verify(verdict: &Verdict, as_json: bool) -> Result<(), Failure> {
    match verdict {
        Verdict::Whole { entries, head } => {
            let head = hex::encode(head);
            say(&if as_json {
                json!({ "whole": true, "entries": entries, "head": head }).to_string()
            } else {
                whole_text(*entries, &head)
            })
        }
        Verdict::Broken { seq, why } => {
            if as_json {
                say(&json!({ "whole": false, "first_broken": seq.number(), "why": why.to_string() })
                    .to_string())?;
            }
            Err(Failure::Other(anyhow!(
                "the journal is broken at entry {}: {why}. Keep a copy of the folder, and call the manufacturer.",
                seq.number()
            )))
        }
    }
}

/// What a whole chain is said to be, here and in the demo.
pub(crate) fn whole_text(entries: u64, head: &str) -> String {
    let short: String = head.chars().take(16).collect();
    format!("the journal is whole: {entries} entries, each chained to the one before; head {short}…")
}

fn list_text(sales: &[SaleRow]) -> String {
    let rows: Vec<[String; 7]> = sales
        .iter()
        .map(|sale| {
            let states: Vec<&str> = sale.cards.iter().map(|card| card.state.as_str()).collect();
            [
                when(sale.opened),
                sale.receipt.to_string(),
                sale.total.to_string(),
                sale.phase.clone(),
                if sale.open { "open" } else { "closed" }.to_owned(),
                states.join(", "),
                sale.sale.to_string(),
            ]
        })
        .collect();
    table(["begun", "receipt", "total", "phase", "is", "cards", "sale"], &rows)
}

fn list_json(sales: &[SaleRow]) -> String {
    json!({ "sales": sales.iter().map(row_json).collect::<Vec<_>>() }).to_string()
}

fn row_json(sale: &SaleRow) -> Value {
    let cards: Vec<Value> = sale
        .cards
        .iter()
        .map(|card| {
            json!({
                "card": card.card,
                "order": card.order.to_string(),
                "provider_order": card.provider_order,
                "product": card.product,
                "product_name": card.product_name,
                "kind": card.kind,
                "code_tail": card.code_tail,
                "face_value": money_json(card.face_value),
                "state": card.state,
            })
        })
        .collect();
    json!({
        "sale": sale.sale.to_string(),
        "receipt": sale.receipt.as_str(),
        "provider": sale.provider,
        "phase": sale.phase,
        "open": sale.open,
        "opened": moment_json(sale.opened),
        "closed": sale.closed.map(moment_json),
        "total": money_json(sale.total),
        "paid": sale.paid.map(money_json),
        "cashier": sale.cashier,
        "first_entry": sale.first.number(),
        "last_entry": sale.last.number(),
        "cards": cards,
    })
}

fn redemptions_text(rows: &[RedemptionRow]) -> String {
    let rows: Vec<[String; 8]> = rows
        .iter()
        .map(|row| {
            [
                when(row.opened),
                row.basket.to_string(),
                row.code_tail.masked(),
                row.amount.to_string(),
                row.taken.map(|taken| taken.to_string()).unwrap_or_default(),
                row.state.clone(),
                if row.open { "open" } else { "closed" }.to_owned(),
                row.redemption.to_string(),
            ]
        })
        .collect();
    table(["begun", "basket", "voucher", "asked", "taken", "state", "is", "redemption"], &rows)
}

fn redemptions_json(rows: &[RedemptionRow]) -> String {
    json!({ "redemptions": rows.iter().map(redemption_json).collect::<Vec<_>>() }).to_string()
}

fn redemption_json(row: &RedemptionRow) -> Value {
    json!({
        "redemption": row.redemption.to_string(),
        "basket": row.basket.as_str(),
        "provider": row.provider,
        "kind": match row.kind { VoucherKind::Gift => "gift", VoucherKind::Promotional => "promotional" },
        "code_tail": row.code_tail.as_str(),
        "state": row.state,
        "open": row.open,
        "owed": row.owed,
        "opened": moment_json(row.opened),
        "closed": row.closed.map(moment_json),
        "amount": worth_json(row.amount),
        "taken": row.taken.map(worth_json),
        "provider_redemption": row.provider_redemption,
        "cashier": row.cashier,
        "first_entry": row.first.number(),
        "last_entry": row.last.number(),
    })
}

fn tries_text(tries: &[WrongCode]) -> String {
    let rows: Vec<[String; 3]> = tries
        .iter()
        .map(|tried| {
            let what = tried.mark.clone().unwrap_or_else(|| "a manager lets it try again".to_owned());
            [when(tried.at), tried.by.as_ref().map(ToString::to_string).unwrap_or_default(), what]
        })
        .collect();
    table(["at", "by", "mark of the code"], &rows)
}

fn tries_json(tries: &[WrongCode]) -> String {
    let rows: Vec<Value> = tries
        .iter()
        .map(|tried| {
            json!({
                "at": moment_json(tried.at),
                "by": tried.by.as_ref().map(ToString::to_string),
                "mark": tried.mark,
            })
        })
        .collect();
    json!({ "tries": rows }).to_string()
}

fn show(which: &Which, id: &str) -> Result<(), Failure> {
    let reader = which.open()?;
    let sales = reader.named(id).context("the journal cannot be read")?;
    let redemptions = reader.redemptions_named(id).context("the journal cannot be read")?;
    let devices = reader.devices().context("the journal cannot be read")?;
    let (devices, others): (Vec<DeviceRow>, Vec<DeviceRow>) =
        devices.into_iter().partition(|row| row.device.name.as_str() == id || row.id.to_string() == id);
    if sales.is_empty() && redemptions.is_empty() && devices.is_empty() {
        let known: Vec<&str> = others.iter().map(|row| row.device.name.as_str()).collect();
        let known = match known.as_slice() {
            [] => "it knows no device yet".to_owned(),
            names => format!("its devices are: {}", names.join(", ")),
        };
        return Err(Failure::Other(anyhow!(
            "the journal has no sale, order, receipt, redemption, basket or device of that name; {known}"
        )));
    }
    for sale in &sales {
        let head = list_text(std::slice::from_ref(sale));
        show_one(&reader, which.json, Subject::Sale(sale.sale), row_json(sale), &head)?;
    }
    for row in &redemptions {
        let head = redemptions_text(std::slice::from_ref(row));
        show_one(&reader, which.json, Subject::Redemption(row.redemption), redemption_json(row), &head)?;
    }
    for row in &devices {
        show_one(&reader, which.json, Subject::Device(row.id), device_json(row), &device_text(row))?;
    }
    Ok(())
}

fn device_text(row: &DeviceRow) -> String {
    let DeviceRow { device, at, id, .. } = row;
    let state = device.condition.state_name().to_owned();
    table(["device", "is", "since", "id"], &[[device.name.to_string(), state, when(*at), id.to_string()]])
}

fn device_json(row: &DeviceRow) -> Value {
    let DeviceRow { device, at, id, .. } = row;
    json!({
        "device": device.name.as_str(),
        "id": id.to_string(),
        "state": device.condition.state_name(),
        "paper_low": device.condition.paper_low,
        "since": moment_json(*at),
    })
}

/// One sale, redemption or device with its entries.
fn show_one(
    reader: &Reader,
    as_json: bool,
    subject: Subject,
    mut whole: Value,
    head: &str,
) -> Result<(), Failure> {
    let entries = reader.shown(subject).context("the journal cannot be read")?;
    if as_json {
        let entries: Vec<Value> = entries
            .iter()
            .map(|entry| {
                json!({
                    "entry": entry.head.seq.number(),
                    "at": moment_json(entry.head.at),
                    "card": entry.head.card.map(tilld_domain::sale::CardNo::number),
                    "what": entry.head.kind,
                    "state": entry.head.state,
                    "content": serde_json::from_str::<Value>(&entry.body).unwrap_or(Value::Null),
                })
            })
            .collect();
        if let Some(fields) = whole.as_object_mut() {
            fields.insert("entries".to_owned(), Value::Array(entries));
        }
        return say(&whole.to_string());
    }
    say(head)?;
    let rows: Vec<[String; 6]> = entries
        .iter()
        .map(|entry| {
            [
                entry.head.seq.number().to_string(),
                when(entry.head.at),
                entry.head.card.map(|card| card.number().to_string()).unwrap_or_default(),
                entry.head.kind.clone(),
                entry.head.state.clone(),
                short(&entry.body),
            ]
        })
        .collect();
    say(&format!("\n{}", table(["entry", "at", "card", "what", "state", "content"], &rows)))
}

/// The beginning of an entry's content, on one line, without what the other columns say already.
fn short(body: &str) -> String {
    const LONGEST: usize = 100;
    let whole: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let event = whole.get("event").unwrap_or(&whole);
    let of_a_card = event.pointer("/card/1").unwrap_or(event);
    let content =
        of_a_card.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.values().next());
    let shown = content.unwrap_or(of_a_card).to_string();
    let mut text: String = shown.chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    if shown.chars().count() > LONGEST {
        text.push('…');
    }
    text
}

/// A moment in the zone of this machine, to the second.
pub(crate) fn when(moment: Moment) -> String {
    Timestamp::from_millisecond(moment.ms()).map_or_else(
        |_| "?".to_owned(),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

pub(crate) fn moment_json(moment: Moment) -> Value {
    Timestamp::from_millisecond(moment.ms()).map_or(Value::Null, |at| Value::String(at.to_string()))
}

fn worth_json(worth: Worth) -> Value {
    match worth {
        Worth::Money(money) => money_json(money),
        Worth::Items(count) => json!({ "items": count }),
    }
}

fn money_json(money: Money) -> Value {
    json!({ "amount": money.to_decimal_text(), "currency": money.currency().code() })
}
