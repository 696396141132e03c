//! One till receipt: its cards, one payment, and one machine a card.
//!
//! The sale decides what concerns all cards (is it paid, may it be cancelled, what is to be collected and given back) and
//! hands everything else to the machine of the card. It has no state of its own beside the payment: its phase follows
//! from its cards.
//!
//! ```text
//!  creating ──► collect ──► finishing ──► done | question | nothing sold
//!                  └─ cancelled: every card that was created is owed
//! ```
//!
//! Invariants: all cards are of one currency; the amount that was paid is the sum of the cards that were created and fresh
//! at that moment, so a card that fails later gives back its own face value and no more.

#[cfg(test)]
pub(crate) mod tests;

use crate::ids::{Country, Locale, PersonName, ProviderOrderId, ReceiptId, SaleId, StoreId, TerminalId};
use crate::moment::Moment;
use crate::money::{Currency, Money, MoneyError};
use crate::order::{Effect, Misfit, Order, OrderEvent, OrderFacts, Question, Rules, State};
use crate::outcome::Outcome;
use crate::refusal::Refusal;

/// The greatest number of cards in a sale.
pub const MOST_CARDS: usize = 20;

/// Which card of a sale, from 1, as people count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardNo(u16);

impl CardNo {
    /// The card of a number from 1 to [`MOST_CARDS`].
    pub fn new(number: u16) -> Option<Self> {
        (1..=MOST_CARDS).contains(&usize::from(number)).then_some(Self(number))
    }

    /// The number, from 1.
    pub const fn number(self) -> u16 {
        self.0
    }

    fn at(place: usize) -> Self {
        Self(u16::try_from(place).unwrap_or(u16::MAX).saturating_add(1))
    }

    fn place(self) -> usize {
        usize::from(self.0).saturating_sub(1)
    }
}

/// Everything that is known when a sale begins. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The daemon's name for the sale.
    pub sale: SaleId,
    /// The till's number of the receipt.
    pub receipt: ReceiptId,
    /// The provider that is bought from, by its configured name.
    pub provider: String,
    /// In which store.
    pub store: StoreId,
    /// At which till.
    pub terminal: TerminalId,
    /// In which country.
    pub country: Country,
    /// Who sells, if the till said so.
    pub cashier: Option<PersonName>,
    /// For language and formats on the slip.
    pub locale: Locale,
    /// Columns of the slip, as the provider was told.
    pub columns: u16,
    /// Of all cards.
    pub currency: Currency,
    /// The times and counts that the sale lives by.
    pub rules: Rules,
    /// Its cards, at least one and at most [`MOST_CARDS`].
    pub cards: Vec<OrderFacts>,
}

/// How the customer paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    /// In notes and coins.
    Cash {
        /// What the customer gave.
        given: Money,
        /// What went back over the counter.
        change: Money,
    },
    /// With a payment card, the exact amount.
    Card,
    /// A part with a payment card and the rest in cash.
    Mixed {
        /// What the card paid.
        card: Money,
        /// What the customer gave in cash.
        given: Money,
        /// What went back over the counter.
        change: Money,
    },
}

impl Tender {
    /// Cash for `amount`; the change follows.
    pub fn cash(amount: Money, given: Money) -> Result<Self, Refusal> {
        let change = given.minus(amount).map_err(|_| Refusal::TenderDoesNotAddUp)?;
        if change.minor() < 0 { Err(Refusal::TenderDoesNotAddUp) } else { Ok(Self::Cash { given, change }) }
    }

    /// `card` by card and the rest of `amount` in cash; both parts are more than nothing.
    pub fn mixed(amount: Money, card: Money, given: Money) -> Result<Self, Refusal> {
        let in_cash = amount.minus(card).map_err(|_| Refusal::TenderDoesNotAddUp)?;
        let change = given.minus(in_cash).map_err(|_| Refusal::TenderDoesNotAddUp)?;
        if !card.is_positive() || !in_cash.is_positive() || change.minor() < 0 {
            return Err(Refusal::TenderDoesNotAddUp);
        }
        Ok(Self::Mixed { card, given, change })
    }
}

/// A payment as the till reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// What was collected for the cards of this sale.
    pub amount: Money,
    /// How.
    pub tender: Tender,
    /// The total of the whole receipt, which may hold other goods (fact sheet U21).
    pub receipt_total: Money,
}

/// What happened to a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaleEvent {
    /// It began. Always the first, and only the first.
    Opened(Box<Opening>),
    /// Its payment was reported, of exactly the amount that was due.
    Paid {
        /// How.
        payment: Payment,
        /// The exact confirm for each of its cards.
        confirm_request: String,
    },
    /// It was cancelled before it was paid.
    Cancelled {
        /// By whom, if the till said so.
        by: Option<PersonName>,
    },
    /// The daemon started again while it was open.
    Resumed,
    /// Something happened to one card: anything but what the sale itself decides (paid, cancelled, resumed).
    Card(CardNo, OrderEvent),
}

/// Whether the sale has been paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// No payment was reported.
    Unpaid {
        /// A3: the daemon has started again since the money was asked for. It may have been taken.
        interrupted: bool,
    },
    /// Paid.
    Paid(Payment),
    /// Cancelled before a payment was reported: none ever will be.
    Cancelled {
        /// The money had been asked for before an interruption (A3): it may have been taken all the same.
        interrupted: bool,
    },
}

/// What a sale is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Orders are being created.
    Creating,
    /// The money is to be collected.
    Collect,
    /// Paid: cards are being confirmed or printed.
    Finishing,
    /// A person must answer before it goes on.
    Question,
    /// Nothing was sold, and no payment was reported.
    NothingSold,
    /// Every card is sold, or given back.
    Done,
}

/// One till receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// What was known when it began.
    pub opening: Opening,
    /// When it began.
    pub opened: Moment,
    /// Its payment.
    pub payment: PaymentState,
    /// Its cards, in their order.
    pub orders: Vec<Order>,
}

/// An effect and the card that it is for.
pub type CardEffect = (CardNo, Effect);

impl Sale {
    /// Begins a sale: one order a card, all to be created.
    pub fn open(mut opening: Opening, at: Moment) -> (Self, Vec<CardEffect>) {
        let mut effects = Vec::new();
        let orders = std::mem::take(&mut opening.cards)
            .into_iter()
            .enumerate()
            .map(|(place, facts)| {
                let (order, its_effects) = Order::open(facts, at);
                effects.extend(its_effects.into_iter().map(|effect| (CardNo::at(place), effect)));
                order
            })
            .collect();
        (Self { opening, opened: at, payment: PaymentState::Unpaid { interrupted: false }, orders }, effects)
    }

    /// What follows from an event.
    pub fn step(mut self, at: Moment, event: SaleEvent) -> Result<(Self, Vec<CardEffect>), Misfit> {
        match event {
            SaleEvent::Opened(_) => Err(Misfit::Event),
            SaleEvent::Paid { payment, confirm_request } => {
                if self.may_pay(at) != Ok(payment.amount) {
                    return Err(Misfit::Event);
                }
                let effects = self.step_each(at, |order| {
                    matches!(order.state, State::Created { .. })
                        .then(|| OrderEvent::Paid { confirm_request: confirm_request.clone() })
                })?;
                self.payment = PaymentState::Paid(payment);
                Ok((self, effects))
            }
            SaleEvent::Cancelled { .. } => {
                if self.may_cancel().is_err() {
                    return Err(Misfit::Event);
                }
                let effects = self.step_each(at, |order| {
                    matches!(order.state, State::Created { .. }).then_some(OrderEvent::Cancelled)
                })?;
                let interrupted = self.payment == PaymentState::Unpaid { interrupted: true };
                self.payment = PaymentState::Cancelled { interrupted };
                Ok((self, effects))
            }
            SaleEvent::Resumed => {
                let was_asked_for = self.phase() == Phase::Collect;
                if let PaymentState::Unpaid { interrupted } = &mut self.payment {
                    *interrupted |= was_asked_for;
                }
                let effects =
                    self.step_each(at, |order| (!order.is_closed()).then_some(OrderEvent::Resumed))?;
                Ok((self, effects))
            }
            // What concerns the whole sale is never said of one card: a card would be confirmed that nobody paid for.
            SaleEvent::Card(_, OrderEvent::Paid { .. } | OrderEvent::Cancelled | OrderEvent::Resumed) => {
                Err(Misfit::Event)
            }
            SaleEvent::Card(card, event) => {
                let event = self.no_order_twice(card, event);
                let mut event = Some(event);
                let place = card.place();
                if place >= self.orders.len() {
                    return Err(Misfit::NoSuchCard);
                }
                let mut current = 0;
                let effects = self.step_each(at, |_| {
                    let mine = current == place;
                    current = current.saturating_add(1);
                    if mine { event.take() } else { None }
                })?;
                Ok((self, effects))
            }
        }
    }

    /// A provider that names one order for two cards has made one: the second card does not exist, and must not be paid for.
    fn no_order_twice(&self, card: CardNo, event: OrderEvent) -> OrderEvent {
        let taken = |id: &ProviderOrderId| {
            self.cards().any(|(other, order)| other != card && order.past.provider_order.as_ref() == Some(id))
        };
        match event {
            OrderEvent::CreateEnded(Outcome::Done(created)) if taken(&created.order) => {
                OrderEvent::CreateEnded(Outcome::Refused(Refusal::OrderTwice))
            }
            event => event,
        }
    }

    fn step_each(
        &mut self,
        at: Moment,
        mut event_for: impl FnMut(&Order) -> Option<OrderEvent>,
    ) -> Result<Vec<CardEffect>, Misfit> {
        let rules = self.opening.rules;
        let mut effects = Vec::new();
        let mut orders = Vec::with_capacity(self.orders.len());
        for (place, order) in std::mem::take(&mut self.orders).into_iter().enumerate() {
            let order = match event_for(&order) {
                Some(event) => {
                    let (order, its_effects) = order.step(&rules, at, event)?;
                    effects.extend(its_effects.into_iter().map(|effect| (CardNo::at(place), effect)));
                    order
                }
                None => order,
            };
            orders.push(order);
        }
        self.orders = orders;
        Ok(effects)
    }

    /// The card of a number.
    pub fn order(&self, card: CardNo) -> Option<&Order> {
        self.orders.get(card.place())
    }

    /// The cards with their numbers.
    pub fn cards(&self) -> impl Iterator<Item = (CardNo, &Order)> {
        self.orders.iter().enumerate().map(|(place, order)| (CardNo::at(place), order))
    }

    /// What a till must collect: the face values of the cards that wait for their payment.
    pub fn due(&self) -> Result<Money, MoneyError> {
        let waiting = self.orders.iter().filter(|order| matches!(order.state, State::Created { .. }));
        let unpaid = matches!(self.payment, PaymentState::Unpaid { .. });
        Money::sum(waiting.filter(|_| unpaid).map(|order| order.facts.face_value), self.opening.currency)
    }

    /// What must be given back to the customer: the face values of paid cards that did not come to be.
    pub fn money_back(&self) -> Result<Money, MoneyError> {
        let failed = self.orders.iter().filter(|order| order.money_back());
        Money::sum(failed.map(|order| order.facts.face_value), self.opening.currency)
    }

    /// Whether the payment may be reported now; what is due, if so.
    pub fn may_pay(&self, at: Moment) -> Result<Money, Refusal> {
        match self.payment {
            PaymentState::Paid(_) => return Err(self.taken()),
            PaymentState::Cancelled { .. } => return Err(Refusal::PaidTooLate),
            PaymentState::Unpaid { .. } => {}
        }
        if !self.at_rest() {
            return Err(Refusal::StillWorking);
        }
        let fresh = self.opening.rules.fresh;
        // An order that has got old is about to be owed: what is due is changing under the till's hands.
        let stale = |order: &Order| matches!(order.state, State::Created { at: created } if at >= created.plus(fresh));
        if self.orders.iter().any(stale) {
            return Err(Refusal::StillWorking);
        }
        let due = self.due().map_err(|_| Refusal::AmountTooLarge)?;
        if due.is_positive() { Ok(due) } else { Err(Refusal::PaidTooLate) }
    }

    /// Whether the sale may be cancelled now.
    pub fn may_cancel(&self) -> Result<(), Refusal> {
        match self.payment {
            PaymentState::Paid(_) => Err(self.taken()),
            PaymentState::Cancelled { .. } => Err(Refusal::SaleClosed),
            PaymentState::Unpaid { .. } if !self.at_rest() => Err(Refusal::StillWorking),
            PaymentState::Unpaid { .. }
                if self.orders.iter().any(|order| matches!(order.state, State::Created { .. })) =>
            {
                Ok(())
            }
            PaymentState::Unpaid { .. } => Err(Refusal::SaleClosed),
        }
    }

    /// Why a paid sale takes no second payment and no cancel: the basket is blocked by what is open (law L12).
    fn taken(&self) -> Refusal {
        if !self.at_rest() {
            Refusal::StillWorking
        } else if self.questions().next().is_some() {
            Refusal::OpenQuestion
        } else {
            Refusal::AlreadyPaid
        }
    }

    /// Whether nothing is going on by itself that a waiting cashier would see the end of.
    pub fn at_rest(&self) -> bool {
        self.orders.iter().all(Order::at_rest)
    }

    /// Whether nothing remains to be done or decided for any card.
    pub fn is_closed(&self) -> bool {
        self.orders.iter().all(Order::is_closed)
    }

    /// Whether this sale ever took money or might still: its receipt number belongs to it.
    pub fn holds_its_receipt(&self) -> bool {
        matches!(self.payment, PaymentState::Paid(_))
            || self
                .orders
                .iter()
                .any(|order| !order.at_rest() || matches!(order.state, State::Created { .. }))
    }

    /// The open questions, by card.
    pub fn questions(&self) -> impl Iterator<Item = (CardNo, Question)> {
        self.cards().filter_map(|(card, order)| Some((card, order.question(&self.opening.rules)?)))
    }

    /// What the sale is doing.
    pub fn phase(&self) -> Phase {
        let any = |test: fn(&State) -> bool| self.orders.iter().any(|order| test(&order.state));
        if any(|state| matches!(state, State::Creating { .. })) {
            Phase::Creating
        } else if any(|state| matches!(state, State::Created { .. })) {
            Phase::Collect
        } else if !self.at_rest() {
            Phase::Finishing
        } else if self.questions().next().is_some() {
            Phase::Question
        } else if matches!(self.payment, PaymentState::Paid(_)) {
            Phase::Done
        } else {
            Phase::NothingSold
        }
    }
}
