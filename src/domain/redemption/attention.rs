//! What only a person can decide about a redemption: every open question, every reversal that does not get through, and
//! everything that only the provider's own people can mend; each as one sentence of what to do.
//!
//! A case follows from the state of its redemption alone, and goes when the state goes. Nothing here empties itself by time.

use super::{Answer, Asks, Question, Redemption, State, StuckWhy, UnclearWhy, Verdict};
use crate::attention::Who;
use crate::moment::Moment;

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A question that blocks its basket (B4, B6, B8).
    Question(Question),
    /// B3: nobody can tell by himself whether it was taken, or used.
    Unclear(UnclearWhy),
    /// B3: not applied, most probably; a late arrival is watched for.
    NotApplied {
        /// Whether what is left on the voucher can no longer tell, so that a person must look at the provider.
        moved: bool,
    },
    /// B3: applied without id.
    WithoutId,
    /// B10, B11: the reversal has not got through for long.
    ReversalLate {
        /// How many attempts have failed; 7 stands for seven or more.
        failures: u32,
    },
    /// B12.
    Stuck(StuckWhy),
}

/// One thing that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it is about.
    pub about: About,
    /// Since when; none for a question of the moment.
    pub since: Option<Moment>,
    /// Until when: when the counter decides by itself, if it ever does.
    pub until: Option<Moment>,
    /// Whether somebody must look now: a guest or a basket waits for it.
    pub urgent: bool,
    /// What may be answered.
    pub choices: &'static [Answer],
    /// What a manager may decide to close it.
    pub verdicts: &'static [Verdict],
}

impl Case {
    /// Who may decide it.
    pub fn who(&self) -> Who {
        match &self.about {
            About::Question(question) => question.who,
            About::Unclear(_)
            | About::NotApplied { .. }
            | About::WithoutId
            | About::ReversalLate { .. }
            | About::Stuck(_) => Who::Manager,
        }
    }

    /// A stable name: lower case, words joined by `_`.
    pub fn code(&self) -> &'static str {
        match &self.about {
            About::Question(question) => match question.asks {
                Asks::AcceptLess => "accept_less",
                Asks::WasItUsed => "was_it_used",
                Asks::ScanAgain => "scan_again",
                Asks::WasItTaken => "was_it_taken",
                Asks::TryAgain => "try_again",
            },
            About::Unclear(UnclearWhy::NotRead(_)) => "voucher_not_read",
            About::Unclear(UnclearWhy::Odd) => "voucher_unclear",
            About::Unclear(UnclearWhy::NeverOffered) => "taken_and_not_told",
            About::NotApplied { .. } => "not_applied",
            About::WithoutId => "applied_without_id",
            About::ReversalLate { .. } => "reversal_late",
            About::Stuck(StuckWhy::Refused(_)) => "reversal_refused",
            About::Stuck(StuckWhy::Unanswered { .. }) => "reversal_unanswered",
            About::Stuck(StuckWhy::NotConfirmed) => "reversal_not_set_up",
            About::Stuck(StuckWhy::WithoutId) => "reversal_without_id",
        }
    }

    /// What to do, in English. Wording in other languages is keyed by [`Case::code`].
    pub fn sentence(&self) -> &'static str {
        match &self.about {
            About::Question(question) => match question.asks {
                Asks::AcceptLess => {
                    "Less was taken from the voucher than was asked for. Is that enough? If not, the voucher gets it back."
                }
                Asks::WasItUsed => {
                    "The voucher was redeemed, and the basket never completed. Was it used for this sale? If not, it gets its value back."
                }
                Asks::ScanAgain => {
                    "Nobody knows yet whether the voucher was redeemed. Scan it once more. Take no other payment yet."
                }
                Asks::WasItTaken => "Find out at the provider whether the voucher was redeemed, and decide.",
                Asks::TryAgain => "Find out at the provider why, then try again.",
            },
            About::Unclear(UnclearWhy::NotRead(_)) => {
                "The voucher cannot be read, so nobody knows whether it was redeemed. Ask the provider, then decide: used, or not."
            }
            About::Unclear(UnclearWhy::Odd) => {
                "What is left on the voucher explains nothing. Ask the provider whether it was redeemed, then decide: used, or not."
            }
            About::Unclear(UnclearWhy::NeverOffered) => {
                "The voucher was redeemed, and the till never knew. Was it used for this sale? If not, give the guest a replacement."
            }
            About::NotApplied { moved: false } => {
                "Most probably nothing was taken from the voucher. It is looked at once more in a few minutes."
            }
            About::NotApplied { moved: true } => {
                "Most probably nothing was taken from the voucher. Look at the provider before the end of the day, then close the case."
            }
            About::WithoutId => {
                "The voucher counts as used, but the provider's number for it was lost. It can be taken back only by the provider's people."
            }
            About::ReversalLate { .. } => {
                "The voucher has not got its value back yet. See whether the line to the provider works."
            }
            About::Stuck(StuckWhy::Refused(_)) => {
                "The provider refuses to give the voucher its value back. Give the guest a replacement, and claim it from the provider."
            }
            About::Stuck(StuckWhy::Unanswered { .. }) => {
                "Nobody knows whether the voucher got its value back. Look at the provider; if it did not, try once more."
            }
            About::Stuck(StuckWhy::NotConfirmed) => {
                "Taking back is not set up. Have the provider give the voucher its value back, or give the guest a replacement."
            }
            About::Stuck(StuckWhy::WithoutId) => {
                "The provider's number for it was lost, so it cannot be taken back here. Have the provider do it, or give a replacement."
            }
        }
    }
}

impl Redemption {
    /// Everything about it that waits for a person.
    pub fn attention(&self, at: Moment) -> Option<Case> {
        let (choices, verdicts) =
            (self.question().map_or(&[][..], |question| question.choices), self.verdicts());
        let case =
            |about, since, until, urgent| Some(Case { about, since, until, urgent, choices, verdicts });
        match &self.state {
            State::Unclear { since, why } => case(About::Unclear(*why), Some(*since), None, true),
            State::Stuck { owed, why } => case(About::Stuck(why.clone()), Some(owed.since), None, false),
            State::NotApplied { since, moved, .. } => {
                case(About::NotApplied { moved: *moved }, Some(*since), None, false)
            }
            State::Owed(owed) if self.opening.rules.undo.is_late(owed.failures, owed.since, at) => {
                case(About::ReversalLate { failures: owed.failures }, Some(owed.since), None, false)
            }
            State::Completed if !self.is_closed() => case(About::WithoutId, None, None, false),
            _ => {
                let question = self.question()?;
                case(About::Question(question), None, question.until, true)
            }
        }
    }

    /// What to send to the provider's people for a case that only they can mend: everything they need and nothing that spends
    /// the voucher. In English, as their own support is.
    pub fn replacement_text(&self) -> Option<String> {
        if !matches!(self.state, State::Stuck { .. } | State::Unclear { .. } | State::Owed(_)) {
            return None;
        }
        let facts = &self.opening;
        let asks = match &self.state {
            State::Unclear { .. } => "Was this redemption applied? We have no answer to it.",
            _ => "Please give this redemption's value back to its voucher.",
        };
        let number = self.past.redemption.as_ref().map_or_else(
            || "unknown, the answer was lost".to_owned(),
            |redemption| redemption.as_str().to_owned(),
        );
        let amount = self.past.taken.map_or(facts.amount, |taken| taken.worth);
        let before = facts.before.rest().map_or_else(|| "not known".to_owned(), |rest| rest.to_string());
        Some(format!(
            "{asks}\nRedemption: {number}\nVoucher code: {}\nAmount: {amount}\nBefore it: {before}\nSent: {} ms since 1970-01-01T00:00Z\nStore: {}\nTerminal: {}\nBasket: {}",
            facts.code_tail.masked(),
            self.opened.ms(),
            facts.store,
            facts.terminal,
            facts.basket,
        ))
    }
}
