//! The sweep: fails holds that have run out, and never waits for a row.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{BookingId, DueHold, Owner, ShowId, StoreError, Sweep, Swept, TimeSource, Timestamp};
use futures_util::{join, try_join};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::batch::{give_up, now};
use crate::connection::{Lease, TimedOut, no_answer};
use crate::numbering::Numbering;
use crate::row_address::RowAddress;
use crate::words::Numbers;
use crate::{error, rows, statements};

/// Where the locks of the last full sweep end. A hint: without it, nothing but time is lost.
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

/// Fails at most `limit` dead holds as one transaction. As soon as a full one has its locks, the next goes on where they end, and does
/// not walk over them; after one that was not full, or has failed, it goes from the beginning again, so that what was left out is found.
pub(crate) async fn run(lease: Lease, time: &TimeSource, limit: NonZeroU32, bookmark: &Bookmark) -> Result<Sweep, StoreError> {
    let Locked { now, due, found } = match lock(&lease, time, limit, bookmark.get()).await {
        Ok(locked) => locked,
        Err(error) => return Err(give_up(lease, error).await),
    };
    let is_full = due.len() >= usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let reached = due.iter().map(|hold| hold.deadline.instant()).max().filter(|_| is_full);
    bookmark.set(reached);
    let swept = Swept::of(now, due);
    for error in &swept.corrupt {
        tracing::error!(%error, "a hold can't be expired");
    }
    let next = save(&lease, &swept, &found, reached).await.inspect_err(|_| bookmark.set(None))?;
    lease.give_back();
    Ok(swept.report(next_due_in(&next, time)?))
}

/// What a sweep has locked.
struct Locked {
    now: Timestamp,
    due: Vec<DueHold>,
    found: Found,
}

/// What was found with the locked rows, for saving them.
#[derive(Default)]
struct Found {
    bookings: BTreeMap<BookingId, Place>,
    /// Where the seats lie.
    seats: Vec<RowAddress>,
}

/// Of a booking.
struct Place {
    address: RowAddress,
    /// The number of its last change.
    last_change: i64,
    /// Its seats, in [`Found::seats`].
    seats: Range<usize>,
}

/// First round trip: `BEGIN` and the locks, each row with the clock as it was then.
async fn lock(lease: &Lease, time: &TimeSource, limit: NonZeroU32, from: Option<Timestamp>) -> Result<Locked, StoreError> {
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
    let (mut holds, mut found): (Vec<DueHold>, _) = (Vec::new(), Found::default());
    // The seats of a booking come in a run.
    let id = |row: &Row| row.try_get::<_, i64>("id").ok();
    for run in due.chunk_by(|one, next| id(one) == id(next)) {
        let Some(first) = run.first() else { continue };
        let (address, last_change, begin) =
            (rows::column(first, "address")?, rows::column(first, "last_change")?, found.seats.len());
        let mut hold = rows::due_hold(first)?;
        for row in run {
            let seat = rows::locked_seat(row)?;
            hold.locked.push((seat.key.number, seat.state));
            found.seats.push(rows::column(row, "seat_address")?);
        }
        found.bookings.insert(hold.id, Place { address, last_change, seats: begin..found.seats.len() });
        holds.push(hold);
    }
    Ok(Locked { now: now(time, due.iter())?, due: holds, found })
}

/// Second round trip: save, `COMMIT`, and behind it the next deadline from `from` on.
async fn save(lease: &Lease, swept: &Swept, found: &Found, from: Option<Timestamp>) -> Result<Row, StoreError> {
    let (free_seats, lock_shows, expire_bookings, next_deadline) = try_join!(
        lease.prepared(statements::FREE_SEATS),
        lease.prepared(statements::LOCK_SHOWS),
        lease.prepared(statements::EXPIRE_BOOKINGS),
        lease.prepared(statements::NEXT_DEADLINE),
    )?;
    if lease.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let mut expired: Vec<(BookingId, ShowId)> = swept.expired.iter().map(|hold| (hold.id, hold.show_id)).collect();
    expired.sort_unstable();
    let numbering = Numbering::of(expired.iter().map(|&(id, show_id)| (show_id, Owner::Stored(id))));
    let places = || expired.iter().filter_map(|(id, _)| found.bookings.get(id));
    let freed: Vec<RowAddress> = places().flat_map(|place| &found.seats[place.seats.clone()]).copied().collect();
    let addresses: Vec<RowAddress> = places().map(|place| place.address).collect();
    let ids: Numbers = expired.iter().map(|(id, _)| id.get()).collect();
    let previous: Numbers = places().map(|place| place.last_change).collect();
    let (seats, none): ([&(dyn ToSql + Sync); 1], _) = ([&freed], Numbers::default());
    let shows: [&(dyn ToSql + Sync); 2] = [&numbering.shows, &none];
    let [show, later] = numbering.stored.parameters();
    let bookings: [&(dyn ToSql + Sync); 7] = [&swept.now, &addresses, &ids, &previous, show, later, &numbering.shows];
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
    let (seats, locked, expired, committed, next) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    let seats = seats.map_err(|error| error::with_commit(&error))?;
    locked.map_err(|error| error::with_commit(&error))?;
    let expired = expired.map_err(|error| error::with_commit(&error))?;
    let moved = "a locked row does not move";
    debug_assert!(usize::try_from(seats) == Ok(freed.len()) && usize::try_from(expired) == Ok(addresses.len()), "{moved}");
    committed.map_err(|error| error::of_commit(&error))?;
    next.map_err(|error| error::of_commit(&error))
}

fn next_due_in(row: &Row, time: &TimeSource) -> Result<Option<Duration>, StoreError> {
    let next: Option<Timestamp> = rows::column(row, "next")?;
    let now = now(time, std::iter::once(row))?;
    Ok(next.map(|next| (next - now).to_std().unwrap_or_default()))
}
