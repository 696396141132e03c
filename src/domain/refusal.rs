//! Why not: the closed list of refusals, with a stable code, a sentence for the cashier, and whether asking again can
//! help. One list for the counter's own rules and for what providers refuse, because a cashier does not care which.
//!
//! Adding a reason means answering every question below for it: no match here has a default arm.

use std::fmt;

/// A provider's own code for a refusal that has no name here: ASCII, at most 64 characters, made safe to print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ForeignCode(String);

impl ForeignCode {
    /// Keeps lower-case letters, digits and `_` of whatever came, at most 64 of them. Never a message for people:
    /// those may hold anything.
    pub fn new(raw: &str) -> Self {
        let kept: String = raw
            .chars()
            .map(|character| character.to_ascii_lowercase())
            .filter(|character| {
                character.is_ascii_lowercase() || character.is_ascii_digit() || *character == '_'
            })
            .take(64)
            .collect();
        Self(if kept.is_empty() { "unnamed".to_owned() } else { kept })
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ForeignCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a caller can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The request itself is wrong: mend it and ask anew.
    Mend,
    /// It may work later, unchanged.
    Later,
    /// It will not work for this card or sale; another one may.
    Another,
    /// Somebody must put the shop's set-up, contract or machine in order first.
    SetUp,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $remedy:ident, $sentence:literal;)*) => {
        /// Why something is not done. Nothing has been sent or changed where the counter itself refuses.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
            /// A well-formed refusal of the provider with a code that this list does not know (its documentation asks
            /// clients to tolerate new codes).
            Foreign(ForeignCode),
        }

        impl Refusal {
            /// The stable code: lower case, words joined by `_`. Never changed once released.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                    Self::Foreign(_) => "provider_refused",
                }
            }

            /// What to tell the cashier, in English. Wording in other languages is keyed by [`Refusal::code`].
            pub fn sentence(&self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                    Self::Foreign(_) => "The provider refused it. Nothing was sold or redeemed.",
                }
            }

            /// What can be done about it.
            pub fn remedy(&self) -> Remedy {
                match self {
                    $(Self::$name => Remedy::$remedy,)*
                    Self::Foreign(_) => Remedy::Another,
                }
            }

            /// The refusal of a stable code, as the journal keeps it.
            pub fn from_code(code: &str, foreign: Option<&str>) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    "provider_refused" => Some(Self::Foreign(ForeignCode::new(foreign.unwrap_or_default()))),
                    _ => None,
                }
            }

            /// Every refusal that has a name, for tables and documentation.
            pub fn named() -> &'static [Self] {
                &[$(Self::$name,)*]
            }
        }
    };
}

impl Refusal {
    /// Whether it says nothing about the card or the voucher, only about this shop's key, scope or clock.
    pub fn is_about_the_shop(&self) -> bool {
        self.set_up().is_some()
    }

    /// What is wrong and what to do next, for whoever set the shop up; none where it is about a card or a voucher.
    pub fn set_up(&self) -> Option<&'static str> {
        match self {
            Self::NotAuthenticated => Some(
                "not authenticated: the provider does not accept this shop's key. Compare address, key id and key file of the configuration with what the provider gave out, then start the daemon again.",
            ),
            Self::LiveModeDisabled => {
                Some("The provider has not opened this shop for real sales yet. Ask its people to.")
            }
            Self::ScopeMissing => Some(
                "This shop's key may not do that, or not at this location. Compare the location in the configuration, and ask the provider's people to let the key.",
            ),
            Self::Blocked => Some("The provider has blocked this shop for now. Ask its people why."),
            Self::ClockRefused => Some(
                "The provider does not accept this machine's clock. Set date and time right (`timedatectl set-ntp true`, or by hand).",
            ),
            Self::RequestNotUnderstood => Some(
                "The provider does not understand what it is asked. Compare its address, and the location if there is one, in the configuration; if they are right, call the manufacturer.",
            ),
            _ => None,
        }
    }
}

refusals! {
    // --- what the counter refuses by itself: nothing was sent ---
    /// No such product in the catalogue.
    ProductUnknown, "product_unknown", Mend, "This product is not in the catalogue.";
    /// In the catalogue, but not to be sold now; also the provider's own word for it.
    ProductNotAvailable, "product_not_available", Another, "This product cannot be sold at the moment.";
    /// The product is for another country than the till's.
    WrongCountry, "wrong_country", Mend, "This product is not sold in this country.";
    /// POR asked where the product is POSA, or the other way round.
    WrongCardKind, "wrong_card_kind", Mend, "This product is sold in the other way: printed, or activated from the rack.";
    /// The face value is in another currency than the product.
    WrongCurrency, "wrong_currency", Mend, "This product is not sold in that currency.";
    /// Not one of the product's face values.
    FaceValueNotOffered, "face_value_not_offered", Mend, "This product does not come with that value.";
    /// One sale has one payment, so one currency.
    MixedCurrencies, "mixed_currencies", Mend, "All cards of one sale must be in one currency.";
    /// A sale without a card.
    NoCards, "no_cards", Mend, "There is no card in this sale.";
    /// More than twenty cards.
    TooManyCards, "too_many_cards", Mend, "At most 20 cards fit into one sale. Start a second one.";
    /// The sum of the sale does not fit.
    AmountTooLarge, "amount_too_large", Mend, "The total of this sale is too large.";
    /// A POSA card without its scanned code.
    CardCodeMissing, "card_code_missing", Mend, "Scan the code on the card first.";
    /// A code was scanned for a card that is printed.
    CardCodeNotWanted, "card_code_not_wanted", Mend, "This card is printed on the receipt; it has no code to scan.";
    /// One POSA code twice in a sale.
    CardCodeTwice, "card_code_twice", Mend, "The same card was scanned twice.";
    /// The provider's way to name a POSA card is not configured for this product (fact sheet U19).
    PosaNotSetUp, "posa_not_set_up", SetUp, "Cards from the rack are not set up for this product.";
    /// The receipt id belongs to another sale that took money or is still open.
    ReceiptUsed, "receipt_used", Mend, "This receipt number belongs to another sale.";
    /// The till's key was used with another request.
    RequestKeyReused, "request_key_reused", Mend, "The till sent a used key with another request.";
    /// No such sale.
    SaleUnknown, "sale_unknown", Mend, "There is no such sale.";
    /// No such card in the sale.
    CardUnknown, "card_unknown", Mend, "There is no such card in this sale.";
    /// An outcome is being found out (law L12).
    StillWorking, "still_working", Later, "Please wait: this sale is still being worked on.";
    /// An open question blocks the basket (law L12).
    OpenQuestion, "open_question", Mend, "First answer the open question of this sale.";
    /// The payment was already reported.
    AlreadyPaid, "already_paid", Mend, "This sale is already paid.";
    /// No card of the sale waits for its payment any more, or ever did: money that was taken all the same is the
    /// customer's (A3).
    PaidTooLate, "paid_too_late", Another, "Too late: nothing was sold. Give the money back.";
    /// What was collected is not what was asked.
    AmountNotDue, "amount_not_due", Mend, "The amount is not the one to be collected.";
    /// Cash given does not cover the amount, or the change is wrong.
    TenderDoesNotAddUp, "tender_does_not_add_up", Mend, "The money given does not add up to the amount.";
    /// Nothing more can happen to this sale.
    SaleClosed, "sale_closed", Mend, "This sale is closed.";
    /// The answer does not belong to an open question.
    NotAsked, "not_asked", Mend, "That was not asked, or has been answered already.";
    /// A case is closed only with a reason that can be read later.
    ReasonMissing, "reason_missing", Mend, "Say why, in 1 to 200 characters.";
    /// A11: the scanned code is on no slip that somebody is asked about.
    NoSuchSlip, "no_such_slip", Mend, "No open question belongs to that slip.";
    /// A11: the scanned number is that of an earlier attempt at the slip that is asked about.
    EarlierSlip, "earlier_slip", Mend, "That is an earlier paper of this card. Tear it up, and look at the last one.";
    /// A11: the scanned code is the card's, and stands on the papers of its earlier attempts too.
    CodeOnEarlierSlip, "code_on_earlier_slip", Mend, "An earlier paper of this card carries that code too. Look at the last one and answer, or scan the number at its foot if it has one.";
    /// No undo of it waits for its next attempt.
    NothingToSend, "nothing_to_send", Mend, "There is nothing to be sent: nothing waits to be taken back here.";
    /// No slip of the card was ever made, or it is not the customer's any more.
    NoSlip, "no_slip", Mend, "There is no slip of this card: it is not sold, or nothing was to be printed.";
    /// The key of the code and the lines was destroyed (DESIGN chapter 6): nothing in this house can print them again.
    SlipForgotten, "slip_forgotten", Another, "This till has forgotten the code of this card. Ask the provider for it, by the order's number.";
    /// No catalogue has been fetched yet.
    NoCatalogue, "no_catalogue", Later, "The product list has not arrived yet. Try again in a minute.";
    /// Law L10: without a journal nothing is sold.
    JournalDown, "journal_down", Later, "No gift cards at the moment: this till cannot write its journal.";
    /// Row A19: a provider would refuse what is signed with this machine's clock, or nobody knows whether it is right.
    ClockWrong, "clock_wrong", Later, "No gift cards at the moment: the clock of this till is wrong. Call the manager.";
    /// As many sales are open as the counter takes.
    Busy, "busy", Later, "Too many sales are open at once. Try again in a moment.";
    /// The daemon is stopping.
    Stopping, "stopping", Later, "This till is being restarted. Try again in a moment.";

    // --- what was scanned instead of a voucher: nothing was sent, and nothing of it is kept ---
    /// Nothing but what a scanner adds.
    ScanEmpty, "scan_empty", Mend, "Nothing was scanned. Scan the voucher again, or type its 12 digits.";
    /// Fewer than twelve digits.
    ScanTooShort, "scan_too_short", Mend, "A digit is missing: a voucher has 12. Compare and type it again.";
    /// More than twelve digits, or more than any voucher holds.
    ScanTooLong, "scan_too_long", Mend, "That is too long for a voucher. Scan its QR code, or type its 12 digits.";
    /// An EAN or UPC.
    ScanProductCode, "scan_product_code", Mend, "That is the bar code of a product. Scan the voucher.";
    /// Law L11.
    ScanPaymentCard, "scan_payment_card", Mend, "That is the number of a payment card, which must never be entered here. Scan the voucher.";
    /// What the till prints on its receipts.
    ScanReceipt, "scan_receipt", Mend, "That is the bar code of a receipt. Scan the voucher.";
    /// A link to somewhere else.
    ScanForeignLink, "scan_foreign_link", Mend, "That QR code is no voucher of this provider. Scan the voucher.";
    /// None of the forms that a voucher has.
    ScanUnreadable, "scan_unreadable", Mend, "That is no voucher. Scan its QR code, or type its 12 digits.";

    // --- what the counter refuses of a voucher: nothing was taken from it ---
    /// No provider of vouchers is configured.
    VouchersNotSetUp, "vouchers_not_set_up", SetUp, "Vouchers are not set up at this till.";
    /// Too many wrong codes at this terminal.
    TooManyTries, "too_many_tries", Later, "Too many wrong codes. Call the manager.";
    /// B1, B14: the provider could not be asked.
    VoucherNotChecked, "voucher_not_checked", Later, "No connection: the voucher cannot be checked now. Try again.";
    /// B2: what was seen of it is too old, or was never seen.
    CheckExpired, "check_expired", Mend, "Too much time has passed. Scan the voucher again.";
    /// B2: the provider says that it cannot be redeemed here and now.
    VoucherNotRedeemable, "voucher_not_redeemable", Another, "This voucher cannot be redeemed now. Nothing was taken from it.";
    /// Nothing, or less.
    NothingToRedeem, "nothing_to_redeem", Mend, "Say how much to redeem: more than nothing.";
    /// B2.
    MoreThanEligible, "more_than_eligible", Mend, "There is not that much on the voucher.";
    /// Money asked of an item gift.
    VoucherOfItems, "voucher_of_items", Mend, "This voucher is for items: say how many.";
    /// Items asked of a monetary gift.
    VoucherOfMoney, "voucher_of_money", Mend, "This voucher is for money: say which amount.";
    /// Another currency than the voucher's.
    VoucherCurrency, "voucher_currency", Mend, "This voucher is in another currency.";
    /// The terms of a promotional voucher were not confirmed.
    TermsNotConfirmed, "terms_not_confirmed", Mend, "Compare the voucher's terms with the basket, and confirm them.";
    /// B13: another redeem of this voucher has not ended.
    VoucherInUse, "voucher_in_use", Later, "This voucher is being redeemed at the moment. Wait for it.";
    /// B13: redeemed in this basket before, with another amount.
    VoucherTwice, "voucher_twice", Mend, "This voucher was already redeemed in this basket, with another amount.";
    /// No such redemption.
    RedemptionUnknown, "redemption_unknown", Mend, "There is no such redemption.";
    /// Nothing more can happen to this redemption by a till.
    RedemptionClosed, "redemption_closed", Mend, "This redemption is closed.";
    /// B4: the scan that should tell what became of a redemption is of another voucher.
    AnotherVoucher, "another_voucher", Mend, "That is another voucher. Scan the one that was being redeemed.";
    /// B9: only a manager takes a redemption back once its basket is closed.
    ManagerNeeded, "manager_needed", Mend, "Only the manager can do that.";
    /// No device of that name can be tried.
    DeviceUnknown, "device_unknown", Mend, "There is no printer of that name.";
    /// A day that has not begun, or that stands before one that is closed.
    DayNotClosable, "day_not_closable", Mend, "This day cannot be closed: it has not begun, or a later one is closed.";
    /// The provider's call for taking back is not confirmed (fact sheet gift-local 4).
    ReversalNotSetUp, "reversal_not_set_up", SetUp, "Taking a redemption back is not set up. Call the manager.";
    /// Surely nothing was taken: the redeem was not sent, or the provider asked to come later.
    RedeemNotSent, "redeem_not_sent", Later, "No connection. Nothing was taken from the voucher. Try again.";

    // --- what the provider refuses, or how it could not be reached ---
    /// Nothing was sent: no connection, or the provider asked to come later.
    NoConnection, "no_connection", Later, "No connection to the provider. Not sold. Try again.";
    /// The outcome of the create could not be found out; nothing of value came of it.
    OutcomeUnknown, "outcome_unknown", Later, "The provider did not answer. Not sold. Try again.";
    /// 401: the key id, the secret or the signing recipe is wrong.
    NotAuthenticated, "provider_not_authenticated", SetUp, "The provider does not accept this shop's key. Call the manager.";
    /// 403 `live_mode_disabled`.
    LiveModeDisabled, "live_mode_disabled", SetUp, "The provider has not opened this shop for real sales yet. Call the manager.";
    /// 403 `api_key_missing_required_scope`.
    ScopeMissing, "scope_missing", SetUp, "This shop's key may not sell. Call the manager.";
    /// 403 `request_blocked`.
    Blocked, "blocked", SetUp, "The provider has blocked this shop for now. Call the manager.";
    /// 400 `invalid_date_header`: the clock of this machine or theirs is wrong (row A19).
    ClockRefused, "clock_refused", SetUp, "The clock of this till is wrong. Call the manager.";
    /// The provider did not understand the request: an error of this program or its configuration.
    RequestNotUnderstood, "request_not_understood", SetUp, "The provider did not understand the request. Call the manager.";
    /// 403 `insufficient_available_balance`.
    BalanceTooLow, "balance_too_low", SetUp, "The shop's balance at the provider is used up. Call the manager.";
    /// 403 `store_limit_exceeded`.
    StoreLimit, "store_limit", Another, "This store has reached its limit for now.";
    /// 403 `terminal_limit_exceeded`.
    TerminalLimit, "terminal_limit", Another, "This till has reached its limit for now.";
    /// 403 `receipt_limit_exceeded`.
    ReceiptLimit, "receipt_limit", Another, "One receipt cannot hold more gift cards than this.";
    /// 403 `product_limit_exceeded`.
    ProductLimit, "product_limit", Another, "This product has reached its limit for now.";
    /// 403 `customer_amount_limit_exceeded`.
    CustomerLimit, "customer_limit", Another, "The customer has reached the limit.";
    /// 403 `processing_declined`.
    Declined, "declined", Another, "The provider declined this card.";
    /// 403 `fraudulent_processing_declined`.
    DeclinedAsFraud, "declined_as_fraud", Another, "The provider declined this card. Do not try again; call the manager.";
    /// 400 `reused_idempotency_key`: an earlier request under this key arrived, its answer did not.
    ProviderKeyReused, "provider_key_reused", Later, "The provider did not answer. Not sold. Try again.";
    /// 404 for an order.
    OrderNotFound, "order_not_found", Another, "The provider does not know this order.";
    /// The provider named one order for two cards of a sale.
    OrderTwice, "order_twice", Later, "The provider mixed two cards up. This one is not sold. Try again.";
    /// The provider does not know the voucher.
    VoucherNotFound, "voucher_not_found", Another, "There is no such voucher. Compare the digits.";
    /// Known, and not for this location or programme.
    VoucherNotHere, "voucher_not_here", Another, "This voucher is not for this store.";
    /// A well-formed refusal to redeem it.
    RedeemRefused, "redeem_refused", Another, "The provider refused the voucher. Nothing was taken from it.";
    /// The provider does not know the redemption.
    RedemptionNotFound, "redemption_not_found", Another, "The provider does not know this redemption.";
    /// A well-formed refusal to take a redemption back.
    ReverseRefused, "reverse_refused", Another, "The provider does not give the value back. Call the manager.";
    /// The order cannot be confirmed in its present state.
    OrderState, "order_state", Another, "The provider no longer accepts this order.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_of_its_own_and_comes_back_from_it() {
        let mut seen = std::collections::HashSet::new();
        for refusal in Refusal::named() {
            assert!(seen.insert(refusal.code()), "{} twice", refusal.code());
            assert_eq!(Refusal::from_code(refusal.code(), None).as_ref(), Some(refusal));
            assert!(refusal.sentence().ends_with('.'), "{refusal:?}");
        }
        let foreign = Refusal::Foreign(ForeignCode::new("Moon_Phase<script>\n"));
        assert_eq!(foreign, Refusal::from_code("provider_refused", Some("moon_phasescript")).unwrap());
    }

    #[test]
    fn a_foreign_code_is_kept_as_far_as_it_is_safe_to_print() {
        let long = "x".repeat(65);
        for (raw, kept) in [
            ("moon_phase_7", "moon_phase_7"),
            ("Moon-Phase <7>\n", "moonphase7"),
            ("\u{1b}[31m", "31m"),
            ("", "unnamed"),
            ("!?", "unnamed"),
            (long.as_str(), &long[1..]),
        ] {
            let code = ForeignCode::new(raw);
            assert_eq!((code.as_str(), format!("{code:?}").as_str()), (kept, kept), "{raw:?}");
        }
    }
}
