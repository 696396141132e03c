//! The daemon beside a command: whether it runs, how it says it is, and what it is asked for. While it runs it holds the
//! devices and writes the journal, and a command that did so beside it would stop the shop; so it is asked instead.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use uuid::Uuid;

use crate::config::{Config, secrets};

/// How long the daemon may take: it asks its printer first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to act: longer than the counter waits for the rest of a sale.
const ACTING: Duration = Duration::from_secs(150);
/// The longest answer that is read, in bytes: what waits for a person after a day without a line is far less.
const LONGEST: usize = 4 * 1024 * 1024;

/// What is found at the configured address.
pub(crate) enum Beside {
    /// Nothing: no daemon runs, at least not with this configuration.
    Nobody,
    /// The daemon, and its health.
    Daemon(Value),
    /// Something that does not answer as this daemon does, and why that is thought.
    Stranger(String),
}

/// Looks for it.
pub(crate) async fn look(config: &Config) -> Beside {
    match tokio::time::timeout(PATIENCE, ask(config)).await {
        Ok(beside) => beside,
        Err(_) => Beside::Stranger(format!("it does not answer within {} s", PATIENCE.as_secs())),
    }
}

/// Reads what the daemon says at a path.
pub(crate) async fn get(config: &Config, path: &str) -> anyhow::Result<Value> {
    said(config, reqwest::Method::GET, path, None, PATIENCE).await
}

/// Asks the daemon for something that wants no body.
pub(crate) async fn post(config: &Config, path: &str) -> anyhow::Result<Value> {
    said(config, reqwest::Method::POST, path, None, PATIENCE).await
}

/// Asks the daemon to do something, under a key of its own.
pub(crate) async fn act(config: &Config, path: &str, body: &Value) -> anyhow::Result<Value> {
    said(config, reqwest::Method::POST, path, Some(body), ACTING).await
}

/// What it says; a problem is told in its own words.
async fn said(
    config: &Config,
    method: reqwest::Method,
    path: &str,
    body: Option<&Value>,
    patience: Duration,
) -> anyhow::Result<Value> {
    let address = config.api.listen;
    if address.port() == 0 {
        bail!(
            "api.listen has port 0, so nobody knows where the daemon is; name a port, or set TILLD_API__LISTEN"
        );
    }
    let token = secrets::read(Some(&config.api.token_file), "api_token")?;
    let mut request =
        client()?.request(method, format!("http://{address}{path}")).bearer_auth(token.reveal());
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .header("idempotency-key", Uuid::now_v7().to_string())
            .body(body.to_string());
    }
    let asking = async {
        let answer = request.send().await.map_err(|_| {
            anyhow!("no daemon answers at {address}; start it with `tilld serve`, or `systemctl start tilld`")
        })?;
        read(answer).await.map_err(|why| anyhow!("what answers at {address} is no tilld: {why}"))
    };
    let (status, body) = tokio::time::timeout(patience, asking).await.with_context(|| {
        format!("the daemon at {address} does not answer within {} s", patience.as_secs())
    })??;
    match (status, body) {
        (200..=299, body) => Ok(body.unwrap_or(Value::Null)),
        (401, _) => bail!("it does not take the token in {}", config.api.token_file.display()),
        (status, body) => {
            let text = |name: &str| Some(body.as_ref()?.get(name)?.as_str()?.to_owned());
            match (text("cashier"), text("developer")) {
                (Some(cashier), Some(developer)) => bail!("{cashier} {developer}"),
                _ => bail!("the daemon at {address} answers {status}"),
            }
        }
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    // Only the first of the process's clients brings the cryptography along.
    let _first_or_already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().context("no HTTP client can be made")
}

/// An answer's status, and its body if that is JSON.
async fn read(mut answer: reqwest::Response) -> Result<(u16, Option<Value>), &'static str> {
    let status = answer.status().as_u16();
    let mut bytes = Vec::new();
    while let Ok(Some(more)) = answer.chunk().await {
        bytes.extend_from_slice(&more);
        if bytes.len() > LONGEST {
            return Err("its answer is too long");
        }
    }
    Ok((status, serde_json::from_slice(&bytes).ok()))
}

async fn ask(config: &Config) -> Beside {
    let Ok(client) = client() else { return Beside::Nobody };
    let mut request = client.get(format!("http://{}/v1/health", config.api.listen));
    let token = secrets::read(Some(&config.api.token_file), "api_token");
    if let Ok(token) = &token {
        request = request.bearer_auth(token.reveal());
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Beside::Nobody,
        Err(_) => return Beside::Stranger("it does not speak HTTP".to_owned()),
    };
    match read(answer).await {
        Ok((200, Some(health))) if health.get("sells").is_some() => Beside::Daemon(health),
        Ok((401, _)) => Beside::Stranger(match token {
            Ok(_) => format!("it does not take the token in {}", config.api.token_file.display()),
            Err(error) => format!("it wants the token, and {error:#}"),
        }),
        Ok((status, _)) => Beside::Stranger(format!("it answers {status}, and no health")),
        Err(why) => Beside::Stranger(why.to_owned()),
    }
}
