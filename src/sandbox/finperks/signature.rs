//! Who is asking: the `Authorization` and `Date` headers, checked to the letter.
//!
//! The recipe is that of fact sheet 2.2: seven fields joined by line feeds, HMAC-SHA256 under the secret's text, hex.
//! It is the best candidate and not a published fact (U1), so the one uncertain field, the host with or without its
//! port, is a [`SigningProfile`]. The date is an IMF-fixdate (RFC 7231 7.1.1.1) and nothing else: no other zone, no
//! missing weekday, no wrong weekday.
//!
//! Deliberately absent: any word about *why* a signature is wrong. Key id, mismatch and wrong key are one code.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::rate::date_text;

/// The scheme's name in `Authorization` and `WWW-Authenticate`.
pub const SCHEME: &str = "FP1-HMAC-SHA256";

/// The length of a key id that is still looked at, in bytes.
const LONGEST_KEY_ID: usize = 128;

/// IMF-fixdate.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// Which host form the string to sign holds (U1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SigningProfile {
    /// `host:port`, the port also when it is the scheme's own.
    #[default]
    WithPort,
    /// The bare host.
    Bare,
    /// One of the two.
    Either,
}

/// What a signature covers, each as it stands on the wire.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The host, in the profile's form.
    pub host: &'a str,
    /// Upper case.
    pub method: &'a str,
    /// With its prefix, without the query.
    pub path: &'a str,
    /// Without the question mark; empty if there is none.
    pub query: &'a str,
    /// The header's text.
    pub date: &'a str,
    /// The header's text; empty if it was not sent.
    pub idempotency_key: &'a str,
    /// The exact bytes.
    pub body: &'a [u8],
}

/// The text under the signature: seven fields, no line feed at the end.
pub fn string_to_sign(signed: &Signed<'_>) -> String {
    let body = hex::encode(Sha256::digest(signed.body));
    [signed.host, signed.method, signed.path, signed.query, signed.date, signed.idempotency_key, &body]
        .join("\n")
}

fn mac(secret: &str, signed: &Signed<'_>) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(string_to_sign(signed).as_bytes());
    Some(mac)
}

/// The signature as lower-case hex; for integrators' own tests and for this room's.
pub fn sign(secret: &str, signed: &Signed<'_>) -> String {
    mac(secret, signed).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// Whether `signature` is the one of `signed`, in constant time.
pub(crate) fn holds(secret: &str, signed: &Signed<'_>, signature: &[u8]) -> bool {
    mac(secret, signed).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

/// Whether two key ids are the same, in constant time for equal lengths.
pub(crate) fn same_key_id(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// What an `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub key_id: String,
    pub signature: Vec<u8>,
}

/// Why an `Authorization` header says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationError {
    /// Not this scheme, or not in its form.
    Form,
    /// The signature is not 32 bytes of hex.
    NotHex,
}

/// Reads `FP1-HMAC-SHA256 KeyId=…, Signature=…`: one blank after the scheme, comma and blank between the parts.
pub(crate) fn parse_authorization(header: &str) -> Result<Authorization, AuthorizationError> {
    let form = || AuthorizationError::Form;
    let rest = header.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(" KeyId=")).ok_or_else(form)?;
    let (key_id, signature) = rest.split_once(", Signature=").ok_or_else(form)?;
    let key_id_fits = (1..=LONGEST_KEY_ID).contains(&key_id.len())
        && key_id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if !key_id_fits {
        return Err(form());
    }
    let signature = hex::decode(signature).map_err(|_| AuthorizationError::NotHex)?;
    if signature.len() != 32 {
        return Err(AuthorizationError::NotHex);
    }
    Ok(Authorization { key_id: key_id.to_owned(), signature })
}

/// The moment of an IMF-fixdate.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let moment =
        strtime::parse(HTTP_DATE, text).ok()?.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    // The parser forgives missing zeros and blanks; a signed header must be in the one form.
    (date_text(moment) == text).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIBLING: &str = "6b3fb3abef828c7d10b5a905a49c988105621395";
    const OWN: &str = "test-secret-0123456789abcdef";
    const OWN_DATE: &str = "Wed, 09 Jul 2025 16:17:31 GMT";
    const OWN_BODY: &str = concat!(
        r#"{"product_code":"4001232232332","store_id":"A1234","terminal_id":"T01","#,
        r#""receipt_id":"R1234567890","country":"DE","face_value":{"currency":"EUR","#,
        r#""amount":"100.0"},"receipt_printing":{"characters_per_line":40,"locale":"de-DE"}}"#
    );

    /// Secret, host, method, path, query, date, key, body, signature.
    type Vector<'a> = (&'a str, [&'a str; 7], &'a str);

    /// Fact sheet 2.3 (the sibling's published vectors) and 2.4 (worked examples of the recipe).
    const VECTORS: &[Vector<'_>] = &[
        (
            SIBLING,
            [
                "api.barzahlen.de",
                "GET",
                "/v2/slips/slp-d90ab05c-69f2-4e87-9972-97b3275a0ccd",
                "",
                "Thu, 31 Mar 2016 10:50:31 GMT",
                "",
                "",
            ],
            "3b1a28fffd1cd2bbc1ec24cfbca1e85d802159e78c08328d92d4337a4a33b61d",
        ),
        (
            SIBLING,
            [
                "api.barzahlen.de:443",
                "POST",
                "/v2",
                "",
                "13 Apr 2016 15:00:00 GMT",
                "6729eb3c-e4b7-49ef-adb6-cbbfdb327774",
                "",
            ],
            "0b3b29ee6f126ffc01f6ab279e8d92119ce4ca758125db86777d20683bdec63e",
        ),
        (
            "123456",
            [
                "api.barzahlen.de",
                "GET",
                "/v2",
                "count=2",
                "13 Apr 2016 15:00:00 GMT",
                "61d2ee3d-bef3-4ab0-b81f-caf6e007f833",
                r#"{"foo": "bar"}"#,
            ],
            "35235b5aa4a7a0e30aa6ca9fe115cfff2f8b100ddca0eaf8370f2c557305a1f8",
        ),
        (
            OWN,
            ["api.example.test:443", "POST", "/v1/retail_orders", "", OWN_DATE, "unique-key-789", OWN_BODY],
            "621e2914979573ddc6f52dab0787cbf44051a0c171bbdf78eaf5bececcae76c8",
        ),
        (
            OWN,
            ["api.example.test", "POST", "/v1/retail_orders", "", OWN_DATE, "unique-key-789", OWN_BODY],
            "a89cbf12ebd07957b28f53d0b54cb4b3134564537d08cbf2e5b36a37eb296e86",
        ),
        (
            OWN,
            ["127.0.0.1:8099", "POST", "/v1/retail_orders", "", OWN_DATE, "unique-key-789", OWN_BODY],
            "662ca471315a3a3bfcc44c9ead646a63a96128690cf138884a2d9ae960177746",
        ),
        (
            OWN,
            ["api.example.test:443", "GET", "/v1/balances", "", OWN_DATE, "", ""],
            "f9b49b50d6f3bc01e83d36c4b48360929bebc42f83ed2db8d94b86537ac3e99b",
        ),
    ];

    #[test]
    fn the_recipe_gives_the_published_and_the_worked_signatures() {
        for (secret, [host, method, path, query, date, idempotency_key, body], expected) in VECTORS {
            let signed = Signed { host, method, path, query, date, idempotency_key, body: body.as_bytes() };
            assert_eq!(&sign(secret, &signed), expected, "{host} {method} {path}");
            let bytes = hex::decode(expected).unwrap();
            assert!(holds(secret, &signed, &bytes));
            assert!(!holds("another secret", &signed, &bytes));
            assert!(!holds(secret, &Signed { query: "x=1", ..signed }, &bytes));
            assert!(!holds(secret, &signed, &bytes[..31]));
        }
        assert_eq!(OWN_BODY.len(), 225);
    }

    #[test]
    fn an_authorization_header_has_one_form() {
        let hex = "ab".repeat(32);
        for (header, expected) in [
            (format!("FP1-HMAC-SHA256 KeyId=me, Signature={hex}"), Ok("me")),
            (format!("FP1-HMAC-SHA256  KeyId=me, Signature={hex}"), Err(AuthorizationError::Form)),
            (format!("FP1-HMAC-SHA256 KeyId=me,Signature={hex}"), Err(AuthorizationError::Form)),
            (format!("FP1-HMAC-SHA256 KeyId=, Signature={hex}"), Err(AuthorizationError::Form)),
            (
                format!("FP1-HMAC-SHA256 KeyId={}, Signature={hex}", "k".repeat(129)),
                Err(AuthorizationError::Form),
            ),
            (format!("FP1-HMAC-SHA256 KeyId=a b, Signature={hex}"), Err(AuthorizationError::Form)),
            (format!("Bearer {hex}"), Err(AuthorizationError::Form)),
            (String::new(), Err(AuthorizationError::Form)),
            ("FP1-HMAC-SHA256 KeyId=me, Signature=xyz".to_owned(), Err(AuthorizationError::NotHex)),
            ("FP1-HMAC-SHA256 KeyId=me, Signature=abcd".to_owned(), Err(AuthorizationError::NotHex)),
        ] {
            let read = parse_authorization(&header);
            assert_eq!(
                read.as_ref().map(|read| read.key_id.as_str()),
                expected.as_ref().copied(),
                "{header}"
            );
        }
    }

    #[test]
    fn a_date_is_an_imf_fixdate_in_gmt_and_nothing_else() {
        for (text, expected) in [
            ("Wed, 09 Jul 2025 16:17:31 GMT", Some(1_752_077_851)),
            ("Thu, 09 Jul 2025 16:17:31 GMT", None),
            ("Wed, 9 Jul 2025 16:17:31 GMT", None),
            ("09 Jul 2025 16:17:31 GMT", None),
            ("Wed, 09 Jul 2025 16:17:31 +0000", None),
            ("Wed, 09 Jul 2025 16:17:31 UTC", None),
            ("wed, 09 jul 2025 16:17:31 GMT", None),
            ("Wednesday, 09-Jul-25 16:17:31 GMT", None),
            ("2025-07-09T16:17:31Z", None),
            ("Wed, 31 Jun 2025 16:17:31 GMT", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text).map(Timestamp::as_second), expected, "{text}");
        }
    }
}
