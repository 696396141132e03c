//! The counter page and the manager page: files that a browser reads, kept inside the program, and how they are handed out.
//!
//! `/` is the counter page, `/manager` the manager's, and `/pages/…` whatever they consist of. What stands below `files/` is
//! written by hand and served as it stands: no build step, no framework, nothing from elsewhere. A page asks the local API as
//! any till does ([`tilld_api`]), and can do nothing that a till cannot.
//!
//! | module | holds |
//! |---|---|
//! | [`shelf`] | every file with its media type and its tag, the one place where a file is added |
//! | here | the routes, and what every answer carries |
//!
//! Invariants:
//! - A browser asks each time ([`NO_CACHE`]) and is told `304` if it has the same bytes: after an update no page runs on the
//!   files of two versions. The tag is the hash of the bytes.
//! - Who takes gzip gets it: a tablet beside the till loads a page over the shop's radio. A file is packed when it is first asked
//!   for, once, so that a start does not wait for it; its tag then is another one, because the bytes are.
//! - A page runs nothing and reaches nothing but this door, whatever stands in a product's name or a guest's message
//!   ([`CONTENT_SECURITY_POLICY`]).
//! - Files are open to whoever reaches the door: there is no secret in them.
//!
//! Deliberately absent: rules, wording, a path to the disk. The catalogue's pictures come from this door like everything else
//! (`tilld_api`'s products): the hosts on which they lie no page here may reach.

mod shelf;

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY as CSP, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use flate2::Compression;
use flate2::write::GzEncoder;
use tilld_api::ApiState;

use crate::shelf::{FILES, File};

/// Nothing but this door: no script, style, picture or connection from elsewhere, none within a page's text, no frame
/// around it, no form sent by the browser itself, and no text that becomes markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; \
    require-trusted-types-for 'script'";
/// A page needs none of what a browser can do with the machine. (Not named: what the browser of the tests does not know, such as
/// Bluetooth, for it complains on its console at each opening; a page could at most ask the user for it.)
const PERMISSIONS_POLICY: &str = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), \
    display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()";
/// How files are packed for who takes it.
const GZIP: &str = "gzip";
/// Kept, but asked for each time.
const NO_CACHE: &str = "no-cache";

/// What every answer with a file, or about one, carries.
const ALWAYS: [(HeaderName, &str); 6] = [
    (CSP, CONTENT_SECURITY_POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// The pages with the API behind them, as one service. The guard of the API stands before both.
pub fn app(state: ApiState) -> Router {
    tilld_api::app_with(state, routes())
}

/// A route for each file, so that what is no file is answered as what is no route.
fn routes() -> Router {
    FILES.iter().fold(Router::new(), |router, file| {
        let router = router.route(&format!("/pages/{}", file.path), served(file));
        match file.path {
            "counter.html" => router.route("/", served(file)),
            "manager.html" => router.route("/manager", served(file)),
            _ => router,
        }
    })
}

fn served(file: &'static File) -> MethodRouter {
    let served = Arc::new(Served { file, tag: file.tag(), packed: OnceLock::new() });
    get(move |headers: HeaderMap| async move { served.answer(&headers) })
}

/// A file, and what is made of it once.
struct Served {
    file: &'static File,
    tag: String,
    /// The same bytes packed, since somebody took them so; none where packing failed.
    packed: OnceLock<Option<Bytes>>,
}

impl Served {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let packed = if takes_gzip(headers) { self.packed() } else { None };
        let tag = match packed {
            Some(_) => format!("{}-gzip\"", self.tag.trim_end_matches('"')),
            None => self.tag.clone(),
        };
        let mut response = match packed {
            _ if has(headers, &tag) => StatusCode::NOT_MODIFIED.into_response(),
            Some(bytes) => {
                let kind = [(CONTENT_TYPE, self.file.media_type()), (CONTENT_ENCODING, GZIP)];
                (kind, bytes.clone()).into_response()
            }
            None => ([(CONTENT_TYPE, self.file.media_type())], self.file.bytes).into_response(),
        };
        carry(&mut response, &tag);
        response
    }

    fn packed(&self) -> Option<&Bytes> {
        let pack = || {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(self.file.bytes).ok()?;
            packer.finish().ok().map(Bytes::from)
        };
        self.packed.get_or_init(pack).as_ref()
    }
}

/// Whether a browser takes gzip (RFC 9110, 12.5.3), and has not said that it does not.
fn takes_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| part.split_once(';').unwrap_or((part, "")))
        .any(|(name, weight)| name.trim().eq_ignore_ascii_case(GZIP) && !refused(weight))
}

/// Whether a weight is nought: `q=0`, `q=0.0` and so on.
fn refused(weight: &str) -> bool {
    let value = weight.trim().strip_prefix("q=").unwrap_or("1");
    value.starts_with('0') && value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// Puts on what every answer carries.
fn carry(response: &mut Response, tag: &str) {
    let carried = response.headers_mut();
    for (name, value) in ALWAYS {
        carried.insert(name, HeaderValue::from_static(value));
    }
    carried.insert(CACHE_CONTROL, HeaderValue::from_static(NO_CACHE));
    carried.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        carried.insert(ETAG, tag);
    }
}

/// Whether a browser says that it has what a tag names (RFC 9110, 13.1.2: compared weakly).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

#[cfg(test)]
mod tests;
