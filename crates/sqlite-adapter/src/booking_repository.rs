//! Bookings.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, BookingState, Hold, Keys, Life, LiveHold, Look,
    Outcome, Page, Refund, RefundKey, Refusal, Request, ShowId, StoreError, Sweep, TimeSource, Timestamp, Transition,
};
use rusqlite::{Connection, params};

use crate::batch::{Batch, load_bookings, load_seats, seat_keys};
use crate::failure::Failure;
use crate::{Core, clock, lists, record, statements};

/// Bookings and the seats they take, in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteBookingRepository {
    core: Arc<Core>,
}

impl SqliteBookingRepository {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

#[async_trait]
impl BookingRepository for SqliteBookingRepository {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let (requests, time) = (requests.to_vec(), self.core.time.clone());
        self.core.writer.run(move |connection| execute(connection, &time, &requests)).await
    }

    async fn look(&self, holds: &[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        let (holds, time) = (holds.iter().copied().cloned().collect::<Vec<_>>(), self.core.time.clone());
        self.core.readers.run(move |connection| look(connection, &time, &holds)).await
    }

    async fn expire_due(&self, limit: NonZeroU32) -> Result<Sweep, StoreError> {
        let time = self.core.time.clone();
        self.core.writer.run(move |connection| expire_due(connection, &time, limit)).await
    }

    async fn find(&self, id: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        let time = self.core.time.clone();
        let (found, is_final) = self.core.readers.run(move |connection| find(connection, &time, id)).await?;
        if is_final {
            return Ok(found);
        }
        // A confirm that came in time may still be on its way. Where writing is done, it has ended.
        let time = self.core.time.clone();
        let settled = self.core.writer.run(move |connection| {
            connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            find(connection, &time, id)
        });
        Ok(settled.await?.0)
    }

    async fn history(&self, id: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        self.core.readers.run(move |connection| history(connection, id)).await
    }

    async fn forget_keys(&self, limit: NonZeroU32) -> Result<u32, StoreError> {
        let time = self.core.time.clone();
        self.core.writer.run(move |connection| forget_keys(connection, &time, limit)).await
    }

    async fn list(&self, filter: &BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError> {
        let (filter, time) = (filter.clone(), self.core.time.clone());
        self.core.readers.run(move |connection| lists::bookings(connection, &time, &filter, page)).await
    }

    async fn live_holds(
        &self,
        show_id: Option<ShowId>,
        after: Option<BookingId>,
        limit: NonZeroU32,
    ) -> Result<Vec<LiveHold>, StoreError> {
        let time = self.core.time.clone();
        self.core.readers.run(move |connection| lists::live_holds(connection, &time, show_id, after, limit)).await
    }

    async fn refunds(&self, after: Option<&RefundKey>, limit: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        let after = after.cloned();
        self.core.readers.run(move |connection| lists::refunds(connection, after.as_ref(), limit)).await
    }
}

fn execute(connection: &mut Connection, time: &TimeSource, requests: &[Request]) -> Result<Vec<Outcome>, Failure> {
    let mut batch = Batch::begin(connection, time)?;
    let outcomes = batch.run(requests)?;
    batch.end()?;
    Ok(outcomes)
}

/// The refusals as of the snapshot in which the seats are read.
fn look(connection: &mut Connection, time: &TimeSource, holds: &[Hold]) -> Result<Vec<Option<Refusal>>, Failure> {
    let keys = Keys::of_holds(holds.iter());
    let before = clock::now(time);
    let snapshot = connection.transaction()?;
    let seats = load_seats(&snapshot, &keys.seats)?;
    let look = Look::new(before, clock::now(time), seats);
    Ok(holds.iter().map(|hold| look.refusal(hold)).collect())
}

fn expire_due(connection: &mut Connection, time: &TimeSource, limit: NonZeroU32) -> Result<Sweep, Failure> {
    let mut batch = Batch::begin(connection, time)?;
    let now = batch.now();
    let candidates = due_bookings(batch.connection(), now, limit)?;
    let swept = batch.sweep(candidates)?;
    let next_due_in = next_deadline(batch.connection())?.map(|deadline| until(now, deadline));
    batch.end()?;
    Ok(swept.report(next_due_in))
}

/// From one instant to a later one, zero if it is not later.
fn until(from: Timestamp, to: Timestamp) -> Duration {
    (to - from).to_std().unwrap_or(Duration::ZERO)
}

fn history(connection: &Connection, id: BookingId) -> Result<Option<Vec<Transition>>, Failure> {
    let mut statement = connection.prepare_cached(statements::FIND_HISTORY)?;
    let mut rows = statement.query([id.get()])?;
    let mut transitions = Vec::new();
    while let Some(row) = rows.next()? {
        transitions.push(record::transition(row)?);
    }
    // A booking's history begins with it.
    Ok(Some(transitions).filter(|transitions| !transitions.is_empty()))
}

fn forget_keys(connection: &Connection, time: &TimeSource, limit: NonZeroU32) -> Result<u32, Failure> {
    let now = clock::now(time).timestamp_micros();
    let forgotten = connection.prepare_cached(statements::FORGET_KEYS)?.execute(params![limit.get(), now])?;
    Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
}

fn due_bookings(connection: &Connection, now: Timestamp, limit: NonZeroU32) -> Result<Vec<BookingId>, Failure> {
    let mut statement = connection.prepare_cached(statements::DUE_BOOKINGS)?;
    let ids = statement.query_map(params![now.timestamp_micros(), limit.get()], |row| row.get(0))?;
    ids.filter_map(|id| id.map(BookingId::new).transpose()).map(|id| Ok(id?)).collect()
}

fn next_deadline(connection: &Connection) -> Result<Option<Timestamp>, Failure> {
    let mut statement = connection.prepare_cached(statements::NEXT_DEADLINE)?;
    let micros: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(micros.and_then(Timestamp::from_timestamp_micros))
}

/// How long ago the first deadline of a PENDING booking was; zero if it is still to come.
pub(crate) fn oldest_dead_hold(connection: &mut Connection, time: &TimeSource) -> Result<Duration, Failure> {
    let now = clock::now(time);
    Ok(next_deadline(connection)?.map_or(Duration::ZERO, |deadline| until(deadline, now)))
}

/// The booking, and whether it can be believed for good: a hold that is dead, but not FAILED in its row, may yet turn out to have
/// been confirmed in time. Reads take `now` before their snapshot, so that the doubt ends with the writer's transaction.
fn find(connection: &mut Connection, time: &TimeSource, id: BookingId) -> Result<(Option<BookingDetails>, bool), Failure> {
    let now = clock::now(time);
    let snapshot = connection.transaction()?;
    let Some(booking) = load_bookings(&snapshot, [id])?.pop() else { return Ok((None, true)) };
    let is_final = booking.state != BookingState::Pending || booking.deadline.life(now) == Life::Live;
    let keys: Vec<_> = seat_keys(&booking).collect();
    let seats = load_seats(&snapshot, &keys)?;
    if seats.len() != keys.len() {
        let text = format!("bookings.seat_numbers of id {id}: {} of {} seats exist", seats.len(), keys.len());
        return Err(StoreError::Corrupt(text).into());
    }
    let seats = seats.iter().map(|seat| (seat.key.number, seat.state.as_of(now).status())).collect();
    Ok((Some(BookingDetails { booking: booking.as_of(now), seats }), is_final))
}
