//! [`StoreHealth`] on PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use domain::{StoreError, StoreHealth, TimeSource, Timestamp, Unready};

use crate::connection::Connections;
use crate::{batch, migrations, rows, statements};

/// How long the database has to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the database can be reached and has this program's schema.
pub struct PgStoreHealth {
    connections: Connections,
    time: TimeSource,
}

impl PgStoreHealth {
    pub(crate) const fn new(connections: Connections, time: TimeSource) -> Self {
        Self { connections, time }
    }

    /// How long ago the first deadline of a PENDING booking was.
    async fn first_deadline_passed(&self) -> Result<Duration, StoreError> {
        let found = self.connections.reader().await?.read(statements::NEXT_DEADLINE, &[&None::<Timestamp>]).await?;
        let Some(row) = found.first() else { return Ok(Duration::ZERO) };
        let next: Option<Timestamp> = rows::column(row, "next")?;
        let now = batch::now(&self.time, found.iter())?;
        Ok(next.and_then(|next| (now - next).to_std().ok()).unwrap_or_default())
    }
}

#[async_trait]
impl StoreHealth for PgStoreHealth {
    async fn ready(&self) -> Result<(), Unready> {
        let version = async {
            let lease = self.connections.reader().await.map_err(|error| error.to_string())?;
            match lease.query_one(statements::SCHEMA_VERSION, &[]).await {
                Ok(row) => {
                    lease.give_back();
                    row.try_get::<_, Option<i32>>("version").map_err(|error| error.to_string())
                }
                Err(error) if migrations::says_no_history(&error) => {
                    lease.give_back();
                    Ok(None)
                }
                Err(error) => Err(crate::error::with_sources(&error)),
            }
        };
        match tokio::time::timeout(PATIENCE, version).await {
            Ok(Ok(version)) => migrations::compare(version),
            Ok(Err(text)) => Err(Unready::Unreachable(text)),
            Err(_) => Err(no_answer()),
        }
    }

    async fn oldest_dead_hold(&self) -> Result<Duration, Unready> {
        let passed = tokio::time::timeout(PATIENCE, self.first_deadline_passed()).await.map_err(|_| no_answer())?;
        passed.map_err(|error| Unready::Unreachable(error.to_string()))
    }
}

fn no_answer() -> Unready {
    Unready::Unreachable("the database does not answer".to_owned())
}
