//! Where a redemption can stand, and what is known of it there: one variant a row of the design, each with its own data
//! only.

use std::time::Duration;

use crate::ids::{
    BasketId, Country, Locale, PersonName, ProviderKey, ProviderRedemptionId, RedemptionId, StoreId,
    TerminalId, VoucherId,
};
use crate::moment::Moment;
use crate::pauses::UndoTimes;
use crate::refusal::Refusal;
use crate::voucher::{Balance, CodeTail, Offers, Recourse, Reversal, VoucherCode, VoucherKind, Words, Worth};

/// The times that a redemption lives by, and what its provider offers. They are written into its first entry, so that a
/// redemption ends under the rules that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What the provider offers.
    pub offers: Offers,
    /// For how long a provider that is repeatable or findable is asked while a guest waits (law L3).
    pub ask: Duration,
    /// The same while the provider says that it is still processing (law L3).
    pub ask_processing: Duration,
    /// How long after the last word of the till a guest is taken to be still there (B4, B7).
    pub resume: Duration,
    /// How long a request may still work unseen before what is on the voucher is believed: at least twice the deadline of
    /// a redeem (fact sheet gift-local 7a), and the pause between the two readings that must agree.
    pub settle: Duration,
    /// For how long what is on the voucher is read while a guest waits: two settle times and two readings, twice over.
    /// Then a manager is called, and reading goes on.
    pub compare: Duration,
    /// For how long a till may take to say whether less is enough (B6).
    pub accept: Duration,
    /// For how long a basket may be open after its voucher was redeemed, before somebody is asked (B8): an order of a
    /// gift card waits as long for its payment.
    pub complete: Duration,
    /// How long a request can live at the longest (law L6): "not found", or an unchanged voucher, counts for good only when it is
    /// seen again after it.
    pub quiet: Duration,
    /// The pauses of a reversal that does not get through, and when a manager is called to it.
    pub undo: UndoTimes,
}

impl Rules {
    /// The times of the design, for a provider with nothing but its balances.
    pub const DESIGN: Self = Self {
        offers: Offers { recourse: Recourse::Comparable, reversal: Reversal::Repeatable },
        ask: Duration::from_secs(10),
        ask_processing: Duration::from_secs(30),
        resume: Duration::from_mins(2),
        settle: Duration::from_secs(20),
        compare: Duration::from_mins(2),
        accept: Duration::from_mins(2),
        complete: Duration::from_mins(15),
        quiet: Duration::from_mins(5),
        undo: UndoTimes::DESIGN,
    };

    /// These times for a provider, lengthened where its redeem may take longer than they allow for.
    #[must_use]
    pub fn of_a_provider(self, offers: Offers, redeem_deadline: Duration) -> Self {
        let settle = self.settle.max(redeem_deadline.saturating_mul(2));
        Self {
            offers,
            settle,
            compare: self.compare.max(settle.saturating_mul(6)),
            quiet: self.quiet.max(settle.saturating_mul(15)),
            ..self
        }
    }
}

/// Everything that is known when a redeem is about to be sent. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The daemon's own name for it.
    pub redemption: RedemptionId,
    /// The till's basket that it is for.
    pub basket: BasketId,
    /// The provider, by its configured name.
    pub provider: String,
    /// In which store.
    pub store: StoreId,
    /// At which till.
    pub terminal: TerminalId,
    /// In which country.
    pub country: Country,
    /// Who redeems, if the till said so.
    pub cashier: Option<PersonName>,
    /// For language and formats on the slip.
    pub locale: Locale,
    /// The times that it lives by.
    pub rules: Rules,
    /// Which voucher.
    pub voucher: VoucherId,
    /// Who gave it, and so how it is booked.
    pub kind: VoucherKind,
    /// What the items are; none for money.
    pub item: Option<Words>,
    /// Its code, for reading it again; none once it has been forgotten.
    pub code: Option<VoucherCode>,
    /// The last four characters of that code, which outlive it.
    pub code_tail: CodeTail,
    /// How much is asked for: more than nothing.
    pub amount: Worth,
    /// What was on the voucher a moment before: the evidence of row B3. Nothing where the provider told only what of it was
    /// eligible for this basket: asked without the basket, as all later readings are, it may tell something else.
    pub before: Balance,
    /// The key of this redeem: sent where the provider is repeatable or findable by it.
    pub key: ProviderKey,
    /// The exact redeem as the provider's room wrote it; nobody else reads it.
    pub request: String,
}

/// What is known to have happened to a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When a till or a person last wanted it.
    pub wanted: Moment,
    /// The provider's name for it, since that is known. Only with it can it be taken back.
    pub redemption: Option<ProviderRedemptionId>,
    /// What was taken, since that is known.
    pub taken: Option<Taken>,
    /// Whether its success may have reached the till (law L7).
    pub offered: bool,
}

/// What was taken from a voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How much.
    pub worth: Worth,
    /// What was left, if that was said or read.
    pub left: Option<Worth>,
    /// How that is known.
    pub by: Evidence,
}

/// How it is known that a voucher was redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// By the provider's answer.
    Answer,
    /// By a look-up.
    LookUp,
    /// By what is left on it, lower by exactly the amount: another store may have spent just that, so this is evidence
    /// and no proof.
    Balance,
}

/// Where a redemption stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The redeem is on its way.
    Redeeming {
        /// B3, repeatable: what is being found out by repeating it; none the first time.
        finding: Option<Finding>,
    },
    /// B3, B4, findable: its outcome is looked up (law L3).
    LookingUp {
        /// Since when and until when.
        finding: Finding,
    },
    /// B3, B4, comparable: what is left on the voucher is read until it tells what happened.
    Comparing {
        /// What was read so far.
        reading: Reading,
        /// When a manager is called.
        until: Moment,
    },
    /// Nothing was taken: it was refused, or never sent. Final.
    NotRedeemed {
        /// Why.
        why: Refusal,
    },
    /// B3: nothing was taken, most probably: the voucher was unchanged twice. Another payment may be taken; a late arrival
    /// is watched for until the quiet time is over.
    NotApplied {
        /// Since when; since the last start, if there was one: the quiet time counts from it.
        since: Moment,
        /// How often it could not be read since.
        failures: u32,
        /// Something else was redeemed from the voucher since, so that what is left tells nothing any more.
        moved: bool,
    },
    /// B6: less was taken than was asked for. A person says whether that is enough.
    GrantedLess {
        /// When it is taken back if nobody does.
        until: Moment,
    },
    /// B7: taken, and the till was not told.
    Redeemed {
        /// Until when the till may still ask for the answer.
        until: Moment,
    },
    /// B8: taken, and the till may know it: the answer line is crossed.
    Answered {
        /// When a person is asked whether it was used; in the past once that has been asked.
        until: Moment,
        /// Whether that is asked.
        asked: bool,
    },
    /// The basket is completed. What can still happen is that it is taken back (B9).
    Completed,
    /// B3: nobody can tell by himself whether it was taken, or whether it was used. A manager decides.
    Unclear {
        /// Since when.
        since: Moment,
        /// Why.
        why: UnclearWhy,
    },
    /// B5, B10, B11: it must be taken back, and is asked to be until the provider says so.
    Owed(Owed),
    /// B12: it cannot be taken back by the counter. A manager decides.
    Stuck {
        /// The debt.
        owed: Owed,
        /// Why not.
        why: StuckWhy,
    },
    /// Nothing of it is left at the provider. Final.
    Cleared {
        /// How that is known.
        how: ClearedHow,
    },
    /// Closed by a manager. Final.
    Settled {
        /// Who decided.
        by: PersonName,
        /// Why; 1 to 200 characters.
        reason: String,
        /// What.
        verdict: Verdict,
    },
}

/// Since when an outcome is being found out, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Since when.
    pub since: Moment,
    /// When it ends, and the reversal is owed.
    pub until: Moment,
}

/// What was read of a voucher after a redeem that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Since when a request can no longer be seen to be on its way.
    pub since: Moment,
    /// When it was first seen unchanged, a settle time or more after that.
    pub unchanged: Option<Moment>,
    /// How often it could not be read.
    pub failures: u32,
    /// Whether only another scan of the voucher can tell: its sealed code cannot be opened.
    pub by_scan: bool,
}

impl Reading {
    /// Nothing read yet.
    pub(super) const fn from(since: Moment) -> Self {
        Self { since, unchanged: None, failures: 0, by_scan: false }
    }

    /// From when on a reading that finds the voucher unchanged counts: a settle time after the one that it must agree with, or after the
    /// moment since which the request is no longer believed to be on its way.
    pub(super) fn counts_from(&self, settle: Duration) -> Moment {
        self.unchanged.unwrap_or(self.since).plus(settle)
    }
}

/// Why nobody but a manager can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnclearWhy {
    /// The voucher could not be read often enough yet. It is tried on.
    NotRead(Reading),
    /// What is left is neither what was there nor lower by the amount, or the voucher is not shown any more. Never guessed.
    Odd,
    /// It was taken, as far as the balance tells, but the till was not told in time, and without an id it cannot be taken back.
    NeverOffered,
}

/// A reversal that must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Since when.
    pub since: Moment,
    /// Why.
    pub why: OwedWhy,
    /// How many attempts have failed; 7 stands for seven or more.
    pub failures: u32,
    /// When the provider first said that it does not know the redemption (law L6).
    pub not_found: Option<Moment>,
    /// The redeem turned out to have succeeded after this was owed (B5). It changes nothing.
    pub late_success: bool,
}

/// Why a reversal is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwedWhy {
    /// The outcome of the redeem could not be found out.
    Uncertain,
    /// It was found done too late for the guest.
    TooLate,
    /// B7: the till never asked for the answer.
    NeverOffered,
    /// B6: a person did not want it for less, or nobody said.
    TooLittle,
    /// The provider took something else than was asked for.
    TakenOtherwise,
    /// B3: it arrived when another payment had been taken.
    ArrivedLate,
    /// B8: a person said that it was not used.
    NotUsed,
    /// B9: taken back in the open basket, or by a manager later.
    TakenBack,
}

/// Why the counter cannot take a redemption back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StuckWhy {
    /// The provider refused.
    Refused(Refusal),
    /// The call was not answered, and nobody has said what a second one does.
    Unanswered {
        /// Until when it may still work unseen.
        until: Moment,
    },
    /// The provider's call is not confirmed.
    NotConfirmed,
    /// The provider's name for the redemption is not known.
    WithoutId,
}

/// How it is known that nothing is left of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClearedHow {
    /// The provider gave the value back.
    Reversed,
    /// The provider says that it had been taken back before.
    AlreadyReversed,
    /// The provider does not know it, and said so again after the quiet time (law L6).
    NotFound,
    /// The provider says that nothing was taken.
    NeverApplied,
    /// The voucher was unchanged also after the quiet time.
    Unchanged,
}

/// What a manager decides when a case is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The voucher counts for the basket, with what is known to be taken, else with all that was asked for. Where the
    /// provider has taken less, it does not count, and is taken back at the provider.
    Used,
    /// It does not.
    NotUsed,
}

impl Verdict {
    /// A stable name: lower case, words joined by `_`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::NotUsed => "not_used",
        }
    }
}
