//! `tilld pair`: the code by which a browser is let in.
//!
//! The running daemon makes it; whoever may read the terminal's token may ask for it. It is good once and for a few minutes.

use serde_json::Value;

use crate::beside;
use crate::command::{ConfigFile, Failure, say};

pub(crate) async fn run(file: ConfigFile) -> Result<(), Failure> {
    let config = file.load()?;
    let offered = beside::post(&config, "/v1/pairing").await?;
    let code = offered.get("code").and_then(Value::as_str).unwrap_or("?");
    let minutes =
        offered.get("expires_in_s").and_then(Value::as_u64).map_or(0, |seconds| seconds.div_euclid(60));
    say(&format!(
        "code      {code}   type it once, within {minutes} min, in a browser on this machine:\n\
         counter   http://{}/\n\
         manager   http://{}/manager",
        config.api.listen, config.api.listen
    ))
}
