//! The store that the settings name.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::{BookingRepository, ShowRepository, StoreHealth, TimeSource, Unready};
use postgres_adapter::{MigrateError, PgSettings, PgStore};
use sqlite_adapter::SqliteStore;

/// Which store to use.
#[derive(Clone)]
pub enum Database {
    /// An embedded one, in this directory.
    Sqlite(PathBuf),
    /// A PostgreSQL.
    Postgres(Box<PgSettings>),
}

/// An open store, by its ports.
pub(crate) struct Store {
    pub(crate) bookings: Arc<dyn BookingRepository>,
    pub(crate) shows: Arc<dyn ShowRepository>,
    pub(crate) health: Arc<dyn StoreHealth>,
    /// For what it counts itself.
    pub(crate) postgres: Option<PgStore>,
}

/// Opens the store. An embedded one is migrated too; a PostgreSQL is not even reached yet.
pub(crate) fn open(database: &Database) -> anyhow::Result<Store> {
    Ok(match database {
        Database::Sqlite(directory) => {
            let file = directory.join("rowlock.db");
            let store = SqliteStore::open(&file, TimeSource::Store)
                .with_context(|| format!("the embedded store {} can't be opened", file.display()))?;
            tracing::info!(file = %file.display(), "serving from the embedded store");
            Store { bookings: store.bookings(), shows: store.shows(), health: store.health(), postgres: None }
        }
        Database::Postgres(settings) => {
            let store = PgStore::new(settings, TimeSource::Store).context("the database settings can't be used")?;
            tracing::info!("serving from PostgreSQL");
            Store { bookings: store.bookings(), shows: store.shows(), health: store.health(), postgres: Some(store) }
        }
    })
}

/// Applies pending migrations.
///
/// # Errors
/// When the database can't be reached, is newer than this program, or a migration fails.
pub async fn migrate(database: &Database) -> anyhow::Result<()> {
    match database {
        Database::Sqlite(_) => open(database).map(|_| tracing::info!("the embedded store is current")),
        Database::Postgres(settings) => {
            let migrated = postgres_adapter::migrate(settings).await?;
            tracing::info!(applied = ?migrated.applied, version = migrated.version, "the schema is current");
            Ok(())
        }
    }
}

/// Longest wait between two attempts to reach the database.
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// Returns when the store can serve; meanwhile requests are answered with 503. Keeps trying while the database can't be reached.
///
/// # Errors
/// When trying on would not help.
pub(crate) async fn prepare(database: &Database, health: &dyn StoreHealth, may_migrate: bool) -> anyhow::Result<()> {
    let mut wait = Duration::from_millis(200);
    loop {
        let trouble = match (database, health.ready().await) {
            (_, Ok(())) => return Ok(()),
            (Database::Postgres(settings), Err(Unready::Outdated { .. })) if may_migrate => {
                match postgres_adapter::migrate(settings).await {
                    Ok(migrated) => {
                        tracing::info!(applied = ?migrated.applied, version = migrated.version, "migrated");
                        continue;
                    }
                    Err(MigrateError::Unreachable(text)) => text,
                    Err(error @ (MigrateError::Settings(_) | MigrateError::TooNew(_) | MigrateError::Failed(_))) => {
                        return Err(error.into());
                    }
                }
            }
            (_, Err(error @ Unready::TooNew { .. })) => return Err(error.into()),
            (_, Err(error @ (Unready::Unreachable(_) | Unready::Outdated { .. }))) => error.to_string(),
        };
        tracing::warn!(trouble, retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "the store is not ready");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(BACK_OFF_MAX);
    }
}
