//! How many wrong codes a terminal may try. Twelve digits can be guessed by whoever may guess for long enough.
//!
//! A wrong code is one that the provider does not know. A voucher that is spent or expired is a guest's mistake, and what
//! is refused before it is sent ([`super::scan`]) tells a guesser nothing: neither counts. The counter's state is the fold
//! of what was journaled, so that a restart forgives nothing; of what was tried the journal holds an HMAC alone.

use std::collections::VecDeque;
use std::time::Duration;

use crate::moment::Moment;
use crate::refusal::Refusal;

/// How many wrong codes there may be, and in what time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// After so many the terminal checks no vouchers.
    pub most: usize,
    /// For how long each of them counts.
    pub within: Duration,
}

impl Limit {
    /// The numbers of the design (fact sheet gift-local 7c): a person who misreads a code tries it two or three times; five
    /// tries in ten minutes, day and night, find one of a million sold codes once in nearly four years.
    pub const DESIGN: Self = Self { most: 5, within: Duration::from_mins(10) };
}

/// The wrong codes of one terminal that still count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tries {
    failed: VecDeque<Moment>,
}

impl Tries {
    /// Whether a voucher may be checked now.
    pub fn may_try(&self, limit: Limit, at: Moment) -> Result<(), Refusal> {
        // A clock that was set back makes a try look younger, never older.
        let counting = self.failed.iter().filter(|failed| at.since(**failed) < limit.within).count();
        if counting < limit.most { Ok(()) } else { Err(Refusal::TooManyTries) }
    }

    /// When a voucher may be checked again, if nobody unlocks the terminal before; none if it may be now.
    pub fn again(&self, limit: Limit, at: Moment) -> Option<Moment> {
        self.may_try(limit, at).err()?;
        self.failed.iter().min().map(|oldest| oldest.plus(limit.within))
    }

    /// A wrong code was tried.
    pub fn failed(&mut self, limit: Limit, at: Moment) {
        self.failed.push_back(at);
        while self.failed.len() > limit.most {
            self.failed.pop_front();
        }
    }

    /// A manager has looked at it: counting begins anew.
    pub fn unlock(&mut self) {
        self.failed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_ms(1_767_225_600_000);

    fn after(seconds: u64) -> Moment {
        START.plus(Duration::from_secs(seconds))
    }

    fn tries(failed: &[u64]) -> Tries {
        let mut tries = Tries::default();
        for seconds in failed {
            tries.failed(Limit::DESIGN, after(*seconds));
        }
        tries
    }

    #[test]
    fn five_wrong_codes_in_ten_minutes_are_enough() {
        for (failed, at, may) in [
            (vec![], 0, true),
            (vec![0, 1, 2, 3], 4, true),
            (vec![0, 1, 2, 3, 4], 4, false),
            (vec![0, 1, 2, 3, 4], 599, false),
            (vec![0, 1, 2, 3, 4], 600, true),
            (vec![0, 1, 2, 3, 4, 600], 600, false),
            (vec![0, 1, 2, 3, 4, 600], 601, true),
            (vec![0, 200, 400, 600, 800], 800, true),
            (vec![201, 300, 400, 600, 800], 800, false),
        ] {
            assert_eq!(tries(&failed).may_try(Limit::DESIGN, after(at)).is_ok(), may, "{failed:?} {at}");
        }
    }

    #[test]
    fn a_locked_terminal_knows_when_time_unlocks_it() {
        for (failed, at, again) in [
            (vec![0, 1, 2, 3], 4, None),
            (vec![0, 1, 2, 3, 4], 4, Some(600)),
            (vec![0, 1, 2, 3, 4, 600], 600, Some(601)),
            (vec![4, 3, 2, 1, 0], 599, Some(600)),
            (vec![0, 1, 2, 3, 4], 600, None),
        ] {
            let tries = tries(&failed);
            assert_eq!(tries.again(Limit::DESIGN, after(at)), again.map(after), "{failed:?} {at}");
            if let Some(again) = again {
                assert!(tries.may_try(Limit::DESIGN, after(again)).is_ok(), "{failed:?} {at}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_forgives_nothing() {
        let tries = tries(&[1000, 1001, 1002, 1003, 1004]);
        assert_eq!(tries.may_try(Limit::DESIGN, START), Err(Refusal::TooManyTries));
    }

    #[test]
    fn a_manager_lets_the_terminal_try_again() {
        let mut tries = tries(&[0, 1, 2, 3, 4]);
        tries.unlock();
        assert_eq!(tries.may_try(Limit::DESIGN, after(5)), Ok(()));
    }

    #[test]
    fn a_guesser_who_never_stops_costs_no_memory() {
        let mut tries = Tries::default();
        for seconds in 0..10_000 {
            tries.failed(Limit::DESIGN, after(seconds));
        }
        assert_eq!(tries.failed.len(), Limit::DESIGN.most);
    }
}
