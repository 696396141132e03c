//! The tables' versions, and how an older journal comes to the present one.
//!
//! A version is a script that is never edited once it is released: its digest stands in the journal. A new journal
//! gets all of them in one commit. An older one is never changed in place:
//!
//! 1. it is copied through SQLite's backup, beside the original;
//! 2. the copy gets the missing scripts in one commit, its chain is walked, its query tables are made again;
//! 3. the original gives up its write-ahead log, which would otherwise be replayed into the file that takes its place;
//! 4. the copy is renamed over the original, file and directory synced.
//!
//! Losing the machine in between leaves the old journal, whole, or the new one. What is left of a copy is thrown away
//! at the next start. The old file is not kept: codes that are forgotten later would live on in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::chain;
use crate::failure::{OpenError, Verdict};
use crate::read;

/// What SQLite's `application_id` holds in a journal: "till".
const APPLICATION: i64 = 0x7469_6C6C;

/// For how long a call waits for another connection's lock. Only a reader's recovery can hold one for any time.
pub(crate) const BUSY: Duration = Duration::from_secs(2);

/// One version of the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) version: u32,
    pub(crate) text: &'static str,
}

/// All versions, oldest first.
pub(crate) const SCRIPTS: &[Script] = &[Script { version: 1, text: include_str!("schema/1.sql") }];

/// The latest of them.
pub(crate) fn newest(scripts: &[Script]) -> u32 {
    scripts.last().map_or(0, |script| script.version)
}

/// The files of a journal.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    directory: PathBuf,
}

impl Paths {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("journal.db")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("journal.lock")
    }

    /// Beside the journal, and made from it (see `index`).
    pub(crate) fn index(&self) -> PathBuf {
        self.directory.join("journal.index.db")
    }

    /// The log of the index.
    pub(crate) fn index_log(&self) -> PathBuf {
        with_end(&self.index(), "-wal")
    }

    fn copy(&self) -> PathBuf {
        self.directory.join("journal.next.db")
    }

    /// Makes the directory, with mode 0700, if it is not there.
    pub(crate) fn make_directory(&self) -> Result<(), OpenError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|why| OpenError::Path { what: "directory", path: self.directory.clone(), why })
    }

    /// Makes an empty file that only its owner may read. SQLite gives its companions the same mode.
    pub(crate) fn make_file(&self, path: &Path) -> Result<(), OpenError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(_) => self.sync_directory(),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(why) => Err(OpenError::Path { what: "file", path: path.to_owned(), why }),
        }
    }

    fn sync_directory(&self) -> Result<(), OpenError> {
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|why| OpenError::Path { what: "directory", path: self.directory.clone(), why })
    }

    /// Throws away what an interrupted migration left.
    pub(crate) fn discard_copy(&self) -> Result<(), OpenError> {
        let copy = self.copy();
        for path in ["", "-journal", "-wal", "-shm"].map(|end| with_end(&copy, end)) {
            match fs::remove_file(&path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => {
                    return Err(OpenError::Path { what: "file", path, why });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// A journal of this version.
    Version(u32),
}

/// Looks what a file holds.
pub(crate) fn look(database: &Connection, paths: &Paths) -> Result<Found, OpenError> {
    let number = |name: &str| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let seen = number("application_id").and_then(|application| {
        let tables =
            database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok((application, number("user_version")?, tables))
    });
    match seen {
        Ok((0, 0, 0)) => Ok(Found::Empty),
        Ok((APPLICATION, version, _)) => {
            u32::try_from(version).map(Found::Version).map_err(|_| OpenError::NotAJournal(paths.database()))
        }
        Ok(_) => Err(OpenError::NotAJournal(paths.database())),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(OpenError::NotAJournal(paths.database()))
        }
        Err(error) => Err(database_error(&error)),
    }
}

/// Gives an empty file all its tables, and what `fill` writes into them, in one commit.
pub(crate) fn create(
    database: &mut Connection,
    scripts: &[Script],
    fill: impl FnOnce(&Connection) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let begun =
        database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| database_error(&e))?;
    begun.pragma_update(None, "application_id", APPLICATION).map_err(|e| database_error(&e))?;
    apply(&begun, scripts, 0)?;
    fill(&begun)?;
    begun.commit().map_err(|e| database_error(&e))
}

/// Runs the scripts after a version. To be called inside of a transaction.
fn apply(database: &Connection, scripts: &[Script], after: u32) -> Result<(), OpenError> {
    for script in scripts.iter().filter(|script| script.version > after) {
        let failed =
            |error: rusqlite::Error| OpenError::Migration { version: script.version, why: error.to_string() };
        database.execute_batch(script.text).map_err(failed)?;
        database
            .execute(
                "INSERT INTO migration (version, sha256, at) VALUES (?1, ?2, ?3)",
                params![script.version, digest(script), now_ms()],
            )
            .map_err(failed)?;
        database.pragma_update(None, "user_version", script.version).map_err(failed)?;
    }
    Ok(())
}

/// Whether the scripts that made this journal are the ones that this program knows.
pub(crate) fn check_scripts(database: &Connection, scripts: &[Script]) -> Result<(), OpenError> {
    for script in scripts {
        let applied: Result<[u8; 32], _> = database.query_row(
            "SELECT sha256 FROM migration WHERE version = ?1",
            params![script.version],
            |row| row.get(0),
        );
        match applied {
            Ok(applied) if applied == digest(script) => {}
            Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Err(OpenError::OtherMigration { version: script.version });
            }
            Err(error) => return Err(database_error(&error)),
        }
    }
    Ok(())
}

/// Brings an older journal to the latest version. The caller holds the instance lock and no connection.
pub(crate) fn migrate(paths: &Paths, scripts: &[Script], from: u32) -> Result<(), OpenError> {
    match migrate_until(paths, scripts, from, STEPS) {
        Ok(()) => Ok(()),
        Err(error) => {
            paths.discard_copy()?;
            Err(error)
        }
    }
}

/// The steps of a migration, as the head of this file counts them.
const STEPS: u8 = 4;

/// The first `steps` of a migration: what a machine has done that stops after them.
pub(crate) fn migrate_until(
    paths: &Paths,
    scripts: &[Script],
    from: u32,
    steps: u8,
) -> Result<(), OpenError> {
    if steps >= 1 {
        let copy = make_copy(paths)?;
        if steps >= 2 {
            bring_up(copy, scripts, from)?;
        }
    }
    if steps >= 3 {
        retire_log(paths)?;
    }
    if steps >= STEPS {
        swap(paths)?;
    }
    Ok(())
}

fn make_copy(paths: &Paths) -> Result<Connection, OpenError> {
    paths.discard_copy()?;
    paths.make_file(&paths.copy())?;
    let original = connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut copy = connect(&paths.copy(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(&original, &mut copy).map_err(|e| database_error(&e))?;
    match backup.step(-1).map_err(|e| database_error(&e))? {
        StepResult::Done => {}
        _ => return Err(OpenError::BeingRead),
    }
    drop(backup);
    // A single file, with nothing beside it: that is what can be renamed.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(|e| database_error(&e))?;
    copy.pragma_update(None, "synchronous", "FULL").map_err(|e| database_error(&e))?;
    copy.pragma_update(None, "secure_delete", true).map_err(|e| database_error(&e))?;
    Ok(copy)
}

fn bring_up(mut copy: Connection, scripts: &[Script], from: u32) -> Result<(), OpenError> {
    let version = newest(scripts);
    let failed = |why: String| OpenError::Migration { version, why };
    let known: Vec<Script> = scripts.iter().copied().filter(|script| script.version <= from).collect();
    check_scripts(&copy, &known)?;
    let begun =
        copy.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| database_error(&e))?;
    apply(&begun, scripts, from)?;
    let journal = read::journal_id(&begun).map_err(|e| failed(e.to_string()))?;
    match chain::verify(&begun, &journal, |_| {}).map_err(|e| database_error(&e))? {
        Verdict::Whole { .. } => {}
        Verdict::Broken { seq, why } => return Err(OpenError::Broken { seq, why }),
    }
    read::rebuild(&begun).map_err(|e| failed(e.to_string()))?;
    begun.commit().map_err(|e| database_error(&e))?;
    copy.close().map_err(|(_, e)| database_error(&e))
}

/// Moves all that stands in the original's write-ahead log into the original, and removes the log.
fn retire_log(paths: &Paths) -> Result<(), OpenError> {
    let original = connect(&paths.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match original.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0)) {
        Ok(mode) if mode == "delete" => {}
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
            return Err(database_error(&error));
        }
        Ok(_) | Err(_) => return Err(OpenError::BeingRead),
    }
    original.close().map_err(|(_, e)| database_error(&e))?;
    paths.sync_directory()
}

fn swap(paths: &Paths) -> Result<(), OpenError> {
    let copy = paths.copy();
    File::open(&copy)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&copy, paths.database()))
        .map_err(|why| OpenError::Path { what: "file", path: copy, why })?;
    paths.sync_directory()
}

/// A connection that waits a little for locks and trusts nothing that stands in the file.
pub(crate) fn connect(path: &Path, how: OpenFlags) -> Result<Connection, OpenError> {
    let open = || {
        let database = Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        database.busy_timeout(BUSY)?;
        database.set_prepared_statement_cache_capacity(64);
        database.pragma_update(None, "trusted_schema", false)?;
        database.pragma_update(None, "cell_size_check", true)?;
        Ok(database)
    };
    open().map_err(|error: rusqlite::Error| database_error(&error))
}

/// SQLite's words for an error at opening.
pub(crate) fn database_error(error: &rusqlite::Error) -> OpenError {
    OpenError::Database(error.to_string())
}

fn digest(script: &Script) -> [u8; 32] {
    Sha256::digest(script.text).into()
}

/// For people only: when a migration was applied.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
