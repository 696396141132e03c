//! The section `gift_local`: whose vouchers are redeemed. It may be left out; then none are.
//!
//! ```toml
//! [gift_local]
//! url          = "https://api.example.test"
//! key_file     = "/etc/tilld/gift_local.key"                  # or the systemd credential gift_local_key
//! currency     = "USD"                                        # of amounts; the provider's answers name none
//! organization = "5a3d0001-0000-4000-8000-000000000001"       # or location = "A1234", or neither
//! reverse      = { path = "/api/…", id_field = "…", repeatable = false }
//! scan         = { prefixes = ["~"], suffixes = [], links = ["https://gift.example/v/"], receipts = ["R"] }
//! ```
//!
//! The call that takes a redemption back is not published (fact sheet gift-local 4). Until the vendor has confirmed it to the shop
//! and `reverse` says so, what must be taken back is a manager's case, and the daemon says so at its start.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tilld_domain::money::{Currency, MoneyError};
use tilld_domain::voucher::scan::{LinkRule, ScanRules};
use tilld_providers::gift_local::{DEADLINES, Location, ReverseCall};
use tilld_providers::http::{Origin, SetUpError};
use tilld_providers::pace::Limits;
use tilld_providers::vouchers::VoucherDeadlines;
use uuid::Uuid;

use super::finperks::is_of_this_machine;
use super::secrets;
use super::sheet::Sheet;

/// Gift Local, without its key.
#[derive(Debug, Clone)]
pub struct GiftLocalConfig {
    /// Scheme, host and port.
    pub url: String,
    /// The file of the key; none if it is the systemd credential `gift_local_key`.
    pub key_file: Option<PathBuf>,
    /// Where vouchers are redeemed.
    pub location: Location,
    /// The currency of amounts, unless an answer names another.
    pub currency: Currency,
    /// How long each call may take.
    pub deadlines: VoucherDeadlines,
    /// How fast it may be asked.
    pub pace: Limits,
    /// How a redemption is taken back; none while that is not confirmed.
    pub reverse: Option<ReverseCall>,
    /// How vouchers are scanned at this shop.
    pub scan: ScanRules,
    /// Additional root certificates, PEM.
    pub roots_file: Option<PathBuf>,
    /// Whether it is all play there, and pages say so.
    pub sandbox: bool,
}

impl GiftLocalConfig {
    /// What an operator should read at the start; none if nothing is left open.
    pub fn warning(&self) -> Option<&'static str> {
        match &self.reverse {
            None => Some(
                "taking a redemption back is not confirmed with Gift Local: whatever must be taken back is a case for the \
                 manager; set gift_local.reverse.path and .id_field once the provider has named them",
            ),
            Some(ReverseCall { repeatable: false, .. }) => Some(
                "Gift Local has not confirmed what a second reversal does: one without an answer is a case for the manager; \
                 set gift_local.reverse.repeatable = true once it gives the value back only once",
            ),
            Some(ReverseCall { repeatable: true, .. }) => None,
        }
    }
}

/// Reads the section, if there is one. What is wrong with it is noted in the sheet.
pub(super) fn read(sheet: &mut Sheet) -> Option<GiftLocalConfig> {
    if sheet.names_below("gift_local").is_empty() {
        return None;
    }
    let url: Option<String> = sheet.required("gift_local.url", "https:// and the provider's host");
    if let Some(Err(error)) = url.as_deref().map(Origin::parse) {
        sheet.note("gift_local.url", &error.to_string());
    }
    let key_file: Option<PathBuf> = sheet.optional("gift_local.key_file", "a path");
    if key_file.is_none() && secrets::credential("gift_local_key").is_none() {
        sheet.note(
            "gift_local.key_file",
            "the path of a file that only this program may read, or the systemd credential gift_local_key",
        );
    }
    let currency = sheet.required::<CurrencyWord>("gift_local.currency", "an ISO 4217 code such as USD");
    let location = location(sheet);
    let mut seconds = |name: &str, usual: Duration| {
        Duration::from_secs(sheet.number(&format!("gift_local.deadlines.{name}_s"), 1, 55, usual.as_secs()))
    };
    let deadlines = VoucherDeadlines {
        validate: seconds("validate", DEADLINES.validate),
        redeem: seconds("redeem", DEADLINES.redeem),
        // There is no such call at this provider.
        lookup: DEADLINES.lookup,
        reverse: seconds("reverse", DEADLINES.reverse),
    };
    let usual = Limits::default();
    let per_second = sheet.number("gift_local.requests_per_second", 1, 10_000, u64::from(usual.per_second));
    let burst = sheet.number("gift_local.burst", 1, 10_000, u64::from(usual.burst));
    let reverse = reverse(sheet);
    let scan = scan(sheet);
    let roots_file = sheet.optional("gift_local.roots_file", "the path of a PEM file");
    let here = url.as_deref().is_some_and(is_of_this_machine);
    let sandbox = sheet.optional("gift_local.sandbox", "true or false").unwrap_or(here);
    Some(GiftLocalConfig {
        url: url?,
        key_file,
        location,
        currency: currency?.0,
        deadlines,
        pace: Limits {
            per_second: u32::try_from(per_second).unwrap_or(u32::MAX),
            burst: u32::try_from(burst).unwrap_or(u32::MAX),
        },
        reverse,
        scan,
        roots_file,
        sandbox,
    })
}

fn location(sheet: &mut Sheet) -> Location {
    let organization: Option<Uuid> =
        sheet.optional("gift_local.organization", "the location's id at the provider, a UUID");
    let name: Option<String> =
        sheet.optional("gift_local.location", "the location by the POS system's own name");
    let location = match (organization, name) {
        (None, None) => Location::OfTheKey,
        (Some(organization), None) => Location::Organization(organization),
        (None, Some(name)) => Location::PointOfSale(name),
        (Some(_), Some(_)) => {
            sheet.note(
                "gift_local.location",
                "either gift_local.organization or gift_local.location, not both",
            );
            Location::OfTheKey
        }
    };
    if let Err(error) = location.check() {
        sheet.note("gift_local.location", &error.to_string());
    }
    location
}

fn reverse(sheet: &mut Sheet) -> Option<ReverseCall> {
    const PATH: &str = "gift_local.reverse.path";
    const ID_FIELD: &str = "gift_local.reverse.id_field";
    const REPEATABLE: &str = "gift_local.reverse.repeatable";
    let path: Option<String> = sheet.optional(PATH, "the path of the call, from the root");
    let id_field: Option<String> = sheet.optional(ID_FIELD, "the field of the redemption's id");
    let repeatable = sheet.optional(REPEATABLE, "true or false").unwrap_or(false);
    if !sheet.has(PATH) && !sheet.has(ID_FIELD) {
        if sheet.has(REPEATABLE) {
            sheet.note(REPEATABLE, "it says nothing without gift_local.reverse.path and .id_field");
        }
        return None;
    }
    for (field, other) in [(PATH, ID_FIELD), (ID_FIELD, PATH)] {
        if !sheet.has(field) {
            sheet.note(field, &format!("{other} says nothing without it"));
        }
    }
    let call = ReverseCall { path: path?, id_field: id_field?, repeatable };
    if let Err(error) = call.check() {
        sheet.note(if error == SetUpError::ReversePath { PATH } else { ID_FIELD }, &error.to_string());
    }
    Some(call)
}

fn scan(sheet: &mut Sheet) -> ScanRules {
    const MOST: usize = 16;
    const LONGEST: usize = 128;
    let mut texts = |name: &str| {
        let field = format!("gift_local.scan.{name}");
        let texts = sheet.texts(&field, MOST, LONGEST);
        (field, texts)
    };
    let (prefix_field, prefixes) = texts("prefixes");
    let (suffix_field, suffixes) = texts("suffixes");
    let (receipt_field, receipts) = texts("receipts");
    let (link_field, written) = texts("links");
    let links: Option<Vec<LinkRule>> = written.iter().map(|text| link(text)).collect();
    if links.is_none() {
        sheet.note(&link_field, "wanted: links up to the token, such as https://gift.example/v/");
    }
    let links = links.unwrap_or_default();
    let none = Vec::new;
    // Each list alone, so that the wrong one can be named.
    for (field, rules) in [
        (&prefix_field, ScanRules::new(prefixes.clone(), none(), Vec::new(), none())),
        (&suffix_field, ScanRules::new(none(), suffixes.clone(), Vec::new(), none())),
        (&receipt_field, ScanRules::new(none(), none(), Vec::new(), receipts.clone())),
        (&link_field, ScanRules::new(none(), none(), links.clone(), Vec::new())),
    ] {
        if let Err(error) = rules {
            sheet.note(field, &error.to_string());
        }
    }
    ScanRules::new(prefixes, suffixes, links, receipts).unwrap_or_else(|_| ScanRules::plain())
}

/// Host and path of a link up to its token.
fn link(text: &str) -> Option<LinkRule> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, path) = rest.split_at(rest.find('/')?);
    Some(LinkRule { host: host.to_owned(), path: path.to_owned() })
}

/// An ISO 4217 code.
struct CurrencyWord(Currency);

impl FromStr for CurrencyWord {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Currency::from_code(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::Config;
    use super::*;

    const OTHERS: &str = r#"
till     = { store = "A1234", terminal = "T01", country = "DE" }
finperks = { url = "https://api.example.test", key_id = "k", secret_file = "/etc/tilld/finperks.secret" }
printer  = { network = "192.168.1.50:9100", columns = 42 }
"#;
    const LEAST: &str = r#"url = "https://gift.example", key_file = "/etc/tilld/g.key", currency = "USD""#;

    fn parsed(section: &str) -> Result<Option<GiftLocalConfig>, Vec<String>> {
        let text = format!("{OTHERS}{section}\n");
        match Config::parse(&text, &HashMap::new()) {
            Ok(config) => Ok(config.gift_local),
            Err(wrong) => Err(wrong.iter().map(ToString::to_string).collect()),
        }
    }

    fn section(more: &str) -> Result<GiftLocalConfig, Vec<String>> {
        parsed(&format!("gift_local = {{ {LEAST}{more} }}")).map(Option::unwrap)
    }

    #[test]
    fn it_is_play_on_this_machine_and_wherever_that_is_said() {
        const HERE: &str =
            r#"url = "http://127.0.0.1:8482", key_file = "/etc/tilld/g.key", currency = "EUR""#;
        for (section, expected) in [
            (LEAST.to_owned(), false),
            (format!("{LEAST}, sandbox = true"), true),
            (HERE.to_owned(), true),
            (format!("{HERE}, sandbox = false"), false),
        ] {
            let told = parsed(&format!("gift_local = {{ {section} }}")).unwrap().unwrap();
            assert_eq!(told.sandbox, expected, "{section}");
        }
    }

    #[test]
    fn without_the_section_no_vouchers_are_redeemed_and_three_fields_are_enough_for_one() {
        assert!(parsed("").unwrap().is_none());
        let least = section("").unwrap();
        assert_eq!((least.location, least.currency.code()), (Location::OfTheKey, "USD"));
        assert_eq!((least.deadlines, least.pace, least.reverse), (DEADLINES, Limits::default(), None));
        assert_eq!(least.scan, ScanRules::plain());
    }

    #[test]
    fn everything_that_is_written_is_taken() {
        let config = section(
            r#", organization = "5a3d0001-0000-4000-8000-000000000001", burst = 3, requests_per_second = 2,
            deadlines = { validate_s = 4, redeem_s = 12, reverse_s = 9 }, roots_file = "/r.pem",
            reverse = { path = "/api/take-back", id_field = "theID", repeatable = true },
            scan = { prefixes = ["~"], suffixes = ["%"], links = ["https://gift.example/v/"], receipts = ["R"] }"#,
        )
        .unwrap();
        assert_eq!(
            config.location,
            Location::Organization(Uuid::from_u128(0x5a3d_0001_0000_4000_8000_0000_0000_0001))
        );
        assert_eq!(config.deadlines.redeem, Duration::from_secs(12));
        assert_eq!(config.pace, Limits { per_second: 2, burst: 3 });
        let reverse =
            ReverseCall { path: "/api/take-back".to_owned(), id_field: "theID".to_owned(), repeatable: true };
        assert_eq!(config.reverse, Some(reverse));
        let token = config.scan.read("~https://gift.example/v/abcd_1234%").unwrap();
        assert_eq!(token.secret().reveal(), "abcd_1234");
        assert!(config.scan.read("https://elsewhere.example/v/abcd_1234").is_err());
        assert!(config.scan.read("R0000000001").is_err());
    }

    #[test]
    fn each_wrong_field_is_named_with_its_line() {
        for (more, expected) in [
            (r#", organization = "x""#, "line 5: gift_local.organization: \"x\" is not right"),
            (
                r#", organization = "5a3d0001-0000-4000-8000-000000000001", location = "A1""#,
                "line 5: gift_local.location: either gift_local.organization or gift_local.location",
            ),
            (r#", location = " A1""#, "line 5: gift_local.location: the location must be 1 to 64"),
            (r", deadlines = { redeem_s = 0 }", "line 5: gift_local.deadlines.redeem_s: 0 is not right"),
            (
                r", deadlines = { lookup_s = 3 }",
                "line 5: gift_local.deadlines.lookup_s: there is no such field",
            ),
            (r", burst = 0", "line 5: gift_local.burst: 0 is not right"),
            (
                r#", reverse = { path = "api", id_field = "x" }"#,
                "line 5: gift_local.reverse.path: the path of the reversal must begin with /",
            ),
            (
                r#", reverse = { path = "/api", id_field = "organizationID" }"#,
                "line 5: gift_local.reverse.id_field: the field of the reversal must be",
            ),
            (
                r#", reverse = { path = "/api" }"#,
                "missing: gift_local.reverse.id_field: gift_local.reverse.path says nothing without it",
            ),
            (r", reverse = { repeatable = true }", "line 5: gift_local.reverse.repeatable: it says nothing"),
            (r#", scan = { prefixes = [""] }"#, "line 5: gift_local.scan.prefixes: what a scanner adds has"),
            (
                r#", scan = { suffixes = ["12"] }"#,
                "line 5: gift_local.scan.suffixes: what a scanner adds cannot be",
            ),
            (r#", scan = { receipts = [""] }"#, "line 5: gift_local.scan.receipts: what a scanner adds has"),
            (
                r#", scan = { links = ["gift.example"] }"#,
                "line 5: gift_local.scan.links: wanted: links up to",
            ),
            (r#", scan = { links = ["https://G/v/"] }"#, "line 5: gift_local.scan.links: a link's host is"),
            (
                r#", scan = { links = ["https://g.example/v"] }"#,
                "line 5: gift_local.scan.links: a link's path",
            ),
            (r#", key = "secret""#, "line 5: gift_local.key: there is no such field"),
        ] {
            let lines = section(more).err().unwrap_or_default();
            assert!(lines.iter().any(|line| line.starts_with(expected)), "{more}: {lines:?}");
            assert_eq!(lines.len(), 1, "{lines:?}");
        }
        for (whole, expected) in [
            ("gift_local = { burst = 3 }", "missing: gift_local.url:"),
            ("gift_local = { burst = 3 }", "missing: gift_local.key_file: the path of a file that only"),
            ("gift_local = { burst = 3 }", "missing: gift_local.currency: an ISO 4217 code"),
            (
                r#"gift_local = { url = "http://gift.example" }"#,
                "line 5: gift_local.url: the base URL must begin",
            ),
            (r#"gift_local = { currency = "EURO" }"#, "line 5: gift_local.currency: \"EURO\" is not right"),
            ("gift_local = 5", "line 5: gift_local: there is no such field"),
        ] {
            let lines = parsed(whole).err().unwrap_or_default();
            assert!(lines.iter().any(|line| line.starts_with(expected)), "{whole}: {lines:?}");
        }
    }

    #[test]
    fn the_key_is_read_from_a_file_that_nobody_else_may_read() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g.key");
        std::fs::write(&path, "test-key-0123456789abcdef\n").unwrap();
        let config = GiftLocalConfig { key_file: Some(path.clone()), ..section("").unwrap() };
        for (mode, expected) in [(0o644, Some("chmod 600")), (0o600, None)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let built = crate::daemon::gift_local(&config);
            let wrong = built.err().map(|error| format!("{error:#}"));
            assert_eq!(wrong.is_some(), expected.is_some(), "{wrong:?}");
            assert!(wrong.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
        std::fs::write(&path, "two words\n").unwrap();
        let wrong = format!("{:#}", crate::daemon::gift_local(&config).unwrap_err());
        assert!(wrong.starts_with("Gift Local is not set up right: the secret must be"), "{wrong}");
        assert!(!wrong.contains("two words"));
    }

    #[test]
    fn a_reversal_that_is_not_confirmed_is_said_to_whoever_starts() {
        let reverse = |repeatable: bool| {
            let written =
                format!(r#", reverse = {{ path = "/a", id_field = "b", repeatable = {repeatable} }}"#);
            section(&written).unwrap().warning()
        };
        assert!(section("").unwrap().warning().unwrap().contains("gift_local.reverse.path"));
        assert!(reverse(false).unwrap().contains("gift_local.reverse.repeatable"));
        assert_eq!(reverse(true), None);
    }
}
