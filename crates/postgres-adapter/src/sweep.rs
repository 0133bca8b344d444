//! The sweep: fails holds that have run out, and never waits for a row.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{Booking, BookingId, Ledger, LockedRows, Outcome, StoreError, Sweep, Swept, TimeSource, Timestamp};
use futures_util::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::batch::{give_up, now, save_and_commit};
use crate::connection::{Lease, TimedOut, no_answer};
use crate::{error, rows, statements};

/// Where the last full sweep ended. A hint: without it, nothing but time is lost.
#[derive(Default)]
pub(crate) struct Bookmark(Mutex<Option<Timestamp>>);

impl Bookmark {
    fn get(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, reached: Option<Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reached;
    }
}

/// Fails at most `limit` dead holds as one transaction. After a full one the next goes on where it ended, and after that from the
/// beginning again, so that what was left out is found.
pub(crate) async fn run(lease: Lease, time: &TimeSource, limit: NonZeroU32, bookmark: &Bookmark) -> Result<Sweep, StoreError> {
    let locked = match lock(&lease, time, limit, bookmark.get()).await {
        Ok(locked) => locked,
        Err(error) => return Err(give_up(lease, error).await),
    };
    let is_full = locked.bookings.len() >= usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let reached = locked.bookings.iter().map(|booking| booking.deadline.instant()).max().filter(|_| is_full);
    let Swept { outcomes, changes, corrupt } = Ledger::sweep(&locked);
    for error in corrupt {
        tracing::error!(%error, "a hold can't be expired");
    }
    let now = locked.now;
    let next_deadline = lease.prepared(statements::NEXT_DEADLINE).await?;
    let from: [&(dyn ToSql + Sync); 1] = [&reached];
    let next = lease.query_one(&next_deadline, &from);
    let (_, next) = save_and_commit(&lease, &changes, next).await?;
    lease.give_back();
    bookmark.set(reached);
    Ok(report(now, &outcomes, next_due_in(&next, time)?))
}

/// First round trip: `BEGIN` and the locks, each row with the clock as it was then.
async fn lock(lease: &Lease, time: &TimeSource, limit: NonZeroU32, from: Option<Timestamp>) -> Result<LockedRows, StoreError> {
    let lock_due = lease.prepared(statements::LOCK_DUE).await?;
    let fixed = time.fixed();
    let limit = i64::from(limit.get());
    let parameters: [&(dyn ToSql + Sync); 3] = [&limit, &fixed, &from];
    let trip = async {
        let (begun, due) = join!(lease.batch_execute("BEGIN"), lease.query(&lock_due, &parameters));
        begun?;
        due
    };
    let due = lease.within(trip).await.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))?;
    let mut bookings: HashMap<BookingId, Booking> = HashMap::new();
    for row in &due {
        let booking = rows::booking(row)?;
        bookings.entry(booking.id).or_insert(booking);
    }
    let shows = Vec::new();
    let seats = due.iter().map(rows::locked_seat).collect::<Result<_, _>>()?;
    Ok(LockedRows { now: now(time, due.iter())?, shows, seats, bookings: bookings.into_values().collect() })
}

fn report(now: Timestamp, outcomes: &[Outcome], next_due_in: Option<Duration>) -> Sweep {
    let mut sweep = Sweep { next_due_in, ..Sweep::default() };
    for outcome in outcomes {
        if let Outcome::Expired { booking_id, deadline } = outcome {
            sweep.expired.push(*booking_id);
            sweep.lag_max = sweep.lag_max.max((now - deadline.instant()).to_std().unwrap_or_default());
        }
    }
    sweep.expired.sort_unstable();
    sweep
}

fn next_due_in(row: &Row, time: &TimeSource) -> Result<Option<Duration>, StoreError> {
    let next: Option<Timestamp> = rows::column(row, "next")?;
    let now = now(time, std::iter::once(row))?;
    Ok(next.map(|next| (next - now).to_std().unwrap_or_default()))
}
