//! The form of the closing of a day.

use serde::{Deserialize, Serialize};
use tilld_domain::day::{Closing, Day};
use tilld_domain::ids::PersonName;

use super::text::plain;

/// The word for it.
pub(crate) const KIND: &str = "day_closed";

#[derive(Serialize, Deserialize)]
#[serde(remote = "Closing", deny_unknown_fields)]
pub(super) struct ClosingForm {
    #[serde(with = "plain")]
    day: Day,
    number: u32,
    #[serde(with = "plain")]
    by: PersonName,
    after: u64,
    upto: u64,
    open: u32,
}
