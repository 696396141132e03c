//! The till of the demonstration.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tilld_domain::secret::Secret;

/// How often, and after what pauses, it is looked whether a reversal has got through.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Till software, as small as it can be.
pub(super) struct Till {
    client: reqwest::Client,
    base: String,
    token: Secret,
}

impl Till {
    pub(super) fn new(address: SocketAddr, token: &Secret) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client can be made")?;
        Ok(Self { client, base: format!("http://{address}"), token: token.clone() })
    }

    pub(super) async fn post(&self, path: &str, key: Option<&str>, body: Value) -> anyhow::Result<Value> {
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
    pub(super) async fn sell(&self, receipt: &str, card: &Value, given: &str) -> anyhow::Result<String> {
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

    /// Looks at a voucher, and says in one line what is on it, with the name of the look.
    pub(super) async fn look(&self, code: &str) -> anyhow::Result<(String, String)> {
        let seen = self.post("/v1/vouchers/check", None, json!({ "scan": code })).await?;
        let text = |path: &str| seen.pointer(path).and_then(Value::as_str).unwrap_or("?").to_owned();
        let line = format!(
            "looked    {}: {} ({}, booked as {})",
            text("/code"),
            text("/text"),
            text("/kind"),
            text("/booking")
        );
        Ok((text("/check"), line))
    }

    /// Prints the paper of what a path names.
    pub(super) async fn print(&self, path: &str) -> anyhow::Result<()> {
        let key = format!("print {path}");
        self.post(&format!("{path}/print"), Some(&key), json!({})).await.map(|_| ())
    }

    /// Redeems a part, and says in one line what was redeemed, with the name of the redemption.
    pub(super) async fn redeem(
        &self,
        check: &str,
        basket: &str,
        amount: &str,
    ) -> anyhow::Result<(String, String)> {
        let body = json!({ "check": check, "basket": basket, "cashier": "Kim", "amount": { "amount": amount, "currency": "EUR" } });
        let redeemed = self.post("/v1/redemptions", Some(&format!("{basket}-redeem")), body).await?;
        let text = |path: &str| redeemed.pointer(path).and_then(Value::as_str).unwrap_or("?").to_owned();
        if text("/counts") != "for" {
            return Err(anyhow!("the redemption ended as: {}", text("/screen/text")));
        }
        let line = format!(
            "redeemed  {basket}: voucher {}, {} EUR, {} EUR left; {}",
            text("/code"),
            text("/counted/amount"),
            text("/taken/left/amount"),
            text("/screen/text"),
        );
        Ok((text("/id"), line))
    }

    /// Gives the value back, waits until the provider has said so, and says it in one line.
    pub(super) async fn give_back(&self, redemption: &str, basket: &str) -> anyhow::Result<String> {
        let path = format!("/v1/redemptions/{redemption}");
        self.post(&format!("{path}/reverse"), Some(&format!("{basket}-reverse")), json!({ "by": "Kim" }))
            .await?;
        for _ in 0..TRIES {
            let now = self.get(&path).await?;
            let text = |path: &str| now.pointer(path).and_then(Value::as_str).unwrap_or("?").to_owned();
            if text("/state") == "cleared" {
                return Ok(format!("reversed  {basket}: {}", text("/screen/text")));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(anyhow!("the provider does not say that the value is back"))
    }

    /// The code that a screen is paired with.
    pub(super) async fn pairing_code(&self) -> anyhow::Result<String> {
        let offered = self.post("/v1/pairing", None, json!({})).await?;
        let code = offered.get("code").and_then(Value::as_str);
        code.map(str::to_owned).context("the answer holds no code")
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(self.token.reveal());
        let text = request.send().await.context("the daemon does not answer")?.text().await?;
        serde_json::from_str(&text).context("the daemon's answer is not JSON")
    }
}
