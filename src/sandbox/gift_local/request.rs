//! What a client sent, checked: bodies become the closed things that the ledger works with.
//!
//! Names are compared to the letter. Fields that are not known are ignored, as the vendor's service ignores them, so a
//! misspelt `amount` redeems everything here too. Numbers are taken as their exact text. Nothing here has a `Debug`
//! that would show a code or a token.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::number;
use super::refusal::{Code, Refusal};

/// Digits of a voucher code.
pub const CODE_DIGITS: usize = 12;
/// The longest text that a field may hold, in bytes.
const LONGEST_TEXT: usize = 2_000;
/// The most articles of a ticket that are looked at.
const MOST_ARTICLES: usize = 1_000;

const VALIDATE: &str = "/api/integration/redemption/validate-gift";
const REDEEM: &str = "/api/integration/redemption/redeem-gift";

/// Which endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `POST /api/integration/redemption/validate-gift`
    Validate,
    /// `POST /api/integration/redemption/redeem-gift`
    Redeem,
    /// `POST` at the path that the switch `reverse_path` says.
    Reverse,
}

impl CallKind {
    /// The endpoint of a path.
    pub(crate) fn of(path: &str, reverse_path: &str) -> Option<Self> {
        match path {
            VALIDATE => Some(Self::Validate),
            REDEEM => Some(Self::Redeem),
            path if path == reverse_path => Some(Self::Reverse),
            _ => None,
        }
    }
}

/// A body's fields, each as its exact text.
pub struct Fields(BTreeMap<String, Box<RawValue>>);

/// Reads the body as a JSON object.
pub fn fields(body: &[u8]) -> Result<Fields, Refusal> {
    serde_json::from_slice(body).map(Fields).map_err(|_| Code::InvalidBody.into())
}

/// Which voucher is meant.
pub enum Named {
    /// Twelve digits.
    Code(String),
    /// What the QR code holds.
    Token(String),
    /// By a validate before.
    Id(Uuid),
}

/// Which location is meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Not said.
    Unsaid,
    /// `organizationID`
    Organization(Uuid),
    /// `pointOfSaleSystemOrganizationIdentifier`
    PointOfSale(String),
}

/// How much shall be redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `null`, or nothing said.
    Everything,
    /// So much.
    Amount(Decimal),
}

/// What kind of gift the client expects (fact sheet 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetType {
    /// `GIFT`: a gift card.
    Gift,
    /// `NOT_GIFT`: a promotional voucher.
    NotGift,
}

/// The validation options; what was not asked for is not checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub program: Option<Uuid>,
    pub target: Option<TargetType>,
    /// The articles of the ticket, where it names any in the shape of this sandbox: `{"items": [{"sku": "…"}]}`.
    pub articles: Option<Vec<String>>,
}

impl Fields {
    /// A field's text; `null` is as good as not there.
    fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, name: &str, why: &str) -> Result<Option<T>, Refusal> {
        let read = |raw| serde_json::from_str(raw).map_err(|_| Refusal::of_field(name, why));
        self.raw(name).map(read).transpose()
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let why = "must be a text";
        let text: Option<String> = self.read(name, why)?;
        match text {
            Some(text) if text.is_empty() || text.len() > LONGEST_TEXT => Err(Refusal::of_field(name, why)),
            text => Ok(text),
        }
    }

    fn guid(&self, name: &str) -> Result<Option<Uuid>, Refusal> {
        let guid =
            |text: String| Uuid::parse_str(&text).map_err(|_| Refusal::of_field(name, "must be a Guid"));
        self.text(name)?.map(guid).transpose()
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, "must be true or false")
    }

    /// The voucher: exactly one of its names. Its id is a name only for a redeem.
    pub fn voucher(&self, id_counts: bool) -> Result<Named, Refusal> {
        let code = self.raw("voucherCode").map(code).transpose()?.map(Named::Code);
        let token = self.text("voucherPublicToken")?.map(|text| Named::Token(token(&text).to_owned()));
        let id = if id_counts { self.guid("voucherID")?.map(Named::Id) } else { None };
        let mut named = [code, token, id].into_iter().flatten();
        match (named.next(), named.next()) {
            (None, _) => Err(Code::VoucherMissing.into()),
            (Some(named), None) => Ok(named),
            (Some(_), Some(_)) => Err(Code::VoucherAmbiguous.into()),
        }
    }

    /// The location: at most one of its names.
    pub fn place(&self) -> Result<Place, Refusal> {
        let organization = self.guid("organizationID")?;
        let point = self.text("pointOfSaleSystemOrganizationIdentifier")?;
        match (organization, point) {
            (None, None) => Ok(Place::Unsaid),
            (Some(organization), None) => Ok(Place::Organization(organization)),
            (None, Some(point)) => Ok(Place::PointOfSale(point)),
            (Some(_), Some(_)) => Err(Code::LocationAmbiguous.into()),
        }
    }

    /// The amount: a JSON number, `null`, or nothing.
    pub fn wanted(&self) -> Result<Wanted, Refusal> {
        match self.raw("amount") {
            None => Ok(Wanted::Everything),
            Some(raw) => match number::read(raw) {
                Some(amount) if amount > Decimal::ZERO => Ok(Wanted::Amount(amount)),
                _ => Err(Code::AmountInvalid.into()),
            },
        }
    }

    /// The validation options. A check that is switched on or off needs what is to be checked (fact sheet 2).
    pub fn options(&self) -> Result<Options, Refusal> {
        let program = self.guid("targetProgramID")?;
        let target = match self.text("targetTypeCode")?.as_deref() {
            None => None,
            Some("GIFT") => Some(TargetType::Gift),
            Some("NOT_GIFT") => Some(TargetType::NotGift),
            Some(_) => return Err(Refusal::of_field("targetTypeCode", "must be GIFT or NOT_GIFT")),
        };
        let checks = |name: &str, target: bool| match self.flag(name)? {
            Some(_) if !target => Err(Refusal::of_field(name, "needs its target")),
            checks => Ok(checks.unwrap_or(true)),
        };
        let program_counts = checks("validateTargetProgram", program.is_some())?;
        let target_counts = checks("validateTargetType", target.is_some())?;
        Ok(Options {
            program: program.filter(|_| program_counts),
            target: target.filter(|_| target_counts),
            articles: self.articles()?,
        })
    }

    fn articles(&self) -> Result<Option<Vec<String>>, Refusal> {
        #[derive(Deserialize)]
        struct Article {
            sku: Option<String>,
        }
        #[derive(Deserialize)]
        struct Ticket {
            items: Option<Vec<Article>>,
        }
        let ticket: Option<Ticket> = self.read("ticketData", "must be a ticket")?;
        let articles = ticket.and_then(|ticket| ticket.items);
        Ok(articles
            .map(|articles| articles.into_iter().take(MOST_ARTICLES).filter_map(|one| one.sku).collect()))
    }

    /// The redemption to be reversed, in the field that carries it.
    pub fn redemption(&self, field: &str) -> Result<Uuid, Refusal> {
        self.guid(field)?.ok_or_else(|| Refusal::of_field(field, "is missing"))
    }

    /// What the call log may say of a body: by what the voucher is named, never with what.
    pub fn glance(&self, reverse_id_field: &str) -> Glance {
        let named = [("voucherCode", "code"), ("voucherPublicToken", "token"), ("voucherID", "id")];
        let mut named =
            named.into_iter().filter(|(field, _)| self.raw(field).is_some()).map(|(_, name)| name);
        let amount = self.0.get("amount").map(|raw| raw.get());
        let guid = |field: &str| self.guid(field).ok().flatten().map(|guid| guid.to_string());
        Glance {
            named_by: match (named.next(), named.next()) {
                (Some(_), Some(_)) => Some("several"),
                (one, _) => one,
            },
            amount: match amount {
                None => "absent".to_owned(),
                Some("null") => "null".to_owned(),
                Some(raw) if number::read(raw).is_some() => raw.to_owned(),
                Some(_) => "no number".to_owned(),
            },
            organization_id: guid("organizationID"),
            voucher_id: guid("voucherID"),
            redemption_id: guid(reverse_id_field),
        }
    }

    /// The code or token as it was sent, for a provider that repeats it where it should not.
    pub fn secret(&self) -> Option<String> {
        let code = self.raw("voucherCode").map(str::to_owned);
        code.or_else(|| self.text("voucherPublicToken").ok().flatten())
    }
}

/// What can be said of a body without its secrets.
pub struct Glance {
    pub named_by: Option<&'static str>,
    pub amount: String,
    pub organization_id: Option<String>,
    pub voucher_id: Option<String>,
    pub redemption_id: Option<String>,
}

/// A code out of its number: leading zeros cannot be written in one, so they are put back (fact sheet 6).
fn code(raw: &str) -> Result<String, Refusal> {
    if raw.len() <= CODE_DIGITS && raw.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(format!("{raw:0>CODE_DIGITS$}"))
    } else {
        Err(Refusal::of_field("voucherCode", "must be an integer of at most 12 digits"))
    }
}

/// The token in a QR code's URL, or the bare one: the path without its first slash (fact sheet 2).
fn token(text: &str) -> &str {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => text,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fields {
        fields(text.as_bytes()).unwrap_or_else(|_| panic!("{text}"))
    }

    fn named(text: &str) -> String {
        match read(text).voucher(true) {
            Ok(Named::Code(code)) => format!("code {code}"),
            Ok(Named::Token(token)) => format!("token {token}"),
            Ok(Named::Id(id)) => format!("id {id}"),
            Err(refusal) => refusal.code.into_owned(),
        }
    }

    #[test]
    fn a_voucher_has_exactly_one_name() {
        for (text, expected) in [
            (r#"{"voucherCode": 401200000011}"#, "code 401200000011"),
            (r#"{"voucherCode": 412345678}"#, "code 000412345678"),
            (r#"{"voucherCode": 0}"#, "code 000000000000"),
            (r#"{"voucherCode": null, "voucherPublicToken": "abc_-123"}"#, "token abc_-123"),
            (r#"{"voucherPublicToken": "https://gift.example/abc_-123"}"#, "token abc_-123"),
            (r#"{"voucherPublicToken": "https://gift.example/v/abc_-123?x=1#y"}"#, "token v/abc_-123"),
            (r#"{"voucherPublicToken": "/abc_-123"}"#, "token abc_-123"),
            (
                r#"{"voucherID": "00000000-0000-0000-0000-00000000002A"}"#,
                "id 00000000-0000-0000-0000-00000000002a",
            ),
            ("{}", "voucher_missing"),
            (r#"{"voucherPublicToken": null}"#, "voucher_missing"),
            (r#"{"voucherCode": 1, "voucherPublicToken": "abc_-123"}"#, "voucher_ambiguous"),
            (r#"{"voucherCode": "401200000011"}"#, "invalid_field"),
            (r#"{"voucherCode": 4012000000115}"#, "invalid_field"),
            (r#"{"voucherCode": -1}"#, "invalid_field"),
            (r#"{"voucherCode": 4.0e11}"#, "invalid_field"),
            (r#"{"voucherPublicToken": ""}"#, "invalid_field"),
            (r#"{"voucherID": "abc"}"#, "invalid_field"),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        let by_id = read(r#"{"voucherID": "00000000-0000-0000-0000-00000000002a"}"#).voucher(false);
        assert_eq!(by_id.err().unwrap().code, "voucher_missing");
    }

    #[test]
    fn an_amount_is_its_exact_text_or_everything() {
        for (text, expected) in [
            (r#"{"amount": 25}"#, Ok(Wanted::Amount(Decimal::new(25, 0)))),
            (r#"{"amount": 0.1}"#, Ok(Wanted::Amount(Decimal::new(1, 1)))),
            (r#"{"amount": 2.5e1}"#, Ok(Wanted::Amount(Decimal::new(25, 0)))),
            (r#"{"amount": null}"#, Ok(Wanted::Everything)),
            ("{}", Ok(Wanted::Everything)),
            (r#"{"Amount": 25}"#, Ok(Wanted::Everything)),
            (r#"{"amount": 0}"#, Err("amount_invalid")),
            (r#"{"amount": -0.0}"#, Err("amount_invalid")),
            (r#"{"amount": -5}"#, Err("amount_invalid")),
            (r#"{"amount": "25.00"}"#, Err("amount_invalid")),
            (r#"{"amount": 1e300}"#, Err("amount_invalid")),
        ] {
            let wanted = read(text).wanted().map_err(|refusal| refusal.code.into_owned());
            assert_eq!(wanted, expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_location_has_at_most_one_name() {
        let id = "00000000-0000-0000-0000-00000000002a";
        let text = format!(r#"{{"organizationID": "{id}"}}"#);
        assert_eq!(read(&text).place().ok(), Some(Place::Organization(Uuid::parse_str(id).unwrap())));
        let text = r#"{"pointOfSaleSystemOrganizationIdentifier": "A1234"}"#;
        assert_eq!(read(text).place().ok(), Some(Place::PointOfSale("A1234".to_owned())));
        assert_eq!(read("{}").place().ok(), Some(Place::Unsaid));
        let text =
            format!(r#"{{"organizationID": "{id}", "pointOfSaleSystemOrganizationIdentifier": "A1234"}}"#);
        assert_eq!(read(&text).place().err().unwrap().code, "location_ambiguous");
    }

    #[test]
    fn options_are_checked_unless_the_client_says_otherwise() {
        let gift = Options { target: Some(TargetType::Gift), ..Options::default() };
        let ticket = Options { articles: Some(vec!["77".to_owned()]), ..Options::default() };
        for (text, expected) in [
            ("{}", Ok(Options::default())),
            (r#"{"targetTypeCode": "GIFT"}"#, Ok(gift)),
            (r#"{"targetTypeCode": "GIFT", "validateTargetType": false}"#, Ok(Options::default())),
            (r#"{"ticketData": {"items": [{"sku": "77"}, {"name": "x"}], "total": 5}}"#, Ok(ticket)),
            (r#"{"ticketData": {"lines": []}}"#, Ok(Options::default())),
            (r#"{"validateTargetType": false}"#, Err("invalid_field")),
            (r#"{"validateTargetProgram": true}"#, Err("invalid_field")),
            (r#"{"targetTypeCode": "gift"}"#, Err("invalid_field")),
            (r#"{"targetProgramID": "x"}"#, Err("invalid_field")),
            (r#"{"ticketData": 5}"#, Err("invalid_field")),
        ] {
            let options = read(text).options().map_err(|refusal| refusal.code.into_owned());
            assert_eq!(options, expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_glance_tells_no_secret() {
        let glance = read(r#"{"voucherCode": 401200000011, "amount": 2.50}"#).glance("redemptionID");
        assert_eq!((glance.named_by, glance.amount.as_str()), (Some("code"), "2.50"));
        let glance =
            read(r#"{"voucherCode": 1, "voucherPublicToken": "x", "amount": "401200000011"}"#).glance("r");
        assert_eq!((glance.named_by, glance.amount.as_str()), (Some("several"), "no number"));
        for body in ["", "[]", "{", "null", "5", "\"x\""] {
            assert!(fields(body.as_bytes()).is_err(), "{body}");
        }
    }
}
