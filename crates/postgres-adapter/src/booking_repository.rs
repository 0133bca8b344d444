//! [`BookingRepository`] on PostgreSQL.

use std::num::NonZeroU32;
use std::time::Instant;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, BookingStatus, Command, Hold, Outcome, Page, Refusal,
    StoreError, Sweep, TimeSource,
};

use tokio_postgres::Row;

use crate::connection::{Connections, Foresee};
use crate::foresight::Foresight;
use crate::sweep::Bookmark;
use crate::{batch, encoding, foresight, look, rows, statements, sweep};

/// Bookings in PostgreSQL.
pub struct PgBookingRepository {
    connections: Connections,
    time: TimeSource,
    bookmark: Bookmark,
    foresight: Foresight,
}

impl PgBookingRepository {
    pub(crate) fn new(connections: Connections, time: TimeSource, foresee: Foresee) -> Self {
        Self { connections, time, bookmark: Bookmark::default(), foresight: Foresight::new(foresee) }
    }

    /// The batch in one round trip, if it is foreseen and that comes true; else in two.
    async fn run(&self, commands: &[Command]) -> Result<Vec<Outcome>, StoreError> {
        let begun = Instant::now();
        let lease = self.connections.writer().await?;
        if let Some(forecast) = self.foresight.of(commands) {
            match foresight::run(&lease, &self.time, forecast).await {
                Ok(Some(outcomes)) => {
                    lease.give_back();
                    tracing::debug!(commands = commands.len(), total = ?begun.elapsed(), "batch in one trip");
                    return Ok(outcomes);
                }
                Ok(None) => self.foresight.failed(),
                Err(error) => return Err(batch::give_up(lease, error).await),
            }
        }
        batch::run(lease, &self.time, commands).await
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
        let outcomes = self.run(commands).await?;
        self.foresight.learn(commands, &outcomes);
        Ok(outcomes)
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
        self.foresight.saw(&booking);
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
