//! Under which key a till asks, and for what: the `Idempotency-Key` header and the digest of the request.
//!
//! The digest is SHA-256 over the route's name, the ids of its path and every value of the parsed body, each with its
//! length before it. So white space, the order of fields and `50` for `50.00` do not matter, and any other value does.
//! It stays in the journal for as long as the sale. Therefore a scanned code does not go into it as it is: a digest over
//! known values and a code of a few unknown digits can be searched through in seconds, and would keep alive what the
//! journal has forgotten (law L11). Its HMAC under the terminal key goes in, which whoever has the file alone cannot try.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};
use tilld_counter::Asked;
use tilld_domain::ids::RequestKey;
use tilld_domain::money::Money;
use tilld_domain::voucher::Worth;

use crate::problem::{Objection, Problem};

/// The header that every acting request carries.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The till's key of a request.
pub(crate) struct Key(RequestKey);

impl Key {
    /// The key and what was asked under it.
    pub(crate) fn with(self, digest: Digest) -> Asked {
        Asked { key: self.0, digest: digest.0.finalize().into() }
    }
}

impl<State: Send + Sync> FromRequestParts<State> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            let several = parts.headers.contains_key(IDEMPOTENCY_KEY);
            return Err(if several { Objection::KeyWrong } else { Objection::KeyMissing }.into());
        };
        let key = value.to_str().ok().and_then(|text| text.parse().ok());
        key.map(Self).ok_or_else(|| Objection::KeyWrong.into())
    }
}

/// A request's digest in the making.
pub(crate) struct Digest(Sha256);

impl Digest {
    /// Of a request to a route.
    pub(crate) fn of(route: &'static str) -> Self {
        Self(Sha256::new()).text(route)
    }

    /// And a text.
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// And a text that may be absent.
    pub(crate) fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.count(1).text(text),
            None => self.count(0),
        }
    }

    /// And how many follow.
    pub(crate) fn count(self, count: usize) -> Self {
        self.bytes(&u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes())
    }

    /// And an amount.
    pub(crate) fn money(self, money: Money) -> Self {
        self.text(money.currency().code()).bytes(&money.minor().to_be_bytes())
    }

    /// And an amount that may be absent.
    pub(crate) fn optional_money(self, money: Option<Money>) -> Self {
        match money {
            Some(money) => self.count(1).money(money),
            None => self.count(0),
        }
    }

    /// And a yes or a no.
    pub(crate) fn flag(self, flag: bool) -> Self {
        self.count(usize::from(flag))
    }

    /// And an amount or a number of items.
    pub(crate) fn worth(self, worth: Worth) -> Self {
        match worth {
            Worth::Money(money) => self.text("money").money(money),
            Worth::Items(items) => self.text("items").bytes(&items.to_be_bytes()),
        }
    }

    /// And what stands for a secret that may be absent.
    pub(crate) fn secret(self, fingerprint: Option<[u8; 32]>) -> Self {
        match fingerprint {
            Some(fingerprint) => self.count(1).bytes(&fingerprint),
            None => self.count(0),
        }
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::secret::Secret;

    use super::*;
    use crate::wire::{
        CompleteRequest, RedeemRequest, RedemptionAnswerRequest, RedemptionSettleRequest, ReverseRequest,
        SaleRequest, ScanRequest,
    };

    /// In the place of the journal's.
    fn fingerprint(secret: &Secret) -> [u8; 32] {
        Sha256::digest(secret.reveal()).into()
    }

    fn digest_of(body: &str) -> [u8; 32] {
        let request: SaleRequest = serde_json::from_str(body).unwrap();
        request.digest(Digest::of("open"), fingerprint).0.finalize().into()
    }

    const BODY: &str = r#"{"receipt":"R1","cards":[{"product":"4001","kind":"posa","face_value":{"amount":"50.00","currency":"EUR"},"code":"6006491234567890"}]}"#;

    #[test]
    fn how_a_body_is_written_does_not_matter() {
        let otherwise = r#" { "cards" : [ {"code":"6006491234567890","face_value":{"currency":"EUR","amount":"50"},
            "kind":"posa","product":"\u0034001"} ], "locale":null, "receipt":"R1" }"#;
        assert_eq!(digest_of(BODY), digest_of(otherwise));
    }

    #[test]
    fn every_value_matters() {
        for (from, to) in [
            ("R1", "R2"),
            ("\"cards\"", "\"cashier\":\"A\",\"cards\""),
            ("\"cards\"", "\"locale\":\"A\",\"cards\""),
            ("4001", "4002"),
            ("posa", "por"),
            ("50.00", "50.01"),
            ("EUR", "CHF"),
            ("6006491234567890", "6006491234567891"),
            ("6006491234567890", "6006491234567"),
            (",\"code\":\"6006491234567890\"", ""),
        ] {
            assert_ne!(digest_of(BODY), digest_of(&BODY.replace(from, to)), "{from} -> {to}");
        }
    }

    #[test]
    fn every_value_of_a_redeem_matters_and_how_it_is_written_does_not() {
        let digest_of = |body: &str| -> [u8; 32] {
            let request: RedeemRequest = serde_json::from_str(body).unwrap();
            request.digest(Digest::of("redeem")).0.finalize().into()
        };
        let body = r#"{"check":"019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e","basket":"B1","amount":{"amount":"2.00","currency":"EUR"}}"#;
        for (from, to, same) in [
            ("2.00", "2", true),
            ("019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e", "019BB0D56A3C7C119F9E0D6A5B1C2D3E", true),
            ("\"basket\"", "\"terms_confirmed\":false,\"cashier\":null,\"basket\"", true),
            ("019bb0d5", "019bb0d6", false),
            ("B1", "B2", false),
            ("2.00", "2.01", false),
            ("EUR", "CHF", false),
            (r#"{"amount":"2.00","currency":"EUR"}"#, r#"{"items":200}"#, false),
            ("\"basket\"", "\"terms_confirmed\":true,\"basket\"", false),
            ("\"basket\"", "\"cashier\":\"A\",\"basket\"", false),
            ("\"basket\"", "\"locale\":\"A\",\"basket\"", false),
        ] {
            assert_eq!(digest_of(body) == digest_of(&body.replace(from, to)), same, "{from} -> {to}");
        }
    }

    #[test]
    fn every_value_of_the_other_requests_about_a_redemption_matters() {
        fn digest<Request: serde::de::DeserializeOwned>(
            body: &str,
            digest: impl Fn(&Request, Digest) -> Digest,
        ) -> [u8; 32] {
            digest(&serde_json::from_str(body).unwrap(), Digest::of("x")).0.finalize().into()
        }
        let reverse = |body: &str| digest(body, ReverseRequest::digest);
        assert_ne!(reverse("{}"), reverse(r#"{"by":"A"}"#));
        assert_ne!(reverse(r#"{"by":"A"}"#), reverse(r#"{"by":"A","manager":true}"#));
        assert_eq!(reverse("{}"), reverse(r#"{"manager":false}"#));
        let complete = |body: &str| digest(body, CompleteRequest::digest);
        assert_ne!(complete("{}"), complete(r#"{"by":"A"}"#));
        let answer = |body: &str| digest(body, RedemptionAnswerRequest::digest);
        assert_ne!(answer(r#"{"answer":"used"}"#), answer(r#"{"answer":"not_used"}"#));
        assert_ne!(answer(r#"{"answer":"used"}"#), answer(r#"{"answer":"used","by":"A"}"#));
        let settle = |verdict: &str, by: &str, reason: &str| {
            let body = format!(r#"{{"verdict":"{verdict}","by":"{by}","reason":"{reason}"}}"#);
            digest(&body, RedemptionSettleRequest::digest)
        };
        for (verdict, by, reason) in [("not_used", "A", "x"), ("used", "B", "x"), ("used", "A", "y")] {
            assert_ne!(settle("used", "A", "x"), settle(verdict, by, reason), "{verdict} {by} {reason}");
        }
        let scan = |scan: &str| {
            digest(&format!(r#"{{"scan":"{scan}"}}"#), |request, digest| {
                ScanRequest::digest(request, digest, fingerprint)
            })
        };
        assert_ne!(scan("012345678901"), scan("012345678902"));
        assert_ne!(scan("012345678901"), scan("0012345678901"));
    }

    #[test]
    fn of_a_code_nothing_goes_in_but_what_stands_for_it() {
        let digest_of = |code: &str| -> [u8; 32] {
            let request: SaleRequest = serde_json::from_str(&BODY.replace("6006491234567890", code)).unwrap();
            request.digest(Digest::of("open"), |_| [7; 32]).0.finalize().into()
        };
        assert_eq!(digest_of("6006491234567890"), digest_of("77"));
        let scan = |scan: &str| -> [u8; 32] {
            let request: ScanRequest = serde_json::from_str(&format!(r#"{{"scan":"{scan}"}}"#)).unwrap();
            request.digest(Digest::of("x"), |_| [7; 32]).0.finalize().into()
        };
        assert_eq!(scan("012345678901"), scan("https://gift.example/v/token"));
    }

    #[test]
    fn what_stands_in_one_field_cannot_be_taken_for_two() {
        let pair = |first: &str, second: &str| -> [u8; 32] {
            Digest::of("x").text(first).text(second).0.finalize().into()
        };
        assert_ne!(pair("ab", "c"), pair("a", "bc"));
        assert_ne!(pair("", "a"), pair("a", ""));
    }
}
