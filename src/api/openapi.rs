//! The description of the door: OpenAPI 3.1, generated from the routes and the types of the wire, checked in beside them.
//!
//! The problems of a route are listed from the tables that also answer ([`Objection::row`], [`crate::refusals::row`]), so a
//! status cannot change in one place alone. `openapi.json` is what is served and what a release ships; a test fails when the
//! code says something else, and writes it anew when it runs with `UPDATE_OPENAPI=1`.

#[cfg(test)]
pub(crate) mod whole;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use tilld_domain::refusal::Refusal;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::problem::{Objection, PROBLEM_JSON};
use crate::refusals;

/// The document as it is checked in.
const CHECKED_IN: &str = include_str!("openapi.json");

/// The OpenAPI 3.1 document of the door, as JSON text.
pub fn openapi_json() -> &'static str {
    CHECKED_IN
}

/// What any route may answer: the guard's, and a fault of the program.
const ANY: &[Objection] = &[
    Objection::Unauthorised,
    Objection::PairingEnded,
    Objection::HostMissing,
    Objection::HostWrong,
    Objection::OriginForeign,
    Objection::OriginMissing,
    Objection::TooManyConnections,
    Objection::AnswerLate,
    Objection::Internal,
];
/// What every acting route may answer besides, and what goes with [`BODY`].
const KEY: &[Objection] = &[Objection::KeyMissing, Objection::KeyWrong];
/// What every route with a body may answer.
const BODY: &[Objection] = &[
    Objection::BodyNotJson,
    Objection::BodyIncomplete,
    Objection::BodyTooLarge,
    Objection::NotJsonType,
    Objection::FieldUnknown,
    Objection::FieldMissing,
    Objection::FieldTwice,
    Objection::FieldWrong,
];
/// What the counter may refuse of every acting request.
const ACTING_REFUSALS: &[Refusal] = &[
    Refusal::RequestKeyReused,
    Refusal::StillWorking,
    Refusal::JournalDown,
    Refusal::Busy,
    Refusal::Stopping,
];

/// What a scan may be refused for, before anybody is asked about it.
const SCAN_REFUSALS: &[Refusal] = &[
    Refusal::ScanEmpty,
    Refusal::ScanTooShort,
    Refusal::ScanTooLong,
    Refusal::ScanProductCode,
    Refusal::ScanPaymentCard,
    Refusal::ScanReceipt,
    Refusal::ScanForeignLink,
    Refusal::ScanUnreadable,
];
/// What a look at a voucher may be refused for: by the counter, or by the provider that it asks.
const LOOK_REFUSALS: &[Refusal] = &[
    Refusal::VouchersNotSetUp,
    Refusal::TooManyTries,
    Refusal::VoucherNotChecked,
    Refusal::VoucherNotFound,
    Refusal::VoucherNotHere,
    Refusal::VoucherNotRedeemable,
    Refusal::NotAuthenticated,
    Refusal::ScopeMissing,
    Refusal::RequestNotUnderstood,
];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $objections:expr, $refusals:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    problems($objections, $refusals)
                }
            }
        )*
    };
}

problems! {
    /// Of the one route that wants no token.
    DescriptionProblems: &[&[
        Objection::HostMissing, Objection::HostWrong, Objection::OriginForeign, Objection::TooManyConnections,
        Objection::AnswerLate, Objection::Internal,
    ]], &[];
    /// Of a route that cannot be refused by the counter.
    AnyProblems: &[ANY], &[];
    /// Of asking for a pairing code.
    PairingProblems: &[ANY], &[&[Refusal::ManagerNeeded]];
    /// Of signing a manager in.
    SignInProblems: &[ANY, BODY, &[
        Objection::NoScreen, Objection::NoManagers, Objection::PinWrong, Objection::PinPaused,
    ]], &[];
    /// Of signing a manager out.
    SignOutProblems: &[ANY, &[Objection::NoScreen]], &[];
    /// Of pairing a screen, which wants no token.
    PairProblems: &[&[
        Objection::HostMissing, Objection::HostWrong, Objection::OriginForeign, Objection::TooManyConnections,
        Objection::AnswerLate, Objection::Internal, Objection::PairingWrong, Objection::PairingOver, Objection::PairingSpoiled,
    ], BODY], &[];
    /// Of reading a sale.
    ReadProblems: &[ANY], &[&[Refusal::SaleUnknown, Refusal::JournalDown, Refusal::Busy, Refusal::Stopping]];
    /// Of listing the open sales.
    OpenSalesProblems: &[ANY, &[Objection::QueryWrong]], &[&[Refusal::Busy, Refusal::Stopping]];
    /// Of searching the journal.
    JournalProblems: &[ANY, &[Objection::QueryWrong]], &[&[Refusal::ManagerNeeded, Refusal::JournalDown, Refusal::Stopping]];
    /// Of reading a sale entry by entry.
    SaleHistoryProblems: &[ANY], &[&[
        Refusal::ManagerNeeded, Refusal::SaleUnknown, Refusal::JournalDown, Refusal::Stopping,
    ]];
    /// The same of a redemption.
    RedemptionHistoryProblems: &[ANY], &[&[
        Refusal::ManagerNeeded, Refusal::RedemptionUnknown, Refusal::JournalDown, Refusal::Stopping,
    ]];
    /// Of verifying the journal.
    VerificationProblems: &[ANY], &[&[Refusal::ManagerNeeded]];
    /// Of reading a day.
    DayProblems: &[ANY, &[Objection::RouteUnknown]], &[&[Refusal::ManagerNeeded, Refusal::JournalDown, Refusal::Stopping]];
    /// Of a product's picture.
    PictureProblems: &[ANY, &[Objection::RouteUnknown]], &[];
    /// Of reporting a day.
    ReportProblems: &[ANY, BODY, &[Objection::RouteUnknown]], &[&[
        Refusal::ManagerNeeded, Refusal::DayNotClosable, Refusal::JournalDown, Refusal::Busy, Refusal::Stopping,
    ]];
    /// Of asking for the balances: whatever the provider may say to it.
    BalanceProblems: &[ANY], &[&[
        Refusal::Stopping, Refusal::NoConnection, Refusal::NotAuthenticated, Refusal::LiveModeDisabled, Refusal::ScopeMissing,
        Refusal::Blocked, Refusal::ClockRefused, Refusal::RequestNotUnderstood,
    ]];
    /// Of the event stream.
    EventProblems: &[ANY, &[Objection::TooManyListeners, Objection::LastEventIdWrong]], &[&[Refusal::JournalDown, Refusal::Stopping]];
    /// Of beginning a sale.
    OpenProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::ProductUnknown, Refusal::ProductNotAvailable, Refusal::WrongCountry, Refusal::WrongCardKind, Refusal::WrongCurrency,
        Refusal::FaceValueNotOffered, Refusal::MixedCurrencies, Refusal::NoCards, Refusal::TooManyCards,
        Refusal::AmountTooLarge, Refusal::CardCodeMissing, Refusal::CardCodeNotWanted, Refusal::CardCodeTwice,
        Refusal::PosaNotSetUp, Refusal::ReceiptUsed, Refusal::NoCatalogue,
    ]];
    /// Of reporting a payment.
    PayProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::SaleUnknown, Refusal::AlreadyPaid, Refusal::PaidTooLate, Refusal::AmountNotDue,
        Refusal::TenderDoesNotAddUp, Refusal::WrongCurrency, Refusal::SaleClosed, Refusal::OpenQuestion,
    ]];
    /// Of cancelling.
    CancelProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::SaleUnknown, Refusal::AlreadyPaid, Refusal::SaleClosed, Refusal::OpenQuestion,
    ]];
    /// Of an answer.
    AnswerProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::SaleUnknown, Refusal::CardUnknown, Refusal::NotAsked, Refusal::SaleClosed,
    ]];
    /// Of sending an undo now.
    SendProblems: &[ANY], &[&[
        Refusal::SaleUnknown, Refusal::CardUnknown, Refusal::NothingToSend, Refusal::ManagerNeeded, Refusal::JournalDown,
        Refusal::Busy, Refusal::Stopping,
    ]];
    /// The same of a reversal.
    SendReversalProblems: &[ANY], &[&[
        Refusal::RedemptionUnknown, Refusal::NothingToSend, Refusal::ManagerNeeded, Refusal::JournalDown, Refusal::Busy,
        Refusal::Stopping,
    ]];
    /// Of seeing a slip.
    SlipProblems: &[ANY], &[&[
        Refusal::SaleUnknown, Refusal::CardUnknown, Refusal::NoSlip, Refusal::SlipForgotten, Refusal::StillWorking,
        Refusal::JournalDown, Refusal::Busy, Refusal::Stopping,
    ]];
    /// Of seeing the paper of a redemption.
    RedemptionSlipProblems: &[ANY], &[&[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::StillWorking, Refusal::JournalDown, Refusal::Busy,
        Refusal::Stopping,
    ]];
    /// Of a scanned slip.
    ScannedProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::NoSuchSlip, Refusal::EarlierSlip, Refusal::CodeOnEarlierSlip, Refusal::NotAsked,
    ]];
    /// Of copying a slip.
    CopyProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::SaleUnknown, Refusal::CardUnknown, Refusal::NoSlip, Refusal::SlipForgotten, Refusal::OpenQuestion,
        Refusal::ManagerNeeded,
    ]];
    /// Of listing what waits for a person.
    AttentionProblems: &[ANY], &[&[Refusal::Busy, Refusal::Stopping]];
    /// Of closing a case.
    SettleProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::SaleUnknown, Refusal::CardUnknown, Refusal::NotAsked, Refusal::SaleClosed, Refusal::ReasonMissing,
        Refusal::ManagerNeeded,
    ]];
    /// Of looking at a voucher.
    CheckProblems: &[ANY, BODY], &[SCAN_REFUSALS, LOOK_REFUSALS, &[Refusal::JournalDown, Refusal::Stopping]];
    /// Of letting a terminal try codes again.
    UnlockProblems: &[ANY, BODY], &[&[Refusal::ManagerNeeded, Refusal::VouchersNotSetUp, Refusal::JournalDown, Refusal::Stopping]];
    /// Of a redeem, which may have to look again.
    RedeemProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, LOOK_REFUSALS, &[
        Refusal::CheckExpired, Refusal::NothingToRedeem, Refusal::MoreThanEligible, Refusal::VoucherOfItems,
        Refusal::VoucherOfMoney, Refusal::VoucherCurrency, Refusal::TermsNotConfirmed, Refusal::VoucherInUse,
        Refusal::VoucherTwice, Refusal::OpenQuestion,
    ]];
    /// Of reading a redemption.
    ReadRedemptionProblems: &[ANY], &[&[
        Refusal::RedemptionUnknown, Refusal::JournalDown, Refusal::Busy, Refusal::Stopping,
    ]];
    /// Of reading a basket.
    BasketProblems: &[ANY, &[Objection::FieldWrong]], &[&[Refusal::JournalDown, Refusal::Busy, Refusal::Stopping]];
    /// Of completing a redemption.
    CompleteProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::OpenQuestion,
    ]];
    /// Of reversing a redemption.
    ReverseProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::OpenQuestion, Refusal::ManagerNeeded,
        Refusal::VoucherInUse,
    ]];
    /// Of an answer about a redemption.
    RedemptionAnswerProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::NotAsked, Refusal::ManagerNeeded,
    ]];
    /// Of closing the case of a redemption.
    RedemptionSettleProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, &[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::NotAsked, Refusal::ReasonMissing,
        Refusal::ManagerNeeded,
    ]];
    /// Of scanning the voucher of a redemption again.
    ScanProblems: &[ANY, KEY, BODY], &[ACTING_REFUSALS, SCAN_REFUSALS, LOOK_REFUSALS, &[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::AnotherVoucher,
    ]];
    /// Of printing a redemption.
    PrintRedemptionProblems: &[ANY], &[&[
        Refusal::RedemptionUnknown, Refusal::RedemptionClosed, Refusal::StillWorking, Refusal::JournalDown, Refusal::Busy,
        Refusal::Stopping,
    ]];
    /// Of printing what a look showed.
    PrintCheckProblems: &[ANY], &[&[Refusal::CheckExpired, Refusal::VouchersNotSetUp, Refusal::Stopping]];
    /// Of trying a device.
    DeviceTestProblems: &[ANY], &[&[Refusal::ManagerNeeded, Refusal::DeviceUnknown, Refusal::Stopping]];
    /// Of fetching the catalogue: whatever the provider may say to it.
    RefreshProblems: &[ANY], &[&[
        Refusal::JournalDown, Refusal::Stopping, Refusal::NoConnection, Refusal::NotAuthenticated, Refusal::LiveModeDisabled,
        Refusal::ScopeMissing, Refusal::Blocked, Refusal::ClockRefused, Refusal::RequestNotUnderstood,
    ]];
}

/// The responses of problems: one a status, with a line for each code.
fn problems(objections: &[&[Objection]], refusals: &[&[Refusal]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, (bool, Vec<String>)> = BTreeMap::new();
    let mut add = |status: StatusCode, later: bool, code: &str, developer: &str| {
        let (any_later, lines) = by_status.entry(status.as_u16()).or_default();
        *any_later |= later;
        lines.push(format!("`{code}`: {developer}"));
    };
    for objection in objections.iter().copied().flatten() {
        let row = objection.row();
        add(row.status, row.retry_after_s.is_some(), row.code, row.developer);
    }
    for refusal in refusals.iter().copied().flatten() {
        let row = refusals::row(refusal);
        add(row.status, row.retry_after_s.is_some(), refusal.code(), row.developer);
    }
    by_status
        .into_iter()
        .map(|(status, (later, lines))| {
            let schema = Ref::from_schema_name("Problem");
            let mut response = ResponseBuilder::new()
                .description(lines.join(" · "))
                .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build());
            if later {
                response = response.header(
                    "Retry-After",
                    text_header(Type::Integer, "In seconds, where asking again helps"),
                );
            }
            if status == StatusCode::UNAUTHORIZED.as_u16() {
                response = response.header("WWW-Authenticate", text_header(Type::String, "Bearer"));
            }
            (status.to_string(), RefOr::T(response.build()))
        })
        .collect()
}

fn text_header(kind: Type, description: &str) -> utoipa::openapi::header::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    #[test]
    fn whatever_a_till_sends_is_closed_to_fields_that_are_not_named() {
        let document = crate::every_route().document();
        let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
        let schemas = &document["components"]["schemas"];
        for name in [
            "SaleRequest",
            "CardRequest",
            "PaymentRequest",
            "CancelRequest",
            "AnswerRequest",
            "SettleRequest",
            "Money",
            "CheckRequest",
            "UnlockRequest",
            "RedeemRequest",
            "CompleteRequest",
            "ReverseRequest",
            "RedemptionAnswerRequest",
            "RedemptionSettleRequest",
            "ScanRequest",
            "PairRequest",
            "SignInRequest",
            "ReportRequest",
        ] {
            assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
        }
        assert_eq!(schemas["Worth"]["oneOf"][1]["additionalProperties"], false);
        let tenders = schemas["TenderRequest"]["oneOf"].as_array().unwrap();
        assert_eq!(tenders.len(), 3);
        assert!(tenders.iter().all(|tender| tender["additionalProperties"] == false), "{tenders:?}");
    }

    #[test]
    fn the_checked_in_document_is_what_the_code_says() {
        let document = crate::every_route().document();
        let generated = document.to_pretty_json().unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let checked_in = std::fs::read_to_string(&path).unwrap();
        assert!(checked_in == generated, "openapi.json is not what the code says: run with UPDATE_OPENAPI=1");
    }
}
