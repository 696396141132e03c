//! What only a person can decide or mend: every open question and every undo that does not get through, each as one
//! sentence of what to do with card, paper and money.
//!
//! A case follows from the state of its order alone. It goes when the state goes: by an answer, by the provider's word, or
//! by a manager's decision with a reason. Nothing here empties itself by time.

use crate::moment::Moment;
use crate::order::{Answer, Asks, Order, Question, Rules, State, StuckWhy};
use crate::product::CardKind;
use crate::sale::{CardNo, Sale};

/// Who may decide a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Whoever stands at the till.
    Cashier,
    /// Somebody who answers for the shop.
    Manager,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A question that blocks its sale.
    Question(Question),
    /// A5, A14, A15: the undo has not got through for long.
    UndoLate {
        /// How many attempts have failed; 7 stands for seven or more.
        failures: u32,
    },
    /// A16.
    Spent,
    /// A17.
    Stuck(StuckWhy),
}

/// One thing that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Which card of the sale.
    pub card: CardNo,
    /// What it is about.
    pub about: About,
    /// Since when; none for a question of the moment.
    pub since: Option<Moment>,
    /// Until when: when the counter decides a question by itself, or when the provider is expected to take the card back
    /// no longer.
    pub until: Option<Moment>,
    /// Whether half of the time to that end has gone, so that somebody must look now.
    pub urgent: bool,
    /// Printed or activated: the sentence depends on it.
    kind: CardKind,
}

impl Case {
    /// Who may decide it.
    pub fn who(&self) -> Who {
        match self.about {
            About::Question(_) => Who::Cashier,
            About::UndoLate { .. } | About::Spent | About::Stuck(_) => Who::Manager,
        }
    }

    /// The answers that are taken; none where only closing it with a reason is left.
    pub fn choices(&self) -> &'static [Answer] {
        match &self.about {
            About::Question(question) => question.choices,
            About::UndoLate { .. } | About::Spent | About::Stuck(_) => &[],
        }
    }

    /// Whether a manager may close it with a reason.
    pub fn may_be_settled(&self) -> bool {
        self.who() == Who::Manager
    }

    /// A stable name: lower case, words joined by `_`.
    pub fn code(&self) -> &'static str {
        match &self.about {
            About::Question(question) => match question.asks {
                Asks::FinishOrMoneyBack => "finish_or_money_back",
                Asks::PrintOrMoneyBack => "print_or_money_back",
                Asks::PrintAgain => "print_again",
                Asks::IsItComplete => "is_it_complete",
                Asks::CollectThePaper => "collect_the_paper",
            },
            About::UndoLate { .. } => "undo_late",
            About::Spent => "spent",
            About::Stuck(StuckWhy::WindowOver) => "undo_window_over",
            About::Stuck(StuckWhy::NotSupported) => "undo_not_supported",
            About::Stuck(StuckWhy::Refused(_)) => "undo_refused",
        }
    }

    /// What to do with card, paper and money, in English. Wording in other languages is keyed by [`Case::code`].
    pub fn sentence(&self) -> &'static str {
        match &self.about {
            About::Question(question) => match question.asks {
                Asks::FinishOrMoneyBack => {
                    "The money was taken, the card is not active. Is the customer still here? Finish the sale. If not, give the money back."
                }
                Asks::PrintOrMoneyBack => {
                    "The card is paid and active, and nothing is printed. Print it for the customer, or give the money back."
                }
                Asks::PrintAgain => {
                    "The slip stopped. Mend the printer, tear up the piece that came out, print again. Or keep all paper and give the money back."
                }
                Asks::IsItComplete => {
                    "Look at the paper. Complete: hand it out. Unreadable: tear it up. Say what you see; what is missing is printed again."
                }
                Asks::CollectThePaper => {
                    "Collect and destroy every piece of paper of this card, then give the money back."
                }
            },
            About::UndoLate { .. } => match self.kind {
                CardKind::Por => {
                    "The card is still being undone. The money goes back, hand nothing out. See whether the line to the provider works."
                }
                CardKind::Posa => {
                    "The card is still being undone. The money goes back, keep the card. See whether the line to the provider works."
                }
            },
            About::Spent => {
                "The card was spent before it could be undone. Give no money back for it; settle it with the customer."
            }
            About::Stuck(StuckWhy::WindowOver) => {
                "The provider no longer takes this card back: it is live and billed. Claim it from the provider, then close the case."
            }
            About::Stuck(StuckWhy::NotSupported) => {
                "The provider never takes this product back: the card is live and billed. Claim it from the provider, then close the case."
            }
            About::Stuck(StuckWhy::Refused(_)) => {
                "The provider refuses to take this card back: count it as live and billed. Ask the provider, then close the case."
            }
        }
    }
}

impl Sale {
    /// Everything in this sale that waits for a person, by card.
    pub fn attention(&self, at: Moment) -> Vec<Case> {
        self.cards().filter_map(|(card, order)| case(&self.opening.rules, card, order, at)).collect()
    }

    /// What to send to the provider's people for a card that is to be undone and that only they can take back (row A17): everything
    /// they need and nothing that spends the card. In English, as their own support is.
    pub fn replacement_text(&self, card: CardNo) -> Option<String> {
        let order = self.order(card)?;
        let asks = match &order.state {
            State::Stuck { .. } => {
                "Please take this card back: the customer has the money, and nobody holds the card."
            }
            State::Owed(_) => {
                "Please take this card back. We are asking for it, and get no answer that says so."
            }
            _ => return None,
        };
        let (facts, opening) = (&order.facts, &self.opening);
        let number = order.past.provider_order.as_ref().map_or("unknown", |number| number.as_str());
        let code = facts.code_tail.as_deref().map(|tail| format!("\nCard: {tail}")).unwrap_or_default();
        let paid = order.past.paid.unwrap_or(self.opened);
        Some(format!(
            "{asks}\nOrder: {number}\nOur own number: {}\nProduct: {} ({}){code}\nFace value: {}\nPaid: {} ms since 1970-01-01T00:00Z\nStore: {}\nTerminal: {}\nReceipt: {}",
            facts.id,
            facts.product_name,
            facts.product,
            facts.face_value,
            paid.ms(),
            opening.store,
            opening.terminal,
            opening.receipt,
        ))
    }
}

fn case(rules: &Rules, card: CardNo, order: &Order, at: Moment) -> Option<Case> {
    let kind = order.facts.kind;
    if let Some(question) = order.question(rules) {
        let about = About::Question(question);
        return Some(Case { card, about, since: None, until: question.until, urgent: true, kind });
    }
    // What was never confirmed holds no value, and nothing ends for it.
    let paid = order.past.paid.filter(|_| order.past.confirm_sent);
    let window = order.facts.undo_window.unwrap_or(rules.undo_window);
    let half_gone = paid.is_some_and(|paid| at.long_since(paid) >= window / 2);
    let (owed, about) = match &order.state {
        State::Owed(owed) if rules.undo.is_late(owed.failures, owed.since, at) || half_gone => {
            (owed, About::UndoLate { failures: owed.failures })
        }
        State::Spent(owed) => (owed, About::Spent),
        State::Stuck { owed, why } => (owed, About::Stuck(why.clone())),
        _ => return None,
    };
    // Where the provider has said for good that it takes nothing back, there is no time to be lost.
    let over = matches!(about, About::Spent | About::Stuck(StuckWhy::WindowOver | StuckWhy::NotSupported));
    let until = paid.filter(|_| !over).map(|paid| paid.plus(window));
    Some(Case { card, about, since: Some(owed.since), until, urgent: half_gone && !over, kind })
}

#[cfg(test)]
mod tests;
