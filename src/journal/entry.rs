//! What goes into the journal and what comes out of it, in the domain's words.
//!
//! A [`Draft`] is an entry before it has a number; an [`Entry`] is one that was read back. One entry is one event of
//! one sale or of one redemption, or a change of one device, at one moment. The order of entries is their number, never their moment: a till's
//! clock may be set back.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tilld_domain::day::{Closing, Day};
use tilld_domain::device::Device;
use tilld_domain::ids::{
    BasketId, DayId, DeviceId, DeviceName, OrderId, ReceiptId, RedemptionId, RequestKey, SaleId,
};
use tilld_domain::moment::Moment;
use tilld_domain::money::Money;
use tilld_domain::redemption::{self, Redemption, RedemptionEvent};
use tilld_domain::sale::{CardNo, Sale, SaleEvent};
use tilld_domain::voucher::{CodeTail, VoucherKind, Worth};
use uuid::Uuid;

/// The number of an entry: from 1, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// Before the first entry.
    pub const NONE: Self = Self(0);

    /// The entry of a number; 0 is [`Seq::NONE`].
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// As a column keeps it.
    pub(crate) fn column(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// From a column; a number that no entry has becomes [`Seq::NONE`].
    pub(crate) fn of_column(number: i64) -> Self {
        Self(u64::try_from(number).unwrap_or(0))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// Which request of a till caused an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The till's key. It belongs to one entry for as long as the journal lives.
    pub key: RequestKey,
    /// A digest of the request, made by whoever read it: the same key with another digest is another request.
    pub digest: [u8; 32],
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A sale.
    Sale(SaleId),
    /// A redemption.
    Redemption(RedemptionId),
    /// A device.
    Device(DeviceId),
    /// A day of business.
    Day(DayId),
}

impl Subject {
    /// The id alone, which does not tell of what it is.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Sale(sale) => sale.uuid(),
            Self::Redemption(redemption) => redemption.uuid(),
            Self::Device(device) => device.uuid(),
            Self::Day(day) => day.uuid(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sale(sale) => write!(out, "sale {sale}"),
            Self::Redemption(redemption) => write!(out, "redemption {redemption}"),
            Self::Device(device) => write!(out, "device {device}"),
            Self::Day(day) => write!(out, "day {day}"),
        }
    }
}

/// The id of the device of a name: a UUID of version 8 (RFC 9562) out of the name's SHA-256, so that a device is the same in every run.
pub fn device_id(name: &DeviceName) -> DeviceId {
    DeviceId::new(id_of("tilld device\n", name.as_str()))
}

/// The id of a day of business, made of its date in the same way.
pub fn day_id(day: Day) -> DayId {
    DayId::new(id_of("tilld day\n", &day.to_string()))
}

fn id_of(sort: &str, name: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::new().chain_update(sort).chain_update(name).finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// What happened to a redemption: its opening, or an event of its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionStep {
    /// It began: its redeem is about to be sent.
    Opened(Box<redemption::Opening>),
    /// Something happened to it.
    Happened(RedemptionEvent),
}

/// What happened to what an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// To a sale.
    Sale(SaleEvent),
    /// To a redemption.
    Redemption(RedemptionStep),
    /// To a device: it is like this now.
    Device(Device),
    /// To a day: it is closed.
    Day(Closing),
}

/// What happened, and what it led to. The query tables are written from what is after it, in the same commit.
#[derive(Debug, Clone)]
pub enum Step {
    /// Of a sale.
    Sale {
        /// What happened.
        event: SaleEvent,
        /// The sale after it.
        after: Arc<Sale>,
        /// Orders whose codes and lines are forgotten in the same commit.
        forget: Vec<OrderId>,
    },
    /// Of a redemption.
    Redemption {
        /// What happened.
        event: RedemptionStep,
        /// The redemption after it.
        after: Arc<Redemption>,
        /// Whether the voucher's code is forgotten in the same commit.
        forget: bool,
    },
    /// Of a device: it is like this now.
    Device(Arc<Device>),
    /// Of a day: it is closed.
    Day(Arc<Closing>),
}

/// An entry to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// When it happened.
    pub at: Moment,
    /// Which request of a till caused it, if one did.
    pub asked: Option<Asked>,
    /// What happened, and to what.
    pub step: Step,
}

impl Draft {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match &self.step {
            Step::Sale { after, .. } => Subject::Sale(after.opening.sale),
            Step::Redemption { after, .. } => Subject::Redemption(after.id()),
            Step::Device(device) => Subject::Device(device_id(&device.name)),
            Step::Day(closing) => Subject::Day(day_id(closing.day)),
        }
    }

    /// Whether it forgets anything.
    pub(crate) fn forgets(&self) -> bool {
        match &self.step {
            Step::Sale { forget, .. } => !forget.is_empty(),
            Step::Redemption { forget, .. } => *forget,
            Step::Device(_) | Step::Day(_) => false,
        }
    }
}

/// What a till's key was used for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedBefore {
    /// The digest of that request.
    pub digest: [u8; 32],
    /// What it was about.
    pub subject: Subject,
    /// The entry that it caused.
    pub seq: Seq,
}

/// An entry that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub at: Moment,
    /// To what.
    pub subject: Subject,
    /// What. Codes and lines are there while their key is, and if the reader has the terminal key; else `None` and
    /// [`ReceiptLines::gone`](tilld_domain::outcome::ReceiptLines::gone).
    pub event: Event,
    /// Which request of a till caused it, if one did.
    pub asked: Option<Asked>,
    /// The link of the chain: SHA-256 over the link before it and every column of this entry.
    pub hash: [u8; 32],
}

/// What a screen is told about an entry. There is nothing secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHead {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub at: Moment,
    /// To what.
    pub subject: Subject,
    /// What, in one word, such as `confirm_ended`. The words of sales, of redemptions and of devices differ.
    pub kind: String,
    /// To which card of a sale; none if to all, and of a redemption or a device.
    pub card: Option<CardNo>,
    /// The state of that card after the event; of every card in their order, joined by blanks, if it was about all; of
    /// the redemption; of the device.
    pub state: String,
}

/// An entry as it stands on disk, without what is sealed in it and what nobody is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryShown {
    /// Its head.
    pub head: EntryHead,
    /// Its content: one JSON object, in the disk format of its version.
    pub body: String,
}

/// A sale as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleRow {
    /// The daemon's name for it.
    pub sale: SaleId,
    /// The till's number of the receipt.
    pub receipt: ReceiptId,
    /// The provider, by its configured name.
    pub provider: String,
    /// What it is doing, in one word.
    pub phase: String,
    /// Whether something remains to be done or decided.
    pub open: bool,
    /// When it began.
    pub opened: Moment,
    /// When the last of its cards was closed.
    pub closed: Option<Moment>,
    /// The sum of its cards' face values.
    pub total: Money,
    /// What the till reported as paid.
    pub paid: Option<Money>,
    /// Who sold, if the till said so.
    pub cashier: Option<String>,
    /// Its first entry.
    pub first: Seq,
    /// Its last entry.
    pub last: Seq,
    /// Its cards.
    pub cards: Vec<CardRow>,
}

/// A card as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// Which of the sale, from 1.
    pub card: u16,
    /// The daemon's own name for the order.
    pub order: OrderId,
    /// The provider's name for it, since it was created.
    pub provider_order: Option<String>,
    /// The provider's code of the product.
    pub product: String,
    /// The product's name when it was sold.
    pub product_name: String,
    /// Printed (`por`) or activated (`posa`).
    pub kind: String,
    /// The last four characters of a scanned code.
    pub code_tail: Option<String>,
    /// The value of the card.
    pub face_value: Money,
    /// Where it stands, in one word.
    pub state: String,
    /// Whether an undo is owed.
    pub owed: bool,
}

/// A redemption as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionRow {
    /// The daemon's name for it.
    pub redemption: RedemptionId,
    /// The till's basket that it is for.
    pub basket: BasketId,
    /// The provider, by its configured name.
    pub provider: String,
    /// Who gave the voucher.
    pub kind: VoucherKind,
    /// Where it stands, in one word.
    pub state: String,
    /// Whether something remains to be done or decided.
    pub open: bool,
    /// Whether a reversal is owed.
    pub owed: bool,
    /// When it began.
    pub opened: Moment,
    /// When nothing remained to be done or decided.
    pub closed: Option<Moment>,
    /// How much was asked for.
    pub amount: Worth,
    /// How much was taken, since that is known.
    pub taken: Option<Worth>,
    /// The last four characters of the voucher's code.
    pub code_tail: CodeTail,
    /// The provider's name for it, since that is known.
    pub provider_redemption: Option<String>,
    /// Who redeemed, if the till said so.
    pub cashier: Option<String>,
    /// Its first entry.
    pub first: Seq,
    /// Its last entry.
    pub last: Seq,
}

/// A device as its last entry left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The id that follows from its name.
    pub id: DeviceId,
    /// It, and what was known of it.
    pub device: Device,
    /// When that entry was written.
    pub at: Moment,
    /// Its first entry.
    pub first: Seq,
    /// Its last entry.
    pub last: Seq,
}

/// A day that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingRow {
    /// Its closing.
    pub closing: Closing,
    /// When that was written.
    pub at: Moment,
    /// The entry that says so.
    pub seq: Seq,
}

/// A wrong code that was tried, or that a manager let the terminal try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongCode {
    /// When.
    pub at: Moment,
    /// By whom, if the till said so.
    pub by: Option<String>,
    /// The first bytes of the code's HMAC, in hexadecimal digits: the same ones are of the same code, and nobody can go
    /// back from them to it. None: a manager let the terminal try again.
    pub mark: Option<String>,
}
