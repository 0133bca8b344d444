//! Connections that only read, side by side with the writer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::connection::open_reader;
use crate::failure::Failure;

/// How many reads go on at once. A read is short, and there are few cores where SQLite is the right store.
const READERS_MAX: usize = 4;

/// Up to [`READERS_MAX`] connections, opened when they are first needed.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default(), free: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Reads on a connection that is free, on a thread that may block.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ended = |_| StoreError::Unavailable("the readers have ended".to_owned());
        let free = Arc::clone(&self.free).acquire_owned().await.map_err(ended)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let read = spawn_blocking(move || {
            let _free = free;
            let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = connection.map_or_else(|| open_reader(&path), Ok)?;
            let answer = read(&mut connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            answer
        });
        Ok(read.await.map_err(|error| StoreError::Unavailable(error.to_string()))??)
    }
}
