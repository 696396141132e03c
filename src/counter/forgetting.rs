//! Codes that nobody can need any more: their keys are destroyed in time, and then moved out of the journal's log too.
//!
//! Ways to fail: the journal is shut, the clock is wrong, or a reader is in the way. Then it is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::book::Book;
use crate::clock::Clock;
use crate::perform::Line;
use crate::{Ports, blocking};

/// How often codes are forgotten that have got old: their age is counted in hours.
const FORGET_EVERY: Duration = Duration::from_mins(10);
/// After what time codes are forgotten also if no provider has confirmed this machine's clock: as long as they are kept.
const FORGET_UNTOLD: Duration = Duration::from_hours(24);
/// How long after a key was destroyed its last copy may stand in the journal's log. Emptying the log holds commits up for some
/// ms, so that it is not done for each.
const WIPE_AFTER: Duration = Duration::from_mins(1);

/// Destroys the keys of codes that nobody can need any more, every so often; not by a wrong clock, which would destroy what is
/// needed tomorrow: the provider has told its time in this run, or the run itself is old enough, and of the counter's time and
/// the wall clock the earlier one counts. Never ends.
pub(crate) async fn forget_in_time(ports: Ports, line: Arc<Line>) {
    let Ports { journal, provider, clock, .. } = ports;
    let begun = clock.steady();
    loop {
        let told = line.offset.now_ms(clock.as_ref()).is_some()
            || clock.steady().saturating_sub(begun) >= FORGET_UNTOLD;
        if told
            && journal.is_open()
            && line.offset.wrong(provider.clock_tolerance(), clock.as_ref()).is_none()
        {
            let (journal, now) = (journal.clone(), clock.now().min(clock.wall()));
            match blocking(clock.as_ref(), move || journal.forget_expired(now)).await {
                Ok(Ok(0)) | Err(_) => {}
                Ok(Ok(orders)) => tracing::info!(orders, "the codes of sold cards are forgotten"),
                Ok(Err(error)) => tracing::warn!(%error, "codes that are due cannot be forgotten now"),
            }
        }
        clock.sleep(FORGET_EVERY).await;
    }
}

/// Moves keys that were destroyed out of the journal's log too, where their pages stand until it is emptied: [`WIPE_AFTER`] the
/// first of them. Never ends.
pub(crate) async fn wipe_in_time(journal: Book, clock: Arc<dyn Clock>, forgotten: Arc<Notify>) {
    loop {
        forgotten.notified().await;
        loop {
            clock.sleep(WIPE_AFTER).await;
            let journal = journal.clone();
            match blocking(clock.as_ref(), move || journal.wipe_log()).await {
                Ok(Ok(true)) | Err(_) => break,
                // A reader was in the way.
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "keys of codes cannot be wiped from the log now"),
            }
        }
    }
}
