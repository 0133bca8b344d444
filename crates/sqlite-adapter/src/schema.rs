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
    runner.run(&mut connection).map_err(|error| OpenError::Migration(error.to_string()))?;
    Ok(connection)
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
