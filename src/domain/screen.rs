//! What the cashier reads: one sentence that says what to do with the card, the paper and the money.
//!
//! It follows from the state alone, so that the first screen after a power cut is the screen before it. The sentences here
//! are English; other languages are keyed by [`Screen::code`].

#[cfg(test)]
mod tests;

use crate::money::Money;
use crate::order::{Asks, Order, State};
use crate::printing::Fault;
use crate::product::CardKind;
use crate::sale::{PaymentState, Phase, Sale};

/// What a screen says about a card or a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// Work is going on that the cashier waits for.
    Wait,
    /// A1 and every refusal of a create. The reason stands beside it.
    NotSold,
    /// A2.
    Take(Money),
    /// A2, when some cards of the sale cannot be sold.
    TakeForTheRest(Money),
    /// A3: the daemon has started again since the money was asked for; only who stood there knows whether it was taken.
    WasItPaid(Money),
    /// The same, when some cards of the sale cannot be sold any more, or never could.
    WasItPaidForTheRest(Money),
    /// A12, when some cards of the sale could not be sold before the payment.
    DoneForTheRest,
    /// A4.
    FinishOrMoneyBack,
    /// A5, A6, A8 for a POR card.
    NotSoldMoneyBack,
    /// The same for a POSA card, which the customer must not keep (A20).
    NotSoldKeepTheCard,
    /// Of a sale with several cards: some are sold, and this much goes back for the others. What to do with each card
    /// stands beside it.
    PartlySold(Money),
    /// A9; the fault that keeps the printer from it, if one is known: it prints by itself once that is gone.
    PaidAndActive(Option<Fault>),
    /// A10.
    PrintAgain(Fault),
    /// A10 after the last attempt.
    CollectThePaper,
    /// A11.
    IsItComplete,
    /// A12.
    Done,
    /// A POSA card is sold, its slip of support information is not there.
    DoneWithoutSlip,
    /// Created, cancelled before it was paid, being taken back.
    Cancelled,
    /// The same, after the money had been asked for and the daemon had started again (A3): it may have been taken.
    CancelledGiveBack,
    /// A2, A3: created, and being taken back because nobody reported its payment in time. It may have been taken.
    NotPaidInTime,
    /// A16, A17: what happened is beyond a cashier.
    CallTheManager,
}

impl Screen {
    /// What the cashier reads about one card.
    pub fn of_card(sale: &Sale, order: &Order) -> Self {
        let unpaid = order.past.paid.is_none();
        let question = order.question(&sale.opening.rules).map(|question| question.asks);
        match (&order.state, question) {
            (_, Some(Asks::FinishOrMoneyBack)) => Self::FinishOrMoneyBack,
            (_, Some(Asks::CollectThePaper)) => Self::CollectThePaper,
            (_, Some(Asks::IsItComplete)) => Self::IsItComplete,
            (State::PrintStopped { fault, .. }, _) => Self::PrintAgain(*fault),
            (State::Active { fault, .. }, _) => Self::PaidAndActive(*fault),
            (State::NotSold { .. }, _) => Self::NotSold,
            (State::Created { .. }, _) if interrupted(sale) => Self::WasItPaid(order.facts.face_value),
            (State::Created { .. }, _) => Self::Take(order.facts.face_value),
            (
                State::Sold {
                    paper: crate::order::PaperState::Missing(_) | crate::order::PaperState::Unclear,
                    ..
                },
                _,
            ) => Self::DoneWithoutSlip,
            (State::Sold { .. }, _) => Self::Done,
            (State::Spent(_) | State::Stuck { .. }, _) => Self::CallTheManager,
            // The manager has decided about the money that was held.
            (State::Settled { .. }, _) if order.past.spent => Self::Done,
            (State::Owed(_) | State::Cleared { .. } | State::Settled { .. }, _) if unpaid => {
                match sale.payment {
                    PaymentState::Cancelled { interrupted } => Self::cancelled(interrupted),
                    // Of a sale that was paid: this card's part was not among what was reported.
                    PaymentState::Unpaid { .. } | PaymentState::Paid(_) => Self::NotPaidInTime,
                }
            }
            (State::Owed(_) | State::Cleared { .. } | State::Settled { .. }, _) => match order.facts.kind {
                CardKind::Por => Self::NotSoldMoneyBack,
                CardKind::Posa => Self::NotSoldKeepTheCard,
            },
            (
                State::Creating { .. }
                | State::Paid { .. }
                | State::Confirming { .. }
                | State::Asking { .. }
                | State::Printing { .. }
                | State::PrintUnclear { .. },
                _,
            ) => Self::Wait,
        }
    }

    /// What the cashier reads about the whole sale: the most urgent of its cards, or what they all say.
    pub fn of_sale(sale: &Sale) -> Self {
        let cards = || sale.orders.iter().map(|order| Self::of_card(sale, order));
        match sale.phase() {
            Phase::Creating | Phase::Finishing => Self::Wait,
            Phase::Collect => match sale.due() {
                Ok(due) if interrupted(sale) && some_cannot_be_sold(sale) => Self::WasItPaidForTheRest(due),
                Ok(due) if interrupted(sale) => Self::WasItPaid(due),
                Ok(due) if some_cannot_be_sold(sale) => Self::TakeForTheRest(due),
                due => due.map_or(Self::Wait, Self::Take),
            },
            Phase::NothingSold => match sale.payment {
                PaymentState::Cancelled { interrupted } => Self::cancelled(interrupted),
                PaymentState::Unpaid { .. } | PaymentState::Paid(_) => cards()
                    .max_by_key(|card| (card.urgency(), *card == Self::NotPaidInTime))
                    .unwrap_or(Self::NotSold),
            },
            Phase::Question | Phase::Done => match cards().max_by_key(Self::urgency).unwrap_or(Self::Done) {
                // "Hand nothing out" is said of one card; said of the sale it would take the sold ones back as well.
                Self::NotSoldMoneyBack | Self::NotSoldKeepTheCard
                    if sale.orders.iter().any(|order| matches!(order.state, State::Sold { .. })) =>
                {
                    sale.money_back().map_or(Self::CallTheManager, Self::PartlySold)
                }
                Self::Done if some_cannot_be_sold(sale) => Self::DoneForTheRest,
                most_urgent => most_urgent,
            },
        }
    }

    const fn cancelled(interrupted: bool) -> Self {
        if interrupted { Self::CancelledGiveBack } else { Self::Cancelled }
    }

    fn urgency(&self) -> u8 {
        match self {
            // Of a sale that was paid, a card that never came to be is the least news: "try again" must not hide "done".
            Self::Cancelled | Self::CancelledGiveBack | Self::NotPaidInTime | Self::NotSold => 0,
            Self::Done | Self::DoneForTheRest => 1,
            Self::DoneWithoutSlip
            | Self::Wait
            | Self::Take(_)
            | Self::TakeForTheRest(_)
            | Self::WasItPaid(_)
            | Self::WasItPaidForTheRest(_) => 2,
            Self::NotSoldMoneyBack | Self::NotSoldKeepTheCard | Self::PartlySold(_) => 3,
            Self::CallTheManager => 4,
            Self::FinishOrMoneyBack | Self::PaidAndActive(_) => 5,
            Self::PrintAgain(_) | Self::CollectThePaper | Self::IsItComplete => 6,
        }
    }

    /// A stable name: lower case, words joined by `_`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::NotSold => "not_sold",
            Self::Take(_) => "take",
            Self::TakeForTheRest(_) => "take_for_the_rest",
            Self::WasItPaid(_) => "was_it_paid",
            Self::WasItPaidForTheRest(_) => "was_it_paid_for_the_rest",
            Self::DoneForTheRest => "done_for_the_rest",
            Self::FinishOrMoneyBack => "finish_or_money_back",
            Self::NotSoldMoneyBack => "not_sold_money_back",
            Self::NotSoldKeepTheCard => "not_sold_keep_the_card",
            Self::PartlySold(_) => "partly_sold",
            Self::PaidAndActive(_) => "paid_and_active",
            Self::PrintAgain(_) => "print_again",
            Self::CollectThePaper => "collect_the_paper",
            Self::IsItComplete => "is_it_complete",
            Self::Done => "done",
            Self::DoneWithoutSlip => "done_without_slip",
            Self::Cancelled => "cancelled",
            Self::CancelledGiveBack => "cancelled_give_back",
            Self::NotPaidInTime => "not_paid_in_time",
            Self::CallTheManager => "call_the_manager",
        }
    }

    /// The sentence, in English.
    pub fn sentence(&self) -> String {
        match self {
            Self::Wait => "Please wait.".to_owned(),
            Self::NotSold => "Not sold. Try again.".to_owned(),
            Self::Take(money) => format!("Take {money}."),
            Self::TakeForTheRest(money) => {
                format!("Not every card can be sold. Keep those that cannot. Take {money} for the others.")
            }
            Self::WasItPaid(money) => {
                format!("The till was interrupted. Was {money} paid already? If not, take it now.")
            }
            Self::WasItPaidForTheRest(money) => {
                format!(
                    "Interrupted. Keep the cards that cannot be sold. Was {money} taken for the others? Give back anything beyond it."
                )
            }
            Self::DoneForTheRest => {
                "Done. Hand out only the cards that are sold; keep the others.".to_owned()
            }
            Self::FinishOrMoneyBack => {
                "The money was taken. Finish the sale, or give the money back?".to_owned()
            }
            Self::NotSoldMoneyBack => "NOT sold. Give the money back. Hand nothing out.".to_owned(),
            Self::NotSoldKeepTheCard => "NOT sold. Give the money back. Keep the card.".to_owned(),
            Self::PartlySold(back) => {
                format!(
                    "Not everything was sold. Give {back} back, and hand out only the cards that are sold."
                )
            }
            Self::PaidAndActive(None) => {
                "Paid and active, not printed. Print, or give the money back?".to_owned()
            }
            Self::PaidAndActive(Some(fault)) => {
                format!(
                    "{} Then it prints by itself; or give the money back. The card is active.",
                    what_to_do(*fault)
                )
            }
            Self::PrintAgain(fault) => {
                format!("{} Tear up the first piece, then print again.", what_to_do(*fault))
            }
            Self::CollectThePaper => {
                "Collect every piece of paper of this card, then give the money back.".to_owned()
            }
            Self::IsItComplete => {
                "Is the card complete on paper? Switch a silent printer off before you look.".to_owned()
            }
            Self::Done => "Done.".to_owned(),
            Self::DoneWithoutSlip => "Done. The card is active; its slip was not printed.".to_owned(),
            Self::Cancelled => "Cancelled. No money was taken.".to_owned(),
            Self::CancelledGiveBack => "Cancelled. If money was taken, give it back.".to_owned(),
            Self::NotPaidInTime => {
                "Not paid in time: not sold. Hand out no card. If money was taken, give it back.".to_owned()
            }
            Self::CallTheManager => "Call the manager.".to_owned(),
        }
    }
}

/// A3: whether the daemon has started again since the money was asked for.
fn interrupted(sale: &Sale) -> bool {
    sale.payment == PaymentState::Unpaid { interrupted: true }
}

/// Whether a card of it was refused, or was not paid for in time, before the payment of the others.
fn some_cannot_be_sold(sale: &Sale) -> bool {
    sale.orders.iter().any(|order| {
        order.past.paid.is_none() && !matches!(order.state, State::Creating { .. } | State::Created { .. })
    })
}

/// What to do about a printer's fault, as a sentence for whoever stands beside it.
pub const fn what_to_do(fault: Fault) -> &'static str {
    match fault {
        Fault::PaperOut => "Paper out. Insert paper.",
        Fault::CoverOpen => "The printer is open. Close its cover.",
        Fault::Cutter => "The printer's knife is stuck. Free it.",
        Fault::Offline => "The printer is offline. Press its button.",
        Fault::Error => "The printer reports an error. Switch it off and on.",
        Fault::Absent => "The printer cannot be reached. Check its cable and switch.",
        Fault::Silent => "The printer does not answer. Switch it off and on.",
    }
}
