//! The form of what happens to a redemption.
//!
//! What nobody is shown stands in it all the same: the provider's name for a voucher and the request, which names it too.
//! They are needed to find out what became of a redeem, and with the shop's key they spend a voucher (fact sheet
//! gift-local 7c). [`shown`] leaves them out.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use tilld_domain::ids::{
    BasketId, Country, Locale, PersonName, ProviderKey, RedemptionId, StoreId, TerminalId, VoucherId,
};
use tilld_domain::outcome::Outcome;
use tilld_domain::pauses::UndoTimes;
use tilld_domain::redemption::{Answer, Opening, RedemptionEvent, Rules, Verdict};
use tilld_domain::voucher::{
    Balance, CodeTail, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherCode,
    VoucherKind, VoucherSeen, Words, Worth,
};

use super::outcome::outcome_of;
use super::text::{maybe, opaque, plain};
use super::undo::{self, UndoTimesForm};
use super::voucher::{
    BalanceForm, RedeemedForm, RedemptionSeenForm, ReverseAnswerForm, VoucherKindForm, VoucherSeenForm,
    code_tail, maybe_words, worth,
};
use crate::entry::RedemptionStep;

/// The fields that nobody is shown.
const NOT_SHOWN: [&str; 2] = ["voucher", "request"];

#[derive(Serialize, Deserialize)]
#[serde(remote = "RedemptionStep", rename_all = "snake_case")]
pub(super) enum RedemptionStepForm {
    Opened(#[serde(with = "opening")] Box<Opening>),
    Happened(#[serde(with = "RedemptionEventForm")] RedemptionEvent),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RedemptionEvent", rename_all = "snake_case", deny_unknown_fields)]
enum RedemptionEventForm {
    RedeemEnded(#[serde(with = "redeemed")] Outcome<Redeemed>),
    LookupEnded(#[serde(with = "looked_up")] Outcome<RedemptionSeen>),
    ReadEnded {
        #[serde(with = "read")]
        outcome: Outcome<VoucherSeen>,
        scanned: bool,
    },
    CodeLost,
    VoucherMoved,
    AskedAgain,
    Offered,
    Completed {
        #[serde(with = "maybe")]
        by: Option<PersonName>,
    },
    TakenBack {
        #[serde(with = "maybe")]
        by: Option<PersonName>,
    },
    ReverseEnded(#[serde(with = "reversed")] Outcome<ReverseAnswer>),
    TimeUp,
    Resumed,
    Answered {
        #[serde(with = "AnswerForm")]
        answer: Answer,
        #[serde(with = "maybe")]
        by: Option<PersonName>,
    },
    Settled {
        #[serde(with = "plain")]
        by: PersonName,
        reason: String,
        #[serde(with = "VerdictForm")]
        verdict: Verdict,
    },
}

outcome_of!(redeemed, Redeemed, "RedeemedForm");
outcome_of!(looked_up, RedemptionSeen, "RedemptionSeenForm");
outcome_of!(read, VoucherSeen, "VoucherSeenForm");
outcome_of!(reversed, ReverseAnswer, "ReverseAnswerForm");

mod opening {
    use super::{Deserializer, Opening, OpeningForm, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Opening, out: S) -> Result<S::Ok, S::Error> {
        OpeningForm::serialize(value, out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<Opening>, D::Error> {
        OpeningForm::deserialize(from).map(Box::new)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Opening", deny_unknown_fields)]
struct OpeningForm {
    #[serde(with = "plain")]
    redemption: RedemptionId,
    #[serde(with = "plain")]
    basket: BasketId,
    provider: String,
    #[serde(with = "plain")]
    store: StoreId,
    #[serde(with = "plain")]
    terminal: TerminalId,
    #[serde(with = "plain")]
    country: Country,
    #[serde(with = "maybe")]
    cashier: Option<PersonName>,
    #[serde(with = "plain")]
    locale: Locale,
    #[serde(with = "RulesForm")]
    rules: Rules,
    #[serde(with = "opaque")]
    voucher: VoucherId,
    #[serde(with = "VoucherKindForm")]
    kind: VoucherKind,
    #[serde(with = "maybe_words")]
    item: Option<Words>,
    /// Sealed, never public.
    #[serde(skip)]
    code: Option<VoucherCode>,
    #[serde(with = "code_tail")]
    code_tail: CodeTail,
    #[serde(with = "worth")]
    amount: Worth,
    #[serde(with = "BalanceForm")]
    before: Balance,
    #[serde(with = "plain")]
    key: ProviderKey,
    request: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Rules", deny_unknown_fields)]
struct RulesForm {
    #[serde(with = "OffersForm")]
    offers: Offers,
    ask: Duration,
    ask_processing: Duration,
    resume: Duration,
    settle: Duration,
    compare: Duration,
    accept: Duration,
    complete: Duration,
    quiet: Duration,
    #[serde(default = "undo::unwritten", skip_serializing_if = "undo::is_unwritten", with = "UndoTimesForm")]
    undo: UndoTimes,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Offers", deny_unknown_fields)]
struct OffersForm {
    #[serde(with = "RecourseForm")]
    recourse: Recourse,
    #[serde(with = "ReversalForm")]
    reversal: Reversal,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Recourse", rename_all = "snake_case")]
enum RecourseForm {
    Repeatable,
    Findable,
    Comparable,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reversal", rename_all = "snake_case")]
enum ReversalForm {
    Repeatable,
    Once,
    NotConfirmed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Answer", rename_all = "snake_case")]
enum AnswerForm {
    Accept,
    TakeBack,
    Used,
    NotUsed,
    TryAgain,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Verdict", rename_all = "snake_case")]
enum VerdictForm {
    Used,
    NotUsed,
}

/// The word for a step. None of them is a word for what happens to a sale.
pub(super) fn kind(step: &RedemptionStep) -> &'static str {
    match step {
        RedemptionStep::Opened(_) => "redemption_opened",
        RedemptionStep::Happened(event) => match event {
            RedemptionEvent::RedeemEnded(_) => "redeem_ended",
            RedemptionEvent::LookupEnded(_) => "redemption_lookup_ended",
            RedemptionEvent::ReadEnded { .. } => "read_ended",
            RedemptionEvent::CodeLost => "code_lost",
            RedemptionEvent::VoucherMoved => "voucher_moved",
            RedemptionEvent::AskedAgain => "asked_again",
            RedemptionEvent::Offered => "offered",
            RedemptionEvent::Completed { .. } => "completed",
            RedemptionEvent::TakenBack { .. } => "taken_back",
            RedemptionEvent::ReverseEnded(_) => "reverse_ended",
            RedemptionEvent::TimeUp => "redemption_time_up",
            RedemptionEvent::Resumed => "redemption_resumed",
            RedemptionEvent::Answered { .. } => "redemption_answered",
            RedemptionEvent::Settled { .. } => "redemption_settled",
        },
    }
}

/// All of these words.
pub(super) const KINDS: [&str; 15] = [
    "redemption_opened",
    "redeem_ended",
    "redemption_lookup_ended",
    "read_ended",
    "code_lost",
    "voucher_moved",
    "asked_again",
    "offered",
    "completed",
    "taken_back",
    "reverse_ended",
    "redemption_time_up",
    "redemption_resumed",
    "redemption_answered",
    "redemption_settled",
];

/// A public part without what nobody is shown; nothing of it if it is not JSON.
pub(super) fn shown(body: &str) -> String {
    fn leave_out(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !NOT_SHOWN.contains(&name.as_str()));
                fields.values_mut().for_each(leave_out);
            }
            Value::Array(values) => values.iter_mut().for_each(leave_out),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut body = serde_json::from_str(body).unwrap_or(Value::Null);
    leave_out(&mut body);
    body.to_string()
}
