//! `tilld demo`: the whole counter on one machine, with nothing to set up.
//!
//! It starts the simulated providers and a simulated network printer on loopback, writes a configuration file as an
//! operator would, starts the daemon from it, and then is a till: it sells a printed and an activated card over the local
//! API, as till software does. The only things here that production does not have are the two simulations and the till.
//! The journal and the slips lie in a folder of their own that goes when the demo ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};
use tilld_counter::clock::SystemClock;

use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedPrinter};
use tilld_domain::secret::Secret;
use tilld_journal::{Filter, Reader, Verdict};
use tilld_sandbox::finperks::Sandbox;

use crate::command::{Failure, loopback, say, told_to_stop};
use crate::config::Config;
use crate::daemon::Daemon;
use crate::journal::whole_text;

/// Columns of the simulated paper: 80 mm at the usual print head of this width.
const COLUMNS: u16 = 42;

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
    let paper = SimulatedPrinter::start(Profile::EPSON.with_columns(COLUMNS), Answers::ALL, None)
        .await
        .context("the simulated printer cannot listen")?;
    let config = configure(folder.path(), &sandbox, &paper, arguments.listen)?;
    let daemon = Daemon::start(config, Arc::new(SystemClock::default())).await?;
    let till = Till::new(daemon.address, &daemon.token)?;
    till.post("/v1/products/refresh", None, json!({})).await?;

    let por = json!({ "product": "4001232232332", "kind": "por", "face_value": { "amount": "50.00", "currency": "EUR" } });
    let posa = json!({ "product": "4001232100022", "kind": "posa", "face_value": { "amount": "25.00", "currency": "EUR" },
        "code": "6399990000123456789" });
    let mut said = Vec::new();
    for (number, (card, given)) in [(por, "60.00"), (posa, "25.00")].into_iter().enumerate() {
        let sold = till.sell(&format!("R{:010}", number.saturating_add(1)), &card, given).await?;
        let papers = paper.papers();
        let slip = papers.last().filter(|slip| slip.complete).context("the slip did not come out whole")?;
        say(&tilld_receipts::preview::text(&slip.slip))?;
        said.push(sold);
    }
    for sold in said {
        say(&sold)?;
    }
    say(&journal_lines(folder.path())?)?;
    if !arguments.once {
        say(&format!(
            "\nserving   http://{}   (Ctrl-C ends it)\ntoken     {}\nfinperks  {}   control {}\n\n  curl -H \"Authorization: Bearer $(cat {})\" http://{}/v1/products",
            daemon.address,
            daemon.token_file.display(),
            sandbox.provider_url(),
            sandbox.control_url(),
            daemon.token_file.display(),
            daemon.address,
        ))?;
        told_to_stop().await;
    }
    daemon.stop().await;
    sandbox.shutdown().await;
    Ok(())
}

/// Writes the configuration and the provider's secret as an operator would, and reads them as the daemon does.
fn configure(
    folder: &Path,
    sandbox: &Sandbox,
    paper: &SimulatedPrinter,
    listen: SocketAddr,
) -> Result<Config, Failure> {
    let secret = folder.join("finperks.secret");
    write_private(&secret, sandbox.credentials().secret.as_bytes())
        .context("the demo's files cannot be written")?;
    let path = folder.join("tilld.toml");
    let text = format!(
        r#"till     = {{ store = "A1234", terminal = "T01", country = "DE", zone = "Europe/Berlin" }}
finperks = {{ url = "{}", key_id = "{}", secret_file = "{}", posa = {{ default = "field:card_code" }} }}
printer  = {{ network = "{}", columns = {COLUMNS} }}
journal  = {{ folder = "{}" }}
api      = {{ listen = "{listen}" }}
slip     = {{ header = ["Buchhandlung am Markt", "Marktplatz 1 · 12345 Musterstadt"], footer = ["Vielen Dank für Ihren Einkauf!"] }}
"#,
        sandbox.provider_url(),
        sandbox.credentials().key_id,
        secret.display(),
        paper.address(),
        folder.join("journal").display(),
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
    let Verdict::Whole { entries, head } = reader.verify().context("the journal cannot be read")? else {
        bail!("the journal of the demo is broken");
    };
    Ok(format!(
        "journal   {} sales: {}\nverified  {}",
        sales.len(),
        listed.join(", "),
        whole_text(entries, &hex::encode(head))
    ))
}

/// Till software, as small as it can be.
struct Till {
    client: reqwest::Client,
    base: String,
    token: Secret,
}

impl Till {
    fn new(address: SocketAddr, token: &Secret) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client can be made")?;
        Ok(Self { client, base: format!("http://{address}"), token: token.clone() })
    }

    async fn post(&self, path: &str, key: Option<&str>, body: Value) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .bearer_auth(self.token.reveal())
            .header("content-type", "application/json")
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await.context("the daemon does not answer")?;
        let status = answer.status();
        let text = answer.text().await.context("the daemon's answer breaks off")?;
        if !status.is_success() {
            bail!("the daemon refused {path}: {status} {text}");
        }
        serde_json::from_str(&text).context("the daemon's answer is not JSON")
    }

    /// Sells one card for cash, and says in one line what was sold.
    async fn sell(&self, receipt: &str, card: &Value, given: &str) -> anyhow::Result<String> {
        let opened = self
            .post(
                "/v1/sales",
                Some(&format!("{receipt}-open")),
                json!({ "receipt": receipt, "cards": [card] }),
            )
            .await?;
        let sale = opened.get("id").and_then(Value::as_str).context("the answer names no sale")?;
        let due =
            opened.get("due").filter(|due| due.is_object()).cloned().context("nothing is to be collected")?;
        let currency = due.get("currency").cloned().unwrap_or_default();
        let tender = json!({ "kind": "cash", "given": { "amount": given, "currency": currency } });
        let paid = self
            .post(
                &format!("/v1/sales/{sale}/payment"),
                Some(&format!("{receipt}-pay")),
                json!({ "amount": due, "tender": tender }),
            )
            .await?;
        let text = |path: &str| paid.pointer(path).and_then(Value::as_str).unwrap_or("?").to_owned();
        if text("/phase") != "done" {
            return Err(anyhow!("the sale ended as: {}", text("/screen/text")));
        }
        Ok(format!(
            "sold      {receipt}: {} ({}) {} {}, paid cash {given}, change {}; {}",
            text("/cards/0/name"),
            text("/cards/0/kind"),
            text("/cards/0/face_value/amount"),
            text("/cards/0/face_value/currency"),
            text("/payment/tender/change/amount"),
            text("/screen/text"),
        ))
    }
}
