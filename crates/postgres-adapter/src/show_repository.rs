//! [`ShowRepository`] on PostgreSQL.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    Actor, CalledOff, Creation, Idempotency, NewShow, Outcome, Page, Seat, Show, ShowChange, ShowCounts, ShowId, ShowRepository,
    StoreError, Terms, TimeSource, Timestamp,
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

    async fn edit(
        &self,
        id: ShowId,
        revision: i32,
        show: &NewShow,
        idempotency: Option<&Idempotency>,
    ) -> Result<ShowChange, StoreError> {
        let columns = TermsColumns::of(&show.terms());
        let (id, name, start_time) = (id.get(), show.name(), show.start_time());
        let parameters: Vec<&(dyn ToSql + Sync)> =
            [&id as &(dyn ToSql + Sync), &revision, &name, &start_time].into_iter().chain(columns.parameters()).collect();
        let done = |show_id| Outcome::ShowEdited { show_id };
        Ok(self.change(statements::EDIT_SHOW, &parameters, idempotency, done).await?.unwrap_or(ShowChange::Overtaken))
    }

    async fn cancel(&self, id: ShowId, by: &Actor, idempotency: Option<&Idempotency>) -> Result<ShowChange, StoreError> {
        let (number, by, fixed) = (id.get(), by.to_string(), self.time.fixed());
        let done = |show_id| Outcome::ShowCancelled { show_id };
        let changed = self.change(statements::CANCEL_SHOW, &[&number, &by, &fixed], idempotency, done).await?;
        Ok(changed.unwrap_or(ShowChange::NoSuchShow))
    }

    async fn calling_off(&self) -> Result<Vec<CalledOff>, StoreError> {
        let found = self.connections.reader().await?.read(statements::SHOWS_CALLING_OFF, &[]).await?;
        found.iter().map(rows::called_off).collect()
    }

    async fn called_off(&self, id: ShowId) -> Result<(), StoreError> {
        let lease = self.connections.creator().await?;
        let statement = lease.prepared(statements::SHOW_CALLED_OFF).await?;
        let number = id.get();
        let done = lease.within(lease.execute(&statement, &[&number])).await.map_err(|TimedOut| no_answer())?;
        done.map_err(|error| error::of_one_trip(&error))?;
        lease.give_back();
        Ok(())
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

impl PgShowRepository {
    /// Changes one show by a statement that returns it, if there is something to change, under a key if there is one.
    async fn change(
        &self,
        statement: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
        idempotency: Option<&Idempotency>,
        outcome: impl Fn(ShowId) -> Outcome + Send,
    ) -> Result<Option<ShowChange>, StoreError> {
        let lease = self.connections.creator().await?;
        let changed = change(&lease, &self.time, (statement, parameters), idempotency, outcome).await;
        match &changed {
            Ok(Some(ShowChange::Done(_))) => lease.give_back(),
            // What was begun has come to nothing.
            Ok(_) | Err(StoreError::Contended(_)) => lease.roll_back().await,
            Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Corrupt(_)) => drop(lease),
        }
        changed
    }
}

async fn change(
    lease: &Lease,
    time: &TimeSource,
    (statement, parameters): (&'static str, &[&(dyn ToSql + Sync)]),
    idempotency: Option<&Idempotency>,
    outcome: impl Fn(ShowId) -> Outcome,
) -> Result<Option<ShowChange>, StoreError> {
    let fixed = time.fixed();
    match begin(lease, fixed, idempotency).await? {
        Some(Before::Same(show_id)) => return Ok(Some(ShowChange::Replayed(show_id))),
        Some(Before::Other) => return Ok(Some(ShowChange::KeyReused)),
        None => {}
    }
    let statement = lease.prepared(statement).await?;
    let changed = lease.within(lease.query_opt(&statement, parameters)).await.map_err(|TimedOut| no_answer())?;
    let Some(row) = changed.map_err(|error| error::before_commit(&error))? else { return Ok(None) };
    let show = rows::show(&row)?;
    commit(lease, idempotency, &outcome(show.id), fixed).await?;
    Ok(Some(ShowChange::Done(show)))
}

/// The show and its seats by one statement, and the key by another. A million seats take longer than a statement usually may.
async fn create(
    lease: &Lease,
    time: &TimeSource,
    show: &NewShow,
    idempotency: Option<&Idempotency>,
) -> Result<Creation, StoreError> {
    let fixed = time.fixed();
    match begin(lease, fixed, idempotency).await? {
        Some(Before::Same(show_id)) => return Ok(Creation::Replayed(show_id)),
        Some(Before::Other) => return Ok(Creation::KeyReused),
        None => {}
    }
    let statement = lease.prepared(statements::CREATE_SHOW).await?;
    let total_seats = i32::try_from(show.total_seats()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let (name, start_time, columns) = (show.name(), show.start_time(), TermsColumns::of(&show.terms()));
    let parameters: Vec<&(dyn ToSql + Sync)> =
        [&name as &(dyn ToSql + Sync), &start_time, &total_seats, &fixed].into_iter().chain(columns.parameters()).collect();
    let created = lease.within(lease.query_one(&statement, &parameters)).await.map_err(|TimedOut| no_answer())?;
    let show = rows::show(&created.map_err(|error| error::before_commit(&error))?)?;
    commit(lease, idempotency, &Outcome::ShowCreated { show_id: show.id }, fixed).await?;
    Ok(Creation::Created(show))
}

/// Puts the key down, if there is one, and commits.
async fn commit(
    lease: &Lease,
    idempotency: Option<&Idempotency>,
    outcome: &Outcome,
    fixed: Option<Timestamp>,
) -> Result<(), StoreError> {
    let use_key = lease.prepared(statements::USE_KEY).await?;
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let trip = async { join!(put_down(lease, &use_key, idempotency, outcome, fixed), lease.batch_execute("COMMIT")) };
    let (used, committed) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    used.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))
}

/// Terms as `create_show.sql` and `edit_show.sql` take them.
struct TermsColumns {
    lengths: [Option<i32>; 2],
    flags: [bool; 2],
    limits: [Option<i32>; 3],
    window: [Option<Timestamp>; 2],
}

impl TermsColumns {
    fn of(terms: &Terms) -> Self {
        let limit = |limit: Option<u32>| limit.and_then(|limit| i32::try_from(limit).ok());
        Self {
            lengths: [terms.hold_for, terms.hold_limit].map(seconds),
            flags: [terms.customers_may_cancel, terms.late_confirm],
            limits: [terms.seats_per_booking, terms.seats_per_customer, terms.holds_per_customer].map(limit),
            window: [terms.on_sale_at, terms.off_sale_at],
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 9] {
        let Self { lengths: [hold, limit], flags: [cancel, late], limits: [booking, customer, holds], window: [begin, end] } =
            self;
        [hold, limit, cancel, late, booking, customer, holds, begin, end]
    }
}

fn seconds(length: Option<TimeDelta>) -> Option<i32> {
    length.and_then(|length| i32::try_from(length.num_seconds()).ok())
}

/// What a key was used for before.
enum Before {
    /// This request, for this show.
    Same(ShowId),
    /// Another one.
    Other,
}

/// Begins; what came of this request before, if it was made before.
async fn begin(lease: &Lease, fixed: Option<Timestamp>, idempotency: Option<&Idempotency>) -> Result<Option<Before>, StoreError> {
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
        Outcome::ShowCreated { show_id } | Outcome::ShowEdited { show_id } | Outcome::ShowCancelled { show_id }
            if used.fingerprint == idempotency.fingerprint =>
        {
            Before::Same(show_id)
        }
        _ => Before::Other,
    }))
}

/// Puts the key down, if there is one.
async fn put_down(
    lease: &Lease,
    use_key: &Statement,
    idempotency: Option<&Idempotency>,
    outcome: &Outcome,
    fixed: Option<Timestamp>,
) -> Result<(), tokio_postgres::Error> {
    let Some(Idempotency { key, fingerprint, keep_for }) = idempotency else { return Ok(()) };
    let (key, fingerprint, outcome) = (key.as_str(), fingerprint.0.as_slice(), outcome.to_text());
    let keep_for = keep_for.num_microseconds().unwrap_or(i64::MAX);
    lease.execute(use_key, &[&key, &fingerprint, &outcome, &keep_for, &fixed]).await.map(drop)
}
