//! What one part of a world tells all others, who may wait for it.
//!
//! Those who wait are woken in the order in which they came, so that a history repeats: the channels of the runtime wake them in an
//! order that is drawn at random.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

struct Inner<T> {
    now: T,
    waiting: BTreeMap<u64, Waker>,
    numbers: u64,
}

/// The last that was told.
pub struct Told<T>(Mutex<Inner<T>>);

impl<T: Default> Default for Told<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Told<T> {
    pub fn new(now: T) -> Self {
        Self(Mutex::new(Inner { now, waiting: BTreeMap::new(), numbers: 0 }))
    }

    /// Tells something new.
    pub fn tell(&self, now: T) {
        let mut inner = self.0.lock().unwrap();
        let before = std::mem::replace(&mut inner.now, now);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        drop(before);
        waiting.into_values().for_each(Waker::wake);
    }
}

impl<T: Clone> Told<T> {
    pub fn now(&self) -> T {
        self.0.lock().unwrap().now.clone()
    }

    /// Waits until what was told is `wanted`.
    pub fn until<F: FnMut(&T) -> bool + Unpin>(&self, wanted: F) -> Until<'_, T, F> {
        let mut inner = self.0.lock().unwrap();
        inner.numbers += 1;
        let number = inner.numbers;
        drop(inner);
        Until { told: self, number, wanted }
    }
}

/// One who waits.
pub struct Until<'a, T, F> {
    told: &'a Told<T>,
    number: u64,
    wanted: F,
}

impl<T: Clone, F: FnMut(&T) -> bool + Unpin> Future for Until<'_, T, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let told = self.told;
        let mut inner = told.0.lock().unwrap();
        if (self.wanted)(&inner.now) {
            return Poll::Ready(inner.now.clone());
        }
        inner.waiting.insert(self.number, context.waker().clone());
        Poll::Pending
    }
}

impl<T, F> Drop for Until<'_, T, F> {
    fn drop(&mut self) {
        // The waker goes when the lock is free: it may be the last that holds its task.
        let waker = self.told.0.lock().unwrap().waiting.remove(&self.number);
        drop(waker);
    }
}
