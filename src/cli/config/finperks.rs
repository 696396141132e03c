//! The section `finperks`: who is bought from.
//!
//! ```toml
//! [finperks]
//! url         = "https://api.example.test"
//! key_id      = "…"
//! secret_file = "/etc/tilld/finperks.secret"                  # or the systemd credential finperks_secret
//! posa        = { default = "scanned", products = { SHOES_50 = "field:cardNumber" } }
//! undo_windows_s = { SHOES_50 = 3600 }
//! pictures    = { field = "image_url", hosts = ["cdn.example.test"] }
//! ```
//!
//! What finperks has not answered yet is a field here, not a guess in the code: the form of the signed host (fact sheet U1), the
//! pace (U24), how rack cards and tenders are named (U19, U20), where a product names its picture (3.5), for how long a product is taken back (U15), whether an action carries a key (U10) and may be repeated (U9).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tilld_domain::ids::ProductCode;
use tilld_domain::money::{Currency, Money};
use tilld_providers::Deadlines;
use tilld_providers::finperks::{DEADLINES, PaymentWords, Pictures, PosaRule, PosaRules, SigProfile};
use tilld_providers::http::{Origin, SetUpError};
use tilld_providers::pace::Limits;

use super::secrets;
use super::sheet::Sheet;

/// The longest time in s for which a card may be taken back.
pub(super) const LONGEST_UNDO_WINDOW_S: u64 = 90 * 24 * 3600;

/// finperks, without its secret.
#[derive(Debug, Clone)]
pub struct FinperksConfig {
    /// Scheme, host and port.
    pub url: String,
    /// The client id.
    pub key_id: String,
    /// The file of the secret; none if it is the systemd credential `finperks_secret`.
    pub secret_file: Option<PathBuf>,
    /// In which form the host is signed (fact sheet U1).
    pub signature: SigProfile,
    /// How fast it may be asked (fact sheet U24).
    pub pace: Limits,
    /// How long each call may take.
    pub deadlines: Deadlines,
    /// How POSA cards are named (fact sheet U19).
    pub posa: PosaRules,
    /// How tenders are named (fact sheet U20).
    pub payment_words: PaymentWords,
    /// Where products name their pictures (fact sheet 3.5); without it none are fetched.
    pub pictures: Option<Pictures>,
    /// Whether confirm and invalidate carry a key (fact sheet U10).
    pub key_on_actions: bool,
    /// Whether a confirm may be repeated (fact sheet U9).
    pub confirm_repeatable: bool,
    /// How long after its payment a card is taken back, for the products of which that is known.
    pub undo_windows: BTreeMap<ProductCode, Duration>,
    /// Additional root certificates, PEM.
    pub roots_file: Option<PathBuf>,
    /// Whether it is all play there, and pages say so.
    pub sandbox: bool,
    /// Below what a balance there is low, for the currencies that are named.
    pub low_balances: Vec<Money>,
}

/// Reads the section. What is wrong with it is noted in the sheet.
pub(super) fn read(sheet: &mut Sheet) -> Option<FinperksConfig> {
    let url: Option<String> = sheet.required("finperks.url", "https:// and the provider's host");
    let key_id: Option<String> = sheet.required("finperks.key_id", "the client id that finperks gave out");
    if let Some(Err(error)) = url.as_deref().map(Origin::parse) {
        sheet.note("finperks.url", &error.to_string());
    }
    let key_is_plain =
        |key: &str| (1..=128).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic());
    if key_id.as_deref().is_some_and(|key| !key_is_plain(key)) {
        sheet.note("finperks.key_id", "wanted: 1 to 128 visible ASCII characters");
    }
    let secret_file: Option<PathBuf> = sheet.optional("finperks.secret_file", "a path");
    if secret_file.is_none() && secrets::credential("finperks_secret").is_none() {
        sheet.note(
            "finperks.secret_file",
            "the path of a file that only this program may read, or the systemd credential finperks_secret",
        );
    }
    let signature =
        sheet.optional::<Signature>("finperks.signature", "with_port or bare").unwrap_or_default().0;
    let usual = Limits::default();
    let per_second = sheet.number("finperks.requests_per_second", 1, 10_000, u64::from(usual.per_second));
    let burst = sheet.number("finperks.burst", 1, 10_000, u64::from(usual.burst));
    let mut seconds = |name: &str, usual: Duration| {
        Duration::from_secs(sheet.number(&format!("finperks.deadlines.{name}_s"), 1, 55, usual.as_secs()))
    };
    let deadlines = Deadlines {
        create: seconds("create", DEADLINES.create),
        confirm: seconds("confirm", DEADLINES.confirm),
        lookup: seconds("lookup", DEADLINES.lookup),
        invalidate: seconds("invalidate", DEADLINES.invalidate),
        other: seconds("other", DEADLINES.other),
    };
    let posa = posa(sheet);
    let pictures = pictures(sheet);
    let usual = PaymentWords::default();
    let payment_words = PaymentWords {
        cash: sheet.optional("finperks.payment_words.cash", "finperks' word for cash").or(usual.cash),
        card: sheet
            .optional("finperks.payment_words.card", "finperks' word for a payment card")
            .or(usual.card),
    };
    let key_on_actions = sheet.optional("finperks.key_on_actions", "true or false").unwrap_or(false);
    let confirm_repeatable = sheet.optional("finperks.confirm_repeatable", "true or false").unwrap_or(true);
    let undo_windows = undo_windows(sheet);
    let roots_file = sheet.optional("finperks.roots_file", "the path of a PEM file");
    let here = url.as_deref().is_some_and(is_of_this_machine);
    let sandbox = sheet.optional("finperks.sandbox", "true or false").unwrap_or(here);
    let low_balances = low_balances(sheet);
    Some(FinperksConfig {
        sandbox,
        low_balances,
        url: url?,
        key_id: key_id?,
        secret_file,
        signature,
        pace: Limits {
            per_second: u32::try_from(per_second).unwrap_or(u32::MAX),
            burst: u32::try_from(burst).unwrap_or(u32::MAX),
        },
        deadlines,
        posa,
        pictures,
        payment_words,
        key_on_actions,
        confirm_repeatable,
        undo_windows,
        roots_file,
    })
}

fn low_balances(sheet: &mut Sheet) -> Vec<Money> {
    let mut low = Vec::new();
    for code in sheet.names_below("finperks.low_balance") {
        let field = format!("finperks.low_balance.{code}");
        let amount: Option<String> = sheet.optional(&field, "an amount such as \"500.00\"");
        let Some(amount) = amount else { continue };
        let money =
            Currency::from_code(&code).and_then(|currency| Money::from_decimal_text(&amount, currency));
        match money {
            Ok(money) => low.push(money),
            Err(error) => sheet.note(&field, &error.to_string()),
        }
    }
    low
}

fn posa(sheet: &mut Sheet) -> PosaRules {
    const WANTED: &str = "\"scanned\" (the scanned code is the product code), or \"field:NAME\" (it goes into a field of that name)";
    let default = sheet.optional::<PosaWord>("finperks.posa.default", WANTED).map(|word| word.0);
    let mut by_product = BTreeMap::new();
    for name in sheet.names_below("finperks.posa.products") {
        let field = format!("finperks.posa.products.{name}");
        let rule = sheet.optional::<PosaWord>(&field, WANTED);
        match (name.parse::<ProductCode>(), rule) {
            (Ok(product), Some(rule)) => {
                by_product.insert(product, rule.0);
            }
            (Err(error), _) => sheet.note(&field, &format!("the product code is not right: {error}")),
            (_, None) => {}
        }
    }
    PosaRules { default, by_product }
}

/// No longer than a window of all products may be.
fn undo_windows(sheet: &mut Sheet) -> BTreeMap<ProductCode, Duration> {
    let mut windows = BTreeMap::new();
    for name in sheet.names_below("finperks.undo_windows_s") {
        let field = format!("finperks.undo_windows_s.{name}");
        let seconds = sheet.number(&field, 1, LONGEST_UNDO_WINDOW_S, 1);
        match name.parse::<ProductCode>() {
            Ok(product) => {
                windows.insert(product, Duration::from_secs(seconds));
            }
            Err(error) => sheet.note(&field, &format!("the product code is not right: {error}")),
        }
    }
    windows
}

fn pictures(sheet: &mut Sheet) -> Option<Pictures> {
    const WANTED: &str = "the name of the field in which a product names its picture, for example image_url";
    let hosts = sheet.texts("finperks.pictures.hosts", Pictures::MOST_HOSTS, 253);
    let field = if hosts.is_empty() {
        sheet.optional("finperks.pictures.field", WANTED)
    } else {
        sheet.required("finperks.pictures.field", WANTED)
    };
    let pictures = Pictures { field: field?, hosts };
    if let Err(error) = pictures.check() {
        let wrong = if error == SetUpError::PictureHosts { "hosts" } else { "field" };
        sheet.note(&format!("finperks.pictures.{wrong}"), &error.to_string());
    }
    Some(pictures)
}

/// Whether a URL names this machine itself, where there is no provider but a simulated one.
pub(super) fn is_of_this_machine(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// `with_port` or `bare`.
#[derive(Default)]
struct Signature(SigProfile);

impl FromStr for Signature {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "with_port" => Ok(Self(SigProfile::WithPort)),
            "bare" => Ok(Self(SigProfile::Bare)),
            _ => Err("there is no such form"),
        }
    }
}

/// `scanned` or `field:NAME`.
struct PosaWord(PosaRule);

impl FromStr for PosaWord {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "scanned" => Ok(Self(PosaRule::ScannedAsProductCode)),
            Some(("field", name)) if !name.is_empty() => Ok(Self(PosaRule::ExtraField(name.to_owned()))),
            _ => Err("there is no such rule"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WHOLE, wrong};

    #[test]
    fn pictures_are_named_by_a_field_and_by_hosts_that_can_be_some() {
        let with = |pictures: &str| {
            wrong(&WHOLE.replace("key_id = \"k\"", &format!("key_id = \"k\", pictures = {pictures}")))
        };
        for (pictures, expected) in [
            (r#"{ field = "image_url" }"#, None),
            (r#"{ field = "brand.logo", hosts = ["cdn.example.test", "s.example.test:8443"] }"#, None),
            (r#"{ hosts = ["cdn.example.test"] }"#, Some("missing: finperks.pictures.field: ")),
            (r#"{ field = "image url" }"#, Some("line 3: finperks.pictures.field: ")),
            (
                r#"{ field = "x", hosts = ["https://cdn.example.test"] }"#,
                Some("line 3: finperks.pictures.hosts: "),
            ),
            (r#"{ field = "x", hosts = 5 }"#, Some("line 3: finperks.pictures.hosts: ")),
            (
                r#"{ field = "x", host = "y" }"#,
                Some("line 3: finperks.pictures.host: there is no such field"),
            ),
        ] {
            let found = with(pictures);
            let as_expected = match expected {
                None => found.is_empty(),
                Some(begins) => found.len() == 1 && found.iter().all(|wrong| wrong.starts_with(begins)),
            };
            assert!(as_expected, "{pictures}: {found:?}");
        }
    }

    #[test]
    fn a_product_may_have_an_undo_window_of_its_own() {
        let with = |windows: &str| {
            wrong(&WHOLE.replace("key_id = \"k\"", &format!("key_id = \"k\", undo_windows_s = {windows}")))
        };
        assert!(with("{ 4001232100046 = 60, SHOES_50 = 7776000 }").is_empty());
        for (windows, expected) in [
            ("{ SHOES_50 = 0 }", "line 3: finperks.undo_windows_s.SHOES_50: 0 is not right"),
            ("{ SHOES_50 = 7776001 }", "line 3: finperks.undo_windows_s.SHOES_50: 7776001 is not right"),
            ("{ SHOES_50 = \"long\" }", "line 3: finperks.undo_windows_s.SHOES_50: "),
            (
                "{ \"SHOES 50\" = 60 }",
                "line 3: finperks.undo_windows_s.SHOES 50: the product code is not right",
            ),
        ] {
            let found = with(windows);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{windows}: {found:?}");
        }
    }

    #[test]
    fn a_field_within_a_line_of_several_is_named_with_that_line() {
        let guessed = WHOLE.replace("key_id = \"k\"", "key_id = \"k\", posa = { default = \"guess\" }");
        let expected = "line 3: finperks.posa.default: \"guess\" is not right";
        assert!(wrong(&guessed).iter().any(|found| found.starts_with(expected)), "{:?}", wrong(&guessed));
    }
}
