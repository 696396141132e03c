//! An open line to a printer: questions out, answers in, and where each answer belongs.
//!
//! Answers to `DLE EOT` do not say what they answer. One that comes late, after its question was given up, would be taken
//! for the answer to the next question, and an empty paper for a closed cover. So a line that owes an answer is heard for as
//! long as that may still come before anything is asked again ([`Line::settle`]).
//!
//! What is half-said is not waited for without end either. Noise on a serial line, or a printer whose power went in the middle
//! of a word, would otherwise swallow every answer behind it, for such a line is not opened anew.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::port::Wire;
use crate::printer::{Fault, Status};
use crate::status::{Answer, AnswerParser};

/// The most that a printer says, in bytes, without having been sent anything: more comes from something that is no printer.
const MOST_UNBIDDEN: usize = 64 * 1024;

/// For the rest of a block or group that has begun. Its bytes follow each other at once; adapters collect them for 16 ms, and
/// a packet that was lost on the way is repeated after some 200 ms.
const UNFINISHED: Duration = Duration::from_millis(500);

/// The line is of no use any more, and what that says about the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost(pub Fault);

/// A connection and what was read from it.
pub(crate) struct Line {
    wire: Box<dyn Wire>,
    parser: AnswerParser,
    heard: VecDeque<Answer>,
    /// Until when a real-time answer may come that nobody waits for any more.
    late: Option<Instant>,
    /// When something came last.
    spoke: Instant,
    /// How many bytes came since the last ones were sent.
    unbidden: usize,
    /// Its other end closed it in order.
    ended: bool,
    /// What may have been half-sent before was ended on this line.
    pub freed: bool,
    /// It was asked who it is on this line.
    pub named: bool,
}

impl Line {
    pub fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            parser: AnswerParser::default(),
            heard: VecDeque::new(),
            late: None,
            spoke: Instant::now(),
            freed: false,
            named: false,
            unbidden: 0,
            ended: false,
        }
    }

    pub fn wire(&self) -> &dyn Wire {
        self.wire.as_ref()
    }

    /// Whether its other end closed it, as printers do with idle clients.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// What the port itself says of the printer.
    pub async fn word(&mut self) -> Option<Status> {
        self.wire.word().await
    }

    /// Throws away what has not left. Whether the line may be used for the next job.
    pub fn discard(&mut self) -> bool {
        // What ends a half-sent command may be thrown away, too.
        self.freed = false;
        self.wire.discard()
    }

    pub async fn close(self, patience: Duration) {
        self.wire.close(patience).await;
    }

    /// The next answer, or `None` when none came until then. May be dropped at any moment; nothing is lost by that.
    pub async fn hear(&mut self, until: Instant) -> Result<Option<Answer>, Lost> {
        if self.unbidden > MOST_UNBIDDEN {
            return Err(Lost(Fault::Error));
        }
        let mut bytes = [0_u8; 256];
        loop {
            if let Some(answer) = self.heard.pop_front() {
                return Ok(Some(answer));
            }
            let count = match timeout_at(until, self.wire.read(&mut bytes)).await {
                Err(_) => return Ok(None),
                // A serial line that was unplugged reads as an endless end of file (fact sheet ESCPOS 1.2).
                Ok(Ok(0)) => {
                    self.ended = true;
                    return Err(Lost(Fault::Absent));
                }
                Ok(Err(error)) => return Err(Lost(self.wire.blame(&error))),
                Ok(Ok(count)) => count,
            };
            self.spoke = Instant::now();
            self.unbidden = self.unbidden.saturating_add(count);
            if self.unbidden > MOST_UNBIDDEN {
                return Err(Lost(Fault::Error));
            }
            self.heard.extend(bytes.iter().take(count).filter_map(|byte| self.parser.push(*byte)));
        }
    }

    /// Sends a question.
    pub async fn ask(&mut self, question: &[u8], until: Instant) -> Result<(), Lost> {
        self.unbidden = 0;
        match timeout_at(until, self.wire.write_all(question)).await {
            Ok(Ok(())) => Ok(()),
            // A question that is not even taken makes the line useless: nobody can say how much of it was.
            Ok(Err(error)) => Err(Lost(self.wire.blame(&error))),
            Err(_) => Err(Lost(Fault::Silent)),
        }
    }

    /// Hands over as many of the bytes as are taken at once. `None`: none were until then.
    pub async fn give(&mut self, bytes: &[u8], until: Instant) -> Result<Option<usize>, Lost> {
        self.unbidden = 0;
        match timeout_at(until, self.wire.write(bytes)).await {
            Ok(Ok(0)) => Err(Lost(Fault::Absent)),
            Ok(Err(error)) => Err(Lost(self.wire.blame(&error))),
            Ok(Ok(count)) => Ok(Some(count)),
            Err(_) => Ok(None),
        }
    }

    /// Waits until what was taken has left this machine. `false`: for so long none of it did.
    pub async fn drain(&mut self, progress: Duration) -> Result<bool, Lost> {
        let mut least = usize::MAX;
        let mut until = Instant::now() + progress;
        loop {
            // Of all ports only a file has something to say here.
            if let Err(error) = self.wire.flush().await {
                return Err(Lost(self.wire.blame(&error)));
            }
            let unsent = self.wire.unsent();
            if unsent == 0 {
                return Ok(true);
            }
            if unsent < least {
                least = unsent;
                until = Instant::now() + progress;
            } else if Instant::now() >= until {
                return Ok(false);
            }
            let left = self.wire.byte_time().saturating_mul(u32::try_from(unsent).unwrap_or(u32::MAX));
            tokio::time::sleep(left.clamp(Duration::from_millis(1), progress / 8)).await;
        }
    }

    /// Notes that a real-time answer is owed, and how long it may still take.
    pub fn owes(&mut self, for_so_long: Duration) {
        self.late = Some(Instant::now() + for_so_long);
    }

    /// Waits for an answer that is owed from before. Everything that is heard meanwhile goes to `note`.
    pub async fn settle(&mut self, mut note: impl FnMut(Answer)) -> Result<(), Lost> {
        if let Some(until) = self.late {
            while let Some(answer) = self.hear(until).await? {
                let answers = matches!(answer, Answer::RealTime(_));
                note(answer);
                if answers {
                    break;
                }
            }
            self.late = None;
        }
        // What is there already is older than the next question.
        while let Some(stale) = self.hear(Instant::now()).await? {
            note(stale);
        }
        let end = Instant::now() + UNFINISHED * 4;
        while self.parser.is_within() {
            let until = end.min(self.spoke + UNFINISHED);
            match self.hear(until).await? {
                Some(answer) => note(answer),
                None if until == end.min(self.spoke + UNFINISHED) => self.parser.forget(),
                // More of it came.
                None => {}
            }
        }
        Ok(())
    }

    /// An answer that came while nothing was asked.
    pub fn was_owed(&mut self, answer: &Answer) {
        if matches!(answer, Answer::RealTime(_)) {
            self.late = None;
        }
    }
}
