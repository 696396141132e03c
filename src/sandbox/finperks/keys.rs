//! The memory of `Idempotency-Key` (fact sheet 6, U6).
//!
//! A key stands for one request: method, path and body. It is remembered once a request under it has succeeded; one
//! that was refused gave nothing, and its key may be used again. The scope is the client, not the endpoint.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::answer::Answer;

/// Keys that are remembered; the oldest goes first.
const MOST_KEYS: usize = 20_000;

/// What a request is, as far as its key is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), body] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// What is known of a key.
pub(crate) enum Known<'a> {
    /// Nothing.
    New,
    /// The same request succeeded, with this answer.
    Same(&'a Answer),
    /// Another request succeeded under it.
    Other,
}

/// The memory.
#[derive(Default)]
pub(crate) struct Keys {
    known: HashMap<String, (Fingerprint, Answer)>,
    ages: VecDeque<String>,
}

impl Keys {
    pub fn look(&self, key: &str, request: Fingerprint) -> Known<'_> {
        match self.known.get(key) {
            None => Known::New,
            Some((first, answer)) if *first == request => Known::Same(answer),
            Some(_) => Known::Other,
        }
    }

    pub fn remember(&mut self, key: String, request: Fingerprint, answer: Answer) {
        if self.ages.len() >= MOST_KEYS
            && let Some(oldest) = self.ages.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.ages.push_back(key.clone());
        self.known.insert(key, (request, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_stands_for_one_method_path_and_body() {
        let mut keys = Keys::default();
        let first = Fingerprint::of("POST", "/v1/retail_orders", b"{}");
        assert!(matches!(keys.look("k", first), Known::New));
        keys.remember("k".to_owned(), first, Answer::json(201, &json!({})));
        assert!(matches!(keys.look("k", first), Known::Same(answer) if answer.status == 201));
        for other in [
            ("PUT", "/v1/retail_orders", "{}"),
            ("POST", "/v1/stores", "{}"),
            ("POST", "/v1/retail_orders", "{ }"),
        ] {
            let other = Fingerprint::of(other.0, other.1, other.2.as_bytes());
            assert!(matches!(keys.look("k", other), Known::Other));
        }
        assert!(matches!(keys.look("l", first), Known::New));
    }

    #[test]
    fn the_oldest_key_is_forgotten_first() {
        let mut keys = Keys::default();
        let request = Fingerprint::of("POST", "/", b"");
        for number in 0..=MOST_KEYS {
            keys.remember(number.to_string(), request, Answer::empty(201));
        }
        assert!(matches!(keys.look("0", request), Known::New));
        assert!(matches!(keys.look("1", request), Known::Same(_)));
        assert_eq!(keys.known.len(), MOST_KEYS);
    }
}
