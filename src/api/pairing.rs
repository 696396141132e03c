//! Pairing: how a screen gets in. Somebody who has the terminal's token asks for a code, a person types it at the screen, and
//! the screen gets its cookie ([`crate::cookie`]).
//!
//! ```text
//!  none ──asked──► offered ──right code──► none
//!                     │  └──[`TRIES`] wrong codes──► spoiled ──asked──► offered
//!                     └──[`LIFE`]──► over ──asked──► offered
//! ```
//!
//! One code at a time: asking for another replaces it. It has eight digits, so that five guesses find it once in twenty
//! million codes. Time is the steady clock's: setting the clock makes no code longer good.
//!
//! Deliberately absent: codes that outlive the program, a list of screens. Whoever can reach this door may spoil a code; then
//! another is asked for.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;
use tilld_domain::secret::Secret;

use crate::ApiState;
use crate::body::Body;
use crate::cookie::{Screen, ScreenId};
use crate::openapi::{PairProblems, PairingProblems};
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::wire::{PairRequest, PairingCode};

/// How long a code is good.
const LIFE: Duration = Duration::from_mins(5);
/// How many wrong codes spoil it.
const TRIES: u8 = 5;
/// Digits of a code.
pub(crate) const DIGITS: usize = 8;

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(offer)).routes(routes!(pair))
}

/// The code that is good now, if any.
#[derive(Default)]
pub(crate) struct Pairing(Mutex<Option<Offer>>);

struct Offer {
    code: Secret,
    until: Duration,
    wrong: u8,
}

impl fmt::Debug for Pairing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pairing(…)")
    }
}

impl Pairing {
    /// Offers a new code; none on a machine that gives no random numbers.
    fn offer(&self, now: Duration) -> Option<Secret> {
        let most = 10_u64.pow(u32::try_from(DIGITS).ok()?);
        // Of 2^64 numbers a hundred million leave over next to none: no code is likelier than another.
        let code = Secret::new(format!("{:0DIGITS$}", getrandom::u64().ok()?.checked_rem(most)?));
        let offer = Offer { code: code.clone(), until: now.saturating_add(LIFE), wrong: 0 };
        *self.held() = Some(offer);
        Some(code)
    }

    /// Takes a code: the right one once.
    fn take(&self, given: &str, now: Duration) -> Result<(), Objection> {
        let mut held = self.held();
        let Some(offer) = held.as_mut() else { return Err(Objection::PairingOver) };
        if offer.wrong >= TRIES {
            return Err(Objection::PairingSpoiled);
        }
        if now >= offer.until {
            *held = None;
            return Err(Objection::PairingOver);
        }
        if offer.code.reveal().as_bytes().ct_eq(given.as_bytes()).into() {
            *held = None;
            return Ok(());
        }
        offer.wrong = offer.wrong.saturating_add(1);
        Err(if offer.wrong >= TRIES { Objection::PairingSpoiled } else { Objection::PairingWrong })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Offer>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ask for a pairing code
///
/// For a screen that is to be let in (`POST /v1/pair`). Good once and for 5 min; it replaces the code before it, and 5 wrong
/// codes spoil it. It wants no key.
#[utoipa::path(
    post,
    path = "/v1/pairing",
    tag = "session",
    operation_id = "offer_pairing",
    responses((status = 200, description = "The code", body = PairingCode), PairingProblems)
)]
async fn offer(State(state): State<ApiState>) -> Result<Json<PairingCode>, Problem> {
    let code = state.0.pairing.offer(state.steady()).ok_or(Objection::Internal)?;
    Ok(Json(PairingCode::of(&code, LIFE)))
}

/// Pair a screen
///
/// With the code that `tilld pair` shows. The answer sets the cookie by which the screen is known from then on: for 90 days,
/// renewed by itself when half of them are over, and until the terminal gets a new token. It wants no token and no key.
#[utoipa::path(
    post,
    path = "/v1/pair",
    tag = "session",
    operation_id = "pair",
    security(()),
    request_body(content = PairRequest, description = "The code, and a name for the screen"),
    responses(
        (status = 204, description = "Paired", headers(("Set-Cookie" = String, description = "The session"))),
        PairProblems
    )
)]
async fn pair(State(state): State<ApiState>, Body(request): Body<PairRequest>) -> Result<Response, Problem> {
    let (code, name) = request.parts();
    state.0.pairing.take(code.reveal(), state.steady())?;
    let screen = ScreenId::new().map(|id| Screen { id, name }).ok_or(Objection::Internal)?;
    let cookie = state.cookie(&screen).ok_or(Objection::Internal)?;
    tracing::info!("a screen has been paired");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1000);

    fn wrong(code: &Secret) -> String {
        code.reveal().chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect()
    }

    #[test]
    fn a_code_has_eight_digits_and_is_good_once() {
        let pairing = Pairing::default();
        assert_eq!(pairing.take("00000000", AT), Err(Objection::PairingOver), "none was asked for");
        let code = pairing.offer(AT).unwrap();
        assert_eq!(code.reveal().len(), DIGITS);
        assert!(code.reveal().bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(pairing.take(code.reveal(), AT), Ok(()));
        assert_eq!(pairing.take(code.reveal(), AT), Err(Objection::PairingOver));
    }

    #[test]
    fn another_code_replaces_the_one_before() {
        let pairing = Pairing::default();
        let first = pairing.offer(AT).unwrap();
        let second = pairing.offer(AT).unwrap();
        assert_ne!(first, second, "one of a hundred million");
        assert_eq!(pairing.take(first.reveal(), AT), Err(Objection::PairingWrong));
        assert_eq!(pairing.take(second.reveal(), AT), Ok(()));
    }

    #[test]
    fn a_code_is_over_after_five_minutes() {
        for (later, expected) in
            [(Duration::from_secs(299), Ok(())), (Duration::from_mins(5), Err(Objection::PairingOver))]
        {
            let pairing = Pairing::default();
            let code = pairing.offer(AT).unwrap();
            assert_eq!(pairing.take(code.reveal(), AT + later), expected, "{later:?}");
        }
    }

    #[test]
    fn five_wrong_codes_spoil_the_right_one() {
        let pairing = Pairing::default();
        let code = pairing.offer(AT).unwrap();
        for _ in 0..4 {
            assert_eq!(pairing.take(&wrong(&code), AT), Err(Objection::PairingWrong));
        }
        assert_eq!(pairing.take(&wrong(&code), AT), Err(Objection::PairingSpoiled));
        assert_eq!(pairing.take(code.reveal(), AT), Err(Objection::PairingSpoiled));
        let next = pairing.offer(AT).unwrap();
        assert_eq!(pairing.take(next.reveal(), AT), Ok(()), "another is good again");
    }

    #[test]
    fn four_wrong_codes_do_not() {
        let pairing = Pairing::default();
        let code = pairing.offer(AT).unwrap();
        for _ in 0..4 {
            assert_eq!(pairing.take(&wrong(&code), AT), Err(Objection::PairingWrong));
        }
        assert_eq!(pairing.take(code.reveal(), AT), Ok(()));
    }
}
