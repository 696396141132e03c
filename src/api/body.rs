//! The body of a request: bounded in bytes and in time, read once into a type of the wire, and, where it cannot be,
//! refused with the place and the kind of mistake.
//!
//! The JSON reader's own messages repeat what they could not read ("invalid type: string \"…\""), so none of them is passed
//! on: a mistake is told from their fixed beginnings and put into words here. What may be named is the path, which is made
//! of names that the reader knows, and the name of an unknown field if it looks like a name.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::problem::{Objection, Problem};
use crate::wire::{OURS, Object};

/// The most bytes of a body: twenty cards with the longest names take a tenth of it.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive, on a line that is inside this machine.
pub(crate) const WAIT: Duration = Duration::from_secs(10);
/// The greatest length of a path or name that is repeated.
const LONGEST_NAME: usize = 64;

/// A body of the type `Wanted`.
pub(crate) struct Body<Wanted>(pub(crate) Wanted);

impl<Wanted: DeserializeOwned, State: Send + Sync> FromRequest<State> for Body<Wanted> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &State) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = arrived(request).await?;
        if is_json { read_object(&bytes).map(Self) } else { Err(Objection::NotJsonType.into()) }
    }
}

/// A body that may be absent, or null: then it is as if `{}` had been sent.
pub(crate) struct MaybeBody<Wanted>(pub(crate) Wanted);

impl<Wanted: DeserializeOwned + Default, State: Send + Sync> FromRequest<State> for MaybeBody<Wanted> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &State) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = arrived(request).await?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(Wanted::default())),
            (false, true) => {
                let wanted = read::<Option<Object<Wanted>>>(&bytes)?;
                Ok(Self(wanted.unwrap_or_default().0))
            }
            (false, false) => Err(Objection::NotJsonType.into()),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn arrived(request: Request) -> Result<Bytes, Problem> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > u64::try_from(MOST_BYTES).unwrap_or(u64::MAX)) {
        return Err(Objection::BodyTooLarge.into());
    }
    match tokio::time::timeout(WAIT, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)))) => {
            Err(Objection::BodyTooLarge.into())
        }
        Ok(Err(_)) | Err(_) => Err(Objection::BodyIncomplete.into()),
    }
}

/// Reads a body that is one object, or says what is wrong with it.
pub(crate) fn read_object<Wanted: DeserializeOwned>(bytes: &[u8]) -> Result<Wanted, Problem> {
    read(bytes).map(|Object(wanted)| wanted)
}

fn read<Wanted: DeserializeOwned>(bytes: &[u8]) -> Result<Wanted, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let wanted = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| mistake(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| mistake(".", &error))?;
    Ok(wanted)
}

fn mistake(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        let place = format!("line {}, column {}", error.line(), error.column());
        return Problem::in_body(
            Objection::BodyNotJson,
            None,
            format!("The body is not JSON in UTF-8 (RFC 8259): {} at {place}.", syntax(error)),
        );
    }
    let message = error.to_string();
    let place = (path != "." && is_a_name(path)).then(|| path.to_owned());
    let there = place.clone().unwrap_or_else(|| "the body".to_owned());
    let (objection, what) = in_words(&message);
    // The reader stops at the object that lacks a field, or has it twice; the name of the field is known as well.
    let named =
        ["missing field `", "duplicate field `"].into_iter().find_map(|beginning| named(&message, beginning));
    let field = match (place, named) {
        (Some(place), Some(name)) => Some(format!("{place}.{name}")),
        (place, name) => name.map(str::to_owned).or(place),
    };
    Problem::in_body(objection, field, format!("In {there}: {what}."))
}

/// What stands between back quotes behind the beginning of a message.
fn named<'a>(message: &'a str, beginning: &str) -> Option<&'a str> {
    message.strip_prefix(beginning).and_then(|rest| rest.split('`').next())
}

/// What breaks the syntax, from the reader's closed list of messages, none of which repeats the body.
fn syntax(error: &serde_json::Error) -> &'static str {
    if error.is_eof() {
        return "it ends too early";
    }
    let message = error.to_string();
    [
        ("recursion limit exceeded", "it is nested too deeply"),
        ("number out of range", "a number is out of range"),
        ("trailing characters", "something follows its end"),
        ("trailing comma", "a comma stands before the end of a list or an object"),
        ("control character", "a string holds a bare control character"),
        ("invalid unicode code point", "a string is not UTF-8"),
        ("lone leading surrogate", "a string holds half of a surrogate pair"),
        ("unexpected end of hex escape", "a string holds half of a surrogate pair"),
        ("invalid escape", "a string holds an unknown escape"),
        ("invalid number", "a number is malformed"),
    ]
    .into_iter()
    .find(|(beginning, _)| message.starts_with(beginning))
    .map_or("it is malformed", |(_, words)| words)
}

/// A message of the reader in words that repeat no value.
fn in_words(message: &str) -> (Objection, String) {
    // Behind the last "expected" stand words of this program alone: what was found stands before them.
    let expected = || {
        let words = message.rsplit_once(", expected ").map(|(_, words)| words);
        let words = words.map(|words| words.split(" at line ").next().unwrap_or(words));
        words.map_or_else(String::new, |words| format!(", {} is expected", words.replace('`', "")))
    };
    if let Some(ours) = message.strip_prefix(OURS) {
        let ours = ours.split(" at line ").next().unwrap_or(ours);
        return (Objection::FieldWrong, ours.to_owned());
    }
    if let Some(name) = named(message, "missing field `") {
        return (Objection::FieldMissing, format!("the field {name} is missing"));
    }
    if let Some(name) = named(message, "duplicate field `") {
        return (Objection::FieldTwice, format!("the field {name} stands there twice"));
    }
    if let Some(name) = named(message, "unknown field `") {
        let name = if is_a_name(name) { name } else { "(whose name is not shown)" };
        return (
            Objection::FieldUnknown,
            format!("there is a field {name} that does not belong there{}", fields(message)),
        );
    }
    if message.starts_with("unknown variant") {
        return (Objection::FieldWrong, format!("it is not one of the words for it{}", expected()));
    }
    let found = [
        ("invalid type: string", "a string stands there"),
        ("invalid type: integer", "a number stands there"),
        ("invalid value: integer", "a number stands there"),
        ("invalid type: floating point", "a number stands there"),
        ("invalid type: number", "a number stands there"),
        ("invalid type: boolean", "true or false stands there"),
        ("invalid type: null", "null stands there"),
        ("invalid type: sequence", "an array stands there"),
        ("invalid type: map", "an object stands there"),
    ]
    .into_iter()
    .find(|(beginning, _)| message.starts_with(beginning));
    match found {
        Some((_, found)) => (Objection::FieldWrong, format!("{found}{}", expected())),
        None => (Objection::FieldWrong, "it does not hold what it must".to_owned()),
    }
}

/// The fields that belong there, as the reader lists them.
fn fields(message: &str) -> String {
    // Where none belong there the message ends otherwise, and the words looked for could only be the till's own.
    let without_place = message.rsplit_once(" at line ").map_or(message, |(words, _)| words);
    if without_place.ends_with("there are no fields") {
        return String::new();
    }
    let words = message.rsplit_once("`, expected ").map(|(_, words)| words);
    let words = words.map(|words| words.split(" at line ").next().unwrap_or(words));
    words.map_or_else(String::new, |words| {
        format!("; known: {}", words.replace("one of ", "").replace('`', ""))
    })
}

/// Whether a text can be shown as the name or the path of a field: short, and of the characters of such names. What looks
/// like a number alone is not shown: it may be one that was meant to be a value.
fn is_a_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.[]".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AnswerRequest, PaymentRequest, SaleRequest};

    const CARD: &str = r#"{"product":"4001","kind":"por","face_value":{"amount":"50.00","currency":"EUR"}}"#;

    /// The code, the place and the developer's words for a body that cannot be read.
    fn verdict<Wanted: DeserializeOwned>(bytes: &[u8]) -> (String, String, String) {
        match read_object::<Wanted>(bytes) {
            Ok(_) => ("read".to_owned(), String::new(), String::new()),
            Err(problem) => {
                let (field, words) = problem.details();
                (problem.code().to_owned(), field.unwrap_or("-").to_owned(), words.to_owned())
            }
        }
    }

    fn sale_with(receipt: &str, card: &str) -> Vec<u8> {
        format!(r#"{{"receipt":{receipt},"cards":[{card}]}}"#).into_bytes()
    }

    #[test]
    fn a_wrong_body_is_refused_with_its_place_and_kind() {
        let long = format!("\"{}\"", "x".repeat(10 * 1024));
        let deep = "[".repeat(5000);
        for (name, bytes, code, field) in [
            ("right", sale_with("\"R1\"", CARD), "read", ""),
            ("nothing", b"".to_vec(), "body_not_json", "-"),
            ("a word", b"sale".to_vec(), "body_not_json", "-"),
            ("cut short", b"{\"receipt\":\"R1\"".to_vec(), "body_not_json", "-"),
            ("two", [sale_with("\"R1\"", CARD), b"{}".to_vec()].concat(), "body_not_json", "-"),
            (
                "not UTF-8",
                sale_with("\"R1\"", CARD).into_iter().chain([0xff]).collect(),
                "body_not_json",
                "-",
            ),
            ("Latin-1 in a name", b"{\"receipt\":\"R\xe4\"}".to_vec(), "body_not_json", "-"),
            ("bare NUL", b"{\"receipt\":\"R\x001\"}".to_vec(), "body_not_json", "-"),
            ("an array", b"[]".to_vec(), "field_wrong", "-"),
            ("deep", deep.clone().into_bytes(), "field_wrong", "-"),
            ("deep inside", sale_with("\"R1\"", &deep), "field_wrong", "cards[0]"),
            ("escaped NUL", sale_with("\"R\\u00001\"", CARD), "field_wrong", "receipt"),
            ("escape", sale_with("\"R\\u001bp\"", CARD), "field_wrong", "receipt"),
            ("emoji", sale_with("\"R🎁\"", CARD), "field_wrong", "receipt"),
            ("lone surrogate", sale_with("\"R\\ud83c\"", CARD), "body_not_json", "-"),
            ("10 kB", sale_with(&long, CARD), "field_wrong", "receipt"),
            ("empty", sale_with("\"\"", CARD), "field_wrong", "receipt"),
            ("a number", sale_with("12", CARD), "field_wrong", "receipt"),
            ("a payment card", sale_with("\"4111 1111 1111 1111\"", CARD), "field_wrong", "receipt"),
            ("null", sale_with("null", CARD), "field_wrong", "receipt"),
            ("no cards", b"{\"receipt\":\"R1\"}".to_vec(), "field_missing", "cards"),
            ("twice", b"{\"receipt\":\"R1\",\"receipt\":\"R2\"}".to_vec(), "field_twice", "receipt"),
            ("no kind", sale_with("\"R1\"", "{\"product\":\"1\"}"), "field_missing", "cards[0].kind"),
            ("unknown", b"{\"receipt\":\"R1\",\"reciept\":\"R2\"}".to_vec(), "field_unknown", "reciept"),
        ] {
            let (got, place, words) = verdict::<SaleRequest>(&bytes);
            assert_eq!((got.as_str(), place.as_str()), (code, field), "{name}: {words}");
        }
    }

    #[test]
    fn an_array_is_no_object_wherever_it_stands() {
        let code = |(code, ..): (String, String, String)| code;
        let listed = r#"["4001","por",{"amount":"50.00","currency":"EUR"},null]"#;
        let money = r#"["50.00","EUR"]"#;
        for (body, field) in [
            (sale_with("\"R1\"", listed), "cards[0]"),
            (sale_with("\"R1\"", "[]"), "cards[0]"),
            (
                sale_with("\"R1\"", &CARD.replace(r#"{"amount":"50.00","currency":"EUR"}"#, money)),
                "cards[0].face_value",
            ),
        ] {
            let (code, place, words) = verdict::<SaleRequest>(&body);
            assert_eq!((code.as_str(), place.as_str()), ("field_wrong", field), "{words}");
            assert!(words.ends_with("an array stands there, an object is expected."), "{words}");
        }
        let right = r#"{"amount":"50.00","currency":"EUR"}"#;
        for (amount, tender, total) in [
            (money, r#"{"kind":"card"}"#, right),
            (right, r#"["card"]"#, right),
            (right, r#"["card",{}]"#, right),
            (right, r#"{"kind":"cash","given":["50.00","EUR"]}"#, right),
            (
                right,
                r#"{"kind":"cash","given":{"amount":"50.00","currency":"EUR"},"change":["0","EUR"]}"#,
                right,
            ),
            (right, r#"{"kind":"card"}"#, money),
        ] {
            let body = format!(r#"{{"amount":{amount},"tender":{tender},"receipt_total":{total}}}"#);
            assert_eq!(code(verdict::<PaymentRequest>(body.as_bytes())), "field_wrong", "{body}");
        }
        assert_eq!(code(verdict::<AnswerRequest>(br#"["print"]"#)), "field_wrong");
    }

    #[test]
    fn an_amount_is_exact_decimal_text_or_refused() {
        let card = |amount: &str| {
            format!(
                r#"{{"product":"4001","kind":"por","face_value":{{"amount":{amount},"currency":"EUR"}}}}"#
            )
        };
        for (amount, taken) in [
            ("\"50.00\"", true),
            ("\"50\"", true),
            ("50.00", false),
            ("50", false),
            ("1e400", false),
            ("123456789012345678901234567890", false),
            ("\"-50.00\"", false),
            ("\"+50.00\"", false),
            ("\"50.001\"", false),
            ("\"50,00\"", false),
            ("\"1e3\"", false),
            ("\"NaN\"", false),
            ("\"\"", false),
            ("\"99999999999999999999999\"", false),
            ("\"٥\"", false),
            ("null", false),
            ("true", false),
            ("[\"50.00\"]", false),
        ] {
            let (code, field, words) = verdict::<SaleRequest>(&sale_with("\"R1\"", &card(amount)));
            assert_eq!(code == "read", taken, "{amount}: {code} {words}");
            if code == "field_wrong" {
                assert!(field.starts_with("cards[0].face_value"), "{amount}: {field}");
            }
        }
    }

    #[test]
    fn a_tender_has_its_own_fields_and_no_others() {
        let payment = |tender: &str| {
            format!(r#"{{"amount":{{"amount":"50.00","currency":"EUR"}},"tender":{tender}}}"#).into_bytes()
        };
        let money = r#"{"amount":"50.00","currency":"EUR"}"#;
        for (tender, code) in [
            (format!(r#"{{"kind":"cash","given":{money}}}"#), "read"),
            (format!(r#"{{"given":{money},"change":{money},"kind":"cash"}}"#), "read"),
            (r#"{"kind":"card"}"#.to_owned(), "read"),
            (format!(r#"{{"kind":"mixed","card":{money},"given":{money}}}"#), "read"),
            (r#"{"kind":"cash"}"#.to_owned(), "field_missing"),
            (format!(r#"{{"given":{money}}}"#), "field_missing"),
            (format!(r#"{{"kind":"card","given":{money}}}"#), "field_unknown"),
            (r#"{"kind":"card","pan":"4111111111111111"}"#.to_owned(), "field_unknown"),
            (r#"{"kind":"card","a`, expected 4111111111111111":1}"#.to_owned(), "field_unknown"),
            (r#"{"kind":"cheque"}"#.to_owned(), "field_wrong"),
            (r#""cash""#.to_owned(), "field_wrong"),
            (r#"{"kind":"cash","given":50.00}"#.to_owned(), "field_wrong"),
        ] {
            let (got, _, words) = verdict::<PaymentRequest>(&payment(&tender));
            assert_eq!(got, code, "{tender}: {words}");
            assert!(!words.contains("4111"), "{tender}: {words}");
        }
    }

    #[test]
    fn nothing_that_a_till_sent_comes_back_but_the_name_of_a_field() {
        let marks = ["4111111111111111", "s3cret", "60064912"];
        for body in [
            r#"{"receipt":{"s3cret":4111111111111111},"cards":[]}"#,
            r#"{"receipt":4111111111111111,"cards":[]}"#,
            r#"{"receipt":"4111111111111111","cards":[]}"#,
            r#"{"receipt":"R1","cards":"s3cret"}"#,
            r#"{"receipt":"R1","cards":[{"product":"1","kind":"s3cret, expected `x`"}]}"#,
            r#"{"receipt":"R1","cards":[{"product":"1","kind":"por","code":6006491234567890}]}"#,
            r#"{"receipt":"R1","cards":[{"product":"1","kind":"por","code":"6006491234567890\n"}]}"#,
            r#"{"receipt":"R1","4111111111111111":"x"}"#,
            r#"{"receipt":"R1","s3cret, expected 4111111111111111":"x"}"#,
            r#"{"receipt":"R1","x`, expected 4111111111111111":"x"}"#,
            r#"{"receipt":"R1","cards":[{"product":"1","face_value":{"amount":"s3cret","currency":"EUR"}}]}"#,
        ] {
            let (code, field, words) = verdict::<SaleRequest>(body.as_bytes());
            assert_ne!(code, "read", "{body}");
            for mark in marks {
                assert!(!field.contains(mark) && !words.contains(mark), "{body}: {field}: {words}");
            }
            assert!(words.len() < 300, "{body}: {words}");
        }
        let (_, _, words) = verdict::<AnswerRequest>(br#"{"answer":"s3cret"}"#);
        assert_eq!(
            words,
            "In answer: it is not one of the words for it, one of finish, print, print_again, complete, unreadable, nothing, collected, money_back is expected."
        );
    }
}
