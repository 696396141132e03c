//! The signature of a finperks request: `FP1-HMAC-SHA256` (fact sheet 2.2, U1).
//!
//! Which parts are signed is a strong inference from a sibling of the vendor's, not the vendor's word; the one point on
//! which even the sibling's own clients and vectors differ, whether the port belongs to the host, is a
//! [`SigProfile`]. A wrong recipe fails safe: every call is refused with 401 before it is looked at. The profile is
//! configuration and is never changed by the program itself.
//!
//! Everything here is pure; the caller stores what it signs and sends exactly that.
//!
//! Absent: any other hash, any clock, and the verification of webhooks (fact sheet U23: nothing depends on them).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tilld_domain::secret::Secret;

/// The scheme of the `Authorization` header.
pub const SCHEME: &str = "FP1-HMAC-SHA256";

/// In which form the host is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigProfile {
    /// `api.example.test:443`: always with the port, also the usual one.
    #[default]
    WithPort,
    /// `api.example.test`: never with the port.
    Bare,
}

impl SigProfile {
    /// The profile's name in configuration and alarms.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithPort => "with_port",
            Self::Bare => "bare",
        }
    }
}

/// What is signed, each exactly as it is sent.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The host's name, without port.
    pub host: &'a str,
    /// The port, also where the URL leaves it out.
    pub port: u16,
    /// Upper case.
    pub method: &'a str,
    /// With its `/v1`, without query.
    pub path: &'a str,
    /// Without `?`; empty if there is none.
    pub query: &'a str,
    /// The text of the `Date` header.
    pub date: &'a str,
    /// The text of the `Idempotency-Key` header; empty if it is not sent.
    pub idempotency_key: &'a str,
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

/// Seven fields, joined by line feeds, none at the end.
pub fn string_to_sign(parts: &Parts<'_>, profile: SigProfile) -> String {
    let host = match profile {
        SigProfile::WithPort => format!("{}:{}", parts.host, parts.port),
        SigProfile::Bare => parts.host.to_owned(),
    };
    let body = hex::encode(Sha256::digest(parts.body));
    [&host, parts.method, parts.path, parts.query, parts.date, parts.idempotency_key, &body].join("\n")
}

/// The signature: 64 lower-case hexadecimal digits. The secret's text is the key as it stands, not decoded.
pub fn sign(secret: &Secret, parts: &Parts<'_>, profile: SigProfile) -> String {
    // HMAC takes keys of any length. Were it otherwise, an empty signature would be refused like any wrong one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return String::new();
    };
    mac.update(string_to_sign(parts, profile).as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The value of the `Authorization` header.
pub fn authorization(key_id: &str, signature: &str) -> String {
    format!("{SCHEME} KeyId={key_id}, Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Wed, 09 Jul 2025 16:17:31 GMT";
    const BODY: &str = r#"{"product_code":"4001232232332","store_id":"A1234","terminal_id":"T01","receipt_id":"R1234567890","country":"DE","face_value":{"currency":"EUR","amount":"100.0"},"receipt_printing":{"characters_per_line":40,"locale":"de-DE"}}"#;

    fn signed(secret: &str, profile: SigProfile, parts: &Parts<'_>) -> String {
        sign(&Secret::new(secret.to_owned()), parts, profile)
    }

    #[test]
    fn the_siblings_published_vectors_are_met() {
        use SigProfile::{Bare, WithPort};
        let long = "6b3fb3abef828c7d10b5a905a49c988105621395";
        let slip = Parts {
            host: "api.barzahlen.de",
            port: 443,
            method: "GET",
            path: "/v2/slips/slp-d90ab05c-69f2-4e87-9972-97b3275a0ccd",
            query: "",
            date: "Thu, 31 Mar 2016 10:50:31 GMT",
            idempotency_key: "",
            body: b"",
        };
        let post = Parts {
            method: "POST",
            path: "/v2",
            date: "13 Apr 2016 15:00:00 GMT",
            idempotency_key: "6729eb3c-e4b7-49ef-adb6-cbbfdb327774",
            ..slip
        };
        let count = Parts {
            method: "GET",
            query: "count=2",
            idempotency_key: "61d2ee3d-bef3-4ab0-b81f-caf6e007f833",
            body: br#"{"foo": "bar"}"#,
            ..post
        };
        for (secret, profile, parts, expected) in [
            (long, Bare, slip, "3b1a28fffd1cd2bbc1ec24cfbca1e85d802159e78c08328d92d4337a4a33b61d"),
            (long, WithPort, post, "0b3b29ee6f126ffc01f6ab279e8d92119ce4ca758125db86777d20683bdec63e"),
            ("123456", Bare, count, "35235b5aa4a7a0e30aa6ca9fe115cfff2f8b100ddca0eaf8370f2c557305a1f8"),
        ] {
            assert_eq!(signed(secret, profile, &parts), expected, "{} {}", parts.method, parts.path);
        }
    }

    #[test]
    fn the_fact_sheets_worked_example_is_met() {
        use SigProfile::{Bare, WithPort};
        assert_eq!(
            hex::encode(Sha256::digest(BODY)),
            "d3ac720428416b5f97435c5da9325feee113e1ab4ffbf92a587ab5e306522648"
        );
        let post = Parts {
            host: "api.example.test",
            port: 443,
            method: "POST",
            path: "/v1/retail_orders",
            query: "",
            date: DATE,
            idempotency_key: "unique-key-789",
            body: BODY.as_bytes(),
        };
        let loopback = Parts { host: "127.0.0.1", port: 8099, ..post };
        let get = Parts { method: "GET", path: "/v1/balances", idempotency_key: "", body: b"", ..post };
        for (profile, parts, expected) in [
            (WithPort, post, "621e2914979573ddc6f52dab0787cbf44051a0c171bbdf78eaf5bececcae76c8"),
            (Bare, post, "a89cbf12ebd07957b28f53d0b54cb4b3134564537d08cbf2e5b36a37eb296e86"),
            (WithPort, loopback, "662ca471315a3a3bfcc44c9ead646a63a96128690cf138884a2d9ae960177746"),
            (WithPort, get, "f9b49b50d6f3bc01e83d36c4b48360929bebc42f83ed2db8d94b86537ac3e99b"),
        ] {
            assert_eq!(signed("test-secret-0123456789abcdef", profile, &parts), expected);
        }
    }

    #[test]
    fn seven_fields_stand_on_seven_lines_and_none_follows() {
        let parts = Parts {
            host: "h",
            port: 1,
            method: "GET",
            path: "/p",
            query: "",
            date: "d",
            idempotency_key: "",
            body: b"",
        };
        assert_eq!(
            string_to_sign(&parts, SigProfile::WithPort),
            "h:1\nGET\n/p\n\nd\n\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn every_part_changes_the_signature() {
        let parts = Parts {
            host: "h",
            port: 1,
            method: "GET",
            path: "/p",
            query: "q",
            date: "d",
            idempotency_key: "k",
            body: b"b",
        };
        let whole = signed("s", SigProfile::WithPort, &parts);
        for (what, changed) in [
            ("host", Parts { host: "x", ..parts }),
            ("port", Parts { port: 2, ..parts }),
            ("method", Parts { method: "POST", ..parts }),
            ("path", Parts { path: "/x", ..parts }),
            ("query", Parts { query: "x", ..parts }),
            ("date", Parts { date: "x", ..parts }),
            ("key", Parts { idempotency_key: "x", ..parts }),
            ("body", Parts { body: b"x", ..parts }),
        ] {
            assert_ne!(signed("s", SigProfile::WithPort, &changed), whole, "{what}");
        }
        assert_ne!(signed("t", SigProfile::WithPort, &parts), whole, "secret");
    }
}
