//! The description as a whole, gathered to hold the checked-in text against it.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::ApiState;
use crate::problem::ProblemBody;

/// What is said of the door as a whole; the paths come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tilld",
        description = "The gift-card counter of a shop till. Loopback only. Every acting request carries an Idempotency-Key: the same key and \
                       body get the same answer, and nothing is done twice; so whoever has no answer asks again. Errors are application/problem+json \
                       with a stable `code`. Clients should tolerate fields and codes that they do not know."
    ),
    components(schemas(ProblemBody, crate::wire::ScanRead)),
    modifiers(&Keys),
    security(("token" = []), ("screen" = [])),
    tags(
        (name = "session", description = "Pair a screen, and say who stands before it"),
        (name = "sales", description = "Begin, pay, cancel, answer, read"),
        (name = "vouchers", description = "What is on a voucher"),
        (name = "redemptions", description = "Redeem, complete, reverse, answer, read"),
        (name = "attention", description = "What waits for a person"),
        (name = "journal", description = "What happened, and whether it is whole"),
        (name = "days", description = "What a day adds up to, and its reports"),
        (name = "balances", description = "What may be spent at the provider"),
        (name = "products", description = "What can be sold"),
        (name = "health", description = "Whether it can be sold"),
        (name = "devices", description = "What stands beside the till, and what is wrong with it"),
        (name = "events", description = "What changes"),
        (name = "description", description = "This document")
    )
)]
struct Description;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The terminal's token, from the file that the daemon made at its first start (mode 0600).",
            ))
            .build();
        let cookie = ApiKeyValue::with_description(
            "tilld_8480",
            "The cookie of a paired screen (POST /v1/pair); the door's own port is in its name. A request that acts by it also carries \
             Origin, or Sec-Fetch-Site: same-origin. What is a manager's wants one who has signed in: POST /v1/session/manager.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        components.add_security_scheme("screen", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document of routes that are described so.
pub(crate) fn document(routes: OpenApiRouter<ApiState>) -> Document {
    let mut about = Description::openapi();
    // Taken from the package's own, of which there is none.
    about.info.license = None;
    OpenApiRouter::<ApiState>::with_openapi(about).merge(routes).into_openapi()
}
