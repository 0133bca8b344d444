//! [`StoreHealth`] on PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use domain::{StoreHealth, Unready};

use crate::connection::Connections;
use crate::{migrations, statements};

/// How long the database has to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the database can be reached and has this program's schema.
pub struct PgStoreHealth {
    connections: Connections,
}

impl PgStoreHealth {
    pub(crate) const fn new(connections: Connections) -> Self {
        Self { connections }
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
            Err(_) => Err(Unready::Unreachable("the database does not answer".to_owned())),
        }
    }
}
