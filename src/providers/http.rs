//! One line to a provider over HTTP, and what may be concluded from how a request on it ended (law L2).
//!
//! | what happened | what it means |
//! |---|---|
//! | no connection: refused, no route, no such name, TLS not agreed | [`Reply::NotSent`] |
//! | any other failure before a whole answer | [`Reply::Unknown`]: bytes may have left |
//! | 5xx | [`Reply::Unknown`] |
//! | a whole 2xx | [`Reply::Accepted`]; unknown after all if the provider's decoder cannot read it |
//! | 408, 425, 429 | [`Reply::Later`], with the pause named by `Retry-After` |
//! | any other whole 4xx | [`Reply::Rejected`]; unknown after all if it is not the provider's own shape of an error |
//! | 1xx, 3xx, anything else | [`Reply::Unknown`]: nobody sends these to us, so somebody stands in between |
//!
//! Only a failure to connect counts as not sent. A kept-alive connection that the other side has closed may fail before or
//! after the request went out; that is unknown, too. (The HTTP library itself moves a request to a new connection only
//! when it was never taken up by the old one.)
//!
//! Nothing is retried, redirected, or sent through a proxy from the environment. TLS is required except to this very
//! machine, and a URL cannot name a host by address, because providers check the `Host` header. How long a call may take is
//! its caller's to decide, by dropping the future; [`BACK_STOP`] only keeps a forgotten call from living for ever.
//!
//! Beside the provider's calls a line fetches pictures ([`crate::picture`]), by the same client with the same bounds, with none of
//! the provider's headers, and from other hosts too.
//!
//! What is logged (at debug) is the method, the path, the status, the time and the byte counts: never a header, a query or
//! a body. Bodies are bounded while they are read, and wiped.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use reqwest::header::{ACCEPT, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Response, Url, redirect, retry};
use tilld_domain::outcome::{Outcome, Trouble};
use zeroize::Zeroizing;

use crate::json::Node;
use crate::pace::LONGEST_PAUSE;

/// After this even a call that nobody has dropped ends. Longer than any deadline of a caller.
pub const BACK_STOP: Duration = Duration::from_mins(1);

/// How long making a connection may take. A shop's line that needs more is as good as down, and saying so while nothing
/// has been sent is the best of all bad answers; it must stay below every deadline for that.
const CONNECT: Duration = Duration::from_millis(2500);

/// How long an idle connection is kept: less than the usual 60 s of load balancers, so that theirs rarely ends first.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// How many idle connections are kept: a sale of several cards confirms them side by side.
const IDLE_CONNECTIONS: usize = 8;

/// The largest answer to a call about one order, in bytes. The longest lawful one (256 lines of 1,024 bytes) would need
/// more, but a slip of 40 lines needs 4 KiB.
pub const LARGEST_ANSWER: usize = 256 * 1024;

/// The largest file of additional root certificates, in bytes.
const LARGEST_ROOTS: u64 = 1024 * 1024;

/// Why a provider cannot be set up as configured. No variant holds a value, because a value may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// Not an absolute `http` or `https` URL with a host.
    #[error("the base URL is not a URL such as https://api.example.test")]
    BadUrl,
    /// Plain HTTP to another machine.
    #[error(
        "the base URL must begin with https:// unless its host is this machine (127.0.0.1, [::1], localhost)"
    )]
    NotHttps,
    /// The provider checks the `Host` header, so the host must be its name.
    #[error("the base URL must name the provider's host, not an IP address")]
    IpAddress,
    /// A user name or a password.
    #[error("the base URL must not hold a user name or a password")]
    CredentialsInUrl,
    /// A path, a query or a fragment; the paths are the program's own.
    #[error("the base URL must end after the host and port: the path (/v1 …) is added by the program")]
    PathInUrl,
    /// The file of additional root certificates.
    #[error(
        "the file of root certificates cannot be read, is larger than 1 MiB, or holds no certificate in PEM form"
    )]
    Roots,
    /// The TLS library did not start.
    #[error(
        "TLS cannot be set up; are the root certificates of the system (package ca-certificates) installed?"
    )]
    Tls,
    /// The key id.
    #[error("the key id must be 1 to 128 visible ASCII characters without comma or quotation mark")]
    KeyId,
    /// The secret.
    #[error(
        "the secret must be 8 to 512 characters without blanks, line ends or control characters around or in it"
    )]
    Secret,
    /// A rate of nothing.
    #[error("the rate and the burst must each be at least 1")]
    Rate,
    /// A deadline of practically nothing, or one that the back-stop would cut.
    #[error("every deadline must be from 0.1 to 55 seconds")]
    Deadline,
    /// A field name for the scanned code that cannot be one.
    #[error(
        "the field for a scanned code must be 1 to 64 letters, digits or underscores, and not one of the order's own fields"
    )]
    PosaField,
    /// A word for a tender that cannot be one.
    #[error("the word for a tender must be 1 to 32 letters, digits, underscores or hyphens")]
    PaymentWord,
    /// A POS system's name of a location that cannot be one.
    #[error("the location must be 1 to 64 visible characters")]
    Location,
    /// A field for the address of a picture that cannot be one.
    #[error("the field of a picture's address must be 1 to 64 letters, digits, underscores or dots")]
    PictureField,
    /// Hosts of pictures that cannot be some.
    #[error(
        "the hosts of pictures must be at most 8 names such as cdn.example.test, without https:// and without a path"
    )]
    PictureHosts,
    /// A path for the reversal that cannot be one.
    #[error("the path of the reversal must begin with / and hold letters, digits, -, ., _, ~ and / only")]
    ReversePath,
    /// A field of the reversal that cannot be one.
    #[error("the field of the reversal must be 1 to 64 letters, digits or underscores, and not a location's")]
    ReverseField,
}

/// Scheme, host and port of a provider, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    /// Reads a base URL; what is refused and why says [`SetUpError`].
    pub fn parse(text: &str) -> Result<Self, SetUpError> {
        let url = Url::parse(text).map_err(|_| SetUpError::BadUrl)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SetUpError::BadUrl)?;
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(SetUpError::NotHttps),
            _ => return Err(SetUpError::BadUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SetUpError::CredentialsInUrl);
        }
        if address.is_some() && !loopback {
            return Err(SetUpError::IpAddress);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(SetUpError::PathInUrl);
        }
        Ok(Self(url))
    }

    /// The URL of a path of this origin; the path begins with `/` and needs no escaping.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// Whether a URL leads to the same scheme, host and port.
    pub fn holds(&self, url: &Url) -> bool {
        self.0.origin() == url.origin() && url.username().is_empty() && url.password().is_none()
    }

    fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// One request.
pub struct Call {
    /// How.
    pub method: Method,
    /// Where to; of the line's own origin.
    pub url: Url,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The exact bytes of the body; none for a request without body.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// The largest answer that is read, in bytes.
    pub most: usize,
}

/// The bytes of an answer; wiped when dropped, never shown.
pub struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// The answer as JSON, if it is that.
    pub fn json(&self) -> Option<Node> {
        Node::read(&self.0)
    }

    /// The answer as JSON with every number as it was written, if it is JSON.
    pub fn exact_json(&self) -> Option<Node> {
        Node::read_exactly(&self.0)
    }

    /// The answer as text, if it is that.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing came.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Body({} bytes)", self.0.len())
    }
}

/// How a request ended, as far as HTTP can tell.
#[derive(Debug)]
pub enum Reply {
    /// A whole answer of the 2xx class.
    Accepted {
        /// Its status.
        status: u16,
        /// Its body.
        body: Body,
    },
    /// A whole answer of the 4xx class that does not ask for patience.
    Rejected {
        /// Its status.
        status: u16,
        /// Its body.
        body: Body,
    },
    /// "Not now": 408, 425 or 429, or the provider's own pace here did not let it go.
    Later {
        /// Which of the three; `None` if nothing was sent.
        status: Option<u16>,
        /// The pause that it named, at most [`LONGEST_PAUSE`].
        retry_after: Option<Duration>,
    },
    /// Surely not sent.
    NotSent(Trouble),
    /// Perhaps sent, and no readable answer.
    Unknown(Trouble),
}

impl Reply {
    /// The outcome of everything that is not accepted; `rejected` reads the provider's shape of an error. An accepted
    /// reply that comes here is one that its caller could not read.
    pub fn otherwise<T>(self, rejected: impl FnOnce(u16, &Body) -> Outcome<T>) -> Outcome<T> {
        match self {
            Self::Accepted { .. } => Outcome::Unknown(Trouble::Unreadable),
            Self::Rejected { status, body } => rejected(status, &body),
            Self::Later { retry_after, .. } => Outcome::Later { retry_after },
            Self::NotSent(trouble) => Outcome::NotSent(trouble),
            Self::Unknown(trouble) => Outcome::Unknown(trouble),
        }
    }
}

/// A line to one provider: one pool of connections.
pub struct Line {
    provider: &'static str,
    client: Client,
    origin: Origin,
    /// The provider's clock minus ours in ms; `i64::MIN` before the first answer with a date.
    clock_offset: AtomicI64,
}

impl Line {
    /// Builds the line; nothing is connected yet. `extra_roots` is a PEM file of root certificates that are trusted beside
    /// the system's.
    pub fn new(
        provider: &'static str,
        origin: Origin,
        extra_roots: Option<&Path>,
    ) -> Result<Self, SetUpError> {
        // The process has one crypto provider. Whoever came first has installed it; the type is the same in this house.
        let _first_or_already = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("tilld/", env!("CARGO_PKG_VERSION")))
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .timeout(BACK_STOP)
            .http1_only()
            .referer(false);
        if origin.is_https() {
            builder = builder.https_only(true);
            if let Some(path) = extra_roots {
                builder = builder.tls_certs_merge(read_roots(path)?);
            }
        } else {
            // Plain HTTP on this machine needs no roots, and works on a system that has none installed.
            builder = builder.tls_certs_only(Vec::<Certificate>::new());
        }
        let client = builder.build().map_err(|_| SetUpError::Tls)?;
        Ok(Self { provider, client, origin, clock_offset: AtomicI64::new(i64::MIN) })
    }

    /// Where the line leads.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The provider's clock minus this machine's in ms, as the last answer's `Date` header had it (whole seconds, and
    /// late by the answer's way); `None` before the first.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        Some(self.clock_offset.load(Ordering::Relaxed)).filter(|offset| *offset != i64::MIN)
    }

    /// Sends one request and reads the whole answer. Dropping the future ends the call; whether the provider did it is
    /// then unknown.
    pub async fn send(&self, call: Call) -> Reply {
        let started = Instant::now();
        let (method, path) = (call.method.clone(), call.url.path().to_owned());
        let sent = call.body.as_ref().map_or(0, |body| body.len());
        let (status, received, reply) = self.exchange(call).await;
        tracing::debug!(
            provider = self.provider,
            %method,
            path,
            status,
            sent,
            received,
            ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            end = reply.word(),
            "call"
        );
        reply
    }

    /// Fetches what anybody may have, perhaps from elsewhere: nothing goes along but what is wanted, and the clock there is
    /// nobody's. Where it may lead is its caller's to check; of the address only the host is logged.
    pub(crate) async fn fetch(&self, url: Url, accept: &'static str, most: usize) -> Reply {
        let host = url.host_str().unwrap_or_default().to_owned();
        let wanted = self.client.get(url).header(ACCEPT, HeaderValue::from_static(accept));
        let (status, received, reply) = match wanted.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let (received, reply) = judge(status, response, most).await;
                (Some(status), received, reply)
            }
            Err(error) => (None, 0, unanswered(&error)),
        };
        tracing::debug!(provider = self.provider, host, status, received, end = reply.word(), "fetch");
        reply
    }

    async fn exchange(&self, call: Call) -> (Option<u16>, usize, Reply) {
        if !self.origin.holds(&call.url) {
            return (None, 0, Reply::NotSent(Trouble::Connect));
        }
        let mut request = self.client.request(call.method, call.url).headers(call.headers);
        if let Some(body) = call.body {
            request = request.body(body.to_vec());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return (None, 0, unanswered(&error)),
        };
        self.note_clock(response.headers());
        let status = response.status().as_u16();
        let (received, reply) = judge(status, response, call.most).await;
        (Some(status), received, reply)
    }

    fn note_clock(&self, headers: &HeaderMap) {
        if let Some(theirs) = date_of(headers) {
            let offset = theirs.as_millisecond().saturating_sub(Timestamp::now().as_millisecond());
            self.clock_offset.store(offset, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Line({} at {:?})", self.provider, self.origin)
    }
}

impl Reply {
    fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Later { .. } => "later",
            Self::NotSent(_) => "not sent",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The present moment as the text of a `Date` header (RFC 9110, IMF-fixdate).
pub fn date_header(now: Timestamp) -> String {
    // It fails only for years beyond 9999; an empty date is refused by the provider like any wrong one.
    DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default()
}

fn unanswered(error: &reqwest::Error) -> Reply {
    if error.is_connect() {
        Reply::NotSent(Trouble::Connect)
    } else if error.is_timeout() {
        Reply::Unknown(Trouble::Silent)
    } else {
        Reply::Unknown(Trouble::Broken)
    }
}

async fn judge(status: u16, response: Response, most: usize) -> (usize, Reply) {
    match status {
        200..=299 => match read(response, most).await {
            Ok(body) => (body.0.len(), Reply::Accepted { status, body }),
            Err(trouble) => (0, Reply::Unknown(trouble)),
        },
        408 | 425 | 429 => {
            (0, Reply::Later { status: Some(status), retry_after: retry_after(response.headers()) })
        }
        400..=499 => match read(response, most).await {
            Ok(body) => (body.0.len(), Reply::Rejected { status, body }),
            Err(trouble) => (0, Reply::Unknown(trouble)),
        },
        500..=599 => (0, Reply::Unknown(Trouble::ServerError(status))),
        _ => (0, Reply::Unknown(Trouble::OddStatus(status))),
    }
}

/// The whole body, if it is whole and not larger than `most`.
async fn read(mut response: Response, most: usize) -> Result<Body, Trouble> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096.min(most)));
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(Body(bytes)),
            Ok(Some(chunk)) => {
                let needed = bytes.len().saturating_add(chunk.len());
                if needed > most {
                    return Err(Trouble::Unreadable);
                }
                if needed > bytes.capacity() {
                    // Growing in place would leave an unwiped copy behind.
                    let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
                    larger.extend_from_slice(&bytes);
                    bytes = larger;
                }
                bytes.extend_from_slice(&chunk);
            }
            Err(error) if error.is_timeout() => return Err(Trouble::Silent),
            // Cut short; whoever goes on from here knows no more than if nothing had come.
            Err(_) => return Err(Trouble::Broken),
        }
    }
}

/// The pause that an answer asks for: seconds, or a date, which counts from the answer's own date where it has one.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers.get(RETRY_AFTER)?)?;
    let pause = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than fit are a long time, too.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let from = date_of(headers).unwrap_or_else(Timestamp::now);
        let seconds = parse_date(text)?.as_second().saturating_sub(from.as_second());
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    };
    Some(pause.min(LONGEST_PAUSE))
}

fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(text(headers.get(DATE)?)?)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim).filter(|text| text.len() <= 64)
}

fn read_roots(path: &Path) -> Result<Vec<Certificate>, SetUpError> {
    let size = std::fs::metadata(path).map_err(|_| SetUpError::Roots)?.len();
    if size > LARGEST_ROOTS {
        return Err(SetUpError::Roots);
    }
    let pem = std::fs::read(PathBuf::from(path)).map_err(|_| SetUpError::Roots)?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|_| SetUpError::Roots)?;
    if roots.is_empty() { Err(SetUpError::Roots) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_a_providers_host_over_tls_or_this_very_machine() {
        use SetUpError::{BadUrl, CredentialsInUrl, IpAddress, NotHttps, PathInUrl};
        for (text, expected) in [
            ("https://api.example.test", Ok(())),
            ("https://api.example.test/", Ok(())),
            ("https://api.example.test:8443", Ok(())),
            ("http://127.0.0.1:8099", Ok(())),
            ("http://[::1]:8099", Ok(())),
            ("http://localhost:8099", Ok(())),
            ("https://127.0.0.1", Ok(())),
            ("http://api.example.test", Err(NotHttps)),
            ("http://127.0.0.1.example.test", Err(NotHttps)),
            ("http://localhost.example.test", Err(NotHttps)),
            ("http://10.0.0.1", Err(NotHttps)),
            ("https://10.0.0.1", Err(IpAddress)),
            ("https://[2001:db8::1]", Err(IpAddress)),
            ("https://3232235777", Err(IpAddress)),
            ("https://user@api.example.test", Err(CredentialsInUrl)),
            ("https://:pw@api.example.test", Err(CredentialsInUrl)),
            ("https://api.example.test/v1", Err(PathInUrl)),
            ("https://api.example.test/?x=1", Err(PathInUrl)),
            ("https://api.example.test/#x", Err(PathInUrl)),
            ("ftp://api.example.test", Err(BadUrl)),
            ("api.example.test", Err(BadUrl)),
            ("unix:/run/x", Err(BadUrl)),
            ("", Err(BadUrl)),
        ] {
            assert_eq!(Origin::parse(text).map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn another_origin_is_recognised_however_it_is_written() {
        let origin = Origin::parse("https://api.example.test").unwrap();
        let page = origin.at("/v1/products");
        for (link, same) in [
            ("/v1/products?cursor=2", true),
            ("?cursor=2", true),
            ("https://api.example.test:443/v1/products", true),
            ("https://API.example.test/v1/products", true),
            ("//evil.example/v1/products", false),
            ("\\\\evil.example/v1", false),
            ("http://api.example.test/v1/products", false),
            ("https://api.example.test:8443/v1/products", false),
            ("https://u:p@api.example.test/v1/products", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(page.join(link).is_ok_and(|url| origin.holds(&url)), same, "{link}");
        }
    }

    #[test]
    fn a_pause_is_read_as_seconds_or_date_and_never_exceeds_an_hour() {
        let seconds = |number| Some(Duration::from_secs(number));
        let (now, soon) = ("Wed, 09 Jul 2025 16:17:31 GMT", "Wed, 09 Jul 2025 16:18:01 GMT");
        for (value, expected) in [
            ("30", seconds(30)),
            ("0", seconds(0)),
            ("86400", seconds(3600)),
            ("99999999999999999999999", seconds(3600)),
            (soon, seconds(30)),
            ("Wed, 09 Jul 2025 16:00:00 GMT", seconds(0)),
            ("Thu, 10 Jul 2025 16:17:31 GMT", seconds(3600)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            headers.insert(DATE, HeaderValue::from_static(now));
            assert_eq!(retry_after(&headers), expected, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_header_is_an_imf_fixdate() {
        let moment = Timestamp::from_second(1_752_077_851).unwrap();
        assert_eq!(date_header(moment), "Wed, 09 Jul 2025 16:17:31 GMT");
        assert_eq!(parse_date("Wed, 09 Jul 2025 16:17:31 GMT"), Some(moment));
    }
}
