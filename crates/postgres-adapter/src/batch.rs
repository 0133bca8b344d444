//! A batch: lock and load, decide in memory, save and commit. Two round trips, whatever its size.

use std::time::Instant;

use domain::{
    BookingId, Changes, Command, Decision, Keys, Ledger, LedgerError, LockedRows, LockedSeat, Outcome, Owner, SeatState, ShowId,
    StoreError, TimeSource, Timestamp,
};
use futures_util::{join, try_join};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::connection::{Lease, TimedOut, no_answer};
use crate::{encoding, error, rows, statements};

/// How far a batch reaches for rows that it does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The named rows only: seldom is a wanted seat blocked by a dead hold that no sweep has found yet.
    Named,
    /// The bookings of dead holds on wanted seats too, and all of their seats.
    DeadHolds,
}

/// Runs the commands as one transaction.
pub(crate) async fn run(lease: Lease, time: &TimeSource, commands: &[Command]) -> Result<Vec<Outcome>, StoreError> {
    let begun = Instant::now();
    match attempt(&lease, time, commands, Reach::Named).await {
        Ok((decisions, changes)) => {
            let locked = begun.elapsed();
            let outcomes = finish(lease, decisions, changes).await;
            tracing::debug!(commands = commands.len(), ?locked, total = ?begun.elapsed(), "batch");
            return outcomes;
        }
        Err(Failure::RowsMissing) => {}
        Err(Failure::Store(error)) => return Err(give_up(lease, error).await),
    }
    // More seats are needed, and locks are taken in order: all of them are given back, and taken anew.
    lease.within(lease.batch_execute("ROLLBACK")).await.map_err(|TimedOut| no_answer())?.map_err(|e| error::before_commit(&e))?;
    match attempt(&lease, time, commands, Reach::DeadHolds).await {
        Ok((decisions, changes)) => finish(lease, decisions, changes).await,
        Err(Failure::RowsMissing) => {
            Err(give_up(lease, StoreError::Contended("a hold died or changed while it was being locked".to_owned())).await)
        }
        Err(Failure::Store(error)) => Err(give_up(lease, error).await),
    }
}

/// Why an attempt came to no decision.
pub(crate) enum Failure {
    /// A row is needed that was not locked.
    RowsMissing,
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Locks, loads and decides.
async fn attempt(
    lease: &Lease,
    time: &TimeSource,
    commands: &[Command],
    reach: Reach,
) -> Result<(Vec<Decision>, Changes), Failure> {
    decide(lock(lease, time, &Keys::of(commands), reach).await?, commands)
}

/// Rolls back what a failed batch began.
pub(crate) async fn give_up(lease: Lease, error: StoreError) -> StoreError {
    if matches!(error, StoreError::Contended(_)) {
        lease.roll_back().await;
    }
    error
}

/// First round trip: `BEGIN` and the locks, each row with the clock as it was then. The statements are sent at once, in this order,
/// and are few: each is a message of its own, and a wake-up on either side.
async fn lock(lease: &Lease, time: &TimeSource, keys: &Keys, reach: Reach) -> Result<LockedRows, StoreError> {
    let (lock_seats, lock_bookings) =
        try_join!(lease.prepared(statements::LOCK_SEATS), lease.prepared(statements::LOCK_BOOKINGS))?;
    let fixed = time.fixed();
    let seat_shows: Vec<i64> = keys.seats.iter().map(|key| key.show_id.get()).collect();
    let seat_numbers: Vec<i64> = keys.seats.iter().map(|key| key.number.get()).collect();
    let named: Vec<i64> = keys.bookings.iter().map(|id| id.get()).collect();
    let dead_holds = reach == Reach::DeadHolds;
    let touched: [&(dyn ToSql + Sync); 5] = [&seat_shows, &seat_numbers, &named, &dead_holds, &fixed];
    let trip = async {
        let (begun, seats, bookings) = join!(lease.batch_execute("BEGIN"), lease.query(&lock_seats, &touched), async {
            if named.is_empty() && !dead_holds {
                return Ok(Vec::new());
            }
            lease.query(&lock_bookings, &touched).await
        },);
        // The first failure is the cause; those after it only say that the transaction is aborted.
        begun?;
        Ok::<_, Error>((seats?, bookings?))
    };
    let (seats, bookings) =
        lease.within(trip).await.map_err(|TimedOut| no_answer())?.map_err(|error| error::before_commit(&error))?;
    let rows = LockedRows {
        now: now(time, seats.iter().chain(&bookings))?,
        shows: Vec::new(),
        seats: seats.iter().map(rows::locked_seat).collect::<Result<_, _>>()?,
        bookings: bookings.iter().map(rows::booking).collect::<Result<_, _>>()?,
    };
    let shows = shows(lease, keys, &rows.seats).await?;
    Ok(LockedRows { shows, ..rows })
}

/// Those of the named shows that exist: a show comes with its seats, so only one without any seat here has to be asked for, in a
/// round trip that hardly any batch needs.
async fn shows(lease: &Lease, keys: &Keys, seats: &[LockedSeat]) -> Result<Vec<ShowId>, StoreError> {
    let mut seen: Vec<ShowId> = seats.iter().map(|seat| seat.key.show_id).collect();
    seen.dedup();
    let unseen: Vec<i64> = keys.shows.iter().filter(|show| !seen.contains(show)).map(|show| show.get()).collect();
    if !unseen.is_empty() {
        let load_shows = lease.prepared(statements::LOAD_SHOWS).await?;
        let found = lease.within(lease.query(&load_shows, &[&unseen])).await.map_err(|TimedOut| no_answer())?;
        for row in found.map_err(|error| error::before_commit(&error))? {
            seen.push(rows::show_id(&row)?);
        }
    }
    Ok(seen)
}

/// The instant of the decisions: the last reading of the clock, after all locks. Where no row was found there is nothing to judge
/// by it.
pub(crate) fn now<'a>(time: &TimeSource, locked: impl Iterator<Item = &'a Row>) -> Result<Timestamp, StoreError> {
    if let Some(fixed) = time.fixed() {
        return Ok(fixed);
    }
    locked.map(|row| rows::column(row, "now")).try_fold(Timestamp::UNIX_EPOCH, |last, now| Ok(last.max(now?)))
}

/// All decisions, in memory, under the locks.
pub(crate) fn decide(locked: LockedRows, commands: &[Command]) -> Result<(Vec<Decision>, Changes), Failure> {
    let mut ledger = Ledger::open(locked);
    let decisions = commands.iter().map(|command| ledger.apply(command)).collect::<Result<Vec<_>, _>>();
    let decisions = decisions.map_err(|error| match error {
        LedgerError::RowsMissing => Failure::RowsMissing,
        LedgerError::Corrupt { .. } => Failure::Store(StoreError::Corrupt(error.to_string())),
    })?;
    Ok((decisions, ledger.into_changes()))
}

/// Second round trip: save and `COMMIT`; or `ROLLBACK`, which writes nothing, when nothing has changed.
async fn finish(lease: Lease, decisions: Vec<Decision>, changes: Changes) -> Result<Vec<Outcome>, StoreError> {
    let new_ids = if changes.is_empty() {
        lease.roll_back().await;
        Vec::new()
    } else {
        let new_ids = save_and_commit(&lease, &changes).await?;
        lease.give_back();
        new_ids
    };
    let outcomes = decisions.into_iter().map(|decision| decision.outcome(&new_ids)).collect::<Option<Vec<_>>>();
    outcomes.ok_or_else(|| StoreError::OutcomeUnknown("a new booking got no id".to_owned()))
}

/// Saves the changes and commits them in one round trip; gives the new bookings' ids.
async fn save_and_commit(lease: &Lease, changes: &Changes) -> Result<Vec<BookingId>, StoreError> {
    let (update_bookings, save_seats) =
        try_join!(lease.prepared(statements::UPDATE_BOOKINGS), lease.prepared(statements::SAVE_SEATS))?;
    if lease.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let (booking_arrays, seat_arrays) = (BookingArrays::of(changes), SeatArrays::of(changes));
    let (bookings, seats) = (booking_arrays.parameters(&changes.now), seat_arrays.parameters(&changes.now));
    let trip = async {
        join!(
            async {
                if changes.bookings.is_empty() {
                    return Ok(0);
                }
                lease.execute(&update_bookings, &bookings).await
            },
            lease.query(&save_seats, &seats),
            lease.batch_execute("COMMIT"),
        )
    };
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let (updated, saved, committed) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    updated.map_err(|error| error::with_commit(&error))?;
    let saved = saved.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))?;
    let ids = saved.iter().map(|row| rows::booking_id(rows::column(row, "id")?)).collect::<Result<_, _>>();
    ids.map_err(|error: StoreError| StoreError::OutcomeUnknown(error.to_string()))
}

/// The parameters of `update_bookings.sql`.
#[derive(Default)]
struct BookingArrays {
    ids: Vec<i64>,
    statuses: Vec<&'static str>,
    failure_reasons: Vec<Option<&'static str>>,
    confirmed_ats: Vec<Option<Timestamp>>,
}

impl BookingArrays {
    fn of(changes: &Changes) -> Self {
        let mut arrays = Self::default();
        for change in &changes.bookings {
            arrays.ids.push(change.id.get());
            arrays.statuses.push(encoding::booking_status(change.state.status()));
            arrays.failure_reasons.push(encoding::failure_reason(&change.state));
            arrays.confirmed_ats.push(change.state.confirmed_at());
        }
        arrays
    }

    fn parameters<'a>(&'a self, now: &'a Timestamp) -> [&'a (dyn ToSql + Sync); 5] {
        [now, &self.ids, &self.statuses, &self.failure_reasons, &self.confirmed_ats]
    }
}

/// The parameters of `save_seats.sql`.
#[derive(Default)]
struct SeatArrays<'a> {
    new_shows: Vec<i64>,
    new_names: Vec<&'a str>,
    new_seats: Vec<String>,
    new_deadlines: Vec<Timestamp>,
    shows: Vec<i64>,
    numbers: Vec<i64>,
    statuses: Vec<&'static str>,
    bookings: Vec<Option<i64>>,
    new_bookings: Vec<Option<i64>>,
    held_untils: Vec<Option<Timestamp>>,
}

impl<'a> SeatArrays<'a> {
    fn of(changes: &'a Changes) -> Self {
        let mut arrays = Self::default();
        for new in &changes.new_bookings {
            arrays.new_shows.push(new.show_id.get());
            arrays.new_names.push(new.user_name.as_str());
            arrays.new_seats.push(encoding::seat_numbers(&new.seats));
            arrays.new_deadlines.push(new.deadline.instant());
        }
        for change in &changes.seats {
            let (owner, until) = match change.state {
                SeatState::Available => (None, None),
                SeatState::Held { by, until } => (Some(by), Some(until.instant())),
                SeatState::Sold { to } => (Some(to), None),
            };
            let (stored, new) = match owner {
                None => (None, None),
                Some(Owner::Stored(id)) => (Some(id.get()), None),
                Some(Owner::New(index)) => (None, i64::try_from(index + 1).ok()),
            };
            arrays.shows.push(change.key.show_id.get());
            arrays.numbers.push(change.key.number.get());
            arrays.statuses.push(encoding::seat_status(change.state.status()));
            arrays.bookings.push(stored);
            arrays.new_bookings.push(new);
            arrays.held_untils.push(until);
        }
        arrays
    }

    fn parameters<'b>(&'b self, now: &'b Timestamp) -> [&'b (dyn ToSql + Sync); 11] {
        [
            now,
            &self.new_shows,
            &self.new_names,
            &self.new_seats,
            &self.new_deadlines,
            &self.shows,
            &self.numbers,
            &self.statuses,
            &self.bookings,
            &self.new_bookings,
            &self.held_untils,
        ]
    }
}
