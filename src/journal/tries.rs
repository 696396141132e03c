//! Wrong codes: how many a terminal has tried, and nothing of what they were.
//!
//! Of a code only an HMAC-SHA256 is kept, under a key that is derived from the terminal key: whoever has the file alone
//! cannot try the million millions of codes there are. The rows are no part of the chain, because guesses would fill it, and
//! they are bounded: [`KEPT`] of them, the newest. What counts is their order, not their moments, which a clock that is set
//! back would mix.
//!
//! A manager who lets the terminal try again leaves a row too. How many wrong codes count is the domain's to say
//! ([`Tries`]): it is the fold of what was noted since then.

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, params};
use sha2::Sha256;
use tilld_domain::ids::PersonName;
use tilld_domain::moment::Moment;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use tilld_domain::voucher::tries::{Limit, Tries};

use crate::entry::WrongCode;
use crate::failure::ReadError;
use crate::seal::{SealFailure, Terminal};

/// How many rows are kept: more than any limit counts, and enough for a person to see a pattern.
pub(crate) const KEPT: i64 = 1_000;

/// How much of an HMAC people are shown, in bytes: enough to tell one code from another.
const SHOWN: usize = 4;

/// What is noted.
pub(crate) struct Tried<'a> {
    pub(crate) at: Moment,
    pub(crate) by: Option<&'a PersonName>,
    /// None: a manager let the terminal try again.
    pub(crate) mac: Option<[u8; 32]>,
}

/// The HMAC of a code. The number and the token of the same text are two codes.
pub(crate) fn mac(terminal: &Terminal, code: &VoucherCode) -> Result<[u8; 32], SealFailure> {
    let sort: &[u8] = match code {
        VoucherCode::Number(_) => b"number\n",
        VoucherCode::Token(_) => b"token\n",
    };
    let key = terminal.derive(b"tilld wrong codes 1\n")?;
    let mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| SealFailure)?;
    Ok(mac.chain_update(sort).chain_update(code.secret().reveal()).finalize().into_bytes().into())
}

/// The HMAC of any other secret that a till sent, for the digest of its request.
pub(crate) fn fingerprint(terminal: &Terminal, secret: &Secret) -> Result<[u8; 32], SealFailure> {
    let key = terminal.derive(b"tilld requests 1\n")?;
    let mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| SealFailure)?;
    Ok(mac.chain_update(secret.reveal()).finalize().into_bytes().into())
}

/// Writes a row, and drops the oldest.
pub(crate) fn note(database: &Connection, tried: &Tried<'_>) -> rusqlite::Result<()> {
    database
        .prepare_cached("INSERT INTO wrong_code (at, person, mac) VALUES (?1, ?2, ?3)")?
        .execute(params![tried.at.ms(), tried.by.map(PersonName::as_str), tried.mac])?;
    database
        .prepare_cached("DELETE FROM wrong_code WHERE id <= (SELECT max(id) FROM wrong_code) - ?1")?
        .execute(params![KEPT])
        .map(|_| ())
}

/// What was noted since a manager last let the terminal try again.
pub(crate) fn counting(database: &Connection, limit: Limit) -> rusqlite::Result<Tries> {
    let mut statement = database.prepare_cached(
        "SELECT at FROM wrong_code
         WHERE id > (SELECT coalesce(max(id), 0) FROM wrong_code WHERE mac IS NULL) ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut tries = Tries::default();
    while let Some(row) = rows.next()? {
        tries.failed(limit, Moment::from_ms(row.get(0)?));
    }
    Ok(tries)
}

/// The newest rows for people, oldest first.
pub(crate) fn shown(database: &Connection, most: usize) -> Result<Vec<WrongCode>, ReadError> {
    let mut statement = database.prepare(
        "SELECT at, person, mac FROM (SELECT * FROM wrong_code ORDER BY id DESC LIMIT ?1) ORDER BY id",
    )?;
    let rows = statement.query_map(params![i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        let mac: Option<[u8; 32]> = row.get(2)?;
        Ok(WrongCode {
            at: Moment::from_ms(row.get(0)?),
            by: row.get(1)?,
            mark: mac.map(|mac| hex::encode(mac.split_at(SHOWN).0)),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
