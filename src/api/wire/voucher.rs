//! A voucher as a till sends it to be looked at, and what is seen of it.
//!
//! What was scanned and the till's ticket go straight into secrets: nothing here can show them, and both are wiped.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tilld_counter::{CheckNow, CheckRequest as Look, TargetType};
use tilld_domain as domain;
use tilld_domain::ids::{PersonName, ProgramId};
use tilld_domain::secret::Secret;
use tilld_domain::voucher::Words;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::parts::{Checked, Money, OURS, Unshown, instant, words};

/// The longest ticket in bytes. The provider is not known to take more, and it is kept while the look is.
const MOST_TICKET_BYTES: usize = 16 * 1024;

/// An amount of money or a whole number of items, read and written exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Worth {
    Money(Money),
    Items { items: u32 },
}

impl Worth {
    /// How much, and in which currency; `items` if it is none.
    pub(crate) fn columns(self) -> (String, String) {
        match self {
            Self::Money(Money(money)) => (money.to_decimal_text(), money.currency().code().to_owned()),
            Self::Items { items } => (items.to_string(), "items".to_owned()),
        }
    }
}

impl From<domain::voucher::Worth> for Worth {
    fn from(worth: domain::voucher::Worth) -> Self {
        match worth {
            domain::voucher::Worth::Money(money) => Self::Money(Money(money)),
            domain::voucher::Worth::Items(items) => Self::Items { items },
        }
    }
}

impl From<Worth> for domain::voucher::Worth {
    fn from(worth: Worth) -> Self {
        match worth {
            Worth::Money(Money(money)) => Self::Money(money),
            Worth::Items { items } => Self::Items(items),
        }
    }
}

impl PartialSchema for Worth {
    fn schema() -> RefOr<Schema> {
        let count = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(u32::MAX))
            .description(Some("How many, whole ones only; of what is to be redeemed at least 1."))
            .examples([2]);
        let items = ObjectBuilder::new()
            .property("items", count)
            .required("items")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .description(Some("A number of items."));
        OneOfBuilder::new()
            .item(Ref::from_schema_name("Money"))
            .item(items)
            .description(Some("Money of a monetary gift, or whole items of an item gift."))
            .into()
    }
}

impl ToSchema for Worth {
    fn name() -> std::borrow::Cow<'static, str> {
        "Worth".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Money::name().into_owned(), Money::schema()));
    }
}

/// By hand: the reader's own choice between two shapes tells neither which field is wrong nor that one stands there twice.
impl<'de> Deserialize<'de> for Worth {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "lowercase")]
        enum Field {
            Amount,
            Currency,
            Items,
        }

        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Worth;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object with amount and currency, or with items")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Worth, M::Error> {
                let (mut amount, mut currency, mut items) = (None::<String>, None::<String>, None::<Count>);
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Amount if amount.is_some() => return Err(Error::duplicate_field("amount")),
                        Field::Currency if currency.is_some() => {
                            return Err(Error::duplicate_field("currency"));
                        }
                        Field::Items if items.is_some() => return Err(Error::duplicate_field("items")),
                        Field::Amount => amount = Some(map.next_value()?),
                        Field::Currency => currency = Some(map.next_value()?),
                        Field::Items => items = Some(map.next_value()?),
                    }
                }
                match (amount, currency, items) {
                    (None, None, Some(Count(items))) => Ok(Worth::Items { items }),
                    (Some(amount), Some(currency), None) => {
                        Money::read(&amount, &currency).map(Worth::Money).map_err(Error::custom)
                    }
                    (_, _, Some(_)) => Err(Error::custom(format_args!(
                        "{OURS}it holds money and items, and only one is taken"
                    ))),
                    (None, ..) => Err(Error::missing_field("amount")),
                    (Some(_), None, None) => Err(Error::missing_field("currency")),
                }
            }
        }

        reader.deserialize_map(Reader)
    }
}

/// A number of items.
struct Count(u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Count;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "a whole number from 1 to {}", u32::MAX)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                u32::try_from(number)
                    .map(Count)
                    .map_err(|_| E::custom(format_args!("{OURS}it is more than {}", u32::MAX)))
            }
        }

        reader.deserialize_u64(Reader)
    }
}

/// The text of one JSON object, byte by byte as the till wrote it: a number in it must not change its digits on the way.
#[derive(Debug)]
struct Ticket(Secret);

impl<'de> Deserialize<'de> for Ticket {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        // No copy is made of it: only its own memory would be wiped.
        let text = Secret::new(String::from(Box::<str>::from(Box::<RawValue>::deserialize(reader)?)));
        if !text.reveal().starts_with('{') {
            return Err(Error::custom(format_args!("{OURS}an object is expected")));
        }
        if text.reveal().len() > MOST_TICKET_BYTES {
            return Err(Error::custom(format_args!("{OURS}it is longer than {MOST_TICKET_BYTES} bytes")));
        }
        Ok(Self(text))
    }
}

impl PartialSchema for Ticket {
    fn schema() -> RefOr<Schema> {
        let about = format!(
            "The till's ticket: any JSON object of at most {MOST_TICKET_BYTES} bytes. It goes to the provider as the text that it \
             is, and is never shown again."
        );
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
            .write_only(true)
            .description(Some(about))
            .into()
    }
}

words! {
    /// Which sort of voucher it must be.
    enum Target as "Target" {
        /// Somebody paid for it.
        Gift = "gift",
        /// The shop gave it away.
        Promotional = "promotional",
    }

    /// Who gave a voucher.
    enum VoucherKind as "VoucherKind" {
        /// Somebody paid for it.
        Gift = "gift",
        /// The shop gave it away: it has terms.
        Promotional = "promotional",
    }

    /// How the till books what is taken from a voucher.
    enum Booking as "Booking" {
        /// As a means of payment.
        Payment = "payment",
        /// As a lower price.
        Discount = "discount",
    }
}

impl From<domain::voucher::VoucherKind> for VoucherKind {
    fn from(kind: domain::voucher::VoucherKind) -> Self {
        match kind {
            domain::voucher::VoucherKind::Gift => Self::Gift,
            domain::voucher::VoucherKind::Promotional => Self::Promotional,
        }
    }
}

impl From<domain::voucher::Booking> for Booking {
    fn from(booking: domain::voucher::Booking) -> Self {
        match booking {
            domain::voucher::Booking::Tender => Self::Payment,
            domain::voucher::Booking::Discount => Self::Discount,
        }
    }
}

/// A voucher to be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckRequest {
    /// What was scanned or typed, as it came: twelve digits, a token, or a link with one. It is never shown again.
    #[schema(value_type = String, min_length = 1, max_length = 1024, write_only, example = "0123 4567 8901")]
    scan: Unshown,
    /// The till's ticket; null is as if it were absent.
    #[schema(required = false, schema_with = Ticket::schema)]
    ticket: Option<Ticket>,
    /// The provider's id of the programme that the voucher must be of.
    #[schema(value_type = Option<String>, format = "uuid")]
    program: Option<Checked<ProgramId>>,
    /// Which sort of voucher it must be; absent: any.
    target: Option<Target>,
    /// Who looks: letters of any script, digits and the punctuation of names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Łucja")]
    cashier: Option<Checked<PersonName>>,
}

impl From<CheckRequest> for Look {
    fn from(request: CheckRequest) -> Self {
        Self {
            scan: request.scan.0,
            ticket: request.ticket.map(|ticket| ticket.0),
            program: request.program.map(|program| program.0),
            target: request.target.map(|target| match target {
                Target::Gift => TargetType::Gift,
                Target::Promotional => TargetType::NotGift,
            }),
            cashier: request.cashier.map(|name| name.0),
        }
    }
}

/// The terminal may try codes again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlockRequest {
    /// Which manager says so; it stays in the journal.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Ada Berg")]
    pub(crate) by: Checked<PersonName>,
}

/// What is seen of a voucher. It names people, so nothing but the answer ever holds it.
#[derive(Serialize, ToSchema)]
pub(crate) struct VoucherCheck {
    /// The name of this look, for the redemption. A restart of the daemon forgets it.
    #[schema(format = "uuid", example = "01a2006d-8d02-77c9-9460-2bcdce512c0b")]
    check: String,
    /// Until when a redemption may rest on it (RFC 3339, UTC).
    #[schema(format = "date-time", example = "2026-11-21T21:58:55.120Z")]
    until: String,
    /// The last four characters of the code behind dots.
    #[schema(example = "••••8901")]
    code: String,
    /// What the cashier reads.
    #[schema(example = "25.00 EUR left.")]
    text: String,
    /// Whether anything of it may be redeemed here and now.
    redeemable: bool,
    /// How much may be redeemed; null if nothing may.
    eligible: Option<Worth>,
    /// Who gave it.
    kind: VoucherKind,
    /// How what is taken from it is booked.
    booking: Booking,
    /// What it is worth, or why it cannot be redeemed, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What the items are.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// Under which terms. The cashier confirms them for a promotional voucher.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<String>,
    /// Who gave it to the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// For whom it was meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
}

impl From<CheckNow> for VoucherCheck {
    fn from(now: CheckNow) -> Self {
        let CheckNow { check, until, code_tail, shown, sentence } = now;
        let said = |words: Option<&Words>| {
            words.filter(|words| !words.is_empty()).map(|words| words.as_str().to_owned())
        };
        let eligible = shown.seen.worth();
        Self {
            check: check.to_string(),
            until: instant(until),
            code: code_tail.masked(),
            text: sentence,
            redeemable: eligible.is_some(),
            eligible: eligible.map(Worth::from),
            kind: shown.seen.kind.into(),
            booking: shown.seen.kind.booking().into(),
            description: said(Some(&shown.description)),
            item: said(shown.item.as_ref()),
            terms: said(shown.terms.as_ref()),
            sender: said(shown.sender.as_ref()),
            recipient: said(shown.recipient.as_ref()),
        }
    }
}
