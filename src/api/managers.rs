//! Managers: who may sign in on a screen, and with what PIN.
//!
//! A manager signs in on a paired screen with his name and PIN, and is signed in there until he signs out, until nothing has
//! been done as manager for [`IDLE`], or until the program ends. The screen gets another id with it ([`crate::cookie`]), so
//! that nobody who knew the one before is raised too.
//!
//! PINs are short, so what guards them is that few can be tried: of all screens together, after [`FREE`] wrong ones nothing
//! is taken for a minute, and each further wrong one doubles that, up to an hour. A right one forgives. A try is charged before
//! it is made, and one is made at a time; so neither many at once nor one that is broken off is free. A name that there is not
//! costs as much time as one that there is.
//!
//! In the configuration stands the hash alone: Argon2id as a PHC string, no weaker than OWASP's least, and bounded, so that a
//! mistyped one does not stop the till.
//!
//! Deliberately absent: a throttle that outlives the program. Whoever can restart it as he likes tries five PINs a start; a
//! PIN has at least six digits for that reason.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{ARGON2ID_IDENT, Argon2, Params};
use tilld_domain::ids::PersonName;
use tilld_domain::secret::Secret;

use crate::cookie::ScreenId;

/// After how long a manager is signed out who does nothing as manager.
pub(crate) const IDLE: Duration = Duration::from_mins(10);
/// How many wrong PINs cost nothing.
pub(crate) const FREE: u32 = 5;
/// How long no PIN is taken after that.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// And at the longest.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// On how many screens managers may be signed in: more than a till has.
const MOST_SIGNED_IN: usize = 32;

/// The hash of a manager's PIN: Argon2id, as a PHC string.
#[derive(Clone)]
pub struct PinHash(PasswordHash);

/// Why a text is no PIN, or no hash of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// Too short to be safe, too long to be typed, or not of digits.
    #[error("a PIN has {} to {} digits", PinHash::LEAST, PinHash::MOST)]
    Pin,
    /// Not a PHC string of Argon2id.
    #[error("that is no Argon2id hash; `tilld pin` makes one")]
    Form,
    /// It could be searched through too fast, or takes too much memory or time.
    #[error("its costs are too low or too high; `tilld pin` makes a right one")]
    Costs,
    /// No random numbers, or no memory.
    #[error("this machine can make no hash now")]
    Machine,
}

impl PinHash {
    /// The least digits of a PIN.
    pub const LEAST: usize = 6;
    /// The most.
    pub const MOST: usize = 12;
    /// Memory (KiB) times passes of OWASP's weakest recommended setting, 7 MiB and 5 passes; the others are near it.
    const LEAST_WORK: u32 = 7 * 1024 * 5;
    /// The most memory in KiB: a till has little.
    const MOST_MEMORY: u32 = 256 * 1024;
    /// The most passes.
    const MOST_PASSES: u32 = 16;

    /// Of a PIN, with a salt of its own.
    pub fn of(pin: &Secret) -> Result<Self, PinError> {
        let text = pin.reveal();
        if !(Self::LEAST..=Self::MOST).contains(&text.len())
            || !text.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(PinError::Pin);
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| PinError::Machine)?;
        let hash = Argon2::default().hash_password_with_salt(text.as_bytes(), &salt);
        hash.map(Self).map_err(|_| PinError::Machine)
    }

    /// Whether a PIN is the one.
    fn is(&self, pin: &Secret) -> bool {
        Argon2::default().verify_password(pin.reveal().as_bytes(), &self.0).is_ok()
    }
}

impl FromStr for PinHash {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let hash = PasswordHash::new(text).map_err(|_| PinError::Form)?;
        if hash.algorithm != ARGON2ID_IDENT || hash.salt.is_none() || hash.hash.is_none() {
            return Err(PinError::Form);
        }
        let costs = Params::try_from(&hash).map_err(|_| PinError::Form)?;
        let (memory, passes) = (costs.m_cost(), costs.t_cost());
        let fits = memory.saturating_mul(passes) >= Self::LEAST_WORK
            && memory <= Self::MOST_MEMORY
            && passes <= Self::MOST_PASSES
            && costs.p_cost() <= 4;
        if fits { Ok(Self(hash)) } else { Err(PinError::Costs) }
    }
}

impl fmt::Display for PinHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for PinHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PinHash(…)")
    }
}

/// A manager who may sign in.
#[derive(Debug, Clone)]
pub struct Manager {
    /// The name, as the journal will have it.
    pub name: PersonName,
    /// The hash of the PIN.
    pub pin: PinHash,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// No manager has a PIN here.
    Nobody,
    /// Name or PIN is wrong.
    Wrong,
    /// Too many were: nothing is taken for so long.
    Paused(Duration),
}

/// A manager who is signed in on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) name: PersonName,
    /// When that ends, by the steady clock.
    pub(crate) until: Duration,
}

/// The managers of a till, and where they are signed in.
#[derive(Debug)]
pub(crate) struct Managers {
    known: Arc<[Manager]>,
    trying: tokio::sync::Mutex<()>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    wrong: u32,
    paused_until: Duration,
    signed_in: HashMap<ScreenId, SignedIn>,
}

impl Managers {
    pub(crate) fn new(known: Vec<Manager>) -> Self {
        Self { known: known.into(), trying: tokio::sync::Mutex::default(), now: Mutex::default() }
    }

    /// The names, as they are configured.
    pub(crate) fn names(&self) -> impl Iterator<Item = &PersonName> {
        self.known.iter().map(|manager| &manager.name)
    }

    /// Whether `name` and `pin` belong together. `steady` is asked again when its turn has come.
    pub(crate) async fn try_pin(
        &self,
        name: &PersonName,
        pin: Secret,
        steady: impl Fn() -> Duration,
    ) -> Result<(), Turned> {
        let _one_at_a_time = self.trying.lock().await;
        let found = self.known.iter().position(|manager| manager.name == *name);
        let Some(compared) = self.known.get(found.unwrap_or_default()) else { return Err(Turned::Nobody) };
        self.held().charge(steady())?;
        let hash = compared.pin.clone();
        // It takes some 20 ms of a processor.
        let right = tokio::task::spawn_blocking(move || hash.is(&pin)).await.unwrap_or(false);
        if !(right && found.is_some()) {
            return Err(Turned::Wrong);
        }
        let mut now = self.held();
        now.wrong = 0;
        now.paused_until = Duration::ZERO;
        Ok(())
    }

    /// Signs a manager in on a screen.
    pub(crate) fn sign_in(&self, screen: ScreenId, name: PersonName, steady: Duration) {
        let mut now = self.held();
        now.forget_idle(steady);
        if now.signed_in.len() >= MOST_SIGNED_IN {
            let oldest = now.signed_in.iter().min_by_key(|(_, who)| who.until).map(|(screen, _)| *screen);
            oldest.and_then(|screen| now.signed_in.remove(&screen));
        }
        now.signed_in.insert(screen, SignedIn { name, until: steady.saturating_add(IDLE) });
    }

    /// Signs whoever is signed in on a screen out.
    pub(crate) fn sign_out(&self, screen: ScreenId) {
        self.held().signed_in.remove(&screen);
    }

    /// Who is signed in on a screen; with `acts`, for longer from now on.
    pub(crate) fn at(&self, screen: ScreenId, acts: bool, steady: Duration) -> Option<SignedIn> {
        let mut now = self.held();
        now.forget_idle(steady);
        let who = now.signed_in.get_mut(&screen)?;
        if acts {
            who.until = steady.saturating_add(IDLE);
        }
        Some(who.clone())
    }

    fn held(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    /// Charges a try as a wrong one.
    fn charge(&mut self, steady: Duration) -> Result<(), Turned> {
        let left = self.paused_until.saturating_sub(steady);
        if !left.is_zero() {
            return Err(Turned::Paused(left));
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(over) = self.wrong.checked_sub(FREE) {
            let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(over).unwrap_or(u32::MAX));
            self.paused_until = steady.saturating_add(pause.min(LONGEST_PAUSE));
        }
        Ok(())
    }

    fn forget_idle(&mut self, steady: Duration) {
        self.signed_in.retain(|_, who| steady < who.until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1000);

    fn pin(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn managers() -> Managers {
        let ada = Manager { name: name("Ada Berg"), pin: PinHash::of(&pin("123456")).unwrap() };
        let weber = Manager { name: name("M. Weber"), pin: PinHash::of(&pin("654321")).unwrap() };
        Managers::new(vec![ada, weber])
    }

    fn name(text: &str) -> PersonName {
        text.parse().unwrap()
    }

    #[test]
    fn a_pin_has_six_to_twelve_digits_and_is_kept_as_a_hash_that_shows_nothing() {
        for (text, fits) in [
            ("12345", false),
            ("123456", true),
            ("123456789012", true),
            ("1234567890123", false),
            ("12345a", false),
            ("١٢٣٤٥٦", false),
            ("", false),
        ] {
            assert_eq!(PinHash::of(&pin(text)).is_ok(), fits, "{text}");
        }
        let hash = PinHash::of(&pin("123456")).unwrap();
        let written = hash.to_string();
        assert!(written.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{written}");
        assert_ne!(PinHash::of(&pin("123456")).unwrap().to_string(), written, "a salt of its own");
        let read: PinHash = written.parse().unwrap();
        assert!(read.is(&pin("123456")) && !read.is(&pin("123457")) && !read.is(&pin("")));
        assert_eq!(format!("{read:?}"), "PinHash(…)");
    }

    #[test]
    fn a_hash_that_is_weak_or_would_stop_the_till_is_refused() {
        let (salt, hash) = ("c2FsdHNhbHRzYWx0c2FsdA", "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm8");
        let phc = |kind: &str, costs: &str| format!("${kind}$v=19${costs}${salt}${hash}");
        for (text, expected) in [
            (phc("argon2id", "m=19456,t=2,p=1"), None),
            (phc("argon2id", "m=7168,t=5,p=1"), None),
            (phc("argon2i", "m=19456,t=2,p=1"), Some(PinError::Form)),
            (phc("argon2d", "m=19456,t=2,p=1"), Some(PinError::Form)),
            (phc("scrypt", "ln=15,r=8,p=1"), Some(PinError::Form)),
            ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA".to_owned(), Some(PinError::Form)),
            ("123456".to_owned(), Some(PinError::Form)),
            (String::new(), Some(PinError::Form)),
            (phc("argon2id", "m=8,t=1,p=1"), Some(PinError::Costs)),
            (phc("argon2id", "m=19456,t=1,p=1"), Some(PinError::Costs)),
            (phc("argon2id", "m=4194304,t=1,p=1"), Some(PinError::Costs)),
            (phc("argon2id", "m=19456,t=100000,p=1"), Some(PinError::Costs)),
            (phc("argon2id", "m=19456,t=2,p=64"), Some(PinError::Costs)),
        ] {
            assert_eq!(text.parse::<PinHash>().err(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn only_the_right_pin_of_that_name_is_taken() {
        let managers = managers();
        for (who, text, expected) in [
            ("Ada Berg", "123456", Ok(())),
            ("M. Weber", "654321", Ok(())),
            ("M. Weber", "123456", Err(Turned::Wrong)),
            // Compared with the first one's PIN, and wrong all the same.
            ("Nobody", "123456", Err(Turned::Wrong)),
            ("Ada Berg", "", Err(Turned::Wrong)),
        ] {
            assert_eq!(managers.try_pin(&name(who), pin(text), || AT).await, expected, "{who}");
        }
        let none = Managers::new(Vec::new());
        assert_eq!(none.try_pin(&name("Ada Berg"), pin("123456"), || AT).await, Err(Turned::Nobody));
    }

    #[test]
    fn after_five_wrong_pins_each_pause_is_twice_the_one_before_up_to_an_hour() {
        let mut now = Now::default();
        for _ in 0..FREE {
            assert_eq!(now.charge(AT), Ok(()));
        }
        let mut steady = AT;
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            let pause = Duration::from_mins(minutes);
            assert_eq!(now.charge(steady), Err(Turned::Paused(pause)));
            let second = Duration::from_secs(1);
            let late = steady + pause.saturating_sub(second);
            assert_eq!(now.charge(late), Err(Turned::Paused(second)), "none is charged");
            steady += pause;
            assert_eq!(now.charge(steady), Ok(()));
        }
        now.wrong = u32::MAX;
        assert_eq!(now.charge(steady + LONGEST_PAUSE), Ok(()));
        assert_eq!(now.paused_until, steady + LONGEST_PAUSE * 2);
    }

    #[tokio::test]
    async fn a_right_pin_forgives_the_wrong_ones_and_waits_out_the_pause_like_them() {
        let managers = managers();
        let ada = name("Ada Berg");
        for _ in 0..4 {
            assert_eq!(managers.try_pin(&ada, pin("000000"), || AT).await, Err(Turned::Wrong));
        }
        assert_eq!(managers.try_pin(&ada, pin("123456"), || AT).await, Ok(()));
        for _ in 0..5 {
            assert_eq!(managers.try_pin(&ada, pin("000000"), || AT).await, Err(Turned::Wrong));
        }
        let minute = Duration::from_mins(1);
        assert_eq!(managers.try_pin(&ada, pin("123456"), || AT).await, Err(Turned::Paused(minute)));
        assert_eq!(managers.try_pin(&ada, pin("123456"), || AT + minute).await, Ok(()));
    }

    #[test]
    fn a_manager_is_signed_out_after_ten_minutes_without_an_act() {
        let managers = managers();
        let (screen, other) = (ScreenId::new().unwrap(), ScreenId::new().unwrap());
        managers.sign_in(screen, name("Ada Berg"), AT);
        let at = |minutes: u64, acts| managers.at(screen, acts, AT + Duration::from_mins(minutes)).is_some();
        assert!(at(9, true), "an act");
        assert!(at(18, false), "a look");
        assert!(!at(19, false), "ten minutes after the act");
        managers.sign_in(screen, name("Ada Berg"), AT);
        assert_eq!(managers.at(other, true, AT), None);
        managers.sign_out(screen);
        assert_eq!(managers.at(screen, false, AT), None);
    }

    #[test]
    fn no_more_screens_are_remembered_than_there_may_be() {
        let managers = managers();
        let screens: Vec<ScreenId> = (0..=MOST_SIGNED_IN).map(|_| ScreenId::new().unwrap()).collect();
        for (number, screen) in (0..).zip(&screens) {
            managers.sign_in(*screen, name("Ada Berg"), AT + Duration::from_secs(number));
        }
        let steady = AT + Duration::from_secs(99);
        assert_eq!(managers.at(screens[0], false, steady), None, "the one that would have ended first");
        assert!(screens[1..].iter().all(|screen| managers.at(*screen, false, steady).is_some()));
    }
}
