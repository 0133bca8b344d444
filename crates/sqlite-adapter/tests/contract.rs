//! The ports' contract, on SQLite.
#![expect(clippy::unwrap_used, reason = "a harness that can't do its work is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::{SeatKey, TimeSource};
use rusqlite::Connection;
use sqlite_adapter::SqliteStore;
use store_contract::{Blockade, Database, Harness, Store};
use tempfile::TempDir;

struct Sqlite;

/// A file, and after each crash a copy of it.
struct DatabaseFile {
    directory: TempDir,
    file: Mutex<PathBuf>,
    time: TimeSource,
}

/// The write lock, which is all that SQLite has, in another connection.
struct WriteLock(Connection);

#[async_trait]
impl Harness for Sqlite {
    async fn fresh(&self, time: TimeSource) -> Box<dyn Database> {
        let directory = tempfile::tempdir().unwrap();
        let file = Mutex::new(directory.path().join("1.db"));
        Box::new(DatabaseFile { directory, file, time })
    }
}

#[async_trait]
impl Database for DatabaseFile {
    async fn open(&self) -> Store {
        let store = SqliteStore::open(&self.file(), self.time.clone()).unwrap();
        Store { bookings: store.bookings(), shows: store.shows(), health: store.health() }
    }

    async fn crash(&self) -> Store {
        let dead = self.file();
        let copy = dead.with_extension("crashed.db");
        // What a dead process leaves is the database and its log as they are. Nobody can begin a new log while the lock is
        // held, and the log is copied first: a checkpoint between the copies only does what the log will do again.
        let lock = WriteLock::take(&dead);
        let log = |path: &PathBuf| PathBuf::from(format!("{}-wal", path.display()));
        fs::copy(log(&dead), log(&copy)).unwrap();
        fs::copy(&dead, &copy).unwrap();
        drop(lock);
        assert!(copy.starts_with(self.directory.path()));
        *self.file.lock().unwrap() = copy;
        self.open().await
    }

    async fn block(&self, _seat: SeatKey) -> Box<dyn Blockade> {
        Box::new(WriteLock::take(&self.file()))
    }
}

impl DatabaseFile {
    fn file(&self) -> PathBuf {
        self.file.lock().unwrap().clone()
    }
}

impl WriteLock {
    fn take(file: &PathBuf) -> Self {
        let connection = Connection::open(file).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(connection)
    }
}

#[async_trait]
impl Blockade for WriteLock {
    async fn lift(self: Box<Self>) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

store_contract::contract_suite!(Sqlite);
