//! The daemon beside a command: whether it runs, and how it says it is. While it runs it holds the devices, and a command that
//! took them away from it would stop the shop; so it is asked instead.

use std::time::Duration;

use serde_json::Value;

use crate::config::{Config, secrets};

/// How long the daemon may take: it asks its printer first.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;

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

async fn ask(config: &Config) -> Beside {
    // Only the first of the process's clients brings the cryptography along.
    let _first_or_already = rustls::crypto::ring::default_provider().install_default();
    let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return Beside::Nobody };
    let mut request = client.get(format!("http://{}/v1/health", config.api.listen));
    let token = secrets::read(Some(&config.api.token_file), "api_token");
    if let Ok(token) = &token {
        request = request.bearer_auth(token.reveal());
    }
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Beside::Nobody,
        Err(_) => return Beside::Stranger("it does not speak HTTP".to_owned()),
    };
    let status = answer.status();
    let mut bytes = Vec::new();
    while let Ok(Some(more)) = answer.chunk().await {
        bytes.extend_from_slice(&more);
        if bytes.len() > LONGEST {
            return Beside::Stranger("its answer is too long".to_owned());
        }
    }
    match (status.as_u16(), serde_json::from_slice::<Value>(&bytes)) {
        (200, Ok(health)) if health.get("sells").is_some() => Beside::Daemon(health),
        (401, _) => Beside::Stranger(match token {
            Ok(_) => format!("it does not take the token in {}", config.api.token_file.display()),
            Err(error) => format!("it wants the token, and {error:#}"),
        }),
        (status, _) => Beside::Stranger(format!("it answers {status}, and no health")),
    }
}
