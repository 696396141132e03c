//! The cookie by which a paired screen is known again.
//!
//! It holds all that there is to know of the screen: a random id, its name, and since when; sealed with an HMAC-SHA-256 under
//! a key that is derived from the terminal's token. So nothing is kept here: it holds through a restart, and a new token ends
//! every pairing at once. It is good for [`LIFE`], and renewed whenever it comes after the half of that.
//!
//! ```text
//! tilld_8480 = base64url( id 16 bytes · since 8 bytes, Unix seconds, big endian · name ) . base64url( HMAC )
//! ```
//!
//! The door's port is in its name: a browser sends a machine's cookies to every port, and two tills on one machine would
//! overwrite each other's.
//!
//! One that comes from the future is renewed, not refused: on a till whose clock has been set back the screen must show what
//! the counter says about the clock, not ask for a pairing.
//!
//! Deliberately absent: `Secure` (the door is loopback, without TLS), a list of pairings, the end of a single one. Whoever has
//! the disk has the token.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use tilld_domain::ids::PersonName;
use zeroize::Zeroizing;

use crate::guard::Token;

/// For how long a pairing holds without being used: 90 days, in seconds.
pub(crate) const LIFE: i64 = 90 * 24 * 3600;
/// What the key is derived for: no other use of the token gives the same one.
const LABEL: &[u8] = b"tilld: the cookie of a paired screen, 1";
/// The most characters of a cookie that is looked at: the longest name has 256 bytes.
const LONGEST: usize = 512;

/// Which screen: random, new with every pairing and with every manager that signs in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ScreenId([u8; 16]);

impl ScreenId {
    /// A new one; none on a machine that gives no random numbers.
    pub(crate) fn new() -> Option<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Debug for ScreenId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ScreenId(…)")
    }
}

/// A paired screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Which one.
    pub(crate) id: ScreenId,
    /// As whoever paired it called it.
    pub(crate) name: PersonName,
}

/// What the cookies of a request say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// None of this door's.
    Nothing,
    /// One that was never this door's, or no longer is.
    Stale,
    /// A paired screen, and whether its cookie is to be renewed.
    Screen(Screen, bool),
}

/// Makes and reads cookies.
pub(crate) struct Cookies {
    name: String,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Cookies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cookies").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Cookies {
    /// Of the door at a port, for as long as it has this token. None is never: an HMAC takes a key of any length.
    pub(crate) fn new(token: &Token, port: u16) -> Option<Self> {
        let mut derive = Hmac::<Sha256>::new_from_slice(token.reveal()).ok()?;
        derive.update(LABEL);
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(derive.finalize().into_bytes().into());
        let mac = Hmac::new_from_slice(key.as_slice()).ok()?;
        Some(Self { name: format!("tilld_{port}"), mac })
    }

    /// The value of `Set-Cookie` for a screen, from `now` on (Unix seconds).
    pub(crate) fn write(&self, screen: &Screen, now: i64) -> Option<HeaderValue> {
        let mut held = screen.id.0.to_vec();
        held.extend(now.to_be_bytes());
        held.extend(screen.name.as_str().as_bytes());
        let held = BASE64.encode(held);
        let seal = BASE64.encode(self.mac.clone().chain_update(&held).finalize().into_bytes());
        let name = &self.name;
        let cookie = format!("{name}={held}.{seal}; HttpOnly; SameSite=Strict; Path=/; Max-Age={LIFE}");
        let mut value = HeaderValue::try_from(cookie).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// What a request's cookies say at `now`.
    pub(crate) fn read(&self, headers: &HeaderMap, now: i64) -> Found {
        let ours = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name);
        let mut found = Found::Nothing;
        for (_, value) in ours {
            // Another program on this machine may have set one of this name: the first that is good counts.
            found = Found::Stale;
            if let Some((screen, since)) = self.opened(value)
                && now.saturating_sub(since) < LIFE
            {
                let age = now.saturating_sub(since);
                return Found::Screen(screen, !(0..LIFE / 2).contains(&age));
            }
        }
        found
    }

    fn opened(&self, value: &str) -> Option<(Screen, i64)> {
        let (held, seal) = value.split_once('.').filter(|_| value.len() <= LONGEST)?;
        self.mac.clone().chain_update(held).verify_slice(&BASE64.decode(seal).ok()?).ok()?;
        let held = BASE64.decode(held).ok()?;
        let (id, rest) = held.split_first_chunk::<16>()?;
        let (since, name) = rest.split_first_chunk::<8>()?;
        let name = std::str::from_utf8(name).ok()?.parse().ok()?;
        Some((Screen { id: ScreenId(*id), name }, i64::from_be_bytes(*since)))
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::secret::Secret;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn cookies(token: &str, port: u16) -> Cookies {
        Cookies::new(&Token::new(Secret::new(token.repeat(32))).unwrap(), port).unwrap()
    }

    fn screen() -> Screen {
        Screen { id: ScreenId([7; 16]), name: "Kasse 1 — Łódź".replace('—', "-").parse().unwrap() }
    }

    fn sent(cookie: &HeaderValue) -> String {
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn read(cookies: &Cookies, lines: &[&str], now: i64) -> Found {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        cookies.read(&headers, now)
    }

    #[test]
    fn a_cookie_is_for_this_door_alone_and_no_script_sees_it() {
        let cookie = cookies("a", 8480).write(&screen(), NOW).unwrap();
        let text = cookie.to_str().unwrap();
        let (pair, attributes) = text.split_once("; ").unwrap();
        assert!(pair.starts_with("tilld_8480=") && pair.len() < LONGEST, "{pair}");
        assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=7776000");
        assert!(cookie.is_sensitive());
    }

    #[test]
    fn a_cookie_holds_for_ninety_days_and_is_renewed_after_half_of_them() {
        let cookies = cookies("a", 8480);
        let sent = sent(&cookies.write(&screen(), NOW).unwrap());
        let day = 24 * 3600;
        for (later, expected) in [
            (0, Found::Screen(screen(), false)),
            (45 * day - 1, Found::Screen(screen(), false)),
            (45 * day, Found::Screen(screen(), true)),
            (90 * day - 1, Found::Screen(screen(), true)),
            (90 * day, Found::Stale),
            (9000 * day, Found::Stale),
            // The clock was set back.
            (-day, Found::Screen(screen(), true)),
        ] {
            assert_eq!(read(&cookies, &[&sent], NOW + later), expected, "{later}");
        }
    }

    #[test]
    fn nothing_but_a_cookie_of_this_door_and_token_is_taken() {
        let ours = cookies("a", 8480);
        let good = sent(&ours.write(&screen(), NOW).unwrap());
        let (name, value) = good.split_once('=').unwrap();
        let (held, seal) = value.split_once('.').unwrap();
        let other = sent(&cookies("b", 8480).write(&screen(), NOW).unwrap());
        let longer = format!("{name}={}.{seal}", BASE64.encode([0_u8; 4096]));
        let mut flipped = BASE64.decode(held).unwrap();
        flipped[0] ^= 1;
        for (line, expected) in [
            (good.clone(), Found::Screen(screen(), false)),
            (format!("other=1; {good}; more=2"), Found::Screen(screen(), false)),
            (format!("{name}=tossed; {good}"), Found::Screen(screen(), false)),
            (String::new(), Found::Nothing),
            ("tilld_8481=x".to_owned(), Found::Nothing),
            (format!("tilld_8481={value}"), Found::Nothing),
            (other, Found::Stale),
            (format!("{name}="), Found::Stale),
            (format!("{name}=."), Found::Stale),
            (format!("{name}={held}"), Found::Stale),
            (format!("{name}={held}."), Found::Stale),
            (format!("{name}=.{seal}"), Found::Stale),
            (format!("{name}={held}.{held}"), Found::Stale),
            (format!("{name}={held}.{}", &seal[..seal.len() - 2]), Found::Stale),
            (format!("{name}={}.{seal}", BASE64.encode(flipped)), Found::Stale),
            (longer, Found::Stale),
        ] {
            assert_eq!(read(&ours, &[&line], NOW), expected, "{line}");
        }
        assert_eq!(read(&ours, &["other=1", &good], NOW), Found::Screen(screen(), false));
    }

    #[test]
    fn nothing_of_a_cookie_is_shown() {
        let shown = format!("{:?} {:?}", cookies("a", 8480), screen());
        assert_eq!(
            shown,
            "Cookies { name: \"tilld_8480\", .. } Screen { id: ScreenId(…), name: Kasse 1 - Łódź }"
        );
    }
}
