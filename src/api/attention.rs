//! Attention: what waits for a person, and closing what only a manager can close.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tilld_counter::{Counter, RedemptionNow, SaleNow, Sending, UndoNow, Whose};
use tilld_domain::attention::Case;
use tilld_domain::ids::{BasketId, PersonName, RedemptionId, SaleId};
use tilld_domain::redemption::attention::Case as RedemptionCase;
use utoipa::ToSchema;

use crate::ApiState;
use crate::asked::{Digest, Key};
use crate::body::Body;
use crate::guard::Caller;
use crate::openapi::{AttentionProblems, SendProblems, SendReversalProblems, SettleProblems};
use crate::problem::Problem;
use crate::redemptions::OfRedemption;
use crate::routes::{Routes, routes};
use crate::sales::{OfCard, OfSale, view};
use crate::wire::{
    Answer, Answered, Checked, Money, RedemptionAnswer, Sale, Verdict, Who, Worth, instant, words,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(settle))
        .routes(routes!(send))
        .routes(routes!(send_reversal))
}

/// What waits for a person, oldest sale or redemption first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attention {
    /// Every case. The list never empties itself by time.
    cases: Vec<Waiting>,
}

/// One thing that waits for a person: about a card of a sale, or about a redemption.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Case)]
pub(crate) enum Waiting {
    /// About a card.
    Card(Box<CardWaiting>),
    /// About a redemption.
    Redemption(Box<RedemptionWaiting>),
}

/// A redemption that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedemptionCase)]
pub(crate) struct RedemptionWaiting {
    /// Which redemption.
    #[schema(format = "uuid")]
    redemption: String,
    /// The till's own name of its basket.
    basket: String,
    /// The last four characters of the voucher's code behind dots.
    #[schema(example = "••••8901")]
    code: String,
    /// How much was asked for.
    amount: Worth,
    /// What it is, in one word: of a question, or `voucher_not_read`, `voucher_unclear`, `taken_and_not_told`, `not_applied`,
    /// `applied_without_id`, `reversal_late`, `reversal_refused`, `reversal_unanswered`, `reversal_not_set_up`,
    /// `reversal_without_id`.
    #[schema(example = "voucher_unclear")]
    case: &'static str,
    /// One sentence that says what to do.
    text: &'static str,
    /// Who may decide.
    who: Who,
    /// The answers that are taken, at `/v1/redemptions/{redemption}/answer`.
    choices: Vec<RedemptionAnswer>,
    /// What a manager may decide to close it, with a reason, at `/v1/redemptions/{redemption}/settle`.
    verdicts: Vec<Verdict>,
    /// What to send to the provider's people, where only they can mend it. It holds nothing that spends the voucher.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    /// Since when (RFC 3339, UTC); absent for a question of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Until when: when the counter decides by itself, if it ever does (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    until: Option<String>,
    /// Whether somebody must look now: a guest or a basket waits for it.
    urgent: bool,
    /// The reversal that is owed and goes on by itself; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<Undo>,
}

impl RedemptionWaiting {
    fn of(now: &RedemptionNow, case: &RedemptionCase, undo: Option<&UndoNow>) -> Self {
        let opening = &now.redemption.opening;
        Self {
            redemption: opening.redemption.to_string(),
            basket: opening.basket.to_string(),
            code: opening.code_tail.masked(),
            amount: opening.amount.into(),
            case: case.code(),
            text: case.sentence(),
            who: case.who().into(),
            choices: case.choices.iter().copied().map(RedemptionAnswer::from).collect(),
            verdicts: case.verdicts.iter().copied().map(Verdict::from).collect(),
            replacement: now.redemption.replacement_text(),
            since: case.since.map(instant),
            until: case.until.map(instant),
            urgent: case.urgent,
            undo: undo.map(Undo::from),
        }
    }
}

/// A card that waits for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CardCase)]
pub(crate) struct CardWaiting {
    /// The sale that it is in.
    #[schema(format = "uuid")]
    sale: String,
    /// The till's number of its receipt.
    receipt: String,
    /// Which card of it, from 1.
    #[schema(minimum = 1, maximum = 20)]
    card: u16,
    /// The product's name.
    product_name: String,
    /// The value of the card.
    face_value: Money,
    /// What it is, in one word: of a question, or `undo_late`, `spent`, `undo_window_over`, `undo_not_supported`, `undo_refused`.
    #[schema(example = "is_it_complete")]
    case: &'static str,
    /// One sentence that says what to do with card, paper and money.
    text: &'static str,
    /// Who may decide.
    who: Who,
    /// The answers that are taken, at `/v1/sales/{sale}/cards/{card}/answer`; none where only closing it is left.
    choices: Vec<Answer>,
    /// Whether a manager may close it with a reason, at `/v1/sales/{sale}/cards/{card}/settle`.
    may_be_settled: bool,
    /// What to send to the provider's people, where only they can take the card back. It holds nothing that spends the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    /// Since when (RFC 3339, UTC); absent for a question of the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Until when: when the counter decides a question by itself, or when the provider is expected to take the card back
    /// no longer (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    until: Option<String>,
    /// Whether somebody must look now: a customer waits, or half of the time has gone.
    urgent: bool,
    /// The undo that is owed and goes on by itself; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<Undo>,
}

impl CardWaiting {
    fn of(now: &SaleNow, case: &Case, undo: Option<&UndoNow>) -> Option<Self> {
        let order = now.sale.order(case.card)?;
        Some(Self {
            sale: now.sale.opening.sale.to_string(),
            receipt: now.sale.opening.receipt.to_string(),
            card: case.card.number(),
            product_name: order.facts.product_name.clone(),
            face_value: Money(order.facts.face_value),
            case: case.code(),
            text: case.sentence(),
            who: case.who().into(),
            choices: case.choices().iter().copied().map(Answer::from).collect(),
            may_be_settled: case.may_be_settled(),
            replacement: now.sale.replacement_text(case.card),
            since: case.since.map(instant),
            until: case.until.map(instant),
            urgent: case.urgent,
            undo: undo.map(Undo::from),
        })
    }
}

/// An undo that is owed, as it goes on now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UndoNow)]
pub(crate) struct Undo {
    /// How many attempts have failed; 7 stands for seven or more.
    failures: u32,
    /// When the last attempt ended (RFC 3339, UTC); null before the first that has ended since the daemon started.
    #[schema(format = "date-time")]
    tried_at: Option<String>,
    /// How it ended.
    last: Option<Answered>,
    /// Whether an attempt is on the wire.
    under_way: bool,
    /// When the next one is sent (RFC 3339, UTC); null while one is on the wire.
    #[schema(format = "date-time")]
    next_at: Option<String>,
    /// Until when the provider has asked not to be asked (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    not_before: Option<String>,
    /// Whether a manager may have it sent now, at `…/send`.
    may_be_sent: bool,
}

impl From<&UndoNow> for Undo {
    fn from(undo: &UndoNow) -> Self {
        Self {
            failures: undo.failures,
            tried_at: undo.last.as_ref().map(|tried| instant(tried.at)),
            last: undo.last.as_ref().and_then(|tried| Answered::of(&tried.event)),
            under_way: undo.is_under_way,
            next_at: undo.next.map(instant),
            not_before: undo.not_before.map(instant),
            may_be_sent: undo.may_be_sent(),
        }
    }
}

/// List what waits for a person
///
/// Every open question of a sale or a redemption, and every undo that does not get through, with what to do and who may decide.
#[utoipa::path(
    get,
    path = "/v1/attention",
    tag = "attention",
    operation_id = "list_attention",
    responses((status = 200, description = "Every case", body = Attention), AttentionProblems)
)]
async fn list(State(state): State<ApiState>) -> Result<Json<Attention>, Problem> {
    Ok(Json(Attention { cases: cases(&state.counter().attention().await?) }))
}

/// What a question may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// A card of this sale.
    Sale(SaleId),
    /// This redemption.
    Redemption(RedemptionId),
    /// A redemption of this basket.
    Basket(BasketId),
}

/// What somebody is asked about it now: for who is refused because of that (law L12). None if nobody can say.
pub(crate) async fn questions(counter: &Counter, of: &Of) -> Vec<Waiting> {
    let Ok(mut waiting) = counter.attention().await else { return Vec::new() };
    waiting.sales.retain(|(now, _)| *of == Of::Sale(now.sale.opening.sale));
    for (_, cases) in &mut waiting.sales {
        cases.retain(|case| !case.choices().is_empty());
    }
    waiting.redemptions.retain(|(now, case)| {
        let opening = &now.redemption.opening;
        let is_meant = match of {
            Of::Sale(_) => false,
            Of::Redemption(id) => *id == opening.redemption,
            Of::Basket(basket) => *basket == opening.basket,
        };
        is_meant && !case.choices.is_empty()
    });
    cases(&waiting)
}

/// Cases, oldest sale or redemption first.
fn cases(waiting: &tilld_counter::Attention) -> Vec<Waiting> {
    let cards = waiting.sales.iter().flat_map(|(now, cases)| {
        let undo = |case: &Case| waiting.undos.get(&Whose::Card(now.sale.opening.sale, case.card));
        let of_sale = cases
            .iter()
            .filter_map(move |case| CardWaiting::of(now, case, undo(case)))
            .map(|case| Waiting::Card(Box::new(case)));
        of_sale.map(|case| ((now.sale.opened, now.seq), case))
    });
    let redemptions = waiting.redemptions.iter().map(|(now, case)| {
        let undo = waiting.undos.get(&Whose::Redemption(now.redemption.id()));
        let case = Waiting::Redemption(Box::new(RedemptionWaiting::of(now, case, undo)));
        ((now.redemption.opened, now.seq), case)
    });
    let mut cases: Vec<_> = cards.chain(redemptions).collect();
    // A stable order: the cards of a sale stay as they are.
    cases.sort_by_key(|(age, _)| *age);
    cases.into_iter().map(|(_, case)| case).collect()
}

words! {
    /// What becomes of the wish that an undo be sent now.
    enum SendingWord as "Sending" {
        /// It is sent.
        Now = "now",
        /// It was on the wire already: wait for its answer.
        UnderWay = "under_way",
        /// The provider has asked for a pause; it is sent then by itself.
        NotBefore = "not_before",
    }
}

/// What becomes of the wish that an undo be sent now. The answer to the undo itself is seen in the sale or the redemption.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    /// What becomes of it.
    sending: SendingWord,
    /// When it is sent by itself, behind the pause that the provider has asked for (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    not_before: Option<String>,
}

impl From<Sending> for Sent {
    fn from(sending: Sending) -> Self {
        match sending {
            Sending::Now => Self { sending: SendingWord::Now, not_before: None },
            Sending::UnderWay => Self { sending: SendingWord::UnderWay, not_before: None },
            Sending::NotBefore(until) => {
                Self { sending: SendingWord::NotBefore, not_before: Some(instant(until)) }
            }
        }
    }
}

/// Send the undo of a card now
///
/// An undo that is owed waits longer after each failure. A manager who has mended the line has it sent at once. It is never sent twice
/// at a time, and a pause that the provider has asked for is not cut short. Nothing is written of the wish itself; it is safe to repeat
/// and wants no key.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cards/{card}/send",
    tag = "attention",
    operation_id = "send_undo",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1")
    ),
    responses((status = 200, description = "What becomes of it", body = Sent), SendProblems)
)]
async fn send(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
) -> Result<Json<Sent>, Problem> {
    Ok(Json(state.counter().send_undo(Whose::Card(sale, card)).await?.into()))
}

/// Send the reversal of a redemption now
///
/// As for a card.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{redemption}/send",
    tag = "attention",
    operation_id = "send_reversal",
    params(("redemption" = String, Path, format = "uuid", description = "The redemption's id")),
    responses((status = 200, description = "What becomes of it", body = Sent), SendReversalProblems)
)]
async fn send_reversal(
    State(state): State<ApiState>,
    OfRedemption(id): OfRedemption,
) -> Result<Json<Sent>, Problem> {
    Ok(Json(state.counter().send_undo(Whose::Redemption(id)).await?.into()))
}

/// A manager's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleRequest {
    /// Who decides; it stays in the journal.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "Ada Berg")]
    by: Checked<PersonName>,
    /// Why; it stays in the journal. No control characters, no payment card number.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "The provider credits it with the settlement of November."
    )]
    reason: String,
}

/// Close a manager's case
///
/// Ends an undo that does not get through, or that the provider will not do. Nothing is sent for the card any more.
#[utoipa::path(
    post,
    path = "/v1/sales/{sale}/cards/{card}/settle",
    tag = "attention",
    operation_id = "settle_card",
    params(
        ("sale" = String, Path, format = "uuid", description = "The sale's id"),
        ("card" = u16, Path, minimum = 1, maximum = 20, description = "Which card of the sale, from 1"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 128, example = "bf4d8052-9e42-4e97-9e7d-9d4dd150ce55",
            description = "The till's own key of this request: printable ASCII.")
    ),
    request_body(content = SettleRequest, description = "Who decides, and why"),
    responses((status = 200, description = "The sale, the case closed", body = Sale), SettleProblems)
)]
async fn settle(
    State(state): State<ApiState>,
    OfSale(sale): OfSale,
    OfCard(card): OfCard,
    key: Key,
    caller: Caller,
    Body(request): Body<SettleRequest>,
) -> Result<Response, Problem> {
    let by = caller.deciding(request.by.0);
    let digest = Digest::of("settle_card").text(&sale.to_string()).count(usize::from(card.number()));
    let asked = key.with(digest.text(by.as_str()).text(&request.reason));
    let now = state.counter().settle(asked, sale, card, by, request.reason).await?;
    Ok(view(StatusCode::OK, &now))
}

#[cfg(test)]
mod tests {
    use tilld_domain::{order, redemption};

    use super::*;

    #[test]
    fn a_choice_has_one_name_at_this_door_and_in_the_domain() {
        use order::Answer as OfCard;
        use redemption::Answer as OfRedemption;
        let word = |value: serde_json::Result<serde_json::Value>| value.unwrap().as_str().unwrap().to_owned();
        for answer in [
            OfCard::Finish,
            OfCard::Print,
            OfCard::PrintAgain,
            OfCard::Complete,
            OfCard::Unreadable,
            OfCard::Nothing,
            OfCard::Collected,
            OfCard::MoneyBack,
        ] {
            assert_eq!(word(serde_json::to_value(Answer::from(answer))), answer.code());
        }
        for answer in [
            OfRedemption::Accept,
            OfRedemption::TakeBack,
            OfRedemption::Used,
            OfRedemption::NotUsed,
            OfRedemption::TryAgain,
        ] {
            assert_eq!(word(serde_json::to_value(RedemptionAnswer::from(answer))), answer.code());
        }
        for verdict in [redemption::Verdict::Used, redemption::Verdict::NotUsed] {
            assert_eq!(word(serde_json::to_value(Verdict::from(verdict))), verdict.code());
        }
    }
}
