//! Where an order can stand, and what is known of it there: one variant a row of the design, each with its own data only.

use std::time::Duration;

use crate::ids::{CardCode, OrderId, PersonName, ProductCode, ProviderKey, ProviderOrderId};
use crate::moment::Moment;
use crate::money::Money;
use crate::outcome::ReceiptLines;
use crate::pauses::UndoTimes;
use crate::printing::{Fault, Proof};
use crate::product::CardKind;
use crate::refusal::Refusal;

/// The times and counts that an order lives by. They are written into the sale's first entry, so that a sale ends under
/// the rules that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// For how long a created order may wait for its payment (A2). An order of unknown expiry gets old (fact sheet U16).
    pub fresh: Duration,
    /// How old a create may be to be sent once more under its key after a restart (fact sheet U7: keys do not live for ever).
    pub create_again: Duration,
    /// For how long an uncertain confirm is asked about while a customer waits (law L3).
    pub ask: Duration,
    /// The same while the provider says that it is still processing (law L3).
    pub ask_processing: Duration,
    /// How long after a restart a customer is taken to be still there (A4, A6, A9).
    pub resume: Duration,
    /// For how long a paid and active card waits for a printer that has not taken a byte (A9).
    pub print_wait: Duration,
    /// How many times a slip may be started (A10): then the paper is collected and the card undone.
    pub print_attempts: u16,
    /// How long a provider must go on saying "not found" until an undo is closed by it (law L6): longer than any request
    /// can live.
    pub quiet: Duration,
    /// For how long after the payment the provider is expected to take a card back (fact sheet U15; no number is known). It
    /// ends no attempt; it tells people how long they have.
    pub undo_window: Duration,
    /// The pauses of an undo that does not get through, and when a manager is called to it.
    pub undo: UndoTimes,
    /// Whether the provider takes a second confirm of the same order (fact sheet U9).
    pub confirm_repeatable: bool,
}

impl Rules {
    /// The times of the design.
    pub const DESIGN: Self = Self {
        fresh: Duration::from_mins(15),
        create_again: Duration::from_mins(2),
        ask: Duration::from_secs(10),
        ask_processing: Duration::from_secs(30),
        resume: Duration::from_mins(2),
        print_wait: Duration::from_mins(10),
        print_attempts: 3,
        quiet: Duration::from_mins(5),
        undo_window: Duration::from_mins(15),
        undo: UndoTimes::DESIGN,
        confirm_repeatable: true,
    };
}

/// What an order is about. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// The daemon's own name for it.
    pub id: OrderId,
    /// Which product.
    pub product: ProductCode,
    /// Its name when it was sold.
    pub product_name: String,
    /// Printed or activated.
    pub kind: CardKind,
    /// The value of the card.
    pub face_value: Money,
    /// The scanned code of a POSA card; none for POR, and none once it has been forgotten.
    pub code: Option<CardCode>,
    /// The last four characters of that code, which outlive it.
    pub code_tail: Option<String>,
    /// The key under which the create is sent.
    pub key: ProviderKey,
    /// The exact create as the provider's room wrote it; nobody else reads it.
    pub create_request: String,
    /// How long after its payment the provider takes this product back, where that is known; else as [`Rules::undo_window`] says.
    pub undo_window: Option<Duration>,
}

/// What is known to have happened to an order. It only ever grows, but for a confirm that turned out not to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// The provider's name for it, since it was created.
    pub provider_order: Option<ProviderOrderId>,
    /// When it was created.
    pub created: Option<Moment>,
    /// When its payment was reported.
    pub paid: Option<Moment>,
    /// When a customer last stood there and wanted it: at the payment, or when a person said "finish" (A4).
    pub wanted: Option<Moment>,
    /// The exact confirm, since it was paid.
    pub confirm_request: Option<String>,
    /// Whether a confirm may have reached the provider (law L6).
    pub confirm_sent: bool,
    /// Whether the provider has answered a confirm with "not now": then it was sent, whatever becomes of the next one.
    pub confirm_put_off: bool,
    /// Whether it turned out to be spent (A16): its money is held, also when the case is closed.
    pub spent: bool,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A1: the create is on its way.
    Creating {
        /// When it was first sent.
        sent: Moment,
        /// Whether this is the one repetition.
        repeated: bool,
    },
    /// It never came to be: no value, no money. Final.
    NotSold {
        /// Why.
        why: Refusal,
    },
    /// A2, A3: an order without value that waits for its payment.
    Created {
        /// When it was created.
        at: Moment,
    },
    /// A4: the money is in, and no confirm was taken: it could not be sent, or the provider said "not now".
    Paid {
        /// When it is given up.
        until: Moment,
        /// When it is sent again; none after a restart: then a person must want it.
        again: Option<Moment>,
    },
    /// A5: the confirm is on its way.
    Confirming {
        /// Whether a confirm may have been sent even before this one.
        sent_before: bool,
        /// Since when its outcome is being found out, if this is the repetition in the course of it.
        since: Option<Moment>,
        /// When this attempt must have ended, unless it is the first one.
        until: Option<Moment>,
    },
    /// A5, A6, A8: the confirm's outcome is uncertain and is being looked up (law L3).
    Asking {
        /// Since when.
        since: Moment,
        /// When it ends, and the undo is owed.
        until: Moment,
        /// What is uncertain about it.
        doubt: Doubt,
        /// Whether the confirm may still be repeated, once: it may bring an answer, or the lines.
        may_repeat: bool,
    },
    /// A9: the card is live, its lines are at hand, and no byte of them has been printed.
    Active {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt is next, from 1.
        attempt: u16,
        /// What keeps the printer from it; none after a restart.
        fault: Option<Fault>,
        /// When it is undone if nobody decides.
        until: Moment,
    },
    /// The slip is at the printer.
    Printing {
        /// What is printed.
        lines: ReceiptLines,
        /// Which attempt this is, from 1.
        attempt: u16,
        /// When it is undone if it comes back to A9: a printer that is ready and fails again does not lengthen the wait,
        /// because nobody has said that the customer still stands there. None: a person has, or it is the first try.
        until: Option<Moment>,
    },
    /// A10: the printer reported a fault after bytes had left.
    PrintStopped {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt stopped.
        attempt: u16,
        /// The fault.
        fault: Fault,
    },
    /// A11: anything may be on the paper.
    PrintUnclear {
        /// What to print.
        lines: ReceiptLines,
        /// Which attempt it was.
        attempt: u16,
    },
    /// A12: done.
    Sold {
        /// What became of the paper.
        paper: PaperState,
        /// What a copy would show; none if the provider sent nothing to print.
        lines: Option<ReceiptLines>,
        /// How many numbered copies were asked for.
        copies: u16,
    },
    /// A5, A7, A13 to A15: it must be undone, and is asked to be until the provider says so.
    Owed(Owed),
    /// A16: it was spent before it could be undone. A manager decides.
    Spent(Owed),
    /// A17: the provider will not undo it: live and billed. A manager decides; it is still asked every hour.
    Stuck {
        /// The debt.
        owed: Owed,
        /// Why not.
        why: StuckWhy,
    },
    /// A13: nothing of it is left at the provider. Final.
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
    },
}

/// What is uncertain about a confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No readable answer.
    NoAnswer,
    /// Done, but without the lines of a POR card (fact sheet U9).
    NoLines,
    /// The provider works on it (fact sheet U12).
    Processing,
    /// The daemon died while it was on its way (A6).
    Restart,
    /// It was refused; is it really not live? (A8)
    Refused(Refusal),
}

/// An undo that must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Since when.
    pub since: Moment,
    /// Why.
    pub why: OwedWhy,
    /// How many attempts have failed; 7 stands for seven or more.
    pub failures: u32,
    /// When the provider first said that it does not know the order (law L6).
    pub not_found: Option<Moment>,
    /// The confirm turned out to have succeeded after the undo was owed (A7). It changes nothing.
    pub late_success: bool,
}

/// Why an undo is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwedWhy {
    /// The sale was cancelled before it was paid.
    Cancelled,
    /// Nobody paid for it in time.
    NotFresh,
    /// Paid, but the confirm could not be sent, or nobody came back after a restart.
    NotConfirmed,
    /// The outcome of the confirm could not be found out.
    Uncertain,
    /// It is live at the provider although its confirm was refused.
    RefusedButLive,
    /// It was found done too late for the customer.
    TooLate,
    /// It is live, and its lines were not to be had.
    NoLines,
    /// It could not be printed.
    NotPrinted,
    /// A person decided to give the money back.
    MoneyBack,
}

/// Why the provider will not undo an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StuckWhy {
    /// Too late.
    WindowOver,
    /// Never possible for this product.
    NotSupported,
    /// Another refusal.
    Refused(Refusal),
}

/// How it is known that nothing is left of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClearedHow {
    /// The provider invalidated it.
    Invalidated,
    /// The provider says that it had been invalidated before.
    AlreadyInvalidated,
    /// The provider says that it had failed.
    OrderFailed,
    /// The provider does not know it, and said so again after the quiet time (law L6).
    NotFound,
    /// The provider does not undo it, but no confirm was ever sent and now none ever will be (fact sheet U13).
    NeverConfirmed,
    /// Its confirm was refused, and a look-up showed that it is not live (A8).
    ConfirmRefused(Refusal),
}

/// What became of the paper of a card that is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperState {
    /// Printed, by the printer's word.
    Printed(Proof),
    /// Printed, by a person's word.
    SeenComplete,
    /// There was nothing to print.
    None,
    /// A POSA card's slip is not there, and is not needed: the card is in the customer's hand.
    Missing(Fault),
    /// A POSA card's slip may be there.
    Unclear,
}
