//! What an entry looks like on disk: the public part as JSON, the secret part set aside for the seal.
//!
//! The domain has no disk format; this folder is it. Every type of the domain that an event can hold has a
//! *definition* here, which serde checks against the domain's own type: a variant or a field that is added there does
//! not compile until it is written here. Version 1 of the format is what is below; a change that cannot be read by it
//! is version 2, and both are then read for ever, because entries are never rewritten.
//!
//! Reading is strict: an unknown version, kind, field or word, a missing field, and a value outside of what the
//! domain takes are errors with a name. Nothing is guessed, and nothing that stands in a file can make this panic.
//!
//! What is absent: a POSA card's code, the lines of a card and a voucher's code. [`secrets`] takes them out of the event and
//! [`decode`] leaves `None` and *gone* in their place; [`secrets::put_back`] restores them.

pub(crate) mod day;
pub(crate) mod device;
mod order;
mod outcome;
mod product;
mod redemption;
mod sale;
pub(crate) mod secrets;
mod text;
pub(crate) mod told;
mod undo;
mod voucher;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tilld_domain::day::Closing;
use tilld_domain::device::Device;
use tilld_domain::ids::{DayId, DeviceId, RedemptionId, SaleId};
use tilld_domain::order::OrderEvent;
use tilld_domain::sale::{CardNo, SaleEvent};
use uuid::Uuid;

use crate::entry::{Event, RedemptionStep, Subject};
use crate::failure::DecodeError;

pub(crate) use product::{decode_products, encode_products};

/// The version that is written.
const VERSION: u64 = 1;

/// The longest text of an error: a hostile file must not fill a log.
const LONGEST_WHY: usize = 200;

#[derive(Serialize)]
struct Written<E> {
    v: u64,
    event: E,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<E> {
    v: u64,
    event: E,
}

#[derive(Serialize)]
struct SaleLent<'a>(#[serde(with = "sale::SaleEventForm")] &'a SaleEvent);

#[derive(Deserialize)]
struct SaleOwned(#[serde(with = "sale::SaleEventForm")] SaleEvent);

#[derive(Serialize)]
struct RedemptionLent<'a>(#[serde(with = "redemption::RedemptionStepForm")] &'a RedemptionStep);

#[derive(Deserialize)]
struct RedemptionOwned(#[serde(with = "redemption::RedemptionStepForm")] RedemptionStep);

#[derive(Serialize)]
struct DeviceLent<'a>(#[serde(with = "device::DeviceForm")] &'a Device);

#[derive(Deserialize)]
struct DeviceOwned(#[serde(with = "device::DeviceForm")] Device);

#[derive(Serialize)]
struct DayLent<'a>(#[serde(with = "day::ClosingForm")] &'a Closing);

#[derive(Deserialize)]
struct DayOwned(#[serde(with = "day::ClosingForm")] Closing);

/// The public part of what happened to a sale as JSON.
pub(crate) fn encode_of_sale(event: &SaleEvent) -> Result<String, DecodeError> {
    serde_json::to_string(&Written { v: VERSION, event: SaleLent(event) }).map_err(|error| why(&error))
}

/// The public part of what happened to a redemption as JSON.
pub(crate) fn encode_of_redemption(step: &RedemptionStep) -> Result<String, DecodeError> {
    serde_json::to_string(&Written { v: VERSION, event: RedemptionLent(step) }).map_err(|error| why(&error))
}

/// What is known of a device as JSON.
pub(crate) fn encode_of_device(device: &Device) -> Result<String, DecodeError> {
    serde_json::to_string(&Written { v: VERSION, event: DeviceLent(device) }).map_err(|error| why(&error))
}

/// The closing of a day as JSON.
pub(crate) fn encode_of_day(closing: &Closing) -> Result<String, DecodeError> {
    serde_json::to_string(&Written { v: VERSION, event: DayLent(closing) }).map_err(|error| why(&error))
}

/// The event of a public part; its codes are `None` and its lines are gone.
pub(crate) fn decode(kind: &str, card: Option<CardNo>, body: &str) -> Result<Event, DecodeError> {
    let event = if redemption::KINDS.contains(&kind) {
        Event::Redemption(decode_as::<RedemptionOwned>(body)?.0)
    } else if kind == device::KIND {
        Event::Device(decode_as::<DeviceOwned>(body)?.0)
    } else if kind == day::KIND {
        Event::Day(decode_as::<DayOwned>(body)?.0)
    } else {
        Event::Sale(decode_as::<SaleOwned>(body)?.0)
    };
    if self::kind(&event) != kind {
        return Err(DecodeError::Column("kind"));
    }
    if self::card(&event) != card {
        return Err(DecodeError::Column("card"));
    }
    Ok(event)
}

fn decode_as<E: DeserializeOwned>(body: &str) -> Result<E, DecodeError> {
    // The version is looked at by itself only if the rest cannot be read: that may be why.
    let read = serde_json::from_str::<Body<E>>(body).map_err(|error| {
        let version = serde_json::from_str::<Version>(body);
        version
            .ok()
            .filter(|version| version.v != VERSION)
            .map_or_else(|| why(&error), |version| DecodeError::Version(version.v))
    });
    let body = read?;
    if body.v == VERSION { Ok(body.event) } else { Err(DecodeError::Version(body.v)) }
}

/// What an entry is about, by its kind and its id.
pub(crate) fn subject(kind: &str, id: Uuid) -> Subject {
    if redemption::KINDS.contains(&kind) {
        Subject::Redemption(RedemptionId::new(id))
    } else if kind == device::KIND {
        Subject::Device(DeviceId::new(id))
    } else if kind == day::KIND {
        Subject::Day(DayId::new(id))
    } else {
        Subject::Sale(SaleId::new(id))
    }
}

/// A public part as people are shown it.
pub(crate) fn shown(kind: &str, body: String) -> String {
    if redemption::KINDS.contains(&kind) { redemption::shown(&body) } else { body }
}

/// The word for an event.
pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Sale(event) => kind_of_sale(event),
        Event::Redemption(step) => kind_of_redemption(step),
        Event::Device(_) => device::KIND,
        Event::Day(_) => day::KIND,
    }
}

/// The word for what happened to a redemption.
pub(crate) fn kind_of_redemption(step: &RedemptionStep) -> &'static str {
    redemption::kind(step)
}

/// The word for what happened to a sale; for what happened to a card, the word of that.
pub(crate) fn kind_of_sale(event: &SaleEvent) -> &'static str {
    match event {
        SaleEvent::Opened(_) => "opened",
        SaleEvent::Paid { .. } => "paid",
        SaleEvent::Cancelled { .. } => "cancelled",
        SaleEvent::Resumed => "resumed",
        SaleEvent::Card(_, event) => match event {
            OrderEvent::CreateEnded(_) => "create_ended",
            OrderEvent::Paid { .. } => "card_paid",
            OrderEvent::Cancelled => "card_cancelled",
            OrderEvent::ConfirmEnded(_) => "confirm_ended",
            OrderEvent::LookupEnded(_) => "lookup_ended",
            OrderEvent::UndoEnded(_) => "undo_ended",
            OrderEvent::PrintEnded(_) => "print_ended",
            OrderEvent::PrinterReady => "printer_ready",
            OrderEvent::TimeUp => "time_up",
            OrderEvent::Resumed => "card_resumed",
            OrderEvent::Answered { .. } => "answered",
            OrderEvent::CopyAsked { .. } => "copy_asked",
            OrderEvent::Settled { .. } => "settled",
        },
    }
}

/// The card that an event is about, if it is about one.
pub(crate) fn card(event: &Event) -> Option<CardNo> {
    match event {
        Event::Sale(event) => card_of_sale(event),
        Event::Redemption(_) | Event::Device(_) | Event::Day(_) => None,
    }
}

/// The card that something happened to, if it was one.
pub(crate) fn card_of_sale(event: &SaleEvent) -> Option<CardNo> {
    match event {
        SaleEvent::Card(card, _) => Some(*card),
        SaleEvent::Opened(_) | SaleEvent::Paid { .. } | SaleEvent::Cancelled { .. } | SaleEvent::Resumed => {
            None
        }
    }
}

/// What serde says, cut and made safe to print. The public part holds no secret, so its words may be shown.
fn why(error: &serde_json::Error) -> DecodeError {
    let text = error.to_string();
    let safe = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    DecodeError::Body(safe.take(LONGEST_WHY).collect())
}
