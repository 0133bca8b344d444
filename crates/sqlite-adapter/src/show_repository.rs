//! Shows.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{
    Actor, CalledOff, Creation, Deadline, Idempotency, Life, NewShow, Outcome, Page, Seat, SeatStatus, Show, ShowChange,
    ShowCounts, ShowId, ShowRepository, StoreError, Terms, TimeSource, Timestamp,
};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params, params_from_iter};

use crate::batch::{load_keys, use_key};
use crate::encoding::seat_status;
use crate::failure::{self, Failure};
use crate::{Core, clock, record, statements};

/// Shows and their seats, in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteShowRepository {
    core: Arc<Core>,
}

impl SqliteShowRepository {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[async_trait]
impl ShowRepository for SqliteShowRepository {
    async fn create(&self, show: &NewShow, idempotency: Option<&Idempotency>) -> Result<Creation, StoreError> {
        let (show, idempotency, time) = (show.clone(), idempotency.cloned(), self.core.time.clone());
        self.core.writer.run(move |connection| create(connection, &time, &show, idempotency.as_ref())).await
    }

    async fn edit(
        &self,
        id: ShowId,
        revision: i32,
        show: &NewShow,
        idempotency: Option<&Idempotency>,
    ) -> Result<ShowChange, StoreError> {
        let (show, idempotency, time) = (show.clone(), idempotency.cloned(), self.core.time.clone());
        let edit = move |connection: &Connection, _| {
            let columns = terms_columns(&show.terms());
            let mut statement = connection.prepare_cached(statements::EDIT_SHOW)?;
            let first =
                [id.get().into(), revision.into(), show.name().to_owned().into(), show.start_time().timestamp_micros().into()];
            let changed = statement.execute(params_from_iter(first.into_iter().chain(columns)))?;
            Ok(if changed == 0 { Err(ShowChange::Overtaken) } else { Ok(Outcome::ShowEdited { show_id: id }) })
        };
        self.core.writer.run(move |connection| change(connection, &time, id, idempotency.as_ref(), edit)).await
    }

    async fn cancel(&self, id: ShowId, by: &Actor, idempotency: Option<&Idempotency>) -> Result<ShowChange, StoreError> {
        let (by, idempotency, time) = (by.to_string(), idempotency.cloned(), self.core.time.clone());
        let cancel = move |connection: &Connection, now: Timestamp| {
            let mut statement = connection.prepare_cached(statements::CANCEL_SHOW)?;
            statement.execute(params![id.get(), by, now.timestamp_micros()])?;
            // Whatever was cancelled before stays so.
            Ok(Ok(Outcome::ShowCancelled { show_id: id }))
        };
        self.core.writer.run(move |connection| change(connection, &time, id, idempotency.as_ref(), cancel)).await
    }

    async fn calling_off(&self) -> Result<Vec<CalledOff>, StoreError> {
        self.core.readers.run(|connection| calling_off(connection)).await
    }

    async fn called_off(&self, id: ShowId) -> Result<(), StoreError> {
        let done = move |connection: &mut Connection| {
            connection.prepare_cached(statements::SHOW_CALLED_OFF)?.execute([id.get()])?;
            Ok(())
        };
        self.core.writer.run(done).await
    }

    async fn list(&self, page: Page) -> Result<Vec<Show>, StoreError> {
        self.core.readers.run(move |connection| list(connection, page)).await
    }

    async fn find(&self, id: ShowId) -> Result<Option<Show>, StoreError> {
        self.core.readers.run(move |connection| find(connection, id)).await
    }

    async fn counts(&self, id: ShowId) -> Result<Option<ShowCounts>, StoreError> {
        let time = self.core.time.clone();
        self.core.readers.run(move |connection| counts(connection, &time, id)).await
    }

    async fn seat_map(&self, show_id: ShowId) -> Result<Option<Vec<Seat>>, StoreError> {
        let time = self.core.time.clone();
        self.core.readers.run(move |connection| seat_map(connection, &time, show_id)).await
    }
}

fn create(
    connection: &mut Connection,
    time: &TimeSource,
    new: &NewShow,
    idempotency: Option<&Idempotency>,
) -> Result<Creation, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = clock::now(time);
    match used_before(&transaction, idempotency, now)? {
        Some(Before::Same(show_id)) => return Ok(Creation::Replayed(show_id)),
        Some(Before::Other) => return Ok(Creation::KeyReused),
        None => {}
    }
    let show = insert(&transaction, new, now)?;
    if let Some(Idempotency { key, fingerprint, keep_for }) = idempotency {
        let created = Outcome::ShowCreated { show_id: show.id };
        use_key(&transaction, (key, *fingerprint), &created, Deadline::after(now, *keep_for), now)?;
    }
    transaction.commit().map_err(failure::of_commit)?;
    Ok(Creation::Created(show))
}

/// Changes one show, if there is something to change, under a key if there is one.
fn change(
    connection: &mut Connection,
    time: &TimeSource,
    id: ShowId,
    idempotency: Option<&Idempotency>,
    edit: impl FnOnce(&Connection, Timestamp) -> Result<Result<Outcome, ShowChange>, Failure>,
) -> Result<ShowChange, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = clock::now(time);
    match used_before(&transaction, idempotency, now)? {
        Some(Before::Same(show_id)) => return Ok(ShowChange::Replayed(show_id)),
        Some(Before::Other) => return Ok(ShowChange::KeyReused),
        None => {}
    }
    let outcome = match edit(&transaction, now)? {
        Ok(outcome) => outcome,
        Err(not_changed) => return Ok(not_changed),
    };
    let Some(show) = find(&transaction, id)? else { return Ok(ShowChange::NoSuchShow) };
    if let Some(Idempotency { key, fingerprint, keep_for }) = idempotency {
        use_key(&transaction, (key, *fingerprint), &outcome, Deadline::after(now, *keep_for), now)?;
    }
    transaction.commit().map_err(failure::of_commit)?;
    Ok(ShowChange::Done(show))
}

fn calling_off(connection: &Connection) -> Result<Vec<CalledOff>, Failure> {
    let mut statement = connection.prepare_cached(statements::SHOWS_CALLING_OFF)?;
    let mut rows = statement.query([])?;
    let mut shows = Vec::new();
    while let Some(row) = rows.next()? {
        shows.push(record::called_off(row)?);
    }
    Ok(shows)
}

/// What a key was used for before.
enum Before {
    /// This request, for this show.
    Same(ShowId),
    /// Another one.
    Other,
}

/// What came of this request before, if that is not too long ago.
fn used_before(connection: &Connection, idempotency: Option<&Idempotency>, now: Timestamp) -> Result<Option<Before>, Failure> {
    let Some(Idempotency { key, fingerprint, .. }) = idempotency else { return Ok(None) };
    let used = load_keys(connection, std::iter::once(key))?.pop();
    let used = used.filter(|used| used.expires_at.life(now) == Life::Live);
    Ok(used.map(|used| match used.result {
        Outcome::ShowCreated { show_id } | Outcome::ShowEdited { show_id } | Outcome::ShowCancelled { show_id }
            if used.fingerprint == *fingerprint =>
        {
            Before::Same(show_id)
        }
        _ => Before::Other,
    }))
}

fn insert(connection: &Connection, new: &NewShow, now: Timestamp) -> Result<Show, Failure> {
    let (start_time, now) = (new.start_time().timestamp_micros(), now.timestamp_micros());
    let first: [Value; 4] = [new.name().to_owned().into(), start_time.into(), new.total_seats().into(), now.into()];
    let columns = params_from_iter(first.into_iter().chain(terms_columns(&new.terms())));
    let id: i64 = connection.prepare_cached(statements::INSERT_SHOW)?.query_row(columns, |row| row.get(0))?;
    let available = seat_status::text(SeatStatus::Available);
    connection.prepare_cached(statements::INSERT_SEATS)?.execute(params![id, new.total_seats(), available])?;
    // Read back, so that what is answered is what stands there.
    let page = params![id.saturating_add(1), 1];
    Ok(connection.prepare_cached(statements::LIST_SHOWS)?.query_row(page, |row| Ok(record::show(row)))??)
}

/// Terms as `insert_show.sql` and `edit_show.sql` take them.
fn terms_columns(terms: &Terms) -> [Value; 9] {
    let seconds = |length: Option<TimeDelta>| Value::from(length.map(|length| length.num_seconds()));
    let instant = |instant: Option<Timestamp>| Value::from(instant.map(|instant| instant.timestamp_micros()));
    [
        seconds(terms.hold_for),
        seconds(terms.hold_limit),
        terms.customers_may_cancel.into(),
        terms.late_confirm.into(),
        terms.seats_per_booking.into(),
        terms.seats_per_customer.into(),
        terms.holds_per_customer.into(),
        instant(terms.on_sale_at),
        instant(terms.off_sale_at),
    ]
}

fn find(connection: &Connection, id: ShowId) -> Result<Option<Show>, Failure> {
    let mut statement = connection.prepare_cached(statements::FIND_SHOW)?;
    let mut rows = statement.query([id.get()])?;
    Ok(rows.next()?.map(record::show).transpose()?)
}

fn counts(connection: &mut Connection, time: &TimeSource, id: ShowId) -> Result<Option<ShowCounts>, Failure> {
    // Before the snapshot, as in every read (see `find` of the bookings).
    let now = clock::now(time).timestamp_micros();
    let snapshot = connection.transaction()?;
    let seats = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (available, held, taken): (u32, u32, u32) =
        snapshot.prepare_cached(statements::COUNT_SEATS)?.query_row(params![id.get(), now], seats)?;
    if available + held + taken == 0 {
        return Ok(None);
    }
    let counts = |row: &rusqlite::Row<'_>| {
        let (pending, confirmed, failed, refunds_due) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let blocked: u32 = row.get(4)?;
        let sold = taken.saturating_sub(blocked);
        Ok(ShowCounts { available, held, sold, blocked, pending, confirmed, failed, refunds_due })
    };
    Ok(Some(snapshot.prepare_cached(statements::COUNT_BOOKINGS)?.query_row(params![id.get(), now], counts)?))
}

fn list(connection: &Connection, page: Page) -> Result<Vec<Show>, Failure> {
    let mut statement = connection.prepare_cached(statements::LIST_SHOWS)?;
    let mut rows = statement.query(params![page.before.unwrap_or(i64::MAX), page.limit.get()])?;
    let mut shows = Vec::new();
    while let Some(row) = rows.next()? {
        shows.push(record::show(row)?);
    }
    Ok(shows)
}

fn seat_map(connection: &Connection, time: &TimeSource, show_id: ShowId) -> Result<Option<Vec<Seat>>, Failure> {
    // Before the snapshot, as in every read (see `find` of the bookings).
    let now = clock::now(time);
    let mut statement = connection.prepare_cached(statements::SEAT_MAP)?;
    let mut rows = statement.query([show_id.get()])?;
    let mut seats = Vec::new();
    while let Some(row) = rows.next()? {
        let seat = record::seat(row)?;
        seats.push(Seat { state: seat.state.as_of(now), ..seat });
    }
    Ok(Some(seats).filter(|seats| !seats.is_empty()))
}
