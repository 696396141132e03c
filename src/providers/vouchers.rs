//! The contract between the counter and a provider of vouchers.
//!
//! A provider's room turns the counter's words into requests and answers into closed outcomes; when to ask again is decided
//! by the domain from what the provider says of itself as data ([`Offers`]): whether an unknown redeem may be repeated, can be
//! looked up, or only what is left on the voucher can be compared.
//!
//! Every redeem is sent exactly once a call: no transport, proxy or library below may send it a second time, because two
//! identical redeems debit twice (fact sheet gift-local 3).

use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::ids::{ProgramId, ProviderKey, ProviderRedemptionId, StoreId, TerminalId, VoucherId};
use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{
    Offers, Redeemed, RedemptionSeen, ReverseAnswer, VoucherCode, VoucherShown, Worth,
};

use crate::StoredRequest;

/// How long each call may take before its outcome counts as unknown. The counter holds the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoucherDeadlines {
    /// For a validation, before a redeem and in the course of finding out.
    pub validate: Duration,
    /// For a redeem. The settle time of row B3 is at least twice as long.
    pub redeem: Duration,
    /// For a look-up of a redemption.
    pub lookup: Duration,
    /// For a reversal.
    pub reverse: Duration,
}

/// What a till expects a voucher to be, by the provider's two words (fact sheet gift-local 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetType {
    /// `GIFT`: somebody paid for it.
    Gift,
    /// `NOT_GIFT`: promotional.
    NotGift,
}

/// What a till may say about the basket when a voucher is validated. Nothing of it is journaled.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValidateFacts<'a> {
    /// The till's ticket: the text of one JSON object, passed through as it is. It may tell who buys what.
    pub ticket: Option<&'a Secret>,
    /// The programme that the voucher must be of.
    pub program: Option<ProgramId>,
    /// Which sort of voucher it must be.
    pub target: Option<TargetType>,
}

/// What a redemption is about, for [`Vouchers::prepare_redeem`].
#[derive(Debug, Clone, Copy)]
pub struct RedeemFacts<'a> {
    /// Which voucher, by the name that its validation gave.
    pub voucher: &'a VoucherId,
    /// How much: always said, because a provider takes a missing amount as everything.
    pub amount: Worth,
    /// Where it is redeemed.
    pub store: &'a StoreId,
    /// On which till.
    pub terminal: &'a TerminalId,
    /// Which sort of voucher it must be, if the till said so.
    pub target: Option<TargetType>,
}

/// What can be done with a voucher at its provider, and what the provider offers when an outcome is unknown.
pub trait Vouchers: Send + Sync + 'static {
    /// The provider's name in configuration and journal, for example `giftlocal`.
    fn name(&self) -> &str;

    /// How long its calls may take.
    fn deadlines(&self) -> VoucherDeadlines;

    /// What can be done when an outcome is unknown, and whether a redemption can be taken back.
    fn offers(&self) -> Offers;

    /// How its vouchers are scanned at this shop.
    fn scan_rules(&self) -> &ScanRules;

    /// The provider's clock minus this machine's in ms, as its last answer had it; `None` before the first, and where a
    /// provider tells no time.
    fn clock_offset_ms(&self) -> Option<i64> {
        None
    }

    /// Looks at a voucher; takes nothing. Done also for a voucher that cannot be redeemed: the answer says so. A code that
    /// the provider does not know is [`Refusal::VoucherNotFound`], and nothing else is, because wrong codes are counted.
    fn validate<'a>(
        &'a self,
        code: &'a VoucherCode,
        facts: ValidateFacts<'a>,
    ) -> BoxFuture<'a, Outcome<VoucherShown>>;

    /// The exact body of a redeem, as it is journaled before it is sent. Pure. It holds the voucher's id, never its code:
    /// where a provider wants the code stands [`CODE_MARK`](crate::CODE_MARK).
    fn prepare_redeem(&self, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal>;

    /// Takes value from the voucher. `key` and `request` are the journaled ones; the key is sent where the provider is
    /// repeatable or findable by it. `code` is there while it is not forgotten. An answer that says "done" without an id
    /// that is known is done, without one.
    fn redeem<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a VoucherCode>,
    ) -> BoxFuture<'a, Outcome<Redeemed>>;

    /// Looks a redemption up by our key, where the provider is findable; elsewhere it is surely not sent. One that the
    /// provider does not know is [`Refusal::RedemptionNotFound`].
    fn lookup<'a>(&'a self, key: &'a ProviderKey) -> BoxFuture<'a, Outcome<RedemptionSeen>>;

    /// Gives the whole value of a redemption back to its voucher.
    fn reverse<'a>(&'a self, redemption: &'a ProviderRedemptionId) -> BoxFuture<'a, Outcome<ReverseAnswer>>;
}
