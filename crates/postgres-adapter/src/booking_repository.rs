//! [`BookingRepository`] on PostgreSQL.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use async_trait::async_trait;
use domain::{
    Booking, BookingDetails, BookingFilter, BookingId, BookingRepository, Hold, Keys, LiveHold, Outcome, Page, Refund, RefundKey,
    Refusal, Request, ShowId, StoreError, Sweep, TimeSource, Transition,
};
use tokio_postgres::Row;

use crate::batch::Done;
use crate::connection::{Connections, Foresee, Lease, Line, TimedOut, no_answer};
use crate::figures::Tally;
use crate::foresight::{Foreseen, Foresight};
use crate::sweep::Bookmark;
use crate::{batch, error, foreseen, lists, look, rows, statements, sweep};

/// Bookings in PostgreSQL.
pub struct PgBookingRepository {
    connections: Connections,
    time: TimeSource,
    bookmark: Bookmark,
    foresight: Foresight,
    tally: Arc<Tally>,
    in_flight: Mutex<Vec<InFlight>>,
}

/// A batch that was sent in one trip.
struct InFlight {
    /// Where its requests lie, which are its caller's while it is being executed: by that the caller knows it.
    at: usize,
    line: Weak<Line>,
    /// In whose histories it writes.
    shows: BTreeSet<ShowId>,
}

/// That of a batch in the list of those that are being executed.
struct Entered<'a> {
    list: &'a Mutex<Vec<InFlight>>,
    at: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).retain(|batch| batch.at != self.at);
    }
}

impl PgBookingRepository {
    pub(crate) fn new(connections: Connections, time: TimeSource, foresee: Foresee, tally: Arc<Tally>) -> Self {
        Self {
            connections,
            time,
            bookmark: Bookmark::default(),
            foresight: Foresight::new(foresee),
            tally,
            in_flight: Mutex::default(),
        }
    }

    /// The batch in one round trip, if it is foreseen and that comes true; else in two.
    async fn run(&self, requests: &[Request]) -> Result<Done, StoreError> {
        let lease = self.connections.writer().await?;
        let Some(foreseen) = self.foresight.of(requests) else { return self.run_in_two_trips(lease, requests).await };
        self.run_as_foreseen(Arc::new(Line::on(lease)), None, foreseen, requests).await
    }

    /// The batch behind one that is being executed, if nothing speaks against it and this one is foreseen too.
    async fn run_behind(&self, before: &[Request], requests: &[Request]) -> Result<Done, StoreError> {
        let Some((line, shows)) = self.in_flight(before) else { return self.run(requests).await };
        let Some(foreseen) = self.foresight.of(requests) else {
            drop(line);
            return self.run_in_two_trips(self.connections.writer().await?, requests).await;
        };
        self.run_as_foreseen(line, Some(shows), foreseen, requests).await
    }

    async fn run_as_foreseen(
        &self,
        line: Arc<Line>,
        behind: Option<BTreeSet<ShowId>>,
        foreseen: Foreseen,
        requests: &[Request],
    ) -> Result<Done, StoreError> {
        let (begun, is_behind) = (Instant::now(), behind.is_some());
        let shows = foreseen.forecast.changes().entries.iter().map(|entry| entry.show_id).collect();
        line.sending();
        let done = {
            let _entered = self.enter(InFlight { at: requests.as_ptr().addr(), line: Arc::downgrade(&line), shows });
            foreseen::run(&line, &self.time, foreseen, &self.foresight, &behind.unwrap_or_default()).await
        };
        if matches!(done, Ok(_) | Err(StoreError::Contended(_))) {
            line.answered();
        }
        drop(line);
        if let Some(done) = done? {
            self.tally.in_one_trip(is_behind);
            tracing::debug!(commands = requests.len(), total = ?begun.elapsed(), "batch in one trip");
            return Ok(done);
        }
        self.tally.forecast_failed();
        self.foresight.failed();
        self.run_in_two_trips(self.connections.writer().await?, requests).await
    }

    async fn run_in_two_trips(&self, lease: Lease, requests: &[Request]) -> Result<Done, StoreError> {
        batch::run(lease, &self.time, requests, &self.tally).await
    }

    /// Makes it known that this batch is being executed, for as long as the entry lives.
    fn enter(&self, batch: InFlight) -> Entered<'_> {
        let at = batch.at;
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        Entered { list: &self.in_flight, at }
    }

    /// The connection on which this batch is being executed, and the shows in whose histories it writes, if another may be sent behind it.
    fn in_flight(&self, batch: &[Request]) -> Option<(Arc<Line>, BTreeSet<ShowId>)> {
        let in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let InFlight { line, shows, .. } = in_flight.iter().find(|other| other.at == batch.as_ptr().addr())?;
        // A clock outside of the database needs a transaction of several statements, which nothing can be sent into.
        let line = line.upgrade().filter(|line| line.takes_another() && self.time.fixed().is_none())?;
        Some((line, shows.clone()))
    }

    fn learned(&self, requests: &[Request], done: Done, began: Instant) -> Vec<Outcome> {
        self.foresight.learn(requests, &done, began);
        done.outcomes
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
        Ok(self.learned(requests, done, began))
    }

    fn may_follow(&self, before: &[Request], requests: &[Request]) -> bool {
        let Some((line, _)) = self.in_flight(before) else { return false };
        drop(line);
        requests.is_empty() || (self.foresight.is_likely_for(requests) && !Keys::of(before).meet(&Keys::of(requests)))
    }

    async fn execute_behind(&self, before: &[Request], requests: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let began = Instant::now();
        let done = self.run_behind(before, requests).await?;
        Ok(self.learned(requests, done, began))
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
