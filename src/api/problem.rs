//! Why not, as the wire says it: `application/problem+json` (RFC 9457) with a stable code, a sentence for the cashier and
//! one for the developer.
//!
//! There are two kinds. An [`Objection`] is the door's own: the request never reached the counter. A [`Refusal`] is the
//! counter's; which status it becomes stands in one table, [`crate::refusals`]. No match in either has a default arm, so
//! that a new reason cannot leave the house without somebody having thought about its status.
//!
//! Invariants:
//! - A problem never repeats what the till sent: no value, no token, no key. Of a body it names the place, and the name of
//!   a field that does not belong there if that looks like a name.
//! - Every answer of the classes 4xx and 5xx that a handler, a guard or a missing route gives is a problem. What hyper
//!   answers to bytes that are no HTTP (400, 414, 431) has no body.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tilld_counter::Counter;
use tilld_domain::refusal::Refusal;
use utoipa::ToSchema;

use crate::attention::{Of, Waiting, questions};
use crate::refusals;

/// The media type of every problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A problem as it is written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A stable URI of the kind of problem: `urn:tilld:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:tilld:product_unknown")]
    kind: String,
    /// The kind of problem in words.
    #[schema(example = "Product unknown")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// The stable code: lower case, words joined by `_`. Never changed once released; new ones may come.
    #[schema(example = "product_unknown")]
    code: String,
    /// What to tell the cashier, in English. Wording in other languages is keyed by `code`.
    #[schema(example = "This product is not in the catalogue.")]
    cashier: String,
    /// What is wrong and what to do about it, for whoever writes the till software. Not stable.
    developer: String,
    /// Why not, and what to do next, in a sentence for people: where the whole counter sells nothing now. As in the health.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "the journal cannot grow: the disk is full. Make room on its disk; selling goes on by itself then."
    )]
    reason: Option<String>,
    /// Where in the body, for a body that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "cards[0].face_value")]
    field: Option<String>,
    /// Of `open_question`: what is asked, of whom, and the answers that are taken, as in the attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    questions: Option<Vec<Waiting>>,
}

/// A problem before it is written.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    cashier: Cow<'static, str>,
    developer: String,
    reason: Option<Box<str>>,
    field: Option<Box<str>>,
    retry_after_s: Option<u32>,
    questions: Option<Box<Questions>>,
}

/// What is asked, behind one pointer: a refusal is passed along by every handler.
#[derive(Debug)]
struct Questions(Vec<Waiting>);

impl Problem {
    /// A refusal; with the reason, if it is that the counter cannot do anything of the kind now.
    pub(crate) async fn of(refusal: Refusal, counter: &Counter) -> Self {
        let reason = match refusal {
            Refusal::JournalDown | Refusal::ClockWrong | Refusal::NoCatalogue => counter.hindrance().await,
            _ => None,
        };
        let reason = reason.map(String::into_boxed_str);
        let mut problem = Self { reason, ..Self::from(refusal.clone()) };
        if refusal == Refusal::NoCatalogue
            && let Some(why) = counter.catalogue_failure()
        {
            problem.developer = format!("{} The last fetch ended with {}.", problem.developer, why.code());
            if why.is_about_the_shop() {
                // To wait for a list that cannot come is no advice.
                problem.cashier = why.sentence().into();
            }
        }
        if refusal == Refusal::TooManyTries
            && let Some(left) = counter.locked_for().await
        {
            let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
            problem.retry_after_s = Some(seconds);
            problem.cashier =
                format!("Too many wrong codes. Call the manager, or wait {} min.", seconds.div_ceil(60))
                    .into();
        }
        problem
    }

    /// The same of something that may have an open question: then with that question.
    pub(crate) async fn about(refusal: Refusal, counter: &Counter, of: Of) -> Self {
        let asked = match refusal {
            Refusal::OpenQuestion => questions(counter, &of).await,
            _ => Vec::new(),
        };
        let questions = (!asked.is_empty()).then(|| Box::new(Questions(asked)));
        Self { questions, ..Self::of(refusal, counter).await }
    }

    /// A redemption at which nothing more can be done, and how it ended: who asks twice for its value back learns that it is.
    pub(crate) fn closed(screen: &str) -> Self {
        let refusal = Refusal::RedemptionClosed;
        Self { cashier: format!("{} {screen}", refusal.sentence()).into(), ..Self::from(refusal) }
    }

    /// A problem in a body, with the place.
    pub(crate) fn in_body(objection: Objection, field: Option<String>, developer: String) -> Self {
        Self { developer, field: field.map(String::into_boxed_str), ..Self::from(objection) }
    }

    /// An objection that time ends, with how long that takes.
    pub(crate) fn later(objection: Objection, left: Duration) -> Self {
        // What is left of a second is waited for too.
        let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self { retry_after_s: Some(seconds), ..Self::from(objection) }
    }

    /// The stable code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The place in the body and the developer's sentence.
    #[cfg(any(test, feature = "hostile"))]
    pub(crate) fn details(&self) -> (Option<&str>, &str) {
        (self.field.as_deref(), &self.developer)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let row = refusals::row(&refusal);
        Self {
            status: row.status,
            code: refusal.code(),
            cashier: refusal.sentence().into(),
            developer: row.developer.to_owned(),
            reason: None,
            field: None,
            retry_after_s: row.retry_after_s,
            questions: None,
        }
    }
}

impl From<Objection> for Problem {
    fn from(objection: Objection) -> Self {
        let row = objection.row();
        Self {
            status: row.status,
            code: row.code,
            cashier: row.cashier.into(),
            developer: row.developer.to_owned(),
            reason: None,
            field: None,
            retry_after_s: row.retry_after_s,
            questions: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: format!("urn:tilld:{}", self.code),
            title: title(self.code),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            cashier: self.cashier.into_owned(),
            developer: self.developer,
            reason: self.reason.map(String::from),
            field: self.field.map(String::from),
            questions: self.questions.map(|questions| questions.0),
        };
        // Texts and a number always become JSON; the empty body is for the type alone.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A code as a title: `product_unknown` becomes `Product unknown`.
fn title(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| {
        let words: String = first
            .to_uppercase()
            .chain(letters.map(|letter| if letter == '_' { ' ' } else { letter }))
            .collect();
        words.replace("json", "JSON")
    })
}

/// What the door objects to by itself: the counter has heard nothing of it, and nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objection {
    /// The body is not JSON.
    BodyNotJson,
    /// The body did not arrive whole, or not in time.
    BodyIncomplete,
    /// The body is larger than the door takes.
    BodyTooLarge,
    /// The body is of another media type.
    NotJsonType,
    /// A field that does not belong there.
    FieldUnknown,
    /// A field that must be there.
    FieldMissing,
    /// A field twice in one object.
    FieldTwice,
    /// A field whose value is not what it must be.
    FieldWrong,
    /// A parameter of the query that is not known, stands there twice, or is not what it must be.
    QueryWrong,
    /// No `Idempotency-Key`.
    KeyMissing,
    /// An `Idempotency-Key` that is no key.
    KeyWrong,
    /// A `Last-Event-ID` that is no number.
    LastEventIdWrong,
    /// No such route.
    RouteUnknown,
    /// The route does not know the method.
    MethodNotAllowed,
    /// No token, or another one.
    Unauthorised,
    /// No `Host`, or several.
    HostMissing,
    /// A `Host` that is not this door.
    HostWrong,
    /// A page of another origin asks.
    OriginForeign,
    /// A screen's request that acts does not say which page asks.
    OriginMissing,
    /// The cookie of a pairing that has ended, or that never was one.
    PairingEnded,
    /// A pairing code that is not the one that was offered.
    PairingWrong,
    /// A pairing code where none is good any more.
    PairingOver,
    /// A pairing code after too many wrong ones.
    PairingSpoiled,
    /// Till software asks for what only a screen has.
    NoScreen,
    /// No manager has a PIN here.
    NoManagers,
    /// A manager's name or PIN is wrong.
    PinWrong,
    /// Too many PINs were wrong.
    PinPaused,
    /// As many listeners as there may be.
    TooManyListeners,
    /// As many connections as there may be.
    TooManyConnections,
    /// The counter has not answered in all the time that the door gives it.
    AnswerLate,
    /// A fault of this program.
    Internal,
}

/// What an objection becomes on the wire.
pub(crate) struct ObjectionRow {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) cashier: &'static str,
    pub(crate) developer: &'static str,
    pub(crate) retry_after_s: Option<u32>,
}

/// What the cashier reads where the till's software or set-up is wrong.
const TILL_WRONG: &str = "The till sent something that cannot be read. Call the manager.";
/// What the cashier reads where a request could not be told from another one.
const KEY_WRONG: &str = "The till did not say which request this is, so nothing was done. Call the manager.";
/// What the cashier reads where a client is not let in.
const NOT_LET_IN: &str = "This till may not sell gift cards here. Call the manager.";
/// What the cashier reads where too much is asked at once.
const TOO_BUSY: &str = "Too much is asked at once. Try again in a moment.";

impl Objection {
    /// The table. The developer's sentence stands alone where nothing more is known about the place.
    pub(crate) fn row(self) -> ObjectionRow {
        let row = |status, code, cashier, developer| ObjectionRow {
            status,
            code,
            cashier,
            developer,
            retry_after_s: None,
        };
        let later = |row: ObjectionRow, seconds| ObjectionRow { retry_after_s: Some(seconds), ..row };
        match self {
            Self::BodyNotJson => row(
                StatusCode::BAD_REQUEST,
                "body_not_json",
                TILL_WRONG,
                "The body is not JSON in UTF-8 (RFC 8259).",
            ),
            Self::BodyIncomplete => row(
                StatusCode::REQUEST_TIMEOUT,
                "body_incomplete",
                TILL_WRONG,
                "The body did not arrive whole within 10 s.",
            ),
            Self::BodyTooLarge => row(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                TILL_WRONG,
                "The body is larger than 65536 bytes.",
            ),
            Self::NotJsonType => row(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json_type",
                TILL_WRONG,
                "Send the body with Content-Type: application/json.",
            ),
            Self::FieldUnknown => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field_unknown",
                TILL_WRONG,
                "There is a field that does not belong there.",
            ),
            Self::FieldMissing => {
                row(StatusCode::UNPROCESSABLE_ENTITY, "field_missing", TILL_WRONG, "A field is missing.")
            }
            Self::FieldTwice => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field_twice",
                TILL_WRONG,
                "A field stands twice in one object.",
            ),
            Self::FieldWrong => row(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field_wrong",
                TILL_WRONG,
                "A field does not hold what it must.",
            ),
            Self::QueryWrong => row(
                StatusCode::BAD_REQUEST,
                "query_wrong",
                TILL_WRONG,
                "A parameter of the query is not known, stands there twice, or does not hold what it must; GET /openapi.json names them.",
            ),
            Self::KeyMissing => row(
                StatusCode::BAD_REQUEST,
                "key_missing",
                KEY_WRONG,
                "Send an Idempotency-Key header: a new one for every new request, the same one when asking again.",
            ),
            Self::KeyWrong => row(
                StatusCode::BAD_REQUEST,
                "key_wrong",
                KEY_WRONG,
                "Send one Idempotency-Key header of 1 to 128 printable ASCII characters, without blanks around it.",
            ),
            Self::LastEventIdWrong => row(
                StatusCode::BAD_REQUEST,
                "last_event_id_wrong",
                TILL_WRONG,
                "Last-Event-ID must be the id of an event of this stream: a whole number.",
            ),
            Self::RouteUnknown => row(
                StatusCode::NOT_FOUND,
                "route_unknown",
                TILL_WRONG,
                "There is no such route; GET /openapi.json names those that there are.",
            ),
            Self::MethodNotAllowed => row(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                TILL_WRONG,
                "The route does not know this method; the Allow header names those that it knows.",
            ),
            Self::Unauthorised => row(
                StatusCode::UNAUTHORIZED,
                "unauthorised",
                NOT_LET_IN,
                "Send Authorization: Bearer and the token of this terminal's token file; or pair the screen, POST /v1/pair.",
            ),
            Self::HostMissing => {
                row(StatusCode::BAD_REQUEST, "host_missing", NOT_LET_IN, "Send exactly one Host header.")
            }
            Self::HostWrong => row(
                StatusCode::MISDIRECTED_REQUEST,
                "host_wrong",
                NOT_LET_IN,
                "Host must be 127.0.0.1, [::1] or localhost with this door's own port.",
            ),
            Self::OriginForeign => row(
                StatusCode::FORBIDDEN,
                "origin_foreign",
                NOT_LET_IN,
                "Pages of another origin may not ask here: Origin must be absent or this door's own.",
            ),
            Self::OriginMissing => row(
                StatusCode::FORBIDDEN,
                "origin_missing",
                NOT_LET_IN,
                "A request that acts by a screen's cookie carries Origin, or Sec-Fetch-Site: same-origin; browsers send them.",
            ),
            Self::PairingEnded => row(
                StatusCode::UNAUTHORIZED,
                "pairing_ended",
                "This screen is no longer paired with the till. Pair it again.",
                "The cookie is older than 90 days, or of another token. Pair the screen again: POST /v1/pair.",
            ),
            Self::PairingWrong => row(
                StatusCode::FORBIDDEN,
                "pairing_wrong",
                "That is not the code. Type it again.",
                "The code is not the one that was asked for last.",
            ),
            Self::PairingOver => row(
                StatusCode::FORBIDDEN,
                "pairing_over",
                "The code is not good any more. Ask for another one.",
                "No code is good now: it was used, or it is older than 5 min. `tilld pair` shows another one.",
            ),
            Self::PairingSpoiled => row(
                StatusCode::FORBIDDEN,
                "pairing_spoiled",
                "Too many wrong codes. Ask for another one.",
                "After 5 wrong codes none is taken until another one is asked for: `tilld pair`.",
            ),
            Self::NoScreen => row(
                StatusCode::FORBIDDEN,
                "no_screen",
                TILL_WRONG,
                "A manager signs in on a paired screen. With the token nobody needs to: it may do all.",
            ),
            Self::NoManagers => row(
                StatusCode::CONFLICT,
                "no_managers",
                "No manager is set up on this till.",
                "The configuration names no manager: `tilld pin` prints what to write there.",
            ),
            Self::PinWrong => row(
                StatusCode::FORBIDDEN,
                "pin_wrong",
                "The PIN is wrong.",
                "Name and PIN do not belong together. After 5 wrong ones none is taken for a time.",
            ),
            Self::PinPaused => later(
                row(
                    StatusCode::TOO_MANY_REQUESTS,
                    "pin_paused",
                    "Too many wrong PINs. Wait, then try again.",
                    "No PIN is looked at before Retry-After is over: 1 min after 5 wrong ones, doubled by each further one up to 1 h.",
                ),
                60,
            ),
            Self::TooManyListeners => later(
                row(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "too_many_listeners",
                    TOO_BUSY,
                    "16 event streams are open already. Close one, or share one.",
                ),
                5,
            ),
            Self::TooManyConnections => later(
                row(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "too_many_connections",
                    TOO_BUSY,
                    "64 connections are open already. Keep one open and use it again.",
                ),
                1,
            ),
            Self::AnswerLate => later(
                row(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "answer_late",
                    "This takes longer than it should. Please wait.",
                    "What became of the request is not known yet. Ask again under the same key: nothing is done twice.",
                ),
                1,
            ),
            Self::Internal => row(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong in this till. Call the manager.",
                "A fault of this program; its log has a line about it. Ask again under the same key: nothing is done twice.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_a_sentence_names_is_the_bound_that_holds() {
        for (objection, bound) in [
            (Objection::BodyTooLarge, crate::body::MOST_BYTES.to_string()),
            (Objection::BodyIncomplete, format!("{} s", crate::body::WAIT.as_secs())),
            (Objection::TooManyListeners, crate::events::MOST_STREAMS.to_string()),
            (Objection::TooManyConnections, crate::serve::MOST_CONNECTIONS.to_string()),
            (Objection::PinWrong, crate::managers::FREE.to_string()),
            (Objection::PinPaused, crate::managers::FREE.to_string()),
            (Objection::KeyWrong, tilld_domain::ids::RequestKey::MOST.to_string()),
        ] {
            assert!(objection.row().developer.contains(&bound), "{objection:?}: {bound}");
        }
    }

    #[test]
    fn a_code_reads_as_a_title() {
        assert_eq!(title("product_unknown"), "Product unknown");
        assert_eq!(title("not_json_type"), "Not JSON type");
        assert_eq!(title(""), "");
    }
}
