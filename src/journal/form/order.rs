//! The form of what happens to one card: how calls to a provider end, how printing ends, what people answer.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tilld_domain::ids::{PersonName, ProviderOrderId};
use tilld_domain::order::{Answer, OrderEvent};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, UndoAnswer};
use tilld_domain::printing::{Fault, PrintEnd, Proof};
use tilld_domain::refusal::Refusal;

use super::outcome::outcome_of;
use super::text::{maybe, plain, refusal};

#[derive(Serialize, Deserialize)]
#[serde(remote = "OrderEvent", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OrderEventForm {
    CreateEnded(#[serde(with = "created")] Outcome<Created>),
    Paid {
        confirm_request: String,
    },
    Cancelled,
    ConfirmEnded(#[serde(with = "seen")] Outcome<OrderSeen>),
    LookupEnded(#[serde(with = "seen")] Outcome<OrderSeen>),
    UndoEnded(#[serde(with = "undone")] Outcome<UndoAnswer>),
    PrintEnded(#[serde(with = "PrintEndForm")] PrintEnd),
    PrinterReady,
    TimeUp,
    Resumed,
    Answered {
        #[serde(with = "AnswerForm")]
        answer: Answer,
        #[serde(with = "maybe")]
        by: Option<PersonName>,
    },
    CopyAsked {
        #[serde(with = "plain")]
        by: PersonName,
    },
    Settled {
        #[serde(with = "plain")]
        by: PersonName,
        reason: String,
    },
}

outcome_of!(created, Created, "CreatedForm");
outcome_of!(seen, OrderSeen, "OrderSeenForm");
outcome_of!(undone, UndoAnswer, "UndoAnswerForm");

#[derive(Serialize, Deserialize)]
#[serde(remote = "Created", deny_unknown_fields)]
struct CreatedForm {
    #[serde(with = "plain")]
    order: ProviderOrderId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OrderSeen", deny_unknown_fields)]
struct OrderSeenForm {
    #[serde(with = "OrderStageForm")]
    stage: OrderStage,
    #[serde(with = "lines")]
    lines: Option<ReceiptLines>,
}

/// What is public about lines: how many there are. Their text is sealed.
mod lines {
    use super::{Deserialize, Deserializer, ReceiptLines, Serialize, Serializer};
    use serde::de::Error as _;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct LinesForm {
        count: usize,
        odd_elements: u16,
        /// They had been forgotten when the entry was written.
        gone: bool,
    }

    pub(super) fn serialize<S: Serializer>(value: &Option<ReceiptLines>, out: S) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .map(|lines| LinesForm {
                count: lines.count(),
                odd_elements: lines.odd_elements(),
                gone: lines.is_gone(),
            })
            .serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ReceiptLines>, D::Error> {
        let Some(form) = Option::<LinesForm>::deserialize(from)? else { return Ok(None) };
        if form.count > ReceiptLines::MOST {
            return Err(D::Error::custom("more lines than any slip has"));
        }
        Ok(match (form.count, form.gone) {
            // Nothing was sealed, because nothing was there.
            (0, false) => ReceiptLines::new(Vec::new(), form.odd_elements),
            (count, _) => Some(ReceiptLines::gone(count, form.odd_elements)),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OrderStage", rename_all = "snake_case")]
enum OrderStageForm {
    Open,
    InProgress,
    Done,
    Failed,
    Reversed,
    Unrecognised,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "UndoAnswer", rename_all = "snake_case")]
enum UndoAnswerForm {
    Invalidated,
    AlreadyInvalidated,
    OrderFailed,
    StillProcessing,
    NotFound,
    AlreadyRedeemed,
    WindowOver,
    NotSupported,
    Refused(#[serde(with = "refusal")] Refusal),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PrintEnd", rename_all = "snake_case")]
enum PrintEndForm {
    OnPaper(#[serde(with = "ProofForm")] Proof),
    Nothing(#[serde(with = "FaultForm")] Fault),
    Unclear(#[serde(with = "FaultForm")] Fault),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Proof", rename_all = "snake_case")]
enum ProofForm {
    ProcessId,
    QueuedStatus,
    HealthyAfterwards,
    NotVerifiable,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fault", rename_all = "snake_case")]
pub(super) enum FaultForm {
    PaperOut,
    CoverOpen,
    Cutter,
    Offline,
    Error,
    Absent,
    Silent,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Answer", rename_all = "snake_case")]
enum AnswerForm {
    Finish,
    Print,
    PrintAgain,
    Complete,
    Unreadable,
    Nothing,
    Collected,
    MoneyBack,
}
