//! Answers, in every shape that the vendor's may have.
//!
//! The vendor shows no answer in full. The names `isRedeemable`, `voucherEligibleValue`, `voucherEligibleItemQuantity`
//! and `voucherPresentValueDescription` are its own (fact sheet 2); all others are this sandbox's, and where one of them
//! matters its name is a switch. Objects are built from exact texts, so that a number goes out as it was written.

use rust_decimal::Decimal;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::ledger::Redemption;
use super::request::Options;
use super::switches::{
    CurrencyShown, EligiblePlace, EmptyNumber, Envelope, JsonType, Oddity, Switches, Texts, TotalShown,
};
use super::voucher::{Hindrance, Voucher, Worth};
use crate::answer::Answer;
use jiff::Timestamp;

/// How often a hostile text repeats itself: more than a screen or a slip can hold.
const HOSTILE_LENGTH: usize = 200;

/// A JSON object: names in their order, each with the exact text of its value.
#[derive(Default)]
struct Object(Vec<(String, Box<RawValue>)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Object {
    fn put(&mut self, name: &str, value: impl Serialize) {
        // Texts, flags and objects of them always have a JSON text.
        if let Ok(value) = to_raw_value(&value) {
            self.0.push((name.to_owned(), value));
        }
    }

    /// A number by its exact text.
    fn number(&mut self, name: &str, text: String) {
        if let Ok(value) = RawValue::from_string(text) {
            self.0.push((name.to_owned(), value));
        }
    }

    fn unknown(&mut self) {
        self.put("futureFlag", true);
        self.put("futureText", "not in any document");
        self.put("futureNothing", ());
        self.number("futureNumber", "12345678901234567890.12345678901234567890".to_owned());
        self.put("futureList", [Some(1), None]);
        let mut inner = Object::default();
        inner.put("isFuture", false);
        self.put("futureObject", inner);
    }
}

/// What an answer shows.
pub struct Shown<'a> {
    pub voucher: &'a Voucher,
    pub hindrance: Option<Hindrance>,
    /// Whether the till has named articles.
    pub ticket: bool,
    pub redemption: Option<&'a Redemption>,
}

impl<'a> Shown<'a> {
    /// A gift after its balance has changed, with the redemption that changed it.
    pub fn after(voucher: &'a Voucher, redemption: &'a Redemption, now: Timestamp) -> Self {
        let hindrance = voucher.hindrance(&Options::default(), now);
        Self { voucher, hindrance, ticket: false, redemption: Some(redemption) }
    }

    /// The answer.
    pub fn answer(&self, switches: &Switches, now: Timestamp) -> Answer {
        let (mut voucher, eligible) = (self.voucher(switches, now), self.eligible(switches));
        let mut around = Object::default();
        match switches.eligible_place {
            EligiblePlace::Inside => voucher.0.extend(eligible.0),
            EligiblePlace::Beside => around.0.extend(eligible.0),
        }
        if let Some(redemption) = self.redemption.filter(|_| !switches.redemption_object.is_empty()) {
            around.put(&switches.redemption_object, self.redemption(redemption, switches));
        }
        if switches.unknown_fields {
            voucher.unknown();
            around.unknown();
        }
        match (switches.oddity, switches.envelope) {
            (Oddity::NoVoucher, _) => {}
            (_, Envelope::Root) => {
                let taken: Vec<String> = around.0.iter().map(|(name, _)| name.clone()).collect();
                around.0.extend(voucher.0.into_iter().filter(|(name, _)| !taken.contains(name)));
            }
            _ => around.put("voucher", voucher),
        }
        let body = match switches.envelope {
            Envelope::Voucher | Envelope::Root => around,
            Envelope::Data | Envelope::Result => {
                let mut outer = Object::default();
                let name = if switches.envelope == Envelope::Data { "data" } else { "result" };
                outer.put(name, around);
                if switches.unknown_fields {
                    outer.unknown();
                }
                outer
            }
        };
        let kind = match switches.json_type {
            JsonType::Application => "application/json; charset=utf-8",
            JsonType::Text => "text/json; charset=utf-8",
        };
        Answer::of(200, kind, serde_json::to_string(&body).unwrap_or_default())
    }

    fn voucher(&self, switches: &Switches, now: Timestamp) -> Object {
        let voucher = self.voucher;
        let mut shown = Object::default();
        if switches.oddity != Oddity::NoVoucherId {
            shown.put(&switches.voucher_id_field, voucher.id.to_string());
        }
        let redeemable = match switches.oddity {
            Oddity::EligibleButNotRedeemable => false,
            Oddity::RedeemableButNothingEligible => true,
            _ => self.hindrance.is_none(),
        };
        match switches.oddity {
            Oddity::NoIsRedeemable => {}
            Oddity::IsRedeemableAsText => shown.put("isRedeemable", redeemable.to_string()),
            _ => shown.put("isRedeemable", redeemable),
        }
        match &voucher.worth {
            Worth::Money(currency) => {
                shown.put("voucherTypeCode", "MONETARY");
                if switches.total == TotalShown::Shown {
                    shown.number("voucherRemainingValue", switches.number_form.write(voucher.left));
                }
                match switches.currency {
                    CurrencyShown::Hidden => {}
                    CurrencyShown::Shown => shown.put("currencyCode", currency),
                    CurrencyShown::Wrong => shown.put("currencyCode", other_than(currency)),
                }
            }
            Worth::Items { label, .. } => {
                shown.put("voucherTypeCode", "ITEM");
                shown.put("itemLabel", text(label, switches));
                if switches.total == TotalShown::Shown {
                    shown.number("voucherRemainingItemQuantity", whole(voucher.left));
                }
            }
        }
        shown.put("programID", voucher.program.to_string());
        shown.put("isPromotional", voucher.terms.is_some());
        shown.put("hasRemainingBalance", voucher.has_balance());
        shown.put("isInRedeemableStatus", !voucher.blocked);
        shown.put("isInRedeemablePeriod", voucher.in_period(now));
        for (name, moment) in [("redeemableFrom", voucher.from), ("redeemableUntil", voucher.until)] {
            if let Some(moment) = moment {
                shown.put(name, second(moment));
            }
        }
        if let Some(terms) = &voucher.terms {
            shown.put("termsDescription", text(terms, switches));
        }
        shown.put("senderDescription", text(&voucher.sender, switches));
        shown.put("recipientDescription", text(&voucher.recipient, switches));
        shown
    }

    /// The eligible numbers, one of which says what kind of gift it is, and the description.
    fn eligible(&self, switches: &Switches) -> Object {
        let voucher = self.voucher;
        let nothing = switches.oddity == Oddity::RedeemableButNothingEligible || self.hindrance.is_some();
        let most = switches.eligible_with_ticket.filter(|_| self.ticket).map(Decimal::from);
        let amount = match most {
            _ if nothing => Decimal::ZERO,
            Some(most) => voucher.left.min(most),
            None => voucher.left,
        };
        let (mut value, mut quantity) = match voucher.worth {
            Worth::Money(_) => (amount, Decimal::ZERO),
            Worth::Items { .. } => (Decimal::ZERO, amount),
        };
        if switches.oddity == Oddity::BothEligible {
            value = value.max(Decimal::ONE);
            quantity = quantity.max(Decimal::ONE);
        }
        let mut shown = Object::default();
        let mut put = |name, amount: Decimal, written: String| match (amount.is_zero(), switches.empty_number)
        {
            (true, EmptyNumber::Absent) => {}
            (true, EmptyNumber::Null) => shown.put(name, ()),
            (true, EmptyNumber::Zero) | (false, _) => shown.number(name, written),
        };
        put("voucherEligibleValue", value, switches.number_form.write(value));
        put("voucherEligibleItemQuantity", quantity, whole(quantity));
        let description = match &self.hindrance {
            None => voucher.amount_text(voucher.left),
            Some(hindrance) => hindrance.sentence(),
        };
        shown.put("voucherPresentValueDescription", text(&description, switches));
        shown
    }

    fn redemption(&self, redemption: &Redemption, switches: &Switches) -> Object {
        let mut shown = Object::default();
        if !switches.redemption_id_field.is_empty() {
            shown.put(&switches.redemption_id_field, redemption.id.to_string());
        }
        let amount = match self.voucher.worth {
            Worth::Money(_) => switches.number_form.write(redemption.granted),
            Worth::Items { .. } => whole(redemption.granted),
        };
        shown.number("amount", amount);
        shown.put("redeemedAt", second(redemption.at));
        shown.put("isReversed", redemption.reversed.is_some());
        shown.put("reversedAt", redemption.reversed.map(second));
        if switches.unknown_fields {
            shown.unknown();
        }
        shown
    }
}

fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number of items.
fn whole(quantity: Decimal) -> String {
    quantity.normalize().to_string()
}

fn other_than(currency: &str) -> &'static str {
    if currency == "USD" { "EUR" } else { "USD" }
}

/// A text for people, or the same with a cut and an open drawer, a colour, a turn of direction, and no end.
fn text(plain: &str, switches: &Switches) -> String {
    match switches.texts {
        Texts::Plain => plain.to_owned(),
        Texts::Hostile => {
            let tail = "<b>&amp;\u{1d56}".repeat(HOSTILE_LENGTH);
            format!("{plain}\u{1b}@\u{1d}V\0\u{1b}p\0\u{19}\u{fa}\n\r\u{7f}\u{1b}[31m\u{202e}{tail}")
        }
    }
}
