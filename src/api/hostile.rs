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
use crate::wire::{AnswerRequest, CancelRequest, PaymentRequest, SaleRequest};

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

/// The scanned codes of a body that was read, those apart that stand in another of its fields as well.
fn codes(bytes: &[u8]) -> Vec<String> {
    let Ok(whole) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let cards = whole.get("cards").and_then(Value::as_array);
    let codes = cards.into_iter().flatten().filter_map(|card| Some(card.get("code")?.as_str()?.to_owned()));
    let mut others = whole.clone();
    for card in others.get_mut("cards").and_then(Value::as_array_mut).into_iter().flatten() {
        card.as_object_mut().and_then(|card| card.remove("code"));
    }
    let others = others.to_string();
    // A shorter one may be a word or a number of the type itself.
    codes.filter(|code| code.len() >= 8 && !others.contains(code.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_comes_back_wherever_it_stands() {
        let right = r#"{"receipt":"R1","cashier":"Kim","locale":"de-DE","cards":[{"product":"4001","kind":"posa","face_value":{"amount":"50.00","currency":"EUR"},"code":"6399990000123456789"}]}"#;
        let whole: Value = serde_json::from_str(right).unwrap_or_default();
        assert!(read_object::<SaleRequest>(right.as_bytes()).is_ok());
        bodies(right.as_bytes());
        let text = whole.to_string();
        let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
        // In the place of every name and every value of it.
        for pair in quotes.chunks(2) {
            let [from, to] = pair else { continue };
            let (before, after) =
                (text.get(..*from).unwrap_or_default(), text.get(to + 1..).unwrap_or_default());
            bodies(format!("{before}\"{MARK}\"{after}").as_bytes());
            bodies(format!("{before}\"x`, expected {MARK}\"{after}").as_bytes());
        }
    }
}
