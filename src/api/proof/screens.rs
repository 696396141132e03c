//! Screens: how one is paired, what it may do, and that nothing but its own page can use its cookie.

use tilld_counter::Subject;

use super::*;

/// How a page of this door asks.
pub(super) const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:7400");
pub(super) const HOST: (&str, &str) = ("host", "127.0.0.1:7400");

/// A request as a browser sends it: without the token.
pub(super) fn browsed(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(body.to_owned().into()).unwrap()
}

/// The code of a new offer.
async fn offered(house: &House) -> String {
    let offered = house.send(let_in("POST", "/v1/pairing").body(Body::empty()).unwrap()).await;
    assert_eq!(offered.status, StatusCode::OK, "{}", offered.text());
    assert_eq!(offered.json()["expires_in_s"], 300);
    let code = offered.json()["code"].as_str().unwrap().to_owned();
    let is_code = code.len() == 9
        && code.chars().enumerate().all(|(at, c)| if at == 4 { c == '-' } else { c.is_ascii_digit() });
    assert!(is_code, "{code}");
    code
}

async fn try_code(house: &House, code: &str) -> Answered {
    let body = format!(r#"{{"code":"{code}","name":"Till 1 screen"}}"#);
    house.send(browsed("POST", "/v1/pair", &[HOST, ORIGIN], &body)).await
}

/// What a browser keeps of an answer: `name=value`.
pub(super) fn kept(answer: &Answered) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// The cookie of a screen that has just been paired.
pub(super) async fn paired(house: &House) -> String {
    let answer = try_code(house, &offered(house).await).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    kept(&answer)
}

/// A code that is not this one.
fn another(code: &str) -> String {
    code.chars()
        .map(|c| {
            if c == '9' {
                '0'
            } else if c == '-' {
                c
            } else {
                '9'
            }
        })
        .collect()
}

async fn session(house: &House, cookie: &str) -> Answered {
    house.send(browsed("GET", "/v1/session", &[HOST, ("cookie", cookie)], "")).await
}

#[tokio::test]
async fn a_screen_is_paired_with_a_code_and_known_from_then_on() {
    let house = House::new().await;
    let code = offered(&house).await;
    let answer = try_code(&house, &code).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=7776000"), "{set}");
    let cookie = kept(&answer);
    let now = session(&house, &cookie).await.json();
    assert_eq!(now["role"], "cashier");
    assert_eq!(now["name"], "Till 1 screen");
    assert_eq!(now["manager"], Value::Null);
    for (field, value) in [
        ("store", "DE-0815"),
        ("terminal", "till-3"),
        ("country", "DE"),
        ("locale", "de-DE"),
        ("zone", "Europe/Berlin"),
        ("currency", "EUR"),
    ] {
        assert_eq!(now[field], value, "{field}");
    }
    assert_eq!((&now["sandbox"], &now["vouchers"]), (&Value::Bool(true), &Value::Bool(true)));
    let providers = [("finperks", false), ("giftlocal", true)];
    let providers =
        providers.map(|(provider, sandbox)| serde_json::json!({"provider": provider, "sandbox": sandbox}));
    assert_eq!(now["providers"], serde_json::json!(providers));
    assert_eq!(now["tenders"], serde_json::json!(["cash", "card", "mixed"]));

    // It does what a cashier does.
    let acting = [HOST, ORIGIN, ("cookie", cookie.as_str()), ("idempotency-key", "k1")];
    let opened = house.send(browsed("POST", "/v1/sales", &acting, &one_card("R1", POR))).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text());
    // And the code has done its work.
    assert_eq!(try_code(&house, &code).await.problem(), (403, "pairing_over".to_owned()));
    // Till software is told who it is, too.
    assert_eq!(house.get("/v1/session").await.json()["role"], "till");
}

#[tokio::test]
async fn blanks_and_strokes_in_a_code_do_not_matter_and_what_is_no_code_is_no_try() {
    let house = House::bare().await;
    let code = offered(&house).await;
    for no_code in
        ["", "1234", "1234-56789", "1234-567x", "١٢٣٤٥٦٧٨", "12345678-----------------------------"]
    {
        assert_eq!(try_code(&house, no_code).await.problem(), (422, "field_wrong".to_owned()), "{no_code}");
    }
    let typed = code.replace('-', " ");
    assert_eq!(try_code(&house, &format!(" {typed} ")).await.status, StatusCode::NO_CONTENT);
    for name in ["", "Till\\u0007", "4111111111111111"] {
        let body = format!(r#"{{"code":"12345678","name":"{name}"}}"#);
        let answer = house.send(browsed("POST", "/v1/pair", &[HOST, ORIGIN], &body)).await;
        assert_eq!(answer.problem(), (422, "field_wrong".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn five_wrong_codes_end_the_pairing_until_another_code_is_asked_for() {
    let house = House::bare().await;
    assert_eq!(
        try_code(&house, "12345678").await.problem(),
        (403, "pairing_over".to_owned()),
        "none is offered"
    );
    let code = offered(&house).await;
    for _ in 0..4 {
        assert_eq!(try_code(&house, &another(&code)).await.problem(), (403, "pairing_wrong".to_owned()));
    }
    for given in [another(&code), code.clone(), code] {
        let refused = try_code(&house, &given).await;
        assert_eq!(refused.problem(), (403, "pairing_spoiled".to_owned()));
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    paired(&house).await;
}

#[tokio::test]
async fn no_page_but_the_doors_own_can_use_a_cookie() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let cookie = ("cookie", cookie.as_str());
    let (foreign, missing) = ((403, "origin_foreign"), (403, "origin_missing"));
    for (method, path, headers, expected) in [
        ("POST", "/v1/sales", vec![HOST], missing),
        ("DELETE", "/v1/session/manager", vec![HOST], missing),
        ("POST", "/v1/sales", vec![HOST, ("origin", "http://evil.example")], foreign),
        ("POST", "/v1/sales", vec![HOST, ("origin", "http://127.0.0.1:9999")], foreign),
        ("POST", "/v1/sales", vec![HOST, ("origin", "http://localhost:7400")], foreign),
        ("POST", "/v1/sales", vec![HOST, ("origin", "null")], foreign),
        ("POST", "/v1/sales", vec![HOST, ORIGIN, ("sec-fetch-site", "cross-site")], foreign),
        ("GET", "/v1/products", vec![HOST, ("sec-fetch-site", "same-site")], foreign),
        ("GET", "/v1/events", vec![HOST, ("sec-fetch-site", "cross-site")], foreign),
        ("GET", "/v1/products", vec![HOST, ("origin", "http://evil.example")], foreign),
        ("GET", "/v1/products", vec![("host", "evil.example:7400")], (421, "host_wrong")),
        (
            "POST",
            "/v1/sales",
            vec![("host", "evil.example:7400"), ("origin", "http://evil.example:7400")],
            (421, "host_wrong"),
        ),
    ] {
        let mut all = vec![cookie, ("idempotency-key", "k1")];
        all.extend(&headers);
        let answer = house.send(browsed(method, path, &all, &one_card("R1", POR))).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{method} {path} {headers:?}");
    }
    assert_eq!(house.counter.health().await.open_sales, 0);
    // Nor can it be paired by one.
    let code = offered(&house).await;
    let body = format!(r#"{{"code":"{code}","name":"x"}}"#);
    let evil = browsed("POST", "/v1/pair", &[HOST, ("origin", "http://evil.example")], &body);
    assert_eq!(house.send(evil).await.problem(), (403, "origin_foreign".to_owned()));
    let rebound = browsed("POST", "/v1/pair", &[("host", "evil.example:7400")], &body);
    assert_eq!(house.send(rebound).await.problem(), (421, "host_wrong".to_owned()));
}

#[tokio::test]
async fn without_a_pairing_a_screen_is_told_to_pair() {
    let house = House::bare().await;
    let without = house.send(browsed("GET", "/v1/session", &[HOST], "")).await;
    assert_eq!(without.problem(), (401, "unauthorised".to_owned()));
    let cookie = paired(&house).await;
    let (name, value) = cookie.split_once('=').unwrap();
    for forged in [String::new(), "x.y".to_owned(), value.replace('.', "A."), value.to_uppercase()] {
        let answer = session(&house, &format!("{name}={forged}")).await;
        assert_eq!(answer.problem(), (401, "pairing_ended".to_owned()), "{forged}");
    }
    let wanted = let_in("POST", "/v1/pairing");
    assert_eq!(house.send(wanted.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    let unasked = house.send(browsed("POST", "/v1/pairing", &[HOST, ORIGIN], "")).await;
    assert_eq!(unasked.problem(), (401, "unauthorised".to_owned()), "a code is for who has the token");
}

#[tokio::test]
async fn a_screen_stays_paired_through_a_restart_and_no_longer_than_the_token_and_ninety_days() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let house = house.started_again().await;
    let again = session(&house, &cookie).await;
    assert_eq!((again.status, &again.json()["name"]), (StatusCode::OK, &Value::from("Till 1 screen")));
    assert!(!again.headers.contains_key("set-cookie"), "it is new");

    let day = Duration::from_hours(24);
    let at = |later: Duration, token: &str| house.door(later, token);
    let asked = async |door: &Router| {
        let request = browsed("GET", "/v1/session", &[HOST, ("cookie", cookie.as_str())], "");
        house.send_to(door, request).await
    };
    let changed = at(Duration::ZERO, "fedcba9876543210fedcba9876543210");
    assert_eq!(asked(&changed).await.problem(), (401, "pairing_ended".to_owned()));
    assert_eq!(asked(&at(day * 91, TOKEN)).await.problem(), (401, "pairing_ended".to_owned()));
    let half = asked(&at(day * 46, TOKEN)).await;
    assert_eq!(half.status, StatusCode::OK);
    let renewed = kept(&half);
    let request = browsed("GET", "/v1/session", &[HOST, ("cookie", renewed.as_str())], "");
    let later = house.send_to(&at(day * 91, TOKEN), request).await;
    assert_eq!((later.status, &later.json()["name"]), (StatusCode::OK, &Value::from("Till 1 screen")));
}

#[tokio::test]
async fn what_is_a_managers_is_not_a_screens() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let id = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e";
    let settled = r#"{"by":"Ada Berg","reason":"credited"}"#;
    for (method, path, body) in [
        ("GET", "/v1/journal".to_owned(), ""),
        ("GET", "/v1/journal/export?format=csv".to_owned(), ""),
        ("GET", format!("/v1/journal/sales/{id}"), ""),
        ("GET", format!("/v1/journal/redemptions/{id}"), ""),
        ("GET", "/v1/journal/verification".to_owned(), ""),
        ("POST", "/v1/journal/verification".to_owned(), ""),
        ("POST", "/v1/pairing".to_owned(), ""),
        ("POST", "/v1/vouchers/unlock".to_owned(), r#"{"by":"Ada Berg"}"#),
        ("POST", format!("/v1/sales/{id}/cards/1/settle"), settled),
        (
            "POST",
            format!("/v1/redemptions/{id}/settle"),
            r#"{"verdict":"used","by":"Ada Berg","reason":"seen"}"#,
        ),
    ] {
        let headers = [HOST, ORIGIN, ("cookie", cookie.as_str()), ("idempotency-key", "k1")];
        let answer = house.send(browsed(method, &path, &headers, body)).await;
        assert_eq!(answer.problem(), (403, "manager_needed".to_owned()), "{path}");
        assert!(!answer.headers.contains_key("connection"), "the screen keeps its seat");
    }
    let nothing = house.send(browsed("GET", "/v1/nothing", &[HOST, ("cookie", cookie.as_str())], "")).await;
    assert_eq!(nothing.problem(), (404, "route_unknown".to_owned()));
}

/// Signs a manager in on a screen; the cookie that it has then, if that went well.
async fn signed_in(house: &House, cookie: &str, name: &str, pin: &str) -> Result<String, Answered> {
    let body = format!(r#"{{"name":"{name}","pin":"{pin}"}}"#);
    let request = browsed("POST", "/v1/session/manager", &[HOST, ORIGIN, ("cookie", cookie)], &body);
    let answer = house.send(request).await;
    if answer.status == StatusCode::NO_CONTENT { Ok(kept(&answer)) } else { Err(answer) }
}

/// An acting request of a screen.
async fn acts(house: &House, cookie: &str, path: &str, key: &str, body: &str) -> Answered {
    let headers = [HOST, ORIGIN, ("cookie", cookie), ("idempotency-key", key)];
    house.send(browsed("POST", path, &headers, body)).await
}

#[tokio::test]
async fn what_a_cashier_or_a_page_by_itself_does_keeps_no_manager_signed_in() {
    let house = House::new().await;
    let raised = signed_in(&house, &paired(&house).await, MANAGER, PIN).await.unwrap();
    let left = async || session(&house, &raised).await.json()["manager"]["ends_in_s"].as_u64().unwrap();
    while left().await > 598 {}
    for path in ["/v1/products/refresh", "/v1/sales", "/v1/vouchers/check"] {
        acts(&house, &raised, path, "k", &one_card("R1", POR)).await;
        assert!(left().await <= 598, "{path}");
    }
    let looks = async |path| house.send(browsed("GET", path, &[HOST, ("cookie", raised.as_str())], "")).await;
    // A page watches by itself how a verification goes on.
    assert_eq!(looks("/v1/journal/verification").await.status, StatusCode::OK);
    assert!(left().await <= 598, "to watch a verification is no act");
    assert_eq!(looks("/v1/journal").await.status, StatusCode::OK);
    assert!(left().await > 598, "what is a manager's does");
    while left().await > 598 {}
    let begun = acts(&house, &raised, "/v1/journal/verification", "k", "").await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    assert!(left().await > 598, "to begin one is an act");
}

#[tokio::test]
async fn a_manager_signs_in_on_one_screen_and_out_again() {
    let house = House::new().await;
    let (cookie, other) = (paired(&house).await, paired(&house).await);
    let raised = signed_in(&house, &cookie, MANAGER, PIN).await.unwrap();
    assert_ne!(raised, cookie, "another id: whoever knew the one before is not raised with it");
    let now = session(&house, &raised).await.json();
    assert_eq!((&now["role"], &now["name"]), (&Value::from("manager"), &Value::from("Till 1 screen")));
    assert_eq!(now["manager"]["name"], MANAGER);
    assert!((1..=600).contains(&now["manager"]["ends_in_s"].as_u64().unwrap()), "{now}");
    assert_eq!(now["managers"], serde_json::json!([MANAGER]));
    for not in [&cookie, &other] {
        assert_eq!(session(&house, not).await.json()["role"], "cashier");
        assert_eq!(acts(&house, not, "/v1/pairing", "k", "").await.problem().1, "manager_needed");
    }
    assert_eq!(acts(&house, &raised, "/v1/pairing", "k", "").await.status, StatusCode::OK);
    let journal = house.send(browsed("GET", "/v1/journal", &[HOST, ("cookie", raised.as_str())], "")).await;
    assert_eq!(journal.status, StatusCode::OK, "{}", journal.text());

    let out = || browsed("DELETE", "/v1/session/manager", &[HOST, ORIGIN, ("cookie", raised.as_str())], "");
    for _ in 0..2 {
        assert_eq!(house.send(out()).await.status, StatusCode::NO_CONTENT);
        assert_eq!(session(&house, &raised).await.json()["role"], "cashier");
        assert_eq!(acts(&house, &raised, "/v1/pairing", "k", "").await.problem().1, "manager_needed");
    }
}

#[tokio::test]
async fn a_managers_session_ends_with_the_daemon_and_is_none_for_till_software() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let raised = signed_in(&house, &cookie, MANAGER, PIN).await.unwrap();
    let house = house.started_again().await;
    assert_eq!(session(&house, &raised).await.json()["role"], "cashier");
    let body = format!(r#"{{"name":"{MANAGER}","pin":"{PIN}"}}"#);
    let till = let_in("POST", "/v1/session/manager").header("content-type", "application/json");
    assert_eq!(house.send(till.body(body.into()).unwrap()).await.problem(), (403, "no_screen".to_owned()));
    let till = let_in("DELETE", "/v1/session/manager").body(Body::empty()).unwrap();
    assert_eq!(house.send(till).await.problem(), (403, "no_screen".to_owned()));
}

#[tokio::test]
async fn wrong_pins_of_all_screens_together_shut_the_door_to_the_right_one_too() {
    let house = House::new().await;
    let screens = [paired(&house).await, paired(&house).await, paired(&house).await];
    for (screen, (name, pin)) in screens.iter().cycle().zip([
        (MANAGER, "000000"),
        (MANAGER, ""),
        ("Nobody", PIN),
        (MANAGER, "1357901"),
        (MANAGER, "０００"),
    ]) {
        let refused = signed_in(&house, screen, name, pin).await.unwrap_err();
        assert_eq!(refused.problem(), (403, "pin_wrong".to_owned()), "{name} {pin}");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    for screen in &screens {
        let refused = signed_in(&house, screen, MANAGER, PIN).await.unwrap_err();
        assert_eq!(refused.problem(), (429, "pin_paused".to_owned()));
        let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(!refused.text().contains(PIN));
    }
    // What a cashier does goes on.
    let opened = acts(&house, &screens[0], "/v1/sales", "k1", &one_card("R1", POR)).await;
    assert_eq!(opened.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_redemption_of_a_completed_basket_is_reversed_by_who_is_signed_in_and_by_no_claim() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let euros = r#"{"amount":"12.50","currency":"EUR"}"#;
    let path = house.redeemed("k1", voucher::MONEY, "B1", euros).await;
    assert_eq!(acts(&house, &cookie, &format!("{path}/complete"), "k2", "").await.status, StatusCode::OK);

    let reverse = format!("{path}/reverse");
    let claim = r#"{"by":"Ada Berg","manager":true}"#;
    let refused = acts(&house, &cookie, &reverse, "k3", claim).await;
    assert_eq!(refused.problem(), (403, "manager_needed".to_owned()));
    let raised = signed_in(&house, &cookie, MANAGER, PIN).await.unwrap();
    let reversed = acts(&house, &raised, &reverse, "k4", r#"{"by":"Kim"}"#).await;
    assert_eq!(reversed.status, StatusCode::OK, "{}", reversed.text());
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let written = format!("{:?}", house.journal().shown(Subject::Redemption(id)).unwrap());
    assert!(written.contains(MANAGER) && !written.contains("Kim"), "{written}");
}

#[tokio::test]
async fn a_managers_question_is_answered_by_who_is_signed_in_and_by_no_claim() {
    let house = House::new().await;
    let cookie = paired(&house).await;
    let path = house.redeemed("k1", voucher::MONEY, "B1", r#"{"amount":"12.50","currency":"EUR"}"#).await;
    *house.vouchers.refuses_reversals.lock().unwrap() = true;
    // In the open basket a cashier takes it back.
    let reversed = acts(&house, &cookie, &format!("{path}/reverse"), "k2", r#"{"by":"Kim"}"#).await;
    assert_eq!(reversed.status, StatusCode::OK, "{}", reversed.text());
    let stuck = house.until(&path, "stuck").await;
    assert_eq!(stuck["question"]["who"], "manager");
    *house.vouchers.refuses_reversals.lock().unwrap() = false;

    let (answer, claim) = (format!("{path}/answer"), r#"{"answer":"try_again","by":"Ada Berg"}"#);
    let refused = acts(&house, &cookie, &answer, "k3", claim).await;
    assert_eq!(refused.problem(), (403, "manager_needed".to_owned()));
    let raised = signed_in(&house, &cookie, MANAGER, PIN).await.unwrap();
    let again = acts(&house, &raised, &answer, "k4", r#"{"answer":"try_again"}"#).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    house.until(&path, "cleared").await;
}
