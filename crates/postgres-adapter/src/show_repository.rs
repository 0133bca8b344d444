//! [`ShowRepository`] on PostgreSQL.

use async_trait::async_trait;
use domain::{NewShow, Page, Seat, Show, ShowId, ShowRepository, StoreError, TimeSource};
use futures_util::join;
use tokio_postgres::types::ToSql;

use crate::connection::{CREATE_TIMEOUT, Connections, Lease, TimedOut};
use crate::{error, rows, statements};

/// Shows in PostgreSQL.
pub struct PgShowRepository {
    connections: Connections,
    time: TimeSource,
}

impl PgShowRepository {
    pub(crate) const fn new(connections: Connections, time: TimeSource) -> Self {
        Self { connections, time }
    }
}

#[async_trait]
impl ShowRepository for PgShowRepository {
    async fn create(&self, show: &NewShow) -> Result<Show, StoreError> {
        let lease = self.connections.creator().await?;
        let created = create(&lease, &self.time, show).await;
        match &created {
            Ok(_) => lease.give_back(),
            Err(StoreError::Contended(_)) => lease.roll_back().await,
            Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_)) => drop(lease),
        }
        created
    }

    async fn list(&self, page: Page) -> Result<Vec<Show>, StoreError> {
        let limit = i64::from(page.limit.get());
        let found = self.connections.reader().await?.read(statements::LIST_SHOWS, &[&page.before, &limit]).await?;
        found.iter().map(rows::show).collect()
    }

    async fn seat_map(&self, show_id: ShowId) -> Result<Option<Vec<Seat>>, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&show_id.get(), &self.time.fixed()];
        let found = self.connections.reader().await?.read(statements::SEAT_MAP, &parameters).await?;
        // A show has at least one seat.
        if found.is_empty() { Ok(None) } else { found.iter().map(rows::seat).collect::<Result<_, _>>().map(Some) }
    }
}

/// The show and its seats by one statement. A million seats take longer than a statement usually may.
async fn create(lease: &Lease, time: &TimeSource, show: &NewShow) -> Result<Show, StoreError> {
    let statement = lease.prepared(statements::CREATE_SHOW).await?;
    let total_seats = i32::try_from(show.total_seats()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let (name, start_time, fixed) = (show.name(), show.start_time(), time.fixed());
    let parameters: [&(dyn ToSql + Sync); 4] = [&name, &start_time, &total_seats, &fixed];
    let opening = format!("BEGIN; SET LOCAL statement_timeout = {}", CREATE_TIMEOUT.as_millis());
    let trip =
        async { join!(lease.batch_execute(&opening), lease.query_one(&statement, &parameters), lease.batch_execute("COMMIT"),) };
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let (begun, created, committed) = lease.within(trip).await.map_err(unknown)?;
    begun.map_err(|error| error::with_commit(&error))?;
    let created = created.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))?;
    rows::show(&created)
}
