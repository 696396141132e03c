//! Every target against its corpus, and against inputs made from it by chance: changed, cut, put together. An input that a
//! law does not hold for is cut down by proptest and shown; it belongs into the corpus then.
//!
//! `TILLD_SEED` (a number, printed by every run) chooses the inputs, `TILLD_INPUTS` how many each target gets.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tilld_fuzz::TARGETS;

/// How many inputs a target gets in every test run.
const INPUTS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// One change to an input.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    /// What follows is the end of another input, or of this one.
    Splice(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..5)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), "\\PC{1,4}|[\\[\\]{},:\"]{1,3}|[0-9.eE-]{1,20}|null|true")
            .prop_map(|(at, text)| Change::Insert(at, text.into_bytes())),
        (at(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), at(), at()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn changed(corpus: &[Vec<u8>], which: Index, changes: Vec<Change>) -> Vec<u8> {
    let mut bytes = corpus[which.index(corpus.len())].clone();
    for change in changes {
        let place = |at: Index| at.index(bytes.len() + 1);
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            Change::Insert(at, new) => {
                let at = place(at);
                bytes.splice(at..at, new);
            }
            Change::Remove(at, count) => {
                let at = place(at);
                let end = bytes.len().min(at + usize::from(count));
                bytes.drain(at..end);
            }
            Change::Splice(at, other, from) => {
                let other = &corpus[other.index(corpus.len())];
                bytes.truncate(place(at));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}

#[test]
fn every_law_holds_for_the_corpus_and_for_what_chance_makes_of_it() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = number("TILLD_SEED").unwrap_or(now);
    let inputs = number("TILLD_INPUTS").unwrap_or(INPUTS);
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(corpus.len() >= 8, "{name}: a corpus of {} proves little", corpus.len());
        for (path, bytes) in &corpus {
            // What is broken was said by the panic; which input breaks it is said here.
            let held = std::panic::catch_unwind(|| target(bytes));
            assert!(held.is_ok(), "{name}: a law does not hold for {}", path.display());
        }
        let corpus: Vec<Vec<u8>> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config =
            Config { cases: u32::try_from(inputs).unwrap(), failure_persistence: None, ..Config::default() };
        let made = (any::<Index>(), prop::collection::vec(change(), 1..8))
            .prop_map(|(which, changes)| changed(&corpus, which, changes));
        let run = TestRunner::new_with_rng(config, rng).run(&made, |bytes| {
            target(&bytes);
            Ok(())
        });
        if let Err(error) = run {
            panic!("{name}, TILLD_SEED={seed}: {error}");
        }
        println!(
            "{name}: {} of the corpus, {inputs} by chance (TILLD_SEED={seed}): every law holds",
            corpus.len()
        );
    }
}
