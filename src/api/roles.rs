//! Who may do what: one row for each route.
//!
//! | who | shows | may |
//! |---|---|---|
//! | till software | the token | everything; it answers for its own people |
//! | a screen | the cookie of its pairing | what a cashier does |
//! | a screen on which a manager has signed in | the same cookie | that, and what the rows below keep for a manager |
//!
//! What only a manager may ask for keeps him signed in, but for what a page looks at by itself ([`WATCHED`]): who has gone does not
//! look.
//!
//! A route that no row names is a manager's: what is new stays shut until somebody has thought about it. What is no route at
//! all is answered as such to whoever may come in.
//!
//! Deliberately absent: roles of single people. A screen is a cashier's; who stands before it the till's shop knows.

use axum::http::Method;

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Whoever reaches the door: what holds no secret, and the way to get in.
    Anyone,
    /// Whoever was let in.
    Cashier,
    /// A manager, or till software.
    Manager,
}

/// The table, by the templates of the routes.
const TABLE: &[(&str, For)] = &[
    ("/", For::Anyone),
    ("/manager", For::Anyone),
    ("/openapi.json", For::Anyone),
    ("/v1/pair", For::Anyone),
    ("/v1/session", For::Cashier),
    ("/v1/session/manager", For::Cashier),
    ("/v1/health", For::Cashier),
    ("/v1/devices", For::Cashier),
    ("/v1/balances", For::Cashier),
    ("/v1/events", For::Cashier),
    ("/v1/attention", For::Cashier),
    ("/v1/products", For::Cashier),
    ("/v1/products/refresh", For::Cashier),
    (PICTURE, For::Cashier),
    ("/v1/sales", For::Cashier),
    ("/v1/sales/scanned", For::Cashier),
    ("/v1/sales/{sale}", For::Cashier),
    ("/v1/sales/{sale}/payment", For::Cashier),
    ("/v1/sales/{sale}/cancel", For::Cashier),
    ("/v1/sales/{sale}/cards/{card}/answer", For::Cashier),
    ("/v1/sales/{sale}/cards/{card}/slip", For::Cashier),
    ("/v1/vouchers/check", For::Cashier),
    ("/v1/vouchers/{check}/print", For::Cashier),
    ("/v1/redemptions", For::Cashier),
    ("/v1/redemptions/{redemption}", For::Cashier),
    ("/v1/redemptions/{redemption}/complete", For::Cashier),
    ("/v1/redemptions/{redemption}/reverse", For::Cashier),
    ("/v1/redemptions/{redemption}/answer", For::Cashier),
    ("/v1/redemptions/{redemption}/scan", For::Cashier),
    ("/v1/redemptions/{redemption}/print", For::Cashier),
    ("/v1/redemptions/{redemption}/slip", For::Cashier),
    ("/v1/baskets/{basket}", For::Cashier),
];
/// What is a manager's to see and runs on for a while, so that a page looks again and again how it stands.
const WATCHED: &[&str] = &["/v1/journal/verification"];
/// A product's picture: the one route for people who were let in whose answer may be kept, because it is the same for ever.
pub(crate) const PICTURE: &str = "/v1/products/pictures/{picture}";
/// What the pages consist of.
const FILES: &str = "/pages/";

/// Whom a route is for, by its template; none if there is no such route.
pub(crate) fn wanted(route: Option<&str>) -> For {
    let Some(route) = route else { return For::Cashier };
    if route.starts_with(FILES) {
        return For::Anyone;
    }
    TABLE.iter().find(|(template, _)| *template == route).map_or(For::Manager, |(_, whom)| *whom)
}

/// Whether to ask for this keeps a manager signed in.
pub(crate) fn is_managers_act(route: Option<&str>, method: &Method) -> bool {
    let looks = matches!(*method, Method::GET | Method::HEAD);
    wanted(route) == For::Manager && !(looks && route.is_some_and(|route| WATCHED.contains(&route)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_of_a_route_that_there_is() {
        // What comes with the pages.
        let elsewhere = ["/", "/manager"];
        let document = crate::every_route().document();
        for (template, _) in TABLE {
            let known = document.paths.paths.contains_key(*template);
            assert!(known || elsewhere.contains(template), "{template}");
        }
    }

    #[test]
    fn a_route_is_a_managers_until_a_row_says_otherwise() {
        for (route, whom) in [
            (Some("/"), For::Anyone),
            (Some("/pages/app/api.js"), For::Anyone),
            (Some("/v1/pair"), For::Anyone),
            (Some("/v1/sales/{sale}"), For::Cashier),
            (Some("/v1/sales/{sale}/cards/{card}/settle"), For::Manager),
            (Some("/v1/sales/{sale}/cards/{card}/copy"), For::Manager),
            (Some("/v1/sales/{sale}/cards/{card}/send"), For::Manager),
            (Some("/v1/redemptions/{redemption}/send"), For::Manager),
            (Some("/v1/redemptions/{redemption}/settle"), For::Manager),
            (Some("/v1/vouchers/unlock"), For::Manager),
            (Some("/v1/pairing"), For::Manager),
            (Some("/v1/journal"), For::Manager),
            (Some("/v1/journal/export"), For::Manager),
            (Some("/v1/days/{day}/report"), For::Manager),
            (Some("/v1/devices/{name}/test"), For::Manager),
            (Some("/v1/anything"), For::Manager),
            (None, For::Cashier),
        ] {
            assert_eq!(wanted(route), whom, "{route:?}");
        }
    }

    #[test]
    fn what_is_watched_is_a_managers_and_its_beginning_his_act() {
        let document = crate::every_route().document();
        for route in WATCHED {
            assert!(document.paths.paths.contains_key(*route), "{route}");
            assert_eq!(wanted(Some(route)), For::Manager, "{route}");
        }
        for (method, route, acts) in [
            (Method::GET, Some("/v1/journal/verification"), false),
            (Method::HEAD, Some("/v1/journal/verification"), false),
            (Method::POST, Some("/v1/journal/verification"), true),
            (Method::GET, Some("/v1/journal"), true),
            (Method::GET, Some("/v1/anything"), true),
            (Method::GET, Some("/v1/events"), false),
            (Method::POST, Some("/v1/sales"), false),
            (Method::GET, None, false),
        ] {
            assert_eq!(is_managers_act(route, &method), acts, "{method} {route:?}");
        }
    }
}
