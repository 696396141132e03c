//! What an operator decides about Gift Local, and the check of it before anything starts.
//!
//! Where the vendor's documents are silent the choice is a field here with its reason. What may not be guessed has no default:
//! the host of production, the currency of amounts that name none, and the call that takes a redemption back.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tilld_domain::money::Currency;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::Reversal;
use tilld_domain::voucher::scan::ScanRules;
use uuid::Uuid;

use crate::gift_local::wire;
use crate::http::{Origin, SetUpError};
use crate::pace::Limits;
use crate::vouchers::VoucherDeadlines;

/// How the shop is named in a request (fact sheet gift-local 2): exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Location {
    /// Not at all: the key covers one location.
    #[default]
    OfTheKey,
    /// `organizationID`: the vendor's Guid of the location.
    Organization(Uuid),
    /// `pointOfSaleSystemOrganizationIdentifier`: the POS system's own name, once the vendor has configured it.
    PointOfSale(String),
}

impl Location {
    /// Whether it can be one.
    pub fn check(&self) -> Result<(), SetUpError> {
        let Self::PointOfSale(name) = self else { return Ok(()) };
        let fits = (1..=64).contains(&name.chars().count())
            && name.trim() == name
            && !name.chars().any(char::is_control);
        if fits { Ok(()) } else { Err(SetUpError::Location) }
    }
}

/// The call that takes a redemption back, as the vendor has confirmed it to this shop (fact sheet gift-local 4: neither its
/// path nor its fields are published).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseCall {
    /// Its path, from the root.
    pub path: String,
    /// The field that carries the redemption's id.
    pub id_field: String,
    /// Whether the vendor has said that a second call gives the value back only once.
    pub repeatable: bool,
}

impl ReverseCall {
    /// Whether its path and its field can be such.
    pub fn check(&self) -> Result<(), SetUpError> {
        let Self { path, id_field, .. } = self;
        let of_a_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let plain = path.split('/').all(|part| !matches!(part, "." | ".."));
        if !path.starts_with('/') || path.len() > 200 || !path.bytes().all(of_a_path) || !plain {
            return Err(SetUpError::ReversePath);
        }
        let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !(1..=64).contains(&id_field.len())
            || !id_field.bytes().all(of_a_name)
            || wire::LOCATIONS.contains(&id_field.as_str())
        {
            return Err(SetUpError::ReverseField);
        }
        Ok(())
    }

    /// What can be done by it.
    pub const fn reversal(&self) -> Reversal {
        if self.repeatable { Reversal::Repeatable } else { Reversal::Once }
    }
}

/// Everything that is configured.
#[derive(Clone)]
pub struct Settings {
    /// Scheme, host and port. The paths are added by the program.
    pub base_url: String,
    /// The key; the whole value of the `Authorization` header (fact sheet gift-local 1).
    pub api_key: Secret,
    /// Where vouchers are redeemed.
    pub location: Location,
    /// The currency of amounts, unless an answer names another: no document mentions one (fact sheet gift-local 6).
    pub currency: Currency,
    /// How long each call may take.
    pub deadlines: VoucherDeadlines,
    /// How fast the provider may be asked.
    pub pace: Limits,
    /// How a redemption is taken back; none while that is not confirmed.
    pub reverse: Option<ReverseCall>,
    /// How vouchers are scanned at this shop.
    pub scan: ScanRules,
    /// A PEM file with root certificates to be trusted beside the system's.
    pub extra_roots: Option<PathBuf>,
}

/// What is used unless something else is configured; the vendor names no times.
pub const DEADLINES: VoucherDeadlines = VoucherDeadlines {
    // Takes nothing and is repeated freely: two of them fit into the ten seconds that a guest waits.
    validate: Duration::from_secs(5),
    // Longer than a slow provider needs, because what comes later is uncertain for a settle time of twice as long.
    redeem: Duration::from_secs(10),
    // There is no look-up; the field is of the common contract.
    lookup: Duration::from_secs(3),
    // Nobody waits for it; longer would only hold up the next attempt.
    reverse: Duration::from_secs(10),
};

impl Settings {
    /// The settings with every default.
    pub fn new(base_url: String, api_key: Secret, location: Location, currency: Currency) -> Self {
        Self {
            base_url,
            api_key,
            location,
            currency,
            deadlines: DEADLINES,
            pace: Limits::default(),
            reverse: None,
            scan: ScanRules::plain(),
            extra_roots: None,
        }
    }

    /// What can be done about a redemption that must be taken back.
    pub fn reversal(&self) -> Reversal {
        self.reverse.as_ref().map_or(Reversal::NotConfirmed, ReverseCall::reversal)
    }

    /// Checks all but the base URL and the certificates, and reads the base URL.
    pub(super) fn check(&self) -> Result<Origin, SetUpError> {
        let origin = Origin::parse(&self.base_url)?;
        let key = self.api_key.reveal();
        // A line end from a file would be sent along, and every call refused without a hint why.
        if !(8..=512).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SetUpError::Secret);
        }
        let VoucherDeadlines { validate, redeem, lookup, reverse } = self.deadlines;
        let bounds = Duration::from_millis(100)..=Duration::from_secs(55);
        if [validate, redeem, lookup, reverse].iter().any(|deadline| !bounds.contains(deadline)) {
            return Err(SetUpError::Deadline);
        }
        self.location.check()?;
        self.reverse.as_ref().map_or(Ok(()), ReverseCall::check)?;
        Ok(origin)
    }
}

impl fmt::Debug for Settings {
    /// Without the key, and of the base URL nothing that has not been checked.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("origin", &Origin::parse(&self.base_url))
            .field("location", &self.location)
            .field("currency", &self.currency)
            .field("deadlines", &self.deadlines)
            .field("pace", &self.pace)
            .field("reverse", &self.reverse)
            .field("scan", &self.scan)
            .field("extra_roots", &self.extra_roots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(
            "https://api.example.test".to_owned(),
            Secret::new("test-key-0123456789abcdef".to_owned()),
            Location::default(),
            Currency::from_code("EUR").unwrap(),
        )
    }

    fn reverse(path: &str, id_field: &str) -> Option<ReverseCall> {
        Some(ReverseCall { path: path.to_owned(), id_field: id_field.to_owned(), repeatable: false })
    }

    #[test]
    fn a_setting_that_cannot_be_right_is_refused_by_name() {
        type Spoil = fn(&mut Settings);
        let cases: [(Spoil, Result<(), SetUpError>); 23] = [
            (|_| {}, Ok(())),
            (|it| it.base_url = "http://api.example.test".to_owned(), Err(SetUpError::NotHttps)),
            (|it| it.base_url = "https://api.example.test/api".to_owned(), Err(SetUpError::PathInUrl)),
            (|it| it.api_key = Secret::new(String::new()), Err(SetUpError::Secret)),
            (|it| it.api_key = Secret::new("0123456789\n".to_owned()), Err(SetUpError::Secret)),
            (|it| it.api_key = Secret::new("Bearer 0123456789".to_owned()), Err(SetUpError::Secret)),
            (|it| it.api_key = Secret::new("0123456789\u{e4}".to_owned()), Err(SetUpError::Secret)),
            (|it| it.deadlines.redeem = Duration::ZERO, Err(SetUpError::Deadline)),
            (|it| it.deadlines.reverse = Duration::from_mins(1), Err(SetUpError::Deadline)),
            (|it| it.location = Location::Organization(Uuid::nil()), Ok(())),
            (|it| it.location = Location::PointOfSale("Caf\u{e9} 7".to_owned()), Ok(())),
            (|it| it.location = Location::PointOfSale(String::new()), Err(SetUpError::Location)),
            (|it| it.location = Location::PointOfSale(" A1".to_owned()), Err(SetUpError::Location)),
            (|it| it.location = Location::PointOfSale("A\u{1b}1".to_owned()), Err(SetUpError::Location)),
            (|it| it.reverse = reverse("/api/reverse", "redemptionID"), Ok(())),
            (|it| it.reverse = reverse("api/reverse", "redemptionID"), Err(SetUpError::ReversePath)),
            (|it| it.reverse = reverse("/api/../reverse", "redemptionID"), Err(SetUpError::ReversePath)),
            (|it| it.reverse = reverse("/api/reverse?x=1", "redemptionID"), Err(SetUpError::ReversePath)),
            (|it| it.reverse = reverse("/api/r everse", "redemptionID"), Err(SetUpError::ReversePath)),
            (|it| it.reverse = reverse("", "redemptionID"), Err(SetUpError::ReversePath)),
            (|it| it.reverse = reverse("/api/reverse", ""), Err(SetUpError::ReverseField)),
            (|it| it.reverse = reverse("/api/reverse", "a\"b"), Err(SetUpError::ReverseField)),
            (|it| it.reverse = reverse("/api/reverse", "organizationID"), Err(SetUpError::ReverseField)),
        ];
        for (number, (spoil, expected)) in cases.into_iter().enumerate() {
            let mut settings = settings();
            spoil(&mut settings);
            assert_eq!(settings.check().map(|_| ()), expected, "case {number}");
        }
    }

    #[test]
    fn what_can_be_taken_back_is_what_was_confirmed() {
        let mut settings = settings();
        assert_eq!(settings.reversal(), Reversal::NotConfirmed);
        settings.reverse = reverse("/api/reverse", "redemptionID");
        assert_eq!(settings.reversal(), Reversal::Once);
        settings.reverse = settings.reverse.map(|call| ReverseCall { repeatable: true, ..call });
        assert_eq!(settings.reversal(), Reversal::Repeatable);
    }

    #[test]
    fn no_debug_text_holds_the_key_or_a_password_in_the_url() {
        let mut settings = settings();
        settings.base_url = "https://user:hunter22@api.example.test".to_owned();
        let shown = format!("{settings:?}");
        for secret in ["test-key", "hunter22"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
