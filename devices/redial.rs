//! When a line is tried again that was lost or did not open: soon the first time, then after growing pauses.
//!
//! The pauses begin anew only behind a line that lasted ([`LASTING`]). A printer that takes every line and drops it, or
//! answers one question a line, would be called twenty times a second otherwise.

use std::time::Duration;

use tokio::time::Instant;

/// The first and the longest pause. With the time for one attempt the latter stays below two seconds, in which a printer that
/// comes back is to be found.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(800);
/// How long a line must have been open for the next one to be tried soon again.
const LASTING: Duration = Duration::from_secs(5);

/// The pauses of one printer's line.
pub(crate) struct Redial {
    /// The next one.
    pause: Duration,
    /// When the line was opened; none without one.
    opened: Option<Instant>,
}

impl Redial {
    pub const fn new() -> Self {
        Self { pause: FIRST, opened: None }
    }

    /// A line is open.
    pub fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// It is not, or not any more: when to try again.
    pub fn lost(&mut self, now: Instant) -> Instant {
        let lasted =
            self.opened.take().is_some_and(|opened| now.saturating_duration_since(opened) >= LASTING);
        if lasted {
            self.pause = FIRST;
        }
        let again = now + self.pause;
        self.pause = self.pause.saturating_mul(2).min(LONGEST);
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_lasted_is_tried_again_soon() {
        let (mut redial, mut now) = (Redial::new(), Instant::now());
        // How long a line was open, if it did open, and the pause behind it.
        for (open_ms, pause_ms) in [
            (None, 50),
            (None, 100),
            (Some(0), 200),
            (Some(700), 400),
            (Some(4_999), 800),
            (None, 800),
            (Some(20), 800),
            (Some(5_000), 50),
            (None, 100),
            (Some(60_000), 50),
            (Some(0), 100),
        ] {
            if let Some(ms) = open_ms {
                redial.opened(now);
                now += Duration::from_millis(ms);
            }
            let again = redial.lost(now);
            assert_eq!(again - now, Duration::from_millis(pause_ms), "open for {open_ms:?} ms");
            now = again;
        }
    }
}
