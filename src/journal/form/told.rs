//! What the audit compares of three kinds of entries with the columns of a sale: read out of their public parts without making the
//! events anew.
//!
//! An audit reads a million of them, and passes most of what stands in them over. These are views of the form in [`super::sale`] and
//! [`super::order`], for which the domain's rules are not asked; that they read the same as [`super::decode`] is tested beside the
//! audit.

use std::borrow::Cow;

use serde::Deserialize;
use uuid::Uuid;

use super::VERSION;
use super::text::plain;

/// A text that is borrowed where nothing in it had to be escaped.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An amount; in which currency is said elsewhere.
#[derive(Deserialize)]
pub(crate) struct Amount {
    /// Minor units.
    pub(crate) minor: i64,
}

/// What the opening of a sale tells.
#[derive(Deserialize)]
pub(crate) struct Opened<'a> {
    #[serde(deserialize_with = "plain::deserialize")]
    pub(crate) sale: Uuid,
    #[serde(borrow)]
    pub(crate) receipt: Text<'a>,
    #[serde(borrow)]
    pub(crate) provider: Text<'a>,
    #[serde(borrow)]
    pub(crate) store: Text<'a>,
    #[serde(borrow)]
    pub(crate) terminal: Text<'a>,
    #[serde(borrow)]
    pub(crate) cashier: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) currency: Text<'a>,
    #[serde(borrow)]
    pub(crate) cards: Vec<Card<'a>>,
}

/// What the opening tells of a card.
#[derive(Deserialize)]
pub(crate) struct Card<'a> {
    #[serde(deserialize_with = "plain::deserialize")]
    pub(crate) id: Uuid,
    #[serde(borrow)]
    pub(crate) product: Text<'a>,
    #[serde(borrow)]
    pub(crate) product_name: Text<'a>,
    #[serde(borrow)]
    pub(crate) kind: Text<'a>,
    pub(crate) face_value: Amount,
    #[serde(borrow)]
    pub(crate) code_tail: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Body<E> {
    v: u64,
    event: E,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpenedEvent<'a> {
    #[serde(borrow)]
    Opened(Opened<'a>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaidEvent {
    Paid { payment: Payment },
}

#[derive(Deserialize)]
struct Payment {
    amount: Amount,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CardEvent<'a> {
    Card(u16, #[serde(borrow)] CreateEnded<'a>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CreateEnded<'a> {
    #[serde(borrow)]
    CreateEnded(Ended<'a>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended<'a> {
    #[serde(borrow)]
    Done(Created<'a>),
}

#[derive(Deserialize)]
struct Created<'a> {
    #[serde(borrow)]
    order: Text<'a>,
}

fn read<'a, E: Deserialize<'a>>(body: &'a [u8]) -> Option<E> {
    let body: Body<E> = serde_json::from_slice(body).ok()?;
    (body.v == VERSION).then_some(body.event)
}

/// What an entry tells that opens a sale; none if it is not one that can be read.
pub(crate) fn opened(body: &[u8]) -> Option<Opened<'_>> {
    let OpenedEvent::Opened(opened) = read(body)?;
    Some(opened)
}

/// What was paid, in minor units; none if it is no payment that can be read.
pub(crate) fn paid(body: &[u8]) -> Option<i64> {
    let PaidEvent::Paid { payment } = read(body)?;
    Some(payment.amount.minor)
}

/// The number of a card and the provider's name for its order; none if it is no created order that can be read.
pub(crate) fn order(body: &[u8]) -> Option<(i64, Text<'_>)> {
    let CardEvent::Card(card, CreateEnded::CreateEnded(Ended::Done(created))) = read(body)?;
    Some((i64::from(card), created.order))
}
