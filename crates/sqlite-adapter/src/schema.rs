//! The schema and its version.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::OpenError;
use crate::connection::open_writer;
use crate::failure::Failure;
use crate::statements;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Opens the file for writing, with its schema up to date.
pub(crate) fn open_migrated(path: &Path) -> Result<Connection, OpenError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    }
    // Of several processes that open a new file at once, one migrates it and the others find it done.
    let _one_at_a_time = lock_beside(path)?;
    let database = |error: rusqlite::Error| OpenError::Database(error.to_string());
    let mut connection = open_writer(path).map_err(database)?;
    let known = known_version();
    let found = found_version(&connection).map_err(|failure| OpenError::Database(failure.to_string()))?;
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    // Grouped: a migration and the note that it was applied are one transaction.
    let runner = embedded::migrations::runner().set_grouped(true);
    // A table that others refer to can only be made anew without them looking.
    connection.pragma_update(None, "foreign_keys", false).map_err(database)?;
    if found < known {
        check_foreign_keys(&connection)?;
    }
    runner.run(&mut connection).map_err(|error| OpenError::Migration(error.to_string()))?;
    if found < known {
        check_foreign_keys(&connection)?;
    }
    connection.pragma_update(None, "foreign_keys", true).map_err(database)?;
    Ok(connection)
}

fn check_foreign_keys(connection: &Connection) -> Result<(), OpenError> {
    let broken = connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get::<_, i64>(0));
    match broken.map_err(|error| OpenError::Migration(error.to_string()))? {
        0 => Ok(()),
        rows => Err(OpenError::Migration(format!("{rows} rows refer to others that do not exist"))),
    }
}

/// An exclusive lock that ends when the file is dropped, or the process dies.
fn lock_beside(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-opening");
    let path = PathBuf::from(name);
    let lock = || {
        let file = File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|source| OpenError::Directory { path: path.clone(), source })
}

/// The version that this program brings.
pub(crate) fn known_version() -> u32 {
    let runner = embedded::migrations::runner();
    let versions = runner.get_migrations().iter().map(|migration| u32::try_from(migration.version()).unwrap_or(0));
    versions.max().unwrap_or(0)
}

/// The version of the file, 0 for one that was never migrated.
pub(crate) fn found_version(connection: &Connection) -> Result<u32, Failure> {
    if !connection.query_row(statements::HAS_SCHEMA, [], |row| row.get::<_, bool>(0))? {
        return Ok(0);
    }
    let version: Option<u32> = connection.query_row(statements::SCHEMA_VERSION, [], |row| row.get(0))?;
    Ok(version.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_BEFORE: &str = "
        INSERT INTO shows (name, start_time, total_seats, created_at) VALUES ('Hamlet', 0, 3, 0);
        INSERT INTO bookings (show_id, user_name, seat_numbers, status, failure_reason, confirmed_at, created_at, updated_at, expires_at) VALUES
            (1, 'Ada', '[1]', 'PENDING', NULL, NULL, 1, 1, 9),
            (1, 'Bob', '[2]', 'CONFIRMED', NULL, 4, 2, 4, 9),
            (1, 'Cy', '[3]', 'FAILED', 'expired', NULL, 3, 9, 9);
        INSERT INTO seats (id, show_id, seat_number, status, booking_id, held_until) VALUES
            (1, 1, 1, 'PENDING', 1, 9), (2, 1, 2, 'CONFIRMED', 2, NULL), (3, 1, 3, 'AVAILABLE', NULL, NULL)";

    /// Bookings that were made before there was a history have the one that can be known of them, and are what they were.
    #[test]
    fn bookings_of_the_first_schema_get_a_history() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rowlock.db");
        let mut first = open_writer(&path).unwrap();
        embedded::migrations::runner().set_target(refinery::Target::Version(1)).run(&mut first).unwrap();
        first.execute_batch(MADE_BEFORE).unwrap();
        drop(first);
        let connection = open_migrated(&path).unwrap();
        let mut history = connection.prepare("SELECT number, booking_id, event, from_status FROM booking_history").unwrap();
        let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let history: Vec<(i64, i64, String, Option<String>)> =
            history.query_map([], columns).unwrap().map(Result::unwrap).collect();
        let (held, from) = (|number, id| (number, id, "held".to_owned(), None), Some("PENDING".to_owned()));
        let ends = [(4, 2, "confirmed".to_owned(), from.clone()), (5, 3, "expired".to_owned(), from)];
        assert_eq!(history, [&[held(1, 1), held(2, 2), held(3, 3)][..], &ends].concat());
        let next = "INSERT INTO bookings (show_id, user_name, seat_numbers, status, created_at, updated_at, expires_at)
                    VALUES (1, 'Di', '[3]', 'PENDING', 5, 5, 9) RETURNING id";
        assert_eq!(connection.query_row(next, [], |row| row.get::<_, i64>(0)).unwrap(), 4);
        let orphan = "UPDATE seats SET booking_id = 77 WHERE id = 1";
        assert!(connection.execute(orphan, []).is_err(), "foreign keys are looked at again");
    }
}
