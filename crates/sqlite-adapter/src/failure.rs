//! What goes wrong in SQLite, classed by what a caller can do.

use domain::{LedgerError, StoreError};
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a job on a connection came to nothing.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// SQLite says no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// We do.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) => classed(&error),
            Failure::Store(error) => error,
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Store(match error {
            LedgerError::RowsMissing => StoreError::Contended(error.to_string()),
            LedgerError::Corrupt { .. } => StoreError::Corrupt(error.to_string()),
        })
    }
}

fn classed(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Contended(text),
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted,
        ) => StoreError::Unavailable(text),
        // A constraint that refuses, a malformed file, a statement that does not fit the schema: data or program is wrong.
        _ => StoreError::Corrupt(text),
    }
}

/// A failure of COMMIT itself. After an input or output error nobody knows whether the log holds the transaction, and a
/// restart may find it there.
pub(crate) fn of_commit(error: rusqlite::Error) -> Failure {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown(error.to_string()).into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, ffi};

    use super::*;

    #[test]
    fn a_failure_is_classed_by_what_a_caller_can_do() {
        let class = |code| classed(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED] {
            assert!(matches!(class(code), StoreError::Contended(_)), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CANTOPEN, ffi::SQLITE_READONLY] {
            assert!(matches!(class(code), StoreError::Unavailable(_)), "{code}");
        }
        for code in [ffi::SQLITE_CONSTRAINT_CHECK, ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_ERROR] {
            assert!(matches!(class(code), StoreError::Corrupt(_)), "{code}");
        }
    }

    #[test]
    fn a_commit_that_the_disk_refuses_may_have_happened() {
        let of = |code| StoreError::from(of_commit(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)));
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), StoreError::OutcomeUnknown(_)));
        assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Unavailable(_)));
        assert!(matches!(of(ffi::SQLITE_BUSY), StoreError::Contended(_)));
    }

    #[test]
    fn a_full_disk_is_unavailable() {
        let directory = tempfile::tempdir().unwrap();
        let connection: Connection = crate::schema::open_migrated(&directory.path().join("rowlock.db")).unwrap();
        connection.pragma_update(None, "max_page_count", 1).unwrap();
        let fill = "INSERT INTO shows (name, start_time, total_seats, created_at) VALUES (?1, 0, 1, 0)";
        let name = "x".repeat(200);
        let error = (0..1_000).find_map(|_| connection.execute(fill, [&name]).err()).unwrap();
        assert!(matches!(StoreError::from(Failure::from(error)), StoreError::Unavailable(_)));
    }
}
