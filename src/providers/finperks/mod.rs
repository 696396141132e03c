//! finperks, the retail part: gift cards that are created, paid for, and then confirmed.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what an operator decides, checked |
//! | `signature` | the signature of a request, pure |
//! | `wire` | paths, field names and state names of orders |
//! | `refusals` | every code of an error, and what it is to the counter |
//! | `catalogue` | products, balances, stores, and their pages |
//! | here | one call after another: pace, date, signature, line, reading |
//!
//! A call takes its turn ([`crate::pace`]), is dated and signed at the last moment, sent once, and its answer is read.
//! Sent twice is only what the provider refused because of its `Date` (fact sheet U3): it did not look at the request, so
//! it is dated, signed and sent once more; the clock's offset is logged and never corrected silently. Everything else that
//! goes wrong is the caller's to repeat.
//!
//! A call waits for its turn at most half of its deadline, so that a call that is never sent ends as *later* and not as
//! a deadline, which would be *unknown*. After a 429 every call is *later* until the pause that it named is over.
//!
//! Pictures of products lie on hosts that are asked without a signature. On the provider's own host such a call takes its turn
//! too, but one that nobody else wants; and a 429 for a picture pauses pictures alone.
//!
//! Facts about finperks are in its fact sheet (U1 to U25); what it does not publish is read with tolerance.
//! Absent: digital orders, settlements, webhooks, and any memory but the pauses that were asked for and the offset of the clock.

mod catalogue;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
mod refusals;
mod settings;
mod signature;
mod wire;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use sha2::{Digest, Sha256};
use tilld_domain::ids::{CardCode, ProductCode, ProviderKey, ProviderOrderId};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, Trouble, UndoAnswer};
use tilld_domain::product::{Product, RackCode};
use tilld_domain::refusal::Refusal;
use zeroize::Zeroizing;

pub use self::settings::{DEADLINES, PaymentWords, Pictures, PosaRule, PosaRules, Settings};
pub use self::signature::{Parts, SCHEME, SigProfile, authorization, sign, string_to_sign};

use self::catalogue::Next;
use self::refusals::{Asked, Rejection};
use self::wire::OrderAnswer;
use crate::http::{Body, Call, LARGEST_ANSWER, Line, Origin, Reply, SetUpError, date_header};
use crate::json::Node;
use crate::pace::{Pace, Rank};
use crate::picture::{self, NoPicture, Picture, PictureAddress};
use crate::{Balance, Catalogue, ConfirmFacts, CreateFacts, Deadlines, GiftCards, Store, StoredRequest};

/// The most pages of one list that are read.
const MOST_PAGES: usize = 50;

/// The most products that are taken; more than ten times what any shop hangs up.
const MOST_PRODUCTS: usize = 20_000;

/// The most pictures that are named; more than any rack holds products.
const MOST_PICTURES: usize = 500;

/// The largest page of a list in bytes. A product may bring its terms and conditions along, and a whole catalogue
/// may come as one page.
const LARGEST_PAGE: usize = 4 * 1024 * 1024;

/// The largest template of a store in bytes.
const LARGEST_TEMPLATE: usize = 64 * 1024;

/// The pause after a 429 that names none.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The provider finperks, as one client of theirs sees it.
pub struct Finperks {
    settings: Settings,
    host: String,
    port: u16,
    line: Line,
    pace: Pace,
    /// Where pictures may lie beside the provider's own host.
    picture_hosts: Vec<Origin>,
    pictures_rest: Rest,
}

/// A pause that was asked for, of pictures alone.
#[derive(Default)]
struct Rest(Mutex<Option<Instant>>);

impl Rest {
    fn begin(&self, pause: Duration) {
        let until = Instant::now().checked_add(pause);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_on(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }
}

/// A request before it is dated and signed.
struct Ask<'a> {
    rank: Rank,
    patience: Duration,
    method: Method,
    url: Url,
    key: Option<&'a str>,
    body: Option<Zeroizing<Vec<u8>>>,
    most: usize,
}

impl Finperks {
    /// Checks the settings and builds the line; nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, SetUpError> {
        let origin = settings.check()?;
        let picture_hosts = settings.pictures.as_ref().map(Pictures::check).transpose()?.unwrap_or_default();
        let root = origin.at("/");
        let host = root.host_str().ok_or(SetUpError::BadUrl)?.to_owned();
        let port = root.port_or_known_default().ok_or(SetUpError::BadUrl)?;
        let pace = Pace::new(settings.pace).ok_or(SetUpError::Rate)?;
        let line = Line::new("finperks", origin, settings.extra_roots.as_deref())?;
        Ok(Self { settings, host, port, line, pace, picture_hosts, pictures_rest: Rest::default() })
    }

    /// Whether key, secret, recipe and clock are accepted: `GET /balances` (fact sheet U1). On
    /// [`Refusal::NotAuthenticated`] no gift card can be sold.
    pub async fn self_check(&self) -> Outcome<Vec<Balance>> {
        let outcome = self.balances().await;
        if outcome == Outcome::Refused(Refusal::NotAuthenticated) {
            tracing::warn!(
                provider = "finperks",
                profile = self.settings.profile.name(),
                "key id, secret or signing profile is wrong: no gift card can be sold"
            );
        }
        outcome
    }

    fn get(&self, rank: Rank, deadline: Duration, path: &str) -> Ask<'static> {
        Ask {
            rank,
            patience: patience(deadline),
            method: Method::GET,
            url: self.line.origin().at(path),
            key: None,
            body: None,
            most: LARGEST_ANSWER,
        }
    }

    fn post<'a>(
        &self,
        rank: Rank,
        deadline: Duration,
        path: &str,
        key: Option<&'a str>,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Ask<'a> {
        Ask { method: Method::POST, key, body, ..self.get(rank, deadline, path) }
    }

    /// Sends a request, and once more if only its date was refused.
    async fn send(&self, ask: Ask<'_>) -> Reply {
        let first = self.send_once(&ask).await;
        let Reply::Rejected { status, body } = &first else { return first };
        if !Rejection::read(*status, body).is_some_and(|rejection| rejection.is_about_the_date()) {
            return first;
        }
        tracing::warn!(
            provider = "finperks",
            offset_ms = self.line.clock_offset_ms(),
            "the provider refuses our clock; asking once more with a fresh date"
        );
        match self.send_once(&ask).await {
            // Nothing was sent the second time, so the first answer stands.
            Reply::Later { status: None, .. } => first,
            second => second,
        }
    }

    async fn send_once(&self, ask: &Ask<'_>) -> Reply {
        if let Err(not_yet) = self.pace.turn(ask.rank, ask.patience).await {
            return Reply::Later { status: None, retry_after: Some(not_yet.retry_after) };
        }
        let Some(headers) = self.headers(ask) else {
            // A header that cannot be sent: no checked setting and no checked name leads here.
            return Reply::NotSent(Trouble::Connect);
        };
        let reply = self
            .line
            .send(Call {
                method: ask.method.clone(),
                url: ask.url.clone(),
                headers,
                body: ask.body.clone(),
                most: ask.most,
            })
            .await;
        if let Reply::Later { status: Some(429), retry_after } = &reply {
            self.pace.pause(retry_after.unwrap_or(UNNAMED_PAUSE));
        }
        reply
    }

    fn headers(&self, ask: &Ask<'_>) -> Option<HeaderMap> {
        let date = date_header(Timestamp::now());
        let parts = Parts {
            host: &self.host,
            port: self.port,
            method: ask.method.as_str(),
            path: ask.url.path(),
            query: ask.url.query().unwrap_or_default(),
            date: &date,
            idempotency_key: ask.key.unwrap_or_default(),
            body: ask.body.as_ref().map_or(&[], |body| body.as_slice()),
        };
        let signature = sign(&self.settings.secret, &parts, self.settings.profile);
        let mut authorization =
            HeaderValue::try_from(authorization(&self.settings.key_id, &signature)).ok()?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(DATE, HeaderValue::try_from(&date).ok()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = ask.key {
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::try_from(key).ok()?);
        }
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Some(headers)
    }

    /// The key of an action on an order: stable, so that a repeat carries the same one (fact sheet U10).
    fn action_key(&self, action: &str, order: &ProviderOrderId) -> Option<String> {
        self.settings.key_on_actions.then(|| format!("{action}-{order}"))
    }

    async fn create_order(
        &self,
        key: &ProviderKey,
        request: &StoredRequest,
        code: Option<&CardCode>,
    ) -> Outcome<Created> {
        let Some(body) = wire::fill(request, code) else {
            return Outcome::Refused(Refusal::CardCodeMissing);
        };
        let deadline = self.settings.deadlines.create;
        let ask = self.post(Rank::Rest, deadline, wire::RETAIL_ORDERS, Some(key.as_str()), Some(body));
        match self.send(ask).await {
            Reply::Accepted { body, .. } => {
                match body.json().as_ref().and_then(OrderAnswer::read) {
                    // Accepted and already at its end: there is nothing that could be paid for.
                    Some(OrderAnswer { stage: Some(OrderStage::Failed | OrderStage::Reversed), .. }) => {
                        Outcome::Refused(Refusal::Declined)
                    }
                    Some(OrderAnswer { id: Some(order), .. }) => Outcome::Done(Created { order }),
                    _ => Outcome::Unknown(Trouble::Unreadable),
                }
            }
            other => refused(other, wire::RETAIL_ORDERS, Asked::Create),
        }
    }

    async fn confirm_order(&self, order: &ProviderOrderId, request: &StoredRequest) -> Outcome<OrderSeen> {
        let Some(body) = wire::fill(request, None) else {
            return Outcome::Refused(Refusal::CardCodeMissing);
        };
        let (path, key) = (wire::action_path(order, "confirm"), self.action_key("confirm", order));
        let deadline = self.settings.deadlines.confirm;
        let ask = self.post(Rank::Running, deadline, &path, key.as_deref(), Some(body));
        seen(self.send(ask).await, &path, order, true)
    }

    async fn look_up(&self, order: &ProviderOrderId) -> Outcome<OrderSeen> {
        let path = wire::order_path(order);
        let ask = self.get(Rank::Running, self.settings.deadlines.lookup, &path);
        seen(self.send(ask).await, &path, order, false)
    }

    async fn invalidate_order(&self, order: &ProviderOrderId) -> Outcome<UndoAnswer> {
        let (path, key) = (wire::action_path(order, "invalidate"), self.action_key("invalidate", order));
        let ask = self.post(Rank::Undo, self.settings.deadlines.invalidate, &path, key.as_deref(), None);
        match self.send(ask).await {
            // "Done, and there is nothing to say."
            Reply::Accepted { status: 204, body } if body.is_empty() => {
                Outcome::Done(UndoAnswer::Invalidated)
            }
            Reply::Accepted { body, .. } => undone(&body, order),
            other => other.otherwise(|status, body| match Rejection::read(status, body) {
                Some(rejection) => {
                    rejection.log(&path);
                    rejection.undo()
                }
                None => Outcome::Unknown(Trouble::OddStatus(status)),
            }),
        }
    }

    async fn read_products(&self) -> Outcome<Catalogue> {
        let mut catalogue = Catalogue { products: Vec::new(), unreadable: 0, pictures: Vec::new() };
        let mut codes = HashSet::new();
        let read = self
            .pages(wire::PRODUCTS, "products", |entry| {
                let product = catalogue::product(entry, &self.settings.country)
                    .filter(|product| codes.len() < MOST_PRODUCTS && codes.insert(product.code.clone()));
                match product {
                    Some(product) => {
                        if catalogue.pictures.len() < MOST_PICTURES
                            && let Some(address) = self.picture_of(entry, &product)
                        {
                            catalogue.pictures.push((product.code.clone(), address));
                        }
                        catalogue.products.push(product);
                    }
                    None => catalogue.unreadable = catalogue.unreadable.saturating_add(1),
                }
            })
            .await;
        match read {
            Ok(()) => Outcome::Done(catalogue),
            Err(reply) => refused(reply, wire::PRODUCTS, Asked::List),
        }
    }

    /// The picture that a product of this country names. What is not sold here is shown nowhere.
    fn picture_of(&self, entry: &Node, product: &Product) -> Option<PictureAddress> {
        let pictures =
            self.settings.pictures.as_ref().filter(|_| product.country == self.settings.country)?;
        let text = catalogue::picture(entry, &pictures.field)?;
        let address = PictureAddress::read(text, self.line.origin(), &self.picture_hosts);
        if address.is_none() {
            tracing::debug!(provider = "finperks", product = %product.code, "its picture lies where none is fetched");
        }
        address
    }

    async fn fetch_picture(&self, address: &PictureAddress) -> Result<Picture, NoPicture> {
        let own = self.line.origin().holds(address.url());
        if own && (self.pictures_rest.is_on() || self.pace.idle_turn().await.is_err()) {
            return Err(NoPicture::NotNow);
        }
        let reply = self.line.fetch(address.url().clone(), picture::ACCEPT, picture::LARGEST).await;
        if let (true, Reply::Later { status: Some(429), retry_after }) = (own, &reply) {
            // Whoever serves pictures says this of pictures: no sale and no undo waits for it.
            self.pictures_rest.begin(retry_after.unwrap_or(UNNAMED_PAUSE));
        }
        Picture::of(reply)
    }

    async fn read_stores(&self) -> Outcome<Vec<Store>> {
        let mut stores = Vec::new();
        let read = self
            .pages(wire::STORES, "stores", |entry| {
                if stores.len() < MOST_PRODUCTS {
                    stores.extend(catalogue::store(entry));
                }
            })
            .await;
        match read {
            Ok(()) => Outcome::Done(stores),
            Err(reply) => refused(reply, wire::STORES, Asked::List),
        }
    }

    /// Reads a list page by page and shows every entry to `each`. Stops where the provider goes in circles.
    async fn pages(
        &self,
        path: &str,
        resource: &str,
        mut each: impl FnMut(&Node) + Send,
    ) -> Result<(), Reply> {
        let deadline = self.settings.deadlines.other;
        let mut url = self.line.origin().at(path);
        let mut seen = HashSet::from([url.clone()]);
        for _ in 0..MOST_PAGES {
            let ask = Ask { url: url.clone(), most: LARGEST_PAGE, ..self.get(Rank::Rest, deadline, path) };
            let reply = self.send(ask).await;
            let Reply::Accepted { body, .. } = &reply else { return Err(reply) };
            let Some(root) = body.json() else { return Err(reply) };
            let Some(entries) = catalogue::entries(&root, resource) else { return Err(reply) };
            entries.iter().for_each(&mut each);
            url = match catalogue::next(&root) {
                None => return Ok(()),
                Some(Next::Link(link)) => match url.join(&link) {
                    Ok(next) if self.line.origin().holds(&next) => next,
                    // Half a list must not pass for the whole.
                    _ => return Err(reply),
                },
                Some(Next::Cursor(cursor)) => {
                    let mut next = self.line.origin().at(path);
                    next.query_pairs_mut().append_pair("cursor", &cursor);
                    next
                }
            };
            url.set_fragment(None);
            if !seen.insert(url.clone()) {
                break;
            }
        }
        tracing::warn!(
            provider = "finperks",
            path,
            "the list goes in circles or beyond 50 pages; read so far"
        );
        Ok(())
    }

    async fn read_balances(&self) -> Outcome<Vec<Balance>> {
        match self.send(self.get(Rank::Rest, self.settings.deadlines.other, wire::BALANCES)).await {
            Reply::Accepted { body, .. } => match body.json().as_ref().and_then(catalogue::balances) {
                Some(balances) => Outcome::Done(balances),
                None => Outcome::Unknown(Trouble::Unreadable),
            },
            other => refused(other, wire::BALANCES, Asked::List),
        }
    }

    async fn add_store(&self, template: &str) -> Outcome<Store> {
        let own = Node::read(template.as_bytes()).filter(Node::is_map);
        let Some(own) = own.filter(|_| template.len() <= LARGEST_TEMPLATE) else {
            return Outcome::Refused(Refusal::RequestNotUnderstood);
        };
        let key = self
            .settings
            .key_on_actions
            .then(|| format!("store-{}", hex::encode(Sha256::digest(template)).split_at(32).0));
        let body = Zeroizing::new(template.as_bytes().to_vec());
        let deadline = self.settings.deadlines.other;
        let ask = self.post(Rank::Rest, deadline, wire::STORES, key.as_deref(), Some(body));
        match self.send(ask).await {
            Reply::Accepted { body, .. } => {
                let answer = body.json().filter(Node::is_map);
                // An answer that names no store is about the one that was sent.
                match answer.and_then(|answer| catalogue::store(&answer).or_else(|| catalogue::store(&own))) {
                    Some(store) => Outcome::Done(store),
                    None => Outcome::Unknown(Trouble::Unreadable),
                }
            }
            other => refused(other, wire::STORES, Asked::List),
        }
    }
}

/// How long a call may stand in the line: half of its deadline, the rest is for the call itself.
fn patience(deadline: Duration) -> Duration {
    deadline / 2
}

/// The outcome of a reply that brings nothing.
fn refused<T>(reply: Reply, path: &str, asked: Asked) -> Outcome<T> {
    reply.otherwise(|status, body| match Rejection::read(status, body) {
        Some(rejection) => {
            rejection.log(path);
            rejection.outcome(asked)
        }
        None => Outcome::Unknown(Trouble::OddStatus(status)),
    })
}

fn seen(reply: Reply, path: &str, order: &ProviderOrderId, confirmed: bool) -> Outcome<OrderSeen> {
    match reply {
        Reply::Accepted { body, .. } => {
            let answer = body.json().as_ref().and_then(OrderAnswer::read);
            match answer.and_then(|answer| answer.seen(order, confirmed)) {
                Some(seen) => Outcome::Done(seen),
                None => Outcome::Unknown(Trouble::Unreadable),
            }
        }
        other => refused(other, path, Asked::Order),
    }
}

/// An accepted undo. It must name the right order, and say that it is reversed or nothing of its state; whatever else it
/// says (a gateway's word, for example), the undo is asked for again, and the answer to that is unmistakable
/// (`order_invalidated`).
fn undone(body: &Body, order: &ProviderOrderId) -> Outcome<UndoAnswer> {
    let Some(answer) = body.json().as_ref().and_then(OrderAnswer::read) else {
        return Outcome::Unknown(Trouble::Unreadable);
    };
    if answer.id.is_none_or(|id| id != *order) {
        return Outcome::Unknown(Trouble::Unreadable);
    }
    match answer.stage {
        Some(OrderStage::Reversed) => Outcome::Done(UndoAnswer::Invalidated),
        Some(OrderStage::Failed) => Outcome::Done(UndoAnswer::OrderFailed),
        Some(OrderStage::InProgress) => Outcome::Done(UndoAnswer::StillProcessing),
        None => Outcome::Done(UndoAnswer::Invalidated),
        Some(OrderStage::Open | OrderStage::Done | OrderStage::Unrecognised) => {
            Outcome::Unknown(Trouble::Unreadable)
        }
    }
}

impl fmt::Debug for Finperks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Finperks({:?}, {})", self.line, self.settings.profile.name())
    }
}

impl GiftCards for Finperks {
    fn name(&self) -> &'static str {
        "finperks"
    }

    fn deadlines(&self) -> Deadlines {
        self.settings.deadlines
    }

    fn confirm_is_repeatable(&self) -> bool {
        self.settings.confirm_repeatable
    }

    fn undo_window(&self, product: &ProductCode) -> Option<Duration> {
        self.settings.undo_windows.get(product).copied()
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        self.line.clock_offset_ms()
    }

    fn rack_code(&self, product: &ProductCode) -> Option<RackCode> {
        self.settings.posa.of(product).map(|rule| match rule {
            PosaRule::ScannedAsProductCode => RackCode::Product,
            PosaRule::ExtraField(_) => RackCode::Card,
        })
    }

    fn prepare_create(&self, facts: &CreateFacts<'_>) -> Result<StoredRequest, Refusal> {
        wire::create(facts, &self.settings.posa)
    }

    fn prepare_confirm(&self, facts: &ConfirmFacts) -> StoredRequest {
        wire::confirm(facts, &self.settings.payment_words)
    }

    fn create<'a>(
        &'a self,
        key: &'a ProviderKey,
        request: &'a StoredRequest,
        code: Option<&'a CardCode>,
    ) -> BoxFuture<'a, Outcome<Created>> {
        self.create_order(key, request, code).boxed()
    }

    fn confirm<'a>(
        &'a self,
        order: &'a ProviderOrderId,
        request: &'a StoredRequest,
    ) -> BoxFuture<'a, Outcome<OrderSeen>> {
        self.confirm_order(order, request).boxed()
    }

    fn lookup<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<OrderSeen>> {
        self.look_up(order).boxed()
    }

    fn invalidate<'a>(&'a self, order: &'a ProviderOrderId) -> BoxFuture<'a, Outcome<UndoAnswer>> {
        self.invalidate_order(order).boxed()
    }

    fn products(&self) -> BoxFuture<'_, Outcome<Catalogue>> {
        self.read_products().boxed()
    }

    fn has_pictures(&self) -> bool {
        self.settings.pictures.is_some()
    }

    fn picture<'a>(&'a self, address: &'a PictureAddress) -> BoxFuture<'a, Result<Picture, NoPicture>> {
        self.fetch_picture(address).boxed()
    }

    fn balances(&self) -> BoxFuture<'_, Outcome<Vec<Balance>>> {
        self.read_balances().boxed()
    }

    fn stores(&self) -> BoxFuture<'_, Outcome<Vec<Store>>> {
        self.read_stores().boxed()
    }

    fn register_store<'a>(&'a self, template: &'a str) -> BoxFuture<'a, Outcome<Store>> {
        self.add_store(template).boxed()
    }
}
