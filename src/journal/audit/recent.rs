//! The entries of the piece that was walked last, as the rows of sales need them.
//!
//! Most sales end in the piece in which they began: an entry that was just read for the chain is not looked up in the file anew. What
//! is not kept is looked up.

use crate::chain::Linked;

/// As many bytes of words as are kept of a piece; those of a sound journal are a tenth of it.
const MOST_BYTES: usize = 1 << 20;

/// An entry without its body.
#[derive(Clone, Copy)]
pub(super) struct Brief<'a> {
    pub(super) at: i64,
    pub(super) subject: &'a [u8],
    pub(super) previous: Option<i64>,
    pub(super) card: Option<i64>,
    pub(super) kind: &'a str,
    pub(super) state: &'a str,
    pub(super) phase: Option<&'a str>,
    pub(super) open: bool,
}

/// The entries of one piece, by their numbers.
#[derive(Default)]
pub(super) struct Recent {
    /// The number of the first one.
    first: i64,
    entries: Vec<Kept>,
    words: Vec<u8>,
}

struct Kept {
    at: i64,
    previous: Option<i64>,
    card: Option<i64>,
    open: bool,
    has_phase: bool,
    /// Where its subject, kind, state and phase begin in the words, and where the last ends.
    ends: [usize; 5],
}

impl Recent {
    /// Forgets the piece before.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.words.clear();
    }

    /// Keeps the entry behind those that were kept; none is, once they hold too much.
    pub(super) fn keep(&mut self, entry: &Linked<'_>) {
        let words = [entry.subject, entry.kind, entry.state, entry.phase.unwrap_or_default()];
        let begin = self.words.len();
        let length = words.iter().fold(begin, |sum, word| sum.saturating_add(word.len()));
        if self.entries.is_empty() {
            self.first = entry.seq;
        }
        let place = i64::try_from(self.entries.len()).ok().and_then(|kept| self.first.checked_add(kept));
        if length > MOST_BYTES || place != Some(entry.seq) {
            return;
        }
        let mut ends = [begin; 5];
        for (word, end) in words.iter().zip(ends.iter_mut().skip(1)) {
            self.words.extend_from_slice(word);
            *end = self.words.len();
        }
        let Linked { at, previous, card, open, .. } = *entry;
        self.entries.push(Kept { at, previous, card, open, has_phase: entry.phase.is_some(), ends });
    }

    /// The entry of a number, if it is kept, and its words are text.
    pub(super) fn entry(&self, seq: i64) -> Option<Brief<'_>> {
        let place = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        let Kept { at, previous, card, open, has_phase, ends: [subject, kind, state, phase, end] } =
            *self.entries.get(place)?;
        let word = |from: usize, upto: usize| self.words.get(from..upto);
        let text = |from, upto| std::str::from_utf8(word(from, upto)?).ok();
        Some(Brief {
            at,
            subject: word(subject, kind)?,
            previous,
            card,
            kind: text(kind, state)?,
            state: text(state, phase)?,
            phase: if has_phase { Some(text(phase, end)?) } else { None },
            open,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: i64, state: &[u8]) -> Linked<'_> {
        Linked {
            seq,
            at: 7,
            subject: &[1; 16],
            previous: (seq > 3).then_some(seq - 1),
            card: Some(1),
            kind: b"opened",
            state,
            phase: (seq != 4).then_some(b"creating"),
            open: true,
            body: b"{}",
            sealed: None,
            request_key: None,
            request_digest: None,
        }
    }

    #[test]
    fn what_was_kept_is_found_by_its_number_and_nothing_else_is() {
        let mut recent = Recent::default();
        assert!(recent.entry(0).is_none());
        for (seq, state) in [(3, &b"creating"[..]), (4, b""), (5, b"not text \xFF"), (6, b"sold")] {
            recent.keep(&entry(seq, state));
        }
        let told = |seq| {
            recent.entry(seq).map(|found| (found.state, found.phase, found.previous, found.subject.len()))
        };
        assert_eq!(told(3), Some(("creating", Some("creating"), None, 16)));
        assert_eq!(told(4), Some(("", None, Some(3), 16)));
        assert_eq!(told(6), Some(("sold", Some("creating"), Some(5), 16)));
        for absent in [2, 5, 7, i64::MIN, i64::MAX] {
            assert_eq!(told(absent), None, "{absent}");
        }
    }

    #[test]
    fn nothing_is_kept_beyond_a_gap_or_in_any_amount_or_of_an_earlier_piece() {
        let mut recent = Recent::default();
        recent.keep(&entry(3, b"sold"));
        recent.keep(&entry(5, b"sold"));
        let long = vec![b'a'; MOST_BYTES];
        recent.keep(&entry(4, &long));
        assert!(recent.entry(3).is_some() && recent.entry(4).is_none() && recent.entry(5).is_none());
        recent.clear();
        assert!(recent.entry(3).is_none());
        recent.keep(&entry(9, b"sold"));
        assert!(recent.entry(9).is_some() && recent.entry(3).is_none());
    }
}
