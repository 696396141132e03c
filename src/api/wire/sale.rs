//! The sale as a till reads it: a pure function of the sale after one of its entries, so that the same request gets the
//! same bytes for ever.

use serde::Serialize;
use tilld_counter::SaleNow;
use tilld_domain::order::{self, Asks, ClearedHow, Order, OwedWhy, PaperState, State, StuckWhy};
use tilld_domain::printing::{self, Proof};
use tilld_domain::sale::{self, CardNo, PaymentState};
use tilld_domain::{money, screen};
use utoipa::ToSchema;

use super::parts::{CardKind, Money, Said, Screen, instant, words};
use super::request::Answer;

/// A sale: one till receipt, its cards and its payment, as it was after the entry `seq`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sale {
    /// The daemon's name for it (UUID).
    #[schema(format = "uuid", example = "019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e")]
    id: String,
    /// The till's own number of the receipt.
    #[schema(example = "R-20261121-0042")]
    receipt: String,
    /// The store, by the retailer's own id.
    #[schema(example = "DE-0815")]
    store: String,
    /// The till.
    #[schema(example = "till-3")]
    terminal: String,
    /// Who sells, if the till said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    cashier: Option<String>,
    /// When it began: RFC 3339, UTC, milliseconds.
    #[schema(format = "date-time", example = "2026-11-21T21:56:55.120Z")]
    opened_at: String,
    /// When the last entry was written that is included here.
    #[schema(format = "date-time", example = "2026-11-21T21:56:58.004Z")]
    updated_at: String,
    /// The journal's number of that entry. Of two views of a sale the one with the greater number is the newer one.
    #[schema(example = 17, minimum = 1)]
    seq: u64,
    /// What the sale is doing.
    phase: Phase,
    /// What the cashier reads about the whole sale.
    screen: Screen,
    /// What is to be collected now; null when nothing is.
    due: Option<Money>,
    /// How it was paid; null while it is not.
    payment: Option<Payment>,
    /// What must be given back to the customer, of what was paid: the face values of the cards that did not come to be; null
    /// when nothing.
    money_back: Option<Money>,
    /// The cards in the order of the request.
    #[schema(min_items = 1, max_items = 20)]
    cards: Vec<Card>,
}

words! {
    /// What a sale is doing.
    enum Phase as "Phase" {
        /// Orders are being created.
        Creating = "creating",
        /// The money is to be collected.
        Collect = "collect",
        /// Paid: cards are being confirmed or printed.
        Finishing = "finishing",
        /// A person must answer before it goes on.
        Question = "question",
        /// Nothing was sold, and no money was taken.
        NothingSold = "nothing_sold",
        /// Every card is sold, or given back.
        Done = "done",
    }
}

/// A payment as it was reported.
#[derive(Debug, Serialize, ToSchema)]
struct Payment {
    /// What was collected for the cards of this sale.
    amount: Money,
    /// How.
    tender: Tender,
    /// The total of the whole receipt.
    receipt_total: Money,
}

/// How the customer paid.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tender {
    /// In notes and coins.
    Cash {
        /// What the customer gave.
        given: Money,
        /// What went back.
        change: Money,
    },
    /// With a payment card, the exact amount.
    Card,
    /// A part with a payment card, the rest in cash.
    Mixed {
        /// What the payment card paid.
        card: Money,
        /// What the customer gave in cash.
        given: Money,
        /// What went back.
        change: Money,
    },
}

/// A card of a sale. Its code and the lines of its slip are never shown.
#[derive(Debug, Serialize, ToSchema)]
struct Card {
    /// Which card of the sale, from 1.
    #[schema(minimum = 1, maximum = 20)]
    number: u16,
    /// The daemon's name for the order (UUID).
    #[schema(format = "uuid")]
    order: String,
    /// The provider's name for the order, since it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_order: Option<String>,
    /// The product's code in the catalogue.
    #[schema(example = "4001232232332")]
    product: String,
    /// The product's name when it was sold.
    name: String,
    /// Printed or activated.
    kind: CardKind,
    /// The value of the card.
    face_value: Money,
    /// Of a scanned code, its last four characters behind dots.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "••••0123")]
    code_tail: Option<String>,
    /// Where it stands.
    state: CardState,
    /// What the cashier reads about it.
    screen: Screen,
    /// Why it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Said>,
    /// What a person must answer before it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    /// What is known of its paper, from the moment when there may be some.
    #[serde(skip_serializing_if = "Option::is_none")]
    paper: Option<Paper>,
    /// How many numbered copies of its slip were asked for; absent while none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    copies: Option<u16>,
    /// The undo that must happen. The customer's money does not wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<Owed>,
}

words! {
    /// Where a card stands.
    enum CardState as "CardState" {
        /// Its order is being created.
        Creating = "creating",
        /// It never came to be. Final.
        NotSold = "not_sold",
        /// It waits for its payment.
        Created = "created",
        /// Paid; its confirm has not been taken yet.
        Paid = "paid",
        /// Its confirm is on its way.
        Confirming = "confirming",
        /// The outcome of its confirm is being found out.
        Asking = "asking",
        /// It is live, and nothing of it has been printed.
        Active = "active",
        /// Its slip is at the printer.
        Printing = "printing",
        /// The printer reported a fault in the middle of its slip.
        PrintStopped = "print_stopped",
        /// Anything may be on its paper.
        PrintUnclear = "print_unclear",
        /// Sold.
        Sold = "sold",
        /// It must be undone, and is being undone.
        Owed = "owed",
        /// It was spent before it could be undone. A manager decides.
        Spent = "spent",
        /// The provider will not undo it. A manager decides.
        Stuck = "stuck",
        /// Nothing of it is left at the provider. Final.
        Cleared = "cleared",
        /// Closed by a manager. Final.
        Settled = "settled",
    }
}

/// An open question.
#[derive(Debug, Serialize, ToSchema)]
struct Question {
    /// Which one.
    asks: Asked,
    /// The answers that are taken.
    #[schema(min_items = 1)]
    choices: Vec<Answer>,
    /// When the counter decides by itself, for money back, if it ever does (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    until: Option<String>,
}

words! {
    /// The questions there are.
    enum Asked as "Asks" {
        /// The money was taken, and the card is not confirmed.
        FinishOrMoneyBack = "finish_or_money_back",
        /// Paid and active, not printed.
        PrintOrMoneyBack = "print_or_money_back",
        /// The printer stopped in the middle.
        PrintAgain = "print_again",
        /// Nobody knows what is on the paper.
        IsItComplete = "is_it_complete",
        /// Every attempt at printing is used up.
        CollectThePaper = "collect_the_paper",
    }
}

/// What is known of a card's paper.
#[derive(Debug, Serialize, ToSchema)]
struct Paper {
    /// What became of it.
    state: PaperWord,
    /// How it is known to be printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<PaperProof>,
    /// What is wrong with the printer.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// Which attempt this is, or is next, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    attempt: Option<u16>,
}

words! {
    /// What became of a card's paper.
    enum PaperWord as "PaperState" {
        /// No byte of it has been printed.
        NotBegun = "not_begun",
        /// It is at the printer.
        Printing = "printing",
        /// The printer reported a fault in the middle.
        Stopped = "stopped",
        /// All, a part or nothing of it may be there.
        Unclear = "unclear",
        /// Printed, by the printer's word.
        Printed = "printed",
        /// Printed, by a person's word.
        SeenComplete = "seen_complete",
        /// There was nothing to print.
        NothingToPrint = "nothing_to_print",
        /// It is not there, and the card is sold without it (`posa` only).
        Missing = "missing",
    }
}

words! {
    /// How a printer proved that a slip is on paper, strongest first.
    enum PaperProof as "PaperProof" {
        /// It sent back the id that stood behind the last byte.
        ProcessId = "process_id",
        /// It answered a status request behind the last byte.
        QueuedStatus = "queued_status",
        /// It reported no fault after the job.
        HealthyAfterwards = "healthy_afterwards",
        /// It answers nothing; all bytes were handed over.
        NotVerifiable = "not_verifiable",
    }
}

words! {
    /// What is wrong with a printer.
    enum Fault as "PrinterFault" {
        /// No paper.
        PaperOut = "paper_out",
        /// The cover is open.
        CoverOpen = "cover_open",
        /// The knife is stuck.
        Cutter = "cutter",
        /// Offline for another reason.
        Offline = "offline",
        /// Any other error.
        Error = "error",
        /// It cannot be reached.
        Absent = "absent",
        /// It stopped taking bytes or answering.
        Silent = "silent",
    }
}

/// An undo that must happen.
#[derive(Debug, Serialize, ToSchema)]
struct Owed {
    /// Since when (RFC 3339, UTC).
    #[schema(format = "date-time")]
    since: String,
    /// Why.
    why: OwedReason,
    /// How many attempts have failed; 7 stands for seven or more.
    failures: u32,
    /// Why the provider does not undo it, if it said so: then a manager decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    hindrance: Option<Hindrance>,
}

words! {
    /// Why an undo is owed.
    enum OwedReason as "OwedReason" {
        /// The sale was cancelled before it was paid.
        Cancelled = "cancelled",
        /// Nobody paid for it in time.
        NotFresh = "not_fresh",
        /// Paid, but the confirm could not be sent, or nobody came back after a restart.
        NotConfirmed = "not_confirmed",
        /// The outcome of the confirm could not be found out.
        Uncertain = "uncertain",
        /// It is live although its confirm was refused.
        RefusedButLive = "refused_but_live",
        /// It was found done too late for the customer.
        TooLate = "too_late",
        /// It is live, and its lines were not to be had.
        NoLines = "no_lines",
        /// It could not be printed.
        NotPrinted = "not_printed",
        /// A person decided to give the money back.
        MoneyBack = "money_back",
    }
}

words! {
    /// Why a provider does not undo an order.
    enum Hindrance as "Hindrance" {
        /// The card has been spent.
        Spent = "spent",
        /// Too late.
        WindowOver = "window_over",
        /// Never possible for this product.
        NotSupported = "not_supported",
        /// Another refusal; `refusal` of the card says which.
        Refused = "refused",
    }
}

impl From<&SaleNow> for Sale {
    fn from(now: &SaleNow) -> Self {
        let sale = now.sale.as_ref();
        let opening = &sale.opening;
        Self {
            id: opening.sale.to_string(),
            receipt: opening.receipt.to_string(),
            store: opening.store.to_string(),
            terminal: opening.terminal.to_string(),
            cashier: opening.cashier.as_ref().map(ToString::to_string),
            opened_at: instant(sale.opened),
            updated_at: instant(now.at),
            seq: now.seq.number(),
            phase: sale.phase().into(),
            screen: screen::Screen::of_sale(sale).into(),
            due: something(sale.due()),
            payment: match &sale.payment {
                PaymentState::Paid(payment) => Some(payment.into()),
                PaymentState::Unpaid { .. } | PaymentState::Cancelled { .. } => None,
            },
            money_back: something(sale.money_back()),
            cards: sale.cards().map(|(number, order)| Card::of(sale, number, order)).collect(),
        }
    }
}

/// An amount that is more than nothing. A sum over a sale's cards fits: that was checked when it began.
fn something(sum: Result<money::Money, money::MoneyError>) -> Option<Money> {
    sum.ok().filter(|money| money.is_positive()).map(Money)
}

/// Sales that are not closed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenSales {
    /// Those in a customer's hands first, then the newest first.
    sales: Vec<OpenSale>,
    /// Whether there are more than these.
    more: bool,
}

impl OpenSales {
    /// At most `most` of them.
    pub(crate) fn of(sales: &[SaleNow], most: usize) -> Self {
        Self { sales: sales.iter().take(most).map(OpenSale::of).collect(), more: sales.len() > most }
    }
}

/// A sale that is not closed, in short.
#[derive(Debug, Serialize, ToSchema)]
struct OpenSale {
    /// The daemon's name for it (UUID).
    #[schema(format = "uuid")]
    id: String,
    /// The till's own number of the receipt.
    receipt: String,
    /// When it began: RFC 3339, UTC.
    #[schema(format = "date-time")]
    opened_at: String,
    /// The journal's number of its last entry.
    #[schema(minimum = 1)]
    seq: u64,
    /// What it is doing.
    phase: Phase,
    /// What the cashier reads about it.
    screen: Screen,
    /// The face values of all its cards.
    total: Option<Money>,
    /// What is to be collected now; null when nothing is.
    due: Option<Money>,
    /// Its cards.
    cards: Vec<OpenCard>,
}

/// A card of a sale that is not closed, in short.
#[derive(Debug, Serialize, ToSchema)]
struct OpenCard {
    /// Which card of the sale, from 1.
    #[schema(minimum = 1, maximum = 20)]
    number: u16,
    /// The product's name.
    name: String,
    /// The value of the card.
    face_value: Money,
    /// Where it stands.
    state: CardState,
}

impl OpenSale {
    fn of(now: &SaleNow) -> Self {
        let sale = now.sale.as_ref();
        let face_values = sale.orders.iter().map(|order| order.facts.face_value);
        Self {
            id: sale.opening.sale.to_string(),
            receipt: sale.opening.receipt.to_string(),
            opened_at: instant(sale.opened),
            seq: now.seq.number(),
            phase: sale.phase().into(),
            screen: screen::Screen::of_sale(sale).into(),
            total: something(money::Money::sum(face_values, sale.opening.currency)),
            due: something(sale.due()),
            cards: sale
                .cards()
                .map(|(number, order)| OpenCard {
                    number: number.number(),
                    name: order.facts.product_name.clone(),
                    face_value: Money(order.facts.face_value),
                    state: (&order.state).into(),
                })
                .collect(),
        }
    }
}

impl Card {
    fn of(sale: &sale::Sale, number: CardNo, order: &Order) -> Self {
        Self {
            number: number.number(),
            order: order.facts.id.to_string(),
            provider_order: order.past.provider_order.as_ref().map(ToString::to_string),
            product: order.facts.product.to_string(),
            name: order.facts.product_name.clone(),
            kind: order.facts.kind.into(),
            face_value: Money(order.facts.face_value),
            code_tail: order.facts.code_tail.clone(),
            state: (&order.state).into(),
            screen: screen::Screen::of_card(sale, order).into(),
            refusal: refusal(&order.state),
            question: order.question(&sale.opening.rules).map(Question::from),
            paper: Paper::of(&order.state),
            copies: match order.state {
                State::Sold { copies: count @ 1.., .. } => Some(count),
                _ => None,
            },
            owed: Owed::of(&order.state),
        }
    }
}

fn refusal(state: &State) -> Option<Said> {
    match state {
        State::NotSold { why }
        | State::Cleared { how: ClearedHow::ConfirmRefused(why) }
        | State::Stuck { why: StuckWhy::Refused(why), .. } => Some(why.into()),
        _ => None,
    }
}

impl From<sale::Phase> for Phase {
    fn from(phase: sale::Phase) -> Self {
        match phase {
            sale::Phase::Creating => Self::Creating,
            sale::Phase::Collect => Self::Collect,
            sale::Phase::Finishing => Self::Finishing,
            sale::Phase::Question => Self::Question,
            sale::Phase::NothingSold => Self::NothingSold,
            sale::Phase::Done => Self::Done,
        }
    }
}

impl From<&sale::Payment> for Payment {
    fn from(payment: &sale::Payment) -> Self {
        Self {
            amount: Money(payment.amount),
            tender: match payment.tender {
                sale::Tender::Cash { given, change } => {
                    Tender::Cash { given: Money(given), change: Money(change) }
                }
                sale::Tender::Card => Tender::Card,
                sale::Tender::Mixed { card, given, change } => {
                    Tender::Mixed { card: Money(card), given: Money(given), change: Money(change) }
                }
            },
            receipt_total: Money(payment.receipt_total),
        }
    }
}

impl From<&State> for CardState {
    fn from(state: &State) -> Self {
        match state {
            State::Creating { .. } => Self::Creating,
            State::NotSold { .. } => Self::NotSold,
            State::Created { .. } => Self::Created,
            State::Paid { .. } => Self::Paid,
            State::Confirming { .. } => Self::Confirming,
            State::Asking { .. } => Self::Asking,
            State::Active { .. } => Self::Active,
            State::Printing { .. } => Self::Printing,
            State::PrintStopped { .. } => Self::PrintStopped,
            State::PrintUnclear { .. } => Self::PrintUnclear,
            State::Sold { .. } => Self::Sold,
            State::Owed(_) => Self::Owed,
            State::Spent(_) => Self::Spent,
            State::Stuck { .. } => Self::Stuck,
            State::Cleared { .. } => Self::Cleared,
            State::Settled { .. } => Self::Settled,
        }
    }
}

impl From<order::Question> for Question {
    fn from(question: order::Question) -> Self {
        Self {
            asks: match question.asks {
                Asks::FinishOrMoneyBack => Asked::FinishOrMoneyBack,
                Asks::PrintOrMoneyBack => Asked::PrintOrMoneyBack,
                Asks::PrintAgain => Asked::PrintAgain,
                Asks::IsItComplete => Asked::IsItComplete,
                Asks::CollectThePaper => Asked::CollectThePaper,
            },
            choices: question.choices.iter().copied().map(Answer::from).collect(),
            until: question.until.map(instant),
        }
    }
}

impl Paper {
    fn of(state: &State) -> Option<Self> {
        let paper = |state, fault: Option<printing::Fault>, attempt| {
            Some(Self { state, proof: None, fault: fault.map(Fault::from), attempt })
        };
        match state {
            State::Active { attempt, fault, .. } => paper(PaperWord::NotBegun, *fault, Some(*attempt)),
            State::Printing { attempt, .. } => paper(PaperWord::Printing, None, Some(*attempt)),
            State::PrintStopped { attempt, fault, .. } => {
                paper(PaperWord::Stopped, Some(*fault), Some(*attempt))
            }
            State::PrintUnclear { attempt, .. } => paper(PaperWord::Unclear, None, Some(*attempt)),
            State::Sold { paper: kept, .. } => match kept {
                PaperState::Printed(proof) => Some(Self {
                    state: PaperWord::Printed,
                    proof: Some((*proof).into()),
                    fault: None,
                    attempt: None,
                }),
                PaperState::SeenComplete => paper(PaperWord::SeenComplete, None, None),
                PaperState::None => paper(PaperWord::NothingToPrint, None, None),
                PaperState::Missing(fault) => paper(PaperWord::Missing, Some(*fault), None),
                PaperState::Unclear => paper(PaperWord::Unclear, None, None),
            },
            State::Creating { .. }
            | State::NotSold { .. }
            | State::Created { .. }
            | State::Paid { .. }
            | State::Confirming { .. }
            | State::Asking { .. }
            | State::Owed(_)
            | State::Spent(_)
            | State::Stuck { .. }
            | State::Cleared { .. }
            | State::Settled { .. } => None,
        }
    }
}

impl From<Proof> for PaperProof {
    fn from(proof: Proof) -> Self {
        match proof {
            Proof::ProcessId => Self::ProcessId,
            Proof::QueuedStatus => Self::QueuedStatus,
            Proof::HealthyAfterwards => Self::HealthyAfterwards,
            Proof::NotVerifiable => Self::NotVerifiable,
        }
    }
}

impl From<printing::Fault> for Fault {
    fn from(fault: printing::Fault) -> Self {
        match fault {
            printing::Fault::PaperOut => Self::PaperOut,
            printing::Fault::CoverOpen => Self::CoverOpen,
            printing::Fault::Cutter => Self::Cutter,
            printing::Fault::Offline => Self::Offline,
            printing::Fault::Error => Self::Error,
            printing::Fault::Absent => Self::Absent,
            printing::Fault::Silent => Self::Silent,
        }
    }
}

impl Owed {
    fn of(state: &State) -> Option<Self> {
        let (owed, hindrance) = match state {
            State::Owed(owed) => (owed, None),
            State::Spent(owed) => (owed, Some(Hindrance::Spent)),
            State::Stuck { owed, why } => (
                owed,
                Some(match why {
                    StuckWhy::WindowOver => Hindrance::WindowOver,
                    StuckWhy::NotSupported => Hindrance::NotSupported,
                    StuckWhy::Refused(_) => Hindrance::Refused,
                }),
            ),
            _ => return None,
        };
        Some(Self {
            since: instant(owed.since),
            why: match owed.why {
                OwedWhy::Cancelled => OwedReason::Cancelled,
                OwedWhy::NotFresh => OwedReason::NotFresh,
                OwedWhy::NotConfirmed => OwedReason::NotConfirmed,
                OwedWhy::Uncertain => OwedReason::Uncertain,
                OwedWhy::RefusedButLive => OwedReason::RefusedButLive,
                OwedWhy::TooLate => OwedReason::TooLate,
                OwedWhy::NoLines => OwedReason::NoLines,
                OwedWhy::NotPrinted => OwedReason::NotPrinted,
                OwedWhy::MoneyBack => OwedReason::MoneyBack,
            },
            failures: owed.failures,
            hindrance,
        })
    }
}
