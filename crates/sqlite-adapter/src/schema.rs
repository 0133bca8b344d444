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
    use rusqlite::types::Value;

    use super::*;

    const MADE_BEFORE: &str = "
        INSERT INTO shows (name, start_time, total_seats, created_at) VALUES ('Hamlet', 0, 3, 0);
        INSERT INTO bookings (show_id, user_name, seat_numbers, status, failure_reason, confirmed_at, created_at, updated_at, expires_at) VALUES
            (1, 'Ada', '[1]', 'PENDING', NULL, NULL, 1, 1, 9),
            (1, 'Bob', '[2]', 'CONFIRMED', NULL, 4, 2, 4, 9),
            (1, 'Cy', '[3]', 'FAILED', 'expired', NULL, 3, 9, 9);
        INSERT INTO seats (id, show_id, seat_number, status, booking_id, held_until) VALUES
            (1, 1, 1, 'PENDING', 1, 9), (2, 1, 2, 'CONFIRMED', 2, NULL), (3, 1, 3, 'AVAILABLE', NULL, NULL)";

    /// A file of an earlier schema with this in it, and its folder.
    fn file_of(version: i32, written: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rowlock.db");
        let mut earlier = open_writer(&path).unwrap();
        embedded::migrations::runner().set_target(refinery::Target::Version(version)).run(&mut earlier).unwrap();
        earlier.execute_batch(written).unwrap();
        (directory, path)
    }

    /// Bookings that were made before there was a history have the one that can be known of them, and are what they were.
    #[test]
    fn bookings_of_the_first_schema_get_a_history() {
        let (_directory, path) = file_of(1, MADE_BEFORE);
        let connection = open_migrated(&path).unwrap();
        let history = rows(&connection, "SELECT number, booking_id, event, from_status FROM booking_history ORDER BY number");
        let step = |number, id, event: &str, from: Option<&str>| {
            vec![Value::Integer(number), Value::Integer(id), event.to_owned().into(), from.map(str::to_owned).into()]
        };
        let ends = [step(4, 2, "confirmed", Some("PENDING")), step(5, 3, "expired", Some("PENDING"))];
        assert_eq!(history, [&[1, 2, 3].map(|id| step(id, id, "held", None))[..], &ends].concat());
        let next = "INSERT INTO bookings (show_id, user_name, seat_numbers, status, created_at, updated_at, expires_at)
                    VALUES (1, 'Di', '[3]', 'PENDING', 5, 5, 9) RETURNING id";
        assert_eq!(connection.query_row(next, [], |row| row.get::<_, i64>(0)).unwrap(), 4);
        let orphan = "UPDATE seats SET booking_id = 77 WHERE id = 1";
        assert!(connection.execute(orphan, []).is_err(), "foreign keys are looked at again");
    }

    /// The fourth schema lays the history by booking and lets shows count their changes, and all that was written stays.
    #[test]
    fn what_the_third_schema_had_is_kept() {
        const WRITTEN: &str = "
            INSERT INTO shows (name, start_time, total_seats, created_at) VALUES ('Hamlet', 0, 2, 0), ('Faust', 0, 1, 0),
                ('Macbeth', 0, 1, 0);
            INSERT INTO bookings (show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason,
                                  refund_due, reclaimed, expires_at, confirmed_at, created_at, updated_at) VALUES
                (1, 'Ada', 'ada', NULL, 'pay-1', '[1]', 'CONFIRMED', NULL, 0, 1, 9, 10, 1, 10),
                (1, 'house', NULL, 'camera', NULL, '[2]', 'CONFIRMED', NULL, 0, 0, 9, 2, 2, 2),
                (2, 'Cy', NULL, NULL, NULL, '[1]', 'FAILED', 'cancelled', 1, 0, 9, NULL, 3, 8);
            INSERT INTO seats (id, show_id, seat_number, status, booking_id, held_until) VALUES
                (1, 1, 1, 'CONFIRMED', 1, NULL), (2, 1, 2, 'CONFIRMED', 2, NULL), (3, 2, 1, 'AVAILABLE', NULL, NULL);
            INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers) VALUES
                (1, 1, 1, 1, 'held', NULL, 'customer', '[1]'), (1, 2, 2, 2, 'blocked', NULL, 'admin:ann', '[2]'),
                (1, 3, 1, 9, 'expired', 'PENDING', 'system', '[1]'), (1, 4, 1, 10, 'reclaimed', 'FAILED', 'customer', '[1]'),
                (2, 1, 3, 3, 'held', NULL, 'customer', '[1]'), (2, 2, 3, 4, 'confirmed', 'PENDING', 'customer', '[1]'),
                (2, 3, 3, 8, 'cancelled', 'CONFIRMED', 'customer', '[1]');";
        const KEPT: [&str; 3] = [
            "SELECT id, show_id, user_name, customer, blocked_for, payment_reference, seat_numbers, status, failure_reason, refund_due,
                    reclaimed, expires_at, confirmed_at, created_at, updated_at
               FROM bookings ORDER BY id",
            "SELECT show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers
               FROM booking_history ORDER BY show_id, number",
            "SELECT * FROM seats ORDER BY id",
        ];
        let kept = |connection: &Connection| KEPT.map(|sql| rows(connection, sql));
        let (_directory, path) = file_of(3, WRITTEN);
        let before = kept(&open_writer(&path).unwrap());
        let connection = open_migrated(&path).unwrap();
        assert_eq!(kept(&connection), before);
        assert_eq!(rows(&connection, "SELECT changes FROM shows ORDER BY id").concat(), [4, 3, 0].map(Value::Integer));
        for of_final in ["DELETE FROM booking_history", "UPDATE booking_history SET actor = 'nobody'"] {
            assert!(connection.execute(of_final, []).is_err(), "it is final still");
        }
    }

    fn rows(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }
}
