//! The one thread that owns the machines of all open sales, and the only writer of the journal.
//!
//! A turn: take the messages that wait, step the machines on copies (*stage*), append all drafts as one commit, and then,
//! in the order of the entries: put the new states in place, tell listeners, answer tills whose sale has come to rest,
//! start effects. While a commit is on its way the next messages queue up, so that the slower the disk is the more share
//! a commit.
//!
//! A fast disk leaves them no time for that. So a turn *gathers* first: when four tills or more wait, and fewer messages have
//! come than a sixth of those tills, it pauses up to twice for 50 us, to which the kernel adds as much. A till that sells alone
//! is never held up; one among many waits at most 0.2 ms longer for a commit, 1 ms for a sale.
//!
//! Ways to fail:
//! - *An event does not fit* (late, twice): dropped, and said in the log. It changed nothing.
//! - *The commit fails*: the copies are dropped. A till is refused; what happened outside is held, nothing new is begun but
//!   the next attempt of an undo that is owed on disk (`undoing`), and every second the held events are tried again. They
//!   are stepped at the moment when they are written: a customer who has gone in the meantime gets nothing. When they are
//!   written, sales go on (law L10).
//! - *The journal is shut* (`book`), or an open sale in it cannot be read: the same from the first moment on, with the open sales
//!   as far as they can be read. When it opens they are read anew and taken up as after any start.
//! - *The clock is wrong* (`offset`): no sale is begun (row A19); what was begun goes on.
//! - *One entry cannot be written*, the others can: its key or its receipt was taken by what was committed just before, or it
//!   cannot be sealed. The turn is done over, one step at a time; a till is declined, an event is set aside with an alarm
//!   and does not stand in the way of other sales.
//! - *Something that was started panics*: nobody will ever say how it ended, so the driver ends, and with it the process. The
//!   next start finds out.
//!
//! What happened and left its sale as it was is not written: an undo that failed for the hundredth time, a start that finds
//! nothing new. What follows from it repeats an intent that is on disk.
//!
//! What is declined is told after the commit too: it may rest on a step that was only staged.
//!
//! It waits for nothing but its inbox, its alarms and the journal, and for the journal it waits on its own thread.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tilld_domain::attention::Case;
use tilld_domain::ids::{OrderId, PersonName, ReceiptId, RequestKey, SaleId};
use tilld_domain::moment::Moment;
use tilld_domain::order::{Answer, Effect, Order, OrderEvent, State};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardEffect, CardNo, Opening, Phase, Sale, SaleEvent};
use tilld_journal::{AppendError, Asked, Draft, Seq};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::book::{self, OPEN_AGAIN, OpenSales};
use crate::desk::{self, PayRequest};
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
/// How often writing is tried again while the journal is in trouble.
const TRY_AGAIN: Duration = Duration::from_secs(1);
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

/// Something that happened to a sale and must be written.
struct Event {
    sale: SaleId,
    what: SaleEvent,
}

/// Why a step is taken.
enum Cause {
    /// A till asked, and waits.
    Asked { asked: Asked, act: Act, reply: Reply },
    /// It happened; nobody can take it back.
    Happened,
}

/// A step on a copy, to be committed.
struct Staged {
    at: Moment,
    event: Event,
    after: Arc<Sale>,
    effects: Vec<CardEffect>,
    cause: Cause,
}

/// The steps of one turn, each on top of those before it.
#[derive(Default)]
struct Turn {
    steps: Vec<Staged>,
    sales: HashMap<SaleId, Arc<Sale>>,
    keys: HashSet<RequestKey>,
    receipts: HashSet<ReceiptId>,
    /// What left its sale as it was, and what is to be done again because of it.
    repeats: Vec<(Event, Vec<CardEffect>)>,
    declined: Vec<(Reply, Declined)>,
    await_rest: Vec<(SaleId, oneshot::Sender<()>)>,
}

/// The journal does not take entries.
struct Trouble {
    /// And what to do next.
    why: String,
    /// When it is tried again.
    again: Moment,
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
    aside: Vec<SaleId>,
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
            aside: Vec::new(),
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
            self.ring_alarms();
        }
    }

    /// Puts the open sales of the journal in place, to be resumed first of all; else why they are not all there.
    fn take_up(&mut self, open: OpenSales) -> Result<(), String> {
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

    /// Sends the undos that stand in a journal which cannot be written now: their intent is on disk.
    fn undo_what_is_owed(&mut self) {
        let open: Vec<SaleNow> = self.sales.values().cloned().collect();
        for now in open {
            for card in undoing::owed(&now.sale) {
                self.act_on(&now, card, Effect::Undo { after: Duration::ZERO });
            }
        }
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
            None => self.alarms.first().map(|(at, ..)| *at),
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
        if self.sales.is_empty() && self.trouble.is_none() && self.stopping.is_none() {
            // No deadline is there to be moved.
            self.ports.clock.follow();
        }
        self.gather(&mut batch);
        let mut turn = Turn::default();
        for message in batch {
            self.take(&mut turn, message);
        }
        self.commit(turn);
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

    fn ask(&mut self, turn: &mut Turn, asked: Asked, sale: SaleId, act: Act, reply: Reply) {
        let staged = match self.may_ask(turn, &asked) {
            Ok(()) => self.decide(turn, sale, &act).map_err(Declined::Refused),
            Err(declined) => Err(declined),
        };
        match staged {
            Ok(event) => {
                turn.keys.insert(asked.key.clone());
                self.stage(turn, event, Cause::Asked { asked, act, reply });
            }
            Err(declined) => turn.declined.push((reply, declined)),
        }
    }

    fn may_ask(&self, turn: &Turn, asked: &Asked) -> Result<(), Declined> {
        if self.stopping.is_some() {
            Err(Declined::Refused(Refusal::Stopping))
        } else if self.trouble.is_some() {
            Err(Declined::Refused(Refusal::JournalDown))
        } else if turn.keys.contains(&asked.key) {
            Err(Declined::KeyTaken)
        } else {
            Ok(())
        }
    }

    /// The event of what a till asks for, by the state that the turn has reached.
    fn decide(&self, turn: &mut Turn, sale: SaleId, act: &Act) -> Result<Event, Refusal> {
        let at = self.now();
        let current = turn.sales.get(&sale).or(self.sales.get(&sale).map(|now| &now.sale));
        let what = match (act, current) {
            (Act::Open(opening), None) => {
                let Ports { provider, clock, .. } = &self.ports;
                if self.performer.line.offset.wrong(provider.as_ref(), clock.as_ref()).is_some() {
                    return Err(Refusal::ClockWrong);
                }
                self.room_for_one_more(turn)?;
                if !turn.receipts.insert(opening.receipt.clone()) {
                    return Err(Refusal::ReceiptUsed);
                }
                SaleEvent::Opened(opening.clone())
            }
            (Act::Open(_), Some(_)) => return Err(Refusal::Busy),
            (_, None) => return Err(Refusal::SaleUnknown),
            (Act::Pay(request), Some(sale)) => desk::pay(sale, at, request, self.ports.provider.as_ref())?,
            (Act::Cancel { by }, Some(sale)) => desk::cancel(sale, by.clone())?,
            (Act::Answer { card, answer, by }, Some(sale)) => desk::answer(sale, *card, *answer, by.clone())?,
            (Act::Settle { card, by, reason }, Some(sale)) => {
                desk::settle(sale, at, *card, by.clone(), reason)?
            }
        };
        Ok(Event { sale, what })
    }

    fn room_for_one_more(&self, turn: &Turn) -> Result<(), Refusal> {
        let in_hand = self.sales.values().filter(|now| is_in_hand(&now.sale)).count();
        if in_hand.saturating_add(turn.receipts.len()) < self.settings.most_at_once {
            Ok(())
        } else {
            Err(Refusal::Busy)
        }
    }

    /// Steps the sale on a copy. What does not fit is dropped.
    fn stage(&mut self, turn: &mut Turn, event: Event, cause: Cause) {
        let at = self.now();
        let current = turn.sales.get(&event.sale).or(self.sales.get(&event.sale).map(|now| &now.sale));
        let stepped = match (&event.what, current) {
            (SaleEvent::Opened(opening), None) => Ok(Sale::open(Opening::clone(opening), at)),
            (_, Some(sale)) => Sale::clone(sale).step(at, event.what.clone()),
            (_, None) => return self.undo_ended(&event),
        };
        match stepped {
            Ok((after, effects))
                if matches!(cause, Cause::Happened)
                    && !turn.sales.contains_key(&event.sale)
                    && current.is_some_and(|before| **before == after) =>
            {
                turn.repeats.push((event, effects));
            }
            Ok((after, effects)) => {
                let after = Arc::new(after);
                turn.sales.insert(event.sale, Arc::clone(&after));
                turn.steps.push(Staged { at, event, after, effects, cause });
            }
            Err(why) => {
                tracing::debug!(sale = %event.sale, %why, "an event came too late or twice, and changes nothing");
                self.undo_ended(&event);
                if let Cause::Asked { reply, .. } = cause {
                    turn.declined.push((reply, Declined::Refused(Refusal::StillWorking)));
                }
            }
        }
    }

    /// Writes the turn down, acts on it, and tells who was declined.
    fn commit(&mut self, turn: Turn) {
        let Turn { steps, repeats, declined, await_rest, .. } = turn;
        self.write(steps);
        for (event, effects) in repeats {
            // Nothing new is begun while nothing can be written.
            if self.trouble.is_some() {
                self.hold(event);
            } else {
                self.repeat(&event, effects);
            }
        }
        for (reply, declined) in declined {
            let _ = reply.send(Err(declined));
        }
        for (sale, reply) in await_rest {
            if self.sales.get(&sale).is_some_and(|now| !now.sale.at_rest()) {
                self.resting.entry(sale).or_default().push(reply);
            }
        }
    }

    /// Writes steps down in one commit, and acts on each. What cannot be written is refused, held, or set aside.
    fn write(&mut self, mut steps: Vec<Staged>) {
        if steps.is_empty() {
            return;
        }
        let drafts: Vec<Draft> = steps.iter().map(draft).collect();
        // It blocks: this thread has nothing else to do until the entries are on disk.
        match self.ports.journal.append(&drafts) {
            Ok(seqs) => {
                for (step, seq) in steps.into_iter().zip(seqs) {
                    self.settle(step, seq);
                }
            }
            Err(error) if !is_about_one_entry(&error) => self.stumble(steps, &error),
            Err(error) => match steps.pop() {
                Some(step) if steps.is_empty() => self.reject(step, &error),
                last => {
                    steps.extend(last);
                    self.one_by_one(steps);
                }
            },
        }
    }

    /// Does the steps of a turn over, each on what is then committed.
    fn one_by_one(&mut self, steps: Vec<Staged>) {
        for step in steps {
            let Staged { event, cause, .. } = step;
            let mut turn = Turn::default();
            match cause {
                Cause::Asked { asked, act, reply } => self.ask(&mut turn, asked, event.sale, act, reply),
                Cause::Happened if self.trouble.is_some() => self.hold(event),
                Cause::Happened => self.stage(&mut turn, event, Cause::Happened),
            }
            self.commit(turn);
        }
    }

    /// One entry cannot be written, and others can.
    fn reject(&mut self, step: Staged, error: &AppendError) {
        match step.cause {
            Cause::Asked { reply, .. } => {
                let declined = match error {
                    AppendError::KeyTaken { .. } => Declined::KeyTaken,
                    AppendError::ReceiptTaken { .. } => Declined::Refused(Refusal::ReceiptUsed),
                    _ => Declined::Refused(Refusal::JournalDown),
                };
                let _ = reply.send(Err(declined));
            }
            Cause::Happened => {
                tracing::error!(sale = %step.event.sale, %error, "what happened to a sale cannot be written: call the manufacturer");
                self.aside.push(step.event.sale);
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

    /// Starts an effect; an undo only if it is still owed (what was repeated may have been settled in the same turn), and none of
    /// its card is under way.
    fn act_on(&mut self, now: &SaleNow, card: CardNo, effect: Effect) {
        let undoes = matches!(effect, Effect::Undo { .. });
        let owed = |order: &Order| matches!(order.state, State::Owed(_) | State::Stuck { .. });
        if undoes
            && (!now.sale.order(card).is_some_and(owed) || !self.undoing.begin(now.sale.opening.sale, card))
        {
            return;
        }
        if let Some(work) = self.performer.perform(now, card, effect) {
            self.work.spawn(work);
        }
    }

    /// How an undo ended is known to the state, or no longer concerns it.
    fn undo_ended(&mut self, event: &Event) {
        if let SaleEvent::Card(card, OrderEvent::UndoEnded(_)) = &event.what {
            self.undoing.ended(event.sale, *card);
        }
    }

    /// Something happened that cannot be written now. Of an undo that is to be asked for again nothing needs to be written:
    /// it is asked for again.
    fn hold(&mut self, event: Event) {
        if let SaleEvent::Card(card, ended @ OrderEvent::UndoEnded(_)) = &event.what
            && let Some(now) = self.sales.get(&event.sale).cloned()
            && let Some(after) = self.undoing.again(&now.sale, *card, self.ports.clock.now(), ended)
        {
            if let Some(work) = self.performer.perform(&now, *card, Effect::Undo { after }) {
                self.work.spawn(work);
            }
            return;
        }
        self.held.push_back(event);
    }

    fn be_in_trouble(&mut self, why: String) {
        let again = if self.taken_up { TRY_AGAIN } else { OPEN_AGAIN };
        self.trouble = Some(Trouble { why, again: self.now().plus(again) });
    }

    /// The journal does not take entries. Nothing is lost but the wish of a till.
    fn stumble(&mut self, steps: Vec<Staged>, error: &AppendError) {
        if !self.healing {
            tracing::error!(%error, "the journal cannot be written: no gift cards until it can");
        }
        self.be_in_trouble(book::why_not_written(error));
        for Staged { event, cause, .. } in steps {
            match cause {
                Cause::Asked { reply, .. } => {
                    let _ = reply.send(Err(Declined::Refused(Refusal::JournalDown)));
                }
                Cause::Happened => self.hold(event),
            }
        }
    }

    /// Whether the journal can be written again, as far as that can be told before something is written; else why not.
    fn mended(&mut self) -> Result<(), String> {
        self.ports.journal.open_now()?;
        if !self.taken_up {
            let open = self.ports.journal.open_sales();
            self.take_up(open)?;
        }
        // Also if something is held: that may turn out to need no entry.
        self.ports.journal.probe().map_err(|error| book::why_not_written(&error))
    }

    /// Tries whether writing works again, and writes down what is held.
    fn write_held(&mut self) {
        let was_in_trouble = self.trouble.take();
        if was_in_trouble.is_some()
            && let Err(why) = self.mended()
        {
            return self.be_in_trouble(why);
        }
        self.healing = was_in_trouble.is_some();
        let mut held = std::mem::take(&mut self.held);
        while !held.is_empty() && self.trouble.is_none() {
            let mut turn = Turn::default();
            let count = held.len().min(MOST_AT_A_TURN);
            for event in held.drain(..count) {
                self.stage(&mut turn, event, Cause::Happened);
            }
            self.commit(turn);
        }
        self.healing = false;
        // What failed again stands before what was not tried.
        self.held.extend(held);
        if was_in_trouble.is_some() && self.trouble.is_none() {
            tracing::info!("the journal can be written again");
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
            set_aside: self.aside.len(),
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

fn draft(step: &Staged) -> Draft {
    let forget: Vec<OrderId> = step
        .effects
        .iter()
        .filter(|(_, effect)| matches!(effect, Effect::Forget))
        .filter_map(|(card, _)| Some(step.after.order(*card)?.facts.id))
        .collect();
    let asked = match &step.cause {
        Cause::Asked { asked, .. } => Some(asked.clone()),
        Cause::Happened => None,
    };
    Draft {
        at: step.at,
        sale: step.event.sale,
        event: step.event.what.clone(),
        asked,
        after: Arc::clone(&step.after),
        forget,
    }
}

/// Whether an error is about one of the entries, so that the others can be written without it.
fn is_about_one_entry(error: &AppendError) -> bool {
    match error {
        AppendError::KeyTaken { .. }
        | AppendError::ReceiptTaken { .. }
        | AppendError::Misfit { .. }
        | AppendError::Seal => true,
        AppendError::Full | AppendError::ReadOnly | AppendError::Io(_) | AppendError::Database(_) => false,
    }
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
