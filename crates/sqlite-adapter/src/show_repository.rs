//! Shows.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{NewShow, Page, Seat, SeatStatus, Show, ShowId, ShowRepository, StoreError, TimeSource};
use rusqlite::{Connection, TransactionBehavior, params};

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
    async fn create(&self, show: &NewShow) -> Result<Show, StoreError> {
        let (show, time) = (show.clone(), self.core.time.clone());
        self.core.writer.run(move |connection| create(connection, &time, &show)).await
    }

    async fn list(&self, page: Page) -> Result<Vec<Show>, StoreError> {
        self.core.readers.run(move |connection| list(connection, page)).await
    }

    async fn seat_map(&self, show_id: ShowId) -> Result<Option<Vec<Seat>>, StoreError> {
        let time = self.core.time.clone();
        self.core.readers.run(move |connection| seat_map(connection, &time, show_id)).await
    }
}

fn create(connection: &mut Connection, time: &TimeSource, new: &NewShow) -> Result<Show, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (start_time, now) = (new.start_time().timestamp_micros(), clock::now(time));
    let id: i64 = transaction
        .prepare_cached(statements::INSERT_SHOW)?
        .query_row(params![new.name(), start_time, new.total_seats(), now.timestamp_micros()], |row| row.get(0))?;
    let available = seat_status::text(SeatStatus::Available);
    transaction.prepare_cached(statements::INSERT_SEATS)?.execute(params![id, new.total_seats(), available])?;
    // Read back, so that what is answered is what stands there.
    let page = params![id.saturating_add(1), 1];
    let show = transaction.prepare_cached(statements::LIST_SHOWS)?.query_row(page, |row| Ok(record::show(row)))??;
    transaction.commit().map_err(failure::of_commit)?;
    Ok(show)
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
