//! How fast a provider is asked, and who goes first (fact sheet U24).
//!
//! A token bucket: `burst` calls at once, then `per_second`. Whoever finds it empty stands in a bounded line, in three
//! ranks: undos before the calls of a sale that is under way, those before everything else; within a rank first come,
//! first served.
//!
//! After an outage a thousand undos may be owed, and would take every token for minutes. Then a sale could not begin, which is
//! no help to anybody: an undo that has waited for a day can wait for a second. So the last half of the burst is kept for
//! the calls of sales: an undo goes first where there is more than that in the bucket. Where there is less, a sale's call may
//! pass it, but once in [`UNDO_AT_LEAST`] an undo goes before everybody, also in a flood of sales. A till at rest thus drains
//! at the full rate, a till that sells gives its sales what they ask for up to the reserve and the undos the rest, and a single
//! undo is passed for a second at most.
//!
//! What nobody waits for at all takes an idle turn ([`Pace::idle_turn`]): only from a full bucket.
//!
//! When the provider says "not so fast" (429), nobody goes before the pause it named, undos neither:
//! a call inside the pause would only be refused and prolong it.
//!
//! Nobody waits for ever: a call brings its patience and gets [`NotYet`] when its turn will not come in time, or when
//! the line of its rank is full. Then nothing has been sent, which is far better to know than a deadline that ends in
//! the line.
//!
//! There is no task behind it. The first in the line sleeps until its token is there; whoever leaves the line, served or
//! dropped, wakes the rest. So dropping a waiting call at any moment costs no token and leaves no place occupied.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How many calls of one rank may wait. A sale has at most 20 cards and several tills' worth of undos may be owed; more
/// than this is a flood, and waiting would not help.
const LONGEST_LINE: usize = 64;

/// How long undos may be passed by the calls of sales.
const UNDO_AT_LEAST: Duration = Duration::from_secs(1);

/// The longest pause that a provider can impose with one answer.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Takes value away again.
    Undo,
    /// Belongs to a sale whose money is in the drawer: confirm, look-up.
    Running,
    /// Creates and everything that nobody's money waits for.
    Rest,
}

/// How fast at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls per second in the long run; at least 1.
    pub per_second: u32,
    /// Calls at once after a rest; at least 1.
    pub burst: u32,
}

impl Default for Limits {
    /// 5 per second (fact sheet U24; the provider names no number) with 10 at once, so that a sale of ten cards does not wait.
    fn default() -> Self {
        Self { per_second: 5, burst: 10 }
    }
}

/// The turn does not come in time; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotYet {
    /// When it may be worth asking again.
    pub retry_after: Duration,
}

/// The bucket and the line before it.
pub struct Pace {
    interval: Duration,
    slack: Duration,
    /// The part of the slack that undos leave to sales.
    reserve: Duration,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// When the bucket is full again. A call may go as long as that is at most `slack` away.
    full_at: Instant,
    not_before: Option<Instant>,
    /// When undos were passed last by nobody: one went, or the first of them came.
    undone: Instant,
    waiting: BTreeSet<(Rank, u64)>,
    last_number: u64,
}

/// A place in the line, given up when dropped.
struct Place<'a> {
    pace: &'a Pace,
    ticket: (Rank, u64),
}

enum Step {
    Go,
    At(Instant),
    Behind,
}

impl Pace {
    /// A full bucket. `None` if a limit is zero.
    pub fn new(limits: Limits) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(limits.per_second)?;
        let slack = interval.checked_mul(limits.burst.checked_sub(1)?)?;
        let reserve = interval.checked_mul(limits.burst / 2)?;
        Some(Self {
            interval,
            slack,
            reserve,
            state: Mutex::new(State {
                full_at: Instant::now(),
                not_before: None,
                undone: Instant::now(),
                waiting: BTreeSet::new(),
                last_number: 0,
            }),
            changed: Notify::new(),
        })
    }

    /// Waits for the turn of a call, at most for `patience`. Safe to drop at any moment.
    pub async fn turn(&self, rank: Rank, patience: Duration) -> Result<(), NotYet> {
        let now = Instant::now();
        let until = now.checked_add(patience).unwrap_or(now);
        let place = self.stand(rank)?;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Counts a change between this line and the await.
            changed.as_mut().enable();
            let wake = match self.look(place.ticket) {
                Step::Go => return Ok(()),
                Step::At(when) if when > until => {
                    return Err(NotYet { retry_after: when.saturating_duration_since(Instant::now()) });
                }
                Step::At(when) => when,
                Step::Behind => until,
            };
            if Instant::now() >= until {
                return Err(NotYet { retry_after: self.interval });
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Waits for a turn that nobody else could want, however long that takes: from a full bucket, before which nobody stands.
    /// Within a pause there is none. Safe to drop at any moment.
    pub async fn idle_turn(&self) -> Result<(), NotYet> {
        loop {
            match self.look_idly() {
                Step::Go => return Ok(()),
                Step::At(when) => {
                    return Err(NotYet { retry_after: when.saturating_duration_since(Instant::now()) });
                }
                Step::Behind => tokio::time::sleep(self.interval).await,
            }
        }
    }

    /// Takes a token if nobody could want it; the end of a pause if there is one.
    fn look_idly(&self) -> Step {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(end) = state.not_before.filter(|end| *end > now) {
            return Step::At(end);
        }
        if state.full_at > now || !state.waiting.is_empty() {
            return Step::Behind;
        }
        state.full_at = now.checked_add(self.interval).unwrap_or(now);
        Step::Go
    }

    /// Nobody goes for `pause` from now, at most [`LONGEST_PAUSE`]. A shorter pause never ends a longer one.
    pub fn pause(&self, pause: Duration) {
        let end = Instant::now().checked_add(pause.min(LONGEST_PAUSE));
        let mut state = self.lock();
        state.not_before = state.not_before.max(end);
        drop(state);
        self.changed.notify_waiters();
    }

    fn stand(&self, rank: Rank) -> Result<Place<'_>, NotYet> {
        let mut state = self.lock();
        if state.waiting.iter().filter(|(other, _)| *other == rank).count() >= LONGEST_LINE {
            return Err(NotYet { retry_after: Duration::from_secs(1) });
        }
        if rank == Rank::Undo && state.first(|rank| rank == Rank::Undo).is_none() {
            state.undone = Instant::now();
        }
        state.last_number = state.last_number.wrapping_add(1);
        let ticket = (rank, state.last_number);
        state.waiting.insert(ticket);
        Ok(Place { pace: self, ticket })
    }

    /// Takes a token if it is this ticket's turn.
    fn look(&self, ticket: (Rank, u64)) -> Step {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(end) = state.not_before.filter(|end| *end > now) {
            return Step::At(end);
        }
        let undoes = ticket.0 == Rank::Undo;
        let overdue_at = state.undone.checked_add(UNDO_AT_LEAST).unwrap_or(now);
        let overdue = overdue_at <= now && state.first(|rank| rank == Rank::Undo).is_some();
        if state.first(|rank| (rank == Rank::Undo) == undoes) != Some(ticket) || (overdue && !undoes) {
            return Step::Behind;
        }
        let kept = if undoes && !overdue { self.reserve } else { Duration::ZERO };
        let full_at = state.full_at.max(now);
        let earliest = full_at.checked_sub(self.slack.saturating_sub(kept));
        if let Some(earliest) = earliest.filter(|earliest| *earliest > now) {
            return Step::At(if kept.is_zero() { earliest } else { earliest.min(overdue_at) });
        }
        state.full_at = full_at.checked_add(self.interval).unwrap_or(full_at);
        if undoes {
            state.undone = now;
        }
        Step::Go
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can panic; a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first in the line of those ranks.
    fn first(&self, of: impl Fn(Rank) -> bool) -> Option<(Rank, u64)> {
        self.waiting.iter().find(|(rank, _)| of(*rank)).copied()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pace.lock().waiting.remove(&self.ticket);
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;

    use super::*;

    const PATIENT: Duration = Duration::from_mins(1);

    fn slow() -> Arc<Pace> {
        Arc::new(Pace::new(Limits { per_second: 1, burst: 1 }).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::new(Limits { per_second: 5, burst: 10 }).unwrap();
        let start = Instant::now();
        let mut at = Vec::new();
        for _ in 0..13 {
            pace.turn(Rank::Rest, PATIENT).await.unwrap();
            at.push(start.elapsed().as_millis());
        }
        assert!(at[..10].iter().all(|ms| *ms == 0), "{at:?}");
        // The timer wakes on whole milliseconds, never early.
        for (place, least) in [(10, 200), (11, 400), (12, 600)] {
            assert!((least..least + 3).contains(&at[place]), "{at:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_undo_goes_before_a_confirm_and_both_before_a_create() {
        let pace = slow();
        pace.turn(Rank::Rest, PATIENT).await.unwrap();
        let (told, mut order) = mpsc::unbounded_channel();
        for rank in [Rank::Rest, Rank::Rest, Rank::Running, Rank::Undo, Rank::Running, Rank::Undo] {
            let (pace, told) = (Arc::clone(&pace), told.clone());
            tokio::spawn(async move {
                pace.turn(rank, PATIENT).await.unwrap();
                told.send(rank).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop(told);
        let mut seen = Vec::new();
        while let Some(rank) = order.recv().await {
            seen.push(rank);
        }
        assert_eq!(seen, [Rank::Undo, Rank::Undo, Rank::Running, Rank::Running, Rank::Rest, Rank::Rest]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_call_leaves_its_place_and_takes_no_token() {
        let pace = slow();
        pace.turn(Rank::Rest, PATIENT).await.unwrap();
        let (leaving, staying) = (Arc::clone(&pace), Arc::clone(&pace));
        let gone = tokio::spawn(async move { leaving.turn(Rank::Undo, PATIENT).await });
        tokio::task::yield_now().await;
        let next = tokio::spawn(async move {
            staying.turn(Rank::Rest, PATIENT).await.unwrap();
            Instant::now()
        });
        tokio::task::yield_now().await;
        let start = Instant::now();
        gone.abort();
        let served = next.await.unwrap();
        assert!(served.duration_since(start) < Duration::from_millis(1100));
        assert!(pace.lock().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_served_in_time_is_told_at_once() {
        let pace = slow();
        pace.pause(Duration::from_secs(30));
        for rank in [Rank::Undo, Rank::Running, Rank::Rest] {
            let refused = pace.turn(rank, Duration::from_secs(5)).await.unwrap_err();
            assert_eq!(refused.retry_after, Duration::from_secs(30));
        }
        // The pause is waited for where there is time for it.
        pace.turn(Rank::Undo, PATIENT).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_never_shortened_and_never_longer_than_an_hour() {
        let pace = slow();
        pace.pause(Duration::from_hours(24));
        pace.pause(Duration::from_secs(1));
        let refused = pace.turn(Rank::Undo, Duration::ZERO).await.unwrap_err();
        assert_eq!(refused.retry_after, LONGEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_is_bounded_for_each_rank_so_a_flood_of_creates_never_keeps_an_undo_out() {
        let pace = slow();
        pace.turn(Rank::Rest, PATIENT).await.unwrap();
        let flood: Vec<_> = (0..LONGEST_LINE).map(|_| pace.stand(Rank::Rest).unwrap()).collect();
        assert!(pace.turn(Rank::Rest, PATIENT).await.is_err());
        pace.turn(Rank::Undo, PATIENT).await.unwrap();
        drop(flood);
        pace.turn(Rank::Rest, PATIENT).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_turn_is_taken_from_a_full_bucket_alone_and_leaves_the_burst_to_others() {
        let pace = Pace::new(Limits { per_second: 5, burst: 10 }).unwrap();
        let start = Instant::now();
        for _ in 0..4 {
            pace.turn(Rank::Rest, PATIENT).await.unwrap();
        }
        pace.idle_turn().await.unwrap();
        assert!((800..1_010).contains(&start.elapsed().as_millis()), "when the four have grown again");
        for _ in 0..9 {
            pace.turn(Rank::Rest, Duration::ZERO).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let waiting = pace.stand(Rank::Rest).unwrap();
        assert!(matches!(pace.look_idly(), Step::Behind));
        drop(waiting);
        pace.idle_turn().await.unwrap();
        pace.pause(Duration::from_secs(30));
        assert_eq!(pace.idle_turn().await.unwrap_err().retry_after, Duration::from_secs(30));
    }

    /// So many calls of a rank at once; when each of them went, in ms.
    fn ask(pace: &Arc<Pace>, rank: Rank, calls: usize, start: Instant) -> tokio::task::JoinHandle<Vec<u128>> {
        let pace = Arc::clone(pace);
        tokio::spawn(async move {
            let mut went = Vec::new();
            for _ in 0..calls {
                pace.turn(rank, Duration::from_hours(1)).await.unwrap();
                went.push(start.elapsed().as_millis());
            }
            went
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_leaves_half_of_the_burst_to_a_sale_and_takes_the_rest_of_the_rate() {
        let pace = Arc::new(Pace::new(Limits { per_second: 5, burst: 10 }).unwrap());
        let start = Instant::now();
        let drains: Vec<_> = (0..4).map(|_| ask(&pace, Rank::Undo, 25, start)).collect();
        tokio::time::sleep(Duration::from_millis(9_900)).await;
        for _ in 0..5 {
            let sale = Instant::now();
            pace.turn(Rank::Rest, PATIENT).await.unwrap();
            pace.turn(Rank::Running, PATIENT).await.unwrap();
            assert_eq!(sale.elapsed().as_millis(), 0, "a sale does not wait for the drain");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut went = Vec::new();
        for drain in drains {
            went.extend(drain.await.unwrap());
        }
        went.sort_unstable();
        assert_eq!(went.iter().filter(|ms| **ms == 0).count(), 5);
        // 100 undos and 10 calls of sales, 5 at once, at the whole rate of 5 a second.
        let last = *went.last().unwrap();
        assert!((20_800..21_100).contains(&last), "{last}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_sales_lets_an_undo_pass_once_a_second() {
        let pace = Arc::new(Pace::new(Limits { per_second: 5, burst: 10 }).unwrap());
        let start = Instant::now();
        let flood: Vec<_> = (0..8).map(|_| ask(&pace, Rank::Rest, 20, start)).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let went = ask(&pace, Rank::Undo, 10, start).await.unwrap();
        for (number, ms) in (1_u128..).zip(&went) {
            assert!((number * 1_000..number * 1_200 + 300).contains(ms), "{went:?}");
        }
        flood.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[test]
    fn a_limit_of_zero_is_no_pace() {
        assert!(Pace::new(Limits { per_second: 0, burst: 1 }).is_none());
        assert!(Pace::new(Limits { per_second: 1, burst: 0 }).is_none());
    }
}
