//! Points in time, always given from outside.
//!
//! Within one run of the daemon they come from a clock that nobody sets. Over a restart they do not: a moment that was
//! written down by an earlier run may lie in the future of this one, because the wall clock was set back, or was wrong
//! then. Whoever decides by an age must not take such a moment for "just now": [`Moment::long_since`] makes it "long ago".

use std::time::Duration;

/// How far a moment of an earlier run may lie ahead before the clock counts as set back: what time synchronisation moves a
/// clock by is less, and no deadline here is so short that it matters.
pub const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// A point in wall-clock time: ms since 1970-01-01T00:00Z. Sequence, not time, orders what happened; moments serve
/// deadlines and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// The moment `ms` after 1970-01-01T00:00Z.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// In ms since 1970-01-01T00:00Z.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// `span` later; at the end of time it stays there.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if the clock has been set back in between.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How long after `earlier` this is; for ever if `earlier` lies ahead by more than [`CLOCK_SLACK`]. Then nobody knows
    /// how long it was, and what is done by an age is to be done as if it were great: a customer has gone, an order is old.
    pub fn long_since(self, earlier: Self) -> Duration {
        if self.plus(CLOCK_SLACK) < earlier { Duration::MAX } else { self.since(earlier) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_forward_and_never_beyond_its_end() {
        let ms = |count| Duration::from_millis(count);
        for (from, span, to) in [
            (0, ms(0), 0),
            (1_795_266_300_000, ms(1_500), 1_795_266_301_500),
            (-5, ms(4), -1),
            (i64::MAX, ms(1), i64::MAX),
            (0, Duration::MAX, i64::MAX),
        ] {
            assert_eq!(Moment::from_ms(from).plus(span).ms(), to, "{from} {span:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_has_let_no_time_pass() {
        for (earlier, later, passed) in [
            (1_000, 2_500, 1_500),
            (7, 7, 0),
            (2_500, 1_000, 0),
            (i64::MIN, i64::MAX, 9_223_372_036_854_775_807),
        ] {
            let since = Moment::from_ms(later).since(Moment::from_ms(earlier));
            assert_eq!(since, Duration::from_millis(passed), "{earlier} {later}");
        }
    }
}
