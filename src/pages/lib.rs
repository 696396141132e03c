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
//! - A page runs nothing and reaches nothing but this door, whatever stands in a product's name or a guest's message
//!   ([`CONTENT_SECURITY_POLICY`]).
//! - Files are open to whoever reaches the door: there is no secret in them.
//!
//! Deliberately absent: rules, wording, a path to the disk, compression (the line is inside this machine), pictures of the
//! catalogue (the provider's are on hosts that no page here may reach).

mod shelf;

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tilld_api::ApiState;

use crate::shelf::{FILES, File};

/// Nothing but this door: no script, style, picture or connection from elsewhere, none within a page's text, no frame
/// around it, no form sent by the browser itself, and no text that becomes markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; \
    require-trusted-types-for 'script'";
/// A page needs none of what a browser can do with the machine.
const PERMISSIONS_POLICY: &str = "accelerometer=(), autoplay=(), bluetooth=(), camera=(), clipboard-read=(), \
    display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()";
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
    let tag = file.tag();
    get(move |headers: HeaderMap| async move { answer(file, &tag, &headers) })
}

fn answer(file: &File, tag: &str, headers: &HeaderMap) -> Response {
    let mut response = if has(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, file.media_type())], file.bytes).into_response()
    };
    let carried = response.headers_mut();
    for (name, value) in ALWAYS {
        carried.insert(name, HeaderValue::from_static(value));
    }
    carried.insert(CACHE_CONTROL, HeaderValue::from_static(NO_CACHE));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        carried.insert(ETAG, tag);
    }
    response
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
