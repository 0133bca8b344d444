//! Connections and their settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long a writer waits while another process writes, before it gives up as contended. Longer than any batch takes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// More than there are statements, so that each is prepared once.
const STATEMENTS_CACHED: usize = 64;

/// The connection that writes; it creates the file.
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    // Without URI, so that any path is taken literally.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is synced before it is answered: NORMAL would lose the last ones when the power goes.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A plan is kept, whatever values come: else SQLite plans a statement anew at each batch if a value could have made a partial
    // index of use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// A connection that can't write.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// How often this connection plans a statement anew for which a value could make a partial index of use.
    fn plans(connection: &Connection) -> i32 {
        connection.execute_batch("CREATE TABLE t (kind TEXT, n INTEGER); CREATE INDEX i ON t (n) WHERE kind = 'a'").unwrap();
        let mut statement = connection.prepare("SELECT n FROM t WHERE kind = ?1 AND n = ?2").unwrap();
        for kind in ["a", "b", "a"] {
            assert!(!statement.exists((kind, 1)).unwrap());
        }
        statement.get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn a_plan_is_kept_whatever_values_come() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(plans(&open_writer(&folder.path().join("store.db")).unwrap()), 0);
        assert!(plans(&Connection::open_in_memory().unwrap()) > 0, "SQLite by itself");
    }
}
