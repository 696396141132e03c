//! The rows of one block that have something in common: a set of numbers from 0 to 4,095.
//!
//! On disk: up to 255 rows as their numbers, two bytes each, little-endian and growing; more as 512 bytes of bits. What is neither
//! was not written here.

/// Bits in a word.
const BITS: usize = 64;
const WORDS: usize = 64;
/// The size of a set as bits, in bytes.
const AS_BITS: usize = 512;

/// A set of rows of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows([u64; WORDS]);

impl Rows {
    pub(crate) const NONE: Self = Self([0; WORDS]);
    pub(crate) const ALL: Self = Self([u64::MAX; WORDS]);

    /// Those before one.
    pub(crate) fn before(end: usize) -> Self {
        let mut rows = Self::NONE;
        for row in 0..end {
            rows.put(row, true);
        }
        rows
    }

    /// Puts a row in, or takes it out.
    pub(crate) fn put(&mut self, row: usize, there: bool) {
        if let Some(word) = self.0.get_mut(row / BITS) {
            let bit = 1_u64 << (row % BITS);
            if there { *word |= bit } else { *word &= !bit }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Leaves what is in both.
    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
    }

    /// Adds what is in the other.
    pub(crate) fn or(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Each of them, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = usize> {
        self.growing().rev()
    }

    fn growing(&self) -> impl DoubleEndedIterator<Item = usize> {
        let words = self.0.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(|(place, word)| {
            (0..BITS).filter(move |bit| (word >> bit) & 1 == 1).map(move |bit| place * BITS + bit)
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let count = self.0.iter().fold(0_usize, |sum, word| sum.saturating_add(word.count_ones() as usize));
        if count.saturating_mul(2) < AS_BITS {
            self.growing().flat_map(|row| u16::try_from(row).unwrap_or(u16::MAX).to_le_bytes()).collect()
        } else {
            self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
        }
    }

    /// A set as it stands on disk; none if it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rows = Self::NONE;
        if bytes.len() == AS_BITS {
            let (words, _) = bytes.as_chunks::<8>();
            for (word, bytes) in rows.0.iter_mut().zip(words) {
                *word = u64::from_le_bytes(*bytes);
            }
            return Some(rows);
        }
        let (numbers, []) = bytes.as_chunks::<2>() else { return None };
        for number in numbers {
            let row = usize::from(u16::from_le_bytes(*number));
            if row >= WORDS * BITS {
                return None;
            }
            rows.put(row, true);
        }
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_comes_back_from_disk_as_it_was(numbers in proptest::collection::btree_set(0_usize..4_096, 0..600)) {
            let mut rows = Rows::NONE;
            for number in &numbers {
                rows.put(*number, true);
            }
            let bytes = rows.to_bytes();
            prop_assert_eq!(bytes.len(), (numbers.len() * 2).min(512));
            prop_assert_eq!(Rows::read(&bytes), Some(rows.clone()));
            prop_assert!(rows.newest_first().eq(numbers.into_iter().rev()));
        }
    }

    #[test]
    fn what_is_no_set_is_not_taken_for_one() {
        for bytes in [&[1_u8][..], &[0; 511], &[0xff, 0xff], &[0x00, 0x10]] {
            assert_eq!(Rows::read(bytes), None, "{bytes:?}");
        }
        assert_eq!(Rows::read(&[]), Some(Rows::NONE));
        assert_eq!(Rows::read(&[0xff; 512]), Some(Rows::ALL));
    }

    #[test]
    fn sets_are_joined_cut_and_emptied() {
        let (mut low, high) = (Rows::before(100), {
            let mut rows = Rows::NONE;
            rows.put(99, true);
            rows.put(4_095, true);
            rows
        });
        low.and(&high);
        assert_eq!(low.newest_first().collect::<Vec<_>>(), [99]);
        low.or(&high);
        assert_eq!(low, high);
        low.put(99, false);
        low.put(4_095, false);
        assert!(low.is_empty());
        // Beyond the block there is nothing.
        low.put(4_096, true);
        assert!(low.is_empty());
    }
}
