//! The sweep: fails holds that have run out, and never waits for a row.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{
    Actor, Booking, BookingId, BookingState, BookingStatus, Changes, FailureReason, Ledger, LockedRows, Outcome, SeatKey,
    SeatState, SeatStatus, StoreError, Sweep, Swept, TimeSource, Timestamp,
};
use futures_util::{join, try_join};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::batch::{give_up, now};
use crate::connection::{Lease, TimedOut, no_answer};
use crate::numbering::Numbering;
use crate::row_address::RowAddress;
use crate::{encoding, error, rows, statements};

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
    let (locked, found) = match lock(&lease, time, limit, bookmark.get()).await {
        Ok(locked) => locked,
        Err(error) => return Err(give_up(lease, error).await),
    };
    let is_full = locked.bookings.len() >= usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let reached = locked.bookings.iter().map(|booking| booking.deadline.instant()).max().filter(|_| is_full);
    let Swept { outcomes, changes, corrupt } = Ledger::sweep(locked);
    for error in corrupt {
        tracing::error!(%error, "a hold can't be expired");
    }
    let next = save(&lease, &changes, &found, reached).await?;
    lease.give_back();
    bookmark.set(reached);
    Ok(report(changes.now, &outcomes, next_due_in(&next, time)?))
}

/// What was found with the locked rows, for saving them.
#[derive(Default)]
struct Found {
    /// Where the seats lie.
    addresses: BTreeMap<SeatKey, RowAddress>,
    /// The number of each booking's last change.
    last_changes: BTreeMap<BookingId, i64>,
}

/// First round trip: `BEGIN` and the locks, each row with the clock as it was then.
async fn lock(
    lease: &Lease,
    time: &TimeSource,
    limit: NonZeroU32,
    from: Option<Timestamp>,
) -> Result<(LockedRows, Found), StoreError> {
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
    let mut bookings: Vec<Booking> = Vec::new();
    let (mut seats, mut found) = (Vec::with_capacity(due.len()), Found::default());
    for row in &due {
        // The seats of a booking come in a run.
        let id: i64 = rows::column(row, "id")?;
        if bookings.last().is_none_or(|booking| booking.id.get() != id) {
            let booking = rows::booking(row)?;
            found.last_changes.insert(booking.id, rows::column(row, "last_change")?);
            bookings.push(booking);
        }
        let seat = rows::locked_seat(row)?;
        found.addresses.insert(seat.key, rows::column(row, "seat_address")?);
        seats.push(seat);
    }
    let now = now(time, due.iter())?;
    Ok((LockedRows { seats, bookings, ..LockedRows::none(now) }, found))
}

/// What a sweep makes of a booking, and the only thing.
const EXPIRED: BookingState = BookingState::Failed { reason: FailureReason::Expired, refund_due: false };

/// Second round trip: save, `COMMIT`, and behind it the next deadline from `from` on.
async fn save(lease: &Lease, changes: &Changes, found: &Found, from: Option<Timestamp>) -> Result<Row, StoreError> {
    debug_assert!(changes.new_bookings.is_empty() && changes.bookings.iter().all(|change| change.state == EXPIRED));
    debug_assert!(changes.seats.iter().all(|change| change.state == SeatState::Available));
    let (free_seats, lock_shows, expire_bookings, next_deadline) = try_join!(
        lease.prepared(statements::FREE_SEATS),
        lease.prepared(statements::LOCK_SHOWS),
        lease.prepared(statements::EXPIRE_BOOKINGS),
        lease.prepared(statements::NEXT_DEADLINE),
    )?;
    if lease.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let addresses: Vec<RowAddress> =
        changes.seats.iter().filter_map(|change| found.addresses.get(&change.key).copied()).collect();
    let free = encoding::seat_status(SeatStatus::Available);
    let seats: [&(dyn ToSql + Sync); 2] = [&free, &addresses];
    let ids = || changes.bookings.iter().map(|change| change.id);
    let (numbering, none) = (Numbering::of(&changes.entries), Vec::<i64>::new());
    let shows: [&(dyn ToSql + Sync); 2] = [&numbering.shows, &none];
    let (before, status) = (encoding::booking_status(BookingStatus::Pending), encoding::booking_status(EXPIRED.status()));
    let (reason, by) = (encoding::failure_reason(&EXPIRED), Actor::System.to_text());
    let (expired, last): (Vec<i64>, _) = (ids().map(BookingId::get).collect(), numbering.last_of(ids()));
    let previous: Vec<Option<i64>> = ids().map(|id| found.last_changes.get(&id).copied()).collect();
    let bookings: Vec<&(dyn ToSql + Sync)> =
        [&changes.now as &(dyn ToSql + Sync), &status, &reason, &before, &by, &expired, &previous]
            .into_iter()
            .chain(last.parameters())
            .chain([&numbering.shows as &(dyn ToSql + Sync)])
            .collect();
    let from: [&(dyn ToSql + Sync); 1] = [&from];
    let trip = async {
        join!(
            lease.execute(&free_seats, &seats),
            // Last, as everywhere, and for as short as can be: whoever sells seats of these shows waits for it.
            lease.execute(&lock_shows, &shows),
            lease.execute(&expire_bookings, &bookings),
            lease.batch_execute("COMMIT"),
            lease.query_one(&next_deadline, &from),
        )
    };
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let (freed, locked, expired, committed, next) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    let freed = freed.map_err(|error| error::with_commit(&error))?;
    debug_assert_eq!(usize::try_from(freed), Ok(changes.seats.len()), "a locked row does not move");
    locked.map_err(|error| error::with_commit(&error))?;
    expired.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))?;
    next.map_err(|error| error::of_commit(&error))
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
