//! A screen and who stands before it.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use tilld_domain::ids::PersonName;
use tilld_domain::secret::Secret;
use utoipa::ToSchema;

use super::parts::{Checked, OURS, Unshown, words};
use crate::InUse;
use crate::pairing::DIGITS;

/// A pairing code, as it is shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct PairingCode {
    /// Eight digits; the stroke between them need not be typed.
    #[schema(example = "1234-5678")]
    code: String,
    /// How long it is good, in seconds.
    expires_in_s: u64,
}

impl PairingCode {
    pub(crate) fn of(code: &Secret, life: Duration) -> Self {
        let (first, second) = code.reveal().split_at_checked(DIGITS.div_euclid(2)).unwrap_or_default();
        Self { code: format!("{first}-{second}"), expires_in_s: life.as_secs() }
    }
}

/// A screen that is to be let in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairRequest {
    /// The code that `tilld pair` shows: eight digits; blanks and strokes between them do not matter.
    #[schema(value_type = String, min_length = 8, max_length = 32, write_only, example = "1234-5678")]
    code: Code,
    /// What the screen is to be called.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Till 1 screen")]
    name: Checked<PersonName>,
}

impl PairRequest {
    pub(crate) fn parts(self) -> (Secret, PersonName) {
        (self.code.0, self.name.0)
    }
}

/// The digits of a pairing code.
#[derive(Debug)]
struct Code(Secret);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let Unshown(typed) = Unshown::deserialize(reader)?;
        let text = typed.reveal();
        let digits: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        let code = Secret::new(digits);
        let is_code = text.len() <= 4 * DIGITS
            && code.reveal().len() == DIGITS
            && code.reveal().bytes().all(|byte| byte.is_ascii_digit());
        if is_code {
            Ok(Self(code))
        } else {
            Err(Error::custom(format_args!("{OURS}a code has {DIGITS} digits")))
        }
    }
}

/// A manager who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    /// One of the session's `managers`.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "M. Weber")]
    name: Checked<PersonName>,
    /// The PIN. It is never shown again.
    #[schema(value_type = String, min_length = 6, max_length = 12, pattern = "^[0-9]+$", write_only, example = "135790")]
    pin: Unshown,
}

impl SignInRequest {
    pub(crate) fn parts(self) -> (PersonName, Secret) {
        (self.name.0, self.pin.0)
    }
}

words! {
    /// Who asks.
    enum Role as "Role" {
        /// Till software, by the terminal's token.
        Till = "till",
        /// A paired screen.
        Cashier = "cashier",
        /// A paired screen on which a manager has signed in.
        Manager = "manager",
    }

    /// How a customer may pay.
    enum TenderKind as "TenderKind" {
        /// Cash.
        Cash = "cash",
        /// A payment card.
        Card = "card",
        /// A part by card, the rest in cash.
        Mixed = "mixed",
    }
}

/// What a page needs to know at its start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Who asks.
    pub(crate) role: Role,
    /// What the screen was called when it was paired; null for till software.
    pub(crate) name: Option<String>,
    /// Which manager has signed in on this screen, if any.
    pub(crate) manager: Option<SignedIn>,
    /// The store.
    #[schema(example = "A1234")]
    pub(crate) store: String,
    /// The till.
    #[schema(example = "T01")]
    pub(crate) terminal: String,
    /// Where it stands (ISO 3166-1 alpha-2): products of other countries are not sold here.
    #[schema(example = "DE")]
    pub(crate) country: String,
    /// Whether any of the providers is play.
    pub(crate) sandbox: bool,
    /// The providers in use here.
    pub(crate) providers: Vec<ProviderInUse>,
    /// The language and formats of the shop (BCP 47).
    #[schema(example = "de-DE")]
    pub(crate) locale: String,
    /// The time zone that the shop's days begin in (IANA); a screen may stand in another one.
    #[schema(example = "Europe/Berlin")]
    pub(crate) zone: String,
    /// In what is mostly paid here (ISO 4217); null where that is not known.
    #[schema(example = "EUR")]
    pub(crate) currency: Option<&'static str>,
    /// How a customer may pay.
    pub(crate) tenders: Vec<TenderKind>,
    /// Whether the slip of a printed card ends with its number as a bar code, which can be scanned.
    pub(crate) slip_numbers: bool,
    /// The names of the managers who may sign in.
    #[schema(example = json!(["M. Weber"]))]
    pub(crate) managers: Vec<String>,
    /// Whether vouchers are redeemed here.
    pub(crate) vouchers: bool,
}

/// A provider in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderInUse {
    /// Its name, as the journal and the balances have it.
    #[schema(example = "finperks")]
    provider: String,
    /// Whether it is play: what is sold or redeemed there is worth nothing.
    sandbox: bool,
}

impl From<&InUse> for ProviderInUse {
    fn from(one: &InUse) -> Self {
        Self { provider: one.provider.clone(), sandbox: one.sandbox }
    }
}

/// A manager who has signed in on a screen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Who.
    #[schema(example = "M. Weber")]
    pub(crate) name: String,
    /// In how many seconds that ends if nothing is done as manager.
    #[schema(example = 600)]
    pub(crate) ends_in_s: u64,
}
