//! Readiness.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{StoreError, StoreHealth, Unready};
use tokio::time::timeout;

use crate::booking_repository::oldest_dead_hold;
use crate::{Core, schema};

/// A file that does not answer within this time is as good as gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the SQLite file can be used.
#[derive(Clone, Debug)]
pub struct SqliteStoreHealth {
    core: Arc<Core>,
}

impl SqliteStoreHealth {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[async_trait]
impl StoreHealth for SqliteStoreHealth {
    async fn ready(&self) -> Result<(), Unready> {
        if !self.core.writer.is_alive() {
            return Err(Unready::Unreachable("the writer has ended".to_owned()));
        }
        let version = self.core.readers.run(|connection| schema::found_version(connection));
        let found = in_time(version).await?;
        let known = schema::known_version();
        match found.cmp(&known) {
            std::cmp::Ordering::Less => Err(Unready::Outdated { found, needed: known }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Unready::TooNew { found, known }),
        }
    }

    async fn oldest_dead_hold(&self) -> Result<Duration, Unready> {
        let time = self.core.time.clone();
        in_time(self.core.readers.run(move |connection| oldest_dead_hold(connection, &time))).await
    }
}

/// What was read, if that did not take too long.
async fn in_time<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, Unready> {
    let late = |_| Unready::Unreachable(format!("no answer within {PATIENCE:?}"));
    timeout(PATIENCE, read).await.map_err(late)?.map_err(|error| Unready::Unreachable(error.to_string()))
}
