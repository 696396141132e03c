//! Gift Local: vouchers that are validated, redeemed, and, where the shop's contract says how, given back.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what an operator decides, checked |
//! | `wire` | paths, field names, bodies |
//! | `amount` | exact amounts and quantities |
//! | `answers` | what an answer says of a voucher and a redemption |
//! | `refusals` | every way to say no, and what it is to the counter |
//! | here | one call after another: pace, key, line, reading |
//!
//! The provider offers little to be sure with: no idempotency key, no look-up, and two identical redeems debit twice (fact
//! sheet 3). So every call is sent exactly once, and what became of a redeem that was not answered can only be compared
//! ([`Recourse::Comparable`]). A reversal is sent only where its path and its field are configured; elsewhere it is refused
//! here, and a manager's case.
//!
//! Somebody in between who gives up on a call (408) may have passed it on before. That asks for patience only where a call may
//! be sent twice; what became of a redeem or a reversal is then unknown.
//!
//! A call waits for its turn at most half of its deadline, so that one that is never sent ends as *later* and not as a
//! deadline, which would be *unknown*. After a 429 every call is *later* until the pause that it named is over.
//!
//! Absent: sending gifts and registering merchants, which no till does; the scheduling override; any memory but the pace and
//! the offset of the clock.

mod amount;
mod answers;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
mod refusals;
mod settings;
mod wire;

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use tilld_domain::ids::{ProviderKey, ProviderRedemptionId};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{
    Offers, Recourse, Redeemed, RedemptionSeen, ReverseAnswer, VoucherCode, VoucherShown,
};
use zeroize::Zeroizing;

pub use self::settings::{DEADLINES, Location, ReverseCall, Settings};

use self::refusals::Rejection;
use crate::StoredRequest;
use crate::http::{Call, LARGEST_ANSWER, Line, Reply, SetUpError};
use crate::pace::{Pace, Rank};
use crate::vouchers::{RedeemFacts, ValidateFacts, VoucherDeadlines, Vouchers};

/// The pause after a 429 that names none.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);
/// A token of the form that public tokens have, which says what it is to whoever reads the provider's log.
const NOBODYS: &str = "tilld-doctor-no-such-voucher";

/// The provider Gift Local, as one client of theirs sees it.
pub struct GiftLocal {
    settings: Settings,
    line: Line,
    pace: Pace,
}

impl GiftLocal {
    /// Checks the settings and builds the line; nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, SetUpError> {
        let origin = settings.check()?;
        let pace = Pace::new(settings.pace).ok_or(SetUpError::Rate)?;
        let line = Line::new("giftlocal", origin, settings.extra_roots.as_deref())?;
        Ok(Self { settings, line, pace })
    }

    /// Looks for a voucher that nobody has, to see whether address, key and location are right: there is no call that asks less.
    /// It takes nothing, and no terminal counts it as a wrong code (fact sheet 2).
    pub async fn self_check(&self) -> Outcome<()> {
        let Some(nobodys) = VoucherCode::token(NOBODYS) else { return Outcome::NotSent(Trouble::Connect) };
        match self.look(&nobodys, ValidateFacts::default()).await {
            Outcome::Done(_) | Outcome::Refused(Refusal::VoucherNotFound) => Outcome::Done(()),
            Outcome::Refused(why) => Outcome::Refused(why),
            Outcome::Later { retry_after } => Outcome::Later { retry_after },
            Outcome::NotSent(trouble) => Outcome::NotSent(trouble),
            Outcome::Unknown(trouble) => Outcome::Unknown(trouble),
        }
    }

    /// Sends a body, once.
    async fn post(&self, rank: Rank, deadline: Duration, path: &str, body: Zeroizing<Vec<u8>>) -> Reply {
        // The other half of the deadline is for the call itself.
        if let Err(not_yet) = self.pace.turn(rank, deadline / 2).await {
            return Reply::Later { status: None, retry_after: Some(not_yet.retry_after) };
        }
        let Some(headers) = self.headers() else {
            // A key that cannot be a header's value: no checked setting leads here.
            return Reply::NotSent(Trouble::Connect);
        };
        let url = self.line.origin().at(path);
        let call = Call { method: Method::POST, url, headers, body: Some(body), most: LARGEST_ANSWER };
        let reply = self.line.send(call).await;
        if let Reply::Later { status: Some(429), retry_after } = &reply {
            self.pace.pause(retry_after.unwrap_or(UNNAMED_PAUSE));
        }
        reply
    }

    fn headers(&self) -> Option<HeaderMap> {
        // The key is the whole value: no scheme stands before it (fact sheet 1).
        let mut authorization = HeaderValue::try_from(self.settings.api_key.reveal()).ok()?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Some(headers)
    }

    async fn look(&self, code: &VoucherCode, facts: ValidateFacts<'_>) -> Outcome<VoucherShown> {
        let body = match wire::validate(&self.settings.location, code, &facts) {
            Ok(body) => body,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let deadline = self.settings.deadlines.validate;
        match self.post(Rank::Rest, deadline, wire::VALIDATE, body).await {
            Reply::Accepted { body, .. } => {
                let root = body.exact_json();
                let read = |root| answers::validated(root, self.settings.currency, facts.target);
                match root.as_ref().and_then(read) {
                    Some(shown) => Outcome::Done(shown),
                    None => Outcome::Unknown(Trouble::Unreadable),
                }
            }
            other => refused(other, wire::VALIDATE, refusals::Call::Validate),
        }
    }

    async fn take(&self, request: &StoredRequest) -> Outcome<Redeemed> {
        // What cannot be read again was not written here: it may lack the amount, and take everything.
        let Some(asked) = wire::asked(request) else {
            return Outcome::Refused(Refusal::RequestNotUnderstood);
        };
        let body = Zeroizing::new(request.0.as_bytes().to_vec());
        let deadline = self.settings.deadlines.redeem;
        match sent_once(self.post(Rank::Running, deadline, wire::REDEEM, body).await) {
            Reply::Accepted { body, .. } => {
                let root = body.exact_json();
                match root.and_then(|root| answers::redeemed(&root, &asked, self.settings.currency)) {
                    Some(redeemed) => Outcome::Done(redeemed),
                    None => Outcome::Unknown(Trouble::Unreadable),
                }
            }
            other => refused(other, wire::REDEEM, refusals::Call::Redeem),
        }
    }

    async fn give_back(&self, redemption: &ProviderRedemptionId) -> Outcome<ReverseAnswer> {
        let not_set_up = Outcome::Done(ReverseAnswer::Refused(Refusal::ReversalNotSetUp));
        let Some(call) = &self.settings.reverse else { return not_set_up };
        let Some(body) = wire::reverse(&self.settings.location, call, redemption) else { return not_set_up };
        let deadline = self.settings.deadlines.reverse;
        match sent_once(self.post(Rank::Undo, deadline, &call.path, body).await) {
            Reply::Accepted { body, .. } => {
                let root = body.exact_json();
                match root.and_then(|root| answers::reversed(&root, redemption)) {
                    Some(answer) => Outcome::Done(answer),
                    None => Outcome::Unknown(Trouble::Unreadable),
                }
            }
            other => other.otherwise(|status, body| match Rejection::read(status, body) {
                Some(rejection) => {
                    rejection.log(&call.path);
                    Outcome::Done(rejection.reversal())
                }
                None => Outcome::Unknown(Trouble::OddStatus(status)),
            }),
        }
    }
}

/// The reply to a call that moves value.
fn sent_once(reply: Reply) -> Reply {
    match reply {
        Reply::Later { status: Some(status @ 408), .. } => Reply::Unknown(Trouble::OddStatus(status)),
        reply => reply,
    }
}

/// The outcome of a reply that brings nothing.
fn refused<T>(reply: Reply, path: &str, call: refusals::Call) -> Outcome<T> {
    reply.otherwise(|status, body| match Rejection::read(status, body) {
        Some(rejection) => {
            rejection.log(path);
            rejection.outcome(call)
        }
        None => Outcome::Unknown(Trouble::OddStatus(status)),
    })
}

impl fmt::Debug for GiftLocal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "GiftLocal({:?})", self.line)
    }
}

impl Vouchers for GiftLocal {
    fn name(&self) -> &'static str {
        "giftlocal"
    }

    fn deadlines(&self) -> VoucherDeadlines {
        self.settings.deadlines
    }

    fn offers(&self) -> Offers {
        Offers { recourse: Recourse::Comparable, reversal: self.settings.reversal() }
    }

    fn scan_rules(&self) -> &ScanRules {
        &self.settings.scan
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        self.line.clock_offset_ms()
    }

    fn validate<'a>(
        &'a self,
        code: &'a VoucherCode,
        facts: ValidateFacts<'a>,
    ) -> BoxFuture<'a, Outcome<VoucherShown>> {
        self.look(code, facts).boxed()
    }

    fn prepare_redeem(&self, facts: &RedeemFacts<'_>) -> Result<StoredRequest, Refusal> {
        wire::redeem(&self.settings.location, facts)
    }

    /// Neither the key nor the code is sent: the provider takes no key, and the body names the voucher.
    fn redeem<'a>(
        &'a self,
        _key: &'a ProviderKey,
        request: &'a StoredRequest,
        _code: Option<&'a VoucherCode>,
    ) -> BoxFuture<'a, Outcome<Redeemed>> {
        self.take(request).boxed()
    }

    /// There is no such call (fact sheet 7a).
    fn lookup<'a>(&'a self, _key: &'a ProviderKey) -> BoxFuture<'a, Outcome<RedemptionSeen>> {
        futures_util::future::ready(Outcome::NotSent(Trouble::Connect)).boxed()
    }

    fn reverse<'a>(&'a self, redemption: &'a ProviderRedemptionId) -> BoxFuture<'a, Outcome<ReverseAnswer>> {
        self.give_back(redemption).boxed()
    }
}
