//! Migrations: embedded, forward only, applied by one program at a time.

use domain::Unready;
use thiserror::Error;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::{PgSettings, SettingsError, driver_config};
use crate::{error, statements};

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// The advisory lock that a migration holds. The number means nothing but must not change.
const ADVISORY_LOCK: i64 = 0x0072_6f77_6c6f_636b;

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The versions that were applied, ascending; empty if the schema was current.
    pub applied: Vec<u32>,
    /// The version that the schema has now.
    pub version: u32,
}

/// Why a migration did not happen. A migration is applied wholly or not at all.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database can't be reached, or was lost.
    #[error("the database can't be reached: {0}")]
    Unreachable(String),
    /// The database is newer than this program.
    #[error(transparent)]
    TooNew(Unready),
    /// A migration failed, or the history of the database is not this program's.
    #[error("a migration failed: {0}")]
    Failed(String),
}

/// Brings the schema to this program's version. If another program is migrating, waits for it.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(settings: &PgSettings) -> Result<Migrated, MigrateError> {
    let (config, tls) = driver_config(settings)?;
    let unreachable = |error: tokio_postgres::Error| MigrateError::Unreachable(error::with_sources(&error));
    let (mut client, connection) = config.connect(tls).await.map_err(unreachable)?;
    let connection = tokio::spawn(connection);
    let migrated = migrate_locked(&mut client).await;
    // The lock goes with the session.
    drop(client);
    let _ = connection.await;
    migrated
}

async fn migrate_locked(client: &mut Client) -> Result<Migrated, MigrateError> {
    let failed = |error: tokio_postgres::Error| MigrateError::Failed(error::with_sources(&error));
    client.execute("SELECT pg_advisory_lock($1)", &[&ADVISORY_LOCK]).await.map_err(failed)?;
    let found = match client.query_one(statements::SCHEMA_VERSION, &[]).await {
        Ok(row) => row.try_get("version").map_err(failed)?,
        Err(error) if says_no_history(&error) => None,
        Err(error) => return Err(failed(error)),
    };
    match compare(found) {
        Ok(()) => return Ok(Migrated { applied: Vec::new(), version: newest() }),
        Err(Unready::Outdated { .. }) => {}
        Err(too_new @ (Unready::TooNew { .. } | Unready::Unreachable(_))) => return Err(MigrateError::TooNew(too_new)),
    }
    let report = embedded::migrations::runner().set_grouped(true).run_async(client).await;
    let report = report.map_err(|error| MigrateError::Failed(error::with_sources(&error)))?;
    let applied = report.applied_migrations().iter().filter_map(|migration| u32::try_from(migration.version()).ok());
    Ok(Migrated { applied: applied.collect(), version: newest() })
}

/// The newest version that this program knows.
fn newest() -> u32 {
    let versions = embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max();
    versions.and_then(|version| u32::try_from(version).ok()).unwrap_or(0)
}

/// Whether a schema at this version is the one that this program works with.
pub(crate) fn compare(found: Option<i32>) -> Result<(), Unready> {
    let found = found.and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    let newest = newest();
    match found.cmp(&newest) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(Unready::Outdated { found, needed: newest }),
        std::cmp::Ordering::Greater => Err(Unready::TooNew { found, known: newest }),
    }
}

/// Whether the database has never been migrated.
pub(crate) fn says_no_history(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNDEFINED_TABLE)
}

#[cfg(test)]
mod tests {
    use domain::{BookingId, BookingRepository, BookingStatus, Event, FailureReason, TimeSource, Transition};
    use throwaway_postgres::Cluster;

    use super::*;
    use crate::PgStore;

    const MADE_BEFORE: &str = "
        INSERT INTO shows (name, start_time, total_seats, created_at) VALUES ('Hamlet', now(), 3, now());
        INSERT INTO seats (show_id, seat_number) SELECT 1, generate_series(1, 3);
        INSERT INTO bookings (show_id, user_name, seat_numbers, status, failure_reason, confirmed_at, created_at, updated_at, expires_at) VALUES
            (1, 'Ada', '{1}', 'PENDING', NULL, NULL, now(), now(), now() + interval '1 hour'),
            (1, 'Bob', '{2}', 'CONFIRMED', NULL, now(), now() - interval '2 s', now(), now() + interval '1 s'),
            (1, 'Cy', '{3}', 'FAILED', 'expired', NULL, now() - interval '3 s', now(), now() - interval '1 s')";

    /// A fresh database whose schema is at this version, and a session in it.
    async fn at_version(version: i32) -> (PgSettings, Client) {
        let url = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
        let settings = PgSettings::new(url.as_str());
        let (config, tls) = driver_config(&settings).unwrap();
        let (mut client, connection) = config.connect(tls).await.unwrap();
        tokio::spawn(connection);
        to_version(&mut client, version).await;
        (settings, client)
    }

    async fn to_version(client: &mut Client, version: i32) {
        let version = refinery::Target::Version(version);
        embedded::migrations::runner().set_target(version).run_async(client).await.unwrap();
    }

    /// Bookings that were made before there was a history have the one that can be known of them, numbered as any other.
    #[tokio::test]
    async fn bookings_of_the_first_schema_get_a_history() {
        let (settings, client) = at_version(1).await;
        client.batch_execute(MADE_BEFORE).await.unwrap();
        migrate(&settings).await.unwrap();
        let store = PgStore::new(&settings, TimeSource::Store).unwrap().bookings();
        let mut numbers = Vec::new();
        let ends = [None, Some(Event::Confirmed), Some(Event::Failed(FailureReason::Expired))];
        for (id, end) in (1..).zip(ends) {
            let history: Vec<Transition> = store.history(BookingId::new(id).unwrap()).await.unwrap().unwrap();
            numbers.extend(history.iter().map(|transition| transition.number));
            assert_eq!((history[0].event, history[0].from), (Event::Held, None), "{history:?}");
            assert_eq!(history.get(1).map(|step| step.event), end, "{history:?}");
            assert!(history.get(1).is_none_or(|step| step.from == Some(BookingStatus::Pending)), "{history:?}");
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
    }
    /// A history that was found by an index is found step by step, however many there were, and nothing can be changed in it after.
    #[tokio::test]
    async fn a_history_of_the_second_schema_becomes_a_chain() {
        let (settings, mut client) = at_version(1).await;
        client.batch_execute(MADE_BEFORE).await.unwrap();
        to_version(&mut client, 2).await;
        let later =
            "INSERT INTO booking_history (show_id, number, booking_id, happened_at, event, from_status, actor, seat_numbers)
                     SELECT 1, n, 1, now(), 'extended', 'PENDING', 'customer', '{1}' FROM generate_series(6, 8) AS n";
        client.batch_execute(later).await.unwrap();
        migrate(&settings).await.unwrap();
        let store = PgStore::new(&settings, TimeSource::Store).unwrap().bookings();
        let history = store.history(BookingId::new(1).unwrap()).await.unwrap().unwrap();
        let events: Vec<Event> = history.iter().map(|step| step.event).collect();
        assert_eq!(events, [Event::Held, Event::Extended, Event::Extended, Event::Extended], "{history:?}");
        assert!(client.batch_execute("UPDATE booking_history SET previous = NULL").await.is_err());
    }
}
