//! What a batch does to the store.

use crate::booking::{BlockReason, BookingState, UserName};
use crate::command::Outcome;
use crate::customer::CustomerId;
use crate::deadline::{Deadline, Timestamp};
use crate::history::Event;
use crate::ids::{BookingId, ShowId};
use crate::lifecycle::BookingStatus;
use crate::payment::{Payment, PaymentReference};
use crate::request::{Actor, Fingerprint, IdempotencyKey};
use crate::seat::{SeatKey, SeatNumber, SeatState};

/// A booking that has a row, or one that this batch makes: an index into [`Changes::new_bookings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// It has a row.
    Stored(BookingId),
    /// It gets one when the batch is saved; its identity is the store's to give.
    New(usize),
}

/// A booking that the batch makes, created at [`Changes::now`]: PENDING; or, of seats that the house keeps from sale, CONFIRMED then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBooking {
    /// The show.
    pub show_id: ShowId,
    /// For whom.
    pub user_name: UserName,
    /// To whom it counts where seats are limited.
    pub customer: Option<CustomerId>,
    /// Why the house keeps the seats from sale; `None` for a hold.
    pub blocked_for: Option<BlockReason>,
    /// The seats, ascending.
    pub seats: Vec<SeatNumber>,
    /// When its hold ends.
    pub deadline: Deadline,
}

/// What a stored booking comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingChange {
    /// Which.
    pub id: BookingId,
    /// Its state.
    pub state: BookingState,
    /// The first payment that was named for it.
    pub payment: Option<PaymentReference>,
    /// The seats that it lists, ascending.
    pub seats: Vec<SeatNumber>,
    /// When its hold ends, or ended.
    pub deadline: Deadline,
}

/// What goes into the history: it gets its number in its show when the batch is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The show.
    pub show_id: ShowId,
    /// The booking.
    pub booking: Owner,
    /// What happened to it.
    pub event: Event,
    /// Where the booking stood before; `None` for a new one.
    pub from: Option<BookingStatus>,
    /// The seats that the booking lists after it, ascending.
    pub seats: Vec<SeatNumber>,
    /// Who did it.
    pub by: Actor,
}

/// A key under which a request was made, and what came of it: an [`Outcome`], or what is to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKey<Result> {
    /// The key.
    pub key: IdempotencyKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// From when on it is as if it had never been used.
    pub expires_at: Deadline,
    /// What came of it.
    pub result: Result,
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
    /// What goes into the history, in the order in which it happened.
    pub entries: Vec<Entry>,
    /// Payments to keep, each for the first time.
    pub payments: Vec<Payment>,
    /// Keys to keep.
    pub used_keys: Vec<UsedKey<Decision>>,
}

impl Changes {
    /// Whether there is nothing to save.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.used_keys.is_empty()
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
    /// Seats that the house got.
    Blocked {
        /// Index into [`Changes::new_bookings`].
        new_booking: usize,
    },
    /// A request that was made before in this batch: what was decided then.
    Repeated(Box<Decision>),
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
            Self::Blocked { new_booking } => new_ids.get(new_booking).map(|&booking_id| Outcome::Blocked { booking_id }),
            Self::Repeated(decision) => decision.outcome(new_ids).map(|outcome| Outcome::Replayed(Box::new(outcome))),
            Self::Settled(outcome) => Some(outcome),
        }
    }
}
