//! The ports on SQLite: the embedded default, with nothing to install.
//!
//! One file in WAL mode. All writing is done by one thread on one connection (`writer`), each batch in one `BEGIN IMMEDIATE`
//! transaction: load the rows it names, let the domain decide, save what changed (`batch`). Reading is done beside it, on a
//! few read-only connections (`readers`). The locks of SQLite itself make it safe for several processes to open one file.
//!
//! A commit is on the disk before it is answered (`synchronous=FULL`).

mod batch;
mod booking_repository;
mod clock;
mod connection;
mod encoding;
mod failure;
mod health;
mod lists;
mod readers;
mod record;
mod schema;
mod show_repository;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::TimeSource;
use thiserror::Error;

pub use booking_repository::SqliteBookingRepository;
pub use health::SqliteStoreHealth;
pub use show_repository::SqliteShowRepository;

use crate::readers::Readers;
use crate::writer::Writer;

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory of the file, or the lock file beside it, can't be made.
    #[error("{}: {source}", path.display())]
    Directory {
        /// What could not be made.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite can't open the file, or it is no database.
    #[error("the database can't be opened: {0}")]
    Database(String),
    /// A newer program has been here.
    #[error("the database is at schema version {found}, this program knows only {known}: use a newer program")]
    TooNew {
        /// The file's version.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// A migration failed, or one that was applied differs from the one that this program has.
    #[error("the schema can't be brought up to date: {0}")]
    Migration(String),
    /// The writing thread can't be started.
    #[error("the writer can't be started: {0}")]
    Writer(std::io::Error),
}

/// A store in one file, opened. Cheap to clone; it is closed when the last clone and the last port are gone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    core: Arc<Core>,
}

/// What the three ports share.
#[derive(Debug)]
struct Core {
    writer: Writer,
    readers: Readers,
    time: TimeSource,
}

impl SqliteStore {
    /// Opens the database file `path`, which is created with its directory if need be and brought up to this program's schema.
    ///
    /// This reads and writes the disk and may take a moment. An empty file named `path` with `-opening` behind it stays beside
    /// the database: its lock is what lets several processes open a new file at once.
    ///
    /// # Errors
    /// [`OpenError`]. A database that is newer than this program is left untouched.
    pub fn open(path: &Path, time: TimeSource) -> Result<Self, OpenError> {
        let writer = Writer::start(schema::open_migrated(path)?).map_err(OpenError::Writer)?;
        Ok(Self { core: Arc::new(Core { writer, readers: Readers::of(path), time }) })
    }

    /// The bookings.
    pub fn bookings(&self) -> Arc<SqliteBookingRepository> {
        Arc::new(SqliteBookingRepository::new(Arc::clone(&self.core)))
    }

    /// The shows.
    pub fn shows(&self) -> Arc<SqliteShowRepository> {
        Arc::new(SqliteShowRepository::new(Arc::clone(&self.core)))
    }

    /// The readiness.
    pub fn health(&self) -> Arc<SqliteStoreHealth> {
        Arc::new(SqliteStoreHealth::new(Arc::clone(&self.core)))
    }
}
