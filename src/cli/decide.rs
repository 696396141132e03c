//! `tilld attention answer`, `settle` and `unlock`: what a person decides at a terminal, told to the running daemon.
//!
//! It alone writes the journal, so nothing is decided while it does not run. What waits is asked of it first: a case is named by the
//! sale or its receipt, by the redemption or its basket, and a word that the case does not take is answered with those that it does,
//! before anything is sent. Every decision goes under a key of its own; after silence it is looked up, not sent again.

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tilld_domain::ids::PersonName;

use crate::beside;
use crate::command::{ConfigFile, Failure, say};
use crate::config::Config;
use crate::journal::Which;
use crate::{attention, command};

/// What waits, and what is decided about it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AttentionArguments {
    #[command(flatten)]
    which: Which,
    #[command(subcommand)]
    decision: Option<Decision>,
}

/// What a person decides.
#[derive(Debug, Subcommand)]
pub enum Decision {
    /// Answer the open question of a card: SALE CARD CHOICE; or of a redemption: REDEMPTION CHOICE
    Answer {
        #[command(flatten)]
        config: ConfigFile,
        /// The sale or its receipt; or the redemption or its basket
        #[arg(value_name = "SALE|REDEMPTION")]
        of: String,
        /// Which card of the sale, and one of the choices that `tilld attention` shows
        #[arg(value_name = "[CARD] CHOICE", num_args = 1..=2, required = true)]
        words: Vec<String>,
        /// Who answers; it stays in the journal
        #[arg(long, value_name = "NAME")]
        by: PersonName,
    },
    /// Close a manager's case of a card: SALE CARD; or of a redemption: REDEMPTION VERDICT
    Settle {
        #[command(flatten)]
        config: ConfigFile,
        /// The sale or its receipt; or the redemption or its basket
        #[arg(value_name = "SALE|REDEMPTION")]
        of: String,
        /// Which card of the sale; or one of the verdicts that `tilld attention` shows
        #[arg(value_name = "CARD|VERDICT")]
        word: String,
        /// Which manager decides; it stays in the journal
        #[arg(long, value_name = "NAME")]
        by: PersonName,
        /// Why; it stays in the journal
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    /// Let a terminal check vouchers again that was locked by wrong codes
    Unlock {
        #[command(flatten)]
        config: ConfigFile,
        /// Which manager says so; it stays in the journal
        #[arg(long, value_name = "NAME")]
        by: PersonName,
    },
}

pub(crate) fn run(arguments: AttentionArguments) -> Result<(), Failure> {
    match arguments.decision {
        None => attention::show(&arguments.which),
        Some(decision) => command::on_a_runtime(decide(decision)),
    }
}

async fn decide(decision: Decision) -> Result<(), Failure> {
    match decision {
        Decision::Answer { config, of, words, by } => {
            let config = config.load()?;
            let (card, choice) = match words.as_slice() {
                [card, choice] => (Some(number(card)?), choice),
                [choice] => (None, choice),
                _ => return Err(Failure::Usage("wanted: SALE CARD CHOICE, or REDEMPTION CHOICE".to_owned())),
            };
            let case = find(&config, &of, card).await?;
            let path = format!("{}/answer", case.path);
            takes(
                &case.words("choices"),
                choice,
                "it is answered by scanning the voucher again at the till, or closed",
            )?;
            let now = beside::act(&config, &path, &json!({ "answer": choice, "by": by.as_str() })).await?;
            say(&outcome(&now, &case))
        }
        Decision::Settle { config, of, word, by, reason } => {
            let config = config.load()?;
            let (by, reason) = (by.as_str(), reason.as_str());
            let card = word.parse().ok();
            let case = find(&config, &of, card).await?;
            let body = if card.is_some() {
                if case.found.get("may_be_settled") != Some(&Value::Bool(true)) {
                    return Err(not_closed(&case.words("choices")));
                }
                json!({ "by": by, "reason": reason })
            } else {
                let verdicts = case.words("verdicts");
                if verdicts.is_empty() {
                    return Err(not_closed(&case.words("choices")));
                }
                takes(&verdicts, &word, "it cannot be closed")?;
                json!({ "verdict": word, "by": by, "reason": reason })
            };
            let now = beside::act(&config, &format!("{}/settle", case.path), &body).await?;
            say(&outcome(&now, &case))
        }
        Decision::Unlock { config, by } => {
            let config = config.load()?;
            beside::act(&config, "/v1/vouchers/unlock", &json!({ "by": by.as_str() })).await?;
            say("vouchers are checked again; wrong codes are counted anew")
        }
    }
}

/// A case that waits, and the path at which it is decided.
#[derive(Debug)]
struct Found {
    found: Value,
    path: String,
}

impl Found {
    fn words(&self, name: &str) -> Vec<&str> {
        self.found
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

fn number(word: &str) -> Result<u64, Failure> {
    word.parse()
        .map_err(|_| Failure::Usage(format!("{word:?} is no number of a card; cards are counted from 1")))
}

async fn find(config: &Config, of: &str, card: Option<u64>) -> anyhow::Result<Found> {
    pick(&beside::get(config, "/v1/attention").await?, of, card)
}

/// The one case that is meant, of all that wait.
fn pick(waiting: &Value, of: &str, card: Option<u64>) -> anyhow::Result<Found> {
    let text = |case: &Value, name: &str| case.get(name).and_then(Value::as_str).map(str::to_owned);
    let meant = |case: &&Value| {
        let named = |name: &str| text(case, name).as_deref() == Some(of);
        match card {
            Some(card) => {
                (named("sale") || named("receipt")) && case.get("card").and_then(Value::as_u64) == Some(card)
            }
            None => named("redemption") || named("basket"),
        }
    };
    let cases = waiting.get("cases").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found: Vec<&Value> = cases.iter().filter(meant).collect();
    let path = |case: &Value| match card {
        Some(card) => Some(format!("/v1/sales/{}/cards/{card}", text(case, "sale")?)),
        None => Some(format!("/v1/redemptions/{}", text(case, "redemption")?)),
    };
    match found.as_slice() {
        [one] => {
            let path = path(one).ok_or_else(|| anyhow!("the daemon names no sale and no redemption"))?;
            Ok(Found { found: (*one).clone(), path })
        }
        [] if card.is_none() && cases.iter().any(|case| text(case, "sale").as_deref() == Some(of)) => {
            bail!("say which card of the sale too; `tilld attention` shows it")
        }
        [] => bail!("nothing of that name waits for a person; `tilld attention` shows what does"),
        _ => bail!("several cases have that name; say the id that `tilld attention` shows"),
    }
}

/// Whether a word is one of those that are taken.
fn takes(words: &[&str], word: &str, without: &str) -> Result<(), Failure> {
    if words.contains(&word) {
        return Ok(());
    }
    Err(Failure::Usage(match words {
        [] => format!("this takes no such word: {without}; `tilld attention` shows how"),
        words => format!("this takes: {}", words.join(", ")),
    }))
}

/// What is not closed, but answered.
fn not_closed(choices: &[&str]) -> Failure {
    Failure::Usage(match choices {
        [] => "this cannot be closed; `tilld attention` shows what can be done".to_owned(),
        choices => format!("this is not closed but answered: {}", choices.join(", ")),
    })
}

/// What has become of it.
fn outcome(now: &Value, case: &Found) -> String {
    let card = case.found.get("card").and_then(Value::as_u64).and_then(|card| usize::try_from(card).ok());
    let of_card = card.and_then(|card| now.get("cards")?.get(card.checked_sub(1)?));
    let state = of_card.unwrap_or(now).get("state").and_then(Value::as_str).unwrap_or("?");
    let screen = now.pointer("/screen/text").and_then(Value::as_str).unwrap_or_default();
    format!("written down; it is now {state}. {screen}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_that_is_meant_is_found_by_every_name_that_it_has() {
        let waiting = json!({ "cases": [
            { "sale": "s1", "receipt": "R1", "card": 1, "choices": ["complete", "nothing"], "may_be_settled": false },
            { "sale": "s1", "receipt": "R1", "card": 2, "choices": [], "may_be_settled": true },
            { "redemption": "r1", "basket": "B1", "choices": ["used"], "verdicts": [] },
            { "redemption": "r2", "basket": "B2", "choices": [], "verdicts": ["used", "not_used"] },
            { "redemption": "r3", "basket": "B2", "choices": [], "verdicts": ["used"] },
        ]});
        for (of, card, expected) in [
            ("s1", Some(1), Ok("/v1/sales/s1/cards/1")),
            ("R1", Some(2), Ok("/v1/sales/s1/cards/2")),
            ("r1", None, Ok("/v1/redemptions/r1")),
            ("B1", None, Ok("/v1/redemptions/r1")),
            ("r2", None, Ok("/v1/redemptions/r2")),
            ("B2", None, Err("several cases have that name")),
            ("s1", None, Err("say which card")),
            ("s1", Some(3), Err("nothing of that name waits")),
            ("s2", Some(1), Err("nothing of that name waits")),
            ("r1", Some(1), Err("nothing of that name waits")),
        ] {
            match (pick(&waiting, of, card), expected) {
                (Ok(found), Ok(path)) => assert_eq!(found.path, path),
                (Err(error), Err(why)) => assert!(error.to_string().starts_with(why), "{error}"),
                (found, expected) => panic!("{of} {card:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_word_that_is_not_taken_is_answered_with_those_that_are() {
        assert!(takes(&["complete", "nothing"], "nothing", "").is_ok());
        let refused = |words: &[&str]| match takes(words, "yes", "scan it") {
            Err(Failure::Usage(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&["complete", "nothing"]), "this takes: complete, nothing");
        assert!(refused(&[]).contains("scan it"));
    }
}
