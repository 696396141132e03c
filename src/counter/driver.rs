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
//! | `devices` | changes of devices, and slips that go on when their printer can |
//! | `undos` | starting undos, sending one now, how they go on |
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

mod devices;
mod trouble;
mod turn;
mod undos;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tilld_devices::printer::Status;
use tilld_domain::attention::Case;
use tilld_domain::ids::{DeviceName, PersonName};
use tilld_domain::moment::Moment;
use tilld_domain::order::{Answer, State};
use tilld_domain::redemption::{self, RedemptionEvent};
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Opening, SaleEvent};
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherSeen;
use tilld_journal::{Asked, Event, RedemptionStep, Seq, Subject};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

use self::devices::Devices;
pub(crate) use self::devices::follow;
use self::trouble::Trouble;
pub(crate) use self::turn::MOST_OF_A_BASKET;
use self::turn::{Aside, Cause, Staged, Turn};
use crate::book::Open;
use crate::desk::PayRequest;
use crate::moves::{Mark, Moves};
use crate::now::{Deed, Happening, Now, Standing, Whose};
use crate::perform::Performer;
use crate::scan_back::{Proven, paper_of};
use crate::undoing::Undoing;
use crate::{Attention, Change, Ports, SaleNow, Sending, Settings};

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
    Cancel {
        by: Option<PersonName>,
    },
    Answer {
        card: CardNo,
        answer: Answer,
        by: Option<PersonName>,
    },
    /// Somebody holds this paper, and it is whole.
    Proven {
        paper: Proven,
        by: Option<PersonName>,
    },
    Settle {
        card: CardNo,
        by: PersonName,
        reason: String,
    },
    /// A manager wants a copy of a card's slip.
    Copy {
        card: CardNo,
        by: PersonName,
    },
    /// On a look that was begun at this mark.
    Redeem(Box<redemption::Opening>, Mark),
    /// The basket of a redemption is completed.
    Complete {
        by: Option<PersonName>,
    },
    TakeBack {
        by: Option<PersonName>,
        by_manager: bool,
    },
    /// The answer to what is asked about a redemption.
    Tell {
        answer: redemption::Answer,
        by: Option<PersonName>,
        by_manager: bool,
    },
    /// A manager closes the case of a redemption.
    Decide {
        verdict: redemption::Verdict,
        by: PersonName,
        reason: String,
    },
    /// The voucher of a redemption was scanned again, and looked at.
    Scanned(VoucherSeen),
}

/// Why the driver did not do what a till asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Declined {
    Refused(Refusal),
    /// The same key was committed a moment ago: the answer is in the journal, or will be.
    KeyTaken,
}

pub(crate) type Reply = oneshot::Sender<Result<Now, Declined>>;

/// What the driver is told.
pub(crate) enum Message {
    Ask {
        asked: Asked,
        subject: Subject,
        act: Act,
        reply: Reply,
    },
    Happened(Happening),
    /// A printer says how it is; none if nothing is known, or it cannot be asked and nothing is known to be wrong.
    Device {
        name: DeviceName,
        said: Option<Status>,
    },
    Read {
        subject: Subject,
        reply: oneshot::Sender<Now>,
    },
    /// The reply comes, or is dropped, once it rests in the journal.
    AwaitRest {
        subject: Subject,
        reply: oneshot::Sender<()>,
    },
    Attention {
        reply: oneshot::Sender<Attention>,
    },
    /// A manager wants an undo to be sent now. The reply is dropped if there is none to be sent.
    Send {
        whose: Whose,
        reply: oneshot::Sender<Sending>,
    },
    /// Which paper this was scanned from, of those that somebody is asked about.
    FindSlip {
        scanned: Secret,
        reply: oneshot::Sender<Result<Proven, Refusal>>,
    },
    /// What is open of sales, those in a customer's hands first, then the newest first; at most so many.
    OpenSales {
        most: usize,
        reply: oneshot::Sender<Vec<SaleNow>>,
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
    /// How many sales and redemptions somebody stands before.
    pub(crate) in_hand: usize,
    pub(crate) open_sales: usize,
    pub(crate) open_redemptions: usize,
    pub(crate) owed: usize,
    pub(crate) questions: usize,
}

/// What the driver lets others know.
pub(crate) struct Known {
    /// Which vouchers it has moved.
    pub(crate) moves: Arc<Moves>,
    /// That a key was destroyed.
    pub(crate) forgotten: Arc<Notify>,
}

pub(crate) struct Driver {
    ports: Ports,
    settings: Settings,
    performer: Performer,
    known: Known,
    changes: broadcast::Sender<Change>,
    messages: mpsc::Receiver<Message>,
    open: BTreeMap<Subject, Now>,
    waiting: BTreeMap<Subject, Vec<Reply>>,
    resting: BTreeMap<Subject, Vec<oneshot::Sender<()>>>,
    alarms: BTreeSet<(Moment, Whose)>,
    held: VecDeque<Happening>,
    undoing: Undoing,
    aside: Aside,
    devices: Devices,
    trouble: Option<Trouble>,
    /// What is open was read, all of it, from a journal that is open.
    taken_up: bool,
    /// It is being tried whether the trouble is over: that it is not, is said already.
    healing: bool,
    work: JoinSet<()>,
    stopping: Option<(Moment, oneshot::Sender<()>)>,
}
impl Driver {
    pub(crate) fn new(
        ports: Ports,
        settings: &Settings,
        performer: Performer,
        known: Known,
        changes: broadcast::Sender<Change>,
        messages: mpsc::Receiver<Message>,
    ) -> Self {
        Self {
            ports,
            settings: *settings,
            performer,
            known,
            changes,
            messages,
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            resting: BTreeMap::new(),
            alarms: BTreeSet::new(),
            held: VecDeque::new(),
            undoing: Undoing::default(),
            aside: Aside::default(),
            devices: Devices::default(),
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

    /// Takes up what was left open, and runs until it is stopped.
    pub(crate) async fn run(&mut self, open: Open) {
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
            // From before it is reckoned how long: what is due meanwhile is not slept over.
            let from = self.ports.clock.steady();
            let next = from.saturating_add(self.next_alarm());
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
                () = self.performer.clock.sleep_until(next) => {}
            }
            if self.trouble.as_ref().is_some_and(|trouble| self.now() >= trouble.again) {
                self.write_held();
                if self.trouble.is_some() {
                    // They may have been read only now.
                    self.undo_what_is_owed();
                }
            }
            if self.trouble.is_none() && self.aside.due().is_some_and(|due| self.now() >= due) {
                self.write_aside();
            }
            self.attend_devices();
            self.ring_alarms();
        }
    }

    /// Puts what is open in the journal in place, to be resumed first of all; else why it is not all there.
    fn take_up(&mut self, open: Open) -> Result<(), String> {
        // A journal that cannot be read tells nothing about the clock.
        self.performer.line.offset.written_before(self.ports.journal.last_written().ok().flatten());
        self.held.retain(|happening| !happening.is_resumed());
        self.open.clear();
        self.devices.know(open.devices);
        for now in open.standing.into_iter().rev() {
            let subject = now.subject();
            self.held.push_front(Happening::resumed(subject));
            self.open.insert(subject, now);
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
            None => self.alarms.first().map(|(at, _)| *at).into_iter().chain(self.aside.due()).min(),
        };
        let stop = self.stopping.as_ref().map(|(by, _)| *by);
        let next =
            [due, stop].into_iter().flatten().min().map_or(Duration::from_hours(1), |at| at.since(now));
        let idle = self.trouble.is_some() || self.stopping.is_some();
        let devices = self.devices.due().filter(|_| !idle);
        devices.map_or(next, |due| next.min(due.saturating_sub(self.ports.clock.steady())))
    }

    /// Whether a stop was asked for and no cashier waits any more.
    fn may_end(&self) -> bool {
        let resting = || self.open.values().all(|now| now.it.at_rest());
        // That something was found open is found again by the next start.
        let written = || self.held.iter().all(Happening::is_resumed);
        // A copy that is broken off would stand above the next customer's slip.
        let printed = || !self.performer.copies.is_printed();
        let at_rest = || resting() && written() && printed();
        self.stopping.as_ref().is_some_and(|(by, _)| self.now() >= *by || at_rest())
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
        self.stage_devices(&mut turn);
        self.commit(turn);
    }

    /// Whether no deadline would be moved if the counter's own time were set.
    fn no_moment_counts(&self) -> bool {
        self.trouble.is_none()
            && self.stopping.is_none()
            && self.alarms.is_empty()
            && self.waiting.is_empty()
            && self.open.values().all(|now| now.it.counts_no_moments())
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
            Message::Ask { asked, subject, act, reply } => self.ask(turn, asked, subject, act, reply),
            Message::Happened(happening) => {
                if self.trouble.is_some() {
                    self.hold(happening);
                } else {
                    self.stage(turn, happening, Cause::Happened);
                }
            }
            Message::Device { name, said } => self.devices.observe(name, said, self.ports.clock.steady()),
            Message::Read { subject, reply } => {
                if let Some(now) = self.open.get(&subject) {
                    let _ = reply.send(now.clone());
                }
            }
            Message::AwaitRest { subject, reply } => {
                // Whoever asks again for what was never offered is offered it (row B7).
                if let Subject::Redemption(redemption) = subject
                    && self.trouble.is_none()
                {
                    self.offer(turn, redemption);
                }
                turn.await_rest.push((subject, reply));
            }
            Message::Count { reply } => {
                let _ = reply.send(self.count());
            }
            Message::FindSlip { scanned, reply } => {
                let sales = self.open.values().filter_map(|now| now.it.sale().map(Arc::as_ref));
                let _ = reply.send(paper_of(sales, &scanned));
            }
            Message::OpenSales { most, reply } => {
                let sales =
                    self.open.values().filter_map(|now| now.clone().into_sale().map(|sale| (now, sale)));
                let mut sales: Vec<_> = sales
                    .map(|(now, sale)| ((!now.it.is_in_hand(), Reverse((sale.sale.opened, sale.seq))), sale))
                    .collect();
                sales.sort_by_key(|(place, _)| *place);
                let _ = reply.send(sales.into_iter().map(|(_, sale)| sale).take(most).collect());
            }
            Message::Attention { reply } => {
                let _ = reply.send(self.attention());
            }
            Message::Send { whose, reply } => {
                if let Some(sending) = self.send(whose) {
                    let _ = reply.send(sending);
                }
            }
            Message::Stop { reply } => {
                self.stopping = Some((self.now().plus(LAST_ORDERS), reply));
            }
        }
    }

    /// A step is on disk: it becomes the state, is told, and what follows from it starts.
    fn settle(&mut self, step: Staged, seq: Seq) {
        let Staged { at, happening, after, deeds, cause } = step;
        let (subject, rest, closed) = (happening.subject, after.at_rest(), after.is_closed());
        self.undo_ended(&happening);
        if !devices::waits(&after).is_empty() {
            self.devices.somebody_waits(self.ports.clock.steady());
        }
        if let Standing::Device(device) = &after {
            self.device_written(device);
        }
        for whose in after.whose().filter(|whose| !after.wants_undo(*whose)) {
            self.undoing.forget(whose);
        }
        let now = Now { it: after, seq, at };
        tell_log(&now, &happening.event);
        if let Cause::Asked { reply, .. } = cause {
            self.waiting.entry(subject).or_default().push(reply);
        }
        self.act(&now, deeds);
        if rest {
            for reply in self.waiting.remove(&subject).into_iter().flatten() {
                let _ = reply.send(Ok(now.clone()));
            }
            self.resting.remove(&subject);
        }
        // Nobody listening is as good as somebody.
        if let Some(change) = Change::of(now.clone()) {
            let _ = self.changes.send(change);
        }
        if closed {
            self.open.remove(&subject);
            self.alarms.retain(|(_, whose)| whose.subject() != subject);
        } else {
            self.open.insert(subject, now);
        }
    }

    /// Whether a till waits for the end of something, as far as its connection tells.
    fn is_waited_for(&self, subject: Subject) -> bool {
        let answers =
            self.waiting.get(&subject).is_some_and(|tills| tills.iter().any(|till| !till.is_closed()));
        let rests =
            self.resting.get(&subject).is_some_and(|tills| tills.iter().any(|till| !till.is_closed()));
        answers || rests
    }

    /// Something left everything as it was: what follows from it is done again.
    fn repeat(&mut self, happening: &Happening, deeds: Vec<Deed>) {
        self.undo_ended(happening);
        if let Some(now) = self.open.get(&happening.subject).cloned() {
            tell_log(&now, &happening.event);
            self.act(&now, deeds);
        }
    }

    fn act(&mut self, now: &Now, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Wake(whose, at) => {
                    self.alarms.insert((at, whose));
                }
                Deed::Undo(whose, after) => self.undo(now, whose, after),
                Deed::Forget(_) => self.known.forgotten.notify_one(),
                deed => {
                    if let Some(work) = self.performer.perform(now, deed) {
                        self.work.spawn(work);
                    }
                }
            }
        }
    }

    /// Tells the machines whose deadlines have passed. Not while the journal is in trouble: then they ring when it is over.
    fn ring_alarms(&mut self) {
        let now = self.now();
        if self.trouble.is_some() || self.alarms.first().is_none_or(|(at, ..)| *at > now) {
            return;
        }
        let mut turn = Turn::default();
        while let Some(alarm) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&alarm);
            self.stage(&mut turn, alarm.1.time_up(), Cause::Happened);
        }
        self.commit(turn);
    }

    /// Everything that waits for a person, oldest first.
    fn attention(&self) -> Attention {
        let at = self.now();
        let mut attention = Attention::default();
        for now in self.open.values() {
            let undo = |whose| Some((whose, self.undo_now(&now.it, whose)?));
            match &now.it {
                Standing::Sale(sale) => {
                    let cases: Vec<Case> = sale.attention(at);
                    let id = sale.opening.sale;
                    attention.undos.extend(cases.iter().filter_map(|case| undo(Whose::Card(id, case.card))));
                    let now = now.clone().into_sale().filter(|_| !cases.is_empty());
                    attention.sales.extend(now.map(|now| (now, cases)));
                }
                Standing::Redemption(redemption) => {
                    let case = redemption.attention(at);
                    attention
                        .undos
                        .extend(case.as_ref().and_then(|_| undo(Whose::Redemption(redemption.id()))));
                    attention.redemptions.extend(now.clone().into_redemption().zip(case));
                }
                Standing::Device(_) | Standing::Day(_) => {}
            }
        }
        attention.sales.sort_by_key(|(now, _)| (now.sale.opened, now.seq));
        attention.redemptions.sort_by_key(|(now, _)| (now.redemption.opened, now.seq));
        attention
    }

    fn count(&self) -> Counts {
        let mut counts = Counts {
            running: self.stopping.is_none(),
            journal_trouble: self.trouble.as_ref().map(|trouble| trouble.why.clone()),
            set_aside: self.aside.happenings.len(),
            in_hand: self.open.values().filter(|now| now.it.is_in_hand()).count(),
            ..Counts::default()
        };
        let owed = |state: &State| matches!(state, State::Owed(_) | State::Stuck { .. } | State::Spent(_));
        for now in self.open.values() {
            match &now.it {
                Standing::Sale(sale) => {
                    let asked =
                        sale.orders.iter().filter(|order| order.question(&sale.opening.rules).is_some());
                    counts.open_sales = counts.open_sales.saturating_add(1);
                    counts.owed = counts
                        .owed
                        .saturating_add(sale.orders.iter().filter(|order| owed(&order.state)).count());
                    counts.questions = counts.questions.saturating_add(asked.count());
                }
                Standing::Redemption(redemption) => {
                    let owed = matches!(
                        redemption.state,
                        redemption::State::Owed(_) | redemption::State::Stuck { .. }
                    );
                    let asked = redemption.question().is_some();
                    counts.open_redemptions = counts.open_redemptions.saturating_add(1);
                    counts.owed = counts.owed.saturating_add(usize::from(owed));
                    counts.questions = counts.questions.saturating_add(usize::from(asked));
                }
                Standing::Device(_) | Standing::Day(_) => {}
            }
        }
        counts
    }
}

/// One line a step, with the ids that the journal has. Never an event's content.
fn tell_log(now: &Now, event: &Event) {
    match (&now.it, event) {
        (Standing::Sale(it), Event::Sale(event)) => {
            let sale = it.opening.sale;
            match event {
                SaleEvent::Opened(_) => {
                    tracing::info!(%sale, receipt = %it.opening.receipt, cards = it.orders.len(), "sale opened");
                }
                SaleEvent::Paid { payment, .. } => {
                    tracing::info!(%sale, amount = %payment.amount, "sale paid");
                }
                SaleEvent::Cancelled { .. } => tracing::info!(%sale, "sale cancelled"),
                SaleEvent::Resumed => tracing::info!(%sale, "sale taken up again after a start"),
                SaleEvent::Card(card, _) => {
                    let order = it.order(*card);
                    let state = order.map_or("?", |order| order.state_name());
                    let id = order.map(|order| order.facts.id.to_string()).unwrap_or_default();
                    tracing::info!(%sale, card = card.number(), order = %id, state, "card");
                }
            }
        }
        (Standing::Redemption(it), Event::Redemption(step)) => {
            let (redemption, state) = (it.id(), it.state_name());
            match step {
                RedemptionStep::Opened(opening) => {
                    tracing::info!(%redemption, basket = %opening.basket, amount = %opening.amount, "redemption begun");
                }
                RedemptionStep::Happened(RedemptionEvent::Resumed) => {
                    tracing::info!(%redemption, state, "redemption taken up again after a start");
                }
                RedemptionStep::Happened(_) => tracing::info!(%redemption, state, "redemption"),
            }
        }
        (Standing::Day(closing), _) => {
            tracing::info!(day = %closing.day, number = closing.number, "day closed");
        }
        (Standing::Device(device), _) => {
            tracing::info!(device = %device.name, state = device.condition.state_name(), "device");
        }
        _ => {}
    }
}
