//! Events: what changed, as server-sent events, so that a screen need not ask.
//!
//! `event: sale`, `event: redemption` or `event: device`, `id:` the journal's number of an entry, `data:` the sale, redemption
//! or device as the entry left it. While a listener listens it gets one event an entry, in their order. One that comes back with `Last-Event-ID`
//! first gets what it missed: one event a sale, redemption or device, in the order of their last entries, with it as it is by then.
//! Then it listens.
//!
//! One that comes for the first time gets at once an `id:` alone, that of the last entry: from there it can go on if it is
//! cut off before anything has happened. By the rules of server-sent events it is no event, and is remembered all the same.
//!
//! `event: scan` is what a scanner read: its name and the text, for whoever listens now. It has no `id:`, so it changes nothing
//! about coming back, and nobody who comes back gets it: it may be the code of a voucher (law L11). It is the one place of this
//! door that a code goes out of, to a till that shows its token.
//!
//! `event: reread` says that something was left out: too much was missed, or the listener was too slow. A screen then reads
//! what it shows.
//!
//! Invariants: ids only grow within a stream, and nothing before an id that was sent is still to come; so coming back with
//! the last id never misses a change. A listener never sees anything older than it has seen it in the same stream.
//!
//! Bounded: the number of streams ([`MOST_STREAMS`]), what is replayed ([`MOST_MISSED`]), what a slow listener may lag
//! behind (the counter's own bounds; scans that are lost so are lost). A stream ends when the door closes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tilld_counter::{Change, Counter, EntryHead, Scan, ScanListener, Seq, Subject};
use tilld_domain::refusal::Refusal;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::ApiState;
use crate::openapi::EventProblems;
use crate::problem::{Objection, Problem};
use crate::routes::{Routes, routes};
use crate::serve::Closing;
use crate::wire::{Device, Redemption, Sale, ScanRead};

/// How many streams may be open at once.
pub(crate) const MOST_STREAMS: usize = 16;
/// How many missed entries are gone through for a listener that comes back.
const MOST_MISSED: usize = 1000;
/// How often a quiet stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);
/// Where a listener says what it had last.
const LAST_EVENT_ID: &str = "last-event-id";

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(listen))
}

/// Listen to what changes
///
/// Server-sent events. `event: sale` with `id:` the number of a journal entry and `data:` the sale (schema `Sale`) as that
/// entry left it; `event: redemption` likewise (schema `Redemption`), and `event: device` (schema `Device`) where a device has got or lost a fault. A stream that was opened without `Last-Event-ID` begins with an `id:` alone, the number of the last entry,
/// to come back with. `event: reread` with `data: {"why":"missed_too_much"}` or `{"why":"too_slow"}`: something was left out,
/// read what you show. After coming back with `Last-Event-ID` there is one event for each sale, redemption and device that changed,
/// with it as it is now. `event: scan` (schema `ScanRead`), without an `id:`: what a scanner of this till has just read; only for who listens
/// then, never sent again, and lost for a listener that is more than 3 s late. Comments keep a quiet stream alive every 15 s. At most 16 streams at once.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    operation_id = "listen",
    params(
        ("Last-Event-ID" = Option<u64>, Header, minimum = 0, example = 17,
            description = "The last id that was received: what came after it is sent first. Absent: only what comes from now on.")
    ),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        EventProblems
    )
)]
async fn listen(
    State(state): State<ApiState>,
    closing: Option<Extension<Closing>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let seat = state.seat_for_listener().ok_or(Objection::TooManyListeners)?;
    let (last, begin) = match last_event_id(&headers)? {
        Some(last) => (last, None),
        // As if it came back with the last entry: then nothing is left out after it.
        None => state.counter().last_entry().await.map(|last| (last, Some(last)))?,
    };
    // First listen, then look back: what is written in between comes twice, and is left out once.
    let changes = state.counter().changes();
    let scans = state.counter().scans();
    let mut missed = Missed::of(state.counter().entries_after(last, MOST_MISSED.saturating_add(1)).await?);
    if missed.too_much {
        // Whoever reads everything anew has seen at least this.
        missed.upto = Some(state.counter().last_entry().await?);
    }
    let listener = Listener {
        begin,
        counter: state.counter().clone(),
        changes,
        scans,
        missed,
        shown: HashMap::new(),
        closing: closing.map(|Extension(closing)| closing),
        _seat: seat,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Seq>, Objection> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let number = value.to_str().ok().and_then(|text| text.parse().ok());
            number.map(|number| Some(Seq::new(number))).ok_or(Objection::LastEventIdWrong)
        }
        (Some(_), Some(_)) => Err(Objection::LastEventIdWrong),
    }
}

/// What a listener missed while it was away.
#[derive(Debug, Default, PartialEq, Eq)]
struct Missed {
    /// More than is gone through.
    too_much: bool,
    /// The last missed entry of each sale, redemption and device, oldest first.
    subjects: VecDeque<(Seq, Subject)>,
    /// The last missed entry of all: it and what is before it needs no event any more.
    upto: Option<Seq>,
}

impl Missed {
    fn of(heads: Vec<EntryHead>) -> Self {
        let upto = heads.last().map(|head| head.seq);
        if heads.len() > MOST_MISSED {
            return Self { too_much: true, ..Self::default() };
        }
        let mut seen = HashSet::new();
        let mut subjects: VecDeque<_> = VecDeque::new();
        let told = heads.into_iter().rev().filter(|head| !matches!(head.subject, Subject::Day(_)));
        for head in told {
            if seen.insert(head.subject) {
                subjects.push_front((head.seq, head.subject));
            }
        }
        Self { too_much: false, subjects, upto }
    }
}

/// Why a screen must read anew.
#[derive(Serialize)]
struct Reread {
    why: &'static str,
}

/// What a listener that listens may hear.
enum News {
    Change(Change),
    /// Changes were lost.
    Lost,
    Scan(Arc<Scan>),
}

struct Listener {
    /// What a listener without an id has to be told first.
    begin: Option<Seq>,
    counter: Counter,
    changes: Receiver<Change>,
    scans: ScanListener,
    missed: Missed,
    /// What was shown newer than the id of its event, and how new.
    shown: HashMap<Subject, Seq>,
    closing: Option<Closing>,
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if let Some(seq) = self.begin.take() {
            return Some(Event::default().id(seq.to_string()));
        }
        if std::mem::take(&mut self.missed.too_much) {
            let event = reread("missed_too_much");
            return Some(match self.missed.upto {
                Some(upto) => event.id(upto.to_string()),
                None => event,
            });
        }
        if let Some((seq, subject)) = self.missed.subjects.pop_front() {
            let Ok(now) = self.now(subject).await else {
                // It was there a moment ago. Whoever reads it anew is told what hinders it.
                return Some(reread("missed_too_much"));
            };
            if now.seq() > seq {
                self.shown.insert(subject, now.seq());
            }
            return Some(event(seq, &now));
        }
        loop {
            match self.news().await? {
                News::Change(now) if self.is_news(&now) => return Some(event(now.seq(), &now)),
                News::Change(_) => {}
                News::Lost => return Some(reread("too_slow")),
                News::Scan(scan) => return Some(scan_event(&scan)),
            }
        }
    }

    async fn now(&self, subject: Subject) -> Result<Change, Refusal> {
        match subject {
            Subject::Sale(sale) => self.counter.sale(sale).await.map(Change::Sale),
            Subject::Redemption(redemption) => {
                self.counter.redemption(redemption).await.map(Change::Redemption)
            }
            Subject::Device(device) => self.counter.device(device).await.map(Change::Device),
            // Left out of what was missed.
            Subject::Day(_) => Err(Refusal::JournalDown),
        }
    }

    /// What comes next; none when the stream ends.
    async fn news(&mut self) -> Option<News> {
        let closing = async {
            match &mut self.closing {
                Some(closing) => closing.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = self.changes.recv() => match changed {
                Ok(change) => Some(News::Change(change)),
                Err(RecvError::Lagged(_)) => Some(News::Lost),
                Err(RecvError::Closed) => None,
            },
            scan = self.scans.next() => scan.map(News::Scan),
            () = closing => None,
        }
    }

    /// Whether a change has not been shown yet.
    fn is_news(&mut self, now: &Change) -> bool {
        let (subject, seq) = (now.subject(), now.seq());
        if self.missed.upto.is_some_and(|upto| seq <= upto) {
            return false;
        }
        match self.shown.get(&subject) {
            Some(shown) if seq <= *shown => false,
            Some(_) => {
                self.shown.remove(&subject);
                true
            }
            None => true,
        }
    }
}

fn event(seq: Seq, now: &Change) -> Event {
    let event = Event::default().id(seq.to_string());
    let event = match now {
        Change::Sale(now) => event.event("sale").json_data(Sale::from(now)),
        Change::Redemption(now) => event.event("redemption").json_data(Redemption::from(now)),
        Change::Device(now) => event.event("device").json_data(Device::from(now)),
    };
    // Texts and numbers always become JSON.
    event.unwrap_or_else(|_| reread("missed_too_much"))
}

fn scan_event(scan: &Scan) -> Event {
    // A text always becomes JSON. Were it not so, the cashier would scan again.
    Event::default().event("scan").json_data(ScanRead::from(scan)).unwrap_or_default()
}

fn reread(why: &'static str) -> Event {
    Event::default().event("reread").json_data(Reread { why }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use tilld_domain::moment::Moment;

    use super::*;

    fn head(seq: u64, sale: &str) -> EntryHead {
        EntryHead {
            seq: Seq::new(seq),
            at: Moment::from_ms(0),
            subject: Subject::Sale(sale.parse().unwrap()),
            kind: "opened".to_owned(),
            card: None,
            state: "creating".to_owned(),
        }
    }

    #[test]
    fn what_was_missed_is_one_event_a_subject_in_the_order_of_their_last_entries() {
        let (a, b) = ("00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b");
        let redemption = |seq| EntryHead { subject: Subject::Redemption(a.parse().unwrap()), ..head(seq, a) };
        let missed =
            Missed::of(vec![head(4, a), head(5, b), redemption(6), head(7, a), head(8, b), redemption(9)]);
        let expected = [
            (Seq::new(7), Subject::Sale(a.parse().unwrap())),
            (Seq::new(8), Subject::Sale(b.parse().unwrap())),
            (Seq::new(9), Subject::Redemption(a.parse().unwrap())),
        ];
        assert_eq!(missed.subjects, expected);
        assert_eq!((missed.too_much, missed.upto), (false, Some(Seq::new(9))));
        assert_eq!(Missed::of(Vec::new()), Missed::default());
    }

    #[test]
    fn who_missed_too_much_reads_anew() {
        let sale = "00000000-0000-7000-8000-00000000000a";
        let heads = |count: u64| (1..=count).map(|seq| head(seq, sale)).collect::<Vec<_>>();
        assert!(!Missed::of(heads(1000)).too_much);
        let missed = Missed::of(heads(1001));
        assert!(missed.too_much && missed.subjects.is_empty() && missed.upto.is_none());
    }

    #[test]
    fn the_last_event_id_is_a_number_or_absent() {
        for (values, expected) in [
            (&[][..], Ok(None)),
            (&["17"], Ok(Some(Seq::new(17)))),
            (&["0"], Ok(Some(Seq::NONE))),
            (&["18446744073709551615"], Ok(Some(Seq::new(u64::MAX)))),
            (&["18446744073709551616"], Err(Objection::LastEventIdWrong)),
            (&["-1"], Err(Objection::LastEventIdWrong)),
            (&["x"], Err(Objection::LastEventIdWrong)),
            (&[""], Err(Objection::LastEventIdWrong)),
            (&["1", "2"], Err(Objection::LastEventIdWrong)),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(LAST_EVENT_ID, HeaderValue::from_static(value));
            }
            assert_eq!(last_event_id(&headers), expected, "{values:?}");
        }
    }
}
