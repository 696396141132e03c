//! A day of business, and its closing.
//!
//! A day is named by a date of the shop's calendar; which moments belong to it is known outside, where time zones are. Its closing
//! (the trade's *Z*) takes in every entry of the journal that no earlier closing has taken in, up to one: so the closings of a till
//! follow each other without a gap and without an overlap, also where nobody closed for a week, or sold on after closing. What
//! they add up to is not written down again: it follows from those entries.

use std::fmt;
use std::str::FromStr;

use crate::ids::PersonName;

/// A date: `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    date: u8,
}

/// A text that is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no date such as 2026-11-22")]
pub struct NoDate;

impl Day {
    /// Year, month from 1, and day from 1.
    pub const fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.date)
    }
}

impl FromStr for Day {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|digit| digit.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten()
        };
        let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else {
            return Err(NoDate);
        };
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(NoDate),
        };
        if parts.next().is_some() || !(1..=last).contains(&day) {
            return Err(NoDate);
        }
        let small = |number: u16| u8::try_from(number).map_err(|_| NoDate);
        Ok(Self { year, month: small(month)?, date: small(day)? })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.date)
    }
}

/// The closing of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Which day.
    pub day: Day,
    /// Its number: from 1, without gaps.
    pub number: u32,
    /// Who closed it.
    pub by: PersonName,
    /// The last entry that is not in it; 0 if all are.
    pub after: u64,
    /// The last entry that is in it.
    pub upto: u64,
    /// How many cards and redemptions were not closed when it was asked for, as far as they are listed. Which ones follows from the
    /// entries before it.
    pub open: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_date_of_the_calendar() {
        for text in ["2026-11-22", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-11",
            "2026-11-22-1",
            "2026-1-22",
            "26-11-22",
            "2026-13-01",
            "2026-00-10",
            "2026-11-00",
            "2026-11-31",
            "2026-02-29",
            "1900-02-29",
            "2026/11/22",
            "+026-11-22",
            "2026-11-2٢",
            "today",
        ] {
            assert_eq!(text.parse::<Day>(), Err(NoDate), "{text}");
        }
        assert!("2026-11-22".parse::<Day>().unwrap() < "2026-12-01".parse().unwrap());
    }
}
