//! [`ShowRepository`] on PostgreSQL.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    Creation, Idempotency, NewShow, Outcome, Page, Seat, Show, ShowCounts, ShowId, ShowRepository, StoreError, TimeSource,
    Timestamp,
};
use futures_util::{join, try_join};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use crate::connection::{CREATE_TIMEOUT, Connections, Lease, TimedOut, no_answer};
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
    async fn create(&self, show: &NewShow, idempotency: Option<&Idempotency>) -> Result<Creation, StoreError> {
        let created = self.create_once(show, idempotency).await;
        match created {
            // Perhaps somebody has made it under this key at the same time.
            Err(StoreError::Contended(_)) if idempotency.is_some() => self.create_once(show, idempotency).await,
            created => created,
        }
    }

    async fn list(&self, page: Page) -> Result<Vec<Show>, StoreError> {
        let limit = i64::from(page.limit.get());
        let found = self.connections.reader().await?.read(statements::LIST_SHOWS, &[&page.before, &limit]).await?;
        found.iter().map(rows::show).collect()
    }

    async fn find(&self, id: ShowId) -> Result<Option<Show>, StoreError> {
        let found = self.connections.reader().await?.read(statements::FIND_SHOW, &[&id.get()]).await?;
        found.first().map(rows::show).transpose()
    }

    async fn counts(&self, id: ShowId) -> Result<Option<ShowCounts>, StoreError> {
        let found = self.connections.reader().await?.read(statements::COUNT_SHOW, &[&id.get(), &self.time.fixed()]).await?;
        found.first().map(rows::show_counts).transpose()
    }

    async fn seat_map(&self, show_id: ShowId) -> Result<Option<Vec<Seat>>, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&show_id.get(), &self.time.fixed()];
        let found = self.connections.reader().await?.read(statements::SEAT_MAP, &parameters).await?;
        // A show has at least one seat.
        if found.is_empty() { Ok(None) } else { found.iter().map(rows::seat).collect::<Result<_, _>>().map(Some) }
    }
}

impl PgShowRepository {
    async fn create_once(&self, show: &NewShow, idempotency: Option<&Idempotency>) -> Result<Creation, StoreError> {
        let lease = self.connections.creator().await?;
        let created = create(&lease, &self.time, show, idempotency).await;
        match &created {
            Ok(Creation::Created(_)) => lease.give_back(),
            // What was begun has come to nothing.
            Ok(Creation::Replayed(_) | Creation::KeyReused) | Err(StoreError::Contended(_)) => lease.roll_back().await,
            Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_)) => drop(lease),
        }
        created
    }
}

/// The show and its seats by one statement, and the key by another. A million seats take longer than a statement usually may.
async fn create(
    lease: &Lease,
    time: &TimeSource,
    show: &NewShow,
    idempotency: Option<&Idempotency>,
) -> Result<Creation, StoreError> {
    let fixed = time.fixed();
    if let Some(before) = begin(lease, fixed, idempotency).await? {
        return Ok(before);
    }
    let statement = lease.prepared(statements::CREATE_SHOW).await?;
    let total_seats = i32::try_from(show.total_seats()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let (name, start_time, terms) = (show.name(), show.start_time(), show.terms());
    let (hold, limit) = (seconds(terms.hold_for), seconds(terms.hold_limit));
    let [per_booking, per_customer, holds] = [terms.seats_per_booking, terms.seats_per_customer, terms.holds_per_customer]
        .map(|limit| limit.and_then(|n| i32::try_from(n).ok()));
    let parameters: [&(dyn ToSql + Sync); 13] = [
        &name,
        &start_time,
        &total_seats,
        &fixed,
        &hold,
        &limit,
        &terms.customers_may_cancel,
        &terms.late_confirm,
        &per_booking,
        &per_customer,
        &holds,
        &terms.on_sale_at,
        &terms.off_sale_at,
    ];
    let created = lease.within(lease.query_one(&statement, &parameters)).await.map_err(|TimedOut| no_answer())?;
    let show = rows::show(&created.map_err(|error| error::before_commit(&error))?)?;
    let use_key = lease.prepared(statements::USE_KEY).await?;
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let trip = async { join!(put_down(lease, &use_key, idempotency, show.id, fixed), lease.batch_execute("COMMIT")) };
    let (used, committed) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    used.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))?;
    Ok(Creation::Created(show))
}

fn seconds(length: Option<TimeDelta>) -> Option<i32> {
    length.and_then(|length| i32::try_from(length.num_seconds()).ok())
}

/// Begins; what came of this request before, if it was made before.
async fn begin(
    lease: &Lease,
    fixed: Option<Timestamp>,
    idempotency: Option<&Idempotency>,
) -> Result<Option<Creation>, StoreError> {
    let (load_keys, forget) = try_join!(lease.prepared(statements::LOAD_KEYS), lease.prepared(statements::FORGET_USED_KEYS))?;
    let key: Vec<&str> = idempotency.iter().map(|idempotency| idempotency.key.as_str()).collect();
    let opening = format!("BEGIN; SET LOCAL statement_timeout = {}", CREATE_TIMEOUT.as_millis());
    let (over, known): ([&(dyn ToSql + Sync); 2], [&(dyn ToSql + Sync); 1]) = ([&key, &fixed], [&key]);
    let trip = async {
        let (begun, forgotten, used) =
            join!(lease.batch_execute(&opening), lease.execute(&forget, &over), lease.query(&load_keys, &known));
        begun?;
        forgotten?;
        used
    };
    let used = lease.within(trip).await.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))?;
    let (Some(row), Some(idempotency)) = (used.first(), idempotency) else { return Ok(None) };
    let used = rows::used_key(row)?;
    Ok(Some(match used.result {
        Outcome::ShowCreated { show_id } if used.fingerprint == idempotency.fingerprint => Creation::Replayed(show_id),
        _ => Creation::KeyReused,
    }))
}

/// Puts the key down, if there is one.
async fn put_down(
    lease: &Lease,
    use_key: &Statement,
    idempotency: Option<&Idempotency>,
    show_id: ShowId,
    fixed: Option<Timestamp>,
) -> Result<(), tokio_postgres::Error> {
    let Some(Idempotency { key, fingerprint, keep_for }) = idempotency else { return Ok(()) };
    let (key, fingerprint, outcome) = (key.as_str(), fingerprint.0.as_slice(), Outcome::ShowCreated { show_id }.to_text());
    let keep_for = keep_for.num_microseconds().unwrap_or(i64::MAX);
    lease.execute(use_key, &[&key, &fingerprint, &outcome, &keep_for, &fixed]).await.map(drop)
}
