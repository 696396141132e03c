//! What the counter tells: sales, redemptions and devices as an entry left them, what changed, what waits for a person, how all is.

use std::collections::BTreeMap;
use std::sync::Arc;

use tilld_domain::attention::Case;
use tilld_domain::device::Device;
use tilld_domain::moment::Moment;
use tilld_domain::redemption::{self, Redemption};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::Sale;
use tilld_journal::{Event, Seq, Subject, device_id};

use crate::now::{Now, Standing, Whose};
use crate::shelf::ShelfState;

/// A sale as it was after an entry.
#[derive(Debug, Clone)]
pub struct SaleNow {
    /// The sale.
    pub sale: Arc<Sale>,
    /// The last entry that it includes.
    pub seq: Seq,
    /// When that entry was written.
    pub at: Moment,
}

/// A redemption as it was after an entry.
#[derive(Debug, Clone)]
pub struct RedemptionNow {
    /// The redemption.
    pub redemption: Arc<Redemption>,
    /// The last entry that it includes.
    pub seq: Seq,
    /// When that entry was written.
    pub at: Moment,
}

/// A device as it was after an entry.
#[derive(Debug, Clone)]
pub struct DeviceNow {
    /// The device.
    pub device: Arc<Device>,
    /// The last entry about it.
    pub seq: Seq,
    /// When that was written.
    pub at: Moment,
}

/// Something that changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// A sale.
    Sale(SaleNow),
    /// A redemption.
    Redemption(RedemptionNow),
    /// A device.
    Device(DeviceNow),
}

impl Change {
    /// What has changed.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Sale(now) => Subject::Sale(now.sale.opening.sale),
            Self::Redemption(now) => Subject::Redemption(now.redemption.id()),
            Self::Device(now) => Subject::Device(device_id(&now.device.name)),
        }
    }

    /// By which entry.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Sale(now) => now.seq,
            Self::Redemption(now) => now.seq,
            Self::Device(now) => now.seq,
        }
    }

    /// What listeners are told; none of what no screen shows by itself.
    pub(crate) fn of(now: Now) -> Option<Self> {
        let Now { it, seq, at } = now;
        match it {
            Standing::Sale(sale) => Some(Self::Sale(SaleNow { sale, seq, at })),
            Standing::Redemption(redemption) => Some(Self::Redemption(RedemptionNow { redemption, seq, at })),
            Standing::Device(device) => Some(Self::Device(DeviceNow { device, seq, at })),
            Standing::Day(_) => None,
        }
    }
}

/// Everything that waits for a person, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Attention {
    /// In sales.
    pub sales: Vec<(SaleNow, Vec<Case>)>,
    /// In redemptions.
    pub redemptions: Vec<(RedemptionNow, redemption::attention::Case)>,
    /// The undos that are owed for these, as they go on.
    pub undos: BTreeMap<Whose, UndoNow>,
}

/// An undo that is owed, as it goes on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoNow {
    /// How many attempts have failed; 7 stands for seven or more.
    pub failures: u32,
    /// How the last attempt ended; none before the first that this run of the daemon has ended.
    pub last: Option<Tried>,
    /// Whether one is on the wire.
    pub is_under_way: bool,
    /// When the next one is sent.
    pub next: Option<Moment>,
    /// Until when the provider has asked not to be asked.
    pub not_before: Option<Moment>,
}

impl UndoNow {
    /// Whether it would be sent if a manager wanted that now.
    pub fn may_be_sent(&self) -> bool {
        self.next.is_some() && self.not_before.is_none()
    }
}

/// How an attempt at an undo ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// When that was known.
    pub at: Moment,
    /// How.
    pub event: Event,
}

/// What becomes of a manager's wish that an undo be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It is sent.
    Now,
    /// It was on the wire already.
    UnderWay,
    /// The provider has asked for a pause; it is sent by itself then.
    NotBefore(Moment),
}

/// How the counter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why no sale would be begun now, and what to do next; none if one would be, as far as the counter can tell.
    pub hindrance: Option<String>,
    /// Whether the journal takes entries (law L10).
    pub journal_writes: bool,
    /// Why not, if it does not.
    pub journal_trouble: Option<String>,
    /// How many events of sales could not be written although others can: a case for the manufacturer.
    pub set_aside: usize,
    /// How the last call to the provider went; none before the first.
    pub provider: Option<ProviderLine>,
    /// The provider's clock minus this machine's in ms (row A19), also when this one has been set since its last answer; none
    /// before its first answer.
    pub clock_offset_ms: Option<i64>,
    /// Why nothing may be signed with this clock, and what to do next.
    pub clock_trouble: Option<String>,
    /// What is known of the printer; none if nothing is, and it cannot be asked.
    pub printer: Option<tilld_devices::printer::Status>,
    /// How many products can be sold, and since when they are known.
    pub shelf: ShelfState,
    /// How the last call to the provider of vouchers went; none before the first, and where vouchers are not set up.
    pub vouchers: Option<ProviderLine>,
    /// Why redemptions that are not closed stand still, and what to do next.
    pub vouchers_trouble: Option<String>,
    /// How many sales are not closed.
    pub open_sales: usize,
    /// How many redemptions are not closed.
    pub open_redemptions: usize,
    /// How many cards and redemptions are owed an undo.
    pub owed: usize,
    /// How many questions wait for a person.
    pub questions: usize,
}

/// How the line to the provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderLine {
    /// Whether the last call was answered readably, by a provider that takes this shop's calls.
    pub up: bool,
    /// Why the provider did not take it, where that is the shop's key, contract or clock.
    pub refused: Option<Refusal>,
    /// When it ended.
    pub at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_may_be_sent_while_it_sleeps_and_the_provider_has_not_asked_for_its_pause() {
        let at = Some(Moment::from_ms(1_795_266_300_000));
        for (next, not_before, may_be_sent) in
            [(at, None, true), (at, at, false), (None, None, false), (None, at, false)]
        {
            let undo = UndoNow { failures: 1, last: None, is_under_way: next.is_none(), next, not_before };
            assert_eq!(undo.may_be_sent(), may_be_sent, "{undo:?}");
        }
    }
}
