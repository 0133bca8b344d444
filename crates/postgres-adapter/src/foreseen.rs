//! A batch in one round trip: one statement locks its rows, compares them with what is expected, and saves what that comes to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    Actor, BookingState, CustomerId, Decision, Forecast, Outcome, Owner, PaymentReference, SeatChange, SeatState, ShowId,
    StoreError, TimeSource, Timestamp, When,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::batch::Done;
use crate::connection::{Line, TimedOut};
use crate::foresight::{Foreseen, Foresight};
use crate::numbering::{Given, Numbering};
use crate::row_address::RowAddress;
use crate::save::{StoredHistory, counted_from_one, new_actors, pieces};
use crate::statements::parts::{Abridged, Parts};
use crate::words::{Instants, Numbers};
use crate::{encoding, error, rows};

/// Makes the forecast come true. `None` if it does not, and then nothing has happened. No transaction is left open. What is remembered of
/// the histories of the shows `unheard_of` is not their last number any more.
pub(crate) async fn run(
    line: &Line,
    time: &TimeSource,
    Foreseen { forecast, last_changes }: Foreseen,
    foresight: &Foresight,
    unheard_of: &BTreeSet<ShowId>,
) -> Result<Option<Done>, StoreError> {
    let statement = Parts::of(&forecast).save_if_foreseen();
    let save = line.prepared(&statement.sql).await?;
    if line.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let numbering = Numbering::of(forecast.changes().entries.iter().map(|entry| (entry.show_id, entry.booking)));
    let mut shows = foresight.of_shows(&numbering.shows, line.made_at());
    for (show, last_number) in numbering.shows.iter().zip(&mut shows.1) {
        if ShowId::new(*show).is_some_and(|show| unheard_of.contains(&show)) {
            *last_number = NOT_KNOWN;
        }
    }
    let numbers_are_expected = shows.1.iter().any(|number| *number > 0);
    let statement = (statement, &save);
    let mut saved = save_if_foreseen(line, time, statement, (&forecast, &last_changes), (&numbering, &shows)).await?;
    if matches!(saved, Saved::Overtaken) && numbers_are_expected {
        foresight.was_wrong_about_numbers();
        let shows = foresight.of_shows(&numbering.shows, line.made_at());
        saved = save_if_foreseen(line, time, statement, (&forecast, &last_changes), (&numbering, &shows)).await?;
    }
    let Saved::Done(row) = saved else { return Ok(None) };
    let given = Given::in_row(&row, !forecast.changes().new_bookings.is_empty())?;
    let unknown = |error: StoreError| StoreError::OutcomeUnknown(error.to_string());
    let now: Timestamp = rows::column(&row, "now").map_err(unknown)?;
    let stood = forecast.bookings().iter().map(|booking| booking.id).zip(last_changes.iter().copied()).collect();
    let steps = numbering.from(&given, &stood);
    let outcomes = forecast.outcomes(now, &given.new_ids);
    let outcomes = outcomes.ok_or_else(|| StoreError::OutcomeUnknown("a new booking got no id".to_owned()))?;
    Ok(Some(Done { outcomes, now, shows: Vec::new(), steps }))
}

/// In place of a last number: the statement looks it up.
const NOT_KNOWN: i64 = 0;

/// What the statement came to.
enum Saved {
    /// All was as expected.
    Done(Row),
    /// Something was not as expected. Nothing has happened.
    Otherwise,
    /// It has waited for one who has written what it had read before, or a row that it then did not see; or a last number was not the
    /// last. Nothing has happened.
    Overtaken,
}

async fn save_if_foreseen(
    line: &Line,
    time: &TimeSource,
    (statement, save): (&Abridged, &tokio_postgres::Statement),
    (forecast, last_changes): (&Forecast, &Numbers),
    (numbering, (addresses, last_numbers)): (&Numbering, &(Vec<Option<RowAddress>>, Vec<i64>)),
) -> Result<Saved, StoreError> {
    let changes = forecast.changes();
    let (seats, new, stored) = (Seats::of(forecast), NewBookings::of(forecast), StoredBookings::of(forecast));
    let mut follows = numbering.follows.clone();
    none_for_none(&mut follows);
    let (mut history, keys) = (StoredHistory::of(&changes.entries, &stored.ids), UsedKeys::of(forecast));
    let last = numbering.last_of(forecast.bookings().iter().map(|booking| booking.id));
    history.actors = none_for_customers(history.actors);
    let revisions = revisions(forecast, &numbering.shows);
    let (fixed, good_from, good_before) = (time.fixed(), forecast.good_from(), forecast.good_before());
    let all: Vec<&(dyn ToSql + Sync)> = [&fixed as &(dyn ToSql + Sync), &good_from, &good_before]
        .into_iter()
        .chain(seats.parameters())
        .chain(new.parameters())
        .chain(numbering.new.parameters())
        .chain([&new.customers as &(dyn ToSql + Sync), &numbering.shows, &revisions, addresses, last_numbers])
        .chain(keys.parameters())
        .chain([&stored.ids as &(dyn ToSql + Sync), last_changes])
        .chain(stored.parameters())
        .chain(last.parameters())
        // What is expected is PENDING: that need not be said of each.
        .chain([&stored.payments as &(dyn ToSql + Sync), &history.bookings, &history.events, &history.actors, &history.seats])
        .chain(numbering.stored.parameters())
        .chain([&follows as &(dyn ToSql + Sync)])
        .collect();
    let parameters: &Vec<&(dyn ToSql + Sync)> = &statement.own(&all).copied().collect();
    let trip = async {
        if fixed.is_none() {
            return line.query_opt(save, parameters).await;
        }
        // A clock outside of the database can have moved while this waited for a lock: it is looked at again before the commit.
        line.batch_execute("BEGIN").await?;
        let saved = line.query_opt(save, parameters).await;
        let stood_still = time.fixed() == fixed;
        line.batch_execute(if stood_still && saved.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(saved?.filter(|_| stood_still))
    };
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    match line.within(trip).await.map_err(unknown)? {
        Err(error) if error::is_overtaken(&error) => Ok(Saved::Overtaken),
        saved => saved.map(|row| row.map_or(Saved::Otherwise, Saved::Done)).map_err(|error| error::of_one_trip(&error)),
    }
}

/// The revisions that are expected of these shows.
fn revisions(forecast: &Forecast, shows: &[i64]) -> Vec<i32> {
    let expected = forecast.shows();
    let revision = |id: &i64| expected.binary_search_by_key(id, |show| show.id.get()).map_or(0, |place| expected[place].revision);
    shows.iter().map(revision).collect()
}

/// The seats among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct Seats {
    shows: Numbers,
    numbers: Numbers,
    expected_bookings: Numbers,
    expected_deadlines: Instants,
    statuses: Vec<&'static str>,
    bookings: Numbers,
    hold_fors: Numbers,
    held_untils: Instants,
}

impl Seats {
    /// Every seat that changes is expected, and both are in key order; one that does not change is saved as it is.
    fn of(forecast: &Forecast) -> Self {
        let seats = forecast.seats().len();
        let mut arrays = Self {
            shows: Numbers::with_capacity(seats),
            numbers: Numbers::with_capacity(seats),
            expected_bookings: Numbers::with_capacity(seats),
            expected_deadlines: Instants::with_capacity(seats),
            statuses: Vec::with_capacity(seats),
            bookings: Numbers::with_capacity(seats),
            hold_fors: Numbers::with_capacity(seats),
            held_untils: Instants::with_capacity(seats),
        };
        let mut changes = forecast.changes().seats.iter().peekable();
        for expected in forecast.seats() {
            let (booking, deadline) = match expected.state {
                SeatState::Available => (0, Timestamp::UNIX_EPOCH),
                SeatState::Held { by, until } => (by.get(), until.instant()),
                SeatState::Sold { to } => (to.get(), Timestamp::UNIX_EPOCH),
            };
            arrays.shows.push(expected.key.show_id.get());
            arrays.numbers.push(expected.key.number.get());
            arrays.expected_bookings.push(booking);
            arrays.expected_deadlines.push(deadline);
            let (status, (booking, hold_for, held_until)) = match changes.next_if(|change| change.key == expected.key) {
                Some(change) => (change.state.status(), becomes(forecast, change)),
                None => (expected.state.status(), (booking, 0, deadline)),
            };
            arrays.statuses.push(encoding::seat_status(status));
            arrays.bookings.push(booking);
            arrays.hold_fors.push(hold_for);
            arrays.held_untils.push(held_until);
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        let Self { shows, numbers, expected_bookings, expected_deadlines, statuses, bookings, hold_fors, held_untils } = self;
        [shows, numbers, expected_bookings, expected_deadlines, statuses, bookings, hold_fors, held_untils]
    }
}

/// What a seat becomes, as the statement takes it: who has it, how long from now, and until when.
fn becomes(forecast: &Forecast, change: &SeatChange) -> (i64, i64, Timestamp) {
    let booking = match change.state {
        SeatState::Available => 0,
        SeatState::Held { by: Owner::Stored(id), .. } | SeatState::Sold { to: Owner::Stored(id) } => id.get(),
        SeatState::Held { by: Owner::New(index), .. } | SeatState::Sold { to: Owner::New(index) } => {
            counted_from_one(index).map_or(0, |index| -index)
        }
    };
    let (hold_for, held_until) = columns(forecast.held_until(change));
    (booking, hold_for.unwrap_or(0), held_until.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// An instant as a length of time in microseconds, or as what it is.
fn columns(when: Option<When>) -> (Option<i64>, Option<Timestamp>) {
    match when {
        None => (None, None),
        Some(When::After(length)) => (Some(micros(length)), None),
        Some(When::At(instant)) => (None, Some(instant)),
    }
}

/// No time of ours is so long that it has no microseconds.
fn micros(length: TimeDelta) -> i64 {
    length.num_microseconds().unwrap_or(i64::MAX)
}

/// An array of nothing but nulls comes empty: what lies beyond an array's end is null, and is found quickest.
fn none_for_none<T>(array: &mut Vec<Option<T>>) {
    if array.iter().all(Option::is_none) {
        array.clear();
    }
}

/// The same for those who act, where nearly all are customers.
fn none_for_customers(actors: Vec<Cow<'static, str>>) -> Vec<Cow<'static, str>> {
    let customer = Actor::Customer.to_text();
    if actors.iter().all(|actor| *actor == customer) { Vec::new() } else { actors }
}

/// The new bookings among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct NewBookings<'a> {
    names: Vec<&'a str>,
    seats: Vec<String>,
    hold_fors: Numbers,
    actors: Vec<Cow<'static, str>>,
    customers: Vec<Option<&'a str>>,
}

impl<'a> NewBookings<'a> {
    fn of(forecast: &'a Forecast) -> Self {
        let changes = forecast.changes();
        let mut arrays = Self { actors: none_for_customers(new_actors(&changes.entries)), ..Self::default() };
        for new in &changes.new_bookings {
            arrays.names.push(new.user_name.as_str());
            arrays.seats.push(encoding::seat_numbers(&new.seats));
            arrays.hold_fors.push(micros(forecast.after(new.deadline)));
            arrays.customers.push(new.customer.as_ref().map(CustomerId::as_str));
        }
        none_for_none(&mut arrays.customers);
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        let Self { names, seats, hold_fors, actors, .. } = self;
        [names, seats, hold_fors, actors]
    }
}

/// The stored bookings among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct StoredBookings<'a> {
    ids: Numbers,
    statuses: Vec<&'static str>,
    failure_reasons: Vec<Option<&'static str>>,
    seats: Vec<Option<String>>,
    hold_fors: Vec<Option<i64>>,
    payments: Vec<Option<&'a str>>,
}

impl<'a> StoredBookings<'a> {
    /// Every booking that is expected was named for something to be done to it, and that was foreseen. Both are in the order of their ids.
    fn of(forecast: &'a Forecast) -> Self {
        let mut arrays = Self::default();
        let mut changes = forecast.changes().bookings.iter().peekable();
        for expected in forecast.bookings() {
            let change = changes.next_if(|change| change.id == expected.id);
            let state = change.map_or(BookingState::Pending, |change| change.state);
            let deadline = change.map_or(expected.deadline, |change| change.deadline);
            arrays.ids.push(expected.id.get());
            arrays.statuses.push(encoding::booking_status(state.status()));
            arrays.failure_reasons.push(encoding::failure_reason(&state));
            let others = change.map(|change| &change.seats).filter(|seats| **seats != expected.seats);
            arrays.seats.push(others.map(|seats| encoding::seat_numbers(seats)));
            arrays.hold_fors.push(columns(Some(forecast.ends(expected.id, deadline))).0);
            arrays.payments.push(change.and_then(|change| change.payment.as_ref()).map(PaymentReference::as_str));
        }
        none_for_none(&mut arrays.failure_reasons);
        none_for_none(&mut arrays.seats);
        none_for_none(&mut arrays.hold_fors);
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        let Self { statuses, failure_reasons, seats, hold_fors, .. } = self;
        [statuses, failure_reasons, seats, hold_fors]
    }
}

/// The keys among the parameters of `save_if_foreseen.sql`.
#[derive(Default)]
struct UsedKeys<'a> {
    names: Vec<&'a str>,
    fingerprints: Vec<&'a [u8]>,
    keep_fors: Vec<i64>,
    outcomes: Vec<String>,
    new_bookings: Vec<Option<i64>>,
    deadlines: Vec<Option<i64>>,
}

impl<'a> UsedKeys<'a> {
    fn of(forecast: &'a Forecast) -> Self {
        let mut arrays = Self::default();
        for used in &forecast.changes().used_keys {
            arrays.names.push(used.key.as_str());
            arrays.fingerprints.push(&used.fingerprint.0);
            arrays.keep_fors.push(micros(forecast.after(used.expires_at)));
            let (outcome, new_booking, deadline) = match later(forecast, &used.result) {
                Some((outcome, after)) => (outcome, None, Some(after)),
                None => pieces(&used.result, |deadline| Some(micros(forecast.after(deadline)))),
            };
            arrays.outcomes.push(outcome);
            arrays.new_bookings.push(new_booking);
            arrays.deadlines.push(deadline);
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        let Self { names, fingerprints, keep_fors, outcomes, new_bookings, deadlines } = self;
        [names, fingerprints, keep_fors, outcomes, new_bookings, deadlines]
    }
}

/// The text of an outcome whose deadline, at its end, counts from now, without that deadline; and the deadline.
fn later(forecast: &Forecast, decision: &Decision) -> Option<(String, i64)> {
    let Decision::Settled(outcome) = decision else { return None };
    let (Outcome::Extended { booking_id, deadline } | Outcome::Changed { booking_id, deadline, .. }) = outcome else {
        return None;
    };
    let When::After(length) = forecast.ends(*booking_id, *deadline) else { return None };
    let text = outcome.to_text();
    Some((text.rsplit_once(' ')?.0.to_owned(), micros(length)))
}
