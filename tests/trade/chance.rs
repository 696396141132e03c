//! Chance from a seed: the same seed draws the same year on every machine.

use std::time::Duration;

/// Small, seeded, and good enough to choose with (`SplitMix64`, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// What is drawn for one purpose on one day: it does not depend on what else is drawn, or on how many days there are.
    pub fn of(seed: u64, day: u32, purpose: u64) -> Self {
        let mut chance = Self(seed ^ (u64::from(day) << 40) ^ (purpose << 56));
        chance.draw();
        Self(chance.draw())
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.draw() % most.max(1)
    }

    /// True in so many cases of a thousand.
    pub fn in_thousand(&mut self, cases: u64) -> bool {
        self.below(1_000) < cases
    }

    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// One of some, each as likely as its weight says.
    pub fn weighed<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let mut left = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in of {
            if left < *weight {
                return *one;
            }
            left -= weight;
        }
        of[of.len() - 1].1
    }

    /// Any moment between two, in ms.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_millis() + 1;
        from + Duration::from_millis(self.below(u64::try_from(span).unwrap()))
    }

    /// A span between two of which each order of magnitude is as likely as any other: most are short, a few very long.
    pub fn span(&mut self, from: Duration, to: Duration) -> Duration {
        let mut longest = from;
        let mut doublings = 0;
        while longest * 2 <= to {
            longest *= 2;
            doublings += 1;
        }
        let shortest = from * 2_u32.pow(u32::try_from(self.below(doublings + 1)).unwrap());
        self.between(shortest, (shortest * 2).min(to))
    }
}
