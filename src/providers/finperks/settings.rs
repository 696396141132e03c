//! What an operator decides about finperks, and the check of it before anything starts.
//!
//! Every number and every open point of the fact sheet that has two sides is a field here with its reason; a value that
//! cannot be right is refused with a [`SetUpError`], which holds no value. The secret is held in a type that is wiped
//! and never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tilld_domain::ids::{Country, ProductCode};
use tilld_domain::secret::Secret;

use crate::Deadlines;
use crate::finperks::signature::SigProfile;
use crate::finperks::wire;
use crate::http::{Origin, SetUpError};
use crate::pace::Limits;

/// How a POSA card is named in a create (fact sheet U19): the vendor's example shows only a product code, and there are
/// two ways to read that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PosaRule {
    /// The scanned code stands in `product_code`: the rack's bar codes are the product codes.
    ScannedAsProductCode,
    /// `product_code` is the catalogue's, and the scanned code stands in a field of this name.
    ExtraField(String),
}

/// Which rule holds for which product. A POSA product without a rule is not sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PosaRules {
    /// For every product without a rule of its own.
    pub default: Option<PosaRule>,
    /// For single products.
    pub by_product: BTreeMap<ProductCode, PosaRule>,
}

impl PosaRules {
    /// The rule for a product, if one is configured.
    pub fn of(&self, product: &ProductCode) -> Option<&PosaRule> {
        self.by_product.get(product).or(self.default.as_ref())
    }
}

/// Which field of a product holds the address of its picture, and where such an address may lead beside the provider's own host.
/// The fact sheet (3.5) knows of image addresses by inference alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// The field's name; dots lead into objects.
    pub field: String,
    /// Names of hosts, with a port where it is not 443; always asked by `https`.
    pub hosts: Vec<String>,
}

impl Pictures {
    /// The most hosts that may be named.
    pub const MOST_HOSTS: usize = 8;

    /// Checks both, and reads the hosts.
    pub fn check(&self) -> Result<Vec<Origin>, SetUpError> {
        let within = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
        if !(1..=64).contains(&self.field.len()) || !self.field.chars().all(within) {
            return Err(SetUpError::PictureField);
        }
        if self.hosts.len() > Self::MOST_HOSTS {
            return Err(SetUpError::PictureHosts);
        }
        let of_a_name =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | ':');
        let host = |name: &String| {
            let origin = Origin::parse(&format!("https://{name}")).ok();
            origin.filter(|_| name.chars().all(of_a_name)).ok_or(SetUpError::PictureHosts)
        };
        self.hosts.iter().map(host).collect()
    }
}

/// What `payment_method` says for a tender (fact sheet U20). A tender without a word is left out, as is a mixed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentWords {
    /// For notes and coins.
    pub cash: Option<String>,
    /// For a payment card.
    pub card: Option<String>,
}

impl Default for PaymentWords {
    /// Only "cash" is known.
    fn default() -> Self {
        Self { cash: Some("cash".to_owned()), card: None }
    }
}

/// Everything that is configured.
#[derive(Clone)]
pub struct Settings {
    /// Scheme, host and port, for example `https://api.example.test`. The `/v1` is added by the program.
    pub base_url: String,
    /// The client id; it is sent in clear.
    pub key_id: String,
    /// The client secret, as text; used as signing key, never sent.
    pub secret: Secret,
    /// In which form the host is signed.
    pub profile: SigProfile,
    /// How fast the provider may be asked.
    pub pace: Limits,
    /// How long each call may take.
    pub deadlines: Deadlines,
    /// How POSA cards are named.
    pub posa: PosaRules,
    /// How tenders are named.
    pub payment_words: PaymentWords,
    /// Whether confirm, invalidate and the registration of a store carry an `Idempotency-Key` (fact sheet U10); the
    /// vendor's examples show none.
    pub key_on_actions: bool,
    /// Whether a confirm may be sent twice while its outcome is being found out (fact sheet U9).
    pub confirm_repeatable: bool,
    /// How long after its payment a card is taken back, for the products of which that is known (fact sheet U15).
    pub undo_windows: BTreeMap<ProductCode, Duration>,
    /// Where the pictures of products are named; without it none are fetched.
    pub pictures: Option<Pictures>,
    /// The country of a product that names none.
    pub country: Country,
    /// A PEM file with root certificates to be trusted beside the system's.
    pub extra_roots: Option<PathBuf>,
}

/// What is used unless something else is configured. The provider names no times of its own (fact sheet 6), so these are the
/// till's: what a customer at the counter bears, and what makes a slow answer an uncertain one.
pub const DEADLINES: Deadlines = Deadlines {
    // Nobody has paid yet, and a lost create costs nothing but another try.
    create: Duration::from_secs(10),
    // The customer has paid: after this the answer is being asked for, which takes up to 10 s more (law L3).
    confirm: Duration::from_secs(10),
    // Short, so that several fit into those 10 s.
    lookup: Duration::from_secs(3),
    // Nobody waits for it; longer would only hold up the next attempt.
    invalidate: Duration::from_secs(10),
    // A page of the catalogue may be large, and no customer waits.
    other: Duration::from_secs(20),
};

impl Settings {
    /// The settings with every default.
    pub fn new(base_url: String, key_id: String, secret: Secret, country: Country) -> Self {
        Self {
            base_url,
            key_id,
            secret,
            profile: SigProfile::default(),
            pace: Limits::default(),
            deadlines: DEADLINES,
            posa: PosaRules::default(),
            payment_words: PaymentWords::default(),
            key_on_actions: false,
            confirm_repeatable: true,
            undo_windows: BTreeMap::new(),
            pictures: None,
            country,
            extra_roots: None,
        }
    }

    /// Checks all but the base URL, the pictures and the certificates, and reads the base URL.
    pub(super) fn check(&self) -> Result<Origin, SetUpError> {
        let origin = Origin::parse(&self.base_url)?;
        let visible = |text: &str| text.chars().all(|character| character.is_ascii_graphic());
        if !(1..=128).contains(&self.key_id.len())
            || !visible(&self.key_id)
            || self.key_id.contains([',', '"', '\\'])
        {
            return Err(SetUpError::KeyId);
        }
        // A line end from a file would be signed with, and every call refused without a hint why.
        if !(8..=512).contains(&self.secret.reveal().len()) || !visible(self.secret.reveal()) {
            return Err(SetUpError::Secret);
        }
        let Deadlines { create, confirm, lookup, invalidate, other } = self.deadlines;
        let bounds = Duration::from_millis(100)..=Duration::from_secs(55);
        if [create, confirm, lookup, invalidate, other].iter().any(|deadline| !bounds.contains(deadline)) {
            return Err(SetUpError::Deadline);
        }
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        for rule in self.posa.by_product.values().chain(self.posa.default.as_ref()) {
            if let PosaRule::ExtraField(name) = rule
                && (!(1..=64).contains(&name.len())
                    || !name.chars().all(word)
                    || wire::CREATE_FIELDS.contains(&name.as_str()))
            {
                return Err(SetUpError::PosaField);
            }
        }
        for text in [&self.payment_words.cash, &self.payment_words.card].into_iter().flatten() {
            if !(1..=32).contains(&text.len())
                || !text.chars().all(|character| word(character) || character == '-')
            {
                return Err(SetUpError::PaymentWord);
            }
        }
        Ok(origin)
    }
}

impl fmt::Debug for Settings {
    /// Neither the secret nor the key id, and of the base URL nothing that has not been checked.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("origin", &Origin::parse(&self.base_url))
            .field("profile", &self.profile)
            .field("pace", &self.pace)
            .field("deadlines", &self.deadlines)
            .field("posa", &self.posa)
            .field("payment_words", &self.payment_words)
            .field("key_on_actions", &self.key_on_actions)
            .field("confirm_repeatable", &self.confirm_repeatable)
            .field("undo_windows", &self.undo_windows)
            .field("pictures", &self.pictures)
            .field("country", &self.country)
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
            "client-1".to_owned(),
            Secret::new("test-secret-0123456789abcdef".to_owned()),
            "DE".parse().unwrap(),
        )
    }

    #[test]
    fn a_setting_that_cannot_be_right_is_refused_by_name() {
        type Spoil = fn(&mut Settings);
        let cases: [(Spoil, Result<(), SetUpError>); 16] = [
            (|_| {}, Ok(())),
            (|it| it.base_url = "http://api.example.test".to_owned(), Err(SetUpError::NotHttps)),
            (|it| it.key_id.clear(), Err(SetUpError::KeyId)),
            (|it| it.key_id = "a, b".to_owned(), Err(SetUpError::KeyId)),
            (|it| it.key_id = "a\r\nHost:x".to_owned(), Err(SetUpError::KeyId)),
            (|it| it.secret = Secret::new(String::new()), Err(SetUpError::Secret)),
            (|it| it.secret = Secret::new("0123456789\n".to_owned()), Err(SetUpError::Secret)),
            (|it| it.deadlines.lookup = Duration::ZERO, Err(SetUpError::Deadline)),
            (|it| it.deadlines.other = Duration::from_mins(1), Err(SetUpError::Deadline)),
            (
                |it| it.posa.default = Some(PosaRule::ExtraField("store_id".to_owned())),
                Err(SetUpError::PosaField),
            ),
            (|it| it.posa.default = Some(PosaRule::ExtraField(String::new())), Err(SetUpError::PosaField)),
            (
                |it| {
                    it.posa.by_product.insert("1".parse().unwrap(), PosaRule::ExtraField("a\"b".to_owned()));
                },
                Err(SetUpError::PosaField),
            ),
            (|it| it.posa.default = Some(PosaRule::ExtraField("card_number".to_owned())), Ok(())),
            (|it| it.payment_words.card = Some(String::new()), Err(SetUpError::PaymentWord)),
            (|it| it.payment_words.card = Some("credit card".to_owned()), Err(SetUpError::PaymentWord)),
            (|it| it.payment_words.card = Some("credit_card".to_owned()), Ok(())),
        ];
        for (number, (spoil, expected)) in cases.into_iter().enumerate() {
            let mut settings = settings();
            spoil(&mut settings);
            assert_eq!(settings.check().map(|_| ()), expected, "case {number}");
        }
    }

    #[test]
    fn pictures_are_named_by_a_field_and_by_names_of_hosts() {
        let (field, hosts) = (Err(SetUpError::PictureField), Err(SetUpError::PictureHosts));
        let many = ["cdn.example.test"; Pictures::MOST_HOSTS + 1];
        for (name, of, expected) in [
            ("image_url", &[][..], Ok(0)),
            ("brand.logo_url", &["cdn.example.test", "static.example.test:8443"], Ok(2)),
            ("", &[], field),
            ("image url", &[], field),
            ("image_url", &["https://cdn.example.test"], hosts),
            ("image_url", &["cdn.example.test/pictures"], hosts),
            ("image_url", &["user@cdn.example.test"], hosts),
            ("image_url", &["10.0.0.1"], hosts),
            ("image_url", &["*"], hosts),
            ("image_url", &[""], hosts),
            ("image_url", &many, hosts),
        ] {
            let hosts = of.iter().map(|host| (*host).to_owned()).collect();
            let pictures = Pictures { field: name.to_owned(), hosts };
            assert_eq!(pictures.check().map(|hosts| hosts.len()), expected, "{name} {of:?}");
        }
    }

    #[test]
    fn no_debug_text_holds_the_secret_the_key_id_or_a_password_in_the_url() {
        let mut settings = settings();
        settings.base_url = "https://user:hunter22@api.example.test".to_owned();
        let shown = format!("{settings:?}");
        for secret in ["test-secret", "client-1", "hunter22"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
