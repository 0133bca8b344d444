//! The sweep: fails holds that have run out, and never waits for a row.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::{Booking, BookingId, Ledger, LockedRows, Outcome, StoreError, Sweep, Swept, TimeSource, Timestamp};
use futures_util::{join, try_join};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::batch::{give_up, now, save_and_commit};
use crate::connection::{Lease, TimedOut, no_answer};
use crate::{error, rows, statements};

/// Fails at most `limit` dead holds as one transaction.
pub(crate) async fn run(lease: Lease, time: &TimeSource, limit: NonZeroU32) -> Result<Sweep, StoreError> {
    let locked = match lock(&lease, time, limit).await {
        Ok(locked) => locked,
        Err(error) => return Err(give_up(lease, error).await),
    };
    let Swept { outcomes, changes, corrupt } = Ledger::sweep(&locked);
    for error in corrupt {
        tracing::error!(%error, "a hold can't be expired");
    }
    let now = locked.now;
    let next_deadline = lease.prepared(statements::NEXT_DEADLINE).await?;
    let next = lease.query_one(&next_deadline, &[]);
    let (_, next) = save_and_commit(&lease, &changes, next).await?;
    lease.give_back();
    Ok(report(now, &outcomes, next_due_in(&next, time)?))
}

/// First round trip: `BEGIN`, the locks, and then the clock.
async fn lock(lease: &Lease, time: &TimeSource, limit: NonZeroU32) -> Result<LockedRows, StoreError> {
    let (lock_due, clock) = try_join!(lease.prepared(statements::LOCK_DUE), lease.prepared(statements::CLOCK))?;
    let fixed = time.fixed();
    let limit = i64::from(limit.get());
    let parameters: [&(dyn ToSql + Sync); 2] = [&limit, &fixed];
    let trip = async {
        let (begun, due, clock) =
            join!(lease.batch_execute("BEGIN"), lease.query(&lock_due, &parameters), lease.query_one(&clock, &[]));
        begun?;
        Ok::<_, Error>((due?, clock?))
    };
    let (due, clock) = lease.within(trip).await.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))?;
    let mut bookings: HashMap<BookingId, Booking> = HashMap::new();
    for row in &due {
        let booking = rows::booking(row)?;
        bookings.entry(booking.id).or_insert(booking);
    }
    let shows = Vec::new();
    let seats = due.iter().map(rows::locked_seat).collect::<Result<_, _>>()?;
    Ok(LockedRows { now: now(time, &clock)?, shows, seats, bookings: bookings.into_values().collect() })
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
    let now = now(time, row)?;
    Ok(next.map(|next| (next - now).to_std().unwrap_or_default()))
}
