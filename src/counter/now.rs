//! What the driver turns: a sale or a redemption, how it stands, and what happens to it. A device is told and written like
//! them, but nothing of it is open: it is what was written last.
//!
//! The driver's thoughts (stage, commit, answer, alarm) are the same for both; what differs is here, and only told apart: what
//! an event makes of either is its own machine's business. A sale is moved card by card, so deadlines and undos belong to a
//! card; a redemption is one.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use tilld_domain::day::Closing;
use tilld_domain::device::Device;
use tilld_domain::ids::{OrderId, RedemptionId, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::{self, OrderEvent};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::redemption::{self, Redemption, RedemptionEvent};
use tilld_domain::sale::{CardNo, Phase, Sale, SaleEvent};
use tilld_journal::{DeviceRow, Event, RedemptionStep, Seq, Step, Subject, day_id, device_id};

use crate::{DeviceNow, RedemptionNow, SaleNow};

/// How a sale or a redemption stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Sale(Arc<Sale>),
    Redemption(Arc<Redemption>),
    Device(Arc<Device>),
    Day(Arc<Closing>),
}

/// The same, as it was after an entry.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    pub(crate) it: Standing,
    pub(crate) seq: Seq,
    pub(crate) at: Moment,
}

/// Something that happened and must be written.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) subject: Subject,
    pub(crate) event: Event,
}

/// Whose deadline, undo or effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whose {
    /// A card's.
    Card(SaleId, CardNo),
    /// A redemption's.
    Redemption(RedemptionId),
}

/// What must be done now that an event is on disk.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Take value back, after a pause.
    Undo(Whose, Duration),
    /// Tell the machine at a moment that its time is up.
    Wake(Whose, Moment),
    /// Nothing but what the entry did: it forgot something.
    Forget(Whose),
    Card(CardNo, order::Effect),
    Redemption(redemption::Effect),
}

impl Whose {
    pub(crate) fn subject(self) -> Subject {
        match self {
            Self::Card(sale, _) => Subject::Sale(sale),
            Self::Redemption(redemption) => Subject::Redemption(redemption),
        }
    }

    /// Its time is up.
    pub(crate) fn time_up(self) -> Happening {
        Happening {
            subject: self.subject(),
            event: match self {
                Self::Card(_, card) => Event::Sale(SaleEvent::Card(card, OrderEvent::TimeUp)),
                Self::Redemption(_) => Event::Redemption(RedemptionStep::Happened(RedemptionEvent::TimeUp)),
            },
        }
    }
}

impl Happening {
    /// It was found open at a start.
    pub(crate) fn resumed(subject: Subject) -> Self {
        let event = match subject {
            Subject::Sale(_) => Event::Sale(SaleEvent::Resumed),
            Subject::Redemption(_) | Subject::Device(_) | Subject::Day(_) => {
                Event::Redemption(RedemptionStep::Happened(RedemptionEvent::Resumed))
            }
        };
        Self { subject, event }
    }

    pub(crate) fn is_resumed(&self) -> bool {
        matches!(
            self.event,
            Event::Sale(SaleEvent::Resumed)
                | Event::Redemption(RedemptionStep::Happened(RedemptionEvent::Resumed))
        )
    }

    /// It is written only together with what it follows from: that a till is told, or that another redemption moves the
    /// voucher.
    pub(crate) fn is_staged_with_another(&self) -> bool {
        matches!(
            self.event,
            Event::Redemption(RedemptionStep::Happened(
                RedemptionEvent::Offered | RedemptionEvent::VoucherMoved
            ))
        )
    }

    /// As it is kept until it can be written. A reading says what was there when it was read, and is stepped at the moment when it
    /// is written: by then it says nothing any more, and the voucher is read again.
    pub(crate) fn held(self) -> Self {
        match (self.event, self.subject) {
            (
                Event::Redemption(RedemptionStep::Happened(RedemptionEvent::ReadEnded {
                    scanned: false,
                    ..
                })),
                Subject::Redemption(redemption),
            ) => {
                let outcome = Outcome::Unknown(Trouble::Silent);
                Self::to_redemption(redemption, RedemptionEvent::ReadEnded { outcome, scanned: false })
            }
            (event, subject) => Self { subject, event },
        }
    }

    /// Something happened to a redemption.
    pub(crate) fn to_redemption(redemption: RedemptionId, event: RedemptionEvent) -> Self {
        Self {
            subject: Subject::Redemption(redemption),
            event: Event::Redemption(RedemptionStep::Happened(event)),
        }
    }

    /// Whose undo has ended by it, if one has.
    pub(crate) fn ends_undo(&self) -> Option<Whose> {
        match (&self.event, self.subject) {
            (Event::Sale(SaleEvent::Card(card, OrderEvent::UndoEnded(_))), Subject::Sale(sale)) => {
                Some(Whose::Card(sale, *card))
            }
            (
                Event::Redemption(RedemptionStep::Happened(RedemptionEvent::ReverseEnded(_))),
                Subject::Redemption(redemption),
            ) => Some(Whose::Redemption(redemption)),
            _ => None,
        }
    }
}

impl Standing {
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Sale(sale) => Subject::Sale(sale.opening.sale),
            Self::Redemption(redemption) => Subject::Redemption(redemption.id()),
            Self::Device(device) => Subject::Device(device_id(&device.name)),
            Self::Day(closing) => Subject::Day(day_id(closing.day)),
        }
    }

    pub(crate) fn sale(&self) -> Option<&Arc<Sale>> {
        match self {
            Self::Sale(sale) => Some(sale),
            Self::Redemption(_) | Self::Device(_) | Self::Day(_) => None,
        }
    }

    pub(crate) fn redemption(&self) -> Option<&Arc<Redemption>> {
        match self {
            Self::Redemption(redemption) => Some(redemption),
            Self::Sale(_) | Self::Device(_) | Self::Day(_) => None,
        }
    }

    /// What begins with an event; none if nothing begins with it.
    pub(crate) fn begin(event: &Event, at: Moment) -> Option<(Self, Vec<Deed>)> {
        match event {
            Event::Sale(SaleEvent::Opened(opening)) => {
                Some(of_sale(Sale::open(opening.as_ref().clone(), at)))
            }
            Event::Redemption(RedemptionStep::Opened(opening)) => {
                Some(of_redemption(Redemption::open(opening.as_ref().clone(), at)))
            }
            Event::Device(device) => Some((Self::Device(Arc::new(device.clone())), Vec::new())),
            Event::Day(closing) => Some((Self::Day(Arc::new(closing.clone())), Vec::new())),
            _ => None,
        }
    }

    /// What follows from an event; else why it does not fit.
    pub(crate) fn step(&self, at: Moment, event: &Event) -> Result<(Self, Vec<Deed>), String> {
        match (self, event) {
            (Self::Sale(sale), Event::Sale(event)) => {
                Sale::clone(sale).step(at, event.clone()).map(of_sale).map_err(|misfit| misfit.to_string())
            }
            (Self::Redemption(redemption), Event::Redemption(RedemptionStep::Happened(event))) => {
                Redemption::clone(redemption)
                    .step(at, event.clone())
                    .map(of_redemption)
                    .map_err(|misfit| misfit.to_string())
            }
            _ => Err("it is of another kind".to_owned()),
        }
    }

    /// Whether nothing is going on by itself that a person at the counter would see the end of.
    pub(crate) fn at_rest(&self) -> bool {
        match self {
            Self::Sale(sale) => sale.at_rest(),
            // Its success is not an answer yet: it is one once it is written that the till was told.
            Self::Redemption(redemption) => redemption.at_rest() && !redemption.is_to_be_offered(),
            Self::Device(_) | Self::Day(_) => true,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Sale(sale) => sale.is_closed(),
            Self::Redemption(redemption) => redemption.is_closed(),
            Self::Device(_) | Self::Day(_) => true,
        }
    }

    /// Whether a customer stands at the counter for it.
    pub(crate) fn is_in_hand(&self) -> bool {
        match self {
            Self::Sale(sale) => !matches!(sale.phase(), Phase::Done | Phase::NothingSold),
            Self::Redemption(redemption) => !redemption.at_rest(),
            Self::Device(_) | Self::Day(_) => false,
        }
    }

    /// Whether an undo may still be asked for.
    pub(crate) fn wants_undo(&self, whose: Whose) -> bool {
        match (self, whose) {
            (Self::Sale(sale), Whose::Card(_, card)) => sale.order(card).is_some_and(|order| {
                matches!(order.state, order::State::Owed(_) | order::State::Stuck { .. })
            }),
            (Self::Redemption(redemption), Whose::Redemption(_)) => {
                matches!(redemption.state, redemption::State::Owed(_))
            }
            _ => false,
        }
    }

    /// How many attempts at an undo have failed; 7 stands for seven or more.
    pub(crate) fn failures(&self, whose: Whose) -> u32 {
        match (self, whose) {
            (Self::Sale(sale), Whose::Card(_, card)) => match sale.order(card).map(|order| &order.state) {
                Some(order::State::Owed(owed) | order::State::Stuck { owed, .. }) => owed.failures,
                _ => 0,
            },
            (Self::Redemption(redemption), Whose::Redemption(_)) => match &redemption.state {
                redemption::State::Owed(owed) => owed.failures,
                _ => 0,
            },
            _ => 0,
        }
    }

    /// What is owed an undo, as far as this alone tells.
    pub(crate) fn owed(&self) -> Vec<Whose> {
        match self {
            Self::Sale(sale) => sale
                .cards()
                .filter(|(_, order)| matches!(order.state, order::State::Owed(_)))
                .map(|(card, _)| Whose::Card(sale.opening.sale, card))
                .collect(),
            Self::Redemption(redemption) if matches!(redemption.state, redemption::State::Owed(_)) => {
                vec![Whose::Redemption(redemption.id())]
            }
            Self::Redemption(_) | Self::Device(_) | Self::Day(_) => Vec::new(),
        }
    }

    /// Whose undo may be asked for.
    pub(crate) fn undoable(&self) -> Vec<Whose> {
        self.whose().filter(|whose| self.wants_undo(*whose)).collect()
    }

    /// Each card, or the redemption.
    pub(crate) fn whose(&self) -> impl Iterator<Item = Whose> {
        let cards = match self {
            Self::Sale(sale) => Some(sale.cards().map(|(card, _)| Whose::Card(sale.opening.sale, card))),
            Self::Redemption(_) | Self::Device(_) | Self::Day(_) => None,
        };
        let redemption = self.redemption().map(|redemption| Whose::Redemption(redemption.id()));
        cards.into_iter().flatten().chain(redemption)
    }

    /// Whether no deadline of it would be moved if the counter's own time were set: a person decides, or an undo is repeated
    /// after pauses. "Not found" must last (law L6).
    pub(crate) fn counts_no_moments(&self) -> bool {
        match self {
            Self::Sale(sale) => sale.orders.iter().all(|order| match &order.state {
                order::State::Owed(owed) | order::State::Stuck { owed, .. } | order::State::Spent(owed) => {
                    owed.not_found.is_none()
                }
                order::State::NotSold { .. }
                | order::State::Sold { .. }
                | order::State::Cleared { .. }
                | order::State::Settled { .. } => true,
                _ => false,
            }),
            Self::Redemption(redemption) => match &redemption.state {
                redemption::State::Owed(owed) | redemption::State::Stuck { owed, .. } => {
                    owed.not_found.is_none()
                }
                redemption::State::Completed
                | redemption::State::Answered { asked: true, .. }
                | redemption::State::NotApplied { moved: true, .. }
                | redemption::State::Unclear {
                    why: redemption::UnclearWhy::Odd | redemption::UnclearWhy::NeverOffered,
                    ..
                } => true,
                _ => redemption.is_closed(),
            },
            Self::Device(_) | Self::Day(_) => true,
        }
    }

    /// The step as the journal takes it.
    pub(crate) fn written(&self, event: &Event, deeds: &[Deed]) -> Option<Step> {
        match (self, event) {
            (Self::Sale(after), Event::Sale(event)) => {
                let forgotten = |deed: &Deed| match deed {
                    Deed::Forget(Whose::Card(_, card)) => Some(after.order(*card)?.facts.id),
                    _ => None,
                };
                let forget: Vec<OrderId> = deeds.iter().filter_map(forgotten).collect();
                Some(Step::Sale { event: event.clone(), after: Arc::clone(after), forget })
            }
            (Self::Redemption(after), Event::Redemption(event)) => {
                let forget = deeds.iter().any(|deed| matches!(deed, Deed::Forget(_)));
                Some(Step::Redemption { event: event.clone(), after: Arc::clone(after), forget })
            }
            (Self::Device(device), _) => Some(Step::Device(Arc::clone(device))),
            (Self::Day(closing), _) => Some(Step::Day(Arc::clone(closing))),
            _ => None,
        }
    }
}

impl Now {
    pub(crate) fn subject(&self) -> Subject {
        self.it.subject()
    }

    pub(crate) fn into_sale(self) -> Option<SaleNow> {
        let Self { it: Standing::Sale(sale), seq, at } = self else { return None };
        Some(SaleNow { sale, seq, at })
    }

    pub(crate) fn into_redemption(self) -> Option<RedemptionNow> {
        let Self { it: Standing::Redemption(redemption), seq, at } = self else { return None };
        Some(RedemptionNow { redemption, seq, at })
    }

    pub(crate) fn into_device(self) -> Option<DeviceNow> {
        let Self { it: Standing::Device(device), seq, at } = self else { return None };
        Some(DeviceNow { device, seq, at })
    }
}

fn of_sale((sale, effects): (Sale, Vec<(CardNo, order::Effect)>)) -> (Standing, Vec<Deed>) {
    let id = sale.opening.sale;
    let deeds = effects.into_iter().map(|(card, effect)| match effect {
        order::Effect::Undo { after } => Deed::Undo(Whose::Card(id, card), after),
        order::Effect::Wake { at } => Deed::Wake(Whose::Card(id, card), at),
        order::Effect::Forget => Deed::Forget(Whose::Card(id, card)),
        effect => Deed::Card(card, effect),
    });
    (Standing::Sale(Arc::new(sale)), deeds.collect())
}

fn of_redemption((redemption, effects): (Redemption, Vec<redemption::Effect>)) -> (Standing, Vec<Deed>) {
    let whose = Whose::Redemption(redemption.id());
    let deeds = effects.into_iter().map(|effect| match effect {
        redemption::Effect::Reverse { after } => Deed::Undo(whose, after),
        redemption::Effect::Wake { at } => Deed::Wake(whose, at),
        redemption::Effect::Forget => Deed::Forget(whose),
        effect => Deed::Redemption(effect),
    });
    (Standing::Redemption(Arc::new(redemption)), deeds.collect())
}

impl From<DeviceRow> for Now {
    fn from(row: DeviceRow) -> Self {
        Self { it: Standing::Device(Arc::new(row.device)), seq: row.last, at: row.at }
    }
}
