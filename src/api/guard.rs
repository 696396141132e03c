//! Who may come in: the `Host` must be this door's own address, a page of another origin may not ask, and everything but
//! the description of the door wants the terminal's token.
//!
//! `Host` is checked because a web page can make a name of its own point at 127.0.0.1 (DNS rebinding); `Origin` because a
//! page can send a request anywhere without reading the answer. Both are looked at before the body is read. Whoever is
//! not let in loses the connection: seats are for tills.

use std::fmt;
use std::net::SocketAddr;

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use subtle::ConstantTimeEq;
use tilld_domain::secret::Secret;

use crate::problem::Objection;

/// The one path that wants no token: it describes the door, and holds no secret.
const OPEN_PATH: &str = "/openapi.json";

/// The bearer token of this terminal. Wiped from memory when it goes.
#[derive(Clone)]
pub struct Token(Secret);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too easy to guess, or longer than a header should be.
    #[error("a token has {} to {} characters", Token::LEAST, Token::MOST)]
    Length,
    /// A character that a bearer token cannot have.
    #[error("a token is made of letters, digits and -._~+/= (RFC 6750)")]
    Character,
}

impl Token {
    /// The least length: 32 hexadecimal digits are 128 bits.
    pub const LEAST: usize = 32;
    /// The greatest length.
    pub const MOST: usize = 512;

    /// Takes a token over. Line ends around it are the caller's to remove.
    pub fn new(token: Secret) -> Result<Self, TokenError> {
        let text = token.reveal();
        if !(Self::LEAST..=Self::MOST).contains(&text.len()) {
            return Err(TokenError::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)) {
            return Err(TokenError::Character);
        }
        Ok(Self(token))
    }

    /// Compares in a time that does not depend on where the texts differ.
    fn is(&self, given: &str) -> bool {
        self.0.reveal().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

/// The guard of a door.
#[derive(Debug)]
pub(crate) struct Guard {
    token: Token,
    authorities: Vec<String>,
    origins: Vec<String>,
}

impl Guard {
    /// Of the door at `local`.
    pub(crate) fn new(token: Token, local: SocketAddr) -> Self {
        let port = local.port();
        let mut authorities: Vec<String> =
            ["127.0.0.1", "localhost", "[::1]"].iter().map(|host| format!("{host}:{port}")).collect();
        if port == 80 {
            authorities.extend(["127.0.0.1", "localhost", "[::1]"].map(str::to_owned));
        }
        let origins = authorities.iter().map(|authority| format!("http://{authority}")).collect();
        Self { token, authorities, origins }
    }

    /// Lets a request in, or says why not.
    pub(crate) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Objection> {
        let host = only(headers, HOST.as_str()).ok_or(Objection::HostMissing)?;
        // A request line may name an authority too; by RFC 9112 it is the one that counts.
        let named = uri.authority().map(axum::http::uri::Authority::as_str);
        if !self.is_own(host) || named.is_some_and(|authority| !self.is_own(authority)) {
            return Err(Objection::HostWrong);
        }
        if headers.contains_key(ORIGIN) {
            let origin = only(headers, ORIGIN.as_str()).unwrap_or_default();
            if !self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin)) {
                return Err(Objection::OriginForeign);
            }
        }
        if uri.path() == OPEN_PATH || self.has_token(headers) { Ok(()) } else { Err(Objection::Unauthorised) }
    }

    fn is_own(&self, authority: &str) -> bool {
        self.authorities.iter().any(|own| own.eq_ignore_ascii_case(authority))
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some((scheme, token)) =
            only(headers, AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '))
        else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer") && self.token.is(token.trim_start_matches(' '))
    }
}

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn admit(path: &str, headers: &[(&str, &str)]) -> Result<(), Objection> {
        let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        let guard = Guard::new(token, SocketAddr::from(([127, 0, 0, 1], 7400)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        guard.admit(&path.parse().unwrap(), &map)
    }

    #[test]
    fn only_the_doors_own_address_is_a_host() {
        let bearer = format!("Bearer {TOKEN}");
        for (host, expected) in [
            ("127.0.0.1:7400", Ok(())),
            ("localhost:7400", Ok(())),
            ("LOCALHOST:7400", Ok(())),
            ("[::1]:7400", Ok(())),
            ("127.0.0.1", Err(Objection::HostWrong)),
            ("127.0.0.1:7401", Err(Objection::HostWrong)),
            ("127.0.0.2:7400", Err(Objection::HostWrong)),
            ("evil.example:7400", Err(Objection::HostWrong)),
            ("localhost.evil.example:7400", Err(Objection::HostWrong)),
            ("localhost:7400@evil.example", Err(Objection::HostWrong)),
            ("", Err(Objection::HostWrong)),
        ] {
            assert_eq!(
                admit("/v1/health", &[("host", host), ("authorization", &bearer)]),
                expected,
                "{host}"
            );
        }
        assert_eq!(admit("/v1/health", &[("authorization", &bearer)]), Err(Objection::HostMissing));
        let twice = [("host", "localhost:7400"), ("host", "localhost:7400"), ("authorization", &bearer)];
        assert_eq!(admit("/v1/health", &twice), Err(Objection::HostMissing));
        let own = [("host", "localhost:7400"), ("authorization", bearer.as_str())];
        assert_eq!(admit("http://evil.example/v1/health", &own), Err(Objection::HostWrong));
    }

    #[test]
    fn a_page_of_another_origin_may_not_ask() {
        let bearer = format!("Bearer {TOKEN}");
        for (origin, expected) in [
            ("http://127.0.0.1:7400", Ok(())),
            ("http://localhost:7400", Ok(())),
            ("http://[::1]:7400", Ok(())),
            ("https://localhost:7400", Err(Objection::OriginForeign)),
            ("http://localhost:7401", Err(Objection::OriginForeign)),
            ("http://localhost", Err(Objection::OriginForeign)),
            ("http://evil.example", Err(Objection::OriginForeign)),
            ("http://localhost:7400.evil.example", Err(Objection::OriginForeign)),
            ("null", Err(Objection::OriginForeign)),
            ("", Err(Objection::OriginForeign)),
        ] {
            let headers =
                [("host", "localhost:7400"), ("origin", origin), ("authorization", bearer.as_str())];
            assert_eq!(admit("/v1/health", &headers), expected, "{origin}");
        }
    }

    #[test]
    fn everything_but_the_description_wants_the_token() {
        let wrong = "Bearer 0123456789abcdef0123456789abcdeF";
        let right = format!("Bearer {TOKEN}");
        let lower = format!("bearer  {TOKEN}");
        let longer = format!("Bearer {TOKEN}0");
        let basic = format!("Basic {TOKEN}");
        for (value, expected) in [
            (Some(right.as_str()), Ok(())),
            (Some(lower.as_str()), Ok(())),
            (None, Err(Objection::Unauthorised)),
            (Some(""), Err(Objection::Unauthorised)),
            (Some("Bearer"), Err(Objection::Unauthorised)),
            (Some("Bearer "), Err(Objection::Unauthorised)),
            (Some(TOKEN), Err(Objection::Unauthorised)),
            (Some(wrong), Err(Objection::Unauthorised)),
            (Some(longer.as_str()), Err(Objection::Unauthorised)),
            (Some(basic.as_str()), Err(Objection::Unauthorised)),
        ] {
            let mut headers = vec![("host", "localhost:7400")];
            headers.extend(value.map(|value| ("authorization", value)));
            for path in ["/v1/health", "/v1/sales", "/", "/openapi.json/", "/nothing"] {
                assert_eq!(admit(path, &headers), expected, "{path} {value:?}");
            }
            assert_eq!(admit("/openapi.json", &headers), Ok(()));
        }
        let twice = [
            ("host", "localhost:7400"),
            ("authorization", right.as_str()),
            ("authorization", right.as_str()),
        ];
        assert_eq!(admit("/v1/health", &twice), Err(Objection::Unauthorised));
    }

    #[test]
    fn a_token_is_long_enough_and_never_shown() {
        for (text, expected) in [
            (TOKEN.to_owned(), Ok(())),
            ("a".repeat(31), Err(TokenError::Length)),
            ("a".repeat(513), Err(TokenError::Length)),
            (format!("{TOKEN}\n"), Err(TokenError::Character)),
            (format!("{TOKEN} x"), Err(TokenError::Character)),
        ] {
            assert_eq!(Token::new(Secret::new(text)).map(|_| ()), expected);
        }
        assert_eq!(format!("{:?}", Token::new(Secret::new(TOKEN.to_owned())).unwrap()), "Token(…)");
    }
}
