//! The one table from the counter's refusals to HTTP.
//!
//! | status | means | what the till does |
//! |---|---|---|
//! | 403 | only a manager may do it | asks for one |
//! | 404 | no such sale, card, redemption or voucher | mends the path, or has the voucher scanned again |
//! | 409 | right in itself, but not in the present state of the sale, the redemption, the voucher, the receipt, the key or the shop | reads it, or waits if `Retry-After` is there |
//! | 422 | it can never be done as it is | mends the request |
//! | 429 | too many wrong codes | calls a manager, or waits |
//! | 502 | the provider said no (only where a till asks the provider directly, as for its catalogue or a look at a voucher) | tells the manager |
//! | 503 | not now; nothing was done that the same key will not find again | asks again after `Retry-After` |
//!
//! That a provider refuses a *card* or a *redeem* is none of these: the sale or the redemption is answered with 201 or 200, and
//! says so.
//! A refused request leaves no trace under its key: a mended one may use the key again.

use axum::http::StatusCode;
use tilld_domain::refusal::Refusal;

/// A row of the table.
pub(crate) struct Row {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// After how many seconds asking again makes sense, where it does without anything else having changed.
    pub(crate) retry_after_s: Option<u32>,
    /// For whoever writes the till software.
    pub(crate) developer: &'static str,
}

/// What the till can do about a refusal that concerns the shop: nothing.
const SET_UP: &str =
    "The provider refused the daemon's own request; the shop's set-up or contract must be put in order.";
/// The same for a refusal of a card or a limit.
const PROVIDER: &str = "The provider refused it.";

/// The status of a refusal.
pub(crate) fn row(refusal: &Refusal) -> Row {
    let row = |status, developer| Row { status, retry_after_s: None, developer };
    let later =
        |status, retry_after_s, developer| Row { status, retry_after_s: Some(retry_after_s), developer };
    let never = |developer| row(StatusCode::UNPROCESSABLE_ENTITY, developer);
    let not_so = |developer| row(StatusCode::CONFLICT, developer);
    let said_no = |developer| row(StatusCode::BAD_GATEWAY, developer);
    let not_now = |seconds, developer| later(StatusCode::SERVICE_UNAVAILABLE, seconds, developer);
    match refusal {
        Refusal::ProductUnknown => never(
            "A card's product is not in the catalogue; GET /v1/products lists it, POST /v1/products/refresh fetches it anew.",
        ),
        Refusal::ProductNotAvailable => {
            not_so("The catalogue has a card's product, and says that it cannot be sold now.")
        }
        Refusal::WrongCardKind => never("A card's kind is not the product's; the catalogue names it."),
        Refusal::WrongCountry => never("A card's product is for another country than the till's."),
        Refusal::WrongCurrency => never("An amount is not in the currency that belongs there."),
        Refusal::FaceValueNotOffered => {
            never("A card's face_value is not one of the product's; the catalogue names them.")
        }
        Refusal::MixedCurrencies => {
            never("All cards of a sale must have one currency: begin a sale for each.")
        }
        Refusal::NoCards => never("cards is empty."),
        Refusal::TooManyCards => never("cards holds more than 20 cards."),
        Refusal::AmountTooLarge => never("The sum of the cards does not fit into 64 bits of minor units."),
        Refusal::CardCodeMissing => never("A posa card needs the code that was scanned from it."),
        Refusal::CardCodeNotWanted => never("A por card has no code."),
        Refusal::CardCodeTwice => never("Two cards of the sale have the same code."),
        Refusal::PosaNotSetUp => {
            not_so("The configuration does not say how the provider names cards of this product.")
        }
        Refusal::ReceiptUsed => not_so(
            "Another sale holds this receipt: it took money, or is open. Read that one, or use another receipt.",
        ),
        Refusal::RequestKeyReused => {
            not_so("This Idempotency-Key was used for another request. Use a new one for every new request.")
        }
        Refusal::SaleUnknown => row(StatusCode::NOT_FOUND, "There is no sale with this id."),
        Refusal::CardUnknown => row(StatusCode::NOT_FOUND, "Cards of a sale are counted from 1."),
        Refusal::StillWorking => later(
            StatusCode::CONFLICT,
            1,
            "An outcome is being found out. Ask again, an acting request under the same key.",
        ),
        Refusal::OpenQuestion => {
            not_so("Answer the open question first; the sale or the redemption shows it.")
        }
        Refusal::AlreadyPaid => not_so(
            "The payment was reported before, under another key. Read the sale: GET /v1/sales/{sale} says what became of it.",
        ),
        Refusal::PaidTooLate => not_so("No card of the sale waits for its payment."),
        Refusal::AmountNotDue => not_so("amount must be what the sale shows as due now."),
        Refusal::TenderDoesNotAddUp => never(
            "given must cover what is paid in cash, change must be the rest, and receipt_total must not be less than amount.",
        ),
        Refusal::SaleClosed => not_so("Nothing more can happen to this sale. Read it."),
        Refusal::ReasonMissing => never("The reason is missing, too long, or holds control characters."),
        Refusal::NotAsked => not_so(
            "There is no open question that takes this answer, or no case that is closed so; the sale, the redemption and GET /v1/attention show the choices.",
        ),
        Refusal::NoSuchSlip => row(
            StatusCode::NOT_FOUND,
            "The code is on no slip about which `is_it_complete` is asked; other questions are not answered by a scan.",
        ),
        Refusal::EarlierSlip => not_so(
            "The number is that of an earlier attempt at the slip about which `is_it_complete` is asked; only that of the last one answers it.",
        ),
        Refusal::CodeOnEarlierSlip => not_so(
            "From the second attempt at a slip on the card's code answers nothing: the papers before carry it too. The number at the foot of the last one does.",
        ),
        Refusal::NothingToSend => not_so(
            "No undo is owed, or none that waits for its next attempt; GET /v1/attention shows which do.",
        ),
        Refusal::NoSlip => not_so(
            "Only a card that is sold has a slip to copy, and only a card that is live one to show; some providers have nothing to print.",
        ),
        Refusal::SlipForgotten => not_so(
            "The code and the lines of a card are destroyed a day after it was sold. provider_order of the card names it to the provider.",
        ),
        Refusal::NoCatalogue => {
            not_now(30, "The catalogue has not been fetched yet; POST /v1/products/refresh tries it at once.")
        }
        Refusal::JournalDown => {
            not_now(5, "The journal cannot be written or read; `reason` and GET /v1/health say why.")
        }
        Refusal::ClockWrong => not_now(
            30,
            "The provider would refuse what is signed with this machine's clock; `reason` and GET /v1/health say how far it is off.",
        ),
        Refusal::Busy => not_now(
            1,
            "As many sales and redemptions are in customers' hands, or requests on their way, as the counter takes.",
        ),
        Refusal::Stopping => not_now(5, "The daemon is stopping."),
        Refusal::ScanEmpty => never("The scan is empty once the scanner's own characters are taken away."),
        Refusal::ScanTooShort => never("The scan is a number of fewer than 12 digits."),
        Refusal::ScanTooLong => {
            never("The scan is a number of more than 12 digits, or longer than 1,024 bytes.")
        }
        Refusal::ScanProductCode => never("The scan is an EAN, UPC or GTIN."),
        Refusal::ScanPaymentCard => {
            never("The scan holds the number of a payment card. Nothing of it was kept.")
        }
        Refusal::ScanReceipt => never("The scan begins as the receipts of the configuration do."),
        Refusal::ScanForeignLink => never(
            "The scan is a link whose host or path is not in the configuration, or that holds no token.",
        ),
        Refusal::ScanUnreadable => never(
            "The scan is neither 12 digits nor a token of letters, digits, _ and -, nor a link with one.",
        ),
        Refusal::VouchersNotSetUp => not_so("The configuration names no provider of vouchers."),
        Refusal::TooManyTries => later(
            StatusCode::TOO_MANY_REQUESTS,
            60,
            "The provider did not know too many codes of this terminal. POST /v1/vouchers/unlock lets it try again, or time does.",
        ),
        Refusal::VoucherNotChecked => not_now(5, "The provider of the voucher could not be reached."),
        Refusal::CheckExpired => not_so("There is no such check any more. Scan the voucher again."),
        Refusal::VoucherNotRedeemable => not_so("The check says why; nothing was sent."),
        Refusal::NothingToRedeem => never("amount must be more than nothing."),
        Refusal::MoreThanEligible => not_so("The check shows how much may be redeemed; nothing was sent."),
        Refusal::VoucherOfItems => never("This voucher takes items, not money."),
        Refusal::VoucherOfMoney => never("This voucher takes money, not items."),
        Refusal::VoucherCurrency => never("The currency is not the voucher's; the check shows it."),
        Refusal::TermsNotConfirmed => never(
            "A promotional voucher is redeemed only once the cashier has confirmed the terms that the check shows.",
        ),
        Refusal::VoucherInUse => later(
            StatusCode::CONFLICT,
            1,
            "Another redemption of this voucher is being worked on. Ask again under the same key.",
        ),
        Refusal::VoucherTwice => not_so(
            "This basket has a redemption of this voucher with another amount. Read it; take it back before another one.",
        ),
        Refusal::RedemptionUnknown => row(StatusCode::NOT_FOUND, "There is no redemption with this id."),
        Refusal::RedemptionClosed => not_so("Nothing more can happen to this redemption. Read it."),
        Refusal::AnotherVoucher => not_so("The scanned voucher is not the one of this redemption."),
        Refusal::DeviceUnknown => row(
            StatusCode::NOT_FOUND,
            "No printer has this name; GET /v1/devices names those that there are.",
        ),
        Refusal::DayNotClosable => {
            not_so("The day lies ahead, or a later one is closed: days are closed in their order.")
        }
        Refusal::ManagerNeeded => row(
            StatusCode::FORBIDDEN,
            "Only a manager may, and is named; on a paired screen he signs in first: POST /v1/session/manager.",
        ),
        Refusal::ReversalNotSetUp => {
            not_so("The configuration says that the provider's call for taking back is not confirmed.")
        }
        Refusal::RedeemNotSent => not_now(5, "The redeem was not sent, or the provider asked to come later."),
        Refusal::NoConnection => not_now(5, "The provider could not be reached, or asked to come later."),
        Refusal::OutcomeUnknown => not_now(5, "The provider did not answer readably."),
        Refusal::NotAuthenticated => said_no(SET_UP),
        Refusal::LiveModeDisabled => said_no(SET_UP),
        Refusal::ScopeMissing => said_no(SET_UP),
        Refusal::Blocked => said_no(SET_UP),
        Refusal::ClockRefused => {
            said_no("The provider refused the signed date: this machine's clock is wrong, or theirs.")
        }
        Refusal::RequestNotUnderstood => said_no(SET_UP),
        Refusal::BalanceTooLow => said_no(SET_UP),
        Refusal::StoreLimit => said_no(PROVIDER),
        Refusal::TerminalLimit => said_no(PROVIDER),
        Refusal::ReceiptLimit => said_no(PROVIDER),
        Refusal::ProductLimit => said_no(PROVIDER),
        Refusal::CustomerLimit => said_no(PROVIDER),
        Refusal::Declined => said_no(PROVIDER),
        Refusal::DeclinedAsFraud => said_no(PROVIDER),
        Refusal::ProviderKeyReused => {
            not_now(5, "The provider has seen the daemon's key before; its answer was lost.")
        }
        Refusal::OrderNotFound => said_no(PROVIDER),
        Refusal::OrderTwice => not_now(5, "The provider named one order for two cards."),
        Refusal::VoucherNotFound => {
            row(StatusCode::NOT_FOUND, "The provider does not know this voucher. It counts as a wrong code.")
        }
        Refusal::VoucherNotHere => {
            not_so("The provider knows the voucher; it is not for this store or programme.")
        }
        Refusal::RedeemRefused => said_no(PROVIDER),
        Refusal::RedemptionNotFound => said_no(PROVIDER),
        Refusal::ReverseRefused => said_no(PROVIDER),
        Refusal::OrderState => said_no(PROVIDER),
        Refusal::Foreign(_) => {
            said_no("The provider refused it with a code that this program does not know.")
        }
    }
}

#[cfg(test)]
mod tests {
    use tilld_domain::refusal::Remedy;

    use super::*;

    #[test]
    fn only_what_may_work_later_unchanged_tells_the_till_when_to_ask_again() {
        for refusal in Refusal::named() {
            let row = row(refusal);
            assert_eq!(row.retry_after_s.is_some(), refusal.remedy() == Remedy::Later, "{refusal:?}");
            assert!(row.status.is_client_error() || row.status.is_server_error(), "{refusal:?}");
            assert!(row.developer.ends_with('.'), "{refusal:?}");
        }
    }

    #[test]
    fn a_refusal_that_the_till_can_mend_is_never_a_fault_of_the_server() {
        for refusal in Refusal::named().iter().filter(|refusal| refusal.remedy() == Remedy::Mend) {
            assert!(row(refusal).status.is_client_error(), "{refusal:?}");
        }
    }
}
