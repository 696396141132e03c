//! Who may come in: the `Host` must be this door's own address, a page of another origin may not ask, and everything that is
//! not open to anyone ([`crate::roles`]) wants the terminal's token or the cookie of a paired screen.
//!
//! `Host` is checked because a web page can make a name of its own point at 127.0.0.1 (DNS rebinding); `Origin` because a
//! page can send a request anywhere without reading the answer. Both are looked at before the body is read. Whoever is
//! not let in loses the connection: seats are for tills.
//!
//! A browser sends a cookie by itself, whoever made it ask; so more is wanted of a cookie than of a token. `SameSite=Strict`
//! is not enough: to a browser every port of this machine is the same site. A request with a cookie that acts must say that
//! a page of the very address asked which it is sent to, by `Origin` or by `Sec-Fetch-Site`; one that reads must not say
//! that another did.

use std::fmt;
use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use subtle::ConstantTimeEq;
use tilld_domain::ids::PersonName;
use tilld_domain::secret::Secret;

use crate::cookie::{Cookies, Found, Screen};
use crate::managers::SignedIn;
use crate::problem::{Objection, Problem};
use crate::roles::For;

/// Where a browser says from where a page asks (Fetch Metadata, W3C).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

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

    /// What keys are derived from.
    pub(crate) fn reveal(&self) -> &[u8] {
        self.0.reveal().as_bytes()
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

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Till software: it showed the token.
    Till,
    /// A paired screen, and which manager is signed in on it.
    Screen(Screen, Option<SignedIn>),
}

impl Caller {
    /// Who is named as the one who acts: a manager who is signed in, whatever the request says; else whom it names.
    pub(crate) fn acting(&self, said: Option<PersonName>) -> Option<PersonName> {
        self.manager().or(said)
    }

    /// Who is named as the manager who acts.
    pub(crate) fn deciding(&self, said: PersonName) -> PersonName {
        self.manager().unwrap_or(said)
    }

    /// Whether somebody acts as a manager: till software answers for that itself (`said`), a screen knows it.
    pub(crate) fn as_manager(&self, said: bool) -> bool {
        match self {
            Self::Till => said,
            Self::Screen(_, manager) => manager.is_some(),
        }
    }

    fn manager(&self) -> Option<PersonName> {
        match self {
            Self::Till => None,
            Self::Screen(_, manager) => manager.as_ref().map(|who| who.name.clone()),
        }
    }
}

impl<State: Send + Sync> FromRequestParts<State> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        // The guard leaves one for every route that is not open to anyone.
        parts.extensions.get().cloned().ok_or_else(|| Objection::Internal.into())
    }
}

/// What the guard says of a request that it lets in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Who asks; none where anyone may.
    pub(crate) caller: Option<Caller>,
    /// Whether the caller's cookie is to be renewed.
    pub(crate) renew: bool,
}

impl Admitted {
    const ANYONE: Self = Self { caller: None, renew: false };
    const TILL: Self = Self { caller: Some(Caller::Till), renew: false };
}

/// The head of a request, as far as the guard looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// The guard of a door.
#[derive(Debug)]
pub(crate) struct Guard {
    token: Token,
    cookies: Option<Cookies>,
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
        Self { cookies: Cookies::new(&token, port), token, authorities, origins }
    }

    /// What makes the cookies of screens.
    pub(crate) fn cookies(&self) -> Option<&Cookies> {
        self.cookies.as_ref()
    }

    /// Lets a request in at `now` (Unix seconds), or says why not.
    pub(crate) fn admit(&self, whom: For, head: Head<'_>, now: i64) -> Result<Admitted, Objection> {
        let host = only(head.headers, HOST.as_str()).ok_or(Objection::HostMissing)?;
        // A request line may name an authority too; by RFC 9112 it is the one that counts.
        let named = head.uri.authority().map(axum::http::uri::Authority::as_str);
        if !self.is_own(host) || named.is_some_and(|authority| !self.is_own(authority)) {
            return Err(Objection::HostWrong);
        }
        if head.headers.contains_key(ORIGIN) {
            let origin = only(head.headers, ORIGIN.as_str()).unwrap_or_default();
            if !self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin)) {
                return Err(Objection::OriginForeign);
            }
        }
        if whom == For::Anyone {
            return Ok(Admitted::ANYONE);
        }
        if head.headers.contains_key(AUTHORIZATION) {
            return if self.has_token(head.headers) {
                Ok(Admitted::TILL)
            } else {
                Err(Objection::Unauthorised)
            };
        }
        let found = self.cookies.as_ref().map(|cookies| cookies.read(head.headers, now));
        match found.unwrap_or(Found::Nothing) {
            Found::Nothing => Err(Objection::Unauthorised),
            Found::Stale => Err(Objection::PairingEnded),
            Found::Screen(screen, renew) => {
                asked_by_own_page(head, host)?;
                Ok(Admitted { caller: Some(Caller::Screen(screen, None)), renew })
            }
        }
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

/// Whether a page of the very address `host` made the browser ask.
fn asked_by_own_page(head: Head<'_>, host: &str) -> Result<(), Objection> {
    let origin = only(head.headers, ORIGIN.as_str());
    let of_host = |origin: &str| {
        let authority = origin.strip_prefix("http://");
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    if origin.is_some_and(|origin| !of_host(origin)) {
        return Err(Objection::OriginForeign);
    }
    let reads = matches!(*head.method, Method::GET | Method::HEAD);
    let said = head.headers.contains_key(SEC_FETCH_SITE);
    match (said, only(head.headers, SEC_FETCH_SITE)) {
        (true, Some("same-origin")) => Ok(()),
        // Typed by a person.
        (true, Some("none")) if reads => Ok(()),
        (true, _) => Err(Objection::OriginForeign),
        (false, _) if reads || origin.is_some() => Ok(()),
        (false, _) => Err(Objection::OriginMissing),
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
    use crate::cookie::ScreenId;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    const NOW: i64 = 1_800_000_000;

    fn guard() -> Guard {
        let token = Token::new(Secret::new(TOKEN.to_owned())).unwrap();
        Guard::new(token, SocketAddr::from(([127, 0, 0, 1], 7400)))
    }

    fn asked(method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Admitted, Objection> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let whom = if path == "/openapi.json" { For::Anyone } else { For::Cashier };
        guard().admit(whom, Head { method: &method, uri: &path.parse().unwrap(), headers: &map }, NOW)
    }

    fn admit(path: &str, headers: &[(&str, &str)]) -> Result<(), Objection> {
        asked(Method::GET, path, headers).map(|_| ())
    }

    fn paired() -> (Screen, String) {
        let screen = Screen { id: ScreenId::new().unwrap(), name: "Till 1 screen".parse().unwrap() };
        let cookie = guard().cookies().unwrap().write(&screen, NOW).unwrap();
        (screen, cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_counts_only_where_a_page_of_the_same_address_asked() {
        let (screen, cookie) = paired();
        let (own, foreign, missing) = (Ok(()), Err(Objection::OriginForeign), Err(Objection::OriginMissing));
        for (method, headers, expected) in [
            (Method::POST, vec![("origin", "http://127.0.0.1:7400")], own),
            (Method::POST, vec![("sec-fetch-site", "same-origin")], own),
            (Method::POST, vec![("origin", "http://127.0.0.1:7400"), ("sec-fetch-site", "same-origin")], own),
            (Method::POST, vec![], missing),
            (Method::DELETE, vec![], missing),
            (Method::PUT, vec![], missing),
            (Method::OPTIONS, vec![], missing),
            (Method::POST, vec![("sec-fetch-site", "none")], foreign),
            (Method::POST, vec![("sec-fetch-site", "same-site")], foreign),
            (Method::POST, vec![("sec-fetch-site", "cross-site")], foreign),
            (Method::POST, vec![("sec-fetch-site", "")], foreign),
            (
                Method::POST,
                vec![("origin", "http://127.0.0.1:7400"), ("sec-fetch-site", "same-site")],
                foreign,
            ),
            // One of the door's addresses, but another than the page's.
            (Method::POST, vec![("origin", "http://localhost:7400")], foreign),
            (Method::POST, vec![("origin", "http://127.0.0.1:9999")], foreign),
            (Method::POST, vec![("origin", "null")], foreign),
            (Method::GET, vec![], own),
            (Method::HEAD, vec![], own),
            (Method::GET, vec![("sec-fetch-site", "same-origin")], own),
            (Method::GET, vec![("sec-fetch-site", "none")], own),
            (Method::GET, vec![("sec-fetch-site", "same-site")], foreign),
            (Method::GET, vec![("sec-fetch-site", "cross-site")], foreign),
            (Method::GET, vec![("sec-fetch-site", "none"), ("sec-fetch-site", "none")], foreign),
            (Method::GET, vec![("origin", "http://localhost:7400")], foreign),
        ] {
            let mut all = vec![("host", "127.0.0.1:7400"), ("cookie", cookie.as_str())];
            all.extend(&headers);
            let admitted = asked(method.clone(), "/v1/sales", &all);
            let let_in = Admitted { caller: Some(Caller::Screen(screen.clone(), None)), renew: false };
            assert_eq!(admitted, expected.map(|()| let_in), "{method} {headers:?}");
        }
    }

    #[test]
    fn a_token_that_is_shown_decides_whatever_the_cookie() {
        let (_, cookie) = paired();
        let right = format!("Bearer {TOKEN}");
        let both = |token: &str| {
            let headers = [("host", "127.0.0.1:7400"), ("cookie", cookie.as_str()), ("authorization", token)];
            asked(Method::POST, "/v1/sales", &headers)
        };
        assert_eq!(both(&right), Ok(Admitted::TILL));
        assert_eq!(both("Bearer x"), Err(Objection::Unauthorised));
        assert_eq!(both(""), Err(Objection::Unauthorised));
        let stale = [("host", "127.0.0.1:7400"), ("cookie", "tilld_7400=x")];
        assert_eq!(asked(Method::GET, "/v1/sales", &stale), Err(Objection::PairingEnded));
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
