//! The working set: the rows that a store has locked for a batch, and every decision on them.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::booking::Booking;
use crate::changes::{BookingChange, Changes, Decision, Entry, NewBooking, Owner, SeatChange, UsedKey};
use crate::command::{Command, Outcome};
use crate::customer::CustomerId;
use crate::deadline::{Deadline, Life, Timestamp};
use crate::history::Event;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::payment::{Payment, PaymentReference};
use crate::refusal::Refusal;
use crate::request::{Actor, Idempotency, IdempotencyKey, Request};
use crate::seat::{SeatKey, SeatState};
use crate::show::Terms;

mod amend;
mod confirm;
mod hold;
mod limits;
mod settle;

/// What a store has locked and read for a batch.
#[derive(Clone, Debug)]
pub struct LockedRows {
    /// The instant of every decision: one reading of the store's clock, taken after the locks.
    pub now: Timestamp,
    /// Those of the named shows that exist, and the shows of `bookings`.
    pub shows: Vec<LockedShow>,
    /// Those of the wanted seats that exist, and every seat of `bookings`.
    pub seats: Vec<LockedSeat>,
    /// Those of the named bookings that exist, and those whose dead holds block a wanted seat. (Of these a store may leave out
    /// what it has not met yet: the ledger says [`LedgerError::RowsMissing`] when it is needed.)
    pub bookings: Vec<Booking>,
    /// What the customers who want seats, and those of `bookings`, have in shows that limit customers: every booking that is not FAILED.
    pub holdings: Vec<Holding>,
    /// Those of the payments that were named before.
    pub payments: Vec<Payment>,
    /// Those of the requests that were made before.
    pub used_keys: Vec<UsedKey<Outcome>>,
}

impl LockedRows {
    /// No rows, at this instant.
    pub const fn none(now: Timestamp) -> Self {
        Self {
            now,
            shows: Vec::new(),
            seats: Vec::new(),
            bookings: Vec::new(),
            holdings: Vec::new(),
            payments: Vec::new(),
            used_keys: Vec::new(),
        }
    }
}

/// A show as it was found under its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedShow {
    /// Which.
    pub id: ShowId,
    /// Its terms.
    pub terms: Terms,
    /// Whether it is cancelled. Then its bookings have failed, whether or not their rows say so yet.
    pub cancelled: bool,
    /// Counts how often any of this has changed.
    pub revision: i32,
}

/// What a customer has in a show: a booking that is not FAILED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The booking.
    pub booking_id: BookingId,
    /// The show.
    pub show_id: ShowId,
    /// The customer.
    pub customer: CustomerId,
    /// How many seats it has.
    pub seats: usize,
    /// When its hold ends; `None` for a sale.
    pub held_until: Option<Deadline>,
}

/// A seat as it was found under its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedSeat {
    /// Which.
    pub key: SeatKey,
    /// How it stands in its row.
    pub state: SeatState,
}

/// Why the ledger can't decide. The batch must be rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// A row that the decision needs changed between reading which rows to lock and locking them. Load again.
    #[error("a row that the decision needs was not loaded")]
    RowsMissing,
    /// The rows contradict each other. Someone has to look.
    #[error("seat {} of show {} does not belong to booking {booking_id}, which lists it", key.number, key.show_id)]
    Corrupt {
        /// The seat.
        key: SeatKey,
        /// The booking that lists it and is live.
        booking_id: BookingId,
    },
}

/// The locked rows of a batch and what has been decided on them so far: a request sees what those before it did.
///
/// It assumes that nobody else can change these rows until the batch is committed or rolled back.
#[derive(Debug)]
pub struct Ledger {
    now: Timestamp,
    shows: BTreeMap<ShowId, LockedShow>,
    seats: BTreeMap<SeatKey, SeatState<Owner>>,
    bookings: BTreeMap<BookingId, Booking>,
    holdings: BTreeMap<(ShowId, CustomerId), Vec<Holding>>,
    payments: BTreeMap<PaymentReference, BookingId>,
    used_keys: BTreeMap<IdempotencyKey, UsedKey<Decision>>,
    new_bookings: Vec<NewBooking>,
    changed_seats: BTreeSet<SeatKey>,
    changed_bookings: BTreeSet<BookingId>,
    entries: Vec<Entry>,
    new_payments: Vec<Payment>,
    new_keys: Vec<UsedKey<Decision>>,
}

impl Ledger {
    /// A ledger on these rows.
    pub fn open(rows: LockedRows) -> Self {
        let own = |state| match state {
            SeatState::Available => SeatState::Available,
            SeatState::Held { by, until } => SeatState::Held { by: Owner::Stored(by), until },
            SeatState::Sold { to } => SeatState::Sold { to: Owner::Stored(to) },
        };
        let stored = |UsedKey { key, fingerprint, expires_at, result }| {
            (IdempotencyKey::clone(&key), UsedKey { key, fingerprint, expires_at, result: Decision::Settled(result) })
        };
        let mut holdings: BTreeMap<_, Vec<Holding>> = BTreeMap::new();
        for holding in rows.holdings {
            holdings.entry((holding.show_id, holding.customer.clone())).or_default().push(holding);
        }
        Self {
            now: rows.now,
            shows: rows.shows.into_iter().map(|show| (show.id, show)).collect(),
            holdings,
            payments: rows.payments.into_iter().map(|payment| (payment.reference, payment.booking_id)).collect(),
            seats: rows.seats.into_iter().map(|seat| (seat.key, own(seat.state))).collect(),
            bookings: rows.bookings.into_iter().map(|booking| (booking.id, booking)).collect(),
            used_keys: rows.used_keys.into_iter().map(stored).collect(),
            new_bookings: Vec::new(),
            changed_seats: BTreeSet::new(),
            changed_bookings: BTreeSet::new(),
            entries: Vec::new(),
            new_payments: Vec::new(),
            new_keys: Vec::new(),
        }
    }

    /// Decides one request and keeps what it does. One that was made before is not decided again.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing can be decided, and this ledger is of no more use.
    pub fn apply(&mut self, request: &Request) -> Result<Decision, LedgerError> {
        let Some(idempotency) = &request.idempotency else { return self.decide(&request.command, &request.by) };
        if let Some(decision) = self.decision_before(idempotency) {
            return Ok(decision);
        }
        let decision = self.decide(&request.command, &request.by)?;
        // A mistake of the caller's, as any that was found before: nobody's row was touched, and none is made for it.
        if let Decision::Settled(Outcome::Refused(Refusal::NoSuchShow { .. } | Refusal::NoSuchBooking { .. })) = decision {
            return Ok(decision);
        }
        let Idempotency { key, fingerprint, keep_for } = idempotency.clone();
        let used = UsedKey { key, fingerprint, expires_at: Deadline::after(self.now, keep_for), result: decision.clone() };
        self.new_keys.push(used.clone());
        self.used_keys.insert(used.key.clone(), used);
        Ok(decision)
    }

    /// What was decided on this request before, if that is not too long ago.
    fn decision_before(&self, Idempotency { key, fingerprint, .. }: &Idempotency) -> Option<Decision> {
        let used = self.used_keys.get(key).filter(|used| used.expires_at.life(self.now) == Life::Live)?;
        Some(if used.fingerprint == *fingerprint {
            Decision::Repeated(Box::new(used.result.clone()))
        } else {
            Decision::Settled(Outcome::Refused(Refusal::KeyReused))
        })
    }

    fn decide(&mut self, command: &Command, by: &Actor) -> Result<Decision, LedgerError> {
        if let Some(booking_id) = command.booking_id() {
            self.fail_if_called_off(booking_id, by)?;
        }
        let outcome = match command {
            Command::Hold(hold) => return self.hold(hold, by),
            Command::Block(block) => return self.block(block, by),
            Command::Confirm(confirm) => self.confirm(confirm, by)?,
            Command::Expire { booking_id } => self.expire(*booking_id)?,
            Command::Cancel { booking_id } => self.cancel(*booking_id, by)?,
            Command::Extend(extend) => self.extend(extend, by)?,
            Command::Change(change) => self.change(change, by)?,
        };
        Ok(Decision::Settled(outcome))
    }

    /// What has to be saved.
    pub fn into_changes(mut self) -> Changes {
        let seats = self.changed_seats.iter();
        let changed = |id| {
            let Booking { state, seats, deadline, payment, .. } = self.bookings.remove(&id)?;
            Some(BookingChange { id, state, payment, seats, deadline })
        };
        Changes {
            now: self.now,
            seats: seats.filter_map(|key| self.seats.get(key).map(|&state| SeatChange { key: *key, state })).collect(),
            bookings: self.changed_bookings.into_iter().filter_map(changed).collect(),
            new_bookings: self.new_bookings,
            entries: self.entries,
            payments: self.new_payments,
            used_keys: self.new_keys,
        }
    }

    /// The show of a booking whose row is here.
    fn show_of(&self, booking: &Booking) -> Result<&LockedShow, LedgerError> {
        self.shows.get(&booking.show_id).ok_or(LedgerError::RowsMissing)
    }

    fn set_seat(&mut self, key: SeatKey, state: SeatState<Owner>) {
        self.seats.insert(key, state);
        self.changed_seats.insert(key);
    }

    /// Takes down what happened to a stored booking, which stood at `from` before.
    fn record(&mut self, id: BookingId, event: Event, from: BookingStatus, by: Actor) -> Result<(), LedgerError> {
        let booking = self.bookings.get(&id).ok_or(LedgerError::RowsMissing)?;
        let (show_id, seats) = (booking.show_id, booking.seats.clone());
        self.changed_bookings.insert(id);
        self.entries.push(Entry { show_id, booking: Owner::Stored(id), event, from: Some(from), seats, by });
        Ok(())
    }
}
