//! A guest with a voucher, the till and the cashier who redeem it for a basket, and what the till counts: a book of its own.
//!
//! The till counts what it was told counts, no more; it repeats what got no answer under its key, and scans anew what was not
//! begun. No other payment is taken while nobody knows, and it is taken at once where the voucher does not count. Goods leave
//! when they are paid, and then the till says that the basket is completed. Asked whether a voucher was used, the cashier says
//! whether the goods have left.

use std::sync::Arc;
use std::time::Duration;

use tilld_counter::{Asked, CheckNow, CheckRequest, Counter, RedeemRequest, RedemptionNow};
use tilld_domain::attention::Who;
use tilld_domain::ids::{CheckId, RedemptionId};
use tilld_domain::redemption::{Answer, Asks, Counts, State};
use tilld_domain::refusal::{Refusal, Remedy};
use tilld_domain::secret::Secret;

use super::World;
use super::power::Life;
use super::till::{Manner, asked};
use super::vouchers::{count, token};

/// More acts than any basket has.
const MOST_ROUNDS: usize = 2_000;
/// How often a redemption is tried before it is paid in another way.
const MOST_TRIES: usize = 2;
/// How often somebody looks whether a manager has decided, or something is asked.
const LOOKS: Duration = Duration::from_mins(1);

/// What becomes of the basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is completed.
    Completes,
    /// The guest changes their mind at the counter; the cashier takes it back.
    Cancels,
    /// It is completed, and the goods come back; a manager takes it back.
    Returns,
    /// The guest leaves without the goods, and nobody tells the till.
    Leaves,
}

/// A guest.
#[derive(Debug, Clone)]
pub struct Visit {
    pub basket: String,
    pub voucher: String,
    /// How much, in cents or items. No other basket redeems as much from the same voucher.
    pub wish: i64,
    pub then: Then,
    /// Whether less than that is enough.
    pub takes_less: bool,
    pub manner: Manner,
}

/// What the till and the shop's people know of a basket.
#[derive(Debug, Clone)]
pub struct Bought {
    pub voucher: String,
    pub wish: i64,
    /// What it counts as paid by the voucher.
    pub counted: i64,
    /// The goods have left.
    pub goods: bool,
    /// What a manager had to do.
    pub by_manager: Vec<String>,
}

/// What a till asks for.
#[derive(Debug, Clone)]
enum Request {
    Redeem(CheckId),
    Complete(RedemptionId),
    TakeBack(RedemptionId, bool),
    Tell(RedemptionId, Answer),
    Scan(RedemptionId),
    Read(RedemptionId),
}

/// The till, with its cashier and this guest.
pub struct Guest {
    pub world: Arc<World>,
    pub visit: Visit,
}

impl Guest {
    /// Redeems for the basket; ends when nobody asks anything of these people any more.
    pub async fn shop(self) {
        let mut counted = false;
        for number in 1..=MOST_TRIES {
            let Some(now) = self.redeem(number).await else { break };
            counted = self.go_on(number, now).await;
            if counted {
                break;
            }
        }
        if !counted {
            self.tell(|| "pays in another way".to_owned());
        }
        self.world.inner().tills.remove(&self.visit.basket);
        self.tell(|| "the guest has left".to_owned());
    }

    /// Scans and redeems; none if that is refused, or given up.
    async fn redeem(&self, number: usize) -> Option<RedemptionNow> {
        for scan in 1..MOST_ROUNDS {
            let check = self.look(number).await?;
            let eligible = check.shown.seen.worth().map_or(0, count);
            if eligible < self.visit.wish {
                self.tell(|| format!("only {eligible} are left on it"));
                return None;
            }
            // Who scans anew knows what they want.
            if scan == 1 {
                self.think(&format!("reads the balance {number}")).await;
            }
            let what = format!("redeem-{number}-{scan}");
            match self.ask(&what, &Request::Redeem(check.check)).await {
                Err(Refusal::CheckExpired) => {}
                Err(why) => {
                    self.tell(|| format!("cannot redeem: {}", why.code()));
                    return None;
                }
                Ok(now) => return Some(now),
            }
        }
        None
    }

    /// Scans the voucher until it is seen, or for as long as the guest waits.
    async fn look(&self, number: usize) -> Option<CheckNow> {
        let begun = self.world.clock.passed();
        self.doing(&format!("scans {number}"));
        let mut tries = 0;
        loop {
            let (counter, life) = self.daemon("scans").await;
            let looked = self.within(&life, counter.check(self.check_request())).await;
            let Some(looked) = looked else { continue };
            match looked {
                Ok(check) => return Some(check),
                Err(why) if why.remedy() == Remedy::Later => {
                    self.tell(|| format!("cannot check it: {}", why.code()));
                    if self.world.clock.passed().saturating_sub(begun) >= self.visit.manner.begins_within {
                        return None;
                    }
                    self.world.clock.sleep(self.visit.manner.pause(tries)).await;
                    tries += 1;
                }
                Err(why) => {
                    self.tell(|| format!("is refused: {}", why.code()));
                    return None;
                }
            }
        }
    }

    fn check_request(&self) -> CheckRequest {
        CheckRequest { scan: self.scan(), ticket: None, program: None, target: None, cashier: None }
    }

    fn scan(&self) -> Secret {
        Secret::new(token(&self.visit.voucher))
    }

    /// Does what the screen says until nothing is asked any more; whether the voucher counted for the basket in the end, or
    /// was taken back by these people, so that nothing else is paid for it.
    async fn go_on(&self, number: usize, mut now: RedemptionNow) -> bool {
        let id = now.redemption.id();
        for round in 0..MOST_ROUNDS {
            let step = |what: &str| format!("{what}-{number}-{round}");
            let question = now.redemption.question().filter(|question| question.who == Who::Cashier);
            let next = match (question.map(|question| question.asks), now.redemption.counts()) {
                (Some(Asks::AcceptLess), _) => {
                    let answer = if self.visit.takes_less { Answer::Accept } else { Answer::TakeBack };
                    self.consider(&now, "is offered less").await;
                    self.ask(&step("less"), &Request::Tell(id, answer)).await.ok()
                }
                (Some(Asks::ScanAgain), _) => {
                    self.consider(&now, "scans once more").await;
                    self.ask(&step("scan"), &Request::Scan(id)).await.ok()
                }
                (Some(Asks::WasItUsed), _) if self.visit.then != Then::Completes => {
                    self.consider(&now, "is asked whether it was used").await;
                    let goods = self.world.inner().visits[&self.visit.basket].goods;
                    let answer = if goods { Answer::Used } else { Answer::NotUsed };
                    self.ask(&step("used"), &Request::Tell(id, answer)).await.ok()
                }
                (_, Counts::Nothing) => return false,
                (_, Counts::Open) => self.wait(number, round, &now).await,
                (_, Counts::For(worth)) => {
                    let closed = matches!(now.redemption.state, State::Settled { .. });
                    match self.visit.then {
                        Then::Leaves if !closed => {
                            self.wait_quietly(&format!("nobody says what became of it {number}"), &now).await;
                            None
                        }
                        Then::Cancels if !closed => {
                            self.book(|bought| bought.counted = count(worth));
                            self.consider(&now, "changes their mind").await;
                            let back = Request::TakeBack(id, false);
                            let back = self.ask(&step("take-back"), &back).await;
                            if back.is_ok() {
                                self.book(|bought| bought.counted = 0);
                                return true;
                            }
                            None
                        }
                        _ => {
                            self.book(|bought| bought.counted = count(worth));
                            self.complete(number, &now, closed).await;
                            return true;
                        }
                    }
                }
            };
            now = match next {
                Some(next) => next,
                None => self.ask(&format!("look-{number}"), &Request::Read(id)).await.unwrap(),
            };
        }
        self.world.inner().trouble.push(format!("{}: the till goes round in circles", self.visit.basket));
        true
    }

    /// The goods leave, and the till says so; some come back later. `closed`: a manager has decided that it counts.
    async fn complete(&self, number: usize, now: &RedemptionNow, closed: bool) {
        let id = now.redemption.id();
        self.consider(now, "packs the goods").await;
        self.book(|bought| bought.goods = true);
        if closed {
            return;
        }
        let completed = self.ask(&format!("complete-{number}"), &Request::Complete(id)).await;
        if self.visit.then != Then::Returns || completed.is_err() {
            return;
        }
        self.think(&format!("brings the goods back {number}")).await;
        self.book(|bought| bought.goods = false);
        let back = self.ask(&format!("return-{number}"), &Request::TakeBack(id, true)).await;
        match back {
            Ok(_) => self.book(|bought| bought.counted = 0),
            // A manager was faster and has closed it: the shop keeps the goods, and the guest takes others.
            Err(_) => self.book(|bought| bought.goods = true),
        }
    }

    /// Nobody knows yet.
    async fn wait(&self, number: usize, round: usize, now: &RedemptionNow) -> Option<RedemptionNow> {
        match now.redemption.state {
            // The screen says: redeem it again.
            State::Redeemed { .. } => {
                let check = self.look(number).await?;
                self.ask(&format!("again-{number}-{round}"), &Request::Redeem(check.check)).await.ok()
            }
            State::Unclear { .. } => {
                self.wait_quietly(&format!("waits for the manager {number}"), now).await;
                None
            }
            _ => {
                self.doing(&format!("waits {number} {}", now.redemption.state_name()));
                self.world.clock.sleep(self.visit.manner.pause(round)).await;
                None
            }
        }
    }

    /// Looks now and then, until something has changed. It is no act, so that the world may be at rest meanwhile.
    async fn wait_quietly(&self, what: &str, now: &RedemptionNow) {
        loop {
            self.set_doing(what, Some(self.world.clock.passed()));
            self.world.clock.sleep(LOOKS).await;
            let up = self.world.daemon.now();
            let Some((counter, life)) = up else { continue };
            let seen = tokio::select! {
                biased;
                () = life.over() => continue,
                seen = counter.redemption(now.redemption.id()) => seen,
            };
            if seen.is_ok_and(|seen| seen.redemption.state != now.redemption.state) {
                return;
            }
        }
    }

    /// Asks the daemon until it answers; one that is dead or busy is asked again under the same key.
    async fn ask(&self, what: &str, request: &Request) -> Result<RedemptionNow, Refusal> {
        let mut tries = 0;
        let key = asked(&format!("{}-{what}", self.visit.basket));
        loop {
            self.doing(&format!("asks {what}"));
            let (counter, life) = self.daemon(what).await;
            match self.within(&life, self.send(&counter, key.clone(), request)).await {
                None => {}
                Some(Err(why)) if why.remedy() == Remedy::Later => {
                    self.tell(|| format!("is told: {}", why.code()));
                    self.world.clock.sleep(self.visit.manner.pause(tries)).await;
                    tries += 1;
                }
                Some(Err(why)) => {
                    self.tell(|| format!("is refused: {}", why.code()));
                    return Err(why);
                }
                Some(Ok(now)) => {
                    self.tell(|| {
                        let it = &now.redemption;
                        format!("is answered: {} {:?}", it.state_name(), it.counts())
                    });
                    return Ok(now);
                }
            }
        }
    }

    async fn send(
        &self,
        counter: &Counter,
        asked: Asked,
        request: &Request,
    ) -> Result<RedemptionNow, Refusal> {
        match request {
            Request::Redeem(check) => {
                let sort = self.world.inner().vouchers.sort(&self.visit.voucher);
                let redeem = RedeemRequest {
                    check: *check,
                    basket: self.visit.basket.parse().unwrap(),
                    amount: sort.worth(self.visit.wish),
                    terms_confirmed: true,
                    cashier: None,
                    locale: None,
                };
                counter.redeem(asked, redeem).await
            }
            Request::Complete(id) => counter.complete(asked, *id, None).await,
            Request::TakeBack(id, by_manager) => {
                counter.take_back(asked, *id, Some("Ada Berg".parse().unwrap()), *by_manager).await
            }
            Request::Tell(id, answer) => counter.tell(asked, *id, *answer, None, false).await,
            Request::Scan(id) => counter.scan_again(asked, *id, &self.scan()).await,
            Request::Read(id) => counter.redemption(*id).await,
        }
    }

    /// The daemon that runs, to ask it for something.
    async fn daemon(&self, what: &str) -> (Counter, Life) {
        let daemon = &self.world.daemon;
        let up = daemon.until(Option::is_some).await.unwrap();
        self.tell(|| format!("asks: {what}"));
        up
    }

    /// An answer; none if the daemon died before it came: then the loopback connection broke.
    async fn within<T>(&self, life: &Life, answer: impl Future<Output = T>) -> Option<T> {
        let answer = tokio::select! {
            biased;
            () = life.over() => None,
            answer = answer => Some(answer),
        };
        if answer.is_none() {
            self.world.daemon.until(Option::is_none).await;
        }
        answer
    }

    async fn consider(&self, now: &RedemptionNow, what: &str) {
        self.think(&format!("{what} {} {:?}", now.redemption.state_name(), now.redemption.counts())).await;
    }

    async fn think(&self, what: &str) {
        self.set_doing(what, Some(self.world.clock.passed()));
        self.world.clock.sleep(self.visit.manner.thinks).await;
    }

    fn doing(&self, what: &str) {
        self.set_doing(what, None);
    }

    fn set_doing(&self, what: &str, since: Option<Duration>) {
        self.world.inner().tills.insert(self.visit.basket.clone(), (what.to_owned(), since));
    }

    fn book(&self, change: impl FnOnce(&mut Bought)) {
        let shown = {
            let mut inner = self.world.inner();
            let bought = inner.visits.get_mut(&self.visit.basket).unwrap();
            change(bought);
            format!("counts {}, goods {}", bought.counted, if bought.goods { "out" } else { "here" })
        };
        self.tell(|| shown);
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.world.act(|| format!("till {}: {}", self.visit.basket, what()));
    }
}
