//! What the disk alone takes: one append and `fdatasync` to a file beside the journal, of the size that a commit appends to
//! SQLite's log.
//!
//! It is sampled every few sales or redemptions, so that a machine that gets slower or faster does so for both, and in two
//! ways: back to back, and at the pace of a sale, because a commit comes after a wait for the till, the provider or the
//! printer, when disk and processor have gone idle.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::figures::{quantile, us};

/// The header of SQLite's log, and of each page in it, in bytes (SQLite's "WAL-mode File Format").
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// How many appends a sample has, in each of the two ways.
const SAMPLES: usize = 8;
/// The pause before an append at the pace of a sale: between two commits of a sale lie about as much.
const PACE: Duration = Duration::from_micros(400);

/// A folder on the disk that is measured: the build's own, not a memory file system.
pub fn folder() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("measure.tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file beside the journal, to which is appended as the journal is: a write and a sync; and how long each append took.
pub struct Disk {
    file: tempfile::NamedTempFile,
    bytes: Vec<u8>,
    paced: Vec<Duration>,
    back_to_back: Vec<Duration>,
}

impl Disk {
    /// `size`: of an append, in bytes.
    pub fn new(size: usize) -> Self {
        let file = tempfile::Builder::new().append(true).tempfile_in(folder()).unwrap();
        Self { file, bytes: vec![0x5a; size], paced: Vec::new(), back_to_back: Vec::new() }
    }

    pub fn sample(&mut self) {
        for _ in 0..SAMPLES {
            std::thread::sleep(PACE);
            let took = self.append();
            self.paced.push(took);
        }
        for _ in 0..SAMPLES {
            let took = self.append();
            self.back_to_back.push(took);
        }
    }

    fn append(&mut self) -> Duration {
        let begun = Instant::now();
        self.file.write_all(&self.bytes).unwrap();
        self.file.as_file().sync_data().unwrap();
        begun.elapsed()
    }

    /// The median of an append at the pace of a sale, and back to back.
    pub fn medians(&mut self) -> (Duration, Duration) {
        (quantile(&mut self.paced, 500), quantile(&mut self.back_to_back, 500))
    }

    /// Prints the medians, and what so many appends in a row cost with no tilld at all: what is rare for one is not rare for
    /// all of them.
    pub fn tell(&mut self, in_a_row: usize) {
        // In the order of time, before the medians sort them.
        let mut rows: Vec<Duration> =
            self.paced.chunks_exact(in_a_row).map(|appends| appends.iter().sum()).collect();
        let (median, back_to_back) = self.medians();
        println!(
            "  append + fdatasync, {} B  median {:.0} us, p99 {:.0} us (back to back {:.0} us)",
            self.bytes.len(),
            us(median),
            us(quantile(&mut self.paced, 990)),
            us(back_to_back)
        );
        let floor = us(median) * f64::from(u32::try_from(in_a_row).unwrap());
        println!(
            "  {in_a_row} appends of the disk       p50 {:.2} x, p99 {:.2} x ({in_a_row} x median), with no tilld at all",
            us(quantile(&mut rows, 500)) / floor,
            us(quantile(&mut rows, 990)) / floor
        );
    }
}

/// What stands in the present round of a log.
#[derive(Clone, Copy)]
pub struct Logged {
    round: [u8; 8],
    bytes: usize,
    commits: usize,
}

impl Logged {
    /// Counts it: a page belongs to the present round if it bears the round's salts, and the last page of a commit holds the
    /// size of the database.
    pub fn of(log: &[u8]) -> Self {
        let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
        let frames = log[LOG_HEADER..].chunks_exact(FRAME_HEADER + page);
        let present: Vec<_> = frames.take_while(|frame| frame[8..16] == log[16..24]).collect();
        let commits = present.iter().filter(|frame| frame[4..8] != [0; 4]).count();
        let round = log[16..24].try_into().unwrap();
        Self { round, bytes: present.len() * (FRAME_HEADER + page), commits }
    }

    /// How many bytes a commit appended in the mean.
    pub fn bytes_a_commit(&self) -> usize {
        self.bytes / self.commits
    }

    /// What was appended since; none if a new round has begun.
    pub fn since(&self, before: &Self) -> Option<Self> {
        let (bytes, commits) =
            (self.bytes.checked_sub(before.bytes)?, self.commits.checked_sub(before.commits)?);
        (self.round == before.round).then_some(Self { round: self.round, bytes, commits })
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, commits: self.commits + other.commits, ..self }
    }
}
