//! Vouchers before anything is taken from them: scanned, looked at, and made ready to be redeemed (rows B1, B2, B14).
//!
//! A look lives here, in memory, for as long as [`Rules::shown`](check::Rules::shown): its code, what was seen, and nothing of
//! it in the journal. Its age is counted by the clock that nobody sets. A restart forgets it, and the cashier scans again.
//!
//! Looks of a terminal go one after another: twelve digits can be guessed, and whoever asks a hundred times at once would
//! otherwise have a hundred tries before the first wrong one counts. A wrong code is written down, as an HMAC alone, before
//! the till is told; while nothing can be written, nothing is looked at.
//!
//! Ways to fail: every refusal of [`tilld_domain::voucher::check`], of the scan, of the limit of tries, and of a journal that
//! takes no entry. A look that is dropped in the middle has taken nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tilld_domain::ids::{BasketId, CheckId, Locale, PersonName, ProgramId, ProviderKey, RedemptionId};
use tilld_domain::moment::Moment;
use tilld_domain::redemption::{self, Rules};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::check::{self, Check, Effect, Event, Ready, State, Wish};
use tilld_domain::voucher::tries::Limit;
use tilld_domain::voucher::{Balance, CodeTail, VoucherCode, VoucherSeen, VoucherShown, Worth};
use tilld_providers::vouchers::{RedeemFacts, TargetType, ValidateFacts, Vouchers};
use tokio::sync::Notify;

use crate::book::Book;
use crate::clock::Clock;
use crate::moves::{Mark, Moves};
use crate::perform::LastCall;
use crate::redeeming::Redeeming;
use crate::{Place, blocking};

/// How many looks are kept at once: more than a till has guests in two minutes. The oldest go first.
const MOST_LOOKS: usize = 256;

/// A look as a till asks for it.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// What was scanned or typed.
    pub scan: Secret,
    /// The till's ticket: the text of one JSON object, passed through as it is.
    pub ticket: Option<Secret>,
    /// The programme that the voucher must be of.
    pub program: Option<ProgramId>,
    /// Which sort of voucher it must be.
    pub target: Option<TargetType>,
    /// Who looks.
    pub cashier: Option<PersonName>,
}

/// A redeem as a till asks for it.
#[derive(Debug, Clone)]
pub struct RedeemRequest {
    /// The look that it rests on.
    pub check: CheckId,
    /// For which basket.
    pub basket: BasketId,
    /// How much; always said.
    pub amount: Worth,
    /// Whether the cashier has compared the terms with the basket.
    pub terms_confirmed: bool,
    /// Who redeems.
    pub cashier: Option<PersonName>,
    /// The slip's language, if not the configured one.
    pub locale: Option<Locale>,
}

/// What a look showed.
#[derive(Debug, Clone)]
pub struct CheckNow {
    /// Its name, for the redeem.
    pub check: CheckId,
    /// Until when it may be acted on.
    pub until: Moment,
    /// The last four characters of the code.
    pub code_tail: CodeTail,
    /// What was seen.
    pub shown: VoucherShown,
    /// What the cashier reads.
    pub sentence: String,
}

/// One look, with what it takes to look again.
#[derive(Clone)]
struct Look {
    check: Check,
    /// Taken before it was asked for.
    mark: Mark,
    code: Arc<VoucherCode>,
    ticket: Option<Secret>,
    program: Option<ProgramId>,
    target: Option<TargetType>,
}

/// The looks of this terminal.
pub(crate) struct Looks {
    redeeming: Redeeming,
    journal: Book,
    place: Arc<Place>,
    moves: Arc<Moves>,
    /// The times of a redemption.
    rules: Rules,
    kept: Mutex<HashMap<CheckId, Look>>,
    /// There is one more.
    one_more: Notify,
    /// Held by the one look that goes on.
    turn: tokio::sync::Mutex<()>,
}

impl Looks {
    pub(crate) fn new(
        redeeming: Redeeming,
        journal: Book,
        place: Arc<Place>,
        moves: Arc<Moves>,
        rules: &Rules,
    ) -> Self {
        let (kept, one_more, turn) = (Mutex::default(), Notify::new(), tokio::sync::Mutex::new(()));
        Self { redeeming, journal, place, moves, rules: *rules, kept, one_more, turn }
    }

    pub(crate) fn provider(&self) -> &dyn Vouchers {
        self.redeeming.vouchers.as_ref()
    }

    pub(crate) fn last_call(&self) -> &LastCall {
        &self.redeeming.last
    }

    fn clock(&self) -> &dyn Clock {
        self.redeeming.clock.as_ref()
    }

    /// The moment by which the age of a look is counted: the counter's own time may follow a wall clock that is set back, and
    /// what was seen would be of this moment for hours.
    fn steady(&self) -> Moment {
        Moment::from_ms(0).plus(self.clock().steady())
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<CheckId, Look>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a voucher.
    pub(crate) async fn look(&self, request: CheckRequest) -> Result<CheckNow, Refusal> {
        let CheckRequest { scan, ticket, program, target, cashier } = request;
        let code = Arc::new(self.provider().scan_rules().read(scan.reveal())?);
        let (check, _) = Check::open(check::Rules::DESIGN, self.steady());
        let look = Look { check, mark: self.moves.mark(), code, ticket, program, target };
        let look = self.settle(look, cashier.as_ref()).await?;
        let id = CheckId::new(self.clock().new_id());
        let now = self.shown(id, &look)?;
        self.keep(id, look);
        Ok(now)
    }

    /// What is seen of a voucher that was scanned again, for a redemption that is being found out (row B4).
    pub(crate) async fn look_again(&self, scan: &Secret) -> Result<VoucherSeen, Refusal> {
        let code = Arc::new(self.provider().scan_rules().read(scan.reveal())?);
        let (check, _) = Check::open(check::Rules::DESIGN, self.steady());
        let mark = self.moves.mark();
        let look = Look { check, mark, code, ticket: None, program: None, target: None };
        match self.settle(look, None).await?.check.state {
            State::Seen { shown, .. } => Ok(shown.seen),
            State::Ended { why, .. } => Err(why),
            State::Asking { .. } => Err(Refusal::VoucherNotChecked),
        }
    }

    /// Makes a redemption out of a look, looking again where what was seen is not of this moment, or where something happened
    /// to a redemption of that voucher since; with the mark of the look.
    pub(crate) async fn opening(
        &self,
        request: RedeemRequest,
    ) -> Result<(redemption::Opening, Mark), Refusal> {
        let wish = Wish { amount: request.amount, terms_confirmed: request.terms_confirmed };
        // It stays where it is: the same request may come twice at once.
        let mut look = self.kept().get(&request.check).cloned().ok_or(Refusal::CheckExpired)?;
        let mut ready = look.check.ready(self.steady(), wish);
        if let Ok(Ready::Redeem(seen)) = &ready
            && self.moves.since(look.mark, &seen.voucher)
        {
            ready = Ok(Ready::LookAgain);
        }
        if ready == Ok(Ready::LookAgain) {
            let (now, mark) = (self.steady(), self.moves.mark());
            let (check, _) = look.check.step(now, Event::LookAgain).map_err(|_| Refusal::CheckExpired)?;
            look = self.settle(Look { check, mark, ..look }, request.cashier.as_ref()).await?;
            ready = look.check.ready(self.steady(), wish);
        }
        let made = match ready {
            Ok(Ready::Redeem(seen)) => self.make(&request, &look, seen).map(|opening| (opening, look.mark)),
            Ok(Ready::LookAgain) => Err(Refusal::CheckExpired),
            Err(why) => Err(why),
        };
        // Another amount may be tried, and the same request may be repeated.
        self.keep(request.check, look);
        made
    }

    fn make(
        &self,
        request: &RedeemRequest,
        look: &Look,
        seen: VoucherSeen,
    ) -> Result<redemption::Opening, Refusal> {
        let State::Seen { shown, .. } = &look.check.state else { return Err(Refusal::CheckExpired) };
        // What a till says of its basket may limit what is eligible, and no later reading knows of it.
        let of_the_voucher_alone = look.ticket.is_none() && look.program.is_none() && look.target.is_none();
        let before = Balance { left: seen.left, eligible: seen.worth().filter(|_| of_the_voucher_alone) };
        let provider = self.provider();
        let prepared = provider.prepare_redeem(&RedeemFacts {
            voucher: &seen.voucher,
            amount: request.amount,
            store: &self.place.store,
            terminal: &self.place.terminal,
            target: look.target,
        })?;
        let new_id = || self.clock().new_id();
        Ok(redemption::Opening {
            redemption: RedemptionId::new(new_id()),
            basket: request.basket.clone(),
            provider: provider.name().to_owned(),
            store: self.place.store.clone(),
            terminal: self.place.terminal.clone(),
            country: self.place.country.clone(),
            cashier: request.cashier.clone(),
            locale: request.locale.clone().unwrap_or_else(|| self.place.locale.clone()),
            rules: self.rules.of_a_provider(provider.offers(), provider.deadlines().redeem),
            voucher: seen.voucher,
            kind: seen.kind,
            item: shown.item.clone(),
            code_tail: look.code.tail(),
            code: Some(VoucherCode::clone(&look.code)),
            amount: request.amount,
            before,
            key: new_id().to_string().parse::<ProviderKey>().map_err(|_| Refusal::Busy)?,
            request: prepared.0,
        })
    }

    /// Asks the provider until the look is at rest.
    async fn settle(&self, mut look: Look, by: Option<&PersonName>) -> Result<Look, Refusal> {
        let _turn = self.turn.lock().await;
        let journal = self.journal.clone();
        let tries = blocking(self.clock(), move || journal.tries(Limit::DESIGN)).await?.map_err(|error| {
            tracing::error!(%error, "the wrong codes of this terminal cannot be read");
            Refusal::JournalDown
        })?;
        tries.may_try(Limit::DESIGN, self.clock().now())?;
        let until = match &look.check.state {
            State::Asking { since, .. } => since.plus(look.check.rules.ask),
            State::Seen { .. } | State::Ended { .. } => return Ok(look),
        };
        let mut next = Some(Effect::Validate { after: Duration::ZERO, until });
        while let Some(Effect::Validate { after, until }) = next.take() {
            if !after.is_zero() {
                self.clock().sleep(after).await;
            }
            let facts =
                ValidateFacts { ticket: look.ticket.as_ref(), program: look.program, target: look.target };
            let left = until.since(self.steady());
            let outcome = self.redeeming.validate(&look.code, facts, left).await;
            let (check, effects) = look
                .check
                .step(self.steady(), Event::ValidateEnded(outcome))
                .map_err(|_| Refusal::VoucherNotChecked)?;
            look.check = check;
            next = effects.into_iter().next();
        }
        if look.check.was_a_wrong_code() {
            self.note_wrong(&look.code, by).await?;
        }
        match &look.check.state {
            State::Ended { why, .. } => Err(why.clone()),
            State::Asking { .. } | State::Seen { .. } => Ok(look),
        }
    }

    async fn note_wrong(&self, code: &Arc<VoucherCode>, by: Option<&PersonName>) -> Result<(), Refusal> {
        let (journal, code, at, by) =
            (self.journal.clone(), Arc::clone(code), self.clock().now(), by.cloned());
        let noted = blocking(self.clock(), move || journal.note_wrong_code(&code, at, by.as_ref())).await?;
        noted.map_err(|error| {
            tracing::error!(%error, "a wrong code cannot be noted");
            Refusal::JournalDown
        })
    }

    /// For how long the terminal is still locked by wrong codes; none if it is not, or if nobody can tell.
    pub(crate) async fn locked_for(&self) -> Option<Duration> {
        let journal = self.journal.clone();
        let tries = blocking(self.clock(), move || journal.tries(Limit::DESIGN)).await.ok()?.ok()?;
        let now = self.clock().now();
        Some(tries.again(Limit::DESIGN, now)?.since(now))
    }

    /// A manager lets the terminal try again.
    pub(crate) async fn unlock(&self, by: PersonName) -> Result<(), Refusal> {
        let (journal, at) = (self.journal.clone(), self.clock().now());
        let unlocked = blocking(self.clock(), move || journal.unlock_tries(at, &by)).await?;
        unlocked.map_err(|error| {
            tracing::error!(%error, "wrong codes cannot be forgiven");
            Refusal::JournalDown
        })
    }

    /// A look that was kept, as it is.
    pub(crate) fn kept_look(&self, check: CheckId) -> Result<CheckNow, Refusal> {
        let kept = self.kept();
        let look = kept.get(&check).filter(|look| self.steady() < look.check.expires());
        self.shown(check, look.ok_or(Refusal::CheckExpired)?)
    }

    fn keep(&self, id: CheckId, look: Look) {
        let mut kept = self.kept();
        if kept.len() >= MOST_LOOKS
            && let Some(oldest) = kept.iter().min_by_key(|(_, look)| look.check.expires()).map(|(id, _)| *id)
        {
            kept.remove(&oldest);
        }
        kept.insert(id, look);
        self.one_more.notify_one();
    }

    /// Drops every look when its time is up, and its code with it. Never ends.
    pub(crate) async fn drop_in_time(self: Arc<Self>) {
        loop {
            let next = self.kept().values().map(|look| look.check.expires()).min();
            match next {
                None => self.one_more.notified().await,
                Some(next) => {
                    self.clock().sleep(next.since(self.steady())).await;
                    let now = self.steady();
                    self.kept().retain(|_, look| now < look.check.expires());
                }
            }
        }
    }

    fn shown(&self, id: CheckId, look: &Look) -> Result<CheckNow, Refusal> {
        let State::Seen { shown, .. } = &look.check.state else { return Err(Refusal::VoucherNotChecked) };
        Ok(CheckNow {
            check: id,
            until: self.clock().now().plus(look.check.expires().since(self.steady())),
            code_tail: look.code.tail(),
            shown: VoucherShown::clone(shown),
            sentence: look.check.sentence(),
        })
    }
}
