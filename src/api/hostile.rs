//! What holds of every body, whatever a till sends: it is read or refused, nothing panics, no refusal repeats a value, and
//! what was read shows no code. The fuzz targets of `tests/fuzz` try it. Compiled for tests only (feature `hostile`); a broken
//! law is a panic.
#![allow(
    clippy::missing_panics_doc,
    reason = "it judges: a law that does not hold must stop whoever runs it"
)]

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::attention::SettleRequest;
use crate::body::read_object;
use crate::slips::{CopyRequest, ScannedRequest};
use crate::wire::{
    AnswerRequest, CancelRequest, CheckRequest, CompleteRequest, PairRequest, PaymentRequest, RedeemRequest,
    RedemptionAnswerRequest, RedemptionSettleRequest, ReverseRequest, SaleRequest, ScanRequest,
    SignInRequest, UnlockRequest,
};

/// Stands in bodies for what must not come back. No name of a field is made of such characters, so nothing but a value, or
/// what is no name, can hold it.
pub const MARK: &str = "%s3cret%";

/// The longest refusal in characters: all the fields of the largest body fit.
const LONGEST: usize = 400;

/// Holds a body against every acting door.
pub fn bodies(bytes: &[u8]) {
    body::<SaleRequest>(bytes);
    body::<PaymentRequest>(bytes);
    body::<AnswerRequest>(bytes);
    body::<CancelRequest>(bytes);
    body::<SettleRequest>(bytes);
    body::<CopyRequest>(bytes);
    body::<ScannedRequest>(bytes);
    body::<CheckRequest>(bytes);
    body::<UnlockRequest>(bytes);
    body::<RedeemRequest>(bytes);
    body::<CompleteRequest>(bytes);
    body::<ReverseRequest>(bytes);
    body::<RedemptionAnswerRequest>(bytes);
    body::<RedemptionSettleRequest>(bytes);
    body::<ScanRequest>(bytes);
    body::<PairRequest>(bytes);
    body::<SignInRequest>(bytes);
}

fn body<Wanted: DeserializeOwned + Debug>(bytes: &[u8]) {
    match read_object::<Wanted>(bytes) {
        Ok(read) => {
            let shown = format!("{read:?}");
            for code in codes(bytes) {
                assert!(!shown.contains(&code), "a code is shown");
            }
        }
        Err(problem) => {
            let (field, words) = problem.details();
            let said = format!("{} {words}", field.unwrap_or_default());
            assert!(!said.contains(MARK), "a value comes back: {said}");
            assert!(!said.contains(char::is_control), "a control character comes back: {said:?}");
            assert!(said.chars().count() <= LONGEST, "too long: {said}");
        }
    }
}

/// What of a body that was read may not be shown (codes of cards, what was scanned, every text of a ticket), those apart that
/// stand in another of its fields as well.
fn codes(bytes: &[u8]) -> Vec<String> {
    let Ok(mut others) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let mut codes = Vec::new();
    for card in others.get_mut("cards").and_then(Value::as_array_mut).into_iter().flatten() {
        texts(card.as_object_mut().and_then(|card| card.remove("code")), &mut codes);
    }
    for secret in ["scan", "ticket", "code", "pin"] {
        texts(others.as_object_mut().and_then(|body| body.remove(secret)), &mut codes);
    }
    let others = others.to_string();
    // A shorter one may be a word or a number of the type itself.
    codes.retain(|code| code.len() >= 8 && !others.contains(code.as_str()));
    codes
}

/// Every text of a value, at any depth, the names of fields too.
fn texts(value: Option<Value>, into: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) => into.push(text),
        Some(Value::Array(values)) => values.into_iter().for_each(|value| texts(Some(value), into)),
        Some(Value::Object(fields)) => {
            for (name, value) in fields {
                into.push(name);
                texts(Some(value), into);
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_comes_back_wherever_it_stands() {
        let mut tried = 0;
        for right in [
            r#"{"receipt":"R1","cashier":"Kim","locale":"de-DE","cards":[{"product":"4001","kind":"posa","face_value":{"amount":"50.00","currency":"EUR"},"code":"6399990000123456789"}]}"#,
            r#"{"scan":"0123 4567 8901","ticket":{"lines":[{"name":"Espresso for two","price":"4.20"}]},"program":"019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e","target":"gift","cashier":"Kim"}"#,
            r#"{"check":"019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e","basket":"B1","amount":{"amount":"12.50","currency":"EUR"},"terms_confirmed":true,"cashier":"Kim","locale":"de-DE"}"#,
            r#"{"check":"019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e","basket":"B1","amount":{"items":2}}"#,
            r#"{"verdict":"not_used","by":"Ada Berg","reason":"seen at the provider"}"#,
            r#"{"answer":"take_back","by":"Kim"}"#,
            r#"{"by":"Ada Berg","manager":true}"#,
            r#"{"scan":"0123 4567 8901"}"#,
            r#"{"code":"1234-5678","name":"Till 1 screen"}"#,
            r#"{"code":"2209 6262 9822 9763 235","by":"Kim"}"#,
            r#"{"by":"Ada Berg"}"#,
            r#"{"name":"M. Weber","pin":"135790864"}"#,
        ] {
            assert!(is_read(right.as_bytes()), "{right}");
            bodies(right.as_bytes());
            let quotes: Vec<usize> = right.match_indices('"').map(|(at, _)| at).collect();
            // In the place of every name and every value of it.
            for pair in quotes.chunks(2) {
                let [from, to] = pair else { continue };
                let (before, after) =
                    (right.get(..*from).unwrap_or_default(), right.get(to + 1..).unwrap_or_default());
                for text in [MARK.to_owned(), format!("x`, expected {MARK}"), format!("\\u0002{MARK}\\r\\n")]
                {
                    bodies(format!("{before}\"{text}\"{after}").as_bytes());
                    tried += 1;
                }
            }
        }
        assert!(tried > 200, "{tried} bodies tried");
    }

    fn is_read(bytes: &[u8]) -> bool {
        read_object::<SaleRequest>(bytes).is_ok()
            || read_object::<CheckRequest>(bytes).is_ok()
            || read_object::<RedeemRequest>(bytes).is_ok()
            || read_object::<RedemptionSettleRequest>(bytes).is_ok()
            || read_object::<RedemptionAnswerRequest>(bytes).is_ok()
            || read_object::<ReverseRequest>(bytes).is_ok()
            || read_object::<ScanRequest>(bytes).is_ok()
            || read_object::<CopyRequest>(bytes).is_ok()
            || read_object::<ScannedRequest>(bytes).is_ok()
            || read_object::<PairRequest>(bytes).is_ok()
            || read_object::<SignInRequest>(bytes).is_ok()
    }
}
