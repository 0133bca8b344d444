//! Foresight: a batch in one round trip. What it comes to if all rows are as expected is known beforehand; one statement locks
//! the rows, compares them, and saves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Booking, BookingId, BookingState, Command, Forecast, Outcome, Owner, SeatState, StoreError, TimeSource, Timestamp};
use tokio_postgres::types::ToSql;

use crate::connection::{Foresee, Lease, TimedOut};
use crate::{encoding, error, rows, statements};

/// So many batches go without a forecast after one that did not come true.
const BATCHES_WITHOUT: u32 = 16;

/// So many holds are remembered, the newest: some 300 bytes each.
const HOLDS_REMEMBERED: usize = 65_536;

/// What this process remembers of holds that it made or read: what to expect, never what to answer.
pub(crate) struct Foresight {
    when: Foresee,
    holds: Mutex<BTreeMap<BookingId, Booking>>,
    without: AtomicU32,
}

impl Foresight {
    pub(crate) fn new(when: Foresee) -> Self {
        Self { when, holds: Mutex::default(), without: AtomicU32::new(0) }
    }

    /// The forecast for this batch, if there can be one, and if the last ones came true.
    pub(crate) fn of(&self, commands: &[Command]) -> Option<Forecast> {
        if self.when == Foresee::Never {
            return None;
        }
        let without = self.without.load(Ordering::Relaxed);
        if without > 0 {
            self.without.store(without - 1, Ordering::Relaxed);
            return None;
        }
        let holds = self.holds();
        Forecast::of(commands, |id| holds.get(&id).cloned())
    }

    /// A forecast did not come true: to try again at once would only cost another round trip.
    pub(crate) fn failed(&self) {
        if self.when == Foresee::WhenLikely {
            self.without.store(BATCHES_WITHOUT, Ordering::Relaxed);
        }
    }

    /// Takes in what came of a batch.
    pub(crate) fn learn(&self, commands: &[Command], outcomes: &[Outcome]) {
        let mut holds = self.holds();
        for (command, outcome) in commands.iter().zip(outcomes) {
            match (command, outcome) {
                (Command::Hold(hold), Outcome::Held { booking_id, deadline }) => {
                    let made = deadline.instant() - hold.hold_for;
                    let booking = Booking {
                        id: *booking_id,
                        show_id: hold.show_id,
                        user_name: hold.user_name.clone(),
                        seats: hold.seats.numbers().to_vec(),
                        deadline: *deadline,
                        state: BookingState::Pending,
                        created_at: made,
                        updated_at: made,
                    };
                    holds.insert(*booking_id, booking);
                }
                (Command::Confirm { booking_id } | Command::Expire { booking_id }, _) => {
                    holds.remove(booking_id);
                }
                (Command::Hold(_), _) => {}
            }
        }
        forget_the_oldest(&mut holds);
    }

    /// Takes in a booking that was read: whoever looks at a hold is likely to confirm it next.
    pub(crate) fn saw(&self, booking: &Booking) {
        if booking.state == BookingState::Pending {
            let mut holds = self.holds();
            holds.insert(booking.id, booking.clone());
            forget_the_oldest(&mut holds);
        }
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<BookingId, Booking>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_the_oldest(holds: &mut BTreeMap<BookingId, Booking>) {
    while holds.len() > HOLDS_REMEMBERED {
        holds.pop_first();
    }
}

/// Makes the forecast come true; `None` if it does not, and then nothing has happened. No transaction is left open.
pub(crate) async fn run(lease: &Lease, time: &TimeSource, forecast: Forecast) -> Result<Option<Vec<Outcome>>, StoreError> {
    let save = lease.prepared(statements::SAVE_IF_FORESEEN).await?;
    if lease.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let (seats, bookings) = (Seats::of(&forecast), Bookings::of(&forecast));
    let (fixed, too_late) = (time.fixed(), forecast.true_before().map(domain::Deadline::instant));
    let parameters: [&(dyn ToSql + Sync); 17] = [
        &fixed,
        &too_late,
        &seats.shows,
        &seats.numbers,
        &seats.expected_bookings,
        &seats.expected_deadlines,
        &seats.statuses,
        &seats.old_bookings,
        &seats.new_bookings,
        &seats.hold_fors,
        &bookings.new_shows,
        &bookings.new_names,
        &bookings.new_seats,
        &bookings.new_hold_fors,
        &bookings.ids,
        &bookings.expected_seats,
        &bookings.expected_deadlines,
    ];
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let trip = async {
        if fixed.is_none() {
            return lease.query_opt(&save, &parameters).await;
        }
        // A clock outside of the database can have moved while this waited for a lock: it is looked at again before the commit.
        lease.batch_execute("BEGIN").await?;
        let saved = lease.query_opt(&save, &parameters).await?;
        let stood_still = time.fixed() == fixed;
        lease.batch_execute(if stood_still { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(saved.filter(|_| stood_still))
    };
    let saved = lease.within(trip).await.map_err(unknown)?;
    let Some(row) = saved.map_err(|error| error::of_one_trip(&error))? else { return Ok(None) };
    let unknown = |error: StoreError| StoreError::OutcomeUnknown(error.to_string());
    let now: Timestamp = rows::column(&row, "now").map_err(unknown)?;
    let ids: Option<Vec<i64>> = rows::column(&row, "new_ids").map_err(unknown)?;
    let ids = ids.unwrap_or_default().into_iter().map(rows::booking_id).collect::<Result<Vec<_>, _>>().map_err(unknown)?;
    let outcomes = forecast.outcomes(now, &ids);
    outcomes.map(Some).ok_or_else(|| StoreError::OutcomeUnknown("a new booking got no id".to_owned()))
}

/// The seats among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct Seats {
    shows: Vec<i64>,
    numbers: Vec<i64>,
    expected_bookings: Vec<Option<i64>>,
    expected_deadlines: Vec<Option<Timestamp>>,
    statuses: Vec<&'static str>,
    old_bookings: Vec<Option<i64>>,
    new_bookings: Vec<Option<i64>>,
    hold_fors: Vec<Option<i64>>,
}

impl Seats {
    /// Every seat of a forecast is expected, and changes, and both are in key order.
    fn of(forecast: &Forecast) -> Self {
        let mut arrays = Self::default();
        for (expected, change) in forecast.seats().iter().zip(&forecast.changes().seats) {
            let (booking, deadline) = match expected.state {
                SeatState::Available => (None, None),
                SeatState::Held { by, until } => (Some(by.get()), Some(until.instant())),
                SeatState::Sold { to } => (Some(to.get()), None),
            };
            let (owner, hold_for) = match change.state {
                SeatState::Available => (None, None),
                SeatState::Held { by, until } => (Some(by), Some(since_epoch(until.instant()))),
                SeatState::Sold { to } => (Some(to), None),
            };
            let (old, new) = match owner {
                None => (None, None),
                Some(Owner::Stored(id)) => (Some(id.get()), None),
                Some(Owner::New(index)) => (None, i64::try_from(index + 1).ok()),
            };
            arrays.shows.push(change.key.show_id.get());
            arrays.numbers.push(change.key.number.get());
            arrays.expected_bookings.push(booking);
            arrays.expected_deadlines.push(deadline);
            arrays.statuses.push(encoding::seat_status(change.state.status()));
            arrays.old_bookings.push(old);
            arrays.new_bookings.push(new);
            arrays.hold_fors.push(hold_for);
        }
        arrays
    }
}

/// The bookings among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct Bookings<'a> {
    new_shows: Vec<i64>,
    new_names: Vec<&'a str>,
    new_seats: Vec<String>,
    new_hold_fors: Vec<i64>,
    ids: Vec<i64>,
    expected_seats: Vec<String>,
    expected_deadlines: Vec<Timestamp>,
}

impl<'a> Bookings<'a> {
    fn of(forecast: &'a Forecast) -> Self {
        let mut arrays = Self::default();
        for new in &forecast.changes().new_bookings {
            arrays.new_shows.push(new.show_id.get());
            arrays.new_names.push(new.user_name.as_str());
            arrays.new_seats.push(encoding::seat_numbers(&new.seats));
            arrays.new_hold_fors.push(since_epoch(new.deadline.instant()));
        }
        // A forecast knows of no change to a stored booking but its confirm.
        for expected in forecast.bookings() {
            arrays.ids.push(expected.id.get());
            arrays.expected_seats.push(encoding::seat_numbers(&expected.seats));
            arrays.expected_deadlines.push(expected.deadline.instant());
        }
        arrays
    }
}

/// Microseconds since the beginning of a forecast's time.
const fn since_epoch(instant: Timestamp) -> i64 {
    instant.timestamp_micros()
}
