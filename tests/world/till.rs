//! Till software, the cashier who does what its screen says, the customer, and the money between them: the third book.
//!
//! The till repeats what got no answer, under its key, for as long as it takes. The cashier takes the money when the screen
//! says so and gives back what it says, at once. Asked about paper they look at the paper. What has come out of the printer
//! counts as the customer's, unless the cashier is asked for it and takes it back.

use std::sync::Arc;
use std::time::Duration;

use tilld_counter::desk::{CardRequest, PayRequest, SaleRequest, TenderGiven};
use tilld_counter::{Asked, Counter, SaleNow};
use tilld_domain::ids::SaleId;
use tilld_domain::money::Money as Worth;
use tilld_domain::order::{Answer, Order, Question, State};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::{Refusal, Remedy};
use tilld_domain::sale::{CardNo, Phase};

use super::World;
use super::network::{POR, POSA, euros};

/// How long a person takes for anything.
const THINK: Duration = Duration::from_secs(5);
/// How long the till waits before it asks again.
const PAUSE: Duration = Duration::from_secs(1);
/// More questions than any sale has.
const MOST_ROUNDS: usize = 2_000;

/// What the customer paid and got back for one receipt, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Money {
    pub paid: i64,
    pub back: i64,
    /// Of what they got back: payments that were refused.
    pub refused: i64,
}

/// What the customer is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Customer {
    /// Wants the card, and waits.
    Waits,
    /// Wants the money back as soon as anybody asks.
    WantsMoney,
    /// Changes their mind before paying; the cashier cancels.
    Cancels,
    /// Walks away before paying, and nobody tells the till.
    WalksAway,
}

/// How it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    ByCard,
    InCash,
    Mixed,
}

/// What a cashier, or a till, gets wrong once. It must be refused, and change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// A product that is not in the catalogue.
    Product,
    /// A value that the product does not come with.
    FaceValue,
    /// One cent more than what is due.
    Amount,
    /// Less cash than what is due.
    Cash,
    /// The key of one request for another one.
    Key,
    /// A cancel after the payment.
    Cancel,
    /// A second payment.
    PaysTwice,
}

/// How the people at a till are.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How long they take for anything.
    pub thinks: Duration,
    /// How long they take to answer a question.
    pub answers_after: Duration,
    /// Asked more often than that, they want the money back.
    pub most_answers: usize,
    /// A sale that does not begin in this time is given up.
    pub begins_within: Duration,
    /// The longer the till asks in vain, the rarer it asks.
    pub asks_rarer: bool,
    pub pays: Pays,
    pub mistake: Option<Mistake>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            thinks: THINK,
            answers_after: THINK,
            most_answers: usize::MAX,
            begins_within: Duration::MAX,
            asks_rarer: false,
            pays: Pays::ByCard,
            mistake: None,
        }
    }
}

impl Manner {
    /// The pause after so many questions in vain.
    pub fn pause(&self, tries: usize) -> Duration {
        match tries {
            _ if !self.asks_rarer => PAUSE,
            0..30 => PAUSE,
            30..60 => 10 * PAUSE,
            60..90 => 60 * PAUSE,
            _ => 300 * PAUSE,
        }
    }

    fn tender(&self, due: Worth) -> TenderGiven {
        match self.pays {
            Pays::ByCard => TenderGiven::Card,
            Pays::InCash => {
                let given = euros(due.minor().div_euclid(5_000) * 5_000 + 5_000);
                TenderGiven::Cash { given, change: Some(euros(given.minor() - due.minor())) }
            }
            Pays::Mixed => {
                let card = euros(due.minor() / 2);
                TenderGiven::Mixed { card, given: euros(due.minor() - card.minor()), change: None }
            }
        }
    }
}

/// What a customer buys, and how.
#[derive(Debug, Clone)]
pub struct Basket {
    pub receipt: String,
    pub cards: Vec<CardKind>,
    pub customer: Customer,
    pub manner: Manner,
}

pub fn asked(key: &str) -> Asked {
    Asked { key: key.parse().unwrap(), digest: [7; 32] }
}

/// What a till asks for.
enum Request {
    Open(SaleRequest),
    Pay(SaleId, PayRequest),
    Cancel(SaleId),
    Answer(SaleId, CardNo, Answer),
    Look(SaleId),
}

impl Request {
    async fn send(&self, counter: &Counter, asked: Asked) -> Result<SaleNow, Refusal> {
        match self {
            Self::Open(request) => counter.open(asked, request.clone()).await,
            Self::Pay(sale, request) => counter.pay(asked, *sale, request.clone()).await,
            Self::Cancel(sale) => counter.cancel(asked, *sale, None).await,
            Self::Answer(sale, card, answer) => counter.answer(asked, *sale, *card, *answer, None).await,
            Self::Look(sale) => counter.sale(*sale).await,
        }
    }
}

/// A till with its cashier and one customer.
pub struct Till {
    pub world: Arc<World>,
    pub basket: Basket,
}

impl Till {
    /// Sells the basket; ends when the customer leaves.
    pub async fn sell(self) {
        self.mistake_before_opening().await;
        let opened = self.ask("open", &Request::Open(self.request())).await;
        if let Ok(now) = opened {
            self.go_on(now).await;
        }
        self.world.inner().tills.remove(&self.basket.receipt);
        self.tell(|| "the customer leaves".to_owned());
    }

    /// Asks for what must be refused.
    async fn mistake_before_opening(&self) {
        let mut request = self.request();
        match self.basket.manner.mistake {
            Some(Mistake::Product) => request.cards[0].product = "4009999999999".parse().unwrap(),
            Some(Mistake::FaceValue) => request.cards[0].face_value = euros(1),
            _ => return,
        }
        let answer = self.ask("open-wrongly", &Request::Open(request)).await;
        self.must_be_refused("a wrong sale", answer.as_ref());
    }

    /// The same of the payment.
    async fn mistake_before_paying(&self, round: usize, sale: SaleId, due: Worth) {
        let (amount, tender) = match self.basket.manner.mistake {
            Some(Mistake::Amount) => (euros(due.minor() + 1), TenderGiven::Card),
            Some(Mistake::Cash) => (due, TenderGiven::Cash { given: euros(due.minor() - 1), change: None }),
            Some(Mistake::Key) => {
                let (key, request) = (format!("{}-open", self.basket.receipt), Request::Cancel(sale));
                let asked = Asked { digest: [8; 32], ..asked(&key) };
                let answer = self.ask_as("cancel under a used key", asked, &request).await;
                return self.must_be_refused("a used key", answer.as_ref());
            }
            _ => return,
        };
        let request = Request::Pay(sale, PayRequest { amount, tender, receipt_total: None });
        let answer = self.ask(&format!("pay-wrongly-{round}"), &request).await;
        self.must_be_refused("a wrong payment", answer.as_ref());
    }

    /// The same of a sale that was paid.
    async fn mistake_after_paying(&self, round: usize, sale: SaleId, paid: PayRequest) {
        let (what, request) = match self.basket.manner.mistake {
            Some(Mistake::Cancel) => ("a cancel of a paid sale", Request::Cancel(sale)),
            Some(Mistake::PaysTwice) => ("a second payment", Request::Pay(sale, paid)),
            _ => return,
        };
        let answer = self.ask(&format!("again-wrongly-{round}"), &request).await;
        self.must_be_refused(what, answer.as_ref());
    }

    fn must_be_refused(&self, what: &str, answer: Result<&SaleNow, &Refusal>) {
        if answer.is_ok() {
            self.world.inner().trouble.push(format!("{}: {what} was taken", self.basket.receipt));
        }
    }

    async fn go_on(&self, mut now: SaleNow) {
        let sale = now.sale.opening.sale;
        let mut answers = 0;
        for round in 0..MOST_ROUNDS {
            self.give_back(&now);
            let next = match now.sale.phase() {
                Phase::Collect => match self.basket.customer {
                    Customer::WalksAway => return,
                    Customer::Cancels => self.cancel(round, sale).await,
                    Customer::Waits | Customer::WantsMoney => self.pay(round, &now).await,
                },
                Phase::Question => {
                    let (card, question) = now.sale.questions().next().unwrap();
                    answers += 1;
                    self.answer(round, &now, card, question, answers).await
                }
                Phase::Creating | Phase::Finishing => {
                    self.doing("waits");
                    self.world.clock.sleep(self.basket.manner.pause(round)).await;
                    None
                }
                Phase::Done | Phase::NothingSold => return self.hand_over(&now),
            };
            now = match next {
                Some(next) => next,
                None => self.read(sale).await,
            };
        }
        self.world.inner().trouble.push(format!("{}: the till goes round in circles", self.basket.receipt));
    }

    fn request(&self) -> SaleRequest {
        let code = |place: usize| format!("639999000{place:05}").parse().unwrap();
        let card = |(place, kind): (usize, &CardKind)| {
            let (product, minor) = if *kind == CardKind::Por { POR } else { POSA };
            CardRequest {
                product: product.parse().unwrap(),
                kind: *kind,
                face_value: euros(minor),
                code: (*kind == CardKind::Posa).then(|| code(place)),
            }
        };
        SaleRequest {
            receipt: self.basket.receipt.parse().unwrap(),
            cashier: None,
            locale: None,
            cards: self.basket.cards.iter().enumerate().map(card).collect(),
        }
    }

    /// Takes the money and says so. A payment that is refused goes back at once.
    async fn pay(&self, round: usize, now: &SaleNow) -> Option<SaleNow> {
        self.think("collects the money").await;
        let (sale, due) = (now.sale.opening.sale, now.sale.due().unwrap());
        self.mistake_before_paying(round, sale, due).await;
        self.money(|money| money.paid += due.minor());
        self.tell(|| format!("pays {due}"));
        let tender = self.basket.manner.tender(due);
        let request = PayRequest { amount: due, tender, receipt_total: None };
        let paid = self.ask(&format!("pay-{round}"), &Request::Pay(sale, request.clone())).await;
        if paid.is_ok() {
            self.mistake_after_paying(round, sale, request).await;
        } else {
            self.money(|money| {
                money.back += due.minor();
                money.refused += due.minor();
            });
            self.tell(|| format!("gets {due} back: the payment was refused"));
        }
        paid.ok()
    }

    async fn cancel(&self, round: usize, sale: SaleId) -> Option<SaleNow> {
        self.think("changes their mind").await;
        self.ask(&format!("cancel-{round}"), &Request::Cancel(sale)).await.ok()
    }

    async fn answer(
        &self,
        round: usize,
        now: &SaleNow,
        card: CardNo,
        question: Question,
        answers: usize,
    ) -> Option<SaleNow> {
        let sale = now.sale.opening.sale;
        let what = format!("is asked {:?} about card {}", question.asks, card.number());
        self.take_time(&what, self.basket.manner.answers_after).await;
        // Whoever acts looks at the screen once more: a slip may have gone on by itself.
        let now = &self.read(sale).await;
        if now.sale.questions().all(|(other, asked)| other != card || asked.asks != question.asks) {
            return Some(now.clone());
        }
        let order = now.sale.order(card).unwrap();
        let code = {
            let inner = self.world.inner();
            let id = order.past.provider_order.as_ref();
            id.and_then(|id| inner.ledger.code(id)).unwrap_or_default().to_owned()
        };
        let answer = self.decide(&code, question, answers > self.basket.manner.most_answers);
        self.tell(|| format!("answers {answer:?} to {:?} about card {}", question.asks, card.number()));
        self.ask(&format!("answer-{round}"), &Request::Answer(sale, card, answer)).await.ok()
    }

    /// Looks at the paper of a card, takes back what is to be taken back, and says what to do.
    fn decide(&self, code: &str, question: Question, tired: bool) -> Answer {
        let wants_money = tired || self.basket.customer == Customer::WantsMoney;
        let mut inner = self.world.inner();
        let mut pieces: Vec<_> =
            inner.papers.iter_mut().filter(|piece| !piece.torn && piece.text.contains(code)).collect();
        let complete = pieces.iter().any(|piece| piece.complete);
        let some = !pieces.is_empty();
        let may = |answer: &Answer| question.choices.contains(answer);
        let keeps = complete && !wants_money && may(&Answer::Complete);
        if !keeps {
            for piece in &mut pieces {
                piece.torn = true;
            }
        }
        let wishes: &[Answer] = match (keeps, wants_money, some) {
            (true, ..) => &[Answer::Complete],
            (_, true, _) => &[],
            (_, _, true) => &[Answer::Finish, Answer::Print, Answer::PrintAgain, Answer::Unreadable],
            (_, _, false) => &[Answer::Finish, Answer::Print, Answer::PrintAgain, Answer::Nothing],
        };
        let last = [Answer::Collected, Answer::MoneyBack];
        wishes.iter().chain(&last).copied().find(may).expect("money is given back at the last")
    }

    /// Gives back what the screen says and was not given back yet.
    fn give_back(&self, now: &SaleNow) {
        let wanted = now.sale.money_back().unwrap().minor();
        let given = |money: &Money| money.back - money.refused;
        let more = wanted - self.world.inner().money.get(&self.basket.receipt).map_or(0, given);
        if more > 0 {
            self.money(|money| money.back += more);
            self.tell(|| format!("gets {} back", euros(more)));
        }
    }

    /// Activated cards that are sold leave the shop.
    fn hand_over(&self, now: &SaleNow) {
        for order in &now.sale.orders {
            let sold = matches!(order.state, State::Sold { .. });
            if order.facts.kind == CardKind::Posa && sold {
                let id = order.past.provider_order.as_ref().unwrap().to_string();
                self.world.inner().taken.push(id);
            }
        }
    }

    /// Asks the daemon until it answers; one that is dead or busy is asked again under the same key.
    async fn ask(&self, what: &str, request: &Request) -> Result<SaleNow, Refusal> {
        self.ask_as(what, asked(&format!("{}-{what}", self.basket.receipt)), request).await
    }

    async fn ask_as(&self, what: &str, asked: Asked, request: &Request) -> Result<SaleNow, Refusal> {
        let manner = &self.basket.manner;
        self.doing(&format!("asks {what}"));
        let daemon = &self.world.daemon;
        let begun = self.world.clock.passed();
        let mut tries = 0;
        loop {
            let (counter, life) = daemon.until(Option::is_some).await.unwrap();
            self.tell(|| format!("asks: {what}"));
            let answer = tokio::select! {
                biased;
                () = life.over() => {
                    // The loopback connection broke: the next life is asked.
                    daemon.until(Option::is_none).await;
                    continue;
                }
                answer = request.send(&counter, asked.clone()) => answer,
            };
            match answer {
                Err(why) if why.remedy() == Remedy::Later => {
                    self.tell(|| format!("is told: {}", why.code()));
                    let waited = self.world.clock.passed().saturating_sub(begun);
                    if matches!(request, Request::Open(_)) && waited >= manner.begins_within {
                        return Err(why);
                    }
                    self.world.clock.sleep(manner.pause(tries)).await;
                    tries += 1;
                }
                Err(why) => {
                    self.tell(|| format!("is refused: {}", why.code()));
                    return Err(why);
                }
                Ok(now) => {
                    self.tell(|| format!("is answered: {:?} {:?}", now.sale.phase(), states(&now)));
                    return Ok(now);
                }
            }
        }
    }

    async fn read(&self, sale: SaleId) -> SaleNow {
        self.ask("look", &Request::Look(sale)).await.unwrap()
    }

    async fn think(&self, what: &str) {
        self.take_time(what, self.basket.manner.thinks).await;
    }

    async fn take_time(&self, what: &str, span: Duration) {
        self.set_doing(what, Some(self.world.clock.passed()));
        self.world.clock.sleep(span).await;
    }

    /// What is over, or asked anew, by the time that any daemon starts again.
    fn doing(&self, what: &str) {
        self.set_doing(what, None);
    }

    fn set_doing(&self, what: &str, since: Option<Duration>) {
        self.world.inner().tills.insert(self.basket.receipt.clone(), (what.to_owned(), since));
    }

    fn money(&self, change: impl FnOnce(&mut Money)) {
        change(self.world.inner().money.entry(self.basket.receipt.clone()).or_default());
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.world.act(|| format!("till {}: {}", self.basket.receipt, what()));
    }
}

fn states(now: &SaleNow) -> Vec<&'static str> {
    now.sale.orders.iter().map(Order::state_name).collect()
}
