//! The rows of devices: each as its last entry left it.

use rusqlite::{Connection, OptionalExtension, params};
use tilld_domain::device::{Condition, Device};
use tilld_domain::ids::DeviceId;
use tilld_domain::moment::Moment;
use tilld_domain::printing::Fault;
use uuid::Uuid;

use crate::entry::{DeviceRow, Seq, device_id};
use crate::failure::{DecodeError, ReadError};

/// What must be known of a device's row before it is updated.
pub(crate) struct Row {
    first_seq: i64,
    /// The device's entry before the one that is being written.
    pub(crate) last_seq: i64,
}

pub(crate) fn row_of(database: &Connection, device: DeviceId) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached("SELECT first_seq, last_seq FROM device WHERE id = ?1")?
        .query_row(params![device.uuid().as_bytes()], |row| {
            Ok(Row { first_seq: row.get(0)?, last_seq: row.get(1)? })
        })
        .optional()
}

/// Writes a device as an entry leaves it. `before`: none if it is the first about it.
pub(crate) fn write(
    database: &Connection,
    before: Option<&Row>,
    (seq, at): (Seq, Moment),
    device: &Device,
) -> rusqlite::Result<()> {
    let Condition { fault, paper_low } = device.condition;
    let fault = fault.map(Fault::name);
    match before {
        None => database
            .prepare_cached(
                "INSERT INTO device (first_seq, last_seq, id, name, fault, paper_low, at)
                 VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                seq.column(),
                device_id(&device.name).uuid().as_bytes(),
                device.name.as_str(),
                fault,
                paper_low,
                at.ms(),
            ]),
        Some(before) => database
            .prepare_cached(
                "UPDATE device SET last_seq = ?2, fault = ?3, paper_low = ?4, at = ?5 WHERE first_seq = ?1",
            )?
            .execute(params![before.first_seq, seq.column(), fault, paper_low, at.ms()]),
    }
    .map(|_| ())
}

/// All devices of which anything was ever written, or the one of an id, in the order of their first entries.
pub(crate) fn all(database: &Connection, only: Option<DeviceId>) -> Result<Vec<DeviceRow>, ReadError> {
    let mut statement = database.prepare_cached(
        "SELECT first_seq, last_seq, id, name, fault, paper_low, at FROM device
         WHERE ?1 IS NULL OR id = ?1 ORDER BY first_seq",
    )?;
    let only = only.map(DeviceId::uuid);
    let mut rows = statement.query(params![only.as_ref().map(Uuid::as_bytes)])?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        let first = Seq::of_column(row.get(0)?);
        let damaged = |column| ReadError::Entry { seq: first, why: DecodeError::Column(column) };
        let fault = match row.get_ref(4)?.as_str_or_null().map_err(|_| damaged("fault"))? {
            Some(name) => Some(Fault::of_name(name).ok_or_else(|| damaged("fault"))?),
            None => None,
        };
        devices.push(DeviceRow {
            id: DeviceId::new(Uuid::from_bytes(row.get(2)?)),
            device: Device {
                name: row.get::<_, String>(3)?.parse().map_err(|_| damaged("name"))?,
                condition: Condition { fault, paper_low: row.get(5)? },
            },
            at: Moment::from_ms(row.get(6)?),
            first,
            last: Seq::of_column(row.get(1)?),
        });
    }
    Ok(devices)
}
