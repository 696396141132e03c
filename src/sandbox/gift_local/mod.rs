//! The simulated Gift Local: validate, redeem, reverse (fact sheet, section 9).
//!
//! It stands for a provider that offers little to be sure with: no idempotency key, no lookup, a missing amount that
//! redeems everything, and only the balance to look at again. It can be told to behave in each way that the real one
//! may, because much of it is not documented.
//!
//! | file | holds |
//! |---|---|
//! | `admission` | who is asking, what for, how often |
//! | `request`, `refusal`, `number` | what comes in; every way to say no; exact numbers |
//! | `switches` | how it behaves |
//! | `voucher`, `catalogue`, `ledger` | its business |
//! | `shape` | its answers, in every shape that the vendor's may have |
//! | `statement` | what it tells about itself afterwards |
//! | `control` | what its control door can do that others cannot, with examples |
//!
//! Invariants: for every gift `left = issued + moved in − moved out − debits + reversals`; none is below zero unless a
//! switch says so; every movement has its time, and a debit or reversal the id of its redemption.
//!
//! Deliberately absent: sending gifts and registering merchants, which no counter does; the "RD code", the scheduling
//! override and the interface field, whose names are not known.

mod admission;
mod catalogue;
mod control;
mod ledger;
mod number;
mod refusal;
mod request;
mod shape;
mod statement;
mod switches;
mod voucher;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use serde::Serialize;

pub use catalogue::Location;
pub use control::{NewVoucher, VoucherChange};
pub use number::NumberForm;
pub use refusal::ErrorShape;
pub use request::CallKind;
pub use statement::{Entry, RedemptionStatement, Statement, Total, VoucherStatement};
pub use switches::{
    CurrencyShown, EligiblePlace, EmptyNumber, Envelope, IdenticalRedeem, JsonType, KeyCovers, KeyStanding,
    NullAmount, Oddity, OverBalance, Rest, SecondReversal, Switches, Texts, TotalShown, WrongLocation,
};

use crate::answer::Answer;
use crate::faults::Fault;
use crate::house::{Asked, House, Provider, World};
use crate::rate::Window;
use admission::Job;
use ledger::{Ledger, Rules};
use refusal::{Code, Refusal};
use shape::Shown;

/// How a sandbox starts, and what a reset goes back to.
#[derive(Clone)]
pub struct Settings {
    /// Where the provider listens; a loopback address, port 0 for any free one.
    pub provider: SocketAddr,
    /// Where the control door listens; likewise.
    pub control: SocketAddr,
    /// The whole value of the `Authorization` header.
    pub api_key: String,
    /// The behaviour at first.
    pub switches: Switches,
}

impl Default for Settings {
    /// The key is made up and published: it opens a sandbox and nothing else.
    fn default() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            provider: anywhere,
            control: anywhere,
            api_key: "sandbox-gift-local-0123456789abcdef".to_owned(),
            switches: Switches::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Settings(provider {}, control {}, …)", self.provider, self.control)
    }
}

/// What the call log says of a call to Gift Local beside the common. No code and no token is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CallDetail {
    /// What the gift was named by: `code`, `token`, `id`, or `several`.
    pub named_by: Option<&'static str>,
    /// Of a redeem: the number's exact text as it was sent, `null`, `absent`, or `no number`.
    pub amount: Option<String>,
    /// The location, as it was sent.
    pub organization_id: Option<String>,
    /// The gift, as it was sent or as it was found.
    pub voucher_id: Option<String>,
    /// The redemption that was made, or that shall be reversed.
    pub redemption_id: Option<String>,
}

/// A call, as the log keeps it.
pub type CallRecord = crate::CallRecord<CallKind, CallDetail>;

/// A fault for Gift Local's calls.
pub type QueuedFault = crate::QueuedFault<CallKind>;

/// The simulated Gift Local.
pub type Sandbox = crate::Sandbox<GiftLocal>;

/// Starts a sandbox within the present Tokio runtime. Fails if an address is not on loopback or not free.
pub async fn start(settings: Settings) -> io::Result<Sandbox> {
    let (provider, control) = (settings.provider, settings.control);
    crate::open(settings, provider, control).await
}

impl Sandbox {
    /// The whole value of the `Authorization` header.
    pub fn api_key(&self) -> &str {
        &self.settings().api_key
    }

    /// The books. Codes are masked in its text forms and in its JSON; [`crate::Issued::reveal`] gives them.
    pub fn ledger(&self) -> Statement {
        Statement::of(&self.house.world().provider.ledger, false)
    }

    /// Issues a gift; the error is a sentence.
    pub fn issue(&self, voucher: NewVoucher) -> Result<VoucherStatement, String> {
        control::issue(&self.house, voucher, false)
    }

    /// Blocks a gift or moves its period, by its id or name; the error is a sentence.
    pub fn change(&self, voucher: &str, change: VoucherChange) -> Result<(), String> {
        control::change(&self.house, voucher, change)
    }

    /// Spends so much of a gift at another site, by its id or name, as decimal text; the error is a sentence.
    pub fn spend(&self, voucher: &str, amount: &str) -> Result<RedemptionStatement, String> {
        control::spend(&self.house, voucher, amount)
    }

    /// Gives a redemption back as the vendor's support would; false unless it stands.
    pub fn give_back(&self, redemption: &str) -> bool {
        control::give_back(&self.house, redemption)
    }
}

/// Gift Local's own books.
pub struct GiftLocal {
    api_key: String,
    ledger: Ledger,
    window: Window,
}

impl fmt::Debug for GiftLocal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("GiftLocal(…)")
    }
}

impl Provider for GiftLocal {
    const NAME: &'static str = "gift-local";
    const ROUTES: &'static str = " | GET /ledger?reveal=1 | POST /vouchers | PATCH /vouchers/{id or name} | \
        POST /vouchers/{id or name}/spend | POST /redemptions/{id}/give-back";
    const FAULT: &'static str = r#"{"call":"redeem","fault":{"kind":"drop_answer","how":"silence"}}"#;
    type Call = CallKind;
    type Switches = Switches;
    type Settings = Settings;
    type Detail = CallDetail;
    type Job = Job;

    fn new(settings: &Settings, _: SocketAddr) -> Self {
        Self {
            api_key: settings.api_key.clone(),
            ledger: Ledger::new(Timestamp::now()),
            window: Window::default(),
        }
    }

    fn switches(settings: &Settings) -> Switches {
        settings.switches.clone()
    }

    fn check(switches: &Switches) -> Result<(), String> {
        switches.check()
    }

    /// Nothing here has a `state`.
    fn knows(fault: &Fault) -> bool {
        !matches!(fault, Fault::UnknownState { .. })
    }

    fn names(&self) -> Vec<String> {
        self.ledger.vouchers.iter().map(|voucher| voucher.name.clone()).collect()
    }

    fn admit(world: &mut World<Self>, asked: Asked) -> Result<(CallKind, Job), Answer> {
        let n = asked.n;
        admission::admit(world, asked).map_err(|refusal| refused(world, &refusal, n))
    }

    fn carry_out(world: &mut World<Self>, n: u64, job: &Job) -> Answer {
        perform(world, n, job).unwrap_or_else(|refusal| {
            let refusal = echoing(refusal, &world.switches, job);
            refused(world, &refusal, n)
        })
    }

    fn refuse(
        world: &World<Self>,
        n: u64,
        code: &str,
        status: Option<u16>,
        retry_after_s: Option<u32>,
    ) -> Answer {
        let named = Refusal::named(code, status);
        refused(world, &Refusal { retry_after_s, ..named }, n)
    }

    fn broken(world: &World<Self>, n: u64, status: u16) -> Answer {
        refused(world, &Refusal { status, ..Code::Internal.into() }, n)
    }

    fn control() -> Router<Arc<House<Self>>> {
        control::routes()
    }
}

/// A refusal as it goes out.
fn refused(world: &World<GiftLocal>, refusal: &Refusal, n: u64) -> Answer {
    refusal.answer(world.switches.error_shape, world.switches.retry_after, world.now(), n)
}

/// A refusal that repeats what was sent, where the switch says so.
fn echoing(refusal: Refusal, switches: &Switches, job: &Job) -> Refusal {
    let secret = if switches.errors_echo_codes {
        request::fields(&job.body).ok().and_then(|fields| fields.secret())
    } else {
        None
    };
    match secret {
        Some(secret) => Refusal { sentence: format!("{} ({secret})", refusal.sentence).into(), ..refusal },
        None => refusal,
    }
}

fn perform(world: &mut World<GiftLocal>, n: u64, job: &Job) -> Result<Answer, Refusal> {
    if !job.is_json {
        return Err(Code::NotJson.into());
    }
    let fields = request::fields(&job.body)?;
    let now = world.now();
    let World { switches, provider, calls, .. } = world;
    let ledger = &mut provider.ledger;
    let rules = Rules { switches, now, call: Some(n) };
    calls.note(n, |record| record.executed = true);
    let location = ledger.locate(&fields.place()?, switches)?;
    let redemption = match job.call {
        CallKind::Validate => {
            let options = fields.options()?;
            let (place, hindrance) = ledger.validate(&fields.voucher(false)?, location, &options, rules)?;
            let voucher = ledger.vouchers.get(place).ok_or(Code::Internal)?;
            calls.note(n, |record| record.detail.voucher_id = Some(voucher.id.to_string()));
            let ticket = options.articles.is_some();
            return Ok(Shown { voucher, hindrance, ticket, redemption: None }.answer(switches, now));
        }
        CallKind::Redeem => {
            let (named, wanted, options) = (fields.voucher(true)?, fields.wanted()?, fields.options()?);
            ledger.redeem(&named, location, wanted, &options, rules)?
        }
        CallKind::Reverse => {
            ledger.reverse(fields.redemption(&switches.reverse_id_field)?, location, rules)?
        }
    };
    let redemption = ledger.redemptions.get(redemption).ok_or(Code::Internal)?;
    let voucher = ledger.vouchers.get(redemption.voucher).ok_or(Code::Internal)?;
    calls.note(n, |record| {
        record.detail.voucher_id = Some(voucher.id.to_string());
        record.detail.redemption_id = Some(redemption.id.to_string());
    });
    Ok(Shown::after(voucher, redemption, now).answer(switches, now))
}
