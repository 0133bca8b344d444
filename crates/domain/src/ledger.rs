//! The working set: the rows that a store has locked for a batch, and every decision on them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use thiserror::Error;

use crate::booking::{Booking, BookingState, UserName};
use crate::command::{Command, Hold, Outcome, Refusal, SeatRefusal, SeatRefusalReason};
use crate::deadline::{Deadline, Timestamp};
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::{Action, FailureReason, Step, TransitionRefused, transition};
use crate::seat::{SeatKey, SeatNumber, SeatState};

/// What a store has locked and read for a batch.
#[derive(Clone, Debug)]
pub struct LockedRows {
    /// The instant of every decision: one reading of the store's clock, taken after the locks.
    pub now: Timestamp,
    /// Those of the named shows that exist.
    pub shows: Vec<ShowId>,
    /// Those of the wanted seats that exist, and every seat of `bookings`.
    pub seats: Vec<LockedSeat>,
    /// Those of the named bookings that exist, and those whose dead holds block a wanted seat. (Of these a store may leave out
    /// what it has not met yet: the ledger says [`LedgerError::RowsMissing`] when it is needed.)
    pub bookings: Vec<Booking>,
}

/// What came of a sweep over some rows.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The outcomes, an expiry or a refusal each.
    pub outcomes: Vec<Outcome>,
    /// What has to be saved.
    pub changes: Changes,
    /// Bookings that contradict their seats. Someone has to look.
    pub corrupt: Vec<LedgerError>,
}

/// A seat as it was found under its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedSeat {
    /// Which.
    pub key: SeatKey,
    /// How it stands in its row.
    pub state: SeatState,
}

/// A booking that has a row, or one that this batch makes: an index into [`Changes::new_bookings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// It has a row.
    Stored(BookingId),
    /// It gets one when the batch is saved; its identity is the store's to give.
    New(usize),
}

/// A booking that the batch makes: PENDING, created at [`Changes::now`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBooking {
    /// The show.
    pub show_id: ShowId,
    /// For whom.
    pub user_name: UserName,
    /// The seats, ascending.
    pub seats: Vec<SeatNumber>,
    /// When its hold ends.
    pub deadline: Deadline,
}

/// The state that a stored booking comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingChange {
    /// Which.
    pub id: BookingId,
    /// Its new state.
    pub state: BookingState,
}

/// The state that a seat comes to, whatever it went through on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatChange {
    /// Which.
    pub key: SeatKey,
    /// Its new state.
    pub state: SeatState<Owner>,
}

/// What a batch does to the store, each row once, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The instant that rows are stamped with.
    pub now: Timestamp,
    /// Bookings to insert.
    pub new_bookings: Vec<NewBooking>,
    /// Bookings to update.
    pub bookings: Vec<BookingChange>,
    /// Seats to update.
    pub seats: Vec<SeatChange>,
}

impl Changes {
    /// Whether there is nothing to save.
    pub const fn is_empty(&self) -> bool {
        self.new_bookings.is_empty() && self.bookings.is_empty() && self.seats.is_empty()
    }
}

/// What was decided on one command. It becomes an [`Outcome`] once new bookings have their identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A hold that got its seats.
    Held {
        /// Index into [`Changes::new_bookings`].
        new_booking: usize,
        /// When it ends.
        deadline: Deadline,
    },
    /// Anything else.
    Settled(Outcome),
}

impl Decision {
    /// The outcome, given the identities of [`Changes::new_bookings`] in their order; `None` if one is missing.
    pub fn outcome(self, new_ids: &[BookingId]) -> Option<Outcome> {
        match self {
            Self::Held { new_booking, deadline } => {
                new_ids.get(new_booking).map(|&booking_id| Outcome::Held { booking_id, deadline })
            }
            Self::Settled(outcome) => Some(outcome),
        }
    }
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

/// The locked rows of a batch and what has been decided on them so far: a command sees what those before it did.
///
/// It assumes that nobody else can change these rows until the batch is committed or rolled back.
#[derive(Debug)]
pub struct Ledger {
    now: Timestamp,
    shows: HashSet<ShowId>,
    seats: HashMap<SeatKey, SeatState<Owner>>,
    bookings: HashMap<BookingId, Booking>,
    new_bookings: Vec<NewBooking>,
    changed_seats: BTreeSet<SeatKey>,
    changed_bookings: BTreeMap<BookingId, BookingState>,
}

impl Ledger {
    /// A ledger on these rows.
    pub fn open(rows: LockedRows) -> Self {
        let own = |state| match state {
            SeatState::Available => SeatState::Available,
            SeatState::Held { by, until } => SeatState::Held { by: Owner::Stored(by), until },
            SeatState::Sold { to } => SeatState::Sold { to: Owner::Stored(to) },
        };
        Self {
            now: rows.now,
            shows: rows.shows.into_iter().collect(),
            seats: rows.seats.into_iter().map(|seat| (seat.key, own(seat.state))).collect(),
            bookings: rows.bookings.into_iter().map(|booking| (booking.id, booking)).collect(),
            new_bookings: Vec::new(),
            changed_seats: BTreeSet::new(),
            changed_bookings: BTreeMap::new(),
        }
    }

    /// Decides one command and keeps what it does.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing can be decided, and this ledger is of no more use.
    pub fn apply(&mut self, command: &Command) -> Result<Decision, LedgerError> {
        match command {
            Command::Hold(hold) => self.hold(hold),
            Command::Confirm { booking_id } => self.step(*booking_id, Action::Confirm).map(Decision::Settled),
            Command::Expire { booking_id } => self.step(*booking_id, Action::Expire).map(Decision::Settled),
        }
    }

    /// Expires each of the bookings in these rows, if it is dead and all of its seats are here. One that contradicts its seats
    /// must not keep the others from ending: it is left as it is, and reported.
    pub fn sweep(rows: LockedRows) -> Swept {
        let ids: Vec<BookingId> = rows.bookings.iter().map(|booking| booking.id).collect();
        let mut ledger = Self::open(rows);
        let (mut outcomes, mut corrupt) = (Vec::new(), Vec::new());
        for id in ids {
            match ledger.step(id, Action::Expire) {
                Ok(outcome) => outcomes.push(outcome),
                Err(LedgerError::RowsMissing) => {}
                Err(error @ LedgerError::Corrupt { .. }) => corrupt.push(error),
            }
        }
        Swept { outcomes, changes: ledger.into_changes(), corrupt }
    }

    /// What has to be saved.
    pub fn into_changes(self) -> Changes {
        let seats = self.changed_seats.iter();
        Changes {
            now: self.now,
            seats: seats.filter_map(|key| self.seats.get(key).map(|&state| SeatChange { key: *key, state })).collect(),
            bookings: self.changed_bookings.into_iter().map(|(id, state)| BookingChange { id, state }).collect(),
            new_bookings: self.new_bookings,
        }
    }

    fn hold(&mut self, hold: &Hold) -> Result<Decision, LedgerError> {
        if let Some(refusal) = self.refusal(hold) {
            return Ok(Decision::Settled(Outcome::Refused(refusal)));
        }
        let (show_id, numbers) = (hold.show_id, hold.seats.numbers());
        let deadline = Deadline::after(self.now, hold.hold_for);
        let new_booking = self.new_bookings.len();
        for &number in numbers {
            let key = SeatKey { show_id, number };
            self.fail_dead_hold_on(key)?;
            self.set_seat(key, SeatState::Held { by: Owner::New(new_booking), until: deadline });
        }
        let user_name = hold.user_name.clone();
        self.new_bookings.push(NewBooking { show_id, user_name, seats: numbers.to_vec(), deadline });
        Ok(Decision::Held { new_booking, deadline })
    }

    /// Why this hold can't be had now; `None` if it can.
    pub(crate) fn refusal(&self, hold: &Hold) -> Option<Refusal> {
        let show_id = hold.show_id;
        if !self.shows.contains(&show_id) {
            return Some(Refusal::NoSuchShow { show_id });
        }
        let numbers = hold.seats.numbers().iter();
        let seats: Vec<SeatRefusal> = numbers.filter_map(|&number| self.seat_refusal(show_id, number)).collect();
        if seats.is_empty() { None } else { Some(Refusal::SeatsNotFree { seats }) }
    }

    /// Whether a seat that this hold wants is held by a dead hold.
    pub(crate) fn wants_a_dead_hold(&self, hold: &Hold) -> bool {
        hold.seat_keys().any(|key| self.seats.get(&key).is_some_and(|&state| state != state.as_of(self.now)))
    }

    /// Why this seat can't be had now; `None` if it can.
    fn seat_refusal(&self, show_id: ShowId, number: SeatNumber) -> Option<SeatRefusal> {
        let reason = match self.seats.get(&SeatKey { show_id, number }).map(|state| state.as_of(self.now)) {
            Some(SeatState::Available) => return None,
            Some(SeatState::Held { until, .. }) => SeatRefusalReason::Held { free_at: until },
            Some(SeatState::Sold { .. }) => SeatRefusalReason::Sold,
            None => SeatRefusalReason::Unknown,
        };
        Some(SeatRefusal { number, reason })
    }

    /// A dead hold gives way: its booking fails in the same batch that takes the seat.
    fn fail_dead_hold_on(&mut self, key: SeatKey) -> Result<(), LedgerError> {
        match self.seats.get(&key) {
            Some(SeatState::Held { by: Owner::Stored(booking_id), .. }) => {
                let booking_id = *booking_id;
                if !self.bookings.contains_key(&booking_id) {
                    return Err(LedgerError::RowsMissing);
                }
                match self.step(booking_id, Action::Expire)? {
                    Outcome::Expired { .. } => Ok(()),
                    Outcome::Held { .. } | Outcome::Confirmed { .. } | Outcome::Refused(_) => {
                        Err(LedgerError::Corrupt { key, booking_id })
                    }
                }
            }
            Some(SeatState::Available | SeatState::Held { by: Owner::New(_), .. } | SeatState::Sold { .. }) | None => Ok(()),
        }
    }

    fn step(&mut self, booking_id: BookingId, action: Action) -> Result<Outcome, LedgerError> {
        let Some(booking) = self.bookings.get(&booking_id) else {
            return Ok(Outcome::Refused(Refusal::NoSuchBooking { booking_id }));
        };
        let deadline = booking.deadline;
        match transition(booking.state.status(), action, deadline.life(self.now)) {
            Ok(Step::Confirm) => {
                let sold = SeatState::Sold { to: Owner::Stored(booking_id) };
                self.settle(booking_id, BookingState::Confirmed { at: self.now }, sold)?;
                Ok(Outcome::Confirmed { booking_id })
            }
            Ok(Step::Fail(reason @ FailureReason::Expired)) => {
                self.settle(booking_id, BookingState::Failed { reason }, SeatState::Available)?;
                Ok(Outcome::Expired { booking_id, deadline })
            }
            Err(refused) => Ok(Outcome::Refused(match refused {
                TransitionRefused::Final(status) => Refusal::NotPending { booking_id, status },
                TransitionRefused::HoldExpired => Refusal::HoldExpired { booking_id, deadline },
                TransitionRefused::HoldLive => Refusal::HoldLive { booking_id, deadline },
            })),
        }
    }

    /// Brings a PENDING booking and all of its seats to their new state. After an error nothing has changed.
    fn settle(&mut self, id: BookingId, state: BookingState, seat: SeatState<Owner>) -> Result<(), LedgerError> {
        let Some(booking) = self.bookings.get_mut(&id) else {
            return Err(LedgerError::RowsMissing);
        };
        let show_id = booking.show_id;
        let keys: Vec<SeatKey> = booking.seats.iter().map(|&number| SeatKey { show_id, number }).collect();
        for &key in &keys {
            match self.seats.get(&key) {
                Some(SeatState::Held { by: Owner::Stored(by), .. }) if *by == id => {}
                Some(_) => return Err(LedgerError::Corrupt { key, booking_id: id }),
                None => return Err(LedgerError::RowsMissing),
            }
        }
        booking.state = state;
        self.changed_bookings.insert(id, state);
        for key in keys {
            self.set_seat(key, seat);
        }
        Ok(())
    }

    fn set_seat(&mut self, key: SeatKey, state: SeatState<Owner>) {
        self.seats.insert(key, state);
        self.changed_seats.insert(key);
    }
}
