//! The sweep: fails holds that have run out, and never waits for a row.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::time::Duration;

use domain::{Booking, BookingId, Command, LockedRows, Outcome, StoreError, Sweep, TimeSource, Timestamp};
use futures_util::{join, try_join};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::batch::{Failure, decide, give_up, now, save_and_commit};
use crate::connection::{Lease, TimedOut, no_answer};
use crate::{error, rows, statements};

/// Fails at most `limit` dead holds as one transaction.
pub(crate) async fn run(lease: Lease, time: &TimeSource, limit: NonZeroU32) -> Result<Sweep, StoreError> {
    let decided = async {
        let locked = lock(&lease, time, limit).await?;
        let (now, commands) = (locked.now, expiries(&locked));
        let (decisions, changes) = decide(locked, &commands).map_err(|failure| match failure {
            Failure::Store(error) => error,
            // An expiry is only tried on a booking all of whose seats are here.
            Failure::RowsMissing => StoreError::Corrupt("a swept booking lost its seats".to_owned()),
        })?;
        Ok((now, decisions, changes))
    };
    let (now, decisions, changes) = match decided.await {
        Ok(decided) => decided,
        Err(error) => return Err(give_up(lease, error).await),
    };
    let next_deadline = lease.prepared(statements::NEXT_DEADLINE).await?;
    let next = lease.query_one(&next_deadline, &[]);
    let (_, next) = save_and_commit(&lease, &changes, next).await?;
    lease.give_back();
    // An expiry makes no booking, so its decision is its outcome.
    let outcomes: Vec<Outcome> = decisions.into_iter().filter_map(|decision| decision.outcome(&[])).collect();
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

/// An expiry for each booking all of whose seats are locked; someone else is working on the others.
fn expiries(locked: &LockedRows) -> Vec<Command> {
    let seats: HashSet<_> = locked.seats.iter().map(|seat| (seat.key.show_id, seat.key.number)).collect();
    let whole = |booking: &&Booking| booking.seats.iter().all(|&number| seats.contains(&(booking.show_id, number)));
    locked.bookings.iter().filter(whole).map(|booking| Command::Expire { booking_id: booking.id }).collect()
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
