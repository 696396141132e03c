//! One sale or redemption entry by entry: what happened, what was sent, what was answered.
//!
//! What was sent stands here as it was written before it left, with dots where a secret was: a scanned code is not in the journal's
//! readable part at all, and the provider's name for a voucher, which spends it together with the shop's key, is taken out here. Of
//! lines to print there is their number. What the provider answered is what this program read in it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tilld_counter::{Event, Line, RedemptionStep, Step};
use tilld_domain::ids::{PersonName, ProviderRedemptionId};
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, Trouble, UndoAnswer};
use tilld_domain::redemption::{self, RedemptionEvent};
use tilld_domain::sale::{CardNo, Opening, Payment, SaleEvent, Tender};
use tilld_domain::voucher::{Balance, Redeemed, RedemptionSeen, ReverseAnswer, VoucherSeen, Words};
use utoipa::ToSchema;

use super::line::{JournalLine, dotted};
use super::paper::PaperEnd;
use super::parts::{CardKind, Money, Said, instant, words};
use super::redeem::{RedemptionAnswer, Verdict};
use super::request::Answer;
use super::voucher::Worth;

/// In place of a secret.
const DOTS: &str = "••••";
/// What the providers' room writes where a scanned code belongs.
const CODE_MARK: char = '\u{e000}';

/// A sale or a redemption entry by entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalHistory)]
pub(crate) struct History {
    /// The redemption, or each card of the sale, as it is now.
    lines: Vec<JournalLine>,
    /// Its entries, oldest first.
    entries: Vec<HistoryEntry>,
}

impl History {
    pub(crate) fn of(lines: &[Line], steps: &[Step]) -> Self {
        Self {
            lines: lines.iter().map(JournalLine::from).collect(),
            entries: steps.iter().map(HistoryEntry::of).collect(),
        }
    }
}

/// An entry of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
pub(crate) struct HistoryEntry {
    /// Its number.
    seq: u64,
    /// When it was written (RFC 3339, UTC).
    #[schema(format = "date-time")]
    at: String,
    /// What happened, in one word. Wording is keyed by it: `opened`, `paid`, `cancelled`, `resumed`, `create_ended`, `card_paid`,
    /// `card_cancelled`, `confirm_ended`, `lookup_ended`, `undo_ended`, `print_ended`, `printer_ready`, `time_up`, `card_resumed`,
    /// `answered`, `copy_asked`, `settled`; of a redemption `redemption_opened`, `redeem_ended`, `redemption_lookup_ended`, `read_ended`,
    /// `code_lost`, `voucher_moved`, `asked_again`, `offered`, `completed`, `taken_back`, `reverse_ended`, `redemption_time_up`,
    /// `redemption_resumed`, `redemption_answered`, `redemption_settled`.
    #[schema(example = "confirm_ended")]
    what: String,
    /// To which card of a sale, from 1; null if to all of them, and of a redemption.
    card: Option<u16>,
    /// The state after it: of that card; of every card in their order, joined by blanks; of the redemption.
    #[schema(example = "sold")]
    state: String,
    /// The person who did it, where one did and said so.
    by: Option<String>,
    /// What was about to be sent to the provider when it was written.
    sent: Vec<Sent>,
    /// What a call ended with, where one did.
    answered: Option<Answered>,
    /// What else is known, by names that belong to `what`: `cards`, `receipt`, `amount`, `tender`, `receipt_total`, `paper`, `answer`,
    /// `reason`, `verdict` and others.
    #[schema(value_type = Object)]
    facts: Map<String, Value>,
}

/// What was about to be sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalSent)]
pub(crate) struct Sent {
    /// Which call.
    call: Call,
    /// For which card of the sale; null if for each of them, and of a redemption.
    card: Option<u16>,
    /// The body, with dots where a secret was.
    body: String,
}

words! {
    /// A call to a provider.
    enum Call as "JournalCall" {
        /// An order is created.
        Create = "create",
        /// An order is confirmed: the card gets its value.
        Confirm = "confirm",
        /// An order or a redemption is looked up.
        Lookup = "lookup",
        /// An order is invalidated.
        Invalidate = "invalidate",
        /// Value is taken from a voucher.
        Redeem = "redeem",
        /// What is on a voucher is read.
        Validate = "validate",
        /// Value is given back to a voucher.
        Reverse = "reverse",
    }

    /// How a call ended.
    enum Ended as "JournalOutcome" {
        /// It was done.
        Done = "done",
        /// The provider said no.
        Refused = "refused",
        /// The provider said "not now".
        Later = "later",
        /// Surely not sent.
        NotSent = "not_sent",
        /// Sent, and nobody knew what became of it.
        Unknown = "unknown",
    }
}

/// What a call ended with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalAnswer)]
pub(crate) struct Answered {
    /// Which call.
    call: Call,
    /// How it ended.
    outcome: Ended,
    /// Why the provider said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Said>,
    /// What went wrong: `connect`, `broken`, `silent`, `server_error`, `unreadable`, `odd_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'static str>,
    /// The HTTP status, of `server_error` and `odd_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The pause that the provider asked for, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    /// What the answer said, by names that belong to the call.
    #[schema(value_type = Object)]
    said: Map<String, Value>,
}

impl Answered {
    /// How a call ended, of an event that says so.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Sale(event) => of_sale(event).answered,
            Event::Redemption(RedemptionStep::Happened(event)) => of_redemption(event).answered,
            Event::Redemption(RedemptionStep::Opened(_)) | Event::Device(_) | Event::Day(_) => None,
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Told {
    by: Option<String>,
    sent: Vec<Sent>,
    answered: Option<Answered>,
    facts: Map<String, Value>,
}

impl HistoryEntry {
    fn of(step: &Step) -> Self {
        let Told { by, sent, answered, facts } = match &step.event {
            Event::Sale(event) => of_sale(event),
            Event::Redemption(RedemptionStep::Opened(opening)) => of_opening(opening),
            Event::Redemption(RedemptionStep::Happened(event)) => of_redemption(event),
            Event::Device(_) | Event::Day(_) => Told::default(),
        };
        let head = &step.head;
        Self {
            seq: head.seq.number(),
            at: instant(head.at),
            what: head.kind.clone(),
            card: head.card.map(CardNo::number),
            state: head.state.clone(),
            by,
            sent,
            answered,
            facts,
        }
    }
}

fn facts(value: Value) -> Map<String, Value> {
    if let Value::Object(facts) = value { facts } else { Map::new() }
}

fn name(by: Option<&PersonName>) -> Option<String> {
    by.map(ToString::to_string)
}

fn of_sale(event: &SaleEvent) -> Told {
    match event {
        SaleEvent::Opened(opening) => opened(opening),
        SaleEvent::Paid { payment, confirm_request } => Told {
            sent: vec![Sent { call: Call::Confirm, card: None, body: confirm_request.clone() }],
            facts: paid(payment),
            ..Told::default()
        },
        SaleEvent::Cancelled { by } => Told { by: name(by.as_ref()), ..Told::default() },
        SaleEvent::Resumed => Told::default(),
        SaleEvent::Card(_, event) => of_card(event),
    }
}

fn opened(opening: &Opening) -> Told {
    let cards = opening.cards.iter().zip(1_u16..);
    let sent = cards.clone().map(|(facts, card)| {
        let code = facts.code_tail.as_deref().map_or_else(|| DOTS.to_owned(), dotted);
        Sent { call: Call::Create, card: Some(card), body: facts.create_request.replace(CODE_MARK, &code) }
    });
    let listed = cards.map(|(facts, card)| {
        json!({
            "card": card,
            "order": facts.id.to_string(),
            "product": facts.product.as_str(),
            "product_name": facts.product_name,
            "kind": CardKind::from(facts.kind),
            "face_value": Money(facts.face_value),
            "code": facts.code_tail.as_deref().map(dotted),
        })
    });
    Told {
        by: name(opening.cashier.as_ref()),
        facts: facts(json!({
            "receipt": opening.receipt.as_str(),
            "provider": opening.provider,
            "store": opening.store.as_str(),
            "terminal": opening.terminal.as_str(),
            "cards": listed.collect::<Vec<_>>(),
        })),
        sent: sent.collect(),
        answered: None,
    }
}

fn paid(payment: &Payment) -> Map<String, Value> {
    let tender = match payment.tender {
        Tender::Cash { given, change } => {
            json!({"kind": "cash", "given": Money(given), "change": Money(change)})
        }
        Tender::Card => json!({"kind": "card"}),
        Tender::Mixed { card, given, change } => {
            json!({"kind": "mixed", "card": Money(card), "given": Money(given), "change": Money(change)})
        }
    };
    facts(json!({
        "amount": Money(payment.amount),
        "tender": tender,
        "receipt_total": Money(payment.receipt_total),
    }))
}

fn of_card(event: &OrderEvent) -> Told {
    let ended = |answered| Told { answered: Some(answered), ..Told::default() };
    match event {
        OrderEvent::CreateEnded(outcome) => {
            ended(answered(Call::Create, outcome, |Created { order }| json!({"provider_id": order.as_str()})))
        }
        OrderEvent::ConfirmEnded(outcome) => ended(answered(Call::Confirm, outcome, seen)),
        OrderEvent::LookupEnded(outcome) => ended(answered(Call::Lookup, outcome, seen)),
        OrderEvent::UndoEnded(outcome) => ended(answered(Call::Invalidate, outcome, undone)),
        OrderEvent::Paid { confirm_request } => Told {
            sent: vec![Sent { call: Call::Confirm, card: None, body: confirm_request.clone() }],
            ..Told::default()
        },
        OrderEvent::PrintEnded(end) => {
            Told { facts: facts(json!({"paper": PaperEnd::from(*end)})), ..Told::default() }
        }
        OrderEvent::Answered { answer, by } => Told {
            by: name(by.as_ref()),
            facts: facts(json!({"answer": Answer::from(*answer)})),
            ..Told::default()
        },
        OrderEvent::CopyAsked { by } => Told { by: name(Some(by)), ..Told::default() },
        OrderEvent::Settled { by, reason } => {
            Told { by: name(Some(by)), facts: facts(json!({"reason": reason})), ..Told::default() }
        }
        OrderEvent::Cancelled | OrderEvent::PrinterReady | OrderEvent::TimeUp | OrderEvent::Resumed => {
            Told::default()
        }
    }
}

fn of_opening(opening: &redemption::Opening) -> Told {
    let body = opening.request.replace(opening.voucher.as_str(), DOTS);
    Told {
        by: name(opening.cashier.as_ref()),
        sent: vec![Sent { call: Call::Redeem, card: None, body }],
        facts: facts(json!({
            "basket": opening.basket.as_str(),
            "provider": opening.provider,
            "store": opening.store.as_str(),
            "terminal": opening.terminal.as_str(),
            "code": opening.code_tail.masked(),
            "item": opening.item.as_ref().map(Words::as_str),
            "amount": Worth::from(opening.amount),
            "before": balance(&opening.before),
        })),
        answered: None,
    }
}

fn of_redemption(event: &RedemptionEvent) -> Told {
    let ended = |answered| Told { answered: Some(answered), ..Told::default() };
    match event {
        RedemptionEvent::RedeemEnded(outcome) => ended(answered(Call::Redeem, outcome, redeemed)),
        RedemptionEvent::LookupEnded(outcome) => ended(answered(Call::Lookup, outcome, |seen| match seen {
            RedemptionSeen::Done(answer) => redeemed(answer),
            RedemptionSeen::Nothing => json!({"stage": "nothing"}),
            RedemptionSeen::InProgress => json!({"stage": "in_progress"}),
        })),
        RedemptionEvent::ReadEnded { outcome, scanned } => Told {
            facts: facts(json!({"scanned": scanned})),
            ..ended(answered(Call::Validate, outcome, read))
        },
        RedemptionEvent::ReverseEnded(outcome) => ended(answered(Call::Reverse, outcome, reversed)),
        RedemptionEvent::Completed { by } | RedemptionEvent::TakenBack { by } => {
            Told { by: name(by.as_ref()), ..Told::default() }
        }
        RedemptionEvent::Answered { answer, by } => Told {
            by: name(by.as_ref()),
            facts: facts(json!({"answer": RedemptionAnswer::from(*answer)})),
            ..Told::default()
        },
        RedemptionEvent::Settled { by, reason, verdict } => Told {
            by: name(Some(by)),
            facts: facts(json!({"reason": reason, "verdict": Verdict::from(*verdict)})),
            ..Told::default()
        },
        RedemptionEvent::CodeLost
        | RedemptionEvent::VoucherMoved
        | RedemptionEvent::AskedAgain
        | RedemptionEvent::Offered
        | RedemptionEvent::TimeUp
        | RedemptionEvent::Resumed => Told::default(),
    }
}

fn answered<T>(call: Call, outcome: &Outcome<T>, done: impl FnOnce(&T) -> Value) -> Answered {
    let ended = |outcome| Answered {
        call,
        outcome,
        refusal: None,
        trouble: None,
        status: None,
        retry_after_s: None,
        said: Map::new(),
    };
    match outcome {
        Outcome::Done(answer) => Answered { said: facts(done(answer)), ..ended(Ended::Done) },
        Outcome::Refused(why) => Answered { refusal: Some(why.into()), ..ended(Ended::Refused) },
        Outcome::Later { retry_after } => {
            Answered { retry_after_s: retry_after.map(|pause| pause.as_secs()), ..ended(Ended::Later) }
        }
        Outcome::NotSent(trouble) => troubled(*trouble, ended(Ended::NotSent)),
        Outcome::Unknown(trouble) => troubled(*trouble, ended(Ended::Unknown)),
    }
}

fn troubled(trouble: Trouble, answered: Answered) -> Answered {
    let (word, status) = match trouble {
        Trouble::Connect => ("connect", None),
        Trouble::Broken => ("broken", None),
        Trouble::Silent => ("silent", None),
        Trouble::ServerError(status) => ("server_error", Some(status)),
        Trouble::Unreadable => ("unreadable", None),
        Trouble::OddStatus(status) => ("odd_status", Some(status)),
    };
    Answered { trouble: Some(word), status, ..answered }
}

fn seen(seen: &OrderSeen) -> Value {
    let stage = match seen.stage {
        OrderStage::Open => "open",
        OrderStage::InProgress => "in_progress",
        OrderStage::Done => "done",
        OrderStage::Failed => "failed",
        OrderStage::Reversed => "reversed",
        OrderStage::Unrecognised => "unrecognised",
    };
    json!({"stage": stage, "lines": seen.lines.as_ref().map(tilld_domain::outcome::ReceiptLines::count)})
}

fn undone(answer: &UndoAnswer) -> Value {
    let word = match answer {
        UndoAnswer::Invalidated => "invalidated",
        UndoAnswer::AlreadyInvalidated => "already_invalidated",
        UndoAnswer::OrderFailed => "order_failed",
        UndoAnswer::StillProcessing => "still_processing",
        UndoAnswer::NotFound => "not_found",
        UndoAnswer::AlreadyRedeemed => "already_redeemed",
        UndoAnswer::WindowOver => "window_over",
        UndoAnswer::NotSupported => "not_supported",
        UndoAnswer::Refused(why) => return json!({"undo": "refused", "refusal": Said::from(why)}),
    };
    json!({"undo": word})
}

fn redeemed(answer: &Redeemed) -> Value {
    json!({
        "provider_id": answer.redemption.as_ref().map(ProviderRedemptionId::as_str),
        "granted": answer.granted.map(Worth::from),
        "remaining": balance(&answer.remaining),
    })
}

/// What the answer names the voucher is left out.
fn read(seen: &VoucherSeen) -> Value {
    json!({
        "redeemable": seen.redeemable,
        "eligible": seen.eligible.map(Worth::from),
        "left": seen.left.map(Worth::from),
    })
}

fn reversed(answer: &ReverseAnswer) -> Value {
    let word = match answer {
        ReverseAnswer::Reversed => "reversed",
        ReverseAnswer::AlreadyReversed => "already_reversed",
        ReverseAnswer::StillProcessing => "still_processing",
        ReverseAnswer::NotFound => "not_found",
        ReverseAnswer::Refused(why) => return json!({"reverse": "refused", "refusal": Said::from(why)}),
    };
    json!({"reverse": word})
}

fn balance(balance: &Balance) -> Value {
    json!({"left": balance.left.map(Worth::from), "eligible": balance.eligible.map(Worth::from)})
}
