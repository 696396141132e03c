//! The redemption as a till reads it: a pure function of the redemption after one of its entries, so that the same request
//! gets the same bytes for ever. Neither the voucher's code nor the provider's name for the voucher is in it: either spends it.

use serde::Serialize;
use tilld_counter::RedemptionNow;
use tilld_domain::attention::Who as Decider;
use tilld_domain::redemption::screen;
use tilld_domain::redemption::{self, Evidence, OwedWhy, State, StuckWhy};
use utoipa::ToSchema;

use super::parts::{Said, Screen, instant, words};
use super::redeem::RedemptionAnswer;
use super::voucher::{Booking, VoucherKind, Worth};

/// A redemption: what is taken from one voucher for one basket, as it was after the entry `seq`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redemption {
    /// The daemon's name for it (UUID).
    #[schema(format = "uuid", example = "01a2006d-8d02-77c9-9460-2bcef1a547e9")]
    id: String,
    /// The till's own name of the basket.
    #[schema(example = "B-20261121-0042")]
    basket: String,
    /// Whose voucher, by the provider's configured name.
    #[schema(example = "giftlocal")]
    provider: String,
    /// The store, by the retailer's own id.
    #[schema(example = "DE-0815")]
    store: String,
    /// The till.
    #[schema(example = "till-3")]
    terminal: String,
    /// Who redeems, if the till said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    cashier: Option<String>,
    /// The last four characters of the voucher's code behind dots.
    #[schema(example = "••••8901")]
    code: String,
    /// Who gave the voucher.
    kind: VoucherKind,
    /// How the till books it.
    booking: Booking,
    /// What the items are; absent for money.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// When it began: RFC 3339, UTC, milliseconds.
    #[schema(format = "date-time", example = "2026-11-21T21:56:55.120Z")]
    opened_at: String,
    /// When the last entry was written that is included here.
    #[schema(format = "date-time", example = "2026-11-21T21:56:55.804Z")]
    updated_at: String,
    /// The journal's number of that entry. Of two views of a redemption the one with the greater number is the newer one.
    #[schema(example = 17, minimum = 1)]
    seq: u64,
    /// Where it stands.
    state: RedemptionState,
    /// What the cashier reads about it.
    screen: Screen,
    /// How much was asked for.
    amount: Worth,
    /// Whether it counts for its basket.
    counts: Counts,
    /// How much it counts, where `counts` is `for`; null otherwise.
    counted: Option<Worth>,
    /// What was taken from the voucher, since that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<TakenThere>,
    /// The provider's name for the redemption, since that is known. Only with it can it be reversed.
    #[serde(rename = "provider_redemption", skip_serializing_if = "Option::is_none")]
    by_provider: Option<String>,
    /// Why nothing was taken, or why the provider does not give it back, if it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Said>,
    /// What a person must answer before it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<RedemptionQuestion>,
    /// The reversal that must happen. Another payment does not wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<OwedReversal>,
    /// Whether this redemption lets another payment be taken for its basket. Other redemptions may not: read the basket.
    other_payment: bool,
}

words! {
    /// Where a redemption stands.
    enum RedemptionState as "RedemptionState" {
        /// The redeem is on its way.
        Redeeming = "redeeming",
        /// Its outcome is looked up.
        LookingUp = "looking_up",
        /// What is left on the voucher is read until it tells the outcome.
        Comparing = "comparing",
        /// Nothing was taken. Final.
        NotRedeemed = "not_redeemed",
        /// Nothing was taken, most probably; a late arrival is watched for.
        NotApplied = "not_applied",
        /// Less was taken than was asked for. A person says whether it is enough.
        GrantedLess = "granted_less",
        /// Taken, and the till was not told.
        Redeemed = "redeemed",
        /// Taken, and the till knows it: the basket is to be completed, or the redemption reversed.
        Answered = "answered",
        /// The basket is completed.
        Completed = "completed",
        /// Nobody can tell by himself what became of it. A manager decides.
        Unclear = "unclear",
        /// It must be taken back, and is being taken back.
        Owed = "owed",
        /// It cannot be taken back by the counter. A manager decides.
        Stuck = "stuck",
        /// Nothing of it is left at the provider. Final.
        Cleared = "cleared",
        /// Closed by a manager. Final.
        Settled = "settled",
    }

    /// Whether a redemption counts for its basket.
    enum Counts as "Counts" {
        /// It does not: take another payment.
        Nothing = "nothing",
        /// Nobody knows yet: take no other payment.
        Open = "open",
        /// It counts for `counted`.
        For = "for",
    }

    /// How it is known what was taken.
    enum KnownBy as "Evidence" {
        /// By the provider's answer.
        Answer = "answer",
        /// By a look-up.
        LookUp = "look_up",
        /// By what is left on the voucher: evidence, and no proof.
        Balance = "balance",
    }

    /// The questions about a redemption.
    enum RedemptionAsks as "RedemptionAsks" {
        /// Less was taken: is it enough?
        AcceptLess = "accept_less",
        /// The basket was never completed: was the voucher used for it?
        WasItUsed = "was_it_used",
        /// Scan the voucher once more, at `/v1/redemptions/{redemption}/scan`.
        ScanAgain = "scan_again",
        /// Only a manager can find out whether it was taken, and settles it.
        WasItTaken = "was_it_taken",
        /// It could not be taken back: is the provider to be asked once more?
        TryAgain = "try_again",
    }

    /// Who may decide.
    enum Who as "Who" {
        /// Whoever stands at the till.
        Cashier = "cashier",
        /// Somebody who answers for the shop.
        Manager = "manager",
    }

    /// Why a reversal is owed.
    enum ReversalReason as "ReversalReason" {
        /// The outcome of the redeem could not be found out.
        Uncertain = "uncertain",
        /// It was found done too late for the guest.
        TooLate = "too_late",
        /// The till never asked for the answer.
        NeverOffered = "never_offered",
        /// A person did not want it for less, or nobody said.
        TooLittle = "too_little",
        /// The provider took something else than was asked for.
        TakenOtherwise = "taken_otherwise",
        /// It arrived when another payment had been taken.
        ArrivedLate = "arrived_late",
        /// A person said that it was not used.
        NotUsed = "not_used",
        /// It was reversed in the open basket, or by a manager later.
        TakenBack = "taken_back",
    }
}

/// What was taken from a voucher.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Taken)]
struct TakenThere {
    /// How much.
    worth: Worth,
    /// What was left on it, if that was said or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Worth>,
    /// How that is known.
    by: KnownBy,
}

/// An open question about a redemption.
#[derive(Debug, Serialize, ToSchema)]
struct RedemptionQuestion {
    /// Which one.
    asks: RedemptionAsks,
    /// Who may answer.
    who: Who,
    /// The answers that are taken; none where a scan or a manager's verdict is the answer.
    choices: Vec<RedemptionAnswer>,
    /// When the counter decides by itself, if it ever does (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    until: Option<String>,
    /// Of `scan_again`: from when on a scan that finds nothing taken counts (RFC 3339, UTC). One that finds the amount gone tells at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    from: Option<String>,
}

/// A reversal that must happen.
#[derive(Debug, Serialize, ToSchema)]
struct OwedReversal {
    /// Since when (RFC 3339, UTC).
    #[schema(format = "date-time")]
    since: String,
    /// Why.
    why: ReversalReason,
    /// How many attempts have failed; 7 stands for seven or more.
    failures: u32,
    /// Whether the redeem turned out to have succeeded after the reversal was owed. It changes nothing.
    late_success: bool,
    /// Why the counter cannot take it back: then a manager decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    hindrance: Option<ReversalHindrance>,
}

words! {
    /// Why the counter cannot take a redemption back.
    enum ReversalHindrance as "ReversalHindrance" {
        /// The provider refused it.
        Refused = "refused",
        /// The call was not answered, and nobody has said what a second one would do.
        Unanswered = "unanswered",
        /// The shop has not confirmed the provider's call.
        NotSetUp = "not_set_up",
        /// The provider's name for the redemption is not known.
        WithoutId = "without_id",
    }
}

/// The redemptions of a basket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Basket {
    /// The till's own name of it.
    #[serde(rename = "basket")]
    #[schema(example = "B-20261121-0042")]
    name: String,
    /// Oldest first; none if nothing was redeemed for it.
    redemptions: Vec<Redemption>,
    /// Whether another payment of any kind may be taken for the basket now.
    other_payment: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Said>,
}

impl Basket {
    pub(crate) fn of(name: String, redemptions: &[RedemptionNow]) -> Self {
        let why = redemptions.iter().find_map(|now| now.redemption.blocks_its_basket());
        Self {
            name,
            redemptions: redemptions.iter().map(Redemption::from).collect(),
            other_payment: why.is_none(),
            why: why.as_ref().map(Said::from),
        }
    }
}

impl From<&RedemptionNow> for Redemption {
    fn from(now: &RedemptionNow) -> Self {
        let redemption = now.redemption.as_ref();
        let (opening, past) = (&redemption.opening, &redemption.past);
        let (counts, counted) = match redemption.counts() {
            redemption::Counts::Nothing => (Counts::Nothing, None),
            redemption::Counts::Open => (Counts::Open, None),
            redemption::Counts::For(worth) => (Counts::For, Some(worth.into())),
        };
        let screen = screen::Screen::of(redemption);
        Self {
            id: opening.redemption.to_string(),
            basket: opening.basket.to_string(),
            provider: opening.provider.clone(),
            store: opening.store.to_string(),
            terminal: opening.terminal.to_string(),
            cashier: opening.cashier.as_ref().map(ToString::to_string),
            code: opening.code_tail.masked(),
            kind: opening.kind.into(),
            booking: redemption.booking().into(),
            item: opening.item.as_ref().map(|item| item.as_str().to_owned()),
            opened_at: instant(redemption.opened),
            updated_at: instant(now.at),
            seq: now.seq.number(),
            state: (&redemption.state).into(),
            screen: screen.into(),
            amount: opening.amount.into(),
            counts,
            counted,
            taken: past.taken.map(TakenThere::from),
            by_provider: past.redemption.as_ref().map(ToString::to_string),
            refusal: refusal(&redemption.state),
            question: redemption.question().map(RedemptionQuestion::from),
            owed: OwedReversal::of(&redemption.state),
            other_payment: redemption.blocks_its_basket().is_none(),
        }
    }
}

fn refusal(state: &State) -> Option<Said> {
    match state {
        State::NotRedeemed { why } | State::Stuck { why: StuckWhy::Refused(why), .. } => Some(why.into()),
        _ => None,
    }
}

impl From<&State> for RedemptionState {
    fn from(state: &State) -> Self {
        match state {
            State::Redeeming { .. } => Self::Redeeming,
            State::LookingUp { .. } => Self::LookingUp,
            State::Comparing { .. } => Self::Comparing,
            State::NotRedeemed { .. } => Self::NotRedeemed,
            State::NotApplied { .. } => Self::NotApplied,
            State::GrantedLess { .. } => Self::GrantedLess,
            State::Redeemed { .. } => Self::Redeemed,
            State::Answered { .. } => Self::Answered,
            State::Completed => Self::Completed,
            State::Unclear { .. } => Self::Unclear,
            State::Owed(_) => Self::Owed,
            State::Stuck { .. } => Self::Stuck,
            State::Cleared { .. } => Self::Cleared,
            State::Settled { .. } => Self::Settled,
        }
    }
}

impl From<redemption::Taken> for TakenThere {
    fn from(taken: redemption::Taken) -> Self {
        Self {
            worth: taken.worth.into(),
            left: taken.left.map(Worth::from),
            by: match taken.by {
                Evidence::Answer => KnownBy::Answer,
                Evidence::LookUp => KnownBy::LookUp,
                Evidence::Balance => KnownBy::Balance,
            },
        }
    }
}

impl From<Decider> for Who {
    fn from(who: Decider) -> Self {
        match who {
            Decider::Cashier => Self::Cashier,
            Decider::Manager => Self::Manager,
        }
    }
}

impl From<redemption::Question> for RedemptionQuestion {
    fn from(question: redemption::Question) -> Self {
        Self {
            asks: match question.asks {
                redemption::Asks::AcceptLess => RedemptionAsks::AcceptLess,
                redemption::Asks::WasItUsed => RedemptionAsks::WasItUsed,
                redemption::Asks::ScanAgain => RedemptionAsks::ScanAgain,
                redemption::Asks::WasItTaken => RedemptionAsks::WasItTaken,
                redemption::Asks::TryAgain => RedemptionAsks::TryAgain,
            },
            who: question.who.into(),
            choices: question.choices.iter().copied().map(RedemptionAnswer::from).collect(),
            until: question.until.map(instant),
            from: question.from.map(instant),
        }
    }
}

impl OwedReversal {
    fn of(state: &State) -> Option<Self> {
        let (owed, hindrance) = match state {
            State::Owed(owed) => (owed, None),
            State::Stuck { owed, why } => (
                owed,
                Some(match why {
                    StuckWhy::Refused(_) => ReversalHindrance::Refused,
                    StuckWhy::Unanswered { .. } => ReversalHindrance::Unanswered,
                    StuckWhy::NotConfirmed => ReversalHindrance::NotSetUp,
                    StuckWhy::WithoutId => ReversalHindrance::WithoutId,
                }),
            ),
            _ => return None,
        };
        Some(Self {
            since: instant(owed.since),
            why: match owed.why {
                OwedWhy::Uncertain => ReversalReason::Uncertain,
                OwedWhy::TooLate => ReversalReason::TooLate,
                OwedWhy::NeverOffered => ReversalReason::NeverOffered,
                OwedWhy::TooLittle => ReversalReason::TooLittle,
                OwedWhy::TakenOtherwise => ReversalReason::TakenOtherwise,
                OwedWhy::ArrivedLate => ReversalReason::ArrivedLate,
                OwedWhy::NotUsed => ReversalReason::NotUsed,
                OwedWhy::TakenBack => ReversalReason::TakenBack,
            },
            failures: owed.failures,
            late_success: owed.late_success,
            hindrance,
        })
    }
}
