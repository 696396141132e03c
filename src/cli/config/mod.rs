//! The configuration: one TOML file, checked as a whole before anything starts.
//!
//! Three lines are needed, everything else has a default that is written beside it here and in the README:
//!
//! ```toml
//! till     = { store = "A1234", terminal = "T01", country = "DE" }
//! finperks = { url = "https://api.example.test", key_id = "…", secret_file = "/etc/tilld/finperks.secret" }
//! printer  = { network = "192.168.1.50:9100", columns = 42 }
//! ```
//!
//! No secret is ever a value: only a path, or the name of a systemd credential.

mod finperks;
mod gift_local;
mod managers;
mod printer;
mod scanners;
pub mod secrets;
mod sheet;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tilld_api::Manager;
use tilld_counter::{Place, Settings as CounterSettings};
use tilld_devices::logo;
use tilld_domain::ids::{Country, Locale, StoreId, TerminalId};
use tilld_domain::money::{Currency, MoneyError};
use tilld_domain::order::Rules;
use tilld_domain::pauses::{FAILURES_TOLD_APART, UndoTimes};
use tilld_domain::redemption;
use tilld_domain::slip::Picture;
use tilld_receipts::slip::ShopTexts;

pub use finperks::FinperksConfig;
pub use gift_local::GiftLocalConfig;
pub use printer::PrinterConfig;
pub use scanners::{ScannerConfig, ScannerPort};
use sheet::Sheet;
pub use sheet::{Place as WrittenAt, Wrong};

/// The lines that a configuration cannot do without, as they are shown to whoever starts without one.
pub const THREE_LINES: &str = r#"till     = { store = "A1234", terminal = "T01", country = "DE" }
finperks = { url = "https://<the provider's host>", key_id = "<client id>", secret_file = "/etc/tilld/finperks.secret" }
printer  = { network = "192.168.1.50:9100", columns = 42 }"#;

/// The fields of those lines that are needed.
const THEIR_FIELDS: [&str; 7] = [
    "till.store",
    "till.terminal",
    "till.country",
    "finperks.url",
    "finperks.key_id",
    "finperks.secret_file",
    "printer.network",
];

/// Everything that an operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the till stands, and what its slips look like.
    pub place: Place,
    /// Who is bought from.
    pub finperks: FinperksConfig,
    /// Whose vouchers are redeemed; without it none are.
    pub gift_local: Option<GiftLocalConfig>,
    /// Where slips are printed.
    pub printer: PrinterConfig,
    /// Where they are printed when that printer cannot; without it nowhere.
    pub spare_printer: Option<PrinterConfig>,
    /// What is scanned with.
    pub scanners: Vec<ScannerConfig>,
    /// Where everything is written down.
    pub journal: JournalConfig,
    /// Where tills are served.
    pub api: ApiConfig,
    /// In what is mostly paid at this till, where that is known.
    pub currency: Option<Currency>,
    /// Who may sign in on a screen as manager.
    pub managers: Vec<Manager>,
    /// How the counter behaves.
    pub counter: CounterSettings,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// The journal.
#[derive(Debug, Clone)]
pub struct JournalConfig {
    /// Its folder.
    pub folder: PathBuf,
    /// The key that seals codes; none if it is the systemd credential `journal_key`.
    pub key_file: Option<PathBuf>,
    /// For how long the code of a sold card can be printed again.
    pub keep_codes: Duration,
}

/// The local door.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// A loopback address; port 0 for any free one.
    pub listen: SocketAddr,
    /// Where the token is kept that tills show.
    pub token_file: PathBuf,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// Which levels, as `tracing` filters are written: `info`, `tilld_counter=debug,info`.
    pub filter: String,
}

/// Why a configuration is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// It cannot be read.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Fields are wrong; all of them.
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Every one of them.
        fields: Vec<Wrong>,
    },
}

impl ConfigError {
    /// Whether the lines are what is needed: there is no file, or it lacks a field of them.
    pub(crate) fn wants_the_three_lines(&self) -> bool {
        match self {
            Self::Unreadable { path, .. } => !path.exists(),
            Self::Wrong { fields, .. } => fields.iter().any(|field| {
                field.place == WrittenAt::Missing && THEIR_FIELDS.contains(&field.field.as_str())
            }),
        }
    }

    /// Whether nothing is said about a printer.
    pub(crate) fn lacks_a_printer(&self) -> bool {
        match self {
            Self::Unreadable { path, .. } => !path.exists(),
            Self::Wrong { fields, .. } => fields
                .iter()
                .any(|field| field.place == WrittenAt::Missing && field.field == "printer.network"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => {
                write!(out, "{} cannot be read: {why}", path.display())?;
            }
            Self::Wrong { path, fields } => {
                write!(out, "{} is not right:", path.display())?;
                for field in fields {
                    write!(out, "\n  {field}")?;
                }
            }
        }
        if self.wants_the_three_lines() {
            write!(out, "\n\nA configuration needs three lines:\n\n{THREE_LINES}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The greatest size of a configuration file in bytes.
const LARGEST: u64 = 256 * 1024;

impl Config {
    /// Reads a file and the environment, and checks everything in them.
    pub fn load(path: &Path, environment: &HashMap<String, String>) -> Result<Self, ConfigError> {
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > LARGEST {
            return Err(unreadable(format!("it is larger than {LARGEST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let wrong = |fields| ConfigError::Wrong { path: path.to_owned(), fields };
        let config = Self::parse(&text, environment).map_err(wrong)?;
        match managers::exposed(&config.managers, &text, path) {
            Some(exposed) => Err(wrong(vec![exposed])),
            None => Ok(config),
        }
    }

    /// Checks a configuration's text and the environment as a whole.
    pub fn parse(text: &str, environment: &HashMap<String, String>) -> Result<Self, Vec<Wrong>> {
        let mut sheet = Sheet::read(text, environment)?;
        let mut place = place(&mut sheet);
        let finperks = finperks::read(&mut sheet);
        let gift_local = gift_local::read(&mut sheet);
        let printer = printer::read(&mut sheet);
        let spare_printer = printer::read_spare(&mut sheet);
        let scanners = scanners::read(&mut sheet);
        let dots = printer.as_ref().map_or(u16::MAX, |printer| printer.profile.dots);
        if let (logo @ Some(_), Some(place)) = (logo(&mut sheet, dots), &mut place) {
            place.texts.logo = logo;
        }
        let currency = currency(&mut sheet, place.as_ref().map(|place| &place.country));
        let managers = managers::read(&mut sheet);
        let journal = journal(&mut sheet);
        let api = api(&mut sheet, &journal.folder);
        let counter = counter(&mut sheet, finperks.as_ref());
        let log = LogConfig {
            json: sheet.optional::<LogFormat>("log.format", "text or json").is_some_and(|format| format.0),
            filter: sheet.optional("log.filter", "levels such as info").unwrap_or_else(|| "info".to_owned()),
        };
        let wrong = sheet.finish();
        match (place, finperks, printer) {
            (Some(place), Some(finperks), Some(printer)) if wrong.is_empty() => Ok(Self {
                place,
                finperks,
                gift_local,
                printer,
                spare_printer,
                scanners,
                journal,
                api,
                currency,
                managers,
                counter,
                log,
            }),
            _ => Err(wrong),
        }
    }
}

fn place(sheet: &mut Sheet) -> Option<Place> {
    let store: Option<StoreId> =
        sheet.required("till.store", "the store's own id, as registered at the provider");
    let terminal: Option<TerminalId> = sheet.required("till.terminal", "this till's id, for example T01");
    let country: Option<Country> = sheet.required("till.country", "two letters, for example DE");
    if let Some(code) = &country
        && code.as_str().parse::<iso_currency::Country>().is_err()
    {
        sheet.note(
            "till.country",
            &format!("there is no country {code}; wanted: its two letters in ISO 3166, for example DE"),
        );
    }
    let locale: Option<Locale> = sheet.optional("till.locale", "a language tag such as de-DE");
    let zone: Option<String> = sheet.optional("till.zone", "an IANA time zone such as Europe/Berlin");
    let zone = match zone {
        Some(zone) => {
            if jiff::tz::TimeZone::get(&zone).is_err() {
                sheet.note("till.zone", "there is no such time zone; wanted: one such as Europe/Berlin");
            }
            zone
        }
        None => jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
    };
    let texts = ShopTexts {
        logo: None,
        header: sheet.texts("slip.header", 12, 200),
        footer: sheet.texts("slip.footer", 12, 200),
    };
    let columns = sheet.columns("slip.characters_per_line");
    let slip_numbers = sheet.optional("slip.number", "true or false").unwrap_or(true);
    let (store, terminal, country) = (store?, terminal?, country?);
    let locale = locale.or_else(|| default_locale(&country).parse().ok())?;
    Some(Place { store, terminal, country, locale, zone, texts, columns, slip_numbers })
}

/// The language of most customers of a country; English where this table does not know it.
fn default_locale(country: &Country) -> &'static str {
    match country.as_str() {
        "DE" => "de-DE",
        "AT" => "de-AT",
        "CH" => "de-CH",
        "FR" => "fr-FR",
        "IT" => "it-IT",
        "ES" => "es-ES",
        "NL" => "nl-NL",
        "PL" => "pl-PL",
        "IE" => "en-IE",
        _ => "en-GB",
    }
}

/// In what is mostly paid at the till: what pages show before they know a product. None where it is not said and this table
/// does not know the country's.
fn currency(sheet: &mut Sheet, country: Option<&Country>) -> Option<Currency> {
    let said = sheet.optional::<CurrencyWord>("till.currency", "a currency (ISO 4217), for example EUR");
    if let Some(CurrencyWord(currency)) = said {
        return Some(currency);
    }
    let code = match country?.as_str() {
        "AT" | "BE" | "BG" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT" | "LT"
        | "LU" | "LV" | "MT" | "NL" | "PT" | "SI" | "SK" => "EUR",
        "CH" | "LI" => "CHF",
        "CZ" => "CZK",
        "DK" => "DKK",
        "GB" => "GBP",
        "HU" => "HUF",
        "JP" => "JPY",
        "NO" => "NOK",
        "PL" => "PLN",
        "RO" => "RON",
        "SE" => "SEK",
        "US" => "USD",
        _ => return None,
    };
    Currency::from_code(code).ok()
}

/// An ISO 4217 code.
struct CurrencyWord(Currency);

impl std::str::FromStr for CurrencyWord {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Currency::from_code(text).map(Self)
    }
}

/// The shop's logo, as wide as the printer's paper at most.
fn logo(sheet: &mut Sheet, dots: u16) -> Option<Picture> {
    let path: PathBuf = sheet.optional("slip.logo", "the path of a PNG picture")?;
    logo::read(&path, dots).map_err(|why| sheet.note("slip.logo", &format!("{} {why}", shown(&path)))).ok()
}

/// A path as a terminal may show it.
fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

fn journal(sheet: &mut Sheet) -> JournalConfig {
    let folder: PathBuf = sheet
        .optional("journal.folder", "a path")
        .or_else(|| std::env::var_os("STATE_DIRECTORY").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("/var/lib/tilld"));
    let key_file: Option<PathBuf> = sheet.optional("journal.key_file", "a path");
    let key_file = match key_file {
        None if secrets::credential("journal_key").is_some() => None,
        None => Some(folder.join("journal.key")),
        named => named,
    };
    let hours = sheet.number("journal.keep_codes_h", 1, 24 * 31, 24);
    JournalConfig { folder, key_file, keep_codes: Duration::from_hours(hours) }
}

fn api(sheet: &mut Sheet, folder: &Path) -> ApiConfig {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8480));
    let listen =
        sheet.optional("api.listen", "an address on this machine such as 127.0.0.1:8480").unwrap_or(usual);
    // Other loopback addresses exist; the guard knows these two by name.
    let known = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if !known.contains(&listen.ip()) {
        sheet.note(
            "api.listen",
            "only an address on this machine is served: 127.0.0.1 or [::1], for example 127.0.0.1:8480",
        );
    }
    let token_file = sheet.optional("api.token_file", "a path").unwrap_or_else(|| folder.join("api.token"));
    ApiConfig { listen, token_file }
}

fn counter(sheet: &mut Sheet, finperks: Option<&FinperksConfig>) -> CounterSettings {
    let usual = CounterSettings::DESIGN;
    let failures = after_failures(sheet, usual.rules.undo);
    let mut seconds = |name: &str, most: u64, usual: Duration| {
        Duration::from_secs(sheet.number(&format!("times.{name}_s"), 1, most, usual.as_secs()))
    };
    let rules = Rules {
        fresh: seconds("fresh", 24 * 3600, usual.rules.fresh),
        create_again: seconds("create_again", 3600, usual.rules.create_again),
        ask: seconds("ask", 120, usual.rules.ask),
        ask_processing: seconds("ask_processing", 300, usual.rules.ask_processing),
        resume: seconds("resume", 3600, usual.rules.resume),
        print_wait: seconds("print_wait", 24 * 3600, usual.rules.print_wait),
        quiet: seconds("quiet", 24 * 3600, usual.rules.quiet),
        undo_window: seconds("undo_window", finperks::LONGEST_UNDO_WINDOW_S, usual.rules.undo_window),
        print_attempts: usual.rules.print_attempts,
        undo: usual.rules.undo,
        confirm_repeatable: finperks.is_none_or(|finperks| finperks.confirm_repeatable),
    };
    let undo = UndoTimes {
        stuck: seconds("undo_stuck", 24 * 3600, usual.rules.undo.stuck),
        call_after: seconds("call_after", 24 * 3600, usual.rules.undo.call_after),
        ..failures
    };
    // What a sale and a redemption both wait for has one name.
    let redeeming = redemption::Rules {
        ask: rules.ask,
        ask_processing: rules.ask_processing,
        resume: rules.resume,
        quiet: rules.quiet,
        undo,
        settle: seconds("settle", 600, usual.redeeming.settle),
        compare: seconds("compare", 3600, usual.redeeming.compare),
        accept: seconds("accept", 3600, usual.redeeming.accept),
        complete: seconds("complete", 24 * 3600, usual.redeeming.complete),
        offers: usual.redeeming.offers,
    };
    let attempts = sheet.number("times.print_attempts", 1, 10, u64::from(usual.rules.print_attempts));
    let most = sheet.number("api.sales_at_once", 1, 1000, u64::try_from(usual.most_at_once).unwrap_or(64));
    CounterSettings {
        rules: Rules { print_attempts: u16::try_from(attempts).unwrap_or(3), undo, ..rules },
        redeeming,
        most_at_once: usize::try_from(most).unwrap_or(64),
        ..usual
    }
}

/// The pauses between undos, and after how many failures a manager is called. Fewer pauses than are told apart: the last goes on.
fn after_failures(sheet: &mut Sheet, usual: UndoTimes) -> UndoTimes {
    let told_apart = usual.pauses.len();
    let seconds = usual.pauses.map(|pause| pause.as_secs());
    let written = sheet.numbers("times.undo_pauses_s", &(1..=3600), told_apart, &seconds);
    let mut pauses = usual.pauses;
    for (pause, written) in pauses.iter_mut().zip(written.iter().chain(written.last().into_iter().cycle())) {
        *pause = Duration::from_secs(*written);
    }
    let most = u64::from(FAILURES_TOLD_APART);
    let failures = sheet.number("times.call_after_failures", 1, most, u64::from(usual.call_after_failures));
    let call_after_failures = u32::try_from(failures).unwrap_or(usual.call_after_failures);
    UndoTimes { pauses, call_after_failures, ..usual }
}

/// `text` or `json`.
struct LogFormat(bool);

impl std::str::FromStr for LogFormat {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self(false)),
            "json" => Ok(Self(true)),
            _ => Err("there is no such format"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const WHOLE: &str = r#"
till     = { store = "A1234", terminal = "T01", country = "DE" }
finperks = { url = "https://api.example.test", key_id = "k", secret_file = "/etc/tilld/finperks.secret" }
printer  = { network = "192.168.1.50:9100", columns = 42 }
"#;

    pub(super) fn wrong(text: &str) -> Vec<String> {
        Config::parse(text, &HashMap::new())
            .err()
            .map(|wrong| wrong.iter().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    #[test]
    fn the_configuration_that_is_shipped_as_an_example_is_right() {
        let config = Config::parse(include_str!("../../../systemd/tilld.toml"), &HashMap::new()).unwrap();
        assert_eq!(config.place.country.as_str(), "DE");
    }

    #[test]
    fn a_balance_is_low_below_an_amount_of_its_own_currency() {
        let with = |low: &str| WHOLE.replace("key_id", &format!("low_balance = {{ {low} }}, key_id"));
        let config = Config::parse(&with(r#"EUR = "500", CHF = "200.50""#), &HashMap::new()).unwrap();
        let low: Vec<String> = config.finperks.low_balances.iter().map(ToString::to_string).collect();
        assert_eq!(low, ["200.50 CHF", "500.00 EUR"]);
        for (low, field) in [
            (r#"EUR = "500.001""#, "finperks.low_balance.EUR"),
            (r#"EUR = "-1""#, "finperks.low_balance.EUR"),
            (r#"EURO = "500""#, "finperks.low_balance.EURO"),
        ] {
            let wrong = Config::parse(&with(low), &HashMap::new()).err().unwrap();
            assert_eq!(wrong.iter().map(|wrong| wrong.field.as_str()).collect::<Vec<_>>(), [field], "{low}");
        }
    }

    #[test]
    fn a_country_is_one_that_there_is() {
        for (code, there) in
            [("DE", true), ("CW", true), ("ZZ", false), ("UK", false), ("XX", false), ("EU", false)]
        {
            let text = WHOLE.replace("country = \"DE\"", &format!("country = \"{code}\""));
            let wrong = Config::parse(&text, &HashMap::new()).err().unwrap_or_default();
            let named = wrong.iter().any(|wrong| wrong.field == "till.country" && wrong.why.contains(code));
            assert_eq!((wrong.is_empty(), named), (there, !there), "{code}: {wrong:?}");
        }
    }

    #[test]
    fn the_three_lines_are_shown_only_to_who_lacks_one_of_their_fields() {
        for (from, to, shown) in [
            ("terminal = \"T01\", ", "", true),
            ("country = \"DE\"", "country = \"ZZ\"", false),
            ("[gift_local]", "[gift_local]\nurl = \"https://api.example.test\"", false),
        ] {
            let text = format!("{WHOLE}\n[gift_local]\n").replace(from, to);
            let Err(fields) = Config::parse(&text, &HashMap::new()) else { panic!("{to} is right") };
            let error = ConfigError::Wrong { path: "x".into(), fields };
            assert_eq!(error.to_string().contains("three lines"), shown, "{error}");
            assert!(!error.lacks_a_printer(), "{error}");
        }
    }

    #[test]
    fn three_lines_are_enough() {
        let config = Config::parse(WHOLE, &HashMap::new()).unwrap();
        assert_eq!(config.place.locale.as_str(), "de-DE");
        assert_eq!(config.api.listen.to_string(), "127.0.0.1:8480");
        assert_eq!(config.counter.rules, Rules::DESIGN);
        assert_eq!((&*config.printer.profile.name, config.printer.profile.columns), ("epson", 42));
    }

    #[test]
    fn undos_have_the_pauses_that_are_written_and_the_last_goes_on() {
        let seconds = |more: &str, variable: Option<&str>| {
            let variables = variable.map(|text| ("TILLD_TIMES__UNDO_PAUSES_S".to_owned(), text.to_owned()));
            let config = Config::parse(&format!("{WHOLE}{more}"), &variables.into_iter().collect()).unwrap();
            let of_sales = config.counter.rules.undo;
            assert_eq!(config.counter.redeeming.undo, of_sales);
            of_sales.pauses.map(|pause| pause.as_secs())
        };
        assert_eq!(seconds("", None), [1, 2, 5, 15, 30, 60, 300]);
        assert_eq!(seconds("times.undo_pauses_s = [3, 20]", None), [3, 20, 20, 20, 20, 20, 20]);
        assert_eq!(seconds("times.undo_pauses_s = [3, 20]", Some("9")), [9; 7]);
        assert_eq!(seconds("", Some("7, 8")), [7, 8, 8, 8, 8, 8, 8]);
        let text =
            format!("{WHOLE}times = {{ undo_stuck_s = 7, call_after_failures = 2, call_after_s = 8 }}");
        let undo = Config::parse(&text, &HashMap::new()).unwrap().counter.rules.undo;
        let told = (undo.stuck.as_secs(), undo.call_after_failures, undo.call_after.as_secs());
        assert_eq!(told, (7, 2, 8));
    }

    #[test]
    fn the_three_lines_that_are_shown_have_the_shape_of_the_ones_that_work() {
        let shown =
            THREE_LINES.replace("<the provider's host>", "api.example.test").replace("<client id>", "k");
        assert_eq!(wrong(&shown), Vec::<String>::new());
    }

    #[test]
    fn an_empty_file_names_everything_that_it_lacks() {
        let missing = wrong("");
        for field in [
            "till.store",
            "till.terminal",
            "till.country",
            "finperks.url",
            "finperks.key_id",
            "printer.network",
        ] {
            assert!(
                missing.iter().any(|line| line.starts_with(&format!("missing: {field}:"))),
                "{field}: {missing:?}"
            );
        }
    }

    #[test]
    fn each_wrong_value_is_refused_with_its_line() {
        for (line, expected) in [
            ("api = { listen = \"0.0.0.0:80\" }", "line 5: api.listen: only an address on this machine"),
            ("times = { fresh_s = 0 }", "line 5: times.fresh_s: 0 is not right"),
            ("times = { undo_pauses_s = [] }", "line 5: times.undo_pauses_s: wanted: a list of one to 7"),
            ("times = { undo_pauses_s = [1, 0] }", "line 5: times.undo_pauses_s: wanted: a list of one to 7"),
            (
                "times = { undo_pauses_s = [1, 3601] }",
                "line 5: times.undo_pauses_s: wanted: a list of one to 7",
            ),
            (
                "times = { undo_pauses_s = [1, 2.5] }",
                "line 5: times.undo_pauses_s: wanted: a list of one to 7",
            ),
            (
                "times = { undo_pauses_s = [1, -2] }",
                "line 5: times.undo_pauses_s: wanted: a list of one to 7",
            ),
            ("times = { undo_pauses_s = 5 }", "line 5: times.undo_pauses_s: wanted: a list of one to 7"),
            (
                "times = { undo_pauses_s = [1, 1, 1, 1, 1, 1, 1, 1] }",
                "line 5: times.undo_pauses_s: wanted: a list",
            ),
            ("times = { call_after_failures = 8 }", "line 5: times.call_after_failures: 8 is not right"),
            ("times = { undo_stuck_s = 0 }", "line 5: times.undo_stuck_s: 0 is not right"),
            ("log = { format = \"xml\" }", "line 5: log.format: \"xml\" is not right"),
            ("slip = { header = [1] }", "line 5: slip.header: a list of at most 12 texts"),
            ("slip = { number = \"no\" }", "line 5: slip.number: \"no\" is not right"),
            ("journal = 5", "line 5: journal: there is no such field"),
        ] {
            let lines = wrong(
                &format!("{WHOLE}{line}\n").replace("finperks = {", "[x]\nfinperks = {").replace("[x]\n", ""),
            );
            assert!(lines.iter().any(|found| found.starts_with(expected)), "{line}: {lines:?}");
        }
    }

    #[test]
    fn slips_have_numbers_unless_the_shop_wants_none() {
        for (line, numbers) in [("", true), ("slip.number = true\n", true), ("slip.number = false\n", false)]
        {
            let config = Config::parse(&format!("{WHOLE}{line}"), &HashMap::new()).unwrap();
            assert_eq!(config.place.slip_numbers, numbers, "{line}");
        }
    }

    #[test]
    fn a_printers_kind_may_be_a_file_of_the_shops_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ours.toml");
        let with = |fields: &str| {
            let text = WHOLE.replace("columns = 42", fields).replace("PATH", path.to_str().unwrap());
            Config::parse(&text, &HashMap::new())
        };
        std::fs::write(&path, "name = \"ours\"\ninherits = \"pos-5890\"\ncolumns = 30\n").unwrap();
        let ours = with("profile_file = \"PATH\"").unwrap().printer.profile;
        assert_eq!((&*ours.name, ours.columns), ("ours", 30));
        assert_eq!(with("profile_file = \"PATH\", columns = 32").unwrap().printer.profile.columns, 32);
        std::fs::write(&path, "name = \"ours\"\ncut = \"saw\"\n").unwrap();
        for (fields, why) in [
            (
                "profile_file = \"PATH\"",
                "ours.toml: line 2: cut: unknown variant `saw`, expected one of `full`",
            ),
            ("profile_file = \"/nowhere\"", "printer.profile_file: /nowhere: cannot be read"),
            ("profile = \"epson\", profile_file = \"PATH\"", "not both"),
            ("profile = \"star-mode\"", "set its emulation to ESC/POS"),
            ("profile = \"epsom\"", "there is no such family; wanted: one of epson, "),
            (
                "font = \"PATH\"",
                "ours.toml is no TrueType or OpenType font; Debian's fonts-ipafont-gothic has one",
            ),
        ] {
            let wrong = with(fields).unwrap_err();
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(wrong[0].to_string().contains(why), "{}", wrong[0]);
        }
        let logo = Config::parse(&format!("{WHOLE}slip.logo = \"{}\"\n", path.display()), &HashMap::new());
        assert!(logo.unwrap_err()[0].to_string().contains("slip.logo: "));
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let environment = HashMap::from([("TILLD_TILL__TERMINAL".to_owned(), "0007".to_owned())]);
        assert_eq!(Config::parse(WHOLE, &environment).unwrap().place.terminal.as_str(), "0007");
    }
}
