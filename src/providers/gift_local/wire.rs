//! What Gift Local reads on the wire: paths, field names, bodies.
//!
//! Only documented fields are sent, and of the optional ones only what the till said (fact sheet 2, 3). The field `amount` is
//! in every redeem: a missing one takes everything. A redeem names its voucher by the id of a validation, never by its code, so
//! its body may be journaled as it is; before it is sent it is read again, and one without an amount or a voucher does not
//! leave.
//!
//! Absent, as the fact sheet has it: the "RD code", the scheduling override, the interface field, and any reference of ours.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tilld_domain::ids::{ProviderRedemptionId, VoucherId};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use zeroize::Zeroizing;

use crate::StoredRequest;
use crate::gift_local::amount;
use crate::gift_local::settings::{Location, ReverseCall};
use crate::json::Node;
use crate::vouchers::{RedeemFacts, TargetType, ValidateFacts};

pub(super) const VALIDATE: &str = "/api/integration/redemption/validate-gift";
pub(super) const REDEEM: &str = "/api/integration/redemption/redeem-gift";

/// The fields that name a location.
pub(super) const LOCATIONS: [&str; 2] = ["organizationID", "pointOfSaleSystemOrganizationIdentifier"];

/// The longest ticket of a till, in bytes; a basket of hundreds of lines has less.
const LONGEST_TICKET: usize = 64 * 1024;

/// More than the bytes of a body but its ticket and its code: what grows leaves copies behind that nobody wipes.
const ROOM: usize = 1024;

#[derive(Serialize)]
struct Validate<'a> {
    #[serde(rename = "organizationID", skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(rename = "pointOfSaleSystemOrganizationIdentifier", skip_serializing_if = "Option::is_none")]
    point_of_sale: Option<&'a str>,
    #[serde(rename = "targetProgramID", skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(rename = "targetTypeCode", skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    #[serde(rename = "ticketData", skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a RawValue>,
    #[serde(rename = "voucherCode", skip_serializing_if = "Option::is_none")]
    code: Option<u64>,
    #[serde(rename = "voucherPublicToken", skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

#[derive(Serialize)]
struct Redeem<'a> {
    amount: &'a RawValue,
    #[serde(rename = "organizationID", skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(rename = "pointOfSaleSystemOrganizationIdentifier", skip_serializing_if = "Option::is_none")]
    point_of_sale: Option<&'a str>,
    #[serde(rename = "targetTypeCode", skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    #[serde(rename = "voucherID")]
    voucher: &'a str,
}

/// The id stands in a field whose name is configured.
struct Reverse<'a> {
    location: &'a Location,
    id_field: &'a str,
    redemption: &'a ProviderRedemptionId,
}

impl Serialize for Reverse<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [organization, point_of_sale] = LOCATIONS;
        let location = match self.location {
            Location::OfTheKey => None,
            Location::Organization(id) => Some((organization, id.to_string())),
            Location::PointOfSale(name) => Some((point_of_sale, name.clone())),
        };
        let id = (self.id_field, self.redemption.as_str().to_owned());
        serializer.collect_map(location.into_iter().chain([id]))
    }
}

const fn word(target: TargetType) -> &'static str {
    match target {
        TargetType::Gift => "GIFT",
        TargetType::NotGift => "NOT_GIFT",
    }
}

impl Location {
    fn organization(&self) -> Option<String> {
        if let Self::Organization(id) = self { Some(id.to_string()) } else { None }
    }

    fn point_of_sale(&self) -> Option<&str> {
        if let Self::PointOfSale(name) = self { Some(name) } else { None }
    }
}

/// The body of a validation. Refused if the till's ticket is not one JSON object of a bounded length.
pub(super) fn validate(
    location: &Location,
    code: &VoucherCode,
    facts: &ValidateFacts<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let ticket = match facts.ticket.map(Secret::reveal) {
        None => None,
        Some(text) => Some(object(text).ok_or(Refusal::RequestNotUnderstood)?),
    };
    let (number, token) = match code {
        // The vendor's field is a number: leading zeros cannot be written (fact sheet 6).
        VoucherCode::Number(digits) => (digits.reveal().parse().ok(), None),
        VoucherCode::Token(token) => (None, Some(token.reveal())),
    };
    let body = Validate {
        organization: location.organization(),
        point_of_sale: location.point_of_sale(),
        program: facts.program.map(|program| program.to_string()),
        target: facts.target.map(word),
        ticket,
        code: number,
        token,
    };
    let length = ticket.map_or(0, |ticket| ticket.get().len()).saturating_add(code.secret().reveal().len());
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(ROOM)));
    // Plain structures of text and numbers always have a JSON form.
    serde_json::to_writer(&mut *bytes, &body).map_err(|_| Refusal::RequestNotUnderstood)?;
    Ok(bytes)
}

/// A text that is one JSON object, and can therefore not leave the place where it is put.
fn object(text: &str) -> Option<&RawValue> {
    let raw: &RawValue = serde_json::from_str(text).ok().filter(|_| text.len() <= LONGEST_TICKET)?;
    raw.get().starts_with('{').then_some(raw)
}

/// The body of a redeem.
pub(super) fn redeem(location: &Location, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal> {
    if !facts.amount.is_positive() {
        return Err(Refusal::NothingToRedeem);
    }
    let amount = amount::number(facts.amount).ok_or(Refusal::RequestNotUnderstood)?;
    let body = Redeem {
        amount: &amount,
        organization: location.organization(),
        point_of_sale: location.point_of_sale(),
        target: facts.target.map(word),
        voucher: facts.voucher.as_str(),
    };
    serde_json::to_string(&body).map(StoredRequest).map_err(|_| Refusal::RequestNotUnderstood)
}

/// The body of a reversal.
pub(super) fn reverse(
    location: &Location,
    call: &ReverseCall,
    redemption: &ProviderRedemptionId,
) -> Option<Zeroizing<Vec<u8>>> {
    let body = Reverse { location, id_field: &call.id_field, redemption };
    serde_json::to_vec(&body).ok().map(Zeroizing::new)
}

/// What is redeemed, by the body that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Money: the amount has a point.
    Money,
    /// Items.
    Items,
}

/// What a journaled redeem asks for.
pub(super) struct Asked {
    /// Of which voucher.
    pub voucher: VoucherId,
    /// Which sort.
    pub sort: Sort,
}

/// Reads a journaled redeem again. None if it is not one that may be sent: without a voucher, or without an amount.
pub(super) fn asked(request: &StoredRequest) -> Option<Asked> {
    let body = Node::read_exactly(request.0.as_bytes())?;
    let voucher = body.get("voucherID")?.text()?.parse().ok()?;
    let Node::Number(amount) = body.get("amount")? else { return None };
    let positive = !amount.starts_with('-') && amount.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let sort = if amount.contains('.') { Sort::Money } else { Sort::Items };
    positive.then_some(Asked { voucher, sort })
}

#[cfg(test)]
mod tests {
    use tilld_domain::money::{Currency, Money};
    use tilld_domain::voucher::Worth;
    use uuid::Uuid;

    use super::*;

    const PLACE: Uuid = Uuid::from_u128(0x5a3d_0001_0000_4000_8000_0000_0000_0001);

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    fn redeem_of(amount: Worth, target: Option<TargetType>) -> Result<String, Refusal> {
        let voucher = "V-1".parse().unwrap();
        let (store, terminal) = ("A1234".parse().unwrap(), "T01".parse().unwrap());
        let facts = RedeemFacts { voucher: &voucher, amount, store: &store, terminal: &terminal, target };
        redeem(&Location::Organization(PLACE), &facts).map(|StoredRequest(text)| text)
    }

    fn money(minor: i64, code: &str) -> Worth {
        Worth::Money(Money::new(minor, Currency::from_code(code).unwrap()))
    }

    #[test]
    fn a_validation_names_the_voucher_once_and_says_only_what_the_till_said() {
        let ticket = Secret::new(r#" {"items":[{"sku":"77"}],"total":1.10} "#.to_owned());
        let number = VoucherCode::number("000412345678").unwrap();
        let token = VoucherCode::token("gl-7hQ2mZr50EURa1").unwrap();
        let program = "5a3d0002-0000-4000-8000-000000000001".parse().unwrap();
        let full = ValidateFacts {
            ticket: Some(&ticket),
            program: Some(program),
            target: Some(TargetType::NotGift),
        };
        for (location, code, facts, expected) in [
            (Location::OfTheKey, &number, ValidateFacts::default(), r#"{"voucherCode":412345678}"#),
            (
                Location::Organization(PLACE),
                &token,
                ValidateFacts::default(),
                r#"{"organizationID":"5a3d0001-0000-4000-8000-000000000001","voucherPublicToken":"gl-7hQ2mZr50EURa1"}"#,
            ),
            (
                Location::PointOfSale("A\"1".to_owned()),
                &number,
                full,
                r#"{"pointOfSaleSystemOrganizationIdentifier":"A\"1","targetProgramID":"5a3d0002-0000-4000-8000-000000000001","targetTypeCode":"NOT_GIFT","ticketData":{"items":[{"sku":"77"}],"total":1.10},"voucherCode":412345678}"#,
            ),
        ] {
            let body = validate(&location, code, &facts).unwrap();
            assert_eq!(text(&body), expected);
        }
        let zeros = VoucherCode::number("000000000000").unwrap();
        let body = validate(&Location::OfTheKey, &zeros, &ValidateFacts::default()).unwrap();
        assert_eq!(text(&body), r#"{"voucherCode":0}"#);
    }

    #[test]
    fn a_ticket_that_is_not_one_json_object_is_refused_before_anything_is_sent() {
        let code = VoucherCode::number("012345678901").unwrap();
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(LONGEST_TICKET));
        for ticket in ["", "[]", "7", "\"x\"", "null", "{", "{}{}", r#"{},"amount":1"#, "{\"a\":01}", &long] {
            let ticket = Secret::new(ticket.to_owned());
            let facts = ValidateFacts { ticket: Some(&ticket), ..ValidateFacts::default() };
            let refused = validate(&Location::OfTheKey, &code, &facts).map(|_| ());
            assert_eq!(refused, Err(Refusal::RequestNotUnderstood), "{:.20}", ticket.reveal());
        }
    }

    #[test]
    fn a_redeem_says_exactly_how_much_of_which_voucher() {
        let place = r#""organizationID":"5a3d0001-0000-4000-8000-000000000001""#;
        for (amount, target, expected) in [
            (money(2500, "EUR"), None, format!(r#"{{"amount":25.00,{place},"voucherID":"V-1"}}"#)),
            (money(10, "EUR"), None, format!(r#"{{"amount":0.10,{place},"voucherID":"V-1"}}"#)),
            (money(500, "JPY"), None, format!(r#"{{"amount":500.0,{place},"voucherID":"V-1"}}"#)),
            (
                Worth::Items(2),
                Some(TargetType::Gift),
                format!(r#"{{"amount":2,{place},"targetTypeCode":"GIFT","voucherID":"V-1"}}"#),
            ),
        ] {
            assert_eq!(redeem_of(amount, target), Ok(expected));
        }
        for nothing in [money(0, "EUR"), money(-1, "EUR"), Worth::Items(0)] {
            assert_eq!(redeem_of(nothing, None), Err(Refusal::NothingToRedeem), "{nothing}");
        }
    }

    #[test]
    fn only_a_body_with_a_voucher_and_an_amount_may_leave() {
        let read = |text: &str| asked(&StoredRequest(text.to_owned())).map(|asked| asked.sort);
        for (body, sort) in [
            (r#"{"amount":25.00,"voucherID":"V-1"}"#, Some(Sort::Money)),
            (r#"{"amount":500.0,"voucherID":"V-1"}"#, Some(Sort::Money)),
            (r#"{"amount":2,"voucherID":"V-1"}"#, Some(Sort::Items)),
            (r#"{"amount":null,"voucherID":"V-1"}"#, None),
            (r#"{"amount":0.00,"voucherID":"V-1"}"#, None),
            (r#"{"amount":-1,"voucherID":"V-1"}"#, None),
            (r#"{"amount":"25.00","voucherID":"V-1"}"#, None),
            (r#"{"voucherID":"V-1"}"#, None),
            (r#"{"amount":25.00}"#, None),
            (r#"{"amount":25.00,"voucherID":""}"#, None),
            (r#"{"amount":25.00,"voucherCode":412345678}"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(read(body), sort, "{body}");
        }
    }

    #[test]
    fn a_reversal_names_the_redemption_in_the_configured_field() {
        let call = ReverseCall { path: "/x".to_owned(), id_field: "theID".to_owned(), repeatable: false };
        let id = "R-1".parse().unwrap();
        let body = reverse(&Location::Organization(PLACE), &call, &id).unwrap();
        assert_eq!(text(&body), r#"{"organizationID":"5a3d0001-0000-4000-8000-000000000001","theID":"R-1"}"#);
        assert_eq!(text(&reverse(&Location::OfTheKey, &call, &id).unwrap()), r#"{"theID":"R-1"}"#);
    }
}
