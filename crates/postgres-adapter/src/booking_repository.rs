//! [`BookingRepository`] on PostgreSQL.

use std::num::NonZeroU32;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, BookingStatus, Command, Hold, Outcome, Page, Refusal,
    StoreError, Sweep, TimeSource,
};

use tokio_postgres::Row;

use crate::connection::Connections;
use crate::sweep::Bookmark;
use crate::{batch, encoding, look, rows, statements, sweep};

/// Bookings in PostgreSQL.
pub struct PgBookingRepository {
    connections: Connections,
    time: TimeSource,
    bookmark: Bookmark,
}

impl PgBookingRepository {
    pub(crate) fn new(connections: Connections, time: TimeSource) -> Self {
        Self { connections, time, bookmark: Bookmark::default() }
    }

    async fn read(&self, id: BookingId) -> Result<Vec<Row>, StoreError> {
        self.connections.reader().await?.read(statements::FIND_BOOKING, &[&id.get(), &self.time.fixed()]).await
    }
}

#[async_trait]
impl BookingRepository for PgBookingRepository {
    async fn execute(&self, commands: &[Command]) -> Result<Vec<Outcome>, StoreError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        batch::run(self.connections.writer().await?, &self.time, commands).await
    }

    async fn look(&self, holds: &[&Hold]) -> Result<Vec<Option<Refusal>>, StoreError> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        look::run(self.connections.writer().await?, &self.time, holds).await
    }

    async fn expire_due(&self, limit: NonZeroU32) -> Result<Sweep, StoreError> {
        sweep::run(self.connections.writer().await?, &self.time, limit, &self.bookmark).await
    }

    async fn find(&self, id: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        let mut found = self.read(id).await?;
        // A confirm that came in time may still be on its way: only when it has ended does a dead hold read as FAILED for good.
        if found.first().is_some_and(|row| rows::is_dead_hold(row).unwrap_or(true)) {
            self.connections.reader().await?.read(statements::AWAIT_BOOKING, &[&id.get()]).await?;
            found = self.read(id).await?;
        }
        let Some(first) = found.first() else { return Ok(None) };
        let now = rows::column(first, "now")?;
        let booking = rows::booking(first)?.as_of(now);
        let seats = found.iter().map(|row| {
            let seat = rows::locked_seat(row)?;
            Ok((seat.key.number, seat.state.as_of(now).status()))
        });
        Ok(Some(BookingDetails { booking, seats: seats.collect::<Result<_, StoreError>>()? }))
    }

    async fn list(&self, filter: BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError> {
        let status = filter.status.map(encoding::booking_status);
        let limit = i64::from(page.limit.get());
        let lease = self.connections.reader().await?;
        let fixed = self.time.fixed();
        let found = match filter.status {
            Some(BookingStatus::Pending) => lease.read(statements::LIST_LIVE_HOLDS, &[&page.before, &limit, &fixed]).await?,
            Some(BookingStatus::Confirmed | BookingStatus::Failed) | None => {
                lease.read(statements::LIST_BOOKINGS, &[&status, &page.before, &limit, &fixed]).await?
            }
        };
        found.iter().map(|row| Ok(rows::booking(row)?.as_of(rows::column(row, "now")?))).collect()
    }
}
