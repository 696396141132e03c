//! The call log: who asked what, in which order, and what was answered.
//!
//! The last [`KEPT`] calls are kept. Bodies, signatures and credentials are not in it.

use std::collections::VecDeque;

use serde::Serialize;

use crate::request::CallKind;

/// So many calls are remembered.
pub(crate) const KEPT: usize = 10_000;

/// So much of a path, a query or a key is remembered, in characters.
const LONGEST_TEXT: usize = 300;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// Counted from 1; a reset does not begin anew, so that an old `after` never hides a new call.
    pub n: u64,
    /// When it had arrived whole, by the sandbox's clock (RFC 3339, UTC).
    pub at: String,
    /// The endpoint; absent where the request was refused before, or there is none at the path.
    pub call: Option<CallKind>,
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// The request's query, without the question mark.
    pub query: String,
    /// The header's text.
    pub idempotency_key: Option<String>,
    /// The order in the path, or the one that was created.
    pub order_id: Option<String>,
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
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    last: u64,
    kept: VecDeque<CallRecord>,
}

/// What is known of a call before anything is checked.
pub(crate) struct Arrival<'a> {
    pub at: String,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub idempotency_key: Option<&'a str>,
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

impl Calls {
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
            idempotency_key: arrival.idempotency_key.map(bounded),
            order_id: None,
            fault: None,
            executed: false,
            held: false,
            status: None,
            code: None,
        });
        self.last
    }

    /// Changes a record that is still kept.
    pub fn note(&mut self, n: u64, change: impl FnOnce(&mut CallRecord)) {
        let first = self.kept.front().map_or(n, |record| record.n);
        let place = n.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(record) = place.and_then(|place| self.kept.get_mut(place)) {
            change(record);
        }
    }

    pub fn after(&self, n: u64) -> Vec<CallRecord> {
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
        Arrival { at: String::new(), method: "GET", path: "/v1/x", query: "", idempotency_key: None }
    }

    #[test]
    fn the_log_is_bounded_and_its_numbers_go_on() {
        let mut calls = Calls::default();
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
