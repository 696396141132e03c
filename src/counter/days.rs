//! Days of business: what each adds up to, and closing them.
//!
//! - An *X* is a look at a day as it stands. It changes nothing and is asked for at any time.
//! - A *Z* closes a day, once. It is numbered, journaled by the driver like anything else, and takes in every entry that no closing
//!   before it has taken in and that was written before the day's end. Selling goes on, before, while and after: what is sold later
//!   on that date belongs to the next closing. Asked for again it is the same Z, and its paper a copy.
//!
//! Which entries a day holds:
//!
//! | the day | holds |
//! |---|---|
//! | is closed | what its closing took in, by the numbers of the entries |
//! | comes after the last one that is closed, at most [`LONGEST`] later | everything since, up to the first entry of a later date |
//! | comes later than that, or none was ever closed | the same, from its own date on |
//! | was left out when a later one was closed | what was written on its date |
//!
//! The sums are folded from the entries each time, by the machines that made them: there is no second book that could differ from
//! the journal. Of a till's day that is a few hundred sales.
//!
//! What is not closed is listed as
//!
//! | the day | lists what was open |
//! |---|---|
//! | is closed | after the entry of its closing, whatever became of it since: a second paper of a Z says what the first one said |
//! | was left out when a later one was closed | at its end, by the first entry that was written after it |
//! | is open | now |
//!
//! That follows from the entries too. What it costs on a long journal stands where it is read ([`Reader::open_after`]): the entries of
//! the few that were open or changed since, and for a day long ago a tenth of a second for a million sales.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tilld_domain::day::{Closing, Day};
use tilld_domain::ids::PersonName;
use tilld_domain::moment::Moment;
use tilld_domain::printing::{Fault, PrintEnd};
use tilld_domain::redemption::Redemption;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::Sale;
use tilld_domain::turnover::{Goods, Turnover};
use tilld_domain::voucher::{VoucherKind, Worth};
use tilld_journal::{ClosingRow, Event, Line, Listed, Part, ReadError, Reader, Seq, Subject, day_id};
use tilld_receipts::report::{self, OpenFacts, ReportFacts, Sort};
use tokio::sync::oneshot;

use crate::Counter;
use crate::driver::Message;
use crate::now::Happening;

/// After how many days without a closing the next one begins anew with its own date.
const LONGEST: i64 = 31;
/// How many open cards and redemptions are listed: far more than a till ever has, and a paper of some metres.
const MOST_OPEN: usize = 500;

/// What a day holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayReport {
    /// Which.
    pub day: Day,
    /// Its closing, if it is closed.
    pub closing: Option<ClosingRow>,
    /// When this was read.
    pub at: Moment,
    /// The last entry that is not in it.
    pub after: Seq,
    /// The last entry that may be in it.
    pub upto: Seq,
    /// What it adds up to.
    pub turnover: Turnover,
    /// What is not closed, oldest first, at most 500: as it stands, or as it stood when the day was closed or left out.
    pub open: Vec<Line>,
}

/// A report that was asked for, and what became of its paper, if there was to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The report.
    pub report: DayReport,
    /// What became of the paper.
    pub paper: Option<PrintEnd>,
}

impl Counter {
    /// What a day holds as it stands.
    pub async fn day(&self, day: Day) -> Result<DayReport, Refusal> {
        let (journal, zone, at) = (self.journal.clone(), self.place.zone.clone(), self.clock.wall());
        self.look_up(move || read(&journal.reader()?, day, &zone, at)).await
    }

    /// An X: the day as it stands, also on paper.
    pub async fn x_report(&self, day: Day, print: bool) -> Result<Reported, Refusal> {
        let report = self.day(day).await?;
        let paper = if print { Some(self.print_report(&report, Sort::X).await) } else { None };
        Ok(Reported { report, paper })
    }

    /// A Z: the day is closed, unless it is, also on paper.
    pub async fn z_report(&self, day: Day, by: PersonName, print: bool) -> Result<Reported, Refusal> {
        // One after another: each continues the one before.
        let _turn = self.lookups.closing.lock().await;
        let before = self.day(day).await?;
        let is_new = before.closing.is_none();
        let report = if is_new { self.close(day, by, &before).await? } else { before };
        let paper = match report.closing.as_ref().filter(|_| print) {
            Some(row) => {
                let (number, by) = (row.closing.number, row.closing.by.as_str());
                let sort = Sort::Z { number, by, is_copy: !is_new };
                Some(self.print_report(&report, sort).await)
            }
            None => None,
        };
        Ok(Reported { report, paper })
    }

    /// Has the driver write the closing down.
    async fn close(&self, day: Day, by: PersonName, report: &DayReport) -> Result<DayReport, Refusal> {
        let journal = self.journal.clone();
        let closings = self.look_up(move || journal.reader()?.closings()).await?;
        let last = closings.last();
        let today = date_of(self.clock.wall(), &self.place.zone);
        let is_ahead = date(day).zip(today).is_none_or(|(day, today)| day > today);
        if is_ahead || last.is_some_and(|last| last.closing.day > day) {
            return Err(Refusal::DayNotClosable);
        }
        let closing = Closing {
            day,
            number: last.map_or(0, |last| last.closing.number).saturating_add(1),
            by,
            after: report.after.number(),
            upto: report.upto.number(),
            open: u32::try_from(report.open.len()).unwrap_or(u32::MAX),
        };
        let subject = Subject::Day(day_id(day));
        self.send(Message::Happened(Happening { subject, event: Event::Day(closing) }))?;
        let (reply, written) = oneshot::channel();
        self.send(Message::AwaitRest { subject, reply })?;
        // It is written, or it is not: nothing of a day stays open. The journal tells.
        let _ = written.await;
        let report = self.day(day).await?;
        if report.closing.is_some() { Ok(report) } else { Err(Refusal::JournalDown) }
    }

    async fn print_report(&self, report: &DayReport, sort: Sort<'_>) -> PrintEnd {
        let goods: Vec<Goods> = report.open.iter().map(goods_of).collect();
        let open = report.open.iter().zip(&goods).map(|(line, goods)| match &line.listed {
            Listed::Card(sale, card) => OpenFacts {
                receipt: sale.receipt.as_str(),
                worth: Worth::Money(card.face_value),
                goods,
                state: &card.state,
            },
            Listed::Redemption(row) => {
                OpenFacts { receipt: row.basket.as_str(), worth: row.amount, goods, state: &row.state }
            }
        });
        let open: Vec<OpenFacts<'_>> = open.collect();
        let at = report.closing.as_ref().map_or(report.at, |row| row.at);
        let facts = ReportFacts {
            counter: self.here(at, &self.place.locale),
            sort,
            day: report.day,
            turnover: &report.turnover,
            open: &open,
        };
        let slip = report::day_report(&facts, &self.place.texts, self.printer.paper());
        // Only the end of the program breaks it off.
        self.paper(slip).await.unwrap_or(PrintEnd::Unclear(Fault::Error))
    }
}

fn goods_of(line: &Line) -> Goods {
    match &line.listed {
        Listed::Card(_, card) => Goods::Card { code: card.product.clone(), name: card.product_name.clone() },
        Listed::Redemption(row) => match row.kind {
            VoucherKind::Gift => Goods::Gift,
            VoucherKind::Promotional => Goods::Promotional,
        },
    }
}

fn read(reader: &Reader, day: Day, zone: &str, at: Moment) -> Result<DayReport, ReadError> {
    let closings = reader.closings()?;
    let first = |part: &Part| reader.first_of(part);
    let last = reader.last()?;
    let part = part_of(day, &closings, last, zone, first)?;
    let stood = stood_after(day, &closings, last, zone, first)?;
    Ok(DayReport {
        day,
        closing: closings.into_iter().find(|row| row.closing.day == day),
        at,
        after: part.after,
        upto: part.upto,
        turnover: turnover(reader, &part)?,
        open: reader.open_after(stood, MOST_OPEN)?,
    })
}

/// Which entries a day holds. `first`: the first entry of a part.
fn part_of(
    day: Day,
    closings: &[ClosingRow],
    last: Seq,
    zone: &str,
    first: impl Fn(&Part) -> Result<Option<Seq>, ReadError>,
) -> Result<Part, ReadError> {
    let (from, until) = bounds(day, zone);
    let (always, never) = (Moment::from_ms(i64::MIN), Moment::from_ms(i64::MAX));
    let mine = closings.iter().position(|row| row.closing.day == day);
    let before = match mine {
        Some(place) => closings.get(..place).and_then(<[ClosingRow]>::last),
        None => closings.last(),
    };
    let follows = before.is_some_and(|row| is_soon(row.closing.day, day));
    let from_then = if follows { always } else { from };
    if let Some(row) = mine.and_then(|place| closings.get(place)) {
        let (after, upto) = (Seq::new(row.closing.after), Seq::new(row.closing.upto));
        return Ok(Part { after, upto, from: from_then, until: never });
    }
    if before.is_some_and(|row| row.closing.day > day) {
        return Ok(Part { after: Seq::NONE, upto: last, from, until });
    }
    let after = before.map_or(Seq::NONE, |row| Seq::new(row.closing.upto));
    let rest = Part { after, upto: last, from: always, until: never };
    // After a pause it begins with the first entry of its date: what moments before that say is of no concern.
    let begun = if follows { None } else { first(&Part { from, until, ..rest })? };
    let next = first(&Part { after: begun.unwrap_or(after), from: until, ..rest })?;
    let upto = next.map_or(last, |next| Seq::new(next.number().saturating_sub(1)));
    Ok(Part { after, upto, from: from_then, until: never })
}

/// After which entry what is open is told of; none: as it is now.
fn stood_after(
    day: Day,
    closings: &[ClosingRow],
    last: Seq,
    zone: &str,
    first: impl Fn(&Part) -> Result<Option<Seq>, ReadError>,
) -> Result<Option<Seq>, ReadError> {
    if let Some(row) = closings.iter().find(|row| row.closing.day == day) {
        return Ok(Some(row.seq));
    }
    if closings.last().is_none_or(|row| row.closing.day < day) {
        return Ok(None);
    }
    let (from, until) = bounds(day, zone);
    let all = Part { after: Seq::NONE, upto: last, from, until };
    // Entries before its own that say a later moment were written by a clock that was ahead.
    let begun = first(&all)?.unwrap_or(Seq::NONE);
    let next = first(&Part { after: begun, from: until, until: Moment::from_ms(i64::MAX), ..all })?;
    Ok(next.map(|next| Seq::new(next.number().saturating_sub(1))))
}

/// Whether a day takes in what the closing of another one left.
fn is_soon(before: Day, day: Day) -> bool {
    let days = date(before).zip(date(day)).and_then(|(before, day)| before.until(day).ok());
    days.is_some_and(|span| (0..=LONGEST).contains(&i64::from(span.get_days())))
}

fn date(day: Day) -> Option<Date> {
    let (year, month, date) = day.parts();
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(date).ok()?).ok()
}

fn date_of(at: Moment, zone: &str) -> Option<Date> {
    Some(Timestamp::from_millisecond(at.ms()).ok()?.to_zoned(zone_of(zone)).date())
}

fn zone_of(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

/// When a day begins, and when the next one does.
fn bounds(day: Day, zone: &str) -> (Moment, Moment) {
    let begin = |date: Option<Date>| {
        let begin = date.and_then(|date| date.to_zoned(zone_of(zone)).ok());
        begin.map(|begin| Moment::from_ms(begin.timestamp().as_millisecond()))
    };
    let (first, next) = (date(day), date(day).and_then(|date| date.tomorrow().ok()));
    let from = begin(first).unwrap_or(Moment::from_ms(i64::MIN));
    (from, begin(next).unwrap_or(Moment::from_ms(i64::MAX)))
}

fn turnover(reader: &Reader, part: &Part) -> Result<Turnover, ReadError> {
    let mut turnover = Turnover::default();
    for subject in reader.subjects_of(part)? {
        match subject {
            Subject::Sale(sale) => {
                let mut before: Option<Sale> = None;
                reader.replay(sale, |after, seq, at| {
                    if part.holds(seq, at) {
                        turnover.count_sale(before.as_ref(), after);
                    }
                    before = Some(after.clone());
                    ControlFlow::Continue(())
                })?;
            }
            Subject::Redemption(redemption) => {
                let mut before: Option<Redemption> = None;
                reader.replay_redemption(redemption, |after, seq, at| {
                    if part.holds(seq, at) {
                        turnover.count_redemption(before.as_ref(), after);
                    }
                    before = Some(after.clone());
                    ControlFlow::Continue(())
                })?;
            }
            Subject::Device(_) | Subject::Day(_) => {}
        }
    }
    Ok(turnover)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing(day: &str, number: u32, after: u64, upto: u64) -> ClosingRow {
        let closing =
            Closing { day: day.parse().unwrap(), number, by: "Ada".parse().unwrap(), after, upto, open: 0 };
        ClosingRow { closing, at: Moment::from_ms(0), seq: Seq::new(upto + 1) }
    }

    #[test]
    fn a_day_follows_the_closing_before_it_without_a_gap_and_without_an_overlap() {
        let closings = [closing("2026-11-20", 1, 0, 100), closing("2026-11-22", 2, 100, 300)];
        let at = |text: &str| Moment::from_ms(text.parse::<Timestamp>().unwrap().as_millisecond());
        let (always, never) = (Moment::from_ms(i64::MIN), Moment::from_ms(i64::MAX));
        // An entry every hour; the 400th is the first of 2026-11-24, the 1,096th of 2026-12-23. For the 1,110th the clock was two
        // days ahead.
        let midnight = at("2026-11-23T23:00:00Z").ms();
        let ahead = |number: i64| if number == 1_110 { 48 } else { 0 };
        let written = |number: i64| Moment::from_ms(midnight + (number - 400 + ahead(number)) * 3_600_000);
        let first = |part: &Part| {
            let numbers =
                (1..=2_000).map(|number| (Seq::new(number), written(i64::try_from(number).unwrap())));
            Ok(numbers.into_iter().find(|(seq, at)| part.holds(*seq, *at)).map(|(seq, _)| seq))
        };
        for (day, closed, after, upto, from, until) in [
            // Closed: what it took in. The first of all begins with its own date.
            ("2026-11-20", 2, 0, 100, at("2026-11-19T23:00:00Z"), never),
            ("2026-11-22", 2, 100, 300, always, never),
            // Never closed, and a later one is: its date.
            ("2026-11-21", 2, 0, 2_000, at("2026-11-20T23:00:00Z"), at("2026-11-21T23:00:00Z")),
            ("2026-11-01", 2, 0, 2_000, at("2026-10-31T23:00:00Z"), at("2026-11-01T23:00:00Z")),
            // After the last closing: everything since, up to the first entry of the next day.
            ("2026-11-23", 2, 300, 399, always, never),
            ("2026-12-22", 2, 300, 1_095, always, never),
            // After a long pause, or when none was ever closed, it begins with its date.
            ("2026-12-24", 2, 300, 1_143, at("2026-12-23T23:00:00Z"), never),
            ("2026-11-23", 0, 0, 399, at("2026-11-22T23:00:00Z"), never),
        ] {
            let closings = &closings[..closed];
            let part =
                part_of(day.parse().unwrap(), closings, Seq::new(2_000), "Europe/Berlin", first).unwrap();
            let expected = Part { after: Seq::new(after), upto: Seq::new(upto), from, until };
            assert_eq!(part, expected, "{day}");
        }
    }

    #[test]
    fn what_is_open_is_told_as_at_the_closing_as_at_the_end_of_a_day_left_out_and_else_as_it_is() {
        let closings = [closing("2026-11-20", 1, 0, 100), closing("2026-11-22", 2, 100, 300)];
        let at = |text: &str| Moment::from_ms(text.parse::<Timestamp>().unwrap().as_millisecond());
        // An entry every hour; the 24th is the first of 2026-11-20. When the 10th was written the clock was a month ahead.
        let begun = at("2026-11-19T23:00:00Z").ms();
        let ahead = |number: i64| if number == 10 { 24 * 30 } else { 0 };
        let written = |number: i64| Moment::from_ms(begun + (number - 24 + ahead(number)) * 3_600_000);
        let first = |part: &Part| {
            let numbers = (1..=90).map(|number| (Seq::new(number), written(i64::try_from(number).unwrap())));
            Ok(numbers.into_iter().find(|(seq, at)| part.holds(*seq, *at)).map(|(seq, _)| seq))
        };
        for (day, closed, after) in [
            ("2026-11-20", 2, Some(101)),
            ("2026-11-22", 2, Some(301)),
            ("2026-11-21", 2, Some(71)),
            // Nothing was written on it.
            ("2026-11-15", 2, Some(0)),
            // Open.
            ("2026-11-23", 2, None),
            ("2026-11-22", 1, None),
            ("2026-11-21", 0, None),
        ] {
            let told =
                stood_after(day.parse().unwrap(), &closings[..closed], Seq::new(90), "Europe/Berlin", first);
            assert_eq!(told.unwrap().map(Seq::number), after, "{day} {closed}");
        }
    }

    #[test]
    fn a_day_is_as_long_as_the_calendar_of_its_zone_has_it() {
        for (day, zone, hours) in [
            ("2026-11-22", "Europe/Berlin", 24),
            ("2026-03-29", "Europe/Berlin", 23),
            ("2026-10-25", "Europe/Berlin", 25),
            ("2026-03-29", "Mars/Olympus", 24),
        ] {
            let (from, until) = bounds(day.parse().unwrap(), zone);
            assert_eq!(until.ms() - from.ms(), hours * 3_600_000, "{day} {zone}");
        }
    }
}
