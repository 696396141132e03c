//! What the shop buys from, each behind the same small trait and each in a folder of its own.
//!
//! A provider's room turns the counter's words into requests on a wire, and answers into the closed outcomes of
//! [`tilld_domain::outcome`]. It keeps nothing, retries nothing (when to ask again is the counter's decision, because
//! every attempt is journaled), and shows no secret in any `Debug`, error or log line.
//!
//! | module | holds |
//! |---|---|
//! | here | the contract with the counter about gift cards |
//! | [`http`] | one line to a provider, and what may be concluded from how a request ended |
//! | [`pace`] | how fast a provider is asked, undos first |
//! | [`json`] | answers of unknown shape, read with tolerance and wiped |
//! | [`picture`] | the pictures of products: which addresses and which bytes are taken |
//! | [`vouchers`] | the contract with the counter about vouchers |
//! | [`finperks`] | gift cards that are created, paid for, and confirmed |
//! | [`gift_local`] | vouchers that are validated, redeemed, and given back |
//!
//! Every call ends as one [`Outcome`]. [`Outcome::Later`] also stands for a call that the provider's own pace did not let
//! go: nothing was sent. A call may be dropped at any moment; what became of it is then unknown.

pub mod finperks;
pub mod gift_local;
pub mod http;
pub mod json;
pub mod pace;
pub mod picture;
pub mod vouchers;

use std::time::Duration;

use futures_util::future::BoxFuture;
use tilld_domain::ids::{
    CardCode, Country, Locale, ProductCode, ProviderKey, ProviderOrderId, ReceiptId, StoreId, TerminalId,
};
use tilld_domain::money::Money;
use tilld_domain::outcome::{Created, OrderSeen, Outcome, UndoAnswer};
use tilld_domain::product::{CardKind, Product, RackCode};
use tilld_domain::refusal::Refusal;

use crate::picture::{NoPicture, Picture, PictureAddress};

/// The exact body of a request as it goes into the journal before it is sent, and onto the wire, also when it is
/// repeated after a restart under another configuration. Where a scanned card code belongs stands [`CODE_MARK`], so the text
/// holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest(pub String);

/// Stands in a stored request for the scanned code. A private-use character: no name of the domain may hold it.
pub const CODE_MARK: char = '\u{e000}';

/// What an order is about, for [`GiftCards::prepare_create`].
#[derive(Debug, Clone, Copy)]
pub struct CreateFacts<'a> {
    /// Which product.
    pub product: &'a ProductCode,
    /// Print on receipt or activation.
    pub kind: CardKind,
    /// The value of the card.
    pub face_value: Money,
    /// Where it is sold.
    pub store: &'a StoreId,
    /// On which till.
    pub terminal: &'a TerminalId,
    /// On which receipt.
    pub receipt: &'a ReceiptId,
    /// In which country.
    pub country: &'a Country,
    /// For how many columns the provider lays its lines out.
    pub characters_per_line: u16,
    /// In which language and format.
    pub locale: &'a Locale,
}

/// How a sale was paid, as far as a provider may be told (fact sheet U20, U21).
#[derive(Debug, Clone, Copy)]
pub struct ConfirmFacts {
    /// The tender, if there is one word for it.
    pub tender: Option<SingleTender>,
    /// The total of the whole receipt.
    pub receipt_total: Money,
}

/// A tender that is not mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SingleTender {
    /// Notes and coins.
    Cash,
    /// A payment card.
    Card,
}

/// How long each call may take before its outcome counts as unknown. The counter holds the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a create.
    pub create: Duration,
    /// For a confirm.
    pub confirm: Duration,
    /// For a look-up.
    pub lookup: Duration,
    /// For an invalidation.
    pub invalidate: Duration,
    /// For everything that no customer waits for.
    pub other: Duration,
}

/// What can be bought and undone at a provider of gift cards, and on what terms.
pub trait GiftCards: Send + Sync + 'static {
    /// The provider's name in configuration and journal, for example `finperks`.
    fn name(&self) -> &str;

    /// How long its calls may take.
    fn deadlines(&self) -> Deadlines;

    /// Whether a confirm may be sent a second time while its outcome is being found out (fact sheet U9).
    fn confirm_is_repeatable(&self) -> bool;

    /// How long after its payment it takes a card of this product back; `None` where that is not known (fact sheet U15).
    fn undo_window(&self, _product: &ProductCode) -> Option<Duration> {
        None
    }

    /// The provider's clock minus this machine's in ms, as its last answer had it (whole seconds, and late by the answer's
    /// way); `None` before the first, and where a provider tells no time.
    fn clock_offset_ms(&self) -> Option<i64> {
        None
    }

    /// How far this machine's clock may be from the provider's in either direction for a signed date to be accepted. No number
    /// is published; five minutes is what comparable interfaces accept (fact sheet U3).
    fn clock_tolerance(&self) -> Duration {
        Duration::from_mins(5)
    }

    /// What the bar code on the rack cards of a product says; none where that is not configured, and of what is printed.
    fn rack_code(&self, _: &ProductCode) -> Option<RackCode> {
        None
    }

    /// The body of a create. Pure; refused where this provider cannot sell such a card as it is configured.
    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal>;

    /// The body of a confirm. Pure.
    fn prepare_confirm(&self, facts: &ConfirmFacts) -> StoredRequest;

    /// Creates an order: a preliminary check, nothing is bought. `key` and `request` are the journaled ones.
    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>>;

    /// Confirms an order: this gives the value.
    fn confirm<'a>(
        &'a self,
        order: &'a ProviderOrderId,
        request: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>>;

    /// Looks an order up. A 404 is [`Refusal::OrderNotFound`].
    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>>;

    /// Takes the value away again.
    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>>;

    /// The catalogue, with what could not be read of it counted and left out.
    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>>;

    /// Whether its catalogue may name pictures, as it is configured.
    fn has_pictures(&self) -> bool {
        false
    }

    /// Fetches a picture that its catalogue has named.
    fn picture<'a>(&'a self, _: &'a PictureAddress) -> BoxFuture<'a, Result<Picture, NoPicture>> {
        Box::pin(std::future::ready(Err(NoPicture::NotOne)))
    }

    /// What the shop may still spend.
    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>>;

    /// The registered stores.
    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>>;

    /// Registers a store with the operator's own JSON (fact sheet U22); `template` is one JSON object.
    fn register_store<'a>(&'a self, template: &'a str) -> BoxFuture<'a, Outcome<Store>>;
}

/// A catalogue as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// What could be read.
    pub products: Vec<Product>,
    /// How many entries could not be read.
    pub unreadable: usize,
    /// Where the pictures of products lie, as far as they are named and may be fetched.
    pub pictures: Vec<(ProductCode, PictureAddress)>,
}

/// What may still be spent in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// How much.
    pub available: Money,
}

/// A store as the provider knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The retailer's own id.
    pub id: StoreId,
    /// Its name, if one came; control characters removed.
    pub name: String,
}
