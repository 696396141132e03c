//! The one thread that owns the machines of all open sales, and the only writer of the journal.
//!
//! A turn: take the messages that wait, step the machines on copies (*stage*), append all drafts as one commit, and then,
//! in the order of the entries: put the new states in place, tell listeners, answer tills whose sale has come to rest,
//! start effects. While a commit is on its way the next messages queue up, so that the slower the disk is the more share
//! a commit.
//!
//! | module | thinks about |
//! |---|---|
//! | here | the order of things: inbox, alarms, waiting tills, effects |
//! | `turn` | what a turn stages and writes |
//! | `trouble` | the journal does not take entries (law L10) |
//!
//! A fast disk leaves the messages no time to queue up. So a turn *gathers* first: when four tills or more wait, and fewer
//! messages have come than a sixth of those tills, it pauses up to twice for 50 us, to which the kernel adds as much. A till
//! that sells alone is never held up; one among many waits at most 0.2 ms longer for a commit, 1 ms for a sale.
//!
//! Ways to fail:
//! - *An event does not fit* (late, twice): dropped, and said in the log. It changed nothing.
//! - *The journal is shut, or cannot be written*: see `trouble`. *One entry cannot be written*: see `turn`.
//! - *The clock is wrong* (`offset`): no sale is begun (row A19); what was begun goes on.
//! - *Something that was started panics*: nobody will ever say how it ended, so the driver ends, and with it the process. The
//!   next start finds out.
//!
//! It waits for nothing but its inbox, its alarms and the journal, and for the journal it waits on its own thread.

mod trouble;
mod turn;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tilld_domain::attention::Case;
use tilld_domain::ids::{PersonName, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::{Answer, Effect, OrderEvent, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardEffect, CardNo, Opening, Phase, Sale, SaleEvent};
use tilld_journal::{Asked, Seq};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

use self::trouble::Trouble;
use self::turn::{Aside, Cause, Event, Staged, Turn};
use crate::book::OpenSales;
use crate::desk::PayRequest;
use crate::perform::Performer;
use crate::undoing::{self, Undoing};
use crate::{Ports, SaleNow, Settings};

/// The greatest number of messages that one commit takes in.
const MOST_AT_A_TURN: usize = 64;
/// From how many waiting tills on a turn gathers messages. With fewer there is hardly anything to share.
const GATHER_FROM: usize = 4;
/// A message from one in so many of them is company enough.
const GATHER_PART: usize = 6;
/// How long one pause for more messages is, and how many there are at most.
const GATHER_PAUSE: Duration = Duration::from_micros(50);
const GATHER_PAUSES: usize = 2;
/// How long a stop waits for the sales that a cashier waits for.
const LAST_ORDERS: Duration = Duration::from_secs(15);

/// What a till asked for.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Open(Box<Opening>),
    Pay(PayRequest),
    Cancel { by: Option<PersonName> },
    Answer { card: CardNo, answer: Answer, by: Option<PersonName> },
    Settle { card: CardNo, by: PersonName, reason: String },
}

/// Why the driver did not do what a till asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Declined {
    Refused(Refusal),
    /// The same key was committed a moment ago: the answer is in the journal, or will be.
    KeyTaken,
}

pub(crate) type Reply = oneshot::Sender<Result<SaleNow, Declined>>;

/// What the driver is told.
pub(crate) enum Message {
    Ask {
        asked: Asked,
        sale: SaleId,
        act: Act,
        reply: Reply,
    },
    Happened {
        sale: SaleId,
        card: CardNo,
        event: OrderEvent,
    },
    Read {
        sale: SaleId,
        reply: oneshot::Sender<SaleNow>,
    },
    /// The reply comes, or is dropped, once the sale rests in the journal.
    AwaitRest {
        sale: SaleId,
        reply: oneshot::Sender<()>,
    },
    Attention {
        reply: oneshot::Sender<Vec<(SaleNow, Vec<Case>)>>,
    },
    Count {
        reply: oneshot::Sender<Counts>,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// How much is open.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) running: bool,
    pub(crate) journal_trouble: Option<String>,
    pub(crate) set_aside: usize,
    pub(crate) open_sales: usize,
    pub(crate) owed: usize,
    pub(crate) questions: usize,
}

pub(crate) struct Driver {
    ports: Ports,
    settings: Settings,
    performer: Performer,
    changes: broadcast::Sender<SaleNow>,
    messages: mpsc::Receiver<Message>,
    sales: HashMap<SaleId, SaleNow>,
    waiting: HashMap<SaleId, Vec<Reply>>,
    resting: HashMap<SaleId, Vec<oneshot::Sender<()>>>,
    alarms: BTreeSet<(Moment, SaleId, CardNo)>,
    held: VecDeque<Event>,
    undoing: Undoing,
    aside: Aside,
    trouble: Option<Trouble>,
    /// The open sales were read, all of them, from a journal that is open.
    taken_up: bool,
    /// It is being tried whether the trouble is over: that it is not, is said already.
    healing: bool,
    work: JoinSet<()>,
    stopping: Option<(Moment, oneshot::Sender<()>)>,
}
impl Driver {
    pub(crate) fn new(
        ports: Ports,
        settings: Settings,
        performer: Performer,
        changes: broadcast::Sender<SaleNow>,
        messages: mpsc::Receiver<Message>,
    ) -> Self {
        Self {
            ports,
            settings,
            performer,
            changes,
            messages,
            sales: HashMap::new(),
            waiting: HashMap::new(),
            resting: HashMap::new(),
            alarms: BTreeSet::new(),
            held: VecDeque::new(),
            undoing: Undoing::default(),
            aside: Aside::default(),
            trouble: None,
            taken_up: false,
            healing: false,
            work: JoinSet::new(),
            stopping: None,
        }
    }

    /// Lets something run beside, for as long as the driver does.
    pub(crate) fn beside(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.work.spawn(work);
    }

    /// Takes the open sales up where they were left, and runs until it is stopped.
    pub(crate) async fn run(&mut self, open: OpenSales) {
        if let Err(why) = self.take_up(open) {
            if self.ports.journal.is_open() {
                tracing::error!(why, "the journal cannot be read: no gift cards until it can");
            }
            self.be_in_trouble(why);
        } else if let Err(error) = self.ports.journal.probe() {
            self.stumble(Vec::new(), &error);
        } else {
            self.write_held();
        }
        if self.trouble.is_some() {
            self.undo_what_is_owed();
        }
        let mut batch = Vec::with_capacity(MOST_AT_A_TURN);
        while !self.may_end() {
            let next = self.next_alarm();
            tokio::select! {
                // In this order nothing starves: what ends was begun by a turn, and alarms are rung after every turn.
                biased;
                Some(ended) = self.work.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        tracing::error!("a call or a slip broke this program: it ends, and finds out after its next start");
                        return;
                    }
                }
                _ = self.messages.recv_many(&mut batch, MOST_AT_A_TURN) => self.turn(std::mem::take(&mut batch)),
                () = self.performer.clock.sleep(next) => {}
            }
            if self.trouble.as_ref().is_some_and(|trouble| self.now() >= trouble.again) {
                self.write_held();
                if self.trouble.is_some() {
                    // The sales may have been read only now.
                    self.undo_what_is_owed();
                }
            }
            if self.trouble.is_none() && self.aside.due().is_some_and(|due| self.now() >= due) {
                self.write_aside();
            }
            self.ring_alarms();
        }
    }

    /// Puts the open sales of the journal in place, to be resumed first of all; else why they are not all there.
    fn take_up(&mut self, open: OpenSales) -> Result<(), String> {
        // A journal that cannot be read tells nothing about the clock.
        self.performer.line.offset.written_before(self.ports.journal.last_written().ok().flatten());
        self.held.retain(|event| event.what != SaleEvent::Resumed);
        self.sales.clear();
        for now in open.sales.into_iter().rev() {
            let sale = now.sale.opening.sale;
            self.held.push_front(Event { sale, what: SaleEvent::Resumed });
            self.sales.insert(sale, now);
        }
        if let Some(why) = self.ports.journal.shut_because().or(open.unread) {
            return Err(why);
        }
        self.taken_up = true;
        Ok(())
    }

    /// Ends everything that was started, and returns when none of it holds anything any more.
    pub(crate) async fn end(mut self) {
        self.work.shutdown().await;
    }

    fn now(&self) -> Moment {
        self.ports.clock.now()
    }

    /// How long until something is due. While the journal is in trouble no deadline is acted on but its own.
    fn next_alarm(&self) -> Duration {
        let now = self.now();
        let due = match &self.trouble {
            Some(trouble) => Some(trouble.again),
            None => self.alarms.first().map(|(at, ..)| *at).into_iter().chain(self.aside.due()).min(),
        };
        let stop = self.stopping.as_ref().map(|(by, _)| *by);
        [due, stop].into_iter().flatten().min().map_or(Duration::from_hours(1), |at| at.since(now))
    }

    /// Whether a stop was asked for and no cashier waits any more.
    fn may_end(&self) -> bool {
        let resting = || self.sales.values().all(|now| now.sale.at_rest());
        // That a sale was found open is found again by the next start.
        let written = || self.held.iter().all(|event| event.what == SaleEvent::Resumed);
        self.stopping.as_ref().is_some_and(|(by, _)| self.now() >= *by || (resting() && written()))
    }

    fn turn(&mut self, mut batch: Vec<Message>) {
        if self.no_moment_counts() {
            self.ports.clock.follow();
        }
        self.gather(&mut batch);
        let mut turn = Turn::default();
        for message in batch {
            self.take(&mut turn, message);
        }
        self.commit(turn);
    }

    /// Whether no deadline would be moved if the counter's own time were set.
    fn no_moment_counts(&self) -> bool {
        let orders = || self.sales.values().flat_map(|now| &now.sale.orders);
        self.trouble.is_none()
            && self.stopping.is_none()
            && self.alarms.is_empty()
            && self.waiting.is_empty()
            && orders().all(|order| match &order.state {
                // A person decides, or an undo is repeated after pauses. "Not found" must last (law L6).
                State::Owed(owed) | State::Stuck { owed, .. } | State::Spent(owed) => {
                    owed.not_found.is_none()
                }
                State::NotSold { .. }
                | State::Sold { .. }
                | State::Cleared { .. }
                | State::Settled { .. } => true,
                _ => false,
            })
    }

    /// Lets more messages come, if many tills wait. It pauses on this thread, which has nothing else to do: a timer of the
    /// runtime is too coarse.
    fn gather(&mut self, batch: &mut Vec<Message>) {
        let waiting = self.waiting.len();
        if waiting < GATHER_FROM {
            return;
        }
        let enough = waiting.div_ceil(GATHER_PART).min(MOST_AT_A_TURN);
        for _ in 0..GATHER_PAUSES {
            if batch.len() >= enough {
                return;
            }
            std::thread::sleep(GATHER_PAUSE);
            while batch.len() < MOST_AT_A_TURN
                && let Ok(message) = self.messages.try_recv()
            {
                batch.push(message);
            }
        }
    }

    /// Stages what a message means, or answers it at once.
    fn take(&mut self, turn: &mut Turn, message: Message) {
        match message {
            Message::Ask { asked, sale, act, reply } => self.ask(turn, asked, sale, act, reply),
            Message::Happened { sale, card, event } => {
                let event = Event { sale, what: SaleEvent::Card(card, event) };
                if self.trouble.is_some() {
                    self.hold(event);
                } else {
                    self.stage(turn, event, Cause::Happened);
                }
            }
            Message::Read { sale, reply } => {
                if let Some(now) = self.sales.get(&sale) {
                    let _ = reply.send(now.clone());
                }
            }
            Message::AwaitRest { sale, reply } => turn.await_rest.push((sale, reply)),
            Message::Count { reply } => {
                let _ = reply.send(self.count());
            }
            Message::Attention { reply } => {
                let _ = reply.send(self.attention());
            }
            Message::Stop { reply } => {
                self.stopping = Some((self.now().plus(LAST_ORDERS), reply));
            }
        }
    }

    /// A step is on disk: it becomes the state, is told, and its effects start.
    fn settle(&mut self, step: Staged, seq: Seq) {
        let Staged { at, event, after, effects, cause } = step;
        let (id, rest, closed) = (event.sale, after.at_rest(), after.is_closed());
        self.undo_ended(&event);
        let now = SaleNow { sale: after, seq, at };
        tell_log(&now, &event.what);
        if let Cause::Asked { reply, .. } = cause {
            self.waiting.entry(id).or_default().push(reply);
        }
        self.act(&now, effects);
        if rest {
            for reply in self.waiting.remove(&id).into_iter().flatten() {
                let _ = reply.send(Ok(now.clone()));
            }
            self.resting.remove(&id);
        }
        // Nobody listening is as good as somebody.
        let _ = self.changes.send(now.clone());
        if closed {
            self.sales.remove(&id);
            self.alarms.retain(|(_, sale, _)| *sale != id);
        } else {
            self.sales.insert(id, now);
        }
    }

    /// Something left its sale as it was: what follows from it is done again.
    fn repeat(&mut self, event: &Event, effects: Vec<CardEffect>) {
        self.undo_ended(event);
        if let Some(now) = self.sales.get(&event.sale).cloned() {
            tell_log(&now, &event.what);
            self.act(&now, effects);
        }
    }

    fn act(&mut self, now: &SaleNow, effects: Vec<CardEffect>) {
        for (card, effect) in effects {
            match effect {
                Effect::Wake { at } => {
                    self.alarms.insert((at, now.sale.opening.sale, card));
                }
                effect => self.act_on(now, card, effect),
            }
        }
    }

    fn act_on(&mut self, now: &SaleNow, card: CardNo, effect: Effect) {
        if let Effect::Undo { after } = effect {
            self.undo(now, card, after);
        } else if let Some(work) = self.performer.perform(now, card, effect) {
            self.work.spawn(work);
        }
    }

    /// Starts an undo, if it is still wanted (what was repeated may have been settled in the same turn) and none of its card is
    /// under way.
    fn undo(&mut self, now: &SaleNow, card: CardNo, after: Duration) {
        if now.sale.order(card).is_some_and(undoing::is_wanted)
            && let Some(started) = self.undoing.begin(now.sale.opening.sale, card)
            && let Some(work) = self.performer.undo(now, card, after, started)
        {
            self.work.spawn(work);
        }
    }

    /// How an undo ended is known to the state, or no longer concerns it.
    fn undo_ended(&mut self, event: &Event) {
        if let SaleEvent::Card(card, OrderEvent::UndoEnded(_)) = &event.what {
            self.undoing.ended(event.sale, *card);
        }
    }

    /// Tells the machines whose deadlines have passed. Not while the journal is in trouble: then they ring when it is over.
    fn ring_alarms(&mut self) {
        let now = self.now();
        if self.trouble.is_some() || self.alarms.first().is_none_or(|(at, ..)| *at > now) {
            return;
        }
        let mut turn = Turn::default();
        while let Some(alarm) = self.alarms.first().copied().filter(|(at, ..)| *at <= now) {
            self.alarms.remove(&alarm);
            let (_, sale, card) = alarm;
            let event = Event { sale, what: SaleEvent::Card(card, OrderEvent::TimeUp) };
            self.stage(&mut turn, event, Cause::Happened);
        }
        self.commit(turn);
    }

    /// Every sale in which something waits for a person, oldest first.
    fn attention(&self) -> Vec<(SaleNow, Vec<Case>)> {
        let at = self.now();
        let mut waiting: Vec<_> = self
            .sales
            .values()
            .map(|now| (now.clone(), now.sale.attention(at)))
            .filter(|(_, cases)| !cases.is_empty())
            .collect();
        waiting.sort_by_key(|(now, _)| (now.sale.opened, now.seq));
        waiting
    }

    fn count(&self) -> Counts {
        let orders =
            || self.sales.values().flat_map(|now| now.sale.orders.iter().map(move |order| (now, order)));
        let owed = |state: &State| matches!(state, State::Owed(_) | State::Stuck { .. } | State::Spent(_));
        Counts {
            running: self.stopping.is_none(),
            journal_trouble: self.trouble.as_ref().map(|trouble| trouble.why.clone()),
            set_aside: self.aside.events.len(),
            open_sales: self.sales.len(),
            owed: orders().filter(|(_, order)| owed(&order.state)).count(),
            questions: orders()
                .filter(|(now, order)| order.question(&now.sale.opening.rules).is_some())
                .count(),
        }
    }
}

/// Whether a customer stands at the counter for it.
fn is_in_hand(sale: &Sale) -> bool {
    !matches!(sale.phase(), Phase::Done | Phase::NothingSold)
}

/// One line a step, with the ids that the journal has. Never an event's content.
fn tell_log(now: &SaleNow, event: &SaleEvent) {
    let sale = now.sale.opening.sale;
    match event {
        SaleEvent::Opened(_) => {
            tracing::info!(%sale, receipt = %now.sale.opening.receipt, cards = now.sale.orders.len(), "sale opened");
        }
        SaleEvent::Paid { payment, .. } => tracing::info!(%sale, amount = %payment.amount, "sale paid"),
        SaleEvent::Cancelled { .. } => tracing::info!(%sale, "sale cancelled"),
        SaleEvent::Resumed => tracing::info!(%sale, "sale taken up again after a start"),
        SaleEvent::Card(card, _) => {
            let order = now.sale.order(*card);
            let state = order.map_or("?", |order| order.state_name());
            let id = order.map(|order| order.facts.id.to_string()).unwrap_or_default();
            tracing::info!(%sale, card = card.number(), order = %id, state, "card");
        }
    }
}
