//! The weather of a year: what the line, the provider, the printer, the disk, the clock and the power are like, hour by hour.
//!
//! It is data, drawn day by day from the seed ([`Almanac`]), so that the first week of a year is the same as a year of a week.
//! [`Weather`] makes faults of it, step by step.
//!
//! Spells of one kind do not overlap. Nothing begins in the quiet hour of a night ([`quiet_hour`]): unless a longer spell reaches
//! into it everything comes to rest there, and the books are compared.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::chance::Chance;
use super::room::Room;
use crate::world::clock::VirtualClock;
use crate::world::fate::{Dark, Fate, Fault, Point};

const SECONDS: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// The world begins at ten in the morning; the first day of trade is the one after.
const FIRST_MIDNIGHT: Duration = Duration::from_hours(14);

/// A moment of a day, counted from when the world began.
pub fn at(day: u32, since_midnight: Duration) -> Duration {
    FIRST_MIDNIGHT + DAY * day + since_midnight
}

/// The shop is open from eight to eight.
pub fn opening_hours(day: u32) -> (Duration, Duration) {
    (at(day, 8 * HOUR), at(day, 20 * HOUR))
}

/// The hour of the night after a day in which nothing new goes wrong. The books are compared at its end.
pub fn quiet_hour(day: u32) -> (Duration, Duration) {
    (at(day + 1, 4 * HOUR), at(day + 1, 5 * HOUR))
}

/// What the line to the provider is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineIs {
    /// Answers come at the last moment.
    Slow,
    /// Answers come beyond the deadline, or never.
    Clogged,
    /// Up for seconds, down for seconds.
    Flapping,
    Dead,
    /// The provider's own clock is wrong: it refuses our dates.
    RefusingDates,
}

/// What keeps the printer from printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrinterIs {
    PaperOut,
    CoverOpen,
    Silent,
}

/// What keeps the journal from being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskIs {
    /// Files cannot be written beyond some place: a write that does not fit is cut off there.
    Full,
    /// Not a byte can be written.
    Unwritable,
}

/// Something that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell<T> {
    pub from: Duration,
    pub to: Duration,
    pub is: T,
}

/// The power is cut when such a step next comes.
#[derive(Debug, Clone, Copy)]
struct Cut {
    from: Duration,
    point: Point,
    dark: Dark,
}

/// After so long a cut no longer waits for its kind of step.
const CUT_WAITS: Duration = Duration::from_hours(1);

/// Everything that is known beforehand.
#[derive(Debug, Default)]
pub struct Almanac {
    pub line: Vec<Spell<LineIs>>,
    pub printer: Vec<Spell<PrinterIs>>,
    pub disk: Vec<Spell<DiskIs>>,
    /// The wall clock is so many ms wrong.
    pub clock: Vec<Spell<i64>>,
    /// The daemon is told to stop, and started again.
    pub restarts: Vec<Duration>,
    cuts: VecDeque<Cut>,
}

impl Almanac {
    pub fn of(days: u32, seed: u64) -> Self {
        let mut almanac = Self::default();
        for day in 0..days {
            almanac.day(day, &mut Chance::of(seed, day, 1));
        }
        almanac.cuts.make_contiguous().sort_by_key(|cut| cut.from);
        almanac
    }

    fn day(&mut self, day: u32, chance: &mut Chance) {
        for _ in 0..=chance.below(3) {
            let is = chance.weighed(&[
                (25, LineIs::Slow),
                (20, LineIs::Clogged),
                (20, LineIs::Flapping),
                (30, LineIs::Dead),
                (5, LineIs::RefusingDates),
            ]);
            let span = match is {
                LineIs::Slow => chance.span(10 * MINUTE, 2 * HOUR),
                LineIs::Clogged | LineIs::Flapping => chance.span(5 * MINUTE, HOUR),
                // Most are over in an hour; a few last for more than a day.
                LineIs::Dead if chance.in_thousand(15) => HOUR * chance.one_of(&[24, 27, 30]),
                LineIs::Dead if chance.in_thousand(80) => chance.span(2 * HOUR, 24 * HOUR),
                LineIs::Dead => chance.span(2 * MINUTE, HOUR),
                LineIs::RefusingDates => chance.span(5 * MINUTE, 40 * MINUTE),
            };
            begin(&mut self.line, any_time(day, chance), span, is);
        }
        if chance.in_thousand(600) {
            let is = chance.weighed(&[
                (50, PrinterIs::PaperOut),
                (25, PrinterIs::CoverOpen),
                (25, PrinterIs::Silent),
            ]);
            let longest = if is == PrinterIs::PaperOut { 40 } else { 12 };
            let span = chance.span(MINUTE, longest * MINUTE);
            begin(&mut self.printer, any_time(day, chance), span, is);
        }
        for _ in 0..chance.below(3) {
            let is = chance.one_of(&[DiskIs::Full, DiskIs::Unwritable]);
            let long = chance.in_thousand(150);
            let span =
                if long { chance.span(5 * MINUTE, 3 * HOUR) } else { chance.span(SECONDS, 5 * MINUTE) };
            let from = any_time(day, chance);
            begin(&mut self.disk, from, span, is);
            if long {
                self.cut_within(from, span, chance);
            }
        }
        if chance.in_thousand(200) {
            let by = i64::try_from(chance.span(MINUTE, 26 * HOUR).as_millis()).unwrap();
            let by = if chance.in_thousand(500) { by } else { -by };
            let span = chance.span(5 * MINUTE, 6 * HOUR);
            let from = any_time(day, chance);
            begin(&mut self.clock, from, span, by);
            self.cut_within(from, span, chance);
        }
        if chance.in_thousand(150) {
            self.restarts.push(any_time(day, chance));
        }
        for _ in 0..chance.below(4) {
            let from = any_time(day, chance);
            // One in four is followed by another while the daemon recovers.
            for _ in 0..=usize::from(chance.in_thousand(250)) {
                let point = chance.one_of(&[
                    Point::Turn,
                    Point::Turn,
                    Point::Create,
                    Point::Confirm,
                    Point::Lookup,
                    Point::Undo,
                    Point::Print,
                    Point::Print,
                    Point::Redeem,
                    Point::Reverse,
                ]);
                let dark = chance.weighed(&[(80, Dark::Seconds), (20, Dark::Minutes)]);
                self.cuts.push_back(Cut { from, point, dark });
            }
        }
    }

    /// A start on a full disk, or with a wrong clock, is a case of its own: every other spell has one.
    fn cut_within(&mut self, from: Duration, span: Duration, chance: &mut Chance) {
        if chance.in_thousand(500) {
            let from = chance.between(from, from + span);
            self.cuts.push_back(Cut { from, point: Point::Turn, dark: Dark::Seconds });
        }
    }

    /// Whether nothing has been wrong for the whole of a quiet hour, and the power was not cut.
    pub fn is_calm(&self, (from, to): (Duration, Duration)) -> bool {
        fn none<T>(spells: &[Spell<T>], from: Duration, to: Duration) -> bool {
            !spells.iter().any(|spell| spell.from < to && spell.to > from)
        }
        none(&self.line, from, to)
            && none(&self.printer, from, to)
            && none(&self.disk, from, to)
            && none(&self.clock, from, to)
    }
}

/// Mostly in opening hours; never from the quiet hour on until morning.
fn any_time(day: u32, chance: &mut Chance) -> Duration {
    let (open, close) = opening_hours(day);
    let (quiet, _) = quiet_hour(day);
    if chance.in_thousand(800) {
        chance.between(open, close)
    } else {
        chance.between(open, quiet.saturating_sub(HOUR))
    }
}

fn begin<T>(spells: &mut Vec<Spell<T>>, from: Duration, span: Duration, is: T) {
    // One after the other, with a while between them; what does not fit is left out.
    let place = spells.partition_point(|spell| spell.from <= from);
    let before = place.checked_sub(1).is_none_or(|before| spells[before].to + MINUTE < from);
    let after = spells.get(place).is_none_or(|after| from + span + MINUTE < after.from);
    if before && after {
        spells.insert(place, Spell { from, to: from + span, is });
    }
}

/// The spell that runs at a moment, if one does.
fn now<T: Copy>(spells: &[Spell<T>], at: Duration) -> Option<T> {
    let place = spells.partition_point(|spell| spell.from <= at);
    spells[..place].last().filter(|spell| at < spell.to).map(|spell| spell.is)
}

/// What was counted on the way.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub calls: BTreeMap<Point, u64>,
    pub faults: BTreeMap<Fault, u64>,
}

/// The weather as it falls on a run.
pub struct Weather {
    clock: VirtualClock,
    almanac: Arc<Almanac>,
    cuts: VecDeque<Cut>,
    chance: Chance,
    room: Arc<Room>,
    counts: Arc<Mutex<Counts>>,
}

impl Weather {
    pub fn new(
        clock: VirtualClock,
        almanac: Arc<Almanac>,
        seed: u64,
        room: Arc<Room>,
    ) -> (Self, Arc<Mutex<Counts>>) {
        let counts: Arc<Mutex<Counts>> = Arc::default();
        let cuts = almanac.cuts.clone();
        let chance = Chance::of(seed, u32::MAX, 2);
        (Self { clock, almanac, cuts, chance, room, counts: Arc::clone(&counts) }, counts)
    }

    /// The power is cut, if one is due that waits for such a step.
    fn cut(&mut self, now: Duration, point: Point) -> Option<Fault> {
        let cut = self.cuts.front().filter(|cut| cut.from <= now)?;
        if cut.point != point && now < cut.from + CUT_WAITS {
            return None;
        }
        let dark = cut.dark;
        self.cuts.pop_front();
        Some(match (point, self.chance.below(3)) {
            (Point::Print, 0) => Fault::CrashWithin(dark),
            (_, 1) => Fault::CrashBefore(dark),
            _ => Fault::CrashAfter(dark),
        })
    }

    fn call(&mut self, at: Duration, point: Point) -> Option<Fault> {
        let chance = &mut self.chance;
        let Some(line) = now(&self.almanac.line, at) else { return self.fine(at, point) };
        let fault = match line {
            LineIs::Slow => chance.weighed(&[(40, Some(Fault::AnswerLate)), (60, None)]),
            LineIs::Clogged => chance.weighed(&[
                (50, Some(Fault::RequestLate)),
                (20, Some(Fault::AnswerLost)),
                (10, Some(Fault::RequestLost)),
                (20, None),
            ]),
            LineIs::Flapping if (at.as_secs() / 7).is_multiple_of(2) => None,
            LineIs::Flapping => Some(chance.one_of(&[
                Fault::Unreachable,
                Fault::BrokenBefore,
                Fault::BrokenAfter,
                Fault::RequestLost,
                Fault::AnswerLost,
            ])),
            LineIs::Dead => Some(chance.weighed(&[(70, Fault::Unreachable), (30, Fault::RequestLost)])),
            LineIs::RefusingDates => Some(Fault::DateRefused),
        };
        match (fault, point) {
            // Nothing is dated there.
            (Some(Fault::DateRefused), Point::Validate | Point::Redeem | Point::Reverse) => None,
            (Some(Fault::RequestLate), Point::Redeem) => {
                Some(chance.one_of(&[Fault::RequestLate, Fault::RequestBetween, Fault::RequestLast]))
            }
            // Too late for a look-up is as good as never.
            (
                Some(Fault::RequestLate | Fault::AnswerLate | Fault::AnswerLost),
                Point::Lookup | Point::Validate,
            ) => Some(Fault::RequestLost),
            (Some(Fault::BrokenBefore | Fault::BrokenAfter), Point::Lookup | Point::Validate) => {
                Some(Fault::Unreachable)
            }
            (None, _) => self.fine(at, point),
            (fault, _) => fault,
        }
    }

    /// Now and then something goes wrong on the best of days; an order is not found, or not undone, more often.
    fn fine(&mut self, at: Duration, point: Point) -> Option<Fault> {
        let chance = &mut self.chance;
        if is_quiet(at) {
            return None;
        }
        match point {
            Point::Undo | Point::Reverse if chance.in_thousand(50) => Some(Fault::NotFound),
            Point::Undo | Point::Reverse if chance.in_thousand(10) => Some(Fault::Refused),
            Point::Lookup if chance.in_thousand(50) => Some(Fault::NotFound),
            _ if chance.in_thousand(6) => {
                let faults: Vec<Fault> =
                    point.faults().iter().copied().filter(|fault| !fault.is_crash()).collect();
                Some(chance.one_of(&faults))
            }
            _ => None,
        }
    }

    fn print(&mut self, at: Duration) -> Option<Fault> {
        let chance = &mut self.chance;
        match now(&self.almanac.printer, at) {
            Some(PrinterIs::PaperOut) => {
                Some(chance.weighed(&[(90, Fault::NoPaper), (10, Fault::PaperEnds)]))
            }
            Some(PrinterIs::CoverOpen) => Some(Fault::CoverOpen),
            Some(PrinterIs::Silent) => {
                Some(chance.one_of(&[Fault::SilentBefore, Fault::SilentWithin, Fault::SilentAfter]))
            }
            None => self.fine(at, Point::Print),
        }
    }
}

/// Whether it is the quiet hour of some night.
fn is_quiet(at: Duration) -> bool {
    let since_midnight = (at + DAY).saturating_sub(FIRST_MIDNIGHT).as_secs() % DAY.as_secs();
    (4 * 3_600..5 * 3_600).contains(&since_midnight)
}

impl Fate for Weather {
    fn at(&mut self, _: u32, point: Point) -> Option<Fault> {
        let at = self.clock.passed();
        let cut = if is_quiet(at) { None } else { self.cut(at, point) };
        let fault = cut.or_else(|| match point {
            Point::Turn => None,
            Point::Print => self.print(at),
            Point::Create
            | Point::Confirm
            | Point::Lookup
            | Point::Undo
            | Point::Validate
            | Point::Redeem
            | Point::Reverse => self.call(at, point),
        });
        let mut counts = self.counts.lock().unwrap();
        if point != Point::Turn {
            self.room.strike();
            *counts.calls.entry(point).or_default() += 1;
        }
        if let Some(fault) = fault {
            *counts.faults.entry(fault).or_default() += 1;
        }
        fault
    }

    fn line_is_up(&self) -> bool {
        let at = self.clock.passed();
        match now(&self.almanac.line, at) {
            None | Some(LineIs::Slow) => true,
            Some(LineIs::Flapping) => (at.as_secs() / 7).is_multiple_of(2),
            Some(LineIs::Clogged | LineIs::Dead | LineIs::RefusingDates) => false,
        }
    }
}

/// Spells of one kind: how many, and how long.
pub struct Spells<'a, T>(pub &'a [Spell<T>]);

impl<T: Copy + Ord + fmt::Debug> fmt::Display for Spells<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<T, Vec<Duration>> = BTreeMap::new();
        for spell in self.0 {
            kinds.entry(spell.is).or_default().push(spell.to.saturating_sub(spell.from));
        }
        for (place, (is, spans)) in kinds.iter().enumerate() {
            let total: Duration = spans.iter().sum();
            let (least, most) = (spans.iter().min().unwrap(), spans.iter().max().unwrap());
            write!(
                out,
                "{}{} {is:?} of {} to {}, {} in all",
                if place == 0 { "" } else { "; " },
                spans.len(),
                span(*least),
                span(*most),
                span(total),
            )?;
        }
        if kinds.is_empty() { out.write_str("none") } else { Ok(()) }
    }
}

/// A span as people say it.
pub fn span(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0 => format!("{} s", span.as_secs()),
        1..180 => format!("{minutes} min"),
        _ => format!("{}.{} h", minutes / 60, minutes % 60 / 6),
    }
}
