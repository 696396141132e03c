//! What a provider of vouchers offers for the hour of doubt, as data. DESIGN chapter 4: what can be done about an unknown
//! redeem depends on it.
//!
//! It is written into the first entry of a redemption, so that a redemption ends under what it began with.

/// How the outcome of a redeem that was not answered can be found out. A provider that offers several states the first
/// of this list that is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recourse {
    /// The same key gets the same answer: the redeem is repeated.
    Repeatable,
    /// A redemption can be looked up by our own reference.
    Findable,
    /// Only what is left on the voucher can be read again. Two identical redeems debit twice, so none is ever repeated.
    Comparable,
}

/// What is known about taking a redemption back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reversal {
    /// It can be taken back by its id, and asking twice gives its value back once: asked for until it is acknowledged.
    Repeatable,
    /// It can be taken back by its id, but nobody has said what a second call does: after an unknown outcome a manager
    /// decides whether to ask again (fact sheet gift-local 7a: "may repeat once").
    Once,
    /// The call is not confirmed with the provider: its path and fields are a guess, so it is never sent by itself
    /// (fact sheet gift-local 4).
    NotConfirmed,
}

/// What a provider offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offers {
    /// For a redeem whose outcome is unknown.
    pub recourse: Recourse,
    /// For a redemption that must be taken back.
    pub reversal: Reversal,
}
