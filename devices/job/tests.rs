//! What is said on a line that is kept from one job to the next. The other tests of jobs use real sockets and pseudo-terminals,
//! which keep too much of a job that broke off to strike it at a byte.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;
use crate::port::Wire;

/// A printer at the other end of a wire that takes so many bytes: it answers status and process ids.
struct Far {
    taken: Arc<Mutex<Vec<u8>>>,
    room: Arc<AtomicUsize>,
    answers: Vec<u8>,
    overruns: bool,
    mute: bool,
    /// How often what had not left was thrown away.
    discarded: Arc<AtomicUsize>,
}

impl Far {
    /// The line, what came over it, and how many bytes more it takes.
    fn line(overruns: bool) -> (Line, Arc<Mutex<Vec<u8>>>, Arc<AtomicUsize>) {
        let (taken, room) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::new(AtomicUsize::new(usize::MAX)));
        let far = Self {
            taken: Arc::clone(&taken),
            room: Arc::clone(&room),
            answers: Vec::new(),
            overruns,
            mute: false,
            discarded: Arc::default(),
        };
        (Line::new(Box::new(far)), taken, room)
    }
}

impl Wire for Far {
    fn overruns(&self) -> bool {
        self.overruns
    }

    fn discard(&mut self) -> bool {
        self.discarded.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn close(self: Box<Self>, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncRead for Far {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answers.is_empty() {
            // All answers come at once: what is not there never comes.
            return Poll::Pending;
        }
        into.put_slice(&std::mem::take(&mut self.answers));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Far {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = self.room.load(Ordering::Relaxed);
        if room == 0 {
            return Poll::Ready(Err(io::ErrorKind::Other.into()));
        }
        let count = bytes.len().min(room);
        self.room.store(room - count, Ordering::Relaxed);
        let taken = Arc::clone(&self.taken);
        for byte in &bytes[..count] {
            let mut taken = taken.lock().unwrap();
            taken.push(*byte);
            match *taken.as_slice() {
                _ if self.mute => {}
                [.., 0x10, 0x04, 1..=4] => self.answers.push(0x12),
                [.., 0x1d, b'(', b'H', 6, 0, 48, 48, a, b, c, d] => {
                    self.answers.extend([0x37, 0x22, a, b, c, d, 0]);
                }
                _ => {}
            }
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn known() -> Known {
    let (has, lacks) = (Ability::Has, Ability::Lacks);
    Known::new(&Profile { process_id: has, queued_status: lacks, ..Profile::epson() }, false, 0)
}

/// The head of a picture without its size: three bytes more would be taken for that, and megabytes for its dots.
const HALF: &[u8] = b"\x1b@\x1dv0\x00";

#[tokio::test]
async fn every_question_behind_a_job_that_broke_off_comes_behind_zeros() {
    let (mut known, patience) = (known(), Patience::default());
    let (mut line, taken, room) = Far::line(false);
    // Whatever the run before left half-sent was ended on this line.
    Talk::new(&mut line, &mut known, &patience).ready().await.unwrap();
    assert!(taken.lock().unwrap().starts_with(&[0, 0, 0]));
    // Then a job breaks off on it, and it is kept.
    room.store(HALF.len(), Ordering::Relaxed);
    let outcome = Talk::new(&mut line, &mut known, &patience).run(&[HALF, &[1; 99]].concat(), 0).await;
    assert!(matches!(outcome, JobOutcome::Unknown { bytes_sent: 6, .. }), "{outcome:?}");
    room.store(usize::MAX, Ordering::Relaxed);
    let before = taken.lock().unwrap().len();
    Talk::new(&mut line, &mut known, &patience).status().await.unwrap();
    let asked = taken.lock().unwrap()[before..].to_vec();
    assert!(asked.starts_with(&[0, 0, 0, 0x10, 0x04, 1]), "{asked:02x?}");
}

#[tokio::test]
async fn behind_bytes_that_may_have_been_lost_the_next_slip_is_made_safe() {
    for (size, overruns, unfinished) in [(100, true, false), (5000, true, true), (5000, false, false)] {
        let (mut known, patience) = (known(), Patience::default());
        let (mut line, ..) = Far::line(overruns);
        Talk::new(&mut line, &mut known, &patience).ready().await.unwrap();
        let outcome = Talk::new(&mut line, &mut known, &patience).run(&vec![b'x'; size], 0).await;
        assert!(matches!(outcome, JobOutcome::Printed { .. }), "{size}: {outcome:?}");
        assert_eq!(known.unfinished, unfinished, "{size} bytes, and it overruns: {overruns}");
    }
}

#[tokio::test]
async fn questions_that_a_silent_printer_did_not_take_do_not_heap_up_in_front_of_it() {
    // Switched on, it would answer all of them at once, and none of these answers says what it answers.
    let discarded = Arc::new(AtomicUsize::new(0));
    let far = |mute| Far {
        taken: Arc::default(),
        room: Arc::new(AtomicUsize::new(usize::MAX)),
        answers: Vec::new(),
        overruns: false,
        mute,
        discarded: Arc::clone(&discarded),
    };
    let patience = Patience {
        status: Duration::from_millis(5),
        owed: Duration::ZERO,
        proof: Duration::from_millis(5),
        poll: Duration::from_millis(1),
        ..Patience::default()
    };
    let mut line = Line::new(Box::new(far(true)));
    let mut known = known();
    for times in 1..=3 {
        assert_eq!(Talk::new(&mut line, &mut known, &patience).status().await, Ok(None));
        assert_eq!(discarded.load(Ordering::Relaxed), times);
        assert!(!line.freed, "what ends a half-sent command was thrown away, too");
    }
    // Behind the bytes of a job nothing is thrown away: what has not left belongs to the slip.
    let job = Talk::new(&mut line, &mut known, &patience);
    let outcome = job.run(b"x", 0).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, .. }), "{outcome:?}");
    assert_eq!(discarded.load(Ordering::Relaxed), 3);
    let mut line = Line::new(Box::new(far(false)));
    assert!(Talk::new(&mut line, &mut known, &Patience::default()).status().await.unwrap().is_some());
    assert_eq!(discarded.load(Ordering::Relaxed), 3);
}
