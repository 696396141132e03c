//! What the provider says to an operator: catalogue, balances, stores. These commands talk to the provider directly and
//! need no running daemon.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use serde_json::json;
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::product::{CardKind, FaceValues, Product};
use tilld_providers::GiftCards;

use crate::command::{ConfigFile, Failure, say};
use crate::daemon::finperks;
use crate::table::table;

/// The greatest size of a store's template in bytes.
const LARGEST_TEMPLATE: u64 = 64 * 1024;

/// A question to the provider.
#[derive(Debug, Args)]
pub struct Asking {
    #[command(flatten)]
    config: ConfigFile,
    /// Answer as JSON, for machines
    #[arg(long)]
    json: bool,
}

/// What can be asked about stores.
#[derive(Debug, Subcommand)]
pub enum StoresCommand {
    /// Show the registered stores
    List(Asking),
    /// Register a store with the provider's own JSON, given as a file or, with -, on the standard input
    Register {
        #[command(flatten)]
        asking: Asking,
        /// The file
        file: PathBuf,
    },
}

pub(crate) async fn products(asking: Asking) -> Result<(), Failure> {
    let catalogue = answer(client(&asking)?.products().await)?;
    if asking.json {
        let products: Vec<_> = catalogue.products.iter().map(product_json).collect();
        return say(&json!({ "products": products, "unreadable": catalogue.unreadable }).to_string());
    }
    let rows: Vec<[String; 6]> = catalogue
        .products
        .iter()
        .map(|product| {
            [
                product.code.to_string(),
                kind_name(product.kind).to_owned(),
                values(product),
                product.country.to_string(),
                if product.sellable { "yes" } else { "no" }.to_owned(),
                product.name.clone(),
            ]
        })
        .collect();
    say(&table(["product", "kind", "face values", "country", "sold", "name"], &rows))?;
    if catalogue.unreadable > 0 {
        say(&format!("{} more could not be read", catalogue.unreadable))?;
    }
    Ok(())
}

pub(crate) async fn balances(asking: Asking) -> Result<(), Failure> {
    let balances = answer(client(&asking)?.balances().await)?;
    if asking.json {
        let balances: Vec<_> = balances
            .iter()
            .map(|balance| {
                json!({ "amount": balance.available.to_decimal_text(), "currency": balance.available.currency().code() })
            })
            .collect();
        return say(&json!({ "balances": balances }).to_string());
    }
    let rows: Vec<[String; 1]> = balances.iter().map(|balance| [balance.available.to_string()]).collect();
    say(&table(["available"], &rows))
}

pub(crate) async fn stores(command: StoresCommand) -> Result<(), Failure> {
    let (asking, stores) = match command {
        StoresCommand::List(asking) => {
            let stores = answer(client(&asking)?.stores().await)?;
            (asking, stores)
        }
        StoresCommand::Register { asking, file } => {
            let template = template(&file)?;
            let store = answer(client(&asking)?.register_store(&template).await)?;
            (asking, vec![store])
        }
    };
    if asking.json {
        let stores: Vec<_> =
            stores.iter().map(|store| json!({ "id": store.id.as_str(), "name": store.name })).collect();
        return say(&json!({ "stores": stores }).to_string());
    }
    let rows: Vec<[String; 2]> =
        stores.iter().map(|store| [store.id.to_string(), store.name.clone()]).collect();
    say(&table(["store", "name"], &rows))
}

fn client(asking: &Asking) -> Result<impl GiftCards, Failure> {
    let config = asking.config.load()?;
    Ok(finperks(&config.finperks, &config.place.country)?)
}

fn template(file: &PathBuf) -> anyhow::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?)
    };
    source
        .take(LARGEST_TEMPLATE)
        .read_to_string(&mut text)
        .with_context(|| format!("{} is not text", file.display()))?;
    Ok(text)
}

/// A provider's answer, or what to do without one.
fn answer<T>(outcome: Outcome<T>) -> Result<T, Failure> {
    match outcome {
        Outcome::Done(answer) => Ok(answer),
        outcome => Err(Failure::Other(anyhow!(why_not(&outcome, "finperks.url")))),
    }
}

/// Why there is no answer, and what to do next; `address` is the field of the provider's address.
pub(crate) fn why_not<T>(outcome: &Outcome<T>, address: &str) -> String {
    match outcome {
        Outcome::Done(_) => "the provider answered".to_owned(),
        Outcome::Refused(why) => {
            let next = why.set_up().unwrap_or_else(|| why.sentence());
            format!("the provider refused it ({}): {next}", why.code())
        }
        Outcome::Later { retry_after: Some(pause) } => {
            format!("the provider asks to come again in {} s", pause.as_secs().max(1))
        }
        Outcome::Later { retry_after: None } => "the provider asks to come again later".to_owned(),
        Outcome::NotSent(_) => {
            format!("the provider cannot be reached; are {address} and the network right?")
        }
        Outcome::Unknown(Trouble::Unreadable) => "the provider's answer cannot be read".to_owned(),
        Outcome::Unknown(_) => {
            "the provider did not answer; whether it did what was asked is not known".to_owned()
        }
    }
}

fn kind_name(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Por => "por",
        CardKind::Posa => "posa",
    }
}

fn values(product: &Product) -> String {
    match &product.face_values {
        FaceValues::Fixed(values) => {
            let amounts: Vec<String> = values.iter().map(|value| value.to_decimal_text()).collect();
            format!("{} {}", amounts.join(", "), product.currency)
        }
        FaceValues::Open { least, most } => {
            format!("{} to {} {}", least.to_decimal_text(), most.to_decimal_text(), product.currency)
        }
    }
}

fn product_json(product: &Product) -> serde_json::Value {
    let face_values = match &product.face_values {
        FaceValues::Fixed(values) => {
            json!({ "fixed": values.iter().map(|value| value.to_decimal_text()).collect::<Vec<_>>() })
        }
        FaceValues::Open { least, most } => {
            json!({ "least": least.to_decimal_text(), "most": most.to_decimal_text() })
        }
    };
    json!({
        "product": product.code.as_str(),
        "kind": kind_name(product.kind),
        "currency": product.currency.code(),
        "face_values": face_values,
        "country": product.country.as_str(),
        "sellable": product.sellable,
        "name": product.name,
        "brand": product.brand,
    })
}
