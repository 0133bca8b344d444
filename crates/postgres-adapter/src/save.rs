//! Saving what a batch has come to: its second round trip.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::{
    BlockReason, BookingId, Changes, CustomerId, Deadline, Decision, Entry, Life, Outcome, Owner, PaymentReference, SeatState,
    StoreError, Timestamp, UsedKey,
};
use futures_util::{join, try_join};
use tokio_postgres::types::ToSql;

use crate::connection::{Lease, TimedOut};
use crate::numbering::{Given, Numbering, Steps};
use crate::{encoding, error, statements};

/// Saves the changes and commits them in one round trip; gives the new bookings' ids, and what the histories have come to. Of the keys that were used before, those are
/// forgotten whose time is over. `stood` has the number of the last step of each stored booking.
pub(crate) async fn and_commit(
    lease: &Lease,
    changes: &Changes,
    used_keys: &[UsedKey<Outcome>],
    stood: &BTreeMap<BookingId, i64>,
) -> Result<(Vec<BookingId>, Steps), StoreError> {
    let (save_batch, forget_used_keys) =
        try_join!(lease.prepared(statements::SAVE_BATCH), lease.prepared(statements::FORGET_USED_KEYS))?;
    if lease.is_closed() {
        return Err(StoreError::Unavailable("the connection was lost before anything was saved".to_owned()));
    }
    let (new, seats, stored, keys) =
        (NewBookings::of(changes), SeatArrays::of(changes), BookingArrays::of(changes), KeyArrays::of(changes));
    let numbering = Numbering::of(changes.entries.iter().map(|entry| (entry.show_id, entry.booking)));
    let (history, last) =
        (StoredHistory::of(&changes.entries, &stored.ids), numbering.last_of(changes.bookings.iter().map(|change| change.id)));
    let over = used_keys.iter().filter(|used| used.expires_at.life(changes.now) == Life::Dead);
    let over: Vec<&str> = over.map(|used| used.key.as_str()).collect();
    let payments = PaymentArrays::of(changes);
    let forgotten: [&(dyn ToSql + Sync); 2] = [&over, &changes.now];
    let batch: Vec<&(dyn ToSql + Sync)> = std::iter::once(&changes.now as &(dyn ToSql + Sync))
        .chain(new.parameters())
        .chain(numbering.new.parameters())
        .chain(seats.parameters())
        .chain(stored.parameters())
        .chain(last.parameters())
        .chain(history.parameters())
        .chain(numbering.stored.parameters())
        .chain([&numbering.follows as &(dyn ToSql + Sync), &numbering.shows])
        .chain(keys.parameters())
        .chain([&new.customers as &(dyn ToSql + Sync), &new.blocked_fors, &stored.payments, &stored.reclaimed])
        .chain(payments.parameters())
        .collect();
    let trip = async {
        join!(
            only_if(!over.is_empty(), lease.execute(&forget_used_keys, &forgotten)),
            lease.query_one(&save_batch, &batch),
            lease.batch_execute("COMMIT"),
        )
    };
    let unknown = |TimedOut| StoreError::OutcomeUnknown("the database does not answer".to_owned());
    let (forgotten, saved, committed) = lease.within(trip).await.map_err(unknown)?;
    // In this order: a COMMIT after a failed statement succeeds as a rollback.
    forgotten.map_err(|error| error::with_commit(&error))?;
    let saved = saved.map_err(|error| error::with_commit(&error))?;
    committed.map_err(|error| error::of_commit(&error))?;
    let given = Given::in_row(&saved, true)?;
    let steps = numbering.from(&given, stood);
    Ok((given.new_ids, steps))
}

type Driver<T> = Result<T, tokio_postgres::Error>;

/// A statement that there may be no need for.
async fn only_if(needed: bool, statement: impl Future<Output = Driver<u64>>) -> Driver<u64> {
    if needed { statement.await } else { Ok(0) }
}

/// An index into the new bookings, as the statements count them.
pub(crate) fn counted_from_one(index: usize) -> Option<i64> {
    i64::try_from(index + 1).ok()
}

/// The stored bookings among the parameters of `save_batch.sql`.
#[derive(Default)]
struct BookingArrays<'a> {
    ids: Vec<i64>,
    statuses: Vec<&'static str>,
    failure_reasons: Vec<Option<&'static str>>,
    refunds_due: Vec<bool>,
    confirmed_ats: Vec<Option<Timestamp>>,
    seats: Vec<String>,
    deadlines: Vec<Timestamp>,
    payments: Vec<Option<&'a str>>,
    reclaimed: Vec<bool>,
}

impl<'a> BookingArrays<'a> {
    fn of(changes: &'a Changes) -> Self {
        let mut arrays = Self::default();
        for change in &changes.bookings {
            arrays.ids.push(change.id.get());
            arrays.statuses.push(encoding::booking_status(change.state.status()));
            arrays.failure_reasons.push(encoding::failure_reason(&change.state));
            arrays.refunds_due.push(change.state.refund_due());
            arrays.confirmed_ats.push(change.state.confirmed_at());
            arrays.seats.push(encoding::seat_numbers(&change.seats));
            arrays.deadlines.push(change.deadline.instant());
            arrays.payments.push(change.payment.as_ref().map(PaymentReference::as_str));
            arrays.reclaimed.push(change.state.is_reclaimed());
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        let Self { ids, statuses, failure_reasons, refunds_due, confirmed_ats, seats, deadlines, .. } = self;
        [ids, statuses, failure_reasons, refunds_due, confirmed_ats, seats, deadlines]
    }
}

/// The new bookings among the parameters of `save_batch.sql`.
#[derive(Default)]
struct NewBookings<'a> {
    names: Vec<&'a str>,
    seats: Vec<String>,
    deadlines: Vec<Timestamp>,
    actors: Vec<Cow<'static, str>>,
    customers: Vec<Option<&'a str>>,
    blocked_fors: Vec<Option<&'a str>>,
}

impl<'a> NewBookings<'a> {
    fn of(changes: &'a Changes) -> Self {
        let mut arrays = Self { actors: new_actors(&changes.entries), ..Self::default() };
        for new in &changes.new_bookings {
            arrays.names.push(new.user_name.as_str());
            arrays.seats.push(encoding::seat_numbers(&new.seats));
            arrays.deadlines.push(new.deadline.instant());
            arrays.customers.push(new.customer.as_ref().map(CustomerId::as_str));
            arrays.blocked_fors.push(new.blocked_for.as_ref().map(BlockReason::as_str));
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        let Self { names, seats, deadlines, actors, .. } = self;
        [names, seats, deadlines, actors]
    }
}

/// Who made the new bookings, in their order.
pub(crate) fn new_actors(entries: &[Entry]) -> Vec<Cow<'static, str>> {
    let new = entries.iter().filter(|entry| matches!(entry.booking, Owner::New(_)));
    new.map(|entry| entry.by.to_text()).collect()
}

/// The seats among the parameters of `save_batch.sql`.
#[derive(Default)]
struct SeatArrays {
    shows: Vec<i64>,
    numbers: Vec<i64>,
    statuses: Vec<&'static str>,
    bookings: Vec<Option<i64>>,
    new_bookings: Vec<Option<i64>>,
    held_untils: Vec<Option<Timestamp>>,
}

impl SeatArrays {
    fn of(changes: &Changes) -> Self {
        let mut arrays = Self::default();
        for change in &changes.seats {
            let (owner, until) = match change.state {
                SeatState::Available => (None, None),
                SeatState::Held { by, until } => (Some(by), Some(until.instant())),
                SeatState::Sold { to } => (Some(to), None),
            };
            let (stored, new) = owner_columns(owner);
            arrays.shows.push(change.key.show_id.get());
            arrays.numbers.push(change.key.number.get());
            arrays.statuses.push(encoding::seat_status(change.state.status()));
            arrays.bookings.push(stored);
            arrays.new_bookings.push(new);
            arrays.held_untils.push(until);
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        let Self { shows, numbers, statuses, bookings, new_bookings, held_untils } = self;
        [shows, numbers, statuses, bookings, new_bookings, held_untils]
    }
}

/// A booking by id, or by its place among the new ones.
fn owner_columns(owner: Option<Owner>) -> (Option<i64>, Option<i64>) {
    match owner {
        None => (None, None),
        Some(Owner::Stored(id)) => (Some(id.get()), None),
        Some(Owner::New(index)) => (None, counted_from_one(index)),
    }
}

/// What happened to stored bookings, as `save_batch.sql` takes it.
#[derive(Default)]
pub(crate) struct StoredHistory {
    pub(crate) bookings: Vec<Option<i64>>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) froms: Vec<Option<&'static str>>,
    pub(crate) actors: Vec<Cow<'static, str>>,
    pub(crate) seats: Vec<String>,
}

impl StoredHistory {
    /// Of these bookings, ascending, each of which is saved as well.
    pub(crate) fn of(entries: &[Entry], bookings: &[i64]) -> Self {
        let mut arrays = Self::default();
        for entry in entries {
            let Owner::Stored(id) = entry.booking else { continue };
            arrays.bookings.push(bookings.binary_search(&id.get()).ok().and_then(counted_from_one));
            arrays.events.push(encoding::event(entry.event));
            arrays.froms.push(entry.from.map(encoding::booking_status));
            arrays.actors.push(entry.by.to_text());
            arrays.seats.push(encoding::seat_numbers(&entry.seats));
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 5] {
        let Self { bookings, events, froms, actors, seats } = self;
        [bookings, events, froms, actors, seats]
    }
}

/// The payments among the parameters of `save_batch.sql`.
#[derive(Default)]
struct PaymentArrays<'a> {
    references: Vec<&'a str>,
    bookings: Vec<i64>,
    shows: Vec<i64>,
    in_vain: Vec<bool>,
}

impl<'a> PaymentArrays<'a> {
    fn of(changes: &'a Changes) -> Self {
        let mut arrays = Self::default();
        for payment in &changes.payments {
            arrays.references.push(payment.reference.as_str());
            arrays.bookings.push(payment.booking_id.get());
            arrays.shows.push(payment.show_id.get());
            arrays.in_vain.push(payment.in_vain);
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.references, &self.bookings, &self.shows, &self.in_vain]
    }
}

/// The keys among the parameters of `save_batch.sql`.
#[derive(Default)]
struct KeyArrays<'a> {
    keys: Vec<&'a str>,
    fingerprints: Vec<&'a [u8]>,
    expire_ats: Vec<Timestamp>,
    outcomes: Vec<String>,
    new_bookings: Vec<Option<i64>>,
    deadlines: Vec<Option<i64>>,
}

impl<'a> KeyArrays<'a> {
    fn of(changes: &'a Changes) -> Self {
        let mut arrays = Self::default();
        for used in &changes.used_keys {
            arrays.keys.push(used.key.as_str());
            arrays.fingerprints.push(&used.fingerprint.0);
            arrays.expire_ats.push(used.expires_at.instant());
            let (outcome, new_booking, deadline) = pieces(&used.result, |deadline| Some(micros(deadline)));
            arrays.outcomes.push(outcome);
            arrays.new_bookings.push(new_booking);
            arrays.deadlines.push(deadline);
        }
        arrays
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        let Self { keys, fingerprints, expire_ats, outcomes, new_bookings, deadlines } = self;
        [keys, fingerprints, expire_ats, outcomes, new_bookings, deadlines]
    }
}

/// What came of a request, in the pieces that a statement puts together: the text of [`Outcome::to_text`] as far as it is known, the
/// new booking, and its deadline, as `deadline_of` gives it.
pub(crate) fn pieces(decision: &Decision, deadline_of: impl Fn(Deadline) -> Option<i64>) -> (String, Option<i64>, Option<i64>) {
    match decision {
        Decision::Held { new_booking, deadline } => ("held".to_owned(), counted_from_one(*new_booking), deadline_of(*deadline)),
        Decision::Blocked { new_booking } => ("blocked".to_owned(), counted_from_one(*new_booking), None),
        Decision::Repeated(first) => pieces(first, deadline_of),
        Decision::Settled(outcome) => (outcome.to_text(), None, None),
    }
}

const fn micros(deadline: Deadline) -> i64 {
    deadline.instant().timestamp_micros()
}
