//! A batch, in one transaction: load the rows it names, let the domain decide, save what changed.
//!
//! The write lock of the whole file is taken first, so nobody else can write between load and save, and the clock is read
//! under it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    BlockReason, Booking, BookingId, BookingState, BookingStatus, Changes, CustomerId, Deadline, Decision, DueHold, Fingerprint,
    Holding, IdempotencyKey, Keys, Ledger, LockedRows, LockedSeat, LockedShow, Outcome, Owner, Payment, PaymentReference,
    Request, SeatKey, SeatState, ShowId, StoreError, Swept, TimeSource, Timestamp, UsedKey,
};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use serde_json::Value;

use crate::encoding::{self, booking_columns, json, seat_columns};
use crate::failure::{self, Failure};
use crate::{clock, record, statements};

/// Rows that a statement has changed, and should have.
const ONE: usize = 1;

/// What a batch decides on.
struct Found {
    rows: LockedRows,
    /// How many changes of each show are in the history.
    numbers: BTreeMap<ShowId, i64>,
}

/// The file's write lock, and the instant at which it was had.
pub(crate) struct Batch<'a> {
    transaction: Transaction<'a>,
    now: Timestamp,
    changed: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn begin(connection: &'a mut Connection, time: &TimeSource) -> Result<Self, Failure> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Self { now: clock::now(time), transaction, changed: false })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.transaction
    }

    /// Decides the requests in their order and saves what they change, once in a batch.
    pub(crate) fn run(&mut self, requests: &[Request]) -> Result<Vec<Outcome>, Failure> {
        let Found { rows, numbers } = self.load(&Keys::of(requests))?;
        let mut ledger = Ledger::open(rows);
        let decisions = requests.iter().map(|request| ledger.apply(request)).collect::<Result<Vec<Decision>, _>>()?;
        let changes = ledger.into_changes();
        self.changed |= !changes.is_empty();
        let new_ids = self.save(&changes, numbers)?;
        let outcomes: Option<Vec<Outcome>> = decisions.into_iter().map(|decision| decision.outcome(&new_ids)).collect();
        Ok(outcomes.ok_or_else(no_identity)?)
    }

    /// Expires those of these bookings that are dead, and saves that. They say PENDING under the same lock.
    pub(crate) fn sweep(&mut self, candidates: Vec<BookingId>) -> Result<Swept, Failure> {
        let bookings = load_bookings(&self.transaction, candidates)?;
        let keys: Vec<SeatKey> = bookings.iter().flat_map(seat_keys).collect();
        let seats: BTreeMap<SeatKey, SeatState> =
            load_seats(&self.transaction, &keys)?.into_iter().map(|seat| (seat.key, seat.state)).collect();
        let shows: BTreeSet<ShowId> = bookings.iter().map(|booking| booking.show_id).collect();
        let numbers = load_shows(&self.transaction, shows)?.into_iter().map(|(show, changes)| (show.id, changes)).collect();
        let due = bookings.into_iter().map(|booking| DueHold {
            id: booking.id,
            show_id: booking.show_id,
            deadline: booking.deadline,
            locked: seat_keys(&booking).filter_map(|key| Some((key.number, *seats.get(&key)?))).collect(),
            seats: booking.seats,
        });
        let swept = Swept::of(self.now, due.collect());
        for error in &swept.corrupt {
            tracing::error!(%error, "a hold can't be expired");
        }
        let changes = swept.changes();
        self.changed |= !changes.is_empty();
        self.save(&changes, numbers)?;
        Ok(swept)
    }

    /// Makes it last. Without changes there is nothing to write, and the lock is only given back.
    pub(crate) fn end(self) -> Result<(), Failure> {
        if self.changed { self.transaction.commit().map_err(failure::of_commit) } else { Ok(self.transaction.rollback()?) }
    }

    fn load(&self, keys: &Keys) -> Result<Found, Failure> {
        let named = load_bookings(&self.transaction, keys.bookings.iter().copied())?;
        let show_of = |id| named.iter().find(|booking| booking.id == id).map(|booking| booking.show_id);
        let added = keys.additions.iter().filter_map(|&(id, number)| Some(SeatKey { show_id: show_of(id)?, number }));
        // Those that a booking had which has failed may be wanted again.
        let again = named.iter().filter(|booking| booking.state.status() == BookingStatus::Failed).flat_map(seat_keys);
        let wanted: BTreeSet<SeatKey> = keys.seats.iter().copied().chain(added).chain(again).collect();
        let mut seats = load_seats(&self.transaction, &wanted)?;
        // A seat that has a booking and yet is free is blocked by a dead hold.
        let freed = seats.iter().filter(|seat| seat.state.as_of(self.now).booking_id().is_none());
        let blocking: BTreeSet<BookingId> = freed.filter_map(|seat| seat.state.booking_id()).collect();
        let named_ids: BTreeSet<BookingId> = keys.bookings.iter().copied().collect();
        let mut bookings = named;
        bookings.extend(load_bookings(&self.transaction, blocking.difference(&named_ids).copied())?);

        let theirs: BTreeSet<SeatKey> = bookings.iter().flat_map(seat_keys).collect();
        seats.extend(load_seats(&self.transaction, theirs.difference(&wanted))?);
        let shows: BTreeSet<ShowId> = keys.shows.iter().copied().chain(bookings.iter().map(|booking| booking.show_id)).collect();
        let shows = load_shows(&self.transaction, shows)?;
        let numbers = shows.iter().map(|(show, changes)| (show.id, *changes)).collect();
        let shows = shows.into_iter().map(|(show, _)| show).collect();
        let their_customers = bookings.iter().filter_map(|booking| Some((booking.show_id, booking.customer.clone()?)));
        let customers: BTreeSet<(ShowId, CustomerId)> = keys.customers.iter().cloned().chain(their_customers).collect();
        let holdings = load_holdings(&self.transaction, &customers)?;
        let payments = load_payments(&self.transaction, &keys.payments)?;
        let used_keys = load_keys(&self.transaction, keys.requests.iter())?;
        let rows = LockedRows { now: self.now, shows, seats, bookings, holdings, payments, used_keys };
        Ok(Found { rows, numbers })
    }

    fn save(&self, changes: &Changes, numbers: BTreeMap<ShowId, i64>) -> Result<Vec<BookingId>, Failure> {
        let now = changes.now.timestamp_micros();
        let new_ids = self.insert_bookings(changes)?;
        let mut update = self.transaction.prepare_cached(statements::UPDATE_BOOKING)?;
        for change in &changes.bookings {
            let (status, failure_reason, confirmed_at) = booking_columns(change.state);
            let (seats, deadline) = (encoding::seat_numbers(&change.seats), change.deadline.instant().timestamp_micros());
            let refund_due = change.state.refund_due();
            let payment = change.payment.as_ref().map(PaymentReference::as_str);
            let columns = params![
                change.id.get(),
                status,
                failure_reason,
                refund_due,
                confirmed_at,
                seats,
                deadline,
                now,
                payment,
                change.state.is_reclaimed()
            ];
            let rows = update.execute(columns)?;
            expect_one(rows, || format!("bookings has no id {}", change.id))?;
        }
        let mut update = self.transaction.prepare_cached(statements::UPDATE_SEAT)?;
        for change in &changes.seats {
            let SeatKey { show_id, number } = change.key;
            let (status, booking_id, held_until) = seat_columns(change.state, &new_ids).ok_or_else(no_identity)?;
            let rows = update.execute(params![show_id.get(), number.get(), status, booking_id, held_until])?;
            expect_one(rows, || format!("seats has no number {number} of show {show_id}"))?;
        }
        self.record(changes, numbers, &new_ids)?;
        let mut insert = self.transaction.prepare_cached(statements::INSERT_PAYMENT)?;
        for payment in &changes.payments {
            let Payment { reference, booking_id, show_id, in_vain } = payment;
            insert.execute(params![reference.as_str(), show_id.get(), booking_id.get(), now, in_vain])?;
        }
        for used in &changes.used_keys {
            let outcome = used.result.clone().outcome(&new_ids).ok_or_else(no_identity)?;
            use_key(&self.transaction, (&used.key, used.fingerprint), &outcome, used.expires_at, changes.now)?;
        }
        Ok(new_ids)
    }

    /// Takes down what has happened, under the next numbers of the shows.
    fn record(&self, changes: &Changes, mut numbers: BTreeMap<ShowId, i64>, new_ids: &[BookingId]) -> Result<(), Failure> {
        let now = changes.now.timestamp_micros();
        let mut insert = self.transaction.prepare_cached(statements::RECORD)?;
        for entry in &changes.entries {
            let id = match entry.booking {
                Owner::Stored(id) => id,
                Owner::New(index) => new_ids.get(index).copied().ok_or_else(no_identity)?,
            };
            let number = numbers.get_mut(&entry.show_id).ok_or_else(|| no_show(entry.show_id))?;
            *number += 1;
            let from = entry.from.map(encoding::booking_status::text);
            let (event, by, seats) = (encoding::event(entry.event), entry.by.to_string(), encoding::seat_numbers(&entry.seats));
            insert.execute(params![id.get(), *number, entry.show_id.get(), now, event, from, by, seats])?;
        }
        let changed: BTreeSet<ShowId> = changes.entries.iter().map(|entry| entry.show_id).collect();
        let mut update = self.transaction.prepare_cached(statements::COUNT_CHANGES)?;
        for show_id in changed {
            let rows = update.execute(params![show_id.get(), numbers.get(&show_id)])?;
            (rows == ONE).then_some(()).ok_or_else(|| no_show(show_id))?;
        }
        Ok(())
    }

    fn insert_bookings(&self, changes: &Changes) -> Result<Vec<BookingId>, Failure> {
        let now = changes.now.timestamp_micros();
        let mut insert = self.transaction.prepare_cached(statements::INSERT_BOOKING)?;
        let mut ids = Vec::with_capacity(changes.new_bookings.len());
        for new in &changes.new_bookings {
            let (seats, deadline) = (encoding::seat_numbers(&new.seats), new.deadline.instant().timestamp_micros());
            let state = match new.blocked_for {
                None => BookingState::Pending,
                Some(_) => BookingState::Confirmed { at: changes.now, reclaimed: false },
            };
            let (status, _, confirmed_at) = booking_columns(state);
            let (customer, blocked_for) =
                (new.customer.as_ref().map(CustomerId::as_str), new.blocked_for.as_ref().map(BlockReason::as_str));
            let (show_id, user_name) = (new.show_id.get(), new.user_name.as_str());
            let id =
                insert.insert(params![show_id, user_name, seats, status, deadline, confirmed_at, now, customer, blocked_for])?;
            ids.push(BookingId::new(id).ok_or_else(no_identity)?);
        }
        Ok(ids)
    }
}

fn no_identity() -> StoreError {
    StoreError::Corrupt("a new booking got no identity".to_owned())
}

fn no_show(show_id: ShowId) -> StoreError {
    StoreError::Corrupt(format!("shows has no id {show_id}"))
}

fn expect_one(rows: usize, missing: impl FnOnce() -> String) -> Result<(), StoreError> {
    if rows == ONE { Ok(()) } else { Err(StoreError::Corrupt(missing())) }
}

/// The keys of the seats that a booking lists.
pub(crate) fn seat_keys(booking: &Booking) -> impl Iterator<Item = SeatKey> {
    let show_id = booking.show_id;
    booking.seats.iter().map(move |&number| SeatKey { show_id, number })
}

/// Shows, each with the number of its changes in the history.
fn load_shows(connection: &Connection, ids: impl IntoIterator<Item = ShowId>) -> Result<Vec<(LockedShow, i64)>, Failure> {
    let parse = |row: &Row<'_>| Ok((record::locked_show(row)?, record::changes(row)?));
    all(connection, statements::LOAD_SHOWS, &json(ids.into_iter().map(ShowId::get)), parse)
}

/// What these customers have in shows that limit them.
fn load_holdings(connection: &Connection, customers: &BTreeSet<(ShowId, CustomerId)>) -> Result<Vec<Holding>, Failure> {
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = customers.iter().map(|(show_id, customer)| vec![Value::from(show_id.get()), Value::from(customer.as_str())]);
    all(connection, statements::LOAD_HOLDINGS, &json(pairs), record::holding)
}

/// Those of these payments that were named before.
fn load_payments(connection: &Connection, references: &[PaymentReference]) -> Result<Vec<Payment>, Failure> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    all(connection, statements::LOAD_PAYMENTS, &json(references.iter().map(PaymentReference::as_str)), record::payment)
}

/// The requests that were made before under these keys.
pub(crate) fn load_keys<'a>(
    connection: &Connection,
    keys: impl ExactSizeIterator<Item = &'a IdempotencyKey>,
) -> Result<Vec<UsedKey<Outcome>>, Failure> {
    if keys.len() == 0 {
        return Ok(Vec::new());
    }
    all(connection, statements::LOAD_KEYS, &json(keys.map(IdempotencyKey::as_str)), record::used_key)
}

/// Puts down a request that is to be known again, and what came of it.
pub(crate) fn use_key(
    connection: &Connection,
    (key, fingerprint): (&IdempotencyKey, Fingerprint),
    outcome: &Outcome,
    expires_at: Deadline,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(statements::USE_KEY)?;
    let (expires_at, now) = (expires_at.instant().timestamp_micros(), now.timestamp_micros());
    let rows = insert.execute(params![key.as_str(), fingerprint.0, outcome.to_text(), expires_at, now])?;
    expect_one(rows, || "a key is used that was not".to_owned())?;
    Ok(())
}

pub(crate) fn load_seats<'a>(
    connection: &Connection,
    keys: impl IntoIterator<Item = &'a SeatKey>,
) -> Result<Vec<LockedSeat>, Failure> {
    let keys = keys.into_iter().map(|key| [key.show_id.get(), key.number.get()]);
    all(connection, statements::LOAD_SEATS, &json(keys), record::locked_seat)
}

pub(crate) fn load_bookings(connection: &Connection, ids: impl IntoIterator<Item = BookingId>) -> Result<Vec<Booking>, Failure> {
    all(connection, statements::LOAD_BOOKINGS, &json(ids.into_iter().map(BookingId::get)), record::booking)
}

/// Every row that a list of keys gives; none for an empty list.
fn all<T>(
    connection: &Connection,
    sql: &str,
    keys: &str,
    parse: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([keys])?;
    let mut parsed = Vec::new();
    while let Some(row) = rows.next()? {
        parsed.push(parse(row)?);
    }
    Ok(parsed)
}
