//! The call log: who asked what, in which order, and what was answered.
//!
//! The last [`KEPT`] calls are kept. Bodies, signatures and credentials are not in it.

use std::collections::VecDeque;

use serde::Serialize;

/// So many calls are remembered.
pub const KEPT: usize = 10_000;

/// So much of a path, a query or another text is remembered, in characters.
const LONGEST_TEXT: usize = 300;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallRecord<C, D> {
    /// Counted from 1; a reset does not begin anew, so that an old `after` never hides a new call.
    pub n: u64,
    /// When it had arrived whole, by the sandbox's clock (RFC 3339, UTC).
    pub at: String,
    /// The endpoint; absent where the request was refused before, or there is none at the path.
    pub call: Option<C>,
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The request's query, without the question mark.
    pub query: String,
    /// The fault that it took.
    pub fault: Option<&'static str>,
    /// Whether the provider's rules were run on it, whatever they said. A replayed answer is not run again.
    pub executed: bool,
    /// Whether it waits to be released.
    pub held: bool,
    /// The status that was answered; absent while or where nothing was.
    pub status: Option<u16>,
    /// The error code that was answered.
    pub code: Option<String>,
    /// What this provider's log says beside that.
    #[serde(flatten)]
    pub detail: D,
}

/// The log.
#[derive(Debug)]
pub struct Calls<C, D> {
    last: u64,
    kept: VecDeque<CallRecord<C, D>>,
}

impl<C, D> Default for Calls<C, D> {
    fn default() -> Self {
        Self { last: 0, kept: VecDeque::new() }
    }
}

/// What is known of a call before anything is checked.
pub struct Arrival<'a> {
    pub at: String,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
}

/// As much of a text as is remembered.
pub fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

impl<C: Clone, D: Clone + Default> Calls<C, D> {
    pub fn begin(&mut self, arrival: Arrival<'_>) -> u64 {
        self.last = self.last.saturating_add(1);
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(CallRecord {
            n: self.last,
            at: arrival.at,
            call: None,
            method: bounded(arrival.method),
            path: bounded(arrival.path),
            query: bounded(arrival.query),
            fault: None,
            executed: false,
            held: false,
            status: None,
            code: None,
            detail: D::default(),
        });
        self.last
    }

    /// Changes a record that is still kept.
    pub fn note(&mut self, n: u64, change: impl FnOnce(&mut CallRecord<C, D>)) {
        let first = self.kept.front().map_or(n, |record| record.n);
        let place = n.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(record) = place.and_then(|place| self.kept.get_mut(place)) {
            change(record);
        }
    }

    pub fn after(&self, n: u64) -> Vec<CallRecord<C, D>> {
        self.kept.iter().filter(|record| record.n > n).cloned().collect()
    }

    pub fn held(&self) -> usize {
        self.kept.iter().filter(|record| record.held).count()
    }

    pub fn release(&mut self) {
        self.kept.iter_mut().for_each(|record| record.held = false);
    }

    /// Forgets all calls; the count goes on.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival() -> Arrival<'static> {
        Arrival { at: String::new(), method: "GET", path: "/v1/x", query: "" }
    }

    #[test]
    fn the_log_is_bounded_and_its_numbers_go_on() {
        let mut calls = Calls::<(), ()>::default();
        for _ in 0..KEPT + 5 {
            calls.begin(arrival());
        }
        let kept = calls.after(0);
        assert_eq!((kept.len(), kept[0].n), (KEPT, 6));
        calls.note(3, |record| record.held = true);
        calls.note(6, |record| record.status = Some(200));
        assert_eq!((calls.held(), calls.after(5)[0].status), (0, Some(200)));
        calls.clear();
        assert_eq!(calls.begin(arrival()), u64::try_from(KEPT).unwrap() + 6);
        let n = calls.begin(Arrival { path: &"x".repeat(10_000), ..arrival() });
        assert_eq!(calls.after(n - 1)[0].path.len(), 300);
    }
}
