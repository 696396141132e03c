//! `tilld demo`: the whole counter on one machine, with nothing to set up.
//!
//! It starts the simulated providers and a simulated network printer on loopback, writes a configuration file as an
//! operator would, starts the daemon from it, and then is a till: it sells a printed and an activated card, looks at a
//! voucher, redeems a part of it and gives it back, over the local API, as till software does. Then it shows where the counter
//! page is and the code that lets a browser in, and goes on until it is ended. The only things here that production does not have are the two simulations and the till.
//! The journal and the slips lie in a folder of their own that goes when the demo ends.

mod till;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use tilld_api::PinHash;
use tilld_counter::clock::SystemClock;
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_domain::secret::Secret;
use tilld_journal::{Filter, Reader, RedemptionFilter, Verdict};
use tilld_sandbox::finperks::Sandbox;
use tilld_sandbox::gift_local;
use tokio::net::TcpSocket;

use self::till::Till;
use crate::command::{Failure, loopback, say, told_to_stop};
use crate::config::Config;
use crate::daemon::Daemon;
use crate::journal::whole_text;

/// Columns of the simulated paper: 80 mm at the usual print head of this width.
const COLUMNS: u16 = 42;
/// The name of the configuration that is written.
const CONFIG: &str = "tilld.toml";
/// Who may sign in as manager. The PIN is no secret: nothing here is worth anything.
const MANAGER: &str = "Ada Berg";
const PIN: &str = "135790";
/// The gift that is redeemed, by its name in the simulated Gift Local, and for which basket.
const GIFT: &str = "gift-50-eur";
const BASKET: &str = "B0000000001";

/// How the demo runs.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Stop after the slips
    #[arg(long)]
    once: bool,
    /// Where the API is served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    listen: SocketAddr,
}

pub(crate) async fn run(arguments: DemoArguments) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("tilld-demo-").tempdir().context("no folder can be made")?;
    let sandbox = tilld_sandbox::finperks::start(tilld_sandbox::finperks::Settings::default())
        .await
        .context("the sandbox cannot listen")?;
    let vouchers = gift_local::start(gift_local::Settings::default())
        .await
        .context("the simulated Gift Local cannot listen")?;
    let paper = SimulatedPrinter::start(Profile::epson().with_columns(COLUMNS), Answers::ALL, None)
        .await
        .context("the simulated printer cannot listen")?;
    let held = holding(arguments.listen).context("no port is free")?;
    let listen = held.local_addr().context("the port that is held has no name")?;
    let config = configure(folder.path(), &sandbox, &vouchers, &paper, listen)?;
    let daemon = Daemon::start(config, Arc::new(SystemClock::default())).await?;
    drop(held);
    let till = Till::new(daemon.address, &daemon.token)?;
    till.post("/v1/products/refresh", None, json!({})).await?;

    let por = json!({ "product": "4001232232332", "kind": "por", "face_value": { "amount": "50.00", "currency": "EUR" } });
    let posa = json!({ "product": "4001232100022", "kind": "posa", "face_value": { "amount": "25.00", "currency": "EUR" },
        "code": "6399990000123456789" });
    let mut said = Vec::new();
    for (number, (card, given)) in [(por, "60.00"), (posa, "25.00")].into_iter().enumerate() {
        let sold = till.sell(&format!("R{:010}", number.saturating_add(1)), &card, given).await?;
        show_last(&paper)?;
        said.push(sold);
    }
    let gift = vouchers.ledger().voucher(GIFT).map(|gift| gift.code.reveal().to_owned());
    let gift = gift.context("the simulated Gift Local has no such gift")?;
    let (check, looked) = till.look(&gift).await?;
    till.print(&format!("/v1/vouchers/{check}")).await?;
    show_last(&paper)?;
    let (redemption, redeemed) = till.redeem(&check, BASKET, "12.50").await?;
    till.print(&format!("/v1/redemptions/{redemption}")).await?;
    show_last(&paper)?;
    let reversed = till.give_back(&redemption, BASKET).await?;
    till.print(&format!("/v1/redemptions/{redemption}")).await?;
    show_last(&paper)?;
    said.extend([looked, redeemed, reversed]);
    for sold in said {
        say(&sold)?;
    }
    say(&journal_lines(folder.path())?)?;
    if !arguments.once {
        let code = till.pairing_code().await?;
        let (page, address, token) = (daemon.page(), daemon.address, daemon.token_file.display());
        let program = std::env::current_exe().unwrap_or_else(|_| "tilld".into());
        say(&format!(
            "\ncounter   {page}   in a browser on this machine (Ctrl-C ends all)\n\
             code      {code}   lets the browser in: once, within 5 min\n\
             manager   {page}manager   {MANAGER}, PIN {PIN}\n\
             to try    voucher {gift}, 50.00 EUR of play money; a card from the rack has any number\n\
             token     {token}\n\
             finperks  {}   control {}\n\
             vouchers  {}   control {}\n\n  \
             {} pair --config {}   # another code; attention, journal list, doctor go the same way\n  \
             curl -H \"Authorization: Bearer $(cat {token})\" http://{address}/v1/products",
            sandbox.provider_url(),
            sandbox.control_url(),
            vouchers.provider_url(),
            vouchers.control_url(),
            program.display(),
            folder.path().join(CONFIG).display(),
        ))?;
        told_to_stop().await;
    }
    daemon.stop().await;
    sandbox.shutdown().await;
    vouchers.shutdown().await;
    Ok(())
}

/// Holds a port, a free one where any will do, until the daemon listens there: commands beside the demo find it in its
/// configuration, and nobody else is given it in between.
fn holding(listen: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The daemon's own socket says so too, so the two may share it as long as only one listens.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    Ok(socket)
}

/// Shows the paper that came out last.
fn show_last(paper: &SimulatedPrinter) -> Result<(), Failure> {
    let papers = paper.papers();
    let slip = papers.last().filter(|slip| slip.complete).context("the slip did not come out whole")?;
    say(&tilld_receipts::preview::text(&slip.slip))
}

/// Writes the configuration and the providers' secrets as an operator would, and reads them as the daemon does.
fn configure(
    folder: &Path,
    sandbox: &Sandbox,
    vouchers: &gift_local::Sandbox,
    paper: &SimulatedPrinter,
    listen: SocketAddr,
) -> Result<Config, Failure> {
    let secret = folder.join("finperks.secret");
    write_private(&secret, sandbox.credentials().secret.as_bytes())
        .context("the demo's files cannot be written")?;
    let key = folder.join("gift_local.key");
    write_private(&key, vouchers.api_key().as_bytes()).context("the demo's files cannot be written")?;
    let pin = PinHash::of(&Secret::new(PIN.to_owned())).context("the manager's PIN cannot be set")?;
    let path = folder.join(CONFIG);
    let text = format!(
        r#"till     = {{ store = "A1234", terminal = "T01", country = "DE", zone = "Europe/Berlin" }}
finperks = {{ url = "{}", key_id = "{}", secret_file = "{}", posa = {{ default = "field:card_code" }}, pictures = {{ field = "image_url" }} }}
printer  = {{ network = "{}", columns = {COLUMNS} }}
journal  = {{ folder = "{}" }}
api      = {{ listen = "{listen}" }}
slip     = {{ header = ["Buchhandlung am Markt", "Marktplatz 1 · 12345 Musterstadt"], footer = ["Vielen Dank für Ihren Einkauf!"] }}

[gift_local]
url      = "{}"
key_file = "{}"
currency = "EUR"
location = "A1234"
reverse  = {{ path = "{}", id_field = "{}", repeatable = true }}

[[managers]]
name     = "{MANAGER}"
pin_hash = "{pin}"
"#,
        sandbox.provider_url(),
        sandbox.credentials().key_id,
        secret.display(),
        paper.address(),
        folder.join("journal").display(),
        vouchers.provider_url(),
        key.display(),
        vouchers.switches().reverse_path,
        vouchers.switches().reverse_id_field,
    );
    write_private(&path, text.as_bytes()).context("the demo's files cannot be written")?;
    Ok(Config::load(&path, &HashMap::new())?)
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content)
}

/// What is in the journal, and that it is whole: read as `tilld journal` does, beside the running daemon.
fn journal_lines(folder: &Path) -> anyhow::Result<String> {
    let reader = Reader::open(&folder.join("journal")).context("the journal cannot be opened")?;
    let sales = reader.list(&Filter::default(), 10).context("the journal cannot be read")?;
    let listed: Vec<String> =
        sales.iter().map(|sale| format!("{} {} {}", sale.receipt, sale.total, sale.phase)).collect();
    let redemptions =
        reader.redemptions(&RedemptionFilter::default(), 10).context("the journal cannot be read")?;
    let redeemed: Vec<String> =
        redemptions.iter().map(|row| format!("{} {} {}", row.basket, row.amount, row.state)).collect();
    let Verdict::Whole { entries, head } = reader.verify().context("the journal cannot be read")? else {
        bail!("the journal of the demo is broken");
    };
    Ok(format!(
        "journal   {} sales: {}; {} redemption: {}\nverified  {}",
        sales.len(),
        listed.join(", "),
        redemptions.len(),
        redeemed.join(", "),
        whole_text(entries, &hex::encode(head))
    ))
}
