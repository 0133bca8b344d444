//! [`BookingRepository`] on PostgreSQL.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Hold, LiveHold, Outcome, Page, Refund, RefundKey,
    Refusal, Request, ShowId, StoreError, Sweep, TimeSource, Transition,
};
use tokio_postgres::Row;

use crate::batch::Done;
use crate::connection::{Connections, Foresee, TimedOut, no_answer};
use crate::figures::Tally;
use crate::foresight::Foresight;
use crate::sweep::Bookmark;
use crate::{batch, error, foreseen, lists, look, rows, statements, sweep};

/// Bookings in PostgreSQL.
pub struct PgBookingRepository {
    connections: Connections,
    time: TimeSource,
    bookmark: Bookmark,
    foresight: Foresight,
    tally: Arc<Tally>,
}

impl PgBookingRepository {
    pub(crate) fn new(connections: Connections, time: TimeSource, foresee: Foresee, tally: Arc<Tally>) -> Self {
        Self { connections, time, bookmark: Bookmark::default(), foresight: Foresight::new(foresee), tally }
    }

    /// The batch in one round trip, if it is foreseen and that comes true; else in two.
    async fn run(&self, requests: &[Request]) -> Result<Done, StoreError> {
        let begun = Instant::now();
        let lease = self.connections.writer().await?;
        if let Some(foreseen) = self.foresight.of(requests) {
            match foreseen::run(&lease, &self.time, foreseen, &self.foresight).await {
                Ok(Some(done)) => {
                    lease.give_back();
                    self.tally.in_one_trip();
                    tracing::debug!(commands = requests.len(), total = ?begun.elapsed(), "batch in one trip");
                    return Ok(done);
                }
                Ok(None) => {
                    self.tally.forecast_failed();
                    self.foresight.failed();
                }
                Err(error) => return Err(batch::give_up(lease, error).await),
            }
        }
        batch::run(lease, &self.time, requests, &self.tally).await
    }

    async fn read(&self, id: BookingId) -> Result<Vec<Row>, StoreError> {
        self.connections.reader().await?.read(statements::FIND_BOOKING, &[&id.get(), &self.time.fixed()]).await
    }
}

#[async_trait]
impl BookingRepository for PgBookingRepository {
    async fn execute(&self, requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let began = Instant::now();
        let done = self.run(requests).await?;
        self.foresight.learn(requests, &done, began);
        Ok(done.outcomes)
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
        self.foresight.saw(&booking, rows::column(first, "last_change")?);
        let seats = found.iter().map(|row| {
            let seat = rows::locked_seat(row)?;
            Ok((seat.key.number, seat.state.as_of(now).status()))
        });
        Ok(Some(BookingDetails { booking, seats: seats.collect::<Result<_, StoreError>>()? }))
    }

    async fn history(&self, id: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        let found = self.connections.reader().await?.read(statements::FIND_HISTORY, &[&id.get()]).await?;
        // A booking's history begins with it.
        if found.is_empty() { Ok(None) } else { found.iter().map(rows::transition).collect::<Result<_, _>>().map(Some) }
    }

    async fn forget_keys(&self, limit: NonZeroU32) -> Result<u32, StoreError> {
        let lease = self.connections.writer().await?;
        let forget = lease.prepared(statements::FORGET_KEYS).await?;
        let limit = i64::from(limit.get());
        let forgotten =
            lease.within(lease.execute(&forget, &[&limit, &self.time.fixed()])).await.map_err(|TimedOut| no_answer())?;
        let forgotten = forgotten.map_err(|error| error::of_one_trip(&error))?;
        lease.give_back();
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    async fn list(&self, filter: &BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError> {
        lists::bookings(self.connections.reader().await?, &self.time, filter, page).await
    }

    async fn live_holds(
        &self,
        show_id: Option<ShowId>,
        after: Option<BookingId>,
        limit: NonZeroU32,
    ) -> Result<Vec<LiveHold>, StoreError> {
        lists::live_holds(self.connections.reader().await?, &self.time, show_id, after, limit).await
    }

    async fn refunds(&self, after: Option<&RefundKey>, limit: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        lists::refunds(self.connections.reader().await?, after, limit).await
    }
}
