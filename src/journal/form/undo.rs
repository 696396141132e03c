//! The form of the pauses of an undo, in the first entry of a sale or redemption.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tilld_domain::pauses::{FAILURES_TOLD_APART, UndoTimes};

/// What an entry means that says nothing of them: the first journals knew no others. These may never change, whatever the
/// design's become.
const UNWRITTEN: UndoTimes = UndoTimes {
    pauses: [
        Duration::from_secs(1),
        Duration::from_secs(2),
        Duration::from_secs(5),
        Duration::from_secs(15),
        Duration::from_secs(30),
        Duration::from_mins(1),
        Duration::from_mins(5),
    ],
    stuck: Duration::from_hours(1),
    call_after_failures: 6,
    call_after: Duration::from_mins(15),
};

pub(super) fn unwritten() -> UndoTimes {
    UNWRITTEN
}

pub(super) fn is_unwritten(times: &UndoTimes) -> bool {
    *times == UNWRITTEN
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "UndoTimes", deny_unknown_fields)]
pub(super) struct UndoTimesForm {
    pauses: [Duration; FAILURES_TOLD_APART as usize],
    stuck: Duration,
    #[serde(deserialize_with = "failures")]
    call_after_failures: u32,
    call_after: Duration,
}

fn failures<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let failures = u32::deserialize(from)?;
    if (1..=FAILURES_TOLD_APART).contains(&failures) {
        Ok(failures)
    } else {
        Err(D::Error::custom("a manager is called after 1 to 7 failures"))
    }
}
