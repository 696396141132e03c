//! The rows of devices against their entries. A row says what its last entry says, so only that and the first are read: that
//! no entry comes after it shows in the sums.

use std::ops::RangeInclusive;

use rusqlite::{Connection, Row, Statement, params};
use tilld_domain::device::Device;
use tilld_domain::printing::Fault;

use super::{Says, Walk, integer, says, text};
use crate::entry::{Event, device_id};
use crate::form;

const ROWS: &str = "SELECT first_seq, last_seq, id, name, fault, paper_low, at FROM device WHERE first_seq BETWEEN ?1 AND ?2 ORDER BY first_seq";

/// Compares every row of the devices of which the first entry is one of these.
pub(super) fn walk(
    database: &Connection,
    walk: &mut Walk<'_>,
    begun: &RangeInclusive<i64>,
) -> rusqlite::Result<()> {
    let mut entries =
        database.prepare_cached("SELECT at, kind, body, previous, subject FROM entry WHERE seq = ?1")?;
    let mut rows = database.prepare_cached(ROWS)?;
    let mut rows = rows.query(params![begun.start(), begun.end()])?;
    while let Some(row) = rows.next()? {
        let Some((first, last)) = walk.begin_row(row) else { return Ok(()) };
        let begun = Told::read(&mut entries, first)?;
        let told = Told::read(&mut entries, last)?;
        let is_so = begun.zip(told).is_some_and(|(begun, told)| {
            begun.begins && begun.device.name == told.device.name && told.is_said_by(row, (first, last))
        });
        if !is_so {
            walk.lie(first);
            return Ok(());
        }
    }
    Ok(())
}

/// What an entry tells.
struct Told {
    device: Device,
    at: i64,
    /// None of the same device is before it.
    begins: bool,
}

impl Told {
    /// Reads an entry; none if there is no such one, or it is of no device.
    fn read(entries: &mut Statement<'_>, seq: i64) -> rusqlite::Result<Option<Self>> {
        let mut rows = entries.query(params![seq])?;
        Ok(rows.next()?.and_then(Self::of))
    }

    fn of(row: &Row<'_>) -> Option<Self> {
        let Ok(Event::Device(device)) = form::decode(text(row, 1)?, None, text(row, 2)?) else { return None };
        let is_its_own = row.get_ref(4).ok()?.as_blob().ok()? == device_id(&device.name).uuid().as_bytes();
        let begins = row.get_ref(3).ok()?.as_i64_or_null().ok()?.is_none();
        is_its_own.then_some(Self { device, at: integer(row, 0)?, begins })
    }

    fn is_said_by(&self, row: &Row<'_>, (first, last): (i64, i64)) -> bool {
        let Device { name, condition } = &self.device;
        let expected = [
            Says::Number(first),
            Says::Number(last),
            Says::Id(device_id(name).uuid()),
            Says::Text(name.as_str()),
            Says::MaybeText(condition.fault.map(Fault::name)),
            Says::Flag(condition.paper_low),
            Says::Number(self.at),
        ];
        says(row, 0, &expected)
    }
}
