//! Every way in which Gift Local says no, and what that is to the counter.
//!
//! The vendor publishes neither codes nor error bodies (fact sheet 6), so the status decides, and the words only where two
//! meanings share a status: which voucher, which place, which redemption. They are compared as bare letters, so that
//! `gift_not_found`, `GiftNotFound` and "The gift was not found." are the same; digits fall away, so no code is ever kept, and
//! nothing of the words is logged.
//!
//! | status | to a validate | to a redeem | to a reverse |
//! |---|---|---|---|
//! | 401 | this shop's key | this shop's key | the same, asked again |
//! | 403 | the key may not; "this gift, this place": not here | the same | the same, asked again |
//! | words "gift not found" | no such voucher, and nothing else is | refused | – |
//! | words "gift … location" | not here | not here | – |
//! | words "already reversed" | – | – | had been taken back |
//! | words "redemption not found" | – | – | not found |
//! | words "in progress" | – | – | still being worked on |
//! | 400 | not understood | refused: services of this kind say so of business, too | will not take it back |
//! | 404 without such words | refused by a foreign code | refused | not understood: perhaps the configured path |
//! | 405, 411, 413 to 415, 431 | not understood | the same | the same |
//! | others | not redeemable now | refused | will not take it back |
//!
//! A refusal is JSON with a text under one of the names of fact sheet 6, or plain text that is no page; 401 and 403 may come
//! without a word, as such services send them. Anything else of the 4xx class was written by somebody in between, and nobody
//! knows what became of the request.

use std::fmt;

use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::{ForeignCode, Refusal};
use tilld_domain::voucher::ReverseAnswer;

use crate::http::Body;
use crate::json::Node;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A validation.
    Validate,
    /// A redeem.
    Redeem,
}

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 2048;

const TEXTS: [&str; 7] = ["message", "errorMessage", "title", "detail", "error", "errorCode", "code"];

/// A well-formed refusal. Its words may name a token, so it has no `Debug` that shows them.
pub(super) struct Rejection {
    status: u16,
    /// Letters only, in lower case.
    words: String,
}

impl Rejection {
    /// Reads the body of a 4xx; `None` if the provider did not write it.
    pub fn read(status: u16, body: &Body) -> Option<Self> {
        if body.is_empty() {
            return matches!(status, 401 | 403).then(|| Self { status, words: String::new() });
        }
        match body.exact_json() {
            Some(root) => Self::from_node(status, &root),
            None => Self::from_text(status, body.text()?),
        }
    }

    pub(super) fn from_node(status: u16, root: &Node) -> Option<Self> {
        if let Some(text) = root.text() {
            return Self::from_text(status, text);
        }
        let inner = root.get("error").filter(|inner| inner.is_map()).unwrap_or(root);
        let texts = TEXTS.iter().filter_map(|name| inner.get(name)?.text());
        let words: String = texts.flat_map(|text| letters(text).chain([' '])).collect();
        (!words.trim().is_empty()).then(|| Self { status, words: words.replace("giftlocal", "") })
    }

    fn from_text(status: u16, text: &str) -> Option<Self> {
        let page = text.contains(['<', '{']) || text.chars().any(|it| it.is_control() && !it.is_whitespace());
        let words: String = letters(text).collect();
        let plain = !page && text.len() <= LONGEST && !words.is_empty();
        plain.then(|| Self { status, words: words.replace("giftlocal", "") })
    }

    /// Writes what an operator needs to the log.
    pub fn log(&self, path: &str) {
        tracing::info!(provider = "giftlocal", path, status = self.status, "the provider refused");
    }

    /// The outcome of a validation or a redeem.
    pub fn outcome<T>(&self, call: Call) -> Outcome<T> {
        if self.status == 401 {
            return Outcome::Refused(Refusal::NotAuthenticated);
        }
        let of_a_voucher = self.says(&["gift", "voucher"]);
        let refusal = if of_a_voucher && self.says(&["location", "organization", "program"]) {
            Refusal::VoucherNotHere
        } else if call == Call::Validate && self.status != 403 && of_a_voucher && self.says_unknown() {
            Refusal::VoucherNotFound
        } else {
            match (self.status, call) {
                (403, _) => Refusal::ScopeMissing,
                (400, Call::Validate) => Refusal::RequestNotUnderstood,
                (405 | 411 | 413..=415 | 431, _) => Refusal::RequestNotUnderstood,
                (404, Call::Validate) => Refusal::Foreign(ForeignCode::new("http_404")),
                (_, Call::Validate) => Refusal::VoucherNotRedeemable,
                (_, Call::Redeem) => Refusal::RedeemRefused,
            }
        };
        Outcome::Refused(refusal)
    }

    /// The answer to a reversal.
    pub fn reversal(&self) -> ReverseAnswer {
        if matches!(self.status, 401 | 403) {
            let of_the_key = self.status == 401;
            let why = if of_the_key { Refusal::NotAuthenticated } else { Refusal::ScopeMissing };
            return ReverseAnswer::Refused(why);
        }
        if self.says(&["alreadyrevers", "alreadybeenrevers", "previouslyrevers"]) {
            return ReverseAnswer::AlreadyReversed;
        }
        if self.says(&["stillprocess", "beingprocess", "inprogress"]) {
            return ReverseAnswer::StillProcessing;
        }
        if self.says(&["redemption", "transaction"]) && self.says_unknown() {
            return ReverseAnswer::NotFound;
        }
        ReverseAnswer::Refused(match self.status {
            404 | 405 | 411 | 413..=415 | 431 => Refusal::RequestNotUnderstood,
            _ => Refusal::ReverseRefused,
        })
    }

    fn says(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.words.contains(part))
    }

    fn says_unknown(&self) -> bool {
        self.says(&["notfound", "notbefound", "notexist", "nosuch", "invalidgift", "invalidvoucher"])
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Rejection({})", self.status)
    }
}

/// The first letters of a text, in lower case, and nothing between them.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let ascii = text.chars().take(LONGEST).filter(char::is_ascii_alphabetic);
    ascii.map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(status: u16, json: &str) -> Option<Rejection> {
        Rejection::from_node(status, &Node::read_exactly(json.as_bytes())?)
    }

    fn said(status: u16, words: &str) -> Rejection {
        Rejection::from_text(status, words).unwrap()
    }

    #[test]
    fn every_no_to_a_validation_or_a_redeem_is_what_it_says() {
        use Refusal as R;
        let foreign = R::Foreign(ForeignCode::new("http_404"));
        for (status, words, validate, redeem) in [
            (404, "The gift was not found.", R::VoucherNotFound, R::RedeemRefused),
            (404, "gift_not_found", R::VoucherNotFound, R::RedeemRefused),
            (404, "GiftNotFound", R::VoucherNotFound, R::RedeemRefused),
            (400, "No such voucher", R::VoucherNotFound, R::RedeemRefused),
            (422, "The voucher could not be found", R::VoucherNotFound, R::RedeemRefused),
            (400, "Invalid voucher code", R::VoucherNotFound, R::RedeemRefused),
            (404, "The gift was not found at this location.", R::VoucherNotHere, R::VoucherNotHere),
            (422, "The gift cannot be used at this location.", R::VoucherNotHere, R::VoucherNotHere),
            (403, "This gift belongs to another program.", R::VoucherNotHere, R::VoucherNotHere),
            (404, "Gift Local: not found", foreign.clone(), R::RedeemRefused),
            (404, "There is nothing at this path.", foreign.clone(), R::RedeemRefused),
            (404, "Not Found", foreign, R::RedeemRefused),
            (401, "The API key is missing or unknown.", R::NotAuthenticated, R::NotAuthenticated),
            (401, "The gift was not found.", R::NotAuthenticated, R::NotAuthenticated),
            (403, "The API key is not attached to this location.", R::ScopeMissing, R::ScopeMissing),
            (403, "gift not found", R::ScopeMissing, R::ScopeMissing),
            (400, "A field of the request is invalid.", R::RequestNotUnderstood, R::RedeemRefused),
            (
                400,
                "The account has several locations; one must be given.",
                R::RequestNotUnderstood,
                R::RedeemRefused,
            ),
            (413, "The request body is too large.", R::RequestNotUnderstood, R::RequestNotUnderstood),
            (415, "unsupported_media_type", R::RequestNotUnderstood, R::RequestNotUnderstood),
            (422, "This gift expired on 2026-01-01.", R::VoucherNotRedeemable, R::RedeemRefused),
            (422, "The amount exceeds what is left on the gift.", R::VoucherNotRedeemable, R::RedeemRefused),
            (409, "duplicate_redemption", R::VoucherNotRedeemable, R::RedeemRefused),
            (402, "moon phase", R::VoucherNotRedeemable, R::RedeemRefused),
        ] {
            let rejection = said(status, words);
            assert_eq!(rejection.outcome::<()>(Call::Validate), Outcome::Refused(validate), "{words}");
            assert_eq!(rejection.outcome::<()>(Call::Redeem), Outcome::Refused(redeem), "{words}");
        }
    }

    #[test]
    fn a_no_to_a_reversal_ends_it_only_in_the_providers_own_words() {
        use ReverseAnswer as A;
        let refused = |why| A::Refused(why);
        for (status, words, expected) in [
            (409, "The redemption was already reversed.", A::AlreadyReversed),
            (400, "RedemptionHasAlreadyBeenReversed", A::AlreadyReversed),
            (409, "It cannot be reversed: already settled", refused(Refusal::ReverseRefused)),
            (404, "The redemption was not found.", A::NotFound),
            (422, "No such transaction", A::NotFound),
            (404, "Not Found", refused(Refusal::RequestNotUnderstood)),
            (404, "The gift was not found", refused(Refusal::RequestNotUnderstood)),
            (409, "The redemption is still processing", A::StillProcessing),
            (422, "The redemption can no longer be reversed.", refused(Refusal::ReverseRefused)),
            (400, "A field of the request is invalid.", refused(Refusal::ReverseRefused)),
            (401, "already reversed", refused(Refusal::NotAuthenticated)),
            (403, "redemption not found", refused(Refusal::ScopeMissing)),
        ] {
            assert_eq!(said(status, words).reversal(), expected, "{status} {words}");
        }
    }

    #[test]
    fn a_refusal_has_many_shapes_and_a_page_is_none() {
        for json in [
            r#"{"type":"about:blank","title":"gift_not_found","status":404,"detail":"The gift was not found."}"#,
            r#"{"title":"x","detail":"The gift was not found."}"#,
            r#"{"message":"The gift was not found."}"#,
            r#"{"errorCode":"gift_not_found","errorMessage":"?"}"#,
            r#"{"error":"The gift was not found."}"#,
            r#"{"error":{"code":7,"message":"The gift was not found."}}"#,
            r#""The gift was not found.""#,
        ] {
            let outcome: Outcome<()> = rejection(404, json).unwrap().outcome(Call::Validate);
            assert_eq!(outcome, Outcome::Refused(Refusal::VoucherNotFound), "{json}");
        }
        for json in [
            "[]",
            "7",
            "null",
            "true",
            "{}",
            r#"{"status":"ok"}"#,
            r#"{"message":7}"#,
            r#"{"message":"404"}"#,
        ] {
            assert!(rejection(404, json).is_none(), "{json}");
        }
        let long = "gift not found ".repeat(LONGEST);
        for text in
            ["<html>gift not found</html>", "  <p>", "\u{1b}gift", "{\"message\":\"gift", "404", &long]
        {
            assert!(Rejection::from_text(404, text).is_none(), "{text:.20}");
        }
    }
}
